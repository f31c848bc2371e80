//! Two queues between a loop that must not wait and a thread that may, each with a descriptor that wakes its reader.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use rustix::event::{EventfdFlags, eventfd};

use crate::News;

/// What a thread here needs at most: its buffers are on the heap.
const STACK: usize = 128 * 1024;

/// The loop's end.
#[derive(Debug)]
pub(crate) struct Courier<O> {
    orders: Option<Sender<O>>,
    news: Receiver<News>,
    bell: Arc<OwnedFd>,
    woken: Arc<OwnedFd>,
}

/// The thread's end.
#[derive(Debug)]
pub(crate) struct Post<O> {
    orders: Receiver<O>,
    news: Sender<News>,
    bell: Arc<OwnedFd>,
    woken: Arc<OwnedFd>,
}

impl<O: Send + 'static> Courier<O> {
    /// Starts the thread. It ends when this end is dropped.
    pub(crate) fn start(name: &str, work: impl FnOnce(Post<O>) + Send + 'static) -> io::Result<Self> {
        let (orders, their_orders) = channel();
        let (their_news, news) = channel();
        let for_us = Arc::new(descriptor()?);
        let for_them = Arc::new(descriptor()?);
        let post =
            Post { orders: their_orders, news: their_news, bell: Arc::clone(&for_us), woken: Arc::clone(&for_them) };
        std::thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(move || work(post))?;
        Ok(Self { orders: Some(orders), news, bell: for_them, woken: for_us })
    }

    /// Readable while there may be news.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }

    /// Gives an order. False if the thread has ended, which it never does by itself.
    pub(crate) fn order(&self, order: O) -> bool {
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        ring(&self.bell);
        sent
    }

    /// All news so far, the oldest first.
    pub(crate) fn take(&self) -> Vec<News> {
        // First the bell, then the queue: what comes in between rings again.
        silence(&self.woken);
        self.news.try_iter().collect()
    }
}

impl<O> Drop for Courier<O> {
    fn drop(&mut self) {
        self.orders = None;
        ring(&self.bell);
    }
}

impl<O> Post<O> {
    /// Readable while there may be orders, or when the other end has gone.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }

    /// To be called before [`next`](Self::next) is asked until there is nothing more.
    pub(crate) fn silence(&self) {
        silence(&self.woken);
    }

    /// The next order; `Err` once the other end has gone.
    pub(crate) fn next(&self) -> Result<Option<O>, Gone> {
        match self.orders.try_recv() {
            Ok(order) => Ok(Some(order)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Gone),
        }
    }

    /// Tells. Without anybody to hear it nothing happens.
    pub(crate) fn tell(&self, news: News) {
        if self.news.send(news).is_ok() {
            ring(&self.bell);
        }
    }
}

/// Nobody is there any more.
#[derive(Debug)]
pub(crate) struct Gone;

fn descriptor() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

fn ring(bell: &OwnedFd) {
    // It refuses only a count near 2^64, and then it is ringing already.
    let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
}

fn silence(bell: &OwnedFd) {
    // Nothing to read means that it is silent.
    let _ = rustix::io::read(bell, &mut [0_u8; 8]);
}

#[cfg(test)]
mod tests {
    use engine::ServiceReport;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;
    use crate::Word;

    fn is_readable(fd: BorrowedFd<'_>, seconds: i64) -> bool {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: seconds, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    fn carries_both_ways_and_ends_with_its_loop() {
        let (ended, wait_for_end) = channel();
        let courier = Courier::start("echo", move |post: Post<&'static str>| {
            loop {
                assert!(is_readable(post.fd(), 20));
                post.silence();
                loop {
                    match post.next() {
                        Ok(Some(service)) => {
                            post.tell(News { service: service.into(), word: Word::Report(ServiceReport::Running) })
                        }
                        Ok(None) => break,
                        Err(Gone) => return ended.send(()).unwrap(),
                    }
                }
            }
        })
        .unwrap();
        assert!(!is_readable(courier.fd(), 0), "nothing was said yet");
        assert!(courier.order("a") && courier.order("b"));
        let mut heard = Vec::new();
        while heard.len() < 2 {
            assert!(is_readable(courier.fd(), 20));
            heard.extend(courier.take().into_iter().map(|news| news.service.to_string()));
        }
        assert_eq!(heard, ["a", "b"]);
        assert!(courier.take().is_empty() && !is_readable(courier.fd(), 0), "read means silent");
        drop(courier);
        wait_for_end.recv_timeout(std::time::Duration::from_secs(20)).expect("the thread ends");
    }
}
