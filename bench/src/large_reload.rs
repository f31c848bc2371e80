//! A reload of a large configuration: how soon it is in force.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::thread::sleep;
use std::time::Duration;

use linux::signals::Signal;
use rehearse::lab::{Daemon, HostPlan, Lab, Moment, PATIENCE, Seen};

use crate::bench::{Bench, Group};
use crate::failure::{Failure, Result};
use crate::row::{Row, Target, Unit};
use crate::statistics::{largest, milliseconds};

pub(crate) const GROUP: Group = Group {
    title: "Large reload: 1000 instances, v2 1 s",
    explanation: "The Active daemon, 250 instances on each of four interfaces, gets SIGHUP with a file in which the last \
        instance has one more address, and then with one in which it has one less: from the signal until the kernel has, \
        or has no longer, this address. The longest of all repetitions.",
    measure,
};

const INTERFACES: u8 = 4;
const EACH: u8 = 250;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let spans = bench.in_turn(3, run)?;
    let worst = |kind: usize| spans.map(|all| largest(&all.iter().map(|each| each[kind]).collect::<Vec<f64>>()));
    Ok(vec![
        Row::new("one address more: until it is there", Unit::Milliseconds, worst(0), Target::AtMost(100.0)),
        Row::new("one address less: until it is gone", Unit::Milliseconds, worst(1), Target::AtMost(100.0)),
    ])
}

/// The address that comes and goes.
const CHANGING: [u8; 4] = [10, 200, 0, 1];

fn run(daemon: &Daemon, _: usize) -> Result<[f64; 2]> {
    let lab = Lab::new("bench")?;
    let plan = (0..INTERFACES).fold(HostPlan::new("a"), |plan, number| {
        plan.interface(&format!("eth{number}"), &[&format!("198.51.{number}.1/24")])
    });
    let host = lab.add_host(&plan)?;
    let file = host.write_file("bench.conf", &configuration(false))?;
    let started = Moment::now();
    let program = host.start_daemon_with(daemon, &file)?;
    let mut missing = usize::from(INTERFACES) * usize::from(EACH);
    let all = lab.journal().wait_for(started, PATIENCE, |record| {
        missing -= usize::from(
            matches!(record.what, Seen::AddressAdded { address: IpAddr::V4(own), .. } if own.octets()[0] == 10),
        );
        missing == 0
    });
    if all.is_none() {
        return Err(Failure::new(format!("{missing} addresses of {} never came", daemon.name)));
    }
    // Its announcements, and the second burst of them, are over.
    sleep(Duration::from_secs(8));
    let mut spans = [0.0; 2];
    for (span, longer) in spans.iter_mut().zip([true, false]) {
        host.write_file("bench.conf", &configuration(longer))?;
        let told = Moment::now();
        program.signal(Signal::HANGUP)?;
        let found = lab.journal().wait_for(told, PATIENCE, |record| match record.what {
            Seen::AddressAdded { address, .. } => longer && address == IpAddr::from(CHANGING),
            Seen::AddressRemoved { address, .. } => !longer && address == IpAddr::from(CHANGING),
            _ => false,
        });
        let Some(found) = found else {
            return Err(Failure::new(format!("{} never followed its new configuration", daemon.name)));
        };
        *span = milliseconds(found.at.since(told));
        sleep(Duration::from_secs(2));
    }
    Ok(spans)
}

fn configuration(longer: bool) -> String {
    let mut text = String::from("global_defs {\n    router_id bench\n}\n\n");
    for interface in 0..INTERFACES {
        for vrid in 1..=EACH {
            let last = interface == INTERFACES - 1 && vrid == EACH;
            let more = if last && longer { format!("        {}/32\n", IpAddr::from(CHANGING)) } else { String::new() };
            let _ = write!(
                text,
                "vrrp_instance V{interface}_{vrid} {{\n    state MASTER\n    interface eth{interface}\n    \
                 virtual_router_id {vrid}\n    priority 150\n    virtual_ipaddress {{\n        10.{interface}.{vrid}.1/32\n\
                 {more}    }}\n}}\n\n"
            );
        }
    }
    text
}
