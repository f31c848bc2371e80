//! `global_defs`: what concerns the whole daemon, and the defaults of its instances.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use engine::{Name, Version};

use super::announce::Announcing;
use super::deviations::Deviating;
use super::{script, values, virtual_mac};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{AddressLifetime, Global, Mail};
use crate::statement::Statement;
use crate::suggest::nearest;

/// What instances take over unless they say otherwise.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) version: Version,
    pub(super) group4: Ipv4Addr,
    pub(super) skip_check_adv_addr: bool,
    pub(super) strict: bool,
    pub(super) announcing: Announcing,
    /// Where static addresses go that name no interface.
    pub(super) interface: Option<Name>,
    pub(super) iproute: Directories,
    pub(super) deviating: Deviating,
    /// What the names of virtual interfaces begin with: an instance's own, and others; `None` means the same.
    pub(super) virtual_names: (String, Option<String>),
}

/// Where `rt_tables` and its kin are; `None` means where they usually are.
#[derive(Clone, Debug, Default)]
pub(super) struct Directories {
    pub(super) etc: Option<PathBuf>,
    pub(super) usr: Option<PathBuf>,
}

/// 224.0.0.18, assigned by IANA (RFC 9568 §5.1.1.2).
const VRRP_GROUP4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

pub(super) fn global(statements: &[Statement<'_>], findings: &mut Findings) -> (Global, Defaults) {
    let mut global = Global::default();
    let mut defaults = Defaults {
        version: Version::V2,
        group4: VRRP_GROUP4,
        skip_check_adv_addr: false,
        strict: false,
        announcing: Announcing::default(),
        interface: None,
        iproute: Directories::default(),
        deviating: Deviating::default(),
        virtual_names: ("vrrp".to_owned(), None),
    };
    for statement in statements {
        let of_instances = defaults.announcing.take(statement, "vrrp_", findings)
            || defaults.deviating.take(statement, "vrrp_", findings);
        if of_instances || mail(&mut global.mail, statement, findings) {
            continue;
        }
        match statement.keyword.name {
            "router_id" => global.router_id = Some(statement.value().text.clone()),
            "script_user" => global.script_user = Some(script::user(&statement.values)),
            "enable_script_security" => global.enable_script_security = true,
            "disable_local_igmp" => global.disable_local_igmp = true,
            "address_lifetime" => {
                global.address_lifetime = address_lifetime(statement, findings).unwrap_or_default();
            }
            "default_interface" => defaults.interface = values::interface(statement.value(), findings),
            "iproute_etc_dir" => defaults.iproute.etc = values::path(statement, findings),
            "iproute_usr_dir" => defaults.iproute.usr = values::path(statement, findings),
            "vmac_prefix" => {
                if let Some(prefix) = virtual_mac::prefix(statement, findings) {
                    defaults.virtual_names.0 = prefix;
                }
            }
            "vmac_addr_prefix" => defaults.virtual_names.1 = virtual_mac::prefix(statement, findings),
            "vrrp_skip_check_adv_addr" => {
                defaults.skip_check_adv_addr = values::switch(statement, findings).unwrap_or_default();
            }
            "vrrp_strict" => defaults.strict = values::switch(statement, findings).unwrap_or_default(),
            "vrrp_version" => {
                if let Some(version) = version(statement, findings) {
                    defaults.version = version;
                }
            }
            "vrrp_mcast_group4" => {
                if let Some(group) = group4(statement, findings) {
                    defaults.group4 = group;
                }
            }
            other => unreachable_keyword(other, Block::GlobalDefs, statement, findings),
        }
    }
    (global, defaults)
}

/// A keyword that the table says works, but that nothing reads. A test makes sure that there is none.
pub(super) fn unreachable_keyword(name: &str, place: Block, statement: &Statement<'_>, findings: &mut Findings) {
    // What is ignored with a reason was reported already.
    if statement.keyword.status == crate::keywords::Status::Works {
        let message = format!("`{name}` is not read in `{}`: a mistake in Tanist, please report it", place.title());
        findings.error("unread-keyword", statement.span, message);
    }
}

pub(super) fn version(statement: &Statement<'_>, findings: &mut Findings) -> Option<Version> {
    match values::whole(statement, findings)? {
        2 => Some(Version::V2),
        3 => Some(Version::V3),
        _ => None,
    }
}

/// At least 2 s: the kernel counts whole seconds, and renewing takes its time, too.
fn address_lifetime(statement: &Statement<'_>, findings: &mut Findings) -> Option<AddressLifetime> {
    let word = statement.value();
    if word.text == "unlimited" {
        return Some(AddressLifetime::Unlimited);
    }
    let seconds = word.text.parse().ok().filter(|seconds| (2..=86_400).contains(seconds));
    if seconds.is_none() {
        let message = format!("`address_lifetime` cannot be {}: it takes {}", word.text, statement.keyword.form);
        let help = match nearest(&word.text, ["unlimited"]) {
            Some(choice) => format!("did you mean `{choice}`?"),
            None => "for instance `address_lifetime 5`; without it, it is derived from the advertisements".to_owned(),
        };
        findings.error("out-of-range", word.span, message).help(help);
    }
    seconds.map(AddressLifetime::Seconds)
}

pub(super) fn group4(statement: &Statement<'_>, findings: &mut Findings) -> Option<Ipv4Addr> {
    let word = statement.value();
    match values::address(word, findings)? {
        IpAddr::V4(group) if group.is_multicast() => Some(group),
        _ => {
            findings
                .error("bad-group", word.span, format!("{} is not an IPv4 multicast address", word.text))
                .help("the standard's group is 224.0.0.18");
            None
        }
    }
}

/// Whether the statement is about mail.
fn mail(mail: &mut Mail, statement: &Statement<'_>, findings: &mut Findings) -> bool {
    match statement.keyword.name {
        "notification_email" => {
            let words = statement.entries().iter().flat_map(|entry| &entry.words);
            mail.recipients.extend(words.map(|word| word.text.clone()));
        }
        "notification_email_from" => mail.sender = Some(statement.value().text.clone()),
        "smtp_helo_name" => mail.helo_name = Some(statement.value().text.clone()),
        "smtp_connect_timeout" => mail.connect_timeout = values::count(statement, findings),
        "smtp_server" => {
            let host = statement.value().text.clone();
            let port = match statement.values.get(1) {
                None => Some(25),
                Some(word) => values::whole_word(word, findings).and_then(|port| {
                    let port = u16::try_from(port).ok().filter(|port| *port > 0);
                    if port.is_none() {
                        findings.error("out-of-range", word.span, "a port is a number from 1 to 65535");
                    }
                    port
                }),
            };
            mail.server = port.map(|port| (host, port));
        }
        _ => return false,
    }
    true
}
