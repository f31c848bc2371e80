//! Seals of advertisements: `auth_hmac` and `auth_type AH`.

use std::net::{IpAddr, Ipv4Addr};

use engine::wire::authentication_header::{self, AuthenticationHeader};
use engine::wire::trailer::{self, Sequence, Trailer};
use engine::wire::{PROTOCOL_AUTHENTICATION_HEADER, ipv4};
use engine::{HmacKey, Password};

use crate::octets::Octets;

/// Flips bits as the octets say; whether anything is another now but at `free`.
fn damage(octets: &mut Octets<'_>, whole: &mut [u8], free: &dyn Fn(usize) -> bool) -> bool {
    let before = whole.to_vec();
    for _ in 0..=octets.below(4) {
        let place = octets.below(whole.len());
        whole[place] ^= octets.octet();
    }
    (0..whole.len()).any(|place| whole[place] != before[place] && !free(place))
}

/// A key, a sequence, an advertisement and what is damaged in it; then octets that are no trailer of ours.
pub(crate) fn hmac_trailer(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let Some(key) = HmacKey::new(&octets.array::<32>()) else { panic!("32 octets are a key") };
    let source = IpAddr::V4(Ipv4Addr::from(octets.array::<4>()));
    let said = Trailer { key: octets.octet(), sequence: Sequence::from_number(u64::from_be_bytes(octets.array())) };
    let length = octets.below(64);
    let advertisement = octets.take(length);
    let Some(written) = trailer::write(said, &key, source, advertisement) else {
        return assert!(advertisement.len() < 8, "only what is no advertisement has no trailer");
    };
    assert_eq!(trailer::read(&written), Some(said));
    assert!(trailer::is_genuine(&key, source, advertisement, &written));
    let elsewhere = IpAddr::V4(Ipv4Addr::from(octets.array::<4>()));
    assert_eq!(trailer::is_genuine(&key, elsewhere, advertisement, &written), elsewhere == source);

    let mut whole = [advertisement, &written].concat();
    // The checksum is not covered: it is there for others.
    let free = |place: usize| (6..8).contains(&place);
    if damage(&mut octets, &mut whole, &free) {
        let (damaged, trailer) = whole.split_at(advertisement.len());
        let genuine = trailer::is_genuine(&key, source, damaged, trailer);
        assert!(!genuine, "forged: {damaged:02x?} {trailer:02x?}");
    }
    let foreign = octets.rest();
    assert!(trailer::read(foreign).is_none() || foreign.len() == trailer::LENGTH);
    assert!(!trailer::is_genuine(&key, source, advertisement, foreign) || foreign == written);
}

/// A password, ends, a sequence, an advertisement and what is damaged in it; then octets that are no header of ours.
pub(crate) fn authentication_header(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let password = Password::from(octets.array::<8>());
    let (source, destination) = (Ipv4Addr::from(octets.array::<4>()), Ipv4Addr::from(octets.array::<4>()));
    let said = AuthenticationHeader { spi: source, sequence: u32::from_be_bytes(octets.array()) };
    let length = octets.below(64);
    let advertisement = octets.take(length);
    let mut packet = vec![0; ipv4::HEADER_LENGTH];
    let payload = authentication_header::LENGTH + advertisement.len();
    let done = ipv4::write_header(&mut packet, (source, destination), PROTOCOL_AUTHENTICATION_HEADER, 255, 1, payload);
    assert!(done.is_some());
    packet.extend([0; authentication_header::LENGTH]);
    packet.extend(advertisement);
    assert!(authentication_header::write(said, &password, &mut packet).is_some());
    let (ip, payload) = packet.split_at(ipv4::HEADER_LENGTH);
    assert_eq!(authentication_header::split(payload), Some((said, advertisement)));
    assert!(authentication_header::is_genuine(&password, ip, payload));

    let mut damaged = packet.clone();
    let by_multicast = destination.is_multicast();
    // What routers may change (RFC 2402 §3.3.3.1.1), and how long the header is, which is parsed before; a flipped
    // bit of the destination may make it one of the other kind, for which the time to live counts otherwise.
    let free = |place: usize| [0, 1, 6, 7, 10, 11].contains(&place) || place == 8 && !by_multicast;
    if damage(&mut octets, &mut damaged, &free) && damaged[0] == 0x45 {
        let (ip, payload) = damaged.split_at(ipv4::HEADER_LENGTH);
        assert!(!authentication_header::is_genuine(&password, ip, payload), "forged: {damaged:02x?}");
    }
    let foreign = octets.rest();
    if let Some((_, behind)) = authentication_header::split(foreign) {
        assert_eq!(behind.len() + authentication_header::LENGTH, foreign.len());
    }
    let _ = authentication_header::is_genuine(&password, foreign, payload);
    assert!(!authentication_header::is_genuine(&password, ip, foreign) || foreign == payload);
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seed: Vec<u8> = (0..45).collect();
    seed.push(16);
    seed.extend([0x21, 51, 100, 2, 0, 1, 0, 0, 192, 0, 2, 100, 192, 0, 2, 101, 192, 0, 2, 9, 3, 1, 1, 20, 4, 30, 128]);
    vec![seed, vec![1; 120]]
}
