//! Reads as much of Markdown as our pages use, and writes it as roff.

use roff::{Inline, Roff, bold, roman};

/// Writes a page, or what of it is wanted. Its title is left to the man page.
pub(super) fn page(roff: &mut Roff, text: &str) {
    let mut paragraph = String::new();
    let mut lines = text.lines().peekable();
    let mut in_table = false;
    while let Some(line) = lines.next() {
        let starts_anew = line.is_empty() || line.starts_with(['#', '|', '*']) || line == "```";
        if starts_anew && !paragraph.is_empty() {
            say(roff, &std::mem::take(&mut paragraph));
        }
        if !line.starts_with('|') {
            in_table = false;
        }
        if let Some(heading) = line.strip_prefix("## ") {
            section(roff, heading);
        } else if line == "```" {
            let lines: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            code(roff, &lines.join("\n"));
        } else if let Some(row) = line.strip_prefix("| ") {
            // The first row says what the columns are.
            if in_table {
                let (first, second) = row.trim_end_matches('|').split_once(" | ").expect("our tables have two columns");
                tagged(roff, inline(first), second);
            }
        } else if line.starts_with("|---") {
            in_table = true;
        } else if let Some(item) = line.strip_prefix("* ") {
            roff.control("IP", ["\\(bu", "2"]);
            paragraph.push_str(item);
        } else if line.is_empty() {
            if lines.peek().is_some_and(|next| !next.is_empty() && !next.starts_with(['#', '|', '*', '`'])) {
                roff.control("PP", []);
            }
        } else if !line.starts_with("# ") {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim_start());
        }
    }
    if !paragraph.is_empty() {
        say(roff, &paragraph);
    }
}

pub(super) fn section(roff: &mut Roff, heading: &str) {
    roff.control("SH", [plain(&heading.replace('`', "").to_uppercase()).as_str()]);
}

pub(super) fn subsection(roff: &mut Roff, heading: &str) {
    roff.control("SS", [plain(heading).as_str()]);
}

/// A term and what there is to say about it.
pub(super) fn tagged(roff: &mut Roff, term: Vec<Inline>, text: &str) {
    roff.control("TP", []);
    roff.text(term);
    say(roff, text);
}

/// Lines that stay as they are, apart from the text.
fn code(roff: &mut Roff, text: &str) {
    roff.control("PP", []).control("RS", ["4"]);
    lines(roff, text);
    roff.control("RE", []).control("PP", []);
}

/// Lines that stay as they are.
pub(super) fn lines(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(plain(line))]);
    }
    roff.control("fi", []);
}

/// A paragraph, a line for each sentence.
pub(super) fn say(roff: &mut Roff, text: &str) {
    for sentence in sentences(text) {
        roff.text(inline(sentence));
    }
}

/// Cut where a sentence ends that another one follows; never inside of quoted code.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(". ") {
        let sentence = &text[start..=at];
        let next = text[at + 2..].chars().next();
        if sentence.matches('`').count().is_multiple_of(2)
            && next.is_some_and(|next| next.is_uppercase() || "`*~".contains(next))
        {
            found.push(sentence);
            start = at + 2;
        }
    }
    found.push(&text[start..]);
    found.retain(|sentence| !sentence.trim().is_empty());
    found
}

/// Code and what is stressed in bold, links as their text.
pub(super) fn inline(text: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    let mut plain_text = String::new();
    while let Some(first) = rest.chars().next() {
        let marked = match first {
            '`' => rest[1..].split_once('`'),
            '*' if rest.starts_with("**") => rest[2..].split_once("**"),
            '*' => rest[1..].split_once('*'),
            '[' => rest[1..].split_once("](").and_then(|(words, link)| Some((words, link.split_once(')')?.1))),
            _ => None,
        };
        match marked {
            Some((words, after)) if first == '[' => {
                plain_text.push_str(&words.replace('`', ""));
                rest = after;
            }
            Some((words, after)) => {
                if !plain_text.is_empty() {
                    parts.push(roman(plain(&std::mem::take(&mut plain_text))));
                }
                parts.push(bold(plain(words)));
                rest = after;
            }
            None => {
                plain_text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    if !plain_text.is_empty() {
        parts.push(roman(plain(&plain_text)));
    }
    parts
}

/// In ASCII, which every reader of man pages shows.
fn plain(text: &str) -> String {
    text.replace('…', "...").replace(['–', '−'], "-").replace('×', "x").replace('±', "+-").replace("\\|", "|")
}

#[test]
fn pages_become_roff() {
    let mut roff = Roff::new();
    page(
        &mut roff,
        "# Title\n\n## Files\n\nOne `a.b` here.\nTwo [links](x.md#y) **there**.\n\n* an item\n  goes on\n* another\n\n\
         | Word | What |\n|---|---|\n| `x` | a thing |\n\n```\n.code\n```\n",
    );
    assert_eq!(
        roff.to_roff(),
        ".SH FILES\n.PP\nOne \\fBa.b\\fR here.\nTwo links \\fBthere\\fR.\n.IP \\(bu 2\nan item goes on\n.IP \\(bu 2\nanother\n\
         .TP\n\\fBx\\fR\na thing\n.PP\n.RS 4\n.nf\n\\&.code\n.fi\n.RE\n.PP\n"
    );
}

#[test]
fn sentences_end_where_the_next_one_begins() {
    assert_eq!(sentences("One, e.g. this. Two is `a. B`. Three"), ["One, e.g. this.", "Two is `a. B`.", "Three"]);
}
