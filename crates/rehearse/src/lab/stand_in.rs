//! Stand-ins for scripts: they do nothing but tell the journal that they were run, or answer a check as the lab says.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, mknodat};

use super::host::{HOST_DIR, Host};
use super::inside::Inside;
use super::journal::{Journal, Seen};
use super::observers::Watch;
use super::{LabError, Moment};

/// Reads what the stand-ins of a host tell.
pub(crate) type Recorder = Watch;

/// The stand-ins' pipe: the moment of a line's arrival counts.
pub(crate) fn start_recorder(inside: &Inside, host: Arc<str>, journal: Journal) -> Result<Recorder, LabError> {
    let of = host.clone();
    read_lines(inside, &host, "records", move |line| {
        let mut words = line.split('\t').map(str::to_owned);
        let name = words.next().unwrap_or_default();
        journal.add(Moment::now(), &of, Seen::ScriptRun { name, arguments: words.collect() });
    })
}

/// Makes a pipe with a name in the host, to which whoever runs there can write lines, and reads them.
pub(crate) fn read_lines(
    inside: &Inside,
    host: &str,
    name: &str,
    mut take: impl FnMut(&str) + Send + 'static,
) -> Result<Watch, LabError> {
    let path = format!("{HOST_DIR}/{name}");
    let opened = inside.run(move || -> std::io::Result<File> {
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o622), 0)?;
        rustix::fs::chmod(&path, Mode::from_raw_mode(0o622))?;
        // Open for writing, too: so there is always a reader, and never an end.
        let pipe = OpenOptions::new().read(true).write(true).open(&path)?;
        fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
        Ok(pipe)
    });
    let pipe = opened.map_err(|error| LabError::io(format!("make the pipe {name} of {host}"), &error))?;
    let mut rest = Vec::new();
    Ok(Watch::start(pipe, move |pipe| {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            rest.extend_from_slice(&buffer[..length]);
        }
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            take(String::from_utf8_lossy(&line).trim_end_matches('\n'));
        }
    }))
}

impl Host {
    /// Writes a program that tells the journal its name and arguments whenever it is run.
    pub fn write_recorder(&self, name: &str) -> Result<PathBuf, LabError> {
        let text = format!(
            "#!/bin/sh\nline='{name}'\nfor word; do line=\"$line\t$word\"; done\n\
             printf '%s\\n' \"$line\" > {HOST_DIR}/records\n"
        );
        self.write_program(name, &text)
    }

    /// Writes a check that is good until [`set_check`](Self::set_check) says otherwise.
    pub fn write_check(&self, name: &str) -> Result<PathBuf, LabError> {
        self.write_program(name, &format!("#!/bin/sh\n[ ! -e {HOST_DIR}/{name}.failing ]\n"))
    }

    /// Lets the check of that name succeed or fail from its next run on.
    pub fn set_check(&self, name: &str, good: bool) -> Result<(), LabError> {
        let marker = format!("{name}.failing");
        if good { self.remove_file(&marker) } else { self.write_file(&marker, "").map(|_| ()) }
    }
}
