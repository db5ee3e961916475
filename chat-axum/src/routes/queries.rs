//! Query parameters that several resources share.

use chat_core::command::PageRequest;
use chat_core::error::ChatResult;
use chat_core::model::MessageKind;
use utoipa::IntoParams;

use crate::extract::{FromQuery, Params};

/// Which page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters that PageRequest is read from")]
pub(super) struct PageParams {
    /// At most so many items.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromQuery for PageRequest {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        params.page()
    }
}

pub(super) fn kind(params: &mut Params) -> ChatResult<Option<MessageKind>> {
    params.value("kind", "not one of the known values", MessageKind::parse)
}
