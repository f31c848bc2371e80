//! Options of the entries of `track_interface`, `track_script` and their kin.

use super::{Form, Keyword, words, works};

pub(super) const OPTIONS: &[Keyword] = &[
    works(
        "weight",
        words(1, 1, "a number from -253 to 253; of files and processes from -254 to 254"),
        "What the result does to the priority here, instead of what the definition says.",
        "eth1 weight -20",
    ),
    works(
        "reverse",
        Form::Flag,
        "Exchange adding and subtracting; stands after a weight. With weight 0, exchange good and failing.",
        "eth1 weight -20 reverse",
    ),
    works(
        "noreverse",
        Form::Flag,
        "The definition says `reverse`, and this weight shall not be reversed; stands after a weight.",
        "chk_down weight -20 noreverse",
    ),
];
