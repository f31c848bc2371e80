//! `vrrp_instance`: a virtual router.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::{
    AnnounceElsewhere, Authentication, Family, Interval, Name, Priority, Route, RouterConfig, Rule, Tracked,
    TrackedLink, TrackedScript, TrackerKind, Transport, Version, VirtualAddress, Vrid,
};

use super::announce::Announcing;
use super::authentication::Authenticating;
use super::deviations::Deviating;
use super::family::{self, Families};
use super::global::{Defaults, group, unreachable_keyword, version};
use super::routes::Read;
use super::statics::default_link;
use super::tracking::Known;
use super::virtual_mac::{self, VirtualLinks};
use super::{addresses, routes, rules, script, tracking, values};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{Instance, Notify, StatedRole};
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::syntax::Word;

/// What the statements of an instance said, before they are held against each other.
struct Draft<'a> {
    name: &'a Word,
    stated: Option<(StatedRole, Span)>,
    link: Option<(Name, Span)>,
    vrid: Option<Vrid>,
    priority: Option<(Priority, Span)>,
    interval: Option<(Duration, Span)>,
    version: Version,
    /// Where the instance itself asks for a version.
    version_stated: Option<Span>,
    families: Families,
    authenticating: Authenticating,
    addresses: Vec<(VirtualAddress, &'a Word)>,
    excluded: Vec<(VirtualAddress, &'a Word)>,
    no_addresses: bool,
    routes: Vec<Arc<Route>>,
    rules: Vec<Arc<Rule>>,
    receive_buffer: Option<u32>,
    promote_secondaries: bool,
    polls_link: bool,
    vrf: Option<(Name, Span)>,
    source: Option<IpAddr>,
    peers: Vec<addresses::Peer>,
    /// Where `unicast_peer` stands.
    unicast: Option<Span>,
    unicast_ttl: Option<(u8, Span)>,
    /// Where `unicast_src_ip` stands.
    unicast_source: Option<Span>,
    /// Without peers it is kept out, instead of falling back to multicast.
    needs_peers: bool,
    group: Option<(IpAddr, Span)>,
    nopreempt: Option<Span>,
    preempt_delay: Option<(Duration, Span)>,
    skip_check_adv_addr: bool,
    strict: bool,
    /// What `accept` or `no_accept` said.
    accept: Option<bool>,
    announcing: Announcing,
    deviating: Deviating,
    virtual_mac: virtual_mac::Asking,
    track_links: Vec<(TrackedLink, Span)>,
    ignore_own_link: bool,
    track_scripts: Vec<TrackedScript>,
    trackers: Vec<Tracked>,
    services: Vec<Name>,
    notify: Notify,
    mails: bool,
    tells_priority: bool,
    /// Keywords that are there with a value. If nothing came of it, that was reported, and they are not also
    /// missing.
    given: Vec<&'static str>,
}

pub(super) fn instance(
    block: &Statement<'_>,
    defaults: &Defaults,
    known: &mut Known<'_>,
    findings: &mut Findings,
) -> Option<Instance> {
    let statements = statements(Block::VrrpInstance, block.entries(), findings);
    let mut draft = Draft {
        name: block.value(),
        stated: None,
        link: None,
        vrid: None,
        priority: None,
        interval: None,
        version: defaults.version,
        version_stated: None,
        families: Families::default(),
        authenticating: Authenticating::default(),
        addresses: Vec::new(),
        excluded: Vec::new(),
        no_addresses: false,
        routes: Vec::new(),
        rules: Vec::new(),
        receive_buffer: None,
        promote_secondaries: false,
        polls_link: false,
        vrf: None,
        source: None,
        peers: Vec::new(),
        unicast: None,
        unicast_ttl: None,
        unicast_source: None,
        needs_peers: false,
        group: None,
        nopreempt: None,
        preempt_delay: None,
        skip_check_adv_addr: defaults.skip_check_adv_addr,
        strict: defaults.strict,
        accept: None,
        announcing: Announcing::default(),
        deviating: Deviating::default(),
        virtual_mac: virtual_mac::Asking::default(),
        track_links: Vec::new(),
        ignore_own_link: false,
        track_scripts: Vec::new(),
        trackers: Vec::new(),
        services: Vec::new(),
        notify: Notify::default(),
        mails: defaults.told.mails,
        tells_priority: defaults.told.priority,
        given: Vec::new(),
    };
    for statement in &statements {
        draft.take(statement, known, findings);
    }
    draft.finish(defaults, &mut known.virtual_links, findings)
}

impl<'a> Draft<'a> {
    fn take(&mut self, statement: &'a Statement<'_>, known: &mut Known<'_>, findings: &mut Findings) {
        if self.announcing.take(statement, "", findings)
            || self.deviating.take(statement, "", findings)
            || self.virtual_mac.take(statement, known.names, findings)
            || script::take_notify(&mut self.notify, statement, &mut known.commands, findings)
        {
            return;
        }
        let name = statement.keyword.name;
        match name {
            "state" => {
                let stated = stated(statement.value(), findings);
                self.note_given(name);
                // As in keepalived, the first one counts that is one.
                if self.stated.is_none() {
                    self.stated = stated.map(|stated| (stated, statement.span));
                }
            }
            "interface" => {
                let link =
                    values::interface(statement.value(), findings).filter(|_| reaches_others(statement, findings));
                self.link = link.map(|link| (link, statement.value().span));
                self.note_given(name);
            }
            "virtual_router_id" => {
                self.vrid = vrid(statement, findings);
                self.note_given(name);
            }
            "priority" => {
                let value = values::count(statement, findings).and_then(|value| u8::try_from(value).ok());
                self.priority = value.map(|value| (Priority::new(value), statement.span));
            }
            "advert_int" => {
                let interval = values::seconds(statement, findings);
                self.interval = interval.map(|interval| (interval, statement.value().span));
            }
            "version" => {
                let stated = version(statement, findings).unwrap_or(self.version);
                // As in keepalived, the first one counts: the other node may run it.
                if self.version_stated.is_none() {
                    (self.version, self.version_stated) = (stated, Some(statement.span));
                }
            }
            "authentication" => self.authenticating.take_password(statement, findings),
            "auth_hmac" => self.authenticating.take_hmac(statement, findings),
            "virtual_ipaddress" => {
                if !statement.entries().is_empty() {
                    self.note_given(name);
                }
                addresses::addresses(statement, known.names, &mut self.addresses, &mut self.virtual_mac, findings);
                let families = &mut self.families;
                self.addresses.retain(|(address, word)| families.take_virtual(address, word, findings));
            }
            "virtual_ipaddress_excluded" => {
                let (list, virtual_mac) = (&mut self.excluded, &mut self.virtual_mac);
                addresses::addresses(statement, known.names, list, virtual_mac, findings);
            }
            "no_virtual_ipaddress" => self.no_addresses = true,
            "virtual_routes" => {
                let routes = routes::routes(statement, known.names, findings);
                self.routes.extend(routes.into_iter().map(|read| moving(read, findings)));
            }
            "virtual_rules" => {
                let rules = rules::rules(statement, known.names, &mut known.numbering, findings);
                self.rules.extend(rules.into_iter().map(|read| moving(read, findings)));
            }
            "linkbeat_use_polling" => {
                self.polls_link = true;
                findings
                    .warning(
                        "old-name",
                        statement.span,
                        "`linkbeat_use_polling` of an instance is an old way to say it",
                    )
                    .help("name the interface in `linkbeat_interfaces { … }`, outside");
            }
            "vrf" => {
                let vrf = values::interface(statement.value(), findings);
                self.vrf = vrf.map(|vrf| (vrf, statement.value().span));
            }
            "promote_secondaries" => self.promote_secondaries = true,
            "kernel_rx_buf_size" => self.receive_buffer = values::count(statement, findings),
            "unicast_src_ip" | "mcast_src_ip" => {
                if name == "unicast_src_ip" {
                    self.unicast_source = Some(statement.span);
                }
                let source = values::node_address(statement.value(), findings);
                self.source = source.filter(|source| self.families.take(*source, statement.value().span, findings));
            }
            "unicast_peer" => {
                self.unicast = Some(statement.span);
                if !statement.entries().is_empty() {
                    self.note_given(name);
                }
                addresses::peers(statement, &mut self.peers, findings);
                let families = &mut self.families;
                self.peers.retain(|(peer, _, span)| families.take(*peer, *span, findings));
            }
            "unicast_ttl" => {
                let ttl = values::count(statement, findings).and_then(|ttl| u8::try_from(ttl).ok());
                self.unicast_ttl = ttl.map(|ttl| (ttl, statement.span));
            }
            "unicast_fault_no_peer" => self.needs_peers = true,
            "mcast_dst_ip" => {
                let group = group(statement, None, findings);
                let group = group.filter(|group| self.families.take(*group, statement.value().span, findings));
                self.group = group.map(|group| (group, statement.span));
            }
            "nopreempt" => self.nopreempt = Some(statement.span),
            "preempt" => self.nopreempt = None,
            "preempt_delay" => {
                self.preempt_delay = values::seconds(statement, findings).map(|delay| (delay, statement.span));
            }
            "track_interface" => tracking::links(statement, &mut self.track_links, findings),
            "track_script" => tracking::scripts(statement, known, &mut self.track_scripts, findings),
            "track_file" => tracking::figures(TrackerKind::File, statement, known, &mut self.trackers, findings),
            "track_process" => tracking::figures(TrackerKind::Process, statement, known, &mut self.trackers, findings),
            // Without its source address it cannot be heard; the engine needs no telling.
            "track_src_ip" => {}
            "service" => {
                self.note_given(name);
                known.services.mention(statement, self.name, &mut self.services, findings);
            }
            "dont_track_primary" => self.ignore_own_link = true,
            "skip_check_adv_addr" => {
                self.skip_check_adv_addr = values::switch(statement, findings).unwrap_or(self.skip_check_adv_addr);
            }
            "strict_mode" => self.strict = values::switch(statement, findings).unwrap_or(self.strict),
            "accept" => self.accept = Some(true),
            "no_accept" => self.accept = Some(false),
            "smtp_alert" => self.mails = values::switch(statement, findings).unwrap_or(self.mails),
            "notify_priority_changes" => {
                self.tells_priority = values::switch(statement, findings).unwrap_or(self.tells_priority);
                known.own_priority.insert(self.name.text.clone());
            }
            other => unreachable_keyword(other, Block::VrrpInstance, statement, findings),
        }
    }

    /// Addresses or services, even if none of them came to be.
    fn has_what_moves(&self) -> bool {
        self.given.contains(&"virtual_ipaddress") || self.given.contains(&"service")
    }

    fn note_given(&mut self, keyword: &'static str) {
        self.given.push(keyword);
    }

    /// Holds everything against each other, fills in the defaults, and builds the router.
    fn finish(
        mut self,
        defaults: &Defaults,
        virtual_links: &mut VirtualLinks,
        findings: &mut Findings,
    ) -> Option<Instance> {
        let name = self.name;
        self.take_place_of_vrf(findings);
        self.do_without_interface(defaults, findings);
        self.report_missing(name, findings);
        let priority = self.priority(findings);
        let family = self.families.family();
        self.version = family::version(family, self.version, self.version_stated, self.strict, findings);
        self.check_header(findings);
        self.check_preemption(priority, findings);
        let interval = self.interval(findings);
        let (authentication, key_files) =
            std::mem::take(&mut self.authenticating).resolve(self.version, interval, self.strict, findings);
        self.limit_addresses(&authentication, findings);
        if self.addresses.is_empty() && !self.no_addresses && !self.has_what_moves() {
            findings
                .warning("no-addresses", name.span, format!("`{}` has no virtual addresses", name.text))
                .help("add `virtual_ipaddress { … }`, or `no_virtual_ipaddress` if that is meant");
        }
        self.check_tracking(priority, findings);
        let accept_mode = self.accept_mode(name, priority, findings);
        family::check_first(&self.addresses, self.strict, findings);
        let mut transport = self.transport(defaults, findings);
        let mut deviations =
            self.deviating.resolve(&defaults.deviating, self.strict, self.nopreempt.is_some(), findings);
        let limits = self.peers.iter().filter_map(|(peer, limits, _)| limits.map(|(least, most)| (*peer, least, most)));
        deviations.peer_ttl = limits.collect();
        // Whoever says how far its peers may be away wants no others.
        deviations.only_from_peers |= !deviations.peer_ttl.is_empty();
        let (link, _) = self.link?;
        let vrid = self.vrid?;
        let by_unicast = matches!(transport, Some(Transport::Unicast { .. }));
        let about = virtual_mac::About { name, link: &link, vrid, family, by_unicast, strict: self.strict };
        let addresses = self.addresses.iter_mut().chain(&mut self.excluded).map(|(address, _)| address);
        let virtual_mac::Resolved { link: own_link, virtual_mac, source: own_source } =
            self.virtual_mac.resolve(&about, addresses, virtual_links, findings);
        if let Some(Transport::Multicast { source, .. } | Transport::Unicast { source, .. }) = &mut transport {
            *source = source.or(own_source);
        }
        if let Some(own) = &own_link {
            let mut addresses = self.addresses.iter().chain(&self.excluded);
            // It is needed for the advertisements, too.
            if !addresses.any(|(address, _)| address.tracked && address.link.as_ref() == Some(own)) {
                let tracked = TrackedLink { link: own.clone(), weight: engine::Weight::Fault };
                self.track_links.push((tracked, name.span));
            }
        }
        let mut announce = if self.strict {
            self.announcing.strict_policy(&defaults.announcing)
        } else {
            self.announcing.policy(&defaults.announcing)
        };
        if let Some((every, all)) = self.announcing.elsewhere(&defaults.announcing) {
            let addresses = self.addresses.iter().chain(&self.excluded).map(|(address, _)| address);
            let links = virtual_links.beside(&link, virtual_mac.as_ref(), addresses, all);
            announce.elsewhere = (!links.is_empty()).then_some(AnnounceElsewhere { every, links });
        }
        let router = RouterConfig {
            name: name.text.as_str().into(),
            link,
            vrid,
            family,
            version: self.version,
            priority,
            advertisement_interval: interval?,
            preempt_mode: self.nopreempt.is_none(),
            preempt_delay: self.preempt_delay.map_or(Duration::ZERO, |(delay, _)| delay),
            transport: transport?,
            authentication,
            addresses: self.addresses.into_iter().map(|(address, _)| address).collect(),
            excluded_addresses: self.excluded.into_iter().map(|(address, _)| address).collect(),
            routes: self.routes,
            rules: self.rules,
            skip_check_adv_addr: self.skip_check_adv_addr,
            deviations,
            announce,
            track_links: self.track_links.into_iter().map(|(tracked, _)| tracked).collect(),
            ignore_own_link: self.ignore_own_link,
            track_scripts: self.track_scripts,
            trackers: self.trackers,
            track_groups: Vec::new(),
            services: self.services,
        };
        let stated =
            self.stated.map(|(stated, _)| stated).or(self.given.contains(&"state").then_some(StatedRole::Backup));
        let (promote_secondaries, receive_buffer, strict) =
            (self.promote_secondaries, self.receive_buffer, self.strict);
        let (polls_link, in_vrf) = (self.polls_link, self.vrf.is_some());
        let Self { notify, mails, tells_priority, .. } = self;
        Some(Instance {
            router,
            stated,
            strict,
            accept_mode,
            receive_buffer,
            promote_secondaries,
            in_vrf,
            polls_link,
            ipvlan: own_link.filter(|_| virtual_mac.is_none()),
            virtual_mac,
            notify,
            mails,
            tells_priority,
            key_files,
        })
    }

    /// Holds a strict router to the standard, and decides whether packets to its addresses are let through.
    fn accept_mode(&mut self, name: &Word, priority: Priority, findings: &mut Findings) -> bool {
        let unstrict = "remove it, or `vrrp_strict`";
        if self.strict {
            if let Some(span) = self.unicast {
                findings
                    .error("strict", span, "unicast is not in the standard, and `vrrp_strict` asks for that")
                    .help(unstrict);
            }
            if let Some((_, span)) = self.preempt_delay.take() {
                findings
                    .warning("strict", span, "`preempt_delay` is ignored: it is not in the standard (`vrrp_strict`)")
                    .help(unstrict);
            }
            if self.announcing.speaks_of_lower_priority() {
                let message = "`garp_lower_prio_…` is ignored: it is not in the standard (`vrrp_strict`)";
                findings.warning("strict", name.span, message).help(unstrict);
            }
            if self.addresses.is_empty() {
                findings
                    .error("strict", name.span, format!("`{}` has no addresses to advertise", name.text))
                    .help("`vrrp_strict` asks for at least one: add one, or remove `vrrp_strict`");
            }
        }
        let accept_mode = self.accept.unwrap_or(!self.strict);
        if self.strict && !accept_mode && !priority.is_address_owner() {
            let message = format!("nobody can reach the addresses of `{}`: packets to them are dropped", name.text);
            findings
                .warning("traffic-dropped", name.span, message)
                .help("that is `vrrp_strict`, meant for routers; add `accept` to have services answer there");
        }
        accept_mode
    }

    /// The VRF takes the place of the interface.
    fn take_place_of_vrf(&mut self, findings: &mut Findings) {
        let Some((vrf, span)) = &self.vrf else { return };
        if self.given.contains(&"interface") {
            findings
                .warning("vrf-unused", *span, "`vrf` takes the place of `interface`, and says nothing beside it")
                .help("remove one: an instance on an interface is in the VRF of that");
            self.vrf = None;
            return;
        }
        if self.unicast.is_none() {
            findings
                .error("no-peers", *span, "`vrf` is for unicast: multicast has one interface that it leaves by")
                .help("add `unicast_peer { … }`, or say `interface IF` instead");
        } else {
            self.link = Some((vrf.clone(), *span));
            if self.source.is_none() {
                findings
                    .hint("no-source", *span, format!("advertisements will come from an address of {vrf} itself"))
                    .help("add `unicast_src_ip`, an address of an interface in it");
            }
            for (address, word) in self.addresses.iter().chain(&self.excluded).filter(|(it, _)| it.link.is_none()) {
                findings
                    .hint("no-device", word.span, format!("{} will be on {vrf} itself", address.address))
                    .help("add `dev IF`, an interface in it, if neighbours are to find the address");
            }
        }
        self.note_given("interface");
    }

    /// Unicast goes where the routes say, and comes in wherever it does.
    fn do_without_interface(&mut self, defaults: &Defaults, findings: &mut Findings) {
        if self.link.is_some() || self.given.contains(&"interface") || self.unicast.is_none() {
            return;
        }
        self.note_given("interface");
        let name = self.name;
        let Some(source) = self.source else {
            let message = format!("`{}` has neither `interface` nor `unicast_src_ip`", name.text);
            findings
                .error("no-source", name.span, message)
                .help("add `unicast_src_ip`, the address of this machine that advertisements come from");
            return;
        };
        let used = std::iter::once(source).chain(self.peers.iter().map(|(peer, ..)| *peer));
        if let Some(address) = used.into_iter().find(is_link_local) {
            let message = format!("{address} means something else on every interface, and `{}` names none", name.text);
            findings.error("link-local", name.span, message).help("add `interface IF`, where that address is");
            return;
        }
        if let Some((span, keyword)) = self.virtual_mac.stands_on_own_interface() {
            findings
                .error("no-device", span, format!("`{keyword}` needs an interface to stand on"))
                .help("add `interface IF`");
            return;
        }
        let link = default_link(defaults.interface.as_ref());
        for (address, word) in self.addresses.iter_mut().chain(&mut self.excluded).filter(|(it, _)| it.link.is_none()) {
            findings
                .hint("no-device", word.span, format!("{} will be on {link}: there is no `interface`", address.address))
                .help("add `dev IF`");
            address.link = Some(link.clone());
        }
        self.virtual_mac.place(&link);
        let (promotes, polls) = (&mut self.promote_secondaries, &mut self.polls_link);
        for (said, keyword) in [(promotes, "promote_secondaries"), (polls, "linkbeat_use_polling")] {
            if std::mem::take(said) {
                let message =
                    format!("`{keyword}` is ignored: it is about the instance's interface, and there is none");
                findings.warning("no-device", name.span, message).help("remove it, or add `interface IF`");
            }
        }
        self.link = Some((RouterConfig::ANYWHERE.into(), name.span));
    }

    fn report_missing(&self, name: &Word, findings: &mut Findings) {
        if self.link.is_none() && !self.given.contains(&"interface") {
            findings
                .error("missing-keyword", name.span, format!("`{}` has no `interface`", name.text))
                .help("add a line like `interface eth0`");
        }
        if self.vrid.is_none() && !self.given.contains(&"virtual_router_id") {
            findings
                .error("missing-keyword", name.span, format!("`{}` has no `virtual_router_id`", name.text))
                .help("add a line like `virtual_router_id 51`, the same number on all its nodes");
        }
    }

    /// `state MASTER` alone means the address owner; otherwise `state` decides no priority.
    fn priority(&self, findings: &mut Findings) -> Priority {
        match (self.priority, self.stated) {
            (Some((priority, _)), _) => priority,
            (None, Some((StatedRole::Active, span))) => {
                findings
                    .warning(
                        "owner-by-state",
                        span,
                        "`state MASTER` without `priority` means priority 255, the address owner",
                    )
                    .help("add `priority 100` or so, unless the addresses are this machine's own");
                Priority::ADDRESS_OWNER
            }
            (None, _) => Priority::DEFAULT,
        }
    }

    /// With an authentication header, who begins must have heard the others' numbers first.
    fn check_header(&mut self, findings: &mut Findings) {
        if let (Some(_), Some((stated @ StatedRole::Active, span))) = (self.authenticating.header(), &mut self.stated) {
            *stated = StatedRole::Backup;
            findings
                .warning("bad-state", *span, "`state MASTER` does not go with `auth_type AH`; BACKUP is used")
                .help("write `state BACKUP`");
        }
    }

    /// Waiting politely and claiming to be first do not go together.
    fn check_preemption(&mut self, priority: Priority, findings: &mut Findings) {
        let master = matches!(self.stated, Some((StatedRole::Active, _)));
        let (reason, help) = if master {
            ("`state MASTER`", "write `state BACKUP` on all nodes to have it work")
        } else if priority.is_address_owner() {
            ("priority 255", "use a lower priority to have it work")
        } else {
            if self.nopreempt.is_some()
                && let Some((_, span)) = self.preempt_delay.take()
            {
                findings
                    .hint("preempt-delay-unused", span, "with `nopreempt` there is nothing to delay")
                    .help("remove one");
            }
            return;
        };
        if let Some(span) = self.nopreempt.take() {
            findings
                .warning("nopreempt-cleared", span, format!("`nopreempt` is ignored: it does not work with {reason}"))
                .help(help);
        }
        if let Some((_, span)) = self.preempt_delay.take() {
            let message = format!("`preempt_delay` is ignored: it does not work with {reason}");
            findings.warning("preempt-delay-cleared", span, message).help(help);
        }
    }

    /// Version 2 has whole seconds, version 3 has hundredths up to 40.95 s (RFC 9568 §5.2.7).
    fn interval(&self, findings: &mut Findings) -> Option<Interval> {
        let Some((interval, span)) = self.interval else { return Some(Interval::SECOND) };
        let written = values::in_seconds(interval);
        let hundredths = interval.as_micros().div_ceil(10_000);
        match self.version {
            Version::V2 if interval.subsec_nanos() != 0 || interval.is_zero() => {
                let message = format!("version 2 has only whole seconds, and {written} is none");
                findings
                    .error("interval-version", span, message)
                    .help("write whole seconds, or `version 3` here and on the other nodes");
                return None;
            }
            Version::V3 if hundredths > u128::from(Interval::MAX_V3.as_centiseconds()) => {
                let help = match self.families.family() {
                    Family::Ipv4 => "write a shorter interval, or `version 2`",
                    Family::Ipv6 => "write a shorter interval",
                };
                findings
                    .error("interval-version", span, format!("version 3 has at most 40.95 s, and {written} is more"))
                    .help(help);
                return None;
            }
            Version::V3 if interval.as_micros() % 10_000 != 0 => {
                findings
                    .warning(
                        "interval-rounded",
                        span,
                        format!("version 3 has hundredths of a second; {written} is rounded up"),
                    )
                    .help("write the same number on all nodes");
            }
            Version::V2 | Version::V3 => {}
        }
        u16::try_from(hundredths).ok().and_then(Interval::from_centiseconds)
    }

    /// An advertisement counts its addresses in one octet and must fit into 1500 octets of IP packet.
    fn limit_addresses(&mut self, authentication: &Authentication, findings: &mut Findings) {
        let most = match self.families.family() {
            // So many of 4 octets always fit.
            Family::Ipv4 => 255,
            Family::Ipv6 => {
                // keepalived leaves room for an authentication header here whether there is one or not, and the lists of
                // both nodes must be the same.
                let more = match authentication {
                    Authentication::Hmac(_) => {
                        engine::wire::trailer::LENGTH.max(engine::wire::authentication_header::LENGTH)
                    }
                    Authentication::Header(_) | Authentication::None | Authentication::SimplePassword(_) => {
                        engine::wire::authentication_header::LENGTH
                    }
                };
                // IPv6 header, VRRP header (RFC 9568 §5.1).
                (1500 - (40 + 8) - more) / 16
            }
        };
        if self.addresses.len() <= most {
            return;
        }
        let moved = self.addresses.split_off(most);
        if let Some((first, word)) = moved.first() {
            let message = format!(
                "an advertisement holds {most} addresses; {} and {} after it are treated as virtual_ipaddress_excluded",
                first.address,
                moved.len() - 1
            );
            findings
                .warning("too-many-addresses", word.span, message)
                .help("move them to `virtual_ipaddress_excluded`");
        }
        self.excluded.splice(0..0, moved);
    }

    fn check_tracking(&mut self, priority: Priority, findings: &mut Findings) {
        // The engine follows the own interface without being asked. As in keepalived, this one cannot be asked for.
        if let Some((own, _)) = &self.link
            && let Some(position) = self.track_links.iter().position(|(tracked, _)| tracked.link == *own)
        {
            let (_, span) = self.track_links.remove(position);
            if self.ignore_own_link {
                let message = format!(
                    "{own} is the instance's own interface, which `dont_track_primary` leaves out: it does not count"
                );
                findings.warning("own-interface-tracked", span, message).help("remove one of them");
            } else {
                let message = format!("{own} is the instance's own interface, which counts anyway");
                findings.hint("own-interface-tracked", span, message);
            }
        }
        let fault = engine::Weight::is_fault;
        let weighted = self.track_links.iter().any(|(tracked, _)| !fault(tracked.weight))
            || self.track_scripts.iter().any(|tracked| !fault(tracked.weight))
            || self.trackers.iter().any(|tracked| !fault(tracked.weight));
        if priority.is_address_owner() && weighted {
            let span = self.priority.map(|(_, span)| span).or(self.stated.map(|(_, span)| span));
            if let Some(span) = span {
                findings
                    .warning("owner-weights", span, "the priority 255 never changes, so weights are ignored")
                    .help("use a priority below 255, or weight 0, which means FAULT");
            }
            self.track_links.retain(|(tracked, _)| fault(tracked.weight));
            self.track_scripts.retain(|tracked| fault(tracked.weight));
            self.trackers.retain(|tracked| fault(tracked.weight));
        }
    }

    fn transport(&self, defaults: &Defaults, findings: &mut Findings) -> Option<Transport> {
        let ttl = self.unicast_ttl.map_or(255, |(ttl, _)| ttl);
        if self.needs_peers && self.peers.is_empty() && !self.given.contains(&"unicast_peer") {
            findings
                .warning("no-peers", self.name.span, format!("`{}` has no peer, so it stays in FAULT", self.name.text))
                .help("name the other nodes in `unicast_peer { … }`, or remove `unicast_fault_no_peer`");
            return Some(Transport::Unicast { source: self.source, peers: Vec::new(), ttl });
        }
        let Some(span) = self.unicast else {
            if let Some((_, span)) = self.unicast_ttl {
                findings.warning("no-peers", span, "`unicast_ttl` without `unicast_peer` is ignored").help("remove it");
            }
            if let Some(span) = self.unicast_source {
                let message =
                    "`unicast_src_ip` without `unicast_peer`: advertisements go by multicast, from that address";
                findings
                    .warning("no-peers", span, message)
                    .help("name the other nodes in `unicast_peer { … }`, or write `mcast_src_ip`");
            }
            self.deviating.warn_without_peers(findings);
            let usual = match self.families.family() {
                Family::Ipv4 => IpAddr::V4(defaults.group4),
                Family::Ipv6 => IpAddr::V6(defaults.group6),
            };
            let group = self.group.map_or(usual, |(group, _)| group);
            return Some(Transport::Multicast { group, source: self.source });
        };
        if let Some((_, span)) = self.group {
            findings.warning("group-unused", span, "`mcast_dst_ip` with `unicast_peer` is ignored").help("remove it");
        }
        if self.peers.is_empty() && self.given.contains(&"unicast_peer") {
            return None;
        }
        if self.peers.is_empty() {
            findings
                .error("no-peers", span, "`unicast_peer` names no peer")
                .help("name the other nodes, or remove the block to use multicast, as keepalived would do here");
            return None;
        }
        let peers = self.peers.iter().map(|(peer, ..)| *peer).collect();
        Some(Transport::Unicast { source: self.source, peers, ttl })
    }
}

const fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// What moves with the role belongs to its instance and to no group.
fn moving<T>(read: Read<'_, T>, findings: &mut Findings) -> Arc<T> {
    if let Some(group) = read.group {
        findings
            .error("bad-option", group.span, "`track_group` is for what is static: this moves with the role")
            .help("remove it");
    }
    read.what
}

/// The loopback interface of every machine has the same name, and nobody else is there.
fn reaches_others(statement: &Statement<'_>, findings: &mut Findings) -> bool {
    let word = statement.value();
    if word.text != "lo" {
        return true;
    }
    findings
        .error("bad-interface", word.span, "`lo` is the loopback interface, which reaches no other node")
        .help("name the interface that the other nodes are reached by, for instance `interface eth0`");
    false
}

fn stated(word: &Word, findings: &mut Findings) -> Option<StatedRole> {
    match word.text.as_str() {
        "MASTER" => Some(StatedRole::Active),
        "BACKUP" => Some(StatedRole::Backup),
        other => {
            let help = match other.to_uppercase().as_str() {
                "MASTER" => "write `MASTER`, in capital letters",
                "BACKUP" => "write `BACKUP`, in capital letters",
                _ => "MASTER or BACKUP",
            };
            findings.warning("bad-state", word.span, format!("`{other}` is no state; BACKUP is used")).help(help);
            None
        }
    }
}

fn vrid(statement: &Statement<'_>, findings: &mut Findings) -> Option<Vrid> {
    let word = statement.value();
    if word.text == "0" {
        findings
            .error("out-of-range", word.span, "0 is no virtual router identifier: the standard has 1 to 255")
            .help("choose a number that nobody else on this network uses, the same on all nodes");
        return None;
    }
    values::count(statement, findings).and_then(|value| u8::try_from(value).ok()).and_then(Vrid::new)
}
