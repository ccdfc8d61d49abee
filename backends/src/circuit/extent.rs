//! The extent of an execution as bytes, and whether an execution can have it.

use trilemma_arith::Air;
use trilemma_arith::air::PublicTerm;
use trilemma_arith::plonkish::Extent;
use trilemma_core::{Reject, Setting};
use trilemma_piop::instances::{MAX_LOG_HEIGHT, MIN_LOG_HEIGHT};

/// Most instances of one table that a byte can count.
const MAX_INSTANCES: usize = 255;

/// The rows of every instance, table by table: a count, then so many numbers in groups of seven bits,
/// the lowest first. Tables with fixed columns are as tall as those, and are left out.
pub fn encode<S: Setting>(air: &Air<S>, extent: &Extent) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (table, kernel) in air.tables.iter().enumerate() {
        if kernel.shape().fixed.is_empty() {
            let rows: Vec<usize> = extent.instances.iter().filter(|i| i.0 == table).map(|i| i.1).collect();
            bytes.push(rows.len() as u8);
            rows.into_iter().for_each(|rows| number(rows, &mut bytes));
        }
    }
    bytes
}

fn number(mut x: usize, bytes: &mut Vec<u8>) {
    while x > 127 {
        bytes.push(x as u8 | 128);
        x >>= 7;
    }
    bytes.push(x as u8);
}

/// Reads what [`encode`] wrote from the front of `bytes`, for a statement of these terms. Refuses
/// every encoding but the shortest, and extents beyond what the relation allows.
pub fn decode<S: Setting>(air: &Air<S>, terms: &[PublicTerm], bytes: &mut &[u8]) -> Result<Extent, Reject> {
    let bad = || Reject::new("the extent of the execution");
    let statement = terms.iter().map(|t| (t.bus, t.multiplicity)).collect();
    let mut extent = Extent { instances: Vec::new(), statement };
    let mut all = 0;
    for (table, kernel) in air.tables.iter().enumerate() {
        let shape = kernel.shape();
        let mut heights = Vec::new();
        if shape.fixed.is_empty() {
            let count = byte(bytes).ok_or_else(bad)?;
            for _ in 0..count {
                heights.push(read_number(bytes).ok_or_else(bad)?);
            }
        } else {
            heights.push(shape.fixed_height);
        }
        let cyclic = shape.uses_next();
        let legal = |&rows: &usize| {
            rows > 0
                && rows <= 1 << MAX_LOG_HEIGHT
                && (!cyclic || rows.is_power_of_two() && rows >= 1 << MIN_LOG_HEIGHT)
        };
        all += heights.iter().map(|&rows| rows.min(1 << MAX_LOG_HEIGHT)).sum::<usize>();
        if heights.len() > air.max_instances.min(MAX_INSTANCES) || !heights.iter().all(legal) || all > air.max_rows {
            return Err(bad());
        }
        extent.instances.extend(heights.into_iter().map(|rows| (table, rows)));
    }
    Ok(extent)
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(first)
}

fn read_number(bytes: &mut &[u8]) -> Option<usize> {
    let (mut x, mut shift) = (0usize, 0);
    loop {
        let next = byte(bytes)?;
        x |= usize::from(next & 127) << shift;
        shift += 7;
        match next {
            0 if shift > 7 => return None,
            0..=127 => return Some(x),
            _ if shift > 28 => return None,
            _ => {}
        }
    }
}
