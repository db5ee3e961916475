// Mentioning somebody, the list of mentions, and reading everything at once.
import { bubble, close, conversation, dialog, menu, toast, write } from '../lib/page.mjs';

export default function mentions({ ada, ben, run, shoot, step }) {
  step('names are offered after an @, and the message is found among the mentions', async () => {
    await conversation(ada, `Walkers ${run}`).click();
    await conversation(ben, ada.name).click();
    const field = ada.page.getByLabel('Message', { exact: true });
    await field.pressSequentially(`Bring a map, @${ben.name.slice(0, 2)}`);
    await ada.page.getByRole('option', { name: ben.name }).waitFor();
    await shoot(ada, 'suggest');
    await ada.page.keyboard.press('Enter');
    await field.pressSequentially('please');
    await ada.page.keyboard.press('Enter');
    await bubble(ada, 'Bring a map').locator('.mention', { hasText: `@${ben.name}` }).waitFor();
    await conversation(ben, `Walkers ${run}`).locator('.badge', { hasText: '@1' }).waitFor();
    await menu(ben, 'Mentions (1)');
    await dialog(ben, 'Mentions').getByLabel('Unread only').check();
    await dialog(ben, 'Mentions').locator('.hit', { hasText: 'Bring a map' }).waitFor();
    await shoot(ben, 'mentions');
    await dialog(ben, 'Mentions').locator('.hit', { hasText: 'Bring a map' }).locator('.conversation').click();
    await bubble(ben, 'Bring a map').locator('.mention.me').waitFor();
    await shoot(ben, 'mentioned');
    await menu(ben, 'Mentions');
    await dialog(ben, 'Mentions').locator('.hit').first().waitFor();
    await dialog(ben, 'Mentions').getByLabel('Unread only').check();
    await dialog(ben, 'Mentions').getByText('Nobody has mentioned you here.').waitFor();
    await close(ben);
  });

  step('everything is read at once', async () => {
    await ben.page.keyboard.press('Escape');
    await ben.page.locator('.chat').waitFor({ state: 'detached' });
    await conversation(ada, ben.name).click();
    await write(ada, 'One');
    await conversation(ada, `Walkers ${run}`).click();
    await write(ada, 'Two');
    await conversation(ben, ada.name).locator('.badge').waitFor();
    await conversation(ben, `Walkers ${run}`).locator('.badge').waitFor();
    await ben.page.getByRole('button', { name: 'Menu', exact: true }).click();
    await shoot(ben, 'menu');
    await ben.page.getByRole('menuitem', { name: 'Mark all as read' }).click();
    await toast(ben, '2 read');
    await ben.page.locator('.conversation .badge').first().waitFor({ state: 'detached' });
  });
}
