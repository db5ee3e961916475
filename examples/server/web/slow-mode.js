// How long somebody has to wait before he writes again, where a group asks for a pause.

/** Milliseconds until the next message may be sent; 0 when it may. */
export function waitOf(app, conversation) {
  if (!conversation.slow_mode_ms || conversation.my.role !== 'member') return 0;
  const last = app.replica.messages(conversation.id).findLast(m => m.sender.id === app.me.id && m.kind !== 'system');
  const told = conversation.my.next_send_at ? Date.parse(conversation.my.next_send_at) : 0;
  const next = Math.max(told, last ? Date.parse(last.created_at) + conversation.slow_mode_ms : 0);
  return Math.max(0, next - app.now());
}
