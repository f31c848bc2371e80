//! The thread that sends mail, one after the other. What cannot be sent now stays at the head of the queue and is tried again
//! and again; the queue is bounded, and when it is full the oldest goes. What is in the way is told once.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use linux::system_log::Severity;

use super::smtp::{Failure, Talk, deliver};
use super::{Letter, Route};
use crate::background::Voice;

/// Letters that may wait; a failover of 250 instances writes as many.
const MOST_WAITING: usize = 1000;
/// The first pause after a failure; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The first pause after a login that was refused: servers count these, and close the door.
const BARRED_PAUSE: Duration = Duration::from_secs(60);
/// How long an ending daemon waits for what is still to be sent.
const LAST_POST: Duration = Duration::from_secs(3);

/// The loop's end of it. The thread is there from the first letter on.
#[derive(Debug)]
pub(crate) struct Post {
    voice: Voice,
    route: Option<Arc<Route>>,
    office: Arc<Office>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Office {
    desk: Mutex<Desk>,
    news: Condvar,
}

/// What both ends know.
#[derive(Debug, Default)]
struct Desk {
    route: Option<Arc<Route>>,
    waiting: VecDeque<Letter>,
    /// One has been taken from the queue and is not sent yet.
    in_hand: bool,
    lost: u64,
    closing: bool,
}

impl Office {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    pub(crate) fn new(voice: Voice) -> Self {
        Self { voice, route: None, office: Arc::default(), thread: None }
    }

    /// From now on mail goes this way, also what waits. It is tried at once, even if the way is the same: what stands in the
    /// files of password and certificates may be new.
    pub(crate) fn configure(&mut self, route: Option<Route>) {
        self.route = route.map(Arc::new);
        let mut desk = self.office.desk();
        desk.route = self.route.clone();
        if desk.route.is_none() && !desk.waiting.is_empty() {
            let count = desk.waiting.len();
            desk.waiting.clear();
            let text = format!("{count} mails that waited are dropped: nobody is to get mail any more");
            self.voice.say(Severity::Warning, text);
        }
        self.office.news.notify_all();
    }

    /// Where mail goes, if it goes anywhere.
    pub(crate) fn route(&self) -> Option<&Route> {
        self.route.as_deref()
    }

    /// Never waits for more than a moment's lock.
    pub(crate) fn send(&mut self, letter: Letter) {
        if self.thread.is_none() {
            let (office, voice) = (Arc::clone(&self.office), self.voice.clone());
            let started = std::thread::Builder::new()
                .name("tanist-mail".to_owned())
                .stack_size(256 * 1024)
                .spawn(move || work(&office, &voice));
            match started {
                Ok(thread) => self.thread = Some(thread),
                Err(error) => {
                    return self.voice.say(Severity::Error, format!("start the mail thread: {error}; a mail is lost"));
                }
            }
        }
        let mut desk = self.office.desk();
        desk.waiting.push_back(letter);
        if desk.waiting.len() > MOST_WAITING {
            desk.waiting.pop_front();
            if desk.lost == 0 {
                let text = format!("more than {MOST_WAITING} mails are waiting: the oldest are dropped");
                self.voice.say(Severity::Error, text);
            }
            desk.lost += 1;
        }
        self.office.news.notify_all();
    }

    /// What still waits is tried once more, but not for ever.
    pub(crate) fn finish(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.office.desk().closing = true;
        self.office.news.notify_all();
        let until = Instant::now() + LAST_POST;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        let desk = self.office.desk();
        let unsent = desk.waiting.len() + usize::from(desk.in_hand);
        if unsent > 0 {
            self.voice.say(Severity::Error, format!("{unsent} mails could not be sent before the stop and are lost"));
        }
    }
}

fn work(office: &Office, voice: &Voice) {
    let mut trouble: Option<String> = None;
    let mut pause = FIRST_PAUSE;
    let mut open = None;
    while let Some((route, letter)) = take(office, &mut open) {
        let server = route.server_name();
        let mut left = None;
        let failure = match deliver(&route, &letter, &mut open) {
            Ok(delivered) => {
                for (recipient, reason) in delivered.refused {
                    let text = format!("mail for {recipient} is refused by {server}: {reason}");
                    voice.say(Severity::Error, text);
                }
                left = (!delivered.later.is_empty()).then_some(delivered.later);
                left.as_ref().map(|left| format!("not yet for {}", left.join(", ")))
            }
            Err(Failure::Ever(reason)) => {
                let text = format!("mail \"{}\" is refused by {server} and dropped: {reason}", letter.subject);
                voice.say(Severity::Error, text);
                None
            }
            Err(Failure::Now(reason)) => {
                left.clone_from(&letter.left);
                Some(reason)
            }
            Err(Failure::Barred(reason)) => {
                left.clone_from(&letter.left);
                pause = pause.max(BARRED_PAUSE);
                Some(reason)
            }
        };
        let Some(reason) = failure else {
            pause = FIRST_PAUSE;
            let mut desk = office.desk();
            desk.in_hand = false;
            let lost = std::mem::take(&mut desk.lost);
            drop(desk);
            if trouble.take().is_some() {
                let and = if lost > 0 { format!("; {lost} mails were lost") } else { String::new() };
                voice.say(Severity::Notice, format!("mail is sent again by way of {server}{and}"));
            }
            continue;
        };
        if !put_back(office, Letter { left, ..letter }, &reason, &server, &mut trouble, voice) {
            return;
        }
        wait(office, &route, pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The next one; `None` when there will be no more. A session that is open ends before there is a wait.
fn take(office: &Office, open: &mut Option<Talk>) -> Option<(Arc<Route>, Letter)> {
    let mut desk = office.desk();
    loop {
        if let Some(route) = desk.route.clone()
            && let Some(letter) = desk.waiting.pop_front()
        {
            desk.in_hand = true;
            return Some((route, letter));
        }
        if let Some(talk) = open.take() {
            drop(desk);
            talk.end();
            desk = office.desk();
            continue;
        }
        if desk.closing {
            return None;
        }
        desk.waiting.shrink_to_fit();
        desk = office.news.wait(desk).unwrap_or_else(PoisonError::into_inner);
    }
}

/// It is tried again before all others. `false` if there will be no other time.
fn put_back(
    office: &Office,
    letter: Letter,
    reason: &str,
    server: &str,
    trouble: &mut Option<String>,
    voice: &Voice,
) -> bool {
    let mut desk = office.desk();
    desk.in_hand = false;
    desk.waiting.push_front(letter);
    let (count, closing) = (desk.waiting.len(), desk.closing);
    drop(desk);
    if trouble.as_deref() != Some(reason) {
        let again = if closing { "" } else { "; trying again and again" };
        let text = format!("mail cannot be sent by way of {server}: {reason}; {count} waiting{again}");
        voice.say(Severity::Warning, text);
        *trouble = Some(reason.to_owned());
    }
    !closing
}

/// Until the pause is over, or there is another way, or the end.
fn wait(office: &Office, route: &Arc<Route>, pause: Duration) {
    let until = Instant::now() + pause;
    let mut desk = office.desk();
    while !desk.closing && desk.route.as_ref().is_some_and(|now| Arc::ptr_eq(now, route)) {
        let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { return };
        desk = office.news.wait_timeout(desk, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[cfg(test)]
mod tests;
