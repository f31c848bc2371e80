//! Touches the kernel and decides nothing.
//!
//! Everything here is a thin, typed way to ask Linux for something: addresses and links over netlink, raw VRRP and
//! ARP sockets, timers and signals as file descriptors, programs started without forking ourselves. What to ask for,
//! and when, is said by others. This is the only crate of the house with `unsafe`; each module that needs it says so.
//!
//! Interfaces are kernel indexes (`u32`), addresses are [`std::net::IpAddr`], moments are nanoseconds of
//! `CLOCK_BOOTTIME`. An [`Error`] names operation, object and cause.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod arp_socket;
pub mod baton_socket;
pub mod capture;
pub mod clock;
pub mod confinement;
pub mod control_group;
pub mod daemonize;
pub mod descriptors;
pub mod disk_space;
mod error;
pub mod fifo;
pub mod file_watch;
#[doc(hidden)]
pub mod foreign;
pub mod link_beat;
mod link_name;
pub mod local_time;
pub mod memberships;
pub mod memory;
pub mod netlink;
pub mod netns;
pub mod number_file;
pub mod packet_filter;
mod packet_socket;
pub mod peer;
pub mod poll;
pub mod process;
pub mod process_events;
pub mod process_list;
pub mod process_watch;
pub mod public_place;
pub mod random;
mod receive_buffers;
pub mod scheduling;
pub mod script_security;
pub mod sd_notify;
pub mod send_batch;
pub mod service_notices;
pub mod signals;
mod socket_option;
pub mod socket_owner;
pub mod spawn;
pub mod sysctl;
pub mod system_log;
pub mod tcp_connect;
pub mod timer;
pub mod users;
pub mod virtual_host;
pub mod vrrp_socket;
pub mod wiping;

pub use error::{Error, Result, errno_text};
