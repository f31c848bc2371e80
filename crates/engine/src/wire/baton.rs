//! The message of the pair's side channel: what one node says of itself to the other.
//!
//! Every message is a whole statement, never a difference, so that a lost one does no harm. It is sealed with
//! HMAC-SHA-256 and not secret: it holds nothing that is not visible on the network or in the journal anyway. Whether a
//! well-sealed message is also *new* is judged elsewhere, in `pair/link.rs`.
//!
//! On the wire: magic, version of the form, the fields in the order of the types (integers big-endian, a flag is one
//! octet 0 or 1, a list or a text has its count before it), the seal over all of that. There is exactly one way to
//! write a message, and whatever differs from it by one octet is none.

use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::record::can_be_reached;
use crate::vrrp::receive::Discard;
use crate::{BatonDiscard, HandoverReason, LatchReason, Name, PairKey, Priority, ServiceStateName, Vrid};

/// The most octets of a message, seal included; less than a UDP datagram can carry.
pub const MAX_LENGTH: usize = 60_000;
/// The most octets of a name or of a reason in words; a longer one is cut where a character ends.
pub const MAX_TEXT: usize = 1_000;

const MAGIC: [u8; 4] = *b"TNST";
const FORM: u8 = 1;
const SEAL_LENGTH: usize = 32;

/// One message of the side channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatonMessage {
    /// Which life of the sender this is: a random number, the same from its start to its end. Never 0.
    pub life: u64,
    /// The sender's challenge: who echoes it has heard the sender not long ago. Never 0.
    pub challenge: u64,
    /// The receiver's challenge as the sender knows it; 0 if it knows none.
    pub echo: u64,
    /// Counts the messages of this life, from 1.
    pub sequence: u64,
    /// Version of the statement; a later one of the same life is greater.
    pub version: u64,
    /// Version of the receiver's statement that the sender has seen last; 0 if none.
    pub seen: u64,
    /// The sender's clock when it sent this, in nanoseconds.
    pub sent_at: u64,
    /// What `sent_at` was in the message that `echo` was taken from, so the receiver's own clock; 0 if there is none.
    pub heard_at: u64,
    /// Nanoseconds from hearing that message to sending this one, by the sender's clock.
    pub held: u64,
    /// What the sender says of itself.
    pub statement: Statement,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// How it calls itself.
    pub node: Name,
    /// It has stopped in order, and nothing of its services runs there: its last words.
    pub stopped: bool,
    /// The latch in force; `None` if nothing is latched.
    pub latch: Option<LatchStatement>,
    /// Number of the newest latch that it knows of; 0 if there never was one.
    pub latch_number: u64,
    /// The newest latch that an operator has acknowledged; 0 if none.
    pub acknowledged: u64,
    /// Maintenance that is on; `None` if there is none.
    pub maintenance: Option<MaintenanceStatement>,
    /// Counts the beginnings and ends of maintenance that it knows of: the greater number is the newer word.
    pub maintenance_number: u64,
    /// By path: whether it has heard the receiver there lately. The paths of both nodes stand in the same order.
    pub paths: Vec<bool>,
    /// Its routers.
    pub routers: Vec<RouterStatement>,
}

impl Statement {
    /// Whether somebody can have counted so far. Its numbers are taken over, and counted on.
    pub(crate) fn can_be(&self) -> bool {
        let own = [self.latch_number, self.acknowledged, self.maintenance_number];
        own.into_iter().chain(self.routers.iter().map(|router| router.epoch)).all(can_be_reached)
    }
}

/// A latch in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatchStatement {
    /// The service.
    pub service: Name,
    /// Why.
    pub reason: LatchReason,
    /// The node that latched.
    pub node: Name,
}

/// Maintenance that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceStatement {
    /// Until it ends by itself; `None` if it does not.
    pub remaining: Option<Duration>,
    /// The node where it was asked for.
    pub node: Name,
}

/// What a node says of one of its routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterStatement {
    /// Its name, by which the two nodes know which of their routers belong together.
    pub name: Name,
    /// What it does at present.
    pub stance: Stance,
    /// Its effective priority.
    pub priority: Priority,
    /// The address that it advertises from; `None` while it has none.
    pub address: Option<IpAddr>,
    /// The newest epoch that it knows of: counts the takings of the role in the pair.
    pub epoch: u64,
    /// Whether this node stands back.
    pub held: bool,
    /// Whether it has let the role of that epoch go in order, with nothing of its services left.
    pub released: bool,
    /// Why it would like to have the role; `None` if it would not.
    pub wants: Option<HandoverReason>,
    /// How its advertisements travel; `None` if it sends none any more.
    pub sending: Option<SendingStatement>,
    /// What it hears of the receiver's advertisements.
    pub hears: Hears,
    /// What both nodes should be told alike about it: [`Terms`](crate::Terms).
    pub terms: Vec<u32>,
    /// Its services.
    pub services: Vec<ServiceStatement>,
}

/// How the advertisements of a router travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendingStatement {
    /// What they carry.
    pub vrid: Vrid,
    /// Where they go.
    pub destinations: Vec<IpAddr>,
}

/// What a router hears of the other node's advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// As much as it needs.
    Enough,
    /// None, although the other one is Active.
    Nothing,
    /// Some, although the other one is Active, but it accepts none, for this reason.
    Discards(Discard),
}

/// What a router does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// It takes no part: a fault, or stopped.
    Out,
    /// It could take the role.
    Standby,
    /// It is taking the role: not yet Active, and no longer to be counted as standby.
    Claiming,
    /// It has the role.
    Active,
    /// It has the role and offers it.
    Offering(HandoverReason),
    /// It is letting the role go: its services are still ending.
    Releasing(HandoverReason),
}

/// What a node says of one of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatement {
    /// Its name.
    pub name: Name,
    /// Its state there.
    pub state: ServiceStateName,
    /// Whether it runs well; `None` if it does not run or its checks have given no result yet.
    pub healthy: Option<bool>,
    /// Whether it could be started there, or why not in words; `None` before the first assessment.
    pub readiness: Option<Result<(), Name>>,
    /// Whether it failed there.
    pub failed: bool,
    /// How long ago each of its moves was, within the span of `max_moves`.
    pub moves: Vec<Duration>,
    /// How long nothing of it has run there; `None` if it runs, or nobody knows.
    pub gone_for: Option<Duration>,
    /// How long it has been running there; `None` if it does not run.
    pub running_for: Option<Duration>,
    /// What both nodes should be told alike about it: [`Terms`](crate::Terms).
    pub terms: Vec<u32>,
}

/// Seals and opens messages with the key of a pair.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

/// Never prints a key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(********)")
    }
}

impl Seal {
    /// The seal of the pair that shares `key`. The key itself is never used but to derive others from it, so that one
    /// purpose can't be played off against another.
    #[must_use]
    pub fn new(key: &PairKey) -> Self {
        let mut derived = keyed(key);
        derived.update(b"tanist baton 1");
        let mut derived: [u8; SEAL_LENGTH] = derived.finalize().into_bytes().into();
        let seal = Self(keyed(&derived));
        derived.zeroize();
        seal
    }

    /// The octets of a message. A router that no longer fits into [`MAX_LENGTH`] is left out.
    #[must_use]
    pub fn seal(&self, message: &BatonMessage) -> Vec<u8> {
        let mut octets = Vec::with_capacity(512);
        octets.extend_from_slice(&MAGIC);
        octets.push(FORM);
        message.write(&mut octets);
        let mut seal = self.0.clone();
        seal.update(&octets);
        octets.extend_from_slice(&seal.finalize().into_bytes());
        octets
    }

    /// The message, if it is one and somebody with our key has written it.
    pub fn open(&self, octets: &[u8]) -> Result<BatonMessage, BatonDiscard> {
        let (content, seal) = match octets.split_last_chunk::<SEAL_LENGTH>() {
            Some(parts) if octets.len() <= MAX_LENGTH => parts,
            _ => return Err(BatonDiscard::Malformed),
        };
        let fields = content.strip_prefix(&MAGIC).and_then(|rest| rest.strip_prefix(&[FORM]));
        let mut unread = fields.ok_or(BatonDiscard::Malformed)?;
        let mut expected = self.0.clone();
        expected.update(content);
        // In constant time, so that nobody can feel his way to a seal octet by octet.
        expected.verify_slice(seal).map_err(|_| BatonDiscard::BadSeal)?;
        let message = BatonMessage::read(&mut unread).filter(|_| unread.is_empty());
        message.ok_or(BatonDiscard::Malformed)
    }

    /// A number that nobody without the key can guess, always the same for the same `label` and `seeds`.
    pub(crate) fn number(&self, label: &str, node: &str, seeds: [u64; 2]) -> u64 {
        let mut number = self.0.clone();
        // A message begins with its magic, a label with another letter: this is never the seal of anything.
        number.update(label.as_bytes());
        number.update(&seeds[0].to_be_bytes());
        number.update(&seeds[1].to_be_bytes());
        number.update(node.as_bytes());
        let octets: [u8; SEAL_LENGTH] = number.finalize().into_bytes().into();
        octets.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }
}

/// HMAC with a key shorter than a block, which RFC 2104 §2 fills up with zeros.
fn keyed(key: &[u8; SEAL_LENGTH]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..SEAL_LENGTH].copy_from_slice(key);
    let code = Hmac::new(&block);
    block.zeroize();
    code
}

/// How a value stands in a message. Writing and reading stand side by side, so that they stay each other's inverse.
trait Field: Sized {
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the value from the front of `unread`; `None` if it does not begin with one.
    fn read(unread: &mut &[u8]) -> Option<Self>;
}

fn take<const N: usize>(unread: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = unread.split_first_chunk::<N>()?;
    *unread = rest;
    Some(*first)
}

/// Values of a fixed set, by their number on the wire.
macro_rules! numbered {
    ($type:ty { $($number:literal => $value:path),+ $(,)? }) => {
        impl Field for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.push(match self { $($value => $number),+ });
            }

            fn read(unread: &mut &[u8]) -> Option<Self> {
                match take(unread)? {
                    $([$number] => Some($value),)+
                    _ => None,
                }
            }
        }
    };
}

numbered!(LatchReason { 1 => Self::BothFailed, 2 => Self::TooManyMoves, 3 => Self::RecordDamaged });
numbered!(HandoverReason {
    1 => Self::Operator,
    2 => Self::ServiceFailed,
    3 => Self::Failback,
    4 => Self::Leaving,
    5 => Self::Held,
});
numbered!(ServiceStateName {
    1 => Self::Unknown,
    2 => Self::Stopped,
    3 => Self::Starting,
    4 => Self::Running,
    5 => Self::Stopping,
});
numbered!(Discard {
    1 => Self::UnexpectedAuthenticationHeader,
    2 => Self::Length,
    3 => Self::Ttl,
    4 => Self::Version,
    5 => Self::AuthenticationTypeInvalid,
    6 => Self::AuthenticationTypeMismatch,
    7 => Self::AuthenticationFailure,
    8 => Self::AdvertisementInterval,
    9 => Self::Type,
    10 => Self::Checksum,
    11 => Self::TransportMismatch,
    12 => Self::OwnAddress,
    13 => Self::TrailerMissing,
    14 => Self::TrailerMalformed,
    15 => Self::TrailerKeyUnknown,
    16 => Self::TrailerInvalid,
    17 => Self::TrailerStale,
    18 => Self::TrailerReplayed,
    19 => Self::AuthenticationHeaderReplayed,
    20 => Self::UnknownPeer,
    21 => Self::PeerTtl,
    22 => Self::OwnerIgnoresOthers,
});

/// Types that are written field by field, in this order.
macro_rules! field_by_field {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl Field for $type {
            fn write(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($field.write(out);)+
            }

            fn read(unread: &mut &[u8]) -> Option<Self> {
                $(let $field = Field::read(unread)?;)+
                Some(Self { $($field),+ })
            }
        }
    };
}

field_by_field!(BatonMessage { life, challenge, echo, sequence, version, seen, sent_at, heard_at, held, statement });
field_by_field!(LatchStatement { service, reason, node });
field_by_field!(MaintenanceStatement { remaining, node });
field_by_field!(RouterStatement {
    name,
    stance,
    priority,
    address,
    epoch,
    held,
    released,
    wants,
    sending,
    hears,
    terms,
    services,
});
field_by_field!(SendingStatement { vrid, destinations });
field_by_field!(ServiceStatement { name, state, healthy, readiness, failed, moves, gone_for, running_for, terms });

impl Field for Statement {
    fn write(&self, out: &mut Vec<u8>) {
        self.node.write(out);
        self.stopped.write(out);
        self.latch.write(out);
        self.latch_number.write(out);
        self.acknowledged.write(out);
        self.maintenance.write(out);
        self.maintenance_number.write(out);
        self.paths.write(out);
        let count_at = out.len();
        let mut count: u16 = 0;
        count.write(out);
        for router in &self.routers {
            let before = out.len();
            router.write(out);
            if out.len() <= MAX_LENGTH - SEAL_LENGTH {
                // Each has more than one octet, so that there are never more than fit into the count.
                count += 1;
            } else {
                out.truncate(before);
            }
        }
        out[count_at..count_at + 2].copy_from_slice(&count.to_be_bytes());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        Some(Self {
            node: Field::read(unread)?,
            stopped: Field::read(unread)?,
            latch: Field::read(unread)?,
            latch_number: Field::read(unread)?,
            acknowledged: Field::read(unread)?,
            maintenance: Field::read(unread)?,
            maintenance_number: Field::read(unread)?,
            paths: Field::read(unread)?,
            routers: Field::read(unread)?,
        })
    }
}

impl Field for Stance {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Out => out.push(1),
            Self::Standby => out.push(2),
            Self::Claiming => out.push(3),
            Self::Active => out.push(4),
            Self::Offering(reason) => {
                out.push(5);
                reason.write(out);
            }
            Self::Releasing(reason) => {
                out.push(6);
                reason.write(out);
            }
        }
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        match take(unread)? {
            [1] => Some(Self::Out),
            [2] => Some(Self::Standby),
            [3] => Some(Self::Claiming),
            [4] => Some(Self::Active),
            [5] => HandoverReason::read(unread).map(Self::Offering),
            [6] => HandoverReason::read(unread).map(Self::Releasing),
            _ => None,
        }
    }
}

impl Field for Hears {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Enough => out.push(1),
            Self::Nothing => out.push(2),
            Self::Discards(reason) => {
                out.push(3);
                reason.write(out);
            }
        }
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        match take(unread)? {
            [1] => Some(Self::Enough),
            [2] => Some(Self::Nothing),
            [3] => Discard::read(unread).map(Self::Discards),
            _ => None,
        }
    }
}

impl Field for Vrid {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.get());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        take(unread).and_then(|[vrid]| Self::new(vrid))
    }
}

impl Field for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        match take(unread)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl Field for u16 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        take(unread).map(Self::from_be_bytes)
    }
}

impl Field for u32 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        take(unread).map(Self::from_be_bytes)
    }
}

impl Field for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        take(unread).map(Self::from_be_bytes)
    }
}

impl Field for Priority {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.get());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        take(unread).map(|[priority]| Self::new(priority))
    }
}

/// Seconds, then nanoseconds below a second.
impl Field for Duration {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_secs().write(out);
        out.extend_from_slice(&self.subsec_nanos().to_be_bytes());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        let seconds = u64::read(unread)?;
        let nanoseconds = take(unread).map(u32::from_be_bytes)?;
        (nanoseconds < 1_000_000_000).then(|| Self::new(seconds, nanoseconds))
    }
}

impl Field for IpAddr {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::V4(address) => {
                out.push(4);
                out.extend_from_slice(&address.octets());
            }
            Self::V6(address) => {
                out.push(6);
                out.extend_from_slice(&address.octets());
            }
        }
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        match take(unread)? {
            [4] => take::<4>(unread).map(|octets| Self::V4(Ipv4Addr::from(octets))),
            [6] => take::<16>(unread).map(|octets| Self::V6(Ipv6Addr::from(octets))),
            _ => None,
        }
    }
}

impl Field for Name {
    fn write(&self, out: &mut Vec<u8>) {
        let end = (0..=self.len().min(MAX_TEXT)).rev().find(|end| self.is_char_boundary(*end));
        let text = &self[..end.unwrap_or(0)];
        // Never more than `MAX_TEXT`.
        (text.len() as u16).write(out);
        out.extend_from_slice(text.as_bytes());
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        let length = usize::from(u16::read(unread)?);
        if length > MAX_TEXT {
            return None;
        }
        let (text, rest) = unread.split_at_checked(length)?;
        *unread = rest;
        core::str::from_utf8(text).ok().map(Self::from)
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        if bool::read(unread)? { T::read(unread).map(Some) } else { Some(None) }
    }
}

/// Whether it is good, and if not, why.
impl Field for Result<(), Name> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_ok().write(out);
        if let Err(reason) = self {
            reason.write(out);
        }
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        if bool::read(unread)? { Some(Ok(())) } else { Name::read(unread).map(Err) }
    }
}

impl<T: Field> Field for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        // So many do not fit into a message; the router that they belong to is then left out, and this count with it.
        u16::try_from(self.len()).unwrap_or(u16::MAX).write(out);
        for value in self {
            value.write(out);
        }
    }

    fn read(unread: &mut &[u8]) -> Option<Self> {
        let count = u16::read(unread)?;
        (0..count).map(|_| T::read(unread)).collect()
    }
}
