// A local replica of what one user sees of the chat, kept equal to the server's view. No DOM and no network in here, so
// it runs in browsers and in Node alike: `command(op, data)` asks the server, `receive(event, data)` takes live events.
//
// The order on every (re)connect: connect, `sync`, then live events with a higher rev. Live events are hints and sync is
// the truth: what comes while a sync runs waits for its end, and what is known already is recognised by its rev.

import { countIn, ordered, statusOf } from './replica-counts.js';
import { EVENTS } from './replica-events.js';
import { Timeline } from './replica-history.js';
import { Personal } from './replica-personal.js';
import { Pins } from './replica-pins.js';

export class SyncClient {
  #waiting = null;
  #again = false;

  /**
   * @param userId whose replica it is
   * @param command (op, data) => Promise of the ack's data; rejects with an error that has `code`
   * @param history (conversationId, {before|after|limit}) => Promise of a history page
   * @param conversation (conversationId) => Promise of the conversation as it is now
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
    this.timelines = new Map(); //     id => Timeline
    this.typing = new Map(); //        id => user ids
    this.presence = new Map(); //      user id => {status, last_seen_at, …}
    this.names = new Map(); //         user id => name, also of those who have left
    this.pins = new Pins();
    this.personal = new Personal();
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
      const timeline = this.timelines.get(conversation.id);
      if (limited) this.#unload(conversation.id);
      else for (const message of messages) this.#note(timeline, message);
      if (timeline && !limited) timeline.to = Math.max(timeline.to, conversation.last_seq);
      this.put(conversation);
    }
    for (const { conversation_id: id } of answer.removed) this.forget(id);
    this.personal.apply(answer, (place, on) => this.star(place.conversation_id, place.message_id, on));
    // More stars changed than were told: what is loaded again says which messages have one.
    if (answer.stars?.limited) for (const id of [...this.timelines.keys()]) this.#unload(id);
    this.token = answer.token;
  }

  /** Takes a conversation as the server tells it. */
  put(conversation) {
    this.conversations.set(conversation.id, conversation);
    for (const user of [conversation.peer, ...(conversation.members ?? []).map(m => m.user)]) {
      if (user?.name) this.names.set(user.id, user.name);
      if (user?.presence) this.presence.set(user.id, user.presence);
    }
    this.timelines.get(conversation.id)?.dropBelow(Math.max(conversation.my.visible_from_seq, conversation.first_seq ?? 1));
    this.changed(conversation.id);
  }

  forget(id) {
    this.conversations.delete(id);
    this.#unload(id);
    this.changed(id);
  }

  #unload(id) {
    this.timelines.delete(id);
    this.pins.forget(id);
  }

  /** Asks for a conversation again, where what changed does not tell all. */
  refresh(id) {
    this.conversation(id).then(fresh => this.put(fresh), () => {});
  }

  #note(timeline, message) {
    if (message.sender?.name) this.names.set(message.sender.id, message.sender.name);
    timeline?.store(message);
    this.pins.note(message);
  }

  /** Loads the newest page, or with `older` the page before the oldest known message. */
  async load(id, older = false) {
    const known = this.timelines.get(id);
    if (known && (!older || !known.more)) return known;
    const page = await this.history(id, older ? { before: known.from } : {});
    const timeline = this.timelines.get(id) ?? new Timeline(page.range);
    timeline.join(page);
    for (const message of page.items) this.#note(undefined, message);
    timeline.more = page.has_more_before;
    this.timelines.set(id, timeline);
    if ((this.conversations.get(id)?.last_seq ?? 0) > timeline.to) await this.#fill(id, timeline);
    this.changed(id);
    return timeline;
  }

  async #fill(id, timeline) {
    for (let more = true; more;) {
      const page = await this.history(id, { after: timeline.to, order: 'asc', limit: 100 });
      for (const message of page.items) this.#note(timeline, message);
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
    EVENTS[event]?.(this, data, known);
    this.changed(id ?? null);
  }

  /** Takes a message from a live event, or from the ack of one's own command (which gets no event). */
  take(message) {
    const conversation = this.conversations.get(message.conversation_id);
    if (!conversation) return void this.synchronise().catch(() => {});
    const timeline = this.timelines.get(conversation.id);
    this.#note(timeline, message);
    if (timeline && message.seq === timeline.to + 1) timeline.to = message.seq;
    else if (timeline && message.seq > timeline.to) this.#fill(conversation.id, timeline).catch(() => this.#unload(conversation.id));
    if (!countIn(conversation, message, this.userId)) this.refresh(conversation.id);
    this.changed(conversation.id);
  }

  /** Puts a star on a message that is here, or takes it off. */
  star(conversationId, messageId, on) {
    for (const message of this.timelines.get(conversationId)?.items.values() ?? []) if (message.id === messageId) message.starred = on || undefined;
    this.changed(conversationId);
  }

  /** Forgets one message that is no more for this user. */
  drop(message) {
    this.timelines.get(message.conversation_id)?.items.delete(message.seq);
    this.pins.drop(message);
    this.changed(message.conversation_id);
  }

  /** Takes an entry of the ack to marks. */
  marked({ conversation_id: id, error, ...marks }) {
    const my = this.conversations.get(id)?.my;
    if (!my || error) return;
    Object.assign(my, marks);
    if (!marks.unread_count) { my.mention_count = 0; my.marked_unread = false; delete my.first_unread_seq; }
    this.changed(id);
  }

  /** Takes what has expired by now off the screen; answers when the next message does, in milliseconds since 1970. */
  expire(now) {
    let next = Infinity;
    const stale = new Set();
    const over = thing => { const at = thing.expires_at ? Date.parse(thing.expires_at) : Infinity; if (at > now) next = Math.min(next, at); return at <= now; };
    for (const timeline of this.timelines.values()) {
      for (const message of timeline.list()) {
        if (!over(message)) continue;
        this.drop(message);
        stale.add(message.conversation_id);
      }
    }
    for (const c of this.conversations.values()) if (c.last_message && over(c.last_message)) { delete c.last_message; stale.add(c.id); }
    // What is the newest now, and how much is unread, the server knows.
    for (const id of stale) this.refresh(id);
    return next;
  }

  /** Conversations in the order of the list. */
  list() { return ordered(this.conversations.values()); }

  /** Messages of a conversation that are known without a gap, oldest first. */
  messages(id) { return this.timelines.get(id)?.list() ?? []; }

  /** How far one's own message got. */
  statusOf(message) { return statusOf(message, this.conversations.get(message.conversation_id), this.userId); }
}
