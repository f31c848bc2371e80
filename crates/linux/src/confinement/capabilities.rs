//! The parts of root's power (capabilities(7)).

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use crate::Result;
use crate::error::refused;

pub use rustix::thread::CapabilitySet as Capabilities;

/// What this thread may use now.
pub fn effective() -> Result<Capabilities> {
    Ok(known(current()?.effective))
}

/// How what is not needed is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// It is not used, and programs have what they always had: root's programs all of it.
    LaidAside,
    /// Nobody gets it back, if new privileges were [given up](super::gain_no_privileges) before. Otherwise root's programs do,
    /// and the kernel takes that for new rights: they lose their parent-death signal and write no image of a crash.
    ForGood,
}

/// Gives up what is not in `needed`.
pub fn keep_only(needed: Capabilities, parting: Parting) -> Result<()> {
    let sets = current()?;
    let kept = CapabilitySets {
        effective: sets.effective & needed,
        permitted: if parting == Parting::ForGood { sets.permitted & needed } else { sets.permitted },
        inheritable: sets.inheritable,
    };
    set_capabilities(None, kept).map_err(refused("give up capabilities"))
}

/// Their names, as everybody writes them.
pub fn names(set: Capabilities) -> Vec<String> {
    set.iter_names().map(|(name, _)| format!("CAP_{name}")).collect()
}

fn current() -> Result<CapabilitySets> {
    capabilities(None).map_err(refused("ask for our capabilities"))
}

/// Without those that have no name.
fn known(set: CapabilitySet) -> CapabilitySet {
    set.iter_names().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_gone_for_this_thread_only() {
        let before = effective().unwrap();
        let needed = Capabilities::NET_ADMIN | Capabilities::KILL;
        for parting in [Parting::LaidAside, Parting::ForGood] {
            let apart = std::thread::spawn(move || {
                keep_only(needed, parting).unwrap();
                let sets = current().unwrap();
                (sets.effective & !needed, sets.permitted & !needed, effective().unwrap())
            });
            let (used, permitted, after) = apart.join().unwrap();
            assert_eq!((used, after), (Capabilities::empty(), before & needed));
            assert_eq!(permitted.is_empty(), parting == Parting::ForGood || current().unwrap().permitted.is_empty());
        }
        assert_eq!(effective().unwrap(), before);
    }

    #[test]
    fn names_are_those_of_the_manual() {
        assert_eq!(names(Capabilities::NET_RAW | Capabilities::CHOWN), ["CAP_CHOWN", "CAP_NET_RAW"]);
        assert!(names(Capabilities::empty()).is_empty());
    }
}
