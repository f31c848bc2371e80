//! Whether a service could be started: several questions one after the other, and looks that do not come back.

use config::{NeededPort, NeededSpace};

use super::*;

fn assess(rig: &mut Rig) -> Result<(), Name> {
    match rig.ask("one", ServiceOrder::AssessReadiness) {
        ServiceReport::Readiness(result) => result,
        other => panic!("{other:?}"),
    }
}

fn refused(rig: &mut Rig) -> String {
    assess(rig).expect_err("it could be started").to_string()
}

/// The programs are asked in order, and the first that says no is the last one.
#[test]
fn all_must_agree() {
    let mut rig = Rig::new("agree");
    let asked = rig.path("asked");
    let ask = |name: &str| {
        let (asked, verdict) = (asked.display(), rig.path(name));
        shell(&format!("echo {name} $TANIST_ROLE >> {asked}; ! test -e {}", verdict.display()))
    };
    let mut one = service("one", command("exec sleep 300"));
    one.could_start = Some(ask("first"));
    one.standby_checks = vec![ask("second"), ask("third")];
    rig.configure(vec![one]);
    let standing = crate::services::told(&[("TANIST_SERVICE", "one"), ("TANIST_ROLE", "BACKUP")]);
    rig.call(|services, _| services.brief(&Name::from("one"), standing));
    assert_eq!(assess(&mut rig), Ok(()));
    assert_eq!(rig.text("asked"), "first BACKUP\nsecond BACKUP\nthird BACKUP\n");
    std::fs::write(rig.path("second"), "").unwrap();
    assert!(refused(&mut rig).ends_with("` exited with status 1"));
    assert_eq!(rig.text("asked").lines().count(), 5, "the third one was not asked");
}

/// What it needs is looked at before anybody is asked.
#[test]
fn what_it_needs_comes_first() {
    let mut rig = Rig::new("needs");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut one = service("one", command("exec sleep 300"));
    one.could_start = Some(shell(&format!("echo asked >> {}", rig.path("asked").display())));
    one.needs_ports = vec![NeededPort { address: None, port, by_check: false }];
    one.needs_disks = vec![NeededSpace { path: rig.directory.clone(), octets: 1 }];
    rig.configure(vec![one.clone()]);
    assert!(refused(&mut rig).starts_with(&format!("port {port} is taken by ")));
    assert_eq!(rig.text("asked"), "");
    drop(listener);
    rig.wait_until("the port is free", |_| {
        linux::netlink::listeners().unwrap().iter().all(|listener| listener.port != port)
    });
    assert_eq!(assess(&mut rig), Ok(()));
    one.needs_disks[0].octets = 1 << 62;
    rig.configure(vec![one]);
    assert!(refused(&mut rig).ends_with(" has less than 4194304T free"));
}

/// A disk of another machine may keep whoever looks at it for ever. That is the answer as long as it lasts.
#[test]
fn a_look_that_does_not_come_back_is_an_answer() {
    let mut rig = Rig::with("hangs", vec![service("one", command("exec sleep 300"))]);
    let hangs = |rig: &mut Rig| match rig.reports.pop() {
        Some(Report::Service(_, ServiceReport::Readiness(Err(reason)))) => {
            assert!(reason.contains("does a disk hang?"))
        }
        other => panic!("{other:?}"),
    };
    rig.order("one", ServiceOrder::AssessReadiness);
    rig.let_pass(Duration::from_secs(29));
    assert_eq!(rig.reports, []);
    rig.let_pass(Duration::from_secs(31));
    hangs(&mut rig);
    rig.order("one", ServiceOrder::AssessReadiness);
    rig.let_pass(Duration::from_secs(32));
    hangs(&mut rig);
    // It comes back after all: that was about then, and the next look is about now.
    let began = Instant::now();
    while assess(&mut rig).is_err() {
        assert!(began.elapsed() < PATIENCE, "it is not looked at again");
        rig.turn();
    }
}
