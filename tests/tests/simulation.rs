//! Whatever the store, the node and the callers do: no accepted result is lost, none is applied twice.
//!
//! `AUGMENTED_SIM_SEED=n` plays one seed and prints everything that happens; `AUGMENTED_SIM_SEEDS=n` plays more seeds
//! than usual.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use augmented_acceptance::simulation::{Plan, Tally, play};
use augmented_core::runtime::InstanceStatus;

/// How many seeds are played if nobody asks for another number.
const SEEDS: u64 = 2000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, not `{text}`")),
    )
}

/// Plays a seed; a failure says how to play it again.
fn play_seed(seed: u64, trace: bool) -> Tally {
    let plan = Plan::of(seed);
    if trace {
        eprintln!("{plan:#?}");
        eprintln!("{}", serde_json::to_string_pretty(&plan.workflows).unwrap());
    }
    let what = match catch_unwind(AssertUnwindSafe(|| play(&plan, trace))) {
        Ok(Ok(tally)) => return tally,
        Ok(Err(violations)) => violations.to_string(),
        Err(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default(),
    };
    panic!(
        "seed {seed}: {what}\n\nplay it again: AUGMENTED_SIM_SEED={seed} cargo test -p augmented-acceptance --test simulation -- --nocapture"
    );
}

/// Plays all seeds on as many threads as there are processors.
fn play_all(seeds: u64) -> Tally {
    let next = AtomicU64::new(0);
    let work = || {
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return sum;
            }
            match catch_unwind(AssertUnwindSafe(|| play_seed(seed, false))) {
                Ok(tally) => sum.add(&tally),
                Err(failure) => {
                    // One failure is enough; the others need not go on.
                    next.store(seeds, Ordering::Relaxed);
                    std::panic::resume_unwind(failure);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for thread in threads {
            match thread.join() {
                Ok(tally) => sum.add(&tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        sum
    })
}

#[test]
fn no_result_is_lost_and_none_applied_twice() {
    if let Some(seed) = number("AUGMENTED_SIM_SEED") {
        eprintln!("{:#?}", play_seed(seed, true));
        return;
    }
    let seeds = number("AUGMENTED_SIM_SEEDS").unwrap_or(SEEDS);
    let sum = play_all(seeds);
    eprintln!("{seeds} seeds: {sum:?}");
    // Runs in which nothing happens prove nothing.
    for status in [
        InstanceStatus::Completed,
        InstanceStatus::Failed,
        InstanceStatus::Cancelled,
        InstanceStatus::WaitingForEvent,
        InstanceStatus::Paused,
    ] {
        assert!(
            sum.statuses
                .get(&status)
                .is_some_and(|count| *count > seeds / 100),
            "too few instances are {status} at the end: {sum:?}"
        );
    }
    assert!(
        seeds < SEEDS || sum.late_runs > 0,
        "no process came back too late: {sum:?}"
    );
    let faults = sum.faults;
    let counts = [
        ("unavailable before", faults.unavailable_before),
        ("unavailable after", faults.unavailable_after),
        ("half batches", faults.half_batches),
        ("conflicts", faults.conflicts),
        ("withheld", faults.withheld),
        ("fenced", faults.fenced),
        ("deaths", faults.deaths),
        ("pauses", faults.pauses),
        ("compared", sum.compared),
    ];
    for (name, count) in counts {
        assert!(count > seeds / 50, "`{name}` is too rare: {sum:?}");
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    for seed in (0..40).map(|number| number * 37 + 5) {
        assert_eq!(
            play_seed(seed, false),
            play_seed(seed, false),
            "seed {seed}"
        );
    }
}
