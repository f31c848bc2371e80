//! Passwords and keys appear in nothing that is said about a configuration: reports, what it will do, and what a
//! developer prints. Only an export has them, because it is the file itself.

use std::path::Path;

use tanist_config::{LoadOptions, MemoryFiles, explain, export_for_keepalived};

/// Each of these words is a secret, or what a careless print would make of its first octets.
const SECRETS: [&str; 6] = ["s3cret", "hunter22", "correct horse", "c0ffee", "115, 51, 99", "192, 255, 238"];

const TEXT: &str = r#"
$KEY=hex:c0ffee00112233445566778899aabbccddeeff00112233445566778899aabbcc
vrrp_instance clear {
    interface eth0
    virtual_router_id 51
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    virtual_ipaddress {
        192.0.2.1
    }
}
vrrp_instance header {
    interface eth0
    virtual_router_id 52
    authentication {
        auth_type AH
        auth_pass hunter22
    }
    virtual_ipaddress {
        192.0.2.2
    }
}
vrrp_instance signed {
    interface eth0
    virtual_router_id 53
    auth_hmac {
        key 1 $KEY
        key 2 "correct horse battery staple of 32"
        active_key 1
    }
    virtual_ipaddress {
        192.0.2.3
    }
}
"#;

fn is_discreet(what: &str, said: &str) {
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is in the {what}:\n{said}");
    }
}

#[test]
fn nothing_says_a_password_or_a_key() {
    let loaded = crate::support::load_text(TEXT);
    is_discreet("report", &loaded.report.render(false));
    let settings = loaded.settings.expect("it can be used");
    is_discreet("explanation", &explain(&settings));
    is_discreet("settings", &format!("{settings:?}\n{settings:#?}"));
    let config = settings.engine_config();
    is_discreet("engine's configuration", &format!("{config:?}\n{config:#?}"));
}

/// The mistake is on the line itself, so that the line is shown.
#[test]
fn mistakes_are_shown_without_the_secret() {
    for (good, bad) in [
        ("auth_pass s3cret", "auth_pass s3cret extra"),
        ("auth_pass hunter22", "auth_pass hunter22hunter22"),
        ("key 1 $KEY", "key 1 hex:c0ffee"),
        ("key 1 $KEY", "key 300 hex:c0ffee00112233445566778899aabbccddeeff00112233445566778899aabbcc"),
        ("key 2 \"correct", "key 2x \"correct"),
        ("battery staple of 32", ""),
        ("aabbcc\n", "aabbcc extra\n"),
    ] {
        let text = TEXT.replacen(good, bad, 1);
        assert_ne!(text, TEXT);
        let report = crate::support::load_text(text).report.render(false);
        assert!(report.contains(" --> "), "nothing is found wrong: {bad}\n{report}");
        is_discreet("report", &report);
    }
}

#[test]
fn an_export_is_the_file() {
    let path = Path::new("/keepalived.conf");
    let files = MemoryFiles::single(path, TEXT);
    let exported = export_for_keepalived(path, &files, &LoadOptions::default()).expect("it can be exported");
    assert_eq!(String::from_utf8_lossy(&exported.text), TEXT);
}
