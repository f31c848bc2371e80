//! Files whose numbers change, and processes that come and go.

use config::{InitialNumber, MatchBy, Tracker};
use engine::{Measure, TrackerConfig};
use linux::clock;

use super::*;

fn file(name: &str, path: &Path, initial: Option<InitialNumber>) -> Tracker {
    let subject = path.display().to_string().as_str().into();
    let figure = TrackerConfig { name: name.into(), subject, measure: Measure::Number };
    Tracker { figure, source: FigureSource::File { path: path.to_owned(), initial }, weight: engine::Weight::Fault }
}

fn process(name: &str, command: &str) -> Tracker {
    let measure = Measure::Count { least: 1, most: None, fork_delay: Duration::ZERO, terminate_delay: Duration::ZERO };
    let figure = TrackerConfig { name: name.into(), subject: command.into(), measure };
    let pattern = ProcessPattern { words: vec![command.to_owned()], by: MatchBy::Name };
    Tracker { figure, source: FigureSource::Processes(pattern), weight: engine::Weight::Fault }
}

fn settings(trackers: Vec<Tracker>) -> Settings {
    Settings { trackers, ..Settings::default() }
}

/// What is told within a long time, until it is what is expected.
#[track_caller]
fn expect(trackers: &mut Trackers, mut news: TrackerNews, expected: &[&str]) {
    let mut told: Vec<String> = Vec::new();
    let began = Instant::now();
    loop {
        told.extend(news.figures.iter().map(|(name, figure, _)| format!("{} {figure}", name.name)));
        told.extend(news.lines.iter().map(|(_, text)| text.clone()));
        told.sort();
        if told == expected || began.elapsed() > Duration::from_secs(20) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
        news = trackers.receive(clock::boot_time());
    }
    assert_eq!(told, expected);
}

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tanist-track-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory of our own");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Two that track one file are told of it alike; who tracks it after a reload is told at once, and what is the same is not
/// told again.
#[test]
fn each_is_told_of_its_own_file() {
    let directory = Directory::new("own");
    let (one, other) = (directory.0.join("one"), directory.0.join("below/other"));
    std::fs::write(&one, "5").expect("written");
    let mut trackers = Trackers::open().expect("opened");
    let first = settings(vec![file("a", &one, None), file("b", &one, None), file("c", &other, None)]);
    let adjusted = trackers.adjust(&first, clock::boot_time());
    assert!(adjusted.figures.is_empty(), "nobody has looked yet");
    let news = trackers.wait_for_first_look(clock::boot_time());
    expect(&mut trackers, news, &["a 5", "b 5", "c 0"]);

    std::fs::write(directory.0.join("new"), "7").expect("written");
    std::fs::rename(directory.0.join("new"), &one).expect("renamed");
    expect(&mut trackers, TrackerNews::default(), &["a 7", "b 7"]);
    std::fs::create_dir(directory.0.join("below")).expect("made");
    std::fs::write(&other, "0x10").expect("written");
    expect(&mut trackers, TrackerNews::default(), &["c 16"]);
    std::fs::remove_dir_all(directory.0.join("below")).expect("removed");
    expect(&mut trackers, TrackerNews::default(), &["c 0"]);

    let second = settings(vec![file("a", &one, None), file("d", &one, None)]);
    let news = trackers.adjust(&second, clock::boot_time());
    expect(&mut trackers, news, &["d 7"]);
    std::fs::write(&one, "99999999999999999999").expect("written");
    let ignored = format!("Invalid number read from {} - ignoring; it counts as 7 until then", one.display());
    expect(&mut trackers, TrackerNews::default(), &[&ignored]);
    std::fs::write(&one, "8").expect("written");
    let again = format!("tracked file {} can be read again", one.display());
    expect(&mut trackers, TrackerNews::default(), &["a 8", "d 8", &again]);
}

/// A link is followed, and what it leads to is watched.
#[test]
fn a_link_leads_to_a_number() {
    let directory = Directory::new("link");
    let (link, number) = (directory.0.join("link"), directory.0.join("number"));
    std::fs::write(&number, "3").expect("written");
    let mut trackers = Trackers::open().expect("opened");
    let adjusted = trackers.adjust(&settings(vec![file("a", &link, None)]), clock::boot_time());
    expect(&mut trackers, adjusted, &["a 0"]);
    std::os::unix::fs::symlink(&number, &link).expect("linked");
    expect(&mut trackers, TrackerNews::default(), &["a 3"]);
    std::fs::write(&number, "4").expect("written");
    expect(&mut trackers, TrackerNews::default(), &["a 4"]);
}

// Shows: track_file.init_file
#[test]
fn a_file_is_made_at_the_start_and_not_again() {
    let directory = Directory::new("init");
    let (there, new, over) = (directory.0.join("there"), directory.0.join("new"), directory.0.join("over"));
    std::fs::write(&there, "3").expect("written");
    std::fs::write(&over, "3").expect("written");
    let keep = Some(InitialNumber { number: 1, overwrite: false });
    let overwrite = Some(InitialNumber { number: 2, overwrite: true });
    let all = settings(vec![file("there", &there, keep), file("new", &new, keep), file("over", &over, overwrite)]);
    let mut trackers = Trackers::open().expect("opened");
    let adjusted = trackers.adjust(&all, clock::boot_time());
    let wrote = |number: u32, path: &Path| format!("wrote {number} into {}", path.display());
    let (first, second) = (wrote(1, &new), wrote(2, &over));
    expect(&mut trackers, adjusted, &["new 1", "over 2", "there 3", &first, &second]);
    assert_eq!(std::fs::read_to_string(&over).expect("read"), "2\n");
    std::fs::write(&over, "9").expect("written");
    let adjusted = trackers.adjust(&all, clock::boot_time());
    expect(&mut trackers, adjusted, &["over 9"]);
}

/// Processes are counted anew when other ones are tracked, and what has not changed is not told again.
#[test]
fn processes_are_told_once() {
    let name = format!("track{}", std::process::id());
    let directory = Directory::new("count");
    let program = directory.0.join(&name);
    std::fs::copy("/bin/sleep", &program).expect("copied");
    let mut first = std::process::Command::new(&program).arg("300").spawn().expect("started");
    let mut trackers = Trackers::open().expect("opened");
    let figures = |news: TrackerNews| TrackerNews { lines: Vec::new(), ..news };
    // Whether the kernel tells of births depends on where this runs, and is told.
    let wait = |trackers: &mut Trackers, expected: &[&str]| {
        let began = Instant::now();
        let mut told = Vec::new();
        while told.len() < expected.len() && began.elapsed() < Duration::from_secs(20) {
            let news = figures(trackers.receive(clock::boot_time()));
            told.extend(news.figures.into_iter().map(|(name, figure, _)| format!("{} {figure}", name.name)));
            std::thread::sleep(Duration::from_millis(1));
        }
        told.sort();
        assert_eq!(told, expected);
    };
    trackers.adjust(&settings(vec![process("a", &name)]), clock::boot_time());
    // exec makes it what it is; before that it may have been counted as not there.
    let began = Instant::now();
    while trackers.watched[0].told != Some(1) && began.elapsed() < Duration::from_secs(20) {
        trackers.receive(clock::boot_time());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(trackers.watched[0].told, Some(1));
    let news = trackers.adjust(&settings(vec![process("b", &name), process("a", &name)]), clock::boot_time());
    assert_eq!(news.figures, [(TrackerName { kind: TrackerKind::Process, name: "b".into() }, 1, FigureCause::Found)]);
    trackers.adjust(&settings(vec![process("a", &name), process("c", "no-such-process")]), clock::boot_time());
    wait(&mut trackers, &["c 0"]);
    first.kill().expect("killed");
    wait(&mut trackers, &["a 0"]);
    first.wait().expect("collected");
}

/// A file that nobody can read for want of an answer counts as 0 after a while, and that is told.
#[test]
fn what_is_never_seen_counts_as_nothing() {
    let mut trackers = Trackers::open().expect("opened");
    let source = FigureSource::File { path: "/no/thread/reads/this".into(), initial: None };
    let name = TrackerName { kind: TrackerKind::File, name: "a".into() };
    trackers.watched.push(Watched { name: name.clone(), source, told: None });
    trackers.unseen_since = Some(1_000_000_000);
    assert_eq!(trackers.deadline(), Some(3_000_000_000));
    assert!(trackers.receive(2_999_999_999).figures.is_empty());
    let news = trackers.receive(3_000_000_000);
    assert_eq!(news.figures, [(name, 0, FigureCause::Found)]);
    assert!(news.lines[0].1.starts_with("nobody knows what stands in tracked file /no/thread/reads/this"));
    assert_eq!(trackers.deadline(), None);
}
