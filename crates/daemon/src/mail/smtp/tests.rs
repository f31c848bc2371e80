//! Sessions with a pretend server, octet for octet.

use std::net::TcpListener;
use std::time::Duration;

use super::super::tests::{GOOD, Pretend, deliver, letter, route};
use super::*;

#[test]
fn a_session_is_octet_for_octet_what_keepalived_says() {
    let server = Pretend::start(&[&["220 hello", "250 ok", "250 ok", "250 ok", "250 ok", "354 go", "250 queued"]]);
    let route = route(server.port, &["ops@example.com", "second@example.org"]);
    let delivered = deliver(&route, &letter("[edge] VRRP Instance VI_1 - Stopping"));
    assert_eq!(delivered, Ok(Delivered::default()));
    assert_eq!(
        server.heard(),
        [
            "HELO edge.example.net",
            "MAIL FROM:<k@example.net>",
            "RCPT TO:<ops@example.com>",
            "RCPT TO:<second@example.org>",
            "DATA",
            "Date: Sat, 21 Nov 2026 20:47:34 +0000",
            "From: k@example.net",
            "Subject: [edge] VRRP Instance VI_1 - Stopping",
            "X-Mailer: Keepalived",
            "To: ops@example.com, second@example.org",
            "",
            "=> VRRP Instance stopping <=",
            "",
            ".",
            "QUIT",
        ]
    );
}

#[test]
fn answers_of_many_lines_are_read_to_their_end() {
    let server = Pretend::start(&[&[
        "220-hello\r\n220-and welcome\r\n220 now",
        "250-ok\r\n250 ok",
        "250 ok",
        "250 ok",
        "354 go",
        "250 queued",
    ]]);
    assert_eq!(deliver(&route(server.port, &["<ops@example.com>"]), &letter("x")), Ok(Delivered::default()));
    let heard = server.heard();
    assert!(heard.contains(&"RCPT TO:<ops@example.com>".to_owned()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("QUIT"));
}

#[test]
fn who_is_refused_does_not_keep_it_from_the_others() {
    let server = Pretend::start(&[&[
        "220 hello",
        "250 ok",
        "250 ok",
        "550 no such user",
        "451 later",
        "250 ok",
        "354 go",
        "250 queued",
    ]]);
    let delivered =
        deliver(&route(server.port, &["gone@example.com", "full@example.com", "ops@example.com"]), &letter("x"));
    let refused = vec![("gone@example.com".to_owned(), "550 no such user".to_owned())];
    assert_eq!(delivered, Ok(Delivered { refused, later: vec!["full@example.com".to_owned()] }));
    assert!(server.heard().contains(&"DATA".to_owned()));
}

#[test]
fn without_anybody_who_may_get_it_nothing_is_sent() {
    let server = Pretend::start(&[&["220 hello", "250 ok", "250 ok", "550 no", "221 bye"]]);
    let delivered = deliver(&route(server.port, &["gone@example.com"]), &letter("x")).unwrap();
    assert_eq!(delivered.refused.len(), 1);
    assert_eq!(server.heard().last().map(String::as_str), Some("QUIT"));
}

#[test]
fn what_the_server_says_decides_whether_to_try_again() {
    let check = |answers: &[&str], expected: Failure| {
        let server = Pretend::start(&[answers]);
        let failed = deliver(&route(server.port, &["ops@example.com"]), &letter("x"));
        assert_eq!(failed, Err(expected), "{answers:?}");
    };
    let (now, ever) = (|text: &str| Failure::Now(text.to_owned()), |text: &str| Failure::Ever(text.to_owned()));
    check(&["421 busy"], now("421 busy"));
    check(&["554 no service"], now("554 no service"));
    check(&["220 hello", "501 who are you"], now("501 who are you"));
    check(&["220 hello", "250 ok", "553 not you"], ever("553 not you"));
    check(&["220 hello", "250 ok", "452 no room"], now("452 no room"));
    check(&["220 hello", "250 ok", "250 ok", "250 ok", "554 no"], ever("554 no"));
    check(&["220 hello", "250 ok", "250 ok", "250 ok", "354 go", "552 too much"], ever("552 too much"));
    check(&["220 hello", "250 ok", "250 ok", "250 ok", "354 go", "451 later"], now("451 later"));
    check(&["220 hello", "250 ok", ""], now("it has closed the connection"));
    check(&["SSH-2.0-OpenSSH_9.2"], now("its answer is no SMTP"));
    check(&[&"2".repeat(9000)], now("a line of its answer is too long"));
}

#[test]
fn nobody_there_and_nobody_answering_are_no_answer() {
    // Nobody listens there any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(
        deliver(&route(port, &["ops@example.com"]), &letter("x")),
        Err(Failure::Now("connection refused".to_owned()))
    );
    // It accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let route = Route {
        timeout: Duration::from_millis(100),
        ..route(silent.local_addr().unwrap().port(), &["ops@example.com"])
    };
    assert_eq!(deliver(&route, &letter("x")), Err(Failure::Now("no answer in time".to_owned())));
    let nowhere = Route { server: ("no.such.host.invalid".to_owned(), 25), ..route };
    let Err(Failure::Now(reason)) = deliver(&nowhere, &letter("x")) else { panic!("it cannot be sent") };
    assert!(reason.starts_with("look up no.such.host.invalid: "), "{reason}");
}

#[test]
fn the_farewell_does_not_matter() {
    let server = Pretend::start(&[&GOOD[..6]]);
    assert_eq!(deliver(&route(server.port, &["ops@example.com"]), &letter("x")), Ok(Delivered::default()));
    drop(server.heard());
}
