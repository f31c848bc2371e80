//! Which functions of the program a daemon needs from second to second, for the linker.
//!
//! They are a twentieth of the program. Scattered over it they keep half of it in memory, because the kernel maps a file in
//! pieces of 64 KB; side by side they are a few pieces.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rehearse::lab::Program;
use rehearse::trials::{self, Idle};

use crate::bench::Bench;
use crate::failure::{Failure, Result};
use crate::plan::{Node, Pace, Plan, Transport};
use crate::services;
use crate::stage::Pair;

/// Longer than anything takes that comes again and again.
const WATCH_FOR: Duration = Duration::from_secs(25);
/// When the Active node crashes while the other one is watched: the functions have got their breakpoints by then.
const CRASH_AFTER: Duration = Duration::from_secs(12);
const SCRIPT: &str = include_str!("needed.py");
/// Where a name of the older kind has a number that every build changes, and what comes before it.
const HASH: (&str, usize) = ("17h", 16);

/// Writes a linker script: first what every Active and Backup needs and what a failover needs at once, then what a service
/// needs besides.
pub(crate) fn write(bench: &Bench, file: &Path) -> Result<()> {
    let pair = Pair::start(&bench.daemons.tanist, &Plan::one(Pace::V2Second, Transport::Multicast))?;
    let mut alone = watch_both(&pair.first.daemon, &pair.second_daemon)?;
    alone.extend(watch_a_failover(&pair)?);
    drop(pair);
    let (service, recipes) = (services::service(bench), services::recipes(bench));
    let pair = Idle::begin(&recipes.tanist, &service)?;
    let with_a_service = watch_both(pair.daemon(trials::Node::A)?, pair.daemon(trials::Node::B)?)?;
    let more = with_a_service.difference(&alone).cloned().collect();
    fs::write(file, script(&[&alone, &more])).map_err(Failure::during(format!("write {}", file.display())))?;
    println!("{}: {} functions", file.display(), alone.len() + more.len());
    Ok(())
}

/// What stands for the functions that at least one of two daemons enters.
fn watch_both(one: &Program, other: &Program) -> Result<BTreeSet<String>> {
    Ok(watch(one)?.union(&watch(other)?).map(|name| pattern(name)).collect())
}

/// What stands for the functions that a Backup enters when it takes over.
fn watch_a_failover(pair: &Pair) -> Result<BTreeSet<String>> {
    let entered = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&pair.second_daemon));
        thread::sleep(CRASH_AFTER);
        let crashed = pair.crash()?;
        let entered = watch.join().map_err(|_| Failure::new("the watch panicked".to_owned()))??;
        pair.first.wait_for_addresses(Node::Second, crashed)?;
        Ok::<_, Failure>(entered)
    })?;
    Ok(entered.iter().map(|name| pattern(name)).collect())
}

/// Which functions a daemon enters; they have the names that they have for the linker.
fn watch(daemon: &Program) -> Result<BTreeSet<String>> {
    eprint!(".");
    let directory = std::env::temp_dir().join(format!("tanist-layout-{}", std::process::id()));
    fs::create_dir_all(&directory).map_err(Failure::during("make a directory"))?;
    let (script, names) = (directory.join("needed.py"), directory.join("names"));
    let watched = (|| {
        fs::write(&script, SCRIPT).map_err(Failure::during("write a script for gdb"))?;
        let output = Command::new("gdb")
            .args(["-batch", "-nx", "-x"])
            .arg(&script)
            .env("PROCESS", daemon.pid().to_string())
            .env("WATCH_FOR", WATCH_FOR.as_secs().to_string())
            .env("NAMES", &names)
            .output()
            .map_err(Failure::during("run gdb, which is needed for this"))?;
        let list = fs::read_to_string(&names)
            .map_err(|_| Failure::new(format!("gdb says: {}", String::from_utf8_lossy(&output.stderr))))?;
        Ok(list.lines().map(str::to_owned).collect())
    })();
    // Of no use to anybody else.
    let _ = fs::remove_dir_all(&directory);
    watched
}

/// What stands for a function of this name in whatever build, by whatever compiler.
fn pattern(name: &str) -> String {
    let (before, digits) = HASH;
    if let Some(at) = name.strip_suffix('E').and_then(|name| name.len().checked_sub(digits + before.len()))
        && name.is_char_boundary(at)
        && name[at..].starts_with(before)
    {
        return format!("{}*", &name[..at + before.len()]);
    }
    // The newer kind has such numbers between `Cs` and `_`.
    let mut pattern = String::new();
    let mut rest = name;
    while let Some(at) = rest.find("Cs") {
        let (head, tail) = rest.split_at(at + 2);
        let number = tail.bytes().take_while(u8::is_ascii_alphanumeric).count();
        pattern.push_str(head);
        rest = tail;
        if tail[number..].starts_with('_') {
            pattern.push('*');
            rest = &tail[number..];
        }
    }
    pattern + rest
}

fn script(parts: &[&BTreeSet<String>]) -> String {
    let patterns = parts.iter().copied().flatten();
    let lines: String = patterns.map(|pattern| format!("    *(.text.{pattern})\n")).collect();
    format!(
        "/* Which functions a daemon needs from second to second and when it takes over; at the end those for services. The\n   \
         linker puts them side by side: scattered over the program they would keep half of it in memory. A name that is\n   \
         not there any more does no harm, and one that is missing only costs memory.\n   \
         Written by `cargo xtask bench --layout crates/tanist/layout.ld`. */\n\
         SECTIONS\n{{\n  .text.needed :\n  {{\n{lines}  }}\n}}\nINSERT BEFORE .text;\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_another_build_would_change() {
        assert_eq!(
            pattern("_ZN12tanist_linux4poll4Poll4wait17h91b15f8f92ccad93E"),
            "_ZN12tanist_linux4poll4Poll4wait17h*"
        );
        assert_eq!(
            pattern("_RNvNtNtCsgEmfK2I1SDS_4core3str8converts9from_utf8"),
            "_RNvNtNtCs*_4core3str8converts9from_utf8"
        );
        assert_eq!(
            pattern("_RINvNtCsjrHSEGnQ3l9_3std2io19default_read_to_endNtNtB4_2fs4FileECsjrHSEGnQ3l9_3std"),
            "_RINvNtCs*_3std2io19default_read_to_endNtNtB4_2fs4FileECs*_3std"
        );
        assert_eq!(pattern("main"), "main");
    }
}
