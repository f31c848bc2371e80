//! Lists of addresses: `virtual_ipaddress`, `virtual_ipaddress_excluded`, `static_ipaddress`, `unicast_peer`.

use std::iter::Peekable;
use std::net::{IpAddr, Ipv4Addr};
use std::slice;

use engine::{AddressFlags, Scope, VirtualAddress};

use super::iproute::{Kind, Names};
use super::tracking::hint_several;
use super::{values, virtual_mac};
use crate::diagnostic::{Findings, MISSING_VALUE};
use crate::keywords::Block;
use crate::source::Span;
use crate::statement::{Statement, refuse_block};
use crate::suggest::nearest;
use crate::syntax::Word;

type Words<'a> = Peekable<slice::Iter<'a, Word>>;

/// An address with its options.
pub(super) struct Address<'a> {
    pub(super) address: VirtualAddress,
    /// Where it stands, for later findings.
    pub(super) word: &'a Word,
    /// The `track_group` that it names.
    pub(super) group: Option<&'a Word>,
    /// Where it says `use_vmac`.
    pub(super) virtual_mac: Option<&'a Word>,
    /// It has a line of its own, or begins one.
    begins_line: bool,
}

/// Addresses that move with a role; the words at which they stand come along.
pub(super) fn addresses<'a>(
    statement: &'a Statement<'_>,
    names: &Names<'_>,
    list: &mut Vec<(VirtualAddress, &'a Word)>,
    virtual_mac: &mut virtual_mac::Asking,
    findings: &mut Findings,
) {
    for Address { address, word, group, virtual_mac: asks, begins_line } in read(statement, names, findings) {
        if let Some(group) = group {
            findings
                .error("bad-option", group.span, "`track_group` is for static addresses: this one moves with the role")
                .help("remove it; the instance's own addresses are watched anyway");
        }
        let same =
            |(other, _): &&(VirtualAddress, &Word)| other.address == address.address && other.link == address.link;
        if let Some((first, _)) = list.iter().find(same) {
            let first = first.clone();
            if statement.keyword.name == "virtual_ipaddress" && begins_line {
                // keepalived sends and expects it as often as it is written: with another count, each node would refuse what
                // the other says. The interface has it once.
                let message = format!("{} is given twice, so it is advertised twice, as by keepalived", first.address);
                findings.warning("given-twice", word.span, message).help(
                    "remove one of them, on all nodes: with different lists each refuses the other's advertisements",
                );
                list.push((first, word));
            } else {
                findings
                    .warning("given-twice", word.span, format!("{} is given twice; the first counts", first.address))
                    .help("remove one of them");
            }
        } else {
            if let Some(asks) = asks {
                virtual_mac.note_address(&address, asks.span);
            }
            list.push((address, word));
        }
    }
}

/// Addresses with their options. Those that cannot be are reported and left out.
pub(super) fn read<'a>(statement: &'a Statement<'_>, names: &Names<'_>, findings: &mut Findings) -> Vec<Address<'a>> {
    let mut list = Vec::new();
    for entry in statement.entries() {
        refuse_block(entry, "an address", findings);
        let mut words = entry.words.iter().peekable();
        let mut on_line = 0;
        while let Some(word) = words.next() {
            on_line += 1;
            hint_several(on_line, word, findings);
            let address = address_and_prefix(word, findings);
            let options = Options::read(&mut words, names, findings);
            let (Some((address, prefix)), Some(options)) = (address, options) else { continue };
            let (group, virtual_mac) = (options.group, options.virtual_mac);
            if let Some(address) = options.finish(address, prefix, word, findings) {
                list.push(Address { address, word, group, virtual_mac, begins_line: on_line == 1 });
            }
        }
    }
    list
}

/// A peer of a unicast instance, with the time to live that its advertisements must have, from the first to the last, if
/// that was said.
pub(super) type Peer = (IpAddr, Option<(u8, u8)>, Span);

/// Peers of a unicast instance.
pub(super) fn peers(statement: &Statement<'_>, list: &mut Vec<Peer>, findings: &mut Findings) {
    for entry in statement.entries() {
        let mut words = entry.words.iter().peekable();
        let mut on_line = 0;
        while let Some(word) = words.next() {
            on_line += 1;
            hint_several(on_line, word, findings);
            let peer = values::node_address(word, findings);
            let limits = time_to_live(&mut words, findings);
            let Some(peer) = peer else { continue };
            if list.iter().any(|(known, ..)| *known == peer) {
                findings.warning("given-twice", word.span, format!("the peer {peer} is given twice"));
            } else {
                list.push((peer, limits, word.span));
            }
        }
    }
}

/// `min_ttl N` and `max_ttl N` behind a peer, in any order.
fn time_to_live(words: &mut Words<'_>, findings: &mut Findings) -> Option<(u8, u8)> {
    let (mut least, mut greatest, mut last) = (None, None, None);
    while let Some(word) = words.peek().copied()
        && let Some(option) = Block::PeerOptions.find(&word.text)
    {
        words.next();
        let Some(number) = words.next() else {
            let message = format!("`{}` needs a value: {}", option.name, option.form);
            findings.error("missing-value", word.span, message).help(format!("for instance `{}`", option.example));
            break;
        };
        let value = values::whole_word(number, findings).and_then(|value| {
            let limit = u8::try_from(value).ok();
            if limit.is_none() {
                let message = format!("`{}` cannot be {value}: it takes {}", option.name, option.form);
                findings.error("out-of-range", number.span, message).help(format!("for instance `{}`", option.example));
            }
            limit
        });
        let slot = if option.name == "min_ttl" { &mut least } else { &mut greatest };
        *slot = value;
        last = Some(number.span);
    }
    let limits = (least.unwrap_or(0), greatest.unwrap_or(255));
    if let Some(span) = last.filter(|_| limits.0 > limits.1) {
        findings
            .warning("empty-range", span, format!("no TTL is from {} to {}, so all is discarded", limits.0, limits.1))
            .help("exchange the two");
    }
    (least.is_some() || greatest.is_some()).then_some(limits)
}

/// `192.0.2.1` or `192.0.2.1/24`; `None` for the prefix if there is none.
fn address_and_prefix(word: &Word, findings: &mut Findings) -> Option<(IpAddr, Option<u8>)> {
    let (address, prefix) = match word.text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (word.text.as_str(), None),
    };
    let address: IpAddr = values::address(&Word { text: address.to_owned(), ..word.clone() }, findings)?;
    let Some(prefix) = prefix else { return Some((address, None)) };
    let most = longest(address);
    let length = prefix.parse().ok().filter(|length| *length <= most && prefix.bytes().all(|b| b.is_ascii_digit()));
    if length.is_none() {
        let as_mask: Option<Ipv4Addr> = prefix.parse().ok().filter(|_| address.is_ipv4());
        let help = as_mask.map(|mask| format!("write `{address}/{}`", u32::from(mask).leading_ones()));
        findings
            .error("bad-prefix", word.span, format!("`{prefix}` is not a prefix length from 0 to {most}"))
            .maybe_help(help);
    }
    Some((address, Some(length?)))
}

const fn longest(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// What was said about the broadcast address.
#[derive(Clone, Copy)]
enum Broadcast {
    Address(IpAddr),
    /// `+`: all bits of the host set. `-`: all cleared.
    HostBits(bool),
}

impl Broadcast {
    /// The address; `None` means a mistake.
    fn address(self, address: IpAddr, prefix: u8, word: &Word, findings: &mut Findings) -> Option<IpAddr> {
        let IpAddr::V4(own) = address else {
            findings.error("bad-broadcast", word.span, "IPv6 has no broadcast").help("remove `brd`");
            return None;
        };
        match self {
            Self::Address(broadcast @ IpAddr::V4(_)) => Some(broadcast),
            Self::Address(broadcast) => {
                findings.error("bad-broadcast", word.span, format!("{broadcast} is not an IPv4 address"));
                None
            }
            Self::HostBits(set) if prefix <= 30 => {
                let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
                let bits = u32::from(own);
                Some(IpAddr::V4(Ipv4Addr::from(if set { bits | host } else { bits & !host })))
            }
            Self::HostBits(_) => {
                findings
                    .error(
                        "bad-broadcast",
                        word.span,
                        format!("a prefix of {prefix} leaves no room for a broadcast address"),
                    )
                    .help("give a prefix length of at most 30, or leave out `brd`");
                None
            }
        }
    }
}

#[derive(Default)]
struct Options<'a> {
    link: Option<engine::Name>,
    scope: Option<(Scope, &'a Word)>,
    label: Option<(engine::Name, &'a Word)>,
    broadcast: Option<Broadcast>,
    peer: Option<(IpAddr, &'a Word)>,
    /// `None` in it: for ever.
    preferred: Option<(Option<u32>, &'a Word)>,
    flags: AddressFlags,
    /// Options that only IPv6 has.
    of_ipv6: Vec<&'a Word>,
    autojoin: Option<&'a Word>,
    mngtmpaddr: Option<&'a Word>,
    untracked: bool,
    group: Option<&'a Word>,
    virtual_mac: Option<&'a Word>,
}

impl<'a> Options<'a> {
    /// Reads up to the next address. `None` if there was a mistake.
    fn read(words: &mut Words<'a>, names: &Names<'_>, findings: &mut Findings) -> Option<Self> {
        let mut options = Some(Self::default());
        while let Some(word) = words.next_if(|word| !looks_like_address(&word.text)) {
            if options.as_mut().and_then(|options| options.one(word, words, names, findings)).is_none() {
                options = None;
            }
        }
        options
    }

    fn one(&mut self, word: &'a Word, words: &mut Words<'a>, names: &Names<'_>, findings: &mut Findings) -> Option<()> {
        let Some(option) = Block::AddressOptions.find(&word.text) else {
            let meant = nearest(&word.text, Block::AddressOptions.names());
            findings
                .error("bad-option", word.span, format!("`{}` is neither an address nor an option of one", word.text))
                .maybe_help(meant.map(|meant| format!("did you mean `{meant}`?")));
            return None;
        };
        let takes_value = option.form.word_count().1 > 0;
        let value = if takes_value { words.next() } else { None };
        if takes_value && value.is_none() {
            findings.error(MISSING_VALUE, word.span, format!("`{}` needs a value: {}", option.name, option.form));
            return None;
        }
        // A flag stands for itself.
        let value = value.unwrap_or(word);
        match option.name {
            "dev" => self.link = Some(values::interface(value, findings)?),
            "scope" => {
                let number = u8::try_from(names.find(Kind::Scope, value, findings)?).ok()?;
                self.scope = Some((values::scope(number), word));
            }
            "label" => self.label = Some((label(value, findings)?, word)),
            "brd" => {
                self.broadcast = Some(match value.text.as_str() {
                    "+" => Broadcast::HostBits(true),
                    "-" => Broadcast::HostBits(false),
                    _ => Broadcast::Address(values::address(value, findings)?),
                });
            }
            "peer" => self.peer = Some((values::address(value, findings)?, value)),
            "preferred_lft" => self.preferred = Some((preferred(value, findings)?, word)),
            "home" => self.flags.home = true,
            "-nodad" => self.flags.duplicate_detection = true,
            "mngtmpaddr" => {
                self.flags.temporary_template = true;
                self.mngtmpaddr = Some(word);
            }
            "noprefixroute" => self.flags.no_prefix_route = true,
            "autojoin" => {
                self.flags.join_group = true;
                self.autojoin = Some(word);
            }
            "no_track" => self.untracked = true,
            "use_vmac" => self.virtual_mac = Some(word),
            "track_group" => self.group = Some(value),
            _ => {}
        }
        if matches!(option.name, "home" | "-nodad" | "mngtmpaddr" | "preferred_lft") {
            self.of_ipv6.push(word);
        }
        Some(())
    }

    /// Holds everything against the address. `None` if there was a mistake.
    fn finish(
        mut self,
        address: IpAddr,
        prefix: Option<u8>,
        word: &Word,
        findings: &mut Findings,
    ) -> Option<VirtualAddress> {
        let prefix = self.prefix(address, prefix, word, findings)?;
        let broadcast = match self.broadcast {
            Some(broadcast) => Some(broadcast.address(address, prefix, word, findings)?),
            None => None,
        };
        if let Some(word) = self.autojoin.filter(|_| !address.is_multicast()) {
            findings
                .error("bad-option", word.span, format!("`autojoin` joins a multicast group, and {address} is none"))
                .help("remove it");
            return None;
        }
        let mut preferred = self.preferred.and_then(|(preferred, _)| preferred);
        if address.is_ipv4() {
            for word in &self.of_ipv6 {
                findings
                    .warning("other-family", word.span, format!("`{}` says nothing about an IPv4 address", word.text))
                    .help("remove it");
            }
            preferred = None;
            self.flags =
                AddressFlags { home: false, duplicate_detection: false, temporary_template: false, ..self.flags };
        } else {
            if let Some(word) = self.mngtmpaddr.filter(|_| prefix != 64) {
                findings
                    .error("bad-option", word.span, "temporary addresses are made of a prefix of 64 bits only")
                    .help(format!("write `{address}/64`, or remove `mngtmpaddr`"));
                return None;
            }
            let of_ipv4 =
                self.scope.take().map(|(_, word)| word).into_iter().chain(self.label.take().map(|(_, word)| word));
            for word in of_ipv4 {
                findings
                    .warning("other-family", word.span, format!("`{}` says nothing about an IPv6 address", word.text))
                    .help("remove it");
            }
            // A single address is for those who connect to it, not for what this host begins.
            if self.preferred.is_none() && prefix == 128 {
                preferred = Some(0);
            }
        }
        Some(VirtualAddress {
            link: self.link,
            scope: self.scope.map_or(Scope::Global, |(scope, _)| scope),
            label: self.label.map(|(label, _)| label),
            broadcast,
            peer: self.peer.map(|(peer, _)| peer),
            preferred,
            flags: self.flags,
            tracked: !self.untracked,
            ..VirtualAddress::new(address, prefix)
        })
    }

    /// Of a link with two ends each is a network of its own.
    fn prefix(&self, address: IpAddr, prefix: Option<u8>, word: &Word, findings: &mut Findings) -> Option<u8> {
        let most = longest(address);
        let Some((peer, peer_word)) = self.peer else { return Some(prefix.unwrap_or(most)) };
        if peer.is_ipv4() != address.is_ipv4() {
            findings.error("mixed-families", peer_word.span, format!("{peer} is of the other family than {address}"));
            return None;
        }
        if prefix.is_some_and(|prefix| prefix != most) {
            findings
                .warning("extra-words", word.span, "an address with a `peer` has no prefix; this one is ignored")
                .help(format!("write `{address} peer {peer}`"));
        }
        Some(most)
    }
}

/// An address starts with a digit or has two colons; no option does. A definition that is missing was one, too.
fn looks_like_address(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '$') || text.matches(':').count() >= 2
}

/// Seconds, or `forever`.
fn preferred(word: &Word, findings: &mut Findings) -> Option<Option<u32>> {
    if word.text == "forever" {
        return Some(None);
    }
    // The greatest number means "for ever" to the kernel.
    let seconds = word.text.parse().ok().filter(|seconds| *seconds < u32::MAX);
    let seconds = seconds.filter(|_| word.text.bytes().all(|byte| byte.is_ascii_digit()));
    if seconds.is_none() {
        findings
            .error("bad-number", word.span, format!("`{}` is neither a number of seconds nor `forever`", word.text))
            .help("for instance `preferred_lft 0`, so that this host never begins anything from there");
    }
    seconds.map(Some)
}

fn label(word: &Word, findings: &mut Findings) -> Option<engine::Name> {
    // IFNAMSIZ: the kernel keeps 15 bytes and an end mark.
    if word.text.is_empty() || word.text.len() > 15 {
        findings
            .error("bad-label", word.span, format!("`{}` is not 1 to 15 characters long", word.text))
            .help("the kernel keeps no longer label; for instance `eth0:vip`");
        return None;
    }
    Some(word.text.as_str().into())
}
