//! A keeper: a small process between us and a program that must end with everything it has started.
//!
//! Whatever descends from the program, orphans that left its session included, becomes the keeper's child sooner or
//! later (`PR_SET_CHILD_SUBREAPER`), and the kernel tells it when there is none left: `wait` finds no child. So "gone"
//! is exact, without marks or process groups, and nobody else's process is ever mistaken for one of the program's. When
//! we die, however that happens, the keeper ends everything. When the keeper is killed, the program is, too (its
//! parent-death signal), and whoever started it must look for what else is left.
//!
//! Where there is a place for it, the program is born in a control group of its own, whose name outlives us all. It makes
//! killing quicker, "gone" doubly sure, and what is left by a killed keeper easy to find.
//!
//! It is a fork of ours that never executes anything, so it needs no program of its own. That costs page tables for
//! once, which is why only services have one. After the fork it makes system calls, and nothing else: no allocation,
//! and no lock, because other threads of ours may have held one.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, RawDir, openat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::process::{Pid, Signal, WaitOptions, getpgid, kill_process, kill_process_group, wait};

use super::child::{Failure, Launched, Orders, Prepared, Step, Target, block_all_signals, set_mask};
use super::{Exit, collect, exit_of};
use crate::control_group::{self, GroupPlace};
use crate::socket_option::last_errno;

/// What is still there after a kill is killed again so much later, in nanoseconds.
const KILL_AGAIN: i64 = 20_000_000;
/// While what was asked to end is ending, it is looked for others to be asked at this interval, in nanoseconds.
const ASK_OTHERS: i64 = 200_000_000;

/// Our end of a keeper. Dropping it means that we are gone: the keeper then ends everything.
#[derive(Debug)]
pub struct Keeper {
    pid: u32,
    channel: OwnedFd,
}

/// What a keeper is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// SIGTERM to everything; what comes into sight later is asked later.
    Terminate,
    /// SIGKILL to everything, again and again until nothing is left.
    Kill,
    /// Leave everything as it is, even when we die.
    LetGo,
}

/// What a keeper tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The program has been executed; its process id.
    Started(u32),
    /// It could not be.
    Refused(Refusal),
    /// It gets no control group, for this reason (the system's error number), and is started all the same.
    Ungrouped(i32),
    /// It has ended; what it has started may still be there. When that has gone, too, the keeper itself ends with
    /// status 0.
    Ended(Exit),
}

/// Why a program could not be executed; [`Program::explain_refusal`](super::Program::explain_refusal) has the words.
#[derive(Debug, Clone, Copy)]
pub struct Refusal(pub(super) Failure);

impl PartialEq for Refusal {
    fn eq(&self, other: &Refusal) -> bool {
        self.encode() == other.encode()
    }
}

impl Eq for Refusal {}

impl Refusal {
    /// The system's error number.
    pub fn errno(&self) -> i32 {
        self.0.errno
    }

    fn encode(self) -> [u8; 8] {
        let step = match self.0.step {
            Step::Streams => 0,
            Step::Namespace => 1,
            Step::Directory => 2,
            Step::Identity => 3,
            Step::Execute => 4,
        };
        message(REFUSED, step, self.0.errno.cast_unsigned())
    }

    fn decode(step: u8, errno: u32) -> Refusal {
        let step = match step {
            0 => Step::Streams,
            1 => Step::Namespace,
            2 => Step::Directory,
            3 => Step::Identity,
            _ => Step::Execute,
        };
        Refusal(Failure { step, errno: errno.cast_signed() })
    }
}

const STARTED: u8 = 1;
const REFUSED: u8 = 2;
const EXITED: u8 = 3;
const SIGNALLED: u8 = 4;
const UNGROUPED: u8 = 5;

fn message(kind: u8, detail: u8, number: u32) -> [u8; 8] {
    let [a, b, c, d] = number.to_ne_bytes();
    [kind, detail, 0, 0, a, b, c, d]
}

impl Keeper {
    /// The keeper's own process id, for whom collects the ends of our children.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it says next; `None` if it has nothing to say at present. Never waits.
    pub fn next_word(&self) -> Option<Word> {
        let mut octets = [0_u8; 8];
        let (length, _) = recv(&self.channel, &mut octets, RecvFlags::DONTWAIT).ok()?;
        let [kind, detail, _, _, a, b, c, d] = octets;
        let number = u32::from_ne_bytes([a, b, c, d]);
        match (length, kind) {
            (8, STARTED) => Some(Word::Started(number)),
            (8, REFUSED) => Some(Word::Refused(Refusal::decode(detail, number))),
            (8, EXITED) => Some(Word::Ended(Exit::Code(detail))),
            (8, SIGNALLED) => Some(Word::Ended(Exit::Signal(detail))),
            (8, UNGROUPED) => Some(Word::Ungrouped(number.cast_signed())),
            _ => None,
        }
    }

    /// Tells it something. If it does not hear it, it is gone, and its end says so.
    pub fn tell(&self, wish: Wish) {
        let octet = match wish {
            Wish::Terminate => b'T',
            Wish::Kill => b'K',
            Wish::LetGo => b'L',
        };
        let _ = send(&self.channel, &[octet], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

/// Readable when there is a [`Word`].
impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

/// Starts a keeper, which starts the program. Does not wait for either.
pub(super) fn start(orders: Orders, place: Option<&GroupPlace>) -> Result<Keeper, c_int> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(Errno::raw_os_error)?;
    let mut prepared = Prepared::new(orders)?;
    let mut place = place.map(GroupPlace::prepared);
    let before = block_all_signals();
    // SAFETY: the child gets a copy of all memory and this thread only. It makes system calls and leaves by `_exit`,
    // so that no lock that another thread held is ever waited for.
    match unsafe { libc::fork() } {
        -1 => {
            let errno = last_errno().raw_os_error();
            set_mask(&before);
            Err(errno)
        }
        0 => {
            let _leave = Leave;
            keep(&mut prepared, &theirs, place.as_mut());
            Leave::now()
        }
        pid => {
            set_mask(&before);
            Ok(Keeper { pid: pid.cast_unsigned(), channel: ours })
        }
    }
}

/// Whatever happens in the copy of us, it never runs what is ours: no destructor, no handler of panics.
struct Leave;

impl Leave {
    fn now() -> ! {
        // SAFETY: ends this process only.
        unsafe { libc::_exit(0) }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        Leave::now();
    }
}

/// What a keeper knows.
struct Keeping<'a> {
    /// The program, as long as it was not collected: until then its number is nobody else's.
    program: Option<Pid>,
    /// Its process group.
    group: Pid,
    wish: Option<Wish>,
    /// Those outside its group that were asked to end.
    asked: [Option<Pid>; 256],
    control_group: Option<Group<'a>>,
}

/// The control group of the program.
struct Group<'a> {
    path: &'a CStr,
    directory: OwnedFd,
}

impl<'a> Group<'a> {
    /// Makes it. `path` has room for what is missing.
    fn make(path: &'a mut Vec<u8>) -> Result<Self, Errno> {
        let mut digits = [0_u8; 10];
        let mut at = digits.len();
        let mut left = rustix::process::getpid().as_raw_nonzero().get().cast_unsigned();
        while left > 0 {
            at -= 1;
            // A digit.
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        path.extend_from_slice(&digits[at..]);
        path.push(0);
        let path = CStr::from_bytes_with_nul(path).map_err(|_| Errno::INVAL)?;
        match rustix::fs::mkdir(path, Mode::from_raw_mode(0o755)) {
            // One that somebody of the same number has left behind. It was looked for and is empty.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        Ok(Self { path, directory: control_group::open(CWD, path)? })
    }

    /// What cannot be found out does not count: the kernel has said that no child is left.
    fn is_empty(&self) -> bool {
        control_group::is_empty(self.directory.as_fd()).unwrap_or(true)
    }

    fn kill(&self) {
        control_group::kill(self.directory.as_fd());
    }

    /// If it cannot be, it stays until it is looked for.
    fn remove(&self) {
        control_group::remove_inner(self.directory.as_fd());
        let _ = rustix::fs::rmdir(self.path);
    }
}

/// The keeper's whole life.
fn keep(prepared: &mut Prepared, channel: &OwnedFd, place: Option<&mut Vec<u8>>) {
    // Neither Ctrl-C nor a hang-up of our terminal concerns it. It can't fail: a fork never leads a group.
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"tanist-keeper");
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let Ok(signals) = child_signals() else { return };
    let orders = prepared.orders();
    let streams = orders.streams.map(|stream| match stream {
        Target::File(file) => Some(file),
        Target::Null | Target::Inherit => None,
    });
    let [one, two, three] = streams;
    let inherited = [Some(0), Some(1), Some(2)];
    let [zero, out, error] = inherited;
    let own = [Some(channel.as_raw_fd()), Some(signals.as_raw_fd())];
    close_all_but([zero, out, error, own[0], own[1], orders.namespace, one, two, three]);
    let (launched, control_group) = launch(prepared, channel, place);
    let program = match launched {
        Ok((pid, None)) => pid,
        Ok((pid, Some(failure))) => {
            collect(pid);
            control_group.inspect(Group::remove);
            say(channel, Refusal(failure).encode());
            return;
        }
        Err(errno) => {
            say(channel, Refusal(Failure { step: Step::Execute, errno }).encode());
            return;
        }
    };
    let directory = control_group.as_ref().map(|group| group.directory.as_raw_fd());
    close_all_but([None, None, None, None, None, None, directory, own[0], own[1]]);
    say(channel, message(STARTED, 0, program));
    let Some(program) = Pid::from_raw(program.cast_signed()) else { return };
    let mut keeping = Keeping { program: Some(program), group: program, wish: None, asked: [None; 256], control_group };
    let mut listening = true;
    loop {
        let childless = keeping.collect_ended(channel);
        if childless && keeping.is_alone() {
            return;
        }
        let pause = if childless { keeping.end_strangers() } else { keeping.act() };
        wait_for_news(channel, &signals, listening, pause);
        if listening {
            listening = keeping.listen(channel);
        }
    }
}

/// Starts the program, in a control group if that can be.
fn launch<'a>(
    prepared: &mut Prepared,
    channel: &OwnedFd,
    place: Option<&'a mut Vec<u8>>,
) -> (Launched, Option<Group<'a>>) {
    let Some(place) = place else { return (prepared.launch(), None) };
    let errno = match Group::make(place) {
        Ok(group) => match prepared.launch_into(group.directory.as_raw_fd()) {
            Ok(launched) => return (Ok(launched), Some(group)),
            Err(errno) => {
                group.remove();
                errno
            }
        },
        Err(errno) => errno.raw_os_error(),
    };
    say(channel, message(UNGROUPED, 0, errno.cast_unsigned()));
    (prepared.launch(), None)
}

impl Keeping<'_> {
    /// Whether its control group, too, says that nothing is left. Then it is removed.
    fn is_alone(&self) -> bool {
        let Some(group) = &self.control_group else { return true };
        let is_alone = self.wish == Some(Wish::LetGo) || group.is_empty();
        if is_alone {
            group.remove();
        }
        is_alone
    }

    /// What was put into its control group by others has nobody to wait for.
    fn end_strangers(&self) -> Option<i64> {
        self.control_group.as_ref().inspect(|group| group.kill());
        Some(KILL_AGAIN)
    }

    /// Collects who has ended. Whether nobody is left.
    fn collect_ended(&mut self, channel: &OwnedFd) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if Some(pid) == self.program {
                        self.program = None;
                        match exit_of(status) {
                            Some(Exit::Code(code)) => say(channel, message(EXITED, code, 0)),
                            Some(Exit::Signal(signal)) => say(channel, message(SIGNALLED, signal, 0)),
                            None => {}
                        }
                    }
                }
                Ok(None) => return false,
                Err(Errno::INTR) => {}
                Err(_) => return true,
            }
        }
    }

    /// Does what is to be done to those that are there, and answers after which time there is more to do.
    fn act(&mut self) -> Option<i64> {
        match (self.wish, self.program) {
            (Some(Wish::LetGo), _) | (None, Some(_)) => None,
            (Some(Wish::Terminate), _) => {
                self.terminate();
                Some(ASK_OTHERS)
            }
            // A program that has died by itself leaves nothing behind that could go on in its name.
            (Some(Wish::Kill), _) | (None, None) => {
                if self.program.is_some() {
                    let _ = kill_process_group(self.group, Signal::KILL);
                }
                for_each_child(&mut |child| {
                    let _ = kill_process(child, Signal::KILL);
                });
                self.control_group.as_ref().inspect(|group| group.kill());
                Some(KILL_AGAIN)
            }
        }
    }

    /// Asks each once. The group is asked when the wish comes, see [`listen`](Self::listen).
    fn terminate(&mut self) {
        let (group, asked) = (self.group, &mut self.asked);
        for_each_child(&mut |child| {
            if getpgid(Some(child)) == Ok(group) || asked.contains(&Some(child)) {
                return;
            }
            // If there are so many that there is no room, they are asked again, which does no harm.
            if let Some(place) = asked.iter_mut().find(|place| place.is_none()) {
                *place = Some(child);
            }
            ask(|signal| kill_process(child, signal));
        });
    }

    /// Takes in what it is told. `false` when there is nobody left to listen to.
    fn listen(&mut self, channel: &OwnedFd) -> bool {
        let mut octet = [0_u8; 1];
        loop {
            match recv(channel, &mut octet, RecvFlags::DONTWAIT) {
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => {}
                Ok((0, _)) | Err(_) => {
                    if self.wish != Some(Wish::LetGo) {
                        self.wish = Some(Wish::Kill);
                    }
                    return false;
                }
                Ok(_) => match (octet[0], self.wish) {
                    (b'K', _) => self.wish = Some(Wish::Kill),
                    (b'T', None | Some(Wish::LetGo)) => {
                        self.wish = Some(Wish::Terminate);
                        if self.program.is_some() {
                            ask(|signal| kill_process_group(self.group, signal));
                        }
                    }
                    (b'L', None) => self.wish = Some(Wish::LetGo),
                    _ => {}
                },
            }
        }
    }
}

/// Who is stopped does not hear it until it may go on.
fn ask(signal: impl Fn(Signal) -> rustix::io::Result<()>) {
    let _ = signal(Signal::TERM);
    let _ = signal(Signal::CONT);
}

/// The reader may be gone.
fn say(channel: &OwnedFd, octets: [u8; 8]) {
    let _ = send(channel, &octets, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// All signals are blocked; this one is read.
fn child_signals() -> Result<OwnedFd, Errno> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set, sigaddset gets it initialised, and signalfd makes a descriptor that
    // nobody else knows.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        let descriptor = libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if descriptor < 0 { Err(last_errno()) } else { Ok(OwnedFd::from_raw_fd(descriptor)) }
    }
}

fn wait_for_news(channel: &OwnedFd, signals: &OwnedFd, listening: bool, pause: Option<i64>) {
    let mut sources = [PollFd::new(signals, PollFlags::IN), PollFd::new(channel, PollFlags::IN)];
    let count = if listening { 2 } else { 1 };
    let pause = pause.map(|nanoseconds| Timespec { tv_sec: 0, tv_nsec: nanoseconds as _ });
    let _ = poll(&mut sources[..count], pause.as_ref());
    let mut taken = [0_u8; 4 * size_of::<libc::signalfd_siginfo>()];
    while rustix::io::read(signals, &mut taken).is_ok_and(|length| length == taken.len()) {}
}

/// Closes what we have inherited: sockets and locks that must not live on in a copy of us.
fn close_all_but(mut keep: [Option<RawFd>; 9]) {
    keep.sort_unstable();
    let mut first: u32 = 0;
    for kept in keep.iter().flatten().map(|kept| kept.cast_unsigned()) {
        if kept > first {
            close_range(first, kept - 1);
        }
        first = kept + 1;
    }
    close_range(first, u32::MAX);
}

fn close_range(first: u32, last: u32) {
    // SAFETY: numbers only. The descriptors are the copies of another process; whatever of its values owned them is
    // never used or dropped in this one.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0) != 0 {
            // Before Linux 5.9; more are not opened by us.
            for descriptor in first..=last.min(4096) {
                libc::close(descriptor.cast_signed());
            }
        }
    }
}

/// Calls it for each child. Some may be missed while others end; who needs all asks again.
fn for_each_child(found: &mut dyn FnMut(Pid)) {
    let Ok(file) = openat(CWD, c"/proc/thread-self/children", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
        for_each_child_slowly(found);
        return;
    };
    control_group::for_each_number(&file, found);
}

/// For kernels without that file: everybody is asked for his parent.
fn for_each_child_slowly(found: &mut dyn FnMut(Pid)) {
    let Ok(directory) = openat(CWD, c"/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    else {
        return;
    };
    let own = rustix::process::getpid();
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&directory, &mut space);
    while let Some(Ok(entry)) = entries.next() {
        let digits = entry.file_name().to_bytes();
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else { continue };
        let mut path = [0_u8; 16];
        let Some(room) = path.get_mut(..digits.len() + 5) else { continue };
        room[..digits.len()].copy_from_slice(digits);
        room[digits.len()..].copy_from_slice(b"/stat");
        let Ok(file) = openat(&directory, &*room, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { continue };
        let mut text = [0_u8; 512];
        let Ok(length) = rustix::io::read(&file, &mut text) else { continue };
        if parent_in(&text[..length]).and_then(Pid::from_raw) == Some(own) {
            found(pid);
        }
    }
}

/// The parent in `/proc/PID/stat`, which is read without taking memory.
pub(crate) fn parent_in(stat: &[u8]) -> Option<i32> {
    // "PID (NAME) STATE PARENT …"; the name may contain a parenthesis, the numbers behind it don't.
    let end = stat.iter().rposition(|octet| *octet == b')')?;
    let digits = stat[end..].split(|octet| *octet == b' ').nth(2)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_children() {
        // Children belong to the thread that started them, and the slow way knows processes only.
        let mut child = std::process::Command::new("/bin/sleep").arg("300").spawn().unwrap();
        let finds = |search: fn(&mut dyn FnMut(Pid))| {
            let mut found = Vec::new();
            search(&mut |pid| found.push(pid.as_raw_nonzero().get().cast_unsigned()));
            found
        };
        assert_eq!(finds(for_each_child), [child.id()]);
        assert!(finds(for_each_child_slowly).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(finds(for_each_child), [0_u32; 0]);
        assert!(!finds(for_each_child_slowly).contains(&child.id()));
    }

    #[test]
    fn words_come_back_as_they_were_said() {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let keeper = Keeper { pid: 1, channel: ours };
        let check = |octets, word| {
            say(&theirs, octets);
            assert_eq!(keeper.next_word(), Some(word));
        };
        assert_eq!(keeper.next_word(), None);
        check(message(STARTED, 0, 4_000_000), Word::Started(4_000_000));
        check(message(EXITED, 255, 0), Word::Ended(Exit::Code(255)));
        check(message(SIGNALLED, 9, 0), Word::Ended(Exit::Signal(9)));
        check(message(UNGROUPED, 0, libc::EROFS.cast_unsigned()), Word::Ungrouped(libc::EROFS));
        for step in [Step::Streams, Step::Namespace, Step::Directory, Step::Identity, Step::Execute] {
            let refusal = Refusal(Failure { step, errno: libc::EACCES });
            check(refusal.encode(), Word::Refused(refusal));
        }
        drop(theirs);
        assert_eq!(keeper.next_word(), None);
    }
}
