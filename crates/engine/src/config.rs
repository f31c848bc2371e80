//! What an engine is told to be: every default resolved, nothing left to guess.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use crate::vrrp::timers;
use crate::{Family, HmacKey, Interval, Name, PairKey, Password, Priority, Route, Rule, Version, Vrid};

/// Everything that an engine needs to know at its start and at each reconfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Checks whose results change priorities or raise faults. Names are unique.
    pub scripts: Vec<ScriptConfig>,
    /// Files and processes whose figures do the same. Names of one kind are unique.
    pub trackers: Vec<TrackerConfig>,
    /// The virtual routers. Names are unique, and so is (link, VRID, family, transport's source or group).
    pub routers: Vec<RouterConfig>,
    /// Routers that are Active together or not at all. Names are unique; each router is in one group at most.
    pub groups: Vec<GroupConfig>,
    /// What runs where a router is Active. Names are unique; each belongs to one router or group at most.
    pub services: Vec<ServiceConfig>,
    /// The other Tanist, if there is one to hand over to in order.
    pub pair: Option<PairConfig>,
    /// What is there as long as the daemon runs, whoever is Active.
    pub statics: Statics,
    /// Interfaces whose changes must last before they count. All others' count at once.
    pub link_delays: BTreeMap<Name, LinkDelay>,
    /// Interfaces that share a pace of announcements. Each is in one of them at most.
    pub announce_groups: Vec<AnnounceGroup>,
}

/// Interfaces that share a pace of announcements, which takes the place of their routers' own: `garp_group` of keepalived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceGroup {
    /// The names of the interfaces.
    pub links: Vec<Name>,
    /// Time between two gratuitous ARPs on any of them; zero means no pacing.
    pub pacing: Duration,
    /// Time between two unsolicited neighbour advertisements on any of them; zero means no pacing.
    pub neighbour_pacing: Duration,
}

/// How long an interface must be what it has become before that counts: `interface_up_down_delays` of keepalived. That it
/// is gone, or back, counts at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkDelay {
    /// Down, before its routers are in fault.
    pub down: Duration,
    /// Up, before they are not.
    pub up: Duration,
}

/// What is there as long as the daemon runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statics {
    /// Addresses; each says its interface.
    pub addresses: Vec<Static<VirtualAddress>>,
    /// Routes.
    pub routes: Vec<Static<Arc<Route>>>,
    /// Policy rules.
    pub rules: Vec<Static<Arc<Rule>>>,
}

/// Something that is there as long as the daemon runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Static<T> {
    /// What.
    pub what: T,
    /// The group whose routers cannot do without it; see [`RouterConfig::track_groups`].
    pub group: Option<Name>,
}

/// When a check runs and how its results are weighed. What it runs is the daemon's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptConfig {
    /// The name under which routers refer to it.
    pub name: Name,
    /// From one start to the next.
    pub interval: Duration,
    /// A run that takes longer counts as failed and is ended.
    pub timeout: Duration,
    /// Good runs until a failed check is good again; at least 1. A bad run takes one good run back.
    pub rise: u32,
    /// Bad runs until a good check has failed; at least 1. A good run takes one bad run back.
    pub fall: u32,
    /// Treated as failed until `rise` runs were good; otherwise the first run decides.
    pub init_fail: bool,
    /// In which roles it runs. A service's checks run while the service does, and this is [`When::Both`].
    pub when: When,
}

/// In which roles a check runs. It counts for nothing while it rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Where one of the routers that track it is Active. A check that has failed there goes on until it is good again,
    /// whatever the role: else the role would come back to what has failed.
    Active,
    /// Where none of them is.
    Standby,
    /// Whatever the role.
    Both,
}

/// Of what kind a figure is. Names of one kind say nothing about names of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrackerKind {
    /// The number in a file; 0 if there is none.
    File,
    /// How many processes of a kind there are.
    Process,
}

/// By what a router refers to a figure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrackerName {
    /// Of what kind it is.
    pub kind: TrackerKind,
    /// Its name among those.
    pub name: Name,
}

/// A figure that is found out elsewhere, and what it means. How it is found out is the daemon's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerConfig {
    /// The name under which routers refer to it.
    pub name: Name,
    /// What is watched, in words. If they change, it is another thing, and what was known of it is forgotten.
    pub subject: Name,
    /// What its figure means.
    pub measure: Measure,
}

impl TrackerConfig {
    /// Of what kind it is.
    #[must_use]
    pub const fn kind(&self) -> TrackerKind {
        match self.measure {
            Measure::Number => TrackerKind::File,
            Measure::Count { .. } => TrackerKind::Process,
        }
    }

    /// By what routers refer to it.
    #[must_use]
    pub fn id(&self) -> TrackerName {
        TrackerName { kind: self.kind(), name: self.name.clone() }
    }
}

/// What a figure means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// It is multiplied with the weight: −254 and less is a fault, and 253 is the most that it can add. Without a weight
    /// ([`Weight::Fault`]) every number but 0 is a fault; with [`Weight::ReversedFault`] only 0 is.
    Number,
    /// So many are good, fewer or more are failing.
    Count {
        /// At least so many.
        least: u32,
        /// At most so many; `None` means any number.
        most: Option<u32>,
        /// A change by a fork counts after this long, if it has not been undone by then.
        fork_delay: Duration,
        /// A change by an end counts after this long, if it has not been undone by then.
        terminate_delay: Duration,
    },
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterConfig {
    /// The operator's name for it.
    pub name: Name,
    /// The interface that it runs on, or [`ANYWHERE`](Self::ANYWHERE).
    pub link: Name,
    /// Virtual Router Identifier.
    pub vrid: Vrid,
    /// Family of its addresses.
    pub family: Family,
    /// Protocol version that it sends and accepts.
    pub version: Version,
    /// Configured priority: 1–254, or 255 for the address owner.
    pub priority: Priority,
    /// Advertisement_Interval (RFC 9568 §6.1); whole seconds in version 2.
    pub advertisement_interval: Interval,
    /// Preempt_Mode (RFC 9568 §6.1): take over from a lower priority.
    pub preempt_mode: bool,
    /// Wait this long after the first advertisement of a lower priority before taking over from it.
    pub preempt_delay: Duration,
    /// How advertisements travel.
    pub transport: Transport,
    /// What every advertisement must carry.
    pub authentication: Authentication,
    /// The addresses that stand in the advertisement, in its order.
    pub addresses: Vec<VirtualAddress>,
    /// Addresses that move with the role but are not advertised; may be of the other family.
    pub excluded_addresses: Vec<VirtualAddress>,
    /// Routes that move with the role, in the order in which they are added.
    pub routes: Vec<Arc<Route>>,
    /// Policy rules that move with the role, in the order in which they are added.
    pub rules: Vec<Arc<Rule>>,
    /// Do not compare the address list of an advertisement from the router already known as Active.
    pub skip_check_adv_addr: bool,
    /// Where it does otherwise than it would by itself.
    pub deviations: Deviations,
    /// How neighbours learn where the addresses are.
    pub announce: AnnouncePolicy,
    /// Interfaces whose state counts; the router's own is added by the engine unless told otherwise.
    pub track_links: Vec<TrackedLink>,
    /// Do not fault when the router's own interface goes down.
    pub ignore_own_link: bool,
    /// Checks whose results count.
    pub track_scripts: Vec<TrackedScript>,
    /// Files and processes whose figures count.
    pub trackers: Vec<Tracked>,
    /// Groups of static addresses, routes and rules without which this router is of no use.
    pub track_groups: Vec<Name>,
    /// The services that run where this router, and all of its sync group, is Active; they stand in
    /// [`Config::services`].
    pub services: Vec<Name>,
}

impl RouterConfig {
    /// Stands for no interface in particular, as the [`link`](Self::link) of a router that speaks by unicast from a stated
    /// source that means the same on all of them. Whoever runs the engine tells it a state of it that is up with what the
    /// whole host has, and puts no address there: each has a link of its own.
    pub const ANYWHERE: &str = "";

    /// Whether it runs on no interface in particular.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        *self.link == *Self::ANYWHERE
    }

    /// Active_Down_Interval at this priority, with the Active router's interval (RFC 9568 §6.1).
    #[must_use]
    pub fn active_down_interval(&self, priority: Priority, active_adver_interval: Interval) -> Duration {
        let missed = self.deviations.missed_advertisements;
        timers::active_down_interval(missed, self.version, priority, active_adver_interval)
    }
}

/// A sync group: routers that are Active together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// The operator's name for it.
    pub name: Name,
    /// Its routers. The first one speaks for all of them towards services and the other Tanist.
    pub members: Vec<Name>,
}

/// How advertisements travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// To a multicast group on the router's interface.
    Multicast {
        /// 224.0.0.18 or ff02::12 unless configured.
        group: IpAddr,
        /// Source address; `None` means the interface's primary address, which over IPv6 is its link-local one
        /// (RFC 9568 §5.1.2.1).
        source: Option<IpAddr>,
    },
    /// To each peer in order.
    Unicast {
        /// Source address; `None` means the interface's primary address, which over IPv6 is link-local if the peers are.
        source: Option<IpAddr>,
        /// Where to send. Without any it is kept out by a fault.
        peers: Vec<IpAddr>,
        /// Time to live of what we send.
        ttl: u8,
    },
}

/// Where a router does otherwise than the standard says, or than we think best, because its operator wants it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviations {
    /// Advertisements that may be missed before the Active router is taken for dead: 3 in RFC 9568 §6.1; 1–100.
    pub missed_advertisements: u8,
    /// An Active router that was kept from advertising steps back when a Backup of this priority must have taken over.
    /// `None`: when one of its own priority must have, and an interval later.
    pub others_priority: Option<Priority>,
    /// Do not answer an advertisement of lower priority at once (RFC 9568 §6.4.3 does, RFC 3768 does not).
    pub silent_winner: bool,
    /// Do not send a last advertisement before yielding to a better router.
    pub silent_loser: bool,
    /// As the address owner, take no notice of others at all.
    pub owner_ignores_others: bool,
    /// Take unicast advertisements from peers only.
    pub only_from_peers: bool,
    /// Peers whose advertisements must have a time to live from the first to the last of these.
    pub peer_ttl: Vec<(IpAddr, u8, u8)>,
    /// What the checksum of version 3 over IPv4 covers in what we send, and which forms are taken.
    pub checksum: ChecksumPolicy,
}

impl Default for Deviations {
    fn default() -> Self {
        Self {
            missed_advertisements: 3,
            others_priority: None,
            silent_winner: false,
            silent_loser: false,
            owner_ignores_others: false,
            only_from_peers: false,
            peer_ttl: Vec::new(),
            checksum: ChecksumPolicy::Automatic,
        }
    }
}

/// What the checksum of version 3 over IPv4 covers; see [`ChecksumForm`](crate::vrrp::receive::ChecksumForm).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumPolicy {
    /// The pseudo-header and the message; by unicast the old form once a peer was heard that uses it.
    Automatic,
    /// The message alone.
    MessageOnly,
    /// By unicast the old form, whatever peers use.
    OldUnicast,
    /// The pseudo-header and the message; the old form is wrong.
    NeverOldUnicast,
}

/// By what an advertisement shows that it comes from one of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing: what RFC 9568 and RFC 3768 want.
    None,
    /// Eight octets in clear (RFC 2338 §5.3.6, version 2 only): protects against mistakes, not against anybody.
    SimplePassword(Password),
    /// An authentication header before the advertisement, made with eight octets that both know (RFC 2338 §5.3.6,
    /// RFC 2402 with HMAC-MD5-96). Version 2 over IPv4 only.
    Header(Password),
    /// A trailer with a keyed hash and a sequence, which keepalived has since 2.4.2: any version, any family.
    Hmac(Box<HmacPolicy>),
}

/// How advertisements are sealed, and which are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacPolicy {
    /// The keys that we believe in, by their numbers 1–255.
    pub keys: BTreeMap<u8, HmacKey>,
    /// The number of the key that we seal with; one of `keys`.
    pub active_key: u8,
    /// What becomes of advertisements without a seal.
    pub mode: HmacMode,
    /// How what was heard before is told from what is new.
    pub anti_replay: AntiReplay,
}

/// What becomes of advertisements without a seal: three steps from a group that has none to one that insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacMode {
    /// They are discarded.
    Enforce,
    /// They are accepted.
    Permissive,
    /// They are accepted, and we send no others.
    ReceiveOnly,
}

/// How what was heard before is told from what is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AntiReplay {
    /// By the calendar, which must be right on all nodes.
    Time {
        /// So many seconds may a sender's calendar and ours differ; 1–300.
        window: u16,
    },
    /// Each one must be newer than the ones before of the same sender.
    Monotonic,
}

/// An address that moves with the role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VirtualAddress {
    /// The address.
    pub address: IpAddr,
    /// Prefix length, 0–32 or 0–128.
    pub prefix: u8,
    /// Where to put it; `None` means the router's interface.
    pub link: Option<Name>,
    /// How far it is valid.
    pub scope: Scope,
    /// IPv4 label, at most 15 octets.
    pub label: Option<Name>,
    /// IPv4 broadcast address.
    pub broadcast: Option<IpAddr>,
    /// The other end, where the link has only two.
    pub peer: Option<IpAddr>,
    /// It is preferred as a source for so many seconds (IPv6 only); `None` means as long as it is there.
    pub preferred: Option<u32>,
    /// What else the kernel is told about it.
    pub flags: AddressFlags,
    /// Somebody's removing it is noticed, and its interface counts.
    pub tracked: bool,
}

impl VirtualAddress {
    /// An address about which nothing else is said.
    #[must_use]
    pub const fn new(address: IpAddr, prefix: u8) -> Self {
        Self {
            address,
            prefix,
            link: None,
            scope: Scope::Global,
            label: None,
            broadcast: None,
            peer: None,
            preferred: None,
            flags: AddressFlags::NONE,
            tracked: true,
        }
    }
}

/// As the configuration would say it.
impl fmt::Display for VirtualAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, prefix, link, scope, label, broadcast, peer, preferred, flags, tracked } = self;
        match peer {
            Some(peer) => write!(f, "{address} peer {peer}")?,
            None => write!(f, "{address}/{prefix}")?,
        }
        if let Some(broadcast) = broadcast {
            write!(f, " brd {broadcast}")?;
        }
        if let Some(link) = link {
            write!(f, " dev {link}")?;
        }
        if *scope != Scope::Global {
            write!(f, " scope {scope}")?;
        }
        if let Some(label) = label {
            write!(f, " label {label}")?;
        }
        // Without a word about it, a single IPv6 address is no source for anybody.
        match (address.is_ipv6() && *prefix == 128, preferred) {
            (true, Some(0)) | (false, None) => {}
            (true, None) => f.write_str(" preferred_lft forever")?,
            (_, Some(seconds)) => write!(f, " preferred_lft {seconds}")?,
        }
        for (is_set, word) in [
            (flags.duplicate_detection, " -nodad"),
            (flags.home, " home"),
            (flags.temporary_template, " mngtmpaddr"),
            (flags.no_prefix_route, " noprefixroute"),
            (flags.join_group, " autojoin"),
            (!tracked, " no_track"),
        ] {
            f.write_str(if is_set { word } else { "" })?;
        }
        Ok(())
    }
}

/// What else the kernel is told about an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressFlags {
    /// Look for duplicates before it is used (IPv6 only).
    pub duplicate_detection: bool,
    /// A home address of Mobile IPv6.
    pub home: bool,
    /// The kernel derives temporary addresses from it (IPv6 only).
    pub temporary_template: bool,
    /// The kernel makes no route to its network.
    pub no_prefix_route: bool,
    /// The kernel joins it, a multicast group.
    pub join_group: bool,
}

impl AddressFlags {
    /// Nothing.
    pub const NONE: Self = Self {
        duplicate_detection: false,
        home: false,
        temporary_template: false,
        no_prefix_route: false,
        join_group: false,
    };
}

/// Scope of an address as `ip address` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere (0).
    Global,
    /// Site (200).
    Site,
    /// This link only (253).
    Link,
    /// This host only (254).
    Host,
    /// A number from the operator's `rt_scopes`.
    Other(u8),
}

impl Scope {
    /// The number that the kernel uses.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Global => 0,
            Self::Site => 200,
            Self::Link => 253,
            Self::Host => 254,
            Self::Other(number) => number,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Site => f.write_str("site"),
            Self::Link => f.write_str("link"),
            Self::Host => f.write_str("host"),
            Self::Other(number) => write!(f, "{number}"),
        }
    }
}

/// How neighbours learn where the addresses are: gratuitous ARP (RFC 9568 §8.1.2), unsolicited neighbour advertisements
/// (RFC 9568 §8.2.2), and their repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncePolicy {
    /// Announcements of each address at once when becoming Active.
    pub repeat: u32,
    /// A second burst after this long; zero means none.
    pub delay: Duration,
    /// Announce again and again at this interval while Active; `None` means never.
    pub refresh: Option<Duration>,
    /// Announcements of each address at each refresh.
    pub refresh_repeat: u32,
    /// Announcements of each address after an advertisement of lower priority was heard.
    pub lower_priority_repeat: u32,
    /// And once more after this long; zero means none.
    pub lower_priority_delay: Duration,
    /// Announce again and again what lies beside the way of the advertisements; `None` means never.
    pub elsewhere: Option<AnnounceElsewhere>,
    /// Time between two gratuitous ARPs on one interface; zero means no pacing.
    pub pacing: Duration,
    /// Time between two unsolicited neighbour advertisements on one interface; zero means no pacing.
    pub neighbour_pacing: Duration,
}

/// Switches learn from every advertisement where a MAC address is; what has another one is forgotten if it keeps silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceElsewhere {
    /// How often, while Active.
    pub every: Duration,
    /// On which interfaces.
    pub links: BTreeSet<Name>,
}

impl Default for AnnouncePolicy {
    /// Five at once, five more after five seconds.
    fn default() -> Self {
        Self {
            repeat: 5,
            delay: Duration::from_secs(5),
            refresh: None,
            refresh_repeat: 1,
            lower_priority_repeat: 5,
            lower_priority_delay: Duration::from_secs(5),
            elsewhere: None,
            pacing: Duration::ZERO,
            neighbour_pacing: Duration::ZERO,
        }
    }
}

/// What a tracked thing does to the priority of its router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Failing is a fault.
    Fault,
    /// Positive: added while good. Negative: subtracted while failing. Never zero; −253…253, for files and processes
    /// −254…254.
    Priority(i16),
    /// As `Priority`, with adding and subtracting exchanged. Positive: subtracted while good. Negative: added while
    /// failing.
    Reversed(i16),
    /// As `Fault`, with good and failing exchanged.
    ReversedFault,
}

impl Weight {
    /// What it does to the priority while the tracked thing is good or failing; `None` is a fault.
    #[must_use]
    pub const fn worth(self, good: bool) -> Option<i16> {
        match self {
            Self::Fault => {
                if good {
                    Some(0)
                } else {
                    None
                }
            }
            Self::ReversedFault => {
                if good {
                    None
                } else {
                    Some(0)
                }
            }
            Self::Priority(weight) => Some(if (weight > 0) == good { weight } else { 0 }),
            Self::Reversed(weight) => Some(if (weight > 0) == good { -weight } else { 0 }),
        }
    }

    /// Whether it means faults rather than priority.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Fault | Self::ReversedFault)
    }
}

/// An interface whose state counts for a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedLink {
    /// Name of the interface; it need not exist.
    pub link: Name,
    /// What its being down does.
    pub weight: Weight,
}

/// A check whose result counts for a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedScript {
    /// Name of the check; it stands in [`Config::scripts`].
    pub script: Name,
    /// What its failing does.
    pub weight: Weight,
}

/// A file or processes whose figure counts for a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// Which; it stands in [`Config::trackers`].
    pub tracker: TrackerName,
    /// What its figure does.
    pub weight: Weight,
}

/// A service: what runs on the Active node and on no other. What starts and stops it is the daemon's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// The operator's name for it.
    pub name: Name,
    /// Checks that run while the service does; one that has failed is a failure of the service. Their names are
    /// unique among all checks, [`Config::scripts`] included.
    pub checks: Vec<ScriptConfig>,
    /// After a start, failing checks do not count until every check was good once or this long has passed. One whose runs are
    /// good by then has until its rise.
    pub start_grace: Duration,
    /// A service that has not come up by then has failed.
    pub start_timeout: Duration,
    /// A service that has not gone by then is killed.
    pub stop_timeout: Duration,
    /// How often it is started again here before the role moves; a limit of 0 moves at once.
    pub restart: Budget,
    /// How often the role may move because the service failed before it is latched.
    pub max_moves: Budget,
    /// What an operator's stopping it by hand means.
    pub on_manual_stop: OnManualStop,
    /// Whether the role goes back to the better node by itself.
    pub failback: Failback,
    /// From one assessment of whether it could start here to the next, while it does not run.
    pub readiness_interval: Duration,
    /// Good assessments until a node that could not start it, or has failed at it, is a ready standby; at least 1.
    pub readiness_rise: u32,
    /// What runs again and again while it is active, by these intervals.
    pub while_active: Vec<Duration>,
}

/// So many within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many; 0 means none.
    pub limit: u32,
    /// Within any span of this length.
    pub within: Duration,
}

/// What an operator's stopping the service by hand means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnManualStop {
    /// The role moves, and this node stands back until it is released or the service is started by hand.
    Failover,
    /// It is started again, as after a failure but at nobody's expense.
    Restart,
    /// Maintenance begins: nothing happens by itself until it ends.
    Maintenance,
}

/// Whether the role goes back to the better node by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failback {
    /// As soon as that node is a ready standby, in order.
    Auto,
    /// When an operator says so; until then the pair counts as degraded.
    Manual,
    /// The roles stay as they are.
    Never,
}

/// The other Tanist and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairConfig {
    /// How this node is called in front of operators.
    pub node: Name,
    /// How many ways lead to the peer; each [`Output::SendBaton`](crate::Output::SendBaton) names one by its index.
    pub paths: u32,
    /// What both nodes know and nobody else.
    pub key: PairKey,
    /// From one message to the next, if nothing changes.
    pub heartbeat: Duration,
    /// Silence on all paths and in VRRP after which the peer is taken for dead; several times `heartbeat`.
    pub dead_after: Duration,
    /// What both nodes should be told alike about their routers and services.
    pub terms: Vec<Terms>,
}

/// What both nodes should be told alike about one thing. A difference is told and shown, and hinders nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The router,
    pub router: Name,
    /// or the service of it.
    pub service: Option<Name>,
    /// A number for each setting, by a list that only the daemon knows; equal settings have equal numbers. Later versions
    /// may add some at the end.
    pub values: Vec<u32>,
}
