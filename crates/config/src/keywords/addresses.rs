//! Options of addresses and of unicast peers.

use super::{Form, INTERFACE, Keyword, not_built, whole, works};

pub(super) const ADDRESS_OPTIONS: &[Keyword] = &[
    works(
        "brd",
        Form::Word("an address, `+` or `-`"),
        "Broadcast address; `+` sets all bits of the host part, `-` clears them.",
        "192.0.2.1/24 brd 192.0.2.255",
    ),
    works("dev", INTERFACE, "The interface to put it on.", "192.0.2.1/24 dev eth1").default("the instance's interface"),
    works(
        "scope",
        Form::Word("global, site, link, host or a number"),
        "How far the address is valid.",
        "192.0.2.1/24 scope link",
    )
    .default("global"),
    works(
        "label",
        Form::Word("at most 15 characters"),
        "A label, as `ip address` shows it.",
        "192.0.2.1/24 label eth0:vip",
    ),
    not_built("use_vmac", Form::Flag, "Put it on a virtual MAC interface.", "192.0.2.1/24 dev eth1 use_vmac"),
    not_built("peer", Form::Word("an address"), "The other end of a point-to-point link.", "192.0.2.1 peer 192.0.2.2"),
    not_built("home", Form::Flag, "Mark it as home address (IPv6).", "192.0.2.1 home"),
    not_built("-nodad", Form::Flag, "Look for duplicates after all (IPv6).", "192.0.2.1 -nodad"),
    not_built("mngtmpaddr", Form::Flag, "Template of temporary addresses (IPv6).", "192.0.2.1 mngtmpaddr"),
    not_built("noprefixroute", Form::Flag, "Add no route for its network.", "192.0.2.1/24 noprefixroute"),
    not_built("autojoin", Form::Flag, "Join multicast groups for it.", "192.0.2.1 autojoin"),
    not_built("no_track", Form::Flag, "Do not mind when somebody removes it.", "192.0.2.1 no_track"),
    not_built(
        "preferred_lft",
        Form::Word("seconds or `forever`"),
        "How long it is preferred as a source.",
        "192.0.2.1 preferred_lft 0",
    ),
    not_built(
        "track_group",
        Form::Word("a name"),
        "The track_group to tell (static addresses).",
        "192.0.2.1 track_group G1",
    ),
];

pub(super) const PEER_OPTIONS: &[Keyword] = &[
    works(
        "min_ttl",
        whole("", 0, 255),
        "Least time to live that its advertisements may have. With this or `max_ttl`, only peers are heard.",
        "192.0.2.2 min_ttl 254",
    )
    .default("0"),
    works(
        "max_ttl",
        whole("", 0, 255),
        "Greatest time to live that its advertisements may have.",
        "192.0.2.2 min_ttl 250 max_ttl 254",
    )
    .default("255"),
];
