//! Whether the two nodes understand each other: what they are told alike, and whether each hears the advertisements of
//! the other. Nothing is decided by it. It is told and shown on both nodes, because it is why they may become Active
//! both, or why one of them fails where the other did not.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::pair::Pair;
use crate::vrrp::virtual_router::VirtualRouter;
use crate::wire::baton::{Hears, RouterStatement, SendingStatement, Stance};
use crate::{Engine, Event, Name, Output, RouterId, StateName, Unheard, Vrid};

/// What is in the way of it, for one router.
#[derive(Clone, Debug)]
pub(crate) struct Understanding {
    /// Why one node does not hear the other's advertisements, and whether that is this node.
    pub(crate) unheard: Option<(bool, Unheard)>,
    /// Which of the router's terms differ.
    pub(crate) router_terms: Vec<u32>,
    /// And of its services'.
    pub(crate) service_terms: BTreeMap<Name, Vec<u32>>,
}

impl Understanding {
    pub(crate) const fn new() -> Self {
        Self { unheard: None, router_terms: Vec::new(), service_terms: BTreeMap::new() }
    }
}

impl Engine {
    /// Compares what both nodes say, and tells what is new about it.
    pub(super) fn compare_notes(&mut self, out: &mut Vec<Output>) {
        let Self { pair: Some(pair), routers, roles, units, .. } = self else { return };
        for (router, role) in routers.iter().zip(roles) {
            let known = &mut role.understanding;
            // What was different stays so while nothing is heard; that nothing is heard says it all.
            let Some(says) = pair.statement().and_then(|_| pair.last_words(&router.config().name)) else {
                known.unheard = None;
                continue;
            };
            let id = router.id();
            let unheard = unheard(pair, router, says);
            if known.unheard != unheard {
                known.unheard = unheard;
                if let Some((here, why)) = unheard {
                    out.push(Output::Tell(Event::AdvertisementsUnheard { router: id, here, why }));
                }
            }
            let name = &router.config().name;
            note(&mut known.router_terms, differing(pair.terms(name, None), &says.terms), id, None, out);
            let its = units.services(id.0 as usize);
            for theirs in says.services.iter().filter(|theirs| its.contains(&theirs.name)) {
                let terms = differing(pair.terms(name, Some(&theirs.name)), &theirs.terms);
                let known = known.service_terms.entry(theirs.name.clone()).or_default();
                note(known, terms, id, Some(&theirs.name), out);
            }
        }
    }

    /// What differs about a service.
    pub(super) fn differing_terms(&self, service: &Name) -> Vec<u32> {
        let role = self.owner_of(service).and_then(|owner| self.roles.get(owner.0 as usize));
        role.and_then(|role| role.understanding.service_terms.get(service)).cloned().unwrap_or_default()
    }

    /// What a router hears of the other node's.
    pub(super) fn hears(&self, router: &VirtualRouter) -> Hears {
        let pair = self.pair.as_ref();
        let says = pair.filter(|pair| pair.is_alive()).and_then(|pair| pair.last_words(&router.config().name));
        says.map_or(Hears::Enough, |says| hears(router, says))
    }
}

fn note(known: &mut Vec<u32>, differing: Vec<u32>, router: RouterId, service: Option<&Name>, out: &mut Vec<Output>) {
    if *known != differing {
        known.clone_from(&differing);
        let service = service.cloned();
        out.push(Output::Tell(Event::ConfigurationDiffers { router, service, terms: differing }));
    }
}

/// Which of two lists are different, as far as both nodes know what they are about. Who says nothing, of an older
/// version or because the operator wants it so, differs in nothing.
fn differing(ours: &[u32], theirs: &[u32]) -> Vec<u32> {
    let pairs = ours.iter().zip(theirs).zip(0..);
    pairs.filter(|((ours, theirs), _)| ours != theirs).map(|(_, place)| place).collect()
}

/// A Backup whose own timer would have made it Active, if the other node did not say that it is.
fn hears(router: &VirtualRouter, says: &RouterStatement) -> Hears {
    // One who lets the role go because of a fault may not be able to advertise.
    let advertises = matches!(says.stance, Stance::Active | Stance::Offering(_));
    if router.state_name() != StateName::Backup || router.due().is_none() || !advertises {
        return Hears::Enough;
    }
    match router.refused() {
        Some((_, from, reason)) if says.address.is_none_or(|address| address == from) => Hears::Discards(reason),
        _ => Hears::Nothing,
    }
}

fn unheard(pair: &Pair, router: &VirtualRouter, says: &RouterStatement) -> Option<(bool, Unheard)> {
    let theirs = says.sending.as_ref()?;
    let ours = sending(router);
    let here = Listener { address: router.primary_address(), joined: &ours.destinations };
    let there = Listener { address: says.address, joined: &theirs.destinations };
    let vrids = (ours.vrid, theirs.vrid);
    match (hears(router, says), says.hears) {
        (Hears::Enough, Hears::Enough) => None,
        (Hears::Enough, heard) => Some((false, why(vrids, heard, &ours, &there, pair.hears_one_way(true)))),
        (heard, _) => Some((true, why(vrids, heard, theirs, &here, pair.hears_one_way(false)))),
    }
}

/// How the advertisements of a router travel.
pub(super) fn sending(router: &VirtualRouter) -> SendingStatement {
    SendingStatement { vrid: router.config().vrid, destinations: router.destinations().to_vec() }
}

/// Who should hear.
struct Listener<'l> {
    address: Option<IpAddr>,
    /// Where it sends itself; it listens to the groups among these.
    joined: &'l [IpAddr],
}

/// `vrids` are ours and theirs, whoever listens.
fn why(
    vrids: (Vrid, Vrid),
    heard: Hears,
    sender: &SendingStatement,
    listener: &Listener<'_>,
    one_way: bool,
) -> Unheard {
    let (ours, theirs) = vrids;
    if ours != theirs {
        return Unheard::OtherVrid { ours, theirs };
    }
    if let Hears::Discards(reason) = heard {
        return Unheard::Discarded(reason);
    }
    let reaches = |destination: &IpAddr| match destination.is_multicast() {
        true => listener.joined.contains(destination),
        false => listener.address.is_none_or(|address| address == *destination),
    };
    match sender.destinations.first() {
        Some(first) if !sender.destinations.iter().any(reaches) => Unheard::SentElsewhere(*first),
        _ if one_way => Unheard::OneWay,
        _ => Unheard::Lost,
    }
}
