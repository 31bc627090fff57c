//! The audit chain: each row is bound to every row and every journal line before it.
//!
//! Two hashes run. `journal` is `SHA-256(journal before, newline, line)` over the text of every journal line without its
//! checksum. `audit` is `SHA-256(audit before, newline, seq, newline, journal hash, newline, content)` over every audit row.
//! Both begin with 64 zeros and are written as hex. So a changed, removed, added or swapped audit row shows without the
//! journal, and with the journal's files a changed fill shows as well. Whoever can rewrite everything can make a new chain:
//! keep the head somewhere else.

use aws_lc_rs::digest::{Context, SHA256};

/// The heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Over all journal lines.
    pub journal: String,
    /// Over all audit rows.
    pub audit: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            journal: "0".repeat(64),
            audit: "0".repeat(64),
        }
    }
}

impl Chain {
    /// Moves the journal's hash over one line.
    pub fn follow(&mut self, text: &str) {
        self.journal = hash(&[&self.journal, text]);
    }
}

/// The hash of an audit row that follows a chain whose journal hash already contains the row's line.
#[must_use]
pub fn link(chain: &Chain, seq: i64, content: &str) -> String {
    hash(&[&chain.audit, &seq.to_string(), &chain.journal, content])
}

/// SHA-256 over parts separated by newlines, as hex. No part but the last can hold a newline (hex and digits; JSON lines
/// cannot either), so different parts never give the same text.
fn hash(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            context.update(b"\n");
        }
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
