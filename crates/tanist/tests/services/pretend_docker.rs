//! A pretend docker engine on a host, with one container, `neuronex`: the collector. The real engine is tested against
//! where docker is spoken; here it is about what follows when somebody uses it by hand.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::Host;

const ID: &str = "8c5e3b1f0d2a";

pub(crate) struct PretendDocker {
    engine: Arc<Mutex<Engine>>,
    leave: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

struct Engine {
    host: Host,
    running: bool,
    /// Who follows the events.
    followers: Vec<UnixStream>,
}

impl PretendDocker {
    pub(crate) fn start(host: &Host) -> Self {
        let listener = host.run(|| UnixListener::bind("/run/docker.sock")).expect("the host is on").expect("a socket");
        listener.set_nonblocking(true).expect("do not wait");
        let engine = Arc::new(Mutex::new(Engine { host: host.clone(), running: false, followers: Vec::new() }));
        let leave = Arc::new(AtomicBool::new(false));
        let serve = {
            let (engine, leave) = (engine.clone(), leave.clone());
            thread::spawn(move || {
                while !leave.load(Ordering::Acquire) {
                    match listener.accept() {
                        Ok((stream, _)) => lock(&engine).answer(stream),
                        Err(_) => thread::sleep(Duration::from_millis(2)),
                    }
                }
            })
        };
        let watch = {
            let (engine, leave) = (engine.clone(), leave.clone());
            thread::spawn(move || {
                while !leave.load(Ordering::Acquire) {
                    lock(&engine).notice_death();
                    thread::sleep(Duration::from_millis(50));
                }
            })
        };
        Self { engine, leave, threads: vec![serve, watch] }
    }

    /// `docker stop neuronex`
    pub(crate) fn stop_by_hand(&self) {
        lock(&self.engine).stop();
    }

    /// `docker start neuronex`
    pub(crate) fn start_by_hand(&self) {
        lock(&self.engine).begin();
    }
}

impl Drop for PretendDocker {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A panic in there was told when it happened.
            let _ = thread.join();
        }
    }
}

fn lock(engine: &Mutex<Engine>) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    fn answer(&mut self, mut stream: UnixStream) {
        stream.set_nonblocking(false).expect("a question comes at once");
        let mut question = Vec::new();
        let mut buffer = [0; 1024];
        while !question.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(length @ 1..) => question.extend_from_slice(&buffer[..length]),
                Ok(0) | Err(_) => return,
            }
        }
        let question = String::from_utf8_lossy(&question).into_owned();
        let mut words = question.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        let (status, body) = match (method, path) {
            ("GET", "/events") => {
                // Whoever goes away in between is noticed with the next event.
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                return self.followers.push(stream);
            }
            ("GET", "/containers/neuronex/json") => (200, self.description()),
            ("GET", _) if path.starts_with("/images/") => (200, "{}".to_owned()),
            ("POST", "/containers/neuronex/start") => (if self.begin() { 204 } else { 304 }, String::new()),
            ("POST", "/containers/neuronex/stop") => (if self.stop() { 204 } else { 304 }, String::new()),
            ("POST", "/containers/neuronex/kill") => (if self.stop() { 204 } else { 409 }, String::new()),
            _ => (404, "{\"message\":\"No such thing\"}".to_owned()),
        };
        let length = body.len();
        // The daemon may have ended meanwhile.
        let _ = write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    }

    fn description(&self) -> String {
        let (running, status) = (self.running, if self.running { "running" } else { "exited" });
        format!(
            "{{\"Id\":\"{ID}\",\"Image\":\"sha256:1\",\"State\":{{\"Status\":\"{status}\",\"Running\":{running}}},\
             \"Config\":{{\"StopSignal\":\"SIGTERM\"}},\"HostConfig\":{{\"RestartPolicy\":{{\"Name\":\"no\"}}}}}}"
        )
    }

    fn begin(&mut self) -> bool {
        if self.running {
            return false;
        }
        self.manage("start");
        self.running = true;
        self.tell("start", "");
        true
    }

    fn stop(&mut self) -> bool {
        if !self.running {
            return false;
        }
        self.tell("kill", ",\"signal\":\"15\"");
        self.manage("stop");
        self.running = false;
        self.tell("die", ",\"exitCode\":\"0\"");
        self.tell("stop", "");
        true
    }

    fn notice_death(&mut self) {
        if self.running && self.host.is_on() && self.manage("status") != 0 {
            self.running = false;
            self.tell("die", ",\"exitCode\":\"137\"");
        }
    }

    fn manage(&self, verb: &str) -> i32 {
        self.host.collector_service(verb).expect("the host is on")
    }

    fn tell(&mut self, action: &str, attributes: &str) {
        let line = format!(
            "{{\"Type\":\"container\",\"Action\":\"{action}\",\"Actor\":{{\"ID\":\"{ID}\",\"Attributes\":\
             {{\"name\":\"neuronex\"{attributes}}}}}}}\n"
        );
        let chunk = format!("{:x}\r\n{line}\r\n", line.len());
        self.followers.retain_mut(|follower| follower.write_all(chunk.as_bytes()).is_ok());
    }
}
