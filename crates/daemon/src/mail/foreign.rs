//! A mail server without a connection: see [`crate::foreign`].

use std::io::{self, BufReader, Read};

use super::login::is_offered;
use super::smtp::{Failure, read_answer};

/// An answer of a mail server: its code, its last line, and what it would offer if it answered a greeting.
pub type MailAnswer = (u16, String, Vec<String>);

/// What a server answers that says this in these pieces, and nothing after them; then why that is the end.
#[must_use]
pub fn mail_answers(pieces: &[&[u8]]) -> (Vec<MailAnswer>, String) {
    let mut stream = BufReader::new(Pieces(pieces));
    let mut answers = Vec::new();
    loop {
        match read_answer(&mut stream) {
            Ok(answer) => {
                let offers = answer.offers();
                answers.push((answer.code, answer.text, offers));
            }
            Err(Failure::Now(why) | Failure::Ever(why) | Failure::Barred(why)) => return (answers, why),
        }
    }
}

/// Whether one may log in so, by what is offered.
#[must_use]
pub fn mail_login_is_offered(offers: &[String], way: &str) -> bool {
    is_offered(offers, way)
}

/// A piece at a time.
struct Pieces<'p>(&'p [&'p [u8]]);

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let [piece, rest @ ..] = self.0 else { return Ok(0) };
        self.0 = rest;
        // None is longer than a buffer.
        room[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}
