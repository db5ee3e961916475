// Messages on their way: in order, one at a time, kept through an outage; the client id keeps a retry from being there twice.

const LATER = new Set(['rate_limited', 'slow_mode', 'overloaded', 'unavailable', 'outcome_unknown']);

/** What was written, as the server takes it. */
export const asMessage = ({ text, attachments, mentions, replyTo }) => ({
  kind: attachments[0]?.kind ?? 'text', text: text || undefined, reply_to: replyTo?.id,
  attachment_ids: attachments.length ? attachments.map(file => file.id) : undefined, mentions: mentions?.length ? mentions : undefined,
});

export class Outbox {
  #queue = [];
  #pending = new Map(); // conversation id => messages not stored yet, also failed ones
  #emptying = false;

  constructor(app) { this.app = app; }

  /** What is on its way to a conversation, oldest first. */
  of(id) { return this.#pending.get(id) ?? []; }

  add(id, { text, attachments, mentions, replyTo }) {
    const message = {
      conversation_id: id, client_id: this.app.newKey(), sender: this.app.me, kind: attachments[0]?.kind ?? 'text', text, attachments, mentions, created_at: new Date().toISOString(), pending: 'sending',
      reply_to: replyTo && { message_id: replyTo.id, seq: replyTo.seq, state: 'visible', preview: { sender_id: replyTo.sender.id, kind: replyTo.kind, text: replyTo.text ?? '' } },
    };
    this.#pending.set(id, [...this.of(id), message]);
    this.resend(message);
  }

  resend(message) {
    message.pending = 'sending';
    this.#queue.push(message);
    this.app.replica.changed(message.conversation_id);
    this.empty();
  }

  discard(message) {
    this.#pending.set(message.conversation_id, this.of(message.conversation_id).filter(other => other !== message));
    this.app.replica.changed(message.conversation_id);
  }

  /** Sends what waits; what an outage leaves is sent when this is called again. */
  async empty() {
    if (this.#emptying) return;
    this.#emptying = true;
    while (this.#queue.length && this.app.conn.ready) {
      const [message] = this.#queue;
      try {
        const { message: sent } = await this.app.conn.command('send_message', { ...asMessage({ ...message, replyTo: message.reply_to && { id: message.reply_to.message_id } }), conversation_id: message.conversation_id, client_id: message.client_id, client_time: message.created_at });
        this.#queue.shift();
        this.discard(message);
        this.app.replica.take(sent);
      } catch (error) {
        if (['offline', 'timeout'].includes(error.code)) break;
        if (LATER.has(error.code)) { await new Promise(later => setTimeout(later, error.retry_after_ms ?? 1000)); continue; }
        this.#queue.shift();
        message.pending = 'failed';
        this.app.fail(error);
        this.app.replica.changed(message.conversation_id);
      }
    }
    this.#emptying = false;
  }
}
