//! Options of the kernel that hold as long as the configuration asks for them, and are then again what they were.

use std::collections::BTreeMap;

use config::Settings;
use linux::sysctl::Sysctl;

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

    fn bring_to(&mut self, wanted: BTreeMap<Sysctl, &'static str>) -> Vec<linux::Error> {
        let mut failures = Vec::new();
        let (kept, given_up): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.held).into_iter().partition(|(sysctl, _)| wanted.contains_key(sysctl));
        self.held = kept;
        for (sysctl, Held { before, ours }) in given_up {
            // What somebody else has changed meanwhile is his.
            let is_ours = sysctl.read().is_ok_and(|value| value.as_ref() == Some(&ours));
            failures.extend(is_ours.then(|| sysctl.write(&before)).and_then(Result::err));
        }
        for (sysctl, ours) in wanted {
            match sysctl.read() {
                // Its interface does not exist yet.
                Ok(None) => {}
                Ok(Some(value)) if value == ours => {}
                Ok(Some(before)) => match sysctl.write(ours) {
                    Ok(()) => {
                        // An interface that was made anew has its own "before".
                        self.held.insert(sysctl, Held { before, ours: ours.to_owned() });
                    }
                    Err(error) => failures.push(error),
                },
                Err(error) => failures.push(error),
            }
        }
        failures
    }
}

fn wanted(settings: &Settings) -> BTreeMap<Sysctl, &'static str> {
    let promoting = settings.instances.iter().filter(|instance| instance.promote_secondaries);
    let promoting = promoting.map(|instance| (Sysctl::of_ipv4_link(&instance.router.link, "promote_secondaries"), "1"));
    let igmp = settings.global.disable_local_igmp.then(|| (Sysctl::of_ipv4("igmp_link_local_mcast_reports"), "0"));
    promoting.chain(igmp).collect()
}
