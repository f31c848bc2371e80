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

/// Reports end up in journals and tickets, so what stands after `auth_pass` is not shown. Every octet is
/// replaced by one, so that places stay where they are.
fn without_passwords(lines: &str) -> String {
    let keyword = "auth_pass";
    let mut out = String::with_capacity(lines.len());
    let mut rest = lines;
    while let Some(at) = rest.find(keyword) {
        let (before, after) = rest.split_at(at + keyword.len());
        out.push_str(before);
        let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
        let (blanks, value) = after.split_at(blanks);
        out.push_str(blanks);
        let length = match value.strip_prefix('"') {
            Some(quoted) => quoted.find(['"', '\n']).map_or(value.len(), |length| length + 2),
            None => value.find([' ', '\t', '\n', '\r', '#', '!', '{', '}']).unwrap_or(value.len()),
        };
        let length = length.min(value.len());
        out.extend(std::iter::repeat_n('*', length));
        rest = &value[length..];
    }
    out.push_str(rest);
    out
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
        check("auth_pass \"open", "auth_pass *****");
        check("auth_pass", "auth_pass");
        check("auth_pass 1 auth_pass 2", "auth_pass * auth_pass *");
    }
}
