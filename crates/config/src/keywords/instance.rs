//! `vrrp_instance` and the blocks inside it.

use super::{
    Block, COMMAND_AS, COUNT, Form, INTERFACE, Keyword, List, MANY_SECONDS, OPTIONAL_BOOL, WHOLE_SECONDS, ignored,
    not_built, seconds, whole, words, works,
};

pub(super) const KEYWORDS: &[Keyword] = &[
    works(
        "state",
        Form::Word("MASTER or BACKUP"),
        "What the router is meant to be at first. It decides next to nothing: without `priority`, MASTER means 255; \
         and it switches off `nopreempt` and `preempt_delay`. Who becomes Active is decided by the priority.",
        "state BACKUP",
    ),
    works("interface", INTERFACE, "The interface that advertisements and addresses use.", "interface eth0").differs(
        "An interface that does not exist, at the start or later, is a FAULT that ends when it appears; \
         keepalived needs `dynamic_interfaces` for that and refuses to start without it (decision 3). \
         keepalived 2.2.7 refuses to start without `interface`, against its own manual; older and newer ones do not.",
    )
    .default(
        "only with `unicast_peer` and `unicast_src_ip`: advertisements go where the routes say, come in anywhere, and \
         addresses without `dev` are on `default_interface`",
    ),
    works(
        "virtual_router_id",
        whole("", 1, 255),
        "Which virtual router this is: the same number on all its nodes, another one for any other on the network.",
        "virtual_router_id 51",
    ),
    works(
        "priority",
        whole("", 1, 255),
        "The highest becomes Active. 255 is the address owner, whose own addresses these are. Where it advertises from one of \
         them, its standbys need `use_vmac`, or the kernel's option `accept_local` on their interface: Linux takes no packet \
         from an address that it has itself, so who has taken over would not hear the owner come back.",
        "priority 150",
    )
    .default("100; 255 with `state MASTER`")
    .differs(
        "Of two address owners the one with the higher address stays, the other one waits as a Backup; keepalived \
         steps down to 254 for a while (decision 15).",
    ),
    works(
        "advert_int",
        seconds(10, 255_000),
        "Time between advertisements: whole seconds in version 2, hundredths up to 40.95 in version 3.",
        "advert_int 1",
    )
    .default("1")
    .differs(
        "A fraction of a second in version 2, and more than 40.95 s in version 3, are errors; keepalived's test \
         fails, and then it runs with a rounded value (decision 11). Advertisements may leave a little early, so \
         that many go together (decision 5).",
    ),
    works(
        "authentication",
        Form::Block(Block::Authentication),
        "A password that all nodes share (version 2 only). With PASS it protects against mistakes, not against anybody.",
        "authentication {\n    auth_type PASS\n    auth_pass 1234\n}",
    )
    .differs(
        "On one line, `authentication { auth_type PASS auth_pass 1234 }`, all of it is read; keepalived reads the \
         type and sends no password (decision 10).",
    ),
    works(
        "auth_hmac",
        Form::Block(Block::AuthHmac),
        "Signs advertisements with keys that all nodes share, and takes only those that are signed and not heard \
         before. It takes the place of `authentication`, in either version.",
        "auth_hmac {\n    key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n    active_key 1\n}",
    )
    .since("2.4.0"),
    works(
        "virtual_ipaddress",
        Form::List(List::Addresses),
        "The addresses that move, and that stand in the advertisements.",
        "virtual_ipaddress { 192.0.2.1/24 dev eth0 label eth0:vip }",
    )
    .differs(
        "An address that somebody deletes is put back at once without an election (decision 6). After an orderly \
         stop it answers until the successor speaks (decision 1). It has a lifetime in the kernel, so that it \
         goes by itself when the daemon is killed or hangs (decision 18).",
    ),
    works(
        "virtual_ipaddress_excluded",
        Form::List(List::Addresses),
        "Addresses that move, but do not stand in the advertisements.",
        "virtual_ipaddress_excluded { 192.0.2.2/24 }",
    )
    .differs("As with `virtual_ipaddress` (decisions 1, 6 and 18)."),
    works("no_virtual_ipaddress", Form::Flag, "There are no addresses, and that is meant.", "no_virtual_ipaddress")
        .since("2.2.8"),
    works(
        "virtual_routes",
        Form::List(List::Routes),
        "Routes that are there while Active.",
        "virtual_routes { 198.51.100.0/24 via 192.0.2.254 }",
    )
    .differs(
        "They carry the protocol number 116 instead of 18. One that somebody deletes is put back at once without an \
         election, and one that the kernel refuses is told and asked for again (decision 28).",
    ),
    works(
        "virtual_rules",
        Form::List(List::Rules),
        "Policy rules that are there while Active.",
        "virtual_rules { from 192.0.2.0/24 table 100 }",
    )
    .differs(
        "They carry the protocol number 116 instead of 18. One that somebody deletes is put back at once without an \
         election, and one that the kernel refuses is told and asked for again (decision 28).",
    ),
    works("unicast_src_ip", Form::Address, "The address that advertisements come from.", "unicast_src_ip 192.0.2.11")
        .default("the interface's primary address")
        .differs(
            "Over IPv6 the default is link-local only if the peers are; keepalived always takes a link-local one, and hears \
             nothing that is sent to another (decision 40). Without `unicast_peer` advertisements go by multicast, as in \
             keepalived, whose test fails for it; here it is a warning.",
        ),
    works("mcast_src_ip", Form::Address, "The address that advertisements come from.", "mcast_src_ip 192.0.2.11")
        .default("the interface's primary address, over IPv6 its link-local one"),
    works(
        "unicast_peer",
        Form::List(List::Peers),
        "Send advertisements to these addresses instead of the multicast group.",
        "unicast_peer { 192.0.2.12 }",
    )
    .differs(
        "An empty list is an error; keepalived sends by multicast instead, and where that reaches nobody there \
         are two masters (decision 11).",
    ),
    works(
        "unicast_fault_no_peer",
        Form::Flag,
        "FAULT if there is no peer. Without it, an empty list of peers is an error; keepalived uses multicast then.",
        "unicast_fault_no_peer",
    )
    .since("2.2.7"),
    works("unicast_ttl", whole("", 0, 255), "Time to live of unicast advertisements.", "unicast_ttl 64").default("255"),
    works("mcast_dst_ip", Form::Address, "Another multicast group for this instance.", "mcast_dst_ip 224.0.0.18")
        .default("vrrp_mcast_group4 or vrrp_mcast_group6")
        .since("2.2.7"),
    works(
        "check_unicast_src",
        OPTIONAL_BOOL,
        "Take unicast advertisements only from the configured peers.",
        "check_unicast_src",
    )
    .default("vrrp_check_unicast_src")
    .differs("`check_unicast_src off` means off, as in newer ones; keepalived 2.2.7 takes it for on, whatever follows."),
    works(
        "old_unicast_checksum",
        words(0, 1, "perhaps `never`"),
        "Send unicast advertisements of version 3 with the checksum of keepalived up to 1.3.6, which names the \
         multicast group. Without it that is done for peers that were heard to do so; with `never` it is not, and \
         theirs is wrong.",
        "old_unicast_checksum",
    ),
    works("version", whole("", 2, 3), "The version of the protocol; over IPv6 it is always 3.", "version 3")
        .default("vrrp_version"),
    ignored(
        "native_ipv6",
        Form::Flag,
        "the addresses tell the family",
        "An instance of IPv6; long superseded.",
        "native_ipv6",
    ),
    works(
        "nopreempt",
        Form::Flag,
        "Do not take over from a router of lower priority. Needs `state BACKUP`.",
        "nopreempt",
    )
    .differs(
        "The role is not lost when somebody deletes an address: that is put back (decision 6). It does not bind \
         an address owner (decision 15).",
    ),
    works("preempt", Form::Flag, "Take over from a router of lower priority: the default.", "preempt"),
    works(
        "preempt_delay",
        seconds(0, 1_000_000),
        "Wait this long before taking over from a lower priority. Needs `state BACKUP`.",
        "preempt_delay 30",
    )
    .default("0")
    .differs("It does not bind an address owner (decision 15)."),
    works(
        "track_interface",
        Form::List(List::Tracked),
        "Interfaces whose being down is a FAULT, or costs priority.",
        "track_interface {\n    eth1\n    eth2 weight -20\n}",
    )
    .differs(
        "Several names on one line are all tracked; keepalived tracks the first (decision 10). Each interface \
         that is down is a reason of its own, and all must be up again; keepalived 2.2.8 and later leave FAULT \
         when the first one is (decision 3).",
    ),
    works(
        "track_script",
        Form::List(List::Tracked),
        "Checks whose failing is a FAULT, or costs priority.",
        "track_script { chk_web weight -20 }",
    )
    .differs("Several names on one line are all tracked; keepalived tracks the first (decision 10)."),
    works("track_file", Form::List(List::Tracked), "Files whose numbers count.", "track_file { load weight -1 }")
        .differs("Several names on one line are all tracked; keepalived tracks the first (decision 10)."),
    works(
        "track_process",
        Form::List(List::Tracked),
        "Processes that must exist, or whose number costs priority.",
        "track_process { nginx }",
    )
    .differs("Several names on one line are all tracked; keepalived tracks the first (decision 10)."),
    not_built("track_bfd", Form::List(List::Tracked), "BFD sessions that must be up.", "track_bfd { peer }"),
    works(
        "dont_track_primary",
        Form::Flag,
        "Do not mind when the instance's own interface is down.",
        "dont_track_primary",
    ),
    works(
        "track_src_ip",
        Form::Flag,
        "FAULT when the source address (`unicast_src_ip`, `mcast_src_ip`) disappears. Here that is so anyway.",
        "track_src_ip",
    )
    .differs("It is always so, with or without this keyword: who has no address to send from cannot be heard."),
    works(
        "use_vmac",
        words(0, 6, "perhaps a name, a MAC address of 5 or 6 octets, `group` with a number or a name, and `netlink_notify_msg`"),
        "Give the addresses the MAC address of the virtual router, 00:00:5e:00:01 (over IPv6 00:00:5e:00:02) and the \
         virtual_router_id, which stays the same whoever is Active: neighbours have nothing to learn anew. They are on an interface (macvlan) that is \
         made for them, and advertisements leave by it. Of five octets, the sixth is the virtual_router_id. \
         `netlink_notify_msg` has the kernel tell of the interface below once more, for programs that must know that it \
         now takes packets of other MAC addresses: of some interfaces, bridges for instance, the kernel does not say so.",
        "use_vmac vrrp.51",
    )
    .default("none; a name is made of `vmac_prefix` and the virtual_router_id")
    .differs(
        "An interface that somebody deletes or changes is put back at once, and the instance stays Active. Advertisements \
         are read off the interface, so no group is joined from the virtual MAC address. `rp_filter` of other interfaces \
         stays as it is (decision 50). Over IPv6 the interface has no link-local address but virtual ones (decision 90).",
    ),
    works(
        "use_vmac_addr",
        Form::Flag,
        "As `use_vmac` at each address that is on another interface than the instance's.",
        "use_vmac_addr",
    ),
    works(
        "vmac_xmit_base",
        Form::Flag,
        "With `use_vmac`: advertisements leave by the instance's `interface`, with its own MAC address.",
        "vmac_xmit_base",
    )
    .differs(
        "What the others send is heard in either case, from their virtual MAC address or not; keepalived must be told the \
         same on all nodes.",
    ),
    works(
        "use_ipvlan",
        words(0, 7, "perhaps a name, an address, `bridge`, `private` or `vepa`, and `group` with a number or a name"),
        "Put the addresses on an interface (ipvlan in mode L2) that is made for them, with the MAC address of the one below. \
         Over IPv4 it needs an address of its own, which advertisements come from; over IPv6 they come from the link-local \
         address of the interface below if none is given.",
        "use_ipvlan ipvl.51 192.0.2.11/24",
    )
    .default("none; a name is made of `vmac_prefix` and the virtual_router_id; `bridge`")
    .differs(
        "An interface that somebody deletes or changes is put back at once, and the instance stays Active. What the \
         others send is heard on the interface below, where it comes by the same MAC address (decision 90).",
    ),
    works(
        "vrf",
        Form::Word("the name of a VRF"),
        "In place of `interface`, for unicast: advertisements are sent and heard in this VRF, over whichever of its \
         interfaces. Addresses say their interface with `dev`. An instance that has an `interface` is in the VRF of that, and \
         this says nothing.",
        "vrf blue",
    )
    .differs("A VRF that is missing, or an interface that is none, is a FAULT until there is one, and no reason to stop \
              (decision 90).")
    .since("2.2.7"),
    works(
        "garp_master_delay",
        WHOLE_SECONDS,
        "Announce the addresses once more this long after becoming Active; 0 means not again.",
        "garp_master_delay 10",
    )
    .default("vrrp_garp_master_delay"),
    works(
        "garp_master_repeat",
        COUNT,
        "Announcements of each address at a time when becoming Active.",
        "garp_master_repeat 3",
    )
    .default("vrrp_garp_master_repeat"),
    works(
        "garp_master_refresh",
        MANY_SECONDS,
        "Announce the addresses again and again at this interval while Active; 0 means never.",
        "garp_master_refresh 5",
    )
    .default("vrrp_garp_master_refresh"),
    works(
        "garp_master_refresh_repeat",
        COUNT,
        "Announcements of each address at each refresh.",
        "garp_master_refresh_repeat 1",
    )
    .default("vrrp_garp_master_refresh_repeat"),
    works(
        "garp_lower_prio_delay",
        WHOLE_SECONDS,
        "Announce the addresses once more this long after an advertisement of lower priority was heard.",
        "garp_lower_prio_delay 10",
    )
    .default("vrrp_garp_lower_prio_delay"),
    works(
        "garp_lower_prio_repeat",
        whole("", 0, 2_147_483_647),
        "Announcements of each address after an advertisement of lower priority was heard.",
        "garp_lower_prio_repeat 1",
    )
    .default("vrrp_garp_lower_prio_repeat")
    .differs(
        "Losing advertisements that follow each other within a thirty-second of the interval, at most 10 ms, are \
         worth one announcement each and no burst (decision 7).",
    ),
    works(
        "garp_extra_if",
        words(1, 2, "perhaps `all`, and 0 to 86400 seconds; 0 means never"),
        "While Active, announce again and again the addresses with a virtual MAC address that advertisements do not leave \
         from, so that switches do not forget it; with `all`, all addresses on interfaces that advertisements do not \
         leave by.",
        "garp_extra_if all 100",
    )
    .synonyms(&["vmac_garp_intvl"])
    .default("vrrp_garp_extra_if"),
    works(
        "down_timer_adverts",
        whole("", 1, 100),
        "Advertisements that may be missed before taking over; the same on all nodes.",
        "down_timer_adverts 3",
    )
    .default("vrrp_down_timer_adverts")
    .since("2.2.3"),
    works(
        "timer_expired_backup",
        words(0, 1, "perhaps a number from 1 to 254"),
        "Step back if we were kept from advertising for so long that a router of this priority (254, if none is given) \
         must have taken over. Needs `nopreempt`. Without it that is done a little later, by our own priority.",
        "timer_expired_backup",
    )
    .synonyms(&["thread_timer_expired"])
    .since("2.2.8"),
    works(
        "lower_prio_no_advert",
        OPTIONAL_BOOL,
        "Do not answer an advertisement of lower priority at once.",
        "lower_prio_no_advert",
    )
    .default("vrrp_lower_prio_no_advert"),
    works(
        "higher_prio_send_advert",
        OPTIONAL_BOOL,
        "Send a last advertisement before giving way to a higher priority.",
        "higher_prio_send_advert",
    )
    .default("vrrp_higher_prio_send_advert")
    .differs(
        "Always on: without it, clients can be left at the wrong node after a split network has healed (decision \
         2).",
    ),
    works(
        "owner_ignore_adverts",
        OPTIONAL_BOOL,
        "As the address owner (priority 255), take no notice of advertisements at all.",
        "owner_ignore_adverts",
    )
    .default("vrrp_owner_ignore_adverts")
    .since("after 2.2.7"),
    works(
        "skip_check_adv_addr",
        OPTIONAL_BOOL,
        "Do not compare the address list of advertisements from the router already known as Active.",
        "skip_check_adv_addr",
    )
    .default("vrrp_skip_check_adv_addr")
    .differs("`skip_check_adv_addr off` switches it off; in keepalived an instance that says `off` has it on."),
    works("strict_mode", OPTIONAL_BOOL, "Hold strictly to the standard.", "strict_mode")
        .default("vrrp_strict")
        .differs("As with `vrrp_strict` (decision 17)."),
    works(
        "v3_checksum_as_v2",
        OPTIONAL_BOOL,
        "Leave the pseudo header out of the checksum of version 3 over IPv4, as RFC 9568 wants it. Both forms are \
         always understood.",
        "v3_checksum_as_v2",
    )
    .default("v3_checksum_as_v2 of global_defs")
    .since("2.2.8"),
    works("accept", Form::Flag, "Accept packets to the addresses: the default unless strict.", "accept"),
    works("no_accept", Form::Flag, "Drop packets to the addresses unless we own them.", "no_accept").differs(
        "The packet filter is a table of nftables called `tanist` that stands from the start to the stop \
         (decision 17).",
    ),
    works(
        "promote_secondaries",
        Form::Flag,
        "Set the kernel's option of this name on the instance's interface, as long as the daemon runs: when the first \
         address of a subnet goes, the others stay.",
        "promote_secondaries",
    ),
    works(
        "kernel_rx_buf_size",
        whole("bytes", 1, 2_147_483_647),
        "Receive buffer of the instance's socket.",
        "kernel_rx_buf_size 65536",
    ),
    works(
        "linkbeat_use_polling",
        Form::Flag,
        "Ask the interface of the instance for its link, as in `linkbeat_interfaces`.",
        "linkbeat_use_polling",
    ),
    not_built(
        "lvs_sync_daemon_interface",
        INTERFACE,
        "Where to copy the kernel's connection table; long superseded.",
        "lvs_sync_daemon_interface eth0",
    ),
    works("smtp_alert", OPTIONAL_BOOL, "Send mail about changes of state.", "smtp_alert")
        .default("that of `global_defs`"),
    works(
        "service",
        words(1, 64, "the names of one or more services"),
        "The services that run where this instance is Active. With one, the instance needs no address.",
        "service web",
    )
    .repeats()
    .ours(),
    works(
        "notify_master",
        COMMAND_AS,
        "Runs when the instance becomes Active.",
        "notify_master \"/etc/keepalived/active.sh\" nobody nogroup",
    ),
    works(
        "notify_backup",
        COMMAND_AS,
        "Runs when the instance becomes Backup.",
        "notify_backup \"/etc/keepalived/backup.sh\"",
    ),
    works("notify_fault", COMMAND_AS, "Runs at a FAULT.", "notify_fault \"/etc/keepalived/fault.sh\""),
    works("notify_stop", COMMAND_AS, "Runs when the daemon stops.", "notify_stop \"/etc/keepalived/stop.sh\""),
    works(
        "notify_deleted",
        Form::OptionalCommand,
        "An instance that a reload removes is told as DELETED, and the command runs, if there is one; without this keyword it is \
         told as FAULT (and `notify_fault` does not run).",
        "notify_deleted \"/etc/keepalived/deleted.sh\"",
    ),
    works(
        "notify",
        COMMAND_AS,
        "Runs at every change, with four more arguments: INSTANCE, the name, the state, the priority.",
        "notify \"/etc/keepalived/notify.sh\"",
    )
    .differs(
        "The scripts of an instance run one after the other, in the order of what happened, so that the last one \
         fits the state, and how each ended is told; keepalived starts them all at once.",
    ),
    works(
        "notify_master_rx_lower_pri",
        COMMAND_AS,
        "Runs when an advertisement of lower priority is heard while Active.",
        "notify_master_rx_lower_pri \"/etc/keepalived/lower.sh\"",
    ),
    works(
        "notify_priority_changes",
        OPTIONAL_BOOL,
        "Write changes of the effective priority to the pipes (`notify_fifo`), too.",
        "notify_priority_changes",
    )
    .default("that of its group, or `vrrp_notify_priority_changes`"),
    ignored("debug", whole("", 0, 4), "it has none in keepalived either", "A level of detail.", "debug 1").default("0"),
];

pub(super) const AUTHENTICATION: &[Keyword] = &[
    works(
        "auth_type",
        Form::Word("PASS or AH"),
        "PASS is a password in clear. AH puts an IPsec authentication header with HMAC-MD5 before each advertisement, as \
         the first edition of the standard wanted it; `auth_hmac` is the better choice.",
        "auth_type PASS",
    ),
    works("auth_pass", Form::Word("a password of at most 8 octets"), "The password.", "auth_pass 1234"),
];

pub(super) const AUTH_HMAC: &[Keyword] = &[
    works(
        "key",
        words(2, 2, "a number from 1 to 255 and `hex:…`, `file:…` or text"),
        "A key of 32 to 64 octets and its number: as hexadecimal digits, as text, or in a file of its own that holds \
         one of the two and that nobody but its owner can read. With several, the nodes can change from one to the \
         next without a gap.",
        "key 1 file:/etc/keepalived/keys/vrrp",
    )
    .repeats(),
    works("active_key", whole("", 1, 255), "The number of the key that we sign with.", "active_key 1")
        .default("the only key"),
    works(
        "time_window",
        whole("seconds", 1, 300),
        "By how much the clocks of the nodes may differ, with `anti_replay time`.",
        "time_window 5",
    )
    .default("three times `advert_int`, at least 5"),
    works(
        "anti_replay",
        Form::Choice(&["time", "monotonic"]),
        "How a packet that is heard again is told from a new one. With `time` the clocks of all nodes must be right; \
         `monotonic` asks only that each packet be newer than the one before of the same sender. A node that starts with its \
         clock set back (a board without a battery) has sent newer ones before; it goes on from what it hears of the others, so \
         that they believe it from its next packet on. Nodes with keepalived go by their clocks alone: if one starts with its \
         clock set back, all that heard it before discard what it says until its clock has caught up, and both may have the \
         role; have the clock set before it starts, or restart the daemons that refuse it. A daemon that has just started \
         has heard nothing, and with `monotonic` believes what is repeated to it, however old. All nodes should have the same.",
        "anti_replay time",
    )
    .default("time")
    .differs(
        "With `monotonic` what we send is newer than all that we have believed, whoever sent it, and not only newer than what \
         we have sent ourselves (decision 19).",
    ),
    works(
        "mode",
        Form::Choice(&["enforce", "permissive", "receive-only"]),
        "What becomes of unsigned advertisements: `enforce` discards them, `permissive` accepts them, and with \
         `receive-only` we do not sign either. Changing all nodes from the last to the first, one mode after the \
         other, brings signing in without a gap.",
        "mode enforce",
    )
    .default("enforce"),
];
