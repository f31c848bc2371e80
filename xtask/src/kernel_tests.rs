//! Tests of what the kernel of this machine lacks, on a kernel that has it: in a virtual machine without hardware help, which
//! is up within seconds. Cargo runs each test program through [`run`] instead of starting it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::cargo;

/// Where the kernel is, unpacked from its package; another place may be given in this variable.
const KERNEL: &str = "target/test-kernel";
const KERNEL_VARIABLE: &str = "TEST_KERNEL";
const HOW_TO_GET_ONE: &str = "unpack one there, on Debian for instance:
    apt-get install qemu-system-x86 busybox-static iproute2
    apt-get download $(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')
    dpkg-deb -x linux-image-*.deb target/test-kernel";
/// Each after those that it needs; one that the kernel has built in, or has not at all, is left out.
const MODULES: &[&str] = &[
    "crc32c_generic",
    "libcrc32c",
    "nfnetlink",
    "nf_tables",
    "llc",
    "stp",
    "bridge",
    "veth",
    "macvlan",
    "tls",
    "bonding",
    "ipvlan",
    "vrf",
];
/// What tests call by name.
const PROGRAMS: &[&str] = &["/usr/sbin/ip", "/sbin/ip", "/bin/ip"];
/// The tests whose effect needs such a kernel.
const TESTS: &[&[&str]] = &[
    &["test", "-p", "tanist-linux", "--test", "kernel", "--", "transceiver"],
    &["test", "-p", "tanist", "--test", "daemon", "--", "ipvlan", "vrf"],
];
/// The machine says with it how the tests ended.
const END: &str = "KERNEL-TESTS-END";

/// `cargo xtask kernel-tests`: the tests that need it, or what cargo is asked to test.
pub(crate) fn all(arguments: &[&str]) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
    let runner = format!("{} kernel-test", own.display());
    let variable = format!("CARGO_TARGET_{}_UNKNOWN_LINUX_GNU_RUNNER", std::env::consts::ARCH.to_uppercase());
    let environment = [(&*variable, &*runner)];
    if arguments.is_empty() {
        TESTS.iter().try_for_each(|tests| cargo(tests, &environment))
    } else {
        cargo(&[&["test"], arguments].concat(), &environment)
    }
}

/// Runs a test program in the machine.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let kernel = std::env::var_os(KERNEL_VARIABLE).map_or_else(|| workspace().join(KERNEL), PathBuf::from);
    let image =
        image(&kernel).ok_or_else(|| format!("there is no kernel in {}; {HOW_TO_GET_ONE}", kernel.display()))?;
    let scratch = std::env::temp_dir().join(format!("tanist-kernel-test-{}", std::process::id()));
    let done = build(&scratch, &kernel, Path::new(program), arguments).and_then(|files| boot(&image, &files));
    let removed = fs::remove_dir_all(&scratch).map_err(|error| format!("remove {}: {error}", scratch.display()));
    done.and(removed)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

fn image(kernel: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(kernel.join("boot")).ok()?;
    let mut images = entries.filter_map(|entry| Some(entry.ok()?.path()));
    images.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz")))
}

/// The machine's file system; answers the archive.
fn build(scratch: &Path, kernel: &Path, program: &Path, arguments: &[&str]) -> Result<PathBuf, String> {
    let root = scratch.join("root");
    for directory in ["bin", "modules", "proc", "sys", "dev", "run", "tmp", "etc", "var/run", "root", "mnt"] {
        make(&root.join(directory))?;
    }
    let program = fs::canonicalize(program).map_err(|error| format!("{}: {error}", program.display()))?;
    // Beside the tests' directory is that of what they start.
    let beside = program.parent().and_then(Path::parent).map(|directory| directory.join("tanist"));
    let ip = PROGRAMS.iter().map(Path::new).find(|path| path.exists()).ok_or("there is no `ip`; install iproute2")?;
    for binary in [Some(program.as_path()), beside.as_deref().filter(|path| path.exists()), Some(ip)] {
        let Some(binary) = binary else { continue };
        copy(binary, &root)?;
        for library in libraries(binary)? {
            copy(&library, &root)?;
        }
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).map_err(|error| format!("copy busybox-static: {error}"))?;
    symlink("busybox", root.join("bin/sh")).map_err(|error| format!("link sh: {error}"))?;
    let mut modules = Vec::new();
    collect_modules(&kernel.join("lib/modules"), &mut modules)?;
    let mut found = Vec::new();
    for name in MODULES {
        let file = format!("{name}.ko");
        if let Some(path) = modules.iter().find(|path| path.file_name().is_some_and(|it| it == &*file)) {
            fs::copy(path, root.join("modules").join(&file)).map_err(|error| format!("copy {file}: {error}"))?;
            found.push(file);
        }
    }
    let directory = std::env::current_dir().map_err(|error| format!("where are we? {error}"))?;
    make(&root.join(relative(&directory)))?;
    let words: Vec<String> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let init = format!(
        "#!/bin/sh\n\
         export PATH=/usr/sbin:/sbin:/usr/bin:/bin SLOW_TESTS=1 RUST_BACKTRACE=0\n\
         mount() {{ /bin/busybox mount \"$@\"; }}\n\
         mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev\n\
         mount -t tmpfs run /run\n\
         /bin/busybox --install -s /bin; rm -f /bin/ip\n\
         for module in {}; do /bin/busybox insmod /modules/$module; done\n\
         {} link set lo up\n\
         cd {}\n\
         {} {} --nocapture --test-threads=1 2>&1\n\
         echo \"{END} $?\"\n\
         /bin/busybox poweroff -f\n",
        found.join(" "),
        ip.display(),
        directory.display(),
        program.display(),
        words.join(" "),
    );
    let path = root.join("init");
    fs::write(&path, init).map_err(|error| format!("write init: {error}"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(|error| format!("write init: {error}"))?;
    let archive = scratch.join("initramfs");
    let pack = format!("cd '{}' && /bin/busybox find . | /bin/busybox cpio -o -H newc", root.display());
    let out = fs::File::create(&archive).map_err(|error| format!("create {}: {error}", archive.display()))?;
    let status = Command::new("sh").args(["-c", &pack]).stdout(out).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(archive),
        other => Err(format!("pack the files of the virtual machine: {other:?}")),
    }
}

fn boot(image: &Path, files: &Path) -> Result<(), String> {
    let mut machine = Command::new("timeout")
        .args(["-k", "2", "900", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "q35", "-cpu", "qemu64"])
        .args(["-m", "1024", "-smp", "1", "-display", "none", "-nodefaults", "-serial", "stdio", "-monitor", "none"])
        .args(["-no-reboot", "-append", "console=ttyS0 panic=-1 quiet loglevel=3", "-kernel"])
        .arg(image)
        .arg("-initrd")
        .arg(files)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("start qemu-system-x86_64: {error}"))?;
    let mut ended = None;
    let console = machine.stdout.take().into_iter().flat_map(|out| BufReader::new(out).split(b'\n'));
    for line in console.map_while(Result::ok) {
        // It may say what is no text.
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        println!("{line}");
        ended = ended.or_else(|| line.split_once(END).map(|(_, code)| code.trim() == "0"));
    }
    machine.wait().map_err(|error| format!("wait for qemu-system-x86_64: {error}"))?;
    match ended {
        Some(true) => Ok(()),
        Some(false) => Err("tests failed in the virtual machine".to_owned()),
        None => Err("the virtual machine ended before its tests".to_owned()),
    }
}

/// The shared objects that a program loads; none if it is static.
fn libraries(program: &Path) -> Result<BTreeSet<PathBuf>, String> {
    let output = Command::new("ldd").arg(program).output().map_err(|error| format!("start ldd: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect())
}

fn collect_modules(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_modules(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// To the same place below the root.
fn copy(file: &Path, root: &Path) -> Result<(), String> {
    let place = root.join(relative(file));
    place.parent().map_or(Ok(()), make)?;
    fs::copy(file, &place).map(|_| ()).map_err(|error| format!("copy {}: {error}", file.display()))
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn make(directory: &Path) -> Result<(), String> {
    fs::create_dir_all(directory).map_err(|error| format!("make {}: {error}", directory.display()))
}
