//! What holds for the whole pair until somebody says otherwise: the latch and maintenance. Both nodes publish it, and
//! the newer one of each wins.

use core::time::Duration;

use crate::wire::baton::{LatchStatement, MaintenanceStatement, Statement};
use crate::{Instant, LatchReason, LatchRecord, MaintenanceRecord, MaintenanceView, Name, Record};

/// Maintenance that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Maintenance {
    pub(crate) until: Option<Instant>,
    /// The same in seconds since 1970, for the next life.
    calendar: Option<u64>,
    pub(crate) node: Name,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    latch: Option<LatchRecord>,
    /// It says only that our own memory cannot be trusted; a peer that remembers better clears it.
    unsure: bool,
    /// Number of the newest latch that we know of.
    number: u64,
    /// The newest latch that an operator has seen to.
    acknowledged: u64,
    maintenance: Option<Maintenance>,
    /// Counts beginnings and ends of maintenance.
    maintenance_number: u64,
    /// What the calendar said at some moment.
    calendar: Option<(Instant, u64)>,
    /// The peer has been heard in this life, so that our numbers go on from its.
    met: bool,
    /// The latch has a number that the peer may have used for another one.
    renumber: bool,
}

/// What a change was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Latched(LatchRecord),
    Unlatched,
    /// An operator has seen to what there was, though nothing was latched.
    Forgiven,
    MaintenanceBegun(Option<Duration>, Name),
    MaintenanceEnded {
        expired: bool,
    },
}

impl Standing {
    pub(crate) const fn latch(&self) -> Option<&LatchRecord> {
        self.latch.as_ref()
    }

    pub(crate) const fn is_latched(&self) -> bool {
        self.latch.is_some()
    }

    pub(crate) const fn in_maintenance(&self) -> bool {
        self.maintenance.is_some()
    }

    pub(crate) fn maintenance(&self) -> Option<MaintenanceView> {
        self.maintenance.as_ref().map(|maintenance| MaintenanceView { until: maintenance.until })
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.maintenance.as_ref().and_then(|maintenance| maintenance.until)
    }

    /// Nothing is latched yet: what fails while something is, is tried again where it is.
    pub(crate) fn latch_for(&mut self, service: Name, reason: LatchReason, node: Name) -> Change {
        let latch = LatchRecord { service, reason, node };
        self.unsure = reason == LatchReason::RecordDamaged;
        if !self.unsure {
            self.number = self.number.max(self.acknowledged) + 1;
            self.renumber = !self.met;
        }
        self.latch = Some(latch.clone());
        Change::Latched(latch)
    }

    /// An operator has seen to everything that is known here.
    pub(crate) fn acknowledge(&mut self) -> Option<Change> {
        // A new number, so that the peer hears of it even if its latch has none that we know.
        self.number = self.number.max(self.acknowledged) + 1;
        self.acknowledged = self.number;
        self.unsure = false;
        self.latch.take().map(|_| Change::Unlatched)
    }

    /// What the calendar says now, so that the next life knows when something ends.
    pub(crate) const fn set_calendar(&mut self, now: Instant, calendar: u64) {
        self.calendar = Some((now, calendar));
    }

    /// A moment as seconds since 1970.
    pub(crate) fn in_calendar(&self, at: Instant) -> Option<u64> {
        let (then, calendar) = self.calendar?;
        Some(calendar.saturating_add(at.since(then).as_secs()))
    }

    pub(crate) fn maintain(&mut self, now: Instant, span: Option<Duration>, node: Name) -> Change {
        self.maintenance_number += 1;
        let until = span.map(|span| now + span);
        let calendar = until.and_then(|until| self.in_calendar(until));
        self.maintenance = Some(Maintenance { until, calendar, node: node.clone() });
        Change::MaintenanceBegun(span, node)
    }

    pub(crate) fn end_maintenance(&mut self) -> Option<Change> {
        self.maintenance.take()?;
        self.maintenance_number += 1;
        Some(Change::MaintenanceEnded { expired: false })
    }

    /// Maintenance whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Change> {
        self.maintenance.take_if(|maintenance| maintenance.until.is_some_and(|until| until <= now))?;
        // The other node's ends by itself as well; the number says nothing new.
        Some(Change::MaintenanceEnded { expired: true })
    }

    /// What the peer says, where it is newer.
    pub(crate) fn adopt(&mut self, now: Instant, theirs: &Statement, mut tell: impl FnMut(Change)) {
        if !core::mem::replace(&mut self.met, true) {
            if core::mem::take(&mut self.renumber) && self.latch.is_some() {
                self.number = self.number.max(theirs.latch_number).max(theirs.acknowledged) + 1;
            }
            if self.unsure {
                // What it acknowledged before says nothing of what we have lost.
                self.acknowledged = self.acknowledged.max(theirs.acknowledged);
            }
        }
        if theirs.acknowledged > self.acknowledged {
            self.acknowledged = theirs.acknowledged;
            if self.latch.is_some() && !self.unsure && self.number == self.acknowledged {
                // This latch was not known there yet when the operator asked: whoever sees to one counts beyond it. It is the
                // newer one, and the peer shall take it for that.
                self.number += 1;
            } else if self.number <= self.acknowledged && self.latch.take().is_some() {
                self.unsure = false;
                tell(Change::Unlatched);
            } else {
                tell(Change::Forgiven);
            }
        }
        if self.unsure && theirs.latch.is_none() {
            // It remembers what we have lost.
            self.unsure = false;
            self.latch = None;
            tell(Change::Unlatched);
        }
        if let Some(latch) = &theirs.latch
            && theirs.latch_number > self.number.max(self.acknowledged)
        {
            let latch = LatchRecord { service: latch.service.clone(), reason: latch.reason, node: latch.node.clone() };
            let news = self.latch.as_ref() != Some(&latch);
            self.unsure = false;
            self.latch = Some(latch.clone());
            if news {
                tell(Change::Latched(latch));
            }
        }
        self.number = self.number.max(theirs.latch_number);
        if theirs.maintenance_number > self.maintenance_number {
            self.maintenance_number = theirs.maintenance_number;
            match &theirs.maintenance {
                Some(maintenance) => {
                    let until = maintenance.remaining.map(|remaining| now + remaining);
                    let calendar = until.and_then(|until| self.in_calendar(until));
                    self.maintenance = Some(Maintenance { until, calendar, node: maintenance.node.clone() });
                    tell(Change::MaintenanceBegun(maintenance.remaining, maintenance.node.clone()));
                }
                None => {
                    if self.maintenance.take().is_some() {
                        tell(Change::MaintenanceEnded { expired: false });
                    }
                }
            }
        }
    }

    /// Fills in what is published.
    pub(crate) fn state(&self, now: Instant, statement: &mut Statement) {
        statement.latch = self.latch.as_ref().map(|latch| LatchStatement {
            service: latch.service.clone(),
            reason: latch.reason,
            node: latch.node.clone(),
        });
        statement.latch_number = self.number;
        statement.acknowledged = self.acknowledged;
        statement.maintenance_number = self.maintenance_number;
        statement.maintenance = self.maintenance.as_ref().map(|maintenance| MaintenanceStatement {
            remaining: maintenance.until.map(|until| until.since(now)),
            node: maintenance.node.clone(),
        });
    }

    /// What a former life remembered.
    pub(crate) fn restore(&mut self, now: Instant, record: &Record, calendar: u64, node: &Name) {
        self.calendar = Some((now, calendar));
        self.number = record.latch_number;
        self.acknowledged = record.acknowledged;
        self.maintenance_number = record.maintenance_number;
        self.latch = record.latch.clone();
        self.unsure = record.latch.as_ref().is_some_and(|latch| latch.reason == LatchReason::RecordDamaged);
        if let Some(MaintenanceRecord { until }) = record.maintenance
            && until.is_none_or(|until| until > calendar)
        {
            let span = until.map(|until| Duration::from_secs(until.saturating_sub(calendar)));
            self.maintenance_number = self.maintenance_number.max(1);
            self.maintenance =
                Some(Maintenance { until: span.map(|span| now + span), calendar: until, node: node.clone() });
        }
    }

    /// Fills in what the next life shall remember.
    pub(crate) fn remember(&self, record: &mut Record) {
        record.latch_number = self.number;
        record.acknowledged = self.acknowledged;
        record.latch = self.latch.clone();
        record.maintenance_number = self.maintenance_number;
        record.maintenance =
            self.maintenance.as_ref().map(|maintenance| MaintenanceRecord { until: maintenance.calendar });
    }
}
