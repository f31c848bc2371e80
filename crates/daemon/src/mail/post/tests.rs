//! What waits for a server that is away, and what is said about it.

use std::net::TcpListener;
use std::sync::mpsc::Receiver;

use super::super::tests::{GOOD, Pretend, letter, route, until};
use super::*;
use crate::background::Job;

/// What was said, with the port taken out.
fn said(heard: &Receiver<Job>, port: u16) -> Vec<String> {
    let lines = heard.try_iter().filter_map(|job| match job {
        Job::Line(entry) => Some(entry.text.replace(&port.to_string(), "PORT")),
        Job::File(..) | Job::Keep(..) | Job::Remove(_) | Job::Record | Job::End => None,
    });
    lines.collect()
}

fn subjects(heard: &[String]) -> Vec<&str> {
    heard.iter().filter_map(|line| line.strip_prefix("Subject: ")).collect()
}

#[test]
fn mail_is_sent_in_its_order_and_nothing_is_said_about_it() {
    let server = Pretend::start(&[&GOOD, &GOOD, &GOOD]);
    let (port, (voice, heard)) = (server.port, Voice::heard());
    let mut post = Post::new(voice);
    assert_eq!(post.route(), None);
    post.configure(Some(route(port, &["ops@example.com"])));
    for subject in ["one", "two", "three"] {
        post.send(letter(subject));
    }
    post.finish();
    assert_eq!(subjects(&server.heard()), ["one", "two", "three"]);
    assert_eq!(said(&heard, port), [""; 0]);
}

#[test]
fn what_is_in_the_way_is_told_once_and_that_it_is_gone_too() {
    // The port is ours, but nobody accepts there yet.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (voice, heard) = Voice::heard();
    let mut post = Post::new(voice);
    post.configure(Some(route(port, &["ops@example.com"])));
    post.send(letter("one"));
    let mut lines = Vec::new();
    until("it is told", || {
        lines.extend(said(&heard, port));
        !lines.is_empty()
    });
    post.send(letter("two"));
    let server = Pretend::serve(TcpListener::bind(("127.0.0.1", port)).unwrap(), &[&GOOD, &GOOD]);
    until("it is sent", || server.is_done());
    post.finish();
    lines.extend(said(&heard, port));
    assert_eq!(
        lines,
        [
            "mail cannot be sent by way of 127.0.0.1:PORT: connection refused; 1 waiting; trying again and again",
            "mail is sent again by way of 127.0.0.1:PORT",
        ]
    );
    assert_eq!(subjects(&server.heard()), ["one", "two"]);
}

#[test]
fn a_mail_that_nobody_takes_does_not_hold_up_the_next_one() {
    let refusing = ["220 hello", "250 ok", "553 not you"];
    let server = Pretend::start(&[&refusing, &GOOD]);
    let (port, (voice, heard)) = (server.port, Voice::heard());
    let mut post = Post::new(voice);
    post.configure(Some(route(port, &["ops@example.com"])));
    post.send(letter("one"));
    post.send(letter("two"));
    post.finish();
    assert_eq!(subjects(&server.heard()), ["two"]);
    assert_eq!(said(&heard, port), ["mail \"one\" is refused by 127.0.0.1:PORT and dropped: 553 not you"]);
}

#[test]
fn only_those_get_it_again_who_could_not_get_it() {
    let partly = ["220 hello", "250 ok", "250 ok", "250 ok", "450 later", "354 go", "250 queued", "221 bye"];
    let server = Pretend::start(&[&partly, &GOOD]);
    let (port, (voice, heard)) = (server.port, Voice::heard());
    let mut post = Post::new(voice);
    post.configure(Some(route(port, &["a@example.com", "b@example.com"])));
    post.send(letter("one"));
    until("it is sent", || server.is_done());
    post.finish();
    let recipients: Vec<String> = server.heard().into_iter().filter(|line| line.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>", "RCPT TO:<b@example.com>"]);
    assert_eq!(
        said(&heard, port),
        [
            "mail cannot be sent by way of 127.0.0.1:PORT: not yet for b@example.com; 1 waiting; trying again and again",
            "mail is sent again by way of 127.0.0.1:PORT",
        ]
    );
}

#[test]
fn the_oldest_goes_when_too_much_waits_and_the_end_waits_for_nobody() {
    // It accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let (voice, heard) = Voice::heard();
    let mut post = Post::new(voice);
    post.configure(Some(route(port, &["ops@example.com"])));
    post.send(letter("in hand"));
    until("it is in hand", || post.office.desk().in_hand);
    for number in 0..MOST_WAITING + 3 {
        post.send(letter(&number.to_string()));
    }
    assert_eq!(post.office.desk().waiting.front().map(|letter| letter.subject.clone()).as_deref(), Some("3"));
    post.finish();
    assert_eq!(
        said(&heard, port),
        [
            "more than 1000 mails are waiting: the oldest are dropped",
            "1001 mails could not be sent before the stop and are lost",
        ]
    );
}

#[test]
fn another_way_is_tried_at_once() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (voice, heard) = Voice::heard();
    let mut post = Post::new(voice);
    post.configure(Some(route(gone, &["ops@example.com"])));
    post.send(letter("one"));
    until("it is told", || !said(&heard, gone).is_empty());
    let server = Pretend::start(&[&GOOD]);
    post.configure(Some(route(server.port, &["ops@example.com"])));
    until("it is sent", || server.is_done());
    post.finish();
    assert_eq!(subjects(&server.heard()), ["one"]);
}
