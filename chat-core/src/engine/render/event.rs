use crate::engine::ChatEngine;
use crate::engine::dispatch::Publication;
use crate::error::ChatResult;
use crate::event::ChatEvent;
impl ChatEngine {
    pub(crate) async fn deliver(&self, _event: &ChatEvent, _publication: &Publication) -> ChatResult<()> {
        Ok(())
    }
}
