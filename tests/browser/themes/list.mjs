// Finding things again: search, archive, settings.
import { conversation, write } from '../lib/page.mjs';

export default function list({ ada, ben, shoot, step }) {
  step('search finds a message and leads to it', async () => {
    await ada.page.getByLabel('Search conversations and messages').fill('mended');
    const hit = ada.page.locator('.hits .conversation', { hasText: 'A mistake, mended' });
    await hit.locator('mark', { hasText: 'mended' }).waitFor();
    await shoot(ada, 'search');
    await hit.click();
    await ada.page.locator('.message.flash', { hasText: 'mended' }).waitFor();
    await ada.page.getByLabel('Search conversations and messages').fill('');
    await hit.waitFor({ state: 'detached' });
  });

  step('archive, and the views of the list', async () => {
    await ada.page.getByRole('button', { name: 'Groups', exact: true }).click();
    await conversation(ada, ben.name).waitFor({ state: 'detached' });
    await conversation(ada, 'Walkers').click();
    await ada.page.getByRole('button', { name: 'Details' }).last().click();
    await ada.page.getByRole('button', { name: 'Archive', exact: true }).click();
    await ada.page.getByRole('button', { name: 'Unarchive' }).waitFor();
    await ada.page.getByRole('button', { name: 'Close' }).click();
    await conversation(ada, 'Walkers').waitFor({ state: 'detached' });
    await ada.page.getByRole('button', { name: 'Archived', exact: true }).click();
    await conversation(ada, 'Walkers').waitFor();
    await shoot(ada, 'archived');
    await write(ben, 'Out of the archive');
    await ada.page.getByRole('button', { name: 'All', exact: true }).click();
    await conversation(ada, 'Walkers').waitFor();
    await conversation(ada, ben.name).waitFor();
  });

  step('settings: name, privacy, notifications', async () => {
    await ada.page.getByRole('button', { name: 'Settings' }).click();
    await ada.page.getByLabel('Name', { exact: true }).fill(`${ada.name} Byron`);
    await ada.page.getByRole('button', { name: 'Save name' }).click();
    await ada.page.locator('.own', { hasText: 'Byron' }).waitFor();
    await ada.page.getByLabel('Who sees when I was last online').selectOption('contacts');
    await ada.page.locator('#toast', { hasText: 'Saved' }).waitFor();
    await ada.page.getByLabel('Do not disturb').selectOption('8');
    await shoot(ada, 'settings');
    await ada.page.getByRole('button', { name: 'Close' }).click();
    await ada.page.reload();
    await ada.page.getByRole('button', { name: 'Settings' }).click();
    if (await ada.page.getByLabel('Who sees when I was last online').inputValue() !== 'contacts') throw new Error('the setting was not kept');
    await ada.page.getByRole('button', { name: 'Close' }).click();
  });
}
