//! "Did you mean": the nearest known name to an unknown one.

/// The known name with the fewest edits, if they are few enough to be a slip.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| {
            let edits = distance(name, candidate);
            // The same words in another order, or with the unit left out, are one slip.
            let is_slip = words(name) == words(candidate)
                || (name.len() > 3 && candidate.starts_with(&format!("{name}_")));
            (if is_slip { edits.min(1) } else { edits }, candidate)
        })
        .min()
        .filter(|(edits, candidate)| *edits <= 2.max(name.len().min(candidate.len()).div_euclid(3)))
        .map(|(_, candidate)| candidate)
}

fn words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = name.split('_').collect();
    words.sort_unstable();
    words
}

/// Edits (insert, delete, replace, swap of neighbours counts two) between two names, bytewise.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.bytes().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (column, to) in right.bytes().enumerate() {
            let above = row.get(column + 1).copied().unwrap_or(usize::MAX - 1);
            let replaced = diagonal + usize::from(from != to);
            before = replaced.min(above + 1).min(before + 1);
            diagonal = above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_only() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let known = ["min_net_edge_bps", "max_net_edge_bps", "cooldown_ms"];
        assert_eq!(
            nearest("min_net_edge", known.into_iter()),
            Some("min_net_edge_bps")
        );
        assert_eq!(
            nearest("cooldwon_ms", known.into_iter()),
            Some("cooldown_ms")
        );
        assert_eq!(nearest("leverage", known.into_iter()), None);
        assert_eq!(nearest("cooldown", known.into_iter()), Some("cooldown_ms"));
        assert_eq!(
            nearest("bps_net_min_edge", known.into_iter()),
            Some("min_net_edge_bps")
        );
    }
}
