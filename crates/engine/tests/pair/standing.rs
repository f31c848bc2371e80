//! What holds for the whole pair: the latch, maintenance, and what both nodes remember of them.

use tanist_engine::{
    Answer, Budget, Command, Event, LatchReason, Record, RefusedCommand, Restored, RouterRecord, ServiceRecord,
    StateName, TrackedLink, Weight,
};

use super::failing::latched;
use super::setup::{at, ms};
use super::world::{KINDS, Kind, Process, World};

fn calendar(world: &World) -> u64 {
    1_700_000_000 + world.now.as_nanos() / 1_000_000_000
}

// ── the latch ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_latch_is_acknowledged_on_either_node() {
    for node in [0, 1] {
        let mut world = latched();
        assert_eq!(world.switch(1, false), Answer::Refused(RefusedCommand::Latched));
        world.command(node, Command::Acknowledge);
        world.run_for(ms(10_000));
        assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
        let told = world.count(at(25_000), |_, event| matches!(event, Event::Unlatched));
        assert_eq!(told, 2, "once on each\n{}", world.log);
        assert_eq!(world.active(), 0, "everything is forgiven\n{}", world.log);
        world.never_both();
    }
}

/// What is latched is the service. A router that has none is taken over as ever.
#[test]
fn a_latch_keeps_no_other_router_back() {
    let mut world = World::settled(|node, config| {
        super::groups::group(node, config);
        config.groups.clear();
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.routers[1].track_links = vec![TrackedLink { link: "eth1".into(), weight: Weight::Fault }];
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    world.crash_service(1);
    world.run_for(ms(10_000));
    assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
    for (up, expected) in
        [(false, [StateName::Active, StateName::Initialize]), (true, [StateName::Backup, StateName::Active])]
    {
        world.set_link(1, 1, up);
        world.run_for(ms(10_000));
        let second = [0, 1].map(|node| world.nodes[node].engine.view().routers[1].state);
        assert_eq!(second, expected, "{}", world.log);
    }
}

/// It survives every order of restarts, and nothing but an operator ends it.
#[test]
fn a_latch_survives_restarts_and_loss_of_power() {
    let mut world = latched();
    for round in 0..3 {
        for node in [0, 1] {
            world.lose_power(node);
            world.run_for(ms(700 * round));
            world.boot(node);
            world.run_for(ms(3_000));
            assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
        }
        world.lose_power(0);
        world.lose_power(1);
        world.run_for(ms(1_000));
        world.boot(round as usize % 2);
        world.run_for(ms(5_000));
        world.boot(1 - round as usize % 2);
        world.run_for(ms(30_000));
        assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
    }
    assert_eq!(world.active(), 1, "the one that had it keeps it\n{}", world.log);
    world.command(0, Command::Acknowledge);
    world.run_for(ms(20_000));
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    // And it does not come back by itself.
    for node in [0, 1] {
        world.lose_power(node);
        world.run_for(ms(2_000));
        world.boot(node);
        world.run_for(ms(10_000));
    }
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    world.never_both();
}

/// The best state there is stays, whatever happens to the daemon or the cable of the one that has it.
#[test]
fn while_latched_the_one_that_has_it_goes_on() {
    let mut world = latched();
    let since = world.now;
    world.kill_daemon(1);
    world.run_for(ms(300));
    world.start_daemon(1);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "after a restart of the daemon\n{}", world.log);
    assert_eq!(world.count(since, |node, event| node == 0 && matches!(event, Event::StateChanged { .. })), 0);
    world.set_link(1, 0, false);
    world.run_for(ms(2_000));
    world.set_link(1, 0, true);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "after a broken cable\n{}", world.log);
    world.freeze(1, ms(8_000));
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 1, "after it was frozen\n{}", world.log);
    world.never_both();
}

/// What holds for both is known to both as soon as a message has come over.
#[test]
fn what_is_said_on_one_node_holds_on_the_other_at_once() {
    let mut world = World::settled(|_, _| {});
    for node in [0, 1] {
        world.run_for(ms(3_000));
        world.maintain(node, None);
        world.run_for(ms(2));
        assert!(world.in_maintenance(1 - node), "{}", world.log);
        world.command(node, Command::EndMaintenance);
        world.run_for(ms(2));
        assert!(!world.in_maintenance(1 - node), "{}", world.log);
    }
    let mut world = latched();
    world.command(0, Command::Acknowledge);
    world.run_for(ms(2));
    assert!(!world.is_latched(1), "{}", world.log);
}

/// An operator's word reaches a node that was away when he said it.
#[test]
fn an_acknowledgement_reaches_the_one_that_was_away() {
    let mut world = latched();
    world.lose_power(0);
    world.run_for(ms(2_000));
    world.command(1, Command::Acknowledge);
    world.run_for(ms(2_000));
    world.boot(0);
    world.run_for(ms(20_000));
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// A node that has lost its memory learns of the latch from the other one.
#[test]
fn a_latch_is_not_forgotten_with_one_memory() {
    for damaged in [false, true] {
        let mut world = latched();
        world.lose_power(0);
        world.run_for(ms(2_000));
        let calendar = calendar(&world);
        let lost = if damaged { Restored::Damaged("half a file".into()) } else { Restored::Nothing { calendar } };
        world.boot_with(0, lost);
        world.run_for(ms(10_000));
        assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
        let latch = world.nodes[0].engine.view().latch.expect("just seen");
        assert_eq!(latch.reason, LatchReason::BothFailed, "{}", world.log);
        world.command(1, Command::Acknowledge);
        world.run_for(ms(10_000));
        assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    }
}

// ── a damaged memory ──────────────────────────────────────────────────────────────────────────────────

fn damaged() -> Restored {
    Restored::Damaged("half a file".into())
}

/// It says nothing, so it permits nothing; but the other one, which remembers, knows better.
#[test]
fn a_damaged_memory_is_cleared_by_one_that_remembers() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(0);
    world.run_for(ms(3_000));
    world.boot_with(0, damaged());
    world.run_for(ms(20_000));
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// Numbers from which nobody could count on have not been counted: they are not taken over, and not fatal.
#[test]
fn a_memory_that_counts_too_far_is_damaged() {
    for number in [1 << 62, u64::MAX] {
        let router =
            RouterRecord { name: "VI_1".into(), epoch: number, active: true, held_by: Vec::new(), stood_back: false };
        let service =
            ServiceRecord { name: "job".into(), failed: false, told: number, left_stopped: false, moves: Vec::new() };
        let of_epochs = Record { routers: vec![router], ..Record::default() };
        let of_latches = Record { latch_number: number, ..Record::default() };
        let of_acknowledged = Record { acknowledged: number, ..Record::default() };
        let of_maintenance = Record { maintenance_number: number, ..Record::default() };
        let of_services = Record { services: vec![service], ..Record::default() };
        for record in [of_epochs, of_latches, of_acknowledged, of_maintenance, of_services] {
            let mut world = World::new(|_, _| {});
            let calendar = calendar(&world);
            world.boot_with(0, Restored::Record { record, same_boot: false, calendar });
            world.run_until(at(10_000));
            let latch = world.nodes[0].engine.view().latch.expect("nobody knows whether there was one");
            assert_eq!(latch.reason, LatchReason::RecordDamaged, "{}", world.log);
            world.command(0, Command::Acknowledge);
            world.run_for(ms(10_000));
            assert_eq!(world.active(), 0, "{}", world.log);
        }
    }
}

/// Alone it waits for a human, through restarts.
#[test]
fn a_damaged_memory_alone_waits_for_a_human() {
    let mut world = World::new(|_, _| {});
    world.boot_with(0, damaged());
    world.run_until(at(30_000));
    assert_eq!(world.nodes[0].process, Process::Gone, "{}", world.log);
    world.lose_power(0);
    world.run_for(ms(1_000));
    world.boot(0);
    world.run_for(ms(30_000));
    assert_eq!(world.nodes[0].process, Process::Gone, "{}", world.log);
    world.command(0, Command::Acknowledge);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// Even after a restart in between the other one's memory counts.
#[test]
fn a_damaged_memory_is_cleared_later_too() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(0);
    world.cut(&KINDS);
    world.run_for(ms(3_000));
    world.boot_with(0, damaged());
    world.run_for(ms(5_000));
    world.lose_power(0);
    world.run_for(ms(1_000));
    world.boot(0);
    world.run_for(ms(5_000));
    assert!(world.is_latched(0), "{}", world.log);
    world.heal();
    world.run_for(ms(20_000));
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// Two damaged memories are no permission for each other.
#[test]
fn two_damaged_memories_wait_for_a_human() {
    for apart in [0, 1, 3, 500, 5_000] {
        for acknowledged in [0, 1] {
            let mut world = World::new(|_, _| {});
            world.boot_with(0, damaged());
            world.run_for(ms(apart));
            world.boot_with(1, damaged());
            world.run_for(ms(30_000));
            for node in [0, 1] {
                assert!(world.is_latched(node), "{}", world.log);
                assert_eq!(world.nodes[node].process, Process::Gone, "{}", world.log);
            }
            // A restart in between is none either.
            world.kill_daemon(1);
            world.run_for(ms(100));
            world.start_daemon(1);
            world.run_for(ms(20_000));
            assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
            world.command(acknowledged, Command::Acknowledge);
            world.run_for(ms(10_000));
            assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
            assert_eq!(world.active(), 0, "{}", world.log);
            world.never_both();
        }
    }
}

/// A latch of a cut that the other node never heard of is not ended by what was acknowledged long ago.
#[test]
fn an_old_acknowledgement_ends_no_new_latch() {
    // Three latches were seen to in the past.
    let mut world = latched();
    for _ in 0..3 {
        world.command(1, Command::Acknowledge);
        world.run_for(ms(15_000));
        let active = world.active();
        world.crash_service(active);
        world.run_for(ms(1_000));
        let active = world.active();
        world.crash_service(active);
        world.run_for(ms(15_000));
        assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
    }
    world.command(1, Command::Acknowledge);
    world.run_for(ms(15_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    // a loses its memory, and while it is alone its memory is damaged.
    world.lose_power(0);
    world.cut(&KINDS);
    world.run_for(ms(5_000));
    world.boot_with(0, damaged());
    world.run_for(ms(5_000));
    assert!(world.is_latched(0), "{}", world.log);
    world.heal();
    world.run_for(ms(20_000));
    // That b remembers clears the doubt; nothing else was the matter.
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
}

#[test]
fn a_latch_of_the_time_of_a_cut_is_heard_of_afterwards() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
    });
    // The role has come to b because the service failed on a; then nothing is heard any more.
    world.crash_service(0);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.cut(&KINDS);
    world.run_for(ms(3_000));
    world.crash_service(1);
    world.run_for(ms(3_000));
    assert!(world.is_latched(1) && !world.is_latched(0), "{}", world.log);
    world.heal();
    world.run_for(ms(5_000));
    assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
    world.command(0, Command::Acknowledge);
    world.run_for(ms(20_000));
    assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    world.active();
}

/// A node that was away knows neither the other one's latch nor what was acknowledged there. What it latches on its own is
/// newer than both.
#[test]
fn a_latch_of_one_that_was_away_is_the_newest() {
    for acknowledged in [false, true] {
        let mut world = World::settled(|_, config| {
            config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
            config.services[0].max_moves = Budget { limit: 0, within: ms(600_000) };
        });
        world.lose_power(0);
        world.run_for(ms(5_000));
        world.crash_service(1);
        assert!(world.is_latched(1), "{}", world.log);
        if acknowledged {
            world.command(1, Command::Acknowledge);
        }
        world.cut(&KINDS);
        world.boot(0);
        world.run_for(ms(10_000));
        world.crash_service(0);
        world.heal();
        world.run_for(ms(10_000));
        for node in [0, 1] {
            let latch = world.nodes[node].engine.view().latch.unwrap_or_else(|| panic!("latched\n{}", world.log));
            assert_eq!(&*latch.node, "a", "{}", world.log);
        }
        world.active();
    }
}

// ── maintenance ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn in_maintenance_nothing_happens_by_itself() {
    let mut world = World::settled(|_, _| {});
    world.maintain(1, None);
    world.run_for(ms(1_000));
    assert!(world.in_maintenance(0) && world.in_maintenance(1), "{}", world.log);
    world.crash_service(0);
    world.run_for(ms(60_000));
    assert_eq!(world.nodes.iter().map(|node| node.process).collect::<Vec<_>>(), [Process::Gone; 2], "{}", world.log);
    assert_eq!(world.state(0), StateName::Active, "{}", world.log);
    world.command(0, Command::EndMaintenance);
    world.run_for(ms(5_000));
    assert!(!world.in_maintenance(0) && !world.in_maintenance(1), "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

#[test]
fn in_maintenance_a_death_moves_nothing_until_it_is_over() {
    let mut world = World::settled(|_, _| {});
    world.maintain(0, Some(ms(60_000)));
    world.run_for(ms(1_000));
    world.lose_power(0);
    world.run_for(ms(55_000));
    assert_eq!(world.state(1), StateName::Backup, "{}", world.log);
    assert_eq!(world.nodes[1].process, Process::Gone, "{}", world.log);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "{}", world.log);
}

/// It ends on both by itself, at the same time.
#[test]
fn maintenance_ends_by_itself() {
    let mut world = World::settled(|_, _| {});
    world.maintain(0, Some(ms(30_000)));
    world.run_for(ms(29_900));
    assert!(world.in_maintenance(0) && world.in_maintenance(1), "{}", world.log);
    world.run_for(ms(200));
    assert!(!world.in_maintenance(0) && !world.in_maintenance(1), "{}", world.log);
    let ended = |_: usize, event: &Event| matches!(event, Event::MaintenanceEnded { expired: true });
    assert_eq!(world.count(at(20_000), ended), 2, "{}", world.log);
    world.run_for(ms(20_000));
    assert!(!world.in_maintenance(0) && !world.in_maintenance(1), "{}", world.log);
}

/// What an operator does in maintenance is done, and in order.
#[test]
fn in_maintenance_an_operator_may_switch() {
    for asked in [0, 1] {
        let mut world = World::settled(|_, _| {});
        world.maintain(0, None);
        world.run_for(ms(1_000));
        assert_eq!(world.switch(asked, asked == 1), Answer::Begun, "{}", world.log);
        world.run_for(ms(5_000));
        assert_eq!(world.active(), 1, "{}", world.log);
        world.never_both();
    }
}

/// The daemon of the active node is started anew, or replaced: it goes on.
#[test]
fn in_maintenance_the_one_that_has_it_goes_on() {
    let mut world = World::settled(|_, _| {});
    world.maintain(0, None);
    world.run_for(ms(1_000));
    for _ in 0..2 {
        world.kill_daemon(0);
        world.run_for(ms(3_000));
        world.start_daemon(0);
        world.run_for(ms(1_000));
    }
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "after restarts of the daemon\n{}", world.log);
    world.freeze(0, ms(9_000));
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "after it was frozen\n{}", world.log);
    assert!(world.in_maintenance(0) && world.in_maintenance(1), "{}", world.log);
    world.never_both();
}

/// A cable that is pulled in maintenance is what maintenance is for.
#[test]
fn in_maintenance_a_cable_may_be_pulled() {
    let mut world = World::settled(|_, _| {});
    world.maintain(0, None);
    world.run_for(ms(1_000));
    world.set_link(0, 0, false);
    world.run_for(ms(60_000));
    assert_eq!(world.nodes[0].process, Process::Runs, "{}", world.log);
    world.set_link(0, 0, true);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(world.count(at(20_000), |node, event| node == 1 && matches!(event, Event::StateChanged { .. })), 0);
    world.never_both();
}

/// An orderly stop ends in maintenance, too.
#[test]
fn in_maintenance_a_daemon_can_be_stopped() {
    for node in [0, 1] {
        let mut world = World::settled(|_, _| {});
        world.maintain(0, None);
        world.run_for(ms(1_000));
        world.handle(node, tanist_engine::Input::Stop);
        world.run_for(ms(5_000));
        assert!(!world.nodes[node].alive, "{}", world.log);
        world.never_both();
    }
}

/// A hand-over that dies in maintenance does not make the survivor ask for ever.
#[test]
fn in_maintenance_a_peer_may_die_in_the_middle_of_a_hand_over() {
    for victim in [0, 1] {
        for moment in [1, 3, 100, 202, 203, 204, 205, 206, 207, 300] {
            let mut world = World::settled(|_, _| {});
            world.maintain(0, None);
            world.run_for(ms(1_000));
            world.switch(0, false);
            world.run_for(ms(moment));
            world.lose_power(victim);
            world.run_for(ms(20_000));
            world.command(1 - victim, Command::EndMaintenance);
            world.run_for(ms(10_000));
            assert_eq!(world.active(), 1 - victim, "{victim} after {moment} ms\n{}", world.log);
            world.never_both();
        }
    }
}

#[test]
fn maintenance_survives_restarts_and_its_end_is_heard_of() {
    let mut world = World::settled(|_, _| {});
    world.maintain(0, Some(ms(100_000)));
    world.run_for(ms(1_000));
    for node in [1, 0] {
        world.kill_daemon(node);
        world.run_for(ms(500));
        world.start_daemon(node);
        world.run_for(ms(5_000));
        assert!(world.in_maintenance(0) && world.in_maintenance(1), "{}", world.log);
    }
    // It ends while b is away.
    world.lose_power(1);
    world.run_for(ms(1_000));
    world.command(0, Command::EndMaintenance);
    world.run_for(ms(1_000));
    world.boot(1);
    world.run_for(ms(5_000));
    assert!(!world.in_maintenance(0) && !world.in_maintenance(1), "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// It began while the other one was away.
#[test]
fn maintenance_reaches_the_one_that_was_away() {
    let mut world = World::settled(|_, _| {});
    world.cut(&[Kind::Baton]);
    world.run_for(ms(2_000));
    world.maintain(0, None);
    world.run_for(ms(2_000));
    assert!(!world.in_maintenance(1), "{}", world.log);
    world.heal();
    world.run_for(ms(1_000));
    assert!(world.in_maintenance(0) && world.in_maintenance(1), "{}", world.log);
    // Both nodes counted on their own in the meantime.
    world.cut(&[Kind::Baton]);
    world.run_for(ms(2_000));
    world.command(1, Command::EndMaintenance);
    world.command(0, Command::EndMaintenance);
    world.maintain(0, None);
    world.heal();
    world.run_for(ms(2_000));
    assert!(world.in_maintenance(0) && world.in_maintenance(1), "the newest word counts\n{}", world.log);
    world.never_both();
}
