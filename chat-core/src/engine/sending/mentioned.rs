//! Who a message mentions, and who is left out.

use crate::engine::content::MENTION_ALL;
use crate::id::UserId;

/// Sorts mentions into members, "everyone", and those left out; mentions of oneself are ignored.
pub(crate) fn resolve_mentions(
    asked: &[UserId],
    sender: &UserId,
    everyone_allowed: bool,
    is_member: &dyn Fn(&UserId) -> bool,
) -> (Vec<UserId>, bool, Vec<UserId>) {
    let (mut kept, mut everyone, mut dropped) = (Vec::new(), false, Vec::new());
    for user in asked {
        if user == sender || kept.contains(user) || dropped.contains(user) {
            continue;
        }
        if user.as_str() == MENTION_ALL {
            if everyone_allowed {
                everyone = true;
            } else {
                dropped.push(user.clone());
            }
        } else if is_member(user) {
            kept.push(user.clone());
        } else {
            dropped.push(user.clone());
        }
    }
    (kept, everyone, dropped)
}
