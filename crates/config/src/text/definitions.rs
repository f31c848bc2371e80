//! `$NAME=value` and what becomes of `$NAME` and `${NAME}`.

use std::collections::BTreeMap;

use super::builtin::Builtins;
use super::glyph::{Glyph, name_length, span_of, text_of};
use crate::diagnostic::Findings;
use crate::source::Span;
use crate::suggest::nearest;

/// More replacements than this in one line are a definition that refers to itself.
const MOST_REPLACEMENTS: usize = 1000;
/// A line that grows beyond this is no configuration any more.
const LONGEST_LINE: usize = 1 << 16;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    /// A part of a line.
    Line(Vec<Glyph>),
    /// Several lines, each read like a line of a file when it is used.
    Lines(Vec<Vec<Glyph>>),
}

/// All names defined so far. A later definition of the same name replaces the earlier one.
#[derive(Debug, Default)]
pub(crate) struct Definitions(BTreeMap<String, Definition>);

/// What became of a line.
pub(crate) enum Expanded {
    /// It contains nothing to replace any more.
    Line(Vec<Glyph>),
    /// A definition of several lines was used: these are to be read instead.
    Lines(Vec<Vec<Glyph>>),
    /// It does not end; that was reported.
    Endless,
}

impl Definitions {
    pub(crate) fn set(&mut self, name: String, value: Definition) -> Option<Definition> {
        self.0.insert(name, value)
    }

    /// Puts back what `set` returned.
    pub(crate) fn restore(&mut self, name: &str, previous: Option<Definition>) {
        match previous {
            Some(value) => _ = self.0.insert(name.to_owned(), value),
            None => _ = self.0.remove(name),
        }
    }

    /// Replaces every name that is defined, again and again: values are looked into only when they are used.
    pub(crate) fn expand(&self, mut line: Vec<Glyph>, builtins: &Builtins<'_>, findings: &mut Findings) -> Expanded {
        let mut replacements = 0;
        let mut at = 0;
        while let Some(reference) = next_reference(&line, at) {
            let Reference { start, end, name, argument } = reference;
            let Some(span) = span_of(&line[start..end]) else { break };
            replacements += 1;
            if replacements > MOST_REPLACEMENTS || line.len() > LONGEST_LINE {
                findings
                    .error("endless-definition", span, format!("`${name}` refers to itself, or becomes far too long"))
                    .help("define it without using it in its own value");
                return Expanded::Endless;
            }
            if let Some(text) = builtins.value(&name, argument.as_deref(), span, findings) {
                let value: Vec<Glyph> = text.chars().map(|character| Glyph { character, span }).collect();
                // What comes from outside is not looked into again.
                at = start + value.len();
                line.splice(start..end, value);
                continue;
            }
            match self.0.get(&name) {
                Some(Definition::Line(value)) => {
                    let value: Vec<Glyph> = value.iter().map(|glyph| Glyph { span, ..*glyph }).collect();
                    line.splice(start..end, value);
                    at = start;
                }
                Some(Definition::Lines(lines)) => {
                    let mut lines = lines.clone();
                    let rest = line.split_off(end);
                    line.truncate(start);
                    if let Some(first) = lines.first_mut() {
                        first.splice(0..0, line);
                    }
                    if let Some(last) = lines.last_mut() {
                        last.extend(rest);
                    }
                    return Expanded::Lines(lines);
                }
                None => {
                    let known = nearest(&name, self.0.keys().map(String::as_str));
                    findings
                        .hint("undefined-name", span, format!("`${name}` is not defined and stays as it is"))
                        .maybe_help(known.map(|known| format!("did you mean `${known}`?")));
                    at = end;
                }
            }
        }
        Expanded::Line(line)
    }
}

/// `$NAME`, `${NAME}` or `${NAME argument}` in a line.
struct Reference {
    start: usize,
    end: usize,
    name: String,
    argument: Option<String>,
}

fn next_reference(line: &[Glyph], from: usize) -> Option<Reference> {
    let mut start = from;
    loop {
        start += line.get(start..)?.iter().position(|glyph| glyph.character == '$')?;
        let braced = line.get(start + 1).is_some_and(|glyph| glyph.character == '{');
        let name_at = start + 1 + usize::from(braced);
        let length = name_length(&line[name_at..]);
        if length > 0 {
            let name = text_of(&line[name_at..name_at + length]);
            if !braced {
                return Some(Reference { start, end: name_at + length, name, argument: None });
            }
            let close = line[name_at..].iter().position(|glyph| glyph.character == '}').map(|at| name_at + at);
            if let Some(close) = close {
                let argument = text_of(&line[name_at + length..close]);
                let argument = argument.trim();
                // Only what we define ourselves takes an argument; everything else must end after the name.
                if argument.is_empty() || name.starts_with('_') {
                    let argument = (!argument.is_empty()).then(|| argument.to_owned());
                    return Some(Reference { start, end: close + 1, name, argument });
                }
            }
        }
        start += 1;
    }
}

/// `$NAME=` at the start of a line: the name, where it stands, and the rest of the line.
pub(crate) fn definition(line: &[Glyph]) -> Option<(String, Span, &[Glyph])> {
    if line.first()?.character != '$' {
        return None;
    }
    let length = name_length(&line[1..]);
    let equals = 1 + length;
    if length == 0 || line.get(equals)?.character != '=' {
        return None;
    }
    Some((text_of(&line[1..equals]), span_of(&line[..equals])?, &line[equals + 1..]))
}
