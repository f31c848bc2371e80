//! Configurations made from others: damaged in the ways in which people damage them, and at the limits of every keyword
//! that works.

mod damage;
mod values;

use crate::corpus::Configuration;

/// All of them; the same each time.
pub(crate) fn all(corpus: &[Configuration]) -> Vec<Configuration> {
    let mut all = damage::all(corpus);
    all.extend(values::all());
    all
}
