//! What the kernel says: over netlink, and in files.

use linux::foreign;
use linux::netlink::Change;
use linux::number_file::Number;

use crate::octets::from_hex;

/// A datagram.
pub(crate) fn netlink(datagram: &[u8]) {
    let changes = foreign::changes(datagram);
    // A message has a header of 16 octets; a route of IPv6 with several hops is told as several.
    assert!(changes.len() <= datagram.len() / 8, "{} changes of {} octets", changes.len(), datagram.len());
    for change in &changes {
        match change {
            Change::Route(route) | Change::RouteGone(route) => {
                // Once it was read, nothing is lost any more, however odd it is.
                for again in foreign::route_again(route) {
                    assert_eq!(foreign::route_again(&again), [again]);
                }
            }
            Change::Rule(rule) | Change::RuleGone(rule) => {
                let again = foreign::rule_again(rule).expect("what was written can be read");
                assert_eq!(foreign::rule_again(&again).as_ref(), Some(&again));
                assert!(!rule.words().is_empty());
            }
            Change::Link(link) => assert!(!link.name.contains('\0')),
            Change::LinkGone { name, .. } => assert!(!name.contains('\0')),
            Change::Address(address) | Change::AddressGone(address) => {
                assert!(address.label.as_ref().is_none_or(|label| !label.contains('\0')));
            }
            Change::Lost => {}
        }
    }
    let most = datagram.len() / 16;
    assert!(foreign::listeners_in(datagram).len() <= most);
    assert!(foreign::answers(datagram).len() <= most);
    // nftables has a reader of its own, for a refusal is all that it looks for.
    assert_ne!(foreign::refused(datagram), Some(0));
}

/// Headers of messages of this kind around these payloads.
fn datagram(messages: &[(u16, &str)]) -> Vec<u8> {
    let mut datagram = Vec::new();
    for (kind, payload) in messages {
        let payload = from_hex(payload);
        datagram.extend((16 + payload.len() as u32).to_ne_bytes());
        datagram.extend(kind.to_ne_bytes());
        datagram.extend([0; 10]);
        datagram.extend(payload);
        datagram.resize(datagram.len().next_multiple_of(4), 0);
    }
    datagram
}

/// As a machine of little-endian numbers says them.
pub(crate) fn netlink_seeds() -> Vec<Vec<u8>> {
    let link = "00000100 02000000 43100100 00000000 0900030065746830 00000000 08000400dc050000 0a00010002000000000100 00 \
                08000a0003000000";
    let address = "02188000 02000000 08000100c0000264 08000200c0000264 0900030065746830 00000000 05000b0054000000";
    let route = "02180000 fe740001 00000000 08000f00fe000000 08000100c6336400 0800050 0c0000201 0800040002000000";
    let hops = "0a400000 fe740001 00000000 08000f00fe000000 14000100 20010db8000000000000000000000000 \
                24000900 1000 0000 02000000 0800050 0c0000201 1000 0001 03000000 0800050 0c0000202";
    let rule = "0218 0000 fe000001 00000000 08000f0064000000 08000600e8030000 08000100c6336400 05001500 74000000";
    let refused = "eaffffff 1c000000 1800 0500 01000000 00000000 0f0001006e6f2073756368206400 0000";
    vec![
        datagram(&[(16, link), (20, address), (17, link)]),
        datagram(&[(24, route), (25, route), (21, address)]),
        datagram(&[(24, hops)]),
        datagram(&[(32, rule), (33, rule)]),
        datagram(&[(2, refused)]),
        datagram(&[(20, &"02".repeat(72))]),
    ]
}

/// The same octets as each of the files, and as what a socket of the kernel says.
pub(crate) fn files(octets: &[u8]) {
    if foreign::process_event(octets).is_some() {
        assert_eq!(foreign::confirmation(octets), None);
    }
    let (_, rules) = foreign::dropped(octets);
    assert!(rules <= octets.len() / 16);
    let text = String::from_utf8_lossy(octets);
    if let Some((name, ..)) = foreign::process(&text) {
        assert!(text.contains(&format!("({name})")));
    }
    let lines = text.lines().count();
    for name in ["root", "0", "tanist"] {
        if let Some((number, home)) = foreign::user(&text, name) {
            assert!(
                lines > 0 && text.contains(&home) && text.contains(&number.to_string())
                    || number == 0
                    || text.contains('+')
            );
        }
    }
    if let Number::Of(number) = foreign::number(octets)
        && let Some(plain) = text.trim_ascii_start().split_ascii_whitespace().next()
        && !plain.trim_start_matches(['+', '-']).starts_with('0')
        && let Ok(expected) = plain.parse::<i64>()
    {
        assert_eq!(number, expected);
    }
}

pub(crate) fn file_seeds() -> Vec<Vec<u8>> {
    let stat = "812 (a (b) c) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1000 200 18446744073709551615";
    let passwd = "root:x:0:0:root:/root:/bin/sh\ntanist:x:998:997::/var/lib/tanist:/sbin/nologin\n";
    // A rule of the chain "input" with a counter of seven packets.
    let counter = "020000000a000200696e707574000000300004002c0001000c000100636f756e746572001c0002000c000100000000000000 \
                   00000c0002000000000000000007";
    let fork = [[0_u8; 36].to_vec(), from_hex("01000000 00000000 0000000000000000 0700000007000000 0800000008000000")];
    vec![
        stat.into(),
        passwd.into(),
        b" -0x7fffffffffffffff\n".into(),
        b"-9223372036854775808".into(),
        b"017 and more".into(),
        datagram(&[(0x0a06, counter), (3, "00000000")]),
        fork.concat(),
    ]
}
