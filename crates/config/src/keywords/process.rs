//! `global_defs`: what concerns the process, its files, and its doors to other programs.

use super::{BYTES, Form, Keyword, OPTIONAL_BOOL, PATH, ignored, not_built, whole, words, works};

const NICE: Form = whole("", -20, 19);
const REALTIME: Form = whole("", 1, 99);
const MICROSECONDS: Form = whole("microseconds", 1, 10_000_000);
const BUDGET: Form = whole("microseconds", 1, 4_294_967_295);
const CPUS: Form = words(1, usize::MAX, "numbers of processors");

const NO_CHECKER: &str = "Tanist is one process, and it has no part that checks virtual servers";
const NO_BFD: &str = "Tanist is one process, and it has no part that speaks BFD";
const READ_ONCE: &str = "one process reads the configuration once, so no copy of it is made for others";

pub(super) const KEYWORDS: &[Keyword] = &[
    works(
        "max_auto_priority",
        words(0, 1, "a whole number from -1 to 99, or nothing, which means 99"),
        "How far the daemon may raise its own real-time priority when it finds that it was let run too late; 0 and -1 mean \
         not at all.",
        "max_auto_priority 50",
    )
    .default("0"),
    works(
        "min_auto_priority_delay",
        MICROSECONDS,
        "To run this much later than it should is too late, for `max_auto_priority`.",
        "min_auto_priority_delay 500000",
    )
    .default("1000000"),
    works("vrrp_priority", NICE, "Nice value of the daemon; its scripts keep the usual one.", "vrrp_priority -10")
        .default("0"),
    ignored("checker_priority", NICE, NO_CHECKER, "Nice value of the checker process.", "checker_priority -10")
        .default("0"),
    ignored("bfd_priority", NICE, NO_BFD, "Nice value of the BFD process.", "bfd_priority -10").default("0"),
    works(
        "vrrp_rt_priority",
        REALTIME,
        "Real-time priority of the daemon (SCHED_RR); its scripts have none.",
        "vrrp_rt_priority 50",
    ),
    ignored(
        "checker_rt_priority",
        REALTIME,
        NO_CHECKER,
        "Real-time priority of the checker process.",
        "checker_rt_priority 50",
    ),
    ignored("bfd_rt_priority", REALTIME, NO_BFD, "Real-time priority of the BFD process.", "bfd_rt_priority 50"),
    works("vrrp_no_swap", Form::Flag, "Keep all of the daemon's memory in RAM.", "vrrp_no_swap"),
    ignored("checker_no_swap", Form::Flag, NO_CHECKER, "Keep the checker process in memory.", "checker_no_swap"),
    ignored("bfd_no_swap", Form::Flag, NO_BFD, "Keep the BFD process in memory.", "bfd_no_swap"),
    works(
        "vrrp_cpu_affinity",
        CPUS,
        "Processors that the daemon may use, and with it its scripts.",
        "vrrp_cpu_affinity 0 1",
    ),
    ignored(
        "checker_cpu_affinity",
        CPUS,
        NO_CHECKER,
        "Processors that the checker process may use.",
        "checker_cpu_affinity 0",
    ),
    ignored("bfd_cpu_affinity", CPUS, NO_BFD, "Processors that the BFD process may use.", "bfd_cpu_affinity 0"),
    works(
        "vrrp_rlimit_rttime",
        BUDGET,
        "How long the daemon may compute in one go with real-time priority.",
        "vrrp_rlimit_rttime 20000",
    )
    .synonyms(&["vrrp_rlimit_rtime"])
    .default("10000")
    .differs(
        "Who exceeds it loses the real-time priority, which is told, instead of being killed: a dead daemon is no \
         standby.",
    ),
    ignored(
        "checker_rlimit_rttime",
        BUDGET,
        NO_CHECKER,
        "Real-time budget of the checker process.",
        "checker_rlimit_rttime 10000",
    )
    .synonyms(&["checker_rlimit_rtime"])
    .default("10000"),
    ignored("bfd_rlimit_rttime", BUDGET, NO_BFD, "Real-time budget of the BFD process.", "bfd_rlimit_rttime 10000")
        .synonyms(&["bfd_rlimit_rtime"])
        .default("10000"),
    works(
        "reload_check_config",
        words(0, 1, "perhaps a path for the messages"),
        "Test the configuration before a reload; what is wrong with it is written to the file, too, if one is named.",
        "reload_check_config /var/log/keepalived-reload.log",
    )
    .default("on; off in keepalived")
    .since("2.2.0")
    .differs("Always on: a configuration that cannot be used never replaces one that can."),
    works(
        "reload_time_file",
        PATH,
        "A file whose first line is the time at which to reload: `HH:MM:SS`, perhaps with `YY-MM-DD` or `YYYY-MM-DD` and a \
         blank before it and `Z` (UTC) behind it. It may come, change and go at any time, and is removed when its \
         reload begins.",
        "reload_time_file /etc/keepalived/reload_at",
    )
    .since("2.1.0"),
    works(
        "reload_repeat",
        Form::Flag,
        "`reload_time_file` is not removed, so that a time without a date means every day.",
        "reload_repeat",
    ),
    works(
        "reload_file",
        words(0, 1, "perhaps a path"),
        "A file that is empty while configurations are read, and removed when they have been.",
        "reload_file /run/keepalived/reading",
    )
    .default("without a path: `keepalived.reload` in `/run/keepalived`, with the name of the `instance`")
    .since("2.2.0"),
    works(
        "include_check",
        words(0, usize::MAX, "readable, match, wildcard_match, brace_match, each perhaps with + or -; nothing means all"),
        "How strict a plain `include` is from here on to the end of the file and in what it includes; `includea` and its \
         kin say so line by line.",
        "include_check +match",
    )
    .since("2.2.0"),
    ignored(
        "tmp_config_directory",
        PATH,
        READ_ONCE,
        "Where to keep the copy of the configuration.",
        "tmp_config_directory /tmp",
    ),
    works(
        "data_use_instance",
        OPTIONAL_BOOL,
        "Put the names of network namespace and instance into the names of dumps: `keepalived.blue_inst1.data`.",
        "data_use_instance",
    )
    .default("off")
    .since("2.2.3")
    .differs("In the names of all three; in keepalived 2.2 only in that of the state."),
    works("state_dump_file", PATH, "Where the state is written on SIGUSR1.", "state_dump_file /run/k.data")
        .default("/tmp/keepalived.data")
        .since("after 2.2.7"),
    works("stats_dump_file", PATH, "Where statistics are written on SIGUSR2.", "stats_dump_file /run/k.stats")
        .default("/tmp/keepalived.stats")
        .since("after 2.2.7"),
    works("json_dump_file", PATH, "Where JSON is written on SIGRTMIN+2.", "json_dump_file /run/k.json")
        .default("/tmp/keepalived.json")
        .since("after 2.2.7"),
    works(
        "json_version",
        whole("", 1, 2),
        "The form of the JSON: 1 is a list of instances, 2 an object with the list under `vrrp`.",
        "json_version 2",
    )
    .default("1")
    .since("2.2.8"),
    works(
        "use_symlink_paths",
        OPTIONAL_BOOL,
        "Run scripts by the paths that are given, also where these are links, so that who changes a link changes what runs, \
         without a reload. Otherwise it runs what the link led to when the configuration was read.",
        "use_symlink_paths",
    )
    .default("off")
    .since("2.3.0")
    .differs(
        "With `enable_script_security`, what a script of root's is looked at for when the configuration is read includes each \
         link and the directory that it is in.",
    ),
    works(
        "process_names",
        Form::Flag,
        "What process lists show of the daemon is `keepalived_vrrp`.",
        "process_names",
    )
    .differs("Tanist is one process. It has the name of keepalived's VRRP process, as it does what that does."),
    works(
        "process_name",
        Form::Word("a name"),
        "What process lists show of the daemon, unless `vrrp_process_name` says otherwise; 15 octets of it.",
        "process_name standby",
    ),
    works(
        "vrrp_process_name",
        Form::Word("a name"),
        "What process lists show of the daemon; 15 octets of it.",
        "vrrp_process_name vrrp",
    ),
    ignored(
        "checker_process_name",
        Form::Word("a name"),
        NO_CHECKER,
        "Name of the checker process.",
        "checker_process_name check",
    )
    .synonyms(&["lvs_process_name"]),
    ignored("bfd_process_name", Form::Word("a name"), NO_BFD, "Name of the BFD process.", "bfd_process_name bfd"),
    not_built(
        "snmp_socket",
        Form::Word("an address"),
        "Where the SNMP master listens.",
        "snmp_socket unix:/var/agentx/master",
    )
    .default("unix:/var/agentx/master"),
    not_built("enable_traps", Form::Flag, "Send SNMP traps.", "enable_traps"),
    not_built("enable_snmp_vrrp", Form::Flag, "Answer SNMP about VRRP.", "enable_snmp_vrrp")
        .synonyms(&["enable_snmp_keepalived"]),
    not_built("enable_snmp_checker", Form::Flag, "Answer SNMP about virtual servers.", "enable_snmp_checker"),
    not_built("enable_snmp_rfc", Form::Flag, "Answer SNMP by both VRRP MIBs of the IETF.", "enable_snmp_rfc"),
    not_built("enable_snmp_rfcv2", Form::Flag, "Answer SNMP by the MIB of RFC 2787.", "enable_snmp_rfcv2"),
    not_built("enable_snmp_rfcv3", Form::Flag, "Answer SNMP by the MIB of RFC 6527.", "enable_snmp_rfcv3"),
    not_built(
        "snmp_vs_stats_update_interval",
        whole("seconds", 1, 4_294_967),
        "How old figures of virtual servers may be.",
        "snmp_vs_stats_update_interval 5",
    )
    .default("5")
    .since("2.3.0"),
    not_built(
        "snmp_rs_stats_update_interval",
        whole("seconds", 1, 4_294_967),
        "How old figures of real servers may be.",
        "snmp_rs_stats_update_interval 5",
    )
    .default("5")
    .since("2.3.0"),
    not_built("enable_dbus", Form::Flag, "Offer the D-Bus interface.", "enable_dbus"),
    not_built("dbus_service_name", Form::Word("a name"), "Name on the bus.", "dbus_service_name org.example.Vrrp")
        .default("org.keepalived.Vrrp1"),
    not_built(
        "dbus_no_interface_name",
        Form::Word("a name"),
        "What stands in paths for instances without interface.",
        "dbus_no_interface_name none",
    )
    .default("none")
    .since("after 2.2.7"),
    works(
        "vrrp_netlink_cmd_rcv_bufs",
        BYTES,
        "Receive buffer of the socket that changes the kernel.",
        "vrrp_netlink_cmd_rcv_bufs 212992",
    ),
    works(
        "vrrp_netlink_cmd_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "vrrp_netlink_cmd_rcv_bufs_force",
    ),
    works(
        "vrrp_netlink_monitor_rcv_bufs",
        BYTES,
        "Receive buffer of the socket that listens to the kernel.",
        "vrrp_netlink_monitor_rcv_bufs 212992",
    ),
    works(
        "vrrp_netlink_monitor_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "vrrp_netlink_monitor_rcv_bufs_force",
    ),
    ignored(
        "lvs_netlink_cmd_rcv_bufs",
        BYTES,
        NO_CHECKER,
        "The same for the checker process.",
        "lvs_netlink_cmd_rcv_bufs 212992",
    ),
    ignored(
        "lvs_netlink_cmd_rcv_bufs_force",
        OPTIONAL_BOOL,
        NO_CHECKER,
        "Exceed the system's limit for it.",
        "lvs_netlink_cmd_rcv_bufs_force",
    ),
    ignored(
        "lvs_netlink_monitor_rcv_bufs",
        BYTES,
        NO_CHECKER,
        "The same for the checker process.",
        "lvs_netlink_monitor_rcv_bufs 212992",
    ),
    ignored(
        "lvs_netlink_monitor_rcv_bufs_force",
        OPTIONAL_BOOL,
        NO_CHECKER,
        "Exceed the system's limit for it.",
        "lvs_netlink_monitor_rcv_bufs_force",
    ),
    works(
        "process_monitor_rcv_bufs",
        BYTES,
        "Receive buffer of the socket on which the kernel tells of processes that begin, for `vrrp_track_process`.",
        "process_monitor_rcv_bufs 212992",
    )
    .default("1048576")
    .differs("When more is told than it holds, all processes are looked at again, so that none is missed."),
    works(
        "process_monitor_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "process_monitor_rcv_bufs_force",
    ),
    works(
        "umask",
        words(1, usize::MAX, "a number as in C, or names like `IRGRP | IWOTH`"),
        "Mask for the files that are made, the dumps among them, and for scripts; `-u` on the command line wins.",
        "umask 022",
    )
    .default("0177")
    .differs("Without it, scripts keep the mask that the daemon was started with: 0177 would make what they make unusable."),
    works(
        "random_seed",
        whole("", 0, 4_294_967_295),
        "Makes `${_RANDOM}` repeatable in the lines below it.",
        "random_seed 42",
    )
    .differs("The numbers are not those of keepalived."),
    works("iproute_usr_dir", PATH, "Where the system's rt_tables and kin are.", "iproute_usr_dir /usr/share/iproute2")
        .default("/usr/share/iproute2, then /usr/lib/iproute2")
        .since("2.3.2"),
    works("iproute_etc_dir", PATH, "Where the operator's rt_tables and kin are.", "iproute_etc_dir /etc/iproute2")
        .default("/etc/iproute2")
        .since("2.3.2"),
];
