//! Real sockets, real clients of every kind, and a loop that is only pretended.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use api::{Ask, Hello, Line, Outcome, Reply};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::listening::Listening;
use super::post::Post;
use super::server::{CLIENTS, READERS};
use super::*;

/// Nothing here takes a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A directory of our own, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tanist-control-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory of our own");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("which everybody may enter");
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A control socket whose loop answers every request with `answer`.
struct Daemon {
    directory: Directory,
    events: Sender<api::Event>,
    /// Requests that have come as far as the loop.
    seen: Arc<AtomicU64>,
    has_followers: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    pretended_loop: Option<JoinHandle<()>>,
}

impl Daemon {
    fn start(test: &str, answer: fn(Ask) -> Outcome) -> Self {
        let directory = Directory::new(test);
        let post = Post::start(Listening::open(&directory.socket()).expect("a socket")).expect("a thread");
        let (events, receiver) = channel();
        let (seen, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let has_followers = Arc::new(AtomicBool::new(false));
        let (seen_there, stop_there, followers_there) = (seen.clone(), stop.clone(), has_followers.clone());
        let pretended_loop = std::thread::spawn(move || {
            while !stop_there.load(Ordering::Relaxed) {
                let soon = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
                let _ = poll(&mut [PollFd::new(&post, PollFlags::IN)], Some(&soon));
                for Handed { ticket, ask } in post.take() {
                    seen_there.fetch_add(1, Ordering::Relaxed);
                    if ask == (Ask::Events { follow: true }) {
                        post.follow();
                    }
                    post.reply(ticket, answer(ask));
                }
                for event in receiver.try_iter() {
                    post.publish(Arc::new(event));
                }
                followers_there.store(post.has_followers(), Ordering::Relaxed);
            }
            post.finish(PATIENCE);
        });
        Self { directory, events, seen, has_followers, stop, pretended_loop: Some(pretended_loop) }
    }

    fn client(&self) -> Client {
        Client::connect(&self.directory.socket())
    }

    fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    fn publish(&self, number: u64, text: &str) {
        self.events.send(event(number, text)).expect("the loop lives");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(pretended_loop) = self.pretended_loop.take() {
            let _ = pretended_loop.join();
        }
    }
}

fn event(number: u64, text: &str) -> api::Event {
    api::Event {
        number,
        id: "vrrp.state".into(),
        wall_ms: 0,
        boot_ns: 0,
        severity: api::Severity::Notice,
        detail: false,
        instance: None,
        service: None,
        handover: None,
        text: vec![text.to_owned()],
    }
}

/// Questions about the configuration are the smallest.
fn nothing(ask: Ask) -> Outcome {
    match ask {
        Ask::Events { .. } => Outcome::Events(Vec::new()),
        Ask::Status
        | Ask::Configuration
        | Ask::Ack
        | Ask::Hold { .. }
        | Ask::Release { .. }
        | Ask::Switch(_)
        | Ask::Maintenance(_) => Outcome::Configuration(api::Configuration { files: Vec::new() }),
    }
}

struct Client {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Client {
    fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        let lines = BufReader::new(stream.try_clone().expect("a second handle"));
        Self { stream, lines }
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<Line> {
        let mut text = String::new();
        match self.lines.read_line(&mut text) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&text).expect("a line of the protocol")),
            // Closed while we had not read everything that we said.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no line came: {error}"),
        }
    }

    fn hello(&mut self) -> Hello {
        match self.line() {
            Some(Line::Hello(hello)) => hello,
            other => panic!("no greeting but {other:?}"),
        }
    }

    fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).expect("written");
    }

    fn reply(&mut self) -> Reply {
        match self.line() {
            Some(Line::Reply(reply)) => reply,
            other => panic!("no reply but {other:?}"),
        }
    }

    /// The words with which we are sent away, whatever comes before.
    fn closed(&mut self) -> String {
        loop {
            match self.line() {
                Some(Line::Closed(reason)) => return reason,
                Some(_) => {}
                None => panic!("closed without a word"),
            }
        }
    }
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn greets_and_answers_each_request_by_its_number() {
    let daemon = Daemon::start("greets", nothing);
    let mut client = daemon.client();
    let hello = client.hello();
    assert_eq!((hello.version, hello.may_change), (api::VERSION, true));
    // In pieces, and two at once.
    client.say("{\"number\":7,\"a");
    client.say("sk\":\"status\"}\n{\"number\":9,\"ask\":\"configuration\"}\n");
    assert_eq!((client.reply().number, client.reply().number), (7, 9));
    // Half a connection is enough to hear the answer.
    client.say("{\"number\":10,\"ask\":\"status\"}\n");
    client.stream.shutdown(std::net::Shutdown::Write).expect("shut down");
    assert_eq!(client.reply().number, 10);
    assert_eq!(client.line(), None);
}

#[test]
fn a_thousand_requests_at_once_are_answered_in_their_order() {
    let daemon = Daemon::start("thousand", nothing);
    let mut client = daemon.client();
    client.hello();
    let all: String =
        (1..=1_000).map(|number| format!("{{\"number\":{number},\"ask\":\"configuration\"}}\n")).collect();
    let mut writer = client.stream.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(all.as_bytes()));
    for number in 1..=1_000 {
        assert_eq!(client.reply().number, number);
    }
    writing.join().expect("no panic").expect("written");
    assert_eq!(daemon.seen(), 1_000);
}

#[test]
fn whoever_does_not_read_or_speak_keeps_nobody_waiting() {
    let daemon = Daemon::start("slow", |_| {
        let line = "x".repeat(1_000);
        Outcome::Configuration(api::Configuration { files: vec![line; 1_000] })
    });
    // This one asks for megabytes and reads none of them.
    let mut slow = daemon.client();
    for number in 0..20 {
        slow.say(&format!("{{\"number\":{number},\"ask\":\"configuration\"}}\n"));
    }
    wait_for("the slow client's first request", || daemon.seen() > 0);
    let _silent = daemon.client();
    let mut half = daemon.client();
    half.say("{\"number\":1,");
    for _ in 0..3 {
        let mut client = daemon.client();
        client.hello();
        client.say("{\"number\":5,\"ask\":\"configuration\"}\n");
        assert_eq!(client.reply().number, 5);
    }
    // What it has not read is no reason to compute more for it.
    assert!(daemon.seen() < 10, "{} requests reached the loop", daemon.seen());
    // Once it reads, everything is there.
    slow.hello();
    for number in 0..20 {
        assert_eq!(slow.reply().number, number);
    }
}

#[test]
fn followers_hear_events_and_what_they_have_missed() {
    let daemon = Daemon::start("follow", nothing);
    let mut client = daemon.client();
    client.hello();
    assert!(!daemon.has_followers.load(Ordering::Relaxed));
    client.say("{\"number\":1,\"ask\":{\"events\":{\"follow\":true}}}\n");
    assert_eq!(client.reply().outcome, Outcome::Events(Vec::new()));
    daemon.publish(1, "first");
    assert_eq!(client.line(), Some(Line::Event(event(1, "first"))));
    // It can still ask.
    client.say("{\"number\":2,\"ask\":\"configuration\"}\n");
    assert_eq!(client.reply().number, 2);
    // Much more than fits anywhere, and it does not read.
    let long = "x".repeat(10_000);
    let count = 200;
    for number in 2..2 + count {
        daemon.publish(number, &long);
    }
    daemon.publish(1_000, "after the storm");
    let (mut heard, mut missed) = (0, 0);
    // The count of what was lost comes with the next event for which there is room.
    let mut again = 1_001;
    while heard + missed < count {
        match client.line() {
            Some(Line::Event(event)) if event.number < 1_000 => heard += 1,
            Some(Line::Event(_)) => {}
            Some(Line::Lost(events)) => missed += events,
            other => panic!("not expected: {other:?}"),
        }
        daemon.publish(again, "after the storm");
        again += 1;
    }
    assert!(missed > 0 && heard > 0, "heard {heard}, missed {missed}");
    drop(client);
    wait_for("nobody follows any more", || !daemon.has_followers.load(Ordering::Relaxed));
}

#[test]
fn nonsense_is_answered_for_a_while() {
    let daemon = Daemon::start("nonsense", nothing);
    let mut client = daemon.client();
    client.hello();
    client.say("hello?\n");
    let reply = client.reply();
    assert!(matches!(reply, Reply { number: 0, outcome: Outcome::Invalid(_) }), "{reply:?}");
    client.say("{\"number\":1,\"ask\":{\"switch\":{\"dryrun\":true}}}\n");
    let Reply { outcome: Outcome::Invalid(text), .. } = client.reply() else { panic!("no misspelt switch") };
    assert!(text.contains("dryrun"), "{text}");
    client.say("{\"number\":2,\"ask\":\"configuration\"}\n");
    assert_eq!(client.reply().number, 2, "a mistake is no crime");
    client.stream.write_all(&b"\0\xff{\n".repeat(30)).expect("written");
    assert_eq!(client.closed(), "too many requests that make no sense or are not allowed");
    let mut endless = daemon.client();
    endless.say(&"x".repeat(api::LONGEST_REQUEST));
    assert_eq!(endless.closed(), "a request has 4096 octets at most");
    let mut long = daemon.client();
    long.say(&format!("{}\n", "x".repeat(api::LONGEST_REQUEST)));
    assert_eq!(long.closed(), "a request has 4096 octets at most");
    assert_eq!(daemon.seen(), 1);
}

#[test]
fn one_client_too_many_is_told_so() {
    let daemon = Daemon::start("many", nothing);
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|_| {
            let mut client = daemon.client();
            client.hello();
            client
        })
        .collect();
    assert_eq!(daemon.client().closed(), "64 clients are here already; try again later");
    clients.pop();
    // Until the thread has noticed that one has left.
    let until = Instant::now() + PATIENCE;
    loop {
        let mut client = daemon.client();
        client.hello();
        // It may have been sent away already.
        let _ = client.stream.write_all(b"{\"number\":3,\"ask\":\"configuration\"}\n");
        match client.line() {
            Some(Line::Reply(reply)) => break assert_eq!(reply.number, 3),
            other => assert!(Instant::now() < until, "still not let in: {other:?}"),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs something as a user who is nobody. Only this thread changes its user.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let nobody = rustix::thread::Uid::from_raw(65_534);
            let group = rustix::thread::Gid::from_raw(65_534);
            rustix::thread::set_thread_groups(&[]).expect("root may leave its groups");
            rustix::thread::set_thread_res_gid(group, group, group).expect("root may become anybody");
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may become anybody");
            work()
        });
        worker.join().expect("no panic")
    })
}

#[test]
fn strangers_may_read_at_most() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out: only root can be somebody else");
        return;
    }
    let daemon = Daemon::start("strangers", nothing);
    let path = daemon.directory.socket();
    let mode = std::fs::metadata(&path).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let refused = as_nobody(|| UnixStream::connect(&path).map(drop).map_err(|error| error.kind()));
    assert_eq!(refused, Err(std::io::ErrorKind::PermissionDenied));
    // An operator who opens the door still gives nothing out of hand.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("opened");
    as_nobody(|| {
        let mut client = daemon.client();
        assert!(!client.hello().may_change);
        client.say("{\"number\":1,\"ask\":\"status\"}\n");
        assert_eq!(client.reply().number, 1);
        for ask in [
            "\"ack\"",
            "{\"hold\":{}}",
            "{\"release\":{}}",
            "{\"switch\":{\"dry_run\":true}}",
            "{\"maintenance\":\"off\"}",
            "\"configuration\"",
        ] {
            client.say(&format!("{{\"number\":2,\"ask\":{ask}}}\n"));
            let reply = client.reply();
            assert!(matches!(reply, Reply { number: 2, outcome: Outcome::Forbidden(_) }), "{ask}: {reply:?}");
        }
    });
    assert_eq!(daemon.seen(), 1);
    // Many strangers do not keep an operator out.
    let strangers = as_nobody(|| {
        (0..READERS)
            .map(|_| {
                let mut client = daemon.client();
                let hello = client.hello();
                (client, hello.may_change)
            })
            .collect::<Vec<_>>()
    });
    assert!(strangers.iter().all(|(_, may_change)| !may_change));
    // The first stranger may not have been seen to leave, in which case this happened earlier.
    let closed = as_nobody(|| daemon.client().closed());
    assert!(closed.ends_with("clients are here already; try again later"), "{closed}");
    let mut operator = daemon.client();
    operator.hello();
    operator.say("{\"number\":4,\"ask\":\"ack\"}\n");
    assert_eq!(operator.reply().number, 4);
}

#[test]
fn a_stale_socket_is_replaced_and_a_living_one_never() {
    let directory = Directory::new("stale");
    let path = directory.socket();
    // What a killed daemon leaves behind.
    drop(UnixListener::bind(&path).expect("bound"));
    assert!(path.exists());
    let first = Listening::open(&path).expect("the stale one is replaced");
    let error = Listening::open(&path).expect_err("the living one is not");
    assert_eq!(
        error.cause(),
        "another daemon listens there; `instance NAME` tells both apart, `--control PATH` gives this one a place of its own",
        "{error}"
    );
    assert!(UnixStream::connect(&path).is_ok(), "the first one still listens");
    drop(first);
    assert!(!path.exists(), "it takes its socket with it");
    drop(Listening::open(&path).expect("free again"));
    // One that is not ours, without our lock.
    let strange = UnixListener::bind(&path).expect("bound");
    assert!(Listening::open(&path).is_err());
    drop(strange);
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, "precious").expect("written");
    assert!(Listening::open(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
}

#[test]
fn a_path_that_cannot_be_is_said_with_its_reason() {
    let directory = Directory::new("nowhere");
    std::fs::write(directory.0.join("file"), "").expect("written");
    let error = Listening::open(&directory.0.join("file/control.sock")).expect_err("no directory");
    assert!(error.to_string().contains("file"), "{error}");
    let nested = directory.0.join("deep/er/control.sock");
    drop(Listening::open(&nested).expect("directories are made"));
    let mode = std::fs::metadata(directory.0.join("deep")).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn the_loops_end_answers_questions_and_passes_commands_on() {
    let directory = Directory::new("control");
    let mut control = Control::start(&directory.socket()).expect("started");
    let engine = crate::words::tests::engine();
    let settings = crate::status::tests::settings(engine.config());
    let asking = std::thread::spawn({
        let path = directory.socket();
        move || {
            let mut client = Client::connect(&path);
            client.hello();
            let mut ask = |ask: &str| {
                client.say(&format!("{{\"number\":1,\"ask\":{ask}}}\n"));
                client.reply().outcome
            };
            [
                ask("\"status\""),
                ask("{\"hold\":{\"instance\":\"VI_9\"}}"),
                ask("\"ack\""),
                ask("{\"events\":{\"follow\":false}}"),
                ask("\"configuration\""),
            ]
        }
    });
    let now = engine::Instant::from_millis(5_000);
    let event = Event::Resigned { router: engine::RouterId(0) };
    control.publish(&engine, &event, now, (Severity::Notice, false), vec!["(VI_1) sent 0 priority".to_owned()]);
    let announcing = Event::Unlatched;
    control.publish(&engine, &announcing, now, (Severity::Info, true), vec!["a detail that nobody follows".to_owned()]);
    let until = Instant::now() + PATIENCE;
    while !asking.is_finished() {
        assert!(Instant::now() < until, "not all was answered");
        let soon = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        let _ = poll(&mut [PollFd::new(&control, PollFlags::IN)], Some(&soon));
        for (number, command) in control.take(&engine, &settings, &BTreeSet::new(), || None, now) {
            assert_eq!(command, Command::Acknowledge);
            control.answer(number, &Answer::Done);
        }
    }
    let [status, wrong, done, events, configuration] = asking.join().expect("no panic");
    let Outcome::Status(status) = status else { panic!("no status: {status:?}") };
    assert_eq!((status.mode, status.boot_ns), (api::Mode::Vrrp, 5_000_000_000));
    assert_eq!(status.instances[0].name, "VI_1");
    assert_eq!(wrong, Outcome::Invalid("there is no instance VI_9; there is VI_1".to_owned()));
    let result = api::CommandResult::Done;
    assert_eq!(done, Outcome::Commanded(vec![api::Commanded { instance: None, result }]));
    let Outcome::Events(events) = events else { panic!("no events: {events:?}") };
    let ids: Vec<_> = events.iter().map(|event| (event.number, &*event.id)).collect();
    assert_eq!(ids, [(1, "vrrp.resigned")]);
    assert_eq!(configuration, Outcome::Configuration(api::Configuration { files: vec!["tanist.conf".to_owned()] }));
    control.finish(PATIENCE);
    assert!(!directory.socket().exists());
}

#[test]
fn a_loop_that_ends_without_farewell_leaves_no_socket() {
    let directory = Directory::new("farewell");
    let control = Control::start(&directory.socket()).expect("started");
    let mut client = Client::connect(&directory.socket());
    client.hello();
    drop(control);
    let mut rest = String::new();
    client.lines.read_to_string(&mut rest).expect("the end");
    wait_for("the socket is removed", || !directory.socket().exists());
}
