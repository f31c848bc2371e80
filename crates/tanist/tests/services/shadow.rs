//! A small service without a manager of its own, and a shadow node: one file for both nodes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use api::{ProtectionState, Status};
use linux::signals::Signal;
use rehearse::lab::{Manner, WebProbe};

use crate::support::story::{example, put, run, settle, start_tanist};
use crate::support::{Host, HostPlan, Moment, Node, PATIENCE, Scene, in_host, slow_test_with_users, word};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 56, 128);
const OWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 56, 101), Ipv4Addr::new(192, 168, 56, 102)];

/// The example's file but for the little server, which is a collector with a port.
fn configuration() -> String {
    let text = example("service/shadow/tanist.conf");
    let quicker = text.replace("/usr/bin/python3 -m http.server 8000 --directory /srv/www", "/run/rehearse/collector");
    assert_ne!(text, quicker);
    quicker
}

fn scene() -> Scene {
    let mut scene = Scene::empty();
    scene.lab.client().add_address("192.168.56.254/24").expect("the client's address");
    for (name, own) in ["edge-a", "edge-b"].into_iter().zip(OWN) {
        let host = scene.add(&HostPlan::new(name).interface("enp0s8", &[&format!("{own}/24")]));
        settle(&host);
        let program = [word(&in_host("tanist")).to_owned(), "rehearse".to_owned()];
        host.write_collector(&program, &Manner { port: Some(8000), ..Manner::default() }).expect("a collector");
        run(&host, "mkdir /etc/tanist");
        put(&host, "/etc/tanist/pair.key", &("5a".repeat(32) + "\n"), false);
        run(&host, "chmod 600 /etc/tanist/pair.key");
    }
    scene
}

fn start(host: &Host) -> Node {
    start_tanist(host, &configuration())
}

fn status(host: &Host) -> Option<Status> {
    let output = host.output(&[word(&in_host("tanist")), "status", "--json"]).expect("run ourselves");
    output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("a status"))
}

/// The one that has the address and the service.
fn active(scene: &Scene) -> usize {
    let mut found = None;
    scene.until("one is active and the other one could take over", || {
        found = scene.hosts.iter().position(|host| scene.holders(VIP) == [host.name()]);
        found.is_some_and(|active| {
            scene
                .hosts
                .iter()
                .all(|host| status(host).is_some_and(|status| status.protection.state == ProtectionState::Protected))
                && scene.hosts[1 - active].processes("collector").is_ok_and(|all| all.is_empty())
        })
    });
    found.expect("it was just found")
}

fn answers(scene: &Scene, web: &WebProbe, node: usize) {
    let answer = web.wait_for_answer_by(scene.hosts[node].name(), Moment::now(), PATIENCE);
    assert!(answer.is_some(), "the page is not answered by {}\n{}", scene.hosts[node].name(), scene.story());
}

/// S4-5, S4-7: the little server is killed, and is there again, at the same address.
#[test]
fn a_dead_server_is_there_again() {
    slow_test_with_users(|| {
        let scene = scene();
        let _nodes = [start(&scene.hosts[0]), start(&scene.hosts[1])];
        let active = active(&scene);
        let host = &scene.hosts[active];
        let web = scene.lab.client().probe_web(VIP, 8000).expect("a client");
        answers(&scene, &web, active);
        let begin = Moment::now();
        for _ in 0..2 {
            assert_eq!(host.signal_collectors(Signal::KILL).expect("kill"), 1);
            answers(&scene, &web, active);
        }
        let by: BTreeSet<String> = web.answers().stretches().iter().map(|stretch| stretch.by.to_string()).collect();
        assert_eq!(by, BTreeSet::from([host.name().to_owned()]), "{}", scene.story());
        scene.nobody_resigned(begin);
    });
}

/// S4-8: the daemon ends, in order or not, and the page is answered by the other node.
#[test]
fn a_dead_daemon_is_replaced_by_its_shadow() {
    slow_test_with_users(|| {
        let scene = scene();
        let mut nodes = [start(&scene.hosts[0]), start(&scene.hosts[1])];
        let web = scene.lab.client().probe_web(VIP, 8000).expect("a client");
        let first = active(&scene);
        answers(&scene, &web, first);
        nodes[first].stop();
        answers(&scene, &web, 1 - first);
        scene.only(scene.hosts[1 - first].name(), VIP);

        nodes[first] = start(&scene.hosts[first]);
        assert_eq!(active(&scene), 1 - first, "nobody takes over from a node that works");
        nodes[1 - first].kill();
        answers(&scene, &web, first);
        // Nobody is left there to take the address away: it goes by itself.
        scene.only(scene.hosts[first].name(), VIP);
        assert!(scene.hosts[1 - first].processes("collector").expect("look").is_empty(), "{}", scene.story());
    });
}
