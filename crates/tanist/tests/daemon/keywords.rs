//! Keywords whose effect no other test meets: what the daemon does to the machine and to the wire because of them.

use std::path::Path;

use linux::signals::Signal;

use crate::support::packet_peer::{Forged, send};
use crate::support::story::run;
use crate::support::{
    ADDRESS, Advertisement, HostPlan, Moment, Node, QUICK, Scene, configuration, dumping_to, is_announcement, let_pass,
    slow_test, slow_test_with_users, tanist,
};

// Shows: vrrp_instance.virtual_ipaddress, vrrp_instance.virtual_ipaddress_excluded
// Shows: address.brd, address.dev, address.scope, address.label
#[test]
fn addresses_are_set_with_their_options() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let host =
            scene.add(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]).interface("eth1", &["10.0.0.1/24"]));
        let excluded = "    virtual_ipaddress_excluded {\n        192.0.2.102/24 brd 192.0.2.200\n    }";
        let text = configuration("", 150, &format!("{QUICK}\n{excluded}"));
        let text = text.replace(
            &format!("{ADDRESS}/24"),
            &format!("{ADDRESS}/24 brd + label eth0:vip\n        198.51.100.7/26 dev eth1 scope link"),
        );
        let begin = Moment::now();
        let _node = Node::start(&host, tanist(), &text);
        let held = || run(&host, "ip -o -4 address show");
        scene.until("all three are there", || ["192.0.2.102", "198.51.100.7"].iter().all(|one| held().contains(one)));
        // Their lifetime makes them dynamic, which has tests of its own.
        let held = held().replace(" dynamic", "");
        let has = |words: &str| {
            held.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").contains(words))
        };
        assert!(has("eth0 inet 192.0.2.100/24 brd 192.0.2.255 scope global secondary eth0:vip"), "{held}");
        assert!(has("eth0 inet 192.0.2.102/24 brd 192.0.2.200 scope global secondary eth0"), "{held}");
        assert!(has("eth1 inet 198.51.100.7/26 scope link eth1"), "{held}");
        // Those that are excluded move, but nobody is told.
        scene.advertised("a", begin, |seen| seen.addresses == [ADDRESS, [198, 51, 100, 7].into()]);
    });
}

// Shows: global_defs.vrrp_version, global_defs.vrrp_mcast_group4, vrrp_instance.mcast_src_ip
// Shows: vrrp_instance.interface, vrrp_instance.virtual_router_id, vrrp_instance.priority
#[test]
fn advertisements_say_what_is_configured_and_go_where_they_are_sent() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let two = ["192.0.2.1/24", "192.0.2.61/24"];
        let host = scene.add(&HostPlan::new("a").interface("eth0", &["10.0.0.1/24"]).interface("eth1", &two));
        let global = "global_defs {\n    vrrp_version 3\n    vrrp_mcast_group4 224.0.0.99\n}";
        let text = configuration(global, 143, "    mcast_src_ip 192.0.2.61").replace("eth0", "eth1");
        let begin = Moment::now();
        let _node = Node::start(&host, tanist(), &text.replace("virtual_router_id 51", "virtual_router_id 77"));
        let seen = scene.advertised("a", begin, |seen| seen.vrid == 77);
        assert!(seen.to_string().contains("vrid 77 priority 143 (v3, 192.0.2.61 > 224.0.0.99)"), "{seen}");
    });
}

// Shows: vrrp_instance.unicast_src_ip, vrrp_instance.unicast_peer, vrrp_instance.unicast_ttl
#[test]
fn peers_are_told_one_by_one_from_the_address_that_is_named() {
    slow_test(|| {
        let mut scene = Scene::empty();
        let host = scene.add(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24", "192.0.2.61/24"]));
        let _b = scene.add(&HostPlan::new("b").interface("eth0", &["192.0.2.2/24"]));
        let _c = scene.add(&HostPlan::new("c").interface("eth0", &["192.0.2.3/24"]));
        let lines = "    unicast_src_ip 192.0.2.61\n    unicast_ttl 64\n    unicast_peer {\n        192.0.2.2\n        192.0.2.3\n    }";
        let begin = Moment::now();
        let _node = Node::start(&host, tanist(), &configuration("", 150, &format!("{QUICK}\n{lines}")));
        for peer in [[192, 0, 2, 2], [192, 0, 2, 3]] {
            let to_peer = |seen: &Advertisement| seen.destination == std::net::IpAddr::from(peer);
            scene.advertised("a", begin, |seen| to_peer(seen) && seen.packet[8] == 64);
        }
        let from = |seen: &Advertisement| seen.source == std::net::IpAddr::from([192, 0, 2, 61]);
        assert!(scene.advertisements(begin).iter().all(|(.., seen)| from(seen)), "{}", scene.story());
    });
}

// Shows: vrrp_instance.strict_mode, vrrp_instance.accept
#[test]
fn one_strict_instance_is_closed_unless_it_accepts() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let accepting = configuration("", 150, &format!("{QUICK}\n    strict_mode\n    accept"));
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &accepting);
        scene.only("a", ADDRESS);
        let probe = scene.probe(ADDRESS);
        scene.answered_by(&probe, "a", begin);

        let reloaded = Moment::now();
        node.reload(&configuration("", 150, &format!("{QUICK}\n    strict_mode")));
        scene.line("a", reloaded, "Reloaded");
        let closed = Moment::now();
        assert!(probe.wait_for_answer(closed, std::time::Duration::from_millis(500)).is_none(), "{}", scene.story());
        scene.advertised("a", closed, |_| true);
        scene.nobody_resigned(begin);
    });
}

// Shows: vrrp_instance.notify_backup, vrrp_instance.notify_master_rx_lower_pri, vrrp_instance.notify_deleted
#[test]
fn scripts_run_at_a_lower_priority_and_when_the_instance_goes() {
    slow_test(|| {
        let scene = Scene::new(&["a", "peer"]);
        let host = &scene.hosts[0];
        for name in ["backup", "lower", "deleted", "fault"] {
            host.write_recorder(name).expect("a recorder");
        }
        let script = |keyword: &str, name: &str| format!("    {keyword} /run/rehearse/{name}\n");
        let lines = [
            script("notify_backup", "backup"),
            script("notify_master_rx_lower_pri", "lower"),
            script("notify_deleted", "deleted"),
            script("notify_fault", "fault"),
        ];
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration("", 150, &format!("{QUICK}\n{}", lines.concat())));
        scene.ran("a", begin, &["backup"]);
        scene.only("a", ADDRESS);
        let heard = Moment::now();
        send(&scene.hosts[1], [192, 0, 2, 9].into(), Forged::quick(100));
        scene.ran("a", heard, &["lower"]);

        let deleted = Moment::now();
        let other = configuration("", 150, QUICK).replace("VI_1", "VI_2").replace("_id 51", "_id 52");
        node.reload(&other.replace("192.0.2.100", "192.0.2.101"));
        scene.ran("a", deleted, &["deleted"]);
        scene.resigned("a", deleted);
        assert!(!scene.runs("a", begin).contains(&vec!["fault".to_owned()]), "{}", scene.story());
    });
}

// Shows: vrrp_instance.notify_deleted
#[test]
fn a_deletion_can_be_told_as_one_without_a_script_of_its_own() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_recorder("any").expect("a recorder");
        let any = format!("{QUICK}\n    notify /run/rehearse/any");
        let two = |lines: &str| {
            let other = configuration("", 140, lines).replace("VI_1", "VI_2").replace("_id 51", "_id 52");
            configuration("", 150, &any) + &other.replace("192.0.2.100", "192.0.2.101")
        };
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &two(&format!("{any}\n    notify_deleted")));
        scene.ran("a", begin, &["any", "INSTANCE", "VI_2", "MASTER", "140"]);
        node.reload(&configuration("", 150, &any));
        scene.ran("a", begin, &["any", "INSTANCE", "VI_2", "DELETED", "140"]);
        let again = Moment::now();
        node.reload(&two(&any));
        scene.ran("a", again, &["any", "INSTANCE", "VI_2", "MASTER", "140"]);
        node.reload(&configuration("", 150, &any));
        scene.ran("a", begin, &["any", "INSTANCE", "VI_2", "FAULT", "140"]);
    });
}

// Shows: global_defs.use_symlink_paths
#[test]
fn who_changes_a_link_changes_what_runs_where_links_are_kept() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_program("good", "#!/bin/sh\nexit 0\n").expect("a script");
        host.write_program("bad", "#!/bin/sh\nexit 1\n").expect("a script");
        let link = |to: &str| run(host, &format!("ln -sfn {to} /run/rehearse/check"));
        link("good");
        let before = |global: &str| {
            format!(
                "global_defs {{\n{global}}}\nvrrp_script check {{\n    script /run/rehearse/check\n    interval 1\n}}"
            )
        };
        let lines = format!("{QUICK}\n    track_script {{\n        check\n    }}");
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(&before(""), 150, &lines));
        scene.line("a", begin, "VRRP_Script(check) succeeded");
        link("bad");
        let_pass(std::time::Duration::from_millis(2500));
        assert_eq!(scene.count_lines("a", begin, "VRRP_Script(check) failed"), 0, "{}", scene.story());
        link("good");
        node.reload(&configuration(&before("    use_symlink_paths true\n"), 150, &lines));
        scene.line("a", begin, "Reloaded");
        link("bad");
        scene.line("a", begin, "VRRP_Script(check) failed");
        link("good");
        let mended = Moment::now();
        scene.line("a", mended, "VRRP_Script(check) succeeded");
    });
}

// Shows: vrrp_script.script
#[test]
fn a_check_can_be_a_file_that_can_be_read() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        host.write_file("healthy", "").expect("write");
        let before = "vrrp_script check {\n    script \"</run/rehearse/healthy\"\n    interval 1\n}";
        let lines = format!("{QUICK}\n    track_script {{\n        check\n    }}");
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &configuration(before, 150, &lines));
        scene.line("a", begin, "VRRP_Script(check) succeeded");
        scene.only("a", ADDRESS);
        let removed = Moment::now();
        host.remove_file("healthy").expect("remove");
        scene.line("a", removed, "Entering FAULT STATE");
        scene.resigned("a", removed);
        let again = Moment::now();
        host.write_file("healthy", "").expect("write");
        scene.line("a", again, "Entering MASTER STATE");
    });
}

// Shows: vrrp_script.user
#[test]
fn a_check_runs_as_its_own_user() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let tell = "#!/bin/sh\nprintf 'check\\t%s\\n' $(id -un) > /run/rehearse/records\n";
        scene.hosts[0].write_program("check.sh", tell).expect("a script");
        let before = "global_defs {\n    script_user root\n}\nvrrp_script check {\n    script /run/rehearse/check.sh\n    \
                      interval 1\n    user nobody\n}";
        let lines = format!("{QUICK}\n    track_script {{\n        check\n    }}");
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration(before, 150, &lines));
        scene.ran("a", begin, &["check", "nobody"]);
    });
}

// Shows: global_defs.vrrp_min_garp
#[test]
fn an_address_can_be_announced_once() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let begin = Moment::now();
        let least = configuration("global_defs {\n    vrrp_min_garp\n}", 150, QUICK);
        let _node = Node::start(&scene.hosts[0], tanist(), &least);
        scene.wait(begin, "an announcement", |record| is_announcement(record, "a", ADDRESS));
        // Five come at once otherwise, and five more after five seconds.
        let_pass(std::time::Duration::from_secs(6));
        let seen =
            scene.lab.journal().since(begin).iter().filter(|record| is_announcement(record, "a", ADDRESS)).count();
        assert_eq!(seen, 1, "{}", scene.story());
    });
}

// Shows: global_defs.router_id
#[test]
fn the_machine_has_the_name_that_it_is_given() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        run(&scene.hosts[0], "mkdir /run/dumps");
        let daemon = dumping_to("/run/dumps", tanist());
        let named = configuration("global_defs {\n    router_id edge-a\n}", 150, QUICK);
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], daemon, &named);
        scene.line("a", begin, "Entering MASTER STATE");
        node.signal(Signal::USER_1);
        let data = || scene.hosts[0].read_file(Path::new("/run/dumps/keepalived.data")).unwrap_or_default();
        scene.until("it is told", || data().contains(" Router ID = edge-a"));
    });
}

// Shows: global_defs.disable_local_igmp
#[test]
fn the_kernel_says_nothing_of_link_local_groups_if_that_is_meant() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let option = || run(host, "cat /proc/sys/net/ipv4/igmp_link_local_mcast_reports").trim().to_owned();
        assert_eq!(option(), "1", "what this is about");
        let begin = Moment::now();
        let without = configuration("", 150, QUICK);
        let with = configuration("global_defs {\n    disable_local_igmp\n}", 150, QUICK);
        let node = Node::start(host, tanist(), &with);
        scene.line("a", begin, "Entering MASTER STATE");
        assert_eq!(option(), "0");
        node.reload(&without);
        scene.until("it is as it was", || option() == "1");
        node.reload(&with);
        scene.until("it is set again", || option() == "0");
        node.stop();
        assert_eq!(option(), "1");
    });
}
