//! Parses the whole input as one JSON value. Output: the numbers of objects,
//! arrays, string values (keys do not count) and numbers as little-endian u32,
//! then the sum of the integers, wrapping, as a little-endian i64.
#![no_std]
#![no_main]

use serde_json::Value;

guest::entry!(run);

#[derive(Default)]
struct Counts {
    objects: u32,
    arrays: u32,
    strings: u32,
    numbers: u32,
    sum: i64,
}

impl Counts {
    fn visit(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(_) => self.strings += 1,
            Value::Number(number) => {
                self.numbers += 1;
                let integer = number.as_i64().or(number.as_u64().map(|n| n as i64));
                self.sum = self.sum.wrapping_add(integer.unwrap_or(0));
            }
            Value::Array(items) => {
                self.arrays += 1;
                items.iter().for_each(|item| self.visit(item));
            }
            Value::Object(entries) => {
                self.objects += 1;
                entries.values().for_each(|item| self.visit(item));
            }
        }
    }
}

fn run() {
    let Ok(value) = serde_json::from_slice(&guest::read_input()) else {
        guest::fail("json: not a JSON value");
    };
    let mut counts = Counts::default();
    counts.visit(&value);
    for count in [
        counts.objects,
        counts.arrays,
        counts.strings,
        counts.numbers,
    ] {
        guest::write_output(&count.to_le_bytes());
    }
    guest::write_output(&counts.sum.to_le_bytes());
}
