// Two people find each other and talk: ticks, typing, edits, files, history.
import { PNG } from '../lib/files.mjs';
import { act, bubble, conversation, signUp, ticks, write } from '../lib/page.mjs';

export default function talking({ ada, ben, person, shoot, step }) {
  step('sign up', async () => {
    await shoot(ada, 'sign-in');
    await signUp(ada);
    await signUp(ben);
    await shoot(ada, 'empty');
  });

  step('find each other and send', async () => {
    await ada.page.getByRole('button', { name: 'New conversation' }).click();
    await ada.page.getByLabel('Find a user').fill(ben.name);
    await ada.page.locator('.person', { hasText: ben.name }).waitFor();
    await shoot(ada, 'find');
    await ada.page.locator('.person', { hasText: ben.name }).click();
    await write(ada, 'Hello Ben, this is <b>Ada</b> & friends');
    await bubble(ada, '<b>Ada</b> & friends').waitFor();
    await conversation(ben, ada.name).locator('.badge', { hasText: '1' }).waitFor();
    await ticks(ada, 'Hello Ben', 'delivered');
    await shoot(ada, 'delivered');
    await shoot(ben, 'unread');
  });

  step('read ticks and typing', async () => {
    await conversation(ben, ada.name).click();
    await bubble(ben, '<b>Ada</b> & friends').waitFor();
    await ticks(ada, 'Hello Ben', 'read');
    await conversation(ben, ada.name).locator('.badge').waitFor({ state: 'detached' });
    await ben.page.getByLabel('Message', { exact: true }).pressSequentially('Hi Ada');
    await ada.page.locator('.chat .live', { hasText: 'typing' }).waitFor();
    await shoot(ada, 'typing');
    await ben.page.keyboard.press('Enter');
    await bubble(ada, 'Hi Ada').waitFor();
    await ticks(ben, 'Hi Ada', 'read');
    await ada.page.locator('.chat .live').waitFor({ state: 'detached' });
  });

  step('edit, react, reply, delete', async () => {
    await write(ada, 'A mistaek');
    await bubble(ben, 'A mistaek').waitFor();
    await ticks(ada, 'A mistaek', 'read');
    await act(ada, 'A mistaek', 'Edit');
    await ada.page.getByLabel('Message', { exact: true }).fill('A mistake, mended');
    await ada.page.keyboard.press('Enter');
    await bubble(ben, 'A mistake, mended').locator('.meta', { hasText: 'edited' }).waitFor();
    await bubble(ben, 'mended').hover();
    await bubble(ben, 'mended').getByRole('button', { name: 'React' }).click();
    await ben.page.getByRole('menuitem', { name: '🎉' }).click();
    await bubble(ada, 'mended').locator('.reaction', { hasText: '🎉' }).waitFor();
    await bubble(ben, 'Hello Ben').hover();
    await bubble(ben, 'Hello Ben').getByRole('button', { name: 'Reply' }).click();
    await write(ben, 'An answer to the first line');
    await bubble(ada, 'An answer to the first line').locator('.quote', { hasText: 'Hello Ben' }).waitFor();
    await write(ada, 'Never mind this one');
    await bubble(ben, 'Never mind this one').waitFor();
    await act(ada, 'Never mind this one', 'Delete for everyone');
    await ada.page.getByRole('button', { name: 'Delete', exact: true }).click();
    await bubble(ben, 'This message was deleted').waitFor();
    await bubble(ada, 'You deleted this message').waitFor();
    await shoot(ada, 'conversation');
    await shoot(ben, 'conversation');
  });

  step('a picture and a file', async () => {
    await ada.page.locator('input[type=file]').setInputFiles([{ name: 'square.png', mimeType: 'image/png', buffer: PNG }]);
    await ada.page.locator('.tray .chip:not(.busy)').waitFor();
    await write(ada, 'A picture');
    await ben.page.waitForFunction(() => [...document.querySelectorAll('.picture img')].some(image => image.naturalWidth > 0));
    await ben.page.locator('input[type=file]').setInputFiles([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('some notes\n') }]);
    await ben.page.locator('.tray .chip:not(.busy)').waitFor();
    await write(ben, 'A file');
    const [download] = await Promise.all([ada.page.waitForEvent('download'), ada.page.getByRole('button', { name: /notes\.txt/ }).click()]);
    if (download.suggestedFilename() !== 'notes.txt') throw new Error(`saved as ${download.suggestedFilename()}`);
    await shoot(ada, 'files');
  });

  step('history loads as one scrolls back; unread divider', async () => {
    await ben.page.keyboard.press('Escape');
    for (let i = 1; i <= 70; i += 1) {
      await write(ada, `line ${i} of many`);
    }
    // More than the rate allows at once: the page waits and goes on by itself.
    await ticks(ada, 'line 70 of many', 'delivered');
    await conversation(ben, ada.name).locator('.badge', { hasText: '70' }).waitFor();
    await ben.page.reload();
    await conversation(ben, ada.name).click();
    await ben.page.locator('.message').first().waitFor();
    await ben.page.locator('.unread + .message', { hasText: 'line 1 of many' }).waitFor();
    await shoot(ben, 'divider');
    await ticks(ada, 'line 70 of many', 'delivered');
    for (let i = 0; i < 4; i += 1) { await ben.page.locator('.scroll').hover(); await ben.page.mouse.wheel(0, -3000); await ben.page.waitForTimeout(150); }
    await bubble(ben, 'Hello Ben').first().waitFor();
    const texts = await ben.page.locator('.message .text').allTextContents();
    const lines = texts.filter(text => /^line \d+ of many$/.test(text)).map(text => Number(text.split(' ')[1]));
    if (lines.length !== 70 || lines.some((n, i) => n !== i + 1)) throw new Error(`out of order or incomplete: ${lines.join(' ')}`);
    await ben.page.locator('.scroll').evaluate(box => { box.scrollTop = box.scrollHeight; });
    await ticks(ada, 'line 70 of many', 'read');
  });
}
