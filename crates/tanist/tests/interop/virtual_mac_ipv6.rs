//! A pair with a virtual MAC address of IPv6: the role moves, and no neighbour has anything to learn.

use super::{Cast, PRIORITIES};
use crate::support::ipv6::{self, ADDRESS};
use crate::support::wire::{Wire, neighbour_of_ipv6};
use crate::support::{Moment, Node, Scene, slow_test_with_keepalived};

const VIRTUAL_MAC: &str = "00:00:5e:00:02:33";

fn configuration(host: usize, options: &str) -> String {
    let priority = PRIORITIES[host];
    format!(
        "vrrp_instance VI_6 {{\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n    advert_int 0.2\n    \
         use_vmac\n{options}\n    virtual_ipaddress {{\n        fe80::100/64\n        {ADDRESS}/64\n    }}\n}}\n"
    )
}

/// The address is on this host only, and the client gets an answer from where it has always been.
#[track_caller]
fn on(scene: &Scene, holder: usize) {
    scene.until("one host has the address", || {
        [0, 1].into_iter().all(|host| scene.hosts[host].has_address(ADDRESS.into()) == (host == holder))
    });
    scene.until("it answers", || scene.lab.client().run(|| ipv6::answers(ADDRESS)));
    assert_eq!(neighbour_of_ipv6(scene, ADDRESS).as_deref(), Some(VIRTUAL_MAC));
}

fn live(cast: Cast, options: &str) {
    let scene = ipv6::scene_with_client(&["a", "b"]);
    let mut wire = Wire::of(&scene);
    let begin = Moment::now();
    let [first, second] = cast.daemons();
    let _a = Node::start(&scene.hosts[0], first.clone(), &configuration(0, options));
    scene.line("a", begin, "Entering MASTER STATE");
    let _b = Node::start(&scene.hosts[1], second, &configuration(1, options));
    scene.line("b", begin, "Entering BACKUP STATE");
    on(&scene, 0);

    let off = scene.lab.note("a", "power off");
    scene.hosts[0].power_off().expect("power off");
    scene.line("b", off, "Entering MASTER STATE");
    on(&scene, 1);

    let on_again = scene.lab.note("a", "power on");
    scene.hosts[0].power_on().expect("power on");
    ipv6::has_link_local(&scene, &scene.hosts[0]);
    let a = Node::start(&scene.hosts[0], first, &configuration(0, options));
    scene.line("b", on_again, "Entering BACKUP STATE");
    on(&scene, 0);

    let stopped = scene.lab.note("a", "stop");
    a.stop();
    scene.resigned("a", stopped);
    on(&scene, 1);

    let below = options.contains("vmac_xmit_base");
    for frame in wire.frames().iter().filter(|frame| frame.advertised().is_some()) {
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

#[test]
fn ours_then_keepalived_from_the_interface_below() {
    slow_test_with_keepalived(|| live(Cast::OursAndKeepalived, "    vmac_xmit_base"));
}

#[test]
fn keepalived_then_ours_from_the_interface_below() {
    slow_test_with_keepalived(|| live(Cast::KeepalivedAndOurs, "    vmac_xmit_base"));
}
