//! Asking an interface whether its link is there, instead of hearing from the kernel.
//!
//! Each question waits for the kernel's lock on network interfaces, and for the hardware: no work for a loop that must
//! not wait.

#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::error::refused;
use crate::socket_option::last_errno;
use crate::{Error, Result};

/// A way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The register of the transceiver (`SIOCGMIIREG`).
    Mii,
    /// The driver (`ETHTOOL_GLINK`).
    Ethtool,
    /// The kernel's flags (`SIOCGIFFLAGS`): what it would tell by itself.
    Flags,
}

impl Method {
    /// The best first.
    pub const ALL: [Method; 3] = [Method::Mii, Method::Ethtool, Method::Flags];
}

/// What an interface answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// The link is there.
    pub up: bool,
    /// How it was asked.
    pub method: Method,
}

/// Basic Mode Status Register (IEEE 802.3 §22.2.4.2), and its bit for the link.
const STATUS_REGISTER: u16 = 1;
const LINK_STATUS: u16 = 0x0004;
/// linux/ethtool.h
const ETHTOOL_GLINK: u32 = 0x0a;

/// `struct ifreq`, as far as it is used: a union begins behind the name.
#[repr(C)]
struct Request<T> {
    name: [u8; libc::IFNAMSIZ],
    value: T,
    /// The kernel copies as much as the largest of the union has.
    rest: [u8; 24],
}

/// `struct mii_ioctl_data`
#[repr(C)]
#[derive(Default)]
struct Transceiver {
    address: u16,
    register: u16,
    _written: u16,
    read: u16,
}

/// `struct ethtool_value`
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// With it interfaces of the network namespace of the thread that opened it are asked.
#[derive(Debug)]
pub struct LinkBeat {
    socket: OwnedFd,
}

impl LinkBeat {
    pub fn open() -> Result<LinkBeat> {
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
            .map_err(refused("open a socket to ask interfaces for their links"))?;
        Ok(LinkBeat { socket })
    }

    /// Asks the interface, in the preferred way if it can be asked so, otherwise in the best that is possible; `None` if
    /// it does not exist.
    pub fn ask(&self, link: &str, preferred: Option<Method>) -> Result<Option<Beat>> {
        judge(preferred, |method| self.ask_so(link, method))
            .map_err(|refusal| Error::new(format!("ask {link} for its link"), refusal.raw_os_error()))
    }

    /// Asks in this way only.
    pub fn ask_so(&self, link: &str, method: Method) -> std::result::Result<bool, Errno> {
        match method {
            Method::Mii => self.transceiver(link),
            Method::Ethtool => self.driver(link),
            Method::Flags => self.flags(link),
        }
    }

    fn transceiver(&self, link: &str) -> std::result::Result<bool, Errno> {
        const SIOCGMIIPHY: libc::c_ulong = 0x8947;
        const SIOCGMIIREG: libc::c_ulong = 0x8948;
        let mut request = request(link, Transceiver::default())?;
        self.control(SIOCGMIIPHY, &mut request)?;
        let mut status = 0;
        // The bit keeps a loss until it is read: the second answer is about now.
        for _ in 0..2 {
            request.value.register = STATUS_REGISTER;
            self.control(SIOCGMIIREG, &mut request)?;
            status = request.value.read;
        }
        // No transceiver drives the lines.
        if status == u16::MAX { Err(Errno::OPNOTSUPP) } else { Ok(status & LINK_STATUS != 0) }
    }

    fn driver(&self, link: &str) -> std::result::Result<bool, Errno> {
        const SIOCETHTOOL: libc::c_ulong = 0x8946;
        let mut value = Value { command: ETHTOOL_GLINK, data: 0 };
        let mut request = request(link, &raw mut value)?;
        self.control(SIOCETHTOOL, &mut request)?;
        Ok(value.data != 0)
    }

    fn flags(&self, link: &str) -> std::result::Result<bool, Errno> {
        let mut request = request(link, 0_i16)?;
        self.control(libc::SIOCGIFFLAGS as libc::c_ulong, &mut request)?;
        Ok(request.value & libc::IFF_RUNNING as i16 != 0)
    }

    fn control<T>(&self, question: libc::c_ulong, request: &mut Request<T>) -> std::result::Result<(), Errno> {
        const { assert!(size_of::<Request<T>>() >= size_of::<libc::ifreq>()) }
        // SAFETY: the request is alive, at least as large as the `struct ifreq` that the kernel reads and writes, and what
        // it points to, if anything, is alive in the caller and as large as the question wants.
        let answer = unsafe { libc::ioctl(self.socket.as_raw_fd(), question as _, std::ptr::from_mut(request)) };
        if answer == 0 { Ok(()) } else { Err(last_errno()) }
    }
}

/// What one says that can be asked so.
fn judge(
    preferred: Option<Method>,
    ask: impl Fn(Method) -> std::result::Result<bool, Errno>,
) -> std::result::Result<Option<Beat>, Errno> {
    let mut refusal = Errno::OPNOTSUPP;
    for method in preferred.into_iter().chain(Method::ALL) {
        match ask(method) {
            Ok(up) => return Ok(Some(Beat { up, method })),
            // A driver that is being set up anew says so as well, of an interface that is there.
            Err(Errno::NODEV) => return Ok(ask(Method::Flags).is_ok().then_some(Beat { up: false, method })),
            Err(errno) => refusal = errno,
        }
    }
    Err(refusal)
}

fn request<T>(link: &str, value: T) -> std::result::Result<Request<T>, Errno> {
    let mut name = [0; libc::IFNAMSIZ];
    // One octet stays zero. There are no interfaces with longer names.
    let place = name[..libc::IFNAMSIZ - 1].get_mut(..link.len()).ok_or(Errno::NODEV)?;
    place.copy_from_slice(link.as_bytes());
    Ok(Request { name, value, rest: [0; 24] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No driver here can be caught being set up anew.
    #[test]
    fn an_interface_without_its_driver_is_there_and_down() {
        let check = |preferred, flags, expected| {
            let ask = |method| if method == Method::Flags { flags } else { Err(Errno::NODEV) };
            assert_eq!(judge(preferred, ask), expected);
        };
        check(None, Ok(true), Ok(Some(Beat { up: false, method: Method::Mii })));
        check(Some(Method::Ethtool), Ok(true), Ok(Some(Beat { up: false, method: Method::Ethtool })));
        check(Some(Method::Flags), Ok(true), Ok(Some(Beat { up: true, method: Method::Flags })));
        check(None, Err(Errno::NODEV), Ok(None));
        check(Some(Method::Flags), Err(Errno::NODEV), Ok(None));
    }

    #[test]
    fn what_cannot_be_asked_in_any_way_is_no_answer() {
        assert_eq!(judge(Some(Method::Mii), |_| Err(Errno::PERM)), Err(Errno::PERM));
    }
}
