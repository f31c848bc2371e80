//! What a service needs where it is to be started: ports that nobody else listens on, and room on disks. Looking at it
//! may take long, so it is done where a thread may wait.

use std::net::IpAddr;
use std::sync::Arc;

use config::{Manager, NeededPort, NeededSpace, Service};
use linux::descriptors::descriptors_left;
use linux::disk_space::{DiskSpace, disk_space};
use linux::netlink::{Listener, Netlink, listeners};
use linux::socket_owner::socket_owner;
use rustix::io::Errno;

/// Enough for a keeper, what its program is connected with, and the first checks.
const DESCRIPTORS: u64 = 16;

/// The process that listens for units which are started when somebody connects.
const SYSTEMD: u32 = 1;

/// What one service needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    ports: Vec<NeededPort>,
    disks: Vec<NeededSpace>,
    /// They are this node's where it is active.
    virtual_addresses: Arc<[IpAddr]>,
    /// It may be started by a socket that systemd holds.
    is_unit: bool,
}

impl Needs {
    pub(crate) fn of(service: &Service, virtual_addresses: &Arc<[IpAddr]>) -> Self {
        Self {
            ports: service.needs_ports.clone(),
            disks: service.needs_disks.clone(),
            virtual_addresses: Arc::clone(virtual_addresses),
            is_unit: matches!(service.manager, Manager::Systemd { .. }),
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.ports.is_empty() && self.disks.is_empty()
    }

    /// Why nobody could tell whether its ports are free; `None` if it can be told, or need not.
    pub(crate) fn obstacle(&self) -> Option<linux::Error> {
        if self.ports.is_empty() { None } else { listeners().err() }
    }

    /// Whether all of it is there, or the first thing that is not.
    pub(crate) fn judge(&self) -> Result<(), String> {
        self.judge_ports()?;
        self.disks.iter().try_for_each(judge_disk)
    }

    fn judge_ports(&self) -> Result<(), String> {
        if self.ports.is_empty() {
            return Ok(());
        }
        // Where that cannot be known, which was told at the start, it does not count.
        let Ok(listeners) = listeners() else { return Ok(()) };
        for needed in &self.ports {
            let takes = |listener: &&Listener| listener.has(needed.address, needed.port);
            for taken in listeners.iter().filter(takes) {
                if !needed.by_check || taken.address == needed.address.unwrap_or(taken.address) || self.is_here(needed)
                {
                    self.judge_listener(needed, taken)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a check asks this node, or will when it is active.
    fn is_here(&self, needed: &NeededPort) -> bool {
        let Some(address) = needed.address else { return true };
        let is_own = || {
            let known = Netlink::open().and_then(|mut netlink| netlink.addresses());
            known.is_ok_and(|known| known.iter().any(|own| own.address == address))
        };
        address.is_loopback() || address.is_unspecified() || self.virtual_addresses.contains(&address) || is_own()
    }

    fn judge_listener(&self, needed: &NeededPort, taken: &Listener) -> Result<(), String> {
        let owner = socket_owner(taken.inode);
        if self.is_unit && owner.as_ref().is_some_and(|owner| owner.pid == SYSTEMD) {
            return Ok(());
        }
        let by = owner
            .map_or_else(|| "another process".to_owned(), |owner| format!("{} (process {})", owner.name, owner.pid));
        let remedy = if needed.by_check { "; if that is not in its way, say `needs_port none`" } else { "" };
        Err(format!("port {} is taken by {by}{remedy}", needed.port))
    }
}

/// Whether this daemon may open what it needs to start something.
pub(super) fn judge_descriptors() -> Result<(), String> {
    judge_left(descriptors_left())
}

fn judge_left(left: linux::Result<u64>) -> Result<(), String> {
    let none = |error: &linux::Error| {
        let why = error.errno().map(Errno::from_raw_os_error);
        why == Some(Errno::MFILE) || why == Some(Errno::NFILE)
    };
    match left {
        Ok(left) if left < DESCRIPTORS => {
            Err(format!("the daemon may open fewer than {DESCRIPTORS} more files; is its `LimitNOFILE` too low?"))
        }
        Err(error) if none(&error) => Err(error.to_string()),
        // Where it cannot be known it does not count.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The reason has no figures that change from one look to the next: each new reason is told.
fn judge_disk(needed: &NeededSpace) -> Result<(), String> {
    let DiskSpace { free, is_out_of_files, is_read_only } =
        disk_space(&needed.path).map_err(|error| error.to_string())?;
    let path = needed.path.display();
    if is_read_only {
        return Err(format!("nothing can be written to {path}: it is mounted read-only"));
    }
    if is_out_of_files {
        return Err(format!("no file can be made in {path}: the disk is out of inodes"));
    }
    if free < needed.octets {
        return Err(format!("{path} has less than {} free", config::size_words(needed.octets)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn needs(ports: &[NeededPort], disks: &[NeededSpace]) -> Needs {
        Needs { ports: ports.to_vec(), disks: disks.to_vec(), ..Needs::default() }
    }

    #[test]
    fn a_port_that_somebody_has_is_named_with_whoever_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let port = listener.local_addr().expect("it has one").port();
        let address = |text: &str| Some(text.parse().expect("an address"));
        let needed = |address, by_check| [NeededPort { address, port, by_check }];
        let own = std::process::id();
        for (needed, is_free) in [
            (needed(address("127.0.0.1"), true), false),
            (needed(address("127.0.0.1"), false), false),
            (needed(None, false), false),
            (needed(address("127.0.0.9"), true), true),
            (needed(address("192.0.2.1"), false), true),
        ] {
            let judged = needs(&needed, &[]).judge();
            assert_eq!(judged.is_ok(), is_free, "{needed:?} {judged:?}");
            if let Err(reason) = judged {
                assert!(reason.contains(&format!("port {port} is taken by ")), "{reason}");
                assert!(reason.contains(&format!("(process {own})")), "{reason}");
                assert_eq!(reason.contains("needs_port none"), needed[0].by_check, "{reason}");
            }
        }
    }

    /// A check that asks another machine says nothing about this one.
    #[test]
    fn what_another_machine_has_is_not_ours() {
        let Ok(listener) = TcpListener::bind("0.0.0.0:0") else { return };
        let port = listener.local_addr().expect("it has one").port();
        let elsewhere: IpAddr = "203.0.113.77".parse().expect("an address");
        let by_check = [NeededPort { address: Some(elsewhere), port, by_check: true }];
        assert_eq!(needs(&by_check, &[]).judge(), Ok(()));
        let virtual_addresses: Arc<[IpAddr]> = Arc::new([elsewhere]);
        let where_active = Needs { virtual_addresses, ..needs(&by_check, &[]) };
        assert!(where_active.judge().is_err(), "it will be ours");
    }

    #[test]
    fn a_daemon_that_may_open_nothing_more_is_not_ready() {
        let failed = |errno| Err(linux::Error::new("count our open files", errno));
        assert_eq!(judge_left(Ok(DESCRIPTORS)), Ok(()));
        let reason = judge_left(Ok(DESCRIPTORS - 1)).expect_err("it is not enough");
        assert_eq!(reason, "the daemon may open fewer than 16 more files; is its `LimitNOFILE` too low?");
        let reason = judge_left(failed(Errno::MFILE.raw_os_error())).expect_err("none is left");
        assert_eq!(reason, "count our open files: too many open files");
        assert_eq!(judge_left(failed(Errno::NOENT.raw_os_error())), Ok(()), "without /proc nobody knows");
    }

    #[test]
    fn a_full_disk_is_named_without_figures_that_change() {
        let disk = |path: &str, octets| [NeededSpace { path: path.into(), octets }];
        let temporary = std::env::temp_dir();
        let temporary = temporary.to_str().expect("a plain path");
        assert_eq!(needs(&[], &disk(temporary, 1)).judge(), Ok(()));
        let reason = needs(&[], &disk(temporary, 1 << 62)).judge().expect_err("nobody has so much");
        assert_eq!(reason, format!("{temporary} has less than 4194304T free"));
        let reason = needs(&[], &disk("/no/such/place", 1)).judge().expect_err("there is none");
        assert_eq!(reason, "look at /no/such/place: no such file or directory");
    }
}
