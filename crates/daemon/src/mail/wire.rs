//! The connection to a mail server, in clear or through TLS. Whatever is read or written has a moment by which it must have
//! happened, so that nobody holds us up by an octet now and then.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned};

/// More than all authorities of the world need.
const LONGEST_FILE: u64 = 4 << 20;

pub(super) enum Wire {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A connection that takes no longer than `until`.
pub(super) struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Wire {
    /// Connects to the first address of the server that answers.
    pub(super) fn connect((host, port): (&str, u16), timeout: Duration) -> Result<Self, String> {
        let addresses = (host, port).to_socket_addrs().map_err(|error| format!("look up {host}: {error}"))?;
        let mut last = None;
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => return Ok(Self::Clear(Timed { stream, until: Instant::now() + timeout })),
                Err(error) => last = Some(cause(&error)),
            }
        }
        Err(last.unwrap_or_else(|| format!("{host} has no address")))
    }

    pub(super) fn must_end_by(&mut self, until: Instant) {
        match self {
            Self::Clear(timed) => timed.until = until,
            Self::Tls(stream) => stream.sock.until = until,
        }
    }

    /// From here on through TLS, if whoever is there is the host, on the word of somebody whom we trust.
    pub(super) fn secured(self, host: &str, authorities: Option<&Path>) -> Result<Self, String> {
        let Self::Clear(mut timed) = self else { return Ok(self) };
        let name = host.strip_suffix('.').unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(|_| format!("no certificate can be for the name {host}"))?;
        let mut connection =
            ClientConnection::new(configuration(authorities)?, name).map_err(|error| refusal(&error))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut timed).map_err(|error| cause(&error))?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, timed))))
    }

    /// So that the server knows that nobody has cut it short.
    pub(super) fn close(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            // It has the mail; whether it hears this matters to nobody.
            let _ = stream.flush();
        }
    }
}

/// The text of `smtp_ca_file`.
pub(super) fn read_authorities(path: &Path) -> Result<Vec<u8>, String> {
    let unusable = |error: &dyn std::fmt::Display| format!("smtp_ca_file {}: {error}", path.display());
    let refused = |error: io::Error| unusable(&linux::Error::from_io("", &error).cause());
    // Before it is opened: opening a pipe would wait for somebody to write.
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(unusable(&"it is no file"));
    }
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut text)).map_err(refused)?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(unusable(&format_args!("it has more than {LONGEST_FILE} octets")));
    }
    Ok(text)
}

/// Made for each session: certificates are replaced while a daemon runs, and between mails nothing of it is kept.
fn configuration(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut trusted = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let unusable = |error: &dyn std::fmt::Display| format!("smtp_ca_file {}: {error}", path.display());
            let text = read_authorities(path)?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                trusted.add(certificate).map_err(|error| unusable(&refusal(&error)))?;
            }
            if trusted.is_empty() {
                return Err(unusable(&"it holds no certificate"));
            }
        }
        None => {
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if trusted.is_empty() {
                return Err("this system trusts nobody: install its certificates of authorities, or name some in \
                            `smtp_ca_file`"
                    .to_owned());
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let configuration = versions.map_err(|error| refusal(&error))?;
    Ok(Arc::new(configuration.with_root_certificates(trusted).with_no_client_auth()))
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(timed) => timed.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(timed) => timed.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(timed) => timed.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A time-out has two names, neither of which says so, and TLS's reasons are wrapped.
pub(super) fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "it has closed the connection".to_owned(),
        _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => refusal(error),
            None => linux::Error::from_io("", error).cause(),
        },
    }
}

/// Why there is no TLS, for people.
fn refusal(error: &Error) -> String {
    match error {
        // A bad signature: somebody has the name of one whom we trust.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "nobody whom we trust vouches for its certificate; `smtp_ca_file` names others to trust".to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate is no longer valid, or the clock of this machine is wrong".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            "its certificate is not valid yet, or the clock of this machine is wrong".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidForName) => {
            "its certificate is for another name than that in `smtp_server`".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            let presented = if presented.is_empty() { "none".to_owned() } else { presented.join(", ") };
            format!(
                "its certificate is not for {}, the name in `smtp_server`; it is for: {presented}",
                expected.to_str()
            )
        }
        Error::InvalidMessage(_) => "what it answers is no TLS".to_owned(),
        other => format!("TLS: {other}"),
    }
}

#[cfg(test)]
mod tests;
