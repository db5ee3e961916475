//! The list of all cases, once, and what it expands to.

/// Runs every case for a [`Store`](chat_core::store::Store), as tests named after their rules.
///
/// `open` is an async function in scope that gives a fresh, empty space: `Option<(Guard, StoreType)>`. The guard is
/// kept until the case is over and cleans up when it is dropped. `None` says that the backend is not there; the second
/// argument is its name in `CHAT_REQUIRE`, the list of backends whose absence is a failure.
#[macro_export]
macro_rules! store {
    ($open:ident) => {
        $crate::store!($open, "store");
    };
    ($open:ident, $backend:expr) => {
        $crate::__cases! {
            store_conformance, $open, $backend;
            users {
                an_unknown_user_is_made_of_what_is_known
                a_known_user_stays_as_he_is
                of_concurrent_makers_one_makes_the_user
                a_patch_changes_only_its_fields
                a_patch_of_an_unknown_user_is_none
                settings_move_user_rev
                a_presence_of_ones_own_stays
                last_seen_never_moves_back
                concurrent_patches_are_atomic
                concurrent_patches_of_settings_all_stay
                a_picture_is_taken_with_the_patch_or_not_at_all
                users_come_back_by_id
                user_ids_are_compared_exactly
                people_are_found_by_a_part_of_their_name
                people_search_is_literal
                new_names_find_people_at_once
                addresses_are_found_only_whole
                people_come_in_order_of_id
                user_texts_come_back_as_they_went_in
            }
            conversations {
                absence_is_no_error
                a_conversation_comes_back_whole
                a_new_conversation_comes_back_whole
                conversations_come_back_by_id
                a_direct_is_found_from_either_side
                a_member_comes_back_whole
                past_members_are_in_no_list
                members_come_in_order_of_id
                members_of_several_are_capped_each
                changed_members_come_newest_first
                conversation_ids_are_of_active_memberships
                contacts_share_a_direct
                contacts_are_found_by_a_part_of_their_name
                members_are_found_by_name_and_rank
            }
            facts {
                a_missing_conversation_has_no_facts
                a_first_message_sees_blocks_files_and_users
                the_conversation_is_always_seen
                nothing_is_seen_unasked
                members_are_seen_as_asked_for
                messages_of_other_conversations_are_not_seen
                an_earlier_send_is_seen_by_its_key
                blocks_are_seen_both_ways
                files_are_seen_by_id
                reactions_are_seen_oldest_first
                hides_are_seen_among_the_messages
                user_revs_are_seen_of_known_users
                restrictions_are_seen_of_who_writes
                a_decision_is_told_the_time
            }
            commit {
                all_writes_of_a_change_happen
                a_refusal_comes_back_and_writes_nothing
                a_refused_change_does_not_stop_the_others
                a_panic_in_a_decision_does_not_stop_the_others
                a_slice_takes_effect_in_its_order
                empty_writes_change_nothing
                rows_are_replaced_by_their_key
                reactions_are_added_removed_and_cleared
                concurrent_appends_are_numbered_densely
                concurrent_slices_keep_their_order
                readers_see_no_gaps
                a_contested_file_is_attached_once
                concurrent_changes_share_no_user_rev
                a_dropped_call_leaves_nothing_half_done
                a_repeated_decision_counts_once
            }
            uniqueness {
                a_pair_has_one_conversation
                a_pair_has_one_conversation_in_a_slice
                a_second_conversation_of_a_pair_is_not_stored
                a_send_is_one_message_in_a_slice
                a_send_is_one_message_across_slices
                a_second_message_with_a_seq_is_not_stored
                a_second_message_with_a_client_id_is_not_stored
                a_client_id_lives_as_long_as_its_message
            }
            inbox {
                messages_of_others_after_the_read_mark_are_unread
                the_first_unread_message_is_one_that_counts
                uncountable_messages_are_not_unread
                tombstones_are_not_unread
                hidden_messages_are_not_unread
                expired_messages_are_gone_from_that_instant
                blocked_senders_count_as_the_policy_says
                a_block_hides_nothing_in_a_direct
                messages_between_two_memberships_do_not_count
                cleared_messages_do_not_count
                messages_up_to_the_floor_do_not_count
                an_unread_marker_wins_over_the_read_mark
                mentions_are_counted_among_the_unread
                the_preview_is_the_newest_visible_message
                a_message_of_somebody_else_unarchives
                an_empty_conversation_can_be_archived_and_hidden
                a_muted_conversation_stays_archived
                a_countable_message_unhides
                counts_equal_a_naive_recount
            }
            lists {
                lists_are_in_order
                pages_make_the_whole_list
                filters_do_not_shorten_a_page
                filters_show_what_they_say
                names_find_groups_and_peers
                new_names_are_found_at_once
                strangers_and_past_members_see_nothing
                hidden_ones_come_back_by_id
                the_badge_adds_up
                pages_by_number_are_parts_of_the_whole_list
                counts_are_those_of_the_filters
                conversations_in_common_are_those_both_are_in
            }
            history {
                the_newest_page
                before_and_after_are_exclusive
                around_fills_the_page_from_both_sides
                invisible_messages_do_not_shorten_a_page
                tombstones_stay_in_history
                a_kind_filters_the_page_and_what_lies_beyond
                history_lies_inside_the_memberships
                expired_messages_leave_history
                blocked_senders_leave_history_under_hide
                pages_equal_a_naive_reading
            }
            messages {
                personal_facts_name_hiders_and_reactors
                a_message_comes_back_whole
                every_kind_comes_back
                texts_come_back_as_they_went_in
                messages_come_back_by_id
                hides_are_told_of_one_user
                reactions_are_summed_up
                a_summary_names_the_first_few
                expired_messages_with_content_are_found
                expired_messages_come_in_order
            }
            search {
                search_is_literal
                a_part_is_enough
                cjk_and_emoji_are_found
                case_is_folded_simply
                edited_texts_are_found_by_their_new_words
                long_texts_are_searched_to_the_end
                hits_are_newest_first_in_pages
                filters_narrow_a_search
                only_visible_messages_are_found
                only_members_find
                the_time_between_two_memberships_is_not_found
                blocked_senders_are_not_found_under_hide
                hits_equal_a_naive_search
            }
            mentions {
                mentions_of_all_conversations_are_newest_first
                unread_mentions_are_those_that_count
                what_is_not_seen_mentions_nobody
                mentions_come_in_pages
                mentions_equal_a_naive_reading
            }
            receipts {
                the_first_step_over_a_message_counts
                delivered_and_read_are_told_apart
                reading_is_told_only_to_its_audience
                delivery_has_no_audience
                steps_of_others_and_elsewhere_do_not_count
                marks_from_before_a_block_are_told
            }
            retention {
                a_purge_takes_messages_with_all_that_hangs_on_them
                numbers_and_keys_after_a_purge
                a_purge_stays_in_its_conversation
                oldest_messages_come_first
                conversations_with_old_messages_are_found
                forgotten_times_are_unknown_and_never_wrong
                steps_of_users_in_a_block_keep_their_times
            }
            personal {
                memberships_come_with_past_ones
                what_a_user_sent_comes_by_seq
                own_rows_come_in_pages
                steps_of_marks_come_by_seq
                private_rows_go_bit_by_bit
                an_erased_row_holds_nothing_and_changes_no_more
            }
            moderation {
                reports_of_one_user_come_in_pages_and_go
                a_report_comes_back_whole
                one_open_report_per_reporter_and_target
                reports_come_newest_first
                reports_and_acts_are_written_with_their_commit
                evidence_is_not_stale
                a_sanction_is_in_the_log
                the_log_is_filtered_and_paged
            }
            mutes {
                muting_is_idempotent
                the_mute_list_holds_what_stands
                concurrent_mutes_share_no_user_rev
                mute_changes_tell_the_last_change_of_each
            }
            blocks {
                blocking_is_idempotent
                concurrent_blocks_change_once
                concurrent_blocks_share_no_user_rev
                the_block_list_is_paged_by_id
                relations_are_told_both_ways
                block_changes_tell_the_last_change_of_each
                a_stranger_can_be_blocked
                a_commit_sees_every_answered_block
            }
            devices {
                devices_come_back_newest_first
                registering_again_refreshes
                a_token_has_one_owner
                a_contested_token_has_one_owner
                the_longest_unused_devices_go
                a_device_is_removed_once
            }
            outbox {
                entries_come_back_whole
                entries_come_with_their_change
                a_key_is_delivered_in_its_order
                keys_do_not_wait_for_each_other
                the_longest_due_come_first
                a_lease_that_is_over_is_worth_nothing
                a_failed_attempt_counts_and_waits
                released_leases_are_free_at_once
                what_is_left_stays_first_in_its_key
                what_is_done_goes_as_its_followers_come
                who_lost_its_lease_advances_nothing
                keys_with_entries_are_named
                concurrent_claims_share_nothing
                the_backlog_is_counted
            }
            attachments {
                a_file_comes_back_whole
                a_file_moves_from_the_state_it_is_in
                of_concurrent_moves_one_happens
                deleted_and_long_unused_files_are_stale
                a_forgotten_file_is_gone
                messages_that_show_a_file_are_told
                uses_of_files_are_counted
                a_file_goes_with_the_last_message_that_shows_it
            }
            stars {
                starring_is_idempotent
                stars_are_private
                no_more_stars_than_the_cap
                concurrent_stars_share_no_user_rev
                starred_messages_come_newest_star_first
                star_changes_tell_the_last_change_of_each
                a_purge_takes_stars_along
                starred_messages_equal_a_naive_reading
            }
            edits {
                former_texts_come_newest_version_first
                former_texts_go_with_their_message
            }
            pins {
                pins_come_newest_first_in_pages
                pins_are_seen_by_their_number
                pins_equal_a_naive_reading
            }
            scheduled {
                a_scheduled_message_comes_back_whole
                a_scheduled_message_is_added_once
                pending_scheduled_messages_are_capped
                files_wait_with_a_scheduled_message
                a_scheduled_message_is_replaced_as_it_was_seen
                due_messages_are_claimed_by_one
                a_lapsed_claim_is_taken_over
                scheduled_messages_are_listed_by_time
                changed_scheduled_messages_come_by_user_rev
                settled_scheduled_messages_are_forgotten
            }
            sync {
                the_position_grows
                the_epoch_stays_with_the_data
                public_changes_are_reported_to_all_members
                private_changes_are_reported_to_their_user
                what_changed_for_several_is_what_changed_for_each
                strange_conversations_are_not_reported
                leaving_and_coming_back_are_reported
                the_oldest_change_comes_first
                changes_between_pages_are_not_missed
                changes_committed_together_are_not_missed
                no_concurrent_change_is_missed
                changed_messages_come_by_rev
                too_many_changes_are_limited_to_the_newest
                hides_are_told_as_hides
                too_many_hides_are_limited_to_the_newest
                invisible_changes_are_not_told
                expired_messages_are_told_as_such
                a_position_tells_what_its_rev_tells
                changes_equal_a_naive_reading
            }
        }
    };
}

/// Runs every case for an [`AccountStore`](chat_core::store::AccountStore); arguments as for [`store!`].
#[macro_export]
macro_rules! accounts {
    ($open:ident) => {
        $crate::accounts!($open, "store");
    };
    ($open:ident, $backend:expr) => {
        $crate::__cases! {
            accounts_conformance, $open, $backend;
            accounts {
                an_account_is_found_by_its_address
                addresses_and_numbers_are_unique
                a_missing_number_is_no_number
                of_concurrent_sign_ups_one_succeeds
                a_login_stands_until_it_is_ended
                a_new_login_drops_expired_ones
                an_account_is_erased_with_its_logins
            }
        }
    };
}

/// Runs every case for an [`ArchiveStore`](chat_core::archive::ArchiveStore); arguments as for [`store!`].
#[macro_export]
macro_rules! archive {
    ($open:ident) => {
        $crate::archive!($open, "store");
    };
    ($open:ident, $backend:expr) => {
        $crate::__cases! {
            archive_conformance, $open, $backend;
            archive {
                rows_come_back_as_they_went_in
                an_empty_store_has_no_rows
                a_copy_there_and_back_is_the_original
                a_store_that_is_not_empty_is_left_alone
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ($suite:ident, $open:ident, $backend:expr; $($facet:ident { $($case:ident)* })*) => {
        mod $suite {
            use super::*;
            $(mod $facet {
                use super::*;
                $(#[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let space = $open().await;
                    if let Some((_guard, store)) = $crate::opened(space, $backend, stringify!($case)) {
                        $crate::store::$facet::$case(::std::sync::Arc::new(store)).await;
                    }
                })*
            })*
        }
    };
}

#[cfg(test)]
mod tests {
    /// A case that is in no list would never run.
    #[test]
    fn every_case_is_listed() {
        let list = include_str!("cases.rs");
        let facets = [
            include_str!("store/users.rs"),
            include_str!("store/conversations.rs"),
            include_str!("store/facts.rs"),
            include_str!("store/commit.rs"),
            include_str!("store/uniqueness.rs"),
            include_str!("store/inbox.rs"),
            include_str!("store/lists.rs"),
            include_str!("store/history.rs"),
            include_str!("store/messages.rs"),
            include_str!("store/search.rs"),
            include_str!("store/mentions.rs"),
            include_str!("store/receipts.rs"),
            include_str!("store/retention.rs"),
            include_str!("store/personal.rs"),
            include_str!("store/blocks.rs"),
            include_str!("store/devices.rs"),
            include_str!("store/outbox.rs"),
            include_str!("store/attachments.rs"),
            include_str!("store/stars.rs"),
            include_str!("store/edits.rs"),
            include_str!("store/pins.rs"),
            include_str!("store/scheduled.rs"),
            include_str!("store/sync.rs"),
            include_str!("store/accounts.rs"),
        ];
        for line in facets.iter().flat_map(|facet| facet.lines()) {
            if let Some(case) = line.strip_prefix("pub async fn ") {
                let name = case.split('(').next().unwrap_or_default();
                let listed = list.lines().any(|line| line.trim() == name);
                assert!(listed, "{name} is not in the list");
            }
        }
    }
}
