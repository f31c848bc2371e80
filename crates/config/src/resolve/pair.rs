//! `pair`: the other Tanist and the way to it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::global::unreachable_keyword;
use super::values;
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{Pair, PairPath};
use crate::source::Span;
use crate::statement::{Statement, statements};

/// Silence of fewer heartbeats than this may be chance.
const FEWEST_HEARTBEATS: u32 = 3;

/// The pair as far as it could be read, and its addresses with where they stand.
pub(super) struct Definition {
    pub(super) pair: Option<Pair>,
    pub(super) addresses: Vec<(IpAddr, Span)>,
}

/// Reads the blocks called `pair`, of which there may be one.
pub(super) fn pair<'s, 'a: 's>(
    mut blocks: impl Iterator<Item = &'s Statement<'a>>,
    findings: &mut Findings,
) -> Definition {
    let Some(block) = blocks.next() else { return Definition { pair: None, addresses: Vec::new() } };
    for second in blocks {
        findings
            .error("given-twice", second.span, "a second `pair` block: there is one other node")
            .help("several ways to it are several addresses in one `peer`");
    }
    let (mut peers, mut sources) = (Vec::new(), Vec::new());
    let (mut peer_given, mut source_at) = (false, None);
    // Every address so far could be read.
    let mut whole = true;
    let mut port = 20112;
    let mut key_file = PathBuf::from("/etc/tanist/pair.key");
    let mut node = None;
    let mut fast = false;
    let (mut heartbeat, mut dead_after) = (None, None);
    for statement in statements(Block::Pair, block.entries(), findings) {
        match statement.keyword.name {
            "peer" => {
                peer_given = true;
                whole &= addresses(&statement, &mut peers, findings);
            }
            "source" => {
                source_at = Some(statement.span);
                whole &= addresses(&statement, &mut sources, findings);
            }
            "port" => {
                let given = values::count(&statement, findings).and_then(|port| u16::try_from(port).ok());
                port = given.unwrap_or(port);
            }
            "key_file" => key_file = values::path(&statement, findings).unwrap_or(key_file),
            "node" => node = Some(statement.value().text.clone()),
            "profile" => fast = values::choice(&statement, findings) == Some("fast"),
            "heartbeat" => heartbeat = values::span(&statement, findings),
            "dead_after" => dead_after = values::span(&statement, findings).map(|span| (span, statement.value().span)),
            other => unreachable_keyword(other, Block::Pair, &statement, findings),
        }
    }
    if !peer_given {
        findings
            .error("missing-keyword", block.span, "`pair` does not say where the other node is")
            .help("add a line like `peer 192.0.2.2`");
    }
    let milliseconds = Duration::from_millis;
    let (usual_heartbeat, usual_dead_after) =
        if fast { (milliseconds(25), milliseconds(300)) } else { (milliseconds(100), milliseconds(800)) };
    let heartbeat = heartbeat.unwrap_or(usual_heartbeat);
    let least = heartbeat * FEWEST_HEARTBEATS;
    let (dead_after, span) = dead_after.unwrap_or((usual_dead_after, block.span));
    if dead_after < least {
        let message = format!(
            "`dead_after {}` is less than three heartbeats of {}: a lost message would be taken for a dead node",
            dead_after.as_secs_f64(),
            values::in_seconds(heartbeat)
        );
        let help = format!("write `dead_after {}` or more, or a shorter `heartbeat`", least.as_secs_f64());
        findings.error("dead-too-early", span, message).help(help);
    }
    let paths = if whole { paths(&peers, &sources, source_at, findings) } else { None };
    let pair = paths.map(|paths| Pair { node, paths, port, key_file, heartbeat, dead_after });
    Definition { pair, addresses: [peers, sources].concat() }
}

/// Whether all of them could be read.
fn addresses(statement: &Statement<'_>, list: &mut Vec<(IpAddr, Span)>, findings: &mut Findings) -> bool {
    let before = list.len();
    for word in &statement.values {
        let Some(address) = values::address(word, findings) else { continue };
        let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        if address.is_unspecified() || address.is_multicast() {
            findings
                .error("bad-address", word.span, format!("{address} is no address of one machine"))
                .help("write the address that the node has on this network, not a virtual one");
        } else if link_local {
            findings
                .error("not-built", word.span, format!("{address} needs an interface, which is not built yet"))
                .help("use an address that is valid beyond one link");
        } else if statement.keyword.name == "peer" && list.iter().any(|(other, _)| *other == address) {
            findings
                .error("given-twice", word.span, format!("{address} is given twice"))
                .help("each address is one way to the other node; a second way needs another address");
        } else {
            list.push((address, word.span));
        }
    }
    list.len() - before == statement.values.len()
}

/// Peers and sources side by side. `None` if they do not fit, which was reported.
fn paths(
    peers: &[(IpAddr, Span)],
    sources: &[(IpAddr, Span)],
    source_at: Option<Span>,
    findings: &mut Findings,
) -> Option<Vec<PairPath>> {
    if peers.is_empty() {
        return None;
    }
    let Some(source_at) = source_at else {
        return Some(peers.iter().map(|(peer, _)| PairPath { source: None, peer: *peer }).collect());
    };
    if peers.len() != sources.len() {
        let message =
            format!("`source` and `peer` go side by side, but there are {} and {}", sources.len(), peers.len());
        findings.error("bad-choice", source_at, message).help("give one `source` for each `peer`, in the same order");
        return None;
    }
    let mut paths = Vec::new();
    for ((peer, _), (source, span)) in peers.iter().zip(sources) {
        if peer.is_ipv4() != source.is_ipv4() {
            findings
                .error("bad-address", *span, format!("{source} cannot reach {peer}: one is IPv4, the other IPv6"))
                .help("give both in the same order");
            return None;
        }
        if peer == source {
            findings
                .error("bad-address", *span, format!("{source} is given as this node's address and as the other's"))
                .help("`source` is this node, `peer` is the other one");
            return None;
        }
        paths.push(PairPath { source: Some(*source), peer: *peer });
    }
    Some(paths)
}
