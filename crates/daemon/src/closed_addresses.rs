//! Addresses to which no traffic is accepted (Accept_Mode false, RFC 9568 §6.1). They are here only while their router
//! is Active, so the filter need not follow the role.

use std::net::IpAddr;

use config::Settings;
use linux::packet_filter::{Closed, Dropped, PacketFilter};

#[derive(Debug, Default)]
pub(crate) struct ClosedAddresses {
    closed: Closed,
    /// What the tables are called, and the priority of their chains.
    table: (String, i32),
    /// Open while anything is closed.
    filter: Option<PacketFilter>,
    /// Tables of our name may be those of another daemon which runs.
    beside_another: bool,
}

impl ClosedAddresses {
    pub(crate) fn new(beside_another: bool) -> Self {
        Self { beside_another, ..Self::default() }
    }

    /// Follows the settings; does nothing if nothing about this has changed.
    pub(crate) fn adjust(&mut self, settings: &Settings) -> linux::Result<()> {
        let closed = closed(settings);
        let table = table(settings);
        if closed == self.closed && table == self.table {
            return match &mut self.filter {
                // `flush ruleset` takes everybody's tables.
                Some(filter) if !filter.is_there()? => filter.drop_traffic(&self.closed),
                _ => Ok(()),
            };
        }
        if table != self.table {
            self.open_all()?;
            if closed.is_empty() && !self.beside_another {
                remove_remains(&table);
            }
            self.table = table;
        }
        self.closed = closed;
        if self.closed.is_empty() {
            return self.open_all();
        }
        let filter = match &mut self.filter {
            Some(filter) => filter,
            None => self.filter.insert(PacketFilter::open(&self.table.0, self.table.1)?),
        };
        filter.drop_traffic(&self.closed)
    }

    /// How many packets were dropped; `None` while nothing is closed.
    pub(crate) fn dropped(&self) -> Option<linux::Result<Dropped>> {
        self.filter.as_ref().map(PacketFilter::dropped)
    }

    /// Lets everything through again.
    pub(crate) fn open_all(&mut self) -> linux::Result<()> {
        self.closed = Closed::default();
        self.filter.take().map_or(Ok(()), |mut filter| filter.remove())
    }
}

/// Removes what a daemon that was killed has left: the address would be there and answer nobody. Who may not, or has no nftables,
/// has none either.
pub(crate) fn remove_remains((name, priority): &(String, i32)) {
    let _ = PacketFilter::open(name, *priority).and_then(|mut filter| filter.remove());
}

/// What the settings say of the tables.
pub(crate) fn table(settings: &Settings) -> (String, i32) {
    let name = match (&settings.global.nftables_table, &settings.process.instance) {
        (Some(stated), _) => stated.clone(),
        // Each of several daemons has its own.
        (None, Some(instance)) => format!("{}_{}", PacketFilter::TABLE, plain(instance)),
        (None, None) => PacketFilter::TABLE.to_owned(),
    };
    (name, settings.global.nftables_priority.unwrap_or(PacketFilter::PRIORITY))
}

/// As `nft` takes it without quotes.
fn plain(name: &str) -> String {
    name.chars().map(|it| if it.is_ascii_alphanumeric() || matches!(it, '.' | '-') { it } else { '_' }).collect()
}

fn closed(settings: &Settings) -> Closed {
    let mut closed = Closed::default();
    // An owner accepts what is sent to its own addresses.
    let instances = settings.instances.iter();
    let routers = instances.filter(|instance| !instance.accept_mode && !instance.router.priority.is_address_owner());
    for router in routers.map(|instance| &instance.router) {
        for address in router.addresses.iter().chain(&router.excluded_addresses) {
            match address.address {
                IpAddr::V6(own) if own.is_unicast_link_local() => {
                    let link = address.link.as_ref().unwrap_or(&router.link);
                    closed.link_local.insert((link.to_string(), own));
                }
                other => {
                    closed.addresses.insert(other);
                }
            }
        }
    }
    closed
}
