//! `authentication` and `auth_hmac`: by what an advertisement shows that it comes from one of us.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::{AntiReplay, Authentication, HmacKey, HmacMode, HmacPolicy, Interval, Password, Version};
use zeroize::Zeroizing;

use super::global::unreachable_keyword;
use super::values;
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::KeyFile;
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::syntax::Word;

/// What the two blocks of an instance said.
#[derive(Default)]
pub(super) struct Authenticating {
    password: Option<(Passing, Span)>,
    hmac: Option<(Sealing, Span)>,
}

/// What `authentication` said.
#[derive(Default)]
struct Passing {
    kind: Option<Kind>,
    password: Option<Password>,
}

/// What `auth_type` said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pass,
    Header,
    /// Something else, which was reported.
    Unknown,
}

/// What `auth_hmac` said.
#[derive(Default)]
struct Sealing {
    keys: BTreeMap<u8, HmacKey>,
    files: Vec<KeyFile>,
    /// Every number that a `key` line has, whatever became of its key.
    numbers: BTreeMap<u8, Span>,
    /// A `key` line whose number could not be read.
    broken: bool,
    active_key: Option<(u8, Span)>,
    mode: Option<HmacMode>,
    monotonic: bool,
    window: Option<(u16, Span)>,
}

impl Authenticating {
    /// `authentication`
    pub(super) fn take_password(&mut self, block: &Statement<'_>, findings: &mut Findings) {
        let (read, _) = self.password.get_or_insert_with(|| (Passing::default(), block.span));
        for statement in statements(Block::Authentication, block.entries(), findings) {
            let word = statement.value();
            match statement.keyword.name {
                "auth_type" => read.kind = Some(kind(word, findings)),
                // An empty one is none, as in keepalived.
                "auth_pass" => read.password = (!word.text.is_empty()).then(|| password(word, findings)),
                other => unreachable_keyword(other, Block::Authentication, &statement, findings),
            }
        }
    }

    /// Where `authentication` asks for an authentication header.
    pub(super) fn header(&self) -> Option<Span> {
        self.password.as_ref().filter(|(passing, _)| passing.kind == Some(Kind::Header)).map(|(_, span)| *span)
    }

    /// `auth_hmac`
    pub(super) fn take_hmac(&mut self, block: &Statement<'_>, findings: &mut Findings) {
        let (read, _) = self.hmac.get_or_insert_with(|| (Sealing::default(), block.span));
        for statement in statements(Block::AuthHmac, block.entries(), findings) {
            match statement.keyword.name {
                "key" => read.take_key(&statement, findings),
                "active_key" => {
                    let number = values::count(&statement, findings).and_then(|number| u8::try_from(number).ok());
                    read.broken |= number.is_none();
                    read.active_key = number.map(|number| (number, statement.value().span));
                }
                "time_window" => {
                    let window = values::count(&statement, findings).and_then(|window| u16::try_from(window).ok());
                    read.window = window.map(|window| (window, statement.span));
                }
                "anti_replay" => read.monotonic = values::choice(&statement, findings) == Some("monotonic"),
                "mode" => {
                    read.mode = match values::choice(&statement, findings) {
                        Some("permissive") => Some(HmacMode::Permissive),
                        Some("receive-only") => Some(HmacMode::ReceiveOnly),
                        _ => Some(HmacMode::Enforce),
                    };
                }
                other => unreachable_keyword(other, Block::AuthHmac, &statement, findings),
            }
        }
    }

    /// What it comes to, and the keys that are still in files of their own.
    pub(super) fn resolve(
        self,
        version: Version,
        interval: Option<Interval>,
        strict: bool,
        findings: &mut Findings,
    ) -> (Authentication, Vec<KeyFile>) {
        if let (Some(_), Some((_, span))) = (&self.password, &self.hmac) {
            findings
                .error("two-authentications", *span, "`authentication` and `auth_hmac` exclude each other")
                .help("keep `auth_hmac` on all nodes: a password in clear protects against nobody");
        }
        match self.hmac {
            Some((sealing, span)) => {
                if strict {
                    findings
                        .warning("strict", span, "`auth_hmac` is not in the standard, and `vrrp_strict` asks for that")
                        .help("only keepalived from 2.4.2 on and Tanist understand such advertisements");
                }
                sealing.resolve(span, interval, findings)
            }
            None => (passing(self.password, version, strict, findings), Vec::new()),
        }
    }
}

fn passing(read: Option<(Passing, Span)>, version: Version, strict: bool, findings: &mut Findings) -> Authentication {
    let Some((Passing { kind, password }, span)) = read else { return Authentication::None };
    let (Some(kind), Some(password)) = (kind, password) else {
        let lacks = if kind.is_some() { "auth_pass" } else { "auth_type" };
        findings
            .warning("incomplete-authentication", span, format!("`{lacks}` is missing, so there is no authentication"))
            .help("give `auth_type PASS` and `auth_pass`, the same on all nodes, or remove the block");
        return Authentication::None;
    };
    if strict {
        findings
            .warning("strict", span, "the standard has no authentication, so this is ignored (`vrrp_strict`)")
            .help("remove the block, or `vrrp_strict`, on all nodes alike");
        return Authentication::None;
    }
    if version == Version::V3 {
        findings
            .warning("authentication-version", span, "version 3 has no authentication; this is ignored")
            .help("remove the block; it never protected against anybody who can listen");
        return Authentication::None;
    }
    match kind {
        Kind::Pass => {
            let message = "everybody on the network can read this password; it only keeps mistakes apart".to_owned();
            findings.hint_once("password-in-clear", span, message, "");
            Authentication::SimplePassword(password)
        }
        Kind::Header => Authentication::Header(password),
        // There is no configuration then.
        Kind::Unknown => Authentication::None,
    }
}

fn kind(word: &Word, findings: &mut Findings) -> Kind {
    match word.text.as_str() {
        "PASS" => Kind::Pass,
        "AH" => Kind::Header,
        other => {
            findings
                .error("bad-choice", word.span, format!("`{other}` is no kind of authentication"))
                .help("write `auth_type PASS` or `auth_type AH`");
            Kind::Unknown
        }
    }
}

/// Eight octets, filled up with zeros (RFC 3768 §5.3.6 as keepalived does it).
fn password(word: &Word, findings: &mut Findings) -> Password {
    let bytes = word.text.as_bytes();
    if bytes.len() > 8 {
        findings
            .warning("long-password", word.span, "Truncating auth_pass to 8 characters: no more are sent")
            .help("shorten it to 8 octets on all nodes");
    }
    let mut password = [0; 8];
    for (octet, byte) in password.iter_mut().zip(bytes) {
        *octet = *byte;
    }
    password.into()
}

impl Sealing {
    /// `key NUMBER VALUE`
    fn take_key(&mut self, statement: &Statement<'_>, findings: &mut Findings) {
        let [number, value] = &statement.values[..] else { return };
        let found = values::whole_word(number, findings);
        let Some(found) = found.and_then(|found| u8::try_from(found).ok()).filter(|found| *found > 0) else {
            self.broken = true;
            if found.is_some() {
                findings
                    .error(
                        "out-of-range",
                        number.span,
                        format!("a key has a number from 1 to 255, not {}", number.text),
                    )
                    .help("number the keys from 1, the same on all nodes");
            }
            return;
        };
        if self.numbers.insert(found, number.span).is_some() {
            findings
                .error("given-twice", number.span, format!("there are two keys with the number {found}"))
                .help("give each key a number of its own, the same on all nodes");
            return;
        }
        if let Some(path) = value.text.strip_prefix("file:") {
            if path.starts_with('/') {
                self.files.push(KeyFile { number: found, path: PathBuf::from(path) });
            } else {
                findings
                    .error("bad-path", value.span, format!("`{path}` is no full path"))
                    .help("write it from the root, for instance `file:/etc/keepalived/keys/vrrp`");
            }
            return;
        }
        match key(value.text.as_bytes()) {
            Ok(key) => {
                self.keys.insert(found, key);
            }
            // The key itself is not shown.
            Err(why) => {
                findings.error("bad-key", value.span, format!("key {found} {why}")).help(BadKey::HELP);
            }
        }
    }

    fn resolve(
        self,
        span: Span,
        interval: Option<Interval>,
        findings: &mut Findings,
    ) -> (Authentication, Vec<KeyFile>) {
        let mode = self.mode.unwrap_or(HmacMode::Enforce);
        if self.numbers.is_empty() && !self.broken {
            findings
                .error("missing-keyword", span, "`auth_hmac` has no `key`")
                .help("make one with `openssl rand -hex 32` and write `key 1 hex:…`, the same on all nodes");
        }
        let only = self.numbers.keys().next().filter(|_| self.numbers.len() == 1);
        let active_key = match self.active_key {
            Some((number, span)) if !self.numbers.contains_key(&number) && !self.broken => {
                findings
                    .error("unknown-key", span, format!("there is no key with the number {number}"))
                    .help("`active_key` names the one that we sign with: give the number of a `key` line");
                number
            }
            Some((number, _)) => number,
            None => {
                if only.is_none() && mode != HmacMode::ReceiveOnly && !self.broken && !self.numbers.is_empty() {
                    findings
                        .error("missing-keyword", span, "`auth_hmac` has several keys and no `active_key`")
                        .help("add `active_key` with the number of the key that we sign with");
                }
                only.or(self.numbers.keys().next()).copied().unwrap_or_default()
            }
        };
        if let Some((_, span)) = self.window.filter(|_| self.monotonic) {
            findings
                .warning("window-unused", span, "`time_window` is ignored with `anti_replay monotonic`")
                .help("remove one of them");
        }
        let anti_replay = if self.monotonic {
            AntiReplay::Monotonic
        } else {
            AntiReplay::Time { window: self.window.map_or_else(|| default_window(interval), |(window, _)| window) }
        };
        let policy = HmacPolicy { keys: self.keys, active_key, mode, anti_replay };
        (Authentication::Hmac(Box::new(policy)), self.files)
    }
}

/// Three advertisements, and at least 5 s.
fn default_window(interval: Option<Interval>) -> u16 {
    let three = u32::from(interval.unwrap_or(Interval::SECOND).as_centiseconds()) * 3;
    u16::try_from(three.div_ceil(100)).unwrap_or(u16::MAX).clamp(5, 300)
}

/// Why a text is no key. It never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKey {
    /// So many octets, which is not 32 to 64.
    Length(usize),
    /// `hex:` and something that is no pairs of hexadecimal digits.
    Digits,
}

impl BadKey {
    /// How to have a good one.
    pub const HELP: &str = "`openssl rand -hex 32` makes one: write it behind `hex:`, the same on all nodes";
}

impl std::fmt::Display for BadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(1) => f.write_str("has 1 octet; it takes 32 to 64"),
            Self::Length(length) => write!(f, "has {length} octets; it takes 32 to 64"),
            Self::Digits => f.write_str("has something behind `hex:` that is no pairs of hexadecimal digits"),
        }
    }
}

/// Reads a key as `auth_hmac` writes it: `hex:` and pairs of digits, or the octets themselves.
pub fn key(text: &[u8]) -> Result<HmacKey, BadKey> {
    let Some(digits) = text.strip_prefix(b"hex:") else {
        return HmacKey::new(text).ok_or(BadKey::Length(text.len()));
    };
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(BadKey::Digits);
    }
    let mut octets = Zeroizing::new([0; HmacKey::LONGEST]);
    let length = digits.len() / 2;
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = (digit(&pair[0]).unwrap_or_default() << 4 | digit(&pair[1]).unwrap_or_default()) as u8;
    }
    octets.get(..length).and_then(HmacKey::new).ok_or(BadKey::Length(length))
}
