//! Workers killed every second and a database restarted twice lose nothing and do nothing twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::audit::audit;
use crate::load::{Client, publish};
use crate::server::{Server, Stop};
use crate::waiting::{seconds, wait_until};
use crate::worker::Worker;

const WORKERS: usize = 3;
const LEASE: Duration = Duration::from_secs(5);
/// What is owned by a dead node has another owner this long after the lease, at the latest.
const TAKE_OVER: Duration = Duration::from_secs(2);
/// How many instances are started between two looks at the dead nodes.
const FEED: usize = 10;
const DATABASE: &str = "crash";

#[test]
fn killed_workers_and_a_restarted_database_lose_nothing() {
    let instances = setting("AUGMENTED_CRASH_WORKFLOWS", 300);
    let span = setting("AUGMENTED_CRASH_SECONDS", 12);
    let seed = setting("AUGMENTED_CRASH_SEED", 1);
    println!("{instances} workflows, {span} kills, AUGMENTED_CRASH_SEED={seed}");
    let server = Server::start();
    let store = server.new_database(DATABASE);
    publish(&store);
    let client = Client::connect(&server, &store);
    let mut crew = Crew::hire(&server, &store);
    let mut random = Random(seed as u64);

    let began = Instant::now();
    for second in 0..span {
        let next = Instant::now() + seconds(1);
        let feed = instances * second / span..instances * (second + 1) / span;
        for first in feed.clone().step_by(FEED) {
            client.start(&server, first..feed.end.min(first + FEED));
            crew.watch();
        }
        if second == span / 3 {
            crew.restart_database(Stop::Fast);
        } else if second == span * 2 / 3 {
            crew.restart_database(Stop::Immediate);
        }
        while Instant::now() < next {
            crew.watch();
            std::thread::sleep(Duration::from_millis(50));
        }
        crew.kill_one(random.below(WORKERS));
    }
    let fed = began.elapsed();

    let limit = seconds(60 + instances as u64 / 20);
    let open = "SELECT count(*) FROM workflow_instances WHERE completed_at IS NULL";
    wait_until(limit, "every instance ends", || {
        crew.watch();
        server.count(DATABASE, open) == 0
    });
    println!(
        "{instances} ended {:.1?} after the first start, the last started after {fed:.1?}",
        began.elapsed()
    );
    crew.watch();
    crew.dismiss();
    crew.report();
    audit(&server, DATABASE, instances);
    crew.judge();
}

/// The workers, and how the instances of dead ones fared.
struct Crew<'s> {
    server: &'s Server,
    store: &'s str,
    members: Vec<Member>,
    deaths: Vec<Death>,
}

struct Member {
    worker: Worker,
    /// Its node, where that is sure.
    node: Option<Uuid>,
}

struct Death {
    node: Uuid,
    at: Instant,
    /// How many instances it left.
    owned: i64,
    /// How long until the last of them had another owner, or had ended.
    over: Option<Duration>,
    /// Whether the database was away meanwhile.
    disturbed: bool,
}

impl<'s> Crew<'s> {
    fn hire(server: &'s Server, store: &'s str) -> Self {
        let mut crew = Self {
            server,
            store,
            members: Vec::new(),
            deaths: Vec::new(),
        };
        for _ in 0..WORKERS {
            let member = crew.new_member();
            crew.members.push(member);
        }
        crew
    }

    fn new_member(&self) -> Member {
        let before = self.live_nodes();
        let worker = Worker::start(self.store, &format!("PT{}S", LEASE.as_secs()));
        let new: Vec<Uuid> = self.live_nodes().difference(&before).copied().collect();
        // Another worker may have come back under a new identity at the same time.
        let node = (new.len() == 1).then(|| new[0]);
        Member { worker, node }
    }

    fn kill_one(&mut self, which: usize) {
        let Member { worker, node } = self.members.remove(which);
        worker.kill();
        let at = Instant::now();
        if let Some(node) = node.filter(|node| self.live_nodes().contains(node)) {
            let owned = self.owned_by(node);
            self.deaths.push(Death {
                node,
                at,
                owned,
                over: None,
                disturbed: false,
            });
        }
        let member = self.new_member();
        self.members.push(member);
    }

    fn restart_database(&mut self, how: Stop) {
        let began = Instant::now();
        self.server.restart(how);
        println!("database restarted ({how:?}) in {:.1?}", began.elapsed());
        for death in self.deaths.iter_mut().filter(|death| death.over.is_none()) {
            death.disturbed = true;
        }
        for member in &mut self.members {
            assert!(member.worker.is_running(), "{}", member.worker.said());
        }
    }

    /// Looks which dead nodes own nothing any more.
    fn watch(&mut self) {
        let sql = "SELECT DISTINCT owner_node FROM workflow_instances WHERE owner_node IS NOT NULL";
        let owners = self.server.rows::<(Uuid,)>(DATABASE, sql);
        for death in self.deaths.iter_mut().filter(|death| death.over.is_none()) {
            if !owners.contains(&(death.node,)) {
                death.over = Some(death.at.elapsed());
            }
        }
    }

    /// Tells all workers to stop; they end well and own nothing.
    fn dismiss(&mut self) {
        for member in &self.members {
            member.worker.signal("TERM");
        }
        for member in &mut self.members {
            let code = member.worker.end(seconds(30));
            assert_eq!(code, 0, "{}", member.worker.said());
        }
    }

    fn report(&self) {
        for death in self.deaths.iter().filter(|death| death.owned > 0) {
            let Death { owned, over, .. } = death;
            let note = match death.disturbed {
                true => ", the database was away meanwhile",
                false => "",
            };
            println!("a killed node left {owned} instances, taken over after {over:.2?}{note}");
        }
    }

    /// Every death that nothing disturbed was noticed in time.
    fn judge(&self) {
        let left = self.deaths.iter().filter(|death| death.owned > 0);
        let calm: Vec<&Death> = left.filter(|death| !death.disturbed).collect();
        assert!(!calm.is_empty(), "no killed node owned anything");
        for death in calm {
            let over = death.over.expect("everything ended");
            assert!(over <= LEASE + TAKE_OVER, "taken over after {over:?} only");
        }
    }

    fn live_nodes(&self) -> BTreeSet<Uuid> {
        let sql = "SELECT node_id FROM engine_nodes WHERE fenced_at IS NULL";
        let rows = self.server.rows::<(Uuid,)>(DATABASE, sql);
        rows.into_iter().map(|(node,)| node).collect()
    }

    fn owned_by(&self, node: Uuid) -> i64 {
        let sql = format!("SELECT count(*) FROM workflow_instances WHERE owner_node = '{node}'");
        self.server.count(DATABASE, &sql)
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

fn setting(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number")),
        Err(_) => default,
    }
}
