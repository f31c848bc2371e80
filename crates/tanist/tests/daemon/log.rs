//! A log that nobody reads must not hold up what matters.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use linux::signals::Signal;
use rustix::fs::OFlags;

use crate::support::story::run;
use crate::support::{ADDRESS, Host, Moment, PATIENCE, QUICK, Scene, binary, configuration, in_host, slow_test, word};

/// A pipe that is full, and stays so as long as the file is held.
fn full_pipe(host: &Host) -> File {
    let path = in_host("stalled");
    run(host, &format!("mkfifo {}", word(&path)));
    let pipe = host.run(|| {
        let path = in_host("stalled");
        let mut pipe =
            OpenOptions::new().read(true).write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
        while pipe.write(&[b'x'; 4096]).is_ok() {}
        while pipe.write(b"x").is_ok() {}
        Ok::<_, std::io::Error>(pipe)
    });
    pipe.expect("the host is on").expect("a pipe")
}

#[test]
fn a_stalled_log_delays_no_advertisement_and_no_end() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let _pipe = full_pipe(host);
        host.write_file("tanist.conf", &configuration("", 150, QUICK)).expect("write");
        let line = format!(
            "exec {} run -D --log stderr -f /run/rehearse/tanist.conf 2> /run/rehearse/stalled",
            word(binary())
        );
        let program = host.start("tanist", &["sh", "-c", &line]).expect("start");
        scene.only("a", ADDRESS);
        // Each of these is a line of the log, more than any queue would like to have.
        for _ in 0..50 {
            program.signal(Signal::HANGUP).expect("reload");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let begin = Moment::now();
        let mut last = begin;
        for _ in 0..10 {
            last = scene.advertised("a", last + std::time::Duration::from_millis(1), |_| true).at;
        }
        // Ten at 200 ms; one that waits for its log would not send any.
        assert!(last.since(begin) < PATIENCE, "{:?}", last.since(begin));
        let stopped = Moment::now();
        program.signal(Signal::TERMINATE).expect("stop");
        scene.resigned("a", stopped);
        assert!(program.wait(PATIENCE), "it does not end");
        assert!(scene.holders(ADDRESS).is_empty());
    });
}
