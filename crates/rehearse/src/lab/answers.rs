//! What a client's questions tell: who answered when, and when nobody did. Pure.
//!
//! Everything is counted by questions, not by the time between replies: a client that was held up itself asks late, and
//! that is no outage.

use std::sync::Arc;
use std::time::Duration;

use super::Moment;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When the client's kernel took it in.
    pub at: Moment,
    /// Who sent it.
    pub by: Arc<str>,
}

/// A question and its replies: none, one, or more if several hosts feel addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it was sent.
    pub at: Moment,
    /// In the order of their arrival.
    pub answers: Vec<Answer>,
}

/// All questions of a probe, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub asked: Vec<Asked>,
}

/// Questions in a row that nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the first of them was asked.
    pub from: Moment,
    /// When the next question was asked that got its answer; `None` if none did.
    pub until: Option<Moment>,
    /// How many they are.
    pub lost: usize,
}

/// Questions in a row that the same host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub by: Arc<str>,
    /// Its first and its last reply.
    pub from: Moment,
    pub until: Moment,
    pub answers: usize,
}

impl Answers {
    /// What was asked in this time.
    #[must_use]
    pub fn between(&self, from: Moment, until: Moment) -> Self {
        Self { asked: self.asked.iter().filter(|asked| (from..until).contains(&asked.at)).cloned().collect() }
    }

    /// Questions without an answer.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.asked.iter().filter(|asked| asked.answers.is_empty()).count()
    }

    /// All times without an answer.
    #[must_use]
    pub fn outages(&self) -> Vec<Outage> {
        let mut outages: Vec<Outage> = Vec::new();
        let mut open = false;
        for asked in &self.asked {
            match (open, asked.answers.is_empty()) {
                (false, true) => outages.push(Outage { from: asked.at, until: None, lost: 1 }),
                (true, true) => outages.last_mut().expect("one is open").lost += 1,
                (true, false) => outages.last_mut().expect("one is open").until = Some(asked.at),
                (false, false) => {}
            }
            open = asked.answers.is_empty();
        }
        outages
    }

    /// The longest time without an answer; zero if every question got one. One that has not ended counts up to the
    /// last question.
    #[must_use]
    pub fn longest_outage(&self) -> Duration {
        let end = self.asked.last().map_or(Moment::from_nanos(0), |asked| asked.at);
        self.outages().iter().map(|outage| outage.until.unwrap_or(end).since(outage.from)).max().unwrap_or_default()
    }

    /// Who answered, in the order of the questions. Of several replies to one question the first counts.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for answer in self.asked.iter().filter_map(|asked| asked.answers.first()) {
            match stretches.last_mut() {
                Some(stretch) if stretch.by == answer.by => {
                    stretch.until = answer.at;
                    stretch.answers += 1;
                }
                _ => stretches.push(Stretch { by: answer.by.clone(), from: answer.at, until: answer.at, answers: 1 }),
            }
        }
        stretches
    }

    /// Questions that more than one host answered.
    #[must_use]
    pub fn answered_twice(&self) -> usize {
        let twice = |asked: &&Asked| asked.answers.iter().any(|answer| answer.by != asked.answers[0].by);
        self.asked.iter().filter(twice).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a millisecond: who answered, `.` for nobody, `2` for both a and b.
    fn answers(text: &str) -> Answers {
        let answer = |at, by: &str| Answer { at, by: by.into() };
        let asked = text.chars().enumerate().map(|(ms, letter)| {
            let at = Moment::from_nanos(ms as u64 * 1_000_000);
            let answers = match letter {
                '.' => vec![],
                '2' => vec![answer(at, "a"), answer(at, "b")],
                by => vec![answer(at, &by.to_string())],
            };
            Asked { at, answers }
        });
        Answers { asked: asked.collect() }
    }

    fn check(text: &str, outage_ms: u64, lost: usize, who: &str) {
        let answers = answers(text);
        assert_eq!(answers.longest_outage(), Duration::from_millis(outage_ms), "{text}: outage");
        assert_eq!(answers.lost(), lost, "{text}: lost");
        let stretches: Vec<String> =
            answers.stretches().iter().map(|stretch| format!("{}{}", stretch.answers, stretch.by)).collect();
        assert_eq!(stretches.join(" "), who, "{text}: who");
    }

    #[test]
    fn tells_outages_and_who_answered() {
        check("", 0, 0, "");
        check("aaaa", 0, 0, "4a");
        check("aa...bb", 3, 3, "2a 2b");
        check("aa.a....bb.b", 4, 6, "3a 3b");
        check("aabaab", 0, 0, "2a 1b 2a 1b");
        check("...", 2, 3, "");
    }

    #[test]
    fn a_client_that_was_held_up_is_no_outage() {
        let mut answers = answers("aaaa");
        answers.asked[3].at = Moment::from_nanos(900_000_000);
        assert_eq!(answers.longest_outage(), Duration::ZERO);
    }

    #[test]
    fn tells_questions_that_two_hosts_answered() {
        assert_eq!(answers("aa22bb").answered_twice(), 2);
    }
}
