//! The texts that were read, and where something stands in them.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Index of a file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(pub(crate) u32);

/// A stretch of one file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) file: FileId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// From the start of one to the end of the other. Text that came out of definitions may have its parts in
    /// different files, or out of order: then the first part stands for all.
    pub(crate) fn to(self, last: Self) -> Self {
        if self.file == last.file && last.end >= self.end { Self { end: last.end, ..self } } else { self }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: Arc<str>,
    /// The line that asked for it; `None` for the first file.
    pub(crate) included_at: Option<Span>,
    /// Byte offset of the start of each line.
    line_starts: Vec<usize>,
}

impl Source {
    fn new(path: PathBuf, text: Arc<str>, included_at: Option<Span>) -> Self {
        let line_starts =
            std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1));
        let line_starts = line_starts.collect();
        Self { path, text, included_at, line_starts }
    }

    /// Line and column in characters of a byte offset, both from 1.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// The whole lines that a stretch touches, and the offset at which they start.
    pub(crate) fn lines(&self, range: &Range<usize>) -> (&str, usize) {
        let (first, _) = self.position(range.start);
        let start = self.line_starts[first - 1];
        let from_last = range.end.saturating_sub(1).max(range.start);
        let rest = &self.text.as_bytes()[from_last..];
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(self.text.len(), |length| from_last + length);
        (self.text[start..end].trim_end_matches('\r'), start)
    }
}

/// All files that were read, the first one first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    pub(crate) fn add(&mut self, path: PathBuf, text: Arc<str>, included_at: Option<Span>) -> FileId {
        let id = FileId(u32::try_from(self.0.len()).expect("the number of files is limited far below this"));
        self.0.push(Source::new(path, text, included_at));
        id
    }

    pub(crate) fn file(&self, id: FileId) -> &Source {
        &self.0[id.0 as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }
}
