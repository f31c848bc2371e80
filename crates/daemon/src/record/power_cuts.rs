//! The power fails between any two system calls of [`save`], and in the middle of what it writes.
//!
//! strace writes down which calls the real `save` makes. Then each of them is the last one, and what had not been synced is on
//! the disk or not: names up to any that was changed (file systems with a journal keep their order), of the octets as many as
//! one likes, or as many zeros, as delayed allocation leaves them. What is read from such a disk must be the old record or the
//! new one, the new one as soon as `save` has returned, and the next life must be able to save there.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::tests::full;
use super::*;

/// Set for a copy of this program: where it is to save what.
const PLACE: &str = "TANIST_TEST_SAVE";
const CALLS: &str = "mkdir,mkdirat,unlink,unlinkat,open,openat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,\
                     link,linkat,symlink,ftruncate,truncate";

/// What `save` does to the directory and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Remove(String),
    Create(String),
    /// So many octets of the text, at the end of this file.
    Write(String, usize),
    Sync(String),
    Rename(String, String),
    SyncDirectory,
}

/// What is saved, with more than a page has lines.
fn new() -> Record {
    let router = |number| RouterRecord { name: format!("VI_{number}").as_str().into(), ..full().routers[0].clone() };
    Record { routers: (0..40).map(router).collect(), ..full() }
}

/// A life that saves: run as a copy, under strace.
#[test]
fn saves_for_the_test_beside_it() {
    if let Some(place) = std::env::var_os(PLACE) {
        save(Path::new(&place), &encode(&new(), "new")).expect("saved");
    }
}

fn strace(directory: &Path) -> Option<Vec<Call>> {
    let trace = directory.with_extension("trace");
    std::fs::create_dir_all(&trace).expect("a directory of our own");
    let program = std::env::current_exe().expect("a name");
    let traced = Command::new("strace")
        .args(["-ff", "-y", "-qq", "-s", "0", "-e", &format!("trace={CALLS}"), "-o"])
        .arg(trace.join("thread"))
        .arg(program)
        .args(["--exact", "record::power_cuts::saves_for_the_test_beside_it"])
        .env(PLACE, directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let calls = traced.is_ok_and(|status| status.success()).then(|| {
        let files = std::fs::read_dir(&trace).expect("it has written").map(|file| file.expect("a file").path());
        let lines: Vec<String> = files.flat_map(|file| lines_of(&file)).collect();
        lines.iter().filter_map(|line| call(line, directory)).collect()
    });
    std::fs::remove_dir_all(&trace).expect("cleaned up");
    calls
}

fn lines_of(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).expect("readable").lines().map(str::to_owned).collect()
}

/// A line of strace, if it is about that directory and changes something. Whatever is not known fails the test.
fn call(line: &str, directory: &Path) -> Option<Call> {
    let directory = directory.to_str().expect("plain");
    if !line.contains(directory) || line.contains(" = -1 ") {
        return None;
    }
    let inside = format!("{directory}/");
    let names: Vec<String> = line.split(inside.as_str()).skip(1).map(name_in).collect();
    let first = || names.first().cloned().expect("a name in the directory");
    let (call, arguments) = line.split_once('(').expect("a call");
    let result = || line.rsplit_once(" = ").and_then(|(_, result)| result.parse().ok()).expect("a number");
    Some(match call {
        "mkdir" | "mkdirat" => return None,
        "unlink" | "unlinkat" => Call::Remove(first()),
        "open" | "openat" if !arguments.contains("O_CREAT") => return None,
        "open" | "openat" => {
            assert!(arguments.contains("O_EXCL"), "what is written must be new: {line}");
            Call::Create(first())
        }
        "write" => Call::Write(first(), result()),
        "fsync" | "fdatasync" if names.is_empty() => Call::SyncDirectory,
        "fsync" | "fdatasync" => Call::Sync(first()),
        "rename" | "renameat" | "renameat2" => Call::Rename(first(), names[1].clone()),
        _ => panic!("a call that this test does not know: {line}"),
    })
}

fn name_in(rest: &str) -> String {
    rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '.').collect()
}

/// What is on the disk: names and content.
type Found = Vec<(String, Vec<u8>)>;

/// All that a disk may have after these calls, if `lasting` of them lasted by themselves: only what changes names counts.
fn disks(before: &Found, calls: &[Call], text: &[u8]) -> Vec<Found> {
    let synced = calls.iter().rposition(|call| *call == Call::SyncDirectory).map_or(0, |at| at + 1);
    let mut all = Vec::new();
    for lasting in synced..=calls.len() {
        for content in contents(calls, text) {
            let mut found = before.clone();
            for call in &calls[..lasting] {
                match call {
                    Call::Remove(name) => found.retain(|(known, _)| known != name),
                    Call::Create(name) => found.push((name.clone(), content.clone())),
                    Call::Rename(from, to) => {
                        found.retain(|(known, _)| known != to);
                        let moved = found.iter_mut().find(|(known, _)| known == from);
                        moved.expect("it was made").0.clone_from(to);
                    }
                    Call::Write(..) | Call::Sync(_) | Call::SyncDirectory => {}
                }
            }
            all.push(found);
        }
    }
    all
}

/// What may be in the file that these calls write.
fn contents(calls: &[Call], text: &[u8]) -> Vec<Vec<u8>> {
    let (mut written, mut synced) = (0, 0);
    for call in calls {
        match call {
            Call::Write(_, count) => written += count,
            Call::Sync(_) => synced = written,
            Call::Remove(_) | Call::Create(_) | Call::Rename(..) | Call::SyncDirectory => {}
        }
    }
    let zeros = [&text[..synced], &vec![0; written - synced][..]].concat();
    let mut all: Vec<Vec<u8>> = (synced..=written).map(|count| text[..count].to_vec()).collect();
    all.extend((written > synced).then_some(zeros));
    all
}

fn put(directory: &Path, found: &Found) {
    for name in [FILE, NEXT_FILE] {
        let _ = std::fs::remove_file(directory.join(name));
    }
    for (name, content) in found {
        std::fs::write(directory.join(name), content).expect("written");
    }
}

fn record_in(directory: &Path) -> Option<Record> {
    match load(directory) {
        Some(Restored::Record { record, .. }) => Some(record),
        None => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn there_is_the_old_record_or_the_new_one() {
    let directory = tests::Directory::new("power");
    let place = &directory.0;
    let Some(calls) = strace(place) else {
        let _ = writeln!(io::stderr(), "SKIPPED, NOTHING TESTED: strace is not installed, or may not trace");
        return;
    };
    let text = encode(&new(), "new");
    let written: usize = calls.iter().map(|call| if let Call::Write(_, count) = call { *count } else { 0 }).sum();
    assert_eq!(written, text.len(), "all that it writes was seen: {calls:?}");
    let old = Record { latch_number: 1, ..Record::default() };
    let (mut points, mut kinds) = (0, [false; 2]);
    for before in [None, Some(&old)] {
        let disk: Found = before.iter().map(|old| (FILE.to_owned(), encode(old, "old").into_bytes())).collect();
        // A former life may have been cut, too.
        for leftover in [None, Some("half of something")] {
            let left = leftover.map(|text| (NEXT_FILE.to_owned(), text.as_bytes().to_vec()));
            let disk: Found = disk.iter().cloned().chain(left).collect();
            let removal = leftover.map(|_| Call::Remove(NEXT_FILE.to_owned()));
            let calls: Vec<Call> = removal.into_iter().chain(calls.clone()).collect();
            for done in 0..=calls.len() {
                for found in disks(&disk, &calls[..done], text.as_bytes()) {
                    put(place, &found);
                    let record = record_in(place);
                    let is_new = record.as_ref() == Some(&new());
                    assert!(is_new || record.as_ref() == before, "after {:?}: {record:?}", &calls[..done]);
                    assert!(is_new || done < calls.len(), "`save` has returned, and the old one is back");
                    kinds[usize::from(is_new)] = true;
                    points += 1;
                    if points % 499 == 0 {
                        save(place, &encode(&old, "next")).expect("the next life saves");
                        assert_eq!(record_in(place).as_ref(), Some(&old));
                    }
                }
            }
        }
    }
    assert_eq!(kinds, [true; 2]);
    assert!(points > 10_000, "{points}");
    let _ = writeln!(io::stderr(), "the power failed at {points} points");
}
