//! Waiting for many file descriptors at once: epoll with tokens.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::error::refused;
use crate::{Error, Result};

/// When a descriptor wakes us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// As long as there is something to read.
    Readable,
    /// Once per event: for a [`Timer`](crate::timer::Timer), which is never read.
    ReadableEdge,
    /// As long as there is room to write.
    Writable,
    /// Once whenever it becomes readable or writable: for a connection of ours that makes its way by itself.
    ProgressEdge,
}

/// So many are told of by one [`Poll::wait`]; the others by the next.
const EVENTS: usize = 64;

/// A set of descriptors that is waited for.
#[derive(Debug)]
pub struct Poll {
    epoll: OwnedFd,
}

impl Poll {
    pub fn new() -> Result<Poll> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(refused("create an epoll set"))?;
        Ok(Poll { epoll })
    }

    /// Adds a descriptor; `token` comes back from [`Poll::wait`].
    pub fn add(&self, descriptor: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        let data = epoll::EventData::new_u64(token);
        epoll::add(&self.epoll, descriptor, data, flags(interest)).map_err(refused("wait for a descriptor"))
    }

    /// Takes a descriptor out. Closing its last copy does so, too.
    pub fn remove(&self, descriptor: impl AsFd) -> Result<()> {
        epoll::delete(&self.epoll, descriptor).map_err(refused("no longer wait for a descriptor"))
    }

    /// Waits until something is ready, whose tokens come back, or `timeout` has passed (`None`: for ever). An interruption by a signal
    /// answers nothing ready.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<impl Iterator<Item = u64> + use<>> {
        let timeout = timeout
            .map(Timespec::try_from)
            .transpose()
            .map_err(|_| Error::with_detail("wait for events", "the time-out is too long"))?;
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); EVENTS];
        let mut ready = [0; EVENTS];
        let mut count = 0;
        match epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            Ok((events, _)) => {
                for (slot, event) in std::iter::zip(&mut ready, &*events) {
                    *slot = event.data.u64();
                }
                count = events.len();
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(refused("wait for events")(errno)),
        }
        Ok(ready.into_iter().take(count))
    }
}

fn flags(interest: Interest) -> epoll::EventFlags {
    match interest {
        Interest::Readable => epoll::EventFlags::IN,
        Interest::Writable => epoll::EventFlags::OUT,
        Interest::ReadableEdge => epoll::EventFlags::IN | epoll::EventFlags::ET,
        Interest::ProgressEdge => epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET,
    }
}

#[cfg(test)]
mod tests {
    use rustix::pipe::{PipeFlags, pipe_with};

    use super::*;

    fn ready(poll: &mut Poll) -> Vec<u64> {
        poll.wait(Some(Duration::ZERO)).unwrap().collect()
    }

    #[test]
    fn tells_what_is_ready_by_its_token() {
        let mut poll = Poll::new().unwrap();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        poll.add(&reader, u64::MAX, Interest::Readable).unwrap();
        assert_eq!(ready(&mut poll), []);

        rustix::io::write(&writer, b"x").unwrap();
        assert_eq!(ready(&mut poll), [u64::MAX]);
        assert_eq!(ready(&mut poll), [u64::MAX], "as long as there is something to read");

        poll.remove(&reader).unwrap();
        assert_eq!(ready(&mut poll), []);
        poll.add(&reader, 2, Interest::ReadableEdge).unwrap();
        assert_eq!(ready(&mut poll), [2]);
        assert_eq!(ready(&mut poll), [], "once");
        drop(writer);
        // A program that another test is just starting has it open until it begins.
        let soon: Vec<u64> = poll.wait(Some(Duration::from_secs(30))).unwrap().collect();
        assert_eq!(soon, [2], "the other side hung up");
    }
}
