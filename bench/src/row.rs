//! One figure of both daemons, what it should be, and whether it is.

use std::fmt;

use crate::statistics;

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
    /// Of a hundred.
    Percent,
}

/// What is promised for Tanist's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    /// So are 99 of 100.
    AtMostOf99(f64),
    /// At most this part of keepalived's.
    Ratio(f64),
    /// No further from zero than this.
    Within(f64),
    /// Nothing: the figure explains others.
    None,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Figure {
    One(f64),
    /// Of many.
    Spread {
        median: f64,
        percentile_99: f64,
        longest: f64,
        count: usize,
    },
    /// So many of so many tries.
    Part {
        count: usize,
        all: usize,
    },
}

impl Figure {
    /// # Panics
    /// If there is none: whoever measures nothing has failed before.
    pub(crate) fn spread(figures: &[f64]) -> Self {
        let (median, percentile_99) = (statistics::median(figures), statistics::percentile_99(figures));
        Self::Spread { median, percentile_99, longest: statistics::largest(figures), count: figures.len() }
    }

    /// The one that is compared.
    fn worst(self) -> f64 {
        match self {
            Self::One(figure) | Self::Spread { longest: figure, .. } => figure,
            Self::Part { count, all } => count as f64 / all as f64 * 100.0,
        }
    }

    /// The one that is judged.
    fn judged(self, target: Target) -> f64 {
        match (self, target) {
            (Self::Spread { percentile_99, .. }, Target::AtMostOf99(_)) => percentile_99,
            (_, Target::Within(_)) => self.worst().abs(),
            (Self::One(_) | Self::Spread { .. } | Self::Part { .. }, _) => self.worst(),
        }
    }

    fn show(self, unit: Unit) -> String {
        match self {
            Self::One(figure) => unit.show(figure),
            Self::Spread { median, percentile_99, longest, count } => {
                let all = [median, percentile_99, longest];
                let shown = all.map(|figure| unit.show(figure));
                let suffix = shown[0].find(' ').map_or("", |at| &shown[0][at..]);
                let joined = if median.is_infinite() {
                    shown[0].clone()
                } else if longest.is_finite() {
                    // The unit once is enough.
                    shown.each_ref().map(|figure| figure.strip_suffix(suffix).unwrap_or(figure)).join(" / ") + suffix
                } else {
                    shown.join(" / ")
                };
                format!("{joined} ({count})")
            }
            Self::Part { count, all } => format!("{count} of {all}"),
        }
    }
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
    pub(crate) keepalived: Option<Figure>,
    /// `None` where only keepalived has something like it.
    pub(crate) tanist: Option<Figure>,
    /// What the simulator says of Tanist's runs; `None` where it says nothing.
    pub(crate) simulated: Option<Figure>,
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
        Self {
            what: what.into(),
            unit,
            keepalived: Some(Figure::One(figures.keepalived)),
            tanist: Some(Figure::One(figures.tanist)),
            simulated: None,
            target,
        }
    }

    pub(crate) fn of_tanist(what: impl Into<String>, unit: Unit, tanist: f64, target: Target) -> Self {
        Self { what: what.into(), unit, keepalived: None, tanist: Some(Figure::One(tanist)), simulated: None, target }
    }

    /// Tanist's figure as a part of keepalived's, where that means something.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let keepalived = self.keepalived.map(Figure::worst).filter(|figure| *figure > 0.0)?;
        self.tanist
            .map(Figure::worst)
            .filter(|figure| *figure >= 0.0)
            .map(|tanist| tanist / keepalived)
            .filter(|ratio| ratio.is_finite())
    }

    /// The most that Tanist's figure may be.
    fn limit(&self) -> Option<f64> {
        match self.target {
            Target::AtMost(limit) | Target::AtMostOf99(limit) | Target::Within(limit) => Some(limit),
            Target::Ratio(part) => self.keepalived.map(|figure| figure.worst() * part),
            Target::None => None,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match self.limit().zip(self.tanist) {
            Some((limit, tanist)) if tanist.judged(self.target) <= limit => Verdict::Met,
            Some(_) => Verdict::Missed,
            None => Verdict::NoTarget,
        }
    }

    /// For a missed target: by how much, in words.
    pub(crate) fn miss(&self) -> Option<String> {
        let limit = self.limit().filter(|_| self.verdict() == Verdict::Missed)?;
        let tanist = self.tanist?.judged(self.target);
        let (is, allowed) = (self.unit.show(tanist), self.unit.show(limit));
        let over = self.unit.show(tanist - limit);
        Some(format!("{}: {is}, where {allowed} is allowed: {over} too much", self.what))
    }

    pub(crate) fn cells(&self) -> [String; 7] {
        let show = |figure: Option<Figure>| figure.map_or_else(|| "–".to_owned(), |figure| figure.show(self.unit));
        let ratio = self.ratio().map_or_else(|| "–".to_owned(), show_ratio);
        let target = match self.target {
            Target::AtMost(limit) => format!("≤ {}", self.unit.show(limit)),
            Target::AtMostOf99(limit) => format!("99 %: ≤ {}", self.unit.show(limit)),
            Target::Within(limit) => format!("± {}", self.unit.show(limit)),
            Target::Ratio(part) => format!("≤ {} of it", (part * 1e3).round() / 1e3),
            Target::None => "–".to_owned(),
        };
        let [keepalived, tanist, simulated] = [self.keepalived, self.tanist, self.simulated].map(show);
        [self.what.clone(), keepalived, tanist, simulated, ratio, target, self.verdict().to_string()]
    }
}

/// What stands above the cells. The simulator's column is the only one that may be left out.
pub(crate) const HEADINGS: [&str; 7] = ["", "keepalived", "Tanist", "simulated", "ratio", "target", ""];

/// The columns that a table of these rows has.
pub(crate) fn columns(rows: &[Row]) -> Vec<usize> {
    let simulated = rows.iter().any(|row| row.simulated.is_some());
    (0..HEADINGS.len()).filter(|column| simulated || HEADINGS[*column] != "simulated").collect()
}

fn show_ratio(ratio: f64) -> String {
    if ratio >= 0.095 { format!("{ratio:.2}") } else { format!("{ratio:.3}") }
}

impl Unit {
    pub(crate) fn show(self, figure: f64) -> String {
        match self {
            _ if figure.is_infinite() => "no end".to_owned(),
            Self::Milliseconds => format!("{} ms", three_digits(figure)),
            Self::Megabytes => format!("{figure:.2} MB"),
            Self::PerSecond => format!("{}/s", three_digits(figure)),
            Self::CpuPerSecond => format!("{} ms/s", three_digits(figure)),
            Self::Of(all) => format!("{figure:.0} of {all}"),
            Self::Percent => format!("{} %", three_digits(figure)),
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
    fn what_has_no_end_is_told_in_words_and_compares() {
        let row = row(f64::INFINITY, 5.0, Target::AtMost(0.0));
        assert_eq!(row.cells()[1..5], ["no end", "5.00 ms", "–", "0.000"]);
        let missed = Row { tanist: Some(Figure::One(f64::INFINITY)), ..row };
        assert_eq!((missed.ratio(), missed.verdict()), (None, Verdict::Missed));
        let alone = Row { keepalived: Some(Figure::spread(&[1.0, 2.0])), tanist: None, ..missed };
        assert_eq!(alone.cells()[1..3], ["1.50 / 2.00 / 2.00 ms (2)", "–"]);
        let shown = |figures: &[f64]| Figure::spread(figures).show(Unit::Milliseconds);
        assert_eq!(shown(&[1.0, 2.0, f64::INFINITY]), "2.00 ms / no end / no end (3)");
        assert_eq!(shown(&[f64::INFINITY; 2]), "no end (2)");
        assert_eq!(alone.verdict(), Verdict::NoTarget);
    }

    #[test]
    fn one_in_a_hundred_may_be_forgiven() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        let row = Row { tanist: Some(Figure::spread(&hundred)), ..row(500.0, 0.0, Target::AtMostOf99(99.0)) };
        assert_eq!((row.verdict(), row.ratio()), (Verdict::Met, Some(0.2)));
        assert_eq!(row.cells()[5], "99 %: ≤ 99.0 ms");
        let strict = Row { target: Target::AtMost(99.0), ..row };
        assert_eq!(strict.verdict(), Verdict::Missed);
    }

    #[test]
    fn parts_compare_however_many_tries_there_were() {
        let parts =
            Both { keepalived: (1, 2), tanist: (2, 100) }.map(|&(count, all)| Some(Figure::Part { count, all }));
        let what = "x".to_owned();
        let Both { keepalived, tanist } = parts;
        let row = Row { what, unit: Unit::Percent, keepalived, tanist, simulated: None, target: Target::AtMost(0.0) };
        assert_eq!(row.cells(), ["x", "1 of 2", "2 of 100", "–", "0.040", "≤ 0.00 %", "MISSED"]);
        assert_eq!(row.miss().as_deref(), Some("x: 2.00 %, where 0.00 % is allowed: 2.00 % too much"));
    }

    #[test]
    fn too_little_is_as_bad_as_too_much() {
        for (difference, expected) in [(20.0, Verdict::Met), (-20.1, Verdict::Missed), (-19.0, Verdict::Met)] {
            let row = Row::of_tanist("x", Unit::Milliseconds, difference, Target::Within(20.0));
            assert_eq!((row.verdict(), &*row.cells()[5]), (expected, "± 20.0 ms"), "{difference}");
        }
    }

    #[test]
    fn the_simulator_has_a_column_where_it_says_something() {
        let silent = row(1.0, 2.0, Target::None);
        assert_eq!(columns(std::slice::from_ref(&silent)), [0, 1, 2, 4, 5, 6]);
        let simulated = Row { simulated: Some(Figure::One(3.0)), ..silent.clone() };
        assert_eq!((simulated.cells()[3].as_str(), columns(&[silent, simulated]).len()), ("3.00 ms", 7));
    }

    #[test]
    fn cells_and_misses() {
        let cells = row(610.26, 1.0, Target::AtMost(5.0)).cells();
        assert_eq!(cells, ["x", "610 ms", "1.00 ms", "–", "0.002", "≤ 5.00 ms", "met"]);
        let missed = row(20.0, 15.04, Target::Ratio(0.7));
        assert_eq!(missed.cells()[5..], ["≤ 0.7 of it", "MISSED"]);
        let words = "x: 15.0 ms, where 14.0 ms is allowed: 1.04 ms too much";
        assert_eq!(missed.miss().as_deref(), Some(words));
    }
}
