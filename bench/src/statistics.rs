//! What many figures come to.

use std::time::Duration;

/// The middle one; of an even number the mean of the two in the middle.
///
/// # Panics
/// If there is none: whoever measures nothing has failed before.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let sorted = sorted(figures);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// The smallest figure that at least 95 of 100 do not exceed (nearest rank). Of fewer than 20 that is the largest.
///
/// # Panics
/// If there is none.
pub(crate) fn percentile_95(figures: &[f64]) -> f64 {
    percentile(figures, 95)
}

/// The smallest figure that at least 99 of 100 do not exceed (nearest rank). Of fewer than 100 that is the largest.
///
/// # Panics
/// If there is none.
pub(crate) fn percentile_99(figures: &[f64]) -> f64 {
    percentile(figures, 99)
}

fn percentile(figures: &[f64], of_hundred: usize) -> f64 {
    let sorted = sorted(figures);
    let rank = (sorted.len() * of_hundred).div_ceil(100);
    sorted[rank - 1]
}

/// # Panics
/// If there is none.
pub(crate) fn largest(figures: &[f64]) -> f64 {
    *sorted(figures).last().expect("something was measured")
}

pub(crate) fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    assert!(!figures.is_empty(), "nothing was measured");
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let twenty: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        for (figures, middle, rank_95, rank_99, top) in [
            (&[7.0][..], 7.0, 7.0, 7.0, 7.0),
            (&[3.0, -1.0, 2.0], 2.0, 3.0, 3.0, 3.0),
            (&[4.0, 1.0, 2.0, 3.0], 2.5, 4.0, 4.0, 4.0),
            (&twenty, 10.5, 19.0, 20.0, 20.0),
            (&hundred, 50.5, 95.0, 99.0, 100.0),
            (&[1.0, f64::INFINITY], f64::INFINITY, f64::INFINITY, f64::INFINITY, f64::INFINITY),
        ] {
            assert_eq!(median(figures), middle, "median of {figures:?}");
            assert_eq!(percentile_95(figures), rank_95, "95 % of {figures:?}");
            assert_eq!(percentile_99(figures), rank_99, "99 % of {figures:?}");
            assert_eq!(largest(figures), top, "largest of {figures:?}");
        }
    }
}
