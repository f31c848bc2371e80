//! A check of a pretend node.

use std::fmt;
use std::time::Duration;

use engine::{Name, ScriptConfig, When};

use super::cursor::Cursor;
use super::measure::span_text;
use super::mistake::Mistake;

/// A check: what the engine is told, and how long a run takes in the pretend world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptSpec {
    /// What the engine is told.
    pub settings: ScriptConfig,
    /// From the start of a run to its end.
    pub takes: Duration,
}

const KEYWORDS: &[&str] = &["interval", "timeout", "rise", "fall", "init_fail", "when", "takes"];

impl ScriptSpec {
    /// Once a second, one result is enough, a run takes 10 ms and may take one interval.
    pub(crate) fn parse(name: Name, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let mut spec = Self {
            settings: ScriptConfig {
                name,
                interval: Duration::from_secs(1),
                timeout: Duration::ZERO,
                rise: 1,
                fall: 1,
                init_fail: false,
                when: When::Both,
            },
            takes: Duration::from_millis(10),
        };
        let mut timeout = None;
        while cursor.peek().is_some() {
            match cursor.take("an option of a script")? {
                "interval" => spec.settings.interval = cursor.span("interval")?,
                "timeout" => timeout = Some(cursor.span("timeout")?),
                "rise" => spec.settings.rise = cursor.number("rise", 1..=255)? as u32,
                "fall" => spec.settings.fall = cursor.number("fall", 1..=255)? as u32,
                "init_fail" => spec.settings.init_fail = true,
                "when" => {
                    spec.settings.when = match cursor.take("active or standby")? {
                        "active" => When::Active,
                        "standby" => When::Standby,
                        other => return Err(cursor.before(format!("`{other}` is neither `active` nor `standby`"))),
                    }
                }
                "takes" => spec.takes = cursor.span("takes")?,
                other => {
                    let mistake = cursor.before(format!("a script has no option `{other}`"));
                    return Err(mistake.did_you_mean(other, KEYWORDS));
                }
            }
        }
        if spec.settings.interval.is_zero() {
            return Err(cursor.before("interval must not be zero".to_owned()));
        }
        spec.settings.timeout = timeout.unwrap_or(spec.settings.interval);
        Ok(spec)
    }
}

impl fmt::Display for ScriptSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        write!(f, "interval {}", span_text(settings.interval))?;
        write!(f, "  timeout {}", span_text(settings.timeout))?;
        write!(f, "  rise {}  fall {}", settings.rise, settings.fall)?;
        if settings.init_fail {
            f.write_str("  init_fail")?;
        }
        match settings.when {
            When::Both => {}
            When::Active => f.write_str("  when active")?,
            When::Standby => f.write_str("  when standby")?,
        }
        write!(f, "  takes {}", span_text(self.takes))
    }
}
