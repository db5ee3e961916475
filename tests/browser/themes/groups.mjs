// A group of three, one of them on a phone.
import { bubble, conversation, signUp, ticks, write } from '../lib/page.mjs';

export default function groups({ ada, ben, person, run, shoot, step }) {
  step('a group of three, one on a phone', async () => {
    const cleo = await person('Cleo', { width: 390, height: 780, mobile: true });
    await signUp(cleo);
    await ada.page.getByRole('button', { name: 'New group' }).click();
    await ada.page.getByLabel('Name of the group').fill(`Walkers ${run}`);
    for (const who of [ben, cleo]) {
      await ada.page.getByLabel('Find a user').fill(who.name);
      await ada.page.locator('dialog .person', { hasText: who.name }).click();
      await ada.page.waitForTimeout(600);
    }
    await shoot(ada, 'new-group');
    await ada.page.getByRole('button', { name: 'Create group' }).click();
    await ada.page.locator('.chat .head', { hasText: 'Walkers' }).waitFor();
    await write(ada, 'Who walks on Sunday?');
    await conversation(cleo, 'Walkers').click();
    await bubble(cleo, 'Who walks on Sunday?').waitFor();
    await cleo.page.getByLabel('Message', { exact: true }).fill('I do!');
    await cleo.page.getByRole('button', { name: 'Send', exact: true }).click();
    await bubble(ada, 'I do!').waitFor();
    await bubble(cleo, 'Who walks on Sunday?').getByRole('button', { name: 'More actions' }).click();
    await cleo.page.getByRole('menuitem', { name: 'React' }).click();
    await cleo.page.getByRole('menuitem', { name: '👍' }).click();
    await bubble(ada, 'Who walks on Sunday?').locator('.reaction', { hasText: '👍' }).waitFor();
    await shoot(cleo, 'phone');
    await conversation(ben, 'Walkers').click();
    await ben.page.locator('.chat .head', { hasText: 'Walkers' }).waitFor();
    await ticks(ada, 'Who walks on Sunday?', 'read');
    await write(ben, 'Me too');
    await bubble(cleo, 'Me too').waitFor();
    await ada.page.getByRole('button', { name: 'Details' }).last().click();
    await ada.page.locator('dialog .person', { hasText: cleo.name }).waitFor();
    await shoot(ada, 'details');
    await ada.page.getByRole('button', { name: 'Pin', exact: true }).click();
    await ada.page.getByRole('button', { name: 'Unpin' }).waitFor();
    await ada.page.getByRole('button', { name: 'Close' }).click();
    await conversation(ada, 'Walkers').locator('.mark[title=Pinned]').waitFor();
    await cleo.page.getByRole('button', { name: 'Details' }).last().click();
    await cleo.page.getByRole('button', { name: 'Leave group' }).click();
    await cleo.page.getByRole('button', { name: 'Leave', exact: true }).click();
    await conversation(cleo, 'Walkers').waitFor({ state: 'detached' });
    await shoot(cleo, 'phone-list');
  });
}
