//! Against a real docker engine.

mod real;
mod support;

use std::thread;
use std::time::Duration;

use engine::{Ending, Name, ServiceOrder, ServiceReport};
use real::docker_engine::{Engine, NEEDS};
use real::{PATIENCE, has_static_busybox, may_run, run, wait_until};
use support::Heard;
use tanist_managers::{Docker, DockerPlace, Weight};

/// Runs until it is told to end, and then does so at once.
const OBEDIENT: &str = "trap 'exit 0' TERM; echo up; while :; do busybox sleep 0.05; done";
const STUBBORN: &str = "trap '' TERM; while :; do busybox sleep 1; done";

/// docker as one service sees it.
struct Seat {
    docker: Docker,
    heard: Heard,
    service: Name,
}

impl Seat {
    fn new(engine: &Engine, container: &str) -> Self {
        Self::at(&engine.socket(), container)
    }

    fn at(socket: &str, container: &str) -> Self {
        let docker = Docker::start(DockerPlace::at(socket)).expect("a thread");
        let service = Name::from("s");
        docker.add(service.clone(), container);
        Self { docker, heard: Heard::default(), service }
    }

    fn order(&self, order: ServiceOrder) {
        self.docker.order(&self.service, order);
    }

    #[track_caller]
    fn expect(&mut self, expected: &ServiceReport) {
        assert_eq!(&self.report(), expected);
    }

    #[track_caller]
    fn report(&mut self) -> ServiceReport {
        self.heard.report(&self.service, self.docker.fd(), || self.docker.take())
    }

    #[track_caller]
    fn expect_remark(&mut self, words: &str) {
        let weight = self.heard.remark(&self.service, words, self.docker.fd(), || self.docker.take());
        assert_eq!(weight, Weight::Warning);
    }

    #[track_caller]
    fn start(&mut self) {
        self.order(ServiceOrder::Start);
        self.expect(&ServiceReport::Running);
    }

    /// Asks something that is answered, so that all that was to be told before has been.
    #[track_caller]
    fn expect_nothing_new(&mut self) {
        self.order(ServiceOrder::AssessReadiness);
        assert!(matches!(self.report(), ServiceReport::Readiness(_)));
        assert_eq!(self.heard.rest(&self.service, || self.docker.take()), []);
    }
}

fn gone(status: u8) -> ServiceReport {
    ServiceReport::Gone(Ending::Exited(status))
}

fn is_running(engine: &Engine, container: &str) -> bool {
    run(&mut engine.docker(&["inspect", "-f", "{{.State.Running}}", container])) == "true"
}

/// A new container, started and stopped so many times.
fn starts_and_stops(engine: &Engine, container: &str, times: usize) -> Seat {
    engine.create(container, &["--init=false"], OBEDIENT);
    let mut seat = Seat::new(engine, container);
    seat.order(ServiceOrder::AssessReadiness);
    seat.expect(&ServiceReport::Readiness(Ok(())));
    seat.order(ServiceOrder::Watch);
    seat.expect(&ServiceReport::Gone(Ending::NotRunning));
    for round in 1..=times {
        seat.start();
        assert!(is_running(engine, container));
        // A process 1 is deaf to signals until it has set its trap.
        wait_until("its trap", || run(&mut engine.docker(&["logs", container])).lines().count() == round);
        seat.order(ServiceOrder::Stop);
        seat.expect(&gone(0));
        assert!(!is_running(engine, container));
    }
    seat
}

#[test]
fn starts_and_stops_fifty_times() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    let mut seat = thread::scope(|scope| {
        scope.spawn(|| drop(starts_and_stops(&engine, "other", 25)));
        starts_and_stops(&engine, "svc", 25)
    });
    seat.order(ServiceOrder::Stop);
    assert!(matches!(seat.report(), ServiceReport::Gone(_)), "what is so already is told all the same");
    seat.start();
    seat.start();
    seat.order(ServiceOrder::Watch);
    seat.expect(&ServiceReport::Running);
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(137));
    seat.expect_nothing_new();
    // By its id it is the same.
    let id = run(&mut engine.docker(&["inspect", "-f", "{{.Id}}", "svc"]));
    let mut seat = Seat::new(&engine, &id[..12]);
    seat.start();
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(137));
}

#[test]
fn tells_a_death_from_an_operators_hand() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &[], "trap 'exit 0' TERM; while ! [ -e /end ]; do busybox sleep 0.05; done; exit 7");
    let mut seat = Seat::new(&engine, "svc");
    seat.order(ServiceOrder::Watch);
    seat.expect(&ServiceReport::Gone(Ending::NotRunning));
    run(&mut engine.docker(&["start", "svc"]));
    seat.expect(&ServiceReport::Running);
    run(&mut engine.docker(&["kill", "svc"]));
    seat.expect(&gone(137));
    seat.start();
    run(&mut engine.docker(&["restart", "svc"]));
    seat.expect_nothing_new();
    run(&mut engine.docker(&["stop", "svc"]));
    seat.expect(&ServiceReport::StoppedByHand);
    seat.start();
    run(&mut engine.docker(&["exec", "svc", "/bin/busybox", "touch", "/end"]));
    seat.expect(&gone(7));
    // A stop by hand that needs force is one all the same.
    engine.create("stubborn", &[], STUBBORN);
    let mut seat = Seat::new(&engine, "stubborn");
    seat.start();
    run(&mut engine.docker(&["stop", "-t", "1", "stubborn"]));
    seat.expect(&ServiceReport::StoppedByHand);
    seat.expect_nothing_new();
}

#[test]
fn an_order_that_was_drained_is_obeyed_by_whoever_ends_at_once() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    // It does not end at once, and nobody waits for it.
    let slow = "busybox rm -f /end; trap 'while ! [ -e /end ]; do busybox sleep 0.05; done; exit 0' TERM; echo set; while :; do busybox sleep 0.05; done";
    engine.create("svc", &[], slow);
    for _ in 0..3 {
        // Not even known yet, when it is ordered.
        let seat = Seat::new(&engine, "svc");
        seat.order(ServiceOrder::Start);
        assert_eq!(seat.docker.drain(PATIENCE), []);
        drop(seat);
        assert!(is_running(&engine, "svc"));
        wait_until("its trap", || !run(&mut engine.docker(&["logs", "svc"])).is_empty());
        let seat = Seat::new(&engine, "svc");
        seat.order(ServiceOrder::Stop);
        assert_eq!(seat.docker.drain(PATIENCE), []);
        drop(seat);
        assert!(is_running(&engine, "svc"));
        run(&mut engine.docker(&["exec", "svc", "/bin/busybox", "touch", "/end"]));
        wait_until("its end", || !is_running(&engine, "svc"));
    }
}

#[test]
fn a_stop_right_after_a_start_leaves_nothing() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    // A process 1 that has not set its trap yet is deaf to any other signal.
    engine.create("svc", &["--stop-signal", "KILL"], OBEDIENT);
    let mut seat = Seat::new(&engine, "svc");
    for round in 0..12 {
        seat.order(ServiceOrder::Start);
        seat.order(if round % 2 == 0 { ServiceOrder::Stop } else { ServiceOrder::Kill });
        let mut report = seat.report();
        if report == ServiceReport::Running {
            report = seat.report();
        }
        assert!(matches!(report, ServiceReport::Gone(_)), "{report:?}");
        // If the start came through late, it would be told now.
        assert!(!is_running(&engine, "svc"), "gone, and runs");
        seat.expect_nothing_new();
    }
}

#[test]
fn one_that_ignores_us_is_killed_when_told_to() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &[], &format!("echo set; {STUBBORN}"));
    let mut seat = Seat::new(&engine, "svc");
    seat.start();
    seat.order(ServiceOrder::Stop);
    wait_until("the stop signal", || {
        let events = run(&mut engine.docker(&["events", "--since", "1h", "--until", "0s"]));
        events.contains("container kill")
    });
    seat.expect_nothing_new();
    assert!(is_running(&engine, "svc"));
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(137));
}

#[test]
fn one_that_docker_would_restart_stays_down() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &["--restart=always"], OBEDIENT);
    let mut seat = Seat::new(&engine, "svc");
    seat.expect_remark("docker update --restart=no svc");
    for _ in 0..3 {
        seat.start();
        // From inside, as a crash would; of `docker kill` docker knows that it was wanted.
        let process = run(&mut engine.docker(&["inspect", "-f", "{{.State.Pid}}", "svc"]));
        engine.kill(&process);
        seat.expect(&gone(137));
        assert_eq!(run(&mut engine.docker(&["inspect", "-f", "{{.State.Status}}", "svc"])), "exited");
    }
    run(&mut engine.docker(&["update", "--restart=no", "svc"]));
    seat.start();
    // A process 1 that has not set its trap yet is deaf to any other signal.
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(137));
}

#[test]
fn judges_before_it_is_too_late() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    let mut seat = Seat::new(&engine, "svc");
    seat.order(ServiceOrder::AssessReadiness);
    seat.expect(&ServiceReport::Readiness(Err("there is no container svc".into())));
    seat.order(ServiceOrder::Watch);
    seat.expect(&ServiceReport::Gone(Ending::NotRunning));
    seat.order(ServiceOrder::Start);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::StartRefused(text) if text.contains("svc")), "{report:?}");
    seat.order(ServiceOrder::Stop);
    seat.expect(&ServiceReport::Gone(Ending::NotRunning));
    engine.create("svc", &["--entrypoint", "/not/there"], OBEDIENT);
    seat.order(ServiceOrder::AssessReadiness);
    seat.expect(&ServiceReport::Readiness(Ok(())));
    seat.order(ServiceOrder::Start);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::StartRefused(text) if text.contains("/not/there")), "{report:?}");
    run(&mut engine.docker(&["rmi", "-f", "t:1"]));
    seat.order(ServiceOrder::AssessReadiness);
    seat.expect(&ServiceReport::Readiness(Err("the image of the container svc is not there".into())));
}

#[test]
fn an_answer_about_another_container_counts_for_nothing() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("up", &[], OBEDIENT);
    engine.create("down", &[], OBEDIENT);
    run(&mut engine.docker(&["start", "up"]));
    let mut seat = Seat::new(&engine, "down");
    for _ in 0..10 {
        seat.docker.add(seat.service.clone(), "up");
        seat.docker.add(seat.service.clone(), "down");
        seat.order(ServiceOrder::Watch);
        seat.expect(&ServiceReport::Gone(Ending::NotRunning));
        seat.expect_nothing_new();
    }
}

#[test]
fn one_that_is_renamed_while_it_runs_is_watched_until_it_ends() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &[], OBEDIENT);
    let mut seat = Seat::new(&engine, "svc");
    seat.start();
    run(&mut engine.docker(&["rename", "svc", "old"]));
    seat.expect_remark("is called old now");
    engine.create("svc", &[], OBEDIENT);
    seat.expect_nothing_new();
    engine.renew_daemon("-TERM");
    seat.order(ServiceOrder::Watch);
    while seat.report() != ServiceReport::Running {}
    seat.order(ServiceOrder::Kill);
    seat.expect(&gone(137));
    assert!(!is_running(&engine, "old"));
    // The next one is what has the name.
    seat.start();
    assert!(is_running(&engine, "svc") && !is_running(&engine, "old"));
}

#[test]
fn survives_what_happens_to_docker() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &[], OBEDIENT);
    let mut seat = Seat::new(&engine, "svc");
    seat.start();
    for signal in ["-TERM", "-KILL"] {
        engine.renew_daemon(signal);
        wait_until("the connection", || {
            seat.order(ServiceOrder::AssessReadiness);
            loop {
                match seat.report() {
                    ServiceReport::Readiness(readiness) => break readiness.is_ok(),
                    // Told only if docker is away for more than a moment.
                    ServiceReport::Unknown(_) | ServiceReport::Running => {}
                    report => panic!("{report:?}"),
                }
            }
        });
        seat.order(ServiceOrder::Watch);
        while seat.report() != ServiceReport::Running {}
        assert_eq!(seat.heard.rest("s", || seat.docker.take()), []);
        run(&mut engine.docker(&["kill", "svc"]));
        seat.expect(&gone(137));
        seat.start();
    }
    // What happens meanwhile is learnt afterwards.
    let process = run(&mut engine.docker(&["inspect", "-f", "{{.State.Pid}}", "svc"]));
    engine.end_daemon("-KILL");
    engine.kill(&process);
    let mut report = seat.report();
    if matches!(report, ServiceReport::Unknown(_)) {
        report = seat.report();
    }
    assert!(matches!(report, ServiceReport::Gone(Ending::Exited(_))), "{report:?}");
}

#[test]
fn without_docker_nothing_is_known() {
    let nowhere = std::env::temp_dir().join("tanist-nowhere").to_str().expect("ASCII").to_owned();
    let mut seat = Seat::at(&nowhere, "svc");
    seat.order(ServiceOrder::Watch);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::Unknown(_)), "{report:?}");
    seat.order(ServiceOrder::AssessReadiness);
    let report = seat.report();
    assert!(matches!(&report, ServiceReport::Readiness(Err(_))), "{report:?}");
    seat.order(ServiceOrder::Kill);
    let undelivered = seat.docker.drain(Duration::from_millis(50));
    assert_eq!(
        undelivered.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["(s) docker has not taken the order to kill it"]
    );
}
