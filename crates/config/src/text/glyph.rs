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
/// anywhere outside double quotes: keepalived writes `\#` down as `#` and reads that once more.
pub(crate) fn lines(file: FileId, text: &str) -> impl Iterator<Item = (Vec<Glyph>, Option<Span>)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        without_comment(file, start, line)
    })
}

fn without_comment(file: FileId, start: usize, line: &str) -> (Vec<Glyph>, Option<Span>) {
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
            let found: Vec<String> = lines(FileId(0), text).map(|line| text_of(&line)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a # b\nc ! d\n", &["a ", "c "]);
        check(r"a \# b \! c", &["a # b ! c"]);
        check(r#"a "b # c" # d"#, &[r#"a "b # c" "#]);
        check(r#"a "b \" # c" # d"#, &[r#"a "b \" # c" "#]);
        check(r#"a \" # b" # c"#, &[r#"a \" # b" "#]);
        check("\u{feff}a\u{feff}\n\u{feff}b\n", &["a\u{feff}", "\u{feff}b"]);
    }
}
