//! From the command line to a running loop, and from any way out of it to a clean machine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use linux::daemonize::{self, Readiness};
use linux::netns::Namespace;
use linux::signals::{Signal, Signals};
use linux::system_log::Severity;
use linux::{descriptors, memory, process, wiping};
use rustix::io::Errno;

use crate::background::{Background, Job};
use crate::confinement::Confinement;
use crate::control::{ControlPlace, ReserveError, Reserved};
use crate::event_loop::EventLoop;
use crate::log::{Entry, Sinks};
use crate::options::{LogOptions, Options};
use crate::pid_files::{Held, HeldPidFiles};
use crate::places;
use crate::reload::{Loaded, Remark, load};

/// How a daemon ended, with keepalived's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It was asked to, or it runs already.
    Stopped,
    /// Something that it cannot do without was refused.
    Failed,
    /// In particular, it may not do it.
    NotPermitted,
    /// The configuration cannot be used; keepalived's number for the reason.
    Configuration(u8),
    /// It panicked. The addresses were withdrawn.
    Panicked,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Stopped => 0,
            ExitStatus::Failed => 1,
            ExitStatus::NotPermitted => 4,
            // A running keepalived has one number for every mistake in a file, and one for no file.
            ExitStatus::Configuration(6) => 6,
            ExitStatus::Configuration(_) => 2,
            ExitStatus::Panicked => 70,
        })
    }
}

/// Runs until it is stopped. Call it before the process has a second thread.
#[must_use]
pub fn run(mut options: Options) -> ExitStatus {
    memory::share_one_heap();
    // The working directory changes on the way to the background.
    let files = std::iter::once(&mut options.config).chain(&mut options.pid_files.paths).chain(&mut options.log.file);
    for path in files {
        if let Ok(absolute) = std::path::absolute(&*path) {
            *path = absolute;
        }
    }
    // Read first, while standard error is still the user's.
    let loaded = load(&options.config, &options.reading);
    wiping::forget_stack();
    let (plan, remarks, expanded) = match loaded {
        Loaded::Good { plan, remarks, expanded } => (plan, remarks, expanded),
        Loaded::Bad { reasons, status } => return refuse(&options, &reasons, status),
    };
    let name = places::Name::new(&options, &plan.settings.process);
    name.make_our_own(&mut options);
    if options.core_dumps
        && let Err(error) = process::allow_core_dumps()
    {
        complain(&options, [format!("{error}; going on without").as_str()]);
    }
    // Some hundred instances with virtual MAC addresses of their own have more than systemd allows to begin with.
    if let Err(error) = descriptors::allow_all() {
        complain(&options, [format!("{error}; going on with fewer").as_str()]);
    }
    // Before there is another thread, which would stay where it is.
    if let Some(namespace) = &name.network_namespace
        && let Err(error) = Namespace::named(namespace).and_then(|namespace| namespace.enter())
    {
        let what = format!(": the network namespace {namespace}, which the configuration or the command line names");
        return refused(&options, &error, &what);
    }
    let readiness = if options.background {
        match daemonize::to_background() {
            Ok(readiness) => Some(readiness),
            Err(error) => return fail(&options, &error.to_string()),
        }
    } else {
        None
    };
    // All of them: one that we do not know must not end us with the addresses in place.
    // Before our number can be read: whoever reads it may send some.
    let mut signals = Signal::all_that_end_a_process();
    signals.push(Signal::CHILD);
    let signals = Signals::block(&signals);
    let signals = match signals {
        Ok(signals) => signals,
        Err(error) => return fail(&options, &error.to_string()),
    };
    let (mut pid_files, missing) = match HeldPidFiles::acquire(&name.pid_files(&options)) {
        Ok(acquired) => acquired,
        Err(Held { path, pid }) => {
            let pid = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
            return runs_already(&options, &format!("{pid}, it holds {}", path.display()), readiness);
        }
    };
    for error in missing {
        // A board with a read-only disk has no place for pid files and needs none.
        complain(&options, [format!("{error}; going on without, until it can be written").as_str()]);
    }
    // Before anything is taken for what a dead daemon has left behind.
    let control_place = match &options.control {
        ControlPlace::At(path) => match Reserved::take(path) {
            // Whoever says where the pid file is says with it that this is another daemon.
            Err(ReserveError::Taken) if options.pid_files.paths.is_empty() => {
                let how = format!(
                    ", it listens at {}; `instance NAME` in the configuration of one tells two apart",
                    path.display()
                );
                return runs_already(&options, &how, readiness);
            }
            place => Some(place),
        },
        ControlPlace::None => None,
    };
    if options.die_with_parent
        && let Err(error) = process::die_with_parent(Signal::TERMINATE, std::os::unix::process::parent_id())
    {
        return fail(&options, &error.to_string());
    }
    let (sinks, failures) = Sinks::open(&options.log);
    let confinement = Confinement::begin(&options, &plan.settings, &name);
    let background = match Background::start(sinks) {
        Ok(background) => background,
        Err(error) => return fail(&options, &format!("start the log thread: {error}")),
    };
    pid_files.try_again(background.voice());
    for failure in failures {
        background.hand_over(Job::Line(Entry::remark(Severity::Warning, failure.to_string())));
    }
    for (severity, remark) in remarks {
        background.hand_over(Job::Line(Entry::remark(severity, remark)));
    }
    let complaints = options.clone();
    let mut event_loop = match EventLoop::new(options, *plan, signals, (control_place, confinement), background) {
        Ok(event_loop) => event_loop,
        Err((error, background)) => {
            let status = refused(&complaints, &error, "");
            background.finish();
            return status;
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let goes_on = event_loop.prelude();
        if goes_on {
            event_loop.start(expanded);
        }
        if let Some(readiness) = readiness {
            readiness.report(0);
        }
        if goes_on { event_loop.run() } else { Ok(()) }
    }));
    let (status, reason) = match ended {
        Ok(Ok(())) => (ExitStatus::Stopped, None),
        Ok(Err(error)) => (ExitStatus::Failed, Some(format!("the event loop failed: {error}"))),
        Err(panic) => {
            let reason = panic.downcast_ref::<&str>().map(ToString::to_string);
            let reason = reason.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            (ExitStatus::Panicked, Some(format!("panic: {reason}")))
        }
    };
    if let Some(reason) = reason {
        wind_up(&mut event_loop, &reason);
    }
    let _ = guarded(|| event_loop.part_from_services());
    event_loop.finish();
    drop(pid_files);
    status
}

/// Something broke. In order as long as that goes, then without order; but services end before anybody else may begin.
fn wind_up(event_loop: &mut EventLoop, reason: &str) {
    if !matches!(guarded(|| event_loop.wind_up(reason)), Some(Ok(()))) {
        let _ = guarded(|| event_loop.end_services());
        let _ = guarded(|| event_loop.withdraw());
    }
}

/// Even if what broke breaks again, what follows is done.
fn guarded<T>(what: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(what)).ok()
}

fn refuse(options: &Options, reasons: &[Remark], status: u8) -> ExitStatus {
    let conclusion = format!("{} cannot be used, nothing was started", options.config.display());
    complain(options, reasons.iter().map(|(_, reason)| reason.as_str()).chain([conclusion.as_str()]));
    ExitStatus::Configuration(status)
}

/// Who is started once more by mistake takes nothing away from who is there.
fn runs_already(options: &Options, how: &str, readiness: Option<Readiness>) -> ExitStatus {
    complain(options, [format!("daemon is already running{how}").as_str()]);
    if let Some(readiness) = readiness {
        readiness.report(0);
    }
    ExitStatus::Stopped
}

/// The system has refused something.
fn refused(options: &Options, error: &linux::Error, what: &str) -> ExitStatus {
    complain(options, [format!("{error}{what}").as_str()]);
    match error.errno().map(Errno::from_raw_os_error) {
        Some(Errno::PERM | Errno::ACCESS) => ExitStatus::NotPermitted,
        Some(_) | None => ExitStatus::Failed,
    }
}

fn fail(options: &Options, reason: &str) -> ExitStatus {
    complain(options, [reason]);
    ExitStatus::Failed
}

/// Before there is a loop, lines go straight to where the log goes, and to whoever has just started us.
fn complain<'t>(options: &Options, texts: impl IntoIterator<Item = &'t str>) {
    let (mut sinks, _) = Sinks::open(&LogOptions { stderr: true, ..options.log.clone() });
    for text in texts {
        sinks.write(&Entry::remark(Severity::Error, text.to_owned()));
    }
}
