//! Identifiers. Client order ids are deterministic, so a replay gives the same ones and a restart knows its own.

/// A strategy of the configuration, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyId(pub u8);

/// One multi-leg set, counted from 1 in a session. Forced closes use numbers with the top bit of 40 set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub u64);

/// Running number of an approval: how `RiskView.as_of` tells the gate which holds it already contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ApprovalSeq(pub u64);

/// Set numbers at and above this belong to forced closes.
pub const UNWIND_SET_FIRST: u64 = 1 << 39;

/// 128 bits: node (16), session epoch in seconds (32), set (40), leg (8), attempt (16), check (16).
///
/// Printed as 32 lower-case hex digits, which every planned venue accepts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientOrderId(pub u128);

/// Makes ids of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderIdSource {
    node: u16,
    epoch_secs: u32,
}

impl OrderIdSource {
    /// For a node and the second its session began.
    #[must_use]
    pub const fn new(node: u16, epoch_secs: u32) -> Self {
        Self { node, epoch_secs }
    }
    /// The id of one attempt at one leg of one set.
    #[must_use]
    pub fn id(self, set: SetId, leg: u8, attempt: u16) -> ClientOrderId {
        let bits = (u128::from(self.node) << 112)
            | (u128::from(self.epoch_secs) << 80)
            | (u128::from(set.0 & ((1 << 40) - 1)) << 40)
            | (u128::from(leg) << 32)
            | (u128::from(attempt) << 16);
        let folded = (0..8).fold(0_u16, |sum, part| {
            let word = u16::try_from((bits >> (part * 16)) & 0xFFFF).unwrap_or(0);
            sum.rotate_left(5) ^ word
        });
        ClientOrderId(bits | u128::from(folded))
    }
    /// True for an id of this node and session.
    #[must_use]
    pub fn owns(self, id: ClientOrderId) -> bool {
        self.id(id.set(), id.leg(), id.attempt()) == id
    }
    /// True for an id of this node, of whichever session.
    #[must_use]
    pub fn is_of_node(self, id: ClientOrderId) -> bool {
        Self::new(self.node, id.epoch_secs()).owns(id)
    }
}

impl ClientOrderId {
    /// The session it was made in.
    #[must_use]
    pub fn epoch_secs(self) -> u32 {
        u32::try_from((self.0 >> 80) & 0xFFFF_FFFF).unwrap_or(0)
    }
    /// The set it belongs to.
    #[must_use]
    pub fn set(self) -> SetId {
        SetId(u64::try_from((self.0 >> 40) & ((1 << 40) - 1)).unwrap_or(0))
    }
    /// The leg of that set.
    #[must_use]
    pub fn leg(self) -> u8 {
        u8::try_from((self.0 >> 32) & 0xFF).unwrap_or(0)
    }
    /// The attempt at that leg.
    #[must_use]
    pub fn attempt(self) -> u16 {
        u16::try_from((self.0 >> 16) & 0xFFFF).unwrap_or(0)
    }
    /// As 32 lower-case hex digits.
    #[must_use]
    pub fn hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = [b'0'; 32];
        for (place, slot) in out.iter_mut().enumerate() {
            let nibble = usize::try_from((self.0 >> (4 * (31 - place))) & 0xF).unwrap_or(0);
            *slot = DIGITS.get(nibble).copied().unwrap_or(b'0');
        }
        out
    }
    /// Reads 32 hex digits (hyphens ignored); `None` for anything else: not one of ours.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bits: u128 = 0;
        let mut count = 0;
        for &byte in text {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'-' => continue,
                _ => return None,
            };
            bits = bits.checked_mul(16)? | u128::from(digit);
            count += 1;
            if count > 32 {
                return None;
            }
        }
        (count == 32).then_some(Self(bits))
    }
}

impl std::fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_differ() {
        let source = OrderIdSource::new(3, 1_723_161_253);
        let id = source.id(SetId(77), 1, 2);
        assert_eq!((id.set(), id.leg(), id.attempt()), (SetId(77), 1, 2));
        assert_eq!(ClientOrderId::parse(&id.hex()), Some(id));
        assert_eq!(
            String::from_utf8(id.hex().to_vec()).unwrap(),
            id.to_string()
        );
        assert_ne!(id, source.id(SetId(77), 1, 3));
        assert!(source.owns(id));
        assert!(!OrderIdSource::new(4, 1_723_161_253).owns(id));
        let later = OrderIdSource::new(3, 1_723_161_254);
        assert!(!later.owns(id) && later.is_of_node(id));
        assert_ne!(later.id(SetId(77), 1, 2), id);
        assert!(!OrderIdSource::new(4, 1_723_161_254).is_of_node(id));
        assert!(!later.is_of_node(ClientOrderId(id.0 ^ 1)));
        assert_eq!(ClientOrderId::parse(b"autoclose-123456789"), None);
        assert_eq!(ClientOrderId::parse(b""), None);
    }
}
