//! A picture of the routes and policy rules that are ours or may be, kept up to date by events, and what must be done
//! to bring them to what the engine desires.
//!
//! Ours are known by their protocol number, so that those of a daemon that was killed are found. Whatever else has that
//! number is another daemon's: only what we have added or found at our start is ever removed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use engine::{Config, Desired, DesiredRoute, DesiredRule, Name, Route, Rule};
use linux::netlink::{
    Applied, HeldRoute, HeldRule, Link, Monitor, Netlink, OUR_PROTOCOL, Operation, RouteOperation, RouteSpec,
    RuleOperation, RuleSpec, WantedRoute, reconcile_routes, reconcile_rules,
};

use super::specs::{LinkNames, route_specs, rule_spec};

/// What keepalived marks its routes and rules with. If it was killed, those of our configuration are ours to clear away.
const KEEPALIVED: u8 = 18;

type Destination = (IpAddr, u8);

#[derive(Debug, Default)]
pub(super) struct Routing {
    /// Whose routes and rules we look at.
    protocols: Vec<u8>,
    /// What the configuration speaks of, whoever may want it.
    configured_routes: BTreeMap<Destination, Vec<Arc<Route>>>,
    configured_rules: Vec<Arc<Rule>>,
    routes: BTreeMap<Destination, Vec<HeldRoute>>,
    rules: BTreeMap<u32, Vec<HeldRule>>,
    /// What is desired, and what the kernel must have for it as the interfaces are.
    desired_routes: Vec<(DesiredRoute, Vec<WantedRoute>)>,
    desired_rules: Vec<(DesiredRule, Option<RuleSpec>)>,
    /// The same by what the kernel has, so that it is found when that changes.
    wishes: BTreeMap<Destination, Vec<(RouteSpec, Arc<Route>)>>,
    rule_wishes: BTreeMap<RuleSpec, Arc<Rule>>,
    /// What nobody tracks is added once for each time that it is desired.
    placed_routes: BTreeSet<Arc<Route>>,
    placed_rules: BTreeSet<Arc<Rule>>,
    /// Somebody else's does what ours would.
    by_others: BTreeSet<RouteSpec>,
    /// What somebody has taken away.
    taken: BTreeSet<Taken>,
    /// Something may not be as desired.
    stale: bool,
    /// The picture may be wrong: look again before it is used.
    astray: bool,
    /// It has been looked at before: what carries our number and is not known is another daemon's.
    looked: bool,
    /// Other daemons of ours may be beside this one: of what carries our number when it is looked at first, only that is
    /// ours which our configuration speaks of.
    pub(super) beside_others: bool,
}

/// What somebody has taken away.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Route(RouteSpec),
    Rule(RuleSpec),
}

/// What is to be done: removals before those of addresses, additions after theirs.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) removals: Vec<Operation>,
    pub(super) additions: Vec<Operation>,
}

impl Routing {
    /// Follows the configuration: what it says decides what we must hear of and what may be ours.
    pub(super) fn follow(&mut self, config: &Config, monitor: &mut Monitor) -> linux::Result<()> {
        let statics = &config.statics;
        let routes = config.routers.iter().flat_map(|router| &router.routes);
        let rules = config.routers.iter().flat_map(|router| &router.rules);
        let routes: Vec<&Arc<Route>> = routes.chain(statics.routes.iter().map(|entry| &entry.what)).collect();
        let rules: Vec<&Arc<Rule>> = rules.chain(statics.rules.iter().map(|entry| &entry.what)).collect();
        let named =
            routes.iter().filter_map(|route| route.protocol).chain(rules.iter().filter_map(|rule| rule.protocol));
        let protocols: BTreeSet<u8> = [OUR_PROTOCOL, KEEPALIVED].into_iter().chain(named).collect();
        let protocols: Vec<u8> = protocols.into_iter().collect();
        let heard_routes = !self.configured_routes.is_empty() && self.protocols == protocols;
        let heard_rules = !self.configured_rules.is_empty();
        monitor.hear_routes(if routes.is_empty() { &[] } else { &protocols })?;
        monitor.hear_rules(!rules.is_empty())?;
        self.configured_routes.clear();
        for route in &routes {
            let destination = (route.destination.address, route.destination.prefix);
            self.configured_routes.entry(destination).or_default().push(Arc::clone(route));
        }
        self.configured_rules = rules.into_iter().cloned().collect();
        // What nobody has listened to may have changed meanwhile.
        let new_routes = !self.configured_routes.is_empty() && !heard_routes;
        self.astray |= !self.looked || new_routes || (!self.configured_rules.is_empty() && !heard_rules);
        self.stale = true;
        self.protocols = protocols;
        Ok(())
    }

    /// An interface has changed, appeared or (`None`) gone. The kernel drops the routes over one that goes down, and
    /// tells nobody of those of IPv4.
    pub(super) fn note_link(&mut self, before: Option<&Link>, now: Option<&Link>) {
        let up = |link: Option<&Link>| link.is_some_and(|link| link.up);
        self.stale |= up(before) != up(now) || before.map(|link| &link.name) != now.map(|link| &link.name);
        self.distrust_if(up(before) && !up(now));
    }

    /// Routes may have gone with what has happened.
    pub(super) fn distrust_if(&mut self, doubtful: bool) {
        self.astray |= doubtful && !self.desired_routes.is_empty();
        self.stale |= self.astray;
    }

    /// Events were lost.
    pub(super) fn distrust(&mut self) {
        (self.astray, self.stale) = (true, true);
    }

    /// A route appeared.
    pub(super) fn note_route(&mut self, route: RouteSpec) {
        if !self.protocols.contains(&route.protocol) {
            // It took the place of another one. If that was ours, nobody told us of its end.
            let held = self.routes.get_mut(&route.destination).into_iter().flatten();
            let replaced: Vec<RouteSpec> = held
                .filter(|held| held.ours && held.route.competes_with(&route))
                .map(|held| held.route.clone())
                .collect();
            replaced.iter().for_each(|route| self.note_route_gone(route));
            return;
        }
        if !self.may_concern_us(&route) {
            return;
        }
        let route = self.with_its_weight(route);
        let held = self.routes.entry(route.destination).or_default();
        match held.iter_mut().find(|held| route.fulfils(&held.route)) {
            // What we have asked for, with what the kernel has added to it.
            Some(known) => known.route = route,
            None => held.push(HeldRoute { route, ours: false }),
        }
    }

    /// A route is gone. That it was we who removed it is known already, and then it is not in the picture.
    pub(super) fn note_route_gone(&mut self, route: &RouteSpec) {
        let route = &self.with_its_weight(route.clone());
        let Some(held) = self.routes.get_mut(&route.destination) else { return };
        let Some(place) = held.iter().position(|held| route.fulfils(&held.route) || held.route == *route) else {
            return;
        };
        let gone = held.remove(place);
        if held.is_empty() {
            self.routes.remove(&route.destination);
        }
        let wishes = self.wishes.get(&route.destination).into_iter().flatten();
        if let Some((wish, desired)) = wishes.into_iter().find(|(wish, _)| gone.ours && gone.route.fulfils(wish)) {
            self.stale = true;
            if desired.tracked {
                self.taken.insert(Taken::Route(wish.clone()));
            }
        }
    }

    /// A route as it is in the picture: of a single way of IPv6, one of several or the last one, the kernel does not tell
    /// the weight, so it would be taken for another one.
    fn with_its_weight(&self, route: RouteSpec) -> RouteSpec {
        let held = || self.routes.get(&route.destination).into_iter().flatten().map(|held| &held.route);
        if held().any(|held| route.fulfils(held) || route == *held) {
            return route;
        }
        let weighted = held().find_map(|held| route.with_weight_of(held));
        weighted.unwrap_or(route)
    }

    /// A policy rule appeared.
    pub(super) fn note_rule(&mut self, rule: RuleSpec) {
        let held = self.rules.entry(rule.preference).or_default();
        if !held.iter().any(|held| held.rule == rule) {
            held.push(HeldRule { rule, ours: false });
        }
    }

    /// A policy rule is gone.
    pub(super) fn note_rule_gone(&mut self, rule: &RuleSpec) {
        let Some(held) = self.rules.get_mut(&rule.preference) else { return };
        let Some(place) = held.iter().position(|held| held.rule == *rule) else { return };
        let gone = held.remove(place);
        if let Some(desired) = self.rule_wishes.get(rule).filter(|_| gone.ours) {
            self.stale = true;
            if desired.tracked {
                self.taken.insert(Taken::Rule(gone.rule));
            }
        }
    }

    /// Whether something may not be as desired.
    pub(super) const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Asks for everything anew at the next opportunity: the kernel has refused something.
    pub(super) const fn try_again(&mut self) {
        self.stale = true;
    }

    /// Whether a route is worth remembering: those of others are millions on some machines.
    fn may_concern_us(&self, route: &RouteSpec) -> bool {
        route.protocol == OUR_PROTOCOL || self.configured_routes.contains_key(&route.destination)
    }

    /// Looks at the machine.
    fn look(&mut self, netlink: &mut Netlink, links: &LinkNames<'_>) -> linux::Result<()> {
        let mut routes: BTreeMap<Destination, Vec<HeldRoute>> = BTreeMap::new();
        // On a router with a million routes each look takes its time.
        let protocols = self.protocols.iter();
        for protocol in protocols.filter(|protocol| **protocol == OUR_PROTOCOL || !self.configured_routes.is_empty()) {
            for route in netlink.routes(*protocol)?.into_iter().filter(|route| self.may_concern_us(route)) {
                let route = self.with_its_weight(route);
                let ours = self.is_our_route(&route, links);
                routes.entry(route.destination).or_default().push(HeldRoute { route, ours });
            }
        }
        let mut rules: BTreeMap<u32, Vec<HeldRule>> = BTreeMap::new();
        let left_over = self.left_over_rules(links);
        for rule in netlink.rules()? {
            let ours = self.is_our_rule(&rule, &left_over);
            rules.entry(rule.preference).or_default().push(HeldRule { rule, ours });
        }
        (self.routes, self.rules) = (routes, rules);
        (self.astray, self.looked) = (false, true);
        Ok(())
    }

    /// Known as ours; at the first look also a left-over of a daemon that was killed.
    fn is_our_route(&self, route: &RouteSpec, links: &LinkNames<'_>) -> bool {
        if self.looked {
            let known = self.routes.get(&route.destination).into_iter().flatten();
            return known.into_iter().any(|held| held.ours && (route.fulfils(&held.route) || *route == held.route));
        }
        if route.protocol == OUR_PROTOCOL && !self.beside_others {
            return true;
        }
        let configured = self.configured_routes.get(&route.destination).into_iter().flatten();
        let mut specs = configured.flat_map(|configured| route_specs(configured, links));
        specs.any(|WantedRoute { route: spec, .. }| {
            // One that names no protocol had keepalived's when keepalived made it.
            let protocol = if spec.protocol == OUR_PROTOCOL { KEEPALIVED } else { spec.protocol };
            route.fulfils(&spec) || route.fulfils(&RouteSpec { protocol, ..spec })
        })
    }

    fn is_our_rule(&self, rule: &RuleSpec, left_over: &BTreeSet<RuleSpec>) -> bool {
        if self.looked {
            return self.rules.get(&rule.preference).into_iter().flatten().any(|held| held.ours && held.rule == *rule);
        }
        (rule.protocol == OUR_PROTOCOL && !self.beside_others) || left_over.contains(rule)
    }

    /// The rules of the configuration as we or another maker may have left them behind.
    fn left_over_rules(&self, links: &LinkNames<'_>) -> BTreeSet<RuleSpec> {
        let specs = self.configured_rules.iter().filter_map(|configured| rule_spec(configured, links));
        specs
            .flat_map(|spec| {
                let protocol = if spec.protocol == OUR_PROTOCOL { KEEPALIVED } else { spec.protocol };
                [spec.clone(), RuleSpec { protocol, ..spec }]
            })
            .collect()
    }

    /// What must be done to bring everything to what is desired.
    pub(super) fn plan(
        &mut self,
        netlink: &mut Netlink,
        desired: &Desired,
        links: &BTreeMap<u32, Link>,
    ) -> linux::Result<Plan> {
        let same_routes = self.desired_routes.iter().map(|(desired, _)| desired).eq(&desired.routes);
        let same_rules = self.desired_rules.iter().map(|(desired, _)| desired).eq(&desired.rules);
        if same_routes && same_rules && !self.stale {
            return Ok(Plan::default());
        }
        let links = &LinkNames::of(links);
        if self.astray {
            self.look(netlink, links)?;
        }
        self.stale = false;
        self.desired_routes =
            desired.routes.iter().map(|desired| (desired.clone(), route_specs(&desired.route, links))).collect();
        self.desired_rules =
            desired.rules.iter().map(|desired| (desired.clone(), rule_spec(&desired.rule, links))).collect();
        self.leave_what_nobody_tracks();
        let wanted: Vec<WantedRoute> = self.desired_routes.iter().flat_map(|(_, wishes)| wishes).cloned().collect();
        self.note_wishes();
        let held: Vec<HeldRoute> = self.routes.values().flatten().cloned().collect();
        let (route_removals, route_additions) = reconcile_routes(&wanted, &held);
        let wanted: Vec<RuleSpec> = self.desired_rules.iter().filter_map(|(_, spec)| spec.clone()).collect();
        let held: Vec<HeldRule> = self.rules.values().flatten().cloned().collect();
        let (rule_removals, rule_additions) = reconcile_rules(&wanted, &held);
        let route = Operation::Route;
        let rule = Operation::Rule;
        Ok(Plan {
            removals: rule_removals.into_iter().map(rule).chain(route_removals.into_iter().map(route)).collect(),
            additions: route_additions.into_iter().map(route).chain(rule_additions.into_iter().map(rule)).collect(),
        })
    }

    fn note_wishes(&mut self) {
        self.wishes.clear();
        for (desired, wishes) in &self.desired_routes {
            for wish in wishes {
                let wishes = self.wishes.entry(wish.route.destination).or_default();
                wishes.push((wish.route.clone(), Arc::clone(&desired.route)));
            }
        }
        let wishes = &self.wishes;
        self.by_others.retain(|spec| wishes.get(&spec.destination).into_iter().flatten().any(|(wish, _)| wish == spec));
        let rules = self.desired_rules.iter();
        self.rule_wishes =
            rules.filter_map(|(desired, spec)| Some((spec.clone()?, Arc::clone(&desired.rule)))).collect();
    }

    /// What is not tracked and was there once is not added again while it is desired.
    fn leave_what_nobody_tracks(&mut self) {
        let Self { desired_routes, desired_rules, placed_routes, placed_rules, routes, rules, .. } = self;
        let all: BTreeSet<&Arc<Route>> = desired_routes.iter().map(|(desired, _)| &desired.route).collect();
        placed_routes.retain(|route| all.contains(route));
        for (desired, wishes) in desired_routes.iter_mut().filter(|(desired, _)| is_untracked(&desired.route)) {
            let mut is_there = |wish: &WantedRoute| {
                routes.get(&wish.route.destination).into_iter().flatten().any(|held| held.route.fulfils(&wish.route))
            };
            if placed_routes.contains(&desired.route) {
                wishes.retain(|wish| is_there(wish));
            } else if wishes.iter().any(&mut is_there) {
                placed_routes.insert(Arc::clone(&desired.route));
            }
        }
        let all: BTreeSet<&Arc<Rule>> = desired_rules.iter().map(|(desired, _)| &desired.rule).collect();
        placed_rules.retain(|rule| all.contains(rule));
        for (desired, spec) in desired_rules.iter_mut().filter(|(desired, _)| !desired.rule.tracked) {
            let is_there =
                |spec: &RuleSpec| rules.get(&spec.preference).into_iter().flatten().any(|held| held.rule == *spec);
            if placed_rules.contains(&desired.rule) {
                *spec = spec.take().filter(is_there);
            } else if spec.as_ref().is_some_and(is_there) {
                placed_rules.insert(Arc::clone(&desired.rule));
            }
        }
    }

    /// Takes in what became of an operation. What was put back is told in words.
    pub(super) fn note_answer(
        &mut self,
        operation: &Operation,
        applied: Applied,
        link_name: impl Fn(u32) -> String,
    ) -> Option<String> {
        match (operation, applied) {
            (Operation::Route(RouteOperation::Add(wanted)), Applied::Done) => {
                let route = wanted.route.clone();
                self.by_others.remove(&route);
                let restored = self.taken.remove(&Taken::Route(route.clone()));
                let words = restored.then(|| format!("the route {}", route.words(link_name)));
                self.place_route(&route);
                self.routes.entry(route.destination).or_default().push(HeldRoute { route, ours: true });
                return words;
            }
            (Operation::Route(RouteOperation::Remove(route)), _) => {
                if let Some(held) = self.routes.get_mut(&route.destination) {
                    if let Some(place) = held.iter().position(|held| held.route == *route) {
                        held.remove(place);
                    }
                    if held.is_empty() {
                        self.routes.remove(&route.destination);
                    }
                }
            }
            (Operation::Route(RouteOperation::Add(wanted)), Applied::AlreadyThere | Applied::AlreadyGone) => {
                self.place_route(&wanted.route);
                // An event that was under way has led the picture astray, or it is somebody else's.
                if self.by_others.insert(wanted.route.clone()) {
                    self.distrust();
                }
            }
            (Operation::Rule(RuleOperation::Add(rule)), applied) => {
                let restored = self.taken.remove(&Taken::Rule(rule.clone()));
                self.placed_rules.extend(self.rule_wishes.get(rule).filter(|rule| !rule.tracked).cloned());
                if applied == Applied::Done {
                    self.rules.entry(rule.preference).or_default().push(HeldRule { rule: rule.clone(), ours: true });
                    return restored.then(|| format!("the rule {}", rule.words()));
                }
                self.note_rule(rule.clone());
            }
            (Operation::Rule(RuleOperation::Remove(rule)), _) => {
                if let Some(held) = self.rules.get_mut(&rule.preference) {
                    held.retain(|held| held.rule != *rule);
                }
            }
            (Operation::Address(_), _) => {}
        }
        None
    }

    fn place_route(&mut self, route: &RouteSpec) {
        let wishes = self.wishes.get(&route.destination).into_iter().flatten();
        let desired = wishes.into_iter().find(|(wish, _)| wish == route).map(|(_, desired)| desired);
        self.placed_routes.extend(desired.filter(|desired| is_untracked(desired)).cloned());
    }

    /// Nothing is being put back any more.
    pub(super) fn end_round(&mut self) {
        self.taken.clear();
    }

    /// Whether somebody else's does what one of ours would, so that its going would not be told to us.
    pub(super) fn leans_on_others(&self) -> bool {
        !self.by_others.is_empty()
    }

    /// The groups of which something static is not there.
    pub(super) fn incomplete_groups(&self) -> BTreeSet<Name> {
        let is_there = |wish: &WantedRoute| {
            let held = self.routes.get(&wish.route.destination).into_iter().flatten();
            self.by_others.contains(&wish.route) || held.into_iter().any(|held| held.route.fulfils(&wish.route))
        };
        let routes = self.desired_routes.iter().filter(|(desired, wishes)| {
            desired.group.is_some()
                && !is_untracked(&desired.route)
                && (wishes.is_empty() || !wishes.iter().all(is_there))
        });
        let has_rule =
            |rule: &RuleSpec| self.rules.get(&rule.preference).into_iter().flatten().any(|held| held.rule == *rule);
        let rules = self
            .desired_rules
            .iter()
            .filter(|(desired, _)| desired.group.is_some() && desired.rule.tracked)
            .filter(|(_, spec)| !spec.as_ref().is_some_and(has_rule));
        let routes = routes.filter_map(|(desired, _)| desired.group.clone());
        routes.chain(rules.filter_map(|(desired, _)| desired.group.clone())).collect()
    }

    /// Takes away everything of ours: the last thing on every way out.
    pub(super) fn everything_away(&self) -> Vec<Operation> {
        let rules = self.rules.values().flatten().filter(|held| held.ours);
        let rules = rules.map(|held| Operation::Rule(RuleOperation::Remove(held.rule.clone())));
        let routes = self.routes.values().flatten().filter(|held| held.ours);
        rules.chain(routes.map(|held| Operation::Route(RouteOperation::Remove(held.route.clone())))).collect()
    }
}

/// One that ends by itself is not put back either.
fn is_untracked(route: &Route) -> bool {
    !route.tracked || route.expires.is_some()
}
