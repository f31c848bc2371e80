//! Drops traffic to and from addresses with a table of nftables, spoken to over netlink: for a router that must not
//! accept packets to its virtual addresses (Accept_Mode, RFC 9568 §6.1).
//!
//! ```text
//! table ip tanist {
//!     set addresses { type ipv4_addr; elements = { 192.0.2.100 } }
//!     chain input  { type filter hook input priority -1;  ip daddr @addresses counter drop }
//!     chain output { type filter hook output priority -1; ip saddr @addresses counter drop }
//! }
//! table ip6 tanist {
//!     set addresses { type ipv6_addr; elements = { 2001:db8::100 } }
//!     set link_local { type ifname . ipv6_addr; elements = { "eth0" . fe80::100 } }
//!     chain input {
//!         type filter hook input priority -1
//!         icmpv6 type 133-137 accept
//!         ip6 daddr @addresses counter drop
//!         iifname . ip6 daddr @link_local counter drop
//!     }
//!     chain output { … the same with saddr and oifname … }
//! }
//! ```
//!
//! What neighbours are found by (RFC 4861) passes: Accept_Mode is not about that. Link-local addresses are others on every
//! interface.
//!
//! Another table keeps interfaces with a virtual MAC address from telling the network which groups they listen to:
//!
//! ```text
//! table ip6 tanist_links {
//!     set links { type ifname; elements = { "vrrp.51" } }
//!     chain output {
//!         type filter hook output priority -1
//!         oifname @links icmpv6 type 131-132 drop
//!         oifname @links icmpv6 type 143 drop
//!     }
//! }
//! ```

mod counters;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send};

use crate::error::refused;
use crate::socket_option::set_send_buffer;
use crate::{Error, Result};

pub use counters::Dropped;
pub(crate) use counters::add_up;

const ADDRESSES_SET: &str = "addresses\0";
const LINKS_SET: &str = "links\0";
const LINK_LOCAL_SET: &str = "link_local\0";
/// The type numbers of keys of sets, for those who list them; of several after each other, each has six bits.
const TYPE_IPV4_ADDRESS: u32 = 7;
const TYPE_IPV6_ADDRESS: u32 = 8;
const TYPE_LINK_NAME: u32 = 41;
const TYPE_LINK_AND_ADDRESS: u32 = TYPE_LINK_NAME << 6 | TYPE_IPV6_ADDRESS;
/// Octets of the name of an interface, filled up with zeros, and of an IPv6 address: one register each.
const LINK_NAME: u32 = libc::IFNAMSIZ as u32;
const IPV6_ADDRESS: u32 = 16;
const IPV4_ADDRESS: u32 = 4;
/// Where the IPv6 header says what follows it.
const NEXT_HEADER: u32 = 6;
const ICMPV6: u8 = 58;
/// Router Solicitation to Redirect (RFC 4861 §4).
const NEIGHBOUR_DISCOVERY: std::ops::RangeInclusive<u8> = 133..=137;
/// Report and Done (RFC 2710 §3.1), and the Report of version 2 (RFC 3810 §5.2).
const LISTENER_REPORTS: [std::ops::RangeInclusive<u8>; 2] = [131..=132, 143..=143];
/// Elements of one message: an attribute holds at most 64 kB.
const ELEMENTS: usize = 1000;

/// A chain.
struct Chain {
    name: &'static str,
    hook: u32,
    /// Where the address of this host stands in the IPv4 header,
    ipv4_address: u32,
    /// and in the IPv6 header.
    ipv6_address: u32,
    /// `NFT_META_*`: the name of the interface.
    link_name: u32,
}

const CHAINS: [Chain; 2] = [
    Chain {
        name: "input\0",
        hook: libc::NF_INET_LOCAL_IN as u32,
        ipv4_address: 16,
        ipv6_address: 24,
        link_name: libc::NFT_META_IIFNAME as u32,
    },
    Chain {
        name: "output\0",
        hook: libc::NF_INET_LOCAL_OUT as u32,
        ipv4_address: 12,
        ipv6_address: 8,
        link_name: libc::NFT_META_OIFNAME as u32,
    },
];

/// What is cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed {
    /// Addresses, wherever they are.
    pub addresses: BTreeSet<IpAddr>,
    /// Link-local addresses of IPv6 with the names of their interfaces.
    pub link_local: BTreeSet<(String, Ipv6Addr)>,
}

impl Closed {
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.link_local.is_empty()
    }
}

/// The tables of this network namespace.
#[derive(Debug)]
pub struct PacketFilter {
    socket: OwnedFd,
    /// What they are called, with a zero at the end.
    table: Arc<[u8]>,
    /// Of their chains.
    priority: i32,
}

impl PacketFilter {
    /// The usual name of the tables.
    pub const TABLE: &str = "tanist";
    /// The usual priority of their chains: just before those of others.
    pub const PRIORITY: i32 = -1;

    /// With tables of this name, whose chains have this priority.
    pub fn open(table: &str, priority: i32) -> Result<PacketFilter> {
        let failed = refused("open a socket to nftables");
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(netlink::NETFILTER))
            .map_err(&failed)?;
        bind(&socket, &SocketAddrNetlink::new(0, 0)).map_err(&failed)?;
        Ok(PacketFilter { socket, table: [table.as_bytes(), &[0]].concat().into(), priority })
    }

    /// From now on exactly these addresses are cut off. Of each family all of it happens at once, or nothing.
    pub fn drop_traffic(&mut self, closed: &Closed) -> Result<()> {
        let action = "drop traffic to virtual addresses with nftables";
        let octets = |address: &IpAddr| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let (ipv4, ipv6): (Vec<&IpAddr>, Vec<&IpAddr>) = closed.addresses.iter().partition(|one| one.is_ipv4());
        if ipv4.is_empty() {
            self.remove_table(libc::NFPROTO_IPV4)?;
        } else {
            let mut batch = self.anew(libc::NFPROTO_IPV4);
            batch.add_set(ADDRESSES_SET, TYPE_IPV4_ADDRESS, IPV4_ADDRESS);
            batch.add_elements(ADDRESSES_SET, ipv4.into_iter().map(octets).collect());
            for chain in &CHAINS {
                batch.add_chain(chain);
                batch.add_rule(chain, |rule| {
                    rule.load_from_header(chain.ipv4_address, IPV4_ADDRESS, libc::NFT_REG_1);
                    rule.is_in(ADDRESSES_SET);
                    rule.count_and_drop();
                });
            }
            self.transact(batch, action)?;
        }
        if ipv6.is_empty() && closed.link_local.is_empty() {
            return self.remove_table(libc::NFPROTO_IPV6);
        }
        let mut batch = self.anew(libc::NFPROTO_IPV6);
        batch.add_set(ADDRESSES_SET, TYPE_IPV6_ADDRESS, IPV6_ADDRESS);
        batch.add_elements(ADDRESSES_SET, ipv6.into_iter().map(octets).collect());
        batch.add_set(LINK_LOCAL_SET, TYPE_LINK_AND_ADDRESS, LINK_NAME + IPV6_ADDRESS);
        let key = |(link, address): &(String, Ipv6Addr)| {
            let mut key = name_key(link);
            key.extend(address.octets());
            key
        };
        batch.add_elements(LINK_LOCAL_SET, closed.link_local.iter().map(key).collect());
        for chain in &CHAINS {
            batch.add_chain(chain);
            batch.add_rule(chain, |rule| rule.let_neighbour_discovery_pass());
            batch.add_rule(chain, |rule| {
                rule.load_from_header(chain.ipv6_address, IPV6_ADDRESS, libc::NFT_REG_1);
                rule.is_in(ADDRESSES_SET);
                rule.count_and_drop();
            });
            batch.add_rule(chain, |rule| {
                // A name fills one register, so that the address is in the next one.
                rule.load_meta(chain.link_name, libc::NFT_REG_1);
                rule.load_from_header(chain.ipv6_address, IPV6_ADDRESS, libc::NFT_REG_2);
                rule.is_in(LINK_LOCAL_SET);
                rule.count_and_drop();
            });
        }
        self.transact(batch, action)
    }

    /// From now on exactly these interfaces tell nobody which groups they listen to (Multicast Listener Discovery).
    pub fn silence_reports(&mut self, links: &BTreeSet<String>) -> Result<()> {
        if links.is_empty() {
            return self.remove_table(libc::NFPROTO_IPV6);
        }
        let mut batch = self.anew(libc::NFPROTO_IPV6);
        batch.add_set(LINKS_SET, TYPE_LINK_NAME, LINK_NAME);
        batch.add_elements(LINKS_SET, links.iter().map(|link| name_key(link)).collect());
        let [_, output] = &CHAINS;
        batch.add_chain(output);
        for reports in &LISTENER_REPORTS {
            batch.add_rule(output, |rule| {
                rule.load_meta(output.link_name, libc::NFT_REG_1);
                rule.is_in(LINKS_SET);
                // Reports have a hop-by-hop header before them.
                rule.load_meta(libc::NFT_META_L4PROTO as u32, libc::NFT_REG_1);
                rule.compare(libc::NFT_CMP_EQ, ICMPV6);
                rule.is_message(reports);
                rule.decide(libc::NF_DROP);
            });
        }
        self.transact(batch, "keep reports of groups on virtual interfaces with nftables")
    }

    /// Lets everything through again. That there is nothing to remove is no failure.
    pub fn remove(&mut self) -> Result<()> {
        let first = self.remove_table(libc::NFPROTO_IPV4);
        self.remove_table(libc::NFPROTO_IPV6).and(first)
    }

    fn remove_table(&mut self, family: libc::c_int) -> Result<()> {
        let mut batch = Batch::new(family, &self.table, self.priority);
        batch.delete_table();
        match self.transact(batch, "remove the table of nftables") {
            // Who has no nftables for a family has no table either.
            Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::EOPNOTSUPP | libc::EAFNOSUPPORT)) => Ok(()),
            done => done,
        }
    }

    /// Begins with an empty table.
    fn anew(&self, family: libc::c_int) -> Batch {
        Batch::anew(family, &self.table, self.priority)
    }

    fn transact(&mut self, batch: Batch, action: &'static str) -> Result<()> {
        let mut answers = room_for_answers(action)?;
        let octets = batch.finish();
        // Where it can't be raised, the limit of the system may still do.
        let _ = set_send_buffer(&self.socket, octets.len() * 2);
        send(&self.socket, &octets, SendFlags::empty()).map_err(refused(action))?;
        // The kernel has worked on all of it before `send` comes back, and queued what it refuses.
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

/// Taken before anything is asked: without memory for them, nothing has been changed either.
fn room_for_answers(action: &'static str) -> Result<Vec<u8>> {
    const ROOM: usize = 64 * 1024;
    let mut room = Vec::new();
    room.try_reserve_exact(ROOM).map_err(|_| Error::new(action, libc::ENOMEM))?;
    room.resize(ROOM, 0);
    Ok(room)
}

/// The name of an interface as the key of a set.
fn name_key(link: &str) -> Vec<u8> {
    let mut key = link.as_bytes().to_vec();
    key.resize(LINK_NAME as usize, 0);
    key
}

/// The error number of the first message that refuses something.
pub(crate) fn first_refusal(mut answers: &[u8]) -> Option<i32> {
    while let Some((header, _)) = answers.split_first_chunk::<16>() {
        let length = u32::from_ne_bytes(header[0..4].try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(header[4..6].try_into().ok()?);
        // One without a header of its own would be read for ever.
        let message = answers.get(..length).filter(|message| message.len() >= header.len())?;
        let code = message.get(16..20).and_then(|code| code.try_into().ok()).map(i32::from_ne_bytes);
        if kind == libc::NLMSG_ERROR as u16
            && let Some(code) = code.filter(|code| *code != 0)
        {
            return Some(code.saturating_neg());
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
    pub(super) const META_DREG: u16 = 1;
    pub(super) const META_KEY: u16 = 2;
    pub(super) const CMP_SREG: u16 = 1;
    pub(super) const CMP_OP: u16 = 2;
    pub(super) const CMP_DATA: u16 = 3;
}

/// Messages that take effect together.
struct Batch {
    /// `NFPROTO_*`: what its table is for.
    family: u8,
    table: Arc<[u8]>,
    priority: i32,
    octets: Vec<u8>,
    sequence: u32,
    sets: u32,
}

impl Batch {
    fn new(family: libc::c_int, table: &Arc<[u8]>, priority: i32) -> Batch {
        let table = Arc::clone(table);
        let mut batch = Batch { family: family as u8, table, priority, octets: Vec::new(), sequence: 0, sets: 0 };
        batch.boundary(libc::NFNL_MSG_BATCH_BEGIN);
        batch
    }

    /// What `ask` writes, by itself: a question is no change.
    fn question(family: libc::c_int, table: &Arc<[u8]>, ask: impl FnOnce(&mut Batch)) -> Vec<u8> {
        let table = Arc::clone(table);
        let mut batch = Batch { family: family as u8, table, priority: 0, octets: Vec::new(), sequence: 0, sets: 0 };
        ask(&mut batch);
        batch.octets
    }

    /// Begins with an empty table, whatever is there.
    fn anew(family: libc::c_int, table: &Arc<[u8]>, priority: i32) -> Batch {
        let mut batch = Batch::new(family, table, priority);
        // Deleting fails where there is none, so there is one first.
        batch.add_table();
        batch.delete_table();
        batch.add_table();
        batch
    }

    fn finish(mut self) -> Vec<u8> {
        self.boundary(libc::NFNL_MSG_BATCH_END);
        self.octets
    }

    fn boundary(&mut self, kind: libc::c_int) {
        self.message(kind as u16, 0, libc::AF_UNSPEC as u8, libc::NFNL_SUBSYS_NFTABLES as u16, |_| {});
    }

    /// A message of the nftables subsystem.
    fn request(&mut self, kind: libc::c_int, flags: libc::c_int, write: impl FnOnce(&mut Vec<u8>)) {
        let kind = (libc::NFNL_SUBSYS_NFTABLES << 8 | kind) as u16;
        self.message(kind, flags as u16, self.family, 0, write);
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
        let table = Arc::clone(&self.table);
        self.request(libc::NFT_MSG_NEWTABLE, libc::NLM_F_CREATE, |out| attribute(out, nft::TABLE_NAME, table));
    }

    fn delete_table(&mut self) {
        let table = Arc::clone(&self.table);
        self.request(libc::NFT_MSG_DELTABLE, 0, |out| attribute(out, nft::TABLE_NAME, table));
    }

    fn add_set(&mut self, set: &str, key_type: u32, key_length: u32) {
        self.sets += 1;
        let (id, table) = (self.sets, Arc::clone(&self.table));
        self.request(libc::NFT_MSG_NEWSET, libc::NLM_F_CREATE, |out| {
            attribute(out, nft::SET_TABLE, table);
            attribute(out, nft::SET_NAME, set);
            attribute(out, nft::SET_KEY_TYPE, key_type.to_be_bytes());
            attribute(out, nft::SET_KEY_LEN, key_length.to_be_bytes());
            attribute(out, nft::SET_ID, id.to_be_bytes());
        });
    }

    fn add_elements(&mut self, set: &str, keys: Vec<Vec<u8>>) {
        let table = Arc::clone(&self.table);
        for some in keys.chunks(ELEMENTS) {
            self.request(libc::NFT_MSG_NEWSETELEM, libc::NLM_F_CREATE, |out| {
                attribute(out, nft::SET_ELEM_LIST_TABLE, &table);
                attribute(out, nft::SET_ELEM_LIST_SET, set);
                nest(out, nft::SET_ELEM_LIST_ELEMENTS, |out| {
                    for key in some {
                        nest(out, nft::LIST_ELEM, |out| {
                            nest(out, nft::SET_ELEM_KEY, |out| attribute(out, nft::DATA_VALUE, key));
                        });
                    }
                });
            });
        }
    }

    fn add_chain(&mut self, chain: &Chain) {
        let (table, priority) = (Arc::clone(&self.table), self.priority);
        self.request(libc::NFT_MSG_NEWCHAIN, libc::NLM_F_CREATE, |out| {
            attribute(out, nft::CHAIN_TABLE, table);
            attribute(out, nft::CHAIN_NAME, chain.name);
            nest(out, nft::CHAIN_HOOK, |out| {
                attribute(out, nft::HOOK_HOOKNUM, chain.hook.to_be_bytes());
                attribute(out, nft::HOOK_PRIORITY, priority.to_be_bytes());
            });
            attribute(out, nft::CHAIN_TYPE, "filter\0");
        });
    }

    fn add_rule(&mut self, chain: &Chain, write: impl FnOnce(&mut Rule<'_>)) {
        let table = Arc::clone(&self.table);
        self.request(libc::NFT_MSG_NEWRULE, libc::NLM_F_CREATE | libc::NLM_F_APPEND, |out| {
            attribute(out, nft::RULE_TABLE, table);
            attribute(out, nft::RULE_CHAIN, chain.name);
            nest(out, nft::RULE_EXPRESSIONS, |out| write(&mut Rule { out }));
        });
    }
}

/// The expressions of a rule, which ends where one of them does not hold.
struct Rule<'o> {
    out: &'o mut Vec<u8>,
}

impl Rule<'_> {
    /// Loads octets of the IP header.
    fn load_from_header(&mut self, offset: u32, length: u32, register: libc::c_int) {
        self.load(libc::NFT_PAYLOAD_NETWORK_HEADER, offset, length, register);
    }

    fn load(&mut self, base: libc::c_int, offset: u32, length: u32, register: libc::c_int) {
        expression(self.out, "payload\0", |out| {
            attribute(out, nft::PAYLOAD_DREG, (register as u32).to_be_bytes());
            attribute(out, nft::PAYLOAD_BASE, (base as u32).to_be_bytes());
            attribute(out, nft::PAYLOAD_OFFSET, offset.to_be_bytes());
            attribute(out, nft::PAYLOAD_LEN, length.to_be_bytes());
        });
    }

    fn load_meta(&mut self, key: u32, register: libc::c_int) {
        expression(self.out, "meta\0", |out| {
            attribute(out, nft::META_DREG, (register as u32).to_be_bytes());
            attribute(out, nft::META_KEY, key.to_be_bytes());
        });
    }

    /// Holds if what was loaded compares so with an octet.
    fn compare(&mut self, comparison: libc::c_int, octet: u8) {
        expression(self.out, "cmp\0", |out| {
            attribute(out, nft::CMP_SREG, (libc::NFT_REG_1 as u32).to_be_bytes());
            attribute(out, nft::CMP_OP, (comparison as u32).to_be_bytes());
            nest(out, nft::CMP_DATA, |out| attribute(out, nft::DATA_VALUE, [octet]));
        });
    }

    /// Holds if what was loaded is in the set.
    fn is_in(&mut self, set: &str) {
        expression(self.out, "lookup\0", |out| {
            attribute(out, nft::LOOKUP_SET, set);
            attribute(out, nft::LOOKUP_SREG, (libc::NFT_REG_1 as u32).to_be_bytes());
        });
    }

    fn count_and_drop(&mut self) {
        expression(self.out, "counter\0", |_| {});
        self.decide(libc::NF_DROP);
    }

    fn let_neighbour_discovery_pass(&mut self) {
        self.load_from_header(NEXT_HEADER, 1, libc::NFT_REG_1);
        self.compare(libc::NFT_CMP_EQ, ICMPV6);
        self.is_message(&NEIGHBOUR_DISCOVERY);
        self.decide(libc::NF_ACCEPT);
    }

    /// Holds for these types of ICMPv6.
    fn is_message(&mut self, types: &std::ops::RangeInclusive<u8>) {
        self.load(libc::NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, libc::NFT_REG_1);
        self.compare(libc::NFT_CMP_GTE, *types.start());
        self.compare(libc::NFT_CMP_LTE, *types.end());
    }

    fn decide(&mut self, verdict: libc::c_int) {
        expression(self.out, "immediate\0", |out| {
            attribute(out, nft::IMMEDIATE_DREG, (libc::NFT_REG_VERDICT as u32).to_be_bytes());
            nest(out, nft::IMMEDIATE_DATA, |out| {
                nest(out, nft::DATA_VERDICT, |out| {
                    attribute(out, nft::VERDICT_CODE, (verdict as u32).to_be_bytes());
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
