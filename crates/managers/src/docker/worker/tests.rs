//! Against a docker of which this test decides what it answers.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use engine::ServiceReport;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::Docker;
use super::*;

/// Longer than anything takes that is going to happen at all.
const LONG: Duration = Duration::from_secs(20);
const RUNNING: &str = r#"{"Id":"0123","Name":"/svc","State":{"Running":true}}"#;

/// What is answered to a request, by its first line: status and body.
type Answers = fn(&str) -> (u16, &'static str);

/// A docker that tells no events.
struct Fake {
    path: PathBuf,
    /// The first lines of all requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tanist-fake-docker-{}-{count}", std::process::id()));
        Self { path, asked: Arc::default() }
    }

    fn listen(&self) -> UnixListener {
        let _ = std::fs::remove_file(&self.path);
        UnixListener::bind(&self.path).expect("a socket")
    }

    /// Answers until the test ends.
    fn serve(&self, listener: UnixListener, answers: Answers) {
        let asked = Arc::clone(&self.asked);
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let line = first_line(&mut stream);
                asked.lock().expect("no panic").push(line.clone());
                if line.starts_with("GET /events") {
                    begin_events(&mut stream);
                } else {
                    let (status, body) = answers(&line);
                    let length = body.len();
                    let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}");
                }
                open.push(stream);
            }
        });
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().expect("no panic").iter().filter(|line| line.contains(what)).count()
    }

    fn docker(&self, containers: &[&str]) -> Docker {
        let docker = Docker::start(DockerPlace::at(self.path.to_str().expect("ASCII"))).expect("a thread");
        for container in containers {
            let service = Name::from(*container);
            docker.add(service.clone(), container);
            docker.order(&service, ServiceOrder::Watch);
        }
        docker
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A request has no body, so its head is all of it.
fn first_line(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).is_ok_and(|count| count > 0) {
        head.extend(octet);
    }
    String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned()
}

fn begin_events(stream: &mut UnixStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
}

/// Waits for so many reports.
#[track_caller]
fn reports(docker: &Docker, count: usize) -> Vec<(String, ServiceReport)> {
    let until = Instant::now() + LONG;
    let mut reports = Vec::new();
    while reports.len() < count {
        let left = until.checked_duration_since(Instant::now());
        let left = left.unwrap_or_else(|| panic!("no more than {reports:?}"));
        let mut fds = [PollFd::from_borrowed_fd(docker.fd(), PollFlags::IN)];
        poll(&mut fds, Timespec::try_from(left).ok().as_ref()).expect("poll");
        for news in docker.take() {
            if let Word::Report(report) = news.word {
                reports.push((news.service.to_string(), report));
            }
        }
    }
    reports.sort_by(|a, b| a.0.cmp(&b.0));
    reports
}

#[test]
fn one_of_which_docker_does_not_tell_disturbs_no_other() {
    let fake = Fake::new();
    fake.serve(fake.listen(), |line| match line {
        _ if line.contains("/good/") => (200, RUNNING),
        _ if line.contains("/odd/") => (200, "what?"),
        _ => (500, r#"{"message":"RWLayer is unexpectedly nil"}"#),
    });
    let docker = fake.docker(&["bad", "good", "odd"]);
    let unknown = |name: &str, text: &str| {
        let reason = format!("docker does not tell of the container {name}: {text}");
        (name.to_owned(), ServiceReport::Unknown(reason.as_str().into()))
    };
    let expected = [
        unknown("bad", "RWLayer is unexpectedly nil"),
        ("good".to_owned(), ServiceReport::Running),
        unknown("odd", "it answers in an unknown way"),
    ];
    assert_eq!(reports(&docker, 3), expected);
    assert_eq!((fake.asked("/events"), fake.asked("/good/")), (1, 1));
}

#[test]
fn a_docker_that_always_hangs_up_is_not_asked_without_a_pause() {
    let fake = Fake::new();
    // What is no HTTP ends the connection.
    fake.serve(fake.listen(), |_| (1000, ""));
    let docker = fake.docker(&["svc"]);
    let [(_, report)] = &reports(&docker, 1)[..] else { panic!("one report") };
    assert!(matches!(report, ServiceReport::Unknown(_)), "{report:?}");
    assert!(fake.asked("/events") < 10, "{}", fake.asked("/events"));
}

#[test]
fn whoever_could_not_be_asked_for_is_asked_for_later() {
    let fake = Fake::new();
    let listener = fake.listen();
    let docker = fake.docker(&["a", "b", "c"]);
    let (mut events, _) = listener.accept().expect("a connection");
    first_line(&mut events);
    // Nobody is there for the questions that follow.
    std::fs::remove_file(&fake.path).expect("a socket");
    begin_events(&mut events);
    assert!(events.read(&mut [0]).is_ok_and(|count| count == 0), "it hangs up");
    fake.serve(fake.listen(), |_| (200, RUNNING));
    let mut up = std::collections::BTreeSet::new();
    while up.len() < 3 {
        let running = reports(&docker, 1).into_iter().filter(|(_, report)| *report == ServiceReport::Running);
        up.extend(running.map(|(name, _)| name));
    }
}
