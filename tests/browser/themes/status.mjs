// How one wants to be seen.
import { conversation, dialog, menu } from '../lib/page.mjs';

export default function status({ ada, ben, shoot, step }) {
  const say = async (choice, words) => {
    await menu(ada, 'Your status');
    await dialog(ada, 'Your status').getByLabel(choice).check();
    await dialog(ada, 'Your status').getByLabel('In words').fill(words);
    if (words) await shoot(ada, 'status');
    await dialog(ada, 'Your status').getByRole('button', { name: 'Save' }).click();
    await dialog(ada, 'Your status').waitFor({ state: 'detached' });
  };

  step('a status and a word with it', async () => {
    await conversation(ben, ada.name).click();
    await say('Do not disturb', 'writing a book');
    await ada.page.locator('.own', { hasText: 'do not disturb · writing a book' }).waitFor();
    await ben.page.locator('.chat .head', { hasText: 'do not disturb · writing a book' }).waitFor();
    await ben.page.locator('.chat .head .dot.dnd').waitFor();
    await shoot(ben, 'sees-status');
    await say('Invisible', '');
    await ben.page.locator('.chat .head', { hasText: 'last seen' }).waitFor();
    await ada.page.reload();
    await ada.page.locator('.own', { hasText: 'invisible' }).waitFor();
    await say('As I am', '');
    await ben.page.locator('.chat .head', { hasText: 'online' }).waitFor();
  });
}
