//! How neighbours are told where the addresses are: the `garp_*` keywords, global and per instance.

use std::time::Duration;

use engine::AnnouncePolicy;

use super::values;
use crate::diagnostic::Findings;
use crate::statement::Statement;

/// What was said; `None` means nothing was.
#[derive(Clone, Debug, Default)]
pub(super) struct Announcing {
    delay: Option<u32>,
    repeat: Option<u32>,
    refresh: Option<u32>,
    refresh_repeat: Option<u32>,
    lower_priority_delay: Option<u32>,
    lower_priority_repeat: Option<u32>,
    /// One announcement and no second burst, unless the keywords above say otherwise.
    minimal: bool,
    pacing: Option<Duration>,
    neighbour_pacing: Option<Duration>,
}

impl Announcing {
    /// Whether the statement is about announcing. Global keywords are the same with a prefix.
    pub(super) fn take(&mut self, statement: &Statement<'_>, prefix: &str, findings: &mut Findings) -> bool {
        let name = statement.keyword.name;
        let field = match name.strip_prefix(prefix) {
            Some("garp_master_delay") => &mut self.delay,
            Some("garp_master_repeat") => &mut self.repeat,
            Some("garp_master_refresh") => &mut self.refresh,
            Some("garp_master_refresh_repeat") => &mut self.refresh_repeat,
            Some("garp_lower_prio_delay") => &mut self.lower_priority_delay,
            Some("garp_lower_prio_repeat") => &mut self.lower_priority_repeat,
            Some("min_garp") => {
                self.minimal = values::switch(statement, findings).unwrap_or_default();
                return true;
            }
            Some(interval @ ("garp_interval" | "gna_interval")) => {
                let pacing = values::seconds(statement, findings);
                if pacing == Some(Duration::ZERO) {
                    findings
                        .hint("no-pacing", statement.value().span, format!("`{name} 0` means no pacing, as without it"))
                        .help("keepalived's own test calls it invalid; remove it to please both");
                }
                let slot = if interval == "garp_interval" { &mut self.pacing } else { &mut self.neighbour_pacing };
                *slot = pacing.or(*slot);
                return true;
            }
            _ => return false,
        };
        *field = values::count(statement, findings).or(*field);
        true
    }

    /// Whether it says what happens after an advertisement of lower priority.
    pub(super) fn speaks_of_lower_priority(&self) -> bool {
        self.lower_priority_delay.is_some() || self.lower_priority_repeat.is_some()
    }

    /// What a router that holds to the standard does: after an advertisement of lower priority nothing.
    pub(super) fn strict_policy(&self, global: &Self) -> AnnouncePolicy {
        AnnouncePolicy { lower_priority_repeat: 0, lower_priority_delay: Duration::ZERO, ..self.policy(global) }
    }

    /// What an instance does: what it says itself, then what is said for all, then the defaults.
    pub(super) fn policy(&self, global: &Self) -> AnnouncePolicy {
        let choose = |own: Option<u32>, all: Option<u32>, default: u32| own.or(all).unwrap_or(default);
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        let (few, soon) = if global.minimal { (1, 0) } else { (5, 5) };
        let repeat = choose(self.repeat, global.repeat, few);
        let delay = choose(self.delay, global.delay, soon);
        let refresh = choose(self.refresh, global.refresh, 0);
        // What an instance says of becoming Active says nothing about these.
        let lower_priority_repeat = global.lower_priority_repeat.or(global.repeat).unwrap_or(few);
        let lower_priority_delay = global.lower_priority_delay.or(global.delay).unwrap_or(soon);
        AnnouncePolicy {
            repeat,
            delay: seconds(delay),
            refresh: (refresh > 0).then(|| seconds(refresh)),
            refresh_repeat: choose(self.refresh_repeat, global.refresh_repeat, 1),
            lower_priority_repeat: self.lower_priority_repeat.unwrap_or(lower_priority_repeat),
            lower_priority_delay: seconds(self.lower_priority_delay.unwrap_or(lower_priority_delay)),
            pacing: global.pacing.unwrap_or_default(),
            neighbour_pacing: global.neighbour_pacing.unwrap_or_default(),
        }
    }
}
