// Signing out.
import { conversation, menu } from '../lib/page.mjs';

export default function leaving({ ada, ben, step }) {
  step('sign out and in again', async () => {
    await menu(ben, 'Sign out');
    await ben.page.locator('dialog').getByRole('button', { name: 'Sign out' }).click();
    await ben.page.getByRole('tab', { name: 'Sign in' }).waitFor();
    await ben.page.getByLabel('E-mail').fill(ben.email);
    await ben.page.getByLabel('Password').fill('wrong');
    await ben.page.getByRole('button', { name: 'Sign in' }).click();
    await ben.page.locator('.problem', { hasText: /\S/ }).waitFor();
    await ben.page.getByLabel('Password').fill(ben.password);
    await ben.page.getByRole('button', { name: 'Sign in' }).click();
    await conversation(ben, ada.name).waitFor();
  });
}
