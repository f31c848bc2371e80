//! What two files of one pair show together.

use std::path::Path;

use tanist_config::pair::{Node, compare, term_names, terms};
use tanist_config::{LoadOptions, MemoryFiles, RealFiles, Settings, load};

fn example(file: &str) -> Settings {
    let path = Path::new("../../examples").join(file);
    load(&path, &RealFiles, &LoadOptions::default()).settings.expect("the examples work")
}

fn text(text: &str) -> Settings {
    let files = MemoryFiles::single("/pair.conf", text);
    load(Path::new("/pair.conf"), &files, &LoadOptions::default()).settings.expect("it works")
}

/// Compares two nodes called a and b.
fn check(a: &Settings, b: &Settings, expected: &[&str]) {
    assert_eq!(compare(Node { name: "a", settings: a }, Node { name: "b", settings: b }), expected);
}

#[test]
fn a_weight_that_does_not_bridge_the_gap_is_told() {
    check(
        &example("nginx-active-active/a.conf"),
        &example("nginx-active-active/b.conf"),
        &[
            "VRID 100: a says `state MASTER`, but b has the higher priority (200 against 100) and always wins",
            "VRID 100: when the check `chk_nginx_port` fails on b, its priority goes from 200 to 195, still above the \
             100 of a: nothing moves",
            "VRID 101: b says `state MASTER`, but a has the higher priority (200 against 100) and always wins",
        ],
    );
    check(
        &example("job-scheduler/a.conf"),
        &example("job-scheduler/b.conf"),
        &["VRID 51: when the check `check_scheduler` fails on a, its priority goes from 152 to 150, still above the \
           102 of b: nothing moves"],
    );
}

/// Processes as well; what stands in a file nobody can know.
#[test]
fn a_tracked_process_that_does_not_bridge_the_gap_is_told() {
    let node = |priority: u8, weight: &str| {
        text(&format!(
            "vrrp_track_process web {{\n process nginx\n weight {weight}\n}}\ntrack_file load {{\n file /run/load\n}}\n\
             vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n priority {priority}\n virtual_ipaddress {{\n \
             192.0.2.100\n }}\n track_process {{\n web\n }}\n track_file {{\n load\n }}\n}}\n"
        ))
    };
    let told = "VRID 51: when the tracked process `web` fails on a, its priority goes from 170 to 150, still above the 120 of \
                b: nothing moves";
    check(&node(150, "20"), &node(100, "20"), &[told]);
    check(&node(150, "-60"), &node(100, "-60"), &[]);
    // Of two that are equal neither takes over, and nothing comes above 254.
    let told = "VRID 51: when the tracked process `web` fails on a, its priority goes from 150 to 100, not below the 100 of b: \
                nothing moves";
    check(&node(150, "-50"), &node(100, "-50"), &[told]);
    check(&node(150, "-51"), &node(100, "-51"), &[]);
    let told = "VRID 51: when the tracked process `web` fails on a, its priority goes from 254 to 250, still above the 240 of \
                b: nothing moves";
    check(&node(250, "20"), &node(220, "20"), &[told]);
    check(&node(150, "0"), &node(100, "0"), &[]);
    check(&node(150, "-20 reverse"), &node(100, "-20 reverse"), &[]);
}

#[test]
fn nopreempt_on_the_wrong_node_is_told_and_a_good_pair_is_good() {
    check(
        &example("edge-gateway/a.conf"),
        &example("edge-gateway/b.conf"),
        &["VRID 51: `nopreempt` in b has no effect, because only the better node could preempt; it belongs in a"],
    );
    check(&example("arm-board/a.conf"), &example("arm-board/b.conf"), &[]);
    let shadow = example("shadow-node/keepalived.conf");
    check(&shadow, &shadow, &[]);
}

/// One number for both families is usual; each is held against its own.
#[test]
fn instances_of_one_number_and_two_families_are_told_apart() {
    let instance = |name: &str, address: &str, interval: u8| {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id 51\n version 3\n advert_int {interval}\n \
             virtual_ipaddress {{\n {address}\n }}\n}}\n"
        )
    };
    let both = |four, six| text(&(instance("V4", "192.0.2.100", four) + &instance("V6", "fe80::100", six)));
    check(&both(1, 2), &both(1, 2), &[]);
    check(&both(1, 2), &both(1, 3), &["VRID 51: advert_int differs, so the MASTER's counts"]);
    check(
        &both(1, 1),
        &text(&instance("V4", "192.0.2.100", 1)),
        &["b has no instance with virtual_router_id 51 over IPv6"],
    );
}

#[test]
fn what_must_be_equal_and_is_not_is_told() {
    let instance = |vrid: u8, lines: &str| {
        format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id {vrid}\n {lines}\n virtual_ipaddress {{\n \
             192.0.2.100\n }}\n}}\n"
        )
    };
    let plain = text(&instance(51, ""));
    let deaf = "so the nodes do not hear each other and both become MASTER";
    for (lines, what) in [
        ("version 3", "the version"),
        ("authentication {\n auth_type PASS\n auth_pass x\n }", "the authentication"),
        ("unicast_peer {\n 192.0.2.2\n }", "unicast or multicast"),
        ("advert_int 2", "advert_int"),
    ] {
        check(&plain, &text(&instance(51, lines)), &[&format!("VRID 51: {what} differs, {deaf}")]);
    }
    check(&plain, &text(&instance(52, "")), &[&format!("V: virtual_router_id differs (51 and 52), {deaf}")]);
    let other = text(&instance(52, "").replace("_instance V", "_instance W"));
    check(&plain, &other, &["b has no instance with virtual_router_id 51"]);
    let more = text(&instance(51, "").replace("192.0.2.100\n", "192.0.2.100\n 192.0.2.101\n"));
    check(
        &plain,
        &more,
        &[
            "VRID 51: the list of addresses differs, so not all of them move, and older keepalived nodes ignore the other",
        ],
    );
}

#[test]
fn unicast_that_does_not_reach_the_other_is_told() {
    let node = |source: &str, peers: &str| {
        text(&format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n {source}\n unicast_peer {{\n {peers}\n }}\n \
             virtual_ipaddress {{\n 192.0.2.100\n }}\n}}\n"
        ))
    };
    let (first, second) = ("unicast_src_ip 192.0.2.1", "unicast_src_ip 192.0.2.2");
    check(&node(first, "192.0.2.2"), &node(second, "192.0.2.1"), &[]);
    check(&node(first, "192.0.2.2\n 192.0.2.3"), &node(second, "192.0.2.3\n 192.0.2.1"), &[]);
    let told =
        "VRID 51: b says `unicast_src_ip 192.0.2.2`, but a does not name that in `unicast_peer`, so b may not hear a";
    check(&node(first, "192.0.2.3"), &node(second, "192.0.2.1"), &[told]);
    check(&node("", "192.0.2.3"), &node(second, "192.0.2.1"), &[told]);
    let told =
        "VRID 51: a says `unicast_src_ip 192.0.2.1`, but b does not name that in `unicast_peer`, so a may not hear b";
    check(&node(first, "192.0.2.2"), &node(second, "192.0.2.2"), &[told]);
    // Without a source a file does not say where its node is.
    check(&node("", "192.0.2.2"), &node("", "192.0.2.1"), &[]);
    check(&node("", "192.0.2.1\n 192.0.2.2"), &node("", "192.0.2.1\n 192.0.2.2"), &[]);
    check(
        &node("", "192.0.2.2"),
        &node("", "192.0.2.2"),
        &[
            "VRID 51: both name 192.0.2.2 as their only `unicast_peer`, so at least one does not hear the other; each has to \
           name the other one's address",
        ],
    );
}

/// A node with a service in one instance. `pair` are lines of its pair, `service` of its service.
fn with_service(name: &str, pair: &str, service: &str) -> Settings {
    text(&format!(
        "pair {{\n {pair}\n}}\nservice web {{\n systemd web\n {service}\n}}\n\
         vrrp_instance {name} {{\n interface eth0\n virtual_router_id 51\n service web\n}}\n"
    ))
}

#[test]
fn a_group_that_the_files_begin_with_another_instance_is_told() {
    let node = |pair: &str, members: &str| {
        let instance = |name: &str, vrid: u8| {
            format!(
                "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n virtual_ipaddress {{\n \
                 192.0.2.{vrid}\n }}\n}}\n"
            )
        };
        text(&format!(
            "{pair}{}{}vrrp_sync_group G {{\n group {{\n {members}\n }}\n}}\n",
            instance("V", 51),
            instance("W", 52)
        ))
    };
    let [a, b] = [("192.0.2.2", "192.0.2.1", "a"), ("192.0.2.1", "192.0.2.2", "b")]
        .map(|(peer, source, node)| format!("pair {{\n peer {peer}\n source {source}\n node {node}\n}}\n"));
    check(&node(&a, "V\n W"), &node(&b, "V\n W"), &[]);
    let so = "so the nodes ask and answer each other for different instances of the group";
    check(
        &node(&a, "V\n W"),
        &node(&b, "W\n V"),
        &[
            &format!("VRID 51: the first of its sync group differs (VRID 51 and VRID 52), {so}"),
            &format!("VRID 52: the first of its sync group differs (VRID 51 and VRID 52), {so}"),
        ],
    );
    // Without a pair nobody is asked.
    check(&node("", "V\n W"), &node("", "W\n V"), &[]);
}

#[test]
fn pairs_of_the_examples_fit() {
    for pair in ["edge-gateway", "nginx", "scheduler", "board"] {
        let [a, b] = ["a", "b"].map(|node| example(&format!("service/{pair}/{node}.conf")));
        check(&a, &b, &[]);
    }
    let [a, b] = ["edge-a", "edge-b"].map(|id| {
        let options = LoadOptions { config_id: Some(id.to_owned()), ..LoadOptions::default() };
        let path = Path::new("../../examples/service/shadow/tanist.conf");
        load(path, &RealFiles, &options).settings.expect("the examples work")
    });
    check(&a, &b, &[]);
}

#[test]
fn what_a_pair_must_agree_about_is_told() {
    let a = with_service("V", "peer 192.0.2.2\n source 192.0.2.1\n node a", "");
    let good = "peer 192.0.2.1\n source 192.0.2.2\n node b";
    check(&a, &with_service("V", good, ""), &[]);
    check(&a, &with_service("V", "peer 192.0.2.1\n node b", ""), &[]);
    for (name, pair, service, expected) in [
        (
            "W",
            good.to_owned(),
            "",
            vec!["VRID 51: a calls it `V` and b calls it `W`, but the nodes of a pair know an instance by its name"],
        ),
        (
            "V",
            format!("{good}\n port 20113"),
            "",
            vec!["pair: the port differs (20112 and 20113), so the nodes do not hear each other"],
        ),
        (
            "V",
            good.replace("node b", "node a"),
            "",
            vec!["pair: both nodes are called `a`; give each a `node` name of its own"],
        ),
        (
            "V",
            good.replace("192.0.2.2", "192.0.2.3"),
            "",
            vec!["pair: a has the peer 192.0.2.2, but b does not send from there, so it is not heard"],
        ),
        (
            "V",
            format!("{good}\n heartbeat 0.3\n dead_after 1"),
            "",
            vec![
                "pair: dead_after differs (0.8 s and 1 s), so one node takes the other for dead while that still waits",
                "pair: b speaks every 0.3 s, and a takes it for dead after 0.8 s: a lost message is enough",
            ],
        ),
        (
            "V",
            good.to_owned(),
            "stop_timeout 5\n start_timeout 31\n max_moves 1 within 60\n failback manual\n on_manual_stop restart",
            vec![
                "service web: start_timeout differs (30 s and 31 s), so a start that is good on one node is a failure \
                 on the other",
                "service web: stop_timeout differs (10 s and 5 s), so it is killed earlier on one node than on the other",
                "service web: max_moves differs (3 within 600 s and 1 within 60 s), so the stricter one ends the moving \
                 for both",
                "service web: on_manual_stop differs (failover and restart), so the same stop by hand means two things",
                "service web: failback differs (auto and manual), so only what the better node says counts",
            ],
        ),
    ] {
        check(&a, &with_service(name, &pair, service), &expected);
    }
}

#[test]
fn each_line_of_peers_adds_ways_to_the_other_node() {
    let settings = with_service("V", "peer 192.0.2.2\n peer 198.51.100.2 203.0.113.2", "");
    let peers: Vec<String> =
        settings.pair.iter().flat_map(|pair| &pair.paths).map(|path| path.peer.to_string()).collect();
    assert_eq!(peers, ["192.0.2.2", "198.51.100.2", "203.0.113.2"]);
}

#[test]
fn what_only_one_node_has_is_told() {
    let a = with_service("V", "peer 192.0.2.2", "");
    let instance = |lines: &str| {
        text(&format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n no_virtual_ipaddress\n {lines}\n}}\n"
        ))
    };
    let alone = "pair: a has a `pair` block and b has none, so nothing is handed over in order";
    let missing = "VRID 51: the service `web` of a is not in b: where that is MASTER, nothing starts it";
    check(&a, &instance(""), &[alone, missing]);
    // What it is called there counts among the nodes of a pair only.
    check(
        &a,
        &text("vrrp_instance W {\n interface eth0\n virtual_router_id 51\n no_virtual_ipaddress\n}\n"),
        &[alone, missing],
    );
    // A keepalived on the other side starts it by a script.
    check(&a, &instance("notify_master \"/etc/keepalived/start.sh\""), &[alone]);
}

/// What follows the time is cut as any other command is, by its own quotes.
#[test]
fn a_timed_command_is_read_like_any_other() {
    for command in ["\"/usr/bin/a b\" root", "'/usr/bin/a' 'b c'", "\"/usr/bin/a 'b c'\"", "'/usr/bin/a b' root"] {
        let settings = text(&format!(
            "service web {{\n systemd web\n while_active {{\n every 1h {command}\n }}\n post_takeover {command}\n}}\n\
             vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n service web\n}}\n"
        ));
        let web = &settings.services[0];
        assert_eq!(web.while_active.first(), web.post_takeover.as_ref(), "{command}");
        assert!(web.post_takeover.is_some(), "{command}");
    }
}

/// Changing a pair over step by step is fine; a step too many makes one of them deaf.
#[test]
fn steps_of_auth_hmac_that_do_not_fit_are_told() {
    let node = |lines: &str| {
        text(&format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n {lines}\n virtual_ipaddress {{\n \
             192.0.2.100\n }}\n}}\n"
        ))
    };
    let hmac = |rest: &str| node(&format!("auth_hmac {{\n key 1 \"{}\"\n {rest}\n }}", "k".repeat(32)));
    let none = || node("");
    let deaf = ["VRID 51: the authentication differs, so the nodes do not hear each other and both become MASTER"];
    let two = |active: u8| hmac(&format!("key 2 \"{}\"\n active_key {active}", "l".repeat(32)));
    let [enforce, permissive, receive_only] =
        ["enforce", "permissive", "receive-only"].map(|mode| hmac(&format!("mode {mode}")));
    let fits = [
        (none(), receive_only.clone()),
        (receive_only.clone(), permissive.clone()),
        (permissive.clone(), permissive.clone()),
        (permissive.clone(), enforce.clone()),
        (enforce.clone(), enforce.clone()),
        (two(1), two(2)),
        (hmac("key 2 file:/etc/keepalived/key2\n active_key 2"), two(1)),
        (hmac(""), node(&format!("auth_hmac {{\n key 1 hex:{}\n }}", "6b".repeat(32)))),
    ];
    for (a, b) in fits {
        check(&a, &b, &[]);
        check(&b, &a, &[]);
    }
    let other = node(&format!("auth_hmac {{\n key 1 \"{}\"\n }}", "m".repeat(32)));
    let password = node("authentication {\n auth_type PASS\n auth_pass 1234\n }");
    let alone = [
        "VRID 51: the authentication differs, so a keepalived there would take nothing that is signed; begin with `mode \
         receive-only` on both",
    ];
    check(&none(), &permissive, &alone);
    check(&permissive, &none(), &alone);
    let pairs =
        [(none(), enforce.clone()), (receive_only, enforce.clone()), (enforce.clone(), other), (enforce, password)];
    for (a, b) in pairs {
        check(&a, &b, &deaf);
        check(&b, &a, &deaf);
    }
}

/// What running nodes tell each other stands in the same list: the same things differ, by their names.
#[test]
fn running_nodes_compare_the_same_things() {
    let service = |lines: &str| with_service("V", "peer 192.0.2.2", lines);
    let timed = "while_active { every 1h \"/usr/bin/rerun\" }";
    let a = service(&format!("check tcp 127.0.0.1:80\n {timed}"));
    for (lines, expected) in [
        (format!("check tcp 127.0.0.1:80\n {timed}"), vec![]),
        // Each node asks itself, by an address of its own; figures are its own business, too.
        (format!("check tcp 192.0.2.7:80 {{ interval 2 }}\n {timed}\n restart 1 within 60"), vec![]),
        (format!("check tcp 127.0.0.1:81\n {timed}"), vec!["the list of checks"]),
        ("check tcp 127.0.0.1:80\n stop_timeout 3".to_owned(), vec!["stop_timeout", "what runs by the clock"]),
        ("check tcp 127.0.0.1:80\n stop_timeout 3\n may_differ".to_owned(), vec![]),
        (format!("check tcp 127.0.0.1:80\n {}", timed.replace("rerun", "run")), vec!["what runs by the clock"]),
    ] {
        let b = service(&lines);
        let told = compare(Node { name: "a", settings: &a }, Node { name: "b", settings: &b });
        let named =
            |what: &&str| told.iter().any(|finding| finding.starts_with(&format!("service web: {what} differs")));
        assert!(told.len() == expected.len() && expected.iter().all(named), "{lines}: {told:?}");
        let [ours, theirs] = [&a, &b].map(|settings| {
            let web = terms(settings).into_iter().find(|terms| terms.service.is_some());
            web.map(|web| web.values).unwrap_or_default()
        });
        let differing: Vec<u32> =
            ours.iter().zip(&theirs).zip(0..).filter(|((a, b), _)| a != b).map(|(_, place)| place).collect();
        assert_eq!(term_names(true, &differing), expected, "{lines}");
    }
    let with = |manager: &str, line: &str| {
        text(&format!(
            "pair {{\n peer 192.0.2.2\n}}\nservice web {{\n {manager} web\n}}\nvrrp_instance V {{\n interface eth0\n \
             virtual_router_id 51\n {line}\n service web\n}}\n"
        ))
    };
    let password = |word: &str| with("systemd", &format!("authentication {{\n auth_type PASS\n auth_pass {word}\n }}"));
    let other = with("docker", "advert_int 2");
    for (b, expected) in [(&other, "advert_int"), (&password("x"), "the authentication")] {
        let [ours, theirs] = [&a, b].map(|settings| terms(settings)[0].clone());
        assert_eq!((&*ours.router, &ours.service), ("V", &None));
        let differing: Vec<u32> =
            (0..).zip(ours.values.iter().zip(&theirs.values)).filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
        assert_eq!(term_names(false, &differing), [expected]);
    }
    assert_ne!(terms(&password("x"))[0].values, terms(&password("y"))[0].values);
    let told = compare(Node { name: "a", settings: &a }, Node { name: "b", settings: &other });
    assert!(told.iter().any(|finding| finding.starts_with("service web: what runs differs, so ")), "{told:?}");
}
