//! Mail about changes of state (`smtp_alert`), as keepalived words it: what it says, and to whom it goes.
//!
//! It is sent by a thread of its own ([`post`]), which speaks SMTP ([`smtp`]), through TLS if it is to ([`wire`], [`login`]).

pub(crate) mod foreign;
mod login;
mod post;
mod smtp;
mod wire;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use config::{Mail, MailLogin, MailTls, Settings};
use engine::NoticeKind;
use linux::local_time::LocalTime;
use linux::users;

pub(crate) use self::post::Post;
use crate::notify::{Occasion, Prepared, Subject};

/// How long the server may take unless the configuration says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where mail goes, and what is the same in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    server: (String, u16),
    helo: String,
    from: String,
    to: Vec<String>,
    timeout: Duration,
    router_id: String,
    no_faults: bool,
    tls: MailTls,
    authorities: Option<PathBuf>,
    login: Option<MailLogin>,
}

impl Route {
    /// `None` if there is no server or nobody to send to.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let (global, mail) = (&settings.global, &settings.global.mail);
        let server = mail.server.clone()?;
        let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let sender = || {
            let uid = users::own_identity().uid.to_string();
            let user = users::find_user(&uid).ok().flatten().map_or(uid, |user| user.name);
            format!("{user}@{}", host())
        };
        let route = Self {
            server,
            helo: mail.helo_name.clone().unwrap_or_else(host),
            from: mail.sender.clone().unwrap_or_else(sender),
            to: mail.recipients.clone(),
            timeout: mail.connect_timeout.map_or(TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
            router_id: global.router_id.clone().unwrap_or_else(host),
            no_faults: mail.no_faults,
            tls: mail.tls,
            authorities: mail.authorities.clone(),
            login: mail.login.clone(),
        };
        (!route.to.is_empty()).then_some(route)
    }

    /// Where to, for people.
    fn server_name(&self) -> String {
        let (host, port) = &self.server;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// What will keep mail back on this machine: found when the configuration is read, rather than at the next failover.
pub(crate) fn obstacles(mail: &Mail) -> Vec<String> {
    let password = mail.login.as_ref().and_then(|login| login::password(login).err());
    let password = password.map(|reason| format!("smtp_password_file: {reason}; until then mail waits"));
    let authorities = mail
        .authorities
        .as_ref()
        .filter(|_| mail.tls != MailTls::Off)
        .and_then(|path| Some(format!("{}; until then mail waits", wire::read_authorities(path).err()?)));
    password.into_iter().chain(authorities).collect()
}

/// A mail that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// When it happened.
    date: String,
    subject: String,
    body: &'static str,
    /// Those who have not got it yet; `None` means everybody.
    left: Option<Vec<String>>,
}

impl Letter {
    /// What mail there is about an occasion, if any.
    pub(crate) fn about(occasion: &Occasion, prepared: &Prepared, route: &Route) -> Option<Self> {
        let kind = occasion.told_as(prepared);
        if kind == NoticeKind::ActiveHeardLowerPriority || (kind == NoticeKind::Fault && route.no_faults) {
            return None;
        }
        let (what, body) = match occasion.subject() {
            Subject::Instance(name) => (format!("VRRP Instance {name}"), instance_body(kind)),
            Subject::Group(name) => (format!("VRRP Group {name}"), group_body(kind)),
        };
        let subject = format!("[{}] {what} - {}", route.router_id, news(kind));
        let date = LocalTime::of(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()).mail_date();
        Some(Self { date, subject, body, left: None })
    }

    /// Headers and body, the end of which is a line with a dot. None of the bodies has a line that begins with one.
    fn content(&self, route: &Route) -> String {
        let Self { date, subject, body, .. } = self;
        let (from, to) = (&route.from, route.to.join(", "));
        format!(
            "Date: {date}\r\nFrom: {from}\r\nSubject: {subject}\r\nX-Mailer: Keepalived\r\nTo: {to}\r\n\r\n{body}\r\n\r\n.\r\n"
        )
    }
}

fn news(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Active | NoticeKind::ActiveHeardLowerPriority => "Entering MASTER state",
        NoticeKind::Backup => "Entering BACKUP state",
        NoticeKind::Fault => "Entering FAULT state",
        NoticeKind::Stop => "Stopping",
        NoticeKind::Deleted => "Deleted",
    }
}

fn instance_body(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Active | NoticeKind::ActiveHeardLowerPriority => "=> VRRP Instance is now owning VRRP VIPs <=",
        NoticeKind::Backup | NoticeKind::Fault => "=> VRRP Instance is no longer owning VRRP VIPs <=",
        NoticeKind::Stop => "=> VRRP Instance stopping <=",
        NoticeKind::Deleted => "=> VRRP Deleted at reload <=",
    }
}

fn group_body(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Active | NoticeKind::ActiveHeardLowerPriority => {
            "=> All VRRP group instances are now in MASTER state <="
        }
        NoticeKind::Backup => "=> All VRRP group instances are now in BACKUP state <=",
        NoticeKind::Fault => "=> All VRRP group instances are now in FAULT state <=",
        NoticeKind::Stop | NoticeKind::Deleted => "=> All VRRP group instances are now stopping <=",
    }
}

#[cfg(test)]
mod tests;
