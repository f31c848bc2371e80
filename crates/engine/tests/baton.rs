//! The side channel's octets: what is read is what was written, only who has the key can write, and nothing that
//! arrives can do harm.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use proptest::prelude::*;
use tanist_engine::vrrp::receive::Discard;
use tanist_engine::wire::baton::{
    BatonMessage, Hears, LatchStatement, MAX_LENGTH, MAX_TEXT, MaintenanceStatement, RouterStatement, Seal,
    SendingStatement, ServiceStatement, Stance, Statement,
};
use tanist_engine::{BatonDiscard, HandoverReason, LatchReason, Name, PairKey, Priority, ServiceStateName, Vrid};

/// Written down by hand; the seal was computed with Python's `hmac`, from the key 00 01 02 … 1f.
const GOLDEN: &str = "
    544e5354 01
    1111111111111111 2222222222222222 3333333333333333
    0000000000000007 0000000000000003 0000000000000002
    000000012a05f200 0000000124101100 0000000002faf080
    0005616c706861 00
    010002646202000462657461
    0000000000000004 0000000000000003
    01010000000000001c2000000005000462657461
    0000000000000009
    0002 01 00
    0001
        0003766970 0503 96 0104c0000201 000000000000000c 00 01 00
        01 33 0001 04e0000012 03 07 0002 0000000a fffffffe
        0001
            00026462 04 0100 01000010706f72742038302069732074616b656e 00 0001000000000000001e00000000
            00 01000000000000003d1dcd6500 0001 00000007
    2f2795c10eb50dd899edd6d0c7854b0a1644ec0562f774db558de8fb490a3bec
";

fn golden_message() -> BatonMessage {
    BatonMessage {
        life: 0x1111_1111_1111_1111,
        challenge: 0x2222_2222_2222_2222,
        echo: 0x3333_3333_3333_3333,
        sequence: 7,
        version: 3,
        seen: 2,
        sent_at: 5_000_000_000,
        heard_at: 4_900_000_000,
        held: 50_000_000,
        statement: Statement {
            node: Name::from("alpha"),
            stopped: false,
            latch: Some(LatchStatement {
                service: Name::from("db"),
                reason: LatchReason::TooManyMoves,
                node: Name::from("beta"),
            }),
            latch_number: 4,
            acknowledged: 3,
            maintenance: Some(MaintenanceStatement {
                remaining: Some(Duration::new(7200, 5)),
                node: Name::from("beta"),
            }),
            maintenance_number: 9,
            paths: vec![true, false],
            routers: vec![RouterStatement {
                name: Name::from("vip"),
                stance: Stance::Offering(HandoverReason::Failback),
                priority: Priority::new(150),
                address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
                epoch: 12,
                held: false,
                released: true,
                wants: None,
                sending: Some(SendingStatement {
                    vrid: Vrid::new(51).unwrap(),
                    destinations: vec![IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18))],
                }),
                hears: Hears::Discards(Discard::AuthenticationFailure),
                terms: vec![10, u32::MAX - 1],
                services: vec![ServiceStatement {
                    name: Name::from("db"),
                    state: ServiceStateName::Running,
                    healthy: Some(false),
                    readiness: Some(Err(Name::from("port 80 is taken"))),
                    failed: false,
                    moves: vec![Duration::from_secs(30)],
                    gone_for: None,
                    running_for: Some(Duration::from_millis(61_500)),
                    terms: vec![7],
                }],
            }],
        },
    }
}

fn key() -> PairKey {
    PairKey::from(std::array::from_fn(|position| position as u8))
}

fn octets_from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

#[test]
fn a_message_has_the_octets_that_are_written_down() {
    assert_eq!(Seal::new(&key()).seal(&golden_message()), octets_from_hex(GOLDEN));
    assert_eq!(Seal::new(&key()).open(&octets_from_hex(GOLDEN)), Ok(golden_message()));
}

#[test]
fn one_wrong_octet_and_it_is_none() {
    let seal = Seal::new(&key());
    let octets = octets_from_hex(GOLDEN);
    for position in 0..octets.len() {
        let mut wrong = octets.clone();
        wrong[position] ^= 1;
        // Magic and version of the form come before the seal, so that another protocol is not taken for an attack.
        let expected = if position < 5 { BatonDiscard::Malformed } else { BatonDiscard::BadSeal };
        assert_eq!(seal.open(&wrong), Err(expected), "octet {position}");
        let shortened = if position < 37 { BatonDiscard::Malformed } else { BatonDiscard::BadSeal };
        assert_eq!(seal.open(&octets[..position]), Err(shortened), "{position} octets");
    }
    let other = PairKey::from([7; 32]);
    assert_eq!(Seal::new(&other).open(&octets), Err(BatonDiscard::BadSeal));
}

#[test]
fn a_seal_does_not_print_its_key() {
    assert_eq!(format!("{:?}", Seal::new(&key())), "Seal(********)");
}

#[test]
fn routers_that_do_not_fit_are_left_out() {
    let seal = Seal::new(&key());
    let mut message = golden_message();
    let sample = message.statement.routers[0].clone();
    message.statement.routers = (0..2_000)
        .map(|number| {
            let mut router = sample.clone();
            router.name = Name::from(format!("router {number}").as_str());
            // One in the middle would not even fit alone.
            if number == 5 {
                router.services[0].moves = vec![Duration::from_secs(1); 70_000];
            }
            router
        })
        .collect();
    // Wherever the last one that fits ends.
    for shift in [0, 60, 120] {
        message.statement.node = Name::from("x".repeat(shift).as_str());
        let octets = seal.seal(&message);
        assert!(octets.len() <= MAX_LENGTH && octets.len() > MAX_LENGTH - 200, "{} octets", octets.len());
        let opened = seal.open(&octets).unwrap();
        let expected: Vec<_> = message.statement.routers.iter().filter(|router| &*router.name != "router 5").collect();
        assert!(opened.statement.routers.len() > 400);
        assert_eq!(opened.statement.routers.iter().collect::<Vec<_>>(), expected[..opened.statement.routers.len()]);
    }
}

#[test]
fn too_long_a_text_is_cut_where_a_character_ends() {
    let seal = Seal::new(&key());
    let mut message = golden_message();
    message.statement.node = Name::from(format!("x{}", "é".repeat(MAX_TEXT)).as_str());
    let opened = seal.open(&seal.seal(&message)).unwrap();
    assert_eq!(&*opened.statement.node, format!("x{}", "é".repeat(499)));
    message.statement.node = Name::from("x".repeat(MAX_TEXT).as_str());
    assert_eq!(seal.open(&seal.seal(&message)), Ok(message));
}

/// Well-sealed nonsense: who has the key may still have another program.
#[test]
fn sealed_nonsense_is_malformed() {
    let sealed = |content: &[u8]| sealed_by_hand(&key(), content);
    let octets = octets_from_hex(GOLDEN);
    let content = &octets[..octets.len() - 32];
    let seal = Seal::new(&key());
    assert_eq!(seal.open(&sealed(content)), Ok(golden_message()), "the seal made by hand fits");
    for length in 5..content.len() {
        assert_eq!(seal.open(&sealed(&content[..length])), Err(BatonDiscard::Malformed), "{length} octets");
    }
    assert_eq!(seal.open(&sealed(&[content, &[0]].concat())), Err(BatonDiscard::Malformed), "one octet more");
    // What is counted below a second is less than one.
    let second = content.windows(4).position(|four| four == [0, 0, 0, 5]).expect("7200 s and 5 ns");
    let mut more = content.to_vec();
    more[second..second + 4].copy_from_slice(&1_000_000_000_u32.to_be_bytes());
    assert_eq!(seal.open(&sealed(&more)), Err(BatonDiscard::Malformed), "a second in nanoseconds");
    // Whatever its seal is.
    let long = vec![0; MAX_LENGTH];
    assert_eq!(seal.open(&[content, &long].concat()), Err(BatonDiscard::Malformed), "too long");
}

fn sealed_by_hand(key: &PairKey, content: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;
    let mac = |key: &[u8], text: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes()
    };
    let derived = mac(&key[..], b"tanist baton 1");
    [content, &mac(&derived, content)[..]].concat()
}

fn name() -> impl Strategy<Value = Name> {
    any::<String>().prop_map(|text| Name::from(text.chars().take(200).collect::<String>().as_str()))
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

fn span() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanoseconds)| Duration::new(seconds, nanoseconds))
}

fn handover_reason() -> impl Strategy<Value = HandoverReason> {
    prop_oneof![
        Just(HandoverReason::Operator),
        Just(HandoverReason::ServiceFailed),
        Just(HandoverReason::Failback),
        Just(HandoverReason::Leaving),
        Just(HandoverReason::Held),
    ]
}

fn stance() -> impl Strategy<Value = Stance> {
    prop_oneof![
        Just(Stance::Out),
        Just(Stance::Standby),
        Just(Stance::Claiming),
        Just(Stance::Active),
        handover_reason().prop_map(Stance::Offering),
        handover_reason().prop_map(Stance::Releasing),
    ]
}

fn service() -> impl Strategy<Value = ServiceStatement> {
    let state = prop_oneof![
        Just(ServiceStateName::Unknown),
        Just(ServiceStateName::Stopped),
        Just(ServiceStateName::Starting),
        Just(ServiceStateName::Running),
        Just(ServiceStateName::Stopping),
    ];
    let readiness = proptest::option::of(prop_oneof![Just(Ok(())), name().prop_map(Err)]);
    let moves = proptest::collection::vec(span(), 0..4);
    let spans = (proptest::option::of(span()), proptest::option::of(span()));
    let flags = (any::<Option<bool>>(), any::<bool>());
    (name(), state, flags, readiness, moves, spans, terms()).prop_map(
        |(name, state, (healthy, failed), readiness, moves, (gone_for, running_for), terms)| ServiceStatement {
            name,
            state,
            healthy,
            readiness,
            failed,
            moves,
            gone_for,
            running_for,
            terms,
        },
    )
}

fn terms() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..4)
}

fn sending() -> impl Strategy<Value = SendingStatement> {
    (1u8.., proptest::collection::vec(address(), 0..3))
        .prop_map(|(vrid, destinations)| SendingStatement { vrid: Vrid::new(vrid).unwrap(), destinations })
}

fn hears() -> impl Strategy<Value = Hears> {
    let discard = prop_oneof![Just(Discard::Ttl), Just(Discard::Version), Just(Discard::OwnAddress)];
    prop_oneof![Just(Hears::Enough), Just(Hears::Nothing), discard.prop_map(Hears::Discards)]
}

fn router() -> impl Strategy<Value = RouterStatement> {
    let numbers = (any::<u8>(), any::<u64>(), any::<bool>(), any::<bool>());
    let wants = proptest::option::of(handover_reason());
    let services = proptest::collection::vec(service(), 0..3);
    let understanding = (proptest::option::of(sending()), hears(), terms());
    (name(), stance(), numbers, proptest::option::of(address()), wants, services, understanding).prop_map(
        |(name, stance, (priority, epoch, held, released), address, wants, services, (sending, hears, terms))| {
            RouterStatement {
                name,
                stance,
                priority: Priority::new(priority),
                address,
                epoch,
                held,
                released,
                wants,
                sending,
                hears,
                terms,
                services,
            }
        },
    )
}

fn statement() -> impl Strategy<Value = Statement> {
    let reason =
        prop_oneof![Just(LatchReason::BothFailed), Just(LatchReason::TooManyMoves), Just(LatchReason::RecordDamaged),];
    let latch = (name(), reason, name()).prop_map(|(service, reason, node)| LatchStatement { service, reason, node });
    let maintenance =
        (proptest::option::of(span()), name()).prop_map(|(remaining, node)| MaintenanceStatement { remaining, node });
    let (latch, maintenance) = (proptest::option::of(latch), proptest::option::of(maintenance));
    let paths = proptest::collection::vec(any::<bool>(), 0..3);
    (name(), latch, maintenance, any::<[u64; 3]>(), paths, proptest::collection::vec(router(), 0..4)).prop_map(
        |(node, latch, maintenance, [latch_number, acknowledged, maintenance_number], paths, routers)| Statement {
            stopped: latch_number % 2 == 1,
            node,
            latch,
            latch_number,
            acknowledged,
            maintenance,
            maintenance_number,
            paths,
            routers,
        },
    )
}

fn message() -> impl Strategy<Value = BatonMessage> {
    (any::<[u64; 9]>(), statement()).prop_map(
        |([life, challenge, echo, sequence, version, seen, sent_at, heard_at, held], statement)| BatonMessage {
            life,
            challenge,
            echo,
            sequence,
            version,
            seen,
            sent_at,
            heard_at,
            held,
            statement,
        },
    )
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(message in message()) {
        let seal = Seal::new(&key());
        let octets = seal.seal(&message);
        prop_assert!(octets.len() <= MAX_LENGTH);
        prop_assert_eq!(seal.open(&octets), Ok(message));
    }

    #[test]
    fn arbitrary_octets_are_discarded(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Seal::new(&key()).open(&octets).is_err());
        let labelled = [&b"TNST\x01"[..], &octets].concat();
        prop_assert!(Seal::new(&key()).open(&labelled).is_err());
    }

    /// There is one way only to write a message: what can be read at all is written the same way again.
    #[test]
    fn what_is_sealed_and_readable_is_written_the_same_again(
        message in message(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
        tail in proptest::collection::vec(any::<u8>(), 0..2),
    ) {
        let seal = Seal::new(&key());
        let mut content = seal.seal(&message);
        content.truncate(content.len() - 32);
        for (place, octet) in &changes {
            let place = 5 + place.index(content.len() - 5);
            content[place] = *octet;
        }
        content.extend(tail);
        let octets = sealed_by_hand(&key(), &content);
        if let Ok(read) = seal.open(&octets) {
            prop_assert_eq!(seal.seal(&read), octets);
        }
    }
}
