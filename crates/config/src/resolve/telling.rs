//! `global_defs`: who is told of changes beside notify scripts (readers of FIFOs, and people by mail), and what runs at the
//! daemon's start and end.

use std::path::PathBuf;
use std::time::Duration;

use super::mail_security::MailSecurity;
use super::{script, values};
use crate::command::command;
use crate::diagnostic::Findings;
use crate::settings::{Global, Mail, NotifyFifo, NotifyScript, ScriptUser, TimedScript};
use crate::source::Span;
use crate::statement::Statement;

/// As long may a script take at the start or the stop.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What instances and groups do unless they say otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// `smtp_alert`.
    pub(super) mails: bool,
    /// `notify_priority_changes`.
    pub(super) priority: bool,
    /// Where it stands who gets mail.
    pub(super) recipients_at: Option<Span>,
}

/// What the statements said. Of several pipes or scripts for one purpose the first counts.
#[derive(Default)]
pub(super) struct Telling {
    mail: Mail,
    security: MailSecurity,
    fifo: Fifo,
    vrrp_fifo: Fifo,
    states_on_reload: bool,
    startup: Timed,
    shutdown: Timed,
    /// With the place of the last one.
    alert: Option<(bool, Span)>,
    alert_vrrp: Option<(bool, Span)>,
    priority: bool,
    recipients_at: Option<Span>,
}

#[derive(Default)]
struct Fifo {
    place: Option<(PathBuf, Option<ScriptUser>, Span)>,
    script: Option<(NotifyScript, Span)>,
}

#[derive(Default)]
struct Timed {
    script: Option<NotifyScript>,
    timeout: Option<Duration>,
}

impl Telling {
    /// Whether the statement is about this.
    pub(super) fn take(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        match statement.keyword.name {
            "notify_fifo" => self.fifo.take_place(statement, findings),
            "vrrp_notify_fifo" => self.vrrp_fifo.take_place(statement, findings),
            "notify_fifo_script" => self.fifo.take_script(statement, findings),
            "vrrp_notify_fifo_script" => self.vrrp_fifo.take_script(statement, findings),
            "fifo_write_vrrp_states_on_reload" => self.states_on_reload = true,
            "startup_script" => self.startup.take_script(statement, findings),
            "startup_script_timeout" => self.startup.take_timeout(statement, findings),
            "shutdown_script" => self.shutdown.take_script(statement, findings),
            "shutdown_script_timeout" => self.shutdown.take_timeout(statement, findings),
            "smtp_alert" => self.alert = values::switch(statement, findings).map(|on| (on, statement.span)),
            "smtp_alert_vrrp" => self.alert_vrrp = values::switch(statement, findings).map(|on| (on, statement.span)),
            "vrrp_notify_priority_changes" => {
                self.priority = values::switch(statement, findings).unwrap_or_default();
            }
            name => {
                if name == "notification_email" {
                    self.recipients_at = Some(statement.span);
                }
                return self.security.take(statement, findings) || take_mail(&mut self.mail, statement, findings);
            }
        }
        true
    }

    /// Puts everything where it belongs.
    pub(super) fn finish(mut self, global: &mut Global, findings: &mut Findings) -> Told {
        self.security.finish(&mut self.mail, findings);
        let alert = self.alert_vrrp.or(self.alert);
        let mails = alert.is_some_and(|(on, _)| on);
        let told = Told { mails, priority: self.priority, recipients_at: self.recipients_at };
        if let Some((true, span)) = alert {
            hint_nowhere(&self.mail, span, findings);
        }
        let (fifo, mut vrrp_fifo) = (self.fifo.finish("notify_fifo", findings), self.vrrp_fifo);
        if let (Some(fifo), Some((path, _, span))) = (&fifo, &vrrp_fifo.place)
            && fifo.path == *path
        {
            findings
                .warning("given-twice", *span, format!("{} is the path of `notify_fifo`, too", path.display()))
                .help("the lines are written once; remove `vrrp_notify_fifo`, or give it a path of its own");
            vrrp_fifo = Fifo::default();
        }
        global.notify_fifo = fifo;
        global.vrrp_notify_fifo = vrrp_fifo.finish("vrrp_notify_fifo", findings);
        global.states_on_reload = self.states_on_reload;
        global.startup = self.startup.finish();
        global.shutdown = self.shutdown.finish();
        global.mail = self.mail;
        told
    }
}

/// Somebody shall get mail, and nobody can.
pub(super) fn hint_nowhere(mail: &Mail, span: Span, findings: &mut Findings) {
    let missing = match (mail.recipients.is_empty(), mail.server.is_none()) {
        (false, false) => return,
        (true, true) => "`notification_email` and `smtp_server` are",
        (true, false) => "`notification_email` is",
        (false, true) => "`smtp_server` is",
    };
    findings
        .hint("mail-nowhere", span, format!("{missing} missing in global_defs, so no mail is sent"))
        .help("say who gets it and which server takes it, or remove `smtp_alert`");
}

/// Who gets mail is said, and nobody sends any.
pub(super) fn hint_unasked(told: Told, findings: &mut Findings) {
    if let Some(span) = told.recipients_at {
        findings
            .hint("mail-unasked", span, "no `smtp_alert` asks for mail, so none is sent")
            .help("add `smtp_alert` to global_defs, or to the instances and groups that it is wanted for");
    }
}

impl Fifo {
    fn take_place(&mut self, statement: &Statement<'_>, findings: &mut Findings) {
        if self.place.is_none()
            && let Some(path) = values::path(statement, findings)
        {
            let owner = &statement.values[1..];
            self.place = Some((path, (!owner.is_empty()).then(|| script::user(owner)), statement.span));
        }
    }

    fn take_script(&mut self, statement: &Statement<'_>, findings: &mut Findings) {
        if self.script.is_none() {
            self.script = notify_script(statement, findings).map(|script| (script, statement.span));
        }
    }

    fn finish(self, keyword: &str, findings: &mut Findings) -> Option<NotifyFifo> {
        match (self.place, self.script) {
            (Some((path, owner, _)), script) => {
                Some(NotifyFifo { path, owner, script: script.map(|(script, _)| script) })
            }
            (None, Some((_, span))) => {
                findings
                    .warning("fifo-missing", span, format!("there is no `{keyword}`, so nothing runs to read it"))
                    .help(format!("add a line like `{keyword} /run/keepalived.fifo`"));
                None
            }
            (None, None) => None,
        }
    }
}

impl Timed {
    fn take_script(&mut self, statement: &Statement<'_>, findings: &mut Findings) {
        if self.script.is_none() {
            self.script = notify_script(statement, findings);
        }
    }

    fn take_timeout(&mut self, statement: &Statement<'_>, findings: &mut Findings) {
        self.timeout = values::count(statement, findings).map(|seconds| Duration::from_secs(seconds.into()));
    }

    fn finish(self) -> Option<TimedScript> {
        self.script.map(|script| TimedScript { script, timeout: self.timeout.unwrap_or(TIMEOUT) })
    }
}

fn notify_script(statement: &Statement<'_>, findings: &mut Findings) -> Option<NotifyScript> {
    let user = &statement.values[1..];
    let user = (!user.is_empty()).then(|| script::user(user));
    command(statement.value(), false, findings).map(|command| NotifyScript { command, user })
}

/// Whether the statement is about mail.
fn take_mail(mail: &mut Mail, statement: &Statement<'_>, findings: &mut Findings) -> bool {
    match statement.keyword.name {
        "notification_email" => {
            mail.recipients.extend(statement.listed(findings).map(|word| word.text.clone()));
        }
        "notification_email_from" => mail.sender = Some(statement.value().text.clone()),
        "smtp_helo_name" => mail.helo_name = Some(statement.value().text.clone()),
        "smtp_connect_timeout" => mail.connect_timeout = values::count(statement, findings),
        "no_email_faults" => mail.no_faults = true,
        "smtp_server" => {
            let host = statement.value().text.clone();
            let port = match statement.values.get(1) {
                None => Some(25),
                Some(word) => {
                    let port = values::port(&word.text);
                    if port.is_none() {
                        findings.error("out-of-range", word.span, "a port is a number from 1 to 65535");
                    }
                    port
                }
            };
            mail.server = port.map(|port| (host, port));
        }
        _ => return false,
    }
    true
}
