//! Services and the pair as short text.

use engine::{Budget, ServiceConfig};
use tanist_config::{Manager, NeededPort, NeededSpace, NotifyScript, Pair, Service, ServiceCheck, Settings};

use super::{line, notify_script};

pub(super) fn describe(out: &mut String, settings: &Settings) {
    for service in &settings.services {
        describe_service(out, service);
    }
    if let Some(Pair { node, paths, port, key_file, heartbeat, dead_after }) = &settings.pair {
        let key_file = key_file.display();
        line(
            out,
            format_args!("pair {node:?}  port {port}  key {key_file}  every {heartbeat:?}  dead after {dead_after:?}"),
        );
        for path in paths {
            line(out, format_args!("    to {} from {:?}", path.peer, path.source));
        }
    }
}

fn describe_service(out: &mut String, service: &Service) {
    let ServiceConfig {
        name,
        checks,
        start_grace,
        start_timeout,
        stop_timeout,
        restart,
        max_moves,
        on_manual_stop,
        failback,
        readiness_interval,
        readiness_rise,
        while_active,
    } = &service.service;
    line(
        out,
        format_args!(
            "service {name}  grace {start_grace:?}  start {start_timeout:?}  stop {stop_timeout:?}  restart {}  moves {}",
            budget(*restart),
            budget(*max_moves)
        ),
    );
    line(
        out,
        format_args!(
            "    by hand {on_manual_stop:?}  failback {failback:?}  ready every {readiness_interval:?} × {readiness_rise}"
        ),
    );
    match &service.manager {
        Manager::Systemd { unit } => line(out, format_args!("    unit {unit}")),
        Manager::Docker { container } => line(out, format_args!("    container {container}")),
        Manager::Command { script } => line(out, format_args!("    {}", notify_script(script))),
        Manager::Scripts { start, stop, status } => {
            line(out, format_args!("    start: {}", notify_script(start)));
            line(out, format_args!("    stop: {}", notify_script(stop)));
            line(out, format_args!("    status: {}", notify_script(status)));
        }
    }
    for (check, figures) in service.checks.iter().zip(checks) {
        line(
            out,
            format_args!(
                "    check {:?}  every {:?}  timeout {:?}  rise {}  fall {}",
                figures.name, figures.interval, figures.timeout, figures.rise, figures.fall
            ),
        );
        line(out, format_args!("        {}", looks(check)));
    }
    let hooks: [(&str, &Option<NotifyScript>); 3] = [
        ("could_start", &service.could_start),
        ("on_role", &service.on_role),
        ("post_takeover", &service.post_takeover),
    ];
    for (kind, script) in hooks {
        if let Some(script) = script {
            line(out, format_args!("    {kind}: {}", notify_script(script)));
        }
    }
    for (every, script) in while_active.iter().zip(&service.while_active) {
        line(out, format_args!("    every {every:?}: {}", notify_script(script)));
    }
    if let Some(path) = &service.down_file {
        line(out, format_args!("    down file {}", path.display()));
    }
    for NeededPort { address, port, by_check } in &service.needs_ports {
        line(out, format_args!("    needs port {port} of {address:?}, by a check: {by_check}"));
    }
    for NeededSpace { path, octets } in &service.needs_disks {
        line(out, format_args!("    needs {octets} on {}", path.display()));
    }
    for script in &service.standby_checks {
        line(out, format_args!("    asks on standby: {}", notify_script(script)));
    }
    if service.may_differ {
        line(out, format_args!("    may differ"));
    }
}

fn budget(Budget { limit, within }: Budget) -> String {
    format!("{limit} in {within:?}")
}

fn looks(check: &ServiceCheck) -> String {
    match check {
        ServiceCheck::Http { address, host, path, statuses } => {
            format!("asks {address} as {host} for {path}: {statuses:?}")
        }
        ServiceCheck::Tcp { address } => format!("connects to {address}"),
        ServiceCheck::Process { name } => format!("looks for {name}"),
        ServiceCheck::File { path, max_age } => format!("looks at {}, at most {max_age:?} old", path.display()),
        ServiceCheck::Notify => "waits for the service".to_owned(),
        ServiceCheck::Script(script) => notify_script(script),
    }
}
