//! The client: a neighbour on the switch that only asks.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use linux::netlink::{Netlink, Route};

use super::LabError;
use super::frame::Mac;
use super::host::index_of;
use super::inside::Inside;
use super::switch::Switch;
use super::web_probe::WebProbe;

const INTERFACE: &str = "eth0";

/// A machine without a daemon.
#[derive(Debug)]
pub struct Client {
    inside: Inside,
}

impl Client {
    pub(super) fn new(switch: &Switch) -> Result<Self, LabError> {
        let inside = Inside::network("client")?;
        let port = switch.plug("client", inside.namespace(), INTERFACE, Mac([2, 0, 0, 0, 0, 0xc1]))?;
        let namespace = inside.namespace();
        // It believes what it was told last until it is told otherwise: so a takeover that is not announced shows.
        namespace.set_sysctl(&format!("net.ipv4.neigh.{INTERFACE}.base_reachable_time_ms"), "86400000")?;
        // A question that waited for a neighbour to be found would be answered as if it had just been asked.
        namespace.set_sysctl(&format!("net.ipv4.neigh.{INTERFACE}.unres_qlen_bytes"), "0")?;
        namespace.set_sysctl("net.ipv4.conf.all.rp_filter", "0")?;
        namespace.set_sysctl(&format!("net.ipv4.conf.{INTERFACE}.rp_filter"), "0")?;
        inside.run(|| -> Result<(), LabError> {
            let mut netlink = Netlink::open()?;
            for interface in ["lo", INTERFACE] {
                let link = index_of(&mut netlink, interface)?;
                netlink.set_up(link, true)?;
            }
            Ok(())
        })?;
        switch.wait_for_carrier(port)?;
        Ok(Self { inside })
    }

    /// Gives it an address, like `192.0.2.254/24`.
    pub fn add_address(&self, address: &str) -> Result<(), LabError> {
        let address: super::Cidr = address.parse()?;
        self.inside.run(move || {
            let mut netlink = Netlink::open()?;
            let link = index_of(&mut netlink, INTERFACE)?;
            Ok(netlink.add_unmarked_address(link, address.address, address.prefix)?)
        })
    }

    /// Makes an address a neighbour although it is in no network of the client.
    pub fn add_neighbour(&self, address: IpAddr) -> Result<(), LabError> {
        self.inside.run(move || {
            let mut netlink = Netlink::open()?;
            let link = Some(index_of(&mut netlink, INTERFACE)?);
            let destination = Some((address, if address.is_ipv4() { 32 } else { 128 }));
            Ok(netlink.add_route(&Route { destination, gateway: None, link })?)
        })
    }

    /// Starts asking a web service again and again.
    pub fn probe_web(&self, address: Ipv4Addr, port: u16) -> Result<WebProbe, LabError> {
        WebProbe::start(&self.inside, SocketAddrV4::new(address, port))
    }

    /// Does something on a thread inside: sockets opened there belong to the client.
    pub fn run<T: Send + 'static>(&self, errand: impl FnOnce() -> T + Send + 'static) -> T {
        self.inside.run(errand)
    }

    pub(super) fn inside(&self) -> &Inside {
        &self.inside
    }
}
