//! From an operator's request to the engine's commands, and from its answers to one reply.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::{Ask, CommandResult, Commanded, Maintenance, Outcome, Refusal, Switch};
use engine::{Answer, Command, Engine, HeldBy, RefusedCommand, RouterId, StateName};

use crate::words::pair::refusal;

/// A command for the engine and the instance that it concerns; `None` for the whole node or pair.
pub(super) type Order = (Option<String>, Command);

/// More than this cannot be open while the engine answers at once; the oldest ones are given up.
const OPEN: usize = 256;

/// Commands that the engine has not answered yet.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// By the number of the request's first command.
    open: BTreeMap<u64, Open>,
    next_number: u64,
}

#[derive(Debug)]
struct Open {
    ticket: u64,
    results: Vec<(Option<String>, Option<CommandResult>)>,
}

impl Orders {
    /// Numbers the commands of a request.
    pub(super) fn begin(&mut self, ticket: u64, orders: Vec<Order>) -> Vec<(u64, Command)> {
        let first = self.next_number;
        self.next_number += orders.len() as u64;
        let (instances, commands): (Vec<_>, Vec<_>) = orders.into_iter().unzip();
        if self.open.len() >= OPEN {
            self.open.pop_first();
        }
        let results = instances.into_iter().map(|instance| (instance, None)).collect();
        self.open.insert(first, Open { ticket, results });
        (first..).zip(commands).collect()
    }

    /// An answer has come. `Some` once it was the last one of its request.
    pub(super) fn answered(&mut self, number: u64, answer: &Answer) -> Option<(u64, Outcome)> {
        let (first, open) = self.open.range_mut(..=number).next_back()?;
        let first = *first;
        let place = usize::try_from(number - first).ok()?;
        open.results.get_mut(place)?.1 = Some(result(answer));
        if open.results.iter().any(|(_, result)| result.is_none()) {
            return None;
        }
        let Open { ticket, results } = self.open.remove(&first)?;
        let commanded =
            results.into_iter().filter_map(|(instance, result)| Some(Commanded { instance, result: result? }));
        Some((ticket, Outcome::Commanded(commanded.collect())))
    }
}

/// What an operator's request means to the engine; the error is for the operator. `calendar`: since 1970.
pub(super) fn to_commands(ask: &Ask, engine: &Engine, node: &str, calendar: Duration) -> Result<Vec<Order>, String> {
    let per_instance = |instance: &Option<String>, command: &dyn Fn(RouterId) -> Command| {
        let routers = routers(engine, instance.as_deref())?;
        Ok(routers.into_iter().map(|(router, name)| (Some(name), command(router))).collect())
    };
    let by = HeldBy::Operator;
    match ask {
        Ask::Status | Ask::Events { .. } | Ask::Configuration => Err("this is a question".to_owned()),
        Ask::Ack => Ok(vec![(None, Command::Acknowledge)]),
        Ask::Hold { instance } => per_instance(instance, &|router| Command::Hold { router, by }),
        Ask::Release { instance } => per_instance(instance, &|router| Command::Release { router, by }),
        Ask::Switch(switch) => to_switches(switch, engine, node),
        Ask::Maintenance(Maintenance::On { for_s: Some(0) }) => {
            Err("maintenance for no time at all; `tanist maintenance off` ends it".to_owned())
        }
        Ask::Maintenance(Maintenance::On { for_s }) => {
            Ok(vec![(None, Command::Maintain { span: for_s.map(Duration::from_secs), calendar: calendar.as_secs() })])
        }
        Ask::Maintenance(Maintenance::Off) => Ok(vec![(None, Command::EndMaintenance)]),
    }
}

fn to_switches(switch: &Switch, engine: &Engine, node: &str) -> Result<Vec<Order>, String> {
    let routers = routers(engine, switch.instance.as_deref())?;
    let is_active = |router: &RouterId| engine.state(*router) == Some(StateName::Active);
    let to_us = match switch.to.as_deref() {
        Some("here") => true,
        Some("peer") => false,
        Some(name) if name == node => true,
        Some(name) => match engine.view().peer {
            Some(peer) if *peer.node == *name => false,
            Some(peer) if peer.node.is_empty() => {
                return Err(format!("there is no node {name}: this is {node}, and the peer was never heard"));
            }
            Some(peer) => {
                return Err(format!("there is no node {name}: this is {node}, the peer is {}", peer.node));
            }
            None => {
                return Err(format!("there is no node {name}: this is {node}, and no `pair` is configured"));
            }
        },
        None => {
            let here = routers.iter().filter(|(router, _)| is_active(router)).count();
            if here != 0 && here != routers.len() {
                return Err(
                    "each node is active for some of the instances; say which one, or --to which node".to_owned()
                );
            }
            here == 0
        }
    };
    let command = |router| Command::Switch { router, to_us, dry_run: switch.dry_run };
    Ok(routers.into_iter().map(|(router, name)| (Some(name), command(router))).collect())
}

/// The instance of that name, or of the sync group of that name, or all; never none. Of a sync group it is the one that
/// speaks for all of them.
fn routers(engine: &Engine, instance: Option<&str>) -> Result<Vec<(RouterId, String)>, String> {
    let all = || engine.config().routers.iter().enumerate().map(|(id, router)| (RouterId(id as u32), &router.name));
    let in_group = |name: &str| {
        let groups = engine.config().groups.iter().filter(|group| instance == Some(&*group.name));
        groups.into_iter().any(|group| group.members.iter().any(|member| **member == *name))
    };
    let wanted = |name: &str| instance.is_none_or(|instance| instance == name) || in_group(name);
    let speakers: BTreeSet<RouterId> =
        all().filter(|(_, name)| wanted(name)).map(|(id, _)| engine.speaker(id)).collect();
    let found: Vec<_> =
        all().filter(|(id, _)| speakers.contains(id)).map(|(id, name)| (id, name.to_string())).collect();
    match (found.is_empty(), instance) {
        (false, _) => Ok(found),
        (true, None) => Err("no instance is configured".to_owned()),
        (true, Some(instance)) => {
            let known: Vec<&str> = all().map(|(_, name)| &**name).collect();
            Err(format!("there is no instance {instance}; there is {}", known.join(", ")))
        }
    }
}

fn result(answer: &Answer) -> CommandResult {
    match answer {
        Answer::Done => CommandResult::Done,
        Answer::Begun => CommandResult::Begun,
        Answer::Would { at_most } => {
            CommandResult::Would { at_most_ms: u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX) }
        }
        Answer::Refused(reason) => CommandResult::Refused {
            text: refusal(reason),
            reason: match reason {
                RefusedCommand::NoSuchRouter => Refusal::NoSuchInstance,
                RefusedCommand::PeerSilent => Refusal::PeerSilent,
                RefusedCommand::NoPeer => Refusal::NoPeer,
                RefusedCommand::NotReady(_) => Refusal::NotReady,
                RefusedCommand::NotStandby => Refusal::NotStandby,
                RefusedCommand::NobodyActive => Refusal::NobodyActive,
                RefusedCommand::Latched => Refusal::Latched,
                RefusedCommand::Busy => Refusal::Busy,
                RefusedCommand::Stopping => Refusal::Stopping,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tests::engine;

    const VI_1: RouterId = RouterId(0);

    fn check(ask: &Ask, expected: Result<&[Command], &str>) {
        let commands = to_commands(ask, &engine(), "a", Duration::from_secs(1_795_000_000));
        let commands = commands.map(|orders| orders.into_iter().map(|(_, command)| command).collect::<Vec<_>>());
        assert_eq!(commands.as_deref().map_err(String::as_str), expected, "{ask:?}");
    }

    fn to(to: &str) -> Ask {
        Ask::Switch(Switch { instance: None, to: Some(to.to_owned()), dry_run: true })
    }

    #[test]
    fn requests_become_commands() {
        let by = HeldBy::Operator;
        check(&Ask::Ack, Ok(&[Command::Acknowledge]));
        check(&Ask::Hold { instance: None }, Ok(&[Command::Hold { router: VI_1, by }]));
        check(&Ask::Release { instance: Some("VI_1".to_owned()) }, Ok(&[Command::Release { router: VI_1, by }]));
        let switch = |to_us| Command::Switch { router: VI_1, to_us, dry_run: true };
        for (name, to_us) in [("here", true), ("a", true), ("peer", false)] {
            check(&to(name), Ok(&[switch(to_us)]));
        }
        // This node is not active: the role comes here.
        let nowhere = Ask::Switch(Switch::default());
        check(&nowhere, Ok(&[Command::Switch { router: VI_1, to_us: true, dry_run: false }]));
        let (span, calendar) = (Some(Duration::from_secs(7_200)), 1_795_000_000);
        let on = |for_s| Ask::Maintenance(Maintenance::On { for_s });
        check(&on(Some(7_200)), Ok(&[Command::Maintain { span, calendar }]));
        check(&on(None), Ok(&[Command::Maintain { span: None, calendar }]));
        check(&Ask::Maintenance(Maintenance::Off), Ok(&[Command::EndMaintenance]));
    }

    #[test]
    fn what_does_not_exist_is_said_with_what_does() {
        check(&Ask::Hold { instance: Some("VI_2".to_owned()) }, Err("there is no instance VI_2; there is VI_1"));
        check(&to("c"), Err("there is no node c: this is a, and no `pair` is configured"));
        check(
            &Ask::Maintenance(Maintenance::On { for_s: Some(0) }),
            Err("maintenance for no time at all; `tanist maintenance off` ends it"),
        );
    }

    #[test]
    fn a_reply_waits_for_every_answer_in_whatever_order() {
        let mut orders = Orders::default();
        let instance = |name: &str| Some(name.to_owned());
        let two = vec![(instance("VI_1"), Command::Acknowledge), (instance("VI_2"), Command::Acknowledge)];
        let first: Vec<u64> = orders.begin(7, two).into_iter().map(|(number, _)| number).collect();
        let second: Vec<u64> =
            orders.begin(8, vec![(None, Command::Acknowledge)]).into_iter().map(|(number, _)| number).collect();
        assert_eq!(orders.answered(first[1], &Answer::Refused(RefusedCommand::Busy)), None);
        let done = Commanded { instance: None, result: CommandResult::Done };
        assert_eq!(orders.answered(second[0], &Answer::Done), Some((8, Outcome::Commanded(vec![done]))));
        let busy = CommandResult::Refused {
            reason: Refusal::Busy,
            text: "another change is under way; try again when it has ended".to_owned(),
        };
        let both = vec![
            Commanded { instance: instance("VI_1"), result: CommandResult::Begun },
            Commanded { instance: instance("VI_2"), result: busy },
        ];
        assert_eq!(orders.answered(first[0], &Answer::Begun), Some((7, Outcome::Commanded(both))));
        assert_eq!(orders.answered(first[0], &Answer::Begun), None, "answered already");
        assert_eq!(orders.answered(99, &Answer::Done), None, "nobody asked");
    }
}
