//! The loop's dealings with services and checks.

use engine::{Input, Name};
use linux::clock;

use super::{EventLoop, now};
use crate::services::plan::ServicePlan;
use crate::services::{Loop, Report, Services};

impl EventLoop {
    /// The services and what they need of us.
    pub(super) fn services_and_loop(&mut self) -> (&mut Services, Loop<'_>) {
        let Self { services, poll, children, .. } = self;
        (services, Loop { now: clock::boot_time(), poll, children })
    }

    pub(super) fn configure_services(&mut self, plans: Vec<ServicePlan>) {
        let (services, lent) = self.services_and_loop();
        services.reconfigure(plans, lent);
    }

    /// Tells the engine what is new of services and probes.
    pub(super) fn take_reports(&mut self) {
        for report in self.services.take_reports() {
            let input = match &report {
                Report::Service(service, report) => Input::Service { service, report: report.clone() },
                Report::Check(script, outcome) => Input::ScriptFinished { script, outcome: *outcome },
            };
            self.engine.handle(now(), input, &mut self.out);
        }
        self.told.append(&mut self.services.take_lines());
    }

    pub(super) fn run_check(&mut self, script: &Name) {
        if let Some(outcome) = self.checks.run(script, &mut self.children) {
            self.engine.handle(now(), Input::ScriptFinished { script, outcome }, &mut self.out);
        }
    }
}
