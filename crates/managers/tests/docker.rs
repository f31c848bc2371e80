//! Against a real docker engine.

mod support;

use engine::{Ending, Name, ServiceOrder, ServiceReport};
use support::docker_engine::{Engine, NEEDS};
use support::{Heard, has_static_busybox, may_run, run, wait_until};
use tanist_managers::{Docker, DockerPlace, Weight};

/// Runs until it is told to end, and then does so at once.
const OBEDIENT: &str = "trap 'exit 0' TERM; while :; do busybox sleep 0.05; done";
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

#[test]
fn starts_and_stops_fifty_times() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &["--init=false"], OBEDIENT);
    let mut seat = Seat::new(&engine, "svc");
    seat.order(ServiceOrder::AssessReadiness);
    seat.expect(&ServiceReport::Readiness(Ok(())));
    seat.order(ServiceOrder::Watch);
    seat.expect(&ServiceReport::Gone(Ending::NotRunning));
    for _ in 0..50 {
        seat.start();
        assert!(is_running(&engine, "svc"));
        seat.order(ServiceOrder::Stop);
        // Asked before its shell has set the trap, it ends by the signal.
        let report = seat.report();
        assert!(matches!(report, ServiceReport::Gone(Ending::Exited(0 | 143))), "{report:?}");
        assert!(!is_running(&engine, "svc"));
    }
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
    seat.order(ServiceOrder::Stop);
    assert!(matches!(seat.report(), ServiceReport::Gone(_)));
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
fn survives_what_happens_to_docker() {
    if !may_run(&NEEDS) || !has_static_busybox() {
        return;
    }
    let engine = Engine::start();
    engine.create("svc", &[], OBEDIENT);
    let mut seat = Seat::new(&engine, "svc");
    seat.start();
    for signal in ["-TERM", "-KILL"] {
        engine.end_daemon(signal);
        wait_until("docker", || support::output(&mut engine.docker(&["version"])).status.success());
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
}
