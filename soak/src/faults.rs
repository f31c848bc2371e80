//! The list of faults: what is done, how it is undone, what is promised meanwhile, and to whom it can be done.

mod calls;
mod clock;
mod kernel;
mod limits;
pub(crate) mod memory_group;
mod network;
mod people;
mod processes;
mod services;

use std::time::Duration;

use crate::audit::Deaf;
use crate::dice::Dice;
use crate::failure::Result;
use crate::ground::{Cast, Ground, Kind};
use crate::promise::{Promise, Span, Twice};

/// Something that goes wrong on a node, or around it.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub name: &'static str,
    /// What is done, in words.
    pub done: &'static str,
    /// How it is undone.
    pub undone: &'static str,
    pub promise: Promise,
    pub victim: Victim,
    /// It takes the processors from everybody, or part of it would be about them.
    pub is_heavy: bool,
    /// Does it, lets it last, undoes it.
    pub(crate) play: fn(&mut Scene<'_>) -> Result<()>,
}

/// To whom it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// Only what Tanist has can be broken.
    Tanist,
    /// Any daemon.
    Any,
    /// A pair of Tanist with a service, and there the node that has it.
    Service,
    /// A pair of Tanist whose clocks can be set.
    Clock,
}

/// Where a fault is played.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) ground: &'a mut Ground,
    /// The number of the node that is hit.
    pub(crate) node: usize,
    /// How long it is to last at most.
    pub(crate) span: Duration,
    /// It lasts just so long.
    pub(crate) is_exact: bool,
    /// Packets a second in a flood.
    pub(crate) flood: u32,
    pub(crate) dice: &'a mut Dice,
    /// When which node was kept from hearing.
    pub(crate) deaf: Vec<Deaf>,
    /// The longest time in which the daemon was made to stand still, where the promise counts from its end.
    pub(crate) stood: Duration,
    /// What became of a flood.
    pub(crate) flooded: Option<Flood>,
}

/// What became of a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    /// Packets that were sent in a second; a slow machine does not reach what is asked for.
    pub per_second: u64,
    /// For so many of them the socket of the daemon that was hit had no room.
    pub lost: u64,
}

impl Fault {
    /// Whether it can be done to this daemon of these. Where clocks can be set nothing else is done: each look at the clock
    /// opens a file there, and what it then lacks would be somebody else's fault.
    #[must_use]
    pub fn fits(&self, kind: Kind, cast: Cast) -> bool {
        match self.victim {
            Victim::Any => cast != Cast::Clocks,
            Victim::Tanist => cast != Cast::Clocks && kind == Kind::Tanist,
            Victim::Service => cast == Cast::Services,
            Victim::Clock => cast == Cast::Clocks,
        }
    }

    /// Why this machine does not allow it, if it does not.
    #[must_use]
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.name {
            "out-of-memory" if !memory_group::is_there() => Some("no control group here can limit memory"),
            "refused-calls" if !calls::is_there() => Some("there is no strace (apt-get install strace)"),
            _ => None,
        }
    }

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAULTS.iter().find(|fault| fault.name == name)
    }
}

impl Scene<'_> {
    /// How long a fault lasts whose length is left to chance.
    fn some_time(&mut self) -> Duration {
        if self.is_exact { self.span } else { self.dice.between(Duration::from_millis(20), self.span) }
    }
}

const NOTHING: Span = Span::NOTHING;

/// All of them.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "kill",
        done: "SIGKILL to the daemon, at a random moment",
        undone: "it is started again",
        promise: Promise::DEAD,
        victim: Victim::Any,
        is_heavy: false,
        play: processes::kill,
    },
    Fault {
        name: "freeze",
        done: "SIGSTOP to the daemon, at a random moment for a random time",
        undone: "SIGCONT",
        promise: Promise { twice: Twice::UntilHeard, ..Promise::DEAD },
        victim: Victim::Any,
        is_heavy: false,
        play: processes::freeze,
    },
    Fault {
        name: "stutter",
        done: "SIGSTOP and SIGCONT again and again, never for more than an interval",
        undone: "SIGCONT",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: false,
        play: processes::stutter,
    },
    Fault {
        name: "load",
        done: "two busy loops for each processor",
        undone: "they are killed",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: true,
        play: processes::load,
    },
    Fault {
        name: "memory",
        done: "no more address space than it has (RLIMIT_AS), then reloads and questions",
        undone: "the limit is lifted",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: false,
        play: limits::memory,
    },
    Fault {
        name: "descriptors",
        done: "no more descriptors than it has (RLIMIT_NOFILE), then reloads and clients",
        undone: "the limit is lifted",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: false,
        play: limits::descriptors,
    },
    Fault {
        name: "disk-full",
        done: "no room for another octet or file where its state, process id and control socket are; it reloads and is \
               killed and started there",
        undone: "room is made, and it is told to reload",
        promise: Promise::DEAD,
        victim: Victim::Tanist,
        is_heavy: false,
        play: limits::disk_full,
    },
    Fault {
        name: "read-only",
        done: "the same place can only be read; it reloads and is killed and started there",
        undone: "it can be written again, and it is told to reload",
        promise: Promise::DEAD,
        victim: Victim::Tanist,
        is_heavy: false,
        play: limits::read_only,
    },
    Fault {
        name: "netlink-flood",
        done: "addresses come and go by the thousand; while the daemon stands still for an interval, more of them than its \
               socket has room for (ENOBUFS), and its own with them",
        undone: "they are gone",
        promise: Promise::PUT_BACK.gap(Span { intervals: 2, ..NOTHING }),
        victim: Victim::Any,
        is_heavy: false,
        play: kernel::netlink_flood,
    },
    Fault {
        name: "interface",
        done: "its interface is deleted and made again, again and again",
        undone: "it is there",
        promise: Promise::HANDED_OVER.changes(5).gap(Span { take_overs: 1, starts: 1, ..NOTHING }),
        victim: Victim::Tanist,
        is_heavy: false,
        play: kernel::interface,
    },
    Fault {
        name: "delete-address",
        done: "the virtual address is deleted once",
        undone: "nothing is done: the daemon must put it back",
        promise: Promise::PUT_BACK,
        victim: Victim::Any,
        is_heavy: false,
        play: kernel::delete_address,
    },
    Fault {
        name: "delete-10-hz",
        done: "another tool deletes the virtual address ten times a second",
        undone: "it ends",
        promise: Promise::PUT_BACK,
        victim: Victim::Tanist,
        is_heavy: false,
        play: kernel::delete_often,
    },
    Fault {
        name: "blocked-log",
        done: "nobody reads the log, and its pipe is full; it reloads ten times",
        undone: "the log is read",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: false,
        play: people::blocked_log,
    },
    Fault {
        name: "deaf-clients",
        done: "eight control clients ask without end and never read",
        undone: "they go",
        promise: Promise::UNTOUCHED,
        victim: Victim::Tanist,
        is_heavy: false,
        play: people::deaf_clients,
    },
    Fault {
        name: "stubborn-script",
        done: "a check ignores TERM, HUP and INT, forks others like it and does not end",
        undone: "the check is what it was; none of its processes may be left",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: false,
        play: people::stubborn_script,
    },
    Fault {
        name: "bad-reload",
        done: "a configuration that ends in the middle of its instance is reloaded",
        undone: "the whole one is reloaded",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: false,
        play: people::bad_reload,
    },
    Fault {
        name: "reload-storm",
        done: "fifty reloads, 20 ms apart",
        undone: "it ends",
        promise: Promise::UNTOUCHED,
        victim: Victim::Tanist,
        is_heavy: false,
        play: people::reload_storm,
    },
    Fault {
        name: "rubbish",
        done: "a flood of broken packets to everybody: random octets, wrong checksums, lengths, versions, hops",
        undone: "it ends",
        promise: Promise::UNTOUCHED.recovery(Span { intervals: 2, refusals: 1, ..NOTHING }),
        victim: Victim::Any,
        is_heavy: true,
        play: network::rubbish,
    },
    Fault {
        name: "strangers",
        done: "a flood of valid advertisements of other VRIDs",
        undone: "it ends",
        promise: Promise::UNTOUCHED,
        victim: Victim::Any,
        is_heavy: true,
        play: network::strangers,
    },
    Fault {
        name: "loss",
        done: "every node loses a tenth of all advertisements, each by itself",
        undone: "none is lost",
        promise: Promise::UNHEARD,
        victim: Victim::Any,
        is_heavy: false,
        play: network::loss,
    },
    Fault {
        name: "bursts",
        done: "every node loses all advertisements of up to three intervals now and then, a tenth in all",
        undone: "none is lost",
        promise: Promise::UNHEARD,
        victim: Victim::Any,
        is_heavy: false,
        play: network::bursts,
    },
    Fault {
        name: "partition",
        done: "the nodes hear nothing of each other; the client hears all of them",
        undone: "they hear each other",
        promise: Promise::CUT_OFF,
        victim: Victim::Any,
        is_heavy: false,
        play: network::partition,
    },
    Fault {
        name: "stop",
        done: "the daemon is told to stop, and does so in order",
        undone: "it is started again",
        promise: Promise::HANDED_OVER,
        victim: Victim::Tanist,
        is_heavy: false,
        play: services::stop,
    },
    Fault {
        name: "out-of-memory",
        done: "a configuration that needs more memory than its control group has; the kernel kills it",
        undone: "it is started again, with the old one",
        promise: Promise::DEAD,
        victim: Victim::Tanist,
        is_heavy: false,
        play: memory_group::out_of_memory,
    },
    Fault {
        name: "service-kill",
        done: "SIGKILL to the service, once or until it may not be started here any more",
        undone: "nothing is done: the daemons must see to it",
        promise: Promise::HANDED_OVER.changes(2).rest(Span { starts: 4, ..NOTHING }),
        victim: Victim::Service,
        is_heavy: false,
        play: services::kill,
    },
    Fault {
        name: "service-freeze",
        done: "SIGSTOP to the service: its port is open, and nobody answers",
        undone: "nothing is done: the daemons must see to it",
        promise: Promise::HANDED_OVER.rest(Span { hangs: 1, starts: 2, ..NOTHING }),
        victim: Victim::Service,
        is_heavy: false,
        play: services::freeze,
    },
    Fault {
        name: "service-starved",
        done: "SIGKILL to the service while its daemon may open no further descriptor",
        undone: "the limit is lifted",
        promise: Promise::HANDED_OVER,
        victim: Victim::Service,
        is_heavy: false,
        play: limits::service_without_descriptors,
    },
    Fault {
        name: "keeper-kill",
        done: "SIGKILL to the keeper of the service",
        undone: "nothing is done: the daemons must see to it",
        promise: Promise::HANDED_OVER.changes(3).rest(Span { starts: 3, ..NOTHING }),
        victim: Victim::Service,
        is_heavy: false,
        play: services::kill_keeper,
    },
    Fault {
        name: "daemon-kill",
        done: "SIGKILL to the daemon and not to the keeper of its service, which must end it",
        undone: "it is started again",
        promise: Promise::DEAD.changes(3),
        victim: Victim::Service,
        is_heavy: false,
        play: services::kill_daemon,
    },
    Fault {
        name: "service-broken",
        done: "the service ends on both nodes whenever it is started, until both tell of a latch",
        undone: "it works again, and an operator says `tanist ack`",
        promise: Promise::HANDED_OVER.rest(Span { faults: 1, starts: 2, ..NOTHING }),
        victim: Victim::Service,
        is_heavy: false,
        play: services::break_everywhere,
    },
    Fault {
        name: "switch",
        done: "an operator moves the role to the other node and back",
        undone: "nothing is to be undone",
        promise: Promise::HANDED_OVER,
        victim: Victim::Service,
        is_heavy: false,
        play: services::switch,
    },
    Fault {
        name: "unheard",
        done: "the standby hears no advertisements, but the pair's words beside them",
        undone: "it hears them",
        promise: Promise::UNTOUCHED,
        victim: Victim::Service,
        is_heavy: false,
        play: services::unheard,
    },
    Fault {
        name: "cut-path",
        done: "one of the two ways between the nodes, on which no advertisements go, is cut at one of them",
        undone: "it is mended",
        // Its neighbour is looked for again after a second at most.
        promise: Promise::UNTOUCHED.recovery(Span { intervals: 2, standbys: 1, ..NOTHING }),
        victim: Victim::Service,
        is_heavy: false,
        play: services::cut_path,
    },
    Fault {
        name: "refused-calls",
        done: "system calls of the daemon are refused, one kind after the other, never two in a row (strace); it reloads and is \
               asked meanwhile",
        undone: "they are allowed",
        promise: Promise::UNTOUCHED,
        victim: Victim::Tanist,
        is_heavy: false,
        play: calls::refuse,
    },
    Fault {
        name: "clock",
        done: "the calendar is set forth and back, by 2 s to ten years",
        undone: "it is set right",
        promise: Promise::UNTOUCHED,
        victim: Victim::Clock,
        is_heavy: false,
        play: clock::set,
    },
    Fault {
        name: "clock-restart",
        done: "SIGKILL to the daemon, which begins again at another time",
        undone: "the clock is set right",
        promise: Promise::DEAD,
        victim: Victim::Clock,
        is_heavy: false,
        play: clock::wake_up_in_another_time,
    },
    Fault {
        name: "clock-reload",
        done: "the clock is set to the moment at which it is to reload (`reload_time_file`)",
        undone: "it is set right",
        promise: Promise::UNTOUCHED,
        victim: Victim::Clock,
        is_heavy: false,
        play: clock::reach_the_time_of_a_reload,
    },
];
