//! Plants mistakes in a copy of the engine, one after the other, and shows who finds each: the scenarios, the model
//! check, or the hunt. A safety net that has never caught anything is only a hope.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is copied to where a mistake may be made.
const COPIED: [&str; 6] = ["Cargo.toml", "Cargo.lock", "crates/engine", "crates/sim", "crates/model", "scenarios"];
/// Apart from the usual directory, whose parts it would all make stale.
const SCRATCH: &str = "target/planted";
/// Whoever finds it, finds it within this time; a program that does not come to an end has been broken by the mistake.
const PATIENCE: Duration = Duration::from_secs(1200);
/// So much of a hunt, unless told otherwise.
const SEEDS: &str = "1000";

/// One mistake: `planted/NAME.txt`.
struct Mistake {
    name: String,
    /// What a person would have done wrong.
    what: String,
    file: String,
    /// Some lines of that file, which are there once.
    old: String,
    new: String,
}

/// Who looks for mistakes.
#[derive(Clone, Copy, Debug)]
enum Hunter {
    Scenarios,
    Model,
    Hunt,
}

const HUNTERS: [Hunter; 3] = [Hunter::Scenarios, Hunter::Model, Hunter::Hunt];

impl Hunter {
    const fn name(self) -> &'static str {
        match self {
            Self::Scenarios => "scenarios",
            Self::Model => "model",
            Self::Hunt => "hunt",
        }
    }

    /// What must be built for it.
    const fn package(self) -> &'static str {
        match self {
            Self::Scenarios | Self::Hunt => "tanist-sim",
            Self::Model => "tanist-model",
        }
    }
}

pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (mut only, mut every, mut seeds, mut hunters) = (Vec::new(), false, SEEDS, HUNTERS.to_vec());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--check" => return check(Path::new(".")).map(|count| println!("{count} mistakes can be planted")),
            "--every" => every = true,
            "--by" => {
                let name = *rest.next().ok_or("--by needs scenarios, model or hunt")?;
                hunters.retain(|hunter| hunter.name() == name);
            }
            "--seeds" => seeds = rest.next().ok_or("--seeds needs a number")?,
            "--only" => only.push(*rest.next().ok_or("--only needs the name of a file in planted/, without .txt")?),
            other => {
                return Err(format!(
                    "there is no option {other}; there are --check, --every, --by scenarios|model|hunt, --seeds N and --only NAME"
                ));
            }
        }
    }
    let mut mistakes = read_all(Path::new("."))?;
    if let Some(unknown) = only.iter().find(|name| mistakes.iter().all(|mistake| mistake.name != **name)) {
        return Err(format!("there is no planted/{unknown}.txt"));
    }
    mistakes.retain(|mistake| only.is_empty() || only.contains(&&*mistake.name));
    let place = Path::new(SCRATCH).join("source");
    copy(&place)?;
    // Otherwise what they find would say nothing. Where only some are asked for, that is known already.
    for hunter in hunters.iter().copied().filter(|_| only.is_empty()) {
        let (finding, took) = go(hunter, &place, seeds)?;
        if let Some(finding) = finding {
            return Err(format!("{} finds something where nothing is planted:\n{finding}", hunter.name()));
        }
        println!("nothing planted: {} finds nothing, {} s", hunter.name(), took.as_secs());
    }
    let mut missed = Vec::new();
    for mistake in &mistakes {
        let path = place.join(&mistake.file);
        let sound = read(&path)?;
        write(&path, &mistake.planted_in(&sound)?)?;
        let found = hunt(&place, &hunters, every, seeds);
        write(&path, &sound)?;
        let found = found.map_err(|reason| format!("{}: {reason}", mistake.name))?;
        println!("{:<30} {}", mistake.name, if found.is_empty() { "NOT FOUND" } else { &found });
        if found.is_empty() {
            missed.push(format!("{}: {}", mistake.name, mistake.what));
        }
    }
    println!("{} of {} found", mistakes.len() - missed.len(), mistakes.len());
    if missed.is_empty() { Ok(()) } else { Err(format!("nobody finds:\n{}", missed.join("\n"))) }
}

/// Whether every mistake still has its place; how many there are.
fn check(root: &Path) -> Result<usize, String> {
    let mistakes = read_all(root)?;
    for mistake in &mistakes {
        mistake.planted_in(&read(&root.join(&mistake.file))?)?;
    }
    Ok(mistakes.len())
}

fn hunt(place: &Path, hunters: &[Hunter], every: bool, seeds: &str) -> Result<String, String> {
    let mut found = Vec::new();
    for hunter in hunters.iter().copied() {
        let (finding, took) = go(hunter, place, seeds)?;
        if finding.is_some() {
            found.push(format!("{} ({:.1} s)", hunter.name(), took.as_secs_f64()));
            if !every {
                break;
            }
        }
    }
    Ok(found.join(", "))
}

fn read_all(root: &Path) -> Result<Vec<Mistake>, String> {
    let directory = root.join("planted");
    let entries = fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    paths.iter().map(|path| Mistake::parse(path, &read(path)?)).collect()
}

impl Mistake {
    /// A paragraph that says what it is, `in FILE`, lines with `-` that are there, lines with `+` to put there instead.
    fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (what, rest) = text.split_once("\n\nin ").ok_or(format!("{name}: no line `in FILE` after an empty one"))?;
        let (file, lines) = rest.split_once('\n').ok_or(format!("{name}: nothing after `in FILE`"))?;
        let (mut old, mut new) = (String::new(), String::new());
        for line in lines.lines() {
            match (line.strip_prefix('-'), line.strip_prefix('+')) {
                (Some(line), _) => old.extend([line, "\n"]),
                (_, Some(line)) => new.extend([line, "\n"]),
                (None, None) => return Err(format!("{name}: a line begins with neither - nor +: {line}")),
            }
        }
        if old.is_empty() || old == new {
            return Err(format!("{name}: it changes nothing"));
        }
        Ok(Self { name, what: what.to_owned(), file: file.to_owned(), old, new })
    }

    fn planted_in(&self, sound: &str) -> Result<String, String> {
        match sound.matches(&self.old).count() {
            1 => Ok(sound.replacen(&self.old, &self.new, 1)),
            count => Err(format!(
                "planted/{}.txt: its lines are in {} {count} times, not once; write down anew where the mistake would be made",
                self.name, self.file
            )),
        }
    }
}

/// The source as it stands here, as a workspace of its own. Files that have not changed keep their age.
fn copy(place: &Path) -> Result<(), String> {
    let mut files = BTreeMap::new();
    for root in COPIED {
        collect(Path::new(root), &mut files)?;
    }
    for (file, mut text) in files {
        if file == Path::new("Cargo.toml") {
            let lines = text.lines().filter(|line| !line.starts_with("default-members"));
            let lines =
                lines.map(|line| if line.starts_with("members = ") { "members = [\"crates/*\"]" } else { line });
            text = lines.collect::<Vec<_>>().join("\n");
        }
        write(&place.join(file), &text)?;
    }
    Ok(())
}

fn collect(path: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<(), String> {
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
        for entry in entries.filter_map(Result::ok) {
            collect(&entry.path(), files)?;
        }
    } else {
        files.insert(path.to_owned(), read(path)?);
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn build(place: &Path, package: &str) -> Result<(), String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(["build", "--quiet", "--offline", "--bins", "-p", package])
        .current_dir(place)
        .env("CARGO_TARGET_DIR", std::path::absolute(SCRATCH).map_err(|error| error.to_string())?.join("target"))
        // A warning that the mistake brings with it is none of our business.
        .env("RUSTFLAGS", "--cap-lints=allow")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .output()
        .map_err(|error| format!("start cargo: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("it does not compile:\n{said}")) }
}

/// Lets one of them look; what it finds, if it does.
fn go(hunter: Hunter, place: &Path, seeds: &str) -> Result<(Option<String>, Duration), String> {
    build(place, hunter.package())?;
    let program = |name: &str| Path::new(SCRATCH).join("target/debug").join(name);
    let (program, arguments) = match hunter {
        Hunter::Scenarios => {
            let mut files = BTreeMap::new();
            collect(&place.join("scenarios"), &mut files)?;
            let files = files.into_keys().filter(|path| path.extension().is_some_and(|end| end == "txt"));
            let files: Vec<String> = files.map(|path| path.to_string_lossy().into_owned()).collect();
            (program("tanist-sim"), [vec!["run".to_owned()], files].concat())
        }
        Hunter::Model => (program("tanist-model"), vec!["--first".to_owned()]),
        Hunter::Hunt => (program("tanist-sim"), ["hunt", "--seeds", seeds, "--shown", "0"].map(str::to_owned).into()),
    };
    let said_to = Path::new(SCRATCH).join("said.txt");
    let said = fs::File::create(&said_to).map_err(|error| format!("{}: {error}", said_to.display()))?;
    let begun_at = Instant::now();
    let mut child = Command::new(&program)
        .args(arguments)
        .stdout(said)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("start {}: {error}", program.display()))?;
    loop {
        let took = begun_at.elapsed();
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            let said = fs::read(&said_to).unwrap_or_default();
            let said = String::from_utf8_lossy(&said).into_owned();
            return Ok(((!status.success()).then_some(said), took));
        }
        if took > PATIENCE {
            // It may have ended in this moment.
            let _ = child.kill();
            let _ = child.wait();
            return Ok((Some("does not come to an end".to_owned()), took));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where it stands; what they find is seen by hand, with `cargo xtask planted`.
    #[test]
    fn every_mistake_can_still_be_planted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let count = check(&root).unwrap_or_else(|reason| panic!("{reason}"));
        assert!(count >= 20, "only {count}");
    }

    #[test]
    fn a_mistake_is_one_place_and_what_comes_there() {
        let text = "The timer is not set.\n\nin a.rs\n-    set(timer);\n-\n+    let _ = timer;\n";
        let mistake = Mistake::parse(Path::new("planted/x.txt"), text).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!((&*mistake.name, &*mistake.what, &*mistake.file), ("x", "The timer is not set.", "a.rs"));
        assert_eq!(mistake.planted_in("1\n    set(timer);\n\n2\n").as_deref(), Ok("1\n    let _ = timer;\n2\n"));
        for other in ["1\n2\n", "    set(timer);\n\n    set(timer);\n\n"] {
            assert!(mistake.planted_in(other).is_err_and(|reason| reason.contains("planted/x.txt")));
        }
    }
}
