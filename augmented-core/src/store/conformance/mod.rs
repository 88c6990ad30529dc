#![doc = include_str!("guide.md")]
#![expect(
    clippy::unwrap_used,
    reason = "the kit is test code: a broken promise panics"
)]

pub mod definitions;
pub mod door;
pub mod mailbox;
pub mod nodes;
pub mod query;
pub mod timers;
pub mod wakeup;

mod fixture;
mod subject;

pub use subject::{Subject, Task, block_on};

/// Tests a store against every promise of the store traits: one `#[test]` for each.
///
/// `store_conformance!(make)` takes an expression whose call returns a future of a new, empty store;
/// `store_conformance!(make, run)` besides names the function that drives futures, where the store needs a
/// certain runtime. See the [module documentation](crate::store::conformance).
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::store_conformance!($make, $crate::store::conformance::block_on);
    };
    ($make:expr, $run:path) => {
        $crate::store_promises! { $make, $run;
            definitions::put_is_all_or_nothing,
            definitions::published_content_is_frozen,
            definitions::drafts_can_be_replaced_and_published,
            definitions::versions_only_grow,
            definitions::status_moves_follow_the_life_cycle,
            definitions::a_deprecation_says_why,
            definitions::only_drafts_can_be_deleted,
            definitions::versions_come_in_semver_order,
            definitions::definitions_are_listed_once_and_in_order,
            definitions::definitions_belong_to_their_tenant,

            door::commit_applies_whole_or_not_at_all,
            door::each_item_of_a_batch_stands_alone,
            door::same_seq_commits_once,
            door::facts_follow_without_a_gap,
            door::only_the_owner_commits,
            door::a_parked_instance_is_woken_by_one,
            door::an_instance_is_inserted_once,
            door::an_idempotency_key_starts_once,
            door::a_message_key_is_applied_once,
            door::a_snapshot_stands_for_the_facts_before_it,
            door::attempts_are_kept_once_until_the_task_is_done,

            mailbox::a_message_key_is_accepted_once,
            mailbox::mailbox_order_is_kept,
            mailbox::work_waits_until_it_is_consumed,
            mailbox::a_row_is_consumed_once,
            mailbox::work_is_offered_to_its_owner_or_to_all,
            mailbox::the_oldest_work_comes_first,
            mailbox::messages_arrive_with_the_commit_that_sends_them,
            mailbox::a_child_is_inserted_once,
            mailbox::accepted_instances_wait_for_a_node,
            mailbox::ended_instances_take_no_messages,
            mailbox::the_end_clears_open_work,
            mailbox::signals_are_counted_where_they_wait_and_where_they_are_kept,

            nodes::an_unknown_node_cannot_commit,
            nodes::a_fenced_node_cannot_commit,
            nodes::a_fence_is_final,
            nodes::a_node_that_is_heard_of_is_not_fenced,
            nodes::nodes_are_listed_while_they_matter,
            nodes::take_over_moves_only_fenced_owners,
            nodes::take_overs_are_counted_until_the_next_fact,
            nodes::running_tasks_are_lost_with_their_node,

            timers::due_timers_become_messages_once,
            timers::a_cleared_timer_never_fires,
            timers::a_timer_set_again_moves,
            timers::the_next_timer_is_the_earliest,

            wakeup::every_node_hears_of_every_change,
            wakeup::a_dropped_wait_loses_no_wake_up,

            query::pages_are_complete_and_disjoint,
            query::lists_keep_to_their_filter,
            query::facts_come_in_order,
            query::tenants_do_not_see_each_other,
        }
    };
}

/// Writes one test for each promise it is given; used by [`store_conformance!`](crate::store_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! store_promises {
    ($make:expr, $run:path; $($area:ident :: $promise:ident),* $(,)?) => {
        $(
            #[test]
            fn $promise() {
                fn run(task: $crate::store::conformance::Task<'_>) {
                    $run(task)
                }
                $run(async {
                    let store = ($make)().await;
                    $crate::store::conformance::$area::$promise($crate::store::conformance::Subject::new(store, run)).await;
                });
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// The macro above, whose list of promises is what stores run.
    const LISTED: &str = include_str!("mod.rs");

    const AREAS: [(&str, &str); 7] = [
        ("definitions", include_str!("definitions.rs")),
        ("door", include_str!("door.rs")),
        ("mailbox", include_str!("mailbox.rs")),
        ("nodes", include_str!("nodes.rs")),
        ("timers", include_str!("timers.rs")),
        ("wakeup", include_str!("wakeup.rs")),
        ("query", include_str!("query.rs")),
    ];

    const CONTRACTS: [&str; 3] = [
        include_str!("../definitions.rs"),
        include_str!("../execution.rs"),
        include_str!("../query.rs"),
    ];

    fn written() -> Vec<String> {
        let promises = |(area, source): &(&str, &str)| {
            let names = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn "))
                .filter_map(|rest| rest.split('<').next().map(str::to_owned));
            names
                .map(|name| format!("{area}::{name}"))
                .collect::<Vec<_>>()
        };
        AREAS.iter().flat_map(promises).collect()
    }

    #[test]
    fn every_promise_is_run_by_every_store() {
        let written = written();
        assert!(written.len() > 40, "{written:?}");
        for promise in written {
            assert!(
                LISTED.contains(&format!("            {promise},\n")),
                "{promise} is not in `store_conformance!`"
            );
        }
    }

    #[test]
    fn every_contract_line_has_its_promise_and_the_other_way_round() {
        let promised: Vec<&str> = CONTRACTS
            .iter()
            .flat_map(|source| source.lines())
            .filter_map(|line| line.strip_prefix("/// - `"))
            .filter_map(|rest| rest.split('`').next())
            .collect();
        let written = written();
        let names: Vec<&str> = written
            .iter()
            .filter_map(|promise| promise.split("::").nth(1))
            .collect();
        for name in &promised {
            assert!(
                names.contains(name),
                "the contract line `{name}` has no test"
            );
        }
        for name in names {
            assert!(
                promised.contains(&name),
                "the test `{name}` has no contract line"
            );
        }
    }
}
