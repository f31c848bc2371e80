//! The control socket: operators' programs ask, the loop answers.
//!
//! A thread of its own speaks with the clients (`server.rs`); the loop sees only whole requests, one at a time, and
//! never waits. Who may do what is decided by the kernel's word on who the client is (`listening.rs`). Requests become
//! the engine's commands in `orders.rs`, its events become lines for those who follow in `happening.rs`.

mod client;
pub(crate) mod foreign;
pub(crate) mod happening;
mod later;
mod listening;
mod orders;
mod post;
mod server;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use api::{Ask, Outcome};
use config::Settings;
use engine::{Answer, Command, Engine, Event, Instant};
use linux::clock;
use linux::packet_filter::Dropped;
use linux::system_log::Severity;

use crate::status::{Snapshot, node_name, status};
pub(crate) use later::Later;
use listening::Listening;
pub(crate) use listening::{ReserveError, Reserved};
use orders::Orders;
use post::{Handed, Post};

/// Events kept for those who ask what happened before they did.
const HISTORY: usize = 128;

/// Where the control socket is: a path, or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlPlace {
    /// Here.
    At(PathBuf),
    /// There is none.
    None,
}

impl Default for ControlPlace {
    fn default() -> Self {
        Self::At(PathBuf::from(api::SOCKET))
    }
}

impl FromStr for ControlPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("a path, or `none`".to_owned()),
            "none" => Ok(Self::None),
            path => Ok(Self::At(PathBuf::from(path))),
        }
    }
}

/// The loop's end of the control socket.
#[derive(Debug)]
pub struct Control {
    post: Post,
    orders: Orders,
    history: VecDeque<Arc<api::Event>>,
    /// Number of the next event.
    next_event: u64,
    /// What the daemon has taken away from itself.
    confinement: Option<api::Confinement>,
}

/// Readable when requests wait to be taken.
impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.post.as_fd()
    }
}

impl Control {
    /// Listens at this path. A socket that a dead daemon left is replaced, that of a living one never. Signals must be
    /// blocked before, because this starts a thread.
    pub fn start(path: &Path) -> linux::Result<Self> {
        Self::begin(Listening::open(path)?)
    }

    /// Listens at a place that is ours already.
    pub(crate) fn start_at(place: Reserved) -> linux::Result<Self> {
        Self::begin(Listening::open_at(place)?)
    }

    fn begin(listening: Listening) -> linux::Result<Self> {
        let post = Post::start(listening)?;
        Ok(Self { post, orders: Orders::default(), history: VecDeque::new(), next_event: 1, confinement: None })
    }

    /// Tells from now on, with the rest, what the daemon has taken away from itself.
    #[must_use]
    pub fn telling(self, confinement: api::Confinement) -> Self {
        Self { confinement: Some(confinement), ..self }
    }

    /// Takes what clients ask for. Questions are answered here; what the engine must decide comes back with the number
    /// that its [`Answer`] will carry. `dropped` asks the kernel, if somebody wants to know.
    pub fn take(
        &mut self,
        engine: &Engine,
        settings: &Settings,
        strangers: &BTreeSet<IpAddr>,
        dropped: impl Fn() -> Option<Dropped>,
        now: Instant,
    ) -> Vec<(u64, Command)> {
        let mut commands = Vec::new();
        for Handed { ticket, ask } in self.post.take() {
            let outcome = match ask {
                Ask::Status => {
                    let (view, node) = (engine.view(), node_name(settings));
                    let (links, calendar, dropped) = (engine.links(), clock::real_time(), dropped());
                    let (view, node, confinement) = (&view, &*node, self.confinement.as_ref());
                    let snapshot =
                        Snapshot { view, settings, links, strangers, node, dropped, confinement, now, calendar };
                    Outcome::Status(Box::new(status(&snapshot)))
                }
                Ask::Events { follow } => {
                    if follow {
                        self.post.follow();
                    }
                    Outcome::Events(self.history.iter().map(|event| api::Event::clone(event)).collect())
                }
                Ask::Configuration => Outcome::Configuration(api::Configuration {
                    files: settings.files.iter().map(|file| file.display().to_string()).collect(),
                }),
                Ask::Ack | Ask::Hold { .. } | Ask::Release { .. } | Ask::Switch(_) | Ask::Maintenance(_) => {
                    match orders::to_commands(&ask, engine, &node_name(settings), clock::real_time()) {
                        Ok(new) => {
                            commands.extend(self.orders.begin(ticket, new));
                            continue;
                        }
                        Err(reason) => Outcome::Invalid(reason),
                    }
                }
            };
            self.post.reply(ticket, outcome);
        }
        commands
    }

    /// Passes on what the engine answered to a command.
    pub fn answer(&mut self, number: u64, answer: &Answer) {
        if let Some((ticket, outcome)) = self.orders.answered(number, answer) {
            self.post.reply(ticket, outcome);
        }
    }

    /// Tells those who follow, and keeps it for those who ask later, unless it is a mere detail. `text` is what the
    /// log says about it.
    pub fn publish(
        &mut self,
        engine: &Engine,
        event: &Event,
        now: Instant,
        (severity, detail): (Severity, bool),
        text: Vec<String>,
    ) {
        if detail && !self.post.has_followers() {
            return;
        }
        let number = self.next_event;
        self.next_event += 1;
        let times = (now, clock::real_time());
        let event = Arc::new(happening::describe(engine, event, number, times, (severity, detail), text));
        if !detail {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(Arc::clone(&event));
        }
        if self.post.has_followers() {
            self.post.publish(event);
        }
    }

    /// Lets the last answers out, but waits no longer than this for anybody.
    pub fn finish(self, patience: Duration) {
        self.post.finish(patience);
    }
}
