//! What the client of a scene sees on its wire, frame by frame, and what it remembers of its neighbours.

use std::net::Ipv4Addr;

use linux::capture::Capture;

use super::{Moment, Scene};

/// VRRP, ARP and neighbour discovery, from the Ethernet header on.
pub(crate) struct Wire {
    capture: Capture,
    frames: Vec<Frame>,
}

/// A frame that came to the client.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) at: Moment,
    pub(crate) from: String,
    pub(crate) bytes: Vec<u8>,
}

/// Who says in ARP that he has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arp {
    Question,
    Answer,
}

impl Wire {
    /// Listens from now on.
    pub(crate) fn of(scene: &Scene) -> Self {
        let capture = scene.lab.client().run(Capture::redundancy_frames).expect("a capture");
        Self { capture, frames: Vec::new() }
    }

    /// All that has come so far.
    pub(crate) fn frames(&mut self) -> &[Frame] {
        let mut buffer = [0; 2000];
        while let Some(captured) = self.capture.receive(&mut buffer).expect("the capture goes on") {
            if !captured.outgoing && captured.bytes.len() >= 14 {
                let from = mac(&captured.bytes[6..12]);
                let at = Moment::from_nanos(captured.at);
                self.frames.push(Frame { at, from, bytes: captured.bytes.to_vec() });
            }
        }
        &self.frames
    }
}

impl Frame {
    /// The number of the virtual router, if it is an advertisement of version 2 or 3 over IPv4.
    pub(crate) fn advertised(&self) -> Option<u8> {
        (self.bytes[12..14] == [8, 0] && self.bytes.get(23) == Some(&112)).then(|| self.bytes.get(35).copied())?
    }

    /// Of ARP: question or answer, whose address the sender says is at which MAC address.
    pub(crate) fn arp(&self) -> Option<(Arp, Ipv4Addr, String)> {
        let packet = self.bytes.get(14..).filter(|_| self.bytes[12..14] == [8, 6])?;
        let kind = if *packet.get(7)? == 1 { Arp::Question } else { Arp::Answer };
        let address: [u8; 4] = packet.get(14..18)?.try_into().ok()?;
        Some((kind, address.into(), mac(packet.get(8..14)?)))
    }
}

/// As `ip link` writes it.
fn mac(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

/// Where the client believes an address to be.
pub(crate) fn neighbour(scene: &Scene, address: Ipv4Addr) -> Option<String> {
    let table = scene.lab.client().run(|| std::fs::read_to_string("/proc/thread-self/net/arp")).expect("the table");
    let address = address.to_string();
    let line = table.lines().find(|line| line.split_whitespace().next() == Some(&address))?;
    line.split_whitespace().nth(3).map(str::to_owned)
}
