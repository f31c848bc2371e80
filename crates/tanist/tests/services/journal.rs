//! S0-27: in the journal every line has an id that never changes its meaning, and the names of what it is about. Nobody
//! else sees another text than without a journal.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};

use linux::signals::Signal;

use crate::support::story::run;
use crate::support::{
    ADDRESS, HOST_DIR, Host, PATIENCE, Program, QUICK, Scene, binary, configuration, patiently, slow_test,
    slow_test_with_users, word,
};

/// Where journald listens, and where its syslog socket is.
const SOCKETS: [&str; 2] = ["/run/systemd/journal/socket", "/run/systemd/journal/dev-log"];

/// The names and values of an entry.
type Entry = BTreeMap<String, String>;

/// What has come to a socket: somebody must read all the time, or the queue is full after ten lines.
#[derive(Clone)]
struct Heard(Arc<Mutex<Vec<Vec<u8>>>>);

impl Heard {
    fn at(socket: UnixDatagram) -> Self {
        let heard = Self(Arc::default());
        let shared = heard.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(length) = socket.recv(&mut buffer) {
                shared.0.lock().expect("nobody panics with it").push(buffer[..length].to_vec());
            }
        });
        heard
    }

    fn all(&self) -> Vec<Vec<u8>> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

/// What a journald would hear on a host.
struct Journald {
    native: Heard,
    syslog: Heard,
}

impl Journald {
    fn on(host: &Host) -> Self {
        let [native, syslog] = host
            .run(|| {
                std::fs::create_dir_all("/run/systemd/journal")?;
                let [native, syslog] = SOCKETS.map(UnixDatagram::bind);
                Ok::<_, std::io::Error>([native?, syslog?])
            })
            .expect("the host is on")
            .expect("sockets");
        Self { native: Heard::at(native), syslog: Heard::at(syslog) }
    }

    fn text(&self) -> String {
        self.native.all().iter().map(|datagram| String::from_utf8_lossy(datagram).into_owned()).collect()
    }

    /// All entries until one says that the daemon has stopped.
    fn until_the_end(&self) -> Vec<Entry> {
        let entries = || -> Vec<Entry> { self.native.all().iter().map(|datagram| parse(datagram)).collect() };
        let ended = patiently(|| entries().last().is_some_and(|entry| entry["MESSAGE"] == "Stopped"));
        assert!(ended, "it has not stopped: {:#?}", entries());
        entries()
    }
}

/// As `systemd`'s description of the native protocol has it, for values of one line.
fn parse(datagram: &[u8]) -> Entry {
    let text = std::str::from_utf8(datagram).expect("text");
    let field = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().map(|line| field(line).unwrap_or_else(|| panic!("{line:?} is no field of one line"))).collect()
}

/// The ids of `docs/events.md`.
fn listed() -> BTreeMap<String, String> {
    let text = include_str!("../../../../docs/events.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.split('`').collect();
        (cells[1].to_owned(), cells[cells.len() - 2].to_owned())
    });
    rows.collect()
}

/// Runs the daemon by this line of shell, until its service runs and it was stopped. `log` is what it has said so far.
fn live(scene: &Scene, start: &str, log: impl Fn() -> String) {
    let host = &scene.hosts[0];
    let service = "service job {\n    command \"/bin/sleep 1000\"\n}\n";
    let configuration = configuration(service, 150, &format!("{QUICK}\n    service job"));
    host.write_file("tanist.conf", &configuration).expect("write");
    let program = host.start("tanist", &["sh", "-c", start]).expect("start");
    scene.only("a", ADDRESS);
    scene.until("its service runs", || log().contains("Service job is running"));
    end(&program);
}

/// What the daemon has said to a file.
fn stream_of(scene: &Scene) -> String {
    scene.hosts[0].read_file(&Path::new(HOST_DIR).join("stream")).unwrap_or_default()
}

fn end(program: &Program) {
    program.signal(Signal::TERMINATE).expect("stop");
    assert!(program.wait(PATIENCE), "it does not end");
}

/// Entries as they are listed, and about what.
fn is_complete(entries: &[Entry], identity: &str) {
    let listed = listed();
    assert!(listed.len() > 50, "{listed:?}");
    for entry in entries {
        let (event, number) = (&entry["TANIST_EVENT"], &entry["MESSAGE_ID"]);
        assert_eq!(listed.get(event), Some(number), "{entry:?}");
        assert_eq!(entry["SYSLOG_IDENTIFIER"], identity);
        assert_eq!(entry["SYSLOG_FACILITY"], "3");
        assert!("01234567".contains(&entry["PRIORITY"]), "{entry:?}");
    }
    let find = |event: &str, message: &str| {
        let found = entries.iter().find(|entry| entry["TANIST_EVENT"] == event && entry["MESSAGE"] == message);
        found.unwrap_or_else(|| panic!("no {event} with {message:?} in {entries:#?}"))
    };
    let state = find("vrrp.state", "(VI_1) Entering MASTER STATE");
    assert_eq!((state["TANIST_INSTANCE"].as_str(), state["PRIORITY"].as_str()), ("VI_1", "5"));
    assert!(!state.contains_key("TANIST_SERVICE"), "{state:?}");
    let service = find("service.state", "Service job is running");
    assert_eq!((service["TANIST_INSTANCE"].as_str(), service["TANIST_SERVICE"].as_str()), ("VI_1", "job"));
    let stopping = find("daemon.remark", "Stopping");
    assert!(!stopping.contains_key("TANIST_INSTANCE"), "{stopping:?}");
}

/// As systemd starts a unit: what goes to standard error would be in the journal, as mere text.
#[test]
fn lines_for_the_journal_have_ids() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let journald = Journald::on(&scene.hosts[0]);
        let run = format!(
            "exec 2> /run/rehearse/stream; export JOURNAL_STREAM=$(stat -Lc %d:%i /run/rehearse/stream); \
             exec {} run --log stderr -f /run/rehearse/tanist.conf",
            word(binary())
        );
        live(&scene, &run, || journald.text());
        is_complete(&journald.until_the_end(), "tanist");
        assert_eq!(stream_of(&scene), "", "said twice");
    });
}

/// Where standard error is something else it gets the text alone, whoever listens.
#[test]
fn a_file_gets_the_text_alone() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let journald = Journald::on(&scene.hosts[0]);
        let run = format!(
            "export JOURNAL_STREAM=1:2; exec {} run --log stderr -f /run/rehearse/tanist.conf 2> /run/rehearse/stream",
            word(binary())
        );
        live(&scene, &run, || stream_of(&scene));
        let stream = stream_of(&scene);
        for words in [" (VI_1) Entering MASTER STATE\n", " Service job is running\n", " Stopped\n"] {
            assert!(stream.contains(words), "{words:?} is not in\n{stream}");
        }
        assert!(!stream.contains("vrrp.state") && !stream.contains("MESSAGE_ID"), "{stream}");
        assert!(journald.native.all().is_empty());
    });
}

/// A keepalived logs to syslog. Where that is journald's, the same lines go there with their ids, and only once; where
/// it is somebody else's, that one gets its text as ever, and the journal the ids.
#[test]
fn syslog_and_journal() {
    slow_test_with_users(|| {
        for is_journald in [true, false] {
            let scene = Scene::new(&["a"]);
            let host = &scene.hosts[0];
            let journald = Journald::on(host);
            // A /dev of its own: that of the machine is nobody's to change.
            let log = if is_journald { SOCKETS[1] } else { "/run/log" };
            run(
                host,
                &format!(
                    "mkdir /run/dev && mount -t tmpfs tmpfs /run/dev && \
                     cp -a /dev/null /dev/zero /dev/random /dev/urandom /run/dev/ && \
                     ln -s {log} /run/dev/log && mount --bind /run/dev /dev"
                ),
            );
            let other = host.run(|| UnixDatagram::bind("/run/log")).expect("the host is on").expect("a socket");
            let other = Heard::at(other);
            let start = format!(
                "ln -s {} /run/keepalived && exec /run/keepalived -n -f /run/rehearse/tanist.conf -p /run/a.pid -r /run/b.pid",
                word(binary())
            );
            live(&scene, &start, || journald.text());
            is_complete(&journald.until_the_end(), "Keepalived_vrrp");
            assert!(journald.syslog.all().is_empty(), "said twice");
            let lines: Vec<String> =
                other.all().into_iter().map(|line| String::from_utf8(line).expect("text")).collect();
            if is_journald {
                assert_eq!(lines, [""; 0]);
                continue;
            }
            let says = |line: &&String, words: &str| line.starts_with("<29>") && line.ends_with(words);
            let found = lines.iter().find(|line| says(line, "]: (VI_1) Entering MASTER STATE"));
            let found = found.unwrap_or_else(|| panic!("{lines:#?}"));
            assert!(found.contains(" Keepalived_vrrp["), "{found}");
            assert!(!lines.iter().any(|line| line.contains("vrrp.state")), "{lines:#?}");
        }
    });
}
