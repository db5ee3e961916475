// Ranks and mutes in a group.
import { bubble, close, conversation, details, dialog, line, write } from '../lib/page.mjs';

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

  step('settings of a group: who writes, the pause, a freeze', async () => {
    await details(ada);
    await ada.page.getByRole('button', { name: 'Group settings' }).click();
    const settings = dialog(ada, 'Group settings');
    await settings.getByLabel('Description').fill('Every Sunday, in any weather');
    await settings.getByRole('button', { name: 'Save' }).click();
    await line(ben, 'changed the description').waitFor();
    await settings.getByLabel('Who writes').selectOption('admins');
    await ben.page.locator('.refusal', { hasText: 'Only admins write here.' }).waitFor();
    await settings.getByLabel('Who writes').selectOption('everyone');
    await settings.getByLabel('Pause between two messages').selectOption('10 seconds');
    await shoot(ada, 'group-settings');
    await write(ben, 'One thing at a time');
    await ben.page.locator('.slow', { hasText: 'the next message in' }).waitFor();
    await shoot(ben, 'slow-mode');
    await settings.getByLabel('Pause between two messages').selectOption('None');
    await ben.page.locator('.slow').waitFor({ state: 'hidden' });
    await settings.getByLabel('Frozen').check();
    await ben.page.locator('.refusal', { hasText: 'This conversation is frozen.' }).waitFor();
    await settings.getByLabel('Frozen').uncheck();
    await close(ada);
    await write(ben, 'Thawed');
    await bubble(ada, 'Thawed').waitFor();
  });

  step('a message of somebody blocked is folded up in a group', async () => {
    await conversation(ada, ben.name).click();
    await details(ada);
    await ada.page.getByRole('button', { name: `Block ${ben.name}` }).click();
    await ada.page.getByRole('button', { name: 'Block', exact: true }).click();
    await ada.page.getByRole('button', { name: `Unblock ${ben.name}` }).waitFor();
    await close(ada);
    await conversation(ada, `Walkers ${run}`).click();
    await write(ben, 'Not for everybody');
    const folded = ada.page.getByRole('button', { name: 'A message of somebody you blocked. Show it' }).last();
    await folded.waitFor();
    await shoot(ada, 'folded');
    await folded.click();
    await bubble(ada, 'Not for everybody').waitFor();
    await conversation(ada, ben.name).click();
    await details(ada);
    await ada.page.getByRole('button', { name: `Unblock ${ben.name}` }).click();
    await ada.page.getByRole('button', { name: `Block ${ben.name}` }).waitFor();
    await close(ada);
  });
}
