//! Files: taken in, shown to those who may see them, and forgotten.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use futures::StreamExt;

use crate::command::CommandName;
use crate::engine::{Actor, ChatEngine};
use crate::error::{BackendError, BackendErrorKind, ChatError, ChatResult, ErrorCode};
use crate::id::AttachmentId;
use crate::model::{Attachment, AttachmentKind, AttachmentState};
use crate::port::{MediaStore, MediaStream};
use crate::view::AttachmentView;

/// Longest name of a file, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// How many messages that show a file are looked at in one question to the store.
const SHOWN_BY: usize = 100;
/// How many forgotten files are cleared away at a time.
const SWEEP: usize = 100;

/// What an inbound adapter knows of an upload before its bytes have come: name as given, type by content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// The uploader's name for it.
    pub filename: String,
    /// Its type, sniffed from the first bytes.
    pub mime_type: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Pixels, for pictures.
    pub dimensions: Option<(u32, u32)>,
}

/// A file to hand out.
pub struct Upload {
    /// What is known of it.
    pub attachment: Attachment,
    /// The bytes of the range asked for.
    pub bytes: MediaStream,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("attachment", &self.attachment)
            .finish_non_exhaustive()
    }
}

/// An uploaded file as callers see it; `base` is where the mounted API serves attachments.
pub(crate) fn attachment_view(attachment: &Attachment, base: &str) -> AttachmentView {
    AttachmentView {
        id: attachment.id,
        kind: attachment.kind,
        url: format!("{}/{}/content", base.trim_end_matches('/'), attachment.id),
        filename: attachment.filename.clone(),
        mime_type: attachment.mime_type.clone(),
        size: attachment.size,
        width: attachment.width,
        height: attachment.height,
        duration_ms: attachment.duration_ms,
    }
}

/// Why an upload was cut by the engine itself.
#[derive(Debug, Default)]
struct Cut(AtomicU8);

impl Cut {
    const TOO_LARGE: u8 = 1;
    const IDLE: u8 = 2;

    fn set(&self, reason: u8) -> BackendError {
        self.0.store(reason, Ordering::Release);
        BackendError::new(BackendErrorKind::Other, "engine", "upload")
    }

    /// What the caller is told: the engine's own reason before whatever the media store made of it.
    fn explain(&self, failure: BackendError, max: usize) -> ChatError {
        match self.0.load(Ordering::Acquire) {
            Self::TOO_LARGE => {
                ChatError::new(ErrorCode::PayloadTooLarge, format!("at most {max} bytes")).with_field("file")
            }
            Self::IDLE => ChatError::new(ErrorCode::Unavailable, "the upload stood still for too long")
                .with_source(failure),
            _ => failure.into(),
        }
    }
}

/// The same bytes, cut when there are more than `max` or none for `idle`.
fn bounded(bytes: MediaStream, max: usize, idle: Duration, cut: Arc<Cut>) -> MediaStream {
    let state = Some((bytes, 0_usize));
    futures::stream::unfold(state, move |state| {
        let cut = Arc::clone(&cut);
        async move {
            let (mut bytes, taken) = state?;
            match tokio::time::timeout(idle, bytes.next()).await {
                Err(_) => Some((Err(cut.set(Cut::IDLE)), None)),
                Ok(None) => None,
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(Some(Ok(chunk))) => {
                    let taken = taken.saturating_add(chunk.len());
                    if taken > max {
                        Some((Err(cut.set(Cut::TOO_LARGE)), None))
                    } else {
                        Some((Ok(chunk), Some((bytes, taken))))
                    }
                }
            }
        }
    })
    .boxed()
}

/// Bytes that nothing knows of yet: they go again when the upload does not come to its end, also when its caller
/// goes away in the middle.
struct Unclaimed {
    media: Arc<dyn MediaStore>,
    id: AttachmentId,
    claimed: bool,
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if self.claimed {
            return;
        }
        let (media, id) = (Arc::clone(&self.media), self.id);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = media.delete(id).await {
                    tracing::warn!(%error, %id, "bytes of a failed upload stay behind");
                }
            });
        }
    }
}

/// A file name that cannot harm: no path, no control or direction characters, at most 255 bytes, never empty.
fn harmless_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| {
            !c.is_control()
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        })
        .collect();
    let clean = clean.trim();
    if clean.chars().all(|c| c == '.') {
        return "file".to_owned();
    }
    if clean.len() <= MAX_NAME_BYTES {
        return clean.to_owned();
    }
    // The ending tells people what a file is, so it is the stem that is cut.
    let (stem, ending) = match clean.rfind('.') {
        Some(dot) if clean.len() - dot <= 16 => clean.split_at(dot),
        _ => (clean, ""),
    };
    let mut end = MAX_NAME_BYTES - ending.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", stem.get(..end).unwrap_or_default())
}

fn missing() -> ChatError {
    ChatError::new(ErrorCode::AttachmentNotFound, "no such file")
}

impl Actor {
    /// Takes an upload: keeps its bytes, then its metadata. One that fails or is cut leaves nothing. Unused files go
    /// after 24 h.
    ///
    /// # Errors
    /// - `unavailable`: without a media store, when it cannot be reached, or when no byte came for 30 s.
    /// - `payload_too_large`: over [`upload_bytes`](crate::config::Limits::upload_bytes).
    /// - `invalid_argument` (`file`): empty.
    /// - `storage_full`.
    pub async fn upload(&self, upload: NewUpload, bytes: MediaStream) -> ChatResult<AttachmentView> {
        let about = self.about(CommandName::UploadAttachment);
        self.command(about, self.upload_past_hooks(upload, bytes)).await
    }

    async fn upload_past_hooks(&self, upload: NewUpload, bytes: MediaStream) -> ChatResult<AttachmentView> {
        let media = self.media()?;
        let limits = &self.engine().config().limits;
        let id = AttachmentId::from_uuid(self.inner().ids.next());
        let cut = Arc::new(Cut::default());
        let bytes = bounded(bytes, limits.upload_bytes, limits.upload_idle, Arc::clone(&cut));
        let size = media
            .put(id, bytes)
            .await
            .map_err(|failure| cut.explain(failure, limits.upload_bytes))?;
        let mut unclaimed = Unclaimed {
            media: Arc::clone(media),
            id,
            claimed: false,
        };
        if size == 0 {
            return Err(ChatError::invalid("file", "empty"));
        }
        let attachment = Attachment {
            id,
            uploader: self.user_id().clone(),
            kind: upload.kind,
            filename: harmless_name(&upload.filename),
            mime_type: upload.mime_type,
            size,
            width: upload.dimensions.map(|(width, _)| width),
            height: upload.dimensions.map(|(_, height)| height),
            duration_ms: None,
            state: AttachmentState::Pending,
            created_at: self.engine().now(),
        };
        let view = attachment_view(&attachment, &self.inner().media_url);
        self.inner().store.add_attachment(attachment).await?;
        unclaimed.claimed = true;
        Ok(view)
    }

    /// What is known of a file the caller may see: one of his own, one that a message he sees shows, or a picture of
    /// a user or group.
    ///
    /// # Errors
    /// `attachment_not_found`.
    pub async fn attachment(&self, id: AttachmentId) -> ChatResult<(AttachmentView, Attachment)> {
        let attachment = self
            .inner()
            .store
            .attachments(&[id])
            .await?
            .pop()
            .ok_or_else(missing)?;
        if !self.may_open(&attachment).await? {
            return Err(missing());
        }
        Ok((attachment_view(&attachment, &self.inner().media_url), attachment))
    }

    /// The bytes of a file the caller may see.
    ///
    /// # Errors
    /// - `attachment_not_found`.
    /// - `invalid_argument` (`range`): not inside the file.
    /// - `unavailable`: the media store cannot be reached.
    pub async fn attachment_content(&self, id: AttachmentId, range: Range<u64>) -> ChatResult<Upload> {
        let (_, attachment) = self.attachment(id).await?;
        if range.start >= range.end || range.end > attachment.size {
            return Err(ChatError::invalid("range", "not inside the file"));
        }
        let bytes = self.media()?.open(id, range).await?.ok_or_else(missing)?;
        Ok(Upload { attachment, bytes })
    }

    /// Deletes an unused upload of the caller.
    ///
    /// # Errors
    /// `attachment_not_found`, also for somebody else's; `conflict` when something shows it.
    pub async fn delete_attachment(&self, id: AttachmentId) -> ChatResult<()> {
        let about = self.about(CommandName::DeleteAttachment).attachment(id);
        self.command(about, self.delete_attachment_past_hooks(id)).await
    }

    async fn delete_attachment_past_hooks(&self, id: AttachmentId) -> ChatResult<()> {
        let store = &self.inner().store;
        let attachment = store
            .attachments(&[id])
            .await?
            .pop()
            .filter(|file| file.uploader == *self.user_id() && file.state != AttachmentState::Deleted)
            .ok_or_else(missing)?;
        let unused = attachment.state == AttachmentState::Pending
            && store
                .move_attachment(id, AttachmentState::Pending, AttachmentState::Deleted)
                .await?;
        if !unused {
            return Err(ChatError::new(ErrorCode::Conflict, "something shows this file"));
        }
        self.engine().forget_file(id).await;
        Ok(())
    }

    fn media(&self) -> ChatResult<&Arc<dyn MediaStore>> {
        self.inner()
            .media
            .as_ref()
            .ok_or_else(|| ChatError::new(ErrorCode::Unavailable, "this server keeps no files"))
    }

    async fn may_open(&self, file: &Attachment) -> ChatResult<bool> {
        // Moderators see what was reported, whatever has become of its message.
        if (self.is_moderator() || self.is_host()) && self.inner().store.is_evidence(file.id).await? {
            return Ok(true);
        }
        match file.state {
            AttachmentState::Deleted => Ok(false),
            AttachmentState::Avatar => Ok(true),
            AttachmentState::Pending | AttachmentState::Reserved => Ok(file.uploader == *self.user_id()),
            AttachmentState::Attached if file.uploader == *self.user_id() || self.is_host() => {
                self.is_shown(file.id).await
            }
            AttachmentState::Attached => self.sees_file(file.id).await,
        }
    }

    /// Whether a message that the caller sees shows a file.
    async fn sees_file(&self, id: AttachmentId) -> ChatResult<bool> {
        let store = &self.inner().store;
        let own = store.conversation_ids(self.user_id(), None).await?;
        let mut after = None;
        loop {
            let messages = store.shown_by(id, Some(&own), after, SHOWN_BY).await?;
            for message in &messages {
                match self.visible_message(*message).await {
                    Ok((_, message)) if message.content.attachments.contains(&id) => return Ok(true),
                    Ok(_) => {}
                    Err(error)
                        if matches!(
                            error.code(),
                            ErrorCode::MessageNotFound | ErrorCode::ConversationGone
                        ) => {}
                    Err(error) => return Err(error),
                }
            }
            if messages.len() < SHOWN_BY {
                return Ok(false);
            }
            after = messages.last().copied();
        }
    }
}

impl Actor {
    /// Whether a message whose time is not over shows a file. Files of expired ones are there for nobody, their
    /// uploaders included.
    async fn is_shown(&self, id: AttachmentId) -> ChatResult<bool> {
        let store = &self.inner().store;
        let mut after = None;
        loop {
            let ids = store.shown_by(id, None, after, SHOWN_BY).await?;
            let messages = store.messages(&ids).await?;
            let now = self.engine().now();
            if messages.iter().any(|message| !message.is_expired(now)) {
                return Ok(true);
            }
            if ids.len() < SHOWN_BY {
                return Ok(false);
            }
            after = ids.last().copied();
        }
    }
}

impl ChatEngine {
    /// Clears away files of deleted messages and uploads that nothing used in time; answers how many there were.
    ///
    /// # Errors
    /// `unavailable`: the store cannot be reached.
    pub(crate) async fn sweep_files(&self) -> ChatResult<usize> {
        let store = &self.inner().store;
        let before = self.now().before(self.config().limits.upload_pending_life);
        let (mut swept, mut after) = (0, None);
        loop {
            let stale = store.stale_attachments(before, after, SWEEP).await?;
            for file in &stale {
                // A pending one may be sent this moment; only one of the two can have it.
                let mine = file.state == AttachmentState::Deleted
                    || store
                        .move_attachment(file.id, AttachmentState::Pending, AttachmentState::Deleted)
                        .await?;
                if mine {
                    self.forget_file(file.id).await;
                }
            }
            swept += stale.len();
            // What could not be deleted is passed by, until the next sweep.
            after = stale.last().map(|file| file.id);
            if stale.len() < SWEEP {
                return Ok(swept);
            }
        }
    }

    /// Lets go of the bytes of a deleted file, then of its row; what fails is tried again by the next sweep.
    async fn forget_file(&self, id: AttachmentId) {
        if let Some(media) = &self.inner().media
            && let Err(error) = media.delete(id).await
        {
            tracing::warn!(%error, %id, "bytes of a deleted file stay for now");
            return;
        }
        if let Err(error) = self.inner().store.forget_attachment(id).await {
            tracing::warn!(%error, %id, "the row of a deleted file stays for now");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_harm() {
        assert_eq!(harmless_name("../../etc/passwd"), "passwd");
        assert_eq!(harmless_name("C:\\temp\\a b.png"), "a b.png");
        assert_eq!(harmless_name("a\r\n\0b\u{202e}gpj.exe"), "abgpj.exe");
        for name in ["", "..", ".", "/", "a/", "\u{202e}", " \t "] {
            assert_eq!(harmless_name(name), "file", "{name:?}");
        }
        let long = harmless_name(&format!("{}.jpeg", "ü".repeat(300)));
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("ü.jpeg"));
        assert!(harmless_name(&"x".repeat(300)).len() == MAX_NAME_BYTES);
    }
}
