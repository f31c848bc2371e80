//! All states of the small cases.

use std::time::Duration;

use tanist_model::{SMALL, check};

/// Only so that a mistake in the model does not go on for ever; it takes some seconds.
const AT_MOST: Duration = Duration::from_secs(3600);

#[test]
fn whatever_happens_the_service_runs_on_one_node() {
    for case in SMALL {
        let report = check(*case, 2, AT_MOST);
        println!("{report}");
        assert!(report.is_well(), "{report}");
        assert!(report.unique > 500, "there is more to see than that\n{report}");
    }
}
