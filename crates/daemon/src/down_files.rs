//! The files by which an operator makes a node stand back: while a service's `down_file` is there, it does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use config::Settings;
use engine::Name;
use linux::file_watch::FileWatch;

/// The down files of all services. Its descriptor, [`DownFiles::watch`], is readable when there may be changes.
#[derive(Debug)]
pub(crate) struct DownFiles {
    pub(crate) watch: FileWatch,
    /// By service.
    files: BTreeMap<Name, DownFile>,
}

#[derive(Debug)]
struct DownFile {
    path: PathBuf,
    /// What was told last.
    present: bool,
}

/// The down file of a service appeared or vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DownFileChange {
    pub(crate) service: Name,
    pub(crate) path: PathBuf,
    pub(crate) present: bool,
}

impl DownFiles {
    pub(crate) fn open() -> linux::Result<Self> {
        Ok(Self { watch: FileWatch::open()?, files: BTreeMap::new() })
    }

    /// Follows the settings and appends what has to be told because of them: the files that are there at the start, and
    /// after a reload what is different; that of a service which has none any more is gone. What cannot be watched is an
    /// error; the changes are right nevertheless.
    pub(crate) fn adjust(&mut self, settings: &Settings, changes: &mut Vec<DownFileChange>) -> linux::Result<()> {
        let mut before = std::mem::take(&mut self.files);
        for service in &settings.services {
            let Some(path) = service.down_file.clone() else { continue };
            let name = &service.service.name;
            let present = before.remove(name).is_some_and(|before| before.present);
            self.files.insert(name.clone(), DownFile { path, present });
        }
        let gone = before.into_iter().filter(|(_, file)| file.present);
        changes.extend(gone.map(|(service, file)| DownFileChange { service, path: file.path, present: false }));
        let paths: Vec<PathBuf> = self.files.values().map(|file| file.path.clone()).collect();
        let watched = self.watch.watch(&paths);
        self.compare(changes);
        watched
    }

    /// Takes in what the kernel has told and appends the changes. Never waits.
    pub(crate) fn receive(&mut self, changes: &mut Vec<DownFileChange>) -> linux::Result<()> {
        let received = self.watch.receive();
        self.compare(changes);
        received
    }

    /// Whether the down file of a service is there, as far as was told.
    pub(crate) fn is_present(&self, service: &Name) -> bool {
        self.files.get(service).is_some_and(|file| file.present)
    }

    fn compare(&mut self, changes: &mut Vec<DownFileChange>) {
        for (service, DownFile { path, present }) in &mut self.files {
            let found = self.watch.is_there(path);
            if std::mem::replace(present, found) != found {
                changes.push(DownFileChange { service: service.clone(), path: path.clone(), present: found });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use config::{Command, Global, Manager, NotifyScript, Service};
    use engine::{Budget, Failback, OnManualStop, ServiceConfig};

    use super::*;

    fn service(name: &str, down_file: Option<&Path>) -> Service {
        let none = Budget { limit: 0, within: Duration::from_secs(60) };
        Service {
            service: ServiceConfig {
                name: name.into(),
                checks: vec![],
                start_grace: Duration::ZERO,
                start_timeout: Duration::from_secs(30),
                stop_timeout: Duration::from_secs(30),
                restart: none,
                max_moves: none,
                on_manual_stop: OnManualStop::Failover,
                failback: Failback::Never,
                readiness_interval: Duration::from_secs(5),
                readiness_rise: 1,
                while_active: vec![],
            },
            manager: Manager::Command {
                script: NotifyScript { command: Command::Program(vec!["/bin/true".to_owned()]), user: None },
            },
            checks: vec![],
            could_start: None,
            on_role: None,
            post_takeover: None,
            while_active: vec![],
            down_file: down_file.map(Path::to_owned),
        }
    }

    fn settings(services: Vec<Service>) -> Settings {
        let global = Global::default();
        Settings { global, services, ..Settings::default() }
    }

    #[test]
    fn each_service_is_told_of_its_own_file() {
        let directory = std::env::temp_dir().join(format!("tanist-down-files-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        let (one, other) = (directory.join("one"), directory.join("other"));
        std::fs::write(&one, "").expect("written");
        let mut files = DownFiles::open().expect("inotify");
        let told = |files: &mut DownFiles, settings: Option<&Settings>| -> Vec<String> {
            let mut changes = Vec::new();
            match settings {
                Some(settings) => files.adjust(settings, &mut changes).expect("watched"),
                None => files.receive(&mut changes).expect("received"),
            }
            let text = |change: DownFileChange| {
                let name = change.path.strip_prefix(&directory).expect("ours").display().to_string();
                format!("{} {name} {}", change.service, if change.present { "there" } else { "gone" })
            };
            changes.into_iter().map(text).collect()
        };

        let first = settings(vec![
            service("a", Some(&one)),
            service("b", Some(&one)),
            service("c", Some(&other)),
            service("d", None),
        ]);
        // At the start what is there is told, and only that; a second time nothing is.
        assert_eq!(told(&mut files, Some(&first)), ["a one there", "b one there"]);
        assert_eq!(told(&mut files, Some(&first)), [""; 0]);
        assert_eq!(told(&mut files, None), [""; 0]);
        // The kernel has queued its events when these calls return.
        std::fs::rename(&one, &other).expect("moved");
        assert_eq!(told(&mut files, None), ["a one gone", "b one gone", "c other there"]);
        // Another file for one service, none for another, one service less: only what is different is told.
        let second = settings(vec![service("a", Some(&other)), service("c", None)]);
        assert_eq!(told(&mut files, Some(&second)), ["c other gone", "a other there"]);
        std::fs::remove_file(&other).expect("removed");
        assert_eq!(told(&mut files, None), ["a other gone"]);
        std::fs::remove_dir_all(&directory).expect("cleaned up");
    }
}
