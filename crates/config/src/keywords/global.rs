//! `global_defs`: names, mail, scripts, and the defaults of VRRP instances.

use super::{
    COMMAND_AS, COUNT, Form, INTERFACE, Keyword, List, MANY_SECONDS, OPTIONAL_BOOL, PATH, WHOLE_SECONDS, ignored,
    not_built, seconds, whole, words, works,
};

/// Up to the largest number of microseconds that keepalived reads.
const PACING: Form = seconds(0, 4_294_967);

pub(super) const KEYWORDS: &[Keyword] = &[
    works(
        "router_id",
        Form::Word("a name"),
        "Name of this machine in notices. It plays no part in the election and need not be equal on the nodes.",
        "router_id edge-a",
    )
    .default("the host name"),
    works(
        "notification_email",
        Form::List(List::Words),
        "Who gets mail, where `smtp_alert` asks for it.",
        "notification_email { admin@example.com }",
    )
    .default("nobody, and then no mail is sent"),
    works(
        "notification_email_from",
        Form::Word("a mail address"),
        "Whom mail comes from.",
        "notification_email_from keepalived@example.com",
    )
    .default("root@HOST, or whoever runs the daemon"),
    works(
        "smtp_server",
        words(1, 2, "a host and perhaps a port"),
        "The server that takes mail. A mail that it does not take now is tried again and again, for as long as the daemon \
         runs.",
        "smtp_server 192.0.2.25 25",
    )
    .default("none, and then no mail is sent; the port is 25")
    .differs(
        "A name is looked up when there is something to send, not when the file is read; what cannot be sent at once waits \
         and is sent later (decision 70).",
    ),
    works(
        "smtp_connect_timeout",
        whole("seconds", 1, 4294),
        "How long the mail server may take, to be reached and for each answer.",
        "smtp_connect_timeout 20",
    )
    .default("30"),
    works(
        "smtp_helo_name",
        Form::Word("a name"),
        "The name to greet the mail server with.",
        "smtp_helo_name edge-a.example.com",
    )
    .default("the host name"),
    works(
        "smtp_tls",
        words(0, 1, "starttls, implicit or off; alone it means implicit on port 465 and starttls on any other"),
        "Speak with the mail server through TLS only: from the first octet (`implicit`), or from STARTTLS on, before anything \
         is said about a mail. Its certificate must be for the name of `smtp_server`, and from an authority that this system \
         trusts or `smtp_ca_file` names. Without all that nothing is sent: mail waits, and the log says why. With `implicit` \
         the port is 465 unless `smtp_server` says otherwise.",
        "smtp_tls starttls",
    )
    .default("off")
    .ours(),
    works(
        "smtp_ca_file",
        PATH,
        "A file with the certificates (PEM) of those who may vouch for the mail server, instead of those that this system \
         trusts. It is read for each session with the server.",
        "smtp_ca_file /etc/tanist/mail-ca.pem",
    )
    .default("the authorities that this system trusts")
    .ours(),
    works(
        "smtp_user",
        Form::Word("a name"),
        "Log in to the mail server as this user (AUTH PLAIN or LOGIN). It takes `smtp_password_file` and `smtp_tls`: a \
         password is never sent in clear.",
        "smtp_user tanist",
    )
    .default("nobody logs in")
    .ours(),
    works(
        "smtp_password_file",
        PATH,
        "A file whose first line is the password for the mail server. Nobody but its owner, root or whoever runs the daemon, \
         may have access to it. It is read for each session with the server, so a new password counts at once.",
        "smtp_password_file /etc/tanist/mail.password",
    )
    .ours(),
    works(
        "smtp_alert",
        OPTIONAL_BOOL,
        "Send mail about every instance and group, unless it says otherwise itself.",
        "smtp_alert on",
    )
    .default("off"),
    works(
        "smtp_alert_vrrp",
        OPTIONAL_BOOL,
        "Send mail about every instance and group, unless it says otherwise itself; counts before `smtp_alert`.",
        "smtp_alert_vrrp on",
    )
    .default("smtp_alert"),
    not_built("smtp_alert_checker", OPTIONAL_BOOL, "Send mail about virtual servers.", "smtp_alert_checker on"),
    works("no_email_faults", Form::Flag, "Send no mail about FAULT.", "no_email_faults"),
    works(
        "enable_script_security",
        Form::Flag,
        "Refuse to run as root what somebody other than root could have changed.",
        "enable_script_security",
    )
    .differs(
        "A script is judged by where its path really leads, so one behind a link, as `/bin/…` is on most systems, \
         may run; keepalived 2.3.0 and later never run it as root.",
    ),
    works(
        "script_user",
        words(1, 2, "a user and perhaps a group"),
        "Who runs scripts that name no user of their own.",
        "script_user nobody nogroup",
    )
    .default("keepalived_script if that user exists, otherwise root"),
    works(
        "set_supplementary_groups",
        OPTIONAL_BOOL,
        "Give scripts all groups of their user, not only its first.",
        "set_supplementary_groups",
    )
    .default("off")
    .since("after 2.4.3"),
    works(
        "vrrp_skip_check_adv_addr",
        OPTIONAL_BOOL,
        "Do not compare the address list of advertisements from the router already known as Active.",
        "vrrp_skip_check_adv_addr",
    )
    .default("off"),
    works(
        "vrrp_strict",
        OPTIONAL_BOOL,
        "Hold strictly to the standard, which includes a packet filter that drops traffic to the addresses.",
        "vrrp_strict",
    )
    .default("off")
    .differs(
        "Unicast, and an instance without addresses, are errors: the standard has neither. The packet filter is a table of nftables called \
         `tanist` that stands from the start to the stop, and a warning says that nobody can reach the addresses \
         (decision 17).",
    ),
    works(
        "vrrp_garp_interval",
        PACING,
        "Time between two gratuitous ARPs on one interface; 0 means none.",
        "vrrp_garp_interval 0.001",
    )
    .default("0")
    .differs("0 is good and means none; keepalived's test calls it invalid (decision 11)."),
    works(
        "vrrp_gna_interval",
        PACING,
        "Time between two unsolicited neighbour advertisements on one interface; 0 means none.",
        "vrrp_gna_interval 0.001",
    )
    .default("0")
    .differs("0 is good and means none; keepalived's test calls it invalid (decision 11)."),
    works(
        "vrrp_garp_master_delay",
        WHOLE_SECONDS,
        "Announce the addresses once more this long after becoming Active; 0 means not again.",
        "vrrp_garp_master_delay 10",
    )
    .default("5"),
    works(
        "vrrp_garp_master_repeat",
        COUNT,
        "Announcements of each address at a time when becoming Active.",
        "vrrp_garp_master_repeat 3",
    )
    .default("5"),
    works(
        "vrrp_garp_master_refresh",
        MANY_SECONDS,
        "Announce the addresses again and again at this interval while Active; 0 means never.",
        "vrrp_garp_master_refresh 60",
    )
    .default("0"),
    works(
        "vrrp_garp_master_refresh_repeat",
        COUNT,
        "Announcements of each address at each refresh.",
        "vrrp_garp_master_refresh_repeat 2",
    )
    .default("1"),
    works(
        "vrrp_garp_lower_prio_delay",
        WHOLE_SECONDS,
        "Announce the addresses once more this long after an advertisement of lower priority was heard.",
        "vrrp_garp_lower_prio_delay 10",
    )
    .default("vrrp_garp_master_delay"),
    works(
        "vrrp_garp_lower_prio_repeat",
        whole("", 0, 2_147_483_647),
        "Announcements of each address after an advertisement of lower priority was heard.",
        "vrrp_garp_lower_prio_repeat 1",
    )
    .default("vrrp_garp_master_repeat"),
    works(
        "vrrp_min_garp",
        OPTIONAL_BOOL,
        "Announce each address once and not again, unless the keywords above say otherwise.",
        "vrrp_min_garp",
    )
    .default("off"),
    works(
        "address_lifetime",
        Form::Word("whole seconds from 2 to 86400, or `unlimited`"),
        "How long a virtual address stays when the daemon no longer renews it, because it was killed or hangs. \
         `unlimited` keeps it for ever, as keepalived does.",
        "address_lifetime 5",
    )
    .default("what the others wait before they take over, and a second")
    .ours(),
    works(
        "vrrp_garp_extra_if",
        words(1, 2, "perhaps `all`, and 0 to 86400 seconds; 0 means never"),
        "While Active, announce again and again the addresses with a virtual MAC address that advertisements do not leave \
         from; with `all`, all addresses on interfaces that advertisements do not leave by.",
        "vrrp_garp_extra_if all 100",
    )
    .synonyms(&["vrrp_vmac_garp_intvl"])
    .default("0"),
    works(
        "vrrp_down_timer_adverts",
        whole("", 1, 100),
        "Advertisements that may be missed before a Backup takes over; the same on all nodes.",
        "vrrp_down_timer_adverts 3",
    )
    .default("3")
    .since("2.2.3"),
    works(
        "vrrp_lower_prio_no_advert",
        OPTIONAL_BOOL,
        "Do not answer an advertisement of lower priority at once.",
        "vrrp_lower_prio_no_advert",
    )
    .default("off; on with `vrrp_strict`"),
    works(
        "vrrp_higher_prio_send_advert",
        OPTIONAL_BOOL,
        "Send a last advertisement before giving way to a higher priority.",
        "vrrp_higher_prio_send_advert",
    )
    .default("on; off with `vrrp_strict`, and always off in keepalived")
    .differs(
        "Always on: without it, clients can be left at the wrong node after a split network has healed (decision \
         2).",
    ),
    works("vrrp_version", whole("", 2, 3), "The version of the protocol that instances speak.", "vrrp_version 3")
        .default("2"),
    works(
        "vrrp_mcast_group4",
        Form::Address,
        "The IPv4 multicast group of advertisements.",
        "vrrp_mcast_group4 224.0.0.18",
    )
    .default("224.0.0.18"),
    works(
        "vrrp_mcast_group6",
        Form::Address,
        "The IPv6 multicast group of advertisements, one of the link.",
        "vrrp_mcast_group6 ff02::12",
    )
    .default("ff02::12"),
    works(
        "vrrp_check_unicast_src",
        Form::Flag,
        "Take unicast advertisements only from the configured peers.",
        "vrrp_check_unicast_src",
    ),
    works(
        "v3_checksum_as_v2",
        OPTIONAL_BOOL,
        "Leave the pseudo header out of the checksum of version 3 over IPv4.",
        "v3_checksum_as_v2",
    )
    .default("off")
    .since("2.2.8"),
    works(
        "vrrp_owner_ignore_adverts",
        OPTIONAL_BOOL,
        "Address owners (priority 255) take no notice of advertisements at all.",
        "vrrp_owner_ignore_adverts",
    )
    .default("off")
    .since("after 2.2.7"),
    works(
        "vrrp_startup_delay",
        seconds(1, 4_294_967),
        "Take no notice of advertisements, and do not take over, for this long after the start of the daemon.",
        "vrrp_startup_delay 5.5",
    )
    .default("0"),
    works(
        "vrrp_delay_after_boot",
        seconds(0, 4_294_967),
        "The same until the machine has been up this long; the longer of the two counts.",
        "vrrp_delay_after_boot 30",
    )
    .since("2.4.0"),
    works(
        "log_unknown_vrids",
        Form::Flag,
        "Report advertisements of virtual routers that are not configured here.",
        "log_unknown_vrids",
    )
    .differs("Each is reported once until a reload, not with each of its advertisements."),
    ignored(
        "dynamic_interfaces",
        words(0, 1, "perhaps `allow_if_changes`"),
        "interfaces may be absent, come and go anyway (decision 3)",
        "Accept interfaces that do not exist yet.",
        "dynamic_interfaces",
    ),
    works(
        "default_interface",
        INTERFACE,
        "Where static addresses go that name no interface, and those of instances without `interface`.",
        "default_interface eth1",
    )
    .default("eth0"),
    works(
        "disable_local_igmp",
        Form::Flag,
        "Send no IGMP reports about link-local multicast groups: the kernel's option `igmp_link_local_mcast_reports` is off \
         as long as the daemon runs.",
        "disable_local_igmp",
    )
    .since("2.2.0"),
    ignored(
        "vrrp_iptables",
        words(0, 2, "perhaps the names of the input and the output chain"),
        "the packet filter is nftables; chains of iptables are not touched",
        "Use iptables instead of nftables.",
        "vrrp_iptables INPUT OUTPUT",
    ),
    ignored(
        "vrrp_ipsets",
        words(0, 6, "up to six names"),
        "the packet filter is nftables, with sets of its own",
        "Names of the ipsets that go with iptables.",
        "vrrp_ipsets keepalived keepalived6",
    ),
    works(
        "nftables",
        words(0, 1, "perhaps a name"),
        "Name of the tables of nftables that drop traffic to addresses which are not accepted. Alone, the default.",
        "nftables vrrp",
    )
    .default("tanist, for a daemon with a name `tanist_NAME`; keepalived in keepalived"),
    works(
        "nftables_priority",
        whole("", -2_147_483_648, 2_147_483_647),
        "Priority of the chains in these tables: smaller ones see packets before greater ones, and those of a firewall \
         usually have 0.",
        "nftables_priority -1",
    )
    .default("-1"),
    ignored(
        "nftables_counters",
        Form::Flag,
        "every rule that drops counts anyway",
        "Count packets in the nftables rules.",
        "nftables_counters",
    ),
    ignored(
        "nftables_ifindex",
        Form::Flag,
        "rules name interfaces by their names, which hold when one is made anew",
        "Name interfaces by number in nftables rules.",
        "nftables_ifindex",
    ),
    not_built(
        "nftables_ipvs",
        words(0, 1, "perhaps a name"),
        "Name of the nftables table for groups of virtual servers.",
        "nftables_ipvs keepalived_ipvs",
    )
    .default("keepalived_ipvs")
    .since("2.2.2"),
    not_built(
        "nftables_ipvs_priority",
        whole("", -2_147_483_648, 2_147_483_647),
        "Priority of that table's chains.",
        "nftables_ipvs_priority -1",
    ),
    not_built(
        "nftables_ipvs_start_fwmark",
        whole("", 1, 4_294_967_295),
        "The first firewall mark to use.",
        "nftables_ipvs_start_fwmark 1000",
    )
    .default("1000"),
    works(
        "vmac_prefix",
        Form::Word("at most 9 characters"),
        "Start of the names of interfaces that `use_vmac` makes, unless it says a name: `vrrp.51`, or `vrrp1.51` if somebody \
         else has that.",
        "vmac_prefix vm",
    )
    .default("vrrp"),
    works(
        "vmac_addr_prefix",
        Form::Word("at most 9 characters"),
        "Start of the names of interfaces that `use_vmac` makes at an address, or `use_vmac_addr`.",
        "vmac_addr_prefix va",
    )
    .default("vmac_prefix"),
    works(
        "notify_fifo",
        words(1, 3, "a path, and perhaps a user and a group"),
        "A pipe that gets a line for every change of state: `INSTANCE \"VI_1\" MASTER 100`, `GROUP \"G\" MASTER 0`. It is made \
         with mode 0600 for that user (by default that of the scripts) if it is not there, and removed at the stop then.",
        "notify_fifo /run/keepalived.fifo",
    )
    .differs(
        "The pipe stays the same across a reload, so nobody who reads it is cut off; keepalived makes a new one. What a \
         slow reader has not taken yet waits here, some 4000 lines, and when more is lost than that, the log says so; \
         keepalived loses it in silence. A link, or what is no pipe, is refused; keepalived writes into a file (decision 71).",
    ),
    works(
        "vrrp_notify_fifo",
        words(1, 3, "a path, and perhaps a user and a group"),
        "A pipe for changes of VRRP instances and groups: the same lines as `notify_fifo`, of which there are no others yet.",
        "vrrp_notify_fifo /run/vrrp.fifo",
    )
    .differs("As with `notify_fifo`."),
    not_built(
        "lvs_notify_fifo",
        words(1, 3, "a path, and perhaps a user and a group"),
        "A pipe for changes of virtual and real servers.",
        "lvs_notify_fifo /run/lvs.fifo",
    ),
    works(
        "notify_fifo_script",
        COMMAND_AS,
        "A program that reads the pipe; its path is added as the last argument.",
        "notify_fifo_script \"/usr/local/bin/reader\"",
    )
    .differs(
        "When it ends, it is started again, after a second at first and a minute at most; keepalived leaves it. A reload that \
         does not change it leaves it running. At the stop it gets the last lines and the end of the pipe, and is asked to \
         end only then (decision 71).",
    ),
    works(
        "vrrp_notify_fifo_script",
        COMMAND_AS,
        "A program that reads the VRRP pipe; its path is added as the last argument.",
        "vrrp_notify_fifo_script \"/usr/local/bin/reader\"",
    )
    .differs("As with `notify_fifo_script`."),
    not_built(
        "lvs_notify_fifo_script",
        COMMAND_AS,
        "A program that reads the pipe of virtual servers.",
        "lvs_notify_fifo_script \"/usr/local/bin/reader\"",
    ),
    works(
        "vrrp_notify_priority_changes",
        OPTIONAL_BOOL,
        "Write a line to the pipes for every change of an effective priority, too: MASTER_PRIORITY for who is Active, \
         BACKUP_PRIORITY for everybody else.",
        "vrrp_notify_priority_changes",
    )
    .default("off"),
    works(
        "fifo_write_vrrp_states_on_reload",
        Form::Flag,
        "Write the states to the pipes again after a reload; that of an instance only if it is not that of its group.",
        "fifo_write_vrrp_states_on_reload",
    )
    .since("2.2.7")
    .differs(
        "Written for every state; keepalived 2.2.7 leaves out instances that are MASTER and in no group (decision 71).",
    ),
    works(
        "startup_script",
        COMMAND_AS,
        "Runs once before anything else is done, which waits for it. How it ends is told and changes nothing.",
        "startup_script \"/etc/keepalived/start.sh\"",
    )
    .since("2.1.0"),
    works(
        "startup_script_timeout",
        whole("seconds", 1, 1000),
        "How long it may run before it is asked to end, and killed two seconds later.",
        "startup_script_timeout 20",
    )
    .default("10")
    .since("2.1.0"),
    works(
        "shutdown_script",
        COMMAND_AS,
        "Runs once after everything else has stopped.",
        "shutdown_script \"/etc/keepalived/stop.sh\"",
    )
    .since("2.1.0"),
    works(
        "shutdown_script_timeout",
        whole("seconds", 1, 1000),
        "How long it may run before it is asked to end, and killed two seconds later.",
        "shutdown_script_timeout 20",
    )
    .default("10")
    .since("2.1.0"),
    works(
        "vrrp_rx_bufs_policy",
        Form::Word("MTU, ADVERT or a number of bytes"),
        "Size of the receive buffers of VRRP sockets.",
        "vrrp_rx_bufs_policy MTU",
    ),
    works("vrrp_rx_bufs_multiplier", COUNT, "How many packets the buffers hold.", "vrrp_rx_bufs_multiplier 5")
        .default("3"),
    not_built(
        "lvs_sync_daemon",
        words(1, usize::MAX, "an interface, and options"),
        "Copy the kernel's connection table to the other node.",
        "lvs_sync_daemon eth0 inst VI_1 id 5",
    ),
    not_built(
        "lvs_timeouts",
        words(2, 6, "`tcp`, `tcpfin` and `udp`, each with seconds"),
        "Timeouts of connections to virtual servers.",
        "lvs_timeouts tcp 900 tcpfin 120 udp 300",
    ),
    not_built("lvs_flush", Form::Flag, "Remove all virtual servers at the start.", "lvs_flush"),
    not_built(
        "lvs_flush_on_stop",
        words(0, 1, "perhaps `VS`"),
        "Remove all virtual servers at the end.",
        "lvs_flush_on_stop VS",
    )
    .synonyms(&["lvs_flush_onstop"]),
    not_built(
        "rs_init_notifies",
        OPTIONAL_BOOL,
        "Run the notify scripts of real servers also at the start.",
        "rs_init_notifies",
    ),
    not_built("no_checker_emails", OPTIONAL_BOOL, "Send no mail about checkers.", "no_checker_emails"),
    not_built(
        "checker_log_all_failures",
        OPTIONAL_BOOL,
        "Report each failed try of a checker.",
        "checker_log_all_failures",
    ),
    works(
        "config_save_dir",
        PATH,
        "Keep a copy of the configuration there whenever one comes into force, with everything expanded.",
        "config_save_dir /var/lib/k",
    )
    .since("2.2.3"),
];
