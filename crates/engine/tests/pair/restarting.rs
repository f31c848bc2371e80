//! A daemon that is started anew while its service goes on, and machines that are: who had the role goes on with it, and
//! nothing begins beside it.

use tanist_engine::{Config, Event, Failback, Hook, Input, Output, Priority, ServiceOrder, StateName};

use super::setup::{at, ms};
use super::world::{KINDS, Kind, Process, World};

/// Nothing of the service was touched, and the role is where it was.
#[track_caller]
fn went_on(world: &World, since: tanist_engine::Instant) {
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(world.overlap, ms(0), "{}", world.log);
    let touched = world.count(since, |_, event| {
        let Event::ServiceChanged { to, .. } = event else { return false };
        *to != tanist_engine::ServiceStateName::Running && *to != tanist_engine::ServiceStateName::Stopped
            || world.nodes[0].process != Process::Runs
    });
    assert_eq!(touched, 0, "{}", world.log);
}

#[test]
fn the_active_daemon_started_anew_goes_on() {
    for down in [1, 30, 100, 300, 700] {
        let mut world = World::settled(|_, _| {});
        world.kill_daemon(0);
        world.run_for(ms(down));
        world.start_daemon(0);
        world.run_for(ms(20_000));
        went_on(&world, at(20_000));
        assert_eq!(world.nodes[0].engine.view().routers[0].epoch, 1, "this was no take-over\n{}", world.log);
    }
}

/// The same, where the other one is better and has stood by.
#[test]
fn the_active_daemon_started_anew_goes_on_beside_a_better_one() {
    for (down, watch) in [(50, 1), (300, 1), (300, 300), (300, 3_000), (50, 5_000), (300, 20_000)] {
        let mut world = World::new(|node, config: &mut Config| {
            config.services[0].failback = Failback::Never;
            config.routers[0].preempt_mode = false;
            config.routers[0].priority = Priority::new(if node == 0 { 100 } else { 150 });
        });
        world.start(0);
        world.run_until(at(10_000));
        world.start(1);
        world.run_until(at(20_000));
        // Its manager takes its time to say that the service runs.
        world.nodes[0].habits.watch = Some(ms(watch));
        world.kill_daemon(0);
        world.run_for(ms(down));
        world.start_daemon(0);
        world.run_for(ms(60_000));
        assert_eq!(world.active(), 0, "{down} {watch}\n{}", world.log);
        assert_eq!(world.overlap, ms(0), "{down} {watch}\n{}", world.log);
    }
}

#[test]
fn the_standby_daemon_started_anew_disturbs_nobody() {
    for down in [1, 300, 2_000] {
        let mut world = World::settled(|_, _| {});
        world.kill_daemon(1);
        world.run_for(ms(down));
        world.start_daemon(1);
        world.run_for(ms(20_000));
        went_on(&world, at(20_000));
        assert_eq!(world.count(at(20_000), |node, event| node == 0 && matches!(event, Event::StateChanged { .. })), 0);
    }
}

#[test]
fn both_daemons_started_anew_go_on() {
    for apart in [0, 1, 5, 100, 600] {
        for first in [0, 1] {
            let mut world = World::settled(|_, _| {});
            world.kill_daemon(0);
            world.kill_daemon(1);
            world.run_for(ms(200));
            world.start_daemon(first);
            world.run_for(ms(apart));
            world.start_daemon(1 - first);
            world.run_for(ms(20_000));
            went_on(&world, at(20_000));
        }
    }
}

/// Without a peer to ask it takes the protocol's time, and the service goes on all the while.
#[test]
fn a_daemon_started_anew_alone_goes_on() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(1);
    world.run_for(ms(5_000));
    let since = world.now;
    world.kill_daemon(0);
    world.run_for(ms(500));
    world.start_daemon(0);
    world.run_for(ms(10_000));
    went_on(&world, since);
}

/// The service ended while nobody looked: it is started again.
#[test]
fn what_ended_while_the_daemon_was_away_is_started_again() {
    let mut world = World::settled(|_, _| {});
    world.kill_daemon(0);
    world.stop_by_hand(0);
    world.run_for(ms(200));
    world.start_daemon(0);
    world.run_for(ms(20_000));
    world.active();
    world.never_both();
}

/// Too late: the other one has it. What still runs here is ended.
#[test]
fn a_daemon_that_returns_too_late_ends_what_still_runs() {
    let mut world = World::settled(|_, config: &mut Config| {
        config.services[0].failback = Failback::Never;
        config.routers[0].preempt_mode = false;
    });
    world.kill_daemon(0);
    world.run_for(ms(3_000));
    world.start_daemon(0);
    world.run_for(ms(1_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.run_for(ms(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
}

/// After a boot nothing of what runs does so by our order, whatever the record says.
#[test]
fn after_a_boot_nothing_is_gone_on_with() {
    let mut world = World::settled(|_, config| {
        config.services[0].failback = Failback::Never;
        config.routers[0].preempt_mode = false;
    });
    world.lose_power(0);
    world.nodes[0].habits.enabled_at_boot = true;
    world.run_for(ms(3_000));
    world.boot(0);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert_eq!(world.nodes[0].process, Process::Gone, "{}", world.log);
}

#[test]
fn both_lose_power_and_boot_at_any_time() {
    for apart in [0, 1, 50, 400, 1_000, 3_000, 3_500, 5_000] {
        for first in [0, 1] {
            let mut world = World::settled(|_, _| {});
            world.lose_power(0);
            world.lose_power(1);
            world.run_for(ms(2_000));
            world.boot(first);
            world.run_for(ms(apart));
            world.boot(1 - first);
            world.run_for(ms(30_000));
            assert_eq!(world.active(), 0, "{}", world.log);
            world.never_both();
        }
    }
}

/// Epochs only grow, also where a node has only heard of the newer ones.
#[test]
fn an_epoch_that_was_heard_is_not_forgotten() {
    let mut world = World::settled(|_, _| {});
    for _ in 0..4 {
        world.switch(0, false);
        world.run_for(ms(5_000));
        world.switch(1, false);
        world.run_for(ms(5_000));
    }
    assert_eq!(world.active(), 0, "{}", world.log);
    let epoch = world.nodes[0].engine.view().routers[0].epoch;
    assert_eq!(epoch, 9, "{}", world.log);
    world.lose_power(0);
    world.lose_power(1);
    world.run_for(ms(1_000));
    world.boot(1);
    world.run_for(ms(10_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    assert_eq!(world.nodes[1].engine.view().routers[0].epoch, epoch + 1, "{}", world.log);
}

/// The role is in the record before the service is started for it.
#[test]
fn the_epoch_is_saved_before_the_service_starts() {
    let mut world = World::settled(|_, _| {});
    world.lose_power(0);
    let mut out = Vec::new();
    // The turn in which b takes over.
    let start = |output: &Output| matches!(output, Output::Service { order: ServiceOrder::Start, .. });
    while !out.iter().any(start) {
        let due = world.nodes[1].engine.deadline().expect("something is due until then");
        assert!(due < at(22_000), "{}", world.log);
        out.clear();
        world.nodes[1].engine.handle(due, Input::Timer, &mut out);
    }
    let place = |what: &dyn Fn(&Output) -> bool| out.iter().position(what);
    let saved = place(
        &|output| matches!(output, Output::Save(record) if record.routers.iter().any(|router| router.epoch == 2 && router.active)),
    );
    let started = place(&start);
    assert!(saved.is_some() && saved < started, "{out:?}");
}

/// A hook runs once for each taking, and not for going on with what was taken.
#[test]
fn going_on_is_no_take_over() {
    let mut world = World::settled(|_, _| {});
    world.kill_daemon(0);
    world.run_for(ms(100));
    world.start_daemon(0);
    world.run_for(ms(20_000));
    let taken_over =
        |hooks: &[tanist_engine::HookCall]| hooks.iter().filter(|call| call.hook == Hook::TakenOver).count();
    assert_eq!(taken_over(&world.nodes[0].hooks), 1, "{}", world.log);
    world.switch(0, false);
    world.run_for(ms(5_000));
    assert_eq!(taken_over(&world.nodes[1].hooks), 1, "{}", world.log);
}

/// The network goes in the same moment; a little later everything is there again.
#[test]
fn a_daemon_that_starts_without_the_network_goes_on_when_it_is_there() {
    for cut in [&KINDS[..], &[Kind::Baton], &[Kind::Advertisement]] {
        for length in [200, 600, 2_000, 5_000] {
            let mut world = World::settled(|_, _| {});
            world.kill_daemon(0);
            world.cut(cut);
            world.run_for(ms(100));
            world.start_daemon(0);
            world.run_for(ms(length));
            world.heal();
            world.run_for(ms(30_000));
            assert_eq!(world.active(), 0, "{cut:?} {length}\n{}", world.log);
        }
    }
}

/// The peer dies before it can agree that this daemon goes on.
#[test]
fn who_would_have_agreed_may_die() {
    for moment in 0..12 {
        let mut world = World::settled(|_, _| {});
        let since = world.now;
        world.kill_daemon(0);
        world.run_for(ms(100));
        world.start_daemon(0);
        world.run_for(ms(moment));
        world.lose_power(1);
        world.run_for(ms(6_000));
        went_on(&world, since);
    }
}

/// A daemon that is stopped in order and started again has let go of everything.
#[test]
fn an_orderly_restart_hands_over_and_takes_back() {
    let mut world = World::settled(|_, _| {});
    world.handle(0, Input::Stop);
    world.run_for(ms(2_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.start_daemon(0);
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    assert_eq!(world.state(1), StateName::Backup, "{}", world.log);
    world.never_both();
}

/// What the other node had when it was stopped is a third router's since: that its daemon starts again brings nothing back.
#[test]
fn who_starts_again_brings_no_role_from_a_third_router() {
    let mut world = World::settled(|_, _| {});
    world.handle(0, Input::Stop);
    world.run_for(ms(5_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    let hear = |world: &mut World| {
        world.advertise_by_a_third();
        world.run_for(ms(500));
    };
    (0..10).for_each(|_| hear(&mut world));
    let since = world.now;
    world.start_daemon(0);
    (0..10).for_each(|_| hear(&mut world));
    let taken = world.count(since, |_, event| matches!(event, Event::StateChanged { to: StateName::Active, .. }));
    assert_eq!(taken, 0, "{}", world.log);
}
