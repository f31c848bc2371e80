//! Options of the kernel that hold as long as the configuration asks for them, and are then again what they were.

use std::collections::{BTreeMap, BTreeSet};

use config::Settings;
use engine::{Family, VirtualAddress};
use linux::sysctl::Sysctl;

/// What an option should be.
#[derive(Debug)]
enum Wish {
    /// This.
    Exactly(&'static str),
    /// This number; a greater one does, too.
    AtLeast(u32),
}

impl Wish {
    fn is_fulfilled_by(&self, value: &str) -> bool {
        match self {
            Self::Exactly(wish) => value == *wish,
            Self::AtLeast(wish) => value.parse().is_ok_and(|value: u32| value >= *wish),
        }
    }

    fn value(&self) -> String {
        match self {
            Self::Exactly(wish) => (*wish).to_owned(),
            Self::AtLeast(wish) => wish.to_string(),
        }
    }
}

/// What was there before us, and what we have put in its place.
#[derive(Debug)]
struct Held {
    before: String,
    ours: String,
}

#[derive(Debug, Default)]
pub(crate) struct Sysctls {
    held: BTreeMap<Sysctl, Held>,
    /// Something is held for an address that the settings no longer speak of.
    lingers: bool,
}

impl Sysctls {
    /// Follows the settings, and interfaces that come and go; `shared` are those on which we have an address of a subnet
    /// now. What the system refuses comes back.
    pub(crate) fn adjust(&mut self, settings: &Settings, shared: &BTreeSet<&str>) -> Vec<linux::Error> {
        let mut wanted = wanted(settings);
        // An address that a reload has taken out goes after it, and must not take others along then either.
        let lingering: Vec<Sysctl> =
            shared.iter().map(|link| promotion(link)).filter(|sysctl| !wanted.contains_key(sysctl)).collect();
        self.lingers = !lingering.is_empty();
        wanted.extend(lingering.into_iter().map(|sysctl| (sysctl, Wish::AtLeast(1))));
        self.bring_to(wanted)
    }

    /// Whether [`adjust`](Self::adjust) should be called again when addresses have gone.
    pub(crate) const fn lingers(&self) -> bool {
        self.lingers
    }

    /// Everything is as it was before us: the last thing on every way out.
    pub(crate) fn restore(&mut self) -> Vec<linux::Error> {
        self.bring_to(BTreeMap::new())
    }

    fn bring_to(&mut self, wanted: BTreeMap<Sysctl, Wish>) -> Vec<linux::Error> {
        let mut failures = Vec::new();
        let (kept, given_up): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.held).into_iter().partition(|(sysctl, _)| wanted.contains_key(sysctl));
        self.held = kept;
        for (sysctl, Held { before, ours }) in given_up {
            // What somebody else has changed meanwhile is his.
            let is_ours = sysctl.read().is_ok_and(|value| value.as_ref() == Some(&ours));
            failures.extend(is_ours.then(|| sysctl.write(&before)).and_then(Result::err));
        }
        for (sysctl, wish) in wanted {
            match sysctl.read() {
                // Its interface does not exist yet.
                Ok(None) => {}
                Ok(Some(value)) if wish.is_fulfilled_by(&value) => {}
                Ok(Some(before)) => {
                    let ours = wish.value();
                    match sysctl.write(&ours) {
                        Ok(()) => {
                            // An interface that was made anew has its own "before".
                            self.held.insert(sysctl, Held { before, ours });
                        }
                        Err(error) => failures.push(error),
                    }
                }
                Err(error) => failures.push(error),
            }
        }
        failures
    }
}

/// When the first address of a subnet goes, the others stay, and the next one takes its place.
fn promotion(link: &str) -> Sysctl {
    Sysctl::of_ipv4_link(link, "promote_secondaries")
}

/// The interfaces on which we may ever have an IPv4 address of a subnet that others may have addresses of.
fn shared_links(settings: &Settings) -> impl Iterator<Item = &str> {
    let shared = |address: &&VirtualAddress| address.address.is_ipv4() && address.prefix < 32;
    let of_instances = settings.instances.iter().flat_map(move |instance| {
        let router = &instance.router;
        let addresses = router.addresses.iter().chain(&router.excluded_addresses).filter(shared);
        addresses.map(|address| address.link.as_deref().unwrap_or(&router.link))
    });
    let statics = settings.statics.addresses.iter().map(|entry| &entry.what).filter(shared);
    let links = of_instances.chain(statics.filter_map(|address| address.link.as_deref()));
    // Those of our own have it from when they are made.
    links.filter(|link| !settings.virtual_links.iter().any(|ours| *ours.name == **link))
}

fn wanted(settings: &Settings) -> BTreeMap<Sysctl, Wish> {
    let promoting = settings.instances.iter().filter(|instance| instance.promote_secondaries);
    let promoting = promoting.map(|instance| &*instance.router.link);
    // Also where nobody has asked for it. Whoever flushes an interface and puts its address back has ours before his (it is
    // put back at once), so ours is the first of the subnet, and the kernel would take the machine's own address along
    // with it, and the routes through that. To put his back afterwards would not do: nothing of ours runs when the lifetime
    // of ours ends after a `kill -9`, and the routes would be gone all the same. What we leave then is an option that is 1.
    let mut wanted: BTreeMap<Sysctl, Wish> =
        promoting.chain(shared_links(settings)).map(|link| (promotion(link), Wish::AtLeast(1))).collect();
    // Over IPv6 the kernel answers for the addresses of the interface that is asked, and asks from its own.
    let of_ipv4 = settings.virtual_links.iter().filter(|link| link.family == Family::Ipv4);
    for base in of_ipv4.map(|link| &link.base) {
        // RFC 9568 §8.1.2: what is on the virtual interface is answered for from there alone, with the virtual MAC address;
        wanted.insert(Sysctl::of_ipv4_link(base, "arp_ignore"), Wish::AtLeast(1));
        // and no question of ours tells the neighbours that it is at the MAC address of this one. Of an ipvlan, the answer
        // to such a question would go to the address, and so to the interface that has not asked.
        wanted.insert(Sysctl::of_ipv4_link(base, "arp_announce"), Wish::AtLeast(2));
    }
    if settings.global.disable_local_igmp {
        wanted.insert(Sysctl::of_ipv4("igmp_link_local_mcast_reports"), Wish::Exactly("0"));
    }
    wanted
}
