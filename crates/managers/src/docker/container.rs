//! One container: what was ordered, what docker says, and what follows. Values in, values out.
//!
//! Whose doing an end was is told by docker's events. `docker stop` is the stop signal, the end (`die`) and then `stop`;
//! a crash is a `die` alone, and so, as somebody who wants to see a failover does it, is `docker kill`, but for its
//! signal. So an end after the stop signal waits a moment for the `stop` that makes it an operator's doing, and that
//! one waits a moment for the `start` that makes it a restart, of which nothing is told. Other ends wait for nothing.
//!
//! Each order goes to docker on a connection of its own, so that a later one may overtake an earlier. Until docker has
//! answered our start, nobody can say that nothing runs: a stop before it has ended nothing, and it comes up after all.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use engine::{Ending, Name, ServiceOrder, ServiceReport};

use super::words::{Description, Event, stop_signal};
use crate::Weight;

/// How long an event may be behind the one that it belongs to.
const BELONGS: Duration = Duration::from_secs(1);

/// When a container is asked for again of which docker does not tell.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What a container wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// Ask docker; [`Container::replied`] or [`Container::described`] takes the answer.
    Ask(Ask),
    Report(ServiceReport),
    Remark(Weight, String),
}

/// What docker is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Describe,
    Start,
    /// Ask it to end, however long that takes: when it is to be killed is the engine's business.
    Stop,
    /// Keep docker from starting it again.
    GiveUp,
    Kill,
    /// Whether the image with this id is there.
    Image(String),
}

/// An order that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Start,
    Stop,
    Kill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Running,
    Gone,
    Unknown,
}

/// What is known of a container.
#[derive(Clone, Debug)]
enum Found {
    Absent,
    There(Box<Description>),
}

/// One container and the service that it is.
#[derive(Debug)]
pub(crate) struct Container {
    name: String,
    watched: bool,
    /// `None` while docker does not answer.
    found: Option<Found>,
    /// The id of what was running when docker last told. It stays the service, whatever it is called meanwhile.
    up: Option<String>,
    wish: Option<Wish>,
    /// Starts, stops and kills that docker has not answered yet.
    unanswered: u32,
    /// Those of them that are starts.
    starting: u32,
    /// One of them is a kill.
    killing: bool,
    /// A start was not answered when the connection was lost: docker may still be at it.
    start_in_doubt: bool,
    told: Option<Told>,
    assessing: bool,
    /// A description has been asked for.
    describing: bool,
    /// It was asked for by its id.
    by_id: bool,
    /// Why docker did not give one when it was asked last, and when it is asked again.
    withheld: Option<(String, Instant)>,
    /// Something has happened since; the description may be older.
    outdated: bool,
    /// Somebody else has sent the stop signal since it started.
    signalled: bool,
    /// It has been sent while our stop was not answered.
    asked_to_end: bool,
    stopped_by_other: bool,
    /// It has ended with this status, which was not told yet.
    ended: Option<i64>,
    /// docker has been asked to keep from starting it again, and has not answered.
    giving_up: bool,
    /// docker will not start it again by itself.
    given_up: bool,
    /// Until then the cause of an end may turn out.
    wait_until: Option<Instant>,
    refusal: Option<String>,
    remarks: BTreeSet<String>,
}

impl Container {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            watched: false,
            found: None,
            up: None,
            wish: None,
            unanswered: 0,
            starting: 0,
            killing: false,
            start_in_doubt: false,
            told: None,
            assessing: false,
            describing: false,
            by_id: false,
            withheld: None,
            outdated: false,
            signalled: false,
            asked_to_end: false,
            stopped_by_other: false,
            ended: None,
            giving_up: false,
            given_up: false,
            wait_until: None,
            refusal: None,
            remarks: BTreeSet::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What docker is to be asked by: while it runs by its id, since its name may be another's. What is started is whatever
    /// has the name.
    pub(crate) fn address(&self, ask: &Ask) -> &str {
        let found = match &self.found {
            Some(Found::There(description)) => Some(&description.id),
            Some(Found::Absent) | None => None,
        };
        let id = match ask {
            Ask::Describe => self.up.as_ref().filter(|_| self.by_id),
            // It has ended, and docker would start it again.
            Ask::GiveUp => self.up.as_ref().or(found),
            Ask::Start | Ask::Stop | Ask::Kill | Ask::Image(_) => self.up.as_ref(),
        };
        id.unwrap_or(&self.name)
    }

    /// An order waits for docker to answer at all.
    pub(crate) fn order_waits(&self) -> bool {
        self.wish.is_some() && self.found.is_none()
    }

    /// It has been sent the stop signal since we asked for its stop.
    pub(crate) fn is_asked_to_end(&self) -> bool {
        self.asked_to_end
    }

    /// When [`look_again`](Self::look_again) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let ask_again = self.withheld.as_ref().map(|(_, at)| *at);
        self.wait_until.into_iter().chain(ask_again).min()
    }

    pub(crate) fn order(&mut self, order: ServiceOrder, now: Instant, out: &mut Vec<Out>) {
        match order {
            ServiceOrder::Watch => {
                self.watched = true;
                self.told = None;
                self.settle(now, out);
            }
            ServiceOrder::Start => self.want(Wish::Start, out),
            ServiceOrder::Stop => self.want(Wish::Stop, out),
            ServiceOrder::Kill => self.want(Wish::Kill, out),
            ServiceOrder::AssessReadiness => {
                self.assessing = true;
                // Otherwise it is described, or lost, soon.
                if self.found.is_some() {
                    self.describe(out);
                }
            }
            // Whoever keeps the containers forgets this one.
            ServiceOrder::Forget => {}
        }
        if let Some((reason, _)) = self.withheld.clone() {
            self.lost(&reason, out);
        }
    }

    fn want(&mut self, wish: Wish, out: &mut Vec<Out>) {
        self.watched = true;
        self.wish = Some(wish);
        self.refusal = None;
        self.asked_to_end = false;
        if self.found.is_some() {
            self.pursue(wish, out);
        }
    }

    fn pursue(&mut self, wish: Wish, out: &mut Vec<Out>) {
        if wish == Wish::Kill && self.killing {
            // docker may take its time for what it does, and once is enough. Whether it answers at all is asked instead.
            return self.describe(out);
        }
        self.killing |= wish == Wish::Kill;
        self.unanswered += 1;
        self.starting += u32::from(wish == Wish::Start);
        out.push(Out::Ask(match wish {
            Wish::Start => Ask::Start,
            Wish::Stop => Ask::Stop,
            Wish::Kill => Ask::Kill,
        }));
    }

    /// Asks for a description that is not older than now.
    pub(crate) fn describe(&mut self, out: &mut Vec<Out>) {
        if self.describing {
            self.outdated = true;
        } else {
            self.describing = true;
            self.by_id = self.up.is_some();
            self.withheld = None;
            out.push(Out::Ask(Ask::Describe));
        }
    }

    /// docker no longer answers: nothing is known, and what was asked has no answer any more.
    pub(crate) fn disconnected(&mut self) {
        self.found = None;
        self.start_in_doubt |= self.starting > 0;
        self.unanswered = 0;
        self.starting = 0;
        self.killing = false;
        self.describing = false;
        self.withheld = None;
        self.outdated = false;
        self.giving_up = false;
        self.given_up = false;
        self.signalled = false;
        self.asked_to_end = false;
        self.wait_until = None;
    }

    /// It has not answered for too long.
    pub(crate) fn lost(&mut self, reason: &str, out: &mut Vec<Out>) {
        if self.watched && self.told != Some(Told::Unknown) {
            self.told = Some(Told::Unknown);
            out.push(Out::Report(ServiceReport::Unknown(Name::from(reason))));
        }
        if self.assessing {
            self.assessed(Err(reason.to_owned()), out);
        }
    }

    /// The answer to [`Ask::Describe`]; `None` if there is no such container.
    pub(crate) fn described(&mut self, description: Option<Description>, now: Instant, out: &mut Vec<Out>) {
        self.describing = false;
        if std::mem::take(&mut self.outdated) {
            return self.describe(out);
        }
        if description.is_none() && self.by_id {
            // What was running has been removed. Perhaps there is another one of the name.
            self.up = None;
            return self.describe(out);
        }
        let was_unknown = self.found.is_none();
        // A start that is asked for once more is answered after the first.
        if std::mem::take(&mut self.start_in_doubt) && self.wish != Some(Wish::Start) {
            self.wait_until = Some(now + BELONGS);
        }
        self.up = description
            .as_ref()
            .filter(|found| found.state.running && !found.id.is_empty())
            .map(|found| found.id.clone());
        self.remark_on(description.as_ref(), out);
        if self.assessing {
            match &description {
                None => self.assessed(Err(format!("there is no container {}", self.name)), out),
                Some(description) if description.state.dead => {
                    self.assessed(Err(format!("the container {} is dead and can only be removed", self.name)), out);
                }
                Some(description) => out.push(Out::Ask(Ask::Image(description.image.clone()))),
            }
        }
        self.found = Some(description.map_or(Found::Absent, |description| Found::There(Box::new(description))));
        if was_unknown && let Some(wish) = self.wish {
            // All are harmless if they had been heard before the connection was lost.
            self.pursue(wish, out);
        }
        self.settle(now, out);
    }

    /// Instead of an answer to [`Ask::Describe`]: docker does not tell of this one.
    pub(crate) fn withheld(&mut self, reason: &str, now: Instant, out: &mut Vec<Out>) {
        self.describing = false;
        if std::mem::take(&mut self.outdated) {
            return self.describe(out);
        }
        self.withheld = Some((reason.to_owned(), now + ASK_AGAIN));
        self.lost(reason, out);
    }

    /// The answer to [`Ask::Image`].
    pub(crate) fn image_found(&mut self, found: bool, out: &mut Vec<Out>) {
        if self.assessing {
            let missing = || format!("the image of the container {} is not there", self.name);
            let readiness = if found { Ok(()) } else { Err(missing()) };
            self.assessed(readiness, out);
        }
    }

    fn assessed(&mut self, readiness: Result<(), String>, out: &mut Vec<Out>) {
        self.assessing = false;
        let readiness = readiness.map_err(|reason| Name::from(reason.as_str()));
        out.push(Out::Report(ServiceReport::Readiness(readiness)));
    }

    fn remark_on(&mut self, description: Option<&Description>, out: &mut Vec<Out>) {
        let name = &self.name;
        let mut remarks = BTreeSet::new();
        if let Some(description) = description {
            let policy = &description.host_config.restart_policy;
            if policy.restarts() {
                remarks.insert(format!(
                    "the container {name} has --restart={}: docker would start it behind our back, also at boot. \
                     To leave it to us: docker update --restart=no {name}",
                    policy.name
                ));
            }
            if let Some(other) = description.other_name(name).filter(|_| description.state.running) {
                remarks.insert(format!(
                    "the container {name} is called {other} now: it remains the service until it ends, and then whatever \
                     is called {name} takes its place"
                ));
            }
            if description.state.paused {
                remarks.insert(format!("the container {name} is paused"));
            }
        }
        for remark in remarks.difference(&self.remarks) {
            out.push(Out::Remark(Weight::Warning, remark.clone()));
        }
        self.remarks = remarks;
    }

    /// docker tells that something has happened to a container; perhaps to this one.
    pub(crate) fn happened(&mut self, event: &Event, now: Instant, out: &mut Vec<Out>) {
        let id = match &self.found {
            Some(Found::There(description)) => Some(description.id.as_str()),
            Some(Found::Absent) | None => None,
        };
        // What has its name while it runs under another is something else.
        let is_another = self.up.as_ref().is_some_and(|up| *up != event.actor.id);
        if !event.concerns(&self.name, id) || is_another {
            return;
        }
        let by_us = matches!(self.wish, Some(Wish::Stop | Wish::Kill)) || self.unanswered > 0;
        match event.action.as_str() {
            "start" => {
                if id == Some(event.actor.id.as_str()) {
                    self.up = Some(event.actor.id.clone());
                }
                self.signalled = false;
                self.stopped_by_other = false;
                self.given_up = false;
                self.wait_until = None;
                // Of what docker began again before we could keep it from that, the end will be our doing.
                if !self.giving_up {
                    self.ended = None;
                }
                self.describe(out);
            }
            "kill" => {
                if let Some(Found::There(description)) = &self.found {
                    let asks_to_end = event.actor.attributes.signal == stop_signal(&description.config.stop_signal);
                    self.signalled |= asks_to_end && !by_us;
                    self.asked_to_end |= asks_to_end && by_us;
                }
            }
            "die" => self.died(event, now, out),
            "stop" => {
                if self.signalled {
                    self.stopped_by_other = true;
                    self.given_up = true;
                    if self.ended.is_some() {
                        self.wait_until = Some(now + BELONGS);
                    }
                }
            }
            _ => self.describe(out),
        }
    }

    fn died(&mut self, event: &Event, now: Instant, out: &mut Vec<Out>) {
        if self.describing {
            self.outdated = true;
        }
        let Some(Found::There(description)) = &mut self.found else { return };
        self.up = None;
        let status = event.actor.attributes.exit_code.parse().unwrap_or(-1);
        description.state.running = false;
        description.state.restarting = false;
        description.state.exit_code = status;
        // If we keep docker from restarting a container, its first end is the one that matters.
        self.ended.get_or_insert(status);
        if self.signalled {
            self.wait_until = Some(now + BELONGS);
        }
        self.settle(now, out);
    }

    /// docker has answered a start, stop or kill: it is done, or refused in words.
    pub(crate) fn replied(&mut self, ask: &Ask, answer: Result<(), String>, out: &mut Vec<Out>) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.starting = self.starting.saturating_sub(u32::from(*ask == Ask::Start));
        self.killing &= *ask != Ask::Kill;
        self.giving_up &= *ask != Ask::GiveUp;
        match (ask, answer) {
            (Ask::Start, Err(text)) if self.wish == Some(Wish::Start) => {
                self.wish = None;
                out.push(Out::Report(ServiceReport::StartRefused(Name::from(text.as_str()))));
            }
            (Ask::Stop | Ask::Kill, Err(text)) => self.refusal = Some(text),
            (Ask::GiveUp, Err(text)) => {
                self.given_up = true;
                let remark = format!("docker can't be kept from restarting {}: {text}", self.name);
                out.push(Out::Remark(Weight::Error, remark));
                self.refusal = Some(text);
            }
            (Ask::Stop | Ask::GiveUp, Ok(())) => self.given_up = true,
            (Ask::Start | Ask::Kill, _) | (Ask::Describe | Ask::Image(_), _) => {}
        }
        self.describe(out);
    }

    /// Its [`deadline`](Self::deadline) has come.
    pub(crate) fn look_again(&mut self, now: Instant, out: &mut Vec<Out>) {
        if self.wait_until.is_some_and(|at| at <= now) {
            self.wait_until = None;
            if self.stopped_by_other {
                // While a restart is under way, docker answers only when it is done.
                self.describe(out);
            }
            self.settle(now, out);
        }
        if self.withheld.as_ref().is_some_and(|(_, at)| *at <= now) {
            self.describe(out);
        }
    }

    /// What follows from how it is. Called whenever something has changed.
    fn settle(&mut self, now: Instant, out: &mut Vec<Out>) {
        if !self.watched || self.wait_until.is_some_and(|at| now < at) {
            return;
        }
        let (up, restarting, restarts) = match &self.found {
            None => return,
            Some(Found::Absent) => (false, false, false),
            Some(Found::There(description)) => {
                let state = &description.state;
                (state.running, state.restarting, description.host_config.restart_policy.restarts())
            }
        };
        let ordered_to_end = matches!(self.wish, Some(Wish::Stop | Wish::Kill));
        if restarting || (!up && self.ended.is_some() && restarts && !self.given_up && !ordered_to_end) {
            // Of "gone" it must be true that it does not come back by itself. Where docker has refused to see to that, it
            // has been said, and would be refused again as often as it is asked.
            if self.unanswered > 0 {
                return;
            }
            if ordered_to_end && let Some(text) = self.refusal.take() {
                self.wish = None;
                out.push(Out::Report(ServiceReport::StopRefused(Name::from(text.as_str()))));
            } else if ordered_to_end || !self.given_up {
                self.unanswered += 1;
                self.giving_up = true;
                out.push(Out::Ask(Ask::GiveUp));
            }
            return;
        }
        // What was found may be so no more.
        let in_doubt = self.describing || self.withheld.is_some();
        match (up, self.wish) {
            // Its answer comes, and with it a new description.
            (true, _) if self.unanswered > 0 || in_doubt => {}
            (true, Some(wish @ (Wish::Stop | Wish::Kill))) => match self.refusal.take() {
                Some(text) => {
                    self.wish = None;
                    out.push(Out::Report(ServiceReport::StopRefused(Name::from(text.as_str()))));
                }
                // Somebody has started it again meanwhile.
                None => self.pursue(wish, out),
            },
            (true, Some(Wish::Start) | None) => {
                self.ended = None;
                // Its start may have come while nobody heard it.
                self.stopped_by_other = false;
                self.given_up = false;
                if self.wish.take().is_some() || self.told != Some(Told::Running) {
                    self.told = Some(Told::Running);
                    out.push(Out::Report(ServiceReport::Running));
                }
            }
            // What was found may be older than the start; only an end that was told is not.
            (false, _) if self.starting > 0 || (in_doubt && self.ended.is_none()) => {}
            (false, Some(Wish::Start)) if self.unanswered > 0 || in_doubt => {}
            (false, None) if self.stopped_by_other && in_doubt => {}
            (false, _) => self.gone(out),
        }
    }

    fn gone(&mut self, out: &mut Vec<Out>) {
        let ended = self.ended.take();
        let by_hand = std::mem::take(&mut self.stopped_by_other);
        self.signalled = false;
        if self.wish.is_none() && self.told == Some(Told::Gone) {
            return;
        }
        let status = match (&self.found, ended) {
            (_, Some(status)) => Some(status),
            // Nobody has told us: it ended while docker did not answer, or before we looked.
            (Some(Found::There(description)), None) if self.told.is_some() => Some(description.state.exit_code),
            (_, None) => None,
        };
        let report = match status {
            _ if by_hand => ServiceReport::StoppedByHand,
            None => ServiceReport::Gone(Ending::NotRunning),
            Some(status) => ServiceReport::Gone(match u8::try_from(status) {
                Ok(status) => Ending::Exited(status),
                Err(_) => Ending::Said(Name::from("docker does not say how")),
            }),
        };
        self.wish = None;
        self.told = Some(Told::Gone);
        out.push(Out::Report(report));
        if self.is_renamed() {
            // From now on it is what has its name, if there is such a container.
            self.describe(out);
        }
    }

    fn is_renamed(&self) -> bool {
        matches!(&self.found, Some(Found::There(description)) if description.other_name(&self.name).is_some())
    }
}

#[cfg(test)]
mod tests;
