//! What the daemon takes away from itself, what its programs have all the same, and a daemon that is not root.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use linux::signals::Signal;

use crate::support::story::run;
use crate::support::{
    ADDRESS, Daemon, Host, Moment, Node, QUICK, Scene, binary, configuration, dumping_to, is_installed, patiently,
    slow_test, slow_test_with_users, tanist, test_name, word,
};

/// CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE, NET_ADMIN, NET_RAW, IPC_LOCK, SYS_PTRACE, SYS_NICE,
/// SYS_RESOURCE, by their numbers in `linux/capability.h`.
const NEEDED: [u32; 13] = [0, 1, 3, 5, 6, 7, 10, 12, 13, 14, 19, 23, 24];

/// A line of `/proc/PID/status`.
fn field(status: &str, name: &str) -> String {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no {name} in\n{status}")).trim().to_owned()
}

fn set(status: &str, name: &str) -> u64 {
    u64::from_str_radix(&field(status, name), 16).expect("a set of capabilities")
}

/// What the kernel says of each thread of the daemon.
fn threads(node: &Node) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", node.program.pid())).expect("it runs");
    tasks.filter_map(|task| fs::read_to_string(task.expect("a thread").path().join("status")).ok()).collect()
}

/// What each of them says of one thing.
fn of_threads(node: &Node, name: &str) -> BTreeSet<String> {
    let threads = threads(node);
    assert!(threads.len() > 1, "the log has a thread of its own");
    threads.iter().map(|status| field(status, name)).collect()
}

fn tanist_says(host: &Host, words: &str) -> String {
    run(host, &format!("{} {words}; true", word(binary())))
}

fn confinement(host: &Host) -> api::Confinement {
    let text = tanist_says(host, "status --json");
    let status: api::Status = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    status.confinement.expect("the daemon tells")
}

fn in_force(confinement: &api::Confinement) -> Vec<&str> {
    confinement.measures.iter().filter(|measure| measure.in_force).map(|measure| measure.name.as_str()).collect()
}

/// Says to a file what it may, and tries what a confined one may not.
const TELLING: &str = "#!/bin/sh\n\
    { grep -E 'Cap|NoNewPrivs|Seccomp' /proc/self/status\n\
      unshare --uts true 2>&1 && echo unshared\n\
      true > \"$1\" && echo written\n\
      echo end; } > /run/dumps/told.new 2>&1\n\
    mv /run/dumps/told.new /run/dumps/told\n";

/// A host with a notify script, and what the script is to write where.
fn with_script(host: &Host, elsewhere: &str) -> String {
    let script = host.write_program("told", TELLING).expect("a script");
    run(host, "mkdir -p /run/dumps /run/elsewhere");
    let lines = format!("{QUICK}\n    notify_master \"{} {elsewhere}\"", word(&script));
    configuration("global_defs {\n    script_user root\n}", 150, &lines)
}

fn told(scene: &Scene) -> String {
    let read = || scene.hosts[0].read_file(Path::new("/run/dumps/told")).unwrap_or_default();
    scene.until("the script has run", || read().contains("end\n"));
    read()
}

fn dumping(daemon: Daemon, options: &[&str]) -> Daemon {
    let mut daemon = dumping_to("/run/dumps", daemon);
    daemon.command.extend(options.iter().map(|option| (*option).to_owned()));
    daemon
}

/// By default nothing that is started can notice it.
#[test]
fn the_daemon_has_the_capabilities_that_it_needs_and_its_scripts_have_all() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let ours = fs::read_to_string("/proc/self/status").expect("proc");
        let text = with_script(host, "/run/elsewhere/file");
        let begin = Moment::now();
        let node = Node::start(host, dumping(tanist(), &[]), &text);
        scene.line("a", begin, "Confined: capabilities, memory");
        scene.line("a", begin, "Entering MASTER STATE");
        let needed = NEEDED.iter().fold(0, |set, number| set | 1_u64 << number);
        for status in threads(&node) {
            assert_eq!(set(&status, "CapEff"), set(&ours, "CapEff") & needed, "{status}");
            assert_eq!(
                (field(&status, "NoNewPrivs"), field(&status, "Seccomp")),
                (field(&ours, "NoNewPrivs"), field(&ours, "Seccomp"))
            );
        }
        let of_script = told(&scene);
        for name in ["CapEff", "CapPrm", "CapBnd"] {
            assert_eq!(set(&of_script, name), set(&ours, name), "{name} of the script");
        }
        assert_eq!(field(&of_script, "NoNewPrivs"), field(&ours, "NoNewPrivs"));
        assert!(of_script.contains("unshared\nwritten\n"), "{of_script}");

        let told = confinement(host);
        assert_eq!(in_force(&told), ["capabilities", "memory"]);
        assert!(told.measures.iter().all(|measure| measure.asked == measure.in_force), "{told:?}");
        let count = (set(&ours, "CapEff") & needed).count_ones();
        assert_eq!((told.user, told.capabilities.len()), (0, count as usize), "{told:?}");
        assert!(told.capabilities.iter().any(|name| name == "CAP_NET_ADMIN"), "{told:?}");
        let shown = tanist_says(host, "status");
        assert!(
            shown.contains("confined: capabilities, memory, not no-new-privileges, not seccomp, not landlock"),
            "{shown}"
        );

        // What a reload may ask for goes on, and so does everything else.
        let again = Moment::now();
        node.reload(&text.replace("script_user root", "script_user root\n    vrrp_priority -3\n    vrrp_no_swap"));
        scene.line("a", again, "Reloaded");
        assert_eq!(scene.count_lines("a", again, "going on without"), 0, "{}", scene.story());
        scene.nobody_resigned(begin);
    });
}

/// Everything at once: the daemon works, its files are written, and what is refused is refused to its programs, too.
#[test]
fn a_daemon_that_is_confined_in_every_way_does_its_work() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        // Directories that the daemon makes, and one that it does not.
        let places = "script_user root\n    config_save_dir /run/kept\n    reload_file /run/signs/reading\n    \
                      stats_dump_file /run/missing/stats";
        let text = with_script(host, "/run/elsewhere/file").replace("script_user root", places);
        let begin = Moment::now();
        let node = Node::start(host, dumping(tanist(), &["--confine", "all"]), &text);
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        let landlock = linux::confinement::files::version() > 0;
        if landlock {
            scene.line("a", begin, "files in /run/missing cannot be written: there was no such directory");
        } else {
            scene.line("a", begin, "Not confined as asked: landlock");
        }
        scene.line("a", begin, "Scripts and services that are started have this, too: no-new-privileges, seccomp");
        assert_eq!(of_threads(&node, "NoNewPrivs"), ["1".to_owned()].into());
        assert_eq!(of_threads(&node, "Seccomp"), ["2".to_owned()].into());
        let first = &threads(&node)[0];
        assert_eq!(set(first, "CapPrm"), set(first, "CapEff"), "given up for good");
        let all = ["capabilities", "memory", "no-new-privileges", "seccomp", "landlock"];
        assert_eq!(in_force(&confinement(host)), all[..if landlock { 5 } else { 4 }]);

        let of_script = told(&scene);
        assert_eq!((field(&of_script, "NoNewPrivs"), field(&of_script, "Seccomp")), ("1".to_owned(), "2".to_owned()));
        assert_eq!(set(&of_script, "CapEff"), set(&threads(&node)[0], "CapEff"), "not more than the daemon's");
        assert!(!of_script.contains("unshared"), "{of_script}");
        assert_eq!(of_script.contains("written"), !landlock, "{of_script}");

        // Dumps, a reload, an end: as always.
        node.signal(Signal::USER_1);
        scene.until("the dump", || {
            host.read_file(Path::new("/run/dumps/keepalived.data")).unwrap_or_default().contains("VRRP Instance")
        });
        let again = Moment::now();
        let elsewhere = "script_user root\n    state_dump_file /run/elsewhere/state";
        node.reload(&text.replace("script_user root", elsewhere).replace("priority 150", "priority 151"));
        scene.line("a", again, "Reloaded");
        scene.advertised("a", again, |seen| seen.priority == 151);
        scene.until("both configurations are kept", || run(host, "ls /run/kept").lines().count() == 2);
        assert_eq!(scene.count_lines("a", begin, "reload_file"), 0, "{}", scene.story());
        if landlock {
            scene.line("a", again, "files in /run/elsewhere cannot be written");
            node.signal(Signal::USER_1);
            scene.line("a", again, "write /run/elsewhere/state: Permission denied");
            assert!(host.read_file(Path::new("/run/elsewhere/state")).is_err());
        }
        let end = Moment::now();
        node.stop();
        scene.resigned("a", end);
        assert!(scene.holders(ADDRESS).is_empty());
    });
}

#[test]
fn who_wants_none_of_it_has_none() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let ours = fs::read_to_string("/proc/self/status").expect("proc");
        let begin = Moment::now();
        let node =
            Node::start(host, dumping(tanist(), &["--confine", "none"]), &with_script(host, "/run/elsewhere/file"));
        scene.line("a", begin, "Entering MASTER STATE");
        assert!(in_force(&confinement(host)).is_empty());
        assert!(threads(&node).iter().all(|status| set(status, "CapEff") == set(&ours, "CapEff")));
        assert_eq!(scene.count_lines("a", begin, "Confined"), 0);
    });
}

/// As an ordinary user with the capabilities that a unit gives it (`AmbientCapabilities`).
#[test]
fn an_ordinary_user_with_capabilities_takes_over() {
    slow_test_with_users(|| {
        if !is_installed("setpriv") {
            rehearse::lab::skip(&test_name(), &"setpriv is not installed");
            return;
        }
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        run(host, "mkdir /run/plain && chown 65534:65534 /run/plain && chmod 755 /run/rehearse");
        let caps = "+net_admin,+net_raw";
        let mut daemon = tanist();
        let options = ["--control", "/run/plain/control.sock", "--pid-file", "/run/plain/pid"];
        daemon.command.extend(options.map(str::to_owned));
        let place = daemon.command.iter().position(|word| word == "{disk}").expect("a directory for state");
        daemon.command[place] = "/run/plain/state".to_owned();
        let wrapped = [
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "--inh-caps",
            caps,
            "--ambient-caps",
            caps,
        ];
        let mut daemon = dumping_to("/run/plain", daemon);
        daemon.command.splice(0..0, wrapped.map(str::to_owned));
        let script = host.write_program("told", "#!/bin/sh\nid -u > /run/plain/told\n").expect("a script");
        let root = host.write_program("as-root", "#!/bin/sh\necho > /run/plain/root\n").expect("a script");
        let lines = format!(
            "{QUICK}\n    strict_mode off\n    notify_master {} 65534 65534\n    notify {} root",
            word(&script),
            word(&root)
        );
        let text = configuration("", 150, &lines);
        let begin = Moment::now();
        let node = Node::start(host, daemon, &text);
        scene.line("a", begin, "Entering MASTER STATE");
        scene.only("a", ADDRESS);
        scene.advertised("a", begin, |seen| seen.priority == 150);
        let status = &threads(&node)[0];
        assert_eq!(field(status, "Uid").split_whitespace().next(), Some("65534"));
        assert_eq!(set(status, "CapEff"), 1 << 12 | 1 << 13);
        // What it may not do is said, with the reason.
        scene.line("a", begin, "become user 0");
        let read = |name: &str| host.read_file(&Path::new("/run/plain").join(name)).unwrap_or_default();
        scene.until("its own script has run", || read("told") == "65534\n");
        assert!(read("root").is_empty());
        node.signal(Signal::USER_1);
        scene.until("the dump", || read("keepalived.data").contains("State = MASTER"));
        // Its files are its own, and for nobody else.
        let modes = run(host, "cd /run/plain && stat -c '%u %a' control.sock control.sock.lock pid keepalived.data");
        assert_eq!(modes, "65534 660\n65534 600\n65534 644\n65534 600\n");
        // Nobody but root looks into its memory: to the kernel it is not a process of that user's.
        let environment = fs::metadata(format!("/proc/{}/environ", node.program.pid())).expect("it runs");
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&environment), 0);
        let told = run(host, &format!("{} status --json --control /run/plain/control.sock; true", word(binary())));
        let status: api::Status = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
        let told = status.confinement.expect("it tells");
        assert_eq!(
            (told.user, told.capabilities),
            (65_534, vec!["CAP_NET_ADMIN".to_owned(), "CAP_NET_RAW".to_owned()])
        );
        let again = Moment::now();
        node.reload(&text.replace("priority 150", "priority 151"));
        scene.advertised("a", again, |seen| seen.priority == 151);
        let end = Moment::now();
        node.stop();
        scene.resigned("a", end);
        assert!(patiently(|| !host.has_address(ADDRESS.into())));
    });
}

/// Without the capabilities it says at once what is missing.
#[test]
fn an_ordinary_user_without_capabilities_says_what_is_missing() {
    slow_test_with_users(|| {
        if !is_installed("setpriv") {
            rehearse::lab::skip(&test_name(), &"setpriv is not installed");
            return;
        }
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        run(host, "chmod 755 /run/rehearse");
        host.write_file("plain.conf", &configuration("", 150, QUICK)).expect("write");
        let command = format!(
            "setpriv --reuid 65534 --regid 65534 --clear-groups {} run -f /run/rehearse/plain.conf --control none \
             --state-dir none 2>&1; echo status $?",
            word(binary())
        );
        let said = run(host, &format!("timeout 60 sh -c '{command}'"));
        assert!(said.contains("not permitted") && said.contains("status 4"), "as keepalived: {said}");
    });
}
