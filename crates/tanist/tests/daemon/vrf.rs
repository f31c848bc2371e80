//! Instances in a VRF: their effect where the kernel has such, and what is said where it has none. `cargo xtask
//! kernel-tests` runs this on a kernel that has them.

use std::net::Ipv4Addr;

use crate::support::iproute::{ip, try_ip};
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, let_pass, slow_test, tanist, test_name};

fn kernel_has_it(scene: &Scene) -> bool {
    let host = &scene.hosts[0];
    let has = try_ip(host, "link add probe type vrf table 999");
    if has {
        ip(host, "link delete probe");
    }
    has
}

/// Host 0 or 1 with the other one as its peer, over both families.
fn in_vrf(host: u8) -> String {
    let (own, peer, priority) = (host + 1, 2 - host, 150 - 50 * host);
    format!(
        "vrrp_instance VI_1 {{\n    vrf blue\n    virtual_router_id 51\n    priority {priority}\n{QUICK}\n    \
         unicast_src_ip 192.0.2.{own}\n    unicast_peer {{\n        192.0.2.{peer}\n    }}\n    virtual_ipaddress {{\n        \
         {ADDRESS}/24 dev eth0\n    }}\n}}\nvrrp_instance VI_6 {{\n    vrf blue\n    virtual_router_id 51\n    priority \
         {priority}\n    advert_int 0.2\n    unicast_src_ip 2001:db8::{own}\n    unicast_peer {{\n        2001:db8::{peer}\n    \
         }}\n    virtual_ipaddress {{\n        fe80::100/64 dev eth0\n        2001:db8::100/64 dev eth0\n    }}\n}}\n"
    )
}

/// With eth0 in it, all that the host knows of its network is there.
fn make_vrf(scene: &Scene, host: usize) {
    let (number, host) = (host + 1, &scene.hosts[host]);
    ip(host, "link add blue type vrf table 500");
    ip(host, "link set blue up");
    ip(host, "link set eth0 master blue");
    // It has lost those of IPv6 thereby.
    ip(host, &format!("-6 address replace 2001:db8::{number}/64 dev eth0 nodad"));
    // The host's own tables say something else, where nobody answers.
    ip(host, "route add blackhole 192.0.2.0/25");
    ip(host, "-6 route add blackhole 2001:db8::/65");
    let own = Ipv4Addr::new(192, 0, 2, number as u8);
    assert!(ip(host, "route show table 500").contains(&own.to_string()), "the route is in the VRF");
}

// Shows: vrrp_instance.vrf
#[test]
fn unicast_stays_in_the_vrf() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        if !kernel_has_it(&scene) {
            return rehearse::lab::skip(&test_name(), &"this kernel has no VRF; `cargo xtask kernel-tests` has one");
        }
        make_vrf(&scene, 1);
        let begin = Moment::now();
        let a = Node::start(&scene.hosts[0], tanist(), &in_vrf(0));
        scene.line("a", begin, "entering FAULT state (interface blue does not exist)");
        let made = scene.lab.note("a", "a VRF");
        make_vrf(&scene, 0);
        scene.line("a", made, "(VI_1) Entering MASTER STATE");
        scene.line("a", made, "(VI_6) Entering MASTER STATE");
        let _b = Node::start(&scene.hosts[1], tanist(), &in_vrf(1));
        scene.line("b", begin, "(VI_1) master is 192.0.2.1");
        scene.line("b", begin, "(VI_6) master is 2001:db8::1");
        let_pass(std::time::Duration::from_secs(2));
        scene.only("a", ADDRESS);
        assert_eq!(scene.count_lines("b", begin, "MASTER STATE"), 0, "{}", scene.story());
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);
        let stopped = Moment::now();
        a.stop();
        scene.answered_by(&probe, "b", stopped);
        scene.only("b", ADDRESS);
        scene.line("b", stopped, "(VI_6) Entering MASTER STATE");
    });
}

/// Nobody takes part who would speak elsewhere.
#[test]
fn an_instance_without_its_vrf_is_in_fault() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &in_vrf(0));
        scene.line("a", begin, "entering FAULT state (interface blue does not exist)");
        // A name is not enough.
        ip(host, "link add blue type bridge");
        ip(host, "link set blue up");
        let reloaded = Moment::now();
        node.reload(&(in_vrf(0) + "\n# Another one.\n"));
        scene.line("a", reloaded, "blue is no VRF, so nobody can be in it");
        let_pass(std::time::Duration::from_secs(1));
        assert_eq!(scene.count_lines("a", begin, "MASTER STATE"), 0, "{}", scene.story());
    });
}

/// Whoever makes the interface below part of a VRF means what stands on it, too.
#[test]
fn a_virtual_interface_follows_its_base_into_a_vrf_and_out_of_it() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        if !kernel_has_it(&scene) {
            return rehearse::lab::skip(&test_name(), &"this kernel has no VRF; `cargo xtask kernel-tests` has one");
        }
        let host = &scene.hosts[0];
        let _node = Node::start(host, tanist(), &configuration("", 150, &format!("{QUICK}\n    use_vmac")));
        scene.only("a", ADDRESS);
        make_vrf(&scene, 0);
        let in_vrf = || ip(host, "-o link show dev vrrp.51").contains("master blue");
        scene.until("it has followed", in_vrf);
        scene.only("a", ADDRESS);
        ip(host, "link set eth0 nomaster");
        scene.until("it has followed again", || !in_vrf());
        scene.only("a", ADDRESS);
    });
}
