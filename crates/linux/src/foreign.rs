//! Octets from outside, handed to whoever reads them in this crate: doors for the fuzz targets. Nothing else uses them, so
//! nothing of them is in a daemon.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::packet_filter::Dropped;
use crate::process_events::ProcessEvent;
use crate::spawn::keeper;
use crate::users::Identity;
use crate::{control_group, memory, number_file, packet_filter, process_events, process_list, service_notices, users};

pub use crate::netlink::foreign::{answers, changes, is_new_enough, listeners_in, route_again, rule_again};

/// What the kernel tells of processes in a datagram.
#[must_use]
pub fn process_event(datagram: &[u8]) -> Option<ProcessEvent> {
    process_events::decode(datagram)
}

/// What the rules of nftables in these answers have counted, and how many rules there are.
#[must_use]
pub fn dropped(answers: &[u8]) -> (Dropped, usize) {
    let (mut dropped, mut rules) = (Dropped::default(), 0);
    packet_filter::add_up(answers, &mut dropped, &mut rules);
    (dropped, rules)
}

/// The error number of the first of these answers of nftables that refuses something.
#[must_use]
pub fn refused(answers: &[u8]) -> Option<i32> {
    packet_filter::first_refusal(answers)
}

/// What the kernel answers to who wants to hear of processes: an error number, or 0.
#[must_use]
pub fn confirmation(datagram: &[u8]) -> Option<i32> {
    process_events::confirmation(datagram)
}

/// Where control groups are shown and which one of them is ours, from `/proc/self/mountinfo` and `/proc/self/cgroup`.
#[must_use]
pub fn control_groups(mountinfo: &[u8], own: &[u8]) -> Vec<(PathBuf, PathBuf)> {
    let places = control_group::places(mountinfo, own);
    places.iter().map(|groups| (groups.mount().to_owned(), groups.own().to_owned())).collect()
}

/// The numbers in a file of them.
#[must_use]
pub fn process_numbers(file: &OwnedFd) -> Vec<i32> {
    let mut numbers = Vec::new();
    control_group::for_each_number(file, &mut |pid| numbers.push(pid.as_raw_nonzero().get()));
    numbers
}

/// The parent of a process as a keeper reads it, from `/proc/PID/stat`.
#[must_use]
pub fn parent(stat: &[u8]) -> Option<i32> {
    keeper::parent_in(stat)
}

/// Who has started a process, from `/proc/PID/status`.
#[must_use]
pub fn real_user(status: &str) -> Option<u32> {
    process_list::real_user_in(status)
}

/// Start and length of a mapping that may be given back, from a line of `/proc/self/maps`.
#[must_use]
pub fn unchanged_mapping(line: &str) -> Option<(usize, usize)> {
    memory::unchanged_mapping(line)
}

/// Whether a service says that it is ready, and that it is well.
#[must_use]
pub fn notice(datagram: &[u8]) -> (bool, bool) {
    service_notices::says(datagram)
}

/// Whom a program runs as, from `/etc/passwd` and `/etc/group`.
#[must_use]
pub fn identity(passwd: &str, groups: &str, user: &str, group: Option<&str>) -> Option<Identity> {
    users::identity_in(passwd, groups, user, group).ok()
}

/// The number that a tracked file begins with.
#[must_use]
pub fn number(octets: &[u8]) -> number_file::Number {
    number_file::parse(octets)
}

/// Name, state, parent and start of a process, from `/proc/PID/stat`.
#[must_use]
pub fn process(stat: &str) -> Option<(&str, char, u32, u64)> {
    process_list::parse(stat).map(|stat| (stat.name, stat.state, stat.parent, stat.started))
}

/// A user of this name or number in `/etc/passwd`: the number, and the home directory.
#[must_use]
pub fn user(passwd: &str, name_or_number: &str) -> Option<(u32, String)> {
    users::find_user_in(passwd, name_or_number).map(|user| (user.uid, user.home))
}
