//! What the operator wants to be told.

use engine::{Cause, Hook, HookCall, StateName};

use super::*;

fn call(rig: &mut Rig, hook: Hook, number: u64) {
    call_as(rig, hook, StateName::Active, number);
}

fn call_as(rig: &mut Rig, hook: Hook, role: StateName, number: u64) {
    let call = HookCall {
        service: Name::from("one"),
        hook,
        role,
        previous_role: StateName::Backup,
        reason: Cause::PeerSilent,
        epoch: 7,
        number,
    };
    rig.call(|services, lent| services.run_hook(&call, lent));
}

#[test]
fn are_told_everything_in_order_one_at_a_time() {
    let mut rig = Rig::new("hooks");
    let said = quoted(&rig.path("said"));
    let words =
        "$TANIST_SERVICE $TANIST_HOOK $TANIST_PREVIOUS_ROLE $TANIST_ROLE $TANIST_REASON $TANIST_EPOCH $TANIST_EVENT";
    let mut one = service("one", command("exec sleep 300"));
    one.on_role =
        Some(shell(&format!("echo begin $TANIST_EVENT >> {said}; sleep 0.1; echo {words} >> {said}; exit 3")));
    one.post_takeover = Some(shell(&format!("echo {words} >> {said}")));
    rig.configure(vec![one]);
    assert!(rig.services.hooks_are_idle());
    call(&mut rig, Hook::RoleChanged, 1);
    call(&mut rig, Hook::TakenOver, 2);
    call(&mut rig, Hook::RoleChanged, 3);
    assert!(!rig.services.hooks_are_idle());
    rig.wait_until("all have run", |rig| rig.services.hooks_are_idle());
    let expected = "begin 1\none on_role BACKUP MASTER peer-silent 7 1\none post_takeover BACKUP MASTER peer-silent 7 2\n\
                    begin 3\none on_role BACKUP MASTER peer-silent 7 3\n";
    assert_eq!(rig.text("said"), expected);
    rig.turn();
    assert!(
        rig.lines
            .iter()
            .any(|(_, line)| { line.starts_with("(one) on_role ") && line.contains(" exited with status 3 after ") })
    );
    assert!(rig.says(" succeeded after "));
}

#[test]
fn what_runs_by_the_clock_holds_up_nobody_and_does_not_run_twice() {
    let mut rig = Rig::new("clock");
    let (said, go) = (quoted(&rig.path("said")), quoted(&rig.path("go")));
    let mut one = service("one", command("exec sleep 300"));
    one.on_role = Some(shell(&format!("echo role >> {said}")));
    one.while_active = vec![shell(&format!("until test -e {go}; do sleep 0.02; done; echo clock >> {said}"))];
    rig.configure(vec![one]);
    call(&mut rig, Hook::WhileActive(0), 1);
    call(&mut rig, Hook::WhileActive(0), 2);
    call(&mut rig, Hook::RoleChanged, 3);
    // One that is not configured, and one that never was.
    call(&mut rig, Hook::TakenOver, 4);
    call(&mut rig, Hook::WhileActive(1), 5);
    rig.wait_until("the role is told", |rig| rig.text("said") == "role\n");
    rig.wait_until("it is said", |rig| rig.says("is still running and is not started again"));
    std::fs::write(rig.path("go"), "").unwrap();
    rig.wait_until("the clock's has run", |rig| rig.children.count() == 0);
    assert_eq!(rig.text("said"), "role\nclock\n");
}

#[test]
fn what_runs_by_the_clock_ends_with_the_role() {
    let mut rig = Rig::new("clock-ends");
    let said = quoted(&rig.path("said"));
    let mut one = service("one", command("exec sleep 300"));
    one.while_active = vec![shell(&format!("echo begun > {said}; sleep 300"))];
    rig.configure(vec![one]);
    call(&mut rig, Hook::WhileActive(0), 1);
    rig.wait_until("it runs", |rig| rig.text("said") == "begun\n");
    call(&mut rig, Hook::RoleChanged, 2);
    rig.go_on_for(50);
    assert_eq!(rig.children.count(), 1, "still active");
    call_as(&mut rig, Hook::RoleChanged, StateName::Backup, 3);
    rig.wait_until("it has ended", |rig| rig.children.count() == 0);
    assert!(rig.says("is asked to end: this node is no longer active"));
    assert!(rig.says(" was ended by signal 15 after "));
}

/// A job that takes no notice of being asked, and one that leaves somebody behind who does not.
#[test]
fn what_runs_by_the_clock_and_does_not_end_is_killed() {
    let mut rig = Rig::new("clock-kill");
    let [deaf, left] = ["deaf", "left"].map(|name| quoted(&rig.path(name)));
    let mut one = service("one", command("exec sleep 300"));
    one.while_active = vec![
        shell(&format!("trap '' TERM; echo $$ > {deaf}; while :; do sleep 0.02; done")),
        shell(&format!("sh -c 'trap \"\" TERM; echo $$ > \"$0\"; while :; do sleep 0.02; done' {left} & wait")),
    ];
    rig.configure(vec![one]);
    let pid = |rig: &Rig, name: &str| rig.text(name).trim().parse().ok();
    let lives =
        |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    for index in [0, 1] {
        call(&mut rig, Hook::WhileActive(index), u64::from(index));
    }
    rig.wait_until("both run", |rig| pid(rig, "deaf").is_some() && pid(rig, "left").is_some());
    let [deaf, left] = ["deaf", "left"].map(|name| pid(&rig, name).unwrap());
    call_as(&mut rig, Hook::RoleChanged, StateName::Backup, 3);
    // They are asked once, although the node is twice not the active one.
    call_as(&mut rig, Hook::RoleChanged, StateName::Initialize, 4);
    assert!(!rig.services.hooks_are_idle(), "an ending daemon waits for them");
    rig.wait_until("they are killed", |_| !lives(deaf) && !lives(left));
    rig.wait_until("that is told", |rig| rig.children.count() == 0 && rig.services.hooks_are_idle());
    let count = |rig: &Rig, text: &str| rig.lines.iter().filter(|(_, line)| line.contains(text)).count();
    assert_eq!(count(&rig, "is asked to end: this node is no longer active"), 2);
    assert_eq!(count(&rig, "has not ended within 2 s and is killed"), 2);
    assert_eq!([15, 9].map(|signal| count(&rig, &format!("was ended by signal {signal} after"))), [1, 1]);
}

/// Whichever way the daemon ends.
#[test]
fn what_runs_by_the_clock_ends_with_the_daemon() {
    let mut rig = Rig::new("clock-parts");
    let said = quoted(&rig.path("said"));
    let mut one = service("one", command("exec sleep 300"));
    one.while_active = vec![shell(&format!("trap '' TERM; echo begun > {said}; while :; do sleep 0.02; done"))];
    rig.configure(vec![one]);
    call(&mut rig, Hook::WhileActive(0), 1);
    rig.wait_until("it runs", |rig| rig.text("said") == "begun\n");
    rig.services.part(Duration::ZERO);
    rig.wait_until("it is gone", |rig| rig.children.count() == 0);
    assert!(rig.says(" was ended by signal 9 after "), "{:?}", rig.lines);
}

#[test]
fn what_can_not_be_run_is_told_and_passed_over() {
    let mut rig = Rig::new("hookless");
    let mut one = service("one", command("exec sleep 300"));
    one.on_role = Some(program(&["/no/such/hook"]));
    rig.configure(vec![one]);
    assert_eq!(rig.findings, ["service one: on_role: /no/such/hook was not found; it will not be run"]);
    call(&mut rig, Hook::RoleChanged, 1);
    rig.turn();
    assert!(rig.says("(one) on_role /no/such/hook: /no/such/hook was not found"));
    assert!(rig.services.hooks_are_idle());
}
