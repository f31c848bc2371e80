//! Who is measured, how often, and in which order.

use std::path::Path;

use rehearse::lab::Daemon;

use crate::failure::Result;
use crate::row::{Both, Row};

/// What all measurements share.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) daemons: Both<Daemon>,
    /// Tanist as one static program.
    pub(crate) static_tanist: Option<Daemon>,
    /// Instead of the usual number.
    pub(crate) repetitions: Option<usize>,
    /// How many trials of services are played at the same time.
    pub(crate) at_once: usize,
    /// Only to see that everything works.
    pub(crate) quick: bool,
}

/// Measurements that belong together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// What is done and what the figures mean.
    pub(crate) explanation: &'static str,
    pub(crate) measure: fn(&Bench) -> Result<Vec<Row>>,
}

/// Tanist as it is measured: it logs as much as keepalived does with `--log-detail`, and to the same place.
pub(crate) fn tanist(program: &Path) -> Daemon {
    let program = program.display().to_string();
    Daemon::new(
        "tanist",
        &[&program, "run", "--log", "stderr", "--log-detail", "--state-dir", "{disk}", "-f", "{conf}"],
    )
}

impl Bench {
    /// Measures both daemons again and again in turn, so that whatever else the machine does meets both. Each
    /// measurement is told its round.
    pub(crate) fn in_turn<T>(
        &self,
        usual: usize,
        measure: impl FnMut(&Daemon, usize) -> Result<T>,
    ) -> Result<Both<Vec<T>>> {
        self.in_turn_for(self.rounds(usual), measure)
    }

    /// How often something is repeated that is usually repeated so often.
    pub(crate) fn rounds(&self, usual: usize) -> usize {
        self.repetitions.unwrap_or(if self.quick { 1 } else { usual })
    }

    /// The same for so many rounds.
    pub(crate) fn in_turn_for<T>(
        &self,
        rounds: usize,
        mut measure: impl FnMut(&Daemon, usize) -> Result<T>,
    ) -> Result<Both<Vec<T>>> {
        let mut results = Both { keepalived: Vec::new(), tanist: Vec::new() };
        for round in 0..rounds {
            let mut turn = |keepalived: bool| -> Result<()> {
                let (daemon, list) = match keepalived {
                    true => (&self.daemons.keepalived, &mut results.keepalived),
                    false => (&self.daemons.tanist, &mut results.tanist),
                };
                list.push(measure(daemon, round)?);
                eprint!(".");
                Ok(())
            };
            // Nobody is always the first.
            let keepalived_first = round % 2 == 0;
            turn(keepalived_first)?;
            turn(!keepalived_first)?;
        }
        Ok(results)
    }
}
