//! The text form of a scenario: header, commands, expectations; read, run, compared and written again.
//!
//! `scenarios/README.md` describes the form for those who write one.

use std::fmt::Write;

use engine::{Family, Instant};

use crate::plan::cursor::Cursor;
use crate::plan::measure::{moment_text, parse_moment};
use crate::plan::{
    Act, Command, GroupSpec, Mistake, NodePlan, NodeRef, PairPlan, Plan, RouterOption, RouterSpec, ScriptSpec,
    ServiceSpec, Step, TrackerSpec,
};
use crate::trace::{EXPECTATION_WORDS, Line};

/// A scenario file: what happens, and everything needed to write the file again.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What happens.
    pub plan: Plan,
    header: String,
    items: Vec<Item>,
    tail: String,
}

/// A line of the timeline.
#[derive(Clone, Debug)]
struct Item {
    /// Comment lines and blank lines above it.
    above: String,
    at: Instant,
    subject: String,
    text: String,
    comment: Option<String>,
    expected: bool,
}

impl Scenario {
    /// Reads a file; all mistakes are reported together.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            if let Err(mistake) = reader.line(index + 1, line) {
                reader.mistakes.push(mistake);
            }
        }
        reader.check_services();
        if !reader.ended && reader.mistakes.is_empty() {
            let cursor = Cursor::new(text.lines().count().max(1), "");
            reader.mistakes.push(cursor.here("the scenario has no end: add a line such as `30.000  end`".to_owned()));
        }
        if !reader.mistakes.is_empty() {
            return Err(reader.mistakes);
        }
        let Reader { plan, header, items, pending, .. } = reader;
        Ok(Self { plan, header, items, tail: pending })
    }

    /// The text of a plan that was never in a file, with what came of it.
    #[must_use]
    pub fn print(plan: &Plan, trace: &[Line]) -> String {
        let command = |step: &Step| {
            let (subject, text) = step.command.text(&plan.nodes);
            Item { above: String::new(), at: step.at, subject, text, comment: None, expected: false }
        };
        let mut items: Vec<Item> = plan.steps.iter().map(command).collect();
        items.push(Item {
            above: String::new(),
            at: plan.end,
            subject: "end".to_owned(),
            text: String::new(),
            comment: None,
            expected: false,
        });
        Self { plan: plan.clone(), header: plan.header() + "\n", items, tail: String::new() }.write(trace)
    }

    /// The file as it should be, given what came of the plan. Comments stay with the lines that stay.
    #[must_use]
    pub fn write(&self, trace: &[Line]) -> String {
        let mut old: Vec<Option<&Item>> = self.items.iter().filter(|item| item.expected).map(Some).collect();
        let mut lines: Vec<Item> = Vec::new();
        let mut commands = self.items.iter().filter(|item| !item.expected).peekable();
        let mut trace = trace.iter().peekable();
        loop {
            let command_is_next = match (commands.peek(), trace.peek()) {
                (None, None) => break,
                (Some(command), Some(line)) => command.at <= line.at && (command.subject != "end"),
                (Some(_), None) => true,
                (None, Some(_)) => false,
            };
            if command_is_next {
                lines.extend(commands.next().cloned());
            } else if let Some(line) = trace.next() {
                let same = |item: &&Item| {
                    moment_text(item.at) == moment_text(line.at)
                        && item.subject == line.subject
                        && item.text == line.text
                };
                let kept = old.iter_mut().find(|item| item.as_ref().is_some_and(same)).and_then(Option::take);
                lines.push(Item {
                    above: kept.map_or_else(String::new, |item| item.above.clone()),
                    at: line.at,
                    subject: line.subject.clone(),
                    text: line.text.clone(),
                    comment: kept.and_then(|item| item.comment.clone()),
                    expected: true,
                });
            }
        }
        self.lay_out(&lines)
    }

    fn lay_out(&self, lines: &[Item]) -> String {
        let width = lines.iter().map(|item| item.subject.chars().count()).max().unwrap_or(0);
        let mut text = self.header.clone();
        for item in lines {
            text.push_str(&item.above);
            let mut line = format!("{:>7}  {:<width$}  {}", moment_text(item.at), item.subject, item.text);
            if let Some(comment) = &item.comment {
                line = format!("{line:<48}  # {comment}");
            }
            writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
        }
        text + &self.tail
    }
}

/// The state of reading a file.
#[derive(Debug, Default)]
struct Reader {
    plan: Plan,
    header: String,
    items: Vec<Item>,
    pending: String,
    mistakes: Vec<Mistake>,
    ended: bool,
}

const HEADER: &[&str] = &[
    "router",
    "group",
    "file",
    "processes",
    "script",
    "service",
    "pair",
    "lan",
    "kernel",
    "wake",
    "disk",
    "startup",
    "addresses",
    "seed",
    "show",
];

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), Mistake> {
        let (content, comment) = split_comment(line);
        if content.trim().is_empty() {
            writeln!(self.pending, "{}", line.trim_end()).expect("a string takes everything");
            return Ok(());
        }
        let mut cursor = Cursor::new(number, content);
        let first = cursor.peek().unwrap_or_default();
        if first.starts_with(|c: char| c.is_ascii_digit()) {
            return self.timeline(&mut cursor, comment);
        }
        if !self.items.is_empty() {
            return Err(cursor.here("the header ends where the timeline begins".to_owned()));
        }
        self.header_line(&mut cursor)?;
        self.header += &std::mem::take(&mut self.pending);
        writeln!(self.header, "{}", line.trim_end()).expect("a string takes everything");
        Ok(())
    }

    fn header_line(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Mistake> {
        match cursor.take("a header line")? {
            "router" => {
                let index = self.node(cursor)?;
                let mut options = Vec::new();
                while cursor.peek().is_some() {
                    options.push(RouterOption::parse(cursor)?);
                }
                if !options.iter().any(|option| matches!(option, RouterOption::Vrid(_))) {
                    return Err(cursor.here("a router needs a vrid".to_owned()));
                }
                let of_version_2 = |option: &&RouterOption| {
                    use RouterOption::{Header, Password, Version};
                    matches!(option, Version(engine::Version::V2) | Password(_) | Header(_))
                };
                if RouterSpec::new(&options).settings.family == Family::Ipv6
                    && let Some(option) = options.iter().find(of_version_2)
                {
                    let message =
                        format!("IPv6 is spoken by version 3, which knows no passwords: leave `{option}` out");
                    return Err(cursor.here(message));
                }
                self.plan.nodes[index].routers.push(options);
            }
            "group" => {
                let index = self.node(cursor)?;
                let name = cursor.take("the name of a group")?.into();
                self.plan.nodes[index].groups.push(GroupSpec::parse(name, cursor)?);
            }
            kind @ ("file" | "processes") => {
                let index = self.node(cursor)?;
                let name = cursor.take("the name of what is tracked")?.into();
                let spec = if kind == "file" { TrackerSpec::file(name) } else { TrackerSpec::processes(name) };
                self.plan.nodes[index].trackers.push(spec.parse(cursor)?);
            }
            "script" => {
                let index = self.node(cursor)?;
                let name = cursor.take("the name of a script")?.into();
                self.plan.nodes[index].scripts.push(ScriptSpec::parse(name, cursor)?);
            }
            "service" => {
                let index = self.node(cursor)?;
                let name = cursor.take("the name of a service")?.into();
                self.plan.nodes[index].services.push(ServiceSpec::parse(name, cursor)?);
            }
            "pair" => {
                let nodes = (self.node(cursor)?, self.node(cursor)?);
                if nodes.0 == nodes.1 {
                    return Err(cursor.before("a pair has two nodes".to_owned()));
                }
                self.plan.pair = Some(PairPlan::parse(nodes, cursor)?);
            }
            "lan" => {
                while self.plan.lan.option(cursor)? {}
                if let Some(other) = cursor.peek() {
                    let mistake = cursor.here(format!("the LAN has no option `{other}`"));
                    return Err(mistake.did_you_mean(other, &["delay", "jitter", "loss", "duplicate"]));
                }
            }
            "startup" if cursor.accept("delay") => self.plan.startup_delay = cursor.span("delay")?,
            "addresses" if cursor.accept("last") => {
                let lifetime = cursor.span("last")?;
                if lifetime.is_zero() {
                    return Err(cursor.before("addresses must last for some time".to_owned()));
                }
                self.plan.address_lifetime = Some(lifetime);
            }
            "addresses" if cursor.accept("tentative") => self.plan.tentative = cursor.span("tentative")?,
            "addresses" => {
                return Err(cursor.here("expected `addresses last TIME` or `addresses tentative TIME`".to_owned()));
            }
            "startup" => return Err(cursor.here("expected `startup delay TIME`".to_owned())),
            "disk" if cursor.accept("delay") => self.plan.disk_delay = cursor.span("delay")?,
            "disk" => return Err(cursor.here("expected `disk delay TIME`".to_owned())),
            "kernel" if cursor.accept("delay") => self.plan.kernel_delay = cursor.span("delay")?,
            "wake" if cursor.accept("late") => self.plan.wake_late = cursor.span("late")?,
            "kernel" => return Err(cursor.here("expected `kernel delay TIME`".to_owned())),
            "wake" => return Err(cursor.here("expected `wake late TIME`".to_owned())),
            "seed" => {
                let word = cursor.take("a seed")?;
                self.plan.seed = word.parse().map_err(|_| cursor.before(format!("`{word}` is no seed")))?;
            }
            "show" => {
                while cursor.peek().is_some() {
                    match cursor.take("what to show")? {
                        "advertisements" => self.plan.show.advertisements = true,
                        "announcements" => self.plan.show.announcements = true,
                        "notices" => self.plan.show.notices = true,
                        "kernel" => self.plan.show.kernel = true,
                        "orders" => self.plan.show.orders = true,
                        "hooks" => self.plan.show.hooks = true,
                        "steps" => self.plan.show.steps = true,
                        other => {
                            let mistake = cursor.before(format!("`{other}` cannot be shown"));
                            let known =
                                ["advertisements", "announcements", "notices", "kernel", "orders", "hooks", "steps"];
                            return Err(mistake.did_you_mean(other, &known));
                        }
                    }
                }
            }
            other => {
                return Err(cursor.before(format!("there is no header line `{other}`")).did_you_mean(other, HEADER));
            }
        }
        cursor.finish()
    }

    fn node(&mut self, cursor: &mut Cursor<'_>) -> Result<usize, Mistake> {
        let name = cursor.take("the name of a node")?;
        if ["lan", "line", "stranger", "client", "end", "!"].contains(&name) || name.contains(['/', '-']) {
            return Err(cursor.before(format!("a node cannot be called `{name}`")));
        }
        Ok(self.plan.nodes.iter().position(|node| node.name == name).unwrap_or_else(|| {
            self.plan.nodes.push(NodePlan { name: name.to_owned(), ..NodePlan::default() });
            self.plan.nodes.len() - 1
        }))
    }

    fn timeline(&mut self, cursor: &mut Cursor<'_>, comment: Option<&str>) -> Result<(), Mistake> {
        let word = cursor.take("a moment")?;
        let at = parse_moment(word)
            .filter(|at| at.as_nanos() % 1_000_000 == 0)
            .ok_or_else(|| cursor.before(format!("`{word}` is no moment such as `12.345`, in seconds")))?;
        if self.ended {
            return Err(cursor.before("nothing comes after the end".to_owned()));
        }
        let first = cursor.peek().unwrap_or_default();
        let (subject, text, command) = match first {
            "end" => {
                cursor.accept("end");
                cursor.finish()?;
                self.ended = true;
                self.plan.end = at;
                ("end".to_owned(), String::new(), None)
            }
            _ if first.starts_with("lan/") => {
                cursor.accept(first);
                let text = cursor.copy_of_rest();
                let link = first.trim_start_matches("lan/").into();
                let change = Command::parse_lan(&self.plan.nodes, cursor)?;
                (first.to_owned(), text, Some(Command::LanOf(link, change)))
            }
            "lan" | "line" | "stranger" => {
                cursor.accept(first);
                let text = cursor.copy_of_rest();
                let command = match first {
                    "lan" => Command::Lan(Command::parse_lan(&self.plan.nodes, cursor)?),
                    "line" => Command::Line(Command::parse_lan(&self.plan.nodes, cursor)?),
                    _ => Command::parse_stranger(&self.plan.nodes, cursor)?,
                };
                (first.to_owned(), text, Some(command))
            }
            _ if ["client", "!"].contains(&first) || self.is_service(first) => {
                cursor.accept(first);
                (first.to_owned(), cursor.rest(), None)
            }
            _ => self.about_nodes(cursor)?,
        };
        let expected = command.is_none() && !self.ended;
        if let Some(command) = command {
            if self.plan.steps.last().is_some_and(|last| last.at > at) {
                return Err(cursor.before("a command cannot come before the one above it".to_owned()));
            }
            self.plan.steps.push(Step { at, command });
        } else if self.ended && self.plan.steps.last().is_some_and(|last| last.at > at) {
            return Err(cursor.before("the end cannot come before the last command".to_owned()));
        }
        let above = std::mem::take(&mut self.pending);
        if self.items.is_empty() {
            // What stands between header and timeline belongs to the header.
            self.header += &above;
        }
        let above = if self.items.is_empty() { String::new() } else { above };
        self.items.push(Item { above, at, subject, text, comment: comment.map(str::to_owned), expected });
        Ok(())
    }

    /// A line about nodes: a command if it begins like one, else an expectation.
    fn about_nodes(&self, cursor: &mut Cursor<'_>) -> Result<(String, String, Option<Command>), Mistake> {
        let mut nodes = Vec::new();
        let mut names = Vec::new();
        while let Some(word) = cursor.peek() {
            let Some(node) = self.reference(word) else { break };
            nodes.push(node);
            names.push(word);
            cursor.accept(word);
        }
        let Some(word) = cursor.peek() else {
            return Err(cursor.here("expected what happens".to_owned()));
        };
        if nodes.is_empty() {
            let mut known: Vec<&str> = self.plan.nodes.iter().map(|node| node.name.as_str()).collect();
            known.extend(["lan", "stranger", "client", "end"]);
            return Err(cursor.here(format!("there is nobody called `{word}`")).did_you_mean(word, &known));
        }
        let text = cursor.copy_of_rest();
        if Command::begins_with(word) {
            let command = Command::parse_act(nodes, cursor)?;
            self.check_targets(&command, cursor)?;
            return Ok((names.join(" "), text, Some(command)));
        }
        if !EXPECTATION_WORDS.contains(&word) {
            let known: Vec<&str> = Command::node_words().iter().chain(EXPECTATION_WORDS).copied().collect();
            return Err(cursor.here(format!("nothing called `{word}` can happen")).did_you_mean(word, &known));
        }
        cursor.rest();
        Ok((names.join(" "), text, None))
    }

    /// A reload needs to know which router is meant, and a check or link must be there.
    fn check_targets(&self, command: &Command, cursor: &Cursor<'_>) -> Result<(), Mistake> {
        let Command::Nodes(nodes, act) = command else { return Ok(()) };
        for target in nodes {
            let node = &self.plan.nodes[target.node];
            match act {
                Act::Reload(options) if !options.is_empty() && target.vrid.is_none() && node.routers.len() > 1 => {
                    let message = format!("`{}` has several routers: write `{}/VRID`", node.name, node.name);
                    return Err(cursor.before(message));
                }
                Act::Script(name, _) if !node.scripts.iter().any(|script| script.settings.name == *name) => {
                    return Err(cursor.before(format!("`{}` has no script `{name}`", node.name)));
                }
                Act::Figure(figure) if !node.trackers.iter().any(|known| known.settings.id() == figure.tracker) => {
                    return Err(
                        cursor.before(format!("`{}` tracks nothing called `{}`", node.name, figure.tracker.name))
                    );
                }
                Act::Process(name, _) | Act::ReloadService(name, _)
                    if !node.services.iter().any(|service| service.settings.name == *name) =>
                {
                    return Err(cursor.before(format!("`{}` has no service `{name}`", node.name)));
                }
                Act::Link(name, _) if !node.links().contains(name) => {
                    return Err(cursor.before(format!("`{}` has no interface `{name}`", node.name)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A router's services must be there, and each may belong to one router only.
    fn check_services(&mut self) {
        let mut messages = Vec::new();
        for node in &self.plan.nodes {
            let options = node.routers.iter().flatten();
            let used: Vec<_> = options
                .filter_map(|option| match option {
                    RouterOption::Service(name) => Some(name),
                    _ => None,
                })
                .collect();
            for (place, name) in used.iter().enumerate() {
                if !node.services.iter().any(|service| service.settings.name == **name) {
                    messages.push(format!("`{}` has no service `{name}`", node.name));
                } else if used[..place].contains(name) {
                    messages.push(format!("`{name}` belongs to two routers of `{}`", node.name));
                }
            }
        }
        let mistake = |message| Mistake { line: 1, column: 1, message, suggestion: None };
        for node in &self.plan.nodes {
            for vrid in node.groups.iter().flat_map(|group| &group.members) {
                if !node.routers.iter().any(|options| options.contains(&RouterOption::Vrid(*vrid))) {
                    messages.push(format!("`{}` has no router {vrid} for its group", node.name));
                }
            }
        }
        self.mistakes.extend(messages.into_iter().map(mistake));
    }

    fn is_service(&self, word: &str) -> bool {
        self.plan.nodes.iter().flat_map(|node| &node.services).any(|service| &*service.settings.name == word)
    }

    fn reference(&self, word: &str) -> Option<NodeRef> {
        let (name, vrid) = match word.split_once('/') {
            Some((name, vrid)) => (name, Some(vrid.parse().ok()?)),
            None => (word, None),
        };
        let node = self.plan.nodes.iter().position(|node| node.name == name)?;
        Some(NodeRef { node, vrid })
    }
}

/// A comment begins at a `#` that stands first or behind a blank.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let starts = |(at, _): &(usize, &str)| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    match line.match_indices('#').find(starts) {
        Some((at, _)) => (&line[..at], Some(line[at + 1..].trim())),
        None => (line, None),
    }
}

/// Reads and runs a scenario; the file as it should be, and what went wrong.
pub fn check(text: &str) -> Result<Checked, Vec<Mistake>> {
    let scenario = Scenario::parse(text)?;
    let run = crate::world::run(&scenario.plan, crate::world::Record::Lines);
    let mut complaints: Vec<String> = run.inapplicable.clone();
    complaints.extend(run.finding.iter().map(ToString::to_string));
    Ok(Checked { text: scenario.write(&run.lines), complaints, coverage: run.coverage })
}

/// What came of a scenario file.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The file as it should be.
    pub text: String,
    /// Broken invariants and commands that could not be carried out.
    pub complaints: Vec<String>,
    /// Which situations it went through.
    pub coverage: crate::coverage::Coverage,
}

/// The first line that differs, for a short message.
#[must_use]
pub fn difference(expected: &str, found: &str) -> String {
    let mut text = String::new();
    let (mut left, mut right) = (expected.lines().peekable(), found.lines().peekable());
    let mut number = 0;
    while left.peek().is_some() || right.peek().is_some() {
        number += 1;
        let (was, is) = (left.next(), right.next());
        if was == is {
            continue;
        }
        writeln!(text, "first difference in line {number}").expect("a string takes everything");
        for (sign, first, rest) in [("-", was, left.clone()), ("+", is, right.clone())] {
            for line in first.into_iter().chain(rest).take(8) {
                writeln!(text, "  {sign} {line}").expect("a string takes everything");
            }
        }
        break;
    }
    text
}
