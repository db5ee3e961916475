// Reporting, and what moderators do about it.
import { act, bubble, close, conversation, details, dialog, menu, toast, write } from '../lib/page.mjs';
import { token } from '../lib/tokens.mjs';

export default function moderation({ ada, ben, person, run, shoot, step }) {
  let mod;

  step('a message and a user are reported', async () => {
    await conversation(ada, ben.name).click();
    await conversation(ben, ada.name).click();
    await write(ben, 'Buy cheap maps');
    await act(ada, 'Buy cheap maps', 'Report');
    await dialog(ada, 'Report message').getByLabel('Why').selectOption('spam');
    await dialog(ada, 'Report message').getByLabel('More about it').fill(`The third time today ${run}`);
    await shoot(ada, 'report');
    await dialog(ada, 'Report message').getByRole('button', { name: 'Send report' }).click();
    await toast(ada, 'Reported');
    await details(ada);
    await ada.page.getByRole('button', { name: `Report ${ben.name}` }).click();
    await dialog(ada, `Report ${ben.name}`).getByLabel('Why').selectOption('other');
    await dialog(ada, `Report ${ben.name}`).getByLabel('More about it').fill(`All of it ${run}`);
    await dialog(ada, `Report ${ben.name}`).getByRole('button', { name: 'Send report' }).click();
    await dialog(ada, `Report ${ben.name}`).waitFor({ state: 'detached' });
    await close(ada);
  });

  step('nobody else is offered the reports', async () => {
    await ada.page.getByRole('button', { name: 'Menu', exact: true }).click();
    await ada.page.getByRole('menuitem', { name: 'Settings' }).waitFor();
    if (await ada.page.getByRole('menuitem', { name: 'Reports' }).count()) throw new Error('reports are offered to a user who is no moderator');
    await ada.page.keyboard.press('Escape');
  });

  step('a moderator, on a phone, deletes the message and suspends the user', async () => {
    mod = await person('Mod', { width: 390, height: 780, mobile: true });
    await mod.page.getByRole('tab', { name: 'Token' }).click();
    await mod.page.getByLabel('Token').fill(token({ sub: `mod-${run}`, name: `Mod ${run}`, chat_moderator: true }));
    await mod.page.getByRole('button', { name: 'Use this token' }).click();
    await menu(mod, 'Reports');
    const reports = dialog(mod, 'Reports');
    const spam = reports.locator('.report', { hasText: `The third time today ${run}` });
    const user = reports.locator('.report', { hasText: `All of it ${run}` });
    await spam.getByText('Buy cheap maps').waitFor();
    await spam.getByText(ben.name).waitFor();
    await shoot(mod, 'reports');
    await spam.getByRole('button', { name: 'Delete message' }).click();
    await mod.page.getByRole('button', { name: 'Delete', exact: true }).click();
    await spam.waitFor({ state: 'detached' });
    await bubble(ada, 'Deleted by a moderator').waitFor();
    await user.getByRole('button', { name: 'Suspend' }).click();
    await mod.page.getByRole('menuitem', { name: 'For a day' }).click();
    await user.waitFor({ state: 'detached' });
    await ben.page.getByText('You were signed out.').waitFor();
    await shoot(ben, 'suspended');
    await ben.page.getByLabel('E-mail').fill(ben.email);
    await ben.page.getByLabel('Password').fill(ben.password);
    await ben.page.getByRole('button', { name: 'Sign in' }).click();
    await ben.page.locator('.problem', { hasText: 'suspended' }).waitFor();
    await reports.getByRole('button', { name: 'Closed' }).click();
    await user.getByText('User suspended').waitFor();
    await shoot(mod, 'reports-closed');
    await user.getByRole('button', { name: 'Lift suspension' }).click();
    await toast(mod, 'Lifted');
    await ben.page.getByRole('button', { name: 'Sign in' }).click();
    await conversation(ben, ada.name).click();
  });

  step('a moderator mutes a user everywhere, who sends his message when it is lifted', async () => {
    await write(ada, 'A word too much');
    await act(ben, 'A word too much', 'Report');
    await dialog(ben, 'Report message').getByLabel('More about it').fill(`A mistake ${run}`);
    await dialog(ben, 'Report message').getByRole('button', { name: 'Send report' }).click();
    await dialog(ben, 'Report message').waitFor({ state: 'detached' });
    const reports = dialog(mod, 'Reports');
    const card = reports.locator('.report', { hasText: `A mistake ${run}` });
    await reports.getByRole('button', { name: 'Open' }).click();
    await card.getByRole('button', { name: 'Mute' }).click();
    await mod.page.getByRole('menuitem', { name: 'For a week' }).click();
    await card.waitFor({ state: 'detached' });
    await write(ada, 'Can you hear me?');
    await toast(ada, 'A moderator has muted you');
    await bubble(ada, 'Can you hear me?').getByRole('button', { name: 'Try again' }).waitFor();
    await shoot(ada, 'not-sent');
    await reports.getByRole('button', { name: 'Closed' }).click();
    await card.getByRole('button', { name: 'Lift mute' }).click();
    await toast(mod, 'Lifted');
    await close(mod);
    await bubble(ada, 'Can you hear me?').getByRole('button', { name: 'Try again' }).click();
    await bubble(ben, 'Can you hear me?').waitFor();
  });
}
