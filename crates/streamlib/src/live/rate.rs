//! The rate at which frames are shown, as the title of a window tells it.

use std::time::{Duration, Instant};

/// How often the title changes.
const EVERY: Duration = Duration::from_secs(1);

/// Counts frames, and says from time to time what the title is to be.
#[derive(Debug)]
pub(super) struct RateTitle {
    title: String,
    since: Instant,
    shown: u32,
    /// What the title tells already.
    told: Option<u32>,
}

impl RateTitle {
    pub(super) fn new(title: String) -> Self {
        Self { title, since: Instant::now(), shown: 0, told: None }
    }

    /// A frame was shown.
    pub(super) fn count(&mut self) {
        self.shown += 1;
    }

    /// When to ask for the title next.
    pub(super) fn due(&self) -> Instant {
        self.since + EVERY
    }

    /// The title, when it is time for another one.
    pub(super) fn title(&mut self, now: Instant) -> Option<String> {
        let passed = now.saturating_duration_since(self.since);
        if passed < EVERY {
            return None;
        }
        let rate = (f64::from(self.shown) / passed.as_secs_f64()).round() as u32;
        (self.since, self.shown) = (now, 0);
        let has_changed = self.told.replace(rate) != Some(rate);
        has_changed.then(|| format!("{}, {rate} fps", self.title))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_tells_the_rate_of_the_last_while_when_that_is_another_one() {
        let mut rate = RateTitle::new("Kitchen".to_owned());
        let start = rate.since;
        let mut after = |frames, ms| {
            (0..frames).for_each(|_| rate.count());
            rate.title(start + Duration::from_millis(ms))
        };
        assert_eq!(after(40, 999), None);
        assert_eq!(after(20, 2000).as_deref(), Some("Kitchen, 30 fps"));
        assert_eq!(after(30, 3000), None);
        assert_eq!(after(0, 4000).as_deref(), Some("Kitchen, 0 fps"));
    }
}
