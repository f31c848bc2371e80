//! A service that runs on one of two gateways: unicast, a check, scripts that start and stop the service.

use std::net::Ipv4Addr;
use std::time::Duration;

use rehearse::lab::Manner;
use rehearse::trials::{Played, Recipe, SCENARIOS, Service, play};

use crate::support::story::{example, put_scripts, settle, start, start_tanist};
use crate::support::{
    Advertisement, Daemon, Host, HostPlan, Moment, Node, Scene, binary, is_address_change, is_announcement, pcap,
    slow_test, slow_test_with_scripts_of_keepalived, tanist, word,
};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 160, 127, 254);
const START: &[&str] = &["systemctl", "start", "neuronex"];
const STOP: &[&str] = &["systemctl", "stop", "neuronex"];

fn scene() -> Scene {
    let mut scene = Scene::empty();
    scene.lab.client().add_address("192.160.0.1/17").expect("the client's address");
    for (name, address) in [("a", "10.0.0.127/24"), ("b", "10.0.0.223/24")] {
        let host = scene.add(&HostPlan::new(name).interface("eth0", &[address]));
        furnish(&host);
    }
    scene
}

/// Scripts as they are; the programs that they call are stand-ins.
fn furnish(host: &Host) {
    settle(host);
    put_scripts(host, "edge-gateway", "/etc/keepalived");
    host.write_recorder("systemctl").expect("a recorder");
    host.write_check("curl").expect("a check");
}

fn start_on(host: &Host) -> Node {
    start_tanist(host, &example(&format!("edge-gateway/{}.conf", host.name())))
}

#[test]
fn the_files_are_read_as_they_are() {
    let files =
        ["a", "b"].map(|name| format!("{}/../../examples/edge-gateway/{name}.conf", env!("CARGO_MANIFEST_DIR")));
    let output = std::process::Command::new(binary()).arg("check").args(&files).output().expect("run ourselves");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("`vrrp_garp_interval 0` means no pacing"), "{text}");
    assert!(!text.contains("error"), "{text}");
}

#[test]
fn a_service_that_does_not_answer_moves_after_three_checks_and_comes_back() {
    slow_test(|| {
        let scene = scene();
        let begin = Moment::now();
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        // A first: until its check has run once it does not count, and B would not wait for that.
        let _active = start_on(a);
        scene.ran("a", begin, START);
        scene.only("a", VIP);
        let _standby = start_on(b);
        scene.ran("b", begin, STOP);
        scene.wait(begin, "the address is told to the neighbours", |record| is_announcement(record, "a", VIP));
        advertisements_are_as_configured(&scene, begin);

        // Three failures in a row, five seconds apart: the first one may have been under way already.
        let failed = Moment::now();
        a.set_check("curl", false).expect("let the service hang");
        let resigned = scene.resigned("a", failed);
        let after = resigned.at.since(failed);
        assert!(after > Duration::from_millis(9_900) && after < Duration::from_secs(30), "{after:?}");
        scene.line("a", failed, "(VI_1) Entering FAULT STATE");
        let stopped = scene.ran("a", failed, STOP);
        let started = scene.ran("b", failed, START);
        assert!(stopped.at < started.at, "the old service is told to stop before the new one is told to start");
        scene.only("b", VIP);
        // The lower priority is what decides when B wakes up: (256 − 90)/256 s after the goodbye.
        let woken = scene.advertised("b", failed, |_| true);
        assert!(woken.at.since(resigned.at) > Duration::from_millis(648), "{:?}", woken.at.since(resigned.at));

        let repaired = Moment::now();
        a.set_check("curl", true).expect("repair the service");
        scene.ran("a", repaired, START);
        scene.ran("b", repaired, STOP);
        scene.only("a", VIP);
        let services: Vec<_> = scene.runs("a", begin).into_iter().map(|words| words[1].clone()).collect();
        assert_eq!(services, ["start", "stop", "start"], "on A, whose file has no notify_backup");
        let services: Vec<_> = scene.runs("b", begin).into_iter().map(|words| words[1].clone()).collect();
        assert_eq!(services, ["stop", "start", "stop"], "on B");
        decoded_by_another(&scene, begin);
    });
}

fn advertisements_are_as_configured(scene: &Scene, since: Moment) {
    let record = scene.advertised("a", since, |_| true);
    let seen = scene.advertisements(since);
    let (_, _, advertisement) = seen.iter().find(|(at, _, _)| *at == record.at).expect("it was just found");
    let Advertisement { source, destination, version, vrid, priority, interval, addresses, packet } = advertisement;
    assert_eq!((source.to_string(), destination.to_string()), ("10.0.0.127".into(), "10.0.0.223".into()));
    assert_eq!((*version, *vrid, *priority, *interval), (2, 51, 100, Duration::from_secs(1)));
    assert_eq!(addresses, &[VIP]);
    assert_eq!(packet[8], 255, "time to live");
    assert_eq!(packet[20 + 4], 1, "simple password");
    assert!(packet.ends_with(b"abcdefgh"));
    let net = scene.wait(since, "the kernel has the address", |record| is_address_change(record, VIP));
    assert!(net.to_string().ends_with("192.160.127.254/17"), "{net}");
}

fn decoded_by_another(scene: &Scene, since: Moment) {
    let seen = scene.advertisements(since);
    if let Some((complaints, known)) = pcap::opinion_of_tshark(&seen) {
        assert_eq!(complaints, "");
        assert_eq!(known, seen.len());
    }
}

/// Power fails on A, and comes back.
fn power_fails_and_returns(daemons: [fn() -> Daemon; 2]) {
    let scene = scene();
    let begin = Moment::now();
    let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
    let _standby = start(b, daemons[1](), &example("edge-gateway/b.conf"));
    let _active = start(a, daemons[0](), &example("edge-gateway/a.conf"));
    scene.ran("a", begin, START);
    scene.only("a", VIP);

    let off = scene.lab.note("a", "power off");
    a.power_off().expect("power off");
    scene.ran("b", off, START);
    scene.only("b", VIP);
    let last = scene.advertisements(begin).into_iter().rfind(|(_, host, _)| host == "a").expect("A was active").0;
    let first = scene.advertised("b", off, |_| true).at;
    // 3 × 1 s + (256 − 90)/256 s of silence.
    assert!(first.since(last) > Duration::from_millis(3_648), "{:?}", first.since(last));

    let on = scene.lab.note("a", "power on");
    a.power_on().expect("power on");
    furnish(a);
    let _back = start(a, daemons[0](), &example("edge-gateway/a.conf"));
    scene.ran("b", on, STOP);
    scene.ran("a", on, START);
    scene.only("a", VIP);
}

#[test]
fn power_fails_and_returns_with_keepalived_as_standby() {
    slow_test_with_scripts_of_keepalived(|| power_fails_and_returns([tanist, Daemon::keepalived]));
}

#[test]
fn power_fails_and_returns_with_keepalived_as_active() {
    slow_test_with_scripts_of_keepalived(|| power_fails_and_returns([Daemon::keepalived, tanist]));
}

/// Only the service moves: nobody needs an address for that.
#[test]
fn a_pair_without_an_address_fails_over() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let configuration = |priority: u8| {
            format!(
                "vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n priority {priority}\n version 3\n\
                 advert_int 0.2\n notify_master \"/run/rehearse/service start\"\n\
                 notify_backup \"/run/rehearse/service stop\"\n}}\n"
            )
        };
        let begin = Moment::now();
        let _nodes = [(0, 150), (1, 100)].map(|(number, priority): (usize, u8)| {
            scene.hosts[number].write_recorder("service").expect("a recorder");
            Node::start(&scene.hosts[number], tanist(), &configuration(priority))
        });
        scene.ran("a", begin, &["service", "start"]);
        scene.line("a", begin, "has no virtual addresses");
        let off = scene.lab.note("a", "power off");
        scene.hosts[0].power_off().expect("power off");
        scene.ran("b", off, &["service", "start"]);
        let told = scene.advertised("b", off, |_| true);
        assert!(told.to_string().contains("priority 100"), "{told}");
    });
}

/// The recipe of scripts with a service that really runs: the files are keepalived's, the daemon is ours.
fn trial_of_the_recipe(id: &str) -> Played {
    let program = vec![word(binary()).to_owned(), "rehearse".to_owned()];
    let service = Service { program, manner: Manner { start: Duration::from_millis(300), ..Manner::default() } };
    let scenario = SCENARIOS.iter().find(|scenario| scenario.id == id).expect("it is in the table");
    play(scenario, &Recipe::edge_gateway(tanist()), &service, 0).unwrap_or_else(|error| panic!("{id}: {error}"))
}

#[test]
fn the_service_itself_is_at_work_on_the_other_node_after_a_loss_of_power() {
    slow_test(|| {
        let Played { outcome, story, .. } = trial_of_the_recipe("B3");
        assert!(!outcome.gap_goes_on && outcome.overlap.is_zero(), "{outcome:?}\n{story}");
        // (256 − 90)/256 s and 3 × 1 s after its last advertisement, which was up to a second old.
        assert!(outcome.gap > Duration::from_millis(2_600), "{outcome:?}\n{story}");
    });
}

/// Scripts cannot do better: both are at work while the network is parted. That it ends is the daemon's part.
#[test]
fn two_services_of_a_parted_network_become_one_when_it_heals() {
    slow_test(|| {
        let Played { outcome, addresses, story, .. } = trial_of_the_recipe("B8");
        assert!(!outcome.overlap_goes_on && !addresses.two_go_on && !outcome.gap_goes_on, "{outcome:?}\n{story}");
    });
}
