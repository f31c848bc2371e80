//! What is asked of an engine and of its values, and seen in no timeline.

use tanist_engine::{
    Config, Engine, Family, Input, Instant, Interval, LinkId, LinkState, Name, NoticeKind, PairKey, Priority, Received,
    RouteKind, RouterId, Scope, StateName, TrackerKind, VirtualAddress, Vrid, Weight,
};

use crate::common::packet::Packet;
use crate::common::setup::{address, config, router};

/// It has just begun, with an address on its first interface.
fn begun(config: Config) -> Engine {
    let mut engine = Engine::new(config, 1);
    let state = LinkState { up: true, addresses: vec![address("192.0.2.1")], tentative: Vec::new(), deaf: false };
    for input in [Input::Link { link: LinkId(0), state: Some(state) }, Input::Start] {
        engine.handle(Instant::START, input, &mut Vec::new());
    }
    engine
}

#[test]
fn a_number_of_a_virtual_router_is_written_as_such() {
    assert_eq!(Vrid::new(51).expect("51 is one").to_string(), "51");
}

/// A single IPv6 address is no source for anybody unless that is said; of others nothing is said.
#[test]
fn what_is_usual_about_an_address_is_not_written() {
    let of = |prefix| VirtualAddress::new(address("2001:db8::1"), prefix);
    assert_eq!(of(64).to_string(), "2001:db8::1/64");
    assert_eq!(of(128).to_string(), "2001:db8::1/128 preferred_lft forever");
    let no_source = VirtualAddress { preferred: Some(0), ..of(128) };
    assert_eq!(no_source.to_string(), "2001:db8::1/128");
}

#[test]
fn an_interval_is_one_that_some_version_can_announce() {
    let of = |centiseconds| Interval::from_centiseconds(centiseconds).map(Interval::as_centiseconds);
    assert_eq!([0, 1, 25_500, 25_501, u16::MAX].map(of), [None, Some(1), Some(25_500), None, None]);
}

#[test]
fn an_interval_is_written_in_seconds() {
    let of = |centiseconds| Interval::from_centiseconds(centiseconds).expect("it is one").to_string();
    assert_eq!([100, 25_500, 150, 25, 103].map(of), ["1s", "255s", "1.5s", "0.25s", "1.03s"]);
}

#[test]
fn a_router_is_on_no_interface_in_particular_only_if_none_is_named() {
    let mut of_eth0 = router("a");
    assert!(!of_eth0.is_anywhere());
    of_eth0.link = Name::from("");
    assert!(of_eth0.is_anywhere());
}

/// The machine may have been up for long by then.
#[test]
fn a_router_is_in_its_first_state_since_its_engine_was_started() {
    let mut engine = Engine::new(config(&["router a"]), 1);
    engine.handle(Instant::from_millis(5_000), Input::Start, &mut Vec::new());
    assert_eq!(engine.view().routers[0].since, Instant::from_millis(5_000));
}

#[test]
fn a_weight_means_a_fault_or_a_priority() {
    let weights = [Weight::Fault, Weight::ReversedFault, Weight::Priority(-20), Weight::Reversed(20)];
    assert_eq!(weights.map(Weight::is_fault), [true, true, false, false]);
}

#[test]
fn what_is_tracked_is_shown() {
    let trackers = Engine::new(config(&["router a track_file load", "file load /run/load"]), 1).view().trackers;
    let shown: Vec<_> =
        trackers.iter().map(|shown| (shown.tracker.kind, &*shown.tracker.name, &*shown.subject)).collect();
    assert_eq!(shown, [(TrackerKind::File, "load", "/run/load")]);
}

#[test]
fn sync_groups_are_shown_with_their_routers() {
    let routers = ["router a", "router b vrid 52", "router c vrid 53"];
    let mut engine = Engine::new(config(&[&routers[..], &["group G c,a"]].concat()), 1);
    let shown = |engine: &Engine| -> Vec<_> {
        let groups = engine.view().groups.into_iter();
        groups.map(|group| (group.name.to_string(), group.members, group.kind)).collect()
    };
    let members = vec![RouterId(2), RouterId(0)];
    assert_eq!(shown(&engine), [("G".to_owned(), members.clone(), None)]);
    // Nobody has said of their interface that it is there.
    engine.handle(Instant::START, Input::Start, &mut Vec::new());
    assert_eq!(shown(&engine), [("G".to_owned(), members, Some(NoticeKind::Fault))]);
}

#[test]
fn the_priority_that_counts_is_that_of_the_router_that_is_meant() {
    let engine = Engine::new(config(&["router a priority 130", "router b vrid 52 priority 90"]), 1);
    let priority = |number| engine.effective_priority(RouterId(number)).map(Priority::get);
    assert_eq!([priority(0), priority(1), priority(2)], [Some(130), Some(90), None]);
}

#[test]
fn what_is_told_of_a_router_is_about_the_one_that_is_meant() {
    let engine = begun(config(&["router a priority 255", "router b vrid 52 link eth1"]));
    let ids = [0, 1, 2].map(RouterId);
    assert_eq!(ids.map(|id| engine.state(id)), [Some(StateName::Active), Some(StateName::Initialize), None]);
    assert_eq!(ids.map(|id| engine.router_link(id)), [Some(LinkId(0)), Some(LinkId(1)), None]);
    let sent = |id| engine.statistics(id).map(|counted| counted.advertisements_sent);
    assert_eq!(ids.map(sent), [Some(1), Some(0), None]);
}

/// What a router wants goes with its role; what the operator wants stays, and if it cannot be there, the routers of its group
/// have a fault.
#[test]
fn each_address_says_whose_it_is() {
    let lines =
        ["router a priority 255", "static address 198.51.100.1/24@eth0 group G", "static address 198.51.100.2/24@eth0"];
    let addresses = begun(config(&lines)).desired().addresses;
    let shown: Vec<_> =
        addresses.into_iter().map(|wanted| (wanted.address, wanted.owner.router(), wanted.group)).collect();
    let expected = [
        (address("192.0.2.100"), Some(RouterId(0)), None),
        (address("198.51.100.1"), None, Some(Name::from("G"))),
        (address("198.51.100.2"), None, None),
    ];
    assert_eq!(shown, expected);
}

/// As the kernel counts them (`rtnetlink.h`).
#[test]
fn a_scope_has_a_number() {
    let scopes = [Scope::Global, Scope::Site, Scope::Link, Scope::Host, Scope::Other(7)];
    assert_eq!(scopes.map(Scope::number), [0, 200, 253, 254, 7]);
}

/// The others drop a packet, or look for another route; they can have no next router.
#[test]
fn some_routes_lead_somewhere() {
    let kinds = RouteKind::ALL.into_iter().filter(|(_, kind)| kind.leads_somewhere());
    let words: Vec<&str> = kinds.map(|(word, _)| word).collect();
    assert_eq!(words, ["unicast", "local", "broadcast", "multicast", "nat"]);
}

#[test]
fn a_key_is_what_was_written_into_it() {
    let filled = PairKey::filled(|octets| {
        octets.fill(7);
        Some(())
    });
    assert_eq!(filled, Some(PairKey::from([7; PairKey::LENGTH])));
    assert_eq!(PairKey::filled(|_| None), None);
}

/// What another router of the network is, whom nobody here listens to: its number, if it is an advertisement at all.
#[test]
fn only_a_number_that_no_router_of_the_interface_has_is_a_strangers() {
    let config = config(&["router a", "router b vrid 52", "router c vrid 53 source 192.0.2.1 peers 192.0.2.2"]);
    let packet = |vrid| {
        let twin = Packet::of(&config.routers[0], address("192.0.2.2"), address("224.0.0.18"), 100);
        Packet { vrid, ..twin }.octets()
    };
    let engine = begun(config.clone());
    let of = |link, octets: &[u8]| {
        let received = Received { link: LinkId(link), family: Family::Ipv4, octets };
        engine.stranger(&received).map(Vrid::get)
    };
    assert_eq!([51, 52, 54].map(|vrid| of(0, &packet(vrid))), [None, None, Some(54)]);
    // A router that speaks by unicast and has that number here is meant, though not rightly so.
    assert_eq!(of(0, &packet(53)), None);
    assert_eq!(of(1, &packet(51)), Some(51), "on another interface");
    // What is sent to it by unicast may come in by any interface.
    let to_c = Packet::of(&config.routers[2], address("192.0.2.2"), address("192.0.2.1"), 100).octets();
    assert_eq!([0, 1].map(|link| of(link, &to_c)), [None, None]);
    assert_eq!(of(0, &[]), None);
    assert_eq!(of(0, &packet(54)[..20]), None);
}
