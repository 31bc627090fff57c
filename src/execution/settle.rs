//! Which approvals are over: the watermark that tells the gate which holds it may forget.
//!
//! The gate numbers its approvals 1, 2, 3 and so on without holes. The watermark is the highest number up to which every
//! approval is terminal with all its fills counted, or was given back unsent. A missing number holds it: that keeps holds
//! too long, never too short. Forced closes have numbers of their own and are not counted here.

use std::collections::BTreeSet;

use crate::trade::ApprovalSeq;

/// Approvals that are out, and those over but above the watermark.
#[derive(Debug, Clone, Default)]
pub struct Settlement {
    watermark: u64,
    open: BTreeSet<u64>,
    over: BTreeSet<u64>,
}

impl Settlement {
    /// True for a number not seen before.
    #[must_use]
    pub fn is_new(&self, seq: ApprovalSeq) -> bool {
        seq.0 > self.watermark && !self.over.contains(&seq.0) && !self.open.contains(&seq.0)
    }
    /// Takes an approval into account; false when this number was seen before (nothing must be sent for it).
    pub fn open(&mut self, seq: ApprovalSeq) -> bool {
        self.is_new(seq) && self.open.insert(seq.0)
    }
    /// True when an approval is out and not over.
    #[must_use]
    pub fn is_open(&self, seq: ApprovalSeq) -> bool {
        self.open.contains(&seq.0)
    }
    /// The approval is over. Returns true when the watermark moved.
    pub fn close(&mut self, seq: ApprovalSeq) -> bool {
        self.open.remove(&seq.0);
        if seq.0 <= self.watermark {
            return false;
        }
        self.over.insert(seq.0);
        let before = self.watermark;
        while self.over.remove(&(self.watermark + 1)) {
            self.watermark += 1;
        }
        self.watermark != before
    }
    /// Every approval up to here is over.
    #[must_use]
    pub const fn watermark(&self) -> ApprovalSeq {
        ApprovalSeq(self.watermark)
    }
    /// Approvals that are out.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_open_ones_hold_it() {
        let mut settlement = Settlement::default();
        for seq in [1, 2, 3] {
            assert!(settlement.open(ApprovalSeq(seq)));
        }
        assert!(!settlement.open(ApprovalSeq(2)));
        assert!(!settlement.close(ApprovalSeq(2)));
        assert!(settlement.close(ApprovalSeq(1)));
        assert_eq!(settlement.watermark(), ApprovalSeq(2));
        assert!(
            !settlement.open(ApprovalSeq(2)),
            "what is over is not sent again"
        );
        assert!(!settlement.close(ApprovalSeq(5)), "a hole");
        assert!(settlement.close(ApprovalSeq(3)));
        assert_eq!(settlement.watermark(), ApprovalSeq(3));
        assert!(settlement.close(ApprovalSeq(4)), "given back unsent");
        assert_eq!(settlement.watermark(), ApprovalSeq(5));
        assert_eq!(settlement.open_count(), 0);
    }
}
