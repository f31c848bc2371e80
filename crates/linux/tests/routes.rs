//! Routes and policy rules of real namespaces, with iproute2 as the second opinion.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::Command;
use std::time::Instant;

use crate::common::{Pair, pair, wait_until};
use tanist_linux::netlink::{
    AddressOperation, Applied, Change, HeldRoute, HeldRule, HopSpec, Monitor, Netlink, OUR_PROTOCOL, Operation,
    RouteOperation, RoutePosition, RouteSpec, RuleActionSpec, RuleOperation, RuleSpec, TunnelEnds, TunnelSpec,
    WantedAddress, WantedRoute, reconcile_routes, reconcile_rules,
};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn network(text: &str) -> (IpAddr, u8) {
    let (address, prefix) = text.split_once('/').unwrap();
    (ip(address), prefix.parse().unwrap())
}

/// A route over one hop.
fn over(destination: &str, hop: HopSpec) -> RouteSpec {
    RouteSpec { hops: vec![hop], ..RouteSpec::to(network(destination)) }
}

fn nowhere(kind: u8, destination: &str) -> RouteSpec {
    RouteSpec { kind, ..RouteSpec::to(network(destination)) }
}

fn on(link: u32) -> HopSpec {
    HopSpec { link: Some(link), ..HopSpec::default() }
}

fn via(gateway: &str) -> HopSpec {
    HopSpec { gateway: Some(ip(gateway)), ..HopSpec::default() }
}

fn rule(ipv6: bool, preference: u32, action: RuleActionSpec) -> RuleSpec {
    RuleSpec {
        ipv6,
        preference,
        action,
        inverted: false,
        from: None,
        to: None,
        tos: 0,
        mark: None,
        incoming: None,
        outgoing: None,
        tunnel_id: None,
        users: None,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        suppress_prefix_length: None,
        suppress_group: None,
        realms: None,
        protocol: OUR_PROTOCOL,
    }
}

fn wish(route: &RouteSpec) -> WantedRoute {
    WantedRoute { route: route.clone(), position: RoutePosition::Prepend }
}

fn add(route: &RouteSpec) -> Operation {
    Operation::Route(RouteOperation::Add(wish(route)))
}

fn remove(route: &RouteSpec) -> Operation {
    Operation::Route(RouteOperation::Remove(route.clone()))
}

fn held(routes: Vec<RouteSpec>) -> Vec<HeldRoute> {
    routes.into_iter().map(|route| HeldRoute { route, ours: true }).collect()
}

/// What `ip` prints in this thread's namespace, one line for each route or rule; `None` (said aloud) without `ip`.
fn ip_says(words: &str) -> Option<Vec<String>> {
    let output = match Command::new("ip").args(words.split(' ')).output() {
        Ok(output) => output,
        Err(error) => {
            crate::common::skipped(&tanist_linux::Error::from_io("run ip", &error));
            return None;
        }
    };
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match lines.last_mut() {
            // The hops of a route stand below it.
            Some(last) if line.starts_with('\t') => last.extend([" ", &text]),
            _ => lines.push(text),
        }
    }
    Some(lines)
}

/// A namespace with `left` at 192.0.2.1/24 and 2001:db8::1/64, and what it is asked in there.
fn in_namespace(work: impl FnOnce(&mut Netlink, u32) + Send) {
    let Some(Pair { left, left_link, right: _right, .. }) = pair() else { return };
    left.run(|| {
        let mut netlink = Netlink::open().unwrap();
        for (address, prefix) in [("192.0.2.1", 24), ("2001:db8::1", 64)] {
            netlink.add_unmarked_address(left_link.index, ip(address), prefix).unwrap();
        }
        work(&mut netlink, left_link.index);
    })
    .unwrap();
}

#[test]
fn iproute2_sees_what_was_wanted() {
    in_namespace(|netlink, link| {
        let metrics = |metrics: &[(u16, u32)]| metrics.iter().copied().collect::<BTreeMap<u16, u32>>();
        let ends = TunnelEnds { id: 5, destination: Some(ip("192.0.2.9")), ttl: 9, tos: 8, ..TunnelEnds::default() };
        let ends6 = TunnelEnds { destination: Some(ip("2001:db8::9")), source: Some(ip("2001:db8::1")), ..ends };
        let table: Vec<(RouteSpec, &str)> = vec![
            (over("10.0.1.0/24", via("192.0.2.254")), "unicast 10.0.1.0/24 via 192.0.2.254 dev left scope global"),
            (over("10.0.2.0/24", on(link)), "unicast 10.0.2.0/24 dev left scope global"),
            (RouteSpec { scope: 253, ..over("10.0.3.0/24", on(link)) }, "unicast 10.0.3.0/24 dev left scope link"),
            (
                RouteSpec { preferred_source: Some(ip("192.0.2.1")), ..over("10.0.4.4/32", on(link)) },
                "unicast 10.0.4.4 dev left scope global src 192.0.2.1",
            ),
            (
                RouteSpec { tos: 8, metric: Some(7), ..over("10.0.5.0/24", on(link)) },
                "unicast 10.0.5.0/24 tos 0x08 dev left scope global metric 7",
            ),
            (
                RouteSpec { table: 70_000, ..over("0.0.0.0/0", via("192.0.2.254")) },
                "unicast default via 192.0.2.254 dev left table 70000 scope global",
            ),
            (nowhere(6, "10.0.6.0/24"), "blackhole 10.0.6.0/24 scope global"),
            (nowhere(7, "10.0.7.0/24"), "unreachable 10.0.7.0/24 scope global"),
            (nowhere(8, "10.0.8.0/24"), "prohibit 10.0.8.0/24 scope global"),
            (RouteSpec { table: 100, ..nowhere(9, "10.0.9.0/24") }, "throw 10.0.9.0/24 table 100 scope global"),
            (
                RouteSpec { kind: 2, scope: 254, table: 100, ..over("10.0.10.1/32", on(link)) },
                "local 10.0.10.1 dev left table 100 scope host",
            ),
            (RouteSpec { kind: 5, ..over("224.1.0.0/16", on(link)) }, "multicast 224.1.0.0/16 dev left scope global"),
            (
                RouteSpec {
                    metrics: metrics(&[(1, 1 << 2), (2, 1400), (8, 1360), (10, 64), (13, 300), (15, 1), (12, 1)]),
                    congestion_control: Some("reno".to_owned()),
                    ..over("10.0.11.0/24", on(link))
                },
                "unicast 10.0.11.0/24 dev left scope global mtu lock 1400 advmss 1360 hoplimit 64 features ecn rto_min \
                 300ms quickack 1 congctl reno",
            ),
            (
                RouteSpec {
                    metrics: metrics(&[(3, 9000), (4, 4000), (5, 2000), (6, 11), (7, 10), (9, 4), (11, 12), (14, 13)]),
                    ..over("10.0.12.0/24", on(link))
                },
                "unicast 10.0.12.0/24 dev left scope global window 9000 rtt 500ms rttvar 500ms ssthresh 11 cwnd 10 \
                 reordering 4 initcwnd 12 initrwnd 13",
            ),
            // More than the kernel allows: it has its own limit, and the wish counts as fulfilled.
            (
                RouteSpec { metrics: metrics(&[(2, 99_999), (3, 0)]), ..over("10.0.13.0/24", on(link)) },
                "unicast 10.0.13.0/24 dev left scope global mtu 65520",
            ),
            (
                over("10.0.14.0/24", HopSpec { onlink: true, ..HopSpec { link: Some(link), ..via("10.99.0.1") } }),
                "unicast 10.0.14.0/24 via 10.99.0.1 dev left scope global onlink",
            ),
            (
                over("10.0.15.0/24", HopSpec { realms: Some(3 << 16 | 4), ..on(link) }),
                "unicast 10.0.15.0/24 dev left scope global realms 3/4",
            ),
            (
                RouteSpec {
                    hops: vec![
                        HopSpec { more_weight: 1, ..via("192.0.2.253") },
                        HopSpec { onlink: true, link: Some(link), ..via("10.99.0.1") },
                    ],
                    ..RouteSpec::to(network("10.0.16.0/24"))
                },
                "unicast 10.0.16.0/24 scope global nexthop via 192.0.2.253 dev left weight 2 nexthop via 10.99.0.1 dev \
                 left weight 1 onlink",
            ),
            (
                over("10.0.17.0/24", HopSpec { encapsulation: Some(TunnelSpec::Ip(ends)), ..on(link) }),
                "unicast 10.0.17.0/24 encap ip id 5 src 0.0.0.0 dst 192.0.2.9 ttl 9 tos 8 dev left scope global",
            ),
            (
                over("10.0.18.0/24", HopSpec { link: Some(link), ..via("2001:db8::2") }),
                "unicast 10.0.18.0/24 via inet6 2001:db8::2 dev left scope global",
            ),
            (
                over("2001:db8:1::/64", via("2001:db8::2")),
                "unicast 2001:db8:1::/64 via 2001:db8::2 dev left scope global metric 1024 pref medium",
            ),
            (
                RouteSpec { metric: Some(10), preference: 1, ..over("2001:db8:2::/64", on(link)) },
                "unicast 2001:db8:2::/64 dev left scope global metric 10 pref high",
            ),
            (
                RouteSpec { preferred_source: Some(ip("2001:db8::1")), ..over("2001:db8:3::3/128", on(link)) },
                "unicast 2001:db8:3::3 dev left scope global src 2001:db8::1 metric 1024 pref medium",
            ),
            (
                RouteSpec {
                    source: Some(network("2001:db8:f::/64")),
                    table: 100,
                    ..over("2001:db8:4::/64", via("2001:db8::2"))
                },
                "unicast 2001:db8:4::/64 from 2001:db8:f::/64 via 2001:db8::2 dev left table 100 scope global metric \
                 1024 pref medium",
            ),
            (nowhere(6, "2001:db8:5::/64"), "blackhole 2001:db8:5::/64 dev lo scope global metric 1024 pref medium"),
            (
                over("2001:db8:6::/64", HopSpec { encapsulation: Some(TunnelSpec::Ip6(ends6)), ..on(link) }),
                "unicast 2001:db8:6::/64 encap ip6 id 5 src 2001:db8::1 dst 2001:db8::9 hoplimit 9 tc 8 dev left scope \
                 global metric 1024 pref medium",
            ),
            (
                over("2001:db8:7::/64", HopSpec { more_weight: 1, ..via("2001:db8::2") }),
                "unicast 2001:db8:7::/64 scope global metric 1024 pref medium nexthop via 2001:db8::2 dev left weight 2 \
                 nexthop via 2001:db8::3 dev left weight 1",
            ),
            // The same route to everybody but the kernel.
            (over("2001:db8:7::/64", via("2001:db8::3")), ""),
        ];
        let operations: Vec<Operation> = table.iter().map(|(route, _)| add(route)).collect();
        let answers = netlink.apply_all(&operations);
        assert_eq!(answers, vec![Ok(Applied::Done); table.len()]);
        let found = netlink.routes(OUR_PROTOCOL).unwrap();
        for (route, _) in &table {
            assert!(found.iter().any(|found| found.fulfils(route)), "{route:#?} is not among {found:#?}");
        }
        let wishes: Vec<WantedRoute> = table.iter().map(|(route, _)| wish(route)).collect();
        let nothing = (Vec::new(), Vec::new());
        assert_eq!(reconcile_routes(&wishes, &held(found.clone())), nothing, "what we added is what we wanted");

        let Some(ipv4) = ip_says(&format!("-d -4 route show table all proto {OUR_PROTOCOL}")) else { return };
        let ipv6 = ip_says(&format!("-d -6 route show table all proto {OUR_PROTOCOL}")).unwrap();
        // What it says of every route is left out, and what newer ones say besides.
        let short = |line: String| {
            line.replace(&format!(" proto {OUR_PROTOCOL}"), "").replace(" table main", "").replace(" features 0x1", "")
        };
        let mut told: Vec<String> = ipv4.into_iter().chain(ipv6).map(short).collect();
        let mut expected: Vec<&str> = table.iter().map(|(_, text)| *text).filter(|text| !text.is_empty()).collect();
        told.sort();
        expected.sort_unstable();
        assert_eq!(told, expected);

        // Each is removed by what the kernel says of it.
        let (removals, additions) = reconcile_routes(&[], &held(found));
        assert_eq!(additions, []);
        let removals: Vec<Operation> = removals.into_iter().map(Operation::Route).collect();
        let answers = netlink.apply_all(&removals);
        assert_eq!(answers, vec![Ok(Applied::Done); table.len()]);
        assert_eq!(netlink.routes(OUR_PROTOCOL).unwrap(), []);
    });
}

// Shows: route.add
#[test]
fn what_fails_stops_nothing_and_is_told_as_ip_route_would_say_it() {
    in_namespace(|netlink, link| {
        let answers = netlink.apply_all(&[
            add(&over("10.0.1.0/24", via("203.0.113.1"))),
            add(&over("10.0.2.0/24", on(link))),
            add(&over("10.0.2.0/24", on(link))),
            add(&over("10.0.3.1/24", on(link))),
            remove(&over("10.0.4.0/24", on(link))),
            remove(&over("10.0.4.0/24", on(4711))),
            Operation::Route(RouteOperation::Add(WantedRoute {
                position: RoutePosition::Alone,
                ..wish(&RouteSpec { metrics: BTreeMap::from([(2, 1300)]), ..over("10.0.2.0/24", on(link)) })
            })),
            Operation::Rule(RuleOperation::Add(RuleSpec {
                from: Some(network("10.0.0.0/8")),
                ..rule(false, 100, RuleActionSpec::Goto(50))
            })),
            Operation::Rule(RuleOperation::Remove(rule(true, 4711, RuleActionSpec::Nop))),
            add(&RouteSpec { table: 100, metric: Some(3), ..over("10.0.5.0/24", on(link)) }),
        ]);
        let told: Vec<String> = answers
            .into_iter()
            .map(|answer| match answer {
                Ok(applied) => format!("{applied:?}"),
                // What the kernel adds in brackets is its own affair.
                Err(error) => error.to_string().split(" (").next().unwrap().to_owned(),
            })
            .collect();
        assert_eq!(
            told,
            [
                "add the route 10.0.1.0/24 via 203.0.113.1: network is unreachable",
                "Done",
                "AlreadyThere",
                "add the route 10.0.3.1/24 dev left: invalid argument",
                "AlreadyGone",
                "AlreadyGone",
                "add the route 10.0.2.0/24 dev left: file exists",
                "add the rule from 10.0.0.0/8 goto 50 preference 100: invalid argument",
                "AlreadyGone",
                "Done",
            ]
        );
        assert_eq!(netlink.routes(OUR_PROTOCOL).unwrap().len(), 2);
        let words = |route: &RouteSpec| route.words(|link| format!("eth{link}"));
        let full = RouteSpec {
            kind: 6,
            tos: 8,
            table: 7,
            metric: Some(5),
            preferred_source: Some(ip("2001:db8::1")),
            source: Some(network("2001:db8:1::/64")),
            hops: vec![via("2001:db8::2"), on(3)],
            ..RouteSpec::to(network("::/0"))
        };
        assert_eq!(
            words(&full),
            "blackhole default from 2001:db8:1::/64 tos 0x08 nexthop via 2001:db8::2 nexthop dev eth3 table 7 src \
             2001:db8::1 metric 5"
        );
    });
}

#[test]
fn never_touches_what_belongs_to_others() {
    in_namespace(|netlink, link| {
        let theirs = RouteSpec { protocol: 4, ..over("10.0.1.0/24", via("192.0.2.253")) };
        let ours = RouteSpec { protocol: OUR_PROTOCOL, ..theirs.clone() };
        let theirs6 = RouteSpec { protocol: 4, ..over("2001:db8:1::/64", on(link)) };
        let ours6 = RouteSpec { protocol: OUR_PROTOCOL, ..theirs6.clone() };
        let done =
            |answers: Vec<tanist_linux::Result<Applied>>| answers.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(done(netlink.apply_all(&[add(&theirs), add(&theirs6)])), [Applied::Done; 2]);
        // IPv4 has room for both; IPv6 has not, and theirs does what ours would.
        assert_eq!(done(netlink.apply_all(&[add(&ours), add(&ours6)])), [Applied::Done, Applied::AlreadyThere]);
        let there = netlink.routes(4).unwrap();
        assert_eq!(done(netlink.apply_all(&[remove(&ours), remove(&ours6)])), [Applied::Done, Applied::AlreadyGone]);
        assert_eq!(netlink.routes(4).unwrap(), there);

        let their_rule = RuleSpec { protocol: 4, ..rule(false, 100, RuleActionSpec::Lookup(100)) };
        let our_rule = rule(false, 100, RuleActionSpec::Lookup(100));
        let operation = |rule: &RuleSpec| Operation::Rule(RuleOperation::Add(rule.clone()));
        assert_eq!(done(netlink.apply_all(&[operation(&their_rule)])), [Applied::Done]);
        let answer = done(netlink.apply_all(&[operation(&our_rule)]));
        println!("our rule beside theirs: {answer:?}");
        let held: Vec<HeldRule> =
            netlink.rules().unwrap().into_iter().map(|rule| HeldRule { ours: rule == our_rule, rule }).collect();
        let (removals, _) = reconcile_rules(&[], &held);
        let removals: Vec<Operation> = removals.into_iter().map(Operation::Rule).collect();
        netlink.apply_all(&removals);
        let left: Vec<RuleSpec> = netlink.rules().unwrap().into_iter().filter(|rule| rule.preference == 100).collect();
        assert_eq!(left, [their_rule]);
    });
}

#[test]
fn iproute2_sees_the_rules_that_were_wanted() {
    in_namespace(|netlink, _| {
        let lookup = |preference, table| rule(false, preference, RuleActionSpec::Lookup(table));
        let lookup6 = |preference| rule(true, preference, RuleActionSpec::Lookup(100));
        let table: Vec<(RuleSpec, &str)> = vec![
            (RuleSpec { from: Some(network("10.1.0.0/16")), ..lookup(1, 100) }, "1: from 10.1.0.0/16 lookup 100"),
            (
                RuleSpec { from: Some(network("10.1.0.1/32")), to: Some(network("10.2.0.0/16")), ..lookup(2, 70_000) },
                "2: from 10.1.0.1 to 10.2.0.0/16 lookup 70000",
            ),
            (
                RuleSpec { inverted: true, from: Some(network("10.1.0.0/16")), ..lookup(3, 254) },
                "3: not from 10.1.0.0/16 lookup main",
            ),
            (RuleSpec { tos: 8, ..lookup(4, 100) }, "4: from all tos 0x08 lookup 100"),
            (RuleSpec { mark: Some((1, u32::MAX)), ..lookup(5, 100) }, "5: from all fwmark 0x1 lookup 100"),
            (RuleSpec { mark: Some((24, 12)), ..lookup(6, 100) }, "6: from all fwmark 0x18/0xc lookup 100"),
            (RuleSpec { incoming: Some("left".into()), ..lookup(7, 100) }, "7: from all iif left lookup 100"),
            (
                RuleSpec { outgoing: Some("eth9".into()), ..lookup(8, 100) },
                "8: from all oif eth9 [detached] lookup 100",
            ),
            (RuleSpec { tunnel_id: Some(7), ..lookup(9, 100) }, "9: from all tun_id 7 lookup 100"),
            (RuleSpec { users: Some((10, 20)), ..lookup(10, 100) }, "10: from all uidrange 10-20 lookup 100"),
            (RuleSpec { ip_protocol: Some(6), ..lookup(11, 100) }, "11: from all ipproto tcp lookup 100"),
            (
                RuleSpec { source_ports: Some((80, 80)), destination_ports: Some((1, 9)), ..lookup(12, 100) },
                "12: from all sport 80 dport 1-9 lookup 100",
            ),
            (
                RuleSpec { suppress_prefix_length: Some(0), ..lookup(13, 254) },
                "13: from all lookup main suppress_prefixlength 0",
            ),
            (RuleSpec { suppress_group: Some(7), ..lookup(14, 254) }, "14: from all lookup main suppress_ifgroup 7"),
            (RuleSpec { realms: Some(1 << 16 | 2), ..lookup(15, 100) }, "15: from all lookup 100 realms 1/2"),
            (rule(false, 16, RuleActionSpec::LookupVrf), "16: from all lookup [l3mdev-table]"),
            (rule(false, 17, RuleActionSpec::Goto(99)), "17: from all goto 99 [unresolved]"),
            (rule(false, 18, RuleActionSpec::Nop), "18: from all nop"),
            (rule(false, 19, RuleActionSpec::Blackhole), "19: from all blackhole"),
            (rule(false, 20, RuleActionSpec::Unreachable), "20: from all unreachable"),
            (rule(false, 21, RuleActionSpec::Prohibit), "21: from all prohibit"),
            (RuleSpec { from: Some(network("2001:db8::/32")), ..lookup6(22) }, "22: from 2001:db8::/32 lookup 100"),
            (
                RuleSpec { to: Some(network("2001:db8::1/128")), mark: Some((3, u32::MAX)), ..lookup6(23) },
                "23: from all to 2001:db8::1 fwmark 0x3 lookup 100",
            ),
        ];
        let wishes: Vec<RuleSpec> = table.iter().map(|(rule, _)| rule.clone()).collect();
        let (removals, additions) = reconcile_rules(&wishes, &[]);
        assert_eq!(removals, []);
        let additions: Vec<Operation> = additions.into_iter().map(Operation::Rule).collect();
        let answers = netlink.apply_all(&additions);
        assert_eq!(answers, vec![Ok(Applied::Done); table.len()]);
        assert_eq!(netlink.apply_all(&additions), vec![Ok(Applied::AlreadyThere); table.len()]);
        let found: Vec<RuleSpec> =
            netlink.rules().unwrap().into_iter().filter(|rule| rule.protocol == OUR_PROTOCOL).collect();
        assert_eq!(found, wishes);
        let held: Vec<HeldRule> = found.into_iter().map(|rule| HeldRule { rule, ours: true }).collect();
        assert_eq!(reconcile_rules(&wishes, &held), (Vec::new(), Vec::new()), "what we added is what we wanted");

        let Some(ipv4) = ip_says("-d -4 rule") else { return };
        let ipv6 = ip_says("-d -6 rule").unwrap();
        let ours = format!(" proto {OUR_PROTOCOL}");
        let told: Vec<String> =
            ipv4.into_iter().chain(ipv6).filter_map(|line| Some(line.strip_suffix(&ours)?.to_owned())).collect();
        assert_eq!(told, table.iter().map(|(_, text)| *text).collect::<Vec<_>>());

        let (removals, _) = reconcile_rules(&[], &held);
        let removals: Vec<Operation> = removals.into_iter().map(Operation::Rule).collect();
        assert_eq!(netlink.apply_all(&removals), vec![Ok(Applied::Done); table.len()]);
        assert!(netlink.rules().unwrap().iter().all(|rule| rule.protocol != OUR_PROTOCOL));
    });
}

/// An address, a route that needs it, and a rule that needs the route: one batch, in this order and back.
#[test]
fn a_batch_keeps_its_order() {
    in_namespace(|netlink, link| {
        let address = WantedAddress::new(link, ip("198.51.100.1"), 24);
        let mut route = over("10.0.1.0/24", via("198.51.100.9"));
        route.preferred_source = Some(ip("198.51.100.1"));
        let policy = rule(false, 100, RuleActionSpec::Goto(200));
        let target = rule(false, 200, RuleActionSpec::Nop);
        let answers = netlink.apply_all(&[
            Operation::Address(AddressOperation::Add(address)),
            add(&route),
            Operation::Rule(RuleOperation::Add(policy.clone())),
            Operation::Rule(RuleOperation::Add(target.clone())),
        ]);
        assert_eq!(answers, vec![Ok(Applied::Done); 4]);
        let answers = netlink.apply_all(&[
            Operation::Rule(RuleOperation::Remove(target)),
            Operation::Rule(RuleOperation::Remove(policy)),
            remove(&route),
            Operation::Address(AddressOperation::Remove { link, address: ip("198.51.100.1"), prefix: 24, peer: None }),
        ]);
        assert_eq!(answers, vec![Ok(Applied::Done); 4]);
    });
}

#[test]
fn hears_of_our_routes_and_of_what_takes_their_place() {
    in_namespace(|netlink, link| {
        let mut monitor = Monitor::open().unwrap();
        let ours = over("10.0.1.0/24", on(link));
        let theirs = RouteSpec { protocol: 4, ..over("10.0.2.0/24", on(link)) };
        let ours6 = over("2001:db8:1::/64", on(link));
        let policy = rule(false, 100, RuleActionSpec::Nop);
        let mut changes = Vec::new();
        netlink.apply_all(&[add(&ours), remove(&ours)]);
        monitor.receive(&mut changes).unwrap();
        let is_address =
            |change: &Change| matches!(change, Change::Address(_) | Change::AddressGone(_) | Change::Link(_));
        changes.retain(|change| !is_address(change));
        assert_eq!(changes, [], "nobody asked for routes yet");

        monitor.hear_routes(&[OUR_PROTOCOL, 18]).unwrap();
        monitor.hear_rules(true).unwrap();
        netlink.apply_all(&[
            add(&theirs),
            add(&ours),
            add(&ours6),
            remove(&theirs),
            remove(&ours),
            Operation::Rule(RuleOperation::Add(policy.clone())),
            Operation::Rule(RuleOperation::Remove(policy.clone())),
            remove(&ours6),
        ]);
        wait_until(|| {
            monitor.receive(&mut changes).unwrap();
            changes.iter().any(|change| matches!(change, Change::RouteGone(route) if route.is_ipv6()))
        });
        changes.retain(|change| !is_address(change));
        let kinds: Vec<String> = changes
            .iter()
            .map(|change| match change {
                Change::Route(route) if route.fulfils(&ours) => "+ ours".to_owned(),
                Change::RouteGone(route) if route.fulfils(&ours) => "- ours".to_owned(),
                Change::Route(route) if route.fulfils(&ours6) => "+ ours6".to_owned(),
                Change::RouteGone(route) if route.fulfils(&ours6) => "- ours6".to_owned(),
                Change::Rule(rule) if *rule == policy => "+ rule".to_owned(),
                Change::RuleGone(rule) if *rule == policy => "- rule".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, ["+ ours", "+ ours6", "- ours", "+ rule", "- rule", "- ours6"]);

        // Somebody replaces ours: no end of it is told, only what stands there now.
        netlink.apply_all(&[add(&ours)]);
        changes.clear();
        monitor.receive(&mut changes).unwrap();
        changes.clear();
        if ip_says("route replace 10.0.1.0/24 dev left proto static").is_none() {
            return;
        }
        monitor.receive(&mut changes).unwrap();
        let heard: Vec<u8> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Route(route) if route.destination == ours.destination => Some(route.protocol),
                _ => None,
            })
            .collect();
        assert_eq!(heard, [4]);

        monitor.hear_routes(&[]).unwrap();
        monitor.hear_rules(false).unwrap();
        changes.clear();
        netlink.apply_all(&[add(&over("10.0.3.0/24", on(link))), Operation::Rule(RuleOperation::Add(policy))]);
        monitor.receive(&mut changes).unwrap();
        assert_eq!(changes, []);
    });
}

#[test]
fn two_thousand_routes_in_one_call() {
    in_namespace(|netlink, link| {
        let ipv4 = (0..1000_u16).map(|number| over(&format!("10.{}.{}.0/24", number / 250, number % 250), on(link)));
        let ipv6 = (0..1000_u16).map(|number| over(&format!("2001:db8:{number:x}::/48"), via("2001:db8::2")));
        let routes: Vec<RouteSpec> = ipv4.chain(ipv6).collect();
        let wishes: Vec<WantedRoute> = routes.iter().map(wish).collect();
        let (_, additions) = reconcile_routes(&wishes, &[]);
        let additions: Vec<Operation> = additions.into_iter().map(Operation::Route).collect();
        let begin = Instant::now();
        let answers = netlink.apply_all(&additions);
        println!("2000 routes added in {:?}", begin.elapsed());
        assert_eq!(answers, vec![Ok(Applied::Done); 2000]);
        let begin = Instant::now();
        let found = held(netlink.routes(OUR_PROTOCOL).unwrap());
        println!("2000 routes listed in {:?}", begin.elapsed());
        let begin = Instant::now();
        assert_eq!(reconcile_routes(&wishes, &found), (Vec::new(), Vec::new()));
        println!("2000 routes compared in {:?}", begin.elapsed());
        let (removals, _) = reconcile_routes(&wishes[1..], &found);
        assert_eq!(removals.len(), 1);
        let (removals, _) = reconcile_routes(&[], &found);
        let removals: Vec<Operation> = removals.into_iter().map(Operation::Route).collect();
        assert_eq!(netlink.apply_all(&removals), vec![Ok(Applied::Done); 2000]);
    });
}
