//! What others do in the kernel of a node: to its addresses, its interface, its event sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use linux::netlink::{AddressOperation, Netlink, WantedAddress};

use super::Scene;
use crate::failure::{Failure, Result};
use crate::footprint::lost_messages;
use crate::ground::{ADDRESS_ON_LINK, INTERFACE};

/// As many addresses at a time: their events fill the daemon's socket.
const BATCH: usize = 500;
pub(super) fn netlink_flood(scene: &mut Scene<'_>) -> Result<()> {
    let until = Instant::now() + scene.span / 2;
    while Instant::now() < until {
        come_and_go(scene, BATCH)?;
        scene.ground.pass(Duration::from_millis(10))?;
    }
    let pid = scene.ground.nodes[scene.node].program().pid();
    let before = lost_messages(pid);
    for _ in 0..2 {
        let had = lost_messages(pid);
        scene.stop();
        let began = Instant::now();
        let mut flooded = come_and_go(scene, BATCH);
        // Not for much longer than an interval, however slow this machine is.
        while flooded.is_ok() && lost_messages(pid) == had && began.elapsed() < scene.ground.plan.interval() {
            flooded = come_and_go(scene, BATCH);
        }
        let deleted = take_away(scene);
        scene.go_on();
        scene.stood = scene.stood.max(began.elapsed().saturating_sub(scene.ground.plan.interval()));
        flooded.and(deleted)?;
        scene.ground.pass(scene.span / 4)?;
    }
    if scene.ground.nodes[scene.node].program().pid() == pid && lost_messages(pid) == before {
        return Err(Failure::new("the daemon had room for all events: this was no overrun"));
    }
    Ok(())
}

/// So many addresses on the loopback, and none of them any more.
fn come_and_go(scene: &Scene<'_>, count: usize) -> Result<()> {
    let done = scene.host().run(move || -> linux::Result<usize> {
        let mut netlink = Netlink::open()?;
        let Some(link) = netlink.link_by_name("lo")?.map(|link| link.index) else { return Ok(0) };
        let address = |n: usize| IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + n as u32));
        let add = |n| AddressOperation::Add(WantedAddress::new(link, address(n), 32));
        let remove = |n| AddressOperation::Remove { link, address: address(n), prefix: 32, peer: None };
        let operations: Vec<AddressOperation> = (0..count).map(add).chain((0..count).map(remove)).collect();
        Ok(netlink.apply(&operations).iter().filter(|result| result.is_ok()).count())
    })??;
    if done == 2 * count {
        Ok(())
    } else {
        Err(Failure::new(format!("only {done} of {} addresses changed", 2 * count)))
    }
}

/// Deletes the virtual address, if it is here.
fn take_away(scene: &Scene<'_>) -> Result<()> {
    if scene.host().has_address(crate::ground::ADDRESS.into()) {
        // It may have gone between the question and the deed.
        let _ = scene.host().remove_address(INTERFACE, ADDRESS_ON_LINK);
    }
    Ok(())
}

pub(super) fn interface(scene: &mut Scene<'_>) -> Result<()> {
    for round in 0..5 {
        let (gone, there) = (scene.dice.span(scene.span / 5), scene.dice.span(scene.span / 5));
        scene.host().delete_interface(INTERFACE)?;
        scene.ground.pass(gone)?;
        scene.host().create_interface(INTERFACE)?;
        if round < 4 {
            scene.ground.pass(there)?;
        }
    }
    Ok(())
}

pub(super) fn delete_address(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.pass(scene.dice.span(scene.ground.plan.interval()))?;
    take_away(scene)
}

pub(super) fn delete_often(scene: &mut Scene<'_>) -> Result<()> {
    let until = Instant::now() + scene.span;
    while Instant::now() < until {
        take_away(scene)?;
        scene.ground.pass(Duration::from_millis(100))?;
    }
    Ok(())
}
