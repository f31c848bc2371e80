//! A hand inside a namespace: a thread that lives there and does what it is asked to.
//!
//! A namespace belongs to a thread, so whoever wants a socket, a netlink answer or a program in there asks this one.

use std::fmt;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use linux::netns::Namespace;
use linux::virtual_host::{HostInit, become_host};

use super::LabError;

type Errand = Box<dyn FnOnce() + Send>;

/// The thread inside. Dropped, it leaves, and what only it held is gone.
pub(crate) struct Inside {
    errands: Option<Sender<Errand>>,
    thread: Option<JoinHandle<()>>,
    namespace: Namespace,
}

impl Inside {
    /// In a network namespace of its own; processes, files and names are those of everybody.
    pub(crate) fn network(name: &str) -> Result<Self, LabError> {
        let (inside, ()) = Self::start(name, || {
            let namespace = Namespace::create()?;
            namespace.enter()?;
            Ok(((), namespace))
        })?;
        Ok(inside)
    }

    /// In a virtual host of its own, with its process 1.
    pub(crate) fn host(name: &str) -> Result<(Self, HostInit), LabError> {
        let host = name.to_owned();
        Self::start(name, move || become_host(&host))
    }

    fn start<T: Send + 'static>(
        name: &str,
        settle: impl FnOnce() -> linux::Result<(T, Namespace)> + Send + 'static,
    ) -> Result<(Self, T), LabError> {
        let (errands, inbox) = channel::<Errand>();
        let (settled, answer) = channel();
        let thread = std::thread::Builder::new()
            .name(format!("lab {name}"))
            .spawn(move || {
                let settlement = settle();
                let good = settlement.is_ok();
                // Nobody waits any more: then there will be no errands either.
                let _ = settled.send(settlement);
                if good {
                    inbox.into_iter().for_each(|errand| errand());
                }
            })
            .map_err(|error| LabError::io(format!("start the thread of {name}"), &error))?;
        let (extra, namespace) = answer.recv().expect("the thread answers before it does anything else")?;
        Ok((Self { errands: Some(errands), thread: Some(thread), namespace }, extra))
    }

    /// Does `errand` inside and waits for its answer.
    pub(crate) fn run<T: Send + 'static>(&self, errand: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, answer) = channel();
        let errands = self.errands.as_ref().expect("taken only by drop");
        let sent = errands.send(Box::new(move || {
            // The receiver waits below.
            let _ = done.send(errand());
        }));
        sent.expect("the thread lives as long as its sender");
        answer.recv().expect("an errand that panics is a bug and has told so")
    }

    /// The network namespace.
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.errands = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}
