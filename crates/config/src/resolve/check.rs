//! `check` of a service: how its health is seen.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use engine::{ScriptConfig, When};

use super::global::unreachable_keyword;
use super::{script, service, values};
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::ServiceCheck;
use crate::statement::{Statement, statements};
use crate::syntax::Word;

/// What the options of a check said.
struct Options {
    interval: Duration,
    timeout: Duration,
    rise: u32,
    fall: u32,
    statuses: RangeInclusive<u16>,
    max_age: Option<Duration>,
    when: When,
}

/// A check as far as it could be read.
pub(super) struct Check {
    pub(super) look: ServiceCheck,
    pub(super) figures: ScriptConfig,
    /// Only of scripts another one than `active`.
    pub(super) when: When,
}

/// Reads what stands after `check`. `taken` holds the names of all checks so far.
pub(super) fn check(
    statement: &Statement<'_>,
    service: &str,
    taken: &mut BTreeSet<String>,
    findings: &mut Findings,
) -> Option<Check> {
    let kind = statement.keyword.name;
    let options = options(statement, findings);
    let (look, target) = match kind {
        "http" => {
            let Url { address, host, path } = url(statement.value(), findings)?;
            let target = statement.value().text.clone();
            (ServiceCheck::Http { address, host, path, statuses: options.statuses }, target)
        }
        "tcp" => {
            let word = statement.value();
            let address =
                endpoint(&word.text, None).map_err(|why| why.report(word, "127.0.0.1:8085", findings)).ok()?;
            (ServiceCheck::Tcp { address }, word.text.clone())
        }
        "process" => {
            (ServiceCheck::Process { name: process(statement.value(), findings)? }, statement.value().text.clone())
        }
        "file" => {
            let path = values::path(statement, findings)?;
            (ServiceCheck::File { path, max_age: options.max_age }, statement.value().text.clone())
        }
        "notify" => (ServiceCheck::Notify, String::new()),
        "script" => {
            let (script, name) = service::checking_program(&statement.values, findings)?;
            (ServiceCheck::Script(script), name)
        }
        other => {
            unreachable_keyword(other, Block::Check, statement, findings);
            return None;
        }
    };
    let figures = ScriptConfig {
        name: unique_name(format!("{service}/{kind} {target}").trim_end(), taken).as_str().into(),
        interval: options.interval,
        timeout: options.timeout,
        rise: options.rise,
        fall: options.fall,
        init_fail: false,
        when: When::Both,
    };
    Some(Check { look, figures, when: options.when })
}

/// The same check twice gets a number the second time.
fn unique_name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted} #{number}");
        number += 1;
    }
    name
}

fn options(check: &Statement<'_>, findings: &mut Findings) -> Options {
    let mut options = Options {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        rise: 1,
        fall: 3,
        statuses: 200..=399,
        max_age: None,
        when: When::Active,
    };
    let Some(place) = check.keyword.options else { return options };
    for statement in statements(place, check.entries(), findings) {
        match statement.keyword.name {
            "interval" => options.interval = values::span(&statement, findings).unwrap_or(options.interval),
            "timeout" => options.timeout = values::span(&statement, findings).unwrap_or(options.timeout),
            "rise" => options.rise = values::count(&statement, findings).unwrap_or(options.rise),
            "fall" => options.fall = values::count(&statement, findings).unwrap_or(options.fall),
            "status" => options.statuses = statuses(statement.value(), findings).unwrap_or(options.statuses),
            "max_age" => options.max_age = values::span(&statement, findings),
            "when" => options.when = script::when(&statement, findings),
            other => unreachable_keyword(other, place, &statement, findings),
        }
    }
    options
}

/// `204` or `200-399`.
fn statuses(word: &Word, findings: &mut Findings) -> Option<RangeInclusive<u16>> {
    let number = |text: &str| text.parse().ok().filter(|status| (100..=599).contains(status));
    let (first, last) = word.text.split_once('-').unwrap_or((&word.text, &word.text));
    let range = number(first).zip(number(last)).filter(|(first, last)| first <= last);
    if range.is_none() {
        findings
            .error("out-of-range", word.span, format!("`{}` is no status or range of them from 100 to 599", word.text))
            .help("for instance `status 200` or `status 200-399`");
    }
    range.map(|(first, last)| first..=last)
}

fn process(word: &Word, findings: &mut Findings) -> Option<String> {
    if !word.text.is_empty() && !word.text.contains('/') {
        return Some(word.text.clone());
    }
    findings
        .error("bad-name", word.span, format!("`{}` is no name of a process", word.text))
        .help("write the name alone, as `ps -e` shows it, for instance `nginx`");
    None
}

/// Why something is no address and port.
#[derive(Debug)]
pub(super) enum NoEndpoint {
    /// A name that would have to be looked up.
    Name(String),
    /// An IPv6 address whose port cannot be told apart.
    Bare,
    NoPort,
    BadPort(String),
}

impl NoEndpoint {
    pub(super) fn report(self, word: &Word, example: &str, findings: &mut Findings) {
        let (code, message, help) = match self {
            Self::Name(name) => (
                "bad-address",
                format!("`{name}` is no address, and a check must not wait for a name server"),
                format!("write the address in numbers, or `localhost`: for instance `{example}`"),
            ),
            Self::Bare => (
                "bad-address",
                format!("where does the address end and the port begin in `{}`?", word.text),
                "put the address in brackets, for instance `[::1]:8085`".to_owned(),
            ),
            Self::NoPort => {
                ("missing-value", format!("`{}` has no port", word.text), format!("for instance `{example}`"))
            }
            Self::BadPort(port) => (
                "out-of-range",
                format!("`{port}` is no port: it takes a number from 1 to 65535"),
                format!("for instance `{example}`"),
            ),
        };
        findings.error(code, word.span, message).help(help);
    }
}

/// An address or `localhost`, and a port unless there is a usual one.
pub(super) fn endpoint(text: &str, usual: Option<u16>) -> Result<SocketAddr, NoEndpoint> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None => return Err(NoEndpoint::BadPort(rest.to_owned())),
        },
        None => match text.rsplit_once(':') {
            Some((before, _)) if before.contains(':') => {
                let is_address = text.parse::<Ipv6Addr>().is_ok();
                return Err(if is_address { NoEndpoint::Bare } else { NoEndpoint::Name(text.to_owned()) });
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let address = match host {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => host.parse().map_err(|_| NoEndpoint::Name(host.to_owned()))?,
    };
    let port = match port {
        Some(port) => values::port(port).ok_or_else(|| NoEndpoint::BadPort(port.to_owned()))?,
        None => usual.ok_or(NoEndpoint::NoPort)?,
    };
    Ok(SocketAddr::new(address, port))
}

struct Url {
    address: SocketAddr,
    host: String,
    path: String,
}

fn url(word: &Word, findings: &mut Findings) -> Option<Url> {
    const EXAMPLE: &str = "http://127.0.0.1:8085/health";
    let text = word.text.as_str();
    let mut bad = |code, message: String, help: String| {
        findings.error(code, word.span, message).help(help);
    };
    let Some(rest) = text.strip_prefix("http://") else {
        match text.split_once("://") {
            Some(("https", _)) => bad(
                "not-built",
                "HTTPS checks are known but not built yet in this version of Tanist".to_owned(),
                "use `check tcp`, or `check script` with a program that speaks it".to_owned(),
            ),
            Some((scheme, _)) => {
                bad("bad-url", format!("`{scheme}` is no HTTP"), format!("for instance `check http {EXAMPLE}`"));
            }
            None => bad("bad-url", format!("`{text}` is no URL"), format!("for instance `check http {EXAMPLE}`")),
        }
        return None;
    };
    if let Some(strange) = rest.chars().find(|character| !character.is_ascii_graphic() || *character == '#') {
        let message = format!("{strange:?} cannot stand in this URL");
        bad("bad-url", message, "write it as it is sent, for instance `%20` for a blank".to_owned());
        return None;
    }
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    if host.contains('@') {
        let help = "use `check script` with a program that sends a password".to_owned();
        bad("bad-url", "a user in the URL is not sent".to_owned(), help);
        return None;
    }
    let address = endpoint(host, Some(80)).map_err(|why| why.report(word, EXAMPLE, findings)).ok()?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some(Url { address, host: host.to_owned(), path })
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn addresses_and_ports() {
        let check = |text, usual, expected: &str| {
            let found = endpoint(text, usual).map_or_else(|why| format!("{why:?}"), |address| address.to_string());
            assert_eq!(found, expected, "{text}");
        };
        check("127.0.0.1:80", None, "127.0.0.1:80");
        check("localhost:8085", None, "127.0.0.1:8085");
        check("[::1]:80", None, "[::1]:80");
        check("[::1]", Some(80), "[::1]:80");
        check("192.0.2.1", Some(80), "192.0.2.1:80");
        check("192.0.2.1", None, "NoPort");
        check("web1:80", None, "Name(\"web1\")");
        check("", Some(80), "Name(\"\")");
        check("127.0.0.1:", None, "BadPort(\"\")");
        check("127.0.0.1:0", None, "BadPort(\"0\")");
        check("127.0.0.1:65536", None, "BadPort(\"65536\")");
        check("127.0.0.1:+80", None, "BadPort(\"+80\")");
        check("[::1]80", None, "BadPort(\"80\")");
        check("2001:db8::1", None, "Bare");
        check("a:b:80", None, "Name(\"a:b:80\")");
    }
}
