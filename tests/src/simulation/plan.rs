//! All that a seed decides before anything happens.

use std::time::Duration;

use augmented_engine::EngineConfig;
use serde_json::{Value, json};

use super::Dice;
use super::faulty_store::{End, Weather};
use super::workload::{ROOTS, SIGNALS, Style, workflows};

/// What a caller does.
#[derive(Clone, Debug)]
pub enum Act {
    Start {
        workflow: &'static str,
        key: String,
        input: Value,
    },
    Signal {
        key: String,
        signal_type: &'static str,
        signal_id: String,
    },
    Cancel {
        key: String,
        request_id: String,
    },
    Pause {
        key: String,
        request_id: String,
    },
    Resume {
        key: String,
        request_id: String,
    },
}

/// A run before it is played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed it follows from.
    pub seed: u64,
    /// The workflow documents.
    pub workflows: Vec<Value>,
    /// What callers do, each at its second, in order.
    pub acts: Vec<(i64, Act)>,
    /// How the store misbehaves.
    pub weather: Weather,
    /// How the engine is set.
    pub config: EngineConfig,
    /// Whether every instance ends in the same way whatever happens in between.
    pub is_confluent: bool,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let style = if dice.chance(350) {
            Style::Confluent
        } else {
            Style::Wild
        };
        let workflows = workflows(&mut dice.fork(), style);
        let acts = acts(&mut dice.fork(), style);
        let weather = weather(&mut dice.fork());
        let config = config(&mut dice.fork());
        Self {
            seed,
            workflows,
            acts,
            weather,
            config,
            is_confluent: style == Style::Confluent,
        }
    }

    /// The same plan under a store without faults.
    #[must_use]
    pub fn in_calm_weather(&self) -> Self {
        Self {
            weather: Weather::default(),
            ..self.clone()
        }
    }
}

fn acts(dice: &mut Dice, style: Style) -> Vec<(i64, Act)> {
    let mut acts = Vec::new();
    for number in 0..dice.between(1, 3) {
        let key = format!("key-{number}");
        let begin = dice.below(60);
        let list: Vec<usize> = (0..dice.below(4)).collect();
        let start = Act::Start {
            workflow: ROOTS[dice.below(ROOTS.len())],
            key: key.clone(),
            input: json!({ "list": list }),
        };
        for _ in 0..repetitions(dice) {
            acts.push((begin + dice.below(5), start.clone()));
        }
        if style == Style::Confluent {
            continue;
        }
        for signal in 0..dice.below(6) {
            let act = Act::Signal {
                key: key.clone(),
                signal_type: SIGNALS[dice.below(SIGNALS.len())],
                signal_id: format!("{key}-{signal}"),
            };
            let at = begin + dice.below(120);
            for _ in 0..repetitions(dice) {
                acts.push((at + dice.below(10), act.clone()));
            }
        }
        if dice.chance(150) {
            let act = Act::Cancel {
                key: key.clone(),
                request_id: format!("cancel-{key}"),
            };
            let at = begin + dice.below(100);
            for _ in 0..repetitions(dice) {
                acts.push((at + dice.below(5), act.clone()));
            }
        }
        for pause in 0..dice.below(3) {
            let at = begin + dice.below(100);
            let held = Act::Pause {
                key: key.clone(),
                request_id: format!("pause-{key}-{pause}"),
            };
            for _ in 0..repetitions(dice) {
                acts.push((at + dice.below(5), held.clone()));
            }
            // Sometimes too early, and some stay as they are.
            if dice.chance(800) {
                let free = Act::Resume {
                    key: key.clone(),
                    request_id: format!("resume-{key}-{pause}"),
                };
                acts.push((at + dice.below(60), free));
            }
        }
    }
    acts.sort_by_key(|(at, _)| *at);
    acts.into_iter()
        .map(|(at, act)| (i64::try_from(at).unwrap_or(0), act))
        .collect()
}

/// How often a caller does the same thing.
fn repetitions(dice: &mut Dice) -> usize {
    if dice.chance(300) {
        dice.between(2, 3)
    } else {
        1
    }
}

fn weather(dice: &mut Dice) -> Weather {
    let mut weather = Weather {
        reorder: dice.below(1000),
        delay: dice.below(400),
        ..Weather::default()
    };
    // A third of the runs only reorders and dies, so that a finding is not always buried in noise.
    if dice.chance(650) {
        weather.faults = dice.between(1, 25);
        for chance in [
            &mut weather.unavailable_before,
            &mut weather.unavailable_after,
            &mut weather.half_a_batch,
            &mut weather.conflict,
            &mut weather.withhold,
        ] {
            *chance = if dice.chance(500) { dice.below(120) } else { 0 };
        }
        weather.withhold *= 3;
        weather.fence = if dice.chance(300) { dice.below(60) } else { 0 };
    }
    if dice.chance(600) {
        let end = |dice: &mut Dice| {
            let at = dice.between(3, 70);
            if dice.chance(400) {
                End::Pause(at, dice.between(1, 60))
            } else {
                End::Death(at)
            }
        };
        weather.ends = (0..dice.between(1, 4)).map(|_| end(dice)).collect();
    }
    weather
}

fn config(dice: &mut Dice) -> EngineConfig {
    let snapshot_interval = [1, 2, 5, 50][dice.below(4)];
    let park_after = [0, 2, 10, 3600][dice.below(4)];
    EngineConfig::default()
        .with_snapshot_interval(snapshot_interval)
        .with_park_after(Duration::from_secs(park_after))
        .with_mailbox_batch(dice.between(1, 8))
        .with_timer_batch(dice.between(1, 4))
        .with_commit_batch(dice.between(1, 16))
        .with_node_lease(Duration::from_secs([3, 30][dice.below(2)]))
        .with_cancel_grace(Duration::from_secs(30))
}
