//! The parts of keepalived that one can do without: whoever says so may keep their keywords, which are then left out.

use std::fmt;

use super::Block;

/// A part of keepalived that is no VRRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Virtual servers and their checkers (IPVS).
    VirtualServers,
    /// Bidirectional Forwarding Detection.
    Bfd,
    /// SNMP.
    Snmp,
    /// The interface on D-Bus.
    Dbus,
}

/// Which keywords belong to which part. What stands in their blocks belongs to it, too.
const PARTS: &[(Part, Block, &[&str])] = &[
    (Part::VirtualServers, Block::Root, &["virtual_server", "virtual_server_group", "SSL", "net_namespace_ipvs"]),
    (
        Part::VirtualServers,
        Block::GlobalDefs,
        &[
            "lvs_sync_daemon",
            "lvs_timeouts",
            "lvs_flush",
            "lvs_flush_on_stop",
            "lvs_notify_fifo",
            "lvs_notify_fifo_script",
            "rs_init_notifies",
            "no_checker_emails",
            "checker_log_all_failures",
            "smtp_alert_checker",
            "nftables_ipvs",
            "nftables_ipvs_priority",
            "nftables_ipvs_start_fwmark",
            "enable_snmp_checker",
            "snmp_vs_stats_update_interval",
            "snmp_rs_stats_update_interval",
        ],
    ),
    (Part::VirtualServers, Block::VrrpInstance, &["lvs_sync_daemon_interface"]),
    (Part::Bfd, Block::Root, &["bfd_instance"]),
    (Part::Bfd, Block::VrrpInstance, &["track_bfd"]),
    (Part::Bfd, Block::SyncGroup, &["track_bfd"]),
    (
        Part::Snmp,
        Block::GlobalDefs,
        &[
            "snmp_socket",
            "enable_traps",
            "enable_snmp_vrrp",
            "enable_snmp_checker",
            "enable_snmp_rfc",
            "enable_snmp_rfcv2",
            "enable_snmp_rfcv3",
            "snmp_vs_stats_update_interval",
            "snmp_rs_stats_update_interval",
        ],
    ),
    (Part::Dbus, Block::GlobalDefs, &["enable_dbus", "dbus_service_name", "dbus_no_interface_name"]),
];

impl Part {
    /// The parts that a keyword belongs to.
    pub(crate) fn of(place: Block, name: &str) -> impl Iterator<Item = Self> {
        PARTS.iter().filter(move |(_, block, names)| *block == place && names.contains(&name)).map(|(part, ..)| *part)
    }
}

/// For messages: `virtual servers`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VirtualServers => "virtual servers",
            Self::Bfd => "BFD",
            Self::Snmp => "SNMP",
            Self::Dbus => "D-Bus",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::{Block, PARTS, Part};

    #[test]
    fn each_name_is_a_keyword() {
        for (_, place, names) in PARTS {
            for name in *names {
                assert!(place.find(name).is_some_and(|keyword| keyword.name == *name), "{}: {name}", place.title());
            }
        }
    }
    #[test]
    fn what_is_not_built_can_be_left_out() {
        for place in [Block::GlobalDefs, Block::VrrpInstance, Block::SyncGroup] {
            for keyword in place.keywords().filter(|keyword| keyword.status == Status::NotBuilt) {
                let of_a_part = Part::of(place, keyword.name).next().is_some();
                assert!(of_a_part, "{}: {} belongs to no part", place.title(), keyword.name);
            }
        }
    }
}
