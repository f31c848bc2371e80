//! Options of routes and rules, a subset of what `ip route` and `ip rule` understand.

use super::{Form, Keyword, not_built};

const WORD: Form = Form::Word("a value");

/// A route option with one value.
const fn route(name: &'static str, words: &'static str, example: &'static str) -> Keyword {
    not_built(name, WORD, words, example)
}

/// An option without value.
const fn flag(name: &'static str, words: &'static str, example: &'static str) -> Keyword {
    not_built(name, Form::Flag, words, example)
}

pub(super) const ROUTE_OPTIONS: &[Keyword] = &[
    flag("unicast", "An ordinary route.", "unicast 198.51.100.0/24 via 192.0.2.254"),
    flag("local", "Delivered on this machine.", "local 198.51.100.1"),
    flag("broadcast", "Sent as link broadcast.", "broadcast 198.51.100.255"),
    flag("multicast", "A multicast route.", "multicast 224.0.0.0/4 dev eth0"),
    flag("throw", "Ends the look-up in this table.", "throw 198.51.100.0/24"),
    flag("unreachable", "Answered with host unreachable.", "unreachable 198.51.100.0/24"),
    flag("prohibit", "Answered with administratively prohibited.", "prohibit 198.51.100.0/24"),
    flag("blackhole", "Dropped in silence.", "blackhole 198.51.100.0/24"),
    flag("nat", "Long gone from the kernel.", "nat 198.51.100.0/24"),
    route("to", "The destination.", "to 198.51.100.0/24 via 192.0.2.254"),
    route("src", "Preferred source address.", "198.51.100.0/24 src 192.0.2.1"),
    route("from", "Source network (IPv6).", "198.51.100.0/24 from 192.0.2.0/24"),
    route("via", "The next router.", "198.51.100.0/24 via 192.0.2.254").synonyms(&["gw"]),
    not_built(
        "nexthop",
        Form::Words { min: 1, max: usize::MAX, shape: "options" },
        "One of several next routers.",
        "198.51.100.0/24 nexthop via 192.0.2.254",
    ),
    route("or", "A second router.", "198.51.100.0/24 via 192.0.2.253 or 192.0.2.254"),
    route("dev", "The interface.", "198.51.100.0/24 dev eth0").synonyms(&["oif"]),
    route("table", "The routing table.", "198.51.100.0/24 via 192.0.2.254 table 100"),
    route("scope", "How far the destination is.", "198.51.100.0/24 dev eth0 scope link"),
    route("protocol", "Who made the route.", "198.51.100.0/24 dev eth0 protocol 18"),
    route("tos", "Type of service.", "198.51.100.0/24 dev eth0 tos 8"),
    route("metric", "The lowest wins.", "198.51.100.0/24 dev eth0 metric 10").synonyms(&["priority", "preference"]),
    route("mtu", "Largest packet.", "198.51.100.0/24 dev eth0 mtu 1400"),
    route("hoplimit", "Hop limit.", "198.51.100.0/24 dev eth0 hoplimit 64"),
    route("advmss", "Segment size told to TCP peers.", "198.51.100.0/24 dev eth0 advmss 1360"),
    route("rtt", "First guess of the round trip.", "198.51.100.0/24 dev eth0 rtt 100"),
    route("rttvar", "First guess of its variance.", "198.51.100.0/24 dev eth0 rttvar 50"),
    route("reordering", "Reordering that TCP expects.", "198.51.100.0/24 dev eth0 reordering 3"),
    route("window", "Largest TCP window.", "198.51.100.0/24 dev eth0 window 65535"),
    route("cwnd", "Congestion window.", "198.51.100.0/24 dev eth0 cwnd 10"),
    route("ssthresh", "Slow start threshold.", "198.51.100.0/24 dev eth0 ssthresh 10"),
    route("realms", "Realms for accounting.", "198.51.100.0/24 dev eth0 realms 1"),
    route("rto_min", "Least retransmission time.", "198.51.100.0/24 dev eth0 rto_min 200"),
    route("initcwnd", "First congestion window.", "198.51.100.0/24 dev eth0 initcwnd 10"),
    route("initrwnd", "First receive window.", "198.51.100.0/24 dev eth0 initrwnd 10"),
    route("features", "TCP features such as ecn.", "198.51.100.0/24 dev eth0 features ecn"),
    route("quickack", "Acknowledge at once.", "198.51.100.0/24 dev eth0 quickack 1"),
    route("congctl", "Congestion control.", "198.51.100.0/24 dev eth0 congctl cubic"),
    route("pref", "Preference of a router (IPv6).", "198.51.100.0/24 dev eth0 pref high"),
    route("expires", "Lifetime in seconds.", "198.51.100.0/24 dev eth0 expires 60"),
    not_built(
        "encap",
        Form::Words { min: 1, max: usize::MAX, shape: "a kind and its options" },
        "Encapsulation: mpls, ip, ip6, ila.",
        "198.51.100.0/24 encap mpls 100",
    ),
    route("as", "Changed destination.", "198.51.100.0/24 as to 203.0.113.0/24"),
    flag("onlink", "The router is on this link, whatever its address says.", "198.51.100.0/24 via 192.0.2.254 onlink"),
    route("weight", "Share of a next router.", "198.51.100.0/24 nexthop via 192.0.2.254 weight 2"),
    route("ttl-propagate", "Copy the time to live.", "198.51.100.0/24 dev eth0 ttl-propagate enabled"),
    route("fastopen_no_cookie", "TCP fast open without cookie.", "198.51.100.0/24 dev eth0 fastopen_no_cookie 1"),
    route("vrf", "The VRF.", "198.51.100.0/24 dev eth0 vrf blue"),
    flag("add", "Add the route.", "198.51.100.0/24 dev eth0 add"),
    flag("append", "Add the route behind others.", "198.51.100.0/24 dev eth0 append"),
    flag("prepend", "Add the route before others.", "198.51.100.0/24 dev eth0 prepend"),
    flag("no_track", "Do not mind when somebody removes it.", "198.51.100.0/24 dev eth0 no_track"),
    route("track_group", "The track_group to tell.", "198.51.100.0/24 dev eth0 track_group G1"),
];

pub(super) const RULE_OPTIONS: &[Keyword] = &[
    route("from", "Source network.", "from 192.0.2.0/24 table 100"),
    route("to", "Destination network.", "to 198.51.100.0/24 table 100"),
    route("table", "The routing table to look into.", "from 192.0.2.0/24 table 100").synonyms(&["lookup"]),
    route("preference", "The lowest is asked first.", "from 192.0.2.0/24 table 100 preference 10")
        .synonyms(&["order", "priority"]),
    route("tos", "Type of service.", "tos 8 table 100").synonyms(&["dsfield"]),
    route("fwmark", "Mark of the packet filter.", "fwmark 1 table 100"),
    route("realms", "Realms for accounting.", "from 192.0.2.0/24 realms 1"),
    route("suppress_prefixlength", "Ignore routes as short as this.", "table main suppress_prefixlength 0"),
    route("suppress_ifgroup", "Ignore routes to this group.", "table main suppress_ifgroup 1"),
    route("iif", "The interface that a packet came in by.", "iif eth0 table 100").synonyms(&["dev"]),
    route("oif", "The interface that a socket is bound to.", "oif eth0 table 100"),
    route("tunnel-id", "Key of a tunnel.", "tunnel-id 1 table 100"),
    route("uidrange", "Users that send.", "uidrange 1000-1999 table 100"),
    flag("l3mdev", "The table of the VRF.", "l3mdev"),
    route("ipproto", "IP protocol.", "ipproto tcp table 100"),
    route("sport", "Source ports.", "sport 80 table 100"),
    route("dport", "Destination ports.", "dport 80 table 100"),
    route("goto", "Go on at another rule.", "from 192.0.2.0/24 goto 1000"),
    flag("nop", "Do nothing.", "from 192.0.2.0/24 nop"),
    route("type", "blackhole, unreachable or prohibit.", "from 192.0.2.0/24 type blackhole"),
    flag("no_track", "Do not mind when somebody removes it.", "from 192.0.2.0/24 table 100 no_track"),
    route("track_group", "The track_group to tell.", "from 192.0.2.0/24 table 100 track_group G1"),
];
