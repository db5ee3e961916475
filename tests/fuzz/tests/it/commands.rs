use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::campaign::Campaign;
use crate::world::{World, check_code};

#[tokio::test]
async fn commands_of_any_shape_get_an_answer_with_a_code() {
    let world = World::new().await;
    let mut other = world.connect("ben").await;
    let mut ada = world.connect("ada").await;
    let mut campaign = Campaign::new("commands", 4_000);
    while let Some(input) = campaign.next() {
        let filled = world.filled(&input);
        let Ok((name, payload)) = serde_json::from_slice::<(String, Value)>(&filled) else {
            continue;
        };
        if ada.0.has_ended() {
            ada = world.connect("ada").await;
        }
        campaign
            .judge(&input, async {
                let answer = timeout(Duration::from_secs(20), ada.0.execute(&name, payload)).await;
                if let Err(error) = answer.unwrap() {
                    check_code(&json!({ "code": error.code().as_str(), "detail": error.to_string() }));
                }
                let alive = other.0.execute("set_foreground", json!({ "foreground": true }));
                assert_eq!(alive.await.unwrap(), json!({}));
            })
            .await;
        // Nobody reads on; a full queue would end the session.
        while ada.1.try_next().is_some() {}
        while other.1.try_next().is_some() {}
    }
}
