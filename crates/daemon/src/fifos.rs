//! Named pipes that get a line for each change (`notify_fifo`, `vrrp_notify_fifo`), and the programs that read them.
//!
//! A pipe stays open across a reload, so that nobody who reads it is cut off. It is never waited for: what does not fit
//! waits here, and when too much waits, the oldest lines are dropped, which is counted and told. At the stop a reader of
//! ours gets the last lines and the end of the pipe before it is asked to end.

mod reader;

use std::collections::VecDeque;
use std::path::PathBuf;

use linux::fifo::Fifo;
use linux::poll::{Interest, Poll};
use linux::spawn::Exit;
use linux::system_log::Severity;

use self::reader::Reader;
pub(crate) use self::reader::ReaderPlan;
use crate::children::Children;
use crate::notify::Told;

/// Lines that wait for one reader, beside the some two thousand that the kernel keeps.
const MOST_WAITING: usize = 4096;
/// While the end is waited for, it is looked for at this interval, in nanoseconds.
const LOOK: u64 = 20_000_000;
/// At the stop, somebody who does not read is waited for no longer, in nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// A pipe as the configuration has it.
#[derive(Debug)]
pub(crate) struct FifoPlan {
    pub(crate) keyword: &'static str,
    pub(crate) path: PathBuf,
    /// User and group, if it has to be made.
    pub(crate) owner: (u32, u32),
    pub(crate) reader: Option<ReaderPlan>,
    /// Opened already.
    pub(crate) pipe: Option<linux::Result<Fifo>>,
}

impl FifoPlan {
    /// Opens it, which a slow file system can hold up.
    pub(crate) fn open(&mut self) {
        self.pipe = Some(Fifo::open(&self.path, self.owner));
    }
}

/// What the pipes need of the loop.
#[derive(Debug)]
pub(crate) struct Around<'l> {
    pub(crate) now: u64,
    pub(crate) poll: &'l Poll,
    pub(crate) children: &'l mut Children,
    pub(crate) told: &'l mut Vec<Told>,
}

/// All pipes.
#[derive(Debug, Default)]
pub(crate) struct Fifos {
    outlets: Vec<Outlet>,
    /// The daemon ends: since when.
    winding_down: Option<u64>,
    /// When to look again how far that is.
    look_at: Option<u64>,
}

#[derive(Debug)]
struct Outlet {
    keyword: &'static str,
    path: PathBuf,
    /// For waiting until there is room.
    token: u64,
    pipe: Option<Fifo>,
    waiting: VecDeque<Vec<u8>>,
    lost: u64,
    is_watched: bool,
    reader: Reader,
}

impl Fifos {
    /// Takes over what is configured now. The tokens from `first_token` on are theirs.
    pub(crate) fn configure(&mut self, plans: Vec<FifoPlan>, first_token: u64, around: &mut Around<'_>) {
        let mut before = std::mem::take(&mut self.outlets);
        for (plan, token) in plans.into_iter().zip(first_token..) {
            let place = before.iter().position(|outlet| outlet.keyword == plan.keyword && outlet.path == plan.path);
            let mut outlet = match place {
                Some(place) => before.swap_remove(place),
                None => Outlet::new(plan.keyword, plan.path.clone()),
            };
            outlet.take_over(plan, token, around);
            self.outlets.push(outlet);
        }
        for outlet in before {
            outlet.part(around);
        }
    }

    /// Writes a line to each.
    pub(crate) fn tell(&mut self, line: &str, around: &mut Around<'_>) {
        for outlet in &mut self.outlets {
            outlet.tell(line.as_bytes(), around);
        }
    }

    /// Whether there is somebody to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.outlets.is_empty()
    }

    /// There is room again.
    pub(crate) fn ready(&mut self, token: u64, around: &mut Around<'_>) {
        if let Some(outlet) = self.outlets.iter_mut().find(|outlet| outlet.token == token) {
            outlet.write_waiting(around);
        }
    }

    /// A reader has ended.
    pub(crate) fn ended(&mut self, keyword: &str, pid: u32, exit: Exit, around: &mut Around<'_>) {
        let is_over = self.winding_down.is_some();
        if let Some(outlet) = self.outlets.iter_mut().find(|outlet| outlet.keyword == keyword) {
            outlet.reader.ended(pid, exit, is_over, around);
        }
    }

    /// Starts readers again, or sees to the end.
    pub(crate) fn handle_timer(&mut self, around: &mut Around<'_>) {
        let Some(since) = self.winding_down else {
            for outlet in &mut self.outlets {
                outlet.reader.start_if_due(outlet.keyword, &outlet.path, around);
            }
            return;
        };
        if self.look_at.is_some_and(|at| at <= around.now) {
            for outlet in &mut self.outlets {
                outlet.wind_down(since, around);
            }
            self.look_at = (!self.is_idle()).then(|| around.now + LOOK);
        }
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        match self.winding_down {
            Some(_) => self.look_at,
            None => self.outlets.iter().filter_map(|outlet| outlet.reader.start_at()).min(),
        }
    }

    /// The last line has been told.
    pub(crate) fn begin_to_end(&mut self, now: u64) {
        if self.winding_down.is_none() {
            self.winding_down = Some(now);
            self.look_at = Some(now);
        }
    }

    /// Whether nothing waits to be read and no reader runs that an ending daemon should wait for.
    pub(crate) fn is_idle(&self) -> bool {
        self.outlets.iter().all(|outlet| outlet.waiting.is_empty() && !outlet.reader.is_running())
    }

    /// What we have made goes.
    pub(crate) fn finish(&mut self, around: &mut Around<'_>) {
        for outlet in std::mem::take(&mut self.outlets) {
            outlet.part(around);
        }
    }
}

impl Outlet {
    fn new(keyword: &'static str, path: PathBuf) -> Self {
        Self {
            keyword,
            path,
            token: 0,
            pipe: None,
            waiting: VecDeque::new(),
            lost: 0,
            is_watched: false,
            reader: Reader::default(),
        }
    }

    /// A pipe that is still the one at its path stays open; otherwise somebody has taken it away, and the new one is used.
    fn take_over(&mut self, mut plan: FifoPlan, token: u64, around: &mut Around<'_>) {
        if plan.pipe.is_none() {
            plan.open();
        }
        match plan.pipe.take() {
            Some(Ok(opened)) if self.pipe.as_ref().is_some_and(|pipe| pipe.is(&opened)) => {}
            Some(Ok(opened)) => {
                self.stop_watching(around);
                self.pipe = Some(opened);
                self.reader.end(around);
            }
            Some(Err(error)) if self.pipe.is_none() => {
                let text = format!("{}: {error}; nobody is told by it", self.keyword);
                around.told.push((Severity::Error, text));
            }
            Some(Err(error)) => around.told.push((Severity::Error, format!("{}: {error}", self.keyword))),
            None => {}
        }
        if self.token != token {
            self.stop_watching(around);
            self.token = token;
        }
        self.write_waiting(around);
        let reader = plan.reader.filter(|_| self.pipe.is_some());
        self.reader.configure(reader, self.keyword, &self.path, around);
    }

    fn tell(&mut self, line: &[u8], around: &mut Around<'_>) {
        // That it could not be opened was told.
        let Some(pipe) = &self.pipe else { return };
        if self.waiting.is_empty() {
            match pipe.write(line) {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => return self.tell_failure(&error, around),
            }
        }
        self.waiting.push_back(line.to_vec());
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
            if self.lost == 0 {
                let text = format!("{}: nobody reads it, or not fast enough: the oldest lines are lost", self.label());
                around.told.push((Severity::Warning, text));
            }
            self.lost += 1;
        }
        self.watch(around);
    }

    fn write_waiting(&mut self, around: &mut Around<'_>) {
        while let (Some(pipe), Some(line)) = (&self.pipe, self.waiting.front()) {
            match pipe.write(line) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.tell_failure(&error, around),
            }
            self.waiting.pop_front();
        }
        // Not at each line of one who is always late.
        if self.lost > 0 && self.waiting.len() <= MOST_WAITING / 2 {
            let text = format!("{}: it is read again; {} lines were lost", self.label(), self.lost);
            around.told.push((Severity::Warning, text));
            self.lost = 0;
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to_fit();
            self.stop_watching(around);
        } else {
            self.watch(around);
        }
    }

    fn tell_failure(&self, error: &linux::Error, around: &mut Around<'_>) {
        around.told.push((Severity::Error, format!("{}: {error}; a line is lost", self.label())));
    }

    fn label(&self) -> String {
        format!("{} {}", self.keyword, self.path.display())
    }

    fn watch(&mut self, around: &mut Around<'_>) {
        let Some(pipe) = self.pipe.as_ref().filter(|_| !self.is_watched) else { return };
        match around.poll.add(pipe, self.token, Interest::Writable) {
            Ok(()) => self.is_watched = true,
            Err(error) => around.told.push((Severity::Error, format!("{}: {error}", self.label()))),
        }
    }

    fn stop_watching(&mut self, around: &mut Around<'_>) {
        if let (Some(pipe), true) = (&self.pipe, std::mem::take(&mut self.is_watched)) {
            // Closing it would do as well.
            let _ = around.poll.remove(pipe);
        }
    }

    /// Once everything has been read, or after some patience, the pipe ends for its readers, and then they.
    fn wind_down(&mut self, since: u64, around: &mut Around<'_>) {
        self.write_waiting(around);
        let is_late = around.now >= since + PATIENCE;
        let is_unread = || self.pipe.as_ref().is_some_and(Fifo::has_unread);
        if self.waiting.is_empty() && !(self.reader.is_running() && is_unread()) || is_late {
            self.tell_unread(around);
            self.close(around);
            self.reader.wind_down(around);
        }
    }

    fn tell_unread(&mut self, around: &mut Around<'_>) {
        let unread = std::mem::take(&mut self.waiting).len() as u64 + std::mem::take(&mut self.lost);
        if unread > 0 {
            let text = format!("{}: nobody reads it; {unread} lines are lost", self.label());
            around.told.push((Severity::Warning, text));
        }
    }

    fn close(&mut self, around: &mut Around<'_>) {
        self.stop_watching(around);
        if let Some(pipe) = self.pipe.take()
            && let Err(error) = pipe.remove(&self.path)
        {
            around.told.push((Severity::Warning, format!("{}: {error}", self.keyword)));
        }
    }

    /// It is no longer there, or we are not.
    fn part(mut self, around: &mut Around<'_>) {
        self.write_waiting(around);
        self.tell_unread(around);
        self.close(around);
        self.reader.end(around);
    }
}

#[cfg(test)]
mod tests;
