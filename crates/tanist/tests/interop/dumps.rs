//! What both say of the same rich configuration in their dumps and in their JSON: every line and every field of
//! keepalived's is in ours. What they say while packets come and go is in `packets.rs`.

use serde_json::json;

use crate::said::DumpPlace;
use crate::support::story::run;
use crate::support::{
    Daemon, HostPlan, Moment, Node, Scene, Seen, slow_test, slow_test_with_scripts_of_keepalived, tanist,
};

/// Everything of which something stands in a dump.
const RICH: &str = "
global_defs {
    router_id edge
    script_user root
    enable_script_security
    vrrp_version 3
    vrrp_garp_master_delay 1
    notification_email {
        ops@example.com
        second@example.org
    }
    notification_email_from ka@example.net
    smtp_server 127.0.0.1 2525
    smtp_connect_timeout 9
    smtp_helo_name edge.example.net
    vrrp_notify_fifo /run/rehearse/told.fifo
}
vrrp_track_process proc {
    process nosuchprogram 1000
    param_match initial
    quorum 1
    delay 2
    weight 5
}
vrrp_track_process other {
    process nosuchthing
    quorum 1
    quorum_max 3
    fork_delay 1
    terminate_delay 2
    full_command
    weight -7
}
track_file number {
    file /run/number
    weight 2
    init_file 3 overwrite
}
vrrp_script good {
    script \"/usr/bin/true one two\"
    interval 1
    weight 10
    rise 2
    fall 3
    timeout 4
}
vrrp_script other {
    script /usr/bin/true
    interval 2
    timeout 2
}
vrrp_script bad {
    script /usr/bin/false
    interval 2
    timeout 2
    init_fail
    weight 3 reverse
}
static_ipaddress {
    10.9.9.9/24 dev eth1
}
static_routes {
    10.50.0.0/24 dev eth1
}
static_rules {
    from 10.50.0.0/24 table 100 preference 8
}
vrrp_sync_group G {
    group {
        first
        six
    }
    track_script {
        other
    }
    notify_master \"/usr/bin/true one\"
    notify_fault /usr/bin/true
    notify /usr/bin/true
    smtp_alert
}
vrrp_instance first {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 0.5
    nopreempt
    garp_master_refresh 7
    garp_master_refresh_repeat 2
    garp_lower_prio_delay 3
    garp_lower_prio_repeat 4
    track_interface {
        eth1
    }
    notify_master \"/usr/bin/true one two\"
    notify_backup /usr/bin/true
    notify_stop /usr/bin/true
    notify_fault /usr/bin/true
    notify /usr/bin/true
    notify_deleted
    notify_master_rx_lower_pri /usr/bin/true
    smtp_alert
    virtual_ipaddress {
        192.0.2.100/24
        192.0.2.101/24 label eth0:x
        192.0.2.102/24 brd 192.0.2.255
    }
    virtual_ipaddress_excluded {
        198.51.100.7/24 dev eth1
        192.0.2.103
        2001:db8::103
    }
    virtual_routes {
        203.0.113.0/24 dev eth0
    }
    virtual_rules {
        from 192.0.2.0/24 table 100 preference 9
    }
}
vrrp_instance six {
    interface eth0
    virtual_router_id 51
    priority 120
    advert_int 0.5
    virtual_ipaddress {
        fe80::100/64
        2001:db8::100/64
    }
}
vrrp_instance old {
    interface eth0
    version 2
    virtual_router_id 52
    priority 100
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    promote_secondaries
    track_process {
        proc
        other weight -9
    }
    track_file {
        number weight 1
    }
    virtual_ipaddress {
        192.0.2.110
    }
}
vrrp_instance alone {
    interface eth0
    virtual_router_id 53
    priority 100
    unicast_src_ip 192.0.2.1
    unicast_ttl 9
    unicast_peer {
        192.0.2.2
        192.0.2.3 min_ttl 250 max_ttl 254
    }
    lower_prio_no_advert
    notify_priority_changes
    track_script {
        good
        bad
    }
    virtual_ipaddress {
        192.0.2.120/24
    }
}
vrrp_instance virtual {
    interface eth0
    use_vmac
    virtual_router_id 54
    priority 100
    preempt_delay 5
    down_timer_adverts 4
    accept
    skip_check_adv_addr
    dont_track_primary
    virtual_ipaddress {
        192.0.2.130/24
    }
}
vrrp_instance faulty {
    interface eth1
    virtual_router_id 55
    priority 100
    mcast_src_ip 198.51.100.1
    track_interface {
        eth2
    }
    track_script {
        good
        bad weight -2
    }
    virtual_ipaddress {
        192.0.2.140/24
    }
}
";

/// Runs the daemon until everything is as it stays.
fn asked<T>(daemon: &Daemon, configuration: &str, ask: impl FnOnce(&DumpPlace, &Scene, &Node) -> T) -> T {
    let mut scene = Scene::empty();
    let plan = HostPlan::new("a")
        .interface("eth0", &["192.0.2.1/24", "2001:db8::1/64"])
        .interface("eth1", &["198.51.100.1/24"])
        .interface("eth2", &[]);
    let host = scene.add(&plan);
    host.set_cable("eth2", false).expect("pull");
    let place = DumpPlace::prepare(&host);
    let begin = Moment::now();
    let node = Node::start(&host, place.of(daemon), configuration);
    for instance in ["first", "six", "old", "alone", "virtual"] {
        scene.line("a", begin, &format!("({instance}) Entering MASTER STATE"));
    }
    scene.wait(begin, "the priority of the faulty one", |record| {
        matches!(&record.what, Seen::Line { text, .. } if text.contains("(faulty) Changing") && text.ends_with(" to 112"))
    });
    scene.until("the addresses are set", || run(&host, "ip -o address show").contains("192.0.2.130"));
    ask(&place, &scene, &node)
}

#[test]
fn the_rich_say_what_keepalived_says() {
    slow_test_with_scripts_of_keepalived(|| {
        let said = |daemon| asked(&daemon, RICH, DumpPlace::ask);
        said(tanist()).compare(&said(Daemon::keepalived()), "rich");
    });
}

/// What 2.2.7 has not.
// Shows: global_defs.json_version
#[test]
fn the_json_says_what_later_ones_say() {
    slow_test(|| {
        let with_version = RICH.replace("global_defs {", "global_defs {\n    json_version 2");
        let (json, mode) = asked(&tanist(), &with_version, |place, scene, node| {
            let (json, _) = place.ask_all(scene, node);
            (json, run(&node.host, "stat -c '%a' /run/dumps/keepalived.json"))
        });
        assert_eq!(mode.trim(), "600");
        let instances = json["vrrp"].as_array().expect("a list");
        let of = |name: &str| instances.iter().find(|one| one["data"]["iname"] == name).expect("it is there");
        for name in ["missing", "malformed", "unknown_key", "invalid_hmac", "stale", "replay"] {
            assert!(of("first")["stats"][format!("auth_ext_{name}")].is_u64(), "{name}: {json}");
        }
        assert_eq!(of("old")["data"]["auth_data"], "********", "a password is nobody's business");
        assert_eq!(of("old")["data"]["track_process"], json!(["proc", "other"]));
        assert_eq!(
            json["track_process"],
            json!([
                {
                    "process": "nosuchprogram", "parameters": "1000", "param_match": "initial", "min_processes": 1,
                    "current_processes": 0, "have_quorum": false, "weight": 5, "terminate_delay": 2, "fork_delay": 2,
                    "fork_delay_timer_running": false, "terminate_delay_timer_running": false, "full_command": true,
                },
                {
                    "process": "nosuchthing", "min_processes": 1, "max_processes": 3, "current_processes": 0,
                    "have_quorum": false, "weight": -7, "terminate_delay": 2, "fork_delay": 1,
                    "fork_delay_timer_running": false, "terminate_delay_timer_running": false, "full_command": true,
                },
            ])
        );
    });
}
