//! Texts with gaps: `*` stands for anything.

/// A text with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let pieces: Vec<&str> = pieces.collect();
        let Some((last, between)) = pieces.split_last() else { return rest.is_empty() };
        for piece in between {
            let Some(at) = rest.find(piece) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last)
    }
}

#[test]
fn gaps() {
    let fits = |pattern: &str, text: &str| Pattern::new(pattern).fits(text);
    assert!(fits("a", "a"));
    assert!(!fits("a", "ab"));
    assert!(fits("*", ""));
    assert!(fits("number '*' outside range *", "number '7' outside range [1, 2]"));
    assert!(!fits("number '*' outside range *!", "number '7' outside range [1, 2]"));
    assert!(fits("*b*", "abc"));
    assert!(!fits("ab*bc", "abc"));
}
