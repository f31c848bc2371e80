//! The small web service that the built-in pair keeps alive, and the check that watches it. Both are started as
//! programs of their own inside the hosts.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Where the service listens, on all addresses of its host.
pub(crate) const PORT: u16 = 8080;

/// A client that says nothing, or a service that does not answer, is given up after this long.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// Answers every request with the name of the host. Returns only when it can't.
///
/// # Errors
/// When the port is taken.
pub(crate) fn serve() -> io::Result<Infallible> {
    answer_all(&listen(PORT)?)
}

/// Takes a port on all addresses of the host.
///
/// # Errors
/// When it is taken.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
}

/// Answers every request at a port that was taken. Returns only when it can't.
///
/// # Errors
/// When the host has no name.
pub(crate) fn answer_all(listener: &TcpListener) -> io::Result<Infallible> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    loop {
        // A client that went away in between is no reason to stop serving.
        let _ = listener.accept().and_then(|(stream, _)| answer(stream, &name));
    }
}

fn answer(mut stream: TcpStream, name: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; 1024];
    let _ = stream.read(&mut request)?;
    write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{name}", name.len())
}

/// Good if the service of this host answers at this port.
///
/// # Errors
/// How it does not.
pub(crate) fn check(port: u16, patience: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.0 200") { Ok(()) } else { Err(io::Error::other("it does not say 200")) }
}
