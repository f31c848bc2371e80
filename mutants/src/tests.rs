//! Runs the tests with one mutant after the other on: of each program only the tests that come to its place, the fast
//! ones first.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// A mutant may make a test go on for ever: it has so much of a processor, and ten times what it takes without.
const PATIENCE: Duration = Duration::from_secs(10);
/// A busy machine gives it that in this many times as long.
const SLOWEST: u32 = 30;
/// What the kernel ends it with when it has had all of that.
const SIGXCPU: i32 = 24;
/// Nor may it take all memory, in KiB.
const MEMORY: &str = "4000000";
/// So many tests in the first runs of a mutant.
const FIRST_RUNS: [usize; 2] = [12, 60];
/// Where is kept what tests meet.
const MET: &str = "target/mutants/met";

struct Test {
    name: String,
    program: usize,
    took: Duration,
}

/// All tests, and which places they come to.
pub(crate) struct Tests {
    programs: Vec<(PathBuf, PathBuf)>,
    /// The fastest first.
    tests: Vec<Test>,
    /// Those that are run.
    kept: Range<usize>,
    /// By mutant.
    met_by: BTreeMap<usize, Vec<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Caught,
    /// Because a test did not come to its end.
    Endless,
    Missed,
    /// No test comes to its place.
    NotMet,
}

impl Tests {
    /// Lets each test run alone, with nothing on.
    pub(crate) fn look(programs: Vec<(PathBuf, PathBuf)>) -> Result<Self, String> {
        let mut found = Vec::new();
        for program in 0..programs.len() {
            let (path, _) = &programs[program];
            let remembered = remembered_in(path)?;
            let known = fs::read_to_string(&remembered).ok();
            let known = match known {
                Some(known) => known,
                None => {
                    let known = watch(&programs, program)?;
                    fs::write(&remembered, &known).map_err(|error| format!("{}: {error}", remembered.display()))?;
                    known
                }
            };
            for line in known.lines() {
                let mut words = line.split(' ');
                let (Some(name), Some(Ok(took))) = (words.next(), words.next().map(str::parse)) else { continue };
                let test = Test { name: name.to_owned(), program, took: Duration::from_millis(took) };
                found.push((test, words.filter_map(|word| word.parse().ok()).collect::<Vec<usize>>()));
            }
        }
        found.sort_by_key(|(test, _)| test.took);
        let mut met_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, (_, met)) in found.iter().enumerate() {
            met.iter().for_each(|number| met_by.entry(*number).or_default().push(index));
        }
        let tests: Vec<Test> = found.into_iter().map(|(test, _)| test).collect();
        Ok(Self { programs, kept: 0..tests.len(), tests, met_by })
    }

    /// Leaves out those that take longer, or no longer, than that.
    pub(crate) fn only_between(&mut self, shortest: Option<Duration>, longest: Option<Duration>) {
        let places = |took: Duration| self.tests.partition_point(|test| test.took <= took);
        let kept = shortest.map_or(0, places)..longest.map_or(self.tests.len(), places);
        self.met_by.values_mut().for_each(|tests| tests.retain(|test| kept.contains(test)));
        self.met_by.retain(|_, tests| !tests.is_empty());
        self.kept = kept;
    }

    pub(crate) fn count(&self) -> usize {
        self.kept.len()
    }

    /// What becomes of one mutant.
    pub(crate) fn try_mutant(&self, number: usize) -> Result<Fate, String> {
        let Some(mut rest) = self.met_by.get(&number).map(Vec::as_slice) else { return Ok(Fate::NotMet) };
        let mut runs = FIRST_RUNS.into_iter();
        while !rest.is_empty() {
            let now;
            (now, rest) = rest.split_at(runs.next().unwrap_or(rest.len()).min(rest.len()));
            let mut by_program: BTreeMap<usize, Vec<&Test>> = BTreeMap::new();
            now.iter().map(|index| &self.tests[*index]).for_each(|test| {
                by_program.entry(test.program).or_default().push(test);
            });
            for (program, tests) in by_program {
                let names: Vec<&str> = tests.iter().map(|test| &*test.name).collect();
                let usual: Duration = tests.iter().map(|test| test.took).sum();
                let patience = PATIENCE + usual * 10;
                let mut command = command(&self.programs, program, patience, &names);
                command.env("MUTANT", number.to_string());
                let child = command.spawn().map_err(|error| format!("start a test: {error}"))?;
                match ended(child, patience * SLOWEST) {
                    Some(true) => {}
                    Some(false) => return Ok(Fate::Caught),
                    None => return Ok(Fate::Endless),
                }
            }
        }
        Ok(Fate::Missed)
    }
}

/// Lets each test of a program run alone, with nothing on: its name, how long it takes, and what it meets.
fn watch(programs: &[(PathBuf, PathBuf)], program: usize) -> Result<String, String> {
    let (path, _) = &programs[program];
    let met_in = remembered_in(path)?.with_extension("met");
    let output = Command::new(path).args(["--list", "--format", "terse"]).output();
    let output = output.map_err(|error| format!("start {}: {error}", path.display()))?;
    let mut text = String::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some(name) = line.strip_suffix(": test") else { continue };
        let begun_at = Instant::now();
        let patience = Duration::from_secs(600);
        let mut command = command(programs, program, patience, &[name]);
        command.env("MUTANTS_MET", &met_in);
        let child = command.spawn().map_err(|error| format!("start {}: {error}", path.display()))?;
        let well = ended(child, patience * SLOWEST) == Some(true);
        let took = begun_at.elapsed();
        let met = fs::read_to_string(&met_in).unwrap_or_default();
        let _ = fs::remove_file(&met_in);
        if well {
            let met: Vec<&str> = met.lines().collect();
            text.push_str(&format!("{name} {} {}\n", took.as_millis(), met.join(" ")));
        } else {
            // It counts allocations, or time: what watches it is in its way.
            println!("left out: {name} of {} fails while it is watched", path.display());
        }
    }
    Ok(text)
}

/// Where that is kept for as long as the program is the same.
fn remembered_in(program: &Path) -> Result<PathBuf, String> {
    let built_at = fs::metadata(program).and_then(|metadata| metadata.modified());
    let built_at = built_at.map_err(|error| format!("{}: {error}", program.display()))?;
    let since = built_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let path = std::path::absolute(MET).map_err(|error| error.to_string())?;
    fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.join(format!("{name}-{}.txt", since.as_nanos())))
}

fn command(programs: &[(PathBuf, PathBuf)], program: usize, patience: Duration, names: &[&str]) -> Command {
    let (path, directory) = &programs[program];
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v $0; ulimit -S -t $1; shift; exec \"$@\"", MEMORY])
        .arg(patience.as_secs().to_string())
        .arg(path)
        .arg("--exact")
        .args(names)
        .current_dir(directory)
        .env_remove("UPDATE_EXPECT")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Whether it succeeds; `None` if it does not come to an end.
fn ended(mut child: Child, patience: Duration) -> Option<bool> {
    let begun_at = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return (status.signal() != Some(SIGXCPU)).then(|| status.success());
        }
        if begun_at.elapsed() > patience {
            // It may have ended in this moment.
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
