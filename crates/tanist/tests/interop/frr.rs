//! A pair of ours and FRR's vrrpd, which is written from the RFCs and not from keepalived.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::support::{
    ADDRESS, Host, Moment, Node, Program, QUICK, Scene, configuration, slow_test_with_users, tanist, test_name,
};

const DIRECTORY: &str = "/usr/lib/frr";

/// Whether FRR's vrrpd is there.
pub(crate) fn is_installed() -> bool {
    Path::new(DIRECTORY).join("vrrpd").exists()
}

fn with_frr(test: impl FnOnce(&Scene)) {
    slow_test_with_users(|| {
        if is_installed() {
            test(&Scene::new(&["a", "b"]));
        } else {
            rehearse::lab::skip(&test_name(), &"FRR's vrrpd is not installed");
        }
    });
}

/// A virtual router of FRR on eth0.
#[derive(Clone, Copy)]
pub(crate) struct Router {
    pub(crate) vrid: u8,
    pub(crate) version: u8,
    pub(crate) priority: u8,
    /// In centiseconds.
    pub(crate) interval: u16,
    pub(crate) preempts: bool,
    pub(crate) address: Ipv4Addr,
}

impl Router {
    fn with_priority(priority: u8) -> Self {
        Self { vrid: 51, version: 3, priority, interval: 20, preempts: true, address: ADDRESS }
    }

    /// The interface with the virtual MAC address; it works where the router is active.
    pub(crate) fn interface(&self) -> String {
        format!("vrrp4-{}", self.vrid)
    }

    /// FRR wants the interface with the virtual MAC and the address to be there, and users of its own, whom a user
    /// namespace doesn't have. The interface is off from the beginning: zebra's order to switch it off may come late on a
    /// busy machine, behind the one to switch it on, and vrrpd is silent from then on. What is there from a daemon before
    /// is left as it is.
    pub(crate) fn start(&self, host: &Host) -> Program {
        let Self { vrid, version, priority, interval, address, .. } = self;
        let link = self.interface();
        let preempt = if self.preempts { "" } else { "no " };
        let milliseconds = u32::from(*interval) * 10;
        let script = format!(
            "set -e
            mkdir -p /run/frr
            if ! [ -e /run/frr/group ]; then
                cp /etc/group /run/frr/group
                sed -i '/^frrvty:/d' /run/frr/group
                echo 'frrvty:x:998:root' >> /run/frr/group
                mount --bind /run/frr/group /etc/group
            fi
            if ! ip link show {link} > /dev/null 2>&1; then
                ip link add {link} link eth0 type macvlan mode bridge
                ip link set {link} address 00:00:5e:00:01:{vrid:02x}
                ip address add {address}/24 dev {link}
                ip link set {link} up
                ip link set {link} protodown on
            fi
            cat > /run/frr/vrrpd.conf <<END
interface eth0
 vrrp {vrid} version {version}
 vrrp {vrid} priority {priority}
 vrrp {vrid} advertisement-interval {milliseconds}
 {preempt}vrrp {vrid} preempt
 vrrp {vrid} ip {address}
END
            [ -e /run/frr/zebra.pid ] || {DIRECTORY}/zebra -d -f /dev/null -i /run/frr/zebra.pid -z /run/frr/zserv.api \
             --vty_socket /run/frr -u root -g root
            exec {DIRECTORY}/vrrpd -f /run/frr/vrrpd.conf -i /run/frr/vrrpd.pid -z /run/frr/zserv.api --vty_socket \
             /run/frr -u root -g root --log stdout"
        );
        host.start("frr", &["sh", "-c", &script]).expect("start FRR")
    }

    /// Tells the daemon that runs another priority.
    pub(crate) fn set_priority(&self, host: &Host, priority: u8) {
        let words = format!("vrrp {} priority {priority}", self.vrid);
        let command = ["vtysh", "--vty_socket", "/run/frr", "-c", "configure", "-c", "interface eth0", "-c", &words];
        let output = host.output(&command).expect("run vtysh");
        assert!(output.status.success(), "{output:?}");
    }
}

fn start_frr(host: &Host, priority: u8) -> Program {
    Router::with_priority(priority).start(host)
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
