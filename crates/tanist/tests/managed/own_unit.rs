//! The unit file that we ship, with a real systemd: what it says is what the daemon needs.

use std::fs;
use std::process::Command;
use std::time::Duration;

use api::{Role, ServiceState, Status};

use crate::ground::on;
use crate::pair::{A, COMMAND, Pair, Plan};
use crate::real::machine::{Machine, NEEDS};
use crate::real::may_run;
use crate::support::story::run;
use crate::support::{ADDRESS, Moment, QUICK, binary, configuration, slow_test, slow_test_with_users, word};

const UNIT: &str = "tanist.service";
const FILE: &str = include_str!("../../../../packaging/tanist.service");

/// A host whose systemd has the unit; it ends before its host.
struct Node {
    machine: Machine,
    pair: Pair,
}

impl Node {
    /// Nothing runs yet.
    fn new(plan: Plan) -> Self {
        let pair = Pair::new(plan);
        let machine = on(pair.host(A), &[], |ground| Machine::boot_on(ground, &[]));
        let node = Self { machine, pair };
        let directory = node.machine.path("/etc/systemd/system");
        fs::write(directory.join(UNIT), FILE).expect("the unit's file");
        // What an operator adapts: where the program and its configuration are.
        let drop_in = directory.join(format!("{UNIT}.d"));
        fs::create_dir(&drop_in).expect("a directory");
        let file = node.configure(&node.pair.plan.configuration(A));
        let lines = format!("[Service]\nExecStart=\nExecStart={} run -f {file}\n", word(binary()));
        fs::write(drop_in.join("here.conf"), lines).expect("a drop-in");
        node.machine.systemctl(&["daemon-reload"]);
        node
    }

    fn configure(&self, text: &str) -> String {
        let file = self.pair.host(A).write_file("tanist.conf", text).expect("write the configuration");
        file.to_str().expect("a path in ASCII").to_owned()
    }

    fn systemctl(&self, verb: &str) -> Moment {
        let at = self.pair.scene.lab.note("a", &format!("systemctl {verb} {UNIT}"));
        self.machine.systemctl(&[verb, UNIT]);
        at
    }

    fn status(&self) -> Option<Status> {
        let mut ask: Command = self.machine.inside(word(binary()));
        let output = ask.args(["status", "--json"]).output().expect("ask");
        serde_json::from_slice(&output.stdout).ok()
    }

    /// It has the role, and its service runs, in a group of its own inside of the unit's.
    fn works(&self) {
        self.pair.works_alone(A);
        self.pair.scene.until("it says so", || {
            self.status().is_some_and(|status| {
                status.instances[0].role == Role::Master && status.services[0].state == ServiceState::Running
            })
        });
        assert_eq!(self.machine.property(UNIT, "ActiveState"), "active");
        assert_eq!(self.groups().len(), 1, "{:?}", self.groups());
    }

    /// The groups of services.
    fn groups(&self) -> Vec<String> {
        let place = self.machine.path(&format!("/sys/fs/cgroup/system.slice/{UNIT}"));
        let names = fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with("tanist.")).collect()
    }

    /// When a collector has said this since then.
    fn said(&self, since: Moment, what: &str) -> Vec<Moment> {
        let records = self.pair.scene.lab.journal().all().into_iter();
        let says =
            records.filter(|record| record.at >= since && record.to_string().contains(&format!("collector {what} ")));
        says.map(|record| record.at).collect()
    }
}

#[test]
fn it_starts_reloads_and_stops_in_order() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let begin = Moment::now();
        let mut plan = Plan::alone(COMMAND);
        // It goes on so long when it is told to stop: who resigns earlier is seen.
        plan.manner.stop = Duration::from_millis(500);
        let node = Node::new(plan);
        // As it was meant: a word that systemd does not know is passed over.
        for (property, expected) in [
            ("Type", "notify"),
            ("KillMode", "mixed"),
            ("Delegate", "yes"),
            ("TimeoutStopUSec", "5min"),
            ("Restart", "on-failure"),
            ("RestartUSec", "1s"),
            ("RestartPreventExitStatus", "2 6"),
            ("StartLimitIntervalUSec", "0"),
            ("Conflicts", "shutdown.target keepalived.service"),
        ] {
            let mut words: Vec<String> = node.machine.property(UNIT, property).split(' ').map(str::to_owned).collect();
            let mut expected: Vec<&str> = expected.split(' ').collect();
            words.sort();
            expected.sort_unstable();
            assert_eq!(words, expected, "{property}");
        }
        node.systemctl("start");
        node.works();

        // A second address, and nothing else.
        let plan = &node.pair.plan;
        let text = plan.configuration(A).replace(&format!("{ADDRESS}/24"), &format!("{ADDRESS}/24\n192.0.2.101/24"));
        node.configure(&text);
        node.systemctl("reload");
        let second = "192.0.2.101".parse().expect("an address");
        node.pair.scene.until("the new address is there", || node.pair.scene.holders(second) == ["a"]);
        node.works();
        assert_eq!(node.pair.begun(A, begin), 1, "{}", node.pair.story());

        let asked = node.systemctl("stop");
        assert_eq!(node.machine.property(UNIT, "ActiveState"), "inactive");
        assert_eq!(node.machine.property(UNIT, "Result"), "success");
        assert_eq!(node.machine.property(UNIT, "ExecMainStatus"), "0");
        let resigned = node.pair.scene.resigned("a", asked).at;
        let (told, ended) = (node.said(asked, "is told to stop"), node.said(asked, "ends"));
        assert_eq!((told.len(), ended.len()), (1, 1), "only the daemon tells it, and once\n{}", node.pair.story());
        assert!(told[0] < ended[0] && ended[0] < resigned, "{}", node.pair.story());
        node.pair.scene.until("the addresses are gone", || node.pair.scene.holders(ADDRESS).is_empty());
        node.pair.never_two(begin);
    });
}

/// After a crash it is back, and a configuration that cannot be used is not tried for ever.
#[test]
fn it_is_restarted_where_that_helps() {
    slow_test(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let begin = Moment::now();
        let node = Node::new(Plan::alone(COMMAND));
        node.systemctl("start");
        node.works();
        node.machine.crash(UNIT);
        node.pair.scene.until("it begins anew", || node.pair.begun(A, begin) == 2);
        node.works();
        node.pair.never_two(begin);
        node.systemctl("stop");

        node.configure("vrrp_instance VI_1 {\n    no_such_word\n}\n");
        let refused = node.machine.inside("systemctl").args(["start", UNIT]).output().expect("systemctl");
        assert!(!refused.status.success());
        assert_eq!(node.machine.property(UNIT, "ExecMainStatus"), "2");
        crate::support::let_pass(Duration::from_secs(3));
        assert_eq!(node.machine.property(UNIT, "ActiveState"), "failed");
        assert_eq!(node.machine.property(UNIT, "NRestarts"), "0");
    });
}

/// The lines that stand in the unit for an ordinary user, as they stand there, but for who that is.
#[test]
fn its_lines_for_an_ordinary_user_work() {
    slow_test_with_users(|| {
        if !may_run(&NEEDS) {
            return;
        }
        let node = Node::new(Plan::alone(COMMAND));
        let uncommented = |line: &str| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && setting.contains('=') => setting.to_owned(),
            _ => line.to_owned(),
        };
        let text: String = FILE.lines().map(|line| uncommented(line) + "\n").collect();
        assert!(text.contains("\nUser=tanist\nGroup=tanist\nAmbientCapabilities=CAP_NET_ADMIN "), "{text}");
        let text = text.replace("User=tanist", "User=65534").replace("Group=tanist", "Group=65534");
        fs::write(node.machine.path("/etc/systemd/system").join(UNIT), text).expect("the unit's file");
        node.machine.systemctl(&["daemon-reload"]);
        node.configure(&configuration("", 150, QUICK));
        run(node.pair.host(A), "chmod 755 /run/rehearse && chmod 644 /run/rehearse/tanist.conf");
        node.systemctl("start");
        node.pair.scene.only("a", ADDRESS);
        let status = node.status().expect("root may ask");
        let confinement = status.confinement.expect("it tells");
        assert_eq!(confinement.user, 65_534);
        assert_eq!(confinement.capabilities, ["CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW"]);
        let stat = |place: &str| {
            let output = node.machine.inside("stat").args(["-c", "%u %a", place]).output().expect("stat");
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        assert_eq!(stat("/run/tanist/control.sock"), "65534 660");
        assert_eq!(stat("/var/lib/tanist/mark"), "65534 600");
        // Systemd passes over what it does not know, or cannot do here; these are what counts.
        for (property, expected) in [("NoNewPrivileges", "yes"), ("ProtectSystem", "full"), ("LockPersonality", "yes")]
        {
            assert_eq!(node.machine.property(UNIT, property), expected, "{property}");
        }
        let pid = node.machine.property(UNIT, "MainPID");
        let shown =
            node.machine.inside("grep").args(["-E", "NoNewPrivs|Seccomp:", &format!("/proc/{pid}/status")]).output();
        assert_eq!(String::from_utf8_lossy(&shown.expect("grep").stdout), "NoNewPrivs:\t1\nSeccomp:\t2\n");
        let asked = node.systemctl("stop");
        node.pair.scene.resigned("a", asked);
        node.pair.scene.until("the address is gone", || node.pair.scene.holders(ADDRESS).is_empty());
        assert_eq!(node.machine.property(UNIT, "Result"), "success");
    });
}
