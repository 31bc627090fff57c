//! PT-48: may this node run beside the others of its account? Knight's eighth server kept old code and woke a reused flag.

use super::Refusal;

/// What a node runs: hashes of its build and of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BuildId {
    /// Hash of the build (the commit, or of the binary).
    pub build: u64,
    /// Hash of the configuration.
    pub config: u64,
}

impl std::fmt::Display for BuildId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}/{:016x}", self.build, self.config)
    }
}

/// Start-up's question, once: `others` are the nodes of the same account that were seen to run, `flags` the feature flags
/// that are set, `known` those this build knows.
///
/// # Errors
/// [`Refusal::BuildMismatch`] with both identities; for an unknown flag both are our own. Refuse to start.
pub fn check(
    own: BuildId,
    others: &[BuildId],
    flags: &[&str],
    known: &[&str],
) -> Result<(), Refusal> {
    if let Some(other) = others.iter().find(|other| **other != own) {
        return Err(Refusal::BuildMismatch { own, other: *other });
    }
    if flags.iter().any(|flag| !known.contains(flag)) {
        return Err(Refusal::BuildMismatch { own, other: own });
    }
    Ok(())
}
