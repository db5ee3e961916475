// All of it at the width of a phone: nothing may stand out at the side, and everything is reached by tapping.
import { bubble, close, conversation, details, dialog, menu, signUp } from '../lib/page.mjs';

export default function phone({ ada, person, shoot, step }) {
  let dora;

  /** Fails when something makes the page, or an open dialog, wider than the screen. */
  async function fits(what) {
    await shoot(dora, what);
    const wide = await dora.page.evaluate(() => [...document.querySelectorAll('body, .layout, dialog, dialog .content, .menu, .composer, .pinned')]
      .filter(box => box.getBoundingClientRect().right > innerWidth + 1 || box.scrollWidth > box.clientWidth + 1).map(box => box.className || box.tagName));
    if (wide.length) throw new Error(`${what}: too wide: ${wide.join(', ')}`);
  }

  const send = async text => {
    await dora.page.getByLabel('Message', { exact: true }).fill(text);
    await dora.page.getByRole('button', { name: 'Send', exact: true }).click();
    await bubble(dora, text).locator('.ticks:not(.sending)').waitFor();
  };
  const tap = async (text, action) => {
    await bubble(dora, text).getByRole('button', { name: 'More actions' }).click();
    if (action) await dora.page.getByRole('menuitem', { name: action, exact: true }).click();
  };

  step('on a phone: writing, the menu of a message, pins', async () => {
    dora = await person('Dora', { width: 360, height: 700, mobile: true });
    await signUp(dora);
    await dora.page.getByRole('button', { name: 'New conversation' }).click();
    await dora.page.getByLabel('Find a user').fill(ada.name);
    await dora.page.locator('.person', { hasText: ada.name }).click();
    await send('A first word from a small screen, which is a little longer than one line of it');
    await tap('A first word');
    await fits('phone-message-menu');
    await dora.page.getByRole('menuitem', { name: 'Pin', exact: true }).click();
    await dora.page.locator('.pinned', { hasText: 'A first word' }).waitFor();
    await tap('A first word', 'Star');
    await fits('phone-pinned');
    await tap('A first word', 'Forward');
    await fits('phone-forward');
    await close(dora);
  });

  step('on a phone: sending later, the details with the timer, the lists, the status', async () => {
    await dora.page.getByLabel('Message', { exact: true }).fill('Good morning');
    await fits('phone-composer');
    await dora.page.getByRole('button', { name: 'Send later' }).click();
    await dialog(dora, 'Send later').getByRole('button', { name: 'Tomorrow, 9:00' }).click();
    await fits('phone-send-later');
    await dialog(dora, 'Send later').getByRole('button', { name: 'Schedule' }).click();
    await dora.page.locator('.scheduled', { hasText: '1 scheduled' }).click();
    await dialog(dora, 'Scheduled messages').locator('.entry', { hasText: 'Good morning' }).waitFor();
    await fits('phone-scheduled');
    await dialog(dora, 'Scheduled messages').getByRole('button', { name: 'Cancel sending' }).click();
    await close(dora);
    await details(dora);
    await dialog(dora, 'Conversation').getByLabel('Disappearing messages').selectOption('After 1 day');
    await dora.page.locator('.chat .head .mark', { hasText: '1 day' }).waitFor();
    await fits('phone-details');
    await close(dora);
    await fits('phone-timer');
    await dora.page.getByRole('button', { name: 'Back to the list' }).click();
    await conversation(dora, ada.name).waitFor();
    await dora.page.getByRole('button', { name: 'Menu', exact: true }).click();
    await fits('phone-menu');
    await dora.page.keyboard.press('Escape');
    await menu(dora, 'Starred messages');
    await dialog(dora, 'Starred messages').locator('.hit', { hasText: 'A first word' }).waitFor();
    await fits('phone-starred');
    await dialog(dora, 'Starred messages').locator('.hit .conversation').click();
    await bubble(dora, 'A first word').waitFor();
    await dora.page.getByRole('button', { name: 'Back to the list' }).click();
    await menu(dora, 'Your status');
    await dialog(dora, 'Your status').getByLabel('In words').fill('On the road, back in the evening');
    await fits('phone-status');
    await dialog(dora, 'Your status').getByRole('button', { name: 'Save' }).click();
    await dora.page.locator('.own', { hasText: 'On the road' }).waitFor();
    await menu(dora, 'Settings');
    await dialog(dora, 'Settings').waitFor();
    await fits('phone-settings');
    await close(dora);
    await fits('phone-own-status');
  });
}
