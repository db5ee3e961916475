// A local replica of what one user sees of the chat, kept equal to the server's view. No DOM and no network in here, so
// it runs in browsers and in Node alike: `command(op, data)` asks the server, `receive(event, data)` takes live events.
//
// The order on every (re)connect: connect, `sync`, then live events with a higher rev. Live events are hints and sync is
// the truth: what comes while a sync runs waits for its end, and what is known already is recognised by its rev.

import { countIn, ordered, statusOf } from './replica-counts.js';
import { EVENTS } from './replica-events.js';
import { Timelines } from './replica-history.js';
import { Personal } from './replica-personal.js';
import { Pins } from './replica-pins.js';

export class SyncClient {
  #waiting = null; // live events that came while a sync runs
  #again = false;
  #revs; // conversation id => rev up to which everything was heard of; a conversation that was read alone may be ahead

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
    this.#revs = new Map();
    this.conversations = new Map(); // id => Conversation
    this.timelines = new Timelines(this.history, message => this.#note(message));
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
      if (limited) this.unload(conversation.id);
      else for (const message of messages) { timeline?.store(message); this.#note(message); }
      if (timeline) timeline.to = Math.max(timeline.to, conversation.last_seq);
      this.#revs.set(conversation.id, conversation.rev);
      this.put(conversation);
    }
    for (const { conversation_id: id } of answer.removed) this.forget(id);
    this.personal.apply(answer, (place, on) => this.star(place.conversation_id, place.message_id, on));
    // More stars changed than were told: what is loaded again says which messages have one.
    if (answer.stars?.limited) for (const id of this.timelines.ids()) this.unload(id);
    this.token = answer.token;
  }

  /** Takes one live event. */
  receive(event, data) {
    if (this.#waiting) { this.#waiting.push([event, data]); return; }
    const id = data.conversation_id ?? data.conversation?.id;
    const known = id && this.conversations.get(id);
    if (data.rev !== undefined && event !== 'conversation_created') {
      if (!known) { if (event !== 'conversation_removed') this.synchronise().catch(() => {}); return; }
      if (data.rev <= this.#revs.get(id)) return;
      this.#revs.set(id, data.rev);
      known.rev = Math.max(known.rev, data.rev);
    }
    EVENTS[event]?.(this, data, known);
    this.changed(id ?? null);
  }

  /** Takes a message from a live event, or from the ack of one's own command (which gets no event). */
  take(message) {
    const conversation = this.conversations.get(message.conversation_id);
    if (!conversation) return void this.synchronise().catch(() => {});
    this.#note(message);
    this.timelines.take(message)?.then(() => this.changed(conversation.id));
    if (!countIn(conversation, message, this.userId)) this.refresh(conversation.id);
    this.changed(conversation.id);
  }

  #note(message) {
    if (message.sender?.name) this.names.set(message.sender.id, message.sender.name);
    this.pins.note(message);
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

  /** Asks for a conversation again, where what changed does not tell all. */
  refresh(id) { this.conversation(id).then(fresh => this.put(fresh), () => {}); }

  /** Takes an entry of the ack to marks. */
  marked({ conversation_id: id, error, ...marks }) {
    const my = this.conversations.get(id)?.my;
    if (!my || error) return;
    Object.assign(my, marks);
    if (!marks.unread_count) { my.mention_count = 0; my.marked_unread = false; delete my.first_unread_seq; }
    this.changed(id);
  }

  /** Loads the newest page of a conversation, or with `older` the page before the oldest known message. */
  async load(id, older = false) {
    const timeline = await this.timelines.load(id, older, this.conversations.get(id)?.last_seq ?? 0);
    this.changed(id);
    return timeline;
  }

  star(id, messageId, on) { this.timelines.star(id, messageId, on); this.changed(id); }

  /** Forgets one message that is no more for this user. */
  drop(message) {
    this.timelines.get(message.conversation_id)?.items.delete(message.seq);
    this.pins.drop(message);
    this.changed(message.conversation_id);
  }

  /** Forgets the messages of a conversation; they are loaded again when they are asked for. */
  unload(id) { this.timelines.forget(id); this.pins.forget(id); }

  forget(id) { this.conversations.delete(id); this.unload(id); this.#revs.delete(id); this.changed(id); }

  /** Conversations in the order of the list. */
  list() { return ordered(this.conversations.values()); }

  /** Messages of a conversation that are known without a gap, oldest first. */
  messages(id) { return this.timelines.get(id)?.list() ?? []; }

  /** How far one's own message got. */
  statusOf(message) { return statusOf(message, this.conversations.get(message.conversation_id), this.userId); }
}
