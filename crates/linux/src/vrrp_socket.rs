//! Raw sockets of IP protocol 112, and of 51 for what comes behind an authentication header.
//!
//! For each interface there is one socket that receives and one that sends, shared by all virtual routers on it; for
//! unicast, which follows the kernel's routes, there is one further pair. All of it for each family.

use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::ipproto::RAW;
use rustix::net::{
    AddressFamily, Protocol, RawProtocol, RecvFlags, SocketFlags, SocketType, recv, socket_with, sockopt,
};

use crate::error::refused;
use crate::link_name::link_name;
use crate::receive_buffers::Header;
pub use crate::receive_buffers::{ReceiveBuffers, Received};
use crate::socket_option::{
    accept_everything, refuse_everything, set, set_filter, set_int, set_receive_buffer, set_send_buffer, step,
};
use crate::{Error, Result, packet_socket};

/// IP protocol number of VRRP.
pub const PROTOCOL: u8 = 112;
/// IP protocol number of the authentication header (RFC 4302).
pub const AUTHENTICATION_HEADER: u8 = 51;

/// Some thousand advertisements: more than all routers of a network send while we are busy with something else.
const RECEIVE_BUFFER: usize = 1024 * 1024;
const SEND_BUFFER: usize = 1024 * 1024;
/// `TC_PRIO_CONTROL`: before everything else that waits for the interface.
const PRIORITY: i32 = 7;

/// A non-blocking socket that receives VRRP packets, IP header included.
#[derive(Debug)]
pub struct ReceiveSocket {
    socket: OwnedFd,
    header: Header,
    /// The only interface it hears, if it is bound to one.
    link: Option<u32>,
    /// Of a virtual interface: the one it stands on, and a socket that is a member of groups there.
    below: Option<(OwnedFd, u32)>,
}

impl ReceiveSocket {
    /// Receives what comes in over one interface: its multicast groups (once joined) and unicast.
    pub fn on_link(link: u32) -> Result<ReceiveSocket> {
        Self::of_protocol_on_link(PROTOCOL, link)
    }

    /// As [`on_link`](Self::on_link), for VRRP behind an authentication header.
    pub fn with_header_on_link(link: u32) -> Result<ReceiveSocket> {
        Self::of_protocol_on_link(AUTHENTICATION_HEADER, link)
    }

    fn of_protocol_on_link(protocol: u8, link: u32) -> Result<ReceiveSocket> {
        let socket = open_receiver(protocol)?;
        bind_to_link(&socket, link)?;
        begin(&socket, protocol)?;
        Ok(ReceiveSocket { socket, header: Header::Received, link: Some(link), below: None })
    }

    /// Receives what comes in over a virtual interface for one virtual router: an interface with the MAC address of the
    /// router on top of another one.
    ///
    /// Frames are read off the interface, and groups are joined on the one below. A group that is joined here would be
    /// told to the network from the virtual MAC address, and switches would look for it behind a Backup. And where the
    /// sender's address is the virtual one, too, its frames come to this interface and not to the one below.
    pub fn on_virtual_link(link: u32, below: u32, vrid: u8) -> Result<ReceiveSocket> {
        Self::of_protocol_on_virtual_link(PROTOCOL, link, below, vrid)
    }

    /// As [`on_virtual_link`](Self::on_virtual_link), for VRRP behind an authentication header.
    pub fn with_header_on_virtual_link(link: u32, below: u32, vrid: u8) -> Result<ReceiveSocket> {
        Self::of_protocol_on_virtual_link(AUTHENTICATION_HEADER, link, below, vrid)
    }

    fn of_protocol_on_virtual_link(protocol: u8, link: u32, below: u32, vrid: u8) -> Result<ReceiveSocket> {
        let member = open_receiver(protocol)?;
        Self::off_virtual_link(libc::ETH_P_IP, &of_one_router(protocol, vrid), link, (member, below))
    }

    /// As [`on_virtual_link`](Self::on_virtual_link), over IPv6.
    pub fn ipv6_on_virtual_link(link: u32, below: u32, vrid: u8) -> Result<ReceiveSocket> {
        let member = open_ipv6_receiver()?;
        Self::off_virtual_link(libc::ETH_P_IPV6, &of_one_ipv6_router(vrid), link, (member, below))
    }

    fn off_virtual_link(
        ethertype: libc::c_int,
        filter: &[libc::sock_filter],
        link: u32,
        below: (OwnedFd, u32),
    ) -> Result<ReceiveSocket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Without a protocol it is deaf until it is bound.
        let socket = socket_with(AddressFamily::PACKET, SocketType::DGRAM, flags, None)
            .map_err(refused("open a packet socket for VRRP"))?;
        set_receive_buffer(&socket, RECEIVE_BUFFER).map_err(refused("enlarge the buffer of a VRRP socket"))?;
        set_filter(&socket, filter).map_err(refused("filter a VRRP socket"))?;
        packet_socket::bind(&socket, ethertype as u16, link)
            .map_err(|error| Error::from_io(format!("bind a VRRP socket to {}", link_name(&socket, link)), &error))?;
        Ok(ReceiveSocket { socket, header: Header::Received, link: Some(link), below: Some(below) })
    }

    /// As [`on_link`](Self::on_link), over IPv6. Here the kernel cannot be told to leave out groups that only others on
    /// this host have joined.
    pub fn ipv6_on_link(link: u32) -> Result<ReceiveSocket> {
        let socket = open_ipv6_receiver()?;
        bind_to_link(&socket, link)?;
        begin(&socket, PROTOCOL)?;
        Ok(ReceiveSocket { socket, header: Header::Withheld, link: Some(link), below: None })
    }

    /// Receives unicast over whatever interface. Multicast groups are not joined.
    ///
    /// The sockets of [`on_link`](ReceiveSocket::on_link) hear unicast, too: with both kinds open a packet arrives
    /// twice.
    pub fn for_unicast() -> Result<ReceiveSocket> {
        Self::of_protocol_for_unicast(PROTOCOL)
    }

    /// As [`for_unicast`](Self::for_unicast), for VRRP behind an authentication header.
    pub fn with_header_for_unicast() -> Result<ReceiveSocket> {
        Self::of_protocol_for_unicast(AUTHENTICATION_HEADER)
    }

    fn of_protocol_for_unicast(protocol: u8) -> Result<ReceiveSocket> {
        let socket = open_receiver(protocol)?;
        set_int(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
            .map_err(refused("ask for the interface of VRRP packets"))?;
        begin(&socket, protocol)?;
        Ok(ReceiveSocket { socket, header: Header::Received, link: None, below: None })
    }

    /// As [`for_unicast`](Self::for_unicast), over IPv6, and with what goes to groups that others have joined.
    pub fn ipv6_for_unicast() -> Result<ReceiveSocket> {
        let socket = open_ipv6_receiver()?;
        begin(&socket, PROTOCOL)?;
        Ok(ReceiveSocket { socket, header: Header::Withheld, link: None, below: None })
    }

    /// Lets it queue this much before packets are lost; `None` is as much as we think good.
    pub fn set_receive_buffer(&self, octets: Option<usize>) -> Result<()> {
        set_receive_buffer(&self.socket, octets.unwrap_or(RECEIVE_BUFFER))
            .map_err(refused("set the buffer of a VRRP socket"))
    }

    /// Joins a group on the interface. Joining twice is no failure.
    pub fn join(&self, group: IpAddr, link: u32) -> Result<()> {
        match self.change_membership(group, link, Membership::Join) {
            Ok(()) | Err(Errno::ADDRINUSE) => Ok(()),
            Err(errno) => {
                Err(Error::new(format!("join {group} on {}", link_name(&self.socket, link)), errno.raw_os_error()))
            }
        }
    }

    /// Leaves a group. Not being a member is no failure.
    pub fn leave(&self, group: IpAddr, link: u32) -> Result<()> {
        match self.change_membership(group, link, Membership::Leave) {
            Ok(()) | Err(Errno::ADDRNOTAVAIL | Errno::NODEV) => Ok(()),
            Err(errno) => {
                Err(Error::new(format!("leave {group} on {}", link_name(&self.socket, link)), errno.raw_os_error()))
            }
        }
    }

    fn change_membership(&self, group: IpAddr, link: u32, change: Membership) -> std::result::Result<(), Errno> {
        let Some((member, below)) = &self.below else { return change_membership(&self.socket, group, link, change) };
        let mac = match group {
            IpAddr::V4(address) => {
                let [_, second, third, fourth] = address.octets();
                // RFC 1112 §6.4: the lower 23 bits.
                [0x01, 0x00, 0x5e, second & 0x7f, third, fourth]
            }
            IpAddr::V6(address) => {
                let [.., first, second, third, fourth] = address.octets();
                // RFC 2464 §7: the lower 32 bits.
                [0x33, 0x33, first, second, third, fourth]
            }
        };
        packet_socket::listen_to_group(&self.socket, link, mac, matches!(change, Membership::Join))?;
        change_membership(member, group, *below, change)
    }

    /// Fills the buffers with what is waiting and answers how many packets that is: fewer than
    /// [`ReceiveBuffers::CAPACITY`] means that nothing is left. An error of the interface (it went down) that the
    /// kernel reports here comes back once and is no reason to close the socket.
    pub fn receive(&self, buffers: &mut ReceiveBuffers) -> Result<usize> {
        match buffers.fill(self.socket.as_fd(), self.header, self.link) {
            // Packet sockets say so when their interface is taken down; netlink does, too.
            Err(Errno::NETDOWN) if self.below.is_some() => Ok(0),
            filled => filled.map_err(refused("receive VRRP packets")),
        }
    }
}

impl AsFd for ReceiveSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A non-blocking socket that sends IP packets of ours, header included, and queues nothing that comes in.
#[derive(Debug)]
pub struct SendSocket {
    socket: OwnedFd,
}

impl SendSocket {
    /// Sends over one interface whatever the routes say; multicast is not looped back to this host.
    pub fn on_link(link: u32) -> Result<SendSocket> {
        let socket = open_sender()?;
        bind_to_link(&socket, link)?;
        sockopt::set_ip_multicast_if_with_ifindex(
            &socket,
            &std::net::Ipv4Addr::UNSPECIFIED,
            &std::net::Ipv4Addr::UNSPECIFIED,
            link,
        )
        .map_err(|errno| {
            Error::new(format!("send multicast over {}", link_name(&socket, link)), errno.raw_os_error())
        })?;
        Ok(SendSocket { socket })
    }

    /// Sends unicast where the kernel's routes say.
    pub fn for_unicast() -> Result<SendSocket> {
        Ok(SendSocket { socket: open_sender()? })
    }

    /// As [`on_link`](Self::on_link), over IPv6.
    pub fn ipv6_on_link(link: u32) -> Result<SendSocket> {
        let socket = open_ipv6_sender()?;
        bind_to_link(&socket, link)?;
        // What goes to a group is from the address in its header, which may be another interface's: a virtual one has none
        // of its own before the first advertisement has left.
        match set_int(&socket, libc::IPPROTO_IPV6, libc::IPV6_FREEBIND, 1) {
            // Before Linux 4.15 only what has an address of its own can speak.
            Ok(()) | Err(Errno::NOPROTOOPT) => Ok(SendSocket { socket }),
            Err(errno) => Err(refused("send VRRP from addresses of other interfaces")(errno)),
        }
    }

    /// As [`for_unicast`](Self::for_unicast), over IPv6. Link-local destinations need their interface in the batch.
    pub fn ipv6_for_unicast() -> Result<SendSocket> {
        Ok(SendSocket { socket: open_ipv6_sender()? })
    }
}

impl AsFd for SendSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Opens a socket that drops everything until [`begin`].
fn open_raw(family: AddressFamily, protocol: u8) -> Result<OwnedFd> {
    let protocol = Protocol::from_raw(RawProtocol::new(u32::from(protocol)).expect("not zero"));
    let socket = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, Some(protocol))
        .map_err(refused("open a raw socket for VRRP"))?;
    refuse_everything(&socket).map_err(refused("filter a VRRP socket"))?;
    set_receive_buffer(&socket, RECEIVE_BUFFER).map_err(refused("enlarge the buffer of a VRRP socket"))?;
    Ok(socket)
}

fn open_receiver(protocol: u8) -> Result<OwnedFd> {
    let socket = open_raw(AddressFamily::INET, protocol)?;
    // Only groups that this socket has joined, not those of every other socket of the host.
    set_int(&socket, libc::IPPROTO_IP, libc::IP_MULTICAST_ALL, 0)
        .map_err(refused("limit a VRRP socket to its groups"))?;
    Ok(socket)
}

/// The kernel gives no header here, but tells what stood there; and it leaves the checksum to us, so that a wrong one is
/// counted like everything else that is wrong.
fn open_ipv6_receiver() -> Result<OwnedFd> {
    let socket = open_raw(AddressFamily::INET6, PROTOCOL)?;
    for option in [libc::IPV6_RECVPKTINFO, libc::IPV6_RECVHOPLIMIT] {
        set_int(&socket, libc::IPPROTO_IPV6, option, 1).map_err(refused("ask for the headers of VRRP packets"))?;
    }
    Ok(socket)
}

fn open_sender() -> Result<OwnedFd> {
    let socket = open_raw_sender(AddressFamily::INET)?;
    sockopt::set_ip_multicast_loop(&socket, false).map_err(refused("keep VRRP packets from ourselves"))?;
    Ok(socket)
}

fn open_ipv6_sender() -> Result<OwnedFd> {
    let socket = open_raw_sender(AddressFamily::INET6)?;
    sockopt::set_ipv6_multicast_loop(&socket, false).map_err(refused("keep VRRP packets from ourselves"))?;
    Ok(socket)
}

fn open_raw_sender(family: AddressFamily) -> Result<OwnedFd> {
    // IPPROTO_RAW means that the IP header is ours (IP_HDRINCL), and that packets of protocol 112 which come in are
    // not even offered to this socket. Protocol 255 itself, which nobody uses, is filtered.
    let socket = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, Some(RAW))
        .map_err(refused("open a raw socket to send VRRP"))?;
    refuse_everything(&socket).map_err(refused("filter a VRRP socket"))?;
    // As little as the kernel gives.
    sockopt::set_socket_recv_buffer_size(&socket, 0).map_err(refused("reduce the buffer of a VRRP socket"))?;
    set_send_buffer(&socket, SEND_BUFFER).map_err(refused("enlarge the buffer of a VRRP socket"))?;
    // Needs a privilege (CAP_NET_ADMIN) that raw sockets don't; without it we queue like everybody.
    let _ = set_int(&socket, libc::SOL_SOCKET, libc::SO_PRIORITY, PRIORITY);
    Ok(socket)
}

fn bind_to_link(socket: &OwnedFd, link: u32) -> Result<()> {
    let refuse =
        |errno: Errno| Error::new(format!("bind a VRRP socket to {}", link_name(socket, link)), errno.raw_os_error());
    match set_int(socket, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, link.cast_signed()) {
        // Before Linux 5.0 there was only the way by name.
        Err(Errno::NOPROTOOPT) => {
            let name = rustix::net::netdevice::index_to_name_inlined(socket, link).map_err(refuse)?;
            let mut value = [0_u8; libc::IFNAMSIZ];
            value[..name.as_bytes().len()].copy_from_slice(name.as_bytes());
            set(socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &value).map_err(refuse)
        }
        answer => answer.map_err(refuse),
    }
}

/// Throws away what came in before the socket was set up, over whatever interface, and lets packets in from now on.
fn begin(socket: &OwnedFd, protocol: u8) -> Result<()> {
    let mut byte = [0_u8; 1];
    while !matches!(recv(socket, &mut byte, RecvFlags::DONTWAIT), Err(Errno::AGAIN)) {}
    if protocol == AUTHENTICATION_HEADER {
        // A host that has IPsec may see much of this that has nothing to do with VRRP.
        return set_filter(socket, &VRRP_BEHIND_HEADER).map_err(refused("filter a VRRP socket"));
    }
    accept_everything(socket).map_err(refused("end the filtering of a VRRP socket"))
}

/// Classic BPF over a packet that begins with its IPv4 header: keeps it if the first octet behind that, the next header
/// of an authentication header, says VRRP.
const VRRP_BEHIND_HEADER: [libc::sock_filter; 5] = [
    step((libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16, 0, 0, 0),
    step((libc::BPF_LD | libc::BPF_B | libc::BPF_IND) as u16, 0, 0, 0),
    step((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, PROTOCOL as u32, 0, 1),
    step((libc::BPF_RET | libc::BPF_K) as u16, u32::MAX, 0, 0),
    step((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0),
];

/// Classic BPF over a packet that begins with its IPv4 header: keeps advertisements of one virtual router.
const fn of_one_router(protocol: u8, vrid: u8) -> [libc::sock_filter; 9] {
    const LOAD_HEADER_LENGTH: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
    const LOAD_BEHIND: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_IND) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    // Behind an authentication header, whose first octet says what follows, everything is so much later.
    let (next, header) = if protocol == AUTHENTICATION_HEADER { (PROTOCOL, 24) } else { (0, 0) };
    [
        step(LOAD, 9, 0, 0),
        step(JUMP_IF_EQUAL, protocol as u32, 0, 6),
        step(LOAD_HEADER_LENGTH, 0, 0, 0),
        step(LOAD_BEHIND, 0, 0, 0),
        // Without such a header there is nothing to ask.
        step(JUMP_IF_EQUAL, next as u32, 0, if next == 0 { 0 } else { 3 }),
        step(LOAD_BEHIND, header + 1, 0, 0),
        step(JUMP_IF_EQUAL, vrid as u32, 0, 1),
        step(RETURN, u32::MAX, 0, 0),
        step(RETURN, 0, 0, 0),
    ]
}

/// Classic BPF over a packet that begins with its IPv6 header: keeps advertisements of one virtual router.
const fn of_one_ipv6_router(vrid: u8) -> [libc::sock_filter; 6] {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const NEXT_HEADER: u32 = 6;
    /// Behind version and type.
    const VRID: u32 = 40 + 1;
    [
        step(LOAD, NEXT_HEADER, 0, 0),
        step(JUMP_IF_EQUAL, PROTOCOL as u32, 0, 3),
        step(LOAD, VRID, 0, 0),
        step(JUMP_IF_EQUAL, vrid as u32, 0, 1),
        step(RETURN, u32::MAX, 0, 0),
        step(RETURN, 0, 0, 0),
    ]
}

#[derive(Clone, Copy)]
enum Membership {
    Join,
    Leave,
}

fn change_membership(socket: &OwnedFd, group: IpAddr, link: u32, change: Membership) -> std::result::Result<(), Errno> {
    let any = std::net::Ipv4Addr::UNSPECIFIED;
    match (group, change) {
        (IpAddr::V4(group), Membership::Join) => {
            sockopt::set_ip_add_membership_with_ifindex(socket, &group, &any, link)
        }
        (IpAddr::V4(group), Membership::Leave) => {
            sockopt::set_ip_drop_membership_with_ifindex(socket, &group, &any, link)
        }
        (IpAddr::V6(group), Membership::Join) => sockopt::set_ipv6_add_membership(socket, &group, link),
        (IpAddr::V6(group), Membership::Leave) => sockopt::set_ipv6_drop_membership(socket, &group, link),
    }
}
