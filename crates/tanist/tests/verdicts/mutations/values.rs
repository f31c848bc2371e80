//! For every keyword that works, from the table of keywords: its limits, what is beyond them, and what is no value at all.
//! A keyword that is built joins by itself.

use config::keywords::{Block, Form, Keyword, Status};

use crate::corpus::{Configuration, MAIN};

/// A place where keywords stand: what is around them there.
type Around = fn(keyword: &str, line: &str) -> String;

const PLACES: [(Block, Around); 6] = [
    (Block::GlobalDefs, |_, line| format!("global_defs {{\n    {line}\n}}\n{}", instance("", ""))),
    (Block::VrrpInstance, instance),
    (Block::Authentication, |keyword, line| {
        let (kind, password) = ("auth_type PASS", "auth_pass 1234");
        let other = if keyword == "auth_type" { password } else { kind };
        instance("", &format!("authentication {{\n        {line}\n        {other}\n    }}"))
    }),
    (Block::VrrpScript, |keyword, line| {
        let runs = if keyword == "script" { "" } else { "    script \"/usr/bin/true\"\n" };
        let tracks = "track_script {\n        chk\n    }";
        format!(
            "global_defs {{\n    enable_script_security\n    script_user root\n}}\n\
             vrrp_script chk {{\n{runs}    {line}\n}}\n{}",
            instance("", tracks)
        )
    }),
    (Block::AddressOptions, |_, line| {
        instance("virtual_ipaddress", &format!("virtual_ipaddress {{\n        192.0.2.100/24 {line}\n    }}"))
    }),
    (Block::TrackOptions, |keyword, line| {
        let weight = if keyword == "reverse" { "weight 5 " } else { "" };
        instance("", &format!("track_interface {{\n        eth1 {weight}{line}\n    }}"))
    }),
];

/// An instance with a further line; what this keyword says is not said twice.
fn instance(keyword: &str, line: &str) -> String {
    let lines = [
        ("interface", "interface eth0"),
        ("virtual_router_id", "virtual_router_id 51"),
        ("virtual_ipaddress", "virtual_ipaddress {\n        192.0.2.100/24\n    }"),
    ];
    let mut text = "vrrp_instance VI_1 {\n".to_owned();
    for (name, other) in lines {
        if name != keyword {
            text += &format!("    {other}\n");
        }
    }
    if keyword.contains("unicast") {
        text += "    unicast_peer {\n        192.0.2.20\n    }\n";
    }
    if keyword == "advert_int" {
        text += "    version 3\n";
    }
    text + &format!("    {line}\n}}\n")
}

pub(super) fn all() -> Vec<Configuration> {
    let mut all = Vec::new();
    for (place, around) in PLACES {
        for keyword in place.keywords().filter(|keyword| !keyword.ours && keyword.status != Status::NotBuilt) {
            for value in values(keyword) {
                let line = format!("{} {value}", keyword.name);
                let called = value.replace(' ', "_");
                all.push(Configuration {
                    name: format!("value~{}~{}~{called}", place.title().replace(' ', "-"), keyword.name),
                    id: "edge-a".to_owned(),
                    files: vec![(MAIN.to_owned(), around(keyword.name, line.trim_end()))],
                });
            }
        }
    }
    all
}

/// Good ones and bad ones.
fn values(keyword: &Keyword) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    match keyword.form {
        Form::Whole { min, max, .. } => {
            let numbers = [min, min.saturating_sub(1), max, max.saturating_add(1)];
            let mut values: Vec<String> = numbers.iter().map(i64::to_string).collect();
            values.extend(texts(&["", "x", "2x", "1.5", "+3", "03", "0x3", "3 4", "99999999999999999999"]));
            values
        }
        Form::Seconds { min, max } => {
            let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let mut values = vec![seconds(min), seconds(max), seconds(max + 1_000_000)];
            values.extend(min.checked_sub(1).map(seconds));
            values.extend(texts(&["", "x", "2s", "1.5", "1.25", ".5", "2.", "-1", "0", "1,5", "1.5 2"]));
            values
        }
        Form::Bool { .. } => texts(&["", "on", "yes", "off", "false", "ON", "1", "maybe", "on off"]),
        Form::Flag => texts(&["", "on", "off", "7"]),
        Form::Address => texts(&["", "192.0.2.20", "192.0.2.256", "192.0.2", "192.0.2.20/24", "node", "192.0.2.20 x"]),
        Form::Choice(words) => {
            let mut values = texts(words);
            values.extend(texts(&["", "x"]));
            values
        }
        Form::Word(_) => texts(&["", "x", "x y", "\"x y\"", "\"\"", "a_very_long_word_for_nearly_every_purpose"]),
        Form::Words { .. } => texts(&["", "7", "x", "-7 reverse", "7 x", "300", "7 7 7 7"]),
        Form::Command { .. } | Form::OptionalCommand => texts(&[
            "",
            "\"/usr/bin/true\"",
            "\"/usr/bin/true a b\"",
            "/usr/bin/true",
            "'/usr/bin/true'",
            "\"/usr/bin/true",
            "\"\"",
            "\" /usr/bin/true \"",
            "\"/usr/bin/true\" root",
            "\"/usr/bin/true\" root root x",
        ]),
        Form::Span { .. }
        | Form::Budget(_)
        | Form::TimedCommand
        | Form::OneOf(_)
        | Form::Block(_)
        | Form::NamedBlock { .. }
        | Form::List(_) => Vec::new(),
    }
}
