//! What editors, mails, templates and tired people do to a file. Both find nothing wrong with it before.

use crate::corpus::Configuration;

/// Between them they have a block of every kind that works, and entries of every kind of list.
const DAMAGED: [&str; 7] = [
    "textbook-master",
    "check-with-weight",
    "garp-of-the-daemon",
    "address-forms",
    "unicast-three-nodes",
    "interfaces-with-weights",
    "mail",
];
/// Of what does not depend on the keyword, the first of them are enough.
const FIRST: usize = 2;

/// What is done to a line; `None` where it does not apply.
type LineDamage = fn(&str) -> Option<String>;

const TO_ANY_LINE: [(&str, LineDamage); 7] = [
    ("misspelt", misspelt),
    ("without-values", without_values),
    ("with-junk", |line| statement(line).map(|_| format!("{line} junk"))),
    ("twice", |line| statement(line).map(|_| format!("{line}\n{line}"))),
    ("left-out", |line| statement(line).map(|_| String::new())),
    ("without-brace", |line| line.contains(['{', '}']).then(|| line.replace(['{', '}'], ""))),
    ("with-another-brace-open", |line| line.ends_with('{').then(|| format!("{line} {{"))),
];

const TO_THE_FIRST: [(&str, LineDamage); 5] = [
    ("in-capitals", in_capitals),
    ("value-in-comment", value_in_comment),
    ("after-unknown-word", |line| Some(format!("    frobnicate 7\n{line}"))),
    ("with-stray-quote", |line| statement(line).map(|_| format!("{line} \""))),
    ("with-another-brace-closed", |line| line.ends_with('}').then(|| format!("{line} }}"))),
];

pub(super) fn all(corpus: &[Configuration]) -> Vec<Configuration> {
    let mut all = Vec::new();
    for (place, name) in DAMAGED.iter().enumerate() {
        let whole = corpus.iter().find(|one| one.name == *name);
        let whole = whole.unwrap_or_else(|| panic!("there is no {name} in the corpus"));
        let lines: Vec<&str> = whole.text().lines().collect();
        let counts = |line: &str| !line.trim().is_empty() && !is_comment(line);
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| counts(line)) {
            let damages = TO_ANY_LINE.iter().chain(TO_THE_FIRST.iter().filter(|_| place < FIRST));
            for (what, damage) in damages {
                let Some(damaged) = damage(line) else { continue };
                let block = if line.ends_with('{') { "block-" } else { "" };
                all.push(whole.changed(&format!("{block}{what}@{}", number + 1), with(&lines, number, &damaged)));
            }
            if place < FIRST {
                all.extend(cut_or_moved(whole, &lines, number));
            }
        }
        all.extend(blocks_twice(whole, &lines));
        all.extend(as_a_whole(whole));
    }
    all
}

/// The file ends here, or the line stands somewhere else.
fn cut_or_moved(whole: &Configuration, lines: &[&str], number: usize) -> Vec<Configuration> {
    let line = lines[number];
    let before: String = lines[..number].iter().map(|line| format!("{line}\n")).collect();
    let half: String = line.chars().take(line.chars().count().div_ceil(2)).collect();
    let mut all = vec![
        whole.changed(&format!("cut-after@{}", number + 1), format!("{before}{line}\n")),
        whole.changed(&format!("cut-within@{}", number + 1), format!("{before}{half}")),
    ];
    if statement(line).is_some() {
        let moved = with(lines, number, "") + line.trim_start() + "\n";
        all.push(whole.changed(&format!("moved-to-the-top@{}", number + 1), moved));
    }
    all
}

/// What happens to whole files.
fn as_a_whole(whole: &Configuration) -> [Configuration; 6] {
    let text = whole.text();
    [
        whole.changed("line-ends-of-windows", text.replace('\n', "\r\n")),
        whole.changed("line-ends-of-old-macs", text.replace('\n', "\r")),
        whole.changed("byte-order-mark", format!("\u{feff}{text}")),
        whole.changed("blanks-that-do-not-break", text.replacen(' ', "\u{a0}", 1)),
        whole.changed("without-the-last-line-end", text.trim_end().to_owned()),
        whole.changed("in-tabs", text.replace("    ", "\t").replace(" {", "\t{\t")),
    ]
}

/// Each block at the top level once more, with the same name.
fn blocks_twice(whole: &Configuration, lines: &[&str]) -> Vec<Configuration> {
    let heads = lines.iter().enumerate().filter(|(_, line)| line.ends_with('{') && !line.starts_with([' ', '\t']));
    let twice = |(head, _): (usize, &&str)| {
        let length = lines[head..].iter().position(|line| line.starts_with('}')).expect("the corpus closes its blocks");
        let block = lines[head..=head + length].join("\n");
        whole.changed(&format!("block-twice@{}", head + 1), format!("{}{block}\n", whole.text()))
    };
    heads.map(twice).collect()
}

fn with(lines: &[&str], number: usize, instead: &str) -> String {
    let line = |(at, line): (usize, &&str)| format!("{}\n", if at == number { instead } else { line });
    lines.iter().enumerate().map(line).collect()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with(['#', '!'])
}

/// The words of a line without braces.
fn statement(line: &str) -> Option<Vec<&str>> {
    (!line.contains(['{', '}'])).then(|| line.split_whitespace().collect())
}

/// The first word of a line, if it is a keyword, and what stands on both its sides.
fn keyword(line: &str) -> Option<(&str, &str, &str)> {
    let start = line.find(|c: char| !c.is_whitespace())?;
    let length = line[start..].find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(line.len() - start);
    let is_keyword = line[start + length..].chars().next().is_none_or(char::is_whitespace);
    (length > 2 && is_keyword).then(|| (&line[..start], &line[start..start + length], &line[start + length..]))
}

fn misspelt(line: &str) -> Option<String> {
    let (before, word, after) = keyword(line)?;
    Some(format!("{before}{}{after}", &word[..word.len() - 1]))
}

fn in_capitals(line: &str) -> Option<String> {
    let (before, word, after) = keyword(line)?;
    Some(format!("{before}{}{after}", word.to_uppercase()))
}

fn without_values(line: &str) -> Option<String> {
    let (before, word, after) = keyword(line)?;
    let values = after.trim().trim_end_matches('{');
    (!values.is_empty()).then(|| format!("{before}{word}{}", if after.ends_with('{') { " {" } else { "" }))
}

fn value_in_comment(line: &str) -> Option<String> {
    let words = statement(line)?;
    let last = words.last().filter(|_| words.len() > 1)?;
    Some(line.replacen(last, &format!("#{last}"), 1))
}
