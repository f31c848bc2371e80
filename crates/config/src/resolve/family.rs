//! Which family an instance is of. The first of its addresses that stands in the file says so, as in keepalived: one that
//! advertisements come from or go to, or the first virtual one. What is excluded from advertisements may be of both.

use std::net::IpAddr;

use engine::{Family, Version, VirtualAddress};

use crate::diagnostic::Findings;
use crate::source::Span;
use crate::syntax::Word;

/// What has been said so far.
#[derive(Default)]
pub(super) struct Families {
    first: Option<(Family, String)>,
}

impl Families {
    /// Takes an address; `false` if it is of the other family, which was reported.
    pub(super) fn take(&mut self, address: IpAddr, span: Span, findings: &mut Findings) -> bool {
        self.hold(address, span, "an instance speaks one of the two, so make two instances", findings)
    }

    /// As [`take`](Self::take), for a virtual address.
    pub(super) fn take_virtual(&mut self, address: &VirtualAddress, word: &Word, findings: &mut Findings) -> bool {
        let help = "move it to `virtual_ipaddress_excluded`, or to an instance of its own";
        self.hold(address.address, word.span, help, findings)
    }

    fn hold(&mut self, address: IpAddr, span: Span, help: &str, findings: &mut Findings) -> bool {
        let family = Family::of(address);
        let (first, decided_by) = self.first.get_or_insert_with(|| (family, address.to_string()));
        if *first == family {
            return true;
        }
        let message =
            format!("{address} is {}, but {decided_by} has made this an instance of {}", name(family), name(*first));
        findings.error("mixed-families", span, message).help(help);
        false
    }

    /// What it comes to.
    pub(super) fn family(&self) -> Family {
        self.first.as_ref().map_or(Family::Ipv4, |(family, _)| *family)
    }
}

/// The version that an instance speaks: over IPv6 there is only one (RFC 9568 §5.2.1). `stated` is where the instance
/// itself asks for one.
pub(super) fn version(
    family: Family,
    version: Version,
    stated: Option<Span>,
    strict: bool,
    findings: &mut Findings,
) -> Version {
    if let (Family::Ipv6, Version::V2, Some(span)) = (family, version, stated) {
        let message = "over IPv6 there is no version 2, so this is version 3";
        let finding = if strict {
            findings.warning("version-ipv6", span, message)
        } else {
            findings.hint("version-ipv6", span, message)
        };
        finding.help("write `version 3`, or remove it");
    }
    match family {
        Family::Ipv4 => version,
        Family::Ipv6 => Version::V3,
    }
}

/// The standard wants the first address of an IPv6 router to be link-local (RFC 9568 §5.2.9).
pub(super) fn check_first(addresses: &[(VirtualAddress, &Word)], strict: bool, findings: &mut Findings) {
    let is_link_local = |address: &VirtualAddress| match address.address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let Some((first, word)) = addresses.first() else { return };
    if first.address.is_ipv4() || is_link_local(first) {
        return;
    }
    let message = format!("{} stands first, where the standard wants a link-local address", first.address);
    let other = addresses.iter().map(|(address, _)| address).find(|address| is_link_local(address));
    let help = match other {
        Some(other) => format!("move {} to the first place, on all nodes", other.address),
        None => "begin the list with one, for instance `fe80::100`, on all nodes".to_owned(),
    };
    if strict {
        findings.error("strict", word.span, message).help(help);
    } else if other.is_some() {
        findings.hint("link-local-first", word.span, message).help(help);
    }
}

const fn name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}
