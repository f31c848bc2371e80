//! What should exist in the kernel now, as a value to be reconciled with what does.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use core::net::IpAddr;

use crate::links::Links;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::{AddressFlags, LinkId, Name, Route, RouterId, Rule, Scope, Static, Statics, VirtualAddress};

/// What should be there. Sets, so that the order of events cannot matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// One entry for each address on each interface.
    pub addresses: BTreeSet<DesiredAddress>,
    /// Routes, in the order in which they are added.
    pub routes: BTreeSet<DesiredRoute>,
    /// Policy rules, in the order in which they are added.
    pub rules: BTreeSet<DesiredRule>,
}

impl Desired {
    /// What is always there, and what routers want that have the role.
    pub(crate) fn of(statics: &Statics, links: &Links, routers: &[VirtualRouter]) -> Self {
        let mut desired = Self::default();
        let mut seen = BTreeSet::new();
        let Statics { addresses, routes, rules } = statics;
        for (Static { what, group }, place) in addresses.iter().zip(0..) {
            // One without an interface is nowhere.
            let Some(link) = what.link.as_ref().map(|name| links.id(name)) else { continue };
            if seen.insert((link, what.address)) {
                let group = group.clone();
                desired
                    .addresses
                    .insert(DesiredAddress { group, ..DesiredAddress::new(link, what, Owner::Static, place) });
            }
        }
        desired.add_routes(Owner::Static, routes.iter().map(|Static { what, group }| (what, group)));
        desired.add_rules(Owner::Static, rules.iter().map(|Static { what, group }| (what, group)));
        for (router, id) in routers.iter().zip(0..).filter(|(router, _)| router.holds_addresses()) {
            let owner = Owner::Router(RouterId(id));
            for ((link, wanted), place) in router.wanted().zip(0..) {
                if seen.insert((link, wanted.address)) {
                    desired.addresses.insert(DesiredAddress::new(link, wanted, owner, place));
                }
            }
            desired.add_routes(owner, router.config().routes.iter().map(|route| (route, &None)));
            desired.add_rules(owner, router.config().rules.iter().map(|rule| (rule, &None)));
        }
        desired
    }

    fn add_routes<'a>(&mut self, owner: Owner, routes: impl Iterator<Item = (&'a Arc<Route>, &'a Option<Name>)>) {
        self.routes.extend(routes.zip(0..).map(|((route, group), place)| {
            let (route, group) = (Arc::clone(route), group.clone());
            DesiredRoute { owner, place, group, route }
        }));
    }

    fn add_rules<'a>(&mut self, owner: Owner, rules: impl Iterator<Item = (&'a Arc<Rule>, &'a Option<Name>)>) {
        self.rules.extend(rules.zip(0..).map(|((rule, group), place)| {
            let (rule, group) = (Arc::clone(rule), group.clone());
            DesiredRule { owner, place, group, rule }
        }));
    }
}

/// Who wants something to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The operator, as long as the daemon runs.
    Static,
    /// A router that is Active (the first one, if several want the same).
    Router(RouterId),
}

impl Owner {
    /// The router, unless it is the operator.
    #[must_use]
    pub const fn router(self) -> Option<RouterId> {
        match self {
            Self::Static => None,
            Self::Router(router) => Some(router),
        }
    }
}

/// One address that should be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DesiredAddress {
    /// The interface.
    pub link: LinkId,
    /// The address.
    pub address: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// Scope.
    pub scope: Scope,
    /// IPv4 label.
    pub label: Option<Name>,
    /// IPv4 broadcast address.
    pub broadcast: Option<IpAddr>,
    /// The other end, where the link has only two.
    pub peer: Option<IpAddr>,
    /// It is preferred as a source for so many seconds; `None` means as long as it is there.
    pub preferred: Option<u32>,
    /// What else the kernel is told about it.
    pub flags: AddressFlags,
    /// It is put back when somebody takes it away.
    pub tracked: bool,
    /// Who wants it.
    pub owner: Owner,
    /// Its place among the addresses of its owner: the first is added first.
    pub place: u32,
    /// The group whose routers must be told if it cannot be there.
    pub group: Option<Name>,
}

impl DesiredAddress {
    pub(crate) fn new(link: LinkId, wanted: &VirtualAddress, owner: Owner, place: u32) -> Self {
        let VirtualAddress { address, prefix, scope, ref label, broadcast, peer, preferred, flags, tracked, .. } =
            *wanted;
        let label = label.clone();
        let group = None;
        Self { link, address, prefix, scope, label, broadcast, peer, preferred, flags, tracked, owner, place, group }
    }
}

/// One route that should be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DesiredRoute {
    /// Who wants it.
    pub owner: Owner,
    /// Its place among the routes of its owner: the first is added first.
    pub place: u32,
    /// The group whose routers must be told if it cannot be there.
    pub group: Option<Name>,
    /// The route.
    pub route: Arc<Route>,
}

/// One policy rule that should be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DesiredRule {
    /// Who wants it.
    pub owner: Owner,
    /// Its place among the rules of its owner: the first is added first.
    pub place: u32,
    /// The group whose routers must be told if it cannot be there.
    pub group: Option<Name>,
    /// The rule.
    pub rule: Arc<Rule>,
}
