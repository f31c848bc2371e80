//! What a service needs where it is to be started: ports that nobody else has, and room on disks.

use super::check::{self, endpoint};
use super::values;
use crate::diagnostic::Findings;
use crate::settings::{NeededPort, NeededSpace, ServiceCheck};
use crate::statement::Statement;
use crate::syntax::Word;

/// `needs_port PORT…`, each perhaps with an address before it, or `none`. Empty for `none`.
pub(super) fn ports(statement: &Statement<'_>, findings: &mut Findings) -> Vec<NeededPort> {
    if let [only] = &statement.values[..]
        && only.text == "none"
    {
        return Vec::new();
    }
    statement.values.iter().filter_map(|word| port(word, findings)).collect()
}

fn port(word: &Word, findings: &mut Findings) -> Option<NeededPort> {
    let text = word.text.as_str();
    if text == "none" {
        findings
            .error("bad-choice", word.span, "`none` stands alone")
            .help("write `needs_port none`, or only the ports");
        return None;
    }
    if text.bytes().all(|octet| octet.is_ascii_digit()) {
        let port = values::port(text);
        if port.is_none() {
            check::NoEndpoint::BadPort(text.to_owned()).report(word, "needs_port 8080", findings);
        }
        return port.map(|port| NeededPort { address: None, port, by_check: false });
    }
    let found = endpoint(text, None).map_err(|why| why.report(word, "needs_port 127.0.0.1:8080", findings)).ok()?;
    Some(NeededPort { address: Some(found.ip()), port: found.port(), by_check: false })
}

/// What is asked where the service runs is where it will listen.
pub(super) fn ports_of_checks(checks: &[ServiceCheck]) -> Vec<NeededPort> {
    let mut ports: Vec<NeededPort> = Vec::new();
    for check in checks {
        let address = match check {
            ServiceCheck::Http { address, .. } | ServiceCheck::Tcp { address } => address,
            ServiceCheck::Process { .. }
            | ServiceCheck::File { .. }
            | ServiceCheck::Notify
            | ServiceCheck::Script(_) => continue,
        };
        let needed = NeededPort { address: Some(address.ip()), port: address.port(), by_check: true };
        if !ports.contains(&needed) {
            ports.push(needed);
        }
    }
    ports
}

/// `needs_disk PATH SIZE`.
pub(super) fn disk(statement: &Statement<'_>, findings: &mut Findings) -> Option<NeededSpace> {
    let path = values::path(statement, findings);
    let size = statement.values.get(1)?;
    let Some(octets) = octets(&size.text) else {
        findings
            .error("bad-number", size.span, format!("`{}` is no size", size.text))
            .help("a number of octets, or with a unit: `64K`, `500M`, `2G`, `1T`");
        return None;
    };
    Some(NeededSpace { path: path?, octets })
}

/// `1048576`, `64K`, `500M`, `2G`, `1T`: in powers of 1024, as `df -h` counts.
fn octets(text: &str) -> Option<u64> {
    const UNITS: &[u8] = b"KMGT";
    let unit = text.bytes().last().and_then(|last| UNITS.iter().position(|unit| *unit == last.to_ascii_uppercase()));
    let (number, power) = match unit {
        Some(place) => (&text[..text.len() - 1], place as u32 + 1),
        None => (text, 0),
    };
    if !number.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(1024u64.checked_pow(power)?).filter(|octets| *octets > 0)
}

#[cfg(test)]
mod tests {
    use super::octets;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("1", Some(1)),
            ("64K", Some(65_536)),
            ("500M", Some(524_288_000)),
            ("2g", Some(2_147_483_648)),
            ("1T", Some(1_099_511_627_776)),
            ("0", None),
            ("", None),
            ("G", None),
            ("1.5G", None),
            ("-1M", None),
            ("+1M", None),
            ("1GB", None),
            ("99999999999T", None),
        ] {
            assert_eq!(octets(text), expected, "{text}");
        }
    }
}
