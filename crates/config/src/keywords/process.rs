//! `global_defs`: what concerns the process, its files, and its doors to other programs.

use super::{BYTES, Form, Keyword, OPTIONAL_BOOL, PATH, not_built, whole, words, works};

const NICE: Form = whole("", -20, 19);
const REALTIME: Form = whole("", 1, 99);
const MICROSECONDS: Form = whole("microseconds", 1, 10_000_000);
const BUDGET: Form = whole("microseconds", 1, 4_294_967_295);
const CPUS: Form = words(1, usize::MAX, "numbers of processors");

pub(super) const KEYWORDS: &[Keyword] = &[
    not_built(
        "max_auto_priority",
        whole("", -1, 99),
        "How far the daemon may raise its own real-time priority after missed deadlines.",
        "max_auto_priority 50",
    )
    .default("0"),
    not_built(
        "min_auto_priority_delay",
        MICROSECONDS,
        "A delay longer than this is a missed deadline.",
        "min_auto_priority_delay 1000000",
    )
    .default("1000000"),
    not_built("vrrp_priority", NICE, "Nice value of the VRRP process.", "vrrp_priority -10").default("0"),
    not_built("checker_priority", NICE, "Nice value of the checker process.", "checker_priority -10").default("0"),
    not_built("bfd_priority", NICE, "Nice value of the BFD process.", "bfd_priority -10").default("0"),
    not_built("vrrp_rt_priority", REALTIME, "Real-time priority of the VRRP process.", "vrrp_rt_priority 50"),
    not_built("checker_rt_priority", REALTIME, "Real-time priority of the checker process.", "checker_rt_priority 50"),
    not_built("bfd_rt_priority", REALTIME, "Real-time priority of the BFD process.", "bfd_rt_priority 50"),
    not_built("vrrp_no_swap", Form::Flag, "Keep the VRRP process in memory.", "vrrp_no_swap"),
    not_built("checker_no_swap", Form::Flag, "Keep the checker process in memory.", "checker_no_swap"),
    not_built("bfd_no_swap", Form::Flag, "Keep the BFD process in memory.", "bfd_no_swap"),
    not_built("vrrp_cpu_affinity", CPUS, "Processors that the VRRP process may use.", "vrrp_cpu_affinity 0 1"),
    not_built("checker_cpu_affinity", CPUS, "Processors that the checker process may use.", "checker_cpu_affinity 0"),
    not_built("bfd_cpu_affinity", CPUS, "Processors that the BFD process may use.", "bfd_cpu_affinity 0"),
    not_built("vrrp_rlimit_rttime", BUDGET, "Real-time budget of the VRRP process.", "vrrp_rlimit_rttime 10000")
        .synonyms(&["vrrp_rlimit_rtime"])
        .default("10000"),
    not_built(
        "checker_rlimit_rttime",
        BUDGET,
        "Real-time budget of the checker process.",
        "checker_rlimit_rttime 10000",
    )
    .synonyms(&["checker_rlimit_rtime"])
    .default("10000"),
    not_built("bfd_rlimit_rttime", BUDGET, "Real-time budget of the BFD process.", "bfd_rlimit_rttime 10000")
        .synonyms(&["bfd_rlimit_rtime"])
        .default("10000"),
    not_built(
        "reload_check_config",
        words(0, 1, "perhaps a path for the messages"),
        "Test the configuration before a reload.",
        "reload_check_config",
    )
    .since("2.2.0"),
    not_built("reload_time_file", PATH, "A file with the time at which to reload.", "reload_time_file /etc/reload_at")
        .since("2.1.0"),
    not_built("reload_repeat", Form::Flag, "Reload at that time every day.", "reload_repeat"),
    not_built("reload_file", words(0, 1, "perhaps a path"), "A file that exists during a reload.", "reload_file")
        .since("2.2.0"),
    not_built(
        "include_check",
        words(0, usize::MAX, "readable, match, wildcard_match, brace_match, each perhaps with + or -"),
        "How strict a plain `include` is; `includea` and its kin say so line by line.",
        "include_check +match",
    )
    .since("2.2.0"),
    not_built(
        "tmp_config_directory",
        PATH,
        "Where to keep the copy of the configuration.",
        "tmp_config_directory /tmp",
    ),
    not_built(
        "data_use_instance",
        OPTIONAL_BOOL,
        "Put the instance name into the names of dumps.",
        "data_use_instance",
    )
    .default("off")
    .since("2.2.3"),
    not_built("state_dump_file", PATH, "Where the state is written on SIGUSR1.", "state_dump_file /run/k.data")
        .default("/tmp/keepalived.data")
        .since("after 2.2.7"),
    not_built("stats_dump_file", PATH, "Where statistics are written on SIGUSR2.", "stats_dump_file /run/k.stats")
        .default("/tmp/keepalived.stats")
        .since("after 2.2.7"),
    not_built("json_dump_file", PATH, "Where JSON is written.", "json_dump_file /run/k.json")
        .default("/tmp/keepalived.json")
        .since("after 2.2.7"),
    not_built("json_version", whole("", 1, 2), "The form of the JSON.", "json_version 2").default("1").since("2.2.8"),
    not_built("use_symlink_paths", OPTIONAL_BOOL, "Keep symbolic links in the paths of scripts.", "use_symlink_paths")
        .default("off")
        .since("2.3.0"),
    not_built("process_names", Form::Flag, "Give each process its usual name.", "process_names"),
    not_built("process_name", Form::Word("a name"), "Name of the parent process.", "process_name keepalived"),
    not_built("vrrp_process_name", Form::Word("a name"), "Name of the VRRP process.", "vrrp_process_name vrrp"),
    not_built(
        "checker_process_name",
        Form::Word("a name"),
        "Name of the checker process.",
        "checker_process_name check",
    )
    .synonyms(&["lvs_process_name"]),
    not_built("bfd_process_name", Form::Word("a name"), "Name of the BFD process.", "bfd_process_name bfd"),
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
    not_built(
        "vrrp_netlink_cmd_rcv_bufs",
        BYTES,
        "Receive buffer of the socket that changes the kernel.",
        "vrrp_netlink_cmd_rcv_bufs 212992",
    ),
    not_built(
        "vrrp_netlink_cmd_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "vrrp_netlink_cmd_rcv_bufs_force",
    ),
    not_built(
        "vrrp_netlink_monitor_rcv_bufs",
        BYTES,
        "Receive buffer of the socket that listens to the kernel.",
        "vrrp_netlink_monitor_rcv_bufs 212992",
    ),
    not_built(
        "vrrp_netlink_monitor_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "vrrp_netlink_monitor_rcv_bufs_force",
    ),
    not_built(
        "lvs_netlink_cmd_rcv_bufs",
        BYTES,
        "The same for the checker process.",
        "lvs_netlink_cmd_rcv_bufs 212992",
    ),
    not_built(
        "lvs_netlink_cmd_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "lvs_netlink_cmd_rcv_bufs_force",
    ),
    not_built(
        "lvs_netlink_monitor_rcv_bufs",
        BYTES,
        "The same for the checker process.",
        "lvs_netlink_monitor_rcv_bufs 212992",
    ),
    not_built(
        "lvs_netlink_monitor_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "lvs_netlink_monitor_rcv_bufs_force",
    ),
    not_built(
        "process_monitor_rcv_bufs",
        BYTES,
        "Receive buffer of the socket that listens for processes.",
        "process_monitor_rcv_bufs 212992",
    ),
    not_built(
        "process_monitor_rcv_bufs_force",
        OPTIONAL_BOOL,
        "Exceed the system's limit for it.",
        "process_monitor_rcv_bufs_force",
    ),
    not_built("umask", words(1, usize::MAX, "a number or names"), "Mask for the files that are made.", "umask 0177")
        .default("0177"),
    not_built("random_seed", whole("", 0, 4_294_967_295), "Makes `${_RANDOM}` repeatable.", "random_seed 42"),
    works("iproute_usr_dir", PATH, "Where the system's rt_tables and kin are.", "iproute_usr_dir /usr/share/iproute2")
        .default("/usr/share/iproute2, then /usr/lib/iproute2")
        .since("2.3.2"),
    works("iproute_etc_dir", PATH, "Where the operator's rt_tables and kin are.", "iproute_etc_dir /etc/iproute2")
        .default("/etc/iproute2")
        .since("2.3.2"),
];
