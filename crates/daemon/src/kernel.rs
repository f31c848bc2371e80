//! A picture of the machine's interfaces and addresses, kept up to date by events, and the way to bring addresses,
//! routes and policy rules to what the engine desires.

mod addresses;
mod routing;
mod specs;
mod virtual_links;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use addresses::{deprecation, key_of};
use config::{Process, Settings};
use engine::{Desired, Engine, Input, LinkId, LinkState, Name, RouterConfig};
use linux::clock;
use linux::netlink::{
    Address, AddressOperation, Applied, Change, Lifetime, Link, Monitor, Netlink, OUR_MARK, Operation, WantedAddress,
};
use linux::sysctl::Sysctl;
use linux::system_log::Severity;
use routing::{Plan, Routing};
use virtual_links::{Adjusted, VirtualLinks};

use crate::lifetimes::{Key, Lifetimes};
use crate::link_beats::Beats;

/// Stands for an interface that the configuration does not mention.
const UNMENTIONED: LinkId = LinkId(u32::MAX);
/// The index of no interface in particular ([`RouterConfig::ANYWHERE`]), as for the kernel.
const ANYWHERE: u32 = 0;
/// `IPV6_MIN_MTU`: an interface of smaller packets has no IPv6 (RFC 8200 §5).
const MTU_OF_IPV6: u32 = 1280;

#[derive(Debug)]
pub(crate) struct Kernel {
    netlink: Netlink,
    pub(crate) monitor: Monitor,
    changes: Vec<Change>,
    links: BTreeMap<u32, Link>,
    addresses: BTreeMap<Key, Held>,
    /// The next address to appear is this one in the kernel's order.
    next_order: u64,
    /// What we have added or adopted. Kernels before 5.18 do not keep our mark, and another daemon may use the same one.
    ours: BTreeSet<Key>,
    /// What was wanted when the addresses were brought into line last.
    wanted: Vec<WantedAddress>,
    /// Those of them that are always there: the machine's own, as far as anybody else is concerned.
    statics: BTreeSet<Key>,
    /// What nobody tracks is added once for each time that it is desired.
    placed: BTreeSet<Key>,
    /// When those that are preferred for some time only are so no longer.
    deprecated_at: BTreeMap<Key, u64>,
    routing: Routing,
    virtual_links: VirtualLinks,
    lifetimes: Lifetimes,
    /// Index of each interface that the engine knows, by its id.
    indexes: Vec<Option<u32>>,
    /// What we may ever hold: the left-overs of an earlier process are found by it.
    known: BTreeSet<Key>,
    /// What must be a VRF, by name.
    vrfs: BTreeSet<Name>,
    /// What those that are polled have answered.
    beats: Beats,
    /// Interfaces whose packets were too small for IPv6, and that have had no address of it since: the kernel has thrown
    /// away all that it knew of them, groups included.
    bare: BTreeSet<u32>,
    /// Interfaces on which we cannot hear. Who cannot hear must not take part.
    deaf: BTreeSet<u32>,
    /// Each address that comes or goes is told.
    pub(crate) tell_addresses: bool,
    /// The picture may be wrong: look again before it is used.
    astray: bool,
    /// Another daemon of our name runs: of what carries our mark at the start only that is ours which the configuration
    /// speaks of, as with those that have a name.
    pub(crate) beside_another: bool,
    /// Nothing has been brought into line yet: what carries our mark is an earlier process's.
    fresh: bool,
}

/// An address and its place in the kernel's order.
#[derive(Debug)]
struct Held {
    address: Address,
    order: u64,
}

/// How a desired address was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Somebody has taken it away.
    TakenAway,
    /// Its lifetime was over before we renewed it.
    Expired,
}

/// What a round of events means.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// What the engine must hear.
    pub(crate) inputs: Vec<Input<'static>>,
    /// Interfaces appeared or vanished.
    pub(crate) links: bool,
    /// Indexes that are no longer valid.
    pub(crate) gone: Vec<u32>,
    /// Interfaces that have got IPv6 again: who was in a group there no longer is, although the kernel does not say so.
    pub(crate) readmitted: Vec<u32>,
    /// Addresses of ours may no longer be as desired.
    pub(crate) addresses: bool,
    /// A desired address was lost.
    pub(crate) missing: Option<Loss>,
    /// Addresses of ours that had expired, and came back with a renewal that was late.
    pub(crate) returned: Vec<Key>,
    /// What has been done about virtual interfaces, and, if that is to be told, which addresses came or went.
    pub(crate) told: Vec<(Severity, String)>,
    /// The machine could not be looked at, or refused something; it will be tried again.
    pub(crate) failures: Vec<linux::Error>,
}

/// What bringing the addresses into line led to.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    pub(crate) added: Vec<WantedAddress>,
    /// Routes and rules that somebody had taken away, in words.
    pub(crate) restored: Vec<String>,
    pub(crate) failures: Vec<linux::Error>,
    /// What has been done to addresses that are not ours.
    pub(crate) told: Vec<(Severity, String)>,
    /// Groups of which something static is not there.
    pub(crate) incomplete: BTreeSet<Name>,
    /// It should be asked again in a while, although nothing was refused.
    pub(crate) ask_again: bool,
}

impl Kernel {
    /// Looks at the machine.
    pub(crate) fn open() -> linux::Result<Self> {
        // First the ear, then the look: nothing can happen unnoticed in between.
        let mut monitor = Monitor::open()?;
        let mut kernel = Self {
            netlink: Netlink::open()?,
            lifetimes: Lifetimes::open(&mut monitor)?,
            monitor,
            changes: Vec::new(),
            links: BTreeMap::new(),
            addresses: BTreeMap::new(),
            next_order: 0,
            ours: BTreeSet::new(),
            wanted: Vec::new(),
            statics: BTreeSet::new(),
            placed: BTreeSet::new(),
            deprecated_at: BTreeMap::new(),
            routing: Routing::default(),
            virtual_links: VirtualLinks::default(),
            indexes: Vec::new(),
            known: BTreeSet::new(),
            vrfs: BTreeSet::new(),
            beats: Beats::new(),
            bare: BTreeSet::new(),
            deaf: BTreeSet::new(),
            tell_addresses: false,
            astray: false,
            beside_another: false,
            fresh: true,
        };
        kernel.look()?;
        Ok(kernel)
    }

    fn look(&mut self) -> linux::Result<()> {
        self.astray = true;
        let (links, addresses) = (self.netlink.links()?, self.netlink.addresses()?);
        self.astray = false;
        self.links = links.into_iter().map(|link| (link.index, link)).collect();
        self.bare.extend(self.links.values().filter(|link| link.mtu < MTU_OF_IPV6).map(|link| link.index));
        self.addresses.clear();
        for address in addresses {
            self.keep(address);
        }
        self.lifetimes.held_changed(clock::boot_time());
        Ok(())
    }

    /// Puts an address into the picture; one that is there already keeps its place.
    fn keep(&mut self, address: Address) {
        let order = self.next_order;
        self.next_order += 1;
        let held = self.addresses.entry(key(&address)).or_insert(Held { address: address.clone(), order });
        held.address = address;
    }

    /// The kernel's index of an interface of the engine's; `None` if it does not exist.
    pub(crate) fn index_of(&self, link: LinkId) -> Option<u32> {
        self.indexes.get(link.0 as usize).copied().flatten()
    }

    /// The engine's id of an interface.
    pub(crate) fn id_of(&self, index: u32) -> LinkId {
        let position = self.indexes.iter().position(|known| *known == Some(index));
        position.map_or(UNMENTIONED, |position| LinkId(position as u32))
    }

    /// The hardware address that neighbours on an interface may learn; `None` where they learn none, as behind a tunnel.
    pub(crate) fn hardware_address(&self, index: u32) -> Option<[u8; 6]> {
        self.links.get(&index).filter(|link| link.takes_arp).map(|link| link.mac)
    }

    /// The size of packets on the interface of this name, if it is there.
    pub(crate) fn mtu_of(&self, name: &str) -> Option<u32> {
        self.links.values().find(|link| link.name == name).map(|link| link.mtu)
    }

    /// How much the sockets that speak with the kernel may queue, if that is to be otherwise than before.
    pub(crate) fn set_buffers(&self, before: &Process, after: &Process) -> linux::Result<()> {
        if before.monitor_buffer != after.monitor_buffer {
            self.monitor
                .set_receive_buffer(after.monitor_buffer.map(|buffer| (buffer.octets as usize, buffer.force)))?;
        }
        match after.command_buffer {
            Some(buffer) if before.command_buffer != after.command_buffer => {
                self.netlink.set_receive_buffer(Some((buffer.octets as usize, buffer.force)))
            }
            None if before.command_buffer.is_some() => self.netlink.set_receive_buffer(None),
            Some(_) | None => Ok(()),
        }
    }

    /// The name of an interface, for people.
    pub(crate) fn name_of(&self, index: u32) -> &str {
        self.links.get(&index).map_or("?", |link| &link.name)
    }

    /// The names of the interfaces on which we have an IPv4 address of a subnet that others may have addresses of.
    pub(crate) fn shared_links(&self) -> BTreeSet<&str> {
        let shared = self.ours.iter().filter(|(_, address, prefix)| address.is_ipv4() && *prefix < 32);
        shared.filter_map(|(link, ..)| self.links.get(link)).map(|link| link.name.as_str()).collect()
    }

    /// Hears of what the configuration is about. Comes before anything is brought into line with it.
    pub(crate) fn follow(&mut self, config: &engine::Config) -> linux::Result<()> {
        self.routing.follow(config, &mut self.monitor)
    }

    /// Everything that the engine must know at its start or after its configuration has changed.
    pub(crate) fn introduce(&mut self, engine: &Engine) -> Vec<Input<'static>> {
        self.assign_indexes(engine);
        let mut inputs = vec![self.all_addresses()];
        inputs.extend((0..self.indexes.len()).map(|position| self.state_of(LinkId(position as u32))));
        inputs
    }

    /// The engine's id of the interface that is heard through this one.
    pub(crate) fn id_of_heard(&self, index: u32) -> LinkId {
        let base = self.virtual_links.base_of(index).and_then(|base| self.find(base));
        self.id_of(base.unwrap_or(index))
    }

    /// The kernel's index of a virtual interface, by its name in the configuration; `None` if it does not exist.
    pub(crate) fn index_of_virtual(&self, name: &str) -> Option<u32> {
        self.virtual_links.index(name)
    }

    /// The kernel's index of the interface below one that the configuration calls by this name; `None` if there is no
    /// such virtual interface, or if nothing is below it.
    pub(crate) fn index_below(&self, name: &str) -> Option<u32> {
        self.find(&self.virtual_links.find(name)?.base)
    }

    /// The kernel's index of what the configuration calls by this name.
    fn find(&self, name: &str) -> Option<u32> {
        if name == RouterConfig::ANYWHERE {
            return Some(ANYWHERE);
        }
        if self.virtual_links.find(name).is_some() {
            return self.virtual_links.index(name);
        }
        let link = self.links.values().find(|link| link.name == name)?;
        // Another interface of that name is not what is meant.
        (link.is_vrf() || !self.vrfs.iter().any(|vrf| **vrf == *name)).then_some(link.index)
    }

    /// The bridge, bond or VRF that an interface belongs to.
    pub(crate) fn master_of(&self, index: u32) -> Option<u32> {
        self.links.get(&index)?.master
    }

    /// Has the virtual interfaces of a new configuration made. Those that are no longer wanted stay until
    /// [`remove_virtual_links`](Self::remove_virtual_links).
    pub(crate) fn make_virtual_links(&mut self, settings: &Settings) -> Changed {
        let mut changed = Changed::default();
        self.routing.beside_others = self.beside_another || settings.process.instance.is_some();
        if self.beside_another {
            self.virtual_links.leave_remains();
        }
        changed.failures.extend(self.virtual_links.want(settings).err());
        self.vrfs = settings.vrfs();
        for vrf in &self.vrfs {
            if self.links.values().any(|link| link.name == **vrf && !link.is_vrf()) {
                changed.told.push((Severity::Error, format!("{vrf} is no VRF, so nobody can be in it")));
            }
        }
        self.adjust_virtual_links(&mut changed);
        changed
    }

    /// Removes virtual interfaces that are not wanted. Comes after [`introduce`](Self::introduce).
    pub(crate) fn remove_virtual_links(&mut self) -> Changed {
        let before = self.links.clone();
        let Self { netlink, links, indexes, virtual_links, .. } = self;
        let adjusted = virtual_links.remove_unwanted(netlink, links, |index| indexes.contains(&Some(index)));
        let mut changed = Changed::default();
        self.note_adjusted(adjusted, &before, &mut changed);
        changed
    }

    fn adjust_virtual_links(&mut self, changed: &mut Changed) {
        if self.virtual_links.are_none() {
            return;
        }
        let before = self.links.clone();
        let adjusted = self.virtual_links.make(&mut self.netlink, &mut self.links);
        self.note_adjusted(adjusted, &before, changed);
    }

    fn note_adjusted(&mut self, adjusted: Adjusted, before: &BTreeMap<u32, Link>, changed: &mut Changed) {
        let Adjusted { changed: links, remade, addressed, gone, told, failures } = adjusted;
        for index in gone {
            self.addresses.retain(|(link, _, _), _| *link != index);
            self.ours.retain(|(link, _, _)| *link != index);
            changed.gone.push(index);
        }
        if links {
            let indexes: BTreeSet<&u32> = before.keys().chain(self.links.keys()).collect();
            for index in indexes {
                self.routing.note_link(before.get(index), self.links.get(index));
            }
        }
        if addressed {
            self.look_for_addresses(changed);
        }
        changed.links |= links;
        changed.addresses |= links;
        if remade {
            changed.missing = Some(Loss::TakenAway);
        }
        changed.told.extend(told);
        changed.failures.extend(failures);
    }

    /// Finds the engine's interfaces among the machine's, and with them what we may ever hold. After a reconfiguration, it
    /// comes before anything is carried out.
    pub(crate) fn assign_indexes(&mut self, engine: &Engine) {
        let index = |name: &str| self.find(name);
        let indexes = engine.links().iter().map(|name| index(name)).collect();
        let known = engine
            .config()
            .routers
            .iter()
            // An owner's addresses are the machine's own and not ours to remove.
            .filter(|router| !router.priority.is_address_owner())
            .flat_map(|router| {
                let addresses = router.addresses.iter().chain(&router.excluded_addresses);
                addresses.map(|address| (address.link.as_ref().unwrap_or(&router.link), address))
            })
            .filter_map(|(name, address)| Some((index(name)?, address.address, address.prefix)))
            .collect();
        (self.indexes, self.known) = (indexes, known);
    }

    /// Says on which interfaces we cannot hear; what the engine must learn from it comes back.
    pub(crate) fn set_deaf(&mut self, deaf: BTreeSet<u32>) -> Vec<Input<'static>> {
        let before = std::mem::replace(&mut self.deaf, deaf);
        let changed: Vec<u32> = before.symmetric_difference(&self.deaf).copied().collect();
        let ids = changed.into_iter().map(|index| self.id_of(index)).filter(|id| *id != UNMENTIONED);
        ids.map(|id| self.state_of(id)).collect()
    }

    /// Hears what polled interfaces have answered; what the engine must learn from it comes back.
    pub(crate) fn set_beats(&mut self, beats: Beats) -> Vec<Input<'static>> {
        let before = std::mem::replace(&mut self.beats, beats);
        let names = before.keys().chain(self.beats.keys());
        let changed: BTreeSet<&str> =
            names.filter(|name| before.get(*name) != self.beats.get(*name)).map(String::as_str).collect();
        let links = self.links.values().filter(|link| changed.contains(&*link.name)).map(|link| link.index);
        let touched: BTreeSet<u32> = links.chain(self.virtual_links.standing_on(&changed)).collect();
        let ids = touched.into_iter().map(|index| self.id_of(index)).filter(|id| *id != UNMENTIONED);
        ids.map(|id| self.state_of(id)).collect()
    }

    /// Whether the link of an interface is there: as it says itself if it is polled, otherwise as the kernel does.
    fn is_running(&self, link: &Link) -> bool {
        self.beats.get(&link.name).map_or(link.running, |beat| beat.up)
    }

    fn state_of(&self, link: LinkId) -> Input<'static> {
        let index = self.index_of(link);
        if index == Some(ANYWHERE) {
            return Input::Link { link, state: Some(self.state_of_all()) };
        }
        let state = index.and_then(|index| self.links.get(&index)).map(|link| LinkState {
            up: self.works(link),
            deaf: self.deaf.contains(&link.index),
            addresses: self.own_addresses(|index| index == link.index),
            tentative: self.tentative_addresses(|index| index == link.index),
        });
        Input::Link { link, state }
    }

    /// Who runs on no interface in particular does so as long as it can be heard.
    fn state_of_all(&self) -> LinkState {
        LinkState {
            up: true,
            deaf: self.deaf.contains(&ANYWHERE),
            addresses: self.own_addresses(|_| true),
            tentative: self.tentative_addresses(|_| true),
        }
    }

    /// Whether packets come and go. An instance minds the interface below its own virtual one by itself.
    fn works(&self, link: &Link) -> bool {
        let Some(wish) = self.virtual_links.of_index(link.index) else { return link.up && self.is_running(link) };
        let base = self.links.values().find(|link| link.name == *wish.base);
        link.up && (!wish.needs_base || base.is_some_and(|base| base.up && self.is_running(base)))
    }

    /// A source address may be on any interface.
    fn all_addresses(&self) -> Input<'static> {
        Input::OtherAddresses(self.own_addresses(|_| true))
    }

    /// Whether the machine is a router of IPv6 on an interface.
    pub(crate) fn forwards_ipv6(&self, index: u32) -> bool {
        let read = |link: &Link| Sysctl::of_ipv6_link(&link.name, "forwarding").read();
        let value = self.links.get(&index).map(read);
        // Who has no IPv6 forwards nothing.
        matches!(value, Some(Ok(Some(value))) if value != "0")
    }

    /// Addresses that are not ours to move and can be used, in the kernel's order: primary ones first, older ones first.
    fn own_addresses(&self, on: impl Fn(u32) -> bool) -> Vec<IpAddr> {
        let is_usable = |address: &Address| !address.is_tentative() && !address.is_duplicate();
        let is_own = |address: &Address| on(address.link) && is_usable(address) && !self.moves(address);
        let mut own: Vec<&Held> = self.addresses.values().filter(|held| is_own(&held.address)).collect();
        own.sort_by_key(|held| (held.address.is_secondary() || held.address.is_temporary(), held.order));
        own.into_iter().map(|held| held.address.address).collect()
    }

    /// Those that interfaces will have soon.
    fn tentative_addresses(&self, on: impl Fn(u32) -> bool) -> Vec<IpAddr> {
        let addresses = self.addresses.values().map(|held| &held.address);
        let tentative = addresses.filter(|address| on(address.link) && address.is_tentative());
        tentative.filter(|address| !self.moves(address)).map(|address| address.address).collect()
    }

    /// Whether an address is ours to move: nobody may take it for the machine's own.
    fn moves(&self, address: &Address) -> bool {
        let key = key(address);
        (address.is_marked() || self.ours.contains(&key)) && !self.statics.contains(&key)
    }

    /// Takes in everything that the kernel has told since the last call.
    pub(crate) fn receive(&mut self, engine: &Engine) -> linux::Result<Changed> {
        let mut changes = std::mem::take(&mut self.changes);
        self.monitor.receive(&mut changes)?;
        let mut changed = Changed::default();
        if self.astray || changes.iter().any(|change| matches!(change, Change::Lost)) {
            // What was told before the look is older than what the look shows.
            let doubtful_renewal = self.astray;
            let gone = changes.drain(..).filter_map(|change| match change {
                Change::AddressGone(address) if doubtful_renewal => Some(key(&address)),
                _ => None,
            });
            changed.returned = gone.filter(|key| self.ours.contains(key)).collect();
            changed.failures.extend(self.look().err());
            changed.returned.retain(|key| self.addresses.contains_key(key));
            self.routing.distrust();
            let of_ipv6: BTreeSet<u32> =
                self.addresses.keys().filter(|(_, address, _)| address.is_ipv6()).map(|(link, ..)| *link).collect();
            changed.readmitted = of_ipv6.into_iter().filter(|link| self.readmits(*link)).collect();
            (changed.links, changed.addresses) = (true, true);
        }
        let mut touched = BTreeSet::new();
        let mut missing = BTreeSet::new();
        let mut links_told = changed.links;
        for change in changes.drain(..) {
            match change {
                Change::Link(link) => {
                    let before = self.links.insert(link.index, link.clone());
                    self.routing.note_link(before.as_ref(), Some(&link));
                    let renamed = before.as_ref().is_some_and(|before| before.name != link.name);
                    changed.links |= before.is_none() || renamed;
                    if link.mtu < MTU_OF_IPV6 {
                        self.bare.insert(link.index);
                    }
                    links_told = true;
                    touched.insert(link.index);
                }
                Change::LinkGone { index, .. } => {
                    let before = self.links.remove(&index);
                    self.routing.note_link(before.as_ref(), None);
                    self.addresses.retain(|(link, _, _), _| *link != index);
                    self.ours.retain(|(link, _, _)| *link != index);
                    self.bare.remove(&index);
                    changed.links = true;
                    links_told = true;
                    changed.gone.push(index);
                }
                Change::Address(address) => {
                    if self.tell_addresses && !self.addresses.contains_key(&key(&address)) {
                        let name = self.name_of(address.link);
                        changed.told.push((
                            Severity::Info,
                            format!("Netlink: address {}/{} appeared on {name}", address.address, address.prefix),
                        ));
                    }
                    if !self.moves(&address) {
                        touched.insert(address.link);
                    }
                    if address.address.is_ipv6() && self.readmits(address.link) {
                        changed.readmitted.push(address.link);
                        changed.links = true;
                    }
                    // The kernel tells at once that one of IPv6 is gone, and later that it is there again.
                    let key = key(&address);
                    changed.addresses |= self.ours.contains(&key) && !self.addresses.contains_key(&key);
                    self.keep(address);
                }
                Change::AddressGone(address) => {
                    if self.tell_addresses {
                        let name = self.name_of(address.link);
                        changed.told.push((
                            Severity::Info,
                            format!("Netlink: address {}/{} vanished from {name}", address.address, address.prefix),
                        ));
                    }
                    if !address.is_marked() || self.statics.contains(&key(&address)) {
                        touched.insert(address.link);
                    }
                    // With an address go the routes that prefer it as a source, and with the last one all of them.
                    let known = self.addresses.remove(&key(&address)).is_some();
                    self.routing.distrust_if(known);
                    missing.insert((address.link, address.address));
                }
                Change::Route(route) => self.routing.note_route(route),
                Change::RouteGone(route) => self.routing.note_route_gone(&route),
                Change::Rule(rule) => self.routing.note_rule(rule),
                Change::RuleGone(rule) => self.routing.note_rule_gone(&rule),
                // Handled above.
                Change::Lost => {}
            }
        }
        self.changes = changes;
        if links_told || self.virtual_links.is_unfinished() {
            // Before the engine hears of it: what is there again was never away.
            self.adjust_virtual_links(&mut changed);
            let names =
                touched.iter().filter_map(|index| self.links.get(index)).map(|link| link.name.as_str()).collect();
            let above: Vec<u32> = self.virtual_links.standing_on(&names).collect();
            touched.extend(above);
        }
        if !missing.is_empty() {
            // Before the engine hears of it, too: a router that cannot speak gives its role up.
            self.restore_own_addresses(&mut changed);
            let now = clock::boot_time();
            self.lifetimes.held_changed(now);
            let desired = engine.desired();
            let is_missing =
                |link, address| self.index_of(link).is_some_and(|index| missing.contains(&(index, address)));
            let mut tracked = desired.addresses.iter().filter(|desired| desired.tracked);
            if tracked.any(|desired| is_missing(desired.link, desired.address)) {
                let overdue = self.lifetimes.is_overdue(now);
                changed.missing = Some(if overdue { Loss::Expired } else { Loss::TakenAway });
                changed.addresses = true;
            }
        }
        changed.addresses |= self.routing.is_stale();
        if changed.links {
            // An interface that went away took our addresses along; one that came back has none.
            changed.addresses = true;
            changed.inputs = self.introduce(engine);
        } else if !touched.is_empty() {
            changed.inputs.push(self.all_addresses());
            touched.insert(ANYWHERE);
            let ids = touched.into_iter().map(|index| self.id_of(index)).filter(|id| *id != UNMENTIONED);
            changed.inputs.extend(ids.map(|id| self.state_of(id)));
        }
        Ok(changed)
    }

    /// Whether an interface that has an address of IPv6 had lost all that is of IPv6 before. It is asked then and not as soon
    /// as packets are large enough again: that is told before the kernel is ready for groups.
    fn readmits(&mut self, link: u32) -> bool {
        let is_large = self.links.get(&link).is_some_and(|link| link.mtu >= MTU_OF_IPV6);
        is_large && self.bare.remove(&link)
    }

    /// Puts back what virtual interfaces have all the time.
    fn restore_own_addresses(&mut self, changed: &mut Changed) {
        let mut restored = false;
        for (link, address, prefix) in self.virtual_links.own_addresses() {
            if self.addresses.contains_key(&(link, address, prefix)) {
                continue;
            }
            let name = self.name_of(link);
            let text = format!("{address}/{prefix} was missing from {name} and has been put back");
            match self.netlink.add_unmarked_address(link, address, prefix) {
                Ok(()) => {
                    restored = true;
                    changed.told.push((Severity::Warning, text));
                }
                Err(error) => changed.failures.push(error),
            }
        }
        if restored {
            self.look_for_addresses(changed);
        }
    }

    /// Takes those into the picture that have just been added.
    fn look_for_addresses(&mut self, changed: &mut Changed) {
        match self.netlink.addresses() {
            Ok(addresses) => addresses.into_iter().for_each(|address| self.keep(address)),
            Err(error) => changed.failures.push(error),
        }
    }

    /// Brings addresses, routes and rules to what is desired: in one batch, first away with what depends on something,
    /// then in with what something depends on.
    pub(crate) fn reconcile(&mut self, desired: &Desired) -> Reconciled {
        let mut reconciled = Reconciled::default();
        // A second time if something turns out to be otherwise than the picture says.
        for _ in 0..2 {
            reconciled.failures.clear();
            let plan = self.routing.plan(&mut self.netlink, desired, &self.links);
            let Plan { removals, additions } = plan.unwrap_or_else(|error| {
                self.routing.distrust();
                reconciled.failures.push(error);
                Plan::default()
            });
            let mut addresses = self.plan_addresses(desired);
            self.put_back_what_goes_along(&mut addresses);
            let loses_some = addresses.iter().any(|operation| matches!(operation, AddressOperation::Remove { .. }));
            let addresses = addresses.into_iter().map(Operation::Address);
            let operations: Vec<Operation> = removals.into_iter().chain(addresses).chain(additions).collect();
            self.apply(&operations, &mut reconciled);
            // Routes may have gone with an address.
            self.routing.distrust_if(loses_some);
            if !self.routing.is_stale() {
                break;
            }
        }
        self.routing.end_round();
        if !reconciled.failures.is_empty() {
            self.routing.try_again();
        }
        reconciled.ask_again = self.routing.leans_on_others() || self.routing.is_stale();
        reconciled.incomplete = self.routing.incomplete_groups();
        let absent = desired.addresses.iter().filter(|address| {
            let key = self.index_of(address.link).map(|link| (link, address.address, address.prefix));
            address.tracked && !key.is_some_and(|key| self.addresses.contains_key(&key))
        });
        reconciled.incomplete.extend(absent.filter_map(|address| address.group.clone()));
        reconciled
    }

    /// The picture may be wrong: the next [`receive`](Self::receive) looks at the machine.
    pub(crate) fn distrust(&mut self) {
        self.astray = true;
    }

    fn apply(&mut self, operations: &[Operation], reconciled: &mut Reconciled) {
        if operations.is_empty() {
            return;
        }
        let mut look_again = false;
        let now = clock::boot_time();
        let answers = self.netlink.apply_all(operations);
        for (operation, answer) in operations.iter().zip(answers) {
            match (operation, answer) {
                (Operation::Address(AddressOperation::Add(added)), Ok(Applied::Done)) => {
                    let address = as_held(added);
                    self.ours.insert(key(&address));
                    self.deprecated_at.extend(deprecation(added, now).map(|at| (key_of(added), at)));
                    self.keep(address);
                    reconciled.added.push(added.clone());
                }
                (Operation::Address(AddressOperation::Remove { link, address, prefix, .. }), Ok(applied)) => {
                    let key = (*link, *address, *prefix);
                    let is_marked = self.addresses.get(&key).is_some_and(|held| held.address.is_marked());
                    if applied == Applied::Done && !is_marked && !self.ours.contains(&key) {
                        let text = format!(
                            "{address}/{prefix} was on {}, where it is a virtual address of this configuration, and this daemon \
                             had not put it there; it has been taken away",
                            self.name_of(*link)
                        );
                        reconciled.told.push((Severity::Warning, text));
                    }
                    self.ours.remove(&key);
                    self.deprecated_at.remove(&key);
                    self.addresses.remove(&key);
                }
                (Operation::Address(AddressOperation::PutBack(address)), Ok(Applied::Done)) => {
                    let name = self.name_of(address.link);
                    let text = format!(
                        "{}/{} went from {name} with a virtual address of its network and has been put back",
                        address.address, address.prefix
                    );
                    reconciled.told.push((Severity::Warning, text));
                    self.keep(address.clone());
                }
                // It has not gone along, or the interface has gone altogether.
                (Operation::Address(AddressOperation::PutBack(_)), Ok(_)) => {}
                // An event that was under way while we acted has led the picture astray.
                (Operation::Address(AddressOperation::Add(_)), Ok(Applied::AlreadyThere | Applied::AlreadyGone)) => {
                    look_again = true
                }
                (operation @ (Operation::Route(_) | Operation::Rule(_)), Ok(applied)) => {
                    let links = &self.links;
                    let name = |index| links.get(&index).map_or_else(|| "?".to_owned(), |link| link.name.clone());
                    reconciled.restored.extend(self.routing.note_answer(operation, applied, name));
                }
                (_, Err(error)) => reconciled.failures.push(error),
            }
        }
        if look_again && let Err(error) = self.look() {
            reconciled.failures.push(error);
        }
    }

    /// Removes everything that we have added, whatever anybody desires: the last thing on every way out. What was done
    /// about interfaces comes back, and what was refused.
    pub(crate) fn withdraw_everything(&mut self) -> (Vec<(Severity, String)>, Vec<linux::Error>) {
        let remove = |key: &Key| {
            let (link, address, prefix) = *key;
            let peer = self.addresses.get(key).and_then(|held| held.address.peer);
            AddressOperation::Remove { link, address, prefix, peer }
        };
        let mut addresses: Vec<AddressOperation> = self.ours.iter().map(remove).collect();
        self.put_back_what_goes_along(&mut addresses);
        let mut operations = self.routing.everything_away();
        operations.extend(addresses.into_iter().map(Operation::Address));
        let mut reconciled = Reconciled::default();
        self.apply(&operations, &mut reconciled);
        let Reconciled { mut told, mut failures, .. } = reconciled;
        let removed = self.virtual_links.remove_all(&mut self.netlink, &mut self.links);
        failures.extend(removed.failures);
        told.extend(removed.told);
        (told, failures)
    }
}

fn key(address: &Address) -> Key {
    (address.link, address.address, address.prefix)
}

/// What the kernel has after an addition, until its own event says so.
fn as_held(added: &WantedAddress) -> Address {
    Address {
        link: added.link,
        address: added.address,
        prefix: added.prefix,
        scope: added.scope,
        label: added.label.clone(),
        broadcast: added.broadcast,
        peer: added.peer,
        protocol: Some(OUR_MARK),
        flags: added.flags,
        seconds_left: match added.lifetime {
            Lifetime::Seconds(seconds) => Some(seconds.get()),
            Lifetime::Unlimited => None,
        },
    }
}
