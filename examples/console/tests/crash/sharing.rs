//! Several workers on one database.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::audit::audit;
use crate::load::{Client, publish};
use crate::process::{augmented, call};
use crate::server::{Server, Stop};
use crate::waiting::{seconds, wait_until};
use crate::worker::Worker;

const DATABASE: &str = "shared";
const LEASE: &str = "PT5S";
const OPEN: &str = "SELECT count(*) FROM workflow_instances WHERE completed_at IS NULL";

/// A server, a database with the workflow, and a client.
struct Scene {
    server: Server,
    store: String,
    client: Client,
}

impl Scene {
    fn new() -> Self {
        let server = Server::start();
        let store = server.new_database(DATABASE);
        publish(&store);
        let client = Client::connect(&server, &store);
        Self {
            server,
            store,
            client,
        }
    }

    fn worker(&self) -> Worker {
        Worker::start(&self.store, LEASE)
    }

    fn count(&self, sql: &str) -> i64 {
        self.server.count(DATABASE, sql)
    }

    /// The nodes that own something now, and how much.
    fn owners(&self) -> Vec<(Uuid, i64)> {
        let sql = "SELECT owner_node, count(*) FROM workflow_instances WHERE owner_node IS NOT NULL
                   GROUP BY owner_node ORDER BY owner_node";
        self.server.rows(DATABASE, sql)
    }

    #[track_caller]
    fn await_end(&self, instances: usize) {
        wait_until(seconds(60), "every instance ends", || self.count(OPEN) == 0);
        audit(&self.server, DATABASE, instances);
    }
}

#[test]
fn two_workers_share_the_work() {
    let scene = Scene::new();
    let (_one, _other) = (scene.worker(), scene.worker());
    scene.client.start(&scene.server, 0..100);
    let mut least = 0;
    wait_until(seconds(30), "both nodes own instances at once", || {
        let owners = scene.owners();
        if let [(_, one), (_, other)] = owners[..] {
            least = least.max(one.min(other));
        }
        least >= 10 || scene.count(OPEN) == 0
    });
    assert!(least >= 10, "the smaller share was {least} of 100 at most");
    scene.await_end(100);
}

#[test]
fn a_worker_told_to_stop_gives_everything_away() {
    let scene = Scene::new();
    let mut leaving = scene.worker();
    scene.client.start(&scene.server, 0..100);
    wait_until(seconds(20), "it is busy", || {
        scene.owners().iter().any(|(_, owned)| *owned >= 20)
    });
    leaving.signal("TERM");
    assert_eq!(leaving.end(seconds(35)), 0, "{}", leaving.said());
    assert_eq!(scene.owners(), [], "it still owns instances");
    let left = scene.count(OPEN);
    assert!(left > 0, "nothing was left to give away");
    let _heir = scene.worker();
    scene.await_end(100);
}

#[test]
fn a_worker_stopped_for_longer_than_its_lease_does_no_harm() {
    let scene = Scene::new();
    let mut zombie = scene.worker();
    scene.client.start(&scene.server, 0..60);
    wait_until(seconds(20), "it is busy", || {
        scene.owners().iter().any(|(_, owned)| *owned >= 20)
    });
    zombie.signal("STOP");
    let stopped = Instant::now();
    let owned: i64 = scene.owners().iter().map(|(_, owned)| owned).sum();
    let (zombie_node, _) = *scene.owners().first().expect("it was busy");
    let _heir = scene.worker();
    let held =
        format!("SELECT count(*) FROM workflow_instances WHERE owner_node = '{zombie_node}'");
    wait_until(seconds(30), "its instances are taken over", || {
        scene.count(&held) == 0
    });
    let took = stopped.elapsed();
    println!("the {owned} instances of a stopped node were taken over after {took:.2?}");
    assert!(
        took <= Duration::from_secs(7),
        "taken over after {took:?} only"
    );
    zombie.signal("CONT");
    scene.client.start(&scene.server, 60..120);
    // It comes back under a new identity and takes part again.
    let fenced = format!(
        "SELECT count(*) FROM engine_nodes WHERE fenced_at IS NULL AND node_id <> '{zombie_node}'"
    );
    wait_until(seconds(20), "it comes back", || scene.count(&fenced) == 2);
    scene.await_end(120);
    assert!(zombie.is_running(), "{}", zombie.said());
    zombie.signal("TERM");
    assert_eq!(zombie.end(seconds(35)), 0, "{}", zombie.said());
}

#[test]
fn workers_survive_ten_seconds_without_their_database() {
    let scene = Scene::new();
    let (mut one, mut other) = (scene.worker(), scene.worker());
    scene.client.start(&scene.server, 0..100);
    wait_until(seconds(20), "both are busy", || scene.owners().len() == 2);
    scene.server.stop(Stop::Fast);
    let away = Instant::now();
    // A worker begun now says in one line why it cannot.
    let called = call(&mut augmented(&scene.store, &["worker"]), seconds(10));
    assert_eq!(called.code, 6, "{}", called.err);
    assert_eq!(called.err.lines().count(), 1, "{}", called.err);
    std::thread::sleep(seconds(10).saturating_sub(away.elapsed()));
    assert!(one.is_running(), "{}", one.said());
    assert!(other.is_running(), "{}", other.said());
    scene.server.run_again();
    let back = Instant::now();
    scene.client.start(&scene.server, 100..150);
    scene.await_end(150);
    println!(
        "everything ended {:.1?} after the database came back",
        back.elapsed()
    );
    println!("{}", one.said());
    for worker in [&mut one, &mut other] {
        worker.signal("TERM");
        assert_eq!(worker.end(seconds(35)), 0, "{}", worker.said());
    }
}

#[test]
fn an_operator_holds_an_instance_and_lets_it_go_on() {
    let scene = Scene::new();
    let worker = scene.worker();
    scene.client.start(&scene.server, 0..1);
    let rows: Vec<(Uuid, i64)> = scene
        .server
        .rows(DATABASE, "SELECT id, 0::bigint FROM workflow_instances");
    let id = rows[0].0.to_string();
    let ask = |arguments: &[&str]| call(&mut augmented(&scene.store, arguments), seconds(30));
    let paused = ask(&["pause", &id, "--reason", "not now", "--as", "ada"]);
    assert_eq!(paused.code, 0, "{}{}", paused.out, paused.err);
    assert!(paused.out.contains("\"applied\": true"), "{}", paused.out);
    // Longer than all of its steps would take; it stays held when its node dies, too.
    worker.kill();
    let _heir = scene.worker();
    std::thread::sleep(seconds(6));
    let shown = ask(&["show", &id, "--format", "json"]);
    assert_eq!(shown.code, 0, "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("\"PAUSED\""), "{}", shown.out);
    let whence = "SELECT count(*) FROM workflow_instances WHERE status = 'PAUSED' AND paused_from IN ('RUNNING', 'WAITING_FOR_EVENT')";
    assert_eq!(scene.count(whence), 1);
    let again = ask(&["pause", &id]);
    assert_eq!(again.code, 2, "{}{}", again.out, again.err);
    assert!(
        again.err.contains("PAUSED and cannot pause"),
        "{}",
        again.err
    );
    let resumed = ask(&["resume", &id]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.out, resumed.err);
    let ended = "SELECT count(*) FROM workflow_instances WHERE status = 'COMPLETED' AND paused_from IS NULL";
    wait_until(seconds(60), "it ends", || scene.count(ended) == 1);
    let history = ask(&["history", &id]);
    assert!(
        history.out.contains("RESUMED") && history.out.contains("not now"),
        "{}",
        history.out
    );
}
