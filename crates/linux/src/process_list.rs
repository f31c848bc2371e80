//! The processes of this machine, as `/proc` shows them. Reading some of it can wait for a process that hangs in the
//! kernel, so it is no work for a loop that must not wait: only [`ProcessId`] and [`lineage`] never do.

use std::fs;
use std::io::{ErrorKind, Read as _};

use crate::signals::Signal;
use crate::{Error, Result, process};

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
pub(crate) struct Stat<'t> {
    pub(crate) name: &'t str,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) started: u64,
}

pub(crate) fn parse(stat: &str) -> Option<Stat<'_>> {
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
    ask_stat(pid).ok()
}

fn ask_stat(pid: u32) -> std::io::Result<String> {
    fs::read(format!("/proc/{pid}/stat")).map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

/// Whether a process waits for something other than a processor. One that has ended does not.
pub(crate) fn sleeps(pid: u32) -> bool {
    read_stat(pid).and_then(|stat| parse(&stat).map(|stat| matches!(stat.state, 'S' | 'D'))).unwrap_or(false)
}

/// It has ended meanwhile, or is of somebody whom we may not ask.
fn is_not_for_us(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
        || error.raw_os_error() == Some(libc::ESRCH)
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
/// part of the program's path. One that has died and was not collected yet is not found. That nobody could look, for want of a
/// descriptor, is an error.
pub fn find_named(name: &str) -> Result<Option<ProcessId>> {
    for pid in all()? {
        let pid = pid?;
        let text = match ask_stat(pid) {
            Ok(text) => text,
            Err(error) if is_not_for_us(&error) => continue,
            Err(error) => return Err(Error::from_io(format!("look at process {pid}"), &error)),
        };
        if let Some(stat) = parse(&text).filter(|stat| is_named(pid, stat, name)) {
            return Ok(Some(ProcessId { pid, started: stat.started }));
        }
    }
    Ok(None)
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
    let arguments = command_line(pid);
    // A program that has just begun has its name a moment before its arguments.
    if arguments.is_empty() {
        return true;
    }
    // A script's name is the second one, behind its interpreter's.
    let mut words = arguments.split(|octet| *octet == 0).take(2);
    words.any(|word| word.rsplit(|octet| *octet == b'/').next() == Some(name.as_bytes()))
}

/// The arguments of a process, each with a zero behind it. Empty if it has none, has none yet, or has ended. One that
/// begins another program meanwhile must not be shown as half of each, so they are read at once if they are not endless.
pub(crate) fn command_line(pid: u32) -> Vec<u8> {
    let mut octets = vec![0; 16 * 1024];
    let Ok(mut file) = fs::File::open(format!("/proc/{pid}/cmdline")) else { return Vec::new() };
    let mut length = 0;
    while let Ok(more @ 1..) = file.read(&mut octets[length..]) {
        length += more;
        if length < octets.len() {
            break;
        }
        octets.resize(2 * length, 0);
    }
    octets.truncate(length);
    octets
}

/// Every process other than us that began with this setting ("NAME=value") in its environment. Which process is being
/// looked at is told before: the look waits for one that hangs in the kernel. What could not be looked through is an
/// error, and never an empty answer; only those whose environment is none of our business are left out.
pub fn find_marked(setting: &str, looking_at: impl FnMut(u32)) -> Result<Vec<ProcessId>> {
    find_marked_of(setting, None, looking_at)
}

/// As [`find_marked`], if the setting is no secret: anybody can start a process with it in its environment, so only those
/// count that were started by one of these users. That is their real user: a program with the set-user-ID bit keeps the
/// environment of whoever started it.
pub fn find_marked_of(setting: &str, users: Option<&[u32]>, mut looking_at: impl FnMut(u32)) -> Result<Vec<ProcessId>> {
    let own = std::process::id();
    let mut found = Vec::new();
    for pid in all()? {
        let pid = pid?;
        if pid == own {
            continue;
        }
        looking_at(pid);
        let environment = match fs::read(format!("/proc/{pid}/environ")) {
            Ok(environment) => environment,
            Err(error) if is_not_for_us(&error) => continue,
            Err(error) => return Err(Error::from_io(format!("look at process {pid}"), &error)),
        };
        let is_believed = || users.is_none_or(|users| real_user(pid).is_some_and(|user| users.contains(&user)));
        if environment.split(|octet| *octet == 0).any(|entry| entry == setting.as_bytes()) && is_believed() {
            found.extend(ProcessId::of(pid).filter(|process| process.lives()));
        }
    }
    Ok(found)
}

/// Who has started a process; `None` if it has ended.
fn real_user(pid: u32) -> Option<u32> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    real_user_in(&String::from_utf8_lossy(&status))
}

/// The first of the users in `/proc/PID/status`.
pub(crate) fn real_user_in(status: &str) -> Option<u32> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_ascii_whitespace().next()?.parse().ok()
}

/// What runs under this number, and the kernel's name of it. One that has died and was not collected yet does not run.
pub(crate) fn named(pid: u32) -> Option<(ProcessId, Vec<u8>)> {
    let octets = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let (begin, end) =
        (octets.iter().position(|octet| *octet == b'(')?, octets.iter().rposition(|octet| *octet == b')')?);
    let name = octets.get(begin + 1..end)?.to_vec();
    let text = String::from_utf8_lossy(&octets);
    let stat = parse(&text).filter(|stat| !is_dead(stat.state))?;
    Some((ProcessId { pid, started: stat.started }, name))
}

/// This process, its parent, the parent of that, and so on.
pub fn lineage(pid: u32) -> impl Iterator<Item = u32> {
    let parent_of = |at: &u32| {
        let parent = read_stat(*at).and_then(|stat| Some(parse(&stat)?.parent));
        parent.filter(|parent| *parent > 1)
    };
    // Nobody has so many generations, and a chain that changes while it is read must not keep us.
    std::iter::successors(Some(pid), parent_of).take(64)
}

/// The numbers of all processes.
pub(crate) fn all() -> Result<impl Iterator<Item = Result<u32>>> {
    let refuse = |error: std::io::Error| Error::from_io("list the processes of this machine", &error);
    let entries = fs::read_dir("/proc").map_err(refuse)?;
    Ok(entries.filter_map(move |entry| match entry {
        Ok(entry) => entry.file_name().to_str()?.parse().ok().map(Ok),
        Err(error) => Some(Err(refuse(error))),
    }))
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
            let sleeper = Sleeper(command.spawn().unwrap());
            // It is a program of its own a moment before the kernel shows its environment.
            let environment = format!("/proc/{}/environ", sleeper.0.id());
            while fs::read(&environment).unwrap().is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            sleeper
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
        let found_now = || find_marked(&setting, |_| {}).unwrap();
        assert_eq!(found_now(), []);
        let mut sleeper = Sleeper::start("/bin/sleep", &mark);
        let mut looked_at = Vec::new();
        let found = find_marked(&setting, |pid| looked_at.push(pid)).unwrap();
        assert!(looked_at.contains(&sleeper.0.id()));
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
        assert_eq!(found_now(), []);
        sleeper.0.wait().unwrap();
        assert_eq!(ProcessId::of(sleeper.0.id()).filter(|process| *process == found[0]), None);
    }

    /// Anybody can put anything into the environment of a process of his.
    #[test]
    fn what_others_have_marked_is_not_believed() {
        let mark = format!("of others {}", std::process::id());
        let setting = format!("TANIST_TEST_MARK={mark}");
        let sleeper = Sleeper::start("/bin/sleep", &mark);
        let own = rustix::process::getuid().as_raw();
        assert_eq!(real_user(sleeper.0.id()), Some(own));
        let found = |users: &[u32]| find_marked_of(&setting, Some(users), |_| {}).unwrap().len();
        assert_eq!((found(&[own]), found(&[own + 1]), found(&[])), (1, 0, 0));
        assert_eq!(find_marked(&setting, |_| {}).unwrap().len(), 1);
    }

    #[test]
    fn finds_by_name_as_killall_does() {
        let directory = std::env::temp_dir().join(format!("tanist-names-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let name = format!("longer-than-fifteen-{}", std::process::id());
        let program = directory.join(&name);
        fs::copy("/bin/sleep", &program).unwrap();
        assert_eq!(find_named(&name), Ok(None));
        let mut sleeper = Sleeper::start(program.to_str().unwrap(), "");
        let found = find_named(&name).unwrap().unwrap();
        assert_eq!(found.pid, sleeper.0.id());
        assert!(found.has_name(&name));
        assert!(!found.has_name("sleep"));
        assert!(
            find_named(&name[..NAME_LENGTH]).unwrap().is_some_and(|process| process.has_name(&name[..NAME_LENGTH]))
        );
        assert_eq!(find_named(&format!("{name}x")), Ok(None));
        sleeper.0.kill().unwrap();
        sleeper.0.wait().unwrap();
        assert_eq!(find_named(&name), Ok(None));
        fs::remove_dir_all(&directory).unwrap();
    }

    /// Each of its programs has the name for a moment without the arguments that complete it.
    #[test]
    fn one_that_begins_another_program_keeps_its_name() {
        let directory = std::env::temp_dir().join(format!("tanist-renewed-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let name = format!("longer-than-fifteen-too-{}", std::process::id());
        let program = directory.join(&name);
        fs::write(&program, "#!/bin/sh\nexec \"$0\"\n").unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let restless = Sleeper::start(program.to_str().unwrap(), "");
        let process = ProcessId::of(restless.0.id()).unwrap();
        while !process.has_name(&name) {}
        for _ in 0..20_000 {
            assert!(process.has_name(&name));
        }
        drop(restless);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn knows_whose_descendant_it_is() {
        let sleeper = Sleeper::start("/bin/sleep", "");
        let lineage_of = |pid| lineage(pid).collect::<Vec<_>>();
        assert_eq!(lineage_of(sleeper.0.id())[..2], [sleeper.0.id(), std::process::id()]);
        assert!(!lineage_of(std::process::id()).contains(&sleeper.0.id()));
        // The greatest number that the kernel gives is smaller.
        assert_eq!(lineage_of(1 << 23), [1 << 23], "nobody has this number");
    }

    #[test]
    fn what_cannot_be_looked_through_is_not_empty() {
        const COPY: &str = "TANIST_TEST_COPY";
        if std::env::var_os(COPY).is_some() {
            let mut open = Vec::new();
            while let Ok(file) = fs::File::open("/dev/null") {
                open.push(file);
            }
            let list = find_marked("TANIST_TEST_MARK=nobody", |_| {}).unwrap_err();
            assert_eq!(list.to_string(), "list the processes of this machine: too many open files");
            // Room for the list, but not for what is in it.
            open.pop();
            let look = find_marked("TANIST_TEST_MARK=nobody", |_| {}).unwrap_err().to_string();
            assert!(look.starts_with("look at process ") && look.ends_with(": too many open files"), "{look}");
            return;
        }
        // In a copy of this program that may open few files.
        let name = "process_list::tests::what_cannot_be_looked_through_is_not_empty";
        let line = "ulimit -n 64; exec \"$@\"";
        let mut copy = Command::new("/bin/sh");
        copy.args(["-c", line, "sh"]).arg(std::env::current_exe().unwrap()).args(["--exact", name]).env(COPY, "1");
        let output = copy.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}
