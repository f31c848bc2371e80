//! Entries that are a line of options with values: routes and rules.

use std::net::IpAddr;
use std::slice;

use engine::{Family, Name, Network, Realms};

use super::iproute::{Kind, Names, number};
use super::values;
use crate::diagnostic::{Findings, MISSING_VALUE};
use crate::keywords::{Block, Keyword, Status};
use crate::statement::refuse_block;
use crate::suggest::nearest;
use crate::syntax::{Entry, Word};

/// The words of one entry, and what reading them needs.
pub(super) struct Line<'a, 'n, 'f> {
    words: slice::Iter<'a, Word>,
    pub(super) names: &'n Names<'n>,
    pub(super) findings: &'f mut Findings,
    /// Something was wrong, and was told.
    pub(super) bad: bool,
}

impl<'a, 'n, 'f> Line<'a, 'n, 'f> {
    pub(super) fn new(entry: &'a Entry, names: &'n Names<'n>, findings: &'f mut Findings) -> Self {
        refuse_block(entry, "an entry of this list", findings);
        Self { words: entry.words.iter(), names, findings, bad: entry.block.is_some() }
    }

    pub(super) fn next(&mut self) -> Option<&'a Word> {
        self.words.next()
    }

    /// The next word if it is this one.
    pub(super) fn next_if(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.text == text);
        if found {
            self.words.next();
        }
        found
    }

    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words.as_slice().first()
    }

    /// The option that a word is, if it is one and can be used.
    pub(super) fn option(&mut self, place: Block, word: &Word) -> Option<&'static Keyword> {
        let option = place.find(&word.text)?;
        match option.status {
            Status::Works => {}
            Status::NotBuilt => {
                self.wrong(
                    "not-built",
                    word,
                    format!("`{}` is known but not built yet in this version of Tanist", word.text),
                )
                .help("remove it if you can do without it, or keep this machine on keepalived for now");
            }
            Status::IgnoredBecause(reason) => {
                self.findings.hint_once(
                    "no-effect",
                    word.span,
                    format!("`{}` has no effect: {reason}", word.text),
                    option.name,
                );
            }
        }
        Some(option)
    }

    /// Reports a word that is no option. What follows it may be its value, so nothing is said about that.
    pub(super) fn unknown(&mut self, place: Block, word: &Word) {
        let meant = nearest(&word.text, place.names());
        let message = format!("`{}` is no option of {}", word.text, place.title());
        self.wrong("bad-option", word, message).maybe_help(meant.map(|meant| format!("did you mean `{meant}`?")));
        self.words = [].iter();
    }

    pub(super) fn wrong(
        &mut self,
        code: &'static str,
        word: &Word,
        message: impl Into<String>,
    ) -> &mut crate::diagnostic::Finding {
        self.bad = true;
        self.findings.error(code, word.span, message)
    }

    /// The value of an option; that it is missing is told.
    pub(super) fn value(&mut self, option: &Keyword, word: &Word) -> Option<&'a Word> {
        let value = self.words.next();
        if value.is_none() {
            self.wrong(MISSING_VALUE, word, format!("`{}` needs a value: {}", word.text, option.form))
                .help(format!("for instance `{}`", option.example));
        }
        value
    }

    /// A number in this range.
    pub(super) fn number(&mut self, option: &Keyword, word: &Word, least: u64, most: u64) -> Option<u64> {
        let value = self.value(option, word)?;
        let found = number(&value.text).filter(|number| (least..=most).contains(number));
        if found.is_none() {
            let message = format!("`{}` cannot be {}: it takes a number from {least} to {most}", word.text, value.text);
            self.wrong("out-of-range", value, message).help(format!("for instance `{}`", option.example));
        }
        found
    }

    pub(super) fn number32(&mut self, option: &Keyword, word: &Word, least: u32, most: u32) -> Option<u32> {
        self.number(option, word, least.into(), most.into()).and_then(|number| u32::try_from(number).ok())
    }

    /// A name or a number of this kind.
    pub(super) fn named(&mut self, option: &Keyword, word: &Word, kind: Kind) -> Option<u32> {
        let value = self.value(option, word)?;
        self.named_word(value, kind)
    }

    pub(super) fn named_word(&mut self, word: &Word, kind: Kind) -> Option<u32> {
        let found = self.names.find(kind, word, self.findings);
        self.bad |= found.is_none();
        found
    }

    pub(super) fn octet(&mut self, option: &Keyword, word: &Word, kind: Kind) -> Option<u8> {
        self.named(option, word, kind).and_then(|number| u8::try_from(number).ok())
    }

    /// A type of service. The kernel keeps the two lowest bits for itself (RFC 3168).
    pub(super) fn tos(&mut self, option: &Keyword, word: &Word) -> Option<u8> {
        let value = self.peek();
        let tos = self.octet(option, word, Kind::Dsfield)?;
        if tos & 3 != 0 {
            self.wrong(
                "out-of-range",
                value.unwrap_or(word),
                format!("a type of service of {tos:#04x} has bits that are ECN's"),
            )
            .help(format!("the nearest without them is {:#04x}", tos & !3));
            return None;
        }
        Some(tos)
    }

    pub(super) fn interface(&mut self, option: &Keyword, word: &Word) -> Option<Name> {
        let value = self.value(option, word)?;
        let found = values::interface(value, self.findings);
        self.bad |= found.is_none();
        found
    }

    pub(super) fn address(&mut self, option: &Keyword, word: &Word) -> Option<IpAddr> {
        let value = self.value(option, word)?;
        self.address_word(value)
    }

    pub(super) fn address_word(&mut self, word: &Word) -> Option<IpAddr> {
        let found = values::address(word, self.findings);
        self.bad |= found.is_none();
        found
    }

    /// `TO` or `FROM/TO`, by name or by number.
    pub(super) fn realms(&mut self, option: &Keyword, word: &Word) -> Option<Realms> {
        let value = self.value(option, word)?;
        let part = |text: &str| Word { text: text.to_owned(), ..value.clone() };
        let (from, to) = match value.text.split_once('/') {
            Some((from, to)) => (Some(part(from)), part(to)),
            None => (None, part(&value.text)),
        };
        let from = match from {
            Some(from) => self.named_word(&from, Kind::Realm)?,
            None => 0,
        };
        let to = self.named_word(&to, Kind::Realm)?;
        // Neither is more than a realm can be.
        Some(Realms { from: u16::try_from(from).ok()?, to: u16::try_from(to).ok()? })
    }
}

/// What a word says about where packets come from or go to.
pub(super) enum Target {
    /// `default`, `all` or `any`: everything of a family that others decide.
    Everything,
    Network(Network),
}

impl Target {
    /// Where it has one.
    pub(super) const fn family(&self) -> Option<Family> {
        match self {
            Self::Everything => None,
            Self::Network(network) => Some(network.family()),
        }
    }
}

/// `192.0.2.0/24`, `192.0.2.1`, `default`; `None` if it is none of them. Host bits may be set.
pub(super) fn target(text: &str) -> Option<Target> {
    if matches!(text, "default" | "all" | "any") {
        return Some(Target::Everything);
    }
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) => number(prefix).and_then(|length| u8::try_from(length).ok()).filter(|length| *length <= most)?,
        None => most,
    };
    Some(Target::Network(Network { address, prefix }))
}

/// The same without bits behind the prefix.
pub(super) fn without_host_bits(network: Network) -> Network {
    let Network { address, prefix } = network;
    let address = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    };
    Network { address, prefix }
}
