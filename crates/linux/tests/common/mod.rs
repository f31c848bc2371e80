//! What tests in network namespaces share.

#![allow(dead_code, unreachable_pub, reason = "each test program uses some of it")]

use std::os::fd::AsFd;

use rustix::net::{AddressFamily, Protocol, RawProtocol, RecvFlags, SocketFlags, SocketType};
use tanist_linux::arp_socket::ArpSocket;
use tanist_linux::netlink::{Link, Netlink, VethEnd};
use tanist_linux::netns::Namespace;
use tanist_linux::send_batch::SendBatch;

/// Two namespaces with a cable `left`–`right` between them, both ends up.
pub struct Pair {
    pub left: Namespace,
    pub right: Namespace,
    pub left_link: Link,
    pub right_link: Link,
}

/// A new namespace with its loopback up, or `None` (said aloud) where we may not make one.
pub fn namespace() -> Option<Namespace> {
    let namespace = match Namespace::create() {
        Ok(namespace) => namespace,
        Err(error) if error.errno() == Some(libc::EPERM) => {
            skipped(&error);
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let loopback_up = || {
        let mut netlink = Netlink::open()?;
        let loopback = netlink.link_by_name("lo")?.expect("every namespace has one");
        netlink.set_up(loopback.index, true)
    };
    namespace.run(loopback_up).unwrap().unwrap();
    Some(namespace)
}

/// Says so past the harness, which shows what a test prints only if it fails.
pub fn skipped(error: &tanist_linux::Error) {
    use std::io::Write;
    let advice = "run it as root or under `unshare --user --map-root-user`";
    writeln!(std::io::stderr(), "SKIPPED, NOTHING TESTED: {error}; {advice}").expect("standard error is open");
}

/// Two of them with a cable. When one of them is dropped, the cable is gone.
pub fn pair() -> Option<Pair> {
    let (left, right) = (namespace()?, namespace()?);
    let link_up = |namespace: &Namespace, name: &str| {
        namespace
            .run(|| {
                let mut netlink = Netlink::open()?;
                let link = netlink.link_by_name(name)?.expect("just created");
                netlink.set_up(link.index, true)?;
                Ok::<Link, tanist_linux::Error>(link)
            })
            .unwrap()
            .unwrap()
    };
    left.run(|| {
        Netlink::open()?.create_veth(
            VethEnd { name: "left", mac: Some([2, 0, 0, 0, 0, 1]), namespace: None },
            VethEnd { name: "right", mac: Some([2, 0, 0, 0, 0, 2]), namespace: Some(right.as_fd()) },
        )
    })
    .unwrap()
    .unwrap();
    let (left_link, right_link) = (link_up(&left, "left"), link_up(&right, "right"));
    wait_until_heard((&left, left_link.index), &right);
    wait_until_heard((&right, right_link.index), &left);
    Some(Pair { left, right, left_link, right_link })
}

/// Waits until what leaves by that link arrives at that host: the kernel says "running" before the queue of a link
/// that has just come up is ready, and drops what comes until then.
pub fn wait_until_heard((sender, link): (&Namespace, u32), receiver: &Namespace) {
    // For local experiments: nobody else uses it.
    const ETHERTYPE: u16 = 0x88b5;
    let listen = || {
        let protocol = RawProtocol::new(u32::from(ETHERTYPE.to_be())).map(Protocol::from_raw);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, protocol).unwrap()
    };
    let listener = receiver.run(listen).unwrap();
    let socket = sender.run(ArpSocket::open).unwrap().unwrap();
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 0xff]);
    frame.extend(ETHERTYPE.to_be_bytes());
    frame.resize(60, 0);
    let mut batch = SendBatch::new();
    wait_until(|| {
        batch.push_frame(&frame, link);
        // Whether it was sent does not matter, only whether it arrives.
        batch.flush(&socket, &mut Vec::new());
        rustix::net::recv(&listener, &mut [0_u8; 64], RecvFlags::empty()).is_ok()
    });
}

/// Waits for what must happen soon; half a minute is for machines that are very busy.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("waited in vain");
}
