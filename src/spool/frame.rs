//! How a record lies in a segment: a mark, its length, a checksum, its bytes.
//!
//! The checksum covers where the record lies, too. So a body that holds the bytes of a record is not taken for one
//! when a reader looks for the next whole record after a damaged place, and a block that a disk has put elsewhere
//! is told.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// Begins every record; the digit is the version of this form.
const MARK: [u8; 8] = *b"\xFEOTSPL1\n";
const CHECKSUM: usize = 16;
/// What a record takes besides its bytes.
pub const HEAD: usize = MARK.len() + 4 + CHECKSUM;

/// Puts a record at the end of `segment`, which begins at byte `start` of the file with this number.
/// `None` where it is longer than 4 GiB.
pub fn put(segment: &mut Vec<u8>, number: u64, start: u64, record: &[u8]) -> Option<Range<u64>> {
    let length = u32::try_from(record.len()).ok()?;
    let at = start + size(segment.len());
    segment.extend_from_slice(&MARK);
    segment.extend_from_slice(&length.to_le_bytes());
    segment.extend_from_slice(&checksum(number, at, record));
    segment.extend_from_slice(record);
    Some(at..start + size(segment.len()))
}

/// What lies in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A whole record: all it takes.
    Record(Range<usize>),
    /// Bytes that are no record: torn at the end, or damaged.
    Damage(Range<usize>),
}

/// All that lies in a segment, in its order. After a damaged place it goes on at the next whole record.
pub fn scan(segment: &[u8], number: u64) -> Vec<Found> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < segment.len() {
        if let Some(end) = record_at(segment, number, at) {
            found.push(Found::Record(at..end));
            at = end;
            continue;
        }
        let next = (at + 1..segment.len()).find(|next| record_at(segment, number, *next).is_some());
        let end = next.unwrap_or(segment.len());
        found.push(Found::Damage(at..end));
        at = end;
    }
    found
}

/// The bytes of the record that `frame` is, the whole of it, read at byte `at` of its segment; `None` where it is
/// damaged.
pub fn record(frame: &[u8], number: u64, at: u64) -> Option<&[u8]> {
    let rest = frame.strip_prefix(&MARK)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<CHECKSUM>()?;
    let record = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (checksum(number, at, record) == *sum).then_some(record)
}

/// Where the record that begins at `at` ends, if a whole one does.
fn record_at(segment: &[u8], number: u64, at: usize) -> Option<usize> {
    let record = record(segment.get(at..)?, number, size(at))?;
    Some(at + HEAD + record.len())
}

fn checksum(number: u64, at: u64, record: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    hash.update(number.to_le_bytes());
    hash.update(at.to_le_bytes());
    hash.update(record);
    let whole: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|byte| whole.get(byte).copied().unwrap_or_default())
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Found, HEAD, put, record, scan};

    const NUMBER: u64 = 7;

    fn segment(records: &[&[u8]]) -> Vec<u8> {
        let mut segment = Vec::new();
        for one in records {
            put(&mut segment, NUMBER, 0, one).unwrap();
        }
        segment
    }

    fn records(segment: &[u8]) -> Vec<&[u8]> {
        let whole = scan(segment, NUMBER).into_iter().filter_map(|found| match found {
            Found::Record(range) => Some(&segment[range.start + HEAD..range.end]),
            Found::Damage(_) => None,
        });
        whole.collect()
    }

    #[test]
    fn what_was_put_is_found() {
        assert_eq!(records(&segment(&[b"one", b"", b"three"])), [b"one".as_slice(), b"", b"three"]);
        assert!(scan(&[], NUMBER).is_empty());
    }

    #[test]
    fn wherever_a_segment_is_torn_all_whole_records_before_are_found() {
        let whole = segment(&[b"one", b"two", b"three"]);
        let ends: Vec<usize> = scan(&whole, NUMBER)
            .into_iter()
            .map(|found| match found {
                Found::Record(range) => range.end,
                Found::Damage(range) => panic!("damage at {range:?}"),
            })
            .collect();
        for torn in 0..whole.len() {
            let complete = ends.iter().filter(|end| **end <= torn).count();
            assert_eq!(records(&whole[..torn]).len(), complete, "torn at {torn}");
            let at_an_end = torn == 0 || ends.contains(&torn);
            let told = scan(&whole[..torn], NUMBER).iter().any(|found| matches!(found, Found::Damage(_)));
            assert_eq!(told, !at_an_end, "torn at {torn}");
        }
    }

    #[test]
    fn whichever_byte_is_damaged_only_its_record_is_lost_and_that_is_told() {
        let whole = segment(&[b"one", b"two", b"three"]);
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            assert_eq!(records(&damaged).len(), 2, "byte {at}");
            assert!(scan(&damaged, NUMBER).iter().any(|found| matches!(found, Found::Damage(_))), "byte {at}");
        }
    }

    #[test]
    fn a_record_inside_a_body_is_none() {
        let inner = segment(&[b"forged"]);
        let mut outer = segment(&[&inner]);
        outer[0] ^= 1;
        assert_eq!(records(&outer), Vec::<&[u8]>::new());
    }

    #[test]
    fn a_record_of_another_place_is_none() {
        let whole = segment(&[b"one"]);
        assert!(record(&whole, NUMBER, 0).is_some());
        assert!(record(&whole, NUMBER, 1).is_none() && record(&whole, NUMBER + 1, 0).is_none());
    }
}
