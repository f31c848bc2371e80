//! What a mail server says, and moments that an operator writes down; both are shown to people.

use api::plain;
use daemon::foreign::{mail_answers, mail_login_is_offered, reload_time};

use crate::octets::Octets;

/// The first octet says how long the pieces are in which the server speaks.
pub(crate) fn answers(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let piece = 1 + usize::from(octets.octet());
    let said = octets.rest();
    let (answers, end) = mail_answers(&said.chunks(4096).collect::<Vec<_>>());
    let in_pieces = mail_answers(&said.chunks(piece).collect::<Vec<_>>());
    assert_eq!((&answers, &end), (&in_pieces.0, &in_pieces.1), "in pieces of {piece} octets");
    let lines = said.iter().filter(|octet| **octet == b'\n').count();
    assert!(answers.len() <= lines);
    for (code, text, offers) in &answers {
        assert!((200..600).contains(code) && text.starts_with(&code.to_string()), "{code} {text}");
        assert!(!text.contains('\n') && offers.len() <= lines);
        if mail_login_is_offered(offers, "PLAIN") {
            assert!(offers.iter().any(|offer| offer.to_ascii_uppercase().contains("PLAIN")), "{offers:?}");
        }
        // The log has one line for it, in letters.
        let shown = plain(text);
        assert!(!shown.contains(|letter: char| letter.is_control()), "{shown:?}");
    }
}

pub(crate) fn answer_seeds() -> Vec<Vec<u8>> {
    [
        "\x06220 mail ESMTP\r\n250-mail\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n250 ok\r\n354 go on\r\n",
        "\x40550 5.7.1 \u{1b}[31mno\r\n421 later\n",
        "\x012500 x\n250\n199 no",
        "\x10334 VXNlcm5hbWU6\r\n250-AUTH=LOGIN\r\n250 SIZE 1\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// 2026-11-21 20:50:00 UTC.
const NOW: i64 = 1_795_294_200;

/// The first line of `reload_time_file`.
pub(crate) fn moments(octets: &[u8]) {
    let line = String::from_utf8_lossy(octets);
    let Some(moment) = reload_time(&line, NOW) else { return };
    assert!(moment > NOW, "{line}: {moment}");
    // It is the next one until it is there, and then another one or none.
    assert_eq!(reload_time(&line, moment - 1), Some(moment), "{line}");
    assert!(reload_time(&line, moment).is_none_or(|later| later > moment), "{line}");
    // A time without a date comes again every day, whatever is done to clocks.
    assert!(line.contains(' ') || moment - NOW <= 2 * 86_400, "{line}");
}

pub(crate) fn moment_seeds() -> Vec<Vec<u8>> {
    [
        "20:50:01Z",
        "20:50:01",
        "26-12-01 10:00:00Z",
        "2028-02-29 23:59:59",
        "9999-12-31 00:00:00Z",
        "2020-01-01 00:00:00Z",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
