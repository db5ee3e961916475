// A group so large that conversations carry no list of members: they are found by name, in pages.
import { bubble, close, conversation, details, dialog } from '../lib/page.mjs';
import { token } from '../lib/tokens.mjs';

export default function crowd({ base, person, run, shoot, step }) {
  step('a group of 101: members in pages and by name, mentioned by name, muted for oneself', async () => {
    const signed = (name, id) => token({ sub: id, name });
    const call = async (bearer, path, body) => {
      const answer = await fetch(`${base}/api/${path}`, { method: body ? 'POST' : 'GET', headers: { authorization: `Bearer ${bearer}`, ...(body && { 'content-type': 'application/json' }) }, body: body && JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${answer.status} for ${path}: ${await answer.text()}`);
      return answer.json();
    };
    const ids = Array.from({ length: 100 }, (_, i) => `crowd-${run}-${i}`);
    for (let i = 0; i < ids.length; i += 10) await Promise.all(ids.slice(i, i + 10).map((id, j) => call(signed(i + j === 99 ? `Zoe ${run}` : `One ${i + j} ${run}`, id), 'me')));
    const mine = signed(`Hal ${run}`, `hal-${run}`);
    await call(mine, 'me');
    await call(mine, 'conversations/group', { name: `Crowd ${run}`, member_ids: ids });
    const hal = await person('Hal');
    await hal.page.getByRole('tab', { name: 'Token' }).click();
    await hal.page.getByLabel('Token').fill(mine);
    await hal.page.getByRole('button', { name: 'Use this token' }).click();
    await conversation(hal, 'Crowd').click();
    const field = hal.page.getByLabel('Message', { exact: true });
    await field.pressSequentially('Welcome @Zo');
    await hal.page.getByRole('option', { name: `Zoe ${run}` }).waitFor();
    await hal.page.keyboard.press('Enter');
    await hal.page.keyboard.press('Enter');
    await bubble(hal, 'Welcome').locator('.mention', { hasText: `@Zoe ${run}` }).waitFor();
    const [mention] = (await call(signed(`Zoe ${run}`, ids[99]), 'mentions')).items;
    if (mention?.text !== `Welcome @Zoe ${run}`) throw new Error(`she was not mentioned: ${JSON.stringify(mention)}`);
    await field.press('ArrowUp');
    await field.fill(`A warm welcome @Zoe ${run}`);
    await field.press('Enter');
    await bubble(hal, 'A warm welcome').locator('.mention', { hasText: `@Zoe ${run}` }).waitFor();
    await details(hal);
    const group = dialog(hal, 'Group');
    await group.getByRole('heading', { name: '101 members' }).waitFor();
    await group.locator('.person').nth(49).waitFor();
    await group.getByRole('button', { name: 'More' }).click();
    await group.locator('.person').nth(99).waitFor();
    await group.getByLabel('Find a member').fill('Zoe');
    await group.locator('.person', { hasText: 'Zoe' }).waitFor();
    await group.locator('.person', { hasText: 'One 1' }).first().waitFor({ state: 'detached' });
    await shoot(hal, 'crowd');
    await group.locator('.person', { hasText: 'Zoe' }).click();
    await hal.page.getByRole('menuitem', { name: 'Do not notify me' }).click();
    await group.locator('.person', { hasText: 'Zoe' }).getByRole('img', { name: 'Not notified' }).waitFor();
    await hal.page.reload();
    await conversation(hal, 'Crowd').click();
    await details(hal);
    await group.getByLabel('Find a member').fill('Zoe');
    await group.locator('.person', { hasText: 'Zoe' }).getByRole('img', { name: 'Not notified' }).waitFor();
    await close(hal);
  });
}
