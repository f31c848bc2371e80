//! What the network does: floods from a stranger, losses, a cut.
//!
//! Losses need nothing of the kernel but a switch port that can be told to keep multicast to itself: it is told so for
//! short times, and an advertisement that comes then is lost.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use linux::netlink::Netlink;
use linux::send_batch::SendBatch;
use linux::vrrp_socket::SendSocket;
use rehearse::lab::Moment;

use super::{Flood, Scene};
use crate::audit::Deaf;
use crate::dice::Dice;
use crate::failure::{Failure, Result};
use crate::footprint::lost_packets;
use crate::ground::{ADDRESS, INTERFACE, VRID};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// How often a flood's packets are sent, so many at a time.
const BEAT: Duration = Duration::from_millis(5);

pub(super) fn rubbish(scene: &mut Scene<'_>) -> Result<()> {
    let packets = (0..256).map(|_| broken(scene.dice)).collect();
    flood(scene, packets)
}

pub(super) fn strangers(scene: &mut Scene<'_>) -> Result<()> {
    let stranger = |dice: &mut Dice| {
        let vrid = 1 + dice.below(255) as u8;
        let vrid = if vrid == VRID { VRID + 1 } else { vrid };
        let source = Ipv4Addr::new(192, 0, 2, 10 + dice.below(80) as u8);
        packet(255, source, &advertisement(source, vrid, dice.below(256) as u8))
    };
    let packets = (0..256).map(|_| stranger(scene.dice)).collect();
    flood(scene, packets)
}

/// Nothing in it may be taken for an advertisement of our router, whatever it looks like.
fn broken(dice: &mut Dice) -> Vec<u8> {
    let source = Ipv4Addr::new(192, 0, 2, 1 + dice.below(90) as u8);
    let mut message = advertisement(source, VRID, 255);
    match dice.below(6) {
        0 => {
            let length = dice.below(200);
            message = (0..length).map(|_| dice.number() as u8).collect();
            // A version that no router speaks, so that chance makes no good packet.
            message.iter_mut().take(1).for_each(|first| *first |= 0x80);
        }
        // The checksum.
        1 => message[6] = message[6].wrapping_add(1),
        // It says that it has more addresses than it has.
        2 => message[3] = 200,
        3 => message.truncate(7),
        4 => message[0] = 0x71,
        // Came through a router (RFC 9568 §5.1.1.3).
        _ => return packet(dice.below(255) as u8, source, &message),
    }
    packet(255, source, &message)
}

/// RFC 9568 §5.2, version 3, with the pseudo header that keepalived's form sums over IPv4, too.
fn advertisement(source: Ipv4Addr, vrid: u8, priority: u8) -> Vec<u8> {
    let mut message = vec![0x31, vrid, priority, 1, 0, 100, 0, 0];
    message.extend(ADDRESS.octets());
    let mut summed: Vec<u8> = [source.octets(), GROUP.octets(), [0, 112, 0, 12]].concat();
    summed.extend(&message);
    // RFC 1071.
    let sum: u32 = summed.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    message[6..8].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// The kernel fills in the header's length, identification and checksum (raw(7)).
fn packet(hops: u8, source: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0xc0, 0, 0, 0, 0, 0, 0, hops, 112, 0, 0];
    packet.extend(source.octets());
    packet.extend(GROUP.octets());
    packet.extend(message);
    packet
}

/// From the client, whom nobody knows, to everybody.
fn flood(scene: &mut Scene<'_>, packets: Vec<Vec<u8>>) -> Result<()> {
    let socket = scene.ground.lab.client().run(|| -> linux::Result<Option<SendSocket>> {
        let link = Netlink::open()?.link_by_name(INTERFACE)?;
        link.map(|link| SendSocket::on_link(link.index)).transpose()
    })?;
    let socket = socket.ok_or_else(|| Failure::new("the client has no interface"))?;
    let leave = Arc::new(AtomicBool::new(false));
    let pid = scene.ground.nodes[scene.node].program().pid();
    let (had_lost, began) = (lost_packets(pid), Instant::now());
    let sender = spawn_sender(socket, packets, scene.flood, leave.clone());
    let passed = scene.ground.pass(scene.span);
    leave.store(true, Ordering::Release);
    let sent = sender.join().map_err(|_| Failure::new("the flood broke off"))?;
    let per_second = (sent as f64 / began.elapsed().as_secs_f64()) as u64;
    // Another daemon, if that one has ended, has other sockets.
    scene.flooded = Some(Flood { per_second, lost: lost_packets(pid).saturating_sub(had_lost) });
    passed?;
    scene.ground.lab.note(scene.host().name(), &format!("{sent} packets were sent"));
    if sent == 0 { Err(Failure::new("nothing of the flood was sent")) } else { Ok(()) }
}

fn spawn_sender(socket: SendSocket, packets: Vec<Vec<u8>>, rate: u32, leave: Arc<AtomicBool>) -> JoinHandle<u64> {
    thread::spawn(move || {
        let (mut batch, mut unsent) = (SendBatch::new(), Vec::new());
        let (mut next, mut sent) = (0, 0_u64);
        let began = Instant::now();
        while !leave.load(Ordering::Acquire) {
            // What a late thread did not send is not made up for, or a flood would become a wave.
            let due = (f64::from(rate) * BEAT.as_secs_f64()).ceil() as usize;
            for _ in 0..due {
                batch.push_packet(&packets[next % packets.len()], IpAddr::V4(GROUP));
                next += 1;
            }
            unsent.clear();
            batch.flush(&socket, &mut unsent);
            sent += due.saturating_sub(unsent.len()) as u64;
            let beats = began.elapsed().as_nanos() / BEAT.as_nanos() + 1;
            thread::sleep((BEAT * beats as u32).saturating_sub(began.elapsed()));
        }
        sent
    })
}

pub(super) fn loss(scene: &mut Scene<'_>) -> Result<()> {
    // Shorter than any interval, so that each advertisement meets a slot of its own.
    let slot = (scene.ground.plan.interval() / 3).min(Duration::from_millis(20)).max(Duration::from_millis(5));
    lossy(scene, slot, 100)
}

pub(super) fn bursts(scene: &mut Scene<'_>) -> Result<()> {
    let slot = scene.ground.plan.interval() * 3 / 2;
    lossy(scene, slot, 100)
}

/// From slot to slot it is thrown for each node whether it hears.
fn lossy(scene: &mut Scene<'_>, slot: Duration, per_mille: usize) -> Result<()> {
    let nodes = scene.ground.nodes.len();
    let mut since: Vec<Option<Moment>> = vec![None; nodes];
    let until = Instant::now() + scene.span;
    let mut last = false;
    while !last {
        last = Instant::now() >= until;
        for (number, since) in since.iter_mut().enumerate() {
            let deaf = !last && scene.dice.happens(per_mille);
            match (deaf, *since) {
                (true, None) => *since = Some(Moment::now()),
                (false, Some(_)) => {}
                _ => continue,
            }
            scene.ground.nodes[number].host.set_deaf(deaf)?;
            if let (false, Some(from)) = (deaf, *since) {
                scene.deaf.push(Deaf { host: number, from, until: Moment::now() });
                *since = None;
            }
        }
        scene.ground.pass(slot)?;
    }
    Ok(())
}

pub(super) fn partition(scene: &mut Scene<'_>) -> Result<()> {
    let span = scene.some_time();
    let from = Moment::now();
    let hosts: Vec<_> = scene.ground.nodes.iter().map(|node| node.host.clone()).collect();
    scene.ground.lab.cut(&hosts.iter().collect::<Vec<_>>())?;
    let passed = scene.ground.pass(span);
    scene.ground.lab.heal()?;
    let until = Moment::now();
    scene.deaf.extend((0..hosts.len()).map(|host| Deaf { host, from, until }));
    passed
}
