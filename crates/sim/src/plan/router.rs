//! A virtual router of a pretend node: the options of its line, and what they add up to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use engine::{
    AnnouncePolicy, AntiReplay, Authentication, Deviations, Family, HmacKey, HmacMode, HmacPolicy, Interval, Name,
    Priority, RouterConfig, Tracked, TrackedLink, TrackedScript, TrackerKind, TrackerName, Transport, Version,
    VirtualAddress, Vrid, Weight,
};

use super::Plan;
use super::cursor::Cursor;
use super::measure::span_text;
use super::mistake::Mistake;

/// One option of a `router` line or of a `reload`. The words are keepalived's where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouterOption {
    /// `vrid 51`
    Vrid(Vrid),
    /// `interface eth0`
    Interface(Name),
    /// `version 3`
    Version(Version),
    /// `priority 150`
    Priority(u8),
    /// `interval 1s`
    Interval(Interval),
    /// `preempt`, `nopreempt`
    Preempt(bool),
    /// `preempt_delay 5s`
    PreemptDelay(Duration),
    /// `multicast`
    Multicast,
    /// `unicast`: to every other node that has a router of this VRID.
    Unicast,
    /// `unicast_link_local`: the same over IPv6, from and to the addresses of the link.
    UnicastLinkLocal,
    /// `unicast_ttl 64`
    UnicastTtl(u8),
    /// `auth_pass secret`
    Password(String),
    /// `auth_header secret`: with an authentication header made by this password.
    Header(String),
    /// `auth_hmac 1`: signs with the key of this number; everybody has those from 1 to 3.
    Hmac(u8),
    /// `hmac_mode permissive`
    HmacMode(HmacMode),
    /// `anti_replay monotonic`, `anti_replay 5s`: the window.
    AntiReplay(AntiReplay),
    /// `no_auth`
    NoPassword,
    /// `virtual_ipaddress 192.0.2.51/24,192.0.2.52/24`, `virtual_ipaddress fe80::51/64,2001:db8::51/64`: the router is of
    /// the family of its addresses.
    Addresses(Vec<(IpAddr, u8)>),
    /// `virtual_ipaddress_excluded 192.0.2.61/24`
    Excluded(Vec<(IpAddr, u8)>),
    /// `skip_check_adv_addr`
    SkipCheckAdvAddr,
    /// `garp_master_repeat 5`
    GarpRepeat(u32),
    /// `garp_master_delay 5s`
    GarpDelay(Duration),
    /// `garp_master_refresh 10s`
    GarpRefresh(Duration),
    /// `garp_master_refresh_repeat 1`
    GarpRefreshRepeat(u32),
    /// `garp_lower_prio_repeat 5`
    GarpLowerRepeat(u32),
    /// `garp_lower_prio_delay 5s`
    GarpLowerDelay(Duration),
    /// `garp_interval 1ms`
    GarpPacing(Duration),
    /// `gna_interval 1ms`
    GnaPacing(Duration),
    /// `track_interface eth1 weight -20`
    TrackInterface(Name, Weight),
    /// `track_script chk weight -20 reverse`
    TrackScript(Name, Weight),
    /// `track_file load weight 2`
    TrackFile(Name, Weight),
    /// `track_process proxy weight -20`
    TrackProcess(Name, Weight),
    /// `track_statics`: it cannot do without the group `statics` of static addresses, routes and rules.
    TrackStatics,
    /// `service web`: it runs where this router is Active.
    Service(Name),
    /// `dont_track_primary`
    DontTrackPrimary,
    /// `later`: not there until a `reload added`.
    Later,
    /// `added`: only in a reload.
    Added,
    /// `removed`: only in a reload.
    Removed,
}

const KEYWORDS: &[&str] = &[
    "vrid",
    "interface",
    "version",
    "priority",
    "interval",
    "preempt",
    "nopreempt",
    "preempt_delay",
    "multicast",
    "unicast",
    "unicast_link_local",
    "unicast_ttl",
    "auth_pass",
    "auth_header",
    "auth_hmac",
    "hmac_mode",
    "anti_replay",
    "no_auth",
    "virtual_ipaddress",
    "virtual_ipaddress_excluded",
    "skip_check_adv_addr",
    "garp_master_repeat",
    "garp_master_delay",
    "garp_master_refresh",
    "garp_master_refresh_repeat",
    "garp_lower_prio_repeat",
    "garp_lower_prio_delay",
    "garp_interval",
    "gna_interval",
    "track_interface",
    "track_script",
    "track_file",
    "track_process",
    "track_statics",
    "service",
    "dont_track_primary",
    "later",
    "added",
    "removed",
];

impl RouterOption {
    /// Reads one option.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let keyword = cursor.take("an option of a router")?;
        Ok(match keyword {
            "vrid" => Self::Vrid(Vrid::new(cursor.number("vrid", 1..=255)? as u8).expect("the range begins at 1")),
            "interface" => Self::Interface(cursor.take("the name of an interface")?.into()),
            "version" => match cursor.number("version", 2..=3)? {
                2 => Self::Version(Version::V2),
                _ => Self::Version(Version::V3),
            },
            "priority" => Self::Priority(cursor.number("priority", 1..=255)? as u8),
            "interval" => Self::Interval(interval(cursor)?),
            "preempt" => Self::Preempt(true),
            "nopreempt" => Self::Preempt(false),
            "preempt_delay" => Self::PreemptDelay(cursor.span("preempt_delay")?),
            "multicast" => Self::Multicast,
            "unicast" => Self::Unicast,
            "unicast_link_local" => Self::UnicastLinkLocal,
            "unicast_ttl" => Self::UnicastTtl(cursor.number("unicast_ttl", 0..=255)? as u8),
            "auth_pass" => Self::Password(password(cursor)?),
            "auth_header" => Self::Header(password(cursor)?),
            "auth_hmac" => Self::Hmac(cursor.number("auth_hmac", 1..=3)? as u8),
            "hmac_mode" => Self::HmacMode(hmac_mode(cursor)?),
            "anti_replay" if cursor.accept("monotonic") => Self::AntiReplay(AntiReplay::Monotonic),
            "anti_replay" => {
                let window = u16::try_from(cursor.span("anti_replay")?.as_secs()).unwrap_or(u16::MAX);
                Self::AntiReplay(AntiReplay::Time { window })
            }
            "no_auth" => Self::NoPassword,
            "virtual_ipaddress" => Self::Addresses(of_one_family(cursor)?),
            "virtual_ipaddress_excluded" => Self::Excluded(addresses(cursor)?),
            "skip_check_adv_addr" => Self::SkipCheckAdvAddr,
            "garp_master_repeat" => Self::GarpRepeat(cursor.number(keyword, 0..=100)? as u32),
            "garp_master_delay" => Self::GarpDelay(cursor.span(keyword)?),
            "garp_master_refresh" => Self::GarpRefresh(cursor.span(keyword)?),
            "garp_master_refresh_repeat" => Self::GarpRefreshRepeat(cursor.number(keyword, 0..=100)? as u32),
            "garp_lower_prio_repeat" => Self::GarpLowerRepeat(cursor.number(keyword, 0..=100)? as u32),
            "garp_lower_prio_delay" => Self::GarpLowerDelay(cursor.span(keyword)?),
            "garp_interval" => Self::GarpPacing(cursor.span(keyword)?),
            "gna_interval" => Self::GnaPacing(cursor.span(keyword)?),
            "track_interface" => Self::TrackInterface(cursor.take("the name of an interface")?.into(), weight(cursor)?),
            "track_script" => Self::TrackScript(cursor.take("the name of a script")?.into(), weight(cursor)?),
            "track_file" => Self::TrackFile(cursor.take("the name of a file")?.into(), weight(cursor)?),
            "track_process" => Self::TrackProcess(cursor.take("the name of processes")?.into(), weight(cursor)?),
            "track_statics" => Self::TrackStatics,
            "service" => Self::Service(cursor.take("the name of a service")?.into()),
            "dont_track_primary" => Self::DontTrackPrimary,
            "later" => Self::Later,
            "added" => Self::Added,
            "removed" => Self::Removed,
            other => {
                return Err(cursor.before(format!("a router has no option `{other}`")).did_you_mean(other, KEYWORDS));
            }
        })
    }
}

impl fmt::Display for RouterOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vrid(vrid) => write!(f, "vrid {vrid}"),
            Self::Interface(link) => write!(f, "interface {link}"),
            Self::Version(version) => write!(f, "version {}", version.number()),
            Self::Priority(priority) => write!(f, "priority {priority}"),
            Self::Interval(interval) => write!(f, "interval {interval}"),
            Self::Preempt(true) => f.write_str("preempt"),
            Self::Preempt(false) => f.write_str("nopreempt"),
            Self::PreemptDelay(span) => write!(f, "preempt_delay {}", span_text(*span)),
            Self::Multicast => f.write_str("multicast"),
            Self::Unicast => f.write_str("unicast"),
            Self::UnicastLinkLocal => f.write_str("unicast_link_local"),
            Self::UnicastTtl(ttl) => write!(f, "unicast_ttl {ttl}"),
            Self::Password(password) => write!(f, "auth_pass {password}"),
            Self::Header(password) => write!(f, "auth_header {password}"),
            Self::Hmac(key) => write!(f, "auth_hmac {key}"),
            Self::HmacMode(mode) => write!(f, "hmac_mode {}", hmac_mode_text(*mode)),
            Self::AntiReplay(AntiReplay::Monotonic) => f.write_str("anti_replay monotonic"),
            Self::AntiReplay(AntiReplay::Time { window }) => write!(f, "anti_replay {window}s"),
            Self::NoPassword => f.write_str("no_auth"),
            Self::Addresses(list) => write!(f, "virtual_ipaddress {}", addresses_text(list)),
            Self::Excluded(list) => write!(f, "virtual_ipaddress_excluded {}", addresses_text(list)),
            Self::SkipCheckAdvAddr => f.write_str("skip_check_adv_addr"),
            Self::GarpRepeat(times) => write!(f, "garp_master_repeat {times}"),
            Self::GarpDelay(span) => write!(f, "garp_master_delay {}", span_text(*span)),
            Self::GarpRefresh(span) => write!(f, "garp_master_refresh {}", span_text(*span)),
            Self::GarpRefreshRepeat(times) => write!(f, "garp_master_refresh_repeat {times}"),
            Self::GarpLowerRepeat(times) => write!(f, "garp_lower_prio_repeat {times}"),
            Self::GarpLowerDelay(span) => write!(f, "garp_lower_prio_delay {}", span_text(*span)),
            Self::GarpPacing(span) => write!(f, "garp_interval {}", span_text(*span)),
            Self::GnaPacing(span) => write!(f, "gna_interval {}", span_text(*span)),
            Self::TrackInterface(link, weight) => write!(f, "track_interface {link}{}", weight_text(*weight)),
            Self::TrackScript(script, weight) => write!(f, "track_script {script}{}", weight_text(*weight)),
            Self::TrackFile(file, weight) => write!(f, "track_file {file}{}", weight_text(*weight)),
            Self::TrackProcess(name, weight) => write!(f, "track_process {name}{}", weight_text(*weight)),
            Self::TrackStatics => f.write_str("track_statics"),
            Self::Service(service) => write!(f, "service {service}"),
            Self::DontTrackPrimary => f.write_str("dont_track_primary"),
            Self::Later => f.write_str("later"),
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
        }
    }
}

/// What the options of a router add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterSpec {
    /// In the configuration now.
    pub present: bool,
    /// To the nodes with the same VRID instead of to the group.
    pub unicast: bool,
    /// Over IPv6, unicast goes from and to the addresses of the link.
    pub link_local: bool,
    /// Everything else; a unicast router's peers are filled in by [`RouterSpec::config`].
    pub settings: RouterConfig,
    unicast_ttl: u8,
}

impl RouterSpec {
    /// Version 2, priority 100, one second, multicast on eth0, and the address 192.0.2.VRID. With addresses of IPv6 version 3,
    /// which is the only one that speaks it.
    #[must_use]
    pub fn new(options: &[RouterOption]) -> Self {
        let vrid = options.iter().rev().find_map(|option| match option {
            RouterOption::Vrid(vrid) => Some(*vrid),
            _ => None,
        });
        let vrid = vrid.unwrap_or(Vrid::new(51).expect("51 is not 0"));
        let mut spec = Self {
            present: true,
            unicast: false,
            link_local: false,
            unicast_ttl: 255,
            settings: RouterConfig {
                name: vrid.to_string().as_str().into(),
                link: "eth0".into(),
                vrid,
                family: Family::Ipv4,
                version: Version::V2,
                priority: Priority::DEFAULT,
                advertisement_interval: Interval::SECOND,
                preempt_mode: true,
                preempt_delay: Duration::ZERO,
                transport: Transport::Multicast { group: group(Family::Ipv4), source: None },
                authentication: Authentication::None,
                addresses: vec![virtual_address((IpAddr::from([192, 0, 2, vrid.get()]), 24))],
                excluded_addresses: Vec::new(),
                skip_check_adv_addr: false,
                deviations: Deviations::default(),
                announce: AnnouncePolicy::default(),
                track_links: Vec::new(),
                ignore_own_link: false,
                track_scripts: Vec::new(),
                trackers: Vec::new(),
                services: Vec::new(),
                routes: Vec::new(),
                rules: Vec::new(),
                track_groups: Vec::new(),
            },
        };
        for option in options {
            spec.apply(option);
        }
        spec
    }

    /// One more option, which wins over an earlier one of its kind.
    pub fn apply(&mut self, option: &RouterOption) {
        let settings = &mut self.settings;
        let announce = &mut settings.announce;
        match option {
            RouterOption::Vrid(vrid) => settings.vrid = *vrid,
            RouterOption::Interface(link) => settings.link = link.clone(),
            RouterOption::Version(version) => settings.version = *version,
            RouterOption::Priority(priority) => settings.priority = Priority::new(*priority),
            RouterOption::Interval(interval) => settings.advertisement_interval = *interval,
            RouterOption::Preempt(preempt) => settings.preempt_mode = *preempt,
            RouterOption::PreemptDelay(delay) => settings.preempt_delay = *delay,
            RouterOption::Multicast => self.unicast = false,
            RouterOption::Unicast => (self.unicast, self.link_local) = (true, false),
            RouterOption::UnicastLinkLocal => (self.unicast, self.link_local) = (true, true),
            RouterOption::UnicastTtl(ttl) => self.unicast_ttl = *ttl,
            RouterOption::Password(password) => {
                settings.authentication = Authentication::SimplePassword(octets_of(password).into());
            }
            RouterOption::Header(password) => {
                settings.authentication = Authentication::Header(octets_of(password).into());
            }
            RouterOption::Hmac(key) => hmac_of(settings).active_key = *key,
            RouterOption::HmacMode(mode) => hmac_of(settings).mode = *mode,
            RouterOption::AntiReplay(anti_replay) => hmac_of(settings).anti_replay = *anti_replay,
            RouterOption::NoPassword => settings.authentication = Authentication::None,
            RouterOption::Addresses(list) => {
                settings.addresses = list.iter().copied().map(virtual_address).collect();
                // Without addresses it stays what it was.
                settings.family = list.first().map_or(settings.family, |(address, _)| Family::of(*address));
                settings.transport = Transport::Multicast { group: group(settings.family), source: None };
            }
            RouterOption::Excluded(list) => {
                settings.excluded_addresses = list.iter().copied().map(virtual_address).collect();
            }
            RouterOption::SkipCheckAdvAddr => settings.skip_check_adv_addr = true,
            RouterOption::GarpRepeat(times) => announce.repeat = *times,
            RouterOption::GarpDelay(span) => announce.delay = *span,
            RouterOption::GarpRefresh(span) => announce.refresh = Some(*span).filter(|span| !span.is_zero()),
            RouterOption::GarpRefreshRepeat(times) => announce.refresh_repeat = *times,
            RouterOption::GarpLowerRepeat(times) => announce.lower_priority_repeat = *times,
            RouterOption::GarpLowerDelay(span) => announce.lower_priority_delay = *span,
            RouterOption::GarpPacing(span) => announce.pacing = *span,
            RouterOption::GnaPacing(span) => announce.neighbour_pacing = *span,
            RouterOption::TrackInterface(link, weight) => {
                settings.track_links.retain(|tracked| tracked.link != *link);
                settings.track_links.push(TrackedLink { link: link.clone(), weight: *weight });
            }
            RouterOption::TrackScript(script, weight) => {
                settings.track_scripts.retain(|tracked| tracked.script != *script);
                settings.track_scripts.push(TrackedScript { script: script.clone(), weight: *weight });
            }
            RouterOption::TrackFile(name, weight) => track(settings, (TrackerKind::File, name), *weight),
            RouterOption::TrackProcess(name, weight) => track(settings, (TrackerKind::Process, name), *weight),
            RouterOption::TrackStatics => settings.track_groups = vec![STATICS.into()],
            RouterOption::Service(service) => {
                settings.services.retain(|known| known != service);
                settings.services.push(service.clone());
            }
            RouterOption::DontTrackPrimary => settings.ignore_own_link = true,
            RouterOption::Later | RouterOption::Removed => self.present = false,
            RouterOption::Added => self.present = true,
        }
        if settings.family == Family::Ipv6 {
            settings.version = Version::V3;
        }
    }

    /// The address of a node that such a router sends from. Over IPv6, multicast comes from the one of the link
    /// (RFC 9568 §5.1.2.1).
    pub(crate) fn address_of(&self, node: usize, by_unicast: bool) -> IpAddr {
        let [ipv4, link_local, global] = Plan::own_addresses(node, &self.settings.link);
        match self.settings.family {
            Family::Ipv4 => ipv4,
            Family::Ipv6 if by_unicast && !self.link_local => global,
            Family::Ipv6 => link_local,
        }
    }

    /// What the engine is told; `peers` are the other nodes with a router of this VRID.
    #[must_use]
    pub fn config(&self, peers: Vec<IpAddr>) -> RouterConfig {
        let mut config = self.settings.clone();
        if self.unicast && !peers.is_empty() {
            config.transport = Transport::Unicast { source: None, peers, ttl: self.unicast_ttl };
        }
        config
    }
}

fn track(settings: &mut RouterConfig, (kind, name): (TrackerKind, &Name), weight: Weight) {
    let tracker = TrackerName { kind, name: name.clone() };
    settings.trackers.retain(|tracked| tracked.tracker != tracker);
    settings.trackers.push(Tracked { tracker, weight });
}

fn octets_of(password: &str) -> [u8; 8] {
    let mut octets = [0; 8];
    octets[..password.len()].copy_from_slice(password.as_bytes());
    octets
}

/// What a router signs by; with keys 1 to 3 of 32 times their number, if it did not sign before.
fn hmac_of(settings: &mut RouterConfig) -> &mut HmacPolicy {
    if !matches!(settings.authentication, Authentication::Hmac(_)) {
        let key = |number: u8| (number, HmacKey::new(&[number; 32]).expect("32 octets"));
        settings.authentication = Authentication::Hmac(Box::new(HmacPolicy {
            keys: [1, 2, 3].map(key).into(),
            active_key: 1,
            mode: HmacMode::Enforce,
            anti_replay: AntiReplay::Time { window: 5 },
        }));
    }
    match &mut settings.authentication {
        Authentication::Hmac(policy) => policy,
        Authentication::None | Authentication::SimplePassword(_) | Authentication::Header(_) => {
            unreachable!("it was just made one that signs")
        }
    }
}

const HMAC_MODES: [(&str, HmacMode); 3] =
    [("enforce", HmacMode::Enforce), ("permissive", HmacMode::Permissive), ("receive-only", HmacMode::ReceiveOnly)];

fn hmac_mode(cursor: &mut Cursor<'_>) -> Result<HmacMode, Mistake> {
    let word = cursor.take("a mode")?;
    let found = HMAC_MODES.iter().find(|(known, _)| *known == word).map(|(_, mode)| *mode);
    found.ok_or_else(|| cursor.before(format!("there is no mode `{word}`")))
}

fn hmac_mode_text(mode: HmacMode) -> &'static str {
    HMAC_MODES.iter().find(|(_, known)| *known == mode).map_or("enforce", |(word, _)| word)
}

/// The name of the one group of static addresses, routes and rules.
pub(crate) const STATICS: &str = "statics";

/// To whom multicast goes: RFC 9568 §5.1.1.2 and §5.1.2.2.
pub(crate) const fn group(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
    }
}

fn virtual_address((address, prefix): (IpAddr, u8)) -> VirtualAddress {
    VirtualAddress::new(address, prefix)
}

/// An advertisement interval: a multiple of 10 ms up to 255 s.
pub(crate) fn interval(cursor: &mut Cursor<'_>) -> Result<Interval, Mistake> {
    let span = cursor.span("interval")?;
    let hundredths = u16::try_from(span.as_millis() / 10).ok().and_then(Interval::from_centiseconds);
    hundredths
        .filter(|interval| interval.as_duration() == span)
        .ok_or_else(|| cursor.before("interval must be a multiple of 10ms, up to 255s".to_owned()))
}

/// At most eight octets (RFC 2338 §5.3.6).
pub(crate) fn password(cursor: &mut Cursor<'_>) -> Result<String, Mistake> {
    let word = cursor.take("a password")?;
    if word.len() <= 8 {
        Ok(word.to_owned())
    } else {
        Err(cursor.before(format!("a password has at most 8 octets, `{word}` has {}", word.len())))
    }
}

/// `ADDRESS[/PREFIX]`, several with commas between them, or `none`.
pub(crate) fn addresses(cursor: &mut Cursor<'_>) -> Result<Vec<(IpAddr, u8)>, Mistake> {
    if cursor.accept("none") {
        return Ok(Vec::new());
    }
    let word = cursor.take("addresses")?;
    let one = |text: &str| {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(longest), |prefix| prefix.parse().ok())?;
        (prefix <= longest).then_some((address, prefix))
    };
    let unreadable =
        |text: &str| cursor.before(format!("`{text}` is no address such as `192.0.2.51/24` or `2001:db8::51/64`"));
    word.split(',').map(|text| one(text).ok_or_else(|| unreadable(text))).collect()
}

/// The addresses that decide over the family of a router.
fn of_one_family(cursor: &mut Cursor<'_>) -> Result<Vec<(IpAddr, u8)>, Mistake> {
    let list = addresses(cursor)?;
    let other = |address: &IpAddr| list.first().is_some_and(|(first, _)| first.is_ipv4() != address.is_ipv4());
    match list.iter().find(|(address, _)| other(address)) {
        None => Ok(list),
        Some((address, _)) => Err(cursor.before(format!(
            "{address} is of another family than the first address: it belongs into `virtual_ipaddress_excluded`"
        ))),
    }
}

/// An address with a number that reads as it does in IPv4: 51 is `::51`.
pub(crate) fn ipv6(network: [u16; 2], number: u8) -> IpAddr {
    let digits = [number / 100, number / 10 % 10, number % 10];
    let last = digits.iter().fold(0, |sum, digit| sum * 16 + u16::from(*digit));
    Ipv6Addr::new(network[0], network[1], 0, 0, 0, 0, 0, last).into()
}

/// Where addresses of a link are, and others.
pub(crate) const LINK_LOCAL: [u16; 2] = [0xfe80, 0];
pub(crate) const GLOBAL: [u16; 2] = [0x2001, 0xdb8];

pub(crate) fn addresses_text(list: &[(IpAddr, u8)]) -> String {
    if list.is_empty() {
        return "none".to_owned();
    }
    let texts: Vec<String> = list.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect();
    texts.join(",")
}

/// `[weight N [reverse]]`; nothing or 0 means a fault.
fn weight(cursor: &mut Cursor<'_>) -> Result<Weight, Mistake> {
    if !cursor.accept("weight") {
        return Ok(Weight::Fault);
    }
    let number = cursor.number("weight", -253..=253)? as i16;
    Ok(match (number, cursor.accept("reverse")) {
        (0, false) => Weight::Fault,
        (0, true) => Weight::ReversedFault,
        (number, false) => Weight::Priority(number),
        (number, true) => Weight::Reversed(number),
    })
}

fn weight_text(weight: Weight) -> String {
    match weight {
        Weight::Fault => String::new(),
        Weight::ReversedFault => " weight 0 reverse".to_owned(),
        Weight::Priority(number) => format!(" weight {number}"),
        Weight::Reversed(number) => format!(" weight {number} reverse"),
    }
}
