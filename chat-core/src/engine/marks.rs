//! Marks: how far a conversation has reached a user, and how far he has read it.

use std::collections::HashMap;

use futures::future::join_all;

use crate::access::{Action, Standing, allowed};
use crate::command::{CommandName, Mark, Marks};
use crate::config::Policies;
use crate::engine::changeset::ChangeSet;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, UserId};
use crate::model::{Advance, Conversation, DirectPair, Member, ReadAudience, Seq, Visibility};
use crate::port::CommandContext;
use crate::store::{Facts, InboxEntry, MembersNeeded, Needs, Target};
use crate::view::{ErrorView, MarkAnswer, MarksAnswer, ReadAllAnswer};

/// How many conversations are looked at in one question to the store.
const CHUNK: usize = 100;

/// Which mark moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Delivered,
    /// For those the reader's settings let know.
    Read(ReadAudience),
}

/// A user's marks after a step.
#[derive(Debug, Clone, Copy)]
struct Marked {
    delivered_seq: Seq,
    read_seq: Seq,
}

impl Marked {
    const fn of(member: &Member) -> Self {
        Self {
            delivered_seq: member.delivered_seq,
            read_seq: member.read_seq,
        }
    }
}

impl Actor {
    /// Says up to which message conversations have reached a device of the caller. A mark that is not above the
    /// present one changes nothing. In the batch form every entry is answered for itself, in order.
    ///
    /// # Errors
    /// - `invalid_argument`: both forms or neither (`marks`, `conversation_id`), more than 100 (`marks`), or, in the
    ///   single form, no `seq` or one beyond the last message.
    /// - `conversation_not_found`, `conversation_gone`, in the single form.
    /// - `invalid_operation` for the host, which has no marks.
    pub async fn mark_delivered(&self, marks: Marks) -> ChatResult<MarksAnswer> {
        let about = self.about_marks(CommandName::MarkDelivered, &marks);
        self.command(about, self.mark(marks, Kind::Delivered)).await
    }

    fn about_marks(&self, command: CommandName, marks: &Marks) -> CommandContext {
        let several = marks.marks.iter().flatten().map(|mark| mark.conversation_id);
        (marks.conversation_id.into_iter().chain(several))
            .fold(self.about(command), CommandContext::conversation)
    }

    /// Says up to which message the caller has read conversations; what is read is delivered. A mark that is not
    /// above the present one changes nothing, but every one takes a "mark unread" back. Who learns of it, is settled
    /// by his `receipts` setting as it is now.
    ///
    /// # Errors
    /// As [`Actor::mark_delivered`].
    pub async fn mark_read(&self, marks: Marks) -> ChatResult<MarksAnswer> {
        let about = self.about_marks(CommandName::MarkRead, &marks);
        self.command(about, self.mark_read_past_hooks(marks)).await
    }

    async fn mark_read_past_hooks(&self, marks: Marks) -> ChatResult<MarksAnswer> {
        let audience = self.read_audience().await?;
        self.mark(marks, Kind::Read(audience)).await
    }

    /// Marks a conversation as unread from a message on. His marks stay and nobody else hears of it; the next read
    /// mark takes it back. Where those messages are unread anyway, nothing changes.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`.
    /// - `invalid_argument` (`seq`): missing where there are messages, beyond the last one, or not for him to see.
    pub async fn mark_unread(&self, mark: Mark) -> ChatResult<MarksAnswer> {
        let about = self
            .about(CommandName::MarkUnread)
            .conversation(mark.conversation_id);
        self.command(about, self.mark_unread_past_hooks(mark)).await
    }

    async fn mark_unread_past_hooks(&self, mark: Mark) -> ChatResult<MarksAnswer> {
        self.has_marks()?;
        let id = mark.conversation_id;
        let entry = self.inbox_of(&[id]).await?.remove(&id);
        let first_unread = entry.and_then(|entry| entry.first_unread_seq);
        let mut needs = self.mark_needs(id, None);
        needs.user_revs = vec![self.user_id().clone()];
        let request = Request {
            user: self.user_id().clone(),
            peer: None,
            seq: mark.seq,
            policies: self.engine().config().policies.clone(),
        };
        let marked = self
            .commit(needs, move |facts| request.unread(facts, first_unread))
            .await?;
        let mut answers = self.answer_marks(vec![(id, Ok(marked))]).await?;
        answers
            .pop()
            .map_or_else(|| Err(ErrorCode::Internal.into()), single)
    }

    /// Reads every conversation of the caller to its end, muted, archived and hidden ones too.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`, `outcome_unknown`: some conversations may have been read.
    pub async fn read_all(&self) -> ChatResult<ReadAllAnswer> {
        let about = self.about(CommandName::ReadAll);
        self.command(about, self.read_all_past_hooks()).await
    }

    async fn read_all_past_hooks(&self) -> ChatResult<ReadAllAnswer> {
        self.has_marks()?;
        let audience = self.read_audience().await?;
        let ids = self.inner().store.conversation_ids(self.user_id(), None).await?;
        let mut conversations = 0;
        for chunk in ids.chunks(CHUNK) {
            let unread = self
                .inbox_of(chunk)
                .await?
                .into_values()
                .filter(|entry| entry.unread_count > 0 || entry.member.unread_from.is_some());
            let marks = unread
                .map(|entry| Mark {
                    conversation_id: entry.conversation.id,
                    seq: Some(entry.conversation.last_seq),
                })
                .collect();
            for (_, result) in self.mark_each(marks, Kind::Read(audience)).await {
                match result {
                    Ok(_) => conversations += 1,
                    // Left in the meantime: nothing to read there.
                    Err(error)
                        if matches!(
                            error.code(),
                            ErrorCode::ConversationNotFound | ErrorCode::ConversationGone
                        ) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(ReadAllAnswer { conversations })
    }

    /// The host is no member and reads nothing.
    fn has_marks(&self) -> ChatResult<()> {
        if self.is_host() {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "the host has no marks",
            ));
        }
        Ok(())
    }

    async fn mark(&self, marks: Marks, kind: Kind) -> ChatResult<MarksAnswer> {
        self.has_marks()?;
        let max = self.engine().config().limits.marks;
        match (marks.conversation_id, marks.marks) {
            (Some(_), Some(_)) => Err(ChatError::invalid("marks", "either these or conversation_id")),
            (None, None) => Err(ChatError::invalid("conversation_id", "required, or marks")),
            (None, Some(_)) if marks.seq.is_some() => {
                Err(ChatError::invalid("seq", "belongs to conversation_id"))
            }
            (None, Some(marks)) if marks.len() > max => {
                Err(ChatError::invalid("marks", format!("at most {max}")))
            }
            (None, Some(marks)) => {
                let results = self.mark_each(marks, kind).await;
                Ok(MarksAnswer {
                    marks: self
                        .answer_marks(results)
                        .await?
                        .into_iter()
                        .map(answer)
                        .collect(),
                })
            }
            (Some(conversation_id), None) => {
                let results = self
                    .mark_each(
                        vec![Mark {
                            conversation_id,
                            seq: marks.seq,
                        }],
                        kind,
                    )
                    .await;
                let mut answers = self.answer_marks(results).await?;
                answers
                    .pop()
                    .map_or_else(|| Err(ErrorCode::Internal.into()), single)
            }
        }
    }

    /// Commits every mark for itself, in order; the store takes neighbours together.
    async fn mark_each(&self, marks: Vec<Mark>, kind: Kind) -> Vec<(ConversationId, ChatResult<Marked>)> {
        let mut peers = Vec::with_capacity(marks.len());
        match self.peers_of(&marks).await {
            Ok(found) => {
                peers.extend(marks.iter().map(|mark| found.get(&mark.conversation_id).cloned()));
            }
            Err(error) => {
                return marks
                    .iter()
                    .map(|mark| (mark.conversation_id, Err(error.clone())))
                    .collect();
            }
        }
        let commits = marks
            .into_iter()
            .zip(peers)
            .map(|(mark, peer)| async move { (mark.conversation_id, self.mark_one(mark, peer, kind).await) });
        join_all(commits).await
    }

    /// The other user of each conversation that is a direct one.
    async fn peers_of(&self, marks: &[Mark]) -> ChatResult<HashMap<ConversationId, UserId>> {
        let known = &self.inner().pairs;
        // Of its own, because what is kept for all may be dropped at any time.
        let mut pairs: HashMap<ConversationId, Option<DirectPair>> = HashMap::new();
        let mut unknown = Vec::new();
        for mark in marks {
            match known.get(mark.conversation_id) {
                Some(pair) => drop(pairs.insert(mark.conversation_id, pair)),
                None => unknown.push(mark.conversation_id),
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            for conversation in self.inner().store.conversations(&unknown).await? {
                known.put(conversation.id, conversation.pair.clone());
                pairs.insert(conversation.id, conversation.pair);
            }
        }
        Ok(pairs
            .into_iter()
            .filter_map(|(id, pair)| Some((id, pair?.other(self.user_id())?.clone())))
            .collect())
    }

    async fn mark_one(&self, mark: Mark, peer: Option<UserId>, kind: Kind) -> ChatResult<Marked> {
        let mut needs = self.mark_needs(mark.conversation_id, peer.as_ref());
        if matches!(kind, Kind::Read(_)) {
            needs.user_revs = vec![self.user_id().clone()];
        }
        let request = Request {
            user: self.user_id().clone(),
            peer,
            seq: mark.seq,
            policies: self.engine().config().policies.clone(),
        };
        self.commit(needs, move |facts| request.forward(facts, kind))
            .await
    }

    fn mark_needs(&self, id: ConversationId, peer: Option<&UserId>) -> Needs {
        let me = self.user_id().clone();
        let mut needs = Needs::new(Target::Conversation(id));
        needs.blocks = peer.map(|peer| (me.clone(), vec![peer.clone()]));
        needs.members = MembersNeeded::Of(vec![me]);
        needs
    }

    /// Who may learn what the caller reads now.
    pub(crate) async fn read_audience(&self) -> ChatResult<ReadAudience> {
        let me = self
            .inner()
            .store
            .users(std::slice::from_ref(self.user_id()))
            .await?
            .pop();
        Ok(match me.map(|user| user.settings.receipts).unwrap_or_default() {
            Visibility::Everyone => ReadAudience::Everyone,
            Visibility::Contacts => ReadAudience::Contacts,
            Visibility::Nobody => ReadAudience::Nobody,
        })
    }

    async fn inbox_of(&self, ids: &[ConversationId]) -> ChatResult<HashMap<ConversationId, InboxEntry>> {
        let entries = self.inner().store.inbox(&self.inbox_query(ids.to_vec())).await?;
        Ok(entries
            .into_iter()
            .map(|entry| (entry.conversation.id, entry))
            .collect())
    }

    /// Adds to each outcome what is left unread.
    async fn answer_marks(
        &self,
        results: Vec<(ConversationId, ChatResult<Marked>)>,
    ) -> ChatResult<Vec<(ConversationId, ChatResult<MarkAnswer>)>> {
        let mut ids: Vec<ConversationId> = results
            .iter()
            .filter(|(_, result)| result.is_ok())
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let entries = if ids.is_empty() {
            HashMap::new()
        } else {
            self.inbox_of(&ids).await?
        };
        Ok(results
            .into_iter()
            .map(|(id, result)| {
                let answer = result.map(|marked| MarkAnswer::Marked {
                    conversation_id: id,
                    delivered_seq: marked.delivered_seq,
                    read_seq: marked.read_seq,
                    // Absent for who left a moment ago.
                    unread_count: entries.get(&id).map_or(0, |entry| entry.unread_count),
                });
                (id, answer)
            })
            .collect())
    }
}

fn answer((conversation_id, result): (ConversationId, ChatResult<MarkAnswer>)) -> MarkAnswer {
    result.unwrap_or_else(|error| MarkAnswer::Refused {
        conversation_id,
        error: ErrorView::from(&error),
    })
}

fn single((_, result): (ConversationId, ChatResult<MarkAnswer>)) -> ChatResult<MarksAnswer> {
    result.map(|mark| MarksAnswer { marks: vec![mark] })
}

/// A mark as its decision sees it.
struct Request {
    user: UserId,
    /// The other user of a direct conversation.
    peer: Option<UserId>,
    seq: Option<Seq>,
    policies: Policies,
}

impl Request {
    fn readable<'a>(&'a self, facts: &'a Facts) -> ChatResult<(&'a Conversation, &'a Member)> {
        let standing = Standing {
            conversation: facts.conversation.as_ref(),
            member: facts.members.get(&self.user),
            has_blocked: false,
            is_blocked: false,
            restrictions: facts.restrictions,
            now: facts.now,
            policies: &self.policies,
        };
        allowed(&standing, Action::Read)
    }

    fn forward(&self, facts: &Facts, kind: Kind) -> ChatResult<Decision<Marked>> {
        let (conversation, member) = self.readable(facts)?;
        let seq = self.seq.ok_or_else(|| ChatError::invalid("seq", "required"))?;
        if seq > conversation.last_seq {
            return Err(ChatError::invalid("seq", "beyond the last message"));
        }
        let reads = matches!(kind, Kind::Read(_));
        let moves = seq
            > if reads {
                member.read_seq
            } else {
                member.delivered_seq
            };
        let clears_marker = reads && member.unread_from.is_some();
        if !moves && !clears_marker {
            return Ok(Decision::nothing(Marked::of(member)));
        }
        let mut change = ChangeSet::of(conversation, facts);
        let mut member = member.clone();
        let mut shown = false;
        if moves {
            let blocked = self
                .peer
                .as_ref()
                .is_some_and(|peer| facts.is_blocked(&self.user, peer) || facts.is_blocked(peer, &self.user));
            shown = advance(&mut change, &mut member, seq, kind, blocked);
        }
        if reads {
            take_back_unread(&mut change, &mut member);
        }
        let marked = Marked::of(&member);
        change.put_member(member);
        Ok(if shown {
            change.done(marked)
        } else {
            // What nobody may know is nobody else's business: a private read, and the end of "mark unread".
            change.done_private(marked)
        })
    }

    fn unread(&self, facts: &Facts, first_unread: Option<Seq>) -> ChatResult<Decision<Marked>> {
        let (conversation, member) = self.readable(facts)?;
        let from = match self.seq {
            Some(seq) if seq > conversation.last_seq || !member.covers(seq) => {
                return Err(ChatError::invalid("seq", "not a message of this conversation"));
            }
            Some(seq) => seq,
            None if conversation.last_seq >= member.visible_from => {
                return Err(ChatError::invalid("seq", "required where there are messages"));
            }
            None => 0,
        };
        if member
            .unread_from
            .or(first_unread)
            .is_some_and(|present| present <= from)
        {
            return Ok(Decision::nothing(Marked::of(member)));
        }
        let mut change = ChangeSet::of(conversation, facts);
        let mut member = member.clone();
        member.unread_from = Some(from);
        member.user_rev = change.next_user_rev(&self.user);
        change.event(ChatEvent::InboxUpdated {
            user_id: self.user.clone(),
            conversation_id: conversation.id,
            user_rev: member.user_rev,
        });
        let marked = Marked::of(&member);
        change.put_member(member);
        Ok(change.done_private(marked))
    }
}

/// Moves a mark that is lower, with its steps in the log and its event; whether others may see that it moved.
/// `blocked`: between two of a direct of whom one blocks the other.
fn advance(change: &mut ChangeSet, member: &mut Member, seq: Seq, kind: Kind, blocked: bool) -> bool {
    let before = (member.delivered_seq, member.contacts_read_seq);
    if let Kind::Read(audience) = kind {
        // Between two who block each other reading tells nothing, now or later.
        let audience = if blocked { ReadAudience::Nobody } else { audience };
        change
            .writes
            .advances
            .push(step(change, member, Some(audience), member.read_seq, seq));
        member.read_seq = seq;
        if audience >= ReadAudience::Contacts {
            member.contacts_read_seq = seq;
        }
        if audience == ReadAudience::Everyone {
            member.public_read_seq = seq;
        }
    }
    if seq > member.delivered_seq {
        change
            .writes
            .advances
            .push(step(change, member, None, member.delivered_seq, seq));
        member.delivered_seq = seq;
    }
    let shown = before != (member.delivered_seq, member.contacts_read_seq);
    // A step that nobody sees changes nothing of the conversation: a rev of its own would tell of it.
    let rev = if shown {
        member.rev = change.next_rev();
        member.rev
    } else {
        change.conversation.rev
    };
    change.event(ChatEvent::ReceiptUpdated {
        conversation_id: change.conversation.id,
        rev,
        user_id: member.user_id.clone(),
        delivered_seq: member.delivered_seq,
        read_seq: member.read_seq,
        contacts_read_seq: member.contacts_read_seq,
        public_read_seq: member.public_read_seq,
        public: shown && !blocked,
        at: change.at,
    });
    shown
}

/// What every read does to the reader's own side: "mark unread" ends, and his other sessions hear of it.
fn take_back_unread(change: &mut ChangeSet, member: &mut Member) {
    member.unread_from = None;
    member.user_rev = change.next_user_rev(&member.user_id);
    change.event(ChatEvent::InboxUpdated {
        user_id: member.user_id.clone(),
        conversation_id: change.conversation.id,
        user_rev: member.user_rev,
    });
}

/// The policy `read_on_send`: who sends has read everything above his message.
pub(crate) fn read_on_send(change: &mut ChangeSet, member: &Member, seq: Seq, audience: ReadAudience) {
    let mut member = member.clone();
    advance(change, &mut member, seq, Kind::Read(audience), false);
    take_back_unread(change, &mut member);
    change.put_member(member);
}

fn step(change: &ChangeSet, member: &Member, read: Option<ReadAudience>, from: Seq, to: Seq) -> Advance {
    Advance {
        conversation_id: change.conversation.id,
        user_id: member.user_id.clone(),
        read,
        from,
        to,
        at: change.at,
    }
}
