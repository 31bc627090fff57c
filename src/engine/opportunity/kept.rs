//! Episodes that are kept in full: from their first look until their last markout.

use crate::capacity::OPPORTUNITIES_WINDOW_MAX;
use crate::market::Books;
use crate::units::{MonoNanos, Ppm};

use super::edge::touch_edge;
use super::tracker::{NEVER, Tracker};
use super::words::{Look, MARKOUTS, Markout, Opportunity};

impl Tracker {
    /// Begins to keep an episode in full.
    pub(super) fn keep(
        &mut self,
        strategy: usize,
        slot: usize,
        edge: (Ppm, Ppm),
        books: &Books,
        at: (MonoNanos, MonoNanos),
    ) {
        let Some(route) = self.routes.get(slot).copied().flatten() else {
            return;
        };
        let free = self.kept.iter().position(Option::is_none);
        let (Some(place), Some(episode)) = (free, self.episodes.get_mut(slot)) else {
            self.window.dropped += 1;
            return;
        };
        let mut opened = Look::of(&route, books, at.0, at.1, edge);
        let peak = opened;
        // An episode that is kept from its first taking on began earlier.
        opened.at = episode.opened_at;
        let opportunity = Opportunity {
            strategy,
            route,
            opened,
            peak,
            decided: None,
            last: edge,
            looks: 0,
            taken: 0,
            refused: 0,
            reason: None,
            approval: None,
            closed_at: None,
            closed: None,
            markouts: [Markout::Pending; MARKOUTS.len()],
        };
        episode.kept = u16::try_from(place).ok();
        episode.kept_at = Some(at.0);
        self.second.1 = self.second.1.saturating_add(1);
        if let (Some(free), Ok(slot)) = (self.kept.get_mut(place), u32::try_from(slot)) {
            *free = Some((slot, opportunity));
        }
        self.find_due();
    }

    /// Moves a kept episode into the window when nothing more will be known of it.
    pub(super) fn hand_over(&mut self, place: usize) {
        let Some(slot) = self.kept.get_mut(place) else {
            return;
        };
        let Some((_, opportunity)) = slot.take_if(|(_, one)| one.is_whole()) else {
            return;
        };
        if self.window.opportunities.len() < OPPORTUNITIES_WINDOW_MAX {
            self.window.opportunities.push(opportunity);
        } else {
            self.window.dropped += 1;
        }
    }

    pub(super) fn mark(&mut self, books: &Books, received_at: MonoNanos, now: MonoNanos) {
        for place in 0..self.kept.len() {
            let Some(Some((_, opportunity))) = self.kept.get_mut(place) else {
                continue;
            };
            let mut marked = false;
            while let Some((which, due)) = opportunity.next_markout()
                && received_at >= due
            {
                let edge = touch_edge(
                    &opportunity.route,
                    books,
                    &self.catalogue,
                    &self.fees,
                    (now, self.book_age_max),
                );
                if let Some(markout) = opportunity.markouts.get_mut(which) {
                    *markout = edge.map_or(Markout::NoBook, Markout::Edge);
                }
                marked = true;
            }
            if marked {
                self.hand_over(place);
            }
        }
        self.find_due();
    }

    pub(super) fn find_due(&mut self) {
        let kept = self.kept.iter().flatten();
        let dues = kept.filter_map(|(_, one)| one.next_markout());
        self.due = dues.map(|(_, due)| due).min().unwrap_or(NEVER);
    }
}
