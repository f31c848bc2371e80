//! For how long a node keeps a role to itself that nobody took when it was to be handed over.

use std::mem;
use std::time::Duration;

use engine::{Event, Instant, Name, Output, RefusedCommand, RouterId, View};

/// It is not offered again by itself for this long at first; each time doubles it,
const FIRST: Duration = Duration::from_secs(60);
/// but not beyond this.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What is known of it, of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Rests(Vec<Rest>);

#[derive(Debug)]
struct Rest {
    node: usize,
    router: Name,
    /// It is to be handed over at this moment.
    leaves: bool,
    span: Duration,
    until: Instant,
}

impl Rests {
    fn known(&mut self, node: usize, router: &Name) -> &mut Rest {
        let is_it = |one: &Rest| one.node == node && one.router == *router;
        let at = self.0.iter().position(is_it).unwrap_or_else(|| {
            let (span, until) = (Duration::ZERO, Instant::START);
            self.0.push(Rest { node, router: router.clone(), leaves: false, span, until });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// What a node tells.
    pub(crate) fn notice(&mut self, node: usize, view: &View, outputs: &[Output], now: Instant) {
        let name = |router: RouterId| view.routers.get(router.0 as usize).map(|router| &router.name);
        for output in outputs {
            let Output::Tell(event) = output else { continue };
            match event {
                Event::HandoverBegun { router, to_us: false, .. } => {
                    name(*router).into_iter().for_each(|router| self.known(node, router).leaves = true);
                }
                Event::HandoverFailed { router, reason } => {
                    let Some(router) = name(*router) else { continue };
                    let rest = self.known(node, router);
                    // If nobody was there to take it, it is offered to the next one that is.
                    if mem::take(&mut rest.leaves) && *reason != RefusedCommand::PeerSilent {
                        rest.span = (rest.span * 2).clamp(FIRST, LONGEST);
                        rest.until = now + rest.span;
                    }
                }
                Event::StateChanged { router, .. } => {
                    let Some(router) = name(*router) else { continue };
                    let rest = self.known(node, router);
                    (rest.leaves, rest.span, rest.until) = (false, Duration::ZERO, rest.until.min(now));
                }
                _ => {}
            }
        }
    }

    /// Until when it stays where it is, or stayed there last.
    pub(crate) fn until(&self, node: usize, router: &Name) -> Option<Instant> {
        let rest = self.0.iter().find(|one| one.node == node && one.router == *router)?;
        Some(rest.until).filter(|until| *until > Instant::START)
    }
}
