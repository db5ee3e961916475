// Tells the server what has reached this page and what somebody read here.

/** `looking()`: whether somebody looks; `chat()`: the open conversation's view, if any. */
export function marks(app, { looking, chat }) {
  const heard = new Map(); // conversation id => newest seq from others that reached this page
  let timer; let reading = false; let again = false;

  async function tell() {
    timer = undefined;
    const due = [...heard].filter(([id, seq]) => seq > (app.replica.conversations.get(id)?.my.delivered_seq ?? seq)).slice(0, 100).map(([id, seq]) => ({ conversation_id: id, seq }));
    if (!due.length) return;
    try { (await app.conn.command('mark_delivered', { marks: due })).marks.forEach(mark => app.replica.marked(mark)); } catch { heard.clear(); }
  }

  /** Notes what is new, to be told together in a moment. */
  function delivered() {
    for (const c of app.replica.conversations.values()) {
      const last = c.last_message;
      if (last && last.sender_id !== app.me.id && last.seq > Math.max(c.my.delivered_seq, heard.get(c.id) ?? 0)) {
        heard.set(c.id, last.seq);
        timer ??= setTimeout(tell, 1000);
      }
    }
  }

  /** Marks as read what is on screen, when somebody looks. */
  async function read() {
    const view = chat();
    const c = view && app.replica.conversations.get(view.id);
    if (!c || !looking() || !view.atBottom() || !app.conn.ready) return;
    if (reading) { again = true; return; }
    const seq = app.replica.messages(c.id).findLast(m => m.sender.id !== app.me.id)?.seq ?? 0;
    if (seq <= c.my.read_seq && !c.my.unread_count && !c.my.marked_unread) return;
    reading = true;
    try { (await app.conn.command('mark_read', { marks: [{ conversation_id: c.id, seq: Math.max(seq, c.my.read_seq) }] })).marks.forEach(mark => app.replica.marked(mark)); } catch { /* comes again with the next change */ }
    setTimeout(() => {
      reading = false;
      if (again) { again = false; read(); }
    }, 300);
  }

  return { delivered, read, stop: () => clearTimeout(timer) };
}
