//! What is wrong with a scenario file, where, and what may have been meant.

use std::fmt;

/// One mistake in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl Mistake {
    /// Adds the nearest of the known words, if one is near.
    #[must_use]
    pub(crate) fn did_you_mean(mut self, given: &str, known: &[&str]) -> Self {
        self.suggestion = nearest(given, known).map(|word| format!("did you mean `{word}`?"));
        if self.suggestion.is_none() && known.len() <= 12 {
            self.suggestion = Some(format!("known here: {}", known.join(", ")));
        }
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// The known word that needs the fewest changes, if fewer than half of its letters change.
fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (distance(given, word), *word))
        .filter(|(changes, word)| *changes * 2 <= word.chars().count())
        .min()
        .map(|(_, word)| word)
}

/// Letters to insert, delete, replace or exchange with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(l != r);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        assert_eq!(nearest("strat", &["stop", "start"]), Some("start"));
        assert_eq!(nearest("prioritty", &["priority"]), Some("priority"));
        assert_eq!(nearest("elephant", &["stop", "start"]), None);
    }
}
