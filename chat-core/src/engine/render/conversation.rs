//! Conversations and members as a viewer sees them.

use std::collections::{HashMap, HashSet};

use crate::access::{Standing, abilities, known_read};
use crate::config::BlockedInGroup;
use crate::engine::Actor;
use crate::engine::content::kind_word;
use crate::engine::retention::retention_of;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, UserId};
use crate::model::{Conversation, Member, Message, Restrictions, Role, User, Visibility};
use crate::store::{Blocks, InboxEntry};
use crate::text;
use crate::view::{ConversationView, LastMessageView, MemberView, MyView, UserView};

/// How much of a message's text a list shows, in characters.
const PREVIEW_CHARS: usize = 100;

/// What a member list needs to know of the people in it.
struct People {
    views: HashMap<UserId, UserView>,
    contacts: HashSet<UserId>,
    receipts: Visibility,
    /// What moderators have forbidden the viewer.
    restrictions: Restrictions,
}

impl Actor {
    /// One conversation as the caller sees it.
    ///
    /// # Errors
    /// `conversation_not_found`; `conversation_gone` for a member of a group that was deleted.
    pub(crate) async fn render_conversation(&self, id: ConversationId) -> ChatResult<ConversationView> {
        let mut entries = self.inner().store.inbox(&self.inbox_query(vec![id])).await?;
        if entries.is_empty() {
            // Not a member: refused here, unless it is the host, who has no list but may look.
            let (conversation, member) = self.readable(id).await?;
            entries.push(InboxEntry {
                conversation,
                member,
                archived: false,
                hidden: false,
                unread_count: 0,
                mention_count: 0,
                first_unread_seq: None,
                last_message: None,
            });
        }
        let view = self.render_entries(entries).await?.pop();
        view.ok_or_else(|| ChatError::new(ErrorCode::ConversationNotFound, "no such conversation"))
    }

    /// Entries of the caller's list as he sees them, in the same order.
    pub(crate) async fn render_entries(&self, entries: Vec<InboxEntry>) -> ChatResult<Vec<ConversationView>> {
        let threshold = self.engine().config().policies.large_group_threshold;
        let small: Vec<ConversationId> = entries
            .iter()
            .filter(|entry| usize::try_from(entry.conversation.member_count).is_ok_and(|n| n <= threshold))
            .map(|entry| entry.conversation.id)
            .collect();
        let mut members = self.inner().store.members_of(&small, threshold).await?;
        let people = self.people(members.values().flatten()).await?;
        // Blocks matter between the two of a direct, between the caller and who wrote the last message of a group, and
        // for the marks of every member who is shown.
        let mut others: Vec<UserId> = entries
            .iter()
            .filter_map(|entry| {
                let sender = entry.last_message.as_ref().map(|message| &message.sender_id);
                self.peer_of(&entry.conversation).or_else(|| sender.cloned())
            })
            .chain(members.values().flatten().map(|member| member.user_id.clone()))
            .filter(|user| user != self.user_id())
            .collect();
        others.sort();
        others.dedup();
        let blocks = if others.is_empty() {
            Blocks::default()
        } else {
            self.inner().store.blocks_among(self.user_id(), &others).await?
        };
        self.veil_marks(&blocks, members.values_mut().flatten()).await?;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let members = members.remove(&entry.conversation.id);
                self.conversation_view(entry, members, &people, &blocks)
            })
            .collect())
    }

    fn peer_of(&self, conversation: &Conversation) -> Option<UserId> {
        conversation
            .pair
            .as_ref()
            .and_then(|pair| pair.other(self.user_id()).cloned())
    }

    /// Members of one conversation as the caller sees them, in the same order.
    pub(crate) async fn render_members(&self, mut members: Vec<Member>) -> ChatResult<Vec<MemberView>> {
        let people = self.people(members.iter()).await?;
        let ids: Vec<UserId> = members.iter().map(|member| member.user_id.clone()).collect();
        let blocks = self.inner().store.blocks_among(self.user_id(), &ids).await?;
        self.veil_marks(&blocks, members.iter_mut()).await?;
        let rank = self.rank_over(&members).await?;
        Ok(members
            .into_iter()
            .filter_map(|member| self.member_view(member, &people, rank))
            .collect())
    }

    /// The caller's rank where these are members, if there is something among them that only some ranks are shown.
    async fn rank_over(&self, members: &[Member]) -> ChatResult<Role> {
        let Some(silenced) = members.iter().find(|member| member.silenced.is_some()) else {
            return Ok(Role::Member);
        };
        if self.is_host() {
            return Ok(Role::Owner);
        }
        let store = &self.inner().store;
        let me = store.member(silenced.conversation_id, self.user_id()).await?;
        Ok(me.filter(Member::is_active).map_or(Role::Member, |me| me.role))
    }

    async fn people(&self, members: impl Iterator<Item = &Member>) -> ChatResult<People> {
        let mut ids: Vec<UserId> = members.map(|member| member.user_id.clone()).collect();
        ids.push(self.user_id().clone());
        ids.sort();
        ids.dedup();
        let users = self.engine().users_by_id(&ids).await?;
        let me = users.get(self.user_id());
        let restrictions = me
            .filter(|_| !self.is_host())
            .map(User::restrictions)
            .unwrap_or_default();
        let receipts = me.map(|me| me.settings.receipts).unwrap_or_default();
        let contacts = self
            .inner()
            .store
            .contacts_among(self.user_id(), &ids)
            .await?
            .into_iter()
            .collect();
        let views = self.render_users(users.into_values().collect()).await?;
        Ok(People {
            restrictions,
            views: views.into_iter().map(|view| (view.id.clone(), view)).collect(),
            contacts,
            receipts,
        })
    }

    /// `rank`: the viewer's in the same conversation.
    fn member_view(&self, member: Member, people: &People, rank: Role) -> Option<MemberView> {
        let user = people.views.get(&member.user_id)?.clone();
        let read_seq = if member.user_id == *self.user_id() {
            member.read_seq
        } else {
            known_read(
                &member,
                people.contacts.contains(&member.user_id),
                people.receipts,
            )
        };
        let sees_mute = rank >= Role::Admin || member.user_id == *self.user_id();
        let now = self.engine().now();
        Some(MemberView {
            muted_until: member.silenced.filter(|until| sees_mute && until.is_active(now)),
            user,
            role: member.role,
            joined_at: member.joined_at,
            delivered_seq: member.delivered_seq,
            read_seq,
        })
    }

    fn conversation_view(
        &self,
        entry: InboxEntry,
        members: Option<Vec<Member>>,
        people: &People,
        blocks: &Blocks,
    ) -> ConversationView {
        let InboxEntry {
            conversation,
            member,
            archived,
            hidden,
            unread_count,
            mention_count,
            ..
        } = entry;
        let peer = self.peer_of(&conversation);
        let now = self.engine().now();
        let standing = Standing {
            conversation: Some(&conversation),
            member: Some(&member),
            has_blocked: peer.as_ref().is_some_and(|peer| blocks.blocked.contains(peer)),
            is_blocked: peer.as_ref().is_some_and(|peer| blocks.blocked_by.contains(peer)),
            restrictions: people.restrictions,
            now,
            policies: &self.engine().config().policies,
        };
        let can = abilities(&standing);
        let collapses =
            peer.is_none() && self.engine().config().policies.blocked_in_group == BlockedInGroup::Collapse;
        let policies = &self.engine().config().policies;
        let retention = retention_of(&conversation, policies);
        let muted_until = member.muted.filter(|muted| muted.is_active(now));
        let next_send_at = conversation.next_send_at(&member).filter(|next| *next > now);
        ConversationView {
            id: conversation.id,
            kind: conversation.kind,
            name: conversation.name,
            description: conversation.description,
            avatar_url: conversation
                .avatar
                .map(|id| format!("{}/{id}/content", self.inner().media_url)),
            created_by: conversation.created_by,
            created_at: conversation.created_at,
            last_activity_at: conversation.last_activity_at,
            rev: conversation.rev,
            last_seq: conversation.last_seq,
            first_seq: conversation.horizon.first_seq,
            retention_seconds: retention.map(|time| time.as_secs()),
            member_count: conversation.member_count,
            members: members.map(|members| {
                members
                    .into_iter()
                    .filter_map(|m| self.member_view(m, people, member.role))
                    .collect()
            }),
            peer: peer.and_then(|peer| people.views.get(&peer).cloned()),
            last_message: entry.last_message.map(|message| {
                let collapsed = collapses && blocks.blocked.contains(&message.sender_id);
                last_message_view(message, collapsed)
            }),
            my: MyView {
                role: member.role,
                read_seq: member.read_seq,
                delivered_seq: member.delivered_seq,
                unread_count,
                mention_count,
                first_unread_seq: entry.first_unread_seq,
                marked_unread: member.unread_from.is_some(),
                pinned_at: member.pinned_at,
                muted_until,
                archived,
                hidden,
                visible_from_seq: member.sees_from(),
                notification_level: member.notification_level,
                next_send_at,
                can,
            },
            permissions: conversation.permissions,
            frozen: conversation.frozen,
            message_ttl_ms: conversation.message_ttl_ms,
            slow_mode_ms: (conversation.slow_mode)
                .map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
            custom: conversation.custom,
        }
    }
}

/// What the list shows of a message; of one that is folded up only what it is.
fn last_message_view(message: Message, collapsed: bool) -> LastMessageView {
    let preview = if collapsed || text::is_blank(&message.text) {
        kind_word(message.kind).to_owned()
    } else {
        text::excerpt(&message.text, PREVIEW_CHARS)
    };
    LastMessageView {
        seq: message.seq,
        kind: message.kind,
        sender_id: message.sender_id,
        preview,
        created_at: message.created_at,
        expires_at: message.expires_at,
        from_blocked: collapsed.then_some(true),
    }
}
