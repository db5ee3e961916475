// A local replica of what one user sees of the chat, kept equal to the server's view. No DOM and no network in here, so
// it runs in browsers and in Node alike: `command(op, data)` asks the server, `receive(event, data)` takes live events.
//
// The order on every (re)connect: connect, `sync`, then live events with a higher rev. Live events are hints and sync is
// the truth: what comes while a sync runs waits for its end, and what is known already is recognised by its rev.

const countable = message => message.kind !== 'system' && !message.silent && !message.deleted && !message.from_blocked;

/** What the list shows of a message. */
export function previewOf(message) {
  const words = { image: 'Photo', video: 'Video', audio: 'Audio', file: 'File', location: 'Location', meeting: 'Meeting', custom: 'Message', system: 'Update' };
  return message.text || words[message.kind] || '';
}

export class SyncClient {
  #waiting = null;
  #again = false;

  /**
   * @param userId whose replica it is
   * @param command (op, data) => Promise of the ack's data; rejects with an error that has `code`
   * @param history (conversationId, {before|after|limit}) => Promise of a history page
   * @param changed called with the id of the conversation that changed, or `null` for anything else
   */
  constructor({ userId, command, history, conversation, changed = () => {} }) {
    Object.assign(this, { userId, command, history, conversation, changed });
    this.clear();
  }

  /** Forgets everything; the next sync is a first one. */
  clear() {
    this.token = undefined;
    this.conversations = new Map(); // id => Conversation
    this.timelines = new Map(); //     id => {items: Map(seq => Message), from, to, more}: a closed range of history
    this.typing = new Map(); //        id => user ids
    this.presence = new Map(); //      user id => {status, last_seen_at}
    this.blocked = new Set();
    this.names = new Map(); //         user id => name, also of those who have left
  }

  /** Catches up. Call it whenever a connection is ready, and on `lagged`. */
  async synchronise() {
    if (this.#waiting) { this.#again = true; return; }
    this.#waiting = [];
    try {
      for (let more = true; more;) {
        const answer = await this.#ask();
        this.#apply(answer);
        more = answer.has_more;
      }
    } finally {
      const waiting = this.#waiting;
      this.#waiting = null;
      for (const [event, data] of waiting) this.receive(event, data);
      this.changed(null);
    }
    if (this.#again) { this.#again = false; await this.synchronise(); }
  }

  async #ask() {
    try {
      return await this.command('sync', this.token ? { token: this.token } : {});
    } catch (error) {
      if (!this.token || !['reset_required', 'invalid_cursor'].includes(error.code)) throw error;
      this.clear();
      return this.command('sync', {});
    }
  }

  #apply(answer) {
    for (const { conversation, messages, limited } of answer.conversations) {
      this.put(conversation);
      const timeline = this.timelines.get(conversation.id);
      if (!timeline) continue;
      if (limited) { this.timelines.delete(conversation.id); continue; }
      for (const message of messages) this.#store(timeline, message);
      timeline.to = Math.max(timeline.to, conversation.last_seq);
    }
    for (const { conversation_id: id } of answer.removed) this.#forget(id);
    for (const id of answer.blocks?.added ?? []) this.blocked.add(id);
    for (const id of answer.blocks?.removed ?? []) this.blocked.delete(id);
    this.token = answer.token;
  }

  /** Takes a conversation as the server tells it. */
  put(conversation) {
    this.conversations.set(conversation.id, conversation);
    for (const user of [conversation.peer, ...(conversation.members ?? []).map(m => m.user)]) {
      if (user?.name) this.names.set(user.id, user.name);
      if (user?.presence) this.presence.set(user.id, user.presence);
    }
    this.changed(conversation.id);
  }

  #forget(id) {
    this.conversations.delete(id);
    this.timelines.delete(id);
    this.changed(id);
  }

  #store(timeline, message) {
    if (message.sender?.name) this.names.set(message.sender.id, message.sender.name);
    const known = timeline.items.get(message.seq);
    if (known && known.rev > message.rev) return;
    if (message.gone) timeline.items.delete(message.seq);
    else timeline.items.set(message.seq, message);
  }

  /** Loads the newest page, or with `older` the page before the oldest known message. */
  async load(id, older = false) {
    const known = this.timelines.get(id);
    if (known && (!older || !known.more)) return known;
    const page = await this.history(id, older ? { before: known.from } : {});
    const last = this.conversations.get(id)?.last_seq ?? 0;
    const timeline = this.timelines.get(id) ?? { items: new Map(), from: page.range?.from ?? 1, to: Math.max(page.range?.to ?? 0, 0), more: false };
    for (const message of page.items) this.#store(timeline, message);
    timeline.from = Math.min(timeline.from, page.range?.from ?? timeline.from);
    timeline.more = page.has_more_before;
    this.timelines.set(id, timeline);
    if (last > timeline.to) await this.#fill(id, timeline);
    this.changed(id);
    return timeline;
  }

  async #fill(id, timeline) {
    for (let more = true; more;) {
      const page = await this.history(id, { after: timeline.to, order: 'asc', limit: 100 });
      for (const message of page.items) this.#store(timeline, message);
      timeline.to = Math.max(timeline.to, page.range?.to ?? timeline.to);
      more = page.has_more_after && page.items.length > 0;
    }
    this.changed(id);
  }

  /** Takes one live event. */
  receive(event, data) {
    if (this.#waiting) { this.#waiting.push([event, data]); return; }
    const id = data.conversation_id ?? data.conversation?.id;
    const known = id && this.conversations.get(id);
    if (data.rev !== undefined && event !== 'conversation_created') {
      if (!known) { if (event !== 'conversation_removed') this.synchronise().catch(() => {}); return; }
      if (data.rev <= known.rev) return;
      known.rev = data.rev;
    }
    const take = this[`_${event}`];
    if (take) take.call(this, data, known);
    this.changed(id ?? null);
  }

  /** Takes a message from a live event, or from the ack of one's own command (which gets no event). */
  take(message) {
    const conversation = this.conversations.get(message.conversation_id);
    if (!conversation) return void this.synchronise().catch(() => {});
    const timeline = this.timelines.get(conversation.id);
    if (timeline) {
      this.#store(timeline, message);
      if (message.seq === timeline.to + 1) timeline.to = message.seq;
      else if (message.seq > timeline.to) this.#fill(conversation.id, timeline).catch(() => this.timelines.delete(conversation.id));
    }
    const newest = message.seq > conversation.last_seq;
    if (newest) conversation.last_seq = message.seq;
    const last = conversation.last_message;
    if (message.gone || message.deleted) {
      // What is now the newest, and how much is unread, depends on messages that may not be here.
      if (last?.seq === message.seq || message.seq > conversation.my.read_seq) this.#refresh(conversation.id);
    } else if (!last || message.seq >= last.seq) {
      conversation.last_message = { seq: message.seq, kind: message.kind, sender_id: message.sender.id, preview: previewOf(message), created_at: message.created_at };
      if (newest && countable(message)) conversation.last_activity_at = message.created_at;
    }
    if (newest && countable(message) && message.sender.id !== this.userId) {
      const my = conversation.my;
      if (!my.unread_count) my.first_unread_seq = message.seq;
      my.unread_count += 1;
      if (message.mentions?.some(user => user === this.userId || user === '@all')) my.mention_count += 1;
      if (!my.muted_until) my.archived = false;
    }
    this.changed(conversation.id);
  }

  #refresh(id) {
    this.conversation(id).then(fresh => this.put(fresh), () => {});
  }

  _message_created({ message }) { if (message) this.take(message); }
  _message_updated({ message }) { if (message) this.take(message); }
  _message_deleted({ message }) { if (message) this.take(message); }

  _receipt_updated({ user_id, delivered_seq, read_seq }, conversation) {
    const member = conversation.members?.find(m => m.user.id === user_id);
    if (!member) return;
    member.delivered_seq = Math.max(member.delivered_seq, delivered_seq);
    member.read_seq = Math.max(member.read_seq, read_seq);
  }

  /** Takes an entry of the ack to marks. */
  marked({ conversation_id, error, ...marks }) {
    const my = this.conversations.get(conversation_id)?.my;
    if (!my || error) return;
    Object.assign(my, marks);
    if (!marks.unread_count) { my.mention_count = 0; my.marked_unread = false; delete my.first_unread_seq; }
    this.changed(conversation_id);
  }

  _conversation_created({ conversation }) { this.put(conversation); }
  _conversation_removed({ conversation_id }) { this.#forget(conversation_id); }
  _conversation_updated({ changed }, conversation) {
    for (const [key, value] of Object.entries(changed)) {
      if (value === null) delete conversation[key];
      else conversation[key] = value;
    }
  }

  _members_changed({ added = [], removed = [], roles = {} }, conversation) {
    // Ranks decide what `my.can` says, and large groups carry no list: the server knows best.
    if (conversation.members) {
      const gone = new Set([...removed, ...added.map(m => m.user.id)]);
      conversation.members = [...conversation.members.filter(m => !gone.has(m.user.id)), ...added];
      for (const member of conversation.members) member.role = roles[member.user.id] ?? member.role;
    }
    this.#refresh(conversation.id);
  }

  _inbox_updated({ conversation_id, badge, user_rev, ...my }, conversation) {
    if (!conversation) return void this.synchronise().catch(() => {});
    for (const [key, value] of Object.entries(my)) {
      if (value === null) delete conversation.my[key];
      else conversation.my[key] = value;
    }
    const timeline = this.timelines.get(conversation_id);
    for (const seq of timeline?.items.keys() ?? []) if (seq < conversation.my.visible_from_seq) timeline.items.delete(seq);
    this.#refresh(conversation_id);
  }

  _typing_changed({ conversation_id, user_ids }) { this.typing.set(conversation_id, user_ids); }
  _presence_changed({ user_id, ...presence }) { this.presence.set(user_id, presence); }
  _block_changed({ user_id, blocked }) { if (blocked) this.blocked.add(user_id); else this.blocked.delete(user_id); }
  _lagged() { this.synchronise().catch(() => {}); }

  /** Conversations in the order of the list, archived ones among them: pinned first, then by activity. */
  list() {
    const key = c => [c.my.pinned_at ? 1 : 0, c.last_activity_at ?? c.created_at];
    return [...this.conversations.values()].filter(c => !c.my.hidden)
      .sort((a, b) => { const [p, t] = key(a), [q, u] = key(b); return q - p || (u < t ? -1 : u > t ? 1 : 0); });
  }

  /** Messages of a conversation that are known without a gap, oldest first. */
  messages(id) {
    return [...(this.timelines.get(id)?.items.values() ?? [])].sort((a, b) => a.seq - b.seq);
  }

  /** How far one's own message got: what the server said, or what the members' marks say since. Never goes back. */
  statusOf(message) {
    const ranks = ['sent', 'delivered', 'read'];
    const others = (this.conversations.get(message.conversation_id)?.members ?? [])
      .filter(m => m.user.id !== this.userId && m.joined_at <= message.created_at);
    const all = mark => others.length > 0 && others.every(m => m[mark] >= message.seq);
    const seen = all('read_seq') ? 2 : all('delivered_seq') ? 1 : 0;
    return ranks[Math.max(seen, ranks.indexOf(message.status ?? 'sent'))];
  }
}
