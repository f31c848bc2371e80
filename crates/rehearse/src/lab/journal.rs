//! What was seen in a lab, by whom and when, in one list for all observers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Moment;
use super::frame::{Advertisement, Mac};
use super::ticks::Tick;

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When it happened, as near to its source as can be: packets carry the kernel's stamp.
    pub at: Moment,
    /// The host that it concerns; empty for the lab as a whole.
    pub host: Arc<str>,
    /// What happened.
    pub what: Seen,
}

/// What can be seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The lab itself did this.
    Deed(String),
    /// The host was switched on: it is empty and fresh.
    PoweredOn,
    /// The host lost power: nothing of it is left.
    PoweredOff,
    /// The host sent this; taken at the switch.
    Advertisement(Advertisement),
    /// The host announced an address; taken at the switch.
    GratuitousArp { address: Ipv4Addr, mac: Mac },
    /// The kernel of the host has an address.
    AddressAdded { interface: String, address: IpAddr, prefix: u8 },
    /// It no longer has it.
    AddressRemoved { interface: String, address: IpAddr, prefix: u8 },
    /// An interface of the host works now.
    LinkUp { interface: String },
    /// It does not.
    LinkDown { interface: String },
    /// A program in the host wrote a line.
    Line { program: Arc<str>, text: String },
    /// A program in the host ended.
    Ended { program: Arc<str>, how: String },
    /// A recorded stand-in was run in place of a script.
    ScriptRun { name: String, arguments: Vec<String> },
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:<4} ", self.at, self.host)?;
        match &self.what {
            Seen::Deed(text) => write!(f, "{text}"),
            Seen::PoweredOn => f.write_str("powered on"),
            Seen::PoweredOff => f.write_str("lost power"),
            Seen::Advertisement(advertisement) => write!(f, "{advertisement}"),
            Seen::GratuitousArp { address, mac } => write!(f, "announces {address} at {mac}"),
            Seen::AddressAdded { interface, address, prefix } => write!(f, "{interface} has {address}/{prefix}"),
            Seen::AddressRemoved { interface, address, prefix } => write!(f, "{interface} lost {address}/{prefix}"),
            Seen::LinkUp { interface } => write!(f, "{interface} up"),
            Seen::LinkDown { interface } => write!(f, "{interface} down"),
            Seen::Line { program, text } => write!(f, "{program}| {text}"),
            Seen::Ended { program, how } => write!(f, "{program} ended: {how}"),
            Seen::ScriptRun { name, arguments } => write!(f, "runs {name} {}", arguments.join(" ")),
        }
    }
}

/// The list, shared by all observers of a lab.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    records: Mutex<Vec<Record>>,
    // Apart from the rest: there are many, and they say little one by one.
    ticks: Mutex<Vec<Tick>>,
    grown: Condvar,
}

impl Journal {
    /// Adds a record. Observers run beside each other, so records need not come in the order of their moments.
    pub fn add(&self, at: Moment, host: &Arc<str>, what: Seen) {
        self.records().push(Record { at, host: host.clone(), what });
        self.shared.grown.notify_all();
    }

    pub(crate) fn add_tick(&self, tick: Tick) {
        self.shared.ticks.lock().unwrap_or_else(PoisonError::into_inner).push(tick);
    }

    /// What collectors have done, in the order of the moments.
    #[must_use]
    pub fn ticks(&self) -> Vec<Tick> {
        let mut ticks = self.shared.ticks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ticks.sort_by_key(|tick| tick.at);
        ticks
    }

    /// Everything seen from `since` on, in the order of the moments.
    #[must_use]
    pub fn since(&self, since: Moment) -> Vec<Record> {
        let mut records: Vec<Record> = self.records().iter().filter(|record| record.at >= since).cloned().collect();
        records.sort_by_key(|record| record.at);
        records
    }

    /// Everything, in the order of the moments.
    #[must_use]
    pub fn all(&self) -> Vec<Record> {
        self.since(Moment::from_nanos(0))
    }

    /// Drops what is older: for a lab that stands for days. Who held an address when can't be told any more then.
    pub fn forget(&self, before: Moment) {
        self.records().retain(|record| record.at >= before);
        self.shared.ticks.lock().unwrap_or_else(PoisonError::into_inner).retain(|tick| tick.at >= before);
    }

    /// Waits for the first record from `since` on that is wanted; `None` if `patience` ends first.
    pub fn wait_for(
        &self,
        since: Moment,
        patience: Duration,
        mut wanted: impl FnMut(&Record) -> bool,
    ) -> Option<Record> {
        let until = Instant::now() + patience;
        let mut records = self.records();
        let mut looked_at = 0;
        loop {
            // What was looked at may have been forgotten meanwhile.
            let unseen = &records[looked_at.min(records.len())..];
            if let Some(found) = unseen.iter().find(|record| record.at >= since && wanted(record)) {
                return Some(found.clone());
            }
            looked_at = records.len();
            let left = until.checked_duration_since(Instant::now())?;
            records = self.shared.grown.wait_timeout(records, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What programs of a host wrote, line by line.
    #[must_use]
    pub fn log_of(&self, host: &str) -> String {
        let mut text = String::new();
        for record in self.all() {
            if let (true, Seen::Line { program, text: line }) = (&*record.host == host, &record.what) {
                text.push_str(&format!("{:?} {program}| {line}\n", record.at));
            }
        }
        text
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        // A panic elsewhere does not make what was seen untrue.
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
