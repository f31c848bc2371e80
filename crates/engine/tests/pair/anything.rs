//! Anything in any order. While the two hear each other the service never runs twice, whatever fails and whatever
//! operators want; and whatever happened, when everything is well again there is one. `HUNT=1000` tries as many.

use std::time::Duration;

use tanist_engine::{Command, Event, HeldBy, Instant, LatchReason, OnManualStop, Remedy, StateName};

use super::setup::ms;
use super::world::{KINDS, Kind, Process, Sent, WIRE, World};

/// A small generator: the same sequence for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

pub(super) fn seeds(few: u64) -> std::ops::Range<u64> {
    let many = std::env::var("HUNT").ok().and_then(|count| count.parse().ok());
    let first = std::env::var("HUNT_FROM").ok().and_then(|first| first.parse().ok()).unwrap_or(0);
    first..first + many.unwrap_or(few)
}

fn world(dice: &mut Dice, paired: bool) -> World {
    let by_hand = [OnManualStop::Failover, OnManualStop::Restart, OnManualStop::Maintenance][dice.roll(3) as usize];
    let stay = dice.roll(3) == 0;
    let priorities = [[150, 100], [150, 140], [255, 100], [100, 100]][dice.roll(4) as usize];
    let (addresses, limit) = (dice.roll(2) as usize, dice.roll(3) as u32);
    let grouped = dice.roll(3) == 0;
    let mut world = World::new(move |node, config| {
        config.services[0].on_manual_stop = by_hand;
        config.services[0].readiness_interval = ms(1_000);
        config.services[0].stop_timeout = ms(2_000);
        if stay {
            config.services[0].failback = tanist_engine::Failback::Never;
            config.routers[0].preempt_mode = false;
        }
        config.services[0].restart.limit = limit;
        config.routers[0].priority = tanist_engine::Priority::new(priorities[node]);
        config.routers[0].addresses.truncate(addresses);
        if !paired {
            config.pair = None;
        }
        if grouped {
            super::groups::group(node, config);
        }
    });
    world.start(0);
    world.start(1);
    world.run_for(ms(6_000));
    world
}

/// A network that loses, delays and doubles, but is never silent for long.
fn rough(mut dice: Dice) -> impl FnMut(Sent) -> Vec<Duration> {
    move |_| match dice.roll(20) {
        0 | 1 => Vec::new(),
        2 => vec![WIRE, ms(dice.roll(100))],
        3 => vec![ms(30 + dice.roll(150))],
        _ => vec![WIRE],
    }
}

/// What machines, services and operators do while the network is sound.
fn act(world: &mut World, dice: &mut Dice) {
    let node = dice.roll(2) as usize;
    let alive = world.nodes[node].alive;
    let runs = world.nodes[node].process == Process::Runs;
    match dice.roll(18) {
        0 | 1 if runs && alive => world.crash_service(node),
        2 if alive => {
            world.lose_power(node);
        }
        3 if alive => {
            world.kill_daemon(node);
            world.run_for(ms(dice.roll(300)));
            world.start_daemon(node);
        }
        4 | 5 if alive => {
            world.switch(node, dice.roll(2) == 0);
        }
        6 if alive => {
            world.hold(node, if dice.roll(2) == 0 { HeldBy::Operator } else { HeldBy::DownFile });
        }
        7 | 8 if alive => {
            world.release(node, if dice.roll(2) == 0 { HeldBy::Operator } else { HeldBy::DownFile });
        }
        9 if alive => {
            let span = [None, Some(ms(2_000))][dice.roll(2) as usize];
            world.maintain(node, span);
        }
        10 if alive => {
            world.command(node, Command::EndMaintenance);
        }
        11 if alive => {
            world.command(node, Command::Acknowledge);
        }
        12 if runs && alive => world.stop_by_hand(node),
        13 => world.nodes[node].habits.readiness = if dice.roll(3) == 0 { Err("no licence") } else { Ok(()) },
        14 => world.nodes[node].habits.refuses = (dice.roll(3) == 0).then_some("no such file"),
        15 => {
            world.nodes[node].habits.stop = [Some(ms(1)), Some(ms(200)), Some(ms(1_500)), None][dice.roll(4) as usize];
            world.nodes[node].habits.start = [ms(1), ms(300), ms(2_500)][dice.roll(3) as usize];
        }
        16 if alive => {
            world.set_link(node, 0, false);
            world.run_for(ms(dice.roll(3_000)));
            if world.nodes[node].alive {
                world.set_link(node, 0, true);
            }
        }
        17 if alive && world.knows_its_service(node) => {
            world.note(node, "is told to stop");
            world.handle(node, tanist_engine::Input::Stop);
        }
        _ if !alive => world.boot(node),
        _ => {}
    }
}

/// And what the network does.
fn disturb(world: &mut World, dice: &mut Dice) {
    let node = dice.roll(2) as usize;
    match dice.roll(6) {
        0 => world.cut(&KINDS),
        1 => world.cut(&[if dice.roll(2) == 0 { Kind::Baton } else { Kind::Advertisement }]),
        2 => world.cut_from(node, &KINDS),
        3 if world.nodes[node].alive => {
            let span = ms(dice.roll(6_000));
            world.freeze(node, span);
        }
        _ => world.heal(),
    }
}

/// Everything is well, and everybody has said so.
fn make_well(world: &mut World) {
    world.heal();
    for node in [0, 1] {
        let habits = &mut world.nodes[node].habits;
        (habits.readiness, habits.refuses, habits.stop, habits.start) = (Ok(()), None, Some(ms(200)), ms(300));
    }
    // What was begun comes to its end, stops included.
    world.run_for(ms(15_000));
    for node in [0, 1] {
        if !world.nodes[node].alive {
            world.boot(node);
        }
        world.set_link(node, 0, true);
    }
    world.run_for(ms(5_000));
    for node in [0, 1] {
        world.command(node, Command::EndMaintenance);
        world.command(node, Command::Acknowledge);
        world.release(node, HeldBy::Operator);
        world.release(node, HeldBy::DownFile);
    }
    world.run_for(ms(40_000));
}

#[test]
fn while_they_hear_each_other_it_never_runs_twice() {
    for seed in seeds(40) {
        let mut dice = Dice(seed * 2 + 1);
        let mut world = world(&mut dice, true);
        world.note(0, &format!("seed {seed}"));
        if seed % 2 == 1 {
            world.set_temper(rough(Dice(seed)));
        }
        for _ in 0..25 {
            act(&mut world, &mut dice);
            let span = [0, 1, 2, 3, 50, 210, 700, 4_000][dice.roll(8) as usize];
            world.run_for(ms(span));
            if world.silent_in_vain {
                break;
            }
            // What a machine starts by itself runs wherever it likes; nobody does that here.
            assert_eq!(world.overlap, ms(0), "{}", world.log);
        }
        world.set_temper(|_| vec![WIRE]);
        make_well(&mut world);
        assert!(world.silent_in_vain || world.overlap == ms(0), "{}", world.log);
        world.active();
        assert!(!world.is_latched(0) && !world.is_latched(1), "{}", world.log);
    }
}

#[test]
fn whatever_happened_there_is_one_in_the_end() {
    for seed in seeds(40) {
        let mut dice = Dice(seed * 2 + 1);
        let mut world = world(&mut dice, seed % 4 != 0);
        world.note(0, &format!("seed {seed}"));
        for _ in 0..25 {
            act(&mut world, &mut dice);
            if dice.roll(2) == 0 {
                disturb(&mut world, &mut dice);
            }
            let span = [0, 1, 2, 3, 50, 210, 700, 4_000][dice.roll(8) as usize];
            world.run_for(ms(span));
        }
        make_well(&mut world);
        world.active();
        let since = world.now;
        world.run_for(ms(60_000));
        let roles = world.count(since, |_, event| matches!(event, Event::StateChanged { .. }));
        assert_eq!(roles, 0, "and so it stays\n{}", world.log);
    }
}

/// What follows from an input follows at once, and not when the next one happens to come.
#[test]
fn nothing_is_left_for_the_next_input() {
    for seed in seeds(12) {
        let mut dice = Dice(seed * 2 + 1);
        let mut world = world(&mut dice, seed % 4 != 0);
        world.note(0, &format!("seed {seed}"));
        world.looks_twice = true;
        for _ in 0..25 {
            act(&mut world, &mut dice);
            if dice.roll(3) == 0 {
                disturb(&mut world, &mut dice);
            }
            let span = [0, 1, 2, 3, 50, 210, 700, 4_000][dice.roll(8) as usize];
            world.run_for(ms(span));
        }
    }
}

/// However it crashes: it moves no oftener than it may, and what is latched is latched for a reason.
#[test]
fn moves_never_exceed_their_limit() {
    for seed in seeds(40) {
        let mut dice = Dice(seed * 2 + 1);
        let (restarts, moves) = (dice.roll(3) as u32, dice.roll(4) as u32 + 1);
        let mut world = World::settled(|_, config| {
            config.services[0].restart.limit = restarts;
            config.services[0].max_moves.limit = moves;
            config.services[0].readiness_interval = ms(1_000);
        });
        world.note(0, &format!("seed {seed}"));
        for _ in 0..40 {
            let node = dice.roll(2) as usize;
            match dice.roll(4) {
                0 => world.nodes[node].habits.refuses = (dice.roll(2) == 0).then_some("no such file"),
                _ if world.nodes[node].process == Process::Runs => world.crash_service(node),
                _ => {}
            }
            let span = [5, 300, 2_000, 6_000][dice.roll(4) as usize];
            world.run_for(ms(span));
            judge(&world, moves);
        }
        assert_eq!(world.overlap, ms(0), "{}", world.log);
    }
}

#[track_caller]
fn judge(world: &World, limit: u32) {
    let moved = |of: usize| {
        world.count(Instant::START, |node, event| {
            node == of && matches!(event, Event::ServiceFailed { remedy: Remedy::Move, .. })
        })
    };
    let moves = moved(0) + moved(1);
    assert!(moves <= limit as usize, "{moves} moves of {limit}\n{}", world.log);
    // Coming back counts as well: the first taking is none of these.
    let takings =
        world.count(Instant::START, |_, event| matches!(event, Event::StateChanged { to: StateName::Active, .. }));
    assert!(takings <= limit as usize + 1, "{takings} takings, and {limit} moves are allowed\n{}", world.log);
    // The message that tells the other node may be on its way.
    let latch = world.nodes.iter().find_map(|node| node.engine.view().latch);
    match latch.map(|latch| latch.reason) {
        None => assert!(moves < limit as usize, "{moves} moves of {limit}, not latched\n{}", world.log),
        Some(LatchReason::TooManyMoves) => {
            let known = world.nodes.iter().map(|node| node.engine.view().services[0].moves).max();
            assert_eq!(known, Some(limit), "{}", world.log);
        }
        Some(LatchReason::BothFailed) => assert!(moves > 0, "{}", world.log),
        Some(LatchReason::RecordDamaged) => panic!("no record was damaged\n{}", world.log),
    }
}
