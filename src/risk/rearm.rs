//! What people asked for and others must approve: one-time tokens, bound to what was shown (RISK.md 2.5).

use std::sync::Arc;

use aws_lc_rs::digest;

use crate::units::MonoNanos;

use super::operator::Hex32;
use super::role::Person;
use super::{KillLevel, Limits, Scope};

/// Most requests that may wait at once; the oldest gives way.
const WAITING_MAX: usize = 16;

/// What waits for approval.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// A lower level.
    Rearm {
        scope: Scope,
        to_level: KillLevel,
        two_people: bool,
    },
    /// Looser limits, and the hash of those that were in force when they were shown.
    Limits { limits: Arc<Limits>, base: Hex32 },
}

/// One wish and what it is bound to.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    token: Hex32,
    pub(super) wish: Wish,
    pub(super) by: Person,
    pub(super) reason: String,
    pub(super) hash: Hex32,
    pub(super) expires_at: MonoNanos,
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Pending>);

impl Waiting {
    /// Keeps a wish until its token dies, and says when that is.
    pub(super) fn add(
        &mut self,
        wish: Wish,
        by: Person,
        reason: String,
        (token, hash): (Hex32, Hex32),
        expires_at: MonoNanos,
        now: MonoNanos,
    ) -> MonoNanos {
        self.0
            .retain(|one| one.expires_at >= now && !one.token.same(&token));
        if self.0.len() >= WAITING_MAX {
            self.0.remove(0);
        }
        self.0.push(Pending {
            token,
            wish,
            by,
            reason,
            hash,
            expires_at,
        });
        expires_at
    }
    /// The wish of a living token. It is taken out: the caller puts it back where the token stays good.
    pub(super) fn take(&mut self, token: &Hex32, now: MonoNanos) -> Option<Pending> {
        self.0.retain(|one| one.expires_at >= now);
        let at = self.0.iter().position(|one| one.token.same(token))?;
        Some(self.0.remove(at))
    }
    /// Puts a wish back.
    pub(super) fn put_back(&mut self, pending: Pending) {
        self.0.push(pending);
    }
}

/// Two names of one person, however they are typed.
pub(super) fn same_name(left: &str, right: &str) -> bool {
    left.trim().to_lowercase() == right.trim().to_lowercase()
}

/// SHA-256.
pub(super) fn sha256(text: &str) -> Hex32 {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0; 32];
    bytes
        .iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    Hex32(bytes)
}
