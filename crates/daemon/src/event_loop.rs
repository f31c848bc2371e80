//! The loop: wait, take everything in, let the engine decide, carry everything out. What is done with each of its parts has a
//! file of its own.

mod announcing;
mod ending;
mod kernel;
mod link_beats;
mod operators;
mod pair;
mod process;
mod reloading;
mod services;
mod sockets;
mod telling;
mod trackers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use config::{Expanded, Settings};
use engine::{Engine, Event, Input, Instant, LinkId, Name, Output, RouterId, ScriptOutcome, StateName};
use linux::arp_socket::ArpSocket;
use linux::clock;
use linux::poll::{Interest, Poll};
use linux::sd_notify::Notifier;
use linux::send_batch::SendBatch;
use linux::signals::{Received, Signal, Signals};
use linux::spawn::Exit;
use linux::system_log::Severity;
use linux::timer::Timer;

use self::ending::Patience;
use self::process::Dump;
use crate::background::{Background, Job};
use crate::baton::Batons;
use crate::bookends::Bookend;
use crate::calendar::CalendarWatch;
use crate::checks::Checks;
use crate::children::{Children, Purpose};
use crate::closed_addresses::ClosedAddresses;
use crate::confinement::Confinement;
use crate::control::{Control, Later, ReserveError, Reserved};
use crate::down_files::DownFiles;
use crate::fifos::{FifoPlan, Fifos};
use crate::gathering::{self, Gathering};
use crate::kernel::{Kernel, Loss};
use crate::link_beats::LinkBeats;
use crate::log::Entry;
use crate::mail::Post;
use crate::notify::{NotifyQueues, Prepared, Told};
use crate::options::Options;
use crate::places;
use crate::preflight::Plan;
use crate::reload::Reading;
use crate::reload_times::ReloadTimes;
use crate::services::{self as running, Services};
use crate::share::Share;
use crate::sockets::Sockets;
use crate::solicited_groups::SolicitedGroups;
use crate::sysctls::Sysctls;
use crate::trackers::Trackers;
use crate::words::{self, Line};

const TIMER: u64 = 0;
const SIGNALS: u64 = 1;
const MONITOR: u64 = 2;
const UNICAST: u64 = 3;
const RELOAD: u64 = 4;
const CONTROL: u64 = 5;
const DOWN_FILES: u64 = 6;
const RELOAD_TIME: u64 = 7;
const TRACKERS: u64 = 8;
const LINK_BEATS: u64 = 9;
const CONTROL_LATER: u64 = 10;
/// The pipes follow this.
const FIFOS: u64 = 1 << 8;
/// The sockets of the pair's paths follow this.
const BATONS: u64 = 1 << 16;
/// The socket pair of an interface is this plus its index.
const LINKS: u64 = 1 << 32;

/// After the kernel refused an address, it is asked again this much later; in nanoseconds.
const ASK_AGAIN: u64 = 1_000_000_000;
/// A turn takes less, unless it was stopped in its middle.
const HELD_UP: u64 = 10_000_000;
/// So often it is looked again for packets before what is due is done all the same.
const LOOKS: u8 = 3;
/// When nothing has happened for this long, memory that only the last happening needed is given back; in nanoseconds.
const QUIET: u64 = 6_000_000_000;
/// Makes QUIT cause a panic, so that the way out of one can be rehearsed.
const PANIC_DRILL: &str = "TANIST_PANIC_DRILL";

#[derive(Debug)]
pub(crate) struct EventLoop {
    options: Options,
    settings: Settings,
    checks: Checks,
    /// By instance, in the order of the settings.
    prepared: Vec<Prepared>,
    /// By sync group.
    prepared_groups: BTreeMap<Name, Prepared>,
    /// Of the instances that the last reload removed, in the order of their ids behind the others, with whether they are
    /// mailed.
    retired: Vec<(Prepared, bool)>,
    engine: Engine,
    kernel: Kernel,
    sockets: Sockets,
    arp: ArpSocket,
    frames: SendBatch,
    /// What is still to be announced.
    announcements: VecDeque<(LinkId, IpAddr)>,
    closed: ClosedAddresses,
    sysctls: Sysctls,
    solicited: SolicitedGroups,
    poll: Poll,
    timer: Timer,
    signals: Signals,
    children: Children,
    notify: NotifyQueues,
    fifos: Fifos,
    /// Pipes that are opened when the loop begins.
    fifo_plans: Vec<FifoPlan>,
    post: Post,
    /// Who is Active, as far as it was told.
    active: BTreeSet<RouterId>,
    /// Who was told of since the reload began that is going on.
    told_in_reload: Option<telling::Told>,
    startup: Option<Bookend>,
    shutdown: Option<Bookend>,
    services: Services,
    /// The way to the other Tanist, if there is one.
    batons: Option<Batons>,
    /// Where operators' programs will ask, until that is open.
    control_place: Option<Reserved>,
    /// Where operators' programs ask, if it could be opened.
    control: Option<Control>,
    /// It could not; it is tried again.
    control_later: Option<Later>,
    confinement: Confinement,
    down_files: DownFiles,
    trackers: Trackers,
    link_beats: LinkBeats,
    notifier: Notifier,
    calendar: CalendarWatch,
    background: Background,
    reading: Option<Reading>,
    reload_again: bool,
    /// The addresses may not be as desired.
    reconcile: bool,
    /// Set when an address was found missing, so that its return is told and announced.
    restoring: Option<Loss>,
    /// The kernel refused something: ask it again then.
    ask_again_at: Option<u64>,
    /// The groups of which something static was missing last.
    incomplete: BTreeSet<Name>,
    /// What it refused since the desired addresses changed last, so that it is told once.
    refused: BTreeSet<String>,
    /// What of that was refused when everything was brought into line last.
    unfulfilled: BTreeSet<String>,
    /// When it will have been quiet for long enough.
    quiet_at: Option<u64>,
    gathering: Gathering,
    out: Vec<Output>,
    /// A second list, so that carrying out can ask the engine more.
    carried: Vec<Output>,
    told: Vec<Told>,
    patience: Patience,
    /// The engine has stopped; the last scripts may take until then.
    stopped_until: Option<u64>,
    /// Half of that time is over.
    hurried: bool,
    /// Who this daemon is among others.
    name: places::Name,
    share: Share,
    /// What was set before somebody wanted it otherwise.
    usual_umask: Option<u32>,
    reload_times: ReloadTimes,
    /// How many configurations have come into force.
    kept_configurations: u64,
    /// Virtual routers that are not ours and were told of, by interface.
    told_strangers: BTreeSet<(u32, u8)>,
    panic_drill: bool,
    /// How often in a row what is due has waited for another look.
    looked_again: u8,
}

fn now() -> Instant {
    Instant::from_nanos(clock::boot_time())
}

impl EventLoop {
    /// Opens everything. The background thread comes back with an error, so that it can be told.
    pub(crate) fn new(
        options: Options,
        plan: Plan,
        signals: Signals,
        (control_place, confinement): (Option<Result<Reserved, ReserveError>>, Confinement),
        background: Background,
    ) -> Result<Self, (linux::Error, Background)> {
        let opened = (|| {
            let (poll, timer, kernel, arp) = (Poll::new()?, Timer::new()?, Kernel::open()?, ArpSocket::open()?);
            let (down_files, trackers, link_beats) = (DownFiles::open()?, Trackers::open()?, LinkBeats::open()?);
            let seed = u64::from_ne_bytes(linux::random::octets()?);
            poll.add(&timer, TIMER, Interest::ReadableEdge)?;
            poll.add(&signals, SIGNALS, Interest::Readable)?;
            poll.add(&kernel.monitor, MONITOR, Interest::Readable)?;
            poll.add(&down_files, DOWN_FILES, Interest::Readable)?;
            poll.add(&trackers, TRACKERS, Interest::Readable)?;
            poll.add(&link_beats, LINK_BEATS, Interest::Readable)?;
            Ok((poll, timer, kernel, arp, down_files, trackers, link_beats, seed))
        })();
        let (poll, timer, mut kernel, arp, down_files, trackers, link_beats, seed) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err((error, background)),
        };
        let beside_another = matches!(control_place, Some(Err(ReserveError::Taken)));
        kernel.beside_another = beside_another;
        let mut told = confinement.lines();
        let notifier = Notifier::from_environment().unwrap_or_else(|error| {
            told.push((Severity::Warning, error.to_string()));
            Notifier::silent()
        });
        let engine_config = plan.engine_config();
        told.extend(plan.findings.into_iter().map(|finding| (finding.severity, finding.text)));
        let name = places::Name::new(&options, &plan.settings.process);
        let identity = running::identity(&options.config, name.instance.as_deref());
        let secret = options.state_directory.as_deref().map(running::mark::secret).and_then(|secret| {
            let matters = plan.services.iter().any(|service| service.manager.is_command());
            secret.map_err(|reason| told.extend(matters.then_some((Severity::Warning, reason)))).ok()
        });
        let mut made = Self {
            engine: Engine::new(engine_config, seed),
            options,
            settings: plan.settings,
            checks: plan.checks,
            prepared: plan.notify,
            prepared_groups: plan.group_notify,
            retired: Vec::new(),
            kernel,
            sockets: Sockets::new(),
            arp,
            frames: SendBatch::new(),
            announcements: VecDeque::new(),
            closed: ClosedAddresses::new(beside_another),
            sysctls: Sysctls::default(),
            solicited: SolicitedGroups::default(),
            poll,
            timer,
            signals,
            children: Children::default(),
            notify: NotifyQueues::default(),
            fifos: Fifos::default(),
            fifo_plans: plan.fifos,
            post: Post::new(background.voice()),
            active: BTreeSet::new(),
            told_in_reload: None,
            startup: plan.startup,
            shutdown: plan.shutdown,
            services: Services::new(identity, secret),
            batons: None,
            // Why it is not to be had is told when it is opened.
            control_place: control_place.and_then(Result::ok),
            control: None,
            control_later: None,
            confinement,
            down_files,
            trackers,
            link_beats,
            notifier,
            calendar: CalendarWatch::default(),
            background,
            reading: None,
            reload_again: false,
            reconcile: true,
            restoring: None,
            ask_again_at: None,
            incomplete: BTreeSet::new(),
            refused: BTreeSet::new(),
            unfulfilled: BTreeSet::new(),
            quiet_at: None,
            gathering: Gathering::default(),
            out: Vec::new(),
            carried: Vec::new(),
            told,
            patience: Patience::Running,
            stopped_until: None,
            hurried: false,
            name,
            share: Share::default(),
            usual_umask: None,
            reload_times: ReloadTimes::default(),
            kept_configurations: 0,
            told_strangers: BTreeSet::new(),
            panic_drill: std::env::var_os(PANIC_DRILL).is_some(),
            looked_again: 0,
        };
        made.configure_services(plan.services);
        Ok(made)
    }

    /// Tells the engine what there is, and begins.
    pub(crate) fn start(&mut self, expanded: Expanded) {
        if self.options.dump_config {
            for line in format!("{:#?}", self.settings).lines() {
                self.say(Severity::Info, line.to_owned());
            }
        }
        self.begin_as_a_process(expanded);
        let fifos = std::mem::take(&mut self.fifo_plans);
        self.configure_telling(fifos);
        self.tell_calendar();
        self.make_virtual_links();
        self.begin_with_link_beats();
        self.follow_configuration();
        self.adjust_sockets();
        self.close_addresses();
        self.adjust_sysctls();
        self.kernel.adjust_lifetimes(&self.settings);
        self.restore();
        self.open_batons();
        self.open_control();
        self.begin_with_down_files();
        self.begin_with_trackers();
        self.engine.handle(now(), Input::Start, &mut self.out);
        self.carry_out();
        if let Err(error) = self.notifier.ready() {
            self.say(Severity::Warning, error.to_string());
        }
        self.quiet_at = Some(clock::boot_time() + QUIET);
    }

    /// Runs until the engine has stopped and the last scripts are done.
    pub(crate) fn run(&mut self) -> linux::Result<()> {
        let mut ready = Vec::new();
        while !self.is_done() {
            let due = self.deadline();
            let is_armed = self.timer.arm(due).is_ok();
            ready.clear();
            let patience = match due {
                _ if !self.announcements.is_empty() => Some(Duration::ZERO),
                // Without a timer the wait itself ends in time.
                Some(due) if !is_armed => Some(Duration::from_nanos(due.saturating_sub(clock::boot_time()))),
                Some(_) | None => None,
            };
            ready.extend(self.poll.wait(patience)?);
            let looked_at = clock::boot_time();
            self.notice_lateness(due);
            self.let_packets_gather(&mut ready)?;
            self.take_in(&ready, looked_at)?;
            self.carry_out();
            self.stop_waiting();
            self.renew_addresses()?;
            self.send_some_announcements();
        }
        Ok(())
    }

    /// Lets packets gather, if they come in crowds; nothing that is due is ever late for it.
    fn let_packets_gather(&mut self, ready: &mut Vec<u64>) -> linux::Result<()> {
        let are_packets = |token: &u64| *token == UNICAST || (LINKS..running::TOKENS).contains(token);
        if !ready.iter().any(are_packets) {
            return Ok(());
        }
        let moment = clock::boot_time();
        let waits = self.gathering.arrive(moment) && ready.iter().all(are_packets) && self.announcements.is_empty();
        if waits && self.deadline().is_none_or(|deadline| deadline > moment + gathering::MOMENT) {
            std::thread::sleep(Duration::from_nanos(gathering::MOMENT));
            // Others may have come over other interfaces.
            ready.clear();
            ready.extend(self.poll.wait(Some(Duration::ZERO))?);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let idle = self.notify.is_idle() && self.services.hooks_are_idle() && self.fifos.is_idle();
        self.stopped_until.is_some_and(|until| idle || clock::boot_time() >= until)
    }

    fn deadline(&self) -> Option<u64> {
        let engine = self.engine.deadline().map(Instant::as_nanos);
        let half =
            self.stopped_until.filter(|_| !self.hurried).map(|until| until.saturating_sub(self.last_scripts() / 2));
        let own = [self.notify.deadline(), self.ask_again_at, self.quiet_at, self.stopped_until, half];
        let own = own.into_iter().chain([self.kernel.renew_deadline(), self.services.deadline()]);
        let own = own.chain([
            self.patience_ends_at(),
            self.down_files.deadline(),
            self.reload_times.deadline(),
            self.trackers.deadline(),
            self.fifos.deadline(),
        ]);
        engine.into_iter().chain(own.flatten()).min()
    }

    /// What has happened first, what is due last: a packet that waits in a socket may be the one that tells a
    /// Backup that nothing is due.
    fn take_in(&mut self, ready: &[u64], looked_at: u64) -> linux::Result<()> {
        self.tell_calendar();
        for token in ready {
            match *token {
                TIMER => self.timer.fired(),
                SIGNALS => self.take_signals()?,
                MONITOR => self.take_changes()?,
                UNICAST => self.take_packets(None),
                RELOAD => self.take_configuration(),
                CONTROL => self.take_requests(),
                CONTROL_LATER => self.take_control(),
                DOWN_FILES => self.take_down_files(),
                RELOAD_TIME => self.take_reload_times(),
                TRACKERS => self.take_figures(),
                LINK_BEATS => self.take_link_beats(),
                fifo @ FIFOS..BATONS => self.fifo_has_room(fifo),
                path @ BATONS..LINKS => self.take_batons(path),
                link @ ..running::TOKENS => self.take_packets(Some((link - LINKS) as u32)),
                service => {
                    let (services, lent) = self.services_and_loop();
                    services.ready(service, lent);
                }
            }
        }
        if self.ask_again_at.take_if(|at| *at <= clock::boot_time()).is_some() {
            self.take_changes()?;
            self.adjust_sockets();
            self.reopen_batons();
            self.reconcile = true;
        }
        let moment = now();
        if self.services.deadline().is_some_and(|at| at <= moment.as_nanos()) {
            let (services, lent) = self.services_and_loop();
            services.handle_timer(lent);
        }
        self.take_reports();
        if self.down_files.deadline().is_some_and(|at| at <= moment.as_nanos()) {
            self.take_down_files();
        }
        if self.trackers.deadline().is_some_and(|at| at <= moment.as_nanos()) {
            self.take_figures();
        }
        let is_due = self.engine.deadline().is_some_and(|deadline| deadline <= moment);
        if !is_due {
            self.looked_again = 0;
        } else if self.has_seen_all(ready, looked_at) {
            self.engine.handle(moment, Input::Timer, &mut self.out);
        }
        self.reload_if_due();
        self.see_to_fifos();
        self.notify.tell_long(moment.as_nanos(), &mut self.told);
        let half = self.last_scripts() / 2;
        let half_over = |until: u64| moment.as_nanos() >= until.saturating_sub(half);
        if self.stopped_until.is_some_and(half_over) && !std::mem::replace(&mut self.hurried, true) {
            self.notify.hurry(moment.as_nanos(), &mut self.children, &mut self.told);
        }
        if self.quiet_at.take_if(|at| *at <= moment.as_nanos()).is_some() {
            self.release_memory();
        }
        Ok(())
    }

    /// Whether what had come when the timer fired is taken in. Who was stopped in the middle of a wait or of a turn may have
    /// packets waiting that say that nothing is due: the wait ends with nothing then, or with what was there before. The
    /// next one ends at once, and with all of it.
    fn has_seen_all(&mut self, ready: &[u64], looked_at: u64) -> bool {
        let told = ready.contains(&TIMER) && clock::boot_time() - looked_at < HELD_UP;
        // Not for ever: on a machine on which every turn takes long, something must become of what is due.
        let seen = told || self.looked_again == LOOKS;
        self.looked_again = if seen { 0 } else { self.looked_again + 1 };
        seen
    }

    /// It has been quiet for a while. What all instances needed at the same moment is not needed from second to second.
    fn release_memory(&mut self) {
        self.out.shrink_to_fit();
        self.carried.shrink_to_fit();
        self.told.shrink_to_fit();
        self.announcements.shrink_to_fit();
        self.share.release_memory();
    }

    fn tell_calendar(&mut self) {
        if let Some(input) = self.calendar.news() {
            self.engine.handle(now(), input, &mut self.out);
            let told = self.reload_times.calendar_was_set();
            self.told.extend(told);
        }
    }

    /// How long the last notify scripts may take after a stop, in nanoseconds.
    fn last_scripts(&self) -> u64 {
        u64::try_from(self.settings.process.child_wait.as_nanos()).unwrap_or(u64::MAX)
    }

    fn take_signals(&mut self) -> linux::Result<()> {
        let mut received = Vec::new();
        self.signals.receive(&mut received)?;
        for Received { signal, pid, .. } in received {
            match signal {
                Signal::CHILD => self.take_ends(),
                Signal::HANGUP => self.begin_reload(),
                Signal::INTERRUPT if self.options.ignore_interrupt => {
                    self.say(Severity::Info, "SIGINT is ignored, as asked".to_owned());
                }
                Signal::TERMINATE | Signal::INTERRUPT => self.stop(),
                Signal::USER_1 => self.write_dump(Dump::State),
                Signal::USER_2 => self.write_dump(Dump::Statistics),
                clear if clear == Signal::statistics_clear() => self.write_dump(Dump::StatisticsThenClear),
                json if json == Signal::json() => self.write_dump(Dump::Json),
                Signal::REAL_TIME_EXCEEDED => self.notice_excess(),
                Signal::QUIT if self.panic_drill => panic!("drill, asked for by process {pid}"),
                Signal::QUIT => self.stop(),
                Signal(other) => self.say(Severity::Info, format!("signal {other} from process {pid} ignored")),
            }
        }
        Ok(())
    }

    fn take_ends(&mut self) {
        for (pid, purpose, exit) in self.children.ended() {
            match purpose {
                Purpose::AbandonedCheck => {}
                Purpose::Check(script) => {
                    let outcome = match exit {
                        Exit::Code(status) => ScriptOutcome::Exited(status),
                        Exit::Signal(signal) => ScriptOutcome::Signalled(signal),
                    };
                    let input = Input::ScriptFinished { script: &script, outcome };
                    self.engine.handle(now(), input, &mut self.out);
                }
                Purpose::Notify(key) => {
                    let moment = clock::boot_time();
                    self.notify.ended(&key, pid, exit, moment, &mut self.children, &mut self.told);
                }
                Purpose::FifoReader(keyword) => self.fifo_reader_ended(keyword, pid, exit),
                Purpose::Service(child) => {
                    let (services, lent) = self.services_and_loop();
                    services.child_ended(pid, &child, exit, lent);
                }
            }
        }
    }

    // ── carrying out ──────────────────────────────────────────────────────────────────────────────────

    /// Does what the engine asked for: first what peers wait for, then addresses, then announcements that need the
    /// addresses, then everything that only people and scripts wait for.
    fn carry_out(&mut self) {
        while !self.out.is_empty() || self.reconcile || !self.told.is_empty() {
            std::mem::swap(&mut self.out, &mut self.carried);
            let carried = std::mem::take(&mut self.carried);
            self.send_advertisements(&carried);
            if carried.iter().any(|output| matches!(output, Output::DesiredChanged)) {
                self.reconcile = true;
                self.refused.clear();
            }
            let held = std::mem::take(&mut self.reconcile).then(|| self.bring_into_line());
            self.queue_announcements(&carried, held.as_ref());
            self.send_some_announcements();
            for output in &carried {
                self.carry_out_rest(output);
            }
            self.take_reports();
            // What tells something is not what goes on for years.
            if carried.iter().any(|output| matches!(output, Output::Tell(_))) {
                self.quiet_at = Some(clock::boot_time() + QUIET);
            }
            if carried.iter().any(|output| matches!(output, Output::Tell(Event::StateChanged { .. }))) {
                self.show_status();
            }
            self.carried = carried;
            self.carried.clear();
            for (severity, text) in std::mem::take(&mut self.told) {
                self.say(severity, text);
            }
        }
    }

    /// The line of `systemctl status`.
    fn show_status(&self) {
        let routers = self.engine.config().routers.len();
        let is_active = |id: &usize| self.engine.state(RouterId(*id as u32)) == Some(StateName::Active);
        let active = (0..routers).filter(is_active).count();
        // Nobody to tell if the service manager does not want to know.
        let _ = self.notifier.status(&format!("MASTER of {active} of {routers} instances"));
    }

    fn carry_out_rest(&mut self, output: &Output) {
        match output {
            Output::Advertise { .. } | Output::DesiredChanged | Output::Announce { .. } => {}
            Output::RunScript { script } if self.services.has_probe(script) => {
                let (services, lent) = self.services_and_loop();
                services.run_probe(script, lent);
            }
            Output::RunScript { script } => self.run_check(script),
            Output::EndScript { script, .. } if self.services.has_probe(script) => {
                let (services, lent) = self.services_and_loop();
                services.end_probe(script, lent);
            }
            Output::EndScript { script, how } => {
                if let Err(error) = self.checks.end(script, *how, &mut self.children) {
                    self.say(Severity::Warning, error.to_string());
                }
            }
            Output::Notify(notice) => self.notify_router(*notice),
            Output::NotifyGroup { group, kind } => self.notify_group(group, *kind),
            Output::Tell(event) => self.tell(event),
            Output::Service { service, order } => self.order_service(service, *order),
            Output::RunHook(call) => {
                let (services, lent) = self.services_and_loop();
                services.run_hook(call, lent);
            }
            Output::SendBaton { path, octets } => self.send_baton(*path, octets),
            Output::Save(record) => self.save(record),
            Output::Answer { number, answer } => self.answer(*number, answer),
            Output::Stopped => {
                self.stopped_until = Some(clock::boot_time().saturating_add(self.last_scripts()));
                self.fifos.begin_to_end(clock::boot_time());
            }
        }
    }

    fn tell(&mut self, event: &Event) {
        self.note(event);
        let lines = words::lines(&self.engine, event);
        self.publish(event, &lines);
        let about = words::about(&self.engine, event);
        for Line { severity, text, detail } in lines {
            if !detail || self.options.log.detail {
                let (instance, service) = (about.instance.clone(), about.service.clone());
                self.background.hand_over(Job::Line(Entry { severity, text, event: about.event, instance, service }));
            }
        }
    }

    fn say(&self, severity: Severity, text: String) {
        self.background.hand_over(Job::Line(Entry::remark(severity, text)));
    }
}
