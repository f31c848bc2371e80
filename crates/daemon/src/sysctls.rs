//! Options of the kernel that hold as long as the configuration asks for them, and are then again what they were.

use std::collections::BTreeMap;

use config::Settings;
use engine::Family;
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
}

impl Sysctls {
    /// Follows the settings, and interfaces that come and go. What the system refuses comes back.
    pub(crate) fn adjust(&mut self, settings: &Settings) -> Vec<linux::Error> {
        self.bring_to(wanted(settings))
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

fn wanted(settings: &Settings) -> BTreeMap<Sysctl, Wish> {
    let promoting = settings.instances.iter().filter(|instance| instance.promote_secondaries);
    let mut wanted: BTreeMap<Sysctl, Wish> = promoting
        .map(|instance| (Sysctl::of_ipv4_link(&instance.router.link, "promote_secondaries"), Wish::Exactly("1")))
        .collect();
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
