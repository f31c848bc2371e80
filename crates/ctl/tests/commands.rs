//! The commands against a daemon that is only pretended: what they ask, what they print, how they end.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;

use api::{
    Ask, CommandResult, Commanded, Event, Handover, Hello, Line, Maintenance, Mode, Outcome, Place, Protection,
    ProtectionState, Refusal, Reply, Request, Severity, Status, Switch,
};
use clap::Parser;
use tanist_ctl::{Exit, Failure};

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: tanist_ctl::Command,
}

/// What the daemon says after each request: its reply first, as a rule.
type Script = Vec<(Ask, Vec<Said>)>;

/// Something that the pretended daemon says.
enum Said {
    Reply(Outcome),
    Line(Line),
}

/// A daemon that expects these requests, in one connection, and is gone afterwards.
struct Daemon {
    directory: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    fn start(test: &str, hello: Hello, script: Script) -> Self {
        let directory = std::env::temp_dir().join(format!("tanist-ctl-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        let listener = UnixListener::bind(directory.join("control.sock")).expect("bound");
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            serve(&stream, hello, script);
        });
        Self { directory, thread: Some(thread) }
    }

    /// Runs a command line against it.
    fn run(mut self, line: &str) -> (Result<Exit, Failure>, String) {
        let ran = run(line, &self.directory.join("control.sock").display().to_string());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the daemon was asked what it expected");
        }
        ran
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn serve(stream: &UnixStream, hello: Hello, script: Script) {
    let mut writer = stream;
    let mut say = |line: &Line| {
        let text = serde_json::to_string(line).expect("JSON") + "\n";
        // In two pieces, as a network would.
        let (one, other) = text.split_at(text.len() / 2);
        // A client that has heard enough is gone.
        let _ = writer.write_all(one.as_bytes()).and_then(|()| writer.write_all(other.as_bytes()));
    };
    say(&Line::Hello(hello));
    let mut requests = BufReader::new(stream).lines();
    for (expected, answers) in script {
        let text = requests.next().expect("one more request").expect("readable");
        let request: Request = serde_json::from_str(&text).expect("a request");
        assert_eq!(request.ask, expected);
        for answer in answers {
            match answer {
                Said::Reply(outcome) => say(&Line::Reply(Reply { number: request.number, outcome })),
                Said::Line(line) => say(&line),
            }
        }
    }
}

fn run(line: &str, path: &str) -> (Result<Exit, Failure>, String) {
    let arguments = std::iter::once("tanist").chain(line.split(' ')).chain(["--control", path]);
    let command = CommandLine::try_parse_from(arguments).expect("a command line").command;
    let mut output = Vec::new();
    let ended = tanist_ctl::run(&command, &mut output);
    (ended, String::from_utf8(output).expect("text"))
}

fn hello() -> Hello {
    Hello { version: api::VERSION, daemon: "0.1.0".to_owned(), may_change: true }
}

fn status(state: ProtectionState, reasons: &[&str]) -> Outcome {
    Outcome::Status(Box::new(Status {
        node: "a".to_owned(),
        mode: Mode::Pair,
        wall_ms: 1_795_000_000_000,
        boot_ns: 5_000_000_000,
        protection: Protection { state, reasons: reasons.iter().map(ToString::to_string).collect() },
        instances: vec![api::Instance {
            name: "VI_1".to_owned(),
            role: api::Role::Master,
            since_ms: 1_000,
            priority: 150,
            effective_priority: 150,
            epoch: 1,
            interface: "eth0".to_owned(),
            vrid: 51,
            addresses: Vec::new(),
            holds_addresses: true,
            master: None,
            faults: Vec::new(),
            held: Vec::new(),
            letting_go: false,
            services: Vec::new(),
            unheard: None,
            refused: None,
            differs: None,
        }],
        services: Vec::new(),
        checks: Vec::new(),
        trackers: Vec::new(),
        peer: Some(api::Peer {
            node: "b".to_owned(),
            alive: true,
            age_ms: Some(40),
            stale: false,
            round_trip_us: None,
            paths: Vec::new(),
            discarded: 0,
            strangers: Vec::new(),
            last_discard: None,
            deaf: false,
            instances: Vec::new(),
        }),
        latch: None,
        maintenance: None,
        dropped: None,
        confinement: None,
    }))
}

fn commanded(results: &[(Option<&str>, CommandResult)]) -> Outcome {
    let commanded = |(instance, result): &(Option<&str>, CommandResult)| Commanded {
        instance: instance.map(ToOwned::to_owned),
        result: result.clone(),
    };
    Outcome::Commanded(results.iter().map(commanded).collect())
}

fn refused(reason: Refusal, text: &str) -> CommandResult {
    CommandResult::Refused { reason, text: text.to_owned() }
}

fn event(id: &'static str, instance: &str, handover: Option<Handover>, text: &str) -> Event {
    Event {
        number: 1,
        id: id.into(),
        wall_ms: 1_795_000_000_123,
        boot_ns: 5_000_000_000,
        severity: Severity::Notice,
        detail: false,
        instance: Some(instance.to_owned()),
        service: None,
        handover,
        text: vec![text.to_owned()],
    }
}

/// One request, one reply.
fn check(test: &str, line: &str, ask: Ask, outcome: Outcome, expected: Exit, printed: &str) {
    let daemon = Daemon::start(test, hello(), vec![(ask, vec![Said::Reply(outcome)])]);
    let (ended, output) = daemon.run(line);
    assert_eq!((ended.as_ref(), output.as_str()), (Ok(&expected), printed), "{line}");
}

#[test]
fn orders_say_what_they_did_or_why_not() {
    let done = || commanded(&[(None, CommandResult::Done)]);
    check("ack", "ack", Ask::Ack, done(), Exit::Done, "acknowledged: nothing is latched any more\n");
    let held = commanded(&[(Some("VI_1"), CommandResult::Done), (Some("VI_2"), CommandResult::Begun)]);
    check(
        "hold",
        "hold",
        Ask::Hold { instance: None },
        held,
        Exit::Done,
        "VI_1: this node stands back until `tanist release`\n\
         VI_2: this node stands back until `tanist release`; the role moves, see `tanist events`\n",
    );
    let latched = refused(Refusal::Latched, "it is latched; `tanist ack` once the cause is mended");
    check(
        "release",
        "release VI_1",
        Ask::Release { instance: Some("VI_1".to_owned()) },
        commanded(&[(Some("VI_1"), latched)]),
        Exit::Refused,
        "VI_1: refused: it is latched; `tanist ack` once the cause is mended\n",
    );
    check(
        "maintenance-on",
        "maintenance on --for 2h",
        Ask::Maintenance(Maintenance::On { for_s: Some(7_200) }),
        done(),
        Exit::Done,
        "maintenance: nothing happens by itself for 2 h\n",
    );
    check(
        "maintenance-off",
        "maintenance off",
        Ask::Maintenance(Maintenance::Off),
        done(),
        Exit::Done,
        "maintenance is over\n",
    );
}

#[test]
fn a_check_speaks_nagios() {
    let check = |test: &str, state, reasons: &[&str], exit, printed: &str| {
        check(test, "status --check", Ask::Status, status(state, reasons), exit, printed);
    };
    check("ok", ProtectionState::Protected, &[], Exit::Done, "TANIST OK: protected: VI_1 MASTER on a\n");
    check(
        "warning",
        ProtectionState::Degraded,
        &["path 2 to b (10.0.0.2) is silent for 45 s"],
        Exit::Refused,
        "TANIST WARNING: degraded: path 2 to b (10.0.0.2) is silent for 45 s\n",
    );
    check("critical", ProtectionState::Latched, &["x", "y"], Exit::Usage, "TANIST CRITICAL: latched: x - y\n");
    let (ended, output) = run("status --check", "/nonexistent/control.sock");
    assert_eq!(ended, Ok(Exit::NoDaemon));
    assert!(output.starts_with("TANIST UNKNOWN: no daemon listens at /nonexistent/control.sock"), "{output}");
}

/// A switch asks how things are, then follows, then orders.
fn switch(test: &str, line: &str, order: Switch, answers: Vec<Said>) -> (Result<Exit, Failure>, String) {
    let script = vec![
        (Ask::Status, vec![Said::Reply(status(ProtectionState::Protected, &[]))]),
        (Ask::Events { follow: true }, vec![Said::Reply(Outcome::Events(Vec::new()))]),
        (Ask::Switch(order), answers),
    ];
    Daemon::start(test, hello(), script).run(line)
}

fn ended(instance: &str, to: Place) -> Said {
    let handover = Handover::Ended { to, outage_ms: 412, overlap_ms: 0 };
    Said::Line(Line::Event(event("handover.ended", instance, Some(handover), "moved")))
}

#[test]
fn a_switch_stays_until_it_has_moved_and_says_what_it_cost() {
    let begun = || Said::Reply(commanded(&[(Some("VI_1"), CommandResult::Begun)]));
    let to_b = || Switch { to: Some("b".to_owned()), ..Switch::default() };
    // The end of another one's hand-over is not ours, and ours may come before the reply.
    let answers = vec![ended("VI_9", Place::Here), begun(), ended("VI_1", Place::Peer)];
    assert_eq!(
        switch("moved", "switch --to b", to_b(), answers),
        (Ok(Exit::Done), "VI_1: b is active; outage 412 ms, overlap 0 ms\n".to_owned())
    );
    let answers = vec![ended("VI_1", Place::Here), begun()];
    assert_eq!(
        switch("early", "switch --to b", to_b(), answers),
        (Ok(Exit::Done), "VI_1: a is active; outage 412 ms, overlap 0 ms\n".to_owned())
    );
    let failed = event("handover.failed", "VI_1", Some(Handover::Failed), "(VI_1) was not handed over: b is silent");
    assert_eq!(
        switch("failed", "switch --to b", to_b(), vec![begun(), Said::Line(Line::Event(failed))]),
        (Ok(Exit::Refused), "VI_1: not moved: (VI_1) was not handed over: b is silent\n".to_owned())
    );
    let not_ready = refused(Refusal::NotReady, "the service could not be started there: port 80 is taken");
    let results = [(Some("VI_1"), CommandResult::Done), (Some("VI_2"), not_ready)];
    assert_eq!(
        switch("mixed", "switch --to b", to_b(), vec![Said::Reply(commanded(&results))]),
        (
            Ok(Exit::Refused),
            "VI_1: is active there already\n\
             VI_2: refused: the service could not be started there: port 80 is taken\n"
                .to_owned()
        )
    );
}

#[test]
fn a_switch_whose_end_is_not_seen_says_so() {
    let check = |test: &str, line: &str, last: Vec<Said>, expected: &str| {
        let two = [(Some("VI_1"), CommandResult::Begun), (Some("VI_2"), CommandResult::Begun)];
        let said = [Said::Reply(commanded(&two)), ended("VI_1", Place::Peer)].into_iter().chain(last).collect();
        let (result, output) = switch(test, line, Switch::default(), said);
        let failure = result.expect_err("its end was not seen");
        assert_eq!(
            (failure.exit, output.as_str()),
            (Exit::Unfinished, "VI_1: b is active; outage 412 ms, overlap 0 ms\n")
        );
        // Before and after the place of the socket.
        assert!(expected.split('*').all(|part| failure.text.contains(part)), "{}", failure.text);
        assert!(failure.text.starts_with("VI_2: begun"), "{}", failure.text);
    };
    check(
        "lost",
        "switch",
        vec![Said::Line(Line::Lost(3))],
        "VI_2: begun, and 3 events were left out, so that the end may have been missed; see `tanist status`",
    );
    check(
        "closed",
        "switch",
        vec![Said::Line(Line::Closed("the daemon ends".to_owned()))],
        "VI_2: begun, but its end is not seen: the daemon at *closed the connection: the daemon ends; see `tanist status`",
    );
    check("gone", "switch", Vec::new(), "closed the connection: it ended; see `tanist status`");
}

#[test]
fn a_dry_run_only_asks() {
    let order = Switch { instance: Some("VI_1".to_owned()), to: None, dry_run: true };
    let would = commanded(&[(Some("VI_1"), CommandResult::Would { at_most_ms: 40_000 })]);
    let script = vec![
        (Ask::Status, vec![Said::Reply(status(ProtectionState::Protected, &[]))]),
        (Ask::Switch(order), vec![Said::Reply(would)]),
    ];
    let daemon = Daemon::start("dry", hello(), script);
    assert_eq!(
        daemon.run("switch VI_1 --dry-run"),
        (Ok(Exit::Done), "VI_1: would be moved, within 40 s at most\n".to_owned())
    );
}

#[test]
fn events_are_lines_with_time_and_id() {
    let first = event("vrrp.state", "VI_1", None, "(VI_1) Entering MASTER STATE");
    let ask = || Ask::Events { follow: false };
    let reply = || vec![Said::Reply(Outcome::Events(vec![first.clone()]))];
    let (ended, output) = Daemon::start("events", hello(), vec![(ask(), reply())]).run("events");
    assert_eq!(ended, Ok(Exit::Done));
    assert!(output.ends_with("  notice    vrrp.state              (VI_1) Entering MASTER STATE\n"), "{output}");
    let (ended, output) = Daemon::start("events-json", hello(), vec![(ask(), reply())]).run("events --json");
    assert_eq!(ended, Ok(Exit::Done));
    assert_eq!(serde_json::from_str::<Event>(&output).expect("an event"), first);
    // Whoever follows hears the rest, without the details, until the daemon ends.
    let detail = Event { detail: true, ..first.clone() };
    let said = vec![
        Said::Reply(Outcome::Events(Vec::new())),
        Said::Line(Line::Event(detail)),
        Said::Line(Line::Event(first.clone())),
    ];
    let daemon = Daemon::start("events-follow", hello(), vec![(Ask::Events { follow: true }, said)]);
    let (ended, output) = daemon.run("events --follow --json");
    assert_eq!(ended.map_err(|failure| failure.exit), Err(Exit::NoDaemon));
    assert_eq!(output.lines().count(), 1, "{output}");
}

#[test]
fn a_status_for_programs_is_the_daemons_own() {
    let Outcome::Status(expected) = status(ProtectionState::Degraded, &["x"]) else { unreachable!("it is a status") };
    let reply = vec![Said::Reply(Outcome::Status(expected.clone()))];
    let (ended, output) = Daemon::start("json", hello(), vec![(Ask::Status, reply)]).run("status --json");
    assert_eq!(ended, Ok(Exit::Done));
    assert_eq!(serde_json::from_str::<Status>(&output).expect("a status"), *expected);
}

/// Clears the screen, adds a line and turns the rest of it round.
const HOSTILE: &str = "b\u{1b}[2J\r\nPROTECTED\u{9b}31m\u{202e}\u{2028}";
const SHOWN: &str = "b\\u{1b}[2J\\r\\nPROTECTED\\u{9b}31m\\u{202e}\\u{2028}";

/// As a status, wherever something stands that others have said or named.
fn hostile_status(said: &str) -> Status {
    let Outcome::Status(status) = status(ProtectionState::Degraded, &[said]) else { unreachable!("it is a status") };
    let mut status = *status;
    let said = || said.to_owned();
    let readiness = api::Readiness { ready: false, reason: Some(said()) };
    let instance = status.instances.first_mut().expect("there is one");
    (instance.name, instance.faults, instance.held) = (said(), vec![said()], vec![said()]);
    instance.services = vec![said()];
    let peer = status.peer.as_mut().expect("there is one");
    peer.node = said();
    peer.instances = vec![api::PeerInstance {
        name: said(),
        role: api::Role::Backup,
        held: false,
        effective_priority: 100,
        epoch: 1,
        services: vec![api::PeerService {
            name: said(),
            state: api::ServiceState::Stopped,
            healthy: None,
            readiness: Some(readiness),
            failed: false,
        }],
    }];
    status.node = said();
    status
}

#[test]
fn what_others_say_cannot_play_with_a_terminal() {
    let show = |test: &str, line: &str, said: &str| {
        let reply = Said::Reply(Outcome::Status(Box::new(hostile_status(said))));
        Daemon::start(test, hello(), vec![(Ask::Status, vec![reply])]).run(line).1
    };
    let screen = show("hostile", "status", HOSTILE);
    assert_eq!(screen, show("shown", "status", SHOWN), "columns and lines are as if it were plain text");
    assert_eq!(screen.matches(SHOWN).count(), 8, "{screen}");
    assert!(screen.chars().all(|letter| letter == '\n' || !letter.is_control()), "{screen:?}");
    let line = show("hostile-check", "status --check", HOSTILE);
    assert_eq!(line, format!("TANIST WARNING: degraded: {SHOWN}\n"));
    // Programs get what was said.
    let json = show("hostile-json", "status --json", HOSTILE);
    assert_eq!(serde_json::from_str::<Status>(&json).expect("a status"), hostile_status(HOSTILE));

    let said = event("script.said", "VI_1", None, HOSTILE);
    let ask = || Ask::Events { follow: false };
    let reply = || vec![Said::Reply(Outcome::Events(vec![said.clone()]))];
    let (_, output) = Daemon::start("hostile-events", hello(), vec![(ask(), reply())]).run("events");
    assert!(output.ends_with(&format!("  {SHOWN}\n")) && output.lines().count() == 1, "{output:?}");
    let (_, output) = Daemon::start("hostile-events-json", hello(), vec![(ask(), reply())]).run("events --json");
    assert_eq!(serde_json::from_str::<Event>(&output).expect("an event"), said);

    let refusal = commanded(&[(None, refused(Refusal::NotReady, HOSTILE))]);
    check("hostile-order", "ack", Ask::Ack, refusal, Exit::Refused, &format!("refused: {SHOWN}\n"));
    let closed = Said::Line(Line::Closed(HOSTILE.to_owned()));
    let closed = Daemon::start("hostile-end", hello(), vec![(Ask::Ack, vec![closed])]).run("ack").0;
    let closed = closed.expect_err("it must fail").to_string();
    assert!(closed.ends_with(&format!("closed the connection: {SHOWN}")), "{closed:?}");
}

#[test]
fn what_bars_the_way_is_said_with_what_to_do() {
    let failure = |result: Result<Exit, Failure>| result.expect_err("it must fail");
    let missing = failure(run("status", "/nonexistent/control.sock").0);
    assert_eq!(missing.exit, Exit::NoDaemon);
    assert_eq!(
        missing.text,
        "no daemon listens at /nonexistent/control.sock: is it running? `systemctl status tanist`; if it listens \
         somewhere else, say --control PATH"
    );
    let newer = Hello { version: api::VERSION + 1, daemon: "9.0.0".to_owned(), may_change: true };
    let newer = failure(Daemon::start("newer", newer, Vec::new()).run("status").0);
    assert_eq!(newer.exit, Exit::NoDaemon);
    assert!(newer.text.contains("is tanist 9.0.0 and speaks version 2 of the protocol"), "{newer}");
    let forbidden = Said::Reply(Outcome::Forbidden("only root may do this".to_owned()));
    let forbidden = failure(Daemon::start("forbidden", hello(), vec![(Ask::Ack, vec![forbidden])]).run("ack").0);
    assert_eq!(
        (forbidden.exit, forbidden.text.as_str()),
        (Exit::NotAllowed, "only root may do this; try it with sudo")
    );
    let invalid = Said::Reply(Outcome::Invalid("there is no instance VI_9; there is VI_1".to_owned()));
    let ask = Ask::Hold { instance: Some("VI_9".to_owned()) };
    let invalid = failure(Daemon::start("invalid", hello(), vec![(ask, vec![invalid])]).run("hold VI_9").0);
    assert_eq!(invalid.exit, Exit::Refused);
    let full = Said::Line(Line::Closed("64 clients are here already; try again later".to_owned()));
    let full = failure(Daemon::start("full", hello(), vec![(Ask::Ack, vec![full])]).run("ack").0);
    assert_eq!(full.exit, Exit::NoDaemon);
    assert!(full.text.ends_with("64 clients are here already; try again later"), "{full}");
    // Sent away before we could say anything.
    let directory = std::env::temp_dir().join(format!("tanist-ctl-away-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory of our own");
    let path = directory.join("control.sock");
    let listener = UnixListener::bind(&path).expect("bound");
    let mut client = std::thread::scope(|scope| {
        let open = scope.spawn(|| tanist_ctl::Connection::open(&path));
        let (mut stream, _) = listener.accept().expect("a client");
        let lines = [Line::Hello(hello()), Line::Closed("try again later".to_owned())];
        for line in lines {
            writeln!(stream, "{}", serde_json::to_string(&line).expect("JSON")).expect("written");
        }
        drop(stream);
        open.join().expect("no panic").expect("greeted")
    });
    let away = client.ask(Ask::Ack).expect_err("it must fail");
    std::fs::remove_dir_all(&directory).expect("cleaned up");
    assert!(away.text.ends_with("closed the connection: try again later"), "{away}");
    // A socket whose daemon was killed.
    let directory = std::env::temp_dir().join(format!("tanist-ctl-stale-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory of our own");
    let path = directory.join("control.sock");
    drop(UnixListener::bind(&path).expect("bound"));
    let stale = failure(run("status", &path.display().to_string()).0);
    std::fs::remove_dir_all(&directory).expect("cleaned up");
    assert_eq!(stale.exit, Exit::NoDaemon);
    assert!(stale.text.starts_with("no daemon listens at "), "{stale}");
}
