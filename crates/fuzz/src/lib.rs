//! What must hold for any octets that come from outside: a target for each kind of them, and for whole lives of an engine.
//!
//! A target takes octets and panics if something does not hold. Two harnesses call it: libFuzzer, which looks for inputs
//! that reach new code (`fuzz/`, begun by `cargo xtask fuzz`), and [`run`], which needs nothing but stable Rust and
//! goes through the inputs that libFuzzer has found and some random changes of them in every `cargo test`.
#![forbid(unsafe_code)]

mod advertisement;
mod baton;
mod configuration;
mod control;
mod engine_life;
mod files;
pub mod frames;
mod kernel;
mod mail;
mod managers;
mod octets;
mod receive;
pub mod run;
mod seals;
mod system;

/// What is checked for octets of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, on the command line and as a directory of its inputs.
    pub name: &'static str,
    /// What the octets are, and what must hold for them.
    pub about: &'static str,
    /// Panics if it does not hold.
    pub check: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longer inputs are of no use.
    pub longest: usize,
}

/// All of them.
pub const TARGETS: [Target; 23] = [
    Target {
        name: "advertisement",
        about: "VRRP 2 and 3: what is read can be written and is the same again, with a good checksum",
        check: advertisement::advertisement,
        seeds: advertisement::advertisement_seeds,
        longest: 4200,
    },
    Target {
        name: "ip_packet",
        about: "headers of IPv4 and IPv6: no part lies outside of the packet, and what is read can be written",
        check: advertisement::ip_packet,
        seeds: advertisement::ip_packet_seeds,
        longest: 200,
    },
    Target {
        name: "announcement",
        about: "gratuitous ARP and neighbour advertisements: another reader finds in them what was written",
        check: advertisement::announcement,
        seeds: advertisement::announcement_seeds,
        longest: 32,
    },
    Target {
        name: "hmac_trailer",
        about: "the trailer of auth_hmac: only what its owner wrote is genuine, and no changed bit of it",
        check: seals::hmac_trailer,
        seeds: seals::seeds,
        longest: 300,
    },
    Target {
        name: "authentication_header",
        about: "the header of auth_type AH: the same",
        check: seals::authentication_header,
        seeds: seals::seeds,
        longest: 300,
    },
    Target {
        name: "netlink",
        about: "datagrams of rtnetlink and sock_diag: routes and rules are read as they are written",
        check: kernel::netlink,
        seeds: kernel::netlink_seeds,
        longest: 2048,
    },
    Target {
        name: "kernel_files",
        about: "/proc/PID/stat, /etc/passwd, tracked files, process events, counters of nftables",
        check: kernel::files,
        seeds: kernel::file_seeds,
        longest: 1024,
    },
    Target {
        name: "system_texts",
        about: "/proc/self/mountinfo, cgroup and maps, /proc/PID/status, lists of processes, users and groups, notices of services",
        check: system::texts,
        seeds: system::seeds,
        longest: 2048,
    },
    Target {
        name: "baton",
        about: "the other node's statements, sealed: what is read can be written and is the same octets again",
        check: baton::check,
        seeds: baton::seeds,
        longest: 2048,
    },
    Target {
        name: "control",
        about: "the control socket: in whatever pieces it comes, the same requests and answers, and none that is not allowed",
        check: control::requests,
        seeds: control::request_seeds,
        longest: 9000,
    },
    Target {
        name: "json",
        about: "what a daemon or docker says as JSON: what is read can be written and read again",
        check: control::answers,
        seeds: control::answer_seeds,
        longest: 4096,
    },
    Target {
        name: "configuration",
        about: "any text: the same each time, places that exist, no secret told, and JSON that is JSON",
        check: configuration::text,
        seeds: configuration::text_seeds,
        longest: 4096,
    },
    Target {
        name: "configuration_words",
        about: "the same for texts made of keywords, so that more of them mean something",
        check: configuration::words,
        seeds: configuration::word_seeds,
        longest: 512,
    },
    Target {
        name: "names",
        about: "rt_tables, rt_protos, protocols: whatever has a name there is found by it, and fits",
        check: configuration::names,
        seeds: configuration::name_seeds,
        longest: 512,
    },
    Target {
        name: "record",
        about: "the file of a former life: what is accepted is what would be written, and no half of it is",
        check: files::record,
        seeds: files::record_seeds,
        longest: 1024,
    },
    Target {
        name: "keys",
        about: "files with keys: 64 digits are one of a pair, and nothing else is",
        check: files::keys,
        seeds: files::key_seeds,
        longest: 300,
    },
    Target {
        name: "reload_time",
        about: "when to reload: always in the future, and the next of such moments",
        check: mail::moments,
        seeds: mail::moment_seeds,
        longest: 64,
    },
    Target {
        name: "smtp",
        about: "answers of a mail server: the same in whatever pieces they come, and nothing that plays with a terminal",
        check: mail::answers,
        seeds: mail::answer_seeds,
        longest: 8192,
    },
    Target {
        name: "http",
        about: "answers of docker and of probed services: the same in whatever pieces they come",
        check: managers::http,
        seeds: managers::http_seeds,
        longest: 2048,
    },
    Target {
        name: "dbus",
        about: "messages of systemd: none is longer than what came",
        check: managers::dbus,
        seeds: managers::dbus_seeds,
        longest: 1024,
    },
    Target {
        name: "receive",
        about: "frames against an engine with a router of each kind: each is counted once, as believed or as refused, and \
                nothing forged is believed",
        check: receive::check,
        seeds: receive::seeds,
        longest: 1024,
    },
    Target {
        name: "engine",
        about: "whole lives of an engine: the same twice, with states that fit together at every step",
        check: engine_life::check,
        seeds: engine_life::seeds,
        longest: 1024,
    },
    Target {
        name: "engine_of_any_configuration",
        about: "the same with routers, groups, checks and services as a text of keywords has them",
        check: engine_life::of_any_configuration,
        seeds: engine_life::seeds,
        longest: 1024,
    },
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Checks octets as the target of this name does, for libFuzzer's programs.
///
/// # Panics
/// If something does not hold.
pub fn check(name: &str, octets: &[u8]) {
    let target = find(name).expect("each program is named like a target");
    (target.check)(octets);
}
