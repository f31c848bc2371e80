//! The files that keepalived writes on USR1 and USR2, for the people and tools that read them.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{FigureSource, MailTls, MatchBy, ProcessPattern, Settings, VirtualMac};
use engine::vrrp::receive::{ChecksumForm, Discard, Oddity};
use engine::{
    AntiReplay, Authentication, Engine, HmacMode, Instant, Measure, RouterView, StateName, Tracked, TrackerConfig,
    TrackerKind, TrackerView, Version, View, Weight,
};
use linux::clock;
use linux::local_time::LocalTime;
use linux::packet_filter::Dropped;

use crate::preflight::words_for;
use crate::status::fault_words;

/// Where keepalived puts these files unless told otherwise.
pub(crate) fn directory() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// What keepalived keeps from others in these files unless it is told otherwise.
const UMASK: u32 = 0o177;

/// Who may do what with a file that is made under this mask.
pub(crate) const fn mode(umask: Option<u32>) -> u32 {
    0o666
        & !match umask {
            Some(mask) => mask,
            None => UMASK,
        }
}

/// Where a dump stands: where the settings say, or where keepalived puts it.
pub(crate) fn path(chosen: Option<&Path>, extension: &str, name: Option<&str>) -> PathBuf {
    let name = name.map_or_else(String::new, |name| format!(".{name}"));
    chosen.map_or_else(|| directory().join(format!("keepalived{name}.{extension}")), Path::to_owned)
}

/// Where keepalived's parent process writes what it knows.
pub(crate) fn path_of_parent(name: Option<&str>) -> PathBuf {
    let name = name.map_or_else(String::new, |name| format!(".{name}"));
    directory().join(format!("keepalived_parent{name}.data"))
}

/// Makes an empty file or empties the one that is there, if it is no link.
pub(crate) fn empty_file(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    }
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .custom_flags(no_follow)
        .open(path)
        .map(|_| ())
}

/// Puts a file into a directory that is made if it is not there. Nobody but its owner reads it.
pub(crate) fn keep_in(directory: &Path, name: &str, content: &str) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    replace_file(&directory.join(name), content, mode(None))
}

/// Replaces a file at once: readers see the old content or the new one. Follows no link that somebody has put in
/// its place.
pub(crate) fn replace_file(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    // Left by an earlier process with our id; a new one must be ours alone.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    let written = file.write_all(content.as_bytes()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The error that matters is the one above.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// An operator's word for a state.
pub(crate) fn state_word(router: &RouterView) -> &'static str {
    match router.state {
        StateName::Active => "MASTER",
        StateName::Backup => "BACKUP",
        StateName::Initialize if router.faults.is_empty() => "INIT",
        StateName::Initialize => "FAULT",
    }
}

/// keepalived_parent.data, and the beginning of keepalived.data.
pub(crate) fn global_definitions(settings: &Settings) -> String {
    let (global, mail) = (&settings.global, &settings.global.mail);
    let mut lines = vec![
        "------< Global definitions >------".to_owned(),
        format!(" Router ID = {}", global.router_id.as_deref().unwrap_or("(host name)")),
        format!(" Script security = {}", if global.enable_script_security { "enabled" } else { "disabled" }),
    ];
    if let Some((host, port)) = &mail.server {
        lines.extend([format!(" Smtp server = {host}"), format!(" Smtp server port = {port}")]);
    }
    let names = [("Smtp HELO name", &mail.helo_name), ("Email notification from", &mail.sender)];
    lines.extend(names.iter().filter_map(|(key, value)| Some(format!(" {key} = {}", value.as_ref()?))));
    match mail.tls {
        MailTls::Off => {}
        MailTls::StartTls => lines.push(" Smtp TLS = starttls".to_owned()),
        MailTls::Implicit => lines.push(" Smtp TLS = implicit".to_owned()),
    }
    if let Some(login) = &mail.login {
        lines.extend([format!(" Smtp user = {}", login.user), " Smtp password = ********".to_owned()]);
    }
    lines.join("\n") + "\n"
}

/// keepalived.data: the state of everything.
pub(crate) fn data(settings: &Settings, engine: &Engine, now: Instant) -> String {
    let view = engine.view();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_data(&mut text, settings, engine, &view, now);
    text
}

/// What the rules for addresses that are not accepted have done, at the end of `keepalived.data`.
pub(crate) fn dropped(dropped: Dropped) -> String {
    let Dropped { incoming, outgoing } = dropped;
    format!("------< Not accepted >------\n Packets dropped = {incoming} in, {outgoing} out\n")
}

fn write_data(text: &mut String, settings: &Settings, engine: &Engine, view: &View, now: Instant) -> std::fmt::Result {
    text.push_str(&global_definitions(settings));
    let statics = &settings.statics;
    let what = |address: &engine::Static<engine::VirtualAddress>| address.what.clone();
    list(text, "------< Static Addresses >------", &statics.addresses.iter().map(what).collect::<Vec<_>>())?;
    let routes = statics.routes.iter().map(|entry| entry.what.clone());
    list(text, "------< Static Routes >------", &routes.collect::<Vec<_>>())?;
    let rules = statics.rules.iter().map(|entry| entry.what.clone());
    list(text, "------< Static Rules >------", &rules.collect::<Vec<_>>())?;
    writeln!(text, "------< VRRP Topology >------")?;
    for ((router, config), instance) in view.routers.iter().zip(&engine.config().routers).zip(&settings.instances) {
        writeln!(text, " VRRP Instance = {}", router.name)?;
        let mut put = |key: &str, value: &dyn std::fmt::Display| writeln!(text, "   {key} = {value}");
        put("VRRP Version", &config.version.number())?;
        put("State", &state_word(router))?;
        let since = clock::real_time().saturating_sub(now.since(router.since));
        let seconds = since.as_secs_f64();
        put("Last transition", &format!("{seconds:.6} ({})", LocalTime::of(since).ctime()))?;
        match (&instance.virtual_mac, &instance.ipvlan) {
            (Some(VirtualMac { link, speaks }), _) => {
                let below = if *speaks { "" } else { ", xmit base i/f" };
                put("Interface", &format_args!("{link}, vmac on {}{below}", config.link))?;
            }
            (None, Some(link)) => put("Interface", &format_args!("{link}, ipvlan on {}", config.link))?,
            (None, None) => put("Interface", &config.link)?,
        }
        put("Virtual Router ID", &config.vrid)?;
        put("Priority", &router.priority)?;
        put("Effective priority", &router.effective_priority)?;
        put("Total priority", &router.effective_priority)?;
        put("Advert interval", &seconds_of(config.version, config.advertisement_interval.as_duration()))?;
        if let Some((address, priority)) = router.active_router {
            put("Master router", &address)?;
            put("Master priority", &priority)?;
            if config.version == Version::V3 {
                put("Master advert int", &seconds_of(Version::V3, router.active_adver_interval.as_duration()))?;
            }
        }
        put("Accept", &if instance.accept_mode { "enabled" } else { "disabled" })?;
        put("Preempt", &if config.preempt_mode { "enabled" } else { "disabled" })?;
        put("Preempt delay", &format_args!("{} secs", config.preempt_delay.as_secs_f64()))?;
        let authentication = match &config.authentication {
            Authentication::None | Authentication::Hmac(_) => "none",
            Authentication::SimplePassword(_) => "SIMPLE_PASSWORD",
            Authentication::Header(_) => "IPSEC_AH",
        };
        put("Authentication type", &authentication)?;
        if matches!(config.authentication, Authentication::SimplePassword(_) | Authentication::Header(_)) {
            put("Password", &"********")?;
        }
        if let Authentication::Hmac(policy) = &config.authentication {
            let numbers: Vec<String> = policy.keys.keys().map(u8::to_string).collect();
            put("Authentication extension", &"HMAC-SHA256")?;
            put("Authentication extension keys", &numbers.join(" "))?;
            put("Authentication extension active key", &policy.active_key)?;
            put("Authentication extension mode", &mode_word(policy.mode))?;
            match policy.anti_replay {
                AntiReplay::Time { window } => {
                    put("Authentication extension anti replay", &format_args!("time ({window} sec)"))?;
                }
                AntiReplay::Monotonic => put("Authentication extension anti replay", &"monotonic")?,
            }
        }
        if let Some(form) = router.peer_checksum_form {
            put(
                "Peer checksum",
                &match form {
                    ChecksumForm::WithPseudoHeader => "with pseudo header",
                    ChecksumForm::MessageOnly => "message only",
                    ChecksumForm::OldUnicast => "old unicast",
                },
            )?;
        }
        if let Some(source) = router.primary_address {
            put("Source address", &source)?;
        }
        put("Number of tracker faults", &router.faults.len())?;
        for fault in &router.faults {
            put("Fault", &fault_words(engine.links(), fault))?;
        }
        writeln!(text, "   Virtual IP ({}):", config.addresses.len())?;
        for address in &config.addresses {
            let link = address.link.as_ref().unwrap_or(&config.link);
            let set = if router.holds_addresses { " set" } else { "" };
            writeln!(text, "     {}/{} dev {link}{set}", address.address, address.prefix)?;
        }
        list(text, "   Virtual IP Excluded :", &config.excluded_addresses)?;
        list(text, "   Virtual Routes :", &config.routes)?;
        list(text, "   Virtual Rules :", &config.rules)?;
        for (heading, kind) in
            [("   Tracked files :", TrackerKind::File), ("   Tracked processes :", TrackerKind::Process)]
        {
            let tracked = config.trackers.iter().filter(|tracked| tracked.tracker.kind == kind);
            let line = |tracked: &Tracked| format!("{}, {}", tracked.tracker.name, weight_of(tracked.weight));
            list(text, heading, &tracked.map(line).collect::<Vec<_>>())?;
        }
    }
    for (script, configured) in view.scripts.iter().zip(&settings.scripts) {
        writeln!(text, " VRRP Script = {}", script.name)?;
        let mut put = |key: &str, value: &dyn std::fmt::Display| writeln!(text, "   {key} = {value}");
        put("Command", &words_for(&configured.command))?;
        put("Interval", &format_args!("{} sec", configured.checking.interval.as_secs_f64()))?;
        put("Timeout", &format_args!("{} sec", configured.checking.timeout.as_secs_f64()))?;
        put("Rise", &configured.checking.rise)?;
        put("Fall", &configured.checking.fall)?;
        put(
            "Status",
            &match script.good {
                None => "INIT",
                Some(true) => "GOOD",
                Some(false) => "BAD",
            },
        )?;
        put("State", &if script.running_since.is_some() { "running" } else { "idle" })?;
    }
    write_trackers(text, settings, engine, view)
}

fn write_trackers(text: &mut String, settings: &Settings, engine: &Engine, view: &View) -> std::fmt::Result {
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
                    writeln!(text, " Track file = {}", tracker.tracker.name)?;
                    writeln!(text, "   File = {}", path.display())?;
                    writeln!(text, "   Status = {}", tracker.figure.unwrap_or(0))?;
                }
                FigureSource::Processes(pattern) => write_processes(text, tracker, &configured.figure, pattern)?,
            }
            let routers = engine.config().routers.iter().flat_map(|router| {
                let its = router.trackers.iter().filter(|tracked| tracked.tracker == tracker.tracker);
                its.map(|tracked| format!("{}, {}", router.name, weight_of(tracked.weight)))
            });
            list(text, "   Tracking instances :", &routers.collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

fn write_processes(
    text: &mut String,
    tracker: &TrackerView,
    configured: &TrackerConfig,
    pattern: &ProcessPattern,
) -> std::fmt::Result {
    writeln!(text, " VRRP Track process = {}", tracker.tracker.name)?;
    let mut put = |key: &str, value: &dyn std::fmt::Display| writeln!(text, "   {key} = {value}");
    put("Process", &pattern.words.first().map_or("", String::as_str))?;
    if pattern.words.len() > 1 {
        put("Parameters", &pattern.words[1..].join(" "))?;
    }
    if let Some(word) = match_word(pattern.by) {
        put("Param match", &word)?;
    }
    if let Measure::Count { least, most, fork_delay, terminate_delay } = configured.measure {
        put("Min processes", &least)?;
        if let Some(most) = most {
            put("Max processes", &most)?;
        }
        put("Current processes", &tracker.figure.unwrap_or(0))?;
        put("Have quorum", &tracker.good.unwrap_or(false))?;
        put("Terminate delay", &format_args!("{:.6}s", terminate_delay.as_secs_f64()))?;
        put("Fork delay", &format_args!("{:.6}s", fork_delay.as_secs_f64()))?;
    }
    put("Delay timer", &if tracker.turns_at.is_some() { "running" } else { "not running" })?;
    put("Full command", &(pattern.by != MatchBy::Name))
}

/// How parameters are compared, as keepalived calls it; `None` if they are not.
pub(crate) const fn match_word(by: MatchBy) -> Option<&'static str> {
    match by {
        MatchBy::Name | MatchBy::Program => None,
        MatchBy::AllWords => Some("all"),
        MatchBy::FirstWords => Some("partial"),
        MatchBy::Beginning => Some("initial"),
    }
}

fn weight_of(weight: Weight) -> String {
    match weight {
        Weight::Fault => "weight 0".to_owned(),
        Weight::ReversedFault => "weight 0 reverse".to_owned(),
        Weight::Priority(number) => format!("weight {number}"),
        Weight::Reversed(number) => format!("weight {number} reverse"),
    }
}

/// A heading and what stands below it; nothing if there is nothing.
fn list<T: std::fmt::Display>(text: &mut String, heading: &str, entries: &[T]) -> std::fmt::Result {
    if !entries.is_empty() {
        writeln!(text, "{heading}")?;
    }
    entries.iter().try_for_each(|entry| writeln!(text, "     {entry}"))
}

/// As `auth_hmac` calls it.
const fn mode_word(mode: HmacMode) -> &'static str {
    match mode {
        HmacMode::Enforce => "enforce",
        HmacMode::Permissive => "permissive",
        HmacMode::ReceiveOnly => "receive-only",
    }
}

fn seconds_of(version: Version, interval: Duration) -> String {
    match version {
        Version::V2 => format!("{} sec", interval.as_secs()),
        Version::V3 => format!("{:.2} sec", interval.as_secs_f64()),
    }
}

/// keepalived.stats: the counters.
pub(crate) fn statistics(view: &View) -> String {
    let mut text = String::new();
    for router in &view.routers {
        // Writing to a string cannot fail.
        let _ = write_statistics(&mut text, router);
    }
    text
}

fn write_statistics(text: &mut String, router: &RouterView) -> std::fmt::Result {
    let counters = &router.statistics;
    let discarded = |reason: Discard| counters.discarded[reason.index()];
    let odd = |oddity: Oddity| counters.odd[oddity.index()];
    let address_list = odd(Oddity::AddressCount { received: 0, expected: 0 })
        + odd(Oddity::AddressMissing(std::net::Ipv4Addr::UNSPECIFIED.into()));
    let interval = discarded(Discard::AdvertisementInterval) + odd(Oddity::AdvertisementInterval);
    writeln!(text, "VRRP Instance: {}", router.name)?;
    writeln!(text, "  Advertisements:")?;
    writeln!(text, "    Received: {}", counters.advertisements_received)?;
    writeln!(text, "    Sent: {}", counters.advertisements_sent)?;
    writeln!(text, "  Became master: {}", counters.became_active)?;
    writeln!(text, "  Released master: {}", counters.released_active)?;
    writeln!(text, "  Packet Errors:")?;
    writeln!(text, "    Length: {}", discarded(Discard::Length))?;
    writeln!(text, "    TTL: {}", discarded(Discard::Ttl) + discarded(Discard::PeerTtl))?;
    writeln!(text, "    Invalid Type: {}", discarded(Discard::Type))?;
    writeln!(text, "    Advertisement Interval: {interval}")?;
    writeln!(text, "    Address List: {address_list}")?;
    writeln!(text, "    Version: {}", discarded(Discard::Version))?;
    writeln!(text, "    Checksum: {}", discarded(Discard::Checksum))?;
    writeln!(text, "    Transport: {}", discarded(Discard::TransportMismatch))?;
    writeln!(text, "    Own Address: {}", discarded(Discard::OwnAddress))?;
    writeln!(text, "    Unknown Peer: {}", discarded(Discard::UnknownPeer))?;
    writeln!(text, "    Ignored By Owner: {}", discarded(Discard::OwnerIgnoresOthers))?;
    writeln!(text, "    Not Sent: {}", counters.send_failures)?;
    writeln!(text, "  Authentication Errors:")?;
    writeln!(text, "    Invalid Type: {}", discarded(Discard::AuthenticationTypeInvalid))?;
    let mismatch = discarded(Discard::AuthenticationTypeMismatch) + discarded(Discard::UnexpectedAuthenticationHeader);
    writeln!(text, "    Type Mismatch: {mismatch}")?;
    let failure = discarded(Discard::AuthenticationFailure) + discarded(Discard::AuthenticationHeaderReplayed);
    writeln!(text, "    Failure: {failure}")?;
    writeln!(text, "  Authentication Extension Errors:")?;
    writeln!(text, "    Missing: {}", discarded(Discard::TrailerMissing))?;
    writeln!(text, "    Malformed: {}", discarded(Discard::TrailerMalformed))?;
    writeln!(text, "    Unknown Key: {}", discarded(Discard::TrailerKeyUnknown))?;
    writeln!(text, "    Invalid HMAC: {}", discarded(Discard::TrailerInvalid))?;
    writeln!(text, "    Stale: {}", discarded(Discard::TrailerStale))?;
    writeln!(text, "    Replay: {}", discarded(Discard::TrailerReplayed))?;
    writeln!(text, "  Priority Zero:")?;
    writeln!(text, "    Received: {}", counters.priority_zero_received)?;
    writeln!(text, "    Sent: {}", counters.priority_zero_sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn names_are_those_that_readers_know() {
        let usual = |name| path(None, "data", name).file_name().and_then(|name| name.to_str().map(str::to_owned));
        assert_eq!(usual(None).as_deref(), Some("keepalived.data"));
        assert_eq!(usual(Some("blue_inst1")).as_deref(), Some("keepalived.blue_inst1.data"));
        assert_eq!(path(Some(Path::new("/run/state")), "data", Some("blue")), Path::new("/run/state"));
        assert_eq!((mode(None), mode(Some(0o022)), mode(Some(0))), (0o600, 0o644, 0o666));
    }

    #[test]
    fn replaces_a_link_instead_of_following_it() {
        let directory = std::env::temp_dir().join(format!("tanist-dump-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        let (victim, path) = (directory.join("victim"), directory.join("keepalived.data"));
        std::fs::write(&victim, "precious").expect("the victim");
        symlink(&victim, &path).expect("the trap");
        replace_file(&path, "state", mode(None)).expect("replaced");
        assert_eq!(std::fs::read_to_string(&victim).expect("still there"), "precious");
        assert_eq!(std::fs::read_to_string(&path).expect("written"), "state");
        let written = path.symlink_metadata().expect("a file");
        assert!(written.is_file());
        assert_eq!(written.mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }
}
