//! A lab needs to be root in its own small world: really, or in a user namespace.

use std::env;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use linux::virtual_host::start_as_root_of_user_namespace;

use super::LabError;
use super::inside::Inside;

/// Set for the program that we started again in a user namespace.
const AGAIN: &str = "TANIST_LAB_IN_USER_NAMESPACE";

/// Whether labs can be made here and now, and if not, why.
pub fn permission() -> Result<(), LabError> {
    Inside::host("trial").map(|_| ())
}

/// Runs this program again, as the root of a user namespace, with the same arguments, and answers its exit status;
/// `None` if that would change nothing: we are root already.
pub fn again_as_root() -> Option<Result<ExitCode, LabError>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let status = start_again(|command| command.args(arguments))?;
    Some(status.map(|status| {
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        ExitCode::from(u8::try_from(code).unwrap_or(1))
    }))
}

/// Runs a test of the standard harness that needs a lab. For an ordinary user the test is started again alone in a user
/// namespace, and its result taken over. Where the kernel allows neither, it says loudly that it tests nothing.
pub fn run_test(test: impl FnOnce()) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    match start_again(|command| command.args(["--exact", &name, "--nocapture", "--test-threads=1"])) {
        Some(Ok(status)) => assert!(status.success(), "{name} failed in the user namespace: {status}"),
        Some(Err(error)) => skip(&name, &error),
        None => match permission() {
            Ok(()) => test(),
            Err(error) => skip(&name, &error),
        },
    }
}

/// Tells that a test did not happen, and why: past the harness, which keeps what a good test prints to itself.
pub fn skip(test: &str, why: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: {test}: {why}");
}

fn start_again(
    arguments: impl FnOnce(&mut Command) -> &mut Command,
) -> Option<Result<std::process::ExitStatus, LabError>> {
    if rustix::process::geteuid().is_root() || env::var_os(AGAIN).is_some() {
        return None;
    }
    let start = || {
        let mut command = Command::new(env::current_exe()?);
        arguments(&mut command).env(AGAIN, "1");
        start_as_root_of_user_namespace(&mut command);
        command.status()
    };
    Some(start().map_err(|error| {
        LabError::io("start again in a user namespace (needed by an ordinary user; or be root)", &error)
    }))
}
