// What the clock does: messages sent later, and messages that disappear. Gives the steps that wait for it.
import { act, bubble, close, conversation, details, dialog, line, menu, write } from '../lib/page.mjs';

export default function later({ ada, ben, shoot, step }) {
  /** The next full minute that is far enough ahead, as the field of the browser takes it. */
  const soon = () => ada.page.evaluate(() => {
    const date = new Date(Math.ceil((Date.now() + 45_000) / 60_000) * 60_000);
    return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  });
  const timer = async span => {
    await details(ada);
    await dialog(ada, 'Conversation').getByLabel('Disappearing messages').selectOption(span);
    await line(ben, span === 'Off' ? 'turned disappearing messages off' : 'set messages to disappear').waitFor();
    if (span !== 'Off') await shoot(ada, 'timer');
    await close(ada);
  };

  step('a message is scheduled, another changed and cancelled', async () => {
    await ada.page.getByLabel('Message', { exact: true }).fill('Sent by the clock');
    await ada.page.getByRole('button', { name: 'Send later' }).click();
    const when = dialog(ada, 'Send later');
    await when.getByLabel('Send at').fill('2020-01-01T09:00');
    await when.locator('form').evaluate(form => { form.noValidate = true; });
    await when.getByRole('button', { name: 'Schedule' }).click();
    await when.locator('.problem', { hasText: /\S/ }).waitFor();
    await shoot(ada, 'schedule-refused');
    await when.getByLabel('Send at').fill(await soon());
    await when.getByRole('button', { name: 'Schedule' }).click();
    await ada.page.locator('.scheduled', { hasText: '1 scheduled' }).waitFor();
    await ada.page.getByLabel('Message', { exact: true }).fill('For tomorrow');
    await ada.page.getByRole('button', { name: 'Send later' }).click();
    await when.getByRole('button', { name: 'Tomorrow, 9:00' }).click();
    await shoot(ada, 'schedule');
    await when.getByRole('button', { name: 'Schedule' }).click();
    await ada.page.locator('.scheduled', { hasText: '2 scheduled' }).click();
    const list = dialog(ada, 'Scheduled messages');
    await list.locator('.entry', { hasText: 'For tomorrow' }).getByRole('button', { name: 'Change' }).click();
    await dialog(ada, 'Change').getByLabel('Text').fill('For the day after');
    await dialog(ada, 'Change').getByRole('button', { name: 'Save' }).click();
    await list.locator('.entry', { hasText: 'For the day after' }).waitFor();
    await shoot(ada, 'scheduled');
    await list.locator('.entry', { hasText: 'For the day after' }).getByRole('button', { name: 'Cancel sending' }).click();
    await list.locator('.entry', { hasText: 'For the day after' }).waitFor({ state: 'detached' });
    await close(ada);
    await menu(ada, 'Scheduled messages (1)');
    await list.locator('.entry', { hasText: 'Sent by the clock' }).waitFor();
    await close(ada);
  });

  step('a timer makes messages disappear; one of them is kept', async () => {
    await timer('After 1 minute');
    await ada.page.locator('.chat .head .mark', { hasText: '1 minute' }).waitFor();
    await write(ada, 'Burns after reading');
    await write(ada, 'Kept for later');
    await bubble(ben, 'Burns after reading').getByRole('img', { name: /^Disappears/ }).waitFor();
    await act(ben, 'Kept for later', 'Keep');
    await bubble(ada, 'Kept for later').getByRole('img', { name: /^Kept/ }).waitFor();
    await shoot(ben, 'disappearing');
    await timer('Off');
    await ada.page.locator('.chat .head .mark').waitFor({ state: 'detached' });
  });

  return () => {
    step('what was scheduled is sent, and what disappears has gone from both pages', async () => {
      await conversation(ada, ben.name).click();
      await conversation(ben, ada.name).click();
      await bubble(ben, 'Sent by the clock').waitFor({ timeout: 120_000 });
      await ada.page.locator('.scheduled').waitFor({ state: 'hidden' });
      for (const who of [ada, ben]) await bubble(who, 'Burns after reading').waitFor({ state: 'detached', timeout: 120_000 });
      for (const who of [ada, ben]) await bubble(who, 'Kept for later').waitFor();
    });
  };
}
