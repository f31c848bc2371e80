//! Routes and policy rules that come and go with the role, and what is always there.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::support::iproute::{ip, lines as lines_of, our_routes, our_rules, try_ip};
use crate::support::{
    ADDRESS, Host, HostPlan, Moment, Node, Program, QUICK, Scene, Seen, configuration, let_pass, slow_test, tanist,
};

/// One host with two interfaces, `eth0` at 192.0.2.1/24 and `eth1` at 198.51.100.1/24.
fn scene() -> Scene {
    let mut scene = Scene::empty();
    scene.add(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]).interface("eth1", &["198.51.100.1/24"]));
    scene
}

fn is_active(scene: &Scene, since: Moment) {
    scene.line("a", since, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
}

/// The daemon with these lines in its instance, once it is active.
fn started(before: &str, lines: &str) -> (Scene, Node) {
    let scene = scene();
    let begin = Moment::now();
    let node = Node::start(&scene.hosts[0], tanist(), &configuration(before, 150, &format!("{QUICK}\n{lines}")));
    is_active(&scene, begin);
    (scene, node)
}

fn become_so(scene: &Scene, what: &str, is_so: impl FnMut() -> bool) {
    scene.until(what, is_so);
}

fn has_routes(scene: &Scene, expected: &[&str]) {
    become_so(scene, &format!("the routes are {expected:?}"), || our_routes(&scene.hosts[0]) == expected);
}

const ROUTES_AND_RULES: &str = "
    virtual_ipaddress_excluded {
        192.0.2.101/32
    }
    virtual_routes {
        203.0.113.0/24 via 192.0.2.254 src 192.0.2.100
        203.0.114.0/24 dev eth1 metric 7
        blackhole 203.0.115.0/24
        2001:db8:1::/48 dev eth1
    }
    virtual_rules {
        from 192.0.2.100 table 100 preference 100
        inet6 fwmark 1 table 100 preference 101
    }";

/// Shows each change in a line as it comes. From then on there is a route to 203.0.200.0/24.
fn watching(scene: &Scene) -> Program {
    let host = &scene.hosts[0];
    let watch = host.start("watch", &["ip", "-o", "monitor", "address", "route", "rule"]).expect("ip monitor");
    become_so(scene, "the watch sees", || {
        // The kernel does not speak of what changes nothing.
        try_ip(host, "route del 203.0.200.0/24");
        assert!(try_ip(host, "route add 203.0.200.0/24 dev eth0"));
        scene.count_lines("a", Moment::from_nanos(0), "203.0.200.0/24") > 0
    });
    watch
}

/// What comes, or what goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// What `ip monitor` has shown of these since then, each once, in the order in which they came or went.
fn order(scene: &Scene, since: Moment, way: Way, words: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for record in scene.lab.journal().since(since) {
        let Seen::Line { program, text } = record.what else { continue };
        // The kernel's own table says again what the addresses say.
        let is_out = text.starts_with("Deleted");
        if &*program != "watch" || text.contains("table local") || is_out != (way == Way::Out) {
            continue;
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let word = words.iter().find(|word| text.contains(**word)).map(|word| (*word).to_owned());
        found.extend(word.filter(|word| !found.contains(word)));
    }
    found
}

#[test]
fn they_come_after_the_addresses_and_go_before_them() {
    slow_test(|| {
        let scene = scene();
        let host = &scene.hosts[0];
        let watch = watching(&scene);
        let coming = [
            "192.0.2.100/24",
            "192.0.2.101/32",
            "203.0.113.0/24",
            "203.0.114.0/24",
            "203.0.115.0/24",
            "2001:db8:1::/48",
            "100: from 192.0.2.100",
            "101: from all fwmark",
        ];
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration("", 150, &format!("{QUICK}{ROUTES_AND_RULES}")));
        is_active(&scene, begin);
        become_so(&scene, "everything has come in order", || order(&scene, begin, Way::In, &coming) == coming);
        assert_eq!(our_routes(host), ["203.0.113.0/24", "203.0.114.0/24", "203.0.115.0/24", "2001:db8:1::/48"]);
        assert_eq!(our_rules(host), ["100", "101"]);

        let stopped = Moment::now();
        node.stop();
        assert_eq!(our_routes(host), [""; 0]);
        assert_eq!(our_rules(host), [""; 0]);
        // What the administrator made is still there.
        assert!(ip(host, "route").contains("203.0.200.0/24"));
        let mut going: Vec<&str> = coming[2..].iter().rev().copied().collect();
        going.push("192.0.2.10");
        become_so(&scene, "everything has gone in the other order", || {
            order(&scene, stopped, Way::Out, &going) == going
        });
        watch.kill_all().expect("end the watch");
    });
}

#[test]
fn what_somebody_deletes_or_replaces_is_put_back_without_an_election() {
    slow_test(|| {
        let (scene, _node) = started("", ROUTES_AND_RULES);
        let host = &scene.hosts[0];
        let all = our_routes(host);
        let deeds = [
            ("route del 203.0.114.0/24", "the route 203.0.114.0/24 dev eth1 metric 7 was missing"),
            ("route del blackhole 203.0.115.0/24", "the route blackhole 203.0.115.0/24 was missing"),
            ("-6 route del 2001:db8:1::/48", "the route 2001:db8:1::/48 dev eth1 was missing"),
            // Nobody says that ours is gone, only that another one is there.
            ("route replace 203.0.113.0/24 dev eth1 proto static", "the route 203.0.113.0/24 via 192.0.2.254 src"),
            ("rule del preference 100", "the rule from 192.0.2.100 table 100 preference 100 was missing"),
            ("-6 rule del preference 101", "the rule inet6 from all fwmark 0x1 table 100 preference 101 was missing"),
        ];
        for (deed, line) in deeds {
            let begin = scene.lab.note("a", deed);
            ip(host, deed);
            scene.line("a", begin, line);
            become_so(&scene, "all of them are back", || our_routes(host) == all && our_rules(host) == ["100", "101"]);
            scene.nobody_resigned(begin);
            assert_eq!(scene.count_lines("a", begin, " STATE"), 0, "{}", scene.story());
        }
        // Whoever put a route of his own there keeps it.
        assert!(ip(host, "route show proto static").contains("203.0.113.0/24"));
    });
}

// Shows: address.no_track, route.no_track, rule.no_track
#[test]
fn what_nobody_tracks_is_left_to_whoever_deletes_it_until_the_next_time() {
    slow_test(|| {
        let lines = "
    virtual_ipaddress_excluded {
        192.0.2.101/32 no_track
    }
    virtual_routes {
        203.0.113.0/24 dev eth1 no_track
        203.0.114.0/24 dev eth0
    }
    virtual_rules {
        from 192.0.2.100 table 100 preference 100 no_track
    }";
        let (scene, _node) = started("", lines);
        let host = &scene.hosts[0];
        ip(host, "route del 203.0.113.0/24");
        ip(host, "rule del preference 100");
        ip(host, "address del 192.0.2.101/32 dev eth0");
        // Something that is tracked goes after them: when that is back, they have been seen.
        ip(host, "route del 203.0.114.0/24");
        // Whether it is told depends on who is first: because of the address the daemon looks at all routes anew.
        scene.until("it is put back", || our_routes(host).contains(&"203.0.114.0/24".to_owned()));
        let excluded = Ipv4Addr::new(192, 0, 2, 101).into();
        assert_eq!((our_routes(host), our_rules(host)), (vec!["203.0.114.0/24".to_owned()], vec![]));
        assert!(!host.has_address(excluded));
        // Its interface does not count either.
        let down = Moment::now();
        host.set_interface("eth1", false).expect("down");
        host.set_interface("eth1", true).expect("up");
        let_pass(Duration::from_millis(300));
        assert_eq!(scene.count_lines("a", down, " STATE"), 0, "{}", scene.story());

        let again = Moment::now();
        host.set_cable("eth0", false).expect("pull");
        scene.line("a", again, "Entering FAULT STATE");
        let back = Moment::now();
        host.set_cable("eth0", true).expect("put back");
        is_active(&scene, back);
        has_routes(&scene, &["203.0.113.0/24", "203.0.114.0/24"]);
        assert_eq!(our_rules(host), ["100"]);
        assert!(host.has_address(excluded));
    });
}

#[test]
fn routes_over_an_interface_that_was_down_come_back_with_it() {
    slow_test(|| {
        let lines = "
    virtual_routes {
        203.0.113.0/24 via 198.51.100.9
        203.0.114.0/24 nexthop via 192.0.2.254 nexthop via 198.51.100.9 dev eth1
        2001:db8:1::/48 nexthop via 2001:db8::9 dev eth0 onlink nexthop via 2001:db8::8 dev eth1 onlink
    }";
        let (scene, _node) = started("", lines);
        let host = &scene.hosts[0];
        let all = ["203.0.113.0/24", "203.0.114.0/24", "2001:db8:1::/48"];
        has_routes(&scene, &all);
        for _ in 0..2 {
            let down = scene.lab.note("a", "eth1 down");
            host.set_interface("eth1", false).expect("down");
            // The kernel does not say that it has dropped the first one.
            scene.line("a", down, "add the route 203.0.113.0/24 via 198.51.100.9: network is unreachable");
            has_routes(&scene, &all[1..]);
            assert_eq!(scene.count_lines("a", down, " STATE"), 0, "{}", scene.story());
            host.set_interface("eth1", true).expect("up");
            has_routes(&scene, &all);
            become_so(&scene, "both ways are there", || ip(host, "route show 203.0.114.0/24").contains("eth1"));
            // Told once each time.
            assert_eq!(scene.count_lines("a", down, "network is unreachable"), 1, "{}", scene.story());
        }
    });
}

#[test]
fn the_interface_of_a_route_that_is_tracked_counts() {
    slow_test(|| {
        let (scene, _node) = started("", ROUTES_AND_RULES);
        let down = scene.lab.note("a", "eth1 down");
        scene.hosts[0].set_interface("eth1", false).expect("down");
        scene.line("a", down, "entering FAULT state (interface eth1 down)");
        has_routes(&scene, &[]);
        let up = Moment::now();
        scene.hosts[0].set_interface("eth1", true).expect("up");
        is_active(&scene, up);
        assert_eq!(our_routes(&scene.hosts[0]).len(), 4);
    });
}

#[test]
fn one_that_the_kernel_refuses_hides_no_other_and_is_told_once() {
    slow_test(|| {
        let lines = "
    virtual_routes {
        203.0.113.0/24 via 10.0.0.1 metric 5
        203.0.114.0/24 dev eth1
    }
    virtual_rules {
        from 192.0.2.100 table 100 preference 100
    }";
        let scene = scene();
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &configuration("", 150, &format!("{QUICK}{lines}")));
        is_active(&scene, begin);
        let refused = "add the route 203.0.113.0/24 via 10.0.0.1 metric 5: network is unreachable";
        scene.line("a", begin, refused);
        has_routes(&scene, &["203.0.114.0/24"]);
        assert_eq!(our_rules(host), ["100"]);
        // It is asked again each second, and not told again.
        let_pass(Duration::from_millis(2500));
        assert_eq!(scene.count_lines("a", begin, refused), 1, "{}", scene.story());
        host.add_address("eth1", "10.0.0.2/24").expect("add");
        has_routes(&scene, &["203.0.113.0/24", "203.0.114.0/24"]);
    });
}

#[test]
fn what_a_killed_daemon_left_behind_is_found() {
    slow_test(|| {
        let unlimited = "global_defs {\n    address_lifetime unlimited\n}";
        let with = format!("{QUICK}{ROUTES_AND_RULES}");
        let (scene, mut node) = started(unlimited, ROUTES_AND_RULES);
        let host = &scene.hosts[0];
        // What others have is theirs, however much it looks like ours.
        assert!(try_ip(host, "route add 203.0.116.0/24 dev eth1 proto static"));
        assert!(try_ip(host, "route append 203.0.114.0/24 dev eth1 metric 7 proto static"));
        assert!(try_ip(host, "rule add from 192.0.2.100 table 100 preference 100 protocol static"));
        let theirs = |host: &Host| {
            let mut rules = lines_of(host, "-d rule");
            rules.retain(|line| line.ends_with("proto static"));
            (lines_of(host, "route show proto static"), rules)
        };
        let before = theirs(host);
        node.kill();
        assert_eq!((our_routes(host).len(), our_rules(host).len()), (4, 2));

        // It is a backup first, and has none of them.
        let begin = scene.lab.note("a", "started again");
        node.start_again();
        scene.line("a", begin, "Entering BACKUP STATE");
        become_so(&scene, "they are gone at first", || {
            scene.count_lines("a", begin, "Entering MASTER STATE") > 0 || our_routes(host).is_empty()
        });
        is_active(&scene, begin);
        has_routes(&scene, &["203.0.113.0/24", "203.0.114.0/24", "203.0.115.0/24", "2001:db8:1::/48"]);
        assert_eq!(theirs(host), before);

        // One that the configuration no longer has goes, too.
        node.kill();
        let begin = Moment::now();
        let less = with.replace("        blackhole 203.0.115.0/24\n", "").replace("inet6 fwmark 1", "inet6 fwmark 2");
        host.write_file(&node.file(), &configuration(unlimited, 150, &less)).expect("write");
        node.start_again();
        is_active(&scene, begin);
        has_routes(&scene, &["203.0.113.0/24", "203.0.114.0/24", "2001:db8:1::/48"]);
        assert!(ip(host, "-6 rule").contains("fwmark 0x2") && !ip(host, "-6 rule").contains("fwmark 0x1 "));
        node.stop();
        has_routes(&scene, &[]);
        assert_eq!(theirs(host), before);
    });
}

/// What a killed keepalived left behind, if our configuration has it, too.
#[test]
fn left_overs_with_keepalived_s_number_are_cleared_away() {
    slow_test(|| {
        let scene = scene();
        let host = &scene.hosts[0];
        assert!(try_ip(host, "route add 203.0.114.0/24 dev eth1 metric 7 proto 18"));
        assert!(try_ip(host, "route add 203.0.117.0/24 dev eth1 proto 18"));
        assert!(try_ip(host, "rule add from 192.0.2.100 table 100 preference 100 protocol 18"));
        let lines =
            format!("{QUICK}{}", ROUTES_AND_RULES.replace("dev eth1 metric 7", "dev eth1 metric 7 scope global"));
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &configuration("", 150, &lines));
        is_active(&scene, begin);
        let theirs = || ip(host, "route show proto 18");
        // The one that we know nothing of stays.
        become_so(&scene, "only the other one is left", || {
            !theirs().contains("203.0.114.0/24") || our_routes(host).len() == 4
        });
        assert!(theirs().contains("203.0.117.0/24"));
    });
}

#[test]
fn a_reload_changes_only_what_it_changes() {
    slow_test(|| {
        let (scene, node) = started("", ROUTES_AND_RULES);
        let host = &scene.hosts[0];
        let watch = watching(&scene);
        let begin = scene.lab.note("a", "reload");
        let lines = ROUTES_AND_RULES
            .replace("dev eth1 metric 7", "dev eth1 metric 7 mtu 1400")
            .replace("        blackhole 203.0.115.0/24\n", "        203.0.116.0/24 dev eth0\n")
            .replace("preference 100", "preference 99");
        node.reload(&configuration("", 150, &format!("{QUICK}{lines}")));
        has_routes(&scene, &["203.0.113.0/24", "203.0.114.0/24", "203.0.116.0/24", "2001:db8:1::/48"]);
        become_so(&scene, "the rule has moved", || our_rules(host) == ["99", "101"]);
        assert!(ip(host, "route show 203.0.114.0/24").contains("mtu 1400"));
        assert!(try_ip(host, "route replace 203.0.201.0/24 dev eth0"));
        become_so(&scene, "the watch has seen it all", || scene.count_lines("a", begin, "203.0.201.0/24") > 0);
        for way in [Way::In, Way::Out] {
            let words = ["192.0.2.100", "203.0.113.0/24", "2001:db8:1::/48", "101: from"];
            // The rule that moved is about the address.
            assert_eq!(order(&scene, begin, way, &words), ["192.0.2.100"], "{}", scene.story());
        }
        scene.nobody_resigned(begin);
        watch.kill_all().expect("end the watch");
    });
}

// Shows: top-level.static_ipaddress, top-level.static_routes, top-level.static_rules
#[test]
fn what_is_static_is_there_whoever_is_active() {
    slow_test(|| {
        let statics = "
static_ipaddress {
    203.0.112.1/24 dev eth1
    2001:db8:7::1/64 dev eth1
}
static_routes {
    203.0.113.0/24 via 203.0.112.9
    2001:db8:1::/48 via 2001:db8:7::9 dev eth1
}
static_rules {
    from 203.0.113.0/24 table 100 preference 100
}";
        let scene = scene();
        let host = &scene.hosts[0];
        host.set_cable("eth0", false).expect("pull");
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(statics, 150, QUICK));
        scene.line("a", begin, "entering FAULT state (interface eth0 down)");
        has_routes(&scene, &["203.0.113.0/24", "2001:db8:1::/48"]);
        assert_eq!(our_rules(host), ["100"]);
        let own = Ipv4Addr::new(203, 0, 112, 1).into();
        assert!(host.has_address(own));
        let deleted = Moment::now();
        // The routes that lead over it go with it.
        ip(host, "address del 203.0.112.1/24 dev eth1");
        scene.line("a", deleted, "203.0.112.1/24 was missing from eth1 and has been put back");
        has_routes(&scene, &["203.0.113.0/24", "2001:db8:1::/48"]);
        host.set_cable("eth0", true).expect("put back");
        is_active(&scene, deleted);
        // No virtual address: it stays when the daemon is killed.
        let held = lines_of(host, "-o address show dev eth1");
        let held = held.iter().find(|line| line.contains("203.0.112.1/24")).expect("it is there");
        assert!(held.contains("valid_lft forever"), "{held}");
        node.stop();
        assert!(!host.has_address(own));
        assert_eq!((our_routes(host), our_rules(host)), (vec![], vec![]));
    });
}

/// The machine's own address, as far as the protocol is concerned.
#[test]
fn an_instance_may_send_from_a_static_address() {
    slow_test(|| {
        let mut scene = Scene::empty();
        scene.add(&HostPlan::new("a").interface("eth0", &[]));
        let statics = "static_ipaddress {\n    192.0.2.7/24\n}\nglobal_defs {\n    default_interface eth0\n}";
        let begin = Moment::now();
        let _node = Node::start(&scene.hosts[0], tanist(), &configuration(statics, 150, QUICK));
        is_active(&scene, begin);
        scene.advertised("a", begin, |seen| seen.source == Ipv4Addr::new(192, 0, 2, 7));
    });
}

// Shows: top-level.track_group, track_group.group, route.track_group
#[test]
fn an_instance_whose_group_misses_something_static_is_in_fault() {
    slow_test(|| {
        let statics = "
static_routes {
    203.0.113.0/24 via 198.51.100.9 track_group WAY
}
track_group WAY {
    group {
        VI_1
    }
}";
        let (scene, _node) = started(statics, "");
        let host = &scene.hosts[0];
        has_routes(&scene, &["203.0.113.0/24"]);
        let down = scene.lab.note("a", "eth1 down");
        host.set_interface("eth1", false).expect("down");
        scene.line("a", down, "entering FAULT state (something of track_group WAY is missing)");
        become_so(&scene, "the address is gone", || !host.has_address(ADDRESS.into()));
        let up = Moment::now();
        host.set_interface("eth1", true).expect("up");
        scene.line("a", up, "track_group WAY is complete again");
        is_active(&scene, up);
        has_routes(&scene, &["203.0.113.0/24"]);
    });
}

// Shows: vrrp_instance.promote_secondaries
#[test]
fn the_others_of_a_subnet_stay_when_its_first_address_goes() {
    slow_test(|| {
        let scene = scene();
        let host = &scene.hosts[0];
        let option = |host: &Host| {
            let output = host.output(&["cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"]).expect("cat");
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let before = option(host);
        assert_eq!(before, "0", "what this is about");
        let begin = Moment::now();
        // With an address of a subnet it would be set without being asked for.
        let alone = |lines: &str| configuration("", 150, lines).replace("192.0.2.100/24", "192.0.2.100/32");
        let with = alone(&format!("{QUICK}\n    promote_secondaries"));
        let node = Node::start(host, tanist(), &with);
        is_active(&scene, begin);
        assert_eq!(option(host), "1");
        node.reload(&with.replace("    promote_secondaries\n", ""));
        become_so(&scene, "it is as it was", || option(host) == "0");
        node.reload(&with);
        become_so(&scene, "it is set again", || option(host) == "1");
        node.stop();
        assert_eq!(option(host), "0");
    });
}

/// The kernel tells of a single way without its weight, also when it comes.
#[test]
fn a_weighted_way_of_ipv6_that_somebody_deletes_is_put_back() {
    slow_test(|| {
        let lines = "    virtual_routes {
        2001:db8:1::/48 nexthop via 2001:db8::7 dev eth0 onlink weight 3 nexthop via 2001:db8::8 dev eth0 onlink weight 2
    }";
        let (scene, _node) = started("", lines);
        let host = &scene.hosts[0];
        let has_both = || {
            let shown = lines_of(host, "-6 route show 2001:db8:1::/48").join(" ");
            ["via 2001:db8::7 dev eth0 weight 3", "via 2001:db8::8 dev eth0 weight 2"]
                .iter()
                .all(|way| shown.contains(way))
        };
        become_so(&scene, "both are there", has_both);
        for deleted in ["", " via 2001:db8::7 dev eth0", " via 2001:db8::8 dev eth0", " via 2001:db8::7 dev eth0"] {
            let begin = Moment::now();
            ip(host, &format!("-6 route del 2001:db8:1::/48{deleted}"));
            scene.line("a", begin, "was missing and has been put back");
            become_so(&scene, &format!("both are there again after{deleted}"), has_both);
        }
    });
}

#[test]
fn a_thousand_routes_come_and_go() {
    slow_test(|| {
        let mut lines = String::from("    virtual_routes {\n");
        for number in 0..1000 {
            lines += &format!("        10.{}.{}.0/24 via 192.0.2.254\n", number / 250, number % 250);
        }
        lines += "    }";
        let (scene, node) = started("", &lines);
        let host = &scene.hosts[0];
        become_so(&scene, "all are there", || our_routes(host).len() == 1000);
        let deleted = Moment::now();
        ip(host, "route flush proto 116");
        become_so(&scene, "all are back", || our_routes(host).len() == 1000);
        scene.nobody_resigned(deleted);
        node.stop();
        assert_eq!(our_routes(host).len(), 0);
    });
}

// Shows: address.track_group, rule.track_group
#[test]
fn a_group_may_miss_an_address_or_a_rule_too() {
    slow_test(|| {
        let statics = "
static_ipaddress {
    203.0.112.1/24 dev eth1 track_group WAY
}
static_rules {
    from 203.0.112.0/24 goto 20 preference 10 track_group RULE
}
track_group WAY {
    group {
        VI_1
    }
}
track_group RULE {
    group {
        VI_1
    }
}";
        let scene = scene();
        let host = &scene.hosts[0];
        host.delete_interface("eth1").expect("delete");
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &configuration(statics, 150, QUICK));
        scene.line("a", begin, "entering FAULT state (something of track_group WAY is missing)");
        assert_eq!(scene.count_lines("a", begin, "track_group RULE"), 0, "{}", scene.story());
        let created = Moment::now();
        host.create_interface("eth1").expect("create");
        is_active(&scene, created);
        // No user has the greatest number, and the kernel takes no rule for one.
        let refused = Moment::now();
        node.reload(&configuration(&statics.replace("goto 20", "uidrange 5-4294967295 goto 20"), 150, QUICK));
        scene.line("a", refused, "goto 20 preference 10: invalid argument");
        scene.line("a", refused, "entering FAULT state (something of track_group RULE is missing)");
    });
}

/// keepalived hands these to the kernel in a way that it refuses, or does not read them.
// Shows: route.local, route.broadcast, route.inet6, rule.inet6
#[test]
fn some_that_keepalived_cannot_make() {
    slow_test(|| {
        let lines = "
    virtual_routes {
        local 203.0.113.1 dev eth0 table 100
        broadcast 203.0.113.255 dev eth0 table 100
        inet6 default dev eth1 table 101
        203.0.114.0/24 via inet6 2001:db8::9 dev eth0 onlink
        203.0.115.0/24 via 192.0.2.253 or 192.0.2.254
        2001:db8:1::/48 nexthop via 2001:db8::7 dev eth0 onlink nexthop via 2001:db8::8 dev eth0 onlink nexthop via 2001:db8::9 dev eth1 onlink
    }
    virtual_rules {
        inet6 iif eth0 table 101 preference 10
        ipproto tcp dport 80 table 100 preference 11
    }";
        let (scene, _node) = started("", lines);
        let host = &scene.hosts[0];
        become_so(&scene, "all are there", || our_routes(host).len() == 6);
        let told = |words: &str, expected: &[&str]| {
            let told = lines_of(host, words);
            for line in expected {
                assert!(told.iter().any(|told| told.contains(line)), "{line} is not in {told:?}");
            }
        };
        told(
            "-4 route show table 100 proto 116",
            &["local 203.0.113.1 dev eth0 scope host", "broadcast 203.0.113.255 dev eth0 scope link"],
        );
        told("-6 route show table 101 proto 116", &["default dev eth1"]);
        told(
            "-4 route show proto 116",
            &["203.0.114.0/24 via inet6 2001:db8::9 dev eth0", "via 192.0.2.253 dev eth0", "via 192.0.2.254 dev eth0"],
        );
        told(
            "-6 route show proto 116",
            &["via 2001:db8::7 dev eth0", "via 2001:db8::8 dev eth0", "via 2001:db8::9 dev eth1"],
        );
        assert_eq!(our_rules(host), ["11", "10"]);
    });
}

// Shows: route.nat
/// keepalived does the same: the kernel takes `nat` for an ordinary route of IPv6, and refuses it over IPv4.
#[test]
fn a_nat_route_is_what_the_kernel_takes_it_for() {
    slow_test(|| {
        let begin = Moment::now();
        let (scene, node) = started(
            "",
            "
    virtual_routes {
        nat 203.0.113.0/24 via 192.0.2.254
        nat 2001:db8:1::/48 dev eth1
    }",
        );
        scene.line("a", begin, "add the route nat 203.0.113.0/24 via 192.0.2.254: invalid argument");
        has_routes(&scene, &["nat"]);
        let there = lines_of(&scene.hosts[0], "-6 route show type nat proto 116");
        assert!(there.iter().any(|line| line.contains("2001:db8:1::/48 dev eth1")), "{there:?}");
        node.stop();
        has_routes(&scene, &[]);
    });
}
