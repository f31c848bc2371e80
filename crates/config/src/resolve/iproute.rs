//! Names for numbers, as `ip route` reads them: of tables, protocols, scopes, realms and the like.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::Findings;
use crate::files::Files;
use crate::suggest::nearest;
use crate::syntax::Word;

/// Where the operator's files are, unless told otherwise.
const ETC: &str = "/etc/iproute2";
/// Where the system's are, on one machine or another.
const USR: [&str; 2] = ["/usr/share/iproute2", "/usr/lib/iproute2"];

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    Protocol,
    Scope,
    Realm,
    Dsfield,
    LinkGroup,
    IpProtocol,
}

struct About {
    what: &'static str,
    /// In iproute2's directories; files of its `.d` add to it.
    file: &'static str,
    /// What is known without any file.
    built_in: &'static [(&'static str, u32)],
    most: u32,
}

impl Kind {
    const COUNT: usize = 7;

    const fn about(self) -> About {
        match self {
            Self::Table => About {
                what: "routing table",
                file: "rt_tables",
                built_in: &[("unspec", 0), ("default", 253), ("main", 254), ("local", 255)],
                most: u32::MAX,
            },
            Self::Protocol => About {
                what: "routing protocol",
                file: "rt_protos",
                built_in: &[
                    ("unspec", 0),
                    ("redirect", 1),
                    ("kernel", 2),
                    ("boot", 3),
                    ("static", 4),
                    ("gated", 8),
                    ("ra", 9),
                    ("mrt", 10),
                    ("zebra", 11),
                    ("bird", 12),
                    ("dnrouted", 13),
                    ("xorp", 14),
                    ("ntk", 15),
                    ("dhcp", 16),
                    ("mrouted", 17),
                    ("keepalived", 18),
                    ("babel", 42),
                    ("openr", 99),
                    ("bgp", 186),
                    ("isis", 187),
                    ("ospf", 188),
                    ("rip", 189),
                    ("eigrp", 192),
                ],
                most: 255,
            },
            Self::Scope => About {
                what: "scope",
                file: "rt_scopes",
                built_in: &[("global", 0), ("site", 200), ("link", 253), ("host", 254), ("nowhere", 255)],
                most: 255,
            },
            Self::Realm => About { what: "realm", file: "rt_realms", built_in: &[("cosmos", 0)], most: 65_535 },
            Self::Dsfield => About {
                what: "type of service",
                file: "rt_dsfield",
                built_in: &[
                    ("default", 0x00),
                    ("AF11", 0x28),
                    ("AF12", 0x30),
                    ("AF13", 0x38),
                    ("AF21", 0x48),
                    ("AF22", 0x50),
                    ("AF23", 0x58),
                    ("AF31", 0x68),
                    ("AF32", 0x70),
                    ("AF33", 0x78),
                    ("AF41", 0x88),
                    ("AF42", 0x90),
                    ("AF43", 0x98),
                    ("CS1", 0x20),
                    ("CS2", 0x40),
                    ("CS3", 0x60),
                    ("CS4", 0x80),
                    ("CS5", 0xa0),
                    ("CS6", 0xc0),
                    ("CS7", 0xe0),
                    ("EF", 0xb8),
                ],
                most: 255,
            },
            Self::LinkGroup => {
                About { what: "group of interfaces", file: "group", built_in: &[("default", 0)], most: u32::MAX - 1 }
            }
            Self::IpProtocol => About {
                what: "IP protocol",
                file: "protocols",
                built_in: &[
                    ("icmp", 1),
                    ("igmp", 2),
                    ("tcp", 6),
                    ("udp", 17),
                    ("dccp", 33),
                    ("gre", 47),
                    ("esp", 50),
                    ("ah", 51),
                    ("ipv6-icmp", 58),
                    ("ospf", 89),
                    ("vrrp", 112),
                    ("sctp", 132),
                    ("udplite", 136),
                ],
                most: 255,
            },
        }
    }
}

/// Looks names up. A file is read when the first name of its kind is.
pub(super) struct Names<'f> {
    files: &'f dyn Files,
    etc: PathBuf,
    usr: Vec<PathBuf>,
    known: [OnceCell<BTreeMap<String, u32>>; Kind::COUNT],
}

impl<'f> Names<'f> {
    pub(super) fn new(files: &'f dyn Files, etc: Option<&Path>, usr: Option<&Path>) -> Self {
        Self {
            files,
            etc: etc.unwrap_or(Path::new(ETC)).to_owned(),
            usr: usr.map_or_else(|| USR.map(PathBuf::from).to_vec(), |usr| vec![usr.to_owned()]),
            known: Default::default(),
        }
    }

    /// A name, or a number (also in hexadecimal).
    pub(super) fn find(&self, kind: Kind, word: &Word, findings: &mut Findings) -> Option<u32> {
        let About { what, file, most, .. } = kind.about();
        if let Some(number) = number(&word.text) {
            let fits = u32::try_from(number).ok().filter(|number| *number <= most);
            if fits.is_none() {
                findings.error("out-of-range", word.span, format!("a {what} is a number from 0 to {most}"));
            }
            return fits;
        }
        let known = self.known[kind as usize].get_or_init(|| self.read(kind));
        let folded = word.text.to_lowercase();
        let found = known.get(&word.text).or_else(|| known.get(&folded).filter(|_| kind == Kind::IpProtocol));
        if found.is_none() {
            let help = match nearest(&word.text, known.keys().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if kind == Kind::IpProtocol => "write its number, or a name from /etc/protocols".to_owned(),
                None => format!("write its number, or give it a name in {}", self.etc.join(file).display()),
            };
            findings.error("unknown-name", word.span, format!("`{}` is no {what}", word.text)).help(help);
        }
        found.copied()
    }

    /// What is built in, then the system's files, then the operator's: who comes last is right. What a file of a `.d` adds
    /// changes no name that is there already.
    fn read(&self, kind: Kind) -> BTreeMap<String, u32> {
        let About { file, built_in, most, .. } = kind.about();
        let mut known: BTreeMap<String, u32> =
            built_in.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        if kind == Kind::IpProtocol {
            known.extend(
                self.entries(Path::new("/etc/protocols"), most)
                    .into_iter()
                    .flat_map(|(number, names)| names.into_iter().map(move |name| (name.to_lowercase(), number))),
            );
            return known;
        }
        for directory in self.usr.iter().chain([&self.etc]) {
            let more = directory.join(format!("{file}.d"));
            let mut more: Vec<PathBuf> = self
                .files
                .list(&more)
                .unwrap_or_default()
                .into_iter()
                .filter(|name| name.ends_with(".conf") && !name.starts_with('.'))
                .map(|name| more.join(name))
                .collect();
            more.sort();
            let entries = |path: &Path| {
                let entries = self.entries(path, most).into_iter();
                entries.filter_map(|(number, names)| names.into_iter().next().map(|name| (name, number)))
            };
            // Of a name that a file has twice the first counts.
            let mut own = BTreeMap::new();
            for (name, number) in entries(&directory.join(file)) {
                own.entry(name).or_insert(number);
            }
            known.extend(own);
            for (name, number) in more.iter().flat_map(|path| entries(path)) {
                known.entry(name).or_insert(number);
            }
        }
        known
    }

    /// Lines of a number and a name; of `/etc/protocols`, a name, a number and other names. A file that is not there
    /// has none. A number above `most` is passed over, as by `ip`.
    fn entries(&self, path: &Path, most: u32) -> Vec<(u32, Vec<String>)> {
        let content = self.files.read(path).unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let entry = |line: &str| {
            let line = line.split('#').next().unwrap_or("");
            let mut words: Vec<&str> = line.split_whitespace().collect();
            let place = words.iter().take(2).position(|word| number(word).is_some())?;
            let number = number(words.remove(place)).and_then(|number| u32::try_from(number).ok())?;
            let fits = number <= most;
            (fits && !words.is_empty()).then(|| (number, words.into_iter().map(str::to_owned).collect()))
        };
        content.lines().filter_map(entry).collect()
    }
}

/// A number as C writes it: decimal, or hexadecimal after `0x`.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => u64::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;
    use crate::source::{FileId, Span};

    fn word(text: &str) -> Word {
        let span = Span { file: FileId(0), start: 0, end: 0 };
        Word { text: text.to_owned(), span, at: 0, end: 0, quoted: false }
    }

    /// A package of routing daemons adds `196 static`, and the 4 of everybody else is still meant.
    #[test]
    fn what_a_package_adds_changes_no_name_that_is_there() {
        let files =
            MemoryFiles::single("/etc/iproute2/rt_protos", "4 static\n50 ours\n201 zebra\n60 twice\n61 twice\n")
                .with("/etc/iproute2/rt_protos.d/frr.conf", "196 static\n197 ours\n198 ripng\n199 gated\n62 twice\n")
                .with("/etc/iproute2/rt_protos.d/other.conf", "200 ripng\n");
        let names = Names::new(&files, None, None);
        let find = |text: &str| names.find(Kind::Protocol, &word(text), &mut Findings::default());
        assert_eq!(find("static"), Some(4));
        assert_eq!(find("ours"), Some(50));
        assert_eq!(find("ripng"), Some(198));
        assert_eq!(find("gated"), Some(8));
        assert_eq!(find("zebra"), Some(201));
        assert_eq!(find("twice"), Some(60));
    }

    #[test]
    fn numbers_as_c_writes_them() {
        for (text, expected) in [
            ("12", Some(12)),
            ("0x1F", Some(31)),
            ("0X1f", Some(31)),
            ("", None),
            ("0x", None),
            ("+5", None),
            ("0x+5", None),
            ("1f", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn the_operators_names_come_before_the_systems() {
        let files = MemoryFiles::single("/usr/share/iproute2/rt_tables", "# reserved\n254 main\n100 uplink\n7 old\n")
            .with("/etc/iproute2/rt_tables", "0x65\tuplink # ours\n\n")
            .with("/etc/iproute2/rt_tables.d/b.conf", "102 downlink\n")
            .with("/etc/iproute2/rt_tables.d/b.txt", "103 nobody\n")
            .with("/etc/iproute2/rt_protos", "300 great\n255 greatest\n300 greatest\n")
            .with("/etc/protocols", "ip 0 IP\nudp\t17\tUDP # user datagram\nfoo 200 FOO bar\n");
        let names = Names::new(&files, None, None);
        let mut findings = Findings::default();
        let mut find = |kind, text: &str| names.find(kind, &word(text), &mut findings);
        assert_eq!(find(Kind::Table, "uplink"), Some(101));
        assert_eq!(find(Kind::Table, "downlink"), Some(102));
        assert_eq!(find(Kind::Table, "old"), Some(7));
        assert_eq!(find(Kind::Table, "local"), Some(255));
        assert_eq!(find(Kind::Table, "0x10"), Some(16));
        assert_eq!(find(Kind::Table, "4294967295"), Some(u32::MAX));
        assert_eq!(find(Kind::Protocol, "bird"), Some(12));
        assert_eq!(find(Kind::Protocol, "greatest"), Some(255));
        assert_eq!(find(Kind::IpProtocol, "UDP"), Some(17));
        assert_eq!(find(Kind::IpProtocol, "bar"), Some(200));
        assert_eq!(find(Kind::IpProtocol, "tcp"), Some(6));
        assert!(!findings.has_errors());
        for (kind, text) in [
            (Kind::Table, "nobody"),
            (Kind::Table, "4294967296"),
            (Kind::Protocol, "256"),
            (Kind::Protocol, "great"),
            (Kind::Scope, "Global"),
        ] {
            let mut findings = Findings::default();
            assert_eq!(names.find(kind, &word(text), &mut findings), None, "{text}");
            assert!(findings.has_errors(), "{text}");
        }
        let names = Names::new(&files, Some(Path::new("/nowhere")), Some(Path::new("/usr/share/iproute2")));
        assert_eq!(names.find(Kind::Table, &word("uplink"), &mut Findings::default()), Some(100));
    }
}
