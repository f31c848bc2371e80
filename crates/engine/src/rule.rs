//! Policy rules that move with a role, or are there always: what `ip rule` would be told, as values.

use core::fmt;

use crate::{Family, Name, Network, Realms, Table};

/// One policy rule: which packets, and which table has their routes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Which protocol's packets.
    pub family: Family,
    /// The lowest is asked first.
    pub preference: u32,
    /// It is about all packets that do *not* fit.
    pub inverted: bool,
    /// Where they come from; `None` means anywhere.
    pub from: Option<Network>,
    /// Where they go; `None` means anywhere.
    pub to: Option<Network>,
    /// Type of service; zero means any.
    pub tos: u8,
    /// Mark of the packet filter, and which of its bits count.
    pub mark: Option<(u32, u32)>,
    /// The interface that they came in by.
    pub incoming: Option<Name>,
    /// The interface that the sending socket is bound to.
    pub outgoing: Option<Name>,
    /// Key of the tunnel that they came out of.
    pub tunnel_id: Option<u64>,
    /// The users whose sockets send them, from the first to the last.
    pub users: Option<(u32, u32)>,
    /// IP protocol.
    pub ip_protocol: Option<u8>,
    /// Source ports, from the first to the last.
    pub source_ports: Option<(u16, u16)>,
    /// Destination ports, from the first to the last.
    pub destination_ports: Option<(u16, u16)>,
    /// What is done about them.
    pub action: RuleAction,
    /// Routes with a prefix as short as this, or shorter, are passed over.
    pub suppress_prefix_length: Option<u8>,
    /// Routes over interfaces of this group are passed over.
    pub suppress_group: Option<u32>,
    /// Realms for accounting (IPv4 only).
    pub realms: Option<Realms>,
    /// `FRA_PROTOCOL`: who made the rule; `None` means Tanist.
    pub protocol: Option<u8>,
    /// Somebody's removing it is noticed, and its interfaces count.
    pub tracked: bool,
}

impl Rule {
    /// A rule about every packet of a family.
    #[must_use]
    pub const fn about_all(family: Family, preference: u32, action: RuleAction) -> Self {
        Self {
            family,
            preference,
            inverted: false,
            from: None,
            to: None,
            tos: 0,
            mark: None,
            incoming: None,
            outgoing: None,
            tunnel_id: None,
            users: None,
            ip_protocol: None,
            source_ports: None,
            destination_ports: None,
            action,
            suppress_prefix_length: None,
            suppress_group: None,
            realms: None,
            protocol: None,
            tracked: true,
        }
    }

    /// The interfaces without which it is of no use.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &Name> {
        self.links().filter(|_| self.tracked)
    }

    /// Every interface that it names.
    pub fn links(&self) -> impl Iterator<Item = &Name> {
        self.incoming.iter().chain(&self.outgoing)
    }
}

/// What is done about packets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleAction {
    /// Their route is looked up in this table.
    Lookup(Table),
    /// Their route is looked up in the table of the VRF that they belong to.
    LookupVrf,
    /// The next rule is the first one from this preference on.
    Goto(u32),
    /// Nothing: the next rule is asked.
    Nop,
    /// Dropped in silence.
    Blackhole,
    /// Dropped, and answered with "network unreachable".
    Unreachable,
    /// Dropped, and answered with "administratively prohibited".
    Prohibit,
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(table) => write!(f, "{table}"),
            Self::LookupVrf => f.write_str("l3mdev"),
            Self::Goto(preference) => write!(f, "goto {preference}"),
            Self::Nop => f.write_str("nop"),
            Self::Blackhole => f.write_str("blackhole"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Prohibit => f.write_str("prohibit"),
        }
    }
}

/// As the configuration would say it, with numbers for what has names on some machines.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says_family = self.from.or(self.to).is_none() && self.family == Family::Ipv6;
        f.write_str(if says_family { "inet6 " } else { "" })?;
        f.write_str(if self.inverted { "not " } else { "" })?;
        match self.from {
            Some(from) => write!(f, "from {from}")?,
            None => f.write_str("from all")?,
        }
        if let Some(to) = self.to {
            write!(f, " to {to}")?;
        }
        if self.tos != 0 {
            write!(f, " tos {:#04x}", self.tos)?;
        }
        match self.mark {
            Some((mark, u32::MAX)) => write!(f, " fwmark {mark:#x}")?,
            Some((mark, mask)) => write!(f, " fwmark {mark:#x}/{mask:#x}")?,
            None => {}
        }
        for (word, link) in [("iif", &self.incoming), ("oif", &self.outgoing)] {
            if let Some(link) = link {
                write!(f, " {word} {link}")?;
            }
        }
        if let Some(id) = self.tunnel_id {
            write!(f, " tunnel-id {id}")?;
        }
        if let Some((first, last)) = self.users {
            write!(f, " uidrange {first}-{last}")?;
        }
        if let Some(protocol) = self.ip_protocol {
            write!(f, " ipproto {protocol}")?;
        }
        for (word, ports) in [("sport", self.source_ports), ("dport", self.destination_ports)] {
            match ports {
                Some((first, last)) if first == last => write!(f, " {word} {first}")?,
                Some((first, last)) => write!(f, " {word} {first}-{last}")?,
                None => {}
            }
        }
        write!(f, " {}", self.action)?;
        if let Some(length) = self.suppress_prefix_length {
            write!(f, " suppress_prefixlength {length}")?;
        }
        if let Some(group) = self.suppress_group {
            write!(f, " suppress_ifgroup {group}")?;
        }
        if let Some(realms) = self.realms {
            write!(f, " realms {realms}")?;
        }
        if let Some(protocol) = self.protocol {
            write!(f, " protocol {protocol}")?;
        }
        write!(f, " preference {}", self.preference)?;
        f.write_str(if self.tracked { "" } else { " no_track" })
    }
}
