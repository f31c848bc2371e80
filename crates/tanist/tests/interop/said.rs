//! What a daemon says of its first instance in its JSON and in its dump, and what of that is compared.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use linux::signals::Signal;
use serde_json::Value;

use crate::differences::{self, lists};
use crate::support::story::run;
use crate::support::{Daemon, Host, Node, Scene, dumping_to, let_pass};

const DUMPS: &str = "/run/dumps";

/// A place on a host where a daemon puts its files.
pub(crate) struct DumpPlace;

impl DumpPlace {
    /// Makes it.
    pub(crate) fn prepare(host: &Host) -> Self {
        run(host, &format!("mkdir {DUMPS}"));
        Self
    }

    /// The daemon that writes there.
    pub(crate) fn of(&self, daemon: &Daemon) -> Daemon {
        dumping_to(DUMPS, daemon.clone())
    }

    /// Asks for the dump, and for the JSON as exporters do it: the signal to the parent, then the file.
    pub(crate) fn ask(&self, scene: &Scene, node: &Node) -> Said {
        let (json, text) = self.ask_all(scene, node);
        let mut fields = BTreeMap::new();
        for instance in json.as_array().expect("a list") {
            for part in ["data", "stats"] {
                let of_part = instance[part].as_object().unwrap_or_else(|| panic!("no {part} in {json}"));
                let name = instance["data"]["iname"].as_str().expect("its name").to_owned();
                let key = |field: &String| (name.clone(), format!("{part}.{field}"));
                fields.extend(of_part.iter().map(|(field, value)| (key(field), value.clone())));
            }
        }
        Said { fields, lines: lines_of(&text) }
    }

    /// The JSON and the dump.
    pub(crate) fn ask_all(&self, scene: &Scene, node: &Node) -> (Value, String) {
        let [data, json_file] = ["data", "json"].map(|kind| PathBuf::from(format!("{DUMPS}/keepalived.{kind}")));
        for path in [data.clone(), json_file.clone()] {
            // It may be there from the last time.
            let _ = node.host.run(move || std::fs::remove_file(path));
        }
        let number = if node.is_tanist() { Signal::json() } else { Signal(36) };
        let (mut json, mut text) = (Value::Null, String::new());
        node.signal(Signal::USER_1);
        scene.until("the dump is written", || {
            text = node.host.read_file(&data).unwrap_or_default();
            let behind = text.split_once("< VRRP Topology >").map_or("", |(_, behind)| behind);
            node.is_tanist() && !behind.is_empty() || behind.contains("< Interfaces >")
        });
        scene.until("the JSON is written", || {
            linux::process::signal(node.program.pid(), number).expect("signal the daemon");
            let_pass(Duration::from_millis(100));
            json = serde_json::from_str(&node.host.read_file(&json_file).unwrap_or_default()).unwrap_or_default();
            json.is_array() || json.is_object()
        });
        (json, text)
    }
}

/// What a daemon says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The fields of its JSON by instance and name.
    fields: BTreeMap<(String, String), Value>,
    /// The lines of its dump by what they are about and what stands before the equals sign or the colon, with what follows
    /// and what stands below them.
    lines: BTreeMap<(String, String), String>,
}

impl Said {
    /// Ours beside keepalived's: every field and every line of keepalived's is there, of the same type and with the same
    /// value, but for what is listed.
    pub(crate) fn compare(&self, theirs: &Self, what: &str) {
        let mut wrong = Vec::new();
        for ((instance, name), value) in &theirs.fields {
            let active = theirs.fields[&(instance.clone(), "data.state".to_owned())] == 2;
            let listed = lists(differences::JSON, name) || active && lists(differences::JSON_WHILE_ACTIVE, name);
            match self.fields.get(&(instance.clone(), name.clone())) {
                None => wrong.push(format!("JSON of {instance}: no {name}, which is {value}")),
                Some(ours) if std::mem::discriminant(ours) != std::mem::discriminant(value) => {
                    wrong.push(format!(
                        "JSON of {instance}: {name} is {ours} and not {value}, which is of another type"
                    ));
                }
                Some(ours) if ours != value && !listed => {
                    wrong.push(format!("JSON of {instance}: {name} is {ours} and not {value}"));
                }
                Some(_) => {}
            }
        }
        for (key, value) in &theirs.lines {
            let (about, label) = key;
            let state = theirs.lines.get(&(about.clone(), "State".to_owned()));
            let active = state.is_some_and(|state| state == "MASTER");
            let listed = differences::is_listed_line(about, label, active);
            let ours = self.lines.get(key);
            if ours != Some(value) && !listed {
                wrong.push(format!("dump, {about}: {label}\n  ours: {ours:?}\n  theirs: {value:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}\n{what}", wrong.join("\n"));
    }
}

/// What begins a part of the dump that is about one thing.
const THINGS: [&str; 5] =
    ["VRRP Instance = ", "VRRP Sync Group = ", "VRRP Script = ", "Track file = ", "VRRP Track process = "];

fn lines_of(text: &str) -> BTreeMap<(String, String), String> {
    let mut lines: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut about = String::new();
    let mut last = (String::new(), String::new());
    for line in text.lines() {
        if let Some(section) = line.strip_prefix("------< ") {
            about = section.trim_end_matches('-').trim_end_matches(" >").to_owned();
            last = (about.clone(), String::new());
            lines.insert(last.clone(), String::new());
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let line = line.trim();
        if depth == 1 && THINGS.iter().any(|thing| line.starts_with(thing)) {
            about = line.to_owned();
            lines.insert((about.clone(), String::new()), String::new());
            continue;
        }
        let is_label = depth == 1 || depth == 3 && !about.ends_with("definitions");
        if !is_label && let Some(below) = lines.get_mut(&last) {
            below.push('\n');
            below.push_str(line);
            continue;
        }
        // The number of an interface is nobody's business.
        let line = line.split_once(", ifindex").map_or(line, |(before, _)| before);
        let place = line.find(" = ").or_else(|| line.find(':'));
        // Where neither stands, the label is what does not count something.
        let number = || line.find(|character: char| character.is_ascii_digit());
        let place = place.filter(|_| !line.starts_with("Multicast")).or_else(number).unwrap_or(line.len());
        let (label, value) = line.split_at(place);
        last = (about.clone(), label.trim().to_owned());
        lines.insert(last.clone(), value.trim_start_matches([' ', '=', ':']).to_owned());
    }
    lines
}
