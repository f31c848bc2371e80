//! The lab itself: what it promises to tests that are built on it.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use linux::virtual_host::start_as_root_of_user_namespace;
use tanist_rehearse::lab::{DISK, Host, HostPlan, Lab, LabError, Moment, PATIENCE, Seen, run_test, skip, wait_until};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

fn pair(name: &str) -> Result<(Lab, Host, Host), LabError> {
    let lab = Lab::new(name)?;
    lab.client().add_address("192.0.2.254/24")?;
    let a = lab.add_host(&HostPlan::new("a").interface("eth0", &["192.0.2.1/24"]))?;
    let b = lab.add_host(&HostPlan::new("b").interface("eth0", &["192.0.2.2/24"]))?;
    Ok((lab, a, b))
}

#[test]
fn the_client_tells_who_answers() {
    run_test(|| {
        let (lab, a, b) = pair("who").expect("a lab");
        for (address, name) in [(A, "a"), (B, "b")] {
            let probe = lab.probe(address).expect("a probe");
            let start = Moment::now();
            assert!(probe.wait_for_answer_by(name, start, PATIENCE).is_some(), "{name} does not answer");
            assert!(probe.answers().stretches().iter().all(|stretch| &*stretch.by == name));
        }
        assert!(a.has_address(A.into()) && !a.has_address(B.into()) && b.has_address(B.into()));
    });
}

#[test]
fn a_cut_parts_the_hosts_but_not_the_client() {
    run_test(|| {
        let (lab, a, b) = pair("cut").expect("a lab");
        let ear = b.run(|| UdpSocket::bind((B, 4000))).expect("b is on").expect("a socket");
        let mouth = a.run(|| UdpSocket::bind((A, 4000))).expect("a is on").expect("a socket");
        ear.set_read_timeout(Some(PATIENCE)).expect("set a timeout");
        let hears = |expected: &[u8]| {
            let mut buffer = [0; 16];
            let length = ear.recv(&mut buffer).expect("something to hear");
            assert_eq!(&buffer[..length], expected);
        };
        mouth.send_to(b"before", (B, 4000)).expect("send");
        hears(b"before");

        lab.cut(&[&a, &b]).expect("cut");
        mouth.send_to(b"during", (B, 4000)).expect("send");
        for (address, name) in [(A, "a"), (B, "b")] {
            let probe = lab.probe(address).expect("a probe");
            assert!(probe.wait_for_answer_by(name, Moment::now(), PATIENCE).is_some(), "the client lost {name}");
        }

        lab.heal().expect("heal");
        mouth.send_to(b"after", (B, 4000)).expect("send");
        hears(b"after");
    });
}

#[test]
fn a_deaf_host_hears_no_multicast_but_is_heard() {
    run_test(|| {
        const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
        let (_lab, a, b) = pair("deaf").expect("a lab");
        let socket = |host: &Host, address: Ipv4Addr| {
            let open = move || -> std::io::Result<UdpSocket> {
                let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 4000))?;
                socket.join_multicast_v4(&GROUP, &address)?;
                rustix::net::sockopt::set_ip_multicast_if(&socket, &address)?;
                socket.set_multicast_loop_v4(false)?;
                socket.set_read_timeout(Some(Duration::from_millis(100)))?;
                Ok(socket)
            };
            host.run(open).expect("it is on").expect("a socket")
        };
        let (one, other) = (socket(&a, A), socket(&b, B));
        let tell = |from: &UdpSocket, text: &[u8]| from.send_to(text, (GROUP, 4000)).expect("send");
        // Again and again: a switch port that has just come up may drop something.
        let hears = |ear: &UdpSocket, from: &UdpSocket, expected: &[u8]| {
            let mut buffer = [0; 16];
            let mut heard = None;
            let something = wait_until(PATIENCE, || {
                tell(from, expected);
                heard = ear.recv(&mut buffer).ok();
                heard.is_some()
            });
            assert!(something, "nothing is heard");
            assert_eq!(&buffer[..heard.expect("something was heard")], expected);
        };
        b.set_deaf(true).expect("deafen");
        tell(&one, b"unheard");
        hears(&one, &other, b"heard");
        b.set_deaf(false).expect("let it hear");
        hears(&other, &one, b"again");
    });
}

#[test]
fn a_host_without_power_is_gone_and_comes_back_fresh() {
    run_test(|| {
        let (lab, a, _b) = pair("power").expect("a lab");
        let boot = |host: &Host| host.read_file(Path::new("/proc/sys/kernel/random/boot_id")).expect("it says");
        let first_boot = boot(&a);
        a.write_file("note", "before").expect("write");
        a.write_file("disk/note", "before").expect("write");
        a.add_address("eth0", "192.0.2.100/24").expect("add");
        let sleeper = a.start("sleeper", &["sleep", "1000"]).expect("start");
        let probe = lab.probe(A).expect("a probe");
        assert!(probe.wait_for_answer(Moment::now(), PATIENCE).is_some());

        let off = Moment::now();
        a.power_off().expect("power off");
        assert!(sleeper.wait(PATIENCE), "the sleeper survived");
        assert!(a.output(&["true"]).is_err(), "it does as it is told without power");
        let dark = Moment::now();
        assert!(probe.wait_for_answer(dark, Duration::from_millis(200)).is_none(), "it answers without power");

        a.power_on().expect("power on");
        assert!(probe.wait_for_answer_by("a", Moment::now(), PATIENCE).is_some(), "it is not back");
        assert!(a.read_file(Path::new("/run/rehearse/note")).is_err(), "a file survived");
        let note = Path::new(DISK).join("note");
        assert_eq!(a.read_file(&note).expect("its disk has not forgotten"), "before");
        assert_ne!(boot(&a), first_boot);
        assert!(!a.has_address(IpAddr::from([192, 0, 2, 100])), "an address survived");
        let seen = lab.journal().since(off);
        assert!(seen.iter().any(|record| record.what == Seen::PoweredOff && &*record.host == "a"));
    });
}

#[test]
fn links_and_addresses_are_told_by_the_kernel() {
    run_test(|| {
        let (lab, a, _b) = pair("links").expect("a lab");
        let wait = |since, wanted: Seen| {
            let found = lab.journal().wait_for(since, PATIENCE, |record| record.what == wanted && &*record.host == "a");
            assert!(found.is_some(), "never seen: {wanted:?}");
        };
        let (up, down) = (Seen::LinkUp { interface: "eth0".into() }, Seen::LinkDown { interface: "eth0".into() });
        let start = Moment::now();
        a.set_cable("eth0", false).expect("pull the cable");
        wait(start, down.clone());
        let start = Moment::now();
        a.set_cable("eth0", true).expect("put it back");
        wait(start, up.clone());
        let start = Moment::now();
        a.set_interface("eth0", false).expect("switch off");
        wait(start, down.clone());
        let start = Moment::now();
        a.set_interface("eth0", true).expect("switch on");
        wait(start, up.clone());
        let start = Moment::now();
        a.delete_interface("eth0").expect("delete");
        wait(start, down);
        let start = Moment::now();
        a.create_interface("eth0").expect("create");
        wait(start, up);

        let (interface, address, prefix) = ("eth0".to_owned(), IpAddr::from([192, 0, 2, 100]), 24);
        let start = Moment::now();
        a.add_address("eth0", "192.0.2.100/24").expect("add");
        wait(start, Seen::AddressAdded { interface: interface.clone(), address, prefix });
        a.remove_address("eth0", "192.0.2.100/24").expect("remove");
        wait(start, Seen::AddressRemoved { interface, address, prefix });
    });
}

#[test]
fn programs_are_heard_and_signalled() {
    run_test(|| {
        let (lab, a, _b) = pair("programs").expect("a lab");
        let start = Moment::now();
        let script = "echo \"$(hostname || cat /proc/sys/kernel/hostname) $$\"; echo mistake >&2; sleep 1000 & wait";
        let program = a.start("script", &["sh", "-c", script]).expect("start");
        for wanted in ["a ", "mistake"] {
            let line = |seen: &Seen| matches!(seen, Seen::Line { text, .. } if text.starts_with(wanted));
            let found = lab.journal().wait_for(start, PATIENCE, |record| line(&record.what));
            assert!(found.is_some(), "never heard: {wanted}");
        }
        assert!(program.is_running());
        program.kill_all().expect("kill");
        assert!(program.wait(PATIENCE));
        let ended = lab.journal().wait_for(start, PATIENCE, |record| matches!(record.what, Seen::Ended { .. }));
        assert!(
            matches!(ended, Some(record) if record.what == Seen::Ended { program: "script".into(), how: "signal 9".into() })
        );
    });
}

#[test]
fn stand_ins_tell_of_every_run() {
    run_test(|| {
        let (lab, a, _b) = pair("stand-ins").expect("a lab");
        let start = Moment::now();
        let recorder = a.write_recorder("notify").expect("write");
        let path = recorder.to_str().expect("a plain path");
        assert!(a.output(&[path, "INSTANCE", "a name", "MASTER"]).expect("run").status.success());
        let run = lab.journal().wait_for(start, PATIENCE, |record| matches!(record.what, Seen::ScriptRun { .. }));
        let arguments = ["INSTANCE", "a name", "MASTER"].map(str::to_owned).to_vec();
        assert_eq!(run.map(|record| record.what), Some(Seen::ScriptRun { name: "notify".into(), arguments }));

        let check = a.write_check("web").expect("write");
        let good = || a.output(&[check.to_str().expect("a plain path")]).expect("run").status.success();
        assert!(good());
        a.set_check("web", false).expect("set");
        assert!(!good());
        a.set_check("web", true).expect("set");
        assert!(good());
    });
}

/// For an ordinary user all of these tests run so; this one shows it for root, too.
#[test]
fn a_user_namespace_is_enough() {
    let mut again = Command::new(env::current_exe().expect("our own path"));
    again.args(["--exact", "the_client_tells_who_answers"]).stdout(Stdio::null());
    start_as_root_of_user_namespace(&mut again);
    match again.status() {
        Ok(status) => assert!(status.success(), "{status}"),
        Err(error) => skip("a user namespace", &error),
    }
}

const SACRIFICE: &str = "TANIST_LAB_TEST_SACRIFICE";

/// Only a helper of the test below: makes a lab, says what runs in it, and waits to be killed.
#[test]
fn sacrifice() {
    if env::var_os(SACRIFICE).is_none() {
        return;
    }
    let (_lab, a, _b) = pair("sacrifice").expect("a lab");
    let sleeper = a.start("sleeper", &["sleep", "1000"]).expect("start");
    println!("sleeper is {}", sleeper.pid());
    let _ = sleeper.wait(Duration::from_secs(1000));
}

#[test]
fn nothing_outlives_a_killed_process() {
    run_test(|| {
        let mut child = Command::new(env::current_exe().expect("our own path"))
            .args(["--exact", "sacrifice", "--nocapture"])
            .env(SACRIFICE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("start ourselves");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let line = output.lines().map_while(Result::ok).find(|line| line.contains("sleeper is"));
        let line = line.expect("the helper tells");
        let pid: u32 = line.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a process id");
        // Dead is dead, buried or not: the first process of a container need not bury anybody.
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat"));
        let lives = || stat().is_ok_and(|stat| !stat.contains(") Z "));
        assert!(lives());
        child.kill().expect("kill it");
        child.wait().expect("bury it");
        assert!(wait_until(PATIENCE, || !lives()), "process {pid} outlived its lab");
    });
}
