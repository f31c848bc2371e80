//! Managers that live on the hosts of a lab.

use std::path::PathBuf;
use std::thread;

use crate::pair::{A, B, Pair, Plan};
use crate::real::Ground;
use crate::support::{HOST_DIR, Host, binary};

/// A pair and the manager of each node; they end before their hosts.
pub(crate) struct Managed<M> {
    pub(crate) managers: [M; 2],
    pub(crate) pair: Pair,
}

impl<M: Send> Managed<M> {
    /// No daemon runs yet.
    pub(crate) fn new(plan: Plan, boot: impl Fn(&Host) -> M + Sync) -> Self {
        let pair = Pair::new(plan);
        // They take some time, so both at once.
        let managers = thread::scope(|scope| {
            let [a, b] = [A, B].map(|node| {
                let (host, boot) = (pair.host(node), &boot);
                scope.spawn(move || boot(host))
            });
            [a, b].map(|boot| boot.join().expect("a manager"))
        });
        Self { managers, pair }
    }

    /// A has the service, B stands by.
    pub(crate) fn in_good_order(plan: Plan, boot: impl Fn(&Host) -> M + Sync) -> Self {
        let mut managed = Self::new(plan, boot);
        let pair = &mut managed.pair;
        pair.start(A);
        pair.works_alone(A);
        pair.start(B);
        pair.is_well(A);
        managed
    }
}

/// Has `boot` put something on a host, which shares with it what the collector needs, and these paths.
pub(crate) fn on<T>(host: &Host, further: &[&str], boot: impl FnOnce(&Ground<'_>) -> T) -> T {
    show_groups(host);
    let mut shares = vec![PathBuf::from(HOST_DIR), binary().to_owned()];
    shares.extend(further.iter().map(PathBuf::from));
    let start = |mut command: std::process::Command| host.run(move || command.spawn()).expect("the host is on");
    boot(&Ground { start: Some(&start), is_host: true, shares: &shares })
}

/// Has a host see the control groups of this machine, which are hidden otherwise.
pub(crate) fn show_groups(host: &Host) {
    succeed(host, &["umount", "/sys/fs/cgroup"]);
}

/// Runs a program on a host, which must succeed.
pub(crate) fn succeed(host: &Host, command: &[&str]) {
    let output = host.output(command).expect("the host is on");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
