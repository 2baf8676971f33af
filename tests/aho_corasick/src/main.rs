// SPDX-License-Identifier: Apache-2.0
//! Compares lanewise's matches with those of the aho-corasick crate. Standard input is a sequence of cases:
//!
//!     semantics (0 overlapping, 1 standard, 2 leftmost-first, 3 leftmost-longest), whether case is ignored: a byte each
//!     number of patterns, then each as its size and bytes; the text likewise
//!     number of matches, then each as pattern, begin and end
//!
//! with 32-bit numbers, the lowest byte first.
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::io::{self, BufReader, Read};
use std::process::ExitCode;

struct Case {
    semantics: u8,
    ignore_case: bool,
    patterns: Vec<Vec<u8>>,
    text: Vec<u8>,
    matches: Vec<(u32, u32, u32)>,
}

fn read_u32(input: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn read_bytes(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; read_u32(input)? as usize];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The next case; none at the end of the input.
fn read_case(input: &mut impl Read) -> io::Result<Option<Case>> {
    let mut first = [0; 1];
    if input.read(&mut first)? == 0 {
        return Ok(None);
    }
    let mut ignore_case = [0; 1];
    input.read_exact(&mut ignore_case)?;
    let mut patterns = Vec::new();
    for _ in 0..read_u32(input)? {
        patterns.push(read_bytes(input)?);
    }
    let text = read_bytes(input)?;
    let mut matches = Vec::new();
    for _ in 0..read_u32(input)? {
        matches.push((read_u32(input)?, read_u32(input)?, read_u32(input)?));
    }
    Ok(Some(Case { semantics: first[0], ignore_case: ignore_case[0] != 0, patterns, text, matches }))
}

fn expected(case: &Case) -> Vec<(u32, u32, u32)> {
    let kind = match case.semantics {
        0 | 1 => MatchKind::Standard,
        2 => MatchKind::LeftmostFirst,
        _ => MatchKind::LeftmostLongest,
    };
    let automaton = AhoCorasick::builder()
        .match_kind(kind)
        .ascii_case_insensitive(case.ignore_case)
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        .build(&case.patterns)
        .expect("patterns");
    let tuple = |m: aho_corasick::Match| (m.pattern().as_u32(), m.start() as u32, m.end() as u32);
    if case.semantics == 0 {
        automaton.find_overlapping_iter(&case.text).map(tuple).collect()
    } else {
        automaton.find_iter(&case.text).map(tuple).collect()
    }
}

fn main() -> ExitCode {
    let mut input = BufReader::with_capacity(1 << 20, io::stdin().lock());
    let (mut n_cases, mut n_matches, mut n_wrong) = (0u64, 0u64, 0u64);
    loop {
        let mut case = match read_case(&mut input) {
            Ok(Some(case)) => case,
            Ok(None) => break,
            Err(error) => {
                eprintln!("input: {error}");
                return ExitCode::from(2);
            }
        };
        let mut theirs = expected(&case);
        if case.semantics == 0 {
            // All matches, in whatever order.
            theirs.sort_unstable();
            case.matches.sort_unstable();
        }
        n_cases += 1;
        n_matches += theirs.len() as u64;
        if theirs != case.matches {
            n_wrong += 1;
            if n_wrong <= 5 {
                eprintln!(
                    "case {n_cases}, semantics {}, ignore case {}: patterns {:?}, text {:?}\n  crate {theirs:?}\n  lanewise {:?}",
                    case.semantics, case.ignore_case, case.patterns, case.text, case.matches
                );
            }
        }
    }
    println!("{n_cases} cases, {n_matches} matches, {n_wrong} wrong");
    ExitCode::from(u8::from(n_wrong > 0 || n_matches == 0))
}
