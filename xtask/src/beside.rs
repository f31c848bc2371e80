//! Work for the processors while the tests wait for timers: builds and hunts, which give way to everything else.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What they print until they are waited for.
const OUTPUT: &str = "target/beside.txt";

/// Commands of cargo, one after the other. Ended when this is dropped.
pub(crate) struct Beside {
    worker: Option<JoinHandle<Result<(), String>>>,
    unwanted: Arc<AtomicBool>,
}

impl Beside {
    pub(crate) fn begin(commands: &'static [&'static [&'static str]]) -> Self {
        let unwanted = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&unwanted);
        let worker = std::thread::spawn(move || run(commands, &stop));
        Self { worker: Some(worker), unwanted }
    }

    /// Waits for the end, and prints what was printed meanwhile.
    pub(crate) fn end(mut self) -> Result<(), String> {
        let Some(worker) = self.worker.take() else { return Ok(()) };
        let result = worker.join().unwrap_or_else(|_| Err("panicked".to_owned()));
        print!("{}", std::fs::read_to_string(OUTPUT).unwrap_or_default());
        result
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn run(commands: &[&[&str]], unwanted: &AtomicBool) -> Result<(), String> {
    let refuse = |error: std::io::Error| format!("write {OUTPUT}: {error}");
    std::fs::create_dir_all(Path::new(OUTPUT).parent().unwrap_or(Path::new("."))).map_err(refuse)?;
    let output = File::create(OUTPUT).map_err(refuse)?;
    for command in commands {
        let mut child = Command::new("nice")
            .args(["-n", "19"])
            .arg(crate::steps::cargo_program())
            .args(*command)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(refuse)?)
            .stderr(output.try_clone().map_err(refuse)?)
            .spawn()
            .map_err(|error| format!("start nice: {error}"))?;
        let status = loop {
            if unwanted.load(Ordering::Relaxed) {
                let _ = child.kill();
            }
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => return Err(format!("wait for cargo: {error}")),
            }
        };
        if !status.success() {
            return Err(format!("`cargo {}` failed", command.join(" ")));
        }
    }
    Ok(())
}
