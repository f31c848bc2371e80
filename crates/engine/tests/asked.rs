//! What is asked of an engine and of its values, and seen in no timeline.

use tanist_engine::{Engine, Name, Priority, RouterId, VirtualAddress, Vrid};

use crate::common::setup::{address, config, router};

#[test]
fn a_number_of_a_virtual_router_is_written_as_such() {
    assert_eq!(Vrid::new(51).expect("51 is one").to_string(), "51");
}

/// A single IPv6 address is no source for anybody unless that is said; of others nothing is said.
#[test]
fn what_is_usual_about_an_address_is_not_written() {
    let of = |prefix| VirtualAddress::new(address("2001:db8::1"), prefix);
    assert_eq!(of(64).to_string(), "2001:db8::1/64");
    assert_eq!(of(128).to_string(), "2001:db8::1/128 preferred_lft forever");
    let no_source = VirtualAddress { preferred: Some(0), ..of(128) };
    assert_eq!(no_source.to_string(), "2001:db8::1/128");
}

#[test]
fn a_router_is_on_no_interface_in_particular_only_if_none_is_named() {
    let mut of_eth0 = router("a");
    assert!(!of_eth0.is_anywhere());
    of_eth0.link = Name::from("");
    assert!(of_eth0.is_anywhere());
}

#[test]
fn the_priority_that_counts_is_that_of_the_router_that_is_meant() {
    let engine = Engine::new(config(&["router a priority 130", "router b vrid 52 priority 90"]), 1);
    let priority = |number| engine.effective_priority(RouterId(number)).map(Priority::get);
    assert_eq!([priority(0), priority(1), priority(2)], [Some(130), Some(90), None]);
}
