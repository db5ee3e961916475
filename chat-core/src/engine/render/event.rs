//! Live events: who gets one, and what each of them sees in it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::broadcast::is_no_member;
use crate::access::known_mark;
use crate::command::Marks;
use crate::config::DeliveredOn;
use crate::engine::ChatEngine;
use crate::engine::dispatch::Publication;
use crate::error::ChatResult;
use crate::event::ChatEvent;
use crate::id::{ConversationId, SessionId, UserId};
use crate::model::{Conversation, Member, Message, Role, Scheduled};
use crate::view::{GoneView, ScheduledView};

impl ChatEngine {
    /// Renders an event for everybody who is connected and may see it, and hands it over.
    pub(crate) async fn deliver(&self, event: &ChatEvent, publication: &Publication) -> ChatResult<()> {
        let origin = publication.origin;
        let name = event.name();
        match (event, &publication.conversation) {
            (ChatEvent::MessageCreated { message }, Some(conversation)) => {
                self.deliver_new_message(message, conversation, origin).await
            }
            (
                ChatEvent::MessageUpdated { message } | ChatEvent::MessageDeleted { message },
                Some(conversation),
            ) => {
                self.deliver_changed_message(name, message, conversation, origin)
                    .await
            }
            (ChatEvent::MessageExpired { message }, Some(conversation)) => {
                self.broadcast_gone(name, message, conversation, origin).await
            }
            (ChatEvent::MessageHidden { hide }, _) => {
                let gone = GoneView::of_hide(hide);
                let payload = message_payload(hide.conversation_id, hide.seq, hide.rev, &gone);
                self.hand_over(std::slice::from_ref(&hide.user_id), origin, name, &payload)
                    .await
            }
            (ChatEvent::ReceiptUpdated { .. }, conversation) => {
                self.deliver_receipt(event, conversation.as_deref(), origin).await
            }
            (
                ChatEvent::ConversationCreated {
                    conversation_id,
                    rev,
                    users,
                },
                _,
            ) => {
                for user in self.connected(users) {
                    let mut conversation =
                        match self.as_user(&user).render_conversation(*conversation_id).await {
                            Ok(conversation) => conversation,
                            Err(error) if is_no_member(&error) => continue,
                            Err(error) => return Err(error),
                        };
                    // It may have moved on since. What follows comes with higher revs, and is not dropped by who
                    // compares them.
                    conversation.rev = *rev;
                    self.hand_over(&[user], origin, name, &json!({ "conversation": conversation }))
                        .await?;
                }
                Ok(())
            }
            (
                ChatEvent::ConversationUpdated {
                    conversation_id,
                    rev,
                    changed,
                },
                Some(conversation),
            ) => {
                let payload = json!({ "conversation_id": conversation_id, "rev": rev, "changed": changed });
                let members = self.connected(&self.audience(conversation).await?);
                self.hand_over(&members, origin, name, &payload).await
            }
            (
                ChatEvent::ConversationRemoved {
                    conversation_id,
                    rev,
                    reason,
                    users,
                },
                _,
            ) => {
                let payload = json!({ "conversation_id": conversation_id, "rev": rev, "reason": reason });
                self.hand_over(users, origin, name, &payload).await
            }
            (ChatEvent::MembersChanged { .. }, Some(conversation)) => {
                self.deliver_members(event, conversation, origin).await
            }
            (
                ChatEvent::InboxUpdated {
                    user_id,
                    conversation_id,
                    user_rev,
                },
                _,
            ) => {
                self.deliver_inbox(user_id, *conversation_id, *user_rev, origin)
                    .await
            }
            (
                ChatEvent::TypingChanged {
                    conversation_id,
                    user_ids,
                    by,
                },
                _,
            ) => self.deliver_typing(*conversation_id, user_ids, by).await,
            (ChatEvent::PresenceChanged { user_id, .. }, _) => self.deliver_presence(user_id).await,
            (
                ChatEvent::BlockChanged {
                    blocker,
                    blocked,
                    on,
                    user_rev,
                },
                _,
            ) => {
                let payload = json!({ "user_rev": user_rev, "user_id": blocked, "blocked": on });
                self.hand_over(std::slice::from_ref(blocker), origin, name, &payload)
                    .await
            }
            (
                ChatEvent::MuteChanged {
                    user_id,
                    muted,
                    until,
                    user_rev,
                },
                _,
            ) => {
                // Here null says "lifted".
                let payload = json!({ "user_rev": user_rev, "user_id": muted, "muted_until": until });
                self.hand_over(std::slice::from_ref(user_id), origin, name, &payload)
                    .await
            }
            (
                ChatEvent::StarChanged {
                    user_id,
                    conversation_id,
                    message_id,
                    user_rev,
                    starred,
                },
                _,
            ) => {
                let payload = json!({
                    "user_rev": user_rev, "conversation_id": conversation_id, "message_id": message_id,
                    "starred": starred,
                });
                self.hand_over(std::slice::from_ref(user_id), origin, name, &payload)
                    .await
            }
            (ChatEvent::ScheduledChanged { scheduled }, _) => {
                let view = ScheduledView::of(Scheduled::clone(scheduled));
                let payload = json!({ "user_rev": scheduled.user_rev, "scheduled": view });
                let owner = std::slice::from_ref(&scheduled.user_id);
                self.hand_over(owner, origin, name, &payload).await
            }
            // Events of a conversation always come with it; there is nothing to tell without.
            (_, None) => Ok(()),
        }
    }

    async fn deliver_new_message(
        &self,
        message: &Message,
        conversation: &Conversation,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let viewers = self.connected(&self.audience_of_new(conversation, message).await?);
        if self.config().policies.delivered_on == DeliveredOn::Emit {
            self.deliver_on_emit(message, &viewers);
        }
        self.broadcast_new("message_created", message, conversation, viewers, origin)
            .await
    }

    /// The policy `delivered_on: emit`: being handed to a live connection is delivery. On its own task, because marks
    /// are commits and the lane must go on.
    fn deliver_on_emit(&self, message: &Message, viewers: &[UserId]) {
        let engine = self.clone();
        let recipients: Vec<UserId> = viewers
            .iter()
            .filter(|user| **user != message.sender_id)
            .cloned()
            .collect();
        let (conversation_id, seq) = (message.conversation_id, message.seq);
        tokio::spawn(async move {
            // Who is invisible looks as if he were not there, so nothing reaches him until he says so himself.
            let recipients = match engine.seen_to_be_here(&recipients).await {
                Ok(recipients) => recipients,
                Err(error) => {
                    tracing::warn!(%error, "deliveries could not be marked");
                    return;
                }
            };
            for user in recipients {
                let marks = Marks {
                    conversation_id: Some(conversation_id),
                    seq: Some(seq),
                    marks: None,
                };
                if let Err(error) = engine.as_user(&user).mark_delivered(marks).await {
                    tracing::warn!(%error, "a delivery could not be marked");
                }
            }
        });
    }

    /// Those of these users who do not want to look as if they were not there.
    async fn seen_to_be_here(&self, users: &[UserId]) -> ChatResult<Vec<UserId>> {
        let now = self.now();
        let rows = self.inner().store.users(users).await?.into_iter();
        Ok(rows
            .filter(|row| !row.presence.is_invisible(now))
            .map(|row| row.id)
            .collect())
    }

    /// A change of an older message: not everybody who is a member now may see it.
    async fn deliver_changed_message(
        &self,
        name: &'static str,
        message: &Message,
        conversation: &Conversation,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let viewers = self.connected(&self.audience(conversation).await?);
        self.broadcast_changed(name, message, conversation, viewers, origin)
            .await
    }

    async fn deliver_receipt(
        &self,
        event: &ChatEvent,
        conversation: Option<&Conversation>,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let ChatEvent::ReceiptUpdated {
            conversation_id,
            rev,
            user_id,
            delivered_seq,
            read_seq,
            contacts_read_seq,
            public_read_seq,
            public,
            at,
        } = event
        else {
            return Ok(());
        };
        let payload = |read_seq: u64| {
            json!({
                "conversation_id": conversation_id, "rev": rev, "user_id": user_id,
                "delivered_seq": delivered_seq, "read_seq": read_seq, "at": at,
            })
        };
        let own = std::slice::from_ref(user_id);
        let mut to_himself = payload(*read_seq);
        if conversation.is_none()
            && let Some(fields) = to_himself.as_object_mut()
        {
            // A private step has no rev of its own, and another event's would be taken for known already.
            fields.remove("rev");
        }
        self.hand_over(own, origin, event.name(), &to_himself).await?;
        // What changed nothing of the conversation is nobody else's business.
        let Some(conversation) = conversation else {
            return Ok(());
        };
        let large = usize::try_from(conversation.member_count).unwrap_or(usize::MAX)
            > self.config().policies.large_group_threshold;
        if large || !public {
            return Ok(());
        }
        let members = self.audience(conversation).await?;
        let viewers: Vec<UserId> = self
            .connected(&members)
            .into_iter()
            .filter(|user| user != user_id)
            .collect();
        if viewers.is_empty() {
            return Ok(());
        }
        let blocks = self.inner().store.blocks_among(user_id, &viewers).await?;
        let contacts = self.inner().store.contacts_among(user_id, &viewers).await?;
        let settings = self.users_by_id(&viewers).await?;
        for viewer in viewers {
            if blocks.involves(&viewer) {
                continue;
            }
            let receipts = settings
                .get(&viewer)
                .map(|user| user.settings.receipts)
                .unwrap_or_default();
            let known = known_mark(
                *contacts_read_seq,
                *public_read_seq,
                contacts.contains(&viewer),
                receipts,
            );
            self.hand_over(&[viewer], origin, event.name(), &payload(known))
                .await?;
        }
        Ok(())
    }

    async fn deliver_members(
        &self,
        event: &ChatEvent,
        conversation: &Conversation,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let ChatEvent::MembersChanged {
            conversation_id,
            rev,
            added,
            removed,
            roles,
            muted,
        } = event
        else {
            return Ok(());
        };
        let viewers = self.connected(&self.audience(conversation).await?);
        let Some(first) = viewers.first() else {
            return Ok(());
        };
        let mut rows: Vec<Member> = Vec::with_capacity(added.len());
        for user in added {
            rows.extend(self.inner().store.member(*conversation_id, user).await?);
        }
        let mut members = self.as_user(first).render_members(rows).await?;
        for member in &mut members {
            // Presence and receipts depend on the viewer; a newcomer has none to show yet.
            member.user.presence = None;
            member.read_seq = 0;
            member.muted_until = None;
        }
        let payload = json!({
            "conversation_id": conversation_id, "rev": rev,
            "added": members, "removed": removed, "roles": roles,
        });
        if muted.is_empty() {
            return self.hand_over(&viewers, origin, event.name(), &payload).await;
        }
        // Who is muted is for himself and for admins; where nothing else happened, others hear nothing.
        let rows = self.member_rows(conversation, &viewers).await?;
        let only_mutes = added.is_empty() && removed.is_empty() && roles.is_empty();
        for viewer in viewers {
            let admin = rows.get(&viewer).is_some_and(|row| row.role >= Role::Admin);
            let told: BTreeMap<_, _> = (muted.iter())
                .filter(|(user, _)| admin || **user == viewer)
                .collect();
            if told.is_empty() && only_mutes {
                continue;
            }
            let mut payload = payload.clone();
            if let (false, Some(fields)) = (told.is_empty(), payload.as_object_mut()) {
                fields.insert("muted".to_owned(), json!(told));
            }
            self.hand_over(&[viewer], origin, event.name(), &payload).await?;
        }
        Ok(())
    }

    async fn deliver_inbox(
        &self,
        user: &UserId,
        conversation: ConversationId,
        user_rev: u64,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        if self.connected(std::slice::from_ref(user)).is_empty() {
            return Ok(());
        }
        let actor = self.as_user(user);
        let entry = self
            .inner()
            .store
            .inbox(&actor.inbox_query(vec![conversation]))
            .await?
            .pop();
        let Some(entry) = entry else { return Ok(()) };
        let badge = actor.badge().await?;
        let muted = entry.member.muted.filter(|muted| muted.is_active(self.now()));
        let payload = json!({
            "conversation_id": conversation,
            "user_rev": user_rev,
            "unread_count": entry.unread_count,
            "mention_count": entry.mention_count,
            // Here null says "cleared".
            "pinned_at": entry.member.pinned_at,
            "muted_until": muted,
            "archived": entry.archived,
            "hidden": entry.hidden,
            "visible_from_seq": entry.member.sees_from(),
            "read_seq": entry.member.read_seq,
            "delivered_seq": entry.member.delivered_seq,
            "badge": badge,
        });
        self.hand_over(std::slice::from_ref(user), origin, "inbox_updated", &payload)
            .await
    }

    async fn deliver_typing(&self, id: ConversationId, typing: &[UserId], by: &UserId) -> ChatResult<()> {
        let Some(conversation) = self.inner().store.conversations(&[id]).await?.pop() else {
            return Ok(());
        };
        let members = self.audience(&conversation).await?;
        let viewers: Vec<UserId> = self
            .connected(&members)
            .into_iter()
            .filter(|user| user != by)
            .collect();
        if viewers.is_empty() {
            return Ok(());
        }
        // Who may see that somebody is there may see him type, whoever of the list he is.
        let rows = self.inner().store.users(&viewers).await?;
        let mut seen_by: HashMap<&UserId, HashSet<UserId>> = HashMap::new();
        for typist in typing.iter().chain([by]) {
            if !seen_by.contains_key(typist) {
                let typists = self.inner().store.users(std::slice::from_ref(typist)).await?;
                let viewers = match typists.first() {
                    Some(subject) => self.typing_visible_among(subject, &rows).await?,
                    None => HashSet::new(),
                };
                seen_by.insert(typist, viewers);
            }
        }
        let sees = |viewer: &UserId, typist: &UserId| {
            seen_by
                .get(typist)
                .is_some_and(|viewers| viewers.contains(viewer))
        };
        for viewer in viewers.iter().filter(|viewer| sees(viewer, by)) {
            let others: Vec<&UserId> = typing.iter().filter(|typist| sees(viewer, typist)).collect();
            let payload = json!({ "conversation_id": id, "user_ids": others });
            self.hand_over(std::slice::from_ref(viewer), None, "typing_changed", &payload)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn deliver_presence(&self, user: &UserId) -> ChatResult<()> {
        let users = self.users_by_id(std::slice::from_ref(user)).await?;
        let Some(row) = users.get(user) else { return Ok(()) };
        let followers = self.followers(user).await?;
        // The same rule answers questions about presence, so an event never says more.
        for glimpse in self.presence_for(row, &followers).await? {
            if glimpse.knows_status {
                self.hand_over(&[glimpse.viewer], None, "presence_changed", &glimpse.presence)
                    .await?;
            }
        }
        Ok(())
    }
}

/// The payload all message events have.
pub(super) fn message_payload(
    id: ConversationId,
    seq: u64,
    rev: u64,
    message: &impl serde::Serialize,
) -> Value {
    json!({ "conversation_id": id, "seq": seq, "rev": rev, "message": message })
}
