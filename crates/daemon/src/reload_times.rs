//! `reload_time_file`: a file whose first line says when to reload. A thread of its own watches it, because a file system
//! whose server is lost must not hold up the loop.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linux::clock;
use linux::file_watch::FileWatch;
use linux::local_time::LocalTime;
use linux::poll::{Interest, Poll};
use linux::system_log::Severity;

/// Where nothing tells of changes, or the file could not be read, it is looked at again after this.
const AGAIN: Duration = Duration::from_secs(2);
const DAY: i64 = 86_400;
/// No time is longer, and no file is read to its end.
const LONGEST: u64 = 64;
const NEWS: u64 = 0;
const LEAVE: u64 = 1;

/// A line about it.
type Told = (Severity, String);

/// When to reload, if somebody has said so.
#[derive(Debug, Default)]
pub(crate) struct ReloadTimes {
    watcher: Option<Watcher>,
    /// What the file said last.
    said: Option<String>,
    /// In seconds since 1970.
    due: Option<i64>,
}

#[derive(Debug)]
struct Watcher {
    path: PathBuf,
    /// What the thread has seen and we have not taken: the first line, or that there is none.
    seen: Arc<Mutex<Option<Option<String>>>>,
    bell: UnixStream,
    /// Closing it ends the thread.
    _leave: UnixStream,
}

impl ReloadTimes {
    /// Watches this file from now on. Answers whether there is something new to wait for.
    pub(crate) fn watch(&mut self, path: Option<&Path>) -> linux::Result<bool> {
        if self.watcher.as_ref().map(|watcher| watcher.path.as_path()) == path {
            return Ok(false);
        }
        *self = Self::default();
        if let Some(path) = path {
            let started = Watcher::start(path);
            let failed = |error: std::io::Error| linux::Error::from_io(format!("watch {}", path.display()), &error);
            self.watcher = Some(started.map_err(failed)?);
        }
        Ok(true)
    }

    /// Readable when the file may say something else.
    pub(crate) fn bell(&self) -> Option<BorrowedFd<'_>> {
        self.watcher.as_ref().map(|watcher| watcher.bell.as_fd())
    }

    /// Takes in what the file says now.
    pub(crate) fn receive(&mut self) -> Vec<Told> {
        let Some(watcher) = &mut self.watcher else { return Vec::new() };
        let mut octets = [0; 64];
        while matches!(watcher.bell.read(&mut octets), Ok(1..)) {}
        let seen = watcher.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(said) = seen.filter(|said| *said != self.said) else { return Vec::new() };
        self.said = said;
        self.schedule(unix_time())
    }

    /// The calendar was set: the same words mean another moment.
    pub(crate) fn calendar_was_set(&mut self) -> Vec<Told> {
        self.calendar_says(unix_time())
    }

    fn calendar_says(&mut self, now: i64) -> Vec<Told> {
        match self.due {
            // It was set beyond that moment, which has thereby come.
            Some(due) if due <= now => Vec::new(),
            Some(_) => self.schedule(now),
            None => Vec::new(),
        }
    }

    fn schedule(&mut self, now: i64) -> Vec<Told> {
        let before = self.due.take();
        let mut told = Vec::new();
        match self.said.as_deref().map(|said| next(said, now)) {
            None => {}
            Some(Ok(due)) => self.due = Some(due),
            Some(Err(Unusable::Past)) => {
                told.push((Severity::Warning, "Reload date/time is in the past - ignoring".to_owned()))
            }
            Some(Err(Unusable::NoTime)) => {
                let said = self.said.as_deref().unwrap_or_default();
                let text = format!(
                    "Invalid reload time '{said}' specified - ignoring; it takes HH:MM:SS, perhaps after YYYY-MM-DD and \
                     perhaps with a Z behind it"
                );
                told.push((Severity::Warning, text));
            }
        }
        let line = match (before, self.due) {
            (None, Some(due)) => Some(format!("Scheduling reload for {}", words(due))),
            (Some(before), Some(due)) if before != due => {
                Some(format!("Reload time updated from {} to {}", words(before), words(due)))
            }
            (Some(before), None) => Some(format!("Cancelling reload scheduled for {}", words(before))),
            (Some(_), Some(_)) | (None, None) => None,
        };
        told.extend(line.map(|line| (Severity::Info, line)));
        told
    }

    /// When it is due, in nanoseconds of the boot-time clock.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let left = Duration::from_secs(u64::try_from(self.due?).ok()?).saturating_sub(clock::real_time());
        let left = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
        Some(clock::boot_time().saturating_add(left))
    }

    /// Whether it is due now. If `repeat`, the file stays and the next day has its turn; otherwise the path comes back,
    /// which is to be removed.
    pub(crate) fn take_due(&mut self, repeat: bool) -> Option<(Option<PathBuf>, Vec<Told>)> {
        self.due.take_if(|due| *due <= unix_time())?;
        if repeat {
            // A date is past now, which need not be told.
            let told = self.schedule(unix_time()).into_iter().filter(|_| self.due.is_some()).collect();
            return Some((None, told));
        }
        self.said = None;
        Some((self.watcher.as_ref().map(|watcher| watcher.path.clone()), Vec::new()))
    }
}

fn unix_time() -> i64 {
    i64::try_from(clock::real_time().as_secs()).unwrap_or(i64::MAX)
}

impl Watcher {
    /// Starts the thread, which looks at once. Signals must be blocked before.
    fn start(path: &Path) -> std::io::Result<Self> {
        let (leave, their_leave) = UnixStream::pair()?;
        let (bell, their_bell) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        their_bell.set_nonblocking(true)?;
        let seen = Arc::new(Mutex::new(None));
        let (theirs, path) = (Arc::clone(&seen), path.to_owned());
        let watched = path.clone();
        std::thread::Builder::new()
            .name("tanist-file".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || look_until_left(&watched, &theirs, their_bell, &their_leave))?;
        Ok(Self { path, seen, bell, _leave: leave })
    }
}

fn look_until_left(path: &Path, seen: &Mutex<Option<Option<String>>>, mut bell: UnixStream, leave: &UnixStream) {
    let mut watch = FileWatch::open();
    let _ = watch.as_mut().map(|watch| watch.watch(&[path.to_owned()]));
    loop {
        let said = first_line(path);
        let is_sure = said.is_ok();
        // What cannot be told is as it was.
        if let Ok(said) = said {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
            // If it is full, it rings already.
            let _ = bell.write(b"!");
        }
        match wait(watch.as_mut().ok(), leave, is_sure) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => std::thread::sleep(AGAIN),
        }
        let _ = watch.as_mut().map(|watch| watch.look());
    }
}

/// Waits until it is to be looked again; `false` if nobody needs it any more.
fn wait(mut watch: Option<&mut FileWatch>, leave: &UnixStream, is_sure: bool) -> linux::Result<bool> {
    let mut poll = Poll::new()?;
    poll.add(leave, LEAVE, Interest::Readable)?;
    if let Some(watch) = &watch {
        poll.add(&**watch, NEWS, Interest::Readable)?;
    }
    let patience = if watch.is_some() && is_sure { None } else { Some(AGAIN) };
    loop {
        let ready: Vec<u64> = poll.wait(patience)?.collect();
        if ready.contains(&LEAVE) {
            return Ok(false);
        }
        match &mut watch {
            Some(watch) if ready.contains(&NEWS) => {
                if watch.has_news()? {
                    return Ok(true);
                }
            }
            Some(_) | None => return Ok(true),
        }
    }
}

/// The first line of a file; `None` if there is no such file.
fn first_line(path: &Path) -> std::io::Result<Option<String>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut octets = Vec::new();
    file.take(LONGEST).read_to_end(&mut octets)?;
    let text = String::from_utf8_lossy(&octets).into_owned();
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}

/// Why words are no moment to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    NoTime,
    Past,
}

/// The moment that is meant, in seconds since 1970. A time without a date is the next such time.
pub(crate) fn next(said: &str, now: i64) -> Result<i64, Unusable> {
    let (text, utc) = said.strip_suffix('Z').map_or((said, false), |text| (text, true));
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (Some(parse_date(date).ok_or(Unusable::NoTime)?), time),
        None => (None, text),
    };
    let second_of_day = parse_time(time).ok_or(Unusable::NoTime)?;
    let moment = |day: i64| if utc { day * DAY + second_of_day } else { of_local(day * DAY + second_of_day) };
    match date {
        Some(day) => Some(moment(day)).filter(|moment| *moment > now).ok_or(Unusable::Past),
        None => {
            let today = if utc { now.div_euclid(DAY) } else { local(now).div_euclid(DAY) };
            // On some days there is no such time, and no clock is set by a whole day.
            (today..).map(moment).find(|moment| *moment > now).ok_or(Unusable::Past)
        }
    }
}

/// `07:30:00` as seconds of the day.
fn parse_time(text: &str) -> Option<i64> {
    let [hour, minute, second] = numbers(text, ':', [2, 2, 2])?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// `2026-11-21` or `26-11-21` as days since 1970.
fn parse_date(text: &str) -> Option<i64> {
    let [year, month, day] = match numbers(text, '-', [4, 2, 2]) {
        Some(full) => full,
        None => {
            let [year, month, day] = numbers(text, '-', [2, 2, 2])?;
            [2000 + year, month, day]
        }
    };
    let days = days_since_1970(year, month, day);
    // The 31st of a month that has none would be a day of the next one.
    let exists = (1..=12).contains(&month) && day >= 1 && {
        let next = if month == 12 { days_since_1970(year + 1, 1, 1) } else { days_since_1970(year, month + 1, 1) };
        days < next
    };
    exists.then_some(days)
}

/// Three numbers with exactly so many digits.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (place, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        let good = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        *place = part.parse().ok().filter(|_| good)?;
    }
    parts.next().is_none().then_some(found)
}

/// By the Gregorian calendar, whose eras of 400 years are all alike.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// What the clock on the wall shows, counted as if it were UTC.
fn local(moment: i64) -> i64 {
    let shown = LocalTime::of(Duration::from_secs(u64::try_from(moment).unwrap_or_default()));
    let days = days_since_1970(shown.year.into(), shown.month.into(), shown.day.into());
    days * DAY + i64::from(shown.hour) * 3600 + i64::from(shown.minute) * 60 + i64::from(shown.second)
}

/// When the clock on the wall shows that.
fn of_local(shown: i64) -> i64 {
    // Two steps find it; where a clock is set forward it shows some times never, and any near one will do.
    (0..3).fold(shown, |guess, _| guess + shown - local(guess))
}

fn words(moment: i64) -> String {
    let LocalTime { year, month, day, hour, minute, second, .. } =
        LocalTime::of(Duration::from_secs(u64::try_from(moment).unwrap_or_default()));
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 20:50:00 UTC.
    const NOW: i64 = 1_795_294_200;

    #[test]
    fn days_are_counted_by_the_calendar() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(days_since_1970(2000, 3, 1), 11_017);
        assert_eq!(days_since_1970(2026, 11, 21), NOW / DAY);
    }

    #[test]
    fn times_are_read_exactly_as_keepalived_reads_them() {
        let check = |said, expected| assert_eq!(next(said, NOW), expected, "{said}");
        check("20:50:01Z", Ok(NOW + 1));
        // Now is not in the future.
        check("20:50:00Z", Ok(NOW + DAY));
        check("20:49:59Z", Ok(NOW + DAY - 1));
        check("26-12-01 10:00:00Z", Ok(1_796_119_200));
        check("2026-12-01 10:00:00Z", Ok(1_796_119_200));
        check("2020-01-01 00:00:00Z", Err(Unusable::Past));
        for wrong in [
            "",
            "23:99:00Z",
            "24:00:00Z",
            "2026-11-21",
            "20:49:3Z",
            " 10:00:00Z",
            "2026-12-01 10:00:00Z ",
            "10:00:00ZZ",
            "2026-12-01  10:00:00Z",
            "2026-13-01 10:00:00Z",
            "2026-02-30 10:00:00Z",
            "126-12-01 10:00:00Z",
            "+1:00:00Z",
            "10:00",
            "10:00:00:00Z",
        ] {
            check(wrong, Err(Unusable::NoTime));
        }
    }

    #[test]
    fn local_times_are_found_again() {
        for moment in [0, NOW, NOW + 180 * DAY] {
            assert_eq!(of_local(local(moment)), moment);
        }
    }

    #[test]
    fn what_the_file_says_decides() {
        let mut times = ReloadTimes { said: Some("20:51:00Z".to_owned()), ..ReloadTimes::default() };
        let lines = |told: Vec<Told>| told.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        assert!(lines(times.schedule(NOW)).starts_with("Scheduling reload for 2026-11-2"));
        assert_eq!(times.due, Some(NOW + 60));
        assert_eq!(lines(times.schedule(NOW)), "");
        times.said = Some("20:52:00Z".to_owned());
        assert!(lines(times.schedule(NOW)).starts_with("Reload time updated from 2026-11-2"));
        times.said = Some("soon".to_owned());
        let told = lines(times.schedule(NOW));
        assert!(told.starts_with("Invalid reload time 'soon' specified - ignoring"), "{told}");
        assert!(told.contains("\nCancelling reload scheduled for 2026-11-2"), "{told}");
        times.said = None;
        assert_eq!(lines(times.schedule(NOW)), "");
    }

    #[test]
    fn a_moment_that_the_calendar_leaps_over_has_come() {
        for said in ["20:51:00Z", "2026-11-21 20:51:00Z"] {
            let mut times = ReloadTimes { said: Some(said.to_owned()), ..ReloadTimes::default() };
            times.schedule(NOW);
            let due = times.due;
            // A little, and it is not yet time; then by a day.
            assert_eq!((times.calendar_says(NOW + 59).len(), times.due), (0, due), "{said}");
            assert_eq!((times.calendar_says(NOW + DAY).len(), times.due), (0, due), "{said}");
            // Set back, it is to come; by a day, a time without a date comes a day earlier.
            let told = times.calendar_says(NOW - DAY);
            let has_date = said.contains(' ');
            assert_eq!(times.due, due.map(|due| if has_date { due } else { due - DAY }), "{said}");
            assert_eq!(told.len(), usize::from(!has_date), "{told:?}");
        }
    }
}
