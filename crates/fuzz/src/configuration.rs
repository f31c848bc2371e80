//! Configurations: any text, and texts made of keywords.

use std::path::Path;
use std::sync::OnceLock;

use config::keywords::{Block, Form, List};
use config::{ExportError, LoadOptions, Loaded, MemoryFiles, Settings, explain, export_for_keepalived, load};
use engine::{Engine, Instant};

use crate::octets::Octets;

const PATH: &str = "/k/main.conf";
/// Every password in these texts, and found in them only where it is one.
const SECRET: &str = "S3cr3tWd";

fn files(text: &[u8]) -> MemoryFiles {
    MemoryFiles::single(PATH, text)
        .with("/k/other.conf", "include main.conf\nvrrp_instance I {\n")
        .with("/k/value", "router_id $A\n")
}

pub(crate) fn settings(text: &[u8]) -> Option<Settings> {
    load(Path::new(PATH), &files(text), &LoadOptions::default()).settings
}

/// The text of a file.
pub(crate) fn text(octets: &[u8]) {
    let (path, files, options) = (Path::new(PATH), files(octets), LoadOptions::default());
    let loaded = load(path, &files, &options);
    look_at_report(&loaded, &files);
    let again = load(path, &files, &options);
    assert_eq!((&loaded.settings, loaded.expanded), (&again.settings, again.expanded), "the same each time");
    let report = loaded.report.render(false);
    assert_eq!(report, again.report.render(false));
    match export_for_keepalived(path, &files, &options) {
        // It vouches for its result itself; here it is enough that it comes to one.
        Ok(_) | Err(ExportError::Entangled(_)) => assert!(loaded.settings.is_some()),
        Err(ExportError::Unusable(_)) => assert!(loaded.settings.is_none()),
    }
    let mut said = vec![report];
    if let Some(settings) = &loaded.settings {
        said.extend(look_at_settings(settings));
    }
    let text = String::from_utf8_lossy(octets);
    // Somebody may have called an instance so, or have written no password but something that does not exist.
    let is_password = text.matches(SECRET).count() == 1
        && text.split_once(SECRET).is_some_and(|(before, _)| before.trim_end().ends_with("auth_pass"));
    if is_password && loaded.settings.is_some() {
        for said in said {
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}

fn look_at_report(loaded: &Loaded, files: &MemoryFiles) {
    let report = &loaded.report;
    assert_eq!(loaded.settings.is_none(), report.has_errors(), "{}", report.render(false));
    assert_eq!(report.exit_status() == 0, !report.has_errors());
    for place in report.diagnostics().iter().filter_map(|diagnostic| diagnostic.place.as_ref()) {
        let text = String::from_utf8_lossy(&files.files[&place.file]);
        assert!(text.get(place.span.clone()).is_some(), "{place:?} is no place in {text:?}");
        assert!(place.line >= 1 && place.column >= 1);
    }
    for styled in [false, true] {
        assert!(report.render(styled).ends_with('\n'));
    }
}

/// What is said of settings that can be used.
fn look_at_settings(settings: &Settings) -> Vec<String> {
    let config = settings.engine_config();
    assert_eq!(config.routers.len(), settings.instances.len());
    let explained = explain(settings);
    assert!(explained.ends_with('\n'));
    let words = format!("{settings:?}");
    let engine = Engine::new(config, 1);
    let json = daemon::foreign::json(settings, &engine, Instant::START);
    let read: Result<serde_json::Value, _> = serde_json::from_str(&json);
    assert!(read.is_ok(), "{read:?}: {json}");
    let mut said = vec![explained, words, json];
    said.extend(daemon::foreign::dumps(settings, &engine, Instant::START));
    said
}

/// Names for numbers: what is asked for in these options is found, or the text cannot be used.
const NAMED: &str = "static_routes {\n 198.51.100.0/24 via 192.0.2.254 dev eth0 table uplink protocol uplink\n}\n\
                     static_rules {\n from 198.51.100.0/24 table uplink priority 100 protocol uplink ipproto uplink\n}\n";

/// A file in which the system or the operator has names for numbers, as each of them.
pub(crate) fn names(octets: &[u8]) {
    let places = ["rt_tables", "rt_tables.d/a.conf", "rt_protos"].map(|file| format!("/etc/iproute2/{file}"));
    let files = places.iter().fold(MemoryFiles::single(PATH, NAMED), |files, place| files.with(place, octets));
    let files = files.with("/etc/protocols", octets);
    let loaded = load(Path::new(PATH), &files, &LoadOptions::default());
    look_at_report(&loaded, &files);
    let Some(settings) = &loaded.settings else { return };
    let statics = settings.engine_config().statics;
    assert!(statics.routes.iter().all(|route| route.what.protocol.is_some()), "left out: {statics:?}");
    assert!(statics.rules.iter().all(|rule| rule.what.protocol.is_some()), "left out: {statics:?}");
    assert_eq!((statics.routes.len(), statics.rules.len()), (1, 1));
}

pub(crate) fn name_seeds() -> Vec<Vec<u8>> {
    ["4 uplink # ours\n\n0x11\tother\n", "uplink 17 UPLINK\n", "300 uplink\n", "4294967295 uplink\n0 uplink\n"]
        .map(|text| text.as_bytes().to_vec())
        .into()
}

/// Octets that choose keywords, values and braces.
pub(crate) fn words(octets: &[u8]) {
    text(of_words(&mut Octets::new(octets)).as_bytes());
}

/// Values of every kind.
const VALUES: [&str; 48] = [
    "eth0",
    "eth1",
    "VI_1",
    "VI_2",
    "chk",
    "0",
    "1",
    "2",
    "3",
    "51",
    "100",
    "254",
    "255",
    "256",
    "-1",
    "-254",
    "4096",
    "0.01",
    "0.5",
    "40.95",
    "1000000000000",
    "on",
    "off",
    "MASTER",
    "BACKUP",
    "192.0.2.100",
    "192.0.2.101/24",
    "192.0.2.1",
    "192.0.2.2",
    "224.0.0.18",
    "2001:db8::100/64",
    "fe80::100",
    "ff02::12",
    "default",
    "PASS",
    SECRET,
    "weight",
    "reverse",
    "dev",
    "\"/bin/true a\"",
    "/run/a",
    "root",
    "a@example.com",
    "systemd:web.service",
    "10s",
    "1h",
    "hex:00",
    "via",
];

/// Texts that mean something without which little else does.
const FRAMES: [&str; 6] = [
    "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 192.0.2.100/24\n }\n",
    "vrrp_instance VI_2 {\n interface eth0\n virtual_router_id 52\n version 3\n virtual_ipaddress {\n fe80::100/64\n }\n",
    "vrrp_script chk {\n script \"/bin/true\"\n",
    "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n",
    "track_file f {\n file /run/f\n",
    "global_defs {\n",
];

type Keywords = Vec<(Block, Vec<(&'static str, Option<Block>)>)>;

/// The keywords of each place, and what they open.
fn keywords() -> &'static Keywords {
    static KEYWORDS: OnceLock<Keywords> = OnceLock::new();
    KEYWORDS.get_or_init(|| {
        let opens = |form: Form| match form {
            Form::Block(block) | Form::NamedBlock { block, .. } => Some(block),
            // What may stand in an entry.
            Form::List(List::Words | List::Addresses) => Some(Block::AddressOptions),
            Form::List(List::Peers) => Some(Block::PeerOptions),
            Form::List(List::Tracked) => Some(Block::TrackOptions),
            Form::List(List::Routes) => Some(Block::RouteOptions),
            Form::List(List::Rules) => Some(Block::RuleOptions),
            _ => None,
        };
        let place = |&block: &Block| {
            let words = block.keywords().map(|keyword| (keyword.name, opens(keyword.form)));
            (block, words.collect())
        };
        Block::ALL.iter().map(place).collect()
    })
}

/// A text as long as the octets go, with every block closed.
pub(crate) fn of_words(octets: &mut Octets<'_>) -> String {
    let mut text = String::new();
    let mut open = vec![Block::Root];
    while !octets.is_empty() {
        let place = *open.last().expect("the root is never closed");
        match octets.octet() {
            choice @ 0..=20 if open.len() == 1 => {
                let choice = usize::from(choice) % FRAMES.len();
                text += FRAMES[choice];
                open.push(
                    [
                        Block::VrrpInstance,
                        Block::VrrpInstance,
                        Block::VrrpScript,
                        Block::SyncGroup,
                        Block::TrackFile,
                        Block::GlobalDefs,
                    ][choice],
                );
            }
            0..=150 => {
                let words = keywords().iter().find(|(block, _)| *block == place).map(|(_, words)| &words[..]);
                let Some(words @ [_, ..]) = words else { continue };
                let (name, opens) = octets.pick(words);
                text += "\n";
                text += name;
                text += " ";
                if let Some(block) = opens {
                    if octets.octet() & 1 == 0 {
                        text += octets.pick(&VALUES);
                    }
                    text += " {\n";
                    open.push(block);
                }
            }
            151..=220 => {
                text += octets.pick(&VALUES);
                text += " ";
            }
            221..=230 => text += "\n",
            231..=250 if open.len() > 1 => {
                open.pop();
                text += "\n}\n";
            }
            _ => {
                text += octets.pick(&[
                    "{",
                    "}",
                    "\"",
                    "\\\n",
                    "#",
                    "$A",
                    "$A=",
                    "~SEQ(A, 1, 3) ",
                    "include other.conf\n",
                    "@x ",
                    "\n{\n",
                    "\n}\n",
                ])
            }
        }
    }
    for _ in 1..open.len() {
        text += "\n}\n";
    }
    text
}

pub(crate) fn text_seeds() -> Vec<Vec<u8>> {
    [
        include_str!("receive.conf"),
        include_str!("../../../examples/edge-gateway/a.conf"),
        include_str!("../../../examples/service/scheduler/b.conf"),
        include_str!("../../../examples/nginx-active-active/b.conf"),
        "global_defs {\n router_id a\n vrrp_version 3\n}\nvrrp_instance V {\n interface eth0\n virtual_router_id 51\n \
         authentication {\n auth_type PASS\n auth_pass S3cr3tWd\n }\n virtual_ipaddress {\n 192.0.2.1/24 dev eth1\n }\n}\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn word_seeds() -> Vec<Vec<u8>> {
    let instance = |then: &[u8]| [&[0, 30][..], then, &[240, 1, 60, 2, 240, 2, 100, 3, 160, 7, 240]].concat();
    vec![instance(&[10, 155, 9]), instance(&[40, 1, 160, 20, 50, 2, 240]), (0..=255).collect(), vec![100; 60]]
}
