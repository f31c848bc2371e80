//! The processes of this machine, as `/proc` shows them. Reading some of it can wait for a process that hangs in the
//! kernel, so it is no work for a loop that must not wait: only [`ProcessId`] and [`ancestor`] never do.

use std::fs;
use std::path::PathBuf;

use crate::signals::Signal;
use crate::{Result, process};

/// What the kernel keeps of a process's name.
const NAME_LENGTH: usize = 15;

/// A process that can't be mistaken for a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId {
    pub pid: u32,
    /// When it began, in the kernel's ticks since boot.
    pub started: u64,
}

/// What `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat<'t> {
    name: &'t str,
    state: char,
    parent: u32,
    started: u64,
}

fn parse(stat: &str) -> Option<Stat<'_>> {
    // A name may contain everything, a parenthesis too.
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    // starttime is field 22; state is field 3.
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat { name, state, parent, started })
}

fn read_stat(pid: u32) -> Option<String> {
    let octets = fs::read(format!("/proc/{pid}/stat")).ok()?;
    Some(String::from_utf8_lossy(&octets).into_owned())
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<ProcessId> {
        let stat = read_stat(pid)?;
        Some(ProcessId { pid, started: parse(&stat)?.started })
    }

    /// Whether it still runs. One that has died and was not collected yet does not.
    pub fn lives(self) -> bool {
        let stat = read_stat(self.pid);
        let stat = stat.as_deref().and_then(parse);
        stat.is_some_and(|stat| stat.started == self.started && !is_dead(stat.state))
    }

    /// Sends it a signal, if it still runs.
    pub fn signal(self, signal: Signal) -> Result<()> {
        if self.lives() { process::signal(self.pid, signal) } else { Ok(()) }
    }

    /// Whether it runs and has this name, as [`find_named`] understands it.
    pub fn has_name(self, name: &str) -> bool {
        let stat = read_stat(self.pid);
        let stat = stat.as_deref().and_then(parse);
        stat.is_some_and(|stat| stat.started == self.started && is_named(self.pid, &stat, name))
    }
}

const fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

/// A running process of this name, as `killall` would find it: the kernel's name of it, or where that is cut, the last
/// part of the program's path. One that has died and was not collected yet is not found.
pub fn find_named(name: &str) -> Option<ProcessId> {
    all().find_map(|pid| {
        let text = read_stat(pid)?;
        let stat = parse(&text)?;
        is_named(pid, &stat, name).then_some(ProcessId { pid, started: stat.started })
    })
}

fn is_named(pid: u32, stat: &Stat<'_>, name: &str) -> bool {
    if is_dead(stat.state) {
        return false;
    }
    if name.len() <= NAME_LENGTH {
        return stat.name == name;
    }
    if !name.is_char_boundary(NAME_LENGTH) || stat.name != &name[..NAME_LENGTH] {
        return false;
    }
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A script's name is the second one, behind its interpreter's.
    let mut words = arguments.split(|octet| *octet == 0).take(2);
    words.any(|word| word.rsplit(|octet| *octet == b'/').next() == Some(name.as_bytes()))
}

/// Every process other than us that began with this setting ("NAME=value") in its environment.
pub fn find_marked(setting: &str) -> Vec<ProcessId> {
    let marked = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|octet| *octet == 0).any(|entry| entry == setting.as_bytes())
    };
    let own = std::process::id();
    all().filter(|pid| *pid != own).filter(marked).filter_map(ProcessId::of).filter(|found| found.lives()).collect()
}

/// Whether this process descends from that one (or is it).
pub fn ancestor(pid: u32, ancestor: u32) -> bool {
    let mut at = pid;
    // Nobody has so many generations, and a chain that changes while it is read must not keep us.
    for _ in 0..64 {
        if at == ancestor {
            return true;
        }
        let parent = read_stat(at).and_then(|stat| Some(parse(&stat)?.parent));
        match parent {
            Some(parent) if parent > 1 => at = parent,
            _ => return false,
        }
    }
    false
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(PathBuf::from("/proc")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// Ended with the test.
    struct Sleeper(Child);

    impl Sleeper {
        fn start(program: &str, mark: &str) -> Sleeper {
            let mut command = Command::new(program);
            command.arg("300").env("TANIST_TEST_MARK", mark).stdin(Stdio::null());
            Sleeper(command.spawn().unwrap())
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn reads_the_kernels_line() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987 4096 1 18446744073709551615\n";
        assert_eq!(parse(line), Some(Stat { name: "a) b (c)", state: 'S', parent: 7, started: 987 }));
        assert_eq!(parse("42 (cut"), None);
        assert_eq!(parse("42 (cut) S 7"), None);
    }

    #[test]
    fn finds_the_marked_until_they_are_gone() {
        let mark = format!("one of {}", std::process::id());
        let setting = format!("TANIST_TEST_MARK={mark}");
        assert_eq!(find_marked(&setting), []);
        let mut sleeper = Sleeper::start("/bin/sleep", &mark);
        let found = find_marked(&setting);
        assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [sleeper.0.id()]);
        assert!(found[0].lives());
        assert!(!ProcessId { started: found[0].started + 1, ..found[0] }.lives(), "a later one of that number");
        found[0].signal(Signal::KILL).unwrap();
        // Not collected yet: dead all the same.
        for _ in 0..2000 {
            if !found[0].lives() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(!found[0].lives());
        assert_eq!(find_marked(&setting), []);
        sleeper.0.wait().unwrap();
        assert_eq!(ProcessId::of(sleeper.0.id()).filter(|process| *process == found[0]), None);
    }

    #[test]
    fn finds_by_name_as_killall_does() {
        let directory = std::env::temp_dir().join(format!("tanist-names-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let name = format!("longer-than-fifteen-{}", std::process::id());
        let program = directory.join(&name);
        fs::copy("/bin/sleep", &program).unwrap();
        assert_eq!(find_named(&name), None);
        let mut sleeper = Sleeper::start(program.to_str().unwrap(), "");
        let found = find_named(&name).unwrap();
        assert_eq!(found.pid, sleeper.0.id());
        assert!(found.has_name(&name));
        assert!(!found.has_name("sleep"));
        assert!(find_named(&name[..NAME_LENGTH]).is_some_and(|process| process.has_name(&name[..NAME_LENGTH])));
        assert_eq!(find_named(&format!("{name}x")), None);
        sleeper.0.kill().unwrap();
        sleeper.0.wait().unwrap();
        assert_eq!(find_named(&name), None);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn knows_whose_descendant_it_is() {
        let sleeper = Sleeper::start("/bin/sleep", "");
        assert!(ancestor(sleeper.0.id(), std::process::id()));
        assert!(ancestor(sleeper.0.id(), sleeper.0.id()));
        assert!(!ancestor(std::process::id(), sleeper.0.id()));
    }
}
