//! The service that trials keep alive: it collects every 20 ms and tells the lab each time, so that afterwards nobody has
//! to be believed about who was at work when. It can be slow, deaf to signals, or leave a process behind.
//!
//! It is started as a program of its own inside the hosts, by a daemon, by a script or by hand.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::process::Command;
use std::str::FromStr;
use std::thread;
use std::time::Duration;
use std::{env, fmt};

use linux::signals::{Received, Signal, Signals};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::lab::{COLLECTOR_PIPE, Moment};
use crate::web;

/// From one tick to the next.
pub(crate) const PACE: Duration = Duration::from_millis(20);
/// How long the probe waits for an answer.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);

/// How a collector is to behave. As text: words like `port=8085 start=300 stubborn`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Where it answers HTTP while it collects.
    pub port: Option<u16>,
    /// From its start until it collects and answers, in whole milliseconds.
    pub start: Duration,
    /// How long it goes on collecting when it is told to stop, in whole milliseconds.
    pub stop: Duration,
    /// It does not care for SIGTERM.
    pub stubborn: bool,
    /// Not the first process collects but a grandchild in a session of its own, which nobody tells to stop.
    pub offspring: bool,
    /// It ends by itself this long after it began to collect, in whole milliseconds.
    pub lives: Option<Duration>,
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.port.map(|port| format!("port={port}")));
        for (name, span) in [("start", Some(self.start)), ("stop", Some(self.stop)), ("lives", self.lives)] {
            words.extend(span.filter(|span| !span.is_zero()).map(|span| format!("{name}={}", span.as_millis())));
        }
        for (name, is_so) in [("stubborn", self.stubborn), ("offspring", self.offspring)] {
            words.extend(is_so.then(|| name.to_owned()));
        }
        f.write_str(&words.join(" "))
    }
}

impl FromStr for Manner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut manner = Self::default();
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let number = || value.parse::<u64>().map_err(|error| format!("{word}: {error}"));
            match name {
                "port" => manner.port = Some(value.parse().map_err(|error| format!("{word}: {error}"))?),
                "start" => manner.start = Duration::from_millis(number()?),
                "stop" => manner.stop = Duration::from_millis(number()?),
                "lives" => manner.lives = Some(Duration::from_millis(number()?)),
                "stubborn" => manner.stubborn = true,
                "offspring" => manner.offspring = true,
                _ => return Err(format!("{word:?} is no manner of a collector")),
            }
        }
        Ok(manner)
    }
}

/// Asks a collector on this host for its page, as `curl` would.
///
/// # Errors
/// How it does not answer.
pub(crate) fn probe(port: u16) -> io::Result<()> {
    web::check(port, PROBE_PATIENCE)
}

/// Collects until it is told to stop.
///
/// # Errors
/// When it cannot begin: the port is taken, or it does not run inside a host of a lab.
pub(crate) fn collect(manner: &Manner) -> io::Result<()> {
    // By this name the lab finds it, whatever program it is part of.
    rustix::thread::set_name(c"collector")?;
    // Before there is a second thread.
    let mut signals = Signals::block(&[Signal::TERMINATE]).map_err(io::Error::other)?;
    let mut pipe = OpenOptions::new().write(true).open(COLLECTOR_PIPE)?;
    let generation = env::var(GENERATION).ok().and_then(|number| number.parse::<u8>().ok()).unwrap_or(0);
    match (manner.offspring, generation) {
        (true, 0) => {
            tell(&mut pipe, "starts")?;
            let mut parent = next_generation(1)?.spawn()?;
            parent.wait()?;
            wait_for_the_end(&mut signals, manner, &mut pipe)
        }
        (true, 1) => next_generation(2)?.spawn().map(|_| ()),
        _ => {
            if manner.offspring {
                rustix::process::setsid()?;
            } else {
                tell(&mut pipe, "starts")?;
            }
            work(manner, &mut signals, &mut pipe)
        }
    }
}

/// Says which process of an offspring this is.
const GENERATION: &str = "TANIST_COLLECTOR_GENERATION";

/// Our own program once more.
fn next_generation(number: u8) -> io::Result<Command> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments).env(GENERATION, number.to_string());
    Ok(command)
}

fn wait_for_the_end(signals: &mut Signals, manner: &Manner, pipe: &mut File) -> io::Result<()> {
    loop {
        if told_to_stop(signals, Duration::from_secs(3600))? {
            tell(pipe, "is told to stop")?;
            if !manner.stubborn {
                thread::sleep(manner.stop);
                return tell(pipe, "ends");
            }
        }
    }
}

fn work(manner: &Manner, signals: &mut Signals, pipe: &mut File) -> io::Result<()> {
    let begins_at = Moment::now() + manner.start;
    let mut ends_at = manner.lives.map(|span| begins_at + span);
    let mut next = begins_at;
    let mut number = 0_u64;
    loop {
        let now = Moment::now();
        // A stop counts before anything that is due: who was frozen meanwhile does not collect once more.
        if told_to_stop(signals, next.since(now))? {
            tell(pipe, "is told to stop")?;
            if !manner.stubborn {
                let stops_at = Moment::now() + manner.stop;
                ends_at = Some(ends_at.map_or(stops_at, |ends_at| ends_at.min(stops_at)));
            }
        }
        let now = Moment::now();
        if ends_at.is_some_and(|at| now >= at) {
            return tell(pipe, "ends");
        }
        if now < next {
            continue;
        }
        if number == 0 {
            if let Some(port) = manner.port {
                let listener = web::listen(port)?;
                thread::spawn(move || web::answer_all(&listener));
            }
            tell(pipe, "collects")?;
        }
        write_line(pipe, &format!("tick\t{number}"))?;
        number += 1;
        // Who comes late does not catch up.
        let (due, now) = (next + PACE, Moment::now());
        next = if due > now { due } else { now + PACE };
    }
}

/// Waits so long for SIGTERM.
fn told_to_stop(signals: &mut Signals, span: Duration) -> io::Result<bool> {
    let timeout = Timespec { tv_sec: span.as_secs().cast_signed(), tv_nsec: span.subsec_nanos().into() };
    match poll(&mut [PollFd::new(signals, PollFlags::IN)], Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut received: Vec<Received> = Vec::new();
    signals.receive(&mut received).map_err(io::Error::other)?;
    Ok(!received.is_empty())
}

fn tell(pipe: &mut File, what: &str) -> io::Result<()> {
    write_line(pipe, &format!("tells\t{what}"))
}

/// One write, so that lines of several collectors do not mix (pipe(7): up to `PIPE_BUF` octets).
fn write_line(pipe: &mut File, words: &str) -> io::Result<()> {
    let line = format!("{}\t{}\t{words}\n", Moment::now().as_nanos(), std::process::id());
    pipe.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manner_reads_as_it_is_written() {
        let second = Duration::from_secs(1);
        let all = Manner {
            port: Some(8085),
            start: Duration::from_millis(300),
            stop: second,
            stubborn: true,
            offspring: true,
            lives: Some(second),
        };
        for (manner, words) in
            [(all, "port=8085 start=300 stop=1000 lives=1000 stubborn offspring"), (Manner::default(), "")]
        {
            assert_eq!(manner.to_string(), words);
            assert_eq!(words.parse(), Ok(manner));
        }
        for word in ["port=high", "start=-1", "lives", "lazy"] {
            assert!(word.parse::<Manner>().is_err(), "{word}");
        }
    }
}
