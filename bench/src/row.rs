//! One figure of both daemons, what it should be, and whether it is.

use std::fmt;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    Megabytes,
    /// So many in a second.
    PerSecond,
    /// Milliseconds of processor time in each second.
    CpuPerSecond,
    /// So many out of this many.
    Of(usize),
}

/// What is promised for Tanist's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    /// At most this part of keepalived's.
    Ratio(f64),
    /// Nothing: the figure explains others.
    None,
}

/// The same figure of both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Both<T> {
    pub(crate) keepalived: T,
    pub(crate) tanist: T,
}

impl<T> Both<T> {
    pub(crate) fn map<U>(&self, turn: impl Fn(&T) -> U) -> Both<U> {
        Both { keepalived: turn(&self.keepalived), tanist: turn(&self.tanist) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    /// `None` where keepalived has nothing like it.
    pub(crate) keepalived: Option<f64>,
    pub(crate) tanist: f64,
    pub(crate) target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    NoTarget,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: Unit, figures: Both<f64>, target: Target) -> Self {
        Self { what: what.into(), unit, keepalived: Some(figures.keepalived), tanist: figures.tanist, target }
    }

    pub(crate) fn of_tanist(what: impl Into<String>, unit: Unit, tanist: f64, target: Target) -> Self {
        Self { what: what.into(), unit, keepalived: None, tanist, target }
    }

    /// Tanist's figure as a part of keepalived's, where that means something.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let keepalived = self.keepalived.filter(|figure| *figure > 0.0)?;
        (self.tanist >= 0.0).then_some(self.tanist / keepalived)
    }

    /// The most that Tanist's figure may be.
    fn limit(&self) -> Option<f64> {
        match self.target {
            Target::AtMost(limit) => Some(limit),
            Target::Ratio(part) => self.keepalived.map(|figure| figure * part),
            Target::None => None,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match self.limit() {
            Some(limit) if self.tanist <= limit => Verdict::Met,
            Some(_) => Verdict::Missed,
            None => Verdict::NoTarget,
        }
    }

    /// For a missed target: by how much, in words.
    pub(crate) fn miss(&self) -> Option<String> {
        let limit = self.limit().filter(|_| self.verdict() == Verdict::Missed)?;
        let (is, allowed) = (self.unit.show(self.tanist), self.unit.show(limit));
        let over = self.unit.show(self.tanist - limit);
        Some(format!("{}: {is}, where {allowed} is allowed: {over} too much", self.what))
    }

    pub(crate) fn cells(&self) -> [String; 6] {
        let keepalived = self.keepalived.map_or_else(|| "–".to_owned(), |figure| self.unit.show(figure));
        let ratio = self.ratio().map_or_else(|| "–".to_owned(), show_ratio);
        let target = match self.target {
            Target::AtMost(limit) => format!("≤ {}", self.unit.show(limit)),
            Target::Ratio(part) => format!("≤ {} of it", (part * 1e3).round() / 1e3),
            Target::None => "–".to_owned(),
        };
        [self.what.clone(), keepalived, self.unit.show(self.tanist), ratio, target, self.verdict().to_string()]
    }
}

fn show_ratio(ratio: f64) -> String {
    if ratio >= 0.095 { format!("{ratio:.2}") } else { format!("{ratio:.3}") }
}

impl Unit {
    pub(crate) fn show(self, figure: f64) -> String {
        match self {
            Self::Milliseconds => format!("{} ms", three_digits(figure)),
            Self::Megabytes => format!("{figure:.2} MB"),
            Self::PerSecond => format!("{}/s", three_digits(figure)),
            Self::CpuPerSecond => format!("{} ms/s", three_digits(figure)),
            Self::Of(all) => format!("{figure:.0} of {all}"),
        }
    }
}

/// As many decimals as tell something.
fn three_digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::NoTarget => "–",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(keepalived: f64, tanist: f64, target: Target) -> Row {
        Row::new("x", Unit::Milliseconds, Both { keepalived, tanist }, target)
    }

    #[test]
    fn verdicts() {
        for (keepalived, tanist, target, expected) in [
            (10.0, 5.0, Target::AtMost(5.0), Verdict::Met),
            (10.0, 5.1, Target::AtMost(5.0), Verdict::Missed),
            (10.0, 5.0, Target::Ratio(0.5), Verdict::Met),
            (10.0, 5.1, Target::Ratio(0.5), Verdict::Missed),
            (0.0, 0.0, Target::Ratio(0.5), Verdict::Met),
            (0.0, 99.0, Target::None, Verdict::NoTarget),
        ] {
            assert_eq!(row(keepalived, tanist, target).verdict(), expected, "{keepalived} {tanist} {target:?}");
        }
    }

    #[test]
    fn a_ratio_needs_something_to_compare_with() {
        assert_eq!(row(10.0, 5.0, Target::None).ratio(), Some(0.5));
        assert_eq!(row(0.0, 5.0, Target::None).ratio(), None);
        assert_eq!(row(1.0, -0.1, Target::None).ratio(), None);
        assert_eq!(Row::of_tanist("x", Unit::Megabytes, 1.0, Target::None).ratio(), None);
    }

    #[test]
    fn cells_and_misses() {
        let cells = row(610.26, 1.0, Target::AtMost(5.0)).cells();
        assert_eq!(cells, ["x", "610 ms", "1.00 ms", "0.002", "≤ 5.00 ms", "met"]);
        let missed = row(20.0, 15.04, Target::Ratio(0.7));
        assert_eq!(missed.cells()[4..], ["≤ 0.7 of it", "MISSED"]);
        let words = "x: 15.0 ms, where 14.0 ms is allowed: 1.04 ms too much";
        assert_eq!(missed.miss().as_deref(), Some(words));
    }
}
