// What each live event changes: (replica, data, conversation or undefined).

const assign = (object, values) => {
  for (const [key, value] of Object.entries(values)) {
    if (value === null) delete object[key];
    else object[key] = value;
  }
};
const message = (replica, data) => { if (data.message) replica.take(data.message); };

export const EVENTS = {
  message_created: message,
  message_updated: message,
  message_deleted: message,

  receipt_updated(replica, { user_id: id, delivered_seq: delivered, read_seq: read }, conversation) {
    const member = conversation.members?.find(m => m.user.id === id);
    if (!member) return;
    member.delivered_seq = Math.max(member.delivered_seq, delivered);
    member.read_seq = Math.max(member.read_seq, read);
  },

  conversation_created(replica, { conversation }) { replica.put(conversation); },
  conversation_removed(replica, { conversation_id: id }) { replica.forget(id); },
  conversation_updated(replica, { changed }, conversation) {
    assign(conversation, changed);
    replica.put(conversation);
    // Who may do what decides what `my.can` says, and that only the server knows.
    if (['permissions', 'frozen', 'slow_mode_ms'].some(key => key in changed)) replica.refresh(conversation.id);
  },

  members_changed(replica, { added = [], removed = [], roles = {}, muted = {} }, conversation) {
    if (conversation.members) {
      const gone = new Set([...removed, ...added.map(m => m.user.id)]);
      conversation.members = [...conversation.members.filter(m => !gone.has(m.user.id)), ...added];
      for (const member of conversation.members) {
        member.role = roles[member.user.id] ?? member.role;
        if (member.user.id in muted) assign(member, { muted_until: muted[member.user.id] });
      }
    }
    // Ranks decide what `my.can` says, and large groups carry no list: the server knows best.
    replica.refresh(conversation.id);
  },

  inbox_updated(replica, { conversation_id: id, badge, user_rev: rev, ...my }, conversation) {
    if (!conversation) return void replica.synchronise().catch(() => {});
    assign(conversation.my, my);
    replica.put(conversation);
    replica.refresh(id);
  },

  typing_changed(replica, { conversation_id: id, user_ids: who }) { replica.typing.set(id, who); },
  presence_changed(replica, { user_id: id, own, ...presence }) {
    replica.presence.set(id, presence);
    if (own) replica.personal.presence = own;
  },
  block_changed(replica, { user_id: id, blocked }) { replica.personal.block(id, blocked); },
  mute_changed(replica, { user_id: id, muted_until: until }) { replica.personal.mute(id, until !== null); },
  star_changed(replica, { conversation_id: id, message_id: of, starred }) { replica.star(id, of, starred); },
  scheduled_changed(replica, { scheduled }) { replica.personal.schedule(scheduled); },
  lagged(replica) { replica.synchronise().catch(() => {}); },
};
