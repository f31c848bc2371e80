//! What the client of a scene sees on its wire, frame by frame, and what it remembers of its neighbours.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;

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
    /// The number of the virtual router, if it is an advertisement of version 2 or 3.
    pub(crate) fn advertised(&self) -> Option<u8> {
        let (protocol, number) = if self.is_of_ipv6() { (20, 55) } else { (23, 35) };
        let carries_ip = self.is_of_ipv6() || self.bytes[12..14] == [8, 0];
        (carries_ip && self.bytes.get(protocol) == Some(&112)).then(|| self.bytes.get(number).copied())?
    }

    fn is_of_ipv6(&self) -> bool {
        self.bytes[12..14] == [0x86, 0xdd]
    }

    /// Of neighbour discovery (RFC 4861 §4): the type, the flags, what address it is about, and the MAC address that it
    /// tells.
    pub(crate) fn discovery(&self) -> Option<(u8, u8, Ipv6Addr, Option<String>)> {
        let message = self.bytes.get(54..).filter(|_| self.is_of_ipv6() && self.bytes[20] == 58)?;
        let target: [u8; 16] = message.get(8..24)?.try_into().ok()?;
        Some((message[0], message[4], target.into(), message.get(26..32).map(mac)))
    }

    /// Of a report of groups of IPv6 (RFC 3810 §5.2): what follows its headers.
    pub(crate) fn listener_report(&self) -> Option<&[u8]> {
        self.bytes.get(62..).filter(|_| self.is_of_ipv6() && self.bytes[20] == 0)
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

/// Where the client believes an address of IPv6 to be.
pub(crate) fn neighbour_of_ipv6(scene: &Scene, address: Ipv6Addr) -> Option<String> {
    let ask = move || Command::new("ip").args(["-6", "neigh", "show", &address.to_string()]).output();
    let shown = scene.lab.client().run(ask).expect("ip runs");
    let shown = String::from_utf8(shown.stdout).expect("ip prints text");
    let mut words = shown.split_whitespace().skip_while(|word| *word != "lladdr");
    words.nth(1).map(str::to_owned)
}

/// Where the client believes an address to be.
pub(crate) fn neighbour(scene: &Scene, address: Ipv4Addr) -> Option<String> {
    let table = scene.lab.client().run(|| std::fs::read_to_string("/proc/thread-self/net/arp")).expect("the table");
    let address = address.to_string();
    let line = table.lines().find(|line| line.split_whitespace().next() == Some(&address))?;
    line.split_whitespace().nth(3).map(str::to_owned)
}
