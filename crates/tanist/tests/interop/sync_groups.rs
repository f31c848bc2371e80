//! Sync groups: both instances on one node, whatever happens to one of them.

use std::net::Ipv4Addr;

use super::{Cast, PRIORITIES, started};
use crate::support::{ADDRESS, QUICK, Scene, configuration, slow_test_with_scripts_of_keepalived};

/// The address of the second instance.
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 101);

/// Two instances in a group; the second one needs a check.
fn grouped(host: usize, notify: &str) -> String {
    let priority = PRIORITIES[host];
    let before = format!(
        "global_defs {{\n    script_user root\n    enable_script_security\n}}\n\
         vrrp_script check {{\n    script /run/rehearse/check\n    interval 1\n}}\n\
         vrrp_sync_group G {{\n    group {{\n        VI_1\n        VI_2\n    }}\n    {notify}\n}}\n\
         vrrp_instance VI_2 {{\n    interface eth0\n    virtual_router_id 52\n    priority {priority}\n{QUICK}\n    \
         track_script {{\n        check\n    }}\n    virtual_ipaddress {{\n        {SECOND}/24\n    }}\n}}\n"
    );
    configuration(&before, priority, QUICK)
}

fn both_move(cast: Cast) {
    let scene = Scene::new(&["a", "b"]);
    for host in &scene.hosts {
        host.write_check("check").expect("a check");
        host.write_recorder("notify").expect("a recorder");
    }
    let begin = scene.lab.note("a", "begin");
    let notify = "notify /run/rehearse/notify";
    let [a, b] = started(&scene, cast, [&grouped(0, notify), &grouped(1, notify)]);
    scene.only("a", SECOND);
    scene.ran("a", begin, &["notify", "GROUP", "G", "MASTER", "0"]);
    scene.ran("b", begin, &["notify", "GROUP", "G", "BACKUP", "0"]);

    let failed = scene.lab.note("a", "the check of the second one fails");
    scene.hosts[0].set_check("check", false).expect("fail");
    for address in [ADDRESS, SECOND] {
        scene.only("b", address);
    }
    scene.ran("a", failed, &["notify", "GROUP", "G", "FAULT", "0"]);
    scene.line("a", failed, "VRRP_Group(G) Syncing instances to FAULT state");
    scene.line("b", failed, "VRRP_Group(G) Syncing instances to MASTER state");

    let repaired = scene.lab.note("a", "the check is good");
    scene.hosts[0].set_check("check", true).expect("repair");
    for address in [ADDRESS, SECOND] {
        scene.only("a", address);
    }
    scene.ran("b", repaired, &["notify", "GROUP", "G", "BACKUP", "0"]);

    let stopped = scene.lab.note("a", "stop");
    a.stop();
    for address in [ADDRESS, SECOND] {
        scene.only("b", address);
    }
    scene.ran("a", stopped, &["notify", "GROUP", "G", "STOP", "0"]);
    b.stop();
}

// Shows: top-level.vrrp_sync_group, vrrp_sync_group.group, vrrp_sync_group.notify
#[test]
fn a_group_of_ours_and_one_of_keepalived() {
    slow_test_with_scripts_of_keepalived(|| both_move(Cast::OursAndKeepalived));
}

#[test]
fn a_group_of_keepalived_and_one_of_ours() {
    slow_test_with_scripts_of_keepalived(|| both_move(Cast::KeepalivedAndOurs));
}
