//! Which processes are meant.

/// What the kernel keeps of a process's name.
const NAME_LENGTH: usize = 15;

/// Which processes are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The command and its arguments.
    pub words: Vec<Vec<u8>>,
    pub by: MatchBy,
}

/// What of a process must be like the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchBy {
    /// The kernel's name of it. Of a longer one than it keeps, the last part of the program's path must agree, too.
    Name,
    /// The first word of its command line.
    Program,
    /// All words of its command line.
    AllWords,
    /// Its command line begins with these words.
    FirstWords,
    /// Its command line begins so, and the last of these words may be longer there.
    Beginning,
}

impl Pattern {
    /// Whether a process of this name can fit at all.
    pub(super) fn may_fit(&self, name: &[u8]) -> bool {
        match (self.by, self.words.first()) {
            (MatchBy::Name, Some(word)) => *name == word[..word.len().min(NAME_LENGTH)],
            (_, Some(_)) => true,
            (_, None) => false,
        }
    }

    /// Whether a process fits that has this name and this command line, whose words end with an octet of 0 each.
    pub(super) fn fits(&self, name: &[u8], command: impl FnOnce() -> Vec<u8>) -> bool {
        let Some(first) = self.words.first() else { return false };
        if self.by == MatchBy::Name && first.len() <= NAME_LENGTH {
            return name == first.as_slice();
        }
        let command = command();
        // The kernel's own threads have none.
        let Some((_, command)) = command.split_last() else { return false };
        let mut words = command.split(|octet| *octet == 0);
        match self.by {
            // A script's name is the second one, behind its interpreter's.
            MatchBy::Name => {
                self.may_fit(name)
                    && words.take(2).any(|word| word.rsplit(|octet| *octet == b'/').next() == Some(first.as_slice()))
            }
            MatchBy::Program => words.next() == Some(first.as_slice()),
            MatchBy::AllWords => words.eq(self.words.iter().map(Vec::as_slice)),
            MatchBy::FirstWords => self.words.iter().all(|word| words.next() == Some(word.as_slice())),
            MatchBy::Beginning => command.starts_with(&self.words.join(&0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(by: MatchBy, words: &str, name: &str, command: &str) -> bool {
        let pattern = Pattern { words: words.split(' ').map(|word| word.as_bytes().to_vec()).collect(), by };
        let command: Vec<u8> =
            command.split_terminator(' ').flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        pattern.may_fit(name.as_bytes()) && pattern.fits(name.as_bytes(), || command)
    }

    #[test]
    fn a_name_is_compared_as_a_whole() {
        let check = |words, name, command| fits(MatchBy::Name, words, name, command);
        assert!(check("sshd", "sshd", "sshd: /usr/sbin/sshd"));
        assert!(!check("ssh", "sshd", "ssh"));
        assert!(!check("/usr/sbin/sshd", "sshd", "/usr/sbin/sshd"));
        assert!(check("kthreadd", "kthreadd", ""));
    }

    /// The kernel keeps 15 characters.
    #[test]
    fn a_long_name_is_compared_with_the_path_too() {
        let check = |words, name, command| fits(MatchBy::Name, words, name, command);
        assert!(check("verylongprogramname", "verylongprogram", "/opt/verylongprogramname -d"));
        assert!(check("verylongprogramname", "verylongprogram", "/bin/sh /opt/verylongprogramname"));
        assert!(!check("verylongprogramname", "verylongprogram", "/opt/verylongprogramnome"));
        assert!(!check("verylongprogramname", "another", "/opt/verylongprogramname"));
        assert!(check("verylongprogram", "verylongprogram", "/opt/verylongprogramname"));
    }

    /// The same command lines as in an experiment with keepalived 2.2.7.
    #[test]
    fn command_lines_are_compared_word_by_word() {
        let lines =
            ["/tmp/sleeper 100", "/tmp/sleeper 1000", "/tmp/sleeper 100 200", "/tmp/sleeper 1000 2", "sleeper 100"];
        let check = |by, words: &str, expected: [bool; 5]| {
            let found = lines.map(|line| fits(by, words, "sleeper", line));
            assert_eq!(found, expected, "{by:?} {words}");
        };
        check(MatchBy::AllWords, "/tmp/sleeper 100", [true, false, false, false, false]);
        check(MatchBy::Beginning, "/tmp/sleeper 10", [true, true, true, true, false]);
        check(MatchBy::Beginning, "/tmp/sleeper 100 2", [false, false, true, false, false]);
        check(MatchBy::FirstWords, "/tmp/sleeper 100", [true, false, true, false, false]);
        check(MatchBy::FirstWords, "/tmp/sleeper 10", [false; 5]);
        check(MatchBy::AllWords, "/tmp/sleeper", [false; 5]);
        check(MatchBy::FirstWords, "/tmp/sleeper", [true, true, true, true, false]);
        check(MatchBy::Beginning, "/tmp/sleeper", [true, true, true, true, false]);
        check(MatchBy::Program, "/tmp/sleeper", [true, true, true, true, false]);
        check(MatchBy::Program, "sleeper", [false, false, false, false, true]);
    }

    #[test]
    fn an_empty_word_is_a_word() {
        let pattern = Pattern { words: vec![b"a".to_vec(), Vec::new(), b"b".to_vec()], by: MatchBy::AllWords };
        assert!(pattern.fits(b"a", || b"a\0\0b\0".to_vec()));
        assert!(!pattern.fits(b"a", || b"a\0b\0".to_vec()));
    }
}
