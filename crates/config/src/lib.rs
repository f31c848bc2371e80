//! Reads the configuration language of keepalived: text → syntax tree with spans → [`Settings`].
//!
//! It is pure: files, host name, environment and chance come in through the small trait [`Files`]. It never
//! asks the machine whether an interface or a user exists; that is the daemon's preflight. So any file can be
//! checked anywhere.
//!
//! [`load`] reads everything, reports all mistakes of all files together, and gives settings only when there
//! is no error among them. The stages:
//!
//! 1. `text`: files to plain lines (comments, `include`, `@id`, `$` definitions, `~SEQ`, `~LST`);
//! 2. `syntax`: lines to a tree of words and blocks;
//! 3. `statement`: words to keywords and values, by the tables in [`keywords`];
//! 4. `resolve`: statements to [`Settings`], every default filled in.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod command;
mod diagnostic;
mod explain;
mod export;
mod files;
pub mod keywords;
pub mod pair;
mod process;
mod render;
mod resolve;
mod settings;
mod source;
mod statement;
mod suggest;
mod syntax;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

pub use diagnostic::{Diagnostic, Place, Report, Severity};
pub use explain::explain;
pub use export::{ExportError, Exported, export_for_keepalived};
pub use files::{Files, MemoryFiles, RealFiles};
pub use keywords::Part;
pub use process::{Buffer, Dumps, JsonVersion, Process, ReceiveBuffers, Reload, ReloadSign};
pub use resolve::{BadKey, c_number, hmac_key};
pub use settings::{
    AddressLifetime, BeatMethod, Command, FigureSource, Global, InitialNumber, Instance, Ipvlan, IpvlanMode, KeyFile,
    LinkBeats, Mail, MailLogin, MailTls, Manager, MatchBy, NeededPort, NeededSpace, Notify, NotifyFifo, NotifyScript,
    Pair, PairPath, ProcessPattern, Script, ScriptUser, Service, ServiceCheck, Settings, StatedRole, SyncGroup,
    TimedScript, Tracker, VirtualKind, VirtualLink, VirtualMac, size_words,
};

/// What the command line adds to the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Decides the `@id` lines; `None` means the host name up to its first dot.
    pub config_id: Option<String>,
    /// Keywords of these parts are left out with one warning, as far as they are not built.
    pub without: BTreeSet<Part>,
    /// Every file that is included must be there and readable.
    pub all_files: bool,
}

/// What came out of reading a configuration.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every default resolved; `None` when there are errors.
    pub settings: Option<Settings>,
    /// All that is to be said about the files.
    pub report: Report,
    /// What it came to when everything was expanded.
    pub expanded: Expanded,
}

/// The lines that are left of a configuration when everything is expanded, below the name of the file that each comes
/// from. They contain whatever secrets it contains, and are wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Expanded(Zeroizing<String>);

impl Expanded {
    /// The lines.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Expanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

/// Reads `path` and all that it includes.
#[must_use]
pub fn load(path: &Path, files: &dyn Files, options: &LoadOptions) -> Loaded {
    let Raw { tree, sources, mut findings, expanded } = read(path, files, options);
    let paths = sources.iter().map(|source| source.path.clone()).collect();
    let settings = resolve::settings(&tree, paths, files, &mut findings);

    findings.tell_left_out();
    let report = findings.into_report(sources);
    let settings = (!report.has_errors()).then_some(settings);
    Loaded { settings, report, expanded }
}

/// The stages before the meaning.
struct Raw {
    tree: syntax::Tree,
    sources: source::Sources,
    findings: diagnostic::Findings,
    expanded: Expanded,
}

fn read(path: &Path, files: &dyn Files, options: &LoadOptions) -> Raw {
    let host_name = files.host_name();
    let own_id = || host_name.split('.').next().unwrap_or_default().to_owned();
    let config_id = options.config_id.clone().unwrap_or_else(own_id);

    let mut sources = source::Sources::default();
    let mut findings = diagnostic::Findings::leaving_out(options.without.clone());
    let mut record = text::Record::new(syntax::TreeBuilder::default());
    let reading = text::Reading { files, config_id: &config_id, all_files: options.all_files };
    text::read(path, &reading, &mut sources, &mut findings, &mut record);
    let (builder, expanded) = record.finish(&sources);
    let tree = builder.finish(&mut findings);
    Raw { tree, sources, findings, expanded: Expanded(Zeroizing::new(expanded)) }
}
