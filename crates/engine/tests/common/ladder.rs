//! The ladder of receive checks as a table: one packet and its verdict a line.

use tanist_engine::{Family, Instant};

use super::timeline::Bench;
use super::words;

/// Every line is a packet, as a good one but for its lies, and the verdict of a fresh Backup that hears it from
/// 192.0.2.2, or over IPv6 from fe80::2, with priority 150.
#[track_caller]
pub(crate) fn ladder(router: &str, table: &str) {
    let found: Vec<String> = table.lines().map(|line| judge(router, line)).collect();
    let expected: Vec<&str> = table.lines().collect();
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

fn judge(router: &str, line: &str) -> String {
    let Some((lies, _)) = line.split_once("=>") else { return line.to_owned() };
    let mut bench = Bench::new(&[router]);
    let links = ["link eth0 up 192.0.2.1 fe80::1 2001:db8::1", "link eth1 up 198.51.100.1 fe80::1"];
    bench.set_links(&links[..bench.engine.links().len()]);
    bench.act(Instant::START, "start", &[]);
    let from = match bench.engine.config().routers[0].family {
        Family::Ipv4 => "192.0.2.2",
        Family::Ipv6 => "fe80::2",
    };
    let hear = ["hear", from, "150", lies].join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let told = bench.act(Instant::from_millis(1), &hear, &[]);
    let counted = words::counters(&bench.engine.view().routers[0]);
    let verdict = match counted.trim_start_matches("a counts").trim() {
        "" => "ignored".to_owned(),
        counted => counted.replace("received 1", "accepted").replace(" 1", ""),
    };
    // What is counted is told, and with the same name.
    let discarded = told.iter().any(|line| line.contains(&format!("discards {verdict} ")));
    assert_eq!(discarded, !verdict.starts_with("accepted") && verdict != "ignored", "{line}: {told:?}");
    assert_eq!(told.iter().filter(|line| line.contains(" finds ")).count(), verdict.matches(" odd ").count(), "{line}");
    format!("{lies}=> {verdict}")
}
