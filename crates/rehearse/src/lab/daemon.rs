//! How to start, address and stop the daemon of a host.

use std::path::{Path, PathBuf};

use linux::signals::Signal;

/// A daemon that stays in the foreground, as a command with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// The name under which its lines and its end appear in the journal.
    pub name: String,
    /// Program and arguments. `{conf}` stands for the configuration file, `{dir}` for a directory of the host that is
    /// empty when the host is switched on, `{disk}` for one whose files survive a loss of power.
    pub command: Vec<String>,
    /// What makes it stop in order.
    pub stop: i32,
    /// What makes it read its configuration again.
    pub reload: i32,
}

impl Daemon {
    /// Any daemon that understands keepalived's signals.
    #[must_use]
    pub fn new(name: &str, command: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            stop: Signal::TERMINATE.0,
            reload: Signal::HANGUP.0,
        }
    }

    /// keepalived as distributions ship it. It logs to its standard error only: without a syslog daemon it would write
    /// to the console and wait for it.
    #[must_use]
    pub fn keepalived() -> Self {
        Self::new(
            "keepalived",
            &[
                "keepalived",
                "--dont-fork",
                "--log-console",
                "--log-detail",
                "--no-syslog",
                "--use-file={conf}",
                "--pid={dir}/keepalived.pid",
                "--vrrp_pid={dir}/vrrp.pid",
                "--checkers_pid={dir}/checkers.pid",
                "--bfd_pid={dir}/bfd.pid",
            ],
        )
    }

    /// Ours, at this path.
    #[must_use]
    pub fn tanist(program: &Path) -> Self {
        let mut daemon = Self::new("tanist", &["", "run", "-f", "{conf}", "--state-dir", "{disk}"]);
        daemon.command[0] = program.display().to_string();
        daemon
    }

    /// From a command line as a user gives it. A bare `keepalived` gets the options that it needs here; anything else
    /// is taken as it stands, words parted by blanks, `'…'` and `"…"` keeping them together.
    #[must_use]
    pub fn from_command_line(line: &str) -> Option<Self> {
        let command = split_words(line);
        let program = command.first()?;
        let name = Path::new(program).file_name().map_or(program.clone(), |name| name.to_string_lossy().into_owned());
        if name == "keepalived" && command.len() == 1 {
            let mut daemon = Self::keepalived();
            daemon.command[0].clone_from(program);
            return Some(daemon);
        }
        Some(Self { name, command, ..Self::keepalived() })
    }

    /// Whether the program can be found, as a path, in `PATH`, or where daemons are.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        self.program().is_some()
    }

    fn program(&self) -> Option<PathBuf> {
        let program = Path::new(self.command.first()?);
        if program.components().count() > 1 {
            return Some(program.to_owned()).filter(|program| program.is_file());
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        // An ordinary user's path often lacks these.
        let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
        places.map(|place| place.join(program)).find(|program| program.is_file())
    }

    /// The command with its holes filled and its program found.
    pub(crate) fn filled_in(&self, conf: &Path, dir: &Path, disk: &Path) -> Vec<String> {
        let holes = [("{conf}", conf), ("{dir}", dir), ("{disk}", disk)];
        let fill = |word: &String| {
            holes.iter().fold(word.clone(), |word, (hole, path)| word.replace(hole, &path.display().to_string()))
        };
        let mut words: Vec<String> = self.command.iter().map(fill).collect();
        if let (Some(word), Some(program)) = (words.first_mut(), self.program()) {
            *word = program.display().to_string();
        }
        words
    }
}

fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_keepalived_gets_its_options() {
        let daemon = Daemon::from_command_line("/opt/keepalived").expect("a command");
        assert_eq!(daemon.command[0], "/opt/keepalived");
        assert!(daemon.command.contains(&"--use-file={conf}".to_owned()));
        assert_eq!(Daemon::from_command_line("  "), None);
    }

    #[test]
    fn any_other_command_is_taken_as_it_stands() {
        let line = "/no/such/daemon -c 'exec daemon -f \"{conf}\"' {dir} {disk}/state";
        let daemon = Daemon::from_command_line(line).expect("a command");
        assert_eq!((daemon.name.as_str(), daemon.is_installed()), ("daemon", false));
        assert_eq!(
            daemon.filled_in(Path::new("/run/a.conf"), Path::new("/run/d"), Path::new("/disk")),
            ["/no/such/daemon", "-c", "exec daemon -f \"/run/a.conf\"", "/run/d", "/disk/state"]
        );
    }
}
