//! Options of the entries of `track_interface`, `track_script` and their kin.

use super::{Form, Keyword, words, works};

pub(super) const OPTIONS: &[Keyword] = &[
    works(
        "weight",
        words(1, 1, "a number from -253 to 253"),
        "What the result does to the priority here, instead of what the definition says.",
        "eth1 weight -20",
    ),
    works("reverse", Form::Flag, "Exchange good and failing; stands after a weight.", "eth1 weight -20 reverse"),
];
