//! The picture of a pair: what each node is, how old that knowledge is, and what is missing.

use std::time::Duration;

use api::{
    Dropped, Instance, Mode, Peer, PeerInstance, PeerService, Place, ProtectionState, Readiness, Role, STALE_AFTER_MS,
    Service, ServiceState, Status, plain, span,
};

/// The picture, and everything in it is that much older (`silence`) than it was when the daemon said it.
#[must_use]
pub fn screen(status: &Status, silence: Duration) -> String {
    let mut picture = Picture(String::new());
    draw(&mut picture, status, u64::try_from(silence.as_millis()).unwrap_or(u64::MAX));
    picture.0
}

/// Lines of which each is plain, and one only.
struct Picture(String);

impl Picture {
    fn line(&mut self, line: &str) {
        self.0.push_str(&plain(line));
        self.0.push('\n');
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }
}

fn draw(picture: &mut Picture, status: &Status, silence_ms: u64) {
    let state = match status.protection.state {
        ProtectionState::Protected => "PROTECTED",
        ProtectionState::Unknown => "NOTHING WRONG HERE",
        ProtectionState::Degraded => "DEGRADED",
        ProtectionState::Maintenance => "MAINTENANCE",
        ProtectionState::Unprotected => "UNPROTECTED",
        ProtectionState::Latched => "LATCHED",
    };
    let stale = silence_ms > STALE_AFTER_MS;
    if stale {
        picture.line(&format!("STALE: all of this is {} old and may no longer be so", age(silence_ms)));
        picture.line(&format!("was {state}"));
    } else {
        picture.line(state);
    }
    for reason in &status.protection.reasons {
        picture.line(&format!("  - {reason}"));
    }
    for instance in &status.instances {
        picture.gap();
        draw_instance(picture, status, instance, silence_ms);
    }
    draw_checks(picture, status);
    draw_trackers(picture, status);
    if let Some(Dropped { incoming, outgoing }) = status.dropped {
        let dropped = format!("{incoming} packets to virtual addresses and {outgoing} from them were dropped");
        picture.gap();
        picture.line(&format!("not accepted: {dropped}"));
    }
    if let Some(peer) = &status.peer {
        draw_paths(picture, peer, silence_ms);
    }
    if let Some(confinement) = &status.confinement {
        draw_confinement(picture, confinement);
    }
}

/// One instance as a table: what, here, there.
fn draw_instance(picture: &mut Picture, status: &Status, instance: &Instance, silence_ms: u64) {
    let stale = silence_ms > STALE_AFTER_MS;
    let was = if stale { "was " } else { "" };
    let theirs = status.peer.as_ref().map(|peer| Theirs::of(peer, &instance.name, silence_ms));
    let mut rows = vec![Row {
        what: instance.name.clone(),
        here: if stale {
            format!("{} (stale: {} old)", status.node, age(silence_ms))
        } else {
            format!("{} (this node)", status.node)
        },
        there: theirs.as_ref().map_or_else(String::new, Theirs::heading),
    }];
    let mut row = |what: &str, here: String, there: &dyn Fn(&Theirs<'_>) -> String| {
        let there = theirs.as_ref().map_or_else(String::new, there);
        rows.push(Row { what: format!("  {what}"), here, there });
    };
    row("role", format!("{was}{}", role_here(instance)), &|theirs| theirs.role());
    row("priority", priority_here(instance), &|theirs| theirs.say(|there| there.effective_priority.to_string()));
    if status.mode == Mode::Pair {
        row("epoch", instance.epoch.to_string(), &|theirs| theirs.say(|there| there.epoch.to_string()));
    }
    for name in &instance.services {
        let here = status.services.iter().find(|service| service.name == *name);
        let here = here.map_or_else(|| "not known".to_owned(), |here| format!("{was}{}", service_here(here)));
        row(&format!("service {name}"), here, &|theirs| theirs.service(name));
    }
    for fault in &instance.faults {
        row("fault", fault.clone(), &|_| String::new());
    }
    for held in &instance.held {
        row("stands back", held.clone(), &|_| String::new());
    }
    if let Some((address, priority)) = &instance.master {
        row("hears master", format!("{address}, priority {priority}"), &|_| String::new());
    }
    for address in &instance.addresses {
        let place = if instance.holds_addresses { "here" } else { "not here" };
        let place = format!("{was}{place}");
        row("address", format!("{} on {}, {place}", address.address, address.interface), &|_| String::new());
    }
    for name in &instance.services {
        if let Some(service) = status.services.iter().find(|service| service.name == *name) {
            history_here(service, &mut |what, here| row(what, here, &|_| String::new()));
        }
    }
    draw_table(picture, &rows);
}

struct Row {
    what: String,
    here: String,
    there: String,
}

fn draw_table(picture: &mut Picture, rows: &[Row]) {
    // Before it is known how wide the columns are.
    let cells = |row: &Row| [&row.what, &row.here, &row.there].map(|cell| plain(cell).into_owned());
    let rows: Vec<[String; 3]> = rows.iter().map(cells).collect();
    let width = |cell: &String| cell.chars().count();
    let first = rows.iter().map(|[what, ..]| width(what)).max().unwrap_or(0);
    // A long cell with nothing beside it needs no column.
    let second = rows.iter().filter(|[.., there]| !there.is_empty()).map(|[_, here, _]| width(here)).max().unwrap_or(0);
    for [what, here, there] in &rows {
        picture.line(format!("{what:first$}  {here:second$}  {there}").trim_end());
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Master => "MASTER",
        Role::Backup => "BACKUP",
        Role::Fault => "FAULT",
        Role::Init => "INIT",
    }
}

fn role_here(instance: &Instance) -> String {
    let letting_go = if instance.letting_go { ", letting it go" } else { "" };
    format!("{} for {}{letting_go}", role_word(instance.role), age(instance.since_ms))
}

fn priority_here(instance: &Instance) -> String {
    let Instance { priority, effective_priority, .. } = instance;
    if priority == effective_priority {
        priority.to_string()
    } else {
        format!("{effective_priority} (configured {priority})")
    }
}

fn service_here(service: &Service) -> String {
    let state = service_words(service.state, service.healthy, service.readiness.as_ref());
    format!("{state}, for {}", age(service.since_ms))
}

fn service_words(state: ServiceState, healthy: Option<bool>, readiness: Option<&Readiness>) -> String {
    match state {
        ServiceState::Running => match healthy {
            Some(true) => "running well".to_owned(),
            Some(false) => "running, but not well".to_owned(),
            None => "running, not checked yet".to_owned(),
        },
        ServiceState::Starting => "starting".to_owned(),
        ServiceState::Stopping => "stopping".to_owned(),
        ServiceState::Unknown => "nobody can tell whether it runs".to_owned(),
        ServiceState::Stopped => match readiness {
            Some(Readiness { ready: true, .. }) => "stopped, could start".to_owned(),
            Some(Readiness { reason: Some(reason), .. }) => format!("stopped, could not start: {reason}"),
            Some(Readiness { reason: None, .. }) => "stopped, could not start".to_owned(),
            None => "stopped, not known whether it could start".to_owned(),
        },
    }
}

/// What has gone wrong with a service here; nothing if nothing has.
fn history_here(service: &Service, row: &mut dyn FnMut(&str, String)) {
    let name = &service.name;
    let within = |milliseconds| span(Duration::from_millis(milliseconds));
    for (what, budget) in [("restarts", service.restarts), ("moves", service.moves)] {
        if budget.used > 0 {
            let here = format!("{} of {} within {}", budget.used, budget.limit, within(budget.within_ms));
            row(&format!("{name} {what}"), here);
        }
    }
    if let Some(failure) = &service.last_failure {
        row(&format!("{name} failed"), format!("{} ago: {}", age(failure.age_ms), failure.text));
    }
    for check in service.checks.iter().filter(|check| check.good == Some(false)) {
        row(&format!("{name} check"), failed_check(check));
    }
}

fn failed_check(check: &api::Check) -> String {
    let last = check.last.as_ref().map_or_else(String::new, |last| format!(" ({last})"));
    format!("{} has failed{last}", check.name)
}

fn draw_checks(picture: &mut Picture, status: &Status) {
    if status.checks.is_empty() {
        return;
    }
    let words = status.checks.iter().map(|check| match check.good {
        _ if check.rests => format!("{} rests in this role", check.name),
        Some(true) => format!("{} is good", check.name),
        Some(false) => failed_check(check),
        None => format!("{} has not run yet", check.name),
    });
    picture.gap();
    picture.line(&format!("checks: {}", words.collect::<Vec<_>>().join(", ")));
}

fn draw_trackers(picture: &mut Picture, status: &Status) {
    if status.trackers.is_empty() {
        return;
    }
    let words = status.trackers.iter().map(|tracker| {
        let api::Tracker { name, subject, figure, good, turns_in_ms, .. } = tracker;
        let figure = figure.map_or_else(|| "not known yet".to_owned(), |figure| figure.to_string());
        match (tracker.kind, good) {
            (api::TrackerKind::File, _) => format!("{name} is {figure} ({subject})"),
            (api::TrackerKind::Process, good) => {
                let verdict = match (good, turns_in_ms) {
                    (None, _) => String::new(),
                    (Some(true), None) => ", good".to_owned(),
                    (Some(false), None) => ", not good".to_owned(),
                    (Some(true), Some(left)) => format!(", good for another {}", age(*left)),
                    (Some(false), Some(left)) => format!(", good in {}", age(*left)),
                };
                format!("{name}: {figure} of {subject}{verdict}")
            }
        }
    });
    picture.gap();
    picture.line(&format!("tracked: {}", words.collect::<Vec<_>>().join(", ")));
}

fn draw_paths(picture: &mut Picture, peer: &Peer, silence_ms: u64) {
    let words = peer.paths.iter().map(|path| match path.age_ms {
        None => format!("{} never heard", path.address),
        Some(milliseconds) => {
            let ago = age(milliseconds.saturating_add(silence_ms));
            if path.one_way == Some(Place::Here) {
                format!("{} heard {ago} ago, and does not hear this node there", path.address)
            } else if path.works {
                format!("{} heard {ago} ago", path.address)
            } else {
                format!("{} silent for {ago}", path.address)
            }
        }
    });
    let round_trip = peer.round_trip_us.map_or_else(String::new, |microseconds| {
        format!("; round trip {}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100)
    });
    let discarded = match peer.discarded {
        0 => String::new(),
        count => format!("; {count} messages discarded"),
    };
    picture.gap();
    picture.line(&format!("paths: {}{round_trip}{discarded}", words.collect::<Vec<_>>().join(", ")));
}

/// What the daemon of this node may still do to its machine.
fn draw_confinement(picture: &mut Picture, confinement: &api::Confinement) {
    let api::Confinement { user, capabilities, measures } = confinement;
    let words = measures.iter().map(|measure| match (&measure.reason, measure.in_force) {
        (_, true) => measure.name.clone(),
        (Some(reason), false) => format!("not {} ({reason})", measure.name),
        (None, false) => format!("not {}", measure.name),
    });
    let user = if *user == 0 { String::new() } else { format!("; user {user}") };
    let count = capabilities.len();
    picture.gap();
    picture.line(&format!("confined: {}{user}; {count} capabilities", words.collect::<Vec<_>>().join(", ")));
}

/// What is known of the other node about one instance.
struct Theirs<'a> {
    peer: &'a Peer,
    instance: Option<&'a PeerInstance>,
    age_ms: Option<u64>,
    /// It said so, but that was too long ago.
    stale: bool,
}

impl<'a> Theirs<'a> {
    fn of(peer: &'a Peer, instance: &str, silence_ms: u64) -> Self {
        let age_ms = peer.age_ms.map(|age| age.saturating_add(silence_ms));
        let stale = !peer.alive || peer.stale || age_ms.is_some_and(|age| age > STALE_AFTER_MS);
        let instance = peer.instances.iter().find(|theirs| theirs.name == instance);
        Self { peer, instance, age_ms, stale }
    }

    fn heading(&self) -> String {
        let node = if self.peer.node.is_empty() { "the peer" } else { &self.peer.node };
        match self.age_ms {
            None => format!("{node} (never heard)"),
            Some(milliseconds) if !self.peer.alive => {
                format!("{node} (silent for {})", age(milliseconds))
            }
            Some(milliseconds) if self.stale => {
                format!("{node} (stale: {} old)", age(milliseconds))
            }
            Some(milliseconds) => format!("{node} (heard {} ago)", age(milliseconds)),
        }
    }

    /// What it said; as past if it may no longer be so.
    fn say(&self, words: impl Fn(&PeerInstance) -> String) -> String {
        match self.instance {
            None if self.age_ms.is_none() => "not known".to_owned(),
            None => "has no such instance".to_owned(),
            Some(instance) if self.stale => format!("was {}", words(instance)),
            Some(instance) => words(instance),
        }
    }

    fn role(&self) -> String {
        self.say(|there| {
            let held = if there.held { ", stands back" } else { "" };
            format!("{}{held}", role_word(there.role))
        })
    }

    fn service(&self, name: &str) -> String {
        self.say(|there| match there.services.iter().find(|service| service.name == name) {
            None => "has no such service".to_owned(),
            Some(PeerService { failed: true, .. }) => "failed there".to_owned(),
            Some(PeerService { state, healthy, readiness, .. }) => service_words(*state, *healthy, readiness.as_ref()),
        })
    }
}

fn age(milliseconds: u64) -> String {
    span(Duration::from_millis(milliseconds))
}
