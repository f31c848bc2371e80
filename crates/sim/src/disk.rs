//! What a pretend daemon keeps for its next life.

use engine::{Record, Restored};

use crate::plan::DiskAct;

/// The one file, as far as it has reached the disk.
#[derive(Debug)]
pub(crate) struct Disk {
    writable: bool,
    damaged: bool,
    stored: Option<Stored>,
}

#[derive(Debug)]
struct Stored {
    record: Record,
    boot: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { writable: true, damaged: false, stored: None }
    }
}

impl Disk {
    /// A record has reached the disk in this boot of the machine.
    pub(crate) fn write(&mut self, record: Record, boot: u64) {
        if self.writable {
            self.damaged = false;
            self.stored = Some(Stored { record, boot });
        }
    }

    /// What a daemon finds there at its start.
    pub(crate) fn read(&self, boot: u64, calendar: u64) -> Option<Restored> {
        if self.damaged {
            return Some(Restored::Damaged("its checksum is wrong".into()));
        }
        let Stored { record, boot: saved_in } = self.stored.as_ref()?;
        Some(Restored::Record { record: record.clone(), same_boot: *saved_in == boot, calendar })
    }

    pub(crate) fn act(&mut self, act: DiskAct) {
        match act {
            DiskAct::Works => self.writable = true,
            DiskAct::ReadOnly => self.writable = false,
            DiskAct::Damaged => self.damaged = true,
            DiskAct::Lost => (self.damaged, self.stored) = (false, None),
        }
    }
}
