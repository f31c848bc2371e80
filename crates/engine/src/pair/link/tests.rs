//! Two links and everything that can happen to what they say to each other.

extern crate std;

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use proptest::prelude::*;

use super::candidates::Candidates;
use super::{Beginning, Heard, PeerLink};
use crate::wire::baton::{BatonMessage, Seal, Statement};
use crate::{BatonDiscard, Instant, Name, PairConfig, PairKey};

const HEARTBEAT: Duration = Duration::from_millis(250);
const DEAD_AFTER: Duration = Duration::from_millis(1000);

fn config(node: &str) -> PairConfig {
    PairConfig {
        node: Name::from(node),
        paths: 2,
        key: PairKey::from([9; 32]),
        heartbeat: HEARTBEAT,
        dead_after: DEAD_AFTER,
        terms: Vec::new(),
    }
}

fn statement(node: &str) -> Statement {
    Statement {
        node: Name::from(node),
        latch: None,
        latch_number: 0,
        acknowledged: 0,
        maintenance: None,
        maintenance_number: 0,
        stopped: false,
        paths: Vec::new(),
        routers: Vec::new(),
    }
}

/// Every message says in `version` which one of its link it is.
fn write(link: &mut PeerLink, now: Instant) -> Vec<u8> {
    let version = link.sequence + 1;
    link.write(now, version, 77, &statement("n"))
}

fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

/// Two links that have found each other by 1.000 at the latest, with clocks that are the same.
fn acquainted() -> (PeerLink, PeerLink) {
    let (mut a, mut b) = (PeerLink::new(config("a"), 1), PeerLink::new(config("b"), 2));
    let mut to_b = vec![write(&mut a, at(1000))];
    while !to_b.is_empty() {
        let to_a = exchange(&mut b, at(1000), to_b);
        to_b = exchange(&mut a, at(1000), to_a);
    }
    assert!(a.is_alive(at(1000)) && b.is_alive(at(1000)));
    (a, b)
}

fn exchange(link: &mut PeerLink, now: Instant, messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    for octets in messages {
        if link.receive(now, 0, &octets).is_ok_and(|heard| heard.answer_now) {
            answers.push(write(link, now));
        }
    }
    answers
}

fn says(heard: &Result<Heard, BatonDiscard>) -> Option<u64> {
    heard.as_ref().ok().and_then(|heard| heard.message.as_ref()).map(|message| message.version)
}

/// A number from which nobody can count on would end whoever takes it over.
#[test]
fn who_counts_further_than_anybody_can_is_not_heard() {
    let (mut a, mut b) = acquainted();
    for (latch_number, is_heard) in [(u64::MAX, false), (1 << 62, false), ((1 << 62) - 1, true)] {
        let said = Statement { latch_number, ..statement("b") };
        let octets = b.write(at(1010), 1000, 77, &said);
        let heard = a.receive(at(1010), 0, &octets);
        assert_eq!(heard.err(), (!is_heard).then_some(BatonDiscard::Malformed));
    }
}

#[test]
fn two_nodes_find_each_other_in_two_round_trips() {
    let (mut a, mut b) = (PeerLink::new(config("a"), 1), PeerLink::new(config("b"), 2));
    assert_eq!(a.next_heartbeat_at(), Instant::START, "the first one is due at once");

    let greeting = write(&mut a, at(10_000));
    let heard = b.receive(at(500_010), 0, &greeting).unwrap();
    assert!(heard.message.is_none() && heard.answer_now, "a stranger is answered, and not believed");
    assert!(!b.is_alive(at(500_010)));

    let answer = write(&mut b, at(500_010));
    let heard = a.receive(at(10_020), 0, &answer).unwrap();
    assert_eq!(heard.beginning, Some(Beginning::First));
    assert!(heard.message.is_some() && heard.answer_now);
    assert_eq!(a.round_trip(), Some(Duration::from_millis(20)), "whatever the other clock says");

    let answer = write(&mut a, at(10_025));
    let heard = b.receive(at(500_035), 1, &answer).unwrap();
    assert_eq!(heard.beginning, Some(Beginning::First));
    assert_eq!(b.round_trip(), Some(Duration::from_millis(20)), "without the 5 ms that the other one had it");
    assert!(heard.answer_now);

    let answer = write(&mut b, at(500_035));
    let heard = a.receive(at(10_045), 0, &answer).unwrap();
    assert!(heard.message.is_some() && heard.beginning.is_none() && !heard.answer_now, "and that is all");
    assert_eq!((a.discarded(), b.discarded()), (0, 0));
}

#[test]
fn what_was_seen_of_a_former_life_is_not_said_to_a_new_one() {
    let (mut a, mut b) = acquainted();
    let seal = Seal::new(&config("a").key);
    let usual = seal.open(&write(&mut a, at(1100))).unwrap();
    assert_eq!(usual.seen, 77);
    let mut b2 = PeerLink::new(config("b"), 3);
    let greeting = write(&mut b2, at(1200));
    assert!(a.receive(at(1200), 0, &greeting).unwrap().answer_now);
    let due = a.next_heartbeat_at();
    let answer = write(&mut a, at(1200));
    assert_eq!(seal.open(&answer).unwrap().seen, 0);
    assert_eq!(a.next_heartbeat_at(), due, "a stranger does not delay the heartbeat");
    assert_eq!(seal.open(&write(&mut a, at(1200))).unwrap().seen, 77, "only the answer is for the stranger");
    assert_eq!(says(&b.receive(at(1200), 0, &answer)), None, "and the former life is not confused by it");
}

#[test]
fn a_new_life_is_adopted_and_the_former_one_never_comes_back() {
    let (mut a, mut b) = acquainted();
    let last_words = [write(&mut b, at(1100)), write(&mut b, at(1101))];
    assert_eq!(says(&a.receive(at(1100), 0, &last_words[0])), Some(b.sequence - 1));

    let mut b2 = PeerLink::new(config("b"), 3);
    let greeting = write(&mut b2, at(1110));
    let answers = exchange(&mut a, at(1110), vec![greeting]);
    let heard = b2.receive(at(1110), 0, &answers[0]).unwrap();
    assert_eq!(heard.beginning, Some(Beginning::First));
    let answer = write(&mut b2, at(1110));
    let heard = a.receive(at(1110), 0, &answer).unwrap();
    assert_eq!(heard.beginning, Some(Beginning::Restarted));

    // It was never heard, it is hardly older than that, and it even echoes a challenge of ours.
    assert_eq!(a.receive(at(1111), 0, &last_words[1]).unwrap_err(), BatonDiscard::Replayed);
    assert_eq!(a.receive(at(1111), 1, &last_words[0]).unwrap_err(), BatonDiscard::Replayed);
    assert_eq!(a.discarded(), 2);
}

#[test]
fn what_was_on_its_way_when_a_life_was_adopted_is_heard_too() {
    let (mut a, mut b) = (PeerLink::new(config("a"), 1), PeerLink::new(config("b"), 2));
    let greeting = write(&mut a, at(1000));
    let answers = exchange(&mut b, at(1000), vec![greeting]);
    a.receive(at(1000), 0, &answers[0]).unwrap();
    let (one, other) = (write(&mut a, at(1000)), write(&mut a, at(1001)));
    assert_eq!(b.receive(at(1002), 0, &one).unwrap().beginning, Some(Beginning::First));
    assert_eq!(says(&b.receive(at(1002), 0, &other)), Some(a.sequence), "it echoes the challenge before this one");
}

#[test]
fn a_node_does_not_hear_itself() {
    let (mut a, _) = acquainted();
    let octets = write(&mut a, at(1100));
    assert_eq!(a.receive(at(1100), 0, &octets).unwrap_err(), BatonDiscard::Ourselves);
}

#[test]
fn two_nodes_with_the_same_seed_are_still_two() {
    let (a, b) = (PeerLink::new(config("a"), 5), PeerLink::new(config("b"), 5));
    assert_ne!(a.life, b.life);
    assert_ne!(a.challenge, b.challenge);
}

#[test]
fn copies_by_other_paths_and_another_order_are_nothing_strange() {
    let (mut a, mut b) = acquainted();
    let messages: Vec<_> = (0..3).map(|_| write(&mut b, at(1100))).collect();
    let last = b.sequence;
    assert_eq!(says(&a.receive(at(1101), 0, &messages[1])), Some(last - 1));
    for (path, index) in [(1, 0), (0, 0), (1, 1)] {
        let heard = a.receive(at(1102), path, &messages[index]).unwrap();
        assert!(heard.message.is_none() && !heard.answer_now, "path {path}, message {index}");
    }
    assert_eq!(says(&a.receive(at(1103), 1, &messages[2])), Some(last), "only one of them is new, on either path");
    assert_eq!(a.discarded(), 0);
    assert_eq!(a.paths_heard_at(), [Some(at(1102)), Some(at(1103))]);

    for (path, index) in [(0, 0), (1, 0), (0, 1), (1, 2)] {
        let replayed = a.receive(at(1104), path, &messages[index]);
        assert_eq!(replayed.unwrap_err(), BatonDiscard::Replayed, "path {path}, message {index}");
    }
    assert_eq!(a.receive(at(1104), 2, &write(&mut b, at(1104))).unwrap_err(), BatonDiscard::Replayed, "no such path");
    assert_eq!(a.discarded(), 5);
}

#[test]
fn what_was_held_back_says_nothing_about_now() {
    let (mut a, mut b) = acquainted();
    let octets = write(&mut a, at(1100));
    b.receive(at(1100), 0, &octets).unwrap();
    let octets = write(&mut b, at(1150));
    // 2000 ms after it was written, and the peer says that it had our message for 50 ms before.
    assert_eq!(says(&a.receive(at(3151), 0, &octets)), None);
    assert_eq!(a.heard_at(), Some(at(1000)));
    assert!(!a.is_alive(at(3151)));
    assert_eq!(a.discarded(), 0, "a stalled host finds such messages in its socket");

    let octets = write(&mut b, at(4000));
    assert_eq!(says(&a.receive(at(6000), 0, &octets)), Some(b.sequence), "2000 ms are just not too long");
}

/// An attacker lets every message through, each a little later than the one before, so that there is something left to
/// be heard when the peer is dead.
#[test]
fn a_dead_peer_lives_on_for_a_bounded_time_only() {
    let (mut a, mut b) = acquainted();
    let mut now = 1000;
    let mut held_back = Vec::new();
    let mut written = 0;
    while now < 60_000 {
        now += 10;
        // The peer dies at 30.000. What it hears comes at once.
        if now < 30_000 && now % 250 == 0 {
            let octets = write(&mut a, at(now));
            let _ = b.receive(at(now), 0, &octets);
            held_back.push(write(&mut b, at(now)));
        }
        if now % 300 == 0 && written < held_back.len() {
            let _ = a.receive(at(now), 0, &held_back[written]);
            written += 1;
        }
    }
    assert!(written > 110, "most of it was handed out");
    let heard_at = a.heard_at().unwrap();
    assert!(heard_at <= at(32_000), "heard at {heard_at}");
    assert!(heard_at >= at(10_000), "the delay was unsuspicious for a while, so that this test tests something");
}

#[test]
fn silence_is_noted_once_and_its_end_told() {
    let (mut a, mut b) = acquainted();
    assert_eq!(a.silent_at(), Some(at(2000)));
    assert!(a.is_alive(at(1999)));
    assert_eq!(a.note_silence(at(1999)), None);
    assert!(!a.is_alive(at(2000)));
    assert_eq!(a.note_silence(at(2010)), Some(Duration::from_millis(1010)));
    assert_eq!(a.note_silence(at(2010)), None);
    assert_eq!(a.silent_at(), None);

    let octets = write(&mut b, at(2500));
    let heard = a.receive(at(2500), 1, &octets).unwrap();
    assert_eq!(heard.beginning, Some(Beginning::Again));
    assert!(heard.message.is_some() && heard.answer_now);
    assert_eq!(a.silent_at(), Some(at(3500)));
}

#[test]
fn one_direction_is_enough_to_be_heard_for_hours() {
    let (mut a, mut b) = acquainted();
    let octets = write(&mut a, at(1100));
    b.receive(at(1100), 0, &octets).unwrap();
    // The peer's clock is slow by 0.05 %, and hears nothing any more.
    for seconds in (1..10_000u64).step_by(100) {
        let octets = write(&mut b, Instant::from_nanos(at(1100 + seconds * 1000).as_nanos() - seconds * 500_000));
        assert_eq!(says(&a.receive(at(1100 + seconds * 1000), 0, &octets)), Some(b.sequence), "after {seconds} s");
    }
}

#[test]
fn a_silent_path_is_noted_while_the_other_one_works() {
    let (mut a, mut b) = acquainted();
    // Path 1 was never heard; it gets its time from when the peer is there.
    assert_eq!(a.path_silent_at(), Some(at(2000)));
    assert_eq!(a.paths_work(), [true, true]);
    // Whether the path was silent, and which are now.
    let hear = |a: &mut PeerLink, b: &mut PeerLink, path, milliseconds| {
        let octets = write(b, at(milliseconds));
        let heard = a.receive(at(milliseconds), path, &octets).unwrap();
        assert!(heard.message.is_some());
        (heard.path_works_again, a.note_silent_paths(at(milliseconds)))
    };
    assert_eq!(hear(&mut a, &mut b, 0, 1900), (false, vec![]));
    assert_eq!(hear(&mut a, &mut b, 0, 2000), (false, vec![1]));
    assert_eq!(a.paths_work(), [true, false]);
    assert_eq!(a.path_silent_at(), Some(at(3000)));
    assert_eq!(a.note_silent_paths(at(2001)), []);
    assert_eq!(hear(&mut a, &mut b, 1, 2500), (true, vec![]));
    assert_eq!(a.paths_work(), [true, true]);
    assert_eq!(hear(&mut a, &mut b, 1, 3000), (false, vec![0]));

    // Nothing new comes there, but it comes.
    let octets = write(&mut b, at(3100));
    assert!(!a.receive(at(3100), 1, &octets).unwrap().path_works_again);
    let again = a.receive(at(3100), 0, &octets).unwrap();
    assert!(again.message.is_none() && again.path_works_again);
    assert_eq!(hear(&mut a, &mut b, 1, 3500), (false, vec![]));

    // Nothing at all is no matter of a path.
    assert_eq!(a.note_silent_paths(at(4500)), []);
    assert!(a.note_silence(at(4500)).is_some());
    assert_eq!(a.path_silent_at(), None);
    assert_eq!(a.paths_work(), [false, false]);
    assert_eq!(hear(&mut a, &mut b, 1, 5000), (false, vec![]));
    assert_eq!(a.path_silent_at(), Some(at(6000)), "both have their time again");
}

#[test]
fn a_copy_that_comes_late_says_nothing_of_a_path_while_the_peer_is_silent() {
    let (mut a, mut b) = acquainted();
    let octets = write(&mut b, at(1900));
    a.receive(at(1900), 0, &octets).unwrap();
    assert_eq!(a.note_silent_paths(at(2000)), [1]);
    assert!(a.note_silence(at(2900)).is_some());
    assert!(!a.receive(at(2950), 1, &octets).unwrap().path_works_again);
    assert_eq!(a.paths_work(), [false, false]);
}

/// Whoever was suspended has not listened, and has nothing new to say of a path that was silent before.
#[test]
fn a_silent_path_stays_so_until_it_is_heard_also_after_a_suspension() {
    let (mut a, mut b) = acquainted();
    let octets = write(&mut b, at(1900));
    a.receive(at(1900), 0, &octets).unwrap();
    assert_eq!(a.note_silent_paths(at(2000)), [1]);
    assert_eq!(a.note_silence(at(9000)), None);
    assert_eq!(a.paths_work(), [true, false]);
    let octets = write(&mut b, at(9500));
    assert!(!a.receive(at(9500), 0, &octets).unwrap().path_works_again);
    assert!(a.receive(at(9500), 1, &octets).unwrap().path_works_again);
    assert_eq!(a.paths_work(), [true, true]);
}

#[test]
fn another_key_is_another_pair_and_a_life_goes_on() {
    let (mut a, mut b) = acquainted();
    let other = |node| PairConfig { key: PairKey::from([1; 32]), paths: 3, ..config(node) };
    a.reconfigure(at(1100), other("a"));
    let octets = write(&mut b, at(1100));
    assert_eq!(a.receive(at(1100), 0, &octets).unwrap_err(), BatonDiscard::BadSeal);
    b.reconfigure(at(1200), other("b"));
    let octets = write(&mut b, at(1200));
    let heard = a.receive(at(1200), 2, &octets).unwrap();
    assert!(heard.message.is_some() && heard.beginning.is_none());
}

/// Whoever was asleep when the time was over has not listened. The peer gets its time again, and once is enough.
#[test]
fn who_was_asleep_listens_first() {
    let (mut awake, _) = acquainted();
    assert_eq!(awake.note_silence(at(2250)), Some(Duration::from_millis(1250)), "a heartbeat late is not asleep");
    let (mut a, _) = acquainted();
    assert_eq!(a.note_silence(at(2251)), None);
    assert_eq!((a.silent_at(), a.path_silent_at()), (Some(at(3251)), Some(at(3251))));
    assert_eq!(a.note_silence(at(3250)), None);
    assert_eq!(a.note_silence(at(4000)), Some(Duration::from_millis(3000)));
}

#[test]
fn another_heartbeat_counts_from_now() {
    let (mut a, _) = acquainted();
    write(&mut a, at(1100));
    let of = |milliseconds| PairConfig { heartbeat: Duration::from_millis(milliseconds), ..config("a") };
    a.reconfigure(at(1200), of(100));
    assert_eq!(a.next_heartbeat_at(), at(1300), "sooner than it was due");
    a.reconfigure(at(1200), of(1000));
    assert_eq!(a.next_heartbeat_at(), at(1300), "never later");
}

/// Answered for longer than a peer is given, it would have come back by now if it lived; unless it was silent itself.
#[test]
fn a_stranger_that_leads_to_nothing_is_no_longer_answered() {
    let (mut a, _) = acquainted();
    let mut stranger = PeerLink::new(config("b"), 100);
    let mut greet = |milliseconds| {
        let octets = write(&mut stranger, at(milliseconds));
        let heard = a.receive(at(milliseconds), 0, &octets);
        assert_eq!(a.spoke_at(), Some(at(milliseconds)));
        (heard.map(|heard| heard.answer_now), a.discarded())
    };
    for milliseconds in [1000, 1500, 2000] {
        assert_eq!(greet(milliseconds), (Ok(true), 0), "{milliseconds}");
    }
    assert_eq!(greet(2001), (Err(BatonDiscard::Replayed), 1));
    assert_eq!(greet(3001), (Err(BatonDiscard::Replayed), 2));
    assert_eq!(greet(4002), (Ok(true), 3), "anew, and what was before has come to nothing");
    assert_eq!(a.heard_at(), Some(at(1000)), "all the same it was not heard");
}

/// An older message has an older challenge.
#[test]
fn only_the_newest_words_of_a_stranger_are_answered() {
    let (mut a, _) = acquainted();
    let mut stranger = PeerLink::new(config("b"), 100);
    let words = [1001, 1002, 1003].map(|milliseconds| write(&mut stranger, at(milliseconds)));
    let seal = Seal::new(&config("a").key);
    // When what it answers was written, and for how long this node has had it.
    let mut answer = |octets: &[u8], milliseconds| {
        let now = at(milliseconds);
        let answers = a.receive(now, 1, octets).unwrap().answer_now;
        let answer = answers.then(|| seal.open(&write(&mut a, now)).unwrap());
        answer.map(|answer| (Instant::from_nanos(answer.heard_at), Duration::from_nanos(answer.held)))
    };
    assert_eq!(answer(&words[1], 1010), Some((at(1002), Duration::ZERO)));
    assert_eq!(answer(&words[0], 1200), None);
    assert_eq!(answer(&words[2], 1200), Some((at(1003), Duration::ZERO)));
    assert_eq!(answer(&words[2], 1324), None, "not twice within half a heartbeat");
    assert_eq!(answer(&words[2], 1325), Some((at(1003), Duration::ZERO)));
}

/// A copy that comes later by another path was not under way for longer.
#[test]
fn a_stranger_was_heard_when_its_first_copy_came() {
    let (mut a, mut b) = (PeerLink::new(config("a"), 1), PeerLink::new(config("b"), 2));
    let greeting = write(&mut b, at(1000));
    assert!(a.receive(at(1010), 0, &greeting).unwrap().answer_now);
    // The answer is lost, but not the next heartbeat.
    write(&mut a, at(1010));
    assert!(!a.receive(at(1100), 1, &greeting).unwrap().answer_now);
    let heartbeat = write(&mut a, at(1250));
    assert_eq!(b.receive(at(1260), 0, &heartbeat).unwrap().beginning, Some(Beginning::First));
    assert_eq!(b.round_trip(), Some(Duration::from_millis(20)));
}

/// Lets strangers of these lives greet, one after the other. Returns who is answered, and how many came to nothing.
fn greeted(
    candidates: &mut Candidates,
    milliseconds: u64,
    lives: RangeInclusive<u64>,
    rank: fn(u64, u64) -> u64,
) -> (Vec<u64>, u64) {
    let greeting = Seal::new(&config("b").key).open(&write(&mut PeerLink::new(config("b"), 1), at(0))).unwrap();
    let mut given_up = 0;
    let answered = lives.filter(|life| {
        let message = BatonMessage { life: *life, ..greeting.clone() };
        let considered = candidates.consider(at(milliseconds), &message, &config("a"), rank);
        given_up += considered.given_up;
        considered.answer_now
    });
    (answered.collect(), given_up)
}

/// Who has drawn a low number has room, however late it comes; in the next heartbeat all draw again.
#[test]
fn the_lot_decides_which_strangers_are_answered() {
    let mut candidates = Candidates::default();
    let mut greeted = |milliseconds, lives| {
        greeted(&mut candidates, milliseconds, lives, |heartbeat, life| if heartbeat == 1 { life } else { 100 - life })
    };
    assert_eq!(greeted(1000, 11..=18), ((11..=18).collect(), 0));
    assert_eq!(greeted(1000, 19..=19), (vec![], 1), "no room");
    assert_eq!(greeted(1000, 10..=10), (vec![10], 1), "in the place of 18");
    assert_eq!(greeted(1125, 10..=19), ((10..=17).collect(), 2));
    assert_eq!(greeted(1250, 18..=19), (vec![18, 19], 2), "in the places of 10 and 11");
    assert_eq!(greeted(1250, 10..=19), ((12..=17).collect(), 2));
}

/// Even if each of them draws a lower number than those before.
#[test]
fn sixty_four_strangers_are_answered_in_a_heartbeat() {
    let mut candidates = Candidates::default();
    let mut greeted = |milliseconds, lives| greeted(&mut candidates, milliseconds, lives, |_, life| u64::MAX - life);
    assert_eq!(greeted(1000, 1..=100), ((1..=64).collect(), 92));
    assert_eq!(greeted(1249, 101..=200), (vec![], 100));
    assert_eq!(greeted(1250, 201..=300), ((201..=264).collect(), 100));
}

/// There is room for eight. Who has to make room, or finds none, is counted.
#[test]
fn strangers_that_find_no_room_are_counted() {
    let (mut a, _) = acquainted();
    let mut greet = |seed, milliseconds| {
        let octets = write(&mut PeerLink::new(config("b"), seed), at(milliseconds));
        a.receive(at(milliseconds), 0, &octets).unwrap();
        a.discarded()
    };
    for seed in 100..108 {
        assert_eq!(greet(seed, 1000), 0);
    }
    assert_eq!(greet(108, 1000), 1, "one of the nine");
    assert_eq!(greet(109, 2001), 9, "all that are silent give way");
}

/// Somebody who has recorded the pair for years says it all again, as fast as he can.
#[test]
fn answers_to_strangers_are_bounded() {
    let strangers: Vec<_> = (100..200).map(|seed| write(&mut PeerLink::new(config("b"), seed), at(0))).collect();
    let (mut a, _) = acquainted();
    let (mut answers, mut due) = (0, a.next_heartbeat_at());
    for round in 0..1000 {
        let now = at(1000 + round);
        for octets in &strangers {
            if a.receive(now, 0, octets).is_ok_and(|heard| heard.answer_now) {
                write(&mut a, now);
                answers += 1;
            }
        }
        assert_eq!(a.next_heartbeat_at(), due, "none of them delays a heartbeat");
        if now >= due {
            write(&mut a, now);
            due = due + HEARTBEAT;
        }
    }
    // 64 in each of four heartbeats and the beginning of a fifth.
    assert!((32..=320).contains(&answers), "{answers} answers to 100000 messages");
    assert!(a.discarded() > 10_000, "and they are counted: {}", a.discarded());
}

/// With more former lives than a node considers at a time, all answers can be used up; the heartbeats can't.
#[test]
fn many_strangers_only_make_it_take_longer() {
    let strangers: Vec<_> = (100..140).map(|seed| write(&mut PeerLink::new(config("b"), seed), at(0))).collect();
    let mut links = [PeerLink::new(config("a"), 1), PeerLink::new(config("b"), 2)];
    let found = (1000..100_000).step_by(10).find(|now| {
        let now = at(*now);
        let mut written: Vec<(usize, Vec<u8>)> = Vec::new();
        for (side, link) in links.iter_mut().enumerate() {
            // They come before anything else in each moment.
            for octets in &strangers {
                if link.receive(now, 0, octets).is_ok_and(|heard| heard.answer_now) {
                    written.push((side, write(link, now)));
                }
            }
            if now >= link.next_heartbeat_at() {
                written.push((side, write(link, now)));
            }
        }
        for (side, octets) in written {
            let other = &mut links[1 - side];
            if other.receive(now, 0, &octets).is_ok_and(|heard| heard.answer_now) {
                let answer = write(other, now);
                let _ = links[side].receive(now, 0, &answer);
            }
        }
        links.iter().all(|link| link.is_alive(now))
    });
    assert!(found.is_some(), "not within 99 s");
}

/// Two nodes, their lives, and everything that was ever said, in the hands of somebody who may do anything with it.
struct World {
    now: u64,
    nodes: [Node; 2],
    /// Everything that was written, in order.
    written: Vec<Written>,
    /// On its way: index into `written`, and by which path.
    under_way: Vec<(usize, u32)>,
    /// Whether the messages on their way get through.
    seed: u64,
}

struct Node {
    link: PeerLink,
    life: u64,
    born_at: u64,
    /// Of this life's clock to ours.
    clock: u64,
    /// The newest that was fresh: life and sequence of the sender.
    newest: Option<(u64, u64)>,
}

struct Written {
    by: usize,
    life: u64,
    sequence: u64,
    at: u64,
    octets: Vec<u8>,
}

const NAMES: [&str; 2] = ["a", "b"];

impl World {
    fn new() -> Self {
        let node = |side: usize| Node {
            link: PeerLink::new(config(NAMES[side]), side as u64),
            life: 0,
            born_at: 0,
            clock: 1_000_000 * side as u64,
            newest: None,
        };
        Self { now: 1, nodes: [node(0), node(1)], written: Vec::new(), under_way: Vec::new(), seed: 2 }
    }

    fn restart(&mut self, side: usize) {
        self.seed += 1;
        let node = &mut self.nodes[side];
        // After a reboot a clock may show again what it showed before.
        let clock = (node.clock + 777_000) % 2_000_000;
        let link = PeerLink::new(config(NAMES[side]), self.seed);
        *node = Node { link, life: node.life + 1, born_at: self.now, clock, newest: None };
    }

    fn clock(&self, side: usize) -> Instant {
        at(self.now + self.nodes[side].clock)
    }

    fn write(&mut self, side: usize) {
        let clock = self.clock(side);
        let node = &mut self.nodes[side];
        let version = self.written.len() as u64;
        let octets = node.link.write(clock, version, 0, &statement(NAMES[side]));
        let (life, sequence) = (node.life, node.link.sequence);
        self.written.push(Written { by: side, life, sequence, at: self.now, octets });
        self.under_way.extend([(version as usize, 0), (version as usize, 1)]);
    }

    /// Lets `side` hear a message and checks what it makes of it.
    fn hear(&mut self, side: usize, index: usize, path: u32) -> Result<(), TestCaseError> {
        let clock = self.clock(side);
        let message = &self.written[index];
        let node = &mut self.nodes[side];
        let Ok(heard) = node.link.receive(clock, path, &message.octets) else { return Ok(()) };
        if let Some(fresh) = heard.message {
            prop_assert_eq!(fresh.version, index as u64);
            prop_assert!(message.by != side, "nobody hears himself");
            let place = (message.life, message.sequence);
            prop_assert!(node.newest.is_none_or(|newest| newest < place), "only newer ones are fresh");
            prop_assert!(message.at >= node.born_at, "from before this life");
            prop_assert!(self.now - message.at <= 2000, "{} ms old", self.now - message.at);
            let restarted = node.newest.is_some_and(|newest| newest.0 != message.life);
            prop_assert_eq!(heard.beginning == Some(Beginning::Restarted), restarted);
            prop_assert_eq!(heard.beginning == Some(Beginning::First), node.newest.is_none());
            node.newest = Some(place);
        }
        if heard.answer_now {
            self.write(side);
        }
        Ok(())
    }

    fn deliver_next(&mut self, position: usize) -> Result<(), TestCaseError> {
        let (index, path) = self.under_way.remove(position);
        self.hear(1 - self.written[index].by, index, path)
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += milliseconds;
        for side in 0..2 {
            let clock = self.clock(side);
            if clock >= self.nodes[side].link.next_heartbeat_at() {
                self.write(side);
            }
            self.nodes[side].link.note_silence(clock);
        }
    }

    /// Each has adopted the present life of the other and takes it for alive.
    fn is_whole(&self) -> bool {
        (0..2).all(|side| {
            let node = &self.nodes[side];
            let present = self.nodes[1 - side].life;
            node.link.is_alive(self.clock(side)) && node.newest.is_some_and(|(life, _)| life == present)
        })
    }
}

#[derive(Clone, Debug)]
enum Act {
    Pass(u64),
    Restart(bool),
    /// Deliver one of those on their way, not always the first.
    Deliver(prop::sample::Index),
    DeliverAll,
    Drop(prop::sample::Index),
    DropAll,
    /// Anything that was ever said, to either of them, by either path.
    Replay(prop::sample::Index, bool, bool),
    /// What was said last in each former life, and first.
    ReplayEnds,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..400u64).prop_map(Act::Pass),
        1 => Just(Act::Pass(5000)),
        2 => any::<bool>().prop_map(Act::Restart),
        4 => any::<prop::sample::Index>().prop_map(Act::Deliver),
        4 => Just(Act::DeliverAll),
        2 => any::<prop::sample::Index>().prop_map(Act::Drop),
        1 => Just(Act::DropAll),
        6 => (any::<prop::sample::Index>(), any::<bool>(), any::<bool>())
            .prop_map(|(which, to, path)| Act::Replay(which, to, path)),
        1 => Just(Act::ReplayEnds),
    ]
}

fn perform(world: &mut World, act: &Act) -> Result<(), TestCaseError> {
    match act {
        Act::Pass(milliseconds) => world.pass(*milliseconds),
        Act::Restart(second) => world.restart(usize::from(*second)),
        Act::Deliver(which) if !world.under_way.is_empty() => {
            world.deliver_next(which.index(world.under_way.len()))?;
        }
        Act::Drop(which) if !world.under_way.is_empty() => {
            world.under_way.remove(which.index(world.under_way.len()));
        }
        Act::Deliver(_) | Act::Drop(_) => (),
        Act::DeliverAll => {
            // They come to an end by themselves: the answers to answers are not answered.
            for round in 0.. {
                prop_assert!(round < 10_000, "they answer each other for ever");
                if world.under_way.is_empty() {
                    break;
                }
                world.deliver_next(0)?;
            }
        }
        Act::DropAll => world.under_way.clear(),
        Act::Replay(which, second, path) => {
            if !world.written.is_empty() {
                world.hear(usize::from(*second), which.index(world.written.len()), u32::from(*path))?;
            }
        }
        Act::ReplayEnds => replay_ends(world)?,
    }
    Ok(())
}

fn replay_ends(world: &mut World) -> Result<(), TestCaseError> {
    let mut ends: BTreeMap<(usize, u64), (usize, usize)> = BTreeMap::new();
    for (index, message) in world.written.iter().enumerate() {
        if message.life != world.nodes[message.by].life {
            ends.entry((message.by, message.life)).or_insert((index, index)).1 = index;
        }
    }
    // The newest ones: with more of them than a node considers at a time he could make it take longer.
    for (first, last) in ends.values().rev().take(Candidates::ROOM - 1) {
        for side in 0..2 {
            world.hear(side, *last, 0)?;
            world.hear(side, *first, 1)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is dropped, doubled, held back, put in another order and said again: nothing old is fresh, and when the
    /// messages get through, the two find each other, even while former lives are replayed all the time.
    #[test]
    fn nobody_can_make_old_words_new_or_keep_two_nodes_apart(acts in proptest::collection::vec(act(), 0..120)) {
        let mut world = World::new();
        for act in &acts {
            perform(&mut world, act)?;
        }
        // Whoever was replayed until now, in whatever number, is forgotten in a second.
        world.pass(1100);
        world.under_way.clear();
        // From now on everything gets through, but the attacker goes on, and speaks first.
        for _ in 0..2 {
            for _ in 0..25 {
                world.pass(10);
                replay_ends(&mut world)?;
                perform(&mut world, &Act::DeliverAll)?;
            }
        }
        prop_assert!(world.is_whole(), "they have found each other after two heartbeats");
        let lives: Vec<_> = world.nodes.iter().map(|node| node.link.life).collect();
        for _ in 0..100 {
            world.pass(50);
            replay_ends(&mut world)?;
            perform(&mut world, &Act::DeliverAll)?;
            prop_assert!(world.is_whole(), "and stay together");
        }
        let now = world.nodes.iter().map(|node| node.link.life);
        prop_assert!(now.eq(lives));
    }

    /// Without an attacker, and with half of everything lost.
    #[test]
    fn loss_only_delays(lost in proptest::collection::vec(any::<bool>(), 400), restarts in 0..4u64) {
        let mut world = World::new();
        let mut lost = lost.into_iter();
        let mut through = 0;
        for step in 0..60u64 {
            if step % 10 == 9 && step / 10 < restarts {
                world.restart((step / 10 % 2) as usize);
                through = 0;
            }
            world.pass(125);
            let mut whole_step = true;
            while !world.under_way.is_empty() {
                if lost.next().unwrap_or(false) {
                    world.under_way.remove(0);
                    whole_step = false;
                } else {
                    world.deliver_next(0)?;
                }
            }
            // A heartbeat of each in which nothing was lost is enough.
            through = if whole_step { through + 1 } else { 0 };
            prop_assert!(through < 3 || world.is_whole(), "after {} steps without loss", through);
        }
        prop_assert_eq!(world.nodes.iter().map(|node| node.link.discarded()).sum::<u64>(), 0);
    }
}
