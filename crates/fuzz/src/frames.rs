//! Frames by the thousand million against one engine that goes on living: what `receive` has, and what somebody could do who
//! has heard everything, without looking for new code.
//!
//! They come in crowds, and time passes between these: what an engine does at its timers takes longer than a frame, and is
//! looked at by `engine`. So all states are met, and the processor works on frames.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use engine::vrrp::receive::Discard;
use sim::Random;

use crate::octets::Octets;
use crate::receive::{Lan, Nodes, ROUTERS, bend};

/// After so many, a new engine begins: its number is enough to find a frame again.
const LIFE: u64 = 1 << 20;
/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// What has come of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Frames that were let in.
    pub frames: u64,
    /// Of these, taken for advertisements.
    pub believed: u64,
    /// Of these, refused with a reason. The others were for nobody here.
    pub refused: u64,
    /// Of the believed and refused, those that a Backup has heard.
    pub by_backup: u64,
    /// And those that an Active router has heard.
    pub by_active: u64,
    /// The life to go on from.
    pub next_life: u64,
    /// How often for which reason, by [`Discard::index`].
    pub reasons: [u64; Discard::COUNT],
}

impl Sum {
    fn include(&mut self, lan: &Lan) {
        let figures = lan.figures;
        self.frames += figures.frames;
        self.believed += figures.believed;
        self.refused += figures.refused;
        self.by_backup += figures.by_backup;
        self.by_active += figures.by_active;
        for (sum, count) in self.reasons.iter_mut().zip(lan.reasons()) {
            *sum += count;
        }
    }
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
        let lived = catch_unwind(AssertUnwindSafe(|| (0..count).for_each(|_| one(&mut lan, &mut random))));
        if lived.is_err() {
            return Err(format!("life {life}, frame {}: `frames --life {life}` shows it again", lan.figures.frames));
        }
        sum.include(&lan);
        sum.next_life = life + 1;
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

/// A moment or a while, and then a frame.
fn one(lan: &mut Lan, random: &mut Random) {
    let choice = random.any();
    let span = choice >> 32;
    match choice & 0x1ff {
        // Long enough that whoever hears nobody becomes Active.
        0..=2 => lan.live(span % SECOND * 8),
        // The daemon was not let run.
        3 => lan.sleep(span % SECOND * 4),
        _ => lan.sleep(span % 300_000),
    }
    if choice >> 9 & 0x1f == 0 && lan.hear_again((choice >> 14) as usize % ROUTERS) {
        return;
    }
    let mut octets = [0; 64];
    for place in octets.chunks_exact_mut(8) {
        place.copy_from_slice(&random.any().to_ne_bytes());
    }
    lan.hear_now(&mut Octets::new(&octets), bend);
}
