//! Files of our own that somebody else may have touched.

use config::hmac_key;
use daemon::foreign;
use sha2::{Digest, Sha256};

const CHECKSUM: &str = "sha256 ";

/// The lines above the checksum, which is put below them. So a file is looked at that a program with a mistake has written.
pub(crate) fn record(octets: &[u8]) {
    let sum: String = Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect();
    let whole = [octets, CHECKSUM.as_bytes(), sum.as_bytes(), b"\n"].concat();
    if let Ok((record, boot)) = foreign::record(&whole) {
        assert_eq!(foreign::record_text(&record, &boot).as_bytes(), whole);
        // No half of it is a whole one.
        for end in [whole.len() - 1, whole.len() / 2, octets.len(), 1] {
            assert!(foreign::record(&whole[..end]).is_err());
        }
        let mut damaged = whole.clone();
        damaged[octets.len() / 2] ^= 1;
        assert!(foreign::record(&damaged).is_err());
    }
    assert!(foreign::record(octets).is_err() || octets.ends_with(b"\n"));
}

pub(crate) fn record_seeds() -> Vec<Vec<u8>> {
    [
        "tanist record 1\nboot 0b5f8a2e-1\nlatch-number 3\nacknowledged 2\nlatch too-many-moves % a%25b\n\
         maintenance 1795000000\nrouter VI_1 7 active\nrouter B%c3%bcro%202 18446744073709551615 inactive \
         held-by-operator held-by-down-file\nservice job failed\nservice web%20server good 7000000001@1794999000 8000000000\n",
        "tanist record 1\nboot unknown\nlatch-number 0\nacknowledged 0\nmaintenance\n",
        "tanist record 1\nboot x\nlatch-number 1\nacknowledged 0\nlatch both-failed db alpha\n",
        "tanist record 1\nboot x\nlatch-number 1\nacknowledged 0\nlatch record-damaged db alpha\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// What a file with a key holds: that of a pair, or one of `auth_hmac`.
pub(crate) fn keys(octets: &[u8]) {
    let is_one = octets.len() == 64 && octets.iter().all(u8::is_ascii_hexdigit);
    match foreign::pair_key(octets) {
        Some(key) => {
            assert!(is_one);
            let text: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(text.as_bytes(), octets.to_ascii_lowercase());
        }
        None => assert!(!is_one),
    }
    match hmac_key(octets) {
        Ok(key) => {
            // The least and the most that a key has, as it is or as digits.
            let length = octets.strip_prefix(b"hex:").map_or(octets.len(), |digits| digits.len() / 2);
            assert!((32..=64).contains(&length), "{length}");
            assert!(format!("{key:?}").contains("****"), "{key:?}");
        }
        Err(why) => {
            // Its words depend on how long it is and of what kind its octets are, never on the key.
            let again = hmac_key(&like(octets)).expect_err("it is as wrong");
            assert_eq!(why.to_string(), again.to_string());
        }
    }
}

/// Another key of the same form.
fn like(key: &[u8]) -> Vec<u8> {
    let (prefix, rest) = key.split_at(if key.starts_with(b"hex:") { 4 } else { 0 });
    let other = |octet: &u8| match octet {
        b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => b'0',
        b'g'..=b'z' | b'G'..=b'Z' => b'z',
        other => *other,
    };
    prefix.iter().copied().chain(rest.iter().map(other)).collect()
}

pub(crate) fn key_seeds() -> Vec<Vec<u8>> {
    let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    vec![
        digits.into(),
        format!("hex:{digits}").into(),
        format!("hex:{digits}{digits}").into(),
        b"correct horse battery staple of 32".into(),
        b"hex:0".into(),
    ]
}
