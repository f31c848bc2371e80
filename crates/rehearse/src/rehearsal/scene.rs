//! One act while it is played: what was promised, and afterwards what the observers saw.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::outcome::{ActOutcome, Line, Promise, Span, Work};
use super::stage::Stage;
use crate::lab::{Answers, Audit, Holding, Moment, Outage, Record, Seen, collectings, held_by_several, holdings};

/// What a machine that is busy with other things may add to a limit of the protocol.
pub(super) const ALLOWANCE: Duration = Duration::from_millis(250);
/// Silence that is worth a line of its own.
const NOTICEABLE: Duration = Duration::from_millis(20);
/// Announcements closer together than this are one burst.
const BURST: Duration = Duration::from_secs(1);

pub(crate) struct Scene {
    act: &'static str,
    title: String,
    start: Moment,
    promises: Vec<Promise>,
    remarks: Vec<String>,
}

impl Scene {
    pub(crate) fn begin(act: &'static str, title: String) -> Self {
        Self { act, title, start: Moment::now(), promises: Vec::new(), remarks: Vec::new() }
    }

    pub(crate) const fn start(&self) -> Moment {
        self.start
    }

    /// What was `measured`, `None` if it never happened, against the most that the protocol or the product allows.
    pub(crate) fn promise(&mut self, what: impl Into<String>, limit: Duration, measured: Option<Duration>) {
        self.promises.push(Promise {
            what: what.into(),
            limit_ms: millis(limit),
            measured_ms: measured.map(millis),
            kept: measured.is_some_and(|measured| measured <= limit + ALLOWANCE),
        });
    }

    /// What must never be, however busy the machine is, and how long it was.
    pub(crate) fn promise_never(&mut self, what: impl Into<String>, measured: Duration) {
        let kept = measured.is_zero();
        self.promises.push(Promise { what: what.into(), limit_ms: 0.0, measured_ms: Some(millis(measured)), kept });
    }

    pub(crate) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }

    /// Everything that was seen, as plain data.
    pub(crate) fn end(self, stage: &Stage) -> ActOutcome {
        let end = Moment::now();
        // The last questions may still get their answers.
        stage.dwell(Duration::from_millis(20));
        let Self { act, title, start, promises, remarks } = self;
        let answers = stage.probe.answers().between(start, end);
        let all = stage.lab.journal().all();
        let holdings = holdings(&all, stage.address.into());
        let in_act: Vec<Record> = all.iter().filter(|record| (start..end).contains(&record.at)).cloned().collect();
        let mut timeline = Timeline { start, address: stage.address.into(), stage, lines: Vec::new() };
        let before = all.iter().filter(|record| record.at < start);
        timeline.nodes(&in_act, known_priorities(before));
        timeline.answers("client", &answers);
        if let Some(web) = &stage.web_probe {
            timeline.answers("web", &web.answers().between(start, end));
        }
        timeline.lines.sort_by(|one, other| one.at_ms.total_cmp(&other.at_ms));
        ActOutcome {
            act,
            title,
            skipped: None,
            duration_ms: end.millis_after(start),
            timeline: timeline.lines,
            held: spans(&holdings, start, end),
            answered: answers
                .stretches()
                .iter()
                .map(|stretch| span(&stretch.by, stretch.from, stretch.until, start))
                .collect(),
            asked: answers.asked.len(),
            lost: answers.lost(),
            outage_ms: millis(answers.longest_outage()),
            overlap_ms: millis(held_by_several(&holdings, start, end)),
            work: stage.players[0].node.supervised().map(|_| work(stage, start, end)),
            promises,
            remarks,
        }
    }
}

/// Makes lines of what the observers saw.
struct Timeline<'a> {
    start: Moment,
    address: IpAddr,
    stage: &'a Stage,
    lines: Vec<Line>,
}

impl Timeline<'_> {
    fn add(&mut self, at: Moment, who: &str, what: String, deed: bool) {
        let who = if who.is_empty() { "lab" } else { who };
        self.lines.push(Line { at_ms: at.millis_after(self.start), who: who.to_owned(), what, deed });
    }

    /// `priorities` are those that the nodes advertised last.
    fn nodes(&mut self, records: &[Record], mut priorities: HashMap<Arc<str>, u8>) {
        let mut announced: HashMap<Arc<str>, Moment> = HashMap::new();
        let mut dark: HashSet<Arc<str>> = HashSet::new();
        for Record { at, host, what } in records {
            match what {
                Seen::PoweredOff => _ = dark.insert(host.clone()),
                Seen::PoweredOn => _ = dark.remove(host),
                // What a host without power still says is the noise of its being taken apart.
                _ if dark.contains(host) && !matches!(what, Seen::Deed(_)) => continue,
                _ => {}
            }
            let line = match what {
                Seen::Deed(deed) => {
                    self.add(*at, host, deed.clone(), true);
                    continue;
                }
                Seen::AddressAdded { address, .. } if *address == self.address => format!("takes {address}"),
                Seen::AddressRemoved { address, .. } if *address == self.address => format!("releases {address}"),
                Seen::Advertisement(sent) if self.is_watched(sent.vrid) => {
                    match (priorities.insert(host.clone(), sent.priority), sent.priority) {
                        (before, 0) if before != Some(0) => "resigns (advertises priority 0)".to_owned(),
                        (Some(before @ 1..), now @ 1..) if before != now => {
                            format!("advertises priority {now}, no longer {before}")
                        }
                        _ => continue,
                    }
                }
                Seen::GratuitousArp { address, .. } if IpAddr::from(*address) == self.address => {
                    let before = announced.insert(host.clone(), *at);
                    if before.is_some_and(|before| at.since(before) < BURST) {
                        continue;
                    }
                    "announces it by gratuitous ARP".to_owned()
                }
                Seen::LinkDown { interface } if interface != "lo" => format!("notices that {interface} is down"),
                Seen::LinkUp { interface } if interface != "lo" => format!("notices that {interface} is up"),
                Seen::Ended { program, how } => format!("{program} has ended ({how})"),
                Seen::ScriptRun { name, arguments } if name == "collector" => match arguments.first() {
                    Some(what) => format!("the service {what}"),
                    None => continue,
                },
                Seen::ScriptRun { name, arguments } => match arguments.get(2) {
                    Some(state) => format!("runs {name} … {state}"),
                    None => format!("runs {name}"),
                },
                _ => continue,
            };
            self.add(*at, host, line, false);
        }
    }

    fn is_watched(&self, vrid: u8) -> bool {
        self.stage.players.iter().any(|player| player.node.router.vrid.get() == vrid)
    }

    /// Where the answers come from, and where they stop.
    fn answers(&mut self, who: &str, answers: &Answers) {
        let noticeable = |outage: &Outage| outage.until.is_none_or(|until| until.since(outage.from) >= NOTICEABLE);
        let outages: Vec<Outage> = answers.outages().into_iter().filter(noticeable).collect();
        for outage in &outages {
            self.add(outage.from, who, "no answer".to_owned(), false);
        }
        let mut before: Option<&Arc<str>> = None;
        for asked in &answers.asked {
            let Some(answer) = asked.answers.first() else { continue };
            match outages.iter().find(|outage| outage.until == Some(asked.at)) {
                Some(silence) => {
                    let after = millis(asked.at.since(silence.from));
                    self.add(answer.at, who, format!("{} answers after {after:.0} ms", answer.by), false);
                }
                // Whoever answers when the act begins is no news.
                None if before.is_some() && before != Some(&answer.by) => {
                    self.add(answer.at, who, format!("{} answers", answer.by), false);
                }
                None => {}
            }
            before = Some(&answer.by);
        }
    }
}

fn known_priorities<'a>(records: impl Iterator<Item = &'a Record>) -> HashMap<Arc<str>, u8> {
    let advertised = records.filter_map(|record| match &record.what {
        Seen::Advertisement(sent) => Some((record.host.clone(), sent.priority)),
        _ => None,
    });
    advertised.collect()
}

fn work(stage: &Stage, start: Moment, end: Moment) -> Work {
    let Audit { gap, overlap, .. } = stage.audit(start, end);
    let worked = collectings(&stage.lab.journal().ticks()).into_iter().filter_map(|one| {
        let (from, until) = (one.from.max(start), one.until.min(end));
        (from < until).then(|| span(&one.by, from, until, start))
    });
    Work { worked: worked.collect(), gap_ms: millis(gap), overlap_ms: millis(overlap) }
}

fn spans(holdings: &[Holding], start: Moment, end: Moment) -> Vec<Span> {
    let clipped = holdings.iter().map(|holding| {
        let until = holding.until.unwrap_or(end).min(end);
        (holding, holding.from.max(start), until)
    });
    clipped
        .filter(|(_, from, until)| from < until)
        .map(|(holding, from, until)| span(&holding.by, from, until, start))
        .collect()
}

fn span(by: &str, from: Moment, until: Moment, start: Moment) -> Span {
    Span { by: by.to_owned(), from_ms: from.millis_after(start), until_ms: until.millis_after(start) }
}

pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
