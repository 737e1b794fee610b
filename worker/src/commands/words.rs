//! Words that commands take where only some are known: `--help` lists them, and so does the answer to another one.

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Takes one of `all` by its word.
pub(super) fn words<T>(all: &'static [T], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Copy + Send + Sync + 'static,
{
    let known = all.iter().map(move |value| word(*value));
    PossibleValuesParser::new(known).try_map(|word: String| word.parse::<T>())
}
