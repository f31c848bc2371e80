//! Drops traffic to and from addresses with a table of nftables, spoken to over netlink: for a router that must not
//! accept packets to its virtual addresses (Accept_Mode, RFC 9568 §6.1).
//!
//! ```text
//! table ip tanist {
//!     set addresses { type ipv4_addr; elements = { 192.0.2.100 } }
//!     chain input  { type filter hook input priority -1;  ip daddr @addresses counter drop }
//!     chain output { type filter hook output priority -1; ip saddr @addresses counter drop }
//! }
//! ```

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send};

use crate::error::refused;
use crate::socket_option::set_send_buffer;
use crate::{Error, Result};

const TABLE: &str = "tanist\0";
const SET: &str = "addresses\0";
/// Just before the chains of others.
const PRIORITY: i32 = -1;
/// The type number of an IPv4 address among the keys of sets, for those who list them.
const TYPE_IPV4_ADDRESS: u32 = 7;
/// Elements of one message: an attribute holds at most 64 kB.
const ELEMENTS: usize = 1000;
/// Each chain, its hook, and where the address stands in the IPv4 header.
const CHAINS: [(&str, u32, u32); 2] =
    [("input\0", libc::NF_INET_LOCAL_IN as u32, 16), ("output\0", libc::NF_INET_LOCAL_OUT as u32, 12)];

/// The table of this network namespace.
#[derive(Debug)]
pub struct PacketFilter {
    socket: OwnedFd,
}

impl PacketFilter {
    pub fn open() -> Result<PacketFilter> {
        let failed = refused("open a socket to nftables");
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(netlink::NETFILTER))
            .map_err(&failed)?;
        bind(&socket, &SocketAddrNetlink::new(0, 0)).map_err(&failed)?;
        Ok(PacketFilter { socket })
    }

    /// From now on exactly these addresses are cut off. All of it happens at once, or nothing.
    pub fn drop_traffic(&mut self, addresses: &BTreeSet<Ipv4Addr>) -> Result<()> {
        let mut batch = Batch::new();
        // Deleting fails where there is none, so there is one first.
        batch.add_table();
        batch.delete_table();
        batch.add_table();
        batch.add_set();
        let addresses: Vec<Ipv4Addr> = addresses.iter().copied().collect();
        addresses.chunks(ELEMENTS).for_each(|some| batch.add_elements(some));
        for (chain, hook, offset) in CHAINS {
            batch.add_chain(chain, hook);
            batch.add_rule(chain, offset);
        }
        self.transact(batch, "drop traffic to virtual addresses with nftables")
    }

    /// Lets everything through again. That there is nothing to remove is no failure.
    pub fn remove(&mut self) -> Result<()> {
        let mut batch = Batch::new();
        batch.delete_table();
        match self.transact(batch, "remove the table of nftables") {
            Err(error) if error.errno() == Some(libc::ENOENT) => Ok(()),
            done => done,
        }
    }

    fn transact(&mut self, batch: Batch, action: &'static str) -> Result<()> {
        let octets = batch.finish();
        // Where it can't be raised, the limit of the system may still do.
        let _ = set_send_buffer(&self.socket, octets.len() * 2);
        send(&self.socket, &octets, SendFlags::empty()).map_err(refused(action))?;
        // The kernel has worked on all of it before `send` comes back, and queued what it refuses.
        let mut answers = vec![0; 64 * 1024];
        loop {
            let length = match recv(&self.socket, &mut answers[..], RecvFlags::empty()) {
                Ok((length, _)) => length,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(refused(action)(errno)),
            };
            if let Some(errno) = first_refusal(&answers[..length]) {
                return Err(Error::new(action, errno));
            }
        }
    }
}

/// The error number of the first message that refuses something.
fn first_refusal(mut answers: &[u8]) -> Option<i32> {
    while let Some((header, _)) = answers.split_first_chunk::<16>() {
        let length = u32::from_ne_bytes(header[0..4].try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(header[4..6].try_into().ok()?);
        let message = answers.get(..length)?;
        let code = message.get(16..20).and_then(|code| code.try_into().ok()).map(i32::from_ne_bytes);
        if kind == libc::NLMSG_ERROR as u16
            && let Some(code) = code.filter(|code| *code != 0)
        {
            return Some(-code);
        }
        answers = answers.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Attribute numbers of linux/netfilter/nf_tables.h, which libc does not have.
mod nft {
    pub(super) const TABLE_NAME: u16 = 1;
    pub(super) const SET_TABLE: u16 = 1;
    pub(super) const SET_NAME: u16 = 2;
    pub(super) const SET_KEY_TYPE: u16 = 4;
    pub(super) const SET_KEY_LEN: u16 = 5;
    pub(super) const SET_ID: u16 = 10;
    pub(super) const SET_ELEM_LIST_TABLE: u16 = 1;
    pub(super) const SET_ELEM_LIST_SET: u16 = 2;
    pub(super) const SET_ELEM_LIST_ELEMENTS: u16 = 3;
    pub(super) const LIST_ELEM: u16 = 1;
    pub(super) const SET_ELEM_KEY: u16 = 1;
    pub(super) const DATA_VALUE: u16 = 1;
    pub(super) const DATA_VERDICT: u16 = 2;
    pub(super) const VERDICT_CODE: u16 = 1;
    pub(super) const CHAIN_TABLE: u16 = 1;
    pub(super) const CHAIN_NAME: u16 = 3;
    pub(super) const CHAIN_HOOK: u16 = 4;
    pub(super) const CHAIN_TYPE: u16 = 7;
    pub(super) const HOOK_HOOKNUM: u16 = 1;
    pub(super) const HOOK_PRIORITY: u16 = 2;
    pub(super) const RULE_TABLE: u16 = 1;
    pub(super) const RULE_CHAIN: u16 = 2;
    pub(super) const RULE_EXPRESSIONS: u16 = 4;
    pub(super) const EXPR_NAME: u16 = 1;
    pub(super) const EXPR_DATA: u16 = 2;
    pub(super) const PAYLOAD_DREG: u16 = 1;
    pub(super) const PAYLOAD_BASE: u16 = 2;
    pub(super) const PAYLOAD_OFFSET: u16 = 3;
    pub(super) const PAYLOAD_LEN: u16 = 4;
    pub(super) const LOOKUP_SET: u16 = 1;
    pub(super) const LOOKUP_SREG: u16 = 2;
    pub(super) const IMMEDIATE_DREG: u16 = 1;
    pub(super) const IMMEDIATE_DATA: u16 = 2;
}

/// Messages that take effect together.
struct Batch {
    octets: Vec<u8>,
    sequence: u32,
}

impl Batch {
    fn new() -> Batch {
        let mut batch = Batch { octets: Vec::new(), sequence: 0 };
        batch.boundary(libc::NFNL_MSG_BATCH_BEGIN);
        batch
    }

    fn finish(mut self) -> Vec<u8> {
        self.boundary(libc::NFNL_MSG_BATCH_END);
        self.octets
    }

    fn boundary(&mut self, kind: libc::c_int) {
        self.message(kind as u16, 0, libc::AF_UNSPEC as u8, libc::NFNL_SUBSYS_NFTABLES as u16, |_| {});
    }

    /// A message of the nftables subsystem about IPv4.
    fn request(&mut self, kind: libc::c_int, flags: libc::c_int, write: impl FnOnce(&mut Vec<u8>)) {
        let kind = (libc::NFNL_SUBSYS_NFTABLES << 8 | kind) as u16;
        self.message(kind, flags as u16, libc::NFPROTO_IPV4 as u8, 0, write);
    }

    fn message(&mut self, kind: u16, flags: u16, family: u8, resource: u16, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.octets.len();
        self.octets.extend([0; 4]);
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend((flags | libc::NLM_F_REQUEST as u16).to_ne_bytes());
        self.octets.extend(self.sequence.to_ne_bytes());
        self.octets.extend([0; 4]);
        // struct nfgenmsg: family, version 0, resource in network order.
        self.octets.extend([family, 0]);
        self.octets.extend(resource.to_be_bytes());
        write(&mut self.octets);
        let length = (self.octets.len() - start) as u32;
        self.octets[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        self.sequence += 1;
    }

    fn add_table(&mut self) {
        self.request(libc::NFT_MSG_NEWTABLE, libc::NLM_F_CREATE, |out| attribute(out, nft::TABLE_NAME, TABLE));
    }

    fn delete_table(&mut self) {
        self.request(libc::NFT_MSG_DELTABLE, 0, |out| attribute(out, nft::TABLE_NAME, TABLE));
    }

    fn add_set(&mut self) {
        self.request(libc::NFT_MSG_NEWSET, libc::NLM_F_CREATE, |out| {
            attribute(out, nft::SET_TABLE, TABLE);
            attribute(out, nft::SET_NAME, SET);
            attribute(out, nft::SET_KEY_TYPE, TYPE_IPV4_ADDRESS.to_be_bytes());
            attribute(out, nft::SET_KEY_LEN, 4_u32.to_be_bytes());
            attribute(out, nft::SET_ID, 1_u32.to_be_bytes());
        });
    }

    fn add_elements(&mut self, addresses: &[Ipv4Addr]) {
        self.request(libc::NFT_MSG_NEWSETELEM, libc::NLM_F_CREATE, |out| {
            attribute(out, nft::SET_ELEM_LIST_TABLE, TABLE);
            attribute(out, nft::SET_ELEM_LIST_SET, SET);
            nest(out, nft::SET_ELEM_LIST_ELEMENTS, |out| {
                for address in addresses {
                    nest(out, nft::LIST_ELEM, |out| {
                        nest(out, nft::SET_ELEM_KEY, |out| {
                            attribute(out, nft::DATA_VALUE, address.octets());
                        });
                    });
                }
            });
        });
    }

    fn add_chain(&mut self, chain: &str, hook: u32) {
        self.request(libc::NFT_MSG_NEWCHAIN, libc::NLM_F_CREATE, |out| {
            attribute(out, nft::CHAIN_TABLE, TABLE);
            attribute(out, nft::CHAIN_NAME, chain);
            nest(out, nft::CHAIN_HOOK, |out| {
                attribute(out, nft::HOOK_HOOKNUM, hook.to_be_bytes());
                attribute(out, nft::HOOK_PRIORITY, PRIORITY.to_be_bytes());
            });
            attribute(out, nft::CHAIN_TYPE, "filter\0");
        });
    }

    /// Loads the address at `offset` of the IPv4 header, looks it up in the set, counts and drops.
    fn add_rule(&mut self, chain: &str, offset: u32) {
        self.request(libc::NFT_MSG_NEWRULE, libc::NLM_F_CREATE | libc::NLM_F_APPEND, |out| {
            attribute(out, nft::RULE_TABLE, TABLE);
            attribute(out, nft::RULE_CHAIN, chain);
            nest(out, nft::RULE_EXPRESSIONS, |out| {
                expression(out, "payload\0", |out| {
                    attribute(out, nft::PAYLOAD_DREG, (libc::NFT_REG_1 as u32).to_be_bytes());
                    attribute(out, nft::PAYLOAD_BASE, (libc::NFT_PAYLOAD_NETWORK_HEADER as u32).to_be_bytes());
                    attribute(out, nft::PAYLOAD_OFFSET, offset.to_be_bytes());
                    attribute(out, nft::PAYLOAD_LEN, 4_u32.to_be_bytes());
                });
                expression(out, "lookup\0", |out| {
                    attribute(out, nft::LOOKUP_SET, SET);
                    attribute(out, nft::LOOKUP_SREG, (libc::NFT_REG_1 as u32).to_be_bytes());
                });
                expression(out, "counter\0", |_| {});
                expression(out, "immediate\0", |out| {
                    attribute(out, nft::IMMEDIATE_DREG, (libc::NFT_REG_VERDICT as u32).to_be_bytes());
                    nest(out, nft::IMMEDIATE_DATA, |out| {
                        nest(out, nft::DATA_VERDICT, |out| {
                            attribute(out, nft::VERDICT_CODE, (libc::NF_DROP as u32).to_be_bytes());
                        });
                    });
                });
            });
        });
    }
}

fn expression(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    nest(out, nft::LIST_ELEM, |out| {
        attribute(out, nft::EXPR_NAME, name);
        nest(out, nft::EXPR_DATA, write);
    });
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: impl AsRef<[u8]>) {
    nest_as(out, kind, |out| out.extend_from_slice(value.as_ref()));
}

fn nest(out: &mut Vec<u8>, kind: u16, write: impl FnOnce(&mut Vec<u8>)) {
    nest_as(out, kind | libc::NLA_F_NESTED as u16, write);
}

fn nest_as(out: &mut Vec<u8>, kind: u16, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 2]);
    out.extend(kind.to_ne_bytes());
    write(out);
    // The elements of a message are bounded so that this fits.
    let length = (out.len() - start) as u16;
    out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    out.resize(out.len().next_multiple_of(4), 0);
}
