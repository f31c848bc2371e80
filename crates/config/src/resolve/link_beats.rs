//! `linkbeat_interfaces` and `linkbeat_use_polling`: interfaces whose links are polled.

use super::values;
use crate::diagnostic::Findings;
use crate::settings::{BeatMethod, LinkBeats};
use crate::statement::Statement;

pub(super) fn read<'s, 'a: 's>(
    blocks: impl Iterator<Item = &'s Statement<'a>>,
    everywhere: bool,
    findings: &mut Findings,
) -> LinkBeats {
    let mut beats = LinkBeats { everywhere, ..LinkBeats::default() };
    for line in blocks.flat_map(|block| block.entries()) {
        let [name, rest @ ..] = &line.words[..] else { continue };
        let Some(link) = values::interface(name, findings) else { continue };
        let method = match rest.first().map(|word| (word.text.as_str(), word)) {
            None => None,
            Some(("MII", _)) => Some(BeatMethod::Mii),
            Some(("ETHTOOL", _)) => Some(BeatMethod::Ethtool),
            Some(("IOCTL", _)) => Some(BeatMethod::Ioctl),
            Some((other, word)) => {
                findings
                    .error("bad-value", word.span, format!("`{other}` is no way to poll the link of `{}`", name.text))
                    .help("it is MII, ETHTOOL, IOCTL or nothing; another interface stands on a line of its own");
                continue;
            }
        };
        if let Some(word) = rest.get(1) {
            findings
                .error("extra-word", word.span, format!("`{}` is one word too many", word.text))
                .help("each line is an interface, and perhaps MII, ETHTOOL or IOCTL");
        }
        if beats.links.insert(link, method).is_some() {
            findings
                .warning("given-twice", name.span, format!("`{}` is given twice; the last one counts", name.text))
                .help("remove one");
        }
    }
    beats
}
