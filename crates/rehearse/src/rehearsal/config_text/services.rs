//! Services and the way between the nodes, as text: what runs is a stand-in, and what happens to it stays as configured.

use config::{Service, ServiceCheck, Settings};
use engine::{Budget, Failback, OnManualStop, ScriptConfig};

use super::super::pair::{HostFile, KEY_FILE, sees_hangs};
use super::{StandInText, file_name, seconds, word};
use crate::lab::HOST_DIR;
use crate::web::PORT;

/// A service that nobody watches: it is there until it is told to end.
const IDLE: &str = "#!/bin/sh\nexec sleep 1000000\n";

impl StandInText {
    pub(super) fn pair(&mut self, settings: &Settings) {
        let Some(pair) = &settings.pair else { return };
        self.open(format_args!("pair"));
        if let Some(node) = &pair.node {
            self.line(format_args!("node {}", word(node)));
        }
        let addresses = |all: Vec<String>| all.join(" ");
        self.line(format_args!("peer {}", addresses(pair.paths.iter().map(|path| path.peer.to_string()).collect())));
        let sources: Option<Vec<String>> =
            pair.paths.iter().map(|path| path.source.map(|source| source.to_string())).collect();
        if let Some(sources) = sources {
            self.line(format_args!("source {}", addresses(sources)));
        }
        self.line(format_args!("port {}", pair.port));
        self.line(format_args!("key_file {HOST_DIR}/{KEY_FILE}"));
        self.line(format_args!("heartbeat {}", seconds(pair.heartbeat)));
        self.line(format_args!("dead_after {}", seconds(pair.dead_after)));
        self.close();
        self.others.push(HostFile::key());
    }

    /// One that is watched is a collector, which answers HTTP and ticks; any other one only runs.
    pub(super) fn service(&mut self, service: &Service, watched: bool) {
        let config = &service.service;
        let name = &config.name;
        self.open(format_args!("service {}", word(name)));
        if watched {
            self.line(format_args!("command \"{HOST_DIR}/collector\""));
            for (n, (check, checking)) in service.checks.iter().zip(&config.checks).enumerate() {
                self.check(n, check, checking);
            }
        } else {
            let file = file_name("service", name);
            self.line(format_args!("command \"{HOST_DIR}/{file}\""));
            self.others.push(HostFile::Program { name: file, text: IDLE.to_owned() });
        }
        self.line(format_args!("start_grace {}", seconds(config.start_grace)));
        self.line(format_args!("start_timeout {}", seconds(config.start_timeout)));
        self.line(format_args!("stop_timeout {}", seconds(config.stop_timeout)));
        match config.restart {
            Budget { limit: 0, .. } => self.line(format_args!("restart never")),
            budget => self.line(format_args!("restart {}", text(budget))),
        }
        self.line(format_args!("max_moves {}", text(config.max_moves)));
        self.line(format_args!(
            "on_manual_stop {}",
            match config.on_manual_stop {
                OnManualStop::Failover => "failover",
                OnManualStop::Restart => "restart",
                OnManualStop::Maintenance => "maintenance",
            }
        ));
        self.line(format_args!(
            "failback {}",
            match config.failback {
                Failback::Auto => "auto",
                Failback::Manual => "manual",
                Failback::Never => "never",
            }
        ));
        self.line(format_args!("readiness_interval {}", seconds(config.readiness_interval)));
        self.line(format_args!("readiness_rise {}", config.readiness_rise));
        self.hooks(service);
        if service.down_file.is_some() {
            self.line(format_args!("down_file {HOST_DIR}/{}", file_name("down", name)));
        }
        self.close();
    }

    /// Whatever asks the service itself asks the collector; its figures stay.
    fn check(&mut self, number: usize, check: &ServiceCheck, checking: &ScriptConfig) {
        let what = match check {
            ServiceCheck::Process { .. } => "process collector".to_owned(),
            _ if sees_hangs(check) => format!("http http://127.0.0.1:{PORT}/{}", number + 1),
            _ => format!("tcp 127.0.0.1:{PORT}"),
        };
        self.open(format_args!("check {what}"));
        self.line(format_args!("interval {}", seconds(checking.interval)));
        self.line(format_args!("timeout {}", seconds(checking.timeout)));
        self.line(format_args!("rise {}", checking.rise));
        self.line(format_args!("fall {}", checking.fall));
        self.close();
    }

    fn hooks(&mut self, service: &Service) {
        let name = &service.service.name;
        if service.could_start.is_some() {
            let file = file_name("could_start", name);
            self.line(format_args!("could_start \"{HOST_DIR}/{file}\""));
            // Good, as a check is; it does not belong to the checks of the virtual routers.
            self.others.push(HostFile::Check(file));
        }
        for (keyword, hook) in [("on_role", &service.on_role), ("post_takeover", &service.post_takeover)] {
            if hook.is_some() {
                let file = file_name(keyword, name);
                self.line(format_args!("{keyword} \"{HOST_DIR}/{file}\""));
                self.recorders.push(file);
            }
        }
        if !service.while_active.is_empty() {
            self.open(format_args!("while_active"));
            for (n, interval) in service.service.while_active.iter().enumerate() {
                let file = file_name(&format!("every-{}", n + 1), name);
                self.line(format_args!("every {} \"{HOST_DIR}/{file}\"", seconds(*interval)));
                self.recorders.push(file);
            }
            self.close();
        }
    }
}

fn text(Budget { limit, within }: Budget) -> String {
    format!("{limit} within {}", seconds(within))
}
