//! Whole-number division with its rounding named, for statistics on integers.

/// `over / under` rounded half to even; `None` when `under` is not above zero or the result does not fit.
#[must_use]
pub fn div_half_even(over: i128, under: i128) -> Option<i128> {
    if under <= 0 {
        return None;
    }
    let (floor, rest) = (over.div_euclid(under), over.rem_euclid(under));
    // Against the rest's complement, since twice the rest may not fit.
    match rest.cmp(&(under - rest)) {
        std::cmp::Ordering::Less => Some(floor),
        std::cmp::Ordering::Greater => floor.checked_add(1),
        std::cmp::Ordering::Equal => floor.checked_add(floor.rem_euclid(2)),
    }
}

/// `whole × part / parts` rounded down, from the exact product of up to 256 bits; `None` when an argument is below zero,
/// `parts` is zero, or the result does not fit. For amounts so fine that a product does not fit 128 bits.
#[must_use]
pub fn mul_div_floor(whole: i128, part: i128, parts: i128) -> Option<i128> {
    if whole < 0 || part < 0 || parts <= 0 {
        return None;
    }
    if let Some(product) = whole.checked_mul(part) {
        return Some(product.div_euclid(parts));
    }
    // Long division, one bit of `part` at a time: quotient and rest are doubled and the bit's `whole` is added.
    let (one_quotient, one_rest) = (whole.div_euclid(parts), whole.rem_euclid(parts));
    let (mut quotient, mut rest) = (0_i128, 0_i128);
    for place in (0..127).rev() {
        quotient = quotient.checked_mul(2)?;
        (quotient, rest) = carried(quotient, rest, rest, parts)?;
        if part >> place & 1 == 1 {
            quotient = quotient.checked_add(one_quotient)?;
            (quotient, rest) = carried(quotient, rest, one_rest, parts)?;
        }
    }
    Some(quotient)
}

/// Adds a rest to a rest, both below `parts`; what overflows into a whole goes to the quotient.
fn carried(quotient: i128, rest: i128, more: i128, parts: i128) -> Option<(i128, i128)> {
    let left = parts - rest;
    if more < left {
        Some((quotient, rest + more))
    } else {
        Some((quotient.checked_add(1)?, more - left))
    }
}

/// Square root of `value × 10^-decimals`, rounded down, with as many digits as 128 bits give: mantissa and its decimals.
#[must_use]
pub const fn sqrt_floor(value: u128, decimals: u32) -> (u128, u32) {
    let (mut value, mut decimals) = (value, decimals);
    if decimals % 2 == 1 {
        if let Some(tens) = value.checked_mul(10) {
            value = tens;
            decimals += 1;
        } else {
            value = value.div_euclid(10);
            decimals -= 1;
        }
    }
    while decimals < 36 {
        match value.checked_mul(100) {
            Some(wider) => value = wider,
            None => break,
        }
        decimals += 2;
    }
    (value.isqrt(), decimals.div_euclid(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_even() {
        for (over, under, expected) in [
            (5, 2, 2),
            (7, 2, 4),
            (-5, 2, -2),
            (-7, 2, -4),
            (7, 3, 2),
            (8, 3, 3),
            (-8, 3, -3),
            (0, 1, 0),
            (i128::MAX, i128::MAX, 1),
            (i128::MIN, 2, -(1 << 126)),
        ] {
            assert_eq!(
                div_half_even(over, under),
                Some(expected),
                "{over} / {under}"
            );
        }
        assert_eq!(div_half_even(1, 0), None);
        assert_eq!(div_half_even(1, -1), None);
    }

    #[test]
    fn products_wider_than_128_bits_are_exact() {
        let wide = 10_i128.pow(30);
        assert_eq!(mul_div_floor(wide, wide, wide), Some(wide));
        assert_eq!(mul_div_floor(wide + 7, wide, wide), Some(wide + 7));
        assert_eq!(mul_div_floor(wide, wide + 7, wide), Some(wide + 7));
        assert_eq!(mul_div_floor(wide, 3 * wide, 7), None, "does not fit");
        assert_eq!(
            mul_div_floor(i128::MAX, i128::MAX, i128::MAX),
            Some(i128::MAX)
        );
        assert_eq!(
            mul_div_floor(i128::MAX, i128::MAX - 1, i128::MAX),
            Some(i128::MAX - 1)
        );
        // (10^30 + 1) × (10^30 - 1) = 10^60 - 1.
        assert_eq!(mul_div_floor(wide + 1, wide - 1, wide), Some(wide - 1));
        assert_eq!(mul_div_floor(7, 3, 2), Some(10));
        for (whole, part, parts) in [(-1, 1, 1), (1, -1, 1), (1, 1, 0)] {
            assert_eq!(mul_div_floor(whole, part, parts), None);
        }
    }

    #[test]
    fn roots_keep_their_digits() {
        assert_eq!(sqrt_floor(0, 4), (0, 18));
        assert_eq!(sqrt_floor(4, 0), (2 * 10_u128.pow(18), 18));
        assert_eq!(
            sqrt_floor(4, 1).0.div_euclid(10_u128.pow(14)),
            6_324,
            "root of 0.4"
        );
        assert_eq!(sqrt_floor(324, 4).0, 18 * 10_u128.pow(16));
        let (root, decimals) = sqrt_floor(u128::MAX, 1);
        assert_eq!((root, decimals), (5_833_372_668_713_515_884, 0));
        let (root, decimals) = sqrt_floor(2, 0);
        assert_eq!((root, decimals), (1_414_213_562_373_095_048, 18));
    }
}
