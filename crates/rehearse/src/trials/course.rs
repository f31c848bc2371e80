//! What was done to a pair, and when: enough to do the same once more.

use std::time::Duration;

use super::scenario::{Node, Step};
use crate::lab::Moment;

/// Something that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    pub step: Step,
    /// Everything that is measured from it is measured from here.
    pub began: Moment,
    /// When it took effect: a daemon that was started begins its life, one that was to be frozen is.
    pub took_effect: Moment,
}

/// A node was asked whether it stands by: the other one lost its power, unless the service was here already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub node: Node,
    pub at: Moment,
    pub patience: Duration,
    /// The other one did lose its power.
    pub alone: bool,
}

/// All that was done, from the start of the first daemon on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// In order.
    pub deeds: Vec<Deed>,
    /// From where the figures count.
    pub mark: Option<Moment>,
    /// Until where.
    pub end: Option<Moment>,
    pub asked: Option<Asked>,
    /// How long after it came up the first service was found good. At which of the looks that was can be a matter of a
    /// millisecond, and its checks run on from there.
    pub first_good_after: Option<Duration>,
    /// For where something is not there yet.
    begun: Moment,
}

impl Course {
    pub(super) const fn begin(begun: Moment) -> Self {
        Self { deeds: Vec::new(), mark: None, end: None, asked: None, first_good_after: None, begun }
    }

    pub(super) fn add(&mut self, step: Step, began: Moment) {
        self.deeds.push(Deed { step, began, took_effect: began });
    }

    /// The last deed has taken effect only now.
    pub(super) fn took_effect(&mut self, at: Moment) {
        if let Some(deed) = self.deeds.last_mut() {
            deed.took_effect = at;
        }
    }

    pub(super) fn mark(&self) -> Moment {
        self.mark.unwrap_or_else(|| self.last_deed())
    }

    /// The first deed from the mark on.
    pub(super) fn event(&self) -> Moment {
        let mark = self.mark();
        self.deeds.iter().map(|deed| deed.began).find(|began| *began >= mark).unwrap_or(mark)
    }

    pub(super) fn last_deed(&self) -> Moment {
        self.deeds.last().map_or(self.begun, |deed| deed.began)
    }

    pub(super) fn end(&self) -> Moment {
        self.end.unwrap_or_else(|| self.last_deed())
    }
}
