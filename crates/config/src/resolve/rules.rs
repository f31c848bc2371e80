//! `virtual_rules` and `static_rules`: what `ip rule` would be told, one rule on a line.

use std::sync::Arc;

use engine::{Family, Network, Realms, Rule, RuleAction, Table};

use super::iproute::{Kind, Names, number};
use super::options::{Line, Target, target};
use super::routes::Read;
use crate::diagnostic::Findings;
use crate::keywords::{Block, Keyword};
use crate::statement::Statement;
use crate::syntax::{Entry, Word};

/// The preferences of rules that say none: counted down for each family from just before the kernel's own, in the order
/// of the file, as keepalived does.
#[derive(Debug)]
pub(super) struct Numbering {
    ipv4: u32,
    ipv6: u32,
}

impl Default for Numbering {
    fn default() -> Self {
        Self { ipv4: 16_384, ipv6: 16_384 }
    }
}

impl Numbering {
    fn next(&mut self, family: Family) -> u32 {
        let counter = match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        };
        let next = *counter;
        *counter = counter.saturating_sub(1);
        next
    }
}

/// The rules of a block. Those that cannot be are reported and left out.
pub(super) fn rules<'a>(
    statement: &'a Statement<'_>,
    names: &Names<'_>,
    numbering: &mut Numbering,
    findings: &mut Findings,
) -> Vec<Read<'a, Rule>> {
    statement.entries().iter().filter_map(|entry| rule(entry, names, numbering, findings)).collect()
}

fn rule<'a>(
    entry: &'a Entry,
    names: &Names<'_>,
    numbering: &mut Numbering,
    findings: &mut Findings,
) -> Option<Read<'a, Rule>> {
    let start = entry.words.first()?;
    let mut line = Line::new(entry, names, findings);
    let mut draft = Draft {
        rule: Rule::about_all(Family::Ipv4, 0, RuleAction::Nop),
        ipv6: false,
        preference: None,
        from: None,
        to: None,
        action: None,
        realms: None,
        group: None,
    };
    while let Some(word) = line.next() {
        match line.option(Block::RuleOptions, word) {
            Some(option) => draft.take(option, word, &mut line),
            None => line.unknown(Block::RuleOptions, word),
        }
    }
    let group = draft.group;
    let rule = draft.finish(start, numbering, &mut line)?;
    Some(Read { what: Arc::new(rule), group })
}

/// What the words of a rule said, before they are held against each other.
struct Draft<'a> {
    rule: Rule,
    ipv6: bool,
    preference: Option<u32>,
    from: Option<(Target, &'a Word)>,
    to: Option<(Target, &'a Word)>,
    action: Option<(RuleAction, &'a Word)>,
    realms: Option<&'a Word>,
    group: Option<&'a Word>,
}

impl<'a> Draft<'a> {
    fn take(&mut self, option: &Keyword, word: &'a Word, line: &mut Line<'a, '_, '_>) {
        let rule = &mut self.rule;
        match option.name {
            "inet6" => self.ipv6 = true,
            "not" => rule.inverted = true,
            "from" => self.from = place(option, word, line),
            "to" => self.to = place(option, word, line),
            "preference" => self.preference = line.number32(option, word, 0, u32::MAX),
            "tos" => rule.tos = line.tos(option, word).unwrap_or(0),
            "fwmark" => rule.mark = mark(option, word, line),
            "realms" => {
                self.realms = Some(word);
                rule.realms = line.realms(option, word).filter(|realms| *realms != Realms { from: 0, to: 0 });
            }
            "suppress_prefixlength" => {
                let length = line.number(option, word, 0, 128);
                rule.suppress_prefix_length = length.and_then(|length| u8::try_from(length).ok());
            }
            "suppress_ifgroup" => rule.suppress_group = line.named(option, word, Kind::LinkGroup),
            "iif" => rule.incoming = line.interface(option, word),
            "oif" => rule.outgoing = line.interface(option, word),
            "tunnel-id" => rule.tunnel_id = line.number(option, word, 1, u64::MAX),
            "uidrange" => rule.users = range(option, word, u32::MAX, line),
            "ipproto" => {
                rule.ip_protocol = line.octet(option, word, Kind::IpProtocol).filter(|protocol| *protocol != 0)
            }
            "sport" => rule.source_ports = ports(option, word, line),
            "dport" => rule.destination_ports = ports(option, word, line),
            "protocol" => rule.protocol = line.octet(option, word, Kind::Protocol),
            "no_track" => rule.tracked = false,
            "track_group" => self.group = line.value(option, word),
            _ => self.take_action(option, word, line),
        }
    }

    fn take_action(&mut self, option: &Keyword, word: &'a Word, line: &mut Line<'a, '_, '_>) {
        let action = match option.name {
            "table" => {
                let table = line.named(option, word, Kind::Table);
                // The kernel takes "none" for a table of its own choice, which is nobody's wish.
                table.map(|number| RuleAction::Lookup(if number == 0 { Table::MAIN } else { Table::Number(number) }))
            }
            "l3mdev" => Some(RuleAction::LookupVrf),
            "goto" => line.number32(option, word, 1, u32::MAX).map(RuleAction::Goto),
            "type" => {
                let value = line.value(option, word);
                value.and_then(|value| {
                    let action = by_word(&value.text);
                    if action.is_none() {
                        line.wrong("bad-choice", value, format!("`type` cannot be {}", value.text))
                            .help("blackhole, unreachable or prohibit");
                    }
                    action
                })
            }
            name => by_word(name),
        };
        let Some(action) = action else { return };
        if let Some((_, first)) = &self.action {
            line.wrong("given-twice", word, format!("a second action, after `{}`", first.text))
                .help("a rule does one thing; write another line for another one");
        }
        self.action = Some((action, word));
    }

    fn finish(self, start: &Word, numbering: &mut Numbering, line: &mut Line<'a, '_, '_>) -> Option<Rule> {
        let Self { mut rule, ipv6, preference, from, to, action, realms, .. } = self;
        // What was meant by a mistake is not also missing.
        if line.bad {
            return None;
        }
        let of = |target: &Option<(Target, &Word)>| match target {
            Some((Target::Network(network), _)) => Some(network.family()),
            _ => None,
        };
        rule.family = match (of(&from), of(&to), ipv6) {
            (Some(one), Some(other), _) if one != other => {
                line.wrong("mixed-families", start, "`from` and `to` are of different families");
                return None;
            }
            (Some(Family::Ipv4), _, true) | (_, Some(Family::Ipv4), true) => {
                line.wrong("mixed-families", start, "the addresses are not IPv6, and `inet6` asks for that");
                return None;
            }
            (from, to, ipv6) => from.or(to).unwrap_or(if ipv6 { Family::Ipv6 } else { Family::Ipv4 }),
        };
        let network = |place: Option<(Target, &Word)>| place.and_then(|(target, _)| some_network(target));
        (rule.from, rule.to) = (network(from), network(to));
        if let (Family::Ipv6, Some(word)) = (rule.family, realms) {
            line.wrong("other-family", word, "`realms` is for IPv4 only").help("remove it");
        }
        match action {
            None => {
                line.wrong("no-action", start, "a rule that says nothing to do").help(
                    "add `table NAME`, for instance `table 100`, or `goto`, `blackhole`, `unreachable`, `prohibit`",
                );
            }
            Some((RuleAction::Goto(target), word)) if preference.is_some_and(|own| target <= own) => {
                line.wrong("bad-goto", word, format!("`goto {target}` leads back, and the kernel only goes forward"))
                    .help("the target's preference must be greater than the rule's own");
            }
            // A number of our choice could lie behind the target.
            Some((RuleAction::Goto(_), word)) if preference.is_none() => {
                line.wrong(
                    "bad-goto",
                    word,
                    "`goto` needs a `preference`: where the rule stands decides what lies ahead",
                )
                .help("add `preference NUMBER`, smaller than that of the target");
            }
            Some((action, _)) => rule.action = action,
        }
        if line.bad {
            return None;
        }
        rule.preference = preference.unwrap_or_else(|| {
            let number = numbering.next(rule.family);
            line.findings
                .warning("no-preference", start.span, format!("the rule has no `preference` and gets {number}"))
                .help("that is probably not what you want: say which rule is asked before which");
            number
        });
        Some(rule)
    }
}

fn by_word(word: &str) -> Option<RuleAction> {
    match word {
        "nop" => Some(RuleAction::Nop),
        "blackhole" => Some(RuleAction::Blackhole),
        "unreachable" => Some(RuleAction::Unreachable),
        "prohibit" => Some(RuleAction::Prohibit),
        _ => None,
    }
}

fn some_network(target: Target) -> Option<Network> {
    match target {
        Target::Everything => None,
        Target::Network(network) => Some(network),
    }
}

fn place<'a>(option: &Keyword, word: &Word, line: &mut Line<'a, '_, '_>) -> Option<(Target, &'a Word)> {
    let value = line.value(option, word)?;
    let found = target(&value.text);
    if found.is_none() {
        line.wrong("bad-network", value, format!("`{}` is neither an address nor a network", value.text))
            .help("for instance 192.0.2.0/24, 2001:db8::/32 or all");
    }
    Some((found?, value))
}

/// `MARK` or `MARK/MASK`.
fn mark(option: &Keyword, word: &Word, line: &mut Line<'_, '_, '_>) -> Option<(u32, u32)> {
    let value = line.value(option, word)?;
    let (mark, mask) =
        value.text.split_once('/').map_or((value.text.as_str(), None), |(mark, mask)| (mark, Some(mask)));
    let part = |text: &str| number(text).and_then(|number| u32::try_from(number).ok());
    let found = part(mark).zip(mask.map_or(Some(u32::MAX), part));
    if found.is_none() {
        line.wrong("bad-number", value, format!("`{}` is no mark", value.text))
            .help("for instance 1, 0x10 or 0x10/0xff");
    }
    found
}

/// `FIRST-LAST`, or one number.
fn range(option: &Keyword, word: &Word, most: u32, line: &mut Line<'_, '_, '_>) -> Option<(u32, u32)> {
    let value = line.value(option, word)?;
    let (first, last) = value.text.split_once('-').unwrap_or((&value.text, &value.text));
    let part = |text: &str| number(text).and_then(|number| u32::try_from(number).ok()).filter(|part| *part <= most);
    let found = part(first).zip(part(last)).filter(|(first, last)| first <= last);
    if found.is_none() {
        line.wrong("bad-number", value, format!("`{}` is no range of numbers up to {most}", value.text))
            .help(format!("for instance `{}`", option.example));
    }
    found
}

fn ports(option: &Keyword, word: &Word, line: &mut Line<'_, '_, '_>) -> Option<(u16, u16)> {
    let (first, last) = range(option, word, 65_535, line)?;
    if first == 0 {
        line.wrong("out-of-range", word, "a port is a number from 1 to 65535");
        return None;
    }
    u16::try_from(first).ok().zip(u16::try_from(last).ok())
}
