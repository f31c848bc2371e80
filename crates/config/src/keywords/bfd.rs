//! `bfd_instance`.

use super::{Form, Keyword, not_built, whole, words};

const MILLISECONDS: Form = Form::Word("milliseconds, decimals allowed");

pub(super) const KEYWORDS: &[Keyword] = &[
    not_built("neighbor_ip", Form::Address, "The neighbour.", "neighbor_ip 192.0.2.2").synonyms(&["neighbour_ip"]),
    not_built("source_ip", Form::Address, "The address to send from.", "source_ip 192.0.2.1"),
    not_built("min_rx", MILLISECONDS, "Required_Min_Rx_Interval (RFC 5880).", "min_rx 100").default("10"),
    not_built("min_tx", MILLISECONDS, "Desired_Min_Tx_Interval (RFC 5880).", "min_tx 100").default("10"),
    not_built("idle_tx", MILLISECONDS, "Interval while the session is down.", "idle_tx 1000").default("1000"),
    not_built("multiplier", whole("", 1, 255), "Detect_Mult (RFC 5880).", "multiplier 5").default("5"),
    not_built("passive", Form::Flag, "Wait for the neighbour to speak first.", "passive"),
    not_built("ttl", whole("", 1, 255), "Time to live of what we send.", "ttl 255")
        .synonyms(&["hoplimit"])
        .default("255"),
    not_built("max_hops", whole("", 0, 255), "How far away the neighbour may be.", "max_hops 0").default("0"),
    not_built("multihop", Form::Flag, "Use the port for sessions over several hops (RFC 5883).", "multihop")
        .since("2.2.8"),
    not_built(
        "weight",
        words(1, 2, "a number from -253 to 253, and perhaps `reverse`"),
        "What the session's state does to the priority; 0 is a FAULT.",
        "weight -20",
    )
    .default("0"),
    not_built("vrrp", Form::Flag, "VRRP instances hear about the session.", "vrrp"),
    not_built("checker", Form::Flag, "Real servers hear about the session.", "checker"),
];
