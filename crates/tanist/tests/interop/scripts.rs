//! Checks that fail: a fault without a weight, a lower priority with one.

use super::{Cast, of_host, started};
use crate::support::{ADDRESS, QUICK, Scene, slow_test_with_scripts_of_keepalived};

fn checked(cast: Cast, weight: i16) {
    let scene = Scene::new(&["a", "b"]);
    let script = format!(
        "global_defs {{\n    script_user root\n    enable_script_security\n}}\n\
         vrrp_script check {{\n    script /run/rehearse/check\n    interval 1\n    weight {weight}\n}}\n"
    );
    scene.hosts[0].write_check("check").expect("a check");
    let tracking = format!("{QUICK}\n    track_script {{\n        check\n    }}");
    let _nodes = started(&scene, cast, [&of_host(0, &script, &tracking), &of_host(1, "", QUICK)]);

    let failed = scene.lab.note("a", "the check fails");
    scene.hosts[0].set_check("check", false).expect("fail");
    scene.only("b", ADDRESS);
    if weight == 0 {
        scene.resigned("a", failed);
        scene.line("a", failed, "Entering FAULT STATE");
    } else {
        scene.line("a", failed, "Changing effective priority from 150 to 90");
        scene.line("a", failed, "Entering BACKUP STATE");
        scene.nobody_resigned(failed);
    }
    let repaired = scene.lab.note("a", "the check is good");
    scene.hosts[0].set_check("check", true).expect("repair");
    scene.line("a", repaired, "Entering MASTER STATE");
    scene.only("a", ADDRESS);
}

#[test]
fn a_fault_of_ours_hands_over_to_keepalived() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::OursAndKeepalived, 0));
}

#[test]
fn a_fault_of_keepalived_hands_over_to_ours() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::KeepalivedAndOurs, 0));
}

// Shows: top-level.global_defs, top-level.vrrp_script, top-level.vrrp_instance
#[test]
fn a_weight_of_ours_lets_keepalived_win() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::OursAndKeepalived, -60));
}

#[test]
fn a_weight_of_keepalived_lets_ours_win() {
    slow_test_with_scripts_of_keepalived(|| checked(Cast::KeepalivedAndOurs, -60));
}
