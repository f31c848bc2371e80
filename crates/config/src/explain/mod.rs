//! What a configuration will do, and when: plain sentences with the worst cases, for `tanist explain`.
//!
//! The formulas of the protocol are the engine's own; what is added here is only how often a check looks.

mod checks;
mod figures;
mod page;
mod service;

use std::collections::BTreeSet;
use std::time::Duration;

use engine::vrrp::timers::{longest_succession, skew_time};
use engine::{Name, RouterConfig, Transport, Weight};

use self::page::{Page, every, list, range, seconds};
use crate::settings::{AddressLifetime, Command, Instance, MailTls, Notify, NotifyScript, Pair, Service, Settings};

/// Everything there is to say about one node's file.
#[must_use]
pub fn explain(settings: &Settings) -> String {
    let mut page = Page::default();
    about_the_other_node(settings, &mut page);
    start_and_stop(settings, &mut page);
    for instance in &settings.instances {
        about_instance(settings, instance, &mut page);
        for name in &instance.router.services {
            if let Some(service) = settings.services.iter().find(|service| service.service.name == *name) {
                service::about(settings, instance, service, &mut page);
            }
        }
    }
    page.finish()
}

fn about_the_other_node(settings: &Settings, page: &mut Page) {
    page.heading("This is what one node does by this file. The other node does what its own file says.");
    match &settings.pair {
        Some(Pair { paths, heartbeat, dead_after, .. }) => {
            let ways: Vec<String> = paths.iter().map(|path| path.peer.to_string()).collect();
            page.point(&format!(
                "The other Tanist is at {}. The nodes tell each other everything every {} and at each change, and \
                 hand over in order: the old side has let go before the new one begins.",
                list(&ways),
                seconds(*heartbeat)
            ));
            page.point(&format!(
                "Silence of {} on every way and in VRRP means that the other node is dead. Two nodes alone cannot \
                 tell a dead node from a cut cable: when every way is cut, both become Active. When it is mended, the \
                 worse of the two stops its services and gives way.",
                seconds(*dead_after)
            ));
            page.point(
                "While they run, the nodes compare what both should be told alike. A difference is shown on both, and \
                 hinders nothing.",
            );
        }
        None if settings.services.is_empty() => {}
        None => page.point(
            "There is no `pair`: the other node hears VRRP and nothing else. A node that resigns stops its services \
             first; a node that takes over by a higher priority does not wait for the other's to end.",
        ),
    }
}

/// What is not an instance's own.
fn start_and_stop(settings: &Settings, page: &mut Page) {
    let (global, process) = (&settings.global, &settings.process);
    if let Some(startup) = &global.startup {
        page.point(&format!(
            "The daemon starts: {} runs before everything else, which waits for it up to {}.",
            command(&startup.script.command),
            seconds(startup.timeout)
        ));
    }
    if !process.delay_after_boot.is_zero() {
        page.point(&format!(
            "The machine boots: nothing happens here before {} after that.",
            seconds(process.delay_after_boot)
        ));
    }
    if !process.startup_delay.is_zero() {
        page.point(&format!(
            "The daemon has started: for {} it takes no notice of advertisements, and takes over from nobody.",
            seconds(process.startup_delay)
        ));
    }
    if let Some(shutdown) = &global.shutdown {
        page.point(&format!(
            "The daemon stops: {} runs when everything else is done, for at most {}.",
            command(&shutdown.script.command),
            seconds(shutdown.timeout)
        ));
    }
}

fn about_instance(settings: &Settings, instance: &Instance, page: &mut Page) {
    let router = &instance.router;
    page.heading(&format!(
        "{}: virtual router {}{}, version {}, priority {}, an advertisement every {}",
        router.name,
        router.vrid,
        if router.is_anywhere() { String::new() } else { format!(" on {}", router.link) },
        router.version.number(),
        router.priority,
        seconds(router.advertisement_interval.as_duration())
    ));
    what_moves(router, page);
    the_mac_address(settings, instance, page);
    the_group(settings, router, page);
    the_role(settings, router, page);
    a_dead_node(settings, router, page);
    a_resignation(settings, router, page);
    links(settings, instance, page);
    a_dead_daemon(settings, router, page);
    tracked_checks(settings, router, page);
    hooks(settings, instance, page);
}

fn what_moves(router: &RouterConfig, page: &mut Page) {
    let addresses = router.addresses.iter().chain(&router.excluded_addresses);
    let mut moves: Vec<String> = Vec::new();
    for address in addresses.map(|address| format!("{}/{}", address.address, address.prefix)) {
        // One that is advertised twice is there once.
        if !moves.contains(&address) {
            moves.push(address);
        }
    }
    const MOST: usize = 6;
    if moves.len() > MOST {
        let more = moves.len() - MOST;
        moves.truncate(MOST);
        moves.push(format!("{more} more address{}", if more == 1 { "" } else { "es" }));
    }
    for (count, what) in [(router.routes.len(), "route"), (router.rules.len(), "policy rule")] {
        match count {
            0 => {}
            1 => moves.push(format!("1 {what}")),
            more => moves.push(format!("{more} {what}s")),
        }
    }
    moves.extend(router.services.iter().map(|service| format!("the service {service}")));
    let to = match &router.transport {
        Transport::Multicast { group, .. } => format!("the group {group}"),
        Transport::Unicast { peers, .. } => list(&peers.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let moves = if moves.is_empty() { "Nothing".to_owned() } else { list(&moves) };
    page.point(&format!("On the Active node only: {moves}. Advertisements go to {to}."));
}

/// What neighbours need not learn anew.
fn the_mac_address(settings: &Settings, instance: &Instance, page: &mut Page) {
    let Some(own) = &instance.virtual_mac else { return };
    let Some(link) = settings.virtual_links.iter().find(|link| link.name == own.link) else { return };
    let Some(mac) = link.mac() else { return };
    let mac = mac.map(|octet| format!("{octet:02x}")).join(":");
    let leave = if own.speaks { "and advertisements leave by it" } else { "and advertisements leave by the latter" };
    page.point(&format!(
        "Neighbours know its addresses by the MAC address {mac}, whichever node is Active. They are on {} on top of {}, {leave}.",
        link.name, link.base
    ));
}

fn the_group(settings: &Settings, router: &RouterConfig, page: &mut Page) {
    let Some(group) = settings.group_of(router) else { return };
    let others = group.group.members.iter().filter(|member| **member != router.name);
    let others: Vec<String> = others.map(ToString::to_string).collect();
    if others.is_empty() {
        return;
    }
    page.point(&format!(
        "It is Active together with {} or not at all (sync group {}): a FAULT of one is a FAULT of all, and a take-over \
         waits until all of them may.",
        list(&others),
        group.group.name
    ));
}

fn the_role(settings: &Settings, router: &RouterConfig, page: &mut Page) {
    let services: Vec<&Service> =
        settings.services.iter().filter(|service| router.services.contains(&service.service.name)).collect();
    let by_hand = services.iter().any(|service| service.service.failback == engine::Failback::Manual);
    let text = if router.priority.is_address_owner() {
        "Priority 255, the address owner: this node takes the role whenever it can.".to_owned()
    } else if by_hand {
        "A node that is Active stays so until it is gone, has let go, or `tanist switch` says otherwise.".to_owned()
    } else if !router.preempt_mode {
        "A node that is Active stays so. This node takes over only from one that is gone or has let go.".to_owned()
    } else {
        let when = if router.preempt_delay.is_zero() {
            "as soon as it is ready".to_owned()
        } else {
            format!("{} after it has heard it", seconds(router.preempt_delay))
        };
        let how = if settings.pair.is_some() { ", in order: the other side has let go first" } else { "" };
        format!("The highest priority wins. This node takes over from a lower one {when}{how}.")
    };
    page.point(&text);
}

fn a_dead_node(settings: &Settings, router: &RouterConfig, page: &mut Page) {
    let RouterConfig { version, priority, advertisement_interval: interval, .. } = *router;
    let silence = router.active_down_interval(priority, interval);
    let between = silence.saturating_sub(interval.as_duration())..=silence;
    let by_vrrp = format!(
        "this node takes over {} later: {} × {} and {} after its last advertisement",
        range(&between),
        router.deviations.missed_advertisements,
        seconds(interval.as_duration()),
        seconds(skew_time(version, priority, interval))
    );
    let text = match &settings.pair {
        Some(pair) => {
            let least = pair.dead_after.saturating_sub(pair.heartbeat);
            format!(
                "The Active node loses power or crashes: {} later the other one has missed it and takes over. From a \
                 node without Tanist, {by_vrrp}.",
                range(&(least..=pair.dead_after))
            )
        }
        None => format!(
            "The Active node loses power or crashes: {by_vrrp}. From this node the other one takes over after at \
             most {}, the sooner the higher its priority.",
            seconds(longest_silence(router))
        ),
    };
    page.point(&text);
}

/// What the node of the lowest priority waits.
fn longest_silence(router: &RouterConfig) -> Duration {
    router.active_down_interval(engine::Priority::new(1), router.advertisement_interval)
}

fn a_resignation(settings: &Settings, router: &RouterConfig, page: &mut Page) {
    let RouterConfig { version, priority, advertisement_interval: interval, .. } = *router;
    let skew = seconds(skew_time(version, priority, interval));
    page.point(&match &settings.pair {
        Some(_) => format!(
            "The Active node is stopped, or has a fault: it hands over to a ready standby at once. From a node without \
             Tanist, this node takes over {skew} later."
        ),
        None => format!(
            "The Active node resigns, because it is stopped or has a fault: this node takes over {skew} later. After \
             this node, the other one does within {}.",
            seconds(skew_time(version, engine::Priority::new(1), interval))
        ),
    });
    if !router.addresses.is_empty() {
        page.point(&format!(
            "This daemon is stopped while Active: its addresses go with the successor's first advertisement, at the \
             latest {} after the goodbye.",
            seconds(longest_succession(version, interval))
        ));
    }
}

fn links(settings: &Settings, instance: &Instance, page: &mut Page) {
    let router = &instance.router;
    let faults = router.track_links.iter().filter(|tracked| matches!(tracked.weight, Weight::Fault));
    let mut names: Vec<&Name> = faults.map(|tracked| &tracked.link).collect();
    if !router.ignore_own_link && !router.is_anywhere() {
        names.insert(0, &router.link);
    }
    if !names.is_empty() {
        let or = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let noticed = noticed(settings, instance, &names);
        let silent = if settings.pair.is_some() {
            "The other node hears of it on any way that is left, and takes over at once; without one, as from a \
             dead node."
        } else if router.ignore_own_link {
            "The other node takes over as after a resignation."
        } else {
            "A goodbye cannot leave by a dead link: there the other node takes over as from a dead node."
        };
        page.point(&format!("The link of {or} goes down: {noticed}, this node goes to FAULT and lets go. {silent}"));
    }
    for tracked in router.track_links.iter().filter(|tracked| tracked.weight == Weight::ReversedFault) {
        let (link, noticed) = (&tracked.link, noticed(settings, instance, &[&tracked.link]));
        page.point(&format!(
            "The link of {link} is reversed: while it is up this node is in FAULT. When it changes, {noticed}."
        ));
    }
    let weighed = router.track_links.iter().map(|tracked| &tracked.link);
    for link in std::iter::once(&router.link).chain(weighed).collect::<BTreeSet<_>>() {
        if let Some(delay) = settings.link_delays.get(link) {
            page.point(&format!(
                "Of {link} only that counts which lasts: down for {}, up for {}.",
                seconds(delay.down),
                seconds(delay.up)
            ));
        }
    }
    for tracked in &router.track_links {
        if let Some(consequence) = checks::priority_consequence(router, tracked.weight) {
            let noticed = noticed(settings, instance, &[&tracked.link]);
            page.point(&format!("The link of {} goes down: {noticed}. {consequence}", tracked.link));
        }
    }
}

/// How fast a change of one of these links is known.
fn noticed(settings: &Settings, instance: &Instance, links: &[&Name]) -> String {
    let beats = &settings.link_beats;
    let is_polled = |link: &Name| {
        beats.everywhere || beats.links.contains_key(link) || (instance.polls_link && *link == instance.router.link)
    };
    let polled: Vec<String> = links.iter().filter(|link| is_polled(link)).map(ToString::to_string).collect();
    match polled.len() {
        0 => "the kernel tells at once".to_owned(),
        some if some == links.len() => "it is asked once a second".to_owned(),
        _ => format!("the kernel tells at once ({} is asked once a second)", list(&polled)),
    }
}

fn a_dead_daemon(settings: &Settings, router: &RouterConfig, page: &mut Page) {
    let addresses = router.addresses.len() + router.excluded_addresses.len();
    if addresses == 0 {
        return;
    }
    let text = match settings.address_lifetime(router) {
        Some(lifetime) => {
            let lifetime = Duration::from_secs(u64::from(lifetime));
            let why = match settings.global.address_lifetime {
                AddressLifetime::Derived => " (`address_lifetime` changes that)",
                AddressLifetime::Seconds(_) | AddressLifetime::Unlimited => "",
            };
            let worst = lifetime + Duration::from_millis(500);
            format!(
                "Only the daemon dies or hangs: its addresses leave this node by themselves after {}, at the latest \
                 {}{why}.",
                seconds(lifetime),
                seconds(worst)
            )
        }
        None => "Only the daemon dies or hangs: its addresses stay on this node for ever (`address_lifetime \
                 unlimited`), also when the other node has them."
            .to_owned(),
    };
    page.point(&text);
    if !router.routes.is_empty() || !router.rules.is_empty() {
        // The kernel knows no lifetime for them.
        page.point("Its routes and rules stay until the daemon runs again, which finds them and puts them right.");
    }
}

fn tracked_checks(settings: &Settings, router: &RouterConfig, page: &mut Page) {
    for tracked in &router.track_scripts {
        if let Some(script) = settings.scripts.iter().find(|script| script.checking.name == tracked.script) {
            checks::about_script(router, script, tracked.weight, page);
        }
    }
    if !router.track_scripts.is_empty() {
        page.point(
            "Each node runs the checks of its own file and weighs its own results; the two need not be equal. A run is told \
             its role in TANIST_ROLE.",
        );
    }
    for tracked in &router.trackers {
        if let Some(tracker) = settings.trackers.iter().find(|tracker| tracker.figure.id() == tracked.tracker) {
            figures::about(router, tracker, tracked.weight, page);
        }
    }
    let in_group = settings.group_of(router).is_some_and(|group| group.group.members.len() > 1);
    if router.track_scripts.is_empty() && router.trackers.is_empty() && router.services.is_empty() && !in_group {
        page.point("No check runs for it on this node: nothing that breaks behind the network moves it.");
    }
}

/// What is told of changes, and when.
fn hooks(settings: &Settings, instance: &Instance, page: &mut Page) {
    scripts("it", &instance.notify, page);
    if let Some(group) = settings.group_of(&instance.router) {
        scripts(&format!("the sync group {}", group.group.name), &group.notify, page);
    }
    let global = &settings.global;
    for fifo in [&global.notify_fifo, &global.vrrp_notify_fifo].into_iter().flatten() {
        let path = fifo.path.display();
        let also = if instance.tells_priority { ", and each change of its priority," } else { "" };
        page.point(&format!("Each change of its state{also} is a line for whoever reads {path}."));
    }
    if let (true, Some((host, port)), false) = (instance.mails, &global.mail.server, global.mail.recipients.is_empty())
    {
        let but = if global.mail.no_faults { ", but for faults," } else { "" };
        let to = global.mail.recipients.join(", ");
        let through = if global.mail.tls == MailTls::Off { "" } else { ", through TLS or not at all" };
        page.point(&format!(
            "Each change of its state{but} is mailed to {to} by way of {host} (port {port}){through}."
        ));
    }
}

/// Who is run when `who` changes.
fn scripts(who: &str, notify: &Notify, page: &mut Page) {
    let kinds: [(&str, &Option<NotifyScript>); 7] = [
        ("becomes MASTER", &notify.active),
        ("becomes BACKUP", &notify.backup),
        ("goes to FAULT", &notify.fault),
        ("stops", &notify.stop),
        ("is deleted by a reload", &notify.deleted),
        ("hears a lower priority while MASTER", &notify.active_heard_lower_priority),
        ("changes", &notify.any),
    ];
    for (when, script) in kinds {
        if let Some(script) = script {
            page.point(&format!("When {who} {when} on this node, {} runs.", command(&script.command)));
        }
    }
}

/// A command as short as it can be recognised.
fn command(command: &Command) -> String {
    match command {
        Command::Program(words) => format!("`{}`", words.join(" ")),
        Command::Shell(line) => format!("`sh -c \"{line}\"`"),
        Command::ReadFile(path) => format!("a look at {}", path.display()),
    }
}

/// `1 h` or so, for what runs again and again.
fn again(interval: Duration) -> String {
    format!("every {}", every(interval))
}
