//! The lists of the page about keepalived that are written from the tables.

use config::keywords::{Block, Keyword, Status};

use super::pages::{keywords, link_to_keyword, title, with_links, write_to};

/// The keywords of a kind, block by block.
fn by_block(wanted: impl Fn(&Keyword) -> bool, tell: impl Fn(Block, &[&'static Keyword]) -> String) -> String {
    let mut text = String::new();
    for block in Block::ALL {
        let chosen: Vec<&'static Keyword> = keywords(*block).filter(|keyword| wanted(keyword)).collect();
        if !chosen.is_empty() {
            text.push_str(&tell(*block, &chosen));
        }
    }
    text
}

fn place(block: Block) -> String {
    let word = if block == Block::Root { "at" } else { "in" };
    format!("{word} {}", title(block))
}

/// What is done otherwise, keyword by keyword.
pub(super) fn differences() -> String {
    by_block(
        |keyword| !keyword.difference.is_empty(),
        |block, chosen| {
            let mut text = format!("* {}\n", place(block));
            for keyword in chosen {
                let (link, difference) = (link_to_keyword(block, keyword), with_links(keyword.difference));
                write_to(&mut text, format_args!("  * {link}: {difference}\n"));
            }
            text
        },
    )
}

/// What has no effect, and why.
pub(super) fn ignored() -> String {
    by_block(
        |keyword| matches!(keyword.status, Status::IgnoredBecause(_)),
        |block, chosen| {
            let line = |keyword: &&'static Keyword| match keyword.status {
                Status::IgnoredBecause(reason) => format!("* {}: {reason}.\n", link_to_keyword(block, keyword)),
                Status::Works | Status::NotBuilt => String::new(),
            };
            chosen.iter().map(line).collect()
        },
    )
}

/// What is an error because it is not built.
pub(super) fn not_built() -> String {
    by_block(
        |keyword| keyword.status == Status::NotBuilt,
        |block, chosen| {
            if chosen.len() == keywords(block).count() {
                return format!("* all of {}\n", title(block));
            }
            let names: Vec<String> = chosen.iter().map(|keyword| link_to_keyword(block, keyword)).collect();
            format!("* {}: {}\n", place(block), names.join(", "))
        },
    )
}
