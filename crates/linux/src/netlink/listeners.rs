//! Who listens on a TCP port, asked over sock_diag: the kernel walks through listening sockets only, however many
//! connections there are. A kernel without it (`CONFIG_INET_DIAG`) refuses with `ENOENT`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::Emitable;

use super::decode;
use super::socket::{CommandSocket, Message};
use crate::Result;
use crate::error::refused;

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// `TCP_LISTEN` as a bit of the states that are asked for.
const LISTENING: u32 = 1 << 10;
/// `INET_DIAG_SKV6ONLY`
const ONLY_IPV6: u16 = 11;
const REQUEST_SIZE: usize = 56;
const ANSWER_SIZE: usize = 72;

/// A TCP socket that takes connections, in our network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Unspecified if it takes them on every address.
    pub address: IpAddr,
    pub port: u16,
    /// Of the two families it takes connections of IPv6 only. Tells something of unspecified IPv6 addresses only.
    pub only_ipv6: bool,
    /// By which its owner can be found.
    pub inode: u32,
}

impl Listener {
    /// Whether it has this port of this address (`None`: of any).
    pub fn has(&self, address: Option<IpAddr>, port: u16) -> bool {
        if self.port != port {
            return false;
        }
        let Some(address) = address else { return true };
        if address.is_unspecified() || self.address == address {
            return true;
        }
        match self.address {
            IpAddr::V4(own) => own.is_unspecified() && address.is_ipv4(),
            IpAddr::V6(own) => own.is_unspecified() && (address.is_ipv6() || !self.only_ipv6),
        }
    }
}

/// All that listen, of both families.
pub fn listeners() -> Result<Vec<Listener>> {
    let what = refused("list the sockets that listen");
    let mut socket = CommandSocket::open_sock_diag()?;
    let mut found = socket.dump(BY_FAMILY, &Ask { family: libc::AF_INET }, read).map_err(what)?;
    // Without IPv6 there are none.
    found.extend(socket.dump(BY_FAMILY, &Ask { family: libc::AF_INET6 }, read).unwrap_or_default());
    Ok(found)
}

/// `struct inet_diag_req_v2` for all sockets of a family that listen.
struct Ask {
    family: i32,
}

impl Emitable for Ask {
    fn buffer_len(&self) -> usize {
        REQUEST_SIZE
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer[..REQUEST_SIZE].fill(0);
        buffer[0] = self.family as u8;
        buffer[1] = libc::IPPROTO_TCP as u8;
        buffer[4..8].copy_from_slice(&LISTENING.to_ne_bytes());
    }
}

/// `struct inet_diag_msg` and its attributes.
pub(super) fn read(message: Message<'_>) -> Option<Listener> {
    let payload = message.payload;
    let header = payload.get(..ANSWER_SIZE)?;
    let octets = &header[8..24];
    let address = match i32::from(header[0]) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&octets[..4]).ok()?)),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)).to_canonical(),
        _ => return None,
    };
    let mut attributes = decode::attributes(&payload[ANSWER_SIZE..]);
    Some(Listener {
        address,
        port: u16::from_be_bytes([header[4], header[5]]),
        only_ipv6: attributes.any(|(kind, value)| kind == ONLY_IPV6 && value.first() == Some(&1)),
        inode: decode::u32_at(header, 68)?,
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn which_sockets_are_in_the_way() {
        let check = |address: &str, only_ipv6, wanted: Option<&str>, expected| {
            let listener = Listener { address: address.parse().unwrap(), port: 80, only_ipv6, inode: 0 };
            let found = listener.has(wanted.map(|wanted| wanted.parse().unwrap()), 80);
            assert_eq!(found, expected, "{address} {only_ipv6} {wanted:?}");
            assert!(!listener.has(wanted.map(|wanted| wanted.parse().unwrap()), 81));
        };
        check("0.0.0.0", false, Some("127.0.0.1"), true);
        check("0.0.0.0", false, Some("::1"), false);
        check("::", false, Some("127.0.0.1"), true);
        check("::", true, Some("127.0.0.1"), false);
        check("::", true, Some("::1"), true);
        check("192.0.2.1", false, Some("127.0.0.1"), false);
        check("192.0.2.1", false, Some("0.0.0.0"), true);
        check("192.0.2.1", false, None, true);
        check("127.0.0.1", false, Some("127.0.0.1"), true);
    }

    fn found(listener: &TcpListener) -> Option<Listener> {
        let own = listener.local_addr().unwrap();
        let all = listeners().unwrap();
        all.into_iter().find(|found| found.address == own.ip() && found.port == own.port())
    }

    #[test]
    fn finds_who_listens() {
        let four = TcpListener::bind("127.0.0.1:0").unwrap();
        let seen = found(&four).expect("it listens");
        let link = std::fs::read_link(format!("/proc/self/fd/{}", four.as_raw_fd())).unwrap();
        assert_eq!(link.to_str(), Some(format!("socket:[{}]", seen.inode).as_str()));
        let connected = std::net::TcpStream::connect(four.local_addr().unwrap()).unwrap();
        let all = listeners().unwrap();
        let port = connected.local_addr().unwrap().port();
        assert!(!all.iter().any(|found| found.port == port), "a connection listens to nobody");
        if let Ok(both) = TcpListener::bind("[::]:0") {
            assert_eq!(found(&both).map(|seen| seen.only_ipv6), Some(false));
        }
    }
}
