//! keepalived.data: the state of everything, in keepalived's words and order.
//!
//! What keepalived says there and we do not is listed, with the reasons, in the test that compares both
//! (`interop/differences.rs`).

use std::fmt::{Display, Result, Write as _};
use std::time::Duration;

use config::{
    FigureSource, Instance, MailTls, MatchBy, Notify, ProcessPattern, Script, ScriptUser, Settings, VirtualMac,
};
use engine::vrrp::receive::ChecksumForm;
use engine::{
    AntiReplay, Authentication, ChecksumPolicy, Engine, Family, FaultReason, FigureCause, HmacMode, Instant, Measure,
    NoticeKind, RouterConfig, RouterView, ScriptView, StateName, Tracked, TrackerConfig, TrackerKind, TrackerView,
    Transport, Version, View, Weight,
};
use linux::clock;
use linux::local_time::LocalTime;
use linux::packet_filter::Dropped;

use super::words::{
    address_words, match_word, own_faults, quoted, quoted_script, state_word, waits_after, wanted_word,
};
use crate::status::fault_words;

/// The whole file.
pub(crate) fn data(settings: &Settings, engine: &Engine, now: Instant) -> String {
    let view = engine.view();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut text, settings, engine, &view, now);
    text
}

/// The global definitions alone, with which the whole file begins.
pub(crate) fn global_definitions(settings: &Settings) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_global(&mut text, settings);
    text
}

/// What the rules for addresses that are not accepted have done, at the end of the file.
pub(crate) fn dropped(dropped: Dropped) -> String {
    let Dropped { incoming, outgoing } = dropped;
    format!("------< Not accepted >------\n Packets dropped = {incoming} in, {outgoing} out\n")
}

fn write_all(text: &mut String, settings: &Settings, engine: &Engine, view: &View, now: Instant) -> Result {
    write_global(text, settings)?;
    let statics = &settings.statics;
    let what = |address: &engine::Static<engine::VirtualAddress>| address.what.clone();
    list(text, "------< Static Addresses >------", statics.addresses.iter().map(what))?;
    list(text, "------< Static Routes >------", statics.routes.iter().map(|entry| &entry.what))?;
    list(text, "------< Static Rules >------", statics.rules.iter().map(|entry| &entry.what))?;
    writeln!(text, "------< VRRP Topology >------")?;
    for (router, instance) in view.routers.iter().zip(&settings.instances) {
        write_instance(text, settings, engine, (router, instance), now)?;
    }
    write_groups(text, settings, view)?;
    write_scripts(text, settings, engine, view)?;
    write_trackers(text, settings, engine, view)
}

/// ` Key = value`, at the depth of a section.
fn line(text: &mut String, key: &str, value: &dyn Display) -> Result {
    writeln!(text, " {key} = {value}")
}

/// `   Key = value`, at the depth of what belongs to a name.
fn entry(text: &mut String, key: &str, value: &dyn Display) -> Result {
    writeln!(text, "   {key} = {value}")
}

fn write_global(text: &mut String, settings: &Settings) -> Result {
    let (global, process, mail) = (&settings.global, &settings.process, &settings.global.mail);
    writeln!(text, "------< Global definitions >------")?;
    line(text, "Network namespace", &process.net_namespace.as_deref().unwrap_or("(default)"))?;
    if let Some(instance) = &process.instance {
        line(text, "Instance", instance)?;
    }
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    line(text, "Router ID", &global.router_id.clone().unwrap_or_else(host))?;
    if let Some((server, port)) = &mail.server {
        line(text, "Smtp server", server)?;
        line(text, "Smtp server port", port)?;
    }
    if let Some(name) = &mail.helo_name {
        line(text, "Smtp HELO name", name)?;
    }
    if let Some(seconds) = mail.connect_timeout {
        line(text, "Smtp server connection timeout", &seconds)?;
    }
    match mail.tls {
        MailTls::Off => {}
        MailTls::StartTls => line(text, "Smtp TLS", &"starttls")?,
        MailTls::Implicit => line(text, "Smtp TLS", &"implicit")?,
    }
    if let Some(login) = &mail.login {
        line(text, "Smtp user", &login.user)?;
        line(text, "Smtp password", &"********")?;
    }
    if let Some(sender) = &mail.sender {
        line(text, "Email notification from", sender)?;
    }
    if !mail.recipients.is_empty() {
        writeln!(text, " Email notification to:")?;
        mail.recipients.iter().try_for_each(|recipient| writeln!(text, "   {recipient}"))?;
    }
    line(text, "Disable local IGMP", &yes(global.disable_local_igmp))?;
    for (name, fifo) in [("Global", &global.notify_fifo), ("VRRP", &global.vrrp_notify_fifo)] {
        if let Some(fifo) = fifo {
            let owner = user_words(fifo.owner.as_ref().or(global.script_user.as_ref()));
            line(text, &format!("{name} notify fifo"), &format_args!("{}, uid:gid {owner}", fifo.path.display()))?;
            if let Some(script) = &fifo.script {
                line(text, &format!("{name} notify fifo script"), &quoted_script(script))?;
            }
        }
    }
    line(text, "FIFO write vrrp states on reload", &global.states_on_reload)?;
    if let Some(table) = &global.nftables_table {
        line(text, "nftables table name", table)?;
    }
    line(text, "Max auto priority", &process.most_auto_real_time)?;
    line(text, "Min auto priority delay", &format_args!("{} usecs", process.auto_real_time_delay.as_micros()))?;
    line(text, "VRRP process priority", &process.nice)?;
    line(text, "VRRP don't swap", &process.no_swap)?;
    line(text, "VRRP realtime priority", &process.real_time.unwrap_or(0))?;
    line(text, "VRRP realtime limit", &process.real_time_budget.as_micros())?;
    writeln!(text, " Script security {}", enabled(global.enable_script_security))?;
    writeln!(text, " Default script uid:gid {}", user_words(global.script_user.as_ref()))?;
    line(text, "umask", &format_args!("0{:o}", process.umask.unwrap_or(super::UMASK)))
}

fn write_instance(
    text: &mut String,
    settings: &Settings,
    engine: &Engine,
    (router, instance): (&RouterView, &Instance),
    now: Instant,
) -> Result {
    let config = &instance.router;
    line(text, "VRRP Instance", &router.name)?;
    entry(text, "VRRP Version", &config.version.number())?;
    if let Some(group) = settings.group_of(config) {
        entry(text, "Sync group", &group.group.name)?;
    }
    if config.family == Family::Ipv6 {
        writeln!(text, "   Using Native IPv6")?;
    }
    entry(text, "State", &state_word(router))?;
    let unicast = matches!(config.transport, Transport::Unicast { .. });
    let (Transport::Multicast { source, .. } | Transport::Unicast { source, .. }) = &config.transport;
    let flagged = instance.strict
        || config.skip_check_adv_addr
        || !config.preempt_mode
        || instance.virtual_mac.is_some()
        || instance.promote_secondaries
        || source.is_some();
    writeln!(text, "   Flags:{}", if unicast || flagged { "" } else { " none" })?;
    if unicast {
        writeln!(text, "     Using unicast")?;
    }
    entry(text, "Wantstate", &wanted_word(router))?;
    let pending = router.faults.iter().filter(|fault| matches!(fault, FaultReason::ScriptPending(_))).count();
    // What is wrong with a configuration keeps it from being used at all.
    entry(text, "Number of config faults", &0)?;
    entry(text, "Number of interface and track script faults", &own_faults(router))?;
    entry(text, "Number of track scripts init", &pending)?;
    entry(text, "Number of tracker faults", &router.faults.len())?;
    for fault in &router.faults {
        entry(text, "Fault", &fault_words(engine.links(), fault))?;
    }
    entry(text, "Last transition", &moment(clock::real_time().saturating_sub(now.since(router.since))))?;
    match router.active_down_at {
        Some(at) => entry(text, "Read timeout", &moment(clock::real_time() + at.since(now)))?,
        // When an Active router speaks next is not told.
        None if router.state == StateName::Active => {}
        None => entry(text, "Read timeout", &"DISABLED")?,
    }
    let down = config.active_down_interval(router.effective_priority, router.active_adver_interval);
    entry(text, "Master down timer", &format_args!("{} usecs", down.as_micros()))?;
    write_interface(text, engine, router, instance)?;
    write_announcing(text, config)?;
    entry(text, "Virtual Router ID", &config.vrid)?;
    entry(text, "Priority", &router.priority)?;
    entry(text, "Effective priority", &router.effective_priority)?;
    entry(text, "Total priority", &router.effective_priority)?;
    entry(text, "Advert interval", &interval_words(config.version, config.advertisement_interval.as_duration()))?;
    if let Some((address, priority)) = router.active_router {
        entry(text, "Master router", &address)?;
        entry(text, "Master priority", &priority)?;
        if config.version == Version::V3 {
            // keepalived has it twice.
            let interval = router.active_adver_interval.as_duration();
            entry(text, "Master advert interval", &interval_words(config.version, interval))?;
            entry(text, "Master advert int", &format_args!("{:.2} sec", interval.as_secs_f64()))?;
        }
    }
    entry(text, "Accept", &enabled(instance.accept_mode))?;
    entry(text, "Preempt", &enabled(config.preempt_mode))?;
    if !config.preempt_delay.is_zero() {
        entry(text, "Preempt delay", &format_args!("{} secs", config.preempt_delay.as_secs_f64()))?;
    }
    entry(text, "Promote_secondaries", &enabled(instance.promote_secondaries))?;
    write_authentication(text, config)?;
    writeln!(text, "   Virtual IP ({}):", config.addresses.len())?;
    let words = |address: &engine::VirtualAddress| address_words(address, instance, router.holds_addresses);
    config.addresses.iter().try_for_each(|address| writeln!(text, "     {}", words(address)))?;
    list(text, "   Virtual IP Excluded :", config.excluded_addresses.iter().map(words))?;
    write_peers(text, router, config)?;
    list(text, "   Virtual Routes :", config.routes.iter())?;
    list(text, "   Virtual Rules :", config.rules.iter())?;
    let links = config.track_links.iter();
    list(
        text,
        "   Tracked interfaces :",
        links.map(|tracked| format!("{} {}", tracked.link, weight_of(tracked.weight))),
    )?;
    let scripts = config.track_scripts.iter();
    list(
        text,
        "   Tracked scripts :",
        scripts.map(|tracked| format!("{} {}", tracked.script, weight_of(tracked.weight))),
    )?;
    for (heading, kind) in [("   Tracked files :", TrackerKind::File), ("   Tracked processes :", TrackerKind::Process)]
    {
        let tracked = config.trackers.iter().filter(|tracked| tracked.tracker.kind == kind);
        let words = |tracked: &Tracked| format!("{}, {}", tracked.tracker.name, weight_of(tracked.weight));
        list(text, heading, tracked.map(words))?;
    }
    entry(text, "Using smtp notification", &yes(instance.mails))?;
    entry(text, "Notify deleted", &if instance.notify.tells_deletion { "Deleted" } else { "Fault" })?;
    write_notify(text, settings, &instance.notify)?;
    entry(text, "Notify priority changes", &instance.tells_priority)
}

fn write_interface(text: &mut String, engine: &Engine, router: &RouterView, instance: &Instance) -> Result {
    let config = &instance.router;
    match &instance.virtual_mac {
        Some(VirtualMac { link, speaks }) => {
            let is_it = |id: &engine::LinkId| engine.links().get(id.0 as usize) == Some(link);
            let is_up = !router
                .faults
                .iter()
                .any(|fault| matches!(fault, FaultReason::LinkAbsent(id) | FaultReason::LinkDown(id) if is_it(id)));
            writeln!(text, "   Use VMAC, i/f name {link}, is_up = {is_up}, xmit_base = {}", !speaks)?;
            let below = if *speaks { "" } else { ", xmit base i/f" };
            entry(text, "Interface", &format_args!("{link}, vmac on {}{below}", config.link))?;
        }
        None => match &instance.ipvlan {
            Some(link) => entry(text, "Interface", &format_args!("{link}, ipvlan on {}", config.link))?,
            None if config.is_anywhere() => {}
            None => entry(text, "Interface", &config.link)?,
        },
    }
    if config.ignore_own_link {
        writeln!(text, "   VRRP interface tracking disabled")?;
    }
    if config.skip_check_adv_addr {
        writeln!(text, "   Skip checking advert IP addresses")?;
    }
    if instance.strict {
        writeln!(text, "   Enforcing strict VRRP compliance")?;
    }
    let (Transport::Multicast { source, .. } | Transport::Unicast { source, .. }) = &config.transport;
    if let Some(address) = router.primary_address {
        let chosen = if source.is_some() { " (from configuration)" } else { "" };
        entry(text, "Using src_ip", &format_args!("{address}{chosen}"))?;
    }
    if let Transport::Multicast { group, .. } = &config.transport {
        writeln!(text, "   Multicast address {group}")?;
    }
    Ok(())
}

fn write_announcing(text: &mut String, config: &RouterConfig) -> Result {
    let announce = &config.announce;
    for (what, value) in [
        ("delay", announce.delay.as_secs()),
        ("repeat", announce.repeat.into()),
        ("refresh", announce.refresh.unwrap_or_default().as_secs()),
        ("refresh repeat", announce.refresh_repeat.into()),
        ("lower priority delay", announce.lower_priority_delay.as_secs()),
        ("lower priority repeat", announce.lower_priority_repeat.into()),
    ] {
        entry(text, &format!("Gratuitous ARP {what}"), &value)?;
    }
    let deviations = &config.deviations;
    entry(text, "Down timer adverts", &deviations.missed_advertisements)?;
    entry(text, "Send advert after receive lower priority advert", &!deviations.silent_winner)?;
    entry(text, "Send advert after receive higher priority advert", &!deviations.silent_loser)
}

fn write_authentication(text: &mut String, config: &RouterConfig) -> Result {
    let authentication = &config.authentication;
    match authentication {
        // Version 3 has no such field.
        Authentication::None if config.version == Version::V3 => Ok(()),
        Authentication::None => entry(text, "Authentication type", &"none"),
        Authentication::SimplePassword(_) | Authentication::Header(_) => {
            let simple = matches!(authentication, Authentication::SimplePassword(_));
            entry(text, "Authentication type", &if simple { "SIMPLE_PASSWORD" } else { "IPSEC_AH" })?;
            entry(text, "Password", &"********")
        }
        Authentication::Hmac(policy) => {
            let numbers: Vec<String> = policy.keys.keys().map(u8::to_string).collect();
            entry(text, "Authentication extension", &"HMAC-SHA256")?;
            entry(text, "Authentication extension keys", &numbers.join(" "))?;
            entry(text, "Authentication extension active key", &policy.active_key)?;
            entry(text, "Authentication extension mode", &mode_word(policy.mode))?;
            match policy.anti_replay {
                AntiReplay::Time { window } => {
                    entry(text, "Authentication extension anti replay", &format_args!("time ({window} sec)"))
                }
                AntiReplay::Monotonic => entry(text, "Authentication extension anti replay", &"monotonic"),
            }
        }
    }
}

/// Who is spoken to alone, and how they sum.
fn write_peers(text: &mut String, router: &RouterView, config: &RouterConfig) -> Result {
    let deviations = &config.deviations;
    if let Transport::Unicast { peers, ttl, .. } = &config.transport {
        entry(text, "Unicast TTL", ttl)?;
        writeln!(text, "   Check unicast src : {}", yes(deviations.only_from_peers))?;
        writeln!(text, "   Unicast Peer :")?;
        for peer in peers {
            let limits = deviations.peer_ttl.iter().find(|(limited, ..)| limited == peer);
            let (least, most) = limits.map_or((0, 255), |(_, least, most)| (*least, *most));
            writeln!(text, "     {peer} min_ttl {least} max_ttl {most}")?;
        }
        let old = matches!(deviations.checksum, ChecksumPolicy::OldUnicast);
        entry(text, "Unicast checksum compatibility", &if old { "config" } else { "no" })?;
    }
    let Some(form) = router.peer_checksum_form else { return Ok(()) };
    let words = match form {
        ChecksumForm::WithPseudoHeader => "with pseudo header",
        ChecksumForm::MessageOnly => "message only",
        ChecksumForm::OldUnicast => "old unicast",
    };
    entry(text, "Peer checksum", &words)
}

fn write_notify(text: &mut String, settings: &Settings, notify: &Notify) -> Result {
    for (what, script) in [
        ("Backup", &notify.backup),
        ("Master", &notify.active),
        ("Fault", &notify.fault),
        ("Stop", &notify.stop),
        ("Deleted", &notify.deleted),
        ("Generic", &notify.any),
        ("Master rx lower pri", &notify.active_heard_lower_priority),
    ] {
        if let Some(script) = script {
            let user = user_words(script.user.as_ref().or(settings.global.script_user.as_ref()));
            let words = format!("{}, uid:gid {user}", quoted_script(script));
            entry(text, &format!("{what} state transition script"), &words)?;
        }
    }
    Ok(())
}

fn write_groups(text: &mut String, settings: &Settings, view: &View) -> Result {
    if !settings.groups.is_empty() {
        writeln!(text, "------< VRRP Sync groups >------")?;
    }
    for (group, configured) in view.groups.iter().zip(&settings.groups) {
        let word = match group.kind {
            Some(NoticeKind::Active) => "MASTER",
            Some(NoticeKind::Backup) => "BACKUP",
            Some(NoticeKind::Fault) => "FAULT",
            _ => "INIT",
        };
        line(text, "VRRP Sync Group", &format_args!("{}, {word}", group.name))?;
        let members = || group.members.iter().filter_map(|member| view.routers.get(member.0 as usize));
        let faulty = members().filter(|router| own_faults(router) > 0).count();
        let starting = members().filter(|router| state_word(router) == "INIT").count();
        writeln!(text, "   Num member fault {faulty}, num member init {starting}")?;
        list(text, "   VRRP member instances :", members().map(|router| &router.name))?;
        entry(text, "Using smtp notification", &yes(configured.mails))?;
        write_notify(text, settings, &configured.notify)?;
    }
    Ok(())
}

fn write_scripts(text: &mut String, settings: &Settings, engine: &Engine, view: &View) -> Result {
    if !settings.scripts.is_empty() {
        writeln!(text, "------< VRRP Scripts >------")?;
    }
    for (script, configured) in view.scripts.iter().zip(&settings.scripts) {
        write_script(text, script, configured, settings)?;
        let routers = engine.config().routers.iter().flat_map(|router| {
            let its = router.track_scripts.iter().filter(|tracked| tracked.script == script.name);
            its.map(|tracked| format!("{}, {}", router.name, weight_of(tracked.weight)))
        });
        list(text, "   Tracking instances :", routers)?;
        entry(text, "State", &if script.running_since.is_some() { "running" } else { "idle" })?;
    }
    Ok(())
}

fn write_script(text: &mut String, script: &ScriptView, configured: &Script, settings: &Settings) -> Result {
    let checking = &configured.checking;
    line(text, "VRRP Script", &script.name)?;
    entry(text, "Command", &quoted(&configured.command))?;
    entry(text, "Interval", &format_args!("{} sec", checking.interval.as_secs_f64()))?;
    entry(text, "Timeout", &format_args!("{} sec", checking.timeout.as_secs_f64()))?;
    entry(text, "Weight", &bare_weight(configured.weight))?;
    entry(text, "Rise", &checking.rise)?;
    entry(text, "Fall", &checking.fall)?;
    entry(text, "Result", &script.counter)?;
    entry(text, "Init state", &if checking.init_fail { "failed" } else { "unknown" })?;
    let status = match script.good {
        None => "INIT",
        Some(true) => "GOOD",
        Some(false) => "BAD",
    };
    entry(text, "Status", &status)?;
    let user = configured.user.as_ref().or(settings.global.script_user.as_ref());
    entry(text, "Script uid:gid", &user_words(user))
}

fn write_trackers(text: &mut String, settings: &Settings, engine: &Engine, view: &View) -> Result {
    for (kind, heading) in [
        (TrackerKind::File, "------< VRRP Track files >------"),
        (TrackerKind::Process, "------< VRRP Track processes >------"),
    ] {
        let of_kind = |(tracker, _): &(&TrackerView, &config::Tracker)| tracker.tracker.kind == kind;
        let mut trackers = view.trackers.iter().zip(&settings.trackers).filter(of_kind).peekable();
        if trackers.peek().is_some() {
            writeln!(text, "{heading}")?;
        }
        for (tracker, configured) in trackers {
            match &configured.source {
                FigureSource::File { path, .. } => {
                    line(text, "Track file", &tracker.tracker.name)?;
                    entry(text, "File", &path.display())?;
                    entry(text, "Status", &tracker.figure.unwrap_or(0))?;
                    entry(text, "Weight", &bare_weight(configured.weight))?;
                }
                FigureSource::Processes(pattern) => {
                    write_processes(text, tracker, &configured.figure, pattern, configured.weight)?;
                }
            }
            let routers = engine.config().routers.iter().flat_map(|router| {
                let its = router.trackers.iter().filter(|tracked| tracked.tracker == tracker.tracker);
                its.map(|tracked| format!("{}, {}", router.name, weight_of(tracked.weight)))
            });
            list(text, "   Tracking instances :", routers)?;
        }
    }
    Ok(())
}

fn write_processes(
    text: &mut String,
    tracker: &TrackerView,
    configured: &TrackerConfig,
    pattern: &ProcessPattern,
    weight: Weight,
) -> Result {
    line(text, "VRRP Track process", &tracker.tracker.name)?;
    entry(text, "Process", &pattern.words.first().map_or("", String::as_str))?;
    if pattern.words.len() > 1 {
        entry(text, "Parameters", &pattern.words[1..].join(" "))?;
    }
    if let Some(word) = match_word(pattern.by) {
        entry(text, "Param match", &word)?;
    }
    if let Measure::Count { least, most, fork_delay, terminate_delay } = configured.measure {
        entry(text, "Min processes", &least)?;
        if let Some(most) = most {
            entry(text, "Max processes", &most)?;
        }
        entry(text, "Current processes", &tracker.figure.unwrap_or(0))?;
        entry(text, "Have quorum", &tracker.good.unwrap_or(false))?;
        entry(text, "Weight", &bare_weight(weight))?;
        entry(text, "Terminate delay", &format_args!("{:.6}s", terminate_delay.as_secs_f64()))?;
        entry(text, "Fork delay", &format_args!("{:.6}s", fork_delay.as_secs_f64()))?;
    }
    for (name, cause) in [("Fork", FigureCause::Forked), ("Terminate", FigureCause::Ended)] {
        let not = if waits_after(tracker, cause) { "" } else { "not " };
        writeln!(text, "   {name} delay timer {not}running")?;
    }
    entry(text, "Full command", &(pattern.by != MatchBy::Name))
}

/// `weight 5 reverse`
fn weight_of(weight: Weight) -> String {
    format!("weight {}", bare_weight(weight))
}

fn bare_weight(weight: Weight) -> String {
    match weight {
        Weight::Fault => "0".to_owned(),
        Weight::ReversedFault => "0 reverse".to_owned(),
        Weight::Priority(number) => number.to_string(),
        Weight::Reversed(number) => format!("{number} reverse"),
    }
}

/// A heading and what stands below it; nothing if there is nothing.
fn list<T: Display>(text: &mut String, heading: &str, entries: impl Iterator<Item = T>) -> Result {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        writeln!(text, "{heading}")?;
    }
    entries.try_for_each(|entry| writeln!(text, "     {entry}"))
}

/// As `auth_hmac` calls it.
const fn mode_word(mode: HmacMode) -> &'static str {
    match mode {
        HmacMode::Enforce => "enforce",
        HmacMode::Permissive => "permissive",
        HmacMode::ReceiveOnly => "receive-only",
    }
}

/// Seconds since 1970 and what the clock on the wall said: `1795305580.824836 (Sat Nov 21 23:59:40.824836 2026)`.
fn moment(since_1970: Duration) -> String {
    let (seconds, micros) = (since_1970.as_secs(), since_1970.subsec_micros());
    let clock = LocalTime::of(since_1970).ctime();
    let (day, year) = clock.trim_end().rsplit_once(' ').unwrap_or((&clock, ""));
    format!("{seconds}.{micros:06} ({day}.{micros:06} {year})")
}

/// In the unit of the version.
fn interval_words(version: Version, interval: Duration) -> String {
    match version {
        Version::V2 => format!("{} sec", interval.as_secs()),
        Version::V3 => format!("{} milli-sec", interval.as_millis()),
    }
}

/// Whose rights a script has, as they stand in the configuration; root's numbers are known to everybody.
fn user_words(user: Option<&ScriptUser>) -> String {
    let number = |name: &str| if name == "root" { "0".to_owned() } else { name.to_owned() };
    match user {
        None => "(default)".to_owned(),
        Some(ScriptUser { user, group: None }) => format!("{}:{}", number(user), number(user)),
        Some(ScriptUser { user, group: Some(group) }) => format!("{}:{}", number(user), number(group)),
    }
}

const fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

const fn enabled(is_so: bool) -> &'static str {
    if is_so { "enabled" } else { "disabled" }
}
