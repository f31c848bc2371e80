//! Sync groups: what their own blocks and scripts do.

use crate::support::{ADDRESS, HostPlan, Moment, Node, QUICK, Scene, configuration, slow_test_with_users, tanist};

/// Two instances in a group with these lines.
fn grouped(lines: &str) -> String {
    let before = format!(
        "global_defs {{\n    script_user root\n    enable_script_security\n}}\n\
         vrrp_script check {{\n    script /run/rehearse/check\n    interval 1\n    weight -20\n}}\n\
         vrrp_sync_group G {{\n    group {{\n        VI_1\n        VI_2\n    }}\n{lines}\n}}\n\
         vrrp_instance VI_2 {{\n    interface eth0\n    virtual_router_id 52\n    priority 150\n{QUICK}\n    \
         virtual_ipaddress {{\n        192.0.2.101/24\n    }}\n}}\n"
    );
    configuration(&before, 150, QUICK)
}

fn scene() -> Scene {
    let mut scene = Scene::empty();
    let host = scene.add(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]).interface("eth1", &[]));
    host.write_check("check").expect("a check");
    scene
}

// Shows: vrrp_sync_group.notify_master, vrrp_sync_group.notify_backup, vrrp_sync_group.notify_fault
// Shows: vrrp_sync_group.notify_stop, vrrp_sync_group.track_interface
#[test]
fn an_interface_of_a_group_concerns_all_of_it_and_scripts_are_called_once() {
    slow_test_with_users(|| {
        let scene = scene();
        let host = &scene.hosts[0];
        let mut lines = String::from("    track_interface {\n        eth1\n    }\n");
        for role in ["master", "backup", "fault", "stop"] {
            let recorder = host.write_recorder(role).expect("a recorder");
            lines += &format!("    notify_{role} {}\n", recorder.display());
        }
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &grouped(&lines));
        scene.ran("a", begin, &["backup"]);
        scene.ran("a", begin, &["master"]);
        scene.only("a", ADDRESS);
        let down = scene.lab.note("a", "eth1 goes down");
        host.set_interface("eth1", false).expect("down");
        scene.ran("a", down, &["fault"]);
        scene.until("nobody has the address", || scene.holders(ADDRESS).is_empty());
        let up = scene.lab.note("a", "eth1 comes up");
        host.set_interface("eth1", true).expect("up");
        scene.ran("a", up, &["backup"]);
        scene.ran("a", up, &["master"]);
        let stop = scene.lab.note("a", "stop");
        node.stop();
        scene.ran("a", stop, &["stop"]);
        let words = ["backup", "master", "fault", "backup", "master", "stop"];
        assert_eq!(scene.runs("a", begin).concat(), words, "{}", scene.story());
    });
}

// Shows: vrrp_sync_group.track_script, vrrp_sync_group.sync_group_tracking_weight
#[test]
fn a_check_of_a_group_weighs_on_all_of_it() {
    slow_test_with_users(|| {
        let scene = scene();
        let host = &scene.hosts[0];
        let lines = "    sync_group_tracking_weight\n    track_script {\n        check\n    }\n";
        let begin = Moment::now();
        let _node = Node::start(host, tanist(), &grouped(lines));
        scene.only("a", ADDRESS);
        for vrid in [51, 52] {
            scene.advertised("a", begin, |seen| (seen.vrid, seen.priority) == (vrid, 150));
        }
        host.set_check("check", false).expect("fail");
        for vrid in [51, 52] {
            scene.advertised("a", begin, |seen| (seen.vrid, seen.priority) == (vrid, 130));
        }
    });
}
