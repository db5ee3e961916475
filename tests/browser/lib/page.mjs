// What people do on the page, in their own words.

export async function signUp({ page, name, email, password }) {
  await page.getByRole('tab', { name: 'Sign up' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('navigation', { name: 'Conversations' }).waitFor();
}

/** A message on the page of somebody. */
export const bubble = (who, text) => who.page.locator('.message', { hasText: text });

export async function write(who, text) {
  await who.page.getByLabel('Message', { exact: true }).fill(text);
  await who.page.keyboard.press('Enter');
}

export const ticks = (who, text, state) => bubble(who, text).locator(`.ticks.${state}`).waitFor();

/** Opens the menu of a message. */
export async function more(who, text) {
  await bubble(who, text).hover();
  await bubble(who, text).getByRole('button', { name: 'More actions' }).click();
}

/** Chooses something from the menu of a message. */
export async function act(who, text, action) {
  await more(who, text);
  await who.page.getByRole('menuitem', { name: action, exact: true }).click();
}

/** A row of the list of conversations. */
export const conversation = (who, name) => who.page.locator('nav .conversation', { has: who.page.locator('.title', { hasText: name }) });

/** Chooses something from the menu above the list. */
export async function menu(who, action) {
  await who.page.getByRole('button', { name: 'Menu', exact: true }).click();
  await who.page.getByRole('menuitem', { name: action }).click();
}

/** Opens the details of the open conversation. */
export const details = who => who.page.getByRole('button', { name: 'Details' }).last().click();

export const close = who => who.page.getByRole('button', { name: 'Close' }).last().click();

export const dialog = (who, name) => who.page.getByRole('dialog', { name });

/** The line at the bottom that goes by itself. */
export const toast = (who, text) => who.page.locator('#toast', { hasText: text }).waitFor();

/** A system line of the open conversation. */
export const line = (who, text) => who.page.locator('.system', { hasText: text });
