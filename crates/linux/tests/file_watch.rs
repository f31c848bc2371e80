//! Files that come and go in every way that files can.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tanist_linux::file_watch::FileWatch;
use tanist_linux::poll::{Interest, Poll};

/// A directory of our own that goes with its test, and a watch.
struct Scene {
    directory: PathBuf,
    watch: FileWatch,
    poll: Poll,
}

impl Scene {
    fn new(name: &str) -> Scene {
        let directory = std::env::temp_dir().join(format!("tanist-watch-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (watch, poll) = (FileWatch::open().unwrap(), Poll::new().unwrap());
        poll.add(&watch, 1, Interest::Readable).unwrap();
        Scene { directory, watch, poll }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Waits until the watch has told so, by its events alone.
    fn expect(&mut self, path: &Path, present: bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.watch.is_there(path) != present {
            assert!(Instant::now() < until, "{} is never told to be there: {present}", path.display());
            if self.poll.wait(Some(Duration::from_millis(100))).unwrap().next().is_some() {
                self.watch.receive().unwrap();
            }
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn a_file_is_touched_and_removed_and_moved() {
    let mut scene = Scene::new("plain");
    let (file, other) = (scene.path("down"), scene.path("up"));
    scene.watch.watch(std::slice::from_ref(&file)).unwrap();
    assert!(!scene.watch.is_there(&file));
    for _ in 0..3 {
        fs::write(&file, "").unwrap();
        scene.expect(&file, true);
        fs::remove_file(&file).unwrap();
        scene.expect(&file, false);
        fs::write(&other, "").unwrap();
        fs::rename(&other, &file).unwrap();
        scene.expect(&file, true);
        fs::rename(&file, &other).unwrap();
        scene.expect(&file, false);
    }
    assert!(!scene.watch.is_there(&other), "nobody asked for it");
    // A link is there wherever it leads.
    symlink("/nowhere", &file).unwrap();
    scene.expect(&file, true);
    fs::remove_file(&file).unwrap();
    scene.expect(&file, false);
    fs::create_dir(&file).unwrap();
    scene.expect(&file, true);
    fs::remove_dir(&file).unwrap();
    scene.expect(&file, false);
}

#[test]
fn what_is_there_already_is_known_at_once() {
    let mut scene = Scene::new("already");
    let (one, other) = (scene.path("one"), scene.path("other"));
    fs::write(&one, "").unwrap();
    scene.watch.watch(&[one.clone(), other.clone()]).unwrap();
    assert!(scene.watch.is_there(&one) && !scene.watch.is_there(&other));
    scene.watch.watch(std::slice::from_ref(&other)).unwrap();
    assert!(!scene.watch.is_there(&one), "it is watched no longer");
    fs::write(&other, "").unwrap();
    scene.expect(&other, true);
    scene.watch.watch(&[]).unwrap();
    fs::remove_file(&other).unwrap();
    scene.watch.receive().unwrap();
    assert!(!scene.watch.is_there(&other));
}

#[test]
fn directories_come_later_and_go_and_come_again() {
    let mut scene = Scene::new("later");
    let (top, deep) = (scene.path("a"), scene.path("a/b/c"));
    let file = deep.join("down");
    scene.watch.watch(std::slice::from_ref(&file)).unwrap();
    for _ in 0..3 {
        fs::create_dir_all(&deep).unwrap();
        fs::write(&file, "").unwrap();
        scene.expect(&file, true);
        fs::remove_dir_all(&top).unwrap();
        scene.expect(&file, false);
    }
    // One step after the other, each taken in before the next.
    for directory in [&top, &scene.path("a/b"), &deep] {
        fs::create_dir(directory).unwrap();
        scene.watch.receive().unwrap();
    }
    fs::write(&file, "").unwrap();
    scene.expect(&file, true);
    // The whole way is moved aside, and back.
    let aside = scene.path("aside");
    fs::rename(&top, &aside).unwrap();
    scene.expect(&file, false);
    // What happens aside is nobody's business.
    fs::remove_file(aside.join("b/c/down")).unwrap();
    fs::write(aside.join("b/c/down"), "").unwrap();
    scene.watch.receive().unwrap();
    assert!(!scene.watch.is_there(&file));
    fs::rename(&aside, &top).unwrap();
    scene.expect(&file, true);
}

#[test]
fn a_link_to_the_directory_is_a_way_like_any_other() {
    let mut scene = Scene::new("way");
    let (first, second, link) = (scene.path("first"), scene.path("second"), scene.path("link"));
    fs::create_dir(&first).unwrap();
    fs::create_dir(&second).unwrap();
    let file = link.join("down");
    scene.watch.watch(std::slice::from_ref(&file)).unwrap();
    symlink(&first, &link).unwrap();
    fs::write(first.join("down"), "").unwrap();
    scene.expect(&file, true);
    fs::remove_file(first.join("down")).unwrap();
    scene.expect(&file, false);
    // The link leads elsewhere from now on.
    fs::write(second.join("down"), "").unwrap();
    fs::remove_file(&link).unwrap();
    symlink(&second, &link).unwrap();
    scene.expect(&file, true);
    fs::remove_file(second.join("down")).unwrap();
    scene.expect(&file, false);
}

#[test]
fn events_that_were_lost_are_made_up_for() {
    let mut scene = Scene::new("lost");
    let (file, other) = (scene.path("down"), scene.path("noise"));
    scene.watch.watch(&[file.clone(), other.clone()]).unwrap();
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    // The kernel joins equal events that follow each other; these are not.
    for _ in 0..=most / 2 {
        fs::write(&other, "").unwrap();
        fs::remove_file(&other).unwrap();
    }
    fs::write(&file, "").unwrap();
    scene.expect(&file, true);
    // And it goes on hearing.
    fs::remove_file(&file).unwrap();
    scene.expect(&file, false);
}
