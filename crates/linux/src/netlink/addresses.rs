//! Asking for addresses and changing them.

use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};

use super::socket::{Refusal, Request};
use super::{Address, AddressOperation, Lifetime, Netlink, OUR_MARK, WantedAddress, decode};
use crate::error::refused;
use crate::{Error, Result};

/// What became of an [`AddressOperation`] that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Done,
    /// The address to add exists, by us or by somebody else.
    AlreadyThere,
    /// The address to remove, or its link, does not exist.
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
    /// What is added carries our mark. An IPv6 address is used at once, without looking for duplicates: a virtual
    /// address is meant to be on several machines.
    pub fn apply(&mut self, operations: &[AddressOperation]) -> Vec<Result<Applied>> {
        let messages: Vec<AddressMessage> = operations.iter().map(encode).collect();
        let requests: Vec<Request<'_>> = std::iter::zip(operations, &messages)
            .map(|(operation, payload)| match operation {
                AddressOperation::Add(_) => {
                    Request { kind: libc::RTM_NEWADDR, flags: (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16, payload }
                }
                AddressOperation::Remove { .. } => Request { kind: libc::RTM_DELADDR, flags: 0, payload },
            })
            .collect();
        let answers = self.socket.transact(&requests);
        std::iter::zip(operations, answers)
            .map(|(operation, answer)| match answer {
                Ok(()) => Ok(Applied::Done),
                Err(refusal) => self.judge(operation, refusal),
            })
            .collect()
    }

    /// Adds an address that does not carry our mark, as an administrator would (IPv6 without duplicate detection).
    pub fn add_unmarked_address(&mut self, link: u32, address: IpAddr, prefix: u8) -> Result<()> {
        let message = address_message(link, address, prefix);
        let flags = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;
        self.socket.request(Request { kind: libc::RTM_NEWADDR, flags, payload: &message }).map_err(|refusal| {
            let action = format!("add {address}/{prefix} to {}", self.link_name(link));
            Error::new(action, refusal.errno).explained(refusal.words)
        })
    }

    fn judge(&self, operation: &AddressOperation, refusal: Refusal) -> Result<Applied> {
        let action = match (operation, refusal.errno) {
            (AddressOperation::Add(_), libc::EEXIST) => return Ok(Applied::AlreadyThere),
            (AddressOperation::Remove { .. }, libc::EADDRNOTAVAIL | libc::ENODEV) => return Ok(Applied::AlreadyGone),
            (AddressOperation::Add(WantedAddress { link, address, prefix, .. }), _) => {
                format!("add {address}/{prefix} to {}", self.link_name(*link))
            }
            (AddressOperation::Remove { link, address, prefix }, _) => {
                format!("remove {address}/{prefix} from {}", self.link_name(*link))
            }
        };
        Err(Error::new(action, refusal.errno).explained(refusal.words))
    }
}

fn address_message(link: u32, address: IpAddr, prefix: u8) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = link;
    message.header.prefix_len = prefix;
    message.header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    if address.is_ipv6() {
        message.header.flags = AddressHeaderFlags::Nodad;
    }
    message.attributes.push(AddressAttribute::Local(address));
    message.attributes.push(AddressAttribute::Address(address));
    message
}

fn encode(operation: &AddressOperation) -> AddressMessage {
    match operation {
        AddressOperation::Add(wanted) => addition(wanted),
        AddressOperation::Remove { link, address, prefix } => address_message(*link, *address, *prefix),
    }
}

/// The address as it is to be, our mark included: a renewal without it would take it away.
pub(super) fn addition(wanted: &WantedAddress) -> AddressMessage {
    let mut message = address_message(wanted.link, wanted.address, wanted.prefix);
    message.header.scope = AddressScope::from(wanted.scope);
    message.attributes.extend(wanted.broadcast.map(AddressAttribute::Broadcast));
    message.attributes.extend(wanted.label.clone().map(AddressAttribute::Label));
    message.attributes.push(AddressAttribute::Protocol(AddressProtocol::from(OUR_MARK)));
    let seconds = match wanted.lifetime {
        Lifetime::Seconds(seconds) => seconds.get(),
        Lifetime::Unlimited => decode::FOREVER,
    };
    let mut lifetimes = CacheInfo::default();
    // Preferred as long as it is valid: nobody should avoid a virtual address.
    (lifetimes.ifa_preferred, lifetimes.ifa_valid) = (seconds, seconds);
    message.attributes.push(AddressAttribute::CacheInfo(lifetimes));
    message
}

/// Whether this kernel keeps the mark on our addresses (5.18 and later).
pub fn kernel_keeps_marks() -> bool {
    release_is_at_least(&rustix::system::uname().release().to_string_lossy(), (5, 18))
}

/// Kernel releases begin with two numbers: "6.1.0-40-amd64".
fn release_is_at_least(release: &str, wanted: (u32, u32)) -> bool {
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
