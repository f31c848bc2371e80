//! A service that fails: again here, then there once, then nowhere until a human has seen to it.

use tanist_engine::{Answer, Budget, Command, Config, Event, Failback, FaultReason, LatchReason, Remedy, StateName};

use super::setup::{at, ms};
use super::world::{Process, World};

#[test]
fn a_service_is_started_again_then_moved_then_latched() {
    let mut world = World::settled(|_, _| {});
    world.crash_service(0);
    world.run_until(at(21_000));
    assert_eq!(world.active(), 0, "once again here\n{}", world.log);
    world.crash_service(0);
    world.run_until(at(22_000));
    assert_eq!(world.active(), 1, "then there\n{}", world.log);
    world.crash_service(1);
    world.run_until(at(23_000));
    assert_eq!(world.active(), 1, "again there\n{}", world.log);
    world.crash_service(1);
    world.run_until(at(60_000));
    assert_eq!(world.active(), 1, "never back\n{}", world.log);
    for node in [0, 1] {
        assert!(world.is_latched(node), "{}", world.log);
        let latched = |at: usize, event: &Event| at == node && matches!(event, Event::Latched { .. });
        assert_eq!(world.count(at(0), latched), 1, "the alarm is told once\n{}", world.log);
    }
    world.command(0, Command::Acknowledge);
    world.run_until(at(90_000));
    for node in [0, 1] {
        assert!(!world.is_latched(node), "{}", world.log);
    }
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// From the death to the start on the other node there are two messages.
#[test]
fn a_spent_budget_moves_it_at_once() {
    let mut world = World::settled(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(60_000) });
    world.crash_service(0);
    // And 0.3 s to start it.
    world.run_for(ms(305));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

#[test]
fn a_failed_node_is_a_ready_standby_when_it_could_start_it_again() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].readiness_interval = ms(1_000);
        config.services[0].readiness_rise = 3;
    });
    world.crash_service(0);
    world.nodes[0].habits.readiness = Err("port in use");
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let faults = world.nodes[0].engine.view().routers[0].faults.clone();
    assert_eq!(faults, [FaultReason::ServiceFailed("job".into())], "{}", world.log);
    world.nodes[0].habits.readiness = Ok(());
    world.run_for(ms(1_900));
    assert_eq!(world.state(0), StateName::Initialize, "two good ones are not enough\n{}", world.log);
    world.run_for(ms(3_000));
    assert_eq!(world.active(), 0, "the better one takes it back\n{}", world.log);
    world.never_both();
}

/// It fails wherever it is not watched closely, but runs on b: in the end it runs on b, and nothing floats.
#[test]
fn moves_over_the_limit_end_where_it_runs() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
    });
    for _ in 0..20 {
        if world.nodes[0].process == Process::Runs && !world.is_latched(0) {
            world.crash_service(0);
            // From now on it does not even start there, although nothing seems to be wrong.
            world.nodes[0].habits.refuses = Some("segmentation fault");
        }
        world.run_for(ms(15_000));
    }
    assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
    assert_eq!(world.active(), 1, "{}", world.log);
    let moves = world.count(at(0), |_, event| matches!(event, Event::ServiceFailed { remedy: Remedy::Move, .. }));
    assert!(moves <= 3, "{moves} moves\n{}", world.log);
    world.never_both();
}

/// Coming back counts, too: whatever fails and recovers, the role changes hands three times at most within the span.
#[test]
fn coming_back_is_a_move() {
    let mut world = World::settled(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(60_000) });
    let mut served = Vec::new();
    for _ in 0..200 {
        if world.nodes[0].process == Process::Runs {
            world.crash_service(0);
        }
        world.run_for(ms(2_000));
        served.push(world.active());
    }
    served.dedup();
    assert_eq!(served, [1, 0, 1], "there, back, and there for good\n{}", world.log);
    assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
    let latch = world.nodes[0].engine.view().latch.expect("latched");
    assert_eq!(latch.reason, LatchReason::TooManyMoves, "{}", world.log);
    world.never_both();
}

/// What an operator brings back has not moved because of the service.
#[test]
fn a_return_that_an_operator_wants_is_no_move() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(30_000));
    world.switch(0, true);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let moves = [0, 1].map(|node| world.nodes[node].engine.view().services[0].moves);
    assert_eq!(moves, [1, 1], "{}", world.log);
}

/// Where coming back would leave no move for another failure it stays where it works, and nobody is called.
#[test]
fn it_stays_where_it_works_until_the_moves_no_longer_count() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].max_moves = Budget { limit: 2, within: ms(120_000) };
    });
    world.crash_service(0);
    world.run_for(ms(115_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert!(!world.is_latched(0), "{}", world.log);
    world.never_both();
}

/// Who has mended it may say so before anything is latched: on both nodes nothing is counted any more.
#[test]
fn an_operator_may_forgive_before_it_latches() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].max_moves = Budget { limit: 2, within: ms(600_000) };
    });
    world.crash_service(0);
    world.run_for(ms(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.command(1, Command::Acknowledge);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    for node in [0, 1] {
        assert_eq!(world.nodes[node].engine.view().services[0].moves, 0, "{}", world.log);
    }
    world.never_both();
}

/// A machine that was started anew knows its moves by the calendar.
#[test]
fn moves_are_not_forgotten_with_the_machine() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    let moves = |world: &World| world.nodes[0].engine.view().services[0].moves;
    assert_eq!(moves(&world), 1, "{}", world.log);
    world.lose_power(0);
    world.run_for(ms(5_000));
    world.boot(0);
    world.run_for(ms(10_000));
    assert_eq!(moves(&world), 1, "{}", world.log);
    world.run_for(ms(600_000));
    assert_eq!(moves(&world), 0, "long ago\n{}", world.log);
}

/// What is told again after a restart is not counted a second time.
#[test]
fn a_move_of_a_former_life_is_one_move() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    for _ in 0..5 {
        world.kill_daemon(0);
        world.run_for(ms(2_000));
        world.start_daemon(0);
        world.run_for(ms(5_000));
    }
    for node in [0, 1] {
        assert_eq!(world.nodes[node].engine.view().services[0].moves, 1, "{}", world.log);
    }
}

#[test]
fn moves_that_are_long_ago_do_not_count() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].max_moves = Budget { limit: 2, within: ms(40_000) };
    });
    for round in 1..6 {
        world.crash_service(0);
        world.run_until(at(20_000 + round * 50_000));
        assert_eq!(world.active(), 0, "it went back\n{}", world.log);
    }
    assert!(!world.is_latched(0), "{}", world.log);
    world.never_both();
}

/// Alone there is nobody to move it to: it is tried again, ever more slowly, and the role stays.
#[test]
fn alone_it_is_tried_again_where_it_is() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(1);
    world.run_for(ms(5_000));
    for _ in 0..6 {
        world.run_for(ms(20_000));
        if world.nodes[0].process == Process::Runs {
            world.crash_service(0);
        }
    }
    world.run_for(ms(70_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    let left = world.count(at(25_000), |node, event| node == 0 && matches!(event, Event::StateChanged { .. }));
    assert_eq!(left, 0, "{}", world.log);
    assert!(!world.is_latched(0), "nothing has moved\n{}", world.log);
}

/// The other one could not start it: it is tried again here.
#[test]
fn it_does_not_move_to_a_node_that_could_not_start_it() {
    let mut world = World::new(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(60_000) });
    world.nodes[1].habits.readiness = Err("no licence");
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    world.crash_service(0);
    world.run_for(ms(1_305));
    assert_eq!(world.active(), 0, "{}", world.log);
    let remedy = world.told.iter().find_map(|(_, _, event)| match event {
        Event::ServiceFailed { remedy, .. } => Some(*remedy),
        _ => None,
    });
    assert_eq!(remedy, Some(Remedy::StayAndRetry { after: ms(1_000) }), "{}", world.log);
}

/// It begins at once again after it ran well for long: an old night does not make every later failure slow.
#[test]
fn a_good_run_makes_the_retries_quick_again() {
    let mut world = World::settled(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(10_000) });
    world.lose_power(1);
    world.run_for(ms(5_000));
    for _ in 0..5 {
        world.crash_service(0);
        world.run_for(ms(40_000));
        assert_eq!(world.active(), 0, "{}", world.log);
    }
    world.run_for(ms(300_000));
    world.crash_service(0);
    world.run_for(ms(1_305));
    assert_eq!(world.active(), 0, "1 s, and 0.3 s to start it\n{}", world.log);
}

/// While latched the one that has it goes on trying, and nothing moves whatever happens.
#[test]
fn while_latched_it_is_tried_again_where_it_is() {
    let mut world = latched();
    let epoch = world.nodes[1].engine.view().routers[0].epoch;
    for _ in 0..4 {
        world.crash_service(1);
        world.run_for(ms(70_000));
        assert_eq!(world.active(), 1, "{}", world.log);
    }
    assert_eq!(world.nodes[1].engine.view().routers[0].epoch, epoch, "{}", world.log);
    assert_eq!(world.state(0), StateName::Initialize, "{}", world.log);
    world.never_both();
}

/// It has failed on both nodes; b has it.
pub(crate) fn latched() -> World {
    let mut world = World::settled(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(60_000) });
    world.crash_service(0);
    world.run_for(ms(1_000));
    world.crash_service(1);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    for node in [0, 1] {
        let latch = world.nodes[node].engine.view().latch.unwrap_or_else(|| panic!("latched\n{}", world.log));
        assert_eq!((latch.reason, &*latch.node), (LatchReason::BothFailed, "b"), "{}", world.log);
    }
    world
}

/// A start that hangs is a failure: it is ended, all of it, and moved when the budget is spent.
#[test]
fn a_start_that_hangs_is_moved() {
    let mut world = World::new(|_, config| config.services[0].start_timeout = ms(3_000));
    world.nodes[0].habits.start = ms(600_000);
    world.nodes[0].habits.stop = Some(ms(1_000));
    world.start(0);
    world.start(1);
    world.run_until(at(15_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// What was moved because of the service is not forgotten with the daemon that moved it: where the other side fails, too,
/// that is the second failure and not the first.
#[test]
fn a_failure_is_not_forgotten_with_the_daemon() {
    let mut world = World::settled(|_, config| config.services[0].restart = Budget { limit: 0, within: ms(60_000) });
    world.crash_service(0);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.kill_daemon(0);
    world.run_for(ms(200));
    world.start_daemon(0);
    world.run_for(ms(500));
    world.crash_service(1);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
}

/// The other node remembers what a former life of its peer has told.
#[test]
fn the_other_node_remembers_the_moves_of_a_former_life() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.kill_daemon(0);
    world.run_for(ms(200));
    world.start_daemon(0);
    world.run_for(ms(500));
    world.crash_service(1);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert!(world.is_latched(0) && world.is_latched(1), "{}", world.log);
}

/// And so it does if the peer itself has lost its memory; until an operator says that all is mended.
#[test]
fn moves_of_a_peer_without_memory_are_known_until_they_are_forgiven() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    // Each of these lives tells the same move.
    for _ in 0..3 {
        world.kill_daemon(0);
        world.run_for(ms(200));
        world.start_daemon(0);
        world.run_for(ms(5_000));
    }
    world.lose_power(0);
    world.run_for(ms(5_000));
    world.nodes[0].record = None;
    world.boot(0);
    world.run_for(ms(5_000));
    let moves = |world: &World| [0, 1].map(|node| world.nodes[node].engine.view().services[0].moves);
    assert_eq!(moves(&world), [0, 1], "{}", world.log);
    world.command(0, Command::Acknowledge);
    world.run_for(ms(1_000));
    assert_eq!(moves(&world), [0, 0], "{}", world.log);
    assert_eq!(world.active(), 1, "{}", world.log);
}

/// Both machines have just been started, and their clocks with them: a move of long before is as old as it is, and so it is for the
/// other node, also when its peer has forgotten it since.
#[test]
fn moves_of_the_peer_of_before_its_boot_are_as_old_as_they_are() {
    let change = |_: usize, config: &mut Config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].max_moves = Budget { limit: 3, within: ms(600_000) };
        config.services[0].failback = Failback::Never;
    };
    let mut world = World::settled(change);
    world.crash_service(0);
    world.run_for(ms(1_000));
    let mut record = world.nodes[0].record.clone().expect("the move is remembered");
    for moved in record.services.iter_mut().flat_map(|service| &mut service.moves) {
        // Nine minutes before the boot.
        moved.calendar = Some(1_700_000_014 - 540);
    }
    let mut world = World::new(change);
    world.now = at(14_000);
    world.nodes[0].record = Some(record);
    world.boot(0);
    world.boot(1);
    let moves = |world: &World| [0, 1].map(|node| world.nodes[node].engine.view().services[0].moves);
    world.run_for(ms(10_000));
    assert_eq!(moves(&world), [1, 1], "{}", world.log);
    world.lose_power(0);
    world.run_for(ms(5_000));
    world.nodes[0].record = None;
    world.boot(0);
    world.run_for(ms(5_000));
    assert_eq!(moves(&world), [0, 1], "{}", world.log);
    world.run_for(ms(60_000));
    assert_eq!(moves(&world), [0, 0], "{}", world.log);
}

/// Each of them.
#[test]
fn two_moves_of_a_peer_without_memory_are_two() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(20_000));
    assert_eq!(world.switch(1, false), Answer::Begun, "{}", world.log);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.crash_service(0);
    world.run_for(ms(1_000));
    world.lose_power(0);
    world.run_for(ms(5_000));
    world.nodes[0].record = None;
    world.boot(0);
    world.run_for(ms(5_000));
    assert_eq!(world.nodes[1].engine.view().services[0].moves, 2, "{}", world.log);
}

/// They count no longer than others do.
#[test]
fn moves_of_a_peer_without_memory_do_not_count_when_they_are_long_ago() {
    let mut world = World::settled(|_, config| {
        config.services[0].restart = Budget { limit: 0, within: ms(60_000) };
        config.services[0].max_moves = Budget { limit: 3, within: ms(60_000) };
        config.services[0].failback = Failback::Never;
    });
    world.crash_service(0);
    world.run_for(ms(1_000));
    world.lose_power(0);
    world.run_for(ms(5_000));
    world.nodes[0].record = None;
    world.boot(0);
    for (span, expected) in [(50_000, 1), (10_000, 0)] {
        world.run_for(ms(span));
        assert_eq!(world.nodes[1].engine.view().services[0].moves, expected, "{}", world.log);
    }
}
