//! The interfaces that are made for virtual routers. They need not follow the role: each is there as long as the daemon
//! runs and what it stands on exists, whatever somebody else does about it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use config::{IpvlanMode, Settings, VirtualKind, VirtualLink};
use engine::{Family, Name};
use linux::netlink::{Ipvlan, IpvlanFlags, Link, Macvlan, Netlink};
use linux::packet_filter::PacketFilter;
use linux::sysctl::Sysctl;
use linux::system_log::Severity;

use crate::closed_addresses;

/// What is written on them, before the name of the daemon if it has one: after a crash they are known by it.
const ALIAS: &str = "tanist";
/// So often is looked whether all are there.
const PASSES: usize = 3;
/// So many names are tried for each.
const NAMES: usize = 100;

#[derive(Debug, Default)]
pub(super) struct VirtualLinks {
    wanted: Vec<VirtualLink>,
    /// The kernel's index of each that is there, by its name in the configuration.
    there: BTreeMap<Name, u32>,
    /// Something was refused: it is tried again.
    unfinished: bool,
    /// Nothing has been removed yet: what has our alias is an earlier process's.
    looked_for_remains: bool,
    alias: String,
    /// What each was fitted for last.
    fitted: BTreeMap<Name, Family>,
    /// The names of those that tell nobody which groups of IPv6 they listen to.
    silent: BTreeSet<String>,
    /// Name and priority of the table that keeps them silent.
    table: (String, i32),
}

/// One that was made, found or woken.
#[derive(Debug)]
struct Made {
    /// In the configuration.
    name: Name,
    /// On this machine.
    called: String,
    /// What is to be said about it.
    told: (Severity, String),
}

/// What has become of them.
#[derive(Debug, Default)]
pub(super) struct Adjusted {
    /// Indexes are no longer what they were, or something that was down is up.
    pub(super) changed: bool,
    /// What was there before was made anew: everything that was on it is gone.
    pub(super) remade: bool,
    /// Some have got addresses of their own.
    pub(super) addressed: bool,
    /// Indexes that are no longer valid.
    pub(super) gone: Vec<u32>,
    pub(super) told: Vec<(Severity, String)>,
    pub(super) failures: Vec<linux::Error>,
}

impl VirtualLinks {
    pub(super) fn want(&mut self, settings: &Settings) -> linux::Result<()> {
        self.wanted.clone_from(&settings.virtual_links);
        if self.alias.is_empty() {
            let instance = settings.process.instance.iter().map(|instance| format!(" {instance}"));
            self.alias = std::iter::once(ALIAS.to_owned()).chain(instance).collect();
        }
        let (name, priority) = closed_addresses::table(settings);
        let table = (name + "_links", priority);
        if table == self.table {
            return self.silence_again();
        }
        let silent = self.silent.clone();
        let gone = self.silence(BTreeSet::new());
        if silent.is_empty() && !self.looked_for_remains {
            closed_addresses::remove_remains(&table);
        }
        self.table = table;
        self.silence(silent).and(gone)
    }

    /// Has exactly these tell nobody which groups they listen to.
    fn silence(&mut self, silent: BTreeSet<String>) -> linux::Result<()> {
        if silent == self.silent {
            return Ok(());
        }
        PacketFilter::open(&self.table.0, self.table.1)?.silence_reports(&silent)?;
        // What was refused is asked for again.
        self.silent = silent;
        Ok(())
    }

    /// Somebody may have removed the table: `flush ruleset` takes everybody's.
    fn silence_again(&mut self) -> linux::Result<()> {
        if self.silent.is_empty() {
            return Ok(());
        }
        PacketFilter::open(&self.table.0, self.table.1)?.silence_reports(&self.silent)
    }

    /// The names of those that are there and have addresses of IPv6.
    fn of_ipv6(&self, links: &BTreeMap<u32, Link>) -> BTreeSet<String> {
        let there = self.wanted.iter().filter(|wish| wish.family == Family::Ipv6 && wish.mac().is_some());
        let indexes = there.filter_map(|wish| self.there.get(&wish.name));
        indexes.filter_map(|index| links.get(index)).map(|link| link.name.clone()).collect()
    }

    /// What has our alias may be that of another daemon which runs.
    pub(super) fn leave_remains(&mut self) {
        self.looked_for_remains = true;
    }

    /// Nothing is wanted, so there is nothing to make.
    pub(super) fn are_none(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What the configuration calls by this name is made here.
    pub(super) fn find(&self, name: &str) -> Option<&VirtualLink> {
        self.wanted.iter().find(|wish| &*wish.name == name)
    }

    /// The kernel's index of the one that the configuration calls by this name.
    pub(super) fn index(&self, name: &str) -> Option<u32> {
        self.there.iter().find(|(known, _)| &***known == name).map(|(_, index)| *index)
    }

    /// The name of the interface that this one stands on, if it is one of them.
    pub(super) fn base_of(&self, index: u32) -> Option<&Name> {
        self.of_index(index).map(|wish| &wish.base)
    }

    /// The one that has this index in the kernel.
    pub(super) fn of_index(&self, index: u32) -> Option<&VirtualLink> {
        let (name, _) = self.there.iter().find(|(_, known)| **known == index)?;
        self.find(name)
    }

    /// The indexes of those on one of these interfaces.
    pub(super) fn standing_on<'a>(&'a self, names: &'a BTreeSet<&str>) -> impl Iterator<Item = u32> + 'a {
        let wishes = self.wanted.iter().filter(|wish| names.contains(&*wish.base));
        wishes.filter_map(|wish| self.there.get(&wish.name).copied())
    }

    /// The addresses that they have all the time, with the index of each.
    pub(super) fn own_addresses(&self) -> impl Iterator<Item = (u32, IpAddr, u8)> + '_ {
        self.wanted.iter().filter_map(|wish| match wish.kind {
            VirtualKind::Ipvlan(config::Ipvlan { address: Some((address, prefix)), .. }) => {
                Some((*self.there.get(&wish.name)?, address, prefix))
            }
            VirtualKind::Ipvlan(_) | VirtualKind::Macvlan { .. } => None,
        })
    }

    /// Whether it should be tried again.
    pub(super) fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Makes what is missing, takes over what is right already, and mends what somebody has changed. `links` is the
    /// picture of the machine before and after.
    pub(super) fn make(&mut self, netlink: &mut Netlink, links: &mut BTreeMap<u32, Link>) -> Adjusted {
        let mut adjusted = Adjusted::default();
        // What is on its way out is told to be down first: a second look finds that it is gone.
        for _ in 0..PASSES {
            self.make_once(netlink, links, &mut adjusted);
            if !adjusted.failures.is_empty() || self.are_all_up(links) {
                break;
            }
        }
        self.unfinished = !adjusted.failures.is_empty();
        adjusted
    }

    /// Whether all are there that can be.
    fn are_all_up(&self, links: &BTreeMap<u32, Link>) -> bool {
        let is_up = |wish: &VirtualLink| {
            let index = self.there.get(&wish.name);
            index.and_then(|index| links.get(index)).is_some_and(|link| link.up)
        };
        let can_be = |wish: &VirtualLink| links.values().any(|link| link.name == *wish.base);
        self.wanted.iter().all(|wish| is_up(wish) || !can_be(wish))
    }

    fn make_once(&mut self, netlink: &mut Netlink, links: &mut BTreeMap<u32, Link>, adjusted: &mut Adjusted) {
        let mut made: Vec<Made> = Vec::new();
        for wish in &self.wanted {
            let by_name = |name: &str| links.values().find(|link| link.name == name);
            let Some(base) = by_name(&wish.base) else {
                // The kernel removes it together with what it stands on, unless that has another name now.
                if self.there.get(&wish.name).is_some_and(|index| !links.contains_key(index)) {
                    self.there.remove(&wish.name);
                    adjusted.changed = true;
                }
                continue;
            };
            // One of a kind on another stands on what is below that, which may be in another namespace.
            let shown = if base.kind.as_deref() == Some(kind(wish)) { base.lower } else { Some(base.index) };
            let lower = shown.unwrap_or(base.index);
            let others: Vec<u32> =
                self.there.iter().filter(|(name, _)| **name != wish.name).map(|(_, index)| *index).collect();
            let before = self.there.get(&wish.name).copied();
            let is_right = |link: &&Link| {
                link.lower == shown
                    && match wish.kind {
                        VirtualKind::Macvlan { mac } => link.is_private_macvlan() && link.mac == mac,
                        // There may be many on an interface, and nothing tells them apart but their names.
                        VirtualKind::Ipvlan(ipvlan) => {
                            link.is_ipvlan_with(flags(ipvlan.mode))
                                && !others.contains(&link.index)
                                && !made.iter().any(|made| made.called == link.name)
                                && self.may_be_replaced(link, wish)
                                && wish.names().take(NAMES).any(|name| name == link.name)
                        }
                    }
            };
            let held = before.and_then(|index| links.get(&index));
            let unfit = |link: &Link| self.unfit(wish, link, base, links);
            if held.filter(is_right).is_some_and(|link| link.up && unfit(link).is_none()) {
                continue;
            }
            // An interface takes each address once, so whoever has it is the one.
            let right = held.filter(is_right).or_else(|| links.values().find(is_right));
            if let Some(right) = right {
                let called = right.name.clone();
                let told = match unfit(right) {
                    _ if before != Some(right.index) => {
                        (Severity::Info, format!("{called} is there already{} and is taken over", with_mac(wish)))
                    }
                    _ if !right.up => (Severity::Warning, format!("{called} was down and has been set up again")),
                    Some(why) => (Severity::Info, format!("{called} {why}")),
                    None => continue,
                };
                made.push(Made { name: wish.name.clone(), called, told });
                continue;
            }
            let mut wrong: Vec<&Link> = held.into_iter().collect();
            let is_free = |name: &String| match by_name(name) {
                _ if made.iter().any(|made| made.called == *name) => false,
                None => true,
                Some(other) if Some(other.index) == before => true,
                Some(other) => !others.contains(&other.index) && self.may_be_replaced(other, wish),
            };
            let Some(name) = wish.names().take(NAMES).find(is_free) else { continue };
            wrong.extend(by_name(&name).filter(|other| held.is_none_or(|held| held.index != other.index)));
            let wrong: Vec<(u32, String)> = wrong.into_iter().map(|link| (link.index, link.name.clone())).collect();
            let group = wish.group.unwrap_or(base.group);
            for (index, name) in wrong {
                match netlink.delete_link(index) {
                    Ok(()) => {
                        adjusted
                            .told
                            .push((Severity::Warning, format!("{name} was not as it should be and is made anew")));
                        adjusted.gone.push(index);
                        links.remove(&index);
                    }
                    Err(error) => adjusted.failures.push(error),
                }
            }
            adjusted.remade |= before.is_some();
            self.there.remove(&wish.name);
            let created = match wish.kind {
                VirtualKind::Macvlan { mac } => netlink.create_macvlan(Macvlan { name: &name, lower, mac, group }),
                VirtualKind::Ipvlan(ipvlan) => {
                    netlink.create_ipvlan(Ipvlan { name: &name, lower, flags: flags(ipvlan.mode), group })
                }
            };
            match created {
                Ok(()) => {
                    let (severity, again) =
                        if before.is_some() { (Severity::Warning, " again") } else { (Severity::Info, "") };
                    let told = (severity, format!("{name} has been made{again} on {}{}", wish.base, with_mac(wish)));
                    made.push(Made { name: wish.name.clone(), called: name, told });
                }
                Err(error) => adjusted.failures.push(error),
            }
            adjusted.changed = true;
        }
        if !made.is_empty() {
            adjusted.changed = true;
            self.furnish(made, netlink, links, adjusted);
        }
    }

    /// Only what was made for this purpose is taken away from somebody else: by us, or under the name that the operator has
    /// chosen for it.
    fn may_be_replaced(&self, other: &Link, wish: &VirtualLink) -> bool {
        let is_ours = other.alias.as_deref() == Some(&*self.alias);
        is_of_our_kinds(other) && (is_ours || (wish.named && *wish.name == *other.name))
    }

    /// What about one that is there is no longer as it should be, although it need not be made anew for it.
    fn unfit(&self, wish: &VirtualLink, link: &Link, base: &Link, links: &BTreeMap<u32, Link>) -> Option<String> {
        let vrf = vrf_of(Some(base), links);
        match vrf.and_then(|vrf| links.get(&vrf)) {
            _ if vrf_of(Some(link), links) == vrf => {}
            Some(vrf) => return Some(format!("follows {} into the VRF {}", base.name, vrf.name)),
            None => return Some(format!("follows {} out of its VRF", base.name)),
        }
        if self.fitted.get(&wish.name).is_some_and(|family| *family != wish.family) {
            let family = if wish.family == Family::Ipv6 { "IPv6" } else { "IPv4" };
            return Some(format!("is for {family} from now on"));
        }
        let group = wish.group.filter(|group| *group != link.group)?;
        Some(format!("is in the group {group} of interfaces from now on"))
    }

    /// Has those that are new, were down or are meant for something else now do what they are for.
    fn furnish(
        &mut self,
        made: Vec<Made>,
        netlink: &mut Netlink,
        links: &mut BTreeMap<u32, Link>,
        adjusted: &mut Adjusted,
    ) {
        look(netlink, links, adjusted);
        let picture = &*links;
        for Made { name, called, .. } in &made {
            let link = picture.values().find(|link| link.name == *called);
            self.there.extend(link.map(|link| (name.clone(), link.index)));
        }
        // Before any of them is up: a Backup must not be heard from the virtual MAC address.
        if let Err(error) = self.silence(self.of_ipv6(picture)) {
            let text = format!("{error}; switches may learn the virtual MAC address where a Backup is");
            adjusted.told.push((Severity::Warning, text));
        }
        for Made { name, called, told } in made {
            // It may have gone meanwhile.
            let Some(link) = picture.values().find(|link| link.name == called) else { continue };
            let Some(wish) = self.wanted.iter().find(|wish| wish.name == name) else { continue };
            let base = picture.values().find(|link| *link.name == *wish.base);
            let mut steps = vec![netlink.set_alias(link.index, &self.alias)];
            steps.extend(options(&called, wish).into_iter().map(|(sysctl, value)| sysctl.set_if_there(&value)));
            let vrf = vrf_of(base, picture);
            if vrf_of(Some(link), picture) != vrf {
                steps.push(netlink.set_master(link.index, vrf));
            }
            if let Some(group) = wish.group.filter(|group| *group != link.group) {
                steps.push(netlink.set_group(link.index, group));
            }
            self.fitted.insert(name, wish.family);
            if let VirtualKind::Ipvlan(config::Ipvlan { address: Some((address, prefix)), .. }) = wish.kind {
                adjusted.addressed = true;
                // Whoever takes it away later finds that it is put back like every address that is always there.
                steps.push(match netlink.add_unmarked_address(link.index, address, prefix) {
                    Err(error) if error.errno() == Some(EXISTS) => Ok(()),
                    answer => answer,
                });
            }
            steps.push(netlink.set_up(link.index, true));
            if let Some(base) = base.filter(|_| wish.retells_base) {
                steps.push(netlink.set_group(base.index, base.group));
            }
            adjusted.failures.extend(steps.into_iter().filter_map(Result::err));
            adjusted.told.push(told);
        }
        look(netlink, links, adjusted);
    }

    /// Removes those that are no longer wanted, and the first time what an earlier process has left behind on one of the
    /// interfaces that concern us.
    pub(super) fn remove_unwanted(
        &mut self,
        netlink: &mut Netlink,
        links: &mut BTreeMap<u32, Link>,
        concerns_us: impl Fn(u32) -> bool,
    ) -> Adjusted {
        let mut doomed: BTreeSet<u32> = BTreeSet::new();
        let Self { wanted, there, .. } = self;
        there.retain(|name, index| {
            let is_wanted = wanted.iter().any(|wish| wish.name == *name);
            if !is_wanted {
                doomed.insert(*index);
            }
            is_wanted
        });
        if !std::mem::replace(&mut self.looked_for_remains, true) {
            let remains = links.values().filter(|link| {
                is_of_our_kinds(link)
                    && link.alias.as_deref() == Some(&*self.alias)
                    && link.lower.is_some_and(&concerns_us)
                    && !self.there.values().any(|index| *index == link.index)
            });
            doomed.extend(remains.map(|link| link.index));
        }
        let mut adjusted = remove(&doomed, netlink, links);
        adjusted.failures.extend(self.silence(self.of_ipv6(links)).err());
        adjusted
    }

    /// Removes all of them: the last thing on every way out.
    pub(super) fn remove_all(&mut self, netlink: &mut Netlink, links: &mut BTreeMap<u32, Link>) -> Adjusted {
        self.wanted.clear();
        let all = std::mem::take(&mut self.there).into_values().collect();
        let mut adjusted = remove(&all, netlink, links);
        adjusted.failures.extend(self.silence(BTreeSet::new()).err());
        adjusted
    }
}

fn look(netlink: &mut Netlink, links: &mut BTreeMap<u32, Link>, adjusted: &mut Adjusted) {
    match netlink.links() {
        Ok(found) => *links = found.into_iter().map(|link| (link.index, link)).collect(),
        Err(error) => adjusted.failures.push(error),
    }
}

fn remove(doomed: &BTreeSet<u32>, netlink: &mut Netlink, links: &mut BTreeMap<u32, Link>) -> Adjusted {
    let mut adjusted = Adjusted::default();
    // What went with the interface that it stood on needs no removing.
    for index in doomed {
        let Some(link) = links.get(index) else { continue };
        let name = link.name.clone();
        match netlink.delete_link(*index) {
            Ok(()) => {
                adjusted.told.push((Severity::Info, format!("{name} has been removed")));
                adjusted.changed = true;
                adjusted.gone.push(*index);
                links.remove(index);
            }
            Err(error) if error.errno() == Some(NO_SUCH_DEVICE) => {}
            Err(error) => adjusted.failures.push(error),
        }
    }
    adjusted
}

/// `ENODEV`
const NO_SUCH_DEVICE: i32 = 19;
/// `EEXIST`
const EXISTS: i32 = 17;

/// As the kernel calls it.
const fn kind(wish: &VirtualLink) -> &'static str {
    match wish.kind {
        VirtualKind::Macvlan { .. } => "macvlan",
        VirtualKind::Ipvlan(_) => "ipvlan",
    }
}

const fn flags(mode: IpvlanMode) -> IpvlanFlags {
    match mode {
        IpvlanMode::Bridge => IpvlanFlags::Bridge,
        IpvlanMode::Private => IpvlanFlags::Private,
        IpvlanMode::Vepa => IpvlanFlags::Vepa,
    }
}

fn is_of_our_kinds(link: &Link) -> bool {
    link.is_private_macvlan() || link.is_l2_ipvlan()
}

/// The index of the VRF that an interface is in.
fn vrf_of(link: Option<&Link>, links: &BTreeMap<u32, Link>) -> Option<u32> {
    link?.master.filter(|master| links.get(master).is_some_and(Link::is_vrf))
}

/// Who asks on the network for an address of this interface is answered from here, and whoever asks for one of another
/// interface is not.
fn options(name: &str, wish: &VirtualLink) -> Vec<(Sysctl, String)> {
    let ipv4 = [
        ("arp_ignore", "1"),
        // What this interface asks carries no address of another one together with the virtual MAC address.
        ("arp_announce", "2"),
        // The answer to what comes in here may leave by the interface below. "0" would not do where all interfaces filter.
        ("rp_filter", "2"),
        ("accept_local", "1"),
        ("promote_secondaries", "1"),
    ];
    // It would speak of itself from the virtual MAC address, wherever the role is: it has no address but those that it is
    // for, and asks for no router.
    let disabled = if wish.family == Family::Ipv6 { "0" } else { "1" };
    let ipv6 = [("addr_gen_mode", "1"), ("accept_ra", "0"), ("disable_ipv6", disabled)];
    let ipv4 = ipv4.map(|(option, value)| (Sysctl::of_ipv4_link(name, option), value.to_owned()));
    let ipv6 = ipv6.map(|(option, value)| (Sysctl::of_ipv6_link(name, option), value.to_owned()));
    // Neighbours take it for a router if the interface below is one.
    let forwarding = Sysctl::of_ipv6_link(&wish.base, "forwarding").read().ok().flatten();
    let forwarding = forwarding.map(|value| (Sysctl::of_ipv6_link(name, "forwarding"), value));
    ipv4.into_iter().chain(ipv6).chain(forwarding).collect()
}

/// For messages: its MAC address, if it has one of its own.
fn with_mac(wish: &VirtualLink) -> String {
    wish.mac().map_or_else(String::new, |mac| {
        format!(" with the MAC address {}", mac.map(|octet| format!("{octet:02x}")).join(":"))
    })
}
