//! What the lab saw, as the times that are measured. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rehearse::lab::{Moment, Record, Seen};

use crate::failure::{Failure, Result};
use crate::plan::{Plan, Router, is_virtual};

/// When each virtual router of a host advertised last.
pub(crate) fn last_advertisements(records: &[Record], host: &str) -> BTreeMap<Router, Moment> {
    advertisements(records, host).collect()
}

/// When a host had each virtual address for the first time. The watch of the kernel writes down when it *reads* the
/// event; an announcement, which only follows the address, carries the kernel's own stamp. Neither can come before the
/// address, so the earlier one is the better.
pub(crate) fn arrivals(records: &[Record], host: &str) -> BTreeMap<IpAddr, Moment> {
    let mut arrivals = BTreeMap::new();
    for record in records.iter().filter(|record| &*record.host == host) {
        let address = match record.what {
            Seen::AddressAdded { address, .. } => address,
            Seen::GratuitousArp { address, .. } => address.into(),
            _ => continue,
        };
        if is_virtual(address) {
            arrivals.entry(address).and_modify(|at: &mut Moment| *at = (*at).min(record.at)).or_insert(record.at);
        }
    }
    arrivals
}

/// When a host announced each virtual address for the first time.
fn announcements(records: &[Record], host: &str) -> BTreeMap<IpAddr, Moment> {
    let mut announced = BTreeMap::new();
    for record in records.iter().filter(|record| &*record.host == host) {
        if let Seen::GratuitousArp { address, .. } = record.what {
            announced
                .entry(address.into())
                .and_modify(|at: &mut Moment| *at = (*at).min(record.at))
                .or_insert(record.at);
        }
    }
    announced
}

/// How a failover of all virtual routers went, in milliseconds. The RFC limit of a virtual router is counted from the
/// last advertisement of the host that fell silent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Failover {
    /// How late the latest virtual router had all its addresses, after its own limit.
    pub(crate) latest: f64,
    /// From the first limit of all to the last address of all.
    pub(crate) complete: f64,
    /// From the first limit of all until every address had been announced once.
    pub(crate) announced: f64,
}

/// What came of it after `from` fell silent and `to` took over, since the given moment.
pub(crate) fn failover(
    records: &[Record],
    plan: &Plan,
    from: &str,
    to: &str,
    since: Moment,
    limit: Duration,
) -> Result<Failover> {
    let last = last_advertisements(records, from);
    let after: Vec<Record> = records.iter().filter(|record| record.at >= since).cloned().collect();
    let (arrived, announced) = (arrivals(&after, to), announcements(&after, to));
    let first = last.values().min().ok_or_else(|| Failure::new(format!("{from} never advertised")))?;
    let mut failover = Failover { latest: f64::MIN, complete: f64::MIN, announced: f64::MIN };
    for router in plan.routers() {
        let own = last.get(&router).ok_or_else(|| Failure::new(format!("{from} never advertised {router}")))?;
        for address in plan.addresses(router) {
            let missing = |what| move || Failure::new(format!("{to} never {what} {address}"));
            let there = arrived.get(&address).ok_or_else(missing("had"))?;
            let told = announced.get(&address).ok_or_else(missing("announced"))?;
            failover.latest = failover.latest.max(there.millis_after(*own + limit));
            failover.complete = failover.complete.max(there.millis_after(*first + limit));
            failover.announced = failover.announced.max(told.millis_after(*first + limit));
        }
    }
    Ok(failover)
}

/// The longest silence of any virtual router of a host between two moments. A silence that began before counts whole,
/// one that goes on counts up to the end.
pub(crate) fn longest_gap(records: &[Record], host: &str, from: Moment, until: Moment) -> Duration {
    let mut previous: BTreeMap<Router, Moment> = BTreeMap::new();
    let mut longest = Duration::ZERO;
    for (router, at) in advertisements(records, host).filter(|(_, at)| *at <= until) {
        if let (Some(before), true) = (previous.insert(router, at), at >= from) {
            longest = longest.max(at.since(before));
        }
    }
    previous.into_values().map(|last| until.since(last)).fold(longest, Duration::max)
}

/// How many advertisements a host sent between two moments.
pub(crate) fn count_advertisements(records: &[Record], host: &str, from: Moment, until: Moment) -> usize {
    advertisements(records, host).filter(|(_, at)| (from..until).contains(at)).count()
}

/// From the first address of a host to its last, of those that came since then.
pub(crate) fn spread(records: &[Record], host: &str) -> Duration {
    let arrivals = arrivals(records, host);
    let (first, last) = (arrivals.values().min(), arrivals.values().max());
    first.zip(last).map_or(Duration::ZERO, |(first, last)| last.since(*first))
}

fn advertisements<'r>(records: &'r [Record], host: &'r str) -> impl Iterator<Item = (Router, Moment)> + 'r {
    records.iter().filter(move |record| &*record.host == host).filter_map(|record| match &record.what {
        Seen::Advertisement(sent) => Some((Router::who_sends(sent.source, sent.vrid), record.at)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use rehearse::lab::frame::{Advertisement, Mac};

    use super::*;
    use crate::plan::{Pace, Transport};

    fn at(milliseconds: u64) -> Moment {
        Moment::from_nanos(milliseconds * 1_000_000)
    }

    fn record(milliseconds: u64, host: &str, what: Seen) -> Record {
        Record { at: at(milliseconds), host: host.into(), what }
    }

    fn advertises(milliseconds: u64, host: &str, vrid: u8) -> Record {
        let advertisement = Advertisement {
            source: Ipv4Addr::LOCALHOST.into(),
            destination: Ipv4Addr::LOCALHOST.into(),
            version: 3,
            vrid,
            priority: 100,
            interval: Duration::from_millis(100),
            addresses: Vec::new(),
            packet: Vec::new(),
        };
        record(milliseconds, host, Seen::Advertisement(advertisement))
    }

    fn has(milliseconds: u64, host: &str, address: [u8; 4]) -> Record {
        let added = Seen::AddressAdded { interface: "eth0".into(), address: address.into(), prefix: 32 };
        record(milliseconds, host, added)
    }

    fn announces(milliseconds: u64, host: &str, address: [u8; 4]) -> Record {
        record(milliseconds, host, Seen::GratuitousArp { address: address.into(), mac: Mac([2; 6]) })
    }

    fn plan(instances_each: u8, addresses_each: u8) -> Plan {
        Plan { instances_each, addresses_each, ..Plan::one(Pace::V3Tenth, Transport::Multicast) }
    }

    #[test]
    fn an_address_has_arrived_when_it_was_first_seen() {
        let records = [
            has(5, "b", [192, 0, 2, 2]),
            announces(10, "b", [10, 1, 0, 1]),
            has(11, "b", [10, 1, 0, 1]),
            has(12, "b", [10, 1, 0, 2]),
            announces(13, "b", [10, 1, 0, 2]),
            has(1, "a", [10, 1, 0, 2]),
        ];
        let expected = [(IpAddr::from([10, 1, 0, 1]), at(10)), (IpAddr::from([10, 1, 0, 2]), at(12))];
        assert_eq!(arrivals(&records, "b"), BTreeMap::from(expected));
        assert_eq!(spread(&records, "b"), Duration::from_millis(2));
    }

    #[test]
    fn a_failover_counts_from_the_last_advertisements() {
        let records = [
            has(0, "b", [10, 2, 0, 2]), // before the crash: it had that once
            advertises(100, "a", 1),
            advertises(150, "a", 2),
            advertises(200, "a", 1),
            has(511, "b", [10, 2, 0, 1]),
            has(512, "b", [10, 2, 0, 2]),
            has(562, "b", [10, 1, 0, 1]),
            has(564, "b", [10, 1, 0, 2]),
            announces(566, "b", [10, 2, 0, 1]),
            announces(567, "b", [10, 2, 0, 2]),
            announces(568, "b", [10, 1, 0, 1]),
            announces(569, "b", [10, 1, 0, 2]),
            announces(580, "b", [10, 1, 0, 2]),
        ];
        let limit = Duration::from_millis(361);
        let failover = failover(&records, &plan(2, 2), "a", "b", at(201), limit);
        assert_eq!(failover, Ok(Failover { latest: 3.0, complete: 53.0, announced: 58.0 }));
    }

    #[test]
    fn an_address_that_never_came_is_a_failure() {
        let records = [advertises(100, "a", 1), has(500, "b", [10, 1, 0, 1]), announces(500, "b", [10, 1, 0, 1])];
        let limit = Duration::from_millis(361);
        let failure = failover(&records, &plan(1, 2), "a", "b", at(100), limit);
        assert_eq!(failure, Err(Failure::new("b never had 10.1.0.2")));
    }

    #[test]
    fn gaps_are_those_of_one_router() {
        let mut records: Vec<Record> = (0..10).map(|n| advertises(n * 100, "a", 1)).collect();
        records.extend((0..10).map(|n| advertises(n * 100 + 50, "a", 2)));
        records.extend([advertises(420, "b", 1)]);
        records.sort_by_key(|record| record.at);
        let gap = |records: &[Record], from, until| longest_gap(records, "a", at(from), at(until)).as_millis();
        assert_eq!(gap(&records, 0, 950), 100);
        records.retain(|record| record.at != at(400));
        assert_eq!(gap(&records, 0, 950), 200, "one is missing");
        assert_eq!(gap(&records, 350, 950), 200, "the silence began before");
        assert_eq!(gap(&records, 550, 950), 100, "it was over before");
        assert_eq!(gap(&records, 550, 1200), 300, "it goes on");
        assert_eq!(count_advertisements(&records, "a", at(0), at(500)), 9);
    }
}
