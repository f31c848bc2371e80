//! The lab shows what a real keepalived does: the pair that everybody knows, seen with the lab's eyes.

use std::net::Ipv4Addr;
use std::time::Duration;

use tanist_rehearse::lab::{
    Daemon, Host, HostPlan, Lab, Moment, PATIENCE, Probe, Program, Seen, held_by_several, holdings, run_test, skip,
    wait_until,
};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

struct Pair {
    lab: Lab,
    probe: Probe,
    hosts: [Host; 2],
    programs: [Program; 2],
}

fn configuration(priority: u8) -> String {
    format!(
        "global_defs {{
            vrrp_garp_master_delay 1
        }}
        vrrp_instance V {{
            interface eth0
            virtual_router_id 51
            priority {priority}
            advert_int 0.2
            version 3
            virtual_ipaddress {{
                {ADDRESS}/24
            }}
            notify /run/rehearse/notify
        }}\n"
    )
}

fn start(host: &Host, priority: u8) -> Program {
    host.write_recorder("notify").expect("write the recorder");
    host.start_daemon(&Daemon::keepalived(), &configuration(priority)).expect("start keepalived")
}

impl Pair {
    fn start() -> Pair {
        let lab = Lab::new("keepalived").expect("a lab");
        lab.client().add_address("192.0.2.254/24").expect("an address");
        let plan = |name: &str, address: &str| HostPlan::new(name).interface("eth0", &[address]);
        let a = lab.add_host(&plan("a", "192.0.2.1/24")).expect("host a");
        let b = lab.add_host(&plan("b", "192.0.2.2/24")).expect("host b");
        let programs = [start(&a, 150), start(&b, 100)];
        let probe = lab.probe(ADDRESS).expect("a probe");
        let pair = Pair { lab, probe, hosts: [a, b], programs };
        pair.wait_for_answer_by("a", Moment::now());
        pair
    }

    fn wait_for_answer_by(&self, host: &str, since: Moment) {
        let answer = self.probe.wait_for_answer_by(host, since, PATIENCE);
        assert!(answer.is_some(), "{host} does not answer:\n{}", self.journal());
    }

    fn journal(&self) -> String {
        self.lab.journal().all().iter().map(|record| format!("{record}\n")).collect()
    }
}

fn run(test: impl FnOnce(Pair)) {
    run_test(|| {
        if Daemon::keepalived().is_installed() {
            test(Pair::start());
        } else {
            skip("a pair of keepaliveds", &"keepalived is not installed");
        }
    });
}

#[test]
fn power_loss_moves_the_address_and_return_brings_it_back() {
    run(|mut pair| {
        let lost = pair.lab.note("a", "power off");
        pair.hosts[0].power_off().expect("power off");
        pair.wait_for_answer_by("b", lost);
        // RFC 9568 §6.1: three intervals and the skew time are at least 0.6 s; the last advertisement was at most one
        // interval ago.
        let outage = pair.probe.answers().between(lost, Moment::now()).longest_outage();
        assert!(outage > Duration::from_millis(400), "too early: {outage:?}");

        pair.hosts[0].power_on().expect("power on");
        let back = Moment::now();
        pair.programs[0] = start(&pair.hosts[0], 150);
        pair.wait_for_answer_by("a", back);
        let records = pair.lab.journal().since(lost);
        let resigned = |what: &Seen| matches!(what, Seen::Advertisement(advertisement) if advertisement.priority == 0);
        assert!(!records.iter().any(|record| resigned(&record.what)), "nobody had the time to resign");
        for host in ["b", "a"] {
            let told = pair.lab.journal().wait_for(lost, PATIENCE, |record| {
                matches!(&record.what, Seen::ScriptRun { arguments, .. } if arguments[2] == "MASTER")
                    && &*record.host == host
            });
            assert!(told.is_some(), "{host} told no script:\n{}", pair.journal());
        }
    });
}

#[test]
fn an_orderly_stop_is_told_by_priority_0() {
    run(|pair| {
        let stopped = pair.lab.note("a", "stop");
        pair.programs[0].signal(linux::signals::Signal::TERMINATE).expect("stop");
        pair.wait_for_answer_by("b", stopped);
        let resignation = pair.lab.journal().wait_for(stopped, PATIENCE, |record| {
            matches!(&record.what, Seen::Advertisement(advertisement) if advertisement.priority == 0)
                && &*record.host == "a"
        });
        assert!(resignation.is_some(), "{}", pair.journal());
        assert!(pair.programs[0].wait(PATIENCE), "it does not end");
        assert!(!pair.hosts[0].has_address(ADDRESS.into()));
    });
}

#[test]
fn a_killed_daemon_leaves_its_address_behind() {
    run(|pair| {
        let killed = pair.lab.note("a", "kill -9");
        pair.programs[0].kill_all().expect("kill");
        pair.wait_for_answer_by("b", killed);
        assert!(pair.hosts[0].has_address(ADDRESS.into()) && pair.hosts[1].has_address(ADDRESS.into()));
        // The watch of the kernel may be slower than the client.
        let overlap = || {
            let holdings = holdings(&pair.lab.journal().all(), ADDRESS.into());
            held_by_several(&holdings, killed, Moment::now())
        };
        assert!(wait_until(PATIENCE, || overlap() > Duration::ZERO), "{}", pair.journal());
    });
}

#[test]
fn a_cut_makes_two_masters_and_healing_one() {
    run(|pair| {
        let [a, b] = &pair.hosts;
        pair.lab.cut(&[a, b]).expect("cut");
        let both = || a.has_address(ADDRESS.into()) && b.has_address(ADDRESS.into());
        assert!(wait_until(PATIENCE, both), "{}", pair.journal());
        pair.lab.heal().expect("heal");
        assert!(wait_until(PATIENCE, || !b.has_address(ADDRESS.into())), "{}", pair.journal());
        assert!(a.has_address(ADDRESS.into()));
    });
}

#[test]
fn pulled_cables_are_faults() {
    run(|pair| {
        let pulled = pair.lab.note("a", "cable pulled");
        pair.hosts[0].set_cable("eth0", false).expect("pull");
        pair.wait_for_answer_by("b", pulled);
        let gone = |record: &tanist_rehearse::lab::Record| {
            matches!(record.what, Seen::AddressRemoved { address, .. } if address == ADDRESS) && &*record.host == "a"
        };
        assert!(pair.lab.journal().wait_for(pulled, PATIENCE, gone).is_some(), "{}", pair.journal());
        let back = Moment::now();
        pair.hosts[0].set_cable("eth0", true).expect("put back");
        pair.wait_for_answer_by("a", back);
    });
}
