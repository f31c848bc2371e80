//! Three real nodes go through a course, and a fourth host speaks for strangers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use sim::plan::{Act, LanChange, PathChoice, Plan, RouterOption, Spoof, SpoofContent};

use super::actor::{Actor, Kind};
use super::course::{Course, Deed, Speakers, Stretch, Way};
use crate::support::packet_peer::{Forged, send, send_octets, send_packet};
use crate::support::{Advertisement, HostPlan, Moment, Scene, let_pass};

/// How much longer than three intervals and a skew nobody may be active, on a machine that has much to do besides.
const NOISE: Duration = Duration::from_secs(8);

const STRANGER: &str = "stranger";

pub(crate) struct Stage<'c> {
    course: &'c Course,
    scene: Scene,
    actors: Vec<Actor>,
    /// When something happened last.
    moved: Moment,
}

impl<'c> Stage<'c> {
    fn new(course: &'c Course, cast: [Kind; 3]) -> Self {
        let mut scene = Scene::empty();
        let mut actors = Vec::new();
        for (number, (node, kind)) in course.plan.nodes.iter().zip(cast).enumerate() {
            let mut plan = HostPlan::new(&node.name);
            for link in node.links() {
                let (four, six) =
                    (format!("{}/24", Plan::primary(number, &link)), format!("2001:db8::{:x}/64", number + 1));
                let both = [&*four, &*six];
                plan = plan.interface(&link, &both[..if course.way == Way::Ipv6 && &*link == "eth0" { 2 } else { 1 }]);
            }
            actors.push(Actor::new(kind, scene.add(&plan), number, course));
        }
        scene.add(&HostPlan::new(STRANGER).interface("eth0", &["192.0.2.99/24"]));
        Self { course, scene, actors, moved: Moment::now() }
    }

    fn deed(&mut self, deed: &Deed) {
        match deed {
            Deed::Node(node, act) => self.actors[node.node].perform(self.course, &self.scene, node.vrid, act),
            Deed::Wakes(node) => {
                self.scene.lab.note(self.actors[*node].host.name(), "goes on");
                self.actors[*node].wake();
            }
            Deed::Lan(change) => {
                self.scene.lab.note("", &format!("{change:?}"));
                self.lan(*change);
            }
            Deed::Stranger(spoof) => {
                self.scene.lab.note(STRANGER, &format!("{spoof:?}"));
                self.speak(spoof);
            }
            Deed::Repeats(node) => {
                let name = self.actors[*node].host.name();
                let all = self.scene.advertisements(Moment::from_nanos(0));
                let last = all.into_iter().rfind(|(_, host, _)| host == name);
                let (_, _, Advertisement { packet, destination, .. }) = last.expect("it has advertised");
                self.scene.lab.note(STRANGER, &format!("repeats {name}"));
                send_packet(self.stranger(), packet, destination);
            }
        }
    }

    fn stranger(&self) -> &crate::support::Host {
        self.scene.hosts.last().expect("the stranger is the last host")
    }

    fn lan(&self, change: LanChange) {
        let host = |node: usize| &self.actors[node].host;
        match change {
            LanChange::Cut(PathChoice::All) => {
                let all: Vec<_> = self.actors.iter().map(|actor| &actor.host).filter(|host| host.is_on()).collect();
                self.scene.lab.cut(&all).expect("cut");
            }
            LanChange::Cut(PathChoice::Between(one, other)) => {
                self.scene.lab.cut(&[host(one), host(other)]).expect("cut");
            }
            LanChange::Cut(PathChoice::From(_, to)) => host(to).set_deaf(true).expect("cut"),
            LanChange::Heal => {
                self.scene.lab.heal().expect("heal");
                for actor in self.actors.iter().filter(|actor| actor.host.is_on()) {
                    actor.host.set_deaf(false).expect("heal");
                }
            }
            change => panic!("the lab cannot do {change:?}"),
        }
    }

    fn speak(&self, spoof: &Spoof) {
        let to = spoof.to.map(|node| Plan::primary(node, "eth0"));
        let IpAddr::V4(source) = spoof.source else { panic!("the stranger of the lab speaks IPv4") };
        let (version, vrid, priority, interval, ttl, password, bad, cut) = match &spoof.content {
            SpoofContent::Octets(octets) => return send_octets(self.stranger(), source, octets),
            SpoofContent::Advertisement {
                version,
                vrid,
                priority,
                interval,
                ttl,
                password,
                bad_checksum,
                shorter_by,
                ..
            } => (*version, *vrid, *priority, *interval, *ttl, password, *bad_checksum, *shorter_by),
        };
        let mut forged = Forged {
            version: self.course.version(version),
            vrid,
            address: Ipv4Addr::new(192, 0, 2, vrid),
            time_to_live: ttl,
            spoilt: bad,
            cut: usize::from(cut),
            ..Forged::quick(priority)
        };
        let hundredths = self.course.interval(interval);
        forged.interval = if forged.version == 2 { hundredths / 100 } else { hundredths };
        if let Some(password) = password {
            let mut octets = [0; 8];
            octets[..password.len()].copy_from_slice(password.as_bytes());
            forged.authentication = (1, octets);
        }
        forged.destination = to.unwrap_or(forged.destination);
        send(self.stranger(), source, forged);
    }

    /// Does what happens at one moment. Of those who start together the better one is first, as its skew makes it.
    fn deeds(&mut self, stretch: &Stretch) {
        let best = |deed: &Deed| match deed {
            Deed::Node(node, _) => self.course.priority(node.node),
            _ => 0,
        };
        let (mut starting, others): (Vec<_>, Vec<_>) = stretch.deeds.iter().partition(|deed| starts(deed));
        starting.sort_by_key(|deed| std::cmp::Reverse(best(deed)));
        // What is done to a node before it starts stands before that in the file, too.
        let is_first = |deed: &Deed| !stretch.deeds.first().is_some_and(starts) && !starts(deed);
        for deed in others.iter().filter(|deed| is_first(deed)) {
            self.deed(deed);
        }
        self.moved = Moment::now();
        let patient = self.is_patient();
        for (place, deed) in starting.iter().enumerate() {
            self.deed(deed);
            if let (true, 0, Deed::Node(node, Act::Start)) = (patient && starting.len() > 1, place, deed) {
                self.scene.advertised(self.actors[node.node].host.name(), self.moved, |_| true);
            }
        }
        for deed in others.iter().filter(|deed| !is_first(deed)) {
            self.deed(deed);
        }
    }

    /// Who has advertised a VRID often enough lately, if nobody else has.
    fn speakers(&self, vrid: u8, span: Duration) -> Option<BTreeSet<usize>> {
        let now = Moment::now();
        if now.since(self.moved) < span {
            return None;
        }
        let since = Moment::from_nanos(now.as_nanos() - u64::try_from(span.as_nanos()).expect("it is short"));
        let mut counts = vec![0; self.actors.len()];
        for (_, host, seen) in self.scene.advertisements(since) {
            if let (true, Some(node)) = (seen.vrid == vrid, self.actors.iter().position(|a| a.host.name() == host)) {
                counts[node] += 1;
            }
        }
        let settled = counts.iter().all(|count| *count != 1);
        settled.then(|| (0..counts.len()).filter(|node| counts[*node] > 0).collect())
    }

    /// Who is active, if it is as expected: these and nobody else advertise for longer than a neighbour waits that does
    /// not understand them, and have their addresses.
    fn settled(&self, before: &Settled, expected: &Speakers) -> Option<Speakers> {
        let span = self.course.longest_interval() * 9 / 2;
        let one = |(vrid, expected): (&u8, &BTreeSet<usize>)| {
            let seen = self.speakers(*vrid, span)?;
            let right = seen == *expected
                || self.is_as_good(*vrid, &seen, expected)
                || self.is_luck(*vrid, &seen, expected, before);
            let addresses: Vec<IpAddr> = seen.iter().flat_map(|node| self.actors[*node].addresses(*vrid)).collect();
            let is_held_right = |address: &IpAddr| {
                let able = self.actors.iter().enumerate().filter(|(_, actor)| actor.is_able());
                able.filter(|(_, actor)| actor.holds(*vrid, *address)).map(|(node, _)| node).eq(seen.iter().copied())
            };
            (right && addresses.iter().all(is_held_right)).then_some((*vrid, seen))
        };
        expected.iter().map(one).collect()
    }

    /// One instead of another one of the same priority.
    fn is_as_good(&self, vrid: u8, seen: &BTreeSet<usize>, expected: &BTreeSet<usize>) -> bool {
        let priority = |nodes: &BTreeSet<usize>| -> Vec<Option<u8>> {
            nodes.iter().map(|node| self.actors[*node].priority(vrid)).collect()
        };
        seen.len() == expected.len() && priority(seen) == priority(expected)
    }

    /// Where it is forbidden to preempt, whoever is first after the active one has gone stays, and on a machine that is busy
    /// with other things that need not be the best one. But it does stay.
    fn is_luck(&self, vrid: u8, seen: &BTreeSet<usize>, expected: &BTreeSet<usize>, before: &Settled) -> bool {
        let last = before.seen.get(&vrid);
        let is_gone = last.is_some_and(|last| last.iter().any(|node| !self.actors[*node].is_able()));
        let stays = before.expected.get(&vrid) == Some(expected) && last == Some(seen);
        self.is_patient() && seen.len() == expected.len() && (is_gone || stays)
    }

    fn is_patient(&self) -> bool {
        self.course.has(|option| *option == RouterOption::Preempt(false))
    }

    /// Single advertisements are lost, now of one and now of another neighbour, never three in a row.
    fn loses_some(&self) {
        let interval = self.course.longest_interval();
        for round in 0..18 {
            let host = &self.actors[round % self.actors.len()].host;
            host.set_deaf(true).expect("deaf");
            let_pass(interval * 12 / 10);
            host.set_deaf(false).expect("hears");
            let_pass(interval / 2);
        }
    }

    /// From the first advertisement of a VRID on, as long as anybody was to be active.
    fn never_without(&self, until: Moment) {
        let bound = self.course.longest_interval() * 4 + NOISE;
        for vrid in self.course.end().keys() {
            let all = self.scene.advertisements(Moment::from_nanos(0)).into_iter();
            let spoken: Vec<Moment> = all
                .filter(|(at, host, seen)| seen.vrid == *vrid && seen.priority > 0 && host != STRANGER && *at <= until)
                .map(|(at, _, _)| at)
                .collect();
            for pair in spoken.windows(2) {
                let silence = pair[1].since(pair[0]);
                assert!(silence <= bound, "nobody spoke for {silence:?}, from {:?}\n{}", pair[0], self.scene.story());
            }
        }
    }

    /// What the simulator has Tanist say, Tanist has said.
    fn is_told(&self, since: Moment, told: &[(usize, String)]) {
        for (node, text) in told {
            let actor = &self.actors[*node];
            // Linux takes nothing from outside that claims to come from here, and nothing for a group that nobody wants.
            let is_kept_out = text.ends_with("our own address")
                || text.contains("multicast instead of unicast") && self.course.is_unicast(*node);
            if actor.kind == Kind::Tanist && !is_kept_out {
                let words = words(text).unwrap_or_else(|| panic!("what does a log say about {text:?}?"));
                self.scene.line(actor.host.name(), since, words);
            }
        }
    }
}

/// How it was when nothing changed any more.
#[derive(Default)]
struct Settled {
    /// By the word of the simulator.
    expected: Speakers,
    /// By what was seen.
    seen: Speakers,
}

fn starts(deed: &Deed) -> bool {
    matches!(deed, Deed::Node(_, Act::Start | Act::Returns))
}

/// Plays the course and panics where it does not come out as it should.
pub(crate) fn play(course: &Course, cast: [Kind; 3]) {
    let mut stage = Stage::new(course, cast);
    let mut told: Vec<(usize, String)> = Vec::new();
    let mut since = Moment::now();
    let mut until = None;
    let mut before = Settled::default();
    for (place, stretch) in course.stretches.iter().enumerate() {
        stage.deeds(stretch);
        // What changes shortly before the next deed may come to nothing, and who is first after the start is a race. Who
        // was active only as long as that lasts need not say that it is no longer.
        let mut active: BTreeSet<usize> = before.expected.values().flatten().copied().collect();
        for (node, text) in &stretch.told {
            let is_certain =
                place > 0 && stretch.speakers.is_some() && (!text.starts_with("Active") || active.contains(node));
            if is_certain || text.starts_with("discards") {
                told.push((*node, text.clone()));
            }
            if text.contains("-> Active") {
                active.insert(*node);
            }
        }
        if course.plan.lan.loss > 0 {
            stage.loses_some();
        }
        let Some(expected) = &stretch.speakers else {
            let about_checks = stretch.deeds.iter().any(|deed| matches!(deed, Deed::Node(_, Act::Script(..))));
            let_pass(if about_checks { stretch.lasts } else { course.real(stretch.lasts) });
            continue;
        };
        let mut seen = None;
        stage.scene.until(&format!("{expected:?} advertise and have their addresses"), || {
            seen = stage.settled(&before, expected);
            seen.is_some()
        });
        let was_as_expected = before.seen == before.expected;
        before = Settled { expected: expected.clone(), seen: seen.expect("it has settled") };
        if !course.is_undecided() && was_as_expected && before.seen == before.expected {
            stage.is_told(since, &told);
        }
        told.clear();
        since = Moment::now();
        if expected.values().all(|speakers| !speakers.is_empty()) {
            until = Some(since);
        }
    }
    stage.never_without(until.expect("somebody is active at some time"));
}

/// How Tanist's log says what the simulator says of it.
fn words(text: &str) -> Option<&'static str> {
    let known = [
        ("nobody advertised", "Receive advertisement timeout"),
        ("the Active router resigned", "Receive advertisement timeout"),
        ("too and a higher address", "but higher IP address than ours"),
        ("has priority", "with higher priority"),
        ("owns the addresses", "Entering MASTER STATE"),
        (", fault", "Entering FAULT STATE"),
        ("no fault left", "Entering BACKUP STATE"),
        ("overslept", "was asleep, listening first"),
        ("started", "Entering BACKUP STATE"),
        ("stopped", "Stopped"),
        ("wrong password", "the passwords differ"),
        ("another authentication type", "another authentication type"),
        ("wrong version", "another VRRP version"),
        ("another advertisement interval", "advertisement interval mismatch"),
        ("multicast instead of unicast", "it came by unicast where multicast is configured here, or the reverse"),
        ("wrong checksum", "its checksum is wrong"),
        ("TTL is not 255", "invalid TTL"),
        ("wrong length", "its length is wrong"),
        ("number of the header heard before", "AH sequence number was processed already"),
        ("not a peer", "its sender is not a unicast peer"),
        ("heard before", "somebody repeats it"),
        ("let go", "Entering BACKUP STATE"),
    ];
    known.iter().find(|(of_simulator, _)| text.contains(of_simulator)).map(|(_, of_log)| *of_log)
}
