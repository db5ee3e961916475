use std::collections::{HashMap, HashSet};

use crate::access::is_recipient;
use crate::command::PageRequest;
use crate::engine::Actor;
use crate::error::ChatResult;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Member, Message, ReadAudience, Seq, Visibility};
use crate::store::{Blocks, MarkTimes, MemberQuery};
use crate::view::{Page, ReceiptView};

impl Actor {
    /// Who received a message the caller sees, and when: its recipients in order of user id. Reading is told as far
    /// as each reader lets the caller know, and not at all to a caller who lets nobody know of his own.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_argument` (`limit`), `invalid_cursor`.
    pub async fn receipts(&self, id: MessageId, page: PageRequest) -> ChatResult<Page<ReceiptView>> {
        let limit = self.limit(page.limit)?;
        let purpose = format!("receipts {id}");
        let after = self.cursor::<UserId>(&purpose, &page)?;
        let (_, message) = self.visible_message(id).await?;
        let mut recipients = self.recipients(&message, after, limit + 1).await?;
        let more = recipients.len() > limit;
        recipients.truncate(limit);
        let times = self.times_of(&message, &recipients).await?;
        let next_cursor = self.next_cursor(&purpose, more, recipients.last());
        let users = self.render_user_ids(&recipients).await?;
        let items = users
            .into_iter()
            .map(|user| {
                let times = times.get(&user.id).copied().unwrap_or_default();
                ReceiptView {
                    user,
                    delivered_at: times.delivered_at,
                    read_at: times.read_at,
                }
            })
            .collect();
        Ok(Page { items, next_cursor })
    }

    /// Up to `wanted` recipients after one of them, in order of user id.
    async fn recipients(
        &self,
        message: &Message,
        mut after: Option<UserId>,
        wanted: usize,
    ) -> ChatResult<Vec<UserId>> {
        let mut found = Vec::new();
        loop {
            let query = MemberQuery {
                conversation: message.conversation_id,
                name: None,
                role: None,
                after: after.take(),
                limit: wanted,
            };
            let members = self.inner().store.members(&query).await?;
            let last = members.len() < wanted;
            after = members.last().map(|member| member.user_id.clone());
            let is_one = |member: &Member| is_recipient(member, &message.sender_id, message.seq);
            found.extend(members.into_iter().filter(is_one).map(|member| member.user_id));
            if last || found.len() >= wanted {
                return Ok(found);
            }
        }
    }

    /// When marks crossed a message, as far as the caller may know: all of his own, what contacts may know of his
    /// contacts', what everyone may know of the others'.
    async fn times_of(&self, message: &Message, users: &[UserId]) -> ChatResult<HashMap<UserId, MarkTimes>> {
        let store = &self.inner().store;
        let me = store.users(std::slice::from_ref(self.user_id())).await?.pop();
        let receipts = me.map(|user| user.settings.receipts).unwrap_or_default();
        let contacts: HashSet<UserId> = store
            .contacts_among(self.user_id(), users)
            .await?
            .into_iter()
            .collect();
        let (own, others): (Vec<UserId>, Vec<UserId>) =
            users.iter().cloned().partition(|user| user == self.user_id());
        let (contacts, strangers): (Vec<UserId>, Vec<UserId>) =
            others.into_iter().partition(|user| contacts.contains(user));
        let place = (message.conversation_id, message.seq);
        let mut times = HashMap::new();
        for (users, audience) in [
            (contacts, ReadAudience::Contacts),
            (strangers, ReadAudience::Everyone),
        ] {
            let mut known = self.mark_times(place, &users, audience).await?;
            if receipts == Visibility::Nobody {
                known.values_mut().for_each(|times| times.read_at = None);
            }
            times.extend(known);
        }
        self.veil_times(place, &mut times).await?;
        times.extend(self.mark_times(place, &own, ReadAudience::Nobody).await?);
        Ok(times)
    }

    /// Turns marks of those in a block relation with the caller back to where they were when it began: what was known
    /// stays known, and what he reads meanwhile is not told. One question to the store, and none without a block.
    pub(crate) async fn veil_marks<'a>(
        &self,
        blocks: &Blocks,
        members: impl Iterator<Item = &'a mut Member>,
    ) -> ChatResult<()> {
        if !blocks.any() {
            return Ok(());
        }
        let veiled: Vec<&mut Member> = members
            .filter(|member| blocks.involves(&member.user_id))
            .collect();
        let mut users: Vec<UserId> = veiled.iter().map(|member| member.user_id.clone()).collect();
        users.sort_unstable();
        users.dedup();
        let mut ids: Vec<ConversationId> = veiled.iter().map(|member| member.conversation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if users.is_empty() {
            return Ok(());
        }
        let store = &self.inner().store;
        let then = store.marks_before_blocks(self.user_id(), &users, &ids).await?;
        for member in veiled {
            let whose = (member.conversation_id, member.user_id.clone());
            let then = then.get(&whose).copied().unwrap_or_default();
            member.delivered_seq = member.delivered_seq.min(then.delivered_seq);
            member.contacts_read_seq = member.contacts_read_seq.min(then.contacts_read_seq);
            member.public_read_seq = member.public_read_seq.min(then.public_read_seq);
        }
        Ok(())
    }

    /// The same for the times at which marks crossed one message.
    async fn veil_times(
        &self,
        (conversation, seq): (ConversationId, Seq),
        times: &mut HashMap<UserId, MarkTimes>,
    ) -> ChatResult<()> {
        let users: Vec<UserId> = times.keys().cloned().collect();
        let store = &self.inner().store;
        let blocks = store.blocks_among(self.user_id(), &users).await?;
        if !blocks.any() {
            return Ok(());
        }
        let then = store
            .marks_before_blocks(self.user_id(), &users, &[conversation])
            .await?;
        for (user, times) in times.iter_mut().filter(|(user, _)| blocks.involves(user)) {
            let then = then
                .get(&(conversation, user.clone()))
                .copied()
                .unwrap_or_default();
            times.delivered_at = times.delivered_at.filter(|_| then.delivered_seq >= seq);
            // Which part of the mark the caller may know has been asked for; the wider of the two is enough here.
            times.read_at = times.read_at.filter(|_| then.contacts_read_seq >= seq);
        }
        Ok(())
    }

    async fn mark_times(
        &self,
        (conversation, seq): (ConversationId, Seq),
        users: &[UserId],
        audience: ReadAudience,
    ) -> ChatResult<HashMap<UserId, MarkTimes>> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self
            .inner()
            .store
            .mark_times(conversation, seq, users, audience)
            .await?)
    }
}
