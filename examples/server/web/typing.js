// Tells the others that one writes here: now and then while it goes on, and when it stops.

export function typing(app, id) {
  let toldAt = 0; let telling = false; let idle;
  const tell = active => app.conn.command('typing', { conversation_id: id, active }).catch(() => {});

  function stop(aloud = true) {
    clearTimeout(idle);
    if (telling && aloud) tell(false);
    telling = false;
  }

  function go() {
    clearTimeout(idle);
    if (Date.now() - toldAt > 2500) {
      toldAt = Date.now();
      telling = true;
      tell(true);
    }
    idle = setTimeout(stop, 4000);
  }

  return { go, stop };
}
