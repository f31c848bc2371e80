//! A client that believes the last announcement it heard, as a plain Linux host does with gratuitous ARP
//! until its neighbour entry grows old. It sits behind no partition, so it is the one that gets stranded.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Where a client thinks that addresses are.
#[derive(Debug, Default)]
pub(crate) struct Client {
    believes: BTreeMap<IpAddr, usize>,
}

impl Client {
    /// An announcement of `node` arrives; whether it is news.
    pub(crate) fn hear(&mut self, node: usize, address: IpAddr) -> bool {
        self.believes.insert(address, node) != Some(node)
    }

    /// The node goes silent without having heard another one: nobody could know of this client, and it will
    /// ask again when nothing answers any more.
    pub(crate) fn lose(&mut self, node: usize, address: Option<IpAddr>) {
        self.believes.retain(|there, believed| *believed != node || address.is_some_and(|lost| lost != *there));
    }

    /// An announcement was lost in its sender: what the client believes says nothing about the sender any more.
    pub(crate) fn forget(&mut self, address: IpAddr) {
        self.believes.remove(&address);
    }

    /// The node that it sends to; `None` if it has to ask first.
    pub(crate) fn believes(&self, address: IpAddr) -> Option<usize> {
        self.believes.get(&address).copied()
    }
}
