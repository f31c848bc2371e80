//! One unit: what was ordered, what systemd says, and what follows. Values in, values out.
//!
//! ```text
//! ordered: nothing     active, activating            -> Running
//!                      inactive, no job, no process  -> Gone, or StoppedByHand
//! ordered: Start       active, our job is done       -> Running
//!                      inactive, no job, no process  -> StartRefused or Gone
//! ordered: Stop, Kill  inactive, no job, no process  -> Gone (StoppedByHand if somebody was faster)
//! always               down, but has Restart=        -> stopped, so that "gone" is true; then as inactive
//! ```
//!
//! Whose doing an end was is told by systemd's jobs. A stop is a job; an exit or a crash is none. A job that came while
//! the unit was up, that we did not ask for, and that is done when the unit is down, was an operator's stop (or that of
//! a unit on which this one depends). A restart by hand is a job that ends with the unit up: nothing is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use engine::{Ending, Name, ServiceOrder, ServiceReport};

use super::properties::{Activity, Map, Properties};
use crate::Weight;

/// Between two looks at what a unit has left behind.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a unit wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// Ask systemd; [`Unit::replied`] takes the answer.
    Ask(Ask),
    /// Count the processes in this control group and give the count to [`Unit::processes`].
    Count(String),
    /// Kill what is in this control group.
    KillGroup(String),
    Report(ServiceReport),
    Remark(Weight, String),
}

/// What systemd is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Everything about the unit: [`Unit::described`].
    Describe,
    Start,
    Restart,
    Stop,
    Kill,
    /// Whether the whole system is shutting down: [`Unit::system_stops`].
    SystemState,
}

/// A job in systemd's queue.
#[derive(Clone, Copy, Debug, Default)]
struct Job {
    /// It came of a question of ours.
    ours: bool,
    /// It is what a question of ours came to; perhaps it was there already.
    awaited: bool,
    /// It was there before our last question, so that the question can't have made it, but may have ended it.
    earlier: bool,
    /// It is what a stop that we asked for came to.
    stops: bool,
    /// It came while the unit was up.
    came_while_up: bool,
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

/// One unit and the service that it is.
#[derive(Debug)]
pub(crate) struct Unit {
    name: String,
    watched: bool,
    /// `None` while systemd does not answer.
    known: Option<Properties>,
    /// Why there can't be such a unit, if systemd says so.
    impossible: Option<String>,
    jobs: BTreeMap<u32, Job>,
    /// Questions that make jobs and are not answered yet: until then nobody can say whose a job is.
    unanswered: u32,
    wish: Option<Wish>,
    told: Option<Told>,
    assessing: bool,
    stopped_by_other: bool,
    /// The system's state was asked for; `Some(Some(true))`: it is shutting down.
    system_stops: Option<Option<bool>>,
    /// How it ended, if systemd would have started it again.
    crash: Option<Ending>,
    /// It has been stopped since it was up, so that systemd does not start it again by itself.
    kept_down: bool,
    /// How the job of our start ended.
    start_result: Option<String>,
    /// When it is looked again whether something is left.
    look_at: Option<Instant>,
    remarks: BTreeSet<(Weight, String)>,
}

impl Unit {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            watched: false,
            known: None,
            impossible: None,
            jobs: BTreeMap::new(),
            unanswered: 0,
            wish: None,
            told: None,
            assessing: false,
            stopped_by_other: false,
            system_stops: None,
            crash: None,
            kept_down: false,
            start_result: None,
            look_at: None,
            remarks: BTreeSet::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What systemd calls it, should the name be an alias.
    pub(crate) fn id(&self) -> &str {
        self.known.as_ref().map(|properties| properties.id.as_str()).filter(|id| !id.is_empty()).unwrap_or(&self.name)
    }

    /// An order waits for systemd to answer at all.
    pub(crate) fn order_waits(&self) -> bool {
        self.wish.is_some() && self.known.is_none()
    }

    /// When [`look_again`](Self::look_again) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    pub(crate) fn order(&mut self, order: ServiceOrder, out: &mut Vec<Out>) {
        match order {
            ServiceOrder::Watch => {
                self.watched = true;
                self.told = None;
                self.settle(out);
            }
            ServiceOrder::Start => self.want(Wish::Start, out),
            ServiceOrder::Stop => self.want(Wish::Stop, out),
            ServiceOrder::Kill => self.want(Wish::Kill, out),
            ServiceOrder::AssessReadiness => {
                self.assessing = true;
                // Otherwise it is described, or lost, soon.
                if self.known.is_some() {
                    out.push(Out::Ask(Ask::Describe));
                }
            }
            // Whoever keeps the units forgets this one.
            ServiceOrder::Forget => {}
        }
        self.answer_without_unit(out);
    }

    fn want(&mut self, wish: Wish, out: &mut Vec<Out>) {
        self.watched = true;
        self.wish = Some(wish);
        self.start_result = None;
        if self.known.is_some() {
            self.pursue(wish, out);
        }
    }

    fn pursue(&mut self, wish: Wish, out: &mut Vec<Out>) {
        match wish {
            Wish::Start => {
                // In its pause before a restart of its own, systemd puts a mere start off to the end of it.
                let pausing = self.known.as_ref().filter(|properties| properties.awaits_restart());
                self.crash = pausing.map(Properties::ending);
                self.ask_for_job(if self.crash.is_some() { Ask::Restart } else { Ask::Start }, out);
            }
            Wish::Stop => self.ask_for_job(Ask::Stop, out),
            Wish::Kill => {
                // Without a stop, systemd would take the death for a failure and might start it again.
                self.ask_for_job(Ask::Stop, out);
                out.push(Out::Ask(Ask::Kill));
            }
        }
    }

    fn ask_for_job(&mut self, ask: Ask, out: &mut Vec<Out>) {
        for job in self.jobs.values_mut() {
            job.earlier = true;
        }
        self.unanswered += 1;
        out.push(Out::Ask(ask));
    }

    /// systemd no longer answers: nothing is known, and what was asked has no answer any more.
    pub(crate) fn disconnected(&mut self) {
        self.known = None;
        self.impossible = None;
        self.jobs.clear();
        self.unanswered = 0;
        self.look_at = None;
        self.system_stops = None;
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

    /// systemd says that nothing can have this name.
    pub(crate) fn impossible(&mut self, text: &str, out: &mut Vec<Out>) {
        let name = &self.name;
        let reason = format!("systemd takes {name} for no unit: {}", text.trim_end_matches('.'));
        let suggestion = match name.split_once("@.") {
            Some((prefix, suffix)) => format!("Name an instance, for instance {prefix}@1.{suffix}"),
            None => "The names that there are: systemctl list-units --all".to_owned(),
        };
        self.known = None;
        self.replace_remarks(BTreeSet::from([(Weight::Error, format!("{reason}. {suggestion}"))]), out);
        self.impossible = Some(reason);
        self.answer_without_unit(out);
    }

    /// What can't be is not running, and can't be started.
    fn answer_without_unit(&mut self, out: &mut Vec<Out>) {
        let Some(reason) = self.impossible.clone() else { return };
        if self.assessing {
            self.assessed(Err(reason.clone()), out);
        }
        let report = match self.wish.take() {
            Some(Wish::Start) => ServiceReport::StartRefused(Name::from(reason.as_str())),
            None if !self.watched || self.told == Some(Told::Gone) => return,
            Some(Wish::Stop | Wish::Kill) | None => ServiceReport::Gone(Ending::NotRunning),
        };
        self.told = Some(Told::Gone);
        out.push(Out::Report(report));
    }

    /// Everything about the unit.
    pub(crate) fn described(&mut self, map: &Map<'_>, out: &mut Vec<Out>) {
        let mut properties = Properties::default();
        properties.update(map);
        let was_unknown = self.known.is_none();
        self.impossible = None;
        if was_unknown {
            // Of the others nobody will tell that they have ended.
            self.jobs.retain(|id, _| *id == properties.job);
        }
        if properties.job != 0 {
            let came_while_up = is_up(properties.activity);
            // What we had asked for when the connection was lost is probably what is under way.
            let ours = was_unknown && self.wish.is_some();
            self.jobs.entry(properties.job).or_insert(Job { ours, awaited: ours, came_while_up, ..Job::default() });
        }
        self.remark_on(&properties, out);
        if self.assessing {
            self.assessed(properties.readiness(&self.name), out);
        }
        self.known = Some(properties);
        if was_unknown && let Some(wish) = self.wish {
            // Both are harmless if they had been heard before the connection was lost.
            self.pursue(wish, out);
        }
        self.settle(out);
    }

    fn assessed(&mut self, readiness: Result<(), String>, out: &mut Vec<Out>) {
        self.assessing = false;
        let readiness = readiness.map_err(|reason| Name::from(reason.as_str()));
        out.push(Out::Report(ServiceReport::Readiness(readiness)));
    }

    fn remark_on(&mut self, properties: &Properties, out: &mut Vec<Out>) {
        let name = &self.name;
        let mut remarks = BTreeSet::new();
        if properties.file_state.starts_with("enabled") {
            remarks.insert(format!(
                "{name} is enabled: systemd starts it at boot, whether this node is to run it or not. \
                 To leave it to us: systemctl disable {name}"
            ));
        }
        if properties.restarts_itself() {
            remarks.insert(format!(
                "{name} has Restart={}: systemd would start it again behind our back, and is kept from it. \
                 To leave it to us: Restart=no",
                properties.restart
            ));
        }
        if properties.needs_reload {
            remarks.insert(format!("the file of {name} has changed and is not in force: systemctl daemon-reload"));
        }
        let warnings = remarks.into_iter().map(|remark| (Weight::Warning, remark));
        self.replace_remarks(warnings.collect(), out);
    }

    /// Those that were made before are not made again.
    fn replace_remarks(&mut self, remarks: BTreeSet<(Weight, String)>, out: &mut Vec<Out>) {
        for (weight, text) in remarks.difference(&self.remarks) {
            out.push(Out::Remark(*weight, text.clone()));
        }
        self.remarks = remarks;
    }

    /// Some properties have changed.
    pub(crate) fn changed(&mut self, map: &Map<'_>, out: &mut Vec<Out>) {
        let Some(properties) = &mut self.known else { return };
        let restarts = properties.restarts;
        properties.update(map);
        if properties.restarts > restarts && !properties.awaits_restart() && is_up(properties.activity) {
            let text = format!("systemd was faster than we and has restarted {} by itself", self.name);
            out.push(Out::Remark(Weight::Warning, text));
        }
        // systemd tells a service's own properties first and those of all units last, for the sake of whoever reads.
        if map.contains_key("ActiveState") {
            self.settle(out);
        }
    }

    /// A job has come into the queue.
    pub(crate) fn job_came(&mut self, id: u32) {
        let came_while_up = self.known.as_ref().is_some_and(|properties| is_up(properties.activity));
        self.jobs.entry(id).or_insert(Job { came_while_up, ..Job::default() });
    }

    /// A job has left the queue.
    pub(crate) fn job_went(&mut self, id: u32, result: &str, out: &mut Vec<Out>) {
        let Some(job) = self.jobs.remove(&id) else { return };
        // What ended because we asked for something else says nothing about the start.
        if job.awaited && !job.stops && !job.earlier && self.wish == Some(Wish::Start) {
            self.start_result = Some(result.to_owned());
        }
        // A job that came while the unit was up and is done when it is down has been a stop. Ours has been one anyway,
        // also that by which a start that failed is kept from being made again.
        self.kept_down |= (job.came_while_up || job.stops) && result == "done";
        self.stopped_by_other |= !job.ours && job.came_while_up && result == "done";
        self.settle(out);
    }

    /// systemd has answered a question of ours: with the job's id, or with a refusal in words.
    pub(crate) fn replied(&mut self, ask: Ask, answer: Result<Option<u32>, Refusal>, out: &mut Vec<Out>) {
        if matches!(ask, Ask::Start | Ask::Restart | Ask::Stop) {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
        match answer {
            Ok(Some(id)) => {
                let new = Job { came_while_up: true, ..Job::default() };
                let job = self.jobs.entry(id).or_insert(new);
                job.awaited = true;
                job.stops = ask == Ask::Stop;
                // A stop that an operator had asked for before us keeps its id, and stays the operator's.
                job.ours |= !(job.stops && job.earlier);
                job.earlier = false;
            }
            Ok(None) => {}
            Err(refusal) => self.refused(ask, refusal, out),
        }
        self.settle(out);
    }

    fn refused(&mut self, ask: Ask, refusal: Refusal, out: &mut Vec<Out>) {
        match (ask, self.wish) {
            (Ask::Start | Ask::Restart, Some(Wish::Start)) => {
                self.wish = None;
                out.push(Out::Report(ServiceReport::StartRefused(Name::from(refusal.text.as_str()))));
            }
            // What is not there has nothing to stop: it is found to be gone.
            (Ask::Stop, _) if refusal.nothing_there => self.kept_down = true,
            (Ask::Kill, _) if refusal.nothing_there => {}
            // Then by ourselves.
            (Ask::Kill, Some(Wish::Kill)) if self.group().is_some() => out.extend(self.group().map(Out::KillGroup)),
            (Ask::Stop, Some(Wish::Stop)) | (Ask::Kill, Some(Wish::Kill)) => {
                self.wish = None;
                out.push(Out::Report(ServiceReport::StopRefused(Name::from(refusal.text.as_str()))));
            }
            (Ask::Stop, None | Some(Wish::Start)) => {
                self.kept_down = true;
                let text = format!("systemd can't be kept from restarting {}: {}", self.name, refusal.text);
                out.push(Out::Remark(Weight::Error, text));
            }
            // Overtaken by a later order, whose answer counts.
            (Ask::Start | Ask::Restart | Ask::Stop | Ask::Kill, _) | (Ask::Describe | Ask::SystemState, _) => {}
        }
    }

    /// So many processes are in its control group.
    pub(crate) fn processes(&mut self, count: usize, now: Instant, out: &mut Vec<Out>) {
        if count == 0 {
            self.gone(out);
            return;
        }
        if self.look_at.is_none() {
            let name = &self.name;
            let text = format!("{name} is inactive for systemd, but {count} of its processes live on");
            out.push(Out::Remark(Weight::Warning, text));
        }
        self.look_at = Some(now + LOOK_AGAIN);
        if self.wish == Some(Wish::Kill) {
            // systemd has let go of it and would not find it.
            out.extend(self.group().map(Out::KillGroup));
        }
    }

    /// Its [`deadline`](Self::deadline) has come.
    pub(crate) fn look_again(&mut self, now: Instant, out: &mut Vec<Out>) {
        if self.look_at.is_some_and(|at| at <= now) {
            // Whatever comes of it now, the time for it is not past. What is left was remarked before.
            self.look_at = Some(now + LOOK_AGAIN);
            self.settle(out);
        }
    }

    /// Whether the whole system is shutting down; `None` if that was not to be learnt.
    pub(crate) fn system_stops(&mut self, stops: Option<bool>, out: &mut Vec<Out>) {
        self.system_stops = Some(Some(stops.unwrap_or(false)));
        self.settle(out);
    }

    /// What follows from how it is. Called whenever something has changed.
    fn settle(&mut self, out: &mut Vec<Out>) {
        let Some(properties) = &self.known else { return };
        if !self.watched || self.unanswered > 0 {
            return;
        }
        let our_job_waits = self.jobs.values().any(|job| job.awaited);
        let our_stop_waits = self.jobs.values().any(|job| job.stops);
        let down = properties.activity == Activity::Inactive && self.jobs.is_empty();
        if properties.awaits_restart() || (down && properties.restarts_itself() && !self.kept_down) {
            // Before its pause systemd may show it as failed. Only after a stop is it certain to stay down.
            let is_news = self.crash.is_none();
            if is_news {
                self.crash = Some(properties.ending());
            }
            // Where a stop was refused, that has been said; it would be refused again, as often as it is asked.
            if is_news || (!our_job_waits && !self.kept_down) {
                self.ask_for_job(Ask::Stop, out);
            }
            return;
        }
        match (properties.activity, self.wish) {
            (Activity::Active | Activity::Activating, Some(Wish::Stop | Wish::Kill)) => {
                // Somebody has taken our stop back.
                if !our_job_waits {
                    self.ask_for_job(Ask::Stop, out);
                }
            }
            (Activity::Active, Some(Wish::Start)) if our_job_waits => {}
            // systemd makes the start that has failed once more, before it heard our stop.
            (Activity::Activating, Some(Wish::Start)) if our_stop_waits && self.crash.is_some() => {}
            (Activity::Activating, Some(Wish::Start)) => {
                self.crash = None;
                self.kept_down = false;
            }
            // systemd has started it again before it heard our stop, by which that is undone.
            (Activity::Active | Activity::Activating, None) if our_job_waits && self.crash.is_some() => {}
            // Of a start by somebody else it is good to know early: it may have to be stopped.
            (Activity::Active | Activity::Activating, Some(Wish::Start) | None) => self.running(out),
            (Activity::Deactivating, _) => {}
            (Activity::Inactive, _) => {
                // A restart is a stop whose job stays for the start.
                if self.jobs.is_empty() {
                    // Nothing can be there that has no control group.
                    match self.group() {
                        Some(group) => out.push(Out::Count(group)),
                        None => self.gone(out),
                    }
                }
            }
        }
    }

    fn running(&mut self, out: &mut Vec<Out>) {
        self.stopped_by_other = false;
        self.system_stops = None;
        self.crash = None;
        self.kept_down = false;
        self.start_result = None;
        self.look_at = None;
        if self.wish.take().is_some() || self.told != Some(Told::Running) {
            self.told = Some(Told::Running);
            out.push(Out::Report(ServiceReport::Running));
        }
    }

    fn gone(&mut self, out: &mut Vec<Out>) {
        self.look_at = None;
        let Some(properties) = &self.known else { return };
        if self.wish.is_none() && self.told == Some(Told::Gone) {
            self.stopped_by_other = false;
            return;
        }
        if self.stopped_by_other && self.told != Some(Told::Gone) {
            match self.system_stops {
                // An operator who shuts the machine down does not mean this service.
                None => {
                    self.system_stops = Some(None);
                    out.push(Out::Ask(Ask::SystemState));
                    return;
                }
                Some(None) => return,
                Some(Some(_)) => {}
            }
        }
        let ending = self.crash.take().unwrap_or_else(|| properties.ending());
        let by_hand = self.stopped_by_other || self.start_result.as_deref() == Some("canceled");
        let report = match (self.wish, self.system_stops) {
            (_, Some(Some(true))) => ServiceReport::Gone(Ending::Said(Name::from("the system is shutting down"))),
            _ if by_hand => ServiceReport::StoppedByHand,
            (Some(Wish::Start), _) => self.start_failed(properties, ending),
            // How it ended before we looked is somebody else's story.
            (None, _) if self.told.is_none() => ServiceReport::Gone(Ending::NotRunning),
            (Some(Wish::Stop | Wish::Kill) | None, _) => ServiceReport::Gone(ending),
        };
        self.wish = None;
        self.start_result = None;
        self.stopped_by_other = false;
        self.system_stops = None;
        self.told = Some(Told::Gone);
        out.push(Out::Report(report));
    }

    fn start_failed(&self, properties: &Properties, ending: Ending) -> ServiceReport {
        let text = match self.start_result.as_deref() {
            None | Some("done") if !properties.condition_met => "a condition of the unit is not met".to_owned(),
            None | Some("done" | "failed" | "timeout") => return ServiceReport::Gone(ending),
            Some("dependency") => "a unit that it needs could not be started".to_owned(),
            Some(result) => format!("systemd gave the start up ({result})"),
        };
        ServiceReport::StartRefused(Name::from(text.as_str()))
    }

    /// Its control group, which systemd forgets when the unit ends.
    fn group(&self) -> Option<String> {
        let properties = self.known.as_ref()?;
        if properties.control_group.is_empty() {
            super::cgroup::usual_path(&properties.slice, self.id())
        } else {
            Some(properties.control_group.clone())
        }
    }
}

/// A refusal of systemd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) text: String,
    /// Because there is no such unit, or no process in it.
    pub(crate) nothing_there: bool,
}

fn is_up(activity: Activity) -> bool {
    match activity {
        Activity::Active | Activity::Deactivating => true,
        Activity::Activating | Activity::Inactive => false,
    }
}

#[cfg(test)]
mod tests;
