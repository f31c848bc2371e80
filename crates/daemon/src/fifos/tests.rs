//! A pipe and its reader: what is written, lost and begun again.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{Command, NotifyScript};
use linux::clock;
use linux::spawn::Program;

use super::*;
use crate::notify::Notifier;

const SECOND: u64 = 1_000_000_000;

/// A place, a loop's belongings and the pipes.
struct Bench {
    place: PathBuf,
    poll: Poll,
    children: Children,
    told: Vec<Told>,
    fifos: Fifos,
    now: u64,
}

impl Bench {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("tanist-fifos-{name}-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        let (children, told, fifos) = (Children::default(), Vec::new(), Fifos::default());
        Self { place, poll: Poll::new().unwrap(), children, told, fifos, now: clock::boot_time() }
    }

    fn path(&self) -> PathBuf {
        self.place.join("fifo")
    }

    fn plan(&self, script: Option<&str>) -> FifoPlan {
        let us = linux::users::own_identity();
        let reader = script.map(|script| {
            let words = ["/bin/sh", "-c", script, "reader"].map(|word| CString::new(word).unwrap());
            let program = Program::new(words[0].clone(), words.to_vec());
            let said = NotifyScript { command: Command::Shell(script.to_owned()), user: None };
            ReaderPlan { notifier: Notifier { program: Arc::new(program), command: script.to_owned() }, said }
        });
        FifoPlan { keyword: "notify_fifo", path: self.path(), owner: (us.uid, us.gid), reader, pipe: None }
    }

    fn with(&mut self, act: impl FnOnce(&mut Fifos, &mut Around<'_>)) {
        let Self { poll, children, told, fifos, now, .. } = self;
        act(fifos, &mut Around { now: *now, poll, children, told });
    }

    fn configure(&mut self, plans: Vec<FifoPlan>) {
        self.with(|fifos, around| fifos.configure(plans, 7, around));
    }

    fn tell(&mut self, line: &str) {
        self.with(|fifos, around| fifos.tell(line, around));
    }

    /// What the log says meanwhile, without the path.
    fn said(&mut self) -> Vec<String> {
        let path = self.path().display().to_string();
        std::mem::take(&mut self.told).into_iter().map(|(_, text)| text.replace(&path, "FIFO")).collect()
    }

    /// Turns the loop until this is so.
    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(Instant::now() < give_up, "it never came to this: {what}; {:?}", self.told);
            let ready: Vec<u64> = self.poll.wait(Some(Duration::from_millis(5))).unwrap().collect();
            for token in ready {
                self.with(|fifos, around| fifos.ready(token, around));
            }
            for (pid, _, exit) in self.children.ended_of_ours() {
                self.with(|fifos, around| fifos.ended("notify_fifo", pid, exit, around));
            }
            self.now = clock::boot_time().max(self.now);
            self.with(|fifos, around| fifos.handle_timer(around));
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.with(|fifos, around| fifos.finish(around));
        let _ = fs::remove_dir_all(&self.place);
    }
}

fn read(path: &Path, octets: usize) -> String {
    let mut content = vec![0; octets];
    File::open(path).unwrap().read_exact(&mut content).unwrap();
    String::from_utf8(content).unwrap()
}

#[test]
fn what_a_slow_reader_has_not_taken_waits_in_order() {
    let mut bench = Bench::new("slow");
    bench.configure(vec![bench.plan(None)]);
    // More than a pipe holds.
    let lines: Vec<String> = (0..4000).map(|number| format!("INSTANCE \"VI_1\" MASTER {number:012}\n")).collect();
    for line in &lines {
        bench.tell(line);
    }
    let (path, length) = (bench.path(), lines.concat().len());
    let reader = std::thread::spawn(move || read(&path, length));
    bench.until("everything is read", |_| reader.is_finished());
    assert_eq!(reader.join().unwrap(), lines.concat());
    assert_eq!(bench.said(), [""; 0]);
}

#[test]
fn a_loss_is_counted_and_told_when_it_begins_and_when_it_is_over() {
    let mut bench = Bench::new("loss");
    bench.configure(vec![bench.plan(None)]);
    let line = |number: usize| format!("INSTANCE \"VI_1\" BACKUP {number:012}\n");
    let mut count = 0;
    while bench.told.is_empty() {
        bench.tell(&line(count));
        count += 1;
    }
    assert_eq!(bench.said(), ["notify_fifo FIFO: nobody reads it, or not fast enough: the oldest lines are lost"]);
    for number in count..count + 9 {
        bench.tell(&line(number));
    }
    assert_eq!(bench.said(), [""; 0], "told once");
    let (path, length) = (bench.path(), (count + 9 - 10) * line(0).len());
    let reader = std::thread::spawn(move || read(&path, length));
    bench.until("everything is read", |_| reader.is_finished());
    assert_eq!(bench.said(), ["notify_fifo FIFO: it is read again; 10 lines were lost"]);
    let read = reader.join().unwrap();
    assert!(read.starts_with(&line(0)) && read.ends_with(&line(count + 8)));
}

#[test]
fn a_reload_keeps_the_pipe_and_its_reader() {
    let mut bench = Bench::new("reload");
    bench.configure(vec![bench.plan(None)]);
    let mut reader = File::options().read(true).open(bench.path()).unwrap();
    bench.tell("one\n");
    bench.configure(vec![bench.plan(None)]);
    bench.tell("two\n");
    let mut read = [0; 8];
    reader.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"one\ntwo\n");
    // Somebody has cleaned up: the next reload makes it anew.
    fs::remove_file(bench.path()).unwrap();
    bench.configure(vec![bench.plan(None)]);
    assert!(bench.path().exists());
    bench.configure(Vec::new());
    assert!(!bench.path().exists(), "what is no longer configured goes");
    assert_eq!(reader.read(&mut read).unwrap(), 0);
    assert_eq!(bench.said(), [""; 0]);
}

#[test]
fn a_reader_is_started_again_later_and_later() {
    let mut bench = Bench::new("again");
    bench.configure(vec![bench.plan(Some("exit 3"))]);
    let mut said = Vec::new();
    for _ in 0..3 {
        bench.until("it has ended", |bench| !bench.told.is_empty());
        said.extend(bench.said());
        // Its time comes, without anybody waiting for it.
        bench.now = bench.fifos.deadline().expect("it is started again");
    }
    let line = |seconds: u8| {
        format!("vrrp notify fifo script terminated: exit 3 exited with status 3; it is started again in {seconds} s")
    };
    assert_eq!(said, [line(1), line(2), line(4)]);
}

#[test]
fn at_the_stop_a_reader_gets_the_last_lines_and_then_the_end() {
    let mut bench = Bench::new("stop");
    let log = bench.place.join("log");
    let script = format!("while read line; do sleep 0.05; echo \"$line\"; done < \"$1\" > {}", log.display());
    bench.configure(vec![bench.plan(Some(&script))]);
    let lines: Vec<String> = (0..10).map(|number| format!("line {number}\n")).collect();
    for line in &lines {
        bench.tell(line);
    }
    let now = clock::boot_time();
    bench.with(|fifos, _| fifos.begin_to_end(now));
    bench.until("it has ended", |bench| bench.fifos.is_idle());
    assert_eq!(fs::read_to_string(&log).unwrap(), lines.concat());
    let said = bench.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with(" exited with status 0"), "{said:?}");
}

#[test]
fn a_reader_that_does_not_end_is_asked_and_then_killed() {
    let mut bench = Bench::new("stubborn");
    bench.configure(vec![bench.plan(Some("trap '' TERM; while :; do sleep 0.1; done"))]);
    bench.tell("never read\n");
    let now = clock::boot_time();
    bench.with(|fifos, _| fifos.begin_to_end(now));
    bench.until("it has ended", |bench| bench.fifos.is_idle());
    assert!(bench.now >= now + PATIENCE + 2 * SECOND, "not before its time");
    let said = bench.said();
    assert!(said.iter().any(|line| line.ends_with(" was ended by signal 9")), "{said:?}");
}

#[test]
fn another_reader_takes_the_place_of_the_one_before() {
    let mut bench = Bench::new("another");
    let log = bench.place.join("log");
    let script = |name: &str| format!("echo {name} >> {}; read line < \"$1\"", log.display());
    bench.configure(vec![bench.plan(Some(&script("first")))]);
    bench.until("it runs", |_| fs::read_to_string(&log).is_ok_and(|log| log == "first\n"));
    bench.configure(vec![bench.plan(Some(&script("first")))]);
    bench.configure(vec![bench.plan(Some(&script("second")))]);
    bench.until("the other one runs", |_| fs::read_to_string(&log).is_ok_and(|log| log == "first\nsecond\n"));
    assert_eq!(bench.said(), [""; 0]);
}

#[test]
fn a_pipe_that_cannot_be_opened_is_told_of() {
    let mut bench = Bench::new("refused");
    fs::write(bench.path(), "a file").unwrap();
    bench.configure(vec![bench.plan(Some("exit 3"))]);
    bench.tell("nobody gets this\n");
    assert_eq!(bench.said(), ["notify_fifo: open the pipe FIFO: it is no pipe; nobody is told by it"]);
    assert_eq!(bench.children.count(), 0, "nobody is started to read it");
    fs::remove_file(bench.path()).unwrap();
}
