//! Changes of several kinds in one batch: what comes and goes with a role.

use netlink_packet_core::Emitable;
use rustix::io::Errno;

use super::addresses::Applied;
use super::payload::Payload;
use super::socket::{Refusal, Request};
use super::{
    AddressOperation, Netlink, RouteOperation, RoutePosition, RouteSpec, RuleOperation, RuleSpec, route, rule,
};
use crate::error::refused;
use crate::{Error, Result};

/// One step towards what is wanted, whatever it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Address(AddressOperation),
    Route(RouteOperation),
    Rule(RuleOperation),
}

impl Netlink {
    /// All routes of both families that somebody made with this protocol number.
    pub fn routes(&mut self, protocol: u8) -> Result<Vec<RouteSpec>> {
        let mut routes = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            // Kernels that check strictly tell only of routes of this protocol; the others tell everything.
            let question = Payload::new(&[family as u8, 0, 0, 0, 0, protocol, 0, 0, 0, 0, 0, 0]);
            let found = self.socket.dump(libc::RTM_GETROUTE, &question, |message| {
                let is_answer = message.kind == libc::RTM_NEWROUTE && is_of_family(family, message.payload);
                is_answer.then(|| route::decode(message.payload))
            });
            let found = none_without_family(found).map_err(refused("list the routes"))?;
            routes.extend(found.into_iter().flatten().filter(|route| route.protocol == protocol));
        }
        Ok(routes)
    }

    /// All policy rules of both families.
    pub fn rules(&mut self) -> Result<Vec<RuleSpec>> {
        let mut rules = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            let question = Payload::new(&[family as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            let found = self.socket.dump(libc::RTM_GETRULE, &question, |message| {
                let is_answer = message.kind == libc::RTM_NEWRULE && is_of_family(family, message.payload);
                if is_answer { rule::decode(message.payload) } else { None }
            });
            rules.extend(none_without_family(found).map_err(refused("list the policy rules"))?);
        }
        Ok(rules)
    }

    /// Carries the operations out in order, in as few system calls as possible, and says what became of each: the
    /// answer has the length and the order of `operations`. One that fails does not stop the others.
    pub fn apply_all(&mut self, operations: &[Operation]) -> Vec<Result<Applied>> {
        let payloads: Vec<Box<dyn Emitable>> = operations.iter().map(payload).collect();
        let requests: Vec<Request<'_>> = std::iter::zip(operations, &payloads)
            .map(|(operation, payload)| {
                let (kind, flags) = kind_and_flags(operation);
                Request { kind, flags: flags as u16, payload: payload.as_ref() }
            })
            .collect();
        let answers = self.socket.transact(&requests);
        std::iter::zip(operations, answers)
            .map(|(operation, answer)| match (operation, answer) {
                (_, Ok(())) => Ok(Applied::Done),
                (Operation::Address(operation), Err(refusal)) => self.judge(operation, refusal),
                (Operation::Route(operation), Err(refusal)) => self.judge_route(operation, refusal),
                (Operation::Rule(operation), Err(refusal)) => judge_rule(operation, refusal),
            })
            .collect()
    }

    fn judge_route(&self, operation: &RouteOperation, refusal: Refusal) -> Result<Applied> {
        let words = |route: &RouteSpec| route.words(|link| self.link_name(link));
        let action = match (operation, refusal.errno) {
            (RouteOperation::Add(wanted), libc::EEXIST) if wanted.position != RoutePosition::Alone => {
                return Ok(Applied::AlreadyThere);
            }
            (RouteOperation::Remove(_), libc::ESRCH | libc::ENODEV) => return Ok(Applied::AlreadyGone),
            (RouteOperation::Add(wanted), _) => format!("add the route {}", words(&wanted.route)),
            (RouteOperation::Remove(route), _) => format!("remove the route {}", words(route)),
        };
        Err(Error::new(action, refusal.errno).explained(refusal.words))
    }
}

/// Whether a route or a rule is of the family that was asked for: a kernel without it (`ipv6.disable=1`) may answer with
/// what it has of the others.
fn is_of_family(family: i32, payload: &[u8]) -> bool {
    payload.first().is_some_and(|found| i32::from(*found) == family)
}

/// What a kernel has of a family that it does not have is nothing, and no reason to do without the others.
fn none_without_family<T>(found: std::result::Result<Vec<T>, Errno>) -> std::result::Result<Vec<T>, Errno> {
    match found {
        Err(Errno::AFNOSUPPORT | Errno::OPNOTSUPP) => Ok(Vec::new()),
        found => found,
    }
}

fn judge_rule(operation: &RuleOperation, refusal: Refusal) -> Result<Applied> {
    let action = match (operation, refusal.errno) {
        (RuleOperation::Add(_), libc::EEXIST) => return Ok(Applied::AlreadyThere),
        (RuleOperation::Remove(_), libc::ENOENT) => return Ok(Applied::AlreadyGone),
        (RuleOperation::Add(rule), _) => format!("add the rule {}", rule.words()),
        (RuleOperation::Remove(rule), _) => format!("remove the rule {}", rule.words()),
    };
    Err(Error::new(action, refusal.errno).explained(refusal.words))
}

fn payload(operation: &Operation) -> Box<dyn Emitable> {
    match operation {
        Operation::Address(operation) => Box::new(super::addresses::encode(operation)),
        Operation::Route(RouteOperation::Add(wanted)) => Box::new(route::encode(&wanted.route)),
        // When it would have ended by itself is not asked of what is to end now.
        Operation::Route(RouteOperation::Remove(gone)) => {
            Box::new(route::encode(&RouteSpec { expires: None, ..gone.clone() }))
        }
        Operation::Rule(RuleOperation::Add(rule) | RuleOperation::Remove(rule)) => Box::new(rule::encode(rule)),
    }
}

fn kind_and_flags(operation: &Operation) -> (u16, i32) {
    let create = libc::NLM_F_CREATE;
    match operation {
        Operation::Address(AddressOperation::Add(_) | AddressOperation::PutBack(_)) => {
            (libc::RTM_NEWADDR, create | libc::NLM_F_EXCL)
        }
        Operation::Address(AddressOperation::Remove { .. }) => (libc::RTM_DELADDR, 0),
        Operation::Route(RouteOperation::Add(wanted)) => match wanted.position {
            RoutePosition::Prepend => (libc::RTM_NEWROUTE, create),
            RoutePosition::Append => (libc::RTM_NEWROUTE, create | libc::NLM_F_APPEND),
            RoutePosition::Alone => (libc::RTM_NEWROUTE, create | libc::NLM_F_EXCL),
        },
        Operation::Route(RouteOperation::Remove(_)) => (libc::RTM_DELROUTE, 0),
        Operation::Rule(RuleOperation::Add(_)) => (libc::RTM_NEWRULE, create | libc::NLM_F_EXCL),
        Operation::Rule(RuleOperation::Remove(_)) => (libc::RTM_DELRULE, 0),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn a_family_that_the_kernel_does_not_have_is_empty_and_no_failure() {
        let none: Vec<u8> = Vec::new();
        for without in [Errno::AFNOSUPPORT, Errno::OPNOTSUPP] {
            assert_eq!(none_without_family(Err(without)), Ok(none.clone()), "{without}");
        }
        assert_eq!(none_without_family(Ok(vec![7])), Ok(vec![7]));
        for refusal in [Errno::AGAIN, Errno::NOBUFS, Errno::PERM] {
            assert_eq!(none_without_family::<u8>(Err(refusal)), Err(refusal), "{refusal}");
        }
    }

    /// A kernel without IPv6 answers the question for its routes with those of IPv4, once more.
    #[test]
    fn what_is_not_of_the_family_that_was_asked_for_is_no_answer() {
        let families = [("192.0.2.0", libc::AF_INET), ("2001:db8::", libc::AF_INET6)];
        for (destination, family) in families {
            let destination: IpAddr = destination.parse().unwrap();
            let message = route::encode(&RouteSpec::to((destination, 24)));
            let mut octets = vec![0; message.buffer_len()];
            message.emit(&mut octets);
            for (_, asked) in families {
                assert_eq!(is_of_family(asked, &octets), asked == family, "{destination}, asked for {asked}");
            }
        }
        assert!(!is_of_family(libc::AF_INET, &[]));
    }
}
