//! The loop's dealings with the sockets that advertisements go through.

use std::collections::BTreeMap;
use std::net::IpAddr;

use config::{ReceiveBuffers, VirtualMac};
use engine::{Family, Name, Output, RouterConfig, RouterId};
use linux::system_log::Severity;

use super::{EventLoop, LINKS, UNICAST, now};
use crate::sockets::{Apart, Particulars};
use crate::solicited_groups;

impl EventLoop {
    pub(super) fn send_advertisements(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Output::Advertise { router, priority, sequence } = *output {
                let link = self.engine.router_link(router).and_then(|link| self.kernel.index_of(link));
                self.sockets.push(&self.engine, (router, priority, sequence), link);
            }
        }
        self.sockets.flush(&mut self.engine, now(), &mut self.out);
    }

    pub(super) fn take_packets(&mut self, link: Option<u32>) {
        let Self { sockets, engine, kernel, out, .. } = self;
        let places = (|index| kernel.id_of_heard(index), |index| kernel.master_of(index));
        match sockets.receive(link, engine, now, places, out) {
            Ok(count) => self.gathering.read(count),
            Err(error) => self.say(Severity::Warning, error.to_string()),
        }
        self.tell_strangers();
    }

    pub(super) fn adjust_sockets(&mut self) {
        let buffers = self.receive_buffers();
        let Self { sockets, engine, kernel, poll, settings, .. } = self;
        let instances = settings.instances.iter();
        let virtual_macs: BTreeMap<&Name, &VirtualMac> =
            instances.filter_map(|instance| Some((&instance.router.name, instance.virtual_mac.as_ref()?))).collect();
        let vrfs = settings.vrfs();
        let particulars_of = |id: RouterId, router: &RouterConfig| {
            let apart = virtual_macs
                .get(&router.name)
                .map(|VirtualMac { link, speaks }| Apart { link: kernel.index_of_virtual(link), speaks: *speaks });
            let in_vrf = vrfs.contains(&router.link);
            Particulars { apart, in_vrf, buffer: buffers.get(id.0 as usize).copied().flatten() }
        };
        let index_of = |link| kernel.index_of(link);
        let failures =
            sockets.adjust(engine, index_of, particulars_of, poll, UNICAST, |index| LINKS + u64::from(index));
        let deaf = failures.iter().flat_map(|failure| failure.links.iter().copied()).collect();
        for input in self.kernel.set_deaf(deaf) {
            self.engine.handle(now(), input, &mut self.out);
        }
        self.tell_refusals(failures.into_iter().map(|failure| failure.error));
        let failures = self.solicited.adjust(self.solicited_groups());
        self.tell_refusals(failures);
    }

    /// What must be joined below virtual interfaces with addresses of IPv6.
    fn solicited_groups(&self) -> solicited_groups::Groups {
        let mut groups = solicited_groups::Groups::new();
        for router in &self.engine.config().routers {
            for address in router.addresses.iter().chain(&router.excluded_addresses) {
                let below = address.link.as_ref().and_then(|link| self.kernel.index_below(link));
                if let (Some(below), IpAddr::V6(address)) = (below, address.address) {
                    groups.entry(below).or_default().insert(solicited_groups::group_of(address));
                }
            }
        }
        groups
    }

    fn tell_strangers(&mut self) {
        for (link, vrid) in self.sockets.take_strangers() {
            if self.told_strangers.insert((link, vrid)) {
                let link = self.kernel.name_of(link);
                let text = format!("Unknown VRID({vrid}) received on interface({link}). ignoring...");
                self.say(Severity::Info, text);
            }
        }
    }

    /// How much the socket that hears each instance may queue for it, in octets.
    fn receive_buffers(&self) -> Vec<Option<usize>> {
        let mtu = |router: &RouterConfig| self.kernel.mtu_of(&router.link).unwrap_or(ETHERNET_MTU);
        let of_instance = |instance: &config::Instance| {
            let octets = instance.receive_buffer.or_else(|| match self.settings.process.receive_buffers {
                ReceiveBuffers::Own => None,
                ReceiveBuffers::Octets(octets) => Some(octets),
                ReceiveBuffers::Mtu { packets } => Some(packets.saturating_mul(mtu(&instance.router))),
                ReceiveBuffers::Advertisement { packets } => {
                    Some(packets.saturating_mul(packet_size(&instance.router)))
                }
            });
            octets.map(|octets| octets as usize)
        };
        self.settings.instances.iter().map(of_instance).collect()
    }
}

/// Of an interface that is not there.
const ETHERNET_MTU: u32 = 1500;

/// An advertisement with its IP header, and in version 2 its authentication data.
fn packet_size(router: &RouterConfig) -> u32 {
    let (header, address) = match router.family {
        Family::Ipv4 => (20 + 8 + 8, 4),
        Family::Ipv6 => (40 + 8, 16),
    };
    let count = u32::try_from(router.addresses.len()).unwrap_or(u32::MAX);
    count.saturating_mul(address).saturating_add(header)
}
