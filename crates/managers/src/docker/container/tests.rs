//! Conversations with a container, line by line: what it hears, and what it then wants.

use super::super::words::{Actor, Attributes};
use super::*;

/// Plays a conversation. After `|` stands all that the line before must lead to.
#[track_caller]
fn check(conversation: &str) {
    let mut container = Container::new("svc");
    let mut now = Instant::now();
    for line in conversation.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (heard, expected) = line.split_once('|').unwrap_or((line, ""));
        let mut out = Vec::new();
        if let Some(seconds) = seconds(heard.trim()) {
            now += Duration::from_secs(seconds);
            container.look_again(now, &mut out);
        } else {
            hear(&mut container, heard.trim(), now, &mut out);
        }
        let mut wanted: Vec<String> = out.iter().map(text).collect();
        if let Some(word) = heard.trim().strip_prefix("address ") {
            wanted.push(container.address(&ask(word)).to_owned());
        }
        let expected: Vec<&str> = expected.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        assert_eq!(wanted, expected, "after {heard:?}");
    }
}

fn seconds(heard: &str) -> Option<u64> {
    if heard == "a second later" { Some(1) } else { heard.strip_suffix(" seconds later")?.parse().ok() }
}

fn hear(container: &mut Container, heard: &str, now: Instant, out: &mut Vec<Out>) {
    let (verb, rest) = heard.split_once(' ').unwrap_or((heard, ""));
    match verb {
        "watch" => container.order(ServiceOrder::Watch, now, out),
        "start" => container.order(ServiceOrder::Start, now, out),
        "stop" => container.order(ServiceOrder::Stop, now, out),
        "kill" => container.order(ServiceOrder::Kill, now, out),
        "assess" => container.order(ServiceOrder::AssessReadiness, now, out),
        "describe" => container.describe(out),
        "described" => container.described(description(rest), now, out),
        "withheld" => container.withheld(rest, now, out),
        "another" => {
            let mut event = event(rest);
            event.actor.id = "4567".to_owned();
            container.happened(&event, now, out);
        }
        // The conversation itself sees to it.
        "address" => {}
        "event" => container.happened(&event(rest), now, out),
        "reply" => container.replied(&ask(rest), Ok(()), out),
        "refuse" => container.replied(&ask(rest), Err("no".to_owned()), out),
        "image" => container.image_found(rest == "there", out),
        "disconnected" => container.disconnected(),
        "lost" => container.lost(rest, out),
        other => panic!("what is {other:?}?"),
    }
}

fn ask(word: &str) -> Ask {
    match word {
        "describe" => Ask::Describe,
        "start" => Ask::Start,
        "stop" => Ask::Stop,
        "give-up" => Ask::GiveUp,
        "kill" => Ask::Kill,
        other => panic!("what is {other:?}?"),
    }
}

/// `absent`, or words such as `running` and `exit=3`.
fn description(text: &str) -> Option<Description> {
    let mut description = Description { id: "0123".to_owned(), image: "sha".to_owned(), ..Description::default() };
    for word in text.split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("absent", _) => return None,
            ("running", _) => description.state.running = true,
            ("restarting", _) => (description.state.running, description.state.restarting) = (true, true),
            ("dead", _) => description.state.dead = true,
            ("exit", status) => description.state.exit_code = status.parse().unwrap(),
            ("id", id) => id.clone_into(&mut description.id),
            ("name", name) => name.clone_into(&mut description.name),
            ("policy", name) => name.clone_into(&mut description.host_config.restart_policy.name),
            other => panic!("what is {other:?}?"),
        }
    }
    Some(description)
}

/// `die 137`, `kill 15`, `stop`, …
fn event(text: &str) -> Event {
    let (action, number) = text.split_once(' ').unwrap_or((text, ""));
    let (exit_code, signal) = (number.to_owned(), number.to_owned());
    let attributes = Attributes { name: "svc".to_owned(), exit_code, signal };
    Event { action: action.to_owned(), actor: Actor { id: "0123".to_owned(), attributes } }
}

fn text(out: &Out) -> String {
    match out {
        Out::Ask(ask) => format!("ask {ask:?}"),
        Out::Report(ServiceReport::Gone(ending)) => format!("gone {ending:?}"),
        Out::Report(report) => format!("{report:?}"),
        Out::Remark(weight, text) => format!("{weight:?}: {}", text.split(':').next().unwrap_or_default()),
    }
}

#[test]
fn starts_and_stops() {
    check(
        "watch
         described exit=1             | gone NotRunning
         start                        | ask Start
         event start                  | ask Describe
         described running
         reply start                  | ask Describe
         described running            | Running
         stop                         | ask Stop
         event kill 15
         event die 143                | gone Exited(143)
         event stop
         reply stop                   | ask Describe
         described exit=143",
    );
}

#[test]
fn a_crash_and_a_kill_are_told_at_once() {
    check(
        "watch
         described running            | Running
         event die 3                  | gone Exited(3)
         event start                  | ask Describe
         described running            | Running
         event kill 9
         event die 137                | gone Exited(137)",
    );
}

#[test]
fn a_stop_by_hand_is_one_and_a_restart_is_nothing() {
    check(
        "watch
         described running            | Running
         event kill 15
         event kill 9
         event die 137
         event stop
         a second later               | ask Describe
         described exit=137           | StoppedByHand
         event start                  | ask Describe
         described running            | Running
         event kill 15
         event die 143
         event stop
         event start                  | ask Describe
         described running
         event kill 15
         event die 143
         event stop
         a second later               | ask Describe
         event start
         described running            | ask Describe
         described running
         event kill 15
         event die 143
         a second later               | gone Exited(143)",
    );
}

#[test]
fn an_old_description_counts_for_nothing() {
    check(
        "watch
         described running            | Running
         describe                     | ask Describe
         event die 1                  | gone Exited(1)
         described running            | ask Describe
         described exit=1",
    );
    // The first one, too.
    check(
        "watch
         describe                     | ask Describe
         event die 1
         described running            | ask Describe
         described exit=1             | gone NotRunning",
    );
}

#[test]
fn dockers_own_restart_is_prevented_before_gone_is_said() {
    check(
        "watch
         described running policy=always | Warning: the container svc has --restart=always; Running
         event die 1                  | ask GiveUp
         event start                  | ask Describe
         described running policy=always
         event die 143
         reply give-up                | ask Describe
         described exit=143 policy=always | gone Exited(1)
         watch                        | gone NotRunning",
    );
    check(
        "watch
         described restarting         | ask GiveUp
         reply give-up                | ask Describe
         described exit=1             | gone NotRunning",
    );
}

#[test]
fn says_why_it_did_not_start_or_stop() {
    check(
        "described exit=0
         start                        | ask Start
         refuse start                 | StartRefused(\"no\"); ask Describe
         described exit=127           | gone NotRunning
         start                        | ask Start
         event start                  | ask Describe
         event die 4
         described running            | ask Describe
         described exit=4
         reply start                  | ask Describe
         described exit=4             | gone Exited(4)
         start                        | ask Start
         reply start                  | ask Describe
         described running            | Running
         stop                         | ask Stop
         refuse stop                  | ask Describe
         described running            | StopRefused(\"no\")",
    );
}

#[test]
fn while_a_start_is_not_answered_nobody_says_gone() {
    // The stop has overtaken the start and found nothing to stop.
    check(
        "watch
         described exit=0             | gone NotRunning
         start                        | ask Start
         stop                         | ask Stop
         reply stop                   | ask Describe
         described exit=0
         watch
         event start                  | ask Describe
         described running
         reply start                  | ask Describe
         watch
         described running            | ask Stop
         event kill 15
         event die 143                | gone Exited(143)
         reply stop                   | ask Describe
         described exit=143",
    );
    // The same, and the description is older than the start although the answer is there.
    check(
        "watch
         described exit=0             | gone NotRunning
         start                        | ask Start
         kill                         | ask Kill
         reply kill                   | ask Describe
         described exit=0
         reply start                  | ask Describe
         watch
         described running            | ask Kill
         event die 137                | gone Exited(137)",
    );
    // It came to nothing.
    check(
        "watch
         described exit=0             | gone NotRunning
         start                        | ask Start
         stop                         | ask Stop
         reply stop                   | ask Describe
         described exit=0
         refuse start                 | ask Describe
         described exit=127           | gone Exited(127)",
    );
    // It came up and ended before docker had answered at all.
    check(
        "watch
         described exit=0             | gone NotRunning
         start                        | ask Start
         stop                         | ask Stop
         event start                  | ask Describe
         event die 4
         described running            | ask Describe
         reply stop
         described exit=4             | ask Describe
         described exit=4
         reply start                  | ask Describe
         described exit=4             | gone Exited(4)",
    );
    // Its answer got lost with the connection: a moment for it to show itself, once.
    check(
        "watch
         described exit=0             | gone NotRunning
         start                        | ask Start
         stop                         | ask Stop
         disconnected
         described exit=0             | ask Stop
         reply stop                   | ask Describe
         described exit=0
         a second later               | gone Exited(0)
         start                        | ask Start
         disconnected
         described exit=0             | ask Start
         reply start                  | ask Describe
         described running            | Running",
    );
}

#[test]
fn assesses_whether_it_could_start() {
    check(
        "assess
         lost closed                  | Readiness(Err(\"closed\"))
         described absent
         assess                       | ask Describe
         described absent             | Readiness(Err(\"there is no container svc\"))
         assess                       | ask Describe
         described dead               | Readiness(Err(\"the container svc is dead and can only be removed\"))
         assess                       | ask Describe
         described exit=0             | ask Image(\"sha\")
         image there                  | Readiness(Ok(()))
         assess                       | ask Describe
         described exit=0             | ask Image(\"sha\")
         image missing                | Readiness(Err(\"the image of the container svc is not there\"))",
    );
}

#[test]
fn a_lost_connection_makes_it_unknown_and_forgets_no_order() {
    check(
        "watch
         lost closed                  | Unknown(\"closed\")
         stop
         described running            | ask Stop
         disconnected
         described exit=137           | ask Stop; gone Exited(137)
         reply stop                   | ask Describe
         described exit=137
         watch                        | gone NotRunning",
    );
    check(
        "watch
         described running            | Running
         disconnected
         lost closed                  | Unknown(\"closed\")
         described exit=137           | gone Exited(137)",
    );
}

#[test]
fn one_of_which_docker_does_not_tell_is_unknown_and_asked_for_again() {
    check(
        "describe                     | ask Describe
         watch
         withheld broken              | Unknown(\"broken\")
         watch                        | Unknown(\"broken\")
         assess                       | Readiness(Err(\"broken\"))
         4 seconds later
         a second later               | ask Describe
         withheld broken
         5 seconds later              | ask Describe
         described running            | Running
         event pause                  | ask Describe
         event unpause
         withheld broken              | ask Describe
         withheld broken              | Unknown(\"broken\")
         watch                        | Unknown(\"broken\")
         stop                         | ask Stop
         event kill 15
         event die 0                  | gone Exited(0)
         reply stop                   | ask Describe
         withheld broken              | Unknown(\"broken\")
         disconnected
         5 seconds later
         described exit=0             | gone Exited(0)",
    );
}

#[test]
fn what_was_before_a_start_that_nobody_has_seen_counts_for_nothing() {
    // That docker was kept from restarting it.
    check(
        "watch
         described running policy=always | Warning: the container svc has --restart=always; Running
         event die 1                  | ask GiveUp
         reply give-up                | ask Describe
         described exit=1 policy=always | gone Exited(1)
         disconnected
         described running policy=always | Running
         event die 2                  | ask GiveUp
         reply give-up                | ask Describe
         disconnected
         described restarting policy=always | ask GiveUp
         reply give-up                | ask Describe
         disconnected
         described exit=3 policy=always | ask GiveUp
         reply give-up                | ask Describe
         described exit=3 policy=always | gone Exited(2)",
    );
    // That somebody has stopped it.
    check(
        "watch
         described running            | Running
         event kill 15
         event die 143
         event stop
         disconnected
         described running
         event die 3                  | gone Exited(3)",
    );
}

#[test]
fn one_that_runs_is_the_service_whatever_it_is_called() {
    let renamed = "Warning: the container svc is called old now";
    check(&format!(
        "watch
         describe                     | ask Describe
         address describe             | svc
         described running name=/svc  | Running
         event rename                 | ask Describe
         address describe             | 0123
         described running name=/old  | {renamed}
         another create
         another start
         another die 1
         address stop                 | 0123
         address kill                 | 0123
         address give-up              | 0123
         event pause                  | ask Describe
         disconnected
         describe                     | ask Describe
         address describe             | 0123
         described running name=/old
         event die 3                  | gone Exited(3); ask Describe
         address describe             | svc
         described running name=/svc id=4567 | Running
         address stop                 | 4567"
    ));
    // It has been removed meanwhile.
    check(
        "watch
         described running            | Running
         disconnected
         describe                     | ask Describe
         described absent             | ask Describe
         address describe             | svc
         described absent             | gone NotRunning
         address start                | svc",
    );
    // While docker pauses before it starts it again.
    check(&format!(
        "watch
         described running name=/old policy=always | Warning: the container svc has --restart=always; {renamed}; Running
         event die 3                  | ask GiveUp
         address give-up              | 0123
         address start                | svc
         event start                  | ask Describe
         address describe             | 0123"
    ));
    // It ends while nobody hears it.
    check(
        "watch
         described running            | Running
         disconnected
         describe                     | ask Describe
         described exit=3 name=/old   | gone Exited(3); ask Describe
         described absent",
    );
}

#[test]
fn a_kill_is_not_asked_for_again_before_it_is_answered() {
    check(
        "watch
         described running            | Running
         kill                         | ask Kill
         kill                         | ask Describe
         kill
         described running            | ask Describe
         described running
         reply kill                   | ask Describe
         kill                         | ask Kill
         disconnected
         described running            | ask Kill
         event die 137                | gone Exited(137)",
    );
}

#[test]
fn a_refusal_to_keep_it_from_restarting_is_said_once() {
    let error = "Error: docker can't be kept from restarting svc";
    check(&format!(
        "watch
         described running            | Running
         event die 1                  | gone Exited(1)
         described restarting         | ask GiveUp
         refuse give-up               | {error}; ask Describe
         described restarting
         stop                         | ask Stop
         refuse stop                  | ask Describe
         described restarting         | StopRefused(\"no\")
         described restarting
         kill                         | ask Kill
         reply kill                   | ask Describe
         described restarting         | ask GiveUp
         refuse give-up               | {error}; ask Describe
         described restarting         | StopRefused(\"no\")
         described running            | Running
         described restarting         | ask GiveUp"
    ));
}
