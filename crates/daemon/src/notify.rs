//! Notify scripts: one queue for each virtual router and each sync group, one script at a time, in order; how each ended
//! is told.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::net::IpAddr;
use std::sync::Arc;

use engine::{Family, Name, Notice, NoticeKind, Priority, RouterConfig, Transport, Vrid};
use linux::spawn::{Exit, Program};
use linux::system_log::Severity;

use crate::children::{Children, Purpose};

/// Scripts that may wait for one router; beyond that the oldest are dropped, an even number, so that starts and stops
/// still alternate.
const LONGEST_QUEUE: usize = 1000;
/// A script that runs longer than this is told of once, in nanoseconds.
const LONG: u64 = 30_000_000_000;

/// As keepalived's first argument and the first word of a line say it.
const INSTANCE: &str = "INSTANCE";
const GROUP: &str = "GROUP";

/// Whose queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum QueueKey {
    /// What makes two names the same router: a renamed instance keeps its queue.
    Router {
        link: Name,
        vrid: Vrid,
        family: Family,
        /// The multicast group that it sends to, or its own address where it sends to its peers.
        address: Option<IpAddr>,
    },
    /// A sync group, by name.
    Group(Name),
}

/// What scripts are told of.
#[derive(Clone, Debug)]
pub(crate) struct Occasion {
    key: QueueKey,
    /// [`INSTANCE`] or [`GROUP`].
    of: &'static str,
    name: Name,
    kind: NoticeKind,
    /// Effective priority; 0 for a group, as in keepalived.
    priority: u8,
}

impl Occasion {
    pub(crate) fn of_router(router: &RouterConfig, notice: Notice) -> Self {
        let address = match &router.transport {
            Transport::Multicast { group, .. } => Some(*group),
            Transport::Unicast { source, .. } => *source,
        };
        let key = QueueKey::Router { link: router.link.clone(), vrid: router.vrid, family: router.family, address };
        Self { key, of: INSTANCE, name: router.name.clone(), kind: notice.kind, priority: notice.priority.get() }
    }

    pub(crate) fn of_group(group: &Name, kind: NoticeKind) -> Self {
        Self { key: QueueKey::Group(group.clone()), of: GROUP, name: group.clone(), kind, priority: 0 }
    }

    /// As what it is told: unless somebody wants it, a deletion is told as a fault.
    pub(crate) fn told_as(&self, prepared: &Prepared) -> NoticeKind {
        match self.kind {
            NoticeKind::Deleted if !prepared.tells_deletion => NoticeKind::Fault,
            kind => kind,
        }
    }

    /// What the pipes are told.
    pub(crate) fn line(&self, prepared: &Prepared) -> String {
        line(self.of, &self.name, word(self.told_as(prepared)), self.priority)
    }

    /// Who it is about.
    pub(crate) fn subject(&self) -> Subject<'_> {
        if self.of == GROUP { Subject::Group(&self.name) } else { Subject::Instance(&self.name) }
    }
}

/// Who an occasion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject<'o> {
    Instance(&'o Name),
    Group(&'o Name),
}

/// A line about a script.
pub(crate) type Told = (Severity, String);

/// The notify scripts of one instance or group, ready to be started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) active: Option<Notifier>,
    pub(crate) backup: Option<Notifier>,
    pub(crate) fault: Option<Notifier>,
    pub(crate) stop: Option<Notifier>,
    /// A deletion is told as one.
    pub(crate) tells_deletion: bool,
    pub(crate) deleted: Option<Notifier>,
    pub(crate) active_heard_lower_priority: Option<Notifier>,
    pub(crate) any: Option<Notifier>,
}

/// A script that is told about changes.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    pub(crate) program: Arc<Program>,
    /// For people.
    pub(crate) command: String,
}

/// A script to be run for an occasion.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    /// Of the instance or group, for people.
    name: Name,
    notifier: Notifier,
    /// Appended to those of the configuration.
    arguments: Vec<String>,
    /// It says that something is still so, not that something has changed.
    repeats: bool,
}

/// The scripts that an occasion calls for, in keepalived's order, with the arguments that it appends.
pub(crate) fn notifications(prepared: &Prepared, occasion: &Occasion) -> Vec<Notification> {
    let kind = occasion.told_as(prepared);
    // What is told as a fault because nothing else was said is none: no script of its own runs.
    let own = match occasion.kind {
        NoticeKind::Active => &prepared.active,
        NoticeKind::Backup => &prepared.backup,
        NoticeKind::Fault => &prepared.fault,
        NoticeKind::Stop => &prepared.stop,
        NoticeKind::Deleted => &prepared.deleted,
        NoticeKind::ActiveHeardLowerPriority => &prepared.active_heard_lower_priority,
    };
    let repeats = kind == NoticeKind::ActiveHeardLowerPriority;
    let general = prepared.any.as_ref().filter(|_| !repeats).map(|notifier| {
        let arguments = [occasion.of, &occasion.name, word(kind), &occasion.priority.to_string()];
        (notifier, arguments.map(str::to_owned).to_vec())
    });
    own.iter()
        .map(|notifier| (notifier, Vec::new()))
        .chain(general)
        .map(|(notifier, arguments)| {
            let (name, notifier) = (occasion.name.clone(), notifier.clone());
            Notification { name, notifier, arguments, repeats }
        })
        .collect()
}

/// What scripts and pipes are told.
const fn word(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Active => "MASTER",
        NoticeKind::Backup => "BACKUP",
        NoticeKind::Fault => "FAULT",
        NoticeKind::Stop => "STOP",
        NoticeKind::Deleted => "DELETED",
        NoticeKind::ActiveHeardLowerPriority => "MASTER_RX_LOWER_PRI",
    }
}

/// A line for the pipes.
fn line(of: &str, name: &Name, word: &str, priority: u8) -> String {
    format!("{of} \"{name}\" {word} {priority}\n")
}

/// What the pipes are told when an effective priority changes. Who is not Active is a backup here, even in FAULT.
pub(crate) fn priority_line(name: &Name, is_active: bool, priority: Priority) -> String {
    line(INSTANCE, name, if is_active { "MASTER_PRIORITY" } else { "BACKUP_PRIORITY" }, priority.get())
}

impl Notification {
    fn label(&self) -> String {
        let command = &self.notifier.command;
        if self.arguments.is_empty() { command.clone() } else { format!("{command} {}", self.arguments.join(" ")) }
    }
}

/// All queues.
#[derive(Debug, Default)]
pub(crate) struct NotifyQueues {
    queues: BTreeMap<QueueKey, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Notification>,
    /// One, except at the very end.
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    pid: u32,
    name: Name,
    label: String,
    started_at: u64,
    told_long: bool,
}

impl NotifyQueues {
    /// Queues what an occasion calls for, and starts it if nothing is running.
    pub(crate) fn push(
        &mut self,
        occasion: &Occasion,
        prepared: &Prepared,
        now: u64,
        children: &mut Children,
        told: &mut Vec<Told>,
    ) {
        let notifications = notifications(prepared, occasion);
        if notifications.is_empty() {
            return;
        }
        let key = occasion.key.clone();
        let queue = self.queues.entry(key.clone()).or_default();
        for notification in notifications {
            let label = notification.label();
            if notification.repeats && queue.waiting.iter().any(|waiting| waiting.label() == label) {
                continue;
            }
            queue.waiting.push_back(notification);
        }
        queue.shorten(told);
        queue.start_next(&key, now, children, told);
    }

    /// A script has ended.
    pub(crate) fn ended(
        &mut self,
        key: &QueueKey,
        pid: u32,
        exit: Exit,
        now: u64,
        children: &mut Children,
        told: &mut Vec<Told>,
    ) {
        let Some(queue) = self.queues.get_mut(key) else { return };
        if let Some(place) = queue.running.iter().position(|running| running.pid == pid) {
            let running = queue.running.swap_remove(place);
            let milliseconds = now.saturating_sub(running.started_at) / 1_000_000;
            let (severity, how) = match exit {
                Exit::Code(0) => (Severity::Info, "succeeded".to_owned()),
                Exit::Code(status) => (Severity::Warning, format!("exited with status {status}")),
                Exit::Signal(signal) => (Severity::Warning, format!("was ended by signal {signal}")),
            };
            let Running { name, label, .. } = running;
            told.push((severity, format!("({name}) notify script {label} {how} after {milliseconds} ms")));
        }
        queue.start_next(key, now, children, told);
    }

    /// Tells of scripts that run for long.
    pub(crate) fn tell_long(&mut self, now: u64, told: &mut Vec<Told>) {
        for queue in self.queues.values_mut() {
            let waiting = queue.waiting.len();
            for running in queue.running.iter_mut().filter(|running| !running.told_long) {
                if now.saturating_sub(running.started_at) >= LONG {
                    running.told_long = true;
                    let Running { name, label, .. } = running;
                    let text = format!(
                        "({name}) notify script {label} is still running after 30 s; {waiting} more are waiting"
                    );
                    told.push((Severity::Warning, text));
                }
            }
        }
    }

    /// When [`tell_long`](Self::tell_long) has something to say.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let running = self.queues.values().flat_map(|queue| &queue.running);
        running.filter(|running| !running.told_long).map(|running| running.started_at + LONG).min()
    }

    /// Whether nothing runs and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.queues.values().all(|queue| queue.running.is_empty() && queue.waiting.is_empty())
    }

    /// The daemon is about to end: what still waits behind a script that does not end is started beside it.
    pub(crate) fn hurry(&mut self, now: u64, children: &mut Children, told: &mut Vec<Told>) {
        for (key, queue) in &mut self.queues {
            if let (Some(running), false) = (queue.running.first(), queue.waiting.is_empty()) {
                let Running { name, label, .. } = running;
                let text = format!("({name}) notify script {label} does not end; what waits is started beside it");
                told.push((Severity::Warning, text));
            }
            while let Some(next) = queue.waiting.pop_front() {
                queue.start(key, &next, now, children, told);
            }
        }
    }

    /// Tells what is left unfinished.
    pub(crate) fn tell_unfinished(&self, told: &mut Vec<Told>) {
        for queue in self.queues.values() {
            for Running { name, label, .. } in &queue.running {
                told.push((Severity::Error, format!("({name}) notify script {label} has not ended, leaving it")));
            }
        }
    }
}

impl Queue {
    fn start_next(&mut self, key: &QueueKey, now: u64, children: &mut Children, told: &mut Vec<Told>) {
        while self.running.is_empty() {
            let Some(next) = self.waiting.pop_front() else { return };
            self.start(key, &next, now, children, told);
        }
    }

    fn start(&mut self, key: &QueueKey, next: &Notification, now: u64, children: &mut Children, told: &mut Vec<Told>) {
        let (name, label) = (next.name.clone(), next.label());
        // The words are ours, the name has been a C string in the configuration's arguments before.
        let further = next.arguments.iter().filter_map(|argument| CString::new(argument.as_str()).ok());
        match next.notifier.program.start_with(&further.collect::<Vec<_>>()) {
            Ok(child) => {
                children.insert(child.pid, Purpose::Notify(key.clone()));
                self.running.push(Running { pid: child.pid, name, label, started_at: now, told_long: false });
            }
            Err(error) => told.push((Severity::Error, format!("({name}) notify script {label}: {error}"))),
        }
    }

    fn shorten(&mut self, told: &mut Vec<Told>) {
        if self.waiting.len() <= LONGEST_QUEUE {
            return;
        }
        let repeating = self.waiting.iter().position(|waiting| waiting.repeats);
        let dropped: Vec<Notification> = match repeating {
            Some(place) => self.waiting.remove(place).into_iter().collect(),
            // Own and general scripts of two changes.
            None => self.waiting.drain(..4).collect(),
        };
        let labels: Vec<String> = dropped.iter().map(Notification::label).collect();
        if let Some(Notification { name, .. }) = dropped.first() {
            let text = format!("({name}) too many notify scripts are waiting, not run: {}", labels.join(", "));
            told.push((Severity::Error, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::{LoadOptions, MemoryFiles};
    use engine::RouterId;
    use linux::process::signal_group;
    use linux::signals::Signal;

    use super::*;

    fn instance(name: &str, id: u8, lines: &str) -> String {
        format!("vrrp_instance {name} {{\n interface eth0\n virtual_router_id {id}\n version 3\n{lines}\n}}\n")
    }

    fn address(address: &str) -> String {
        format!(" virtual_ipaddress {{\n {address}\n }}")
    }

    fn routers(text: &str) -> Vec<RouterConfig> {
        let files = MemoryFiles::single("/keepalived.conf", text.to_owned());
        let loaded = config::load(Path::new("/keepalived.conf"), &files, &LoadOptions::default());
        let settings = loaded.settings.unwrap_or_else(|| panic!("{}", loaded.report.render(false)));
        settings.instances.into_iter().map(|instance| instance.router).collect()
    }

    fn key(router: &RouterConfig) -> QueueKey {
        backup(router).key
    }

    fn backup(router: &RouterConfig) -> Occasion {
        let kind = NoticeKind::Backup;
        Occasion::of_router(router, Notice { router: RouterId(0), kind, priority: Priority::new(150) })
    }

    /// A script that takes so long.
    fn sleeping(seconds: &str) -> Prepared {
        let arguments = [c"sleep".to_owned(), CString::new(seconds).unwrap()];
        let program = Arc::new(Program::new(c"/bin/sleep".to_owned(), arguments.to_vec()));
        let backup = Some(Notifier { program, command: format!("sleep {seconds}") });
        Prepared { backup, ..Prepared::default() }
    }

    #[test]
    fn who_shares_a_queue_is_the_same_router() {
        let two = [address("192.0.2.1"), address("2001:db8::1")];
        let [v4, v6] = routers(&(instance("V4", 51, &two[0]) + &instance("V6", 51, &two[1]))).try_into().unwrap();
        assert_ne!(key(&v4), key(&v6));
        let renamed = routers(&instance("OTHER", 51, &two[0]));
        assert_eq!(key(&v4), key(&renamed[0]));
        assert_ne!(key(&v4), key(&routers(&instance("V4", 52, &two[0]))[0]));
        let unicast = |source| {
            let lines = format!(" unicast_src_ip {source}\n unicast_peer {{\n 192.0.2.9\n }}\n{}", two[0]);
            key(&routers(&instance("V4", 51, &lines))[0])
        };
        assert_ne!(unicast("192.0.2.7"), unicast("192.0.2.8"));
        assert_ne!(unicast("192.0.2.7"), key(&v4));
    }

    #[test]
    fn nobody_waits_for_the_script_of_another_and_each_is_told_of_by_its_name() {
        let two = instance("V4", 51, &address("192.0.2.1")) + &instance("V6", 51, &address("2001:db8::1"));
        let [v4, v6] = routers(&two).try_into().unwrap();
        let renamed = RouterConfig { name: Name::from("NEW"), ..v4.clone() };
        let (mut queues, mut children, mut told) = (NotifyQueues::default(), Children::default(), Vec::new());
        queues.push(&backup(&v4), &sleeping("300"), 0, &mut children, &mut told);
        queues.push(&backup(&v6), &sleeping("301"), 0, &mut children, &mut told);
        let running = children.pids();
        // The new name waits for the old one.
        queues.push(&backup(&renamed), &sleeping("302"), 0, &mut children, &mut told);
        let with_renamed = children.count();
        queues.tell_long(LONG, &mut told);
        queues.hurry(LONG, &mut children, &mut told);
        queues.tell_unfinished(&mut told);
        for pid in children.pids() {
            signal_group(pid, Signal::KILL).unwrap();
        }
        while children.count() > 0 {
            for (pid, purpose, exit) in children.ended_of_ours() {
                let Purpose::Notify(key) = purpose else { panic!("{purpose:?}") };
                queues.ended(&key, pid, exit, LONG, &mut children, &mut told);
            }
            std::thread::yield_now();
        }
        assert_eq!((running.len(), with_renamed), (2, 2));
        let mut told: Vec<String> = told.into_iter().map(|(_, text)| text).collect();
        told.sort();
        assert_eq!(
            told,
            [
                "(NEW) notify script sleep 302 has not ended, leaving it",
                "(NEW) notify script sleep 302 was ended by signal 9 after 0 ms",
                "(V4) notify script sleep 300 does not end; what waits is started beside it",
                "(V4) notify script sleep 300 has not ended, leaving it",
                "(V4) notify script sleep 300 is still running after 30 s; 1 more are waiting",
                "(V4) notify script sleep 300 was ended by signal 9 after 30000 ms",
                "(V6) notify script sleep 301 has not ended, leaving it",
                "(V6) notify script sleep 301 is still running after 30 s; 0 more are waiting",
                "(V6) notify script sleep 301 was ended by signal 9 after 30000 ms",
            ]
        );
    }
}
