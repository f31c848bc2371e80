//! From the routes that should be and those that are to what must be done. Pure: no kernel in here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, RouteSpec};

/// A route that should exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedRoute {
    pub route: RouteSpec,
    pub position: RoutePosition,
}

/// Where a new route goes among those that compete with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoutePosition {
    /// In front of them.
    Prepend,
    /// Behind them.
    Append,
    /// Nowhere: if there is one, it is refused.
    Alone,
}

/// A route that the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRoute {
    pub route: RouteSpec,
    /// We have added it, in this life or in a former one.
    pub ours: bool,
}

/// One step towards what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteOperation {
    Add(WantedRoute),
    Remove(RouteSpec),
}

/// What must be removed, the last one first, and what must then be added, in the order of `wanted`, so that everything
/// wanted is there and nothing else is ours.
///
/// What is not ours is never removed; where it fulfils a wish it is left to fulfil it.
pub fn reconcile_routes(wanted: &[WantedRoute], held: &[HeldRoute]) -> (Vec<RouteOperation>, Vec<RouteOperation>) {
    // Among those that fulfil a wish ours come first: theirs may go at any time.
    let mut there: BTreeMap<Key, Vec<(usize, &HeldRoute)>> = BTreeMap::new();
    let mut numbered: Vec<(usize, &HeldRoute)> = held.iter().enumerate().collect();
    numbered.sort_by_key(|(_, held)| !held.ours);
    for (place, route) in numbered {
        there.entry(route.route.key()).or_default().push((place, route));
    }
    let mut kept = BTreeSet::new();
    let mut missing = Vec::new();
    let mut seen = BTreeSet::new();
    for wish in wanted.iter().filter(|wish| seen.insert(&wish.route)) {
        let candidates = there.get_mut(&wish.route.key());
        let fulfilled = candidates.and_then(|candidates| {
            let place = candidates.iter().position(|(_, held)| held.route.fulfils(&wish.route))?;
            Some(candidates.remove(place).0)
        });
        match fulfilled {
            Some(place) => {
                kept.insert(place);
            }
            None => missing.push(RouteOperation::Add(wish.clone())),
        }
    }
    let unwanted = held.iter().enumerate().filter(|(place, held)| held.ours && !kept.contains(place));
    let unwanted = unwanted.map(|(_, held)| RouteOperation::Remove(held.route.clone()));
    (unwanted.rev().collect(), missing)
}
