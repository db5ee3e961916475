// The page: signing in, the connection, the replica, and what the views ask of them.

import { Api } from './api.js';
import { Connection } from './connection.js';
import { SyncClient } from './sync-client.js';
import { Media } from './media.js';
import { el } from './dom.js';
import { ask, openDialog } from './dialog.js';
import { messageActions } from './message-actions.js';
import { Outbox } from './outbox.js';
import { authView } from './view-auth.js';
import { listView } from './view-list.js';
import { chatView } from './view-chat.js';
import { newDirectDialog, newGroupDialog } from './view-people.js';
import { settingsDialog } from './view-settings.js';

const KEY = 'chat.login';
const root = document.getElementById('root');
const api = new Api('/api');

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
const remember = login => { try { if (login) localStorage.setItem(KEY, JSON.stringify(login)); else localStorage.removeItem(KEY); } catch { /* private windows may refuse */ } };
const remembered = () => { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } };

let toastTimer;
function toast(text) {
  const box = document.getElementById('toast');
  box.textContent = text;
  box.className = 'shown';
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.className = ''; }, 4000);
}

function signIn(notice) {
  remember(null);
  api.token = undefined;
  document.title = 'Chat';
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  root.replaceChildren(authView(api, login => { remember(login); start(login); }, notice));
}

function start({ user, token }) {
  api.token = token;
  const heard = new Map(); //   conversation id => newest seq from others that reached this page
  let chat; let drawing = false; let markTimer; let reading = false; let readAgain = false;

  const app = {
    api, me: user, toast, newKey, media: new Media(api), openId: undefined, synced: false,
    fail: error => toast(error.message),
    titleOf: c => c.name ?? c.peer?.name ?? 'Conversation',
    nameOf: (id, c) => (id === user.id ? 'You' : c?.peer?.id === id ? c.peer.name : c?.members?.find(m => m.user.id === id)?.user.name ?? app.replica.names.get(id) ?? 'Somebody'),
    presenceOf: id => app.replica.presence.get(id),
    typistsOf: id => (app.replica.typing.get(id) ?? []).filter(who => who !== user.id).map(who => app.nameOf(who, app.replica.conversations.get(id))),
    canWrite: c => !(c.peer && app.replica.blocked.has(c.peer.id)) && (c.my.can ?? ['send']).includes('send'),
    refresh: async id => app.replica.put(await api.get(`conversations/${id}`)),
    newDirect: () => newDirectDialog(app),
    newGroup: () => newGroupDialog(app),
    settings: () => settingsDialog(app),
    reply: message => chat?.aim('reply', message),
    jumpTo: seq => chat?.jumpTo(seq).catch(app.fail),
  };

  app.replica = new SyncClient({
    userId: user.id,
    command: (op, data) => app.conn.command(op, data),
    history: (id, query) => api.get(`conversations/${id}/messages`, query),
    conversation: id => api.get(`conversations/${id}`),
    changed: () => { if (!drawing) { drawing = true; setTimeout(draw, 16); } },
  });

  // ---- drawing ----
  const list = listView(app);
  app.profileChanged = () => { list.profile(); app.replica.changed(null); };
  const banner = el('div.banner', { role: 'status', hidden: true });
  const nothing = el('section.nothing', {}, el('p', {}, 'Choose a conversation, or start one.'));
  const main = el('main.main', {}, nothing);
  const layout = el('.layout', {}, banner, list.node, main);
  root.replaceChildren(layout);

  function draw() {
    drawing = false;
    if (app.openId && app.synced && !app.replica.conversations.has(app.openId)) app.close();
    list.update();
    chat?.update();
    noteHeard();
    app.readable();
  }

  app.open = id => {
    if (chat?.id === id) return chat.focus();
    app.close();
    app.openId = id;
    chat = chatView(app, id);
    main.replaceChildren(chat.node);
    layout.classList.add('open');
    chat.update();
    if (matchMedia('(min-width: 760px)').matches) chat.focus();
    list.update();
    app.conn.command('open_conversation', { conversation_id: id }).catch(() => {});
  };

  app.close = () => {
    if (!chat) return;
    const { id } = chat;
    chat.leave();
    chat = app.openId = undefined;
    main.replaceChildren(nothing);
    layout.classList.remove('open');
    list.update();
    layout.querySelector(`[data-key="${id}"] button`)?.focus();
    app.conn.command('close_conversation', { conversation_id: id }).catch(() => {});
  };

  /** Opens a conversation where a message of it is. */
  app.openAt = async (id, seq) => {
    try {
      if (!app.replica.conversations.has(id)) await app.refresh(id);
      app.open(id);
      await chat.jumpTo(seq);
    } catch (error) { app.fail(error); }
  };

  app.openDirect = async peer => {
    try {
      const { conversation } = await api.post('conversations/direct', { user_id: peer });
      app.replica.put(conversation);
      app.open(conversation.id);
    } catch (error) { app.fail(error); }
  };

  // ---- marks ----
  const looking = () => document.visibilityState === 'visible' && document.hasFocus();

  function noteHeard() {
    for (const c of app.replica.conversations.values()) {
      const last = c.last_message;
      if (last && last.sender_id !== user.id && last.seq > Math.max(c.my.delivered_seq, heard.get(c.id) ?? 0)) {
        heard.set(c.id, last.seq);
        markTimer ??= setTimeout(tellDelivered, 1000);
      }
    }
  }

  async function tellDelivered() {
    markTimer = undefined;
    const marks = [...heard].filter(([id, seq]) => seq > (app.replica.conversations.get(id)?.my.delivered_seq ?? seq)).slice(0, 100).map(([id, seq]) => ({ conversation_id: id, seq }));
    if (!marks.length) return;
    try { (await app.conn.command('mark_delivered', { marks })).marks.forEach(mark => app.replica.marked(mark)); } catch { heard.clear(); }
  }

  /** Marks as read what is on screen, when somebody looks. */
  app.readable = async () => {
    const c = chat && app.replica.conversations.get(chat.id);
    if (!c || !looking() || !chat.atBottom() || !app.conn.ready) return;
    if (reading) { readAgain = true; return; }
    const seq = app.replica.messages(c.id).findLast(m => m.sender.id !== user.id)?.seq ?? 0;
    if (seq <= c.my.read_seq && !c.my.unread_count && !c.my.marked_unread) return;
    reading = true;
    try { (await app.conn.command('mark_read', { marks: [{ conversation_id: c.id, seq: Math.max(seq, c.my.read_seq) }] })).marks.forEach(mark => app.replica.marked(mark)); } catch { /* comes again with the next change */ }
    setTimeout(() => {
      reading = false;
      if (readAgain) { readAgain = false; app.readable(); }
    }, 300);
  };

  const attention = () => { app.conn.command('set_foreground', { foreground: looking() }).catch(() => {}); app.readable(); };

  // ---- messages ----
  const outbox = new Outbox(app);
  app.pendingOf = id => outbox.of(id);
  app.send = (id, draft) => { outbox.add(id, draft); chat?.toBottom(); };
  app.resend = message => outbox.resend(message);
  app.discard = message => outbox.discard(message);
  Object.assign(app, messageActions(app, { aim: (kind, message) => chat?.aim(kind, message) }));

  app.showImage = file => openDialog(file.filename, () => {
    const image = el('img', { alt: file.filename });
    app.media.url(file.url).then(src => { image.src = src; }, app.fail);
    return [image, el('.buttons', {}, el('button', { type: 'button', onclick: () => app.media.save(file).catch(app.fail) }, 'Save'))];
  }, 'wide');

  // ---- the connection ----
  const words = { connecting: 'Connecting…', offline: 'No connection. Trying again…' };
  let bannerTimer;
  function state(now, code) {
    clearTimeout(bannerTimer);
    if (now === 'refused') {
      stop();
      return signIn(code === 'revoked' ? 'You were signed out.' : 'Please sign in again.');
    }
    layout.dataset.connection = now;
    // A connection that comes at once needs no words.
    if (now === 'online') banner.hidden = true;
    else bannerTimer = setTimeout(() => { banner.textContent = words[now]; banner.hidden = false; }, banner.hidden ? 700 : 0);
  }

  async function ready() {
    try {
      await app.replica.synchronise();
      app.synced = true;
      app.conn.command('set_foreground', { foreground: looking() }).catch(() => {});
      if (app.openId) app.conn.command('open_conversation', { conversation_id: app.openId }).catch(() => {});
      outbox.empty();
      app.replica.changed(null);
    } catch (error) {
      if (error.code !== 'offline') { app.fail(error); setTimeout(() => { if (app.conn.ready) ready(); }, 3000); }
    }
  }

  app.conn = new Connection({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, token,
    onReady: ready, onEvent: (event, data) => app.replica.receive(event, data), onState: state,
    heartbeat: () => ['set_foreground', { foreground: looking() }],
  });

  const hurry = () => app.conn.hurry();
  const listeners = [[document, 'visibilitychange', attention], [window, 'focus', attention], [window, 'blur', attention], [window, 'online', hurry]];
  for (const [target, name, listener] of listeners) target.addEventListener(name, listener);

  function stop() {
    app.conn.stop();
    app.media.clear();
    clearTimeout(markTimer);
    for (const [target, name, listener] of listeners) target.removeEventListener(name, listener);
  }

  app.signOut = async () => {
    if (!await ask('Sign out?', 'You can come back with your e-mail address and password.', 'Sign out')) return;
    stop();
    await api.post('auth/logout', {}).catch(() => {});
    signIn();
  };

  list.update();
  app.conn.start();
  api.get('me').then(me => { Object.assign(user, me); app.profileChanged(); }, () => {});
}

const login = remembered();
if (login?.token && login.user) start(login); else signIn();
