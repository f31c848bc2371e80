//! Asking for addresses and changing them.

use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};

use super::socket::{Refusal, Request};
use super::{Address, AddressOperation, Lifetime, Netlink, OUR_MARK, Operation, WantedAddress, decode};
use crate::error::refused;
use crate::{Error, Result};

/// What became of an [`Operation`] that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Done,
    /// What to add exists, by us or by somebody else.
    AlreadyThere,
    /// What to remove, or its link, does not exist.
    AlreadyGone,
}

impl Netlink {
    /// All addresses of both families.
    pub fn addresses(&mut self) -> Result<Vec<Address>> {
        self.socket
            .dump(libc::RTM_GETADDR, &AddressMessage::default(), |message| {
                if message.kind == libc::RTM_NEWADDR { decode::address(message.payload) } else { None }
            })
            .map_err(refused("list the addresses"))
    }

    /// Carries the operations out in order, in as few system calls as possible, and says what became of each:
    /// the answer has the length and the order of `operations`. One that fails does not stop the others.
    ///
    /// What is added carries our mark.
    pub fn apply(&mut self, operations: &[AddressOperation]) -> Vec<Result<Applied>> {
        let operations: Vec<Operation> = operations.iter().cloned().map(Operation::Address).collect();
        self.apply_all(&operations)
    }

    /// Adds an address that does not carry our mark, as an administrator would (IPv6 without duplicate detection).
    pub fn add_unmarked_address(&mut self, link: u32, address: IpAddr, prefix: u8) -> Result<()> {
        let mut message = address_message(link, address, prefix, None);
        set_flags(&mut message, WantedAddress::new(link, address, prefix).flags);
        let flags = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;
        self.socket.request(Request { kind: libc::RTM_NEWADDR, flags, payload: &message }).map_err(|refusal| {
            let action = format!("add {address}/{prefix} to {}", self.link_name(link));
            Error::new(action, refusal.errno).explained(refusal.words)
        })
    }

    pub(super) fn judge(&self, operation: &AddressOperation, refusal: Refusal) -> Result<Applied> {
        let action = match (operation, refusal.errno) {
            (AddressOperation::Add(_) | AddressOperation::PutBack(_), libc::EEXIST) => {
                return Ok(Applied::AlreadyThere);
            }
            (AddressOperation::Remove { .. }, libc::EADDRNOTAVAIL | libc::ENODEV)
            | (AddressOperation::PutBack(_), libc::ENODEV) => return Ok(Applied::AlreadyGone),
            (AddressOperation::PutBack(Address { link, address, prefix, .. }), _) => {
                format!("put {address}/{prefix} back on {}", self.link_name(*link))
            }
            (AddressOperation::Add(WantedAddress { link, address, prefix, .. }), _) => {
                format!("add {address}/{prefix} to {}", self.link_name(*link))
            }
            (AddressOperation::Remove { link, address, prefix, .. }, _) => {
                format!("remove {address}/{prefix} from {}", self.link_name(*link))
            }
        };
        Err(Error::new(action, refusal.errno).explained(refusal.words))
    }
}

fn address_message(link: u32, address: IpAddr, prefix: u8, peer: Option<IpAddr>) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = link;
    message.header.prefix_len = prefix;
    message.header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.attributes.push(AddressAttribute::Local(address));
    message.attributes.push(AddressAttribute::Address(peer.unwrap_or(address)));
    message
}

/// The header has room for some of them only.
fn set_flags(message: &mut AddressMessage, flags: u32) {
    if flags != 0 {
        message.attributes.push(AddressAttribute::Flags(AddressFlags::from_bits_retain(flags)));
    }
}

pub(super) fn encode(operation: &AddressOperation) -> AddressMessage {
    match operation {
        AddressOperation::Add(wanted) => addition(wanted),
        AddressOperation::Remove { link, address, prefix, peer } => address_message(*link, *address, *prefix, *peer),
        AddressOperation::PutBack(address) => copy(address),
    }
}

/// An address as it was, whoever made it.
fn copy(address: &Address) -> AddressMessage {
    const CHOSEN: u32 = libc::IFA_F_NOPREFIXROUTE | libc::IFA_F_MCAUTOJOIN;
    let mut message = address_message(address.link, address.address, address.prefix, address.peer);
    message.header.scope = AddressScope::from(address.scope);
    message.attributes.extend(address.broadcast.map(AddressAttribute::Broadcast));
    message.attributes.extend(address.label.clone().map(AddressAttribute::Label));
    // The others tell what the kernel has made of it.
    set_flags(&mut message, address.flags & CHOSEN);
    message.attributes.extend(address.protocol.map(|mark| AddressAttribute::Protocol(AddressProtocol::from(mark))));
    let mut lifetimes = CacheInfo::default();
    let seconds = address.seconds_left.unwrap_or(decode::FOREVER);
    (lifetimes.ifa_preferred, lifetimes.ifa_valid) = (seconds, seconds);
    message.attributes.push(AddressAttribute::CacheInfo(lifetimes));
    message
}

/// The address as it is to be, our mark included: a renewal without it would take it away.
pub(super) fn addition(wanted: &WantedAddress) -> AddressMessage {
    let mut message = address_message(wanted.link, wanted.address, wanted.prefix, wanted.peer);
    message.header.scope = AddressScope::from(wanted.scope);
    message.attributes.extend(wanted.broadcast.map(AddressAttribute::Broadcast));
    message.attributes.extend(wanted.label.clone().map(AddressAttribute::Label));
    set_flags(&mut message, wanted.flags);
    message.attributes.push(AddressAttribute::Protocol(AddressProtocol::from(OUR_MARK)));
    let seconds = match wanted.lifetime {
        Lifetime::Seconds(seconds) => seconds.get(),
        Lifetime::Unlimited => decode::FOREVER,
    };
    let mut lifetimes = CacheInfo::default();
    // Unless told otherwise, preferred as long as it is valid: nobody should avoid a virtual address.
    (lifetimes.ifa_preferred, lifetimes.ifa_valid) = (wanted.preferred.unwrap_or(seconds).min(seconds), seconds);
    message.attributes.push(AddressAttribute::CacheInfo(lifetimes));
    message
}

/// Whether this kernel keeps the mark on our addresses (5.18 and later).
pub fn kernel_keeps_marks() -> bool {
    release_is_at_least(&rustix::system::uname().release().to_string_lossy(), (5, 18))
}

/// Kernel releases begin with two numbers: "6.1.0-40-amd64".
pub(crate) fn release_is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map_while(|digits| digits.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_old_kernels() {
        for (release, new_enough) in
            [("6.1.0-40-amd64", true), ("5.18.0", true), ("5.17.9", false), ("4.19.0-27", false), ("10.0-rc1", true)]
        {
            assert_eq!(release_is_at_least(release, (5, 18)), new_enough, "{release}");
        }
    }
}
