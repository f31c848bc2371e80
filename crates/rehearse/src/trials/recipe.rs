//! The pairs that are tried: how each is configured, and what its init and its operator do.

use std::time::Duration;

use crate::lab::{Daemon, HOST_DIR};

/// The port at which the collector answers, as the edge gateway's does.
pub(crate) const PORT: u16 = 8085;

/// A file of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFile {
    pub name: String,
    pub text: String,
    /// A program, or a secret that only root may read.
    pub is_program: bool,
}

/// What the operator does so that a node has the service again after it failed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// Starts the service there by hand: the daemon then finds its check good again.
    StartsService,
    /// Nothing: the node comes back by itself.
    Nothing,
}

/// What a Tanist pair is told about its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervision {
    /// As after the word `restart`: `never`, or `3 within 60`.
    pub restart: String,
    /// As after the words `check http URL`, in braces; empty for the defaults.
    pub check: String,
    /// Further lines of the `service` block.
    pub lines: String,
    /// Lines of the `pair` block, `profile fast` for instance.
    pub pair: String,
}

impl Default for Supervision {
    /// Every death and every hang moves the service, as with a recipe of scripts.
    fn default() -> Self {
        Self { restart: "never".to_owned(), check: String::new(), lines: String::new(), pair: String::new() }
    }
}

/// A pair under trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// How it is called in tables.
    pub name: String,
    pub daemon: Daemon,
    /// For A and for B.
    pub configurations: [String; 2],
    /// Files beside the collector and its manager, on both nodes.
    pub files: Vec<NodeFile>,
    /// The service is enabled at boot and started by init; otherwise it is the daemon's alone.
    pub service_at_boot: bool,
    pub way_back: WayBack,
    /// Words of the line by which the daemon says that the service has failed.
    pub decision: String,
    /// Words of the lines by which it says that the service is up, and that its check has found it good.
    pub first_look: Option<[String; 2]>,
    /// Words of the lines by which it says that two were active, or that it slept while it was.
    pub reports_of_two: Vec<String>,
    /// What it does again and again: what happens should not always happen at the same phase of that.
    pub period: Duration,
}

impl Recipe {
    /// The edge gateway of the examples, with keepalived and its scripts as they are. The programs that the scripts call
    /// start, stop and ask the collector.
    #[must_use]
    pub fn edge_gateway(daemon: Daemon) -> Self {
        let here = |text: &str| text.replace("/etc/keepalived/", &format!("{HOST_DIR}/"));
        let program =
            |name: &str, text: &str| NodeFile { name: name.to_owned(), text: text.to_owned(), is_program: true };
        Self {
            name: daemon.name.clone(),
            daemon,
            configurations: [
                here(include_str!("../../../../examples/edge-gateway/a.conf")),
                here(include_str!("../../../../examples/edge-gateway/b.conf")),
            ],
            files: vec![
                program("master.sh", include_str!("../../../../examples/edge-gateway/master.sh")),
                program("backup.sh", include_str!("../../../../examples/edge-gateway/backup.sh")),
                program("fault.sh", include_str!("../../../../examples/edge-gateway/fault.sh")),
                program("check_alive.sh", include_str!("../../../../examples/edge-gateway/check_alive.sh")),
                program("systemctl", &format!("#!/bin/sh\nexec {HOST_DIR}/collector-service \"$1\"\n")),
                program("curl", &format!("#!/bin/sh\nexec {HOST_DIR}/collector-probe 2> /dev/null\n")),
            ],
            service_at_boot: true,
            way_back: WayBack::StartsService,
            decision: "VRRP_Script(check_ex_alived) failed".to_owned(),
            first_look: None,
            reports_of_two: Vec::new(),
            // Its check's interval.
            period: Duration::from_secs(5),
        }
    }

    /// The same gateway with Tanist looking after the service: no scripts, the two nodes hand it over to each other, and
    /// the first one takes it back when it is well again.
    #[must_use]
    pub fn tanist(daemon: Daemon, supervision: &Supervision) -> Self {
        let Supervision { restart, check, lines, pair } = supervision;
        let configuration = |priority: u8, peer: &str| {
            format!(
                "service gateway {{
    command \"{HOST_DIR}/collector\"
    check http http://127.0.0.1:{PORT}/ {check}
    start_grace 5
    restart {restart}
    failback auto
{lines}
}}
pair {{
    peer {peer}
    key_file {HOST_DIR}/pair.key
{pair}
}}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        192.160.127.254/17
    }}
    unicast_peer {{
        {peer}
    }}
    service gateway
}}
"
            )
        };
        // Any key will do, as long as both have the same.
        let key = NodeFile { name: "pair.key".to_owned(), text: "5a".repeat(32) + "\n", is_program: false };
        Self {
            name: daemon.name.clone(),
            daemon,
            configurations: [configuration(100, "10.0.0.223"), configuration(90, "10.0.0.127")],
            files: vec![key],
            service_at_boot: false,
            way_back: WayBack::Nothing,
            decision: "Service gateway failed".to_owned(),
            first_look: Some(["Service gateway is running".to_owned(), ") succeeded".to_owned()]),
            reports_of_two: vec!["both nodes were active".to_owned(), "was asleep, listening first".to_owned()],
            // An advertisement, and a check.
            period: Duration::from_secs(1),
        }
    }
}
