//! What the engine wants to know again in its next life, as a file: `record` in the directory for state.
//!
//! People can read it and programs can't be deceived by half of it: it is replaced at once, and its last line is a
//! checksum of all the others. What is odd in any way is damaged, and what is damaged never counts as a permission.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use engine::{
    HeldBy, Instant, LatchReason, LatchRecord, MaintenanceRecord, MoveRecord, Name, Record, Restored, RouterRecord,
    ServiceRecord,
};
use linux::clock;
use sha2::{Digest, Sha256};

const FILE: &str = "record";
/// Where the next version is written before it takes the place of the last one.
const NEXT_FILE: &str = "record.new";
/// A record of 255 routers has some 20 kB.
const LARGEST: u64 = 1 << 20;
const HEADING: &str = "tanist record 1";
const CHECKSUM: &str = "sha256 ";
const STANDS_BACK: &str = "stopped-by-hand";
const LEFT_STOPPED: &str = "left-stopped";
/// Before the epoch.
const TOLD: &str = "told-";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Stands for a boot that cannot be told from others.
const NO_BOOT_ID: &str = "unknown";

/// What a former life has saved in this directory; `None` if nothing ever was.
pub(crate) fn load(directory: &Path) -> Option<Restored> {
    let path = directory.join(FILE);
    let damaged = |reason: &dyn std::fmt::Display| {
        Some(Restored::Damaged(Name::from(format!("{}: {reason}", path.display()).as_str())))
    };
    let text = match read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return damaged(&error.raw_os_error().map_or(error.to_string(), linux::errno_text)),
    };
    match decode(&text) {
        Ok((record, boot)) => Some(Restored::Record {
            record,
            same_boot: boot != NO_BOOT_ID && boot == boot_id(),
            calendar: clock::real_time().as_secs(),
        }),
        Err(reason) => damaged(&reason),
    }
}

/// The text of a file for this boot.
pub(crate) fn text(record: &Record) -> String {
    encode(record, &boot_id())
}

/// Replaces the file: whatever happens meanwhile, there is the old one or the new one. When this returns, it is the new
/// one even if the power fails.
pub(crate) fn save(directory: &Path, text: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let next = directory.join(NEXT_FILE);
    // Left behind by a crash, or put there by somebody: what is written must be ours alone.
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
    let replaced = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&next, directory.join(FILE)));
    if replaced.is_err() {
        // The error that matters is the one above.
        let _ = std::fs::remove_file(&next);
    }
    replaced?;
    File::open(directory)?.sync_all()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Without waiting for the other end of a pipe that somebody has put there.
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    Ok(text)
}

fn boot_id() -> String {
    std::fs::read_to_string(BOOT_ID).map_or(NO_BOOT_ID.to_owned(), |text| text.trim().to_owned())
}

// ── the text ──────────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn encode(record: &Record, boot: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, record, boot);
    let checksum = checksum(text.as_bytes());
    let _ = writeln!(text, "{CHECKSUM}{checksum}");
    text
}

fn write(text: &mut String, record: &Record, boot: &str) -> std::fmt::Result {
    let Record { routers, services, latch_number, acknowledged, latch, maintenance_number, maintenance } = record;
    writeln!(text, "{HEADING}")?;
    writeln!(text, "boot {boot}")?;
    writeln!(text, "latch-number {latch_number}")?;
    writeln!(text, "acknowledged {acknowledged}")?;
    if let Some(LatchRecord { service, reason, node }) = latch {
        let reason = match reason {
            LatchReason::BothFailed => "both-failed",
            LatchReason::TooManyMoves => "too-many-moves",
            LatchReason::RecordDamaged => "record-damaged",
        };
        writeln!(text, "latch {reason} {} {}", word(service), word(node))?;
    }
    if *maintenance_number > 0 {
        writeln!(text, "maintenance-number {maintenance_number}")?;
    }
    match maintenance {
        None => {}
        Some(MaintenanceRecord { until: None }) => writeln!(text, "maintenance")?,
        Some(MaintenanceRecord { until: Some(until) }) => writeln!(text, "maintenance {until}")?,
    }
    for RouterRecord { name, epoch, active, held_by, stood_back } in routers {
        write!(text, "router {} {epoch} {}", word(name), if *active { "active" } else { "inactive" })?;
        for by in held_by {
            text.push_str(match by {
                HeldBy::Operator => " held-by-operator",
                HeldBy::DownFile => " held-by-down-file",
            });
        }
        if *stood_back {
            write!(text, " {STANDS_BACK}")?;
        }
        text.push('\n');
    }
    for ServiceRecord { name, failed, told, left_stopped, moves } in services {
        write!(text, "service {} {}", word(name), if *failed { "failed" } else { "good" })?;
        if *told > 0 {
            write!(text, " {TOLD}{told}")?;
        }
        if *left_stopped {
            write!(text, " {LEFT_STOPPED}")?;
        }
        for MoveRecord { at, calendar } in moves {
            match calendar {
                Some(calendar) => write!(text, " {}@{calendar}", at.as_nanos())?,
                None => write!(text, " {}", at.as_nanos())?,
            }
        }
        text.push('\n');
    }
    Ok(())
}

pub(crate) fn decode(bytes: &[u8]) -> Result<(Record, String), &'static str> {
    if bytes.is_empty() {
        return Err("it is empty");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text")?;
    if !text.starts_with("tanist record ") {
        return Err("it is no record of ours");
    }
    let (covered, sum) = text.rsplit_once(CHECKSUM).ok_or("its checksum is missing")?;
    if sum.strip_suffix('\n') != Some(checksum(covered.as_bytes()).as_str()) {
        return Err("its checksum is wrong");
    }
    let mut lines = covered.lines();
    if lines.next() != Some(HEADING) {
        return Err("its version is unknown");
    }
    let boot = lines.next().and_then(|line| line.strip_prefix("boot ")).ok_or(STRANGE)?;
    let mut record = Record::default();
    for line in lines {
        read_line(line, &mut record).ok_or(STRANGE)?;
    }
    // Nothing was passed over and nothing was there twice.
    if encode(&record, boot) != text {
        return Err(STRANGE);
    }
    Ok((record, boot.to_owned()))
}

const STRANGE: &str = "there is a line that means nothing";

fn read_line(line: &str, record: &mut Record) -> Option<()> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["latch-number", number] => record.latch_number = number.parse().ok()?,
        ["acknowledged", number] => record.acknowledged = number.parse().ok()?,
        ["latch", reason, service, node] => {
            let reason = match reason {
                "both-failed" => LatchReason::BothFailed,
                "too-many-moves" => LatchReason::TooManyMoves,
                "record-damaged" => LatchReason::RecordDamaged,
                _ => return None,
            };
            record.latch = Some(LatchRecord { service: name(service)?, reason, node: name(node)? });
        }
        ["maintenance-number", number] => record.maintenance_number = number.parse().ok()?,
        ["maintenance"] => record.maintenance = Some(MaintenanceRecord { until: None }),
        ["maintenance", until] => record.maintenance = Some(MaintenanceRecord { until: Some(until.parse().ok()?) }),
        ["router", router, epoch, active, ref held_by @ ..] => {
            let stood_back = held_by.last() == Some(&STANDS_BACK);
            let held_by = held_by.iter().take(held_by.len() - usize::from(stood_back)).map(|by| match *by {
                "held-by-operator" => Some(HeldBy::Operator),
                "held-by-down-file" => Some(HeldBy::DownFile),
                _ => None,
            });
            record.routers.push(RouterRecord {
                name: name(router)?,
                epoch: epoch.parse().ok()?,
                active: match active {
                    "active" => true,
                    "inactive" => false,
                    _ => return None,
                },
                held_by: held_by.collect::<Option<_>>()?,
                stood_back,
            });
        }
        ["service", service, failed, ref rest @ ..] => {
            let (told, rest) = match rest.first().and_then(|word| word.strip_prefix(TOLD)) {
                Some(told) => (told.parse().ok()?, rest.get(1..)?),
                None => (0, rest),
            };
            let left_stopped = rest.first() == Some(&LEFT_STOPPED);
            let moves = rest.get(usize::from(left_stopped)..)?;
            record.services.push(ServiceRecord {
                name: name(service)?,
                failed: match failed {
                    "failed" => true,
                    "good" => false,
                    _ => return None,
                },
                told,
                left_stopped,
                moves: moves.iter().map(|moved| move_at(moved)).collect::<Option<_>>()?,
            });
        }
        _ => return None,
    }
    Some(())
}

/// A moment on this boot's clock, in nanoseconds, and behind `@` the same in seconds since 1970.
fn move_at(word: &str) -> Option<MoveRecord> {
    let (at, calendar) = match word.split_once('@') {
        Some((at, calendar)) => (at, Some(calendar.parse().ok()?)),
        None => (word, None),
    };
    Some(MoveRecord { at: Instant::from_nanos(at.parse().ok()?), calendar })
}

/// A name as one word: octets that are no visible ASCII stand as `%` and two digits. An empty one is a lone `%`.
fn word(name: &Name) -> String {
    if name.is_empty() {
        return "%".to_owned();
    }
    let mut word = String::with_capacity(name.len());
    for octet in name.bytes() {
        if octet.is_ascii_graphic() && octet != b'%' {
            word.push(char::from(octet));
        } else {
            let _ = write!(word, "%{octet:02x}");
        }
    }
    word
}

fn name(word: &str) -> Option<Name> {
    if word == "%" {
        return Some(Name::from(""));
    }
    let mut pieces = word.split('%');
    let mut octets = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        octets.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        octets.extend(&piece.as_bytes()[2..]);
    }
    Some(Name::from(std::str::from_utf8(&octets).ok()?))
}

fn checksum(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().fold(String::with_capacity(64), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod power_cuts;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    /// A directory of our own that goes with its test.
    pub(super) struct Directory(pub(super) PathBuf);

    impl Directory {
        pub(super) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tanist-record-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a directory of our own");
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join(FILE)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    pub(super) fn full() -> Record {
        Record {
            routers: vec![
                RouterRecord { name: "VI_1".into(), epoch: 7, active: true, held_by: vec![], stood_back: false },
                RouterRecord {
                    name: "Büro 2".into(),
                    epoch: u64::MAX,
                    active: false,
                    held_by: vec![HeldBy::Operator, HeldBy::DownFile],
                    stood_back: true,
                },
            ],
            services: vec![
                ServiceRecord { name: "job".into(), failed: true, told: 0, left_stopped: false, moves: vec![] },
                ServiceRecord {
                    name: "web server".into(),
                    failed: false,
                    told: 7,
                    left_stopped: true,
                    moves: vec![
                        MoveRecord { at: Instant::from_nanos(7_000_000_001), calendar: Some(1_794_999_000) },
                        MoveRecord { at: Instant::from_nanos(8_000_000_000), calendar: None },
                    ],
                },
            ],
            latch_number: 3,
            acknowledged: 2,
            latch: Some(LatchRecord { service: "".into(), reason: LatchReason::TooManyMoves, node: "a%b".into() }),
            maintenance_number: 5,
            maintenance: Some(MaintenanceRecord { until: Some(1_795_000_000) }),
        }
    }

    fn reason(directory: &Directory) -> String {
        match load(&directory.0) {
            Some(Restored::Damaged(reason)) => reason.replace(&directory.0.display().to_string(), "…"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_as_people_read() {
        let text = encode(&full(), "b-1");
        let (lines, sum) = text.rsplit_once(CHECKSUM).expect("a checksum");
        assert_eq!(
            lines,
            "tanist record 1\n\
             boot b-1\n\
             latch-number 3\n\
             acknowledged 2\n\
             latch too-many-moves % a%25b\n\
             maintenance-number 5\n\
             maintenance 1795000000\n\
             router VI_1 7 active\n\
             router B%c3%bcro%202 18446744073709551615 inactive held-by-operator held-by-down-file stopped-by-hand\n\
             service job failed\n\
             service web%20server good told-7 left-stopped 7000000001@1794999000 8000000000\n"
        );
        // By sha256sum(1) over the lines above.
        assert_eq!(sum, "77ff5894467503dcbe8065084b9e992f158234fe437e4b5b58b5e7c74ee7091e\n");
    }

    #[test]
    fn what_was_saved_is_found_again_in_this_boot() {
        let directory = Directory::new("again");
        assert_eq!(load(&directory.0), None, "nothing was ever saved");
        let inside = directory.0.join("made/by/us");
        assert_eq!(load(&inside), None, "not even the directory is there");
        for record in [Record::default(), full()] {
            save(&inside, &text(&record)).expect("saved");
            let Some(Restored::Record { record: found, same_boot: true, calendar }) = load(&inside) else {
                panic!("{:?}", load(&inside))
            };
            assert_eq!(found, record);
            assert!(calendar > 1_700_000_000);
        }
        let mode = |path: &Path| path.metadata().expect("there").mode() & 0o777;
        assert_eq!((mode(&inside), mode(&inside.join(FILE))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&inside).expect("readable").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn another_boot_is_told() {
        let directory = Directory::new("boot");
        for boot in ["3c5e0cf8-1f5c-4d0b-9f2b-5a8e6f0c7d11", NO_BOOT_ID, ""] {
            std::fs::write(directory.file(), encode(&full(), boot)).expect("written");
            let found = load(&directory.0);
            assert!(matches!(found, Some(Restored::Record { same_boot: false, .. })), "{boot}: {found:?}");
        }
    }

    #[test]
    fn what_is_odd_is_damaged() {
        let directory = Directory::new("odd");
        let put = |text: &str| std::fs::write(directory.file(), text).expect("written");
        let sealed = |lines: &str| format!("{lines}{CHECKSUM}{}\n", checksum(lines.as_bytes()));
        put("");
        assert_eq!(reason(&directory), "…/record: it is empty");
        put("dear diary");
        assert_eq!(reason(&directory), "…/record: it is no record of ours");
        put("tanist record 1\nboot b\n");
        assert_eq!(reason(&directory), "…/record: its checksum is missing");
        put(&encode(&full(), "b").replace("router VI_1 7", "router VI_1 8"));
        assert_eq!(reason(&directory), "…/record: its checksum is wrong");
        put(&sealed("tanist record 2\nboot b\n"));
        assert_eq!(reason(&directory), "…/record: its version is unknown");
        for lines in ["future 1\n", "latch-number 1\nlatch-number 1\n", "latch-number 01\n", "latch-number 1\n\n"] {
            put(&sealed(&format!("tanist record 1\nboot b\n{lines}acknowledged 0\n")));
            assert_eq!(reason(&directory), "…/record: there is a line that means nothing", "{lines}");
        }
        put(&"x".repeat(LARGEST as usize + 1));
        assert_eq!(reason(&directory), "…/record: it is too large");
        std::fs::remove_file(directory.file()).expect("removed");
        std::fs::create_dir(directory.file()).expect("a directory in its place");
        assert_eq!(reason(&directory), "…/record: it is no file");
        std::fs::remove_dir(directory.file()).expect("removed");
        // A directory that is none.
        let in_a_file = directory.file().join("below");
        put("");
        assert!(matches!(load(&in_a_file), Some(Restored::Damaged(_))));
    }

    #[test]
    fn no_link_is_followed() {
        let directory = Directory::new("link");
        let victim = directory.0.join("victim");
        let precious = encode(&full(), "b");
        std::fs::write(&victim, &precious).expect("the victim");
        for name in [FILE, NEXT_FILE] {
            symlink(&victim, directory.0.join(name)).expect("the trap");
        }
        assert!(reason(&directory).starts_with("…/record: "));
        save(&directory.0, &text(&Record::default())).expect("saved");
        assert_eq!(std::fs::read_to_string(&victim).expect("still there"), precious);
        let found = load(&directory.0);
        assert!(matches!(&found, Some(Restored::Record { record, .. }) if *record == Record::default()), "{found:?}");
    }

    #[test]
    fn where_nothing_can_be_saved_that_is_an_error_and_the_old_one_stays() {
        let directory = Directory::new("full");
        save(&directory.0, &encode(&full(), "b")).expect("saved");
        // Not even root removes a directory that is not empty as if it were a file.
        std::fs::create_dir_all(directory.0.join(NEXT_FILE).join("below")).expect("an obstacle");
        assert!(save(&directory.0, &text(&Record::default())).is_err());
        assert!(matches!(load(&directory.0), Some(Restored::Record { record, .. }) if record == full()));
    }

    fn any_name() -> impl Strategy<Value = Name> {
        any::<String>().prop_map(|text| Name::from(text.as_str()))
    }

    fn any_router() -> impl Strategy<Value = RouterRecord> {
        let held_by = prop::collection::vec(prop_oneof![Just(HeldBy::Operator), Just(HeldBy::DownFile)], 0..3);
        (any_name(), any::<u64>(), any::<bool>(), held_by, any::<bool>()).prop_map(
            |(name, epoch, active, held_by, stood_back)| RouterRecord { name, epoch, active, held_by, stood_back },
        )
    }

    fn any_service() -> impl Strategy<Value = ServiceRecord> {
        let moved =
            any::<(u64, Option<u64>)>().prop_map(|(at, calendar)| MoveRecord { at: Instant::from_nanos(at), calendar });
        let moves = prop::collection::vec(moved, 0..4);
        (any_name(), any::<bool>(), any::<u64>(), any::<bool>(), moves).prop_map(
            |(name, failed, told, left_stopped, moves)| ServiceRecord { name, failed, told, left_stopped, moves },
        )
    }

    fn any_latch() -> impl Strategy<Value = LatchRecord> {
        let reason = prop_oneof![
            Just(LatchReason::BothFailed),
            Just(LatchReason::TooManyMoves),
            Just(LatchReason::RecordDamaged)
        ];
        (any_name(), reason, any_name()).prop_map(|(service, reason, node)| LatchRecord { service, reason, node })
    }

    fn any_record() -> impl Strategy<Value = Record> {
        let maintenance = any::<Option<u64>>().prop_map(|until| MaintenanceRecord { until });
        let routers = prop::collection::vec(any_router(), 0..4);
        let services = prop::collection::vec(any_service(), 0..4);
        let standing = (prop::option::of(any_latch()), prop::option::of(maintenance));
        (routers, services, any::<(u64, u64, u64)>(), standing).prop_map(
            |(routers, services, (latch_number, acknowledged, maintenance_number), (latch, maintenance))| Record {
                routers,
                services,
                latch_number,
                acknowledged,
                latch,
                maintenance_number,
                maintenance,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(record in any_record()) {
            prop_assert_eq!(decode(encode(&record, "b").as_bytes()), Ok((record, "b".to_owned())));
        }

        #[test]
        fn half_of_it_is_damaged(record in any_record(), cut in any::<prop::sample::Index>()) {
            let text = encode(&record, "b");
            prop_assert!(decode(&text.as_bytes()[..cut.index(text.len())]).is_err());
        }

        #[test]
        fn an_octet_that_changed_is_noticed(record in any_record(), at in any::<prop::sample::Index>(), change in 1..=255_u8) {
            let mut octets = encode(&record, "b").into_bytes();
            let at = at.index(octets.len());
            octets[at] ^= change;
            prop_assert!(decode(&octets).is_err());
        }

        #[test]
        fn nothing_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
            prop_assert!(decode(&octets).is_err());
            let _ = name(&text);
            let sealed = format!("{HEADING}\nboot b\n{text}\n");
            let _ = decode(format!("{sealed}{CHECKSUM}{}\n", checksum(sealed.as_bytes())).as_bytes());
        }
    }
}
