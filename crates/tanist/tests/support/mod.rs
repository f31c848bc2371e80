//! What the tests of the real binary share: a gate, a scene with hosts and a client, and questions to its journal.
//!
//! The tests wait with patience and assert orders, roles, counts and what stands in packets. Times are asserted only
//! where the standard promises that something is not early.

// Each test binary uses its part of this.
#![allow(dead_code, unused_imports)]

pub(crate) mod fifo;
pub(crate) mod iproute;
pub(crate) mod ipv6;
pub(crate) mod mail_server;
pub(crate) mod node;
pub(crate) mod packet_peer;
pub(crate) mod pcap;
pub(crate) mod story;
pub(crate) mod wire;

use std::env;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use rehearse::lab::frame::Advertisement;
pub(crate) use rehearse::lab::{
    Answers, Daemon, HOST_DIR, Host, HostPlan, Lab, Moment, Probe, Program, Record, Seen, held_by_several, holdings,
};

pub(crate) use node::Node;

/// Longer than anything takes that is going to happen at all: timers of 15 s on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The virtual address of the scenes that are no story.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

/// Runs a test that needs namespaces, if slow tests are asked for and the machine allows them.
pub(crate) fn slow_test(test: impl FnOnce()) {
    if env::var_os("SLOW_TESTS").is_some_and(|value| value == "1") {
        rehearse::lab::run_test(test);
    } else {
        // Hundreds of tests, and nobody has asked for them: told to who asks (`--nocapture`).
        eprintln!("SKIPPED, NOTHING TESTED: set SLOW_TESTS=1");
    }
}

/// As [`slow_test`], for a test that needs the distribution's keepalived.
pub(crate) fn slow_test_with_keepalived(test: impl FnOnce()) {
    slow_test(|| {
        if Daemon::keepalived().is_installed() {
            test();
        } else {
            rehearse::lab::skip(&test_name(), &"keepalived is not installed");
        }
    });
}

/// As [`slow_test_with_keepalived`], for a test in which keepalived runs scripts: in a user namespace it can't.
pub(crate) fn slow_test_with_scripts_of_keepalived(test: impl FnOnce()) {
    slow_test_with_keepalived(|| slow_test_with_users(test));
}

/// As [`slow_test`], for a test that needs other users than root: in a user namespace there are none.
pub(crate) fn slow_test_with_users(test: impl FnOnce()) {
    slow_test(|| {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let count = map.split_whitespace().nth(2).and_then(|count| count.parse::<u32>().ok());
        if count.is_some_and(|count| count > 65_534) {
            test();
        } else {
            rehearse::lab::skip(&test_name(), &"there is only one user in this user namespace");
        }
    });
}

pub(crate) fn test_name() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}

/// The binary under test.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tanist"))
}

/// Our daemon, telling everything.
pub(crate) fn tanist() -> Daemon {
    let mut daemon = Daemon::tanist(binary());
    daemon.command.push("--log-detail".to_owned());
    daemon
}

/// The daemon with a variable in its environment.
pub(crate) fn with_variable(mut daemon: Daemon, name: &str, value: &str) -> Daemon {
    daemon.command.splice(0..0, ["env".to_owned(), format!("{name}={value}")]);
    daemon
}

/// The daemon that writes its dumps into this directory.
pub(crate) fn dumping_to(directory: &str, daemon: Daemon) -> Daemon {
    with_variable(daemon, "TMPDIR", directory)
}

/// A configuration with one instance. `lines` are further lines of it, `before` is what stands before it.
pub(crate) fn configuration(before: &str, priority: u8, lines: &str) -> String {
    format!(
        "{before}\nvrrp_instance VI_1 {{\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n\
         {lines}\n    virtual_ipaddress {{\n        {ADDRESS}/24\n    }}\n}}\n"
    )
}

/// Version 3 with five advertisements a second: for tests in which the time is not the point.
pub(crate) const QUICK: &str = "    version 3\n    advert_int 0.2";
/// Three intervals of [`QUICK`]: no backup takes over earlier from a silent router.
pub(crate) const QUICK_SILENCE: Duration = Duration::from_millis(600);

/// A lab with hosts `a`, `b`, … at 192.0.2.1, .2, … and a client.
pub(crate) struct Scene {
    pub(crate) lab: Lab,
    pub(crate) hosts: Vec<Host>,
}

impl Scene {
    /// Hosts with one interface each.
    pub(crate) fn new(names: &[&str]) -> Self {
        let lab = Lab::new(&test_name()).expect("a lab");
        lab.client().add_address("192.0.2.254/24").expect("the client's address");
        let plan = |(name, number): (&&str, u8)| {
            let plan = HostPlan::new(name).interface("eth0", &[&format!("192.0.2.{number}/24")]);
            lab.add_host(&plan).expect("a host")
        };
        let hosts = names.iter().zip(1..).map(plan).collect();
        Self { lab, hosts }
    }

    /// A lab whose hosts are added by the test.
    pub(crate) fn empty() -> Self {
        Self { lab: Lab::new(&test_name()).expect("a lab"), hosts: Vec::new() }
    }

    /// Adds a host as planned.
    pub(crate) fn add(&mut self, plan: &HostPlan) -> Host {
        let host = self.lab.add_host(plan).expect("a host");
        self.hosts.push(host.clone());
        host
    }

    /// Asks for an address a hundred times a second.
    pub(crate) fn probe(&self, address: Ipv4Addr) -> Probe {
        self.lab.probe_every(address, Duration::from_millis(10)).expect("a probe")
    }

    /// The first record from `since` on that is wanted.
    pub(crate) fn wait(&self, since: Moment, what: &str, wanted: impl FnMut(&Record) -> bool) -> Record {
        let found = self.lab.journal().wait_for(since, PATIENCE, wanted);
        found.unwrap_or_else(|| panic!("never seen: {what}\n{}", self.story()))
    }

    /// Waits for a log line of a host.
    pub(crate) fn line(&self, host: &str, since: Moment, text: &str) -> Record {
        self.wait(since, &format!("{host} says {text:?}"), |record| &*record.host == host && says(record, text))
    }

    /// Waits for a run of a recorder with these words, its name first.
    pub(crate) fn ran(&self, host: &str, since: Moment, words: &[&str]) -> Record {
        self.wait(since, &format!("{host} runs {words:?}"), |record| {
            &*record.host == host && run_words(record).is_some_and(|run| run == words)
        })
    }

    /// Waits for an advertisement of a host.
    pub(crate) fn advertised(&self, host: &str, since: Moment, wanted: impl Fn(&Advertisement) -> bool) -> Record {
        self.wait(since, &format!("a certain advertisement of {host}"), |record| {
            &*record.host == host && matches!(&record.what, Seen::Advertisement(seen) if wanted(seen))
        })
    }

    /// Waits until a host has said goodbye.
    pub(crate) fn resigned(&self, host: &str, since: Moment) -> Record {
        self.advertised(host, since, |advertisement| advertisement.priority == 0)
    }

    /// All advertisements since then, with the moment and the sender.
    pub(crate) fn advertisements(&self, since: Moment) -> Vec<(Moment, String, Advertisement)> {
        let records = self.lab.journal().since(since).into_iter();
        let advertisement = |record: Record| match record.what {
            Seen::Advertisement(advertisement) => Some((record.at, record.host.to_string(), advertisement)),
            _ => None,
        };
        records.filter_map(advertisement).collect()
    }

    /// Asserts that nobody has said goodbye since then.
    pub(crate) fn nobody_resigned(&self, since: Moment) {
        let resigned = self.advertisements(since).into_iter().find(|(_, _, seen)| seen.priority == 0);
        assert!(resigned.is_none(), "{resigned:?}\n{}", self.story());
    }

    /// The words of all recorders that ran on a host since then.
    pub(crate) fn runs(&self, host: &str, since: Moment) -> Vec<Vec<String>> {
        let records = self.lab.journal().since(since);
        records.iter().filter(|record| &*record.host == host).filter_map(run_words).collect()
    }

    /// How often a host has said something since then.
    pub(crate) fn count_lines(&self, host: &str, since: Moment, text: &str) -> usize {
        let records = self.lab.journal().since(since);
        records.iter().filter(|record| &*record.host == host && says(record, text)).count()
    }

    /// The hosts that have an address now.
    pub(crate) fn holders(&self, address: Ipv4Addr) -> Vec<&str> {
        self.hosts.iter().filter(|host| host.has_address(address.into())).map(Host::name).collect()
    }

    /// Waits until this host has the address and no other one has.
    pub(crate) fn only(&self, holder: &str, address: Ipv4Addr) {
        self.until(&format!("{address} on {holder} only"), || self.holders(address) == [holder]);
    }

    /// Waits until this is so.
    pub(crate) fn until(&self, what: &str, is_so: impl FnMut() -> bool) {
        assert!(patiently(is_so), "it never came to this: {what}\n{}", self.story());
    }

    /// Waits until the client's questions are answered by this host.
    pub(crate) fn answered_by(&self, probe: &Probe, host: &str, since: Moment) {
        let answer = probe.wait_for_answer_by(host, since, PATIENCE);
        assert!(answer.is_some(), "{host} does not answer the client\n{}", self.story());
    }

    /// Everything that was seen, for the message of a failed test.
    pub(crate) fn story(&self) -> String {
        self.lab.journal().all().iter().map(|record| format!("{record}\n")).collect()
    }
}

/// Asks now and then until it is so; `false` if that never happens.
#[must_use]
pub(crate) fn patiently(mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Lets time pass in which something must not happen.
pub(crate) fn let_pass(time: Duration) {
    thread::sleep(time);
}

pub(crate) fn says(record: &Record, text: &str) -> bool {
    matches!(&record.what, Seen::Line { text: line, .. } if line.contains(text))
}

/// The name and the arguments of a recorder's run.
pub(crate) fn run_words(record: &Record) -> Option<Vec<String>> {
    match &record.what {
        Seen::ScriptRun { name, arguments } => Some([std::slice::from_ref(name), &arguments[..]].concat()),
        _ => None,
    }
}

pub(crate) fn is_announcement(record: &Record, host: &str, of: Ipv4Addr) -> bool {
    &*record.host == host && matches!(record.what, Seen::GratuitousArp { address, .. } if address == of)
}

/// The kernel of a host got or lost an address.
pub(crate) fn is_address_change(record: &Record, of: Ipv4Addr) -> bool {
    let of = IpAddr::V4(of);
    match &record.what {
        Seen::AddressAdded { address, .. } | Seen::AddressRemoved { address, .. } => *address == of,
        _ => false,
    }
}

/// The kernel of a host lost an address.
pub(crate) fn is_removal(record: &Record, of: Ipv4Addr) -> bool {
    matches!(record.what, Seen::AddressRemoved { address, .. } if address == of)
}

/// Whether a program can be found in `PATH`.
pub(crate) fn is_installed(program: &str) -> bool {
    Daemon::new(program, &[program]).is_installed()
}

/// A path as a word of a command.
pub(crate) fn word(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are plain")
}

/// A file of the host's directory.
pub(crate) fn in_host(name: &str) -> PathBuf {
    Path::new(HOST_DIR).join(name)
}
