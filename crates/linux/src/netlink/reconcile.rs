//! From what should be and what is to what must be done. Pure: no kernel in here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::{Address, Lifetime};

/// An address that should exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedAddress {
    pub link: u32,
    pub address: IpAddr,
    pub prefix: u8,
    /// `RT_SCOPE_*`: 0 universe, 253 link, 254 host. IPv6 has no choice and ignores it.
    pub scope: u8,
    /// IPv4 only: the alias, "eth0:1". `None`: the link's own name.
    pub label: Option<String>,
    /// IPv4 only.
    pub broadcast: Option<Ipv4Addr>,
    /// The other end, where the link has only two.
    pub peer: Option<IpAddr>,
    /// `IFA_F_*`, as far as they can be chosen.
    pub flags: u32,
    /// How many seconds it is preferred as a source; `None`: as long as it is there. What is there fulfils the wish
    /// whatever is left of it, as with `lifetime`.
    pub preferred: Option<u32>,
    /// What it is added with. One that is there fulfils the wish whatever is left of its lifetime: that is the affair
    /// of whoever renews it (see [`Renewer`](super::Renewer)).
    pub lifetime: Lifetime,
}

impl WantedAddress {
    /// An address about which nothing else is said. An IPv6 address is used at once, without looking for duplicates: a
    /// virtual address is meant to be on several machines.
    pub fn new(link: u32, address: IpAddr, prefix: u8) -> WantedAddress {
        WantedAddress {
            link,
            address,
            prefix,
            scope: 0,
            label: None,
            broadcast: None,
            peer: None,
            flags: if address.is_ipv6() { libc::IFA_F_NODAD } else { 0 },
            preferred: None,
            lifetime: Lifetime::Unlimited,
        }
    }
}

/// One step towards what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressOperation {
    Add(WantedAddress),
    Remove {
        link: u32,
        address: IpAddr,
        prefix: u8,
        peer: Option<IpAddr>,
    },
    /// An address of somebody else's that may have gone with one of ours is added as it was, its mark included.
    PutBack(Address),
}

/// The operations, in order, that turn `actual` into `wanted`.
///
/// An address is ours if it carries our mark or if its link, address and prefix are in `known`. That set is for kernels
/// without marks: what we may ever hold there, so that the left-overs of a killed daemon are found. Whatever is in it
/// is removed when it is not wanted, so an address that an administrator gave to the link does not belong there; a
/// left-over has the prefix that it was configured with, and one with another prefix is somebody's own.
/// What is not ours is never removed or replaced; where it fulfils a wish it is left to fulfil it.
///
/// The kernel takes the secondary addresses of a subnet away together with its primary one (unless
/// `promote_secondaries` is set). Wanted addresses that this may hit are added again at the end; where they have
/// stayed, that is answered with [`Applied::AlreadyThere`](super::Applied::AlreadyThere).
pub fn reconcile(
    wanted: &[WantedAddress],
    actual: &[Address],
    known: &BTreeSet<(u32, IpAddr, u8)>,
) -> Vec<AddressOperation> {
    let is_known = |address: &Address| known.contains(&(address.link, address.address, address.prefix));
    let is_ours = |address: &Address| address.is_marked() || is_known(address);
    let wanted_keys: BTreeSet<Key> = wanted.iter().map(Key::of_wanted).collect();
    let mut unwanted: Vec<&Address> =
        actual.iter().filter(|address| is_ours(address) && !wanted_keys.contains(&Key::of_actual(address))).collect();
    let there: BTreeMap<Key, &Address> = actual.iter().map(|address| (Key::of_actual(address), address)).collect();
    let mut missing = Vec::new();
    let mut kept = Vec::new();
    let mut seen = BTreeSet::new();
    for wish in wanted.iter().filter(|wish| seen.insert(Key::of_wanted(wish))) {
        match there.get(&Key::of_wanted(wish)) {
            None => missing.push(wish),
            Some(address) if !fulfils(address, wish) && is_ours(address) => {
                unwanted.push(address);
                missing.push(wish);
            }
            Some(address) => kept.push((*address, wish)),
        }
    }

    let emptied: BTreeSet<Subnet> =
        unwanted.iter().filter(|address| !address.is_secondary()).filter_map(|address| Subnet::of(address)).collect();
    let taken_along = kept.into_iter().filter(|(address, _)| {
        address.is_secondary() && Subnet::of(address).is_some_and(|subnet| emptied.contains(&subnet))
    });
    missing.extend(taken_along.map(|(_, wish)| wish));
    // Removals come first: what is added before its subnet's primary address goes would go with it.
    let removals = unwanted.into_iter().map(|address| {
        let Address { link, address, prefix, peer, .. } = *address;
        AddressOperation::Remove { link, address, prefix, peer }
    });
    removals.chain(missing.into_iter().cloned().map(AddressOperation::Add)).collect()
}

/// What the kernel holds at most once: an IPv4 address may be there with several prefixes, an IPv6 address may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    link: u32,
    address: IpAddr,
    ipv4_prefix: Option<u8>,
}

impl Key {
    fn new(link: u32, address: IpAddr, prefix: u8) -> Key {
        Key { link, address, ipv4_prefix: address.is_ipv4().then_some(prefix) }
    }

    fn of_wanted(wanted: &WantedAddress) -> Key {
        Key::new(wanted.link, wanted.address, wanted.prefix)
    }

    fn of_actual(actual: &Address) -> Key {
        Key::new(actual.link, actual.address, actual.prefix)
    }
}

/// Those flags that say what was asked for. Whether an address was looked for elsewhere is history.
const IPV4_FLAGS: u32 = libc::IFA_F_NOPREFIXROUTE | libc::IFA_F_MCAUTOJOIN;
const IPV6_FLAGS: u32 = IPV4_FLAGS | libc::IFA_F_HOMEADDRESS | libc::IFA_F_MANAGETEMPADDR;

fn fulfils(actual: &Address, wish: &WantedAddress) -> bool {
    let same_flags = |chosen| actual.flags & chosen == wish.flags & chosen;
    if actual.peer != wish.peer {
        return false;
    }
    if wish.address.is_ipv6() {
        return actual.prefix == wish.prefix && same_flags(IPV6_FLAGS);
    }
    let label_fits = match (&wish.label, &actual.label) {
        (Some(wish), Some(actual)) => wish == actual,
        (Some(_), None) => false,
        // Without a wish the kernel takes the link's name, which has no colon.
        (None, Some(actual)) => !actual.contains(':'),
        (None, None) => true,
    };
    label_fits && actual.scope == wish.scope && actual.broadcast == wish.broadcast && same_flags(IPV4_FLAGS)
}

/// Where IPv4 addresses are primary and secondary to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    link: u32,
    prefix: u8,
    network: u32,
}

impl Subnet {
    /// `None` for IPv6, which has no such order.
    pub fn of(address: &Address) -> Option<Subnet> {
        let IpAddr::V4(ip) = address.address else { return None };
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(address.prefix))).unwrap_or(0);
        Some(Subnet { link: address.link, prefix: address.prefix, network: u32::from(ip) & mask })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::OUR_MARK;

    /// One address to a line: `1 192.0.2.7/24`, then any of `scope=N`, `label=TEXT`, `brd=ADDRESS`, `peer=ADDRESS`,
    /// `flags=N`, and for what is there `ours` (it has our mark), `known` (it is in the set of known addresses), `secondary`.
    struct Line {
        wanted: WantedAddress,
        ours: bool,
        known: bool,
        secondary: bool,
    }

    fn lines(text: &str) -> Vec<Line> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(line).collect()
    }

    fn line(text: &str) -> Line {
        let mut words = text.split_whitespace();
        let link = words.next().unwrap().parse().unwrap();
        let (address, prefix) = words.next().unwrap().split_once('/').unwrap();
        let (address, prefix) = (address.parse().unwrap(), prefix.parse().unwrap());
        let wanted = WantedAddress::new(link, address, prefix);
        let mut line = Line { wanted, ours: false, known: false, secondary: false };
        for word in words {
            match word.split_once('=') {
                Some(("scope", value)) => line.wanted.scope = value.parse().unwrap(),
                Some(("label", value)) => line.wanted.label = Some(value.to_owned()),
                Some(("brd", value)) => line.wanted.broadcast = Some(value.parse().unwrap()),
                Some(("peer", value)) => line.wanted.peer = Some(value.parse().unwrap()),
                Some(("flags", value)) => line.wanted.flags |= value.parse::<u32>().unwrap(),
                None if word == "ours" => line.ours = true,
                None if word == "known" => line.known = true,
                None if word == "secondary" => line.secondary = true,
                _ => panic!("what is {word}?"),
            }
        }
        line
    }

    fn actual_address(line: &Line) -> Address {
        let WantedAddress { link, address, prefix, scope, ref label, broadcast, peer, flags, .. } = line.wanted;
        Address {
            link,
            address,
            prefix,
            scope,
            // The kernel's default.
            label: label.clone().or_else(|| address.is_ipv4().then(|| format!("eth{link}"))),
            broadcast,
            protocol: line.ours.then_some(OUR_MARK),
            flags: flags | if line.secondary { libc::IFA_F_SECONDARY } else { 0 },
            peer,
            seconds_left: None,
        }
    }

    fn check(wanted: &str, actual: &str, expected: &str) {
        let wishes: Vec<WantedAddress> = lines(wanted).into_iter().map(|line| line.wanted).collect();
        let actual = lines(actual);
        let known = actual.iter().filter(|line| line.known).map(|line| &line.wanted);
        let known = known.map(|known| (known.link, known.address, known.prefix)).collect();
        let addresses: Vec<Address> = actual.iter().map(actual_address).collect();
        let operations: Vec<String> = reconcile(&wishes, &addresses, &known)
            .into_iter()
            .map(|operation| match operation {
                AddressOperation::Add(added) => {
                    let wish = lines(wanted).into_iter().find(|line| line.wanted == added);
                    assert!(wish.is_some(), "{added:?} is added as it was wanted");
                    format!("+ {} {}/{}", added.link, added.address, added.prefix)
                }
                AddressOperation::Remove { link, address, prefix, .. } => format!("- {link} {address}/{prefix}"),
                AddressOperation::PutBack(address) => panic!("{address:?} is nobody's wish"),
            })
            .collect();
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(operations, expected);
    }

    #[test]
    fn adds_what_is_missing() {
        check("1 192.0.2.7/24 \n 2 2001:db8::7/64", "1 192.0.2.1/24", "+ 1 192.0.2.7/24 \n + 2 2001:db8::7/64");
    }

    #[test]
    fn leaves_alone_what_is_there() {
        check("1 192.0.2.7/24 \n 1 2001:db8::7/64", "1 192.0.2.7/24 ours \n 1 2001:db8::7/64 ours", "");
    }

    #[test]
    fn removes_what_is_ours_and_no_longer_wanted() {
        check(
            "",
            "1 192.0.2.1/24 \n 1 192.0.2.7/32 ours \n 1 2001:db8::7/128 ours",
            "- 1 192.0.2.7/32 \n - 1 2001:db8::7/128",
        );
    }

    #[test]
    fn removes_left_overs_without_a_mark_only_if_they_are_known() {
        check("", "1 192.0.2.7/24 known \n 1 192.0.2.8/24", "- 1 192.0.2.7/24");
    }

    #[test]
    fn a_left_over_has_the_prefix_that_it_was_configured_with() {
        let own = actual_address(&line("1 192.0.2.7/24"));
        let known = |prefix| BTreeSet::from([(1, own.address, prefix)]);
        assert_eq!(reconcile(&[], std::slice::from_ref(&own), &known(32)), []);
        assert_eq!(reconcile(&[], std::slice::from_ref(&own), &known(24)).len(), 1);
    }

    #[test]
    fn an_address_on_another_link_is_another_address() {
        check("2 192.0.2.7/24", "1 192.0.2.7/24 ours", "- 1 192.0.2.7/24 \n + 2 192.0.2.7/24");
    }

    #[test]
    fn replaces_its_own_with_other_attributes() {
        check("1 192.0.2.7/24 scope=253", "1 192.0.2.7/24 ours", "- 1 192.0.2.7/24 \n + 1 192.0.2.7/24");
        check("1 192.0.2.7/24 label=eth1:vip", "1 192.0.2.7/24 ours", "- 1 192.0.2.7/24 \n + 1 192.0.2.7/24");
        check("1 192.0.2.7/24", "1 192.0.2.7/24 label=eth1:vip ours", "- 1 192.0.2.7/24 \n + 1 192.0.2.7/24");
        check("1 192.0.2.7/24 brd=192.0.2.255", "1 192.0.2.7/24 known", "- 1 192.0.2.7/24 \n + 1 192.0.2.7/24");
        check("1 2001:db8::7/64", "1 2001:db8::7/128 ours", "- 1 2001:db8::7/128 \n + 1 2001:db8::7/64");
    }

    #[test]
    fn replaces_its_own_with_another_end_or_another_flag() {
        let replaced = "- 1 192.0.2.7/32 \n + 1 192.0.2.7/32";
        check("1 192.0.2.7/32 peer=192.0.2.8", "1 192.0.2.7/32 ours", replaced);
        check("1 192.0.2.7/32", "1 192.0.2.7/32 peer=192.0.2.8 ours", replaced);
        check("1 192.0.2.7/32 peer=192.0.2.8", "1 192.0.2.7/32 peer=192.0.2.8 ours", "");
        // IFA_F_NOPREFIXROUTE
        check("1 192.0.2.7/32 flags=512", "1 192.0.2.7/32 ours", replaced);
        check("1 192.0.2.7/32 flags=512", "1 192.0.2.7/32 flags=512 ours", "");
        // IFA_F_HOMEADDRESS, which IPv4 does not know; IFA_F_DADFAILED is nothing to wish for.
        check("1 2001:db8::7/64 flags=16", "1 2001:db8::7/64 ours", "- 1 2001:db8::7/64 \n + 1 2001:db8::7/64");
        check("1 2001:db8::7/64", "1 2001:db8::7/64 flags=8 ours", "");
    }

    #[test]
    fn another_prefix_replaces_its_own() {
        check("1 192.0.2.7/24", "1 192.0.2.7/32 ours", "- 1 192.0.2.7/32 \n + 1 192.0.2.7/24");
    }

    #[test]
    fn never_touches_what_belongs_to_others() {
        // With the same prefix it fulfils the wish as it is; IPv6 has no room for a second one.
        check("1 192.0.2.7/24 scope=253", "1 192.0.2.7/24", "");
        check("1 2001:db8::7/64", "1 2001:db8::7/128", "");
        check("1 192.0.2.7/24", "1 192.0.2.7/32", "+ 1 192.0.2.7/24");
    }

    #[test]
    fn wanted_twice_is_added_once() {
        check("1 192.0.2.7/24 \n 1 192.0.2.7/24", "", "+ 1 192.0.2.7/24");
    }

    #[test]
    fn puts_back_what_the_kernel_takes_along() {
        check(
            "1 192.0.2.8/24 \n 1 192.0.2.9/24 \n 1 198.51.100.9/24",
            "1 192.0.2.7/24 ours \n 1 192.0.2.8/24 ours secondary \n 1 198.51.100.9/24 ours",
            "- 1 192.0.2.7/24 \n + 1 192.0.2.9/24 \n + 1 192.0.2.8/24",
        );
        // A new one must not be added before the old primary one goes.
        check(
            "1 192.0.2.8/24 \n 1 192.0.2.7/24 scope=253",
            "1 192.0.2.7/24 ours",
            "- 1 192.0.2.7/24 \n + 1 192.0.2.8/24 \n + 1 192.0.2.7/24",
        );
        // A secondary one takes nothing along.
        check("1 192.0.2.8/24", "1 192.0.2.8/24 ours \n 1 192.0.2.7/24 ours secondary", "- 1 192.0.2.7/24");
    }

    /// What the kernel does with addresses, as far as it matters here.
    struct Kernel {
        addresses: Vec<Address>,
        promote_secondaries: bool,
    }

    impl Kernel {
        fn same_subnet(one: &Address, other: &Address) -> bool {
            one.address.is_ipv4() && Subnet::of(one) == Subnet::of(other)
        }

        fn add(&mut self, mut address: Address) {
            if self.addresses.iter().any(|there| Key::of_actual(there) == Key::of_actual(&address)) {
                return;
            }
            let secondary = self.addresses.iter().any(|there| Kernel::same_subnet(there, &address));
            address.flags = if secondary { address.flags | libc::IFA_F_SECONDARY } else { address.flags };
            self.addresses.push(address);
        }

        fn remove(&mut self, key: Key) {
            let Some(position) = self.addresses.iter().position(|there| Key::of_actual(there) == key) else { return };
            let removed = self.addresses.remove(position);
            if removed.is_secondary() {
                return;
            }
            if self.promote_secondaries {
                if let Some(heir) = self.addresses.iter_mut().find(|there| Kernel::same_subnet(there, &removed)) {
                    heir.flags &= !libc::IFA_F_SECONDARY;
                }
            } else {
                self.addresses.retain(|there| !Kernel::same_subnet(there, &removed));
            }
        }

        fn apply(&mut self, operation: AddressOperation) {
            match operation {
                AddressOperation::Add(wanted) => {
                    let line = Line { wanted, ours: true, known: false, secondary: false };
                    self.add(actual_address(&line));
                }
                AddressOperation::Remove { link, address, prefix, .. } => self.remove(Key::new(link, address, prefix)),
                AddressOperation::PutBack(address) => self.add(address),
            }
        }
    }

    fn any_wanted() -> impl Strategy<Value = WantedAddress> {
        let address = prop_oneof![
            (0..2_u8, 1..6_u8).prop_map(|(net, host)| IpAddr::from([192, 0, net, host])),
            (1..4_u16).prop_map(|host| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, host])),
        ];
        let prefix = prop_oneof![Just(24_u8), Just(32)];
        let label = prop_oneof![Just(None), Just(Some("eth:1".to_owned()))];
        (1..3_u32, address, prefix, prop_oneof![Just(0_u8), Just(253)], label).prop_map(
            |(link, address, prefix, scope, label)| {
                let label = label.filter(|_| address.is_ipv4());
                WantedAddress { scope, label, ..WantedAddress::new(link, address, prefix) }
            },
        )
    }

    proptest! {
        #[test]
        fn leads_to_what_is_wanted(
            wanted in prop::collection::vec(any_wanted(), 0..8),
            there in prop::collection::vec((any_wanted(), any::<bool>()), 0..8),
            promote_secondaries: bool,
        ) {
            let mut kernel = Kernel { addresses: Vec::new(), promote_secondaries };
            for (wanted, ours) in there {
                kernel.add(actual_address(&Line { wanted, ours, known: false, secondary: false }));
            }
            let others: Vec<Address> = kernel.addresses.iter().filter(|there| !there.is_marked()).cloned().collect();
            let nobody = BTreeSet::new();
            for operation in reconcile(&wanted, &kernel.addresses, &nobody) {
                if let AddressOperation::Remove { link, address, prefix, .. } = &operation {
                    let key = Key::new(*link, *address, *prefix);
                    let removed = kernel.addresses.iter().find(|there| Key::of_actual(there) == key);
                    prop_assert!(removed.is_none_or(Address::is_marked), "{operation:?} hits another's");
                }
                kernel.apply(operation);
            }
            for wish in &wanted {
                prop_assert!(kernel.addresses.iter().any(|there| Key::of_actual(there) == Key::of_wanted(wish)));
            }
            for there in kernel.addresses.iter().filter(|there| there.is_marked()) {
                prop_assert!(wanted.iter().any(|wish| Key::of_wanted(wish) == Key::of_actual(there)), "{there:?}");
            }
            if promote_secondaries {
                for other in others {
                    prop_assert!(kernel.addresses.iter().any(|there| Key::of_actual(there) == Key::of_actual(&other)));
                }
            }
            prop_assert_eq!(reconcile(&wanted, &kernel.addresses, &nobody), []);
        }
    }
}
