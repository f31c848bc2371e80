//! Asks a web service at a steady pace, a new connection each time, and notes which host's service answered.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use super::answers::{Answer, Answers, Asked};
use super::inside::Inside;
use super::{LabError, Moment};

/// From one question to the next.
const PACE: Duration = Duration::from_millis(10);
/// Who has not answered by then is not there.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// A thread that asks until it is dropped. The first line of the service's text names the host.
#[derive(Debug)]
pub struct WebProbe {
    asked: Arc<Mutex<Vec<Asked>>>,
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WebProbe {
    pub(super) fn start(client: &Inside, service: SocketAddrV4) -> Result<Self, LabError> {
        let namespace = client.namespace().try_clone()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let leave = Arc::new(AtomicBool::new(false));
        let thread = {
            let (asked, leave) = (asked.clone(), leave.clone());
            thread::spawn(move || {
                // What it then asks is asked from inside.
                if namespace.enter().is_ok() {
                    ask(service, &asked, &leave);
                }
            })
        };
        Ok(Self { asked, leave, thread: Some(thread) })
    }

    /// What has come in until now.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers { asked: self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }

    /// Waits until the service of this host answers what was asked after `since`.
    #[must_use]
    pub fn wait_for_answer_by(&self, host: &str, since: Moment, patience: Duration) -> Option<Answer> {
        let mut found = None;
        let _ = super::wait_until(patience, || {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let late = asked.iter().rev().take_while(|asked| asked.at >= since);
            found = late.flat_map(|asked| &asked.answers).find(|answer| &*answer.by == host).cloned();
            found.is_some()
        });
        found
    }
}

impl Drop for WebProbe {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}

/// One question on its way.
struct Question {
    number: usize,
    stream: TcpStream,
    started: Instant,
    requested: bool,
    text: Vec<u8>,
}

fn ask(service: SocketAddrV4, asked: &Mutex<Vec<Asked>>, leave: &AtomicBool) {
    let lock = || asked.lock().unwrap_or_else(PoisonError::into_inner);
    let mut questions: Vec<Question> = Vec::new();
    let mut next = Instant::now();
    while !leave.load(Ordering::Acquire) {
        if Instant::now() >= next {
            next = Instant::now() + PACE;
            let number = {
                let mut asked = lock();
                asked.push(Asked { at: Moment::now(), answers: Vec::new() });
                asked.len() - 1
            };
            // Refused while nobody is known at that address: a question without an answer like any other.
            questions.extend(connecting(service).ok().map(|stream| Question {
                number,
                stream,
                started: Instant::now(),
                requested: false,
                text: Vec::new(),
            }));
        }
        wait(&questions, next.saturating_duration_since(Instant::now()));
        questions.retain_mut(|question| match question.go_on() {
            Progress::Waiting => question.started.elapsed() < ANSWER_WITHIN,
            Progress::Refused => false,
            Progress::Answered(by) => {
                let at = Moment::now();
                lock()[question.number].answers.push(Answer { at, by });
                false
            }
        });
    }
}

enum Progress {
    Waiting,
    Refused,
    Answered(Arc<str>),
}

impl Question {
    fn go_on(&mut self) -> Progress {
        if !self.requested {
            match self.stream.write(b"GET / HTTP/1.0\r\n\r\n") {
                Ok(_) => self.requested = true,
                Err(error) if in_progress(&error) => return Progress::Waiting,
                Err(_) => return Progress::Refused,
            }
        }
        let mut buffer = [0; 512];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return self.end(),
                Ok(length) => self.text.extend_from_slice(&buffer[..length]),
                Err(error) if in_progress(&error) => return Progress::Waiting,
                Err(_) => return Progress::Refused,
            }
        }
    }

    fn end(&self) -> Progress {
        let text = String::from_utf8_lossy(&self.text);
        let good = text.starts_with("HTTP/1.0 200");
        let line = text.split_once("\r\n\r\n").and_then(|(_, body)| body.lines().next());
        line.filter(|_| good).map_or(Progress::Refused, |name| Progress::Answered(name.into()))
    }
}

/// Not connected yet, or nothing to read yet.
fn in_progress(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted)
}

fn connecting(service: SocketAddrV4) -> io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    match connect(&socket, &service) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(errno) => Err(errno.into()),
    }
}

fn wait(questions: &[Question], while_: Duration) {
    let wanted = |question: &Question| if question.requested { PollFlags::IN } else { PollFlags::OUT };
    let mut sources: Vec<PollFd<'_>> =
        questions.iter().map(|question| PollFd::new(&question.stream, wanted(question))).collect();
    let while_ = Timespec { tv_sec: while_.as_secs().cast_signed(), tv_nsec: while_.subsec_nanos().into() };
    // Interrupted or not: what is ready shows when it is tried.
    let _ = poll(&mut sources, Some(&while_));
}
