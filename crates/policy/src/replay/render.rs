//! What a replay shows, as a board reads it.

use std::fmt::Write as _;

use super::{Changed, Replayed, Shift};

impl Replayed {
    /// The figures, then each kind of question whose answer would change, under what happens to it.
    #[must_use]
    pub fn render(&self) -> String {
        let same = self.questions.saturating_sub(self.changed_questions);
        let mut text = format!(
            "{} questions replayed, no record read: {same} as before, {} would have another answer.\n",
            self.questions, self.changed_questions
        );
        self.part(&mut text, "REFUSED BEFORE, WOULD BE ANSWERED", |s| matches!(s, Shift::NowAnswered(_)));
        self.part(&mut text, "ANSWERED BEFORE, WOULD BE ANSWERED OTHERWISE", |s| {
            matches!(s, Shift::Otherwise(_))
        });
        self.part(&mut text, "ANSWERED BEFORE, WOULD BE REFUSED", |s| matches!(s, Shift::NowRefused(_)));
        let shown: u64 = self.changed.iter().map(|c| c.times).sum();
        if let Some(more) = self.changed_questions.checked_sub(shown).filter(|more| *more > 0) {
            let _ = writeln!(text, "\nand {more} more questions, of further kinds");
        }
        if let Some(line) = self.logged_otherwise_first {
            let _ = writeln!(
                text,
                "\nOf {} logged, the first in line {line}, the log says another verdict than OLD gives: a brake, a spent budget, a\n\
                 quota, or another version of the policy.",
                self.logged_otherwise
            );
        }
        text
    }

    fn part(&self, text: &mut String, title: &str, is: impl Fn(&Shift) -> bool) {
        let changed: Vec<&Changed> = self.changed.iter().filter(|c| is(&c.change)).collect();
        if changed.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{title}");
        for one in changed {
            let times = match one.times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            let _ = writeln!(text, "  {}", one.question);
            let Changed { role, purpose, line, on, .. } = one;
            let _ = writeln!(text, "    by {role} for {purpose}, {times}; first in line {line}, on {on}");
            for line in lines(&one.change) {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
}

fn lines(change: &Shift) -> Vec<String> {
    match change {
        Shift::NowRefused(rules) => rules.iter().map(|r| format!("{}: {}", r.rule, r.says)).collect(),
        Shift::NowAnswered(share) => vec![format!("answered under share.{share}")],
        Shift::Otherwise(differs) => differs.clone(),
    }
}
