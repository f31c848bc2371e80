//! What both daemons are told to be: one `keepalived.conf`, read by both.

use std::fmt::{self, Write as _};
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

    /// On an interface: each has a network of its own.
    pub(crate) const fn address_on(self, interface: u8) -> Ipv4Addr {
        let [.., host] = self.address().octets();
        if interface == 0 { self.address() } else { Ipv4Addr::new(198, 51, interface, host) }
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

/// A virtual router: each interface has all VRIDs for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Router {
    /// The number behind `eth`.
    pub(crate) interface: u8,
    pub(crate) vrid: u8,
}

impl Router {
    /// Whose advertisement comes from this address.
    pub(crate) const fn who_sends(source: IpAddr, vrid: u8) -> Self {
        let interface = match source {
            IpAddr::V4(source) if matches!(source.octets(), [198, 51, ..]) => source.octets()[2],
            IpAddr::V4(_) | IpAddr::V6(_) => 0,
        };
        Self { interface, vrid }
    }
}

impl fmt::Display for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vrid {} on eth{}", self.vrid, self.interface)
    }
}

/// What is configured. All that is not named here is left at the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) pace: Pace,
    pub(crate) transport: Transport,
    /// `eth0` and up, all on the same switch.
    pub(crate) interfaces: u8,
    /// Virtual routers of each interface, VRID 1 and up.
    pub(crate) instances_each: u8,
    pub(crate) addresses_each: u8,
    /// Checks that the first virtual router tracks, each run once a second; none or the program that they run.
    pub(crate) checks: Option<(usize, String)>,
    /// Processes that the first virtual router tracks, each by a name of its own; every one that is missing costs 1.
    pub(crate) tracked_processes: u8,
    /// Advertisements are signed (`auth_hmac`), which keepalived does not know.
    pub(crate) signed: bool,
    /// The second burst of announcements after one second instead of five.
    pub(crate) announce_again_soon: bool,
    /// Added to the priority of the last virtual router.
    pub(crate) last_priority_raised: u8,
}

const KEY: &str = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

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
            interfaces: 1,
            instances_each: 1,
            addresses_each: 1,
            checks: None,
            tracked_processes: 0,
            signed: false,
            announce_again_soon: false,
            last_priority_raised: 0,
        }
    }

    /// Nearly all virtual routers that an interface can have.
    pub(crate) fn many(pace: Pace) -> Self {
        Self { instances_each: 250, ..Self::one(pace, Transport::Multicast) }
    }

    pub(crate) fn routers(&self) -> impl Iterator<Item = Router> + use<> {
        let vrids = 1..=self.instances_each;
        (0..self.interfaces).flat_map(move |interface| vrids.clone().map(move |vrid| Router { interface, vrid }))
    }

    /// How many virtual routers there are in all.
    pub(crate) fn router_count(&self) -> usize {
        usize::from(self.interfaces) * usize::from(self.instances_each)
    }

    pub(crate) fn addresses(&self, router: Router) -> impl Iterator<Item = IpAddr> + use<> {
        (1..=self.addresses_each).map(move |number| IpAddr::from([10, router.vrid, router.interface, number]))
    }

    /// The names of the processes that are tracked.
    pub(crate) fn tracked(&self) -> impl Iterator<Item = String> + use<> {
        (1..=self.tracked_processes).map(|number| format!("worker{number}"))
    }

    /// How many addresses there are in all.
    pub(crate) fn address_count(&self) -> usize {
        self.router_count() * usize::from(self.addresses_each)
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
        for name in self.tracked() {
            let _ = write!(text, "vrrp_track_process {name} {{\n    process {name}\n    weight -1\n}}\n\n");
        }
        for router in self.routers() {
            self.write_instance(&mut text, node, router);
        }
        text
    }

    fn write_instance(&self, text: &mut String, node: Node, router: Router) {
        let Router { interface, vrid } = router;
        let last = Router { interface: self.interfaces - 1, vrid: self.instances_each };
        let raised = if router == last { self.last_priority_raised } else { 0 };
        let (state, priority) = (node.state(), node.priority() + raised);
        let name = if interface == 0 { format!("V{vrid}") } else { format!("V{vrid}_{interface}") };
        let _ = write!(
            text,
            "vrrp_instance {name} {{\n    state {state}\n    interface eth{interface}\n    virtual_router_id {vrid}\n    \
             priority {priority}\n{}",
            self.pace.lines()
        );
        if self.signed {
            let _ = write!(text, "    auth_hmac {{\n        key 1 {KEY}\n    }}\n");
        }
        if self.transport == Transport::Unicast {
            let (own, peer) = (node.address_on(interface), node.peer().address_on(interface));
            let _ = write!(text, "    unicast_src_ip {own}\n    unicast_peer {{\n        {peer}\n    }}\n");
        }
        text.push_str("    virtual_ipaddress {\n");
        for address in self.addresses(router) {
            let _ = writeln!(text, "        {address}/32");
        }
        text.push_str("    }\n");
        if self.routers().next() == Some(router) {
            let checks = self.checks.as_ref().map_or(0, |(count, _)| *count);
            write_tracked(text, "track_script", (1..=checks).map(|check| format!("check{check}")));
            write_tracked(text, "track_process", self.tracked());
        }
        text.push_str("}\n\n");
    }
}

/// A block of names, if there are any.
fn write_tracked(text: &mut String, block: &str, names: impl Iterator<Item = String>) {
    let lines: String = names.map(|name| format!("        {name}\n")).collect();
    if !lines.is_empty() {
        let _ = write!(text, "    {block} {{\n{lines}    }}\n");
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
    fn each_interface_has_its_own() {
        let plan = Plan {
            interfaces: 2,
            signed: true,
            tracked_processes: 1,
            ..Plan::one(Pace::V2Second, Transport::Multicast)
        };
        let expected = "\
global_defs {
    router_id bench
}

vrrp_track_process worker1 {
    process worker1
    weight -1
}

vrrp_instance V1 {
    state MASTER
    interface eth0
    virtual_router_id 1
    priority 150
    version 2
    advert_int 1
    auth_hmac {
        key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    }
    virtual_ipaddress {
        10.1.0.1/32
    }
    track_process {
        worker1
    }
}

vrrp_instance V1_1 {
    state MASTER
    interface eth1
    virtual_router_id 1
    priority 150
    version 2
    advert_int 1
    auth_hmac {
        key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    }
    virtual_ipaddress {
        10.1.1.1/32
    }
}

";
        assert_eq!(plan.text(Node::First), expected);
        for interface in 0..4 {
            let source = Node::Second.address_on(interface).into();
            assert_eq!(Router::who_sends(source, 7), Router { interface, vrid: 7 });
        }
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
