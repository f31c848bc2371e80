//! Letters as keepalived writes them, and the pretend server of the other tests.

use engine::{Name, Notice, Priority, RouterId};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use config::{LoadOptions, MemoryFiles};

use super::smtp::{self, Delivered, Failure};
use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < give_up, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Delivers one mail in a session of its own.
pub(super) fn deliver(route: &Route, letter: &Letter) -> Result<Delivered, Failure> {
    let mut open = None;
    let delivered = smtp::deliver(&Arc::new(route.clone()), letter, &mut open);
    open.into_iter().for_each(smtp::Talk::end);
    delivered
}

/// A server that answers as it is told and writes down what is said to it: one session after the other.
pub(super) struct Pretend {
    pub(super) port: u16,
    thread: JoinHandle<Vec<String>>,
}

/// What a server says, the greeting first; "" closes the connection.
pub(super) const GOOD: [&str; 7] = ["220 hello", "250 ok", "250 ok", "250 ok", "354 go", "250 queued", "221 bye"];

impl Pretend {
    pub(super) fn start(sessions: &[&[&str]]) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").unwrap(), sessions)
    }

    pub(super) fn serve(listener: TcpListener, sessions: &[&[&str]]) -> Self {
        let port = listener.local_addr().unwrap().port();
        let sessions: Vec<Vec<String>> =
            sessions.iter().map(|answers| answers.iter().map(|one| (*one).to_owned()).collect()).collect();
        let thread = std::thread::spawn(move || {
            let mut heard = Vec::new();
            for answers in sessions {
                let (stream, _) = listener.accept().unwrap();
                session(stream, &answers, &mut heard);
            }
            heard
        });
        Self { port, thread }
    }

    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    pub(super) fn heard(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn session(stream: std::net::TcpStream, answers: &[String], heard: &mut Vec<String>) {
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    for answer in answers {
        if answer.is_empty() {
            return;
        }
        write!(writer, "{answer}\r\n").unwrap();
        let is_content = answer.starts_with("354");
        loop {
            let Some(line) = lines.next() else { return };
            let ends = !is_content || line == ".";
            heard.push(line);
            if ends {
                break;
            }
        }
        if heard.last().is_some_and(|line| line == "QUIT") {
            let _ = write!(writer, "221 bye\r\n");
            return;
        }
    }
}

pub(super) fn route(port: u16, to: &[&str]) -> Route {
    let to: String = to.iter().map(|one| format!(" {one}\n")).collect();
    let text = format!(
        "global_defs {{\n router_id edge\n notification_email {{\n{to} }}\n notification_email_from k@example.net\n smtp_server \
         127.0.0.1 {port}\n smtp_connect_timeout 20\n smtp_helo_name edge.example.net\n smtp_alert\n}}\n\
         vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n 192.0.2.1\n }}\n}}\n"
    );
    let files = MemoryFiles::single("/keepalived.conf", text);
    let loaded = config::load(Path::new("/keepalived.conf"), &files, &LoadOptions::default());
    Route::of(&loaded.settings.expect("it works")).expect("it goes somewhere")
}

pub(super) fn letter(subject: &str) -> Letter {
    let date = "Sat, 21 Nov 2026 20:47:34 +0000".to_owned();
    Letter { date, subject: subject.to_owned(), body: "=> VRRP Instance stopping <=", left: None }
}

fn written(kind: NoticeKind, group: bool, no_faults: bool, deleted: bool) -> Option<(String, &'static str)> {
    let engine = crate::words::tests::engine();
    let router = engine.router(RouterId(0)).unwrap();
    let occasion = if group {
        Occasion::of_group(&Name::from("G"), kind)
    } else {
        Occasion::of_router(router, Notice { router: RouterId(0), kind, priority: Priority::new(150) })
    };
    let prepared = Prepared { tells_deletion: deleted, ..Prepared::default() };
    let route = Route { no_faults, ..route(25, &["ops@example.com"]) };
    Letter::about(&occasion, &prepared, &route).map(|letter| (letter.subject, letter.body))
}

#[test]
fn every_change_of_an_instance_has_its_words() {
    let check = |kind, subject: &str, body| {
        let expected = format!("[edge] VRRP Instance VI_1 - {subject}");
        assert_eq!(written(kind, false, false, true), Some((expected, body)));
    };
    check(NoticeKind::Active, "Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <=");
    check(NoticeKind::Backup, "Entering BACKUP state", "=> VRRP Instance is no longer owning VRRP VIPs <=");
    check(NoticeKind::Fault, "Entering FAULT state", "=> VRRP Instance is no longer owning VRRP VIPs <=");
    check(NoticeKind::Stop, "Stopping", "=> VRRP Instance stopping <=");
    check(NoticeKind::Deleted, "Deleted", "=> VRRP Deleted at reload <=");
    assert_eq!(written(NoticeKind::ActiveHeardLowerPriority, false, false, true), None);
}

#[test]
fn every_change_of_a_group_has_its_words() {
    let check = |kind, subject: &str, body| {
        let expected = format!("[edge] VRRP Group G - {subject}");
        assert_eq!(written(kind, true, false, false), Some((expected, body)));
    };
    check(NoticeKind::Active, "Entering MASTER state", "=> All VRRP group instances are now in MASTER state <=");
    check(NoticeKind::Backup, "Entering BACKUP state", "=> All VRRP group instances are now in BACKUP state <=");
    check(NoticeKind::Fault, "Entering FAULT state", "=> All VRRP group instances are now in FAULT state <=");
    check(NoticeKind::Stop, "Stopping", "=> All VRRP group instances are now stopping <=");
}

#[test]
fn faults_can_be_left_out_also_those_that_are_deletions() {
    for (kind, deleted) in [(NoticeKind::Fault, true), (NoticeKind::Fault, false), (NoticeKind::Deleted, false)] {
        assert!(written(kind, false, false, deleted).is_some_and(|(subject, _)| subject.ends_with("FAULT state")));
        assert_eq!(written(kind, false, true, deleted), None);
    }
    assert!(written(NoticeKind::Deleted, false, true, true).is_some(), "where it is told as one it is no fault");
}

#[test]
fn nobody_to_send_to_or_no_server_means_no_mail() {
    let route = |lines: &str| {
        let text = format!("global_defs {{\n{lines}\n}}\n");
        let files = MemoryFiles::single("/keepalived.conf", text);
        let loaded = config::load(Path::new("/keepalived.conf"), &files, &LoadOptions::default());
        Route::of(&loaded.settings.expect("it works"))
    };
    assert_eq!(route(" smtp_server 127.0.0.1"), None);
    assert_eq!(route(" notification_email {\n a@example.com\n }"), None);
    let defaults = route(" smtp_server 192.0.2.25\n notification_email {\n a@example.com\n }").expect("somewhere");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!((&defaults.helo, &defaults.router_id, defaults.server.1), (&host, &host, 25));
    assert!(defaults.from.ends_with(&format!("@{host}")) && !defaults.from.starts_with('@'), "{}", defaults.from);
    assert_eq!(defaults.timeout, Duration::from_secs(30));
}
