//! What one manager says, heard with patience.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use engine::ServiceReport;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tanist_managers::{News, Weight, Word};

use crate::real::PATIENCE;

/// What has been heard of one manager and not been asked for yet.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    news: Vec<News>,
}

impl Heard {
    /// The next report about a service. Others' reports, and remarks, are kept.
    #[track_caller]
    pub(crate) fn report(&mut self, service: &str, fd: BorrowedFd<'_>, take: impl Fn() -> Vec<News>) -> ServiceReport {
        let is_report = |news: &News| matches!(news.word, Word::Report(_)) && &*news.service == service;
        match self.next(fd, take, is_report) {
            Some(News { word: Word::Report(report), .. }) => report,
            _ => panic!("no report about {service}; heard: {:?}", self.news),
        }
    }

    /// Waits for a remark about a service that contains these words.
    #[track_caller]
    pub(crate) fn remark(
        &mut self,
        service: &str,
        words: &str,
        fd: BorrowedFd<'_>,
        take: impl Fn() -> Vec<News>,
    ) -> Weight {
        let is_it = |news: &News| {
            matches!(&news.word, Word::Remark(_, text) if text.contains(words)) && &*news.service == service
        };
        match self.next(fd, take, is_it) {
            Some(News { word: Word::Remark(weight, _), .. }) => weight,
            _ => panic!("no remark {words:?} about {service}; heard: {:?}", self.news),
        }
    }

    /// All reports about a service that are there now and were not asked for.
    pub(crate) fn rest(&mut self, service: &str, take: impl Fn() -> Vec<News>) -> Vec<ServiceReport> {
        self.news.extend(take());
        let (rest, others) =
            std::mem::take(&mut self.news).into_iter().partition::<Vec<_>, _>(|news| &*news.service == service);
        self.news = others;
        let report = |news| match news {
            News { word: Word::Report(report), .. } => Some(report),
            News { word: Word::Remark(..), .. } => None,
        };
        rest.into_iter().filter_map(report).collect()
    }

    fn next(
        &mut self,
        fd: BorrowedFd<'_>,
        take: impl Fn() -> Vec<News>,
        is_it: impl Fn(&News) -> bool,
    ) -> Option<News> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.news.extend(take());
            if let Some(at) = self.news.iter().position(&is_it) {
                return Some(self.news.remove(at));
            }
            let left = until.checked_duration_since(Instant::now())?;
            let mut fds = [PollFd::new(&fd, PollFlags::IN)];
            poll(&mut fds, Timespec::try_from(left).ok().as_ref()).expect("poll");
        }
    }
}
