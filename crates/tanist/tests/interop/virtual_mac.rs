//! A pair with a virtual MAC address: the role moves, and no neighbour has anything to learn.

use linux::netlink::Netlink;

use super::{Cast, of_host, started};
use crate::support::iproute::ip;
use crate::support::wire::{Wire, neighbour};
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, slow_test_with_keepalived};

const VIRTUAL_MAC: &str = "00:00:5e:00:01:33";

/// Has a host know the client for good. A keepalived that has to ask for it does so from the virtual address with the MAC
/// address of the interface below, and the client believes it.
fn know_the_client(scene: &Scene, host: usize) {
    let links = scene.lab.client().run(|| Netlink::open().and_then(|mut netlink| netlink.links())).expect("its links");
    let link = links.iter().find(|link| !link.loopback).expect("it has an interface");
    let mac = link.mac.map(|octet| format!("{octet:02x}")).join(":");
    ip(&scene.hosts[host], &format!("neigh replace 192.0.2.254 lladdr {mac} dev eth0 nud permanent"));
}

fn live(cast: Cast, options: &str) {
    let scene = Scene::new(&["a", "b"]);
    let mut wire = Wire::of(&scene);
    let below = options.contains("vmac_xmit_base");
    // Where advertisements tell the switch the way, nobody need announce anything; once is the least that both take.
    let quiet = if below { "" } else { "    garp_master_repeat 1\n    garp_master_delay 0\n" };
    let lines = format!("{QUICK}\n{quiet}    use_vmac\n{options}");
    let configurations = [0, 1].map(|host| of_host(host, "", &lines));
    [0, 1].into_iter().for_each(|host| know_the_client(&scene, host));
    let begin = Moment::now();
    let mut nodes = started(&scene, cast, [&configurations[0], &configurations[1]]);
    let probe = scene.probe(ADDRESS);
    scene.answered_by(&probe, "a", begin);
    assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

    let off = scene.lab.note("a", "power off");
    scene.hosts[0].power_off().expect("power off");
    scene.answered_by(&probe, "b", off);
    assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

    let on = scene.lab.note("a", "power on");
    scene.hosts[0].power_on().expect("power on");
    know_the_client(&scene, 0);
    nodes[0] = Node::start(&scene.hosts[0], cast.daemons()[0].clone(), &configurations[0]);
    scene.answered_by(&probe, "a", on);
    scene.only("a", ADDRESS);
    assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

    let stopped = scene.lab.note("a", "stop");
    nodes[0].stop();
    scene.resigned("a", stopped);
    scene.only("b", ADDRESS);
    scene.answered_by(&probe, "b", stopped);
    assert_eq!(neighbour(&scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));

    let own = [0, 1].map(|host: usize| scene.hosts[host].mac(0).to_string());
    for frame in wire.frames().iter().filter(|frame| frame.advertised().is_some()) {
        assert_eq!(own.contains(&frame.from), below, "{frame:?}");
        assert_eq!(frame.from == VIRTUAL_MAC, !below, "{frame:?}");
    }
}

// Shows: vrrp_instance.use_vmac
#[test]
fn ours_then_keepalived() {
    slow_test_with_keepalived(|| live(Cast::OursAndKeepalived, ""));
}

#[test]
fn keepalived_then_ours() {
    slow_test_with_keepalived(|| live(Cast::KeepalivedAndOurs, ""));
}

// Shows: vrrp_instance.vmac_xmit_base
#[test]
fn ours_then_keepalived_from_the_interface_below() {
    slow_test_with_keepalived(|| live(Cast::OursAndKeepalived, "    vmac_xmit_base"));
}

#[test]
fn keepalived_then_ours_from_the_interface_below() {
    slow_test_with_keepalived(|| live(Cast::KeepalivedAndOurs, "    vmac_xmit_base"));
}
