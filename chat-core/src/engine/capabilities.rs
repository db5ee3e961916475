use serde_json::Value;

use crate::command::ClientCommand;
use crate::engine::ChatEngine;
use crate::event::ChatEvent;
use crate::model::MessageKind;
use crate::view::Capabilities;

impl ChatEngine {
    /// Every limit and policy in force, and the names of commands, events and kinds.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            limits: serde_json::to_value(&self.config().limits).unwrap_or(Value::Null),
            policies: serde_json::to_value(&self.config().policies).unwrap_or(Value::Null),
            commands: ClientCommand::NAMES.to_vec(),
            events: ChatEvent::NAMES.to_vec(),
            kinds: MessageKind::ALL.iter().map(|kind| kind.as_str()).collect(),
        }
    }
}
