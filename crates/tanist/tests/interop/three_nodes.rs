//! Three nodes, of both kinds.

use crate::support::{ADDRESS, Daemon, Moment, Node, QUICK, Scene, configuration, slow_test_with_keepalived, tanist};

#[test]
fn of_three_the_best_that_is_left_is_active() {
    slow_test_with_keepalived(|| {
        let scene = Scene::new(&["a", "b", "c"]);
        let cast = [(tanist(), 150), (Daemon::keepalived(), 120), (tanist(), 90)];
        let start = |number: usize| {
            let (daemon, priority) = &cast[number];
            Node::start(&scene.hosts[number], daemon.clone(), &configuration("", *priority, QUICK))
        };
        let mut nodes: Vec<Node> = (0..3).map(start).collect();
        scene.only("a", ADDRESS);

        let off = scene.lab.note("a", "power off");
        scene.hosts[0].power_off().expect("power off");
        scene.only("b", ADDRESS);
        scene.line("c", off, "(VI_1) master changed from 192.0.2.1 to 192.0.2.2");

        let stopped = scene.lab.note("b", "stop");
        nodes[1].stop();
        scene.only("c", ADDRESS);
        scene.advertised("c", stopped, |seen| seen.priority == 90);

        let back = Moment::now();
        nodes[1].start_again();
        scene.only("b", ADDRESS);
        scene.hosts[0].power_on().expect("power on");
        nodes[0] = start(0);
        scene.only("a", ADDRESS);
        for host in ["b", "c"] {
            scene.line(host, back, "Entering BACKUP STATE");
        }
        assert_eq!(
            scene.advertisements(back).iter().filter(|(_, host, seen)| host == "c" && seen.priority == 0).count(),
            0
        );
    });
}
