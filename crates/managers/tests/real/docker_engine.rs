//! A docker engine of our own, in namespaces of its own: process 1 there starts it, and again whenever it ends. What it
//! makes ends with it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Ground, find, output, remove_groups, run, wait_until};

/// What must be installed.
pub(crate) const NEEDS: [&str; 7] = ["dockerd", "docker", "containerd", "busybox", "setpriv", "unshare", "nsenter"];

#[derive(Debug)]
pub(crate) struct Engine {
    process: Child,
    directory: PathBuf,
}

/// Process 1: buries what is left to it, and ends what it has started when it is asked to.
const INIT: &str = r#"
mount --make-rprivate / && mount -t proc proc /proc && { [ "$1" = here ] || mount -t tmpfs tmpfs /run; }
while ! [ -e "$0/end" ]; do
    dockerd --data-root "$0/data" --exec-root "$0/exec" --host "unix://$0/socket" --pidfile "$0/pid" \
        --bridge=none --iptables=false --ip6tables=false --storage-driver=vfs --live-restore \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/${0##*/}" >>"$0/log" 2>&1
    sleep 0.2
done
"#;

impl Engine {
    /// With an image `t:1` that holds busybox.
    pub(crate) fn start() -> Self {
        Self::start_on(&Ground::default())
    }

    pub(crate) fn start_on(ground: &Ground<'_>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("tanist-docker-{}-{count}", std::process::id()));
        fs::create_dir_all(directory.join("root/bin")).expect("a directory");
        fs::copy(find("busybox").expect("busybox"), directory.join("root/bin/busybox")).expect("a copy");
        // If this test is ended by force, so is the engine with all that it runs.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--pid", "--mount", "sh", "-c", INIT])
            .arg(&directory)
            .arg(if ground.is_host { "here" } else { "apart" })
            .env("PATH", std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin")
            .stdin(Stdio::null());
        let process = ground.spawn(command).expect("unshare");
        let engine = Self { process, directory };
        wait_until(&format!("docker ({})", engine.path("log")), || {
            output(&mut engine.docker(&["version"])).status.success()
        });
        let image = engine.path("image.tar");
        run(Command::new("tar").args(["-C", &engine.path("root"), "-cf", &image, "."]));
        run(&mut engine.docker(&["import", &image, "t:1"]));
        engine
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().expect("a name in ASCII").to_owned()
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> String {
        self.path("socket")
    }

    /// What an operator types.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", format!("unix://{}", self.socket())).args(arguments);
        command
    }

    /// Makes a container that runs a line of shell.
    #[track_caller]
    pub(crate) fn create(&self, name: &str, options: &[&str], line: &str) {
        let options = [options, &["--network", "none"]].concat();
        self.create_running(name, &options, &["/bin/busybox", "sh", "-c", line]);
    }

    /// Makes a container that runs a program.
    #[track_caller]
    pub(crate) fn create_running(&self, name: &str, options: &[&str], words: &[&str]) {
        run(&mut self.docker(&[&["create", "--name", name], options, &["t:1"], words].concat()));
    }

    /// Ends the engine in order or by force; containers live on, and it is started anew.
    #[track_caller]
    pub(crate) fn end_daemon(&self, signal: &str) {
        let process = fs::read_to_string(self.path("pid")).expect("its pid");
        self.signal(signal, process.trim());
    }

    /// As [`end_daemon`](Self::end_daemon), and waits until the new one answers.
    #[track_caller]
    pub(crate) fn renew_daemon(&self, signal: &str) {
        let process = || fs::read_to_string(self.path("pid")).unwrap_or_default();
        let former = process();
        self.end_daemon(signal);
        wait_until("docker", || {
            let is_new = !process().is_empty() && process() != former;
            is_new && output(&mut self.docker(&["version"])).status.success()
        });
    }

    /// Kills a process, which docker knows by this number.
    #[track_caller]
    pub(crate) fn kill(&self, process: &str) {
        self.signal("-KILL", process);
    }

    #[track_caller]
    fn signal(&self, signal: &str, process: &str) {
        let init = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.process.id())).expect("process 1");
        run(Command::new("nsenter").args(["-t", init.trim(), "-p", "-m", "kill", signal, process]));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // In order first, so that docker removes control groups and mounts.
        let _ = fs::write(self.directory.join("end"), "");
        let containers = self.docker(&["ps", "-aq"]).output().map(|output| output.stdout).unwrap_or_default();
        let containers = String::from_utf8_lossy(&containers).into_owned();
        let mut remove = vec!["rm", "-f"];
        remove.extend(containers.split_whitespace());
        if remove.len() > 2 {
            let _ = self.docker(&remove).output();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        // docker leaves the control group around those of its containers.
        let name = self.directory.file_name().expect("it has a name");
        let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
        for hierarchy in hierarchies.chain(["/sys/fs/cgroup".into()]) {
            remove_groups(&hierarchy.join(name));
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}
