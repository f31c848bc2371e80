//! A pair of ours and FRR's vrrpd, which is written from the RFCs and not from keepalived.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::support::{
    ADDRESS, Host, HostPlan, Moment, Node, Program, QUICK, Scene, configuration, slow_test_with_users, tanist,
    test_name,
};

const DIRECTORY: &str = "/usr/lib/frr";

/// The virtual addresses over IPv6: FRR wants the one of the link first.
pub(crate) const ON_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x100);
pub(crate) const GLOBAL: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);

/// Which addresses a virtual router has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Ipv4,
    Ipv6,
}

impl Over {
    /// Ours.
    fn configuration(self, priority: u8) -> String {
        let text = configuration("", priority, QUICK);
        match self {
            Self::Ipv4 => text,
            Self::Ipv6 => text.replace(&format!("{ADDRESS}/24"), &format!("{ON_LINK}/64\n        {GLOBAL}/64")),
        }
    }

    fn scene(self) -> Scene {
        if self == Self::Ipv4 {
            return Scene::new(&["a", "b"]);
        }
        let mut scene = Scene::empty();
        for (name, number) in [("a", 1), ("b", 2)] {
            let (four, six) = (format!("192.0.2.{number}/24"), format!("2001:db8::{number}/64"));
            scene.add(&HostPlan::new(name).interface("eth0", &[&four, &six]));
        }
        scene
    }
}

/// Whether FRR's vrrpd is there.
pub(crate) fn is_installed() -> bool {
    Path::new(DIRECTORY).join("vrrpd").exists()
}

fn with_frr(over: Over, test: impl FnOnce(&Scene)) {
    slow_test_with_users(|| {
        if is_installed() {
            test(&over.scene());
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
    pub(crate) over: Over,
    /// Over IPv4; those of IPv6 are always the same.
    pub(crate) address: Ipv4Addr,
}

impl Router {
    fn with_priority(over: Over, priority: u8) -> Self {
        Self { vrid: 51, version: 3, priority, interval: 20, preempts: true, over, address: ADDRESS }
    }

    /// The interface with the virtual MAC address; it works where the router is active.
    pub(crate) fn interface(&self) -> String {
        match self.over {
            Over::Ipv4 => format!("vrrp4-{}", self.vrid),
            Over::Ipv6 => format!("vrrp6-{}", self.vrid),
        }
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
        let (mac, addresses, lines) = match self.over {
            Over::Ipv4 => {
                let mac = format!("00:00:5e:00:01:{vrid:02x}");
                (mac, format!("ip address add {address}/24 dev {link}"), format!(" vrrp {vrid} ip {address}"))
            }
            Over::Ipv6 => {
                let addresses = format!(
                    "ip link set {link} addrgenmode random
                ip address add {ON_LINK}/64 dev {link} nodad
                ip address add {GLOBAL}/64 dev {link} nodad"
                );
                let lines = format!(" vrrp {vrid} ipv6 {ON_LINK}\n vrrp {vrid} ipv6 {GLOBAL}");
                (format!("00:00:5e:00:02:{vrid:02x}"), addresses, lines)
            }
        };
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
                ip link set {link} address {mac}
                {addresses}
                ip link set {link} up
                ip link set {link} protodown on
            fi
            cat > /run/frr/vrrpd.conf <<END
interface eth0
 vrrp {vrid} version {version}
 vrrp {vrid} priority {priority}
 vrrp {vrid} advertisement-interval {milliseconds}
 {preempt}vrrp {vrid} preempt
{lines}
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

fn start_frr(host: &Host, over: Over, priority: u8) -> Program {
    Router::with_priority(over, priority).start(host)
}

fn from_ours_to_frr_and_back(over: Over) {
    with_frr(over, |scene| {
        let [a, b] = &scene.hosts[..] else { panic!("two hosts") };
        let begin = Moment::now();
        let text = over.configuration(150);
        let _ours = Node::start(a, tanist(), &text);
        scene.line("a", begin, "Entering MASTER STATE");
        let _theirs = start_frr(b, over, 100);
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
        scene.line("a", on, "received lower priority (100) advert from ");
        scene.line("a", on, "Entering MASTER STATE");
        let yields = scene.line("b", on, "Master -> Backup").at;
        // An orderly stop is understood, too: it takes over at once.
        scene.advertised("a", yields, |_| true);
        let stop = scene.lab.note("a", "stop");
        ours.stop();
        scene.line("b", stop, "Backup -> Master");
        let all = scene.advertisements(begin);
        assert!(all.iter().all(|(.., seen)| seen.source.is_ipv6() == (over == Over::Ipv6)), "{}", scene.story());
    });
}

fn from_frr_to_ours_and_back(over: Over) {
    with_frr(over, |scene| {
        let [a, b] = &scene.hosts[..] else { panic!("two hosts") };
        let begin = Moment::now();
        let _theirs = start_frr(b, over, 150);
        scene.line("b", begin, "Backup -> Master");
        let started = Moment::now();
        let _ours = Node::start(a, tanist(), &over.configuration(100));
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
        let _theirs = start_frr(b, over, 150);
        scene.line("b", on, "Backup -> Master");
        scene.line("a", on, "Entering BACKUP STATE");
    });
}

#[test]
fn ours_fails_over_to_frr_and_back() {
    from_ours_to_frr_and_back(Over::Ipv4);
}

#[test]
fn ours_fails_over_to_frr_and_back_over_ipv6() {
    from_ours_to_frr_and_back(Over::Ipv6);
}

#[test]
fn frr_fails_over_to_ours_and_back() {
    from_frr_to_ours_and_back(Over::Ipv4);
}

#[test]
fn frr_fails_over_to_ours_and_back_over_ipv6() {
    from_frr_to_ours_and_back(Over::Ipv6);
}
