//! Hands one mail to a server: plain SMTP (RFC 5321) as keepalived speaks it, a session for each mail.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

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
    /// The server will not have this mail.
    Ever(String),
}

/// An answer of the server.
struct Answer {
    code: u16,
    /// Its last line.
    text: String,
}

pub(super) fn deliver(route: &Route, letter: &Letter) -> Result<Delivered, Failure> {
    let mut talk = Talk::begin(route)?;
    talk.expect_ready(None)?;
    talk.expect_ready(Some(&format!("HELO {}", route.helo)))?;
    talk.expect(&format!("MAIL FROM:<{}>", bare(&route.from)), 2)?;
    let mut delivered = Delivered::default();
    let recipients = letter.left.as_ref().unwrap_or(&route.to);
    let mut accepted = 0;
    for recipient in recipients {
        let answer = talk.ask(&format!("RCPT TO:<{}>", bare(recipient)))?;
        match answer.code / 100 {
            2 => accepted += 1,
            5 => delivered.refused.push((recipient.clone(), answer.text)),
            _ => delivered.later.push(recipient.clone()),
        }
    }
    if accepted > 0 {
        talk.expect("DATA", 3)?;
        talk.send(&letter.content(route))?;
        let answer = talk.answer()?;
        answer.must_be(2)?;
    }
    // It has the mail: what becomes of the farewell matters to nobody.
    let _ = talk.ask("QUIT");
    Ok(delivered)
}

/// `<a@example.com>` as well as `a@example.com`.
fn bare(address: &str) -> &str {
    address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(address)
}

impl Answer {
    fn must_be(self, class: u16) -> Result<(), Failure> {
        match self.code / 100 {
            found if found == class => Ok(()),
            5 => Err(Failure::Ever(self.text)),
            _ => Err(Failure::Now(self.text)),
        }
    }
}

struct Talk<'r> {
    route: &'r Route,
    stream: BufReader<TcpStream>,
}

impl<'r> Talk<'r> {
    /// Connects to the first of its addresses that answers.
    fn begin(route: &'r Route) -> Result<Self, Failure> {
        let (host, port) = &route.server;
        let addresses = (host.as_str(), *port)
            .to_socket_addrs()
            .map_err(|error| Failure::Now(format!("look up {host}: {error}")))?;
        let mut last = None;
        for address in addresses {
            match TcpStream::connect_timeout(&address, route.timeout).and_then(|stream| {
                stream.set_read_timeout(Some(route.timeout))?;
                stream.set_write_timeout(Some(route.timeout))?;
                Ok(stream)
            }) {
                Ok(stream) => return Ok(Self { route, stream: BufReader::new(stream) }),
                Err(error) => last = Some(cause(&error)),
            }
        }
        Err(Failure::Now(last.unwrap_or_else(|| format!("{host} has no address"))))
    }

    /// What is refused before there is any mail says nothing about the mail.
    fn expect_ready(&mut self, command: Option<&str>) -> Result<(), Failure> {
        let answer = match command {
            Some(command) => self.ask(command)?,
            None => self.answer()?,
        };
        if answer.code / 100 == 2 { Ok(()) } else { Err(Failure::Now(answer.text)) }
    }

    fn expect(&mut self, command: &str, class: u16) -> Result<(), Failure> {
        self.ask(command)?.must_be(class)
    }

    fn ask(&mut self, command: &str) -> Result<Answer, Failure> {
        self.send(&format!("{command}\r\n"))?;
        self.answer()
    }

    fn send(&mut self, text: &str) -> Result<(), Failure> {
        self.stream.get_mut().write_all(text.as_bytes()).map_err(|error| Failure::Now(cause(&error)))
    }

    /// An answer may have many lines; the last one has a blank behind its number (RFC 5321 §4.2.1).
    fn answer(&mut self) -> Result<Answer, Failure> {
        let until = Instant::now() + self.route.timeout;
        for _ in 0..MOST_LINES {
            let text = self.line(until).map_err(|error| Failure::Now(cause(&error)))?;
            let code = text.get(..3).and_then(|code| code.parse().ok()).filter(|code| (200..600).contains(code));
            let Some(code) = code else { break };
            if text.as_bytes().get(3) != Some(&b'-') {
                return Ok(Answer { code, text });
            }
        }
        Err(Failure::Now("its answer is no SMTP".to_owned()))
    }

    /// Who sends an octet now and then does not hold us up for ever.
    fn line(&mut self, until: Instant) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let found = self.stream.fill_buf()?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has closed the connection"));
            }
            let end = found.iter().position(|octet| *octet == b'\n');
            let taken = end.map_or(found.len(), |end| end + 1);
            line.extend_from_slice(&found[..taken]);
            self.stream.consume(taken);
            if line.len() > LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of its answer is too long"));
            }
            if end.is_some() {
                return Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
            }
            if Instant::now() > until {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

/// A time-out has two names, neither of which says so.
fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        _ => linux::Error::from_io("", error).cause(),
    }
}

#[cfg(test)]
mod tests;
