//! Services at the end of their daemon, and those that a configuration no longer has.

use managers::DockerPlace;

use super::*;

/// What runs as long as `running` is there. Its `stop` says so in `stops` and waits for `gate`.
fn slow_to_stop(rig: &Rig) -> Setting {
    let [running, stops, gate, broken] = ["running", "stops", "gate", "broken"].map(|name| quoted(&rig.path(name)));
    let stop = format!("echo stop >> {stops}; until test -e {gate}; do sleep 0.02; done; rm -f {running}");
    let status = format!("test ! -e {broken} || kill -SEGV $$; test -e {running}");
    let start = shell(&format!("touch {running}"));
    service("one", Manager::Scripts { start, stop: shell(&stop), status: shell(&status) })
}

fn open_gate(rig: &Rig) {
    std::fs::write(rig.path("gate"), "").unwrap();
}

fn with_slow(test: &str) -> Rig {
    let mut rig = Rig::new(test);
    rig.configure(vec![slow_to_stop(&rig)]);
    assert_eq!(rig.ask("one", ServiceOrder::Watch), GONE);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig
}

#[test]
fn a_stop_that_is_under_way_is_not_killed_by_the_end() {
    let mut rig = with_slow("last-stop");
    assert_eq!(rig.services.may_take_until(), None);
    rig.order("one", ServiceOrder::Stop);
    rig.wait_until("it is being stopped", |rig| rig.text("stops") == "stop\n");
    let until = rig.services.may_take_until().unwrap();
    // Its stop_timeout, and what a kill takes.
    assert!((10_000_000_000..=13_000_000_000).contains(&until.saturating_sub(boot_time())), "{until}");
    rig.services.give_up();
    rig.order("one", ServiceOrder::Kill);
    rig.go_on_for(100);
    rig.services.part(Duration::ZERO);
    rig.go_on_for(100);
    assert!(rig.says("(one) its `stop` (process "), "{:?}", rig.lines);
    open_gate(&rig);
    assert_eq!(rig.next("one"), GONE);
    assert_eq!(rig.text("stops"), "stop\n");
    assert_eq!(rig.services.may_take_until(), None);
}

#[test]
fn what_runs_ends_without_the_engine() {
    let mut rig = Rig::new("end-everything");
    let runs = slow_to_stop(&rig);
    open_gate(&rig);
    let mut idle = slow_to_stop(&rig);
    idle.service.name = Name::from("idle");
    if let Manager::Scripts { status, .. } = &mut idle.manager {
        *status = shell("exit 1");
    }
    rig.configure(vec![runs, service("two", command("exec sleep 300")), idle]);
    assert_eq!(rig.ask("idle", ServiceOrder::Watch), GONE);
    for one in ["one", "two"] {
        assert_eq!(rig.ask(one, ServiceOrder::Start), ServiceReport::Running);
    }
    rig.call(|services, lent| services.end_everything(lent));
    assert_eq!(rig.services.being_stopped().map(|name| &**name).collect::<Vec<_>>(), ["one", "two"]);
    rig.wait_until("all have ended", |rig| rig.services.may_take_until().is_none());
    assert_eq!(rig.text("stops"), "stop\n", "what does not run is not stopped");
    assert_eq!(rig.processes("two"), []);
    assert!(rig.says("(one) is stopped by `") && rig.says("(two) is killed, as the daemon cannot go on"));
}

/// What a manager runs is stopped by it, and nobody ends before the manager has had a moment to take the order.
#[test]
fn what_others_run_is_ordered_to_stop() {
    let mut rig = Rig::new("stop-container");
    rig.services.outside.docker_place = DockerPlace::at(rig.path("no-docker").to_str().unwrap());
    let docker = |name: &str| service(name, Manager::Docker { container: name.to_owned() });
    rig.configure(vec![docker("one"), docker("idle")]);
    rig.order("idle", ServiceOrder::Watch);
    rig.order("one", ServiceOrder::Start);
    rig.call(|services, lent| services.end_everything(lent));
    assert_eq!(rig.services.being_stopped().map(|name| &**name).collect::<Vec<_>>(), ["one"]);
    rig.services.part(Duration::from_millis(50));
    rig.go_on_for(1);
    assert!(rig.says("(one) is stopped by its manager, as the daemon cannot go on"), "{:?}", rig.lines);
    assert!(rig.says("(one) docker has not taken the order to stop it"), "{:?}", rig.lines);
    assert!(!rig.says("(idle)"), "{:?}", rig.lines);
}

/// It makes room for its `stop`.
#[test]
fn a_start_that_is_under_way_is_ended_for_the_stop() {
    let mut rig = Rig::new("last-start");
    let [stops, started] = ["stops", "started"].map(|name| quoted(&rig.path(name)));
    let (start, stop) = (shell(&format!("touch {started}; sleep 300")), shell(&format!("echo stop >> {stops}")));
    rig.configure(vec![service("one", Manager::Scripts { start, stop, status: shell("exit 1") })]);
    rig.order("one", ServiceOrder::Start);
    rig.wait_until("it is being started", |rig| rig.path("started").exists());
    rig.call(|services, lent| services.end_everything(lent));
    assert!(!rig.services.stops_are_begun());
    rig.wait_until("it is gone", |rig| rig.services.may_take_until().is_none());
    assert_eq!(rig.text("stops"), "stop\n");
}

// ── no longer in the configuration ────────────────────────────────────────────────────────────────────────

#[test]
fn what_is_no_longer_mentioned_is_stopped_by_its_old_stop() {
    let mut rig = with_slow("old-stop");
    // Nobody can tell how it is, when it is taken out.
    std::fs::write(rig.path("broken"), "").unwrap();
    assert!(matches!(rig.next("one"), ServiceReport::Unknown(_)));
    rig.configure(Vec::new());
    open_gate(&rig);
    rig.order("one", ServiceOrder::Stop);
    rig.wait_until("it is being stopped", |rig| rig.text("stops") == "stop\n");
    rig.go_on_for(200);
    assert!(!rig.reports.contains(&Report::Service("one".into(), GONE)), "nobody has seen that it is gone");
    rig.reports.clear();
    std::fs::remove_file(rig.path("broken")).unwrap();
    rig.wait_until("it is gone", |rig| rig.reports.contains(&Report::Service("one".into(), GONE)));
    assert!(rig.services.services.is_empty());
}

#[test]
fn what_nobody_has_answered_for_is_not_gone_when_it_is_no_longer_mentioned() {
    let mut rig = Rig::new("old-container");
    rig.services.outside.docker_place = DockerPlace::at(rig.path("no-docker").to_str().unwrap());
    let docker = |container: &str| service("one", Manager::Docker { container: container.to_owned() });
    rig.configure(vec![docker("old")]);
    rig.order("one", ServiceOrder::Watch);
    rig.configure(Vec::new());
    rig.order("one", ServiceOrder::Stop);
    assert!(matches!(rig.next("one"), ServiceReport::Unknown(_)), "docker does not answer");
    rig.go_on_for(50);
    assert!(rig.reports.iter().all(|report| matches!(report, Report::Service(_, ServiceReport::Unknown(_)))));
    assert!(rig.services.being_stopped().next().is_some());
    // Whoever ends now waits for docker, but not for long, and says what it has not taken.
    rig.services.part(Duration::from_millis(50));
    rig.go_on_for(1);
    assert!(rig.says("(one) docker has not taken the order to stop it"), "{:?}", rig.lines);
    assert!(rig.says("(one) was told to end, and docker (container old) has not said that it has"), "{:?}", rig.lines);
}

#[test]
fn another_manager_gets_what_is_not_known_to_run() {
    let mut rig = Rig::new("new-manager");
    rig.services.outside.docker_place = DockerPlace::at(rig.path("no-docker").to_str().unwrap());
    rig.configure(vec![service("one", Manager::Docker { container: "old".to_owned() })]);
    rig.order("one", ServiceOrder::Watch);
    rig.configure(vec![service("one", command("exec sleep 300"))]);
    assert_eq!(rig.next("one"), GONE, "the new one looks for itself");
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
}
