//! Cuts a line into words and braces.

use crate::diagnostic::Findings;
use crate::text::{Glyph, is_blank, span_of, text_of};

use super::tree::Word;

/// What a line consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Word(Word),
    Open(Glyph),
    Close(Glyph),
}

/// Only double quotes keep words together here. Values that are commands are read again later, with all
/// quotes and escapes.
pub(crate) fn tokens(line: &[Glyph], findings: &mut Findings) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let glyph = line[at];
        match glyph.character {
            '{' => {
                tokens.push(Token::Open(glyph));
                at += 1;
            }
            '}' => {
                tokens.push(Token::Close(glyph));
                at += 1;
            }
            '"' => {
                let length = quoted_length(&line[at..], findings);
                let inner_end = if line[at + length - 1].character == '"' { length - 1 } else { length };
                // A quote that is not closed may be all there is.
                tokens.push(word(line, at, at + length, &line[at + 1..at + inner_end.max(1)]));
                at += length;
            }
            blank if is_blank(blank) => at += 1,
            _ => {
                let length = plain_length(&line[at..]);
                tokens.push(word(line, at, at + length, &line[at..at + length]));
                at += length;
            }
        }
    }
    tokens
}

fn word(line: &[Glyph], start: usize, end: usize, content: &[Glyph]) -> Token {
    let span = span_of(&line[start..end]).expect("a word has at least one character");
    Token::Word(Word { text: text_of(content), span, at: start, end, quoted: line[start].character == '"' })
}

/// Length of a quoted word with its quotes.
fn quoted_length(glyphs: &[Glyph], findings: &mut Findings) -> usize {
    let mut at = 1;
    while at < glyphs.len() {
        match glyphs[at].character {
            '"' => return at + 1,
            '\\' if glyphs.get(at + 1).is_some_and(|next| next.character == '"') => at += 2,
            _ => at += 1,
        }
    }
    findings
        .error("unterminated-quote", glyphs[0].span, "this quote is not closed on its line")
        .help("add the closing `\"`");
    glyphs.len()
}

/// Length of a word without quotes. A `${NAME}` that nobody defined is a part of it.
fn plain_length(glyphs: &[Glyph]) -> usize {
    let mut at = 0;
    while let Some(glyph) = glyphs.get(at) {
        match glyph.character {
            '$' if glyphs.get(at + 1).is_some_and(|next| next.character == '{') => {
                let close = glyphs[at..].iter().position(|glyph| !is_reference(glyph.character));
                match close.map(|length| at + length) {
                    Some(close) if glyphs[close].character == '}' => at = close + 1,
                    _ => return at + 1,
                }
            }
            '{' | '}' | '"' => break,
            blank if is_blank(blank) => break,
            _ => at += 1,
        }
    }
    at
}

fn is_reference(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$' | '{')
}
