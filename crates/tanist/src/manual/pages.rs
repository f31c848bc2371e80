//! The pages of keywords.

use std::fmt::Write as _;
use std::fs;

use config::keywords::{Block, Form, Keyword, List, Status};

/// A page, and what stands on it.
pub(super) struct Page {
    pub(super) file: &'static str,
    title: &'static str,
    /// What it is about, in a sentence.
    about: &'static str,
    blocks: &'static [Block],
}

pub(super) const PAGES: &[Page] = &[
    Page {
        file: "top-level.md",
        title: "The top level",
        about: "What stands outside of any block.",
        blocks: &[Block::Root, Block::TrackGroup, Block::GarpGroup],
    },
    Page {
        file: "global_defs.md",
        title: "`global_defs`",
        about: "Options of the whole daemon, and the defaults of its instances.",
        blocks: &[Block::GlobalDefs],
    },
    Page {
        file: "vrrp_instance.md",
        title: "`vrrp_instance`",
        about: "A virtual router: what moves, when it moves, and who is told.",
        blocks: &[Block::VrrpInstance, Block::Authentication, Block::AuthHmac, Block::PeerOptions],
    },
    Page {
        file: "vrrp_sync_group.md",
        title: "`vrrp_sync_group`",
        about: "Instances that change state together.",
        blocks: &[Block::SyncGroup],
    },
    Page {
        file: "tracking.md",
        title: "Tracking",
        about: "What can be watched, and what it does to an instance.",
        blocks: &[Block::VrrpScript, Block::TrackProcess, Block::TrackFile, Block::TrackOptions],
    },
    Page {
        file: "addresses-routes-rules.md",
        title: "Addresses, routes and rules",
        about: "What may stand behind an address, a route or a rule of a list.",
        blocks: &[Block::AddressOptions, Block::RouteOptions, Block::RuleOptions],
    },
    Page {
        file: "service.md",
        title: "`service`",
        about: "What runs where an instance is Active, and on no other node. [Services](../services.md) tells how it goes together.",
        blocks: &[
            Block::Service,
            Block::WhileActive,
            Block::Check,
            Block::CheckOptions,
            Block::HttpOptions,
            Block::FileOptions,
            Block::ScriptOptions,
        ],
    },
    Page {
        file: "pair.md",
        title: "`pair`",
        about: "The other Tanist and the way to it. [Services](../services.md) tells what it is good for.",
        blocks: &[Block::Pair],
    },
    Page {
        file: "virtual_server.md",
        title: "`virtual_server`",
        about: "Services that the kernel spreads over several servers (IPVS), and how these are checked.",
        blocks: &[
            Block::VirtualServerGroup,
            Block::VirtualServer,
            Block::RealServer,
            Block::TcpCheck,
            Block::HttpGet,
            Block::Url,
            Block::MiscCheck,
            Block::SmtpCheck,
            Block::DnsCheck,
            Block::UdpCheck,
            Block::PingCheck,
            Block::FileCheck,
            Block::BfdCheck,
            Block::Ssl,
        ],
    },
    Page {
        file: "bfd_instance.md",
        title: "`bfd_instance`",
        about: "Sessions of Bidirectional Forwarding Detection (RFC 5880).",
        blocks: &[Block::BfdInstance],
    },
];

/// The page that a block stands on.
fn page_of(block: Block) -> &'static Page {
    PAGES.iter().find(|page| page.blocks.contains(&block)).expect("a test makes sure of it")
}

/// Whether a block has a heading of its own, or the page's title is enough.
fn has_heading(page: &Page, block: Block) -> bool {
    block != Block::Root && title(block) != page.title
}

/// Where a block is described.
fn link(block: Block) -> String {
    let page = page_of(block);
    let place = if has_heading(page, block) { format!("#{}", anchor(block)) } else { String::new() };
    format!("[{}]({}{place})", title(block), page.file)
}

/// Where a keyword is described.
pub(super) fn link_to_keyword(block: Block, keyword: &Keyword) -> String {
    format!("[`{}`]({}#{})", keyword.name, page_of(block).file, anchor_of(block, keyword))
}

fn anchor(block: Block) -> String {
    format!("in-{}", block.slug())
}

fn anchor_of(block: Block, keyword: &Keyword) -> String {
    format!("{}-{}", block.slug(), keyword.name)
}

/// Whether a file has a place that a link can lead to: a mark of ours, or a heading as GitHub and its like name it.
pub(super) fn has_place(text: &str, place: &str) -> bool {
    let heading = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.contains(&format!("<a id=\"{place}\">"))
        || text.lines().any(|line| line.starts_with('#') && heading(line) == place)
}

/// How a block is called on a page.
pub(super) fn title(block: Block) -> String {
    match block {
        Block::AddressOptions | Block::PeerOptions | Block::TrackOptions | Block::RouteOptions | Block::RuleOptions => {
            format!("options of {}", block.title())
        }
        Block::Check => "kinds of `check`".to_owned(),
        Block::CheckOptions => "options of a `check`".to_owned(),
        Block::HttpOptions | Block::FileOptions => format!("further options of `{}`", block.title()),
        Block::Root => block.title().to_owned(),
        named => format!("`{}`", named.title()),
    }
}

/// What stands in a block, without what it shares with the more general one.
pub(super) fn keywords(block: Block) -> impl Iterator<Item = &'static Keyword> {
    let shared = matches!(block, Block::HttpOptions | Block::FileOptions);
    block.keywords().filter(move |keyword| !(shared && Block::CheckOptions.find(keyword.name).is_some()))
}

/// The list of pages.
pub(super) fn index() -> String {
    let line = |page: &Page| {
        let (all, works) =
            page.blocks.iter().flat_map(|block| keywords(*block)).fold((0, 0), |(all, works), keyword| {
                (all + 1, works + usize::from(keyword.status != Status::NotBuilt))
            });
        let built = match works {
            0 => "not built yet".to_owned(),
            works if works == all => format!("{all} keywords"),
            works => format!("{all} keywords, {} of them not built yet", all - works),
        };
        format!("| [{}]({}) | {} | {built} |\n", page.title, page.file, page.about)
    };
    format!("| Page | | |\n|---|---|---|\n{}", PAGES.iter().map(line).collect::<String>())
}

pub(super) fn page(page: &Page) -> String {
    let mut text = format!(
        "<!-- Written from crates/config/src/keywords by `cargo xtask manual`; what is changed here is lost. -->\n# {}\n\n{}\n",
        page.title, page.about
    );
    for block in page.blocks {
        if has_heading(page, *block) {
            let mut title = title(*block);
            if let Some(first) = title.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            write_to(&mut text, format_args!("\n<a id=\"{}\"></a>\n\n## {title}\n", anchor(*block)));
        }
        let as_table = is_option(*block) || keywords(*block).all(|keyword| keyword.status == Status::NotBuilt);
        text.push_str(&if as_table {
            table(*block)
        } else {
            keywords(*block).map(|keyword| entry(*block, keyword)).collect()
        });
    }
    text
}

/// Whether it stands behind something else on a line.
const fn is_option(block: Block) -> bool {
    matches!(
        block,
        Block::AddressOptions | Block::PeerOptions | Block::TrackOptions | Block::RouteOptions | Block::RuleOptions
    )
}

/// A keyword with all that there is to say about it.
fn entry(block: Block, keyword: &Keyword) -> String {
    let Keyword { name, words, example, .. } = keyword;
    let mut text = format!(
        "\n<a id=\"{}\"></a>\n\n### `{name}`\n\n```\n{example}\n```\n\n{words}\n\n{}\n",
        anchor_of(block, keyword),
        facts(keyword)
    );
    match keyword.status {
        Status::Works => {}
        Status::NotBuilt => text.push_str("\n*Not built yet.* Using it is an error.\n"),
        Status::IgnoredBecause(reason) => write_to(&mut text, format_args!("\n*Without effect:* {reason}.\n")),
    }
    if !keyword.difference.is_empty() {
        write_to(&mut text, format_args!("\n*Otherwise than in keepalived:* {}\n", with_links(keyword.difference)));
    }
    text
}

/// What follows it, what holds without it, and since when it has been there.
fn facts(keyword: &Keyword) -> String {
    let mut facts = format!("Takes {}.", takes(keyword));
    if !keyword.default.is_empty() {
        // Often it is what another keyword says.
        let other = Block::ALL.iter().any(|block| block.find(keyword.default).is_some());
        let mark = if other { "`" } else { "" };
        write_to(&mut facts, format_args!(" Default: {mark}{}{mark}.", keyword.default));
    }
    if keyword.repeats {
        facts.push_str(" May be given several times; each adds to those before.");
    }
    if !keyword.since.is_empty() {
        write_to(&mut facts, format_args!(" Since keepalived {}.", keyword.since));
    }
    if let [first, ..] = keyword.synonyms {
        write_to(&mut facts, format_args!(" Older name: `{first}`."));
    }
    if keyword.ours {
        facts.push_str(" Known to Tanist only.");
    }
    facts
}

fn takes(keyword: &Keyword) -> String {
    let mut takes = match keyword.form {
        Form::Flag => "no value".to_owned(),
        Form::Block(block) => format!("a block, see {}", link(block)),
        Form::NamedBlock { name, block } => format!("{name} and a block, see {}", link(block)),
        Form::OneOf(block) => format!("one of the {}", link(block)),
        Form::List(List::Words) => "a block of words".to_owned(),
        Form::List(List::Addresses) => format!("a block of addresses, see {}", link(Block::AddressOptions)),
        Form::List(List::Peers) => format!("a block of addresses, see {}", link(Block::PeerOptions)),
        Form::List(List::Tracked) => format!("a block of names, see {}", link(Block::TrackOptions)),
        Form::List(List::Routes) => format!("a block of routes, see {}", link(Block::RouteOptions)),
        Form::List(List::Rules) => format!("a block of rules, see {}", link(Block::RuleOptions)),
        other => other.to_string(),
    };
    if let Some(block) = keyword.options {
        write_to(&mut takes, format_args!(", and perhaps a block of {}", link(block)));
    }
    takes
}

/// Keywords of which there is little to say, a line for each.
fn table(block: Block) -> String {
    let mut text = if keywords(block).all(|keyword| keyword.status == Status::NotBuilt) {
        "\n*Not built yet.* Using any of these is an error.\n".to_owned()
    } else {
        String::new()
    };
    let all_the_same = !text.is_empty();
    text.push_str("\n| Keyword | Meaning | Takes | Example |\n|---|---|---|---|\n");
    for keyword in keywords(block) {
        let mut words = keyword.words.to_owned();
        match keyword.status {
            Status::NotBuilt if !all_the_same => words.push_str(" *Not built yet.*"),
            Status::IgnoredBecause(reason) => write_to(&mut words, format_args!(" *Without effect:* {reason}.")),
            Status::Works | Status::NotBuilt => {}
        }
        if !keyword.difference.is_empty() {
            write_to(&mut words, format_args!(" *Otherwise than in keepalived:* {}", with_links(keyword.difference)));
        }
        let facts = facts(keyword);
        let facts = facts.strip_prefix("Takes ").unwrap_or(&facts);
        let example = keyword.example.split_whitespace().collect::<Vec<_>>().join(" ");
        let place = anchor_of(block, keyword);
        let cells =
            [format!("<a id=\"{place}\"></a>`{}`", keyword.name), words, facts.to_owned(), format!("`{example}`")];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        write_to(&mut text, format_args!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// `decision 3` and `decisions 1, 6 and 18` with links to their pages.
pub(super) fn with_links(text: &str) -> String {
    let mut linked = String::new();
    let mut numbers = false;
    for (place, word) in text.split(' ').enumerate() {
        if place > 0 {
            linked.push(' ');
        }
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = word.split_at(digits);
        if numbers && digits > 0 {
            write_to(&mut linked, format_args!("[{number}](../decisions/{}){rest}", decision(number)));
        } else {
            linked.push_str(word);
        }
        let goes_on = numbers && (word == "and" || (digits > 0 && matches!(rest, "" | ",")));
        numbers = goes_on || word.ends_with("decision") || word.ends_with("decisions");
    }
    linked
}

/// The file of a decision.
fn decision(number: &str) -> String {
    let prefix = format!("{number:0>4}-");
    let entries = fs::read_dir(super::project().join("docs/decisions")).expect("it is there");
    let names = entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned());
    names.into_iter().find(|name| name.starts_with(&prefix)).unwrap_or_else(|| panic!("there is no decision {number}"))
}

pub(super) fn write_to(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.write_fmt(words).expect("writing to a string cannot fail");
}

#[test]
fn each_block_stands_on_one_page() {
    for block in Block::ALL {
        let pages = PAGES.iter().filter(|page| page.blocks.contains(block)).count();
        assert_eq!(pages, 1, "{}", block.title());
    }
}

#[test]
fn decisions_are_linked() {
    let two = with_links("So it is (decisions 1 and 3), 5 times.");
    assert!(two.starts_with("So it is (decisions [1](../decisions/0001-"), "{two}");
    assert!(two.contains(" and [3](../decisions/0003-faults-are-named.md)), 5 times."), "{two}");
}
