//! Nodes in a lab, one role between them, and everybody who looks on: what faults are done to.

use std::fmt;
use std::io::Read;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use linux::netns::Namespace;
use linux::signals::Signal;
use rehearse::lab::{Daemon, HOST_DIR, Host, HostPlan, Lab, Moment, Program, Seen};

use crate::audit::{Edge, Word};
use crate::failure::{Failure, Result};
use crate::footprint::Footprint;
use crate::holders::{Holder, Sightings};
use crate::log_pipe::{self, LogPipe};
use crate::pace::Pace;
use crate::promise::Held;
use crate::work::{self, Work};

/// What moves between the nodes.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
/// With the size of its network.
pub(crate) const ADDRESS_ON_LINK: &str = "192.0.2.100/24";
pub(crate) const INTERFACE: &str = "eth0";
/// Where the two nodes of a pair with a service can speak, too.
pub(crate) const SECOND_INTERFACE: &str = "eth1";
/// In [`HOST_DIR`]: by how many seconds a clock that can be set is off.
pub(crate) const CLOCK: &str = "clock";
/// In [`HOST_DIR`]: when a daemon whose clock can be set is to reload.
pub(crate) const RELOAD_TIME: &str = "reload-time";
pub(crate) const VRID: u8 = 51;
/// Room for the kernel's events in octets: some hundred of them, so that a flood can overrun it in a moment.
const MONITOR_BUFFER: u32 = 131_072;
/// A stubborn check sleeps for so many seconds: nobody else on the host does, so its children are known by that.
pub(crate) const STUBBORN: &str = "100123";
/// Longer than anything takes that is going to happen at all, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// A service manager starts again what has ended after about so long.
const RESTART: Duration = Duration::from_millis(100);
/// Where the state, the process id and the control socket are: a file system of its own, so that it can be full.
pub(crate) const DISK: &str = "/run/rehearse/small";
const PID_FILE: &str = "/run/rehearse/small/tanist.pid";
/// Its size in octets and in files.
const DISK_OPTIONS: &str = "size=256k,nr_inodes=64,mode=0755";

/// Who stands where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Two of ours.
    Pair,
    /// Ours, keepalived, ours, in the order of their priorities.
    Trio,
    /// Two of keepalived.
    Keepalived,
    /// Two of ours with a service, which they hand to each other.
    Services,
    /// The same with clocks that can be set, and with signed advertisements that are believed at their time only.
    Clocks,
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pair => "a pair of Tanist",
            Self::Trio => "Tanist, keepalived and Tanist",
            Self::Keepalived => "a pair of keepalived",
            Self::Services => "a pair of Tanist with a service",
            Self::Clocks => "a pair of Tanist with clocks that are set",
        })
    }
}

/// Whose daemon it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tanist,
    Keepalived,
}

/// What is built.
#[derive(Clone, Debug)]
pub struct Plan {
    pub cast: Cast,
    /// Advertisement_Interval in centiseconds (version 3).
    pub advert: u16,
    /// Absolute, because hosts have another working directory.
    pub tanist: PathBuf,
    pub keepalived: String,
    /// Where libfaketime is; only needed for [`Cast::Clocks`].
    pub faketime: Option<PathBuf>,
}

impl Plan {
    /// Whether there is one, and a `pair` block.
    #[must_use]
    pub fn has_service(&self) -> bool {
        matches!(self.cast, Cast::Services | Cast::Clocks)
    }

    /// Advertisement_Interval.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_millis(u64::from(self.advert) * 10)
    }

    /// Three intervals: nobody takes over earlier from a silent router (RFC 9568 §6.1, without the skew time).
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.interval() * 3
    }

    /// How long the kernel keeps an address that nobody renews: Active_Down_Interval of the best router and a second, in
    /// whole seconds, at least three (decision 18). In words of our own, because a yardstick must not come from the code
    /// that it is laid on.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        let down = self.silence() + self.interval() * (256 - u32::from(priority_of(0))) / 256;
        Duration::from_secs((down.as_millis() as u64 + 1000).div_ceil(1000).max(3))
    }

    fn kinds(&self) -> &'static [Kind] {
        match self.cast {
            Cast::Pair | Cast::Services | Cast::Clocks => &[Kind::Tanist, Kind::Tanist],
            Cast::Trio => &[Kind::Tanist, Kind::Keepalived, Kind::Tanist],
            Cast::Keepalived => &[Kind::Keepalived, Kind::Keepalived],
        }
    }
}

/// The better, the earlier; far enough apart that a failing check (10) changes nothing in their order.
fn priority_of(node: usize) -> u8 {
    200 - 50 * node as u8
}

/// A host with its daemon.
#[derive(Debug)]
pub struct Node {
    pub(crate) host: Host,
    pub(crate) kind: Kind,
    pub(crate) log: LogPipe,
    daemon: Daemon,
    program: Program,
    /// Somebody ended it on purpose and will start it again.
    pub(crate) is_down: bool,
    /// It ended by itself at this moment.
    ended: Option<Instant>,
}

impl Node {
    /// The daemon of today.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    pub(crate) fn footprint(&self) -> Option<Footprint> {
        Footprint::of(self.program.pid())
    }

    pub(crate) fn reload(&self) -> Result<()> {
        Ok(self.program.signal(Signal(self.daemon.reload))?)
    }

    /// Another configuration for the next reload or start.
    pub(crate) fn write_configuration(&self, text: &str) -> Result<()> {
        self.host.write_file("daemon.conf", text)?;
        Ok(())
    }
}

/// The lab with everything in it.
#[derive(Debug)]
pub struct Ground {
    // Holders look into the hosts' namespaces, so they end first.
    _holders: Vec<Holder>,
    _pace: Pace,
    pub(crate) nodes: Vec<Node>,
    pub(crate) lab: Lab,
    pub(crate) plan: Plan,
    sightings: Sightings,
    /// Daemons that ended although nobody had asked them to.
    ends: Vec<String>,
}

impl Ground {
    /// Builds it and waits until the first node has the role and the others stand by.
    pub fn build(plan: &Plan) -> Result<Self> {
        let lab = Lab::new("soak")?;
        lab.client().add_address("192.0.2.254/24")?;
        let sightings = Sightings::default();
        let (mut nodes, mut holders) = (Vec::new(), Vec::new());
        for (number, &kind) in plan.kinds().iter().enumerate() {
            let name = ["a", "b", "c"][number];
            let address = format!("192.0.2.{}/24", number + 1);
            let mut host = HostPlan::new(name).interface(INTERFACE, &[&address]);
            if plan.has_service() {
                host = host.interface(SECOND_INTERFACE, &[&format!("198.51.100.{}/24", number + 1)]);
            }
            let host = lab.add_host(&host)?;
            let node = start(&lab, host, kind, number, plan)?;
            let namespace = Namespace::of_process(node.program.pid())?;
            holders.push(Holder::watch(namespace, number, ADDRESS, &sightings)?);
            nodes.push(node);
        }
        let (ends, pace) = (Vec::new(), Pace::watch(&sightings)?);
        let mut ground = Self { _holders: holders, _pace: pace, nodes, lab, plan: plan.clone(), sightings, ends };
        if ground.wait_until_steady(Moment::now())?.is_none() {
            return Err(Failure::new(format!("{} never came to rest\n{}", plan.cast, ground.last_words(0))));
        }
        Ok(ground)
    }

    /// Whose daemons run, in the order of the nodes.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        self.nodes.iter().map(|node| node.kind).collect()
    }

    /// The configuration of a node.
    pub(crate) fn configuration(&self, node: usize) -> String {
        configuration(&self.plan, node)
    }

    /// Lets time pass. Whoever ends meanwhile is started again, as a service manager would.
    pub(crate) fn pass(&mut self, span: Duration) -> Result<()> {
        let until = Instant::now() + span;
        loop {
            self.look_after()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(20)));
        }
    }

    fn look_after(&mut self) -> Result<()> {
        for number in 0..self.nodes.len() {
            let node = &mut self.nodes[number];
            if node.is_down || node.program.is_running() {
                continue;
            }
            match node.ended {
                None => {
                    node.ended = Some(Instant::now());
                    let how = self.how_it_ended(number);
                    self.ends.push(how);
                }
                Some(at) if at.elapsed() >= RESTART => self.start_again(number)?,
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn how_it_ended(&self, number: usize) -> String {
        let (name, records) = (self.nodes[number].host.name(), self.lab.journal().all());
        let how = records.iter().rev().find_map(|record| match &record.what {
            Seen::Ended { how, .. } if &*record.host == name => Some(how.clone()),
            _ => None,
        });
        format!("the daemon of {name} ended: {}\n{}", how.unwrap_or_default(), self.last_words(number))
    }

    /// Starts the daemon of a node that has none.
    pub(crate) fn start_again(&mut self, number: usize) -> Result<()> {
        let node = &mut self.nodes[number];
        node.program = node.host.start_daemon_with(&node.daemon, format!("{HOST_DIR}/daemon.conf").as_ref())?;
        (node.is_down, node.ended) = (false, None);
        Ok(())
    }

    /// Waits until the first node alone has the address and advertises, for some intervals, and alone runs the service, if
    /// there is one, and the other one could; since when it is so, or `None` if that does not come. What was before `since`
    /// does not count. Whether the other one could is asked when all else has been well for those intervals, so that it counts
    /// only if it is later than that.
    pub(crate) fn wait_until_steady(&mut self, since: Moment) -> Result<Option<Moment>> {
        let quiet = self.plan.silence() + self.plan.interval() + Duration::from_millis(200);
        let until = Instant::now() + PATIENCE;
        let mut was_unprotected = false;
        while Instant::now() < until {
            self.pass(Duration::from_millis(50))?;
            let now = Moment::now();
            let Some(from) = self.steady_since(since).filter(|from| now.since(*from) >= quiet) else { continue };
            if self.is_protected()? {
                return Ok(Some(if was_unprotected { now } else { from }));
            }
            was_unprotected = true;
        }
        Ok(None)
    }

    /// Whether the first node says that a failure now would be survived, where that can be known.
    fn is_protected(&self) -> Result<bool> {
        Ok(!self.plan.has_service() || self.tanist(0, &["status", "--check"])?.0 == Some(0))
    }

    /// Types `tanist …` on a node: the exit status and what is printed.
    pub(crate) fn tanist(&self, number: usize, words: &[&str]) -> Result<(Option<i32>, String)> {
        let (program, socket) = (self.plan.tanist.display().to_string(), format!("{DISK}/control.sock"));
        let output = self.nodes[number].host.output(&[&[&*program], words, &["--control", &socket]].concat())?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
    }

    /// Since when all is as it should be, if it is so now.
    fn steady_since(&self, since: Moment) -> Option<Moment> {
        let all_run = self.nodes.iter().all(|node| !node.is_down && node.ended.is_none() && node.program.is_running());
        let edges = self.edges();
        let holds = |host: usize| edges.iter().rev().find(|edge| edge.host == host).is_some_and(|edge| edge.held);
        let right_holders = (0..self.nodes.len()).all(|host| holds(host) == (host == 0));
        if !all_run || !right_holders {
            return None;
        }
        let words = self.words(since);
        let first_speaks = words.iter().rev().find(|word| word.host == 0).is_some_and(|word| word.priority > 0);
        let last_edge = edges.last().map_or(since, |edge| edge.at);
        let last_stranger = words.iter().rev().find(|word| word.host != 0).map_or(since, |word| word.at);
        let works_since = if self.plan.has_service() {
            work::alone_since(&self.lab.journal().ticks(), since, Moment::now(), self.nodes[0].host.name())?
        } else {
            since
        };
        first_speaks.then(|| since.max(last_edge).max(last_stranger).max(works_since))
    }

    /// Whether the daemon of a node greets whoever comes to its control socket, as keepalived need not; or does so soon.
    pub(crate) fn answers_operators(&mut self, number: usize) -> Result<bool> {
        if self.nodes[number].kind == Kind::Keepalived {
            return Ok(true);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let greeted = self.nodes[number].host.run(|| {
                let mut client = UnixStream::connect(format!("{DISK}/control.sock"))?;
                client.set_read_timeout(Some(Duration::from_secs(5)))?;
                client.read(&mut [0; 16])
            })?;
            if greeted.is_ok_and(|octets| octets > 0) {
                return Ok(true);
            }
            if Instant::now() > until {
                return Ok(false);
            }
            self.pass(Duration::from_millis(200))?;
        }
    }

    /// Whether the pid file of a node's daemon holds its number, as keepalived's does at another place; or does so soon.
    pub(crate) fn says_who_it_is(&mut self, number: usize) -> Result<bool> {
        if self.nodes[number].kind == Kind::Keepalived {
            return Ok(true);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let pid = self.nodes[number].program().pid();
            let written = self.nodes[number].host.read_file(Path::new(PID_FILE)).ok();
            if written.is_some_and(|written| Some(written.trim()) == number_inside(pid).as_deref()) {
                return Ok(true);
            }
            if Instant::now() > until {
                return Ok(false);
            }
            self.pass(Duration::from_millis(200))?;
        }
    }

    /// What became of the service, if there is one.
    pub(crate) fn work(&self, from: Moment, undone: Moment, until: Moment) -> Option<Work> {
        self.plan.has_service().then(|| Work::of(&self.lab.journal().ticks(), from, undone, until))
    }

    /// Advertisements seen at the switch from `since` on.
    pub(crate) fn words(&self, since: Moment) -> Vec<Word> {
        let records = self.lab.journal().since(since);
        let word = |record: &rehearse::lab::Record| match &record.what {
            Seen::Advertisement(seen) if seen.vrid == VRID => {
                let host = self.nodes.iter().position(|node| node.host.name() == &*record.host)?;
                Some(Word { at: record.at, host, priority: seen.priority })
            }
            _ => None,
        };
        records.iter().filter_map(word).collect()
    }

    pub(crate) fn edges(&self) -> Vec<Edge> {
        self.sightings.edges()
    }

    /// What has held us up since then.
    pub(crate) fn held(&self, since: Moment) -> Held {
        let (stall, stalls) = self.sightings.stalled(since);
        Held { stall, stalls, start: self.sightings.start(since), ..Held::default() }
    }

    /// Daemons that ended by themselves since this was asked last, with their last words.
    pub(crate) fn take_ends(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ends)
    }

    /// What is no longer needed goes: this can run for days.
    pub(crate) fn forget(&self, before: Moment) {
        self.sightings.forget(before);
        self.lab.journal().forget(before);
    }

    /// What the daemon of a node has written since then, and what was done to it.
    pub(crate) fn lines(&self, number: usize, since: Moment) -> Vec<String> {
        let name = self.nodes[number].host.name();
        let records = self.lab.journal().since(since).into_iter();
        records.filter(|record| &*record.host == name).filter_map(|record| told(record, since)).collect()
    }

    /// The same of all nodes.
    pub(crate) fn story(&self, since: Moment) -> Vec<String> {
        self.lab.journal().since(since).into_iter().filter_map(|record| told(record, since)).collect()
    }

    /// What a daemon takes now, and as which process.
    #[must_use]
    pub fn footprint(&self, number: usize) -> Option<(u32, Footprint)> {
        let node = &self.nodes[number];
        Some((node.program.pid(), node.footprint()?))
    }

    /// The last lines of a node's log.
    pub(crate) fn last_words(&self, number: usize) -> String {
        let log = self.lab.journal().log_of(self.nodes[number].host.name());
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(12)..];
        last.iter().map(|line| format!("    {line}\n")).collect()
    }
}

/// A line of a daemon or a deed, with where and when it was.
fn told(record: rehearse::lab::Record, since: Moment) -> Option<String> {
    match record.what {
        Seen::Line { text, .. } | Seen::Deed(text) => {
            Some(format!("{:>6.0} ms  {:<2} {text}", record.at.millis_after(since), record.host))
        }
        _ => None,
    }
}

/// What a process is called in its host (proc(5): the last one of `NSpid`).
fn number_inside(pid: u32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    Some(numbers.split_whitespace().next_back()?.to_owned())
}

fn start(lab: &Lab, host: Host, kind: Kind, number: usize, plan: &Plan) -> Result<Node> {
    let log = LogPipe::make(&host, lab.journal())?;
    mount_disk(&host)?;
    // Well as long as there is no mark; then it does what no check should.
    let check = format!(
        "#!/bin/sh\n[ -e {HOST_DIR}/stubborn ] || exit 0\ntrap '' TERM HUP INT\n\
         (trap '' TERM HUP INT; sleep {STUBBORN} & wait) &\nsleep {STUBBORN} &\nwait\nwait\n"
    );
    host.write_program("check", &check)?;
    if plan.has_service() {
        work::furnish(&host, &plan.tanist)?;
    }
    if plan.cast == Cast::Clocks {
        host.write_file(CLOCK, "+0\n")?;
    }
    host.write_file("daemon.conf", &configuration(plan, number))?;
    let daemon = daemon(kind, plan);
    let program = host.start_daemon_with(&daemon, format!("{HOST_DIR}/daemon.conf").as_ref())?;
    Ok(Node { host, kind, log, daemon, program, is_down: false, ended: None })
}

fn mount_disk(host: &Host) -> Result<()> {
    let mounted = host.run(|| -> std::io::Result<()> {
        use rustix::mount::{MountFlags, mount};
        std::fs::create_dir_all(DISK)?;
        let options = std::ffi::CString::new(DISK_OPTIONS).expect("no zero in it");
        Ok(mount("small", DISK, "tmpfs", MountFlags::empty(), options.as_c_str())?)
    })?;
    mounted.map_err(Failure::during(format!("mount a small disk in {}", host.name())))
}

/// Through a shell that only puts the log where it can be blocked.
fn daemon(kind: Kind, plan: &Plan) -> Daemon {
    let own = match kind {
        Kind::Tanist => {
            let mut daemon = Daemon::tanist(&plan.tanist);
            let more = ["--log-detail", "--log", "stderr", "--control", "{disk}/control.sock", "-p", PID_FILE];
            daemon.command.extend(more.map(str::to_owned));
            daemon
        }
        Kind::Keepalived => {
            let mut daemon = Daemon::keepalived();
            daemon.command[0].clone_from(&plan.keepalived);
            daemon
        }
    };
    let words = own.command.iter().map(|word| word.replace("{disk}", DISK));
    let clock = plan.faketime.as_ref().filter(|_| plan.cast == Cast::Clocks).map_or_else(String::new, |library| {
        // Read at each look, and only the calendar; times of files stay what they are.
        format!(
            "export LD_PRELOAD='{}' FAKETIME_TIMESTAMP_FILE={HOST_DIR}/{CLOCK} FAKETIME_NO_CACHE=1 \
             DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1; ",
            library.display()
        )
    });
    let line = format!("PATH=$PATH:/usr/sbin:/sbin; {clock}exec \"$@\" > {HOST_DIR}/{} 2>&1", log_pipe::NAME);
    let command = ["sh", "-c", &line, "sh"].map(str::to_owned).into_iter().chain(words).collect();
    Daemon { command, ..own }
}

fn configuration(plan: &Plan, node: usize) -> String {
    let interval = f64::from(plan.advert) / 100.0;
    let priority = priority_of(node);
    let (mut global, mut blocks, mut instance) = (String::new(), String::new(), String::new());
    if plan.has_service() {
        blocks = work::configuration(node);
        instance.push_str(work::LINE);
    }
    if plan.cast == Cast::Clocks {
        global = format!("    reload_time_file {HOST_DIR}/{RELOAD_TIME}\n");
        instance.push_str(&format!("    auth_hmac {{\n        key 1 hex:{}\n    }}\n", "5a".repeat(32)));
    }
    format!(
        "global_defs {{\n    script_user root\n    dynamic_interfaces\n    vrrp_netlink_monitor_rcv_bufs {MONITOR_BUFFER}\n\
         {global}}}\n\
         vrrp_script check {{\n    script {HOST_DIR}/check\n    interval 1\n    timeout 1\n    rise 1\n    fall 1\n    \
         weight -10\n}}\n{blocks}\
         vrrp_instance VI_1 {{\n    interface {INTERFACE}\n    virtual_router_id {VRID}\n    version 3\n    \
         advert_int {interval}\n    priority {priority}\n    virtual_ipaddress {{\n        {ADDRESS_ON_LINK}\n    }}\n    \
         track_script {{\n        check\n    }}\n{instance}}}\n"
    )
}
