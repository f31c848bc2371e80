//! What iproute2 says about a host: a second opinion on what is in its kernel.

use super::Host;

/// Runs `ip` inside; what it prints.
pub(crate) fn ip(host: &Host, words: &str) -> String {
    let command: Vec<&str> = std::iter::once("ip").chain(words.split_whitespace()).collect();
    let output = host.output(&command).expect("a host with power");
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("ip prints text")
}

/// As [`ip`], for what may be refused.
pub(crate) fn try_ip(host: &Host, words: &str) -> bool {
    let command: Vec<&str> = std::iter::once("ip").chain(words.split_whitespace()).collect();
    host.output(&command).expect("a host with power").status.success()
}

/// The lines that it prints, without blanks around them.
pub(crate) fn lines(host: &Host, words: &str) -> Vec<String> {
    let trimmed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    ip(host, words).lines().map(trimmed).collect()
}

/// The destinations of our routes of IPv4 and IPv6, in all tables, in the kernel's order.
pub(crate) fn our_routes(host: &Host) -> Vec<String> {
    let all = ["-4", "-6"].map(|family| lines(host, &format!("{family} route show table all proto 116")));
    let kinds = ["blackhole", "unreachable", "prohibit", "throw", "local", "broadcast", "multicast"];
    let destination = |line: String| {
        let mut words = line.split(' ').filter(|word| !kinds.contains(word));
        words.next().map(str::to_owned)
    };
    all.into_iter().flatten().filter(|line| !line.starts_with("nexthop")).filter_map(destination).collect()
}

/// The preferences of our policy rules of both families, in the kernel's order.
pub(crate) fn our_rules(host: &Host) -> Vec<String> {
    let all = ["-4", "-6"].map(|family| lines(host, &format!("{family} -d rule")));
    let ours = all.into_iter().flatten().filter(|line| line.ends_with("proto 116"));
    ours.filter_map(|line| line.split(':').next().map(str::to_owned)).collect()
}
