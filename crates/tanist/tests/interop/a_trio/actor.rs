//! One of three nodes: what runs on it, and what befalls it.

mod configuration;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use engine::{Name, TrackerKind, TrackerName};
use linux::signals::Signal;
use sim::plan::{Act, LinkPlan, Plan, RouterOption, RouterSpec, ScriptPlan, TrackerSpec};

use self::configuration::OF_IPV6;
use super::course::{Course, Deed, Way};
use crate::frr;
use crate::support::story::run;
use crate::support::{Daemon, HOST_DIR, Host, Node, PATIENCE, Program, Scene, tanist};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tanist,
    Keepalived,
    Frr,
}

impl Kind {
    fn daemon(self) -> Daemon {
        match self {
            Self::Tanist => tanist(),
            Self::Keepalived => Daemon::keepalived(),
            Self::Frr => panic!("FRR is started by hand"),
        }
    }

    /// Whether it can be this node of the course: what it does not know by nature is not asked of it.
    pub(crate) fn can_be(self, course: &Course, node: usize) -> bool {
        match self {
            Self::Tanist => true,
            Self::Keepalived => suits_keepalived(course, node),
            Self::Frr => frr::is_installed() && suits_frr(course, node),
        }
    }
}

/// keepalived 2.2.7 takes no advertisement with another list of addresses and does not start where a tracked interface is
/// absent, and the kernel tells it of no processes on a host of the lab. Over IPv6 nobody hears it any more once its interface
/// was made anew (it logs "send advert error 22"), although it takes itself for the master. An owner of addresses gives up
/// there when it loses its own address. Where it is active, its next advertisement waits anew with each one that it hears and
/// does not believe.
fn suits_keepalived(course: &Course, node: usize) -> bool {
    let lists = |option: &RouterOption| matches!(option, RouterOption::Addresses(_));
    let reloads_lists = (0..course.plan.nodes.len())
        .flat_map(|node| course.acts_on(node))
        .any(|act| matches!(act, Act::Reload(options) if options.iter().any(lists)));
    let routers = |node: usize| course.plan.nodes[node].routers.iter().flatten();
    let list_of = |node: usize| routers(node).find(|option| lists(option));
    let others = node > 0 && (reloads_lists || list_of(0) != list_of(node));
    let begins_without = course.stretches[0]
        .deeds
        .iter()
        .any(|deed| matches!(deed, Deed::Node(to, Act::Link(_, LinkPlan::Absent)) if to.node == node));
    let is_drowned = course.end().values().any(|speakers| speakers.len() > 1 && speakers.contains(&node));
    let counts = course.plan.nodes[node].trackers.iter().any(|one| one.settings.kind() == TrackerKind::Process);
    let begins_anew =
        course.acts_on(node).any(|act| matches!(act, Act::Link(link, LinkPlan::Absent) if **link == *"eth0"));
    let is_lost = course.way == Way::Ipv6 && begins_anew;
    !others && !begins_without && !is_drowned && !counts && !is_lost && !loses_own_address_as_owner(course, node)
}

fn loses_own_address_as_owner(course: &Course, node: usize) -> bool {
    course.priority(node) == 255 && course.acts_on(node).any(|act| matches!(act, Act::Link(_, LinkPlan::Addressless)))
}

/// FRR knows no passwords, checks, tracked interfaces or unicast (and believes what comes by it all the same), and its interface with the virtual address is made by
/// hand: the kernel of a host that has an address takes nothing from another that sends from there.
fn suits_frr(course: &Course, node: usize) -> bool {
    use RouterOption::{Addresses, Interval, Preempt, Priority, Version, Vrid};
    let routers = &course.plan.nodes[node].routers;
    let knows = |option: &RouterOption| match option {
        Priority(priority) => *priority < 255,
        // Over IPv6, all have its two.
        Addresses(list) => list.len() == 1 || course.way == Way::Ipv6,
        Vrid(_) | Interval(_) | Preempt(_) | Version(_) => true,
        // When addresses are announced does not decide on a role.
        option => option.to_string().starts_with("garp_"),
    };
    let bears = |act: &Act| match act {
        Act::Start | Act::Stop | Act::Killed | Act::LosesPower | Act::Returns | Act::Pause(_) | Act::Suspend(_) => true,
        Act::Link(link, plan) => **link == *"eth0" && matches!(plan, LinkPlan::Up | LinkPlan::Down),
        Act::Reload(options) => options.len() == 1 && options.iter().all(knows) && matches!(options[0], Priority(_)),
        _ => false,
    };
    routers.len() == 1
        && routers.iter().flatten().all(knows)
        && course.acts_on(node).all(bears)
        && course.plan.startup_delay.is_zero()
        && !course.has(|option| *option == RouterOption::Unicast)
        && !(0..course.plan.nodes.len()).any(|node| loses_own_address_as_owner(course, node))
}

/// A virtual router as it is configured at present.
#[derive(Clone)]
struct Router {
    spec: RouterSpec,
    /// `auth_type` and `auth_pass`.
    password: Option<(&'static str, String)>,
}

impl Router {
    fn new(options: &[RouterOption]) -> Self {
        let mut router = Self { spec: RouterSpec::new(options), password: None };
        options.iter().for_each(|option| router.learn_password(option));
        router
    }

    fn apply(&mut self, option: &RouterOption) {
        self.spec.apply(option);
        self.learn_password(option);
    }

    fn learn_password(&mut self, option: &RouterOption) {
        match option {
            RouterOption::Password(password) => self.password = Some(("PASS", password.clone())),
            RouterOption::Header(password) => self.password = Some(("AH", password.clone())),
            RouterOption::NoPassword => self.password = None,
            _ => {}
        }
    }
}

pub(crate) struct Actor {
    pub(crate) kind: Kind,
    pub(crate) host: Host,
    number: usize,
    way: Way,
    routers: Vec<Router>,
    scripts: BTreeMap<Name, ScriptPlan>,
    /// The number in each tracked file, and how many there are of each tracked process.
    figures: BTreeMap<TrackerName, i64>,
    processes: BTreeMap<Name, Vec<Program>>,
    links: BTreeMap<Name, LinkPlan>,
    runs: Option<Runs>,
    pub(crate) sleeps: bool,
}

enum Runs {
    Node(Node),
    Frr(Program),
}

impl Runs {
    fn program(&self) -> &Program {
        match self {
            Self::Node(node) => &node.program,
            Self::Frr(program) => program,
        }
    }
}

impl Actor {
    pub(crate) fn new(kind: Kind, host: Host, number: usize, course: &Course) -> Self {
        let node = &course.plan.nodes[number];
        let scripts = node.scripts.iter().map(|script| (script.settings.name.clone(), ScriptPlan::Succeeds)).collect();
        let links = node.links().into_iter().map(|link| (link, LinkPlan::Up)).collect();
        let routers = node.routers.iter().map(|options| Router::new(options)).collect();
        let figure = |tracker: &TrackerSpec| {
            let settings = &tracker.settings;
            (TrackerName { kind: settings.kind(), name: settings.name.clone() }, tracker.begins_at)
        };
        Self {
            kind,
            host,
            number,
            way: course.way,
            routers,
            scripts,
            figures: node.trackers.iter().map(figure).collect(),
            processes: BTreeMap::new(),
            links,
            runs: None,
            sleeps: false,
        }
    }

    /// Whether it is to be judged: it runs, and the others can see it.
    pub(crate) fn is_able(&self) -> bool {
        let connected = matches!(self.links.get(&Name::from("eth0")), Some(LinkPlan::Up | LinkPlan::Addressless));
        self.host.is_on() && self.runs.is_some() && !self.sleeps && connected
    }

    pub(crate) fn priority(&self, vrid: u8) -> Option<u8> {
        self.router(vrid).map(|router| router.spec.settings.priority.get())
    }

    fn router(&self, vrid: u8) -> Option<&Router> {
        self.routers.iter().find(|router| router.spec.present && router.spec.settings.vrid.get() == vrid)
    }

    /// The addresses that it has as the active router of a VRID.
    pub(crate) fn addresses(&self, vrid: u8) -> Vec<IpAddr> {
        if self.way == Way::Ipv6 {
            return OF_IPV6.map(IpAddr::V6).into();
        }
        let settings = self.router(vrid).map(|router| &router.spec.settings);
        let all = settings.into_iter().flat_map(|s| s.addresses.iter().chain(&s.excluded_addresses));
        all.map(|address| address.address).collect()
    }

    /// Whether it answers for an address. Where FRR is not active, it switches the interface off that has it.
    pub(crate) fn holds(&self, vrid: u8, address: IpAddr) -> bool {
        if self.kind != Kind::Frr {
            return self.host.has_address(address);
        }
        let name = format!("vrrp{}-{vrid}", if self.way == Way::Ipv6 { 6 } else { 4 });
        let runs = self.host.run(move || -> linux::Result<bool> {
            Ok(linux::netlink::Netlink::open()?.link_by_name(&name)?.is_some_and(|link| link.running))
        });
        runs.is_ok_and(|runs| runs.unwrap_or(false))
    }

    pub(crate) fn perform(&mut self, course: &Course, scene: &Scene, vrid: Option<u8>, act: &Act) {
        scene.lab.note(self.host.name(), &format!("{act:?}"));
        match act {
            Act::Start => self.start(course),
            Act::Stop => {
                self.program().signal(Signal::TERMINATE).expect("ask it to stop");
                assert!(self.program().wait(PATIENCE), "{} does not end\n{}", self.host.name(), scene.story());
                self.runs = None;
            }
            Act::Killed => {
                self.program().kill_all().expect("kill it");
                assert!(self.program().wait(PATIENCE), "{} survives\n{}", self.host.name(), scene.story());
                // As a service manager does; keepalived takes a number that is in use again for itself.
                for file in ["keepalived.pid", "vrrp.pid", "checkers.pid"] {
                    self.host.remove_file(file).expect("remove the file");
                }
                self.runs = None;
            }
            Act::LosesPower => {
                self.host.power_off().expect("power off");
                self.runs = None;
            }
            Act::Returns => {
                self.host.power_on().expect("power on");
                self.links.values_mut().for_each(|link| *link = LinkPlan::Up);
                self.start(course);
            }
            Act::Pause(_) | Act::Suspend(_) => {
                if matches!(act, Act::Suspend(_)) {
                    self.host.set_deaf(true).expect("nothing reaches a machine that sleeps");
                }
                self.program().freeze().expect("freeze it");
                self.sleeps = true;
            }
            Act::Reload(options) => self.reload(course, vrid, options),
            Act::Link(link, plan) => self.set_link(link, *plan),
            Act::Script(script, plan) => {
                self.scripts.insert(script.clone(), *plan);
                self.write_script(script, *plan);
            }
            Act::Figure(figure) => {
                self.figures.insert(figure.tracker.clone(), figure.figure);
                self.show_figures();
            }
            // Whoever is not active does not have it.
            Act::AddressDeleted(address) => {
                let IpAddr::V4(v4) = address else { panic!("the lab's hosts have other addresses of IPv6") };
                let prefix = if v4.octets()[..3] == [192, 0, 2] { 24 } else { 32 };
                let _ = self.host.remove_address("eth0", &format!("{address}/{prefix}"));
            }
            act => panic!("{act:?} has no part in a group of three"),
        }
    }

    pub(crate) fn wake(&mut self) {
        self.host.set_deaf(false).expect("it hears");
        self.program().thaw().expect("let it go on");
        self.sleeps = false;
    }

    fn program(&self) -> &Program {
        self.runs.as_ref().expect("its daemon runs").program()
    }

    fn start(&mut self, course: &Course) {
        for (script, plan) in &self.scripts {
            self.write_script(script, *plan);
        }
        self.show_figures();
        self.runs = Some(if self.kind == Kind::Frr {
            Runs::Frr(self.router_of_frr(course).start(&self.host))
        } else {
            Runs::Node(Node::start(&self.host, self.kind.daemon(), &self.configuration(course)))
        });
    }

    fn router_of_frr(&self, course: &Course) -> frr::Router {
        let spec = &self.routers[0].spec;
        let settings = &spec.settings;
        let address = match settings.addresses[0].address {
            IpAddr::V4(address) => address,
            // Then it has the two of all tests.
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        frr::Router {
            vrid: settings.vrid.get(),
            version: course.version(spec.settings.version),
            priority: settings.priority.get(),
            interval: course.interval(settings.advertisement_interval),
            preempts: settings.preempt_mode,
            over: if self.way == Way::Ipv6 { frr::Over::Ipv6 } else { frr::Over::Ipv4 },
            address,
        }
    }

    fn reload(&mut self, course: &Course, vrid: Option<u8>, options: &[RouterOption]) {
        let meant = |router: &&mut Router| vrid.is_none_or(|vrid| router.spec.settings.vrid.get() == vrid);
        if let Some(router) = self.routers.iter_mut().find(meant) {
            options.iter().for_each(|option| router.apply(option));
        }
        match self.runs.as_ref().expect("it runs") {
            Runs::Node(node) => node.reload(&self.configuration(course)),
            Runs::Frr(_) => {
                let router = self.router_of_frr(course);
                router.set_priority(&self.host, router.priority);
            }
        }
    }

    fn set_link(&mut self, link: &Name, plan: LinkPlan) {
        let own = format!("{}/24", Plan::primary(self.number, link));
        let before = self.links.insert(link.clone(), plan).expect("it has this link");
        let host = &self.host;
        if before == LinkPlan::Absent && plan != LinkPlan::Absent {
            host.create_interface(link).expect("it appears");
        }
        match plan {
            LinkPlan::Absent => host.delete_interface(link).expect("it vanishes"),
            LinkPlan::Down => host.set_cable(link, false).expect("pull the cable"),
            LinkPlan::Addressless => host.remove_address(link, &own).expect("take its address away"),
            LinkPlan::Up => {
                host.set_cable(link, true).expect("plug the cable in");
                if before == LinkPlan::Addressless {
                    host.add_address(link, &own).expect("give it its address");
                }
            }
        }
    }

    fn write_script(&self, script: &Name, plan: ScriptPlan) {
        let body = match plan {
            ScriptPlan::Succeeds => "exit 0",
            ScriptPlan::Fails => "exit 1",
            ScriptPlan::Hangs => "exec sleep 1000",
            ScriptPlan::HangsDeaf => "trap '' TERM\nsleep 1000\nsleep 1000",
            ScriptPlan::Flaps => "exit $(($(date +%s) % 2))",
            ScriptPlan::Missing => return self.host.remove_file(script).expect("remove the script"),
        };
        self.host.write_program(script, &format!("#!/bin/sh\n{body}\n")).expect("write the script");
    }

    /// Has the files say, and as many processes run, as the figures are.
    fn show_figures(&mut self) {
        for (TrackerName { kind, name }, figure) in &self.figures {
            if *kind == TrackerKind::File {
                self.host.write_file(name, &format!("{figure}\n")).expect("write the number");
                continue;
            }
            let program = format!("{HOST_DIR}/{name}");
            let running = self.processes.entry(name.clone()).or_default();
            let wanted = usize::try_from(*figure).expect("a number of processes");
            for ended in running.drain(wanted.min(running.len())..) {
                ended.kill_all().expect("end a process");
            }
            while running.len() < wanted {
                run(&self.host, &format!("[ -e {program} ] || cp \"$(command -v sleep)\" {program}"));
                running.push(self.host.start(name, &[&program, "1000"]).expect("start a process"));
            }
        }
    }
}
