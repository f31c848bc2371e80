//! Runs programs on the lab's host, several at a time, each with files of its own.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::corpus::{Configuration, MAIN};
use crate::support::{HOST_DIR, Host, PATIENCE, binary};
use crate::theirs::Verdict;
use crate::{ours, theirs, understood};

/// They mostly wait for the kernel.
const AT_ONCE: usize = 8;
/// How we are called where a configuration is: so we answer as keepalived would.
const LINK: &str = "keepalived";

/// Then keepalived waits for a reload.
const NOTHING_TO_RUN: &str = "keepalived has no configuration to run";

/// A program that is to run in a directory of its own with the files of a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) files: Vec<(String, String)>,
    /// The distribution's, or ours under the same name.
    pub(crate) ours: bool,
    pub(crate) arguments: Vec<String>,
    /// It is ended when it has said one of these; otherwise it ends by itself.
    pub(crate) until: &'static [&'static str],
}

/// How a job ended, and what was said on both ways out.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
}

/// What both say about each configuration.
pub(crate) fn both(host: &Host, all: &[Configuration]) -> Vec<(theirs::Answer, ours::Answer)> {
    let arguments = |one: &Configuration| ["-t", "-f", MAIN, "-i", &one.id].map(str::to_owned).to_vec();
    let job = |one: &Configuration, ours| Job { files: one.files.clone(), ours, arguments: arguments(one), until: &[] };
    let jobs = all.iter().flat_map(|one| [job(one, false), job(one, true)]).collect();
    let ran = run(host, jobs);
    let pairs = all.iter().zip(ran.chunks(2));
    pairs.map(|(one, pair)| (theirs_of(&pair[0]), ours_of(&pair[1], one))).collect()
}

/// What keepalived writes to its log when it starts with each of these, up to its settings. Then it is ended.
pub(crate) fn settings_of_keepalived<'a>(host: &Host, all: impl Iterator<Item = &'a Configuration>) -> Vec<String> {
    let job = |one: &Configuration| {
        let arguments = ["-n", "-d", "-l", "-G", "-P", "-f", MAIN, "-p", "pid", "-r", "vrrp-pid", "-i", &one.id];
        let arguments = arguments.map(str::to_owned).to_vec();
        Job { files: one.files.clone(), ours: false, arguments, until: &[understood::END, NOTHING_TO_RUN] }
    };
    run(host, all.map(job).collect()).into_iter().map(|ran| ran.output).collect()
}

fn theirs_of(ran: &Ran) -> theirs::Answer {
    let verdict = match (ran.status.code(), ran.status.signal()) {
        (Some(code), _) => Verdict::Exit(code),
        (None, signal) => Verdict::Signal(signal.unwrap_or_default()),
    };
    theirs::Answer::parse(verdict, &ran.output)
}

fn ours_of(ran: &Ran, configuration: &Configuration) -> ours::Answer {
    let Ran { status, output } = ran;
    let code = status.code().unwrap_or_else(|| panic!("{}: {status}\n{output}", configuration.name));
    ours::Answer::parse(code, output)
}

/// Runs them all and answers in their order.
pub(crate) fn run(host: &Host, jobs: Vec<Job>) -> Vec<Ran> {
    host.run(move || {
        let mut ran: Vec<Option<Ran>> = jobs.iter().map(|_| None).collect();
        let mut waiting = jobs.iter().enumerate();
        let mut running: Vec<(usize, Running)> = Vec::new();
        loop {
            while running.len() < AT_ONCE
                && let Some((number, job)) = waiting.next()
            {
                running.push((number, Running::start(job, number)));
            }
            if running.is_empty() {
                break;
            }
            running.retain_mut(|(number, one)| {
                ran[*number] = one.ended();
                ran[*number].is_none()
            });
            thread::sleep(Duration::from_millis(2));
        }
        ran.into_iter().map(|one| one.expect("it has ended")).collect()
    })
    .expect("the host has power")
}

struct Running {
    child: Child,
    directory: PathBuf,
    until: &'static [&'static str],
    deadline: Instant,
}

impl Running {
    fn start(job: &Job, number: usize) -> Self {
        let directory = Path::new(HOST_DIR).join(format!("job-{number}"));
        for (name, text) in &job.files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory");
            fs::write(&path, text).expect("write a configuration");
        }
        let mut program = PathBuf::from("keepalived");
        if job.ours {
            program = directory.join(LINK);
            symlink(binary(), &program).expect("a link to ourselves");
        }
        let file = File::create(directory.join("output")).expect("a file for the output");
        let mut command = Command::new(&program);
        command.args(&job.arguments).current_dir(&directory).stdin(Stdio::null());
        command.stdout(file.try_clone().expect("a second handle")).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("run {}: {error}", program.display()));
        Self { child, directory, until: job.until, deadline: Instant::now() + PATIENCE }
    }

    fn output(&self) -> String {
        let output = fs::read(self.directory.join("output")).expect("read the output");
        String::from_utf8_lossy(&output).into_owned()
    }

    /// Whether it has ended, perhaps because it has said enough.
    fn ended(&mut self) -> Option<Ran> {
        let mut status = self.child.try_wait().expect("wait for our child");
        let has_said = |output: &str| self.until.iter().any(|until| output.contains(until));
        let enough = !self.until.is_empty() && has_said(&self.output());
        if status.is_none() && (enough || Instant::now() > self.deadline) {
            // It may just have ended by itself.
            let _ = self.child.kill();
            status = Some(self.child.wait().expect("wait for our child"));
        }
        let ran = Ran { status: status?, output: self.output() };
        fs::remove_dir_all(&self.directory).expect("remove what we made");
        Some(ran)
    }
}
