//! Probes against real servers, files and processes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use engine::ProbeFailure;

use super::*;

const GOOD: ScriptOutcome = ScriptOutcome::Exited(0);

/// A server that does the same with everybody who comes.
struct Server {
    address: SocketAddr,
    visitors: Arc<AtomicUsize>,
}

impl Server {
    fn new(serve: impl Fn(TcpStream) + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, visitors) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&visitors);
        // Ends with the test program.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                serve(stream);
            }
        });
        Server { address, visitors }
    }

    /// Reads the request and says this, piece by piece.
    fn saying(pieces: Vec<Vec<u8>>) -> Server {
        Server::new(move |mut stream| {
            let request = request_of(&mut stream);
            assert_eq!(
                request,
                "GET /health?a=b HTTP/1.1\r\nHost: example.org\r\nUser-Agent: tanist\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            );
            for piece in &pieces {
                // Who has heard enough goes away.
                let _ = stream.write_all(piece);
                std::thread::sleep(Duration::from_millis(5));
            }
        })
    }
}

fn request_of(stream: &mut TcpStream) -> String {
    let (mut text, mut octets) = (Vec::new(), [0; 512]);
    while !text.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut octets).unwrap();
        assert_ne!(length, 0);
        text.extend_from_slice(&octets[..length]);
    }
    String::from_utf8(text).unwrap()
}

fn http(address: SocketAddr) -> ServiceCheck {
    ServiceCheck::Http { address, host: "example.org".to_owned(), path: "/health?a=b".to_owned(), statuses: 200..=399 }
}

fn rig(test: &str, check: ServiceCheck) -> Rig {
    Rig::with(test, vec![checked(service("one", command("exec sleep 300")), "check", check)])
}

/// What one run of it finds.
fn outcome(test: &str, check: ServiceCheck) -> ScriptOutcome {
    let mut rig = rig(test, check);
    rig.run_probe("check");
    let outcome = rig.outcome("check");
    rig.go_on_for(20);
    assert_eq!(rig.reports, [], "one run, one result");
    assert!(rig.services.desk.targets.is_empty(), "nothing is left open");
    outcome
}

fn failed(failure: ProbeFailure) -> ScriptOutcome {
    ScriptOutcome::ProbeFailed(failure)
}

#[test]
fn http_judges_by_the_status() {
    let check = |text: &str, expected| {
        let whole = Server::saying(vec![text.as_bytes().to_vec()]);
        assert_eq!(outcome("http", http(whole.address)), expected, "{text:?}");
        let pieces = Server::saying(text.as_bytes().chunks(9).map(<[u8]>::to_vec).collect());
        assert_eq!(outcome("http", http(pieces.address)), expected, "{text:?} piece by piece");
    };
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", GOOD);
    check("HTTP/1.0 302 Found\r\nLocation: /login\r\n\r\n", GOOD);
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", GOOD);
    check("HTTP/1.1 500 Oh\r\n\r\n", failed(ProbeFailure::HttpStatus(500)));
    check("SSH-2.0-OpenSSH_9.2p1\r\n\r\n", failed(ProbeFailure::Nonsense));
    check("HTTP/1.1 200 OK\r\nCut:", failed(ProbeFailure::Nonsense));
    check("", failed(ProbeFailure::Nonsense));
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(100_000));
    let endless = Server::saying(vec![endless.into_bytes()]);
    assert_eq!(outcome("http", http(endless.address)), failed(ProbeFailure::Nonsense));
}

#[test]
fn connections_that_fail_say_how() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = failed(ProbeFailure::System(111));
    assert_eq!(outcome("refused", ServiceCheck::Tcp { address: nobody }), refused);
    assert_eq!(outcome("refused", http(nobody)), refused);
    // Closing what was not read resets the connection.
    let rude = Server::new(|mut stream| {
        stream.read_exact(&mut [0]).unwrap();
    });
    assert_eq!(outcome("reset", http(rude.address)), failed(ProbeFailure::System(104)));
    let server = Server::new(drop);
    assert_eq!(outcome("accepted", ServiceCheck::Tcp { address: server.address }), GOOD);
    let unreachable = "[2001:db8::1]:80".parse().unwrap();
    assert!(matches!(rig_outcome_or_end(unreachable), ScriptOutcome::ProbeFailed(ProbeFailure::System(_))));
}

/// A server that is in a hurry: it has answered and reset the connection before anybody looks.
#[test]
fn an_answer_counts_although_the_connection_is_reset() {
    let check = |text: &'static str, expected| {
        let (done, is_done) = std::sync::mpsc::channel();
        let server = Server::new(move |mut stream| {
            stream.write_all(text.as_bytes()).unwrap();
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            drop(stream);
            done.send(()).unwrap();
        });
        let mut rig = rig("hasty", http(server.address));
        rig.run_probe("check");
        is_done.recv_timeout(PATIENCE).unwrap();
        assert_eq!(rig.outcome("check"), expected, "{text:?}");
    };
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", GOOD);
    check("HTTP/1.1 503 Busy\r\n\r\n", failed(ProbeFailure::HttpStatus(503)));
    check("HTTP/1.1 200 OK\r\nCut:", failed(ProbeFailure::System(104)));
    check("", failed(ProbeFailure::System(104)));
}

/// Nobody has that address; depending on the machine that is known at once or never.
fn rig_outcome_or_end(address: SocketAddr) -> ScriptOutcome {
    let mut rig = rig("nowhere", ServiceCheck::Tcp { address });
    rig.run_probe("check");
    rig.go_on_for(50);
    rig.call(|services, lent| services.end_probe(&Name::from("check"), lent));
    rig.outcome("check")
}

#[test]
fn a_hanging_server_costs_nobody_anything() {
    if !in_a_copy("probes::a_hanging_server_costs_nobody_anything") {
        return;
    }
    // It accepts and says nothing, and keeps everybody.
    let kept = Mutex::new(Vec::new());
    let server = Server::new(move |stream| kept.lock().unwrap().push(stream));
    let check = Name::from("check");
    let mut rig = rig("hang", http(server.address));
    let timed_out = failed(ProbeFailure::System(linux::tcp_connect::TIMED_OUT));
    let mut before = None;
    for turn in 1..=10 {
        rig.run_probe("check");
        rig.wait_until("it has come", |_| server.visitors.load(Ordering::SeqCst) == turn);
        rig.go_on_for(5);
        assert_eq!(rig.reports, []);
        rig.call(|services, lent| services.end_probe(&check, lent));
        assert_eq!(rig.outcome("check"), timed_out);
        // The server keeps one more each time; we keep none.
        assert_eq!(*before.get_or_insert(open() - turn), open() - turn);
    }
    rig.call(|services, lent| services.end_probe(&check, lent));
    rig.go_on_for(20);
    assert_eq!(rig.reports, [], "what does not run is not ended");
}

#[test]
fn a_run_that_is_taken_out_of_the_configuration_is_answered() {
    let kept = Mutex::new(Vec::new());
    let server = Server::new(move |stream| kept.lock().unwrap().push(stream));
    let mut rig = rig("removed-probe", http(server.address));
    rig.run_probe("check");
    rig.configure(Vec::new());
    // Of which the engine makes nothing: nobody has seen that it failed.
    assert_eq!(rig.outcome("check"), ScriptOutcome::NotLooked(125));
    assert!(rig.services.desk.targets.is_empty());
}

/// The engine waits for it still; that its plan has changed says nothing about the service.
#[test]
fn a_run_whose_plan_changes_begins_anew() {
    let check = |check| checked(service("one", command("exec sleep 300")), "check", check);
    // The first visitor is kept waiting, the others get an answer.
    let kept = Mutex::new(Vec::new());
    let server = Server::new(move |mut stream| {
        let mut kept = kept.lock().unwrap();
        if !kept.is_empty() {
            request_of(&mut stream);
            stream.write_all(b"HTTP/1.1 404 No\r\n\r\n").unwrap();
        }
        kept.push(stream);
    });
    let mut rig = rig("another-plan", http(server.address));
    rig.run_probe("check");
    rig.wait_until("it has come", |_| server.visitors.load(Ordering::SeqCst) == 1);
    let ServiceCheck::Http { address, host, path, .. } = http(server.address) else { unreachable!() };
    rig.configure(vec![check(ServiceCheck::Http { address, host, path, statuses: 404..=404 })]);
    assert_eq!(rig.outcome("check"), GOOD);

    // What a thread says about the old file is nothing about the new one.
    let (there, missing) = (rig.path("there"), rig.path("missing"));
    std::fs::write(&there, "").unwrap();
    let file = |path: &Path| check(ServiceCheck::File { path: path.to_owned(), max_age: None });
    rig.configure(vec![file(&there)]);
    rig.run_probe("check");
    rig.configure(vec![file(&missing)]);
    assert_eq!(rig.outcome("check"), failed(ProbeFailure::System(2)));

    // Nor about a server.
    rig.configure(vec![file(&missing)]);
    rig.run_probe("check");
    rig.configure(vec![check(ServiceCheck::Tcp { address: server.address })]);
    assert_eq!(rig.outcome("check"), GOOD);
    rig.go_on_for(20);
    rig.configure(vec![file(&there)]);
    rig.run_probe("check");
    assert_eq!(rig.outcome("check"), GOOD);
    rig.go_on_for(20);
    assert_eq!(rig.reports, [], "one run, one result");
    assert!(rig.services.desk.targets.is_empty(), "nothing is left open");
}

#[test]
fn files_are_there_and_new() {
    let mut rig = Rig::new("files");
    let path = rig.path("stamp");
    let max_age = Some(Duration::from_secs(60));
    let one = service("one", command("exec sleep 300"));
    let one = checked(one, "there", ServiceCheck::File { path: path.clone(), max_age: None });
    rig.configure(vec![checked(one, "new", ServiceCheck::File { path: path.clone(), max_age })]);
    let check = |rig: &mut Rig, name: &str, expected| {
        rig.run_probe(name);
        assert_eq!(rig.outcome(name), expected, "{name}");
    };
    for name in ["there", "new"] {
        check(&mut rig, name, failed(ProbeFailure::System(2)));
    }
    let file = std::fs::File::create(&path).unwrap();
    for name in ["there", "new"] {
        check(&mut rig, name, GOOD);
    }
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    check(&mut rig, "there", GOOD);
    rig.run_probe("new");
    assert!(matches!(rig.outcome("new"), ScriptOutcome::ProbeFailed(ProbeFailure::TooOld(3600..=3700))));
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    check(&mut rig, "new", GOOD);
}

#[test]
fn processes_are_found_by_name() {
    let mut rig = Rig::new("names");
    let name = format!("tanist-probed-{}", std::process::id());
    let path = rig.path(&name);
    std::fs::copy("/bin/sleep", &path).unwrap();
    let one = service("one", Manager::Command { script: program(&[path.to_str().unwrap(), "300"]) });
    rig.configure(vec![checked(one, "check", ServiceCheck::Process { name })]);
    for _ in 0..2 {
        rig.run_probe("check");
        assert_eq!(rig.outcome("check"), failed(ProbeFailure::NoProcess));
        assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
        // The kernel tells us that a program has begun a moment before it shows its name.
        let mut tries = 0;
        while {
            rig.run_probe("check");
            rig.outcome("check") != GOOD
        } {
            tries += 1;
            assert!(tries < 1000);
        }
        for _ in 0..3 {
            rig.run_probe("check");
            assert_eq!(rig.outcome("check"), GOOD);
        }
        assert!(matches!(rig.ask("one", ServiceOrder::Stop), ServiceReport::Gone(_)));
    }
}

#[test]
fn a_service_says_itself_that_it_is_well() {
    let mut rig = Rig::new("notify");
    let go = quoted(&rig.path("go"));
    // A child of the service says it, once it may.
    let say = "import os,socket;n=os.environ['NOTIFY_SOCKET'];\
               socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(b'WATCHDOG=1','\\0'+n[1:])";
    let line = format!("until test -e {go}; do sleep 0.02; done; python3 -c \"{say}; input()\" < /dev/zero & wait");
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: there is no python3");
        return;
    }
    let notify = |name| checked(service(name, command(&line)), &format!("{name}/notify"), ServiceCheck::Notify);
    rig.configure(vec![notify("one"), notify("two")]);
    rig.order("one", ServiceOrder::Start);
    rig.wait_until("it runs", |rig| !rig.reports.is_empty());
    rig.reports.clear();
    rig.run_probe("one/notify");
    rig.run_probe("two/notify");
    // Somebody else's word is worth nothing.
    let stranger = linux::sd_notify::Notifier::connect(rig.services.notices.name().unwrap().as_ref()).unwrap();
    stranger.ready().unwrap();
    rig.go_on_for(100);
    assert_eq!(rig.reports, []);
    std::fs::write(rig.path("go"), "").unwrap();
    assert_eq!(rig.outcome("one/notify"), GOOD);
    rig.run_probe("one/notify");
    assert_eq!(rig.outcome("one/notify"), GOOD, "that was within the timeout");
    rig.go_on_for(50);
    assert_eq!(rig.reports, [], "it was not the other one that said it");
    rig.call(|services, lent| services.end_probe(&Name::from("two/notify"), lent));
    assert_eq!(rig.outcome("two/notify"), failed(ProbeFailure::System(linux::tcp_connect::TIMED_OUT)));
}

/// A reload does not restart what runs.
#[test]
fn a_check_of_notices_counts_from_the_next_start_on() {
    let plain = || service("one", command("exec sleep 300"));
    let notify = |timeout: u64| {
        let mut one = checked(plain(), "notify", ServiceCheck::Notify);
        one.service.checks[0].timeout = Duration::from_millis(timeout);
        one
    };
    let silent = failed(ProbeFailure::System(linux::tcp_connect::TIMED_OUT));
    let mut rig = Rig::with("unknowing", vec![plain()]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.configure(vec![notify(1000)]);
    for _ in 0..2 {
        rig.run_probe("notify");
        assert_eq!(rig.outcome("notify"), GOOD);
    }
    let remark = "(one) check notify counts from the next start of the service on: what runs now was started without a \
                  NOTIFY_SOCKET and cannot say that it is well";
    assert_eq!(rig.lines.iter().filter(|(_, line)| line == remark).count(), 1, "{:?}", rig.lines);
    assert!(matches!(rig.ask("one", ServiceOrder::Stop), ServiceReport::Gone(_)));

    // Now it is told, and has to speak.
    rig.configure(vec![notify(60_000)]);
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.run_probe("notify");
    rig.go_on_for(50);
    assert_eq!(rig.reports, []);
    let check = Name::from("notify");
    rig.call(|services, lent| services.end_probe(&check, lent));
    assert_eq!(rig.outcome("notify"), silent);

    // It goes on as it was told, every 30 s, whatever is asked of its successor.
    rig.configure(vec![notify(10)]);
    rig.go_on_for(50);
    rig.run_probe("notify");
    assert_eq!(rig.outcome("notify"), GOOD);
    assert!(matches!(rig.ask("one", ServiceOrder::Stop), ServiceReport::Gone(_)));
    assert_eq!(rig.ask("one", ServiceOrder::Start), ServiceReport::Running);
    rig.run_probe("notify");
    rig.go_on_for(50);
    rig.call(|services, lent| services.end_probe(&check, lent));
    assert_eq!(rig.outcome("notify"), silent);
}

#[test]
fn checks_that_can_not_be_are_left_out_and_told() {
    let status = || shell("exit 1");
    let manager = Manager::Scripts { start: status(), stop: status(), status: status() };
    let one = checked(service("one", manager), "notify", ServiceCheck::Notify);
    let one = checked(one, "script", ServiceCheck::Script(program(&["/no/such/check"])));
    let one = checked(one, "good", ServiceCheck::Script(shell("exit 0")));
    let settings = Settings { services: vec![one], ..Settings::default() };
    let plan = Plan::make(settings);
    let left: Vec<&str> = plan.settings.services[0].service.checks.iter().map(|check| &*check.name).collect();
    assert_eq!(left, ["good"]);
    assert_eq!(plan.settings.services[0].checks.len(), 1);
    assert_eq!(plan.checks.programs.keys().map(|name| &**name).collect::<Vec<_>>(), ["good"]);
    let texts: Vec<&str> = plan.findings.iter().map(|finding| finding.text.as_str()).collect();
    let notify = "service one: check notify is for a service that we start ourselves (`command`); the check is left out \
                  and counts as good";
    let script = "service one: check script: /no/such/check was not found; the check is left out and counts as good";
    assert_eq!(texts, [notify, script]);
}
