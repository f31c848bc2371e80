//! The two nodes that rehearse: what they are, and what can be expected of them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use config::ServiceCheck;
use engine::vrrp::timers::skew_time;
use engine::{Priority, RouterConfig, ScriptConfig, ServiceConfig, Weight};

use crate::lab::{Daemon, HostPlan};

/// Where the client asks from: a network that nobody has (RFC 2544).
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// What two nodes that talk to each other need for a hand-over, besides the stop and the start of a service: a few
/// messages.
pub(crate) const HANDED_OVER: Duration = Duration::from_millis(50);

/// Two nodes and the address that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) nodes: [Node; 2],
    pub(crate) address: Ipv4Addr,
    /// What is to be said before it begins.
    pub(crate) remarks: Vec<String>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) plan: HostPlan,
    pub(crate) own_address: IpAddr,
    pub(crate) daemon: Daemon,
    /// Whether the daemon is Tanist, which promises more than the standard.
    pub(crate) is_tanist: bool,
    pub(crate) configuration: Configuration,
    pub(crate) files: Vec<HostFile>,
    pub(crate) service: Service,
    /// The virtual router that is watched.
    pub(crate) router: RouterConfig,
    pub(crate) scripts: Vec<ScriptConfig>,
    /// How the two nodes talk to each other, if both do.
    pub(crate) pair: Option<config::Pair>,
    /// How long the kernel keeps an address that the daemon no longer renews; `None` means for ever.
    pub(crate) address_lifetime: Option<Duration>,
}

/// What the daemon reads.
#[derive(Clone, Debug)]
pub(crate) enum Configuration {
    /// Written into the host.
    Text(String),
    /// The user's own file, where it is.
    File(PathBuf),
}

/// A file that must be in the host before the daemon starts.
#[derive(Clone, Debug)]
pub(crate) enum HostFile {
    Recorder(String),
    Check(String),
    Program {
        name: String,
        text: String,
    },
    /// What only root may read.
    Secret {
        name: String,
        text: String,
    },
}

/// The name of the key that both nodes share.
pub(crate) const KEY_FILE: &str = "pair.key";

impl HostFile {
    /// A key that both nodes share. Any will do.
    pub(crate) fn key() -> Self {
        Self::Secret { name: KEY_FILE.to_owned(), text: "5a".repeat(32) + "\n" }
    }
}

/// What the node is there for.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    /// The built-in web service, and the check that looks at it.
    Web { command: Vec<String>, script: String },
    /// The user's; it is not here, a stand-in answers for its check.
    StandIn { script: String, file: String },
    /// One that the daemons themselves start and stop. A collector plays its part: it ticks, so that afterwards nobody
    /// has to be believed about who was at work when.
    Supervised(Supervised),
    /// No check tells anything of it, for this reason.
    Unwatched(&'static str),
}

/// A service that the daemons look after.
#[derive(Clone, Debug)]
pub(crate) struct Supervised {
    pub(crate) config: ServiceConfig,
    /// Our own program with its first arguments: it is the collector.
    pub(crate) program: Vec<String>,
    /// The longest from a hang until it is noticed; `None` if no check sees one.
    pub(crate) hang_noticed: Option<Duration>,
}

impl Supervised {
    /// As it is configured, with our own program in its part.
    pub(crate) fn new(service: &config::Service, program: Vec<String>) -> Self {
        let checks = service.checks.iter().zip(&service.service.checks);
        let seeing = checks.filter(|(check, _)| sees_hangs(check)).map(|(_, checking)| longest_until_noticed(checking));
        Self { config: service.service.clone(), program, hang_noticed: seeing.min() }
    }
}

/// Whether a check asks the service itself. The kernel accepts connections for a process that hangs, and the process is
/// there.
pub(crate) fn sees_hangs(check: &ServiceCheck) -> bool {
    match check {
        ServiceCheck::Http { .. } | ServiceCheck::File { .. } | ServiceCheck::Notify | ServiceCheck::Script(_) => true,
        ServiceCheck::Tcp { .. } | ServiceCheck::Process { .. } => false,
    }
}

/// It hangs just after it has been asked. Nobody is asked again before the last question is given up.
fn longest_until_noticed(checking: &ScriptConfig) -> Duration {
    let ScriptConfig { interval, timeout, fall, .. } = *checking;
    let runs = timeout.as_nanos().div_ceil(interval.as_nanos().max(1)).max(1);
    let period = interval * u32::try_from(runs).unwrap_or(u32::MAX);
    interval + period * (fall - 1) + timeout
}

impl Node {
    pub(crate) fn supervised(&self) -> Option<&Supervised> {
        match &self.service {
            Service::Supervised(service) => Some(service),
            Service::Web { .. } | Service::StandIn { .. } | Service::Unwatched(_) => None,
        }
    }

    /// How long until this node, as Backup, replaces an Active one that is gone without a word.
    pub(crate) fn replaces_dead(&self, active: &Self) -> Duration {
        self.pair.as_ref().map_or_else(|| self.down_interval(active), |pair| pair.dead_after)
    }

    /// How long until this node, as Backup, replaces an Active one that says that it goes.
    pub(crate) fn replaces_leaving(&self, active: &Self) -> Duration {
        if self.pair.is_some() { HANDED_OVER } else { self.skew_time(active) }
    }

    /// The priority with all checks good but `failing`, and all links up (clamped as the standard's range demands).
    pub(crate) fn effective_priority(&self, failing: Option<&str>) -> Priority {
        if self.router.priority.is_address_owner() {
            return self.router.priority;
        }
        let links = self.router.track_links.iter().map(|tracked| (tracked.weight, true));
        let scripts =
            self.router.track_scripts.iter().map(|tracked| (tracked.weight, Some(&*tracked.script) != failing));
        let sum = links.chain(scripts).map(|(weight, good)| contribution(weight, good)).sum::<i32>();
        let priority = (i32::from(self.router.priority.get()) + sum).clamp(1, 254);
        Priority::new(u8::try_from(priority).expect("it was clamped"))
    }

    /// RFC 9568 §6.1 for this node as Backup, `active` being the Active one.
    pub(crate) fn down_interval(&self, active: &Self) -> Duration {
        let interval = active.router.advertisement_interval;
        self.router.active_down_interval(self.effective_priority(None), interval)
    }

    /// RFC 9568 §6.1 for this node as Backup, `active` being the Active one.
    pub(crate) fn skew_time(&self, active: &Self) -> Duration {
        skew_time(self.router.version, self.effective_priority(None), active.router.advertisement_interval)
    }

    /// Whether this node, coming back, takes over from one that has `priority`.
    pub(crate) fn takes_over_from(&self, priority: Priority) -> bool {
        let own = self.effective_priority(None);
        own.is_address_owner() || (self.router.preempt_mode && own > priority)
    }

    /// When and how the tracked check of this name counts.
    pub(crate) fn check(&self, script: &str) -> Option<(&ScriptConfig, Weight)> {
        let tracked = self.router.track_scripts.iter().find(|tracked| &*tracked.script == script)?;
        let checking = self.scripts.iter().find(|checking| &*checking.name == script)?;
        Some((checking, tracked.weight))
    }
}

fn contribution(weight: Weight, good: bool) -> i32 {
    let (value, good) = match weight {
        Weight::Fault | Weight::ReversedFault => return 0,
        Weight::Priority(value) => (i32::from(value), good),
        Weight::Reversed(value) => (i32::from(value), !good),
    };
    // A positive weight is earned while good, a negative one is a penalty while failing.
    if good == (value > 0) { value } else { 0 }
}

#[cfg(test)]
mod tests {
    use engine::When;

    use super::super::built_in;
    use super::*;

    /// The built-in pair: a has 150, b has 100, both track the check `web`, whose weight becomes `weight`.
    fn pair(weight: Weight) -> [Node; 2] {
        let daemon = || (Daemon::keepalived(), false);
        let [mut a, mut b] = built_in::pair([daemon(), daemon()], &[], false).nodes;
        for node in [&mut a, &mut b] {
            node.router.track_scripts[0].weight = weight;
        }
        [a, b]
    }

    fn check(weight: Weight, good: u8, failing: u8, b_takes_over: bool) {
        let [a, b] = pair(weight);
        assert_eq!(a.effective_priority(None).get(), good, "{weight:?}");
        assert_eq!(a.effective_priority(Some("web")).get(), failing, "{weight:?}");
        assert_eq!(b.takes_over_from(a.effective_priority(Some("web"))), b_takes_over, "{weight:?}");
    }

    #[test]
    fn weights_count_as_the_check_ends() {
        check(Weight::Priority(-5), 150, 145, false);
        check(Weight::Priority(-51), 150, 99, true);
        check(Weight::Priority(-253), 150, 1, true);
        // b has its 2 points, too, and still less.
        check(Weight::Priority(2), 152, 150, false);
        check(Weight::Priority(60), 210, 150, true);
        check(Weight::Fault, 150, 150, false);
    }

    #[test]
    fn an_equal_or_polite_node_does_not_take_over() {
        let [mut a, b] = pair(Weight::Fault);
        assert!(a.takes_over_from(Priority::new(149)) && !a.takes_over_from(Priority::new(150)));
        a.router.preempt_mode = false;
        assert!(!a.takes_over_from(b.effective_priority(None)));
    }

    #[test]
    fn a_hang_is_noticed_by_whoever_asks() {
        let check = |interval: u64, timeout: u64, fall: u32, expected: u64| {
            let millis = Duration::from_millis;
            let (interval, timeout) = (millis(interval), millis(timeout));
            let (name, when) = ("c".into(), When::Both);
            let checking = ScriptConfig { name, interval, timeout, rise: 1, fall, init_fail: false, when };
            assert_eq!(longest_until_noticed(&checking), millis(expected));
        };
        check(1000, 1000, 3, 4000);
        check(500, 500, 2, 1500);
        check(100, 300, 1, 400);
        // Every second question falls into the time of the one before.
        check(1000, 1500, 3, 6500);
        let daemon = || (Daemon::keepalived(), false);
        let [a, _] = built_in::pair([daemon(), daemon()], &[], true).nodes;
        assert_eq!(a.supervised().and_then(|service| service.hang_noticed), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn two_that_talk_need_not_wait() {
        let daemon = || (Daemon::keepalived(), false);
        let [a, b] = built_in::pair([daemon(), daemon()], &[], true).nodes;
        assert_eq!(b.replaces_dead(&a), Duration::from_millis(800));
        assert_eq!(b.replaces_leaving(&a), HANDED_OVER);
    }

    #[test]
    fn limits_are_those_of_the_standard() {
        let [a, b] = pair(Weight::Fault);
        // RFC 3768 §6.1: 3 × 1 s + 156/256 s, and 156/256 s alone.
        assert_eq!(b.down_interval(&a).as_micros(), 3_609_375);
        assert_eq!(b.skew_time(&a).as_micros(), 609_375);
    }
}
