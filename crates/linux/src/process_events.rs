//! The kernel's own word about processes that begin or become others (the proc connector, `cn_proc.h`). It speaks to who
//! may hear it in the first namespaces only: elsewhere there is nothing to hear, and [`ProcessEvents::open`] says so.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with};

use crate::error::refused;
use crate::netns::Namespace;
use crate::socket_option::{limit_receive_buffer, set_filter, set_receive_buffer, step};
use crate::{Error, Result};

/// The connector's index and value of process events, and the bit of its group.
const PROCESSES: u32 = 1;
const LISTEN: u32 = 1;
/// `NLMSG_DONE`: the connector uses no other kind.
const KIND: u16 = 3;
/// What an event is about stands here,
const WHAT: usize = 36;
/// and its particulars here.
const PARTICULARS: usize = 52;

const CONFIRMED: u32 = 0;
const FORK: u32 = 0x1;
const EXEC: u32 = 0x2;
const RENAMED: u32 = 0x200;

/// The kernel confirms at once, if it does.
const PATIENCE: Duration = Duration::from_millis(500);
/// A machine that compiles has thousands of births a second.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// `PROC_PID_INIT_INO`: the first namespace of process numbers, in which the kernel tells.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Something that happened to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It was forked.
    Forked(u32),
    /// It became another program, or has another name.
    Changed(u32),
    /// Events were lost: nobody knows what happened.
    Lost,
}

/// A socket on which the kernel tells.
#[derive(Debug)]
pub struct ProcessEvents {
    socket: OwnedFd,
}

impl ProcessEvents {
    /// Opens it, here or in the network namespace of the first process, and waits until the kernel has confirmed. `buffer` is
    /// how much it queues, and whether that is beyond the system's limit.
    pub fn open(buffer: Option<(usize, bool)>) -> Result<ProcessEvents> {
        let namespace = std::fs::read_link("/proc/self/ns/pid");
        if !namespace.is_ok_and(|namespace| namespace.as_os_str() == FIRST_PID_NAMESPACE) {
            return Err(Error::with_detail("hear of processes that start", "this is a container"));
        }
        // The kernel answers in the first network namespace only; a socket that was opened there hears wherever its
        // owner is.
        ProcessEvents::open_here(buffer).or_else(|here| {
            let elsewhere =
                Namespace::of_process(1).and_then(|first| first.run(move || ProcessEvents::open_here(buffer)));
            elsewhere.and_then(|opened| opened).map_err(|_| here)
        })
    }

    fn open_here(buffer: Option<(usize, bool)>) -> Result<ProcessEvents> {
        let refuse = refused("hear of processes that start");
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(netlink::CONNECTOR)).map_err(&refuse)?;
        // A small one hears less, and what is lost is looked for.
        let _ = match buffer {
            Some((octets, false)) => limit_receive_buffer(&socket, octets, false),
            Some((octets, true)) => set_receive_buffer(&socket, octets),
            None => set_receive_buffer(&socket, RECEIVE_BUFFER),
        };
        set_filter(&socket, &births_only()).map_err(&refuse)?;
        bind(&socket, &SocketAddrNetlink::new(0, PROCESSES)).map_err(&refuse)?;
        send(&socket, &listen(), SendFlags::empty()).map_err(&refuse)?;
        let events = ProcessEvents { socket };
        events.wait_until_confirmed()?;
        Ok(events)
    }

    fn wait_until_confirmed(&self) -> Result<()> {
        let refuse = refused("hear of processes that start");
        let until = Instant::now() + PATIENCE;
        let mut datagram = [0; 512];
        loop {
            match recv(&self.socket, &mut datagram, RecvFlags::empty()) {
                Ok((_, length)) => match confirmation(&datagram[..length]) {
                    Some(0) => return Ok(()),
                    Some(errno) => return Err(refuse(Errno::from_raw_os_error(errno))),
                    // What others hear, too.
                    None => {}
                },
                Err(Errno::AGAIN) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        let detail = "the kernel does not tell of them here";
                        return Err(Error::with_detail("hear of processes that start", detail));
                    }
                    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
                    match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout)) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(errno) => return Err(refuse(errno)),
                    }
                }
                Err(Errno::INTR | Errno::NOBUFS) => {}
                Err(errno) => return Err(refuse(errno)),
            }
        }
    }

    /// Takes in what the kernel has told. Never waits.
    pub fn receive(&mut self, events: &mut Vec<ProcessEvent>) -> Result<()> {
        let mut datagram = [0; 512];
        loop {
            match recv(&self.socket, &mut datagram, RecvFlags::empty()) {
                Ok((_, length)) => events.extend(decode(&datagram[..length])),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => events.push(ProcessEvent::Lost),
                Err(errno) => return Err(refused("hear of processes that start")(errno)),
            }
        }
    }
}

impl AsFd for ProcessEvents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Asks the kernel to tell.
fn listen() -> [u8; 40] {
    let mut message = [0; 40];
    let mut put = |at: usize, octets: &[u8]| message[at..at + octets.len()].copy_from_slice(octets);
    put(0, &40_u32.to_ne_bytes());
    put(4, &KIND.to_ne_bytes());
    put(16, &PROCESSES.to_ne_bytes());
    put(20, &PROCESSES.to_ne_bytes());
    // The length of what follows the connector's header.
    put(32, &4_u16.to_ne_bytes());
    put(36, &LISTEN.to_ne_bytes());
    message
}

/// The kernel tells of much more, ends and threads above all; that shall wake nobody.
fn births_only() -> [libc::sock_filter; 11] {
    // The program sees numbers of the network's order, and these are of the machine's.
    let word = |value: u32| value.to_be();
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let equals = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let equals_x = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_X) as u16;
    let to_x = (libc::BPF_MISC | libc::BPF_TAX) as u16;
    let keep = (libc::BPF_RET | libc::BPF_K) as u16;
    [
        step(load, WHAT as u32, 0, 0),
        step(equals, word(FORK), 3, 0),
        step(equals, word(EXEC), 6, 0),
        step(equals, word(RENAMED), 5, 0),
        step(equals, word(CONFIRMED), 4, 5),
        // Of a new process its own number and its group's are the same; of a thread they are not.
        step(load, PARTICULARS as u32 + 8, 0, 0),
        step(to_x, 0, 0, 0),
        step(load, PARTICULARS as u32 + 12, 0, 0),
        step(equals_x, 0, 0, 1),
        step(keep, u32::MAX, 0, 0),
        step(keep, 0, 0, 0),
    ]
}

fn word_at(datagram: &[u8], at: usize) -> Option<u32> {
    let octets = datagram.get(at..at + 4)?;
    octets.try_into().ok().map(u32::from_ne_bytes)
}

/// The error number of the kernel's answer, or 0; `None` if it is none.
pub(crate) fn confirmation(datagram: &[u8]) -> Option<i32> {
    (word_at(datagram, WHAT)? == CONFIRMED).then(|| word_at(datagram, PARTICULARS).unwrap_or(0).cast_signed())
}

pub(crate) fn decode(datagram: &[u8]) -> Option<ProcessEvent> {
    let particular = |place: usize| word_at(datagram, PARTICULARS + 4 * place);
    match word_at(datagram, WHAT)? {
        FORK => {
            let (pid, group) = (particular(2)?, particular(3)?);
            (pid == group).then_some(ProcessEvent::Forked(pid))
        }
        EXEC | RENAMED => {
            let (pid, group) = (particular(0)?, particular(1)?);
            // A thread's own name is nobody's business.
            (pid == group).then_some(ProcessEvent::Changed(pid))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: u32, particulars: &[u32]) -> Vec<u8> {
        let mut datagram = vec![0; PARTICULARS];
        datagram[WHAT..WHAT + 4].copy_from_slice(&what.to_ne_bytes());
        datagram.extend(particulars.iter().flat_map(|word| word.to_ne_bytes()));
        datagram
    }

    #[test]
    fn understands_what_the_kernel_tells() {
        let check = |what, particulars: &[u32], expected| assert_eq!(decode(&event(what, particulars)), expected);
        check(FORK, &[7, 7, 42, 42], Some(ProcessEvent::Forked(42)));
        check(FORK, &[7, 7, 43, 7], None);
        check(EXEC, &[42, 42], Some(ProcessEvent::Changed(42)));
        check(RENAMED, &[42, 42, 0, 0, 0, 0], Some(ProcessEvent::Changed(42)));
        check(RENAMED, &[43, 42, 0, 0, 0, 0], None);
        check(0x8000_0000, &[42, 42, 0, 17], None);
        check(FORK, &[7], None);
        assert_eq!(decode(&[0; 20]), None);
        assert_eq!(confirmation(&event(CONFIRMED, &[0])), Some(0));
        assert_eq!(confirmation(&event(CONFIRMED, &[1])), Some(1));
        assert_eq!(confirmation(&event(EXEC, &[42, 42])), None);
    }
}
