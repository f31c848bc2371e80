//! The thread that talks to docker: one connection for its events, and one for each question while it lasts.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use engine::{Name, ServiceOrder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::DockerPlace;
use super::container::{Ask, Container, Out};
use super::http::{self, Answer};
use super::words::{Description, Event, refusal};
use crate::courier::{Gone, Post};
use crate::ledger::{Number, Receipts};
use crate::retry::Retry;
use crate::socket::Socket;
use crate::{News, Word};

/// Questions that docker answers from memory.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long docker waits after the stop signal before it kills: as good as for ever.
const NEVER: &str = "86400";
/// When docker is only kept from restarting something that had crashed.
const SOON: &str = "10";
/// Of all that happens to containers; not the health checks, which would wake us every few seconds.
const EVENTS: [&str; 10] =
    ["create", "destroy", "die", "kill", "pause", "rename", "start", "stop", "unpause", "update"];

/// What the loop wants.
#[derive(Debug)]
pub(crate) enum Order {
    Add { service: Name, container: String },
    Service { service: Name, order: ServiceOrder, number: Number },
}

/// Works until the loop's end of the post has gone.
pub(crate) fn run(place: &DockerPlace, post: Post<Order>, receipts: Receipts) {
    let line = Line::Down(Retry::new(Instant::now(), "not asked yet"));
    let mut worker = Worker { place, post, receipts, containers: BTreeMap::new(), line };
    while let Ok(()) = worker.turn() {}
}

struct Worker<'a> {
    place: &'a DockerPlace,
    post: Post<Order>,
    receipts: Receipts,
    containers: BTreeMap<Name, Container>,
    line: Line,
}

enum Line {
    Down(Retry),
    Up(Connection),
}

struct Connection {
    events: Exchange,
    /// Questions and their answers.
    exchanges: Vec<(Exchange, Name, Ask)>,
    /// Questions whose answers nobody waits for any more. docker may stop at what it does if it is left alone with them.
    orphans: Vec<Exchange>,
    /// How it was before.
    before: Retry,
    /// Since when events are coming.
    steady_since: Option<Instant>,
}

struct Exchange {
    socket: Socket,
    answer: Answer,
    deadline: Option<Instant>,
}

impl Exchange {
    fn begin(place: &DockerPlace, method: &str, target: &str, deadline: Option<Instant>) -> io::Result<Self> {
        let address = place.socket.as_ref().map_err(|reason| io::Error::other(reason.as_str()))?;
        let mut socket = Socket::connect(address)?;
        socket.send(&http::request(method, target))?;
        Ok(Self { socket, answer: Answer::default(), deadline })
    }

    /// Takes in what has come. Whether the answer is complete.
    fn read(&mut self) -> io::Result<bool> {
        self.socket.exchange()?;
        let ended = self.socket.ended;
        self.answer.read(&mut self.socket.received, ended).map_err(|http::Nonsense| {
            io::Error::other(if ended { "it has closed the connection" } else { "what it says is not HTTP" })
        })
    }
}

impl Worker<'_> {
    /// One wait and what follows.
    fn turn(&mut self) -> Result<(), Gone> {
        self.wait();
        self.post.silence();
        while let Some(order) = self.post.next()? {
            self.obey(order);
        }
        self.listen();
        let now = Instant::now();
        self.look_after_line(now);
        let due = |container: &Container| container.deadline().is_some_and(|at| at <= now);
        for service in self.services(due) {
            self.with_container(&service, |container, out| container.look_again(now, out));
        }
        self.send_receipts();
        Ok(())
    }

    fn wait(&self) {
        let wait = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        // A millisecond more than enough, lest it be awake a moment before it is due.
        let wait = wait.and_then(|wait| Timespec::try_from(wait + Duration::from_millis(1)).ok());
        let post = self.post.fd();
        let mut descriptors = vec![(post, PollFlags::IN)];
        if let Line::Up(connection) = &self.line {
            let all = connection.exchanges.iter().map(|(exchange, ..)| exchange);
            let all = all.chain(&connection.orphans).chain([&connection.events]);
            descriptors.extend(all.map(|exchange| (exchange.socket.fd(), exchange.socket.interest())));
        }
        let mut fds: Vec<PollFd<'_>> = descriptors.iter().map(|(fd, interest)| PollFd::new(fd, *interest)).collect();
        // An interruption is as good as a time-out: everything is looked at anyway.
        let _ = poll(&mut fds, wait.as_ref());
    }

    fn deadline(&self) -> Option<Instant> {
        let containers = self.containers.values().filter_map(Container::deadline);
        let line = match &self.line {
            // Without containers there is nobody to connect for.
            Line::Down(_) if self.containers.is_empty() => None,
            Line::Down(retry) => Some(retry.deadline()),
            Line::Up(connection) => connection.deadline(),
        };
        containers.chain(line).min()
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Add { service, container } => {
                if self.containers.get(&service).is_some_and(|known| known.name() == container) {
                    return;
                }
                self.ignore_answers_about(&service);
                self.containers.insert(service.clone(), Container::new(&container));
                if self.is_up() {
                    self.with_container(&service, Container::describe);
                }
            }
            Order::Service { service, order: ServiceOrder::Forget, .. } => {
                self.ignore_answers_about(&service);
                self.containers.remove(&service);
            }
            Order::Service { service, order, number } => {
                self.receipts.owe(&service, number);
                self.with_container(&service, |container, out| container.order(order, Instant::now(), out));
                // What is ordered while nobody answers may have to be told at once.
                if let Line::Down(retry) = &self.line
                    && retry.was_told()
                {
                    let reason = retry.reason.clone();
                    self.with_container(&service, |container, out| container.lost(&reason, out));
                }
            }
        }
    }

    /// The service is another container from now on, or none.
    fn ignore_answers_about(&mut self, service: &Name) {
        let Line::Up(connection) = &mut self.line else { return };
        let (orphans, exchanges) = std::mem::take(&mut connection.exchanges)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, about, _)| about == service);
        connection.orphans.extend(orphans.into_iter().map(|(exchange, ..)| exchange));
        connection.exchanges = exchanges;
    }

    /// An order is taken when docker has answered it, be it with a refusal. Of a stop that is when the container has
    /// ended, so there the stop signal is enough.
    fn send_receipts(&mut self) {
        let Self { containers, line, receipts, .. } = self;
        receipts.send(|service| {
            let Some(container) = containers.get(service) else { return false };
            let is_asked = match &*line {
                Line::Down(_) => false,
                Line::Up(connection) => connection.exchanges.iter().any(|(_, about, ask)| {
                    about == service
                        && match ask {
                            Ask::Start | Ask::Kill => true,
                            Ask::Stop => !container.is_asked_to_end(),
                            Ask::GiveUp | Ask::Describe | Ask::Image(_) => false,
                        }
                }),
            };
            is_asked || container.order_waits()
        });
    }

    /// Events are coming, so that nothing gets lost after a description.
    fn is_up(&self) -> bool {
        matches!(&self.line, Line::Up(connection) if connection.steady_since.is_some())
    }

    fn look_after_line(&mut self, now: Instant) {
        match &mut self.line {
            Line::Down(retry) => {
                if retry.must_be_told(now) {
                    let reason = retry.reason.clone();
                    for service in self.services(|_| true) {
                        self.with_container(&service, |container, out| container.lost(&reason, out));
                    }
                }
                if let Line::Down(retry) = &mut self.line
                    && now >= retry.at
                    && !self.containers.is_empty()
                {
                    match Exchange::begin(self.place, "GET", &events_target(), Some(now + PATIENCE)) {
                        Err(error) => retry.failed(now, format!("connect to docker: {error}")),
                        Ok(events) => {
                            let before = std::mem::replace(retry, Retry::new(now, ""));
                            self.line = Line::Up(Connection {
                                events,
                                exchanges: Vec::new(),
                                orphans: Vec::new(),
                                before,
                                steady_since: None,
                            });
                        }
                    }
                }
            }
            Line::Up(connection) => {
                if connection.deadline().is_some_and(|at| at <= now) {
                    self.hang_up("docker does not answer".to_owned());
                }
            }
        }
    }

    fn hang_up(&mut self, reason: String) {
        let now = Instant::now();
        let Line::Up(connection) = &mut self.line else { return };
        let before = std::mem::replace(&mut connection.before, Retry::new(now, ""));
        self.line = Line::Down(before.after(now, connection.steady_since, reason));
        for container in self.containers.values_mut() {
            container.disconnected();
        }
    }

    fn ask(&mut self, service: &Name, ask: Ask) {
        let Some(container) = self.containers.get_mut(service) else { return };
        let Line::Up(connection) = &mut self.line else {
            // It has gone down since this was wanted: an answer must not be waited for.
            return container.disconnected();
        };
        let name = http::escape(container.address(&ask));
        let soon = Some(Instant::now() + PATIENCE);
        let (method, target, deadline) = match &ask {
            Ask::Describe => ("GET", format!("/containers/{name}/json"), soon),
            Ask::Image(id) => ("GET", format!("/images/{}/json", http::escape(id)), soon),
            Ask::Start => ("POST", format!("/containers/{name}/start"), None),
            Ask::Stop => ("POST", format!("/containers/{name}/stop?t={NEVER}"), None),
            Ask::GiveUp => ("POST", format!("/containers/{name}/stop?t={SOON}"), None),
            Ask::Kill => ("POST", format!("/containers/{name}/kill?signal=KILL"), None),
        };
        match Exchange::begin(self.place, method, &target, deadline) {
            Ok(exchange) => connection.exchanges.push((exchange, service.clone(), ask)),
            Err(error) => self.hang_up(format!("talk to docker: {error}")),
        }
    }

    /// First the events, then the answers: an answer that is older than an event is known to be so.
    fn listen(&mut self) {
        self.listen_to_events();
        if let Line::Up(connection) = &mut self.line {
            connection.orphans.retain_mut(|exchange| matches!(exchange.read(), Ok(false)));
        }
        let mut at = 0;
        while let Line::Up(connection) = &mut self.line
            && let Some((exchange, ..)) = connection.exchanges.get_mut(at)
        {
            match exchange.read() {
                Ok(false) => at += 1,
                Ok(true) => {
                    let (exchange, service, ask) = connection.exchanges.remove(at);
                    self.hear_answer(&service, ask, &exchange.answer);
                }
                Err(error) => self.hang_up(format!("listen to docker: {error}")),
            }
        }
    }

    fn listen_to_events(&mut self) {
        let Line::Up(connection) = &mut self.line else { return };
        let complete = match connection.events.read() {
            Ok(complete) => complete,
            Err(error) => return self.hang_up(format!("listen to docker: {error}")),
        };
        let answer = &mut connection.events.answer;
        match answer.status {
            None => return,
            Some(200) => {}
            Some(status) if complete => {
                let text = refusal(&answer.body, status);
                return self.hang_up(format!("docker tells no events: {text}"));
            }
            Some(_) => return,
        }
        let whole = answer.body.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = answer.body.drain(..whole).collect();
        if connection.steady_since.is_none() {
            connection.steady_since = Some(Instant::now());
            connection.events.deadline = None;
            for service in self.services(|_| true) {
                self.with_container(&service, Container::describe);
                if !self.is_up() {
                    return;
                }
            }
        }
        let now = Instant::now();
        for line in lines.split(|&octet| octet == b'\n') {
            // What is not an event is nothing that we know how to act on.
            let Ok(event) = serde_json::from_slice::<Event>(line) else { continue };
            for service in self.services(|_| true) {
                self.with_container(&service, |container, out| container.happened(&event, now, out));
                if !self.is_up() {
                    return;
                }
            }
        }
        if complete {
            self.hang_up("docker has closed the connection".to_owned());
        }
    }

    fn hear_answer(&mut self, service: &Name, ask: Ask, answer: &Answer) {
        let now = Instant::now();
        let status = answer.status.unwrap_or_default();
        match (ask, status) {
            (Ask::Describe, 200) => match serde_json::from_slice::<Description>(&answer.body) {
                Ok(description) => self.with_container(service, |container, out| {
                    container.described(Some(description), now, out);
                }),
                Err(_) => self.hear_no_description(service, "it answers in an unknown way", now),
            },
            (Ask::Describe, 404) => {
                self.with_container(service, |container, out| container.described(None, now, out));
            }
            (Ask::Describe, _) => self.hear_no_description(service, &refusal(&answer.body, status), now),
            (Ask::Image(_), _) => {
                self.with_container(service, |container, out| container.image_found(status == 200, out));
            }
            (ask @ (Ask::Start | Ask::Stop | Ask::GiveUp | Ask::Kill), _) => {
                let answer = match (&ask, status) {
                    // 304: it is so already. 404 and 409 to what ends it: there is nothing to end.
                    (_, 200..=299 | 304) | (Ask::Stop | Ask::GiveUp | Ask::Kill, 404 | 409) => Ok(()),
                    _ => Err(refusal(&answer.body, status)),
                };
                self.with_container(service, |container, out| container.replied(&ask, answer, out));
            }
        }
    }

    /// The one container's misfortune; the others are none the worse for it.
    fn hear_no_description(&mut self, service: &Name, text: &str, now: Instant) {
        self.with_container(service, |container, out| {
            let reason = format!("docker does not tell of the container {}: {text}", container.name());
            container.withheld(&reason, now, out);
        });
    }

    fn services(&self, which: impl Fn(&Container) -> bool) -> Vec<Name> {
        let which = self.containers.iter().filter(|(_, container)| which(container));
        which.map(|(name, _)| name.clone()).collect()
    }

    /// Lets a container take something in and carries out what follows.
    fn with_container(&mut self, service: &Name, act: impl FnOnce(&mut Container, &mut Vec<Out>)) {
        let Some(container) = self.containers.get_mut(service) else { return };
        let mut out = Vec::new();
        act(container, &mut out);
        for out in out {
            match out {
                Out::Report(report) => self.tell(service, Word::Report(report)),
                Out::Remark(weight, text) => self.tell(service, Word::Remark(weight, text)),
                Out::Ask(ask) => self.ask(service, ask),
            }
        }
    }

    fn tell(&self, service: &Name, word: Word) {
        self.post.tell(News { service: service.clone(), word });
    }
}

impl Connection {
    fn deadline(&self) -> Option<Instant> {
        self.exchanges.iter().filter_map(|(exchange, ..)| exchange.deadline).chain(self.events.deadline).min()
    }
}

fn events_target() -> String {
    let events: Vec<String> = EVENTS.iter().map(|event| format!("\"{event}\"")).collect();
    let filters = format!("{{\"type\":[\"container\"],\"event\":[{}]}}", events.join(","));
    format!("/events?filters={}", http::escape(&filters))
}

#[cfg(test)]
mod tests;
