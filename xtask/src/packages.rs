//! Installs what the tests need from the distribution's packages when it may, and says so when it may not.

use std::path::Path;
use std::process::Command;

/// A package and a program of it by which we see that it is there.
pub(crate) struct Package {
    name: &'static str,
    program: &'static str,
}

/// A second opinion on our routes, a real keepalived and another VRRP to talk to, a second opinion on our packets, the
/// `killall` of an example's check, and the managers of services: a systemd with its bus, a docker and what its containers
/// run; a reader of man pages; and who writes down which system calls a record is saved with.
pub(crate) const FOR_TESTS: [Package; 11] = [
    Package { name: "iproute2", program: "ip" },
    Package { name: "keepalived", program: "keepalived" },
    Package { name: "frr", program: "vtysh" },
    Package { name: "tshark", program: "tshark" },
    Package { name: "psmisc", program: "killall" },
    Package { name: "systemd", program: "systemctl" },
    Package { name: "dbus", program: "dbus-daemon" },
    Package { name: "docker.io", program: "dockerd" },
    Package { name: "busybox-static", program: "busybox" },
    Package { name: "groff-base", program: "groff" },
    Package { name: "strace", program: "strace" },
];

/// What measuring needs besides. perf counts system calls and allocations without stopping at them, as strace would; gdb
/// finds out what of the program is needed from second to second.
pub(crate) const FOR_MEASURING: [Package; 2] =
    [Package { name: "linux-perf", program: "perf" }, Package { name: "gdb", program: "gdb" }];

/// What a soak needs besides: the library by which clocks are set, whose package has a program of the same name, and what
/// refuses system calls to a running daemon.
pub(crate) const FOR_SOAKS: [Package; 2] =
    [Package { name: "faketime", program: "faketime" }, Package { name: "strace", program: "strace" }];

pub(crate) fn install(packages: &[Package]) -> Result<(), String> {
    let missing: Vec<&str> =
        packages.iter().filter(|package| !exists(package.program)).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !exists("apt-get") || !may_install() {
        println!("   MISSING: {names}. Only root may install packages, and only where there is apt-get.");
        println!("   What needs them will say so. To have them run: apt-get install {names}");
        return Ok(());
    }
    println!("   installing {names}");
    apt(&["update", "-qq"])?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(missing);
    apt(&words)
}

fn apt(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .map_err(|error| format!("start apt-get: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`apt-get {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// Whether a program is where programs are; `/usr/sbin` is not on everybody's `PATH`.
fn exists(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    path.split(':').any(|directory| Path::new(directory).join(program).exists())
}

fn may_install() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
