//! How mail finds its way to the server.

use crate::support::load_text;
use tanist_config::MailTls;

/// Port 465 is of those who begin with TLS; a port that is said stays.
#[test]
fn the_port_says_how_tls_begins_unless_both_are_said() {
    for (server, tls, expected) in [
        ("mail.example.com", "", (MailTls::StartTls, 25)),
        ("mail.example.com 587", "", (MailTls::StartTls, 587)),
        ("mail.example.com 465", "", (MailTls::Implicit, 465)),
        ("mail.example.com 465", "starttls", (MailTls::StartTls, 465)),
        ("mail.example.com 587", "implicit", (MailTls::Implicit, 587)),
        ("mail.example.com", "implicit", (MailTls::Implicit, 465)),
    ] {
        let text = format!(
            "global_defs {{\n smtp_server {server}\n smtp_tls {tls}\n smtp_user tanist\n smtp_password_file /p\n}}\n"
        );
        let mail = load_text(text).settings.expect("it works").global.mail;
        let (_, port) = mail.server.expect("it is there");
        assert_eq!((mail.tls, port), expected, "{server}, {tls}");
    }
}
