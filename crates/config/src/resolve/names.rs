//! What systemd and docker take for a name. They would refuse any other only when the service is to start.

use std::borrow::Cow;

use crate::diagnostic::Findings;
use crate::syntax::Word;

/// The longest name of a unit, its suffix included (systemd.unit(5)).
const LONGEST_UNIT: usize = 255;
/// What systemd can be told to start and to stop.
const STARTABLE: [&str; 9] = ["service", "socket", "target", "timer", "path", "mount", "automount", "swap", "slice"];
/// What comes and goes by itself.
const OTHERS: [&str; 2] = ["device", "scope"];

/// A unit, with its suffix.
pub(super) fn unit(word: &Word, findings: &mut Findings) -> Option<String> {
    let name = word.text.as_str();
    let full = complete(name);
    let Err((reason, help)) = check_unit(name, &full) else { return Some(full.into_owned()) };
    findings
        .error("bad-name", word.span, format!("`{}` cannot be the name of a unit{reason}", shortened(name)))
        .help(help);
    None
}

/// As `systemctl` does, a name without a suffix is that of a service.
fn complete(name: &str) -> Cow<'_, str> {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
    let is_complete = suffix.is_some_and(|suffix| STARTABLE.contains(&suffix) || OTHERS.contains(&suffix));
    if is_complete { name.into() } else { format!("{name}.service").into() }
}

/// The rules of systemd.unit(5); or why it is none, and what to do.
fn check_unit(name: &str, full: &str) -> Result<(), (String, String)> {
    const LIST: &str = "`systemctl list-units --all` lists the names";
    let good = |character: char| character.is_ascii_alphanumeric() || ":-_.\\@".contains(character);
    if let Some(bad) = name.chars().find(|&character| !good(character)) {
        let help = match name.rsplit_once('/') {
            Some(_) => format!("{LIST}; write it without its directory"),
            None => "letters, digits and `: - _ . \\ @` may; `systemd-escape` writes others so".to_owned(),
        };
        return Err((format!(": `{}` may not stand in one", bad.escape_debug()), help));
    }
    // `complete` has seen to it that there is a dot.
    let (stem, suffix) = full.rsplit_once('.').unwrap_or((full, ""));
    // All after the first `@` is the instance.
    let (prefix, instance) = stem.split_once('@').map_or((stem, None), |(prefix, instance)| (prefix, Some(instance)));
    if prefix.is_empty() {
        let missing = if instance.is_some() { "before the `@`" } else { "before the dot" };
        return Err((
            if name.is_empty() { String::new() } else { format!(": nothing stands {missing}") },
            LIST.to_owned(),
        ));
    }
    if instance == Some("") {
        let help = format!(
            "name the instance, for instance `systemd {prefix}@1.{suffix}`; `systemctl list-units --all '{prefix}@*'` lists \
             those that there are"
        );
        return Err((": it is a template, and nothing says which of its instances is meant".to_owned(), help));
    }
    if full.len() > LONGEST_UNIT {
        let reason = format!(": it is {} characters long with its suffix, and {LONGEST_UNIT} is the most", full.len());
        return Err((reason, LIST.to_owned()));
    }
    if OTHERS.contains(&suffix) {
        let reason = format!(" for a service: systemd cannot start a {suffix}");
        return Err((reason, "name the unit that does the work, for instance `nginx.service`".to_owned()));
    }
    Ok(())
}

/// A container, by its name or its id.
pub(super) fn container(word: &Word, findings: &mut Findings) -> Option<String> {
    const LIST: &str = "`docker ps --all` lists the names";
    let name = word.text.as_str();
    let good = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let (reason, help) = match (name.chars().next(), name.chars().find(|&character| !good(character))) {
        (None, _) => (String::new(), LIST.to_owned()),
        // `docker inspect` shows it so.
        (Some('/'), _) if name.len() > 1 && name[1..].chars().all(good) => {
            (": it has no `/`".to_owned(), format!("write `docker {}`", &name[1..]))
        }
        (Some(_), Some(bad @ ('/' | ':' | '@'))) => (
            format!(": `{bad}` may not stand in one"),
            format!("if this is an image: `docker create --name web …` makes a container `web` of it; {LIST}"),
        ),
        (Some(_), Some(bad)) => {
            let reason = format!(": `{}` may not stand in one", bad.escape_debug());
            (reason, format!("letters, digits and `_ . -` may; {LIST}"))
        }
        (Some(first), None) if !first.is_ascii_alphanumeric() => {
            (": it begins with a letter or a digit".to_owned(), LIST.to_owned())
        }
        (Some(_), None) if name.len() < 2 => (": a single character is none".to_owned(), LIST.to_owned()),
        (Some(_), None) => return Some(name.to_owned()),
    };
    findings
        .error("bad-name", word.span, format!("`{}` cannot be the name of a container{reason}", shortened(name)))
        .help(help);
    None
}

/// Nobody reads so much in a message; the excerpt below it has all.
fn shortened(name: &str) -> Cow<'_, str> {
    const LONGEST_SHOWN: usize = 60;
    match name.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]).into(),
        None => name.into(),
    }
}
