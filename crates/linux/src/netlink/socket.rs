//! Netlink sockets: requests out, acknowledgements and dumps in, many messages to a datagram.

use std::os::fd::OwnedFd;

use netlink_packet_core::{Emitable, NetlinkBuffer, NlasIterator};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, bind, getsockname, recvfrom, send,
    socket_with,
};

use super::decode::{string, u32_at};
use crate::Result;
use crate::error::refused;
use crate::socket_option::{limit_receive_buffer, set_int, set_receive_buffer};

const HEADER_SIZE: usize = 16;
/// The kernel never fills more than this with one part of a dump.
const DATAGRAM_SIZE: usize = 32 * 1024;
/// Room for the answers if every request of a batch fails (each costs the kernel up to some 1.3 kB).
const RECEIVE_BUFFER: usize = 512 * 1024;
/// So many requests go into one datagram: their answers fit the receive buffer even where it can't be raised.
pub(super) const BATCH: usize = 128;
/// A dump that others change meanwhile is begun again, but not for ever.
const DUMP_ATTEMPTS: usize = 8;

/// The kernel's words in an extended acknowledgement (`NLMSGERR_ATTR_MSG`).
const ATTRIBUTE_WORDS: u16 = 1;

/// What the kernel answered to one request.
pub(super) type Answer = std::result::Result<(), Refusal>;

/// A request that failed: its errno and, where the kernel has them, its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub errno: i32,
    pub words: Option<String>,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal { errno: errno.raw_os_error(), words: None }
    }
}

/// A request to be sent. `NLM_F_REQUEST` is understood.
pub(super) struct Request<'a> {
    pub kind: u16,
    pub flags: u16,
    pub payload: &'a dyn Emitable,
}

/// One message of a datagram.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub payload: &'a [u8],
}

/// The messages of a datagram. What is cut short ends it.
pub(super) fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let buffer = NetlinkBuffer::new_checked(rest).ok()?;
        let message = Message {
            kind: buffer.message_type(),
            flags: buffer.flags(),
            sequence: buffer.sequence_number(),
            payload: buffer.payload(),
        };
        let length = (buffer.length() as usize).next_multiple_of(4);
        rest = rest.get(length..).unwrap_or_default();
        Some(message)
    })
}

/// Opens a route netlink socket that hears these multicast groups (`RTMGRP_*` bits).
pub(super) fn open(flags: SocketFlags, groups: u32) -> std::result::Result<OwnedFd, Errno> {
    let flags = flags | SocketFlags::CLOEXEC;
    // Protocol 0 of this family is NETLINK_ROUTE.
    open_protocol(flags, None, groups)
}

fn open_protocol(flags: SocketFlags, protocol: Option<Protocol>, groups: u32) -> std::result::Result<OwnedFd, Errno> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
    bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// Receives the next datagram that the kernel sent; whatever other processes send is thrown away. Whoever asks the kernel now
/// and then, with a new socket, is refused where there is no memory, and does not end for it.
pub(super) fn receive(socket: &OwnedFd, datagram: &mut Vec<u8>) -> std::result::Result<(), Errno> {
    loop {
        datagram.clear();
        datagram.try_reserve(DATAGRAM_SIZE).map_err(|_| Errno::NOMEM)?;
        match recvfrom(socket, spare_capacity(datagram), RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
            Ok((_, _, sender)) => {
                let kernel = sender.and_then(|address| SocketAddrNetlink::try_from(address).ok());
                if kernel.is_some_and(|address| address.pid() == 0) {
                    return Ok(());
                }
            }
        }
    }
}

/// A blocking socket for requests.
#[derive(Debug)]
pub(super) struct CommandSocket {
    pub descriptor: OwnedFd,
    sequence: u32,
    datagram: Vec<u8>,
}

impl CommandSocket {
    pub(super) fn open() -> Result<CommandSocket> {
        let descriptor = open(SocketFlags::empty(), 0).map_err(refused("open a netlink socket"))?;
        // Each of these is missing on some old kernel, and nothing but comfort depends on them.
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK, libc::NETLINK_GET_STRICT_CHK] {
            let _ = set_int(&descriptor, libc::SOL_NETLINK, option, 1);
        }
        set_receive_buffer(&descriptor, RECEIVE_BUFFER).map_err(refused("enlarge the buffer of a netlink socket"))?;
        Ok(CommandSocket { descriptor, sequence: 0, datagram: Vec::new() })
    }

    /// Opens one that is asked about other sockets.
    pub(super) fn open_sock_diag() -> Result<CommandSocket> {
        let opened = open_protocol(SocketFlags::CLOEXEC, Some(rustix::net::netlink::SOCK_DIAG), 0);
        let descriptor = opened.map_err(refused("open a netlink socket"))?;
        Ok(CommandSocket { descriptor, sequence: 0, datagram: Vec::new() })
    }

    /// Lets it queue this much before answers are lost.
    pub(super) fn set_receive_buffer(&self, octets: Option<(usize, bool)>) -> Result<()> {
        let set = match octets {
            Some((octets, force)) => limit_receive_buffer(&self.descriptor, octets, force),
            None => set_receive_buffer(&self.descriptor, RECEIVE_BUFFER),
        };
        set.map_err(refused("set the buffer of a netlink socket"))
    }

    /// Has one request carried out.
    pub(super) fn request(&mut self, request: Request<'_>) -> Answer {
        self.transact(&[request]).pop().unwrap_or(Ok(()))
    }

    /// Has the requests carried out in order; there is one answer for each.
    pub(super) fn transact(&mut self, requests: &[Request<'_>]) -> Vec<Answer> {
        // All are written before the first is sent: whoever waits for the last waits for the kernel alone.
        let mut datagrams = Vec::new();
        let mut batches = Vec::with_capacity(requests.len().div_ceil(BATCH));
        for batch in requests.chunks(BATCH) {
            let (begin, first) = (datagrams.len(), self.sequence.wrapping_add(1));
            self.push_batch(&mut datagrams, batch);
            batches.push((begin..datagrams.len(), first, self.sequence));
        }
        let mut answers = vec![Ok(()); requests.len()];
        for ((datagram, first, last), answers) in batches.into_iter().zip(answers.chunks_mut(BATCH)) {
            let note = |position: usize, answer| {
                if let Some(slot) = answers.get_mut(position) {
                    *slot = answer;
                }
            };
            let sent = send_whole(&self.descriptor, &datagrams[datagram]);
            if let Err(errno) = sent.and_then(|()| self.read_answers(first, last, note)) {
                // Nobody knows which of them were carried out.
                answers.fill(Err(Refusal::from(errno)));
            }
        }
        answers
    }

    /// Encodes requests that are to be sent again and again; at most [`BATCH`] of them.
    pub(super) fn prepare(&mut self, batch: &[Request<'_>]) -> Vec<u8> {
        let mut datagram = Vec::new();
        self.push_batch(&mut datagram, batch);
        datagram.shrink_to_fit();
        datagram
    }

    /// Has requests carried out that were prepared before. Allocates nothing unless something is refused.
    pub(super) fn send_again(
        &mut self,
        datagram: &mut [u8],
        mut refused: impl FnMut(usize, Refusal),
    ) -> std::result::Result<(), Errno> {
        let first = self.sequence.wrapping_add(1);
        let mut rest = &mut *datagram;
        while rest.len() >= HEADER_SIZE {
            self.sequence = self.sequence.wrapping_add(1);
            let mut header = NetlinkBuffer::new(&mut *rest);
            header.set_sequence_number(self.sequence);
            let length = (header.length() as usize).next_multiple_of(4).min(rest.len());
            rest = &mut rest[length..];
        }
        send_whole(&self.descriptor, datagram)?;
        self.read_answers(first, self.sequence, |position, answer| {
            if let Err(refusal) = answer {
                refused(position, refusal);
            }
        })
    }

    /// Only the last request asks for an acknowledgement: it comes after all refusals, and the kernel tells refusals
    /// unasked.
    fn push_batch(&mut self, datagram: &mut Vec<u8>, batch: &[Request<'_>]) {
        for (position, request) in batch.iter().enumerate() {
            let acknowledge = if position + 1 == batch.len() { libc::NLM_F_ACK as u16 } else { 0 };
            self.push(datagram, request, acknowledge);
        }
    }

    /// Hands over what the kernel says to the requests with these sequence numbers.
    fn read_answers(
        &mut self,
        first: u32,
        last: u32,
        mut hand_over: impl FnMut(usize, Answer),
    ) -> std::result::Result<(), Errno> {
        let count = last.wrapping_sub(first);
        loop {
            receive(&self.descriptor, &mut self.datagram)?;
            for message in messages(&self.datagram).filter(|message| i32::from(message.kind) == libc::NLMSG_ERROR) {
                let position = message.sequence.wrapping_sub(first);
                if position <= count {
                    hand_over(position as usize, read_answer(message));
                    if position == count {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The number by which the kernel knows this socket: what it does is told to others with it.
    pub(super) fn port(&self) -> std::result::Result<u32, Errno> {
        SocketAddrNetlink::try_from(getsockname(&self.descriptor)?).map(|address| address.pid())
    }

    /// Asks for everything of a kind; `read` makes an item of each message of the answer that is one.
    pub(super) fn dump<T>(
        &mut self,
        kind: u16,
        payload: &dyn Emitable,
        read: impl Fn(Message<'_>) -> Option<T>,
    ) -> std::result::Result<Vec<T>, Errno> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(items) = self.dump_once(kind, payload, &read)? {
                return Ok(items);
            }
        }
        Err(Errno::AGAIN)
    }

    /// `None` if the answer is inconsistent because something changed meanwhile.
    fn dump_once<T>(
        &mut self,
        kind: u16,
        payload: &dyn Emitable,
        read: &impl Fn(Message<'_>) -> Option<T>,
    ) -> std::result::Result<Option<Vec<T>>, Errno> {
        let mut datagram = std::mem::take(&mut self.datagram);
        datagram.clear();
        self.push(&mut datagram, &Request { kind, flags: libc::NLM_F_DUMP as u16, payload }, 0);
        let sent = send_whole(&self.descriptor, &datagram);
        self.datagram = datagram;
        sent?;
        let mut items = Vec::new();
        let mut interrupted = false;
        loop {
            receive(&self.descriptor, &mut self.datagram)?;
            for message in messages(&self.datagram).filter(|message| message.sequence == self.sequence) {
                interrupted |= message.flags & libc::NLM_F_DUMP_INTR as u16 != 0;
                match i32::from(message.kind) {
                    libc::NLMSG_DONE | libc::NLMSG_ERROR => {
                        let code = u32_at(message.payload, 0).unwrap_or(0).cast_signed();
                        return match code {
                            0 => Ok((!interrupted).then_some(items)),
                            code => Err(Errno::from_raw_os_error(code.wrapping_neg())),
                        };
                    }
                    _ => items.extend(read(message)),
                }
            }
        }
    }

    fn push(&mut self, datagram: &mut Vec<u8>, request: &Request<'_>, flags: u16) {
        self.sequence = self.sequence.wrapping_add(1);
        let begin = datagram.len();
        let length = HEADER_SIZE + request.payload.buffer_len();
        datagram.resize(begin + length.next_multiple_of(4), 0);
        let message = &mut datagram[begin..begin + length];
        request.payload.emit(&mut message[HEADER_SIZE..]);
        let mut header = NetlinkBuffer::new(message);
        header.set_length(length as u32);
        header.set_message_type(request.kind);
        header.set_flags(libc::NLM_F_REQUEST as u16 | request.flags | flags);
        header.set_sequence_number(self.sequence);
        header.set_port_number(0);
    }
}

fn send_whole(socket: &OwnedFd, datagram: &[u8]) -> std::result::Result<(), Errno> {
    loop {
        match send(socket, datagram, SendFlags::empty()) {
            Err(Errno::INTR) => {}
            answer => return answer.map(|_| ()),
        }
    }
}

/// The payload of `NLMSG_ERROR`: the code, the header of the request, then (as the flags say) the rest of the request
/// and attributes.
pub(super) fn read_answer(message: Message<'_>) -> Answer {
    let code = u32_at(message.payload, 0).unwrap_or(0).cast_signed();
    if code == 0 {
        return Ok(());
    }
    let capped = message.flags & libc::NLM_F_CAPPED as u16 != 0;
    let echoed = if capped { HEADER_SIZE } else { u32_at(message.payload, 4).unwrap_or(0) as usize };
    let mut words = None;
    if message.flags & libc::NLM_F_ACK_TLVS as u16 != 0 {
        let begin = echoed.checked_next_multiple_of(4).and_then(|echoed| echoed.checked_add(4));
        let attributes = begin.and_then(|begin| message.payload.get(begin..)).unwrap_or_default();
        words = NlasIterator::new(attributes)
            .map_while(std::result::Result::ok)
            .find(|attribute| attribute.kind() == ATTRIBUTE_WORDS)
            .and_then(|attribute| string(attribute.value()));
    }
    Err(Refusal { errno: code.wrapping_neg(), words })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An extended acknowledgement as Linux 6 sends it, with the request capped.
    #[test]
    fn reads_the_kernels_words() {
        let mut payload = (-libc::EINVAL).to_ne_bytes().to_vec();
        payload.extend([0; HEADER_SIZE]);
        payload.extend([9, 0, 1, 0]);
        payload.extend(b"oops\0\0\0\0");
        let flags = (libc::NLM_F_CAPPED | libc::NLM_F_ACK_TLVS) as u16;
        let message = Message { kind: libc::NLMSG_ERROR as u16, flags, sequence: 7, payload: &payload };
        assert_eq!(read_answer(message), Err(Refusal { errno: libc::EINVAL, words: Some("oops".into()) }));
        let silent = Message { flags: 0, ..message };
        assert_eq!(read_answer(silent), Err(Refusal { errno: libc::EINVAL, words: None }));
        let fine = Message { payload: &[0; 20], ..message };
        assert_eq!(read_answer(fine), Ok(()));
    }

    #[test]
    fn a_datagram_that_is_cut_short_ends_early() {
        let mut datagram = Vec::new();
        for sequence in 1..=2_u32 {
            datagram.extend(20_u32.to_ne_bytes());
            datagram.extend([24, 0, 0, 0]);
            datagram.extend(sequence.to_ne_bytes());
            datagram.extend([0; 8]);
        }
        assert_eq!(messages(&datagram).map(|message| message.sequence).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(messages(&datagram[..39]).count(), 1);
        assert_eq!(messages(&datagram[..19]).count(), 0);
    }
}
