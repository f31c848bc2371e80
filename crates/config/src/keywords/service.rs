//! `service`: what runs, how its health is seen, and what follows when it fails.

use super::{Block, COMMAND_AS, COUNT, Form, Keyword, PATH, WHEN, span, words, works};

/// A day in milliseconds: longer than anybody waits for a service.
const DAY: u64 = 86_400_000;
/// From the shortest interval that is no busy loop.
const SPAN: Form = span(50, DAY);

pub(super) const KEYWORDS: &[Keyword] = &[
    works(
        "systemd",
        Form::Word("the name of a unit"),
        "It is this unit of systemd. Tanist starts and stops it; the unit itself must not be enabled.",
        "systemd nginx.service",
    ),
    works(
        "docker",
        Form::Word("the name of a container"),
        "It is this container, which must exist. Tanist starts and stops it; docker must not restart it by itself.",
        "docker neuronex",
    ),
    works(
        "command",
        COMMAND_AS,
        "It is this program, run by Tanist. It stays in the foreground; when it ends, the service has failed.",
        "command \"/usr/bin/python3 -m http.server 8000\" nobody nogroup",
    ),
    works(
        "start",
        COMMAND_AS,
        "It is started by this program; exit status 0 means that it has been. `stop` and `status` go with it.",
        "start \"/etc/tanist/start.sh\"",
    ),
    works(
        "stop",
        COMMAND_AS,
        "It is stopped by this program; exit status 0 means that nothing of it runs any more.",
        "stop \"/etc/tanist/stop.sh\"",
    ),
    works(
        "status",
        COMMAND_AS,
        "Exit status 0 means that it runs, any other that it does not.",
        "status \"/etc/tanist/status.sh\"",
    ),
    works(
        "user",
        words(1, 2, "a user and perhaps a group"),
        "Who runs the commands of this service that name no user of their own.",
        "user nobody nogroup",
    )
    .default("script_user"),
    works(
        "check",
        Form::OneOf(Block::Check),
        "How its health is seen while it runs. Several checks must all be good.",
        "check tcp 127.0.0.1:8085 { interval 1 }",
    )
    .repeats(),
    works(
        "start_grace",
        span(0, DAY),
        "After a start, failing checks do not count for so long, or until all of them were good once. A check whose runs are good \
         by then has until its `rise`.",
        "start_grace 20",
    )
    .default("20"),
    works("start_timeout", SPAN, "If it has not come up by then, it has failed.", "start_timeout 30").default("30"),
    works("stop_timeout", SPAN, "If it has not gone by then, it is killed.", "stop_timeout 10").default("10"),
    works(
        "restart",
        Form::Budget("`N within SECONDS`, or `never`"),
        "How often it is started again here after a failure, before it moves to the other node.",
        "restart 3 within 60",
    )
    .default("3 within 60"),
    works(
        "max_moves",
        Form::Budget("`N within SECONDS`"),
        "How often it may move because it failed. After that nothing moves by itself until `tanist ack`.",
        "max_moves 3 within 600",
    )
    .default("3 within 600"),
    works(
        "on_manual_stop",
        Form::Choice(&["failover", "restart", "maintenance"]),
        "What it means when somebody stops it by hand: it moves, it is started again, or nothing happens by itself \
         until the maintenance ends.",
        "on_manual_stop maintenance",
    )
    .default("failover"),
    works(
        "failback",
        Form::Choice(&["auto", "manual", "never"]),
        "Whether it goes back to the better node: in order as soon as that is ready (and not while it is still starting on the \
         other one), when an operator says so, or not.",
        "failback manual",
    )
    .default("auto; never with `nopreempt`"),
    works(
        "could_start",
        COMMAND_AS,
        "Asked on the node where it does not run: exit status 0 means that it could be started there.",
        "could_start \"/etc/tanist/ready.sh\"",
    ),
    works(
        "needs_port",
        words(1, 16, "ports, each perhaps with an address before it, or `none`"),
        "It could not be started where somebody else listens there. `none`: nothing is looked at.",
        "needs_port 8080 127.0.0.1:9090",
    )
    .default("the ports of its http and tcp checks"),
    works(
        "needs_disk",
        words(2, 2, "a path and a size like 500M or 2G"),
        "It could not be started where so much room is not free, or where nothing can be written.",
        "needs_disk /var/lib/web 500M",
    )
    .repeats(),
    works(
        "may_differ",
        Form::Flag,
        "The other node is told something else about it on purpose: that is not remarked.",
        "may_differ",
    ),
    works("readiness_interval", SPAN, "From one such question to the next.", "readiness_interval 5").default("5"),
    works(
        "readiness_rise",
        COUNT,
        "Good answers in a row until a node that failed is a ready standby again.",
        "readiness_rise 2",
    )
    .default("2"),
    works(
        "on_role",
        COMMAND_AS,
        "Runs when the role changes, one run after the other; TANIST_ROLE, TANIST_REASON and others tell more.",
        "on_role \"/etc/tanist/on_role.sh\"",
    ),
    works(
        "post_takeover",
        COMMAND_AS,
        "Runs once after a take-over, as soon as it has come up.",
        "post_takeover \"/usr/bin/rerun-failed\"",
    ),
    works(
        "while_active",
        Form::Block(Block::WhileActive),
        "What runs again and again on the node where it is active.",
        "while_active { every 1h \"/usr/bin/rerun-failed\" }",
    ),
    works(
        "down_file",
        PATH,
        "While this file exists, this node stands back: the service moves and does not come back.",
        "down_file /etc/tanist/down",
    ),
];

pub(super) const WHILE_ACTIVE: &[Keyword] =
    &[works("every", Form::TimedCommand, "A command and how often it runs.", "every 1h \"/usr/bin/rerun-failed\"")
        .repeats()];

pub(super) const CHECKS: &[Keyword] = &[
    works(
        "http",
        Form::Word("an URL like http://127.0.0.1:8085/health"),
        "A page is asked for and answers with a good status. The host is an address, or `localhost`.",
        "http http://127.0.0.1:8085/health { status 200-299 }",
    )
    .options(Block::HttpOptions),
    works(
        "tcp",
        Form::Word("an address and a port like 127.0.0.1:8085"),
        "A connection is accepted.",
        "tcp 127.0.0.1:8085",
    )
    .options(Block::CheckOptions),
    works("process", Form::Word("the name of a process"), "A process of this name exists.", "process nginx")
        .options(Block::CheckOptions),
    works(
        "file",
        PATH,
        "A file exists, and with `max_age` it is not older.",
        "file /run/scheduler/alive { max_age 10 }",
    )
    .options(Block::FileOptions),
    works(
        "notify",
        Form::Flag,
        "The service says `WATCHDOG=1` to its NOTIFY_SOCKET, as it would to systemd.",
        "notify { timeout 5 }",
    )
    .options(Block::CheckOptions),
    works("script", COMMAND_AS, "A program ends with status 0.", "script \"/etc/tanist/check.sh\" nobody")
        .options(Block::ScriptOptions),
];

pub(super) const CHECK_OPTIONS: &[Keyword] = &[
    works("interval", SPAN, "From one start of the check to the next.", "interval 1").default("1"),
    works("timeout", SPAN, "No answer by then is a bad one.", "timeout 1").default("1"),
    works("rise", COUNT, "Good results in a row until a failed check is good again.", "rise 1").default("1"),
    works("fall", COUNT, "Bad results in a row until the service has failed.", "fall 3").default("3"),
];

pub(super) const SCRIPT_OPTIONS: &[Keyword] = &[works(
    "when",
    WHEN,
    "`active`: it runs where the service does. `standby`: it is asked where the service does not run, and says by status 0 \
     that it could be started there. TANIST_ROLE tells which of the two it is.",
    "when both",
)
.default("active")];

pub(super) const HTTP_OPTIONS: &[Keyword] =
    &[works("status", Form::Word("a number or a range from 100 to 599"), "Good answers.", "status 200-399")
        .default("200-399")];

pub(super) const FILE_OPTIONS: &[Keyword] =
    &[works("max_age", SPAN, "It must have been changed within this time.", "max_age 10").default("any age")];
