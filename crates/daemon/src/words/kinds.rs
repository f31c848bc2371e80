//! Every kind of thing that can happen, with an id that never changes its meaning: for `tanist events --json`, for the
//! journal (`TANIST_EVENT`), and as a number that journald's tools know (`MESSAGE_ID`). `docs/events.md` lists them.

use sha2::{Digest, Sha256};

/// A kind and what it means, for the list of them.
#[cfg(test)]
struct Kind {
    id: &'static str,
    words: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $id:literal: $words:literal;)+) => {
        $(pub(crate) const $name: &str = $id;)+

        /// All of them.
        #[cfg(test)]
        const ALL: &[Kind] = &[$(Kind { id: $id, words: $words }),+];
    };
}

kinds! {
    VRRP_STATE = "vrrp.state": "An instance has changed its state: MASTER, BACKUP, FAULT.";
    VRRP_GROUP = "vrrp.group": "A sync group has changed its state: MASTER, BACKUP, FAULT.";
    VRRP_FAULT = "vrrp.fault": "Something keeps an instance out.";
    VRRP_FAULT_CLEARED = "vrrp.fault_cleared": "It no longer does.";
    VRRP_LOWER_PRIORITY_IGNORED = "vrrp.lower_priority_ignored": "A backup has heard a lower priority and takes over soon.";
    VRRP_NEW_ELECTION = "vrrp.new_election": "A master has heard a lower priority and has answered.";
    VRRP_OWNER_CONFLICT = "vrrp.owner_conflict": "Two routers claim to own the addresses.";
    VRRP_RESIGNATION_HEARD = "vrrp.resignation_heard": "The master has resigned.";
    VRRP_RESIGNED = "vrrp.resigned": "This node has resigned.";
    VRRP_MASTER_CHANGED = "vrrp.master_changed": "Another node is master than before.";
    VRRP_INTERVAL_LEARNED = "vrrp.interval_learned": "The master advertises at another interval.";
    VRRP_PRIORITY = "vrrp.priority": "Checks, interfaces or a reload have changed the priority.";
    VRRP_DISCARDED = "vrrp.discarded": "An advertisement was not accepted.";
    VRRP_ODD = "vrrp.odd": "An advertisement was accepted although something about it is odd.";
    VRRP_OVERSLEPT = "vrrp.overslept": "This machine or process was asleep.";
    VRRP_SEND_FAILED = "vrrp.send_failed": "An advertisement could not be sent.";
    ADDRESSES_WANTED = "addresses.wanted": "The addresses of an instance come here.";
    ADDRESSES_RELEASED = "addresses.released": "The addresses of an instance leave this node.";
    ADDRESSES_ANNOUNCING = "addresses.announcing": "The neighbours are told where an address is.";
    SCRIPT_RETURNED = "script.returned": "A check ends in another way than the last time.";
    SCRIPT_SUCCEEDED = "script.succeeded": "A check has become good.";
    SCRIPT_FAILED = "script.failed": "A check has failed.";
    SCRIPT_TIMED_OUT = "script.timed_out": "A run of a check took too long.";
    SCRIPT_SKIPPED = "script.skipped": "A run of a check was left out, the last one is not over.";
    TRACKER_NUMBER = "tracker.number": "Another number stands in a tracked file.";
    TRACKER_QUORUM = "tracker.quorum": "So many tracked processes as should be are there, or no longer.";
    SERVICE_STATE = "service.state": "A service has changed its state.";
    SERVICE_FAILED = "service.failed": "A service has failed; what is done about it.";
    SERVICE_LINGERS = "service.lingers": "A service does not end and is killed.";
    SERVICE_READINESS = "service.readiness": "A service could be started on this node, or no longer.";
    SERVICE_UNKNOWN = "service.unknown": "Nobody can tell whether a service runs, or somebody can again.";
    PEER_HEARD = "peer.heard": "The peer is heard, for the first time or again.";
    PEER_SILENT = "peer.silent": "Nothing is heard of the peer any more.";
    PEER_STOPPED = "peer.stopped": "The peer has stopped in order.";
    PEER_PATH = "peer.path": "A path to the peer is silent, or works again.";
    PEER_ONE_WAY = "peer.one_way": "A path to the peer carries one direction only.";
    PEER_DEAF = "peer.deaf": "The peer is heard and does not hear this node.";
    PEER_DISCARDED = "peer.discarded": "A message that was to come from the peer was not accepted.";
    HANDOVER_BEGUN = "handover.begun": "A role begins to move in order.";
    HANDOVER_ENDED = "handover.ended": "It has moved; outage and overlap.";
    HANDOVER_FAILED = "handover.failed": "It has not moved.";
    HANDOVER_UNORDERED = "handover.unordered": "A role moves without order.";
    PAIR_DUAL_ACTIVE = "pair.dual_active": "Both nodes were active.";
    PAIR_ADVERTISEMENTS_UNHEARD = "pair.advertisements_unheard": "One node does not hear the other's advertisements; why.";
    PAIR_NO_COUNTERPART = "pair.no_counterpart": "The peer has no instance of this name.";
    PAIR_CONFIGURATION_DIFFERS = "pair.configuration_differs": "The nodes are told differently about something, or alike again.";
    LATCH_SET = "latch.set": "Nothing moves by itself until `tanist ack`.";
    LATCH_CLEARED = "latch.cleared": "Somebody has acknowledged.";
    MAINTENANCE_BEGUN = "maintenance.begun": "Maintenance has begun on the pair.";
    MAINTENANCE_ENDED = "maintenance.ended": "Maintenance is over.";
    HOLD_SET = "hold.set": "This node stands back.";
    HOLD_RELEASED = "hold.released": "This node no longer stands back.";
    RECORD_DAMAGED = "record.damaged": "What was saved cannot be trusted.";
    LINK_STATE = "link.state": "An interface went up or down, appeared or vanished.";
    DAEMON_REMARK = "daemon.remark": "Anything else: what a program or a file is about, what the system refused. In the log only.";
}

/// The kind as a number of 128 bits in hexadecimal: the beginning of a hash of its id, marked as a random UUID, as
/// journald's tools expect it.
pub(crate) fn message_id(id: &str) -> String {
    let mut octets = [0; 16];
    octets.copy_from_slice(&Sha256::digest(format!("tanist event {id}"))[..16]);
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// `UPDATE_EXPECT=1` writes the list anew.
    #[test]
    fn the_list_of_events_is_complete() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
        let text = std::fs::read_to_string(&path).expect("the list is there");
        let (head, _) = text.split_once("| Id |").expect("it has a table");
        let mut expected = format!("{head}| Id | | `MESSAGE_ID` |\n|---|---|---|\n");
        for Kind { id, words } in ALL {
            expected.push_str(&format!("| `{id}` | {words} | `{}` |\n", message_id(id)));
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            return std::fs::write(&path, &expected).expect("write the list");
        }
        assert!(text == expected, "docs/events.md lists other events; run this test with UPDATE_EXPECT=1");
    }

    #[test]
    fn no_two_kinds_are_the_same() {
        let ids: BTreeSet<&str> = ALL.iter().map(|kind| kind.id).collect();
        let numbers: BTreeSet<String> = ALL.iter().map(|kind| message_id(kind.id)).collect();
        assert_eq!((ids.len(), numbers.len()), (ALL.len(), ALL.len()));
    }

    /// Somebody's alarm hangs on them.
    #[test]
    fn numbers_are_for_ever() {
        assert_eq!(message_id(VRRP_STATE), "bf3b39a4ca0b46639f9f20e9a3b0bd32");
        assert_eq!(message_id(SERVICE_FAILED), "f7d7d1c2488741a196b8ca37d8d5a55b");
    }
}
