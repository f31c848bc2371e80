//! The side channel in the pretend world: the first path is the LAN, the second the line.

use std::rc::Rc;

use engine::Input;

use super::{Happening, World};
use crate::coverage::Kind;
use crate::node::{Asleep, Link, Packet, SOCKET_BUFFER};
use crate::path::LAN;
use crate::plan::Call;

impl World<'_> {
    pub(super) fn send_baton(&mut self, index: usize, path: u32, octets: &[u8]) {
        let Some(other) = self.plan.pair.and_then(|pair| pair.peer_of(index)) else { return };
        if self.is_refused(index, Call::Message) {
            return;
        }
        let node = &self.nodes[index];
        let fate = match path {
            0 if node.sending && node.link(LAN).is_some_and(Link::carries) => {
                self.lans.of(LAN).fate(index, other, &mut self.random)
            }
            0 => return,
            _ => self.line.fate(index, other, &mut self.random),
        };
        let octets: Rc<[u8]> = octets.into();
        for delay in fate.into_iter().flatten() {
            self.due(self.now + delay, Happening::Baton { node: other, path, octets: Rc::clone(&octets) });
        }
    }

    pub(super) fn baton_arrives(&mut self, index: usize, path: u32, octets: Rc<[u8]>) {
        let node = &mut self.nodes[index];
        let passes = node.powered && (path > 0 || node.link(LAN).is_some_and(Link::carries));
        let Some(daemon) = node.daemon.as_mut().filter(|_| passes) else { return };
        match node.asleep {
            Some(Asleep { machine: true, .. }) => {}
            Some(Asleep { machine: false, .. }) => {
                let same = daemon.socket.iter().filter(|packet| matches!(packet, Packet::Baton(of, _) if *of == path));
                if same.count() < SOCKET_BUFFER {
                    daemon.socket.push(Packet::Baton(path, octets));
                }
            }
            None => self.hear_baton(index, path, &octets),
        }
    }

    pub(super) fn hear_baton(&mut self, index: usize, path: u32, octets: &[u8]) {
        self.feed(index, Input::Baton { path, octets }, Kind::Baton);
    }
}
