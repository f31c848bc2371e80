//! keepalived's words in the files that it writes.

use std::fmt::Write;

use config::{Command, Instance, MatchBy, NotifyScript};
use engine::{FaultReason, FigureCause, RouterView, StateName, TrackerView, VirtualAddress};

use crate::preflight::words_for;

/// An operator's word for a state.
pub(crate) fn state_word(router: &RouterView) -> &'static str {
    match router.state {
        StateName::Active => "MASTER",
        StateName::Backup => "BACKUP",
        StateName::Initialize if router.faults.is_empty() => "INIT",
        StateName::Initialize => "FAULT",
    }
}

/// What a router would be if nothing outside its own tracking kept it out, in an operator's word.
pub(crate) fn wanted_word(router: &RouterView) -> &'static str {
    match router.state {
        StateName::Active => "MASTER",
        StateName::Backup => "BACKUP",
        StateName::Initialize if own_faults(router) > 0 => "FAULT",
        StateName::Initialize => "BACKUP",
    }
}

/// How many things of its own keep a router out, that are known.
pub(crate) fn own_faults(router: &RouterView) -> usize {
    let is_own = |fault: &&FaultReason| !matches!(fault, FaultReason::Member(_) | FaultReason::ScriptPending(_));
    router.faults.iter().filter(is_own).count()
}

/// As keepalived has it: `192.0.2.1/24 dev eth0 scope global label eth0:vip set`.
pub(crate) fn address_words(address: &VirtualAddress, instance: &Instance, set: bool) -> String {
    let VirtualAddress { address: own, prefix, link, scope, label, broadcast, peer, preferred, .. } = address;
    let mut text = own.to_string();
    let single = *prefix == if own.is_ipv4() { 32 } else { 128 };
    // Writing to a string cannot fail.
    let _ = match peer {
        Some(peer) => write!(text, " peer {peer}"),
        // A single address stands without its length.
        None if single => Ok(()),
        None => write!(text, "/{prefix}"),
    };
    if let Some(broadcast) = broadcast {
        let _ = write!(text, " brd {broadcast}");
    }
    let link = link.as_ref().unwrap_or(&instance.router.link);
    let _ = match instance.own_link() {
        Some(own) if own == link => write!(text, " dev {link}@{}", instance.router.link),
        _ => write!(text, " dev {link}"),
    };
    let _ = write!(text, " scope {scope}");
    if let Some(label) = label {
        let _ = write!(text, " label {label}");
    }
    let _ = match preferred {
        Some(0) => write!(text, " deprecated"),
        Some(seconds) => write!(text, " preferred_lft {seconds}"),
        None if own.is_ipv6() => write!(text, " preferred_lft forever"),
        None => Ok(()),
    };
    text + if set { " set" } else { "" }
}

/// What a script runs, each word in quotes.
pub(crate) fn quoted(command: &Command) -> String {
    match command {
        Command::Program(words) => words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        other => format!("'{}'", words_for(other)),
    }
}

/// As [`quoted`].
pub(crate) fn quoted_script(script: &NotifyScript) -> String {
    quoted(&script.command)
}

/// How parameters are compared, as keepalived calls it; `None` if they are not.
pub(crate) const fn match_word(by: MatchBy) -> Option<&'static str> {
    match by {
        MatchBy::Name | MatchBy::Program => None,
        MatchBy::AllWords => Some("all"),
        MatchBy::FirstWords => Some("partial"),
        MatchBy::Beginning => Some("initial"),
    }
}

/// Whether the delay after this is under way.
pub(crate) fn waits_after(tracker: &TrackerView, cause: FigureCause) -> bool {
    tracker.turns_at.is_some_and(|(_, why)| why == cause)
}
