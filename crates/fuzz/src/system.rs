//! What the kernel and the system say in texts, and what services say of themselves.

use std::io::Write;
use std::path::Component;

use linux::foreign;

/// The same octets as each of the files under `/proc`, as lists of users and groups, and as what a service says.
pub(crate) fn texts(octets: &[u8]) {
    for (mount, own) in foreign::control_groups(octets, octets) {
        let inside = own.strip_prefix(&mount).expect("our group is where groups are shown");
        assert!(inside.components().all(|part| matches!(part, Component::Normal(_))), "{own:?} is not in {mount:?}");
    }
    let text = String::from_utf8_lossy(octets);
    for line in text.lines() {
        // Memory is given back by this.
        if let Some((start, length)) = foreign::unchanged_mapping(line) {
            assert!(start.checked_add(length).is_some());
            assert!(line.split_ascii_whitespace().nth(1).is_some_and(|access| !access.contains('w')), "{line}");
        }
    }
    if let Some(user) = foreign::real_user(&text) {
        assert!(text.lines().any(|line| line.starts_with("Uid:") && line.contains(&user.to_string())), "{text}");
    }
    look_at_parents(octets, &text);
    look_at_numbers(octets);
    for (user, group) in [("root", None), ("www", Some("www")), ("7", Some("7"))] {
        if let Some(identity) = foreign::identity(&text, &text, user, group) {
            assert!(identity.groups.contains(&identity.gid) && identity.groups.is_sorted(), "{identity:?}");
        }
    }
    let (ready, watchdog) = foreign::notice(octets);
    assert_eq!(ready, octets.split(|octet| *octet == b'\n').any(|line| line == b"READY=1"));
    assert!(!watchdog || text.contains("WATCHDOG=1"));
    assert!(!foreign::is_new_enough(&text, (5, 18)) || foreign::is_new_enough(&text, (5, 17)));
}

/// A keeper, which must not take memory, reads the parent as the daemon does.
fn look_at_parents(octets: &[u8], text: &str) {
    let Some((_, _, parent, _)) = foreign::process(text) else { return };
    let Some((_, behind)) = text.rsplit_once(')') else { return };
    let words: Vec<&str> = behind.split_ascii_whitespace().collect();
    // As the kernel writes it: a blank between two numbers.
    if behind.trim_ascii_end() == format!(" {}", words.join(" ")) {
        assert_eq!(foreign::parent(octets), i32::try_from(parent).ok(), "{text}");
    }
}

/// Lists of processes are read in pieces, without taking memory.
fn look_at_numbers(octets: &[u8]) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(octets).expect("there is room for more than the longest input");
    drop(writer);
    let lines = octets.split_inclusive(|octet| !octet.is_ascii_digit());
    let digits = lines.filter_map(|line| line.split_last().filter(|(last, _)| !last.is_ascii_digit()));
    let texts =
        digits.map(|(_, digits)| std::str::from_utf8(digits).expect("they are digits")).filter(|it| !it.is_empty());
    let numbers = texts.map(|text| text.parse().unwrap_or(i32::MAX)).filter(|number| *number > 0);
    assert_eq!(foreign::process_numbers(&reader.into()), numbers.collect::<Vec<i32>>());
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let both = "31 23 0:28 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw\n\
                41 31 0:38 /a /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n4:memory:/a\n0::/a/tanist.service\n";
    let maps = "5581a000-5582b000 r-xp 00001000 fe:00 123  /usr/bin/tanist\n\
                5582b000-5582c000 r--p 00000000 fe:00 123  /usr/bin/tanist\n\
                7fff0000-7fff1000 rw-p 00000000 00:00 0  [stack]\n";
    let status = "Name:\ttanist\nUmask:\t0022\nPPid:\t1\nUid:\t998\t0\t0\t0\nGid:\t997\t0\t0\t0\n";
    let stat = "812 (a (b) c) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1000 200 18446744073709551615";
    let users = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/var/www:/sbin/nologin\nadm:x:4:syslog,www\nwww:x:33:\n";
    [both, maps, status, stat, users, "1\n0\n812\n99999999999\n7", "READY=1\nSTATUS=a\nWATCHDOG=1", "6.1.0-40-amd64"]
        .map(|text| text.as_bytes().to_vec())
        .into()
}
