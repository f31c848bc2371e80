//! What can happen to a pretend LAN, and the words for it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use engine::{Interval, Name, Version};

use super::act::{DiskAct, ORDERS, Order, ServiceAct};
use super::call::Call;
use super::cursor::Cursor;
use super::measure::span_text;
use super::mistake::Mistake;
use super::router::{self, GLOBAL, LINK_LOCAL, RouterOption, ipv6};
use super::service::ServiceChange;
use super::tracker::FigureAct;
use super::{NodePlan, Plan};
use crate::clock::ClockAct;

/// One thing that happens to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To machines or their daemons.
    Nodes(Vec<NodeRef>, Act),
    /// To all paths between them.
    Lan(LanChange),
    /// To those that begin and end at interfaces of this name.
    LanOf(Name, LanChange),
    /// To the second way between the nodes of a pair.
    Line(LanChange),
    /// A stranger sends a frame.
    Stranger(Spoof),
    /// A stranger repeats the last advertisement of the node with this index.
    Repeats(usize),
}

/// A node, or one of its routers: `a`, `a/52`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRef {
    /// Index of the node.
    pub node: usize,
    /// VRID of the router meant; `None` means the only one, or the node itself.
    pub vrid: Option<u8>,
}

/// What can happen to a machine or its daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The daemon starts.
    Start,
    /// The daemon is asked to stop.
    Stop,
    /// The daemon is killed; its addresses stay.
    Killed,
    /// The daemon dies once it has done so many of the things that follow from whatever happens to it next.
    KilledAfter(u32),
    /// The machine is gone in the same way.
    LosesPowerAfter(u32),
    /// The machine is gone.
    LosesPower,
    /// The machine comes back and starts the daemon.
    Returns,
    /// The daemon gets no processor time for so long; packets queue.
    Pause(Duration),
    /// The machine sleeps for so long; packets are lost.
    Suspend(Duration),
    /// The daemon reads a changed configuration, or the same one if the list is empty.
    Reload(Vec<RouterOption>),
    /// The daemon reads a configuration in which the line of a service has changed.
    ReloadService(Name, ServiceChange),
    /// An interface changes.
    Link(Name, LinkPlan),
    /// From now on, a check behaves like this.
    Script(Name, ScriptPlan),
    /// Somebody else deletes an address.
    AddressDeleted(IpAddr),
    /// Whether the system takes packets.
    Sending(bool),
    /// Whether the kernel sets and removes addresses when it is asked to.
    Kernel(bool),
    /// Whether the static addresses, routes and rules of the group `statics` are all there.
    Statics(bool),
    /// An operator has the counters begin anew.
    ClearStatistics,
    /// A figure that is tracked changes.
    Figure(FigureAct),
    /// The machine comes back without its daemon; what is enabled starts.
    Boots,
    /// Something happens to a service.
    Process(Name, ServiceAct),
    /// An operator says something.
    Order(Order),
    /// The file that means standing back appears or vanishes.
    DownFile(bool),
    /// Something happens to what was saved.
    Disk(DiskAct),
    /// Somebody sets the clock, or it begins to go wrong.
    Clock(ClockAct),
    /// The system refuses something, once, when it has done the same so often.
    Refuses(Call, u32),
    /// What was still to be refused is not.
    RefusesNothing,
}

/// How an interface is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPlan {
    /// Up, with its address.
    Up,
    /// Up, without an address of its own.
    Addressless,
    /// There, without carrier.
    Down,
    /// Gone.
    Absent,
}

/// How runs of a check go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptPlan {
    /// Exit status 0.
    Succeeds,
    /// Exit status 1.
    Fails,
    /// Never ends unless asked kindly.
    Hangs,
    /// Never ends unless killed.
    HangsDeaf,
    /// Cannot be started.
    Missing,
    /// Exit status 0 or 1, as it happens.
    Flaps,
}

/// What can happen to the paths between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanChange {
    /// Nothing passes any more.
    Cut(PathChoice),
    /// All paths are as at the start.
    Heal,
    /// Percentage lost.
    Loss(u8, PathChoice),
    /// Percentage doubled.
    Duplicate(u8, PathChoice),
    /// Time under way.
    Delay(Duration, PathChoice),
    /// Additional time at most.
    Jitter(Duration, PathChoice),
}

/// Which paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathChoice {
    /// Every one.
    All,
    /// `a`: to and from a node.
    Around(usize),
    /// `a-b`: both ways.
    Between(usize, usize),
    /// `a->b`: one way.
    From(usize, usize),
}

/// A frame from a stranger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoof {
    /// To this node alone instead of to the group.
    pub to: Option<usize>,
    /// Claimed source; its family is that of the frame.
    pub source: IpAddr,
    /// What it says.
    pub content: SpoofContent,
}

/// What a stranger says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoofContent {
    /// An advertisement.
    Advertisement {
        /// Protocol version.
        version: Version,
        /// VRID; may be 0.
        vrid: u8,
        /// Priority.
        priority: u8,
        /// Advertisement interval.
        interval: Interval,
        /// Time to live.
        ttl: u8,
        /// Password of version 2.
        password: Option<String>,
        /// Addresses that it lists.
        addresses: Vec<(IpAddr, u8)>,
        /// With a wrong checksum.
        bad_checksum: bool,
        /// Without the last so many octets.
        shorter_by: u8,
    },
    /// Any octets behind an IP header of the VRRP protocol.
    Octets(Vec<u8>),
}

const ACTS: &[&str] = &[
    "start",
    "stop",
    "killed",
    "loses",
    "returns",
    "boots",
    "pause",
    "suspend",
    "reload",
    "reload_service",
    "link",
    "script",
    "address",
    "sending",
    "addresses",
    "statics",
    "clear_statistics",
    "figure",
    "process",
    "switch",
    "hold",
    "release",
    "maintain",
    "end_maintenance",
    "ack",
    "down_file",
    "disk",
    "clock",
    "refuses",
];
const STRANGER: &[&str] = &["sends", "repeats"];
const LAN: &[&str] = &["cut", "heal", "loss", "duplicate", "delay", "jitter"];

impl Command {
    /// Whether a line that begins with this word is a command; else it is an expectation.
    pub(crate) fn begins_with(word: &str) -> bool {
        ACTS.contains(&word) || LAN.contains(&word) || STRANGER.contains(&word)
    }

    /// The words that begin a command to a node.
    pub(crate) fn node_words() -> &'static [&'static str] {
        ACTS
    }

    /// What happens to `nodes`.
    pub(crate) fn parse_act(nodes: Vec<NodeRef>, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let act = match cursor.take("what happens")? {
            "start" => Act::Start,
            "stop" => Act::Stop,
            "killed" => after(cursor)?.map_or(Act::Killed, Act::KilledAfter),
            "loses" => {
                cursor.accept("power");
                after(cursor)?.map_or(Act::LosesPower, Act::LosesPowerAfter)
            }
            "returns" => Act::Returns,
            "pause" => Act::Pause(cursor.span("pause")?),
            "suspend" => Act::Suspend(cursor.span("suspend")?),
            "reload" => {
                let mut options = Vec::new();
                while cursor.peek().is_some() {
                    options.push(RouterOption::parse(cursor)?);
                }
                Act::Reload(options)
            }
            "reload_service" => {
                let name: Name = cursor.take("the name of a service")?.into();
                Act::ReloadService(name.clone(), ServiceChange::parse(name, cursor)?)
            }
            "link" => {
                let link = cursor.take("the name of an interface")?.into();
                let known = ["up", "addressless", "down", "absent"];
                let plans = [LinkPlan::Up, LinkPlan::Addressless, LinkPlan::Down, LinkPlan::Absent];
                Act::Link(link, choice(cursor, "a link", &known, &plans)?)
            }
            "script" => {
                let script = cursor.take("the name of a script")?.into();
                let known = ["succeeds", "fails", "hangs", "hangs_deaf", "missing", "flaps"];
                let plans = [
                    ScriptPlan::Succeeds,
                    ScriptPlan::Fails,
                    ScriptPlan::Hangs,
                    ScriptPlan::HangsDeaf,
                    ScriptPlan::Missing,
                    ScriptPlan::Flaps,
                ];
                Act::Script(script, choice(cursor, "a script", &known, &plans)?)
            }
            "address" => {
                let word = cursor.take("an address")?;
                let address = word.parse().map_err(|_| cursor.before(format!("`{word}` is no address")))?;
                choice(cursor, "an address", &["deleted"], &[()])?;
                Act::AddressDeleted(address)
            }
            "boots" => Act::Boots,
            "process" => {
                let service = cursor.take("the name of a service")?.into();
                Act::Process(service, ServiceAct::parse(cursor)?)
            }
            "down_file" => Act::DownFile(choice(cursor, "a down file", &["appears", "vanishes"], &[true, false])?),
            "disk" => Act::Disk(DiskAct::parse(cursor)?),
            "clock" => Act::Clock(match choice(cursor, "a clock", &["ahead", "behind", "drifts"], &[0, 1, 2])? {
                0 => ClockAct::Ahead(cursor.span("ahead")?),
                1 => ClockAct::Behind(cursor.span("behind")?),
                _ => ClockAct::Drifts(cursor.number("drifts", -100_000..=100_000)?),
            }),
            word if ORDERS.contains(&word) => Act::Order(Order::parse(word, cursor)?),
            "addresses" => Act::Kernel(choice(cursor, "addresses", &["settable", "refused"], &[true, false])?),
            "statics" => Act::Statics(choice(cursor, "statics", &["complete", "missing"], &[true, false])?),
            "clear_statistics" => Act::ClearStatistics,
            "refuses" if cursor.accept("nothing") => Act::RefusesNothing,
            "refuses" => {
                let call = Call::parse(cursor)?;
                Act::Refuses(call, after(cursor)?.unwrap_or(0))
            }
            "figure" => Act::Figure(FigureAct::parse(cursor)?),
            "sending" => Act::Sending(choice(cursor, "sending", &["works", "fails"], &[true, false])?),
            other => {
                return Err(cursor.before(format!("nothing called `{other}` can happen")).did_you_mean(other, ACTS));
            }
        };
        cursor.finish()?;
        Ok(Self::Nodes(nodes, act))
    }

    /// What happens to the LAN, or to the line.
    pub(crate) fn parse_lan(nodes: &[NodePlan], cursor: &mut Cursor<'_>) -> Result<LanChange, Mistake> {
        let change = match cursor.take("what happens to the LAN")? {
            "cut" => LanChange::Cut(paths(nodes, cursor)?),
            "heal" => LanChange::Heal,
            "loss" => LanChange::Loss(cursor.percentage("loss")?, paths(nodes, cursor)?),
            "duplicate" => LanChange::Duplicate(cursor.percentage("duplicate")?, paths(nodes, cursor)?),
            "delay" => LanChange::Delay(cursor.span("delay")?, paths(nodes, cursor)?),
            "jitter" => LanChange::Jitter(cursor.span("jitter")?, paths(nodes, cursor)?),
            other => {
                let mistake = cursor.before(format!("nothing called `{other}` can happen to the LAN"));
                return Err(mistake.did_you_mean(other, LAN));
            }
        };
        cursor.finish()?;
        Ok(change)
    }

    /// What a stranger does.
    pub(crate) fn parse_stranger(nodes: &[NodePlan], cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        if choice(cursor, "a stranger", STRANGER, &[false, true])? {
            let node = node(nodes, cursor)?;
            cursor.finish()?;
            return Ok(Self::Repeats(node));
        }
        let mut spoof = Spoof {
            to: None,
            source: Ipv4Addr::new(192, 0, 2, 99).into(),
            content: SpoofContent::Advertisement {
                version: Version::V2,
                vrid: 51,
                priority: 100,
                interval: Interval::SECOND,
                ttl: 255,
                password: None,
                addresses: Vec::new(),
                bad_checksum: false,
                shorter_by: 0,
            },
        };
        let (mut addresses_given, mut version_given) = (false, false);
        while cursor.peek().is_some() {
            let word = cursor.take("an option of a frame")?;
            match (word, &mut spoof.content) {
                ("to", _) => spoof.to = Some(node(nodes, cursor)?),
                ("from", _) => {
                    let word = cursor.take("an address")?;
                    let by_name = nodes.iter().position(|node| node.name == word);
                    spoof.source = match by_name {
                        Some(index) => Plan::primary(index, "eth0").into(),
                        None => word.parse().map_err(|_| cursor.before(format!("`{word}` is no address")))?,
                    };
                }
                ("octets", content) => {
                    let word = cursor.take("octets in hexadecimal")?;
                    *content = SpoofContent::Octets(
                        hexadecimal(word)
                            .ok_or_else(|| cursor.before(format!("`{word}` is not hexadecimal octets")))?,
                    );
                }
                ("version", SpoofContent::Advertisement { version, .. }) => {
                    *version = if cursor.number("version", 2..=3)? == 2 { Version::V2 } else { Version::V3 };
                    version_given = true;
                }
                ("vrid", SpoofContent::Advertisement { vrid, .. }) => *vrid = cursor.number("vrid", 0..=255)? as u8,
                ("priority", SpoofContent::Advertisement { priority, .. }) => {
                    *priority = cursor.number("priority", 0..=255)? as u8;
                }
                ("interval", SpoofContent::Advertisement { interval, .. }) => *interval = router::interval(cursor)?,
                ("ttl", SpoofContent::Advertisement { ttl, .. }) => *ttl = cursor.number("ttl", 0..=255)? as u8,
                ("auth_pass", SpoofContent::Advertisement { password, .. }) => {
                    *password = Some(router::password(cursor)?);
                }
                ("virtual_ipaddress", SpoofContent::Advertisement { addresses, .. }) => {
                    *addresses = router::addresses(cursor)?;
                    addresses_given = true;
                }
                ("bad_checksum", SpoofContent::Advertisement { bad_checksum, .. }) => *bad_checksum = true,
                ("shorter_by", SpoofContent::Advertisement { shorter_by, .. }) => {
                    *shorter_by = cursor.number("shorter_by", 0..=255)? as u8;
                }
                (other, _) => {
                    let known = [
                        "to",
                        "from",
                        "octets",
                        "version",
                        "vrid",
                        "priority",
                        "interval",
                        "ttl",
                        "auth_pass",
                        "virtual_ipaddress",
                        "bad_checksum",
                        "shorter_by",
                    ];
                    let mistake = cursor.before(format!("a stranger's frame has no option `{other}`"));
                    return Err(mistake.did_you_mean(other, &known));
                }
            }
        }
        let is_ipv6 = spoof.source.is_ipv6();
        if let SpoofContent::Advertisement { version, vrid, addresses, .. } = &mut spoof.content {
            if is_ipv6 && !version_given {
                *version = Version::V3;
            }
            match (addresses_given, is_ipv6) {
                (true, _) => {}
                (false, true) => addresses.extend([LINK_LOCAL, GLOBAL].map(|network| (ipv6(network, *vrid), 64))),
                (false, false) => addresses.push((IpAddr::from([192, 0, 2, *vrid]), 24)),
            }
        }
        Ok(Self::Stranger(spoof))
    }

    /// Whether a LAN at rest must stay at rest: nobody may change its state because of this.
    pub(crate) fn is_harmless(&self, plan: &Plan) -> bool {
        let addresses = |option: &RouterOption| {
            matches!(option, RouterOption::Addresses(_) | RouterOption::Excluded(_) | RouterOption::GarpRefresh(_))
        };
        match self {
            Self::Nodes(_, Act::Reload(options)) => options.iter().all(addresses),
            // Without an address of its own it has none to send from.
            Self::Nodes(_, Act::AddressDeleted(address)) => plan.host(*address).is_none(),
            Self::Nodes(..) | Self::Lan(_) | Self::LanOf(..) | Self::Line(_) | Self::Stranger(_) | Self::Repeats(_) => {
                false
            }
        }
    }

    /// Who, and what: the two columns of its line.
    #[must_use]
    pub fn text(&self, nodes: &[NodePlan]) -> (String, String) {
        match self {
            Self::Nodes(refs, act) => {
                let one = |target: &NodeRef| match target.vrid {
                    Some(vrid) => format!("{}/{vrid}", nodes[target.node].name),
                    None => nodes[target.node].name.clone(),
                };
                (refs.iter().map(one).collect::<Vec<_>>().join(" "), act_text(act))
            }
            Self::Lan(change) => ("lan".to_owned(), lan_text(*change, nodes)),
            Self::LanOf(link, change) => (format!("lan/{link}"), lan_text(*change, nodes)),
            Self::Line(change) => ("line".to_owned(), lan_text(*change, nodes)),
            Self::Stranger(spoof) => ("stranger".to_owned(), spoof_text(spoof, nodes)),
            Self::Repeats(node) => ("stranger".to_owned(), format!("repeats {}", nodes[*node].name)),
        }
    }
}

fn act_text(act: &Act) -> String {
    match act {
        Act::Start => "start".to_owned(),
        Act::Stop => "stop".to_owned(),
        Act::Killed => "killed".to_owned(),
        Act::LosesPower => "loses power".to_owned(),
        Act::KilledAfter(outputs) => format!("killed after {outputs}"),
        Act::LosesPowerAfter(outputs) => format!("loses power after {outputs}"),
        Act::Returns => "returns".to_owned(),
        Act::Pause(span) => format!("pause {}", span_text(*span)),
        Act::Suspend(span) => format!("suspend {}", span_text(*span)),
        Act::Reload(options) => {
            let options: Vec<String> = options.iter().map(|option| format!(" {option}")).collect();
            format!("reload{}", options.concat())
        }
        Act::ReloadService(service, change) => {
            // One blank between words, as in every other line of a timeline.
            let words: Vec<String> = change.to_string().split_whitespace().map(str::to_owned).collect();
            format!("reload_service {service} {}", words.join(" "))
        }
        Act::Link(link, plan) => {
            let word = match plan {
                LinkPlan::Up => "up",
                LinkPlan::Addressless => "addressless",
                LinkPlan::Down => "down",
                LinkPlan::Absent => "absent",
            };
            format!("link {link} {word}")
        }
        Act::Script(script, plan) => {
            let word = match plan {
                ScriptPlan::Succeeds => "succeeds",
                ScriptPlan::Fails => "fails",
                ScriptPlan::Hangs => "hangs",
                ScriptPlan::HangsDeaf => "hangs_deaf",
                ScriptPlan::Missing => "missing",
                ScriptPlan::Flaps => "flaps",
            };
            format!("script {script} {word}")
        }
        Act::AddressDeleted(address) => format!("address {address} deleted"),
        Act::Boots => "boots".to_owned(),
        Act::Process(service, act) => format!("process {service} {}", act.text()),
        Act::Order(order) => order.text(),
        Act::DownFile(true) => "down_file appears".to_owned(),
        Act::DownFile(false) => "down_file vanishes".to_owned(),
        Act::Disk(act) => format!("disk {}", act.text()),
        Act::Clock(ClockAct::Ahead(span)) => format!("clock ahead {}", span_text(*span)),
        Act::Clock(ClockAct::Behind(span)) => format!("clock behind {}", span_text(*span)),
        Act::Clock(ClockAct::Drifts(millionths)) => format!("clock drifts {millionths}"),
        Act::Sending(true) => "sending works".to_owned(),
        Act::Sending(false) => "sending fails".to_owned(),
        Act::Kernel(true) => "addresses settable".to_owned(),
        Act::Kernel(false) => "addresses refused".to_owned(),
        Act::Statics(true) => "statics complete".to_owned(),
        Act::Statics(false) => "statics missing".to_owned(),
        Act::ClearStatistics => "clear_statistics".to_owned(),
        Act::RefusesNothing => "refuses nothing".to_owned(),
        Act::Refuses(call, 0) => format!("refuses {}", call.text()),
        Act::Refuses(call, after) => format!("refuses {} after {after}", call.text()),
        Act::Figure(figure) => figure.to_string(),
    }
}

fn lan_text(change: LanChange, nodes: &[NodePlan]) -> String {
    let paths = |choice: PathChoice| match choice {
        PathChoice::All => String::new(),
        PathChoice::Around(node) => format!(" {}", nodes[node].name),
        PathChoice::Between(left, right) => format!(" {}-{}", nodes[left].name, nodes[right].name),
        PathChoice::From(left, right) => format!(" {}->{}", nodes[left].name, nodes[right].name),
    };
    match change {
        LanChange::Cut(choice) => format!("cut{}", paths(choice)),
        LanChange::Heal => "heal".to_owned(),
        LanChange::Loss(percent, choice) => format!("loss {percent}%{}", paths(choice)),
        LanChange::Duplicate(percent, choice) => format!("duplicate {percent}%{}", paths(choice)),
        LanChange::Delay(span, choice) => format!("delay {}{}", span_text(span), paths(choice)),
        LanChange::Jitter(span, choice) => format!("jitter {}{}", span_text(span), paths(choice)),
    }
}

fn spoof_text(spoof: &Spoof, nodes: &[NodePlan]) -> String {
    let mut text = "sends".to_owned();
    match &spoof.content {
        SpoofContent::Advertisement {
            version,
            vrid,
            priority,
            interval,
            ttl,
            password,
            addresses,
            bad_checksum,
            shorter_by,
        } => {
            text += &format!(" version {} vrid {vrid} priority {priority} interval {interval}", version.number());
            if *ttl != 255 {
                text += &format!(" ttl {ttl}");
            }
            if let Some(password) = password {
                text += &format!(" auth_pass {password}");
            }
            text += &format!(" virtual_ipaddress {}", router::addresses_text(addresses));
            if *bad_checksum {
                text += " bad_checksum";
            }
            if *shorter_by > 0 {
                text += &format!(" shorter_by {shorter_by}");
            }
        }
        SpoofContent::Octets(octets) => {
            text += " octets ";
            text.extend(octets.iter().map(|octet| format!("{octet:02x}")));
        }
    }
    text += &format!(" from {}", spoof.source);
    if let Some(to) = spoof.to {
        text += &format!(" to {}", nodes[to].name);
    }
    text
}

/// `after N`: so many outputs of the engine are still carried out.
fn after(cursor: &mut Cursor<'_>) -> Result<Option<u32>, Mistake> {
    if !cursor.accept("after") {
        return Ok(None);
    }
    Ok(Some(cursor.number("after", 0..=1_000_000)? as u32))
}

fn choice<T: Copy>(cursor: &mut Cursor<'_>, who: &str, known: &[&str], meanings: &[T]) -> Result<T, Mistake> {
    let word = cursor.take(&known.join(" or "))?;
    match known.iter().position(|candidate| *candidate == word) {
        Some(index) => Ok(meanings[index]),
        None => Err(cursor.before(format!("{who} cannot be `{word}`")).did_you_mean(word, known)),
    }
}

fn node(nodes: &[NodePlan], cursor: &mut Cursor<'_>) -> Result<usize, Mistake> {
    let word = cursor.take("a node")?;
    find(nodes, word).ok_or_else(|| unknown_node(nodes, cursor, word))
}

fn find(nodes: &[NodePlan], name: &str) -> Option<usize> {
    nodes.iter().position(|node| node.name == name)
}

fn unknown_node(nodes: &[NodePlan], cursor: &Cursor<'_>, word: &str) -> Mistake {
    let known: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    cursor.before(format!("there is no node `{word}`")).did_you_mean(word, &known)
}

fn paths(nodes: &[NodePlan], cursor: &mut Cursor<'_>) -> Result<PathChoice, Mistake> {
    if cursor.peek().is_none() {
        return Ok(PathChoice::All);
    }
    let word = cursor.take("a path such as `a->b` or `a-b`")?;
    let known = |name: &str| find(nodes, name).ok_or_else(|| unknown_node(nodes, cursor, name));
    if let Some((left, right)) = word.split_once("->") {
        Ok(PathChoice::From(known(left)?, known(right)?))
    } else if let Some((left, right)) = word.split_once('-') {
        Ok(PathChoice::Between(known(left)?, known(right)?))
    } else {
        Ok(PathChoice::Around(known(word)?))
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
