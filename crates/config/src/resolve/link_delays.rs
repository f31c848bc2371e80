//! `interface_up_down_delays`: how long an interface must be what it has become before that counts.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::{LinkDelay, Name};

use super::values;
use crate::diagnostic::Findings;
use crate::settings::Instance;
use crate::statement::Statement;
use crate::syntax::Word;

/// As long as keepalived allows.
const LONGEST: Duration = Duration::from_secs(255);

pub(super) fn read<'s, 'a: 's>(
    blocks: impl Iterator<Item = &'s Statement<'a>>,
    instances: &[(Instance, &Word)],
    findings: &mut Findings,
) -> BTreeMap<Name, LinkDelay> {
    let mut delays = BTreeMap::new();
    for line in blocks.flat_map(|block| block.entries()) {
        let [name, down, rest @ ..] = &line.words[..] else {
            if let Some(name) = line.words.first() {
                findings
                    .error(
                        "missing-value",
                        name.span,
                        format!("how long must `{}` be down until it counts?", name.text),
                    )
                    .help(format!(
                        "write `{} 1`, or `{} 1 5` with the seconds that it must be up again",
                        name.text, name.text
                    ));
            }
            continue;
        };
        if let Some(word) = rest.get(1) {
            findings
                .warning("extra-words", word.span, format!("`{}` is one word too many and is ignored", word.text))
                .help("each line is an interface, seconds down, and perhaps seconds up");
        }
        let Some(link) = values::interface(name, findings) else { continue };
        let mut delay = |word: &Word| values::seconds_word(word, LONGEST, findings);
        let (down_span, down, up) = (down.span, delay(down), rest.first().map_or(Some(Duration::ZERO), delay));
        let (Some(mut down), Some(up)) = (down, up) else { continue };
        if let Some(limit) = limit(&link, instances).filter(|limit| down >= *limit) {
            let limit_words = values::in_seconds(limit);
            findings
                .warning(
                    "delay-too-long",
                    down_span,
                    format!("a Backup on `{link}` that hears nobody would become MASTER after {limit_words}"),
                )
                .help(format!("it is taken for a little less than {limit_words}; write less, or advertise less often"));
            down = limit.saturating_sub(Duration::from_millis(1));
        }
        if delays.insert(link, LinkDelay { down, up }).is_some() {
            findings
                .warning("given-twice", name.span, format!("`{}` is given twice; the last one counts", name.text))
                .help("remove one");
        }
    }
    delays
}

/// A node that does not yet know that its interface is down must not believe that the others are: all but one of the
/// advertisements that may be missed.
fn limit(link: &Name, instances: &[(Instance, &Word)]) -> Option<Duration> {
    let routers = instances.iter().map(|(instance, _)| &instance.router).filter(|router| router.link == *link);
    let limits = routers.map(|router| {
        let advertisements = u32::from(router.deviations.missed_advertisements).saturating_sub(1).max(1);
        router.advertisement_interval.as_duration() * advertisements
    });
    limits.min()
}
