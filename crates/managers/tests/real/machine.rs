//! A machine made of namespaces whose process 1 is the distribution's systemd. It takes half a second to boot.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Ground, PATIENCE, control_groups, output, remove_groups, run, wait_until};

/// What must be installed.
pub(crate) const NEEDS: [&str; 5] = ["/lib/systemd/systemd", "systemctl", "dbus-daemon", "unshare", "nsenter"];

#[derive(Debug)]
pub(crate) struct Machine {
    process: Child,
    init: String,
    directory: PathBuf,
    control_group: PathBuf,
    /// systemd takes a console whose other end is closed for a broken one.
    _console: OwnedFd,
}

impl Machine {
    /// With a network of its own.
    pub(crate) fn boot() -> Self {
        Self::boot_on(&Ground::default(), &[])
    }

    /// With these units, by name, the lines of their `[Service]`, and whether it starts them when it boots.
    pub(crate) fn boot_on(ground: &Ground<'_>, units: &[(&str, &str, bool)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("tanist-machine-{}-{count}", std::process::id()));
        let wanted = directory.join("units/lab.target.wants");
        fs::create_dir_all(&wanted).expect("a directory");
        for (name, lines, enabled) in units {
            fs::write(directory.join("units").join(name), unit_file(lines)).expect("a unit's file");
            if *enabled {
                symlink(Path::new("..").join(name), wanted.join(name)).expect("a link to it");
            }
        }
        let (master, console) = pty();
        let control_group =
            control_groups().expect("control groups").join(format!("tanist-machine-{}-{count}", std::process::id()));
        fs::create_dir(&control_group).expect("a control group");
        let stdio = || Stdio::from(console.try_clone().expect("a descriptor"));
        // If this test is ended by force, so is the machine.
        // Its control groups begin at one of its own: two machines with the same ones would kill each other's processes.
        let net = if ground.is_host { "" } else { "--net" };
        let enter = format!(
            "echo $$ > \"$0/cgroup.procs\" && exec unshare --fork --kill-child \
             --pid --mount --uts --ipc {net} --cgroup sh -c \"$@\""
        );
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "sh", "-c", &enter])
            .arg(&control_group)
            .args([include_str!("boot.sh"), "boot"])
            .arg(&directory)
            .args(ground.shares)
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio());
        let process = ground.spawn(command).expect("unshare");
        // What nobody reads would stop systemd one day.
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = fs::File::from(master).read_to_string(&mut text);
        });
        let mut machine = Self { process, init: String::new(), directory, control_group, _console: console };
        let children = format!("/proc/{0}/task/{0}/children", machine.process.id());
        wait_until("a process 1", || {
            machine.init = fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
            !machine.init.is_empty()
        });
        wait_until("systemd", || machine.path("/run/systemd/private").exists());
        wait_until("a booted machine", || {
            output(machine.inside("systemctl").args(["is-active", "lab.target"])).stdout.trim_ascii() == b"active"
        });
        machine
    }

    /// A path of the machine as it is called here.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// A program to be run inside.
    pub(crate) fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init, "--all", "--root", "--wd", program]);
        command
    }

    /// What an operator types.
    #[track_caller]
    pub(crate) fn systemctl(&self, arguments: &[&str]) -> String {
        run(self.inside("systemctl").args(arguments))
    }

    /// Makes a unit of these lines of its `[Service]`.
    #[track_caller]
    pub(crate) fn add_unit(&self, name: &str, lines: &str) {
        fs::write(self.path(&format!("/etc/systemd/system/{name}")), unit_file(lines)).expect("a unit's file");
        self.systemctl(&["daemon-reload"]);
    }

    /// One property of a unit.
    #[track_caller]
    pub(crate) fn property(&self, unit: &str, property: &str) -> String {
        self.systemctl(&["show", unit, "--property", property, "--value"])
    }

    /// Kills a unit's main process as a crash would.
    #[track_caller]
    pub(crate) fn crash(&self, unit: &str) {
        let process = self.property(unit, "MainPID");
        run(self.inside("kill").args(["-9", &process]));
    }

    /// How many processes a unit's control group has.
    pub(crate) fn processes(&self, unit: &str) -> usize {
        let path = self.path(&format!("/sys/fs/cgroup/system.slice/{unit}/cgroup.procs"));
        fs::read_to_string(path).unwrap_or_default().lines().count()
    }

    /// The control group in which all of its own are, as it is called here.
    pub(crate) fn control_group(&self) -> &Path {
        &self.control_group
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With process 1 everything inside ends, and with it the mounts.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
        // They go as soon as the last process is buried.
        let until = Instant::now() + PATIENCE;
        while self.control_group.exists() && Instant::now() < until {
            remove_groups(&self.control_group);
        }
    }
}

fn unit_file(lines: &str) -> String {
    format!("[Service]\n{lines}\n[Install]\nWantedBy=lab.target\n")
}

fn pty() -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
    grantpt(&master).expect("a pty");
    unlockpt(&master).expect("a pty");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let console = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).expect("its other end");
    (master, console)
}
