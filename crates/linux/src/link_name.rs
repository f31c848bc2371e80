//! What to call an interface in a message.

use std::os::fd::AsFd;

/// The name of the interface in the socket's network namespace, or its index if it is gone.
pub(crate) fn link_name(socket: impl AsFd, index: u32) -> String {
    rustix::net::netdevice::index_to_name(socket, index).unwrap_or_else(|_| format!("interface {index}"))
}
