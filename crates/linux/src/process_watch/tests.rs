//! With real processes, both where the kernel tells of beginnings and where it does not.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;

/// A shell of our own under a name of our own, which does what it is told. Ended with the test.
struct Shell {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Shell {
    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// It does what it was told before.
    fn answer(&mut self) {
        let mut line = String::new();
        self.say("echo done");
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }

    fn end(mut self) {
        self.input = None;
        self.child.wait().unwrap();
    }
}

struct Scene {
    directory: PathBuf,
    name: String,
    watch: ProcessWatch,
    _leave: [UnixStream; 2],
    changes: Vec<Change>,
}

impl Scene {
    /// Counts shells of a name of this test's own, in both ways.
    fn both(name: &str, test: impl Fn(Scene)) {
        for births in [true, false] {
            let name = format!("t{}{name}{}", u8::from(births), std::process::id());
            let directory = std::env::temp_dir().join(format!("tanist-{name}"));
            fs::create_dir_all(&directory).unwrap();
            fs::copy("/bin/sh", directory.join(&name)).unwrap();
            let (leave, theirs) = UnixStream::pair().unwrap();
            let patterns = vec![
                Pattern { words: vec![name.clone().into()], by: MatchBy::Name },
                Pattern {
                    words: vec![directory.join(&name).into_os_string().into_encoded_bytes()],
                    by: MatchBy::AllWords,
                },
            ];
            let watch = if births {
                ProcessWatch::open(patterns, None, &theirs)
            } else {
                ProcessWatch::open_without_births(patterns, &theirs)
            };
            let watch = watch.unwrap();
            test(Scene { directory, name, watch, _leave: [leave, theirs], changes: Vec::new() });
        }
    }

    fn start(&self) -> Shell {
        let mut command = Command::new(self.directory.join(&self.name));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Shell { child, input, output }
    }

    /// Waits until so many fit each pattern. (Each `wait` ends, because something happens that ends it.) In the middle of
    /// becoming another program a process has its new name already and no command line yet: one alone says too little.
    fn expect(&mut self, count: u32) {
        while self.watch.counts() != [count; 2] {
            assert!(self.watch.wait(&mut self.changes).unwrap());
        }
    }

    fn last(&self, pattern: usize) -> Change {
        *self.changes.iter().rev().find(|change| change.pattern == pattern).expect("it has changed")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn processes_come_and_go() {
    Scene::both("go", |mut scene| {
        assert_eq!(scene.watch.counts(), [0, 0]);
        let first = scene.start();
        scene.expect(1);
        let second = scene.start();
        scene.expect(2);
        first.end();
        scene.expect(1);
        assert_eq!(scene.last(0), Change { pattern: 0, count: 1, cause: Cause::Ended });
        assert_eq!(scene.last(1), Change { pattern: 1, count: 1, cause: Cause::Ended });
        second.end();
        scene.expect(0);
    });
}

#[test]
fn what_runs_already_is_counted() {
    Scene::both("was", |mut scene| {
        let mut shell = scene.start();
        shell.answer();
        let (leave, theirs) = UnixStream::pair().unwrap();
        let watch = ProcessWatch::open_without_births(scene.watch.patterns.clone(), &theirs).unwrap();
        assert_eq!(watch.counts(), [1, 1]);
        drop((watch, leave));
        scene.expect(1);
        shell.end();
        scene.expect(0);
    });
}

/// A fork has the name and the command line of its parent.
#[test]
fn a_fork_counts_until_it_becomes_another() {
    Scene::both("fork", |mut scene| {
        let mut shell = scene.start();
        scene.expect(1);
        // It waits for what never comes, and starts nothing itself: that would be one more of its name for a moment.
        let never = scene.directory.join("never");
        mkfifoat(CWD, &never, Mode::RUSR | Mode::WUSR).unwrap();
        shell.say(&format!("(read line <> {}) & echo $!", never.display()));
        let mut line = String::new();
        shell.output.read_line(&mut line).unwrap();
        scene.expect(2);
        assert_eq!(scene.last(0).cause, Cause::Forked);
        shell.say("kill $!");
        shell.say("wait $!");
        scene.expect(1);
        shell.end();
        scene.expect(0);
    });
}

/// exec makes it another at once, and it never was two.
#[test]
fn exec_makes_it_another() {
    Scene::both("exec", |mut scene| {
        let mut shell = scene.start();
        scene.expect(1);
        shell.say("exec /bin/cat");
        scene.expect(0);
        shell.end();
    });
}

/// One that has died and was not collected yet does not run.
#[test]
fn a_zombie_does_not_count() {
    Scene::both("dead", |mut scene| {
        let mut shell = scene.start();
        scene.expect(1);
        shell.child.kill().unwrap();
        scene.expect(0);
        shell.child.wait().unwrap();
    });
}

#[test]
fn leaves_when_told() {
    let (leave, theirs) = UnixStream::pair().unwrap();
    let mut watch = ProcessWatch::open_without_births(Vec::new(), &theirs).unwrap();
    drop(leave);
    assert!(!watch.wait(&mut Vec::new()).unwrap());
}
