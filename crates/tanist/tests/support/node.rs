//! A host and the daemon that runs on it.

use std::path::Path;

use linux::signals::Signal;

use super::{Daemon, Host, PATIENCE, Program};

/// A daemon on its host; it can be stopped, killed and started again.
pub(crate) struct Node {
    pub(crate) host: Host,
    pub(crate) daemon: Daemon,
    pub(crate) program: Program,
}

impl Node {
    /// Starts the daemon with this configuration.
    pub(crate) fn start(host: &Host, daemon: Daemon, configuration: &str) -> Self {
        let program = host.start_daemon(&daemon, configuration).expect("start the daemon");
        Self { host: host.clone(), daemon, program }
    }

    /// Starts the daemon with a configuration that is there.
    pub(crate) fn start_with(host: &Host, daemon: Daemon, file: &Path) -> Self {
        let program = host.start_daemon_with(&daemon, file).expect("start the daemon");
        Self { host: host.clone(), daemon, program }
    }

    pub(crate) fn is_tanist(&self) -> bool {
        self.daemon.name == "tanist"
    }

    /// Where its configuration is, if it was given as text.
    pub(crate) fn file(&self) -> String {
        format!("{}.conf", self.daemon.name)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal(signal).expect("signal the daemon");
    }

    /// Replaces the configuration and has it read.
    pub(crate) fn reload(&self, configuration: &str) {
        self.host.write_file(&self.file(), configuration).expect("write the configuration");
        self.signal(Signal(self.daemon.reload));
    }

    /// Asks the daemon to stop and waits for its end.
    pub(crate) fn stop(&self) {
        self.signal(Signal(self.daemon.stop));
        assert!(self.program.wait(PATIENCE), "{} does not end", self.daemon.name);
    }

    /// Kills the daemon as a crash would, whose host goes on.
    pub(crate) fn kill(&self) {
        self.program.kill_all().expect("kill the daemon");
        assert!(self.program.wait(PATIENCE), "{} survives", self.daemon.name);
    }

    /// Starts the daemon again, after its end, with the configuration that it had.
    pub(crate) fn start_again(&mut self) {
        assert!(!self.program.is_running(), "it runs");
        let file = super::in_host(&self.file());
        self.program = self.host.start_daemon_with(&self.daemon, &file).expect("start the daemon again");
    }
}
