//! The loop's dealings with services and checks.

use std::ffi::CString;

use engine::{Input, Name, RouterConfig, RouterId, ServiceConfig, ServiceOrder, StateName};
use linux::clock;

use super::{EventLoop, now};
use crate::services::plan::ServicePlan;
use crate::services::{Loop, Report, Services, told};
use crate::words;

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
        let standing = self.standing_of_check(script);
        if let Some(outcome) = self.checks.run(script, &standing, &mut self.children) {
            self.engine.handle(now(), Input::ScriptFinished { script, outcome }, &mut self.out);
        }
    }

    pub(super) fn order_service(&mut self, service: &Name, order: ServiceOrder) {
        let standing = (order == ServiceOrder::AssessReadiness).then(|| self.standing_of_service(service));
        let (services, lent) = self.services_and_loop();
        if let Some(standing) = standing {
            services.brief(service, standing);
        }
        services.order(service, order, lent);
    }

    /// What a check is told: the instances that it matters to, and their roles, in the same order.
    fn standing_of_check(&self, check: &Name) -> Vec<CString> {
        let has = |service: &&ServiceConfig| service.checks.iter().any(|its| its.name == *check);
        match self.engine.config().services.iter().find(has) {
            Some(service) => self.standing_of_service(&service.name),
            None => {
                let (instances, roles) =
                    self.standing(|router| router.track_scripts.iter().any(|tracked| tracked.script == *check));
                told(&[("TANIST_INSTANCE", &instances), ("TANIST_ROLE", &roles)])
            }
        }
    }

    fn standing_of_service(&self, service: &Name) -> Vec<CString> {
        let (instances, roles) = self.standing(|router| router.services.contains(service));
        told(&[("TANIST_INSTANCE", &instances), ("TANIST_ROLE", &roles), ("TANIST_SERVICE", service)])
    }

    /// Names and roles of instances.
    fn standing(&self, is_meant: impl Fn(&RouterConfig) -> bool) -> (String, String) {
        let routers = self.engine.config().routers.iter().zip(0..).filter(|(router, _)| is_meant(router));
        let role = |id| words::role(self.engine.state(RouterId(id)).unwrap_or(StateName::Initialize));
        let (names, roles): (Vec<&str>, Vec<&str>) = routers.map(|(router, id)| (&*router.name, role(id))).unzip();
        (names.join(" "), roles.join(" "))
    }
}
