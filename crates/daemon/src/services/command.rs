//! `command "…"`: a child of ours behind a keeper, so that "gone" means that not one of its processes is left, and so
//! that it ends when we do, however that happens.
//!
//! Processes of a former life can be left only where their keeper was killed, too. They carry a mark in their
//! environment, are looked for when we begin to watch, and count as running until the engine has them stopped.

use std::ffi::CString;
use std::sync::Arc;

use engine::{Ending, Name, ServiceOrder, ServiceReport};
use linux::process_list::ProcessId;
use linux::signals::Signal;
use linux::spawn::{Exit, Keeper, Program, Wish, Word};
use linux::system_log::Severity;

use super::plan::Recipe;
use super::worker::Job;
use super::{Context, Target};
use crate::children::{Purpose, ServiceChild};

/// What is left of a former life is looked at this often, in nanoseconds.
const LOOK_AGAIN: u64 = 500_000_000;
/// And this often while it is ending.
const LOOK_AGAIN_SOON: u64 = 50_000_000;

/// What is said to whoever starts what has not ended yet.
const STILL_ENDING: &str = "what ran before is still ending";

#[derive(Debug)]
pub(super) struct CommandService {
    name: Name,
    pub(super) recipe: Arc<Recipe>,
    /// "NAME=value", in the environment of all its processes.
    mark: String,
    /// What else it is told in its environment.
    pub(super) told: Vec<CString>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody has looked yet.
    Unknown,
    Gone,
    /// Looking for what carries the mark, to end it if so told. `ending` is what is said if there is nothing.
    Looking {
        end_with: Option<Signal>,
        ending: Ending,
        then_start: bool,
    },
    Kept(Kept),
    Remains {
        processes: Vec<ProcessId>,
        end_with: Option<Signal>,
        ending: Ending,
        look_at: u64,
    },
}

/// It has a keeper.
#[derive(Debug)]
struct Kept {
    keeper: Keeper,
    token: u64,
    program: Arc<Program>,
    stage: Stage,
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
    pub(super) fn new(name: Name, recipe: Arc<Recipe>, mark: String, told: Vec<CString>) -> Self {
        Self { name, recipe, mark, told, state: State::Unknown }
    }

    /// Whether nothing of it runs, as far as we know.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.state, State::Unknown | State::Gone)
    }

    /// Whether this process belongs to it.
    pub(super) fn owns(&self, pid: u32) -> bool {
        match &self.state {
            State::Kept(Kept { keeper, .. }) => linux::process_list::ancestor(pid, keeper.pid()),
            State::Unknown | State::Gone | State::Looking { .. } | State::Remains { .. } => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Remains { look_at, .. } => Some(look_at),
            State::Unknown | State::Gone | State::Looking { .. } | State::Kept(_) => None,
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
            State::Unknown => self.look(None, Ending::NotRunning, context),
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
            State::Unknown => {
                self.look(None, Ending::NotRunning, context);
                if let State::Looking { then_start, .. } = &mut self.state {
                    *then_start = true;
                }
            }
            State::Gone => self.launch(context),
            State::Looking { end_with: None, then_start, .. } => *then_start = true,
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
        let mut environment = self.told.clone();
        // The name has been a word of the configuration, which has no NUL.
        environment.extend(CString::new(self.mark.as_str()).ok());
        let started = program.start_kept(&environment).and_then(|keeper| {
            let token = context.token_for(&keeper, Target::Keeper(self.name.clone()))?;
            Ok((keeper, token))
        });
        match started {
            Ok((keeper, token)) => {
                context.children.insert(keeper.pid(), Purpose::Service(ServiceChild::Keeper(self.name.clone())));
                self.state = State::Kept(Kept { keeper, token, program, stage: Stage::Starting, ending: false });
            }
            Err(error) => self.refuse(&error.to_string(), context),
        }
    }

    fn end(&mut self, with: Signal, context: &mut Context<'_>) {
        match &mut self.state {
            State::Unknown => self.look(Some(with), Ending::NotRunning, context),
            State::Gone => self.gone(Ending::NotRunning, context),
            State::Looking { end_with, then_start, .. } => {
                *then_start = false;
                if *end_with != Some(Signal::KILL) {
                    *end_with = Some(with);
                }
            }
            State::Kept(kept) => {
                kept.ending = true;
                kept.keeper.tell(if with == Signal::KILL { Wish::Kill } else { Wish::Terminate });
            }
            State::Remains { processes, end_with, look_at, .. } => {
                *end_with = Some(with);
                *look_at = context.now + LOOK_AGAIN_SOON;
                signal_all(&self.name, processes, with, context);
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
            return self.look(Some(Signal::KILL), ending, context);
        }
        match kept.stage {
            Stage::NotStarted(reason) if !kept.ending => self.refuse(&reason, context),
            Stage::Ended(exit) => self.gone(ending_of(exit), context),
            Stage::NotStarted(_) | Stage::Starting | Stage::Running => self.gone(Ending::NotRunning, context),
        }
    }

    // ── what is left of a former life ─────────────────────────────────────────────────────────────────

    fn look(&mut self, end_with: Option<Signal>, ending: Ending, context: &mut Context<'_>) {
        match context.ask(Job::Look { service: self.name.clone(), mark: self.mark.clone() }) {
            Ok(()) => self.state = State::Looking { end_with, ending, then_start: false },
            Err(error) => {
                // It is asked for again by the next order.
                self.state = State::Unknown;
                context.report(&self.name, ServiceReport::Unknown(Name::from(error.to_string().as_str())));
            }
        }
    }

    /// These carry our mark.
    pub(super) fn found(&mut self, processes: Vec<ProcessId>, context: &mut Context<'_>) {
        if !matches!(self.state, State::Looking { .. }) {
            return;
        }
        let State::Looking { end_with, ending, then_start } = std::mem::replace(&mut self.state, State::Gone) else {
            return;
        };
        if processes.is_empty() {
            if then_start {
                self.launch(context)
            } else {
                self.gone(ending, context)
            }
            return;
        }
        let pids: Vec<String> = processes.iter().map(|process| process.pid.to_string()).collect();
        let text = format!("({}) runs since a former life: process {}", self.name, pids.join(", "));
        context.tell(Severity::Notice, text);
        match end_with {
            Some(signal) => signal_all(&self.name, &processes, signal, context),
            None => context.report(&self.name, ServiceReport::Running),
        }
        let pause = if end_with.is_some() { LOOK_AGAIN_SOON } else { LOOK_AGAIN };
        self.state = State::Remains { processes, end_with, ending, look_at: context.now + pause };
    }

    pub(super) fn handle_timer(&mut self, context: &mut Context<'_>) {
        let State::Remains { processes, end_with, ending, look_at } = &mut self.state else { return };
        if *look_at > context.now {
            return;
        }
        processes.retain(|process| process.lives());
        if processes.is_empty() {
            // They may have started others since.
            let (end_with, ending) = (*end_with, ending.clone());
            return self.look(end_with, ending, context);
        }
        *look_at = context.now + if end_with.is_some() { LOOK_AGAIN_SOON } else { LOOK_AGAIN };
        if *end_with == Some(Signal::KILL) {
            signal_all(&self.name, processes, Signal::KILL, context);
        }
    }

    /// The daemon ends without having been able to stop it: it must not go on.
    pub(super) fn abandon(&self) {
        match &self.state {
            State::Kept(kept) => kept.keeper.tell(Wish::Kill),
            State::Remains { processes, .. } => {
                for process in processes {
                    // It may have ended meanwhile; there is nobody left to tell of anything else.
                    let _ = process.signal(Signal::KILL);
                }
            }
            State::Unknown | State::Gone | State::Looking { .. } => {}
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

fn ending_of(exit: Exit) -> Ending {
    match exit {
        Exit::Code(status) => Ending::Exited(status),
        Exit::Signal(signal) => Ending::Signalled(signal),
    }
}

fn signal_all(service: &Name, processes: &[ProcessId], signal: Signal, context: &mut Context<'_>) {
    for process in processes {
        if let Err(error) = process.signal(signal) {
            context.tell(Severity::Warning, format!("({service}) {error}"));
        }
    }
}
