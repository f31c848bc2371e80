//! Against the distribution's own systemd, which runs as process 1 of a machine made of namespaces.

mod real;
mod support;

use std::time::Duration;

use engine::{Ending, Name, ServiceOrder, ServiceReport};
use real::machine::{Machine, NEEDS};
use real::{PATIENCE, may_run, run, wait_until};
use support::Heard;
use tanist_managers::{Systemd, SystemdPlace, Weight};

/// Runs until it is told to end.
const OBEDIENT: &str = "ExecStart=/bin/sleep 1000";
/// Does not end when it is asked to. With a child, so that there is more than one process to end.
const STUBBORN: &str =
    "ExecStart=/bin/sh -c 'trap \"\" TERM; sleep 1000 & while :; do wait; done'\nTimeoutStopSec=infinity";

/// systemd as one service sees it.
struct Seat {
    systemd: Systemd,
    heard: Heard,
    service: Name,
}

impl Seat {
    fn new(place: SystemdPlace, unit: &str) -> Self {
        let systemd = Systemd::start(place).expect("a thread");
        let service = Name::from("s");
        systemd.add(service.clone(), unit);
        Self { systemd, heard: Heard::default(), service }
    }

    fn order(&self, order: ServiceOrder) {
        self.systemd.order(&self.service, order);
    }

    #[track_caller]
    fn expect(&mut self, expected: &ServiceReport) {
        assert_eq!(&self.report(), expected);
    }

    #[track_caller]
    fn report(&mut self) -> ServiceReport {
        self.heard.report(&self.service, self.systemd.fd(), || self.systemd.take())
    }

    #[track_caller]
    fn expect_remark(&mut self, words: &str) {
        let weight = self.heard.remark(&self.service, words, self.systemd.fd(), || self.systemd.take());
        assert_eq!(weight, Weight::Warning);
    }

    /// Asks something that is answered, so that all that was to be told before has been.
    #[track_caller]
    fn expect_nothing_new(&mut self) {
        self.order(ServiceOrder::AssessReadiness);
        assert!(matches!(self.report(), ServiceReport::Readiness(_)));
        assert_eq!(self.heard.rest(&self.service, || self.systemd.take()), []);
    }

    #[track_caller]
    fn start(&mut self) {
        self.order(ServiceOrder::Start);
        self.expect(&ServiceReport::Running);
    }
}

/// Where its systemd is, through the bus.
fn place(machine: &Machine) -> SystemdPlace {
    let bus = machine.path("/run/dbus/system_bus_socket");
    SystemdPlace::at(bus.to_str().expect("a name in ASCII"), machine.path("/sys/fs/cgroup"))
}

fn gone(ending: Ending) -> ServiceReport {
    ServiceReport::Gone(ending)
}

#[test]
fn starts_and_stops_fifty_times() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    start_and_stop_fifty_times(place(&machine), || machine.processes("a.service"));
    assert_eq!(machine.property("a.service", "Job"), "");
}

fn start_and_stop_fifty_times(place: SystemdPlace, processes: impl Fn() -> usize) {
    let mut seat = Seat::new(place, "a.service");
    seat.order(ServiceOrder::AssessReadiness);
    seat.expect(&ServiceReport::Readiness(Ok(())));
    seat.order(ServiceOrder::Watch);
    seat.expect(&gone(Ending::NotRunning));
    for _ in 0..50 {
        seat.start();
        assert_ne!(processes(), 0);
        seat.order(ServiceOrder::Stop);
        seat.expect(&gone(Ending::Signalled(15)));
        assert_eq!(processes(), 0);
    }
    // What is so already is told all the same; how it ended systemd may have forgotten.
    seat.order(ServiceOrder::Stop);
    let report = seat.report();
    assert!(matches!(report, ServiceReport::Gone(_)), "{report:?}");
    seat.start();
    seat.start();
    seat.order(ServiceOrder::Watch);
    seat.expect(&ServiceReport::Running);
    seat.order(ServiceOrder::Kill);
    // systemd is told to stop it, too, so that it does not start it again; the one or the other signal is faster.
    let report = seat.report();
    assert!(matches!(report, ServiceReport::Gone(Ending::Signalled(9 | 15))), "{report:?}");
    seat.expect_nothing_new();
}

/// systemd's own socket lets in only who is on the same machine, so this test goes there.
#[test]
fn needs_no_bus() {
    if std::env::var_os("TANIST_INSIDE").is_some() {
        // The bus of this setting is not there.
        return start_and_stop_fifty_times(SystemdPlace::of_this_machine(), || {
            let path = "/sys/fs/cgroup/system.slice/a.service/cgroup.procs";
            std::fs::read_to_string(path).unwrap_or_default().lines().count()
        });
    }
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    machine.systemctl(&["stop", "dbus.socket", "dbus.service"]);
    let program = machine.path("/run/this-test");
    std::fs::copy(std::env::current_exe().expect("this test"), &program).expect("a copy of it");
    let settings = ["TANIST_INSIDE=1", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere"];
    run(machine.inside("env").args(settings).args(["/run/this-test", "--exact", "needs_no_bus"]));
}

#[test]
fn tells_how_a_service_ended() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    let mut seat = Seat::new(place(&machine), "a.service");
    seat.start();
    machine.crash("a.service");
    seat.expect(&gone(Ending::Signalled(9)));

    machine.add_unit("b.service", "ExecStart=/bin/sh -c 'while ! [ -e /run/end ]; do sleep 0.01; done; exit 7'");
    let mut seat = Seat::new(place(&machine), "b.service");
    seat.start();
    run(machine.inside("touch").arg("/run/end"));
    seat.expect(&gone(Ending::Exited(7)));
    // It does not even come up, and comes back with its own words.
    machine.add_unit("c.service", "Type=notify\nExecStart=/bin/sh -c 'exit 8'");
    let mut seat = Seat::new(place(&machine), "c.service");
    for _ in 0..10 {
        // More often than systemd would let anybody else start it within ten seconds.
        seat.order(ServiceOrder::Start);
        // systemd has a name of its own for a service that exits before it has said that it is ready.
        let report = seat.report();
        assert!(matches!(&report, ServiceReport::Gone(Ending::Exited(8) | Ending::Said(_))), "{report:?}");
    }
    machine.add_unit("d.service", "ExecStart=/bin/sleep 1000\n[Unit]\nConditionPathExists=/nowhere");
    let mut seat = Seat::new(place(&machine), "d.service");
    seat.order(ServiceOrder::Start);
    seat.expect(&ServiceReport::StartRefused("a condition of the unit is not met".into()));
}

#[test]
fn a_service_that_systemd_would_restart_stays_down() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", &format!("{OBEDIENT}\nRestart=always"));
    let mut seat = Seat::new(place(&machine), "a.service");
    seat.expect_remark("Restart=always");
    for _ in 0..5 {
        seat.start();
        machine.crash("a.service");
        seat.expect(&gone(Ending::Signalled(9)));
        let state = machine.property("a.service", "ActiveState");
        assert!(matches!(state.as_str(), "inactive" | "failed"), "{state}");
        assert_eq!(machine.property("a.service", "Job"), "");
    }
    // One that is caught between two attempts does not come up behind our back, either.
    machine.add_unit("b.service", "ExecStart=/bin/false\nRestart=always\nRestartSec=1h");
    machine.systemctl(&["start", "b.service"]);
    wait_until("its pause", || machine.property("b.service", "SubState") == "auto-restart");
    let mut seat = Seat::new(place(&machine), "b.service");
    seat.order(ServiceOrder::Watch);
    seat.expect(&gone(Ending::NotRunning));
    assert_eq!(machine.property("b.service", "ActiveState"), "inactive");
}

#[test]
fn a_start_that_fails_is_told_at_once_and_not_made_again() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    for (unit, lines, ending) in [
        ("pre.service", "ExecStartPre=/bin/false\nExecStart=/bin/sleep 1000", Ending::Said("exit-code".into())),
        ("notify.service", "Type=notify\nExecStart=/bin/sh -c 'exit 3'", Ending::Exited(3)),
        ("forking.service", "Type=forking\nExecStart=/bin/sh -c 'exit 3'", Ending::Said("exit-code".into())),
    ] {
        // Without a pause, so that systemd begins again as early as it can.
        machine.add_unit(unit, &format!("{lines}\nRestart=always\nRestartSec=0"));
        let mut seat = Seat::new(place(&machine), unit);
        seat.expect_remark("Restart=always");
        for _ in 0..5 {
            seat.order(ServiceOrder::Start);
            seat.expect(&gone(ending.clone()));
            assert!(matches!(machine.property(unit, "ActiveState").as_str(), "inactive" | "failed"));
            assert_eq!(machine.property(unit, "Job"), "");
        }
        seat.expect_nothing_new();
    }
}

#[test]
fn knows_an_operators_hand() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    machine.add_unit("slow.service", "ExecStart=/bin/sleep 1000\nExecStop=/bin/sleep 0.3\nExecReload=/bin/true");
    for unit in ["a.service", "slow.service"] {
        let mut seat = Seat::new(place(&machine), unit);
        seat.order(ServiceOrder::Watch);
        seat.expect(&gone(Ending::NotRunning));
        machine.systemctl(&["start", unit]);
        seat.expect(&ServiceReport::Running);
        machine.systemctl(&["stop", unit]);
        seat.expect(&ServiceReport::StoppedByHand);
        machine.systemctl(&["start", unit]);
        seat.expect(&ServiceReport::Running);
        // It is meant to run, and runs.
        machine.systemctl(&["restart", unit]);
        machine.systemctl(&["reload-or-restart", unit]);
        seat.expect_nothing_new();
        // What comes after a restart is no part of it.
        machine.crash(unit);
        seat.expect(&gone(Ending::Signalled(9)));
        seat.start();
    }
    // Two who stop at once: the one who was first counts.
    let wait = "while ! [ -e /run/let-go ]; do sleep 0.01; done";
    machine.add_unit("held.service", &format!("{OBEDIENT}\nExecStop=/bin/sh -c '{wait}'"));
    let mut seat = Seat::new(place(&machine), "held.service");
    seat.start();
    machine.systemctl(&["stop", "--no-block", "held.service"]);
    wait_until("the operator's stop", || machine.property("held.service", "ActiveState") == "deactivating");
    seat.order(ServiceOrder::Stop);
    seat.expect_nothing_new();
    run(machine.inside("touch").arg("/run/let-go"));
    seat.expect(&ServiceReport::StoppedByHand);
    seat.expect_nothing_new();
}

#[test]
fn gone_means_that_not_one_process_is_left() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", STUBBORN);
    let mut seat = Seat::new(place(&machine), "a.service");
    seat.start();
    wait_until("its child", || machine.processes("a.service") == 2);
    seat.order(ServiceOrder::Stop);
    wait_until("its stopping", || machine.property("a.service", "ActiveState") == "deactivating");
    seat.expect_nothing_new();
    assert!(machine.processes("a.service") > 0);
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(Ending::Signalled(9)));
    assert_eq!(machine.processes("a.service"), 0);

    // systemd calls this one inactive while its child lives on.
    machine.add_unit("b.service", &format!("{STUBBORN}\nKillMode=process"));
    let mut seat = Seat::new(place(&machine), "b.service");
    seat.start();
    wait_until("its child", || machine.processes("b.service") == 2);
    machine.crash("b.service");
    seat.expect_remark("1 of its processes live on");
    assert_eq!(machine.property("b.service", "ActiveState"), "failed");
    seat.expect_nothing_new();
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(Ending::Signalled(9)));
    assert_eq!(machine.processes("b.service"), 0);
}

#[test]
fn warns_and_judges_before_it_is_too_late() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    let mut seat = Seat::new(place(&machine), "a.service");
    let judge = |seat: &mut Seat, expected: Result<(), &str>| {
        // systemd tells of new files a moment after they are there.
        wait_until("its judgement", || {
            seat.order(ServiceOrder::AssessReadiness);
            seat.report() == ServiceReport::Readiness(expected.map_err(Name::from))
        });
    };
    judge(&mut seat, Ok(()));
    machine.systemctl(&["enable", "a.service"]);
    seat.expect_remark("systemctl disable a.service");
    machine.systemctl(&["disable", "a.service"]);
    machine.add_unit("a.service", "ExecStart=/usr/bin/not-there-at-all");
    judge(&mut seat, Err("/usr/bin/not-there-at-all, which a.service starts, is not there or can't be executed"));
    run(machine.inside("rm").arg("/etc/systemd/system/a.service"));
    machine.systemctl(&["daemon-reload"]);
    judge(&mut seat, Err("there is no unit a.service"));
    seat.order(ServiceOrder::Start);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::StartRefused(text) if text.contains("a.service")), "{report:?}");
    seat.order(ServiceOrder::Stop);
    let ending = seat.report();
    assert!(matches!(ending, ServiceReport::Gone(_)), "{ending:?}");
    machine.systemctl(&["mask", "a.service"]);
    judge(&mut seat, Err("a.service is masked"));
}

#[test]
fn a_name_that_systemd_refuses_is_the_misfortune_of_one_service() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    let mut seat = Seat::new(place(&machine), "a.service");
    seat.start();
    let long = format!("{}.service", "n".repeat(248));
    for (name, suggestion) in [("foo@.service", "foo@1.service"), ("@b.service", "list-units"), (&long, "list-units")] {
        let bad = Name::from("bad");
        seat.systemd.add(bad.clone(), name);
        let weight = seat.heard.remark(&bad, suggestion, seat.systemd.fd(), || seat.systemd.take());
        assert_eq!(weight, Weight::Error);
        let mut answer = |order| {
            seat.systemd.order(&bad, order);
            seat.heard.report(&bad, seat.systemd.fd(), || seat.systemd.take())
        };
        let is_named = |reason: &Name| reason.starts_with(&format!("systemd takes {name} for no unit: "));
        let report = answer(ServiceOrder::AssessReadiness);
        assert!(matches!(&report, ServiceReport::Readiness(Err(reason)) if is_named(reason)), "{report:?}");
        let report = answer(ServiceOrder::Start);
        assert!(matches!(&report, ServiceReport::StartRefused(reason) if is_named(reason)), "{report:?}");
        assert_eq!(answer(ServiceOrder::Stop), gone(Ending::NotRunning));
        // systemd reads its files again, and says the same as before.
        machine.systemctl(&["daemon-reload"]);
        assert_eq!(answer(ServiceOrder::Watch), gone(Ending::NotRunning));
    }
    // These it takes, and knows none.
    for name in [&long[1..], "odd@a@b.service", "my\\x2dapp.service", "org.example.web.service"] {
        let odd = Name::from("odd");
        seat.systemd.add(odd.clone(), name);
        seat.systemd.order(&odd, ServiceOrder::AssessReadiness);
        let report = seat.heard.report(&odd, seat.systemd.fd(), || seat.systemd.take());
        assert_eq!(report, ServiceReport::Readiness(Err(format!("there is no unit {name}").as_str().into())));
    }
    // Of all that the other has heard nothing.
    seat.expect_nothing_new();
    machine.crash("a.service");
    seat.expect(&gone(Ending::Signalled(9)));
}

#[test]
fn an_order_that_was_drained_is_obeyed_by_whoever_ends_at_once() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    for _ in 0..10 {
        let mut seat = Seat::new(place(&machine), "a.service");
        seat.start();
        seat.order(ServiceOrder::Stop);
        assert_eq!(seat.systemd.drain(PATIENCE), []);
        drop(seat);
        wait_until("its end", || machine.processes("a.service") == 0);
        // Not even known yet, when it is ordered.
        let seat = Seat::new(place(&machine), "a.service");
        seat.order(ServiceOrder::Start);
        assert_eq!(seat.systemd.drain(PATIENCE), []);
        drop(seat);
        wait_until("its start", || machine.processes("a.service") == 1);
    }
}

#[test]
fn an_answer_about_another_unit_counts_for_nothing() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("up.service", OBEDIENT);
    machine.add_unit("down.service", OBEDIENT);
    machine.systemctl(&["start", "up.service"]);
    let mut seat = Seat::new(place(&machine), "down.service");
    for _ in 0..10 {
        seat.systemd.add(seat.service.clone(), "up.service");
        seat.systemd.add(seat.service.clone(), "down.service");
        seat.order(ServiceOrder::Watch);
        seat.expect(&gone(Ending::NotRunning));
        seat.expect_nothing_new();
    }
}

#[test]
fn survives_what_happens_to_systemd_and_to_the_bus() {
    if !may_run(&NEEDS) {
        return;
    }
    let machine = Machine::boot();
    machine.add_unit("a.service", OBEDIENT);
    let mut seat = Seat::new(place(&machine), "a.service");
    for _ in 0..2 {
        seat.start();
        for _ in 0..3 {
            machine.systemctl(&["daemon-reexec"]);
            machine.systemctl(&["daemon-reload"]);
            machine.systemctl(&["is-active", "a.service"]);
        }
        wait_until("the connection", || {
            seat.order(ServiceOrder::AssessReadiness);
            loop {
                match seat.report() {
                    ServiceReport::Readiness(readiness) => break readiness.is_ok(),
                    // Told only if systemd is away for more than a moment.
                    ServiceReport::Unknown(_) | ServiceReport::Running => {}
                    report => panic!("{report:?}"),
                }
            }
        });
        seat.order(ServiceOrder::Watch);
        while seat.report() != ServiceReport::Running {}
        machine.crash("a.service");
        loop {
            match seat.report() {
                // After systemd has replaced itself several times, the last connection may come a moment later.
                ServiceReport::Running => {}
                report => break assert_eq!(report, gone(Ending::Signalled(9))),
            }
        }
    }
    // The bus goes, and what happens meanwhile is learnt when it is back.
    seat.start();
    machine.systemctl(&["stop", "dbus.socket", "dbus.service"]);
    let report = seat.report();
    assert!(matches!(report, ServiceReport::Unknown(_)), "{report:?}");
    seat.order(ServiceOrder::Stop);
    machine.systemctl(&["start", "dbus.socket"]);
    seat.expect(&gone(Ending::Signalled(15)));
    assert_eq!(machine.processes("a.service"), 0);
}

#[test]
fn without_systemd_nothing_is_known() {
    let nowhere = std::env::temp_dir().join("tanist-nowhere").to_str().expect("ASCII").to_owned();
    let mut seat = Seat::new(SystemdPlace::at(&nowhere, nowhere.clone().into()), "a.service");
    seat.order(ServiceOrder::Watch);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::Unknown(reason) if reason.contains(&nowhere)), "{report:?}");
    seat.order(ServiceOrder::AssessReadiness);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::Readiness(Err(_))), "{report:?}");
    seat.order(ServiceOrder::Kill);
    let undelivered = seat.systemd.drain(Duration::from_millis(50));
    assert_eq!(
        undelivered.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["(s) systemd has not taken the order to kill it"]
    );
}
