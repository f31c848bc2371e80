//! `command "…"`: a child of ours behind a keeper, so that "gone" means that not one of its processes is left, and so
//! that it ends when we do, however that happens.
//!
//! Processes of a former life can be left only where their keeper was killed, too. They carry a mark in their
//! environment and are in a control group of a known name, if there are any. They are looked for when we begin to watch,
//! and count as running until the engine has them stopped.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use engine::{Ending, Name, ServiceOrder, ServiceReport};
use linux::control_group::ControlGroup;
use linux::process_list::ProcessId;
use linux::signals::Signal;
use linux::spawn::{Exit, Keeper, Program, Wish, Word};
use linux::system_log::Severity;

use super::control_groups::ServiceGroups;
use super::mark::Mark;
use super::plan::Recipe;
use super::worker::{Job, Remains};
use super::{Briefing, Context, Target};
use crate::children::{Purpose, ServiceChild};

/// What is left of a former life is looked at this often, in nanoseconds.
const LOOK_AGAIN: u64 = 500_000_000;
/// And this often while it is ending.
const LOOK_AGAIN_SOON: u64 = 50_000_000;

/// A look at the processes of this machine waits for each of them that hangs in the kernel. When it has taken so long, in
/// nanoseconds, it is told that nobody knows whether something runs; what it finds later counts all the same.
const LOOK_PATIENCE: u64 = 10_000_000_000;
/// One that has failed is tried again after this, in nanoseconds.
const LOOK_AFTER_FAILURE: u64 = 2_000_000_000;

/// What is said to whoever starts what has not ended yet.
const STILL_ENDING: &str = "what ran before is still ending";

#[derive(Debug)]
pub(super) struct CommandService {
    name: Name,
    pub(super) recipe: Arc<Recipe>,
    /// "NAME=value", in the environment of all its processes.
    mark: Mark,
    /// Where there are control groups.
    groups: Option<ServiceGroups>,
    /// What else it is told in its environment, from its next start on.
    pub(super) told: Briefing,
    state: State,
    /// How often it was looked for.
    looks: u64,
    /// That nobody knows whether it runs was said, and nothing has been found out since.
    said_unknown: bool,
}

#[derive(Debug)]
enum State {
    /// Nobody has looked yet.
    Unknown,
    Gone,
    /// Looking for what carries the mark or is in its control groups. Until that is over, something may run.
    Looking {
        look: Look,
        aim: Aim,
    },
    Kept(Kept),
    Remains {
        remains: Remains,
        end_with: Option<Signal>,
        ending: Ending,
        look_at: u64,
    },
}

/// What for.
#[derive(Clone, Debug)]
struct Aim {
    /// To end what is there.
    end_with: Option<Signal>,
    /// What is said if there is nothing,
    ending: Ending,
    /// unless it is started then.
    then_start: bool,
}

/// A look at all processes of this machine.
#[derive(Debug)]
struct Look {
    number: u64,
    /// The process that is being looked at.
    at: Arc<AtomicU32>,
    stage: LookStage,
}

#[derive(Debug)]
enum LookStage {
    UnderWay { late_at: u64 },
    Late,
    Failed { again_at: u64 },
}

/// It has a keeper.
#[derive(Debug)]
struct Kept {
    keeper: Keeper,
    token: u64,
    program: Arc<Program>,
    stage: Stage,
    /// How often it was told to say that it is well, if it was.
    notices: Option<Duration>,
    /// Somebody wants it to end.
    ending: bool,
}

#[derive(Debug)]
enum Stage {
    Starting,
    Running,
    NotStarted(Name),
    /// Its program has ended, and the keeper ends what is left.
    Ended(Exit),
}

impl CommandService {
    pub(super) fn new(
        name: Name,
        recipe: Arc<Recipe>,
        mark: Mark,
        groups: Option<ServiceGroups>,
        told: Briefing,
    ) -> Self {
        Self { name, recipe, mark, groups, told, state: State::Unknown, looks: 0, said_unknown: false }
    }

    /// Whether nothing of it runs, or nobody has asked for it yet.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.state, State::Unknown | State::Gone)
    }

    const fn kept(&self) -> Option<&Kept> {
        match &self.state {
            State::Kept(kept) => Some(kept),
            State::Unknown | State::Gone | State::Looking { .. } | State::Remains { .. } => None,
        }
    }

    /// The keeper of its processes: they all descend from it.
    pub(super) fn keeper(&self) -> Option<u32> {
        self.kept().map(|kept| kept.keeper.pid())
    }

    /// Whether a process of this user may speak for it: of the user that its program began as, or root. A program that
    /// began as root may have become anybody since.
    pub(super) fn may_be_of(&self, uid: u32) -> bool {
        self.kept().is_some_and(|kept| {
            let began_as = kept.program.uid();
            uid == 0 || began_as == 0 || uid == began_as
        })
    }

    /// How often what runs now was told, when it was started, to say that it is well. `None`: it was not, and cannot know.
    pub(super) const fn notices(&self) -> Option<Duration> {
        match &self.state {
            State::Kept(kept) => kept.notices,
            State::Remains { .. } => None,
            State::Unknown | State::Gone | State::Looking { .. } => Some(Duration::ZERO),
        }
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        match &self.state {
            State::Remains { look_at, .. } => Some(*look_at),
            State::Looking { look: Look { stage: LookStage::UnderWay { late_at }, .. }, .. } => Some(*late_at),
            State::Looking { look: Look { stage: LookStage::Failed { again_at }, .. }, .. } => Some(*again_at),
            State::Looking { look: Look { stage: LookStage::Late, .. }, .. }
            | State::Unknown
            | State::Gone
            | State::Kept(_) => None,
        }
    }

    pub(super) fn order(&mut self, order: ServiceOrder, context: &mut Context<'_>) {
        match order {
            ServiceOrder::Watch => self.watch(context),
            ServiceOrder::Start => self.start(context),
            ServiceOrder::Stop => self.end(Signal::TERMINATE, context),
            ServiceOrder::Kill => self.end(Signal::KILL, context),
            // Assessed for all kinds of services alike.
            ServiceOrder::AssessReadiness => {}
            ServiceOrder::Forget => {
                if let State::Kept(kept) = std::mem::replace(&mut self.state, State::Unknown) {
                    kept.keeper.tell(Wish::LetGo);
                    context.forget_token(kept.token, &kept.keeper);
                }
            }
        }
    }

    fn watch(&mut self, context: &mut Context<'_>) {
        match &self.state {
            State::Unknown => self.look(Aim::new(None, Ending::NotRunning), context),
            State::Gone => self.gone(Ending::NotRunning, context),
            // Their ends are told anyway.
            State::Looking { .. } | State::Kept(Kept { ending: true, .. }) => {}
            State::Kept(Kept { stage: Stage::Running, .. }) | State::Remains { .. } => {
                context.report(&self.name, ServiceReport::Running);
            }
            State::Kept(_) => {}
        }
    }

    fn start(&mut self, context: &mut Context<'_>) {
        match &mut self.state {
            // What is left of a former life must not run beside it.
            State::Unknown => self.look(Aim { then_start: true, ..Aim::new(None, Ending::NotRunning) }, context),
            State::Gone => self.launch(context),
            State::Looking { aim: Aim { end_with: None, then_start, .. }, .. } => *then_start = true,
            State::Remains { end_with: None, .. } | State::Kept(Kept { stage: Stage::Running, ending: false, .. }) => {
                context.report(&self.name, ServiceReport::Running);
            }
            State::Kept(Kept { stage: Stage::Starting, ending: false, .. }) => {}
            State::Looking { .. } | State::Remains { .. } | State::Kept(_) => self.refuse(STILL_ENDING, context),
        }
    }

    fn launch(&mut self, context: &mut Context<'_>) {
        let program = match self.recipe.program() {
            Ok(program) => program,
            Err(reason) => return self.refuse(&reason, context),
        };
        let mut environment = self.told.environment.clone();
        // The name has been a word of the configuration, which has no NUL.
        environment.extend(CString::new(self.mark.setting.as_str()).ok());
        let place = self.groups.as_ref().and_then(|groups| groups.place.as_ref());
        let started = program.start_kept(&environment, place).and_then(|keeper| {
            let token = context.token_for(&keeper, Target::Keeper(self.name.clone()))?;
            Ok((keeper, token))
        });
        match started {
            Ok((keeper, token)) => {
                context.children.insert(keeper.pid(), Purpose::Service(ServiceChild::Keeper(self.name.clone())));
                let (stage, notices) = (Stage::Starting, self.told.notices);
                self.state = State::Kept(Kept { keeper, token, program, stage, notices, ending: false });
            }
            Err(error) => self.refuse(&error.to_string(), context),
        }
    }

    fn end(&mut self, with: Signal, context: &mut Context<'_>) {
        match &mut self.state {
            State::Unknown => self.look(Aim::new(Some(with), Ending::NotRunning), context),
            State::Gone => self.gone(Ending::NotRunning, context),
            State::Looking { aim, .. } => {
                aim.then_start = false;
                if aim.end_with != Some(Signal::KILL) {
                    aim.end_with = Some(with);
                }
            }
            State::Kept(kept) => {
                kept.ending = true;
                kept.keeper.tell(if with == Signal::KILL { Wish::Kill } else { Wish::Terminate });
            }
            State::Remains { remains, end_with, look_at, .. } => {
                *end_with = Some(with);
                *look_at = context.now + LOOK_AGAIN_SOON;
                signal_all(&self.name, remains, with, context);
            }
        }
    }

    // ── what its keeper says ──────────────────────────────────────────────────────────────────────────

    /// Its keeper has something to say.
    pub(super) fn listen(&mut self, context: &mut Context<'_>) {
        let State::Kept(kept) = &mut self.state else { return };
        while let Some(word) = kept.keeper.next_word() {
            match word {
                Word::Started(_) => {
                    kept.stage = Stage::Running;
                    if !kept.ending {
                        context.report(&self.name, ServiceReport::Running);
                    }
                }
                Word::Refused(refusal) => {
                    let reason = kept.program.explain_refusal(refusal).to_string();
                    kept.stage = Stage::NotStarted(Name::from(reason.as_str()));
                }
                Word::Ungrouped(errno) => context.tell_of_no_group(&linux::errno_text(errno)),
                Word::Ended(exit) => kept.stage = Stage::Ended(exit),
            }
        }
    }

    /// Its keeper has ended: everything is gone, or the keeper was killed.
    pub(super) fn keeper_ended(&mut self, pid: u32, exit: Exit, context: &mut Context<'_>) {
        // One that was let go is nobody's.
        if !matches!(&self.state, State::Kept(kept) if kept.keeper.pid() == pid) {
            return;
        }
        // Its last words may still be there.
        self.listen(context);
        let State::Kept(kept) = std::mem::replace(&mut self.state, State::Gone) else { return };
        context.forget_token(kept.token, &kept.keeper);
        if exit != Exit::Code(0) {
            let text = format!("({}) its keeper {pid} was killed; ending everything that is left of it", self.name);
            context.tell(Severity::Warning, text);
            let ending = match kept.stage {
                Stage::Ended(exit) => ending_of(exit),
                Stage::Starting | Stage::Running | Stage::NotStarted(_) => {
                    Ending::Said(Name::from("its keeper was killed"))
                }
            };
            return self.look(Aim::new(Some(Signal::KILL), ending), context);
        }
        match kept.stage {
            Stage::NotStarted(reason) if !kept.ending => self.refuse(&reason, context),
            Stage::Ended(exit) => self.gone(ending_of(exit), context),
            Stage::NotStarted(_) | Stage::Starting | Stage::Running => self.gone(Ending::NotRunning, context),
        }
    }

    // ── what is left of a former life ─────────────────────────────────────────────────────────────────

    fn look(&mut self, aim: Aim, context: &mut Context<'_>) {
        self.looks += 1;
        let (number, at) = (self.looks, Arc::<AtomicU32>::default());
        let (service, mark, groups) = (self.name.clone(), self.mark.setting.clone(), self.groups.clone());
        let users = (!self.mark.is_secret).then(|| {
            let of_service = self.recipe.program().ok().map(|program| program.uid());
            [0, linux::users::own_identity().uid].into_iter().chain(of_service).collect()
        });
        let job = Job::Look { service, mark, users, groups, number, looking_at: Arc::clone(&at) };
        let stage = match context.ask(job) {
            Ok(()) => LookStage::UnderWay { late_at: context.now + LOOK_PATIENCE },
            Err(error) => self.look_failed(&error.to_string(), context),
        };
        self.state = State::Looking { look: Look { number, at, stage }, aim };
    }

    fn look_failed(&mut self, reason: &str, context: &mut Context<'_>) -> LookStage {
        self.say_unknown(reason, context);
        LookStage::Failed { again_at: context.now + LOOK_AFTER_FAILURE }
    }

    /// Nobody knows whether something of it runs. That is never taken for "nothing does".
    fn say_unknown(&mut self, reason: &str, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.said_unknown, true) {
            context.report(&self.name, ServiceReport::Unknown(Name::from(reason)));
        }
    }

    /// These are ours, or the reason why that could not be found out.
    pub(super) fn found(&mut self, number: u64, found: Result<Remains, String>, context: &mut Context<'_>) {
        // An earlier look says nothing about now.
        if !matches!(&self.state, State::Looking { look, .. } if look.number == number) {
            return;
        }
        let remains = match found {
            Ok(remains) => remains,
            Err(reason) => {
                let failed = self.look_failed(&reason, context);
                if let State::Looking { look, .. } = &mut self.state {
                    look.stage = failed;
                }
                return;
            }
        };
        self.said_unknown = false;
        let State::Looking { aim, .. } = std::mem::replace(&mut self.state, State::Gone) else { return };
        let Aim { end_with, ending, then_start } = aim;
        if remains.processes.is_empty() {
            if then_start {
                self.launch(context)
            } else {
                self.gone(ending, context)
            }
            return;
        }
        let text = format!("({}) runs since a former life: process {}", self.name, list(&remains.processes));
        context.tell(Severity::Notice, text);
        match end_with {
            Some(signal) => signal_all(&self.name, &remains, signal, context),
            None => context.report(&self.name, ServiceReport::Running),
        }
        let pause = if end_with.is_some() { LOOK_AGAIN_SOON } else { LOOK_AGAIN };
        self.state = State::Remains { remains, end_with, ending, look_at: context.now + pause };
    }

    pub(super) fn handle_timer(&mut self, context: &mut Context<'_>) {
        match &mut self.state {
            State::Looking { look, .. } => match look.stage {
                LookStage::UnderWay { late_at } if late_at <= context.now => {
                    look.stage = LookStage::Late;
                    let reason = match look.at.load(Ordering::Relaxed) {
                        0 => "its processes have not been looked for within 10 s".to_owned(),
                        pid => format!("process {pid} hangs and cannot be looked at, so its processes are not known"),
                    };
                    self.say_unknown(&reason, context);
                }
                LookStage::Failed { again_at } if again_at <= context.now => {
                    let State::Looking { aim, .. } = std::mem::replace(&mut self.state, State::Unknown) else { return };
                    self.look(aim, context);
                }
                LookStage::UnderWay { .. } | LookStage::Failed { .. } | LookStage::Late => {}
            },
            State::Remains { .. } => self.mind_the_remains(context),
            State::Unknown | State::Gone | State::Kept(_) => {}
        }
    }

    fn mind_the_remains(&mut self, context: &mut Context<'_>) {
        let State::Remains { remains, end_with, ending, look_at } = &mut self.state else { return };
        if *look_at > context.now {
            return;
        }
        remains.processes.retain(|process| process.lives());
        if remains.processes.is_empty() {
            // They may have started others since.
            let aim = Aim::new(*end_with, ending.clone());
            return self.look(aim, context);
        }
        *look_at = context.now + if end_with.is_some() { LOOK_AGAIN_SOON } else { LOOK_AGAIN };
        if *end_with == Some(Signal::KILL) {
            signal_all(&self.name, remains, Signal::KILL, context);
        }
    }

    /// The daemon ends without having been able to stop it: it must not go on.
    pub(super) fn abandon(&mut self) {
        match &mut self.state {
            State::Kept(kept) => {
                kept.ending = true;
                kept.keeper.tell(Wish::Kill);
            }
            State::Remains { remains, end_with, .. } => {
                *end_with = Some(Signal::KILL);
                for process in &remains.processes {
                    // It may have ended meanwhile; there is nobody left to tell of anything else.
                    let _ = process.signal(Signal::KILL);
                }
                remains.groups.iter().for_each(ControlGroup::kill);
            }
            State::Looking { aim, .. } => {
                aim.then_start = false;
                aim.end_with = Some(Signal::KILL);
            }
            State::Unknown | State::Gone => {}
        }
    }

    /// What goes on without us.
    pub(super) fn leftover(&self) -> Option<String> {
        match &self.state {
            State::Unknown | State::Gone => None,
            State::Kept(kept) => {
                Some(format!("is being killed; its keeper (process {}) sees to the end of it", kept.keeper.pid()))
            }
            State::Remains { remains, .. } => {
                Some(format!("is being killed; left are process {}", list(&remains.processes)))
            }
            State::Looking { .. } => Some("nobody knows whether something of it runs".to_owned()),
        }
    }

    fn gone(&mut self, ending: Ending, context: &mut Context<'_>) {
        self.state = State::Gone;
        context.report(&self.name, ServiceReport::Gone(ending));
    }

    fn refuse(&self, reason: &str, context: &mut Context<'_>) {
        context.report(&self.name, ServiceReport::StartRefused(Name::from(reason)));
    }
}

impl Aim {
    const fn new(end_with: Option<Signal>, ending: Ending) -> Self {
        Self { end_with, ending, then_start: false }
    }
}

fn ending_of(exit: Exit) -> Ending {
    match exit {
        Exit::Code(status) => Ending::Exited(status),
        Exit::Signal(signal) => Ending::Signalled(signal),
    }
}

fn list(processes: &[ProcessId]) -> String {
    let pids: Vec<String> = processes.iter().map(|process| process.pid.to_string()).collect();
    pids.join(", ")
}

fn signal_all(service: &Name, remains: &Remains, signal: Signal, context: &mut Context<'_>) {
    for process in &remains.processes {
        if let Err(error) = process.signal(signal) {
            context.tell(Severity::Warning, format!("({service}) {error}"));
        }
    }
    // What they have forked since.
    if signal == Signal::KILL && !remains.groups.is_empty() {
        let _ = context.ask(Job::Kill { groups: remains.groups.clone() });
    }
}
