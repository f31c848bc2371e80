//! IPVS: `virtual_server_group`, `virtual_server`, `real_server`.

use super::{Block, COMMAND_AS, Form, Keyword, OPTIONAL_BOOL, WHOLE_SECONDS, not_built, seconds, whole, words};

const WEIGHT: Form = whole("", 0, 2_147_483_647);
const FORWARDING: Form = words(1, usize::MAX, "NAT, DR or TUN, and options");

pub(super) const GROUP: &[Keyword] = &[not_built(
    "fwmark",
    words(1, 2, "a number, and perhaps inet or inet6"),
    "A firewall mark among the addresses of the group.",
    "fwmark 1",
)];

pub(super) const VIRTUAL_SERVER: &[Keyword] = &[
    not_built(
        "lb_algo",
        Form::Word("a scheduler"),
        "How connections are spread: rr, wrr, lc, wlc, sh and more.",
        "lb_algo rr",
    )
    .synonyms(&["lvs_sched"])
    .default("wlc"),
    not_built("lb_kind", FORWARDING, "How packets reach the servers.", "lb_kind NAT")
        .synonyms(&["lvs_method"])
        .default("NAT"),
    not_built("protocol", Form::Choice(&["TCP", "UDP", "SCTP"]), "The protocol.", "protocol TCP").default("UDP"),
    not_built("delay_loop", seconds(1, 4_294_967), "Time between checks.", "delay_loop 6").default("60"),
    not_built(
        "persistence_timeout",
        words(0, 1, "perhaps seconds"),
        "How long a client stays with its server.",
        "persistence_timeout 360",
    ),
    not_built(
        "persistence_granularity",
        Form::Word("a mask"),
        "Clients that count as one.",
        "persistence_granularity 255.255.255.0",
    ),
    not_built("persistence_engine", Form::Word("a name"), "The kernel's helper for it.", "persistence_engine sip"),
    not_built("hashed", Form::Flag, "Keep persistence by hash.", "hashed"),
    not_built("ops", Form::Flag, "Schedule each UDP packet anew.", "ops"),
    not_built("flag-1", Form::Flag, "First flag of the scheduler.", "flag-1"),
    not_built("flag-2", Form::Flag, "Second flag of the scheduler.", "flag-2"),
    not_built("flag-3", Form::Flag, "Third flag of the scheduler.", "flag-3"),
    not_built("sh-port", Form::Flag, "Source hashing with the port.", "sh-port"),
    not_built("sh-fallback", Form::Flag, "Source hashing goes on to the next server.", "sh-fallback"),
    not_built("mh-port", Form::Flag, "Maglev hashing with the port.", "mh-port"),
    not_built("mh-fallback", Form::Flag, "Maglev hashing goes on to the next server.", "mh-fallback"),
    not_built("ip_family", Form::Choice(&["inet", "inet6"]), "Family of a service by firewall mark.", "ip_family inet"),
    not_built("connect_timeout", seconds(1, 4_294_967), "How long a connection may take.", "connect_timeout 5")
        .default("5"),
    not_built("retry", whole("", 0, 2_147_483_647), "Failures in a row that are forgiven.", "retry 3"),
    not_built("delay_before_retry", seconds(1, 4_294_967), "Time between tries.", "delay_before_retry 3"),
    not_built("warmup", seconds(0, 4_294_967), "Random delay of the first check.", "warmup 1"),
    not_built(
        "inhibit_on_failure",
        Form::Flag,
        "A failed server gets weight 0 instead of being removed.",
        "inhibit_on_failure",
    ),
    not_built("alpha", Form::Flag, "Servers are down until checked.", "alpha"),
    not_built("omega", Form::Flag, "Run the scripts for going down at the end.", "omega"),
    not_built("quorum", whole("", 1, 2_147_483_647), "Sum of weights that must live.", "quorum 1").default("1"),
    not_built("hysteresis", whole("", 0, 2_147_483_647), "Distance between losing and gaining it.", "hysteresis 0")
        .default("0"),
    not_built("quorum_up", COMMAND_AS, "Runs when it is gained.", "quorum_up \"/etc/k/up.sh\""),
    not_built("quorum_down", COMMAND_AS, "Runs when it is lost.", "quorum_down \"/etc/k/down.sh\""),
    not_built("weight", WEIGHT, "Weight of servers that give none.", "weight 1").default("1"),
    not_built("ha_suspend", Form::Flag, "Check only while we hold the address.", "ha_suspend"),
    not_built("virtualhost", Form::Word("a host name"), "Host name of HTTP checks.", "virtualhost www.example.com"),
    not_built(
        "sorry_server",
        words(1, 2, "an address and a port"),
        "Used when all others are gone.",
        "sorry_server 192.0.2.9 80",
    ),
    not_built("sorry_server_inhibit", Form::Flag, "The same as inhibit_on_failure for it.", "sorry_server_inhibit"),
    not_built("sorry_server_lvs_method", FORWARDING, "How packets reach it.", "sorry_server_lvs_method NAT"),
    not_built("smtp_alert", OPTIONAL_BOOL, "Send mail about it.", "smtp_alert"),
    not_built("snmp_name", Form::Word("a name"), "Its name in SNMP.", "snmp_name web"),
    not_built(
        "real_server",
        words(1, 2, "an address and a port"),
        "A server behind it.",
        "real_server 192.0.2.21 80 { weight 1 }",
    ),
];

pub(super) const REAL_SERVER: &[Keyword] = &[
    not_built("weight", WEIGHT, "Its share of connections.", "weight 1").default("1"),
    not_built("lvs_method", FORWARDING, "How packets reach it.", "lvs_method DR"),
    not_built("uthreshold", WEIGHT, "Most connections.", "uthreshold 1000"),
    not_built("lthreshold", WEIGHT, "Connections at which it takes more again.", "lthreshold 800"),
    not_built(
        "inhibit_on_failure",
        Form::Flag,
        "When failed, weight 0 instead of being removed.",
        "inhibit_on_failure",
    ),
    not_built("notify_up", COMMAND_AS, "Runs when it comes up.", "notify_up \"/etc/k/up.sh\""),
    not_built("notify_down", COMMAND_AS, "Runs when it goes down.", "notify_down \"/etc/k/down.sh\""),
    not_built("alpha", OPTIONAL_BOOL, "Down until checked.", "alpha"),
    not_built("retry", whole("", 0, 2_147_483_647), "Failures in a row that are forgiven.", "retry 3"),
    not_built("delay_before_retry", seconds(1, 4_294_967), "Time between tries.", "delay_before_retry 3"),
    not_built("warmup", seconds(0, 4_294_967), "Random delay of the first check.", "warmup 1"),
    not_built("connect_timeout", WHOLE_SECONDS, "How long a connection may take.", "connect_timeout 5"),
    not_built("delay_loop", seconds(1, 4_294_967), "Time between checks.", "delay_loop 6"),
    not_built("smtp_alert", OPTIONAL_BOOL, "Send mail about it.", "smtp_alert").default("on"),
    not_built("virtualhost", Form::Word("a host name"), "Host name of HTTP checks.", "virtualhost www.example.com"),
    not_built("snmp_name", Form::Word("a name"), "Its name in SNMP.", "snmp_name web1"),
    not_built(
        "TCP_CHECK",
        Form::Block(Block::TcpCheck),
        "Good if a connection succeeds.",
        "TCP_CHECK { connect_port 80 }",
    ),
    not_built(
        "HTTP_GET",
        Form::Block(Block::HttpGet),
        "Good if pages answer as expected.",
        "HTTP_GET { url { path / } }",
    ),
    not_built("SSL_GET", Form::Block(Block::HttpGet), "The same over TLS.", "SSL_GET { url { path / } }"),
    not_built(
        "MISC_CHECK",
        Form::Block(Block::MiscCheck),
        "Good if a script says so.",
        "MISC_CHECK { misc_path \"/etc/k/c.sh\" }",
    ),
    not_built(
        "SMTP_CHECK",
        Form::Block(Block::SmtpCheck),
        "Good if a mail server greets.",
        "SMTP_CHECK { helo_name me }",
    ),
    not_built(
        "DNS_CHECK",
        Form::Block(Block::DnsCheck),
        "Good if a name server answers.",
        "DNS_CHECK { name example.com }",
    ),
    not_built(
        "UDP_CHECK",
        Form::Block(Block::UdpCheck),
        "Good if nothing refuses a datagram.",
        "UDP_CHECK { payload 00 }",
    )
    .since("2.1.0"),
    not_built(
        "PING_CHECK",
        Form::Block(Block::PingCheck),
        "Good if it answers an echo request.",
        "PING_CHECK { retry 2 }",
    )
    .since("2.1.0"),
    not_built(
        "FILE_CHECK",
        Form::Block(Block::FileCheck),
        "Good if a tracked file says so.",
        "FILE_CHECK { track_file load }",
    )
    .since("2.1.0"),
    not_built("BFD_CHECK", Form::Block(Block::BfdCheck), "Good while a BFD session is up.", "BFD_CHECK { name peer }"),
];
