//! What both understand: the settings that keepalived writes to its log at the start (`-d`), and ours, field by field.

use std::collections::BTreeMap;
use std::time::Duration;

use config::{Command, Instance, Script, Settings, VirtualLink, VirtualMac};
use engine::{Authentication, TrackerKind, Transport, VirtualAddress, Weight};

use crate::support::word;

/// What is set to what: `VI_1: Priority` to `100`. Lists are one value, an entry a line.
pub(crate) type Fields = BTreeMap<String, String>;

/// The last heading of the part that is compared.
pub(crate) const END: &str = "------< Interfaces >------";

/// The lines of an instance, a check and `global_defs` that we have, too.
const KNOWN: [&str; 43] = [
    "Router ID",
    "Script security",
    "Smtp server",
    "Smtp server port",
    "Smtp HELO name",
    "Email notification from",
    "Email notification to",
    "Gratuitous ARP interval",
    "VRRP Version",
    "Interface",
    "Using src_ip",
    "Multicast address",
    "Gratuitous ARP delay",
    "Gratuitous ARP repeat",
    "Gratuitous ARP refresh",
    "Gratuitous ARP refresh repeat",
    "Gratuitous ARP lower priority delay",
    "Gratuitous ARP lower priority repeat",
    "Virtual Router ID",
    "Priority",
    "Advert interval",
    "Accept",
    "Preempt",
    "Preempt delay",
    "Authentication type",
    "Password",
    "Virtual IP",
    "Virtual IP Excluded",
    "Unicast TTL",
    "Unicast Peer",
    "Tracked interfaces",
    "Tracked scripts",
    "Tracked files",
    "Tracked processes",
    "Skip checking advert IP addresses",
    "VRRP interface tracking disabled",
    "Master state transition script",
    "Backup state transition script",
    "Fault state transition script",
    "Stop state transition script",
    "Deleted state transition script",
    "Generic state transition script",
    "Master rx lower pri state transition script",
];
/// The lines of a check.
const OF_CHECK: [&str; 5] = ["Command", "Interval", "Timeout", "Rise", "Fall"];
/// What is so at once in `global_defs` and in instances is compared where it has its effect.
const ALSO_GLOBAL: &str = "Gratuitous ARP ";

/// From keepalived's log; `None` if it did not come to that.
pub(crate) fn theirs(log: &str) -> Option<Fields> {
    if !log.contains(END) {
        return None;
    }
    let mut fields = Fields::new();
    let (mut section, mut name) = ("", String::new());
    // The list that is being read, and how far its heading is indented.
    let mut list: Option<(String, usize)> = None;
    // What is told between the settings is not indented.
    let is_setting = |line: &&str| line.starts_with([' ', '-']);
    for line in log.lines().flat_map(undated).filter(is_setting) {
        if let Some(title) = line.strip_prefix("------< ") {
            section = title.trim_end_matches(" >------");
            name = String::new();
            continue;
        }
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if let Some((list, heading)) = &list
            && indent > *heading
        {
            *fields.entry(list.clone()).or_default() += &entry(list, text);
            continue;
        }
        let (key, value) = text.split_once(" = ").unwrap_or((text, ""));
        let begins = match (section, key) {
            ("VRRP Topology", "VRRP Instance") | ("VRRP Scripts", "VRRP Script") => {
                name = format!("{value}: ");
                None
            }
            ("VRRP Topology", _) => field(&mut fields, &name, text, key, value),
            ("VRRP Scripts", _) if OF_CHECK.contains(&key) => {
                fields.insert(format!("check {name}{key}"), value.to_owned());
                None
            }
            ("Global definitions", _) if !key.starts_with(ALSO_GLOBAL) || key.ends_with("interval") => {
                field(&mut fields, "", text, key, value)
            }
            _ => None,
        };
        list = begins.map(|list| (list, indent));
    }
    Some(normal(fields))
}

/// What stands after each date in a line. Two processes write the log at once and in pieces, so there may be two.
fn undated(line: &str) -> Vec<&str> {
    const DATE: &str = "Sat Nov 21 17:46:44 2026: ";
    let is_date = |text: &[u8]| {
        let like = |(byte, sample): (&u8, u8)| match sample {
            b' ' | b':' => *byte == sample,
            b'0'..=b'9' => byte.is_ascii_digit() || *byte == b' ',
            _ => byte.is_ascii_alphabetic(),
        };
        text.iter().zip(DATE.bytes()).all(like)
    };
    let dates: Vec<usize> =
        line.as_bytes().windows(DATE.len()).enumerate().filter(|(_, text)| is_date(text)).map(|(at, _)| at).collect();
    let mut pieces = Vec::new();
    let mut from = 0;
    for date in dates {
        pieces.extend(line.get(from..date));
        from = date + DATE.len();
    }
    pieces.extend(line.get(from..));
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

#[test]
fn dates_in_lines() {
    let date = "Sat Nov  1 07:46:44 2026: ";
    assert_eq!(undated(&format!("{date}   Priority = 100")), ["   Priority = 100"]);
    assert_eq!(undated("   Priority = 100"), ["   Priority = 100"]);
    assert_eq!(
        undated(&format!("{date}   Virtual IP (1):{date}Startup complete")),
        ["   Virtual IP (1):", "Startup complete"]
    );
}

/// Takes a line; the answer is the name of the list that it begins.
fn field(fields: &mut Fields, name: &str, text: &str, key: &str, value: &str) -> Option<String> {
    // `Virtual IP (2):`, `Unicast Peer :`
    if let Some(list) = text.strip_suffix(':') {
        let list = list.split(" (").next().unwrap_or(list).trim_end();
        let list = format!("{name}{list}");
        return KNOWN.iter().any(|known| list.ends_with(known)).then_some(list);
    }
    let (key, value) = match (key, value) {
        (_, "") if text.starts_with("Multicast address ") => text.rsplit_once(' ').unwrap_or((text, "")),
        (_, "") if text.starts_with("Script security ") => text.rsplit_once(' ').unwrap_or((text, "")),
        // Without this it is what the interface has.
        ("Using src_ip", value) => (key, value.strip_suffix(" (from configuration)").unwrap_or("")),
        _ => (key, value),
    };
    if KNOWN.contains(&key) {
        let value = value.split(", uid:gid").next().unwrap_or(value);
        fields.insert(format!("{name}{key}"), value.to_owned());
    }
    None
}

/// An entry of a list, as we write it.
fn entry(list: &str, text: &str) -> String {
    // That it is on such an interface shows in the name of the interface.
    let mut words = text.split_whitespace().filter(|word| *word != "use_vmac");
    let first = words.next().unwrap_or_default();
    let rest: String = words.map(|word| format!(" {word}")).collect();
    match list {
        _ if list.ends_with("Unicast Peer") => format!("{first}\n"),
        _ if list.contains("Virtual IP") && !first.contains('/') => {
            let prefix = if first.contains(':') { 128 } else { 32 };
            format!("{first}/{prefix}{rest}\n")
        }
        _ => format!("{first}{rest}\n"),
    }
}

/// Units and defaults as we write them.
fn normal(fields: Fields) -> Fields {
    let mut normal: Fields = fields
        .into_iter()
        .map(|(key, value)| {
            let number = value.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
            let seconds = number.map(|number| if value.ends_with("milli-sec") { number / 1000.0 } else { number });
            let is_time = ["interval", "Interval", "Timeout", "delay"].iter().any(|end| key.ends_with(end));
            match seconds {
                Some(seconds) if is_time => (key, in_seconds(Duration::from_secs_f64(seconds))),
                _ => (key, value),
            }
        })
        .collect();
    let timeouts: Vec<String> = normal.keys().filter(|key| key.ends_with("Timeout")).cloned().collect();
    for key in timeouts.into_iter().filter(|key| key.starts_with("check ")) {
        if normal[&key] == "0" {
            let interval = normal[&key.replace("Timeout", "Interval")].clone();
            normal.insert(key, interval);
        }
    }
    // What has no name here is called by whatever a name server says, and there is none.
    normal.retain(|_, value| !matches!(value.as_str(), "" | "none" | "[unknown]"));
    // No delay is not told.
    normal.retain(|key, value| !(key.ends_with("Preempt delay") && value == "0"));
    normal
}

/// What we have understood, in the same words.
pub(crate) fn ours(settings: &Settings) -> Fields {
    let mut fields = Fields::new();
    let global = &settings.global;
    let mut put = |key: &str, value: String| {
        fields.insert(key.to_owned(), value);
    };
    put("Router ID", global.router_id.clone().unwrap_or_default());
    put("Script security", if global.enable_script_security { "enabled" } else { "disabled" }.to_owned());
    let mail = &global.mail;
    if let Some((host, port)) = &mail.server {
        put("Smtp server", host.clone());
        put("Smtp server port", port.to_string());
    }
    for (key, value) in [("Smtp HELO name", &mail.helo_name), ("Email notification from", &mail.sender)] {
        put(key, value.clone().unwrap_or_default());
    }
    put("Email notification to", mail.recipients.iter().map(|recipient| format!("{recipient}\n")).collect());
    for instance in &settings.instances {
        put("Gratuitous ARP interval", in_seconds(instance.router.announce.pacing));
        instance_fields(instance, &mut put);
    }
    for script in &settings.scripts {
        check_fields(script, &mut put);
    }
    for link @ VirtualLink { name, base, .. } in &settings.virtual_links {
        // As long as no ipvlan is made, keepalived shows the interface below.
        let shown = if link.mac().is_some() { format!("{name}@{base}") } else { base.to_string() };
        let addresses = fields.iter_mut().filter(|(key, _)| key.contains("Virtual IP"));
        addresses.for_each(|(_, value)| *value = value.replace(&format!(" dev {name} "), &format!(" dev {shown} ")));
    }
    fields.retain(|_, value| !value.is_empty());
    fields
}

fn instance_fields(instance: &Instance, put: &mut impl FnMut(&str, String)) {
    let router = &instance.router;
    let mut put = |key: &str, value: String| put(&format!("{}: {key}", router.name), value);
    let enabled = |is: bool| if is { "enabled" } else { "disabled" }.to_owned();
    let list = |entries: &mut dyn Iterator<Item = String>| entries.map(|entry| entry + "\n").collect::<String>();
    put("VRRP Version", router.version.number().to_string());
    put(
        "Interface",
        match (&instance.virtual_mac, &instance.ipvlan) {
            (None, None) => router.link.to_string(),
            (None, Some(link)) => format!("{link}, ipvlan on {}", router.link),
            (Some(VirtualMac { link, speaks: true }), _) => format!("{link}, vmac on {}", router.link),
            (Some(VirtualMac { link, speaks: false }), _) => format!("{link}, vmac on {}, xmit base i/f", router.link),
        },
    );
    let announce = &router.announce;
    put("Gratuitous ARP delay", in_seconds(announce.delay));
    put("Gratuitous ARP repeat", announce.repeat.to_string());
    put("Gratuitous ARP refresh", in_seconds(announce.refresh.unwrap_or_default()));
    put("Gratuitous ARP refresh repeat", announce.refresh_repeat.to_string());
    put("Gratuitous ARP lower priority delay", in_seconds(announce.lower_priority_delay));
    put("Gratuitous ARP lower priority repeat", announce.lower_priority_repeat.to_string());
    put("Virtual Router ID", router.vrid.to_string());
    put("Priority", router.priority.to_string());
    put("Advert interval", in_seconds(router.advertisement_interval.as_duration()));
    put("Accept", enabled(instance.accept_mode));
    put("Preempt", enabled(router.preempt_mode));
    if !router.preempt_delay.is_zero() {
        put("Preempt delay", in_seconds(router.preempt_delay));
    }
    match &router.authentication {
        Authentication::SimplePassword(password) => {
            put("Authentication type", "SIMPLE_PASSWORD".to_owned());
            put("Password", String::from_utf8_lossy(&password[..]).trim_end_matches('\0').to_owned());
        }
        // It does not tell the password.
        Authentication::Header(_) => put("Authentication type", "IPSEC_AH".to_owned()),
        // It does not know it.
        Authentication::None | Authentication::Hmac(_) => {}
    }
    match &router.transport {
        Transport::Multicast { group, source, .. } => {
            // It does not tell that of IPv6.
            if group.is_ipv4() {
                put("Multicast address", group.to_string());
            }
            put("Using src_ip", source.map(|source| source.to_string()).unwrap_or_default());
        }
        Transport::Unicast { source, peers, ttl, .. } => {
            put("Using src_ip", source.map(|source| source.to_string()).unwrap_or_default());
            if router.family == engine::Family::Ipv4 {
                put("Unicast TTL", ttl.to_string());
            }
            put("Unicast Peer", list(&mut peers.iter().map(ToString::to_string)));
        }
    }
    put("Virtual IP", list(&mut router.addresses.iter().map(|address| address_text(address, &router.link))));
    put(
        "Virtual IP Excluded",
        list(&mut router.excluded_addresses.iter().map(|address| address_text(address, &router.link))),
    );
    put(
        "Tracked interfaces",
        list(&mut router.track_links.iter().map(|it| format!("{} {}", it.link, weight(it.weight)))),
    );
    put(
        "Tracked scripts",
        list(&mut router.track_scripts.iter().map(|it| format!("{} {}", it.script, weight(it.weight)))),
    );
    for (key, kind) in [("Tracked files", TrackerKind::File), ("Tracked processes", TrackerKind::Process)] {
        let tracked = router.trackers.iter().filter(|it| it.tracker.kind == kind);
        put(key, list(&mut tracked.map(|it| format!("{}, {}", it.tracker.name, weight(it.weight)))));
    }
    let notify = &instance.notify;
    for (key, script) in [
        ("Master", &notify.active),
        ("Backup", &notify.backup),
        ("Fault", &notify.fault),
        ("Stop", &notify.stop),
        ("Deleted", &notify.deleted),
        ("Generic", &notify.any),
        ("Master rx lower pri", &notify.active_heard_lower_priority),
    ] {
        let command = script.as_ref().map(|script| command(&script.command));
        put(&format!("{key} state transition script"), command.unwrap_or_default());
    }
}

fn check_fields(script: &Script, put: &mut impl FnMut(&str, String)) {
    let checking = &script.checking;
    let mut put = |key: &str, value: String| put(&format!("check {}: {key}", checking.name), value);
    put("Command", command(&script.command));
    put("Interval", in_seconds(checking.interval));
    put("Timeout", in_seconds(checking.timeout));
    put("Rise", checking.rise.to_string());
    put("Fall", checking.fall.to_string());
}

fn address_text(address: &VirtualAddress, own: &str) -> String {
    let broadcast = address.broadcast.map(|broadcast| format!(" brd {broadcast}")).unwrap_or_default();
    let link = address.link.as_deref().unwrap_or(own);
    let scope = match address.scope.number() {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        255 => "nowhere".to_owned(),
        other => other.to_string(),
    };
    let label = address.label.as_ref().map(|label| format!(" label {label}")).unwrap_or_default();
    let peer = address.peer.map(|peer| format!(" peer {peer}/{}", address.prefix)).unwrap_or_default();
    let flags = &address.flags;
    let flags = [
        (flags.duplicate_detection, " -nodad"),
        (flags.home, " home"),
        (flags.temporary_template, " mngtmpaddr"),
        (flags.no_prefix_route, " noprefixroute"),
        (flags.join_group, " autojoin"),
        (!address.tracked, " no_track"),
    ];
    let flags: String = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, word)| word).collect();
    let preferred = match (address.address, address.preferred) {
        (std::net::IpAddr::V4(_), _) => String::new(),
        (_, None) => " preferred_lft forever".to_owned(),
        (_, Some(0)) => " deprecated".to_owned(),
        (_, Some(seconds)) => format!(" preferred_lft {seconds}"),
    };
    format!("{}/{}{broadcast} dev {link} scope {scope}{label}{peer}{flags}{preferred}", address.address, address.prefix)
}

fn weight(weight: Weight) -> String {
    match weight {
        Weight::Fault => "weight 0".to_owned(),
        Weight::Priority(by) => format!("weight {by}"),
        Weight::Reversed(by) => format!("weight {by} reverse"),
        Weight::ReversedFault => "weight 0 reverse".to_owned(),
    }
}

fn command(command: &Command) -> String {
    let quoted = |words: &[String]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    match command {
        Command::Program(words) => quoted(words),
        Command::Shell(line) => format!("'sh' '-c' '{line}'"),
        Command::ReadFile(path) => format!("<{}", word(path)),
    }
}

/// Seconds with as many decimals as there are.
fn in_seconds(time: Duration) -> String {
    format!("{}", time.as_secs_f64())
}
