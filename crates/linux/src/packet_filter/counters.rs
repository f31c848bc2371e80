//! How much the rules have dropped so far.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::{Batch, CHAINS, PacketFilter, attribute, first_refusal, nft};
use crate::Result;
use crate::error::refused;

/// Packets that were dropped since the rules were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// To an address.
    pub incoming: u64,
    /// From an address.
    pub outgoing: u64,
}

impl PacketFilter {
    /// What the rules of both tables have counted.
    pub fn dropped(&self) -> Result<Dropped> {
        self.look().map(|(dropped, _)| dropped)
    }

    /// Whether there are rules in the tables: somebody may have flushed them.
    pub fn is_there(&self) -> Result<bool> {
        self.look().map(|(_, rules)| rules > 0)
    }

    /// What was dropped, and how many rules there are to do it.
    fn look(&self) -> Result<(Dropped, usize)> {
        let (mut dropped, mut rules) = (Dropped::default(), 0);
        for family in [libc::NFPROTO_IPV4, libc::NFPROTO_IPV6] {
            self.count(family, &mut dropped, &mut rules)?;
        }
        Ok((dropped, rules))
    }

    fn count(&self, family: libc::c_int, dropped: &mut Dropped, rules: &mut usize) -> Result<()> {
        const ACTION: &str = "ask nftables how much it has dropped";
        let failed = refused(ACTION);
        let mut answers = super::room_for_answers(ACTION)?;
        let question = Batch::question(family, &self.table, |batch| {
            let table = std::sync::Arc::clone(&batch.table);
            batch.request(libc::NFT_MSG_GETRULE, libc::NLM_F_DUMP, |out| attribute(out, nft::RULE_TABLE, table));
        });
        send(&self.socket, &question, SendFlags::empty()).map_err(&failed)?;
        loop {
            let length = match recv(&self.socket, &mut answers[..], RecvFlags::empty()) {
                Ok((length, _)) => length,
                Err(Errno::INTR) => continue,
                // All of it is there before `send` and `recv` come back.
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(failed(errno)),
            };
            let answers = &answers[..length];
            match first_refusal(answers) {
                // Where there is no such table, nothing is dropped.
                Some(libc::ENOENT) => return Ok(()),
                Some(errno) => return Err(failed(Errno::from_raw_os_error(errno))),
                None if !add_up(answers, dropped, rules) => return Ok(()),
                None => {}
            }
        }
    }
}

/// Adds what the rules in these messages have counted; `false` behind the last one.
pub(crate) fn add_up(mut answers: &[u8], dropped: &mut Dropped, rules: &mut usize) -> bool {
    let [input, output] = &CHAINS;
    while let Some((header, _)) = answers.split_first_chunk::<16>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = i32::from(u16::from_ne_bytes([header[4], header[5]]));
        if kind == libc::NLMSG_DONE || kind == libc::NLMSG_ERROR {
            return false;
        }
        // Behind its header a message has four octets about its family.
        let Some(rule) = answers.get(20..length) else { return false };
        *rules += 1;
        let chain = find(rule, nft::RULE_CHAIN).unwrap_or_default();
        let packets = counted(rule);
        if chain == input.name.as_bytes() {
            dropped.incoming = dropped.incoming.saturating_add(packets);
        } else if chain == output.name.as_bytes() {
            dropped.outgoing = dropped.outgoing.saturating_add(packets);
        }
        answers = answers.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}

fn counted(rule: &[u8]) -> u64 {
    const COUNTER_PACKETS: u16 = 2;
    let expressions = attributes(find(rule, nft::RULE_EXPRESSIONS).unwrap_or_default());
    let counters =
        expressions.map(|(_, it)| it).filter(|it| find(it, nft::EXPR_NAME).is_some_and(|name| name == b"counter\0"));
    let packets = counters.filter_map(|it| find(find(it, nft::EXPR_DATA)?, COUNTER_PACKETS)?.try_into().ok());
    packets.map(u64::from_be_bytes).fold(0, u64::saturating_add)
}

fn find(octets: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(octets).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

fn attributes(mut octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, _) = octets.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & !(libc::NLA_F_NESTED as u16);
        let value = octets.get(4..length)?;
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}
