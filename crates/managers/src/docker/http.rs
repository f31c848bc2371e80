//! HTTP/1.1 (RFC 9112) as far as a docker socket speaks it: one request on one connection, an answer of known length,
//! in chunks, or until the end.

/// Headers that an answer may have.
const MOST_HEADERS: usize = 64;
/// A head, or a line before a chunk, that does not end within this is none.
const LONGEST_HEAD: usize = 64 * 1024;

/// The octets of a request without a body.
pub(crate) fn request(method: &str, target: &str) -> Vec<u8> {
    // A POST says that it has no body (RFC 9110 §8.6); for a GET there is nothing to say.
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    format!("{method} {target} HTTP/1.1\r\nHost: docker\r\nUser-Agent: tanist\r\n{length}Connection: close\r\n\r\n")
        .into_bytes()
}

/// Percent-encodes what may not stand in a part of a path or query (RFC 3986 §2.3).
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(octet)),
            _ => escaped += &format!("%{octet:02X}"),
        }
    }
    escaped
}

/// Why an answer can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nonsense;

/// An answer that is coming in.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Once the head is there.
    pub(crate) status: Option<u16>,
    /// What has come of the body and was not taken.
    pub(crate) body: Vec<u8>,
    part: Part,
}

#[derive(Debug, Default)]
enum Part {
    #[default]
    Head,
    /// So many octets of the body are to come.
    Counted(u64),
    /// The line that says how long the next chunk is.
    ChunkHead,
    /// So many octets of a chunk are to come, and the end of its line.
    Chunk(u64),
    /// What follows the last chunk, up to an empty line.
    Trailer,
    UntilTheEnd,
    Done,
}

impl Answer {
    /// Takes in what has come; `ended` if nothing more will. Whether the answer is complete.
    pub(crate) fn read(&mut self, received: &mut Vec<u8>, ended: bool) -> Result<bool, Nonsense> {
        while self.step(received)? {}
        match self.part {
            Part::Done => Ok(true),
            Part::UntilTheEnd if ended => Ok(true),
            _ if ended => Err(Nonsense),
            _ => Ok(false),
        }
    }

    /// Whether something was done, so that there may be more to do.
    fn step(&mut self, received: &mut Vec<u8>) -> Result<bool, Nonsense> {
        match self.part {
            Part::Head => self.read_head(received),
            Part::Counted(left) => {
                let taken = self.take(received, left);
                self.part = if left == taken { Part::Done } else { Part::Counted(left - taken) };
                Ok(taken > 0)
            }
            Part::ChunkHead => match httparse::parse_chunk_size(received) {
                Ok(httparse::Status::Complete((length, size))) => {
                    received.drain(..length);
                    self.part = if size == 0 { Part::Trailer } else { Part::Chunk(size) };
                    Ok(true)
                }
                Ok(httparse::Status::Partial) => unless_too_long(received),
                Err(_) => Err(Nonsense),
            },
            Part::Chunk(0) => {
                if received.len() < 2 {
                    return Ok(false);
                }
                if !received.starts_with(b"\r\n") {
                    return Err(Nonsense);
                }
                received.drain(..2);
                self.part = Part::ChunkHead;
                Ok(true)
            }
            Part::Chunk(left) => {
                let taken = self.take(received, left);
                self.part = Part::Chunk(left - taken);
                Ok(taken > 0)
            }
            Part::Trailer => {
                let Some(end) = received.windows(2).position(|pair| pair == b"\r\n") else {
                    return unless_too_long(received);
                };
                received.drain(..end + 2);
                if end == 0 {
                    self.part = Part::Done;
                }
                Ok(true)
            }
            Part::UntilTheEnd => {
                let taken = self.take(received, u64::MAX);
                Ok(taken > 0)
            }
            Part::Done => Ok(false),
        }
    }

    fn read_head(&mut self, received: &mut Vec<u8>) -> Result<bool, Nonsense> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(received) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return unless_too_long(received),
            Err(_) => return Err(Nonsense),
        };
        let status = head.code.ok_or(Nonsense)?;
        let mut part = Part::UntilTheEnd;
        for header in &*head.headers {
            let value = std::str::from_utf8(header.value).map_err(|_| Nonsense)?.trim();
            if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if !value.eq_ignore_ascii_case("chunked") {
                    return Err(Nonsense);
                }
                part = Part::ChunkHead;
            } else if header.name.eq_ignore_ascii_case("content-length") && !matches!(part, Part::ChunkHead) {
                part = Part::Counted(value.parse().map_err(|_| Nonsense)?);
            }
        }
        if matches!(status, 204 | 304) {
            part = Part::Done;
        }
        received.drain(..length);
        // 100 and its like announce the real one.
        if status >= 200 {
            self.status = Some(status);
            self.part = part;
        }
        Ok(true)
    }

    fn take(&mut self, received: &mut Vec<u8>, most: u64) -> u64 {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(received.len());
        self.body.extend(received.drain(..count));
        count as u64
    }
}

fn unless_too_long(received: &[u8]) -> Result<bool, Nonsense> {
    if received.len() > LONGEST_HEAD { Err(Nonsense) } else { Ok(false) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// However it is cut into pieces, it is the same.
    fn read(text: &str, piece: usize) -> Result<(Option<u16>, String, bool), Nonsense> {
        let mut answer = Answer::default();
        let mut received = Vec::new();
        let mut done = false;
        for octets in text.as_bytes().chunks(piece) {
            received.extend_from_slice(octets);
            done = answer.read(&mut received, false)?;
        }
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned(), done))
    }

    #[test]
    fn reads_answers_in_any_pieces() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", (Some(200), "hello", true)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", (Some(200), "hel", false)),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n",
                (Some(200), "abc0123456789", false),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nSum: 1\r\n\r\n",
                (Some(200), "a", true),
            ),
            ("HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", (Some(204), "", true)),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", (Some(304), "", true)),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", (Some(404), "", true)),
            ("HTTP/1.1 200 OK\r\n\r\nrest", (Some(200), "rest", false)),
            ("HTTP/1.1 20", (None, "", false)),
        ] {
            for piece in [1, 2, 3, 7, 1000] {
                let (status, body, done) = expected;
                assert_eq!(read(text, piece), Ok((status, body.to_owned(), done)), "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn refuses_nonsense() {
        for text in [
            "SMTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
        ] {
            assert_eq!(read(text, 1000), Err(Nonsense), "{text:?}");
        }
        let mut answer = Answer::default();
        let mut received = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel".to_vec();
        assert_eq!(answer.read(&mut received, true), Err(Nonsense), "cut off");
    }

    #[test]
    fn makes_requests() {
        assert_eq!(
            String::from_utf8(request("POST", "/containers/a/stop")).unwrap(),
            "POST /containers/a/stop HTTP/1.1\r\nHost: docker\r\nUser-Agent: tanist\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        assert_eq!(escape("a/b c\"ü"), "a%2Fb%20c%22%C3%BC");
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            for head in [&b""[..], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
                let mut received = [head, &octets].concat();
                let _ = Answer::default().read(&mut received, true);
            }
        }
    }
}
