//! The same configuration run by keepalived and by us on the same host: what `ip` says afterwards is compared field by
//! field.
//!
//! What differs on purpose is taken out of the comparison, and only that: the number by which each marks its routes and
//! rules, the mark on our addresses, and that ours have a lifetime unless told otherwise (here they are told).

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use crate::support::iproute::ip;
use crate::support::{Daemon, Host, HostPlan, Node, Scene, slow_test_with_keepalived, tanist};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

/// What either daemon has brought about, as `ip -j` says it.
#[derive(Debug, PartialEq)]
struct Picture {
    addresses: Vec<Value>,
    routes: Vec<Value>,
    rules: Vec<Value>,
}

fn list(host: &Host, words: &str) -> Vec<Value> {
    // It prints nothing at all where there is nothing to print.
    let text = ip(host, words);
    let value =
        if text.trim().is_empty() { Value::Array(Vec::new()) } else { serde_json::from_str(&text).expect("JSON") };
    let Value::Array(list) = value else { panic!("ip {words} prints a list") };
    list.into_iter().filter(|entry| entry.as_object().is_none_or(|entry| !entry.is_empty())).collect()
}

fn without(value: Value, keys: &[&str]) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.into_iter().filter(|(key, _)| !keys.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key, without(value, keys))).collect::<Map<String, Value>>())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(|value| without(value, keys)).collect()),
        other => other,
    }
}

fn picture(host: &Host) -> Picture {
    let both = |words: &str| -> Vec<Value> {
        ["-4", "-6"].iter().flat_map(|family| list(host, &format!("-j -d {family} {words}"))).collect()
    };
    // Numbers and counters of interfaces are not what this is about; nor is a time that is running.
    let interfaces = list(host, "-j -d address");
    let addresses = interfaces.into_iter().filter_map(|interface| {
        let name = interface.get("ifname")?.clone();
        Some(serde_json::json!({ "ifname": name, "addresses": interface.get("addr_info")?.clone() }))
    });
    let addresses = addresses.map(|addresses| {
        let mut addresses = without(addresses, &["protocol", "proto"]);
        // Those that the kernel gives itself come when it likes.
        if let Some(list) = addresses["addresses"].as_array_mut() {
            list.retain(|address| !address["local"].as_str().is_some_and(|local| local.starts_with("fe80:")));
        }
        round_times(&mut addresses);
        addresses
    });
    let is_ours = |route: &Value| !matches!(route["protocol"].as_str(), Some("kernel" | "ra"));
    let mark = |route: Value| {
        let marked = matches!(route["protocol"].as_str(), Some("keepalived" | "116"));
        if marked { without(route, &["protocol"]) } else { route }
    };
    let routes = both("route show table all").into_iter().filter(is_ours).map(mark);
    let mut routes: Vec<Value> = routes.collect();
    routes.iter_mut().for_each(round_times);
    // keepalived leaves the mark of a rule out if nobody tracks it.
    let rules = both("rule").into_iter().map(|rule| without(rule, &["protocol", "protocol_id"]));
    Picture { addresses: addresses.collect(), routes, rules: rules.collect() }
}

/// A time that is running is there, and that is all that is compared.
fn round_times(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                let runs = matches!(key.as_str(), "preferred_life_time" | "valid_life_time" | "expires");
                match value.as_u64() {
                    Some(1..=4_000_000_000) if runs => *value = Value::String("running".to_owned()),
                    _ => round_times(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(round_times),
        _ => {}
    }
}

fn scene() -> Scene {
    let mut scene = Scene::empty();
    let plan = HostPlan::new("a")
        .interface("eth0", &["192.0.2.1/24", "2001:db8::1/64"])
        .interface("eth1", &["198.51.100.1/24", "2001:db8:1::1/64"]);
    scene.add(&plan);
    scene
}

/// What this daemon makes of the configuration, and that nothing of ours is left when it has ended.
fn made_by(scene: &Scene, daemon: Daemon, configuration: &str) -> Picture {
    let host = &scene.hosts[0];
    let before = picture(host);
    let node = Node::start(host, daemon, configuration);
    scene.only("a", ADDRESS);
    // Routes and rules come a moment after the addresses, and IPv6 is told of last.
    let mut last = picture(host);
    scene.until("nothing changes any more", || {
        crate::support::let_pass(std::time::Duration::from_millis(200));
        let now = picture(host);
        let settled = now == last;
        last = now;
        settled
    });
    node.stop();
    // keepalived forgets some.
    if node.is_tanist() {
        assert_eq!(picture(host), before, "something is left behind");
    }
    last
}

/// Compares what both make of these lines of an instance, entry by entry.
fn compare(before: &str, lines: &str) -> Picture {
    let scene = scene();
    let configuration = format!(
        "global_defs {{\n    default_interface eth1\n}}\n{before}\nvrrp_instance VI_1 {{\n    interface eth0\n    \
         virtual_router_id 51\n    priority 150\n    version 3\n    advert_int 0.2\n{lines}\n    virtual_ipaddress {{\n        \
         {ADDRESS}/24\n    }}\n}}\n"
    );
    let ours = configuration.replace("global_defs {", "global_defs {\n    address_lifetime unlimited");
    let (ours, theirs) = (made_by(&scene, tanist(), &ours), made_by(&scene, Daemon::keepalived(), &configuration));
    for (what, ours, theirs) in [
        ("addresses", &ours.addresses, &theirs.addresses),
        ("routes", &ours.routes, &theirs.routes),
        ("rules", &ours.rules, &theirs.rules),
    ] {
        let only = |these: &[Value], those: &[Value]| -> String {
            these.iter().filter(|one| !those.contains(one)).map(|one| format!("{one}\n")).collect()
        };
        let (here, there) = (only(ours, theirs), only(theirs, ours));
        assert!(here.is_empty() && there.is_empty(), "{what}\nonly ours:\n{here}only keepalived's:\n{there}");
        assert_eq!(ours, theirs, "{what} in another order");
    }
    theirs
}

// Shows: vrrp_instance.virtual_routes, route.unicast, route.multicast, route.throw, route.unreachable
// Shows: route.prohibit, route.blackhole, route.to, route.src, route.via, route.nexthop, route.dev, route.table
// Shows: route.scope, route.protocol, route.tos, route.metric, route.mtu, route.hoplimit, route.advmss, route.rtt
// Shows: route.rttvar, route.reordering, route.window, route.cwnd, route.ssthresh, route.realms, route.rto_min
// Shows: route.initcwnd, route.initrwnd, route.features, route.quickack, route.congctl, route.encap, route.onlink
// Shows: route.weight, route.ttl-propagate, route.fastopen_no_cookie, route.append, route.prepend
#[test]
fn routes_of_ipv4() {
    slow_test_with_keepalived(|| {
        let lines = "
    virtual_routes {
        10.0.1.0/24 via 192.0.2.254 dev eth0
        10.0.2.0/24 via 192.0.2.254
        10.0.3.0/24 dev eth0
        10.0.4.4 dev eth0
        src 192.0.2.100 to 10.0.5.0/24 via 192.0.2.254 dev eth0
        10.0.6.0/24 gw 192.0.2.254
        0.0.0.0/0 via 192.0.2.254 table 100
        default via 192.0.2.254 table 101
        any dev eth0 table 102
        blackhole 10.0.7.0/24
        unreachable 10.0.8.0/24
        prohibit 10.0.9.0/24
        throw 10.0.10.0/24 table 100
        multicast 224.1.0.0/16 dev eth0
        unicast 10.0.11.0/24 dev eth0
        10.0.12.0/24 dev eth0 table 0x64
        10.0.13.0/24 dev eth0 table default
        10.0.14.0/24 dev eth0 table 70000
        10.0.15.0/24 dev eth0 protocol bird no_track
        10.0.16.0/24 dev eth0 protocol 77 no_track
        10.0.17.0/24 dev eth0 tos 8
        10.0.18.0/24 dev eth0 dsfield 0x10
        10.0.19.0/24 dev eth0 tos CS6
        10.0.20.0/24 dev eth0 metric 10
        10.0.21.0/24 dev eth0 priority 11
        10.0.22.0/24 dev eth0 preference 12
        10.0.23.0/24 dev eth0 scope link
        10.0.24.0/24 dev eth0 scope site
        10.0.25.0/24 dev eth0 scope 100
        10.0.26.0/24 dev eth0 mtu 1400
        10.0.27.0/24 dev eth0 mtu lock 1400
        10.0.28.0/24 dev eth0 hoplimit 64 advmss 1360
        10.0.29.0/24 dev eth0 rtt 1s rttvar 500ms
        10.0.30.0/24 dev eth0 rtt 100 rttvar 900
        10.0.31.0/24 dev eth0 rtt lock 5000
        10.0.32.0/24 dev eth0 reordering 4 window 1000 cwnd 10 ssthresh 11
        10.0.33.0/24 dev eth0 realms 1
        10.0.34.0/24 dev eth0 realms 1/0x14
        10.0.35.0/24 dev eth0 rto_min 300
        10.0.36.0/24 dev eth0 rto_min 1.5s
        10.0.37.0/24 dev eth0 initcwnd 10 initrwnd 12
        10.0.38.0/24 dev eth0 features ecn
        10.0.39.0/24 dev eth0 quickack 1
        10.0.40.0/24 dev eth0 congctl cubic
        10.0.41.0/24 dev eth0 congctl lock reno
        10.0.42.0/24 dev eth0 fastopen_no_cookie 1
        10.0.43.0/24 via 10.99.99.1 dev eth0 onlink
        10.0.44.0/24 nexthop via 192.0.2.253 dev eth0 weight 2 nexthop via 198.51.100.254 dev eth1 weight 3
        10.0.45.0/24 nexthop via 192.0.2.253 nexthop dev eth1
        10.0.46.0/24 mtu 1000 metric 4 nexthop via 192.0.2.253 nexthop via 192.0.2.254
        10.0.47.0/24 nexthop via 192.0.2.253 realms 3 nexthop via 198.51.100.9 realms 1/4
        10.0.48.0/24 nexthop via 192.0.2.253
        10.0.49.0/24 dev eth0 oif eth1
        10.0.50.0/24 via 192.0.2.254 ttl-propagate enabled
        10.0.51.0/24 encap ip id 5 dst 192.0.2.9 dev eth0
        10.0.52.0/24 encap ip id 5 dst 192.0.2.9 ttl 9 tos 8 dev eth0
        10.0.53.0/24 encap ip6 id 5 dst 2001:db8::9 src 2001:db8::8 tc 3 hoplimit 2 dev eth0
        10.0.54.0/24 dev eth0 as to 203.0.113.9
        10.0.55.0/24 dev eth0 add
        10.0.56.0/24 dev eth0 append
        10.0.57.0/24 dev eth0 prepend
        10.0.58.0/24 dev eth0 no_track
        10.0.59.0/24 dev eth0 mtu 99999
        10.0.60.0/24 dev eth0 window 4294967295
        10.0.61.0/24 dev eth0 window 0 initcwnd 0
        10.0.62.0/24 dev eth0 metric 0
        dev eth0 10.0.63.0/24
        table 103 dev eth0 to 10.0.64.0/24
        10.0.65.0/24 via 192.0.2.253
        10.0.65.0/24 via 192.0.2.254
        10.0.66.0/24 via 192.0.2.253
        10.0.66.0/24 via 192.0.2.254 append
        10.0.67.0/24 via 192.0.2.253 metric 1
        10.0.67.0/24 via 192.0.2.254 metric 2
    }";
        let made = compare("", lines);
        assert!(made.routes.len() > 60, "{} routes", made.routes.len());
    });
}

// Shows: route.from, route.pref, route.expires, route.or
#[test]
fn routes_of_ipv6() {
    slow_test_with_keepalived(|| {
        let lines = "
    virtual_routes {
        2001:db8:a1::/64 via 2001:db8::2 dev eth0
        2001:db8:a2::/64 via 2001:db8::2
        2001:db8:a3::/64 dev eth0
        2001:db8:a4::4 dev eth0
        2001:db8:a5::/64 dev eth0 metric 10
        2001:db8:a6::/64 dev eth0 pref high
        2001:db8:a7::/64 dev eth0 pref low
        2001:db8:a8::/64 dev eth0 expires 600
        2001:db8:a9::/64 dev eth0 src 2001:db8::1
        2001:db8:aa::/64 from 2001:db8:b::/64 via 2001:db8::2 dev eth0
        2001:db8:ab::/64 from 2001:db8:b::/64 via 2001:db8::2 dev eth0 table 100
        2001:db8:ac::/64 nexthop via 2001:db8::2 dev eth0 weight 2 nexthop via 2001:db8:1::2 dev eth1
        2001:db8:ad::/64 nexthop via 2001:db8::2 dev eth0 nexthop via 2001:db8::3 dev eth0
        blackhole 2001:db8:ae::/64
        unreachable 2001:db8:af::/64 metric 77
        prohibit 2001:db8:b0::/64
        throw 2001:db8:b1::/64 table 100
        2001:db8:b2::/64 dev eth0 mtu 1300 hoplimit 9 advmss 1000 features ecn
        2001:db8:b3::/64 dev eth0 quickack 1 congctl cubic initcwnd 3
        ::/0 via 2001:db8::2 dev eth0 table 105
        default via 2001:db8::2 dev eth0 table 106
        2001:db8:b4::/64 via fe80::9 dev eth0
        2001:db8:b5::/64 encap ip6 id 7 src 2001:db8::1 dst 2001:db8::77 hoplimit 9 tc 5 dev eth0
        local 2001:db8:b6::1 dev eth0
        multicast ff15::/64 dev eth0
        2001:db8:b7::/64 via 2001:db8::3 or 2001:db8::2
        2001:db8:b8::/64 dev eth0 no_track
        2001:db8:b9::/64 dev eth0 table 107 protocol bird no_track
        2001:db8:ba::/64 via 2001:db8::2 metric 5
        2001:db8:ba::/64 via 2001:db8::3 metric 6
    }";
        let made = compare("", lines);
        assert!(made.routes.len() > 25, "{} routes", made.routes.len());
    });
}

// Shows: rule.protocol, vrrp_instance.virtual_rules, rule.not, rule.from, rule.to, rule.table, rule.preference, rule.tos
// Shows: rule.fwmark, rule.realms, rule.suppress_prefixlength, rule.suppress_ifgroup, rule.iif, rule.oif
// Shows: rule.tunnel-id, rule.uidrange, rule.l3mdev, rule.ipproto, rule.sport, rule.dport, rule.goto, rule.nop
// Shows: rule.blackhole, rule.unreachable, rule.prohibit, rule.type
#[test]
fn policy_rules() {
    slow_test_with_keepalived(|| {
        let before = "static_rules {\n    from 10.0.9.0/24 table 101\n}";
        let lines = "
    virtual_rules {
        from 10.1.0.0/24 table 100
        to 10.2.0.0/24 table 100
        from 10.3.0.0/24 lookup 100 preference 30
        from 10.4.0.0/24 table main priority 31
        from 10.5.0.0/24 table 100 order 32
        from 10.6.0.0/24 tos 8 table 100 preference 33
        from 10.7.0.0/24 dsfield 0x10 table 100 preference 34
        fwmark 1 table 100 preference 35
        fwmark 24/12 table 100 preference 36
        fwmark 0x10/0xff table 100 preference 37
        from 10.8.0.0/24 realms 1/2 table 100 preference 38
        from 10.8.1.0/24 realms 2 table 100 preference 39
        table main suppress_prefixlength 0 preference 40
        table main suppress_ifgroup 1 preference 41
        table main suppress_ifgroup default preference 42
        iif eth0 table 100 preference 43
        dev eth0 table 100 preference 44
        oif eth1 table 100 preference 45
        tunnel-id 7 table 100 preference 46
        uidrange 10-20 table 100 preference 47
        l3mdev preference 48
        ipproto tcp table 100 preference 49
        ipproto UDP sport 80-81 dport 100-200 table 100 preference 50
        from 10.9.0.0/24 goto 60 preference 52
        from 10.9.1.0/24 nop preference 53
        from 10.9.2.0/24 type blackhole preference 54
        from 10.9.3.0/24 blackhole preference 55
        from 10.9.4.0/24 unreachable preference 56
        from 10.9.5.0/24 type prohibit preference 57
        from all table 100 preference 58
        from any to all table 100 preference 59
        not from 10.10.0.0/24 table 100 preference 60
        from 10.11.0.0/24 table 100 no_track preference 61
        from 10.12.0.1 table 100 preference 62
        from 10.12.1.1/24 table 100 preference 63
        from 10.13.0.0/24 table 70000 preference 64
        from 10.14.0.0/24 table 100 preference 65
        from 10.15.0.0/24 table 100 preference 69 protocol 4 no_track
        from 2001:db8:1::/64 table 100 preference 66
        to 2001:db8:2::/64 from 2001:db8:1::/64 uidrange 1-2 table 100
        from 2001:db8:3::1 fwmark 3 table 100 preference 67
        to 2001:db8:4::/48 iif eth1 table main suppress_prefixlength 64 preference 68
    }";
        let made = compare(before, lines);
        assert!(made.rules.len() > 40, "{} rules", made.rules.len());
    });
}

// Shows: global_defs.default_interface, address.peer, address.home, address.-nodad, address.mngtmpaddr
// Shows: address.noprefixroute, address.autojoin, address.preferred_lft
#[test]
fn addresses_in_every_form() {
    slow_test_with_keepalived(|| {
        let before = "
static_ipaddress {
    10.20.0.1
    10.20.1.1/24 brd +
    10.20.2.1/24 dev eth0 scope link
    10.20.3.1 peer 10.20.3.2 dev eth0
    2001:db8:20::1/64
    2001:db8:21::1 dev eth0
    2001:db8:22::1/64 dev eth0 home
    2001:db8:23::1/64 dev eth0 -nodad
    2001:db8:24::1/64 dev eth0 mngtmpaddr
    2001:db8:25::1/64 dev eth0 noprefixroute
    ff05::7 dev eth0 autojoin
    2001:db8:26::1 peer 2001:db8:26::2 dev eth0
    2001:db8:27::1/64 preferred_lft 1000 dev eth0
    2001:db8:28::1 preferred_lft forever dev eth0
    2001:db8:29::1/64 preferred_lft 0 dev eth0
    2001:db8:2a::1/64 dev eth0 no_track
}
static_routes {
    10.30.0.0/24 via 10.20.1.9
    2001:db8:30::/64 via 2001:db8:20::9 dev eth1
}";
        let lines = "
    virtual_ipaddress_excluded {
        192.0.2.110/24
        192.0.2.105/24 label eth0:five
        10.21.1.1/24 dev eth1
        10.21.2.1/24 brd 10.21.2.255
        10.21.3.1/24 brd +
        10.21.4.1/24 brd -
        10.21.5.1/24 scope link
        10.21.6.1/24 scope site
        10.21.7.1/24 scope nowhere
        10.21.8.1/24 scope 17
        10.21.9.1/24 label eth0:x
        10.21.10.1 peer 10.21.10.2
        10.21.11.1/24 noprefixroute dev eth1
        10.21.12.1/24 preferred_lft 60
        10.21.13.1/24 home -nodad mngtmpaddr
        239.1.2.3 autojoin
        10.21.14.1/24 no_track
        10.21.15.2/24
        10.21.15.1/24
        10.21.15.3/24
        10.21.16.1
    }
    promote_secondaries";
        let made = compare(before, lines);
        let count: usize = made.addresses.iter().filter_map(|one| Some(one["addresses"].as_array()?.len())).sum();
        assert!(count > 40, "{count} addresses");
    });
}
