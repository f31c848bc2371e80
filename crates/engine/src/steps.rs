//! Which steps of the table of roles (`role.rs`) an input has led to: for who wants to know whether all of it was gone
//! through.

use alloc::vec::Vec;
use core::fmt;

use crate::StateName;
use crate::role::{Step, There};
use crate::wire::baton::Stance;

/// One step, and where it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleStep {
    /// The router's own state.
    pub state: StateName,
    /// What was known of the other node.
    pub other: OtherNode,
    /// What was done.
    pub kind: StepKind,
}

/// What is known of the other node, as far as one router is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherNode {
    /// None is configured.
    Alone,
    /// None is heard.
    Silent,
    /// It is heard and has no such router.
    Stranger,
    /// It takes no part.
    Out,
    /// It could take the role.
    Standby,
    /// It is taking the role.
    Claiming,
    /// It has the role.
    Active,
    /// It has the role and offers it.
    Offering,
    /// It is letting the role go.
    Releasing,
}

/// What is done about a role. That nothing is done is no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// Becomes Active.
    TakeOver,
    /// Says that it takes the role, for the first time or again.
    Claim,
    /// Takes that back.
    Unclaim,
    /// Offers the role.
    Offer,
    /// Takes the offer back, for the other node cannot or does not take it.
    Withdraw,
    /// Begins to end its services, for the other node will take the role.
    LetGo,
    /// Ends what a former life left running: the other node shall have it.
    GiveUp,
    /// Keeps the role that it had begun to let go.
    Keep,
    /// Forgets an offer that other things have overtaken.
    DropOffer,
    /// Both were Active: the other node stays so.
    Yield,
}

/// Those that the last input has led to. What an engine is does not depend on how it came there, so they are no part of
/// its text.
#[derive(Clone, Default)]
pub(crate) struct Steps(Vec<RoleStep>);

impl Steps {
    pub(crate) fn begin(&mut self) {
        self.0.clear();
    }

    pub(crate) fn note(&mut self, state: StateName, there: There<'_>, step: &Step) {
        let kind = match step {
            Step::Nothing => return,
            Step::TakeOver(_) => StepKind::TakeOver,
            Step::Claim(_) => StepKind::Claim,
            Step::Unclaim => StepKind::Unclaim,
            Step::Offer(_) => StepKind::Offer,
            Step::Withdraw(_) => StepKind::Withdraw,
            Step::LetGo(_) => StepKind::LetGo,
            Step::GiveUp => StepKind::GiveUp,
            Step::Keep(_) => StepKind::Keep,
            Step::DropOffer => StepKind::DropOffer,
            Step::Yield => StepKind::Yield,
        };
        let other = match there {
            There::Alone => OtherNode::Alone,
            There::Nobody => OtherNode::Silent,
            There::Stranger => OtherNode::Stranger,
            There::Heard { says, .. } => match says.stance {
                Stance::Out => OtherNode::Out,
                Stance::Standby => OtherNode::Standby,
                Stance::Claiming => OtherNode::Claiming,
                Stance::Active => OtherNode::Active,
                Stance::Offering(_) => OtherNode::Offering,
                Stance::Releasing(_) => OtherNode::Releasing,
            },
        };
        self.0.push(RoleStep { state, other, kind });
    }

    pub(crate) fn all(&self) -> &[RoleStep] {
        &self.0
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps")
    }
}
