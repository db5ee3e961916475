// Blocking somebody.
import { bubble, write } from '../lib/page.mjs';

export default function blocking({ ada, ben, shoot, step }) {
  step('block and unblock', async () => {
    await ben.page.getByRole('button', { name: 'Details' }).last().click();
    await ben.page.getByRole('button', { name: `Block ${ada.name}` }).click();
    await ben.page.getByRole('button', { name: 'Block', exact: true }).click();
    await ben.page.getByRole('button', { name: `Unblock ${ada.name}` }).waitFor();
    await shoot(ben, 'blocked');
    await ben.page.getByRole('button', { name: `Unblock ${ada.name}` }).click();
    await ben.page.getByRole('button', { name: `Block ${ada.name}` }).waitFor();
    await ben.page.getByRole('button', { name: 'Close' }).click();
    await write(ben, 'No hard feelings');
    await bubble(ada, 'No hard feelings').waitFor();
  });
}
