//! A copy of the repository in which the mutants are, and what cargo makes of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::plant::{self, Left, Mutant};

/// Where the copies are, one for each crate, so that one does not make stale what was built for the other.
const PLACE: &str = "target/mutants";

/// The copy with switches in one of its crates.
pub(crate) struct Scratch {
    krate: String,
    source: PathBuf,
    target: PathBuf,
}

impl Scratch {
    /// Copies what git knows, unless a former run's is to be used.
    pub(crate) fn new(krate: &str, built: bool) -> Result<Self, String> {
        let source = Path::new(PLACE).join(krate);
        // Cargo takes packages of the same place in different workspaces for the same.
        let target = std::path::absolute(source.with_extension("target")).map_err(|error| error.to_string())?;
        let this = Self { krate: krate.to_owned(), source, target };
        if !built {
            this.copy()?;
        }
        Ok(this)
    }

    fn copy(&self) -> Result<(), String> {
        let Self { krate, source, .. } = self;
        let listed = Command::new("git").arg("ls-files").output().map_err(|error| format!("start git: {error}"))?;
        for file in String::from_utf8_lossy(&listed.stdout).lines() {
            // The crate itself comes later, with its switches.
            if !file.starts_with(&format!("crates/{krate}/src/"))
                && let Ok(octets) = fs::read(file)
            {
                write(&source.join(file), &octets)?;
            }
        }
        Ok(())
    }

    pub(crate) fn package(&self) -> String {
        format!("tanist-{}", self.krate)
    }

    /// Plants all that compiles, which is found out by trying.
    pub(crate) fn plant(&self) -> Result<(Vec<Mutant>, Left), String> {
        let mut left = Left::default();
        // Tests have constants, too.
        let mut extents = ["--lib", "--tests"].into_iter().peekable();
        while let Some(extent) = extents.peek() {
            let (_, planted) = self.write_all(&left)?;
            let output = self
                .cargo(&["check", "--quiet", extent, "--message-format=short", "-p", &self.package()])
                .output()
                .map_err(|error| format!("start cargo: {error}"))?;
            if output.status.success() {
                extents.next();
                continue;
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let before = (left.unviable.len(), left.constants.len());
            for line in said.lines().filter(|line| line.contains(": error")) {
                blame(line, &planted, &mut left);
            }
            if (left.unviable.len(), left.constants.len()) == before {
                return Err(format!("it does not compile, and no mutant is to blame:\n{said}"));
            }
            eprintln!("{} do not compile, {} functions are constants", left.unviable.len(), left.constants.len());
        }
        let (mutants, _) = self.write_all(&left)?;
        Ok((mutants, left))
    }

    /// What a former run has planted and built, which tests may have come since: its mutants, and its programs.
    pub(crate) fn built(&self) -> Result<(Vec<Mutant>, Left, Vec<(PathBuf, PathBuf)>), String> {
        let path = self.remembered();
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut left = Left::default();
        let mut programs = Vec::new();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("unviable", number)) => left.unviable.extend(number.parse::<usize>()),
                Some(("constant", name)) => left.constants.extend([name.to_owned()]),
                Some(("program", path)) => programs.push((PathBuf::from(path), PathBuf::new())),
                // Where the program before it runs.
                Some(("in", directory)) if !programs.is_empty() => {
                    let last = programs.len() - 1;
                    programs[last].1 = PathBuf::from(directory);
                }
                _ => return Err(format!("{}: `{line}` says nothing", path.display())),
            }
        }
        let (mutants, planted) = self.plant_all(&left)?;
        let differs =
            |(name, text): &&(String, String)| fs::read(self.source.join(name)).ok() != Some(text.clone().into());
        match planted.iter().find(differs) {
            Some((name, _)) => Err(format!("{name} has changed since that was built")),
            None => Ok((mutants, left, programs)),
        }
    }

    /// Keeps what [`Self::built`] finds.
    pub(crate) fn remember(&self, left: &Left, programs: &[(PathBuf, PathBuf)]) -> Result<(), String> {
        let unviable = left.unviable.iter().map(|number| format!("unviable {number}\n"));
        let constants = left.constants.iter().map(|name| format!("constant {name}\n"));
        let programs = programs.iter();
        let programs = programs.map(|(path, place)| format!("program {}\nin {}\n", path.display(), place.display()));
        let text: String = unviable.chain(constants).chain(programs).collect();
        write(&self.remembered(), text.as_bytes())
    }

    fn remembered(&self) -> PathBuf {
        self.source.with_extension("built")
    }

    fn write_all(&self, left: &Left) -> Result<(Vec<Mutant>, Vec<(String, String)>), String> {
        let (mutants, planted) = self.plant_all(left)?;
        for (name, text) in &planted {
            write(&self.source.join(name), text.as_bytes())?;
        }
        let module = PathBuf::from(format!("crates/{}/src/mutants.rs", self.krate));
        write(&self.source.join(module), plant::MODULE.as_bytes())?;
        Ok((mutants, planted))
    }

    fn plant_all(&self, left: &Left) -> Result<(Vec<Mutant>, Vec<(String, String)>), String> {
        let root = PathBuf::from(format!("crates/{}/src", self.krate));
        let mut files = Vec::new();
        collect(&root, &mut files)?;
        let (mut mutants, mut planted) = (Vec::new(), Vec::new());
        for path in files {
            let name = path.to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
            // Modules of tests stand in files of their own.
            let mut text = match name.ends_with("tests.rs") {
                true => text,
                false => plant::plant(&name, &text, left, &mut mutants)?,
            };
            if path == root.join("lib.rs") {
                // Some divide by nothing, or shift too far: that is for the tests to find.
                let allowed = "#![allow(arithmetic_overflow, unconditional_panic, overflowing_literals)]";
                text = text.replace("#![warn(missing_docs)]", allowed);
                text.push_str("\n#[doc(hidden)]\npub mod mutants;\n");
            }
            planted.push((name, text));
        }
        Ok((mutants, planted))
    }

    /// Builds tests, `package` or `package:test`; each with the directory in which it runs.
    pub(crate) fn build(&self, tests: &[String]) -> Result<Vec<(PathBuf, PathBuf)>, String> {
        let mut programs = Vec::new();
        for test in tests {
            let (package, only) = test.split_once(':').unwrap_or((test, ""));
            let package = format!("tanist-{package}");
            let mut arguments =
                vec!["test", "--quiet", "--no-run", "--message-format=json-render-diagnostics", "-p", &package];
            if only.is_empty() {
                arguments.extend(["--lib", "--tests"]);
            } else {
                arguments.extend(["--test", only]);
            }
            let output = self.cargo(&arguments).output().map_err(|error| format!("start cargo: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
            let directory = self.source.join("crates").join(package.trim_start_matches("tanist-"));
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let found = said.lines().filter_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'));
            programs.extend(found.map(|(path, _)| (PathBuf::from(path), directory.clone())));
        }
        Ok(programs)
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(arguments)
            // A switch costs the optimiser more than it gives.
            .args(["--config", "profile.dev.package.tanist-engine.opt-level=1"])
            .current_dir(&self.source)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null());
        command
    }
}

/// Finds out which switch an error comes from: the last one before it.
fn blame(line: &str, planted: &[(String, String)], left: &mut Left) {
    if line.contains("E0015") {
        // cannot call non-const associated function `Instant::from_millis` in constants
        if let Some(name) = line.split('`').nth(1) {
            let name = name.split(['<', '(']).next().unwrap_or(name);
            left.constants.insert(name.rsplit("::").next().unwrap_or(name).to_owned());
        }
        return;
    }
    let mut parts = line.split(':');
    let (Some(file), Some(row), Some(column)) = (parts.next(), parts.next(), parts.next()) else { return };
    let (Ok(row), Ok(column)) = (row.parse::<usize>(), column.parse::<usize>()) else { return };
    let Some((_, text)) = planted.iter().find(|(name, _)| name == file) else { return };
    let begin: usize = text.split_inclusive('\n').take(row - 1).map(str::len).sum();
    let row = text[begin..].lines().next().unwrap_or_default();
    let column: usize = row.chars().take(column - 1).map(char::len_utf8).sum();
    let before = &text[..begin + column];
    let mut numbers = before.rmatch_indices("mutants::is(").filter_map(|(at, mark)| {
        let digits = &before[at + mark.len()..];
        digits[..digits.find(')')?].parse::<usize>().ok()
    });
    if let Some(number) = numbers.find(|number| !left.unviable.contains(number)) {
        left.unviable.insert(number);
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn write(path: &Path, octets: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|there| there == octets) {
        return Ok(());
    }
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    fs::write(path, octets).map_err(|error| format!("{}: {error}", path.display()))
}

/// How many there are of each.
pub(crate) fn viable<'m>(mutants: &'m [Mutant], unviable: &BTreeSet<usize>) -> Vec<&'m Mutant> {
    mutants.iter().filter(|mutant| !mutant.in_constant && !unviable.contains(&mutant.number)).collect()
}
