//! What service managers and probed services say.

use daemon::foreign::http_status;
use managers::foreign::{dbus as read_dbus, http_answer, welcome};

use crate::octets::{Octets, from_hex};

/// The first octet says how long the pieces are in which the answer comes.
pub(crate) fn http(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let piece = 1 + usize::from(octets.octet());
    let octets = octets.rest();
    let at_once = http_answer(&[octets]);
    let mut pieces: Vec<&[u8]> = octets.chunks(piece).collect();
    if pieces.is_empty() {
        pieces.push(&[]);
    }
    assert_eq!(http_answer(&pieces), at_once, "in pieces of {piece} octets");
    if let Some((status, body, whole)) = at_once {
        assert!(body.len() <= octets.len());
        assert!(status.is_some() || !whole);
    }
    // What is known stays known, however much follows.
    let mut known = None;
    for end in (0..=octets.len()).step_by(piece) {
        let said = http_status(&octets[..end]);
        assert!(known.is_none() || known == Some(said), "{known:?}, then {said:?}");
        known = Some(said).filter(|said| *said != Ok(None));
    }
}

pub(crate) fn http_seeds() -> Vec<Vec<u8>> {
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ]
    .map(|text| [b"\x04", text.as_bytes()].concat())
    .into()
}

/// What comes over the bus.
pub(crate) fn dbus(octets: &[u8]) {
    match welcome(octets) {
        Ok(Some(length)) => assert!(octets[..length].starts_with(b"OK ") && octets[..length].ends_with(b"\r\n")),
        Ok(None) => assert!(!octets.windows(2).any(|pair| pair == b"\r\n")),
        Err(_) => assert!(!octets.starts_with(b"OK ")),
    }
    let Some((length, said)) = read_dbus(octets) else { return };
    assert!((16..=octets.len()).contains(&length));
    assert_eq!(read_dbus(&octets[..length]).map(|(_, said)| said), Some(said), "what follows is another message");
    assert!(read_dbus(&octets[..length - 1]).is_none(), "it is not there wholly");
}

pub(crate) fn dbus_seeds() -> Vec<Vec<u8>> {
    let reply = "6c020101 0c000000 04000000 0f000000 0501750009000000 080167000173 0000 070000002f6a6f622f313700";
    let changed = b"B\x04\x01\x01\0\0\0\x08\0\0\0\x05\0\0\0\x4f\
        \x01\x01o\0\0\0\0\x05/unit\0\0\0\
        \x02\x01s\0\0\0\0\x03p.q\0\0\0\0\0\
        \x03\x01s\0\0\0\0\x07Changed\0\0\0\0\0\0\0\0\0\x08\x01g\0\x03a{sv}\0\0\
        \0\0\0\0\0\0\0\0";
    // {"Id": "a.service", "NRestarts": 3}, as GetAll answers.
    let properties = "6c020101 3f000000 05000000 15000000 0501750009000000 0801670005617b73767d0000 000000 \
                      37000000 00000000 0200000049640001 73000000 00 0a000000612e7365727669636500 000000 \
                      090000004e5265737461727473000175 0003000000";
    let denied = b"REJECTED EXTERNAL ANONYMOUS\r\n".to_vec();
    vec![b"OK 0123456789abcdef\r\n".to_vec(), denied, from_hex(reply), changed.to_vec(), from_hex(properties)]
}
