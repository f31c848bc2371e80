//! Going to the background. Each case is a process: this program starts itself with the name of the case.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use tanist_linux::daemonize::{PidFile, to_background};
use tanist_linux::process;
use tanist_linux::signals::Signal;

/// What the process in the background does, told what it should do and where its pid file is.
fn background(case: &str, pid_file: &str) -> ExitCode {
    let readiness = to_background().unwrap();
    match case {
        "succeed" => {
            let _held = PidFile::acquire(pid_file.as_ref()).unwrap();
            assert_eq!(std::env::current_dir().unwrap(), PathBuf::from("/"));
            eprintln!("before");
            readiness.report(0);
            eprintln!("after");
            std::thread::sleep(Duration::from_secs(300));
        }
        "refuse" => readiness.report(6),
        "die" => drop(readiness),
        other => panic!("there is no case {other}"),
    }
    ExitCode::SUCCESS
}

fn run(case: &str, pid_file: &PathBuf) -> (Option<i32>, String) {
    let myself = std::env::current_exe().unwrap();
    let front = Command::new(myself).args(["--background", case]).arg(pid_file).stderr(Stdio::piped()).spawn().unwrap();
    // Ends when the front has exited and the background has let go of the terminal.
    let output = front.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The session of a process; 0 where its leader is outside of our pid namespace.
fn session_of(process: &str) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the name in brackets: state, parent, group, session.
    stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap().parse().unwrap()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(position) = arguments.iter().position(|argument| argument == "--background") {
        return background(&arguments[position + 1], &arguments[position + 2]);
    }
    let pid_file = std::env::temp_dir().join(format!("tanist-background-{}.pid", std::process::id()));

    println!("test the_front_exits_when_the_background_is_ready");
    assert_eq!(run("succeed", &pid_file), (Some(0), "before\n".to_owned()), "what comes later is not the terminal's");
    let pid: u32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let session = session_of(&pid.to_string());
    assert_ne!(session, pid, "not the leader of its session");
    assert_ne!(session, session_of("self"), "a session of its own");

    println!("test a_killed_holder_blocks_nobody");
    process::signal(pid, Signal::KILL).unwrap();
    while PathBuf::from(format!("/proc/{pid}")).exists()
        && !std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default().contains(") Z ")
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(pid_file.exists());
    PidFile::acquire(&pid_file).unwrap().remove();

    println!("test the_status_of_the_background_is_passed_on");
    assert_eq!(run("refuse", &pid_file), (Some(6), String::new()));
    assert_eq!(run("die", &pid_file), (Some(1), String::new()));
    ExitCode::SUCCESS
}
