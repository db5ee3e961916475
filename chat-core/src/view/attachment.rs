use serde::Serialize;

use crate::id::AttachmentId;
use crate::model::AttachmentKind;

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Attachment))]
pub struct AttachmentView {
    /// Its id.
    pub id: AttachmentId,
    /// What it is, by content.
    pub kind: AttachmentKind,
    /// Where its bytes are; needs the same authentication as the API.
    pub url: String,
    /// The uploader's name for it.
    pub filename: String,
    /// Its type, by content.
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Length in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}
