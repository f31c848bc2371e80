//! One file for both nodes, version 3, and nobody takes over from a node that works.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::story::{example, put, run, settle, start_tanist};
use crate::support::{Host, HostPlan, Moment, Node, Scene, is_announcement, pcap, slow_test};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 56, 128);
const OWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 56, 101), Ipv4Addr::new(192, 168, 56, 102)];

fn scene() -> Scene {
    let mut scene = Scene::empty();
    scene.lab.client().add_address("192.168.56.254/24").expect("the client's address");
    for (name, own) in ["a", "b"].into_iter().zip(OWN) {
        let host = scene.add(&HostPlan::new(name).interface("enp0s8", &[&format!("{own}/24")]));
        settle(&host);
        put(&host, "/root/check.sh", &example("shadow-node/check.sh"), true);
        // The little server lives as long as the process that is named in its file.
        let stand_ins = [
            ("ss", "kill -0 $(cat /run/rehearse/server) 2> /dev/null && echo LISTEN"),
            ("python3", "echo $$ > /run/rehearse/server\necho served > /run/rehearse/records\nexec sleep 1000"),
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

        // Dead daemons leave the address behind; the next start takes it away.
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
        scene.line(other, begin, "(VI_1) master is");

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

/// Answers one line to everybody.
fn serve(host: &Host) -> TcpListener {
    let listener = host.run(|| TcpListener::bind("0.0.0.0:8000")).expect("the host is on").expect("a port");
    let (accepting, name) = (listener.try_clone().expect("a second handle"), host.name().to_owned());
    thread::spawn(move || {
        for stream in accepting.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(name.as_bytes()));
        }
    });
    listener
}

#[test]
fn the_service_answers_at_both_addresses_and_is_started_again_by_its_check() {
    slow_test(|| {
        let scene = scene();
        let begin = Moment::now();
        let _nodes = start_both(&scene);
        let active = the_one(&scene);
        let (host, own) = (scene.hosts[active].clone(), OWN[active]);
        let _servers = [serve(&scene.hosts[0]), serve(&scene.hosts[1])];
        for address in [VIP, own] {
            let probe = scene.probe(address);
            scene.answered_by(&probe, host.name(), Moment::now());
            let asked =
                scene.lab.client().run(move || TcpStream::connect((address, 8000)).and_then(std::io::read_to_string));
            assert_eq!(asked.expect("an answer"), host.name(), "{address}");
        }
        assert!(host.has_address(own.into()) && host.has_address(VIP.into()));

        // The check starts the server, which outlives the run that started it.
        scene.ran(host.name(), begin, &["served"]);
        let killed = Moment::now();
        run(&host, "kill $(cat /run/rehearse/server)");
        scene.ran(host.name(), killed, &["served"]);
        assert_eq!(scene.holders(VIP), [host.name()], "nothing moved for that");
    });
}
