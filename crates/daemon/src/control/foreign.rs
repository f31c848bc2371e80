//! A client without a daemon: see [`crate::foreign`].

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use api::{Outcome, Request};

use super::client::Client;

/// What somebody who says this in these pieces asks for, and what he reads. Each request is answered at once, with nothing.
pub fn requests(pieces: &[&[u8]], may_change: bool) -> io::Result<(Vec<Request>, Vec<u8>)> {
    let (mut theirs, ours) = UnixStream::pair()?;
    theirs.set_nonblocking(true)?;
    ours.set_nonblocking(true)?;
    let now = Instant::now();
    let mut client = Client::new(ours, may_change, now);
    let (mut requests, mut read) = (Vec::new(), Vec::new());
    'all: for piece in pieces {
        theirs.write_all(piece)?;
        // A turn takes a part of what there is, or one request, or makes room for what comes next.
        let turns = 4 + piece.len() / 1024 + 2 * piece.iter().filter(|octet| **octet == b'\n').count();
        for ticket in 0..turns as u64 {
            if client.wants_input() && !client.read() {
                break 'all;
            }
            let stays = client.flush(now);
            take(&mut theirs, &mut read)?;
            if !stays {
                break 'all;
            }
            if let Some(request) = client.next_request(now) {
                requests.push(request);
                client.handed_over(ticket, now);
                client.reply(ticket, Outcome::Commanded(Vec::new()), now);
            }
        }
    }
    // What it is told at last.
    let _ = client.flush(now);
    take(&mut theirs, &mut read)?;
    Ok((requests, read))
}

fn take(stream: &mut UnixStream, read: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_to_end(read) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
