// A connection that is lost and comes back.
import { bubble, conversation, ticks, write } from '../lib/page.mjs';

export default function outage({ ada, ben, shoot, step }) {
  step('a lost connection comes back, and what was written meanwhile is sent once', async () => {
    let cut = false;
    const sockets = new Set();
    await ada.page.routeWebSocket(/\/ws$/, socket => {
      if (cut) return void socket.close({ code: 4000 });
      sockets.add(socket);
      socket.connectToServer();
    });
    await ada.page.reload();
    await conversation(ada, ben.name).click();
    await conversation(ben, ada.name).click();
    await write(ada, 'Before the cut');
    await bubble(ben, 'Before the cut').waitFor();
    cut = true;
    for (const socket of sockets) await socket.close({ code: 4000 });
    await ada.page.locator('.banner', { hasText: 'No connection' }).waitFor();
    await write(ada, 'Written without a connection');
    await bubble(ada, 'Written without a connection').locator('.ticks.sending').waitFor();
    await write(ben, 'While Ada was away');
    await shoot(ada, 'offline');
    cut = false;
    await bubble(ada, 'While Ada was away').waitFor({ timeout: 40_000 });
    await bubble(ben, 'Written without a connection').waitFor();
    await ticks(ada, 'Written without a connection', 'read');
    await ada.page.locator('.banner').waitFor({ state: 'hidden' });
    for (const who of [ada, ben]) if (await bubble(who, 'Written without a connection').count() !== 1) throw new Error(`twice on the page of ${who.name}`);
  });
}
