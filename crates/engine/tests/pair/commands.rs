//! What operators want, in every combination that they might.

use tanist_engine::{
    Answer, Config, Event, HeldBy, Input, OnManualStop, RefusedCommand, StateName, TrackedLink, Weight,
};

use super::setup::{at, ms};
use super::world::{Process, World};

#[test]
fn what_is_so_already_is_done() {
    let mut world = World::settled(|_, _| {});
    assert_eq!(world.switch(0, true), Answer::Done);
    assert_eq!(world.switch(1, false), Answer::Done);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

#[test]
fn nothing_can_be_switched_without_a_peer() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(1);
    world.run_for(ms(5_000));
    assert_eq!(world.switch(0, false), Answer::Refused(RefusedCommand::PeerSilent));
    let mut world = World::settled(|_, config| config.pair = None);
    assert_eq!(world.switch(0, false), Answer::Refused(RefusedCommand::NoPeer));
    assert_eq!(world.switch(0, true), Answer::Done);
    assert_eq!(world.switch(1, true), Answer::Refused(RefusedCommand::NoPeer));
}

/// Both operators at once, of one mind or not: there is one in the end, and nothing goes to and fro.
#[test]
fn two_operators_at_once() {
    for apart in [0, 1, 2, 3, 50, 210, 400] {
        for second in [true, false] {
            let mut world = World::settled(|_, _| {});
            world.switch(1, true);
            world.run_for(ms(apart));
            world.switch(0, second);
            world.run_for(ms(20_000));
            world.active();
            let begun = world.count(at(20_000), |_, event| matches!(event, Event::HandoverBegun { .. }));
            assert!(begun <= 2, "{begun} hand-overs\n{}", world.log);
            world.never_both();
        }
    }
}

#[test]
fn a_node_that_is_sent_away_stays_away_until_it_is_released() {
    let mut world = World::settled(|_, _| {});
    world.switch(0, false);
    world.run_for(ms(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(world.is_held(0), "{}", world.log);
    // Through a restart of the daemon and of the machine as well.
    world.kill_daemon(0);
    world.start_daemon(0);
    world.run_for(ms(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.lose_power(0);
    world.run_for(ms(2_000));
    world.boot(0);
    world.run_for(ms(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert_eq!(world.release(0, HeldBy::Operator), Answer::Done);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// A node that stands back still takes the role when nobody else can have it.
#[test]
fn standing_back_is_no_reason_for_an_outage() {
    let mut world = World::settled(|_, _| {});
    world.switch(0, false);
    world.run_for(ms(10_000));
    world.lose_power(1);
    world.run_for(ms(1_105));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

#[test]
fn a_down_file_sends_the_role_away_and_its_removal_brings_it_back() {
    let mut world = World::settled(|_, _| {});
    world.hold(0, HeldBy::DownFile);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.run_for(ms(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.release(0, HeldBy::DownFile);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

#[test]
fn with_a_down_file_on_both_nobody_moves_and_somebody_has_it() {
    for order in [[0, 1], [1, 0]] {
        let mut world = World::settled(|_, _| {});
        for node in order {
            world.hold(node, HeldBy::DownFile);
        }
        world.run_for(ms(20_000));
        world.active();
        // After a loss of power on both somebody has it, too.
        for node in [0, 1] {
            world.lose_power(node);
        }
        world.run_for(ms(1_000));
        for node in [0, 1] {
            world.boot(node);
            world.hold(node, HeldBy::DownFile);
        }
        world.run_for(ms(20_000));
        world.active();
        let begun = world.count(at(20_000), |_, event| matches!(event, Event::HandoverBegun { .. }));
        assert!(begun <= 1, "{begun} hand-overs\n{}", world.log);
        world.never_both();
    }
}

/// Where a down file is, nobody can send the role; the service is not ended for it.
#[test]
fn the_role_is_not_sent_where_a_down_file_is() {
    for held in [0, 1] {
        let mut world = World::settled(|_, _| {});
        if held == 0 {
            world.hold(0, HeldBy::DownFile);
            world.run_for(ms(5_000));
            assert_eq!(world.active(), 1, "{}", world.log);
        } else {
            world.hold(1, HeldBy::DownFile);
            world.run_for(ms(5_000));
        }
        let since = world.now;
        for node in [0, 1] {
            let answer = world.switch(node, node == held);
            assert!(matches!(answer, Answer::Refused(_)), "{answer:?}\n{}", world.log);
        }
        world.run_for(ms(30_000));
        assert_eq!(world.active(), 1 - held, "{}", world.log);
        assert_eq!(world.count(since, |_, event| matches!(event, Event::ServiceChanged { .. })), 0, "{}", world.log);
    }
}

/// What an operator said on the other node before is undone by sending the role there.
#[test]
fn sending_it_there_ends_the_operators_own_hold_there() {
    let mut world = World::settled(|_, _| {});
    world.hold(1, HeldBy::Operator);
    world.run_for(ms(1_000));
    assert_eq!(world.switch(0, false), Answer::Begun);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(!world.is_held(1), "{}", world.log);
    world.never_both();
}

#[test]
fn a_service_that_is_stopped_by_hand_moves_and_this_node_stands_back() {
    let mut world = World::settled(|_, _| {});
    world.stop_by_hand(0);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(world.is_held(0), "{}", world.log);
    world.run_for(ms(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    // Started by hand again: it does not run beside the other one, but this node takes it back in order.
    world.start_by_hand(0);
    world.run_for(ms(20_000));
    assert!(!world.is_held(0), "{}", world.log);
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// With nobody to take it, what an operator has stopped stays stopped, until he starts it or says otherwise.
#[test]
fn a_service_that_is_stopped_by_hand_alone_stays_stopped() {
    for maintenance in [false, true] {
        let mut world = World::settled(|_, _| {});
        world.lose_power(1);
        world.run_for(ms(5_000));
        world.stop_by_hand(0);
        world.run_for(ms(20_000));
        assert_eq!(world.nodes[0].process, Process::Gone, "{}", world.log);
        if maintenance {
            world.maintain(0, None);
            world.run_for(ms(5_000));
            world.command(0, tanist_engine::Command::EndMaintenance);
            world.run_for(ms(20_000));
            assert_eq!(world.nodes[0].process, Process::Gone, "maintenance was no order to start it\n{}", world.log);
        }
        world.start_by_hand(0);
        world.run_for(ms(5_000));
        assert_eq!(world.active(), 0, "{}", world.log);
    }
}

/// In maintenance that says nothing of the role.
#[test]
fn a_service_that_is_started_by_hand_in_maintenance_brings_no_role_back() {
    let mut world = World::settled(|_, _| {});
    world.stop_by_hand(0);
    world.run_for(ms(2_000));
    world.maintain(0, None);
    world.run_for(ms(1_000));
    world.start_by_hand(0);
    world.run_for(ms(1_000));
    assert!(world.is_held(0), "{}", world.log);
    assert_eq!([world.state(0), world.state(1)], [StateName::Backup, StateName::Active], "{}", world.log);
}

#[test]
fn a_service_that_is_stopped_by_hand_may_mean_maintenance() {
    let mut world = World::settled(|_, config| config.services[0].on_manual_stop = OnManualStop::Maintenance);
    world.stop_by_hand(0);
    world.run_for(ms(60_000));
    for node in [0, 1] {
        assert!(world.in_maintenance(node), "{}", world.log);
        assert_eq!(world.nodes[node].process, Process::Gone, "{}", world.log);
    }
    assert_eq!(world.state(0), StateName::Active, "{}", world.log);
    world.command(1, tanist_engine::Command::EndMaintenance);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 0, "it is looked after again\n{}", world.log);
    world.never_both();
}

#[test]
fn a_service_that_is_stopped_by_hand_may_be_started_again() {
    let mut world = World::settled(|_, config| config.services[0].on_manual_stop = OnManualStop::Restart);
    for _ in 0..5 {
        world.stop_by_hand(0);
        world.run_for(ms(400));
        assert_eq!(world.active(), 0, "{}", world.log);
    }
    assert!(!world.is_held(0), "{}", world.log);
    world.never_both();
}

/// A unit of the machine that comes up late at boot is no operator's word: a node that was sent away stays away.
#[test]
fn a_late_start_by_the_machine_does_not_release() {
    let mut world = World::settled(|_, _| {});
    world.switch(0, false);
    world.run_for(ms(10_000));
    world.lose_power(0);
    world.run_for(ms(5_000));
    world.boot(0);
    world.run_for(ms(2_000));
    world.note(0, "the machine starts the unit");
    world.start_by_hand(0);
    world.run_for(ms(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(world.is_held(0), "{}", world.log);
}

/// Started by hand on the standby: it is ended there.
#[test]
fn what_is_started_on_the_standby_is_ended() {
    let mut world = World::settled(|_, _| {});
    world.start_by_hand(1);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

/// It stands back for the node that it lets the role go for. When a reload takes the pair away meanwhile, there is no such node.
#[test]
fn who_is_sent_away_does_not_stand_back_without_a_pair() {
    let mut world = World::settled(|_, _| {});
    world.nodes[0].habits.stop = Some(ms(1_000));
    world.switch(0, false);
    world.run_for(ms(500));
    assert!(world.is_held(0), "{}", world.log);
    let alone = Config { pair: None, ..world.nodes[0].config.clone() };
    world.handle(0, Input::Reconfigure(Box::new(alone)));
    world.run_for(ms(1_000));
    assert_eq!(world.state(0), StateName::Backup, "{}", world.log);
    assert!(!world.is_held(0), "{}", world.log);
    let released = |node: usize, event: &Event| node == 0 && matches!(event, Event::Released { .. });
    assert_eq!(world.count(at(20_000), released), 1, "{}", world.log);
}

/// A reload mentions an interface of which nothing has been told yet, so that its router concludes nothing; but whoever asks is told.
#[test]
fn the_role_is_not_sent_where_its_service_has_failed() {
    let mut world = World::settled(|_, config| config.services[0].restart.limit = 0);
    let mut more = world.nodes[0].config.clone();
    more.routers[0].track_links = vec![TrackedLink { link: "eth1".into(), weight: Weight::Fault }];
    world.handle(0, Input::Reconfigure(Box::new(more)));
    world.crash_service(0);
    assert_eq!(world.switch(0, false), Answer::Begun, "{}", world.log);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let reason = RefusedCommand::NotReady("it has failed here".into());
    assert_eq!(world.switch(0, true), Answer::Refused(reason), "{}", world.log);
}

/// Nor does it come here where the manager has not answered since the daemon started.
#[test]
fn the_role_does_not_come_where_nobody_can_tell() {
    let mut world = World::settled(|_, _| {});
    world.kill_daemon(1);
    world.nodes[1].habits.watch = None;
    world.start_daemon(1);
    world.run_for(ms(1_000));
    let reason = RefusedCommand::NotReady("nobody can tell whether it runs here".into());
    assert_eq!(world.switch(1, true), Answer::Refused(reason), "{}", world.log);
}
