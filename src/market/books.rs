//! All books of an engine, by instrument id.

use crate::units::{MonoNanos, Nanos};

use super::{Book, Catalogue, InstrumentId, Top, Trust};

/// A dense array of books: one a catalogue entry.
#[derive(Debug, Clone)]
pub struct Books {
    books: Vec<Book>,
}

impl Books {
    /// Empty books for every instrument.
    #[must_use]
    pub fn new(catalogue: &Catalogue) -> Self {
        Self {
            books: catalogue
                .all()
                .iter()
                .map(|instrument| Book::new(instrument.tick))
                .collect(),
        }
    }
    /// One book.
    #[must_use]
    #[inline]
    pub fn get(&self, id: InstrumentId) -> Option<&Book> {
        self.books.get(id.index())
    }
    /// One book, to apply events to.
    #[inline]
    pub fn get_mut(&mut self, id: InstrumentId) -> Option<&mut Book> {
        self.books.get_mut(id.index())
    }
    /// Best bid and ask of a book that is Trusted at `now`; `None` otherwise. The only way a strategy prices.
    #[must_use]
    #[inline]
    pub fn trusted_top(&self, id: InstrumentId, now: MonoNanos, age_max: Nanos) -> Option<Top> {
        let book = self.get(id)?;
        if book.trust_at(now, age_max) == Trust::Trusted {
            book.top()
        } else {
            None
        }
    }
    /// All books with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Book)> {
        self.books.iter().enumerate().filter_map(|(index, book)| {
            u16::try_from(index).ok().map(|id| (InstrumentId(id), book))
        })
    }
}
