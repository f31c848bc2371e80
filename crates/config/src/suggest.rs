//! "Did you mean": the nearest of a few known names.

/// The candidate that differs least from `word`, if it is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in a short word, two in a longer one, a third for the longest.
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, exchange or swap with their neighbour until one word is the other.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.to_lowercase().chars().collect();
    let other: Vec<char> = other.to_lowercase().chars().collect();
    // A name ten times as long is no slip, and comparing it would take long.
    if one.len().abs_diff(other.len()) > 3 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let exchange = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
                let mut best = exchange.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_leaves_strangers_alone() {
        let names = ["priority", "interface", "interval", "state", "chk_ntpd", "mode"];
        let check = |word, expected| assert_eq!(nearest(word, names), expected, "{word}");
        check("prioirty", Some("priority"));
        check("Interface", Some("interface"));
        check("interfase", Some("interface"));
        check("check_ntpd", Some("chk_ntpd"));
        check("sate", Some("state"));
        check("interfacexyz", Some("interface"));
        check("frobnicate", None);
        check("protocol", None);
        // Two letters that have changed places are one slip, and a short word may have no more.
        check("omde", Some("mode"));
        check("omed", None);
        check("ab", None);
    }
}
