//! Definitions of what can be tracked: `vrrp_script`, `vrrp_track_process`, `track_file`.

use super::{COMMAND, COUNT, Form, Keyword, PATH, WHEN, not_built, seconds, whole, words, works};

pub(super) const VRRP_SCRIPT: &[Keyword] = &[
    works(
        "script",
        COMMAND,
        "What to run; exit status 0 is good. `\"</path\"` runs nothing: it is good if the file can be read. \
         What only a shell understands is run by `sh -c`.",
        "script \"/etc/keepalived/check.sh\"",
    ),
    works("interval", seconds(1, 4_294_000), "From one start to the next.", "interval 2").default("1"),
    works(
        "timeout",
        seconds(0, 4_294_000),
        "A run that takes longer counts as failed and is ended; 0 means as long as the interval.",
        "timeout 1",
    )
    .default("interval"),
    works(
        "weight",
        words(1, 2, "a number from -253 to 253, and perhaps `reverse`"),
        "What the result does to the priority. Positive: added while good. Negative: subtracted while failing. \
         `reverse` exchanges good and failing. 0: failing is a FAULT.",
        "weight -20",
    )
    .default("0"),
    works("rise", COUNT, "Good runs in a row until a failed check is good again.", "rise 2").default("1"),
    works("fall", COUNT, "Failed runs in a row until a good check has failed.", "fall 3").default("1"),
    works("user", words(1, 2, "a user and perhaps a group"), "Who runs it.", "user nobody nogroup")
        .default("script_user"),
    works("init_fail", Form::Flag, "Treat the check as failed until it has proved good.", "init_fail"),
    works(
        "when",
        WHEN,
        "In which roles it runs: `active` is where an instance that tracks it is MASTER. Elsewhere it counts for nothing; \
         one that has failed goes on until it is good again.",
        "when active",
    )
    .default("both")
    .ours(),
];

const WEIGHT: Form = words(1, 2, "a number from -254 to 254, and perhaps `reverse`");
const DELAY: Form = Form::Seconds { min: 1, max: 3_600_000_000 };

pub(super) const TRACK_PROCESS: &[Keyword] = &[
    not_built(
        "process",
        words(1, usize::MAX, "a command and its arguments"),
        "The process to look for.",
        "process nginx",
    ),
    not_built(
        "param_match",
        words(0, 1, "perhaps `initial` or `partial`"),
        "How exactly its arguments must agree.",
        "param_match initial",
    ),
    not_built("weight", WEIGHT, "What its absence does to the priority; 0 is a FAULT.", "weight -20").default("0"),
    not_built("quorum", whole("", 1, 65535), "How many must exist.", "quorum 2").default("1"),
    not_built("quorum_max", whole("", 0, 65535), "How many may exist.", "quorum_max 4"),
    not_built("delay", DELAY, "Wait this long before a change counts.", "delay 0.5"),
    not_built("fork_delay", DELAY, "Wait this long before a start counts.", "fork_delay 0.5"),
    not_built("terminate_delay", DELAY, "Wait this long before an end counts.", "terminate_delay 0.5"),
    not_built("full_command", Form::Flag, "Compare the whole command line, not only the name.", "full_command"),
];

pub(super) const TRACK_FILE: &[Keyword] = &[
    not_built("file", PATH, "The file; its content is a number.", "file /run/load"),
    not_built("weight", WEIGHT, "What to multiply the number with.", "weight -1").default("1"),
    not_built(
        "init_file",
        words(0, 2, "perhaps a number, and perhaps `overwrite`"),
        "Write the file at the start.",
        "init_file 0 overwrite",
    ),
];
