//! How much may go wrong: a scope says how often each thing happens at most, in one history. Within it, everything that
//! can happen is tried in every order.

use std::time::Duration;

/// The most of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Messages that are lost, of either kind.
    pub losses: u8,
    /// Messages that come twice, the second time whenever it likes.
    pub doubles: u8,
    /// Messages that are held back and overtaken, for as long as it takes.
    pub delays: u8,
    /// An operator sends the role away, or calls it.
    pub switches: u8,
    /// A daemon is told to stop, and is started again some time later.
    pub stops: u8,
    /// A daemon is killed and started again at once; its service goes on.
    pub daemon_crashes: u8,
    /// A machine loses its power, and boots some time later.
    pub power_cuts: u8,
    /// The service ends by itself.
    pub service_crashes: u8,
    /// The service cannot be started.
    pub refusals: u8,
    /// The service does not care about being told to stop: it must be killed.
    pub deafnesses: u8,
    /// A node does not do what is due, for as long as it likes.
    pub late_timers: u8,
    /// The service takes its time to come up or to end: until something else is due, each time.
    pub pauses: u8,
    /// Nothing arrives on either side, until that is mended, whenever that is.
    pub cuts: u8,
    /// The same of what one of them says.
    pub one_way_cuts: u8,
}

/// In which order what happens at the same moment happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Messages arrive in the order in which they were sent, whoever sent them; then processes come up and end; then the
    /// nodes do what is due. What is otherwise is counted by the scope.
    AsSent,
    /// The same, but messages arrive in every order.
    AnyOfMessages,
    /// All of it in every order.
    Any,
}

/// Where a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// One serves, and the other one stands by.
    Settled,
    /// The same, and an operator has just sent the role away: the shorter history.
    Switch,
    /// Two machines boot.
    Boot,
}

/// A scope with a name, and whether the better node takes the role back by itself.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// How much may go wrong.
    pub scope: Scope,
    /// The better node takes the role back by itself.
    pub comes_back: bool,
    /// Where it begins.
    pub from: From,
    /// Somewhere in it the role must be met on the other node.
    pub moves: bool,
    /// Somewhere in it a living node must be taken for dead.
    pub cuts: bool,
    /// A history goes on when a living node was taken for dead. Otherwise it ends there.
    pub goes_on: bool,
    /// In which order things happen that take no time.
    pub order: Order,
    /// What is held back, or comes a second time, comes within this span. `None`: whenever it likes, or never.
    pub held_for: Option<Duration>,
}

const NONE: Scope = Scope {
    losses: 0,
    doubles: 0,
    delays: 0,
    switches: 0,
    stops: 0,
    daemon_crashes: 0,
    power_cuts: 0,
    service_crashes: 0,
    refusals: 0,
    deafnesses: 0,
    late_timers: 0,
    pauses: 0,
    cuts: 0,
    one_way_cuts: 0,
};

const CASE: Case = Case {
    name: "",
    scope: NONE,
    comes_back: false,
    from: From::Settled,
    moves: true,
    cuts: false,
    goes_on: false,
    order: Order::AsSent,
    held_for: None,
};

/// What is gone through with every change: together some seconds.
pub const SMALL: &[Case] = &[
    Case { name: "a hand-over, everything in any order", from: From::Switch, order: Order::Any, ..CASE },
    Case {
        name: "a hand-over, and a message that is lost",
        scope: Scope { losses: 1, ..NONE },
        from: From::Switch,
        order: Order::AnyOfMessages,
        ..CASE
    },
    Case {
        name: "a hand-over, and a message that comes twice",
        scope: Scope { doubles: 1, ..NONE },
        from: From::Switch,
        order: Order::AnyOfMessages,
        held_for: Some(Duration::from_secs(1)),
        ..CASE
    },
    Case {
        name: "a hand-over, and a message that is held back",
        scope: Scope { delays: 1, ..NONE },
        from: From::Switch,
        order: Order::AnyOfMessages,
        held_for: Some(Duration::from_secs(1)),
        ..CASE
    },
    Case { name: "two switches", scope: Scope { switches: 2, ..NONE }, ..CASE },
    Case {
        name: "a service that will not stop",
        scope: Scope { switches: 1, deafnesses: 1, pauses: 3, ..NONE },
        order: Order::AnyOfMessages,
        ..CASE
    },
    Case {
        name: "both boot, and a service takes its time",
        scope: Scope { pauses: 1, ..NONE },
        comes_back: true,
        from: From::Boot,
        moves: false,
        ..CASE
    },
    Case { name: "a daemon stops", scope: Scope { stops: 1, ..NONE }, comes_back: true, ..CASE },
    Case {
        name: "a daemon is killed",
        scope: Scope { daemon_crashes: 1, pauses: 1, ..NONE },
        comes_back: true,
        order: Order::AnyOfMessages,
        moves: false,
        ..CASE
    },
    Case { name: "a machine loses its power", scope: Scope { power_cuts: 1, ..NONE }, comes_back: true, ..CASE },
    Case {
        name: "the service fails",
        scope: Scope { service_crashes: 2, refusals: 1, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a cut, whenever it comes and ends",
        scope: Scope { cuts: 1, ..NONE },
        moves: false,
        cuts: true,
        goes_on: true,
        ..CASE
    },
    Case {
        name: "a cut of one way",
        scope: Scope { one_way_cuts: 1, ..NONE },
        moves: false,
        cuts: true,
        goes_on: true,
        ..CASE
    },
];

/// What is gone through by hand: up to hours each.
pub const LARGE: &[Case] = &[
    Case {
        name: "a switch, and a message that is lost",
        scope: Scope { losses: 1, switches: 1, ..NONE },
        order: Order::AnyOfMessages,
        ..CASE
    },
    Case { name: "a switch, everything in any order", scope: Scope { switches: 1, ..NONE }, order: Order::Any, ..CASE },
    Case {
        name: "a daemon is killed, everything in any order",
        scope: Scope { daemon_crashes: 1, ..NONE },
        moves: false,
        order: Order::Any,
        ..CASE
    },
    Case {
        name: "a daemon stops, messages in any order",
        scope: Scope { stops: 1, ..NONE },
        comes_back: true,
        order: Order::AnyOfMessages,
        ..CASE
    },
    Case {
        name: "a hand-over, everything in any order, and a message that is held back for half a second",
        scope: Scope { delays: 1, ..NONE },
        from: From::Switch,
        order: Order::Any,
        held_for: Some(Duration::from_millis(500)),
        ..CASE
    },
    Case {
        name: "a hand-over, everything in any order, and a message that is lost",
        scope: Scope { losses: 1, ..NONE },
        from: From::Switch,
        order: Order::Any,
        ..CASE
    },
    Case {
        name: "both boot, messages in any order",
        comes_back: true,
        from: From::Boot,
        moves: false,
        order: Order::AnyOfMessages,
        ..CASE
    },
    Case {
        name: "both boot, and one of them is slow",
        scope: Scope { late_timers: 1, ..NONE },
        comes_back: true,
        from: From::Boot,
        moves: false,
        ..CASE
    },
    Case {
        name: "a hand-over, and a cut",
        scope: Scope { cuts: 1, ..NONE },
        from: From::Switch,
        cuts: true,
        goes_on: true,
        ..CASE
    },
    Case {
        name: "a hand-over, and a cut of one way",
        scope: Scope { one_way_cuts: 1, ..NONE },
        from: From::Switch,
        cuts: true,
        goes_on: true,
        ..CASE
    },
    Case {
        name: "a cut, and a switch",
        scope: Scope { cuts: 1, switches: 1, ..NONE },
        cuts: true,
        goes_on: true,
        ..CASE
    },
    Case {
        name: "a cut, and a message that is lost",
        scope: Scope { cuts: 1, losses: 1, ..NONE },
        moves: false,
        cuts: true,
        goes_on: true,
        ..CASE
    },
    Case {
        name: "a cut, and a daemon that is killed",
        scope: Scope { cuts: 1, daemon_crashes: 1, ..NONE },
        moves: false,
        cuts: true,
        goes_on: true,
        ..CASE
    },
    Case {
        name: "a cut, everything in any order",
        scope: Scope { cuts: 1, ..NONE },
        moves: false,
        cuts: true,
        goes_on: true,
        order: Order::Any,
        ..CASE
    },
    Case { name: "two cuts", scope: Scope { cuts: 2, ..NONE }, moves: false, cuts: true, goes_on: true, ..CASE },
    Case { name: "a switch, and a message that is held back", scope: Scope { delays: 1, switches: 1, ..NONE }, ..CASE },
    Case { name: "a switch, and a node that is slow", scope: Scope { late_timers: 1, switches: 1, ..NONE }, ..CASE },
    Case {
        name: "both boot, and a switch",
        scope: Scope { switches: 1, ..NONE },
        comes_back: true,
        from: From::Boot,
        ..CASE
    },
    Case {
        name: "a daemon is killed in a hand-over",
        scope: Scope { switches: 1, daemon_crashes: 1, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a daemon is killed, and a message is held back",
        scope: Scope { daemon_crashes: 1, delays: 1, ..NONE },
        moves: false,
        ..CASE
    },
    Case {
        name: "a machine loses its power, and a message is held back",
        scope: Scope { power_cuts: 1, delays: 1, ..NONE },
        ..CASE
    },
    Case { name: "a switch, and a message that comes twice", scope: Scope { doubles: 1, switches: 1, ..NONE }, ..CASE },
    Case { name: "a switch on a bad network", scope: Scope { losses: 1, delays: 1, switches: 1, ..NONE }, ..CASE },
    Case { name: "a switch, and two messages that are lost", scope: Scope { losses: 2, switches: 1, ..NONE }, ..CASE },
    Case {
        name: "a switch back and forth, and a message that is lost",
        scope: Scope { losses: 1, switches: 2, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "both boot, and a message is lost",
        scope: Scope { losses: 1, ..NONE },
        comes_back: true,
        from: From::Boot,
        ..CASE
    },
    Case {
        name: "both boot on a bad network",
        scope: Scope { losses: 1, delays: 1, ..NONE },
        comes_back: true,
        from: From::Boot,
        ..CASE
    },
    Case {
        name: "a daemon stops, and a message is lost",
        scope: Scope { stops: 1, losses: 1, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a daemon stops in a hand-over",
        scope: Scope { stops: 1, switches: 1, pauses: 2, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a daemon is killed twice",
        scope: Scope { daemon_crashes: 2, ..NONE },
        comes_back: true,
        moves: false,
        ..CASE
    },
    Case {
        name: "a machine loses its power, and a message is lost",
        scope: Scope { power_cuts: 1, losses: 1, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a machine loses its power in a hand-over",
        scope: Scope { power_cuts: 1, switches: 1, pauses: 1, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a deaf service, a switch, and a message that is lost",
        scope: Scope { deafnesses: 1, pauses: 2, switches: 1, losses: 1, ..NONE },
        ..CASE
    },
    Case {
        name: "the service fails, and a message is lost",
        scope: Scope { service_crashes: 2, refusals: 1, losses: 1, ..NONE },
        comes_back: true,
        ..CASE
    },
    Case {
        name: "a node that is slow, and a message that is lost",
        scope: Scope { late_timers: 1, losses: 1, switches: 1, ..NONE },
        ..CASE
    },
    Case { name: "three messages are lost", scope: Scope { losses: 3, ..NONE }, moves: false, cuts: true, ..CASE },
];
