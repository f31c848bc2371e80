//! What was there of each service, node by node, from moment to moment: for whoever lays a yardstick of their own on a
//! run.

use engine::{Instant, Name};

use crate::node::Node;
use crate::unit::{Processes, Unit};

/// What is there of a service on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Gone,
    /// It is coming up.
    Starting,
    /// It does its work.
    Working,
    /// It is there and does not do its work.
    Idle,
    /// It has been told to end.
    Ending,
}

/// From here on something else is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Instant,
    /// Index of the node.
    pub node: usize,
    /// The service.
    pub service: Name,
    /// What is there now.
    pub presence: Presence,
}

/// Adds what has changed since the last look.
pub(crate) fn look(nodes: &[Node], now: Instant, turns: &mut Vec<Turn>) {
    for (index, node) in nodes.iter().enumerate() {
        for unit in &node.units {
            let presence = presence(unit);
            let last = turns.iter().rfind(|turn| turn.node == index && turn.service == unit.name);
            if last.map_or(Presence::Gone, |turn| turn.presence) != presence {
                turns.push(Turn { at: now, node: index, service: unit.name.clone(), presence });
            }
        }
    }
}

fn presence(unit: &Unit) -> Presence {
    match unit.processes {
        Processes::None => Presence::Gone,
        Processes::Starting => Presence::Starting,
        Processes::Up if unit.works() => Presence::Working,
        Processes::Up => Presence::Idle,
        Processes::Stopping => Presence::Ending,
    }
}
