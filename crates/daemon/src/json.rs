//! The JSON that keepalived writes on SIGRTMIN+2, field by field, for the exporters that read it.
//!
//! Its habits are kept because readers depend on them: some switches are numbers and some are not, what is empty is left
//! out, and slashes are escaped.

use std::net::IpAddr;
use std::time::Duration;

use config::{FigureSource, Instance, JsonVersion, MatchBy, Settings, Tracker};
use engine::vrrp::receive::{Discard, Oddity};
use engine::{
    Authentication, Engine, FigureCause, Instant, Measure, RouterView, TrackerKind, TrackerView, Transport,
    VirtualAddress, Weight,
};
use linux::clock;
use serde_json::{Map, Value, json};

use crate::dump::words;

/// The whole file.
pub(crate) fn json(settings: &Settings, engine: &Engine, now: Instant) -> String {
    let view = engine.view();
    let routers = view.routers.iter().zip(&settings.instances);
    let routers = routers.map(|(router, instance)| {
        let since = clock::real_time().saturating_sub(now.since(router.since));
        json!({ "data": data(router, instance, settings, since), "stats": statistics(router) })
    });
    let routers: Vec<Value> = routers.collect();
    let all = match settings.process.dumps.json_version {
        JsonVersion::One => Value::Array(routers),
        JsonVersion::Two => {
            let trackers = view.trackers.iter().zip(&settings.trackers);
            let processes: Vec<Value> =
                trackers.filter_map(|(tracker, configured)| process(tracker, configured)).collect();
            json!({ "vrrp": routers, "track_process": processes })
        }
    };
    // A slash stands in texts only.
    all.to_string().replace('/', "\\/") + "\n"
}

/// What is known of tracked processes; `None` for a tracked file. The weight is that of those who refer to it without one of their own.
fn process(tracker: &TrackerView, configured: &Tracker) -> Option<Value> {
    let FigureSource::Processes(pattern) = &configured.source else { return None };
    let Measure::Count { least, most, fork_delay, terminate_delay } = configured.figure.measure else { return None };
    let (command, parameters) = pattern.words.split_first()?;
    let mut process = json!({
        "process": command,
        "min_processes": least,
        "current_processes": tracker.figure.unwrap_or(0),
        "have_quorum": tracker.good.unwrap_or(false),
        "terminate_delay": number(terminate_delay.as_secs_f64()),
        "fork_delay": number(fork_delay.as_secs_f64()),
        "weight": signed(configured.weight),
        "fork_delay_timer_running": words::waits_after(tracker, FigureCause::Forked),
        "terminate_delay_timer_running": words::waits_after(tracker, FigureCause::Ended),
        "full_command": pattern.by != MatchBy::Name,
    });
    let more = [
        ("max_processes", most.map(|most| json!(most))),
        ("parameters", (!parameters.is_empty()).then(|| json!(parameters.join(" ")))),
        ("param_match", words::match_word(pattern.by).map(|word| json!(word))),
    ];
    for (name, value) in more {
        if let (Some(value), Some(process)) = (value, process.as_object_mut()) {
            process.insert(name.to_owned(), value);
        }
    }
    Some(process)
}

fn data(router: &RouterView, instance: &Instance, settings: &Settings, since: Duration) -> Value {
    let config = &instance.router;
    let announce = &config.announce;
    let interval = config.advertisement_interval.as_duration();
    let master_priority = router.active_router.map_or(0, |(_, priority)| priority.get());
    let seconds = |span: Duration| number(span.as_secs_f64());
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| {
        data.insert(name.to_owned(), value);
    };
    put("iname", json!(&*config.name));
    put("dont_track_primary", json!(u8::from(config.ignore_own_link)));
    put("skip_check_adv_addr", json!(u8::from(config.skip_check_adv_addr)));
    put("strict_mode", json!(u8::from(instance.strict)));
    let virtual_link = instance.own_link();
    put("vmac_ifname", json!(virtual_link.map_or("", |link| &**link)));
    put("ifp_ifname", json!(&**virtual_link.unwrap_or(&config.link)));
    put("master_priority", json!(master_priority));
    put("last_transition", number(microseconds(since)));
    put("garp_delay", json!(announce.delay.as_secs()));
    put("garp_refresh", json!(announce.refresh.unwrap_or_default().as_secs()));
    put("garp_rep", json!(announce.repeat));
    put("garp_refresh_rep", json!(announce.refresh_repeat));
    put("garp_lower_prio_delay", json!(announce.lower_priority_delay.as_secs()));
    put("garp_lower_prio_rep", json!(announce.lower_priority_repeat));
    put("lower_prio_no_advert", json!(u8::from(config.deviations.silent_winner)));
    put("higher_prio_send_advert", json!(u8::from(!config.deviations.silent_loser)));
    put("vrid", json!(config.vrid.get()));
    put("base_priority", json!(router.priority.get()));
    put("effective_priority", json!(router.effective_priority.get()));
    put("vipset", json!(router.holds_addresses));
    put("promote_secondaries", json!(instance.promote_secondaries));
    put("adver_int", seconds(interval));
    put("master_adver_int", seconds(router.active_adver_interval.as_duration()));
    put("accept", json!(u8::from(instance.accept_mode)));
    put("nopreempt", json!(!config.preempt_mode));
    put("preempt_delay", seconds(config.preempt_delay));
    put("state", json!(number_of(words::state_word(router))));
    put("wantstate", json!(number_of(words::wanted_word(router))));
    put("version", json!(config.version.number()));
    put("smtp_alert", json!(instance.mails));
    put("notify_deleted", json!(instance.notify.tells_deletion));
    let notify = &instance.notify;
    let scripts = [
        ("script_backup", &notify.backup),
        ("script_master", &notify.active),
        ("script_fault", &notify.fault),
        ("script_stop", &notify.stop),
        ("script_deleted", &notify.deleted),
        ("script", &notify.any),
        ("script_master_rx_lower_pri", &notify.active_heard_lower_priority),
    ];
    for (name, script) in scripts {
        if let Some(script) = script {
            put(name, json!(words::quoted_script(script)));
        }
    }
    let addresses = |addresses: &[VirtualAddress]| {
        addresses.iter().map(|address| words::address_words(address, instance, router.holds_addresses)).collect()
    };
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    // Not their names but what they run, as in keepalived.
    let script = |name: &engine::Name| settings.scripts.iter().find(|script| script.checking.name == *name);
    let scripts =
        config.track_scripts.iter().filter_map(|tracked| Some(words::quoted(&script(&tracked.script)?.command)));
    let processes = config.trackers.iter().filter(|tracked| tracked.tracker.kind == TrackerKind::Process);
    let listed: [(&str, Vec<String>); 7] = [
        ("vips", addresses(&config.addresses)),
        ("evips", addresses(&config.excluded_addresses)),
        ("vroutes", config.routes.iter().map(ToString::to_string).collect()),
        ("vrules", config.rules.iter().map(ToString::to_string).collect()),
        ("track_ifp", names(config.track_links.iter().map(|tracked| &*tracked.link).collect())),
        ("track_script", scripts.collect()),
        ("track_process", names(processes.map(|tracked| &*tracked.tracker.name).collect())),
    ];
    for (name, list) in listed.into_iter().filter(|(_, list)| !list.is_empty()) {
        put(name, json!(list));
    }
    let (kind, secret) = match &config.authentication {
        Authentication::None | Authentication::Hmac(_) => (0, false),
        Authentication::SimplePassword(_) => (1, true),
        Authentication::Header(_) => (2, true),
    };
    put("auth_type", json!(kind));
    if secret {
        put("auth_data", json!("********"));
    }
    // What readers of keepalived's file have asked for and it has not.
    if let Transport::Unicast { peers, .. } = &config.transport {
        put("unicast_peers", json!(peers.iter().map(IpAddr::to_string).collect::<Vec<_>>()));
    }
    if let Some((address, _)) = router.active_router {
        put("master_address", json!(address.to_string()));
    }
    Value::Object(data)
}

fn statistics(router: &RouterView) -> Value {
    let counters = &router.statistics;
    let discarded = |reason: Discard| counters.discarded[reason.index()];
    let odd = |oddity: Oddity| counters.odd[oddity.index()];
    json!({
        "advert_rcvd": counters.advertisements_received,
        "advert_sent": counters.advertisements_sent,
        "become_master": counters.became_active,
        "release_master": counters.released_active,
        "packet_len_err": discarded(Discard::Length),
        "advert_interval_err": discarded(Discard::AdvertisementInterval) + odd(Oddity::AdvertisementInterval),
        "ip_ttl_err": discarded(Discard::Ttl) + discarded(Discard::PeerTtl),
        "invalid_type_rcvd": discarded(Discard::Type),
        "addr_list_err": odd(Oddity::AddressCount { received: 0, expected: 0 })
            + odd(Oddity::AddressMissing(std::net::Ipv4Addr::UNSPECIFIED.into())),
        "invalid_authtype": discarded(Discard::AuthenticationTypeInvalid),
        "authtype_mismatch": discarded(Discard::AuthenticationTypeMismatch)
            + discarded(Discard::UnexpectedAuthenticationHeader),
        "auth_failure": discarded(Discard::AuthenticationFailure) + discarded(Discard::AuthenticationHeaderReplayed),
        "auth_ext_missing": discarded(Discard::TrailerMissing),
        "auth_ext_malformed": discarded(Discard::TrailerMalformed),
        "auth_ext_unknown_key": discarded(Discard::TrailerKeyUnknown),
        "auth_ext_invalid_hmac": discarded(Discard::TrailerInvalid),
        "auth_ext_stale": discarded(Discard::TrailerStale),
        "auth_ext_replay": discarded(Discard::TrailerReplayed),
        "pri_zero_rcvd": counters.priority_zero_received,
        "pri_zero_sent": counters.priority_zero_sent,
    })
}

/// INIT, BACKUP, MASTER and FAULT as keepalived numbers them.
fn number_of(word: &str) -> u8 {
    match word {
        "MASTER" => 2,
        "BACKUP" => 1,
        "FAULT" => 3,
        _ => 0,
    }
}

/// A weight of 0 is a fault.
const fn signed(weight: Weight) -> i16 {
    match weight {
        Weight::Fault | Weight::ReversedFault => 0,
        Weight::Priority(weight) | Weight::Reversed(weight) => weight,
    }
}

fn microseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e6
}

/// Without a point where it is whole.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9e15;
    if value.fract() == 0.0 && value.abs() < EXACT { json!(value as i64) } else { json!(value) }
}
