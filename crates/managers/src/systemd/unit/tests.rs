//! Conversations with a unit, line by line: what it hears, and what it then wants.

use zbus::Variant;

use super::*;

const GROUP: &str = "/system.slice/a.service";

/// Plays a conversation. After `|` stands all that the line before must lead to.
#[track_caller]
fn check(conversation: &str) {
    let mut unit = Unit::new("a.service");
    let start = Instant::now();
    for line in conversation.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (heard, expected) = line.split_once('|').unwrap_or((line, ""));
        let mut out = Vec::new();
        hear(&mut unit, heard.trim(), start, &mut out);
        let wanted: Vec<String> = out.iter().map(text).collect();
        let expected: Vec<&str> = expected.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        assert_eq!(wanted, expected, "after {heard:?}");
    }
}

fn hear(unit: &mut Unit, heard: &str, start: Instant, out: &mut Vec<Out>) {
    let (verb, rest) = heard.split_once(' ').unwrap_or((heard, ""));
    let mut words = rest.split_whitespace();
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok()).expect("a number");
    match verb {
        "watch" => unit.order(ServiceOrder::Watch, out),
        "start" => unit.order(ServiceOrder::Start, out),
        "stop" => unit.order(ServiceOrder::Stop, out),
        "kill" => unit.order(ServiceOrder::Kill, out),
        "assess" => unit.order(ServiceOrder::AssessReadiness, out),
        "described" => {
            let usual = "ConditionResult=yes LoadState=loaded Slice=system.slice ";
            unit.described(&map(&(usual.to_owned() + rest)), out);
        }
        "changed" => unit.changed(&map(rest), out),
        "+job" => unit.job_came(number(words.next())),
        "-job" => unit.job_went(number(words.next()), words.next().expect("a result"), out),
        "reply" => {
            let ask = ask(words.next());
            unit.replied(ask, Ok(words.next().map(|word| number(Some(word)))), out);
        }
        "refuse" => {
            let (ask, text) = (ask(words.next()), words.next().expect("a text").to_owned());
            let nothing_there = text == "nothing";
            unit.replied(ask, Err(Refusal { text, nothing_there }), out);
        }
        "count" => unit.processes(number(words.next()) as usize, start, out),
        "later" => {
            let now = start + Duration::from_millis(100);
            unit.look_again(now, out);
            assert!(unit.deadline().is_none_or(|at| at > now), "it would be awake all the time");
        }
        "system" => unit.system_stops(words.next().map(|state| state == "stopping"), out),
        "impossible" => unit.impossible(rest, out),
        "disconnected" => unit.disconnected(),
        "lost" => unit.lost(rest, out),
        other => panic!("what is {other:?}?"),
    }
}

fn ask(word: Option<&str>) -> Ask {
    match word {
        Some("start") => Ask::Start,
        Some("restart") => Ask::Restart,
        Some("stop") => Ask::Stop,
        Some("kill") => Ask::Kill,
        other => panic!("what is {other:?}?"),
    }
}

/// `active`, `ActiveState=active`, `ExecMainStatus=1`, …
fn map(text: &str) -> Map<'_> {
    let pairs = text.split_whitespace().map(|word| word.split_once('=').unwrap_or(("ActiveState", word)));
    let value = |(name, value): (_, &'static str)| {
        let number = || value.parse().expect("a number");
        (
            name,
            match name {
                "ConditionResult" => Variant::Bool(value == "yes"),
                "ExecMainCode" | "ExecMainStatus" => Variant::I32(number()),
                "NRestarts" => Variant::U32(u32::try_from(number()).expect("positive")),
                "Job" => Variant::from((u32::try_from(number()).expect("positive"), "/job")),
                _ => Variant::from(value),
            },
        )
    };
    // The conversations of a test are few.
    pairs.map(|(name, text)| value((name, String::from(text).leak()))).collect()
}

fn text(out: &Out) -> String {
    match out {
        Out::Ask(ask) => format!("ask {ask:?}"),
        Out::Count(group) => {
            assert_eq!(group, GROUP);
            "count".to_owned()
        }
        Out::KillGroup(group) => {
            assert_eq!(group, GROUP);
            "kill group".to_owned()
        }
        Out::Report(ServiceReport::Gone(ending)) => format!("gone {ending:?}"),
        Out::Report(report) => format!("{report:?}"),
        Out::Remark(weight, text) => format!("{weight:?}: {}", text.split(':').next().unwrap_or_default()),
    }
}

#[test]
fn starts_and_stops() {
    check(
        "watch
         described inactive           | count
         count 0                      | gone NotRunning
         start                        | ask Start
         +job 1
         reply start 1
         changed activating
         changed active
         -job 1 done                  | Running
         stop                         | ask Stop
         +job 2
         reply stop 2
         changed deactivating
         changed inactive Result=success ExecMainCode=2 ExecMainStatus=15
         -job 2 done                  | count
         count 0                      | gone Signalled(15)
         stop                         | ask Stop
         +job 3
         reply stop 3
         -job 3 done                  | count
         count 0                      | gone Signalled(15)",
    );
}

#[test]
fn tells_a_crash_from_an_exit_and_from_an_operators_stop() {
    check(
        "watch
         described active             | Running
         changed failed Result=signal ExecMainCode=2 ExecMainStatus=9 | count
         count 0                      | gone Signalled(9)
         changed active               | Running
         changed inactive Result=success ExecMainCode=1 ExecMainStatus=0 | count
         count 0                      | gone Exited(0)
         changed active               | Running
         +job 7
         changed deactivating
         changed inactive
         -job 7 done                  | count
         count 0                      | ask SystemState
         system running               | count
         count 0                      | StoppedByHand
         changed activating           | Running",
    );
}

#[test]
fn an_operators_stop_stays_one_if_we_stop_too() {
    check(
        "watch
         described active             | Running
         +job 7
         stop                         | ask Stop
         reply stop 7
         changed inactive
         -job 7 done                  | count
         count 0                      | ask SystemState
         system running               | count
         count 0                      | StoppedByHand",
    );
}

#[test]
fn a_machine_that_shuts_down_is_no_operator_who_stops_the_service() {
    check(
        "watch
         described active             | Running
         +job 7
         changed inactive
         -job 7 done                  | count
         count 0                      | ask SystemState
         system stopping              | count
         count 0                      | gone Said(\"the system is shutting down\")",
    );
}

#[test]
fn of_a_restart_or_reload_by_hand_nothing_is_told() {
    check(
        "watch
         described active             | Running
         +job 7
         changed deactivating
         changed inactive
         changed activating
         changed active
         -job 7 done
         +job 8
         changed reloading
         -job 8 done
         changed active
         changed failed Result=exit-code ExecMainCode=1 ExecMainStatus=3 | count
         count 0                      | gone Exited(3)",
    );
}

#[test]
fn systemds_own_restart_is_prevented_before_gone_is_said() {
    check(
        "watch
         described active Restart=always | Warning: a.service has Restart=always; Running
         changed activating SubState=auto-restart Result=exit-code ExecMainCode=1 ExecMainStatus=1 | ask Stop
         +job 3
         reply stop 3
         changed inactive SubState=dead
         -job 3 done                  | count
         count 0                      | gone Exited(1)
         watch                        | count
         count 0                      | gone NotRunning
         start                        | ask Start
         +job 4
         reply start 4
         changed active SubState=running
         -job 4 done                  | Running
         changed active NRestarts=1   | Warning: systemd was faster than we and has restarted a.service by itself",
    );
}

#[test]
fn how_it_ended_is_not_how_we_undid_systemds_own_restart() {
    check(
        "watch
         described active Restart=always | Warning: a.service has Restart=always; Running
         changed failed Result=signal ExecMainCode=2 ExecMainStatus=9 | ask Stop
         +job 3
         changed active SubState=running Result=success ExecMainCode=0 ExecMainStatus=0
         -job 3 done
         +job 4
         reply stop 4
         changed deactivating SubState=stop-sigterm
         changed inactive SubState=dead Result=success ExecMainCode=2 ExecMainStatus=15
         -job 4 done                  | count
         count 0                      | gone Signalled(9)",
    );
    // Should systemd take the stop back, it runs as before.
    check(
        "watch
         described active Restart=always | Warning: a.service has Restart=always; Running
         changed failed Result=signal ExecMainCode=2 ExecMainStatus=9 | ask Stop
         +job 4
         reply stop 4
         changed active SubState=running Result=success ExecMainCode=0 ExecMainStatus=0
         -job 4 canceled
         changed inactive Result=exit-code ExecMainCode=1 ExecMainStatus=3 | ask Stop",
    );
}

#[test]
fn failed_may_be_on_its_way_to_a_restart() {
    check(
        "watch
         described active Restart=on-failure | Warning: a.service has Restart=on-failure; Running
         changed failed Result=signal ExecMainCode=2 ExecMainStatus=9 | ask Stop
         changed activating SubState=auto-restart
         +job 3
         reply stop 3
         changed inactive SubState=dead
         -job 3 done                  | count
         count 0                      | gone Signalled(9)
         changed active               | Running
         +job 4
         changed inactive
         -job 4 done                  | count
         count 0                      | ask SystemState
         system running               | count
         count 0                      | StoppedByHand
         changed active               | Running
         changed failed               | ask Stop
         refuse stop nothing          | count
         count 0                      | gone Signalled(9)",
    );
}

#[test]
fn a_refusal_to_keep_it_from_restarting_is_said_once() {
    check(
        "watch
         described active Restart=always | Warning: a.service has Restart=always; Running
         changed activating SubState=auto-restart | ask Stop
         refuse stop no               | Error: systemd can't be kept from restarting a.service
         changed activating SubState=auto-restart
         stop                         | ask Stop
         refuse stop no               | StopRefused(\"no\")
         changed active SubState=running
         changed activating SubState=auto-restart | ask Stop
         +job 3
         reply stop 3
         -job 3 canceled              | ask Stop
         +job 4
         reply stop 4
         changed inactive SubState=dead
         -job 4 done                  | count",
    );
}

#[test]
fn starts_at_once_while_systemd_pauses() {
    check(
        "described activating SubState=auto-restart
         start                        | ask Restart
         +job 4
         reply restart 4
         changed inactive SubState=dead
         changed active SubState=running
         -job 4 done                  | Running",
    );
}

#[test]
fn says_why_it_did_not_start() {
    let begin = "described inactive
                 start                | ask Start
                 +job 1
                 reply start 1\n";
    for (end, expected) in [
        ("changed failed Result=exit-code ExecMainCode=1 ExecMainStatus=2\n-job 1 failed", "gone Exited(2)"),
        ("changed failed Result=timeout\n-job 1 timeout", "gone Said(\"timeout\")"),
        ("changed inactive ExecMainCode=1 ExecMainStatus=4\n-job 1 done", "gone Exited(4)"),
        ("changed inactive ConditionResult=no\n-job 1 done", "StartRefused(\"a condition of the unit is not met\")"),
        ("-job 1 dependency", "StartRefused(\"a unit that it needs could not be started\")"),
        ("-job 1 assert", "StartRefused(\"systemd gave the start up (assert)\")"),
        ("-job 1 canceled", "StoppedByHand"),
    ] {
        check(&format!("{begin}{end} | count\ncount 0 | {expected}"));
    }
    check(
        "described inactive
         start                        | ask Start
         refuse start masked          | StartRefused(\"masked\"); count
         count 0                      | gone NotRunning",
    );
}

#[test]
fn a_start_that_fails_and_would_be_made_again_is_told_as_it_failed() {
    let begin = "described inactive Restart=always | Warning: a.service has Restart=always
                 watch                | ask Stop
                 +job 9
                 reply stop 9
                 -job 9 done          | count
                 count 0              | gone NotRunning
                 start                | ask Start
                 +job 1
                 reply start 1
                 changed activating\n";
    let failed = "changed failed Result=exit-code ExecMainCode=1 ExecMainStatus=3";
    let pauses = "changed activating SubState=auto-restart";
    // Its own end is seen first, or systemd's pause, or neither before systemd has begun once more.
    for way in [
        format!(
            "{failed}
             -job 1 failed            | ask Stop
             {pauses}
             +job 3
             reply stop 3
             changed inactive SubState=dead"
        ),
        format!(
            "{pauses} Result=exit-code ExecMainCode=1 ExecMainStatus=3 | ask Stop
             -job 1 failed
             +job 3
             reply stop 3
             changed inactive SubState=dead"
        ),
        format!(
            "{failed}
             -job 1 failed            | ask Stop
             +job 3
             changed activating SubState=start-pre Result=success ExecMainCode=0 ExecMainStatus=0
             reply stop 3
             changed deactivating SubState=stop-sigterm
             changed inactive SubState=dead Result=success ExecMainCode=2 ExecMainStatus=15"
        ),
        // With `RestartMode=direct` its job waits for the next attempt, and our stop is the end of it.
        format!(
            "{pauses}-queued Result=exit-code ExecMainCode=1 ExecMainStatus=3 | ask Stop
             -job 1 canceled
             +job 3
             reply stop 3
             changed inactive SubState=dead"
        ),
    ] {
        check(&format!(
            "{begin}{way}
             -job 3 done              | count
             count 0                  | gone Exited(3)
             watch                    | count
             count 0                  | gone NotRunning"
        ));
    }
    // Had it been an operator's doing, that is told.
    check(&format!(
        "{begin}+job 2
         -job 1 canceled
         changed inactive Result=success ExecMainCode=2 ExecMainStatus=15
         -job 2 done                  | ask Stop
         +job 3
         reply stop 3
         -job 3 done                  | count
         count 0                      | StoppedByHand"
    ));
    // Also when it is started in systemd's pause.
    for (result, expected) in
        [("canceled", "StoppedByHand"), ("dependency", "StartRefused(\"a unit that it needs could not be started\")")]
    {
        check(&format!(
            "described activating SubState=auto-restart
             start                    | ask Restart
             +job 4
             reply restart 4
             changed inactive SubState=dead
             -job 4 {result}          | count
             count 0                  | {expected}"
        ));
    }
}

#[test]
fn waits_for_the_last_process_and_kills_it_when_told_to() {
    check(
        "watch
         described active             | Running
         stop                         | ask Stop
         +job 1
         reply stop 1
         changed inactive
         -job 1 done                  | count
         count 2                      | Warning: a.service is inactive for systemd, but 2 of its processes live on
         later                        | count
         count 2
         kill                         | ask Stop; ask Kill
         +job 2
         reply stop 2
         refuse kill nothing
         -job 2 done                  | count
         count 2                      | kill group
         later                        | count
         count 0                      | gone NotRunning",
    );
}

#[test]
fn while_somebody_starts_it_what_is_left_is_looked_at_in_no_hurry() {
    check(
        "watch
         described active             | Running
         changed inactive             | count
         count 2                      | Warning: a.service is inactive for systemd, but 2 of its processes live on
         +job 7
         later
         -job 7 done                  | count
         count 2
         later                        | count
         count 0                      | gone NotRunning",
    );
}

#[test]
fn how_a_start_ended_says_nothing_of_a_later_end() {
    check(
        "described inactive
         start                        | ask Start
         +job 1
         reply start 1
         changed activating
         +job 2
         -job 1 canceled
         changed active               | Running
         -job 2 done
         changed failed Result=signal ExecMainCode=2 ExecMainStatus=9 | count
         count 0                      | gone Signalled(9)",
    );
}

#[test]
fn a_stop_that_somebody_takes_back_is_asked_again() {
    check(
        "watch
         described active             | Running
         stop                         | ask Stop
         +job 1
         reply stop 1
         +job 2
         -job 1 canceled              | ask Stop
         +job 3
         reply stop 3
         -job 2 canceled
         changed inactive
         -job 3 done                  | count
         count 0                      | gone NotRunning
         changed active               | Running
         stop                         | ask Stop
         refuse stop no               | StopRefused(\"no\")",
    );
}

#[test]
fn a_lost_connection_makes_it_unknown_and_forgets_no_order() {
    check(
        "watch
         lost closed                  | Unknown(\"closed\")
         start
         described inactive           | ask Start
         +job 1
         disconnected
         assess
         lost closed                  | Readiness(Err(\"closed\"))
         described activating Job=1   | ask Start
         reply start 1
         changed active
         -job 1 done                  | Running
         disconnected
         described active
         assess                       | ask Describe
         described active             | Readiness(Ok(()))",
    );
}

#[test]
fn a_job_of_a_lost_connection_is_not_waited_for() {
    check(
        "watch
         described active             | Running
         disconnected
         +job 7
         described active
         changed failed Result=signal ExecMainCode=2 ExecMainStatus=9 | count
         count 0                      | gone Signalled(9)
         disconnected
         +job 8
         described deactivating Job=8
         changed inactive
         -job 8 done                  | count",
    );
}

#[test]
fn a_unit_that_cannot_be_answers_for_itself() {
    let error = "Error: systemd takes a.service for no unit";
    check(&format!(
        "impossible bad                                   | {error}
         watch                                           | gone NotRunning
         impossible bad
         assess                                          | Readiness(Err(\"systemd takes a.service for no unit: bad\"))
         start                                           | StartRefused(\"systemd takes a.service for no unit: bad\")
         stop                                            | gone NotRunning
         kill                                            | gone NotRunning
         disconnected
         start
         impossible bad.                 | StartRefused(\"systemd takes a.service for no unit: bad\")
         described inactive                              | count
         count 0
         start                                           | ask Start"
    ));
    check(&format!(
        "watch
         start
         lost closed                                     | Unknown(\"closed\")
         impossible bad | {error}; StartRefused(\"systemd takes a.service for no unit: bad\")
         described inactive                              | count"
    ));
}

#[test]
fn before_it_is_watched_it_only_warns() {
    check(
        "described active UnitFileState=enabled  | Warning: a.service is enabled
         described active UnitFileState=enabled
         changed activating SubState=auto-restart
         described active UnitFileState=disabled
         described active UnitFileState=enabled  | Warning: a.service is enabled
         watch                        | Running",
    );
}
