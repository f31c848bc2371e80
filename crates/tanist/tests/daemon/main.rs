//! The daemon as its operator meets it: what it does to the machine, how it is told to, how it ends.

#[path = "../support/mod.rs"]
mod support;

mod accept;
mod addresses;
mod asleep;
mod check;
mod confined;
mod drop_in;
mod dumps;
mod ending;
mod groups;
mod ipv6;
mod ipvlan;
mod keywords;
mod lifetimes;
mod link_beats;
mod links;
mod log;
mod mail_security;
mod process;
mod reload;
mod reload_moves;
mod reload_survivors;
mod reload_times;
mod routes;
mod scripts;
mod secrets;
mod service_manager;
mod signing;
mod strangers;
mod told;
mod tracking;
mod virtual_mac;
mod virtual_mac_ipv6;
mod vrf;
mod words;
