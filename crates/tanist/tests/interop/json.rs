//! The JSON of ours beside keepalived's own, field by field.

use std::collections::BTreeMap;
use std::path::Path;

use linux::signals::Signal;
use serde_json::Value;

use crate::support::story::run;
use crate::support::{Daemon, Moment, Node, Scene, configuration, slow_test_with_keepalived, tanist};

/// Fields by what they are of, with the kind of their values.
fn fields(instance: &Value) -> BTreeMap<String, &'static str> {
    let kind = |value: &Value| match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a switch",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    ["data", "stats"]
        .into_iter()
        .flat_map(|part| {
            let fields = instance[part].as_object().unwrap_or_else(|| panic!("no {part} in {instance}"));
            fields.iter().map(move |(name, value)| (format!("{part}.{name}"), kind(value)))
        })
        .collect()
}

/// What the daemon says of itself once it is active.
fn said(mut daemon: Daemon, text: &str) -> Value {
    let scene = Scene::new(&["a"]);
    let host = &scene.hosts[0];
    let place = if daemon.name == "tanist" {
        run(host, "mkdir /run/dumps");
        daemon.command.splice(0..0, ["env".to_owned(), "TMPDIR=/run/dumps".to_owned()]);
        "/run/dumps/keepalived.json"
    } else {
        // keepalived 2.2 writes to /tmp and nowhere else: this host gets one of its own.
        run(host, "mount -t tmpfs none /tmp");
        "/tmp/keepalived.json"
    };
    let begin = Moment::now();
    let node = Node::start(host, daemon, text);
    scene.line("a", begin, "Entering MASTER STATE");
    scene.until("the addresses are set", || run(host, "ip -o address show").contains("192.0.2.101"));
    // As exporters do it: the signal to the parent, then the file.
    let number = if node.is_tanist() { Signal::json() } else { Signal(36) };
    let read = || host.read_file(Path::new(place)).unwrap_or_default();
    let mut found = Value::Null;
    scene.until("it is written", || {
        linux::process::signal(node.program.pid(), number).expect("signal the daemon");
        crate::support::let_pass(std::time::Duration::from_millis(200));
        found = serde_json::from_str(&read()).unwrap_or_default();
        found.is_array()
    });
    assert_eq!(run(host, &format!("stat -c '%a' {place}")).trim(), "600");
    found[0].clone()
}

#[test]
fn json_says_what_keepalived_says() {
    slow_test_with_keepalived(|| {
        let before = "global_defs {\n    script_user root\n    enable_script_security\n}\nvrrp_script check {\n    script /bin/true\n    interval 1\n}";
        let lines = "    advert_int 1\n    nopreempt\n    garp_master_refresh 7\n    authentication {\n        auth_type PASS\n        auth_pass s3cret\n    }\n    track_interface {\n        lo\n    }\n    track_script {\n        check\n    }\n    notify_master \"/bin/true one two\"\n    notify_stop /bin/true\n    virtual_ipaddress_excluded {\n        192.0.2.101/24\n        192.0.2.102/24 dev lo label lo:x\n    }\n    virtual_routes {\n        203.0.113.0/24 dev eth0\n    }\n    virtual_rules {\n        from 192.0.2.0/24 table 100 preference 9\n    }";
        let text = configuration(before, 150, lines);
        let (theirs, ours) = (said(Daemon::keepalived(), &text), said(tanist(), &text));
        let (their_fields, our_fields) = (fields(&theirs), fields(&ours));
        for (name, kind) in &their_fields {
            assert_eq!(our_fields.get(name), Some(kind), "{name}: {theirs}\n{ours}");
        }
        // What the two say where nothing but the node decides.
        let same = [
            "iname",
            "dont_track_primary",
            "skip_check_adv_addr",
            "strict_mode",
            "vmac_ifname",
            "ifp_ifname",
            "master_priority",
            "garp_delay",
            "garp_refresh",
            "garp_rep",
            "garp_refresh_rep",
            "garp_lower_prio_delay",
            "garp_lower_prio_rep",
            "lower_prio_no_advert",
            "vrid",
            "base_priority",
            "effective_priority",
            "vipset",
            "promote_secondaries",
            "adver_int",
            "master_adver_int",
            "accept",
            "nopreempt",
            "preempt_delay",
            "state",
            "wantstate",
            "version",
            "smtp_alert",
            "notify_deleted",
            "vips",
            "evips",
            "track_ifp",
            "auth_type",
        ];
        for name in same {
            assert_eq!(ours["data"][name], theirs["data"][name], "{name}: {theirs}\n{ours}");
        }
        for name in ["become_master", "release_master", "packet_len_err", "auth_failure", "pri_zero_rcvd"] {
            assert_eq!(ours["stats"][name], theirs["stats"][name], "{name}: {theirs}\n{ours}");
        }
        assert_eq!(ours["data"]["auth_data"], "********", "a password is nobody's business");
        // What later versions have, too.
        for name in [
            "auth_ext_missing",
            "auth_ext_malformed",
            "auth_ext_unknown_key",
            "auth_ext_invalid_hmac",
            "auth_ext_stale",
            "auth_ext_replay",
        ] {
            assert!(ours["stats"][name].is_u64(), "{name}: {ours}");
        }
    });
}
