//! Holds what both say about a configuration against each other.

use std::collections::BTreeSet;

use config::Severity;
use config::keywords::{Block, Keyword, Status};

use crate::corpus::Configuration;
use crate::differences::{Difference, Differences};
use crate::messages::{Manner, Messages, Wording};
use crate::ours::Finding;
use crate::theirs::{Said, Verdict};
use crate::{WRITTEN_FOR, ours, theirs};

/// What came out of it.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// Both tests end alike.
    pub(crate) same_verdict: bool,
    /// The names of the differences that were met, once for each time.
    pub(crate) explained: Vec<String>,
    /// The differences that are nowhere listed.
    pub(crate) unexplained: Vec<String>,
}

pub(crate) struct Judge<'a> {
    pub(crate) messages: &'a Messages,
}

/// What is going on in one comparison.
struct Comparison<'a> {
    configuration: &'a Configuration,
    /// Their messages, and how we call them.
    theirs: Vec<(&'a Said, Option<&'a Wording>)>,
    ours: &'a [Finding],
    /// They passed the file.
    they_pass: bool,
    they_miss_a_file: bool,
    they_miss_a_value: bool,
    explained: Vec<String>,
    unexplained: Vec<String>,
    /// Something that was explained makes one fail and the other pass.
    changes_verdict: bool,
}

/// Differences that nobody has to list: the table of keywords knows them.
const NOT_BUILT: &str = "(from the table of keywords) not built yet";
const NEWER: &str = "(from the table of keywords) newer than this keepalived";

impl Judge<'_> {
    pub(crate) fn compare(
        &self,
        configuration: &Configuration,
        theirs: &theirs::Answer,
        ours: &ours::Answer,
        differences: &mut Differences,
    ) -> Judgement {
        let mut comparison = Comparison {
            configuration,
            theirs: theirs.said.iter().map(|said| (said, self.messages.find(&said.text))).collect(),
            ours: &ours.findings,
            they_pass: theirs.verdict == Verdict::Exit(0),
            they_miss_a_value: theirs.verdict == Verdict::Exit(2),
            they_miss_a_file: theirs.verdict == Verdict::Exit(6),
            explained: Vec::new(),
            unexplained: Vec::new(),
            changes_verdict: false,
        };
        let same_verdict = theirs.verdict == Verdict::Exit(ours.status);
        match differences.only_verdicts(&configuration.name) {
            Some(name) => {
                comparison.explained.push(name);
                comparison.only_verdicts(theirs.verdict, ours.status, differences);
            }
            None => {
                comparison.check_the_wordings();
                comparison.messages(differences);
                if !same_verdict {
                    comparison.verdicts(theirs.verdict, ours.status, differences);
                }
            }
        }
        let Comparison { explained, unexplained, .. } = comparison;
        Judgement { same_verdict, explained, unexplained }
    }
}

impl Comparison<'_> {
    fn complain(&mut self, text: &str) {
        self.unexplained.push(format!("{}: {text}", self.configuration.name));
    }

    /// Nothing that keepalived says goes without a name, and what is marked as told only does not fail its test.
    fn check_the_wordings(&mut self) {
        let unknown: Vec<_> =
            self.theirs.iter().filter(|(_, wording)| wording.is_none()).map(|(said, _)| *said).collect();
        for said in unknown {
            self.complain(&format!("messages.txt does not know: {said}"));
        }
        let counting = self.theirs.iter().find(|(_, wording)| wording.is_some_and(|it| it.manner == Manner::Counts));
        if let (true, Some((said, _))) = (self.they_pass, counting) {
            self.complain(&format!("messages.txt: their test passes, so this is only (told): {said}"));
        }
    }

    fn messages(&mut self, differences: &mut Differences) {
        let mut answered = vec![false; self.ours.len()];
        let not_built = self.ours.iter().any(|finding| finding.code == "not-built");
        let newer = self.uses_newer_words();
        // What follows from a mistake needs no answer where the mistake has one.
        let mut mistake_is_known = false;
        for (said, wording) in std::mem::take(&mut self.theirs) {
            let Some(wording) = wording else { continue };
            let same: Vec<usize> =
                (0..self.ours.len()).filter(|&at| self.is_same(said, wording, &self.ours[at])).collect();
            let worst = same.iter().map(|&at| &self.ours[at]).min_by_key(|finding| finding.severity);
            for &at in &same {
                answered[at] = true;
            }
            let they_mind = match wording.manner {
                Manner::Told => self.they_miss_a_file,
                Manner::Counts | Manner::Follows => !self.they_pass,
            };
            let difference = match worst {
                Some(finding) if they_mind != (finding.severity == Severity::Error) => {
                    Difference::Weight(&said.text, finding.severity, &finding.code)
                }
                Some(finding) => {
                    mistake_is_known |= finding.severity == Severity::Error;
                    continue;
                }
                None if wording.manner == Manner::Follows && mistake_is_known => continue,
                None => Difference::They(&said.text),
            };
            let generated = match difference {
                Difference::They(_) if newer => Some(NEWER),
                Difference::They(_) if not_built => Some(NOT_BUILT),
                _ => None,
            };
            let name =
                generated.map(str::to_owned).or_else(|| differences.explain(&self.configuration.name, difference));
            mistake_is_known = true;
            self.changes_verdict |= they_mind || worst.is_some();
            match name {
                Some(name) => self.explained.push(name),
                None => self.complain(&match worst {
                    Some(finding) => format!("they: {said}; we only: {finding}"),
                    None => format!("only they: {said}"),
                }),
            }
        }
        // A value that is missing ends its reading at once; we go on, and tell the rest, too.
        let they_stopped = self.they_miss_a_value && self.ours.iter().any(|finding| finding.code == "missing-value");
        for (finding, _) in self.ours.iter().zip(answered).filter(|(_, answered)| !answered && !they_stopped) {
            let known = (finding.code == "not-built" && names_what_is_not_built(&finding.text)).then_some(NOT_BUILT);
            let difference = Difference::We(finding.severity, &finding.code);
            self.changes_verdict |= finding.severity == Severity::Error;
            match known.map(str::to_owned).or_else(|| differences.explain(&self.configuration.name, difference)) {
                Some(name) => self.explained.push(name),
                None => self.complain(&format!("only we: {finding}")),
            }
        }
    }

    /// Whether both mean the same: one of the codes, at the same place as far as they tell it.
    fn is_same(&self, said: &Said, wording: &Wording, finding: &Finding) -> bool {
        if !wording.codes.contains(&finding.code) {
            return false;
        }
        let files_fit = match (&said.file, &finding.file) {
            (Some(theirs), Some(ours)) => theirs == ours,
            _ => true,
        };
        let (Some(theirs), Some(ours)) = (said.line, finding.line) else { return true };
        let block = |line| if wording.of_block { self.head_of_block(line) } else { line };
        files_fit && block(theirs) == block(ours)
    }

    /// The line at which the block at the top level begins that this line belongs to.
    fn head_of_block(&self, line: usize) -> usize {
        let is_head = |text: &str| text.contains('{') && !text.starts_with([' ', '\t']);
        let heads = self.configuration.text().lines().enumerate().filter(|(_, text)| is_head(text));
        heads.map(|(at, _)| at + 1).take_while(|&at| at <= line).last().unwrap_or(line)
    }

    fn uses_newer_words(&self) -> bool {
        let newer = newer_words();
        self.theirs.iter().any(|(said, _)| {
            let word = said.text.strip_prefix("Unknown keyword '").and_then(|rest| rest.strip_suffix('\''));
            word.is_some_and(|word| newer.contains(word))
        })
    }

    /// Different ends need a reason among the messages; two ways to fail need one of their own.
    fn verdicts(&mut self, theirs: Verdict, ours: i32, differences: &mut Differences) {
        let by_itself = matches!(theirs, Verdict::Exit(_));
        if self.they_pass != (ours == 0) && self.changes_verdict && by_itself {
            return;
        }
        self.ends(theirs, ours, differences);
    }

    /// What is said is not compared, so how the tests fail need not be the same.
    fn only_verdicts(&mut self, theirs: Verdict, ours: i32, differences: &mut Differences) {
        if self.they_pass != (ours == 0) {
            self.ends(theirs, ours, differences);
        }
    }

    fn ends(&mut self, theirs: Verdict, ours: i32, differences: &mut Differences) {
        let theirs = match theirs {
            Verdict::Exit(code) => code.to_string(),
            Verdict::Signal(number) => format!("signal-{number}"),
        };
        let ours = ours.to_string();
        match differences.explain(&self.configuration.name, Difference::End(&theirs, &ours)) {
            Some(name) => self.explained.push(name),
            None => self.complain(&format!("their test ends with {theirs}, ours with {ours}, and no message says why")),
        }
    }
}

fn keywords() -> impl Iterator<Item = &'static Keyword> {
    Block::ALL.iter().filter(|place| !place.is_ours()).flat_map(|place| place.keywords())
}

/// Every way to write a keyword that came after the keepalived here.
pub(crate) fn newer_words() -> BTreeSet<&'static str> {
    let numbers = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    let newer = keywords().filter(|keyword| match keyword.since.strip_prefix("after ") {
        Some(before) => numbers(before) >= numbers(WRITTEN_FOR),
        None => numbers(keyword.since) > numbers(WRITTEN_FOR),
    });
    newer.flat_map(|keyword| std::iter::once(keyword.name).chain(keyword.synonyms.iter().copied())).collect()
}

/// `` `track_file` is known but not built yet … ``, where the table says so, too.
pub(crate) fn names_what_is_not_built(text: &str) -> bool {
    let word = text.strip_prefix('`').and_then(|rest| rest.split('`').next());
    let is_it = |keyword: &Keyword, word: &str| keyword.name == word || keyword.synonyms.contains(&word);
    word.is_some_and(|word| keywords().any(|keyword| is_it(keyword, word) && keyword.status == Status::NotBuilt))
}
