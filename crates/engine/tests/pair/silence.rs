//! Silence: a dead peer, a cut cable, a deaf ear, a machine that was frozen. Two nodes cannot tell the first two apart;
//! what they do about it is here.

use std::time::Duration;

use tanist_engine::{Budget, Cause, Config, Event, Failback, Family, Input, LinkId, Priority, Received, StateName};

use super::setup::{at, ms};
use super::world::{KINDS, Kind, Process, WIRE, World};
use crate::common::packet::Packet;

/// b is the better one and stands by.
fn standby_is_better(node: usize, config: &mut Config) {
    config.services[0].failback = Failback::Never;
    config.routers[0].preempt_mode = false;
    config.routers[0].priority = Priority::new(if node == 0 { 100 } else { 150 });
}

/// a has it although b is better, because a was there first.
fn settled_with_better_standby() -> World {
    let mut world = World::new(standby_is_better);
    world.start(0);
    world.run_until(at(10_000));
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world
}

#[test]
fn a_node_without_power_is_replaced_at_once_and_takes_back_in_order() {
    for moment in (0..1_000).step_by(37) {
        let mut world = World::settled(|_, _| {});
        world.run_for(ms(moment));
        world.lose_power(0);
        // 0.8 s of silence and 0.3 s to start it.
        world.run_for(ms(1_105));
        assert_eq!(world.active(), 1, "{}", world.log);
        world.boot(0);
        world.run_for(ms(30_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        world.never_both();
    }
}

#[test]
fn a_profile_with_smaller_figures_is_as_fast() {
    let mut world = World::settled(|_, config| {
        let pair = config.pair.as_mut().expect("there is a pair");
        (pair.heartbeat, pair.dead_after) = (ms(25), ms(300));
    });
    world.lose_power(0);
    world.run_for(ms(605));
    assert_eq!(world.active(), 1, "{}", world.log);
}

/// Nor is a start needed for them.
#[test]
fn a_reload_with_smaller_figures_is_as_fast() {
    let mut world = World::settled(|_, _| {});
    for node in [0, 1] {
        let mut quick = world.nodes[node].config.clone();
        let pair = quick.pair.as_mut().expect("there is a pair");
        (pair.heartbeat, pair.dead_after) = (ms(25), ms(300));
        world.handle(node, Input::Reconfigure(Box::new(quick)));
    }
    world.run_for(ms(1_000));
    world.lose_power(0);
    world.run_for(ms(605));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// Only the side channel is cut: the advertisements say that the other one lives.
#[test]
fn without_the_side_channel_alone_nothing_happens() {
    for moment in (0..1_000).step_by(37) {
        for standby in [World::settled as fn(fn(usize, &mut Config)) -> World, |_| settled_with_better_standby()] {
            let mut world = standby(|_, _| {});
            world.run_for(ms(moment));
            world.cut(&[Kind::Baton]);
            world.run_for(ms(30_000));
            assert_eq!(world.active(), 0, "cut after {moment} ms\n{}", world.log);
            world.heal();
            world.run_for(ms(10_000));
            assert_eq!(world.active(), 0, "{}", world.log);
            world.never_both();
        }
    }
}

/// And a node that dies then is replaced after the protocol's own time.
#[test]
fn without_the_side_channel_a_death_is_noticed_by_the_protocol() {
    let mut world = World::settled(|_, _| {});
    world.cut(&[Kind::Baton]);
    world.run_for(ms(5_000));
    world.lose_power(0);
    world.run_for(ms(4_000));
    assert_eq!(world.active(), 1, "{}", world.log);
}

/// The better node stands by because it could not start it. Without the side channel that is no reason to preempt.
#[test]
fn without_the_side_channel_nobody_preempts_what_it_could_not_start() {
    let mut world = World::new(|_, _| {});
    world.nodes[0].habits.readiness = Err("no licence");
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.cut(&[Kind::Baton]);
    world.run_for(ms(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// Only the advertisements are cut, as by a filter: the other one says that it is there.
#[test]
fn without_advertisements_nothing_happens() {
    let mut world = World::settled(|_, _| {});
    world.cut(&[Kind::Advertisement]);
    world.run_for(ms(60_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let unheard = |node: usize, event: &Event| node == 1 && matches!(event, Event::AdvertisementsUnheard { .. });
    assert_eq!(world.count(at(20_000), unheard), 1, "{}", world.log);
    world.lose_power(0);
    world.run_for(ms(1_105));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

#[test]
fn a_cut_makes_two_and_its_healing_one() {
    for better_standby in [false, true] {
        let mut world = if better_standby { settled_with_better_standby() } else { World::settled(|_, _| {}) };
        world.cut(&KINDS);
        world.run_for(ms(20_000));
        assert!(world.nodes.iter().all(|node| node.process == Process::Runs), "two cannot tell\n{}", world.log);
        world.heal();
        // One interval, the skew time and 50 ms; then one has the role, and 0.2 s later the other's service is gone.
        world.run_for(ms(1_000 + 609 + 50));
        let winner = usize::from(better_standby);
        assert_eq!(world.active(), winner, "{}", world.log);
        let dual = |_: usize, event: &Event| matches!(event, Event::DualActive { .. });
        assert!(world.count(at(20_000), dual) > 0, "{}", world.log);
        world.run_for(ms(30_000));
        assert_eq!(world.active(), winner, "and so it stays\n{}", world.log);
    }
}

/// Who stays active starts nothing again while the other one is still ending its own.
#[test]
fn who_remains_of_two_waits_for_what_ends_there() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].stop_timeout = ms(60_000);
    });
    world.nodes[1].habits.stop = Some(ms(5_000));
    world.cut(&KINDS);
    world.run_for(ms(3_000));
    // It would be tried again in 1 s.
    world.crash_service(0);
    world.run_for(ms(500));
    world.overlap = Duration::ZERO;
    world.heal();
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// Who is offering the role, and hears that the other one has taken it by itself, drops the offer and yields by one and the
/// same message.
#[test]
fn an_offer_that_is_overtaken_is_followed_by_the_decision_at_once() {
    let mut world = settled_with_better_standby();
    world.looks_twice = true;
    // b hears nothing any more, and a hears b.
    world.cut_from(0, &KINDS);
    world.run_for(ms(400));
    world.switch(0, false);
    world.run_for(ms(800));
    let yielded = |node: usize, event: &Event| node == 0 && matches!(event, Event::DualActive { we_stay: false, .. });
    assert_eq!(world.count(at(20_000), yielded), 1, "{}", world.log);
    let failed = world.count(at(20_000), |_, event| matches!(event, Event::HandoverFailed { .. }));
    assert_eq!(failed, 0, "the offer was still open\n{}", world.log);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
}

/// Who has lost waits for the winner as long as the protocol says, and no longer: only a part of a group gives way to others.
#[test]
fn who_has_lost_to_one_that_dies_takes_over_in_the_protocols_time() {
    let mut world = World::settled(|_, _| {});
    let octets = Packet::of(&world.nodes[0].config.routers[0], [192, 0, 2, 77], [224, 0, 0, 18], 200).octets();
    for node in [0, 1] {
        let received = Received { link: LinkId(0), family: Family::Ipv4, octets: &octets };
        world.handle(node, Input::Received(received));
        assert_eq!(world.state(node), StateName::Backup, "{}", world.log);
    }
    // 3 × 1 s + 106/256 s, 0.3 s to start it, and a few messages.
    world.run_for(ms(3_730));
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// What a dead node's priority was says nothing against a third router that is better than this one.
#[test]
fn who_is_left_of_two_lets_a_third_router_have_it() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(0);
    world.run_for(ms(5_000));
    assert_eq!(world.state(1), StateName::Active, "{}", world.log);
    let octets = Packet::of(&world.nodes[1].config.routers[0], [192, 0, 2, 77], [224, 0, 0, 18], 120).octets();
    let received = Received { link: LinkId(0), family: Family::Ipv4, octets: &octets };
    world.handle(1, Input::Received(received));
    assert_eq!(world.state(1), StateName::Backup, "{}", world.log);
}

/// The loser's service is gone before anything else could begin there; the winner's is not touched.
#[test]
fn after_a_cut_only_the_losers_service_ends() {
    let mut world = World::settled(|_, _| {});
    world.cut(&KINDS);
    world.run_for(ms(20_000));
    world.heal();
    world.run_for(ms(30_000));
    let changes = |wanted: usize| {
        world.count(at(40_000), |node, event| node == wanted && matches!(event, Event::ServiceChanged { .. }))
    };
    // Stopping and Stopped.
    assert_eq!((changes(0), changes(1)), (0, 2), "{}", world.log);
}

/// A cut that is shorter than a decision changes nothing.
#[test]
fn a_short_cut_changes_nothing() {
    for length in [50, 200, 500, 690] {
        let mut world = World::settled(|_, _| {});
        world.cut(&KINDS);
        world.run_for(ms(length));
        world.heal();
        world.run_for(ms(20_000));
        assert_eq!(world.active(), 0, "{length}\n{}", world.log);
        assert_eq!(world.count(at(20_000), |_, event| matches!(event, Event::StateChanged { .. })), 0, "{}", world.log);
        world.never_both();
    }
}

/// Cuts that come and go: in the end there is one, and no command is stuck.
#[test]
fn a_cable_that_flaps_leaves_one() {
    for period in [300, 700, 900, 1_100, 2_500, 4_000] {
        let mut world = World::settled(|_, _| {});
        for _ in 0..12 {
            world.cut(&KINDS);
            world.run_for(ms(period));
            world.heal();
            world.run_for(ms(period / 2));
        }
        world.run_for(ms(15_000));
        assert_eq!(world.active(), 0, "{period}\n{}", world.log);
        assert!(!world.is_latched(0), "a cable is no failure of the service\n{}", world.log);
    }
}

/// One direction only. The deaf one takes over, because it hears nobody; the other one hears that and, if it is worse,
/// yields. In the end there is one again.
#[test]
fn a_deaf_ear_ends_with_one_when_it_hears_again() {
    for mute in [0, 1] {
        for better_standby in [false, true] {
            let mut world = if better_standby { settled_with_better_standby() } else { World::settled(|_, _| {}) };
            world.cut_from(mute, &KINDS);
            world.run_for(ms(20_000));
            world.heal();
            world.run_for(ms(20_000));
            world.active();
        }
    }
}

/// A daemon that was frozen looks at what has come in before it believes in silence.
#[test]
fn a_frozen_standby_does_not_take_over_from_a_living_peer() {
    for span in [750, 850, 950, 1_500, 3_000, 4_700, 10_000, 60_000] {
        for mut world in [World::settled(|_, _| {}), settled_with_better_standby()] {
            world.freeze(1, Duration::from_millis(span));
            world.run_for(Duration::from_millis(span) + ms(20_000));
            assert_eq!(world.active(), 0, "{span}\n{}", world.log);
            assert_eq!(world.nodes[1].engine.view().routers[0].epoch, 1, "{}", world.log);
            world.never_both();
        }
    }
}

/// While the active daemon is frozen the other one cannot know better; afterwards one of them remains.
#[test]
fn a_frozen_active_one_ends_with_one() {
    for span in [500, 700, 850, 1_500, 3_000, 4_700, 10_000] {
        for mut world in [World::settled(|_, _| {}), settled_with_better_standby()] {
            world.freeze(0, Duration::from_millis(span));
            world.run_for(Duration::from_millis(span) + ms(20_000));
            world.active();
            if span < 750 {
                assert_eq!(world.active(), 0, "{span}\n{}", world.log);
                world.never_both();
            }
        }
    }
}

/// Who stays Active has an operator told of each time.
#[test]
fn who_is_found_active_beside_it_is_told_each_time() {
    let mut world = World::settled(|_, _| {});
    for times in 1..=2 {
        world.freeze(0, ms(1_500));
        world.run_for(ms(10_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        let dual = |node: usize, event: &Event| node == 0 && matches!(event, Event::DualActive { we_stay: true, .. });
        assert_eq!(world.count(at(20_000), dual), times, "{}", world.log);
    }
}

/// A standby that dies and returns disturbs nobody.
#[test]
fn a_standby_may_come_and_go() {
    let mut world = World::settled(|_, _| {});
    for _ in 0..5 {
        world.lose_power(1);
        world.run_for(ms(7_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        world.boot(1);
        world.run_for(ms(7_000));
        assert_eq!(world.active(), 0, "{}", world.log);
    }
    let roles = world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::StateChanged { .. }));
    assert_eq!(roles, 0, "{}", world.log);
    world.never_both();
}

/// Loss and delay that a network may have: nobody is taken for dead, nothing moves.
#[test]
fn some_loss_is_no_silence() {
    let mut world = World::settled(|_, _| {});
    let mut state = 1_u64;
    let mut burst = 0;
    world.set_temper(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = (state >> 33) % 100;
        // One in a hundred, and now and then three in a row.
        if burst > 0 {
            burst -= 1;
            return Vec::new();
        }
        match dice {
            0 => Vec::new(),
            1 => {
                burst = 2;
                Vec::new()
            }
            2..10 => vec![ms(20)],
            _ => vec![WIRE],
        }
    });
    world.run_for(ms(300_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(world.count(at(20_000), |_, event| matches!(event, Event::StateChanged { .. })), 0, "{}", world.log);
    world.never_both();
}

/// The one that was silent while the other one was letting go does not find two.
#[test]
fn silence_while_the_service_ends_is_a_cut() {
    let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
    world.nodes[0].habits.stop = Some(ms(5_000));
    world.switch(0, false);
    world.run_for(ms(1_000));
    world.cut(&KINDS);
    world.run_for(ms(10_000));
    world.heal();
    world.run_for(ms(20_000));
    world.active();
    let by_silence = |node: usize, event: &Event| {
        node == 1 && matches!(event, Event::StateChanged { to: StateName::Active, cause: Cause::PeerSilent, .. })
    };
    assert_eq!(world.count(at(20_000), by_silence), 1, "{}", world.log);
}

/// Only the side channel is cut while the service ends: the other one goes on waiting, because it hears advertisements.
#[test]
fn without_the_side_channel_a_service_that_ends_is_still_waited_for() {
    for moment in (0..1_000).step_by(61) {
        let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
        world.nodes[0].habits.stop = Some(ms(5_000));
        world.run_for(ms(moment));
        world.switch(0, false);
        world.run_for(ms(500));
        world.cut(&[Kind::Baton]);
        world.run_for(ms(20_000));
        world.heal();
        world.run_for(ms(20_000));
        world.active();
        world.never_both();
    }
}
