//! Children of ours.

use std::process::Stdio;

use super::*;

const SIGTERM: u8 = 15;
const SIGKILL: u8 = 9;

fn signalled(signal: u8) -> ServiceReport {
    ServiceReport::Gone(Ending::Signalled(signal))
}

/// A process of the service that has left its session and its parent, and hears nothing.
const RUNAWAY: &str = "(setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &)";

#[test]
fn every_order_is_answered() {
    let mut rig = Rig::with("orders", vec![service("one", command("exec sleep 300"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), ServiceReport::Running);
    assert_eq!(rig.processes("one").len(), 1);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), signalled(SIGTERM));
    assert_eq!(rig.processes("one"), []);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::Kill), GONE);
    assert_eq!(rig.ask("two", ServiceOrder::Kill), GONE, "one that is not configured");
    assert!(matches!(rig.ask("two", ServiceOrder::Start), ServiceReport::StartRefused(_)));
    rig.go_on_for(50);
    assert_eq!(rig.reports, []);
    assert_eq!(rig.children.count(), 0);
}

#[test]
fn an_end_by_itself_is_told_when_nothing_is_left() {
    let script = format!("{RUNAWAY}; sleep 300 & sleep 0.3; exit 3");
    let mut rig = Rig::with("crash", vec![service("one", command(&script))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.next("one"), ServiceReport::Gone(Ending::Exited(3)));
    assert_eq!(rig.processes("one"), []);
    // And again.
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.next("one"), ServiceReport::Gone(Ending::Exited(3)));
}

#[test]
fn who_does_not_listen_is_killed_with_all_its_own() {
    let script = format!("trap '' TERM; {RUNAWAY}; while :; do sleep 1; done");
    let mut rig = Rig::with("deaf", vec![service("one", command(&script))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.wait_until("all are there", |rig| rig.processes("one").len() >= 3);
    rig.order("one", ServiceOrder::Stop);
    rig.go_on_for(300);
    assert_eq!(rig.reports, []);
    assert!(matches!(rig.ask("one", ServiceOrder::Start), ServiceReport::StartRefused(_)), "it is still ending");
    assert_eq!(rig.ask("one", ServiceOrder::Kill), signalled(SIGKILL));
    assert_eq!(rig.processes("one"), []);
}

#[test]
fn a_service_knows_its_name_and_whom_to_tell() {
    let mut rig = Rig::new("environment");
    let file = rig.path("said");
    let line = format!("echo $TANIST_SERVICE ${{NOTIFY_SOCKET:-nobody}} $WATCHDOG_USEC > {}", quoted(&file));
    rig.configure(vec![
        service("one", command(&line)),
        checked(service("two", command(&line)), "two/notify", ServiceCheck::Notify),
    ]);
    rig.order("one", ServiceOrder::Start);
    rig.wait_until("it has ended", |rig| rig.reports.len() == 2);
    assert_eq!(rig.text("said"), "one nobody\n");
    rig.reports.clear();
    rig.order("two", ServiceOrder::Start);
    rig.wait_until("it has ended", |rig| rig.reports.len() == 2);
    let said = rig.text("said");
    assert!(said.starts_with("two @") && said.ends_with(" 1000000\n"), "{said}");
}

#[test]
fn what_cannot_be_started_says_why_until_it_can() {
    let mut rig = Rig::new("missing");
    let path = rig.path("program");
    let script = program(&[path.to_str().unwrap()]);
    rig.configure(vec![service("one", Manager::Command { script })]);
    let missing = format!("{} was not found", path.display());
    assert_eq!(rig.findings, [format!("service one: command: {missing}; it cannot be started here")]);
    let reason = Name::from(missing.as_str());
    assert_eq!(rig.ask("one", ServiceOrder::AssessReadiness), ServiceReport::Readiness(Err(reason.clone())));
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::StartRefused(reason));
    // It is installed later, and that is enough.
    std::fs::copy("/bin/true", &path).unwrap();
    assert_eq!(rig.ask("one", ServiceOrder::AssessReadiness), ServiceReport::Readiness(Ok(())));
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.next("one"), ServiceReport::Gone(Ending::Exited(0)));
    // And is taken away again, which the start itself finds out.
    std::fs::remove_file(&path).unwrap();
    let ServiceReport::StartRefused(reason) = rig.ask("one", ServiceOrder::Start) else { panic!("it was refused") };
    assert_eq!(&*reason, format!("start {}: no such file or directory", path.display()));
}

#[test]
fn the_operator_judges_too() {
    let mut rig = Rig::new("judge");
    let verdict = rig.path("verdict");
    let mut one = service("one", command("exec sleep 300"));
    one.could_start = Some(shell(&format!("test $TANIST_SERVICE = one && exit $(cat {})", quoted(&verdict))));
    rig.configure(vec![one]);
    std::fs::write(&verdict, "0").unwrap();
    assert_eq!(rig.ask("one", ServiceOrder::AssessReadiness), ServiceReport::Readiness(Ok(())));
    std::fs::write(&verdict, "4").unwrap();
    let ServiceReport::Readiness(Err(reason)) = rig.ask("one", ServiceOrder::AssessReadiness) else {
        panic!("it said no")
    };
    assert!(reason.ends_with("` exited with status 4"), "{reason}");
    assert_eq!(rig.processes("one"), [], "nothing of it was started");
}

#[test]
fn without_its_keeper_nothing_goes_on() {
    let mut rig = Rig::with("unkept", vec![service("one", command(&format!("{RUNAWAY}; exec sleep 300")))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.wait_until("all are there", |rig| rig.processes("one").len() >= 3);
    let keeper = rig.children.pids()[0];
    linux::process::signal(keeper, Signal::KILL).unwrap();
    let ServiceReport::Gone(Ending::Said(words)) = rig.next("one") else { panic!("it is gone") };
    assert_eq!(&*words, "its keeper was killed");
    assert_eq!(rig.processes("one"), []);
    assert!(rig.says("keeper"));
}

/// Neither a mark nor a parent leads to what this leaves running: only its control group does.
#[test]
fn without_its_keeper_what_hides_is_found_in_its_group() {
    let script = "(exec env -i setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &); exec sleep 300";
    let mut rig = Rig::with("hidden", vec![service("one", command(script))]);
    if rig.no_groups() {
        return;
    }
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.wait_until("all are there", |rig| rig.in_groups("one").len() >= 3);
    assert_eq!(rig.processes("one").len(), 1, "the others do not show their mark");
    linux::process::signal(rig.children.pids()[0], Signal::KILL).unwrap();
    let ServiceReport::Gone(Ending::Said(words)) = rig.next("one") else { panic!("it is gone") };
    assert_eq!(&*words, "its keeper was killed");
    assert_eq!(rig.in_groups("one"), []);
    assert!(rig.says("(one) runs since a former life: process "));
    // Nothing is in the way of its next start, and nothing is left of either.
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), signalled(SIGTERM));
    assert_eq!(rig.in_groups("one"), []);
}

#[test]
fn what_a_former_life_left_counts_as_running() {
    let mut rig = Rig::with("remains", vec![service("one", command("exec sleep 300"))]);
    let mark = rig.mark("one");
    let (name, value) = mark.split_once('=').unwrap();
    let mut left = std::process::Command::new("/bin/sleep");
    let mut left = left.arg("300").env(name, value).stdin(Stdio::null()).spawn().unwrap();
    rig.wait_until("it is there", |rig| rig.processes("one").len() == 1);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), GONE);
    assert_eq!(rig.processes("one"), []);
    // The rig has collected it already.
    let _ = left.wait();
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Kill), signalled(SIGKILL));
}

/// A look at the processes of the machine waits for one that hangs in the kernel.
#[test]
fn what_is_not_found_out_in_time_is_unknown_and_not_gone() {
    let mut rig = Rig::with("late", vec![service("one", command("exec sleep 300"))]);
    rig.order("one", ServiceOrder::Watch);
    // Nobody has taken in an answer yet.
    rig.let_pass(Duration::from_secs(11));
    let ServiceReport::Unknown(reason) = rig.next("one") else { panic!("nobody knows") };
    assert!(reason.contains("process"), "{reason}");
    rig.order("one", ServiceOrder::Start);
    rig.let_pass(Duration::from_secs(60));
    assert_eq!(rig.reports, [], "told once, and nothing is started");
    assert_eq!(rig.processes("one"), []);
    // The answer comes at last.
    assert_eq!(rig.next("one"), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), signalled(SIGTERM));
}

#[test]
fn what_could_not_be_looked_for_is_looked_for_again() {
    let mut rig = Rig::with("blind", vec![service("one", command("exec sleep 300"))]);
    rig.order("one", ServiceOrder::Watch);
    rig.call(|services, lent| {
        let Some(Managed::Command(command)) = services.services.get_mut(&Name::from("one")).map(|it| &mut it.manager)
        else {
            panic!("it is a command")
        };
        let context =
            &mut Context { now: lent.now, poll: lent.poll, children: lent.children, desk: &mut services.desk };
        command.found(1, Err("list the processes: too many open files".to_owned()), context);
        command.found(1, Err("list the processes: too many open files".to_owned()), context);
    });
    rig.reports.extend(rig.services.take_reports());
    let unknown = ServiceReport::Unknown(Name::from("list the processes: too many open files"));
    assert_eq!(rig.next("one"), unknown);
    assert_eq!(rig.reports, [], "told once");
    assert_eq!(rig.next("one"), GONE);
}

#[test]
fn what_is_forgotten_is_left_as_it_is() {
    let mut rig = Rig::with("forget", vec![service("one", command("exec sleep 300"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.order("one", ServiceOrder::Forget);
    rig.go_on_for(100);
    assert_eq!(rig.processes("one").len(), 1);
    assert_eq!(rig.reports, []);
    // Remembered again, it is found.
    assert_eq!(rig.ask("one", ServiceOrder::Watch), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Kill), GONE);
    assert_eq!(rig.processes("one"), []);
}

#[test]
fn another_configuration_counts_from_the_next_start() {
    let mut rig = Rig::with("reload", vec![service("one", command("exec sleep 300"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.configure(vec![service("one", command("exit 5"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), signalled(SIGTERM));
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert_eq!(rig.next("one"), ServiceReport::Gone(Ending::Exited(5)));
}

#[test]
fn another_manager_takes_over_what_is_gone() {
    let mut rig = Rig::with("manager", vec![service("one", command("exec sleep 300"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    let status = format!("test -e {}", quoted(&rig.path("running")));
    let scripts = Manager::Scripts { start: shell("exit 9"), stop: shell("exit 0"), status: shell(&status) };
    rig.configure(vec![service("one", scripts)]);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), ServiceReport::Running);
    assert_eq!(rig.ask("one", ServiceOrder::Stop), signalled(SIGTERM));
    assert_eq!(rig.next("one"), GONE, "the new one looks for itself");
    let ServiceReport::StartRefused(reason) = rig.ask("one", ServiceOrder::Start) else { panic!("it was refused") };
    assert_eq!(&*reason, "`exit 9` exited with status 9");
}

#[test]
fn what_is_no_longer_mentioned_is_still_stopped() {
    let mut rig = Rig::with("removed", vec![service("one", command("exec sleep 300"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.configure(Vec::new());
    assert_eq!(rig.ask("one", ServiceOrder::Stop), signalled(SIGTERM));
    assert!(rig.services.services.is_empty());
    assert_eq!(rig.children.count(), 0);
}

#[test]
fn what_was_not_stopped_ends_with_us() {
    let mut rig = Rig::with("abandon", vec![service("one", command(&format!("{RUNAWAY}; exec sleep 300")))]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.wait_until("all are there", |rig| rig.processes("one").len() >= 3);
    rig.services.part(Duration::ZERO);
    rig.wait_until("all are gone", |rig| rig.processes("one").is_empty());
}

#[test]
fn two_hundred_lives_alternate_and_leave_nothing() {
    if !in_a_copy("commands::two_hundred_lives_alternate_and_leave_nothing") {
        return;
    }
    let mut rig = Rig::with("cycles", vec![service("one", command("sleep 300 & exec sleep 300"))]);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), GONE);
    let before = open();
    for turn in 0..200 {
        assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
        let (order, signal) = if turn % 2 == 0 { (ServiceOrder::Stop, SIGTERM) } else { (ServiceOrder::Kill, SIGKILL) };
        assert_eq!(rig.ask("one", order), signalled(signal));
    }
    assert_eq!(rig.processes("one"), []);
    assert_eq!((open(), rig.children.count()), (before, 0));
    assert!(rig.services.desk.targets.is_empty());
}
