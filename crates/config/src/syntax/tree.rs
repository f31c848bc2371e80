//! Entries and blocks, as they stand in the files.

use std::rc::Rc;

use super::lexer::{Token, tokens};
use crate::diagnostic::Findings;
use crate::source::Span;
use crate::text::{Glyph, LineSink};

/// One word, with where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Without its quotes.
    pub(crate) text: String,
    /// With its quotes.
    pub(crate) span: Span,
    /// Index of its first character in [`Entry::line`].
    pub(crate) at: usize,
    /// Index after its last character in [`Entry::line`].
    pub(crate) end: usize,
    pub(crate) quoted: bool,
}

/// Words on one line, and the block that follows them, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Empty only for a block that belongs to nothing.
    pub(crate) words: Vec<Word>,
    pub(crate) block: Option<Block>,
    /// The line as it was written. Kept only if it has quotes or backslashes: then commands are read from it.
    pub(crate) line: Option<Rc<[Glyph]>>,
}

/// What stands between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The opening brace.
    pub(crate) open: Span,
    /// The closing brace; `None` if there is none, which is an error.
    pub(crate) close: Option<Span>,
    pub(crate) entries: Vec<Entry>,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) entries: Vec<Entry>,
}

/// Grows the tree line by line.
#[derive(Debug, Default)]
pub(crate) struct TreeBuilder {
    /// Entries outside all blocks.
    root: Vec<Entry>,
    /// The blocks that are open, the innermost last.
    open: Vec<Block>,
    /// Open braces beyond the deepest level, whose content is dropped.
    too_deep: usize,
}

/// No keyword needs more than a handful of levels.
const DEEPEST: usize = 50;

impl TreeBuilder {
    /// Closes what is still open.
    pub(crate) fn finish(mut self, findings: &mut Findings) -> Tree {
        while let Some(block) = self.open.last() {
            findings
                .error("unclosed-block", block.open, "this block is not closed")
                .help("add the missing `}`; if it is there, an inner block lacks its own");
            self.close(None);
        }
        Tree { entries: self.root }
    }

    fn entries(&mut self) -> &mut Vec<Entry> {
        match self.open.last_mut() {
            Some(block) => &mut block.entries,
            None => &mut self.root,
        }
    }

    fn close(&mut self, brace: Option<Span>) {
        if let Some(mut block) = self.open.pop()
            && let Some(owner) = self.entries().last_mut()
        {
            block.close = brace;
            owner.block = Some(block);
        }
    }
}

impl LineSink for TreeBuilder {
    fn line(&mut self, line: &[Glyph], findings: &mut Findings) {
        let special = line.iter().any(|glyph| matches!(glyph.character, '"' | '\'' | '\\'));
        let whole_line: Option<Rc<[Glyph]>> = special.then(|| line.into());
        // Whether the entry at the end of the list is still being written.
        let mut writing = false;
        for token in tokens(line, findings) {
            match token {
                Token::Open(_) if self.too_deep > 0 => self.too_deep += 1,
                Token::Close(_) if self.too_deep > 0 => self.too_deep -= 1,
                Token::Word(_) if self.too_deep > 0 => {}
                Token::Open(brace) if self.open.len() >= DEEPEST => {
                    findings.error("too-deep", brace.span, format!("more than {DEEPEST} blocks inside each other"));
                    self.too_deep = 1;
                    writing = false;
                }
                Token::Word(word) => {
                    if !writing {
                        let line = whole_line.clone();
                        self.entries().push(Entry { words: Vec::new(), block: None, line });
                        writing = true;
                    }
                    self.entries().last_mut().expect("one was just pushed").words.push(word);
                }
                Token::Open(brace) => {
                    // The brace may stand on the line after the keyword that it belongs to.
                    if self.entries().last().is_none_or(|entry| entry.block.is_some()) {
                        findings
                            .error("unexpected-brace", brace.span, "this `{` belongs to nothing")
                            .help("a keyword is missing before it, or a `}` before that");
                        self.entries().push(Entry { words: Vec::new(), block: None, line: None });
                    }
                    self.open.push(Block { open: brace.span, close: None, entries: Vec::new() });
                    writing = false;
                }
                Token::Close(brace) => {
                    if self.open.is_empty() {
                        findings
                            .error("unexpected-brace", brace.span, "this `}` closes nothing")
                            .help("remove it, or add the `{` that it belongs to");
                    }
                    self.close(Some(brace.span));
                    writing = false;
                }
            }
        }
    }
}
