//! Programs behind a keeper: when they are gone, everything that they have started is gone.

use std::ffi::CString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tanist_linux::control_group::{ControlGroup, ControlGroups, GroupPlace};
use tanist_linux::poll::{Interest, Poll};
use tanist_linux::process::signal;
use tanist_linux::process_list::{ProcessId, find_marked};
use tanist_linux::signals::Signal;
use tanist_linux::spawn::{Exit, Keeper, Program, Wish, Word, reap};

/// `reap` collects every child of the process: one test at a time.
static CHILDREN: Mutex<()> = Mutex::new(());
/// Says to a copy of this test program what it is to do.
const ROLE: &str = "TANIST_TEST_ROLE";

fn alone() -> MutexGuard<'static, ()> {
    CHILDREN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

/// A shell script behind a keeper; all its processes carry a mark, and none survives the test.
struct Kept {
    keeper: Option<Keeper>,
    ended: Option<Exit>,
    mark: String,
}

fn c_string(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn program(script: &str, mark: &str) -> Program {
    let arguments = ["/bin/sh", "-c", script].map(c_string).to_vec();
    let environment = vec![c_string("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), c_string(mark)];
    Program::new(c_string("/bin/sh"), arguments).environment(environment).death_signal(Signal::KILL)
}

impl Kept {
    fn start(name: &str, script: &str) -> Kept {
        let mut kept = Kept::start_in(None, name, script);
        assert!(matches!(kept.word(), Word::Started(_)));
        kept
    }

    /// It has not said anything yet.
    fn start_in(place: Option<&GroupPlace>, name: &str, script: &str) -> Kept {
        let mark = format!("TANIST_TEST_MARK={name} {}", std::process::id());
        let keeper = program(script, &mark).start_kept(&[], place).unwrap();
        Kept { keeper: Some(keeper), ended: None, mark }
    }

    fn keeper(&self) -> &Keeper {
        self.keeper.as_ref().unwrap()
    }

    fn word(&mut self) -> Word {
        let keeper = self.keeper();
        let mut poll = Poll::new().unwrap();
        poll.add(keeper, 1, Interest::Readable).unwrap();
        let _ = poll.wait(Some(Duration::from_secs(20))).unwrap().count();
        keeper.next_word().expect("the keeper says something")
    }

    /// Whether the keeper has ended; collects it.
    fn is_gone(&mut self) -> bool {
        let (pid, ended) = (self.keeper().pid(), &mut self.ended);
        reap(&mut |child, exit| {
            if child == pid {
                *ended = Some(exit);
            }
        });
        self.ended.is_some()
    }

    fn wait_until_gone(&mut self) {
        wait_until("the keeper ends", || self.is_gone());
        assert_eq!(self.processes(), [], "gone means gone");
    }

    fn processes(&self) -> Vec<ProcessId> {
        find_marked(&self.mark, |_| {}).unwrap()
    }

    fn wait_for_processes(&self, count: usize) -> Vec<ProcessId> {
        wait_until("its processes are there", || self.processes().len() == count);
        self.processes()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for process in self.processes() {
            let _ = process.signal(Signal::KILL);
        }
    }
}

#[test]
fn tells_how_it_ended_and_leaves_nothing() {
    let _alone = alone();
    let check = |script: &str, exit| {
        let mut kept = Kept::start("ended", script);
        assert_eq!(kept.word(), Word::Ended(exit));
        kept.wait_until_gone();
        assert_eq!(kept.ended, Some(Exit::Code(0)));
    };
    check("exit 0", Exit::Code(0));
    check("exit 7", Exit::Code(7));
    check("kill -SEGV $$", Exit::Signal(11));
}

#[test]
fn tells_why_it_could_not_be_executed() {
    let _alone = alone();
    let nowhere = Program::new(c_string("/no/such/program"), vec![c_string("program")]);
    let keeper = nowhere.start_kept(&[], None).unwrap();
    let mut kept = Kept { keeper: Some(keeper), ended: None, mark: String::from("NO=body") };
    let Word::Refused(refusal) = kept.word() else { panic!("it was refused") };
    let text = nowhere.explain_refusal(refusal).to_string();
    assert_eq!(text, "start /no/such/program: no such file or directory");
    kept.wait_until_gone();
}

#[test]
fn has_the_environment_of_this_start() {
    let _alone = alone();
    let mark = format!("TANIST_TEST_MARK=environment {}", std::process::id());
    let keeper = program("test \"$EPOCH\" = 7 && exit 3", &mark).start_kept(&[c_string("EPOCH=7")], None).unwrap();
    let mut kept = Kept { keeper: Some(keeper), ended: None, mark };
    assert!(matches!(kept.word(), Word::Started(_)));
    assert_eq!(kept.word(), Word::Ended(Exit::Code(3)));
    kept.wait_until_gone();
}

#[test]
fn asks_the_whole_group() {
    let _alone = alone();
    let mut kept = Kept::start("group", "sleep 300 & sleep 300 & wait");
    kept.wait_for_processes(3);
    kept.keeper().tell(Wish::Terminate);
    kept.wait_until_gone();
}

#[test]
fn asks_those_who_went_away_to_be_on_their_own() {
    let _alone = alone();
    // One in a session of its own whose parent is gone; it says good-bye, so it was asked and not killed.
    let said = std::env::temp_dir().join(format!("tanist-farewell-{}", std::process::id()));
    let file = said.display();
    let orphan = format!("trap 'echo bye >> {file}; exit' TERM; echo hello > {file}; while :; do sleep 0.05; done");
    let mut kept = Kept::start("double", &format!("(setsid sh -c \"{orphan}\" &) ; exec sleep 300"));
    let says = |text: &str| std::fs::read_to_string(&said).is_ok_and(|said| said == text);
    wait_until("it is there", || says("hello\n"));
    kept.keeper().tell(Wish::Terminate);
    kept.wait_until_gone();
    assert!(says("hello\nbye\n"));
    std::fs::remove_file(&said).unwrap();
}

#[test]
fn who_ignores_it_is_waited_for_and_then_killed() {
    let _alone = alone();
    let mut kept = Kept::start("stubborn", "trap '' TERM; setsid sleep 300 & sleep 300 & while :; do sleep 1; done");
    wait_until("all are there", || kept.processes().len() >= 3);
    kept.keeper().tell(Wish::Terminate);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!kept.is_gone());
    kept.keeper().tell(Wish::Kill);
    kept.wait_until_gone();
}

#[test]
fn who_is_stopped_ends_all_the_same() {
    let _alone = alone();
    let mut kept = Kept::start("frozen", "kill -STOP $$; sleep 300");
    let process = kept.wait_for_processes(1)[0];
    wait_until("it is stopped", || {
        std::fs::read_to_string(format!("/proc/{}/stat", process.pid)).unwrap().contains(") T ")
    });
    kept.keeper().tell(Wish::Terminate);
    kept.wait_until_gone();
}

#[test]
fn what_a_dead_program_leaves_is_killed() {
    let _alone = alone();
    let script = "trap '' TERM; sleep 300 & (setsid sleep 300 &); sleep 0.3; exit 4";
    let mut kept = Kept::start("half-dead", script);
    assert_eq!(kept.word(), Word::Ended(Exit::Code(4)));
    kept.wait_until_gone();
}

#[test]
fn forking_is_no_way_out() {
    let _alone = alone();
    // Each generation leaves its session and its parent, for ever.
    let next = std::env::temp_dir().join(format!("tanist-runaway-{}", std::process::id()));
    std::fs::write(&next, format!("trap '' TERM; sleep 0.01; (setsid sh {} &); exit 0", next.display())).unwrap();
    let mut kept = Kept::start("runaway", &format!("sh {}; exec sleep 300", next.display()));
    std::thread::sleep(Duration::from_millis(200));
    assert!(!kept.is_gone());
    kept.keeper().tell(Wish::Kill);
    kept.wait_until_gone();
    std::fs::remove_file(&next).unwrap();
}

#[test]
fn ends_with_us() {
    let _alone = alone();
    let mut kept = Kept::start("orphaned", "trap '' TERM; (setsid sleep 300 &); sleep 300 & while :; do sleep 1; done");
    wait_until("all are there", || kept.processes().len() >= 3);
    // What the kernel does when we die.
    let pid = kept.keeper().pid();
    drop(kept.keeper.take());
    let mut gone = false;
    wait_until("the keeper ends", || {
        reap(&mut |child, _| gone |= child == pid);
        gone
    });
    assert_eq!(kept.processes(), []);
}

#[test]
fn ends_when_its_daemon_is_killed() {
    let _alone = alone();
    let mark = format!("TANIST_TEST_MARK=killed {}", std::process::id());
    let mut daemon = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_daemon", "--nocapture"])
        .env(ROLE, &mark)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the service is there", || find_marked(&mark, |_| {}).unwrap().len() >= 3);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    wait_until("the service is gone", || find_marked(&mark, |_| {}).unwrap().is_empty());
}

/// What [`ends_when_its_daemon_is_killed`] kills; without a role it has nothing to do.
#[test]
fn in_a_daemon() {
    let Ok(mark) = std::env::var(ROLE) else { return };
    // Descriptors that a keeper must not keep.
    let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script = "(setsid sleep 300 &); sleep 300 & while :; do sleep 1; done";
    let _keeper = program(script, &mark).start_kept(&[], None).unwrap();
    // Not for ever, whatever happens to the test.
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn dies_with_a_killed_keeper() {
    let _alone = alone();
    let mut kept = Kept::start("unkept", "exec sleep 300");
    kept.wait_for_processes(1);
    signal(kept.keeper().pid(), Signal::KILL).unwrap();
    wait_until("the keeper is collected", || kept.is_gone());
    assert_eq!(kept.ended, Some(Exit::Signal(9)));
    wait_until("the program is gone", || kept.processes().is_empty());
}

#[test]
fn can_be_let_go() {
    let _alone = alone();
    let mut kept = Kept::start("let go", "exec sleep 300");
    let process = kept.wait_for_processes(1)[0];
    let pid = kept.keeper().pid();
    kept.keeper().tell(Wish::LetGo);
    drop(kept.keeper.take());
    std::thread::sleep(Duration::from_millis(200));
    assert!(process.lives());
    process.signal(Signal::TERMINATE).unwrap();
    let mut gone = false;
    wait_until("the keeper ends behind it", || {
        reap(&mut |child, _| gone |= child == pid);
        gone
    });
}

/// Ours only: not what the harness has open.
fn descriptors() -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .collect();
    open.retain(|target| !target.to_string_lossy().starts_with("/proc/"));
    open
}

#[test]
fn two_hundred_lives_leave_nothing_behind() {
    let _alone = alone();
    let before = descriptors().len();
    for turn in 0..200 {
        let mut kept = Kept::start("cycles", "sleep 300 & (setsid sleep 300 &) ; exec sleep 300");
        kept.keeper().tell(if turn % 2 == 0 { Wish::Terminate } else { Wish::Kill });
        wait_until("the keeper ends", || kept.is_gone());
    }
    assert_eq!(find_marked(&format!("TANIST_TEST_MARK=cycles {}", std::process::id()), |_| {}).unwrap(), []);
    assert_eq!(descriptors().len(), before);
    reap(&mut |pid, exit| panic!("{pid} {exit:?} was left behind"));
}

// ── in a control group ────────────────────────────────────────────────────────────────────────────────────

/// A place for the groups of a test, which go with it, whatever becomes of it.
struct Ground {
    group: ControlGroup,
    place: GroupPlace,
}

impl Ground {
    /// `None` where there are no control groups for us.
    fn new(test: &str) -> Option<Ground> {
        let skip = |why: String| {
            let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: {test}: {why}");
        };
        let groups = ControlGroups::find().map_err(|error| skip(error.to_string())).ok()?;
        let name = format!("tanist-test-{test}-{}", std::process::id());
        let path = groups.own().join(&name);
        std::fs::create_dir(&path).map_err(|error| skip(format!("{}: {error}", path.display()))).ok()?;
        Some(Ground {
            group: ControlGroup::at(path),
            place: GroupPlace::new(&groups, &format!("{name}/job.")).unwrap(),
        })
    }

    fn start(&self, script: &str) -> Kept {
        let name = self.group.path().file_name().unwrap().to_str().unwrap();
        let mut kept = Kept::start_in(Some(&self.place), name, script);
        assert!(matches!(kept.word(), Word::Started(_)));
        kept
    }

    fn group_of(&self, kept: &Kept) -> PathBuf {
        self.group.path().join(format!("job.{}", kept.keeper().pid()))
    }

    /// The groups that there are.
    fn inner(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.group.path()).unwrap().map(Result::unwrap);
        entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path()).collect()
    }

    fn wait_for_processes(&self, count: usize) -> Vec<ProcessId> {
        wait_until("its processes are there", || self.group.processes().unwrap().len() == count);
        self.group.processes().unwrap()
    }

    fn is_left_behind_clean(&self) {
        assert_eq!(self.group.processes().unwrap(), []);
        assert!(self.inner().is_empty(), "{:?}", self.inner());
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for _ in 0..500 {
            self.group.kill();
            self.group.remove();
            if !self.group.path().exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// One that nothing leads to but its group: no mark, no session, no parent, and no wish to end.
const HIDDEN: &str = "(exec env -i setsid sh -c 'trap \"\" TERM; (while :; do sleep 1; done) & exit' &)";

#[test]
fn is_in_its_group_from_the_beginning() {
    let _alone = alone();
    let Some(ground) = Ground::new("birth") else { return };
    let said = std::env::temp_dir().join(format!("tanist-birth-{}", std::process::id()));
    // No shell that could be slow: the program itself looks, and does nothing else.
    let file = std::fs::File::create(&said).unwrap();
    let look = Program::new(c_string("/bin/cat"), ["cat", "/proc/self/cgroup"].map(c_string).to_vec());
    let look = look.stdout(tanist_linux::spawn::Stream::File(file.into()));
    for _ in 0..20 {
        std::fs::write(&said, "").unwrap();
        let keeper = look.start_kept(&[], Some(&ground.place)).unwrap();
        let mut kept = Kept { keeper: Some(keeper), ended: None, mark: String::from("NO=body") };
        let group = ground.group_of(&kept);
        assert!(matches!(kept.word(), Word::Started(_)));
        assert_eq!(kept.word(), Word::Ended(Exit::Code(0)));
        kept.wait_until_gone();
        let said = std::fs::read_to_string(&said).unwrap();
        let own = said.trim_matches('\0').lines().find_map(|line| line.strip_prefix("0::")).unwrap().to_owned();
        assert!(group.ends_with(own.trim_start_matches('/')), "{own} {}", group.display());
        ground.is_left_behind_clean();
    }
    std::fs::remove_file(&said).unwrap();
}

#[test]
fn who_hides_ends_with_the_service() {
    let _alone = alone();
    let Some(ground) = Ground::new("hidden") else { return };
    // Told to, and by itself.
    let mut kept = ground.start(&format!("{HIDDEN}; exec sleep 300"));
    ground.wait_for_processes(3);
    wait_until("the others do not show their mark", || kept.processes().len() == 1);
    kept.keeper().tell(Wish::Kill);
    kept.wait_until_gone();
    ground.is_left_behind_clean();
    let mut kept = ground.start(&format!("{HIDDEN}; sleep 0.5; exit 3"));
    assert_eq!(kept.word(), Word::Ended(Exit::Code(3)));
    kept.wait_until_gone();
    ground.is_left_behind_clean();
}

#[test]
fn what_a_killed_keeper_leaves_is_in_its_group() {
    let _alone = alone();
    let Some(ground) = Ground::new("orphans") else { return };
    let mut kept = ground.start(&format!("{HIDDEN}; exec sleep 300"));
    ground.wait_for_processes(3);
    let group = ground.group_of(&kept);
    signal(kept.keeper().pid(), Signal::KILL).unwrap();
    wait_until("the keeper is collected", || kept.is_gone());
    wait_until("the program is gone", || kept.processes().is_empty());
    // The loop and its sleep.
    let left = ground.wait_for_processes(2);
    assert!(left.iter().all(|process| process.lives()));
    let name = group.file_name().unwrap().to_str().unwrap();
    let found = ControlGroups::find().unwrap().named(name).unwrap();
    assert_eq!(found, [ControlGroup::at(&group)]);
    found[0].kill();
    wait_until("all are gone", || found[0].processes().unwrap().is_empty());
    found[0].remove();
    ground.is_left_behind_clean();
}

#[test]
fn what_others_have_put_there_is_ended_too() {
    let _alone = alone();
    let Some(ground) = Ground::new("strangers") else { return };
    let mut kept = ground.start("exec sleep 300");
    let group = ground.group_of(&kept);
    // Not a child of ours that `reap` would take, nor of the keeper.
    let mut stranger =
        Command::new("/bin/sh").args(["-c", "sleep 300 & echo $!"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut pid = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stranger.stdout.take().unwrap()), &mut pid).unwrap();
    stranger.wait().unwrap();
    let stranger = ProcessId::of(pid.trim().parse().unwrap()).unwrap();
    std::fs::write(group.join("cgroup.procs"), pid.trim()).unwrap();
    kept.keeper().tell(Wish::Terminate);
    kept.wait_until_gone();
    assert!(!stranger.lives());
    ground.is_left_behind_clean();
}

#[test]
fn groups_that_a_program_has_made_go_with_it() {
    let _alone = alone();
    let Some(ground) = Ground::new("inner") else { return };
    let mut kept = ground.start("exec sleep 300");
    let inner = ground.group_of(&kept).join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("cgroup.procs"), kept.wait_for_processes(1)[0].pid.to_string()).unwrap();
    kept.keeper().tell(Wish::Terminate);
    kept.wait_until_gone();
    ground.is_left_behind_clean();
}

#[test]
fn who_cannot_be_executed_leaves_no_group() {
    let _alone = alone();
    let Some(ground) = Ground::new("refused") else { return };
    let nowhere = Program::new(c_string("/no/such/program"), vec![c_string("program")]);
    let keeper = nowhere.start_kept(&[], Some(&ground.place)).unwrap();
    let mut kept = Kept { keeper: Some(keeper), ended: None, mark: String::from("NO=body") };
    let Word::Refused(refusal) = kept.word() else { panic!("it was refused") };
    assert_eq!(nowhere.explain_refusal(refusal).to_string(), "start /no/such/program: no such file or directory");
    kept.wait_until_gone();
    ground.is_left_behind_clean();
}

#[test]
fn without_a_group_it_is_started_all_the_same() {
    let _alone = alone();
    let Ok(groups) = ControlGroups::find() else {
        let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: no control groups here");
        return;
    };
    let place = GroupPlace::new(&groups, &format!("no-such-group-{}/job.", std::process::id())).unwrap();
    let mut kept = Kept::start_in(Some(&place), "nowhere", "exit 7");
    assert_eq!(kept.word(), Word::Ungrouped(libc::ENOENT));
    assert!(matches!(kept.word(), Word::Started(_)));
    assert_eq!(kept.word(), Word::Ended(Exit::Code(7)));
    kept.wait_until_gone();
}

/// As before Linux 5.7, which does not know how.
#[test]
fn who_cannot_be_born_in_a_group_is_started_all_the_same() {
    let _alone = alone();
    let Some(ground) = Ground::new("unborn") else { return };
    // Groups in one for threads are none for processes.
    std::fs::write(ground.group.path().join("cgroup.type"), "threaded").unwrap();
    let mut kept = Kept::start_in(Some(&ground.place), "unborn", "exit 7");
    assert_eq!(kept.word(), Word::Ungrouped(libc::EOPNOTSUPP));
    assert!(matches!(kept.word(), Word::Started(_)));
    assert_eq!(kept.word(), Word::Ended(Exit::Code(7)));
    kept.wait_until_gone();
    assert!(ground.inner().is_empty(), "{:?}", ground.inner());
}
