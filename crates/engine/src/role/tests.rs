//! Single steps of the table. Two engines often come to the same end by another step, too, so each is looked at alone.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::wire::baton::{Hears, ServiceStatement};

const GRANTS_WITHIN: Duration = Duration::from_millis(800);
const DUE: Cause = Cause::ActiveDownTimer;

fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

/// Node a, of priority 150 and in this state. As a Backup it would take the role.
fn here(state: StateName) -> Here {
    Here {
        node: Name::from("a"),
        state,
        leaving: false,
        may_stay: true,
        torn: false,
        meets: state == StateName::Active,
        longest_move: Duration::ZERO,
        busy: false,
        resumes: false,
        runs: false,
        blind: false,
        ready: Ok(()),
        known_ready: true,
        due: (state == StateName::Backup).then_some(DUE),
        priority: Priority::new(150),
        address: Some(IpAddr::from([192, 0, 2, 1])),
        preempts_after: Some(Duration::ZERO),
        frozen: false,
        waits: false,
        latched: false,
        pair_latched: false,
        stopping: false,
    }
}

/// What is let go for the other node's sake is kept when that one is silent, but not half of a group.
#[test]
fn nobody_keeps_half_of_a_group() {
    let mut role = Role::new();
    role.lets_go(HandoverReason::Operator, false);
    let leaving = Here { leaving: true, ..here(StateName::Active) };
    let torn = Here { torn: true, ..leaving.clone() };
    let whole_again = Here { due: Some(DUE), ..torn.clone() };
    let keep = Step::Keep(RefusedCommand::PeerSilent);
    for (here, expected) in [(leaving, keep.clone()), (torn, Step::Nothing), (whole_again, keep)] {
        assert_eq!(role.next(at(1_100), &here, There::Nobody), expected);
    }
}

/// What is let go for the sake of a node that says it cannot take it any more is kept; what goes for another reason goes.
#[test]
fn nobody_lets_go_what_the_other_node_cannot_take() {
    let standby = says(Stance::Standby, 100, false);
    let held = RouterStatement { held: true, ..standby.clone() };
    let claiming = RouterStatement { held: true, ..says(Stance::Claiming, 100, true) };
    let failed = RefusedCommand::NotReady(Name::from("it has failed there"));
    let cases = [
        (standby, None),
        (held, Some(RefusedCommand::NotStandby)),
        (says(Stance::Out, 100, false), Some(RefusedCommand::NotStandby)),
        (says(Stance::Standby, 100, true), Some(failed)),
        (claiming, None),
        (says(Stance::Releasing(HandoverReason::Leaving), 100, true), None),
    ];
    let (node, leaving) = (Name::from("b"), Here { leaving: true, ..here(StateName::Active) });
    for (says, expected) in cases {
        for reason in
            [HandoverReason::Operator, HandoverReason::Failback, HandoverReason::Held, HandoverReason::Leaving]
        {
            let mut role = Role::new();
            role.lets_go(reason, false);
            let there = There::Heard { node: &node, says: &says, seen: 7, grants_within: GRANTS_WITHIN };
            let kept = expected.clone().filter(|_| reason != HandoverReason::Leaving);
            assert_eq!(role.next(at(1_100), &leaving, there), kept.map_or(Step::Nothing, Step::Keep), "{reason:?}");
        }
    }
}

/// What was let go in order is this node's again once the other one has not taken it; not if that one has had it since. In
/// maintenance that one takes nothing without our answer, so that its silence tells as much.
#[test]
fn what_nobody_took_is_left_to_whoever_had_it() {
    let could = says(Stance::Standby, 100, false);
    let cannot = says(Stance::Standby, 100, true);
    let had_it = RouterStatement { epoch: 2, ..cannot.clone() };
    let has_it = says(Stance::Active, 100, false);
    let claims = says(Stance::Claiming, 100, false);
    for (says, at_once, later) in [
        (could, false, true),
        (cannot, true, true),
        (had_it, false, false),
        (has_it, false, false),
        (claims, false, false),
    ] {
        for (heard, frozen) in [(true, false), (true, true), (false, true), (false, false)] {
            let may = heard || frozen;
            let mut role = Role::new();
            role.changed(at(0), StateName::Active, true, false, true);
            role.lets_go(HandoverReason::Operator, false);
            role.changed(at(1_000), StateName::Backup, true, false, true);
            assert!(!role.is_keeper);
            role.is_left_to_us(Some(&says), heard, frozen);
            assert_eq!(role.is_keeper, at_once && may, "{says:?}");
            role.forget(at(1_000) + RELEASE_PATIENCE);
            role.is_left_to_us(Some(&says), heard, frozen);
            assert_eq!(role.is_keeper, later && may, "{says:?}");
        }
    }
}

/// Who has kept a role because the other node could not take it does not offer it again by itself for a while, which grows; an
/// operator's word counts at once.
#[test]
fn what_was_kept_is_not_offered_again_at_once() {
    let wish = |reason| RouterStatement { wants: Some(reason), ..says(Stance::Standby, 200, false) };
    let (failback, operator) = (wish(HandoverReason::Failback), wish(HandoverReason::Operator));
    let active = here(StateName::Active);
    let mut role = Role::new();
    role.changed(at(0), StateName::Active, true, false, false);
    let mut now = at(1_000);
    for rest in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        assert_eq!(next(&role, now, &active, &failback, 6), Step::Offer(HandoverReason::Failback));
        role.rests_from_offers(now);
        now = now + Duration::from_secs(rest);
        assert_eq!(role.deadline(GRANTS_WITHIN, Duration::ZERO), Some(now));
        role.forget(now - Duration::from_nanos(1));
        assert_eq!(next(&role, now, &active, &failback, 6), Step::Nothing);
        assert_eq!(next(&role, now, &active, &operator, 6), Step::Offer(HandoverReason::Operator));
        role.forget(now);
    }
}

/// The better node has it back by itself only where nothing speaks against that: no maintenance, no latch, and nobody who wants
/// that node to stand back.
#[test]
fn nothing_goes_back_by_itself_where_nothing_may_move() {
    let wish = RouterStatement { wants: Some(HandoverReason::Failback), ..says(Stance::Standby, 200, false) };
    let held = RouterStatement { held: true, ..wish.clone() };
    let active = here(StateName::Active);
    let frozen = Here { frozen: true, ..active.clone() };
    let latched = Here { pair_latched: true, ..active.clone() };
    let offer = Step::Offer(HandoverReason::Failback);
    for (here, says, expected) in [
        (&active, &wish, offer),
        (&frozen, &wish, Step::Nothing),
        (&latched, &wish, Step::Nothing),
        (&active, &held, Step::Nothing),
    ] {
        assert_eq!(next(&Role::new(), at(1_100), here, says, 6), expected, "{here:?} {says:?}");
    }
}

/// Node b, whose service has failed there or could be started.
fn says(stance: Stance, priority: u8, failed: bool) -> RouterStatement {
    let service = ServiceStatement {
        name: Name::from("job"),
        state: ServiceStateName::Stopped,
        healthy: None,
        readiness: Some(Ok(())),
        failed,
        moves: Vec::new(),
        gone_for: None,
        running_for: None,
        terms: Vec::new(),
    };
    RouterStatement {
        name: Name::from("VI_1"),
        stance,
        priority: Priority::new(priority),
        address: Some(IpAddr::from([192, 0, 2, 2])),
        epoch: 0,
        held: false,
        released: false,
        wants: None,
        sending: None,
        hears: Hears::Enough,
        terms: Vec::new(),
        services: vec![service],
    }
}

fn next(role: &Role, now: Instant, here: &Here, says: &RouterStatement, seen: u64) -> Step {
    role.next(now, here, There::Heard { node: &Name::from("b"), says, seen, grants_within: GRANTS_WITHIN })
}

fn claimed() -> Role {
    let mut role = Role::new();
    role.claimed(at(1_000), 7, DUE);
    role
}

fn offered() -> Role {
    let mut role = Role::new();
    role.send(at(1_000));
    role.offered(at(1_000), 7, HandoverReason::Operator);
    role
}

#[test]
fn a_claim_is_granted_by_an_answer_in_time_and_asked_again_after_that() {
    let standby = says(Stance::Standby, 100, false);
    for (now, seen, expected) in [
        (1_000, 6, Step::Nothing),
        (1_000, 7, Step::TakeOver(DUE)),
        (1_799, 6, Step::Nothing),
        (1_799, 8, Step::TakeOver(DUE)),
        (1_800, 6, Step::Claim(DUE)),
        (1_800, 8, Step::Claim(DUE)),
    ] {
        assert_eq!(next(&claimed(), at(now), &here(StateName::Backup), &standby, seen), expected, "{now} {seen}");
    }
}

/// Whether it was claimed for another reason before, or that is no longer said: what was handed over is told as that.
#[test]
fn what_was_handed_over_is_taken_as_that() {
    let standby = says(Stance::Standby, 100, false);
    let released = RouterStatement { released: true, ..standby.clone() };
    let mut of_old = Role::new();
    of_old.claimed(at(1_000), 7, Cause::HandedOver);
    for (role, says) in [(claimed(), &released), (of_old, &standby)] {
        let step = next(&role, at(1_100), &here(StateName::Backup), says, 7);
        assert_eq!(step, Step::TakeOver(Cause::HandedOver), "{says:?}");
    }
}

#[test]
fn of_two_claims_the_lesser_one_is_let_go() {
    for (theirs, of_both, of_theirs) in [
        (100, Step::Nothing, Step::Claim(DUE)),
        (150, Step::Unclaim, Step::Nothing),
        (200, Step::Unclaim, Step::Nothing),
    ] {
        let claiming = says(Stance::Claiming, theirs, false);
        let here = here(StateName::Backup);
        assert_eq!(next(&claimed(), at(1_100), &here, &claiming, 6), of_both, "{theirs}");
        assert_eq!(next(&Role::new(), at(1_100), &here, &claiming, 6), of_theirs, "{theirs}");
    }
}

#[test]
fn a_claim_that_was_only_due_ends_with_the_other_node_and_what_was_handed_over_does_not() {
    let nobody = |role: &Role, due| role.next(at(1_100), &Here { due, ..here(StateName::Backup) }, There::Nobody);
    assert_eq!(nobody(&claimed(), None), Step::Unclaim);
    assert_eq!(nobody(&claimed(), Some(DUE)), Step::TakeOver(DUE));
    assert_eq!(nobody(&Role::new(), None), Step::Nothing);
    let mut role = Role::new();
    role.claimed(at(1_000), 7, Cause::HandedOver);
    assert_eq!(nobody(&role, None), Step::TakeOver(Cause::HandedOver));
}

/// Where it could not be started again, what a former life left running is left to the other node; but in maintenance, when that
/// one waits.
#[test]
fn what_still_runs_here_goes_on_in_maintenance_only() {
    let standby = says(Stance::Standby, 100, false);
    for (resumes, frozen, waits, expected) in [
        (true, false, false, Step::GiveUp),
        (true, true, false, Step::Claim(Cause::Resumed)),
        (true, true, true, Step::Nothing),
        (false, false, false, Step::Nothing),
        // Nobody else would have the role.
        (false, true, false, Step::Claim(DUE)),
        (false, true, true, Step::Nothing),
    ] {
        let ready = Err(Name::from("no licence"));
        let here = Here { ready, busy: resumes, resumes, runs: resumes, frozen, waits, ..here(StateName::Backup) };
        assert_eq!(next(&Role::new(), at(1_100), &here, &standby, 6), expected, "{resumes} {frozen} {waits}");
    }
}

#[test]
fn of_two_active_ones_the_lesser_one_yields() {
    for (theirs, expected) in [(100, Step::Nothing), (150, Step::Yield), (200, Step::Yield)] {
        for stance in [Stance::Active, Stance::Offering(HandoverReason::Failback)] {
            let step = next(&Role::new(), at(1_100), &here(StateName::Active), &says(stance, theirs, false), 6);
            assert_eq!(step, expected, "{theirs}");
        }
    }
}

#[test]
fn an_offer_ends_as_what_has_come_of_it() {
    let active = here(StateName::Active);
    let leaving = Here { leaving: true, ..here(StateName::Active) };
    let not_standby = Step::Withdraw(RefusedCommand::NotStandby);
    let failed = Step::Withdraw(RefusedCommand::NotReady(Name::from("it has failed there")));
    let silent = Step::Withdraw(RefusedCommand::PeerSilent);
    for (here, stance, has_failed, now, seen, expected) in [
        (&active, Stance::Standby, false, 1_100, 6, Step::Nothing),
        (&active, Stance::Standby, false, 1_100, 7, Step::LetGo(HandoverReason::Operator)),
        (&active, Stance::Standby, false, 2_000, 6, silent),
        (&active, Stance::Standby, true, 1_100, 7, failed),
        (&active, Stance::Out, true, 1_100, 7, not_standby.clone()),
        (&active, Stance::Out, false, 1_100, 7, not_standby),
        (&active, Stance::Active, false, 1_100, 7, Step::DropOffer),
        (&leaving, Stance::Standby, false, 1_100, 7, Step::DropOffer),
    ] {
        let says = says(stance, 200, has_failed);
        assert_eq!(next(&offered(), at(now), here, &says, seen), expected, "{stance:?} {now} {seen}");
    }
    let standby = says(Stance::Standby, 200, false);
    assert_eq!(next(&Role::new(), at(1_100), &leaving, &standby, 7), Step::Nothing);
    assert_eq!(next(&Role::new(), at(1_100), &active, &standby, 7), Step::Nothing);
}
