//! The loop's dealings with operators: the control socket and the down files.

use engine::{Answer, Command, Event, HeldBy, Input, RouterId};
use linux::poll::Interest;
use linux::system_log::Severity;

use super::{CONTROL, EventLoop, now};
use crate::control::{Control, ControlPlace};
use crate::down_files::DownFileChange;
use crate::words::Line;

/// Commands that do not come from the control socket carry this number; nobody waits for the answer.
const NOBODY: u64 = u64::MAX;

impl EventLoop {
    /// Without it the daemon does its work all the same.
    pub(super) fn open_control(&mut self) {
        let ControlPlace::At(path) = &self.options.control else { return };
        let opened = Control::start(path).and_then(|control| {
            self.poll.add(&control, CONTROL, Interest::Readable)?;
            Ok(control)
        });
        match opened {
            Ok(control) => self.control = Some(control),
            Err(error) => {
                self.told.push((Severity::Warning, format!("{error}; `tanist status` cannot ask this daemon")));
            }
        }
    }

    pub(super) fn take_requests(&mut self) {
        let Self { control: Some(control), engine, settings, out, .. } = self else { return };
        for (number, command) in control.take(engine, settings, now()) {
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
        let mut changes = Vec::new();
        if let Err(error) = self.down_files.adjust(&self.settings, &mut changes) {
            self.told.push((Severity::Warning, error.to_string()));
        }
        self.follow_down_files(changes);
    }

    pub(super) fn take_down_files(&mut self) -> linux::Result<()> {
        let mut changes = Vec::new();
        let received = self.down_files.receive(&mut changes);
        self.follow_down_files(changes);
        received
    }

    fn follow_down_files(&mut self, changes: Vec<DownFileChange>) {
        for DownFileChange { service, path, present } in changes {
            let instances = self.settings.instances.iter();
            let owner = instances.zip(0..).find(|(instance, _)| instance.router.services.contains(&service));
            let Some((_, router)) = owner else { continue };
            let (router, by) = (RouterId(router), HeldBy::DownFile);
            let command = if present { Command::Hold { router, by } } else { Command::Release { router, by } };
            let what = if present { "is there" } else { "is gone" };
            self.told.push((Severity::Notice, format!("down file {} of service {service} {what}", path.display())));
            self.engine.handle(now(), Input::Command { number: NOBODY, command }, &mut self.out);
        }
    }
}
