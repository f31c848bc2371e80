//! `differences.txt`: what is different on purpose, and why.

use config::Severity;

use crate::pattern::Pattern;

/// One entry of the list.
#[derive(Debug)]
struct Entry {
    name: String,
    /// What keepalived says, each with whether that was met; `None` means that it says nothing of the kind.
    they: Option<Vec<(Pattern, bool)>>,
    /// What we say, each with whether that was met; `None` means that we say nothing of the kind.
    we: Option<(Severity, Vec<(String, bool)>)>,
    /// How the tests end, where no message says why.
    ends: Option<(String, String)>,
    /// Only whether the tests pass is compared.
    only_verdicts: bool,
    /// What is understood differently, each with whether that was met.
    understood: Vec<(Pattern, bool)>,
    /// In which configurations, each with whether it was met there.
    places: Vec<(Pattern, bool)>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Differences {
    entries: Vec<Entry>,
}

/// A difference that was met.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Difference<'a> {
    /// Only they say it.
    They(&'a str),
    /// Only we say it.
    We(Severity, &'a str),
    /// Both say it; for them it fails the test, for us it does not, or the other way round.
    Weight(&'a str, Severity, &'a str),
    /// Both tests fail, but not alike.
    End(&'a str, &'a str),
    /// Both set this differently.
    Understood(&'a str),
}

impl Differences {
    /// Entries of the form
    ///
    /// ```text
    /// ## a-name
    /// they: what keepalived says        (or `-`; may be repeated)
    /// we: warning a-code another-code   (or `-`)
    /// ends: 5 2                         (instead of these two: how the tests end where no message says why)
    /// understood: VI_1: Priority        (instead of these: a field that both set differently; may be repeated)
    /// compare: verdicts                 (instead of these: not what is said)
    /// in: configuration another-*       (all, if it is not there)
    /// because: the reason, which may go on
    ///     in the next lines
    /// ```
    pub(crate) fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut reasons = 0;
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            if let Some(name) = line.strip_prefix("## ") {
                let name = name.to_owned();
                let places = Vec::new();
                let understood = Vec::new();
                entries.push(Entry {
                    name,
                    they: None,
                    we: None,
                    ends: None,
                    only_verdicts: false,
                    understood,
                    places,
                });
                continue;
            }
            if line.starts_with(' ') {
                continue;
            }
            let entry = entries.last_mut().unwrap_or_else(|| panic!("differences.txt: before the first entry: {line}"));
            let (field, value) =
                line.split_once(": ").unwrap_or_else(|| panic!("differences.txt: not understood: {line}"));
            let value = value.trim();
            match field {
                "they" if value == "-" => {}
                "they" => entry.they.get_or_insert_default().push((Pattern::new(value), false)),
                "we" if value == "-" => {}
                "we" => {
                    let mut words = value.split_whitespace();
                    let severity = match words.next() {
                        Some("error") => Severity::Error,
                        Some("warning") => Severity::Warning,
                        Some("hint") => Severity::Hint,
                        other => panic!("differences.txt: {}: no severity: {other:?}", entry.name),
                    };
                    entry.we = Some((severity, words.map(|code| (code.to_owned(), false)).collect()));
                }
                "ends" => {
                    let (theirs, ours) = value.split_once(' ').expect("ends: THEIRS OURS");
                    entry.ends = Some((theirs.to_owned(), ours.to_owned()));
                }
                "understood" => entry.understood.push((Pattern::new(value), false)),
                "compare" if value == "verdicts" => entry.only_verdicts = true,
                "in" => entry.places.extend(value.split_whitespace().map(|place| (Pattern::new(place), false))),
                "because" => reasons += 1,
                other => panic!("differences.txt: {}: unknown field {other}", entry.name),
            }
        }
        assert_eq!(reasons, entries.len(), "differences.txt: each entry has one reason");
        for entry in &mut entries {
            if entry.places.is_empty() {
                entry.places.push((Pattern::new("*"), false));
            }
        }
        Self { entries }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The name of the entry by which only whether the tests pass is compared here.
    pub(crate) fn only_verdicts(&mut self, configuration: &str) -> Option<String> {
        self.entries.iter_mut().filter(|entry| entry.only_verdicts).find_map(|Entry { name, places, .. }| {
            mark(places, |place| place.fits(configuration)).then(|| name.clone())
        })
    }

    /// The name of the entry that has this difference.
    pub(crate) fn explain(&mut self, configuration: &str, difference: Difference<'_>) -> Option<String> {
        let found =
            self.entries.iter_mut().find_map(|entry| entry.explains(configuration, difference).then_some(entry));
        found.map(|entry| entry.name.clone())
    }

    /// Whether some entry, for whatever configuration, has this of what keepalived says.
    pub(crate) fn has_for_some_they(&self, text: &str) -> bool {
        self.entries.iter().filter_map(|entry| entry.they.as_ref()).flatten().any(|(pattern, _)| pattern.fits(text))
    }

    /// The same of what we say.
    pub(crate) fn has_for_some_we(&self, severity: Severity, code: &str) -> bool {
        let ours = self.entries.iter().filter_map(|entry| entry.we.as_ref());
        ours.filter(|(is, _)| *is == severity).flat_map(|(_, codes)| codes).any(|(known, _)| known == code)
    }

    /// Whatever is listed and was not met, among what is understood or among the rest.
    pub(crate) fn stale(&self, among_understood: bool) -> Vec<String> {
        let mut stale = Vec::new();
        let entries = self.entries.iter().filter(|entry| among_understood != entry.understood.is_empty());
        for Entry { name, they, we, understood, places, .. } in entries {
            let understood = understood.iter().map(|(pattern, met)| (pattern.text(), *met));
            let they = they.iter().flatten().map(|(pattern, met)| (pattern.text(), *met));
            let we = we.iter().flat_map(|(_, codes)| codes).map(|(code, met)| (code.as_str(), *met));
            let places = places.iter().map(|(place, met)| (place.text(), *met));
            for (what, _) in they.chain(we).chain(understood).chain(places).filter(|(_, met)| !met) {
                stale.push(format!("differences.txt: {name}: does not occur any more: {what}"));
            }
        }
        stale
    }
}

impl Entry {
    fn explains(&mut self, configuration: &str, difference: Difference<'_>) -> bool {
        let Self { they, we, ends, only_verdicts, understood, places, .. } = self;
        if *only_verdicts {
            return false;
        }
        let Some(place) = places.iter_mut().find(|(place, _)| place.fits(configuration)) else { return false };
        let they_said = |they: &mut Option<Vec<(Pattern, bool)>>, text: &str| {
            let patterns = they.iter_mut().flatten();
            mark(patterns, |pattern| pattern.fits(text))
        };
        let met = match difference {
            Difference::They(text) => we.is_none() && they_said(they, text),
            Difference::We(severity, code) => match we {
                Some((is, codes)) => they.is_none() && *is == severity && mark(codes, |known| known == code),
                None => false,
            },
            Difference::Weight(text, severity, code) => match we {
                // Both, or neither is marked as met.
                Some((is, codes)) if *is == severity && codes.iter().any(|(known, _)| known == code) => {
                    they_said(they, text) && mark(codes, |known| known == code)
                }
                _ => false,
            },
            Difference::Understood(field) => mark(understood, |pattern| pattern.fits(field)),
            Difference::End(theirs, ours) => ends.as_ref().is_some_and(|(t, o)| t == theirs && o == ours),
        };
        place.1 |= met;
        met
    }
}

/// Marks the first that fits; whether there is one.
fn mark<'a, T: 'a>(list: impl IntoIterator<Item = &'a mut (T, bool)>, fits: impl Fn(&T) -> bool) -> bool {
    match list.into_iter().find(|(item, _)| fits(item)) {
        Some((_, met)) => {
            *met = true;
            true
        }
        None => false,
    }
}
