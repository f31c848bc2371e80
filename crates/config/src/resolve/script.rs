//! `vrrp_script`: when a check runs, what it runs, and who runs it.

use std::borrow::Cow;
use std::time::Duration;

use engine::{ScriptConfig, Weight, When};

use super::global::unreachable_keyword;
use super::tracking::Kind;
use super::values;
use crate::command::command;
use crate::diagnostic::Findings;
use crate::keywords::Block;
use crate::settings::{Command, Instance, Notify, NotifyScript, Script, ScriptUser};
use crate::source::Span;
use crate::statement::{Statement, statements};
use crate::syntax::Word;

/// A failure that is noticed later than this deserves a word.
const SLOW: Duration = Duration::from_secs(10);

/// A definition as far as it could be read.
pub(super) struct Definition {
    /// `None` if it cannot be used.
    pub(super) script: Option<Script>,
    /// The weight where a reference gives none.
    pub(super) weight: Weight,
}

/// Says so if a failure is noticed late.
pub(super) fn hint_slow(checking: &ScriptConfig, span: Span, findings: &mut Findings) {
    let ScriptConfig { interval, fall, .. } = checking;
    let worst = interval.saturating_mul(*fall);
    if worst > SLOW {
        let message = format!(
            "a failure is noticed after up to {}, plus the time that the check takes ({fall} × {})",
            values::in_seconds(worst),
            values::in_seconds(*interval)
        );
        findings.hint("slow-detection", span, message).help("a shorter `interval` or a smaller `fall` notices earlier");
    }
}

pub(super) fn script(block: &Statement<'_>, findings: &mut Findings) -> Definition {
    let name = block.value();
    let statements = statements(Block::VrrpScript, block.entries(), findings);
    let mut runs: Option<Command> = None;
    let mut user_of_script = None;
    let mut given = false;
    let mut weight = Weight::Fault;
    let mut interval = Duration::from_secs(1);
    let mut timeout = Duration::ZERO;
    let (mut rise, mut fall, mut init_fail) = (1, 1, false);
    let mut in_roles = When::Both;
    for statement in &statements {
        match statement.keyword.name {
            "script" => {
                if !given {
                    runs = command(statement.value(), true, findings);
                }
                given = true;
            }
            "interval" => interval = values::seconds(statement, findings).unwrap_or(interval),
            "timeout" => timeout = values::seconds(statement, findings).unwrap_or(timeout),
            "weight" => weight = weight_of(statement, Kind::Script.most(), findings).unwrap_or(weight),
            "rise" => rise = values::count(statement, findings).unwrap_or(rise),
            "fall" => fall = values::count(statement, findings).unwrap_or(fall),
            "user" => user_of_script = Some(user(&statement.values)),
            "init_fail" => init_fail = true,
            "when" => in_roles = when(statement, findings),
            other => unreachable_keyword(other, Block::VrrpScript, statement, findings),
        }
    }
    if !given {
        findings
            .error("missing-keyword", name.span, format!("the check `{}` runs nothing", name.text))
            .help("add a line like `script \"/etc/keepalived/check.sh\"`");
    }
    let checking = ScriptConfig {
        name: name.text.as_str().into(),
        interval,
        timeout: if timeout.is_zero() { interval } else { timeout },
        rise,
        fall,
        init_fail,
        when: in_roles,
    };
    hint_slow(&checking, name.span, findings);
    Definition { script: runs.map(|command| Script { checking, command, user: user_of_script }), weight }
}

/// The weight of a definition.
pub(super) fn weight_of(statement: &Statement<'_>, most: i16, findings: &mut Findings) -> Option<Weight> {
    let reversed = match statement.values.get(1) {
        None => false,
        Some(word) if word.text == "reverse" => true,
        Some(word) => {
            let message = format!("`{}` is no option of `weight`", word.text);
            findings.error("bad-option", word.span, message).help("the only one is `reverse`");
            return None;
        }
    };
    Some(weight(number(statement.value(), most, findings)?, reversed))
}

/// `active`, `standby` or `both`.
pub(super) fn when(statement: &Statement<'_>, findings: &mut Findings) -> When {
    match values::choice(statement, findings) {
        Some("active") => When::Active,
        Some("standby") => When::Standby,
        _ => When::Both,
    }
}

/// A weight that counts in one role only must not drive the role away from where it counts: what has gone would count
/// no more, and come back, without end.
pub(super) fn check_roles(scripts: &[(Script, Span)], instances: &[(Instance, &Word)], findings: &mut Findings) {
    for (script, span) in scripts {
        let name = &script.checking.name;
        let tracked = instances.iter().flat_map(|(instance, _)| &instance.router.track_scripts);
        let mut weights = tracked.filter(|tracked| tracked.script == *name).map(|tracked| tracked.weight);
        let (message, help) = match script.checking.when {
            When::Both => continue,
            When::Active if weights.any(is_against_the_good) => (
                "`when active` with a `reverse` weight that is not negative: who is MASTER and good would lose the role, \
                 rest, and take it back, without end",
                "remove `reverse`, or `when`",
            ),
            When::Standby if weights.any(adds) => (
                "`when standby` with a weight that adds: who is standby would take the role by it and lose it at once, \
                 without end",
                "use a negative weight without `reverse`, which is subtracted while it fails",
            ),
            When::Active | When::Standby => continue,
        };
        findings.error("role-to-and-fro", *span, message).help(help);
    }
}

/// Who is good is worse off than who is not looked at.
fn is_against_the_good(weight: Weight) -> bool {
    weight.worth(true).is_none_or(|worth| worth < 0)
}

/// Who is looked at can be better off than who is not.
fn adds(weight: Weight) -> bool {
    [true, false].iter().any(|good| weight.worth(*good).is_some_and(|worth| worth > 0))
}

/// A weight's number, which is `most` at most; 0 means that failing is a fault.
pub(super) fn number(word: &Word, most: i16, findings: &mut Findings) -> Option<i16> {
    let value = values::whole_word(word, findings)?;
    let within = i16::try_from(value).ok().filter(|value| (-most..=most).contains(value));
    if within.is_none() {
        findings
            .error("out-of-range", word.span, format!("a weight is a number from -{most} to {most}, not {}", word.text))
            .help("with weight 0, what fails puts the instance into FAULT");
    }
    within
}

pub(super) const fn weight(number: i16, reversed: bool) -> Weight {
    match (number, reversed) {
        (0, false) => Weight::Fault,
        (0, true) => Weight::ReversedFault,
        (number, false) => Weight::Priority(number),
        (number, true) => Weight::Reversed(number),
    }
}

/// A user and perhaps a group.
pub(super) fn user(words: &[Cow<'_, Word>]) -> ScriptUser {
    let text = |at: usize| words.get(at).map(|word| word.text.clone());
    ScriptUser { user: text(0).unwrap_or_default(), group: text(1) }
}

/// Whether the statement names a script that is told about changes. The first of a kind counts.
pub(super) fn take_notify(
    notify: &mut Notify,
    statement: &Statement<'_>,
    commands: &mut Vec<(&'static str, Command, Span)>,
    findings: &mut Findings,
) -> bool {
    let slot = match statement.keyword.name {
        "notify_master" => &mut notify.active,
        "notify_backup" => &mut notify.backup,
        "notify_fault" => &mut notify.fault,
        "notify_stop" => &mut notify.stop,
        "notify_deleted" => {
            notify.tells_deletion = true;
            &mut notify.deleted
        }
        "notify_master_rx_lower_pri" => &mut notify.active_heard_lower_priority,
        "notify" => &mut notify.any,
        _ => return false,
    };
    if slot.is_none()
        && !statement.values.is_empty()
        && let Some(command) = command(statement.value(), false, findings)
    {
        commands.push((statement.keyword.name, command.clone(), statement.span));
        let user = &statement.values[1..];
        *slot = Some(NotifyScript { command, user: (!user.is_empty()).then(|| self::user(user)) });
    }
    true
}
