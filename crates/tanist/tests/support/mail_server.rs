//! A server that takes every mail and writes down whole sessions: to compare who says what to it.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Host;

/// On port 25 of a host's loopback.
pub(crate) struct MailServer {
    sessions: Arc<Mutex<Vec<Vec<String>>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    pub(crate) fn start(host: &Host) -> Self {
        let listener = host.run(|| TcpListener::bind("127.0.0.1:25")).expect("ask the host").expect("listen");
        listener.set_nonblocking(true).expect("do not wait");
        let (sessions, ends) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (written, end) = (Arc::clone(&sessions), Arc::clone(&ends));
        let thread = thread::spawn(move || serve(&listener, &written, &end));
        Self { sessions, ends, thread: Some(thread) }
    }

    /// What was said to it, one entry for each mail that it has taken in full.
    pub(crate) fn mails(&self) -> Vec<Vec<String>> {
        self.sessions.lock().expect("nobody panics while writing").clone()
    }

    /// The subjects of all mail, in the order of its arrival.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let mails = self.mails();
        let subject =
            |mail: &Vec<String>| mail.iter().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned));
        mails.iter().filter_map(subject).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, sessions: &Arc<Mutex<Vec<Vec<String>>>>, ends: &AtomicBool) {
    while !ends.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                let sessions = Arc::clone(sessions);
                thread::spawn(move || take(stream, &sessions));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("accept: {error}"),
        }
    }
}

/// One session. Who breaks it off has sent no mail.
fn take(stream: TcpStream, sessions: &Mutex<Vec<Vec<String>>>) {
    stream.set_nonblocking(false).expect("wait for it");
    let mut writer = stream.try_clone().expect("a second handle");
    let mut said = Vec::new();
    let mut is_content = false;
    if writer.write_all(b"220 edge.example.net ready\r\n").is_err() {
        return;
    }
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(line.ends_with('\r'), "a line of SMTP ends with CR LF: {line:?}");
        let line = line.trim_end_matches('\r').to_owned();
        let answer = match (is_content, line.as_str()) {
            (true, ".") => {
                is_content = false;
                "250 taken"
            }
            (true, _) => "",
            (false, "DATA") => {
                is_content = true;
                "354 go on"
            }
            (false, "QUIT") => "221 bye",
            (false, _) => "250 ok",
        };
        let is_last = line == "QUIT" && !is_content;
        said.push(line);
        if !answer.is_empty() && writer.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
            return;
        }
        if is_last {
            sessions.lock().expect("nobody panics while writing").push(said);
            return;
        }
    }
}
