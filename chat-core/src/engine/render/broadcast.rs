//! One message event for many viewers, at a cost that does not grow with them: what is the same for all is loaded and
//! rendered once, and each viewer's differences are put on top.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::event::message_payload;
use super::message::{reaction_view, reply_preview};
use crate::access::{Sight, Visibility, is_collapsed, visible};
use crate::config::BlockedInGroup;
use crate::engine::ChatEngine;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{SessionId, UserId};
use crate::model::{Conversation, ConversationKind, Member, Message};
use crate::store::{PersonalFacts, ReactionSummary};
use crate::view::{GoneView, MessageView, ReactionView, ReplyState};

/// What one viewer sees differently from the others. Viewers with the same differences share one rendering.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Differences {
    /// It is not there for him: a stub without content keeps its place in the order.
    gone: bool,
    from_blocked: bool,
    starred: bool,
    /// His own reactions.
    reacted: BTreeSet<String>,
    /// Whose reactions are not there for him.
    without: BTreeSet<UserId>,
    /// What he sees of the message answered.
    reply: Option<ReplyState>,
}

/// A message and who stands how to it.
struct Stage {
    personal: PersonalFacts,
    /// Users who have blocked its sender; in groups only.
    blockers: HashSet<UserId>,
    /// Of those who reacted, whom a viewer has blocked; only where blocked users are hidden.
    unseen: HashMap<UserId, BTreeSet<UserId>>,
}

impl Stage {
    /// The reactions a viewer sees.
    fn reactions(&self, viewer: &UserId, without: &BTreeSet<UserId>) -> Vec<ReactionView> {
        let reactions = self.personal.reactions.iter();
        let shown = reactions.filter(|(user, _)| !without.contains(user));
        let shown = shown.map(|(user, emoji)| (user, emoji.as_str()));
        let summaries = ReactionSummary::of(shown, viewer);
        summaries.iter().map(reaction_view).collect()
    }
}

impl ChatEngine {
    /// Hands a new message over: to its sender as his own, to everybody else who was there.
    pub(crate) async fn broadcast_new(
        &self,
        name: &'static str,
        message: &Message,
        conversation: &Conversation,
        viewers: Vec<UserId>,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        if viewers.is_empty() {
            return Ok(());
        }
        let (own, others): (Vec<UserId>, Vec<UserId>) = viewers
            .into_iter()
            .partition(|viewer| *viewer == message.sender_id);
        for sender in own {
            let view = self
                .as_user(&sender)
                .render_new_message(conversation, message.clone())
                .await?;
            self.hand_over(&[sender], origin, name, &of_view(&view)).await?;
        }
        let Some(first) = others.first() else {
            return Ok(());
        };
        let view = self
            .as_user(first)
            .render_new_message(conversation, message.clone())
            .await?;
        let stage = Stage {
            personal: PersonalFacts::default(),
            blockers: self.blockers(message, conversation).await?,
            unseen: HashMap::new(),
        };
        if message.reply_to.is_none() && stage.blockers.is_empty() {
            return self.hand_over(&others, origin, name, &of_view(&view)).await;
        }
        let members = self.member_rows(conversation, &others).await?;
        self.broadcast(
            name,
            message,
            conversation,
            &others,
            &members,
            &stage,
            view,
            origin,
        )
        .await
    }

    /// Hands a changed message over to everybody who may see it, each with his own reactions in it.
    pub(crate) async fn broadcast_changed(
        &self,
        name: &'static str,
        message: &Message,
        conversation: &Conversation,
        viewers: Vec<UserId>,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        if viewers.is_empty() {
            return Ok(());
        }
        let members = self.member_rows(conversation, &viewers).await?;
        let (own, others): (Vec<UserId>, Vec<UserId>) = viewers
            .into_iter()
            .partition(|viewer| *viewer == message.sender_id);
        for sender in own {
            self.hand_to_sender(name, message, &sender, origin).await?;
        }
        let personal = self.inner().store.personal_facts(message.id).await?;
        let stage = Stage {
            unseen: self.unseen_reactors(&personal, conversation, &others).await?,
            personal,
            blockers: self.blockers(message, conversation).await?,
        };
        let sees = |viewer: &&UserId| {
            members.get(*viewer).is_some_and(|member| {
                visible(
                    &self.sight(member, conversation, message, &stage, viewer),
                    message,
                ) != Visibility::Gone
            })
        };
        let Some(first) = others.iter().find(sees) else {
            return Ok(());
        };
        let actor = self.as_user(first);
        // Should he leave this very moment, the others are told to catch up.
        let sight = actor.look_into(conversation.id).await?;
        let mut view = actor.render_message(&sight, message.clone()).await?;
        view.from_blocked = None;
        self.broadcast(
            name,
            message,
            conversation,
            &others,
            &members,
            &stage,
            view,
            origin,
        )
        .await
    }

    /// Tells everybody who may have seen a message that it is gone for all.
    pub(crate) async fn broadcast_gone(
        &self,
        name: &'static str,
        message: &Message,
        conversation: &Conversation,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let viewers = self.connected(&self.audience(conversation).await?);
        if viewers.is_empty() {
            return Ok(());
        }
        let hidden_by = self.inner().store.personal_facts(message.id).await?.hidden_by;
        let saw: Vec<UserId> = self
            .member_rows(conversation, &viewers)
            .await?
            .into_iter()
            .filter(|(user, member)| member.covers(message.seq) && !hidden_by.contains(user))
            .map(|(user, _)| user)
            .collect();
        self.hand_over(&saw, origin, name, &gone_payload(message)).await
    }

    /// A sender's own message with its status and counts, which are his alone.
    async fn hand_to_sender(
        &self,
        name: &'static str,
        message: &Message,
        sender: &UserId,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let actor = self.as_user(sender);
        let sight = match actor.look_into(message.conversation_id).await {
            Ok(sight) => sight,
            // He has left since.
            Err(error) if is_no_member(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let hidden = !self
            .inner()
            .store
            .hidden_among(sender, &[message.id])
            .await?
            .is_empty();
        if visible(&sight.on(message, hidden), message) == Visibility::Gone {
            return Ok(());
        }
        let view = actor.render_message(&sight, message.clone()).await?;
        self.hand_over(std::slice::from_ref(sender), origin, name, &of_view(&view))
            .await
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one event")]
    async fn broadcast(
        &self,
        name: &'static str,
        message: &Message,
        conversation: &Conversation,
        viewers: &[UserId],
        members: &HashMap<UserId, Member>,
        stage: &Stage,
        view: MessageView,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let target = self.reply_stage(message, conversation).await?;
        let mut groups: HashMap<Differences, Vec<UserId>> = HashMap::new();
        for viewer in viewers {
            let Some(member) = members.get(viewer) else {
                continue;
            };
            let sight = self.sight(member, conversation, message, stage, viewer);
            let mut differences = Differences::default();
            if visible(&sight, message) == Visibility::Gone {
                if sight.hidden || !member.covers(message.seq) {
                    continue;
                }
                differences.gone = true;
            } else {
                differences.from_blocked = is_collapsed(&sight);
                differences.starred = !message.is_deleted() && stage.personal.starred_by.contains(viewer);
                differences.reacted = stage.personal.reactions_of(viewer);
                differences.without = stage.unseen.get(viewer).cloned().unwrap_or_default();
                differences.reply = target.as_ref().map(|(target, stage)| match target {
                    Some(target) => {
                        match visible(&self.sight(member, conversation, target, stage, viewer), target) {
                            Visibility::Visible => ReplyState::Visible,
                            Visibility::Tombstone => ReplyState::Deleted,
                            Visibility::Gone => ReplyState::Unavailable,
                        }
                    }
                    None => ReplyState::Unavailable,
                });
            }
            groups.entry(differences).or_default().push(viewer.clone());
        }
        let preview = match &target {
            Some((Some(target), _)) => Some(reply_preview(target)),
            _ => None,
        };
        for (differences, viewers) in groups {
            if differences.gone {
                self.hand_over(&viewers, origin, name, &gone_payload(message))
                    .await?;
                continue;
            }
            let mut view = view.clone();
            view.from_blocked = differences.from_blocked.then_some(true);
            view.starred = differences.starred.then_some(true);
            // From the same reading as who reacted himself, so the two never contradict each other.
            view.reactions = (viewers.first())
                .map(|viewer| stage.reactions(viewer, &differences.without))
                .filter(|reactions| !message.is_deleted() && !reactions.is_empty());
            if let (Some(reply), Some(state)) = (&mut view.reply_to, differences.reply) {
                reply.state = state;
                reply.preview = preview.clone().filter(|_| state == ReplyState::Visible);
            }
            self.hand_over(&viewers, origin, name, &of_view(&view)).await?;
        }
        Ok(())
    }

    fn sight<'a>(
        &self,
        member: &'a Member,
        conversation: &Conversation,
        message: &Message,
        stage: &Stage,
        viewer: &UserId,
    ) -> Sight<'a> {
        Sight {
            member,
            now: self.now(),
            hidden: stage.personal.hidden_by.contains(viewer),
            sender_blocked: message.sender_id != *viewer && stage.blockers.contains(viewer),
            group: conversation.kind == ConversationKind::Group,
            blocked_in_group: self.config().policies.blocked_in_group,
        }
    }

    /// What the message answers, as far as it still exists, and who stands how to that.
    async fn reply_stage(
        &self,
        message: &Message,
        conversation: &Conversation,
    ) -> ChatResult<Option<(Option<Message>, Stage)>> {
        let Some(reply) = message.reply_to.filter(|_| !message.is_deleted()) else {
            return Ok(None);
        };
        let target = self.inner().store.messages(&[reply.message_id]).await?.pop();
        let stage = match &target {
            Some(target) => Stage {
                personal: self.inner().store.personal_facts(target.id).await?,
                blockers: self.blockers(target, conversation).await?,
                unseen: HashMap::new(),
            },
            None => Stage {
                personal: PersonalFacts::default(),
                blockers: HashSet::new(),
                unseen: HashMap::new(),
            },
        };
        Ok(Some((target, stage)))
    }

    async fn blockers(&self, message: &Message, conversation: &Conversation) -> ChatResult<HashSet<UserId>> {
        if conversation.kind != ConversationKind::Group {
            return Ok(HashSet::new());
        }
        Ok(self
            .inner()
            .store
            .blocks_of(&message.sender_id)
            .await?
            .blocked_by
            .into_iter()
            .collect())
    }

    /// Under the policy `Hide`: for each viewer whom he has blocked of those who reacted.
    async fn unseen_reactors(
        &self,
        personal: &PersonalFacts,
        conversation: &Conversation,
        viewers: &[UserId],
    ) -> ChatResult<HashMap<UserId, BTreeSet<UserId>>> {
        let mut unseen: HashMap<UserId, BTreeSet<UserId>> = HashMap::new();
        let hides = self.config().policies.blocked_in_group == BlockedInGroup::Hide;
        if !hides || conversation.kind != ConversationKind::Group {
            return Ok(unseen);
        }
        let reactors: BTreeSet<&UserId> = personal.reactions.iter().map(|(user, _)| user).collect();
        for reactor in reactors {
            let blocks = self.inner().store.blocks_among(reactor, viewers).await?;
            for viewer in blocks.blocked_by {
                unseen.entry(viewer).or_default().insert(reactor.clone());
            }
        }
        Ok(unseen)
    }

    /// Present memberships of these viewers; who has left since is not among them.
    pub(crate) async fn member_rows(
        &self,
        conversation: &Conversation,
        viewers: &[UserId],
    ) -> ChatResult<HashMap<UserId, Member>> {
        let rows = self
            .inner()
            .store
            .members_of(&[conversation.id], usize::MAX)
            .await?
            .remove(&conversation.id);
        let wanted: HashSet<&UserId> = viewers.iter().collect();
        Ok(rows
            .unwrap_or_default()
            .into_iter()
            .filter(|member| wanted.contains(&member.user_id))
            .map(|member| (member.user_id.clone(), member))
            .collect())
    }
}

fn of_view(view: &MessageView) -> Value {
    message_payload(view.conversation_id, view.seq, view.rev, view)
}

fn gone_payload(message: &Message) -> Value {
    message_payload(
        message.conversation_id,
        message.seq,
        message.rev,
        &GoneView::of(message),
    )
}

/// Whether somebody has no view into a conversation any more, as opposed to a store that did not answer.
pub(super) fn is_no_member(error: &ChatError) -> bool {
    matches!(
        error.code(),
        ErrorCode::ConversationNotFound | ErrorCode::ConversationGone
    )
}
