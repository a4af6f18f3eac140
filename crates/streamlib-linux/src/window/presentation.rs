//! When the pictures of a window were seen, where its window system tells that: Wayland does, if its compositor knows
//! `wp_presentation` and times on the clock of frames. X11 does not.

use std::collections::VecDeque;

use crate::sys::wayland::{Feedback, Presented};

use super::Window;

/// Pictures that may wait for their news. A compositor has told of all but the last few, unless it tells nothing.
const MOST_OPEN: usize = 64;

/// Tells what becomes of a window's pictures, each with a value of the caller's.
///
/// Nothing here waits: news are those that have come when they are asked for.
pub struct Presentation<T> {
    feedback: Feedback,
    open: Open<T>,
    /// Whether the window system may tell more.
    is_there: bool,
    /// Whether it has told of a picture that was seen.
    has_seen: bool,
}

/// Questions that are not answered yet.
#[derive(Debug)]
struct Open<T> {
    /// By number, in the order in which they were asked.
    asked: VecDeque<(u64, Option<T>)>,
    /// The question that the next picture answers.
    next: Option<u64>,
    /// How many were asked.
    count: u64,
}

impl Window {
    /// What tells when its pictures are seen; none where the window system does not. The window stays
    /// open for as long as this is held, too.
    #[must_use]
    pub fn presentation<T>(&self) -> Option<Presentation<T>> {
        let feedback = Feedback::new(&self.window)?;
        Some(Presentation { feedback, open: Open::default(), is_there: true, has_seen: false })
    }
}

impl<T> Presentation<T> {
    /// Is called before a picture is handed over to the window system, which then tells of it.
    pub fn ask(&mut self) {
        if self.is_there
            && let Some(number) = self.open.ask()
        {
            self.feedback.ask(number);
        }
    }

    /// A picture was handed over after [`ask`](Self::ask). Whether news of it will come, with `what`.
    pub fn handed_over(&mut self, what: T) -> bool {
        self.is_there && self.open.handed_over(Some(what))
    }

    /// A picture was handed over that nobody wants news of.
    pub fn handed_over_unasked(&mut self) {
        self.open.handed_over(None);
    }

    /// The pictures that were seen since this was last asked, and those that never will be, without a time.
    pub fn news(&mut self) -> Vec<(T, Option<Presented>)> {
        let Some(news) = self.feedback.news() else {
            self.is_there = false;
            return Vec::new();
        };
        let news: Vec<_> =
            news.filter_map(|(number, fate)| Some((self.open.answered(number)?, fate))).collect();
        self.has_seen |= news.iter().any(|(_, fate)| fate.is_some());
        news
    }

    /// At the end, the pictures without news, where the window system has told of none that it was seen: more is not known of them
    /// than that they were handed over. Where it has told of some, those without are the last ones.
    pub fn untold(self) -> Vec<T> {
        if self.has_seen { Vec::new() } else { self.open.untold().collect() }
    }
}

impl<T> Default for Open<T> {
    fn default() -> Self {
        Self { asked: VecDeque::new(), next: None, count: 0 }
    }
}

impl<T> Open<T> {
    /// The number of a question that has to be asked before the next picture; none if there is one already, or are too many.
    fn ask(&mut self) -> Option<u64> {
        if self.next.is_some() || self.asked.len() >= MOST_OPEN {
            return None;
        }
        self.count += 1;
        self.asked.push_back((self.count, None));
        self.next = Some(self.count);
        self.next
    }

    /// Lets the next question be one about `what`; whether there is one.
    fn handed_over(&mut self, what: Option<T>) -> bool {
        let next = self.next.take();
        let asked = self.asked.iter_mut().find(|(number, _)| Some(*number) == next);
        asked.map(|(_, about)| *about = what).is_some()
    }

    /// What a question was about that is answered now.
    fn answered(&mut self, number: u64) -> Option<T> {
        let place = self.asked.iter().position(|(asked, _)| *asked == number)?;
        self.asked.remove(place).and_then(|(_, about)| about)
    }

    fn untold(self) -> impl Iterator<Item = T> {
        self.asked.into_iter().filter_map(|(_, about)| about)
    }
}

impl<T> std::fmt::Debug for Presentation<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Presentation({} open)", self.open.asked.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_about_the_picture_that_follows_it() {
        let mut open = Open::default();
        assert_eq!(open.ask(), Some(1));
        // The picture did not come to be handed over: the question stays, for the next.
        assert_eq!(open.ask(), None);
        assert!(open.handed_over(Some("first")));
        assert_eq!(open.ask(), Some(2));
        // Another picture takes this one.
        assert!(open.handed_over(None));
        assert_eq!(open.ask(), Some(3));
        assert!(open.handed_over(Some("second")));
        assert!(!open.handed_over(Some("unasked")));
        assert_eq!(
            [3, 2, 1, 1].map(|number| open.answered(number)),
            [Some("second"), None, Some("first"), None]
        );
    }

    #[test]
    fn a_question_that_is_answered_before_its_picture_comes_is_none() {
        let mut open = Open::<()>::default();
        assert_eq!(open.ask(), Some(1));
        assert_eq!(open.answered(1), None);
        assert!(!open.handed_over(Some(())));
        assert_eq!(open.ask(), Some(2));
    }

    #[test]
    fn a_compositor_that_answers_nothing_is_asked_no_more() {
        let mut open = Open::default();
        for _ in 0..MOST_OPEN {
            assert!(open.ask().is_some() && open.handed_over(Some(())));
        }
        assert!(open.ask().is_none() && !open.handed_over(Some(())));
        assert_eq!(open.answered(1), Some(()));
        assert!(open.ask().is_some());
    }

    #[test]
    fn pictures_without_news_are_known_in_the_end() {
        let mut open = Open::default();
        for about in ["first", "second", "third"] {
            assert!(open.ask().is_some() && open.handed_over(Some(about)));
        }
        assert!(open.ask().is_some(), "a question without a picture");
        assert_eq!(open.answered(2), Some("second"));
        assert_eq!(open.untold().collect::<Vec<_>>(), ["first", "third"]);
    }
}
