// SPDX-License-Identifier: Apache-2.0
//! compare_scan PATTERNS TEXT [ROUNDS]: sets of the lines of PATTERNS, and leftmost-first matches in TEXT, by lanewise, by
//! aho-corasick (its own choice, and the contiguous automaton, to whose memory ours is compared) and by daachorse. Rounds
//! in turn; CPU time of this thread; medians, and medians of the rounds' ratios. All must find as many matches.
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use daachorse::{DoubleArrayAhoCorasick, DoubleArrayAhoCorasickBuilder, MatchKind as DoubleKind};
use std::collections::HashSet;
use std::ffi::c_void;
use std::process::ExitCode;
use std::{env, fs, ptr};

#[repr(C)]
struct Pattern {
    bytes: *const u8,
    n_bytes: usize,
}

#[repr(C)]
struct ScanOptions {
    struct_size: usize,
    semantics: i32,
    whole_word: i32,
}

const LEFTMOST_FIRST: ScanOptions = ScanOptions { struct_size: size_of::<ScanOptions>(), semantics: 2, whole_word: 0 };

#[link(name = "lanewise", kind = "static")]
extern "C" {
    fn lanewise_scan_set_create(
        patterns: *const Pattern,
        n: usize,
        options: *const c_void,
        allocator: *const c_void,
        set: *mut *mut c_void,
        error: *mut c_void,
    ) -> i32;
    fn lanewise_scan_set_destroy(set: *mut c_void);
    fn lanewise_scan_set_memory(set: *const c_void) -> usize;
    fn lanewise_scan_scratch_size(set: *const c_void) -> usize;
    fn lanewise_scan_count(
        set: *const c_void,
        options: *const ScanOptions,
        bytes: *const u8,
        n: usize,
        scratch: *mut c_void,
        count: *mut u64,
    ) -> i32;
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn cpu_seconds() -> f64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(3, &mut time) }; // CLOCK_THREAD_CPUTIME_ID
    time.seconds as f64 + time.nanoseconds as f64 * 1e-9
}

struct Lanewise {
    set: *mut c_void,
    scratch: Vec<u128>,
}

impl Lanewise {
    fn new(patterns: &[Vec<u8>]) -> Self {
        let given: Vec<Pattern> = patterns.iter().map(|p| Pattern { bytes: p.as_ptr(), n_bytes: p.len() }).collect();
        let mut set = ptr::null_mut();
        let status = unsafe {
            lanewise_scan_set_create(given.as_ptr(), given.len(), ptr::null(), ptr::null(), &mut set, ptr::null_mut())
        };
        assert!(status == 0, "lanewise_scan_set_create: {status}");
        let n_scratch = unsafe { lanewise_scan_scratch_size(set) };
        Self { set, scratch: vec![0; n_scratch / 16 + 1] }
    }

    fn count(&mut self, text: &[u8]) -> u64 {
        let mut count = 0;
        let scratch = self.scratch.as_mut_ptr().cast();
        unsafe { lanewise_scan_count(self.set, &LEFTMOST_FIRST, text.as_ptr(), text.len(), scratch, &mut count) };
        count
    }
}

impl Drop for Lanewise {
    fn drop(&mut self) {
        unsafe { lanewise_scan_set_destroy(self.set) }
    }
}

fn crate_set(patterns: &[Vec<u8>], kind: Option<AhoCorasickKind>) -> AhoCorasick {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).kind(kind).build(patterns).expect("patterns")
}

fn double_set(patterns: &[Vec<u8>]) -> DoubleArrayAhoCorasick<u32> {
    DoubleArrayAhoCorasickBuilder::new().match_kind(DoubleKind::LeftmostFirst).build(patterns).expect("patterns")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Rounds of the contenders in turn: seconds by contender and round, and what each returned last.
fn measure(rounds: usize, contenders: &mut [(&str, Box<dyn FnMut() -> u64 + '_>)]) -> (Vec<Vec<f64>>, Vec<u64>) {
    let mut seconds = vec![Vec::new(); contenders.len()];
    let mut results = vec![0; contenders.len()];
    for round in 0..=rounds {
        for (i, (_, run)) in contenders.iter_mut().enumerate() {
            let begin = cpu_seconds();
            results[i] = run();
            if round > 0 {
                seconds[i].push(cpu_seconds() - begin);
            }
        }
    }
    (seconds, results)
}

fn tell(what: &str, name: &str, seconds: &[f64], ours: &[f64], rest: &str) {
    let ratio = median(seconds.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect());
    println!("{what:6} {name:26} {:10.3} ms {ratio:7.2}x  {rest}", median(seconds.to_vec()) * 1e3);
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() < 3 {
        eprintln!("usage: compare_scan PATTERNS TEXT [ROUNDS, 7]");
        return ExitCode::from(2);
    }
    let mut known = HashSet::new();
    let lines = fs::read(&arguments[1]).expect("PATTERNS");
    let patterns: Vec<Vec<u8>> = lines
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty() && known.insert(*line))
        .map(<[u8]>::to_vec)
        .collect();
    let text = fs::read(&arguments[2]).expect("TEXT");
    let rounds = arguments.get(3).map_or(7, |n| n.parse().expect("ROUNDS"));

    let mut ours = Lanewise::new(&patterns);
    let (own_choice, contiguous) = (crate_set(&patterns, None), crate_set(&patterns, Some(AhoCorasickKind::ContiguousNFA)));
    let double = double_set(&patterns);
    let memory = unsafe { lanewise_scan_set_memory(ours.set) };
    println!("{} patterns, {} bytes of text", patterns.len(), text.len());
    println!(
        "memory lanewise {memory}, aho-corasick contiguous {}, its own choice {}, daachorse {}; ratio to contiguous {:.2}",
        contiguous.memory_usage(),
        own_choice.memory_usage(),
        double.heap_bytes(),
        memory as f64 / contiguous.memory_usage() as f64
    );
    let (build, _) = measure(
        rounds.min(5),
        &mut [
            ("lanewise", Box::new(|| Lanewise::new(&patterns).scratch.len() as u64)),
            ("aho-corasick", Box::new(|| crate_set(&patterns, None).patterns_len() as u64)),
            ("daachorse", Box::new(|| double_set(&patterns).num_states() as u64)),
        ],
    );
    for (name, seconds) in ["lanewise", "aho-corasick", "daachorse"].iter().zip(&build) {
        tell("build", name, seconds, &build[0], "");
    }
    let mut contenders: Vec<(&str, Box<dyn FnMut() -> u64 + '_>)> = vec![
        ("lanewise", Box::new(|| ours.count(&text))),
        ("aho-corasick", Box::new(|| own_choice.find_iter(&text).count() as u64)),
        ("aho-corasick contiguous", Box::new(|| contiguous.find_iter(&text).count() as u64)),
        ("daachorse", Box::new(|| double.leftmost_find_iter(&text).count() as u64)),
    ];
    let (scan, counts) = measure(rounds, &mut contenders);
    for (i, (name, _)) in contenders.iter().enumerate() {
        let rate = text.len() as f64 / median(scan[i].clone()) * 1e-6;
        tell("scan", name, &scan[i], &scan[0], &format!("{rate:.0} MB/s, {} matches", counts[i]));
    }
    if counts.iter().any(|&count| count != counts[0]) {
        eprintln!("different numbers of matches");
        return ExitCode::from(1);
    }
    ExitCode::SUCCESS
}
