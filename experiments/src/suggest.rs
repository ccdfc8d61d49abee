//! "Did you mean ...?"

/// The candidate closest to `word`, if it is close.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(word, c), c))
        .filter(|&(distance, c)| distance <= c.chars().count().max(6) / 3)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, c)| c)
}

/// A sentence for the end of a message, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(word, candidates).filter(|c| *c != word).map_or_else(String::new, |c| format!("; did you mean `{c}`?"))
}

/// The words that a message quotes in backticks.
pub fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_close_words_are_suggested() {
        assert_eq!(hint("pipline", ["pipeline", "hash"]), "; did you mean `pipeline`?");
        assert_eq!(hint("xyz", ["pipeline", "hash"]), "");
        assert_eq!(quoted("unknown field `a`, expected `b` or `c`"), ["a", "b", "c"]);
    }
}
