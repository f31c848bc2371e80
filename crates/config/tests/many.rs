//! More addresses than an advertisement holds, and more instances than anybody has.

use crate::support::load_text;
use tanist_config::Severity;

#[test]
fn addresses_beyond_an_advertisement_are_excluded() {
    let text = "vrrp_instance a {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        ~SEQ(i, 0, 1) ~SEQ(j, 1, 150) 10.0.${i}.${j}
    }
    virtual_ipaddress_excluded {
        10.0.9.9
    }
}
";
    let loaded = load_text(text);
    let codes: Vec<(Severity, &str)> =
        loaded.report.diagnostics().iter().map(|diagnostic| (diagnostic.severity, diagnostic.code)).collect();
    assert_eq!(codes, [(Severity::Warning, "too-many-addresses")]);
    let settings = loaded.settings.expect("a warning is no error");
    let router = &settings.instances[0].router;
    assert_eq!((router.addresses.len(), router.excluded_addresses.len()), (255, 46));
    assert_eq!(router.addresses[254].address.to_string(), "10.0.1.105");
    assert_eq!(router.excluded_addresses[0].address.to_string(), "10.0.1.106");
    assert_eq!(router.excluded_addresses[45].address.to_string(), "10.0.9.9");
}

#[test]
fn a_thousand_instances() {
    let text = "$I= \\
vrrp_instance i_${LINK}_${ID} { \\
    interface eth${LINK} \\
    virtual_router_id ${ID} \\
    virtual_ipaddress { \\
        10.${LINK}.${ID}.1/24 \\
    } \\
    virtual_ipaddress_excluded { \\
        10.${LINK}.${ID}.2/24 \\
    } \\
}
~SEQ(LINK, 1, 4) ~SEQ(ID, 1, 250) $I
";
    let loaded = load_text(text);
    let settings = loaded.settings.unwrap_or_else(|| panic!("{}", loaded.report.render(false)));
    assert_eq!(settings.engine_config().routers.len(), 1000);
    let last = &settings.instances[999].router;
    assert_eq!(&*last.name, "i_4_250");
    // Two thousand addresses are not renewed every second or two.
    assert_eq!(settings.address_lifetime(last), Some(24));
    assert!(loaded.report.diagnostics().is_empty(), "{}", loaded.report.render(false));
}
