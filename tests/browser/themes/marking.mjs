// Messages marked and sent on: pins, stars, forwarding, former texts.
import { act, bubble, close, conversation, dialog, line, menu, more, toast, write } from '../lib/page.mjs';

export default function marking({ ada, ben, run, shoot, step }) {
  step('pin a message: a bar for everybody, a way to it, and off again', async () => {
    await conversation(ada, ben.name).click();
    await conversation(ben, ada.name).click();
    await write(ada, 'The map is at my place');
    await write(ben, 'And the compass is at mine');
    await act(ada, 'The map', 'Pin');
    await ben.page.locator('.pinned', { hasText: 'The map' }).waitFor();
    await line(ben, 'pinned a message').waitFor();
    await line(ada, 'You pinned a message').waitFor();
    await act(ben, 'And the compass', 'Pin');
    await ada.page.locator('.pinned', { hasText: 'And the compass' }).waitFor();
    await shoot(ada, 'pins');
    await ada.page.getByRole('button', { name: 'All 2' }).click();
    const list = dialog(ada, 'Pinned messages');
    await list.locator('.hit', { hasText: 'The map' }).waitFor();
    await shoot(ada, 'pin-list');
    await list.locator('.hit', { hasText: 'The map' }).locator('.conversation').click();
    await ada.page.locator('.message.flash', { hasText: 'The map' }).waitFor();
    await ben.page.reload();
    await conversation(ben, ada.name).click();
    await ben.page.locator('.pinned', { hasText: 'And the compass' }).waitFor();
    await act(ada, 'The map', 'Unpin');
    await ben.page.getByRole('button', { name: 'Unpin', exact: true }).click();
    await ada.page.locator('.pinned').waitFor({ state: 'hidden' });
  });

  step('star a message, find it in the list, take the star off', async () => {
    await act(ada, 'The map', 'Star');
    await bubble(ada, 'The map').getByRole('img', { name: 'Starred' }).waitFor();
    if (await bubble(ben, 'The map').getByRole('img', { name: 'Starred' }).count()) throw new Error('a star shows on the page of somebody else');
    await menu(ada, 'Starred messages');
    const list = dialog(ada, 'Starred messages');
    await list.locator('.hit', { hasText: 'The map' }).waitFor();
    await shoot(ada, 'starred');
    await list.getByRole('button', { name: 'Remove the star' }).click();
    await list.getByText('No message is starred').waitFor();
    await close(ada);
    await bubble(ada, 'The map').getByRole('img', { name: 'Starred' }).waitFor({ state: 'detached' });
  });

  step('forward a message to two conversations', async () => {
    await act(ben, 'The map', 'Forward');
    const choose = dialog(ben, 'Forward to');
    await choose.locator('.person', { hasText: 'Walkers' }).click();
    await choose.locator('.person', { hasText: ada.name }).click();
    await shoot(ben, 'forward');
    await choose.getByRole('button', { name: 'Forward to 2' }).click();
    await toast(ben, 'Forwarded');
    await bubble(ada, `Forwarded from ${ada.name}`).waitFor();
    await conversation(ben, `Walkers ${run}`).click();
    await bubble(ben, 'Forwarded from').waitFor();
    await shoot(ben, 'forwarded');
  });

  step('an admin reads what a message said before', async () => {
    await conversation(ada, `Walkers ${run}`).click();
    await write(ben, 'At nine on the bridge');
    await act(ben, 'At nine on the bridge', 'Edit');
    await ben.page.getByLabel('Message', { exact: true }).fill('At ten on the bridge');
    await ben.page.keyboard.press('Enter');
    await bubble(ada, 'At ten on the bridge').getByRole('button', { name: 'edited' }).click();
    await dialog(ada, 'Edits').getByText('At nine on the bridge').waitFor();
    await shoot(ada, 'edits');
    await close(ada);
    if (await bubble(ben, 'At ten').getByRole('button', { name: 'edited' }).count()) throw new Error('former texts are offered to a plain member');
    await more(ben, 'At ten');
    await shoot(ben, 'message-menu');
    await ben.page.keyboard.press('Escape');
  });

  step('by keyboard alone: the menu of a message, the main menu, a dialog, and back', async () => {
    const keys = async (...names) => { for (const name of names) await ada.page.keyboard.press(name); };
    const focused = () => ada.page.evaluate(() => document.activeElement.textContent || document.activeElement.getAttribute('aria-label'));
    /** Walks through the open menu until `name` has the focus. */
    const walk = async name => {
      for (let i = 0; await focused() !== name; i += 1) {
        if (i > 15) throw new Error(`${name} cannot be reached by arrow keys`);
        await keys('ArrowDown');
      }
    };
    await bubble(ada, 'At ten').getByRole('button', { name: 'More actions' }).focus();
    await keys('Enter');
    await walk('Star');
    await keys('Enter');
    await bubble(ada, 'At ten').getByRole('img', { name: 'Starred' }).waitFor();
    await ada.page.getByRole('button', { name: 'Menu', exact: true }).focus();
    await keys('Enter');
    await walk('Starred messages');
    await keys('Enter');
    const hit = dialog(ada, 'Starred messages').locator('.hit', { hasText: 'At ten' });
    await hit.waitFor();
    await hit.getByRole('button', { name: 'Remove the star' }).focus();
    await keys('Enter');
    await dialog(ada, 'Starred messages').getByText('No message is starred').waitFor();
    await keys('Escape');
    await dialog(ada, 'Starred messages').waitFor({ state: 'detached' });
    if (!await ada.page.locator('.chat').count()) throw new Error('Escape closed the conversation with the dialog');
    await keys('Escape');
    await ada.page.locator('.chat').waitFor({ state: 'detached' });
  });
}
