// The page: signing in, the connection, the replica, and what the views ask of them.

import { Api } from './api.js';
import { Connection } from './connection.js';
import { ask, openDialog } from './dialog.js';
import { el } from './dom.js';
import { Expiry } from './expiry.js';
import { claimsOf, remember, remembered } from './login.js';
import { marks } from './marks.js';
import { Media } from './media.js';
import { messageActions } from './message-actions.js';
import { messageMenu } from './message-menu.js';
import { asMessage, Outbox } from './outbox.js';
import { SyncClient } from './sync-client.js';
import { toast } from './toast.js';
import { authView } from './view-auth.js';
import { chatView } from './view-chat.js';
import { listView } from './view-list.js';
import { newDirectDialog, newGroupDialog } from './view-people.js';

const root = document.getElementById('root');
const api = new Api('/api');

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');

function signIn(notice) {
  remember(null);
  api.token = undefined;
  document.title = 'Chat';
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  root.replaceChildren(authView(api, login => { remember(login); start(login); }, notice));
}

function start({ user, token }) {
  api.token = token;
  const watchers = new Set();
  let chat; let drawing = false;

  const app = {
    api, me: user, toast, newKey, asMessage, media: new Media(api), openId: undefined, synced: false, policies: {},
    moderator: claimsOf(token).chat_moderator === true,
    fail: error => toast(error.message),
    titleOf: c => c.name ?? c.peer?.name ?? 'Conversation',
    nameOf: (id, c) => (id === user.id ? 'You' : c?.peer?.id === id ? c.peer.name : c?.members?.find(m => m.user.id === id)?.user.name ?? app.replica.names.get(id) ?? 'Somebody'),
    presenceOf: id => app.replica.presence.get(id),
    typistsOf: id => (app.replica.typing.get(id) ?? []).filter(who => who !== user.id).map(who => app.nameOf(who, app.replica.conversations.get(id))),
    can: (id, name) => Boolean(app.replica.conversations.get(id)?.my.can?.includes(name)),
    canWrite: c => !(c.peer && app.replica.personal.blocked.has(c.peer.id)) && (c.my.can ?? ['send']).includes('send'),
    refresh: async id => app.replica.put(await api.get(`conversations/${id}`)),
    newDirect: () => newDirectDialog(app),
    newGroup: () => newGroupDialog(app),
    reply: message => chat?.aim('reply', message),
    jumpTo: seq => chat?.jumpTo(seq).catch(app.fail),
    /** The server's time, in milliseconds since 1970. */
    now: () => expiry.now(),
    /** Messages of blocked users that were unfolded. */
    unfolded: new Set(),
    /** Calls `watcher` after every change until the function it gives is called. */
    onChange: watcher => { watchers.add(watcher); return () => watchers.delete(watcher); },
  };

  app.replica = new SyncClient({
    userId: user.id,
    command: (op, data) => app.conn.command(op, data),
    history: (id, query) => api.get(`conversations/${id}/messages`, query),
    conversation: id => api.get(`conversations/${id}`),
    changed: () => { if (!drawing) { drawing = true; setTimeout(draw, 16); } },
  });
  const expiry = new Expiry(app.replica);

  // ---- drawing ----
  const list = listView(app);
  app.profileChanged = () => app.replica.changed(null);
  const banner = el('div.banner', { role: 'status', hidden: true });
  const nothing = el('section.nothing', {}, el('p', {}, 'Choose a conversation, or start one.'));
  const main = el('main.main', {}, nothing);
  const layout = el('.layout', {}, banner, list.node, main);
  root.replaceChildren(layout);

  function draw() {
    drawing = false;
    expiry.watch();
    if (app.openId && app.synced && !app.replica.conversations.has(app.openId)) app.close();
    list.update();
    chat?.update();
    for (const watcher of watchers) watcher();
    reading.delivered();
    reading.read();
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
  const reading = marks(app, { looking, chat: () => chat });
  app.readable = reading.read;
  const attention = () => { app.conn.command('set_foreground', { foreground: looking() }).catch(() => {}); reading.read(); };

  // ---- messages ----
  const outbox = new Outbox(app);
  app.pendingOf = id => outbox.of(id);
  app.send = (id, draft) => { outbox.add(id, draft); chat?.toBottom(); };
  app.resend = message => outbox.resend(message);
  app.discard = message => outbox.discard(message);
  Object.assign(app, messageActions(app));
  app.messageMenu = (anchor, message) => messageMenu(app, (kind, of) => chat?.aim(kind, of), anchor, message);

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

  async function ready({ server_time: time } = {}) {
    expiry.setClock(time);
    try {
      await app.replica.synchronise();
      app.synced = true;
      app.conn.command('set_foreground', { foreground: looking() }).catch(() => {});
      if (app.openId) app.conn.command('open_conversation', { conversation_id: app.openId }).catch(() => {});
      outbox.empty();
      app.replica.changed(null);
      await about();
    } catch (error) {
      if (error.code !== 'offline') { app.fail(error); setTimeout(() => { if (app.conn.ready) ready(); }, 3000); }
    }
  }

  /** What sync does not tell: one's own profile and presence, and what this server lets people do. */
  async function about() {
    const [me, presence, { policies }] = await Promise.all([api.get('me'), api.get('me/presence'), api.get('capabilities')]);
    Object.assign(user, me);
    app.replica.personal.presence = presence;
    app.policies = policies;
    app.profileChanged();
  }

  app.conn = new Connection({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, token,
    onReady: ready, onEvent: (event, data) => app.replica.receive(event, data), onState: state,
    heartbeat: () => ['set_foreground', { foreground: looking() }],
  });

  /** Escape leaves the conversation, unless it is for a dialog, a menu or a field of its own. */
  const escape = event => {
    if (event.key === 'Escape' && !document.querySelector('dialog[open], .menu:popover-open') && !event.target.closest?.('.sidebar input')) app.close();
  };
  const hurry = () => app.conn.hurry();
  const listeners = [[document, 'visibilitychange', attention], [window, 'focus', attention], [window, 'blur', attention], [window, 'online', hurry], [document, 'keydown', escape]];
  for (const [target, name, listener] of listeners) target.addEventListener(name, listener);

  function stop() {
    app.conn.stop();
    app.media.clear();
    expiry.stop();
    reading.stop();
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
}

const login = remembered();
if (login?.token && login.user) start(login); else signIn();
