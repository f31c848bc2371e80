//! How many processes of a kind there are. An end is told by the kernel (a descriptor of the process), a beginning by the
//! [proc connector](crate::process_events) where that can be heard; otherwise `/proc` is looked through every
//! [`LOOK_EVERY`]. To look at a process can wait for one that hangs in the kernel: no work for a loop that must not wait.

mod pattern;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub use self::pattern::{MatchBy, Pattern};
use crate::poll::{Interest, Poll};
use crate::process_events::{ProcessEvent, ProcessEvents};
use crate::process_list::{self, ProcessId};
use crate::{Error, Result};

/// So often `/proc` is looked through where the kernel does not tell of beginnings.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tokens above all numbers of processes.
const LEAVE: u64 = u64::MAX;
const BIRTHS: u64 = u64::MAX - 1;

/// How a number came to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A process became one that fits, or one that does not, by its own doing.
    Became,
    /// A process was forked, or may have been: where nobody tells, every new one may.
    Forked,
    /// A process has ended.
    Ended,
}

/// There is another number of processes that fit a pattern; or one became such a process just now that had counted as
/// forked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Place of the pattern.
    pub pattern: usize,
    pub count: u32,
    pub cause: Cause,
}

#[derive(Debug)]
pub struct ProcessWatch {
    patterns: Vec<Pattern>,
    poll: Poll,
    births: Option<ProcessEvents>,
    /// Why beginnings are looked for.
    silence: Option<Error>,
    /// Those that fit something, by their numbers.
    members: BTreeMap<u32, Member>,
    look_at: Instant,
}

/// Places of the patterns that a process has come to fit, or to fit no more, or still fits after a fork, by its own doing.
#[derive(Debug, Default)]
struct OwnDoing {
    gained: Vec<usize>,
    lost: Vec<usize>,
    settled: Vec<usize>,
}

#[derive(Debug)]
struct Member {
    id: ProcessId,
    /// Readable when it has ended. Without one its end is looked for.
    end: Option<OwnedFd>,
    /// Places of the patterns that it fits.
    fits: Vec<usize>,
    /// It fits because its parent did, and may be about to become another.
    is_fork: bool,
}

impl ProcessWatch {
    /// Looks at everything that runs. [`wait`](Self::wait) comes back when `leave` is readable. `buffer` is as with
    /// [`ProcessEvents::open`].
    pub fn open(patterns: Vec<Pattern>, buffer: Option<(usize, bool)>, leave: &impl AsFd) -> Result<ProcessWatch> {
        let births = ProcessEvents::open(buffer);
        ProcessWatch::with_births(patterns, leave, births)
    }

    /// As [`open`](Self::open), but beginnings are looked for, as if the kernel told nobody.
    pub fn open_without_births(patterns: Vec<Pattern>, leave: &impl AsFd) -> Result<ProcessWatch> {
        let silence = Error::with_detail("hear of processes that start", "nobody asked for it");
        ProcessWatch::with_births(patterns, leave, Err(silence))
    }

    fn with_births(patterns: Vec<Pattern>, leave: &impl AsFd, births: Result<ProcessEvents>) -> Result<ProcessWatch> {
        let poll = Poll::new()?;
        poll.add(leave, LEAVE, Interest::Readable)?;
        let (births, silence) = match births {
            Ok(births) => (Some(births), None),
            Err(error) => (None, Some(error)),
        };
        if let Some(births) = &births {
            poll.add(births, BIRTHS, Interest::Readable)?;
        }
        let (members, look_at) = (BTreeMap::new(), Instant::now() + LOOK_EVERY);
        let mut watch = ProcessWatch { patterns, poll, births, silence, members, look_at };
        // First the ear, then the look: nothing can happen unnoticed in between.
        watch.look()?;
        Ok(watch)
    }

    /// Why beginnings are noticed late, if they are.
    pub fn silence(&self) -> Option<&Error> {
        self.silence.as_ref()
    }

    /// How many there are, pattern by pattern.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.patterns.len()];
        for place in self.members.values().flat_map(|member| &member.fits) {
            counts[*place] += 1;
        }
        counts
    }

    /// Waits until a number changes, and adds what has changed; `false` if somebody wants us to leave.
    pub fn wait(&mut self, changes: &mut Vec<Change>) -> Result<bool> {
        loop {
            let must_look = self.births.is_none() || self.members.values().any(|member| member.end.is_none());
            let patience = must_look.then(|| self.look_at.saturating_duration_since(Instant::now()));
            let ready: Vec<u64> = self.poll.wait(patience)?.collect();
            if ready.contains(&LEAVE) {
                return Ok(false);
            }
            let before = self.counts();
            let mut own_doing = OwnDoing::default();
            let mut lost = must_look && self.look_at <= Instant::now();
            let mut events = Vec::new();
            if let (Some(births), true) = (&mut self.births, ready.contains(&BIRTHS)) {
                births.receive(&mut events)?;
            }
            for event in events {
                match event {
                    ProcessEvent::Forked(pid) => self.consider(pid, true),
                    ProcessEvent::Changed(pid) => self.follow_change(pid, &mut own_doing),
                    ProcessEvent::Lost => lost = true,
                }
            }
            for token in ready {
                // Numbers of processes fit; the other tokens are greater.
                if let Ok(pid) = u32::try_from(token)
                    && self.members.get(&pid).is_some_and(|member| !member.id.lives())
                {
                    self.members.remove(&pid);
                    // Whoever takes its place may be there already.
                    lost |= self.births.is_none();
                }
            }
            if lost {
                self.look()?;
            }
            let after = self.counts();
            let before_len = changes.len();
            for (pattern, (count, was)) in after.into_iter().zip(before).enumerate() {
                let cause = match count.cmp(&was) {
                    Ordering::Greater if own_doing.gained.contains(&pattern) => Cause::Became,
                    Ordering::Greater => Cause::Forked,
                    Ordering::Less if own_doing.lost.contains(&pattern) => Cause::Became,
                    Ordering::Less => Cause::Ended,
                    Ordering::Equal if own_doing.settled.contains(&pattern) => Cause::Became,
                    Ordering::Equal => continue,
                };
                changes.push(Change { pattern, count, cause });
            }
            if changes.len() > before_len {
                return Ok(true);
            }
        }
    }

    /// A process is another program, or has another name.
    fn follow_change(&mut self, pid: u32, own_doing: &mut OwnDoing) {
        let before = self.members.get(&pid).map(|member| (member.fits.clone(), member.is_fork));
        let (fitted, was_fork) = before.unwrap_or_default();
        self.consider(pid, false);
        let Some(member) = self.members.get_mut(&pid) else { return own_doing.lost.extend(fitted) };
        member.is_fork = false;
        let (fits, fitted_too): (Vec<usize>, Vec<usize>) = (member.fits.clone(), fitted.clone());
        own_doing.lost.extend(fitted.into_iter().filter(|place| !fits.contains(place)));
        let (same, new): (Vec<usize>, Vec<usize>) = fits.into_iter().partition(|place| fitted_too.contains(place));
        own_doing.gained.extend(new);
        if was_fork {
            own_doing.settled.extend(same);
        }
    }

    /// Looks at every process.
    fn look(&mut self) -> Result<()> {
        self.look_at = Instant::now() + LOOK_EVERY;
        let running = process_list::all()?.collect::<Result<Vec<u32>>>()?;
        self.members.retain(|pid, member| running.contains(pid) && member.id.lives());
        for pid in running {
            self.consider(pid, false);
        }
        Ok(())
    }

    /// Looks at one process, which may be gone again.
    fn consider(&mut self, pid: u32, is_fork: bool) {
        let Some((id, fits)) = self.identify(pid).filter(|(_, fits)| !fits.is_empty()) else {
            self.members.remove(&pid);
            return;
        };
        if let Some(known) = self.members.get_mut(&pid)
            && known.id == id
        {
            known.fits = fits;
            return;
        }
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let end = number.and_then(|number| pidfd_open(number, PidfdFlags::empty()).ok());
        let end = end.filter(|end| self.poll.add(end, u64::from(pid), Interest::Readable).is_ok());
        // Now that its end is told: is it still the one that was looked at?
        if id.lives() {
            self.members.insert(pid, Member { id, end, fits, is_fork });
        } else {
            self.members.remove(&pid);
        }
    }

    /// What runs under this number, and what it fits.
    fn identify(&self, pid: u32) -> Option<(ProcessId, Vec<usize>)> {
        let (id, name) = process_list::named(pid)?;
        // To read the command line can mean to wait for memory; most processes are ruled out by their names.
        let mut command: Option<Vec<u8>> = None;
        let mut read = || process_list::command_line(pid);
        let mut fits = |pattern: &Pattern| {
            pattern.may_fit(&name) && pattern.fits(&name, || command.get_or_insert_with(&mut read).clone())
        };
        let places = self.patterns.iter().enumerate().filter(|(_, pattern)| fits(pattern)).map(|(place, _)| place);
        Some((id, places.collect()))
    }
}

#[cfg(test)]
mod tests;
