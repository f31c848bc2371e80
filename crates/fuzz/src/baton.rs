//! What the other node says.

use engine::wire::baton::{MAX_LENGTH, Seal};
use engine::{BatonDiscard, PairKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::octets::from_hex;

pub(crate) const KEY: [u8; 32] = [7; 32];

/// Magic and version of the form.
const HEAD: &[u8] = b"TNST\x01";

fn code(key: &[u8], octets: &[u8]) -> Vec<u8> {
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    code.update(octets);
    code.finalize().into_bytes().to_vec()
}

/// Sealed as if the other node had said it: whoever has the key may still be damaged, or newer.
pub(crate) fn sealed(content: &[u8]) -> Vec<u8> {
    let octets = [HEAD, content].concat();
    let key = code(&KEY, b"tanist baton 1");
    [octets.clone(), code(&key, &octets)].concat()
}

/// The content between head and seal.
pub(crate) fn check(content: &[u8]) {
    let seal = Seal::new(&PairKey::from(KEY));
    let whole = sealed(content);
    match seal.open(&whole) {
        Ok(message) => {
            let again = seal.seal(&message);
            assert!(again.len() <= MAX_LENGTH);
            assert_eq!(seal.open(&again).as_ref(), Ok(&message));
            assert_eq!(again, whole, "{message:?}");
        }
        Err(BatonDiscard::BadSeal) => panic!("this seal is good"),
        Err(_) => {}
    }
    // Without its seal it is nothing.
    assert!(seal.open(content).is_err());
    assert!(Seal::new(&PairKey::from([8; 32])).open(&whole).is_err());
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    // As the test of the wire has it written down.
    let full = from_hex(
        "1111111111111111 2222222222222222 3333333333333333
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
                 00 01000000000000003d1dcd6500 0001 00000007",
    );
    assert!(
        Seal::new(&PairKey::from(KEY)).open(&sealed(&full)).is_ok(),
        "the form has changed: here is an old message"
    );
    vec![full]
}
