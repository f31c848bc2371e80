//! The daemon's share of the machine: its name in process lists, its priority, its processors, its memory. All of it is
//! that of the loop's thread; other threads and all programs have the usual priority.

use std::time::Duration;

use config::Process;
use linux::scheduling::{self, Priority};
use linux::system_log::Severity;
use linux::{memory, process};

/// Who was away for longer than this has been suspended, and priority would not have helped.
const SUSPENDED: Duration = Duration::from_secs(60);

/// A line about it.
type Told = (Severity, String);

/// What is in force.
#[derive(Debug, Default)]
pub(crate) struct Share {
    /// What was there before somebody wanted it otherwise.
    usual_name: Option<String>,
    usual_processors: Option<Vec<u16>>,
    priority: Option<Priority>,
    locked: bool,
    /// The real-time priority that being late has led to.
    raised: u8,
    /// It was too much once: no real-time priority until somebody changes something.
    exceeded: bool,
    settings: Option<Settings>,
}

/// The part of the settings that decides the priority.
type Settings = (i8, Option<u8>, Duration, u8);

impl Share {
    /// Brings everything to what the settings say.
    pub(crate) fn adjust(&mut self, process: &Process) -> Vec<Told> {
        let mut told = Vec::new();
        let mut done = |result: linux::Result<()>| {
            if let Err(error) = result {
                told.push((Severity::Error, format!("{error}; going on without")));
            }
        };
        if let Some(name) = &process.name {
            self.usual_name.get_or_insert_with(process::name);
            done(process::set_name(name));
        } else if let Some(usual) = self.usual_name.take() {
            done(process::set_name(&usual));
        }
        if process.cpus.is_empty() {
            if let Some(usual) = self.usual_processors.take() {
                done(scheduling::set_processors(&usual));
            }
        } else {
            if self.usual_processors.is_none() {
                self.usual_processors = scheduling::processors().ok();
            }
            done(scheduling::set_processors(&process.cpus));
        }
        if self.locked != process.no_swap {
            match scheduling::lock_memory(process.no_swap) {
                Ok(()) => self.locked = process.no_swap,
                Err(error) => done(Err(error)),
            }
        }
        let settings = (process.nice, process.real_time, process.real_time_budget, process.most_auto_real_time);
        if self.settings != Some(settings) {
            (self.raised, self.exceeded) = (0, false);
            self.settings = Some(settings);
        }
        done(self.set_priority(process));
        told
    }

    fn set_priority(&mut self, process: &Process) -> linux::Result<()> {
        let level = process.real_time.unwrap_or_default().max(self.raised);
        let wanted = match level {
            0 => Priority::Nice(process.nice),
            _ if self.exceeded => Priority::Nice(process.nice),
            level => Priority::RealTime(level),
        };
        // As long as nobody asks for anything, nothing is touched.
        if self.priority.unwrap_or(Priority::Nice(0)) == wanted {
            return Ok(());
        }
        let budget = u64::try_from(process.real_time_budget.as_micros()).unwrap_or(u64::MAX);
        scheduling::limit_real_time(matches!(wanted, Priority::RealTime(_)).then_some(budget))?;
        scheduling::set_priority(wanted)?;
        self.priority = Some(wanted);
        Ok(())
    }

    /// The loop was let run so late. One step is taken at a time.
    pub(crate) fn was_late(&mut self, process: &Process, late: Duration) -> Option<Told> {
        let now = process.real_time.unwrap_or_default().max(self.raised);
        let may = now < process.most_auto_real_time && !self.exceeded;
        if !may || late < process.auto_real_time_delay || late > SUSPENDED {
            return None;
        }
        self.raised = now + 1;
        let late = late.as_secs_f64();
        Some(match self.set_priority(process) {
            Ok(()) => {
                let text =
                    format!("let run {late:.3} s too late; the real-time priority is {} from now on", self.raised);
                (Severity::Warning, text)
            }
            Err(error) => {
                self.exceeded = true;
                (Severity::Warning, format!("let run {late:.3} s too late; {error}; going on without"))
            }
        })
    }

    /// More real time was used in one go than the settings allow.
    pub(crate) fn exceeded(&mut self, process: &Process) -> Option<Told> {
        if !matches!(self.priority, Some(Priority::RealTime(_))) {
            return None;
        }
        self.exceeded = true;
        let failure = self.set_priority(process).err().map_or_else(String::new, |error| format!(" ({error})"));
        let budget = process.real_time_budget.as_micros();
        let text = format!(
            "computed for more than {budget} µs in one go: going on without real-time priority{failure}; \
             `vrrp_rlimit_rttime` allows more"
        );
        Some((Severity::Warning, text))
    }

    /// Gives back memory that is not needed any more, unless it is to stay.
    pub(crate) fn release_memory(&self) {
        if !self.locked {
            memory::release_unused();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody is disturbed by these: each runs on a thread of its own.
    fn on_own_thread(work: impl FnOnce() + Send + 'static) {
        std::thread::spawn(work).join().expect("no panic");
    }

    #[test]
    fn a_name_comes_and_goes() {
        on_own_thread(|| {
            let before = process::name();
            let mut share = Share::default();
            let named = Process { name: Some("standby".to_owned()), ..Process::default() };
            assert_eq!(share.adjust(&named), []);
            assert_eq!(process::name(), "standby");
            assert_eq!(share.adjust(&Process::default()), []);
            assert_eq!(process::name(), before);
        });
    }

    #[test]
    fn processors_come_back() {
        on_own_thread(|| {
            let all = scheduling::processors().expect("they can be asked for");
            let mut share = Share::default();
            let bound = Process { cpus: vec![all[0]], ..Process::default() };
            assert_eq!(share.adjust(&bound), []);
            assert_eq!(scheduling::processors().expect("they can be asked for"), [all[0]]);
            assert_eq!(share.adjust(&Process::default()), []);
            assert_eq!(scheduling::processors().expect("they can be asked for"), all);
        });
    }

    #[test]
    fn being_late_counts_within_its_bounds_only() {
        let process = Process { auto_real_time_delay: Duration::from_millis(500), ..Process::default() };
        let late = |process: &Process, milliseconds| {
            Share::default().was_late(process, Duration::from_millis(milliseconds)).is_some()
        };
        assert!(!late(&process, 700), "nobody has asked for it");
        let process = Process { most_auto_real_time: 2, ..process };
        assert!(!late(&process, 499));
        assert!(!late(&process, 60_001), "the machine was suspended");
        on_own_thread(move || {
            assert!(late(&process, 500), "raised, or refused and told");
        });
    }

    #[test]
    fn what_nobody_asks_for_is_not_touched() {
        let mut share = Share::default();
        assert_eq!(share.adjust(&Process::default()), []);
        assert_eq!((share.priority, share.locked), (None, false));
        assert_eq!(share.exceeded(&Process::default()), None);
    }
}
