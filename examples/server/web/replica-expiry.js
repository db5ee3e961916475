// Disappearing messages leave at their time, by the clock of the client.

/** Takes off what is over at `now`, in milliseconds since 1970; answers when the next one is. */
export function expire(replica, now) {
  let next = Infinity;
  const stale = new Set();
  const over = ({ expires_at: at }) => {
    const time = at ? Date.parse(at) : Infinity;
    if (time > now) next = Math.min(next, time);
    return time <= now;
  };
  for (const id of replica.timelines.ids()) {
    for (const message of replica.messages(id)) if (over(message)) { replica.drop(message); stale.add(id); }
  }
  for (const c of replica.conversations.values()) if (c.last_message && over(c.last_message)) { delete c.last_message; stale.add(c.id); }
  // What is the newest now, and how much is unread, the server knows.
  for (const id of stale) replica.refresh(id);
  return next;
}
