//! The loop's dealings with those who are told of changes: scripts, readers of pipes, people by mail.

use std::collections::BTreeSet;

use engine::{Event, Name, Notice, NoticeKind, RouterId, StateName};
use linux::clock;
use linux::spawn::Exit;

use super::{EventLoop, FIFOS};
use crate::bookends::Bookend;
use crate::fifos::{Around, FifoPlan, Fifos};
use crate::mail::{Letter, Route};
use crate::notify::{Occasion, Prepared, priority_line};

/// Who has been told of since a reload began.
#[derive(Debug, Default)]
pub(super) struct Told {
    routers: BTreeSet<Name>,
    groups: BTreeSet<Name>,
}

impl EventLoop {
    fn fifos_and_loop(&mut self) -> (&mut Fifos, Around<'_>) {
        let Self { fifos, poll, children, told, .. } = self;
        (fifos, Around { now: clock::boot_time(), poll, children, told })
    }

    pub(super) fn configure_telling(&mut self, fifos: Vec<FifoPlan>) {
        let (outlets, mut around) = self.fifos_and_loop();
        outlets.configure(fifos, FIFOS, &mut around);
        self.post.configure(Route::of(&self.settings));
    }

    pub(super) fn fifo_has_room(&mut self, token: u64) {
        let (fifos, mut around) = self.fifos_and_loop();
        fifos.ready(token, &mut around);
    }

    pub(super) fn fifo_reader_ended(&mut self, keyword: &str, pid: u32, exit: Exit) {
        let (fifos, mut around) = self.fifos_and_loop();
        fifos.ended(keyword, pid, exit, &mut around);
    }

    pub(super) fn see_to_fifos(&mut self) {
        if self.fifos.deadline().is_some_and(|at| at <= clock::boot_time()) {
            let (fifos, mut around) = self.fifos_and_loop();
            fifos.handle_timer(&mut around);
        }
    }

    /// Whoever reads our pipes gets their end.
    pub(super) fn part_from_fifos(&mut self) {
        let (fifos, mut around) = self.fifos_and_loop();
        fifos.finish(&mut around);
    }

    fn write_line(&mut self, line: &str) {
        let (fifos, mut around) = self.fifos_and_loop();
        fifos.tell(line, &mut around);
    }

    /// An instance: first its scripts, then pipes, then mail, as in keepalived.
    pub(super) fn notify_router(&mut self, notice: Notice) {
        let id = notice.router.0 as usize;
        let current = self.settings.instances.get(id).map(|instance| instance.mails);
        let retired = id.checked_sub(self.prepared.len()).and_then(|place| self.retired.get(place));
        let (prepared, mails) = match (self.prepared.get(id), retired) {
            (Some(prepared), _) => (prepared.clone(), current.unwrap_or_default()),
            (None, Some((retired, mails))) => (retired.clone(), *mails),
            (None, None) => return,
        };
        let Some(router) = self.engine.router(notice.router) else { return };
        let (occasion, name) = (Occasion::of_router(router, notice), router.name.clone());
        if let Some(told) = self.told_in_reload.as_mut().filter(|_| notice.kind != NoticeKind::ActiveHeardLowerPriority)
        {
            told.routers.insert(name);
        }
        self.pass_on(&occasion, &prepared, mails);
    }

    pub(super) fn notify_group(&mut self, group: &Name, kind: NoticeKind) {
        let Some(prepared) = self.prepared_groups.get(group).cloned() else { return };
        let mails = self.settings.groups.iter().any(|known| known.group.name == *group && known.mails);
        if let Some(told) = &mut self.told_in_reload {
            told.groups.insert(group.clone());
        }
        self.pass_on(&Occasion::of_group(group, kind), &prepared, mails);
    }

    fn pass_on(&mut self, occasion: &Occasion, prepared: &Prepared, mails: bool) {
        let Self { notify, children, told, .. } = self;
        notify.push(occasion, prepared, clock::boot_time(), children, told);
        if !self.fifos.is_empty() {
            self.write_line(&occasion.line(prepared));
        }
        if let (true, Some(route)) = (mails, self.post.route())
            && let Some(letter) = Letter::about(occasion, prepared, route)
        {
            self.post.send(letter);
        }
    }

    /// Follows what is told of states and priorities, in its order.
    pub(super) fn note(&mut self, event: &Event) {
        if let Event::StateChanged { router, to, .. } = event {
            if *to == StateName::Active {
                self.active.insert(*router);
            } else {
                self.active.remove(router);
            }
        } else if let Event::PriorityChanged { router, to, .. } = event {
            self.tell_priority(*router, *to);
        }
    }

    /// A reload tells states, if anything, and no priorities.
    fn tell_priority(&mut self, router: RouterId, priority: engine::Priority) {
        let tells = self.settings.instances.get(router.0 as usize).is_some_and(|instance| instance.tells_priority);
        if tells && self.told_in_reload.is_none() && !self.fifos.is_empty() {
            let Some(config) = self.engine.router(router) else { return };
            let line = priority_line(&config.name, self.active.contains(&router), priority);
            self.write_line(&line);
        }
    }

    /// From now on it is noted who is told of.
    pub(super) fn begin_telling_of_reload(&mut self) {
        self.told_in_reload = Some(Told::default());
    }

    /// The pipes are told every state that they were not told just now, if that is wanted: that of a group, and those of
    /// instances that have another.
    pub(super) fn tell_states(&mut self) {
        let told = self.told_in_reload.take().unwrap_or_default();
        let view = self.engine.view();
        let active = view.routers.iter().filter(|router| router.state == StateName::Active);
        self.active = active.map(|router| router.router).collect();
        if !self.settings.global.states_on_reload || self.fifos.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        for group in &view.groups {
            if let Some(kind) = group.kind.filter(|_| !told.groups.contains(&group.name)) {
                lines.push(Occasion::of_group(&group.name, kind).line(&Prepared::default()));
            }
        }
        for router in &view.routers {
            let kind = match router.state {
                StateName::Active => NoticeKind::Active,
                StateName::Backup => NoticeKind::Backup,
                StateName::Initialize if !router.faults.is_empty() => NoticeKind::Fault,
                StateName::Initialize => continue,
            };
            let group = self.settings.groups.iter().find(|group| group.group.members.contains(&router.name));
            let same = group.and_then(|group| view.groups.iter().find(|seen| seen.name == group.group.name));
            if told.routers.contains(&router.name) || same.is_some_and(|group| group.kind == Some(kind)) {
                continue;
            }
            if let Some(config) = self.engine.router(router.router) {
                let notice = Notice { router: router.router, kind, priority: router.effective_priority };
                lines.push(Occasion::of_router(config, notice).line(&Prepared::default()));
            }
        }
        for line in lines {
            self.write_line(&line);
        }
    }

    /// Runs the script that comes before everything else, or after. Answers whether we were asked to stop meanwhile.
    pub(super) fn run_bookend(&mut self, bookend: &Bookend) -> bool {
        let Self { options, background, .. } = self;
        bookend.run(options.ignore_interrupt, &mut |(severity, text)| {
            background.hand_over(crate::background::Job::Line(crate::log::Entry::remark(severity, text)));
        })
    }

    /// Before anything else is done. If we are asked to stop meanwhile, nothing else is.
    pub(crate) fn prelude(&mut self) -> bool {
        let startup = self.startup.take();
        !startup.is_some_and(|startup| self.run_bookend(&startup))
    }
}
