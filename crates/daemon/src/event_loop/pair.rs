//! The loop's dealings with the other node, and with what must outlive this one: messages in and out, the record.

use engine::{Input, Record, Restored};
use linux::clock;
use linux::system_log::Severity;

use super::{ASK_AGAIN, BATONS, EventLoop, now};
use crate::baton::Batons;
use crate::record;

impl EventLoop {
    /// Tells the engine what its former life has saved.
    pub(super) fn restore(&mut self) {
        let calendar = Restored::Nothing { calendar: clock::real_time().as_secs() };
        let saved = self.options.state_directory.as_deref().and_then(record::load);
        for restored in [calendar].into_iter().chain(saved) {
            self.engine.handle(now(), Input::Restored(restored), &mut self.out);
        }
    }

    pub(super) fn save(&self, record: &Record) {
        if let Some(directory) = &self.options.state_directory {
            self.background.save_record(directory, record);
        }
    }

    /// Opens the sockets of the pair that the settings name, in place of any others.
    pub(super) fn open_batons(&mut self) {
        self.batons = None;
        let Some(pair) = &self.settings.pair else { return };
        let (batons, failures) = Batons::open(pair, &self.poll, BATONS);
        self.batons = Some(batons);
        self.told.extend(failures.iter().map(|failure| (Severity::Warning, failure.to_string())));
        self.ask_for_batons_again();
    }

    /// A source address may have come meanwhile.
    pub(super) fn reopen_batons(&mut self) {
        let Some(batons) = &mut self.batons else { return };
        let failures = batons.reopen(&self.poll);
        self.told.extend(failures.iter().map(|failure| (Severity::Warning, failure.to_string())));
        self.ask_for_batons_again();
    }

    fn ask_for_batons_again(&mut self) {
        if self.batons.as_ref().is_some_and(|batons| !batons.is_open()) {
            let at = clock::boot_time() + ASK_AGAIN;
            self.ask_again_at = Some(self.ask_again_at.map_or(at, |before| before.min(at)));
        }
    }

    pub(super) fn take_batons(&mut self, token: u64) {
        let Self { batons: Some(batons), engine, out, told, .. } = self else { return };
        let remark = batons.receive(token, |path, octets| {
            engine.handle(now(), Input::Baton { path, octets }, out);
        });
        told.extend(remark.map(|remark| (Severity::Warning, remark)));
    }

    pub(super) fn send_baton(&mut self, path: u32, octets: &[u8]) {
        let Some(batons) = &mut self.batons else { return };
        let failure = batons.send(path, octets);
        self.told.extend(failure.map(|failure| (Severity::Warning, failure.to_string())));
    }
}
