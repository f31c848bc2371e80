//! Policy rules as the kernel has them, in its numbers (`struct fib_rule_hdr` and the attributes `FRA_*`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::decode::{attributes, ip_address, string, u32_at};
use super::payload::Payload;
use super::route::network;

const HEADER_SIZE: usize = 12;

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_FLOW: u16 = 11;
const FRA_TUN_ID: u16 = 12;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_L3MDEV: u16 = 19;
const FRA_UID_RANGE: u16 = 20;
const FRA_PROTOCOL: u16 = 21;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
/// `FIB_RULE_INVERT`
const INVERTED: u32 = 2;
/// What the kernel says where nothing is suppressed.
const NOTHING: u32 = u32::MAX;

/// A policy rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleSpec {
    pub ipv6: bool,
    pub preference: u32,
    pub action: RuleActionSpec,
    /// It is about everything that does not fit.
    pub inverted: bool,
    pub from: Option<(IpAddr, u8)>,
    pub to: Option<(IpAddr, u8)>,
    pub tos: u8,
    /// Mark and mask.
    pub mark: Option<(u32, u32)>,
    pub incoming: Option<String>,
    pub outgoing: Option<String>,
    pub tunnel_id: Option<u64>,
    pub users: Option<(u32, u32)>,
    pub ip_protocol: Option<u8>,
    pub source_ports: Option<(u16, u16)>,
    pub destination_ports: Option<(u16, u16)>,
    pub suppress_prefix_length: Option<u32>,
    pub suppress_group: Option<u32>,
    /// "from" in the upper half, "to" in the lower.
    pub realms: Option<u32>,
    /// Who made it, with the numbers of routes.
    pub protocol: u8,
}

/// What is done about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleActionSpec {
    Lookup(u32),
    /// In the table of the packet's VRF.
    LookupVrf,
    Goto(u32),
    Nop,
    Blackhole,
    Unreachable,
    Prohibit,
    /// One that we never ask for.
    Other(u8),
}

impl RuleActionSpec {
    /// `FR_ACT_*`
    fn number(self) -> u8 {
        match self {
            Self::Lookup(_) | Self::LookupVrf => 1,
            Self::Goto(_) => 2,
            Self::Nop => 3,
            Self::Blackhole => 6,
            Self::Unreachable => 7,
            Self::Prohibit => 8,
            Self::Other(number) => number,
        }
    }
}

/// One step towards what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOperation {
    Add(RuleSpec),
    Remove(RuleSpec),
}

/// A rule that the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRule {
    pub rule: RuleSpec,
    /// We have added it, in this life or in a former one.
    pub ours: bool,
}

/// As [`reconcile_routes`](super::reconcile_routes).
pub fn reconcile_rules(wanted: &[RuleSpec], held: &[HeldRule]) -> (Vec<RuleOperation>, Vec<RuleOperation>) {
    let wishes: BTreeSet<&RuleSpec> = wanted.iter().collect();
    let there: BTreeSet<&RuleSpec> = held.iter().map(|held| &held.rule).collect();
    let unwanted = held.iter().filter(|held| held.ours && !wishes.contains(&held.rule));
    let removals = unwanted.map(|held| RuleOperation::Remove(held.rule.clone())).rev();
    let mut seen = BTreeSet::new();
    let missing = wanted.iter().filter(|rule| !there.contains(rule) && seen.insert(*rule));
    (removals.collect(), missing.cloned().map(RuleOperation::Add).collect())
}

impl RuleSpec {
    /// As `ip rule` would be told, as far as it takes to know which one is meant.
    pub fn words(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let mut put = |arguments: std::fmt::Arguments<'_>| text.write_fmt(arguments).unwrap_or_default();
        put(format_args!("{}", if self.ipv6 && self.from.or(self.to).is_none() { "inet6 " } else { "" }));
        put(format_args!("{}from {}", if self.inverted { "not " } else { "" }, network_or_all(self.from)));
        if self.to.is_some() {
            put(format_args!(" to {}", network_or_all(self.to)));
        }
        match self.mark {
            Some((mark, u32::MAX)) => put(format_args!(" fwmark {mark:#x}")),
            Some((mark, mask)) => put(format_args!(" fwmark {mark:#x}/{mask:#x}")),
            None => {}
        }
        for (word, link) in [("iif", &self.incoming), ("oif", &self.outgoing)] {
            if let Some(link) = link {
                put(format_args!(" {word} {link}"));
            }
        }
        match self.action {
            RuleActionSpec::Lookup(table) => put(format_args!(" table {table}")),
            RuleActionSpec::LookupVrf => put(format_args!(" l3mdev")),
            RuleActionSpec::Goto(preference) => put(format_args!(" goto {preference}")),
            RuleActionSpec::Nop => put(format_args!(" nop")),
            RuleActionSpec::Blackhole => put(format_args!(" blackhole")),
            RuleActionSpec::Unreachable => put(format_args!(" unreachable")),
            RuleActionSpec::Prohibit => put(format_args!(" prohibit")),
            RuleActionSpec::Other(number) => put(format_args!(" type {number}")),
        }
        put(format_args!(" preference {}", self.preference));
        text
    }
}

fn network_or_all(place: Option<(IpAddr, u8)>) -> String {
    place.map_or_else(|| "all".to_owned(), network)
}

/// What asks for the rule, or for its end.
pub(super) fn encode(rule: &RuleSpec) -> Payload {
    let family = if rule.ipv6 { libc::AF_INET6 } else { libc::AF_INET } as u8;
    let prefix = |place: Option<(IpAddr, u8)>| place.map_or(0, |(_, prefix)| prefix);
    let mut header = vec![family, prefix(rule.to), prefix(rule.from), rule.tos, 0, 0, 0, rule.action.number()];
    header.extend(if rule.inverted { INVERTED } else { 0 }.to_ne_bytes());
    let mut payload = Payload::new(&header);
    payload.put_u32(FRA_PRIORITY, rule.preference);
    for (kind, place) in [(FRA_DST, rule.to), (FRA_SRC, rule.from)] {
        if let Some((address, 1..)) = place {
            payload.put_address(kind, address);
        }
    }
    match rule.action {
        RuleActionSpec::Lookup(table) => payload.put_u32(FRA_TABLE, table),
        RuleActionSpec::LookupVrf => payload.put(FRA_L3MDEV, &[1]),
        RuleActionSpec::Goto(preference) => payload.put_u32(FRA_GOTO, preference),
        _ => {}
    }
    if let Some((mark, mask)) = rule.mark {
        payload.put_u32(FRA_FWMARK, mark);
        payload.put_u32(FRA_FWMASK, mask);
    }
    for (kind, link) in [(FRA_IIFNAME, &rule.incoming), (FRA_OIFNAME, &rule.outgoing)] {
        if let Some(link) = link {
            payload.put_string(kind, link);
        }
    }
    if let Some(id) = rule.tunnel_id {
        payload.put(FRA_TUN_ID, &id.to_be_bytes());
    }
    if let Some((first, last)) = rule.users {
        payload.put(FRA_UID_RANGE, &[first.to_ne_bytes(), last.to_ne_bytes()].concat());
    }
    if let Some(protocol) = rule.ip_protocol {
        payload.put(FRA_IP_PROTO, &[protocol]);
    }
    for (kind, ports) in [(FRA_SPORT_RANGE, rule.source_ports), (FRA_DPORT_RANGE, rule.destination_ports)] {
        if let Some((first, last)) = ports {
            payload.put(kind, &[first.to_ne_bytes(), last.to_ne_bytes()].concat());
        }
    }
    if let Some(length) = rule.suppress_prefix_length {
        payload.put_u32(FRA_SUPPRESS_PREFIXLEN, length);
    }
    if let Some(group) = rule.suppress_group {
        payload.put_u32(FRA_SUPPRESS_IFGROUP, group);
    }
    if let Some(realms) = rule.realms {
        payload.put_u32(FRA_FLOW, realms);
    }
    payload.put(FRA_PROTOCOL, &[rule.protocol]);
    payload
}

/// Reads the payload of `RTM_NEWRULE` or `RTM_DELRULE`. `None` for what is no rule of IPv4 or IPv6.
pub(super) fn decode(payload: &[u8]) -> Option<RuleSpec> {
    let header = payload.get(..HEADER_SIZE)?;
    let everything = match i32::from(header[0]) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let (mut table, mut goto, mut vrf) = (u32::from(header[4]), 0, false);
    let (mut mark, mut mask) = (0, 0);
    let mut rule = RuleSpec {
        ipv6: everything.is_ipv6(),
        preference: 0,
        action: RuleActionSpec::Other(header[7]),
        inverted: u32_at(header, 8)? & INVERTED != 0,
        from: None,
        to: None,
        tos: header[3],
        mark: None,
        incoming: None,
        outgoing: None,
        tunnel_id: None,
        users: None,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        suppress_prefix_length: None,
        suppress_group: None,
        realms: None,
        protocol: 0,
    };
    for (kind, value) in attributes(&payload[HEADER_SIZE..]) {
        let number = || u32_at(value, 0);
        match kind {
            FRA_DST => rule.to = ip_address(value).map(|address| (address, header[1])),
            FRA_SRC => rule.from = ip_address(value).map(|address| (address, header[2])),
            FRA_IIFNAME => rule.incoming = string(value),
            FRA_OIFNAME => rule.outgoing = string(value),
            FRA_GOTO => goto = number().unwrap_or(0),
            FRA_PRIORITY => rule.preference = number().unwrap_or(0),
            FRA_FWMARK => mark = number().unwrap_or(0),
            FRA_FWMASK => mask = number().unwrap_or(0),
            FRA_FLOW => rule.realms = number().filter(|realms| *realms != 0),
            FRA_TUN_ID => {
                let id = value.try_into().map_or(0, u64::from_be_bytes);
                rule.tunnel_id = Some(id).filter(|id| *id != 0);
            }
            FRA_SUPPRESS_IFGROUP => rule.suppress_group = number().filter(|group| *group != NOTHING),
            FRA_SUPPRESS_PREFIXLEN => rule.suppress_prefix_length = number().filter(|length| *length != NOTHING),
            FRA_TABLE => table = number().unwrap_or(table),
            FRA_L3MDEV => vrf = value.first().is_some_and(|set| *set != 0),
            FRA_UID_RANGE => rule.users = u32_at(value, 0).zip(u32_at(value, 4)),
            FRA_PROTOCOL => rule.protocol = value.first().copied().unwrap_or(0),
            FRA_IP_PROTO => rule.ip_protocol = value.first().copied().filter(|protocol| *protocol != 0),
            FRA_SPORT_RANGE => rule.source_ports = ports(value),
            FRA_DPORT_RANGE => rule.destination_ports = ports(value),
            _ => {}
        }
    }
    rule.mark = (mark != 0 || mask != 0).then_some((mark, mask));
    rule.action = match header[7] {
        1 if vrf => RuleActionSpec::LookupVrf,
        1 => RuleActionSpec::Lookup(table),
        2 => RuleActionSpec::Goto(goto),
        3 => RuleActionSpec::Nop,
        6 => RuleActionSpec::Blackhole,
        7 => RuleActionSpec::Unreachable,
        8 => RuleActionSpec::Prohibit,
        other => RuleActionSpec::Other(other),
    };
    Some(rule)
}

fn ports(value: &[u8]) -> Option<(u16, u16)> {
    let port = |at: usize| value.get(at..at + 2).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
    port(0).zip(port(2))
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;
    use proptest::prelude::*;

    use super::*;

    fn bytes(rule: &RuleSpec) -> Vec<u8> {
        let payload = encode(rule);
        let mut bytes = vec![0; payload.buffer_len()];
        payload.emit(&mut bytes);
        bytes
    }

    fn rule() -> impl Strategy<Value = RuleSpec> {
        let place = |ipv6: bool| {
            prop::option::of((1..9_u8).prop_map(move |net| {
                if ipv6 {
                    (IpAddr::from([0x2001, 0xdb8, u16::from(net), 0, 0, 0, 0, 0]), 48)
                } else {
                    (IpAddr::from([10, 0, net, 0]), 24)
                }
            }))
        };
        let action = prop_oneof![
            any::<u32>().prop_map(RuleActionSpec::Lookup),
            Just(RuleActionSpec::LookupVrf),
            any::<u32>().prop_map(RuleActionSpec::Goto),
            Just(RuleActionSpec::Nop),
            Just(RuleActionSpec::Blackhole),
            Just(RuleActionSpec::Unreachable),
            Just(RuleActionSpec::Prohibit),
        ];
        let head = any::<bool>().prop_flat_map(move |ipv6| (Just(ipv6), place(ipv6), place(ipv6)));
        let ports = || prop::option::of((any::<u16>(), any::<u16>()));
        let link = || prop::option::of("[a-z]{1,8}");
        let some = (link(), link(), prop::option::of(1..u64::MAX), prop::option::of((any::<u32>(), any::<u32>())));
        let more = (prop::option::of(1..=u8::MAX), ports(), ports(), prop::option::of((1..u32::MAX, any::<u32>())));
        let last =
            (prop::option::of(0..129_u32), prop::option::of(0..u32::MAX), prop::option::of(1..u32::MAX), any::<u8>());
        (head, action, any::<(u32, bool, u8)>(), some, more, last).prop_map(
            |((ipv6, from, to), action, (preference, inverted, tos), some, more, last)| {
                let (incoming, outgoing, tunnel_id, users) = some;
                let (ip_protocol, source_ports, destination_ports, mark) = more;
                let (suppress_prefix_length, suppress_group, realms, protocol) = last;
                RuleSpec {
                    ipv6,
                    preference,
                    action,
                    inverted,
                    from,
                    to,
                    tos,
                    mark,
                    incoming,
                    outgoing,
                    tunnel_id,
                    users,
                    ip_protocol,
                    source_ports,
                    destination_ports,
                    suppress_prefix_length,
                    suppress_group,
                    realms,
                    protocol,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(rule in rule()) {
            prop_assert_eq!(decode(&bytes(&rule)), Some(rule));
        }

        #[test]
        fn survives_anything(rule in rule(), noise in prop::collection::vec(any::<u8>(), 0..40), place in 0..400_usize) {
            let mut payload = bytes(&rule);
            let at = place % payload.len();
            let end = payload.len().min(at + noise.len());
            payload[at..end].copy_from_slice(&noise[..end - at]);
            let _ = decode(&payload);
            let _ = decode(&noise);
        }
    }

    #[test]
    fn removes_only_its_own() {
        let (one, other) = (
            decode(&bytes(&RuleSpec { preference: 1, ..about_nothing() })).unwrap(),
            RuleSpec { preference: 2, ..about_nothing() },
        );
        let held = |ours| vec![HeldRule { rule: one.clone(), ours }];
        let added = vec![RuleOperation::Add(other.clone())];
        assert_eq!(
            reconcile_rules(&[other.clone(), other.clone()], &held(true)),
            (vec![RuleOperation::Remove(one.clone())], added.clone())
        );
        assert_eq!(reconcile_rules(&[other], &held(false)), (Vec::new(), added));
        assert_eq!(reconcile_rules(std::slice::from_ref(&one), &held(false)), (Vec::new(), Vec::new()));
    }

    fn about_nothing() -> RuleSpec {
        let header = [libc::AF_INET as u8, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
        decode(&header).expect("a rule that does nothing")
    }
}
