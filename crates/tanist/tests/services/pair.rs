//! Two hosts, each with a daemon and a collector as its service, and an operator who asks and orders.

use std::collections::BTreeSet;
use std::time::Duration;

use api::{ProtectionState, Role, ServiceState, Status};
use linux::signals::Signal;
use rehearse::lab::{Audit, Collecting, Manner, audit, collectings};

use crate::support::{ADDRESS, Daemon, HOST_DIR, Host, Moment, Node, Scene, binary, tanist, word};

/// The two nodes by their numbers. A has the greater priority.
pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;

/// `service` lines of a collector that the daemon runs itself.
pub(crate) const COMMAND: &str = "    command \"/run/rehearse/collector\"\n";
/// `service` lines of a collector that three programs start, stop and ask for.
pub(crate) const SCRIPTS: &str = "    start \"/run/rehearse/collector-service start\"
    stop \"/run/rehearse/collector-service stop\"
    status \"/run/rehearse/collector-service status\"\n";

/// Who has ticked within this time is at work.
const AT_WORK: Duration = Duration::from_millis(200);

/// What the nodes are told.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What is inside of `service job { … }`.
    pub(crate) service: String,
    /// Further lines of the `pair` block; `None`: there is no such block.
    pub(crate) pair: Option<String>,
    /// Further lines of the instance `VI_1`.
    pub(crate) instance: String,
    /// What stands behind everything else.
    pub(crate) behind: String,
    /// Whether an address moves with the service.
    pub(crate) has_address: bool,
    /// How the collector behaves.
    pub(crate) manner: Manner,
}

impl Plan {
    /// A pair with an address.
    pub(crate) fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            pair: Some(String::new()),
            instance: String::new(),
            behind: String::new(),
            has_address: true,
            manner: Manner::default(),
        }
    }

    /// A node that knows of no other one.
    pub(crate) fn alone(service: impl Into<String>) -> Self {
        Self { pair: None, ..Self::new(service) }
    }

    pub(crate) fn configuration(&self, node: usize) -> String {
        let Self { service, instance, behind, .. } = self;
        let (name, priority) = (["a", "b"][node], [150, 100][node]);
        let pair = self.pair.as_ref().map_or_else(String::new, |lines| {
            let peer = [2, 1][node];
            format!(
                "pair {{\n    node {name}\n    peer 192.0.2.{peer}\n    key_file {HOST_DIR}/pair.key\n{lines}\n}}\n"
            )
        });
        let address = if self.has_address {
            format!("    virtual_ipaddress {{\n        {ADDRESS}/24\n    }}\n")
        } else {
            String::new()
        };
        format!(
            "service job {{\n{service}}}\n{pair}vrrp_instance VI_1 {{\n    interface eth0\n    virtual_router_id 51\n    \
             priority {priority}\n    version 3\n    advert_int 0.2\n{instance}{address}    service job\n}}\n{behind}"
        )
    }
}

/// The hosts and what runs on them.
pub(crate) struct Pair {
    pub(crate) scene: Scene,
    pub(crate) plan: Plan,
    nodes: [Option<Node>; 2],
}

impl Pair {
    /// Both hosts, without a daemon yet.
    pub(crate) fn new(plan: Plan) -> Self {
        Self::on(Scene::new(&["a", "b"]), plan)
    }

    /// On these two hosts.
    pub(crate) fn on(scene: Scene, plan: Plan) -> Self {
        let pair = Self { scene, plan, nodes: [None, None] };
        [A, B].into_iter().for_each(|node| pair.furnish(node));
        pair
    }

    /// A has the service, B stands by.
    pub(crate) fn in_good_order(plan: Plan) -> Self {
        let mut pair = Self::new(plan);
        pair.start(A);
        pair.works_alone(A);
        pair.start(B);
        pair.is_well(A);
        pair
    }

    fn furnish(&self, node: usize) {
        self.write_collector(node, &self.plan.manner);
        // Any key will do, as long as both have the same.
        self.host(node).write_secret("pair.key", &("5a".repeat(32) + "\n")).expect("write the key");
    }

    /// From its next start on the collector of this node behaves so.
    pub(crate) fn write_collector(&self, node: usize, manner: &Manner) {
        let program = [word(binary()).to_owned(), "rehearse".to_owned()];
        self.host(node).write_collector(&program, manner).expect("a collector");
    }

    pub(crate) fn host(&self, node: usize) -> &Host {
        &self.scene.hosts[node]
    }

    pub(crate) fn name(&self, node: usize) -> &str {
        self.host(node).name()
    }

    /// Starts the daemon, with the plan's configuration.
    pub(crate) fn start(&mut self, node: usize) {
        self.start_with(node, &self.plan.configuration(node));
    }

    pub(crate) fn start_with(&mut self, node: usize, configuration: &str) {
        self.start_as(node, tanist(), configuration);
    }

    pub(crate) fn start_as(&mut self, node: usize, daemon: Daemon, configuration: &str) {
        self.nodes[node] = Some(Node::start(self.host(node), daemon, configuration));
    }

    /// The daemon, which was started.
    pub(crate) fn daemon(&self, node: usize) -> &Node {
        self.nodes[node].as_ref().expect("it was started")
    }

    pub(crate) fn power_off(&self, node: usize) -> Moment {
        let at = self.scene.lab.note(self.name(node), "power off");
        self.host(node).power_off().expect("power off");
        at
    }

    /// What is on its disk is there again; nothing runs yet.
    pub(crate) fn power_on(&self, node: usize) {
        self.scene.lab.note(self.name(node), "power on");
        self.host(node).power_on().expect("power on");
        self.furnish(node);
    }

    // ── the operator ──────────────────────────────────────────────────────────────────────────────────

    /// Types `tanist …` on a node: its exit status and what it prints.
    pub(crate) fn tanist(&self, node: usize, words: &[&str]) -> (i32, String) {
        let output = self.host(node).output(&[&[word(binary())], words].concat()).expect("run ourselves");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().expect("it was not killed"), String::from_utf8_lossy(&text).into_owned())
    }

    /// Types a command that must be obeyed.
    pub(crate) fn order(&self, node: usize, words: &[&str]) -> String {
        let (status, text) = self.tanist(node, words);
        assert_eq!(status, 0, "tanist {}: {text}\n{}", words.join(" "), self.story());
        text
    }

    /// What a node says of everything; `None` while its daemon does not answer.
    pub(crate) fn ask(&self, node: usize) -> Option<Status> {
        let (status, text) = self.tanist(node, &["status", "--json"]);
        (status == 0).then(|| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    /// As [`ask`](Self::ask), for a daemon that must answer.
    pub(crate) fn status(&self, node: usize) -> Status {
        self.ask(node).unwrap_or_else(|| panic!("{} does not answer\n{}", self.name(node), self.story()))
    }

    /// Waits until a node says so.
    pub(crate) fn says(&self, node: usize, what: &str, mut is_so: impl FnMut(&Status) -> bool) -> Status {
        let mut last = None;
        let so = crate::support::patiently(|| {
            last = self.ask(node);
            last.as_ref().is_some_and(&mut is_so)
        });
        assert!(so, "{} never said {what}, but {last:#?}\n{}", self.name(node), self.story());
        last.expect("it has said so")
    }

    /// Waits until a node says that a failure now would be survived.
    pub(crate) fn is_well(&self, node: usize) -> Status {
        self.says(node, "that all is well", |status| status.protection.state == ProtectionState::Protected)
    }

    /// Waits until a node has the role and says so.
    pub(crate) fn is_active(&self, node: usize) -> Status {
        self.says(node, "that it is active", |status| {
            status.instances[0].role == Role::Master && status.services[0].state == ServiceState::Running
        })
    }

    // ── the service ───────────────────────────────────────────────────────────────────────────────────

    /// Sends a signal to the collector of a node, which must be there.
    pub(crate) fn signal(&self, node: usize, signal: Signal) -> Moment {
        let at = self.scene.lab.note(self.name(node), &format!("signal {} to its collector", signal.0));
        let count = self.host(node).signal_collectors(signal).expect("signal the collectors");
        assert!(count > 0, "no collector runs on {}\n{}", self.name(node), self.story());
        at
    }

    /// Kills the collector of a node and waits until another one has begun, anywhere.
    pub(crate) fn kill_and_wait(&self, node: usize) -> Moment {
        let at = self.signal(node, Signal::KILL);
        self.scene.until("a collector begins anew", || !self.starts(at).is_empty());
        at
    }

    /// The hosts on which a collector is at work now.
    pub(crate) fn at_work(&self) -> BTreeSet<String> {
        let since = Moment::now() - AT_WORK;
        let ticks = self.scene.lab.journal().ticks();
        ticks.into_iter().rev().take_while(|tick| tick.at >= since).map(|tick| tick.host.to_string()).collect()
    }

    /// Waits until a collector is at work on this node, and the address is there, if there is one, and nowhere else.
    pub(crate) fn works_alone(&self, node: usize) {
        let name = self.name(node);
        let alone = BTreeSet::from([name.to_owned()]);
        self.scene.until(&format!("{name} alone is at work"), || {
            self.at_work() == alone && (!self.plan.has_address || self.scene.holders(ADDRESS) == [name])
        });
    }

    /// Who was at work when. One that had no time for a while counts twice.
    pub(crate) fn collectings(&self) -> Vec<Collecting> {
        collectings(&self.scene.lab.journal().ticks())
    }

    /// The hosts on which a collector has begun since then, in their order.
    pub(crate) fn starts(&self, since: Moment) -> Vec<String> {
        let ticks = self.scene.lab.journal().ticks().into_iter();
        ticks.filter(|tick| tick.number == 0 && tick.at >= since).map(|tick| tick.host.to_string()).collect()
    }

    /// How often a collector has begun on a node since then.
    pub(crate) fn begun(&self, node: usize, since: Moment) -> usize {
        self.starts(since).iter().filter(|host| *host == self.name(node)).count()
    }

    pub(crate) fn audit(&self, since: Moment) -> Audit {
        audit(&self.scene.lab.journal().ticks(), since, Moment::now())
    }

    /// Asserts that never two collectors were at work since then.
    pub(crate) fn never_two(&self, since: Moment) {
        let audit = self.audit(since);
        assert!(audit.overlap.is_zero(), "two at once: {audit:?}\n{}", self.story());
    }

    /// Everything that was seen, and who was at work when.
    pub(crate) fn story(&self) -> String {
        let records = self.scene.lab.journal().all().into_iter().map(|record| (record.at, record.to_string()));
        let work = self.collectings().into_iter().flat_map(|Collecting { by, pid, from, until, .. }| {
            let who = format!("{by:<4} collector {pid}");
            [(from, format!("{from:?} {who} is at work")), (until, format!("{until:?} {who} was at work until here"))]
        });
        let mut lines: Vec<(Moment, String)> = records.chain(work).collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line + "\n").collect()
    }
}
