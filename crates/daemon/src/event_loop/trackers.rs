//! The loop's dealings with tracked files and processes.

use engine::Input;
use linux::clock;

use super::{EventLoop, now};
use crate::trackers::TrackerNews;

impl EventLoop {
    /// At the start the engine is told of everything before anybody takes part, if the file systems answer.
    pub(super) fn begin_with_trackers(&mut self) {
        self.adjust_trackers();
        let news = self.trackers.wait_for_first_look(clock::boot_time());
        self.follow_trackers(news);
    }

    /// After the engine was given its configuration.
    pub(super) fn adjust_trackers(&mut self) {
        let news = self.trackers.adjust(&self.settings, clock::boot_time());
        self.follow_trackers(news);
    }

    pub(super) fn take_figures(&mut self) {
        let news = self.trackers.receive(clock::boot_time());
        self.follow_trackers(news);
    }

    fn follow_trackers(&mut self, TrackerNews { figures, lines }: TrackerNews) {
        self.told.extend(lines);
        for (tracker, figure, cause) in figures {
            self.engine.handle(now(), Input::Figure { tracker: &tracker, figure, cause }, &mut self.out);
        }
    }
}
