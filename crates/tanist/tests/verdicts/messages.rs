//! `messages.txt`: how we call what keepalived says.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::pattern::Pattern;

/// One wording.
#[derive(Debug)]
pub(crate) struct Wording {
    pub(crate) pattern: Pattern,
    /// Our codes for the same thing; empty if we have none.
    pub(crate) codes: Vec<String>,
    pub(crate) manner: Manner,
    /// Each tells it at another line of the same block.
    pub(crate) of_block: bool,
    used: Cell<bool>,
}

/// How a message counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It fails the test.
    Counts,
    /// It is told, and the test passes; of a missing file that may also end the test with 6.
    Told,
    /// It says again what another message has said already, or what follows from that.
    Follows,
}

/// All wordings; the first that fits is meant.
#[derive(Debug)]
pub(crate) struct Messages {
    wordings: Vec<Wording>,
}

impl Messages {
    /// A line each: `CODES | WORDING`, where codes are ours, `-`, or the name of a set; `(told)`, `(follows)` or
    /// `(block)` may stand among them. `NAME = CODES` makes a set.
    pub(crate) fn parse(text: &str) -> Self {
        let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut wordings = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some((name, codes)) = line.split_once(" = ") {
                sets.insert(name.trim().to_owned(), codes.split_whitespace().map(str::to_owned).collect());
                continue;
            }
            let (left, wording) = line.split_once("| ").unwrap_or_else(|| panic!("messages.txt: no bar in: {line}"));
            let mut codes = Vec::new();
            let mut manner = Manner::Counts;
            let mut of_block = false;
            for word in left.split_whitespace() {
                match word {
                    "-" => {}
                    "(told)" => manner = Manner::Told,
                    "(follows)" => manner = Manner::Follows,
                    "(block)" => of_block = true,
                    set if sets.contains_key(set) => codes.extend(sets[set].iter().cloned()),
                    code => codes.push(code.to_owned()),
                }
            }
            wordings.push(Wording { pattern: Pattern::new(wording), codes, manner, of_block, used: Cell::new(false) });
        }
        Self { wordings }
    }

    pub(crate) fn find(&self, text: &str) -> Option<&Wording> {
        let found = self.wordings.iter().find(|wording| wording.pattern.fits(text))?;
        found.used.set(true);
        Some(found)
    }

    /// Wordings that were never met.
    pub(crate) fn stale(&self) -> impl Iterator<Item = String> {
        let stale = self.wordings.iter().filter(|wording| !wording.used.get());
        stale.map(|wording| format!("messages.txt: keepalived has not said: {}", wording.pattern.text()))
    }
}
