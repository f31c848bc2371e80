//! Frames by the thousand million against one engine that goes on living: as `receive` has them, without looking for new
//! code but ten times faster.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use sim::Random;

use crate::octets::Octets;
use crate::receive::{Lan, Nodes};

/// After so many, a new engine begins: its number is enough to find a frame again.
const LIFE: u64 = 1 << 20;

/// What has come of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Frames that were let in.
    pub frames: u64,
    /// Of these, taken for advertisements.
    pub believed: u64,
    /// Of these, refused with a reason. The others were for nobody here.
    pub refused: u64,
}

/// Lets so many frames come in, from the life of this number on.
///
/// # Errors
/// The life and the frame in which something did not hold.
pub fn run(frames: u64, first_life: u64, mut tell: impl FnMut(&Sum)) -> Result<Sum, String> {
    let nodes = Nodes::new();
    let mut sum = Sum::default();
    let mut told = Instant::now();
    for life in first_life.. {
        let count = LIFE.min(frames - sum.frames);
        let mut lan = Lan::new(&nodes);
        let mut random = Random::new(life);
        let lived = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..count {
                let mut octets = [0; 64];
                // As many as most frames need; what is beyond them is zeros.
                for place in octets.chunks_exact_mut(8).take(4) {
                    place.copy_from_slice(&random.any().to_ne_bytes());
                }
                lan.hear(&mut Octets::new(&octets));
            }
        }));
        let figures = lan.figures;
        if lived.is_err() {
            return Err(format!("life {life}, frame {}: `frames --life {life}` shows it again", figures.frames));
        }
        sum.frames += figures.frames;
        sum.believed += figures.believed;
        sum.refused += figures.refused;
        if told.elapsed().as_secs() >= 30 {
            told = Instant::now();
            tell(&sum);
        }
        if sum.frames >= frames {
            break;
        }
    }
    Ok(sum)
}
