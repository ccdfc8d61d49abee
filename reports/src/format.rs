//! Numbers as people read them.

/// Three significant digits, without exponent, and no trailing point.
fn significant(x: f64) -> String {
    let decimals = match x.abs() {
        x if x >= 99.95 => 0,
        x if x >= 9.995 => 1,
        x if x >= 0.9995 => 2,
        _ => 3,
    };
    format!("{x:.decimals$}")
}

fn scaled(x: f64, units: &[(f64, &str)]) -> String {
    let Some(&(last, last_unit)) = units.last() else {
        return significant(x);
    };
    // A value that rounds to 1000 of a unit is 1 of the next.
    let fit = units.iter().find(|(scale, _)| x.abs() >= 0.9995 * scale);
    let &(scale, unit) = fit.unwrap_or(&(last, last_unit));
    format!("{} {unit}", significant(x / scale))
}

/// A time given in nanoseconds.
pub fn time(ns: f64) -> String {
    scaled(ns, &[(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")])
}

/// Bytes, in powers of 1024.
pub fn bytes(n: f64) -> String {
    const KIB: f64 = 1024.0;
    scaled(n, &[(KIB * KIB * KIB, "GiB"), (KIB * KIB, "MiB"), (KIB, "KiB"), (1.0, "B")])
}

/// A count with an engineering prefix.
pub fn count(n: f64) -> String {
    if n < 1000.0 {
        return if n.fract() == 0.0 { format!("{n:.0}") } else { significant(n) };
    }
    let text = scaled(n, &[(1e9, "G"), (1e6, "M"), (1e3, "k")]);
    text.replace(' ', "\u{202f}")
}

/// A whole number with thin spaces between groups of three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// Hertz of cycles.
pub fn rate(hz: f64) -> String {
    scaled(hz, &[(1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz")])
}

/// A ratio or another plain figure.
pub fn plain(x: f64) -> String {
    significant(x)
}

/// Two to the power of `n`, in superscript digits.
pub fn power_of_two(n: i32) -> String {
    let digits: String = n
        .to_string()
        .chars()
        .filter_map(|c| {
            if c == '-' { Some('⁻') } else { "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(c.to_digit(10)? as usize) }
        })
        .collect();
    format!("2{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_the_magnitude() {
        assert_eq!(time(1.234e9), "1.23 s");
        assert_eq!(time(999.6e6), "1.00 s");
        assert_eq!(time(45.67e6), "45.7 ms");
        assert_eq!(time(123.0), "123 ns");
        assert_eq!(time(0.0), "0.000 ns");
        assert_eq!(bytes(1536.0), "1.50 KiB");
        assert_eq!(bytes(6.5 * 1024.0 * 1024.0 * 1024.0), "6.50 GiB");
        assert_eq!(count(999.0), "999");
        assert_eq!(count(0.0), "0");
        assert_eq!(count(1_048_576.0), "1.05\u{202f}M");
        assert_eq!(rate(312_000.0), "312 kHz");
        assert_eq!(grouped(1_048_576), "1\u{202f}048\u{202f}576");
        assert_eq!(power_of_two(20), "2²⁰");
    }
}
