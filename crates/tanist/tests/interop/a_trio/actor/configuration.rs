//! What a node of three is configured with: for Tanist and keepalived, which read the same words.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use engine::{AntiReplay, Authentication, HmacMode, HmacPolicy, Measure, TrackerKind, Weight};
use sim::plan::{Plan, TrackerSpec};

use super::{Actor, Router};
use crate::a_trio::course::{Course, Way};
use crate::support::{HOST_DIR, ipv6};

/// The addresses of a router of IPv6.
pub(super) const OF_IPV6: [Ipv6Addr; 2] = [ipv6::ON_LINK, ipv6::ADDRESS];

impl Actor {
    /// As the node is at present.
    pub(super) fn configuration(&self, course: &Course) -> String {
        let pacing = self.routers[0].spec.settings.announce.pacing.as_secs_f32();
        let pacing = if pacing > 0.0 { format!("    vrrp_garp_interval {pacing}\n") } else { String::new() };
        let delay = course.real(course.plan.startup_delay).as_secs_f32();
        let delay = if delay > 0.0 { format!("    vrrp_startup_delay {delay}\n") } else { String::new() };
        let mut text = format!("global_defs {{\n    script_user root\n    enable_script_security\n{pacing}{delay}}}\n");
        for script in &course.plan.nodes[self.number].scripts {
            let settings = &script.settings;
            // Checks are as often as keepalived can have them: nobody waits for a minute.
            let timeout = settings.timeout.as_secs().clamp(1, 2);
            let init = if settings.init_fail { "    init_fail\n" } else { "" };
            write!(
                text,
                "vrrp_script {} {{\n    script {HOST_DIR}/{}\n    interval 1\n    timeout {timeout}\n    rise {}\n    \
                 fall {}\n{init}}}\n",
                settings.name, settings.name, settings.rise, settings.fall
            )
            .expect("a string takes everything");
        }
        for tracker in &course.plan.nodes[self.number].trackers {
            text += &tracked(course, tracker);
        }
        for router in self.routers.iter().filter(|router| router.spec.present) {
            text += &self.instance(course, router);
        }
        for group in &course.plan.nodes[self.number].groups {
            let members: Vec<String> = group.members.iter().map(|vrid| format!("VI_{vrid}")).collect();
            text += &format!("vrrp_sync_group {} {{\n    {}\n}}\n", group.name, block("group", &members));
        }
        text
    }

    fn instance(&self, course: &Course, router: &Router) -> String {
        let spec = &router.spec;
        let settings = &spec.settings;
        let vrid = settings.vrid;
        let hundredths = course.interval(settings.advertisement_interval);
        let mut lines = vec![
            format!("interface {}", settings.link),
            format!("virtual_router_id {vrid}"),
            format!("priority {}", settings.priority.get()),
            format!("version {}", course.version(spec.settings.version)),
            format!("advert_int {}.{:02}", hundredths / 100, hundredths % 100),
        ];
        let mut also = |so: bool, line: &str| {
            if so {
                lines.push(line.to_owned());
            }
        };
        also(!settings.preempt_mode, "nopreempt");
        also(settings.skip_check_adv_addr, "skip_check_adv_addr");
        also(settings.ignore_own_link, "dont_track_primary");
        if !settings.preempt_delay.is_zero() {
            lines.push(format!("preempt_delay {}", course.real(settings.preempt_delay).as_secs().max(1)));
        }
        let announce = &settings.announce;
        lines.push(format!("garp_master_repeat {}", announce.repeat));
        lines.push(format!("garp_master_delay {}", announce.delay.as_secs()));
        lines.push(format!("garp_lower_prio_repeat {}", announce.lower_priority_repeat));
        if let Some(refresh) = announce.refresh {
            lines.push(format!("garp_master_refresh {}", refresh.as_secs()));
        }
        if let Some((kind, password)) = &router.password {
            lines.push(format!("authentication {{\n        auth_type {kind}\n        auth_pass {password}\n    }}"));
        }
        if let Authentication::Hmac(policy) = &settings.authentication {
            lines.push(signed(policy));
        }
        if self.way == Way::VirtualMac {
            lines.push("use_vmac".to_owned());
        }
        if spec.unicast {
            let address = |node: usize| {
                let [ipv4, _, global] = Plan::own_addresses(node, "eth0");
                if self.way == Way::Ipv6 { global } else { ipv4 }
            };
            let others = (0..course.plan.nodes.len()).filter(|node| *node != self.number);
            let peers: Vec<String> = others.map(|node| address(node).to_string()).collect();
            lines.push(format!("unicast_src_ip {}", address(self.number)));
            lines.push(block("unicast_peer", &peers));
        }
        let links = settings.track_links.iter().map(|tracked| format!("{}{}", tracked.link, weight(tracked.weight)));
        lines.push(block("track_interface", &links.collect::<Vec<_>>()));
        let scripts = settings.track_scripts.iter();
        let scripts = scripts.map(|tracked| format!("{}{}", tracked.script, weight(tracked.weight)));
        lines.push(block("track_script", &scripts.collect::<Vec<_>>()));
        for (name, kind) in [("track_file", TrackerKind::File), ("track_process", TrackerKind::Process)] {
            let of_kind = settings.trackers.iter().filter(|tracked| tracked.tracker.kind == kind);
            let of_kind = of_kind.map(|tracked| {
                let stated = Some(weight(tracked.weight)).filter(|weight| !weight.is_empty());
                // A file has a weight by itself.
                format!("{}{}", tracked.tracker.name, stated.unwrap_or_else(|| " weight 0".to_owned()))
            });
            lines.push(block(name, &of_kind.collect::<Vec<_>>()));
        }
        for (name, list) in
            [("virtual_ipaddress", &settings.addresses), ("virtual_ipaddress_excluded", &settings.excluded_addresses)]
        {
            let list = list.iter().map(|address| format!("{}/{}", address.address, address.prefix));
            let list: Vec<String> = match self.way {
                Way::Ipv6 if name == "virtual_ipaddress" => OF_IPV6.map(|address| format!("{address}/64")).into(),
                Way::Ipv6 | Way::Plain | Way::VirtualMac => list.collect(),
            };
            lines.push(block(name, &list));
        }
        format!("vrrp_instance VI_{vrid} {{\n    {}\n}}\n", lines.join("\n    "))
    }
}

/// The definition of a file or of processes.
fn tracked(course: &Course, tracker: &TrackerSpec) -> String {
    let name = &tracker.settings.name;
    match tracker.settings.measure {
        Measure::Number => format!("track_file {name} {{\n    file {HOST_DIR}/{name}\n}}\n"),
        Measure::Count { least, most, fork_delay, terminate_delay } => {
            let most = most.map_or_else(String::new, |most| format!("    quorum_max {most}\n"));
            let delay = |word: &str, span| match course.real(span).as_secs_f32() {
                0.0 => String::new(),
                seconds => format!("    {word} {seconds}\n"),
            };
            format!(
                "vrrp_track_process {name} {{\n    process {name}\n    quorum {least}\n{most}{}{}}}\n",
                delay("fork_delay", fork_delay),
                delay("terminate_delay", terminate_delay)
            )
        }
    }
}

/// As the simulator has it: everybody has the keys from 1 to 3.
fn signed(policy: &HmacPolicy) -> String {
    let mut lines: Vec<String> =
        (1..=3).map(|number| format!("key {number} hex:{}", format!("{number:02x}").repeat(32))).collect();
    lines.push(format!("active_key {}", policy.active_key));
    lines.push(match policy.mode {
        HmacMode::Enforce => "mode enforce".to_owned(),
        HmacMode::Permissive => "mode permissive".to_owned(),
        HmacMode::ReceiveOnly => "mode receive-only".to_owned(),
    });
    match policy.anti_replay {
        AntiReplay::Monotonic => lines.push("anti_replay monotonic".to_owned()),
        AntiReplay::Time { window } => lines.push(format!("time_window {window}")),
    }
    block("auth_hmac", &lines)
}

fn block(name: &str, lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!("{name} {{\n        {}\n    }}", lines.join("\n        ")) }
}

fn weight(weight: Weight) -> String {
    match weight {
        Weight::Fault => String::new(),
        Weight::ReversedFault => " weight 0 reverse".to_owned(),
        Weight::Priority(number) => format!(" weight {number}"),
        Weight::Reversed(number) => format!(" weight {number} reverse"),
    }
}
