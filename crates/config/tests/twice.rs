//! Which of two counts where one thing is said twice: as keepalived takes it.

use std::path::Path;

use tanist_config::{LoadOptions, MemoryFiles, load};

#[test]
fn of_two_ipvlans_the_first_counts() {
    let text = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n use_ipvlan ipvl.51 192.0.2.33\n \
                use_ipvlan ipvl.52 192.0.2.34\n virtual_ipaddress {\n 192.0.2.100/24\n }\n}\n";
    let loaded = load(Path::new("/k/main.conf"), &MemoryFiles::single("/k/main.conf", text), &LoadOptions::default());
    let report = loaded.report.render(false);
    assert!(report.contains("`use_ipvlan` is given twice; the first counts"), "{report}");
    let settings = format!("{:?}", loaded.settings.expect("a warning is no error"));
    assert!(settings.contains("ipvl.51") && settings.contains("192.0.2.33"), "{settings}");
    assert!(!settings.contains("ipvl.52") && !settings.contains("192.0.2.34"), "{settings}");
}
