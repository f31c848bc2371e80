//! What services say by themselves on the socket in their `NOTIFY_SOCKET`: that they are well.
//!
//! The socket has a name that everybody on this machine can see, and whoever likes may write to it: a service may run as
//! anybody, and in a root directory of its own. So it counts who writes, as the kernel says: a process that descends from
//! the keeper of a service, and has a user that the service can have. For anybody else little is done: a look at its
//! user, a look at its parents only so often in a second, and when somebody floods the socket, it is left alone until the
//! second is over. Nobody is heard then, and nobody's silence counts.

use std::collections::{BTreeMap, BTreeSet};

use engine::Name;
use linux::poll::{Interest, Poll};
use linux::process_list::ProcessId;
use linux::service_notices::{ServiceNotice, ServiceNotices};
use linux::system_log::Severity;

use crate::notify::Told;

/// So many are read at once; the others a moment later.
const AT_ONCE: usize = 64;
/// In one second this many are read. A service has something to say every few seconds.
const MOST_IN_A_SECOND: u32 = 1024;
/// In one second it is found out for this many unknown processes whose they are.
const LOOKS_IN_A_SECOND: usize = 32;
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;
/// Processes of services that are known. A script that starts a program for each notice has always new ones.
const MOST_KNOWN: usize = 256;

/// The socket, while anybody needs it.
#[derive(Debug, Default)]
pub(super) struct Notices {
    socket: Option<ServiceNotices>,
    /// Whose processes these are.
    known: BTreeMap<u32, (ProcessId, Name)>,
    second: Second,
    /// Nobody listens before this moment.
    deaf_until: Option<u64>,
    told_of_strangers: bool,
    told_of_flood: bool,
}

/// What was read in this second.
#[derive(Debug, Default)]
struct Second {
    over_at: u64,
    read: u32,
    /// Processes that were looked up and belong to no service.
    strangers: BTreeSet<u32>,
    looks: usize,
}

/// What has come of listening.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The services that have said that they are well.
    pub(super) well: Vec<Name>,
    /// So many wrote that nobody is listened to for a moment.
    pub(super) flooded: bool,
    /// What people are to learn.
    pub(super) lines: Vec<Told>,
}

impl Notices {
    /// Opens the socket if it is wanted. It stays open afterwards: a service that runs may know its name.
    pub(super) fn adjust(&mut self, wanted: bool, poll: &Poll, token: u64) -> linux::Result<()> {
        if wanted && self.socket.is_none() {
            let socket = ServiceNotices::open()?;
            poll.add(&socket, token, Interest::Readable)?;
            self.socket = Some(socket);
        }
        Ok(())
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.socket.as_ref().map(ServiceNotices::name)
    }

    /// Takes in what was said. `owner` knows whose process somebody is, by the process and its user; `may_be_ours` says of
    /// a user, which costs nothing, whether it can be anybody's.
    pub(super) fn receive(
        &mut self,
        now: u64,
        poll: &Poll,
        may_be_ours: impl Fn(u32) -> bool,
        owner: impl Fn(u32, u32) -> Option<Name>,
    ) -> linux::Result<Heard> {
        let mut heard = Heard::default();
        if self.second.over_at <= now {
            self.second = Second { over_at: now + SECOND, ..Second::default() };
        }
        for _ in 0..AT_ONCE {
            let Some(socket) = &self.socket else { break };
            let Some(notice) = socket.receive()? else { break };
            self.second.read += 1;
            if self.second.read > MOST_IN_A_SECOND {
                poll.remove(socket)?;
                self.deaf_until = Some(self.second.over_at);
                heard.flooded = true;
                if !std::mem::replace(&mut self.told_of_flood, true) {
                    let text = format!(
                        "more than {MOST_IN_A_SECOND} notices within a second on the socket of check notify; until the \
                         second is over nobody is heard there, and nobody's silence counts (told once)"
                    );
                    heard.lines.push((Severity::Warning, text));
                }
                break;
            }
            if (notice.ready || notice.watchdog)
                && let Some(service) = self.speaker(notice, &may_be_ours, &owner, &mut heard)
                && !heard.well.contains(&service)
            {
                heard.well.push(service);
            }
        }
        Ok(heard)
    }

    /// The service that speaks here.
    fn speaker(
        &mut self,
        ServiceNotice { pid, uid, .. }: ServiceNotice,
        may_be_ours: impl Fn(u32) -> bool,
        owner: impl Fn(u32, u32) -> Option<Name>,
        heard: &mut Heard,
    ) -> Option<Name> {
        if let Some((process, service)) = self.known.get(&pid) {
            // It has just been seen to be the same.
            if heard.well.contains(service) || process.lives() {
                return Some(service.clone());
            }
            self.known.remove(&pid);
        }
        if !may_be_ours(uid) {
            self.tell_of_stranger(pid, uid, heard);
            return None;
        }
        let second = &mut self.second;
        if second.strangers.contains(&pid) || second.looks >= LOOKS_IN_A_SECOND {
            return None;
        }
        second.looks += 1;
        let process = ProcessId::of(pid);
        let service = owner(pid, uid);
        match (process, service) {
            (Some(process), Some(service)) => {
                if self.known.len() >= MOST_KNOWN {
                    self.known.clear();
                }
                self.known.insert(pid, (process, service.clone()));
                Some(service)
            }
            // Who has spoken and gone, as a program that a script starts for each notice.
            (None, service) => service,
            (Some(_), None) => {
                second.strangers.insert(pid);
                self.tell_of_stranger(pid, uid, heard);
                None
            }
        }
    }

    fn tell_of_stranger(&mut self, pid: u32, uid: u32, heard: &mut Heard) {
        if !std::mem::replace(&mut self.told_of_strangers, true) {
            let text = format!(
                "process {pid} of user {uid} belongs to no service that runs here, and what it says on the socket of \
                 check notify does not count (told once)"
            );
            heard.lines.push((Severity::Warning, text));
        }
    }

    /// Its processes are others from now on.
    pub(super) fn forget(&mut self, service: &Name) {
        self.known.retain(|_, (_, known)| known != service);
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        self.deaf_until
    }

    /// Listens again when it is time.
    pub(super) fn handle_timer(&mut self, now: u64, poll: &Poll, token: u64) -> linux::Result<()> {
        if self.deaf_until.take_if(|at| *at <= now).is_some()
            && let Some(socket) = &self.socket
        {
            poll.add(socket, token, Interest::Readable)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::ffi::OsStr;
    use std::time::Duration;

    use linux::sd_notify::Notifier;

    use super::*;

    struct Rig {
        poll: Poll,
        notices: Notices,
        voice: Notifier,
        /// How often somebody was looked up.
        looks: Cell<usize>,
    }

    impl Rig {
        fn new() -> Rig {
            let (poll, mut notices) = (Poll::new().unwrap(), Notices::default());
            notices.adjust(true, &poll, 1).unwrap();
            let voice = Notifier::connect(OsStr::new(notices.name().unwrap())).unwrap();
            Rig { poll, notices, voice, looks: Cell::new(0) }
        }

        fn is_ready(&mut self) -> bool {
            self.poll.wait(Some(Duration::ZERO)).unwrap().count() == 1
        }

        /// Says once that all is well, as this process, and listens.
        fn speak(&mut self, now: u64, may_be_ours: bool, owner: Option<&str>) -> Heard {
            self.voice.ready().unwrap();
            let looks = &self.looks;
            let owner = |pid, _| {
                assert_eq!(pid, std::process::id());
                looks.set(looks.get() + 1);
                owner.map(Name::from)
            };
            self.notices.receive(now, &self.poll, |_| may_be_ours, owner).unwrap()
        }
    }

    #[test]
    fn strangers_cost_little_and_are_told_of_once() {
        let mut rig = Rig::new();
        let mut lines = Vec::new();
        for now in [0, 0, 0, SECOND, SECOND, SECOND] {
            let heard = rig.speak(now, true, None);
            assert!(heard.well.is_empty() && !heard.flooded);
            lines.extend(heard.lines);
        }
        assert_eq!(rig.looks.get(), 2, "one look in each second");
        let [(Severity::Warning, text)] = &lines[..] else { panic!("{lines:?}") };
        let process = format!("process {} of user ", std::process::id());
        assert!(text.starts_with(&process) && text.contains("belongs to no service"), "{text}");
    }

    #[test]
    fn a_user_who_can_be_nobody_is_not_looked_up() {
        let mut rig = Rig::new();
        for _ in 0..5 {
            assert!(rig.speak(0, false, Some("job")).well.is_empty());
        }
        assert_eq!(rig.looks.get(), 0);
    }

    #[test]
    fn who_was_looked_up_is_known_until_the_service_is_started_anew() {
        let mut rig = Rig::new();
        let job = [Name::from("job")];
        for now in 0..5 {
            assert_eq!(rig.speak(now * SECOND, true, Some("job")).well, job);
        }
        assert_eq!(rig.looks.get(), 1);
        rig.notices.forget(&job[0]);
        assert!(rig.speak(9 * SECOND, true, None).well.is_empty());
        assert_eq!(rig.looks.get(), 2);
    }

    #[test]
    fn who_floods_the_socket_is_not_listened_to_for_a_moment() {
        let mut rig = Rig::new();
        let mut lines = Vec::new();
        for second in 0..2 {
            let now = second * SECOND;
            // One waits since the last second.
            for _ in u64::from(second > 0)..u64::from(MOST_IN_A_SECOND) {
                let heard = rig.speak(now, false, None);
                assert!(!heard.flooded);
                lines.extend(heard.lines);
            }
            assert_eq!(rig.notices.deadline(), None);
            let heard = rig.speak(now, false, None);
            assert!(heard.flooded);
            lines.extend(heard.lines);
            assert!(!rig.is_ready(), "it does not wake the loop any more");
            assert_eq!(rig.notices.deadline(), Some(now + SECOND));
            rig.notices.handle_timer(now + SECOND, &rig.poll, 1).unwrap();
            rig.voice.ready().unwrap();
            assert!(rig.is_ready());
        }
        let floods = lines.iter().filter(|(_, text)| text.contains("notices within a second")).count();
        assert_eq!((floods, lines.len()), (1, 2), "{lines:?}");
    }
}
