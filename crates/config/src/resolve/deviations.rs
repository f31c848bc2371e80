//! Keywords by which an instance does otherwise than the standard says, or than we think best; several of them can be
//! said for all instances at once.

use engine::{ChecksumPolicy, Deviations, Priority};

use super::values;
use crate::diagnostic::Findings;
use crate::source::Span;
use crate::statement::Statement;

/// What was said; `None` means nothing was.
#[derive(Clone, Debug, Default)]
pub(super) struct Deviating {
    missed_advertisements: Option<(u8, Span)>,
    silent_winner: Option<(bool, Span)>,
    last_words: Option<(bool, Span)>,
    owner_ignores_others: Option<bool>,
    only_from_peers: Option<bool>,
    message_only: Option<bool>,
    old_unicast: Option<ChecksumPolicy>,
    /// What concerns peers only, and where it stands.
    about_peers: Vec<(&'static str, Span)>,
    late: Option<(Priority, Span)>,
}

impl Deviating {
    /// Whether the statement is about this. Global keywords are the same with a prefix, but for one.
    pub(super) fn take(&mut self, statement: &Statement<'_>, prefix: &str, findings: &mut Findings) -> bool {
        let name = statement.keyword.name;
        let mut switch = |slot: &mut Option<bool>| *slot = values::switch(statement, findings).or(*slot);
        match name.strip_prefix(prefix).unwrap_or(name) {
            "check_unicast_src" => {
                switch(&mut self.only_from_peers);
                self.about_peers.extend((self.only_from_peers == Some(true)).then_some((name, statement.span)));
            }
            "owner_ignore_adverts" => switch(&mut self.owner_ignores_others),
            "v3_checksum_as_v2" => switch(&mut self.message_only),
            "lower_prio_no_advert" => {
                let said = values::switch(statement, findings).map(|said| (said, statement.span));
                self.silent_winner = said.or(self.silent_winner);
            }
            "higher_prio_send_advert" => {
                let said = values::switch(statement, findings).map(|said| (said, statement.span));
                self.last_words = said.or(self.last_words);
            }
            "down_timer_adverts" => {
                let missed = values::count(statement, findings).and_then(|missed| u8::try_from(missed).ok());
                self.missed_advertisements = missed.map(|missed| (missed, statement.span));
            }
            "old_unicast_checksum" => {
                self.old_unicast = old_unicast(statement, findings).or(self.old_unicast);
                self.about_peers.push((name, statement.span));
            }
            "timer_expired_backup" => {
                self.late = others_priority(statement, findings).map(|priority| (priority, statement.span));
            }
            _ => return false,
        }
        true
    }

    /// There are no peers.
    pub(super) fn warn_without_peers(&self, findings: &mut Findings) {
        for (name, span) in &self.about_peers {
            findings
                .warning("no-peers", *span, format!("`{name}` without `unicast_peer` has no effect"))
                .help("remove it, or name the other nodes in `unicast_peer { … }`");
        }
    }

    /// What an instance does: what it says itself, then what is said for all, then the defaults. The standard wants an
    /// interval between the last advertisement that was heard and the taking over that is the same everywhere.
    pub(super) fn resolve(&self, global: &Self, strict: bool, nopreempt: bool, findings: &mut Findings) -> Deviations {
        let default = Deviations::default();
        let either = |own: Option<bool>, all: Option<bool>| own.or(all).unwrap_or_default();
        let mut missed_advertisements = self.missed_advertisements.or(global.missed_advertisements);
        let mut silent_winner = self.silent_winner.or(global.silent_winner);
        let mut last_words = self.last_words.or(global.last_words);
        if strict {
            let mut ignored = |span: Span, what: &str| {
                let message = format!("{what} is not in the standard (`vrrp_strict`); this is ignored");
                findings.warning("strict", span, message).help("remove it, or `vrrp_strict`");
            };
            if let Some((_, span)) = missed_advertisements.take_if(|(missed, _)| *missed != 3) {
                ignored(span, "another number of missed advertisements than 3");
            }
            if let Some((_, span)) = silent_winner.take_if(|(silent, _)| !*silent) {
                ignored(span, "answering an advertisement of lower priority");
            }
            if let Some((_, span)) = last_words.take_if(|(said, _)| *said) {
                ignored(span, "an advertisement before giving way");
            }
        }
        let late = self.late.filter(|(_, span)| {
            if !nopreempt {
                findings
                    .warning("late-preempts", *span, "`timer_expired_backup` is ignored: it needs `nopreempt`")
                    .help("add `nopreempt`, or remove it; an instance that preempts would take the role back anyway");
            }
            nopreempt
        });
        Deviations {
            missed_advertisements: missed_advertisements.map_or(default.missed_advertisements, |(missed, _)| missed),
            others_priority: late.map(|(priority, _)| priority),
            silent_winner: silent_winner.map_or(strict, |(silent, _)| silent),
            silent_loser: last_words.map_or(strict, |(said, _)| !said),
            owner_ignores_others: either(self.owner_ignores_others, global.owner_ignores_others),
            only_from_peers: either(self.only_from_peers, global.only_from_peers),
            peer_ttl: Vec::new(),
            checksum: if either(self.message_only, global.message_only) {
                ChecksumPolicy::MessageOnly
            } else {
                self.old_unicast.unwrap_or(default.checksum)
            },
        }
    }
}

/// Nothing, or `never`.
fn old_unicast(statement: &Statement<'_>, findings: &mut Findings) -> Option<ChecksumPolicy> {
    match statement.values.first() {
        None => Some(ChecksumPolicy::OldUnicast),
        Some(word) if word.text == "never" => Some(ChecksumPolicy::NeverOldUnicast),
        Some(word) => {
            findings
                .error("bad-choice", word.span, format!("`old_unicast_checksum` cannot be {}", word.text))
                .help("write it alone, or `old_unicast_checksum never`");
            None
        }
    }
}

/// The highest priority that any other instance may have; 254 unless told otherwise.
fn others_priority(statement: &Statement<'_>, findings: &mut Findings) -> Option<Priority> {
    let Some(word) = statement.values.first() else { return Some(Priority::new(254)) };
    let number = values::whole_word(word, findings)?;
    let priority = u8::try_from(number).ok().filter(|priority| (1..=254).contains(priority));
    if priority.is_none() {
        findings
            .error("out-of-range", word.span, format!("a priority is a number from 1 to 254, not {number}"))
            .help("write the highest priority that any other instance may have, or nothing, which means 254");
    }
    priority.map(Priority::new)
}
