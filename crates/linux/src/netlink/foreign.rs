//! See [`crate::foreign`].

use netlink_packet_core::Emitable;

use super::socket::{self, messages};
use super::{Change, Listener, RouteSpec, RuleSpec, addresses, listeners, monitor, route, rule};

/// What the monitor makes of a datagram.
#[must_use]
pub fn changes(datagram: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    messages(datagram).for_each(|message| monitor::read(message, &mut changes));
    changes
}

/// What the list of sockets makes of a datagram.
#[must_use]
pub fn listeners_in(datagram: &[u8]) -> Vec<Listener> {
    messages(datagram).filter_map(listeners::read).collect()
}

/// The error number and words of each answer in a datagram; `None` for a request that was done.
#[must_use]
pub fn answers(datagram: &[u8]) -> Vec<Option<(i32, Option<String>)>> {
    let answers = messages(datagram).map(socket::read_answer);
    answers.map(|answer| answer.err().map(|refusal| (refusal.errno, refusal.words))).collect()
}

/// The routes that the payload of a message, made from this one, is read as.
#[must_use]
pub fn route_again(spec: &RouteSpec) -> Vec<RouteSpec> {
    route::decode(&octets(&route::encode(spec)))
}

/// As [`route_again`].
#[must_use]
pub fn rule_again(spec: &RuleSpec) -> Option<RuleSpec> {
    rule::decode(&octets(&rule::encode(spec)))
}

/// Whether this release of Linux is at least that one.
#[must_use]
pub fn is_new_enough(release: &str, wanted: (u32, u32)) -> bool {
    addresses::release_is_at_least(release, wanted)
}

fn octets(payload: &impl Emitable) -> Vec<u8> {
    let mut octets = vec![0; payload.buffer_len()];
    payload.emit(&mut octets);
    octets
}
