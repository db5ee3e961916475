use async_trait::async_trait;

use super::MemoryStore;
use super::state::{BlockRow, MuteRow, State, Step};
use crate::archive::{
    ArchiveKind, ArchiveRow, ArchiveStore, ArchivedAdvance, ArchivedBlock, ArchivedMute, ArchivedOutbox,
};
use crate::error::BackendResult;
use crate::model::Block;
use crate::store::Writes;

#[async_trait]
impl ArchiveStore for MemoryStore {
    async fn archive_count(&self, kind: ArchiveKind) -> BackendResult<u64> {
        Ok(self.state().rows(kind).len() as u64)
    }

    async fn archive_rows(
        &self,
        kind: ArchiveKind,
        after: Option<&ArchiveRow>,
        limit: usize,
    ) -> BackendResult<Vec<ArchiveRow>> {
        let rows = self.state().rows(kind);
        let place = after.and_then(|after| rows.iter().position(|row| row == after));
        let seen = place.map_or(0, |place| place + 1);
        Ok(rows.into_iter().skip(seen).take(limit).collect())
    }

    async fn restore_rows(&self, rows: Vec<ArchiveRow>) -> BackendResult<()> {
        let mut state = self.state();
        for row in rows {
            state.restore(row);
        }
        Ok(())
    }
}

impl State {
    /// All rows of a kind, in the order they are read.
    fn rows(&self, kind: ArchiveKind) -> Vec<ArchiveRow> {
        use ArchiveRow as Row;
        let mut rooms: Vec<_> = self.rooms.values().collect();
        rooms.sort_unstable_by_key(|room| room.conversation.id);
        let rooms = rooms.into_iter();
        match kind {
            ArchiveKind::Users => (self.users.values())
                .map(|user| Row::User(Box::new(user.clone())))
                .collect(),
            ArchiveKind::Accounts => {
                sorted(self.accounts.values().cloned(), |account| account.user_id.clone())
                    .map(Row::Account)
                    .collect()
            }
            ArchiveKind::Logins => sorted(self.sessions.values().cloned(), |session| session.id.clone())
                .map(Row::Login)
                .collect(),
            ArchiveKind::Devices => sorted(self.devices.values().cloned(), |device| device.token.clone())
                .map(Row::Device)
                .collect(),
            ArchiveKind::Attachments => sorted(self.attachments.values().cloned(), |file| file.id)
                .map(Row::Attachment)
                .collect(),
            ArchiveKind::Conversations => rooms
                .map(|room| Row::Conversation(Box::new(room.conversation.clone())))
                .collect(),
            ArchiveKind::Members => rooms
                .flat_map(|room| room.members.values())
                .map(|row| Row::Member(Box::new(row.member.clone())))
                .collect(),
            ArchiveKind::Messages => rooms
                .flat_map(|room| room.messages.values())
                .map(|row| Row::Message(Box::new(row.message.clone())))
                .collect(),
            ArchiveKind::FormerTexts => sorted(self.former_texts.iter(), |(message, _)| **message)
                .flat_map(|(_, texts)| texts.values())
                .map(|text| Row::FormerText(text.clone()))
                .collect(),
            ArchiveKind::Reactions => sorted(self.reactions.iter(), |(message, _)| **message)
                .flat_map(|(_, reactions)| reactions)
                .map(|reaction| Row::Reaction(reaction.clone()))
                .collect(),
            ArchiveKind::Advances => rooms
                .flat_map(|room| &room.advances)
                .map(|step| {
                    Row::Advance(ArchivedAdvance {
                        advance: step.advance.clone(),
                        timeless: step.timeless,
                    })
                })
                .collect(),
            ArchiveKind::Hides => {
                let hides = self.hides.values().flat_map(|hides| hides.values());
                sorted(hides, |row| (row.hide.user_id.clone(), row.hide.message_id))
                    .map(|row| Row::Hide(row.hide.clone()))
                    .collect()
            }
            ArchiveKind::Stars => {
                let stars = self.stars.values().flat_map(|stars| stars.values());
                sorted(stars, |row| (row.star.user_id.clone(), row.star.message_id))
                    .map(|row| Row::Star(row.clone()))
                    .collect()
            }
            ArchiveKind::Blocks => sorted(self.blocks.iter(), |(blocker, _)| (*blocker).clone())
                .flat_map(|(blocker, list)| list.iter().map(move |(blocked, row)| (blocker, blocked, row)))
                .map(|(blocker, blocked, row)| {
                    Row::Block(ArchivedBlock {
                        block: Block {
                            blocker: blocker.clone(),
                            blocked: blocked.clone(),
                            at: row.at,
                        },
                        stands: row.on,
                        user_rev: row.user_rev,
                    })
                })
                .collect(),
            ArchiveKind::Mutes => sorted(self.mutes.iter(), |(user, _)| (*user).clone())
                .flat_map(|(user, list)| list.iter().map(move |(muted, row)| (user, muted, row)))
                .map(|(user, muted, row)| {
                    Row::Mute(ArchivedMute {
                        user: user.clone(),
                        muted: muted.clone(),
                        until: row.until,
                        user_rev: row.user_rev,
                    })
                })
                .collect(),
            ArchiveKind::Reports => (self.reports.values())
                .map(|report| Row::Report(Box::new(report.clone())))
                .collect(),
            ArchiveKind::Audit => (self.audit.iter())
                .map(|entry| Row::Audit(Box::new(entry.clone())))
                .collect(),
            ArchiveKind::Scheduled => (self.scheduled.values())
                .map(|row| Row::Scheduled(Box::new(row.clone())))
                .collect(),
            ArchiveKind::Outbox => (self.outbox.entries())
                .map(|(entry, attempts)| {
                    Row::Outbox(ArchivedOutbox {
                        entry: entry.clone(),
                        attempts,
                    })
                })
                .collect(),
        }
    }

    fn restore(&mut self, row: ArchiveRow) {
        let mut writes = Writes::none();
        match row {
            ArchiveRow::User(user) => {
                self.users.insert(user.id.clone(), *user);
            }
            ArchiveRow::Account(account) => {
                self.accounts.insert(account.user_id.clone(), account);
            }
            ArchiveRow::Login(session) => {
                self.sessions.insert(session.id.clone(), session);
            }
            ArchiveRow::Device(device) => {
                self.devices.insert(device.token.clone(), device);
            }
            ArchiveRow::Attachment(file) => writes.attachments.push(file),
            ArchiveRow::Conversation(conversation) => writes.conversation = Some(*conversation),
            ArchiveRow::Member(member) => writes.members.push(*member),
            ArchiveRow::Message(message) => writes.messages.push(*message),
            ArchiveRow::FormerText(text) => writes.former_texts.push(text),
            ArchiveRow::Reaction(reaction) => writes.reactions_added.push(reaction),
            ArchiveRow::Advance(row) => {
                if let Some(room) = self.rooms.get_mut(&row.advance.conversation_id) {
                    room.advances.push(Step {
                        advance: row.advance,
                        timeless: row.timeless,
                    });
                }
            }
            ArchiveRow::Hide(hide) => writes.hides.push(hide),
            ArchiveRow::Star(row) => {
                let stars = self.stars.entry(row.star.user_id.clone()).or_default();
                stars.insert(row.star.message_id, row);
            }
            ArchiveRow::Block(row) => {
                let list = self.blocks.entry(row.block.blocker).or_default();
                let kept = BlockRow {
                    on: row.stands,
                    user_rev: row.user_rev,
                    at: row.block.at,
                };
                list.insert(row.block.blocked, kept);
            }
            ArchiveRow::Mute(row) => {
                let list = self.mutes.entry(row.user).or_default();
                let kept = MuteRow {
                    until: row.until,
                    user_rev: row.user_rev,
                };
                list.insert(row.muted, kept);
            }
            ArchiveRow::Report(report) => writes.reports.push(*report),
            ArchiveRow::Audit(entry) => writes.audit.push(*entry),
            ArchiveRow::Scheduled(row) => {
                self.scheduled.insert(row.id, *row);
            }
            ArchiveRow::Outbox(row) => self.outbox.restore(row.entry, row.attempts),
        }
        if !writes.is_empty() {
            self.apply(writes);
        }
    }
}

fn sorted<T, K: Ord>(rows: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> std::vec::IntoIter<T> {
    let mut rows: Vec<T> = rows.collect();
    rows.sort_by_key(key);
    rows.into_iter()
}
