//! The ways out of the loop.
//!
//! Asked to stop, everything ends in order: services first, then their roles are let go, then a successor is waited for.
//! Asked again, no other node is waited for, but services still may take their `stop_timeout`; routers whose services have ended
//! answer for their addresses meanwhile, which costs no time and spares clients some. Asked a third time, nobody
//! is waited for, and what goes on without us is said. When something has broken, the loop goes on as if it had been asked
//! twice; if it breaks again, services end without it.

use std::time::Duration;

use engine::Input;
use linux::clock;
use linux::signals::Received;
use linux::system_log::Severity;

use super::{EventLoop, now};
use crate::bookends::asks_to_stop;
use crate::checks::Checks;
use crate::children::Purpose;

/// How long clients of the control socket may take to hear the last answers.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long managers may take to take their last orders.
const LAST_ORDERS: Duration = Duration::from_secs(2);
/// How long what is in the way of a last `stop` may take to end; in nanoseconds.
const MAKING_ROOM: u64 = 1_000_000_000;
/// Without the loop, it is looked at everything so often.
const LOOK: Duration = Duration::from_millis(10);

/// Who is waited for on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It is no way out yet.
    Running,
    /// Services and successors.
    ForAll,
    /// What ends here, but no other node. `told`: that was said.
    ForServices { told: bool },
    /// No service either; the engine does not wait for a successor any more.
    ForNobody,
}

impl EventLoop {
    pub(super) fn is_stopping(&self) -> bool {
        self.patience != Patience::Running
    }

    /// Somebody asks us to stop, perhaps again.
    pub(super) fn stop(&mut self) {
        match self.patience {
            Patience::Running => {
                self.patience = Patience::ForAll;
                self.say(Severity::Notice, "Stopping".to_owned());
                // There is nobody to tell of a failure.
                let _ = self.notifier.stopping();
                self.engine.handle(now(), Input::Stop, &mut self.out);
            }
            Patience::ForAll => self.patience = Patience::ForServices { told: false },
            Patience::ForServices { .. } => {
                self.say(Severity::Warning, "Asked to stop for the third time: nobody is waited for".to_owned());
                self.give_up();
            }
            Patience::ForNobody => {
                // The last notify scripts.
                self.stopped_until = self.stopped_until.map(|_| 0);
            }
        }
    }

    /// Asked twice, the engine is told so as soon as nothing of the services is left here, or they have had their time.
    pub(super) fn stop_waiting(&mut self) {
        let Patience::ForServices { told } = self.patience else { return };
        match self.services.may_take_until() {
            None => {
                self.patience = Patience::ForNobody;
                self.engine.handle(now(), Input::Stop, &mut self.out);
            }
            Some(until) if until <= clock::boot_time() => {
                self.say(
                    Severity::Error,
                    "Services have not ended within their time, nor when they were killed".to_owned(),
                );
                self.give_up();
            }
            Some(_) if told => {}
            Some(_) => {
                self.patience = Patience::ForServices { told: true };
                let services: Vec<&str> = self.services.being_stopped().map(|name| &**name).collect();
                let services = services.join(", ");
                let text = format!(
                    "Asked to stop again: no other node is waited for any more, but what is being stopped here may take its \
                     stop_timeout ({services}); a third time nobody is waited for"
                );
                self.say(Severity::Notice, text);
            }
        }
        self.carry_out();
    }

    fn give_up(&mut self) {
        self.patience = Patience::ForNobody;
        self.services.give_up();
        self.engine.handle(now(), Input::Stop, &mut self.out);
    }

    /// When [`stop_waiting`](Self::stop_waiting) has something to do.
    pub(super) fn patience_ends_at(&self) -> Option<u64> {
        match self.patience {
            Patience::ForServices { .. } => self.services.may_take_until(),
            Patience::Running | Patience::ForAll | Patience::ForNobody => None,
        }
    }

    /// Something has broken, but perhaps not everything: as long as the loop turns at all, it advertises until nothing of
    /// the services is left here, so that nobody else begins too early.
    pub(crate) fn wind_up(&mut self, reason: &str) -> linux::Result<()> {
        self.say(Severity::Critical, format!("{reason}; ending services and withdrawing all addresses"));
        // Whatever it was about, it is not what we want now.
        self.out.clear();
        self.reconcile = true;
        // A signal that was read together with what broke does not come again, and may have told of an end.
        self.take_ends();
        if !self.is_stopping() {
            self.stop();
        }
        if self.patience == Patience::ForAll {
            self.patience = Patience::ForServices { told: true };
        }
        self.carry_out();
        self.run()
    }

    /// It broke again: services end without engine and loop, and only then is everything withdrawn.
    pub(crate) fn end_services(&mut self) {
        self.say(Severity::Critical, "broken again; ending services without the engine".to_owned());
        let (services, lent) = self.services_and_loop();
        services.end_everything(lent);
        let until = self.services.may_take_until().unwrap_or_default();
        self.look_until(until, |ours| ours.services.may_take_until().is_none());
    }

    /// Resigns everywhere and waits for nobody.
    pub(crate) fn withdraw(&mut self) {
        self.out.clear();
        self.services.give_up();
        for _ in 0..2 {
            self.engine.handle(now(), Input::Stop, &mut self.out);
        }
        self.carry_out();
    }

    /// The last that is done for services. In order there is nothing left to do.
    pub(crate) fn part_from_services(&mut self) {
        self.look_until(clock::boot_time() + MAKING_ROOM, |ours| ours.services.stops_are_begun());
        self.services.part(LAST_ORDERS);
        self.take_lines();
    }

    /// Looks after services until this is so, but not beyond that moment and not if somebody asks to stop meanwhile.
    fn look_until(&mut self, until: u64, is_so: impl Fn(&Self) -> bool) {
        self.take_lines();
        while !is_so(self) && clock::boot_time() < until && !self.is_asked_to_stop() {
            std::thread::sleep(LOOK);
            for (pid, purpose, exit) in self.children.ended() {
                if let Purpose::Service(child) = purpose {
                    let (services, lent) = self.services_and_loop();
                    services.child_ended(pid, &child, exit, lent);
                }
            }
            let (services, lent) = self.services_and_loop();
            services.look_at_everything(lent);
            let (services, lent) = self.services_and_loop();
            services.handle_timer(lent);
            // The engine is not to be asked any more.
            self.services.take_reports();
            self.take_lines();
        }
    }

    fn is_asked_to_stop(&mut self) -> bool {
        let mut received = Vec::new();
        // What cannot be read does not ask.
        let _ = self.signals.receive(&mut received);
        let ignore_interrupt = self.options.ignore_interrupt;
        received.iter().any(|Received { signal, .. }| asks_to_stop(*signal, ignore_interrupt))
    }

    fn take_lines(&mut self) {
        for (severity, text) in self.services.take_lines() {
            self.say(severity, text);
        }
    }

    /// Nothing of ours stays, whichever way the loop ended.
    pub(crate) fn finish(mut self) {
        Checks::kill_all(&self.children);
        self.notify.tell_unfinished(&mut self.told);
        self.part_from_fifos();
        let (told, failures) = self.kernel.withdraw_everything();
        self.told.extend(told);
        let failures = failures.into_iter().chain(self.closed.open_all().err());
        for failure in failures.chain(self.sysctls.restore()) {
            self.say(Severity::Error, failure.to_string());
        }
        for (severity, text) in std::mem::take(&mut self.told) {
            self.say(severity, text);
        }
        self.post.finish();
        if let Some(shutdown) = self.shutdown.take() {
            self.run_bookend(&shutdown);
        }
        self.say(Severity::Notice, "Stopped".to_owned());
        if let Some(control) = self.control.take() {
            control.finish(LAST_WORDS);
        }
        self.background.finish();
    }
}
