//! Who becomes active when nobody is.

use std::time::Duration;

use tanist_engine::{
    Config, Event, Input, Instant, LinkId, LinkState, Name, OtherNode, Output, Priority, StateName, StepKind,
};

use super::setup::{at, ms};
use super::world::{Kind, WIRE, World};

fn equal(_: usize, config: &mut Config) {
    config.routers[0].priority = Priority::new(100);
}

#[test]
fn two_that_boot_together_agree_on_the_better_one() {
    let world = World::settled(|_, _| {});
    let dual = world.count(Instant::START, |_, event| matches!(event, Event::DualActive { .. }));
    assert_eq!(dual, 0, "{}", world.log);
    // How they came to it can be counted.
    let mut world = World::new(|_, _| {});
    world.start(0);
    world.start(1);
    let mut steps = std::collections::BTreeSet::new();
    while world.state(0) != StateName::Active {
        world.run_for(ms(1));
        steps.extend(world.nodes[0].engine.role_steps().iter().map(|step| (step.other, step.kind)));
    }
    let expected = [(OtherNode::Standby, StepKind::TakeOver), (OtherNode::Standby, StepKind::Claim)];
    assert_eq!(steps, expected.into(), "{}", world.log);
}

/// It may still be finding out what it was before.
#[test]
fn nobody_speaks_before_it_is_started() {
    let mut world = World::new(|_, _| {});
    let restored = world.remembered(0, false);
    let state = LinkState { up: true, addresses: vec![[192, 0, 2, 1].into()], tentative: Vec::new(), deaf: false };
    for input in [Input::Restored(restored), Input::Link { link: LinkId(0), state: Some(state) }, Input::Timer] {
        let mut out = Vec::new();
        world.nodes[0].engine.handle(Instant::START, input, &mut out);
        assert!(!out.iter().any(|output| matches!(output, Output::SendBaton { .. })), "{out:?}");
    }
}

/// Who begins is answered at once: nobody waits for a heartbeat to be known.
#[test]
fn two_nodes_know_each_other_after_four_messages() {
    let mut world = World::new(|_, _| {});
    world.start(0);
    world.run_until(at(50));
    world.start(1);
    world.run_until(at(54));
    for wanted in [0, 1] {
        let heard = world.count(at(0), |node, event| node == wanted && matches!(event, Event::PeerHeard { .. }));
        assert_eq!(heard, 1, "{}", world.log);
    }
}

#[test]
fn without_the_side_channel_they_agree_by_the_protocol() {
    World::settled(|_, config| config.pair = None);
}

/// With equal priorities the higher address has it, whoever asks first and however the words cross.
#[test]
fn claims_of_equals_that_cross_end_with_one() {
    for delay in [0, 1, 2, 5, 50, 200, 400] {
        for late in 0..2 {
            let mut world = World::new(equal);
            // Nobody hears the other's words for the first seconds, so that both want it at the same moment.
            world.set_temper(move |sent| vec![if sent.from == late { WIRE + ms(delay) } else { WIRE }]);
            world.start(0);
            world.start(1);
            world.run_until(at(20_000));
            world.active();
            world.never_both();
        }
    }
}

/// Both have a reason at the same moment because the active one lets go of it without being replaced at once.
#[test]
fn claims_that_cross_are_decided_by_the_better_one() {
    for crossing in (1..60).step_by(4) {
        let mut world = World::new(|_, _| {});
        world.start(0);
        world.run_for(ms(crossing));
        world.start(1);
        // All of both nodes' words of the time of the decision are late.
        world.run_until(at(3_000));
        world.set_temper(move |sent| match sent.kind {
            Kind::Baton if sent.number % 3 == 0 => vec![ms(crossing * 3), ms(1)],
            _ => vec![ms(crossing)],
        });
        world.run_until(at(30_000));
        assert_eq!(world.active(), 0, "{}", world.log);
        world.never_both();
    }
}

/// A claim is a question; nobody takes the silence of a living peer for an answer.
#[test]
fn a_claim_whose_answers_are_lost_is_asked_again() {
    let mut world = World::new(|_, _| {});
    world.start(0);
    world.start(1);
    world.run_until(at(3_000));
    // Every second message is lost, in both directions.
    world.set_temper(|sent| if sent.number % 2 == 0 { Vec::new() } else { vec![WIRE] });
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// A claim is for what nobody has. Who hears a third router while the answer is on its way takes nothing.
#[test]
fn a_claim_ends_when_somebody_else_is_heard() {
    for heard in [false, true] {
        let mut world = World::new(|_, _| {});
        world.start(0);
        world.start(1);
        // a claims at 3.414, and has its answer 0.4 s later.
        world.run_until(at(3_000));
        world.set_temper(|sent| vec![if sent.kind == Kind::Baton { ms(200) } else { WIRE }]);
        world.run_until(at(3_500));
        for _ in 0..10 {
            if heard {
                world.advertise_by_a_third();
            }
            world.run_for(ms(500));
        }
        let taken = world.count(at(0), |_, event| matches!(event, Event::StateChanged { to: StateName::Active, .. }));
        assert_eq!(taken, usize::from(!heard), "{}", world.log);
    }
}

#[test]
fn a_node_alone_takes_it_after_the_protocols_time() {
    let mut world = World::new(|_, _| {});
    world.start(1);
    world.run_until(at(3_500));
    assert_eq!(world.state(1), StateName::Backup, "{}", world.log);
    // 3 × 1 s + 156/256 s, and the service's own 0.3 s.
    world.run_until(at(3_910));
    assert_eq!(world.active(), 1, "{}", world.log);
}

#[test]
fn the_one_that_could_not_start_it_leaves_it_to_the_other() {
    let mut world = World::new(|_, _| {});
    world.nodes[0].habits.readiness = Err("no licence");
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.nodes[0].habits.readiness = Ok(());
    world.run_until(at(40_000));
    assert_eq!(world.active(), 0, "it goes back when it can\n{}", world.log);
    world.never_both();
}

#[test]
fn where_neither_could_start_it_the_better_one_tries() {
    let mut world = World::new(|_, _| {});
    for node in &mut world.nodes {
        node.habits.readiness = Err("no licence");
    }
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// A manager that does not answer says nothing about the other node, which can have the role.
#[test]
fn a_manager_that_does_not_answer_keeps_nobody_else_out() {
    let mut world = World::new(|_, _| {});
    world.nodes[0].habits.watch = None;
    world.start(0);
    world.start(1);
    world.run_until(at(60_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// Started by the machine on both at boot: one remains.
#[test]
fn a_unit_that_is_enabled_at_boot_ends_where_it_does_not_belong() {
    let mut world = World::new(|_, _| {});
    for node in [0, 1] {
        world.nodes[node].habits.enabled_at_boot = true;
        // When they know each other, but not at one moment.
        world.nodes[node].habits.watch = Some(ms(320 + 5 * node as u64));
        let nothing = world.remembered(node, false);
        world.boot_with(node, nothing);
    }
    // That it runs here is no right to the role.
    while world.now < at(3_000) {
        world.run_for(ms(1));
        assert!(world.nodes.iter().all(|node| node.engine.role_steps().is_empty()), "{}", world.log);
    }
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
}

#[test]
fn a_standby_that_lacks_the_router_is_told_and_does_what_the_protocol_says() {
    let mut world = World::new(|node, config| {
        if node == 1 {
            config.routers[0].name = Name::from("another name");
        }
    });
    world.start(0);
    world.start(1);
    world.run_until(at(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    for wanted in 0..2 {
        let told = world.count(at(0), |node, event| node == wanted && matches!(event, Event::NoCounterpart { .. }));
        assert_eq!(told, 1, "{}", world.log);
    }
    world.handle(0, Input::Stop);
    world.run_until(at(40_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
}

/// The address owner asks like everybody else.
#[test]
fn an_address_owner_that_comes_back_does_not_start_beside_the_other() {
    let mut world = World::settled(|node, config| {
        if node == 0 {
            config.routers[0].priority = Priority::ADDRESS_OWNER;
        }
    });
    world.set_link(0, 0, false);
    world.run_until(at(30_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.never_both();
    world.set_link(0, 0, true);
    world.run_until(at(60_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// Nor does it when its machine boots.
#[test]
fn an_address_owner_that_boots_asks_first() {
    let mut world = World::settled(|node, config| {
        if node == 0 {
            config.routers[0].priority = Priority::ADDRESS_OWNER;
        }
    });
    world.lose_power(0);
    world.run_for(ms(3_000));
    assert_eq!(world.active(), 1, "{}", world.log);
    world.boot(0);
    world.run_for(ms(20_000));
    assert_eq!(world.active(), 0, "{}", world.log);
    world.never_both();
}

/// Where nothing runs, or nobody could be asked, it has its addresses at once (RFC 9568 §6.4.1).
#[test]
fn an_address_owner_without_a_service_or_without_a_peer_asks_nobody() {
    for alone in [false, true] {
        let mut world = World::new(|_, config| {
            config.routers[0].priority = Priority::ADDRESS_OWNER;
            if alone {
                config.pair = None;
            } else {
                config.routers[0].services.clear();
                config.services.clear();
            }
        });
        world.start(0);
        assert_eq!(world.state(0), StateName::Active, "{}", world.log);
    }
}

/// Their words cross with every loss that a fair coin can think of.
#[test]
fn whatever_is_lost_at_the_start_there_is_one_in_the_end() {
    for seed in 0..20_u64 {
        let mut world = World::new(equal);
        let mut state = seed * 2 + 1;
        world.set_temper(move |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match state >> 61 {
                0 | 1 => Vec::new(),
                2 => vec![WIRE, ms(30)],
                3 => vec![ms(90)],
                4 => vec![ms(250)],
                _ => vec![WIRE],
            }
        });
        world.start(0);
        world.run_for(Duration::from_millis(seed * 7));
        world.start(1);
        world.run_until(at(12_000));
        world.set_temper(|_| vec![WIRE]);
        world.run_until(at(30_000));
        world.active();
        // Silence of dead_after by loss is a cut, and a cut can make two; nothing else can.
        let silent = world.count(at(0), |_, event| matches!(event, Event::PeerSilent { .. }));
        if silent == 0 {
            world.never_both();
        }
    }
}
