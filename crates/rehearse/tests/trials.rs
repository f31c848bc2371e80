//! The collector, its manager and the trials: what they promise to those who measure with them.
//!
//! The collector is a mode of our own program, so this test is that program, too: called with `rehearse` as its first
//! word it does what `tanist` would do.

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use linux::signals::Signal;
use tanist_rehearse::lab::{
    Daemon, HOST_DIR, Host, HostPlan, Lab, Manner, Moment, PATIENCE, Seen, again_as_root, audit, permission, skip,
    wait_until,
};
use tanist_rehearse::trials::{Played, Recipe, SCENARIOS, Service, play};

#[derive(Debug, Parser)]
enum CommandLine {
    Rehearse(tanist_rehearse::Arguments),
}

fn main() -> ExitCode {
    if env::args().nth(1).is_some_and(|word| word == "rehearse") {
        let CommandLine::Rehearse(arguments) = CommandLine::parse();
        return tanist_rehearse::main(arguments);
    }
    match again_as_root() {
        Some(Ok(status)) => return status,
        Some(Err(error)) => skip("trials", &error),
        None => match permission() {
            Ok(()) => all(),
            Err(error) => skip("trials", &error),
        },
    }
    println!("trials: ok");
    ExitCode::SUCCESS
}

/// At once, for each of them waits most of its time.
fn all() {
    let mut tests: Vec<fn()> = vec![
        a_collector_ticks_until_it_is_told_to_stop,
        a_slow_one_collects_later_and_longer,
        a_stubborn_one_must_be_killed,
        a_frozen_one_answers_nobody_and_is_not_at_work,
        offspring_survives_its_first_process,
        a_manager_starts_one_and_stops_it,
    ];
    if env::var_os("SLOW_TESTS").is_none_or(|value| value != "1") {
        skip("a trial", &"set SLOW_TESTS=1");
    } else if !Daemon::keepalived().is_installed() {
        skip("a trial", &"keepalived is not installed");
    } else if !has_many_users() {
        skip("a trial", &"there is only one user in this user namespace, and keepalived's scripts need more");
    } else {
        let of_keepalived: [fn(); 2] =
            [an_orderly_stop_leaves_the_service_to_itself, a_power_cut_ends_it_with_the_node];
        tests.extend(of_keepalived);
    }
    thread::scope(|scope| {
        for test in tests {
            scope.spawn(test);
        }
    });
}

fn has_many_users() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().nth(2).and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 65_534)
}

fn program() -> Vec<String> {
    vec![env::current_exe().expect("our own path").display().to_string(), "rehearse".to_owned()]
}

fn scene(manner: &Manner) -> (Lab, Host) {
    let lab = Lab::new("collector").expect("a lab");
    let host = lab.add_host(&HostPlan::new("a")).expect("a host");
    host.write_collector(&program(), manner).expect("a collector");
    (lab, host)
}

fn wait_for(lab: &Lab, since: Moment, what: &str) -> Moment {
    let is_told = |seen: &Seen| matches!(seen, Seen::ScriptRun { name, arguments } if name == "collector" && arguments[0] == what);
    let found = lab.journal().wait_for(since, PATIENCE, |record| is_told(&record.what));
    found.unwrap_or_else(|| panic!("no collector {what}\n{}", lab.journal().log_of("a"))).at
}

fn ticks_since(lab: &Lab, since: Moment) -> usize {
    lab.journal().ticks().iter().filter(|tick| tick.at >= since).count()
}

fn gone(host: &Host) -> bool {
    wait_until(PATIENCE, || host.processes("collector").expect("look").is_empty())
}

fn probe(host: &Host) -> bool {
    host.output(&[&format!("{HOST_DIR}/collector-probe")]).expect("a probe").status.success()
}

fn a_collector_ticks_until_it_is_told_to_stop() {
    let (lab, host) = scene(&Manner { port: Some(8085), ..Manner::default() });
    assert!(!probe(&host), "nobody is there");
    let begun = Moment::now();
    let service = host.start("service", &[&format!("{HOST_DIR}/collector")]).expect("start");
    let collects = wait_for(&lab, begun, "collects");
    assert!(wait_until(PATIENCE, || ticks_since(&lab, begun) > 10));
    assert!(probe(&host), "{}", lab.journal().log_of("a"));
    let ticks = lab.journal().ticks();
    assert!(ticks.iter().zip(0..).all(|(tick, number)| tick.number == number && tick.pid == ticks[0].pid));
    assert!(ticks[0].at >= collects - Duration::from_millis(20) && &*ticks[0].host == "a");
    let told = Moment::now();
    service.signal(Signal::TERMINATE).expect("tell it to stop");
    assert!(service.wait(PATIENCE) && gone(&host));
    let ends = wait_for(&lab, told, "ends");
    assert_eq!(ticks_since(&lab, ends), 0);
}

fn a_slow_one_collects_later_and_longer() {
    let span = Duration::from_millis(200);
    let (lab, host) = scene(&Manner { start: span, stop: span, ..Manner::default() });
    let begun = Moment::now();
    let service = host.start("service", &[&format!("{HOST_DIR}/collector")]).expect("start");
    let starts = wait_for(&lab, begun, "starts");
    assert!(wait_for(&lab, begun, "collects").since(starts) >= Duration::from_millis(199));
    service.signal(Signal::TERMINATE).expect("tell it to stop");
    let told = wait_for(&lab, begun, "is told to stop");
    assert!(wait_for(&lab, begun, "ends").since(told) >= Duration::from_millis(199));
    assert!(ticks_since(&lab, told) > 0, "it collects to the end");
}

fn a_stubborn_one_must_be_killed() {
    let (lab, host) = scene(&Manner { stubborn: true, ..Manner::default() });
    let begun = Moment::now();
    let service = host.start("service", &[&format!("{HOST_DIR}/collector")]).expect("start");
    wait_for(&lab, begun, "collects");
    service.signal(Signal::TERMINATE).expect("tell it to stop");
    let told = wait_for(&lab, begun, "is told to stop");
    assert!(wait_until(PATIENCE, || ticks_since(&lab, told) > 10) && service.is_running());
    assert_eq!(host.signal_collectors(Signal::KILL).expect("kill"), 1);
    assert!(service.wait(PATIENCE) && gone(&host));
}

fn a_frozen_one_answers_nobody_and_is_not_at_work() {
    let (lab, host) = scene(&Manner { port: Some(8085), ..Manner::default() });
    let begun = Moment::now();
    let _service = host.start("service", &[&format!("{HOST_DIR}/collector")]).expect("start");
    wait_for(&lab, begun, "collects");
    assert!(wait_until(PATIENCE, || ticks_since(&lab, begun) > 1));
    let frozen = Moment::now();
    host.signal_collectors(Signal::STOP).expect("freeze");
    assert!(!probe(&host), "its port is open, but nobody answers");
    let thawed = Moment::now();
    host.signal_collectors(Signal::CONTINUE).expect("thaw");
    assert!(wait_until(PATIENCE, || ticks_since(&lab, thawed) > 1));
    // The probe alone waits for 3 s.
    let audit = audit(&lab.journal().ticks(), frozen, Moment::now());
    assert!(audit.gap > Duration::from_millis(2900) && !audit.gap_goes_on, "{audit:?}");
}

fn offspring_survives_its_first_process() {
    let (lab, host) = scene(&Manner { offspring: true, ..Manner::default() });
    let begun = Moment::now();
    let service = host.start("service", &[&format!("{HOST_DIR}/collector")]).expect("start");
    wait_for(&lab, begun, "collects");
    service.signal(Signal::TERMINATE).expect("tell it to stop");
    assert!(service.wait(PATIENCE), "the first process does as it is told");
    let ended = Moment::now();
    assert!(wait_until(PATIENCE, || ticks_since(&lab, ended) > 10), "but who collects is another one");
    assert_eq!(host.signal_collectors(Signal::TERMINATE).expect("tell it"), 1);
    assert!(gone(&host));
}

fn a_manager_starts_one_and_stops_it() {
    let (lab, host) = scene(&Manner::default());
    let service = |verb: &str| host.collector_service(verb).expect("the manager");
    let begun = Moment::now();
    assert_eq!(service("status"), 3);
    assert_eq!((service("start"), service("start")), (0, 0));
    wait_for(&lab, begun, "collects");
    assert_eq!(service("status"), 0);
    assert_eq!(host.processes("collector").expect("look").len(), 1, "the second start started nothing");
    assert_eq!((service("stop"), service("status"), service("stop")), (0, 3, 0));
    assert!(gone(&host));
    assert_eq!(service("start"), 0);
    wait_for(&lab, Moment::now(), "collects");
    // A frozen one is woken up to be stopped.
    host.signal_collectors(Signal::STOP).expect("freeze");
    assert_eq!(service("stop"), 0);
    assert!(gone(&host));
}

/// What a trial sees keepalived and the recipe's scripts do to a service.
fn trial(id: &str) -> Played {
    let service = Service { program: program(), manner: Manner::default() };
    let recipe = Recipe::edge_gateway(Daemon::keepalived());
    let scenario = SCENARIOS.iter().find(|scenario| scenario.id == id).expect("it is in the table");
    play(scenario, &recipe, &service, 0).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// What the recipe is known for: after an orderly stop of the daemon, nobody stops the service.
fn an_orderly_stop_leaves_the_service_to_itself() {
    let stop = trial("B11");
    assert!(stop.outcome.overlap_goes_on && !stop.outcome.gap_goes_on, "{:?}\n{}", stop.outcome, stop.story);
}

fn a_power_cut_ends_it_with_the_node() {
    let power = trial("B3");
    assert!(power.outcome.overlap.is_zero() && !power.outcome.gap_goes_on, "{:?}\n{}", power.outcome, power.story);
    // (256 − 90)/256 s and 3 × 1 s after its last advertisement, which was up to a second old.
    assert!(power.outcome.gap > Duration::from_millis(2600), "{:?}\n{}", power.outcome, power.story);
}
