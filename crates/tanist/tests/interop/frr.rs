//! A pair of ours and FRR's vrrpd, which is written from the RFCs and not from keepalived.

use std::path::Path;

use crate::support::{
    ADDRESS, Host, Moment, Node, Program, QUICK, Scene, configuration, slow_test_with_users, tanist, test_name,
};

const DIRECTORY: &str = "/usr/lib/frr";

fn with_frr(test: impl FnOnce(&Scene)) {
    slow_test_with_users(|| {
        if Path::new(DIRECTORY).join("vrrpd").exists() {
            test(&Scene::new(&["a", "b"]));
        } else {
            rehearse::lab::skip(&test_name(), &"FRR's vrrpd is not installed");
        }
    });
}

/// FRR wants the interface with the virtual MAC and the address to be there, and users of its own, whom a user namespace
/// doesn't have.
fn start_frr(host: &Host, priority: u8) -> Program {
    let script = format!(
        "set -e
        mkdir -p /run/frr
        cp /etc/group /run/frr/group
        sed -i '/^frrvty:/d' /run/frr/group
        echo 'frrvty:x:998:root' >> /run/frr/group
        mount --bind /run/frr/group /etc/group
        ip link add vrrp4-51 link eth0 type macvlan mode bridge
        ip link set vrrp4-51 address 00:00:5e:00:01:33
        ip address add {ADDRESS}/24 dev vrrp4-51
        ip link set vrrp4-51 up
        cat > /run/frr/vrrpd.conf <<END
interface eth0
 vrrp 51 version 3
 vrrp 51 priority {priority}
 vrrp 51 advertisement-interval 200
 vrrp 51 ip {ADDRESS}
END
        {DIRECTORY}/zebra -d -f /dev/null -i /run/frr/zebra.pid -z /run/frr/zserv.api --vty_socket /run/frr -u root \
         -g root
        exec {DIRECTORY}/vrrpd -f /run/frr/vrrpd.conf -i /run/frr/vrrpd.pid -z /run/frr/zserv.api --vty_socket /run/frr \
         -u root -g root --log stdout"
    );
    host.start("frr", &["sh", "-c", &script]).expect("start FRR")
}

#[test]
fn ours_fails_over_to_frr_and_back() {
    with_frr(|scene| {
        let [a, b] = &scene.hosts[..] else { panic!("two hosts") };
        let begin = Moment::now();
        let text = configuration("", 150, QUICK);
        let _ours = Node::start(a, tanist(), &text);
        scene.line("a", begin, "Entering MASTER STATE");
        let _theirs = start_frr(b, 100);
        scene.line("b", begin, "Initialize -> Backup");
        // Long enough for it to take over if it did not understand ours.
        for _ in 0..10 {
            scene.advertised("a", Moment::now(), |_| true);
        }
        assert_eq!(scene.count_lines("b", begin, "Backup -> Master"), 0, "{}", scene.story());
        let off = scene.lab.note("a", "power off");
        a.power_off().expect("power off");
        scene.line("b", off, "Backup -> Master");
        scene.advertised("b", off, |seen| seen.priority == 100);
        let on = scene.lab.note("a", "power on");
        a.power_on().expect("power on");
        let ours = Node::start(a, tanist(), &text);
        scene.line("a", on, "received lower priority (100) advert from 192.0.2.2");
        scene.line("a", on, "Entering MASTER STATE");
        let yields = scene.line("b", on, "Master -> Backup").at;
        // An orderly stop is understood, too: it takes over at once.
        scene.advertised("a", yields, |_| true);
        let stop = scene.lab.note("a", "stop");
        ours.stop();
        scene.line("b", stop, "Backup -> Master");
    });
}

#[test]
fn frr_fails_over_to_ours_and_back() {
    with_frr(|scene| {
        let [a, b] = &scene.hosts[..] else { panic!("two hosts") };
        let begin = Moment::now();
        let _theirs = start_frr(b, 150);
        scene.line("b", begin, "Backup -> Master");
        let started = Moment::now();
        let _ours = Node::start(a, tanist(), &configuration("", 100, QUICK));
        let standby = scene.line("a", started, "Entering BACKUP STATE").at;
        for _ in 0..10 {
            scene.advertised("b", Moment::now(), |_| true);
        }
        assert_eq!(scene.count_lines("a", standby, "Entering MASTER STATE"), 0, "{}", scene.story());
        let off = scene.lab.note("b", "power off");
        b.power_off().expect("power off");
        scene.line("a", off, "Entering MASTER STATE");
        let on = scene.lab.note("b", "power on");
        b.power_on().expect("power on");
        let _theirs = start_frr(b, 150);
        scene.line("b", on, "Backup -> Master");
        scene.line("a", on, "Entering BACKUP STATE");
    });
}
