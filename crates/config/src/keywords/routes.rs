//! Options of routes and rules, a subset of what `ip route` and `ip rule` understand.

use super::{Form, INTERFACE, Keyword, ignored, words as several, works};

const NUMBER: Form = Form::Word("a number");
const NUMBER_OR_NAME: Form = Form::Word("a number or a name");
const ADDRESS: Form = Form::Address;
const NETWORK: Form = Form::Word("a network, an address or `default`");
const TIME: Form = several(1, 2, "perhaps `lock`, then a time like 250ms or 1.5s");
const METRIC: Form = several(1, 2, "perhaps `lock`, then a number");
const SWITCH: Form = several(1, 2, "perhaps `lock`, then 0 or 1");
const REALMS: Form = Form::Word("a number or a name, or two of them as FROM/TO");
const GROUP: Form = Form::Word("the name of a track_group");
const NO_TRACK: &str =
    "Somebody's removing it is left alone until the instance becomes Active again, and its interface does not count.";
const TRACK_GROUP: &str = "The track_group whose instances go to FAULT when it cannot be there (static ones only).";

/// An option with one value.
const fn route(name: &'static str, form: Form, words: &'static str, example: &'static str) -> Keyword {
    works(name, form, words, example)
}

/// An option without value.
const fn flag(name: &'static str, words: &'static str, example: &'static str) -> Keyword {
    works(name, Form::Flag, words, example)
}

pub(super) const ROUTE_OPTIONS: &[Keyword] = &[
    flag("unicast", "An ordinary route, as all are that say nothing else.", "unicast 198.51.100.0/24 via 192.0.2.254"),
    flag("local", "Delivered on this machine.", "local 198.51.100.1 dev lo"),
    flag("broadcast", "Sent as link broadcast.", "broadcast 198.51.100.255 dev eth0"),
    flag("multicast", "A multicast route.", "multicast 224.0.0.0/4 dev eth0"),
    flag("throw", "Ends the look-up in this table.", "throw 198.51.100.0/24 table 100"),
    flag("unreachable", "Answered with host unreachable.", "unreachable 198.51.100.0/24"),
    flag("prohibit", "Answered with administratively prohibited.", "prohibit 198.51.100.0/24"),
    flag("blackhole", "Dropped in silence.", "blackhole 198.51.100.0/24"),
    flag(
        "nat",
        "Gone from the kernel since 2.6.9: over IPv4 it refuses such a route, over IPv6 it takes it for an ordinary one.",
        "nat 2001:db8:1::/64 via 2001:db8::254",
    ),
    flag("inet6", "The route is of IPv6, where nothing else says so.", "inet6 default dev eth0 table 100"),
    route("to", NETWORK, "The destination; the word itself may be left out.", "to 198.51.100.0/24 via 192.0.2.254"),
    route(
        "src",
        ADDRESS,
        "The address that this machine's own packets come from.",
        "198.51.100.0/24 dev eth0 src 192.0.2.1",
    ),
    route("from", NETWORK, "Where packets come from (IPv6).", "2001:db8:1::/48 from 2001:db8:2::/48 via 2001:db8::1"),
    route(
        "via",
        several(1, 2, "an address, after `inet6` if it is of the other family"),
        "The next router.",
        "198.51.100.0/24 via 192.0.2.254",
    )
    .synonyms(&["gw"]),
    flag(
        "nexthop",
        "Begins one of several ways; only its own options follow.",
        "198.51.100.0/24 nexthop via 192.0.2.253 nexthop via 192.0.2.254",
    ),
    route(
        "or",
        ADDRESS,
        "A second router, beside that of `via`. Newer: `nexthop`.",
        "198.51.100.0/24 via 192.0.2.253 or 192.0.2.254",
    ),
    route("dev", INTERFACE, "The interface.", "198.51.100.0/24 dev eth0").synonyms(&["oif"]),
    route("table", NUMBER_OR_NAME, "The routing table.", "198.51.100.0/24 via 192.0.2.254 table 100").default("main"),
    route("scope", NUMBER_OR_NAME, "How far the destination is (IPv4).", "198.51.100.0/24 dev eth0 scope link")
        .default("global; host for `local`, link for `broadcast`")
        .differs("keepalived asks for `global` everywhere, which the kernel refuses for the last two (decision 28)."),
    route(
        "protocol",
        NUMBER_OR_NAME,
        "Who made the route, as `ip route` shows it.",
        "198.51.100.0/24 dev eth0 protocol static",
    )
    .default("116, by which Tanist knows its own")
    .differs("It holds also without `no_track` (decision 28)."),
    route("tos", NUMBER_OR_NAME, "Type of service (IPv4).", "198.51.100.0/24 dev eth0 tos 8").synonyms(&["dsfield"]),
    route("metric", NUMBER, "The lowest wins.", "198.51.100.0/24 dev eth0 metric 10")
        .synonyms(&["priority", "preference"])
        .default("0, and 1024 for IPv6"),
    route("mtu", METRIC, "Largest packet in octets.", "198.51.100.0/24 dev eth0 mtu 1400"),
    route("hoplimit", METRIC, "Hop limit, up to 255.", "198.51.100.0/24 dev eth0 hoplimit 64"),
    route("advmss", METRIC, "Segment size told to TCP peers, in octets.", "198.51.100.0/24 dev eth0 advmss 1360"),
    route(
        "rtt",
        TIME,
        "First guess of the round trip, at least 200 ms; a number without unit is in eighths of a millisecond.",
        "198.51.100.0/24 dev eth0 rtt 300ms",
    ),
    route(
        "rttvar",
        TIME,
        "First guess of its variance, at least 200 ms; a number without unit is in quarters of a millisecond.",
        "198.51.100.0/24 dev eth0 rttvar 300ms",
    ),
    route("reordering", METRIC, "Reordering that TCP expects, in segments.", "198.51.100.0/24 dev eth0 reordering 3"),
    route("window", METRIC, "Largest TCP window in octets.", "198.51.100.0/24 dev eth0 window 65535"),
    route("cwnd", METRIC, "Bound of the congestion window in segments.", "198.51.100.0/24 dev eth0 cwnd 10"),
    route("ssthresh", METRIC, "Slow start threshold in segments.", "198.51.100.0/24 dev eth0 ssthresh 10"),
    route("realms", REALMS, "Realms for accounting (IPv4).", "198.51.100.0/24 dev eth0 realms 1/2"),
    route(
        "rto_min",
        TIME,
        "Least retransmission time; a number without unit is in milliseconds.",
        "198.51.100.0/24 dev eth0 rto_min 200ms",
    ),
    route("initcwnd", METRIC, "First congestion window in segments.", "198.51.100.0/24 dev eth0 initcwnd 10"),
    route("initrwnd", METRIC, "First receive window in segments.", "198.51.100.0/24 dev eth0 initrwnd 10"),
    route("features", several(1, 2, "ecn"), "A feature of TCP.", "198.51.100.0/24 dev eth0 features ecn"),
    route("quickack", SWITCH, "Acknowledge at once.", "198.51.100.0/24 dev eth0 quickack 1"),
    route(
        "congctl",
        several(1, 2, "perhaps `lock`, then a name"),
        "Congestion control.",
        "198.51.100.0/24 dev eth0 congctl cubic",
    ),
    route(
        "pref",
        Form::Choice(&["low", "medium", "high"]),
        "Preference of a router (IPv6).",
        "2001:db8:1::/48 via 2001:db8::1 pref high",
    )
    .default("medium"),
    route(
        "expires",
        NUMBER,
        "The kernel forgets it after so many seconds (IPv6), and then it is not put back.",
        "2001:db8:1::/48 via 2001:db8::1 expires 60",
    ),
    route(
        "encap",
        several(2, usize::MAX, "mpls LABELS, ip or ip6 with `id N dst ADDRESS …`, or ila LOCATOR"),
        "What packets are wrapped in.",
        "198.51.100.0/24 encap ip id 5 dst 203.0.113.1 dev eth0",
    ),
    ignored(
        "as",
        several(1, 2, "perhaps `to`, then an address"),
        "it is for routes of MPLS, which cannot be written here",
        "Changed destination.",
        "198.51.100.0/24 dev eth0 as to 203.0.113.1",
    ),
    flag(
        "onlink",
        "The router is on this link, whatever its address says.",
        "198.51.100.0/24 via 192.0.2.254 dev eth0 onlink",
    ),
    route(
        "weight",
        NUMBER,
        "Share of a next router, 1 to 256.",
        "198.51.100.0/24 nexthop via 192.0.2.253 nexthop via 192.0.2.254 weight 2",
    )
    .default("1"),
    route(
        "ttl-propagate",
        Form::Choice(&["enabled", "disabled"]),
        "Copy the time to live to and from MPLS.",
        "198.51.100.0/24 dev eth0 ttl-propagate enabled",
    ),
    route(
        "fastopen_no_cookie",
        SWITCH,
        "TCP fast open without cookie.",
        "198.51.100.0/24 dev eth0 fastopen_no_cookie 1",
    ),
    route(
        "vrf",
        INTERFACE,
        "The VRF in whose table it is, by the name of its interface.",
        "198.51.100.0/24 dev eth0 vrf blue",
    ),
    flag("add", "Add the route only if there is no other to the same destination.", "198.51.100.0/24 dev eth0 add"),
    flag("append", "Add the route behind others.", "198.51.100.0/24 dev eth0 append"),
    flag(
        "prepend",
        "Add the route before others, as all are that say nothing else.",
        "198.51.100.0/24 dev eth0 prepend",
    ),
    flag("no_track", NO_TRACK, "198.51.100.0/24 dev eth0 no_track"),
    route("track_group", GROUP, TRACK_GROUP, "198.51.100.0/24 dev eth0 track_group G1"),
];

pub(super) const RULE_OPTIONS: &[Keyword] = &[
    flag("not", "It is about all packets that do not fit.", "not from 192.0.2.0/24 table 100"),
    flag("inet6", "The rule is of IPv6, where nothing else says so.", "inet6 fwmark 1 table 100"),
    route("from", NETWORK, "Where packets come from.", "from 192.0.2.0/24 table 100"),
    route("to", NETWORK, "Where packets go.", "to 198.51.100.0/24 table 100"),
    route("table", NUMBER_OR_NAME, "The routing table to look into.", "from 192.0.2.0/24 table 100")
        .synonyms(&["lookup"]),
    route("preference", NUMBER, "The lowest is asked first.", "from 192.0.2.0/24 table 100 preference 10")
        .synonyms(&["order", "priority"])
        .default("counted down from 16384 in the order of the file"),
    route("tos", NUMBER_OR_NAME, "Type of service.", "tos 8 table 100").synonyms(&["dsfield"]),
    route("fwmark", Form::Word("a number, or MARK/MASK"), "Mark of the packet filter.", "fwmark 0x10/0xff table 100"),
    route("realms", REALMS, "Realms for accounting (IPv4).", "from 192.0.2.0/24 realms 1 table 100"),
    route(
        "suppress_prefixlength",
        NUMBER,
        "Pass over routes whose prefix is as short as this, or shorter.",
        "table main suppress_prefixlength 0",
    ),
    route(
        "suppress_ifgroup",
        NUMBER_OR_NAME,
        "Pass over routes over interfaces of this group.",
        "table main suppress_ifgroup 1",
    ),
    route("iif", INTERFACE, "The interface that a packet came in by.", "iif eth0 table 100").synonyms(&["dev"]),
    route("oif", INTERFACE, "The interface that a socket is bound to.", "oif eth0 table 100"),
    route("tunnel-id", NUMBER, "Key of the tunnel that a packet came out of.", "tunnel-id 1 table 100"),
    route("uidrange", Form::Word("FIRST-LAST"), "Users that send.", "uidrange 1000-1999 table 100"),
    flag("l3mdev", "Look into the table of the packet's VRF.", "l3mdev preference 10"),
    route("ipproto", NUMBER_OR_NAME, "IP protocol.", "ipproto tcp table 100"),
    route("sport", Form::Word("a port or FIRST-LAST"), "Source ports.", "ipproto tcp sport 80 table 100"),
    route("dport", Form::Word("a port or FIRST-LAST"), "Destination ports.", "ipproto tcp dport 8000-8999 table 100"),
    route("goto", NUMBER, "Go on at the rule of this preference.", "from 192.0.2.0/24 goto 1000 preference 10"),
    flag("nop", "Do nothing.", "from 192.0.2.0/24 nop"),
    flag("blackhole", "Drop packets in silence.", "from 192.0.2.0/24 blackhole"),
    flag("unreachable", "Answer with network unreachable.", "from 192.0.2.0/24 unreachable"),
    flag("prohibit", "Answer with administratively prohibited.", "from 192.0.2.0/24 prohibit"),
    route(
        "type",
        Form::Choice(&["blackhole", "unreachable", "prohibit", "nop"]),
        "What is done about the packets.",
        "from 192.0.2.0/24 type blackhole",
    ),
    route(
        "protocol",
        NUMBER_OR_NAME,
        "Who made the rule, as `ip -d rule` shows it.",
        "from 192.0.2.0/24 table 100 protocol static",
    )
    .default("116, by which Tanist knows its own")
    .differs("It holds also without `no_track` (decision 28)."),
    flag("no_track", NO_TRACK, "from 192.0.2.0/24 table 100 no_track"),
    route("track_group", GROUP, TRACK_GROUP, "from 192.0.2.0/24 table 100 track_group G1"),
];
