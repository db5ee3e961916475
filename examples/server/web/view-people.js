// Finding users: for a direct conversation, for a new group, for more members.

import { el } from './dom.js';
import { icon } from './icons.js';
import { openDialog } from './dialog.js';
import { presenceText } from './format.js';
import { avatar } from './view-avatar.js';

/** A search field with its results; `pick(user)` when one is chosen. */
function finder(app, pick, { without = new Set(), mark } = {}) {
  const results = el('ul.people', { 'aria-label': 'Results' });
  const hint = el('p.hint', { 'aria-live': 'polite' }, 'Search by name, e-mail or phone.');
  let timer; let asked = 0;
  const input = el('input', { type: 'search', placeholder: 'Name, e-mail or phone', 'aria-label': 'Find a user', oninput: () => { clearTimeout(timer); timer = setTimeout(search, 350); } });

  async function search() {
    const q = input.value.trim();
    const turn = asked += 1;
    if (!q) { results.replaceChildren(); hint.textContent = 'Search by name, e-mail or phone.'; return; }
    try {
      const { items } = await app.api.get('users', { q, limit: 20 });
      if (turn !== asked) return;
      show(items.filter(user => user.id !== app.me.id && !without.has(user.id)));
    } catch (error) {
      if (turn !== asked) return;
      if (error.code === 'rate_limited') timer = setTimeout(search, 1000);
      else hint.textContent = error.message;
    }
  }

  function show(users) {
    hint.textContent = users.length ? '' : 'Nobody found.';
    results.replaceChildren(...users.map(user => {
      const button = el('button.person', { type: 'button', 'aria-pressed': mark ? String(mark(user)) : undefined, onclick: () => { pick(user); if (mark) button.setAttribute('aria-pressed', String(mark(user))); } },
        avatar(app.media, user, user.presence), el('span.lines', {}, el('span.ellipsis', {}, user.name), el('small.ellipsis', {}, presenceText(user.presence))));
      return el('li', {}, button);
    }));
  }

  return el('.finder', {}, el('.search', {}, icon('find'), input), hint, results);
}

export function newDirectDialog(app) {
  openDialog('New conversation', close => finder(app, async user => {
    try {
      const { conversation } = await app.api.post('conversations/direct', { user_id: user.id });
      app.replica.put(conversation);
      close();
      app.open(conversation.id);
    } catch (error) { app.fail(error); }
  }));
}

/** Chooses several users; `done(users)` may throw a refusal, which is shown, and gives what to do after closing. */
function chooser(app, close, { action, least, before, without, done }) {
  const chosen = new Map();
  const chips = el('.chips', { 'aria-label': 'Chosen' });
  const problem = el('p.problem', { role: 'alert' });
  const submit = el('button.primary', { type: 'button', disabled: true, onclick: send }, action);
  function update() {
    chips.replaceChildren(...[...chosen.values()].map(user => el('button.chip', { type: 'button', title: `Remove ${user.name}`, onclick: () => toggle(user) }, user.name, icon('close'))));
    submit.disabled = chosen.size < least;
  }
  function toggle(user) {
    if (!chosen.delete(user.id)) chosen.set(user.id, user);
    update();
  }
  async function send() {
    problem.textContent = '';
    submit.disabled = true;
    try {
      const after = await done([...chosen.values()]);
      close();
      after?.();
    } catch (error) { problem.textContent = error.message; }
    submit.disabled = chosen.size < least;
  }
  return [before, chips, finder(app, toggle, { without, mark: user => chosen.has(user.id) }), problem, el('.buttons', {}, submit)];
}

export function newGroupDialog(app) {
  openDialog('New group', close => {
    const name = el('input', { maxLength: 120, required: true, autocomplete: 'off' });
    const key = app.newKey();
    return chooser(app, close, {
      action: 'Create group', least: 2, before: el('label.field', {}, el('span', {}, 'Name of the group'), name),
      done: async users => {
        const { conversation, skipped } = await app.api.post('conversations/group', { name: name.value.trim(), member_ids: users.map(user => user.id), client_id: key });
        app.replica.put(conversation);
        if (skipped?.length) app.toast(`${skipped.length} could not be added`);
        return () => app.open(conversation.id);
      },
    });
  });
}

export function addMembersDialog(app, conversation) {
  openDialog('Add members', close => chooser(app, close, {
    action: 'Add', least: 1, without: new Set((conversation.members ?? []).map(m => m.user.id)),
    done: async users => {
      const { skipped } = await app.api.post(`conversations/${conversation.id}/members`, { user_ids: users.map(user => user.id) });
      if (skipped?.length) app.toast(`${skipped.length} could not be added`);
      await app.refresh(conversation.id);
    },
  }));
}
