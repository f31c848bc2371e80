//! What keeps the two nodes from understanding each other is found out, and told on both of them.

use std::net::IpAddr;

use tanist_engine::vrrp::receive::Discard;
use tanist_engine::{
    Authentication, BatonDiscard, Config, Event, Failback, Family, Input, Instant, LinkId, Name, Received,
    RouterConfig, RouterId, StateName, Terms, Transport, Unheard, Vrid,
};

use super::setup::{at, ms};
use super::world::{KINDS, Kind, World};
use crate::common::packet::Packet;

/// What both nodes have told about unheard advertisements, each once.
fn unheard(world: &World) -> [Vec<(bool, Unheard)>; 2] {
    [0, 1].map(|node| {
        let told = world.told.iter().filter(|(_, by, _)| *by == node).filter_map(|(_, _, event)| match event {
            Event::AdvertisementsUnheard { here, why, .. } => Some((*here, *why)),
            _ => None,
        });
        told.collect()
    })
}

/// a is active, b does not hear it because of that, and both know; the service runs on a only.
#[track_caller]
fn check(change: impl Fn(usize, &mut Config), disturb: impl Fn(&mut World), here: Unheard, there: Unheard) {
    let mut world = World::new(change);
    disturb(&mut world);
    world.now = at(14_000);
    world.start(0);
    world.run_for(ms(5_000));
    world.start(1);
    world.run_for(ms(30_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(unheard(&world), [vec![(false, here)], vec![(true, there)]], "{}", world.log);
    let views = [0, 1].map(|node| world.nodes[node].engine.view().routers[0].unheard);
    assert_eq!(views, [Some((false, here)), Some((true, there))], "{}", world.log);
    world.never_both();
}

#[track_caller]
fn check_same(change: impl Fn(usize, &mut Config), disturb: impl Fn(&mut World), why: Unheard) {
    check(change, disturb, why, why);
}

#[test]
fn nothing_arrives() {
    check_same(|_, _| {}, |world| world.cut_from(0, &[Kind::Advertisement]), Unheard::Lost);
}

#[test]
fn another_vrid() {
    let vrid = |number| Vrid::new(number).unwrap();
    check(
        |node, config| config.routers[0].vrid = vrid(51 + node as u8),
        |_| {},
        Unheard::OtherVrid { ours: vrid(51), theirs: vrid(52) },
        Unheard::OtherVrid { ours: vrid(52), theirs: vrid(51) },
    );
}

#[test]
fn another_password() {
    let password = |node: usize| Authentication::SimplePassword([node as u8; 8].into());
    check_same(
        |node, config| config.routers[0].authentication = password(node),
        |_| {},
        Unheard::Discarded(Discard::AuthenticationFailure),
    );
}

#[test]
fn another_peer() {
    let nobody: IpAddr = "192.0.2.77".parse().unwrap();
    let right: IpAddr = "192.0.2.1".parse().unwrap();
    check_same(
        |node, config| {
            let peers = vec![if node == 0 { nobody } else { right }];
            config.routers[0].transport = Transport::Unicast { source: None, peers, ttl: 255 };
        },
        // Here everything arrives, wherever it was sent.
        |world| world.cut_from(0, &[Kind::Advertisement]),
        Unheard::SentElsewhere(nobody),
    );
}

#[test]
fn another_group() {
    let group = |last: u8| IpAddr::from([224, 0, 0, last]);
    check_same(
        |node, config| {
            config.routers[0].transport = Transport::Multicast { group: group(18 + node as u8), source: None };
        },
        |world| world.cut_from(0, &[Kind::Advertisement]),
        Unheard::SentElsewhere(group(18)),
    );
}

#[test]
fn it_is_over_when_it_is_mended() {
    let mut world = World::settled(|_, _| {});
    world.cut_from(0, &[Kind::Advertisement]);
    world.run_for(ms(10_000));
    world.heal();
    world.run_for(ms(10_000));
    for node in [0, 1] {
        assert_eq!(world.nodes[node].engine.view().routers[0].unheard, None, "{}", world.log);
    }
    world.cut_from(0, &[Kind::Advertisement]);
    world.run_for(ms(10_000));
    assert_eq!(unheard(&world).map(|told| told.len()), [2, 2], "{}", world.log);
}

/// Only what b says arrives: a cannot be taken for dead by itself, and knows why b does.
#[test]
fn who_is_heard_and_does_not_hear() {
    let mut world = World::settled(|_, _| {});
    world.cut_from(0, &KINDS);
    world.run_for(ms(10_000));
    let deaf = |node: usize, event: &Event| node == 0 && matches!(event, Event::PeerDeaf { node } if &**node == "b");
    assert_eq!(world.count(at(20_000), deaf), 1, "{}", world.log);
    assert!(world.nodes[0].engine.view().peer.unwrap().deaf_at.is_some(), "{}", world.log);
    world.heal();
    world.run_for(ms(10_000));
    assert_eq!(world.nodes[0].engine.view().peer.unwrap().deaf_at, None, "{}", world.log);
    assert_eq!(world.count(at(20_000), deaf), 1, "{}", world.log);
}

/// The same from the beginning, when the two have never understood each other.
#[test]
fn who_has_never_heard() {
    let mut world = World::new(|_, _| {});
    world.now = at(14_000);
    world.cut_from(1, &KINDS);
    world.start(0);
    world.start(1);
    world.run_for(ms(20_000));
    let deaf = |node: usize, event: &Event| node == 1 && matches!(event, Event::PeerDeaf { node } if &**node == "a");
    assert_eq!(world.count(Instant::START, deaf), 1, "{}", world.log);
    assert!(world.nodes[1].engine.view().peer.unwrap().deaf_at.is_some(), "{}", world.log);
    assert_eq!(world.nodes[0].engine.view().peer.unwrap().deaf_at, None, "{}", world.log);
}

/// Rubbish on the pair's port is told once, and shown until something good comes.
#[test]
fn what_is_no_message_is_told_once() {
    let mut world = World::settled(|_, _| {});
    for _ in 0..3 {
        world.handle(0, Input::Baton { path: 0, octets: b"rubbish" });
    }
    let malformed =
        |_: usize, event: &Event| matches!(event, Event::BatonDiscarded { path: 0, reason: BatonDiscard::Malformed });
    assert_eq!(world.count(at(20_000), malformed), 1, "{}", world.log);
    let last = |world: &World| world.nodes[0].engine.view().peer.unwrap().last_discard;
    assert_eq!(last(&world), Some(BatonDiscard::Malformed), "{}", world.log);
    world.run_for(ms(200));
    assert_eq!(last(&world), None, "{}", world.log);
}

/// When all is well nobody is called deaf, whoever starts first and however often.
#[test]
fn a_beginning_is_no_deafness() {
    let mut world = World::settled(|_, _| {});
    for _ in 0..3 {
        world.kill_daemon(1);
        world.run_for(ms(3_000));
        world.start_daemon(1);
        world.run_for(ms(10_000));
    }
    let deaf = |_: usize, event: &Event| matches!(event, Event::PeerDeaf { .. } | Event::AdvertisementsUnheard { .. });
    assert_eq!(world.count(Instant::START, deaf), 0, "{}", world.log);
}

/// A fibre is broken: on the second path only what a says arrives. Both know, and which way it works.
#[test]
fn a_path_that_works_in_one_direction() {
    let mut world = World::settled(|_, config| config.pair.as_mut().unwrap().paths = 2);
    world.cut_path_from(1, 1);
    world.run_for(ms(5_000));
    let one_way = |world: &World, node: usize| world.nodes[node].engine.view().peer.unwrap().one_way;
    for (node, hears) in [(0, false), (1, true)] {
        let told = |by: usize, event: &Event| {
            by == node && matches!(event, Event::PathOneWay { path: 1, here } if *here == hears)
        };
        assert_eq!(world.count(at(20_000), told), 1, "{}", world.log);
        assert_eq!(one_way(&world, node), [None, Some(hears)], "{}", world.log);
    }
    world.heal();
    world.run_for(ms(1_000));
    assert_eq!([0, 1].map(|node| one_way(&world, node)), [[None, None], [None, None]], "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// What somebody else sends here, and is refused, is not why the other node is not heard.
#[test]
fn what_a_stranger_sends_is_no_reason() {
    let mut world = World::settled(|_, _| {});
    world.cut_from(0, &[Kind::Advertisement]);
    let twin = Packet::of(&world.nodes[1].config.routers[0], [192, 0, 2, 77], [224, 0, 0, 18], 200);
    let octets = Packet { ttl: 254, ..twin }.octets();
    for _ in 0..20 {
        world.run_for(ms(500));
        let received = Received { link: LinkId(0), family: Family::Ipv4, octets: &octets };
        world.handle(1, Input::Received(received));
    }
    let refused = world.nodes[1].engine.view().routers[0].refused;
    assert!(matches!(refused, Some((_, _, Discard::Ttl))), "{refused:?}\n{}", world.log);
    assert_eq!(unheard(&world), [vec![(false, Unheard::Lost)], vec![(true, Unheard::Lost)]], "{}", world.log);
}

fn terms(service: &[u32]) -> Vec<Terms> {
    let router = Name::from("VI_1");
    vec![
        Terms { router: router.clone(), service: None, values: vec![1, 2] },
        Terms { router, service: Some(Name::from("job")), values: service.to_vec() },
    ]
}

fn differs(world: &World, node: usize) -> Vec<(Option<String>, Vec<u32>)> {
    let told = world.told.iter().filter(|(_, by, _)| *by == node).filter_map(|(_, _, event)| match event {
        Event::ConfigurationDiffers { router: RouterId(0), service, terms } => {
            Some((service.as_ref().map(ToString::to_string), terms.clone()))
        }
        _ => None,
    });
    told.collect()
}

/// What differs is told on both nodes, and nothing else follows from it: the standby takes over as ever.
#[test]
fn different_words_hinder_nothing() {
    let tell = |node: usize, config: &mut Config| {
        let values: &[u32] = if node == 0 { &[5, 6, 7] } else { &[5, 60, 70, 8] };
        config.pair.as_mut().unwrap().terms = terms(values);
        config.services[0].failback = Failback::Never;
    };
    let mut world = World::settled(tell);
    let job = Some("job".to_owned());
    for node in [0, 1] {
        assert_eq!(differs(&world, node), [(job.clone(), vec![1, 2])], "{}", world.log);
        let view = world.nodes[node].engine.view();
        assert_eq!((&view.services[0].differs[..], &view.routers[0].differs[..]), (&[1, 2][..], &[][..]));
    }
    world.lose_power(0);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let mended = Config { pair: world.nodes[1].config.pair.clone(), ..world.nodes[0].config.clone() };
    world.nodes[0].config = mended;
    world.nodes[0].config.pair.as_mut().unwrap().node = Name::from("a");
    world.boot(0);
    world.run_for(ms(10_000));
    assert_eq!(differs(&world, 1), [(job.clone(), vec![1, 2]), (job, vec![])], "alike again\n{}", world.log);
    assert!(world.nodes[0].engine.view().services[0].differs.is_empty());
}

/// What differs about one instance is told of that one.
#[test]
fn different_words_about_an_instance_are_told_of_it() {
    let world = World::settled(|node, config| {
        let second = RouterConfig {
            name: Name::from("VI_2"),
            vrid: Vrid::new(52).unwrap(),
            services: Vec::new(),
            ..config.routers[0].clone()
        };
        config.routers.push(second);
        let terms = |router: &str, values: &[u32]| {
            let (router, values) = (Name::from(router), values.to_vec());
            Terms { router, service: None, values }
        };
        config.pair.as_mut().unwrap().terms = vec![terms("VI_1", &[1, 2]), terms("VI_2", &[1, 2 + node as u32])];
    });
    for node in [0, 1] {
        let routers = world.nodes[node].engine.view().routers;
        assert_eq!((&routers[0].differs[..], &routers[1].differs[..]), (&[][..], &[1][..]), "{}", world.log);
    }
}

/// Who says nothing, of an older version perhaps, differs in nothing.
#[test]
fn silence_is_no_difference() {
    let world = World::settled(|node, config| {
        if node == 0 {
            config.pair.as_mut().unwrap().terms = terms(&[5]);
        }
    });
    assert_eq!([differs(&world, 0), differs(&world, 1)], [vec![], vec![]], "{}", world.log);
}

/// What has not changed since the start has been so since the start, not since the machine was.
#[test]
fn the_beginning_is_the_start() {
    let mut world = World::new(|_, config| config.routers[0].track_links.clear());
    world.now = at(14_000);
    world.start(0);
    world.set_link(0, 0, false);
    let view = world.nodes[0].engine.view();
    assert_eq!(view.routers[0].state, StateName::Initialize, "{}", world.log);
    let mut world = World::new(|_, _| {});
    world.now = at(14_000);
    world.nodes[0].habits.watch = None;
    world.start(0);
    assert_eq!(world.nodes[0].engine.view().services[0].since, at(14_000));
}
