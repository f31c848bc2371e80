//! What came out: plain data, for the screen and for machines alike. Times are milliseconds since the act began.

use serde::Serialize;

/// A whole rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Outcome {
    pub(crate) address: String,
    pub(crate) nodes: Vec<NodeView>,
    pub(crate) remarks: Vec<String>,
    /// The service that the daemons look after, if they look after one.
    pub(crate) service: Option<String>,
    pub(crate) acts: Vec<ActOutcome>,
    /// Every promise of every act was kept.
    pub(crate) kept: bool,
}

/// One of the nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NodeView {
    pub(crate) name: String,
    pub(crate) own_address: String,
    pub(crate) interface: String,
    pub(crate) priority: u8,
    pub(crate) daemon: String,
}

/// One act.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ActOutcome {
    pub(crate) act: &'static str,
    pub(crate) title: String,
    /// Why it was left out; then there is nothing else.
    pub(crate) skipped: Option<String>,
    pub(crate) duration_ms: f64,
    pub(crate) timeline: Vec<Line>,
    /// Who had the address, by the word of the kernels.
    pub(crate) held: Vec<Span>,
    /// Who answered the client; nobody in between.
    pub(crate) answered: Vec<Span>,
    pub(crate) asked: usize,
    pub(crate) lost: usize,
    /// The longest time without an answer.
    pub(crate) outage_ms: f64,
    /// How long more than one node had the address.
    pub(crate) overlap_ms: f64,
    /// What the service did, if the daemons look after one.
    pub(crate) work: Option<Work>,
    pub(crate) promises: Vec<Promise>,
    /// What is no promise and still worth knowing.
    pub(crate) remarks: Vec<String>,
}

impl ActOutcome {
    pub(crate) fn kept(&self) -> bool {
        self.promises.iter().all(|promise| promise.kept)
    }
}

/// Who was at work, by the service's own ticks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Work {
    pub(crate) worked: Vec<Span>,
    /// The longest time in which nobody was at work.
    pub(crate) gap_ms: f64,
    /// How long more than one was.
    pub(crate) overlap_ms: f64,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) at_ms: f64,
    /// A node; `client` for answers to its questions, `web` for answers of the web service; `lab` for what the rehearsal
    /// itself did to both nodes.
    pub(crate) who: String,
    pub(crate) what: String,
    /// The rehearsal did this itself.
    pub(crate) deed: bool,
}

/// A time that belongs to a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Span {
    pub(crate) by: String,
    pub(crate) from_ms: f64,
    pub(crate) until_ms: f64,
}

/// What was to be expected, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Promise {
    pub(crate) what: String,
    /// The most that the protocol or the product allows.
    pub(crate) limit_ms: f64,
    /// `None` if it never happened.
    pub(crate) measured_ms: Option<f64>,
    /// Within the limit and the allowance for a busy machine.
    pub(crate) kept: bool,
}
