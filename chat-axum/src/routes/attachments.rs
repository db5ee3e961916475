use crate::state::ApiState;
use utoipa_axum::router::OpenApiRouter;
pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
}
