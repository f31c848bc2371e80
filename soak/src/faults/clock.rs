//! The calendar of a node is set. A namespace has no calendar of its own (time_namespaces(7) is about the other clocks), and
//! the machine's belongs to others; so libfaketime stands between these daemons and the system's, and what it says can be
//! changed while they run. Everybody else, what looks on included, goes by the right time.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Scene;
use crate::failure::{Failure, Result};
use crate::ground::{CLOCK, RELOAD_TIME};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// From what a time server mends to a battery that is empty, in seconds.
const STEPS: [i64; 10] = [-3650 * DAY, -DAY, -HOUR, -MINUTE, -2, 2, MINUTE, HOUR, DAY, 3650 * DAY];
/// What a daemon says of the time and we find out of it differ by less, on a machine that is busy.
const ABOUT: i64 = 30;

/// Set and set right again, some times in a row.
pub(super) fn set(scene: &mut Scene<'_>) -> Result<()> {
    for _ in 0..1 + scene.dice.below(3) {
        let step = STEPS[scene.dice.below(STEPS.len())];
        let span = scene.some_time();
        scene.set_clock(step)?;
        scene.ground.pass(span / 2)?;
        scene.clock_is_off_by(step)?;
        scene.ground.pass(span / 2)?;
        scene.set_clock(0)?;
        scene.ground.pass(scene.dice.span(scene.ground.plan.interval()))?;
    }
    Ok(())
}

/// It dies, begins again at another time, and then the clock is set right.
pub(super) fn wake_up_in_another_time(scene: &mut Scene<'_>) -> Result<()> {
    let step = STEPS[scene.dice.below(STEPS.len())];
    scene.kill()?;
    scene.service_is_gone()?;
    scene.set_clock(step)?;
    scene.ground.pass(scene.dice.span(scene.span / 2))?;
    scene.ground.start_again(scene.node)?;
    scene.ground.pass(scene.dice.span(scene.span))?;
    scene.set_clock(0)
}

/// It is to reload in an hour, and then the clock is set to that moment and set back.
pub(super) fn reach_the_time_of_a_reload(scene: &mut Scene<'_>) -> Result<()> {
    let in_an_hour = now() + HOUR;
    let (hours, minutes, seconds) = (in_an_hour % DAY / HOUR, in_an_hour % HOUR / MINUTE, in_an_hour % MINUTE);
    let from = scene.ground.lab.note(scene.host().name(), "is to reload in an hour");
    scene.host().write_file(RELOAD_TIME, &format!("{hours:02}:{minutes:02}:{seconds:02}Z\n"))?;
    scene.wait_for_line(from, "Scheduling reload", "a reload in an hour was not planned")?;
    let early = scene.lines_with(from, "Reloading");
    scene.set_clock(HOUR)?;
    let reloaded =
        scene.wait_for_line(from, "Reloading", "the clock was set to the time of a reload, and it did not reload");
    scene.set_clock(0)?;
    scene.host().remove_file(RELOAD_TIME)?;
    reloaded?;
    if early == 0 { Ok(()) } else { Err(Failure::new("it reloaded an hour early")) }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

impl Scene<'_> {
    /// From now on the node's daemon thinks that it is so many seconds later; less than nothing is earlier.
    fn set_clock(&self, step: i64) -> Result<()> {
        self.ground.lab.note(self.host().name(), &format!("its clock is off by {step} s"));
        self.host().write_file(CLOCK, &format!("{step:+}\n"))?;
        Ok(())
    }

    /// The fault would be none if the daemon did not see it: this is what it tells operators.
    fn clock_is_off_by(&mut self, step: i64) -> Result<()> {
        let (_, text) = self.ground.tanist(self.node, &["status", "--json"])?;
        let said = text.split_once("\"wall_ms\":").and_then(|(_, rest)| {
            let digits = rest.trim_start().split(|letter: char| !letter.is_ascii_digit()).next()?;
            Some(digits.parse::<i64>().ok()? / 1000)
        });
        let off = said.map(|said| said - now());
        if off.is_some_and(|off| off.abs_diff(step) <= ABOUT.unsigned_abs()) {
            return Ok(());
        }
        Err(Failure::new(format!("its clock should be off by {step} s, and it says {said:?}, off by {off:?}")))
    }

    fn lines_with(&self, from: rehearse::lab::Moment, words: &str) -> usize {
        self.ground.lines(self.node, from).iter().filter(|line| line.contains(words)).count()
    }

    fn wait_for_line(&mut self, from: rehearse::lab::Moment, words: &str, otherwise: &str) -> Result<()> {
        self.wait_until(otherwise, |scene| Ok(scene.lines_with(from, words) > 0))
    }
}
