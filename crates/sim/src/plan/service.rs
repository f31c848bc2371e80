//! A service of a pretend node, and the pair that hands it to and fro: what the engine is told, and how things are in
//! the pretend world.

use std::fmt;
use std::time::Duration;

use engine::{Budget, Failback, Name, OnManualStop, ScriptConfig, ServiceConfig, When};

use super::PathQuality;
use super::cursor::Cursor;
use super::measure::span_text;
use super::mistake::Mistake;

/// A service: what the engine is told, and how its manager and its processes behave unless a command says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// What the engine is told.
    pub settings: ServiceConfig,
    /// Who starts and stops it.
    pub manager: ManagerPlan,
    /// From the order to start until it is up.
    pub starts_in: Duration,
    /// From being up, as its manager sees it, until it does its work and answers.
    pub answers_in: Duration,
    /// From being asked to end until nothing of it is left.
    pub stops_in: Duration,
    /// Its manager starts it whenever the machine boots.
    pub enabled: bool,
    /// Its manager starts it again by itself so long after a crash.
    pub respawns_in: Option<Duration>,
    /// In the configuration now.
    pub present: bool,
}

/// What a reload does to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceChange {
    /// Its line reads like this now.
    Becomes(Box<ServiceSpec>),
    /// It is in the configuration again.
    Added,
    /// It is no longer there.
    Removed,
}

impl ServiceChange {
    /// Reads what follows the name.
    pub(crate) fn parse(name: Name, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        if cursor.accept("added") {
            Ok(Self::Added)
        } else if cursor.accept("removed") {
            Ok(Self::Removed)
        } else {
            Ok(Self::Becomes(Box::new(ServiceSpec::parse(name, cursor)?)))
        }
    }
}

impl fmt::Display for ServiceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Becomes(spec) => spec.fmt(f),
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
        }
    }
}

/// Who starts and stops a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagerPlan {
    /// A program of its own, such as systemd: what it runs outlives the daemon.
    Systemd,
    /// The daemon itself: what it runs dies with it.
    Command,
}

/// Two nodes that know each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairPlan {
    /// Indices of the nodes.
    pub nodes: (usize, usize),
    /// How good the second way between them is, if there is one: a line that has nothing to do with the LAN.
    pub line: Option<PathQuality>,
    /// From one message to the next.
    pub heartbeat: Duration,
    /// Silence that means death.
    pub dead_after: Duration,
    /// By mistake, each has a key of its own.
    pub keys_differ: bool,
}

const KEYWORDS: &[&str] = &[
    "systemd",
    "command",
    "starts_in",
    "answers_in",
    "stops_in",
    "enabled",
    "respawns_in",
    "later",
    "start_grace",
    "start_timeout",
    "stop_timeout",
    "restart",
    "max_moves",
    "on_manual_stop",
    "failback",
    "readiness_interval",
    "readiness_rise",
    "while_active",
    "check",
];

impl ServiceSpec {
    /// The defaults of the configuration language, with a start of 300 ms and a stop of 100 ms.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            settings: ServiceConfig {
                name,
                checks: Vec::new(),
                start_grace: Duration::from_secs(20),
                start_timeout: Duration::from_secs(30),
                stop_timeout: Duration::from_secs(10),
                restart: Budget { limit: 3, within: Duration::from_secs(60) },
                max_moves: Budget { limit: 3, within: Duration::from_secs(600) },
                on_manual_stop: OnManualStop::Failover,
                failback: Failback::Auto,
                readiness_interval: Duration::from_secs(5),
                readiness_rise: 2,
                while_active: Vec::new(),
            },
            manager: ManagerPlan::Systemd,
            starts_in: Duration::from_millis(300),
            answers_in: Duration::ZERO,
            stops_in: Duration::from_millis(100),
            enabled: false,
            respawns_in: None,
            present: true,
        }
    }

    /// Reads the options behind the name.
    pub(crate) fn parse(name: Name, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let mut spec = Self::new(name);
        while cursor.peek().is_some() {
            spec.option(cursor)?;
        }
        Ok(spec)
    }

    fn option(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Mistake> {
        let settings = &mut self.settings;
        match cursor.take("an option of a service")? {
            "systemd" => self.manager = ManagerPlan::Systemd,
            "command" => self.manager = ManagerPlan::Command,
            "starts_in" => self.starts_in = cursor.span("starts_in")?,
            "answers_in" => self.answers_in = cursor.span("answers_in")?,
            "stops_in" => self.stops_in = cursor.span("stops_in")?,
            "enabled" => self.enabled = true,
            "respawns_in" => self.respawns_in = Some(cursor.span("respawns_in")?),
            "later" => self.present = false,
            "start_grace" => settings.start_grace = cursor.span("start_grace")?,
            "start_timeout" => settings.start_timeout = cursor.span("start_timeout")?,
            "stop_timeout" => settings.stop_timeout = cursor.span("stop_timeout")?,
            "restart" if cursor.accept("never") => settings.restart.limit = 0,
            "restart" => settings.restart = budget("restart", cursor)?,
            "max_moves" => settings.max_moves = budget("max_moves", cursor)?,
            "on_manual_stop" => {
                let word = cursor.take("failover, restart or maintenance")?;
                let known = MANUAL.iter().find(|(name, _)| *name == word).ok_or_else(|| {
                    let names: Vec<&str> = MANUAL.iter().map(|(name, _)| *name).collect();
                    cursor.before(format!("on_manual_stop cannot be `{word}`")).did_you_mean(word, &names)
                })?;
                settings.on_manual_stop = known.1;
            }
            "failback" => {
                let word = cursor.take("auto, manual or never")?;
                let known = FAILBACK.iter().find(|(name, _)| *name == word).ok_or_else(|| {
                    let names: Vec<&str> = FAILBACK.iter().map(|(name, _)| *name).collect();
                    cursor.before(format!("failback cannot be `{word}`")).did_you_mean(word, &names)
                })?;
                settings.failback = known.1;
            }
            "readiness_interval" => settings.readiness_interval = cursor.span("readiness_interval")?,
            "readiness_rise" => settings.readiness_rise = cursor.number("readiness_rise", 1..=255)? as u32,
            "while_active" => settings.while_active.push(cursor.span("while_active")?),
            "check" => {
                let name = cursor.take("the name of a check")?.into();
                settings.checks.push(check(name, cursor)?);
            }
            other => {
                return Err(cursor.before(format!("a service has no option `{other}`")).did_you_mean(other, KEYWORDS));
            }
        }
        Ok(())
    }
}

/// Once a second, three bad results until it has failed.
fn check(name: Name, cursor: &mut Cursor<'_>) -> Result<ScriptConfig, Mistake> {
    let second = Duration::from_secs(1);
    let mut check =
        ScriptConfig { name, interval: second, timeout: second, rise: 1, fall: 3, init_fail: false, when: When::Both };
    loop {
        if cursor.accept("interval") {
            check.interval = cursor.span("interval")?;
        } else if cursor.accept("timeout") {
            check.timeout = cursor.span("timeout")?;
        } else if cursor.accept("rise") {
            check.rise = cursor.number("rise", 1..=255)? as u32;
        } else if cursor.accept("fall") {
            check.fall = cursor.number("fall", 1..=255)? as u32;
        } else if check.interval.is_zero() {
            return Err(cursor.before("interval must not be zero".to_owned()));
        } else {
            return Ok(check);
        }
    }
}

/// `3 within 60s`
fn budget(what: &str, cursor: &mut Cursor<'_>) -> Result<Budget, Mistake> {
    let limit = cursor.number(what, 0..=1000)? as u32;
    if !cursor.accept("within") {
        return Err(cursor.here(format!("expected `{what} {limit} within TIME`")));
    }
    Ok(Budget { limit, within: cursor.span("within")? })
}

const MANUAL: [(&str, OnManualStop); 3] = [
    ("failover", OnManualStop::Failover),
    ("restart", OnManualStop::Restart),
    ("maintenance", OnManualStop::Maintenance),
];

const FAILBACK: [(&str, Failback); 3] =
    [("auto", Failback::Auto), ("manual", Failback::Manual), ("never", Failback::Never)];

/// What is not as by default.
impl fmt::Display for ServiceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Self::new(self.settings.name.clone());
        let (ours, theirs) = (&self.settings, &plain.settings);
        f.write_str(match self.manager {
            ManagerPlan::Systemd => "systemd",
            ManagerPlan::Command => "command",
        })?;
        let spans = [
            ("starts_in", self.starts_in, plain.starts_in),
            ("answers_in", self.answers_in, plain.answers_in),
            ("stops_in", self.stops_in, plain.stops_in),
            ("start_grace", ours.start_grace, theirs.start_grace),
            ("start_timeout", ours.start_timeout, theirs.start_timeout),
            ("stop_timeout", ours.stop_timeout, theirs.stop_timeout),
            ("readiness_interval", ours.readiness_interval, theirs.readiness_interval),
        ];
        for (word, span, _) in spans.iter().filter(|(_, span, usual)| span != usual) {
            write!(f, "  {word} {}", span_text(*span))?;
        }
        if self.enabled {
            f.write_str("  enabled")?;
        }
        if let Some(span) = self.respawns_in {
            write!(f, "  respawns_in {}", span_text(span))?;
        }
        if !self.present {
            f.write_str("  later")?;
        }
        let budgets = [("restart", ours.restart, theirs.restart), ("max_moves", ours.max_moves, theirs.max_moves)];
        for (word, budget, _) in budgets.iter().filter(|(_, budget, usual)| budget != usual) {
            write!(f, "  {word} {} within {}", budget.limit, span_text(budget.within))?;
        }
        if let Some((word, _)) = MANUAL.iter().find(|(_, choice)| *choice == ours.on_manual_stop)
            && ours.on_manual_stop != theirs.on_manual_stop
        {
            write!(f, "  on_manual_stop {word}")?;
        }
        if let Some((word, _)) = FAILBACK.iter().find(|(_, choice)| *choice == ours.failback)
            && ours.failback != theirs.failback
        {
            write!(f, "  failback {word}")?;
        }
        if ours.readiness_rise != theirs.readiness_rise {
            write!(f, "  readiness_rise {}", ours.readiness_rise)?;
        }
        for span in &ours.while_active {
            write!(f, "  while_active {}", span_text(*span))?;
        }
        for check in &ours.checks {
            write!(f, "  check {} interval {}", check.name, span_text(check.interval))?;
            write!(f, " timeout {} rise {} fall {}", span_text(check.timeout), check.rise, check.fall)?;
        }
        Ok(())
    }
}

impl PairPlan {
    /// A message each 100 ms, dead after 800 ms of silence, and no way but the LAN.
    #[must_use]
    pub fn new(nodes: (usize, usize)) -> Self {
        let (heartbeat, dead_after) = (Duration::from_millis(100), Duration::from_millis(800));
        Self { nodes, line: None, heartbeat, dead_after, keys_differ: false }
    }

    /// How many ways lead from one to the other: the LAN, and perhaps the line.
    #[must_use]
    pub fn paths(&self) -> u32 {
        1 + u32::from(self.line.is_some())
    }

    /// The other one; `None` for a node that belongs to no pair.
    #[must_use]
    pub fn peer_of(&self, node: usize) -> Option<usize> {
        let (left, right) = self.nodes;
        match node {
            node if node == left => Some(right),
            node if node == right => Some(left),
            _ => None,
        }
    }

    /// Reads the options behind the names.
    pub(crate) fn parse(nodes: (usize, usize), cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let mut pair = Self::new(nodes);
        while cursor.peek().is_some() {
            match cursor.take("an option of the pair")? {
                "profile" => {
                    if !cursor.accept("fast") {
                        return Err(cursor.here("the only profile is `fast`".to_owned()));
                    }
                    (pair.heartbeat, pair.dead_after) = (Duration::from_millis(25), Duration::from_millis(300));
                }
                "heartbeat" => pair.heartbeat = cursor.span("heartbeat")?,
                "dead_after" => pair.dead_after = cursor.span("dead_after")?,
                "line" => {
                    let mut quality = super::Plan::default().lan;
                    while quality.option(cursor)? {}
                    pair.line = Some(quality);
                }
                "keys_differ" => pair.keys_differ = true,
                other => {
                    let known = ["profile", "heartbeat", "dead_after", "line", "keys_differ"];
                    let mistake = cursor.before(format!("the pair has no option `{other}`"));
                    return Err(mistake.did_you_mean(other, &known));
                }
            }
        }
        if pair.heartbeat.is_zero() || pair.dead_after < pair.heartbeat * 2 {
            return Err(cursor.before("dead_after must be at least two heartbeats".to_owned()));
        }
        Ok(pair)
    }
}

impl fmt::Display for PairPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "heartbeat {}  dead_after {}", span_text(self.heartbeat), span_text(self.dead_after))?;
        if self.keys_differ {
            f.write_str("  keys_differ")?;
        }
        match &self.line {
            Some(quality) => write!(f, "  line {quality}"),
            None => Ok(()),
        }
    }
}
