//! Started under the name `keepalived`: its options, its files, its way to the background.

use std::path::Path;

use crate::support::story::run;
use crate::support::{ADDRESS, Host, QUICK, Scene, Seen, binary, configuration, slow_test, word};

const PROGRAM: &str = "/run/rehearse/keepalived";
const FILES: &str =
    "-p /run/rehearse/pid -r /run/rehearse/vrrp.pid -c /run/rehearse/checkers.pid -b /run/rehearse/bfd.pid";

/// One file for both nodes; who is who is said on the command line.
fn furnished() -> Scene {
    let scene = Scene::new(&["a", "b"]);
    let text = configuration("", 100, QUICK).replace("priority 100", "priority 100\n@left nopreempt\n@right preempt");
    let text = text.replace("    priority 100\n", "@left  priority 150\n@right priority 100\n");
    for host in &scene.hosts {
        host.write_file("keepalived.conf", &text).expect("write");
        run(host, &format!("ln -s {} {PROGRAM}", word(binary())));
    }
    scene
}

fn start(host: &Host, identity: &str) -> String {
    run(host, &format!("{PROGRAM} -f /run/rehearse/keepalived.conf -D -d -G -P -R -i {identity} {FILES} 2>&1"))
}

fn process(host: &Host, file: &str) -> String {
    host.read_file(&Path::new("/run/rehearse").join(file)).unwrap_or_default().trim().to_owned()
}

#[test]
fn it_goes_to_the_background_and_leaves_its_number() {
    slow_test(|| {
        let scene = furnished();
        let [a, b] = [&scene.hosts[0], &scene.hosts[1]];
        // Returns although the daemon goes on, and only when it is ready.
        for (host, identity) in [(a, "left"), (b, "right")] {
            let said = start(host, identity);
            assert_eq!(said, "", "nothing is left to say on {}", host.name());
            let number = process(host, "pid");
            assert_eq!(process(host, "vrrp.pid"), number, "there is one process");
            run(host, &format!("kill -0 {number}"));
        }
        scene.only("a", ADDRESS);
        scene.advertised("a", crate::support::Moment::from_nanos(0), |seen| seen.priority == 150);

        // A second one does not disturb the first.
        let second = run(a, &format!("{PROGRAM} -n -l -G -f /run/rehearse/keepalived.conf -i left {FILES} 2>&1"));
        assert!(second.contains("daemon is already running"), "{second}");
        assert!(second.contains(&process(a, "pid")), "{second}");
        assert_eq!(scene.holders(ADDRESS), ["a"]);

        // As scripts in the wild do it.
        let stopped = scene.lab.note("a", "stop");
        run(a, "kill -TERM $(cat /run/rehearse/pid)");
        scene.resigned("a", stopped);
        scene.only("b", ADDRESS);
        scene.until("the files are gone", || process(a, "pid").is_empty() && process(a, "vrrp.pid").is_empty());
    });
}

#[test]
fn a_number_that_is_stale_blocks_no_start() {
    slow_test(|| {
        let scene = furnished();
        let a = &scene.hosts[0];
        start(a, "left");
        scene.only("a", ADDRESS);
        let number = process(a, "pid");
        run(a, &format!("kill -KILL {number}"));
        scene.until("it is gone", || run(a, &format!("kill -0 {number} 2> /dev/null || echo gone")).contains("gone"));
        assert_eq!(process(a, "pid"), number, "nobody was left to remove the file");
        // The number may even belong to somebody else by now.
        run(a, "echo 1 > /run/rehearse/pid");
        let again = crate::support::Moment::now();
        start(a, "left");
        scene.advertised("a", again, |_| true);
        assert_ne!(process(a, "pid"), "1");
    });
}

#[test]
fn in_the_foreground_it_tells_the_console() {
    slow_test(|| {
        let scene = furnished();
        let begin = crate::support::Moment::now();
        let line = format!(
            "exec {PROGRAM} --dont-fork --log-console --log-detail --no-syslog --vrrp --dont-respawn \
                            --use-file=/run/rehearse/keepalived.conf --config-id=left --pid=/run/rehearse/pid \
                            --vrrp_pid=/run/rehearse/vrrp.pid --checkers_pid=/run/rehearse/c --bfd_pid=/run/rehearse/b"
        );
        let program = scene.hosts[0].start("keepalived", &["sh", "-c", &line]).expect("start");
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        scene.only("a", ADDRESS);
        program.signal(linux::signals::Signal::TERMINATE).expect("stop");
        let ended = scene.wait(begin, "its end", |record| matches!(record.what, Seen::Ended { .. }));
        assert!(ended.to_string().contains("exit status 0"), "{ended}");
    });
}

#[test]
fn options_that_concern_the_process_are_obeyed() {
    slow_test(|| {
        let scene = furnished();
        let host = &scene.hosts[0];
        let begin = crate::support::Moment::now();
        let line = format!(
            "exec {PROGRAM} -n -l -G -D -d -a -m -u 027 -g/run/rehearse/log --flush-log-file --ignore-sigint -V -i left \
                            -f /run/rehearse/keepalived.conf -p /run/rehearse/pid -r /run/rehearse/vrrp.pid"
        );
        let program = host.start("keepalived", &["sh", "-c", &line]).expect("start");
        scene.line("a", begin, "--dont-release-vrrp has no effect");
        // What it has understood, for `-d`.
        scene.line("a", begin, "Settings {");
        scene.line("a", begin, "advertisement_interval: ");
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        let about = |file: &str| run(host, &format!("cat /proc/$(cat /run/rehearse/pid)/{file}"));
        assert!(about("status").contains("Umask:\t0027"));
        let limits = about("limits");
        let cores = limits.lines().find(|line| line.starts_with("Max core file size")).expect("it is listed");
        assert!(cores.contains("unlimited"), "{cores}");
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("it is listed");
        let (now, most) = files.trim().split_once(' ').expect("two figures");
        assert_eq!(Some(now), most.split_whitespace().next(), "{files}");

        run(host, "ip address add 192.0.2.77/24 dev eth0");
        scene.line("a", begin, "Netlink: address 192.0.2.77/24 appeared on eth0");
        run(host, "ip address delete 192.0.2.77/24 dev eth0");
        scene.line("a", begin, "Netlink: address 192.0.2.77/24 vanished from eth0");

        program.signal(linux::signals::Signal::INTERRUPT).expect("interrupt");
        scene.line("a", begin, "SIGINT is ignored, as asked");
        let log = host.read_file(Path::new("/run/rehearse/log")).expect("it is there");
        assert!(log.contains("(VI_1) Entering MASTER STATE"), "{log}");
        assert_eq!(run(host, "stat -c '%a' /run/rehearse/log").trim(), "600");
        assert_eq!(scene.holders(ADDRESS), ["a"]);

        // And nothing stays behind.
        let stopped = scene.lab.note("a", "stop");
        program.signal(linux::signals::Signal::TERMINATE).expect("stop");
        scene.resigned("a", stopped);
        scene.until("the address is gone", || scene.holders(ADDRESS).is_empty());
    });
}
