//! The virtual switch: a bridge in a namespace of its own, a port for each interface of each host.

use std::os::fd::AsFd;
use std::sync::Arc;

use linux::netlink::{Netlink, VethEnd};
use linux::netns::Namespace;

use super::frame::Mac;
use super::inside::Inside;
use super::{LabError, PATIENCE, wait_until};

/// A bridge that floods multicast and forwards at once.
#[derive(Debug)]
pub(crate) struct Switch {
    inside: Inside,
    bridge: u32,
}

/// A socket of the switch: the near end of the cable to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Port(pub(crate) u32);

impl Switch {
    pub(crate) fn new() -> Result<Self, LabError> {
        let inside = Inside::network("switch")?;
        // The switch itself is nobody: without this it would take part in neighbour discovery.
        inside.namespace().set_sysctl("net.ipv6.conf.default.disable_ipv6", "1")?;
        let bridge = inside.run(|| -> Result<u32, LabError> {
            let mut netlink = Netlink::open()?;
            let bridge = netlink.create_bridge("switch")?;
            netlink.set_up(bridge, true)?;
            Ok(bridge)
        })?;
        Ok(Self { inside, bridge })
    }

    pub(crate) fn inside(&self) -> &Inside {
        &self.inside
    }

    /// Draws a cable from a new port to a new interface in the namespace of a host, and plugs it in. The far end is
    /// still down.
    pub(crate) fn plug(&self, port: &str, host: &Namespace, interface: &str, mac: Mac) -> Result<Port, LabError> {
        let host = host.try_clone()?;
        let (bridge, port, interface): (u32, Arc<str>, Arc<str>) = (self.bridge, port.into(), interface.into());
        self.inside.run(move || -> Result<Port, LabError> {
            let mut netlink = Netlink::open()?;
            let near = VethEnd { name: &port, mac: None, namespace: None };
            let far = VethEnd { name: &interface, mac: Some(mac.0), namespace: Some(host.as_fd()) };
            netlink.create_veth(near, far)?;
            let link = netlink.link_by_name(&port)?;
            let index = link.ok_or_else(|| LabError::new(format!("find {port}: it was just made")))?.index;
            netlink.set_master(index, Some(bridge))?;
            netlink.set_up(index, true)?;
            Ok(Port(index))
        })
    }

    /// Waits until the port forwards: the kernel takes its time after the far end has come up.
    pub(crate) fn wait_for_carrier(&self, port: Port) -> Result<(), LabError> {
        let carrier = || {
            let links = self.inside.run(|| Netlink::open()?.links())?;
            Ok(links.iter().any(|link| link.index == port.0 && link.running))
        };
        let mut last: Result<bool, LabError> = Ok(false);
        let _ = wait_until(PATIENCE, || {
            last = carrier();
            !matches!(last, Ok(false))
        });
        if last? { Ok(()) } else { Err(LabError::new(format!("port {} of the switch gets no carrier", port.0))) }
    }

    /// Takes the cable away, with the interface at its far end.
    pub(crate) fn unplug(&self, port: Port) -> Result<(), LabError> {
        self.ask(move |netlink| netlink.delete_link(port.0))
    }

    /// A port that is not up gives the far end no carrier.
    pub(crate) fn set_up(&self, port: Port, up: bool) -> Result<(), LabError> {
        self.ask(move |netlink| netlink.set_up(port.0, up))
    }

    /// Isolated ports exchange nothing with each other; both still reach every port that is not isolated.
    pub(crate) fn set_isolated(&self, port: Port, isolated: bool) -> Result<(), LabError> {
        self.ask(move |netlink| netlink.set_isolated(port.0, isolated))
    }

    /// Whether the far end hears multicast. It is heard in any case.
    pub(crate) fn set_multicast(&self, port: Port, heard: bool) -> Result<(), LabError> {
        self.ask(move |netlink| netlink.set_multicast_flood(port.0, heard))
    }

    fn ask(&self, question: impl FnOnce(&mut Netlink) -> linux::Result<()> + Send + 'static) -> Result<(), LabError> {
        Ok(self.inside.run(move || question(&mut Netlink::open()?))?)
    }
}
