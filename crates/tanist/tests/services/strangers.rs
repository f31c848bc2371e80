//! What a host of the same network that is none of the pair can do to a service (`docs/security.md`): it poisons the ARP
//! caches of both nodes, so that what each sends to the other goes nowhere, and it forges advertisements.
//!
//! What goes to a group needs no ARP; so the pair's own messages are cut in any case, and advertisements by unicast.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use linux::arp_socket::ArpSocket;
use linux::netlink::Netlink;
use linux::send_batch::SendBatch;
use rehearse::lab::HostPlan;

use crate::pair::{A, B, COMMAND, Pair, Plan};
use crate::support::packet_peer::{Forged, send};
use crate::support::{ADDRESS, Host, Moment, Scene, let_pass, says, slow_test};

const OF_A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OF_B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Nobody has it: what is sent there is lost.
const NOWHERE: [u8; 6] = [0x02, 0, 0, 0, 0, 0x77];
const SIGNED: &str = "    auth_hmac {\n        key 1 \
                      hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n    }\n";

/// B begins when it has heard nobody for its skew time after a goodbye, 122 ms here: longer than that, and in no step with A's
/// advertisements.
const BETWEEN_GOODBYES: Duration = Duration::from_millis(170);

/// Two nodes with one cable, or with a second one that the stranger is not at, and the stranger.
fn pair(cables: usize, plan: Plan) -> Pair {
    let mut scene = Scene::empty();
    for (name, number) in [("a", 1), ("b", 2)] {
        let mut host = HostPlan::new(name).interface("eth0", &[&format!("192.0.2.{number}/24")]);
        if cables == 2 {
            host = host.interface("eth1", &[&format!("198.51.100.{number}/24")]);
        }
        scene.add(&host);
    }
    scene.add(&HostPlan::new("stranger").interface("eth0", &["192.0.2.66/24"]));
    let mut pair = Pair::on(scene, plan);
    for node in [A, B] {
        let mut text = pair.plan.configuration(node);
        if cables == 2 {
            let second = ["198.51.100.2", "198.51.100.1"][node];
            text = text.replace("    key_file", &format!("    peer {second}\n    key_file"));
        }
        // By unicast they name each other.
        pair.start_with(node, &text.replace("{peer}", ["192.0.2.2", "192.0.2.1"][node]));
        if node == A {
            pair.works_alone(A);
        }
    }
    pair.is_well(A);
    pair
}

fn stranger(pair: &Pair) -> &Host {
    &pair.scene.hosts[2]
}

/// Goes on telling everybody that both nodes are nowhere, until it is dropped.
struct Poison {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Poison {
    fn begin(pair: &Pair) -> Self {
        let (over, host) = (Arc::new(AtomicBool::new(false)), stranger(pair).clone());
        let is_over = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                host.run(poison).expect("the host is on").expect("sent");
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Poison {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Its own panic has been told already.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn poison() -> linux::Result<()> {
    let link = Netlink::open()?.link_by_name("eth0")?.expect("it has an eth0").index;
    let (mut batch, mut unsent) = (SendBatch::new(), Vec::new());
    for address in [OF_A, OF_B] {
        batch.push_frame(&engine::wire::arp::gratuitous(NOWHERE, address), link);
    }
    batch.flush(&ArpSocket::open()?, &mut unsent);
    assert!(unsent.is_empty(), "not sent");
    Ok(())
}

/// As A's last words: it lets the role go.
fn forge_a_goodbye(pair: &Pair, destination: Option<Ipv4Addr>) {
    let forged = Forged::quick(0);
    send(stranger(pair), OF_A, Forged { destination: destination.unwrap_or(forged.destination), ..forged });
}

/// Over a path where he is not, B asks before it takes anything, whatever he does to the other one, and with nothing to keep
/// him from forging.
#[test]
fn with_a_second_path_the_service_does_not_run_twice() {
    slow_test(|| {
        let plan = Plan { instance: "    unicast_peer {\n        {peer}\n    }\n".to_owned(), ..Plan::new(COMMAND) };
        let pair = pair(2, plan);
        let begin = Moment::now();
        let poison = Poison::begin(&pair);
        let unheard = "the peer says that it is active, but its advertisements are not heard here";
        pair.says(B, unheard, |status| status.protection.reasons.iter().any(|reason| reason.contains(unheard)));
        for _ in 0..12 {
            forge_a_goodbye(&pair, Some(OF_B));
            let_pass(BETWEEN_GOODBYES);
        }
        pair.works_alone(A);
        drop(poison);
        pair.is_well(A);
        pair.is_well(B);
        pair.never_two(begin);

        // What he can do all the same: a better claim, and the service ends.
        let claimed = Moment::now();
        for destination in [OF_A, OF_B] {
            send(stranger(&pair), Ipv4Addr::new(192, 0, 2, 66), Forged { destination, ..Forged::quick(254) });
        }
        pair.scene.line("a", claimed, "Entering BACKUP STATE");
        pair.scene.until("it works again when he is silent", || !pair.starts(claimed).is_empty());
        pair.never_two(begin);
    });
}

/// There is no other path: for the two nodes this is a cut cable, signed or not, and it is over when he is.
#[test]
fn with_one_path_by_unicast_the_service_runs_twice_until_he_is_gone() {
    slow_test(|| {
        let instance = format!("    unicast_peer {{\n        {{peer}}\n    }}\n{SIGNED}");
        let pair = pair(1, Plan { instance, ..Plan::new(COMMAND) });
        let begin = Moment::now();
        let poison = Poison::begin(&pair);
        pair.scene.until("both are at work", || pair.at_work().len() == 2);
        for name in ["a", "b"] {
            pair.scene.line(name, begin, "two nodes alone cannot tell a dead peer from a cut cable");
        }
        drop(poison);
        // The kernel finds the way again by itself: an entry that leads nowhere lasts some seconds.
        pair.is_well(A);
        pair.works_alone(A);
        for (node, words) in [("a", "with lower priority 100, ours 150"), ("b", "with higher priority 150, ours 100")] {
            pair.scene.wait(begin, &format!("{node} says that the other one was active, too"), |record| {
                &*record.host == node && ["both nodes were active", words].iter().any(|words| says(record, words))
            });
        }
        let over = Moment::now();
        let_pass(Duration::from_millis(500));
        pair.never_two(over);
    });
}

/// By multicast he cuts off the pair's messages only; then the protocol decides, so whoever can forge it can have B begin.
#[test]
fn with_one_path_by_multicast_it_depends_on_the_signature() {
    slow_test(|| {
        for signature in [SIGNED, ""] {
            let pair = pair(1, Plan { instance: signature.to_owned(), ..Plan::new(COMMAND) });
            let begin = Moment::now();
            let _poison = Poison::begin(&pair);
            for node in [A, B] {
                pair.says(node, "that the other one is silent", |status| {
                    status.peer.as_ref().is_some_and(|peer| !peer.alive)
                });
            }
            pair.works_alone(A);
            pair.never_two(begin);
            if signature == SIGNED {
                for _ in 0..12 {
                    forge_a_goodbye(&pair, None);
                    let_pass(BETWEEN_GOODBYES);
                }
                pair.scene.line("b", begin, "it is not signed");
                pair.works_alone(A);
                pair.never_two(begin);
                continue;
            }
            let forged = Moment::now();
            pair.scene.until("B believes it", || {
                forge_a_goodbye(&pair, None);
                let_pass(BETWEEN_GOODBYES);
                pair.scene.count_lines("b", forged, "Entering MASTER STATE") > 0
            });
            // A is still there and says so, and B is told by that.
            pair.scene.line("b", forged, "Entering BACKUP STATE");
            pair.works_alone(A);
            assert_eq!(pair.scene.holders(ADDRESS), ["a"]);
        }
    });
}
