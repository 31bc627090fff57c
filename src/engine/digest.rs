//! A running hash of every decision: equal inputs must give equal digests.

use crate::trade::{Fill, Ticket};

/// FNV-1a, 128 bits, over a canonical byte form of each decision in order. Not for secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionDigest {
    state: u128,
    count: u64,
}

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;

impl Default for DecisionDigest {
    fn default() -> Self {
        Self {
            state: OFFSET,
            count: 0,
        }
    }
}

impl DecisionDigest {
    /// Adds one decision: a tag that names its kind and its numbers.
    pub fn add(&mut self, tag: u8, numbers: &[i128]) {
        self.byte(tag);
        for number in numbers {
            for byte in number.to_le_bytes() {
                self.byte(byte);
            }
        }
        self.count += 1;
    }

    /// Adds an order handed to a gateway.
    pub fn add_ticket(&mut self, ticket: &Ticket) {
        self.add(
            1,
            &[
                i128::from(ticket.client_order_id.set().0),
                i128::from(ticket.client_order_id.leg()),
                i128::from(ticket.client_order_id.attempt()),
                i128::from(ticket.instrument.0),
                i128::from(ticket.side.sign()),
                i128::from(ticket.qty.0),
                i128::from(ticket.limit_price.0),
            ],
        );
    }

    /// Adds an execution.
    pub fn add_fill(&mut self, fill: &Fill) {
        self.add(
            2,
            &[
                i128::from(fill.instrument.0),
                i128::from(fill.side.sign()),
                i128::from(fill.qty.0),
                i128::from(fill.price.0),
                fill.fee.normalize().mantissa(),
                i128::from(fill.trade_id),
            ],
        );
    }

    const fn byte(&mut self, byte: u8) {
        self.state = (self.state ^ byte as u128).wrapping_mul(PRIME);
    }

    /// How many decisions were added.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// 32 hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        format!("{:032x}", self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_content_matter() {
        let digest = |rows: &[(u8, i128)]| {
            let mut digest = DecisionDigest::default();
            for (tag, number) in rows {
                digest.add(*tag, &[*number]);
            }
            digest.hex()
        };
        assert_eq!(digest(&[(1, 2), (3, 4)]), digest(&[(1, 2), (3, 4)]));
        assert_ne!(digest(&[(1, 2), (3, 4)]), digest(&[(3, 4), (1, 2)]));
        assert_ne!(digest(&[(1, 2)]), digest(&[(1, -2)]));
    }
}
