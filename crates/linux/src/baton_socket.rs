//! UDP sockets for the messages that two nodes of a pair send each other.
//!
//! They are not connected: a connection would keep the source address of the moment, and would need a route before
//! there is one. Whose a datagram is says its source address, and whether that is true says its seal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, ipproto, recvfrom, sendto, socket_with, sockopt,
};

use crate::error::refused;
use crate::socket_option::{set_int, set_receive_buffer, set_send_buffer};
use crate::{Error, Result};

/// Some seconds of what a peer says, or a few of the longest messages. More would only be old.
const RECEIVE_BUFFER: usize = 256 * 1024;
/// The longest message on a few paths.
const SEND_BUFFER: usize = 256 * 1024;
/// DSCP CS6 (RFC 2474 §4.2.2, "internetwork control"), as in advertisements.
const TRAFFIC_CLASS: i32 = 0xc0;
/// What every IPv6 link carries in one piece (RFC 8200 §5).
const IPV6_MINIMUM_MTU: i32 = 1280;

/// A non-blocking UDP socket.
#[derive(Debug)]
pub struct BatonSocket {
    socket: OwnedFd,
    bound_to: SocketAddr,
}

impl BatonSocket {
    /// A socket that sends from this address and hears what comes to it. The unspecified address lets the kernel
    /// choose, and hears what comes to every address of the host that no socket of `beside` is bound to.
    ///
    /// Fails with `EADDRNOTAVAIL` while the address is not there, or not usable yet.
    pub fn open(address: SocketAddr, beside: &[&BatonSocket]) -> Result<BatonSocket> {
        let refused = |errno: Errno| Error::new(format!("listen on UDP {address}"), errno.raw_os_error());
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::DGRAM, flags, Some(ipproto::UDP)).map_err(refused)?;
        set_receive_buffer(&socket, RECEIVE_BUFFER).map_err(refused)?;
        set_send_buffer(&socket, SEND_BUFFER).map_err(refused)?;
        // A long message may travel in pieces. Asking for more than the path carries and waiting for somebody to say
        // so loses it for ever where a filter keeps those answers away.
        match address.ip() {
            IpAddr::V4(_) => {
                set_int(&socket, libc::IPPROTO_IP, libc::IP_TOS, TRAFFIC_CLASS).map_err(refused)?;
                set_int(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT).map_err(refused)?;
            }
            IpAddr::V6(_) => {
                sockopt::set_ipv6_v6only(&socket, true).map_err(refused)?;
                set_int(&socket, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, TRAFFIC_CLASS).map_err(refused)?;
                set_int(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU, IPV6_MINIMUM_MTU).map_err(refused)?;
            }
        }
        // All addresses and one of them on the same port is a conflict unless both agree. They agree only for this
        // moment: with sockets that always do, every user of the host could share the port.
        let agree = |agreed| {
            let own = (!beside.is_empty()).then_some(socket.as_fd());
            let mut all = beside.iter().map(|other| other.as_fd()).chain(own);
            all.try_for_each(|one| sockopt::set_socket_reuseaddr(one, agreed)).map_err(refused)
        };
        agree(true)?;
        let bound = bind(&socket, &address).map_err(refused);
        agree(false)?;
        bound.map(|()| BatonSocket { socket, bound_to: address })
    }

    /// What it was opened for.
    #[must_use]
    pub fn bound_to(&self) -> SocketAddr {
        self.bound_to
    }

    /// Sends one message, or nothing at all: a message that the system cannot take now is not worth waiting for.
    pub fn send(&self, to: SocketAddr, message: &[u8]) -> Result<()> {
        let sent = sendto(&self.socket, message, SendFlags::DONTWAIT, &to);
        sent.map(drop).map_err(|errno| Error::new(format!("send to {to}"), errno.raw_os_error()))
    }

    /// Takes one datagram: its length in `buffer` and where it came from; `None` if none is waiting. One that is longer
    /// than `buffer` is cut.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<(usize, IpAddr)>> {
        loop {
            match recvfrom(&self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((length, _, from)) => {
                    let from = from.and_then(|from| SocketAddr::try_from(from).ok());
                    // The kernel says it with every datagram; nobody sends from this one.
                    let from = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |from| from.ip());
                    return Ok(Some((length, from)));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(errno) => return Err(refused("receive from the peer")(errno)),
            }
        }
    }
}

impl AsFd for BatonSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The address that means "whichever" in the family of `address`.
#[must_use]
pub fn unspecified_like(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
