//! What the daemon takes away from itself once it has started ([decision 140](../../../docs/decisions/0140-what-scripts-inherit-is-asked-for.md)).
//!
//! By default it is what no script, service or reload can notice. What programs inherit (no new privileges, seccomp,
//! landlock) is for who asks for it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use config::{FigureSource, Settings};
use linux::confinement::capabilities::{self, Capabilities, Parting};
use linux::confinement::{self, files, system_calls};
use linux::system_log::Severity;

use crate::control::ControlPlace;
use crate::dump;
use crate::options::Options;
use crate::places;

/// One thing that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// Root's powers that a daemon never needs.
    Capabilities,
    /// That others look into our memory, and that it is written to a disk.
    Memory,
    /// That programs have more rights than who starts them.
    NoNewPrivileges,
    /// System calls that a daemon never makes.
    Seccomp,
    /// Writing files anywhere else than where ours are.
    Landlock,
}

impl Measure {
    const ALL: [Self; 5] = [Self::Capabilities, Self::Memory, Self::NoNewPrivileges, Self::Seccomp, Self::Landlock];

    /// Its word on the command line, in the log and in `status`.
    const fn word(self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Memory => "memory",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Seccomp => "seccomp",
            Self::Landlock => "landlock",
        }
    }

    /// Whether programs that are started have it, too, for good.
    const fn is_inherited(self) -> bool {
        matches!(self, Self::NoNewPrivileges | Self::Seccomp | Self::Landlock)
    }
}

/// What is asked for: `capabilities,memory`, `all` or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confine(BTreeSet<Measure>);

/// What nothing that is started can notice.
impl Default for Confine {
    fn default() -> Self {
        Self(Measure::ALL.into_iter().filter(|measure| !measure.is_inherited()).collect())
    }
}

impl FromStr for Confine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self(Measure::ALL.into())),
            "none" => return Ok(Self(BTreeSet::new())),
            _ => {}
        }
        let measure = |word: &str| {
            Measure::ALL.into_iter().find(|measure| measure.word() == word.trim()).ok_or_else(|| {
                let words = Measure::ALL.map(Measure::word).join(", ");
                format!("'{word}' is nothing that can be confined: all, none, or some of {words}")
            })
        };
        text.split(',').map(measure).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Confine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|measure| measure.word()).collect();
        f.write_str(if words.is_empty() { "none".to_owned() } else { words.join(",") }.as_str())
    }
}

/// What the loop and its threads still need, and why.
fn needed() -> Capabilities {
    // Addresses, links, routes, nftables, sysctls of the network, receive buffers.
    Capabilities::NET_ADMIN
        // VRRP and ARP.
        | Capabilities::NET_RAW
        // A port of the pair below 1024.
        | Capabilities::NET_BIND_SERVICE
        // Scripts and services as other users, and the ends of those.
        | Capabilities::SETUID
        | Capabilities::SETGID
        | Capabilities::KILL
        // Which of all processes a former life has left behind: their environment is their owner's.
        | Capabilities::SYS_PTRACE
        // Files of a configuration that belong to anybody, and giving away sockets and pipes.
        | Capabilities::DAC_OVERRIDE
        | Capabilities::FOWNER
        | Capabilities::CHOWN
        // Priorities, real time, memory that is not swapped out: a reload may ask for them.
        | Capabilities::SYS_NICE
        | Capabilities::SYS_RESOURCE
        | Capabilities::IPC_LOCK
}

/// What is in force, and why something that was asked for is not.
#[derive(Debug, Default)]
pub(crate) struct Confinement {
    measures: Vec<(Measure, State)>,
    /// Where files may be written, if that is restricted.
    writable: Option<Vec<PathBuf>>,
    /// Places among them that were not there, so that they could not be allowed.
    missing: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    InForce,
    NotAsked,
    Refused(String),
}

impl Confinement {
    /// Does it, for this thread and all that it starts from now on: to be called before there is another.
    pub(crate) fn begin(options: &Options, settings: &Settings, name: &places::Name) -> Self {
        let mut made = Self::default();
        // Who asks for the image of a crash wants one.
        let spared = options.core_dumps.then_some(Measure::Memory);
        let asked = |measure| options.confine.0.contains(&measure) && spared != Some(measure);
        let state = |measure: Measure, attempt: &mut dyn FnMut() -> linux::Result<()>| {
            if !asked(measure) {
                return State::NotAsked;
            }
            attempt().map_or_else(|error| State::Refused(error.to_string()), |()| State::InForce)
        };
        // Capabilities last: the kernel wants one of them for what comes before, unless new privileges were given up.
        let memory = state(Measure::Memory, &mut confinement::hide_memory);
        let privileges = state(Measure::NoNewPrivileges, &mut confinement::gain_no_privileges);
        let places = places_of_files(options, settings, name);
        let mut there = Vec::new();
        let landlock = state(Measure::Landlock, &mut || {
            make_our_directories(options, settings, name);
            let all = places.iter().map(PathBuf::as_path).chain(NO_FILES_OF_OURS.map(Path::new));
            there = files::write_only_below(all)?.into_iter().map(Path::to_owned).collect();
            Ok(())
        });
        let seccomp = state(Measure::Seccomp, &mut system_calls::refuse);
        // Programs get back what they always had, unless they are to gain nothing.
        let parting = if privileges == State::InForce { Parting::ForGood } else { Parting::LaidAside };
        let powers = state(Measure::Capabilities, &mut || capabilities::keep_only(needed(), parting));
        if landlock == State::InForce {
            made.missing = beyond(&there, places);
            made.writable = Some(there);
        }
        made.measures = vec![
            (Measure::Capabilities, powers),
            (Measure::Memory, memory),
            (Measure::NoNewPrivileges, privileges),
            (Measure::Seccomp, seccomp),
            (Measure::Landlock, landlock),
        ];
        made
    }

    /// For the log of the start.
    pub(crate) fn lines(&self) -> Vec<(Severity, String)> {
        let mut lines = Vec::new();
        let in_force: Vec<Measure> =
            self.measures.iter().filter(|(_, state)| *state == State::InForce).map(|(measure, _)| *measure).collect();
        if !in_force.is_empty() {
            let words: Vec<&str> = in_force.iter().map(|measure| measure.word()).collect();
            lines.push((Severity::Info, format!("Confined: {}", words.join(", "))));
        }
        for (measure, state) in &self.measures {
            if let State::Refused(reason) = state {
                let text = format!("Not confined as asked: {}: {reason}; going on without", measure.word());
                lines.push((Severity::Warning, text));
            }
        }
        for place in &self.missing {
            let place = place.display();
            let text = format!(
                "files in {place} cannot be written: there was no such directory when the rest was confined (landlock); make it and restart"
            );
            lines.push((Severity::Warning, text));
        }
        let inherited: Vec<&str> =
            in_force.iter().filter(|measure| measure.is_inherited()).map(|measure| measure.word()).collect();
        if !inherited.is_empty() {
            let text = format!("Scripts and services that are started have this, too: {}", inherited.join(", "));
            lines.push((Severity::Info, text));
        }
        lines
    }

    /// What a new configuration wants written that may not be: that was decided at the start.
    pub(crate) fn out_of_reach(
        &self,
        options: &Options,
        settings: &Settings,
        name: &places::Name,
    ) -> Vec<(Severity, String)> {
        let Some(reach) = &self.writable else { return Vec::new() };
        let out = beyond(reach, places_of_files(options, settings, name));
        out.iter().map(|place| {
            let place = place.display();
            let text = format!("files in {place} cannot be written: what is confined (landlock) was decided at the start, a restart decides it anew");
            (Severity::Warning, text)
        }).collect()
    }

    /// In the words of the control socket.
    pub(crate) fn status(&self) -> api::Confinement {
        let measure = |(measure, state): &(Measure, State)| api::Measure {
            name: measure.word().to_owned(),
            asked: *state != State::NotAsked,
            in_force: *state == State::InForce,
            reason: match state {
                State::Refused(reason) => Some(reason.clone()),
                State::InForce | State::NotAsked => None,
            },
        };
        api::Confinement {
            user: linux::users::own_identity().uid,
            capabilities: capabilities::names(capabilities::effective().unwrap_or(Capabilities::empty())),
            measures: self.measures.iter().map(measure).collect(),
        }
    }
}

/// What is no file of ours, and is written all the same: programs without input, options of the network, groups of
/// processes.
const NO_FILES_OF_OURS: [&str; 3] = ["/dev/null", "/proc/sys/net", "/sys/fs/cgroup"];

/// The directories of the files that we write, as far as the configuration tells now.
fn places_of_files(options: &Options, settings: &Settings, name: &places::Name) -> Vec<PathBuf> {
    let process = &settings.process;
    let (dumps, reload) = (&process.dumps, &process.reload);
    let control = match &options.control {
        ControlPlace::At(path) => Some(path),
        ControlPlace::None => None,
    };
    let sign = name.reload_sign(process);
    let pid_files = name.pid_files(options);
    let tracked = settings.trackers.iter().filter_map(|tracker| match &tracker.source {
        FigureSource::File { path, initial: Some(_), .. } => Some(path),
        _ => None,
    });
    let fifos = [&settings.global.notify_fifo, &settings.global.vrrp_notify_fifo].into_iter().flatten();
    let fifos = fifos.map(|fifo| &fifo.path);
    let files =
        [control, options.log.file.as_ref(), sign.as_ref(), reload.findings.as_ref(), reload.time_file.as_ref()];
    let files = files.into_iter().flatten().chain([&dumps.state, &dumps.statistics, &dumps.json].into_iter().flatten());
    let files = files.chain(&pid_files).chain(tracked).chain(fifos);
    let mut places: BTreeSet<PathBuf> = files.filter_map(|path| path.parent().map(Path::to_owned)).collect();
    places.extend(options.state_directory.clone());
    places.extend(process.save_directory.clone());
    places.insert(dump::directory());
    places.into_iter().collect()
}

/// Those that are not within one of the places in `reach`.
fn beyond(reach: &[PathBuf], places: Vec<PathBuf>) -> Vec<PathBuf> {
    places.into_iter().filter(|place| !reach.iter().any(|within| place.starts_with(within))).collect()
}

/// So that there is something to allow.
fn make_our_directories(options: &Options, settings: &Settings, name: &places::Name) {
    let mut directories = Vec::new();
    directories.extend(settings.process.save_directory.clone().map(|directory| (directory, 0o700)));
    if let ControlPlace::At(path) = &options.control {
        directories.extend(path.parent().map(|directory| (directory.to_owned(), 0o755)));
    }
    directories.extend(options.state_directory.clone().map(|directory| (directory, 0o700)));
    let files = name.pid_files(options).into_iter().chain(name.reload_sign(&settings.process));
    directories.extend(files.filter_map(|path| path.parent().map(|directory| (directory.to_owned(), 0o755))));
    for (directory, mode) in directories {
        // Why it cannot be made is told by who needs it.
        let _ = std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), mode)
            .recursive(true)
            .create(directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_said_in_words() {
        let read = |text: &str| text.parse::<Confine>().map(|confine| confine.to_string());
        assert_eq!(Confine::default().to_string(), "capabilities,memory");
        assert_eq!(read("seccomp, memory"), Ok("memory,seccomp".to_owned()));
        assert_eq!(read("all"), Ok("capabilities,memory,no-new-privileges,seccomp,landlock".to_owned()));
        assert_eq!(read("none"), Ok("none".to_owned()));
        let words = "all, none, or some of capabilities, memory, no-new-privileges, seccomp, landlock";
        for (text, word) in [("", ""), ("seccomp,", ""), ("all,seccomp", "all"), ("Seccomp", "Seccomp")] {
            assert_eq!(read(text), Err(format!("'{word}' is nothing that can be confined: {words}")), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_started_can_notice_the_default() {
        assert!(Confine::default().0.iter().all(|measure| !measure.is_inherited()));
    }
}
