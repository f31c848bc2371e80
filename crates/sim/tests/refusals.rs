//! Whatever a system refuses once, nothing breaks, and all comes right again.

use std::fs;
use std::path::Path;

use tanist_sim::hunt::Refused;
use tanist_sim::scenario::Scenario;

/// Between them, they ask for everything that can be asked for.
const SCENARIOS: [&str; 6] = [
    "addresses-let-go-by-themselves",
    "group-moves-together",
    "script-that-does-not-listen",
    "service-crash-restarts-here",
    "service-ignores-stop",
    "switch-here",
];

#[test]
fn each_kind_of_call_at_each_point() {
    let mut refused = Refused::default();
    for name in SCENARIOS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/{name}.txt"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
        let scenario = Scenario::parse(&text).unwrap_or_else(|mistakes| panic!("{name}: {}", mistakes[0]));
        refused.each_of(&scenario.plan, 4);
    }
    assert!(refused.findings.is_empty(), "{refused}");
    assert!(refused.gaps().is_empty(), "nobody asked for {:?}", refused.gaps());
}
