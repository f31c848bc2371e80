//! `global_defs`: how mail is kept from being read on its way (`smtp_tls`), and who logs in for it.

use std::path::PathBuf;

use super::values;
use crate::diagnostic::Findings;
use crate::settings::{Mail, MailLogin, MailTls};
use crate::source::Span;
use crate::statement::Statement;
use crate::suggest::nearest;

/// Where mail begins with TLS (RFC 8314 §3.3).
const IMPLICIT_PORT: u16 = 465;

/// What the statements said, the last of each.
#[derive(Default)]
pub(super) struct MailSecurity {
    tls: Wish,
    authorities: Option<(PathBuf, Span)>,
    user: Option<(String, Span)>,
    password_file: Option<(PathBuf, Span)>,
    port_is_said: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Wish {
    #[default]
    Nothing,
    ByPort,
    This(MailTls),
    /// It is an error already.
    Unclear,
}

impl MailSecurity {
    /// Whether the statement is about this, and about nothing else.
    pub(super) fn take(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        let span = statement.span;
        match statement.keyword.name {
            "smtp_tls" => self.tls = wish(statement, findings),
            "smtp_ca_file" => self.authorities = values::path(statement, findings).map(|path| (path, span)),
            "smtp_user" => self.user = Some((statement.value().text.clone(), span)),
            "smtp_password_file" => self.password_file = values::path(statement, findings).map(|path| (path, span)),
            name => {
                if name == "smtp_server" {
                    self.port_is_said = statement.values.len() > 1;
                }
                return false;
            }
        }
        true
    }

    pub(super) fn finish(self, mail: &mut Mail, findings: &mut Findings) {
        let port = mail.server.as_ref().map(|(_, port)| *port);
        mail.tls = match self.tls {
            Wish::Nothing | Wish::Unclear => MailTls::Off,
            Wish::ByPort if port == Some(IMPLICIT_PORT) => MailTls::Implicit,
            Wish::ByPort => MailTls::StartTls,
            Wish::This(tls) => tls,
        };
        if let (MailTls::Implicit, false, Some((_, port))) = (mail.tls, self.port_is_said, &mut mail.server) {
            *port = IMPLICIT_PORT;
        }
        let in_clear = mail.tls == MailTls::Off && self.tls != Wish::Unclear;
        if let (true, Some((_, span))) = (in_clear, &self.authorities) {
            findings
                .warning(
                    "mail-in-clear",
                    *span,
                    "there is no `smtp_tls`, so nothing is held against these certificates",
                )
                .help("add `smtp_tls` to global_defs, or remove `smtp_ca_file`");
        }
        mail.authorities = self.authorities.map(|(path, _)| path);
        mail.login = match (self.user, self.password_file) {
            (None, None) => None,
            (Some((_, span)), _) if in_clear => {
                findings
                    .error("mail-in-clear", span, "`smtp_user` without `smtp_tls` would send the password in clear")
                    .help("add `smtp_tls`, or remove `smtp_user` if the server asks for none");
                None
            }
            (Some((user, _)), Some((password_file, _))) => Some(MailLogin { user, password_file }),
            (Some((_, span)), None) => {
                findings
                    .error("login-incomplete", span, "`smtp_user` needs a password")
                    .help("add a line like `smtp_password_file /etc/tanist/mail.password`");
                None
            }
            (None, Some((_, span))) => {
                findings
                    .error("login-incomplete", span, "`smtp_password_file` needs a user to log in as")
                    .help("add a line like `smtp_user tanist`");
                None
            }
        };
    }
}

fn wish(statement: &Statement<'_>, findings: &mut Findings) -> Wish {
    const WORDS: [&str; 3] = ["starttls", "implicit", "off"];
    let Some(word) = statement.values.first() else { return Wish::ByPort };
    match word.text.as_str() {
        "starttls" => Wish::This(MailTls::StartTls),
        "implicit" => Wish::This(MailTls::Implicit),
        "on" | "true" | "yes" => Wish::ByPort,
        "off" | "false" | "no" => Wish::Nothing,
        other => {
            let help = match nearest(other, WORDS.iter().copied()) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None => "write `smtp_tls`, and it goes by the port".to_owned(),
            };
            let message = format!("`smtp_tls` cannot be {other}: it takes starttls, implicit or off");
            findings.error("bad-choice", word.span, message).help(help);
            Wish::Unclear
        }
    }
}
