//! `global_defs`: what concerns the whole daemon, and the defaults of its instances.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use engine::{Family, Name, Version};

use super::announce::Announcing;
use super::deviations::Deviating;
use super::process::Draft as Process;
use super::telling::{Telling, Told};
use super::{script, values, virtual_mac};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{AddressLifetime, Global};
use crate::statement::Statement;
use crate::suggest::nearest;
use crate::syntax::Word;

/// What instances take over unless they say otherwise.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) version: Version,
    pub(super) group4: Ipv4Addr,
    pub(super) group6: Ipv6Addr,
    pub(super) skip_check_adv_addr: bool,
    pub(super) strict: bool,
    pub(super) announcing: Announcing,
    /// Where static addresses go that name no interface.
    pub(super) interface: Option<Name>,
    pub(super) iproute: Directories,
    pub(super) deviating: Deviating,
    pub(super) told: Told,
    /// What the names of virtual interfaces begin with: an instance's own, and others; `None` means the same.
    pub(super) virtual_names: (String, Option<String>),
}

/// Where `rt_tables` and its kin are; `None` means where they usually are.
#[derive(Clone, Debug, Default)]
pub(super) struct Directories {
    pub(super) etc: Option<PathBuf>,
    pub(super) usr: Option<PathBuf>,
}

pub(super) fn global(
    statements: &[Statement<'_>],
    process: &mut Process,
    findings: &mut Findings,
) -> (Global, Defaults) {
    let mut global = Global::default();
    let mut defaults = Defaults {
        version: Version::V2,
        group4: engine::wire::GROUP,
        group6: engine::wire::GROUP6,
        skip_check_adv_addr: false,
        strict: false,
        announcing: Announcing::default(),
        interface: None,
        iproute: Directories::default(),
        deviating: Deviating::default(),
        told: Told::default(),
        virtual_names: ("vrrp".to_owned(), None),
    };
    let mut telling = Telling::default();
    let (mut tables, mut own_prefix) = (None, None);
    for statement in statements {
        let of_instances = defaults.announcing.take(statement, "vrrp_", findings)
            || defaults.deviating.take(statement, "vrrp_", findings);
        if of_instances || telling.take(statement, findings) || process.take(statement, findings) {
            continue;
        }
        match statement.keyword.name {
            "router_id" => global.router_id = Some(statement.value().text.clone()),
            "script_user" => global.script_user = Some(script::user(&statement.values)),
            "enable_script_security" => global.enable_script_security = true,
            "nftables" => {
                let table = statement.values.first().and_then(|word| table_name(word, findings));
                // As in keepalived, the first one counts, as of the prefixes below.
                tables.get_or_insert(table);
            }
            "nftables_priority" => {
                global.nftables_priority = values::whole(statement, findings).and_then(|value| value.try_into().ok());
            }
            "disable_local_igmp" => global.disable_local_igmp = true,
            "address_lifetime" => {
                global.address_lifetime = address_lifetime(statement, findings).unwrap_or_default();
            }
            "default_interface" => defaults.interface = values::interface(statement.value(), findings),
            "iproute_etc_dir" => defaults.iproute.etc = values::path(statement, findings),
            "iproute_usr_dir" => defaults.iproute.usr = values::path(statement, findings),
            "vmac_prefix" => own_prefix = own_prefix.or(virtual_mac::prefix(statement, findings)),
            "vmac_addr_prefix" => {
                let prefix = virtual_mac::prefix(statement, findings);
                defaults.virtual_names.1 = defaults.virtual_names.1.take().or(prefix);
            }
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
                if let Some(IpAddr::V4(group)) = group(statement, Some(Family::Ipv4), findings) {
                    defaults.group4 = group;
                }
            }
            "vrrp_mcast_group6" => {
                if let Some(IpAddr::V6(group)) = group(statement, Some(Family::Ipv6), findings) {
                    defaults.group6 = group;
                }
            }
            other => unreachable_keyword(other, Block::GlobalDefs, statement, findings),
        }
    }
    global.nftables_table = tables.flatten();
    if let Some(prefix) = own_prefix {
        defaults.virtual_names.0 = prefix;
    }
    defaults.told = telling.finish(&mut global, findings);
    (global, defaults)
}

/// The name of a table of nftables.
fn table_name(word: &Word, findings: &mut Findings) -> Option<String> {
    let good = (1..64).contains(&word.text.len())
        && word.text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/'));
    if !good {
        findings
            .error("bad-name", word.span, format!("`{}` is no name for a table of nftables", word.text))
            .help("letters and digits, less than 64 of them; for instance `nftables keepalived`");
    }
    good.then(|| word.text.clone())
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

/// A multicast group, of this family if one is given. Those of IPv6 reach as far as the link: advertisements go no further.
pub(super) fn group(statement: &Statement<'_>, family: Option<Family>, findings: &mut Findings) -> Option<IpAddr> {
    let word = statement.value();
    let group = values::address(word, findings)?;
    let is_group = match group {
        IpAddr::V4(group) => group.is_multicast(),
        // RFC 4291 §2.7: whatever its flags, the scope is 2.
        IpAddr::V6(group) => group.is_multicast() && group.octets()[1] & 0x0f == 2,
    };
    if is_group && family.is_none_or(|family| family == Family::of(group)) {
        return Some(group);
    }
    let (what, usual) = match family.unwrap_or(Family::of(group)) {
        Family::Ipv4 => ("an IPv4 multicast address", IpAddr::V4(engine::wire::GROUP)),
        Family::Ipv6 => ("an IPv6 multicast address of the link", IpAddr::V6(engine::wire::GROUP6)),
    };
    findings
        .error("bad-group", word.span, format!("{} is not {what}", word.text))
        .help(format!("the standard's group is {usual}"));
    None
}
