//! With it threads call the loop.

use std::io::{Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// The threads' end.
#[derive(Debug)]
pub(crate) struct Bell(UnixStream);

/// The loop's end, which is readable when somebody has rung, and the threads'.
pub(crate) fn pair() -> Result<(UnixStream, Arc<Bell>)> {
    let (woken, bell) = UnixStream::pair()?;
    woken.set_nonblocking(true)?;
    bell.set_nonblocking(true)?;
    Ok((woken, Arc::new(Bell(bell))))
}

/// It has been heard.
pub(crate) fn silence(mut woken: &UnixStream) {
    let mut octets = [0; 64];
    while woken.read(&mut octets).is_ok_and(|length| length == octets.len()) {}
}

impl Bell {
    pub(crate) fn ring(&self) {
        // If there is no room, it is ringing.
        let _ = (&self.0).write(b"!");
    }
}
