//! Advertisements that are signed (`auth_hmac`), by the real daemons: keys in files, a step at a time, and what is
//! repeated.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use linux::signals::Signal;

use crate::support::packet_peer::send_packet;
use crate::support::{
    ADDRESS, Host, Moment, Node, PATIENCE, QUICK, Scene, configuration, dumping_to, slow_test, tanist,
};

const KEY: &str = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_FILE: &str = "/run/vrrp.key";
/// What stands behind an advertisement.
const TRAILER: usize = 28;

fn signed(rest: &str) -> String {
    format!("{QUICK}\n    auth_hmac {{\n        key 1 file:{KEY_FILE}\n        {rest}\n    }}")
}

fn write_key(host: &Host, content: &'static str, mode: u32) {
    let written = host.run(move || -> std::io::Result<()> {
        std::fs::write(KEY_FILE, content)?;
        std::fs::set_permissions(KEY_FILE, std::fs::Permissions::from_mode(mode))
    });
    written.expect("the host is on").expect("its files can be written");
}

// Shows: vrrp_instance.auth_hmac
#[test]
fn what_is_signed_is_believed_once() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b", "stranger"]);
        for host in &scene.hosts[..2] {
            write_key(host, KEY, 0o600);
        }
        let begin = Moment::now();
        let _a = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, &signed("")));
        scene.only("a", ADDRESS);
        let daemon = dumping_to("/run", tanist());
        let b = Node::start(&scene.hosts[1], daemon, &configuration("", 100, &signed("")));
        let standby = scene.line("b", begin, "Entering BACKUP STATE").at;
        let record = scene.advertised("a", standby, |_| true);
        let (_, _, heard) = scene.advertisements(record.at).remove(0);
        // IP header, VRRP header, one address, and the trailer with type and number of the key.
        assert_eq!(heard.packet.len(), 20 + 8 + 4 + TRAILER);
        assert_eq!(heard.packet[32..36], [1, 1, 0, 0]);

        // Whoever has listened says it again, also when the one who said it is gone.
        let off = scene.lab.note("a", "power off");
        scene.hosts[0].power_off().expect("power off");
        // He does not tire before B has taken over: were he believed, it never would.
        scene.until("B takes over", || {
            send_packet(&scene.hosts[2], heard.packet.clone(), heard.destination);
            std::thread::sleep(Duration::from_millis(100));
            scene.count_lines("b", off, "Entering MASTER STATE") > 0
        });
        scene.only("b", ADDRESS);
        assert!(scene.count_lines("b", off, "somebody repeats it") > 0, "{}", scene.story());
        b.signal(Signal::USER_2);
        scene.until("the statistics are written", || {
            scene.hosts[1].read_file(Path::new("/run/keepalived.stats")).is_ok_and(|text| {
                let replays = text.lines().find_map(|line| line.trim().strip_prefix("Replay: "));
                replays.and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 0)
            })
        });
    });
}

/// From a pair that knows nothing of it to one that insists, and to another key, without a change of state.
#[test]
fn signing_comes_step_by_step() {
    slow_test(|| {
        let scene = Scene::new(&["a", "b"]);
        for host in &scene.hosts {
            write_key(host, KEY, 0o400);
        }
        let begin = Moment::now();
        let of = |host: usize, lines: &str| configuration("", [150, 100][host], lines);
        let nodes = [
            Node::start(&scene.hosts[0], tanist(), &of(0, QUICK)),
            Node::start(&scene.hosts[1], tanist(), &of(1, QUICK)),
        ];
        scene.only("a", ADDRESS);
        let settled = scene.line("b", begin, "Entering BACKUP STATE").at;
        scene.advertised("a", settled, |seen| seen.packet.len() == 32);
        let settled = Moment::now();
        let another = format!("key 2 \"{}\"", "another key of 32 octets or more");
        let steps = [
            "mode receive-only".to_owned(),
            "mode permissive".to_owned(),
            "mode enforce".to_owned(),
            format!("{another}\n        active_key 1"),
            format!("{another}\n        active_key 2"),
        ];
        for step in &steps {
            // The standby first, as anybody would.
            for host in [1, 0] {
                let changed = Moment::now();
                nodes[host].reload(&of(host, &signed(step)));
                scene.line(["a", "b"][host], changed, "Reloaded");
                for _ in 0..5 {
                    scene.advertised("a", Moment::now(), |_| true);
                }
            }
        }
        scene.advertised("a", Moment::now(), |seen| seen.packet.len() == 32 + TRAILER && seen.packet[32..34] == [1, 2]);
        // A machine that does not let A run for longer than its silence moves the role, signed or not.
        if scene.count_lines("a", settled, "was asleep") == 0 {
            assert!(scene.advertisements(settled).iter().all(|(_, host, _)| host == "a"), "{}", scene.story());
            assert_eq!(scene.count_lines("b", settled, "MASTER"), 0, "{}", scene.story());
        }
    });
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        write_key(&scene.hosts[0], KEY, 0o644);
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, &signed("")));
        scene.line("a", begin, &format!("chmod 600 {KEY_FILE}"));
        assert!(node.program.wait(PATIENCE), "it does not end");
        write_key(&scene.hosts[0], KEY, 0o600);
        let begin = Moment::now();
        let node = Node::start(&scene.hosts[0], tanist(), &configuration("", 150, &signed("")));
        scene.only("a", ADDRESS);
        // At a reload nothing changes because of it.
        write_key(&scene.hosts[0], KEY, 0o640);
        let changed = Moment::now();
        node.reload(&configuration("", 160, &signed("")));
        scene.line("a", changed, &format!("chmod 600 {KEY_FILE}"));
        scene.advertised("a", Moment::now(), |seen| seen.priority == 150);
        assert!(!scene.story().contains("000102030405"), "the key is seen");
        scene.nobody_resigned(begin);
    });
}
