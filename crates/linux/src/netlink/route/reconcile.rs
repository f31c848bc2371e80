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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::HopSpec;
    use super::*;

    /// One route to a line: `10.0.1.0/24 on 3`, then any of `via=ADDRESS`, `metric=N`, `table=N`, `protocol=N`, `mtu=N`,
    /// and for what is there `ours`.
    fn route(text: &str) -> HeldRoute {
        let mut words = text.split_whitespace();
        let (address, prefix) = words.next().unwrap().split_once('/').unwrap();
        let mut route = RouteSpec::to((address.parse().unwrap(), prefix.parse().unwrap()));
        let mut hop = HopSpec::default();
        let mut ours = false;
        for word in words {
            match word.split_once('=') {
                Some(("on", link)) => hop.link = Some(link.parse().unwrap()),
                Some(("via", gateway)) => hop.gateway = Some(gateway.parse::<IpAddr>().unwrap()),
                Some(("metric", metric)) => route.metric = Some(metric.parse().unwrap()),
                Some(("table", table)) => route.table = table.parse().unwrap(),
                Some(("protocol", protocol)) => route.protocol = protocol.parse().unwrap(),
                Some(("mtu", mtu)) => _ = route.metrics.insert(RouteSpec::MTU, mtu.parse().unwrap()),
                None if word == "ours" => ours = true,
                _ => panic!("what is {word}?"),
            }
        }
        if hop != HopSpec::default() {
            route.hops.push(hop);
        }
        HeldRoute { route, ours }
    }

    fn lines(text: &str) -> Vec<HeldRoute> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(route).collect()
    }

    #[track_caller]
    fn check(wanted: &str, held: &str, expected: &str) {
        let wanted: Vec<WantedRoute> = lines(wanted)
            .into_iter()
            .map(|line| WantedRoute { route: line.route, position: RoutePosition::Prepend })
            .collect();
        let (removals, additions) = reconcile_routes(&wanted, &lines(held));
        let link = |link: u32| link.to_string();
        let told = removals.into_iter().chain(additions).map(|operation| match operation {
            RouteOperation::Add(wanted) => format!("+ {}", wanted.route.words(link)),
            RouteOperation::Remove(route) => format!("- {}", route.words(link)),
        });
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn adds_in_order_and_removes_in_the_other() {
        check("10.0.2.0/24 on=1 \n 10.0.1.0/24 on=1", "", "+ 10.0.2.0/24 dev 1 \n + 10.0.1.0/24 dev 1");
        check("", "10.0.2.0/24 on=1 ours \n 10.0.1.0/24 on=1 ours", "- 10.0.1.0/24 dev 1 \n - 10.0.2.0/24 dev 1");
    }

    #[test]
    fn leaves_alone_what_is_there_and_what_is_not_ours() {
        // The kernel has found out where the router is.
        check("10.0.1.0/24 via=192.0.2.9", "10.0.1.0/24 via=192.0.2.9 on=3 ours", "");
        check("", "10.0.1.0/24 on=1", "");
        check("10.0.1.0/24 on=1", "10.0.1.0/24 on=1", "");
        check("10.0.1.0/24 on=1", "10.0.1.0/24 on=1 protocol=4", "+ 10.0.1.0/24 dev 1");
    }

    /// Another one of the same protocol must not keep ours from being seen.
    #[test]
    fn of_two_that_do_the_same_ours_is_the_one_that_stays() {
        let held = "10.0.1.0/24 on=1 \n 10.0.1.0/24 on=1 ours";
        check("10.0.1.0/24 on=1", held, "");
        check("", held, "- 10.0.1.0/24 dev 1");
    }

    #[test]
    fn replaces_its_own_that_is_otherwise() {
        let replaced = "- 10.0.1.0/24 dev 1 \n + 10.0.1.0/24 dev 1";
        check("10.0.1.0/24 on=1 mtu=1400", "10.0.1.0/24 on=1 ours", replaced);
        check("10.0.1.0/24 on=1", "10.0.1.0/24 on=1 mtu=1400 ours", replaced);
        check("10.0.1.0/24 on=1 mtu=99999", "10.0.1.0/24 on=1 mtu=65520 ours", "");
        check("10.0.1.0/24 on=1 mtu=0", "10.0.1.0/24 on=1 ours", "");
        check("10.0.1.0/24 on=2", "10.0.1.0/24 on=1 ours", "- 10.0.1.0/24 dev 1 \n + 10.0.1.0/24 dev 2");
        check(
            "10.0.1.0/24 on=1 metric=5",
            "10.0.1.0/24 on=1 ours",
            "- 10.0.1.0/24 dev 1 \n + 10.0.1.0/24 dev 1 metric 5",
        );
    }

    #[test]
    fn several_to_one_destination_are_told_apart() {
        check(
            "10.0.1.0/24 via=192.0.2.8 \n 10.0.1.0/24 via=192.0.2.9",
            "10.0.1.0/24 via=192.0.2.9 on=1 ours \n 10.0.1.0/24 via=192.0.2.7 on=1 ours",
            "- 10.0.1.0/24 via 192.0.2.7 dev 1 \n + 10.0.1.0/24 via 192.0.2.8",
        );
        check("10.0.1.0/24 on=1 \n 10.0.1.0/24 on=1", "", "+ 10.0.1.0/24 dev 1");
        check("10.0.1.0/24 on=1 table=7", "10.0.1.0/24 on=1", "+ 10.0.1.0/24 dev 1 table 7");
    }

    /// What nobody says is 1024 for IPv6 and nothing for IPv4.
    #[test]
    fn knows_the_kernels_metrics() {
        check("2001:db8::/48 on=1", "2001:db8::/48 on=1 metric=1024 ours", "");
        check("2001:db8::/48 on=1 metric=0", "2001:db8::/48 on=1 metric=1024 ours", "");
        check("10.0.1.0/24 on=1 metric=0", "10.0.1.0/24 on=1 ours", "");
        // Where packets end, IPv6 names the loopback.
        check("2001:db8::/48", "2001:db8::/48 on=1 metric=1024 ours", "");
    }

    #[test]
    fn ten_thousand_take_no_time() {
        let line =
            |number: u32| format!("10.{}.{}.0/24 on=1 metric={}\n", number / 250 % 250, number % 250, number / 62_500);
        let text: String = (0..10_000).map(line).collect();
        let held: Vec<HeldRoute> = lines(&text).into_iter().map(|line| HeldRoute { ours: true, ..line }).collect();
        let wanted: Vec<WantedRoute> = held
            .iter()
            .map(|held| WantedRoute { route: held.route.clone(), position: RoutePosition::Prepend })
            .collect();
        // Quadratic, these would be a hundred million comparisons each, which is minutes here.
        assert_eq!(reconcile_routes(&wanted, &held), (Vec::new(), Vec::new()));
        assert_eq!(reconcile_routes(&[], &held).0.len(), 10_000);
        assert_eq!(reconcile_routes(&wanted, &[]).1.len(), 10_000);
    }
}
