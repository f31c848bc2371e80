//! What the configuration says about the process itself: its share of the machine, the files that signals ask for, the
//! times at which it is read again.

use std::time::Duration;

use config::{Expanded, Process};
use engine::{Input, Instant};
use linux::poll::Interest;
use linux::system_log::Severity;
use linux::{clock, process};

use super::{EventLoop, RELOAD_TIME, now};
use crate::background::Job;
use crate::dump;
use crate::json::json;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dump {
    State,
    Statistics,
    /// And then the counters begin anew.
    StatisticsThenClear,
    Json,
}

impl EventLoop {
    /// Before anything begins.
    pub(super) fn begin_as_a_process(&mut self, expanded: Expanded) {
        for remark in std::mem::take(&mut self.options.remarks) {
            self.told.push((Severity::Warning, remark));
        }
        self.kernel.tell_addresses = self.options.tell_addresses;
        self.keep_configuration(expanded);
        self.adjust_process(&Process::default());
        self.hesitate();
    }

    /// `vrrp_startup_delay` and `vrrp_delay_after_boot`: the longer one counts.
    fn hesitate(&mut self) {
        let begin = clock::boot_time();
        let delay = delay(&self.settings.process, Duration::from_nanos(begin));
        if !delay.is_zero() {
            let text = format!("Delaying startup for {} seconds", (delay.as_secs_f64() * 1e3).round() / 1e3);
            self.told.push((Severity::Notice, text));
            let until = Instant::from_nanos(begin) + delay;
            self.engine.handle(now(), Input::Hesitate { until }, &mut self.out);
        }
    }

    /// Brings the process to what the settings say; `before` is what they said so far.
    pub(super) fn adjust_process(&mut self, before: &Process) {
        let wanted = self.settings.process.clone();
        for (severity, text) in self.share.adjust(&wanted) {
            self.say(severity, text);
        }
        if let Some(mask) = self.options.umask.or(wanted.umask) {
            let usual = process::set_umask(mask);
            self.usual_umask.get_or_insert(usual);
        } else if let Some(usual) = self.usual_umask.take() {
            process::set_umask(usual);
        }
        if let Err(error) = self.kernel.set_buffers(before, &wanted) {
            self.told.push((Severity::Warning, format!("{error}; going on with the buffer that there is")));
        }
        self.sockets.set_notes_strangers(wanted.log_unknown_vrids);
        self.told_strangers.clear();
        self.follow_reload_times();
    }

    /// Who the daemon is among others is decided when it starts.
    pub(super) fn tell_what_needs_a_restart(&mut self, before: &Process) {
        let after = &self.settings.process;
        let namespace = self.options.network_namespace.is_none() && before.net_namespace != after.net_namespace;
        let changed = [
            ("instance", before.instance != after.instance),
            ("net_namespace", namespace),
            ("use_pid_dir", before.use_pid_dir != after.use_pid_dir),
        ];
        for (keyword, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            let text = format!("`{keyword}` has changed, which needs a restart; until then it stays as it was");
            self.told.push((Severity::Warning, text));
        }
    }

    /// The loop wanted to be woken then. How late it was decides whether it needs more priority.
    pub(super) fn notice_lateness(&mut self, due: Option<u64>) {
        if self.settings.process.most_auto_real_time == 0 {
            return;
        }
        let late = due.map(|due| Duration::from_nanos(clock::boot_time().saturating_sub(due))).unwrap_or_default();
        let told = self.share.was_late(&self.settings.process, late);
        self.told.extend(told);
    }

    pub(super) fn notice_excess(&mut self) {
        let told = self.share.exceeded(&self.settings.process);
        self.told.extend(told);
    }

    // ── files ─────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn write_dump(&mut self, what: Dump) {
        let dumps = &self.settings.process.dumps;
        let (chosen, extension, content) = match what {
            Dump::State => {
                let mut content = dump::state::data(&self.settings, &self.engine, now());
                match self.closed.dropped() {
                    Some(Ok(dropped)) => content.push_str(&dump::state::dropped(dropped)),
                    Some(Err(error)) => self.say(Severity::Warning, error.to_string()),
                    None => {}
                }
                (&dumps.state, "data", content)
            }
            Dump::Statistics | Dump::StatisticsThenClear => {
                (&dumps.statistics, "stats", dump::statistics::data(&self.engine.view()))
            }
            Dump::Json => (&dumps.json, "json", json(&self.settings, &self.engine, now())),
        };
        let name = self.name.text().filter(|_| dumps.use_instance);
        let path = dump::path(chosen.as_deref(), extension, name.as_deref());
        let cleared = if what == Dump::StatisticsThenClear { " and clearing the counters" } else { "" };
        self.say(Severity::Info, format!("Writing {}{cleared}", path.display()));
        let mode = dump::mode(self.options.umask.or(self.settings.process.umask));
        self.background.hand_over(Job::File(path, content, mode));
        if what == Dump::State {
            let path = dump::path_of_parent(name.as_deref());
            self.background.hand_over(Job::File(path, dump::state::global_definitions(&self.settings), mode));
        }
        if what == Dump::StatisticsThenClear {
            self.engine.handle(now(), Input::ClearStatistics, &mut self.out);
        }
    }

    /// `config_save_dir`: what is in force from now on, with everything expanded.
    pub(super) fn keep_configuration(&mut self, expanded: Expanded) {
        let number = self.kept_configurations;
        self.kept_configurations += 1;
        let Some(directory) = self.settings.process.save_directory.clone() else { return };
        let name = format!("keepalived.conf.{}.{number}", std::process::id());
        self.say(Severity::Info, format!("Keeping the configuration in {}", directory.join(&name).display()));
        self.background.hand_over(Job::Keep(directory, name, expanded));
    }

    /// `reload_check_config FILE`: what was found in a configuration, also if that is nothing.
    pub(super) fn write_findings<'f>(&self, findings: impl Iterator<Item = &'f str>) -> String {
        let Some(path) = &self.settings.process.reload.findings else { return String::new() };
        let text: String = findings.map(|finding| format!("{finding}\n")).collect();
        let mode = dump::mode(self.options.umask.or(self.settings.process.umask));
        self.background.hand_over(Job::File(path.clone(), text, mode));
        format!(", see {} for details", path.display())
    }

    // ── when it is read again ─────────────────────────────────────────────────────────────────────────

    fn follow_reload_times(&mut self) {
        let path = self.settings.process.reload.time_file.as_deref();
        let watched = self.reload_times.watch(path).and_then(|new| match self.reload_times.bell() {
            Some(bell) if new => self.poll.add(bell, RELOAD_TIME, Interest::Readable),
            Some(_) | None => Ok(()),
        });
        if let Err(error) = watched {
            self.told.push((Severity::Error, format!("{error}; no reload is scheduled")));
        }
    }

    pub(super) fn take_reload_times(&mut self) {
        let told = self.reload_times.receive();
        self.told.extend(told);
    }

    pub(super) fn reload_if_due(&mut self) {
        let Some((done, told)) = self.reload_times.take_due(self.settings.process.reload.repeat) else { return };
        if let Some(path) = done {
            self.background.hand_over(Job::Remove(path));
        }
        self.told.extend(told);
        self.begin_reload();
    }
}

/// How long to wait after a start; `up` is how long the machine has been so.
fn delay(process: &Process, up: Duration) -> Duration {
    process.startup_delay.max(process.delay_after_boot.saturating_sub(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Shows: global_defs.vrrp_delay_after_boot
    #[test]
    fn the_longer_delay_counts_and_only_one_start_of_the_machine_is_waited_for() {
        let check = |startup, after_boot, up, expected| {
            let process = Process {
                startup_delay: Duration::from_secs(startup),
                delay_after_boot: Duration::from_secs(after_boot),
                ..Process::default()
            };
            assert_eq!(delay(&process, Duration::from_secs(up)), Duration::from_secs(expected));
        };
        check(0, 0, 10, 0);
        check(5, 0, 10, 5);
        check(0, 30, 10, 20);
        check(5, 30, 10, 20);
        check(25, 30, 10, 25);
        // A later restart.
        check(5, 30, 1000, 5);
        check(0, 30, 1000, 0);
    }
}
