//! Virtual interfaces: which are made for an instance, what they are called, and what is on them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use engine::{Family, Name, Static, VirtualAddress, Vrid};

use super::global::Defaults;
use super::iproute::{Kind, Names};
use super::{ipvlan, values};
use crate::diagnostic::Findings;
use crate::settings::{VirtualKind, VirtualLink, VirtualMac, names};
use crate::source::Span;
use crate::statement::Statement;
use crate::syntax::Word;

/// 00-00-5E-00-01-{VRID} and 00-00-5E-00-02-{VRID} are the standard's (RFC 9568 §7.3).
const OF_THE_STANDARD: [u8; 4] = [0x00, 0x00, 0x5e, 0x00];
/// `IFNAMSIZ` less the end mark, a number, a dot and a VRID.
const LONGEST_PREFIX: usize = 15 - 2 - 1 - 3;

/// What an instance asks for.
#[derive(Debug, Default)]
pub(super) struct Asking {
    own: Option<Own>,
    ipvlan: Option<ipvlan::Asked>,
    /// `use_vmac_addr`.
    elsewhere: Option<Span>,
    /// `vmac_xmit_base`.
    speaks_below: Option<Span>,
    /// Addresses with a `use_vmac` of their own.
    addresses: Vec<(IpAddr, Option<Name>, Span)>,
}

/// `use_vmac`.
#[derive(Debug)]
struct Own {
    span: Span,
    name: Option<(Name, Span)>,
    mac: Option<Mac>,
    group: Option<u32>,
    retells_base: bool,
}

#[derive(Clone, Copy, Debug)]
enum Mac {
    Whole([u8; 6]),
    /// The VRID follows.
    Start([u8; 5]),
}

/// The instance that asks.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) name: &'a Word,
    pub(super) link: &'a Name,
    pub(super) vrid: Vrid,
    pub(super) family: Family,
    pub(super) by_unicast: bool,
    pub(super) strict: bool,
}

/// What comes of it.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The interface that the instance's addresses are on, if that is not its own.
    pub(super) link: Option<Name>,
    pub(super) virtual_mac: Option<VirtualMac>,
    /// Where it speaks from if nothing else is said.
    pub(super) source: Option<IpAddr>,
}

impl Asking {
    /// Whether the statement is about this.
    pub(super) fn take(&mut self, statement: &Statement<'_>, names: &Names<'_>, findings: &mut Findings) -> bool {
        match statement.keyword.name {
            "use_vmac" => {
                let own = Own::read(statement, names, findings);
                self.own = Some(match self.own.take() {
                    Some(first) => first.completed_by(own),
                    None => own,
                });
            }
            "use_ipvlan" => {
                let asked = ipvlan::Asked::read(statement, names, findings);
                // Given twice, the first one counts.
                self.ipvlan.get_or_insert(asked);
            }
            "use_vmac_addr" => self.elsewhere = Some(statement.span),
            "vmac_xmit_base" => self.speaks_below = Some(statement.span),
            _ => return false,
        }
        true
    }

    /// What would stand on the instance's own interface, if anything would.
    pub(super) fn stands_on_own_interface(&self) -> Option<(Span, &'static str)> {
        let own = self.own.as_ref().map(|own| (own.span, "use_vmac"));
        own.or_else(|| self.ipvlan.as_ref().map(|asked| (asked.span, "use_ipvlan")))
    }

    /// An address says `use_vmac`.
    pub(super) fn note_address(&mut self, address: &VirtualAddress, span: Span) {
        self.addresses.push((address.address, address.link.clone(), span));
    }

    /// The addresses that name no interface are on this one.
    pub(super) fn place(&mut self, link: &Name) {
        for (_, place, _) in &mut self.addresses {
            place.get_or_insert_with(|| link.clone());
        }
    }

    /// Has the interfaces made, and puts the addresses on them.
    pub(super) fn resolve<'v>(
        self,
        about: &About<'_>,
        addresses: impl Iterator<Item = &'v mut VirtualAddress>,
        links: &mut VirtualLinks,
        findings: &mut Findings,
    ) -> Resolved {
        let ipvlan = self.ipvlan.as_ref().and_then(|asked| self.make_ipvlan(asked, about, links, findings));
        let given = self.own.as_ref().and_then(|own| own.mac);
        let mac = |family| match given {
            Some(Mac::Whole(mac)) => mac,
            Some(Mac::Start([a, b, c, d, e])) => [a, b, c, d, e, about.vrid.get()],
            None => of_the_standard(family, about.vrid),
        };
        if let Some(span) = self.speaks_below.filter(|_| self.own.is_none()) {
            findings
                .warning("xmit-base-unused", span, "`vmac_xmit_base` is ignored: there is no `use_vmac`")
                .help("add `use_vmac`, or remove it");
        }
        let speaks_below = self.speaks_below.filter(|_| self.own.is_some());
        if let Some(span) = speaks_below.filter(|_| about.strict) {
            findings
                .warning(
                    "strict",
                    span,
                    "`vmac_xmit_base` is ignored: the standard (`vrrp_strict`) wants advertisements from the virtual MAC",
                )
                .help("remove it, or `vrrp_strict`");
        }
        let own = self.own.as_ref().and_then(|own| {
            if about.by_unicast && speaks_below.is_none() {
                findings
                    .warning("xmit-base", own.span, "advertisements by unicast leave by the interface below")
                    .help("add `vmac_xmit_base`, which says so");
            }
            let name = links.name(own.name.as_ref(), about, findings)?;
            let wish = VirtualLink {
                named: own.name.is_some(),
                prefix: links.prefix.clone(),
                group: own.group,
                retells_base: own.retells_base,
                needs_base: false,
                ..links.plain(name, about, about.link, (macvlan(mac(about.family)), about.family))
            };
            links.make(wish, about, own.span, findings)
        });
        let (own, speaks_otherwise) = (own.or_else(|| ipvlan.clone()), ipvlan.is_some());
        for address in addresses {
            let place = (address.address, &address.link);
            let asks = self.addresses.iter().find(|(address, link, _)| (*address, link) == place);
            let base = address.link.clone().unwrap_or_else(|| about.link.clone());
            let family = if address.address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
            let at_home = base == *about.link;
            // One of the other family stays at home on the interface below, whose MAC address is as good as any.
            let anyway = match at_home {
                true => own.is_some() && family == about.family,
                false => self.elsewhere.is_some(),
            };
            if let Some((.., span)) = asks.filter(|_| anyway) {
                let keyword = if at_home { "use_vmac" } else { "use_vmac_addr" };
                findings
                    .warning("use-vmac-twice", *span, format!("`use_vmac` says nothing here beside `{keyword}`"))
                    .help("remove one of them");
            }
            let own = own.as_ref().filter(|_| at_home && family == about.family);
            if let Some(own) = own {
                address.link = Some(own.clone());
            } else if anyway || asks.is_some() {
                let span = asks.map_or(about.name.span, |(.., span)| *span);
                let made = links.for_addresses(&base, (macvlan(mac(family)), family), about, span, findings);
                address.link = made.or(address.link.take());
            }
        }
        let speaks = !about.by_unicast && speaks_below.is_none_or(|_| about.strict);
        // An ipvlan has the MAC address of the interface below: nobody can tell by which of the two an advertisement comes.
        let virtual_mac = own.clone().filter(|_| !speaks_otherwise).map(|link| VirtualMac { link, speaks });
        let source = self.ipvlan.and_then(|asked| asked.ipvlan.address).filter(|_| ipvlan.is_some());
        Resolved { link: own, virtual_mac, source: source.map(|(address, _)| address) }
    }

    fn make_ipvlan(
        &self,
        asked: &ipvlan::Asked,
        about: &About<'_>,
        links: &mut VirtualLinks,
        findings: &mut Findings,
    ) -> Option<Name> {
        if self.own.is_some() {
            findings
                .error("two-interfaces", asked.span, "`use_ipvlan` does not go with `use_vmac`")
                .help("remove one: the addresses of an instance are on one interface");
            return None;
        }
        let is_of_family = |address: IpAddr| address.is_ipv4() == (about.family == Family::Ipv4);
        match asked.ipvlan.address {
            Some((address, _)) if !is_of_family(address) => {
                findings
                    .error(
                        "other-family",
                        asked.span,
                        format!("{address} is not of the family of `{}`", about.name.text),
                    )
                    .help("advertisements come from there: give one of its family");
                return None;
            }
            None if asked.says_address => return None,
            None if about.family == Family::Ipv4 => {
                findings
                    .error("missing-value", asked.span, "over IPv4, `use_ipvlan` needs an address")
                    .help("advertisements come from there: for instance `use_ipvlan 192.0.2.11/24`");
                return None;
            }
            Some(_) | None => {}
        }
        let name = links.name(asked.name.as_ref(), about, findings)?;
        let wish = VirtualLink {
            named: asked.name.is_some(),
            prefix: links.prefix.clone(),
            group: asked.group,
            needs_base: false,
            ..links.plain(name, about, about.link, (VirtualKind::Ipvlan(asked.ipvlan), about.family))
        };
        links.make(wish, about, asked.span, findings)
    }
}

const fn macvlan(mac: [u8; 6]) -> VirtualKind {
    VirtualKind::Macvlan { mac }
}

/// RFC 9568 §7.3: 00-00-5E-00-01-{VRID} over IPv4, 00-00-5E-00-02-{VRID} over IPv6.
fn of_the_standard(family: Family, vrid: Vrid) -> [u8; 6] {
    let [a, b, c, d] = OF_THE_STANDARD;
    let family = match family {
        Family::Ipv4 => 1,
        Family::Ipv6 => 2,
    };
    [a, b, c, d, family, vrid.get()]
}

impl Own {
    fn read(statement: &Statement<'_>, names: &Names<'_>, findings: &mut Findings) -> Self {
        let mut own = Self { span: statement.span, name: None, mac: None, group: None, retells_base: false };
        let mut words = statement.values.iter().peekable();
        while let Some(word) = words.next() {
            match (word.text.as_str(), words.peek().copied()) {
                ("name", Some(value)) => {
                    words.next();
                    own.take_name(value, findings);
                }
                ("group", Some(value)) => {
                    words.next();
                    own.group = names.find(Kind::LinkGroup, value, findings);
                }
                ("name" | "group", None) => {
                    findings
                        .error("missing-value", word.span, format!("`{}` needs a value", word.text))
                        .help(format!("for instance `{}`", statement.keyword.example));
                }
                ("netlink_notify_msg", _) => own.retells_base = true,
                (text, _) if text.contains(':') => own.mac = mac(word, findings).or(own.mac),
                _ => own.take_name(word, findings),
            }
        }
        own
    }

    /// Given twice, the first one counts, and the other one for what that does not say.
    fn completed_by(self, other: Self) -> Self {
        Self {
            span: self.span,
            name: self.name.or(other.name),
            mac: self.mac.or(other.mac),
            group: self.group.or(other.group),
            retells_base: self.retells_base || other.retells_base,
        }
    }

    fn take_name(&mut self, word: &Word, findings: &mut Findings) {
        if let Some((name, _)) = &self.name {
            findings
                .error("bad-option", word.span, format!("the interface has a name already: {name}"))
                .help("a MAC address has colons: for instance `use_vmac vrrp.51 02:00:00:00:00:51`");
        } else {
            self.name = values::interface(word, findings).map(|name| (name, word.span));
        }
    }
}

/// Six octets, or five, behind which the VRID comes.
fn mac(word: &Word, findings: &mut Findings) -> Option<Mac> {
    let octet = |text: &str| u8::from_str_radix(text, 16).ok().filter(|_| (1..=2).contains(&text.len()));
    let octets: Option<Vec<u8>> = word.text.split(':').map(octet).collect();
    let mut wrong = |what: String, help: &str| {
        findings.error("bad-mac", word.span, what).help(help);
    };
    let octets = octets.unwrap_or_default();
    let read = match *octets.as_slice() {
        [a, b, c, d, e, f] => Mac::Whole([a, b, c, d, e, f]),
        [a, b, c, d, e] => Mac::Start([a, b, c, d, e]),
        _ => {
            let help = "write six octets, or five, behind which the virtual_router_id comes: `02:00:00:00:00`";
            wrong(format!("`{}` is no MAC address", word.text), help);
            return None;
        }
    };
    if octets[0] & 1 != 0 {
        wrong(
            format!("{} is a multicast address, which no interface can have", word.text),
            "clear its lowest bit: `02:…`",
        );
        return None;
    }
    if octets.starts_with(&OF_THE_STANDARD) && matches!(octets[4], 1 | 2) {
        let help = "leave it out: that of this virtual router is used by itself";
        wrong(format!("{} is for virtual routers of the standard", word.text), help);
        return None;
    }
    Some(read)
}

/// Start of the names that nobody chooses.
pub(super) fn prefix(statement: &Statement<'_>, findings: &mut Findings) -> Option<String> {
    let word = statement.value();
    let prefix = values::interface(word, findings)?;
    if prefix.len() > LONGEST_PREFIX {
        findings.error("bad-interface", word.span, format!("`{prefix}` is too long to begin names with")).help(
            format!("a number, a dot and a VRID follow, and 15 characters are the most: give at most {LONGEST_PREFIX}"),
        );
        return None;
    }
    Some(prefix.to_string())
}

/// The interfaces that are made.
pub(super) struct VirtualLinks {
    pub(super) made: Vec<VirtualLink>,
    /// For whom each is made, in the same order.
    owners: Vec<Name>,
    prefix: String,
    address_prefix: String,
}

impl VirtualLinks {
    pub(super) fn new(defaults: &Defaults) -> Self {
        let (prefix, others) = defaults.virtual_names.clone();
        let address_prefix = others.unwrap_or_else(|| prefix.clone());
        Self { made: Vec::new(), owners: Vec::new(), prefix, address_prefix }
    }

    /// What nobody has said anything about.
    fn plain(&self, name: Name, about: &About<'_>, base: &Name, (kind, family): (VirtualKind, Family)) -> VirtualLink {
        let (prefix, base, vrid) = (self.address_prefix.clone(), base.clone(), about.vrid);
        let (named, group, retells_base, needs_base) = (false, None, false, true);
        VirtualLink { name, named, prefix, vrid, base, kind, family, group, retells_base, needs_base }
    }

    /// The name of an instance's own.
    fn name(&self, given: Option<&(Name, Span)>, about: &About<'_>, findings: &mut Findings) -> Option<Name> {
        let Some((name, span)) = given else { return Some(self.free_name(&self.prefix, about.vrid)) };
        if name == about.link || self.made.iter().any(|link| link.name == *name) {
            findings
                .error("bad-interface", *span, format!("another interface is called {name}"))
                .help("give it a name of its own, or none");
            return None;
        }
        Some(name.clone())
    }

    fn free_name(&self, prefix: &str, vrid: Vrid) -> Name {
        let mut names = names(prefix, vrid).map(|name| Name::from(name.as_str()));
        let is_free = |name: &Name| !self.made.iter().any(|link| link.name == *name);
        names.find(is_free).expect("numbers do not end before interfaces do")
    }

    /// The one for addresses of this instance on `base`.
    fn for_addresses(
        &mut self,
        base: &Name,
        (kind, family): (VirtualKind, Family),
        about: &About<'_>,
        span: Span,
        findings: &mut Findings,
    ) -> Option<Name> {
        let owned = self.made.iter().zip(&self.owners).filter(|(_, owner)| ***owner == about.name.text);
        if let Some((known, _)) =
            owned.into_iter().find(|(link, _)| (&link.base, link.kind, link.family) == (base, kind, family))
        {
            return Some(known.name.clone());
        }
        let name = self.free_name(&self.address_prefix, about.vrid);
        self.make(self.plain(name, about, base, (kind, family)), about, span, findings)
    }

    /// An interface takes each MAC address once.
    fn make(&mut self, wish: VirtualLink, about: &About<'_>, span: Span, findings: &mut Findings) -> Option<Name> {
        let alike = self
            .made
            .iter()
            .position(|link| link.base == wish.base && link.mac().is_some() && link.mac() == wish.mac());
        if let Some(place) = alike {
            let message =
                format!("`{}` has an interface with this MAC address on {} already", self.owners[place], wish.base);
            findings
                .error("same-mac", span, message)
                .help("give one of the two another virtual_router_id, or a MAC address of its own in `use_vmac`");
            return None;
        }
        // The kernel has one mode of ipvlans for each interface, and nothing else beside them.
        let other = self.made.iter().position(|link| link.base == wish.base && !go_together(link.kind, wish.kind));
        if let Some(place) = other {
            let message = format!(
                "`{}` has another kind of virtual interface on {}, and the kernel takes one kind only",
                self.owners[place], wish.base
            );
            findings.error("other-kind", span, message).help(
                "say `use_vmac` in all instances of an interface, or `use_ipvlan` with the same mode (bridge, private or vepa)",
            );
            return None;
        }
        let name = wish.name.clone();
        self.made.push(wish);
        self.owners.push(about.name.text.as_str().into());
        Some(name)
    }

    /// The addresses that are on them all the time.
    pub(super) fn own_addresses(&self) -> impl Iterator<Item = Static<VirtualAddress>> + '_ {
        let own = |link: &VirtualLink| match &link.kind {
            VirtualKind::Ipvlan(made) => ipvlan::own_address(&link.name, made),
            VirtualKind::Macvlan { .. } => None,
        };
        self.made.iter().filter_map(own).map(|what| Static { what, group: None })
    }

    /// The interfaces with addresses that no advertisement leaves by: `all` of them, or those with a MAC address of their
    /// own.
    pub(super) fn beside<'v>(
        &self,
        link: &Name,
        own: Option<&VirtualMac>,
        addresses: impl Iterator<Item = &'v VirtualAddress>,
        all: bool,
    ) -> BTreeSet<Name> {
        let way = own.filter(|own| own.speaks).map_or(link, |own| &own.link);
        let links = addresses.map(|address| address.link.as_ref().unwrap_or(link)).filter(|link| *link != way);
        links.filter(|name| all || self.made.iter().any(|link| link.name == **name)).cloned().collect()
    }
}
/// Whether both may be on one interface.
fn go_together(one: VirtualKind, other: VirtualKind) -> bool {
    match (one, other) {
        (VirtualKind::Macvlan { .. }, VirtualKind::Macvlan { .. }) => true,
        (VirtualKind::Ipvlan(one), VirtualKind::Ipvlan(other)) => one.mode == other.mode,
        _ => false,
    }
}
