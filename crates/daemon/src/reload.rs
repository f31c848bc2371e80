//! Reads a configuration on a thread of its own, so that neither disk nor parser can hold up the loop.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use config::{Expanded, RealFiles, Settings};
use engine::PairConfig;
use linux::scheduling::{Priority, set_priority};
use linux::system_log::Severity;
use linux::wiping::Wiping;

use crate::hmac_keys;
use crate::options;
use crate::pair_key;
use crate::preflight::Plan;
use crate::status::node_name;
use crate::written_file;

/// Something to be said about a configuration.
pub(crate) type Remark = (Severity, String);

/// What came of reading the configuration.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// It can be run; with what there is to say about it, and what it came to.
    Good { plan: Box<Plan>, remarks: Vec<Remark>, expanded: Expanded },
    /// It cannot; why, and keepalived's exit status for it.
    Bad { reasons: Vec<Remark>, status: u8 },
}

/// How much nicer the reader is than the loop usually is: it has a third of its weight.
const NICE: i8 = 5;
/// keepalived's exit status for a file that cannot be used.
const BAD_CONFIGURATION: u8 = 4;

/// The secrets that stand in files of their own.
pub(crate) fn secrets(settings: &mut Settings) -> Result<Option<PairConfig>, String> {
    hmac_keys::fill_in(settings)?;
    pair(settings)
}

/// What the engine needs to know of the other node. Without the key nothing is begun: the pair would be without order,
/// and nobody would know.
fn pair(settings: &Settings) -> Result<Option<PairConfig>, String> {
    let Some(pair) = &settings.pair else { return Ok(None) };
    let key = pair_key::read(&pair.key_file).map_err(|error| format!("`pair`: {error}"))?;
    Ok(Some(PairConfig {
        node: node_name(settings).as_str().into(),
        paths: u32::try_from(pair.paths.len()).unwrap_or(u32::MAX),
        key,
        heartbeat: pair.heartbeat,
        dead_after: pair.dead_after,
        // As the file has it: that a program is missing here is told in other words.
        terms: config::pair::terms(settings),
    }))
}

/// Reads and validates everything. Of its text, with whatever secrets are in it, nothing is left in memory but what is returned.
pub(crate) fn load(path: &Path, reading: &options::Reading) -> Loaded {
    let _wiping = Wiping::begin();
    let loaded = config::load(path, &RealFiles, &reading.load_options());
    let expanded = loaded.expanded;
    let remark = |diagnostic: &config::Diagnostic| {
        let severity = match diagnostic.severity {
            config::Severity::Error => Severity::Error,
            config::Severity::Warning => Severity::Warning,
            config::Severity::Hint => Severity::Info,
        };
        (severity, diagnostic.to_string())
    };
    let remarks: Vec<Remark> = loaded.report.diagnostics().iter().map(remark).collect();
    match loaded.settings {
        Some(mut settings) => match secrets(&mut settings) {
            Ok(pair) => Loaded::Good { plan: Box::new(Plan { pair, ..Plan::make(settings) }), remarks, expanded },
            Err(reason) => {
                let reasons = remarks.into_iter().chain([(Severity::Error, reason)]).collect();
                Loaded::Bad { reasons, status: BAD_CONFIGURATION }
            }
        },
        None => Loaded::Bad { reasons: remarks, status: loaded.report.exit_status() },
    }
}

/// Whoever writes the files can see when they are being read.
fn load_under_sign(path: &Path, how: &options::Reading, sign: Option<&Path>) -> Loaded {
    let Some(sign) = sign else { return load(path, how) };
    let set = written_file::empty(sign);
    let loaded = load(path, how);
    let taken = set.and_then(|()| std::fs::remove_file(sign));
    let Err(error) = taken else { return loaded };
    let remark = (Severity::Warning, format!("reload_file {}: {error}", sign.display()));
    match loaded {
        Loaded::Good { plan, mut remarks, expanded } => {
            remarks.push(remark);
            Loaded::Good { plan, remarks, expanded }
        }
        Loaded::Bad { mut reasons, status } => {
            reasons.push(remark);
            Loaded::Bad { reasons, status }
        }
    }
}

/// A thread's stack and what a configuration of some hundred instances takes. Without it the reader would fail in the
/// middle, and the daemon with it.
const FOR_A_READER: usize = 8 << 20;

/// A reading under way.
#[derive(Debug)]
pub(crate) struct Reading {
    result: Receiver<Loaded>,
    /// Becomes readable when the result is there.
    pub(crate) done: UnixStream,
}

impl Reading {
    /// Starts it. `sign` is a file that is empty while files are read, and removed when they have been.
    pub(crate) fn start(path: PathBuf, how: options::Reading, sign: Option<PathBuf>) -> std::io::Result<Self> {
        if !linux::memory::can_be_had(FOR_A_READER) {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        let (done, mut signal) = UnixStream::pair()?;
        done.set_nonblocking(true)?;
        let (sender, result) = channel();
        std::thread::Builder::new().name("tanist-reload".to_owned()).spawn(move || {
            // No advertisement shall wait for a parser; whoever is nicer already may stay so.
            let _ = set_priority(Priority::Nice(NICE));
            let mut loaded = load_under_sign(&path, &how, sign.as_deref());
            if let Loaded::Good { plan, .. } = &mut loaded {
                plan.open_fifos();
            }
            // The receiver goes away only with the daemon.
            let _ = sender.send(loaded);
            let _ = signal.write_all(b"!");
        })?;
        Ok(Self { result, done })
    }

    /// The result, if it is there.
    pub(crate) fn finish(&mut self) -> Option<Loaded> {
        let mut octet = [0];
        // A reader that died closed its end, which is also "done".
        match self.done.read(&mut octet) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Ok(_) | Err(_) => Some(self.result.try_recv().unwrap_or_else(|_| Loaded::Bad {
                reasons: vec![(Severity::Error, "the reader of the configuration ended without a result".to_owned())],
                status: 1,
            })),
        }
    }
}
