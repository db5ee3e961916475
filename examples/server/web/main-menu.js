// The menu of everything that is about no single conversation.

import { openMenu } from './menu.js';
import { mentionsDialog } from './view-mentions.js';
import { reportsDialog } from './view-moderation.js';
import { scheduledDialog } from './view-scheduled.js';
import { settingsDialog } from './view-settings.js';
import { starredDialog } from './view-starred.js';
import { statusDialog } from './view-status.js';

async function readAll(app) {
  try {
    const { conversations } = await app.api.post('conversations/read-all');
    // The server tells of each conversation by an event of its own.
    app.toast(conversations ? `${conversations} read` : 'Nothing was unread');
  } catch (error) { app.fail(error); }
}

export function mainMenu(app, anchor) {
  const mentions = [...app.replica.conversations.values()].reduce((sum, c) => sum + c.my.mention_count, 0);
  const scheduled = app.replica.personal.scheduled.size;
  const count = number => (number ? ` (${number})` : '');
  openMenu(anchor, [
    ['Your status', () => statusDialog(app)],
    [`Mentions${count(mentions)}`, () => mentionsDialog(app)],
    ['Starred messages', () => starredDialog(app)],
    [`Scheduled messages${count(scheduled)}`, () => scheduledDialog(app)],
    ['Mark all as read', () => readAll(app)],
    app.moderator && ['Reports', () => reportsDialog(app)],
    ['Settings', () => settingsDialog(app)],
    ['Sign out', () => app.signOut()],
  ], { label: 'Menu' });
}
