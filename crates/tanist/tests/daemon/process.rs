//! What the configuration says about the process: its names, its share of the machine, its sockets, its start and end.

use std::path::Path;
use std::time::Duration;

use linux::packet_filter::PacketFilter;

use crate::support::story::run;
use crate::support::{
    ADDRESS, Daemon, Host, Moment, Node, QUICK, QUICK_SILENCE, Scene, binary, configuration, slow_test,
    slow_test_with_users, tanist, word,
};

const PROGRAM: &str = "/run/rehearse/keepalived";

/// Under the name keepalived, in the foreground. Its pid files are where they are by themselves.
fn under_keepalived_s_name(host: &Host, name: &str) -> Daemon {
    run(host, &format!("ln -sf {} {PROGRAM}", word(binary())));
    let command = [PROGRAM, "--dont-fork", "--log-console", "--log-detail", "--no-syslog", "--use-file={conf}"];
    Daemon::new(name, &command)
}

fn read(host: &Host, path: &str) -> String {
    host.read_file(Path::new(path)).unwrap_or_default()
}

/// The place of a field in `/proc/PID/stat`, as proc(5) counts them, of the daemon.
fn stat(host: &Host, field: usize) -> String {
    let line = run(host, "cat /proc/$(cat /run/vrrp.pid)/stat");
    // The name stands in brackets and may hold anything.
    let (_, rest) = line.rsplit_once(") ").expect("a name in brackets");
    rest.split_whitespace().nth(field - 3).expect("it has so many").to_owned()
}

const NICE: usize = 19;
const REAL_TIME_PRIORITY: usize = 40;
const POLICY: usize = 41;

fn global(lines: &str) -> String {
    format!("global_defs {{\n{lines}\n}}\n")
}

// Shows: global_defs.vrrp_process_name, global_defs.process_name, global_defs.process_names
// Shows: global_defs.vrrp_priority, global_defs.vrrp_cpu_affinity, global_defs.vrrp_no_swap, global_defs.umask
// Shows: global_defs.vrrp_rt_priority, global_defs.vrrp_rlimit_rttime
#[test]
fn the_daemon_has_the_share_that_it_is_given_and_its_scripts_do_not() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let script =
            "#!/bin/sh\ncat /proc/self/stat > /run/script.stat\ngrep Umask /proc/self/status >> /run/script.stat\n";
        let script = host.write_program("told", script).expect("a script");
        let lines = format!("{QUICK}\n    notify_master {}", word(&script));
        let with = |more: &str| configuration(&global(&format!("    script_user root\n{more}")), 150, &lines);
        let begin = Moment::now();
        let daemon = under_keepalived_s_name(host, "tanist");
        let first = "    vrrp_process_name standby\n    vrrp_priority -5\n    vrrp_cpu_affinity 0\n    vrrp_no_swap\n    umask 027";
        let node = Node::start(host, daemon, &with(first));
        scene.line("a", begin, "Entering MASTER STATE");
        let status = |name: &str| run(host, &format!("grep {name} /proc/$(cat /run/vrrp.pid)/status"));
        assert_eq!(stat(host, NICE), "-5");
        assert_eq!(run(host, "cat /proc/$(cat /run/vrrp.pid)/comm").trim(), "standby");
        assert_eq!(status("Cpus_allowed_list").split_whitespace().last(), Some("0"));
        assert_ne!(status("VmLck").split_whitespace().nth(1), Some("0"), "all of it is locked");
        assert_eq!(status("Umask").split_whitespace().last(), Some("0027"));
        scene.until("the script has run", || read(host, "/run/script.stat").contains("Umask"));
        let of_script = read(host, "/run/script.stat");
        let (_, numbers) = of_script.rsplit_once(") ").expect("a name in brackets");
        assert_eq!(numbers.split_whitespace().nth(NICE - 3), Some("0"), "{of_script}");
        assert!(of_script.contains("0027"), "{of_script}");

        let again = Moment::now();
        node.reload(&with("    process_name other\n    vrrp_rt_priority 20\n    vrrp_rlimit_rttime 30000"));
        let done = scene.wait(again, "the reload", |record| {
            crate::support::says(record, "Reloaded") || crate::support::says(record, "set the real-time priority")
        });
        scene.line("a", again, "Reloaded");
        assert_eq!(run(host, "cat /proc/$(cat /run/vrrp.pid)/comm").trim(), "other");
        assert_eq!(status("VmLck").split_whitespace().nth(1), Some("0"));
        // Some machines give no real time to the group of processes that tests run in.
        if scene.count_lines("a", again, "set the real-time priority") == 0 {
            assert_eq!(
                (stat(host, REAL_TIME_PRIORITY), stat(host, POLICY)),
                ("20".to_owned(), "2".to_owned()),
                "{done}"
            );
            let limit = run(host, "grep realtime.timeout /proc/$(cat /run/vrrp.pid)/limits");
            assert_eq!(limit.split_whitespace().nth(3), Some("30000"), "{limit}");
        }
        let last = Moment::now();
        node.reload(&with("    process_names"));
        scene.line("a", last, "Reloaded");
        assert_eq!(run(host, "cat /proc/$(cat /run/vrrp.pid)/comm").trim(), "keepalived_vrrp");
        assert_eq!((stat(host, NICE), stat(host, POLICY)), ("0".to_owned(), "0".to_owned()));
        scene.nobody_resigned(begin);
    });
}

// Shows: global_defs.max_auto_priority, global_defs.min_auto_priority_delay
#[test]
fn who_is_let_run_too_late_asks_for_more() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let text = configuration(&global("    max_auto_priority\n    min_auto_priority_delay 400000"), 150, QUICK);
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &text);
        scene.line("a", begin, "Entering MASTER STATE");
        let frozen = Moment::now();
        node.program.freeze().expect("freeze");
        crate::support::let_pass(Duration::from_millis(900));
        node.program.thaw().expect("thaw");
        // Or it says why it may not have it.
        scene.line("a", frozen, " s too late; ");
    });
}

// Shows: top-level.instance, top-level.use_pid_dir
#[test]
fn daemons_with_names_live_side_by_side() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let other = |text: String| text.replace("VI_1", "VI_2").replace("router_id 51", "router_id 52");
        let one = configuration("instance one", 150, QUICK);
        let two = other(configuration("instance two\nuse_pid_dir", 150, QUICK)).replace("192.0.2.100", "192.0.2.101");
        let disk = |name: &str| {
            let mut daemon = under_keepalived_s_name(host, name);
            daemon.command.push("--no_bfd".to_owned());
            daemon
        };
        let nodes = [Node::start(host, disk("first"), &one), Node::start(host, disk("second"), &two)];
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        scene.line("a", begin, "(VI_2) Entering MASTER STATE");
        for name in ["one", "two"] {
            let numbers = ["keepalived", "vrrp"].map(|file| read(host, &format!("/run/keepalived/{file}_{name}.pid")));
            assert!(!numbers[0].is_empty() && numbers[0] == numbers[1], "{numbers:?}");
            run(host, &format!("test -S /run/tanist/control-{name}.sock"));
        }
        drop(nodes);
        run(host, "rm -rf /var/lib/tanist/one /var/lib/tanist/two");
    });
}

/// What one makes is not taken for what an earlier process of the other has left behind.
#[test]
fn neither_of_two_daemons_takes_away_what_the_other_one_has() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let disk = |name: &str| under_keepalived_s_name(host, name);
        let of = |number: u8| {
            format!(
                "instance {number}\nvrrp_instance VI_{number} {{\n    interface eth0\n    virtual_router_id {number}\n\
                 {QUICK}\n    no_accept\n    virtual_ipaddress {{\n        192.0.2.10{number}/24\n    }}\n    \
                 virtual_routes {{\n        203.0.{number}.0/24 dev eth0\n    }}\n    virtual_rules {{\n        from \
                 203.0.{number}.0/24 table 100 preference {number}\n    }}\n}}\nvrrp_instance VI_6{number} {{\n    interface \
                 eth0\n    virtual_router_id {number}\n    advert_int 0.2\n    use_vmac vrrp6.{number}\n    \
                 virtual_ipaddress {{\n        fe80::10{number}/64\n    }}\n}}\n"
            )
        };
        let begin = Moment::now();
        let _stays = Node::start(host, disk("first"), &of(1));
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        scene.line("a", begin, "(VI_61) Entering MASTER STATE");
        let made = || run(host, "ip -o link show dev vrrp6.1 | cut -d: -f1; ip -d link show dev vrrp6.1 | grep alias");
        let before = made();
        assert!(before.contains("alias tanist 1"), "{before}");
        let table = |name: &'static str| {
            host.run(move || PacketFilter::open(name, PacketFilter::PRIORITY)?.is_there())
                .expect("it is on")
                .expect("an answer")
        };
        let is_whole = || {
            let there = run(host, "ip address; ip route; ip rule");
            let parts = ["192.0.2.101/24", "203.0.1.0/24 dev eth0", "from 203.0.1.0/24"];
            table("tanist_1")
                && table("tanist_1_links")
                && parts.iter().all(|part| there.contains(part))
                && made() == before
        };
        scene.until("everything is there", is_whole);
        let whole = Moment::now();

        // It comes, is killed, comes again and goes.
        let mut comes_and_goes = Node::start(host, disk("second"), &of(2));
        scene.line("a", whole, "(VI_62) Entering MASTER STATE");
        scene.until("its tables are there", || table("tanist_2") && table("tanist_2_links"));
        comes_and_goes.kill();
        let again = Moment::now();
        comes_and_goes.start_again();
        scene.line("a", again, "vrrp6.2 is there already");
        scene.line("a", again, "(VI_2) Entering MASTER STATE");
        comes_and_goes.stop();
        assert!(!table("tanist_2") && !table("tanist_2_links"), "{}", scene.story());
        let left = run(host, "ip address; ip route; ip rule");
        assert!(!left.contains("192.0.2.102") && !left.contains("203.0.2.0") && !left.contains("vrrp6.2"), "{left}");

        assert!(is_whole(), "{}", scene.story());
        for sign in ["was missing", "has been put back", "made anew"] {
            assert_eq!(scene.count_lines("a", whole, sign), 0, "{}", scene.story());
        }
        run(host, "rm -rf /var/lib/tanist/1 /var/lib/tanist/2");
    });
}

/// Nothing of the first one is taken for what a dead daemon has left behind.
#[test]
fn who_is_started_once_more_by_mistake_takes_nothing_away() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let lines = format!(
            "{QUICK}\n    no_accept\n    use_vmac\n    virtual_routes {{\n        203.0.113.0/24 dev eth0\n    }}\n    \
             virtual_rules {{\n        from 203.0.113.0/24 table 100 preference 7\n    }}"
        );
        let begin = Moment::now();
        let _stays = Node::start(host, tanist(), &configuration("", 150, &lines));
        scene.line("a", begin, "Entering MASTER STATE");
        let index = || run(host, "cat /sys/class/net/vrrp.51/ifindex; true");
        let made = index();
        let is_whole = || {
            let there = run(host, "ip address; ip route; ip rule");
            let table = host.run(|| PacketFilter::open(PacketFilter::TABLE, PacketFilter::PRIORITY)?.is_there());
            ["192.0.2.100/24", "203.0.113.0/24 dev eth0", "from 203.0.113.0/24"].iter().all(|part| there.contains(part))
                && table.expect("it is on").expect("an answer")
                && index() == made
        };
        scene.until("everything is there", is_whole);
        let whole = Moment::now();
        let program = word(binary());
        under_keepalived_s_name(host, "tanist");
        for command in [
            format!("{program} run -f /run/rehearse/tanist.conf --log stderr"),
            format!("{PROGRAM} -n -l -G -f /run/rehearse/tanist.conf"),
        ] {
            let said = run(host, &format!("timeout 60 {command} 2>&1; echo status $?"));
            assert!(said.contains("daemon is already running, it listens at /run/tanist/control.sock"), "{said}");
            assert!(said.ends_with("status 0\n"), "as keepalived: {said}");
        }
        // Who has a pid file of his own says that he is another one; and he leaves alone what he knows nothing of.
        let text = configuration("", 140, QUICK).replace("VI_1", "VI_2").replace("router_id 51", "router_id 52");
        let mut other = tanist();
        other.name = "other".to_owned();
        other.command.extend(["--pid-file", "/run/other.pid"].map(str::to_owned));
        other.command.iter_mut().filter(|it| *it == "{disk}").for_each(|place| *place = "/run/other".to_owned());
        let node = Node::start(host, other, &text.replace("192.0.2.100", "192.0.2.101"));
        scene.line("a", whole, "another daemon listens there; `instance NAME` tells both apart");
        scene.line("a", whole, "(VI_2) Entering MASTER STATE");
        node.stop();
        assert!(is_whole(), "{}", scene.story());
        for sign in ["was missing", "has been put back", "made anew"] {
            assert_eq!(scene.count_lines("a", whole, sign), 0, "{}", scene.story());
        }
        assert!(scene.advertisements(whole).iter().all(|(.., seen)| seen.vrid == 52 || seen.priority == 150));
    });
}

#[test]
fn pid_files_have_a_directory_of_their_own_if_that_is_wanted() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let daemon = under_keepalived_s_name(host, "tanist");
        let node = Node::start(host, daemon, &configuration("use_pid_dir", 150, QUICK));
        scene.line("a", begin, "Entering MASTER STATE");
        assert!(!read(host, "/run/keepalived/vrrp.pid").is_empty());
        assert!(read(host, "/run/vrrp.pid").is_empty());
        // Where they are is decided at the start.
        let again = Moment::now();
        node.reload(&configuration("instance late", 150, QUICK));
        scene.line("a", again, "`instance` has changed, which needs a restart");
        node.stop();
        assert!(read(host, "/run/keepalived/vrrp.pid").is_empty());
    });
}

// Shows: top-level.net_namespace
#[test]
fn it_runs_in_the_network_namespace_that_is_named() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        run(
            host,
            "ip netns add blue && ip -n blue link add eth0 type veth peer name eth1 && \
             ip -n blue address add 192.0.2.1/24 dev eth0 && ip -n blue link set eth1 up && ip -n blue link set eth0 up",
        );
        let text = configuration("net_namespace blue", 150, QUICK);
        let held = |namespace: &str| run(host, &format!("ip {namespace} -o -4 address show")).contains("192.0.2.100");
        for by_option in [false, true] {
            let begin = Moment::now();
            let mut daemon = tanist();
            let mut text = text.clone();
            if by_option {
                // The command line wins.
                text = text.replace("net_namespace blue", "net_namespace nowhere");
                daemon.command.extend(["--namespace".to_owned(), "blue".to_owned()]);
            }
            let node = Node::start(host, daemon, &text);
            scene.line("a", begin, "Entering MASTER STATE");
            scene.until("the address is there", || held("-n blue"));
            assert!(!held(""), "and nowhere else");
            run(host, "test -S /run/tanist/control-blue.sock");
            node.stop();
            assert!(!held("-n blue"));
        }
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text.replace("blue", "nowhere"));
        scene.line("a", begin, "open /run/netns/nowhere");
        assert!(node.program.wait(crate::support::PATIENCE), "it does not run elsewhere instead");
        run(host, "ip netns delete blue");
    });
}

// Shows: global_defs.vrrp_startup_delay
#[test]
fn after_a_start_it_waits_before_it_takes_part() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let text = configuration(&global("    vrrp_startup_delay 1.5"), 150, QUICK);
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text);
        scene.line("a", begin, "Entering BACKUP STATE");
        scene.line("a", begin, "Delaying startup for 1.5 seconds");
        let first = scene.advertised("a", begin, |_| true).at;
        assert!(first.since(begin) >= Duration::from_millis(1500) + QUICK_SILENCE, "{:?}", first.since(begin));
        // A reload is no start.
        let again = Moment::now();
        node.reload(&text.replace("priority 150", "priority 140"));
        scene.advertised("a", again, |seen| seen.priority == 140);
        node.stop();
        // The machine has been up for longer than that.
        let later = Moment::now();
        let _node = Node::start(host, tanist(), &configuration(&global("    vrrp_delay_after_boot 0.001"), 150, QUICK));
        scene.line("a", later, "Entering MASTER STATE");
        assert_eq!(scene.count_lines("a", later, "Delaying startup"), 0);
    });
}

// Shows: global_defs.log_unknown_vrids
#[test]
fn advertisements_of_others_are_reported_if_that_is_wanted() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        let text = configuration("", 150, QUICK);
        let other = text.replace("router_id 51", "router_id 52").replace("192.0.2.100", "192.0.2.101");
        let begin = Moment::now();
        let _other = Node::start(&scene.hosts[1], tanist(), &other);
        let node = Node::start(&scene.hosts[0], tanist(), &text);
        scene.line("a", begin, "Entering MASTER STATE");
        let heard = Moment::now();
        (0..3).for_each(|_| drop(scene.advertised("b", Moment::now(), |_| true)));
        assert_eq!(scene.count_lines("a", heard, "Unknown VRID"), 0);
        let again = Moment::now();
        node.reload(&format!("{}{text}", global("    log_unknown_vrids")));
        scene.line("a", again, "Unknown VRID(52) received on interface(eth0). ignoring...");
        (0..3).for_each(|_| drop(scene.advertised("b", Moment::now(), |_| true)));
        assert_eq!(scene.count_lines("a", again, "Unknown VRID"), 1, "once is enough");
    });
}

// Shows: top-level.child_wait_time
#[test]
fn the_last_scripts_may_take_as_long_as_they_are_given() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // Longer than the five seconds that they have by themselves.
        let script = host.write_program("slow", "#!/bin/sh\nsleep 7\ntouch /run/done\n").expect("a script");
        let lines = format!("{QUICK}\n    notify_stop {}", word(&script));
        let begin = Moment::now();
        let text = configuration(&format!("{}child_wait_time 40", global("    script_user root")), 150, &lines);
        let node = Node::start(host, tanist(), &text);
        scene.line("a", begin, "Entering MASTER STATE");
        node.stop();
        run(host, "test -e /run/done");
    });
}

// Shows: global_defs.set_supplementary_groups
#[test]
fn scripts_have_the_other_groups_of_their_user_only_if_that_is_wanted() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // Nobody but this host sees it.
        run(
            host,
            "cp /etc/group /run/group && echo more:x:4242:nobody >> /run/group && mount --bind /run/group /etc/group",
        );
        run(host, "mkdir -m 777 /run/told");
        let script = host.write_program("groups", "#!/bin/sh\nid -G > /run/told/$3\n").expect("a script");
        run(host, &format!("chmod 755 /run/rehearse {}", word(&script)));
        let lines = format!("{QUICK}\n    notify {}", word(&script));
        let text = |more: &str| configuration(&global(&format!("    script_user nobody\n{more}")), 150, &lines);
        for (more, expected) in [("", false), ("    set_supplementary_groups", true)] {
            let node = Node::start(host, tanist(), &text(more));
            scene.until("the script has run", || !read(host, "/run/told/MASTER").is_empty());
            let groups = read(host, "/run/told/MASTER");
            assert_eq!(groups.split_whitespace().any(|group| group == "4242"), expected, "{groups}");
            node.stop();
            run(host, "rm /run/told/*");
        }
    });
}

/// How much may wait in each socket of a process that receives VRRP.
fn received_by(pid: u32) -> Vec<usize> {
    use rustix::net::sockopt;
    use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

    const VRRP: u32 = 112;
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process has a number");
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("it runs");
    let sockets = (3..100).filter_map(|number| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok());
    let receiving = sockets.filter(|socket| {
        sockopt::socket_protocol(socket).ok().flatten().is_some_and(|protocol| protocol.as_raw().get() == VRRP)
    });
    receiving.filter_map(|socket| sockopt::socket_recv_buffer_size(socket).ok()).collect()
}

// Shows: global_defs.process_monitor_rcv_bufs, global_defs.process_monitor_rcv_bufs_force
#[test]
fn the_ear_for_processes_holds_as_much_as_it_is_told_to() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let text = |more: &str| {
            let tracked = "vrrp_track_process sleepers {\n    process sleeper\n    weight 1\n}\n";
            let lines = format!("{QUICK}\n    track_process {{\n        sleepers\n    }}");
            configuration(&(global(more) + tracked), 150, &lines)
        };
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text(""));
        scene.line("a", begin, "Entering MASTER STATE");
        let holds = |octets: usize, more: &str| {
            let again = Moment::now();
            node.reload(&text(more));
            scene.line("a", again, "Reloaded");
            // The kernel keeps twice what it is told, half of it for itself. The thread comes back by and by.
            scene.until(more, || ears_of(node.program.pid()) == [octets * 2]);
        };
        if ears_of(node.program.pid()).is_empty() {
            // The kernel speaks to nobody here, a container for instance.
            scene.line("a", begin, "so /proc is looked through every");
            return;
        }
        holds(100_001, "    process_monitor_rcv_bufs 100001");
        // More than the machine gives to those who do not insist.
        holds(6_000_001, "    process_monitor_rcv_bufs 6000001\n    process_monitor_rcv_bufs_force");
        holds(1024 * 1024, "");
        scene.nobody_resigned(begin);
    });
}

/// How much each socket holds on which the kernel tells a process of others.
fn ears_of(pid: u32) -> Vec<usize> {
    use rustix::net::{AddressFamily, sockopt};
    use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

    const NETLINK_CONNECTOR: u32 = 11;
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process has a number");
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("it runs");
    let sockets = (3..100).filter_map(|number| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok());
    let ears = sockets.filter(|socket| {
        sockopt::socket_domain(socket) == Ok(AddressFamily::NETLINK)
            && sockopt::socket_protocol(socket)
                .ok()
                .flatten()
                .is_some_and(|one| one.as_raw().get() == NETLINK_CONNECTOR)
    });
    ears.filter_map(|socket| sockopt::socket_recv_buffer_size(socket).ok()).collect()
}

// Shows: global_defs.vrrp_rx_bufs_policy, global_defs.vrrp_rx_bufs_multiplier, vrrp_instance.kernel_rx_buf_size
// Shows: global_defs.vrrp_netlink_cmd_rcv_bufs, global_defs.vrrp_netlink_cmd_rcv_bufs_force
// Shows: global_defs.vrrp_netlink_monitor_rcv_bufs, global_defs.vrrp_netlink_monitor_rcv_bufs_force
#[test]
fn sockets_queue_as_much_as_they_are_told_to() {
    slow_test_with_users(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let text = |more: &str, lines: &str| configuration(&global(more), 150, &format!("{QUICK}\n{lines}"));
        let node = Node::start(host, tanist(), &text("    vrrp_rx_bufs_policy 50001", ""));
        scene.line("a", begin, "Entering MASTER STATE");
        // The kernel keeps twice what it is told, half of it for itself.
        let has =
            |family: &str, octets: u32| run(host, &format!("ss {family} -anm")).contains(&format!("rb{},", octets * 2));
        let waits = |octets: usize| assert_eq!(received_by(node.program.pid()), [octets * 2]);
        waits(50_001);
        let reload = |more: &str, lines: &str| {
            let again = Moment::now();
            node.reload(&text(more, lines));
            scene.line("a", again, "Reloaded");
        };
        reload("    vrrp_rx_bufs_policy MTU\n    vrrp_rx_bufs_multiplier 41", "");
        waits(1500 * 41);
        // 20 octets of IP, 8 of VRRP, 8 that version 2 had, 4 for the address.
        reload("    vrrp_rx_bufs_policy ADVERT\n    vrrp_rx_bufs_multiplier 1000", "");
        waits(40 * 1000);
        reload("", "    kernel_rx_buf_size 70001");
        waits(70_001);
        reload("", "");
        waits(1024 * 1024);
        // More than the machine gives to those who do not insist.
        reload(
            "    vrrp_netlink_cmd_rcv_bufs 300001\n    vrrp_netlink_cmd_rcv_bufs_force\n    \
             vrrp_netlink_monitor_rcv_bufs 400001\n    vrrp_netlink_monitor_rcv_bufs_force",
            "",
        );
        assert!(has("-f netlink", 300_001) && has("-f netlink", 400_001), "{}", run(host, "ss -f netlink -anm"));
        reload("    vrrp_netlink_cmd_rcv_bufs 100001\n    vrrp_netlink_monitor_rcv_bufs 100003", "");
        assert!(has("-f netlink", 100_001) && has("-f netlink", 100_003));
        assert_eq!(scene.holders(ADDRESS), ["a"]);
        scene.nobody_resigned(begin);
    });
}
