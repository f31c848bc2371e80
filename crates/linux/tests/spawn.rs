//! Programs that are really started.

mod common;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tanist_linux::netns::Namespace;
use tanist_linux::process::signal_group;
use tanist_linux::signals::{Signal, Signals};
use tanist_linux::spawn::{Child, Exit, Program, Stream, reap};
use tanist_linux::users::{Identity, own_identity};

/// `reap` collects every child of the process: one test at a time.
static CHILDREN: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    CHILDREN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn c_string(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn program(arguments: &[&str]) -> Program {
    Program::new(c_string(arguments[0]), arguments.iter().copied().map(c_string).collect())
}

fn shell(command: &str) -> Program {
    program(&["/bin/sh", "-c", command]).environment(vec![c_string("PATH=/usr/sbin:/usr/bin:/sbin:/bin")])
}

fn wait_for(child: Child) -> Exit {
    let [exit] = wait_for_all([child]);
    exit
}

fn wait_for_all<const N: usize>(children: [Child; N]) -> [Exit; N] {
    let mut ended = BTreeMap::new();
    for _ in 0..3000 {
        reap(&mut |pid, exit| {
            ended.insert(pid, exit);
        });
        if children.iter().all(|child| ended.contains_key(&child.pid)) {
            return children.map(|child| ended[&child.pid]);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not end");
}

/// A file without a name, for what a program says.
fn memory() -> std::fs::File {
    std::fs::File::from(rustix::fs::memfd_create("output", rustix::fs::MemfdFlags::CLOEXEC).unwrap())
}

fn output_of(program: Program) -> String {
    let mut file = memory();
    let program = program.stdout(Stream::File(file.try_clone().unwrap().into()));
    assert_eq!(wait_for(program.start().unwrap()), Exit::Code(0));
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// A script in a directory of its own, which goes with it.
struct Script(PathBuf);

impl Script {
    fn new(name: &str, text: &str, mode: u32) -> Script {
        let directory = std::env::temp_dir().join(format!("tanist-spawn-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("script");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Script(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[test]
fn tells_how_a_program_ended() {
    let _alone = alone();
    assert_eq!(wait_for(program(&["/bin/true"]).start().unwrap()), Exit::Code(0));
    assert_eq!(wait_for(shell("exit 7").start().unwrap()), Exit::Code(7));
    assert_eq!(wait_for(shell("kill -KILL $$").start().unwrap()), Exit::Signal(9));
    reap(&mut |pid, exit| panic!("{pid} {exit:?} was nobody's"));
}

#[test]
fn gives_arguments_and_exactly_this_environment() {
    let _alone = alone();
    let program = program(&["/bin/sh", "-c", "echo \"$0 $*\"; env | grep -v ^_= | grep -v ^PWD= | sort", "a b", "c"]);
    let text = output_of(program.environment(vec![c_string("PATH=/usr/bin:/bin"), c_string("X=1 2")]));
    assert_eq!(text, "a b c\nPATH=/usr/bin:/bin\nX=1 2\n");
}

#[test]
fn can_be_started_again_and_again() {
    let _alone = alone();
    let program = shell("exit 3");
    for _ in 0..20 {
        assert_eq!(wait_for(program.start().unwrap()), Exit::Code(3));
    }
}

#[test]
fn tells_why_a_program_can_not_be_started() {
    let _alone = alone();
    let refusal = |program: Program| program.start().unwrap_err().to_string();
    assert_eq!(refusal(program(&["/no/such/program"])), "start /no/such/program: no such file or directory");
    let script = Script::new("mode", "exit 0\n", 0o644);
    assert_eq!(refusal(program(&[script.path()])), format!("start {}: permission denied", script.path()));
    let nowhere = shell("true").directory(c_string("/no/such/directory"));
    assert_eq!(refusal(nowhere), "change to /no/such/directory for /bin/sh: no such file or directory");
    reap(&mut |pid, exit| panic!("{pid} {exit:?} was left behind"));
}

/// As a file on a disk that stalls: it cannot be opened before this is dropped.
struct Stalled {
    _lease: std::fs::File,
}

impl Stalled {
    #[allow(unsafe_code)]
    fn new(path: &str) -> std::io::Result<Stalled> {
        /// `F_SETSIG` (fcntl(2)).
        const SET_SIGNAL: libc::c_int = 10;
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
        // The kernel asks for the lease back with this signal, which is ignored, and lets whoever wants the file wait.
        for (command, value) in [(SET_SIGNAL, libc::SIGURG), (libc::F_SETLEASE, libc::F_WRLCK)] {
            // SAFETY: numbers only, and the file is open.
            if unsafe { libc::fcntl(file.as_raw_fd(), command, value) } == -1 {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(Stalled { _lease: file })
    }
}

#[test]
fn nobody_waits_for_a_program_whose_file_is_slow() {
    let _alone = alone();
    let well = Script::new("slow", "#!/bin/sh\nexit 5\n", 0o755);
    let broken = Script::new("slow-and-broken", "#!/no/such/interpreter\n", 0o755);
    let stalled = match [&well, &broken].map(|script| Stalled::new(script.path())) {
        [Ok(first), Ok(second)] => [first, second],
        // Not every file system has leases.
        [Err(error), _] | [_, Err(error)] => {
            let place = std::env::temp_dir();
            let line = format!("SKIPPED, NOTHING TESTED: no lease of a file in {}: {error}", place.display());
            writeln!(std::io::stderr(), "{line}").expect("standard error is open");
            return;
        }
    };
    let children = [&well, &broken].map(|script| program(&[script.path()]).start().unwrap());
    // Both have begun, and others are not kept waiting.
    assert_eq!(wait_for(shell("exit 7").start().unwrap()), Exit::Code(7));
    reap(&mut |pid, exit| panic!("{pid} {exit:?} has ended before it could begin"));
    drop(stalled);
    assert_eq!(wait_for_all(children), [Exit::Code(5), Exit::Code(127)]);
    assert_eq!(program(&["/no/such/program"]).start().unwrap_err().errno(), Some(libc::ENOENT));
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let _alone = alone();
    let script = Script::new("bare", "echo \"$0 $1\"\nexit $2\n", 0o755);
    let program = program(&[script.path(), "one", "0"]);
    assert_eq!(output_of(program), format!("{} one\n", script.path()));
}

#[test]
fn streams_are_null_or_given_and_nothing_else_is_open() {
    let _alone = alone();
    // One that is not closed by the kernel when a program is executed.
    let (leak, _other) = rustix::pipe::pipe().unwrap();
    let text = output_of(shell("for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done; ls /proc/$$/fd"));
    drop(leak);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "/dev/null");
    assert!(lines[1].starts_with("/memfd:output"), "{text}");
    assert_eq!(lines[2], "/dev/null");
    // The shell may keep one of its own open to read from.
    assert_eq!(lines[3..].iter().filter(|fd| fd.parse::<u32>().unwrap() < 10).count(), 3, "{text}");

    let mut input = memory();
    input.write_all(b"said\n").unwrap();
    input.rewind().unwrap();
    assert_eq!(output_of(shell("cat; cat <&2").stdin(Stream::File(input.into()))), "said\n");
}

#[test]
fn begins_with_default_signals_in_a_group_of_its_own() {
    let _alone = alone();
    let _signals = Signals::block(&[Signal::HANGUP, Signal::USER_1, Signal::realtime(7)]).unwrap();
    let text = output_of(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; ps -o pgid= -p $$ | tr -d ' '; echo $$"));
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[..2] {
        assert!(line.ends_with("0000000000000000"), "{text}");
    }
    assert_eq!(lines[2], lines[3], "{text}");
}

#[test]
fn ends_with_all_that_it_started() {
    let _alone = alone();
    let mut file = memory();
    let program = shell("sleep 300 & echo $!; sleep 300").stdout(Stream::File(file.try_clone().unwrap().into()));
    let child = program.start().unwrap();
    let mut text = String::new();
    while !text.ends_with('\n') {
        std::thread::sleep(Duration::from_millis(5));
        text.clear();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
    }
    signal_group(child.pid, Signal::TERMINATE).unwrap();
    assert_eq!(wait_for(child), Exit::Signal(15));
    let grandchild = PathBuf::from(format!("/proc/{}/stat", text.trim()));
    for _ in 0..3000 {
        // Gone, or a zombie that nobody has collected yet.
        match std::fs::read_to_string(&grandchild) {
            Ok(stat) if !stat.contains(") Z ") => std::thread::sleep(Duration::from_millis(10)),
            _ => return,
        }
    }
    panic!("the grandchild lives");
}

#[test]
fn runs_as_somebody_else() {
    let _alone = alone();
    let text = output_of(shell("id -u; id -g; id -G").identity(own_identity()));
    assert!(text.starts_with(&format!("{}\n{}\n", own_identity().uid, own_identity().gid)), "{text}");
    let nobody = Identity { uid: 65534, gid: 65533, groups: vec![65533, 1234] };
    match shell("true").identity(nobody.clone()).start() {
        Ok(child) => {
            assert_eq!(wait_for(child), Exit::Code(0));
            assert_eq!(output_of(shell("id -u; id -g; id -G").identity(nobody)), "65534\n65533\n65533 1234\n");
        }
        Err(error) => {
            let mapped = std::fs::read_to_string("/proc/self/setgroups").unwrap() == "deny\n";
            assert!(own_identity().uid != 0 || mapped, "root may: {error}");
            assert_eq!(error.to_string(), "become user 65534 for /bin/sh: operation not permitted");
        }
    }
}

#[test]
fn dies_with_the_thread_that_started_it() {
    let _alone = alone();
    let child =
        std::thread::spawn(|| shell("exec sleep 300").death_signal(Signal::TERMINATE).start().unwrap()).join().unwrap();
    assert_eq!(wait_for(child), Exit::Signal(15));
}

#[test]
fn starts_in_a_namespace() {
    let _alone = alone();
    let namespace = match Namespace::create() {
        Ok(namespace) => namespace,
        Err(error) => {
            common::skipped(&error);
            return;
        }
    };
    let inside = namespace.run(|| std::fs::read_link("/proc/thread-self/ns/net").unwrap()).unwrap();
    let text = output_of(shell("readlink /proc/self/ns/net").namespace(namespace));
    assert_eq!(text.trim(), inside.to_str().unwrap());
    assert_ne!(text.trim(), std::fs::read_link("/proc/self/ns/net").unwrap().to_str().unwrap());
}
