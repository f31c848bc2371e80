//! Keys and passwords: in nothing that the daemon writes or says, and not in its memory once nobody needs them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use linux::signals::Signal;

use crate::support::story::run;
use crate::support::{Host, Moment, Node, QUICK, Scene, binary, configuration, patiently, slow_test, tanist, word};

/// Octets that stand nowhere by chance.
const FIRST: [u8; 32] = *b"\x9b\x01\xf3qZ\xd8\x17\x82first key of this test\xe1\x5c";
const SECOND: [u8; 32] = *b"\x9b\x01\xf3qZ\xd8\x17\x82other key of this test\xe1\x5c";
const FIRST_OF_PAIR: [u8; 32] = *b"\x9b\x02\xf3qZ\xd8\x17\x82first key of the pair!\xe1\x03";
const SECOND_OF_PAIR: [u8; 32] = *b"\x9b\x02\xf3qZ\xd8\x17\x82other key of the pair!\xe1\x03";
const PASSWORD: &str = "wOmb4t-7";

fn hexadecimal(key: [u8; 32]) -> String {
    key.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// How often something stands in the memory of a process.
fn in_memory(pid: u32, wanted: &[u8]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("it runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("root may look");
    let mut count = 0;
    for line in
        maps.lines().filter(|line| line.split_whitespace().nth(1).is_some_and(|rights| rights.starts_with("rw")))
    {
        let (from, to) = line.split_whitespace().next().and_then(|range| range.split_once('-')).expect("a range");
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).expect("an address"));
        let mut octets = vec![0; (to - from) as usize];
        // What has gone meanwhile holds nothing.
        let length = memory.read_at(&mut octets, from).unwrap_or(0);
        count += octets[..length].windows(wanted.len()).filter(|found| *found == wanted).count();
    }
    count
}

#[test]
fn keys_of_a_former_configuration_are_in_memory_no_more() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        for (name, key) in [("first", FIRST), ("second", SECOND)] {
            run(host, &format!("umask 077 && echo hex:{} > /run/{name}.key", hexadecimal(key)));
        }
        for (name, key) in [("first", FIRST_OF_PAIR), ("second", SECOND_OF_PAIR)] {
            run(host, &format!("umask 077 && echo {} > /run/{name}.pair", hexadecimal(key)));
        }
        let with = |name: &str| {
            let pair = format!("pair {{\n    node a\n    peer 192.0.2.2\n    key_file /run/{name}.pair\n}}");
            let lines = format!("{QUICK}\n    auth_hmac {{\n        key 1 file:/run/{name}.key\n    }}");
            configuration(&pair, 150, &lines)
        };
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &with("first"));
        scene.line("a", begin, "Entering MASTER STATE");
        let pid = node.program.pid();
        assert!(in_memory(pid, &FIRST) > 0 && in_memory(pid, &FIRST_OF_PAIR) > 0, "the search finds what is there");
        let again = Moment::now();
        node.reload(&with("second"));
        scene.line("a", again, "Reloaded");
        assert!(patiently(|| in_memory(pid, &FIRST) == 0), "{} copies are left", in_memory(pid, &FIRST));
        let of_pair = || in_memory(pid, &FIRST_OF_PAIR);
        assert!(patiently(|| of_pair() == 0), "{} copies of the pair's key are left", of_pair());
        assert!(in_memory(pid, &SECOND) > 0 && in_memory(pid, &SECOND_OF_PAIR) > 0);
        // The file's own text was wiped as well, of both.
        for key in [FIRST, SECOND, FIRST_OF_PAIR, SECOND_OF_PAIR] {
            assert_eq!(in_memory(pid, hexadecimal(key).as_bytes()), 0);
        }
    });
}

/// What stands in the text of a configuration itself.
struct Written {
    /// Eight octets each.
    password: &'static str,
    password_of_header: &'static str,
    digits: [u8; 32],
    text: &'static str,
    included: &'static str,
}

const THESE: Written = Written {
    password: "wOmb4t-7",
    password_of_header: "qU0kka-3",
    digits: *b"\x9b\x03\xf3qZ\xd8\x17\x82first key in the text.\xe1\x5c",
    text: "Vex-91 first of the keys that are text",
    included: "Jug-17 first of the keys in other files",
};
const OTHERS: Written = Written {
    password: "nUmb4t-8",
    password_of_header: "bEttong4",
    digits: *b"\x9b\x03\xf3qZ\xd8\x17\x82other key in the text.\xe1\x5c",
    text: "Vex-91 other of the keys that are text",
    included: "Jug-17 other of the keys in other files",
};

/// The settings, and the engine's configuration of a router as it is and as it was given.
const WHERE_USED: usize = 3;

impl Written {
    /// Four instances; the text goes through a definition, a repetition and another file, and is kept.
    fn configuration(&self, host: &Host) -> String {
        run(host, &format!("umask 077 && echo 'key 1 \"{}\"' > /run/rehearse/included.conf", self.included));
        let clear =
            format!("    advert_int 1\n    authentication {{\n auth_type PASS\n auth_pass {}\n }}", self.password);
        let header = "    advert_int 1\n    authentication {\n auth_type AH\n auth_pass $PASSWORD\n }";
        let digits = format!(
            "{QUICK}\n    auth_hmac {{\n key 1 hex:{}\n ~LST(k, 2) key $k \"{}\"\n active_key 1\n }}",
            hexadecimal(self.digits),
            self.text
        );
        let included = format!("{QUICK}\n    auth_hmac {{\n include included.conf\n }}");
        let global =
            format!("global_defs {{\n    config_save_dir /run/kept\n}}\n$PASSWORD={}", self.password_of_header);
        let instance = |number: u8, before: &str, lines: &str| {
            let text = configuration(before, 150, lines).replace("VI_1", &format!("VI_{number}"));
            text.replace("router_id 51", &format!("router_id 5{number}")).replace("2.100", &format!("2.10{number}"))
        };
        instance(1, &global, &clear)
            + &instance(2, "", header)
            + &instance(3, "", &digits)
            + &instance(4, "", &included)
    }

    /// How often each stands in memory, and then what was written of the octets in digits.
    fn found(&self, pid: u32) -> [usize; 6] {
        let digits = hexadecimal(self.digits);
        let wanted = [
            self.password.as_bytes(),
            self.password_of_header.as_bytes(),
            &self.digits,
            self.text.as_bytes(),
            self.included.as_bytes(),
            digits.as_bytes(),
        ];
        wanted.map(|wanted| in_memory(pid, wanted))
    }
}

/// What the daemon needs of them it has, and no text that they came in.
#[test]
fn secrets_in_the_text_are_in_memory_only_where_they_are_used() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let begin = Moment::now();
        let text = THESE.configuration(host);
        let node = Node::start(host, tanist(), &text);
        for number in 1..5 {
            scene.line("a", begin, &format!("(VI_{number}) Entering MASTER STATE"));
        }
        let pid = node.program.pid();
        let [in_clear, used @ .., digits] = THESE.found(pid);
        assert!(in_clear > 0 && used.iter().all(|count| (1..=WHERE_USED).contains(count)), "{in_clear} {used:?}");
        assert_eq!(digits, 0);
        // A configuration that is refused leaves nothing of itself either.
        let again = Moment::now();
        node.reload(&(OTHERS.configuration(host) + "vrrp_instance VI_5 {\n    virtual_router_id 999\n}\n"));
        scene.line("a", again, "nothing was changed");
        assert!(patiently(|| OTHERS.found(pid) == [0; 6]), "{:?}", OTHERS.found(pid));
        let again = Moment::now();
        node.reload(&OTHERS.configuration(host));
        scene.line("a", again, "Reloaded");
        // The first password stands in each advertisement in clear, and so in memory that they were put together in: it may
        // take any time until that is used again.
        assert!(patiently(|| THESE.found(pid)[1..] == [0; 5]), "{:?}", THESE.found(pid));
        assert!(OTHERS.found(pid)[..5].iter().all(|count| *count > 0), "the search finds what is there");
        scene.nobody_resigned(begin);
    });
}

#[test]
fn nothing_that_is_written_or_said_has_a_password_or_a_key() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        run(host, "mkdir /run/dumps");
        let mut daemon = tanist();
        daemon.command.splice(0..0, ["env".to_owned(), "TMPDIR=/run/dumps".to_owned()]);
        let password = format!(
            "    advert_int 1\n    authentication {{\n        auth_type PASS\n        auth_pass {PASSWORD}\n    }}"
        );
        let key = hexadecimal(FIRST);
        let signed = configuration("", 150, &format!("{QUICK}\n    auth_hmac {{\n        key 1 hex:{key}\n    }}"));
        let signed =
            signed.replace("VI_1", "VI_2").replace("router_id 51", "router_id 52").replace("0.2.100", "0.2.101");
        let global = "global_defs {\n    config_save_dir /run/kept\n}";
        let text = configuration(global, 150, &password) + &signed;
        let begin = Moment::now();
        let node = Node::start(host, daemon, &text);
        scene.line("a", begin, "(VI_1) Entering MASTER STATE");
        scene.line("a", begin, "(VI_2) Entering MASTER STATE");
        for signal in [Signal::USER_1, Signal::USER_2, Signal::json()] {
            linux::process::signal(node.program.pid(), signal).expect("signal the daemon");
        }
        let names = ["keepalived.data", "keepalived.stats", "keepalived_parent.data", "keepalived.json"];
        let read = |name: &str| host.read_file(&Path::new("/run/dumps").join(name)).unwrap_or_default();
        scene.until("all are written", || names.iter().all(|name| !read(name).is_empty()));
        let mut said: Vec<String> = names.map(read).into();
        let program = word(binary());
        for words in ["status", "status --json", "events", "explain -f {}", "check -f {}"] {
            let words = words.replace("{}", &format!("/run/rehearse/{}", node.file()));
            let answer = run(host, &format!("{program} {words} 2>&1; true"));
            assert!(!answer.is_empty(), "{words}");
            said.push(answer);
        }
        // A mistake on the very line.
        let again = Moment::now();
        node.reload(&text.replace(PASSWORD, &format!("{PASSWORD}-too-long and more")));
        scene.wait(again, "the end of the reload", |record| {
            ["Reloaded", "nothing was changed"].iter().any(|text| crate::support::says(record, text))
        });
        said.push(scene.story());
        for text in &said {
            assert!(!text.contains(PASSWORD) && !text.contains(&key[..16]), "{text}");
        }
        // What is kept is the configuration itself, and for its owner only.
        let kept = run(host, "stat -c '%U %a' /run/kept /run/kept/*; cat /run/kept/*");
        assert!(kept.starts_with("root 700\nroot 600\n") && kept.contains(PASSWORD), "{kept}");
    });
}
