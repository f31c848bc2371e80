//! `tanist explain` and `tanist export`: what they print, and what keepalived thinks of it.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::story::{example, put, run, settle};
use crate::support::{HostPlan, Scene, binary, slow_test_with_keepalived, word};

fn examples(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples")).join(name)
}

fn tanist(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("run ourselves")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn an_explanation_has_the_figures_of_the_file() {
    // Scripts only: an interval of 5 s, three failures.
    let output = tanist(&["explain", word(&examples("edge-gateway/a.conf"))]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("A failure is noticed after 10–15 s, plus the time that the script takes"), "{told}");

    let output = tanist(&["explain", "-i", "edge-b", word(&examples("service/shadow/tanist.conf"))]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("The other Tanist is at 192.168.56.101."), "{told}");
    assert!(told.contains("It crashes: noticed within 10 ms."), "{told}");
}

#[test]
fn what_cannot_be_used_is_not_explained_and_not_exported() {
    let missing = examples("nothing.conf");
    for arguments in [&["explain", word(&missing)][..], &["export", "--for-keepalived", word(&missing)]] {
        let output = tanist(arguments);
        assert_eq!(output.status.code(), Some(6), "{output:?}");
        assert!(text(&[output.stdout, output.stderr].concat()).contains("nothing.conf"));
    }
}

#[test]
fn what_is_left_out_is_told_beside_the_file() {
    let file = examples("service/edge-gateway/a.conf");
    let output = tanist(&["export", "--for-keepalived", word(&file)]);
    let (written, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(written.contains("    # tanist export left out: service neuronex\n}"), "{written}");
    assert!(told.contains("left out: pair, service neuronex"), "{told}");
    assert!(told.contains("VI_1 has no addresses"), "{told}");
}

#[test]
fn keepalived_takes_what_is_exported() {
    slow_test_with_keepalived(|| {
        let mut scene = Scene::empty();
        let host = scene.add(
            &HostPlan::new("a")
                .interface("eth0", &["192.0.2.11/24"])
                .interface("eth1", &["172.16.23.203/24"])
                .interface("eth2", &["10.0.0.11/24"])
                .interface("enp0s8", &["192.168.56.101/24"]),
        );
        settle(&host);
        for name in ["nginx/a", "scheduler/a", "board/a", "shadow/tanist"] {
            // There is no user called scheduler here.
            let configuration = example(&format!("service/{name}.conf")).replace("script_user scheduler", "");
            put(&host, "/etc/keepalived/tanist.conf", &configuration, false);
            let refused =
                host.output(&["keepalived", "-t", "-f", "/etc/keepalived/tanist.conf"]).expect("run keepalived");
            assert!(!refused.status.success(), "{name}: as it is, keepalived does not know it");
            run(
                &host,
                "/run/rehearse/tanist export --for-keepalived -i edge-a /etc/keepalived/tanist.conf > /etc/keepalived/keepalived.conf",
            );
            let output = host
                .output(&["keepalived", "-t", "-i", "edge-a", "-f", "/etc/keepalived/keepalived.conf"])
                .expect("run keepalived");
            assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        }
    });
}
