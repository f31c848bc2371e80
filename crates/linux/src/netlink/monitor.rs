//! Hears of every change of links and addresses, and of those routes and policy rules that somebody asks about.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::socket::{self, Message};
use super::{Address, Link, Renewer, RouteSpec, RuleSpec, decode, route, rule};
use crate::Result;
use crate::error::refused;
use crate::socket_option::{limit_receive_buffer, set_filter, set_int, set_receive_buffer};

/// Thousands of events, each of which costs the kernel about a kilobyte.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// Something changed in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A link appeared or changed.
    Link(Link),
    /// A link was deleted or moved to another namespace.
    LinkGone {
        index: u32,
        name: String,
    },
    /// An address appeared or changed.
    Address(Address),
    AddressGone(Address),
    /// A route of ours appeared or changed, or one took the place of another (which may have been ours).
    Route(RouteSpec),
    RouteGone(RouteSpec),
    Rule(RuleSpec),
    RuleGone(RuleSpec),
    /// Events were lost: ask for everything again.
    Lost,
}

/// A non-blocking socket that receives link, IPv4 and IPv6 address events.
#[derive(Debug)]
pub struct Monitor {
    socket: OwnedFd,
    datagram: Vec<u8>,
    /// The port of the one whose renewals are not heard.
    renewer: Option<u32>,
    /// Of whose routes it hears, by protocol number.
    protocols: Vec<u8>,
    hears_rules: bool,
}

impl Monitor {
    /// Opens it in the network namespace of this thread. Open it before the first dump, so that nothing falls between.
    pub fn open() -> Result<Monitor> {
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR;
        let socket = socket::open(SocketFlags::NONBLOCK, groups.cast_unsigned())
            .map_err(refused("open a netlink socket for events"))?;
        set_receive_buffer(&socket, RECEIVE_BUFFER).map_err(refused("enlarge the buffer for netlink events"))?;
        Ok(Monitor { socket, datagram: Vec::new(), renewer: None, protocols: Vec::new(), hears_rules: false })
    }

    /// Lets it queue this much before events are lost; `None` is as much as we think good.
    pub fn set_receive_buffer(&self, octets: Option<(usize, bool)>) -> Result<()> {
        let set = match octets {
            Some((octets, force)) => limit_receive_buffer(&self.socket, octets, force),
            None => set_receive_buffer(&self.socket, RECEIVE_BUFFER),
        };
        set.map_err(refused("set the buffer for netlink events"))
    }

    /// From now on hears of routes that were made with one of these protocol numbers, and of those that take the place
    /// of another route. A router with a million routes of its own tells us nothing of them.
    pub fn hear_routes(&mut self, protocols: &[u8]) -> Result<()> {
        if self.protocols == protocols {
            return Ok(());
        }
        self.protocols = protocols.to_vec();
        self.filter()?;
        for group in [libc::RTNLGRP_IPV4_ROUTE, libc::RTNLGRP_IPV6_ROUTE] {
            self.join(group, !protocols.is_empty()).map_err(refused("ask for events of routes"))?;
        }
        Ok(())
    }

    /// Whether it hears of policy rules from now on.
    pub fn hear_rules(&mut self, hear: bool) -> Result<()> {
        if std::mem::replace(&mut self.hears_rules, hear) == hear {
            return Ok(());
        }
        for group in [libc::RTNLGRP_IPV4_RULE, libc::RTNLGRP_IPV6_RULE] {
            self.join(group, hear).map_err(refused("ask for events of policy rules"))?;
        }
        Ok(())
    }

    fn join(&self, group: u32, join: bool) -> std::result::Result<(), Errno> {
        let option = if join { libc::NETLINK_ADD_MEMBERSHIP } else { libc::NETLINK_DROP_MEMBERSHIP };
        set_int(&self.socket, libc::SOL_NETLINK, option, group.cast_signed())
    }

    /// From now on does not hear of the IPv4 addresses that this one renews: thousands of times a second that nothing
    /// has changed. Of IPv6 addresses it does hear, since there the kernel does not tell who caused it.
    pub fn ignore(&mut self, renewer: &Renewer) -> Result<()> {
        self.renewer = Some(renewer.port()?);
        self.filter()
    }

    /// Every datagram holds one message: the header of netlink, then what it is about.
    fn filter(&self) -> Result<()> {
        const LOAD_WORD: u16 = 0x20;
        const LOAD_HALF: u16 = 0x28;
        const LOAD_BYTE: u16 = 0x30;
        const JUMP_IF_EQUAL: u16 = 0x15;
        const JUMP_IF_SET: u16 = 0x45;
        const RETURN: u16 = 0x06;
        const KIND: u32 = 4;
        const FLAGS: u32 = 6;
        const PORT: u32 = 12;
        /// `rtm_protocol`
        const PROTOCOL: u32 = 16 + 5;
        let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        // Classic BPF loads from the network's order, and netlink speaks the machine's.
        let half = |value: u16| u32::from(u16::from_be_bytes(value.to_ne_bytes()));
        let mut program = vec![step(LOAD_HALF, 0, 0, KIND)];
        if let Some(port) = self.renewer {
            let port = u32::from_be_bytes(port.to_ne_bytes());
            program.extend([
                step(JUMP_IF_EQUAL, 0, 4, half(libc::RTM_NEWADDR)),
                step(LOAD_WORD, 0, 0, PORT),
                step(JUMP_IF_EQUAL, 0, 1, port),
                step(RETURN, 0, 0, 0),
                step(RETURN, 0, 0, u32::MAX),
            ]);
        }
        // A route that ends is judged by who made it, a new one also by what it does.
        let protocols = self.protocols.iter().take(100);
        let count = protocols.len() as u8;
        program.extend([
            step(JUMP_IF_EQUAL, 3, 0, half(libc::RTM_DELROUTE)),
            step(JUMP_IF_EQUAL, 0, count + 4, half(libc::RTM_NEWROUTE)),
            step(LOAD_HALF, 0, 0, FLAGS),
            step(JUMP_IF_SET, count + 2, 0, half(libc::NLM_F_REPLACE as u16)),
            step(LOAD_BYTE, 0, 0, PROTOCOL),
        ]);
        for (place, protocol) in (1..).zip(protocols) {
            program.push(step(JUMP_IF_EQUAL, count - place + 1, 0, u32::from(*protocol)));
        }
        program.extend([step(RETURN, 0, 0, 0), step(RETURN, 0, 0, u32::MAX)]);
        set_filter(&self.socket, &program).map_err(refused("choose what the netlink monitor hears"))
    }

    /// Appends everything that has happened since the last call.
    pub fn receive(&mut self, changes: &mut Vec<Change>) -> Result<()> {
        loop {
            match socket::receive(&self.socket, &mut self.datagram) {
                Ok(()) => socket::messages(&self.datagram).for_each(|message| read(message, changes)),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::NOBUFS) => changes.push(Change::Lost),
                Err(errno) => return Err(refused("receive netlink events")(errno)),
            }
        }
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

pub(super) fn read(message: Message<'_>, changes: &mut Vec<Change>) {
    let payload = message.payload;
    match message.kind {
        libc::RTM_NEWLINK => changes.extend(decode::link(payload).map(Change::Link)),
        libc::RTM_DELLINK => {
            let link = decode::link(payload);
            changes.extend(link.map(|link| Change::LinkGone { index: link.index, name: link.name }));
        }
        libc::RTM_NEWADDR => changes.extend(decode::address(payload).map(Change::Address)),
        libc::RTM_DELADDR => changes.extend(decode::address(payload).map(Change::AddressGone)),
        libc::RTM_NEWROUTE => changes.extend(route::decode(payload).into_iter().map(Change::Route)),
        libc::RTM_DELROUTE => changes.extend(route::decode(payload).into_iter().map(Change::RouteGone)),
        libc::RTM_NEWRULE => changes.extend(rule::decode(payload).map(Change::Rule)),
        libc::RTM_DELRULE => changes.extend(rule::decode(payload).map(Change::RuleGone)),
        _ => {}
    }
}
