//! Options of addresses and of unicast peers.

use super::{Form, INTERFACE, Keyword, whole, works};

pub(super) const ADDRESS_OPTIONS: &[Keyword] = &[
    works(
        "brd",
        Form::Word("an address, `+` or `-`"),
        "Broadcast address; `+` sets all bits of the host part, `-` clears them.",
        "192.0.2.1/24 brd 192.0.2.255",
    )
    .synonyms(&["broadcast"]),
    works("dev", INTERFACE, "The interface to put it on.", "192.0.2.1/24 dev eth1")
        .default("the instance's interface, or `default_interface`"),
    works(
        "scope",
        Form::Word("global, site, link, host, nowhere, a name from rt_scopes or a number"),
        "How far the address is valid (IPv4).",
        "192.0.2.1/24 scope link",
    )
    .default("global"),
    works(
        "label",
        Form::Word("at most 15 characters"),
        "A label, as `ip address` shows it (IPv4).",
        "192.0.2.1/24 label eth0:vip",
    ),
    works(
        "use_vmac",
        Form::Flag,
        "Put it on an interface of its own on top of that, with the MAC address of the virtual router.",
        "192.0.2.1/24 dev eth1 use_vmac",
    ),
    works("peer", Form::Address, "The other end of a link that has only two.", "192.0.2.1 peer 192.0.2.2"),
    works("home", Form::Flag, "Mark it as home address of Mobile IPv6.", "2001:db8::1/64 home"),
    works("-nodad", Form::Flag, "Look for duplicates after all (IPv6).", "2001:db8::1/64 -nodad"),
    works(
        "mngtmpaddr",
        Form::Flag,
        "The kernel derives temporary addresses from it (IPv6, a prefix of 64).",
        "2001:db8::1/64 mngtmpaddr",
    ),
    works("noprefixroute", Form::Flag, "Add no route for its network.", "192.0.2.1/24 noprefixroute"),
    works("autojoin", Form::Flag, "Join it: it is a multicast group.", "239.1.2.3 autojoin"),
    works(
        "no_track",
        Form::Flag,
        "Somebody's removing it is left alone until the instance becomes Active again, and its interface does not \
         count.",
        "192.0.2.1 no_track",
    ),
    works(
        "preferred_lft",
        Form::Word("seconds or `forever`"),
        "How long this host prefers it as the source of what it begins (IPv6); 0 is never.",
        "2001:db8::1/64 preferred_lft 0",
    )
    .default("0 for a single address (/128), otherwise forever"),
    works(
        "track_group",
        Form::Word("the name of a track_group"),
        "The track_group whose instances go to FAULT when it cannot be there (static addresses only).",
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
