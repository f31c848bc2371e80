//! `service`: what runs, how its health is seen, and what follows when it fails.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use engine::{Budget, Failback, Name, OnManualStop, ScriptConfig, ServiceConfig, When};

use super::global::unreachable_keyword;
use super::{check, names, needs, script, values};
use crate::command::own_command;
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{Command, Manager, NeededPort, NeededSpace, NotifyScript, ScriptUser, Service, ServiceCheck};
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::suggest::nearest;
use crate::syntax::Word;

/// The services that are defined, and the instance that mentions each.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    pub(super) defined: BTreeSet<String>,
    /// By service: the instance.
    pub(super) by: BTreeMap<String, String>,
    /// Probably meant by a mention that is wrong: what was meant is not also "never used".
    pub(super) meant: BTreeSet<String>,
    /// Where the first one stands.
    pub(super) first: Option<Span>,
}

impl Mentions {
    /// `service NAME…` in an instance.
    pub(super) fn mention(
        &mut self,
        statement: &Statement<'_>,
        instance: &Word,
        services: &mut Vec<Name>,
        findings: &mut Findings,
    ) {
        for word in &statement.values {
            let name = &word.text;
            if !self.defined.contains(name) {
                let meant = nearest(name, self.defined.iter().map(String::as_str));
                findings.error("undefined-service", word.span, format!("no service `{name}` is defined")).help(
                    match meant {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("define it at the top level: `service {name} {{ … }}`"),
                    },
                );
                self.meant.extend(meant.map(str::to_owned));
                continue;
            }
            self.first.get_or_insert(word.span);
            match self.by.insert(name.clone(), instance.text.clone()) {
                None => services.push(name.as_str().into()),
                Some(other) if other == instance.text => {
                    findings
                        .warning("given-twice", word.span, format!("`{name}` is mentioned twice; once is enough"))
                        .help("remove one of them");
                }
                Some(other) => {
                    findings
                        .error("service-twice", word.span, format!("the service `{name}` belongs to `{other}` already"))
                        .help("a service follows one instance; leave it in one of the two");
                }
            }
        }
    }
}

/// A definition as far as it could be read.
pub(super) struct Definition<'a> {
    pub(super) name: &'a Word,
    /// `None` if it cannot be used.
    pub(super) service: Option<Service>,
    /// What `failback` said, if it was there, and where it stands.
    pub(super) failback: Option<(Failback, Span)>,
}

/// What the statements of a service said.
struct Draft {
    systemd: Option<String>,
    docker: Option<String>,
    command: Option<NotifyScript>,
    start: Option<NotifyScript>,
    stop: Option<NotifyScript>,
    status: Option<NotifyScript>,
    /// The keywords that say what runs, as they stand in the file.
    ways: Vec<(&'static str, Span)>,
    user: Option<(ScriptUser, Span)>,
    checks: Vec<(ServiceCheck, ScriptConfig)>,
    /// Where the first `check notify` stands.
    notify_at: Option<Span>,
    start_grace: Duration,
    start_timeout: Duration,
    stop_timeout: Duration,
    restart: Budget,
    max_moves: Budget,
    on_manual_stop: Option<(OnManualStop, Span)>,
    failback: Option<(Failback, Span)>,
    could_start: Option<NotifyScript>,
    readiness_interval: Duration,
    readiness_rise: u32,
    on_role: Option<NotifyScript>,
    post_takeover: Option<NotifyScript>,
    while_active: Vec<(Duration, NotifyScript)>,
    down_file: Option<PathBuf>,
    /// As `needs_port` says, if it is there.
    needs_ports: Option<Vec<NeededPort>>,
    needs_disks: Vec<NeededSpace>,
    standby_checks: Vec<NotifyScript>,
    may_differ: bool,
}

/// Reads a service. `taken` holds the names of all checks so far.
pub(super) fn service<'a>(
    block: &'a Statement<'_>,
    taken: &mut BTreeSet<String>,
    findings: &mut Findings,
) -> Definition<'a> {
    let name = block.value();
    let statements = statements(Block::Service, block.entries(), findings);
    let seconds = Duration::from_secs;
    let mut draft = Draft {
        systemd: None,
        docker: None,
        command: None,
        start: None,
        stop: None,
        status: None,
        ways: Vec::new(),
        user: None,
        checks: Vec::new(),
        notify_at: None,
        start_grace: seconds(20),
        start_timeout: seconds(30),
        stop_timeout: seconds(10),
        restart: Budget { limit: 3, within: seconds(60) },
        max_moves: Budget { limit: 3, within: seconds(600) },
        on_manual_stop: None,
        failback: None,
        could_start: None,
        readiness_interval: seconds(5),
        readiness_rise: 2,
        on_role: None,
        post_takeover: None,
        while_active: Vec::new(),
        down_file: None,
        needs_ports: None,
        needs_disks: Vec::new(),
        standby_checks: Vec::new(),
        may_differ: false,
    };
    for statement in &statements {
        draft.take(statement, &name.text, taken, findings);
    }
    let failback = draft.failback;
    Definition { name, service: draft.finish(name, findings), failback }
}

impl Draft {
    fn take(&mut self, statement: &Statement<'_>, name: &str, taken: &mut BTreeSet<String>, findings: &mut Findings) {
        if self.take_program(statement, findings) {
            return;
        }
        match statement.keyword.name {
            "systemd" => {
                self.ways.push(("systemd", statement.span));
                self.systemd = names::unit(statement.value(), findings);
            }
            "docker" => {
                self.ways.push(("docker", statement.span));
                self.docker = names::container(statement.value(), findings);
            }
            "user" => self.user = Some((script::user(&statement.values), statement.span)),
            "check" => {
                if let Some(check) = check::check(statement.kind(), name, taken, findings) {
                    self.take_check(check, statement.span, findings);
                }
            }
            "start_grace" => self.start_grace = values::span(statement, findings).unwrap_or(self.start_grace),
            "start_timeout" => self.start_timeout = values::span(statement, findings).unwrap_or(self.start_timeout),
            "stop_timeout" => self.stop_timeout = values::span(statement, findings).unwrap_or(self.stop_timeout),
            "restart" => self.restart = budget(statement, true, findings).unwrap_or(self.restart),
            "max_moves" => self.max_moves = budget(statement, false, findings).unwrap_or(self.max_moves),
            "on_manual_stop" => {
                let meaning = match values::choice(statement, findings) {
                    Some("restart") => OnManualStop::Restart,
                    Some("maintenance") => OnManualStop::Maintenance,
                    _ => OnManualStop::Failover,
                };
                self.on_manual_stop = Some((meaning, statement.span));
            }
            "failback" => {
                let failback = match values::choice(statement, findings) {
                    Some("manual") => Failback::Manual,
                    Some("never") => Failback::Never,
                    _ => Failback::Auto,
                };
                self.failback = Some((failback, statement.span));
            }
            "readiness_interval" => {
                self.readiness_interval = values::span(statement, findings).unwrap_or(self.readiness_interval);
            }
            "readiness_rise" => {
                self.readiness_rise = values::count(statement, findings).unwrap_or(self.readiness_rise);
            }
            "while_active" => self.take_while_active(statement, findings),
            "down_file" => self.down_file = values::path(statement, findings),
            "needs_port" => self.needs_ports = Some(needs::ports(statement, findings)),
            "needs_disk" => self.needs_disks.extend(needs::disk(statement, findings)),
            "may_differ" => self.may_differ = true,
            other => unreachable_keyword(other, Block::Service, statement, findings),
        }
    }

    fn take_check(&mut self, check: check::Check, span: Span, findings: &mut Findings) {
        let check::Check { look, figures, when } = check;
        if let (ServiceCheck::Script(script), When::Standby | When::Both) = (&look, when) {
            self.standby_checks.push(script.clone());
        }
        if when == When::Standby {
            return;
        }
        script::hint_slow(&figures, span, findings);
        if look == ServiceCheck::Notify {
            self.notify_at.get_or_insert(span);
        }
        self.checks.push((look, figures));
    }

    /// Whether the statement names a program. The first of a kind counts.
    fn take_program(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        let name = statement.keyword.name;
        let slot = match name {
            "command" => &mut self.command,
            "start" => &mut self.start,
            "stop" => &mut self.stop,
            "status" => &mut self.status,
            "could_start" => &mut self.could_start,
            "on_role" => &mut self.on_role,
            "post_takeover" => &mut self.post_takeover,
            _ => return false,
        };
        if slot.is_none() {
            *slot = program(&statement.values, findings);
        }
        if matches!(name, "command" | "start" | "stop" | "status") {
            self.ways.push((name, statement.span));
        }
        if name == "command" {
            report_background(statement.value(), findings);
        }
        true
    }

    fn take_while_active(&mut self, block: &Statement<'_>, findings: &mut Findings) {
        const SHORTEST: Duration = Duration::from_secs(1);
        const LONGEST: Duration = Duration::from_secs(366 * 86_400);
        for statement in statements(Block::WhileActive, block.entries(), findings) {
            let every = values::span_word(statement.value(), findings);
            let runs = program(&statement.values[1..], findings);
            match every {
                Some(every) if !(SHORTEST..=LONGEST).contains(&every) => {
                    findings
                        .error("out-of-range", statement.value().span, "`every` takes from one second to 366 days")
                        .help("for instance `every 1h \"/usr/bin/rerun-failed\"`");
                }
                _ => self.while_active.extend(every.zip(runs)),
            }
        }
    }

    /// Holds everything against each other and builds the service.
    fn finish(mut self, name: &Word, findings: &mut Findings) -> Option<Service> {
        let good_name = check_name(name, findings);
        self.give_user(findings);
        let manager = self.manager(name, findings);
        self.report_without_effect(findings);
        self.check_notify(findings);
        if self.checks.is_empty() && !self.ways.is_empty() {
            findings
                .hint(
                    "no-check",
                    name.span,
                    format!("nothing checks `{}`: its end is noticed, its hanging is not", name.text),
                )
                .help("add for instance `check tcp 127.0.0.1:80`");
        }
        let manager = manager?;
        let (checks, figures): (Vec<ServiceCheck>, Vec<ScriptConfig>) = self.checks.into_iter().unzip();
        let needs_ports = self.needs_ports.unwrap_or_else(|| needs::ports_of_checks(&checks));
        let (intervals, while_active) = self.while_active.into_iter().unzip();
        let service = ServiceConfig {
            name: name.text.as_str().into(),
            checks: figures,
            start_grace: self.start_grace,
            start_timeout: self.start_timeout,
            stop_timeout: self.stop_timeout,
            restart: self.restart,
            max_moves: self.max_moves,
            on_manual_stop: self.on_manual_stop.map_or(OnManualStop::Failover, |(meaning, _)| meaning),
            failback: self.failback.map_or(Failback::Auto, |(failback, _)| failback),
            readiness_interval: self.readiness_interval,
            readiness_rise: self.readiness_rise,
            while_active: intervals,
        };
        good_name.then_some(Service {
            service,
            manager,
            checks,
            could_start: self.could_start,
            on_role: self.on_role,
            post_takeover: self.post_takeover,
            while_active,
            down_file: self.down_file,
            needs_ports,
            needs_disks: self.needs_disks,
            standby_checks: self.standby_checks,
            may_differ: self.may_differ,
        })
    }

    /// Everything that names no user of its own runs as the service's.
    fn give_user(&mut self, findings: &mut Findings) {
        let Some((user, span)) = &self.user else { return };
        let own = [
            &mut self.command,
            &mut self.start,
            &mut self.stop,
            &mut self.status,
            &mut self.could_start,
            &mut self.on_role,
            &mut self.post_takeover,
        ];
        let timed = self.while_active.iter_mut().map(|(_, script)| script);
        let checks = self.checks.iter_mut().filter_map(|(check, _)| match check {
            ServiceCheck::Script(script) => Some(script),
            ServiceCheck::Http { .. }
            | ServiceCheck::Tcp { .. }
            | ServiceCheck::Process { .. }
            | ServiceCheck::File { .. }
            | ServiceCheck::Notify => None,
        });
        let mut used = false;
        for script in own.into_iter().flatten().chain(timed).chain(checks).chain(&mut self.standby_checks) {
            script.user.get_or_insert_with(|| user.clone());
            used = true;
        }
        if !used {
            findings
                .hint("user-unused", *span, "nothing in this service runs as this user: it has no commands")
                .help("a systemd unit and a container name their own users");
        }
    }

    /// What runs: exactly one way of running it.
    fn manager(&mut self, name: &Word, findings: &mut Findings) -> Option<Manager> {
        let kind = |way: &'static str| if matches!(way, "stop" | "status") { "start" } else { way };
        let Some((first, _)) = self.ways.first().copied() else {
            findings
                .error("missing-keyword", name.span, format!("the service `{}` does not say what runs", name.text))
                .help("add `systemd UNIT`, `docker NAME`, `command \"…\"`, or `start`, `stop` and `status`");
            return None;
        };
        if let Some((second, span)) = self.ways.iter().copied().find(|(way, _)| kind(way) != kind(first)) {
            findings
                .error("two-managers", span, format!("`{second}` beside `{first}`: a service runs in one way"))
                .help("remove one; for two things write two services, and name both in the instance");
            return None;
        }
        match first {
            "systemd" => Some(Manager::Systemd { unit: self.systemd.take()? }),
            "docker" => Some(Manager::Docker { container: self.docker.take()? }),
            "command" => Some(Manager::Command { script: self.command.take()? }),
            _ => {
                let given = |wanted: &str| self.ways.iter().any(|(way, _)| *way == wanted);
                let missing: Vec<_> = ["start", "stop", "status"].into_iter().filter(|way| !given(way)).collect();
                if let [first_missing, ..] = missing[..] {
                    let span = self.ways.first().map_or(name.span, |(_, span)| *span);
                    let message =
                        format!("`start`, `stop` and `status` go together; `{}` is missing", missing.join("` and `"));
                    findings
                        .error("missing-keyword", span, message)
                        .help(format!("for instance `{first_missing} \"/etc/tanist/{first_missing}.sh\"`"));
                    return None;
                }
                let (start, stop, status) = (self.start.take()?, self.stop.take()?, self.status.take()?);
                Some(Manager::Scripts { start, stop, status })
            }
        }
    }

    fn report_without_effect(&self, findings: &mut Findings) {
        let way = self.ways.first().map(|(way, _)| *way);
        if let (Some((_, span)), Some("command" | "start" | "stop" | "status")) = (self.on_manual_stop, way) {
            let message = "`on_manual_stop` has no effect here: a stop by hand looks like any other end";
            findings
                .hint("no-effect", span, message)
                .help("it works with `systemd` and `docker`, which tell who asked for the stop");
        }
    }

    /// Only what we start ourselves speaks to our socket.
    fn check_notify(&mut self, findings: &mut Findings) {
        let own = self.ways.iter().all(|(way, _)| *way == "command");
        if let (Some(span), false) = (self.notify_at, own) {
            findings
                .error(
                    "bad-check",
                    span,
                    "`check notify` needs `command`: what others start does not know our NOTIFY_SOCKET",
                )
                .help("let systemd watch it with `WatchdogSec=`, or use another `check`");
        }
    }
}

/// A command and perhaps its user and group.
fn program(values: &[Cow<'_, Word>], findings: &mut Findings) -> Option<NotifyScript> {
    let (first, user) = values.split_first()?;
    if let (false, [next, ..]) = (first.quoted, user) {
        findings
            .error(
                "unquoted-command",
                first.span.to(next.span),
                "a command of several words, or with a user, needs quotes",
            )
            .help(format!("write \"{} …\"; a user and a group stand after the closing quote", first.text));
        return None;
    }
    let command = own_command(first, findings)?;
    Some(NotifyScript { command, user: (!user.is_empty()).then(|| script::user(user)) })
}

/// What `check script` runs, and the name that the check gets from it.
pub(super) fn checking_program(values: &[Cow<'_, Word>], findings: &mut Findings) -> Option<(NotifyScript, String)> {
    let script = program(values, findings)?;
    let name = match &script.command {
        Command::Program(words) => words.first().cloned().unwrap_or_default(),
        Command::Shell(line) => line.clone(),
        Command::ReadFile(path) => path.display().to_string(),
    };
    Some((script, name))
}

/// A shell that puts the program into the background ends at once, and with it, as far as anybody sees, the service.
fn report_background(word: &Word, findings: &mut Findings) {
    let text = word.text.trim_end();
    if text.ends_with('&') && !text.ends_with("&&") {
        findings
            .warning(
                "goes-to-background",
                word.span,
                "`&` at the end: the command is over at once, and the service counts as dead",
            )
            .help("remove it; Tanist waits for nothing, and the program must stay in the foreground");
    }
}

/// `N within SPAN`, or `never` where that makes sense.
fn budget(statement: &Statement<'_>, or_never: bool, findings: &mut Findings) -> Option<Budget> {
    const LONGEST: Duration = Duration::from_secs(31 * 86_400);
    let (name, first) = (statement.keyword.name, statement.value());
    if or_never && first.text == "never" && statement.values.len() == 1 {
        return Some(Budget { limit: 0, within: Duration::from_secs(60) });
    }
    let [_, within, span] = &statement.values[..] else {
        let last = statement.values.last().map_or(first.span, |word| word.span);
        findings
            .error("missing-value", first.span.to(last), format!("`{name}` takes {}", statement.keyword.form))
            .help(format!("for instance `{}`", statement.keyword.example));
        return None;
    };
    if within.text != "within" {
        findings
            .error("bad-choice", within.span, format!("`{}` stands where `within` is expected", within.text))
            .help(format!("for instance `{}`", statement.keyword.example));
        return None;
    }
    let limit = values::whole_word(first, findings);
    let within = values::span_word(span, findings);
    let (limit, within) = limit.zip(within)?;
    let Some(limit) = u32::try_from(limit).ok().filter(|limit| *limit <= 1000) else {
        findings
            .error("out-of-range", first.span, format!("`{name}` counts from 0 to 1000"))
            .help(format!("for instance `{}`", statement.keyword.example));
        return None;
    };
    if !(Duration::from_secs(1)..=LONGEST).contains(&within) {
        findings
            .error("out-of-range", span.span, format!("`{name}` counts within 1 second to 31 days"))
            .help(format!("for instance `{}`", statement.keyword.example));
        return None;
    }
    Some(Budget { limit, within })
}

/// The name stands in log lines, in environments, on command lines and between nodes.
fn check_name(name: &Word, findings: &mut Findings) -> bool {
    let good = |character: char| character.is_ascii_alphanumeric() || "._-@".contains(character);
    if (1..=64).contains(&name.text.len()) && name.text.chars().all(good) {
        return true;
    }
    findings
        .error("bad-name", name.span, format!("`{}` cannot be the name of a service", name.text))
        .help("1 to 64 letters, digits and `.`, `_`, `-`, `@`");
    false
}
