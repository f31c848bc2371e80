//! When the two nodes do not hear each other. Whatever the one concludes from silence, the other one may conclude as well:
//! then both have the role and its service, and two nodes cannot know better (decision 22). Here is what is asked of them
//! all the same: while they hear each other nothing begins twice, and once they have come together again, all that is
//! promised to two who hear each other holds as before.

use crate::world::{Doubled, World};

impl World {
    /// Whether all that is said arrives.
    pub(crate) fn are_joined(&self) -> bool {
        self.ways == [true; 2]
    }

    /// Both are there for each other.
    pub(crate) fn are_in_touch(&self) -> bool {
        self.nodes.iter().all(|node| node.alive && node.hears)
    }

    /// From now on so much of what is said arrives.
    pub(crate) fn connect(&mut self, ways: [bool; 2]) {
        self.ways = ways;
        self.has_heard = [false; 2];
        self.messages.retain(|message| ways[message.from]);
    }

    /// This node has done something, which may have been because the other one is `silent`.
    pub(crate) fn note_apart(&mut self, index: usize, silent: bool, before: Doubled, in_touch: bool) {
        let after = self.doubled();
        let begins = (after.role && !before.role) || (after.service && !before.service);
        // A daemon that has just started takes nobody for dead: it has never heard of him.
        let knows_nobody = self.case.goes_on && begins && !self.has_heard[index] && !self.nodes[index].hears;
        self.apart |= (silent && self.is_left_on(1 - index)) || knows_nobody;
        self.worse |= self.apart && begins && in_touch && self.are_in_touch() && self.are_joined();
    }

    /// There is one of everything again, and both know.
    pub(crate) fn come_together(&mut self) {
        let one_of_each = self.doubled() == Doubled { role: false, service: false };
        self.apart &= !(one_of_each && self.are_joined() && self.are_in_touch());
    }
}
