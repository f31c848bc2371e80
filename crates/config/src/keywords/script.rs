//! Definitions of what can be tracked: `vrrp_script`, `vrrp_track_process`, `track_file`.

use super::{COMMAND, COUNT, Form, Keyword, PATH, WHEN, seconds, whole, words, works};

pub(super) const VRRP_SCRIPT: &[Keyword] = &[
    works(
        "script",
        COMMAND,
        "What to run; exit status 0 is good. `\"</path\"` runs nothing: it is good if the file can be read. \
         What only a shell understands is run by `sh -c`.",
        "script \"/etc/keepalived/check.sh\"",
    )
    .differs(
        "A command with `&&`, `|`, `;` and other words of a shell is run by `sh -c`, with a hint; keepalived \
         hands them to the program as arguments (decision 14). Several words without quotes are one command; \
         keepalived takes the first.",
    ),
    works("interval", seconds(1, 4_294_000), "From one start to the next.", "interval 2").default("1").differs(
        "The first run comes at once, the second a little early, so that the checks of a node do not all run at \
         the same moment (decision 9).",
    ),
    works(
        "timeout",
        seconds(0, 4_294_000),
        "A run that takes longer counts as failed and is ended; 0 means as long as the interval.",
        "timeout 1",
    )
    .default("interval")
    .differs("A run that was under way while the machine slept gets its whole timeout again (decision 9)."),
    works(
        "weight",
        words(1, 2, "a number from -253 to 253, and perhaps `reverse`"),
        "What the result does to the priority. Positive: added while good. Negative: subtracted while failing. \
         `reverse` exchanges adding and subtracting. 0: failing is a FAULT; 0 with `reverse`: good is.",
        "weight -20",
    )
    .default("0"),
    works("rise", COUNT, "Good runs in a row until a failed check is good again.", "rise 2").default("1"),
    works("fall", COUNT, "Failed runs in a row until a good check has failed.", "fall 3").default("1"),
    works("user", words(1, 2, "a user and perhaps a group"), "Who runs it.", "user nobody nogroup")
        .default("script_user"),
    works("init_fail", Form::Flag, "Treat the check as failed until it has proved good.", "init_fail").differs(
        "Its weight counts as failed from the start; keepalived subtracts a negative one only after a first run that failed.",
    ),
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
    works(
        "process",
        words(1, usize::MAX, "a command and its arguments"),
        "The process to look for: by the kernel's name of it (`/proc/PID/comm`), or, if arguments are given, by its whole \
         command line, whose first word stands there just as it was called.",
        "process nginx",
    )
    .differs(
        "A name of more than 15 characters, of which the kernel keeps 15, is compared with the program's path, too; in \
         keepalived it fits nothing.",
    ),
    works(
        "param_match",
        words(0, 1, "perhaps `initial` or `partial`"),
        "How exactly its arguments must agree. Alone: all, and no others, also if none are given. `partial`: others may \
         follow. `initial`: as `partial`, and the last one may be longer.",
        "param_match initial",
    ),
    works(
        "weight",
        WEIGHT,
        "What their number does to the priority. Positive: added while it is good. Negative: subtracted while it is not. \
         `reverse` exchanges adding and subtracting. 0: not good is a FAULT; 0 with `reverse`: good is.",
        "weight -20",
    )
    .default("0"),
    works("quorum", whole("", 1, 65535), "How many must exist.", "quorum 2").default("1, or 0 with quorum_max 0"),
    works("quorum_max", whole("", 0, 65535), "How many may exist; 0 means that none may.", "quorum_max 4"),
    works("delay", DELAY, "Both `fork_delay` and `terminate_delay`.", "delay 0.5"),
    works(
        "fork_delay",
        DELAY,
        "A change by a fork counts after this long, if it has not been undone by then. Whoever becomes such a process \
         without a fork (exec, another name) counts at once.",
        "fork_delay 0.5",
    )
    .default("0")
    .differs("Where births are found by looking through `/proc`, each may have been a fork and waits."),
    works(
        "terminate_delay",
        DELAY,
        "A change by the end of a process counts after this long, if it has not been undone by then.",
        "terminate_delay 0.5",
    )
    .default("0"),
    works(
        "full_command",
        Form::Flag,
        "Compare the first word of the command line, as it was called, instead of the kernel's name.",
        "full_command",
    ),
];

pub(super) const TRACK_FILE: &[Keyword] = &[
    works("file", PATH, "The file.", "file /run/load"),
    works(
        "weight",
        WEIGHT,
        "What the number is multiplied with before it is added to the priority; -254 and less is a FAULT, more than 253 is \
         253. `reverse` exchanges adding and subtracting. 0: any number but 0 is a FAULT; 0 with `reverse`: 0 is.",
        "weight -1",
    )
    .default("1"),
    works(
        "init_file",
        words(0, 2, "perhaps a number, and perhaps `overwrite`"),
        "Make the file with this number (0 unless given) at the start, and at a reload that brings it in, if it is not \
         there; with `overwrite` also if it is.",
        "init_file 0 overwrite",
    )
    .differs("A link in its place is not followed, and nothing is written for a file that nothing tracks."),
];
