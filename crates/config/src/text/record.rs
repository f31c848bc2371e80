//! Keeps the lines that are left when everything is expanded, for who wants to see what a configuration came to.

use super::{Glyph, LineSink, text_of};
use crate::diagnostic::Findings;
use crate::source::{FileId, Sources};

/// Hands lines on and keeps a copy.
pub(crate) struct Record<S> {
    sink: S,
    lines: Vec<(FileId, String)>,
}

impl<S> Record<S> {
    pub(crate) const fn new(sink: S) -> Self {
        Self { sink, lines: Vec::new() }
    }

    /// Who took the lines, and their text with the name of its file above each stretch.
    pub(crate) fn finish(self, sources: &Sources) -> (S, String) {
        let mut text = String::new();
        let mut before = None;
        for (file, line) in self.lines {
            if before != Some(file) {
                text.push_str(&format!("# {}\n", sources.file(file).path.display()));
                before = Some(file);
            }
            push_escaped(&mut text, line.trim());
            text.push('\n');
        }
        (self.sink, text)
    }
}

impl<S: LineSink> LineSink for Record<S> {
    fn line(&mut self, line: &[Glyph], findings: &mut Findings) {
        if let Some(first) = line.first() {
            self.lines.push((first.span.file, text_of(line)));
        }
        self.sink.line(line, findings);
    }
}

/// What would begin a comment is written so that it does not.
fn push_escaped(text: &mut String, line: &str) {
    let mut quoted = false;
    for character in line.chars() {
        quoted ^= character == '"';
        match character {
            '#' if !quoted => text.push_str("${_HASH}"),
            '!' if !quoted => text.push_str("${_BANG}"),
            _ => text.push(character),
        }
    }
}
