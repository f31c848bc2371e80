//! The thread that talks to systemd: one connection, all units.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use engine::{Name, ServiceOrder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::bus::Bus;
use super::message::{Arguments, Call, Kind, Message};
use super::properties::Map;
use super::unit::{Ask, Out, Refusal, Unit};
use super::{SystemdPlace, cgroup};
use crate::courier::{Gone, Post};
use crate::ledger::{Number, Receipts};
use crate::retry::Retry;
use crate::{News, Word};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// A systemd that is silent for so long is taken for dead; while it reads all its unit files it may be slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// When a unit is asked for again that systemd could not load just now.
const LOAD_AGAIN: Duration = Duration::from_secs(5);

/// What the loop wants.
#[derive(Debug)]
pub(crate) enum Order {
    Add { service: Name, unit: String },
    Service { service: Name, order: ServiceOrder, number: Number },
}

/// Works until the loop's end of the post has gone.
pub(crate) fn run(place: &SystemdPlace, post: Post<Order>, receipts: Receipts) {
    let line = Line::Down(Retry::new(Instant::now(), "not asked yet"));
    let mut worker = Worker { place, post, receipts, units: BTreeMap::new(), line };
    while let Ok(()) = worker.turn() {}
}

struct Worker<'a> {
    place: &'a SystemdPlace,
    post: Post<Order>,
    receipts: Receipts,
    units: BTreeMap<Name, Watched>,
    line: Line,
}

struct Watched {
    unit: Unit,
    /// Its object on the bus, once that is known.
    path: Option<String>,
    /// Why systemd did not tell of it, and when it is asked again.
    withheld: Option<(String, Instant)>,
}

enum Line {
    Down(Retry),
    Up(Connection),
}

struct Connection {
    bus: Bus,
    is_private: bool,
    /// Objects whose changes are told.
    subscribed: BTreeSet<String>,
    /// By serial, and so by age.
    questions: BTreeMap<u32, Question>,
    /// How it was before.
    before: Retry,
    /// Since when something has been learnt.
    steady_since: Option<Instant>,
}

struct Question {
    about: About,
    deadline: Instant,
}

impl Question {
    fn concerns(&self, service: &Name) -> bool {
        match &self.about {
            About::Load(about) | About::Unit(about, _) => about == service,
            About::Session => false,
        }
    }

    /// Whether it is what an order for this service came to.
    fn orders(&self, service: &Name) -> bool {
        match &self.about {
            About::Unit(about, Ask::Start | Ask::Restart | Ask::Stop | Ask::Kill) => about == service,
            About::Unit(_, Ask::Describe | Ask::SystemState) | About::Session | About::Load(_) => false,
        }
    }
}

enum About {
    /// Introducing ourselves and subscribing.
    Session,
    /// Which object it is.
    Load(Name),
    Unit(Name, Ask),
}

impl Worker<'_> {
    /// One wait and what follows.
    fn turn(&mut self) -> Result<(), Gone> {
        let connection_is_ready = self.wait();
        self.post.silence();
        while let Some(order) = self.post.next()? {
            self.obey(order);
        }
        if connection_is_ready {
            self.listen();
        }
        let now = Instant::now();
        self.look_after_line(now);
        let due: Vec<Name> = self.units.iter().filter(|(_, watched)| due(&watched.unit, now)).map(name).collect();
        for service in due {
            self.with_unit(&service, |unit, out| unit.look_again(now, out));
        }
        for service in self.services(|watched| watched.withheld.as_ref().is_some_and(|(_, at)| *at <= now)) {
            self.load(service);
        }
        self.send_receipts();
        Ok(())
    }

    fn wait(&self) -> bool {
        let wait = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        // A millisecond more than enough, lest it be awake a moment before it is due.
        let wait = wait.and_then(|wait| Timespec::try_from(wait + Duration::from_millis(1)).ok());
        let post = self.post.fd();
        let mut fds = vec![PollFd::new(&post, PollFlags::IN)];
        let connection_fd;
        if let Line::Up(connection) = &self.line {
            connection_fd = connection.bus.fd();
            fds.push(PollFd::new(&connection_fd, connection.bus.interest()));
        }
        // An interruption is as good as a time-out: everything is looked at anyway.
        let _ = poll(&mut fds, wait.as_ref());
        fds.get(1).is_some_and(|fd| !fd.revents().is_empty())
    }

    fn deadline(&self) -> Option<Instant> {
        let units = self.units.values().filter_map(|watched| watched.unit.deadline());
        let withheld = self.units.values().filter_map(|watched| watched.withheld.as_ref().map(|(_, at)| *at));
        let line = match &self.line {
            // Without units there is nobody to connect for.
            Line::Down(_) if self.units.is_empty() => None,
            Line::Down(retry) => Some(retry.deadline()),
            Line::Up(connection) => connection.questions.values().next().map(|question| question.deadline),
        };
        units.chain(withheld).chain(line).min()
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Add { service, unit } => {
                if self.units.get(&service).is_some_and(|watched| watched.unit.name() == unit) {
                    return;
                }
                self.ignore_answers_about(&service);
                self.units.insert(service.clone(), Watched { unit: Unit::new(&unit), path: None, withheld: None });
                self.load(service);
            }
            Order::Service { service, order: ServiceOrder::Forget, .. } => {
                self.ignore_answers_about(&service);
                self.units.remove(&service);
            }
            Order::Service { service, order, number } => {
                self.receipts.owe(&service, number);
                self.with_unit(&service, |unit, out| unit.order(order, out));
                // What is ordered while nobody answers may have to be told at once.
                let reason = match &self.line {
                    Line::Down(retry) => retry.was_told().then(|| retry.reason.clone()),
                    Line::Up(_) => {
                        let withheld = self.units.get(&service).and_then(|watched| watched.withheld.as_ref());
                        withheld.map(|(reason, _)| reason.clone())
                    }
                };
                if let Some(reason) = reason {
                    self.with_unit(&service, |unit, out| unit.lost(&reason, out));
                }
            }
        }
    }

    /// The service is another unit from now on, or none.
    fn ignore_answers_about(&mut self, service: &Name) {
        if let Line::Up(connection) = &mut self.line {
            connection.questions.retain(|_, question| !question.concerns(service));
        }
    }

    fn look_after_line(&mut self, now: Instant) {
        match &mut self.line {
            Line::Down(retry) => {
                if retry.must_be_told(now) {
                    self.tell_lost();
                }
                if let Line::Down(retry) = &self.line
                    && now >= retry.at
                    && !self.units.is_empty()
                {
                    self.connect(now);
                }
            }
            Line::Up(connection) => {
                if connection.questions.values().next().is_some_and(|question| question.deadline <= now) {
                    self.hang_up("systemd does not answer".to_owned());
                }
            }
        }
    }

    /// An order is taken when systemd has answered what it came to, be it with a refusal.
    fn send_receipts(&mut self) {
        let Self { units, line, receipts, .. } = self;
        receipts.send(|service| {
            let is_asked = match &*line {
                Line::Down(_) => false,
                Line::Up(connection) => connection.questions.values().any(|question| question.orders(service)),
            };
            is_asked || units.get(service).is_some_and(|watched| watched.unit.order_waits())
        });
    }

    fn tell_lost(&mut self) {
        let Line::Down(retry) = &self.line else { return };
        let reason = retry.reason.clone();
        let services: Vec<Name> = self.units.iter().map(name).collect();
        for service in services {
            self.with_unit(&service, |unit, out| unit.lost(&reason, out));
        }
    }

    fn connect(&mut self, now: Instant) {
        let Line::Down(retry) = &mut self.line else { return };
        let ways = &self.place.ways;
        let Some(way) = ways.get(retry.attempts as usize % ways.len().max(1)) else {
            return retry.failed(now, "there is no way to systemd".to_owned());
        };
        match Bus::connect(way) {
            Err(error) => retry.failed(now, format!("connect to systemd at {way}: {error}")),
            Ok(bus) => {
                let is_private = matches!(way, super::Way::Private(_));
                let before = std::mem::replace(retry, Retry::new(now, ""));
                let subscribed = BTreeSet::new();
                let questions = BTreeMap::new();
                self.line = Line::Up(Connection { bus, is_private, subscribed, questions, before, steady_since: None });
                self.begin_session(is_private);
            }
        }
    }

    /// Subscribes to what will happen, then asks how it is: so nothing gets lost in between.
    fn begin_session(&mut self, is_private: bool) {
        if !is_private {
            self.call(None, bus_call("Hello", Arguments::None));
            let manager = format!("type='signal',sender='{SYSTEMD}',path='{MANAGER_PATH}',interface='{MANAGER}'");
            for member in ["JobNew", "JobRemoved", "Reloading", "UnitFilesChanged"] {
                let rule = format!("{manager},member='{member}'");
                self.call(Some(About::Session), bus_call("AddMatch", Arguments::One(&rule)));
            }
            let owner =
                format!("type='signal',sender='{BUS}',member='NameOwnerChanged',path='{BUS_PATH}',arg0='{SYSTEMD}'");
            self.call(Some(About::Session), bus_call("AddMatch", Arguments::One(&owner)));
        }
        // Refused if a former self has left its subscription; and that is as good.
        self.call(None, manager_call("Subscribe", Arguments::None));
        let services: Vec<Name> = self.units.iter().map(name).collect();
        for service in services {
            self.load(service);
        }
    }

    /// Asks for a unit's object, and so for everything about it.
    fn load(&mut self, service: Name) {
        if let Some(watched) = self.units.get_mut(&service) {
            watched.withheld = None;
        }
        self.ask(About::Load(service));
    }

    /// Asks, if there is a connection; a new one asks by itself.
    fn ask(&mut self, about: About) {
        let is_private = match &self.line {
            Line::Down(_) => return,
            Line::Up(connection) => connection.is_private,
        };
        match &about {
            About::Session => {}
            About::Load(service) => {
                let Some(unit) = self.units.get(service).map(|watched| watched.unit.name().to_owned()) else { return };
                self.call(Some(about), manager_call("LoadUnit", Arguments::One(&unit)));
            }
            About::Unit(service, ask) => {
                let Some(watched) = self.units.get(service) else { return };
                let Some(path) = watched.path.clone() else { return };
                let name = watched.unit.name().to_owned();
                let ask = *ask;
                if ask == Ask::Describe && !is_private && self.is_new_object(&path) {
                    let rule = format!(
                        "type='signal',sender='{SYSTEMD}',interface='{PROPERTIES}',member='PropertiesChanged',\
                         path='{path}'"
                    );
                    self.call(Some(About::Session), bus_call("AddMatch", Arguments::One(&rule)));
                }
                if matches!(ask, Ask::Start | Ask::Restart) {
                    // Neither a former failure nor many former starts shall stand in the way. It may be refused
                    // because there is nothing to reset.
                    self.call(None, manager_call("ResetFailedUnit", Arguments::One(&name)));
                }
                self.call(Some(about), unit_call(ask, &name, &path));
            }
        }
    }

    /// Whether its changes have to be subscribed to. To do so twice would bring everything twice.
    fn is_new_object(&mut self, path: &str) -> bool {
        match &mut self.line {
            Line::Up(connection) => connection.subscribed.insert(path.to_owned()),
            Line::Down(_) => false,
        }
    }

    fn call(&mut self, about: Option<About>, call: Call<'_>) {
        let Line::Up(connection) = &mut self.line else { return };
        let call = Call { wants_reply: about.is_some() || call.member == "Hello", ..call };
        match connection.bus.call(call) {
            Ok(serial) => {
                if let Some(about) = about {
                    let deadline = Instant::now() + PATIENCE;
                    connection.questions.insert(serial, Question { about, deadline });
                }
            }
            Err(error) => self.hang_up(format!("talk to systemd: {error}")),
        }
    }

    fn hang_up(&mut self, reason: String) {
        let now = Instant::now();
        let Line::Up(connection) = &mut self.line else { return };
        let before = std::mem::replace(&mut connection.before, Retry::new(now, ""));
        self.line = Line::Down(before.after(now, connection.steady_since, reason));
        for watched in self.units.values_mut() {
            watched.path = None;
            watched.withheld = None;
            watched.unit.disconnected();
        }
    }

    fn listen(&mut self) {
        let Line::Up(connection) = &mut self.line else { return };
        let messages = match connection.bus.receive() {
            Ok(messages) => messages,
            Err(error) => return self.hang_up(format!("listen to systemd: {error}")),
        };
        for message in messages {
            self.hear(&message);
            if let Line::Down(_) = &self.line {
                // What came after is of a connection that is no more.
                return;
            }
        }
    }

    fn hear(&mut self, message: &Message) {
        match &message.kind {
            Kind::Reply { to } | Kind::Error { to, .. } => {
                let Line::Up(connection) = &mut self.line else { return };
                let Some(question) = connection.questions.remove(to) else { return };
                match &message.kind {
                    Kind::Error { name, .. } => self.hear_refusal(question.about, name, &message.text()),
                    Kind::Reply { .. } | Kind::Signal { .. } | Kind::Other => self.hear_reply(question.about, message),
                }
            }
            Kind::Signal { path, interface, member } => self.hear_signal(path, interface, member, message),
            Kind::Other => {}
        }
    }

    fn hear_reply(&mut self, about: About, message: &Message) {
        match about {
            About::Session => {}
            About::Load(service) => {
                let Some(watched) = self.units.get_mut(&service) else { return };
                watched.path = object_path(message);
                self.ask(About::Unit(service, Ask::Describe));
            }
            About::Unit(service, Ask::Describe) => {
                let Some(map) = message.body::<Map<'_>>() else {
                    return self.hang_up("systemd answers in an unknown way".to_owned());
                };
                self.learnt();
                self.with_unit(&service, |unit, out| unit.described(&map, out));
            }
            About::Unit(service, Ask::SystemState) => {
                let state = match message.body::<zbus::Variant<'_>>() {
                    Some(zbus::Variant::Str(state)) => Some(state.as_str() == "stopping"),
                    _ => None,
                };
                self.with_unit(&service, |unit, out| unit.system_stops(state, out));
            }
            About::Unit(service, ask) => {
                let job = object_path(message).and_then(|path| path.rsplit_once('/')?.1.parse().ok());
                self.with_unit(&service, |unit, out| unit.replied(ask, Ok(job), out));
            }
        }
    }

    /// systemd answers.
    fn learnt(&mut self) {
        if let Line::Up(connection) = &mut self.line {
            connection.steady_since.get_or_insert_with(Instant::now);
        }
    }

    fn hear_refusal(&mut self, about: About, name: &str, text: &str) {
        match about {
            // Without them the rest is worth nothing.
            About::Session => self.hang_up(format!("systemd does not answer: {text}")),
            _ if is_of_the_bus(name) => self.hang_up(format!("systemd does not answer: {text}")),
            // The one unit's misfortune; the others are none the worse for it.
            About::Load(service) if name.ends_with(".InvalidArgs") => {
                self.learnt();
                self.with_unit(&service, |unit, out| unit.impossible(text, out));
            }
            About::Load(service) | About::Unit(service, Ask::Describe) => {
                self.learnt();
                let Some(watched) = self.units.get_mut(&service) else { return };
                let reason = format!("systemd does not tell of {}: {text}", watched.unit.name());
                watched.withheld = Some((reason.clone(), Instant::now() + LOAD_AGAIN));
                self.with_unit(&service, |unit, out| unit.lost(&reason, out));
            }
            About::Unit(service, Ask::SystemState) => {
                self.with_unit(&service, |unit, out| unit.system_stops(None, out));
            }
            About::Unit(service, ask) => {
                let nothing_there = name.ends_with(".NoSuchUnit") || name.ends_with(".NoSuchProcess");
                let refusal = Refusal { text: text.to_owned(), nothing_there };
                self.with_unit(&service, |unit, out| unit.replied(ask, Err(refusal), out));
            }
        }
    }

    fn hear_signal(&mut self, path: &str, interface: &str, member: &str, message: &Message) {
        match (interface, member) {
            (PROPERTIES, "PropertiesChanged") => {
                let services = self.services(|watched| watched.path.as_deref() == Some(path));
                if services.is_empty() {
                    return;
                }
                let Some((_, changed, _)) = message.body::<(&str, Map<'_>, Vec<&str>)>() else { return };
                for service in services {
                    self.with_unit(&service, |unit, out| unit.changed(&changed, out));
                }
            }
            (MANAGER, "JobNew") => {
                let Some((id, _, unit)) = message.body::<(u32, zbus::ObjectPath<'_>, &str)>() else { return };
                for service in self.services(|watched| watched.unit.id() == unit) {
                    self.with_unit(&service, |unit, _| unit.job_came(id));
                }
            }
            (MANAGER, "JobRemoved") => {
                let Some((id, _, unit, result)) = message.body::<(u32, zbus::ObjectPath<'_>, &str, &str)>() else {
                    return;
                };
                for service in self.services(|watched| watched.unit.id() == unit) {
                    self.with_unit(&service, |unit, out| unit.job_went(id, result, out));
                }
            }
            // `true` says that it begins.
            (MANAGER, "Reloading") if message.body::<bool>() == Some(true) => {}
            (MANAGER, "Reloading" | "UnitFilesChanged") => {
                for service in self.services(|_| true) {
                    self.load(service);
                }
            }
            (BUS, "NameOwnerChanged") => self.hang_up("systemd has been replaced".to_owned()),
            _ => {}
        }
    }

    fn services(&self, which: impl Fn(&Watched) -> bool) -> Vec<Name> {
        self.units.iter().filter(|(_, watched)| which(watched)).map(name).collect()
    }

    /// Lets a unit take something in and carries out what follows.
    fn with_unit(&mut self, service: &Name, act: impl FnOnce(&mut Unit, &mut Vec<Out>)) {
        let Some(watched) = self.units.get_mut(service) else { return };
        let mut out = Vec::new();
        act(&mut watched.unit, &mut out);
        let mut queue = VecDeque::from(out);
        while let Some(next) = queue.pop_front() {
            match next {
                Out::Report(report) => self.tell(service, Word::Report(report)),
                Out::Remark(weight, text) => self.tell(service, Word::Remark(weight, text)),
                Out::KillGroup(group) => cgroup::kill(&self.place.control_groups, &group),
                Out::Count(group) => {
                    let count = cgroup::processes(&self.place.control_groups, &group).len();
                    let Some(watched) = self.units.get_mut(service) else { return };
                    let mut more = Vec::new();
                    watched.unit.processes(count, Instant::now(), &mut more);
                    queue.extend(more);
                }
                Out::Ask(ask) => self.ask(About::Unit(service.clone(), ask)),
            }
        }
    }

    fn tell(&self, service: &Name, word: Word) {
        self.post.tell(News { service: service.clone(), word });
    }
}

fn name((name, _): (&Name, &Watched)) -> Name {
    name.clone()
}

fn due(unit: &Unit, now: Instant) -> bool {
    unit.deadline().is_some_and(|at| at <= now)
}

/// While systemd replaces itself the bus answers in its stead.
fn is_of_the_bus(error: &str) -> bool {
    let kind = error.strip_prefix("org.freedesktop.DBus.Error.");
    kind.is_some_and(|kind| matches!(kind, "NoReply" | "ServiceUnknown" | "NameHasNoOwner" | "Disconnected"))
}

fn object_path(message: &Message) -> Option<String> {
    message.body::<zbus::ObjectPath<'_>>().map(|path| path.as_str().to_owned())
}

fn bus_call<'a>(member: &'a str, arguments: Arguments<'a>) -> Call<'a> {
    Call { destination: BUS, path: BUS_PATH, interface: BUS, member, arguments, wants_reply: true }
}

fn manager_call<'a>(member: &'a str, arguments: Arguments<'a>) -> Call<'a> {
    Call { destination: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member, arguments, wants_reply: true }
}

fn unit_call<'a>(ask: Ask, unit: &'a str, path: &'a str) -> Call<'a> {
    match ask {
        Ask::Describe => Call {
            path,
            interface: PROPERTIES,
            member: "GetAll",
            // The interface without a name stands for all of them.
            arguments: Arguments::One(""),
            ..manager_call("", Arguments::None)
        },
        Ask::Start => manager_call("StartUnit", Arguments::Two(unit, "replace")),
        Ask::Restart => manager_call("RestartUnit", Arguments::Two(unit, "replace")),
        Ask::Stop => manager_call("StopUnit", Arguments::Two(unit, "replace")),
        Ask::Kill => manager_call("KillUnit", Arguments::Kill(unit, "all", 9)),
        Ask::SystemState => Call {
            interface: PROPERTIES,
            member: "Get",
            arguments: Arguments::Two(MANAGER, "SystemState"),
            ..manager_call("", Arguments::None)
        },
    }
}
