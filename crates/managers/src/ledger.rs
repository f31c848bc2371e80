//! Which orders a manager has taken: whoever is about to end waits for the last ones, and names those that are not.
//!
//! Only the loop's end keeps the list, and the thread's end sends it receipts: neither waits for the other.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use engine::{Name, ServiceOrder};

/// An order that its manager has not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Which service it was for.
    pub service: Name,
    /// What it was.
    pub order: ServiceOrder,
    /// Whom it has not reached.
    pub manager: &'static str,
}

impl std::fmt::Display for Undelivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = match self.order {
            ServiceOrder::Start => "start",
            ServiceOrder::Stop => "stop",
            ServiceOrder::Kill => "kill",
            ServiceOrder::Watch | ServiceOrder::AssessReadiness | ServiceOrder::Forget => "look at",
        };
        write!(f, "({}) {} has not taken the order to {verb} it", self.service, self.manager)
    }
}

/// Stands for one order. A later one has a greater number.
pub(crate) type Number = u64;

/// The loop's end.
#[derive(Debug)]
pub(crate) struct Ledger {
    manager: &'static str,
    last: Cell<Number>,
    open: RefCell<BTreeMap<Name, (Number, ServiceOrder)>>,
    receipts: Receiver<Receipt>,
}

/// The thread's end.
#[derive(Debug)]
pub(crate) struct Receipts {
    sender: Sender<Receipt>,
    /// The last order for each service whose receipt has not been sent.
    owed: BTreeMap<Name, Number>,
}

#[derive(Debug)]
struct Receipt {
    service: Name,
    number: Number,
}

pub(crate) fn ledger(manager: &'static str) -> (Ledger, Receipts) {
    let (sender, receipts) = channel();
    let ledger = Ledger { manager, last: Cell::new(0), open: RefCell::default(), receipts };
    (ledger, Receipts { sender, owed: BTreeMap::new() })
}

impl Ledger {
    /// Writes down an order that is about to be given. An earlier one for the same service matters no more.
    pub(crate) fn enter(&self, service: &Name, order: ServiceOrder) -> Number {
        self.collect();
        let number = self.last.get() + 1;
        self.last.set(number);
        match order {
            ServiceOrder::Start | ServiceOrder::Stop | ServiceOrder::Kill => {
                self.open.borrow_mut().insert(service.clone(), (number, order));
            }
            ServiceOrder::Forget => drop(self.open.borrow_mut().remove(service)),
            // What is only asked is of no use to somebody who ends.
            ServiceOrder::Watch | ServiceOrder::AssessReadiness => {}
        }
        number
    }

    /// Waits until every order is taken, but no longer than this. Those that are not.
    pub(crate) fn wait(&self, within: Duration) -> Vec<Undelivered> {
        let began = Instant::now();
        self.collect();
        while !self.open.borrow().is_empty() {
            let left = within.saturating_sub(began.elapsed());
            match self.receipts.recv_timeout(left) {
                Ok(receipt) => self.strike(&receipt),
                // It is too late, or the thread has ended.
                Err(_) => break,
            }
        }
        let undelivered = |(service, &(_, order)): (&Name, &_)| Undelivered {
            service: service.clone(),
            order,
            manager: self.manager,
        };
        self.open.borrow().iter().map(undelivered).collect()
    }

    fn collect(&self) {
        for receipt in self.receipts.try_iter() {
            self.strike(&receipt);
        }
    }

    fn strike(&self, Receipt { service, number }: &Receipt) {
        let mut open = self.open.borrow_mut();
        if open.get(service).is_some_and(|(entered, _)| entered <= number) {
            open.remove(service);
        }
    }
}

impl Receipts {
    /// An order has come in.
    pub(crate) fn owe(&mut self, service: &Name, number: Number) {
        self.owed.insert(service.clone(), number);
    }

    /// Sends those that are owed, but for the services of which an order still waits to be taken.
    pub(crate) fn send(&mut self, waits: impl Fn(&Name) -> bool) {
        let Self { sender, owed } = self;
        owed.retain(|service, &mut number| {
            let waits = waits(service);
            if !waits {
                // Without anybody to hear it nothing happens.
                let _ = sender.send(Receipt { service: service.clone(), number });
            }
            waits
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is open of the orders of a service `a` and a service `b` after these receipts.
    fn left(ledger: &Ledger, within: Duration) -> Vec<String> {
        ledger.wait(within).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_what_is_open_and_waits_for_nothing_else() {
        let (ledger, mut receipts) = ledger("systemd");
        let (a, b) = (Name::from("a"), Name::from("b"));
        ledger.enter(&a, ServiceOrder::Watch);
        assert_eq!(left(&ledger, Duration::MAX), [""; 0], "nothing was ordered");
        let start = ledger.enter(&a, ServiceOrder::Start);
        let stop = ledger.enter(&a, ServiceOrder::Stop);
        let kill = ledger.enter(&b, ServiceOrder::Kill);
        receipts.owe(&a, start);
        receipts.send(|_| false);
        let both = ["(a) systemd has not taken the order to stop it", "(b) systemd has not taken the order to kill it"];
        assert_eq!(left(&ledger, Duration::ZERO), both, "a receipt for the start says nothing of the stop");
        receipts.owe(&a, stop);
        receipts.owe(&b, kill);
        receipts.send(|service| *service == b);
        assert_eq!(left(&ledger, Duration::from_millis(20)), both[1..]);
        ledger.enter(&b, ServiceOrder::Forget);
        assert_eq!(left(&ledger, Duration::MAX), [""; 0]);
    }

    #[test]
    fn waits_for_the_last_receipt_and_not_for_a_thread_that_has_ended() {
        let (ledger, mut receipts) = ledger("docker");
        let a = Name::from("a");
        let first = ledger.enter(&a, ServiceOrder::Start);
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            receipts.owe(&Name::from("a"), first);
            receipts.send(|_| false);
        });
        assert_eq!(left(&ledger, Duration::from_secs(3600)), [""; 0]);
        thread.join().expect("no panic");
        ledger.enter(&a, ServiceOrder::Stop);
        assert_eq!(
            left(&ledger, Duration::from_secs(3600)),
            ["(a) docker has not taken the order to stop it"],
            "nobody is there any more who could take it"
        );
    }
}
