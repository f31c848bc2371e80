//! Timelines as text: what happens to an engine, and what it does about it.
//!
//! ```text
//! router a priority 100
//!   0.000000 > start
//!   0.000000   a Initialize -> Backup: Started
//!   0.000000   a notify Backup 100
//!   2.000000 > hear 192.0.2.2 150 interval 1
//! ```
//!
//! The calendar of a timeline begins at 1 700 000 000 s; `calendar +3` and `calendar -3` set it three seconds ahead or
//! back from there.
//!
//! Lines with `>` happen; the others follow, and are compared. Between two lines with `>` the engine is asked
//! whenever it wanted to be, exactly then; at the same moment its timers come first. `late` before what happens
//! means that it was not asked until then. `settle` is a start at 0 of which only the state is shown that it led
//! to, with services that do not run; `serve` the same, with services that have come up. Unless a `link` line comes before the first moment, eth0 is up with
//! the address 192.0.2.1. `UPDATE_EXPECT=1` rewrites the timelines of a test file.
//!
//! An address of a link with `?` is tentative.
//!
//! `missing G` tells of which groups something static is not there; `file load 5` what number a tracked file has;
//! `processes web 2` how many tracked processes there are, `processes web 2 forked` or `ended` by what.
//!
//! `running job`, `gone job` (with `exit 1` or `signal 9`), `by-hand job`, `refused job REASON`, `lingers job REASON`,
//! `ready job`, `unready job REASON` and `unknown job REASON` are what is reported of a service; `switch`, `hold`,
//! `release`, `maintain`, `maintained` and `ack` what an operator says; `restore`, before the start, what a former life
//! remembers.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tanist_engine::vrrp::receive::ChecksumForm;
use tanist_engine::{
    Authentication, ChecksumPolicy, Command, Desired, DesiredAddress, Ending, Engine, Family, FigureCause, HeldBy,
    HmacMode, Input, Instant, LatchReason, LatchRecord, LinkId, LinkState, MaintenanceRecord, MoveRecord, Name, Output,
    Owner, Priority, Received, Record, Restored, Route, RouterConfig, RouterId, RouterRecord, Rule, ScriptOutcome,
    ServiceRecord, ServiceReport, TrackerKind, TrackerName, Transport, Version,
};

use super::packet::{AuthenticationHeader, Packet, Seal, Sum, ipv4, key_octets, source_of};
use super::setup::{address, config, number, password, seconds};
use super::words;

/// Runs a timeline and compares.
#[track_caller]
pub(crate) fn check(text: &str) {
    let written = lines(text);
    let happened = run(&written);
    let expected: Vec<&str> = written.iter().map(|line| line.text.as_str()).collect();
    let differs = |at: &usize| expected.get(*at).copied() != happened.get(*at).map(String::as_str);
    let Some(at) = (0..expected.len().max(happened.len())).find(differs) else { return };
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return rewrite(Location::caller(), text, &written, &happened);
    }
    panic!(
        "the timeline goes another way:\n  expected {}\n  happened {}\n\nall that happened:\n{}\n",
        expected.get(at).copied().unwrap_or("(nothing more)"),
        happened.get(at).map_or("(nothing more)", String::as_str),
        happened.join("\n"),
    );
}

/// A line without its comment and with single blanks, and as it was written.
struct Line {
    text: String,
    original: String,
}

fn lines(text: &str) -> Vec<Line> {
    let normal = |line: &str| line.split('#').next().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
    let all = text.lines().map(|line| Line { text: normal(line), original: line.to_owned() });
    all.filter(|line| !line.text.is_empty()).collect()
}

/// Replaces the timeline in its test file. What did not change keeps its comment.
fn rewrite(place: &Location<'_>, text: &str, written: &[Line], happened: &[String]) {
    // The compiler counts from the workspace, the test runs in its package.
    let (_, file) = place.file().rsplit_once("tests/").expect("a test's source is in `tests`");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    let mut left: Vec<&Line> = written.iter().collect();
    let mut new = String::from("\n");
    for line in happened {
        let same = left.iter().position(|known| known.text == *line);
        let printed = match same.map(|at| left.remove(at)) {
            Some(known) => known.original.clone(),
            None => match line.split_once(' ') {
                Some((moment, rest)) if moment.contains('.') => format!("{moment:>12}   {rest}"),
                _ => line.clone(),
            },
        };
        new.push_str(&printed);
        new.push('\n');
    }
    new.push_str(text.lines().last().filter(|last| last.trim().is_empty()).unwrap_or(""));
    // The other tests of the file may be doing the same in their threads.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    let source = std::fs::read_to_string(&path).expect("the test's own source can be read");
    assert!(source.contains(text), "{}: the timeline does not stand there as it is", path.display());
    std::fs::write(&path, source.replacen(text, &new, 1)).expect("the test's own source can be written");
}

/// Everything that happens, line by line.
fn run(written: &[Line]) -> Vec<String> {
    let is_setup = |line: &&Line| !line.text.starts_with(|first: char| first.is_ascii_digit());
    let setup: Vec<&str> = written.iter().take_while(is_setup).map(|line| line.text.as_str()).collect();
    let (links, rest): (Vec<&str>, Vec<&str>) = setup.iter().partition(|line| line.starts_with("link "));
    let mut bench = Bench::new(&rest);
    bench.set_links(&links);
    let mut happened: Vec<String> = setup.iter().map(|line| (*line).to_owned()).collect();
    let mut lines = written[setup.len()..].iter().map(|line| line.text.as_str()).peekable();
    while let Some(line) = lines.next() {
        let mut words = line.splitn(3, ' ');
        let (Some(moment), Some(">"), Some(action)) = (words.next(), words.next(), words.next()) else { continue };
        let mut following = Vec::new();
        let is_configuration = |line: &&str| {
            ["router ", "script ", "file ", "process ", "service ", "group ", "pair ", "static ", "delay ", "pace "]
                .iter()
                .any(|word| line.starts_with(word))
        };
        while let Some(more) = lines.next_if(is_configuration) {
            following.push(more);
        }
        let now = Instant::START + seconds(moment);
        if action == "settle" || action == "serve" {
            happened.push(line.to_owned());
            happened.extend(bench.settle(now, action == "serve"));
            continue;
        }
        let action = match action.strip_prefix("late ") {
            Some(late) => late,
            None => {
                happened.extend(bench.wait(now));
                action
            }
        };
        happened.push(line.to_owned());
        happened.extend(following.iter().map(|line| (*line).to_owned()));
        happened.extend(bench.act(now, action, &following));
    }
    happened
}

/// An engine and what surrounds it.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    /// Before that nobody asks it anything.
    started: bool,
    /// When it was given something last.
    now: Instant,
    /// How far its calendar is ahead of the others'.
    ahead: i64,
}

impl Bench {
    pub(crate) fn new(lines: &[&str]) -> Self {
        let mut bench = Self { engine: Engine::new(config(lines), 1), started: false, now: Instant::START, ahead: 0 };
        bench.act(Instant::START, "calendar +0", &[]);
        bench
    }

    /// Before the start: these interfaces, or the usual one.
    pub(crate) fn set_links(&mut self, lines: &[&str]) {
        let usual = ["link eth0 up 192.0.2.1"];
        let lines = if lines.is_empty() && !self.engine.links().is_empty() { &usual[..] } else { lines };
        for line in lines {
            self.act(Instant::START, line, &[]);
        }
    }

    /// Asks the engine whenever it wants to be asked, up to this moment.
    pub(crate) fn wait(&mut self, until: Instant) -> Vec<String> {
        let mut happened = Vec::new();
        let mut last = (self.now, 0);
        while let Some(due) = self.engine.deadline().filter(|due| self.started && *due <= until) {
            // What was due before something happened is done right after it.
            let due = due.max(self.now);
            last = (due, if due == last.0 { last.1 + 1 } else { 0 });
            assert!(last.1 < 100, "asked at {due} a hundred times, the engine still wants to be asked then");
            happened.extend(self.handle(due, Input::Timer));
        }
        happened
    }

    /// Starts, and shows what has become of it by then.
    fn settle(&mut self, now: Instant, services_run: bool) -> Vec<String> {
        self.act(Instant::START, "start", &[]);
        let services: Vec<Name> = self.engine.config().services.iter().map(|service| service.name.clone()).collect();
        for service in &services {
            self.report(Instant::START, service, ServiceReport::Gone(Ending::NotRunning));
        }
        self.wait(now);
        for service in services.iter().filter(|_| services_run) {
            self.report(now, service, ServiceReport::Running);
        }
        let mut happened = self.act(now, "view", &[]);
        happened.extend(self.act(now, "services", &[]));
        happened
    }

    /// Does what a line says.
    pub(crate) fn act(&mut self, now: Instant, action: &str, following: &[&str]) -> Vec<String> {
        let words: Vec<&str> = action.split(' ').collect();
        match words[..] {
            ["start"] => {
                self.started = true;
                self.handle(now, Input::Start)
            }
            ["stop"] => self.handle(now, Input::Stop),
            ["hesitate", span] => self.handle(now, Input::Hesitate { until: now + seconds(span) }),
            ["clear-counters"] => self.handle(now, Input::ClearStatistics),
            ["wait"] => Vec::new(),
            ["calendar", ahead] => {
                self.ahead = number(ahead);
                let said = now.since(Instant::START)
                    + Duration::from_secs(CALENDAR.checked_add_signed(self.ahead).expect("not so long ago"));
                self.handle(now, Input::Calendar(said))
            }
            ["timer"] => self.handle(now, Input::Timer),
            ["link", link, ref state @ ..] => {
                let link = self.link(link);
                self.handle(now, Input::Link { link, state: link_state(state) })
            }
            ["elsewhere", ref addresses @ ..] => {
                let addresses = addresses.iter().map(|text| address(text)).collect();
                self.handle(now, Input::OtherAddresses(addresses))
            }
            ["hear", source, priority, ref lies @ ..] => self.hear(now, source, priority, lies),
            ["exit", script, status] => self.finish(now, script, ScriptOutcome::Exited(number(status))),
            ["signal", script, signal] => self.finish(now, script, ScriptOutcome::Signalled(number(signal))),
            ["unlooked", script, error] => self.finish(now, script, ScriptOutcome::NotLooked(number(error))),
            ["unstartable", script, error] => self.finish(now, script, ScriptOutcome::NotStarted(number(error))),
            ["file", name, figure] => self.figure(now, TrackerKind::File, name, figure, FigureCause::Found),
            ["processes", name, count, ref how @ ..] => {
                let cause = match how {
                    [] => FigureCause::Found,
                    ["forked"] => FigureCause::Forked,
                    ["ended"] => FigureCause::Ended,
                    other => panic!("no count changes by {other:?}"),
                };
                self.figure(now, TrackerKind::Process, name, count, cause)
            }
            ["missing", ref groups @ ..] => {
                let groups = groups.iter().copied().map(Name::from).collect();
                self.handle(now, Input::StaticsMissing(groups))
            }
            ["unsent", router, error] => {
                let router = self.router(router);
                self.handle(now, Input::SendFailed { router, error: number(error) })
            }
            ["reconfigure"] => self.handle(now, Input::Reconfigure(Box::new(config(following)))),
            ["running", service] => self.report(now, service, ServiceReport::Running),
            ["gone", service, ref how @ ..] => self.report(now, service, ServiceReport::Gone(ending(how))),
            ["by-hand", service] => self.report(now, service, ServiceReport::StoppedByHand),
            ["refused", service, reason] => self.report(now, service, ServiceReport::StartRefused(reason.into())),
            ["lingers", service, reason] => self.report(now, service, ServiceReport::StopRefused(reason.into())),
            ["ready", service] => self.report(now, service, ServiceReport::Readiness(Ok(()))),
            ["unready", service, reason] => self.report(now, service, ServiceReport::Readiness(Err(reason.into()))),
            ["unknown", service, reason] => self.report(now, service, ServiceReport::Unknown(reason.into())),
            ["switch", router, to] => {
                let (router, to_us) = (self.router(router), to == "here");
                self.command(now, Command::Switch { router, to_us, dry_run: false })
            }
            ["hold", router, by] => {
                let router = self.router(router);
                self.command(now, Command::Hold { router, by: held_by(by) })
            }
            ["release", router, by] => {
                let router = self.router(router);
                self.command(now, Command::Release { router, by: held_by(by) })
            }
            ["maintain"] => self.command(now, Command::Maintain { span: None, calendar: calendar(now) }),
            ["maintain", span] => {
                self.command(now, Command::Maintain { span: Some(seconds(span)), calendar: calendar(now) })
            }
            ["maintained"] => self.command(now, Command::EndMaintenance),
            ["ack"] => self.command(now, Command::Acknowledge),
            ["restore", ref what @ ..] => {
                let restored = self.restored(now, what);
                self.handle(now, Input::Restored(restored))
            }
            ["services"] => {
                let view = self.engine.view();
                view.services.iter().map(|service| stamp(now, &words::service(service))).collect()
            }
            ["checks"] => {
                let view = self.engine.view();
                view.scripts.iter().map(|check| stamp(now, &words::check(check))).collect()
            }
            ["view"] => {
                let view = self.engine.view();
                view.routers.iter().map(|router| stamp(now, &words::view(&self.engine, router))).collect()
            }
            ["counters"] => {
                let view = self.engine.view();
                view.routers.iter().map(|router| stamp(now, &words::counters(router))).collect()
            }
            _ => panic!("nobody knows how to {action}"),
        }
    }

    fn report(&mut self, now: Instant, service: &str, report: ServiceReport) -> Vec<String> {
        self.handle(now, Input::Service { service, report })
    }

    fn command(&mut self, now: Instant, command: Command) -> Vec<String> {
        self.handle(now, Input::Command { number: 1, command })
    }

    /// `nothing`, `damaged`, or a record of the first router: `epoch 3`, `active`, `held`, `latched`, `maintained`
    /// (without end) or `maintained 60`, `untold` if nobody was told that its services had been taken over, `told 7` if that was in
    /// another epoch, `left-stopped` if they had ended in maintenance, `moved 60` if the role moved because of them so many seconds
    /// ago, and `other-boot` if the machine was started anew since.
    fn restored(&self, now: Instant, words: &[&str]) -> Restored {
        let date = calendar(now);
        let calendar = date.saturating_add_signed(self.ahead);
        match words {
            ["nothing"] => return Restored::Nothing { calendar },
            ["damaged"] => return Restored::Damaged(Name::from("half a file")),
            _ => {}
        }
        let name = self.engine.config().routers[0].name.clone();
        let mut router = RouterRecord { name, epoch: 1, active: false, held_by: Vec::new(), stood_back: false };
        let mut record = Record::default();
        let (mut same_boot, mut told, mut left_stopped) = (true, None, false);
        let mut moves = Vec::new();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            match *word {
                "epoch" => router.epoch = number(words.next().expect("an epoch is a number")),
                "active" => router.active = true,
                "held" => router.held_by.push(HeldBy::Operator),
                "latched" => {
                    let (service, node) = (Name::from("job"), Name::from("here"));
                    (record.latch_number, record.acknowledged) = (1, 0);
                    record.latch = Some(LatchRecord { service, reason: LatchReason::TooManyMoves, node });
                }
                "maintained" => {
                    let until = words.next_if(|next| next.starts_with(|first: char| first.is_ascii_digit()));
                    let until = until.map(|seconds| calendar + number::<u64>(seconds));
                    record.maintenance = Some(MaintenanceRecord { until });
                }
                "untold" => told = Some(0),
                "told" => told = words.next().map(|epoch| number(epoch)),
                "moved" => {
                    let age: u64 = number(words.next().expect("a move was so many seconds ago"));
                    moves.push(MoveRecord { at: now - Duration::from_secs(age), calendar: Some(date - age) });
                }
                "left-stopped" => left_stopped = true,
                "other-boot" => same_boot = false,
                other => panic!("nobody remembers {other}"),
            }
        }
        // The clock of another boot had come further.
        if !same_boot {
            moves.iter_mut().for_each(|moved| moved.at = now + Duration::from_secs(5_000));
        }
        let told = told.unwrap_or(if router.active { router.epoch } else { 0 });
        if told > 0 || left_stopped || !moves.is_empty() {
            record.services.extend(self.engine.config().services.iter().map(|service| ServiceRecord {
                name: service.name.clone(),
                failed: false,
                told,
                left_stopped,
                moves: moves.clone(),
            }));
        }
        record.routers.push(router);
        Restored::Record { record, same_boot, calendar }
    }

    fn finish(&mut self, now: Instant, script: &str, outcome: ScriptOutcome) -> Vec<String> {
        self.handle(now, Input::ScriptFinished { script, outcome })
    }

    fn figure(&mut self, now: Instant, kind: TrackerKind, name: &str, figure: &str, cause: FigureCause) -> Vec<String> {
        let (name, figure) = (name.into(), figure.parse().expect("a figure is a number"));
        self.handle(now, Input::Figure { tracker: &TrackerName { kind, name }, figure, cause })
    }

    /// A packet as a twin of the first router (or of the one that `for` names) would send it, but for its lies.
    fn hear(&mut self, now: Instant, source: &str, priority: &str, lies: &[&str]) -> Vec<String> {
        let pairs = || lies.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        assert_eq!(lies.len() % 2, 0, "{lies:?}: a lie is a name and a value");
        let named = |name: &str| pairs().find(|(known, _)| *known == name).map(|(_, value)| value);
        let router = named("for").map_or(RouterId(0), |name| self.router(name));
        let router = self.engine.router(router).expect("named routers are there");
        let link = self.link(named("on").unwrap_or(&router.link));
        let (octets, family) = (packet(router, now, source, number(priority), pairs()).octets(), router.family);
        self.handle(now, Input::Received(Received { link, family, octets: &octets }))
    }

    fn router(&self, name: &str) -> RouterId {
        let place = self.engine.config().routers.iter().position(|router| &*router.name == name);
        RouterId(place.unwrap_or_else(|| panic!("there is no router {name}")) as u32)
    }

    fn link(&self, name: &str) -> LinkId {
        let place = self.engine.links().iter().position(|link| **link == *name);
        LinkId(place.unwrap_or_else(|| panic!("there is no link {name}")) as u32)
    }

    /// One step, and what must hold for every step whatever it is.
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Vec<String> {
        let before = self.in_kernel();
        let mut out = Vec::new();
        self.now = now;
        self.engine.handle(now, input, &mut out);
        let told = out.contains(&Output::DesiredChanged);
        assert!(told || self.in_kernel() == before, "{now}: what is desired changed and nobody was told");
        let mut lines: Vec<(String, usize)> = Vec::new();
        for output in &out {
            let mut line = words::output(&self.engine, output);
            if let Output::Advertise { router, priority, sequence } = output
                && !self.judge_advertisement(*router, priority.get(), *sequence)
            {
                line.push_str(" but has no address to send from");
            }
            match lines.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => lines.push((line, 1)),
            }
        }
        let fold = |(line, times)| if times == 1 { line } else { format!("{line} ({times} times)") };
        lines.into_iter().map(fold).map(|line| stamp(now, &line)).collect()
    }

    /// What is desired, whichever router wants it: indices change in a reconfiguration.
    fn in_kernel(&self) -> (Vec<DesiredAddress>, BTreeSet<Arc<Route>>, BTreeSet<Arc<Rule>>) {
        let Desired { addresses, routes, rules } = self.engine.desired();
        let plain = |address| DesiredAddress { owner: Owner::Static, place: 0, ..address };
        let routes = routes.into_iter().map(|desired| desired.route).collect();
        (addresses.into_iter().map(plain).collect(), routes, rules.into_iter().map(|desired| desired.rule).collect())
    }

    /// Every advertisement is, but for its identification, what our own encoder makes of the configuration.
    /// False if it cannot be sent.
    fn judge_advertisement(&self, id: RouterId, priority: u8, sequence: u64) -> bool {
        let router = self.engine.router(id).expect("who advertises is there");
        let mut buffer = [0; 1500];
        for destination in self.engine.destinations(id) {
            let wanted = Priority::new(priority);
            let Some(written) = self.engine.write_advertisement(id, wanted, sequence, *destination, &mut buffer) else {
                return false;
            };
            let mut judge = Packet::of(router, source_of(written), *destination, priority);
            judge.identification = u16::from_be_bytes([written[4], written[5]]);
            let heard = self.engine.view().routers.get(id.0 as usize).and_then(|view| view.peer_checksum_form);
            judge.sum = match (router.version, router.deviations.checksum, heard) {
                _ if router.family == Family::Ipv6 => Sum::WithPseudoHeader,
                (Version::V2, ..) | (Version::V3, ChecksumPolicy::MessageOnly, _) => Sum::MessageOnly,
                // By multicast there is no old form.
                (Version::V3, ChecksumPolicy::OldUnicast, _) if destination.is_multicast() => Sum::WithPseudoHeader,
                (Version::V3, ChecksumPolicy::OldUnicast, _) => Sum::OldUnicast,
                (Version::V3, ChecksumPolicy::Automatic, Some(ChecksumForm::OldUnicast)) => Sum::OldUnicast,
                (Version::V3, ChecksumPolicy::Automatic | ChecksumPolicy::NeverOldUnicast, _) => Sum::WithPseudoHeader,
            };
            match &router.authentication {
                Authentication::Hmac(policy) if policy.mode != HmacMode::ReceiveOnly => {
                    judge.seal = Some(Seal::new(policy.active_key, sequence));
                }
                Authentication::Header(word) => {
                    judge.authentication_header = Some(AuthenticationHeader::new(&word[..], sequence as u32));
                }
                Authentication::Hmac(_) | Authentication::None | Authentication::SimplePassword(_) => {}
            }
            assert_eq!(written, judge.octets(), "{}: another packet than configured", router.name);
        }
        true
    }
}

fn stamp(now: Instant, line: &str) -> String {
    format!("{now} {line}")
}

/// Nothing (it was not running), `exit 1`, `signal 9`.
fn ending(words: &[&str]) -> Ending {
    match words {
        [] => Ending::NotRunning,
        ["exit", status] => Ending::Exited(number(status)),
        ["signal", signal] => Ending::Signalled(number(signal)),
        other => panic!("nothing ends by {other:?}"),
    }
}

fn held_by(word: &str) -> HeldBy {
    match word {
        "operator" => HeldBy::Operator,
        "down-file" => HeldBy::DownFile,
        other => panic!("{other} holds nobody back"),
    }
}

/// Seconds since 1970 when a timeline begins.
const CALENDAR: u64 = 1_700_000_000;

/// Seconds since 1970, at a moment of a timeline.
fn calendar(now: Instant) -> u64 {
    CALENDAR + now.as_nanos() / 1_000_000_000
}

/// As a trailer of `auth_hmac` has it.
fn sequence(now: Instant) -> u64 {
    calendar(now) << 32 | (now.as_nanos() % 1_000_000_000 * 65_536 / 1_000_000_000) << 16
}

/// `up 192.0.2.1`, `down 192.0.2.1`, `absent`.
fn link_state(words: &[&str]) -> Option<LinkState> {
    let (condition, addresses) = words.split_first().expect("a link is up, down or absent");
    let (tentative, addresses): (Vec<&&str>, Vec<&&str>) = addresses.iter().partition(|text| text.ends_with('?'));
    let addresses = addresses.into_iter().map(|text| address(text)).collect();
    let tentative = tentative.into_iter().map(|text| address(text.trim_end_matches('?'))).collect();
    match *condition {
        "up" | "down" | "deaf" => {
            Some(LinkState { up: *condition != "down", addresses, tentative, deaf: *condition == "deaf" })
        }
        "absent" => None,
        other => panic!("a link is up, down, deaf or absent, not {other}"),
    }
}

/// A packet as a twin of this router would send it, but for its lies.
pub(crate) fn packet<'t>(
    router: &RouterConfig,
    now: Instant,
    source: &str,
    priority: u8,
    lies: impl Iterator<Item = (&'t str, &'t str)>,
) -> Packet {
    let destination = match &router.transport {
        Transport::Multicast { group, .. } => *group,
        Transport::Unicast { source, .. } => source.unwrap_or_else(|| address("192.0.2.1")),
    };
    let mut packet = Packet::of(router, address(source), destination, priority);
    match &router.authentication {
        Authentication::Hmac(policy) => packet.seal = Some(Seal::new(policy.active_key, sequence(now))),
        // By the time in milliseconds, which counts on as a sender would.
        Authentication::Header(word) => {
            let number = now.as_nanos() / 1_000_000;
            packet.authentication_header = Some(AuthenticationHeader::new(&word[..], number as u32));
        }
        Authentication::None | Authentication::SimplePassword(_) => {}
    }
    for (name, value) in lies {
        match name {
            "for" | "on" => {}
            "to" => packet.destination = address(value),
            "ttl" => packet.ttl = number(value),
            "version" => packet.version = number(value),
            "type" => packet.kind = number(value),
            "vrid" => packet.vrid = number(value),
            "count" => packet.count = Some(number(value)),
            "authentication" => packet.middle[0] = number(value),
            "password" => packet.tail = Vec::from(password(value)),
            "interval" if router.version == Version::V2 => packet.middle[1] = number(value),
            "interval" => {
                let centiseconds = (seconds(value).as_millis() / 10) as u16;
                packet.middle = (u16::from(packet.middle[0] & 0xf0) << 8 | centiseconds).to_be_bytes();
            }
            "reserved" => packet.middle[0] |= number::<u8>(value) << 4,
            "addresses" if value == "none" => packet.addresses.clear(),
            "addresses" => packet.addresses = value.split(',').map(address).collect(),
            "sum" => {
                packet.sum = match value {
                    "pseudo" => Sum::WithPseudoHeader,
                    "message" => Sum::MessageOnly,
                    "old" => Sum::OldUnicast,
                    _ => Sum::Wrong,
                };
            }
            "header" if value == "none" => packet.authentication_header = None,
            _ if name.starts_with("header") => {
                let header = packet.authentication_header.get_or_insert_with(|| AuthenticationHeader::new(b"?", 1));
                match name {
                    "header" => {}
                    "header_number" => header.sequence = number(value),
                    "header_password" => header.password = password(value).to_vec(),
                    "header_spi" => header.spi = Some(ipv4(address(value))),
                    "header_next" => header.next = number(value),
                    "header_words" => header.words = number(value),
                    "header_reserved" => header.reserved = number(value),
                    "header_routed" => header.routed = true,
                    _ => panic!("unknown lie {name}"),
                }
            }
            "seal" if value == "none" => packet.seal = None,
            _ if name.starts_with("seal") => {
                let seal = packet.seal.get_or_insert_with(|| Seal::new(1, sequence(now)));
                match name {
                    "seal" => *seal = Seal::new(number(value), sequence(now)),
                    "seal_number" => seal.key = number(value),
                    "seal_secret" => seal.secret = key_octets(number(value)),
                    "seal_kind" => seal.kind = number(value),
                    "seal_reserved" => seal.reserved = number(value),
                    "seal_ahead" => seal.sequence = seal.sequence.wrapping_add_signed(number::<i64>(value) << 32),
                    "seal_counter" => seal.sequence += number::<u64>(value),
                    "seal_from" => seal.source = Some(address(value)),
                    "seal_cut" => seal.cut = number(value),
                    _ => panic!("unknown lie {name}"),
                }
            }
            "padding" => packet.padding = number(value),
            "cut" => packet.cut = number(value),
            _ => panic!("unknown lie {name}"),
        }
    }
    packet
}
