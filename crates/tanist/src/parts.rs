//! Parts of keepalived that a configuration may ask for and this node does without.

use std::collections::BTreeSet;

use clap::Args;
use config::Part;

#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Without {
    /// Leave out virtual servers (IPVS), their checkers, and what belongs to them, instead of refusing the configuration
    #[arg(long)]
    without_lvs: bool,
    /// Leave out BFD, instead of refusing the configuration
    #[arg(long)]
    without_bfd: bool,
    /// Leave out SNMP, instead of refusing the configuration
    #[arg(long)]
    pub(crate) without_snmp: bool,
    /// Leave out the interface on D-Bus, instead of refusing the configuration
    #[arg(long)]
    without_dbus: bool,
}

impl Without {
    pub(crate) fn parts(self) -> BTreeSet<Part> {
        let parts = [
            (self.without_lvs, Part::VirtualServers),
            (self.without_bfd, Part::Bfd),
            (self.without_snmp, Part::Snmp),
            (self.without_dbus, Part::Dbus),
        ];
        parts.into_iter().filter(|(without, _)| *without).map(|(_, part)| part).collect()
    }
}
