// For moderators: what was reported, and what is done about it. The server judges; this only offers.

import { ask, openDialog } from './dialog.js';
import { el } from './dom.js';
import { openMenu } from './menu.js';
import { exactTime, untilText } from './format.js';
import { previewOf } from './replica-counts.js';
import { pagedList } from './view-pages.js';
import { REASONS } from './view-report.js';

const DONE = { dismissed: 'Dismissed', message_deleted: 'Message deleted', user_suspended: 'User suspended', user_warned: 'User warned', other: 'Closed' };
const HOUR = 3_600_000;
const SPANS = [['For a day', 24], ['For a week', 168], ['For good', 0]];

export function reportsDialog(app) {
  let state = 'open';
  const known = new Map(); // user id => promise of a name

  function nameOf(id) {
    if (!known.has(id)) known.set(id, app.replica.names.has(id) ? Promise.resolve(app.replica.names.get(id)) : app.api.get(`users/${encodeURIComponent(id)}`).then(user => user.name, () => id));
    const name = el('strong', {}, '…');
    known.get(id).then(text => { name.textContent = text; });
    return name;
  }

  function card(report, reload) {
    const user = encodeURIComponent(report.user_id);
    const act = async (work, action, note) => {
      try {
        await work?.();
        if (action) await app.api.post(`moderation/reports/${report.id}/resolve`, { action, note });
      } catch (error) { app.fail(error); }
      reload();
    };
    const reason = `${REASONS[report.reason] ?? report.reason}${report.note ? `: ${report.note}` : ''}`.slice(0, 1000);
    const until = hours => ({ until: hours ? new Date(Date.now() + hours * HOUR).toISOString() : undefined, reason });
    const restrict = (what, event, action) => openMenu(event.currentTarget, SPANS.map(([label, hours]) => [label, () => act(() => app.api.put(`moderation/users/${user}/${what}`, until(hours)), action, what === 'mute' ? 'muted' : undefined)]), { label: 'How long' });

    async function removeMessage() {
      if (await ask('Delete this message?', 'Nobody will see it any more, wherever it is.', 'Delete', 'danger')) act(() => app.api.delete(`moderation/messages/${report.target.id}`), 'message_deleted');
    }

    const message = report.message && el('.quoted', {}, el('p.text', { dir: 'auto' }, previewOf(report.message) || `[${report.message.kind}]`), el('small', {}, `sent ${exactTime(report.message.created_at)}`));
    const open = report.state === 'open' && el('.buttons', {},
      el('button', { type: 'button', onclick: () => act(undefined, 'dismissed') }, 'Dismiss'),
      report.message && el('button.danger', { type: 'button', onclick: removeMessage }, 'Delete message'),
      el('button.danger', { type: 'button', 'aria-haspopup': 'menu', onclick: event => restrict('mute', event, 'other') }, 'Mute'),
      el('button.danger', { type: 'button', 'aria-haspopup': 'menu', onclick: event => restrict('suspension', event, 'user_suspended') }, 'Suspend'));
    const lift = what => act(() => app.api.delete(`moderation/users/${user}/${what}`).then(left => {
      const rest = [left.suspended_until && `suspended ${untilText(left.suspended_until)}`, left.muted_until && `muted ${untilText(left.muted_until)}`].filter(Boolean);
      app.toast(rest.length ? `Still ${rest.join(' and ')}` : 'Lifted: nothing is forbidden any more');
    }));
    const closed = report.resolution && [
      el('p.hint', {}, `${DONE[report.resolution.action] ?? report.resolution.action}${report.resolution.note ? ` (${report.resolution.note})` : ''}, ${exactTime(report.resolution.at)}, by `, nameOf(report.resolution.by)),
      el('.buttons', {},
        report.resolution.action === 'user_suspended' && el('button', { type: 'button', onclick: () => lift('suspension') }, 'Lift suspension'),
        report.resolution.note === 'muted' && el('button', { type: 'button', onclick: () => lift('mute') }, 'Lift mute'))];
    return el('li.entry.report', {},
      el('span.line', {}, el('strong.grow.ellipsis', {}, REASONS[report.reason] ?? report.reason), el('time', { dateTime: report.created_at }, exactTime(report.created_at))),
      el('p', {}, nameOf(report.reporter_id), ` reported ${report.message ? 'a message of' : 'the user'} `, nameOf(report.user_id)),
      report.note && el('p.text', { dir: 'auto' }, `“${report.note}”`), message, open, closed);
  }

  openDialog('Reports', () => {
    const list = pagedList({ load: cursor => app.api.get('moderation/reports', { state, cursor, limit: 20 }), row: card, none: 'No reports.', label: 'Reports' });
    const tabs = el('.tabs', { role: 'group', 'aria-label': 'Which reports' }, [['open', 'Open'], ['closed', 'Closed']].map(([key, text]) => el('button.tab', { type: 'button', 'aria-pressed': String(key === state), onclick: event => {
      state = key;
      for (const tab of tabs.children) tab.setAttribute('aria-pressed', String(tab === event.currentTarget));
      list.reload();
    } }, text)));
    return [tabs, ...list.nodes];
  }, 'broad');
}
