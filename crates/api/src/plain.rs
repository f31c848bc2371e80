//! What others say, as it may stand on a terminal and in the log: names of nodes and units, reasons, the words of a script or
//! of a mail server. A neighbour must not be able to clear an operator's screen, to add a line to what he reads, or to have it
//! read otherwise than it is.

use std::borrow::Cow;

/// A text of one line with everything written out that does something instead of showing something: `\u{1b}`, `\n`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if acts(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    Cow::Owned(shown)
}

/// Control characters, other ends of lines, and what turns round the order in which letters are shown.
fn acts(letter: char) -> bool {
    const END_OF_LINE: std::ops::RangeInclusive<char> = '\u{2028}'..='\u{2029}';
    letter.is_control()
        || END_OF_LINE.contains(&letter)
        || matches!(letter, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_others_say_does_nothing() {
        let check = |text: &str, expected: &str| {
            assert_eq!(plain(text), expected);
            assert_eq!(plain(expected), expected, "what is plain stays as it is");
        };
        check("\u{1b}[2J\u{9b}1mno\r\n\tsuch unit\u{7f}\0", "\\u{1b}[2J\\u{9b}1mno\\r\\n\\tsuch unit\\u{7f}\\u{0}");
        check("two\u{2028}lines\u{85}", "two\\u{2028}lines\\u{85}");
        check("b\u{202e}drawkcab\u{2066}\u{200f}", "b\\u{202e}drawkcab\\u{2066}\\u{200f}");
        check("Büro 2: 備援 → ready, 数据库", "Büro 2: 備援 → ready, 数据库");
        check("C:\\u{1b}", "C:\\u{1b}");
    }
}
