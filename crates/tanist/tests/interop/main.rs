//! A pair of ours and the distribution's keepalived, in both roles, over each kind of transport.

#[path = "../support/mod.rs"]
mod support;

// Named so that it begins first, for it lasts longest.
mod a_trio;
mod accept;
mod captures;
mod deviations;
mod differences;
mod differential;
mod dumps;
mod frr;
mod ipv6;
mod life;
mod no_interface;
mod packets;
mod partition;
mod processes;
mod reload;
mod retold;
mod said;
mod scripts;
mod sync_groups;
mod three_nodes;
mod told;
mod tracking;
mod virtual_mac;
mod virtual_mac_ipv6;

use std::net::Ipv4Addr;

use support::{Daemon, Node, Scene, configuration, tanist};

/// Host `a` is the one that is meant to be active.
const PRIORITIES: [u8; 2] = [150, 100];

/// Who runs on `a` and on `b`.
#[derive(Clone, Copy)]
enum Cast {
    OursAndKeepalived,
    KeepalivedAndOurs,
}

impl Cast {
    fn daemons(self) -> [Daemon; 2] {
        match self {
            Self::OursAndKeepalived => [tanist(), Daemon::keepalived()],
            Self::KeepalivedAndOurs => [Daemon::keepalived(), tanist()],
        }
    }
}

fn own_address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, host as u8 + 1)
}

/// A configuration of host 0 or 1 with further lines.
fn of_host(host: usize, before: &str, lines: &str) -> String {
    configuration(before, PRIORITIES[host], lines)
}

/// The lines that make host 0 or 1 talk to the other one by unicast.
fn unicast(host: usize) -> String {
    let (own, peer) = (own_address(host), own_address(1 - host));
    format!("    unicast_src_ip {own}\n    unicast_peer {{\n        {peer}\n    }}\n")
}

/// Both daemons, once `a` is active and `b` knows it.
fn started(scene: &Scene, cast: Cast, configurations: [&str; 2]) -> [Node; 2] {
    let [active, standby] = cast.daemons();
    let a = Node::start(&scene.hosts[0], active, configurations[0]);
    scene.only("a", support::ADDRESS);
    let begin = support::Moment::now();
    let b = Node::start(&scene.hosts[1], standby, configurations[1]);
    let standby = scene.line("b", begin, "Entering BACKUP STATE").at;
    scene.advertised("a", standby, |_| true);
    [a, b]
}
