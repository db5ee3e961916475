// Malformed input of every class: answered with a code or cut, never silence, and never a matter for others.
import assert from 'node:assert/strict';
import { pause, scenario } from './lib/scenario.mjs';
import { BASE, refused } from './lib/rest.mjs';
import WebSocket from 'ws';

async function pair(world) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  return { ada, ben, direct: await ada.direct(ben) };
}

const FRAMES = [
  ['no JSON', 'hello'], ['nothing', ''], ['an array', '[1,2]'], ['a number', '7'], ['null', 'null'], ['two values', '{}{}'],
  ['no op', '{"id":"1","data":{}}'], ['an op that is no text', '{"id":"1","op":5}'], ['no id', '{"op":"sync","data":{}}'],
  ['half a surrogate', '{"id":"1","op":"sync","data":{"token":"\\ud83d"}}'],
  ['too deep', `{"id":"1","op":"sync","data":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`],
  ['deeper than any stack', `{"id":"1","op":"sync","data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  ['too many keys', `{"id":"1","op":"sync","data":{${Array.from({ length: 300 }, (_, i) => `"k${i}":1`).join(',')}}}`],
];
for (const [what, frame] of FRAMES) {
  scenario(`/ws: a frame that is ${what} is answered or cut`, async world => {
    const { ada, ben, direct } = await pair(world);
    const [a, b] = [await world.plain(ada), await world.plain(ben)];
    a.replies.set('1', reply => a.others.push(reply));
    a.text(frame);
    await world.eventually(async () => {
      const closed = await Promise.race([a.closed, pause(1)]);
      if (closed) return assert.ok([1002, 1003, 1007, 1008, 1009, 4400, 4413].includes(closed.code), `close code ${closed.code}`);
      assert.equal(a.others.some(reply => reply.ok === false && reply.error.code === 'invalid_argument'), true, 'an answer');
    });
    const message = await ada.send(direct, 'life goes on');
    await b.next('message_created', event => event.message.id === message.id);
  });
}

scenario('/ws: binary frames are not taken for text', async world => {
  const { ada, ben, direct } = await pair(world);
  const [a, b] = [await world.plain(ada), await world.plain(ben)];
  a.socket.send(Buffer.from(JSON.stringify({ id: 'x', op: 'send_message', data: { conversation_id: direct.id, text: 'sneaked' } })), { binary: true });
  await b.silent('message_created');
});

scenario('/ws: a frame over the announced size closes with 4413', async world => {
  const { ada, ben, direct } = await pair(world);
  const [a, b] = [await world.plain(ada), await world.plain(ben)];
  const limit = a.ready.limits.frame_bytes;
  await refused(a.command('send_message', { conversation_id: direct.id, text: 'x'.repeat(limit - 1_000) }), 'message_too_long');
  a.text(JSON.stringify({ id: '1', op: 'send_message', data: { conversation_id: direct.id, text: 'x'.repeat(limit) } }));
  assert.equal((await Promise.race([a.closed, pause(4_000)]))?.code, 4413);
  await ada.send(direct, 'still there');
  await b.next('message_created');
});

const PAYLOADS = [undefined, null, true, 7, 'text', [], [{}], {}];
scenario('both transports refuse payloads that are no objects or lack fields', async world => {
  const { ada, direct } = await pair(world);
  for (const connection of [await world.socketIo(ada), await world.plain(ada)]) {
    for (const payload of PAYLOADS) await refused(connection.command('mark_read', payload), 'invalid_argument');
    await refused(connection.command('send_message', { conversation_id: direct.id, text: 'x', surprise: 1 }), 'invalid_argument', 'surprise');
    await refused(connection.command('send_message', { conversation_id: direct.id, text: 7 }), 'invalid_argument', 'text');
    await refused(connection.command('send_message', { conversation_id: 'no id', text: 'x' }), 'invalid_argument', 'conversation_id');
    await refused(connection.command('send_message', { text: 'x' }), 'invalid_argument');
    await refused(connection.command('send_message', { conversation_id: direct.id, text: 'a\u0000b' }), 'invalid_argument', 'text');
    await refused(connection.command('send_message', { conversation_id: direct.id, text: ' \n ' }), 'empty_message');
    await refused(connection.command('send_message', { conversation_id: direct.id, sender_id: 'someone', text: 'x' }), 'invalid_argument', 'sender_id');
    await refused(connection.command('no_such_command', {}), 'invalid_argument', 'op');
    await refused(connection.command('message_created', { text: 'forged' }), 'invalid_argument', 'op');
    await pause(1_100);
  }
  assert.deepEqual(await ada.texts(direct), []);
});

scenario('socket.io: binary payloads, surplus arguments and missing acks do no harm', async world => {
  const { ada, ben, direct } = await pair(world);
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  await refused(a.command('send_message', Buffer.from([1, 2, 3])), 'invalid_argument');
  await a.command('send_message', { conversation_id: direct.id, text: 'with surplus' }, 'surplus', 7).catch(error => assert.equal(error.code, 'invalid_argument'));
  a.socket.emit('send_message', { conversation_id: direct.id, text: 'without ack' });
  await b.next('message_created', event => event.message.text === 'without ack');
});

scenario('socket.io: raw packets that make no sense end that connection only', async world => {
  const { ada, ben, direct } = await pair(world);
  const b = await world.socketIo(ben);
  for (const packet of ['4', '49', '42[', '42{}', '42["send_message"', '451-["x",{"_placeholder":true,"num":0}]', '4599999-[]', 'ÿ', '40/admin,', `42${'['.repeat(20_000)}`]) {
    const raw = new WebSocket(`${BASE.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`);
    raw.on('error', () => {});
    await new Promise(resolve => { raw.once('message', resolve); raw.once('close', resolve); });
    raw.send(`40${JSON.stringify({ token: ada.token })}`);
    await pause(40);
    raw.send(packet);
    await pause(40);
    raw.terminate();
  }
  const other = new WebSocket(`${BASE.replace(/^http/, 'ws')}/socket.io/?EIO=3&transport=websocket`);
  other.on('error', () => {});
  await new Promise(resolve => { other.once('close', resolve); other.once('error', resolve); setTimeout(resolve, 500); });
  other.terminate();
  const message = await ada.send(direct, 'unharmed');
  await b.next('message_created', event => event.message.id === message.id);
});

const BODIES = ['', '{', '[]', '"x"', 'null', '{"text":"x"}{}', '{"text":"\\ud800"}', `{"text":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])];
scenario('REST: bodies that are not the JSON asked for get a code', async world => {
  const { ada, direct } = await pair(world);
  const path = `/conversations/${direct.id}/messages`;
  for (const body of BODIES) {
    const answer = await ada.raw('POST', path, { body, headers: { 'content-type': 'application/json' } });
    assert.equal(answer.status, 422, `body ${String(body).slice(0, 20)}`);
    assert.equal(answer.json.code, 'invalid_argument');
  }
  const form = await ada.raw('POST', path, { body: 'text=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  assert.equal(form.status, 415);
  const large = await ada.raw('POST', path, { body: JSON.stringify({ text: 'x'.repeat(1_100_000) }), headers: { 'content-type': 'application/json' } });
  assert.equal(large.json.code, 'payload_too_large');
  assert.deepEqual(await ada.texts(direct), []);
});

scenario('REST: unknown paths, wrong methods, bad ids, bad queries', async world => {
  const { ada } = await pair(world);
  await refused(ada.get('/nothing/here'), 'not_found');
  const wrong = await ada.raw('DELETE', '/conversations');
  assert.deepEqual([wrong.status, wrong.json.code], [405, 'not_found']);
  await refused(ada.get('/conversations?limit=0'), 'invalid_argument', 'limit');
  await refused(ada.get('/conversations?limit=101'), 'invalid_argument', 'limit');
  await refused(ada.get('/conversations?filter=best'), 'invalid_argument', 'filter');
  await refused(ada.get('/conversations?cursor=forged'), 'invalid_cursor');
  await refused(ada.get('/users?q='), 'query_required');
  const unknown = '01935d5f-0000-7000-8000-000000000000';
  await refused(ada.get(`/conversations/${unknown}`), 'conversation_not_found');
  await refused(ada.get(`/messages/${unknown}`), 'message_not_found');
  await refused(ada.get(`/attachments/${unknown}`), 'attachment_not_found');
});
