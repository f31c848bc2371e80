//! What travels by VRRP, and around it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use engine::vrrp::receive::ChecksumForm;
use engine::wire::{Advertisement, advertisement, arp, checksum::Checksum, ipv4, ipv6, neighbour, packet, trailer};
use engine::{Family, Version};

use crate::octets::{Octets, from_hex};

/// More than the longest advertisement: 255 addresses of IPv6.
const ROOM: usize = 4200;

fn ends(family: Family) -> (IpAddr, IpAddr) {
    match family {
        Family::Ipv4 => (Ipv4Addr::new(192, 0, 2, 1).into(), engine::wire::GROUP.into()),
        Family::Ipv6 => (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(), engine::wire::GROUP6.into()),
    }
}

/// The first octet chooses version and family.
pub(crate) fn advertisement(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let choice = octets.octet();
    let version = if choice & 1 == 0 { Version::V2 } else { Version::V3 };
    let family = if choice & 2 == 0 { Family::Ipv4 } else { Family::Ipv6 };
    let octets = octets.rest();
    let (source, destination) = ends(family);
    let _ = advertisement::checksum_form(version, octets, source, destination);
    let trimmed = advertisement::trim(version, family, octets);
    let Ok(read) = advertisement::decode(version, family, octets) else { return };
    let trimmed = trimmed.expect("what is read is long enough");
    assert_eq!(advertisement::peek_vrid(octets), Some(read.vrid));
    assert_eq!(advertisement::peek_version(octets), Some(version.number()));
    assert_eq!(read.addresses.len(), usize::from(octets[3]));
    assert_eq!(read.addresses.iter().count(), read.addresses.len());
    assert!(read.addresses.iter().all(|address| read.addresses.contains(address)));

    let mut room = [0; ROOM];
    let written = advertisement::encode(&read, source, destination, &mut room).expect("there is room");
    let again: Result<Advertisement<'_>, _> = advertisement::decode(version, family, written);
    assert_eq!(again, Ok(read));
    let without = |octets: &[u8]| {
        let mut octets = octets.to_vec();
        // The checksum, and what is reserved in version 3.
        octets[6..8].fill(0);
        if version == Version::V3 {
            octets[4] &= 0x0f;
        }
        octets
    };
    assert_eq!(without(written), without(trimmed));
    let expected = match version {
        Version::V2 if family == Family::Ipv6 => None,
        Version::V2 => Some(ChecksumForm::MessageOnly),
        Version::V3 => Some(ChecksumForm::WithPseudoHeader),
    };
    assert_eq!(advertisement::checksum_form(version, written, source, destination), expected);
    // What stands behind it, if that could be a trailer.
    if let Some(behind) = octets.get(trimmed.len()..)
        && let Some(trailer) = trailer::read(behind)
    {
        assert_eq!(
            (behind[1], behind[4..12].to_vec()),
            (trailer.key, trailer.sequence.number().to_be_bytes().to_vec())
        );
    }
}

/// From captures of keepalived.
const PACKETS: [&str; 4] = [
    "45c0002c00010000ff70188dc0000201e0000012 213396020101 3169 c0000264c0000265 6162636465666768",
    "45c0002c00010000ff70188dc0000201e0000012 213464020001 f5fd c0000264c0000265 0000000000000000",
    "45c0002400010000ff701895c0000201e0000012 3135c802000a df5e c0000264c0000265",
    "45c0002400010000ff7036a5c0000201c0000202 31364d020032 7846 c0000264c0000265",
];

pub(crate) fn advertisement_seeds() -> Vec<Vec<u8>> {
    let of_ipv6 = "31340a010064 0000 fe800000000000000000000000000100";
    let mut seeds: Vec<Vec<u8>> = PACKETS.iter().map(|packet| from_hex(packet)[20..].to_vec()).collect();
    for (seed, choice) in seeds.iter_mut().zip([0, 0, 1, 1]) {
        seed.insert(0, choice);
    }
    let mut of_ipv6 = from_hex(of_ipv6);
    of_ipv6.insert(0, 3);
    seeds.push(of_ipv6);
    seeds
}

/// The first octet chooses the family.
pub(crate) fn ip_packet(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let family = if octets.octet() & 1 == 0 { Family::Ipv4 } else { Family::Ipv6 };
    let octets = octets.rest();
    let Some(read) = packet::parse(family, octets) else { return };
    assert_eq!(read.header, &octets[..read.header.len()]);
    let behind = &octets[read.header.len()..];
    assert_eq!(read.payload, &behind[..read.payload.len()]);
    let mut written = [0; 64];
    let length = read.payload.len();
    let again = match (read.source, read.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let done = ipv4::write_header(&mut written, (source, destination), read.protocol, read.ttl, 7, length);
            assert!(done.is_some());
            assert_eq!(Checksum::default().include(&written[..20]).finish(), 0);
            [&written[..20], read.payload].concat()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let done = ipv6::write_header(&mut written, (source, destination), (read.protocol, 0), read.ttl, length);
            assert!(done.is_some());
            [&written[..40], read.payload].concat()
        }
        ends => panic!("the ends of a packet are of one family: {ends:?}"),
    };
    let again = packet::parse(family, &again).expect("what was written can be read");
    assert_eq!((again.source, again.destination, again.ttl), (read.source, read.destination, read.ttl));
    assert_eq!((again.protocol, again.payload), (read.protocol, read.payload));
}

pub(crate) fn ip_packet_seeds() -> Vec<Vec<u8>> {
    let of_ipv6 = "6c000000 0018 70ff fe800000000000000000000000000001 ff020000000000000000000000000012 \
                   31340a010064 0000 fe800000000000000000000000000100";
    let all = PACKETS.iter().map(|packet| (0, *packet)).chain([(1, of_ipv6)]);
    all.map(|(family, packet)| [vec![family], from_hex(packet)].concat()).collect()
}

/// A hardware address, an address of IPv4, one of IPv6, and whether this host is a router.
pub(crate) fn announcement(octets: &[u8]) {
    let mut octets = Octets::new(octets);
    let hardware: [u8; 6] = octets.array();
    let (v4, v6) = (Ipv4Addr::from(octets.array::<4>()), Ipv6Addr::from(octets.array::<16>()));
    let router = octets.octet() & 1 == 1;

    let frame = arp::gratuitous(hardware, v4);
    let mut read = Octets::new(&frame);
    assert_eq!((read.array::<6>(), read.array::<6>(), read.number()), ([0xff; 6], hardware, 0x0806));
    assert_eq!((read.number(), read.number(), read.array::<2>(), read.number()), (1, 0x0800, [6, 4], 1));
    assert_eq!((read.array::<6>(), Ipv4Addr::from(read.array::<4>())), (hardware, v4));
    // RFC 5227 §3: the hardware address of the target means nothing.
    read.take(6);
    assert_eq!(Ipv4Addr::from(read.array::<4>()), v4);
    assert!(read.is_empty());

    let frame = neighbour::unsolicited(hardware, v6, router);
    assert_eq!(
        (&frame[..6], &frame[6..12], &frame[12..14]),
        (&[0x33, 0x33, 0, 0, 0, 1][..], &hardware[..], &[0x86, 0xdd][..])
    );
    let packet = ipv6::parse(&frame[14..]).expect("a packet of IPv6");
    assert_eq!((packet.source, packet.hop_limit, packet.next_header), (v6, 255, 58));
    assert_eq!(packet.destination, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1));
    let length = u16::try_from(packet.payload.len()).expect("it is short");
    let sum = Checksum::default().include_pseudo_header(packet.source.into(), packet.destination.into(), 58, length);
    assert_eq!(sum.include(packet.payload).finish(), 0);
    let mut read = Octets::new(packet.payload);
    let (kind, _checksum, flags) = (read.number(), read.number(), read.octet());
    // RFC 4861 §4.4: override, not solicited.
    assert_eq!((kind, flags), (136 << 8, if router { 0xa0 } else { 0x20 }));
    read.take(3);
    assert_eq!((Ipv6Addr::from(read.array::<16>()), read.number(), read.array::<6>()), (v6, 0x0201, hardware));
    assert!(read.is_empty());
}

pub(crate) fn announcement_seeds() -> Vec<Vec<u8>> {
    vec![from_hex("020000000001 c0000264 20010db8000000000000000000000064 01")]
}
