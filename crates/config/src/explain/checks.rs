//! How long a check takes to notice, and what follows from it.

use std::ops::RangeInclusive;
use std::time::Duration;

use engine::{RouterConfig, ScriptConfig, TrackerKind, Weight, When};

use super::page::{Page, range, seconds};
use super::{again, command};
use crate::settings::{Script, ServiceCheck};

/// From the event to the verdict.
pub(super) struct Noticing {
    /// It answers, and badly. The time of the answer comes on top.
    pub(super) failing: RangeInclusive<Duration>,
    /// It does not answer.
    pub(super) hanging: RangeInclusive<Duration>,
}

/// Best and worst case. A run that has not ended when the next one is due takes its place: a program that is told to
/// end is still there at that moment, a probe inside the daemon is not.
pub(super) fn noticing(checking: &ScriptConfig, is_program: bool) -> Noticing {
    let ScriptConfig { interval, timeout, fall, .. } = *checking;
    let again = fall.saturating_sub(1);
    let whole = u32::try_from(timeout.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u32::MAX);
    let rest = timeout.saturating_sub(interval.saturating_mul(whole));
    let runs = if is_program || !rest.is_zero() { whole.saturating_add(1) } else { whole.max(1) };
    let period = interval.saturating_mul(runs);
    let hanging = period.saturating_mul(again).saturating_add(timeout);
    Noticing {
        failing: interval.saturating_mul(again)..=interval.saturating_mul(fall),
        hanging: hanging..=hanging.saturating_add(interval),
    }
}

/// A `vrrp_script`.
pub(super) fn about_script(router: &RouterConfig, script: &Script, weight: Weight, page: &mut Page) {
    let checking = &script.checking;
    let Noticing { failing, hanging } = noticing(checking, true);
    let roles = match checking.when {
        When::Both => "on this node, whatever its role",
        When::Active => "on this node while it is Active, and not at all on standby",
        When::Standby => "on this node while it is not Active, and not at all while it is",
    };
    page.point(&format!(
        "The check {} ({}) runs {} {roles}. A failure is noticed after {}, plus the time that the script takes; one \
         that hangs longer than {} after {}.",
        checking.name,
        command(&script.command),
        again(checking.interval),
        range(&failing),
        seconds(checking.timeout),
        range(&hanging),
    ));
    let consequence = match weight {
        Weight::Fault => "Then this node goes to FAULT and resigns.".to_owned(),
        Weight::ReversedFault => "It is reversed: this node goes to FAULT when the check is good.".to_owned(),
        Weight::Priority(_) | Weight::Reversed(_) => priority_consequence(router, weight).unwrap_or_default(),
    };
    let rise = checking.interval.saturating_mul(checking.rise);
    let back = format!("It counts as good again within {}, plus the script's time.", seconds(rise));
    page.detail(&format!("{consequence} {back}"));
    if checking.when != When::Both {
        page.detail("Where it does not run it counts for nothing. Once it has failed it goes on, whatever the role, until it is good.");
    }
}

/// What a weight does; `None` for a fault.
pub(super) fn priority_consequence(router: &RouterConfig, weight: Weight) -> Option<String> {
    let (weight, when) = match weight {
        Weight::Priority(weight) => (weight, "while it fails"),
        Weight::Reversed(weight) => (weight, "while it is good"),
        Weight::Fault | Weight::ReversedFault => return None,
    };
    let weights = router.track_scripts.iter().map(|tracked| tracked.weight);
    let links = router.track_links.iter().map(|tracked| tracked.weight);
    // What stands in a file nobody can know.
    let processes = router.trackers.iter().filter(|tracked| tracked.tracker.kind == TrackerKind::Process);
    let weights = weights.chain(links).chain(processes.map(|tracked| tracked.weight));
    let added: i32 = weights.map(|weight| weight.worth(true).max(weight.worth(false)).map_or(0, i32::from)).sum();
    // Only the sum is held within what a priority can be.
    let sum = i32::from(router.priority.get()) + added;
    let (best, worse) = (sum.clamp(1, 254), (sum - i32::from(weight).abs()).clamp(1, 254));
    if best == worse {
        let limit = if best == 1 { "the least" } else { "the most" };
        return Some(format!(
            "{} the priority is still {best}, {limit} that there is: by itself it changes nothing.",
            capital(when)
        ));
    }
    Some(format!(
        "{} the priority is {worse} instead of {best}: the role moves if another node has more and may preempt, \
         otherwise nothing happens.",
        capital(when)
    ))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A check of a service.
pub(super) fn about_service_check(check: &ServiceCheck, checking: &ScriptConfig, page: &mut Page) {
    let is_program = matches!(check, ServiceCheck::Script(_));
    let Noticing { failing, hanging } = noticing(checking, is_program);
    let (what, answers) = match check {
        ServiceCheck::Http { address, path, statuses, .. } => {
            let good = if statuses.start() == statuses.end() {
                statuses.start().to_string()
            } else {
                format!("{}–{}", statuses.start(), statuses.end())
            };
            (format!("asks {address} for {path} and wants status {good}"), true)
        }
        ServiceCheck::Tcp { address } => (format!("connects to {address}"), true),
        ServiceCheck::Process { name } => (format!("looks for a process {name}"), false),
        ServiceCheck::File { path, max_age: None } => (format!("looks whether {} exists", path.display()), false),
        ServiceCheck::File { path, max_age: Some(age) } => {
            (format!("looks whether {} is at most {} old", path.display(), seconds(*age)), false)
        }
        ServiceCheck::Notify => ("waits for WATCHDOG=1 from the service".to_owned(), true),
        ServiceCheck::Script(script) => (format!("runs {}", command(&script.command)), true),
    };
    let noticed = match check {
        ServiceCheck::Notify => format!("Silence is noticed after {}", range(&hanging)),
        ServiceCheck::Script(_) => format!(
            "A failure is noticed after {}, plus the time that the script takes; a hang after {}",
            range(&failing),
            range(&hanging)
        ),
        _ if answers => format!(
            "A bad answer is noticed after {}; a hang, when nothing answers within {}, after {}",
            range(&failing),
            seconds(checking.timeout),
            range(&hanging)
        ),
        _ => format!("A failure is noticed after {}", range(&failing)),
    };
    page.detail(&format!("{} it {what}. {noticed}.", capital(&again(checking.interval))));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::{ScriptConfig, When};

    use super::noticing;
    use crate::explain::page::range;

    #[test]
    fn best_and_worst_cases() {
        let check = |interval: u64, timeout: u64, fall: u32, is_program: bool, failing: &str, hanging: &str| {
            let checking = ScriptConfig {
                name: "c".into(),
                interval: Duration::from_millis(interval),
                timeout: Duration::from_millis(timeout),
                rise: 1,
                fall,
                init_fail: false,
                when: When::Both,
            };
            let found = noticing(&checking, is_program);
            let loose = |text: String| text.replace('\u{a0}', " ");
            assert_eq!((loose(range(&found.failing)), loose(range(&found.hanging))), (failing.into(), hanging.into()));
        };
        // Started every 5 s, the third bad one counts.
        check(5000, 2000, 3, true, "10–15 s", "12–17 s");
        // A program that takes the whole interval is still being ended when the next is due: every second start is
        // left out.
        check(5000, 5000, 3, true, "10–15 s", "25–30 s");
        check(1000, 1000, 3, false, "2–3 s", "3–4 s");
        check(1000, 1500, 3, false, "2–3 s", "5.5–6.5 s");
        check(100, 300, 1, false, "0–0.1 s", "0.3–0.4 s");
        check(1000, 300, 1, true, "0–1 s", "0.3–1.3 s");
    }
}
