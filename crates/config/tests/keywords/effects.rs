//! What each keyword does to the settings: its example is read, and the settings with it are held against those without
//! it. What changes stands in `tests/effects/`, a file for each block; `UPDATE_EXPECT=1` writes it anew. A keyword that
//! works and changes nothing fails here.
//!
//! A new keyword needs nothing but its line in that file, if its example has an effect where [`around`] puts it. If the
//! example says what is so anyway, [`BESIDE`] says otherwise first; if it refers to something, [`backdrop`] defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use tanist_config::keywords::{Block, Form, Keyword, Status};

use super::around;
use crate::support::{expect_file, load_text};

/// What stands in the same block, with the keyword and without it.
const BESIDE: &[(Block, &str, &str)] = &[
    (Block::GlobalDefs, "vrrp_mcast_group4", "vrrp_mcast_group4 224.0.0.19"),
    (Block::GlobalDefs, "notify_fifo_script", "notify_fifo /run/keepalived.fifo"),
    (Block::GlobalDefs, "vrrp_notify_fifo_script", "vrrp_notify_fifo /run/vrrp.fifo"),
    (Block::GlobalDefs, "startup_script_timeout", "startup_script \"/etc/keepalived/start.sh\""),
    (Block::GlobalDefs, "shutdown_script_timeout", "shutdown_script \"/etc/keepalived/stop.sh\""),
    (Block::SyncGroup, "smtp_alert", "group { VI_1 VI_2 }"),
    (Block::SyncGroup, "notify_priority_changes", "group { VI_1 VI_2 }"),
    (Block::GlobalDefs, "vrrp_mcast_group6", "vrrp_mcast_group6 ff02::13"),
    (Block::GlobalDefs, "reload_repeat", "reload_time_file /etc/keepalived/reload_at"),
    (Block::GlobalDefs, "vrrp_rx_bufs_multiplier", "vrrp_rx_bufs_policy MTU"),
    (Block::GlobalDefs, "vrrp_netlink_cmd_rcv_bufs_force", "vrrp_netlink_cmd_rcv_bufs 212992"),
    (Block::GlobalDefs, "vrrp_netlink_monitor_rcv_bufs_force", "vrrp_netlink_monitor_rcv_bufs 212992"),
    (Block::GlobalDefs, "process_monitor_rcv_bufs_force", "process_monitor_rcv_bufs 212992"),
    (Block::VrrpInstance, "advert_int", "advert_int 2"),
    (Block::VrrpInstance, "preempt", "nopreempt"),
    (Block::VrrpInstance, "accept", "no_accept"),
    (Block::VrrpInstance, "unicast_src_ip", "unicast_peer { 192.0.2.12 }"),
    (Block::VrrpInstance, "unicast_ttl", "unicast_peer { 192.0.2.12 }"),
    (Block::VrrpInstance, "garp_master_refresh_repeat", "garp_master_refresh_repeat 2"),
    (Block::VrrpInstance, "use_vmac_addr", "virtual_ipaddress_excluded {\n 198.51.100.9 dev eth5\n}"),
    (Block::VrrpInstance, "vmac_xmit_base", "use_vmac"),
    (Block::VrrpInstance, "garp_extra_if", "virtual_ipaddress_excluded {\n 198.51.100.9 dev eth5\n}"),
    (Block::Root, "service", "vrrp_instance W {\n interface eth7\n virtual_router_id 99\n service web\n}"),
    (Block::Authentication, "auth_type", "auth_pass 1234"),
    (Block::Authentication, "auth_pass", "auth_type PASS"),
    (Block::VrrpScript, "timeout", "interval 2"),
    (Block::Root, "track_group", "static_routes {\n 198.51.100.0/24 dev eth0 track_group G1\n}"),
    (Block::RouteOptions, "unicast", "blackhole 198.51.100.0/24"),
    (Block::RouteOptions, "prepend", "198.51.100.0/24 dev eth0 append"),
    (Block::Root, "vrrp_sync_group", TWO_INSTANCES),
    (Block::SyncGroup, "sync_group_tracking_weight", A_WEIGHT_IN_A_GROUP),
    (Block::TrackOptions, "noreverse", "chk_down weight -20"),
    (Block::GlobalDefs, "vrrp_down_timer_adverts", "vrrp_down_timer_adverts 5"),
    (Block::GlobalDefs, "vrrp_higher_prio_send_advert", "vrrp_higher_prio_send_advert off"),
    (Block::VrrpInstance, "mcast_dst_ip", "mcast_dst_ip 224.0.0.19"),
    (Block::VrrpInstance, "down_timer_adverts", "down_timer_adverts 5"),
    (Block::VrrpInstance, "timer_expired_backup", "nopreempt"),
    (Block::VrrpInstance, "higher_prio_send_advert", "higher_prio_send_advert off"),
    (Block::AuthHmac, "active_key", "key 2 \"another key of at least thirty-two octets\"\nactive_key 2"),
    (Block::AuthHmac, "time_window", "time_window 6"),
    (Block::AuthHmac, "anti_replay", "anti_replay monotonic"),
    (Block::AuthHmac, "mode", "mode permissive"),
    (Block::GarpGroup, "garp_interval", "interface eth0"),
    (Block::GarpGroup, "gna_interval", "interface eth0"),
    (Block::GarpGroup, "interface", "garp_interval 0.01"),
    (Block::GarpGroup, "interfaces", "garp_interval 0.01"),
    (Block::TrackOptions, "reverse", "eth1 weight -20"),
    (
        Block::Root,
        "track_file",
        "vrrp_instance W {\n interface eth7\n virtual_router_id 99\n no_virtual_ipaddress\n track_file {\n load\n }\n}",
    ),
    (
        Block::Root,
        "vrrp_track_process",
        "vrrp_instance W {\n interface eth7\n virtual_router_id 99\n no_virtual_ipaddress\n track_process {\n nginx\n }\n}",
    ),
];

/// Whom a group is made of.
const TWO_INSTANCES: &str =
    "vrrp_instance VI_1 {\n interface eth7\n virtual_router_id 91\n virtual_ipaddress {\n 192.0.2.91\n }\n}
vrrp_instance VI_2 {\n interface eth7\n virtual_router_id 92\n virtual_ipaddress {\n 192.0.2.92\n }\n}";

/// Of another group, one whose member has a weight of its own.
const A_WEIGHT_IN_A_GROUP: &str = "group { VI_1 }\n}\nvrrp_instance W {\n interface eth7\n virtual_router_id 93\n \
    virtual_ipaddress {\n 192.0.2.93\n }\n track_interface {\n eth1 weight 10\n }\n}\nvrrp_sync_group H {\n group { VI_2 W }";

/// What works although it changes no settings, and why that is so.
const NO_SETTINGS: &[(Block, &str, &str)] = &[
    (
        Block::VrrpInstance,
        "no_virtual_ipaddress",
        "it says that what looks forgotten is meant, so a warning stays away",
    ),
    (Block::GlobalDefs, "include_check", "it decides which files are read, and there are no others here"),
    (Block::GlobalDefs, "random_seed", "it decides what `${_RANDOM}` stands for, which is not used here"),
    (Block::VrrpInstance, "track_src_ip", "it says what is so anyway"),
    (Block::VrrpInstance, "vrf", "it says nothing beside an interface (tests/cases/virtual-mac.conf)"),
    (Block::GlobalDefs, "vmac_prefix", "nothing here has a virtual MAC address (tests/cases/virtual-mac.conf)"),
    (Block::GlobalDefs, "vmac_addr_prefix", "nothing here has a virtual MAC address (tests/cases/virtual-mac.conf)"),
    (
        Block::GlobalDefs,
        "vrrp_garp_extra_if",
        "nothing here is beside the way of advertisements (tests/cases/virtual-mac.conf)",
    ),
    (Block::GlobalDefs, "iproute_etc_dir", "it decides what names mean, and the machine has its own"),
    (Block::GlobalDefs, "iproute_usr_dir", "it decides what names mean, and the machine has its own"),
];

/// What is new and has more settings than this is not shown in full.
const LARGE: usize = 25;

/// What the examples refer to, and whom they concern.
fn backdrop(place: Block) -> String {
    let instance = |name: &str, number: u8, script: &str| {
        format!(
            "vrrp_instance {name} {{\n interface eth7\n virtual_router_id {number}\n virtual_ipaddress {{\n 192.0.2.{number}\n }}\n \
             track_script {{\n {script}\n }}\n}}\n"
        )
    };
    match place {
        // What an example defines is not defined here.
        Block::Root => instance("V", 70, "chk_web"),
        Block::GlobalDefs => {
            let ipv6 = "vrrp_instance VI_6 {\n interface eth7\n virtual_router_id 73\n virtual_ipaddress {\n fe80::73\n }\n}\n";
            backdrop(Block::VrrpInstance) + ipv6 + "static_ipaddress {\n 203.0.113.1/24\n}\n"
        }
        Block::TrackGroup => {
            backdrop(Block::VrrpInstance) + "static_routes {\n 203.0.113.0/24 dev eth0 track_group G\n}\n"
        }
        Block::AddressOptions | Block::RouteOptions | Block::RuleOptions => {
            backdrop(Block::VrrpInstance) + "track_group G1 {\n group {\n VI_1\n }\n}\n"
        }
        Block::TrackProcess | Block::TrackFile => {
            let tracking = "track_process {\n P\n }\n track_file {\n F\n }";
            format!(
                "vrrp_instance V {{\n interface eth7\n virtual_router_id 70\n no_virtual_ipaddress\n {tracking}\n}}\n"
            )
        }
        _ => {
            let script = "vrrp_script chk_web {\n script /bin/true\n}\nvrrp_script chk_down {\n script /bin/false\n weight 3 reverse\n}\n\
                          track_file load {\n file /run/load\n}\nvrrp_track_process nginx {\n process nginx\n}\n"
                .to_owned();
            script + &instance("VI_1", 71, "S") + &instance("VI_2", 72, "chk_web")
        }
    }
}

#[test]
fn each_keyword_that_works_changes_the_settings() {
    let mut wrong = Vec::new();
    // What only Tanist knows has its own cases (`tests/cases/services*.conf`) and stories.
    for place in Block::ALL.iter().filter(|place| !place.is_ours()) {
        let mut text = String::new();
        let works = place.keywords().filter(|keyword| keyword.status == Status::Works);
        for keyword in works {
            let excused = NO_SETTINGS.iter().any(|(block, name, _)| (*block, *name) == (*place, keyword.name));
            match effect(*place, keyword) {
                Ok(found) if excused && !found.is_empty() => {
                    wrong.push(format!("{}: {} stands in NO_SETTINGS, but has an effect", place.title(), keyword.name));
                }
                Ok(_) if excused => {}
                Ok(found) if found.is_empty() => {
                    wrong.push(format!("{}: `{}` changes nothing", place.title(), keyword.example));
                }
                Ok(found) => {
                    let example = keyword.example.split_whitespace().collect::<Vec<_>>().join(" ");
                    write!(text, "{example}\n{found}\n").expect("writing to a string cannot fail");
                }
                Err(reason) => wrong.push(reason),
            }
        }
        let path = PathBuf::from(format!("tests/effects/{}.txt", place.slug()));
        if !text.is_empty() {
            wrong.extend(expect_file(&path, &text).err());
        } else if path.exists() {
            wrong.push(format!("{} is about keywords that do not work", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The settings that the keyword changes, a line for each; empty if it changes none.
fn effect(place: Block, keyword: &Keyword) -> Result<String, String> {
    let beside = BESIDE.iter().find(|(block, name, _)| (*block, *name) == (place, keyword.name));
    let beside = beside.map_or("", |(.., lines)| lines);
    // A group without instances is none.
    let grouped = place == Block::SyncGroup && keyword.name != "group" && beside.is_empty();
    let beside = if grouped { "group { VI_1 VI_2 }" } else { beside };
    let with = if is_option(place) { keyword.example.to_owned() } else { format!("{beside}\n{}", keyword.example) };
    let with = settings(place, keyword, &with)?;
    // An entry without the option; where there is no such entry, none at all.
    let without = if beside.is_empty() { cut(keyword) } else { beside.to_owned() };
    let without = settings(place, keyword, &without)
        .or_else(|_| settings(place, keyword, beside))
        .or_else(|_| flat(&backdrop(place)))?;
    Ok(difference(&without, &with))
}

/// Whether it stands behind something else on a line.
const fn is_option(place: Block) -> bool {
    matches!(
        place,
        Block::AddressOptions | Block::PeerOptions | Block::TrackOptions | Block::RouteOptions | Block::RuleOptions
    )
}

/// The example without the keyword and its values.
fn cut(keyword: &Keyword) -> String {
    let words: Vec<&str> = keyword.example.split_whitespace().collect();
    let Some(at) = words.iter().position(|word| *word == keyword.name) else { return String::new() };
    let (_, most) = keyword.form.word_count();
    let most = if keyword.form == Form::Flag { 0 } else { most };
    let rest = words.get(at.saturating_add(1).saturating_add(most)..).unwrap_or_default();
    [&words[..at], rest].concat().join(" ")
}

fn settings(place: Block, keyword: &Keyword, lines: &str) -> Result<BTreeMap<String, String>, String> {
    let lines = Keyword { example: lines.to_owned().leak(), ..*keyword };
    flat(&(backdrop(place) + &around(place, &lines)))
}

/// Every single setting of a configuration, named by the way to it.
fn flat(text: &str) -> Result<BTreeMap<String, String>, String> {
    let loaded = load_text(text);
    let Some(settings) = loaded.settings else { return Err(format!("{text}\n{}", loaded.report.render(false))) };
    let mut found = BTreeMap::new();
    let mut way: Vec<(String, usize)> = Vec::new();
    for line in format!("{settings:#?}").lines() {
        let line = line.trim().trim_end_matches(',');
        if matches!(line, "}" | "]" | ")") {
            way.pop();
            continue;
        }
        let named =
            line.split_once(": ").filter(|(name, _)| name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()));
        let (name, value) = match named {
            Some((name, value)) => (format!(".{name}"), value),
            None => {
                let place = way.last_mut().map_or(0, |(_, next)| std::mem::replace(next, *next + 1));
                (format!("[{place}]"), line)
            }
        };
        let path: String = way.iter().map(|(name, _)| name.as_str()).chain([name.as_str()]).collect();
        let opened = value.strip_suffix(['{', '[', '(']);
        let value = opened.unwrap_or(value).trim_end();
        if !value.is_empty() {
            found.insert(path.trim_start_matches("[0].").to_owned(), value.to_owned());
        }
        if opened.is_some() {
            way.push((name, 0));
        }
    }
    Ok(found)
}

fn difference(without: &BTreeMap<String, String>, with: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut new: Option<&String> = None;
    let paths: BTreeSet<&String> = without.keys().chain(with.keys()).collect();
    for path in paths {
        let line = match (without.get(path), with.get(path)) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(before), Some(after)) => format!("{path}: {before} -> {after}"),
            // It is no longer empty, as the next lines show.
            (Some(before), None) if before == "[]" => continue,
            (Some(before), None) => format!("{path}: {before} -> nothing"),
            (None, Some(after)) => {
                // Of what is new, neither what it does not say nor the whole of a large thing.
                let part = new.is_some_and(|new| path.starts_with(new.as_str()));
                let large = |path: &str| with.keys().filter(|other| other.starts_with(path)).count() > LARGE;
                if part
                    && (matches!(after.as_str(), "None" | "[]" | "false" | "0ns") || new.is_some_and(|new| large(new)))
                {
                    continue;
                }
                new = new.filter(|_| part).or(Some(path));
                format!("{path}: {after}")
            }
            (None, None) => continue,
        };
        writeln!(text, "    {line}").expect("writing to a string cannot fail");
    }
    text
}
