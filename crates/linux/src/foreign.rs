//! Octets from outside, handed to whoever reads them in this crate: doors for the fuzz targets. Nothing else uses them, so
//! nothing of them is in a daemon.

use crate::packet_filter::Dropped;
use crate::process_events::ProcessEvent;
use crate::{number_file, packet_filter, process_events, process_list, users};

pub use crate::netlink::foreign::{answers, changes, listeners_in, route_again, rule_again};

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
