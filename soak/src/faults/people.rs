//! What people and their programs do: logs that nobody reads, clients that do not listen, scripts, configurations.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::Scene;
use crate::failure::{Failure, Result};
use crate::ground::{DISK, STUBBORN};

pub(super) fn blocked_log(scene: &mut Scene<'_>) -> Result<()> {
    scene.ground.nodes[scene.node].log.block();
    for _ in 0..10 {
        scene.ground.nodes[scene.node].reload()?;
        scene.ground.pass(scene.span / 10)?;
    }
    scene.ground.nodes[scene.node].log.unblock();
    Ok(())
}

/// Asks once and goes without reading the answer. That it is not let in is a result, too.
pub(super) fn ask_for_status(scene: &Scene<'_>) -> Result<()> {
    scene.host().run(|| {
        if let Ok(mut client) = UnixStream::connect(format!("{DISK}/control.sock")) {
            let _ = client.write(STATUS);
        }
    })?;
    Ok(())
}

const STATUS: &[u8] = b"{\"number\":1,\"ask\":\"status\"}\n";
const FOLLOW: &[u8] = b"{\"number\":2,\"ask\":{\"events\":{\"follow\":true}}}\n";

pub(super) fn deaf_clients(scene: &mut Scene<'_>) -> Result<()> {
    let mut clients: Vec<UnixStream> = Vec::new();
    let until = Instant::now() + scene.span;
    let mut were_there = 0;
    while Instant::now() < until {
        // Whoever is thrown out comes again.
        while clients.len() < 8 {
            let connected = scene.host().run(|| UnixStream::connect(format!("{DISK}/control.sock")))?;
            let mut client = connected.map_err(Failure::during("connect to the control socket"))?;
            client.set_nonblocking(true).map_err(Failure::during("set up a client"))?;
            let _ = client.write(FOLLOW);
            clients.push(client);
            were_there += 1;
        }
        clients.retain_mut(|client| {
            loop {
                match client.write(STATUS) {
                    Ok(written) if written == STATUS.len() => {}
                    // What follows would be nonsense to the daemon: another one in its place.
                    Ok(_) => break false,
                    Err(error) => break error.kind() == ErrorKind::WouldBlock,
                }
            }
        });
        scene.ground.pass(Duration::from_millis(20))?;
    }
    if were_there == 0 { Err(Failure::new("no client was ever let in")) } else { Ok(()) }
}

pub(super) fn stubborn_script(scene: &mut Scene<'_>) -> Result<()> {
    scene.host().write_file("stubborn", "")?;
    scene.ground.pass(scene.span.max(Duration::from_secs(4)))?;
    scene.host().remove_file("stubborn")?;
    // The last one has its second, and a second for each signal.
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        scene.ground.pass(Duration::from_millis(200))?;
        // Brackets, so that it does not find itself.
        let (first, rest) = STUBBORN.split_at(1);
        let look = format!("grep -lE '[/]run/rehearse/check|[{first}]{rest}' /proc/[0-9]*/cmdline");
        let left = scene.host().output(&["sh", "-c", &look])?;
        let left = String::from_utf8_lossy(&left.stdout).lines().count();
        if left == 0 {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Failure::new(format!("{left} processes of the stubborn check are left")));
        }
    }
}

pub(super) fn bad_reload(scene: &mut Scene<'_>) -> Result<()> {
    let whole = scene.ground.configuration(scene.node);
    let cut = whole.find("virtual_ipaddress").unwrap_or(whole.len() / 2);
    scene.ground.nodes[scene.node].write_configuration(&whole[..cut])?;
    scene.ground.nodes[scene.node].reload()?;
    scene.ground.pass(scene.span)?;
    scene.ground.nodes[scene.node].write_configuration(&whole)?;
    scene.ground.nodes[scene.node].reload()
}

pub(super) fn reload_storm(scene: &mut Scene<'_>) -> Result<()> {
    for _ in 0..50 {
        scene.ground.nodes[scene.node].reload()?;
        scene.ground.pass(Duration::from_millis(20))?;
    }
    Ok(())
}
