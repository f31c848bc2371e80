//! What holds whatever happens: the same seed and inputs give the same outputs, and some things never happen.

use crate::common::timeline::Bench;
use proptest::prelude::*;
use tanist_engine::{Instant, StateName};

/// What an engine of this test is, and may be told to become.
const CONFIGURATIONS: [&[&str]; 3] = [
    &[
        "router a priority 100 track_script chk:-30 track_link eth1:-20 repeat 2 delay 1 lower_repeat 2 lower_delay 1",
        "router b version 3 vrid 52 priority 200 interval 0.3 addresses 192.0.2.101/24,192.0.2.102/24@eth1 pacing 0.05",
        "script chk interval 0.7 timeout 0.4 rise 2 fall 2",
    ],
    &[
        "router b version 3 vrid 52 priority 150 interval 0.3 addresses 192.0.2.101/24 pacing 0.05 preempt_delay 1",
        "router c vrid 53 priority 255 addresses 192.0.2.103/24 refresh 1",
        "router a priority 100 nopreempt track_script chk:-50 track_link eth1:-20",
        "script chk interval 0.7 timeout 0.4 rise 1 fall 1",
    ],
    &[
        "router a priority 90 addresses 192.0.2.100/24,192.0.2.104/24 track_script chk track_script more:9:reverse",
        "router b version 3 vrid 52 priority 200 interval 0.1 track_link eth1",
        "script chk interval 0.5 timeout 2 init_fail",
        "script more interval 0.2 timeout 0.2",
    ],
];

const ACTIONS: [&str; 30] = [
    "timer",
    "hear 192.0.2.2 0 for a",
    "hear 192.0.2.2 50 for a",
    "hear 192.0.2.2 100 for a",
    "hear 192.0.2.0 100 for a",
    "hear 192.0.2.2 150 for a",
    "hear 192.0.2.2 255 for a",
    "hear 192.0.2.2 150 for a ttl 3",
    "hear 192.0.2.2 0 for b",
    "hear 192.0.2.2 199 for b interval 1",
    "hear 192.0.2.2 200 for b",
    "hear 192.0.2.3 220 for b sum message",
    "hear 192.0.2.3 220 for b addresses none",
    "link eth0 down 192.0.2.1",
    "link eth0 up",
    "link eth0 up 192.0.2.1",
    "link eth0 up 192.0.2.1 192.0.2.100 192.0.2.101",
    "link eth0 absent",
    "link eth1 up",
    "link eth1 down",
    "exit chk 0",
    "exit chk 0",
    "exit chk 1",
    "signal chk 9",
    "exit more 0",
    "unstartable more 2",
    "unsent a 101",
    "reconfigure",
    "start",
    "stop",
];

/// One thing that happens: how long after the one before, what, and whether the engine slept until then.
#[derive(Clone, Debug)]
struct Step {
    after_milliseconds: u64,
    action: usize,
    configuration: usize,
    late: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let after = prop_oneof![3 => 0_u64..20, 6 => 0_u64..1500, 1 => 0_u64..20_000];
    let late = prop::bool::weighted(0.1);
    // Stopping is rare, so that most lives are long.
    let action = prop_oneof![31 => 0..ACTIONS.len() - 1, 1 => Just(ACTIONS.len() - 1)];
    let step =
        (after, action, 0..CONFIGURATIONS.len(), late).prop_map(|(after_milliseconds, action, configuration, late)| {
            Step { after_milliseconds, action, configuration, late }
        });
    prop::collection::vec(step, 1..60)
}

/// A whole life as text; the harness looks at every step.
fn live(steps: &[Step]) -> (Vec<String>, String) {
    let mut bench = Bench::new(CONFIGURATIONS[0]);
    bench.set_links(&["link eth0 up 192.0.2.1", "link eth1 up"]);
    let mut told = bench.act(Instant::START, "start", &[]);
    let mut milliseconds = 0;
    for step in steps {
        milliseconds += step.after_milliseconds;
        let now = Instant::from_millis(milliseconds);
        if !step.late {
            told.extend(bench.wait(now));
        }
        told.extend(bench.act(now, ACTIONS[step.action], CONFIGURATIONS[step.configuration]));
        look(&bench, now);
    }
    (told, format!("{:?}", bench.engine))
}

/// What is never otherwise.
fn look(bench: &Bench, now: Instant) {
    let view = bench.engine.view();
    for router in &view.routers {
        match router.state {
            StateName::Active => {
                assert!(router.holds_addresses && router.faults.is_empty(), "{now}: {router:?}");
                assert!(router.primary_address.is_some(), "{now}: {router:?}");
            }
            StateName::Backup => assert!(!router.holds_addresses && router.faults.is_empty(), "{now}: {router:?}"),
            StateName::Initialize => {}
        }
        let priority = router.effective_priority.get();
        assert_eq!(priority == 255, router.priority.is_address_owner(), "{now}: {router:?}");
        assert!(priority >= 1, "{now}: {router:?}");
        let counted = router.statistics;
        let active = u64::from(router.state == StateName::Active);
        assert_eq!(counted.became_active, counted.released_active + active, "{now}: {router:?}");
    }
    let holders = view.routers.iter().filter(|router| router.holds_addresses);
    let held: Vec<_> = holders.map(|router| router.router).collect();
    for wanted in bench.engine.desired().addresses {
        assert!(
            wanted.owner.router().is_none_or(|router| held.contains(&router)),
            "{now}: {wanted:?} is desired by a router that is out"
        );
    }
}

proptest! {
    #[test]
    fn the_same_inputs_give_the_same_outputs(steps in steps()) {
        let (first, first_engine) = live(&steps);
        let (second, second_engine) = live(&steps);
        prop_assert_eq!(first, second);
        prop_assert_eq!(first_engine, second_engine);
    }
}

/// So that the test above does not live on empty lives.
#[test]
fn lives_have_something_to_tell() {
    let step = |action: &str| Step {
        after_milliseconds: 900,
        action: ACTIONS.iter().position(|known| *known == action).expect("a known action"),
        configuration: 1,
        late: false,
    };
    let life: Vec<Step> =
        ["exit chk 0", "timer", "timer", "timer", "timer", "hear 192.0.2.2 50 for a", "reconfigure", "timer", "stop"]
            .map(step)
            .into();
    let (told, _) = live(&life);
    for word in ["a Backup -> Active", "b Backup -> Active", "a answers 50", "c Initialize -> Active", "c advertise 0"]
    {
        assert!(told.iter().any(|line| line.contains(word)), "{word}: {told:#?}");
    }
}
