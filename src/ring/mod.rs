//! One bounded single-producer single-consumer queue, with the memory of what it had to drop.
//!
//! A thin wrapper over `rtrb`: the producer never blocks and never lies. When the ring is full it counts what is lost, and
//! the next item it can place is a *gap* marker. The consumer drains in bounded batches. Knows nothing of trading.
//!
//! ```
//! let (mut producer, mut consumer) = arbalest::ring::ring::<u64>(2, |lost| 1_000 + lost);
//! assert!(producer.push(1) && producer.push(2));
//! assert!(!producer.push(3), "full: 3 is lost and remembered");
//! let mut seen = Vec::new();
//! consumer.drain(1, |item| seen.push(*item));
//! assert!(!producer.push(4), "the gap takes the free slot first, 4 is lost too");
//! consumer.drain(8, |item| seen.push(*item));
//! assert_eq!(seen, [1, 2, 1_001]);
//! ```

mod spsc;
mod wait;

pub use spsc::{Consumer, Producer, RingStats, ring};
pub use wait::{Idle, WaitStrategy, Wake};
