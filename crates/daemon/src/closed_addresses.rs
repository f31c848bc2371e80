//! Addresses to which no traffic is accepted (Accept_Mode false, RFC 9568 §6.1). They are here only while their router
//! is Active, so the filter need not follow the role.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use config::Settings;
use linux::packet_filter::PacketFilter;

#[derive(Debug, Default)]
pub(crate) struct ClosedAddresses {
    addresses: BTreeSet<Ipv4Addr>,
    /// Open while anything is closed.
    filter: Option<PacketFilter>,
}

impl ClosedAddresses {
    /// Follows the settings; does nothing if nothing about this has changed.
    pub(crate) fn adjust(&mut self, settings: &Settings) -> linux::Result<()> {
        let addresses = closed(settings);
        if addresses == self.addresses {
            return Ok(());
        }
        self.addresses = addresses;
        if self.addresses.is_empty() {
            return self.open_all();
        }
        let filter = match &mut self.filter {
            Some(filter) => filter,
            None => self.filter.insert(PacketFilter::open()?),
        };
        filter.drop_traffic(&self.addresses)
    }

    /// Lets everything through again.
    pub(crate) fn open_all(&mut self) -> linux::Result<()> {
        self.addresses.clear();
        self.filter.take().map_or(Ok(()), |mut filter| filter.remove())
    }
}

fn closed(settings: &Settings) -> BTreeSet<Ipv4Addr> {
    settings
        .instances
        .iter()
        // An owner accepts what is sent to its own addresses.
        .filter(|instance| !instance.accept_mode && !instance.router.priority.is_address_owner())
        .flat_map(|instance| instance.router.addresses.iter().chain(&instance.router.excluded_addresses))
        .filter_map(|address| match address.address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .collect()
}
