//! What is promised while something goes wrong and after it, in formulas of the plan: each limit is a sum of what the fault
//! itself takes and of what the nodes need to answer it. [`Promise::limits`] makes milliseconds of them.
//!
//! They are those of a machine that does nothing else. What ours was held up by in a round is measured beside it ([`Held`])
//! and forgiven, so that a busy machine is not taken for a broken promise and a quiet one forgives nothing.

use std::time::Duration;

use crate::ground::Plan;

/// When another node may take the role. It must have heard nothing for three intervals, or a goodbye, in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Not because of this.
    Never,
    /// If the one who has it is hit; each of the others so many times at most, and the best of them has it in the end.
    WhenActive(usize),
    /// If three advertisements in a row were kept from it; each of them so many times, if that is bounded.
    WhenDeaf(Option<usize>),
}

/// How long two may have the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// Not at all.
    None,
    /// Until the kernel lets go of what nobody renews: its lifetime and half a second.
    Lifetime,
    /// While they cannot hear each other; and then until one has heard the other: two intervals and 50 ms from the first
    /// advertisement on that was not kept from who must let go.
    UntilHeard,
}

/// Whether a service that is a `command` may run on two nodes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twice {
    /// Never.
    Never,
    /// While one node can't know of the other, and then until they have heard each other and one has stopped it.
    UntilHeard,
}

/// All that is promised for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    pub changes: Changes,
    pub overlap: Overlap,
    /// How long nobody may have the address.
    pub gap: Span,
    pub twice: Twice,
    /// How long the service may run nowhere.
    pub rest: Span,
    /// From the end of the fault to good order.
    pub recovery: Span,
}

/// A sum of what takes time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Advertisement intervals.
    pub intervals: u32,
    /// A node is silent, and another one takes over.
    pub take_overs: u32,
    /// A daemon or a service ends or begins.
    pub starts: u32,
    /// A service that does not answer is found out and ended.
    pub hangs: u32,
    /// A node on which the service has failed, or that begins, is a standby again.
    pub standbys: u32,
    /// What was not accepted is told as a danger for some time.
    pub refusals: u32,
    /// As long as the fault itself lasted.
    pub faults: u32,
}

/// Three checks of the service that wait a second each, a second from one to the next, and two to end what hangs.
const HANG: Duration = Duration::from_secs(6);
/// Two questions in a row, half a second apart (`readiness_interval`, `readiness_rise`), and a second until the next check of
/// the service that runs elsewhere.
const STANDBY: Duration = Duration::from_secs(2);
/// So long, or four intervals if they are longer, `status` warns of advertisements that are not accepted.
const REFUSAL: Duration = Duration::from_secs(4);
/// A daemon or a service that has nothing to do but to begin or to end.
const START: Duration = Duration::from_millis(500);
/// That takes longer where programs need longer to start: as many times as long as a program does that does nothing.
const STARTS_IN_A_START: u32 = 10;
/// Silence on all paths after which the other node of a pair is dead (`dead_after`).
const DEAD_AFTER: Duration = Duration::from_millis(800);
/// A service that ticks each 20 ms is at rest after so long without a tick.
const AT_REST: Duration = Duration::from_millis(200);
/// Who looks every 10 ms and is held up a little sees a change so much late.
pub(crate) const UNSHARP: Duration = Duration::from_millis(50);

impl Span {
    pub(crate) const NOTHING: Self =
        Self { intervals: 0, take_overs: 0, starts: 0, hangs: 0, standbys: 0, refusals: 0, faults: 0 };
    /// A router that hears a better one again, or nothing any more.
    const AT_ONCE: Self = Self { intervals: 2, ..Self::NOTHING };

    fn of(self, plan: &Plan, held: &Held) -> Duration {
        let refusal = REFUSAL.max(plan.interval() * 4);
        let (hang, standby, refusal) = if plan.has_service() { (HANG, STANDBY, refusal) } else { Default::default() };
        // Active_Down_Interval of any of them is less than four intervals (RFC 9568 §6.1).
        let mut take_over = plan.silence() + plan.interval();
        if plan.has_service() {
            take_over = take_over.max(DEAD_AFTER + plan.interval());
        }
        plan.interval() * self.intervals
            + take_over * self.take_overs
            + (START + held.start * STARTS_IN_A_START) * self.starts
            + hang * self.hangs
            + standby * self.standbys
            + refusal * self.refusals
            + held.fault * self.faults
    }
}

/// What took its time in a round, whoever was to blame, and cannot be promised by a daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How long the fault lasted.
    pub fault: Duration,
    /// The longest time in which we ourselves were not let run, and perhaps those who are watched.
    pub stall: Duration,
    /// All such times together.
    pub stalls: Duration,
    /// The longest time that a program which does nothing needed to start and end.
    pub start: Duration,
    /// By how much longer than an interval the fault has made the daemon stand still.
    pub stood: Duration,
}

impl Held {
    /// The same fault on a machine that does nothing else.
    #[must_use]
    pub fn on_a_quiet_machine(&self) -> Self {
        Self { fault: self.fault, stood: self.stood, ..Self::default() }
    }
}

/// The promise of a fault in a plan, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How often each other node may take the role; `None` if only its reasons count.
    pub changes: Option<usize>,
    pub overlap: Duration,
    pub gap: Duration,
    pub twice: Duration,
    pub rest: Duration,
    pub recovery: Duration,
    /// How long a worse node may have the role before the best one that is left has it.
    pub precedence: Duration,
}

impl Promise {
    /// Nobody may notice.
    pub const UNTOUCHED: Self = Self {
        changes: Changes::Never,
        overlap: Overlap::None,
        gap: Span::NOTHING,
        twice: Twice::Never,
        rest: Span::NOTHING,
        recovery: Span::AT_ONCE,
    };
    /// The address is taken away: it is put back.
    pub const PUT_BACK: Self = Self { gap: Span { intervals: 1, ..Span::NOTHING }, ..Self::UNTOUCHED };
    /// A node is silent without a word: another one takes over, and its addresses go by themselves. It may begin again just
    /// before anybody has noticed.
    pub const DEAD: Self = Self {
        changes: Changes::WhenActive(1),
        overlap: Overlap::Lifetime,
        gap: Span { take_overs: 1, starts: 1, ..Span::NOTHING },
        twice: Twice::Never,
        rest: Span { take_overs: 2, starts: 2, ..Span::NOTHING },
        recovery: Span { take_overs: 1, starts: 2, standbys: 1, ..Span::NOTHING },
    };
    /// The role goes by its holder's own word.
    pub const HANDED_OVER: Self = Self {
        changes: Changes::WhenActive(1),
        overlap: Overlap::None,
        gap: Span { intervals: 1, ..Span::NOTHING },
        twice: Twice::Never,
        rest: Span { starts: 2, ..Span::NOTHING },
        recovery: Span { take_overs: 1, starts: 2, standbys: 1, ..Span::NOTHING },
    };
    /// Advertisements are lost.
    pub const UNHEARD: Self =
        Self { changes: Changes::WhenDeaf(None), overlap: Overlap::UntilHeard, ..Self::UNTOUCHED };
    /// Nobody hears anybody.
    pub const CUT_OFF: Self = Self {
        changes: Changes::WhenDeaf(Some(1)),
        overlap: Overlap::UntilHeard,
        twice: Twice::UntilHeard,
        rest: Span { starts: 1, ..Span::NOTHING },
        recovery: Span { intervals: 2, starts: 1, standbys: 1, ..Span::NOTHING },
        ..Self::UNTOUCHED
    };

    /// Each other node may take the role so many times.
    #[must_use]
    pub const fn changes(self, each: usize) -> Self {
        Self { changes: Changes::WhenActive(each), ..self }
    }

    /// Another limit for the time in which nobody has the address.
    #[must_use]
    pub const fn gap(self, gap: Span) -> Self {
        Self { gap, ..self }
    }

    /// Another limit for the time in which the service runs nowhere.
    #[must_use]
    pub const fn rest(self, rest: Span) -> Self {
        Self { rest, ..self }
    }

    /// Another limit for the way back to good order.
    #[must_use]
    pub const fn recovery(self, recovery: Span) -> Self {
        Self { recovery, ..self }
    }

    /// In numbers, with what we were held up by.
    #[must_use]
    pub fn limits(&self, plan: &Plan, held: &Held) -> Limits {
        let until_heard = plan.interval() * 2;
        Limits {
            changes: match self.changes {
                Changes::Never => Some(0),
                Changes::WhenActive(each) => Some(each),
                Changes::WhenDeaf(each) => each,
            },
            overlap: UNSHARP
                + held.stall
                + match self.overlap {
                    Overlap::None => Duration::ZERO,
                    Overlap::Lifetime => plan.lifetime() + Duration::from_millis(500),
                    Overlap::UntilHeard => until_heard + Duration::from_millis(50),
                },
            gap: UNSHARP + held.stalls + held.stood + self.gap.of(plan, held),
            twice: held.stall
                + match self.twice {
                    Twice::Never => Duration::ZERO,
                    // They hear each other within an interval; the one who gives way stops it first.
                    Twice::UntilHeard => until_heard + Duration::from_millis(100),
                },
            rest: AT_REST + held.stalls + self.rest.of(plan, held),
            recovery: UNSHARP + held.stalls + self.recovery.of(plan, held),
            precedence: plan.interval() + held.stall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FAULTS;
    use crate::ground::Cast;

    fn plan(cast: Cast) -> Plan {
        Plan { cast, advert: 20, tanist: "tanist".into(), keepalived: "keepalived".to_owned(), faketime: None }
    }

    fn check(name: &str, cast: Cast, held: Held, expected: &str) {
        let fault = FAULTS.iter().find(|fault| fault.name == name).expect("it is in the list");
        let Limits { changes, overlap, gap, twice, rest, recovery, precedence } =
            fault.promise.limits(&plan(cast), &held);
        let in_ms = [overlap, gap, twice, rest, recovery, precedence].map(|span| span.as_millis());
        let text = format!("{changes:?} {in_ms:?}");
        assert_eq!(text, expected, "{name} on {cast}");
    }

    #[test]
    fn limits_on_a_quiet_machine_in_milliseconds() {
        let quiet = Held { fault: Duration::from_secs(5), ..Held::default() };
        //                                               changes, overlap, gap, twice, rest, recovery, precedence
        check("bad-reload", Cast::Pair, quiet, "Some(0) [50, 50, 0, 200, 450, 200]");
        check("kill", Cast::Trio, quiet, "Some(1) [3550, 1350, 0, 2800, 1850, 200]");
        check("kill", Cast::Services, quiet, "Some(1) [3550, 1550, 0, 3200, 4050, 200]");
        check("delete-10-hz", Cast::Pair, quiet, "Some(0) [50, 250, 0, 200, 450, 200]");
        check("stop", Cast::Services, quiet, "Some(1) [50, 250, 0, 1200, 4050, 200]");
        check("partition", Cast::Services, quiet, "Some(1) [500, 50, 500, 700, 2950, 200]");
        check("loss", Cast::Pair, quiet, "None [500, 50, 0, 200, 450, 200]");
        check("service-freeze", Cast::Services, quiet, "Some(1) [50, 250, 0, 7200, 4050, 200]");
        // What is told for four seconds is told to operators of a pair alone.
        check("rubbish", Cast::Services, quiet, "Some(0) [50, 50, 0, 200, 4450, 200]");
        check("rubbish", Cast::Pair, quiet, "Some(0) [50, 50, 0, 200, 450, 200]");
        check("service-broken", Cast::Services, quiet, "Some(1) [50, 250, 0, 6200, 4050, 200]");
    }

    #[test]
    fn a_busy_machine_is_forgiven_what_was_measured() {
        let ms = Duration::from_millis;
        let held = Held { fault: ms(5000), stall: ms(30), stalls: ms(70), start: ms(20), stood: ms(0) };
        check("kill", Cast::Services, held, "Some(1) [3580, 1820, 30, 3670, 4520, 230]");
        assert_eq!(held.on_a_quiet_machine(), Held { fault: ms(5000), ..Held::default() });
    }
}
