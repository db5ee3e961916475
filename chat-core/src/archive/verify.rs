//! Counting anew.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use super::findings::{Finding, Findings};
use super::rows::Rows;
use super::{ArchiveKind, ArchiveRow, ArchiveStore};
use crate::access::{Sight, Visibility, counts_as_unread, is_previewable, visible};
use crate::config::BlockedInGroup;
use crate::error::BackendResult;
use crate::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::{AttachmentState, Conversation, ConversationKind, Member, Message, Seq};
use crate::store::{ConversationStore, InboxQuery};
use crate::time::Timestamp;

/// By which policies counts are judged.
#[derive(Debug, Clone, Copy)]
pub struct VerifyOptions {
    /// The time expiry is judged by.
    pub now: Timestamp,
    /// What becomes of messages in groups of users one has blocked.
    pub blocked_in_group: BlockedInGroup,
    /// Findings that are kept; further ones are only counted.
    pub keep: usize,
}

/// Counts everything that a store keeps or answers as a count or a summary anew, from the rows and by the rules of
/// [`access`](crate::access), and tells where the store says something else: numbers of messages without a gap, members,
/// newest countable messages, marks, and for every member unread, mentions, first unread and preview; files that are
/// shown and not there, or there and shown by nothing.
///
/// Keeps in memory: blocks, hides and files of the whole store, and the members of one conversation. Work: every
/// message once for every member to whom it may be unread.
///
/// # Errors
/// What the store answers to a read.
pub async fn verify<S>(store: &S, options: &VerifyOptions) -> BackendResult<Findings>
where
    S: ArchiveStore + ConversationStore + ?Sized,
{
    let mut verification = Verification {
        options: *options,
        findings: Findings::default(),
        blocks: HashSet::new(),
        hides: HashSet::new(),
        files: BTreeMap::new(),
    };
    verification.load(store).await?;
    verification.conversations(store).await?;
    verification.unshown_files();
    Ok(verification.findings)
}

/// A file and whether a message shows it.
struct File {
    state: AttachmentState,
    shown: bool,
}

/// What one member should see of a conversation.
struct Count {
    member: Member,
    unread: u64,
    mentions: u64,
    first_unread: Option<Seq>,
    preview: Option<MessageId>,
}

struct Verification {
    options: VerifyOptions,
    findings: Findings,
    blocks: HashSet<(UserId, UserId)>,
    hides: HashSet<(UserId, MessageId)>,
    files: BTreeMap<AttachmentId, File>,
}

impl Verification {
    async fn load<S: ArchiveStore + ?Sized>(&mut self, store: &S) -> BackendResult<()> {
        for kind in [ArchiveKind::Blocks, ArchiveKind::Hides, ArchiveKind::Attachments] {
            let mut rows = Rows::new(store, kind);
            while let Some(row) = rows.next().await? {
                match row {
                    ArchiveRow::Block(row) if row.stands => {
                        self.blocks.insert((row.block.blocker, row.block.blocked));
                    }
                    ArchiveRow::Hide(hide) => {
                        self.hides.insert((hide.user_id, hide.message_id));
                    }
                    ArchiveRow::Attachment(file) => {
                        let state = file.state;
                        self.files.insert(file.id, File { state, shown: false });
                    }
                    _ => {}
                }
            }
            self.findings.rows += rows.read;
        }
        Ok(())
    }

    async fn conversations<S>(&mut self, store: &S) -> BackendResult<()>
    where
        S: ArchiveStore + ConversationStore + ?Sized,
    {
        let mut conversations = Rows::new(store, ArchiveKind::Conversations);
        let mut members = Rows::new(store, ArchiveKind::Members);
        let mut messages = Rows::new(store, ArchiveKind::Messages);
        while let Some(ArchiveRow::Conversation(conversation)) = conversations.next().await? {
            let counts = self.members(&conversation, &mut members).await?;
            let counts = self.messages(&conversation, counts, &mut messages).await?;
            self.answers(store, &conversation, counts).await?;
        }
        // Rows without a conversation are left over.
        for rows in [&mut members, &mut messages] {
            while let Some(row) = rows.next().await? {
                let (conversation, what) = match &row {
                    ArchiveRow::Member(member) => (member.conversation_id, "a member"),
                    ArchiveRow::Message(message) => (message.conversation_id, "a message"),
                    _ => continue,
                };
                self.find(Some(conversation), None, what, "a conversation it is in", "none");
            }
        }
        self.findings.rows += conversations.read + members.read + messages.read;
        Ok(())
    }

    async fn members<S: ArchiveStore + ?Sized>(
        &mut self,
        conversation: &Conversation,
        rows: &mut Rows<'_, S>,
    ) -> BackendResult<Vec<Count>> {
        let id = conversation.id;
        let mut counts = Vec::new();
        let mut active = 0;
        while let Some(row) = rows.next().await? {
            let ArchiveRow::Member(member) = row else { continue };
            if member.conversation_id != id {
                rows.put_back(ArchiveRow::Member(member));
                break;
            }
            let who = Some(&member.user_id);
            if member.read_seq > member.delivered_seq {
                self.find(
                    Some(id),
                    who,
                    "delivered mark",
                    format!("{} or more", member.read_seq),
                    member.delivered_seq,
                );
            }
            if member.delivered_seq > conversation.last_seq {
                self.find(
                    Some(id),
                    who,
                    "delivered mark",
                    format!("{} or less", conversation.last_seq),
                    member.delivered_seq,
                );
            }
            if member.rev > conversation.rev {
                self.find(
                    Some(id),
                    who,
                    "rev of a member",
                    format!("{} or less", conversation.rev),
                    member.rev,
                );
            }
            if member.is_active() {
                active += 1;
                counts.push(Count {
                    member: *member,
                    unread: 0,
                    mentions: 0,
                    first_unread: None,
                    preview: None,
                });
            }
        }
        if active != conversation.member_count {
            self.find(
                Some(id),
                None,
                "count of members",
                active,
                conversation.member_count,
            );
        }
        Ok(counts)
    }

    async fn messages<S: ArchiveStore + ?Sized>(
        &mut self,
        conversation: &Conversation,
        mut counts: Vec<Count>,
        rows: &mut Rows<'_, S>,
    ) -> BackendResult<Vec<Count>> {
        let id = conversation.id;
        let mut expected = conversation.horizon.first_seq;
        let mut newest: Option<(Seq, UserId)> = None;
        let mut newest_of_others: Option<Seq> = None;
        let mut swept = BTreeSet::new();
        while let Some(row) = rows.next().await? {
            let ArchiveRow::Message(message) = row else {
                continue;
            };
            if message.conversation_id != id {
                rows.put_back(ArchiveRow::Message(message));
                break;
            }
            if message.seq != expected {
                self.find(Some(id), None, "seq of the next message", expected, message.seq);
            }
            expected = message.seq + 1;
            if message.rev > conversation.rev {
                self.find(
                    Some(id),
                    None,
                    "rev of a message",
                    format!("{} or less", conversation.rev),
                    message.rev,
                );
            }
            if message.countable {
                if let Some((seq, sender)) = newest.take()
                    && sender != message.sender_id
                {
                    newest_of_others = Some(seq);
                }
                newest = Some((message.seq, message.sender_id.clone()));
            }
            if message.is_expired(self.options.now) {
                swept.insert(message.seq);
            }
            self.shows(&message);
            for count in &mut counts {
                self.count(conversation, count, &message);
            }
        }
        if expected != conversation.last_seq + 1 {
            self.find(
                Some(id),
                None,
                "last seq",
                expected.saturating_sub(1),
                conversation.last_seq,
            );
        }
        self.newest_countable(conversation, newest.map(|(seq, _)| seq), newest_of_others, &swept);
        Ok(counts)
    }

    /// The summary is not lowered when what it speaks of goes: by purging, or by a sweep, after which nothing tells
    /// whether the row counted.
    fn newest_countable(
        &mut self,
        conversation: &Conversation,
        newest: Option<Seq>,
        newest_of_others: Option<Seq>,
        swept: &BTreeSet<Seq>,
    ) {
        let (id, last) = (conversation.id, &conversation.last_countable);
        let gone = |seq: Seq| seq < conversation.horizon.first_seq || swept.contains(&seq);
        let agrees = |counted: Option<Seq>, kept: Seq| {
            counted == Some(kept) || (counted.is_none_or(|counted| counted < kept) && gone(kept))
        };
        if !agrees(newest, last.seq) {
            self.find(
                Some(id),
                None,
                "newest countable message",
                newest.unwrap_or(0),
                last.seq,
            );
        }
        // Which sender was the newest one's is not known any more when that one is gone.
        if newest == Some(last.seq) && swept.is_empty() && !agrees(newest_of_others, last.other_seq) {
            let counted = newest_of_others.unwrap_or(0);
            self.find(
                Some(id),
                None,
                "newest countable message of another sender",
                counted,
                last.other_seq,
            );
        }
    }

    fn count(&self, conversation: &Conversation, count: &mut Count, message: &Message) {
        let user = &count.member.user_id;
        let sight = Sight {
            member: &count.member,
            now: self.options.now,
            hidden: self.hides.contains(&(user.clone(), message.id)),
            sender_blocked: self.blocks.contains(&(user.clone(), message.sender_id.clone())),
            group: conversation.kind == ConversationKind::Group,
            blocked_in_group: self.options.blocked_in_group,
        };
        if counts_as_unread(&sight, message) {
            count.unread += 1;
            count.mentions += u64::from(message.mentions_user(user));
            count.first_unread = count.first_unread.or(Some(message.seq));
        }
        if is_previewable(message) && visible(&sight, message) == Visibility::Visible {
            count.preview = Some(message.id);
        }
    }

    fn shows(&mut self, message: &Message) {
        for id in &message.content.attachments {
            match self.files.get_mut(id) {
                Some(file) => {
                    file.shown = true;
                    if file.state != AttachmentState::Attached {
                        let state = format!("{:?}", file.state);
                        self.find(
                            Some(message.conversation_id),
                            None,
                            "state of a shown file",
                            "Attached",
                            state,
                        );
                    }
                }
                None => {
                    self.find(
                        Some(message.conversation_id),
                        None,
                        "a file of a message",
                        id,
                        "nothing",
                    );
                }
            }
        }
    }

    /// What the store answers each member, against what was counted.
    async fn answers<S: ConversationStore + ?Sized>(
        &mut self,
        store: &S,
        conversation: &Conversation,
        counts: Vec<Count>,
    ) -> BackendResult<()> {
        let id = conversation.id;
        for count in counts {
            let user = &count.member.user_id;
            self.findings.recounts += 1;
            let query = InboxQuery {
                user: user.clone(),
                now: self.options.now,
                blocked_in_group: self.options.blocked_in_group,
                list: None,
                ids: vec![id],
            };
            let Some(entry) = store.inbox(&query).await?.pop() else {
                self.find(Some(id), Some(user), "entry of the list", "one", "none");
                continue;
            };
            let (found, who) = (&entry, Some(user));
            if found.unread_count != count.unread {
                self.find(Some(id), who, "unread messages", count.unread, found.unread_count);
            }
            if found.mention_count != count.mentions {
                self.find(
                    Some(id),
                    who,
                    "unread mentions",
                    count.mentions,
                    found.mention_count,
                );
            }
            if found.first_unread_seq != count.first_unread {
                let (expected, found) = (count.first_unread, found.first_unread_seq);
                self.find(
                    Some(id),
                    who,
                    "first unread message",
                    or_none(expected),
                    or_none(found),
                );
            }
            let preview = found.last_message.as_ref().map(|message| message.id);
            if preview != count.preview {
                self.find(Some(id), who, "preview", or_none(count.preview), or_none(preview));
            }
        }
        Ok(())
    }

    fn unshown_files(&mut self) {
        let unshown: Vec<AttachmentId> = (self.files.iter())
            .filter(|(_, file)| file.state == AttachmentState::Attached && !file.shown)
            .map(|(id, _)| *id)
            .collect();
        for id in unshown {
            self.find(None, None, "a file in use", "a message that shows it", id);
        }
    }

    fn find(
        &mut self,
        conversation: Option<ConversationId>,
        user: Option<&UserId>,
        what: &'static str,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) {
        self.findings.add(self.options.keep, || Finding {
            conversation,
            user: user.cloned(),
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }
}

fn or_none(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
