//! What a host of the same network that is none of the pair can do to it, with each authentication (`docs/security.md`).

use std::net::Ipv4Addr;
use std::time::Duration;

use linux::netlink::{AddressOperation, Netlink};

use crate::support::packet_peer::{Forged, as_a_container, send, send_as_a_container, send_packet};
use crate::support::{ADDRESS, Moment, Node, QUICK, Scene, configuration, slow_test, tanist};

/// The stranger's own address.
const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Eight octets, so that all of it is used.
const PASSWORD: &str = "pA55-w0d";
const KEY: &str = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn authenticated(kind: &str) -> String {
    format!("    advert_int 1\n    authentication {{\n        auth_type {kind}\n        auth_pass {PASSWORD}\n    }}")
}

/// The best that a stranger can claim, in version 2.
fn claim(authentication: (u8, [u8; 8])) -> Forged {
    Forged { version: 2, interval: 1, authentication, ..Forged::quick(254) }
}

fn password() -> [u8; 8] {
    PASSWORD.as_bytes().try_into().expect("eight octets")
}

/// Host `a` is Active, and host `b`, the stranger, has sent these: each is refused for this reason, and nothing happens.
fn refused(lines: &str, forged: &[Forged], reason: &str) -> (Scene, Node, Moment) {
    let scene = Scene::new(&["a", "b"]);
    let begin = Moment::now();
    let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 100, lines));
    scene.line("a", begin, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
    let attack = Moment::now();
    for forged in forged {
        send(&scene.hosts[1], STRANGER, *forged);
    }
    scene.line("a", attack, reason);
    // It has looked at the last one of them, too, when it advertises after that.
    scene.advertised("a", Moment::now(), |seen| seen.priority == 100);
    assert_eq!(scene.holders(ADDRESS), ["a"]);
    assert_eq!(scene.count_lines("a", attack, "BACKUP"), 0, "{}", scene.story());
    (scene, node, begin)
}

/// And then he takes the role with this one.
fn taken(scene: &Scene, forged: Forged) {
    let attack = Moment::now();
    send(&scene.hosts[1], STRANGER, forged);
    scene.line("a", attack, "Entering BACKUP STATE");
    // Nobody advertises any more after that: it comes back by itself.
    scene.line("a", attack, "Entering MASTER STATE");
}

#[test]
fn without_authentication_every_neighbour_takes_the_role_and_nobody_from_elsewhere() {
    slow_test(|| {
        let through_a_router = Forged { time_to_live: 254, ..Forged::quick(254) };
        let (scene, _node, _) = refused(QUICK, &[through_a_router], "TTL");
        taken(&scene, Forged::quick(254));
    });
}

#[test]
fn a_password_keeps_out_who_has_not_listened_and_is_read_by_who_has() {
    slow_test(|| {
        let guesses = [claim((0, [0; 8])), claim((1, *b"pA55-w0x"))];
        let (scene, _node, begin) = refused(&authenticated("PASS"), &guesses, "assword");
        // It stands in every advertisement.
        let (.., heard) = scene.advertisements(begin).remove(0);
        let read: [u8; 8] = heard.packet[heard.packet.len() - 8..].try_into().expect("eight octets");
        assert_eq!(read, password());
        taken(&scene, claim((1, read)));
    });
}

#[test]
fn an_authentication_header_does_not_show_its_password_and_is_believed_once() {
    slow_test(|| {
        let guesses = [claim((0, [0; 8])), claim((2, [0; 8])), claim((1, password()))];
        let (scene, _node, begin) = refused(&authenticated("AH"), &guesses, "authentication");
        let heard = scene.advertisements(begin);
        let of_a = |heard: &(Moment, String, _)| heard.1 == "a";
        let heard: Vec<_> = heard.into_iter().filter(of_a).collect();
        for (.., heard) in &heard {
            assert!(!heard.packet.windows(8).any(|octets| octets == password()), "{:?}", heard.packet);
        }
        let (.., first) = heard.into_iter().next().expect("it advertises");

        // A third node stands by, hears the Active once, and then the stranger only, who repeats what he has heard.
        let scene_of_two = Scene::new(&["a", "b", "c"]);
        let begin = Moment::now();
        let lines = authenticated("AH");
        let _a = Node::start(&scene_of_two.hosts[0], tanist(), &configuration("", 150, &lines));
        scene_of_two.only("a", ADDRESS);
        let _c = Node::start(&scene_of_two.hosts[2], tanist(), &configuration("", 100, &lines));
        let standby = scene_of_two.line("c", begin, "Entering BACKUP STATE").at;
        scene_of_two.advertised("a", standby, |_| true);
        let (.., heard) = scene_of_two.advertisements(standby).remove(0);
        assert_eq!(heard.packet.len(), first.packet.len());
        scene_of_two.advertised("a", Moment::now(), |_| true);
        let off = scene_of_two.lab.note("a", "power off");
        scene_of_two.hosts[0].power_off().expect("power off");
        // He does not tire before C has taken over: were he believed, it never would.
        scene_of_two.until("C takes over", || {
            send_packet(&scene_of_two.hosts[1], heard.packet.clone(), heard.destination);
            std::thread::sleep(Duration::from_millis(100));
            scene_of_two.count_lines("c", off, "Entering MASTER STATE") > 0
        });
        assert!(scene_of_two.count_lines("c", off, "processed already") > 0, "{}", scene_of_two.story());
        scene_of_two.only("c", ADDRESS);
    });
}

/// That repeating is of no use either is shown in `signing.rs`, and that no octet can be changed in `engine/tests/hmac.rs`.
#[test]
fn a_seal_keeps_out_who_has_not_the_key() {
    slow_test(|| {
        let lines = format!("{QUICK}\n    auth_hmac {{\n        key 1 {KEY}\n    }}");
        let (scene, _node, begin) =
            refused(&lines, &[Forged::quick(254), Forged::quick(255), Forged::quick(0)], "it is not signed");
        let (.., heard) = scene.advertisements(begin).remove(0);
        assert!(!heard.packet.windows(4).any(|octets| octets == [1, 2, 3, 4]), "the key is not in it");
    });
}

/// A container with a network of its own is a host like those above: they are nothing else. One in the network of a host, as
/// docker makes it with `--network host`, may send what it likes from there, and changes nothing of the host's.
#[test]
fn a_container_in_the_network_of_a_node_forges_and_takes_no_address() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration("", 100, QUICK));
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        let refused = as_a_container(&scene.hosts[0], || -> linux::Result<()> {
            let mut netlink = Netlink::open()?;
            let link = netlink.link_by_name("eth0")?.expect("it has an eth0").index;
            let remove = AddressOperation::Remove { link, address: ADDRESS.into(), prefix: 24, peer: None };
            netlink.apply(&[remove]).into_iter().try_for_each(|result| result.map(drop))?;
            netlink.set_up(link, false)
        });
        let refused = refused.expect_err("it is not its own").to_string();
        assert!(refused.contains("not permitted"), "{refused}");
        assert_eq!(scene.holders(ADDRESS), ["a"]);
        let attack = Moment::now();
        send_as_a_container(&scene.hosts[1], STRANGER, Forged::quick(254));
        scene.line("a", attack, "Entering BACKUP STATE");
    });
}
