//! What packet sockets (`AF_PACKET`) need beyond what rustix knows.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;

use crate::socket_option::set;

/// From now on hears frames of this EtherType that come in over this interface; 0 means over any.
pub(crate) fn bind(socket: &OwnedFd, ethertype: u16, link: u32) -> io::Result<()> {
    // SAFETY: all zero is a valid sockaddr_ll: no protocol, every interface.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ethertype.to_be();
    address.sll_ifindex = link.cast_signed();
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address is a live local of the length given.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Has the interface take in (or no longer take in) frames to a group, without a word to anybody on the network.
pub(crate) fn listen_to_group(socket: &OwnedFd, link: u32, mac: [u8; 6], listen: bool) -> Result<(), Errno> {
    /// `struct packet_mreq`
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Membership {
        link: i32,
        kind: u16,
        length: u16,
        address: [u8; 8],
    }
    let mut address = [0; 8];
    address[..6].copy_from_slice(&mac);
    let kind = libc::PACKET_MR_MULTICAST as u16;
    let membership = Membership { link: link.cast_signed(), kind, length: 6, address };
    let option = if listen { libc::PACKET_ADD_MEMBERSHIP } else { libc::PACKET_DROP_MEMBERSHIP };
    set(socket, libc::SOL_PACKET, option, &membership)
}
