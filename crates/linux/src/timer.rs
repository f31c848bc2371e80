//! One absolute timer on the boot-time clock, as a file descriptor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::Result;
use crate::clock::timespec;
use crate::error::refused;

/// Add it to a [`Poll`](crate::poll::Poll) with [`Interest::ReadableEdge`](crate::poll::Interest::ReadableEdge) and
/// never read it: arming it anew is what makes the next edge. That saves a system call for each time it fires.
#[derive(Debug)]
pub struct Timer {
    descriptor: OwnedFd,
    armed: Option<u64>,
}

impl Timer {
    pub fn new() -> Result<Timer> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let descriptor = timerfd_create(TimerfdClockId::Boottime, flags).map_err(refused("create a timer"))?;
        Ok(Timer { descriptor, armed: None })
    }

    /// Lets it fire at `at` (nanoseconds of [`boot_time`](crate::clock::boot_time); at once if that is past), or
    /// never. Costs nothing if that is what it is set to already and it has not fired since.
    pub fn arm(&mut self, at: Option<u64>) -> Result<()> {
        if self.armed == at {
            return Ok(());
        }
        // All zero would mean "never".
        let value = at.map_or(Timespec::default(), |at| timespec(at.max(1)));
        let setting = Itimerspec { it_interval: Timespec::default(), it_value: value };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::ABSTIME, &setting).map_err(refused("set a timer"))?;
        self.armed = at;
        Ok(())
    }

    /// Tell it that it fired, so that the next [`arm`](Timer::arm) sets it even to the same moment.
    pub fn fired(&mut self) {
        self.armed = None;
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::boot_time;
    use crate::poll::{Interest, Poll};

    const MILLISECOND: u64 = 1_000_000;

    fn tokens(poll: &mut Poll, milliseconds: u64) -> Vec<u64> {
        poll.wait(Some(Duration::from_millis(milliseconds))).unwrap().collect()
    }

    #[test]
    fn fires_once_for_each_arming_without_being_read() {
        let mut poll = Poll::new().unwrap();
        let mut timer = Timer::new().unwrap();
        poll.add(&timer, 7, Interest::ReadableEdge).unwrap();
        let at = boot_time() + 5 * MILLISECOND;
        timer.arm(Some(at)).unwrap();
        assert_eq!(tokens(&mut poll, 60_000), [7]);
        assert!(boot_time() >= at);
        assert_eq!(tokens(&mut poll, 20), [0; 0], "one edge for one arming");
        timer.fired();
        timer.arm(Some(at)).unwrap();
        assert_eq!(tokens(&mut poll, 60_000), [7], "a moment in the past fires at once");
        timer.fired();
        timer.arm(Some(0)).unwrap();
        assert_eq!(tokens(&mut poll, 60_000), [7], "even the moment zero");
    }

    #[test]
    fn disarmed_it_stays_silent() {
        let mut poll = Poll::new().unwrap();
        let mut timer = Timer::new().unwrap();
        poll.add(&timer, 7, Interest::ReadableEdge).unwrap();
        timer.arm(Some(boot_time() + 3_600_000 * MILLISECOND)).unwrap();
        timer.arm(Some(boot_time() + 1)).unwrap();
        timer.arm(None).unwrap();
        // Whether it had fired before it was disarmed is a race; that it is not ready now is not.
        assert_eq!(tokens(&mut poll, 20), [0; 0]);
    }
}
