//! A character that remembers where it was written, and the first cuts made to a line of them.

use crate::source::{FileId, Span};

/// One character of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) character: char,
    /// Where it was written; characters of a one-line definition stand where the definition is used.
    pub(crate) span: Span,
}

/// Blanks separate words; a carriage return is one, so that files from elsewhere read the same.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace()
}

/// The characters alone.
pub(crate) fn text_of(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.character).collect()
}

/// Where a non-empty run of characters was written.
pub(crate) fn span_of(glyphs: &[Glyph]) -> Option<Span> {
    Some(glyphs.first()?.span.to(glyphs.last()?.span))
}

/// Without blanks at both ends.
pub(crate) fn trim(glyphs: &[Glyph]) -> &[Glyph] {
    let Some(start) = glyphs.iter().position(|glyph| !is_blank(glyph.character)) else { return &[] };
    let end = glyphs.iter().rposition(|glyph| !is_blank(glyph.character)).map_or(start, |last| last + 1);
    &glyphs[start..end]
}

/// How many characters at the start form a name: letters, digits and `_`, not starting with a digit.
pub(crate) fn name_length(glyphs: &[Glyph]) -> usize {
    let is_name = |glyph: &&Glyph| glyph.character.is_ascii_alphanumeric() || glyph.character == '_';
    if glyphs.first().is_some_and(|glyph| glyph.character.is_ascii_digit()) {
        return 0;
    }
    glyphs.iter().take_while(is_name).count()
}

/// The lines of a file, without comments, each with where a comment began in spite of a `\` before it. `#` and `!` start one
/// anywhere outside double quotes. keepalived writes `\#` down as `#` and reads that once more, all but `global_defs`.
pub(crate) fn lines(file: FileId, text: &str) -> impl Iterator<Item = (Vec<Glyph>, Option<Span>)> {
    let mut offset = 0;
    let mut place = Place::default();
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        let words = line.split_whitespace();
        let mut keyword = words.skip_while(|word| word.starts_with('@'));
        place.in_globals |= keyword.next().is_some_and(|word| word.trim_end_matches('{') == "global_defs");
        let (glyphs, cut) = without_comment(file, start, line, place.in_globals);
        place.follow(&glyphs);
        (glyphs, cut)
    })
}

/// Whether lines are within `global_defs`.
#[derive(Default)]
struct Place {
    in_globals: bool,
    /// How many of its braces are open.
    depth: usize,
}

impl Place {
    fn follow(&mut self, line: &[Glyph]) {
        let mut quoted = false;
        for glyph in line {
            match glyph.character {
                _ if !self.in_globals => return,
                '"' => quoted = !quoted,
                '{' if !quoted => self.depth += 1,
                '}' if !quoted => {
                    self.depth = self.depth.saturating_sub(1);
                    self.in_globals = self.depth > 0;
                }
                _ => {}
            }
        }
    }
}

fn without_comment(file: FileId, start: usize, line: &str, in_globals: bool) -> (Vec<Glyph>, Option<Span>) {
    let glyph = |(at, character): (usize, char)| {
        let place = |offset: usize| u32::try_from(start + offset).expect("files are limited far below 4 GiB");
        Glyph { character, span: Span { file, start: place(at), end: place(at + character.len_utf8()) } }
    };
    let mut glyphs = Vec::with_capacity(line.len());
    let mut quoted = false;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match character {
            '\n' => break,
            '\\' if !quoted && matches!(next, Some('#' | '!')) => {
                let mark = characters.next().map(glyph);
                if in_globals {
                    glyphs.extend(mark);
                    continue;
                }
                return (glyphs, mark.map(|mark| glyph((at, character)).span.to(mark.span)));
            }
            // The second one is none before a comment.
            '\\' if !quoted && next == Some('\\') => {
                glyphs.push(glyph((at, character)));
                glyphs.extend(characters.next().map(glyph));
                continue;
            }
            // A quote that is escaped ends nothing.
            '\\' if quoted && next == Some('"') => {
                glyphs.push(glyph((at, character)));
                glyphs.extend(characters.next().map(glyph));
                continue;
            }
            '#' | '!' if !quoted => break,
            '"' => quoted = !quoted,
            _ => {}
        }
        // The mark that some editors put at the start of a file is no character of it.
        if !(start + at == 0 && character == '\u{feff}') {
            glyphs.push(glyph((at, character)));
        }
    }
    (glyphs, None)
}

#[cfg(test)]
mod tests {
    use super::{lines, text_of};
    use crate::source::FileId;

    #[test]
    fn what_is_left_of_a_line() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> = lines(FileId(0), text).map(|(line, _)| text_of(&line)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a # b\nc ! d\n", &["a ", "c "]);
        check(r"a \# b \! c", &["a "]);
        check("global_defs {\na \\# b \\! c\n}\na \\# b\n", &["global_defs {", "a # b ! c", "}", "a "]);
        check(r#"a "b # c" # d"#, &[r#"a "b # c" "#]);
        check(r#"a "b \" # c" # d"#, &[r#"a "b \" # c" "#]);
        check(r#"a \" # b" # c"#, &[r#"a \" # b" "#]);
        check("\u{feff}a\u{feff}\n\u{feff}b\n", &["a\u{feff}", "\u{feff}b"]);
    }
}
