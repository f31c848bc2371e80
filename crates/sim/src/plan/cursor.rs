//! A line of a scenario file, word by word, with columns for the mistakes.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::measure;
use super::mistake::Mistake;

/// Reads the words of one line from left to right.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    line: usize,
    words: Vec<(usize, &'a str)>,
    next: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// Splits `text`, which stands on line `line` from its first column on.
    pub(crate) fn new(line: usize, text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut rest = text;
        let mut column = 1;
        loop {
            let trimmed = rest.trim_start();
            column += rest.chars().count() - trimmed.chars().count();
            if trimmed.is_empty() {
                break;
            }
            let length = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
            let word = &trimmed[..length];
            words.push((column, word));
            column += word.chars().count();
            rest = &trimmed[length..];
        }
        Self { line, words, next: 0, end: text.trim_end().chars().count() + 1 }
    }

    /// The next word, left where it is.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|(_, word)| *word)
    }

    /// The next word, taken.
    pub(crate) fn take(&mut self, expected: &str) -> Result<&'a str, Mistake> {
        let Some((_, word)) = self.words.get(self.next) else {
            return Err(self.here(format!("expected {expected}")));
        };
        self.next += 1;
        Ok(word)
    }

    /// Takes the next word if it is this one.
    pub(crate) fn accept(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.next += usize::from(there);
        there
    }

    /// All words that are left.
    pub(crate) fn rest(&mut self) -> String {
        let rest = self.copy_of_rest();
        self.next = self.words.len();
        rest
    }

    /// All words that are left, left where they are.
    pub(crate) fn copy_of_rest(&self) -> String {
        let words: Vec<&str> = self.words[self.next..].iter().map(|(_, word)| *word).collect();
        words.join(" ")
    }

    /// A mistake at the next word.
    pub(crate) fn here(&self, message: String) -> Mistake {
        let column = self.words.get(self.next).map_or(self.end, |(column, _)| *column);
        Mistake { line: self.line, column, message, suggestion: None }
    }

    /// A mistake at the word taken last.
    pub(crate) fn before(&self, message: String) -> Mistake {
        let column = self.next.checked_sub(1).and_then(|last| self.words.get(last)).map_or(1, |(column, _)| *column);
        Mistake { line: self.line, column, message, suggestion: None }
    }

    /// Nothing may be left.
    pub(crate) fn finish(&self) -> Result<(), Mistake> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(self.here(format!("`{word}` is too much here"))),
        }
    }

    /// A whole number within a range.
    pub(crate) fn number(&mut self, what: &str, range: RangeInclusive<i64>) -> Result<i64, Mistake> {
        let word = self.take(what)?;
        word.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            self.before(format!("{what} must be a number from {} to {}, not `{word}`", range.start(), range.end()))
        })
    }

    /// A span of time such as `1s`, `0.5s`, `20ms`.
    pub(crate) fn span(&mut self, what: &str) -> Result<Duration, Mistake> {
        let word = self.take(what)?;
        measure::parse_span(word)
            .ok_or_else(|| self.before(format!("{what} must be a time such as `1s`, `0.5s` or `20ms`, not `{word}`")))
    }

    /// A share such as `30%`.
    pub(crate) fn percentage(&mut self, what: &str) -> Result<u8, Mistake> {
        let word = self.take(what)?;
        word.strip_suffix('%')
            .and_then(|number| number.parse().ok())
            .filter(|number| *number <= 100)
            .ok_or_else(|| self.before(format!("{what} must be from `0%` to `100%`, not `{word}`")))
    }
}
