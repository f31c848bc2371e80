//! Every target holds for the inputs that libFuzzer has found (`fuzz/corpus`), for what it begins with, and for a fixed
//! number of random changes of both. Longer runs are by hand: `cargo xtask fuzz`.

// An allocator that counts can't be written without; it only passes on what it is given.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use engine::vrrp::receive::Discard;
use tanist_fuzz::{TARGETS, Target, find, frames, run};

/// The system's allocator, and how many octets this thread has asked it for.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count(octets: usize) {
    // It is there until the very end of a thread, where nothing is counted any more.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + octets as u64));
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting touches no memory of its.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory came from there.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above; the memory came from there.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a target begins with, and what is kept of what libFuzzer has found.
fn inputs(target: &Target) -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target.name);
    let kept = run::inputs(&corpus).unwrap_or_else(|error| panic!("read {}: {error}", corpus.display()));
    (target.seeds)().into_iter().chain(kept).collect()
}

fn holds(name: &str, changes: u64) {
    let target = find(name).expect("it is a target");
    if let Err(input) = run::run(target, &inputs(target), changes, 1) {
        panic!("{name} does not hold, as is said above, for {}", input.escape_ascii());
    }
}

/// A test for each, so that one says which of them does not hold. What takes longer is changed less often.
macro_rules! holds {
    ($($name:ident: $changes:literal,)+) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name), $changes);
        })+

        #[test]
        fn no_target_is_left_out() {
            let here = [$(stringify!($name)),+];
            assert_eq!(TARGETS.map(|target| target.name), here);
        }
    };
}

holds! {
    advertisement: 2_000,
    ip_packet: 2_000,
    announcement: 2_000,
    hmac_trailer: 2_000,
    authentication_header: 2_000,
    netlink: 2_000,
    kernel_files: 2_000,
    system_texts: 2_000,
    baton: 2_000,
    control: 2_000,
    json: 2_000,
    configuration: 200,
    configuration_words: 200,
    names: 2_000,
    record: 2_000,
    keys: 2_000,
    reload_time: 2_000,
    smtp: 2_000,
    http: 2_000,
    dbus: 2_000,
    receive: 200,
    engine: 200,
    engine_of_any_configuration: 200,
}

/// Nobody can make us ask for much memory by saying little. What a run asks for is added up, as if nothing were given back.
#[test]
fn little_said_costs_little_memory() {
    for target in &TARGETS {
        // A text is read and told of several times, and engines live for as long as the input goes.
        let (least, for_each) = match target.name {
            "configuration" | "configuration_words" | "names" => (8 << 20, 16 << 10),
            "engine" | "engine_of_any_configuration" | "receive" => (8 << 20, 64 << 10),
            "control" => (256 << 10, 64),
            // A buffer for each way of reading it.
            "smtp" => (32 << 10, 64),
            _ => (16 << 10, 64),
        };
        for input in inputs(target) {
            // What is made once and kept.
            (target.check)(&input);
            let before = ASKED.get();
            (target.check)(&input);
            let (asked, most) = (ASKED.get() - before, least + for_each * input.len() as u64);
            assert!(asked <= most, "{}: {asked} octets, of {most}, for {}", target.name, input.escape_ascii());
        }
    }
}

#[test]
fn frames_reach_every_rung() {
    let sum = frames::run(60_000, 0, |_| {}).expect("each frame is counted once");
    assert!(sum.believed > sum.frames / 10 && sum.refused > sum.frames / 10, "{sum:?}");
    assert!(sum.by_backup > sum.frames / 10 && sum.by_active > sum.frames / 10, "{sum:?}");
    let met: Vec<bool> = sum.reasons.iter().map(|count| *count > 0).collect();
    assert_eq!(met, [true; Discard::COUNT], "each reason to refuse a frame is met");
}
