//! Another configuration while the daemon runs.

use std::os::fd::AsFd;

use config::Settings;
use engine::{Input, RouterConfig, RouterId};
use linux::clock;
use linux::poll::Interest;
use linux::system_log::Severity;

use super::{EventLoop, QUIET, RELOAD, now};
use crate::preflight::Plan;
use crate::reload::{Loaded, Reading, Remark};

impl EventLoop {
    pub(super) fn begin_reload(&mut self) {
        if self.is_stopping() {
            return;
        }
        if self.reading.is_some() {
            self.reload_again = true;
            return;
        }
        self.say(Severity::Notice, format!("Reloading {}", self.options.config.display()));
        let sign = self.name.reload_sign(&self.settings.process);
        let started = Reading::start(self.options.config.clone(), self.options.reading.clone(), sign)
            .map_err(|error| linux::Error::from_io("read the configuration", &error))
            .and_then(|reading| self.poll.add(&reading.done, RELOAD, Interest::Readable).map(|()| reading));
        match started {
            Ok(reading) => {
                self.reading = Some(reading);
                // As with STOPPING: nobody to tell.
                let _ = self.notifier.reloading();
            }
            Err(error) => self.say(Severity::Error, error.to_string()),
        }
    }

    pub(super) fn take_configuration(&mut self) {
        let Some(loaded) = self.reading.as_mut().and_then(Reading::finish) else { return };
        if let Some(reading) = self.reading.take() {
            // Closing it would do as well.
            let _ = self.poll.remove(reading.done.as_fd());
        }
        if self.is_stopping() {
            return;
        }
        match loaded {
            Loaded::Good { plan, remarks, expanded } => {
                self.write_findings(remarks.iter().map(|(_, remark)| remark.as_str()));
                self.reconfigure(*plan, remarks);
                self.keep_configuration(expanded);
            }
            Loaded::Bad { reasons, .. } => {
                let see = self.write_findings(reasons.iter().map(|(_, reason)| reason.as_str()));
                for (severity, reason) in reasons {
                    self.say(severity, reason);
                }
                let path = self.options.config.display();
                let text = format!("{path} cannot be used{see}; nothing was changed, the old configuration goes on");
                self.say(Severity::Error, text);
            }
        }
        let _ = self.notifier.ready();
        self.quiet_at = Some(clock::boot_time() + QUIET);
        if std::mem::take(&mut self.reload_again) {
            self.begin_reload();
        }
    }

    fn reconfigure(&mut self, plan: Plan, remarks: Vec<Remark>) {
        // What is under way carries the old numbers.
        self.carry_out();
        for (severity, remark) in remarks {
            self.say(severity, remark);
        }
        let config = plan.engine_config();
        for finding in plan.findings {
            self.say(finding.severity, finding.text);
        }
        let before = std::mem::replace(&mut self.settings, plan.settings);
        let prepared = std::mem::replace(&mut self.prepared, plan.notify);
        self.prepared_groups = plan.group_notify;
        self.checks = plan.checks;
        self.shutdown = plan.shutdown;
        self.configure_services(plan.services);
        self.configure_telling(plan.fifos);
        self.begin_telling_of_reload();
        self.close_addresses();
        self.adjust_sysctls();
        self.adjust_process(&before.process);
        self.tell_what_needs_a_restart(&before.process);
        self.told.extend(self.confinement.out_of_reach(&self.options, &self.settings, &self.name));
        self.reconcile |= self.kernel.adjust_lifetimes(&self.settings);
        if before.pair != self.settings.pair {
            self.open_batons();
        }
        // Before anything is put on them. That one is there which was missing is told first.
        self.make_virtual_links();
        for input in self.kernel.introduce(&self.engine) {
            self.engine.handle(now(), input, &mut self.out);
        }
        if self.engine.config() == &config {
            let macs =
                |settings: &Settings| settings.instances.iter().map(|it| it.virtual_mac.clone()).collect::<Vec<_>>();
            if before.virtual_links != self.settings.virtual_links || macs(&before) != macs(&self.settings) {
                self.follow_configuration();
                self.adjust_sockets();
            }
            self.adjust_link_beats();
            self.adjust_down_files();
            self.adjust_sockets();
            self.tell_states();
            self.say(Severity::Notice, "Reloaded: nothing that the election depends on has changed".to_owned());
            return;
        }
        self.engine.handle(now(), Input::Reconfigure(Box::new(config)), &mut self.out);
        self.kernel.assign_indexes(&self.engine);
        self.adjust_link_beats();
        // Not before the engine knows the instances by their new numbers.
        self.adjust_down_files();
        self.adjust_trackers();
        let removed = (self.settings.instances.len()..).map_while(|id| self.engine.router(RouterId(id as u32)));
        let notify_of = |router: &RouterConfig| {
            let place = before.instances.iter().position(|instance| instance.router.name == router.name);
            let mails = place.is_some_and(|place| before.instances[place].mails);
            (place.and_then(|place| prepared.get(place)).cloned().unwrap_or_default(), mails)
        };
        self.retired = removed.map(notify_of).collect();
        // Farewells leave through the sockets that still exist.
        self.carry_out();
        self.follow_configuration();
        self.adjust_sockets();
        self.reconcile = true;
        self.carry_out();
        self.tell_states();
        self.say(Severity::Notice, "Reloaded".to_owned());
    }

    /// Tells the engine of everything that its configuration is about, and hears of it from now on.
    pub(super) fn follow_configuration(&mut self) {
        if let Err(error) = self.kernel.follow(self.engine.config()) {
            self.say(Severity::Error, format!("{error}; routes and rules that others remove will not be put back"));
        }
        for input in self.kernel.introduce(&self.engine) {
            self.engine.handle(now(), input, &mut self.out);
        }
        let changed = self.kernel.remove_virtual_links();
        self.note_changed(changed);
    }
}
