//! What is asked of the kernel. One program, since each more is compiled and linked for itself; but for those that make and
//! reap processes, which are alone with their own.

mod baton_sockets;
mod common;
mod file_watch;
mod ipv6_sockets;
mod lifetimes;
mod link_beat;
mod netlink;
mod packet_filter;
mod routes;
mod virtual_mac;
mod vrrp_sockets;
