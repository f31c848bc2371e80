//! The files that keepalived writes on USR1 and USR2, for the people and tools that read them.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use config::{Command, Instance, MatchBy, NotifyScript};
use engine::vrrp::receive::{Discard, Oddity};
use engine::{FaultReason, FigureCause, RouterView, StateName, TrackerView, View, VirtualAddress};
use linux::public_place;

use crate::preflight::words_for;

pub(crate) mod state;

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
    // Nobody may lead us to another file by a link, or have us wait for the other end of a pipe.
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    let file =
        public_place::open(options.write(true).create(true).truncate(false).mode(0o644).custom_flags(flags), path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    file.set_len(0)
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
    // A name that nobody can be at before us.
    let number = u64::from_ne_bytes(linux::random::octets().map_err(|error| io::Error::other(error.to_string()))?);
    beside.push(format!(".{number:016x}"));
    let beside = PathBuf::from(beside);
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

/// What a router would be if nothing outside its own tracking kept it out, in an operator's word.
pub(crate) fn wanted_word(router: &RouterView) -> &'static str {
    match router.state {
        StateName::Active => "MASTER",
        StateName::Backup => "BACKUP",
        StateName::Initialize if own_faults(router) > 0 => "FAULT",
        StateName::Initialize => "BACKUP",
    }
}

/// How many things of its own keep a router out, that are known.
pub(crate) fn own_faults(router: &RouterView) -> usize {
    let is_own = |fault: &&FaultReason| !matches!(fault, FaultReason::Member(_) | FaultReason::ScriptPending(_));
    router.faults.iter().filter(is_own).count()
}

/// As keepalived has it: `192.0.2.1/24 dev eth0 scope global label eth0:vip set`.
pub(crate) fn address_words(address: &VirtualAddress, instance: &Instance, set: bool) -> String {
    let VirtualAddress { address: own, prefix, link, scope, label, broadcast, peer, preferred, .. } = address;
    let mut text = own.to_string();
    let single = *prefix == if own.is_ipv4() { 32 } else { 128 };
    // Writing to a string cannot fail.
    let _ = match peer {
        Some(peer) => write!(text, " peer {peer}"),
        // A single address stands without its length.
        None if single => Ok(()),
        None => write!(text, "/{prefix}"),
    };
    if let Some(broadcast) = broadcast {
        let _ = write!(text, " brd {broadcast}");
    }
    let link = link.as_ref().unwrap_or(&instance.router.link);
    let _ = match instance.own_link() {
        Some(own) if own == link => write!(text, " dev {link}@{}", instance.router.link),
        _ => write!(text, " dev {link}"),
    };
    let _ = write!(text, " scope {scope}");
    if let Some(label) = label {
        let _ = write!(text, " label {label}");
    }
    let _ = match preferred {
        Some(0) => write!(text, " deprecated"),
        Some(seconds) => write!(text, " preferred_lft {seconds}"),
        None if own.is_ipv6() => write!(text, " preferred_lft forever"),
        None => Ok(()),
    };
    text + if set { " set" } else { "" }
}

/// What a script runs, each word in quotes.
pub(crate) fn quoted(command: &Command) -> String {
    match command {
        Command::Program(words) => words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        other => format!("'{}'", words_for(other)),
    }
}

/// As [`quoted`].
pub(crate) fn quoted_script(script: &NotifyScript) -> String {
    quoted(&script.command)
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

/// Whether the delay after this is under way.
pub(crate) fn waits_after(tracker: &TrackerView, cause: FigureCause) -> bool {
    tracker.turns_at.is_some_and(|(_, why)| why == cause)
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
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn names_are_those_that_readers_know() {
        let usual = |name| path(None, "data", name).file_name().and_then(|name| name.to_str().map(str::to_owned));
        assert_eq!(usual(None).as_deref(), Some("keepalived.data"));
        assert_eq!(usual(Some("blue_inst1")).as_deref(), Some("keepalived.blue_inst1.data"));
        assert_eq!(path(Some(Path::new("/run/state")), "data", Some("blue")), Path::new("/run/state"));
        assert_eq!((mode(None), mode(Some(0o022)), mode(Some(0))), (0o600, 0o644, 0o666));
    }

    /// A directory as `/tmp` is, and a file of value.
    fn trap(name: &str) -> (PathBuf, PathBuf, PathBuf) {
        let directory = std::env::temp_dir().join(format!("tanist-dump-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o1777)).expect("open to everybody");
        let (victim, path) = (directory.join("victim"), directory.join("keepalived.data"));
        std::fs::write(&victim, "precious").expect("the victim");
        (directory, victim, path)
    }

    fn make_pipe(path: &Path) {
        use rustix::fs::{CWD, FileType, mknodat};
        mknodat(CWD, path, FileType::Fifo, 0o666.into(), 0).expect("a pipe");
    }

    #[test]
    fn whatever_stands_there_is_replaced_and_never_written_to() {
        let (directory, victim, path) = trap("planted");
        let traps: [&dyn Fn(); 5] = [
            &|| symlink(&victim, &path).expect("a link"),
            &|| std::fs::hard_link(&victim, &path).expect("another name"),
            &|| make_pipe(&path),
            &|| std::fs::write(&path, "an old one").expect("a file"),
            &|| {
                std::fs::write(&path, "somebody else's").expect("a file");
                // In a user namespace there may be nobody else.
                let _ = std::os::unix::fs::chown(&path, Some(65_534), None);
            },
        ];
        for plant in traps {
            plant();
            replace_file(&path, "state", mode(None)).expect("replaced");
            assert_eq!(std::fs::read_to_string(&victim).expect("still there"), "precious");
            assert_eq!(std::fs::read_to_string(&path).expect("written"), "state");
            let written = path.symlink_metadata().expect("a file");
            assert!(written.is_file());
            assert_eq!((written.mode() & 0o777, written.nlink()), (0o600, 1));
            assert_eq!(written.uid(), rustix::process::geteuid().as_raw());
            std::fs::remove_file(&path).expect("removed");
        }
        // What cannot be replaced stays, and nothing is left beside it.
        std::fs::create_dir(&path).expect("a directory");
        replace_file(&path, "state", mode(None)).expect_err("a directory is in its place");
        assert_eq!(std::fs::read_dir(&directory).expect("it is there").count(), 2);
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }

    #[test]
    fn the_sign_of_a_reading_empties_nothing_of_others() {
        let (directory, victim, path) = trap("sign");
        let traps: [&dyn Fn(); 3] = [
            &|| symlink(&victim, &path).expect("a link"),
            &|| std::fs::hard_link(&victim, &path).expect("another name"),
            &|| make_pipe(&path),
        ];
        for plant in traps {
            plant();
            empty_file(&path).expect_err("it is not ours");
            assert_eq!(std::fs::read_to_string(&victim).expect("still there"), "precious");
            std::fs::remove_file(&path).expect("removed");
        }
        empty_file(&path).expect("a new one");
        std::fs::write(&path, "of ours").expect("written");
        empty_file(&path).expect("one of ours");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "");
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }
}
