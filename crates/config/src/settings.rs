//! What a configuration means, with every default resolved: the last stage before the engine's `Config`.
//!
//! The engine gets the part it decides by; commands, users and mail stay here for the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::process::Process;

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What concerns the whole daemon.
    pub global: Global,
    /// What concerns its process.
    pub process: Process,
    /// Checks that at least one instance refers to, in the order of the file.
    pub scripts: Vec<Script>,
    /// Files and processes that at least one instance refers to, in the order of the file.
    pub trackers: Vec<Tracker>,
    /// Virtual routers in the order of the file.
    pub instances: Vec<Instance>,
    /// Sync groups that have instances, in the order of the file.
    pub groups: Vec<SyncGroup>,
    /// Services that an instance or a group mentions, in the order of the file.
    pub services: Vec<Service>,
    /// The other Tanist.
    pub pair: Option<Pair>,
    /// Interfaces that are made for the instances, with MAC addresses of their own, in the order of the file.
    pub virtual_links: Vec<VirtualLink>,
    /// What is there as long as the daemon runs: `static_ipaddress`, `static_routes`, `static_rules`.
    pub statics: engine::Statics,
    /// `interface_up_down_delays`: how long an interface's change must last before it counts.
    pub link_delays: BTreeMap<engine::Name, engine::LinkDelay>,
    /// Interfaces whose links are polled.
    pub link_beats: LinkBeats,
    /// `garp_group`: interfaces that share a pace of announcements.
    pub announce_groups: Vec<engine::AnnounceGroup>,
    /// Every file that was read, the first one first.
    pub files: Vec<PathBuf>,
}

impl Settings {
    /// The part that the engine decides by.
    #[must_use]
    pub fn engine_config(&self) -> engine::Config {
        engine::Config {
            scripts: self.scripts.iter().map(|script| script.checking.clone()).collect(),
            trackers: self.trackers.iter().map(|tracker| tracker.figure.clone()).collect(),
            routers: self.instances.iter().map(|instance| instance.router.clone()).collect(),
            groups: self.groups.iter().map(|group| group.group.clone()).collect(),
            services: self.services.iter().map(|service| service.service.clone()).collect(),
            // Its key is a secret in a file of its own, which whoever runs the engine reads.
            pair: None,
            statics: self.statics.clone(),
            link_delays: self.link_delays.clone(),
            announce_groups: self.announce_groups.clone(),
        }
    }

    /// The VRFs that instances are in as a whole (`vrf`).
    #[must_use]
    pub fn vrfs(&self) -> BTreeSet<engine::Name> {
        let inside = self.instances.iter().filter(|instance| instance.in_vrf);
        inside.map(|instance| instance.router.link.clone()).collect()
    }

    /// The sync group that an instance is in.
    pub fn group_of(&self, router: &engine::RouterConfig) -> Option<&SyncGroup> {
        self.groups.iter().find(|group| group.group.members.contains(&router.name))
    }

    /// For how many seconds an address of this router stays in the kernel when nobody renews it; `None` means for ever.
    #[must_use]
    pub fn address_lifetime(&self, router: &engine::RouterConfig) -> Option<u32> {
        // Of whole seconds and a kernel that looks once a second, less could be gone before it is renewed.
        const SHORTEST: u64 = 3;
        const MARGIN: Duration = Duration::from_secs(1);
        // Where there are so many addresses that renewing each three times in its life would cost more than this many
        // renewals a second, they live longer.
        const RENEWALS: usize = 3;
        const RENEWALS_PER_SECOND: usize = 256;
        match self.global.address_lifetime {
            AddressLifetime::Unlimited => None,
            AddressLifetime::Seconds(seconds) => Some(seconds),
            AddressLifetime::Derived => {
                let others = router.active_down_interval(router.priority, router.advertisement_interval);
                let needed = (others + MARGIN).as_millis().div_ceil(1000);
                let routers = self.instances.iter().map(|instance| &instance.router);
                let count: usize = routers.map(|router| router.addresses.len() + router.excluded_addresses.len()).sum();
                let affordable = count.saturating_mul(RENEWALS).div_ceil(RENEWALS_PER_SECOND);
                let seconds = u64::try_from(needed).unwrap_or(u64::MAX).max(SHORTEST).max(affordable as u64);
                Some(u32::try_from(seconds).unwrap_or(u32::MAX))
            }
        }
    }
}

/// What concerns the whole daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Global {
    /// `router_id`; `None` means the host name.
    pub router_id: Option<String>,
    /// `script_user`: who runs scripts that name no user of their own; `None` means `keepalived_script` if
    /// that user exists, otherwise root.
    pub script_user: Option<ScriptUser>,
    /// `enable_script_security`: refuse to run as root what others could have changed.
    pub enable_script_security: bool,
    /// Where mail goes, if somebody asks for it.
    pub mail: Mail,
    /// `notify_fifo`.
    pub notify_fifo: Option<NotifyFifo>,
    /// `vrrp_notify_fifo`; never with the path of the other.
    pub vrrp_notify_fifo: Option<NotifyFifo>,
    /// `fifo_write_vrrp_states_on_reload`: after a reload the FIFOs are told all states.
    pub states_on_reload: bool,
    /// `startup_script`: runs before everything else.
    pub startup: Option<TimedScript>,
    /// `shutdown_script`: runs after everything else.
    pub shutdown: Option<TimedScript>,
    /// `nftables`: what the tables of the packet filter are called; `None` is the usual name.
    pub nftables_table: Option<String>,
    /// `nftables_priority`: of their chains; `None` is the usual one, -1.
    pub nftables_priority: Option<i32>,
    /// `disable_local_igmp`: the kernel is to report no membership of link-local groups.
    pub disable_local_igmp: bool,
    /// `address_lifetime`: how long a virtual address outlives a daemon that no longer renews it.
    pub address_lifetime: AddressLifetime,
}

/// How long a virtual address outlives a daemon that no longer renews it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressLifetime {
    /// A second more than the others wait before they take over, in whole seconds.
    #[default]
    Derived,
    /// So many seconds, at least 2.
    Seconds(u32),
    /// For ever, as with keepalived.
    Unlimited,
}

/// The mail settings of `global_defs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// `notification_email`.
    pub recipients: Vec<String>,
    /// `notification_email_from`; `None` means the daemon's user at this host.
    pub sender: Option<String>,
    /// `smtp_server`: host and port; `None` means that no mail is sent.
    pub server: Option<(String, u16)>,
    /// `smtp_connect_timeout` in seconds; `None` means 30.
    pub connect_timeout: Option<u32>,
    /// `smtp_helo_name`; `None` means the host name.
    pub helo_name: Option<String>,
    /// `no_email_faults`: no mail about FAULT.
    pub no_faults: bool,
    /// `smtp_tls`.
    pub tls: MailTls,
    /// `smtp_ca_file`: who vouches for the server; `None` means whom this system trusts.
    pub authorities: Option<PathBuf>,
    /// `smtp_user`; only with TLS.
    pub login: Option<MailLogin>,
}

/// Whether mail goes through TLS. Where it shall, it never goes without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailTls {
    /// It does not.
    #[default]
    Off,
    /// From STARTTLS on (RFC 3207).
    StartTls,
    /// From the first octet on (RFC 8314 §3).
    Implicit,
}

/// Who logs in to the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLogin {
    /// `smtp_user`.
    pub user: String,
    /// `smtp_password_file`.
    pub password_file: PathBuf,
}

/// A named pipe that gets a line for each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyFifo {
    /// A full path.
    pub path: PathBuf,
    /// Whose it is, if it has to be made; `None` means as [`Global::script_user`] says.
    pub owner: Option<ScriptUser>,
    /// Who reads it; the path is its last argument.
    pub script: Option<NotifyScript>,
}

/// A script that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedScript {
    /// What runs.
    pub script: NotifyScript,
    /// How long it may.
    pub timeout: Duration,
}

/// A `track_file` or a `vrrp_track_process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// Its name and what its figure means.
    pub figure: engine::TrackerConfig,
    /// Where the figure comes from.
    pub source: FigureSource,
    /// What it does to those who refer to it without a weight of their own.
    pub weight: engine::Weight,
}

/// Where a figure comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FigureSource {
    /// The number in a file.
    File {
        /// The file.
        path: PathBuf,
        /// What is written there at the start.
        initial: Option<InitialNumber>,
    },
    /// How many processes there are.
    Processes(ProcessPattern),
}

/// `init_file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialNumber {
    /// The number.
    pub number: i64,
    /// Also if the file is there.
    pub overwrite: bool,
}

/// Which processes are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessPattern {
    /// The command and its arguments.
    pub words: Vec<String>,
    /// What of a process must be like them.
    pub by: MatchBy,
}

/// As it is told to people; another pattern reads otherwise.
impl fmt::Display for ProcessPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.words.iter().enumerate() {
            let blank = if place == 0 { "" } else { " " };
            // Quoted where it would be read as several words, or as none.
            if word.is_empty() || word.contains(|character: char| character.is_whitespace() || character == '"') {
                write!(f, "{blank}{word:?}")?;
            } else {
                write!(f, "{blank}{word}")?;
            }
        }
        f.write_str(match self.by {
            MatchBy::Name => "",
            MatchBy::Program => " (by its command)",
            MatchBy::AllWords => " (by its whole command line)",
            MatchBy::FirstWords => " … (by its first words)",
            MatchBy::Beginning => "… (by the beginning of its command line)",
        })
    }
}

/// What of a process must be like the words of its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// The kernel's name of it.
    Name,
    /// The first word of its command line.
    Program,
    /// All words of its command line.
    AllWords,
    /// Its command line begins with these words.
    FirstWords,
    /// Its command line begins so, and the last of these words may be longer there.
    Beginning,
}

/// A `vrrp_script`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// When it runs and how its results are weighed.
    pub checking: engine::ScriptConfig,
    /// What it runs.
    pub command: Command,
    /// Who runs it; `None` means as [`Global::script_user`] says.
    pub user: Option<ScriptUser>,
    /// What it does to those who refer to it without a weight of their own.
    pub weight: engine::Weight,
}

/// The user (and group) that a script runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptUser {
    /// Name or number.
    pub user: String,
    /// Name or number; `None` means the user's own group.
    pub group: Option<String>,
}

/// What a check or a notification runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments; never empty.
    Program(Vec<String>),
    /// A line for `sh -c`, because it contains what only a shell understands.
    Shell(String),
    /// No program: good if this file can be opened for reading (`script "</path"`).
    ReadFile(PathBuf),
}

/// A script that is told about a change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyScript {
    /// What it runs.
    pub command: Command,
    /// Who runs it; `None` means as [`Global::script_user`] says.
    pub user: Option<ScriptUser>,
}

/// A file with a key of `auth_hmac`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The number of the key, 1–255.
    pub number: u8,
    /// A full path.
    pub path: PathBuf,
}

/// A `vrrp_instance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The virtual router as the engine sees it.
    pub router: engine::RouterConfig,
    /// What `state` said, if it was there. It does not decide the role; see the manual.
    pub stated: Option<StatedRole>,
    /// `vrrp_strict` or `strict_mode`: it holds strictly to the standard.
    pub strict: bool,
    /// Accept_Mode (RFC 9568 §6.1): packets to the addresses are let through. Always so at an address owner.
    pub accept_mode: bool,
    /// `kernel_rx_buf_size`: how much the socket that hears its advertisements may queue for it, in octets.
    pub receive_buffer: Option<u32>,
    /// `promote_secondaries`: the kernel keeps the other addresses of a subnet when its first one goes.
    pub promote_secondaries: bool,
    /// `vrf`: its interface is a VRF, and its unicast stays inside.
    pub in_vrf: bool,
    /// `linkbeat_use_polling`: the link of its interface is polled.
    pub polls_link: bool,
    /// The interface that was made for it, if it has a MAC address of its own.
    pub virtual_mac: Option<VirtualMac>,
    /// The interface that was made for it, if it has the MAC address of the one below (`use_ipvlan`).
    pub ipvlan: Option<engine::Name>,
    /// Who is told about changes of state.
    pub notify: Notify,
    /// `smtp_alert`: changes of state are mailed.
    pub mails: bool,
    /// `notify_priority_changes`: the FIFOs are told about changes of the effective priority.
    pub tells_priority: bool,
    /// Keys of `auth_hmac` that are in files of their own; whoever runs the engine puts them into the router's policy.
    pub key_files: Vec<KeyFile>,
}

impl Instance {
    /// The interface that we make for it, if there is one: with a virtual MAC address, or an ipvlan.
    #[must_use]
    pub fn own_link(&self) -> Option<&engine::Name> {
        self.virtual_mac.as_ref().map(|virtual_mac| &virtual_mac.link).or(self.ipvlan.as_ref())
    }
}

/// `use_vmac`: the instance's addresses are on an interface with the virtual router's MAC address (RFC 9568 §7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualMac {
    /// Which of [`Settings::virtual_links`], by its name.
    pub link: engine::Name,
    /// Advertisements leave by it; otherwise (`vmac_xmit_base`) by the interface below.
    pub speaks: bool,
}

/// An interface that is made on top of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualLink {
    /// What it is called here and in the engine. No other interface of the configuration has this name.
    pub name: engine::Name,
    /// The operator said so. Otherwise it may have another name on this machine, if somebody else has this one.
    pub named: bool,
    /// What the names begin with that nobody chose.
    pub prefix: String,
    /// What they end with.
    pub vrid: engine::Vrid,
    /// The interface that it stands on.
    pub base: engine::Name,
    /// What it is.
    pub kind: VirtualKind,
    /// What addresses are on it.
    pub family: engine::Family,
    /// Its group of interfaces; `None` means that of the interface below.
    pub group: Option<u32>,
    /// Once it is there, the kernel is asked to tell everybody of the interface below (`netlink_notify_msg`).
    pub retells_base: bool,
    /// It is no better than the interface below. An instance minds its own interface by itself.
    pub needs_base: bool,
}

/// What is made on top of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VirtualKind {
    /// An interface with a MAC address of its own.
    Macvlan {
        /// No other one on the same interface has it.
        mac: [u8; 6],
    },
    /// `use_ipvlan`: one with the MAC address of the one below.
    Ipvlan(Ipvlan),
}

/// An interface with addresses of its own and the MAC address of the one below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipvlan {
    /// How it treats others of its kind on the same interface.
    pub mode: IpvlanMode,
    /// The address that it always has, with the length of its prefix.
    pub address: Option<(IpAddr, u8)>,
}

/// How those on one interface reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpvlanMode {
    /// Directly.
    Bridge,
    /// Not at all.
    Private,
    /// Through the switch.
    Vepa,
}

impl VirtualLink {
    /// Its MAC address, if it has one of its own.
    pub const fn mac(&self) -> Option<[u8; 6]> {
        match self.kind {
            VirtualKind::Macvlan { mac } => Some(mac),
            VirtualKind::Ipvlan(_) => None,
        }
    }

    /// The names that it may have on this machine, the best first. They never end.
    pub fn names(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.name.to_string()).chain(names(&self.prefix, self.vrid))
    }
}

/// `vrrp.51`, `vrrp1.51`, `vrrp2.51`, …
pub(crate) fn names(prefix: &str, vrid: engine::Vrid) -> impl Iterator<Item = String> {
    let numbered = (1_u32..).map(move |number| format!("{prefix}{number}.{vrid}"));
    std::iter::once(format!("{prefix}.{vrid}")).chain(numbered)
}

/// Interfaces that are asked for their links, instead of hearing of them from the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkBeats {
    /// `linkbeat_use_polling`: all interfaces that an instance minds.
    pub everywhere: bool,
    /// `linkbeat_interfaces`, each with the way that it is asked first, if somebody has said so.
    pub links: BTreeMap<engine::Name, Option<BeatMethod>>,
}

/// How an interface is asked for its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeatMethod {
    /// By the register of its transceiver.
    Mii,
    /// By its driver.
    Ethtool,
    /// By the flags that the kernel has of it.
    Ioctl,
}

/// A `vrrp_sync_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncGroup {
    /// The group as the engine sees it. What it tracks stands with each of its members, its services with the first.
    pub group: engine::GroupConfig,
    /// Who is told about changes of state. `deleted` and `active_heard_lower_priority` are never there.
    pub notify: Notify,
    /// `smtp_alert`: changes of the group's state are mailed.
    pub mails: bool,
}

/// The operator's wish for the initial role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedRole {
    /// `state MASTER`.
    Active,
    /// `state BACKUP`.
    Backup,
}

/// The notify scripts of an instance or a sync group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// `notify_master`.
    pub active: Option<NotifyScript>,
    /// `notify_backup`.
    pub backup: Option<NotifyScript>,
    /// `notify_fault`.
    pub fault: Option<NotifyScript>,
    /// `notify_stop`.
    pub stop: Option<NotifyScript>,
    /// `notify_deleted`, with or without a script: a deleted instance is told as DELETED; otherwise as FAULT.
    pub tells_deletion: bool,
    /// The script of `notify_deleted`.
    pub deleted: Option<NotifyScript>,
    /// `notify_master_rx_lower_pri`.
    pub active_heard_lower_priority: Option<NotifyScript>,
    /// `notify`: told of every change, with four more arguments.
    pub any: Option<NotifyScript>,
}

/// A `service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What the engine decides by. Its `checks` stand in the order of [`Service::checks`].
    pub service: engine::ServiceConfig,
    /// What runs.
    pub manager: Manager,
    /// How each check looks.
    pub checks: Vec<ServiceCheck>,
    /// `could_start`: the operator's own judgement of whether it could be started here (exit status 0).
    pub could_start: Option<NotifyScript>,
    /// `on_role`: told of each change of role.
    pub on_role: Option<NotifyScript>,
    /// `post_takeover`: run once when the service has come up after a take-over.
    pub post_takeover: Option<NotifyScript>,
    /// `while_active`: what runs at each of the engine's intervals, in their order.
    pub while_active: Vec<NotifyScript>,
    /// `down_file`: while it is there, this node stands back.
    pub down_file: Option<PathBuf>,
    /// `needs_port`, or else the ports of its checks.
    pub needs_ports: Vec<NeededPort>,
    /// `needs_disk`.
    pub needs_disks: Vec<NeededSpace>,
    /// Scripts of checks with `when standby` or `both`: asked where it does not run, as `could_start` is.
    pub standby_checks: Vec<NotifyScript>,
    /// `may_differ`: that the other node is told something else about it is not remarked.
    pub may_differ: bool,
}

/// A port that nobody else may listen on where a service is to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeededPort {
    /// `None` means any address of this node.
    pub address: Option<IpAddr>,
    /// Of TCP.
    pub port: u16,
    /// Not said by the operator but by a check: if that asks another machine, it says nothing about this one.
    pub by_check: bool,
}

/// A size as an operator writes it: `500M`.
#[must_use]
pub fn size_words(octets: u64) -> String {
    let powers = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
    let exact = powers.into_iter().find(|(_, power)| octets.is_multiple_of(1 << power));
    exact.map_or_else(|| format!("{octets} octets"), |(unit, power)| format!("{}{unit}", octets >> power))
}

/// Room on a disk that a service needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededSpace {
    /// Something on that disk.
    pub path: PathBuf,
    /// How much.
    pub octets: u64,
}

impl Service {
    /// Every program of the operator's that belongs to it, whoever asks for it.
    pub fn programs(&self) -> impl Iterator<Item = &NotifyScript> {
        let manager = match &self.manager {
            Manager::Systemd { .. } | Manager::Docker { .. } => Vec::new(),
            Manager::Command { script } => vec![script],
            Manager::Scripts { start, stop, status } => vec![start, stop, status],
        };
        let checks = self.checks.iter().filter_map(|check| match check {
            ServiceCheck::Script(script) => Some(script),
            ServiceCheck::Http { .. }
            | ServiceCheck::Tcp { .. }
            | ServiceCheck::Process { .. }
            | ServiceCheck::File { .. }
            | ServiceCheck::Notify => None,
        });
        let hooks = [&self.could_start, &self.on_role, &self.post_takeover].into_iter().flatten();
        manager.into_iter().chain(checks).chain(&self.standby_checks).chain(hooks).chain(&self.while_active)
    }
}

/// Who starts, watches and stops a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    /// `systemd UNIT`.
    Systemd {
        /// With its suffix, `.service` if none was given.
        unit: String,
    },
    /// `docker NAME`.
    Docker {
        /// Name or id of the container.
        container: String,
    },
    /// `command "…"`: a child of ours, which stays in the foreground.
    Command {
        /// What it runs and as whom.
        script: NotifyScript,
    },
    /// `start "…" stop "…" status "…"`: three programs of the operator's.
    Scripts {
        /// Exit status 0: it has been started.
        start: NotifyScript,
        /// Exit status 0: it is gone.
        stop: NotifyScript,
        /// Exit status 0: it runs; 3 (as init scripts say) or any other: it does not.
        status: NotifyScript,
    },
}

/// How a check of a service looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceCheck {
    /// `check http URL`: a GET is answered with one of these statuses.
    Http {
        /// Where to connect.
        address: SocketAddr,
        /// What the `Host` header says.
        host: String,
        /// Path and query.
        path: String,
        /// Good answers; 200–399 unless told otherwise.
        statuses: RangeInclusive<u16>,
    },
    /// `check tcp ADDRESS:PORT`: a connection is accepted.
    Tcp {
        /// Where to connect.
        address: SocketAddr,
    },
    /// `check process NAME`: a process of this name runs, as `killall -0` would find it.
    Process {
        /// Its name.
        name: String,
    },
    /// `check file PATH`: it exists and, with `max_age`, was changed within that time.
    File {
        /// Which.
        path: PathBuf,
        /// How old it may be.
        max_age: Option<Duration>,
    },
    /// `check notify`: the service has said `WATCHDOG=1` to the socket in its `NOTIFY_SOCKET` within the timeout.
    Notify,
    /// `check script "…"`.
    Script(NotifyScript),
}

/// The `pair` block: the other Tanist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// How this node is called; `None` means `router_id`, or the host name.
    pub node: Option<String>,
    /// The ways to the peer; at least one.
    pub paths: Vec<PairPath>,
    /// UDP port on both sides.
    pub port: u16,
    /// The file with the key; `tanist pair` makes it.
    pub key_file: PathBuf,
    /// From one message to the next.
    pub heartbeat: Duration,
    /// Silence after which the peer is taken for dead.
    pub dead_after: Duration,
}

/// One way to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairPath {
    /// Where we send from; `None` lets the kernel choose.
    pub source: Option<IpAddr>,
    /// The peer's address.
    pub peer: IpAddr,
}
