//! Times to places across: long waits take less room than they lasted, so that a busy minute and a silent month
//! are both readable.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Places of times between 0 and a width.
#[derive(Clone, Debug)]
pub struct Axis {
    places: BTreeMap<DateTime<Utc>, f64>,
}

impl Axis {
    /// An axis on which each of these times has a place of its own. The room between two neighbours grows with
    /// the logarithm of the time between them.
    pub fn new(times: impl IntoIterator<Item = DateTime<Utc>>, width: f64) -> Self {
        let mut places: BTreeMap<DateTime<Utc>, f64> = times.into_iter().map(|at| (at, 0.0)).collect();
        let (mut sum, mut before) = (0.0, None);
        for (at, place) in &mut places {
            if let Some(before) = before.replace(*at) {
                sum += room(*at - before);
            }
            *place = sum;
        }
        let scale = if sum > 0.0 { width / sum } else { 0.0 };
        places.values_mut().for_each(|place| *place *= scale);
        Self { places }
    }

    /// The place of a time; of one that has none of its own, in proportion between its neighbours.
    pub fn place(&self, at: DateTime<Utc>) -> f64 {
        let before = self.places.range(..=at).next_back();
        let after = self.places.range(at..).next();
        match (before, after) {
            (Some((from, left)), Some((until, right))) if until > from => {
                left + (right - left) * (seconds(at - *from) / seconds(*until - *from))
            }
            (Some((_, place)), _) | (None, Some((_, place))) => *place,
            (None, None) => 0.0,
        }
    }

    /// The times that have a place of their own, in their order.
    pub fn times(&self) -> impl Iterator<Item = (DateTime<Utc>, f64)> {
        self.places.iter().map(|(at, place)| (*at, *place))
    }
}

fn room(gap: TimeDelta) -> f64 {
    1.0 + (1.0 + seconds(gap) / 60.0).ln()
}

/// A picture needs no more than seconds.
fn seconds(span: TimeDelta) -> f64 {
    let whole = i32::try_from(span.num_seconds()).unwrap_or(i32::MAX);
    f64::from(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_order_and_long_waits_take_less_room() {
        let at = |minutes: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let axis = Axis::new([at(60_000), at(0), at(1), at(61)], 100.0);
        let places: Vec<f64> = axis.times().map(|(_, place)| place).collect();
        assert!(places.is_sorted());
        assert!((axis.place(at(0)), axis.place(at(60_000))) == (0.0, 100.0));
        assert!(axis.place(at(1)) > 5.0, "a minute can be seen beside six weeks");
        let between = axis.place(at(31));
        assert!(between > axis.place(at(1)) && between < axis.place(at(61)));
        assert!(axis.place(at(-5)) == 0.0 && axis.place(at(70_000)) == 100.0);
        assert!(Axis::new([at(3)], 100.0).place(at(3)) == 0.0);
    }
}
