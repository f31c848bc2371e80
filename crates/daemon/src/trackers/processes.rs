//! The thread that counts processes.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use config::{Buffer, MatchBy, ProcessPattern};
use engine::FigureCause;
use linux::process_watch::{self, Cause, Change, LOOK_EVERY, ProcessWatch};
use linux::system_log::Severity;

use super::{News, Post};

/// What failed is tried again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// Our end. When it is dropped, the thread goes as soon as it can.
#[derive(Debug)]
pub(super) struct ProcessThread {
    _leave: UnixStream,
}

impl ProcessThread {
    /// Starts the thread, which looks at once. Signals must be blocked before.
    pub(super) fn start(
        patterns: &[ProcessPattern],
        buffer: Option<Buffer>,
        generation: u64,
        post: Post,
    ) -> std::io::Result<Self> {
        let (leave, theirs) = UnixStream::pair()?;
        theirs.set_nonblocking(true)?;
        let patterns = patterns.iter().map(pattern).collect();
        let place = Place { patterns, buffer, generation, post, leave: theirs };
        let thread = std::thread::Builder::new().name("tanist-count".to_owned()).stack_size(256 * 1024);
        thread.spawn(|| place.work()).map(|_| Self { _leave: leave })
    }
}

fn pattern(pattern: &ProcessPattern) -> process_watch::Pattern {
    let by = match pattern.by {
        MatchBy::Name => process_watch::MatchBy::Name,
        MatchBy::Program => process_watch::MatchBy::Program,
        MatchBy::AllWords => process_watch::MatchBy::AllWords,
        MatchBy::FirstWords => process_watch::MatchBy::FirstWords,
        MatchBy::Beginning => process_watch::MatchBy::Beginning,
    };
    process_watch::Pattern { words: pattern.words.iter().map(|word| word.as_bytes().to_vec()).collect(), by }
}

/// The thread's end.
struct Place {
    patterns: Vec<process_watch::Pattern>,
    /// Of the socket on which the kernel tells.
    buffer: Option<Buffer>,
    generation: u64,
    post: Post,
    leave: UnixStream,
}

impl Place {
    fn work(self) {
        let mut told = None;
        while let Err(error) = self.watch() {
            if self.is_left() {
                return;
            }
            let text = format!("tracked processes: {error}; they count as before until they are counted again");
            if told.as_ref() != Some(&text) {
                self.post.tell(Severity::Warning, text.clone());
                told = Some(text);
            }
            std::thread::sleep(AGAIN);
        }
    }

    /// Counts until nobody needs it any more.
    fn watch(&self) -> linux::Result<()> {
        let buffer = self.buffer.map(|buffer| (buffer.octets as usize, buffer.force));
        let mut watch = ProcessWatch::open(self.patterns.clone(), buffer, &self.leave)?;
        if let Some(error) = watch.silence() {
            let text = format!(
                "tracked processes: {error}, so /proc is looked through every {LOOK_EVERY:?}; that one has ended is noticed \
                 at once all the same"
            );
            self.post.tell(Severity::Info, text);
        }
        let generation = self.generation;
        self.post.send(News::Counts { generation, counts: watch.counts() });
        let mut changes = Vec::new();
        while watch.wait(&mut changes)? {
            for Change { pattern, count, cause } in changes.drain(..) {
                let cause = match cause {
                    Cause::Became => FigureCause::Found,
                    Cause::Forked => FigureCause::Forked,
                    Cause::Ended => FigureCause::Ended,
                };
                self.post.send(News::Count { generation, pattern, count, cause });
            }
        }
        Ok(())
    }

    fn is_left(&self) -> bool {
        use std::io::Read;
        // Nobody ever writes.
        matches!((&self.leave).read(&mut [0]), Ok(0))
    }
}
