//! What concerns the process: its names, its share of the machine, its files, its reloads.

use std::path::PathBuf;

use super::values;
use crate::diagnostic::Findings;
use crate::keywords::{Form, Status};
use crate::process::{Buffer, JsonVersion, Process, ReceiveBuffers, ReloadSign};
use crate::source::Span;
use crate::statement::Statement;
use crate::suggest::nearest;
use crate::syntax::Word;

/// What the kernel keeps of the name of a process.
const LONGEST_NAME: usize = 15;
/// As many as the kernel's own mask can have.
const MOST_CPUS: u16 = 1024;
const INCLUDE_CHECKS: [&str; 4] = ["readable", "match", "wildcard_match", "brace_match"];

/// What was said, before it is held against each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    process: Process,
    name: Option<String>,
    vrrp_name: Option<String>,
    usual_names: bool,
    policy: Option<Policy>,
    multiplier: Option<(u32, Span)>,
    command: (Option<u32>, bool),
    monitor: (Option<u32>, bool),
    births: (Option<u32>, bool),
}

#[derive(Clone, Copy, Debug)]
enum Policy {
    Mtu,
    Advertisement,
    Octets(u32),
}

impl Draft {
    /// Takes what stands at the top level.
    pub(super) fn take_root(&mut self, statement: &Statement<'_>, findings: &mut Findings) {
        let process = &mut self.process;
        match statement.keyword.name {
            "instance" => process.instance = part_of_a_path(statement, findings).or(process.instance.take()),
            "net_namespace" => {
                process.net_namespace = part_of_a_path(statement, findings).or(process.net_namespace.take());
            }
            "use_pid_dir" => process.use_pid_dir = true,
            "child_wait_time" => {
                if let Some(seconds) = values::count(statement, findings) {
                    process.child_wait = std::time::Duration::from_secs(seconds.into());
                }
            }
            _ => {}
        }
    }

    /// Takes what stands in `global_defs`; `false` if it is about something else.
    pub(super) fn take(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        self.take_share(statement, findings)
            || self.take_sockets(statement, findings)
            || self.take_files(statement, findings)
            || self.take_reading(statement, findings)
            || is_about_another_process(statement, findings)
    }

    /// Names, and the share of the machine.
    fn take_share(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        let process = &mut self.process;
        let micros = |findings: &mut Findings| {
            values::count(statement, findings).map(|micros| std::time::Duration::from_micros(micros.into()))
        };
        match statement.keyword.name {
            "process_names" => self.usual_names = true,
            "process_name" => self.name = process_name(statement, findings),
            "vrrp_process_name" => self.vrrp_name = process_name(statement, findings),
            "vrrp_priority" => {
                let nice = values::whole(statement, findings).and_then(|nice| i8::try_from(nice).ok());
                process.nice = nice.unwrap_or(process.nice);
            }
            "vrrp_rt_priority" => {
                process.real_time = values::count(statement, findings).and_then(|level| u8::try_from(level).ok());
            }
            "vrrp_rlimit_rttime" => {
                process.real_time_budget = micros(findings).unwrap_or(process.real_time_budget);
            }
            "max_auto_priority" => {
                process.most_auto_real_time = most_auto_real_time(statement, findings).unwrap_or_default();
            }
            "min_auto_priority_delay" => {
                process.auto_real_time_delay = micros(findings).unwrap_or(process.auto_real_time_delay);
            }
            "vrrp_no_swap" => process.no_swap = true,
            "vrrp_cpu_affinity" => process.cpus = cpus(statement, findings),
            "vrrp_startup_delay" => {
                process.startup_delay = values::seconds(statement, findings).unwrap_or_default();
            }
            "vrrp_delay_after_boot" => {
                process.delay_after_boot = values::seconds(statement, findings).unwrap_or_default();
            }
            "log_unknown_vrids" => process.log_unknown_vrids = true,
            "use_symlink_paths" => process.keep_links = values::switch(statement, findings).unwrap_or_default(),
            "set_supplementary_groups" => {
                process.supplementary_groups = values::switch(statement, findings).unwrap_or_default();
            }
            _ => return false,
        }
        true
    }

    fn take_sockets(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        match statement.keyword.name {
            "vrrp_rx_bufs_policy" => self.policy = policy(statement, findings).or(self.policy),
            "vrrp_rx_bufs_multiplier" => {
                self.multiplier = values::count(statement, findings).map(|count| (count, statement.span));
            }
            "vrrp_netlink_cmd_rcv_bufs" => self.command.0 = values::count(statement, findings),
            "vrrp_netlink_cmd_rcv_bufs_force" => {
                self.command.1 = values::switch(statement, findings).unwrap_or_default();
            }
            "vrrp_netlink_monitor_rcv_bufs" => self.monitor.0 = values::count(statement, findings),
            "vrrp_netlink_monitor_rcv_bufs_force" => {
                self.monitor.1 = values::switch(statement, findings).unwrap_or_default();
            }
            "process_monitor_rcv_bufs" => self.births.0 = values::count(statement, findings),
            "process_monitor_rcv_bufs_force" => {
                self.births.1 = values::switch(statement, findings).unwrap_or_default();
            }
            _ => return false,
        }
        true
    }

    fn take_files(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        let process = &mut self.process;
        match statement.keyword.name {
            "umask" => process.umask = umask(statement, findings),
            "data_use_instance" => {
                process.dumps.use_instance = values::switch(statement, findings).unwrap_or_default();
            }
            "state_dump_file" => process.dumps.state = values::path(statement, findings),
            "stats_dump_file" => process.dumps.statistics = values::path(statement, findings),
            "json_dump_file" => process.dumps.json = values::path(statement, findings),
            "json_version" => match values::whole(statement, findings) {
                Some(2) => process.dumps.json_version = JsonVersion::Two,
                _ => process.dumps.json_version = JsonVersion::One,
            },
            "config_save_dir" => process.save_directory = values::path(statement, findings),
            _ => return false,
        }
        true
    }

    fn take_reading(&mut self, statement: &Statement<'_>, findings: &mut Findings) -> bool {
        let reload = &mut self.process.reload;
        match statement.keyword.name {
            "reload_check_config" => {
                reload.findings = optional_path(statement, findings);
                if statement.values.is_empty() {
                    let message = "`reload_check_config` is always on";
                    findings.hint("always-so", statement.span, message);
                }
            }
            "reload_time_file" => reload.time_file = values::path(statement, findings),
            "reload_repeat" => reload.repeat = true,
            "reload_file" => {
                let path = optional_path(statement, findings);
                reload.sign = Some(path.map_or(ReloadSign::BesidePidFiles, ReloadSign::At));
            }
            // Both were obeyed when the lines below them were read.
            "random_seed" => {
                values::whole(statement, findings);
            }
            "include_check" => include_check(statement, findings),
            _ => return false,
        }
        true
    }

    /// What came of it.
    pub(super) fn finish(self, findings: &mut Findings) -> Process {
        let Self { mut process, name, vrrp_name, usual_names, policy, multiplier, command, monitor, births } = self;
        process.name = vrrp_name.or(name).or(usual_names.then(|| "keepalived_vrrp".to_owned()));
        let packets = multiplier.map_or(3, |(count, _)| count);
        process.receive_buffers = match policy {
            None => ReceiveBuffers::Own,
            Some(Policy::Mtu) => ReceiveBuffers::Mtu { packets },
            Some(Policy::Advertisement) => ReceiveBuffers::Advertisement { packets },
            Some(Policy::Octets(0)) => ReceiveBuffers::Own,
            Some(Policy::Octets(octets)) => ReceiveBuffers::Octets(octets),
        };
        if let (Some((_, span)), None | Some(Policy::Octets(_))) = (multiplier, policy) {
            findings
                .warning("no-effect", span, "`vrrp_rx_bufs_multiplier` has no effect here")
                .help("it counts packets for `vrrp_rx_bufs_policy MTU` and `vrrp_rx_bufs_policy ADVERT`");
        }
        // As in keepalived, 0 is the same as nothing.
        let buffer = |(octets, force): (Option<u32>, bool)| {
            octets.filter(|octets| *octets > 0).map(|octets| Buffer { octets, force })
        };
        (process.command_buffer, process.monitor_buffer) = (buffer(command), buffer(monitor));
        process.births_buffer = buffer(births);
        if process.reload.repeat && process.reload.time_file.is_none() {
            process.reload.repeat = false;
        }
        process
    }
}

/// What has no effect must still be what its keyword takes. That it has none was told.
fn is_about_another_process(statement: &Statement<'_>, findings: &mut Findings) -> bool {
    let name = statement.keyword.name;
    let is = statement.keyword.status != Status::Works
        && ["checker_", "bfd_", "lvs_", "tmp_config_"].iter().any(|prefix| name.starts_with(prefix));
    if is {
        match statement.keyword.form {
            Form::Whole { .. } => {
                values::whole(statement, findings);
            }
            Form::Bool { .. } => {
                values::switch(statement, findings);
            }
            Form::Word(_) if name.ends_with("process_name") => {
                process_name(statement, findings);
            }
            Form::Words { .. } => {
                cpus(statement, findings);
            }
            _ => {}
        }
    }
    is
}

/// A name that becomes part of the names of files.
fn part_of_a_path(statement: &Statement<'_>, findings: &mut Findings) -> Option<String> {
    let word = statement.value();
    let good = !word.text.is_empty() && !word.text.contains('/') && word.text != "." && word.text != "..";
    if !good {
        findings
            .error("bad-name", word.span, format!("`{}` cannot be part of the name of a file", word.text))
            .help(format!("for instance `{}`", statement.keyword.example));
    }
    good.then(|| word.text.clone())
}

fn process_name(statement: &Statement<'_>, findings: &mut Findings) -> Option<String> {
    let word = statement.value();
    if word.text.len() > LONGEST_NAME {
        let message = format!("the kernel keeps {LONGEST_NAME} octets of the name of a process");
        findings.warning("long-name", word.span, message).help("take a shorter one");
    }
    (!word.text.is_empty()).then(|| word.text.clone())
}

fn most_auto_real_time(statement: &Statement<'_>, findings: &mut Findings) -> Option<u8> {
    let Some(word) = statement.values.first() else { return Some(99) };
    let most = values::whole_word(word, findings)?;
    if !(-1..=99).contains(&most) {
        let message = format!("`max_auto_priority` cannot be {most}: it takes a whole number from -1 to 99");
        findings.error("out-of-range", word.span, message).help("for instance `max_auto_priority 50`");
        return None;
    }
    // -1 silences a remark of keepalived's that we do not make.
    Some(u8::try_from(most).unwrap_or_default())
}

fn cpus(statement: &Statement<'_>, findings: &mut Findings) -> Vec<u16> {
    let mut cpus = Vec::new();
    for word in &statement.values {
        let Some(number) = values::whole_word(word, findings) else { continue };
        match u16::try_from(number).ok().filter(|number| *number < MOST_CPUS) {
            Some(number) => cpus.push(number),
            None => {
                let message = format!("a processor is a number from 0 to {}", MOST_CPUS - 1);
                findings.error("out-of-range", word.span, message);
            }
        }
    }
    cpus.sort_unstable();
    cpus.dedup();
    cpus
}

fn policy(statement: &Statement<'_>, findings: &mut Findings) -> Option<Policy> {
    let word = statement.value();
    match word.text.as_str() {
        "MTU" => Some(Policy::Mtu),
        "ADVERT" => Some(Policy::Advertisement),
        text => {
            let octets = text.parse().ok().map(Policy::Octets);
            if octets.is_none() {
                let help = nearest(text, ["MTU", "ADVERT"]).map(|meant| format!("did you mean `{meant}`?"));
                let message = format!("`vrrp_rx_bufs_policy` cannot be {text}: it takes {}", statement.keyword.form);
                findings.error("bad-choice", word.span, message).maybe_help(help);
            }
            octets
        }
    }
}

/// A number as in C, or names as in C: `S_IRGRP` without its first two letters.
fn umask(statement: &Statement<'_>, findings: &mut Findings) -> Option<u32> {
    let words: Vec<&str> = statement.values.iter().map(|word| word.text.as_str()).collect();
    let text = words.concat();
    let number = c_number(&text).filter(|mask| *mask <= 0o777);
    let named = || text.split('|').map(|name| named_bit(name.trim())).try_fold(0, |mask, bit| Some(mask | bit?));
    let mask = number.or_else(named);
    if mask.is_none() {
        findings
            .error("bad-mask", statement.value().span, format!("`{}` is no mask of permissions", words.join(" ")))
            .help("for instance `umask 022`, or `umask IWGRP | IWOTH`");
    }
    mask
}

/// `022`, `0x12`, `18`.
#[must_use]
pub fn c_number(text: &str) -> Option<u32> {
    let (digits, base) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.starts_with('0') && text.len() > 1 => (&text[1..], 8),
        None => (text, 10),
    };
    // A sign is no digit.
    u32::from_str_radix(digits, base).ok().filter(|_| !digits.starts_with('+'))
}

fn named_bit(name: &str) -> Option<u32> {
    let (what, who) = name.strip_prefix("I")?.split_at_checked(1)?;
    let bit = match what {
        "R" => 4,
        "W" => 2,
        "X" => 1,
        _ => return None,
    };
    match who {
        "USR" => Some(bit << 6),
        "GRP" => Some(bit << 3),
        "OTH" => Some(bit),
        _ => None,
    }
}

fn optional_path(statement: &Statement<'_>, findings: &mut Findings) -> Option<PathBuf> {
    statement.values.first().and_then(|_| values::path(statement, findings))
}

fn include_check(statement: &Statement<'_>, findings: &mut Findings) {
    for word in &statement.values {
        let name = word.text.trim_start_matches(['+', '-']);
        if !INCLUDE_CHECKS.contains(&name) {
            bad_include_check(word, name, findings);
        }
    }
}

fn bad_include_check(word: &Word, name: &str, findings: &mut Findings) {
    let help = match nearest(name, INCLUDE_CHECKS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it takes {}, each perhaps with + or - before it", INCLUDE_CHECKS.join(", ")),
    };
    findings.error("bad-choice", word.span, format!("`{}` is nothing that can be checked", word.text)).help(help);
}

#[cfg(test)]
mod tests {
    use super::{c_number, named_bit};

    #[test]
    fn numbers_as_in_c() {
        let check = |text, expected| assert_eq!(c_number(text), expected, "{text}");
        check("022", Some(0o22));
        check("0177", Some(0o177));
        check("18", Some(18));
        check("0x1F", Some(31));
        check("0", Some(0));
        check("", None);
        check("08", None);
        check("0x", None);
        check("-1", None);
        check("+1", None);
        check("0+1", None);
        check("0x+1", None);
        check("22o", None);
    }

    #[test]
    fn names_of_bits() {
        assert_eq!(named_bit("IRUSR"), Some(0o400));
        assert_eq!(named_bit("IWGRP"), Some(0o020));
        assert_eq!(named_bit("IXOTH"), Some(0o001));
        assert_eq!(named_bit("IRWXU"), None);
        assert_eq!(named_bit(""), None);
    }
}
