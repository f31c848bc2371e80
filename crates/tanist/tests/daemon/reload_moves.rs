//! Configurations that change while the daemon is active: what leaves the machine for it, and what need not.
//!
//! An address leaves if its kernel loses it, however short that is. The same changes are made to keepalived, so that the
//! difference is known: it lets go of much that is wanted before and after, and of some of that for good.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;
use std::thread;

use crate::support::{
    Daemon, HostPlan, Moment, Node, PATIENCE, Scene, Seen, slow_test, slow_test_with_keepalived, tanist,
};

/// One instance: its name, further lines, its addresses.
type Instance = (&'static str, &'static str, &'static str);

/// A change and what comes of it on a host that is active for everything.
struct Change {
    what: &'static str,
    before: &'static [Instance],
    after: &'static [Instance],
    /// What stands at the top before and after.
    top: [&'static str; 2],
    /// A sync group of all instances before and after.
    grouped: [bool; 2],
    /// Addresses that the kernel loses, maybe to get them back.
    leave: &'static [&'static str],
    /// With keepalived 2.2.7, those that leave besides.
    also_leave: &'static [&'static str],
    /// And those that never come back there, although they are wanted.
    are_lost: &'static [&'static str],
    /// Instances that are no longer master for a while, or never again.
    step_back: &'static [&'static str],
    /// From where to where VRID 51 advertises in the end, if that is what changes.
    way: &'static str,
}

const BASE: Change = Change {
    what: "",
    before: &[("VI_1", "", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
    after: &[],
    top: ["", ""],
    grouped: [false, false],
    leave: &[],
    also_leave: &[],
    are_lost: &[],
    step_back: &[],
    way: "",
};

const CHANGES: &[Change] = &[
    Change {
        what: "an address moves to the second instance",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
        after: &[("VI_1", "", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24 192.0.2.102/24")],
        also_leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "an address moves to the first instance",
        before: &[("VI_1", "", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24 192.0.2.102/24")],
        after: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
        also_leave: &["192.0.2.102"],
        are_lost: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "addresses change their instances",
        after: &[("VI_1", "", "192.0.2.101/24"), ("VI_2", "virtual_router_id 52", "192.0.2.100/24")],
        also_leave: &["192.0.2.100", "192.0.2.101"],
        are_lost: &["192.0.2.101"],
        ..BASE
    },
    Change {
        what: "an address moves to the other interface",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        after: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24:eth1")],
        leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "an address moves from the other interface",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24:eth1")],
        after: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "instances change their order",
        after: &[("VI_2", "virtual_router_id 52", "192.0.2.101/24"), ("VI_1", "", "192.0.2.100/24")],
        ..BASE
    },
    Change {
        what: "an instance gets another name",
        after: &[("VI_9", "", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
        ..BASE
    },
    Change {
        what: "another VRID is another election",
        after: &[
            ("VI_1", "virtual_router_id 61", "192.0.2.100/24"),
            ("VI_2", "virtual_router_id 52", "192.0.2.101/24"),
        ],
        leave: &["192.0.2.100"],
        step_back: &["VI_1"],
        ..BASE
    },
    Change {
        what: "another interface is another election",
        after: &[("VI_1", "interface eth1", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
        leave: &["192.0.2.100"],
        step_back: &["VI_1"],
        ..BASE
    },
    Change {
        what: "version 2 instead of 3",
        after: &[
            ("VI_1", "version 2\n    advert_int 1", "192.0.2.100/24"),
            ("VI_2", "virtual_router_id 52", "192.0.2.101/24"),
        ],
        way: "(v2,",
        ..BASE
    },
    Change {
        what: "version 3 instead of 2",
        before: &[
            ("VI_1", "version 2\n    advert_int 1", "192.0.2.100/24"),
            ("VI_2", "virtual_router_id 52", "192.0.2.101/24"),
        ],
        after: BASE.before,
        way: "(v3,",
        ..BASE
    },
    Change {
        what: "unicast instead of multicast",
        after: &[
            ("VI_1", "unicast_src_ip 192.0.2.1\n    unicast_peer {\n        192.0.2.254\n    }", "192.0.2.100/24"),
            ("VI_2", "virtual_router_id 52", "192.0.2.101/24"),
        ],
        also_leave: &["192.0.2.100"],
        way: "192.0.2.1 > 192.0.2.254",
        ..BASE
    },
    Change {
        what: "multicast instead of unicast",
        before: &[
            ("VI_1", "unicast_src_ip 192.0.2.1\n    unicast_peer {\n        192.0.2.254\n    }", "192.0.2.100/24"),
            ("VI_2", "virtual_router_id 52", "192.0.2.101/24"),
        ],
        after: BASE.before,
        also_leave: &["192.0.2.100"],
        way: "192.0.2.1 > 224.0.0.18",
        ..BASE
    },
    Change {
        what: "another source of unicast",
        before: &[(
            "VI_1",
            "unicast_src_ip 192.0.2.1\n    unicast_peer {\n        192.0.2.254\n    }",
            "192.0.2.100/24",
        )],
        after: &[(
            "VI_1",
            "unicast_src_ip 192.0.2.9\n    unicast_peer {\n        192.0.2.254\n    }",
            "192.0.2.100/24",
        )],
        also_leave: &["192.0.2.100"],
        way: "192.0.2.9 > 192.0.2.254",
        ..BASE
    },
    Change {
        what: "another source of multicast",
        before: &[("VI_1", "", "192.0.2.100/24")],
        after: &[("VI_1", "mcast_src_ip 192.0.2.9", "192.0.2.100/24")],
        way: "192.0.2.9 > 224.0.0.18",
        ..BASE
    },
    Change {
        what: "an instance is added and one is removed",
        after: &[("VI_1", "", "192.0.2.100/24"), ("VI_3", "virtual_router_id 53", "192.0.2.103/24")],
        leave: &["192.0.2.101"],
        step_back: &["VI_2"],
        ..BASE
    },
    Change { what: "a sync group is added", after: BASE.before, grouped: [false, true], ..BASE },
    Change { what: "a sync group is removed", after: BASE.before, grouped: [true, false], ..BASE },
    Change {
        what: "a virtual MAC address is added",
        after: &[("VI_1", "use_vmac", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
        leave: &["192.0.2.100"],
        ..BASE
    },
    Change {
        what: "a virtual MAC address is removed",
        before: &[("VI_1", "use_vmac", "192.0.2.100/24"), ("VI_2", "virtual_router_id 52", "192.0.2.101/24")],
        after: BASE.before,
        leave: &["192.0.2.100"],
        ..BASE
    },
    Change {
        what: "an address is no longer advertised",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        after: &[("VI_1", "virtual_ipaddress_excluded {\n        192.0.2.102/24\n    }", "192.0.2.100/24")],
        ..BASE
    },
    Change {
        what: "an address becomes static",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        after: &[("VI_1", "", "192.0.2.100/24")],
        top: ["", "static_ipaddress {\n    192.0.2.102/24 dev eth0\n}\n"],
        also_leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "a static address becomes virtual",
        before: &[("VI_1", "", "192.0.2.100/24")],
        after: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        top: ["static_ipaddress {\n    192.0.2.102/24 dev eth0\n}\n", ""],
        also_leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "an address gets another prefix",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        after: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/32")],
        leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "an address gets a label",
        before: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24")],
        after: &[("VI_1", "", "192.0.2.100/24 192.0.2.102/24;label;eth0:x")],
        leave: &["192.0.2.102"],
        ..BASE
    },
    Change {
        what: "the first address of a network goes",
        before: &[("VI_1", "", "10.0.0.1/24 10.0.0.2/24")],
        after: &[("VI_1", "", "10.0.0.2/24")],
        // The kernel takes the others of the network along, unless `promote_secondaries` is set, as we see to it.
        leave: &["10.0.0.1"],
        also_leave: &["10.0.0.2"],
        are_lost: &["10.0.0.2"],
        ..BASE
    },
    Change {
        what: "instances exchange their VRIDs",
        after: &[("VI_1", "virtual_router_id 52", "192.0.2.100/24"), ("VI_2", "", "192.0.2.101/24")],
        also_leave: &["192.0.2.100", "192.0.2.101"],
        are_lost: &["192.0.2.101"],
        ..BASE
    },
    Change {
        what: "priority, preemption and announcements",
        after: &[
            (
                "VI_1",
                "priority 90\n    nopreempt\n    garp_master_refresh 60\n    garp_lower_prio_repeat 1",
                "192.0.2.100/24",
            ),
            ("VI_2", "virtual_router_id 52", "192.0.2.101/24"),
        ],
        ..BASE
    },
];

/// With a second between advertisements: nobody oversleeps on a busy machine what is asserted here.
fn configuration(top: &str, instances: &[Instance], grouped: bool) -> String {
    let mut text = top.to_owned();
    for (name, lines, addresses) in instances {
        let own: BTreeSet<&str> = lines.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let defaults =
            ["interface eth0", "virtual_router_id 51", "priority 150", "version 3", "advert_int 1"].into_iter();
        let defaults = defaults.filter(|line| !line.split(' ').next().is_some_and(|word| own.contains(word)));
        let addresses = addresses.split(' ').map(|address| address.replace(":eth1", " dev eth1").replace(';', " "));
        text += &format!(
            "vrrp_instance {name} {{\n    {}\n    {lines}\n    virtual_ipaddress {{\n        {}\n    }}\n}}\n",
            defaults.collect::<Vec<_>>().join("\n    "),
            addresses.collect::<Vec<_>>().join("\n        ")
        );
    }
    if grouped {
        let names: Vec<&str> = instances.iter().map(|(name, ..)| *name).collect();
        text += &format!("vrrp_sync_group G {{\n    group {{\n        {}\n    }}\n}}\n", names.join("\n        "));
    }
    text
}

/// All addresses of instances, without what else is said of them.
fn addresses(instances: &[Instance]) -> BTreeSet<IpAddr> {
    let words = instances.iter().flat_map(|(_, lines, addresses)| addresses.split(' ').chain(lines.split_whitespace()));
    let all = words.filter_map(|word| word.split_once('/')?.0.parse().ok());
    all.collect()
}

/// What a change came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// Addresses that the kernel has lost, maybe to get them back.
    left: BTreeSet<String>,
    /// Addresses that are wanted and missing.
    lost: BTreeSet<String>,
    /// Instances that are no longer master for a while, or never again.
    stepped_back: BTreeSet<String>,
}

fn made_by(daemon: Daemon, change: &Change) -> Outcome {
    let mut scene = Scene::empty();
    scene.lab.client().add_address("192.0.2.254/24").expect("the client's address");
    let plan =
        HostPlan::new("a").interface("eth0", &["192.0.2.1/24", "192.0.2.9/24"]).interface("eth1", &["198.51.100.1/24"]);
    let host = scene.add(&plan);
    let node = Node::start(&host, daemon, &configuration(change.top[0], change.before, change.grouped[0]));
    let has_all = |instances: &[Instance]| addresses(instances).into_iter().all(|address| host.has_address(address));
    let all_speak = |since: Moment, instances: &[Instance]| {
        for (_, lines, _) in instances {
            let vrid = lines.lines().find_map(|line| line.trim().strip_prefix("virtual_router_id "));
            let vrid: u8 = vrid.map_or(51, |vrid| vrid.parse().expect("a VRID"));
            scene.advertised("a", since, |seen| seen.vrid == vrid && seen.priority > 0);
        }
    };
    scene.until("it has all addresses", || has_all(change.before));
    all_speak(Moment::now(), change.before);
    let changed = scene.lab.note("a", change.what);
    node.reload(&configuration(change.top[1], change.after, change.grouped[1]));
    let done = if node.is_tanist() { "Reloaded" } else { "Reload complete" };
    let done = scene.lab.journal().wait_for(changed, PATIENCE, |record| crate::support::says(record, done));
    let done = done.map_or_else(Moment::now, |record| record.at);
    // Longer than a new election takes; then those who won it have their say.
    all_speak(done, change.after);
    if node.is_tanist() {
        scene.until("it has all addresses again", || has_all(change.after));
    }
    // Nor does anything happen after that.
    for _ in 0..2 {
        all_speak(Moment::now(), change.after);
    }
    assert!(!node.is_tanist() || has_all(change.after), "{}: something left later\n{}", change.what, scene.story());
    let mut advertisements = scene.advertisements(done).into_iter().map(|(_, _, seen)| seen);
    if let Some(last) = advertisements.rfind(|seen| seen.vrid == 51) {
        assert!(last.to_string().contains(change.way), "{}: {last}, not {}", change.what, change.way);
    }
    let missing = addresses(change.after).into_iter().filter(|address| !host.has_address(*address));
    let lost = missing.map(|address| address.to_string()).collect();
    let (mut left, mut stepped_back) = (BTreeSet::new(), BTreeSet::new());
    for record in scene.lab.journal().since(changed) {
        match &record.what {
            Seen::AddressRemoved { address: IpAddr::V4(address), .. } => {
                left.insert(address.to_string());
            }
            Seen::Line { text, .. } => {
                let words = ["Entering BACKUP STATE", "Entering FAULT STATE", "Stopped"];
                let known = change.before.iter().map(|(name, ..)| *name);
                let of = |name: &&str| text.contains(&format!("({name})"));
                if words.iter().any(|word| text.contains(word)) {
                    stepped_back.extend(known.filter(of).map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    node.stop();
    Outcome { left, lost, stepped_back }
}

/// Makes all changes, half of them at the same time, and tells all that came out otherwise.
fn all(daemon: impl Fn() -> Daemon + Sync, is_wanted: impl Fn(&Change, &Outcome) -> bool + Sync) {
    let (next, otherwise) = (Mutex::new(CHANGES.iter()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let taken = next.lock().expect("nobody panics here").next();
            let Some(change) = taken else { break };
            let outcome = made_by(daemon(), change);
            if !is_wanted(change, &outcome) {
                otherwise.lock().expect("nobody panics here").push(format!("{}: {outcome:?}", change.what));
            }
        }
    };
    thread::scope(|scope| (0..CHANGES.len() / 2).for_each(|_| drop(scope.spawn(work))));
    let otherwise = otherwise.into_inner().expect("nobody panics here");
    assert!(otherwise.is_empty(), "these came out otherwise:\n{}", otherwise.join("\n"));
}

fn set(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

#[test]
fn an_address_never_leaves_where_it_need_not() {
    slow_test(|| {
        all(tanist, |change, outcome| {
            let wanted = Outcome { left: set(change.leave), lost: set(&[]), stepped_back: set(change.step_back) };
            *outcome == wanted
        });
    });
}

/// What moves from one instance to another is taken away after it was found to be there already, and stays away.
#[test]
fn keepalived_lets_go_of_more() {
    slow_test_with_keepalived(|| {
        all(Daemon::keepalived, |change, Outcome { left, lost, .. }| {
            *left == &set(change.leave) | &set(change.also_leave) && *lost == set(change.are_lost)
        });
    });
}
