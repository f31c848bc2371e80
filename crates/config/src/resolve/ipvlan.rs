//! `use_ipvlan`: an interface with the MAC address of the one below and addresses of its own.

use std::net::IpAddr;

use engine::{Name, VirtualAddress};

use super::iproute::{Kind, Names};
use super::values;
use crate::diagnostic::Findings;
use crate::settings::{Ipvlan, IpvlanMode};
use crate::source::Span;
use crate::statement::Statement;
use crate::syntax::Word;

/// What the words say.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) span: Span,
    pub(super) name: Option<(Name, Span)>,
    pub(super) group: Option<u32>,
    pub(super) ipvlan: Ipvlan,
    /// An address is there, although it may be none.
    pub(super) says_address: bool,
}

impl Asked {
    pub(super) fn read(statement: &Statement<'_>, names: &Names<'_>, findings: &mut Findings) -> Self {
        let ipvlan = Ipvlan { mode: IpvlanMode::Bridge, address: None };
        let mut asked = Self { span: statement.span, name: None, group: None, ipvlan, says_address: false };
        let mut words = statement.values.iter().peekable();
        while let Some(word) = words.next() {
            match (word.text.as_str(), words.peek().copied()) {
                ("name", Some(value)) => {
                    words.next();
                    asked.take_name(value, findings);
                }
                ("group", Some(value)) => {
                    words.next();
                    asked.group = names.find(Kind::LinkGroup, value, findings);
                }
                ("name" | "group", None) => {
                    findings
                        .error("missing-value", word.span, format!("`{}` needs a value", word.text))
                        .help(format!("for instance `{}`", statement.keyword.example));
                }
                ("bridge", _) => asked.ipvlan.mode = IpvlanMode::Bridge,
                ("private", _) => asked.ipvlan.mode = IpvlanMode::Private,
                ("vepa", _) => asked.ipvlan.mode = IpvlanMode::Vepa,
                (text, _) if looks_like_an_address(text) => asked.take_address(word, findings),
                _ => asked.take_name(word, findings),
            }
        }
        asked
    }

    fn take_name(&mut self, word: &Word, findings: &mut Findings) {
        if let Some((name, _)) = &self.name {
            findings
                .error("bad-option", word.span, format!("the interface has a name already: {name}"))
                .help("besides, there may be an address, and `bridge`, `private` or `vepa`");
        } else {
            self.name = values::interface(word, findings).map(|name| (name, word.span));
        }
    }

    fn take_address(&mut self, word: &Word, findings: &mut Findings) {
        self.says_address = true;
        let (text, prefix) =
            word.text.split_once('/').map_or((&*word.text, None), |(text, prefix)| (text, Some(prefix)));
        let Some(address) = values::address(&Word { text: text.to_owned(), ..word.clone() }, findings) else { return };
        let most = if address.is_ipv4() { 32 } else { 128 };
        match prefix.map_or(Ok(most), str::parse) {
            Ok(prefix) if prefix <= most => self.ipvlan.address = Some((address, prefix)),
            _ => {
                findings
                    .error("bad-address", word.span, format!("`{}` has no prefix length of its family", word.text))
                    .help(format!("write `{address}`, or `{address}/{}`", if most == 32 { 24 } else { 64 }));
            }
        }
    }
}

/// An interface may be called `10.1`, but not `10.1.2.3`.
fn looks_like_an_address(text: &str) -> bool {
    let before = text.split_once('/').map_or(text, |(before, _)| before);
    text.contains(':') || before.parse::<IpAddr>().is_ok()
}

/// The address that the interface itself has.
pub(super) fn own_address(link: &Name, ipvlan: &Ipvlan) -> Option<VirtualAddress> {
    let (address, prefix) = ipvlan.address?;
    Some(VirtualAddress { link: Some(link.clone()), ..VirtualAddress::new(address, prefix) })
}
