//! Writes messages that netlink-packet-route cannot say in full: a header, then attributes one by one.

use netlink_packet_core::Emitable;

/// Bit of an attribute's type: it holds attributes.
const NESTED: u16 = 1 << 15;
const ATTRIBUTE_HEADER: usize = 4;

/// The payload of a request.
#[derive(Debug, Default)]
pub(super) struct Payload(Vec<u8>);

impl Payload {
    /// Begins with the header of its kind.
    pub(super) fn new(header: &[u8]) -> Payload {
        Payload(header.to_vec())
    }

    pub(super) fn put(&mut self, kind: u16, value: &[u8]) {
        let end = self.begin(kind);
        self.0.extend(value);
        self.end(end);
    }

    pub(super) fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// An address, in the network's order.
    pub(super) fn put_address(&mut self, kind: u16, address: std::net::IpAddr) {
        match address {
            std::net::IpAddr::V4(address) => self.put(kind, &address.octets()),
            std::net::IpAddr::V6(address) => self.put(kind, &address.octets()),
        }
    }

    /// A string with its final zero.
    pub(super) fn put_string(&mut self, kind: u16, text: &str) {
        let end = self.begin(kind);
        self.0.extend(text.as_bytes());
        self.0.push(0);
        self.end(end);
    }

    /// An attribute that holds others. Nothing at all if there are none.
    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Payload)) {
        let begin = self.begin(kind | NESTED);
        let empty = self.0.len();
        fill(self);
        if self.0.len() == empty {
            self.0.truncate(begin);
        } else {
            self.end(begin);
        }
    }

    /// An attribute that holds something else with a length of its own in its first two bytes.
    pub(super) fn enclose(&mut self, header: &[u8], fill: impl FnOnce(&mut Payload)) {
        let begin = self.0.len();
        self.0.extend(header);
        fill(self);
        self.end(begin);
    }

    fn begin(&mut self, kind: u16) -> usize {
        let begin = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend(kind.to_ne_bytes());
        debug_assert_eq!(self.0.len(), begin + ATTRIBUTE_HEADER);
        begin
    }

    /// Writes the length, and fills up to the next attribute.
    fn end(&mut self, begin: usize) {
        // Nothing that is put in comes near 64 kB.
        let length = (self.0.len() - begin) as u16;
        self.0[begin..begin + 2].copy_from_slice(&length.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

impl Emitable for Payload {
    fn buffer_len(&self) -> usize {
        self.0.len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer[..self.0.len()].copy_from_slice(&self.0);
    }
}
