//! Hands mails to a server: in plain SMTP (RFC 5321) as keepalived speaks it, a session for each mail, or through TLS (RFC 3207,
//! RFC 8314), where mails that wait together share a session and its login.

use std::io::{self, BufRead, BufReader, Write};
use std::sync::Arc;
use std::time::Instant;

use config::MailTls;
use zeroize::Zeroizing;

use super::wire::{Wire, cause};
use super::{Letter, Route};

/// RFC 5321 §4.5.3.1.5 has 512 octets for a line of an answer, and some say more.
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 100;

/// Who does not get it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    /// Never, with what the server said.
    pub(super) refused: Vec<(String, String)>,
    /// Not now.
    pub(super) later: Vec<String>,
}

/// Why it could not be handed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Perhaps it can be later.
    Now(String),
    /// The server does not let us in. Who asks again and again may be kept out for good.
    Barred(String),
    /// The server will not have this mail.
    Ever(String),
}

/// An answer of the server.
pub(super) struct Answer {
    pub(super) code: u16,
    /// All lines but the last.
    before: Vec<String>,
    /// Its last line.
    pub(super) text: String,
}

/// Hands a mail over, in the session that is `open` or in a new one. One that may carry another mail is left open.
pub(super) fn deliver(route: &Arc<Route>, letter: &Letter, open: &mut Option<Talk>) -> Result<Delivered, Failure> {
    let kept = open.take().filter(|talk| Arc::ptr_eq(&talk.route, route));
    // Whatever goes wrong there may be about what went before, such as a server that takes so many mails in a session.
    if let Some(Ok(delivered)) = kept.map(|talk| talk.hand_over(letter, open)) {
        return Ok(delivered);
    }
    Talk::begin(route)?.hand_over(letter, open)
}

/// `<a@example.com>` as well as `a@example.com`.
fn bare(address: &str) -> &str {
    address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(address)
}

impl Answer {
    /// What an answer to a greeting offers, word for word.
    pub(super) fn offers(&self) -> Vec<String> {
        let lines = self.before.iter().skip(1).chain([&self.text]);
        lines.filter_map(|line| line.get(4..)).map(str::to_owned).collect()
    }

    /// What is refused before there is any mail says nothing about the mail.
    fn must_be_ready(self) -> Result<(), Failure> {
        if self.code / 100 == 2 { Ok(()) } else { Err(Failure::Now(self.text)) }
    }

    fn must_be(self, class: u16) -> Result<(), Failure> {
        match self.code / 100 {
            found if found == class => Ok(()),
            5 => Err(Failure::Ever(self.text)),
            _ => Err(Failure::Now(self.text)),
        }
    }
}

/// A session.
pub(super) struct Talk {
    route: Arc<Route>,
    stream: BufReader<Wire>,
}

impl Talk {
    /// Connects, greets, and does what comes before mail. What is refused here says nothing about the mail.
    fn begin(route: &Arc<Route>) -> Result<Self, Failure> {
        let (host, port) = &route.server;
        let wire = Wire::connect((host, *port), route.timeout).map_err(Failure::Now)?;
        let mut talk = Self { route: Arc::clone(route), stream: BufReader::new(wire) };
        if route.tls == MailTls::Implicit {
            talk = talk.secured()?;
        }
        talk.answer()?.must_be_ready()?;
        if route.tls == MailTls::Off {
            talk.ask(&format!("HELO {}", route.helo))?.must_be_ready()?;
            return Ok(talk);
        }
        let mut offers = talk.greet()?;
        if route.tls == MailTls::StartTls {
            if !offers.iter().any(|offer| offer.eq_ignore_ascii_case("STARTTLS")) {
                return Err(Failure::Now("it does not offer STARTTLS, and nothing is sent in clear".to_owned()));
            }
            talk.ask("STARTTLS")?.must_be_ready()?;
            talk = talk.secured()?;
            // What it said before may have been said by anybody (RFC 3207 §4.2).
            offers = talk.greet()?;
        }
        if let Some(login) = &route.login {
            super::login::log_in(&mut talk, login, &offers)?;
        }
        Ok(talk)
    }

    /// What it offers, word for word.
    fn greet(&mut self) -> Result<Vec<String>, Failure> {
        let answer = self.ask(&format!("EHLO {}", self.route.helo))?;
        let offers = answer.offers();
        answer.must_be_ready()?;
        Ok(offers)
    }

    fn secured(mut self) -> Result<Self, Failure> {
        // Somebody on the way could have put it there, for us to believe that it came through TLS.
        if !self.stream.buffer().is_empty() {
            return Err(Failure::Now("it says more before TLS than it was asked".to_owned()));
        }
        self.set_limit();
        let (host, _) = &self.route.server;
        let wire = self.stream.into_inner().secured(host, self.route.authorities.as_deref()).map_err(Failure::Now)?;
        Ok(Self { stream: BufReader::new(wire), ..self })
    }

    fn hand_over(mut self, letter: &Letter, open: &mut Option<Self>) -> Result<Delivered, Failure> {
        let route = Arc::clone(&self.route);
        self.expect(&format!("MAIL FROM:<{}>", bare(&route.from)), 2)?;
        let mut delivered = Delivered::default();
        let recipients = letter.left.as_ref().unwrap_or(&route.to);
        let mut accepted = 0;
        for recipient in recipients {
            let answer = self.ask(&format!("RCPT TO:<{}>", bare(recipient)))?;
            match answer.code / 100 {
                2 => accepted += 1,
                5 => delivered.refused.push((recipient.clone(), answer.text)),
                _ => delivered.later.push(recipient.clone()),
            }
        }
        if accepted > 0 {
            self.expect("DATA", 3)?;
            self.send(&letter.content(&route))?;
            self.answer()?.must_be(2)?;
        }
        // Without TLS, servers hear what keepalived says; and after what was not quite right it is better to begin anew.
        if route.tls != MailTls::Off && accepted > 0 && delivered.later.is_empty() {
            *open = Some(self);
        } else {
            self.end();
        }
        Ok(delivered)
    }

    pub(super) fn end(mut self) {
        // It has the mail: what becomes of the farewell matters to nobody.
        let _ = self.ask("QUIT");
        self.stream.get_mut().close();
    }

    fn expect(&mut self, command: &str, class: u16) -> Result<(), Failure> {
        self.ask(command)?.must_be(class)
    }

    pub(super) fn ask(&mut self, command: &str) -> Result<Answer, Failure> {
        // It may be a password.
        self.send(&Zeroizing::new(format!("{command}\r\n")))?;
        self.answer()
    }

    fn set_limit(&mut self) {
        self.stream.get_mut().must_end_by(Instant::now() + self.route.timeout);
    }

    fn send(&mut self, text: &str) -> Result<(), Failure> {
        self.set_limit();
        let wire = self.stream.get_mut();
        wire.write_all(text.as_bytes()).and_then(|()| wire.flush()).map_err(|error| Failure::Now(cause(&error)))
    }

    fn answer(&mut self) -> Result<Answer, Failure> {
        self.set_limit();
        read_answer(&mut self.stream)
    }
}

/// An answer may have many lines; the last one has a blank behind its number (RFC 5321 §4.2.1).
pub(super) fn read_answer(stream: &mut impl BufRead) -> Result<Answer, Failure> {
    let mut before = Vec::new();
    while before.len() < MOST_LINES {
        let text = read_line(stream).map_err(|error| Failure::Now(cause(&error)))?;
        let code = text.get(..3).and_then(|code| code.parse().ok()).filter(|code| (200..600).contains(code));
        let Some(code) = code else { break };
        if text.as_bytes().get(3) != Some(&b'-') {
            return Ok(Answer { code, before, text });
        }
        before.push(text);
    }
    Err(Failure::Now("its answer is no SMTP".to_owned()))
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        let found = stream.fill_buf()?;
        if found.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let end = found.iter().position(|octet| *octet == b'\n');
        let taken = end.map_or(found.len(), |end| end + 1);
        line.extend_from_slice(&found[..taken]);
        stream.consume(taken);
        if line.len() > LONGEST_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of its answer is too long"));
        }
        if end.is_some() {
            return Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        }
    }
}

#[cfg(test)]
mod tests;
