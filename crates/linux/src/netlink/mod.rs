//! Links, addresses, routes and policy rules of one network namespace, over rtnetlink.
//!
//! [`Netlink`] asks and changes, [`Monitor`] hears of changes; they are two sockets, so that an overrun of events
//! can never lose an answer. What should be changed is worked out by [`reconcile`]. A third, [`Renewer`], renews the
//! lifetimes of addresses; the monitor can be made deaf for what it does.
//!
//! Requests are encoded with netlink-packet-route, but for routes and rules, of which it cannot say half (`payload.rs`).
//! Answers are read attribute by attribute and only as far as we
//! look at them (`decode.rs`), so that an attribute of a newer kernel can't spoil a message that we need.

mod addresses;
mod decode;
pub(crate) mod foreign;
mod ipvlan;
mod links;
mod listeners;
mod macvlan;
mod monitor;
mod operation;
mod payload;
mod reconcile;
mod renewal;
mod route;
mod rule;
mod socket;
mod types;
mod virtual_links;

pub use addresses::{Applied, kernel_keeps_marks};
pub use ipvlan::{Ipvlan, IpvlanFlags};
pub use listeners::{Listener, listeners};
pub use macvlan::Macvlan;
pub use monitor::{Change, Monitor};
pub use operation::Operation;
pub use reconcile::{AddressOperation, Subnet, WantedAddress, reconcile};
pub use renewal::Renewer;
pub use route::{
    HeldRoute, HopSpec, MAIN_TABLE, OUR_PROTOCOL, RouteOperation, RoutePosition, RouteSpec, TunnelEnds, TunnelSpec,
    WantedRoute, reconcile_routes,
};
pub use rule::{HeldRule, RuleActionSpec, RuleOperation, RuleSpec, reconcile_rules};
pub use types::{Address, Lifetime, Link};
pub use virtual_links::{Route, VethEnd};

use crate::Result;

/// The protocol number (`IFA_PROTO`) that addresses of ours carry: an ASCII `T`. Kernels before 5.18 ignore it.
pub const OUR_MARK: u8 = 0x54;

/// A blocking command socket in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Netlink {
    socket: socket::CommandSocket,
}

impl Netlink {
    /// Opens a socket with strict checking and extended acknowledgements, as far as the kernel has them.
    pub fn open() -> Result<Netlink> {
        Ok(Netlink { socket: socket::CommandSocket::open()? })
    }

    /// Lets it queue so many octets of answers, beyond the system's limit only if that is forced; `None` is as much as we
    /// think good.
    pub fn set_receive_buffer(&self, octets: Option<(usize, bool)>) -> Result<()> {
        self.socket.set_receive_buffer(octets)
    }
}
