//! Interfaces are asked for their links.

use std::io::Write as _;

use crate::common::{Pair, pair};
use rustix::io::Errno;
use tanist_linux::link_beat::{Beat, LinkBeat, Method};
use tanist_linux::netlink::Netlink;

/// A virtual cable has no transceiver, and a driver that knows whether the other end is there.
#[test]
fn an_interface_is_asked_in_the_best_way_that_it_has() {
    let Some(Pair { left, right, left_link, right_link, .. }) = pair() else { return };
    let ask = move || {
        let beat = LinkBeat::open().unwrap();
        let name = &left_link.name;
        assert_eq!(beat.ask_so(name, Method::Mii), Err(Errno::OPNOTSUPP));
        let asked = [None, Some(Method::Mii), Some(Method::Ethtool), Some(Method::Flags)];
        asked.map(|preferred| beat.ask(name, preferred).unwrap())
    };
    let all = |up| {
        let beat = |method| Some(Beat { up, method });
        [Method::Ethtool, Method::Ethtool, Method::Ethtool, Method::Flags].map(beat)
    };
    assert_eq!(left.run(ask.clone()).unwrap(), all(true));
    right.run(move || Netlink::open().unwrap().set_up(right_link.index, false).unwrap()).unwrap();
    // The flags follow a moment later.
    left.run(move || crate::common::wait_until(|| ask() == all(false))).unwrap();
    left.run(|| {
        let beat = LinkBeat::open().unwrap();
        assert_eq!(beat.ask("nowhere", None).unwrap(), None);
        assert_eq!(beat.ask("a-name-that-is-too-long", None).unwrap(), None);
    })
    .unwrap();
}

/// A bond answers as a transceiver does. The kernel may have none; `cargo xtask kernel-tests` has one.
#[test]
fn a_transceiver_is_asked_by_its_register() {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    left.run(move || {
        let ip = |words: &str| {
            let status = std::process::Command::new("ip").args(words.split(' ')).status();
            status.is_ok_and(|status| status.success())
        };
        if !ip("link add bond9 type bond miimon 50") {
            let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: this kernel has no bonds");
            return;
        }
        let ask = || LinkBeat::open().unwrap().ask("bond9", None).unwrap();
        assert!(ip("link set bond9 up"));
        assert_eq!(ask(), Some(Beat { up: false, method: Method::Mii }));
        let name = left_link.name;
        assert!(ip(&format!("link set {name} down")) && ip(&format!("link set {name} master bond9")));
        crate::common::wait_until(|| ask() == Some(Beat { up: true, method: Method::Mii }));
    })
    .unwrap();
}
