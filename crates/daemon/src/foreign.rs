//! Octets from outside, handed to whoever reads them in this crate, and what the daemon writes for others: doors for the
//! fuzz targets. Nothing else uses them, so nothing of them is in a daemon.

use config::Settings;
use engine::{Engine, Instant, Record};

pub use crate::control::foreign::requests;
pub use crate::mail::foreign::{MailAnswer, mail_answers, mail_login_is_offered};
use crate::{dump, json, pair_key, record, reload_times, services};

/// What a file of a former life says, and in which boot it was written.
pub fn record(text: &[u8]) -> Result<(Record, String), &'static str> {
    record::decode(text)
}

/// The file that says this.
#[must_use]
pub fn record_text(record: &Record, boot: &str) -> String {
    record::encode(record, boot)
}

/// The key of a pair, as its file has it.
#[must_use]
pub fn pair_key(digits: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    pair_key::parse(digits, &mut key)?;
    Some(key)
}

/// The status in the head of an answer over HTTP: `Ok(None)` while it is not there, an error if it never will be.
pub fn http_status(head: &[u8]) -> Result<Option<u16>, &'static str> {
    services::http_status(head)
}

/// When to reload, as the first line of `reload_time_file` says it; moments are seconds since 1970.
#[must_use]
pub fn reload_time(line: &str, now: i64) -> Option<i64> {
    reload_times::next(line, now).ok()
}

/// The JSON that is written for keepalived's exporters.
#[must_use]
pub fn json(settings: &Settings, engine: &Engine, now: Instant) -> String {
    json::json(settings, engine, now)
}

/// What is written on USR1 and USR2.
#[must_use]
pub fn dumps(settings: &Settings, engine: &Engine, now: Instant) -> [String; 2] {
    [dump::state::data(settings, engine, now), dump::statistics::data(&engine.view())]
}
