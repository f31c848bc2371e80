//! What keepalived 2.2.7 says of itself and we say otherwise or not at all, each with its reason: in one place, for all
//! tests that compare both.

type List = &'static [(&'static str, &'static str)];

/// Fields of the JSON whose values differ.
pub(crate) const JSON: List = &[
    ("data.last_transition", "each has its own moment"),
    ("data.higher_prio_send_advert", "a last advertisement before yielding is our default, as the manual says"),
    ("data.vroutes", "ours are told as `ip route` and the configuration have them, with our own protocol number"),
    ("data.vrules", "ours are told as `ip rule` and the configuration have them, with our own protocol number"),
    ("data.auth_data", "a password is nobody's business; newer ones mask it, too"),
    ("stats.advert_interval_err", "2.2.7 says it and does not count it"),
    ("stats.advert_sent", "it depends on how long a daemon was active"),
];

/// Of these, what differs only while the instance is active.
pub(crate) const JSON_WHILE_ACTIVE: List =
    &[("data.master_priority", "who is active has no other one above; keepalived keeps the last one's")];

/// Lines of the dump about an instance.
const INSTANCE: List = &[
    ("Last transition", "each has its own moment"),
    ("Read timeout", "each has its own moment, and ours has none while it is active"),
    ("Send advert after receive higher priority advert", "as in the JSON"),
    ("Master router", "2.2.7 names whatever address it has spelled last"),
    ("Password", "as in the JSON"),
    ("Virtual Routes", "as in the JSON"),
    ("Virtual Rules", "as in the JSON"),
    ("fd_in", "numbers of files of this process are nobody's business"),
];

/// Of these, what differs only while the instance is active.
const INSTANCE_WHILE_ACTIVE: List = &[("Master down timer", "nothing runs then; keepalived keeps what ran last")];

const INSECURE: &str = "what must not run for that reason is told of at the start and in `tanist status`";

/// Lines of the dump about anything else, by the beginnings of what they are about and of what they say.
const OTHERS: List = &[
    ("Static ", "told as the configuration has them, with our own protocol number"),
    ("VRRP Script = bad: Init state", "ours says whether `init_fail` stands there"),
    ("VRRP Script = good: Insecure", INSECURE),
    ("VRRP Script = other: Insecure", INSECURE),
    ("VRRP Script = bad: Insecure", INSECURE),
    ("VRRP Script = good: VRRP instances", "nothing ever stands below it"),
    ("VRRP Script = other: VRRP instances", "nothing ever stands below it"),
    ("VRRP Script = bad: VRRP instances", "nothing ever stands below it"),
    ("VRRP Track process = whole: Param match", "2.2.7 has no word for all parameters"),
    ("VRRP Sync Group = G, MASTER: Tracked scripts", "what a group tracks stands with each of its members"),
    ("Interfaces: ", "`ip -d link` says it better"),
    ("VRRP Sockpool: ", "numbers of files of this process, and how many sockets it has, are nobody's business"),
    ("Gratuitous ARP delays: ", "the pace stands in the configuration"),
    ("GARP delay group", "the pace stands in the configuration"),
    ("Global definitions: BFD ", "there is no such process"),
    ("Global definitions: Checker", "there is no such process"),
    ("Global definitions: LVS ", "there are no virtual servers"),
    ("Global definitions: lvs_", "there are no virtual servers"),
    ("Global definitions: Network namespace ipvs", "there are no virtual servers"),
    ("Global definitions: Default smtp_alert_checker", "there are no virtual servers"),
    ("Global definitions: rs_init_notifies", "there are no virtual servers"),
    ("Global definitions: no_checker_emails", "there are no virtual servers"),
    ("Global definitions: DBus ", "it does not speak there"),
    ("Global definitions: SNMP ", "it does not speak there"),
    ("Global definitions: Default smtp_alert", "what holds by default stands with each instance"),
    ("Global definitions: Default interface", "what holds by default stands with each address"),
    ("Global definitions: Gratuitous ", "what holds by default stands with each instance"),
    ("Global definitions: Num adverts before down", "what holds by default stands with each instance"),
    ("Global definitions: Send advert after receive ", "what holds by default stands with each instance"),
    ("Global definitions: VRRP IPv4 mcast group", "what holds by default stands with each instance"),
    ("Global definitions: VRRP IPv6 mcast group", "what holds by default stands with each instance"),
    ("Global definitions: VRRP check unicast_src", "what holds by default stands with each instance"),
    ("Global definitions: VRRP default protocol version", "what holds by default stands with each instance"),
    ("Global definitions: VRRP notify priority changes", "what holds by default stands with each instance"),
    ("Global definitions: VRRP skip check advert addresses", "what holds by default stands with each instance"),
    ("Global definitions: VRRP strict mode", "what holds by default stands with each instance"),
    ("Global definitions: Dynamic interfaces", "an interface may always come later"),
    ("Global definitions: No test config before reload", "a configuration is always read before it replaces another"),
    ("Global definitions: libnftnl version", "no such library is used"),
    ("Global definitions: nftables ", "they are ours to arrange; the name of the table is there if it was chosen"),
    ("Global definitions: process_monitor_rcv_bufs", "buffers stand in the configuration"),
    ("Global definitions: vrrp_netlink_", "buffers stand in the configuration"),
    ("Global definitions: rx_bufs_multiples", "buffers stand in the configuration"),
];

/// Counters of the statistics.
pub(crate) const COUNTERS: List = &[
    ("Advertisements Sent", "it depends on how long a daemon was active"),
    ("Packet Errors Advertisement Interval", "2.2.7 says it and does not count it"),
];

/// The line of a pipe that keepalived 2.2.7 repeats, and why.
pub(crate) const GOODBYE: (&str, &str) = (
    " MASTER_RX_LOWER_PRI ",
    "2.2.7 takes a goodbye for a lower priority; newer ones answer it and say nothing, as we do",
);

/// Which states `fifo_write_vrrp_states_on_reload` writes again, and why.
pub(crate) const STATES_AGAIN: &str = "2.2.7 leaves out who is active and in no group (decision 71)";

/// What differs in the header of IPv6 (RFC 8200 §3), and why.
pub(crate) fn blank_ipv6_header(packet: &mut [u8], unicast: bool) {
    // The kernel makes a flow label up for keepalived; ours has none (RFC 6437 §3).
    packet[1] &= 0xf0;
    packet[2..4].fill(0);
    if unicast {
        // The hop limit: 2.2.7 leaves it to the kernel; newer ones send 255, as we do.
        packet[7] = 0;
    }
}

/// A script of packets, a counter, what keepalived and we have there in the end, and why.
pub(crate) const COUNTED_OTHERWISE: &[(&str, &str, [u64; 2], &str)] = &[
    (
        "line version 3
        until BACKUP
        say 150 and 192.0.2.101 count 1",
        "Packet Errors Length",
        [1, 0],
        "RFC 9568 §7.1 asks for a complete packet, and versions to come may say more behind it",
    ),
    (
        "over ipv6
        until BACKUP
        say 150 count 1",
        "Packet Errors Length",
        [1, 0],
        "as over IPv4",
    ),
    (
        "line version 3
        line check_unicast_src
        line unicast_peer {
        line 192.0.2.2
        line }
        until BACKUP
        say 200 to 192.0.2.1 from 192.0.2.3",
        "Advertisements Received",
        [1, 0],
        "who is no peer has a counter of his own",
    ),
    (
        "line authentication {
        line auth_type AH
        line auth_pass secret
        line }
        until BACKUP
        say 150
        say 150 auth 1 secret
        say 150 auth 2 secret
        say 150 header 5 secret
        say 0 header 6 secret
        until MASTER",
        "Authentication Errors Type Mismatch",
        [0, 3],
        "where a header is wanted, keepalived has no ear for what has none; ours says who has been configured otherwise",
    ),
];

/// Whether this is listed.
pub(crate) fn lists(list: List, what: &str) -> bool {
    list.iter().any(|(listed, _)| *listed == what)
}

/// Whether a line of the dump is.
pub(crate) fn is_listed_line(about: &str, label: &str, active: bool) -> bool {
    if about.starts_with("VRRP Instance = ") {
        return lists(INSTANCE, label) || active && lists(INSTANCE_WHILE_ACTIVE, label);
    }
    let whole = format!("{about}: {label}");
    OTHERS.iter().any(|(beginning, _)| whole.starts_with(beginning))
}
