//! Coverage-guided fuzzing of the native JPEG code, without outside crates: `make fuzz`.
//!
//! `metercrop-jpeg-fuzz CORPUS FOUND SECONDS` mutates what lies in CORPUS and in FOUND and puts into
//! FOUND what reaches new code. It stops with an error at the first input that panics, takes too long or
//! too much memory, or on which two ways of reading disagree; that input is FOUND/failure.jpg.

mod coverage;
mod memory;
mod mutation;
mod target;

use mutation::Mutator;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, panic, process};

/// Of a clock on the wall: a busy machine takes its time too.
const LONGEST: Duration = Duration::from_secs(20);
const REPORT_EVERY: Duration = Duration::from_secs(60);

fn main() {
    let words: Vec<String> = env::args().collect();
    let [_, corpus, found, seconds] = &words[..] else {
        eprintln!("usage: metercrop-jpeg-fuzz CORPUS FOUND SECONDS");
        process::exit(2);
    };
    let seconds = Duration::from_secs(seconds.parse().expect("seconds are a number"));
    fs::create_dir_all(found).expect("FOUND can be made");
    let mut inputs = read_all(Path::new(corpus));
    inputs.extend(read_all(Path::new(found)));
    assert!(!inputs.is_empty(), "there is no file in {corpus}");
    fuzz(inputs, PathBuf::from(found), seconds);
}

fn read_all(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder is there").flatten().map(|one| one.path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.is_file())
        .map(|path| fs::read(path).expect("a file can be read"))
        .collect()
}

fn fuzz(mut inputs: Vec<Vec<u8>>, found: PathBuf, seconds: Duration) {
    let mut mutator = Mutator::new(0x9E37_79B9_7F4A_7C15 ^ u64::from(process::id()));
    let (begun, mut reported) = (Instant::now(), Instant::now());
    let mut executions = 0u64;
    let mut accepted = 0u64;
    let mut reached = 0;
    for input in inputs.clone() {
        accepted += u64::from(run(&input, &found));
        reached += coverage::newly_reached();
        executions += 1;
    }
    while begun.elapsed() < seconds {
        let input = mutator.mutated(&inputs);
        accepted += u64::from(run(&input, &found));
        executions += 1;
        let new = coverage::newly_reached();
        if new > 0 {
            reached += new;
            fs::write(found.join(format!("{:08}.jpg", inputs.len())), &input).expect("FOUND can be written");
            inputs.push(input);
        }
        if reported.elapsed() > REPORT_EVERY {
            reported = Instant::now();
            report(&begun, executions, accepted, reached, inputs.len());
        }
    }
    report(&begun, executions, accepted, reached, inputs.len());
}

fn report(begun: &Instant, executions: u64, accepted: u64, reached: usize, inputs: usize) {
    println!(
        "{:6.0} s: {executions} executions, {accepted} accepted, {reached} edge counts reached, {inputs} inputs, at most {} kB at a time",
        begun.elapsed().as_secs_f64(),
        memory::most() / 1000,
    );
}

/// Whether the input was accepted; ends the process where something is wrong.
fn run(input: &[u8], found: &Path) -> bool {
    let begun = Instant::now();
    let outcome = panic::catch_unwind(|| target::check(input));
    let slow = begun.elapsed() > LONGEST;
    match outcome {
        Ok(accepted) if !slow => accepted,
        _ => {
            let place = found.join("failure.jpg");
            fs::write(&place, input).expect("FOUND can be written");
            eprintln!("{} {}", place.display(), if slow { "took too long" } else { "failed" });
            process::exit(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUTATIONS: usize = 5_000;

    /// One test alone: memory is counted for the whole process.
    #[test]
    fn corpus_and_what_is_made_of_it_break_nothing() {
        let corpus = read_all(Path::new("../corpus"));
        let accepted = corpus.iter().filter(|file| target::check(file)).count();
        assert_eq!(accepted, corpus.len(), "all are sound");
        let mut mutator = Mutator::new(7);
        for _ in 0..MUTATIONS {
            target::check(&mutator.mutated(&corpus));
        }
        assert!(memory::most() > 0);
    }
}
