//! File name patterns of `include`: `*`, `?`, `[a-z]`, and alternatives in braces.

use std::path::{Component, Path, PathBuf};

use crate::files::Files;

/// More alternatives than this are a mistake, or an attack.
const MOST_ALTERNATIVES: usize = 1000;

/// Writes out the alternatives of `a{b,c{d,e}}f`. Braces without a partner stay as they are.
pub(crate) fn alternatives(pattern: &str) -> Vec<String> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(pattern) = open.pop() {
        match first_braces(&pattern) {
            Some((start, end, choices)) if open.len() + done.len() + choices.len() <= MOST_ALTERNATIVES => {
                // The last is taken first from the stack, so the first must be pushed last.
                for choice in choices.iter().rev() {
                    open.push(format!("{}{}{}", &pattern[..start], choice, &pattern[end..]));
                }
            }
            _ => done.push(pattern),
        }
    }
    done
}

/// Where the first complete pair of braces starts and ends, and its choices.
fn first_braces(pattern: &str) -> Option<(usize, usize, Vec<&str>)> {
    let start = pattern.find('{')?;
    let mut depth = 0;
    let mut choice_at = start + 1;
    let mut choices = Vec::new();
    for (at, character) in pattern.char_indices().skip_while(|(at, _)| *at < start) {
        match character {
            '{' => depth += 1,
            ',' if depth == 1 => {
                choices.push(&pattern[choice_at..at]);
                choice_at = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    choices.push(&pattern[choice_at..at]);
                    return Some((start, at + 1, choices));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether there is anything to match.
pub(crate) fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// The existing paths that match, sorted. A pattern without wildcards is returned as it is.
pub(crate) fn expand(files: &dyn Files, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let Component::Normal(name) = component else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        let name = name.to_string_lossy();
        if !has_wildcard(&name) {
            found.iter_mut().for_each(|path| path.push(&*name));
            continue;
        }
        let pattern: Vec<char> = name.chars().collect();
        found = found
            .iter()
            .flat_map(|directory| {
                // A directory that is not there or not readable matches nothing.
                let mut names = files.list(directory).unwrap_or_default();
                names.retain(|name| matches(&pattern, &name.chars().collect::<Vec<_>>()));
                names.sort();
                names.into_iter().map(|name| directory.join(name))
            })
            .collect();
    }
    found
}

/// Whether a name matches one component of a pattern. A leading dot must be written.
fn matches(pattern: &[char], name: &[char]) -> bool {
    if name.first() == Some(&'.') && pattern.first() != Some(&'.') {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    let mut last_star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                last_star = Some((p, n));
                continue;
            }
            Some('[') => {
                if let Some((end, true)) = set(pattern, p, name[n]) {
                    p = end;
                    n += 1;
                    continue;
                }
            }
            Some(wanted) if *wanted == '?' || *wanted == name[n] => {
                p += 1;
                n += 1;
                continue;
            }
            _ => {}
        }
        // Let the last star take one character more.
        let Some((behind, taken)) = &mut last_star else { return false };
        *taken += 1;
        (p, n) = (*behind, *taken);
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

/// Where the set that starts at `start` ends, and whether it contains the character.
fn set(pattern: &[char], start: usize, character: char) -> Option<(usize, bool)> {
    let negated = matches!(pattern.get(start + 1), Some('!' | '^'));
    let first = start + 1 + usize::from(negated);
    // A bracket right at the start belongs to the set.
    let end = first + 1 + pattern.get(first + 1..)?.iter().position(|c| *c == ']')?;
    let members = &pattern[first..end];
    let mut contains = false;
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == '-' {
            contains |= (members[at]..=members[at + 2]).contains(&character);
            at += 3;
        } else {
            contains |= members[at] == character;
            at += 1;
        }
    }
    Some((end + 1, contains != negated))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MOST_ALTERNATIVES, alternatives, expand, matches};
    use crate::MemoryFiles;

    #[test]
    fn braces() {
        let check = |pattern, expected: &[&str]| assert_eq!(alternatives(pattern), expected, "{pattern}");
        check("a.conf", &["a.conf"]);
        check("{a,b}.conf", &["a.conf", "b.conf"]);
        check("{foo/{,cat,dog},bar}", &["foo/", "foo/cat", "foo/dog", "bar"]);
        check("a{b", &["a{b"]);
        check("a}{b,c}", &["a}b", "a}c"]);
        assert_eq!(alternatives(&"{a,b}".repeat(12)).len(), MOST_ALTERNATIVES);
    }

    #[test]
    fn names() {
        let check = |pattern: &str, name: &str, expected| {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(matches(&chars(pattern), &chars(name)), expected, "{pattern} {name}");
        };
        check("*.conf", "a.conf", true);
        check("*.conf", ".conf", false);
        check("*.conf", "a.conf~", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-b-b-", false);
        check("v[0-9]?", "v1x", true);
        check("v[!0-9]", "v1", false);
        check("[]x]", "]", true);
        check("[!a]", "!", true);
        check("[a]", "a", true);
        check("[a-]", "-", true);
        check("[", "x", false);
    }

    #[test]
    fn paths() {
        let files =
            MemoryFiles::single("/etc/k/conf.d/b.conf", "").with("/etc/k/conf.d/a.conf", "").with("/etc/k/x", "");
        let paths = |pattern: &str| -> Vec<String> {
            expand(&files, Path::new(pattern)).iter().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(paths("/etc/k/conf.d/*.conf"), ["/etc/k/conf.d/a.conf", "/etc/k/conf.d/b.conf"]);
        assert_eq!(paths("/etc/*/x"), ["/etc/k/x"]);
        assert_eq!(paths("/nowhere/*"), [""; 0]);
        assert_eq!(paths("/etc/k/missing"), ["/etc/k/missing"]);
    }
}
