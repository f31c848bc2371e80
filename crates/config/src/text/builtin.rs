//! The names that are defined from the start: `${_PWD}`, `${_INSTANCE}`, `${_RANDOM …}`, `${_HASH}`,
//! `${_BANG}`, `${_ENV …}`.

use std::path::Path;

use crate::diagnostic::Findings;
use crate::files::Files;
use crate::source::Span;

/// What the names stand for at one line of one file.
pub(crate) struct Builtins<'a> {
    pub(crate) files: &'a dyn Files,
    /// Directory of the file that is being read.
    pub(crate) directory: &'a Path,
    pub(crate) config_id: &'a str,
    /// How often chance was asked before, so that two questions get two answers.
    pub(crate) drawn: &'a std::cell::Cell<u64>,
    /// What `random_seed` said.
    pub(crate) seed: Option<u64>,
}

impl Builtins<'_> {
    /// `None` if it is none of these names.
    pub(crate) fn value(
        &self,
        name: &str,
        argument: Option<&str>,
        span: Span,
        findings: &mut Findings,
    ) -> Option<String> {
        match (name, argument) {
            ("_PWD", None) => Some(self.files.rooted(self.directory).display().to_string()),
            ("_INSTANCE", None) => Some(self.config_id.to_owned()),
            ("_HASH", None) => Some("#".to_owned()),
            ("_BANG", None) => Some("!".to_owned()),
            ("_RANDOM", bounds) => Some(self.random(bounds, span, findings)),
            ("_ENV", Some(variable)) => Some(self.files.environment(variable).unwrap_or_else(|| {
                findings.warning(
                    "unset-environment",
                    span,
                    format!("the environment variable `{variable}` is not set; nothing is put here"),
                );
                String::new()
            })),
            _ => None,
        }
    }

    /// A whole number from `min` to `max`, 0 to 32767 unless told otherwise.
    fn random(&self, bounds: Option<&str>, span: Span, findings: &mut Findings) -> String {
        let mut words = bounds.unwrap_or_default().split_whitespace();
        let mut bound = |default: u64| match words.next() {
            Some(word) => word.parse().ok(),
            None => Some(default),
        };
        let (min, max) = (bound(0), bound(32767));
        let (Some(min), Some(max)) = (min, max) else {
            findings
                .error("bad-number", span, "`_RANDOM` takes two whole numbers, the least and the greatest")
                .help("for instance `${_RANDOM 1 10}`");
            return String::new();
        };
        if min > max || words.next().is_some() {
            findings
                .error("bad-number", span, "`_RANDOM` takes two numbers, the least and then the greatest")
                .help("for instance `${_RANDOM 1 10}`");
            return String::new();
        }
        let drawn = self.drawn.get();
        self.drawn.set(drawn + 1);
        // Spreads the one number from outside over several answers (the steps of SplitMix64).
        let seed = self.seed.unwrap_or_else(|| self.files.random());
        let mut mixed = seed.wrapping_add(drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let value = match (max - min).checked_add(1) {
            Some(choices) => min + mixed % choices,
            None => mixed,
        };
        value.to_string()
    }
}
