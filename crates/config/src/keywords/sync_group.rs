//! `vrrp_sync_group`.

use super::{COMMAND_AS, Form, Keyword, List, OPTIONAL_BOOL, not_built, words, works};

pub(super) const KEYWORDS: &[Keyword] = &[
    works("group", Form::List(List::Words), "The instances, by name.", "group { VI_1 VI_2 }"),
    works("track_interface", Form::List(List::Tracked), "Interfaces that count for all.", "track_interface { eth1 }"),
    works("track_script", Form::List(List::Tracked), "Checks that count for all.", "track_script { chk_web }"),
    works("track_file", Form::List(List::Tracked), "Files that count for all.", "track_file { load weight 2 }"),
    works("track_process", Form::List(List::Tracked), "Processes that count for all.", "track_process { nginx }"),
    not_built("track_bfd", Form::List(List::Tracked), "BFD sessions that count for all.", "track_bfd { peer }"),
    works(
        "service",
        words(1, 64, "names of services"),
        "The services that run where all instances of the group are Active.",
        "service web",
    )
    .repeats()
    .ours(),
    works("notify_master", COMMAND_AS, "Runs when the group becomes Active.", "notify_master \"/etc/k/active.sh\""),
    works("notify_backup", COMMAND_AS, "Runs when the group becomes Backup.", "notify_backup \"/etc/k/backup.sh\""),
    works("notify_fault", COMMAND_AS, "Runs at a FAULT of the group.", "notify_fault \"/etc/k/fault.sh\""),
    works("notify_stop", COMMAND_AS, "Runs when the daemon stops.", "notify_stop \"/etc/k/stop.sh\""),
    works("notify", COMMAND_AS, "Runs at every change, with four more arguments.", "notify \"/etc/k/notify.sh\""),
    works("smtp_alert", OPTIONAL_BOOL, "Send mail about changes of the group's state.", "smtp_alert")
        .default("that of `global_defs`"),
    works(
        "notify_priority_changes",
        OPTIONAL_BOOL,
        "Write the members' changes of priority to the pipes, too, unless a member says otherwise itself.",
        "notify_priority_changes",
    )
    .default("vrrp_notify_priority_changes"),
    works(
        "sync_group_tracking_weight",
        Form::Flag,
        "Let the weights of the members' own checks and interfaces count; otherwise they do not.",
        "sync_group_tracking_weight",
    )
    .synonyms(&["global_tracking"]),
];
