// What is one's own and nobody else's: blocks, muted users, stars, scheduled messages, how one wants to be seen.

export class Personal {
  constructor() {
    this.blocked = new Set(); //   user ids
    this.muted = new Set(); //     ids of users whose messages do not alert
    this.scheduled = new Map(); // id => scheduled message that is pending or has failed
    this.presence = undefined; //  {status, text?, emoji?, until?}, once it was heard of
  }

  /** Takes the personal part of a sync answer; `star(place, on)` is called for each star that came or went. */
  apply({ blocks = {}, mutes = {}, stars = {}, scheduled = [] }, star) {
    for (const id of blocks.added ?? []) this.blocked.add(id);
    for (const id of blocks.removed ?? []) this.blocked.delete(id);
    for (const id of mutes.added ?? []) this.mute(id, true);
    for (const id of mutes.removed ?? []) this.mute(id, false);
    for (const place of stars.added ?? []) star(place, true);
    for (const place of stars.removed ?? []) star(place, false);
    for (const one of scheduled) this.schedule(one);
  }

  block(id, on) {
    if (on) this.blocked.add(id); else this.blocked.delete(id);
  }

  mute(id, on) {
    if (on) this.muted.add(id); else this.muted.delete(id);
  }

  schedule(one) {
    const known = this.scheduled.get(one.id);
    if (known && known.version > one.version) return;
    if (['pending', 'failed'].includes(one.state)) this.scheduled.set(one.id, one);
    else this.scheduled.delete(one.id);
  }

  /** Scheduled messages of one conversation, or of all, the next one first. */
  scheduledFor(id) {
    return [...this.scheduled.values()].filter(one => !id || one.conversation_id === id).sort((a, b) => (a.send_at < b.send_at ? -1 : 1));
  }
}
