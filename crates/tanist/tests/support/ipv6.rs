//! Scenes of IPv6: hosts `a`, `b`, … at 2001:db8::1, ::2, …, each with the address of the link that it advertises from.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::iproute::lines;
use super::{Host, HostPlan, Scene};

/// The virtual addresses: the one that clients ask for,
pub(crate) const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);
/// and the one of the link, which an instance of IPv6 has first.
pub(crate) const ON_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x100);

pub(crate) fn scene(names: &[&str]) -> Scene {
    with_hosts(names, |number| vec![format!("2001:db8::{number}/64")])
}

/// As [`scene`], with a client that has an address of IPv6.
pub(crate) fn scene_with_client(names: &[&str]) -> Scene {
    let scene = scene(names);
    scene.lab.client().add_address("2001:db8::254/64").expect("the client's address");
    scene
}

/// Hosts that are at 192.0.2.1, .2, … too.
pub(crate) fn dual_stack(names: &[&str]) -> Scene {
    with_hosts(names, |number| vec![format!("192.0.2.{number}/24"), format!("2001:db8::{number}/64")])
}

fn with_hosts(names: &[&str], addresses: impl Fn(u8) -> Vec<String>) -> Scene {
    let mut scene = Scene::empty();
    for (name, number) in names.iter().zip(1..) {
        let addresses = addresses(number);
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        scene.add(&HostPlan::new(name).interface("eth0", &addresses));
    }
    for host in &scene.hosts {
        has_link_local(&scene, host);
    }
    scene
}

/// Waits until a host has its own address of the link, for good.
pub(crate) fn has_link_local(scene: &Scene, host: &Host) {
    scene.until("it has a link-local address", || {
        let there = lines(host, "-o -6 address show dev eth0 scope link");
        there.iter().any(|line| line.contains("fe80:") && !line.contains("tentative"))
    });
}

/// Whether whoever runs this gets an answer from there: where nobody listens, a refusal.
pub(crate) fn answers(address: Ipv6Addr) -> bool {
    let to = SocketAddr::new(IpAddr::V6(address), 9);
    let answer = TcpStream::connect_timeout(&to, Duration::from_millis(700));
    answer.err().map(|error| error.kind()) == Some(ErrorKind::ConnectionRefused)
}
