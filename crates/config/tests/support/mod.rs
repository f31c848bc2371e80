//! What the tests share: settings as short text, and expectations in files.

mod services;

use std::fmt::Write as _;
use std::path::Path;

use engine::{Authentication, Family, Tracked, Transport, Weight, When};
use tanist_config::{
    Command, FigureSource, Instance, Ipvlan, LoadOptions, Loaded, MailTls, MemoryFiles, Notify, NotifyScript,
    ScriptUser, Settings, SyncGroup, VirtualKind, VirtualLink, VirtualMac, load,
};

/// Reads one text as `/etc/keepalived/keepalived.conf` of the machine `edge-a.example.com`.
pub(crate) fn load_text(text: impl Into<Vec<u8>>) -> Loaded {
    let path = "/etc/keepalived/keepalived.conf";
    let mut files = MemoryFiles::single(path, text);
    files.host_name = "edge-a.example.com".to_owned();
    load(Path::new(path), &files, &LoadOptions::default())
}

/// Compares with the file, or rewrites it if `UPDATE_EXPECT` is set.
pub(crate) fn expect_file(path: &Path, found: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(path, found).map_err(|error| format!("write {}: {error}", path.display()));
    }
    let expected = std::fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))?;
    if expected == found {
        return Ok(());
    }
    Err(format!(
        "{} differs; UPDATE_EXPECT=1 rewrites it.\n--- expected\n{expected}\n--- found\n{found}",
        path.display()
    ))
}

/// Settings in a few lines.
pub(crate) fn describe(settings: &Settings) -> String {
    let mut out = String::new();
    let global = &settings.global;
    if let Some(router_id) = &global.router_id {
        line(&mut out, format_args!("router_id {router_id}"));
    }
    if let Some(user) = &global.script_user {
        line(&mut out, format_args!("script_user {}", user_text(user)));
    }
    if global.enable_script_security {
        line(&mut out, format_args!("enable_script_security"));
    }
    if global.address_lifetime != tanist_config::AddressLifetime::Derived {
        line(&mut out, format_args!("address_lifetime {:?}", global.address_lifetime));
    }
    if settings.process != tanist_config::Process::default() {
        for text in format!("{:#?}", settings.process).lines().filter(|text| !text.ends_with(": None,")) {
            line(&mut out, format_args!("{text}"));
        }
    }
    let mail = &global.mail;
    if *mail != tanist_config::Mail::default() {
        line(
            &mut out,
            format_args!(
                "mail to {:?} from {:?} by {:?} within {:?} s, helo {:?}{}{}",
                mail.recipients,
                mail.sender,
                mail.server,
                mail.connect_timeout,
                mail.helo_name,
                if mail.no_faults { ", not about faults" } else { "" },
                match mail.tls {
                    MailTls::Off => String::new(),
                    tls => format!("\n    {tls:?}, trusting {:?}, login {:?}", mail.authorities, mail.login),
                }
            ),
        );
    }
    describe_told(&mut out, settings);
    if settings.link_beats.everywhere {
        line(&mut out, format_args!("all links are polled"));
    }
    for (link, method) in &settings.link_beats.links {
        line(&mut out, format_args!("link of {link} polled by {method:?}"));
    }
    for wish in &settings.virtual_links {
        let VirtualLink { name, named, prefix, vrid, base, kind, family, group, retells_base, needs_base } = wish;
        let mac = match kind {
            VirtualKind::Macvlan { mac } => mac.map(|octet| format!("{octet:02x}")).join(":"),
            VirtualKind::Ipvlan(Ipvlan { mode, address }) => format!("ipvlan {mode:?} {address:?}"),
        };
        let group = group.map_or(String::new(), |group| format!("  group {group}"));
        let other = if *named { String::new() } else { format!("  or {prefix}N.{vrid}") };
        let needs = if *needs_base { "  needs it" } else { "" };
        let family = if *family == Family::Ipv6 { "  for IPv6" } else { "" };
        let retells = if *retells_base { "  retells it" } else { "" };
        line(&mut out, format_args!("virtual link {name}{other}  on {base}{needs}{retells}  {mac}{family}{group}"));
    }
    for vrf in settings.vrfs() {
        line(&mut out, format_args!("VRF {vrf}"));
    }
    for script in &settings.scripts {
        let checking = &script.checking;
        line(
            &mut out,
            format_args!(
                "script {}  every {:?}  timeout {:?}  rise {}  fall {}{}{}",
                checking.name,
                checking.interval,
                checking.timeout,
                checking.rise,
                checking.fall,
                match (checking.init_fail, checking.when) {
                    (true, When::Both) => "  init_fail",
                    (false, When::Both) => "",
                    (_, When::Active) => "  when active",
                    (_, When::Standby) => "  when standby",
                },
                script.user.as_ref().map_or(String::new(), |user| format!("  as {}", user_text(user)))
            ),
        );
        line(&mut out, format_args!("    {}", command(&script.command)));
    }
    for instance in &settings.instances {
        describe_instance(&mut out, instance);
    }
    for SyncGroup { group, notify, mails } in &settings.groups {
        let members: Vec<&str> = group.members.iter().map(|member| &**member).collect();
        line(&mut out, format_args!("sync group {}  {}", group.name, members.join(" ")));
        if *mails {
            line(&mut out, format_args!("    mails"));
        }
        describe_notify(&mut out, notify);
    }
    let group =
        |group: &Option<engine::Name>| group.as_ref().map_or(String::new(), |name| format!(" track_group {name}"));
    for entry in &settings.statics.addresses {
        line(&mut out, format_args!("static address {}{}", entry.what, group(&entry.group)));
    }
    for entry in &settings.statics.routes {
        line(&mut out, format_args!("static route {}{}", entry.what, group(&entry.group)));
    }
    for entry in &settings.statics.rules {
        line(&mut out, format_args!("static rule {}{}", entry.what, group(&entry.group)));
    }
    for tracker in &settings.trackers {
        let figure = &tracker.figure;
        line(&mut out, format_args!("tracker {}  {}  {:?}", figure.name, figure.subject, figure.measure));
        if let FigureSource::File { initial: Some(initial), .. } = &tracker.source {
            line(&mut out, format_args!("    {initial:?}"));
        }
    }
    services::describe(&mut out, settings);
    out
}

fn describe_instance(out: &mut String, instance: &Instance) {
    let router = &instance.router;
    line(
        out,
        format_args!(
            "instance {}  {}  vrid {}  {:?} {:?}  priority {}  every {}  {}{}",
            router.name,
            router.link,
            router.vrid,
            router.family,
            router.version,
            router.priority,
            router.advertisement_interval,
            if router.preempt_mode { "preempt" } else { "nopreempt" },
            if router.preempt_delay.is_zero() { String::new() } else { format!(" after {:?}", router.preempt_delay) },
        ),
    );
    if instance.in_vrf {
        line(out, format_args!("    in the VRF {}", router.link));
    }
    if let Some(link) = instance.own_link() {
        let below = matches!(instance.virtual_mac, Some(VirtualMac { speaks: false, .. }));
        let through = if below { "  advertisements leave below" } else { "" };
        line(out, format_args!("    on {link}{through}"));
    }
    if let Some(elsewhere) = &router.announce.elsewhere {
        let links: Vec<&str> = elsewhere.links.iter().map(|link| &**link).collect();
        line(out, format_args!("    announces on {links:?} every {:?}", elsewhere.every));
    }
    if let Some(stated) = instance.stated {
        line(out, format_args!("    stated {stated:?}"));
    }
    match &router.transport {
        Transport::Multicast { group, source } => line(out, format_args!("    to {group} from {source:?}")),
        Transport::Unicast { source, peers, ttl } => {
            line(out, format_args!("    to {peers:?} from {source:?} ttl {ttl}"));
        }
    }
    match &router.authentication {
        Authentication::None => {}
        Authentication::SimplePassword(password) => {
            line(out, format_args!("    password {}", password.escape_ascii()));
        }
        Authentication::Header(password) => {
            line(out, format_args!("    header {}", password.escape_ascii()));
        }
        Authentication::Hmac(policy) => {
            let keys: Vec<_> = policy.keys.keys().collect();
            let (mode, anti_replay) = (policy.mode, policy.anti_replay);
            line(out, format_args!("    hmac {mode:?} {anti_replay:?} key {} of {keys:?}", policy.active_key));
        }
    }
    for file in &instance.key_files {
        line(out, format_args!("    key {} in {}", file.number, file.path.display()));
    }
    for address in &router.addresses {
        line(out, format_args!("    address {}", address));
    }
    for address in &router.excluded_addresses {
        line(out, format_args!("    excluded {}", address));
    }
    for route in &router.routes {
        line(out, format_args!("    route {route}"));
    }
    for rule in &router.rules {
        line(out, format_args!("    rule {rule}"));
    }
    for group in &router.track_groups {
        line(out, format_args!("    needs track_group {group}"));
    }
    if let Some(octets) = instance.receive_buffer {
        line(out, format_args!("    receive buffer {octets}"));
    }
    if instance.promote_secondaries {
        line(out, format_args!("    promote_secondaries"));
    }
    if router.skip_check_adv_addr {
        line(out, format_args!("    skip_check_adv_addr"));
    }
    if router.deviations != engine::Deviations::default() {
        line(out, format_args!("    {:?}", router.deviations));
    }
    let announce = &router.announce;
    line(
        out,
        format_args!(
            "    announce {} and after {:?}; refresh {:?} × {}; lower priority {} and after {:?}; pacing {:?}",
            announce.repeat,
            announce.delay,
            announce.refresh,
            announce.refresh_repeat,
            announce.lower_priority_repeat,
            announce.lower_priority_delay,
            announce.pacing
        ),
    );
    for tracked in &router.track_links {
        line(out, format_args!("    track interface {} {}", tracked.link, weight(tracked.weight)));
    }
    if router.ignore_own_link {
        line(out, format_args!("    dont_track_primary"));
    }
    for tracked in &router.track_scripts {
        line(out, format_args!("    track script {} {}", tracked.script, weight(tracked.weight)));
    }
    for Tracked { tracker, weight: its } in &router.trackers {
        line(out, format_args!("    track {:?} {} {}", tracker.kind, tracker.name, weight(*its)));
    }
    for service in &router.services {
        line(out, format_args!("    service {service}"));
    }
    if instance.mails {
        line(out, format_args!("    mails"));
    }
    if instance.tells_priority {
        line(out, format_args!("    tells its priority"));
    }
    describe_notify(out, &instance.notify);
}

fn describe_told(out: &mut String, settings: &Settings) {
    let global = &settings.global;
    for (name, fifo) in [("fifo", &global.notify_fifo), ("vrrp fifo", &global.vrrp_notify_fifo)] {
        if let Some(fifo) = fifo {
            let owner = fifo.owner.as_ref().map_or(String::new(), |user| format!("  of {}", user_text(user)));
            let reader = fifo.script.as_ref().map_or(String::new(), |one| format!("  read by: {}", notify_script(one)));
            line(out, format_args!("{name} {}{owner}{reader}", fifo.path.display()));
        }
    }
    if global.states_on_reload {
        line(out, format_args!("states are told at a reload"));
    }
    for (when, script) in [("first", &global.startup), ("last", &global.shutdown)] {
        if let Some(timed) = script {
            line(out, format_args!("{when}, within {:?}: {}", timed.timeout, notify_script(&timed.script)));
        }
    }
}

fn describe_notify(out: &mut String, notify: &Notify) {
    let kinds = [
        ("active", &notify.active),
        ("backup", &notify.backup),
        ("fault", &notify.fault),
        ("stop", &notify.stop),
        ("deleted", &notify.deleted),
        ("lower priority", &notify.active_heard_lower_priority),
        ("any", &notify.any),
    ];
    if notify.tells_deletion && notify.deleted.is_none() {
        line(out, format_args!("    told as deleted"));
    }
    for (kind, script) in kinds {
        if let Some(script) = script {
            line(out, format_args!("    notify {kind}: {}", notify_script(script)));
        }
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}

fn user_text(user: &ScriptUser) -> String {
    match &user.group {
        Some(group) => format!("{}:{group}", user.user),
        None => user.user.clone(),
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::Program(words) => format!("run {words:?}"),
        Command::Shell(text) => format!("sh -c {text:?}"),
        Command::ReadFile(path) => format!("read {}", path.display()),
    }
}

fn notify_script(script: &NotifyScript) -> String {
    let NotifyScript { command: runs, user } = script;
    let user = user.as_ref().map_or(String::new(), |user| format!(" as {}", user_text(user)));
    format!("{}{user}", command(runs))
}

fn weight(weight: Weight) -> String {
    match weight {
        Weight::Fault => "fault".to_owned(),
        Weight::ReversedFault => "fault reverse".to_owned(),
        Weight::Priority(value) => format!("{value:+}"),
        Weight::Reversed(value) => format!("{value:+} reverse"),
    }
}
