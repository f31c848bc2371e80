//! Interfaces whose links are polled (`linkbeat_interfaces`, `linkbeat_use_polling`): what they answered last.
//!
//! A thread asks: a question may wait for a driver, or for somebody else who changes interfaces. Meanwhile the last
//! answer counts, and before the first one what the kernel tells.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use linux::link_beat::{Beat, LinkBeat, Method};
use linux::system_log::Severity;

use crate::bell::{self, Bell};
use crate::notify::Told;

/// So often each interface is asked, as with keepalived.
const EVERY: Duration = Duration::from_secs(1);
/// So long the start waits for the first answers.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// Whom to ask, by name, and how if possible.
pub(crate) type Asked = BTreeMap<String, Option<Method>>;
/// What each answered that is there.
pub(crate) type Beats = BTreeMap<String, Beat>;

/// Its descriptor is readable when an answer is another one than before.
#[derive(Debug)]
pub(crate) struct LinkBeats {
    woken: UnixStream,
    bell: Arc<Bell>,
    /// Of the thread, if there is one.
    shared: Option<Arc<Shared>>,
    asked: Asked,
    seen: Beats,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something else to do than to wait.
    called: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: Asked,
    beats: Beats,
    /// Everybody who is asked now has been asked.
    is_complete: bool,
    /// Those that cannot be asked, with why until that is told.
    failures: BTreeMap<String, Option<String>>,
    is_over: bool,
}

impl LinkBeats {
    pub(crate) fn open() -> linux::Result<Self> {
        let (woken, bell) =
            bell::pair().map_err(|error| linux::Error::from_io("open a descriptor for polled links", &error))?;
        Ok(Self { woken, bell, shared: None, asked: Asked::new(), seen: Beats::new() })
    }

    /// From now on exactly these are asked.
    pub(crate) fn adjust(&mut self, asked: Asked) -> linux::Result<()> {
        if asked == self.asked {
            return Ok(());
        }
        self.asked.clone_from(&asked);
        if asked.is_empty() {
            self.end();
            return Ok(());
        }
        let shared = match &self.shared {
            Some(shared) => Arc::clone(shared),
            None => Arc::clone(self.shared.insert(start(&self.bell)?)),
        };
        let mut state = shared.lock();
        (state.asked, state.is_complete) = (asked, false);
        state.failures.clear();
        shared.called.notify_all();
        Ok(())
    }

    /// Waits for the first answers of all, but not for long.
    pub(crate) fn wait_for_first_look(&self) {
        let Some(shared) = &self.shared else { return };
        let mut state = shared.lock();
        let began = Instant::now();
        while !state.is_complete {
            let left = FIRST_LOOK.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            state = shared.called.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What is known now, and what is to be told of it. Never waits.
    pub(crate) fn receive(&mut self) -> (Beats, Vec<Told>) {
        bell::silence(&self.woken);
        let Some(shared) = &self.shared else {
            self.seen.clear();
            return (Beats::new(), Vec::new());
        };
        let mut state = shared.lock();
        let failures = state.failures.values_mut().filter_map(Option::take);
        let mut told: Vec<Told> = failures.map(|text| (Severity::Warning, text)).collect();
        for (link, beat) in &state.beats {
            if self.seen.get(link).is_none_or(|before| before.method != beat.method) {
                told.push((Severity::Info, format!("the link of {link} is polled by {}", word(beat.method))));
            }
        }
        self.seen.clone_from(&state.beats);
        (self.seen.clone(), told)
    }

    fn end(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.lock().is_over = true;
            shared.called.notify_all();
        }
    }
}

impl Drop for LinkBeats {
    fn drop(&mut self) {
        // A question that hangs is not waited for.
        self.end();
    }
}

impl AsFd for LinkBeats {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start(bell: &Arc<Bell>) -> linux::Result<Arc<Shared>> {
    let shared = Arc::new(Shared::default());
    // In the network namespace of this thread.
    let beat = LinkBeat::open()?;
    let (of_thread, bell) = (Arc::clone(&shared), Arc::clone(bell));
    std::thread::Builder::new()
        .name("links".to_owned())
        .spawn(move || ask_for_ever(&beat, &of_thread, &bell))
        .map_err(|error| linux::Error::from_io("start a thread that polls links", &error))?;
    Ok(shared)
}

fn ask_for_ever(beat: &LinkBeat, shared: &Shared, bell: &Bell) {
    let mut state = shared.lock();
    while !state.is_over {
        let asked = state.asked.clone();
        drop(state);
        let mut beats = Beats::new();
        let mut failures = BTreeMap::new();
        for (link, preferred) in &asked {
            match beat.ask(link, *preferred) {
                Ok(answer) => beats.extend(answer.map(|beat| (link.clone(), beat))),
                Err(error) => {
                    failures.insert(link.clone(), Some(format!("{error}; what the kernel tells counts")));
                }
            }
        }
        state = shared.lock();
        if state.asked != asked {
            continue;
        }
        failures.retain(|link, _| !state.failures.contains_key(link));
        let is_new = state.beats != beats || !failures.is_empty() || !state.is_complete;
        state.failures.extend(failures);
        (state.beats, state.is_complete) = (beats, true);
        if is_new {
            shared.called.notify_all();
            bell.ring();
        }
        let began = Instant::now();
        while !state.is_over && state.is_complete && began.elapsed() < EVERY {
            let left = EVERY.saturating_sub(began.elapsed());
            state = shared.called.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// As the configuration says it.
fn word(method: Method) -> &'static str {
    match method {
        Method::Mii => "MII",
        Method::Ethtool => "ETHTOOL",
        Method::Flags => "IOCTL",
    }
}
