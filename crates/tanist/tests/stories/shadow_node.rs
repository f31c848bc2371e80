//! One file for both nodes, version 3, and nobody takes over from a node that works.

use std::net::Ipv4Addr;
use std::time::Duration;

use linux::signals::Signal;
use rehearse::lab::{Manner, WebProbe};

use crate::support::story::{example, put, settle, start_tanist};
use crate::support::{
    Host, HostPlan, Moment, Node, PATIENCE, Scene, in_host, is_announcement, pcap, says, slow_test, word,
};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 56, 128);
const OWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 56, 101), Ipv4Addr::new(192, 168, 56, 102)];

fn scene() -> Scene {
    let mut scene = Scene::empty();
    scene.lab.client().add_address("192.168.56.254/24").expect("the client's address");
    for (name, own) in ["a", "b"].into_iter().zip(OWN) {
        let host = scene.add(&HostPlan::new(name).interface("enp0s8", &[&format!("{own}/24")]));
        settle(&host);
        put(&host, "/root/check.sh", &example("shadow-node/check.sh"), true);
        // The little server is a collector, which answers at its port as long as it lives.
        let program = [word(&in_host("tanist")).to_owned(), "rehearse".to_owned()];
        host.write_collector(&program, &Manner { port: Some(8000), ..Manner::default() }).expect("a collector");
        let stand_ins = [
            ("ss", "/run/rehearse/collector-probe 2> /dev/null && echo LISTEN"),
            ("python3", "echo served > /run/rehearse/records\nexec /run/rehearse/collector"),
        ];
        for (name, line) in stand_ins {
            host.write_program(name, &format!("#!/bin/sh\n{line}\n")).expect("a stand-in");
        }
    }
    scene
}

fn start_both(scene: &Scene) -> [Node; 2] {
    [0, 1].map(|number: usize| start_tanist(&scene.hosts[number], &example("shadow-node/keepalived.conf")))
}

/// The one that holds the address.
fn the_one(scene: &Scene) -> usize {
    scene.until("one of them has the address", || scene.holders(VIP).len() == 1);
    scene.hosts.iter().position(|host| scene.holders(VIP) == [host.name()]).expect("it has it still")
}

#[test]
fn the_greater_address_wins_a_tie_and_a_return_changes_nothing() {
    slow_test(|| {
        let scene = scene();
        scene.lab.cut(&[&scene.hosts[0], &scene.hosts[1]]).expect("cut");
        let mut nodes = start_both(&scene);
        scene.until("each believes to be alone", || scene.holders(VIP) == ["a", "b"]);
        let healed = scene.lab.note("", "heal");
        scene.lab.heal().expect("heal");
        scene.line("a", healed, "with same priority 101 but higher IP address than ours");
        scene.only("b", VIP);

        // Dead daemons leave the address behind for a while; the next start takes it away.
        for round in 0..2 {
            let dies = if round == 0 { "b" } else { "a" };
            let (dead, other) = if dies == "b" { (1, 0) } else { (0, 1) };
            let killed = scene.lab.note(dies, "kill -9");
            nodes[dead].kill();
            scene.line(scene.hosts[other].name(), killed, "Entering MASTER STATE");
            let again = Moment::now();
            nodes[dead] = start_tanist(&scene.hosts[dead], &example("shadow-node/keepalived.conf"));
            scene.only(scene.hosts[other].name(), VIP);
            scene.line(dies, again, "(VI_1) master is");
            assert_eq!(scene.count_lines(dies, again, "Entering MASTER STATE"), 0);
        }

        // Only with both daemons gone is the service gone.
        nodes.iter().for_each(Node::stop);
        scene.until("nobody has it", || scene.holders(VIP).is_empty());
    });
}

#[test]
fn both_boot_at_once_and_one_of_them_is_active() {
    slow_test(|| {
        let scene = scene();
        let begin = Moment::now();
        let _nodes = start_both(&scene);
        let active = the_one(&scene);
        let (active, other) = (scene.hosts[active].name(), scene.hosts[1 - active].name());
        // Both may have begun within the same millisecond.
        let knows = ["(VI_1) master is", "with same priority 101 but higher IP address"];
        scene.wait(begin, "the other one knows who is active", |record| {
            &*record.host == other && knows.iter().any(|words| says(record, words))
        });

        // Once at the change, again five seconds later, and from then on every five seconds.
        let is_announced = |record: &_| is_announcement(record, active, VIP);
        let announced = || -> Vec<Moment> {
            let records = scene.lab.journal().since(begin).into_iter();
            records.filter(|record| is_announced(record)).map(|record| record.at).collect()
        };
        scene.until("it is announced for the third time", || {
            announced().iter().any(|at| at.since(announced()[0]) > Duration::from_secs(8))
        });
        let all = announced();
        let refreshed: Vec<_> = all.iter().filter(|at| at.since(all[0]) > Duration::from_secs(8)).collect();
        assert_eq!(refreshed.len(), 1, "one refresh is one announcement: {all:?}");
        assert!(refreshed[0].since(all[0]) > Duration::from_millis(9_900), "{all:?}");
        for early in all.iter().filter(|at| at.since(all[0]) <= Duration::from_secs(8)) {
            let late = early.since(all[0]);
            assert!(late < Duration::from_secs(2) || late > Duration::from_millis(4_900), "{all:?}");
        }

        let seen = scene.advertisements(begin);
        let (_, _, advertisement) = seen.first().expect("one is active");
        assert_eq!((advertisement.version, advertisement.priority), (3, 101));
        assert_eq!(advertisement.interval, Duration::from_secs(1));
        if let Some((complaints, known)) = pcap::opinion_of_tshark(&seen) {
            assert_eq!(complaints, "");
            assert_eq!(known, seen.len());
        }
    });
}

#[test]
fn the_service_answers_at_both_addresses_and_is_started_again_by_its_check() {
    slow_test(|| {
        let scene = scene();
        let begin = Moment::now();
        let nodes = start_both(&scene);
        let active = the_one(&scene);
        let (host, other) = (scene.hosts[active].clone(), scene.hosts[1 - active].clone());
        // The checks have started it on both nodes.
        for host in &scene.hosts {
            scene.ran(host.name(), begin, &["served"]);
        }
        let answered = |probe: &WebProbe, host: &Host, since: Moment| {
            let answer = probe.wait_for_answer_by(host.name(), since, PATIENCE);
            assert!(answer.is_some(), "the server of {} does not answer\n{}", host.name(), scene.story());
        };
        let client = scene.lab.client();
        let probe = client.probe_web(VIP, 8000).expect("a client");
        answered(&probe, &host, begin);
        answered(&client.probe_web(OWN[active], 8000).expect("a client"), &host, begin);
        assert!(host.has_address(OWN[active].into()) && host.has_address(VIP.into()));

        // The next check starts it again, and it outlives the run that started it.
        let killed = scene.lab.note(host.name(), "kill the server");
        assert_eq!(host.signal_collectors(Signal::KILL).expect("kill the server"), 1);
        scene.ran(host.name(), killed, &["served"]);
        answered(&probe, &host, Moment::now());
        assert_eq!(scene.holders(VIP), [host.name()], "nothing moved for that");

        // The daemon goes: whoever asks at the virtual address is answered by the other node.
        let stopped = scene.lab.note(host.name(), "stop the daemon");
        nodes[active].stop();
        scene.only(other.name(), VIP);
        answered(&probe, &other, stopped);
        assert_eq!(host.processes("collector").expect("look").len(), 1, "the server itself was left alone");
    });
}
