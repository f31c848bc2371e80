//! What a tracked file or tracked processes mean.

use std::time::Duration;

use engine::{Measure, RouterConfig, Weight};

use super::checks::priority_consequence;
use super::page::{Page, seconds};
use crate::settings::Tracker;

pub(super) fn about(router: &RouterConfig, tracker: &Tracker, weight: Weight, page: &mut Page) {
    let (name, subject) = (&tracker.figure.name, &tracker.figure.subject);
    match tracker.figure.measure {
        Measure::Number => {
            page.point(&format!(
                "`{name}`: the number in {subject} counts, at once when it is changed; 0 if the file is not there."
            ));
            page.detail(&number(weight));
        }
        Measure::Count { least, most, fork_delay, terminate_delay } => {
            page.point(&format!(
                "`{name}`: {} of {subject}. An end is noticed at once; a start, too, where the kernel tells of it, otherwise \
                 within a second{}.",
                count(least, most),
                delays(fork_delay, terminate_delay)
            ));
            let consequence = match weight {
                Weight::Fault => "While that is not so this node is in FAULT.".to_owned(),
                Weight::ReversedFault => "It is reversed: this node is in FAULT while that is so.".to_owned(),
                Weight::Priority(_) | Weight::Reversed(_) => priority_consequence(router, weight).unwrap_or_default(),
            };
            page.detail(&consequence);
        }
    }
}

fn number(weight: Weight) -> String {
    match weight {
        Weight::Fault => "Any number but 0 puts this node into FAULT.".to_owned(),
        Weight::ReversedFault => "It is reversed: 0 puts this node into FAULT.".to_owned(),
        Weight::Priority(weight) => times(i32::from(weight)),
        Weight::Reversed(weight) => times(-i32::from(weight)),
    }
}

fn times(weight: i32) -> String {
    let product = if weight == 1 { "It".to_owned() } else { format!("{weight} times it") };
    format!("{product} is added to the priority, at most 253; if that would be -254 or less, this node is in FAULT.")
}

fn count(least: u32, most: Option<u32>) -> String {
    match (least, most) {
        (_, Some(0)) => "there shall be no process".to_owned(),
        (1, None) => "there shall be a process".to_owned(),
        (0, None) => "there may be any number".to_owned(),
        (least, None) => format!("there shall be at least {least} processes"),
        (0, Some(most)) => format!("there shall be at most {most} processes"),
        (least, Some(most)) if least == most => format!("there shall be exactly {least} processes"),
        (least, Some(most)) => format!("there shall be {least} to {most} processes"),
    }
}

fn delays(fork_delay: Duration, terminate_delay: Duration) -> String {
    let delays = [(fork_delay, "a fork"), (terminate_delay, "an end")];
    let delays = delays.into_iter().filter(|(delay, _)| !delay.is_zero());
    delays.map(|(delay, what)| format!("; what {what} changes counts after {}", seconds(delay))).collect()
}
