//! Routes and rules as text and as values.

use std::path::Path;

use crate::support::load_text;
use tanist_config::{LoadOptions, MemoryFiles, RealFiles, Settings, explain, load};

fn settings(text: &str) -> Settings {
    let loaded = load_text(text);
    loaded.settings.unwrap_or_else(|| panic!("{text}\n{}", loaded.report.render(false)))
}

/// What is shown of a route or a rule can be written down and means the same again.
#[test]
fn what_is_shown_means_what_was_written() {
    let loaded = load(Path::new("tests/cases/routes.conf"), &RealFiles, &LoadOptions::default());
    let first = loaded.settings.expect("a good file");
    let mut text = String::new();
    for instance in &first.instances {
        let router = &instance.router;
        let block = |name: &str, lines: Vec<String>| format!("{name} {{\n{}\n}}\n", lines.join("\n"));
        let shown = |entries: &[std::sync::Arc<engine::Route>]| entries.iter().map(ToString::to_string).collect();
        let rules = router.rules.iter().map(ToString::to_string).collect();
        let addresses = router.addresses.iter().map(ToString::to_string).collect();
        text += &format!(
            "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\n{}{}{}}}\n",
            router.name,
            router.vrid,
            block("virtual_ipaddress", addresses),
            block("virtual_routes", shown(&router.routes)),
            block("virtual_rules", rules)
        );
    }
    let statics: Vec<String> = first.statics.addresses.iter().map(|entry| entry.what.to_string()).collect();
    text += &format!("static_ipaddress {{\n{}\n}}\n", statics.join("\n"));
    let second = settings(&text);
    assert_eq!(first.instances.len(), second.instances.len());
    for (first, second) in first.instances.iter().zip(&second.instances) {
        let (first, second) = (&first.router, &second.router);
        assert!(first.name != "VI_1".into() || (first.routes.len() > 25 && first.rules.len() > 10));
        assert_eq!((&first.addresses, &first.routes), (&second.addresses, &second.routes));
        assert_eq!(first.rules, second.rules);
    }
    let plain =
        |settings: &Settings| settings.statics.addresses.iter().map(|entry| entry.what.clone()).collect::<Vec<_>>();
    assert_eq!(plain(&first), plain(&second));
}

/// As keepalived does: what is forgotten is the end of a line. The first one says of which family the route is.
#[test]
fn of_two_destinations_in_a_line_the_last_one_counts() {
    let load = |route: &str| {
        load_text(format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n 192.0.2.100\n }}\n \
             virtual_routes {{\n {route}\n }}\n}}\n"
        ))
    };
    for (text, expected) in [
        ("10.0.2.0/24 dev eth0 mtu 1400 10.0.3.0/24 advmss 1300", "10.0.3.0/24 dev eth0 mtu 1400 advmss 1300"),
        ("default 10.0.3.0/24 dev eth0", "10.0.3.0/24 dev eth0"),
    ] {
        let settings = load(text).settings.expect("it works");
        let routes: Vec<String> = settings.instances[0].router.routes.iter().map(ToString::to_string).collect();
        assert_eq!(routes, [expected]);
    }
    for text in ["10.0.2.0/24 default dev eth0", "10.0.2.0/24 2001:db8::/32 dev eth0"] {
        let loaded = load(text);
        assert!(loaded.settings.is_none(), "{text}");
        let why = "a second destination, after 10.0.2.0/24, which does not say the same family";
        let told = loaded.report.diagnostics().iter().any(|diagnostic| diagnostic.message == why);
        assert!(told, "{}", loaded.report.render(false));
    }
}

#[test]
fn what_only_ipv6_has_does_not_count_for_an_ipv4_address() {
    let address = |options: &str| {
        let text = format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n 192.0.2.100/24 {options}\n \
             }}\n}}\n"
        );
        settings(&text).instances[0].router.addresses[0].clone()
    };
    for options in ["home", "-nodad", "mngtmpaddr", "preferred_lft 60"] {
        assert_eq!(address(options), address(""), "{options}");
    }
}

// Shows: global_defs.iproute_etc_dir, global_defs.iproute_usr_dir
#[test]
fn names_come_from_the_operators_files_and_then_from_the_systems() {
    let path = "/etc/keepalived/keepalived.conf";
    let text = |directories: &str| {
        format!(
            "global_defs {{\n{directories}\n}}\nstatic_routes {{\n10.0.0.0/8 dev eth0 table uplink protocol mine realms cash \
             scope far tos bulk\n}}\nstatic_rules {{\ntable uplink suppress_ifgroup lan ipproto IPIP preference 5\n}}\n"
        )
    };
    let files = |directories: &str| {
        MemoryFiles::single(path, text(directories))
            .with("/etc/iproute2/rt_tables", "100 uplink\n")
            .with("/usr/share/iproute2/rt_protos", "0x4d mine\n")
            .with("/etc/iproute2/rt_realms", "7 cash\n")
            .with("/etc/iproute2/rt_scopes", "99 far\n")
            .with("/etc/iproute2/rt_dsfield", "0x08 bulk\n")
            .with("/etc/iproute2/group", "3 lan\n")
            .with("/srv/names/rt_tables", "200 uplink\n")
            .with("/srv/names/rt_protos", "78 mine\n")
            .with("/etc/protocols", "ipencap 4 IP-ENCAP IPIP\n")
    };
    let load = |directories: &str| load(Path::new(path), &files(directories), &LoadOptions::default());
    let shown =
        |settings: &Settings| format!("{} | {}", settings.statics.routes[0].what, settings.statics.rules[0].what);
    let usual = load("").settings.expect("every name is known");
    assert_eq!(
        shown(&usual),
        "10.0.0.0/8 tos 0x08 dev eth0 realms 7 table 100 protocol 77 scope 99 | from all ipproto 4 table 100 \
         suppress_ifgroup 3 preference 5"
    );
    let other = load("iproute_usr_dir /srv/names").settings.expect("the operator's come first");
    assert!(shown(&other).contains("table 100 protocol 78"), "{}", shown(&other));
    let other = load("iproute_etc_dir /srv/names");
    let told = other.report.render(false);
    assert!(told.contains("`cash` is no realm") && told.contains("in /srv/names/rt_realms"), "{told}");
    assert!(!told.contains("uplink` is no") && !told.contains("mine` is no"), "{told}");
}

#[test]
fn they_are_explained_as_what_moves() {
    let text = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 9\nvirtual_ipaddress {\n192.0.2.99\n}\nvirtual_routes \
                {\n10.1.0.0/16 dev eth0\n10.2.0.0/16 dev eth0\n}\nvirtual_rules {\nfrom 10.1.0.0/16 table 100 preference \
                9\n}\n}\n";
    let explained = explain(&settings(text)).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("192.0.2.99/32, 2 routes and 1 policy rule."), "{explained}");
    assert!(explained.contains("Its routes and rules stay until the daemon runs again"), "{explained}");
}
