// Ranks and mutes in a group.
import { close, conversation, details, dialog, line, write } from '../lib/page.mjs';

export default function ranks({ ada, ben, run, shoot, step }) {
  const choose = async (action, ...then) => {
    await dialog(ada, 'Group').locator('.person', { hasText: ben.name }).click();
    for (const name of [action, ...then]) await ada.page.getByRole('menuitem', { name, exact: true }).click();
  };

  step('an admin mutes a member, who is told why he cannot write', async () => {
    for (const who of [ada, ben]) await conversation(who, `Walkers ${run}`).click();
    await details(ada);
    await dialog(ada, 'Group').locator('.person', { hasText: ben.name }).click();
    await shoot(ada, 'member-menu');
    await ada.page.keyboard.press('Escape');
    await choose('Mute here', 'For a day');
    await dialog(ada, 'Group').locator('.person', { hasText: ben.name }).locator('.role.muted').waitFor();
    await shoot(ada, 'member-muted');
    await ben.page.locator('.refusal', { hasText: 'An admin has muted you here until' }).waitFor();
    await shoot(ben, 'muted');
    await choose('Let write again');
    await ben.page.getByLabel('Message', { exact: true }).waitFor();
  });

  step('ranks: an admin is made and unmade', async () => {
    await choose('Make an admin');
    await dialog(ada, 'Group').locator('.person', { hasText: ben.name }).locator('.role', { hasText: 'admin' }).waitFor();
    await line(ben, 'made you an admin').waitFor();
    await choose('Make a plain member');
    await dialog(ada, 'Group').locator('.person', { hasText: ben.name }).locator('.role', { hasText: 'admin' }).waitFor({ state: 'detached' });
    await close(ada);
    await write(ben, 'A plain member again');
  });
}
