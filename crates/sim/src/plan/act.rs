//! What can happen to a service on its node, what an operator can say, and the words for both.

use std::time::Duration;

use super::cursor::Cursor;
use super::measure::span_text;
use super::mistake::Mistake;

/// What can happen to a service on its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAct {
    /// All its processes die now.
    Crashes,
    /// From now on, it dies so long after it has come up.
    CrashesAfter(Duration),
    /// It no longer does.
    Holds,
    /// It is there and does not answer, not even to being asked to end.
    Hangs,
    /// What is there of it now is frozen: it does not answer until it is told to end. What is started later is well.
    Freezes,
    /// It answers its checks with errors.
    AnswersBadly,
    /// It answers as it should.
    Answers,
    /// From now on, it cannot be started.
    RefusesToStart,
    /// From now on, it does not come up once it was started.
    NeverComesUp,
    /// It starts as it should.
    Starts,
    /// From now on, it must be killed.
    IgnoresStop,
    /// From now on, even that does not help: it waits in the kernel.
    CannotDie,
    /// From now on, its manager refuses to end it, but not to kill it.
    RefusesToStop,
    /// It ends as it should.
    Stops,
    /// It could not be started here, and would be refused.
    NotReady,
    /// It could be.
    Ready,
    /// Its manager does not answer.
    OutOfSight,
    /// Its manager answers again.
    InSight,
    /// An operator starts it.
    StartedByHand,
    /// An operator stops it.
    StoppedByHand,
    /// From now on, it takes so long to come up.
    StartsIn(Duration),
    /// From now on, it takes so long to do its work once it has come up.
    AnswersIn(Duration),
    /// From now on, it takes so long to end.
    StopsIn(Duration),
}

const PLAIN: [(&str, ServiceAct); 18] = [
    ("crashes", ServiceAct::Crashes),
    ("holds", ServiceAct::Holds),
    ("hangs", ServiceAct::Hangs),
    ("freezes", ServiceAct::Freezes),
    ("answers_badly", ServiceAct::AnswersBadly),
    ("answers", ServiceAct::Answers),
    ("refuses_to_start", ServiceAct::RefusesToStart),
    ("never_comes_up", ServiceAct::NeverComesUp),
    ("starts", ServiceAct::Starts),
    ("ignores_stop", ServiceAct::IgnoresStop),
    ("cannot_die", ServiceAct::CannotDie),
    ("refuses_to_stop", ServiceAct::RefusesToStop),
    ("stops", ServiceAct::Stops),
    ("not_ready", ServiceAct::NotReady),
    ("ready", ServiceAct::Ready),
    ("out_of_sight", ServiceAct::OutOfSight),
    ("in_sight", ServiceAct::InSight),
    ("started_by_hand", ServiceAct::StartedByHand),
];

const WITH_SPAN: [&str; 4] = ["crashes_after", "starts_in", "answers_in", "stops_in"];

impl ServiceAct {
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let word = cursor.take("what happens to the service")?;
        if let Some((_, act)) = PLAIN.iter().find(|(name, _)| *name == word) {
            return Ok(*act);
        }
        Ok(match word {
            "stopped_by_hand" => Self::StoppedByHand,
            "crashes_after" => Self::CrashesAfter(cursor.span(word)?),
            "starts_in" => Self::StartsIn(cursor.span(word)?),
            "answers_in" => Self::AnswersIn(cursor.span(word)?),
            "stops_in" => Self::StopsIn(cursor.span(word)?),
            other => {
                let mut known: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).chain(WITH_SPAN).collect();
                known.push("stopped_by_hand");
                let mistake = cursor.before(format!("nothing called `{other}` can happen to a service"));
                return Err(mistake.did_you_mean(other, &known));
            }
        })
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::StoppedByHand => "stopped_by_hand".to_owned(),
            Self::CrashesAfter(span) => format!("crashes_after {}", span_text(span)),
            Self::StartsIn(span) => format!("starts_in {}", span_text(span)),
            Self::AnswersIn(span) => format!("answers_in {}", span_text(span)),
            Self::StopsIn(span) => format!("stops_in {}", span_text(span)),
            plain => {
                let found = PLAIN.iter().find(|(_, act)| *act == plain);
                found.map_or_else(String::new, |(name, _)| (*name).to_owned())
            }
        }
    }
}

/// What an operator can say to a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Move the role in order.
    Switch {
        /// To this node, or away from it.
        here: bool,
        /// Only ask.
        dry_run: bool,
    },
    /// Stand back.
    Hold,
    /// Stand back no longer.
    Release,
    /// Do nothing by itself for so long.
    Maintain(Option<Duration>),
    /// Maintenance is over.
    EndMaintenance,
    /// A human has seen to it.
    Acknowledge,
}

/// The words that an operator's line can begin with.
pub(crate) const ORDERS: [&str; 6] = ["switch", "hold", "release", "maintain", "end_maintenance", "ack"];

impl Order {
    /// The rest of a line that begins with `word`, one of [`ORDERS`].
    pub(crate) fn parse(word: &str, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        Ok(match word {
            "switch" => {
                let here = cursor.accept("here");
                if !here && !cursor.accept("away") {
                    return Err(cursor.here("expected `switch here` or `switch away`".to_owned()));
                }
                Self::Switch { here, dry_run: cursor.accept("dry_run") }
            }
            "hold" => Self::Hold,
            "release" => Self::Release,
            "end_maintenance" => Self::EndMaintenance,
            "maintain" => {
                let span = if cursor.accept("for") { Some(cursor.span("for")?) } else { None };
                Self::Maintain(span)
            }
            _ => Self::Acknowledge,
        })
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::Switch { here, dry_run } => {
                let where_to = if here { "here" } else { "away" };
                format!("switch {where_to}{}", if dry_run { " dry_run" } else { "" })
            }
            Self::Hold => "hold".to_owned(),
            Self::Release => "release".to_owned(),
            Self::Maintain(None) => "maintain".to_owned(),
            Self::Maintain(Some(span)) => format!("maintain for {}", span_text(span)),
            Self::EndMaintenance => "end_maintenance".to_owned(),
            Self::Acknowledge => "ack".to_owned(),
        }
    }
}

/// What can happen to what a daemon keeps for its next life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskAct {
    /// What is written is kept.
    Works,
    /// Nothing can be written.
    ReadOnly,
    /// What is there cannot be trusted.
    Damaged,
    /// Nothing is there any more.
    Lost,
}

const DISK: [(&str, DiskAct); 4] = [
    ("works", DiskAct::Works),
    ("read_only", DiskAct::ReadOnly),
    ("damaged", DiskAct::Damaged),
    ("lost", DiskAct::Lost),
];

impl DiskAct {
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let word = cursor.take("works, read_only, damaged or lost")?;
        match DISK.iter().find(|(name, _)| *name == word) {
            Some((_, act)) => Ok(*act),
            None => {
                let names = DISK.map(|(name, _)| name);
                Err(cursor.before(format!("a disk cannot be `{word}`")).did_you_mean(word, &names))
            }
        }
    }

    pub(crate) fn text(self) -> &'static str {
        DISK.iter().find(|(_, act)| *act == self).map_or("", |(name, _)| name)
    }
}
