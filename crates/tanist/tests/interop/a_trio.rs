//! Three nodes, Tanist, keepalived and FRR, go through what `scenarios/` knows: crashes, cuts, checks, reloads.
//!
//! The simulator plays each scenario with three engines and says who is active after each deed; the real three must come
//! to the same. [`table`] says which files are played, and why others are not.

mod actor;
mod course;
mod stage;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use sim::plan::RouterOption;

use crate::frr;
use crate::support::{slow_test_with_keepalived, slow_test_with_users, test_name};
use actor::Kind;
use course::{Course, Way};
use table::{Part, TABLE};

fn files_of(wanted: impl Fn(Part) -> bool) -> Vec<&'static str> {
    TABLE.iter().filter(|(part, _)| wanted(*part)).flat_map(|(_, files)| files.iter().copied()).collect()
}

/// Labs at the same time, for each of the tests.
const AT_ONCE: usize = 8;

/// Who is on the nodes if the first one is to be of this kind; `None` if it cannot be it. The others are of the other
/// kinds where they can be.
fn cast(course: &Course, first: Kind) -> Option<[Kind; 3]> {
    use Kind::{Frr, Keepalived, Tanist};
    let casts = [
        [Tanist, Keepalived, Frr],
        [Tanist, Frr, Keepalived],
        [Tanist, Keepalived, Tanist],
        [Tanist, Tanist, Keepalived],
        [Tanist, Tanist, Frr],
        [Keepalived, Tanist, Frr],
        [Keepalived, Frr, Tanist],
        [Keepalived, Tanist, Keepalived],
        [Keepalived, Tanist, Tanist],
        [Frr, Tanist, Keepalived],
    ];
    let can_be = |cast: &[Kind; 3]| cast.iter().enumerate().all(|(node, kind)| kind.can_be(course, node));
    casts.into_iter().find(|cast| cast[0] == first && can_be(cast))
}

/// A scenario's name, who plays it, and what that comes to.
type Piece = (&'static str, [Kind; 3], Course);

/// Every scenario with this kind as the first node, to which most of it happens. `ONLY_SCENARIO=crash` plays one.
fn all_with(first: Kind) {
    let files = files_of(|part| matches!(part, Part::Played | Part::Apart));
    let only = std::env::var("ONLY_SCENARIO").ok();
    let chosen = files.into_iter().filter(|file| only.as_deref().is_none_or(|only| only == *file));
    let courses = chosen.map(|file| (file, Course::of(file)));
    let pieces: Vec<_> = courses.filter_map(|(file, course)| Some((file, cast(&course, first)?, course))).collect();
    assert!(only.is_some() || pieces.len() > 30, "{} with {first:?} first", pieces.len());
    play_all(&pieces);
}

fn play_all(pieces: &[Piece]) {
    let (next, failed) = (Mutex::new(pieces.iter()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let taken = next.lock().expect("nobody panics here").next();
            let Some((file, cast, course)) = taken else { break };
            let began = Instant::now();
            let played = catch_unwind(AssertUnwindSafe(|| stage::play(course, *cast)));
            eprintln!("{file} {cast:?} {:?} {:.1} s", course.way, began.elapsed().as_secs_f32());
            if played.is_err() {
                failed.lock().expect("nobody panics here").push((file, cast, course.way));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            thread::Builder::new().name(test_name()).spawn_scoped(scope, work).expect("a thread");
        }
    });
    let failed = failed.into_inner().expect("nobody panics here");
    assert!(failed.is_empty(), "these came out otherwise: {failed:?}");
}

fn trio(first: Kind) {
    slow_test_with_keepalived(|| slow_test_with_users(|| all_with(first)));
}

#[test]
fn three_with_tanist_first() {
    trio(Kind::Tanist);
}

#[test]
fn three_with_keepalived_first() {
    trio(Kind::Keepalived);
}

#[test]
fn three_with_frr_first() {
    if frr::is_installed() {
        trio(Kind::Frr);
    } else {
        rehearse::lab::skip(&test_name(), &"FRR's vrrpd is not installed");
    }
}

/// Those that are played in other ways each time: a crash, orderly stops, returns, a check, a reload, a cut network.
const IN_OTHER_WAYS: [&str; 6] = [
    "killed",
    "orderly-stop",
    "partition-heals-active-speaks-first",
    "reload-priority-down",
    "script-fault",
    "three-nodes",
];

/// `ALL_SCENARIOS=1` plays all that can be played in this way.
fn in_another_way(way: Way) {
    slow_test_with_keepalived(|| {
        slow_test_with_users(|| {
            let all = std::env::var_os("ALL_SCENARIOS").is_some();
            let only = std::env::var("ONLY_SCENARIO").ok();
            let files = files_of(|part| part == Part::Played).into_iter();
            let chosen = files.filter(|file| match &only {
                Some(only) => only == file,
                None => all || IN_OTHER_WAYS.contains(file),
            });
            let courses = chosen.filter_map(|file| Some((file, Course::of(file).by(way)?)));
            // Each is first in turn, as far as it can be.
            let firsts = [Kind::Tanist, Kind::Keepalived].into_iter().cycle();
            let pieces: Vec<Piece> = courses
                .zip(firsts)
                .map(|((file, course), first)| {
                    let cast = cast(&course, first).or_else(|| cast(&course, Kind::Tanist));
                    (file, cast.expect("ours can be everything"), course)
                })
                .collect();
            assert!(only.is_some() || pieces.len() >= IN_OTHER_WAYS.len(), "{} by {way:?}", pieces.len());
            play_all(&pieces);
        });
    });
}

#[test]
fn three_over_ipv6() {
    in_another_way(Way::Ipv6);
}

#[test]
fn three_with_virtual_macs() {
    in_another_way(Way::VirtualMac);
}

/// keepalived 2.2.7 and FRR cannot sign, so these are three of ours.
#[test]
fn three_that_sign() {
    slow_test_with_users(|| {
        let pieces: Vec<Piece> = files_of(|part| part == Part::Signed)
            .into_iter()
            .map(|file| (file, [Kind::Tanist; 3], Course::of(file)))
            .filter(|(.., course)| !course.sets_clocks())
            .collect();
        assert!(pieces.len() > 1, "{}", pieces.len());
        play_all(&pieces);
    });
}

#[test]
fn every_scenario_has_one_part_and_the_part_that_it_can_have() {
    let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
    TABLE.iter().flat_map(|(_, files)| files.iter()).for_each(|file| *parts.entry(file).or_default() += 1);
    let twice: Vec<_> = parts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "named twice in a_trio/table.rs: {twice:?}");
    let names = fs::read_dir(course::directory()).expect("the directory is there").map(|entry| {
        let name = entry.expect("it can be read").file_name();
        name.to_string_lossy().into_owned()
    });
    let files: BTreeSet<String> = names.filter_map(|name| name.strip_suffix(".txt").map(str::to_owned)).collect();
    let named: BTreeSet<String> = parts.keys().map(|file| (*file).to_owned()).collect();
    let missing: Vec<_> = files.symmetric_difference(&named).collect();
    assert!(missing.is_empty(), "a file of scenarios/ without a part in a_trio/table.rs, or the reverse: {missing:?}");

    let has_services = |file: &&str| {
        let plan = course::plan_of(file);
        plan.pair.is_some() || plan.nodes.iter().any(|node| !node.services.is_empty())
    };
    let signs = |file: &&str| {
        let plan = course::plan_of(file);
        let reloaded = plan.steps.iter().filter_map(|step| match &step.command {
            sim::plan::Command::Nodes(_, sim::plan::Act::Reload(options)) => Some(options),
            _ => None,
        });
        let mut options = plan.nodes.iter().flat_map(|node| &node.routers).chain(reloaded).flatten();
        options.any(|option| matches!(option, RouterOption::Hmac(_)))
    };
    let all = || files_of(|_| true).into_iter();
    assert_eq!(all().filter(has_services).collect::<Vec<_>>(), files_of(|part| part == Part::OfAPair));
    assert_eq!(all().filter(signs).collect::<Vec<_>>(), files_of(|part| part == Part::Signed));
}

/// As the simulator plays them, without any lab.
#[test]
fn in_the_end_one_of_three_is_active() {
    for (part, file) in TABLE.iter().flat_map(|(part, files)| files.iter().map(move |file| (*part, *file))) {
        let expected = match part {
            Part::Played => 1,
            Part::Apart => 2,
            Part::OfAPair | Part::Signed | Part::No(_) => continue,
        };
        let course = Course::of(file);
        let lives = course.lives_in_the_end();
        for (vrid, speakers) in course.end() {
            assert_eq!(speakers.len(), if lives { expected } else { 0 }, "{file}, VRID {vrid}");
        }
        assert!(cast(&course, Kind::Tanist).is_some(), "{file} without any cast");
    }
}
