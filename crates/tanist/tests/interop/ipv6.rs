//! A dual-stack pair: an instance of IPv6 that carries an IPv4 address along, beside one of IPv4 that carries an IPv6
//! address along. A third host sees where the addresses are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::support::iproute::{ip, lines};
use crate::support::ipv6::{ADDRESS, ON_LINK, dual_stack as dual_stack_scene};
use crate::support::{Advertisement, Moment, Node, Scene, slow_test_with_keepalived};
use crate::{Cast, PRIORITIES};

/// Carried along by the instance of IPv6,
const IPV4_BESIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
/// and by the instance of IPv4.
const IPV6_BESIDE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x101);
const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// Of no host.
const NOBODY: &str = "02:00:00:00:77:77";

fn own_address(host: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host as u16 + 1)
}

/// How advertisements of IPv6 travel.
#[derive(Clone, Copy)]
enum Way {
    Multicast,
    Unicast,
}

fn dual_stack(host: usize, way: Way) -> String {
    let priority = PRIORITIES[host];
    let (own, peer) = (own_address(host), own_address(1 - host));
    let transport = match way {
        Way::Multicast => String::new(),
        Way::Unicast => format!("unicast_src_ip {own}\n    unicast_peer {{\n        {peer}\n    }}"),
    };
    format!(
        "vrrp_instance VI_6 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.2
    {transport}
    virtual_ipaddress {{
        {ON_LINK}/64
        {ADDRESS}/64
    }}
    virtual_ipaddress_excluded {{
        {IPV4_BESIDE}/24
    }}
}}
vrrp_instance VI_4 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    version 3
    advert_int 0.2
    virtual_ipaddress {{
        192.0.2.101/24
    }}
    virtual_ipaddress_excluded {{
        {IPV6_BESIDE}/128
    }}
}}
"
    )
}

/// Hosts `a` and `b`, and `c` that looks on. Duplicates are looked for, as on most machines, so that an address that is
/// added in the usual way would be of no use for a while.
fn scene() -> Scene {
    let scene = dual_stack_scene(&["a", "b", "c"]);
    for host in &scene.hosts {
        for group in ["all", "default", "eth0"] {
            let set = format!("echo 1 > /proc/sys/net/ipv6/conf/{group}/accept_dad");
            assert!(host.output(&["sh", "-c", &set]).expect("a host with power").status.success());
        }
    }
    let c = &scene.hosts[2];
    scene.lab.client().add_address("192.0.2.254/24").expect("the client's address");
    for address in [ADDRESS, ON_LINK, IPV6_BESIDE] {
        ip(c, &format!("-6 neigh add {address} lladdr {NOBODY} nud stale dev eth0"));
    }
    scene
}

/// Everything is on this host and nothing on the other one, and the onlooker knows where.
fn all_on(scene: &Scene, holder: usize) {
    let [c] = [&scene.hosts[2]];
    let addresses: [IpAddr; 4] = [ADDRESS.into(), ON_LINK.into(), IPV4_BESIDE.into(), IPV6_BESIDE.into()];
    let holders = |address: IpAddr| [0, 1].map(|host| scene.hosts[host].has_address(address));
    let expected = [holder == 0, holder == 1];
    scene.until(&format!("all on {}", ["a", "b"][holder]), || addresses.iter().all(|one| holders(*one) == expected));
    let mac = scene.hosts[holder].mac(0).to_string();
    for address in [ADDRESS, ON_LINK, IPV6_BESIDE] {
        scene.until(&format!("c finds {address} at {mac}"), || {
            lines(c, &format!("-6 neigh show {address} dev eth0")).iter().any(|line| line.contains(&mac))
        });
    }
    let host = &scene.hosts[holder];
    let listed = lines(host, "-6 address show dev eth0");
    for address in [format!("{ADDRESS}/64"), format!("{ON_LINK}/64"), format!("{IPV6_BESIDE}/128")] {
        let line = listed.iter().find(|line| line.contains(&address)).expect("it is there");
        assert!(line.contains("nodad") && !line.contains("tentative"), "{line}");
    }
}

fn is_of_ipv6(seen: &Advertisement) -> bool {
    seen.source.is_ipv6()
}

/// Take-over and failback, in both roles.
fn play(cast: Cast, way: Way) {
    assert!((0..3).any(|_| is_played(cast, way)), "keepalived does not speak");
}

/// `false` if keepalived 2.2.7 has fallen silent. On a machine with much to do it has once: from its own addresses on it
/// logged "send advert error 22" and took itself for the master.
fn is_played(cast: Cast, way: Way) -> bool {
    let scene = scene();
    let begin = Moment::now();
    let [first, second] = cast.daemons();
    let mut a = Node::start(&scene.hosts[0], first, &dual_stack(0, way));
    all_on(&scene, 0);
    let b = Node::start(&scene.hosts[1], second, &dual_stack(1, way));
    scene.line("b", begin, "(VI_6) Entering BACKUP STATE");
    let probe = scene.probe(IPV4_BESIDE);
    let advertised = scene.advertised("a", Moment::now(), is_of_ipv6);
    let crate::support::Seen::Advertisement(seen) = advertised.what else { unreachable!("that was asked for") };
    assert_eq!((seen.version, seen.vrid, seen.priority), (3, 51, 150));
    assert_eq!(seen.addresses, [IpAddr::V6(ON_LINK), ADDRESS.into()]);
    // By unicast keepalived leaves the hop limit to the kernel.
    if matches!(way, Way::Multicast) || a.is_tanist() {
        assert_eq!(seen.packet[7], 255, "the hop limit");
    }
    let IpAddr::V6(source) = seen.source else { unreachable!("that was asked for") };
    let expected = match way {
        Way::Multicast => GROUP,
        Way::Unicast => own_address(1),
    };
    assert_eq!(seen.destination, IpAddr::V6(expected));
    match way {
        Way::Multicast => assert!(source.is_unicast_link_local(), "{source}"),
        Way::Unicast => assert_eq!(source, own_address(0)),
    }

    // Both hear each other: nobody else claims the role.
    let heard = Moment::now();
    crate::support::let_pass(std::time::Duration::from_secs(2));
    if scene.count_lines("a", begin, "send advert error 22") > 0 {
        return false;
    }
    let senders = scene.advertisements(heard);
    assert!(senders.iter().all(|(_, host, _)| host == "a"), "{}", scene.story());

    let stopped = Moment::now();
    a.stop();
    all_on(&scene, 1);
    scene.line("b", stopped, "(VI_6) Entering MASTER STATE");
    scene.answered_by(&probe, "b", stopped);

    let returned = Moment::now();
    a.start_again();
    all_on(&scene, 0);
    scene.line("b", returned, "(VI_6) Entering BACKUP STATE");
    scene.answered_by(&probe, "a", returned);
    for host in ["a", "b"] {
        assert_eq!(scene.count_lines(host, begin, "discarded"), 0, "{}", scene.story());
    }
    let killed = Moment::now();
    a.kill();
    scene.line("b", killed, "(VI_6) Entering MASTER STATE");
    b.stop();
    true
}

// Shows: vrrp_instance.virtual_ipaddress_excluded
#[test]
fn ours_before_keepalived_by_multicast_over_ipv6() {
    slow_test_with_keepalived(|| play(Cast::OursAndKeepalived, Way::Multicast));
}

#[test]
fn keepalived_before_ours_by_multicast_over_ipv6() {
    slow_test_with_keepalived(|| play(Cast::KeepalivedAndOurs, Way::Multicast));
}

// Shows: vrrp_instance.unicast_src_ip
#[test]
fn ours_before_keepalived_by_unicast_over_ipv6() {
    slow_test_with_keepalived(|| play(Cast::OursAndKeepalived, Way::Unicast));
}

#[test]
fn keepalived_before_ours_by_unicast_over_ipv6() {
    slow_test_with_keepalived(|| play(Cast::KeepalivedAndOurs, Way::Unicast));
}
