//! The control socket, from both of its ends.

use api::{Line, Outcome, Reply, Request};

use crate::octets::Octets;

/// The first octet says whether the client may change anything, and how long the pieces are in which it speaks.
pub(crate) fn requests(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let choice = octets.octet();
    let may_change = choice & 1 == 1;
    let piece = 1 + usize::from(choice >> 1) * 16;
    let said = octets.rest();

    let pieces: Vec<&[u8]> = said.chunks(piece).collect();
    let (requests, read) = daemon::foreign::requests(&pieces, may_change).expect("a pair of sockets");
    let at_once: Vec<&[u8]> = said.chunks(64 << 10).collect();
    let again = daemon::foreign::requests(&at_once, may_change).expect("a pair of sockets");
    assert_eq!((&requests, text(&read)), (&again.0, text(&again.1)), "in pieces of {piece} octets");

    let lines = said.iter().filter(|octet| **octet == b'\n').count();
    assert!(requests.len() <= lines);
    assert!(may_change || requests.iter().all(|request| request.ask.only_reads()));
    let mut answered = requests.iter().map(|request| request.number);
    let (mut refused, mut closed) = (0, false);
    for line in text(&read).lines() {
        assert!(!closed, "nothing follows the end");
        match serde_json::from_str::<Line>(line).expect("the daemon speaks its own language") {
            Line::Reply(Reply { number, outcome: Outcome::Commanded(_) }) => assert_eq!(answered.next(), Some(number)),
            Line::Reply(Reply { outcome: Outcome::Invalid(_) | Outcome::Forbidden(_), .. }) => refused += 1,
            Line::Closed(_) => closed = true,
            other => panic!("not asked for: {other:?}"),
        }
    }
    assert!(refused <= 17, "it should have had enough of them after {refused} mistakes");
    assert_eq!(answered.next(), None, "each is answered");
    for request in &requests {
        let line = serde_json::to_string(request).expect("a request can be written");
        assert_eq!(serde_json::from_str::<Request>(&line).ok().as_ref(), Some(request), "{line}");
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("the daemon speaks UTF-8")
}

pub(crate) fn request_seeds() -> Vec<Vec<u8>> {
    let asks = [
        r#""status""#,
        r#"{"events":{"follow":true}}"#,
        r#""configuration""#,
        r#"{"hold":{"instance":"VI_1"}}"#,
        r#"{"switch":{"to":"b","dry_run":true}}"#,
        r#"{"maintenance":{"on":{"for_s":7200}}}"#,
        r#""ack""#,
    ];
    let lines = asks.iter().zip(1..).map(|(ask, number)| format!("{{\"number\":{number},\"ask\":{ask}}}\n"));
    let lines: Vec<String> = lines.collect();
    let mut seeds: Vec<Vec<u8>> = lines.iter().map(|line| [b"\x01", line.as_bytes()].concat()).collect();
    seeds.push([b"\x00", lines.concat().as_bytes()].concat());
    seeds.push([b"\x05", "{}\n".repeat(20).as_bytes()].concat());
    seeds.push([b"\x41", "x".repeat(4200).as_bytes()].concat());
    seeds
}

/// A line of a daemon, or what docker says.
pub(crate) fn answers(octets: &[u8]) {
    if let Ok(line) = serde_json::from_slice::<Line>(octets) {
        let written = serde_json::to_vec(&line).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<Line>(&written).ok(), Some(line));
    }
    let words = managers::foreign::words(octets);
    assert_eq!(words, managers::foreign::words(octets));
    // Escapes grow when they are shown, but not without end.
    assert!(words.iter().map(String::len).sum::<usize>() < 8 * octets.len() + 2048);
}

pub(crate) fn answer_seeds() -> Vec<Vec<u8>> {
    [
        r#"{"hello":{"version":1,"daemon":"0.1.0","may_change":true}}"#,
        r#"{"reply":{"number":3,"outcome":{"commanded":[{"instance":"VI_1","result":"done"},{"instance":null,"result":{"refused":{"reason":"no_peer","text":"no"}}}]}}}"#,
        r#"{"reply":{"number":3,"outcome":{"configuration":{"files":["/etc/keepalived/keepalived.conf"]}}}}"#,
        r#"{"lost":7}"#,
        r#"{"closed":"the daemon stops"}"#,
        r#"{"Id":"0123456789ab","Image":"sha256:1","State":{"Running":true,"Paused":false,"ExitCode":137,"Error":"","Status":"running"},"Config":{"StopSignal":"SIGRTMIN+3"},"HostConfig":{"RestartPolicy":{"Name":"always"}}}"#,
        r#"{"Action":"die","Actor":{"ID":"0123456789ab","Attributes":{"name":"web","exitCode":"137","signal":"15"}}}"#,
        r#"{"message":"No such container: web"}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
