//! Commands: cut by quotes and escapes into a program and its arguments, or recognised as work for a shell.

use std::ops::Range;
use std::path::PathBuf;

use crate::diagnostic::Findings;
use crate::settings::Command;
use crate::syntax::Word;
use crate::text::{Glyph, is_blank, span_of};

/// A word of a command, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    range: Range<usize>,
    /// A quote in it is not closed.
    open: bool,
}

/// Cuts a stretch of a line into words by quotes and escapes.
pub(crate) fn cut_line(line: &[Glyph], range: Range<usize>) -> Vec<Word> {
    let characters: Vec<char> = line[range.clone()].iter().map(|glyph| glyph.character).collect();
    let word = |piece: Piece| {
        let (at, end) = (range.start + piece.range.start, range.start + piece.range.end);
        let span = span_of(&line[at..end]).expect("a piece has at least one character");
        Word { text: piece.text, span, at, end, quoted: matches!(line[at].character, '"' | '\'') }
    };
    cut(&characters).into_iter().map(word).collect()
}

/// Reads the command that a keyword was given.
pub(crate) fn command(value: &Word, may_read_file: bool, findings: &mut Findings) -> Option<Command> {
    read(value, may_read_file, true, findings)
}

/// As [`command`], where nobody but Tanist reads it.
pub(crate) fn own_command(value: &Word, findings: &mut Findings) -> Option<Command> {
    read(value, false, false, findings)
}

fn read(value: &Word, may_read_file: bool, for_keepalived: bool, findings: &mut Findings) -> Option<Command> {
    let text = value.text.trim();
    if text.is_empty() {
        findings.error("empty-command", value.span, "an empty command").help("give the full path of a script");
        return None;
    }
    if text.len() < value.text.len() {
        findings
            .hint("blank-in-quotes", value.span, "blanks at the ends of a command are dropped")
            .help(format!("write \"{text}\""));
    }
    if may_read_file && let Some(path) = text.strip_prefix('<') {
        return Some(Command::ReadFile(PathBuf::from(path.trim())));
    }
    let characters: Vec<char> = text.chars().collect();
    if let Some(sign) = shell_syntax(&characters) {
        if sign == "[[" {
            let message = "`[[` is for a shell, and not every `sh` knows it: where it does not, the result is wrong";
            findings
                .warning("double-bracket", value.span, message)
                .help("write `[ … ]`; or put it into a script file that starts with `#!/bin/bash`");
        } else if for_keepalived {
            findings
                .hint("shell-command", value.span, format!("`{sign}` is for a shell, so this runs by `sh -c`"))
                .help("keepalived starts no shell and disables such a check; a script file works with both");
        }
        return Some(Command::Shell(text.to_owned()));
    }
    let pieces = cut(&characters);
    if pieces.iter().any(|piece| piece.open) {
        findings
            .error("unterminated-quote", value.span, "a quote inside this command is not closed")
            .help("close it, or write `\\'` for the character itself");
        return None;
    }
    let words: Vec<String> = pieces.into_iter().map(|piece| piece.text).collect();
    if words.first().is_some_and(|program| !program.starts_with('/')) {
        findings
            .hint("no-full-path", value.span, format!("`{}` is no full path, so it is searched in PATH", words[0]))
            .help("a full path always runs the same program");
    }
    Some(Command::Program(words))
}

/// Words separated by blanks; quotes of both kinds keep blanks, and may start anywhere in a word.
fn cut(characters: &[char]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if is_blank(characters[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let mut text = String::new();
        let mut quote = None;
        while let Some(character) = characters.get(at).copied() {
            match (character, quote) {
                ('\\', _) => {
                    let (escaped, length) = escape(&characters[at + 1..]);
                    text.push(escaped);
                    at += length;
                }
                (blank, None) if is_blank(blank) => break,
                ('"' | '\'', None) => quote = Some(character),
                (same, Some(open)) if same == open => quote = None,
                _ => text.push(character),
            }
            at += 1;
        }
        at = at.min(characters.len());
        pieces.push(Piece { text, range: start..at, open: quote.is_some() });
    }
    pieces
}

/// The character that an escape stands for, and how many characters follow the backslash.
fn escape(rest: &[char]) -> (char, usize) {
    let Some(first) = rest.first().copied() else { return ('\\', 0) };
    let simple = match first {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'E' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '0'..='7' => return number(rest, 8, 3).unwrap_or((first, 1)),
        'x' => {
            // `\x` without digits is a plain x.
            return number(&rest[1..], 16, 2).map_or((first, 1), |(character, length)| (character, length + 1));
        }
        'c' => {
            return match rest.get(1) {
                Some(letter) if letter.is_ascii() => (char::from((*letter as u8) & 0x1f), 2),
                _ => (first, 1),
            };
        }
        other => other,
    };
    (simple, 1)
}

fn number(digits: &[char], base: u32, most: usize) -> Option<(char, usize)> {
    let values: Vec<u32> = digits.iter().take(most).map_while(|digit| digit.to_digit(base)).collect();
    if values.is_empty() {
        return None;
    }
    let value = values.iter().fold(0, |value, digit| value * base + digit);
    Some((char::from_u32(value)?, values.len()))
}

/// The first sign, outside quotes, that only a shell understands.
fn shell_syntax(characters: &[char]) -> Option<&'static str> {
    let mut quote = None;
    let mut at = 0;
    while let Some(character) = characters.get(at).copied() {
        let next = characters.get(at + 1).copied();
        match (character, quote) {
            ('\\', _) => at += 1,
            ('"' | '\'', None) => quote = Some(character),
            (same, Some(open)) if same == open => quote = None,
            ('[', None) if next == Some('[') => return Some("[["),
            ('$', None) if next == Some('(') => return Some("$("),
            ('&', None) => return Some(if next == Some('&') { "&&" } else { "&" }),
            ('|', None) => return Some(if next == Some('|') { "||" } else { "|" }),
            (';', None) => return Some(";"),
            ('>', None) => return Some(">"),
            ('<', None) => return Some("<"),
            ('`', None) => return Some("`"),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{cut, shell_syntax};

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn words_of_a_command() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> = cut(&chars(text)).into_iter().map(|piece| piece.text).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("killall -0 ntpd", &["killall", "-0", "ntpd"]);
        check(r#"abcd" efg h jkl "mnop"#, &["abcd efg h jkl mnop"]);
        check(r#"abcd "efg h jkl" mnop"#, &["abcd", "efg h jkl", "mnop"]);
        check(r"/bin/sh -c 'exit 1'", &["/bin/sh", "-c", "exit 1"]);
        check(r"a\ b \x41\102\t\cA \\ \q", &["a b", "AB\t\u{1}", "\\", "q"]);
        check(r#"it's"#, &["its"]);
        check("\\", &["\\"]);
        check(r"\x", &["x"]);
        check(r"\cé", &["cé"]);
        check("''", &[""]);
    }

    #[test]
    fn what_needs_a_shell() {
        let check = |text: &str, expected| assert_eq!(shell_syntax(&chars(text)), expected, "{text}");
        check("[[ -f /etc/keepalived/down ]] && exit 1 || exit 0", Some("[["));
        check("pidof nginx || exit 1", Some("||"));
        check("pidof nginx && exit 1", Some("&&"));
        check("echo $(date) > /tmp/x", Some("$("));
        check("/bin/sh -c 'a | b'; c", Some(";"));
        check("/bin/date > /tmp/x", Some(">"));
        check("/bin/grep x < /tmp/x", Some("<"));
        check("/bin/echo `date`", Some("`"));
        check("/bin/sh -c 'a; b | c'", None);
        check(r"/bin/echo a\;b", None);
        check("[ -e /tmp/down ]", None);
        check("/bin/check http://192.0.2.1/?a=1", None);
    }
}
