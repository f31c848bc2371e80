//! The loop's dealings with the kernel's addresses, interfaces and settings: what has changed there, and what should be there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use engine::{Input, LinkId};
use linux::clock;
use linux::system_log::Severity;

use super::{ASK_AGAIN, EventLoop, now};
use crate::kernel::{Changed, Loss};

/// A renewal that takes so much time has been interrupted for longer than some lifetime may last; in nanoseconds.
const FROZEN: u64 = 1_000_000_000;

impl EventLoop {
    pub(super) fn take_changes(&mut self) -> linux::Result<()> {
        let mut changed = self.kernel.receive(&self.engine)?;
        let inputs = std::mem::take(&mut changed.inputs);
        let links = changed.links;
        self.note_changed(changed);
        if links {
            self.adjust_sockets();
            self.adjust_sysctls();
        }
        for input in inputs {
            self.engine.handle(now(), input, &mut self.out);
        }
        Ok(())
    }

    /// What has changed beside what the engine is told of.
    pub(super) fn note_changed(&mut self, changed: Changed) {
        for index in changed.gone {
            self.sockets.forget_link(index);
        }
        for index in changed.readmitted {
            self.sockets.forget_groups(index);
            self.solicited.forget_groups(index);
        }
        self.reconcile |= changed.addresses;
        self.restoring = changed.missing.or(self.restoring);
        self.told.extend(changed.told);
        self.tell_refusals(changed.failures);
        for (link, address, prefix) in changed.returned {
            self.note_put_back(Loss::Expired, link, address, prefix);
        }
    }

    /// An address of ours was gone and is there again: whoever looked for it meanwhile shall find it.
    fn note_put_back(&mut self, loss: Loss, link: u32, address: IpAddr, prefix: u8) {
        let name = self.kernel.name_of(link);
        let what = match loss {
            Loss::TakenAway => format!("was missing from {name}"),
            Loss::Expired => format!("had expired on {name}, as this daemon was kept from renewing it,"),
        };
        self.told.push((Severity::Warning, format!("{address}/{prefix} {what} and has been put back")));
        self.push_announcement(link, address);
    }

    /// Has the interfaces made that instances with a virtual MAC address live on.
    pub(super) fn make_virtual_links(&mut self) {
        let changed = self.kernel.make_virtual_links(&self.settings);
        self.note_changed(changed);
    }

    /// Brings the addresses to what is desired, and answers what that is.
    pub(super) fn bring_into_line(&mut self) -> BTreeSet<(LinkId, IpAddr)> {
        let desired = self.engine.desired();
        let reconciled = self.kernel.reconcile(&desired);
        if let Some(loss) = self.restoring.take() {
            for restored in &reconciled.added {
                self.note_put_back(loss, restored.link, restored.address, restored.prefix);
            }
        }
        for restored in reconciled.restored {
            self.told.push((Severity::Warning, format!("{restored} was missing and has been put back")));
        }
        if reconciled.ask_again {
            self.ask_again_at = Some(clock::boot_time() + ASK_AGAIN);
        }
        if self.incomplete != reconciled.incomplete {
            self.incomplete.clone_from(&reconciled.incomplete);
            self.engine.handle(now(), Input::StaticsMissing(reconciled.incomplete), &mut self.out);
        }
        // What was refused before and is no longer would be news again.
        let texts: BTreeSet<String> = reconciled.failures.iter().map(ToString::to_string).collect();
        let before = std::mem::replace(&mut self.unfulfilled, texts);
        before.difference(&self.unfulfilled).for_each(|text| {
            self.refused.remove(text);
        });
        self.tell_refusals(reconciled.failures);
        self.told.extend(reconciled.told);
        if self.sysctls.lingers() {
            self.adjust_sysctls();
        }
        desired.addresses.iter().map(|address| (address.link, address.address)).collect()
    }

    /// Says what the kernel refused, once, and asks it again later.
    pub(super) fn tell_refusals(&mut self, failures: impl IntoIterator<Item = linux::Error>) {
        for failure in failures {
            self.ask_again_at = Some(clock::boot_time() + ASK_AGAIN);
            let text = failure.to_string();
            if self.refused.insert(text.clone()) {
                self.told.push((Severity::Error, text));
            }
        }
    }

    /// Renews lifetimes last of all: the engine may have found that it was late and that nothing is ours any more, and
    /// an address that somebody has taken away meanwhile would come back in silence.
    pub(super) fn renew_addresses(&mut self) -> linux::Result<()> {
        if self.kernel.renew_deadline().is_some_and(|at| at <= clock::boot_time()) {
            let begin = clock::boot_time();
            // Frozen since the engine was asked last: it does not know yet that nothing may be ours any more.
            if self.engine.deadline().is_some_and(|due| due.as_nanos() + FROZEN < begin) {
                return Ok(());
            }
            self.take_changes()?;
            self.carry_out();
            let failures = self.kernel.renew(clock::boot_time());
            self.tell_refusals(failures);
            // Frozen just here, we have renewed what may have expired meanwhile, and added it thereby.
            if clock::boot_time() - begin > FROZEN {
                self.kernel.distrust();
                self.ask_again_at = Some(clock::boot_time());
            }
        }
        Ok(())
    }

    /// Drops traffic to the addresses of those who do not accept it.
    pub(super) fn close_addresses(&mut self) {
        if let Err(error) = self.closed.adjust(&self.settings) {
            self.say(Severity::Error, format!("{error}; traffic to virtual addresses is let through"));
        }
    }

    pub(super) fn adjust_sysctls(&mut self) {
        let failures = self.sysctls.adjust(&self.settings, &self.kernel.shared_links());
        self.tell_refusals(failures);
    }
}
