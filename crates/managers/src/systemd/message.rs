//! Messages of the D-Bus protocol (specification, "Message Format"): calls out; replies, errors and signals in.
//!
//! The encoding of values is zbus's; what surrounds them is here, because of all the rest of zbus we would use nothing:
//! one connection, one thread, no runtime.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{Endian, to_bytes};
use zbus::{ObjectPath, Signature, Str, Type, Variant};

/// Up to the length of the fields.
const FIXED: usize = 16;
/// The longest message that the protocol allows.
const LONGEST: usize = 128 * 1024 * 1024;

const CALL: u8 = 1;
const REPLY: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;
const NO_REPLY_EXPECTED: u8 = 1;
const VERSION: u8 = 1;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// A method call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) destination: &'a str,
    pub(crate) path: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) member: &'a str,
    pub(crate) arguments: Arguments<'a>,
    pub(crate) wants_reply: bool,
}

/// What our calls have for arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arguments<'a> {
    None,
    One(&'a str),
    Two(&'a str, &'a str),
    /// Two texts and a number, as `KillUnit` wants them.
    Kill(&'a str, &'a str, i32),
}

impl Arguments<'_> {
    fn signature(self) -> &'static str {
        match self {
            Self::None => "",
            Self::One(_) => "s",
            Self::Two(..) => "ss",
            Self::Kill(..) => "ssi",
        }
    }

    fn encode(self) -> zbus::Result<Vec<u8>> {
        let context = Context::new(Endian::Little, 0);
        let data = match self {
            Self::None => return Ok(Vec::new()),
            Self::One(a) => to_bytes(context, &a)?,
            Self::Two(a, b) => to_bytes(context, &(a, b))?,
            Self::Kill(a, b, number) => to_bytes(context, &(a, b, number))?,
        };
        Ok(data.bytes().to_vec())
    }
}

/// The value of a header field. The signature of a body has no parentheses, which is not what zbus makes of one.
#[derive(Debug)]
enum Field<'a> {
    Value(Variant<'a>),
    Signature(&'static str),
}

impl Type for Field<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Signature(text) => {
                let mut value = serializer.serialize_struct("Variant", 2)?;
                value.serialize_field("signature", &Signature::Signature)?;
                value.serialize_field("value", text)?;
                value.end()
            }
        }
    }
}

/// The octets of a call.
pub(crate) fn encode(serial: u32, call: Call<'_>) -> zbus::Result<Vec<u8>> {
    let body = call.arguments.encode()?;
    let text = |text| Field::Value(Variant::Str(Str::from(text)));
    let mut fields = vec![
        (PATH, Field::Value(Variant::ObjectPath(ObjectPath::try_from(call.path)?))),
        (INTERFACE, text(call.interface)),
        (MEMBER, text(call.member)),
        (DESTINATION, text(call.destination)),
    ];
    if !body.is_empty() {
        fields.push((SIGNATURE, Field::Signature(call.arguments.signature())));
    }
    let flags = if call.wants_reply { 0 } else { NO_REPLY_EXPECTED };
    let length = u32::try_from(body.len()).map_err(|_| zbus::Error::OutOfBounds)?;
    let header = (b'l', CALL, flags, VERSION, length, serial, fields);
    let mut octets = to_bytes(Context::new(Endian::Little, 0), &header)?.bytes().to_vec();
    octets.resize(octets.len().next_multiple_of(8), 0);
    octets.extend(body);
    Ok(octets)
}

/// A message that was received.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    signature: Signature,
    body: Data<'static, 'static>,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The answer to the call with this serial.
    Reply {
        to: u32,
    },
    /// The refusal of the call with this serial.
    Error {
        to: u32,
        name: String,
    },
    Signal {
        path: String,
        interface: String,
        member: String,
    },
    /// What nobody here waits for.
    Other,
}

/// Why a message can't be read.
#[derive(Debug)]
pub(crate) struct Nonsense;

/// How many of the octets are the first message; `None` if it is not there wholly.
pub(crate) fn first_length(octets: &[u8]) -> Result<Option<usize>, Nonsense> {
    let Some(fixed) = octets.first_chunk::<FIXED>() else { return Ok(None) };
    let number = |at: usize| {
        let part = [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
        match endian(fixed[0]) {
            Some(Endian::Little) => Ok(u32::from_le_bytes(part) as usize),
            Some(Endian::Big) => Ok(u32::from_be_bytes(part) as usize),
            None => Err(Nonsense),
        }
    };
    let (body, fields) = (number(4)?, number(12)?);
    if body > LONGEST || fields > LONGEST {
        return Err(Nonsense);
    }
    let length = (FIXED + fields).next_multiple_of(8) + body;
    if length > LONGEST {
        return Err(Nonsense);
    }
    Ok(Some(length).filter(|&length| length <= octets.len()))
}

fn endian(octet: u8) -> Option<Endian> {
    match octet {
        b'l' => Some(Endian::Little),
        b'B' => Some(Endian::Big),
        _ => None,
    }
}

/// Reads one message; the octets are as many as [`first_length`] has said.
pub(crate) fn decode(octets: &[u8]) -> Result<Message, Nonsense> {
    let endian = octets.first().and_then(|&octet| endian(octet)).ok_or(Nonsense)?;
    let whole = Data::new(octets, Context::new(endian, 0));
    let (header, _) =
        whole.deserialize::<(u8, u8, u8, u8, u32, u32, Vec<(u8, Variant<'_>)>)>().map_err(|_| Nonsense)?;
    let (_, kind, _, _, body_length, _, fields) = header;
    let (mut path, mut interface, mut member, mut error_name) =
        (String::new(), String::new(), String::new(), String::new());
    let mut reply_serial = 0;
    let mut signature = Signature::Unit;
    for (code, value) in fields {
        match (code, value) {
            (PATH, Variant::ObjectPath(value)) => path = value.as_str().to_owned(),
            (INTERFACE, Variant::Str(value)) => interface = value.as_str().to_owned(),
            (MEMBER, Variant::Str(value)) => member = value.as_str().to_owned(),
            (ERROR_NAME, Variant::Str(value)) => error_name = value.as_str().to_owned(),
            (REPLY_SERIAL, Variant::U32(value)) => reply_serial = value,
            (SIGNATURE, Variant::Signature(value)) => signature = value,
            // Others are for routers of messages; the specification wants unknown ones ignored.
            _ => {}
        }
    }
    let kind = match kind {
        REPLY => Kind::Reply { to: reply_serial },
        ERROR => Kind::Error { to: reply_serial, name: error_name },
        SIGNAL => Kind::Signal { path, interface, member },
        _ => Kind::Other,
    };
    let begin = octets.len().checked_sub(body_length as usize).ok_or(Nonsense)?;
    let body = Data::new(octets[begin..].to_vec(), Context::new(endian, 0));
    Ok(Message { kind, signature, body })
}

impl Message {
    /// The body, if it is of this type.
    pub(crate) fn body<'d, T: Deserialize<'d> + Type>(&'d self) -> Option<T> {
        if self.signature != *T::SIGNATURE {
            return None;
        }
        self.body.deserialize::<T>().ok().map(|(value, _)| value)
    }

    /// What an error says, in its own words.
    pub(crate) fn text(&self) -> String {
        // By the specification the first argument of an error is its text, if it has one.
        let text: Option<String> = self.body();
        text.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kill() -> Call<'static> {
        Call {
            destination: "org.freedesktop.systemd1",
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            member: "KillUnit",
            arguments: Arguments::Kill("a.service", "all", 9),
            wants_reply: true,
        }
    }

    /// Octet by octet as the specification has it, so that a mistake of ours or of a library's is seen.
    #[test]
    fn encodes_a_call_as_the_specification_says() {
        let call = Call { path: "/a", interface: "b.c", member: "D", arguments: Arguments::Two("x", "yz"), ..kill() };
        let call = Call { destination: "e.f", wants_reply: false, ..call };
        let mut expected = Vec::new();
        expected.extend(*b"l\x01\x01\x01\x0f\0\0\0\x07\0\0\0\x47\0\0\0");
        expected.extend(*b"\x01\x01o\0\x02\0\0\0/a\0\0\0\0\0\0");
        expected.extend(*b"\x02\x01s\0\x03\0\0\0b.c\0\0\0\0\0");
        expected.extend(*b"\x03\x01s\0\x01\0\0\0D\0\0\0\0\0\0\0");
        expected.extend(*b"\x06\x01s\0\x03\0\0\0e.f\0\0\0\0\0");
        expected.extend(*b"\x08\x01g\0\x02ss\0");
        let fields = expected.len() - FIXED;
        expected[12] = u8::try_from(fields).unwrap();
        expected.resize(expected.len().next_multiple_of(8), 0);
        expected.extend(*b"\x01\0\0\0x\0\0\0\x02\0\0\0yz\0");
        assert_eq!(encode(7, call).unwrap(), expected);
        assert_eq!(fields, 0x48, "stands in the octets, too");
    }

    #[test]
    fn waits_for_the_whole_message() {
        // PropertiesChanged as it stands on the wire, big-endian, without the fields that only routers read.
        let octets = *b"B\x04\x01\x01\0\0\0\x30\0\0\0\x05\0\0\0\x61\
            \x01\x01o\0\0\0\0\x05/unit\0\0\0\
            \x02\x01s\0\0\0\0\x03p.q\0\0\0\0\0\
            \x03\x01s\0\0\0\0\x07Changed\0\
            \0\0\0\0\0\0\0\0";
        assert!(matches!(first_length(&octets[..15]), Ok(None)));
        assert!(matches!(first_length(b"x\x04\x01\x01\0\0\0\x30\0\0\0\x05\0\0\0\x61"), Err(Nonsense)));
        assert!(first_length(&octets).unwrap().is_none(), "its body is missing");
    }

    #[test]
    fn reads_a_reply_and_its_body() {
        let body = to_bytes(Context::new(Endian::Little, 0), &"/job/17").unwrap();
        let fields = vec![(REPLY_SERIAL, Field::Value(Variant::U32(9))), (SIGNATURE, Field::Signature("s"))];
        let length = u32::try_from(body.bytes().len()).unwrap();
        let header = (b'l', REPLY, 1_u8, VERSION, length, 4_u32, fields);
        let mut octets = to_bytes(Context::new(Endian::Little, 0), &header).unwrap().bytes().to_vec();
        octets.resize(octets.len().next_multiple_of(8), 0);
        octets.extend(body.bytes());
        assert_eq!(first_length(&octets).unwrap(), Some(octets.len()));
        let message = decode(&octets).unwrap();
        assert_eq!(message.kind, Kind::Reply { to: 9 });
        assert_eq!(message.body::<String>().as_deref(), Some("/job/17"));
        assert_eq!(message.body::<u32>(), None, "not of that type");
        assert_eq!(message.body::<(String, String)>(), None);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some(length)) = first_length(&octets) {
                let _ = decode(&octets[..length]).map(|message| message.text());
            }
        }

        #[test]
        fn a_damaged_message_makes_no_panic(at in 0_usize..160, octet in any::<u8>()) {
            let mut octets = encode(1, kill()).unwrap();
            let at = at % octets.len();
            octets[at] = octet;
            if let Ok(Some(length)) = first_length(&octets) {
                let _ = decode(&octets[..length]).map(|message| message.body::<(String, String, i32)>());
            }
        }
    }
}
