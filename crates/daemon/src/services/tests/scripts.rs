//! Three programs of the operator's.

use super::*;

/// `start` makes a file, `stop` removes it, `status` looks for it; each complains if another one of them runs.
fn scripts(rig: &Rig, start: &str, stop: &str) -> Manager {
    let (lock, overlap) = (quoted(&rig.path("lock")), quoted(&rig.path("overlap")));
    let alone = |what: &str| {
        shell(&format!("mkdir {lock} || echo overlap >> {overlap}; {what}; status=$?; rmdir {lock}; exit $status"))
    };
    let running = quoted(&rig.path("running"));
    Manager::Scripts { start: alone(start), stop: alone(stop), status: alone(&format!("test -e {running}")) }
}

fn rig(test: &str, start: &str, stop: &str) -> Rig {
    let mut rig = Rig::new(test);
    let running = quoted(&rig.path("running"));
    let manager = scripts(&rig, &start.replace('@', &running), &stop.replace('@', &running));
    rig.configure(vec![service("one", manager)]);
    rig
}

fn is_said_to_be_gone(report: &ServiceReport) -> bool {
    matches!(report, ServiceReport::Gone(Ending::Said(words)) if words.ends_with("` exited with status 1"))
}

#[test]
fn comes_and_goes_by_order_and_by_itself() {
    let mut rig = rig("scripts", "touch @", "rm -f @");
    let running = rig.path("running");
    assert_eq!(rig.ask("one", ServiceOrder::Watch), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    std::fs::remove_file(&running).unwrap();
    let report = rig.next("one");
    assert!(is_said_to_be_gone(&report), "{report:?}");
    std::fs::write(&running, "").unwrap();
    assert_eq!(rig.next("one"), ServiceReport::Running, "somebody else has started it");
    assert_eq!(rig.ask("one", ServiceOrder::Stop), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::AssessReadiness), ServiceReport::Readiness(Ok(())));
    assert_eq!(rig.text("overlap"), "");
}

#[test]
fn is_believed_when_status_agrees() {
    // Both do what they do a moment later.
    let mut rig = rig("later", "(sleep 0.3; touch @) & true", "(sleep 0.3; rm -f @) & true");
    assert_eq!(rig.ask("one", ServiceOrder::Watch), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    assert!(rig.path("running").exists());
    assert_eq!(rig.ask("one", ServiceOrder::Stop), GONE);
    assert!(!rig.path("running").exists());
}

#[test]
fn tells_what_did_not_work() {
    let mut rig = rig("failing", "exit 6", "exit 7");
    let ServiceReport::StartRefused(reason) = rig.ask("one", ServiceOrder::Start) else { panic!("refused") };
    assert!(reason.ends_with("` exited with status 6"), "{reason}");
    let ServiceReport::StopRefused(reason) = rig.ask("one", ServiceOrder::Stop) else { panic!("refused") };
    assert!(reason.ends_with("` exited with status 7"), "{reason}");
    assert!(rig.says("exited with status 6 after"));
}

#[test]
fn a_script_that_hangs_is_killed_by_the_order_to_kill() {
    // The first stop hangs, the second works.
    let mut rig = rig("hanging", "touch @", "test -e @.tried || { touch @.tried; sleep 300; }; rm -f @");
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.order("one", ServiceOrder::Stop);
    let tried = rig.path("running.tried");
    rig.wait_until("it hangs", |_| tried.exists());
    rig.go_on_for(100);
    assert_eq!(rig.reports, []);
    // The lock of the killed one would be in the way of the next.
    std::fs::remove_dir(rig.path("lock")).unwrap();
    assert_eq!(rig.ask("one", ServiceOrder::Kill), GONE);
    assert_eq!(rig.text("overlap"), "");
}

#[test]
fn never_two_at_once_however_orders_change() {
    let mut rig = rig("changing", "sleep 0.05; touch @", "sleep 0.05; rm -f @");
    rig.order("one", ServiceOrder::Watch);
    for _ in 0..10 {
        rig.order("one", ServiceOrder::Start);
        rig.turn();
        rig.order("one", ServiceOrder::Stop);
        rig.turn();
    }
    rig.wait_until("it has been stopped", |rig| rig.reports.last() == Some(&Report::Service("one".into(), GONE)));
    rig.go_on_for(300);
    assert!(!rig.path("running").exists());
    assert_eq!(rig.text("overlap"), "");
}

#[test]
fn a_status_that_crashes_says_nothing() {
    let mut rig = Rig::new("unknown");
    let fine = rig.path("fine");
    let status = format!("test -e {} || kill -SEGV $$", quoted(&fine));
    let manager = Manager::Scripts { start: shell("exit 0"), stop: shell("exit 0"), status: shell(&status) };
    rig.configure(vec![service("one", manager)]);
    assert!(matches!(rig.ask("one", ServiceOrder::Watch), ServiceReport::Unknown(_)));
    std::fs::write(&fine, "").unwrap();
    assert_eq!(rig.next("one"), ServiceReport::Running);
}
