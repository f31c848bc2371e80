//! What was seen, held against what was promised. Pure.

use std::time::Duration;

use crate::audit::TakeOver;
use crate::ground::Kind;
use crate::promise::{Changes, Limits, Promise, Twice};
use crate::work::Work;

/// Something that was promised and not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// In words.
    pub what: String,
    pub blame: Blame,
    pub(crate) log: Log,
}

/// Whose log says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Nobodys,
    Of(usize),
    Everybodys,
}

/// Who may be to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The daemons, whatever the machine did.
    Daemon,
    /// The daemons; or a machine that has let them not run for some time, if it has: something came late, or somebody was
    /// silent for too long.
    PerhapsMachine,
}

/// What was seen in a round, as far as it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) promise: &'a Promise,
    pub(crate) limits: Limits,
    /// The nodes, the best one first.
    pub(crate) nodes: &'a [(&'a str, Kind)],
    /// Which one was hit.
    pub(crate) hit: usize,
    /// Nobody takes over rightly before he has heard nothing for so long, or a goodbye, ...
    pub(crate) patience: Duration,
    /// ... unless it was agreed on elsewhere.
    pub(crate) may_be_agreed: bool,
    pub(crate) taken: &'a [TakeOver],
    pub(crate) overlap: Duration,
    pub(crate) gap: Duration,
    pub(crate) work: Option<Work>,
    pub(crate) recovery: Option<Duration>,
    /// Descriptors more than before.
    pub(crate) descriptors: i64,
}

/// The verdict on a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Role changes that are explained, except the way back.
    pub(crate) with_cause: usize,
    /// The most of them to the same node.
    pub(crate) most: usize,
    /// Role changes that nothing explains.
    pub(crate) without_cause: usize,
    /// A keepalived took the role although it had just heard a better router. That says nothing about ours.
    pub(crate) by_others: usize,
    pub(crate) breaches: Vec<Breach>,
}

impl Breach {
    pub(crate) fn of_daemon(what: impl Into<String>) -> Self {
        Self { what: what.into(), blame: Blame::Daemon, log: Log::Nobodys }
    }

    fn late(what: impl Into<String>) -> Self {
        Self { what: what.into(), blame: Blame::PerhapsMachine, log: Log::Nobodys }
    }
}

impl Evidence<'_> {
    pub(crate) fn judge(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.judge_changes(&mut verdict);
        self.judge_times(&mut verdict.breaches);
        if self.descriptors > 0 {
            let what = format!("{} descriptors more than before", self.descriptors);
            verdict.breaches.push(Breach::of_daemon(what));
        }
        verdict
    }

    fn judge_changes(&self, verdict: &mut Verdict) {
        let mut each = vec![0; self.nodes.len()];
        for taken in self.taken {
            let (name, kind) = self.nodes[taken.by];
            if kind == Kind::Keepalived && taken.silence < self.patience {
                verdict.by_others += 1;
                continue;
            }
            if !self.has_cause(taken) {
                verdict.without_cause += 1;
                verdict.breaches.push(without_cause(name, taken));
                continue;
            }
            verdict.with_cause += 1;
            // The role of the one who is hit is for the best of the others. It may be some milliseconds behind a worse one.
            let is_for_another = matches!(self.promise.changes, Changes::WhenActive(_)) && taken.by > 1;
            match taken.outdone {
                Some(after) if is_for_another && after <= self.limits.precedence => {}
                Some(_) | None if is_for_another => {
                    let (best, _) = self.nodes[1];
                    let what = format!("{name} took the role and kept it, though {best} is better");
                    verdict.breaches.push(Breach { log: Log::Of(1), ..Breach::late(what) });
                }
                Some(_) | None => each[taken.by] += 1,
            }
        }
        verdict.most = each.iter().copied().max().unwrap_or_default();
        if self.limits.changes.is_some_and(|most| verdict.most > most) && self.promise.changes != Changes::Never {
            let what = format!("the same node took the role {} times", verdict.most);
            verdict.breaches.push(Breach::late(what + &of(self.limits.changes.unwrap_or_default(), "")));
        }
    }

    fn has_cause(&self, taken: &TakeOver) -> bool {
        (taken.silence >= self.patience || self.may_be_agreed)
            && match self.promise.changes {
                Changes::Never => false,
                Changes::WhenActive(_) => self.hit == 0,
                Changes::WhenDeaf(_) => taken.because_deaf,
            }
    }

    fn judge_times(&self, breaches: &mut Vec<Breach>) {
        let limits = &self.limits;
        let mut longer = |what: &str, span: Duration, limit: Duration| {
            if span > limit {
                breaches.push(Breach::late(format!("{what} {} ms{}", span.as_millis(), of(limit.as_millis(), " ms"))));
            }
        };
        longer("two had the address for", self.overlap, limits.overlap);
        longer("nobody had the address for", self.gap, limits.gap);
        if let Some(work) = self.work {
            longer("the service ran nowhere for", work.rest, limits.rest);
        }
        if let Some(recovery) = self.recovery {
            longer("good order came after", recovery, limits.recovery);
        }
        if let Some(work) = self.work {
            let twice = match self.promise.twice {
                Twice::Never => work.twice,
                Twice::UntilHeard => work.twice_afterwards,
            };
            if twice > limits.twice {
                let (twice, limit) = (twice.as_millis(), of(limits.twice.as_millis(), " ms"));
                breaches.push(Breach::of_daemon(format!("the service ran twice for {twice} ms{limit}")));
            }
        }
        if self.recovery.is_none() {
            breaches.push(Breach { log: Log::Everybodys, ..Breach::of_daemon("no good order came after it") });
        }
    }
}

fn of(limit: impl std::fmt::Display, unit: &str) -> String {
    format!(" (at most {limit}{unit} are promised)")
}

fn without_cause(name: &str, taken: &TakeOver) -> Breach {
    let breach = match taken.silence {
        Duration::MAX => Breach::of_daemon(format!("{name} took the role after a goodbye, or nothing at all")),
        silence => Breach::late(format!("{name} took the role after {} ms of silence", silence.as_millis())),
    };
    Breach { log: Log::Of(taken.by), ..breach }
}

#[cfg(test)]
mod tests {
    use rehearse::lab::Moment;

    use super::*;

    const TRIO: &[(&str, Kind)] = &[("a", Kind::Tanist), ("b", Kind::Keepalived), ("c", Kind::Tanist)];
    const PAIR: &[(&str, Kind)] = &[("a", Kind::Tanist), ("b", Kind::Tanist)];

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// In good order, and nothing happened.
    fn evidence<'a>(promise: &'a Promise, nodes: &'a [(&'a str, Kind)], taken: &'a [TakeOver]) -> Evidence<'a> {
        let limits = Limits {
            changes: match promise.changes {
                Changes::Never => Some(0),
                Changes::WhenActive(each) => Some(each),
                Changes::WhenDeaf(each) => each,
            },
            overlap: ms(10),
            gap: ms(20),
            twice: ms(0),
            rest: ms(30),
            recovery: ms(40),
            precedence: ms(200),
        };
        Evidence {
            promise,
            limits,
            nodes,
            hit: 0,
            patience: ms(580),
            may_be_agreed: false,
            taken,
            overlap: ms(10),
            gap: ms(20),
            work: Some(Work { twice: ms(0), twice_afterwards: ms(0), rest: ms(30), starts: 0 }),
            recovery: Some(ms(40)),
            descriptors: 0,
        }
    }

    fn taken(by: usize, silence: u64, outdone: Option<u64>) -> TakeOver {
        let silence = if silence == 0 { Duration::MAX } else { ms(silence) };
        TakeOver { at: Moment::from_nanos(0), by, silence, because_deaf: false, outdone: outdone.map(ms) }
    }

    /// What is said, with a question mark where the machine may be to blame.
    fn check(evidence: &Evidence<'_>, expected: &[&str]) {
        let breaches = evidence.judge().breaches;
        let mark = |breach: &Breach| if breach.blame == Blame::PerhapsMachine { "? " } else { "" };
        let said: Vec<String> = breaches.iter().map(|breach| format!("{}{}", mark(breach), breach.what)).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn each_limit_is_held_against_what_was_seen() {
        let good = evidence(&Promise::UNTOUCHED, PAIR, &[]);
        check(&good, &[]);
        let late = Evidence { overlap: ms(11), gap: ms(59_000), recovery: Some(ms(41)), ..good.clone() };
        let said = [
            "? two had the address for 11 ms (at most 10 ms are promised)",
            "? nobody had the address for 59000 ms (at most 20 ms are promised)",
            "? good order came after 41 ms (at most 40 ms are promised)",
        ];
        check(&late, &said);
        let work = |twice, twice_afterwards, rest| {
            Some(Work { twice: ms(twice), twice_afterwards: ms(twice_afterwards), rest: ms(rest), starts: 1 })
        };
        let rests = "? the service ran nowhere for 31 ms (at most 30 ms are promised)";
        check(&Evidence { work: work(0, 0, 31), ..good.clone() }, &[rests]);
        let twice = "the service ran twice for 1 ms (at most 0 ms are promised)";
        check(&Evidence { work: work(1, 0, 0), ..good.clone() }, &[twice]);
        let cut_off = Evidence { promise: &Promise::CUT_OFF, ..good.clone() };
        check(&Evidence { work: work(900, 0, 0), ..cut_off.clone() }, &[]);
        check(&Evidence { work: work(900, 1, 0), ..cut_off }, &[twice]);
        check(&Evidence { recovery: None, ..good.clone() }, &["no good order came after it"]);
        check(&Evidence { descriptors: 2, ..good.clone() }, &["2 descriptors more than before"]);
        check(&Evidence { descriptors: -2, ..good }, &[]);
    }

    #[test]
    fn a_role_change_needs_a_cause() {
        let silent = [taken(1, 680, None)];
        check(&evidence(&Promise::DEAD, PAIR, &silent), &[]);
        let early = "? b took the role after 680 ms of silence";
        check(&evidence(&Promise::UNTOUCHED, PAIR, &silent), &[early]);
        check(&Evidence { hit: 1, ..evidence(&Promise::DEAD, PAIR, &silent) }, &[early]);
        let soon = [taken(1, 300, None)];
        check(&evidence(&Promise::DEAD, PAIR, &soon), &["? b took the role after 300 ms of silence"]);
        check(&Evidence { may_be_agreed: true, ..evidence(&Promise::DEAD, PAIR, &soon) }, &[]);
        let goodbye = [taken(1, 0, None)];
        let said = "b took the role after a goodbye, or nothing at all";
        check(&evidence(&Promise::UNTOUCHED, PAIR, &goodbye), &[said]);
        // They were not kept from it.
        check(&evidence(&Promise::UNHEARD, PAIR, &silent), &[early]);
        let deaf = [TakeOver { because_deaf: true, ..silent[0] }; 3];
        check(&evidence(&Promise::UNHEARD, PAIR, &deaf), &[]);
    }

    #[test]
    fn a_role_changes_so_often_and_not_more_often() {
        let often = [taken(1, 680, None); 12];
        let said = "? the same node took the role 12 times (at most 1 are promised)";
        check(&Evidence { may_be_agreed: true, ..evidence(&Promise::HANDED_OVER, PAIR, &often) }, &[said]);
        check(&evidence(&Promise::HANDED_OVER.changes(12), PAIR, &often), &[]);
    }

    #[test]
    fn the_best_one_that_is_left_takes_over() {
        let best = [taken(1, 680, None)];
        check(&evidence(&Promise::DEAD, TRIO, &best), &[]);
        let behind = [taken(2, 720, Some(30)), taken(1, 750, None)];
        check(&evidence(&Promise::DEAD, TRIO, &behind), &[]);
        let said = "? c took the role and kept it, though b is better";
        check(&evidence(&Promise::DEAD, TRIO, &[taken(2, 720, None)]), &[said]);
        check(&evidence(&Promise::DEAD, TRIO, &[taken(2, 720, Some(201))]), &[said]);
        // Nobody hears anybody: each of them takes it.
        let cut_off = [1, 2].map(|by| TakeOver { because_deaf: true, ..taken(by, 720, None) });
        check(&evidence(&Promise::CUT_OFF, TRIO, &cut_off), &[]);
    }

    #[test]
    fn what_keepalived_does_of_itself_is_not_ours() {
        let hasty = [taken(1, 70, Some(3))];
        let verdict = evidence(&Promise::UNTOUCHED, TRIO, &hasty).judge();
        assert_eq!(verdict, Verdict { by_others: 1, ..Verdict::default() });
        check(
            &evidence(&Promise::UNTOUCHED, TRIO, &[taken(2, 70, Some(3))]),
            &["? c took the role after 70 ms of silence"],
        );
    }
}
