//! What will happen to a service.

use std::net::SocketAddr;
use std::time::Duration;

use engine::{Budget, Failback, OnManualStop, ServiceConfig};

use super::page::{Page, every, list, seconds, times};
use super::{again, checks, command};
use crate::settings::{Instance, Manager, Service, Settings, size_words};

/// A service that no longer answers is not given longer than this to end in order.
const PATIENCE_WITH_THE_HUNG: Duration = Duration::from_secs(2);

pub(super) fn about(settings: &Settings, instance: &Instance, service: &Service, page: &mut Page) {
    let ServiceConfig { name, .. } = &service.service;
    let what = match &service.manager {
        Manager::Systemd { unit } => format!("the systemd unit {unit}"),
        Manager::Docker { container } => format!("the container {container}"),
        Manager::Command { script } => format!("{}, run by Tanist itself", command(&script.command)),
        Manager::Scripts { start, stop, status } => format!(
            "started by {}, stopped by {}, asked for by {}",
            command(&start.command),
            command(&stop.command),
            command(&status.command)
        ),
    };
    page.heading(&format!("{name}: {what}; it runs where {} is Active, and on no other node", instance.router.name));
    coming_up(service, page);
    crash(settings, service, page);
    health(service, page);
    hand_over(settings, service, page);
    going_back(instance, service, page);
    by_hand(service, page);
    dead_daemon(service, page);
    readiness(settings, service, page);
    hooks(service, page);
}

fn coming_up(service: &Service, page: &mut Page) {
    let ServiceConfig { start_timeout, start_grace, checks, .. } = &service.service;
    let grace = if checks.is_empty() {
        String::new()
    } else {
        format!(" Failing checks count from {} after that, or as soon as all were good once.", seconds(*start_grace))
    };
    page.point(&format!(
        "It is started when this node becomes Active, and has {} to come up.{grace}",
        seconds(*start_timeout)
    ));
}

fn crash(settings: &Settings, service: &Service, page: &mut Page) {
    let ServiceConfig { restart, max_moves, .. } = &service.service;
    let noticed = match &service.manager {
        Manager::Scripts { status, .. } => {
            format!("noticed when {} says so", command(&status.command))
        }
        Manager::Systemd { .. } | Manager::Docker { .. } | Manager::Command { .. } => "noticed within 10 ms".to_owned(),
    };
    page.point(&format!("It crashes: {noticed}. {}", ladder(*restart)));
    let other = if settings.pair.is_some() {
        "If it fails on the other node, too, or moves more than"
    } else {
        "If it moves more than"
    };
    page.point(&format!(
        "{other} {} in {}, nothing moves by itself any more: the best that is left stays, both nodes say why, and \
         `tanist ack` ends it.",
        if max_moves.limit == 1 { "once".to_owned() } else { format!("{} times", max_moves.limit) },
        every(max_moves.within)
    ));
}

fn ladder(restart: Budget) -> String {
    if restart.limit == 0 {
        return "It moves to the other node at once.".to_owned();
    }
    format!(
        "It is started again here at once, {} in {}; after that it moves to the other node.",
        times(restart.limit),
        every(restart.within)
    )
}

fn health(service: &Service, page: &mut Page) {
    let ServiceConfig { name, checks, stop_timeout, .. } = &service.service;
    if checks.is_empty() {
        page.point("It hangs: nothing notices. A `check` would.");
        return;
    }
    page.point(&format!(
        "It hangs or answers badly: it gets {} to end, is killed if need be, and then goes on as after a crash. {}:",
        seconds(PATIENCE_WITH_THE_HUNG.min(*stop_timeout)),
        match service.standby_checks[..] {
            [] => format!("Checks run only where {name} runs, so never on the standby"),
            [..] => format!("Checks run where {name} runs; what is asked on standby stands below"),
        }
    ));
    for (check, checking) in service.checks.iter().zip(checks) {
        checks::about_service_check(check, checking, page);
    }
}

fn hand_over(settings: &Settings, service: &Service, page: &mut Page) {
    let ServiceConfig { stop_timeout, start_timeout, .. } = &service.service;
    let order = if settings.pair.is_some() {
        "It moves in order: here it is stopped, and only when its last process is gone does the other node start it"
    } else {
        "When this node resigns, it is stopped first, and the goodbye follows when its last process is gone"
    };
    page.point(&format!(
        "{order}. That takes as long as its stop and its start: at worst {} until it is killed, and {} until it is \
         up. One that cannot be killed is not handed over.",
        seconds(*stop_timeout),
        seconds(*start_timeout)
    ));
}

fn going_back(instance: &Instance, service: &Service, page: &mut Page) {
    let text = match service.service.failback {
        Failback::Auto if instance.router.preempt_mode || instance.router.priority.is_address_owner() => {
            "Once the better node is ready again, it goes back by itself.".to_owned()
        }
        Failback::Auto | Failback::Never => "It stays where it is until that node fails.".to_owned(),
        Failback::Manual => {
            "It goes back to the better node when somebody says `tanist switch`; until then the pair counts as degraded."
                .to_owned()
        }
    };
    page.point(&text);
}

fn by_hand(service: &Service, page: &mut Page) {
    let tells = matches!(service.manager, Manager::Systemd { .. } | Manager::Docker { .. });
    let text = match service.service.on_manual_stop {
        _ if !tells => "A stop by hand looks like a crash. Use `tanist switch` or `tanist maintenance on` before.",
        OnManualStop::Failover => {
            "Somebody stops it by hand: it moves to the other node, and this one stands back until `tanist release`, \
             or until it is started here by hand."
        }
        OnManualStop::Restart => "Somebody stops it by hand: it is started again, which counts for nothing.",
        OnManualStop::Maintenance => {
            "Somebody stops it by hand: nothing happens by itself until `tanist maintenance off`."
        }
    };
    page.point(text);
    if let Some(file) = &service.down_file {
        page.point(&format!(
            "{} appears: it moves to the other node and does not come back while the file exists.",
            file.display()
        ));
    }
}

fn dead_daemon(service: &Service, page: &mut Page) {
    page.point(match service.manager {
        Manager::Command { .. } => "Only the daemon dies: it dies with it.",
        Manager::Systemd { .. } | Manager::Docker { .. } | Manager::Scripts { .. } => {
            "Only the daemon dies: it goes on here until the daemon is back, while the other node starts it, too."
        }
    });
}

fn readiness(settings: &Settings, service: &Service, page: &mut Page) {
    let ServiceConfig { readiness_interval, readiness_rise, .. } = &service.service;
    let mut looks = vec![
        match &service.manager {
            Manager::Systemd { .. } => "the unit is there",
            Manager::Docker { .. } => "the container is there",
            Manager::Command { .. } => "the program is there",
            Manager::Scripts { .. } => "the programs are there",
        }
        .to_owned(),
    ];
    let routers = || settings.instances.iter().map(|instance| &instance.router);
    let is_virtual = |address| {
        let mut moving = routers().flat_map(|router| router.addresses.iter().chain(&router.excluded_addresses));
        moving.any(|moving| moving.address == address)
    };
    looks.extend(service.needs_ports.iter().map(|needed| match needed.address {
        Some(address) => {
            let is_known = !needed.by_check || address.is_loopback() || is_virtual(address);
            let whose = if is_known { "" } else { " (if that is here)" };
            format!("nobody else listens on {}{whose}", SocketAddr::new(address, needed.port))
        }
        None => format!("nobody else listens on port {}", needed.port),
    }));
    looks.extend(
        service
            .needs_disks
            .iter()
            .map(|needed| format!("{} has {} free", needed.path.display(), size_words(needed.octets))),
    );
    let asked = service.could_start.iter().chain(&service.standby_checks);
    looks.extend(asked.map(|script| format!("{} ends with status 0", command(&script.command))));
    let ready = readiness_interval.saturating_mul(*readiness_rise);
    page.point(&format!(
        "On standby {} Tanist looks whether it could be started here: {}. If not, it says so before it is needed. After \
         a failure this node is a ready standby again within {} of good answers.",
        again(*readiness_interval),
        list(&looks),
        seconds(ready)
    ));
}

fn hooks(service: &Service, page: &mut Page) {
    for (interval, script) in service.service.while_active.iter().zip(&service.while_active) {
        page.point(&format!(
            "{} runs {} on the node where it is active, first {} after it has come up.",
            command(&script.command),
            again(*interval),
            every(*interval)
        ));
    }
    if let Some(script) = &service.post_takeover {
        page.point(&format!("{} runs once after each take-over, when it is up and well.", command(&script.command)));
    }
    if let Some(script) = &service.on_role {
        page.point(&format!("{} runs on both nodes at each change of their roles.", command(&script.command)));
    }
}
