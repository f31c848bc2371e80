//! `virtual_routes` and `static_routes`: what `ip route` would be told, one route on a line.

use std::net::IpAddr;
use std::sync::Arc;

use engine::{
    Encapsulation, Family, Name, Network, NextHop, Realms, Route, RouteKind, RouteMetric, RouteMetrics, RoutePosition,
    RouterPreference, Scope, Table, TunnelKey,
};

use super::iproute::{Kind, Names};
use super::options::{Line, Target, target, without_host_bits};
use super::values;
use crate::diagnostic::Findings;
use crate::keywords::{Block, Keyword};
use crate::statement::Statement;
use crate::syntax::{Entry, Word};

/// A route, and the group that a static one names.
pub(super) struct Read<'a, T> {
    pub(super) what: Arc<T>,
    pub(super) group: Option<&'a Word>,
}

/// The routes of a block. Those that cannot be are reported and left out.
pub(super) fn routes<'a>(
    statement: &'a Statement<'_>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Vec<Read<'a, Route>> {
    statement.entries().iter().filter_map(|entry| route(entry, names, findings)).collect()
}

fn route<'a>(entry: &'a Entry, names: &Names<'_>, findings: &mut Findings) -> Option<Read<'a, Route>> {
    let first = entry.words.first()?;
    let mut line = Line::new(entry, names, findings);
    let mut draft = Draft::new(first);
    while let Some(word) = line.next() {
        draft.take(word, &mut line);
    }
    let group = draft.group;
    let route = draft.finish(&mut line)?;
    Some(Read { what: Arc::new(route), group })
}

/// What the words of a route said, before they are held against each other.
struct Draft<'a> {
    /// The first word, where what concerns the whole route is told.
    start: &'a Word,
    kind: RouteKind,
    destination: Option<(Target, &'a Word)>,
    ipv6: bool,
    from: Option<(Target, &'a Word)>,
    table: Table,
    tos: Option<(u8, &'a Word)>,
    metric: Option<u32>,
    scope: Option<(Scope, &'a Word)>,
    protocol: Option<u8>,
    source: Option<(IpAddr, &'a Word)>,
    /// What `via`, `dev` and their kin said outside of `nexthop`.
    hop: Hop<'a>,
    /// What `or` said.
    second: Option<(IpAddr, &'a Word)>,
    /// Where the first `nexthop` stands, and all of them.
    nexthops: Option<&'a Word>,
    hops: Vec<Hop<'a>>,
    metrics: RouteMetrics,
    preference: Option<(RouterPreference, &'a Word)>,
    expires: Option<(u32, &'a Word)>,
    ttl_propagate: Option<bool>,
    position: RoutePosition,
    tracked: bool,
    group: Option<&'a Word>,
}

/// One way to go, with the words that say what cannot always be said.
#[derive(Default)]
struct Hop<'a> {
    hop: NextHop,
    gateway: Option<&'a Word>,
    onlink: Option<&'a Word>,
    realms: Option<&'a Word>,
    /// Any word of it.
    some: Option<&'a Word>,
}

impl<'a> Draft<'a> {
    fn new(start: &'a Word) -> Self {
        Self {
            start,
            kind: RouteKind::Unicast,
            destination: None,
            ipv6: false,
            from: None,
            table: Table::MAIN,
            tos: None,
            metric: None,
            scope: None,
            protocol: None,
            source: None,
            hop: Hop::default(),
            second: None,
            nexthops: None,
            hops: Vec::new(),
            metrics: RouteMetrics::default(),
            preference: None,
            expires: None,
            ttl_propagate: None,
            position: RoutePosition::Prepend,
            tracked: true,
            group: None,
        }
    }

    fn take(&mut self, word: &'a Word, line: &mut Line<'a, '_, '_>) {
        if self.nexthops.is_some() && word.text != "nexthop" {
            let hop = self.hops.last_mut().expect("`nexthop` has made one");
            if !hop.take(word, true, line) {
                line.wrong(
                    "bad-option",
                    word,
                    format!("`{}` stands behind `nexthop`, where only its options can", word.text),
                )
                .help("write what concerns the whole route before the first `nexthop`");
            }
            return;
        }
        if self.hop.take(word, false, line) {
            return;
        }
        let Some(option) = line.option(Block::RouteOptions, word) else {
            return self.take_destination(word, line);
        };
        if let Some((_, kind)) = RouteKind::ALL.iter().find(|(name, _)| *name == option.name) {
            self.kind = *kind;
            return;
        }
        if self.take_metric(option, word, line) {
            return;
        }
        match option.name {
            "to" => {
                if let Some(value) = line.value(option, word) {
                    self.take_destination(value, line);
                }
            }
            "inet6" => self.ipv6 = true,
            "from" => self.from = line.value(option, word).and_then(|value| network(value, line)),
            "src" => {
                let value = line.peek();
                self.source = line.address(option, word).zip(value);
            }
            "or" => {
                line.findings
                    .hint("old-name", word.span, "`or` is an old word for a second way")
                    .help("write each way behind a `nexthop`: `nexthop via 192.0.2.253 nexthop via 192.0.2.254`");
                line.next_if("inet6");
                let value = line.peek();
                self.second = line.address(option, word).zip(value);
            }
            "nexthop" => {
                self.nexthops = self.nexthops.or(Some(word));
                self.hops.push(Hop { some: Some(word), ..Hop::default() });
            }
            "table" => {
                if let Some(number) = line.named(option, word, Kind::Table) {
                    // The kernel takes "none" for main.
                    self.table = if number == 0 { Table::MAIN } else { Table::Number(number) };
                }
            }
            "vrf" => {
                if let Some(name) = line.interface(option, word) {
                    self.table = Table::Vrf(name);
                }
            }
            "scope" => {
                let scope = line.octet(option, word, Kind::Scope).map(values::scope);
                self.scope = scope.map(|scope| (scope, word));
            }
            "protocol" => self.protocol = line.octet(option, word, Kind::Protocol),
            "tos" => self.tos = line.tos(option, word).map(|tos| (tos, word)),
            "metric" => self.metric = line.number32(option, word, 0, u32::MAX),
            "pref" => {
                let value = line.value(option, word);
                let preference = value.and_then(|value| match value.text.as_str() {
                    "low" => Some(RouterPreference::Low),
                    "medium" => Some(RouterPreference::Medium),
                    "high" => Some(RouterPreference::High),
                    other => {
                        line.wrong("bad-choice", value, format!("`pref` cannot be {other}"))
                            .help("low, medium or high");
                        None
                    }
                });
                self.preference = preference.map(|preference| (preference, word));
            }
            "expires" => self.expires = line.number32(option, word, 1, 42_949_672).map(|seconds| (seconds, word)),
            "ttl-propagate" => {
                let value = line.value(option, word);
                self.ttl_propagate = value.and_then(|value| match value.text.as_str() {
                    "enabled" => Some(true),
                    "disabled" => Some(false),
                    other => {
                        let message = format!("`ttl-propagate` cannot be {other}");
                        line.wrong("bad-choice", value, message).help("enabled or disabled");
                        None
                    }
                });
            }
            "add" => self.position = RoutePosition::Alone,
            "append" => self.position = RoutePosition::Append,
            "prepend" => self.position = RoutePosition::Prepend,
            "no_track" => self.tracked = false,
            "track_group" => self.group = line.value(option, word),
            // What cannot be used was told; what has no effect takes its words along.
            "as" => {
                line.next_if("to");
                line.value(option, word);
            }
            _ => {}
        }
    }

    fn take_destination(&mut self, word: &'a Word, line: &mut Line<'a, '_, '_>) {
        let Some(destination) = target(&word.text) else {
            if word.text.starts_with(|first: char| first.is_ascii_digit() || first == '$') || word.text.contains(':') {
                line.wrong("bad-network", word, format!("`{}` is neither an address nor a network", word.text))
                    .help("for instance 198.51.100.0/24, 2001:db8::/32 or default");
            } else {
                line.unknown(Block::RouteOptions, word);
            }
            return;
        };
        if let Some((known, first)) = &self.destination {
            let family = known.family();
            let message = format!("a second destination, after {}", first.text);
            let finding = if family.is_some_and(|family| destination.family() != Some(family)) {
                line.wrong("given-twice", word, format!("{message}, which does not say the same family"))
            } else {
                line.findings.warning("given-twice", word.span, format!("{message}; the last one counts"))
            };
            finding.help("a line is one route; write another line for another one");
        }
        self.destination = Some((destination, word));
    }

    /// Whether it is one of the `RTAX_*`.
    fn take_metric(&mut self, option: &Keyword, word: &'a Word, line: &mut Line<'a, '_, '_>) -> bool {
        use RouteMetric::{
            Advmss, Cwnd, FastopenNoCookie, Features, Hoplimit, Initcwnd, Initrwnd, Mtu, Quickack, Reordering, RtoMin,
            Rtt, Rttvar, Ssthresh, Window,
        };
        if option.name == "congctl" {
            let locked = line.next_if("lock");
            self.metrics.congestion_control =
                line.value(option, word).map(|value| (Name::from(value.text.as_str()), locked));
            return true;
        }
        let all = [
            Mtu,
            Window,
            Rtt,
            Rttvar,
            Ssthresh,
            Cwnd,
            Advmss,
            Reordering,
            Hoplimit,
            Initcwnd,
            Features,
            RtoMin,
            Initrwnd,
            Quickack,
            FastopenNoCookie,
        ];
        let Some(metric) = all.into_iter().find(|metric| metric.word() == option.name) else { return false };
        let locked = line.next_if("lock");
        let value = match metric {
            // The kernel counts them in eighths and quarters of a millisecond.
            Rtt => round_trip(option, word, 8, line),
            Rttvar => round_trip(option, word, 4, line),
            RtoMin => line.value(option, word).and_then(|value| milliseconds(value, 1, line)),
            Features => features(option, word, line),
            Hoplimit => line.number32(option, word, 0, 255),
            Quickack | FastopenNoCookie => line.number32(option, word, 0, 1),
            Mtu | Window | Ssthresh | Cwnd | Advmss | Reordering | Initcwnd | Initrwnd => {
                line.number32(option, word, 0, u32::MAX)
            }
        };
        self.metrics.values.extend(value.map(|value| (metric, (value, locked))));
        true
    }

    /// Holds everything against each other and builds the route.
    fn finish(mut self, line: &mut Line<'a, '_, '_>) -> Option<Route> {
        // What was meant by a mistake is not also missing.
        if line.bad {
            return None;
        }
        let family = self.family(line)?;
        let destination = match self.destination {
            Some((Target::Everything, _)) => Network::everything(family),
            Some((Target::Network(network), word)) => {
                let clean = without_host_bits(network);
                if clean != network {
                    let message = format!("{} has bits behind its prefix, and the kernel takes none", word.text);
                    line.wrong("host-bits", word, message).help(format!("write `{}/{}`", clean.address, clean.prefix));
                }
                clean
            }
            None => {
                line.wrong("missing-destination", self.start, "a route without a destination")
                    .help("for instance `198.51.100.0/24 via 192.0.2.254`, or `default`");
                return None;
            }
        };
        self.check_family(family, line);
        let hops = self.take_hops(family, line);
        if line.bad {
            return None;
        }
        if self.kind == RouteKind::Nat && family == Family::Ipv4 {
            let message = "the kernel refuses `nat` routes since 2.6.9, so this one will never be there";
            line.findings
                .warning("nat-route", self.start.span, message)
                .help("translate addresses with nftables instead");
        }
        let default_scope = match self.kind {
            // The kernel refuses these any further away, although keepalived asks for "global".
            RouteKind::Local => Scope::Host,
            RouteKind::Broadcast => Scope::Link,
            _ => Scope::Global,
        };
        let from = self.from.map(|(from, _)| match from {
            Target::Everything => Network::everything(family),
            Target::Network(network) => without_host_bits(network),
        });
        Some(Route {
            kind: self.kind,
            from: from.filter(|from| from.prefix != 0),
            table: self.table,
            tos: self.tos.map_or(0, |(tos, _)| tos),
            metric: self.metric,
            scope: match family {
                Family::Ipv4 => self.scope.map_or(default_scope, |(scope, _)| scope),
                Family::Ipv6 => Scope::Global,
            },
            protocol: self.protocol,
            source: self.source.map(|(source, _)| source),
            hops,
            metrics: self.metrics,
            preference: self.preference.map_or(RouterPreference::Medium, |(preference, _)| preference),
            expires: self.expires.map(|(seconds, _)| seconds),
            ttl_propagate: self.ttl_propagate,
            position: self.position,
            tracked: self.tracked,
            ..Route::to(destination)
        })
    }

    /// By the destination if it says so, else by what else is said; IPv4 if nothing is.
    fn family(&self, line: &mut Line<'a, '_, '_>) -> Option<Family> {
        let of_target = |target: &Option<(Target, &Word)>| target.as_ref().and_then(|(target, _)| target.family());
        let stated = self.ipv6.then_some(Family::Ipv6);
        let destination = of_target(&self.destination);
        if let (Some(Family::Ipv4), Some((_, word)), true) = (destination, &self.destination, self.ipv6) {
            line.wrong("mixed-families", word, format!("{} is not IPv6, and `inet6` asks for that", word.text));
            return None;
        }
        let gateways = self.hops.iter().chain([&self.hop]).filter_map(|hop| hop.hop.gateway);
        let addresses = self.source.map(|(source, _)| source).into_iter().chain(gateways);
        let said = addresses.map(Family::of).next();
        Some(destination.or(stated).or(of_target(&self.from)).or(said).unwrap_or(Family::Ipv4))
    }

    /// What only one of the two families has.
    fn check_family(&self, family: Family, line: &mut Line<'a, '_, '_>) {
        if let Some((source, word)) = self.source
            && Family::of(source) != family
        {
            line.wrong("mixed-families", word, "the source address is of the other family than the destination");
        }
        if let Some((Target::Network(from), word)) = &self.from
            && from.family() != family
        {
            line.wrong("mixed-families", word, format!("{} is of the other family than the destination", word.text));
        }
        let of_ipv6 = [
            (self.from.as_ref().map(|(_, word)| *word), "from"),
            (self.preference.map(|(_, word)| word), "pref"),
            (self.expires.map(|(_, word)| word), "expires"),
        ];
        let realms = self.hops.iter().chain([&self.hop]).find_map(|hop| hop.realms);
        let of_ipv4 = [(self.tos.map(|(_, word)| word), "tos"), (realms, "realms")];
        let (others, name) = match family {
            Family::Ipv4 => (of_ipv6.as_slice(), "IPv6"),
            Family::Ipv6 => (of_ipv4.as_slice(), "IPv4"),
        };
        for (word, option) in others {
            if let Some(word) = word {
                line.wrong("other-family", word, format!("`{option}` is for {name} only")).help("remove it");
            }
        }
        if let (Family::Ipv6, Some((_, word))) = (family, self.scope) {
            line.findings
                .warning("other-family", word.span, "a route of IPv6 has no scope; this is ignored")
                .help("remove it");
        }
    }

    fn take_hops(&mut self, family: Family, line: &mut Line<'a, '_, '_>) -> Vec<NextHop> {
        let mut hops = std::mem::take(&mut self.hops);
        let own = std::mem::take(&mut self.hop);
        if let (Some(_), Some(word)) = (self.nexthops, own.some) {
            line.wrong(
                "mixed-hops",
                word,
                format!("`{}` stands outside of `nexthop`, where nothing is meant by it", word.text),
            )
            .help("write it behind the `nexthop` that it belongs to");
        }
        if self.nexthops.is_none() && own.some.is_some() {
            hops.push(own);
        }
        if let Some((gateway, word)) = self.second {
            let link = hops.last().and_then(|first| first.hop.link.clone());
            let hop = NextHop { gateway: Some(gateway), link, ..NextHop::default() };
            hops.push(Hop { hop, gateway: Some(word), some: Some(word), ..Hop::default() });
        }
        for hop in &hops {
            hop.check(family, line);
        }
        match (self.kind.leads_somewhere(), hops.first()) {
            (true, None) => {
                let message = "a route that leads nowhere: it names neither a router nor an interface";
                line.wrong("no-way", self.start, message).help("add `via ADDRESS` or `dev INTERFACE`");
            }
            (false, Some(hop)) => {
                line.wrong(
                    "no-way",
                    hop.some.unwrap_or(self.start),
                    "packets of such a route go nowhere, so it takes no way",
                )
                .help("remove `via` and `dev`");
            }
            _ => {}
        }
        hops.into_iter().map(|hop| hop.hop).collect()
    }
}

impl<'a> Hop<'a> {
    /// Whether the word is an option of a hop.
    fn take(&mut self, word: &'a Word, among_others: bool, line: &mut Line<'a, '_, '_>) -> bool {
        let Some(option) = Block::RouteOptions.find(&word.text) else { return false };
        match option.name {
            "via" => {
                if word.text == "gw" {
                    line.findings.hint("old-name", word.span, "`gw` is the old name of `via`").help("write `via`");
                }
                line.next_if("inet6");
                self.gateway = line.peek();
                self.hop.gateway = line.address(option, word);
            }
            "dev" => self.hop.link = line.interface(option, word),
            "onlink" => {
                self.onlink = Some(word);
                self.hop.onlink = true;
            }
            "realms" => {
                self.realms = Some(word);
                self.hop.realms = line.realms(option, word).filter(|realms| *realms != Realms { from: 0, to: 0 });
                // It says where packets are counted, not where they go.
                return true;
            }
            "encap" => self.hop.encapsulation = encapsulation(option, word, line),
            "weight" if among_others => {
                let weight = line.number(option, word, 1, 256);
                self.hop.weight = weight.and_then(|weight| u16::try_from(weight).ok()).unwrap_or(1);
            }
            "weight" => {
                line.wrong("bad-option", word, "`weight` is the share of one of several hops")
                    .help("write it behind `nexthop`");
                line.next();
            }
            _ => return false,
        }
        self.some = self.some.or(Some(word));
        true
    }

    fn check(&self, family: Family, line: &mut Line<'a, '_, '_>) {
        if let (Some(gateway), Some(word)) = (self.hop.gateway, self.gateway)
            && Family::of(gateway) == Family::Ipv4
            && family == Family::Ipv6
        {
            line.wrong("mixed-families", word, "a route of IPv6 cannot lead to an IPv4 router");
        }
        if let Some(word) = self.onlink
            && (self.hop.link.is_none() || self.hop.gateway.is_none())
        {
            line.wrong("onlink", word, "`onlink` says that a router is on an interface: it needs both")
                .help("add `via ADDRESS` and `dev INTERFACE`");
        }
        if self.hop.gateway.is_none()
            && self.hop.link.is_none()
            && let Some(word) = self.some
        {
            line.wrong("no-way", word, "this hop names neither a router nor an interface")
                .help("add `via ADDRESS` or `dev INTERFACE`");
        }
    }
}

fn network<'a>(word: &'a Word, line: &mut Line<'a, '_, '_>) -> Option<(Target, &'a Word)> {
    let found = target(&word.text);
    if found.is_none() {
        line.wrong("bad-network", word, format!("`{}` is neither an address nor a network", word.text));
    }
    Some((found?, word))
}

/// A time, in so many parts of a millisecond. A number without a unit is meant in these.
fn milliseconds(word: &Word, parts: u32, line: &mut Line<'_, '_, '_>) -> Option<u32> {
    let units = [("msecs", 1), ("msec", 1), ("ms", 1), ("secs", 1000), ("sec", 1000), ("s", 1000)];
    let unit = units.iter().find_map(|(unit, factor)| Some((word.text.strip_suffix(unit)?, *factor)));
    let found = match unit {
        None => word.text.parse().ok().filter(|_| word.text.bytes().all(|byte| byte.is_ascii_digit())),
        Some((number, factor)) => {
            let well_formed = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let value: Option<f64> = if well_formed { number.parse().ok() } else { None };
            let parts = value.map(|value| value * f64::from(factor) * f64::from(parts));
            parts.filter(|parts| *parts <= f64::from(u32::MAX)).map(|parts| parts.round() as u32)
        }
    };
    if found.is_none() {
        line.wrong("bad-number", word, format!("`{}` is no time", word.text)).help("for instance `200ms` or `1.5s`");
    }
    found
}

/// A guess below the least time until TCP sends again is raised to it, as keepalived does.
fn round_trip(option: &Keyword, word: &Word, parts: u32, line: &mut Line<'_, '_, '_>) -> Option<u32> {
    const LEAST: u32 = 200;
    let value = line.value(option, word)?;
    let found = milliseconds(value, parts, line)?;
    if found < LEAST * parts {
        line.findings
            .warning("raised", value.span, format!("`{}` of {} is raised to {LEAST} ms", word.text, value.text))
            .help(format!("a number without a unit is in 1/{parts} ms; write for instance `250ms`"));
    }
    Some(found.max(LEAST * parts))
}

/// Features of TCP, by name; one is known.
fn features(option: &Keyword, word: &Word, line: &mut Line<'_, '_, '_>) -> Option<u32> {
    let value = line.value(option, word)?;
    if value.text == "ecn" {
        return Some(1);
    }
    line.wrong("bad-choice", value, format!("`{}` is no feature of a route", value.text)).help("ecn is the only one");
    None
}

fn encapsulation(option: &Keyword, word: &Word, line: &mut Line<'_, '_, '_>) -> Option<Encapsulation> {
    let kind = line.value(option, word)?;
    match kind.text.as_str() {
        "mpls" => {
            let value = line.value(option, kind)?;
            let label = |text: &str| text.parse().ok().filter(|label: &u32| *label < 1 << 20);
            let labels: Option<Vec<u32>> = value.text.split('/').map(label).collect();
            if labels.is_none() {
                line.wrong("bad-number", value, format!("`{}` are no labels of MPLS", value.text))
                    .help("numbers from 0 to 1048575, for instance 100/200");
            }
            labels.map(Encapsulation::Mpls)
        }
        "ip" => tunnel(option, Family::Ipv4, line).map(Encapsulation::Ip),
        "ip6" => tunnel(option, Family::Ipv6, line).map(Encapsulation::Ip6),
        "ila" => {
            let value = line.value(option, kind)?;
            let part = |text: &str| u16::from_str_radix(text, 16).ok();
            let parts: Option<Vec<u16>> = value.text.split(':').map(part).collect();
            let locator = parts.filter(|parts| parts.len() == 4);
            if locator.is_none() {
                line.wrong("bad-number", value, format!("`{}` is no locator", value.text))
                    .help("for instance 2001:db8:0:1");
            }
            let joined = |parts: Vec<u16>| parts.into_iter().fold(0, |all, part| all << 16 | u64::from(part));
            locator.map(joined).map(Encapsulation::Ila)
        }
        other => {
            line.wrong("bad-choice", kind, format!("`encap` cannot be {other}")).help("mpls, ip, ip6 or ila");
            None
        }
    }
}

/// `id N [dst A] [src A] [tos N] [ttl N] [flags N]`; with IPv6 the last ones are `tc` and `hoplimit`.
fn tunnel(option: &Keyword, family: Family, line: &mut Line<'_, '_, '_>) -> Option<TunnelKey> {
    let (tos, ttl) = match family {
        Family::Ipv4 => ("tos", "ttl"),
        Family::Ipv6 => ("tc", "hoplimit"),
    };
    let mut key = TunnelKey::default();
    while let Some(word) = line.peek() {
        let name = word.text.as_str();
        if !["id", "dst", "src", "flags", tos, ttl].contains(&name) {
            break;
        }
        line.next();
        match name {
            "id" => key.id = line.number(option, word, 0, u64::MAX)?,
            "flags" => key.flags = u16::try_from(line.number(option, word, 0, 65_535)?).ok()?,
            "dst" | "src" => {
                let value = line.peek();
                let address = line.address(option, word)?;
                if let Some(value) = value.filter(|_| Family::of(address) != family) {
                    line.wrong("mixed-families", value, "both ends of a tunnel are of its family");
                }
                if name == "dst" {
                    key.destination = Some(address).filter(|address| !address.is_unspecified());
                } else {
                    key.source = Some(address).filter(|address| !address.is_unspecified());
                }
            }
            _ if name == tos => key.tos = u8::try_from(line.number(option, word, 0, 255)?).ok()?,
            _ => key.ttl = u8::try_from(line.number(option, word, 0, 255)?).ok()?,
        }
    }
    Some(key)
}
