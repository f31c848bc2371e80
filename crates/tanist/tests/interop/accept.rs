//! Addresses to which no packets are accepted: what keepalived does with its rules ours do, whatever words about iptables
//! stand there.

use std::time::Duration;

use crate::support::{ADDRESS, Daemon, Moment, Node, QUICK, Scene, configuration, slow_test_with_keepalived, tanist};

/// It holds the address, and the client gets no answer from it, unless `accept` is said.
fn keeps_clients_out(daemon: &Daemon, global: &str) {
    let before = format!("global_defs {{\n{global}}}\n");
    for (word, is_open) in [("no_accept", false), ("accept", true)] {
        let scene = Scene::new(&["a"]);
        let node =
            Node::start(&scene.hosts[0], daemon.clone(), &configuration(&before, 150, &format!("{QUICK}\n    {word}")));
        scene.only("a", ADDRESS);
        scene.advertised("a", Moment::now(), |_| true);
        let probe = scene.probe(ADDRESS);
        let asked = Moment::now();
        if is_open {
            scene.answered_by(&probe, "a", asked);
        } else {
            let answer = probe.wait_for_answer(asked, Duration::from_millis(700));
            assert!(answer.is_none(), "{} with {global:?}\n{}", daemon.name, scene.story());
        }
        node.stop();
    }
}

#[test]
fn the_words_about_the_packet_filter_lead_to_the_same() {
    slow_test_with_keepalived(|| {
        // 2.2.7 is built without iptables here, and says that it takes nftables instead; it does not know their sets then.
        for global in
            ["", "    vrrp_iptables\n    vrrp_ipsets one two three\n", "    nftables\n    nftables_counters\n"]
        {
            for daemon in [Daemon::keepalived(), tanist()] {
                keeps_clients_out(&daemon, global);
            }
        }
    });
}
