//! Everything kept of one user, record by record.

use futures::Stream;
use futures::stream::unfold;
use tokio::sync::mpsc;

use super::{Actor, ChatEngine};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Member, OwnPresence, Star, User};
use crate::view::ExportRecord;

/// How many rows are asked for at once.
const PAGE: usize = 100;
/// How many records wait for a slow reader.
const WAITING: usize = 64;

type Records = mpsc::Sender<ChatResult<ExportRecord>>;

impl Actor {
    /// Everything kept of the caller, where the host lets users have it.
    ///
    /// # Errors
    /// `not_permitted`: not by [`self_export`](crate::config::Policies::self_export), or the host acts; those of
    /// [`ChatEngine::export_user`].
    pub async fn export_me(&self) -> ChatResult<impl Stream<Item = ChatResult<ExportRecord>> + Send + use<>> {
        if self.is_host() || !self.engine().config().policies.self_export {
            return Err(ChatError::new(
                ErrorCode::NotPermitted,
                "users do not export their data here",
            ));
        }
        self.engine().export_user(self.user_id()).await
    }
}

impl ChatEngine {
    /// Everything kept of a user, for the host: a stream of records that ends with [`ExportRecord::End`]. It holds
    /// nothing of others but their ids. Read page by page, so memory does not grow with what he has; what changes
    /// while it runs may be told as it was or as it is.
    ///
    /// # Errors
    /// `user_not_found`; `unavailable`. An error on the way is the stream's last item, and then there is no end record.
    pub async fn export_user(
        &self,
        user: &UserId,
    ) -> ChatResult<impl Stream<Item = ChatResult<ExportRecord>> + Send + use<>> {
        let known = self.inner().store.users(std::slice::from_ref(user)).await?.pop();
        let user = known.ok_or_else(|| ChatError::new(ErrorCode::UserNotFound, "no such user"))?;
        let (records, receiver) = mpsc::channel(WAITING);
        let engine = self.clone();
        tokio::spawn(async move {
            let mut export = Export {
                engine,
                records,
                count: 0,
            };
            if let Err(error) = export.run(&user).await {
                // Whoever asked is gone, or learns of it here.
                drop(export.records.send(Err(error)).await);
            }
        });
        Ok(unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|record| (record, receiver))
        }))
    }
}

struct Export {
    engine: ChatEngine,
    records: Records,
    count: u64,
}

impl Export {
    async fn run(&mut self, user: &User) -> ChatResult<()> {
        self.tell(ExportRecord::user(user)).await?;
        self.tell(ExportRecord::Settings(user.settings.clone())).await?;
        if user.presence != OwnPresence::default() {
            self.tell(ExportRecord::Presence(user.presence.clone())).await?;
        }
        self.own_lists(&user.id).await?;
        let mut after = None;
        loop {
            let store = self.engine.store();
            let page = store.memberships(&user.id, after, PAGE).await?;
            for member in &page {
                self.conversation(member).await?;
            }
            after = page.last().map(|member| member.conversation_id);
            if page.len() < PAGE {
                break;
            }
        }
        for part in &self.engine.inner().user_data.clone() {
            for data in part.export(&user.id).await? {
                let source = part.name();
                self.tell(ExportRecord::Other { source, data }).await?;
            }
        }
        let records = self.count;
        self.tell(ExportRecord::End { records }).await
    }

    /// Hands a record on, when there is room for it.
    async fn tell(&mut self, record: ExportRecord) -> ChatResult<()> {
        self.count += 1;
        let sent = self.records.send(Ok(record)).await;
        // Nobody reads any more; what this error says nobody hears either.
        sent.map_err(|_| ErrorCode::Internal.into())
    }

    async fn own_lists(&mut self, user: &UserId) -> ChatResult<()> {
        let store = self.engine.store().clone();
        for device in store.devices(std::slice::from_ref(user)).await? {
            self.tell(ExportRecord::device(&device)).await?;
        }
        let mut after = None;
        while let page @ [_, ..] = &store.blocks_by(user, after, PAGE).await?[..] {
            after = page.last().map(|block| block.blocked.clone());
            for block in page {
                self.tell(ExportRecord::block(block)).await?;
            }
        }
        for change in store.mute_changes(user, 0).await? {
            if let Some(until) = change.until {
                let user_id = change.user;
                self.tell(ExportRecord::Mute { user_id, until }).await?;
            }
        }
        let mut after = 0;
        while let page @ [.., last] = &store.changed_scheduled(user, after, false, PAGE).await?[..] {
            after = last.user_rev;
            for row in page {
                self.tell(ExportRecord::scheduled(row)).await?;
            }
        }
        let mut after = None;
        while let page @ [.., last] = &store.reports_by(user, after, PAGE).await?[..] {
            after = Some(last.id);
            for report in page {
                self.tell(ExportRecord::report(report)).await?;
            }
        }
        let mut after = None;
        while let page @ [_, ..] = &store.uploads_by(user, after, PAGE).await?[..] {
            after = page.last().map(|file| file.id);
            for file in page {
                self.tell(ExportRecord::file(file)).await?;
            }
        }
        let mut after = None;
        while let page @ [_, ..] = &store.reactions_by(user, after, PAGE).await?[..] {
            after = page
                .last()
                .map(|reaction| (reaction.message_id, reaction.emoji.clone()));
            for reaction in page {
                self.tell(ExportRecord::reaction(reaction)).await?;
            }
        }
        for change in store.star_changes(user, 0, usize::MAX).await? {
            if change.starred {
                let Star {
                    message_id,
                    conversation_id,
                    ..
                } = change.star;
                self.tell(ExportRecord::Star {
                    message_id,
                    conversation_id,
                })
                .await?;
            }
        }
        let mut after = None;
        while let page @ [_, ..] = &store.hides_by(user, after, PAGE).await?[..] {
            after = page.last().map(|hide| hide.message_id);
            for hide in page {
                self.tell(ExportRecord::hide(hide)).await?;
            }
        }
        Ok(())
    }

    async fn former_texts(&mut self, message: MessageId) -> ChatResult<()> {
        let store = self.engine.store().clone();
        let mut before = None;
        while let page @ [.., last] = &store.former_texts(message, before, PAGE).await?[..] {
            before = Some(last.version);
            for former in page {
                self.tell(ExportRecord::former_text(former)).await?;
            }
        }
        Ok(())
    }

    async fn conversation(&mut self, member: &Member) -> ChatResult<()> {
        let store = self.engine.store().clone();
        let id: ConversationId = member.conversation_id;
        let Some(conversation) = store.conversations(&[id]).await?.pop() else {
            return Ok(());
        };
        self.tell(ExportRecord::membership(&conversation, member)).await?;
        let user = &member.user_id;
        let mut after = 0;
        while let page @ [.., last] = &store.sent_messages(id, user, after, PAGE).await?[..] {
            after = last.seq;
            for message in page {
                self.tell(ExportRecord::message(message.clone())).await?;
                if message.version > 1 {
                    self.former_texts(message.id).await?;
                }
            }
        }
        let mut after = None;
        while let page @ [.., last] = &store.mark_steps(id, user, after, PAGE).await?[..] {
            after = Some((last.to, last.read));
            for step in page {
                self.tell(ExportRecord::mark(id, step)).await?;
            }
        }
        Ok(())
    }
}
