//! Who held an address when, by the word of the hosts' kernels. Pure.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Moment;
use super::journal::{Record, Seen};

/// A time in which a host had an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    pub by: Arc<str>,
    pub from: Moment,
    /// `None` while it lasts.
    pub until: Option<Moment>,
}

/// The holdings of one address, in the order of their beginnings. `records` are those of the whole life of the lab.
#[must_use]
pub fn holdings(records: &[Record], address: IpAddr) -> Vec<Holding> {
    let mut holdings: Vec<Holding> = Vec::new();
    for Record { at, host, what } in records {
        let open = holdings.iter().rposition(|holding| holding.by == *host && holding.until.is_none());
        match (what, open) {
            (Seen::AddressAdded { address: added, .. }, None) if *added == address => {
                holdings.push(Holding { by: host.clone(), from: *at, until: None });
            }
            (Seen::AddressRemoved { address: removed, .. }, Some(open)) if *removed == address => {
                holdings[open].until = Some(*at);
            }
            (Seen::PoweredOff, Some(open)) => holdings[open].until = Some(*at),
            _ => {}
        }
    }
    holdings
}

/// How long, between two moments, more than one host had the address.
#[must_use]
pub fn held_by_several(holdings: &[Holding], from: Moment, until: Moment) -> Duration {
    let clip = |moment: Moment| moment.clamp(from, until);
    let mut edges: Vec<(Moment, i32)> = Vec::new();
    for holding in holdings {
        edges.push((clip(holding.from), 1));
        edges.push((clip(holding.until.unwrap_or(until)), -1));
    }
    // An end and a beginning at the same moment are no overlap.
    edges.sort();
    let mut together = Duration::ZERO;
    let (mut holders, mut since) = (0, from);
    for (at, step) in edges {
        if holders > 1 {
            together += at.since(since);
        }
        holders += step;
        since = at;
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 100));

    fn ms(ms: u64) -> Moment {
        Moment::from_nanos(ms * 1_000_000)
    }

    fn record(at: u64, host: &str, what: Seen) -> Record {
        Record { at: ms(at), host: host.into(), what }
    }

    fn added() -> Seen {
        Seen::AddressAdded { interface: "eth0".into(), address: ADDRESS, prefix: 24 }
    }

    fn removed() -> Seen {
        Seen::AddressRemoved { interface: "eth0".into(), address: ADDRESS, prefix: 24 }
    }

    #[test]
    fn power_loss_ends_a_holding() {
        let records = [
            record(10, "a", added()),
            record(20, "a", Seen::PoweredOff),
            record(23, "b", added()),
            record(30, "a", Seen::PoweredOn),
            record(40, "a", added()),
            record(41, "b", removed()),
        ];
        let holdings = holdings(&records, ADDRESS);
        let holding =
            |by: &str, from, until: Option<u64>| Holding { by: by.into(), from: ms(from), until: until.map(ms) };
        assert_eq!(holdings, [holding("a", 10, Some(20)), holding("b", 23, Some(41)), holding("a", 40, None)]);
        assert_eq!(held_by_several(&holdings, ms(0), ms(100)), Duration::from_millis(1));
    }

    #[test]
    fn an_overlap_is_cut_to_the_time_asked_for() {
        let holding =
            |by: &str, from, until: Option<u64>| Holding { by: by.into(), from: ms(from), until: until.map(ms) };
        let holdings = [holding("a", 0, None), holding("b", 50, None)];
        assert_eq!(held_by_several(&holdings, ms(0), ms(100)), Duration::from_millis(50));
        assert_eq!(held_by_several(&holdings, ms(0), ms(40)), Duration::ZERO);
        assert_eq!(held_by_several(&holdings, ms(60), ms(100)), Duration::from_millis(40));
        let touching = [holding("a", 0, Some(50)), holding("b", 50, None)];
        assert_eq!(held_by_several(&touching, ms(0), ms(100)), Duration::ZERO);
    }
}
