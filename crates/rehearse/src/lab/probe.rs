//! Asks for an address at a steady pace by ICMP echo and notes who answers when.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use linux::capture::Capture;
use rustix::net::{SendFlags, sendto};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::answers::{Answer, Answers, Asked};
use super::inside::Inside;
use super::observers::readable;
use super::{LabError, Moment};

/// Two threads, one that asks and one that listens, until it is dropped.
#[derive(Debug)]
pub struct Probe {
    asked: Arc<Mutex<Vec<Asked>>>,
    leave: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Probe {
    /// `names` tells hosts by the time to live of their replies.
    pub(super) fn start(
        client: &Inside,
        address: Ipv4Addr,
        interval: Duration,
        names: Vec<(u8, Arc<str>)>,
    ) -> Result<Self, LabError> {
        let socket = Arc::new(client.run(Capture::echo_replies)?);
        static LAST: AtomicU16 = AtomicU16::new(0);
        let identifier = LAST.fetch_add(1, Ordering::Relaxed);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let leave = Arc::new(AtomicBool::new(false));
        let talker = {
            let (socket, asked, leave) = (socket.clone(), asked.clone(), leave.clone());
            thread::spawn(move || ask(&socket, address, identifier, interval, &asked, &leave))
        };
        let listener = {
            let (asked, leave) = (asked.clone(), leave.clone());
            thread::spawn(move || listen(&socket, address, identifier, &names, &asked, &leave))
        };
        Ok(Self { asked, leave, threads: vec![talker, listener] })
    }

    /// What has come in until now. The last few questions may still get their answers.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers { asked: lock(&self.asked).clone() }
    }

    /// Waits until somebody answers what was asked after `since`; `None` if nobody does while `patience` lasts.
    #[must_use]
    pub fn wait_for_answer(&self, since: Moment, patience: Duration) -> Option<Answer> {
        self.wait_for(patience, |asked| if asked.at >= since { asked.answers.first().cloned() } else { None })
    }

    /// Waits until this host answers what was asked after `since`.
    #[must_use]
    pub fn wait_for_answer_by(&self, host: &str, since: Moment, patience: Duration) -> Option<Answer> {
        self.wait_for(patience, |asked| {
            if asked.at < since {
                return None;
            }
            asked.answers.iter().find(|answer| &*answer.by == host).cloned()
        })
    }

    fn wait_for(&self, patience: Duration, wanted: impl Fn(&Asked) -> Option<Answer>) -> Option<Answer> {
        let mut found = None;
        // What was asked long ago gets no answer any more, so a look at the recent ones is enough after the first.
        let mut from = 0;
        let _ = super::wait_until(patience, || {
            let asked = lock(&self.asked);
            found = asked[from..].iter().find_map(&wanted);
            from = asked.len().saturating_sub(2000);
            found.is_some()
        });
        found
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}

fn lock(asked: &Mutex<Vec<Asked>>) -> std::sync::MutexGuard<'_, Vec<Asked>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask(
    socket: &Capture,
    address: Ipv4Addr,
    identifier: u16,
    interval: Duration,
    asked: &Mutex<Vec<Asked>>,
    leave: &AtomicBool,
) {
    let to = SocketAddrV4::new(address, 0);
    let mut due = clock_gettime(ClockId::Monotonic);
    for number in 0_u64.. {
        if leave.load(Ordering::Acquire) {
            return;
        }
        let request = echo_request(identifier, number);
        // The place for the answers must be there before one can come.
        lock(asked).push(Asked { at: Moment::now(), answers: Vec::new() });
        // Refused while nobody is known at that address: a question without an answer like any other.
        let _ = sendto(socket, &request, SendFlags::DONTWAIT, &to);
        due = later(due, interval);
        let now = clock_gettime(ClockId::Monotonic);
        let lost = later(due, interval * 10);
        if (now.tv_sec, now.tv_nsec) > (lost.tv_sec, lost.tv_nsec) {
            // Held up for long: what was not asked in time is not asked in a burst either.
            due = now;
        }
        while rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &due).is_err() {}
    }
}

fn listen(
    socket: &Capture,
    address: Ipv4Addr,
    identifier: u16,
    names: &[(u8, Arc<str>)],
    asked: &Mutex<Vec<Asked>>,
    leave: &AtomicBool,
) {
    let mut buffer = [0; 256];
    while !leave.load(Ordering::Acquire) {
        if !readable(socket) {
            continue;
        }
        while let Ok(Some(packet)) = socket.receive(&mut buffer) {
            let Some((number, time_to_live)) = echo_reply(packet.bytes, address, identifier) else { continue };
            let name = names.iter().find(|(ttl, _)| *ttl == time_to_live);
            let by = name.map_or_else(|| format!("ttl {time_to_live}").into(), |(_, name)| name.clone());
            let answer = Answer { at: Moment::from_nanos(packet.at), by };
            // A number that was never asked can't be answered; nobody else is there to invent one.
            if let Some(asked) = lock(asked).get_mut(number as usize) {
                asked.answers.push(answer);
            }
        }
    }
}

fn later(time: Timespec, span: Duration) -> Timespec {
    let nanoseconds = time.tv_nsec + i64::from(span.subsec_nanos());
    Timespec {
        tv_sec: time.tv_sec + span.as_secs().cast_signed() + nanoseconds / 1_000_000_000,
        tv_nsec: nanoseconds % 1_000_000_000,
    }
}

/// RFC 792: type 8, checksum, identifier, sequence number; the whole number follows as data.
fn echo_request(identifier: u16, number: u64) -> [u8; 16] {
    let mut packet = [0; 16];
    packet[0] = 8;
    packet[4..6].copy_from_slice(&identifier.to_be_bytes());
    packet[6..8].copy_from_slice(&(number as u16).to_be_bytes());
    packet[8..].copy_from_slice(&number.to_be_bytes());
    let sum: u32 = packet.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    packet[2..4].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// The number of the question and the time to live of the reply, if it is one to us.
fn echo_reply(packet: &[u8], from: Ipv4Addr, identifier: u16) -> Option<(u64, u8)> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let time_to_live = *packet.get(8)?;
    let source = packet.get(12..16)?;
    let message = packet.get(header..header + 16)?;
    let ours = source == from.octets() && message[0] == 0 && message[4..6] == identifier.to_be_bytes();
    ours.then(|| (u64::from_be_bytes(message[8..].try_into().expect("eight of sixteen bytes")), time_to_live))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_request_makes_its_sum_all_ones() {
        for number in [0, 1, 0xffff, 0x1_0000, u64::MAX] {
            let packet = echo_request(0xbeef, number);
            let mut sum: u32 =
                packet.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
            while sum > 0xffff {
                sum = (sum & 0xffff) + (sum >> 16);
            }
            assert_eq!(sum, 0xffff, "{number}");
        }
    }

    #[test]
    fn only_replies_to_our_questions_count() {
        let from = Ipv4Addr::new(192, 0, 2, 100);
        let mut packet = vec![0x45, 0, 0, 36, 0, 0, 0, 0, 101, 1, 0, 0, 192, 0, 2, 100, 192, 0, 2, 254];
        packet.extend(echo_request(7, 123_456));
        assert_eq!(echo_reply(&packet, from, 7), None, "a request");
        packet[20] = 0;
        assert_eq!(echo_reply(&packet, from, 7), Some((123_456, 101)));
        assert_eq!(echo_reply(&packet, from, 8), None, "another probe's");
        assert_eq!(echo_reply(&packet, Ipv4Addr::new(192, 0, 2, 1), 7), None, "another address");
    }
}
