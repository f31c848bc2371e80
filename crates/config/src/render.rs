//! Draws findings for people, as rustc does.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Sources;

/// Every finding with its excerpt, then one line that sums up.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &Sources, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&one(diagnostic, sources, &renderer));
        out.push_str("\n\n");
    }
    out.push_str(&summary(diagnostics, sources));
    out.push('\n');
    out
}

fn one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::NOTE.with_name("hint"),
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let place = diagnostic.place.as_ref();
    let source = place.and_then(|place| sources.iter().find(|source| source.path == place.file));
    let path = place.map_or_else(String::new, |place| place.file.display().to_string());
    let mut group = annotate_snippets::Group::with_title(title);
    if let (Some(place), Some(source)) = (place, source) {
        // Only the lines concerned are handed over, so that a finding costs the same in a file of any length.
        let (lines, start) = source.lines(&place.span);
        let lines = without_passwords(lines);
        let within = |offset: usize| offset.saturating_sub(start).min(lines.len());
        let span = within(place.span.start)..within(place.span.end);
        group = group.element(
            Snippet::source(lines).line_start(place.line).path(path).annotation(AnnotationKind::Primary.span(span)),
        );
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// Reports end up in journals and tickets, so passwords and keys are not shown: what stands after `auth_pass`, after
/// `key` and its number, and after `hex:` wherever that is. Every octet is replaced by one, so that places stay where
/// they are.
fn without_passwords(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len());
    let mut rest = lines;
    while let Some(secret) = next_secret(rest) {
        let (before, value) = rest.split_at(secret);
        out.push_str(before);
        let length = match value.strip_prefix('"') {
            Some(quoted) => quoted.find(['"', '\n']).map_or(value.len(), |length| length + 2),
            // What a comment cuts off without a blank may have been meant as part of it.
            None => value.find([' ', '\t', '\n', '\r', '{', '}']).unwrap_or(value.len()),
        };
        let length = length.min(value.len());
        out.extend(std::iter::repeat_n('*', length));
        rest = &value[length..];
    }
    out.push_str(rest);
    out
}

/// Where the first password or key begins, if there is one.
fn next_secret(text: &str) -> Option<usize> {
    let behind = |keyword: &str, at: usize| &text[at + keyword.len()..];
    let place = |part: &str| text.len() - part.len();
    let password = text.find("auth_pass").map(|at| place(blanks_skipped(behind("auth_pass", at))));
    // A word of this name that a number follows, be it mistyped, is only in `auth_hmac`; what is in a file is no secret here.
    let key = text.match_indices("key").find_map(|(at, keyword)| {
        let numbered = blanks_skipped(behind(keyword, at));
        let is_number = numbered.starts_with(|digit: char| digit.is_ascii_digit());
        let value = numbered.trim_start_matches(|part: char| is_number && !part.is_ascii_whitespace());
        let unquoted = blanks_skipped(value).trim_start_matches('"');
        let apart = numbered.len() < behind(keyword, at).len() && blanks_skipped(value).len() < value.len();
        let given = apart && !unquoted.starts_with("file:");
        given.then(|| place(blanks_skipped(value)))
    });
    let digits = text.match_indices("hex:").map(|(at, prefix)| at + prefix.len()).find(|at| {
        let ahead = text[*at..].bytes();
        ahead.take(MANY_DIGITS).filter(u8::is_ascii_hexdigit).count() == MANY_DIGITS
    });
    [password, key, digits].into_iter().flatten().min()
}

/// So many hexadecimal digits in a row are a key.
const MANY_DIGITS: usize = 16;

fn blanks_skipped(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn summary(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = match sources.iter().next() {
        Some(first) => format!("{}: ", first.path.display()),
        None => String::new(),
    };
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Hint]
        .into_iter()
        .map(|severity| (count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let counts = counts.join(", ");
    if count(Severity::Error) > 0 {
        write!(out, "cannot be used: {counts}").expect("writing to a string cannot fail");
    } else if counts.is_empty() {
        out.push_str("good");
    } else {
        write!(out, "good, with {counts}").expect("writing to a string cannot fail");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn passwords_are_not_shown() {
        let check = |line, expected| assert_eq!(without_passwords(line), expected);
        check("    auth_pass 1234 # it", "    auth_pass **** # it");
        check("auth_pass\t\"a b\"", "auth_pass\t*****");
        check("{ auth_type PASS auth_pass 1111}", "{ auth_type PASS auth_pass ****}");
        check("auth_pass 密码", "auth_pass ******");
        check("auth_pass ab\\#12 # it", "auth_pass ****** # it");
        check("auth_pass \"open", "auth_pass *****");
        check("auth_pass", "auth_pass");
        check("auth_pass 1 auth_pass 2", "auth_pass * auth_pass *");
        check("  key 1 hex:0011 # it", "  key 1 ******** # it");
        check("key 12 \"a b\"\nkey 2\tsecret", "key 12 *****\nkey 2\t******");
        check("auth_hmac { key 1 abc active_key 1 }", "auth_hmac { key 1 *** active_key 1 }");
        check("key 1 file:/etc/key", "key 1 file:/etc/key");
        check("key /etc/key.pem", "key /etc/key.pem");
        check("$K=hex:00112233445566778899 # it", "$K=hex:******************** # it");
        check("key 1", "key 1");
        check("key1 it", "key1 it");
        check("key 1x it", "key 1x **");
        check("key x1 it", "key x1 it");
        check("key 1 ", "key 1 ");
        check("key 1 hex:001122334455667788 auth_pass x", "key 1 ********************** auth_pass *");
    }
}
