//! Renews the lifetimes of addresses that are there: again and again, without allocating, unheard by our own monitor.

use netlink_packet_route::address::AddressMessage;

use super::WantedAddress;
use super::addresses::addition;
use super::socket::{BATCH, CommandSocket, Request};
use crate::error::refused;
use crate::link_name::link_name;
use crate::{Error, Result};

/// A command socket of its own, so that [`Monitor::ignore`](super::Monitor::ignore) can tell its doings from others.
///
/// A renewal changes nothing but the lifetime: not the place of an address among those of its subnet, not its label,
/// not a route, and nothing is sent. But the kernel has no "only if it is there": what has vanished would be added.
/// So renew only what is known to be there.
#[derive(Debug)]
pub struct Renewer {
    socket: CommandSocket,
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Batch {
    datagram: Vec<u8>,
    addresses: Vec<WantedAddress>,
}

impl Renewer {
    /// Opens it in the network namespace of this thread.
    pub fn open() -> Result<Renewer> {
        Ok(Renewer { socket: CommandSocket::open()?, batches: Vec::new() })
    }

    pub(super) fn port(&self) -> Result<u32> {
        self.socket.port().map_err(refused("ask for the number of a netlink socket"))
    }

    /// Sets what is renewed from now on, in this order, each to its own lifetime, instead of what was set before.
    pub fn prepare(&mut self, addresses: &[WantedAddress]) {
        self.batches.clear();
        for chunk in addresses.chunks(BATCH) {
            let messages: Vec<AddressMessage> = chunk.iter().map(addition).collect();
            let requests: Vec<Request<'_>> = messages
                .iter()
                .map(|payload| Request { kind: libc::RTM_NEWADDR, flags: libc::NLM_F_REPLACE as u16, payload })
                .collect();
            let datagram = self.socket.prepare(&requests);
            self.batches.push(Batch { datagram, addresses: chunk.to_vec() });
        }
    }

    /// How many calls of [`renew`](Renewer::renew) it takes to renew everything.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// What the batch of that number renews.
    pub fn batch(&self, number: usize) -> &[WantedAddress] {
        self.batches.get(number).map_or(&[], |batch| &batch.addresses)
    }

    /// Renews the batch of that number, with one system call for it and one for the answer. What could not be renewed
    /// comes back; that its interface is gone is no failure.
    pub fn renew(&mut self, number: usize) -> Vec<Error> {
        let Some(Batch { datagram, addresses }) = self.batches.get_mut(number) else { return Vec::new() };
        let mut refusals = Vec::new();
        let answered = self.socket.send_again(datagram, |position, refusal| {
            refusals.extend(addresses.get(position).map(|address| (address, refusal)));
        });
        let unanswered = answered.map_err(refused("renew the lifetimes of addresses")).err();
        refusals.retain(|(_, refusal)| refusal.errno != libc::ENODEV);
        let refused = refusals.into_iter().map(|(WantedAddress { link, address, prefix, .. }, refusal)| {
            let link = link_name(&self.socket.descriptor, *link);
            Error::new(format!("renew {address}/{prefix} on {link}"), refusal.errno).explained(refusal.words)
        });
        unanswered.into_iter().chain(refused).collect()
    }
}
