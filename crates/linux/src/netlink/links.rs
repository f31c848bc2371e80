//! Asking for links.

use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use super::{Link, Netlink, decode};
use crate::Result;
use crate::error::refused;
use crate::link_name::link_name;

impl Netlink {
    /// All links of the namespace.
    pub fn links(&mut self) -> Result<Vec<Link>> {
        let mut question = LinkMessage::default();
        // Statistics are most of the answer, and collecting them can be slow.
        question.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        self.socket
            .dump(libc::RTM_GETLINK, &question, |message| {
                if message.kind == libc::RTM_NEWLINK { decode::link(message.payload) } else { None }
            })
            .map_err(refused("list the links"))
    }

    /// The link of that name, if it exists.
    pub fn link_by_name(&mut self, name: &str) -> Result<Option<Link>> {
        Ok(self.links()?.into_iter().find(|link| link.name == name))
    }

    /// What to call a link in a message.
    pub(super) fn link_name(&self, index: u32) -> String {
        link_name(&self.socket.descriptor, index)
    }
}
