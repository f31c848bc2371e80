//! Numbers that nobody can foretell.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::Result;
use crate::error::refused;

/// So many random octets, from the kernel's generator once that has been seeded.
pub fn octets<const N: usize>() -> Result<[u8; N]> {
    let mut octets = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut octets[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(refused("ask for random numbers")(errno)),
        }
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_the_same() {
        let (one, two): ([u8; 32], [u8; 32]) = (octets().unwrap(), octets().unwrap());
        assert_ne!(one, two);
        assert_eq!(octets::<0>().unwrap(), []);
    }
}
