//! Checks that need no program: connections and questions that make their way in the loop, files and names that a
//! thread of their own looks at, and what services say by themselves. When a probe is due and how long it may take is
//! the engine's business; here it begins, and ends with a result or because it was told to.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use engine::{Name, ProbeFailure, ScriptOutcome};
use linux::process_list::ProcessId;
use linux::system_log::Severity;
use linux::tcp_connect;
use rustix::io::Errno;

use super::plan::ProbePlan;
use super::worker::Job;
use super::{Context, Target};
use crate::checks::is_want;

/// An HTTP server must have said its headers by then.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 128;
/// What an ended probe counts as: the engine has decided already that it took too long.
const TIMED_OUT: ScriptOutcome = ScriptOutcome::ProbeFailed(ProbeFailure::System(tcp_connect::TIMED_OUT));
/// What a run counts as whose check is no longer in the configuration: nothing.
const TAKEN_OUT: ScriptOutcome = ScriptOutcome::NotLooked(Errno::CANCELED.raw_os_error());
const GOOD: ScriptOutcome = ScriptOutcome::Exited(0);

#[derive(Debug, Default)]
pub(super) struct Probes {
    probes: BTreeMap<Name, Probe>,
}

#[derive(Debug)]
struct Probe {
    service: Name,
    plan: ProbePlan,
    state: State,
    /// A thread has not answered yet. If that is for an earlier run, this one waits for it.
    asked: Asked,
    /// The process that was found last.
    known: Option<ProcessId>,
    /// When the service said last that it is well.
    heard_at: Option<u64>,
    /// That this check waits for the next start of the service was told.
    told_waiting: bool,
    /// What a server has said; kept for the next run.
    head: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Idle,
    /// The answer of a thread, or of the service.
    Waiting,
    Talking {
        stream: TcpStream,
        token: u64,
        sent: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    ForThisRun,
    ForAnEarlierOne,
}

/// How far a conversation has come.
enum Progress {
    Pending,
    Done(ScriptOutcome),
}

impl Probes {
    /// Takes new plans over. Runs of what is unchanged go on; those of what has changed begin anew, as the engine waits for
    /// them and what the old plan finds counts no more. `notices` knows of each service how often it was told, when it was
    /// started, to say that it is well; `None` if it runs and was not told.
    pub(super) fn reconfigure(
        &mut self,
        plans: Vec<(Name, Name, ProbePlan)>,
        notices: impl Fn(&Name) -> Option<Duration>,
        context: &mut Context<'_>,
    ) {
        let mut before = std::mem::take(&mut self.probes);
        for (service, check, plan) in plans {
            let probe = match before.remove(&check) {
                Some(same) if same.plan == plan && same.service == service => same,
                other => {
                    let notices = notices(&service);
                    let speaks = notices.is_some_and(|notices| !notices.is_zero());
                    let mut probe = Probe {
                        // It may take as long as it was told at its start.
                        heard_at: speaks.then_some(context.now),
                        service,
                        plan,
                        state: State::Idle,
                        asked: Asked::No,
                        known: None,
                        told_waiting: false,
                        head: Vec::new(),
                    };
                    if let Some(mut other) = other {
                        let ran = other.cease(context);
                        probe.asked = other.asked;
                        if ran {
                            probe.begin(&check, notices, context);
                        }
                    }
                    probe
                }
            };
            self.probes.insert(check, probe);
        }
        for (check, mut probe) in before {
            // Nobody is left to answer it, but the engine may still wait for the answer.
            if probe.cease(context) {
                context.check(&check, TAKEN_OUT);
            }
        }
    }

    pub(super) fn contains(&self, check: &Name) -> bool {
        self.probes.contains_key(check)
    }

    /// Whether anybody listens for what services say.
    pub(super) fn wants_notices(&self) -> bool {
        self.probes.values().any(|probe| matches!(probe.plan, ProbePlan::Notify { .. }))
    }

    /// How often a service is to say that it is well, if that is asked of it.
    pub(super) fn notices_of(&self, service: &Name) -> Option<Duration> {
        let within = |probe: &Probe| match probe.plan {
            ProbePlan::Notify { within } if probe.service == *service => Some(within),
            _ => None,
        };
        self.probes.values().find_map(within)
    }

    /// The service that a check looks at.
    pub(super) fn service_of(&self, check: &Name) -> Option<&Name> {
        self.probes.get(check).map(|probe| &probe.service)
    }

    /// Begins a run. `notices` is how often the service was told, when it was started, to say that it is well; `None` if it
    /// runs and was not told.
    pub(super) fn run(&mut self, check: &Name, notices: Option<Duration>, context: &mut Context<'_>) {
        if let Some(probe) = self.probes.get_mut(check) {
            probe.begin(check, notices, context);
        }
    }

    /// A run takes too long. It ends at once, and is told as ended; what it would have found counts nowhere.
    pub(super) fn end(&mut self, check: &Name, context: &mut Context<'_>) {
        if let Some(probe) = self.probes.get_mut(check) {
            probe.end(check, context);
        }
    }

    /// A connection has made progress.
    pub(super) fn progress(&mut self, check: &Name, context: &mut Context<'_>) {
        if let Some(probe) = self.probes.get_mut(check) {
            probe.progress(check, context);
        }
    }

    pub(super) fn process_found(
        &mut self,
        check: &Name,
        found: Result<Option<ProcessId>, i32>,
        context: &mut Context<'_>,
    ) {
        let Some(probe) = self.probes.get_mut(check) else { return };
        let outcome = match found {
            Ok(Some(_)) => GOOD,
            Ok(None) => ScriptOutcome::ProbeFailed(ProbeFailure::NoProcess),
            Err(errno) => failed(errno),
        };
        probe.known = found.unwrap_or(probe.known);
        probe.answered(check, outcome, context);
    }

    pub(super) fn file_looked(&mut self, check: &Name, age: Result<Duration, i32>, context: &mut Context<'_>) {
        let Some(probe) = self.probes.get_mut(check) else { return };
        let max_age = match &probe.plan {
            ProbePlan::File { max_age, .. } => *max_age,
            // It was asked under another plan, and nothing is made of the answer.
            _ => None,
        };
        let outcome = match (age, max_age) {
            (Err(errno), _) => failed(errno),
            (Ok(age), Some(most)) if age > most => {
                let seconds = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
                ScriptOutcome::ProbeFailed(ProbeFailure::TooOld(seconds))
            }
            (Ok(_), _) => GOOD,
        };
        probe.answered(check, outcome, context);
    }

    /// A process of this service has said that it is well.
    pub(super) fn heard(&mut self, service: &Name, context: &mut Context<'_>) {
        self.hear(|probe| probe.service == *service, context);
    }

    /// Nobody could be heard for a while, through no fault of the services: they count as if they had spoken.
    pub(super) fn excuse_silence(&mut self, context: &mut Context<'_>) {
        self.hear(|_| true, context);
    }

    fn hear(&mut self, whose: impl Fn(&Probe) -> bool, context: &mut Context<'_>) {
        for (check, probe) in self.probes.iter_mut().filter(|(_, probe)| whose(probe)) {
            if matches!(probe.plan, ProbePlan::Notify { .. }) {
                probe.heard_at = Some(context.now);
                if let State::Waiting = probe.state {
                    probe.finish(check, GOOD, context);
                }
            }
        }
    }

    /// It is started anew: what its predecessor said is worth nothing.
    pub(super) fn forget_notices(&mut self, service: &Name) {
        for probe in self.probes.values_mut().filter(|probe| probe.service == *service) {
            (probe.heard_at, probe.told_waiting) = (None, false);
        }
    }
}

impl Probe {
    fn begin(&mut self, check: &Name, notices: Option<Duration>, context: &mut Context<'_>) {
        // The engine waits for the end of a run before it begins another.
        if !matches!(self.state, State::Idle) {
            return;
        }
        match &self.plan {
            ProbePlan::Http { address, .. } | ProbePlan::Tcp { address } => {
                let address = *address;
                self.connect(check, address, context);
            }
            ProbePlan::Notify { within } => {
                // The configuration is newer than the process: it cannot know what was not said to it.
                let Some(notices) = notices else {
                    if !std::mem::replace(&mut self.told_waiting, true) {
                        let text = format!(
                            "({}) check notify counts from the next start of the service on: what runs now was started \
                             without a NOTIFY_SOCKET and cannot say that it is well",
                            self.service
                        );
                        context.tell(Severity::Notice, text);
                    }
                    return self.finish(check, GOOD, context);
                };
                let within = notices.max(*within);
                let since = context.now.saturating_sub(u64::try_from(within.as_nanos()).unwrap_or(u64::MAX));
                if self.heard_at.is_some_and(|at| at >= since) {
                    return self.finish(check, GOOD, context);
                }
                self.state = State::Waiting;
            }
            ProbePlan::Process { .. } | ProbePlan::File { .. } => {
                self.state = State::Waiting;
                if self.asked == Asked::No {
                    self.ask(check, context);
                }
            }
        }
    }

    /// Has a thread look, if that is how this check is made.
    fn ask(&mut self, check: &Name, context: &mut Context<'_>) {
        let job = match &self.plan {
            ProbePlan::Process { name } => Job::Process { check: check.clone(), name: name.clone(), known: self.known },
            ProbePlan::File { path, .. } => Job::File { check: check.clone(), path: path.clone() },
            ProbePlan::Http { .. } | ProbePlan::Tcp { .. } | ProbePlan::Notify { .. } => return,
        };
        match context.ask(job) {
            Ok(()) => self.asked = Asked::ForThisRun,
            Err(error) => self.finish(check, ScriptOutcome::NotLooked(error.errno().unwrap_or_default()), context),
        }
    }

    /// A thread has answered. What was asked for an earlier run says nothing about this one.
    fn answered(&mut self, check: &Name, outcome: ScriptOutcome, context: &mut Context<'_>) {
        let asked = std::mem::replace(&mut self.asked, Asked::No);
        if !matches!(self.state, State::Waiting) {
            return;
        }
        if asked == Asked::ForThisRun {
            self.finish(check, outcome, context);
        } else {
            self.ask(check, context);
        }
    }

    fn connect(&mut self, check: &Name, address: SocketAddr, context: &mut Context<'_>) {
        self.head.clear();
        let begun = tcp_connect::begin(address).and_then(|stream| {
            let token = context.token_for(&stream, Target::Probe(check.clone()))?;
            Ok((stream, token))
        });
        match begun {
            Ok((stream, token)) => self.state = State::Talking { stream, token, sent: 0 },
            Err(error) => {
                self.finish(check, failed(error.errno().unwrap_or_default()), context);
            }
        }
    }

    fn progress(&mut self, check: &Name, context: &mut Context<'_>) {
        let State::Talking { stream, sent, .. } = &mut self.state else { return };
        let progress = match &self.plan {
            ProbePlan::Http { request, statuses, .. } => talk(stream, request, sent, &mut self.head, statuses),
            _ => connected(stream),
        };
        let outcome = match progress {
            Ok(Progress::Pending) => return,
            Ok(Progress::Done(outcome)) => outcome,
            Err(error) => error.raw_os_error().map_or(ScriptOutcome::ProbeFailed(ProbeFailure::Nonsense), failed),
        };
        self.finish(check, outcome, context);
    }

    fn end(&mut self, check: &Name, context: &mut Context<'_>) {
        if self.cease(context) {
            context.check(check, TIMED_OUT);
        }
    }

    /// Ends a run without telling it. Whether there was one.
    fn cease(&mut self, context: &mut Context<'_>) -> bool {
        if self.asked == Asked::ForThisRun {
            self.asked = Asked::ForAnEarlierOne;
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => false,
            State::Waiting => true,
            State::Talking { stream, token, .. } => {
                context.forget_token(token, &stream);
                true
            }
        }
    }

    fn finish(&mut self, check: &Name, outcome: ScriptOutcome, context: &mut Context<'_>) {
        self.cease(context);
        context.check(check, outcome);
    }
}

/// What an error says: of what was looked at, or only that this daemon lacks what it needs for looking.
fn failed(errno: i32) -> ScriptOutcome {
    if is_want(errno) {
        ScriptOutcome::NotLooked(errno)
    } else {
        ScriptOutcome::ProbeFailed(ProbeFailure::System(errno))
    }
}

/// Whether the connection is there.
fn connected(stream: &TcpStream) -> std::io::Result<Progress> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(Progress::Done(GOOD)),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(Progress::Pending),
        Err(error) => Err(error),
    }
}

/// Says the rest of the request and reads until the status is known. A server that does not wait for the request may have
/// answered and reset the connection by now: an error counts only if there is no answer.
fn talk(
    stream: &mut TcpStream,
    request: &str,
    sent: &mut usize,
    head: &mut Vec<u8>,
    statuses: &std::ops::RangeInclusive<u16>,
) -> std::io::Result<Progress> {
    // Told only once, and first to whoever writes.
    let mut refused = None;
    while let rest @ [_, ..] = &request.as_bytes()[*sent..] {
        match stream.write(rest) {
            Ok(length) => *sent += length,
            // Perhaps the connection is not even there.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Progress::Pending),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let mut octets = [0; 2048];
    loop {
        match stream.read(&mut octets) {
            Ok(0) => return refused.map_or_else(|| Ok(nonsense()), Err),
            Ok(length) => head.extend_from_slice(&octets[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return refused.map_or(Ok(Progress::Pending), Err);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(refused.unwrap_or(error)),
        }
        match status(head) {
            Head::Status(status) if statuses.contains(&status) => return Ok(Progress::Done(GOOD)),
            Head::Status(status) => {
                return Ok(Progress::Done(ScriptOutcome::ProbeFailed(ProbeFailure::HttpStatus(status))));
            }
            Head::Partial if head.len() < LARGEST_HEAD => {}
            Head::Partial | Head::Nonsense => return Ok(nonsense()),
        }
    }
}

const fn nonsense() -> Progress {
    Progress::Done(ScriptOutcome::ProbeFailed(ProbeFailure::Nonsense))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    Partial,
    Status(u16),
    Nonsense,
}

/// See [`crate::foreign`].
pub(crate) fn http_status(head: &[u8]) -> Result<Option<u16>, &'static str> {
    match status(head) {
        Head::Partial => Ok(None),
        Head::Status(status) => Ok(Some(status)),
        Head::Nonsense => Err("nonsense"),
    }
}

/// The status of the final answer; those that announce another (1xx) are passed over.
fn status(mut octets: &[u8]) -> Head {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match (response.parse(octets), response.code) {
            (Ok(httparse::Status::Complete(length)), Some(100..=199)) => octets = &octets[length..],
            (Ok(httparse::Status::Complete(_)), Some(status)) => return Head::Status(status),
            (Ok(httparse::Status::Partial), _) => return Head::Partial,
            (Ok(_) | Err(_), _) => return Head::Nonsense,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_of_the_final_answer() {
        let check = |text: &str, expected| assert_eq!(status(text.as_bytes()), expected, "{text:?}");
        check("", Head::Partial);
        check("HTTP/1.1 200 OK\r\nA: b\r\n", Head::Partial);
        check("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", Head::Status(200));
        check("HTTP/1.0 503\r\n\r\n", Head::Status(503));
        check("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", Head::Partial);
        check("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 404 No\r\n\r\n", Head::Status(404));
        check("SSH-2.0-OpenSSH_9.2\r\n", Head::Nonsense);
        check("HTTP/2 200 OK\r\n\r\n", Head::Nonsense);
    }
}
