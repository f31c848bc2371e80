//! The loop's dealings with operators: the control socket and the down files.

use std::collections::BTreeSet;

use engine::{Answer, Command, Event, HeldBy, Input, RouterId};
use linux::clock;
use linux::poll::Interest;
use linux::system_log::Severity;

use super::{CONTROL, CONTROL_LATER, EventLoop, now};
use crate::baton::Batons;
use crate::control::{Control, ControlPlace, Later};
use crate::down_files::{DownFileChange, DownFileNews};
use crate::words::Line;

/// Commands that do not come from the control socket carry this number; nobody waits for the answer.
const NOBODY: u64 = u64::MAX;

impl EventLoop {
    /// Without it the daemon does its work all the same.
    pub(super) fn open_control(&mut self) {
        let ControlPlace::At(path) = self.options.control.clone() else { return };
        let control = match self.control_place.take() {
            Some(place) => Control::start_at(place),
            // Why it could not be had is told now.
            None => Control::start(&path),
        };
        let Err(error) = control.and_then(|control| self.use_control(control)) else { return };
        let later = Later::start(&path).and_then(|later| {
            self.poll.add(&later, CONTROL_LATER, Interest::Readable)?;
            Ok(later)
        });
        let until = if later.is_ok() { " until it can be opened" } else { "" };
        self.told.push((Severity::Warning, format!("{error}; `tanist status` cannot ask this daemon{until}")));
        self.control_later = later.ok();
    }

    fn use_control(&mut self, control: Control) -> linux::Result<()> {
        self.poll.add(&control, CONTROL, Interest::Readable)?;
        self.control = Some(control.telling(self.confinement.status()));
        Ok(())
    }

    /// What could not be opened at the start is open now.
    pub(super) fn take_control(&mut self) {
        let Some(opened) = self.control_later.as_mut().and_then(Later::finish) else { return };
        if let Some(later) = self.control_later.take() {
            // Closing it would do as well.
            let _ = self.poll.remove(&later);
        }
        match opened.and_then(|control| self.use_control(control)) {
            Ok(()) => self.say(Severity::Notice, "The control socket is open: `tanist status` can ask".to_owned()),
            Err(error) => self.say(Severity::Warning, format!("{error}; `tanist status` cannot ask this daemon")),
        }
    }

    pub(super) fn take_requests(&mut self) {
        let Self { control: Some(control), engine, settings, batons, closed, out, .. } = self else { return };
        let nobody = BTreeSet::new();
        let strangers = batons.as_ref().map_or(&nobody, Batons::strangers);
        let dropped = || closed.dropped()?.ok();
        for (number, command) in control.take(engine, settings, strangers, dropped, now()) {
            engine.handle(now(), Input::Command { number, command }, out);
        }
    }

    pub(super) fn answer(&mut self, number: u64, answer: &Answer) {
        if let Some(control) = &mut self.control
            && number != NOBODY
        {
            control.answer(number, answer);
        }
    }

    pub(super) fn publish(&mut self, event: &Event, lines: &[Line]) {
        let Self { control: Some(control), engine, .. } = self else { return };
        let severity = lines.iter().map(|line| line.severity).min().unwrap_or(Severity::Info);
        let detail = lines.iter().all(|line| line.detail);
        let text = lines.iter().map(|line| line.text.clone()).collect();
        control.publish(engine, event, now(), (severity, detail), text);
    }

    pub(super) fn adjust_down_files(&mut self) {
        let news = self.down_files.adjust(&self.settings, clock::boot_time());
        self.follow_down_files(news);
    }

    /// At the start a node knows whether it stands back before it takes part, if the file systems answer.
    pub(super) fn begin_with_down_files(&mut self) {
        self.adjust_down_files();
        self.down_files.wait_for_first_look();
        self.take_down_files();
    }

    pub(super) fn take_down_files(&mut self) {
        let news = self.down_files.receive(clock::boot_time());
        self.follow_down_files(news);
    }

    /// Tells of the changes, and the engine how it is with every instance: saying it again does no harm, and after a
    /// reload the instances have other numbers.
    fn follow_down_files(&mut self, DownFileNews { changes, lines }: DownFileNews) {
        self.told.extend(lines);
        for DownFileChange { service, path, present } in changes {
            let what = if present { "is there" } else { "is gone" };
            self.told.push((Severity::Notice, format!("down file {} of service {service} {what}", path.display())));
        }
        for (instance, router) in self.settings.instances.iter().zip(0..) {
            // A sync group stands back as one.
            let group = self.settings.group_of(&instance.router);
            let its = self.settings.instances.iter().filter(|other| match group {
                Some(group) => group.group.members.contains(&other.router.name),
                None => other.router.name == instance.router.name,
            });
            let mut services = its.flat_map(|instance| &instance.router.services).peekable();
            if services.peek().is_none() {
                continue;
            }
            let down = services.any(|service| self.down_files.is_present(service));
            let (router, by) = (RouterId(router), HeldBy::DownFile);
            let command = if down { Command::Hold { router, by } } else { Command::Release { router, by } };
            self.engine.handle(now(), Input::Command { number: NOBODY, command }, &mut self.out);
        }
    }
}
