//! What both daemons are told to be: one `keepalived.conf`, read by both.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How a virtual router speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Version 2, once a second: what most installations have.
    V2Second,
    /// Version 3, ten times a second.
    V3Tenth,
}

/// How advertisements travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Multicast,
    Unicast,
}

/// The two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Priority 150, `state MASTER`.
    First,
    /// Priority 100, `state BACKUP`.
    Second,
}

impl Pace {
    pub(crate) const BOTH: [Self; 2] = [Self::V2Second, Self::V3Tenth];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V2Second => "v2 1 s",
            Self::V3Tenth => "v3 0.1 s",
        }
    }

    /// Advertisement_Interval.
    pub(crate) const fn interval(self) -> Duration {
        match self {
            Self::V2Second => Duration::from_secs(1),
            Self::V3Tenth => Duration::from_millis(100),
        }
    }

    /// Active_Down_Interval: three intervals and the skew time. In digits, because a yardstick must not come from the
    /// code that it is laid on.
    pub(crate) const fn active_down_interval(self, node: Node) -> Duration {
        match (self, node) {
            // RFC 3768 §6.1: 3 × 1 s + (256 − priority)/256 s.
            (Self::V2Second, Node::First) => Duration::from_nanos(3_414_062_500),
            (Self::V2Second, Node::Second) => Duration::from_nanos(3_609_375_000),
            // RFC 9568 §6.1: 3 × 0.1 s + (256 − priority)/256 × 0.1 s.
            (Self::V3Tenth, Node::First) => Duration::from_nanos(341_406_250),
            (Self::V3Tenth, Node::Second) => Duration::from_nanos(360_937_500),
        }
    }

    const fn lines(self) -> &'static str {
        match self {
            Self::V2Second => "    version 2\n    advert_int 1\n",
            Self::V3Tenth => "    version 3\n    advert_int 0.1\n",
        }
    }
}

impl Transport {
    pub(crate) const BOTH: [Self; 2] = [Self::Multicast, Self::Unicast];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Multicast => "multicast",
            Self::Unicast => "unicast",
        }
    }
}

impl Node {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::First => "a",
            Self::Second => "b",
        }
    }

    pub(crate) const fn address(self) -> Ipv4Addr {
        match self {
            Self::First => Ipv4Addr::new(192, 0, 2, 1),
            Self::Second => Ipv4Addr::new(192, 0, 2, 2),
        }
    }

    const fn peer(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn state(self) -> &'static str {
        match self {
            Self::First => "MASTER",
            Self::Second => "BACKUP",
        }
    }

    const fn priority(self) -> u8 {
        match self {
            Self::First => 150,
            Self::Second => 100,
        }
    }
}

/// What is configured. All that is not named here is left at the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) pace: Pace,
    pub(crate) transport: Transport,
    /// Virtual routers, VRID 1 and up.
    pub(crate) instances: u8,
    pub(crate) addresses_each: u8,
    /// Checks that the first virtual router tracks, each run once a second; none or the program that they run.
    pub(crate) checks: Option<(usize, String)>,
    /// The second burst of announcements after one second instead of five.
    pub(crate) announce_again_soon: bool,
    /// Added to the priority of the last virtual router.
    pub(crate) last_priority_raised: u8,
}

/// Whether it is one of those that [`Plan`] gives away.
pub(crate) fn is_virtual(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.octets()[0] == 10)
}

impl Plan {
    /// One virtual router with one address.
    pub(crate) fn one(pace: Pace, transport: Transport) -> Self {
        Self {
            pace,
            transport,
            instances: 1,
            addresses_each: 1,
            checks: None,
            announce_again_soon: false,
            last_priority_raised: 0,
        }
    }

    /// Nearly all virtual routers that an interface can have.
    pub(crate) fn many(pace: Pace) -> Self {
        Self { instances: 250, ..Self::one(pace, Transport::Multicast) }
    }

    pub(crate) fn vrids(&self) -> impl Iterator<Item = u8> + use<> {
        1..=self.instances
    }

    pub(crate) fn addresses(&self, vrid: u8) -> impl Iterator<Item = IpAddr> + use<> {
        (1..=self.addresses_each).map(move |number| IpAddr::from([10, vrid, 0, number]))
    }

    /// How many addresses there are in all.
    pub(crate) fn address_count(&self) -> usize {
        usize::from(self.instances) * usize::from(self.addresses_each)
    }

    /// The first address of the first virtual router: that is the one that the client asks for.
    pub(crate) const SERVICE: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);

    /// The configuration of a node.
    pub(crate) fn text(&self, node: Node) -> String {
        let mut text = String::from("global_defs {\n    router_id bench\n");
        if self.checks.is_some() {
            text.push_str("    enable_script_security\n    script_user root\n");
        }
        if self.announce_again_soon {
            text.push_str("    vrrp_garp_master_delay 1\n");
        }
        text.push_str("}\n\n");
        let (checks, program) = self.checks.as_ref().map_or((0, ""), |(count, program)| (*count, program));
        for check in 1..=checks {
            let _ = write!(text, "vrrp_script check{check} {{\n    script \"{program}\"\n    interval 1\n}}\n\n");
        }
        for vrid in self.vrids() {
            self.write_instance(&mut text, node, vrid, if vrid == 1 { checks } else { 0 });
        }
        text
    }

    fn write_instance(&self, text: &mut String, node: Node, vrid: u8, checks: usize) {
        let raised = if vrid == self.instances { self.last_priority_raised } else { 0 };
        let (state, priority) = (node.state(), node.priority() + raised);
        let _ = write!(
            text,
            "vrrp_instance V{vrid} {{\n    state {state}\n    interface eth0\n    virtual_router_id {vrid}\n    \
             priority {priority}\n{}",
            self.pace.lines()
        );
        if self.transport == Transport::Unicast {
            let (own, peer) = (node.address(), node.peer().address());
            let _ = write!(text, "    unicast_src_ip {own}\n    unicast_peer {{\n        {peer}\n    }}\n");
        }
        text.push_str("    virtual_ipaddress {\n");
        for address in self.addresses(vrid) {
            let _ = writeln!(text, "        {address}/32");
        }
        text.push_str("    }\n");
        if checks > 0 {
            text.push_str("    track_script {\n");
            for check in 1..=checks {
                let _ = writeln!(text, "        check{check}");
            }
            text.push_str("    }\n");
        }
        text.push_str("}\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_keepalived_conf() {
        let plan = Plan {
            addresses_each: 2,
            checks: Some((1, "/usr/bin/true".to_owned())),
            announce_again_soon: true,
            last_priority_raised: 3,
            ..Plan::one(Pace::V3Tenth, Transport::Unicast)
        };
        let expected = "\
global_defs {
    router_id bench
    enable_script_security
    script_user root
    vrrp_garp_master_delay 1
}

vrrp_script check1 {
    script \"/usr/bin/true\"
    interval 1
}

vrrp_instance V1 {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 103
    version 3
    advert_int 0.1
    unicast_src_ip 192.0.2.2
    unicast_peer {
        192.0.2.1
    }
    virtual_ipaddress {
        10.1.0.1/32
        10.1.0.2/32
    }
    track_script {
        check1
    }
}

";
        assert_eq!(plan.text(Node::Second), expected);
    }

    #[test]
    fn many_are_many() {
        let plan = Plan { addresses_each: 8, ..Plan::many(Pace::V2Second) };
        let text = plan.text(Node::First);
        assert_eq!(text.matches("vrrp_instance").count(), 250);
        assert_eq!(text.matches("/32").count(), 2000);
        assert_eq!(plan.address_count(), 2000);
        assert!(is_virtual(Plan::SERVICE.into()) && !is_virtual(Node::First.address().into()));
    }
}
