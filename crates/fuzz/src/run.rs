//! A harness that needs nothing but stable Rust: inputs that are there, and random changes of them. It looks for nothing,
//! so it finds what is frequent; libFuzzer finds the rest.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use sim::Random;

use crate::Target;

/// The input in a file, or those in a directory, in the order of their names.
///
/// # Errors
/// As the system reports them.
pub fn inputs(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    if path.is_file() {
        return Ok(vec![std::fs::read(path)?]);
    }
    let mut paths: Vec<_> = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    paths.iter().map(std::fs::read).collect()
}

/// Goes through these inputs and then so many random changes of them, the same each time.
///
/// # Errors
/// The input for which something does not hold.
pub fn run(target: &Target, inputs: &[Vec<u8>], changes: u64, seed: u64) -> Result<(), Vec<u8>> {
    let check = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| (target.check)(input))).map_err(|_| input.to_vec());
    for input in inputs {
        check(input)?;
    }
    let mut random = Random::new(seed);
    for _ in 0..changes {
        let mut input = if inputs.is_empty() { Vec::new() } else { random.pick(inputs).clone() };
        for _ in 0..=random.below(4) {
            change(&mut input, inputs, &mut random);
        }
        input.truncate(target.longest);
        check(&input)?;
    }
    Ok(())
}

fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let place = random.below(input.len() as u64 + 1) as usize;
    let part = random.below(16) as usize;
    let end = input.len().min(place + part);
    match random.below(7) {
        0 => input.insert(place, random.any() as u8),
        1 => drop(input.drain(place..end)),
        2 => {
            let again = input[place..end].to_vec();
            input.splice(place..place, again);
        }
        3 if !others.is_empty() => {
            let other = random.pick(others);
            let from = random.below(other.len() as u64 + 1) as usize;
            let piece = other[from..other.len().min(from + part)].to_vec();
            input.splice(place..end, piece);
        }
        4 if place < input.len() => input[place] = *random.pick(&[0, 1, 2, 0x7f, 0x80, 0xff, b'\n', b' ', b'{', b'"']),
        5 if place < input.len() => input[place] ^= 1 << random.below(8),
        _ if place < input.len() => input[place] = random.any() as u8,
        _ => input.push(random.any() as u8),
    }
}
