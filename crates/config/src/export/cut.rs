//! Takes stretches out of a file and leaves a remark, so that the lines around them mean what they did.

use std::ops::Range;

/// A stretch that goes, and what comes in its place.
pub(super) struct Cut {
    pub(super) range: Range<usize>,
    pub(super) put: Put,
}

pub(super) enum Put {
    /// A comment that says what this was.
    Remark(String),
    /// Whole lines.
    Text(Vec<u8>),
}

/// A part of what comes out.
enum Part {
    /// A stretch of the file as it is.
    Kept(Range<usize>),
    New(Vec<u8>),
}

/// Applies cuts that are in order and do not overlap. `octets` is the file, `text` how it was read.
pub(super) fn apply(text: &str, octets: &[u8], cuts: Vec<Cut>) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut remarks_at_end = Vec::new();
    let mut at = 0;
    let mut cuts = cuts.into_iter().peekable();
    while let Some(first) = cuts.next() {
        // Cuts that touch the same line go together.
        let mut lines = Lines::new(text, first);
        while let Some(next) = cuts.next_if(|next| next.range.start < lines.range.end) {
            lines.add(text, next);
        }
        parts.push(Part::Kept(at..lines.range.start));
        at = lines.range.end;
        lines.cut(text, &mut parts, &mut remarks_at_end);
    }
    parts.push(Part::Kept(at..text.len()));
    if !remarks_at_end.is_empty() {
        let start = if text.ends_with('\n') { "" } else { "\n" };
        let lines: String = remarks_at_end.iter().map(|what| format!("{}\n", remark(what))).collect();
        parts.push(Part::New(format!("{start}{lines}").into_bytes()));
    }
    let places = Places::new(octets);
    let mut out = Vec::with_capacity(octets.len());
    for part in parts {
        match part {
            Part::Kept(range) => out.extend(&octets[places.octet(range.start)..places.octet(range.end)]),
            Part::New(octets) => out.extend(octets),
        }
    }
    out
}

fn remark(what: &str) -> String {
    format!("# tanist export left out: {what}")
}

/// Whole lines, and what is cut out of them.
struct Lines {
    /// Without the last line end.
    range: Range<usize>,
    cuts: Vec<Cut>,
}

impl Lines {
    fn new(text: &str, cut: Cut) -> Self {
        let start = text[..cut.range.start].rfind('\n').map_or(0, |at| at + 1);
        let mut lines = Self { range: start..start, cuts: Vec::new() };
        lines.add(text, cut);
        lines
    }

    fn add(&mut self, text: &str, cut: Cut) {
        self.range.end = text[cut.range.end..].find('\n').map_or(text.len(), |at| cut.range.end + at);
        self.cuts.push(cut);
    }

    fn cut(self, text: &str, parts: &mut Vec<Part>, remarks_at_end: &mut Vec<String>) {
        let kept = self.kept();
        if self.is_in_definition(text) {
            // A comment line would end the definition, and so would a line less.
            parts.extend(kept.into_iter().map(Part::Kept));
            for cut in self.cuts {
                match cut.put {
                    Put::Remark(what) => remarks_at_end.push(what),
                    Put::Text(octets) => parts.push(Part::New(octets)),
                }
            }
            return;
        }
        let line = &text[self.range.clone()];
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let is_all = is_all(text, &kept);
        let lines: Vec<Vec<u8>> = self
            .cuts
            .into_iter()
            .map(|cut| match cut.put {
                Put::Remark(what) => format!("{indent}{}", remark(&what)).into_bytes(),
                Put::Text(octets) => octets.trim_ascii_end().to_vec(),
            })
            .collect();
        parts.push(Part::New(lines.join(&b'\n')));
        if is_all {
            parts.extend(kept.into_iter().next_back().map(Part::Kept));
        } else {
            parts.push(Part::New(vec![b'\n']));
            parts.extend(kept.into_iter().map(Part::Kept));
        }
    }

    /// What is left of the lines: before, between and after the cuts.
    fn kept(&self) -> Vec<Range<usize>> {
        let starts = std::iter::once(self.range.start).chain(self.cuts.iter().map(|cut| cut.range.end));
        let ends = self.cuts.iter().map(|cut| cut.range.start).chain(std::iter::once(self.range.end));
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    /// The lines belong to a definition of several lines.
    fn is_in_definition(&self, text: &str) -> bool {
        let goes_on = |line: &str| line.trim_end().ends_with('\\');
        let before = text[..self.range.start].strip_suffix('\n').unwrap_or_default();
        before.lines().next_back().is_some_and(goes_on) || text[self.range.clone()].lines().any(goes_on)
    }
}

/// Nothing else stands there but a comment, and a condition or repetition of what goes.
fn is_all(text: &str, kept: &[Range<usize>]) -> bool {
    let [before, between @ .., after] = kept else { return false };
    let [before, after] = [before, after].map(|range| text[range.clone()].trim());
    let directive = before.starts_with('~') || (before.starts_with('@') && !before.contains(char::is_whitespace));
    (before.is_empty() || directive)
        && between.iter().all(|range| text[range.clone()].trim().is_empty())
        && (after.is_empty() || after.starts_with(['#', '!']))
}

/// Where a character of the text stands in the file: octets that are no UTF-8 were read as a character of three.
struct Places {
    /// End in the text and in the file of each run of octets that are no UTF-8.
    strange: Vec<(usize, usize)>,
}

impl Places {
    fn new(octets: &[u8]) -> Self {
        let (mut in_text, mut in_file) = (0, 0);
        let mut strange = Vec::new();
        for chunk in octets.utf8_chunks() {
            in_text += chunk.valid().len();
            in_file += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                in_text += char::REPLACEMENT_CHARACTER.len_utf8();
                in_file += chunk.invalid().len();
                strange.push((in_text, in_file));
            }
        }
        Self { strange }
    }

    fn octet(&self, place: usize) -> usize {
        let before = self.strange.iter().take_while(|(in_text, _)| *in_text <= place).last();
        before.map_or(place, |(in_text, in_file)| place - in_text + in_file)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Put, apply};

    fn check(text: &[u8], words: &[&str], expected: &[u8]) {
        let read = String::from_utf8_lossy(text);
        let cuts = words
            .iter()
            .map(|word| {
                let start = read.find(word).expect("it is there");
                Cut { range: start..start + word.len(), put: Put::Remark((*word).to_owned()) }
            })
            .collect();
        let found = apply(&read, text, cuts);
        assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(expected));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_remark_takes_the_place() {
        check(b"a\n  X\nb\n", &["X"], b"a\n  # tanist export left out: X\nb\n");
        check(b"a\n\tX # why\nb\n", &["X"], b"a\n\t# tanist export left out: X # why\nb\n");
        check(b"@id X", &["X"], b"# tanist export left out: X");
        check(b"~SEQ(i, 1, 2) X\n", &["X"], b"# tanist export left out: X\n");
    }

    #[test]
    fn the_rest_of_the_line_stays() {
        check(b"a { X b }\n", &["X"], b"# tanist export left out: X\na {  b }\n");
        check(b"} X\n", &["X"], b"# tanist export left out: X\n} \n");
        check(b"X Y\n", &["X", "Y"], b"# tanist export left out: X\n# tanist export left out: Y\n");
        check(
            b"  a { X b Y }\n",
            &["X", "Y"],
            b"  # tanist export left out: X\n  # tanist export left out: Y\n  a {  b  }\n",
        );
    }

    #[test]
    fn definitions_keep_their_lines() {
        check(b"$D= \\\n a \\\n X \\\n b\nc", &["X"], b"$D= \\\n a \\\n  \\\n b\nc\n# tanist export left out: X\n");
        check(b"$D= \\\n X\nc\n", &["X"], b"$D= \\\n \nc\n# tanist export left out: X\n");
    }

    #[test]
    fn octets_that_are_no_text_stay() {
        check(
            b"\xff\xfe! \xe4\nX\n# \xc3\xa4 \xe4\n",
            &["X"],
            b"\xff\xfe! \xe4\n# tanist export left out: X\n# \xc3\xa4 \xe4\n",
        );
    }
}
