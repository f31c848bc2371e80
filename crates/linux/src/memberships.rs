//! Groups of IPv6 that an interface belongs to without anybody here listening to them.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};

use crate::error::refused;
use crate::link_name::link_name;
use crate::{Error, Result};

/// The kernel limits what one socket may be a member of (`net.core.optmem_max`), by far more than this.
const GROUPS_OF_A_SOCKET: usize = 64;

/// Memberships on one interface, which end with this value.
#[derive(Debug)]
pub struct Memberships {
    _sockets: Vec<OwnedFd>,
}

impl Memberships {
    /// Joins them. The network is told so from the MAC address of the interface.
    pub fn join(link: u32, groups: &BTreeSet<Ipv6Addr>) -> Result<Self> {
        let groups: Vec<&Ipv6Addr> = groups.iter().collect();
        let mut sockets = Vec::new();
        for some in groups.chunks(GROUPS_OF_A_SOCKET) {
            // Bound to no port, it receives nothing.
            let socket = socket_with(AddressFamily::INET6, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
                .map_err(refused("open a socket for groups of IPv6"))?;
            for group in some {
                sockopt::set_ipv6_add_membership(&socket, group, link).map_err(|errno| {
                    Error::new(format!("join {group} on {}", link_name(&socket, link)), errno.raw_os_error())
                })?;
            }
            sockets.push(socket);
        }
        Ok(Self { _sockets: sockets })
    }
}
