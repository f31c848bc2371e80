//! Threads for what may wait in the kernel: a file on a lost server, a process that hangs while `/proc` is read. The
//! loop hands over and goes on; whoever asked decides how long the answer is worth something.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use engine::Name;
use linux::control_group::ControlGroup;
use linux::process_list::{self, ProcessId};

use super::control_groups::ServiceGroups;
use super::needs::{Needs, judge_descriptors};
use super::plan::Recipe;

/// Each stuck file takes one of them away, so there are more than anybody needs.
const MOST_THREADS: usize = 32;
/// Tries to wake the loop, should the system refuse that, and the time between them.
const WAKES: u32 = 100;
const BETWEEN_WAKES: Duration = Duration::from_millis(10);

/// Something that may take its time.
#[derive(Debug)]
pub(crate) enum Job {
    /// Find the processes that carry this mark or are in these groups, and leave a note which one is being looked at.
    Look {
        service: Name,
        mark: String,
        /// Who may have marked them; `None` if nobody else can know the mark.
        users: Option<Vec<u32>>,
        groups: Option<ServiceGroups>,
        number: u64,
        looking_at: Arc<AtomicU32>,
    },
    /// Kill everything in these groups. Nobody waits for an answer: what lives is looked at anyway. While that hangs for a
    /// group, asking for it again costs nothing, and it is done once more afterwards.
    Kill { groups: Vec<ControlGroup> },
    /// Look at the programs of a service anew, and at what else it needs, and we to start it.
    Prepare { service: Name, recipes: Vec<Arc<Recipe>>, needs: Arc<Needs> },
    /// Find a process of this name, most likely this one.
    Process { check: Name, name: String, known: Option<ProcessId> },
    /// How long ago was this file changed.
    File { check: Name, path: PathBuf },
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Answer {
    /// What is there of it, or why that is not known.
    Looked { service: Name, number: u64, found: Result<Remains, String> },
    /// Whether all of them may run and nothing is missing, or the first thing that is wrong.
    Prepared { service: Name, result: Result<(), String> },
    /// Or the system's error number, if nobody could look.
    Process { check: Name, found: Result<Option<ProcessId>, i32> },
    /// Its age, or the system's error number.
    File { check: Name, age: Result<Duration, i32> },
}

/// What is left of a service.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    pub(crate) processes: Vec<ProcessId>,
    /// The groups that some of them are in.
    pub(crate) groups: Vec<ControlGroup>,
}

fn remains(
    mark: &str,
    users: Option<&[u32]>,
    groups: Option<&ServiceGroups>,
    looking_at: &AtomicU32,
) -> linux::Result<Remains> {
    let mut processes = process_list::find_marked_of(mark, users, |pid| looking_at.store(pid, Ordering::Relaxed))?;
    let (inside, groups) = groups.map_or_else(|| Ok(Default::default()), ServiceGroups::look)?;
    processes.extend(inside);
    processes.sort_unstable();
    processes.dedup();
    Ok(Remains { processes, groups })
}

fn carry_out(job: Job, shared: &Shared) -> Option<Answer> {
    Some(match job {
        Job::Look { service, mark, users, groups, number, looking_at } => {
            let found = remains(&mark, users.as_deref(), groups.as_ref(), &looking_at);
            Answer::Looked { service, number, found: found.map_err(|error| error.to_string()) }
        }
        Job::Kill { groups } => {
            for group in &groups {
                group.kill();
                while shared.lock().is_to_be_killed_again(group) {
                    group.kill();
                }
            }
            return None;
        }
        Job::Prepare { service, recipes, needs } => {
            let renew = || recipes.iter().try_for_each(|recipe| recipe.renew());
            let result = judge_descriptors().and_then(|()| renew()).and_then(|()| needs.judge());
            Answer::Prepared { service, result }
        }
        Job::Process { check, name, known } => {
            let still = known.filter(|process| process.has_name(&name));
            let found = still.map_or_else(|| process_list::find_named(&name), |still| Ok(Some(still)));
            Answer::Process { check, found: found.map_err(|error| error.errno().unwrap_or_default()) }
        }
        Job::File { check, path } => {
            let changed = std::fs::metadata(&path).and_then(|found| found.modified());
            // One that was changed in the future is new.
            let age = changed.map(|at| at.elapsed().unwrap_or_default());
            Answer::File { check, age: age.map_err(|error| error.raw_os_error().unwrap_or_default()) }
        }
    })
}

/// The loop's end.
#[derive(Debug)]
pub(crate) struct Worker {
    shared: Arc<Shared>,
    answers: Receiver<Answer>,
    sender: Sender<Answer>,
    /// Becomes readable when there are answers.
    woken: UnixStream,
    waker: Arc<UnixStream>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Those that will take the next jobs.
    idle: usize,
    /// The loop is gone.
    over: bool,
    /// Groups that are being killed or will be, and whether somebody has asked for it again meanwhile.
    kills: BTreeMap<ControlGroup, bool>,
}

impl Queue {
    /// Notes what is asked for; `false` if whoever is at it already will see to it.
    fn takes(&mut self, job: &mut Job) -> bool {
        let Job::Kill { groups } = job else { return true };
        groups.retain(|group| match self.kills.get_mut(group) {
            Some(again) => {
                *again = true;
                false
            }
            None => self.kills.insert(group.clone(), false).is_none(),
        });
        !groups.is_empty()
    }

    /// One that has been killed; what nobody has asked for again is done with.
    fn is_to_be_killed_again(&mut self, group: &ControlGroup) -> bool {
        let again = self.kills.get_mut(group).is_some_and(std::mem::take);
        if !again {
            self.kills.remove(group);
        }
        again
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing can panic while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    pub(crate) fn new() -> std::io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        let (sender, answers) = channel();
        Ok(Self { shared: Arc::default(), answers, sender, woken, waker: Arc::new(waker) })
    }

    /// Hands a job over. A thread is started only if none is free.
    pub(crate) fn ask(&self, mut job: Job) -> std::io::Result<()> {
        let mut queue = self.shared.lock();
        if !queue.takes(&mut job) {
            return Ok(());
        }
        queue.jobs.push_back(job);
        if queue.idle >= queue.jobs.len() || queue.threads >= MOST_THREADS {
            self.shared.more.notify_one();
            return Ok(());
        }
        let (shared, sender, waker) = (Arc::clone(&self.shared), self.sender.clone(), Arc::clone(&self.waker));
        let started = thread::Builder::new()
            .name("tanist-look".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || work(&shared, &sender, &waker));
        match started {
            Ok(_) => {
                queue.threads += 1;
                queue.idle += 1;
            }
            // One of those that there are will see to it.
            Err(_) if queue.threads > 0 => {}
            Err(error) => {
                if let Some(Job::Kill { groups }) = queue.jobs.pop_back() {
                    queue.kills.retain(|group, _| !groups.contains(group));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// The answers that are there.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        let mut octets = [0; 64];
        while self.woken.read(&mut octets).is_ok_and(|length| length == octets.len()) {}
        self.answers.try_iter().collect()
    }
}

impl AsFd for Worker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.more.notify_all();
    }
}

fn work(shared: &Shared, sender: &Sender<Answer>, waker: &UnixStream) {
    loop {
        let job = {
            let mut queue = shared
                .more
                .wait_while(shared.lock(), |queue| queue.jobs.is_empty() && !queue.over)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
            if queue.over {
                return;
            }
            // It was waited for until there is one.
            let Some(job) = queue.jobs.pop_front() else { return };
            job
        };
        let answer = carry_out(job, shared);
        // Whoever asks again because of this answer finds us free.
        shared.lock().idle += 1;
        let Some(answer) = answer else { continue };
        if sender.send(answer).is_err() {
            return;
        }
        wake(waker);
    }
}

/// Nobody else would take the answer out.
fn wake(mut waker: &UnixStream) {
    for _ in 0..WAKES {
        match waker.write(b"!") {
            Ok(_) => return,
            // There is no room, so the loop has been woken already.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => thread::sleep(BETWEEN_WAKES),
        }
    }
}

#[cfg(test)]
mod tests {
    use linux::poll::{Interest, Poll};

    use super::*;

    fn next(worker: &mut Worker) -> Vec<Answer> {
        let mut poll = Poll::new().unwrap();
        poll.add(&*worker, 1, Interest::Readable).unwrap();
        assert_eq!(poll.wait(Some(Duration::from_secs(20))).unwrap().count(), 1);
        worker.answers()
    }

    #[test]
    fn answers_what_it_is_asked() {
        let mut worker = Worker::new().unwrap();
        let check = Name::from("file");
        worker.ask(Job::File { check: check.clone(), path: "/no/such/file".into() }).unwrap();
        assert!(matches!(&next(&mut worker)[..], [Answer::File { age: Err(2), .. }]));
        worker.ask(Job::File { check: check.clone(), path: "/proc/self/stat".into() }).unwrap();
        assert!(matches!(&next(&mut worker)[..], [Answer::File { age: Ok(_), .. }]));
        let (mark, looking_at) = ("TANIST_TEST_MARK=nobody".to_owned(), Arc::<AtomicU32>::default());
        let looking = Arc::clone(&looking_at);
        let look = Job::Look { service: check, mark, users: None, groups: None, number: 7, looking_at: looking };
        worker.ask(look).unwrap();
        let [Answer::Looked { number: 7, found: Ok(found), .. }] = &next(&mut worker)[..] else { panic!("it looked") };
        assert!(found.processes.is_empty());
        assert_ne!(looking_at.load(Ordering::Relaxed), 0, "others run on this machine");
        assert_eq!(worker.shared.lock().threads, 1, "one is enough for one after the other");
    }

    #[test]
    fn what_is_stuck_holds_up_nobody_else() {
        // Nothing here hangs on demand; a thread that does is one that is counted and not free.
        let mut worker = Worker::new().unwrap();
        worker.shared.lock().threads = 3;
        worker.ask(Job::File { check: Name::from("file"), path: "/".into() }).unwrap();
        assert!(matches!(&next(&mut worker)[..], [Answer::File { age: Ok(_), .. }]));
        assert_eq!(worker.shared.lock().threads, 4);
    }

    #[test]
    fn a_group_that_hangs_is_not_waited_for_by_many() {
        let mut worker = Worker::new().unwrap();
        let (stuck, other) = (ControlGroup::at("/no/such/stuck"), ControlGroup::at("/no/such/other"));
        // As above: whoever is at it does not come back.
        worker.shared.lock().kills.insert(stuck.clone(), false);
        for _ in 0..1000 {
            worker.ask(Job::Kill { groups: vec![stuck.clone()] }).unwrap();
        }
        assert!(worker.shared.lock().jobs.is_empty());
        assert_eq!(worker.shared.lock().threads, 0);
        worker.ask(Job::Kill { groups: vec![stuck.clone(), other.clone()] }).unwrap();
        worker.ask(Job::File { check: Name::from("file"), path: "/".into() }).unwrap();
        assert!(matches!(&next(&mut worker)[..], [Answer::File { age: Ok(_), .. }]));
        let finished = || !worker.shared.lock().kills.contains_key(&other);
        (0..2000).take_while(|_| !finished()).for_each(|_| thread::sleep(Duration::from_millis(10)));
        assert!(finished(), "what does not hang is done");
        let mut queue = worker.shared.lock();
        assert!(queue.is_to_be_killed_again(&stuck), "once more, as was asked for meanwhile");
        assert!(!queue.is_to_be_killed_again(&stuck), "and no more");
        assert!(queue.kills.is_empty());
    }
}
