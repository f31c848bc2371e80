//! Reads a configuration on a thread of its own, so that neither disk nor parser can hold up the loop.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use config::{LoadOptions, RealFiles, Settings};
use engine::PairConfig;
use linux::system_log::Severity;

use crate::hmac_keys;
use crate::pair_key;
use crate::preflight::Plan;
use crate::status::node_name;

/// Something to be said about a configuration.
pub(crate) type Remark = (Severity, String);

/// What came of reading the configuration.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// It can be run; with what there is to say about it.
    Good { plan: Box<Plan>, remarks: Vec<Remark> },
    /// It cannot; why, and keepalived's exit status for it.
    Bad { reasons: Vec<Remark>, status: u8 },
}

/// keepalived's exit status for a file that cannot be used.
const BAD_CONFIGURATION: u8 = 4;

/// The secrets that stand in files of their own.
fn secrets(settings: &mut Settings) -> Result<Option<PairConfig>, String> {
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

/// Reads and validates everything.
pub(crate) fn load(path: &std::path::Path, config_id: Option<String>) -> Loaded {
    let loaded = config::load(path, &RealFiles, &LoadOptions { config_id });
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
            Ok(pair) => Loaded::Good { plan: Box::new(Plan { pair, ..Plan::make(settings) }), remarks },
            Err(reason) => {
                let reasons = remarks.into_iter().chain([(Severity::Error, reason)]).collect();
                Loaded::Bad { reasons, status: BAD_CONFIGURATION }
            }
        },
        None => Loaded::Bad { reasons: remarks, status: loaded.report.exit_status() },
    }
}

/// A reading under way.
#[derive(Debug)]
pub(crate) struct Reading {
    result: Receiver<Loaded>,
    /// Becomes readable when the result is there.
    pub(crate) done: UnixStream,
}

impl Reading {
    /// Starts it.
    pub(crate) fn start(path: PathBuf, config_id: Option<String>) -> std::io::Result<Self> {
        let (done, mut signal) = UnixStream::pair()?;
        done.set_nonblocking(true)?;
        let (sender, result) = channel();
        std::thread::Builder::new().name("tanist-reload".to_owned()).spawn(move || {
            let mut loaded = load(&path, config_id);
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
