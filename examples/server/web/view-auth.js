// The page before signing in.

import { el } from './dom.js';
import { icon } from './icons.js';

function field(label, props) {
  const input = el('input', props);
  return { input, row: el('label.field', {}, el('span', {}, label), input) };
}

/** `signedIn({user, token})` is called once. */
export function authView(api, signedIn, notice) {
  let mode = 'login';
  const name = field('Name', { name: 'name', autocomplete: 'name', maxLength: 120, required: true });
  const email = field('E-mail', { name: 'email', type: 'email', autocomplete: 'username', required: true });
  const password = field('Password', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const token = field('Token', { name: 'token', autocomplete: 'off', spellcheck: false, required: true });
  const problem = el('p.problem', { role: 'alert' }, notice);
  const submit = el('button.primary', { type: 'submit' });
  const tabs = el('.tabs', { role: 'tablist', 'aria-label': 'How to come in' });
  const form = el('form.card', { onsubmit: send, noValidate: false },
    el('.brand', {}, el('span.logo', {}, icon('chat')), el('h1', {}, 'Chat')), tabs, name.row, email.row, password.row, token.row, problem, submit);
  const modes = { login: 'Sign in', signup: 'Sign up', token: 'Token' };

  function show(next) {
    mode = next;
    tabs.replaceChildren(...Object.entries(modes).map(([key, text]) => el('button.tab', { type: 'button', role: 'tab', 'aria-selected': String(key === mode), onclick: () => { problem.textContent = ''; show(key); } }, text)));
    for (const [part, on] of [[name, mode === 'signup'], [email, mode !== 'token'], [password, mode !== 'token'], [token, mode === 'token']]) {
      part.row.hidden = !on;
      part.input.disabled = !on;
    }
    password.input.autocomplete = mode === 'signup' ? 'new-password' : 'current-password';
    submit.textContent = mode === 'token' ? 'Use this token' : modes[mode];
  }

  async function send(event) {
    event.preventDefault();
    problem.textContent = '';
    submit.disabled = true;
    try {
      if (mode === 'token') {
        api.token = token.input.value.trim();
        signedIn({ user: await api.get('me'), token: api.token });
      } else {
        const body = { email: email.input.value.trim(), password: password.input.value };
        if (mode === 'signup') body.name = name.input.value.trim();
        signedIn(await api.post(`auth/${mode}`, body));
      }
    } catch (error) {
      api.token = undefined;
      problem.textContent = error.status === 404 && mode !== 'token' ? 'Accounts are switched off here. Use a token of the host.' : error.message;
    } finally {
      submit.disabled = false;
    }
  }

  show(mode);
  return el('main.auth', {}, form);
}
