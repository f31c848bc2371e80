//! The control groups of our own children. Each start of a `command` is born in one, whose name tells whose it is, so that
//! a later life of the daemon finds what is left in it, even if it hides its mark.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use engine::Name;
use linux::control_group::{ControlGroup, ControlGroups, GroupPlace};
use linux::process_list::ProcessId;
use linux::system_log::Severity;
use sha2::{Digest, Sha256};

use crate::notify::Told;

/// So much of a service's name is in the name of its group, for people.
const READABLE: usize = 64;

/// The groups of this machine, or nothing.
#[derive(Debug)]
pub(super) struct Groups {
    all: Option<Arc<ControlGroups>>,
    /// Who we are.
    identity: String,
}

/// Those of one service.
#[derive(Clone, Debug)]
pub(super) struct ServiceGroups {
    all: Arc<ControlGroups>,
    /// How the names of all of them begin, whichever life made them.
    beginning: String,
    /// Where the next start gets one.
    pub(super) place: Option<GroupPlace>,
}

impl Groups {
    /// What is to be said comes back, too.
    pub(super) fn find(identity: &str) -> (Self, Option<Told>) {
        let (all, told) = match ControlGroups::find() {
            Ok(all) => (Some(Arc::new(all)), None),
            Err(error) => (None, Some((Severity::Info, without(&error.to_string())))),
        };
        // What runs in another namespace of processes is not ours, and dies with it. While anything of it lives, its
        // number is nobody else's.
        let processes = std::fs::metadata("/proc/self/ns/pid").map(|namespace| namespace.ino()).unwrap_or_default();
        (Self { all, identity: format!("{processes}:{identity}") }, told)
    }

    pub(super) fn of(&self, service: &Name) -> Option<ServiceGroups> {
        let all = Arc::clone(self.all.as_ref()?);
        let beginning = beginning(&self.identity, service);
        let place = GroupPlace::new(&all, &format!("{beginning}{}.", readable(service)));
        Some(ServiceGroups { all, beginning, place })
    }
}

/// What people learn, once, where there are none.
pub(super) fn without(reason: &str) -> String {
    format!("Services get no control groups of their own ({reason}); their keepers look after them all the same")
}

/// `tanist.4c1d….`: the rest of a name is for people, and may be cut.
fn beginning(identity: &str, service: &Name) -> String {
    let digest = Sha256::digest(format!("{identity} {service}"));
    let digits: String = digest.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    format!("tanist.{digits}.")
}

fn readable(service: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    service.chars().take(READABLE).map(plain).collect()
}

impl ServiceGroups {
    /// What runs in them, and in which. The others are removed: nobody needs them.
    pub(super) fn look(&self) -> linux::Result<(Vec<ProcessId>, Vec<ControlGroup>)> {
        let (mut processes, mut groups) = (Vec::new(), Vec::new());
        for group in self.all.named(&self.beginning)? {
            let inside = group.processes()?;
            if inside.is_empty() {
                group.remove();
            } else {
                processes.extend(inside);
                groups.push(group);
            }
        }
        Ok((processes, groups))
    }
}

#[cfg(test)]
mod tests {
    use super::super::identity;
    use super::*;

    #[test]
    fn daemons_are_told_apart() {
        let file = std::path::Path::new("/etc/tanist/tanist.conf");
        let (one, other) = (identity(file, Some("one")), identity(file, Some("two")));
        assert!(one != other && one != identity(file, None), "{one} {other}");
        assert_eq!(one, identity(file, Some("one")));
    }

    #[test]
    fn each_has_names_of_its_own() {
        let one = beginning("1:/etc/tanist.conf", &Name::from("job"));
        assert_eq!(one.len(), "tanist.".len() + 16 + 1);
        assert_eq!(one, beginning("1:/etc/tanist.conf", &Name::from("job")), "in the next life, too");
        for (identity, service) in [("2:/etc/tanist.conf", "job"), ("1:/etc/tanist.conf", "job2"), ("1:/etc/t", "job")]
        {
            assert_ne!(one, beginning(identity, &Name::from(service)));
        }
        assert_eq!(readable("web/1 ü.x"), "web_1___x");
        assert_eq!(readable(&"a".repeat(300)).len(), READABLE);
    }
}
