//! A TCP connection that is begun without waiting for it.

use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};

use crate::{Error, Result};

/// The system's error number for what took too long.
pub const TIMED_OUT: i32 = libc::ETIMEDOUT;

/// Begins to connect. The stream becomes writable when that has worked or failed; then
/// [`TcpStream::take_error`] has the reason of a failure. It never waits for anything.
pub fn begin(to: SocketAddr) -> Result<TcpStream> {
    let refuse = |errno: Errno| Error::new(format!("connect to {to}"), errno.raw_os_error());
    let family = match to {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP)).map_err(refuse)?;
    match connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(errno) => Err(refuse(errno)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;
    use crate::poll::{Interest, Poll};

    fn wait_for(stream: &TcpStream) {
        let mut poll = Poll::new().unwrap();
        poll.add(stream, 1, Interest::ProgressEdge).unwrap();
        assert_eq!(poll.wait(Some(Duration::from_secs(20))).unwrap().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn becomes_writable_when_the_other_side_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = begin(listener.local_addr().unwrap()).unwrap();
        wait_for(&stream);
        assert!(stream.take_error().unwrap().is_none());
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    }

    #[test]
    fn tells_who_is_not_there() {
        // Bound and not listening: nobody else gets this port.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        match begin(nobody) {
            Ok(stream) => {
                wait_for(&stream);
                assert_eq!(
                    stream.take_error().unwrap().and_then(|error| error.raw_os_error()),
                    Some(libc::ECONNREFUSED)
                );
            }
            Err(error) => assert_eq!(error.errno(), Some(libc::ECONNREFUSED)),
        }
    }
}
