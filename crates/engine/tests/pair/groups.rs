//! A service of a sync group: two routers that are Active together, whatever each of them would be alone.

use tanist_engine::{Answer, Budget, Command, Config, GroupConfig, Input, Name, Priority, RouterId, StateName, Vrid};

use super::setup::{at, ms};
use super::world::{Kind, WIRE, World};

/// The second router would rather be on b; the first one speaks for both.
pub(crate) fn group(node: usize, config: &mut Config) {
    let mut second = config.routers[0].clone();
    second.name = Name::from("VI_2");
    second.vrid = Vrid::new(52).unwrap();
    second.priority = Priority::new(if node == 0 { 90 } else { 120 });
    if let Some(address) = second.addresses.first_mut() {
        address.address = "192.0.2.101".parse().unwrap();
    }
    second.services.clear();
    config.routers.push(second);
    let members = vec![Name::from("VI_1"), Name::from("VI_2")];
    config.groups = vec![GroupConfig { name: Name::from("G"), members }];
}

#[track_caller]
fn both_on(world: &World, node: usize) {
    for (which, expected) in [(node, StateName::Active), (1 - node, StateName::Backup)] {
        for router in world.nodes[which].engine.view().routers {
            assert_eq!(router.state, expected, "{} on node {which}\n{}", router.name, world.log);
        }
    }
    assert_eq!(world.active(), node, "{}", world.log);
}

#[test]
fn they_agree_on_all_of_it() {
    let world = World::settled(group);
    both_on(&world, 0);
}

#[test]
fn an_operator_moves_all_of_it_by_any_of_them() {
    let mut world = World::settled(group);
    let router = RouterId(1);
    world.command(0, Command::Switch { router, to_us: false, dry_run: false });
    world.run_for(ms(2_000));
    both_on(&world, 1);
    world.command(0, Command::Switch { router, to_us: true, dry_run: false });
    world.run_for(ms(2_000));
    both_on(&world, 0);
    world.never_both();
}

#[test]
fn a_spent_budget_moves_all_of_it() {
    let mut world = World::settled(|node, config| {
        group(node, config);
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let states: Vec<StateName> = world.nodes[1].engine.view().routers.iter().map(|router| router.state).collect();
    assert_eq!(states, [StateName::Active, StateName::Active], "{}", world.log);
    world.never_both();
}

#[test]
fn a_dead_node_leaves_all_of_it() {
    let mut world = World::settled(group);
    world.lose_power(0);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let states: Vec<StateName> = world.nodes[1].engine.view().routers.iter().map(|router| router.state).collect();
    assert_eq!(states, [StateName::Active, StateName::Active], "{}", world.log);
    world.boot(0);
    world.run_until(at(60_000));
    both_on(&world, 0);
}

#[test]
fn a_restart_of_the_daemon_moves_nothing() {
    let mut world = World::settled(group);
    world.kill_daemon(0);
    world.run_for(ms(300));
    world.start_daemon(0);
    world.run_for(ms(10_000));
    both_on(&world, 0);
    world.never_both();
}

/// While the daemon was away its group has got another speaker: what was said of the first one still holds, and ends as it would.
#[test]
fn another_speaker_after_a_restart_stands_back_until_the_service_is_started_by_hand() {
    let mut world = World::settled(group);
    world.stop_by_hand(0);
    world.run_for(ms(2_000));
    both_on(&world, 1);
    world.kill_daemon(0);
    world.nodes[0].config.groups[0].members.reverse();
    world.start_daemon(0);
    world.run_for(ms(2_000));
    let is_held = |world: &World| !world.nodes[0].engine.view().routers[1].held_by.is_empty();
    assert!(is_held(&world), "{}", world.log);
    world.start_by_hand(0);
    world.run_for(ms(1_000));
    assert!(!is_held(&world), "{}", world.log);
}

/// The other node has its two routers apart, and takes the second one, with the service, while this one asks for both. What it would
/// not be given any more it asks for no longer.
#[test]
fn who_asks_for_all_of_it_stops_where_the_other_one_takes_a_part() {
    let mut world = World::new(|node, config| {
        group(node, config);
        config.routers[1].services = core::mem::take(&mut config.routers[0].services);
        if node == 0 {
            config.routers.iter_mut().for_each(|router| router.priority = Priority::new(200));
        } else {
            config.groups.clear();
            // It would take over 59 ms earlier.
            config.routers[1].priority = Priority::new(215);
        }
    });
    world.cut(&[Kind::Advertisement]);
    world.set_temper(|_| vec![ms(50)]);
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    for (node, expected) in [(0, StateName::Backup), (1, StateName::Active)] {
        let states = world.nodes[node].engine.view().routers.into_iter().map(|router| router.state);
        assert_eq!(states.collect::<Vec<_>>(), [expected, expected], "{}", world.log);
    }
    world.never_both();
}

/// A reload after which the second router speaks for both.
fn speak_by_the_second(world: &mut World, node: usize) {
    let mut config = world.nodes[node].config.clone();
    config.groups[0].members.reverse();
    world.handle(node, Input::Reconfigure(Box::new(config)));
}

/// While the role is being let go for the operator, another router begins to speak for it; then the other node dies. The role is
/// kept, and this node does not stand back for a switch that came to nothing.
#[test]
fn a_switch_that_comes_to_nothing_holds_nobody_whoever_speaks_by_then() {
    let mut world = World::settled(|node, config| {
        group(node, config);
        config.services[0].stop_timeout = ms(60_000);
    });
    world.nodes[0].habits.stop = Some(ms(2_000));
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    world.run_for(ms(100));
    assert!(world.is_held(0), "{}", world.log);
    speak_by_the_second(&mut world, 0);
    world.lose_power(1);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert!(world.nodes[0].engine.view().routers.iter().all(|router| router.held_by.is_empty()), "{}", world.log);
}

/// In maintenance the role has been let go for the operator, and the other node has died before it could take it. It is this
/// node's as before, whichever router speaks for it by then.
#[test]
fn what_nobody_took_in_maintenance_comes_back_whoever_speaks_by_then() {
    let mut world = World::settled(group);
    world.maintain(0, None);
    world.run_for(ms(1_000));
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    world.run_for(ms(100));
    world.lose_power(1);
    world.run_for(ms(200));
    assert_eq!(world.state(0), StateName::Backup, "{}", world.log);
    speak_by_the_second(&mut world, 0);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// a has both in a group, b has them apart, and the service at the second. While a claims both, b takes the second; so a cannot
/// have the rest either, and does not keep b from it.
#[test]
fn a_claim_to_all_of_it_ends_when_the_other_node_has_a_part() {
    let mut world = World::new(|node, config| {
        group(node, config);
        config.routers[1].priority = Priority::new(150);
        if node == 1 {
            config.groups.clear();
            config.routers[1].services = core::mem::take(&mut config.routers[0].services);
        }
    });
    world.cut(&[Kind::Advertisement]);
    world.start(0);
    world.start(1);
    // Both claim at 3.414, and a has no answer to that.
    world.run_until(at(3_414));
    world.set_temper(|sent| if (sent.from, sent.number) == (1, 1) { Vec::new() } else { vec![WIRE] });
    world.run_until(at(10_000));
    both_on(&world, 1);
}
