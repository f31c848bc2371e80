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

    /// Lets it fire at `at` (nanoseconds of [`boot_time`](crate::clock::boot_time); at once if that is past) or, because
    /// it was set to it before, earlier: what is due moves on with each packet, and one wake-up too many costs less than
    /// setting the timer for each of them.
    pub fn arm(&mut self, at: Option<u64>) -> Result<()> {
        let Some(at) = at else { return Ok(()) };
        if self.armed.is_some_and(|armed| armed <= at) {
            return Ok(());
        }
        // All zero would mean "never".
        let setting = Itimerspec { it_interval: Timespec::default(), it_value: timespec(at.max(1)) };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::ABSTIME, &setting).map_err(refused("set a timer"))?;
        self.armed = Some(at);
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
    fn what_moves_on_costs_one_early_wake_up() {
        let mut poll = Poll::new().unwrap();
        let mut timer = Timer::new().unwrap();
        poll.add(&timer, 7, Interest::ReadableEdge).unwrap();
        timer.arm(Some(boot_time() + 3_600_000 * MILLISECOND)).unwrap();
        let first = boot_time() + 5 * MILLISECOND;
        timer.arm(Some(first)).unwrap();
        // Later, and never.
        let second = first + 20 * MILLISECOND;
        timer.arm(Some(second)).unwrap();
        timer.arm(None).unwrap();
        assert_eq!(tokens(&mut poll, 60_000), [7]);
        assert!(boot_time() >= first);
        timer.fired();
        timer.arm(Some(second)).unwrap();
        assert_eq!(tokens(&mut poll, 60_000), [7]);
        assert!(boot_time() >= second);
        timer.fired();
        timer.arm(None).unwrap();
        assert_eq!(tokens(&mut poll, 20), [0; 0]);
    }
}
