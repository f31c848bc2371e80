//! Writes settings as a configuration again, with stand-ins in place of every script: so a rehearsal touches nothing
//! that the real scripts would. What keepalived does not say in one word is left out where it is the default.

use std::fmt::Write;
use std::time::Duration;

use config::{AddressLifetime, Instance, NotifyScript, Settings, StatedRole};
use engine::{
    AnnouncePolicy, Authentication, ChecksumPolicy, Deviations, Name, RouterConfig, Transport, Version, Weight, When,
};

use super::pair::HostFile;
use crate::lab::HOST_DIR;

mod services;

/// A configuration that runs no script of its user's.
#[derive(Clone, Debug, Default)]
pub(crate) struct StandInText {
    pub(crate) text: String,
    /// Files that stand in for checks, in the order of the settings' scripts.
    pub(crate) checks: Vec<String>,
    /// Files that stand in for notifications.
    pub(crate) recorders: Vec<String>,
    /// What else must be there.
    pub(crate) others: Vec<HostFile>,
    /// Whether it may use words that only Tanist knows.
    own_words: bool,
}

/// The settings as text, every script replaced. Of the services, a collector plays the part of the one that is
/// `watched`.
pub(crate) fn with_stand_ins(settings: &Settings, watched: Option<&Name>, own_words: bool) -> StandInText {
    let mut out = StandInText { own_words, ..StandInText::default() };
    out.global(settings);
    if own_words {
        out.pair(settings);
        for service in &settings.services {
            out.service(service, watched == Some(&service.service.name));
        }
    }
    for script in &settings.scripts {
        let checking = &script.checking;
        let file = file_name("check", &checking.name);
        out.open(format_args!("vrrp_script {}", word(&checking.name)));
        out.line(format_args!("script \"{HOST_DIR}/{file}\""));
        out.line(format_args!("interval {}", seconds(checking.interval)));
        out.line(format_args!("timeout {}", seconds(checking.timeout)));
        out.line(format_args!("rise {}", checking.rise));
        out.line(format_args!("fall {}", checking.fall));
        out.line(format_args!("{}", weight(script.weight).trim_start()));
        if checking.init_fail {
            out.line(format_args!("init_fail"));
        }
        match checking.when {
            When::Both => {}
            When::Active => out.line(format_args!("when active")),
            When::Standby => out.line(format_args!("when standby")),
        }
        out.close();
        out.checks.push(file);
    }
    let delays: Vec<String> = settings
        .link_delays
        .iter()
        .map(|(link, delay)| format!("{link} {} {}", seconds(delay.down), seconds(delay.up)))
        .collect();
    out.list("interface_up_down_delays", &delays);
    for group in &settings.announce_groups {
        out.open(format_args!("garp_group"));
        out.line(format_args!("garp_interval {}", seconds(group.pacing)));
        out.line(format_args!("gna_interval {}", seconds(group.neighbour_pacing)));
        out.list("interfaces", &group.links);
        out.close();
    }
    for instance in &settings.instances {
        out.instance(instance);
    }
    out
}

impl StandInText {
    fn global(&mut self, settings: &Settings) {
        self.open(format_args!("global_defs"));
        if let Some(router_id) = &settings.global.router_id {
            self.line(format_args!("router_id {}", word(router_id)));
        }
        self.line(format_args!("script_user root"));
        match settings.global.address_lifetime {
            _ if !self.own_words => {}
            AddressLifetime::Derived => {}
            AddressLifetime::Seconds(seconds) => self.line(format_args!("address_lifetime {seconds}")),
            AddressLifetime::Unlimited => self.line(format_args!("address_lifetime unlimited")),
        }
        // Pacing can only be said for all instances together, so that is how it was read.
        let first = settings.instances.first().map(|instance| &instance.router.announce);
        if let Some(pacing) = first.map(|announce| announce.pacing).filter(|pacing| !pacing.is_zero()) {
            self.line(format_args!("vrrp_garp_interval {}", seconds(pacing)));
        }
        if let Some(pacing) = first.map(|announce| announce.neighbour_pacing).filter(|pacing| !pacing.is_zero()) {
            self.line(format_args!("vrrp_gna_interval {}", seconds(pacing)));
        }
        self.close();
    }

    fn instance(&mut self, instance: &Instance) {
        let router = &instance.router;
        self.open(format_args!("vrrp_instance {}", word(&router.name)));
        match instance.stated {
            Some(StatedRole::Active) => self.line(format_args!("state MASTER")),
            Some(StatedRole::Backup) | None => self.line(format_args!("state BACKUP")),
        }
        if !router.is_anywhere() {
            // Of a VRF, too: an interface plays its part.
            self.line(format_args!("interface {}", router.link));
        }
        self.line(format_args!("virtual_router_id {}", router.vrid));
        self.line(format_args!("priority {}", router.priority));
        self.line(format_args!("version {}", router.version.number()));
        self.line(format_args!("advert_int {}", seconds(router.advertisement_interval.as_duration())));
        if !router.preempt_mode {
            self.line(format_args!("nopreempt"));
        }
        if !router.preempt_delay.is_zero() {
            self.line(format_args!("preempt_delay {}", seconds(router.preempt_delay)));
        }
        if router.skip_check_adv_addr {
            self.line(format_args!("skip_check_adv_addr"));
        }
        if router.ignore_own_link {
            self.line(format_args!("dont_track_primary"));
        }
        self.transport(router);
        self.deviations(&router.deviations);
        match (&router.authentication, router.version) {
            (Authentication::SimplePassword(password) | Authentication::Header(password), Version::V2) => {
                let header = matches!(router.authentication, Authentication::Header(_));
                let password = String::from_utf8_lossy(&password[..]);
                self.open(format_args!("authentication"));
                self.line(format_args!("auth_type {}", if header { "AH" } else { "PASS" }));
                self.line(format_args!("auth_pass {}", word(password.trim_end_matches('\0'))));
                self.close();
            }
            // Nobody else is on the rehearsal's LAN, the keys are none of its business, and not every keepalived signs.
            (Authentication::Hmac(_) | Authentication::None, _)
            | (Authentication::SimplePassword(_) | Authentication::Header(_), Version::V3) => {}
        }
        self.list("virtual_ipaddress", &router.addresses);
        self.list("virtual_ipaddress_excluded", &router.excluded_addresses);
        self.list("virtual_routes", &router.routes);
        self.list("virtual_rules", &router.rules);
        if router.addresses.is_empty() {
            self.line(format_args!("no_virtual_ipaddress"));
        }
        if !instance.accept_mode {
            self.line(format_args!("no_accept"));
        }
        self.announcing(&router.announce);
        self.tracking(router);
        self.notifications(instance);
        if self.own_words {
            for service in &router.services {
                self.line(format_args!("service {}", word(service)));
            }
        }
        self.close();
    }

    fn transport(&mut self, router: &RouterConfig) {
        match &router.transport {
            Transport::Multicast { group, source } => {
                self.line(format_args!("mcast_dst_ip {group}"));
                if let Some(source) = source {
                    self.line(format_args!("mcast_src_ip {source}"));
                }
            }
            Transport::Unicast { source, peers, ttl } => {
                if let Some(source) = source {
                    self.line(format_args!("unicast_src_ip {source}"));
                }
                if *ttl != 255 {
                    self.line(format_args!("unicast_ttl {ttl}"));
                }
                if peers.is_empty() {
                    self.line(format_args!("unicast_fault_no_peer"));
                    return;
                }
                self.open(format_args!("unicast_peer"));
                for peer in peers {
                    let limits = router.deviations.peer_ttl.iter().find(|(limited, ..)| limited == peer);
                    match limits {
                        Some((_, least, most)) => self.line(format_args!("{peer} min_ttl {least} max_ttl {most}")),
                        None => self.line(format_args!("{peer}")),
                    }
                }
                self.close();
            }
        }
    }

    fn deviations(&mut self, deviations: &Deviations) {
        let default = Deviations::default();
        if deviations.missed_advertisements != default.missed_advertisements {
            self.line(format_args!("down_timer_adverts {}", deviations.missed_advertisements));
        }
        if let Some(priority) = deviations.others_priority {
            self.line(format_args!("timer_expired_backup {priority}"));
        }
        let switches = [
            ("lower_prio_no_advert", deviations.silent_winner),
            ("owner_ignore_adverts", deviations.owner_ignores_others),
            ("check_unicast_src", deviations.only_from_peers),
            ("higher_prio_send_advert off", deviations.silent_loser),
        ];
        for (words, _) in switches.iter().filter(|(_, said)| *said) {
            self.line(format_args!("{words}"));
        }
        match deviations.checksum {
            ChecksumPolicy::Automatic => {}
            ChecksumPolicy::MessageOnly => self.line(format_args!("v3_checksum_as_v2")),
            ChecksumPolicy::OldUnicast => self.line(format_args!("old_unicast_checksum")),
            ChecksumPolicy::NeverOldUnicast => self.line(format_args!("old_unicast_checksum never")),
        }
    }

    /// A block with an entry on each line; none if there are no entries.
    fn list(&mut self, keyword: &str, entries: &[impl std::fmt::Display]) {
        if entries.is_empty() {
            return;
        }
        self.open(format_args!("{keyword}"));
        for entry in entries {
            self.line(format_args!("{entry}"));
        }
        self.close();
    }

    fn announcing(&mut self, policy: &AnnouncePolicy) {
        self.line(format_args!("garp_master_repeat {}", policy.repeat));
        self.line(format_args!("garp_master_delay {}", seconds(policy.delay)));
        if let Some(refresh) = policy.refresh {
            self.line(format_args!("garp_master_refresh {}", seconds(refresh)));
            self.line(format_args!("garp_master_refresh_repeat {}", policy.refresh_repeat));
        }
        self.line(format_args!("garp_lower_prio_repeat {}", policy.lower_priority_repeat));
        self.line(format_args!("garp_lower_prio_delay {}", seconds(policy.lower_priority_delay)));
    }

    fn tracking(&mut self, router: &RouterConfig) {
        if !router.track_links.is_empty() {
            self.open(format_args!("track_interface"));
            for tracked in &router.track_links {
                self.line(format_args!("{}{}", tracked.link, weight(tracked.weight)));
            }
            self.close();
        }
        if !router.track_scripts.is_empty() {
            self.open(format_args!("track_script"));
            for tracked in &router.track_scripts {
                self.line(format_args!("{}{}", word(&tracked.script), weight(tracked.weight)));
            }
            self.close();
        }
    }

    fn notifications(&mut self, instance: &Instance) {
        let notify = &instance.notify;
        let mut stand_in = |keyword: &str, script: &Option<NotifyScript>| {
            if script.is_some() {
                let file = file_name(keyword, &instance.router.name);
                self.line(format_args!("{keyword} \"{HOST_DIR}/{file}\""));
                self.recorders.push(file);
            }
        };
        stand_in("notify_master", &notify.active);
        stand_in("notify_backup", &notify.backup);
        stand_in("notify_fault", &notify.fault);
        stand_in("notify_stop", &notify.stop);
        stand_in("notify_deleted", &notify.deleted);
        stand_in("notify_master_rx_lower_pri", &notify.active_heard_lower_priority);
        stand_in("notify", &notify.any);
    }

    fn open(&mut self, head: std::fmt::Arguments<'_>) {
        self.line(format_args!("{head} {{"));
    }

    fn close(&mut self) {
        self.line(format_args!("}}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes everything");
    }
}

/// The name of the file that stands in for this.
pub(crate) fn file_name(what: &str, whose: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    format!("{what}-{}", whose.chars().map(plain).collect::<String>())
}

fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_.:/@+".contains(letter);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("\"{text}\"") }
}

fn weight(weight: Weight) -> String {
    match weight {
        Weight::Fault => " weight 0".to_owned(),
        Weight::Priority(value) => format!(" weight {value}"),
        Weight::Reversed(value) => format!(" weight {value} reverse"),
        Weight::ReversedFault => " weight 0 reverse".to_owned(),
    }
}

/// Seconds, with as many decimals as there are.
fn seconds(span: Duration) -> String {
    let mut text = format!("{}.{:06}", span.as_secs(), span.subsec_micros());
    while text.ends_with('0') {
        text.pop();
    }
    text.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::{Command, LoadOptions, Manager, MemoryFiles, ServiceCheck};

    use super::super::pair::sees_hangs;
    use super::*;

    fn load(text: &str) -> Settings {
        let path = Path::new("/etc/keepalived/keepalived.conf");
        let loaded = config::load(path, &MemoryFiles::single(path, text), &LoadOptions::default());
        loaded.settings.unwrap_or_else(|| panic!("{}\n{text}", loaded.report.render(false)))
    }

    /// Everything but the commands and who runs them must come back as it was.
    fn without_commands(mut settings: Settings) -> Settings {
        let command = || Command::Program(vec!["a stand-in".to_owned()]);
        let config::Global { router_id, address_lifetime, .. } = settings.global;
        settings.global = config::Global { router_id, address_lifetime, ..config::Global::default() };
        settings.files.clear();
        if let Some(pair) = &mut settings.pair {
            pair.key_file = "a stand-in".into();
        }
        let stand_in = || NotifyScript { command: command(), user: None };
        for service in &mut settings.services {
            service.manager = Manager::Command { script: stand_in() };
            for check in &mut service.checks {
                *check = ServiceCheck::Notify;
            }
            for checking in &mut service.service.checks {
                checking.name = "a stand-in".into();
            }
            for hook in [&mut service.could_start, &mut service.on_role, &mut service.post_takeover] {
                *hook = hook.take().map(|_| stand_in());
            }
            service.while_active.fill(stand_in());
            // As its checks say where it listens.
            service.needs_ports.clear();
            service.down_file = service.down_file.take().map(|_| "a stand-in".into());
        }
        for script in &mut settings.scripts {
            script.command = command();
            script.user = None;
        }
        for instance in &mut settings.instances {
            // Not said means BACKUP.
            instance.stated.get_or_insert(StatedRole::Backup);
            let notify = &mut instance.notify;
            for script in [
                &mut notify.active,
                &mut notify.backup,
                &mut notify.fault,
                &mut notify.stop,
                &mut notify.deleted,
                &mut notify.active_heard_lower_priority,
                &mut notify.any,
            ] {
                *script = script.take().map(|_| NotifyScript { command: command(), user: None });
            }
        }
        settings
    }

    #[test]
    fn what_is_written_reads_as_what_it_was() {
        let written = r#"
            global_defs {
                router_id here
                vrrp_garp_interval 0.001
                vrrp_mcast_group4 224.0.0.19
                script_user nobody
            }
            vrrp_script web { script "/usr/bin/curl http://127.0.0.1" interval 0.5 timeout 2 rise 2 fall 3 weight -20 init_fail }
            vrrp_script down { script "/etc/down.sh 1" interval 5 }
            vrrp_instance ONE {
                state MASTER
                interface eth0
                virtual_router_id 51
                priority 150
                advert_int 2
                mcast_src_ip 192.0.2.1
                mcast_dst_ip 224.0.0.20
                down_timer_adverts 5
                lower_prio_no_advert
                higher_prio_send_advert off
                owner_ignore_adverts
                v3_checksum_as_v2
                authentication { auth_type AH
                    auth_pass 1111 }
                virtual_ipaddress {
                    192.0.2.100/24 dev eth1 label eth1:1
                    192.0.2.101 scope link
                }
                virtual_ipaddress_excluded { 192.0.2.102/25 brd 192.0.2.127 }
                track_interface {
                    eth1 weight -10
                    eth2
                }
                track_script {
                    web
                    down weight 5
                }
                notify_master "/etc/run.sh master"
                notify /etc/any.sh
                garp_master_refresh 5
            }
            vrrp_instance THREE {
                virtual_router_id 53
                unicast_src_ip 192.0.2.1
                unicast_peer { 192.0.2.2 }
                virtual_ipaddress { 192.0.2.103/24 dev eth1 }
            }
            vrrp_instance "TWO" {
                interface eth1
                version 3
                virtual_router_id 52
                priority 90
                advert_int 0.1
                nopreempt
                unicast_src_ip 198.51.100.1
                unicast_peer {
                    198.51.100.2 min_ttl 250
                    198.51.100.3
                }
                old_unicast_checksum never
                timer_expired_backup 200
                virtual_ipaddress { 198.51.100.100/32 }
                track_script { web weight 0 }
                skip_check_adv_addr
                dont_track_primary
                preempt_delay 0
                notify_stop "/etc/stop.sh"
            }
        "#;
        let settings = load(written);
        let text = with_stand_ins(&settings, None, false);
        let again = load(&text.text);
        assert_eq!(without_commands(again), without_commands(settings), "{}", text.text);
        assert_eq!(text.checks, ["check-web", "check-down"]);
        assert_eq!(text.recorders, ["notify_master-ONE", "notify-ONE", "notify_stop-TWO"]);
        for theirs in ["/etc", "curl", "nobody"] {
            assert!(!text.text.contains(theirs), "{theirs} is still there:\n{}", text.text);
        }
    }

    const SERVICES: &str = r#"
        global_defs { address_lifetime 7 }
        pair { node here  peer 192.0.2.2 198.51.100.2  source 192.0.2.1 198.51.100.1
            port 4000
            key_file /etc/theirs.key
            profile fast }
        service web {
            systemd theirs.service
            check http http://192.0.2.100:81/theirs { interval 0.5 timeout 2 rise 2 fall 4 status 200 }
            check tcp 127.0.0.1:81
            check process theirs
            check file /theirs { max_age 3 }
            check script "/theirs arg" nobody
            start_grace 3
            start_timeout 40
            stop_timeout 1.5
            restart 2 within 1h
            max_moves 1 within 1d
            on_manual_stop maintenance
            failback manual
            could_start /theirs/ready
            readiness_interval 2
            readiness_rise 4
            on_role /theirs/role
            post_takeover /theirs/takeover
            while_active { every 1h /theirs/hourly
                every 1.5 /theirs/often }
            down_file /theirs/down
        }
        service worker { user nobody
            command /theirs/worker
            check notify
            restart never }
        vrrp_instance ONE {
            interface eth0
            virtual_router_id 51
            priority 150
            service web
        }
        vrrp_instance TWO {
            interface eth0
            virtual_router_id 52
            service worker
        }
    "#;

    #[test]
    fn services_read_as_they_were() {
        let settings = load(SERVICES);
        let web = Name::from("web");
        let text = with_stand_ins(&settings, Some(&web), true);
        let again = load(&text.text);
        let kinds: Vec<bool> = again.services[0].checks.iter().map(sees_hangs).collect();
        assert_eq!(kinds, [true, false, false, true, true], "{}", text.text);
        let mut expected = without_commands(settings);
        // One that nobody watches never fails.
        expected.services[1].checks.clear();
        expected.services[1].service.checks.clear();
        assert_eq!(without_commands(again), expected, "{}", text.text);
        assert_eq!(text.recorders, ["on_role-web", "post_takeover-web", "every-1-web", "every-2-web"], "{}", text.text);
        for theirs in ["theirs", "nobody", "systemd"] {
            assert!(!text.text.contains(theirs), "{theirs} is still there:\n{}", text.text);
        }
    }

    #[test]
    fn keepalived_is_not_told_what_it_does_not_know() {
        let text = with_stand_ins(&load(SERVICES), None, false).text;
        for ours in ["service", "pair", "address_lifetime", "worker"] {
            assert!(!text.contains(ours), "{ours} is there:\n{text}");
        }
    }

    #[test]
    fn seconds_have_only_the_decimals_that_they_need() {
        for (micros, text) in [(0, "0"), (1_000_000, "1"), (100_000, "0.1"), (1_500_000, "1.5"), (10, "0.00001")] {
            assert_eq!(seconds(Duration::from_micros(micros)), text);
        }
    }
}
