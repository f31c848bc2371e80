//! The loop's dealings with polled links.

use config::BeatMethod;
use engine::RouterConfig;
use linux::link_beat::Method;
use linux::system_log::Severity;

use super::{EventLoop, now};
use crate::link_beats::Asked;

impl EventLoop {
    /// At the start, before the engine is told of any interface.
    pub(super) fn begin_with_link_beats(&mut self) {
        self.adjust_link_beats();
        self.link_beats.wait_for_first_look();
        self.take_link_beats();
    }

    /// Follows the settings.
    pub(super) fn adjust_link_beats(&mut self) {
        if let Err(error) = self.link_beats.adjust(self.polled_links()) {
            self.say(Severity::Error, format!("{error}; what the kernel tells of links counts"));
        }
        self.take_link_beats();
    }

    pub(super) fn take_link_beats(&mut self) {
        let (beats, told) = self.link_beats.receive();
        self.told.extend(told);
        for input in self.kernel.set_beats(beats) {
            self.engine.handle(now(), input, &mut self.out);
        }
    }

    /// Those that are made by us are as good as what is below them.
    fn polled_links(&self) -> Asked {
        let beats = &self.settings.link_beats;
        let mentioned = self.engine.links().iter().filter(|_| beats.everywhere);
        let own = self.settings.instances.iter().filter(|instance| instance.polls_link);
        let names = mentioned.chain(own.map(|instance| &instance.router.link));
        let made = |name: &str| self.settings.virtual_links.iter().any(|link| *link.name == *name);
        let nowhere = |name: &str| name == RouterConfig::ANYWHERE;
        let names = names.filter(|name| !made(name) && !nowhere(name));
        let mut asked: Asked = names.map(|name| (name.to_string(), None)).collect();
        asked.extend(beats.links.iter().map(|(name, method)| (name.to_string(), method.map(linux_method))));
        asked
    }
}

fn linux_method(method: BeatMethod) -> Method {
    match method {
        BeatMethod::Mii => Method::Mii,
        BeatMethod::Ethtool => Method::Ethtool,
        BeatMethod::Ioctl => Method::Flags,
    }
}
