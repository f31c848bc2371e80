//! Lists of addresses: `virtual_ipaddress`, `virtual_ipaddress_excluded`, `unicast_peer`.

use std::iter::Peekable;
use std::net::{IpAddr, Ipv4Addr};
use std::slice;

use engine::{Scope, VirtualAddress};

use super::tracking::hint_several;
use super::values;
use crate::diagnostic::Findings;
use crate::keywords::{Block, Status};
use crate::statement::Statement;
use crate::suggest::nearest;
use crate::syntax::Word;

type Words<'a> = Peekable<slice::Iter<'a, Word>>;

/// Addresses with their options; the words at which they stand come along for later findings.
pub(super) fn addresses<'a>(
    statement: &'a Statement<'_>,
    list: &mut Vec<(VirtualAddress, &'a Word)>,
    findings: &mut Findings,
) {
    for entry in statement.entries() {
        if let Some(block) = &entry.block {
            findings.error("unexpected-block", block.open, "an address takes no block");
        }
        let mut words = entry.words.iter().peekable();
        let mut on_line = 0;
        while let Some(word) = words.next() {
            on_line += 1;
            hint_several(on_line, word, findings);
            let address = address_and_prefix(word, findings);
            let options = Options::read(&mut words, findings);
            let (Some((address, prefix)), Some(options)) = (address, options) else { continue };
            let Some(broadcast) = options.broadcast.address(address, prefix, word, findings) else { continue };
            let address = VirtualAddress {
                address,
                prefix,
                link: options.link,
                scope: options.scope,
                label: options.label,
                broadcast,
            };
            if list.iter().any(|(other, _)| other.address == address.address && other.link == address.link) {
                findings
                    .warning("given-twice", word.span, format!("{} is given twice; the first counts", address.address))
                    .help("remove one of them");
            } else {
                list.push((address, word));
            }
        }
    }
}

/// Peers of a unicast instance, each with the time to live that its advertisements must have, if that was said.
pub(super) fn peers(statement: &Statement<'_>, list: &mut Vec<(IpAddr, Option<(u8, u8)>)>, findings: &mut Findings) {
    for entry in statement.entries() {
        let mut words = entry.words.iter().peekable();
        let mut on_line = 0;
        while let Some(word) = words.next() {
            on_line += 1;
            hint_several(on_line, word, findings);
            let peer = values::address(word, findings);
            let limits = time_to_live(&mut words, findings);
            let Some(peer) = peer else { continue };
            if list.iter().any(|(known, _)| *known == peer) {
                findings.warning("given-twice", word.span, format!("the peer {peer} is given twice"));
            } else if peer.is_ipv6() {
                no_ipv6(word, findings);
            } else {
                list.push((peer, limits));
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

/// IPv6 is known but not built.
pub(super) fn no_ipv6(word: &Word, findings: &mut Findings) {
    findings
        .error("not-built", word.span, format!("{}: IPv6 is not built yet in this version of Tanist", word.text))
        .help("keep the IPv6 instances of this machine on keepalived for now");
}

fn not_built(name: &str, word: &Word, findings: &mut Findings) {
    findings
        .error("not-built", word.span, format!("`{name}` is known but not built yet in this version of Tanist"))
        .help("remove it if you can do without it, or keep this machine on keepalived for now");
}

/// `192.0.2.1` or `192.0.2.1/24`.
fn address_and_prefix(word: &Word, findings: &mut Findings) -> Option<(IpAddr, u8)> {
    let (address, prefix) = match word.text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (word.text.as_str(), None),
    };
    let address: IpAddr = values::address(&Word { text: address.to_owned(), ..word.clone() }, findings)?;
    if address.is_ipv6() {
        no_ipv6(word, findings);
        return None;
    }
    let Some(prefix) = prefix else { return Some((address, 32)) };
    let length = prefix.parse().ok().filter(|length| *length <= 32 && prefix.bytes().all(|b| b.is_ascii_digit()));
    if length.is_none() {
        let as_mask: Option<Ipv4Addr> = prefix.parse().ok();
        let help = as_mask.map(|mask| format!("write `{address}/{}`", u32::from(mask).leading_ones()));
        findings
            .error("bad-prefix", word.span, format!("`{prefix}` is not a prefix length from 0 to 32"))
            .maybe_help(help);
    }
    Some((address, length?))
}

/// What was said about the broadcast address.
#[derive(Clone, Copy)]
enum Broadcast {
    None,
    Address(IpAddr),
    /// `+`: all bits of the host set. `-`: all cleared.
    HostBits(bool),
}

impl Broadcast {
    /// The address, if there is to be one; the outer `None` means a mistake.
    fn address(self, address: IpAddr, prefix: u8, word: &Word, findings: &mut Findings) -> Option<Option<IpAddr>> {
        match (self, address) {
            (Self::None, _) => Some(None),
            (Self::Address(broadcast), _) => Some(Some(broadcast)),
            (Self::HostBits(set), IpAddr::V4(address)) if prefix <= 30 => {
                let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
                let bits = u32::from(address);
                Some(Some(IpAddr::V4(Ipv4Addr::from(if set { bits | host } else { bits & !host }))))
            }
            (Self::HostBits(_), _) => {
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

struct Options {
    link: Option<engine::Name>,
    scope: Scope,
    label: Option<engine::Name>,
    broadcast: Broadcast,
}

impl Options {
    /// Reads up to the next address. `None` if there was a mistake.
    fn read(words: &mut Words<'_>, findings: &mut Findings) -> Option<Self> {
        let mut options = Some(Self { link: None, scope: Scope::Global, label: None, broadcast: Broadcast::None });
        while let Some(word) = words.next_if(|word| !looks_like_address(&word.text)) {
            if options.as_mut().and_then(|options| options.one(word, words, findings)).is_none() {
                options = None;
            }
        }
        options
    }

    fn one(&mut self, word: &Word, words: &mut Words<'_>, findings: &mut Findings) -> Option<()> {
        let Some(option) = Block::AddressOptions.find(&word.text) else {
            let meant = nearest(&word.text, Block::AddressOptions.names());
            findings
                .error("bad-option", word.span, format!("`{}` is neither an address nor an option of one", word.text))
                .maybe_help(meant.map(|meant| format!("did you mean `{meant}`?")));
            return None;
        };
        let value = if option.form.word_count().1 > 0 { words.next() } else { None };
        if option.status == Status::NotBuilt {
            not_built(option.name, word, findings);
            return None;
        }
        let Some(value) = value else {
            findings.error("missing-value", word.span, format!("`{}` needs a value: {}", option.name, option.form));
            return None;
        };
        match option.name {
            "dev" => self.link = Some(values::interface(value, findings)?),
            "scope" => self.scope = scope(value, findings)?,
            "label" => self.label = Some(label(value, findings)?),
            "brd" => {
                self.broadcast = match value.text.as_str() {
                    "+" => Broadcast::HostBits(true),
                    "-" => Broadcast::HostBits(false),
                    _ => Broadcast::Address(values::address(value, findings)?),
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// An address starts with a digit or has colons; no option does. A definition that is missing was one, too.
fn looks_like_address(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '$') || text.contains("::")
}

fn scope(word: &Word, findings: &mut Findings) -> Option<Scope> {
    match word.text.as_str() {
        "global" => Some(Scope::Global),
        "site" => Some(Scope::Site),
        "link" => Some(Scope::Link),
        "host" => Some(Scope::Host),
        other => {
            let number = other.parse().ok().map(|number: u8| match number {
                0 => Scope::Global,
                200 => Scope::Site,
                253 => Scope::Link,
                254 => Scope::Host,
                other => Scope::Other(other),
            });
            if number.is_none() {
                findings
                    .error("bad-scope", word.span, format!("`{other}` is no scope"))
                    .help("global, site, link, host, or a number from 0 to 255");
            }
            number
        }
    }
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
