//! Every keyword of the language, declared once: parser, diagnostics and manual all read these tables.
//!
//! A table holds the keywords of one block. What a keyword does to the settings is written in `resolve`.
//!
//! A keyword that `works` is shown to work, or `cargo test -p tanist-config keywords` fails:
//!
//! 1. Its example changes the settings. `UPDATE_EXPECT=1` writes down what changes, in `tests/effects/`; what to do if that
//!    takes more than the example is said in `tests/keywords/effects.rs`.
//! 2. A test shows what the settings are good for, and a comment above its `#[test]` says so:
//!    `// Shows: vrrp_instance.priority` (in a scenario or a case, `# Shows: …`). See `tests/keywords/shown.rs`.
//!
//! The manual is written from these tables: `cargo xtask manual` does it, a test of `tanist` finds it out of date. What is
//! done on purpose otherwise than in keepalived is said with `.differs("…")`.

mod addresses;
mod bfd;
mod checkers;
mod global;
mod instance;
mod pair;
mod parts;
mod process;
mod root;
mod routes;
mod script;
mod service;
mod sync_group;
mod tracking;
mod virtual_server;

use std::fmt;

pub use parts::Part;

/// A keyword.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// As it is written.
    pub name: &'static str,
    /// Older names that are still understood.
    pub synonyms: &'static [&'static str],
    /// What follows it.
    pub form: Form,
    /// What the block contains that may follow its values; `None` means that none may.
    pub options: Option<Block>,
    /// Each further one adds to those before.
    pub repeats: bool,
    /// Known to Tanist only: what speaks it is left out of a file for keepalived.
    pub ours: bool,
    /// What holds when it is absent; empty if that is simply "nothing".
    pub default: &'static str,
    /// The version of keepalived that brought it; empty if it has been there for long.
    pub since: &'static str,
    /// Whether it does anything here.
    pub status: Status,
    /// What it means, for the manual.
    pub words: &'static str,
    /// What is done on purpose otherwise than in keepalived, and why; empty if nothing is.
    pub difference: &'static str,
    /// How it is used, complete with values.
    pub example: &'static str,
}

/// Whether a keyword does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has its effect.
    Works,
    /// It is known, but this version cannot do it, so using it is an error.
    NotBuilt,
    /// It is accepted and has no effect, for this reason.
    IgnoredBecause(&'static str),
}

/// What follows a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Flag,
    /// `on`, `off` and their kin.
    Bool {
        /// The keyword alone means `on`.
        optional: bool,
    },
    /// A whole number.
    Whole {
        /// What it counts.
        unit: &'static str,
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A decimal number of seconds.
    Seconds {
        /// Least value in microseconds.
        min: u64,
        /// Greatest value in microseconds.
        max: u64,
    },
    /// A time: seconds with decimals, or a number with its unit (`5m`, `1h`).
    Span {
        /// Least value in microseconds.
        min: u64,
        /// Greatest value in microseconds.
        max: u64,
    },
    /// So many within a time; the text shows what else may stand there.
    Budget(&'static str),
    /// A time, a command, and perhaps the user and the group that it runs as.
    TimedCommand,
    /// A keyword of this block on the same line, with what follows that.
    OneOf(Block),
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// One word; the text says what it is.
    Word(&'static str),
    /// An IP address.
    Address,
    /// Several words; the text shows them.
    Words {
        /// Fewest words.
        min: usize,
        /// Most words.
        max: usize,
        /// What they are.
        shape: &'static str,
    },
    /// A command, and perhaps the user and the group that it runs as.
    Command {
        /// Whether user and group may follow.
        user: bool,
    },
    /// Nothing, or a command, and perhaps the user and the group that it runs as.
    OptionalCommand,
    /// A block of keywords.
    Block(Block),
    /// A name, and a block of keywords.
    NamedBlock {
        /// What the block contains.
        block: Block,
        /// The words before the block, at least one.
        name: &'static str,
    },
    /// A block of entries that are no keywords.
    List(List),
}

/// What the entries of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Plain words.
    Words,
    /// Addresses with options.
    Addresses,
    /// Addresses of peers with options.
    Peers,
    /// Names of tracked things with options.
    Tracked,
    /// Routes.
    Routes,
    /// Policy rules.
    Rules,
}

/// A place where keywords can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is named like the keyword that opens it")]
pub enum Block {
    Root,
    GlobalDefs,
    VrrpInstance,
    Authentication,
    AuthHmac,
    VrrpScript,
    TrackProcess,
    TrackFile,
    SyncGroup,
    TrackGroup,
    GarpGroup,
    Ssl,
    BfdInstance,
    VirtualServerGroup,
    VirtualServer,
    RealServer,
    TcpCheck,
    HttpGet,
    Url,
    MiscCheck,
    SmtpCheck,
    DnsCheck,
    UdpCheck,
    PingCheck,
    FileCheck,
    BfdCheck,
    Service,
    WhileActive,
    Pair,
    /// What a `check` of a service can be.
    Check,
    /// Options of a `check` of a service.
    CheckOptions,
    /// Options of `check script`.
    ScriptOptions,
    /// Options of `check http`.
    HttpOptions,
    /// Options of `check file`.
    FileOptions,
    /// Options of an address in a list.
    AddressOptions,
    /// Options of a peer in a list.
    PeerOptions,
    /// Options of a tracked thing in a list.
    TrackOptions,
    /// Options of a route in a list.
    RouteOptions,
    /// Options of a rule in a list.
    RuleOptions,
}

impl Block {
    /// Every place.
    pub const ALL: &'static [Self] = &[
        Self::Root,
        Self::GlobalDefs,
        Self::VrrpInstance,
        Self::Authentication,
        Self::AuthHmac,
        Self::VrrpScript,
        Self::TrackProcess,
        Self::TrackFile,
        Self::SyncGroup,
        Self::TrackGroup,
        Self::GarpGroup,
        Self::Ssl,
        Self::BfdInstance,
        Self::VirtualServerGroup,
        Self::VirtualServer,
        Self::RealServer,
        Self::TcpCheck,
        Self::HttpGet,
        Self::Url,
        Self::MiscCheck,
        Self::SmtpCheck,
        Self::DnsCheck,
        Self::UdpCheck,
        Self::PingCheck,
        Self::FileCheck,
        Self::BfdCheck,
        Self::Service,
        Self::WhileActive,
        Self::Pair,
        Self::Check,
        Self::CheckOptions,
        Self::ScriptOptions,
        Self::HttpOptions,
        Self::FileOptions,
        Self::AddressOptions,
        Self::PeerOptions,
        Self::TrackOptions,
        Self::RouteOptions,
        Self::RuleOptions,
    ];

    /// The keywords that can stand here.
    pub fn keywords(self) -> impl Iterator<Item = &'static Keyword> + Clone {
        let tables: &[&'static [Keyword]] = match self {
            Self::Root => &[root::KEYWORDS],
            Self::GlobalDefs => &[global::KEYWORDS, process::KEYWORDS],
            Self::VrrpInstance => &[instance::KEYWORDS],
            Self::Authentication => &[instance::AUTHENTICATION],
            Self::AuthHmac => &[instance::AUTH_HMAC],
            Self::VrrpScript => &[script::VRRP_SCRIPT],
            Self::TrackProcess => &[script::TRACK_PROCESS],
            Self::TrackFile => &[script::TRACK_FILE],
            Self::SyncGroup => &[sync_group::KEYWORDS],
            Self::TrackGroup => &[root::TRACK_GROUP],
            Self::GarpGroup => &[root::GARP_GROUP],
            Self::Ssl => &[root::SSL],
            Self::BfdInstance => &[bfd::KEYWORDS],
            Self::VirtualServerGroup => &[virtual_server::GROUP],
            Self::VirtualServer => &[virtual_server::VIRTUAL_SERVER],
            Self::RealServer => &[virtual_server::REAL_SERVER],
            Self::TcpCheck | Self::PingCheck => &[checkers::CONNECTION, checkers::RETRY],
            Self::HttpGet => &[checkers::HTTP_GET, checkers::CONNECTION, checkers::RETRY],
            Self::Url => &[checkers::URL],
            Self::MiscCheck => &[checkers::MISC_CHECK, checkers::RETRY],
            Self::SmtpCheck => &[checkers::SMTP_CHECK, checkers::CONNECTION, checkers::RETRY],
            Self::DnsCheck => &[checkers::DNS_CHECK, checkers::CONNECTION, checkers::RETRY],
            Self::UdpCheck => &[checkers::UDP_CHECK, checkers::CONNECTION, checkers::RETRY],
            Self::FileCheck => &[checkers::FILE_CHECK],
            Self::BfdCheck => &[checkers::BFD_CHECK],
            Self::Service => &[service::KEYWORDS],
            Self::WhileActive => &[service::WHILE_ACTIVE],
            Self::Pair => &[pair::KEYWORDS],
            Self::Check => &[service::CHECKS],
            Self::CheckOptions => &[service::CHECK_OPTIONS],
            Self::ScriptOptions => &[service::CHECK_OPTIONS, service::SCRIPT_OPTIONS],
            Self::HttpOptions => &[service::CHECK_OPTIONS, service::HTTP_OPTIONS],
            Self::FileOptions => &[service::CHECK_OPTIONS, service::FILE_OPTIONS],
            Self::AddressOptions => &[addresses::ADDRESS_OPTIONS],
            Self::PeerOptions => &[addresses::PEER_OPTIONS],
            Self::TrackOptions => &[tracking::OPTIONS],
            Self::RouteOptions => &[routes::ROUTE_OPTIONS],
            Self::RuleOptions => &[routes::RULE_OPTIONS],
        };
        tables.iter().flat_map(|table| table.iter())
    }

    /// The keyword of this name, also by one of its older names.
    #[must_use]
    pub fn find(self, name: &str) -> Option<&'static Keyword> {
        self.keywords().find(|keyword| keyword.name == name || keyword.synonyms.contains(&name))
    }

    /// Every way to write the keywords that can stand here.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        self.keywords().map(|keyword| keyword.name)
    }

    /// Whether nothing but Tanist reads what stands here.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Service
                | Self::WhileActive
                | Self::Pair
                | Self::Check
                | Self::CheckOptions
                | Self::ScriptOptions
                | Self::HttpOptions
                | Self::FileOptions
        )
    }

    /// How the place is called in a message.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Root => "the top level",
            Self::GlobalDefs => "global_defs",
            Self::VrrpInstance => "vrrp_instance",
            Self::Authentication => "authentication",
            Self::AuthHmac => "auth_hmac",
            Self::VrrpScript => "vrrp_script",
            Self::TrackProcess => "vrrp_track_process",
            Self::TrackFile => "track_file",
            Self::SyncGroup => "vrrp_sync_group",
            Self::TrackGroup => "track_group",
            Self::GarpGroup => "garp_group",
            Self::Ssl => "SSL",
            Self::BfdInstance => "bfd_instance",
            Self::VirtualServerGroup => "virtual_server_group",
            Self::VirtualServer => "virtual_server",
            Self::RealServer => "real_server",
            Self::TcpCheck => "TCP_CHECK",
            Self::HttpGet => "HTTP_GET",
            Self::Url => "url",
            Self::MiscCheck => "MISC_CHECK",
            Self::SmtpCheck => "SMTP_CHECK",
            Self::DnsCheck => "DNS_CHECK",
            Self::UdpCheck => "UDP_CHECK",
            Self::PingCheck => "PING_CHECK",
            Self::FileCheck => "FILE_CHECK",
            Self::BfdCheck => "BFD_CHECK",
            Self::Service => "service",
            Self::WhileActive => "while_active",
            Self::Pair => "pair",
            Self::Check | Self::CheckOptions => "check",
            Self::ScriptOptions => "check script",
            Self::HttpOptions => "check http",
            Self::FileOptions => "check file",
            Self::AddressOptions => "an address",
            Self::PeerOptions => "a peer",
            Self::TrackOptions => "a tracked thing",
            Self::RouteOptions => "a route",
            Self::RuleOptions => "a rule",
        }
    }
}

impl Block {
    /// The title as one word, for names of files, for links and tags: `vrrp_instance`, `top-level`, `address`.
    #[must_use]
    pub fn slug(self) -> String {
        match self {
            Self::Check => "kinds-of-check".to_owned(),
            other => {
                let title = other.title();
                let noun = ["the ", "an ", "a "].iter().find_map(|article| title.strip_prefix(article));
                noun.unwrap_or(title).replace(' ', "-")
            }
        }
    }
}

impl Form {
    /// Fewest and most words that follow.
    #[must_use]
    pub const fn word_count(self) -> (usize, usize) {
        match self {
            Self::Flag | Self::Block(_) | Self::List(_) => (0, 0),
            Self::Bool { optional: true } => (0, 1),
            Self::Bool { optional: false }
            | Self::Whole { .. }
            | Self::Seconds { .. }
            | Self::Span { .. }
            | Self::OneOf(_)
            | Self::Choice(_)
            | Self::Word(_)
            | Self::Address
            | Self::Command { user: false }
            | Self::NamedBlock { .. } => (1, 1),
            Self::Words { min, max, .. } => (min, max),
            Self::Command { user: true } | Self::Budget(_) => (1, 3),
            Self::OptionalCommand => (0, 3),
            Self::TimedCommand => (2, 4),
        }
    }

    /// Whether a block follows.
    #[must_use]
    pub const fn has_block(self) -> bool {
        matches!(self, Self::Block(_) | Self::NamedBlock { .. } | Self::List(_))
    }
}

/// For messages and the manual: `a whole number from 1 to 255`.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("nothing"),
            Self::Bool { optional: true } => f.write_str("on or off, or nothing, which means on"),
            Self::Bool { optional: false } => f.write_str("on or off"),
            Self::Whole { unit, min, max } => {
                if min.checked_add(1) == Some(*max) {
                    return write!(f, "{min} or {max}");
                }
                f.write_str("a whole number")?;
                if !unit.is_empty() {
                    write!(f, " of {unit}")?;
                }
                match (*min, *max) {
                    // Nobody comes near the bounds of a C integer.
                    (min, 2_147_483_647..) => write!(f, ", at least {min}"),
                    (min, max) => write!(f, " from {min} to {max}"),
                }
            }
            Self::Seconds { min, max } => {
                write!(f, "seconds from {} to {}, decimals allowed", Micros(*min), Micros(*max))
            }
            Self::Span { min, max } => {
                write!(f, "seconds from {} to {}, or a time like 0.5s, 5m, 1h or 2d", Micros(*min), Micros(*max))
            }
            Self::Budget(shape) => f.write_str(shape),
            Self::TimedCommand => {
                f.write_str("a time like 5m or 1h, a command in quotes, then perhaps a user and a group")
            }
            Self::OneOf(block) => {
                let names: Vec<&str> = block.names().collect();
                f.write_str(&alternatives(&names))
            }
            Self::Choice(words) => f.write_str(&alternatives(words)),
            Self::Word(what) => f.write_str(what),
            Self::Address => f.write_str("an IP address"),
            Self::Words { shape, .. } => f.write_str(shape),
            Self::Command { user: false } => f.write_str("a command in quotes"),
            Self::Command { user: true } => f.write_str("a command in quotes, then perhaps a user and a group"),
            Self::OptionalCommand => f.write_str("nothing, or a command in quotes, then perhaps a user and a group"),
            Self::Block(_) | Self::List(_) => f.write_str("a block in braces"),
            Self::NamedBlock { name, .. } => write!(f, "{name} and a block in braces"),
        }
    }
}

/// `a or b`, `a, b or c`.
fn alternatives(words: &[&str]) -> String {
    match words {
        [before @ .., last] => format!("{} or {last}", before.join(", ")),
        [] => String::new(),
    }
}

/// Microseconds, written as seconds without trailing zeros.
#[derive(Clone, Copy)]
pub(crate) struct Micros(pub(crate) u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let decimals = format!("{rest:06}");
        write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}

// How a table is written.

const fn keyword(
    name: &'static str,
    form: Form,
    status: Status,
    words: &'static str,
    example: &'static str,
) -> Keyword {
    Keyword {
        name,
        synonyms: &[],
        form,
        options: None,
        repeats: false,
        ours: false,
        default: "",
        since: "",
        status,
        words,
        difference: "",
        example,
    }
}

const fn works(name: &'static str, form: Form, words: &'static str, example: &'static str) -> Keyword {
    keyword(name, form, Status::Works, words, example)
}

const fn not_built(name: &'static str, form: Form, words: &'static str, example: &'static str) -> Keyword {
    keyword(name, form, Status::NotBuilt, words, example)
}

const fn ignored(
    name: &'static str,
    form: Form,
    reason: &'static str,
    words: &'static str,
    example: &'static str,
) -> Keyword {
    keyword(name, form, Status::IgnoredBecause(reason), words, example)
}

impl Keyword {
    const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// Otherwise than in keepalived: what, and why, in sentences.
    const fn differs(self, difference: &'static str) -> Self {
        Self { difference, ..self }
    }

    /// A block of options may follow.
    const fn options(self, block: Block) -> Self {
        Self { options: Some(block), ..self }
    }

    const fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }

    const fn ours(self) -> Self {
        Self { ours: true, ..self }
    }

    const fn synonyms(self, synonyms: &'static [&'static str]) -> Self {
        Self { synonyms, ..self }
    }
}

const OPTIONAL_BOOL: Form = Form::Bool { optional: true };
const COUNT: Form = whole("", 1, 2_147_483_647);
/// What keepalived counts in 32 bits of microseconds.
const WHOLE_SECONDS: Form = whole("seconds", 0, 4294);
/// What it counts in 32 bits of seconds.
const MANY_SECONDS: Form = whole("seconds", 0, 4_294_967_295);
const BYTES: Form = whole("bytes", 0, 4_294_967_295);
const PATH: Form = Form::Word("a path");
const INTERFACE: Form = Form::Word("the name of an interface");
const COMMAND: Form = Form::Command { user: false };
const COMMAND_AS: Form = Form::Command { user: true };
const WHEN: Form = Form::Choice(&["active", "standby", "both"]);

const fn whole(unit: &'static str, min: i64, max: i64) -> Form {
    Form::Whole { unit, min, max }
}

/// Bounds in milliseconds.
const fn seconds(min: u64, max: u64) -> Form {
    Form::Seconds { min: min * 1000, max: max * 1000 }
}

/// Bounds in milliseconds.
const fn span(min: u64, max: u64) -> Form {
    Form::Span { min: min * 1000, max: max * 1000 }
}

const fn words(min: usize, max: usize, shape: &'static str) -> Form {
    Form::Words { min, max, shape }
}
