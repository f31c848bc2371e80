//! A role that moves in order: nothing of the service is left here before it begins there, whatever is lost, late or
//! doubled, and whoever is started anew at whichever moment.

use std::time::Duration;

use tanist_engine::{
    Answer, Budget, Command, Config, Event, HandoverReason, HeldBy, Input, Instant, Priority, RefusedCommand,
    RouterConfig, StateName, Vrid,
};

use super::setup::{at, ms};
use super::world::{KINDS, Kind, Process, WIRE, World};

#[test]
fn an_operator_moves_it_and_back() {
    let mut world = World::settled(|_, _| {});
    assert_eq!(world.switch(1, true), Answer::Begun);
    world.run_until(at(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert_eq!(world.switch(1, false), Answer::Begun);
    world.run_until(at(60_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

#[test]
fn what_is_being_offered_is_not_sent_once_more() {
    let mut world = World::settled(|_, _| {});
    assert_eq!(world.switch(0, false), Answer::Begun);
    assert_eq!(world.switch(0, false), Answer::Refused(RefusedCommand::Busy));
}

/// Said on either side, the same happens.
#[test]
fn an_operator_may_say_so_on_either_node() {
    let mut world = World::settled(|_, _| {});
    assert_eq!(world.switch(0, false), Answer::Begun);
    world.run_until(at(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert_eq!(world.switch(0, true), Answer::Begun);
    world.run_until(at(60_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// What a node has told of each hand-over: when, whether it was to there, the outage and the overlap.
fn costs(world: &World, node: usize) -> Vec<(Instant, bool, Duration, Duration)> {
    let ended = world.told.iter().filter_map(|(at, by, event)| match event {
        Event::HandoverEnded { to_us, outage, overlap, .. } if *by == node => Some((*at, *to_us, *outage, *overlap)),
        _ => None,
    });
    ended.collect()
}

/// Of the last one, whenever it was.
#[track_caller]
fn cost(world: &World, node: usize) -> (bool, Duration, Duration) {
    let costs = costs(world, node);
    let (_, to_us, outage, overlap) = *costs.last().unwrap_or_else(|| panic!("it is told\n{}", world.log));
    (to_us, outage, overlap)
}

/// What both nodes tell of it: 0.2 s to stop it, 0.3 s to start it, and the messages between.
#[test]
fn both_nodes_tell_what_it_cost() {
    let mut world = World::settled(|_, _| {});
    world.switch(0, false);
    world.run_until(at(30_000));
    for wanted in [0, 1] {
        let (to_us, outage, overlap) = cost(&world, wanted);
        assert_eq!((to_us, overlap), (wanted == 1, Duration::ZERO), "{}", world.log);
        // Each measures the other's moments by a message that was a millisecond on its way.
        assert!((ms(300)..=ms(306)).contains(&outage), "{outage:?}\n{}", world.log);
    }
}

/// The answer to the offer is late, and who gave it has heard nothing since and has taken over: both ran for 0.4 s, and that is told.
#[test]
fn what_both_ran_is_told_where_the_answer_to_an_offer_was_late() {
    let mut world = World::settled(|node, config| {
        let pair = config.pair.as_mut().expect("there is a pair");
        pair.dead_after = if node == 0 { ms(2_000) } else { ms(300) };
    });
    world.nodes[1].habits.start = ms(1);
    world.set_temper(|sent| vec![if sent.from == 1 { ms(500) } else { WIRE }]);
    world.switch(0, false);
    world.run_for(ms(2));
    world.cut_from(0, &KINDS);
    world.run_for(ms(600));
    world.set_temper(|_| vec![WIRE]);
    world.run_for(ms(1_000));
    assert!(world.overlap >= ms(390), "{:?}\n{}", world.overlap, world.log);
    let (to_us, outage, overlap) = cost(&world, 0);
    assert_eq!((to_us, outage), (false, Duration::ZERO), "{}", world.log);
    assert!(world.overlap - overlap <= ms(3), "{overlap:?} of {:?}\n{}", world.overlap, world.log);
}

/// The disk has lost that the role had gone, and while the daemon was away somebody started the service. It goes on here where the
/// other one has just let the role go: that is no outage.
#[test]
fn what_has_run_on_here_has_cost_nothing() {
    let mut world = World::settled(|_, _| {});
    let record = world.nodes[0].record.clone();
    world.switch(0, false);
    world.run_for(ms(2_000));
    world.cut(&[Kind::Advertisement]);
    world.nodes[1].habits.stop = Some(ms(1));
    world.kill_daemon(0);
    world.start_by_hand(0);
    world.run_for(ms(400));
    world.set_link(1, 0, false);
    world.run_for(ms(100));
    world.nodes[0].record = record;
    world.start_daemon(0);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(cost(&world, 0), (true, Duration::ZERO, Duration::ZERO), "{}", world.log);
}

/// In maintenance what an operator begins again where the role has just gone from is left alone, and the hand-over has its end with it.
#[test]
fn a_hand_over_ends_when_nothing_is_left_where_it_began() {
    let mut world = World::settled(|_, _| {});
    world.maintain(0, None);
    world.run_for(ms(1_000));
    let since = world.now;
    world.switch(0, false);
    world.run_for(ms(250));
    world.nodes[0].habits.start = ms(1);
    world.start_by_hand(0);
    world.run_for(ms(1_000));
    let ended = |node: usize, event: &Event| node == 0 && matches!(event, Event::HandoverEnded { .. });
    assert_eq!(world.count(since, ended), 0, "{}", world.log);
    world.stop_by_hand(0);
    world.run_for(ms(500));
    assert_eq!(world.active(), 1, "{}", world.log);
    let (to_us, outage, overlap) = cost(&world, 0);
    assert_eq!((to_us, outage), (false, Duration::ZERO), "{}", world.log);
    assert!(overlap >= ms(600), "{overlap:?}\n{}", world.log);
}

/// Each node had looked for it a millisecond after its start.
#[test]
fn what_has_never_run_was_missing_since_somebody_looked_for_it() {
    let mut world = World::new(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(60_000) });
    world.nodes[0].habits.refuses = Some("no such image");
    world.now = at(14_000);
    world.start(0);
    world.start(1);
    world.run_until(at(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let (told_at, to_us, outage, overlap) = costs(&world, 1)[0];
    assert_eq!((to_us, overlap), (true, Duration::ZERO), "{}", world.log);
    assert_eq!(outage, told_at.since(at(14_001)), "{}", world.log);
}

#[test]
fn only_a_rehearsal_changes_nothing() {
    let mut world = World::settled(|_, _| {});
    let command = Command::Switch { router: tanist_engine::RouterId(0), to_us: false, dry_run: true };
    // 5 s to stop it, 2 s until it is killed once more, 30 s to start it, and 1 s for the talk.
    assert_eq!(world.command(0, command), Answer::Would { at_most: ms(38_000) });
    world.run_until(at(30_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// No message of the hand-over is one that must not be lost, late or doubled.
#[test]
fn whichever_message_is_lost_late_or_doubled() {
    for from in [0, 1] {
        for number in 0..12 {
            for fate in [vec![], vec![ms(40)], vec![ms(350)], vec![WIRE, WIRE], vec![WIRE, ms(500)]] {
                let mut world = World::settled(|_, _| {});
                let special = fate.clone();
                world.set_temper(move |sent| {
                    let meant = sent.from == from && sent.kind == Kind::Baton && sent.number == number;
                    if meant { special.clone() } else { vec![WIRE] }
                });
                world.switch(0, false);
                world.run_until(at(27_000));
                assert_eq!(world.active(), 1, "{from} {number} {fate:?}\n{}", world.log);
                world.never_both();
            }
        }
    }
}

/// Nor are several.
#[test]
fn half_of_all_messages_are_lost() {
    for seed in 0..30_u64 {
        let mut world = World::settled(|_, _| {});
        let mut state = seed * 2 + 1;
        world.set_temper(move |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match state >> 61 {
                0..4 => Vec::new(),
                4 => vec![WIRE, ms(120)],
                5 => vec![ms(160)],
                _ => vec![WIRE],
            }
        });
        world.switch(0, false);
        world.run_until(at(32_000));
        world.set_temper(|_| vec![WIRE]);
        world.run_until(at(45_000));
        world.active();
        let silent = world.count(at(20_000), |_, event| matches!(event, Event::PeerSilent { .. }));
        if silent == 0 {
            world.never_both();
        }
    }
}

/// A node that loses power in the middle of it is one that loses power: the other one has it in the end.
#[test]
fn either_node_loses_power_at_each_moment() {
    for victim in [0, 1] {
        for moment in (0..8).chain(198..210).chain((8..600).step_by(61)) {
            let mut world = World::settled(|_, _| {});
            world.switch(0, false);
            world.run_for(ms(moment));
            world.lose_power(victim);
            world.run_for(ms(6_000));
            assert_eq!(world.active(), 1 - victim, "{victim} after {moment} ms\n{}", world.log);
            world.boot(victim);
            world.run_for(ms(10_000));
            world.active();
            world.never_both();
        }
    }
}

/// A daemon that is killed and started again in the middle of it: its service may go on meanwhile, but no other begins.
#[test]
fn either_daemon_is_started_anew_at_each_moment() {
    for victim in [0, 1] {
        for moment in (0..8).chain(198..210).chain((8..700).step_by(61)) {
            let mut world = World::settled(|_, _| {});
            world.switch(0, false);
            world.run_for(ms(moment));
            world.kill_daemon(victim);
            world.run_for(ms(50));
            world.start_daemon(victim);
            world.run_for(ms(12_000));
            world.active();
            assert_eq!(world.overlap, Duration::ZERO, "{victim} after {moment} ms\n{}", world.log);
            world.never_both();
        }
    }
}

#[test]
fn a_peer_that_could_not_start_it_is_not_given_it() {
    let mut world = World::new(|_, _| {});
    world.nodes[1].habits.readiness = Err("disk full");
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let refused = Answer::Refused(RefusedCommand::NotReady("disk full".into()));
    assert_eq!(world.switch(0, false), refused);
    assert_eq!(world.switch(1, true), refused);
    world.run_until(at(40_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(world.count(at(20_000), |_, event| matches!(event, Event::ServiceChanged { .. })), 0, "{}", world.log);
}

#[test]
fn a_peer_in_fault_is_not_given_it() {
    let mut world = World::settled(|_, _| {});
    world.set_link(1, 0, false);
    world.run_for(ms(500));
    assert_eq!(world.switch(0, false), Answer::Refused(RefusedCommand::NotStandby));
    assert_eq!(world.switch(1, true), Answer::Refused(RefusedCommand::NotStandby));
    assert_eq!(world.hold(0, HeldBy::DownFile), Answer::Done);
    world.run_until(at(40_000));
    assert_eq!(world.active(), 0, "nobody else can have it\n{}", world.log);
}

/// The peer finds out that it could not start it while it is being offered the role.
#[test]
fn an_offer_to_one_that_is_no_longer_ready_is_withdrawn() {
    let mut world = World::settled(|_, _| {});
    world.run_until(at(20_500));
    // What a says is late, so that b's bad news of 24.002 come before its answer.
    world.set_temper(|sent| vec![if sent.from == 0 { ms(500) } else { WIRE }]);
    world.nodes[1].habits.readiness = Err("disk full");
    world.run_until(at(23_900));
    world.switch(0, false);
    world.run_for(ms(15_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let stops = world.count(at(20_000), |_, event| matches!(event, Event::ServiceChanged { .. }));
    assert_eq!(stops, 0, "{}", world.log);
    let failed = world.told.iter().filter_map(|(_, node, event)| match event {
        Event::HandoverFailed { reason, .. } => Some((*node, reason.clone())),
        _ => None,
    });
    let why = RefusedCommand::NotReady("disk full".into());
    assert_eq!(failed.collect::<Vec<_>>(), [(0, why)], "{}", world.log);
}

/// A fault while the role is only offered: it goes because of that, and no offer is left behind.
#[test]
fn a_fault_overtakes_an_offer() {
    let mut world = World::settled(|_, config| {
        config.routers[0].track_links = vec![tracked("eth1")];
        config.services[0].stop_timeout = ms(60_000);
    });
    world.nodes[0].habits.stop = Some(ms(5_000));
    world.set_temper(|sent| vec![if sent.kind == Kind::Baton { ms(300) } else { WIRE }]);
    world.switch(0, false);
    world.run_for(ms(100));
    world.set_link(0, 1, false);
    world.run_for(ms(4_000));
    assert_eq!(world.nodes[0].process, Process::Going, "{}", world.log);
    world.run_for(ms(6_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(!world.is_held(0), "{}", world.log);
    let failed = world.count(at(20_000), |_, event| matches!(event, Event::HandoverFailed { .. }));
    assert_eq!(failed, 0, "{}", world.log);
    world.never_both();
}

/// Of two equals neither would take it back, so that nobody has to stand back for the operator's sake.
#[test]
fn after_a_switch_between_equals_nobody_stands_back() {
    let mut world = World::new(|_, config| config.routers[0].priority = Priority::DEFAULT);
    world.start(0);
    world.run_until(at(10_000));
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.switch(0, false);
    world.run_until(at(40_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(!world.is_held(0) && !world.is_held(1), "{}", world.log);
    world.never_both();
}

/// Who cannot be heard is offered nothing for ever, and the service goes on.
#[test]
fn an_offer_that_nobody_answers_is_withdrawn() {
    let mut world = World::settled(|_, _| {});
    world.cut_from(1, &[Kind::Baton]);
    world.switch(0, false);
    world.run_for(ms(30_000));
    assert_eq!(world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::HandoverFailed { .. })), 1);
    assert_eq!(world.nodes[0].process, Process::Runs, "{}", world.log);
    assert_eq!(world.state(0), StateName::Active, "{}", world.log);
    let stops = world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::ServiceChanged { .. }));
    assert_eq!(stops, 0, "{}", world.log);
}

/// A reload takes the other node out of the configuration while it is offered the role: nothing is waited for any more, and who
/// wants to switch hears why he cannot.
#[test]
fn an_offer_ends_with_the_pair() {
    let mut world = World::settled(|_, _| {});
    world.cut(&[Kind::Baton]);
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    let alone = Config { pair: None, ..world.nodes[0].config.clone() };
    world.handle(0, Input::Reconfigure(Box::new(alone)));
    assert_eq!(world.switch(0, false), Answer::Refused(RefusedCommand::NoPeer), "{}", world.log);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// A service that takes its time to end is waited for, and nobody says that the switch had failed meanwhile.
#[test]
fn a_slow_end_is_waited_for() {
    for asked in [0, 1] {
        let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
        world.nodes[0].habits.stop = Some(ms(20_000));
        world.switch(asked, asked == 1);
        world.run_for(ms(19_000));
        assert_eq!(world.state(0), StateName::Active, "it goes on advertising\n{}", world.log);
        world.run_for(ms(10_000));
        assert_eq!(world.active(), 1, "{}", world.log);
        let failed = world.count(at(20_000), |_, event| matches!(event, Event::HandoverFailed { .. }));
        assert_eq!(failed, 0, "{}", world.log);
        world.never_both();
    }
}

/// A service that ignores the order to end is killed after its stop timeout, and only then the other one begins.
#[test]
fn a_service_that_does_not_end_is_killed_before_it_moves() {
    let mut world = World::settled(|_, _| {});
    world.nodes[0].habits.stop = None;
    world.switch(0, false);
    world.run_for(ms(4_900));
    assert_eq!(world.nodes[0].process, Process::Going, "{}", world.log);
    assert_eq!(world.nodes[1].process, Process::Gone, "{}", world.log);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let lingers = world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::ServiceLingers { .. }));
    assert_eq!(lingers, 1, "{}", world.log);
    world.never_both();
}

/// The other one dies while the service is ending for its sake: it is started again here.
#[test]
fn what_is_let_go_for_a_peer_that_dies_is_kept() {
    for moment in [10, 100, 1_000, 4_000] {
        let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
        world.nodes[0].habits.stop = Some(ms(5_000));
        world.switch(0, false);
        world.run_for(ms(moment));
        world.lose_power(1);
        world.run_for(ms(15_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        let (failed, role) = (
            world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::HandoverFailed { .. })),
            world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::StateChanged { .. })),
        );
        assert_eq!((failed, role), (1, 0), "{}", world.log);
        // What failed does not happen by itself an hour later.
        world.boot(1);
        world.run_for(ms(60_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        world.never_both();
    }
}

/// The other one dies when it may already begin.
#[test]
fn what_was_let_go_for_a_peer_that_dies_is_taken_back() {
    for moment in 195..215 {
        let mut world = World::settled(|_, _| {});
        world.switch(0, false);
        world.run_for(ms(moment));
        world.lose_power(1);
        world.run_for(ms(8_000));
        assert_eq!(world.active(), 0, "after {moment} ms\n{}", world.log);
        world.never_both();
    }
}

/// And the other way round: who is released by one that dies waits for nobody.
#[test]
fn what_was_released_by_a_node_that_dies_is_taken_when_it_is_silent() {
    for moment in 195..215 {
        let mut world = World::settled(|_, _| {});
        world.switch(0, false);
        world.run_for(ms(moment));
        world.lose_power(0);
        world.run_for(ms(1_300));
        assert_eq!(world.active(), 1, "after {moment} ms\n{}", world.log);
        world.never_both();
    }
}

#[test]
fn an_orderly_stop_hands_over() {
    for paired in [true, false] {
        let mut world = World::settled(|_, config| {
            if !paired {
                config.pair = None;
            }
        });
        world.handle(0, Input::Stop);
        world.run_until(at(30_000));
        assert_eq!(world.active(), 1, "{}", world.log);
        assert!(!world.nodes[0].alive, "{}", world.log);
        world.never_both();
    }
}

/// Nobody has to wait for an orderly stop to be taken for a death.
#[test]
fn an_orderly_stop_is_followed_at_once() {
    for addresses in [0, 1] {
        let mut world = World::settled(|_, config| config.routers[0].addresses.truncate(addresses));
        world.handle(0, Input::Stop);
        // 0.2 s to end it, 0.3 s to start it, and a few messages.
        world.run_for(ms(520));
        assert_eq!(world.active(), 1, "{addresses} addresses\n{}", world.log);
        world.never_both();
    }
}

/// Whichever of its last words is lost: the next one says it as well, or silence does in the end. Nothing else is heard.
#[test]
fn an_orderly_stop_whose_last_words_are_lost() {
    for (lost, addresses) in (0..8).flat_map(|lost| [(lost, 1), (lost, 0)]) {
        // Without addresses goodbye comes with the last word on the role.
        let mut world = World::settled(|_, config| config.routers[0].addresses.truncate(addresses));
        world.set_temper(move |sent| match sent.kind {
            Kind::Baton if sent.from == 0 && sent.number == lost => Vec::new(),
            Kind::Baton => vec![WIRE],
            Kind::Advertisement => Vec::new(),
        });
        world.handle(0, Input::Stop);
        // 0.2 s to end it, at most 0.8 s of silence, 0.3 s to start it.
        world.run_for(ms(1_320));
        assert_eq!(world.active(), 1, "{addresses} addresses, without message {lost}\n{}", world.log);
        world.never_both();
    }
}

/// A reload takes the router and its service away where they are active: the other one begins when it is gone.
#[test]
fn a_router_that_is_removed_is_taken_over_in_order() {
    let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
    // For longer than a router waits that hears of nobody.
    world.nodes[0].habits.stop = Some(ms(8_000));
    let mut without = world.nodes[0].config.clone();
    without.routers.clear();
    without.services.clear();
    world.note(0, "reloads without it");
    world.handle(0, Input::Reconfigure(Box::new(without)));
    world.run_for(ms(15_000));
    assert_eq!(world.nodes[0].process, Process::Gone, "{}", world.log);
    assert_eq!(world.nodes[1].process, Process::Runs, "{}", world.log);
    world.never_both();
    // And comes back with the next one.
    let with = world.nodes[0].config.clone();
    world.note(0, "reloads with it");
    world.handle(0, Input::Reconfigure(Box::new(with)));
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// A reload gives its service to another router: who takes the first one waits all the same until it is gone here.
#[test]
fn a_service_that_is_another_routers_now_is_waited_for() {
    let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
    world.nodes[0].habits.stop = Some(ms(3_000));
    let mut moved = world.nodes[0].config.clone();
    let other = RouterConfig {
        name: "VI_2".into(),
        link: "eth1".into(),
        vrid: Vrid::new(52).unwrap(),
        ..moved.routers[0].clone()
    };
    moved.routers[0].services.clear();
    moved.routers.push(other);
    world.handle(0, Input::Reconfigure(Box::new(moved)));
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    world.run_for(ms(2_900));
    assert_eq!(world.nodes[0].process, Process::Going, "{}", world.log);
    assert_eq!(world.nodes[1].process, Process::Gone, "{}", world.log);
    world.run_for(ms(1_000));
    assert_eq!(world.nodes[1].process, Process::Runs, "{}", world.log);
    world.never_both();
}

/// And the next reload takes it out of the configuration: it is waited for all the same, in maintenance, too, where an operator
/// moves the role.
#[test]
fn a_service_that_was_another_routers_and_is_taken_out_is_waited_for() {
    for maintained in [false, true] {
        let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
        world.nodes[0].habits.stop = Some(ms(3_000));
        let mut moved = world.nodes[0].config.clone();
        let other = RouterConfig {
            name: "VI_2".into(),
            link: "eth1".into(),
            vrid: Vrid::new(52).unwrap(),
            ..moved.routers[0].clone()
        };
        moved.routers[0].services.clear();
        moved.routers.push(other);
        let mut without = moved.clone();
        without.routers[1].services.clear();
        without.services.clear();
        world.handle(0, Input::Reconfigure(Box::new(moved)));
        if maintained {
            world.command(0, Command::Maintain { span: None, calendar: 1_700_000_000 });
        }
        world.handle(0, Input::Reconfigure(Box::new(without)));
        assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
        world.run_for(ms(2_900));
        assert_eq!(world.nodes[0].process, Process::Going, "{maintained}\n{}", world.log);
        assert_eq!(world.nodes[1].process, Process::Gone, "{maintained}\n{}", world.log);
        world.run_for(ms(1_000));
        assert_eq!(world.nodes[1].process, Process::Runs, "{maintained}\n{}", world.log);
        world.never_both();
    }
}

/// Node a has a second router, with nothing of its own.
fn a_has_two(node: usize, config: &mut Config) {
    if node == 0 {
        let second = RouterConfig {
            name: "VI_2".into(),
            vrid: Vrid::new(52).unwrap(),
            services: Vec::new(),
            addresses: Vec::new(),
            ..config.routers[0].clone()
        };
        config.routers.push(second);
    }
}

/// A reload gives its service to another router that is active, too, and the other node still has it in the old place, which it is
/// not given while the service goes on.
#[test]
fn a_service_that_goes_on_in_another_router_is_not_begun_in_the_old_one() {
    let mut world = World::settled(a_has_two);
    let mut moved = world.nodes[0].config.clone();
    moved.routers[1].services = core::mem::take(&mut moved.routers[0].services);
    world.handle(0, Input::Reconfigure(Box::new(moved)));
    world.run_for(ms(1_000));
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// Whoever takes it out in maintenance looks after it from then on; otherwise it is ended.
#[test]
fn a_service_that_goes_on_in_another_router_is_left_alone_in_maintenance() {
    for maintained in [false, true] {
        let mut world = World::settled(a_has_two);
        let mut moved = world.nodes[0].config.clone();
        moved.routers[1].services = core::mem::take(&mut moved.routers[0].services);
        let mut without = moved.clone();
        without.routers[1].services.clear();
        without.services.clear();
        world.handle(0, Input::Reconfigure(Box::new(moved)));
        world.run_for(ms(1_000));
        assert_eq!(world.nodes[0].process, Process::Runs, "{maintained}\n{}", world.log);
        if maintained {
            world.command(0, Command::Maintain { span: None, calendar: 1_700_000_000 });
        }
        world.handle(0, Input::Reconfigure(Box::new(without)));
        world.run_for(ms(5_000));
        let left = if maintained { Process::Runs } else { Process::Gone };
        assert_eq!(world.nodes[0].process, left, "{maintained}\n{}", world.log);
        world.never_both();
    }
}

/// Taken away and put back before it has ended.
#[test]
fn a_router_that_is_removed_and_put_back_at_once() {
    for moment in [0, 1, 50, 199, 250, 600] {
        let mut world = World::settled(|_, _| {});
        let mut without = world.nodes[0].config.clone();
        without.routers.clear();
        without.services.clear();
        world.handle(0, Input::Reconfigure(Box::new(without)));
        world.run_for(ms(moment));
        let with = world.nodes[0].config.clone();
        world.handle(0, Input::Reconfigure(Box::new(with)));
        world.run_for(ms(30_000));
        world.active();
        let failed = world.count(at(20_000), |_, event| matches!(event, Event::ServiceFailed { .. }));
        assert_eq!(failed, 0, "{moment}\n{}", world.log);
        world.never_both();
    }
}

/// A fault that is not the network's: the role moves in order.
#[test]
fn a_standby_takes_what_a_node_in_fault_lets_go() {
    let mut world = World::settled(|_, config| config.routers[0].track_links = vec![tracked("eth1")]);
    world.set_link(0, 1, false);
    world.run_for(ms(100));
    assert_eq!(world.state(0), StateName::Active, "its service is still ending\n{}", world.log);
    world.run_for(ms(500));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.set_link(0, 1, true);
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

fn tracked(link: &str) -> tanist_engine::TrackedLink {
    tanist_engine::TrackedLink { link: link.into(), weight: tanist_engine::Weight::Fault }
}

/// Its own network is gone: the addresses go at once, but the other one waits for the service as long as the two hear
/// each other.
#[test]
fn without_its_own_network_the_service_still_ends_first() {
    let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
    world.nodes[0].habits.stop = Some(ms(10_000));
    world.set_link(0, 0, false);
    world.cut(&[Kind::Advertisement]);
    world.run_for(ms(9_900));
    assert_eq!(world.nodes[1].process, Process::Gone, "{}", world.log);
    assert_eq!(world.state(0), StateName::Initialize, "{}", world.log);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// A fault while it lets go for the other one: it does not end up as a standby in spite of the fault.
#[test]
fn a_fault_while_letting_go_counts() {
    let mut world = World::settled(|_, config| config.services[0].stop_timeout = ms(60_000));
    world.nodes[0].habits.stop = Some(ms(2_000));
    world.switch(0, false);
    world.run_for(ms(100));
    world.set_link(0, 0, false);
    world.run_for(ms(5_000));
    assert_eq!(world.state(0), StateName::Initialize, "{}", world.log);
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// The better node takes it back when it is ready, in order, and no sooner.
#[test]
fn the_better_node_takes_it_back_when_it_is_ready() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(0);
    world.run_until(at(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.nodes[0].habits.readiness = Err("mounting");
    world.boot(0);
    world.run_until(at(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.nodes[0].habits.readiness = Ok(());
    world.run_until(at(66_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let reason = |event: &Event| matches!(event, Event::HandoverBegun { reason: HandoverReason::Failback, .. });
    assert_eq!(world.count(at(60_000), |node, event| node == 1 && reason(event)), 1, "{}", world.log);
    world.never_both();
}

#[test]
fn it_goes_back_after_the_delay_or_when_told() {
    use tanist_engine::Failback;
    for (failback, back) in [(Failback::Auto, true), (Failback::Manual, false), (Failback::Never, false)] {
        let mut world = World::settled(|_, config| {
            config.services[0].failback = failback;
            config.routers[0].preempt_mode = failback == Failback::Auto;
            config.routers[0].preempt_delay = ms(10_000);
        });
        world.lose_power(0);
        world.run_until(at(30_000));
        world.boot(0);
        world.run_until(at(39_900));
        assert_eq!(world.active(), 1, "{}", world.log);
        world.run_until(at(60_000));
        assert_eq!(world.active(), usize::from(!back), "{failback:?}\n{}", world.log);
        if !back {
            world.switch(1, false);
            world.run_until(at(70_000));
            assert_eq!(world.active(), 0, "{}", world.log);
        }
        world.never_both();
    }
}

/// The service does not start where an operator sent it: it comes back, and stays until the operator says more. Nothing
/// goes to and fro meanwhile.
#[test]
fn a_switch_to_where_it_does_not_start_comes_back_once() {
    let mut world = World::settled(|_, _| {});
    world.nodes[1].habits.refuses = Some("no such file");
    world.switch(0, false);
    world.run_until(at(21_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let failed = world.told.iter().filter_map(|(_, node, event)| match event {
        Event::HandoverFailed { reason, .. } => Some((*node, reason.clone())),
        _ => None,
    });
    let why = RefusedCommand::NotReady("job failed".into());
    assert_eq!(failed.collect::<Vec<_>>(), [(1, why.clone()), (0, why)], "{}", world.log);
    world.run_until(at(120_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let roles = world.count(at(21_000), |_, event| {
        matches!(
            event,
            Event::StateChanged { from: StateName::Active, .. } | Event::StateChanged { to: StateName::Active, .. }
        )
    });
    assert_eq!(roles, 0, "{}", world.log);
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    world.nodes[1].habits.refuses = None;
    world.run_until(at(130_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}
