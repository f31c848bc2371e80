//! Where the files of a daemon are. Several daemons on one machine are told apart by the names of their network namespace
//! and of their instance.

use std::path::{Path, PathBuf};

use config::{Process, ReloadSign};

use crate::control::ControlPlace;
use crate::options::{Options, STATE_DIRECTORY};

const RUN: &str = "/run";
/// As with keepalived, for those who ask for it or have a name.
const RUN_OF_OUR_OWN: &str = "/run/keepalived";

/// Who a daemon is among others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) network_namespace: Option<String>,
    pub(crate) instance: Option<String>,
    use_pid_dir: bool,
}

impl Name {
    pub(crate) fn new(options: &Options, process: &Process) -> Self {
        Self {
            network_namespace: options.network_namespace.clone().or_else(|| process.net_namespace.clone()),
            instance: process.instance.clone(),
            use_pid_dir: process.use_pid_dir,
        }
    }

    /// `blue_inst1`; `None` if there is no other one to be told from.
    pub(crate) fn text(&self) -> Option<String> {
        let parts: Vec<&str> =
            [&self.network_namespace, &self.instance].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join("_"))
    }

    /// `/run/keepalived/blue/vrrp_inst1.pid`.
    pub(crate) fn beside_pid_files(&self, what: &str, extension: &str) -> PathBuf {
        let instance = self.instance.as_ref().map_or_else(String::new, |name| format!("_{name}"));
        let directory = match &self.network_namespace {
            Some(namespace) => Path::new(RUN_OF_OUR_OWN).join(namespace),
            None if self.use_pid_dir || self.instance.is_some() => PathBuf::from(RUN_OF_OUR_OWN),
            None => PathBuf::from(RUN),
        };
        directory.join(format!("{what}{instance}.{extension}"))
    }

    /// Every pid file.
    pub(crate) fn pid_files(&self, options: &Options) -> Vec<PathBuf> {
        let named = options.pid_files.named.iter().map(|what| self.beside_pid_files(what, "pid"));
        options.pid_files.paths.iter().cloned().chain(named).collect()
    }

    /// The file that is there while configurations are read.
    pub(crate) fn reload_sign(&self, process: &Process) -> Option<PathBuf> {
        match process.reload.sign.as_ref()? {
            ReloadSign::At(path) => Some(path.clone()),
            ReloadSign::BesidePidFiles => Some(match self.text() {
                Some(_) => self.beside_pid_files("keepalived", "reload"),
                None => Path::new(RUN_OF_OUR_OWN).join("keepalived.reload"),
            }),
        }
    }

    /// The places that nobody asked for are those of this daemon alone.
    pub(crate) fn make_our_own(&self, options: &mut Options) {
        let Some(name) = self.text() else { return };
        let is_usual = options.control == ControlPlace::default();
        if let ControlPlace::At(path) = &mut options.control
            && is_usual
        {
            *path = path.with_file_name(format!("control-{name}.sock"));
        }
        if let Some(directory) = options.state_directory.as_mut().filter(|place| *place == Path::new(STATE_DIRECTORY)) {
            directory.push(&name);
        }
        options.log.identity = format!("{}_{name}", options.log.identity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(network_namespace: Option<&str>, instance: Option<&str>, use_pid_dir: bool) -> Name {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Name { network_namespace: own(network_namespace), instance: own(instance), use_pid_dir }
    }

    /// As keepalived 2.2.7 does it.
    #[test]
    fn pid_files_are_where_scripts_look_for_them() {
        let check = |name: Name, expected: &str| {
            assert_eq!(name.beside_pid_files("vrrp", "pid"), Path::new(expected));
        };
        check(name(None, None, false), "/run/vrrp.pid");
        check(name(None, None, true), "/run/keepalived/vrrp.pid");
        check(name(None, Some("inst1"), false), "/run/keepalived/vrrp_inst1.pid");
        check(name(Some("blue"), None, false), "/run/keepalived/blue/vrrp.pid");
        check(name(Some("blue"), Some("inst1"), true), "/run/keepalived/blue/vrrp_inst1.pid");
    }

    #[test]
    fn names_of_several_daemons_differ() {
        assert_eq!(name(None, None, true).text(), None);
        assert_eq!(name(Some("blue"), None, false).text().as_deref(), Some("blue"));
        assert_eq!(name(Some("blue"), Some("inst1"), false).text().as_deref(), Some("blue_inst1"));
    }

    #[test]
    fn the_sign_of_a_reading_has_a_place_of_its_own() {
        let mut process = Process::default();
        assert_eq!(name(None, None, false).reload_sign(&process), None);
        process.reload.sign = Some(ReloadSign::BesidePidFiles);
        let place = |name: Name| name.reload_sign(&process).expect("it is asked for");
        assert_eq!(place(name(None, None, false)), Path::new("/run/keepalived/keepalived.reload"));
        assert_eq!(place(name(None, Some("i"), false)), Path::new("/run/keepalived/keepalived_i.reload"));
        process.reload.sign = Some(ReloadSign::At("/run/reading".into()));
        assert_eq!(name(None, Some("i"), false).reload_sign(&process).as_deref(), Some(Path::new("/run/reading")));
    }
}
