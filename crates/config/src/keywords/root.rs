//! The top level, and the small blocks that only stand there.

use super::{Block, Form, INTERFACE, Keyword, List, PATH, WHOLE_SECONDS, ignored, not_built, seconds, words, works};

const NAME: &str = "a name";

pub(super) const KEYWORDS: &[Keyword] = &[
    works(
        "global_defs",
        Form::Block(Block::GlobalDefs),
        "Options of the whole daemon, and defaults for its instances. Several blocks add up.",
        "global_defs { router_id edge-a }",
    ),
    works(
        "vrrp_instance",
        Form::NamedBlock { block: Block::VrrpInstance, name: NAME },
        "A virtual router: the addresses that move, and when they do.",
        "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.1/24\n    }\n}",
    ),
    works(
        "vrrp_script",
        Form::NamedBlock { block: Block::VrrpScript, name: NAME },
        "A check that runs again and again. Instances refer to it in `track_script`.",
        "vrrp_script chk_web {\n    script \"/etc/keepalived/check_web.sh\"\n    interval 2\n}",
    ),
    works(
        "service",
        Form::NamedBlock { block: Block::Service, name: NAME },
        "What runs where an instance is Active, and on no other node. An instance takes it up with `service NAME`.",
        "service web {\n    systemd nginx.service\n    check http http://127.0.0.1/\n}",
    )
    .ours(),
    works(
        "pair",
        Form::Block(Block::Pair),
        "The other Tanist: with it, services are handed over in order, and a dead node is noticed within a second.",
        "pair {\n    peer 192.0.2.2\n}",
    )
    .ours(),
    works(
        "vrrp_sync_group",
        Form::NamedBlock { block: Block::SyncGroup, name: NAME },
        "Instances that are Active together or not at all.",
        "vrrp_sync_group G1 { group { VI_1 VI_2 } }",
    ),
    works(
        "vrrp_track_process",
        Form::NamedBlock { block: Block::TrackProcess, name: NAME },
        "Watches how many processes of a kind there are. Instances refer to it in `track_process`. An end is noticed at \
         once, everywhere; a start at once where the kernel tells of it, and otherwise when `/proc` is looked through, once \
         a second.",
        "vrrp_track_process nginx {\n    process nginx\n}",
    )
    .differs(
        "It also works in containers and network namespaces, where the kernel tells nobody of processes that start: \
         `/proc` is looked through once a second there (decision 60).",
    ),
    works(
        "track_file",
        Form::NamedBlock { block: Block::TrackFile, name: NAME },
        "Watches the number in a file: the digits that it begins with, decimal, or octal after `0`, or hexadecimal after \
         `0x`. What begins with none, and a file that is not there, count as 0. Instances refer to it in `track_file`.",
        "track_file load {\n    file /run/load\n}",
    )
    .synonyms(&["vrrp_track_file"])
    .differs(
        "The directory need not exist, and may be removed and made again; a link is followed, and a change of what it \
         leads to is noticed. A file that cannot be read, for want of an answer for instance, keeps the number that it had \
         (decision 61).",
    ),
    not_built(
        "virtual_server",
        words(1, 3, "an address and a port, `fwmark N` or `group NAME`"),
        "A service that the kernel spreads over several servers (IPVS).",
        "virtual_server 192.0.2.1 80 { delay_loop 6 }",
    ),
    not_built(
        "virtual_server_group",
        Form::NamedBlock { block: Block::VirtualServerGroup, name: NAME },
        "Several addresses that one `virtual_server` serves.",
        "virtual_server_group web { 192.0.2.1 80 }",
    ),
    not_built(
        "bfd_instance",
        Form::NamedBlock { block: Block::BfdInstance, name: NAME },
        "Watches the path to a neighbour with Bidirectional Forwarding Detection (RFC 5880).",
        "bfd_instance peer { neighbor_ip 192.0.2.2 }",
    ),
    works(
        "static_ipaddress",
        Form::List(List::Addresses),
        "Addresses that are there as long as the daemon runs.",
        "static_ipaddress { 192.0.2.9/24 dev eth0 }",
    ),
    works(
        "static_routes",
        Form::List(List::Routes),
        "Routes that are there as long as the daemon runs.",
        "static_routes { 198.51.100.0/24 via 192.0.2.254 dev eth0 }",
    )
    .differs(
        "They carry the protocol number 116 instead of 18. One that somebody deletes is put back at once without an \
         election, and one that the kernel refuses is told and asked for again (decision 28).",
    ),
    works(
        "static_rules",
        Form::List(List::Rules),
        "Policy rules that are there as long as the daemon runs.",
        "static_rules { from 192.0.2.0/24 table 100 }",
    )
    .differs(
        "They carry the protocol number 116 instead of 18. One that somebody deletes is put back at once without an \
         election, and one that the kernel refuses is told and asked for again (decision 28).",
    ),
    works(
        "track_group",
        Form::NamedBlock { block: Block::TrackGroup, name: NAME },
        "Instances that go to FAULT when a static address or route of this group disappears.",
        "track_group G1 { group { VI_1 } }",
    ),
    works(
        "garp_group",
        Form::Block(Block::GarpGroup),
        "A pace of announcements that several interfaces share. It takes the place of `vrrp_garp_interval` and \
         `vrrp_gna_interval` for them.",
        "garp_group {\n    garp_interval 0.01\n    interface eth0\n}",
    ),
    works(
        "linkbeat_interfaces",
        Form::List(List::Words),
        "Interfaces whose link is asked for every second instead of reported by the kernel, each on a line: `MII` asks the \
         transceiver, `ETHTOOL` the driver, and `IOCTL` for the kernel's flags. Where an interface cannot be asked so, the \
         first of these that is possible is taken.",
        "linkbeat_interfaces {\n    eth0 ETHTOOL\n}",
    )
    .default("what the kernel reports")
    .differs("A thread of its own asks, so a driver that takes its time delays nothing. The interface need not exist."),
    works(
        "linkbeat_use_polling",
        Form::Flag,
        "Ask every interface that an instance minds for its link, as in `linkbeat_interfaces`.",
        "linkbeat_use_polling",
    ),
    works(
        "interface_up_down_delays",
        Form::List(List::Words),
        "How many seconds (0 to 255, also parts of them) an interface must be down, and up again, before that counts for \
         its instances. That it is deleted or comes into being counts at once.",
        "interface_up_down_delays {\n    eth0 1 5\n}",
    )
    .default("0 for both")
    .differs(
        "Only a delay of going down is cut to what a Backup that hears nobody waits; keepalived cuts that of coming up, too.",
    )
    .since("2.2.3"),
    works(
        "net_namespace",
        Form::Word("the name of a network namespace"),
        "Run in this network namespace, of those that `ip netns` makes. `-s` on the command line wins; a reload cannot change \
         it.",
        "net_namespace blue",
    )
    .differs("The file system is left as it is: pid files stand in `/run/keepalived/NAME`."),
    not_built(
        "net_namespace_ipvs",
        words(0, 1, "the name of a network namespace"),
        "Keep virtual servers in a network namespace of their own.",
        "net_namespace_ipvs green",
    ),
    ignored(
        "namespace_with_ipsets",
        Form::Flag,
        "the packet filter is nftables, with sets of its own, which each network namespace has",
        "Use ipsets in a network namespace also on kernels before 3.13.",
        "namespace_with_ipsets",
    ),
    works("use_pid_dir", Form::Flag, "Put the pid files into `/run/keepalived`.", "use_pid_dir"),
    works(
        "instance",
        Form::Word(NAME),
        "Name of this daemon, so that several can run side by side: pid files, the control socket, what is remembered \
         across restarts, the log, the tables of nftables and the interfaces that are made have it in their names. Of \
         what a killed daemon with a name has left behind in the kernel, it takes only that for its own which its \
         configuration speaks of. A reload cannot change it.",
        "instance blue",
    ),
    works(
        "child_wait_time",
        WHOLE_SECONDS,
        "How long the last scripts may take at the end.",
        "child_wait_time 10",
    )
    .default("5")
    .differs("Services have their own `stop_timeout`, which is waited for before."),
    not_built("SSL", Form::Block(Block::Ssl), "Certificates for SSL_GET.", "SSL { ca /etc/ssl/ca.pem }"),
];

pub(super) const TRACK_GROUP: &[Keyword] =
    &[works("group", Form::List(List::Words), "Names of the instances.", "group { VI_1 VI_2 }")];

pub(super) const GARP_GROUP: &[Keyword] = &[
    works("garp_interval", seconds(0, 4_294_967), "Time between two gratuitous ARPs.", "garp_interval 0.01")
        .default("0"),
    works(
        "gna_interval",
        seconds(0, 4_294_967),
        "Time between two unsolicited neighbour advertisements.",
        "gna_interval 0.01",
    )
    .default("0"),
    works("interface", INTERFACE, "The only interface of the group.", "interface eth0"),
    works("interfaces", Form::List(List::Words), "The interfaces of the group.", "interfaces { eth0 eth1 }"),
];

pub(super) const SSL: &[Keyword] = &[
    not_built("password", Form::Word("a password"), "Password of the private key.", "password secret"),
    not_built("ca", PATH, "Certificates of the authorities to trust.", "ca /etc/ssl/ca.pem"),
    not_built("certificate", PATH, "The client's own certificate.", "certificate /etc/ssl/client.pem"),
    not_built("key", PATH, "The client's private key.", "key /etc/ssl/client.key"),
];
