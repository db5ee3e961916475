// Proposals to meet: who may do what from where.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

const later = (hours = 1) => new Date(Date.now() + hours * 3_600_000).toISOString();
const STEPS = ['confirm', 'reject', 'cancel', 'reschedule', 'complete'];

async function proposal(world) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, { kind: 'meeting', meeting: { place: 'Café', scheduled_at: later(), note: 'cake' } });
  const step = (user, action, expected_version, more = {}) => user.post(`/messages/${message.id}/meeting`, { action, expected_version, ...(action === 'reschedule' ? { scheduled_at: later(2) } : {}), ...more });
  return { ada, ben, direct, message, step };
}
/** Steps that lead to each state, from a proposal of Ada's; then who waits for whom. */
const WAYS = {
  pending: [], confirmed: [['ben', 'confirm']], rejected: [['ben', 'reject']], canceled: [['ada', 'cancel']],
  rescheduled: [['ben', 'reschedule']], completed: [['ben', 'confirm'], ['ada', 'complete']],
};
/** What is possible from a state, and who may: `either`, or the `invitee` only. */
const LEGAL = {
  pending: { confirm: 'invitee', reject: 'invitee', cancel: 'either', reschedule: 'either' },
  rescheduled: { confirm: 'invitee', reject: 'invitee', cancel: 'either', reschedule: 'either' },
  confirmed: { cancel: 'either', reschedule: 'either', complete: 'either' },
  rejected: {}, canceled: {}, completed: {},
};
const LEADS = { confirm: 'confirmed', reject: 'rejected', cancel: 'canceled', reschedule: 'rescheduled', complete: 'completed' };

for (const [state, way] of Object.entries(WAYS)) {
  for (const action of STEPS) {
    scenario(`meeting ${state}: ${action}`, async world => {
      const { step, message, ...people } = await proposal(world);
      let { version } = message.meeting;
      for (const [who, how] of way) version = (await step(people[who], how, version)).meeting.version;
      const now = (await people.ada.get(`/messages/${message.id}`)).meeting;
      assert.equal(now.status, state);
      const [proposer, invitee] = state === 'rescheduled' ? [people.ben, people.ada] : [people.ada, people.ben];
      const who = LEGAL[state][action];
      if (!who) {
        for (const user of [invitee, proposer]) await refused(step(user, action, version), 'invalid_transition');
        return assert.equal((await people.ada.get(`/messages/${message.id}`)).meeting.version, version);
      }
      if (who === 'invitee') await refused(step(proposer, action, version), 'forbidden');
      await refused(step(invitee, action, version + 1), 'version_conflict');
      const session = await world.socketIo(proposer);
      const stepped = await step(invitee, action, version);
      assert.equal(stepped.meeting.status, LEADS[action]);
      assert.equal(stepped.meeting.version, version + 1);
      assert.ok(stepped.rev > message.rev);
      assert.equal(stepped.meeting.proposed_by, action === 'reschedule' ? invitee.id : proposer.id);
      assert.equal((await session.next('message_updated')).message.meeting.status, LEADS[action]);
    });
  }
}

scenario('a proposal: what it says, what it must say', async world => {
  const { ada, ben, direct, message } = await proposal(world);
  const { meeting } = await ben.get(`/messages/${message.id}`);
  assert.deepEqual([meeting.place, meeting.note, meeting.status, meeting.proposed_by, meeting.version], ['Café', 'cake', 'pending', ada.id, 1]);
  assert.equal(Date.parse(meeting.scheduled_at), Date.parse(message.meeting.scheduled_at));
  const [row] = (await ben.get('/conversations')).items;
  assert.deepEqual([row.last_message.kind, row.my.unread_count], ['meeting', 1]);
  const bad = [undefined, {}, { place: 'x' }, { scheduled_at: 'soon' }, { scheduled_at: 5 }, { scheduled_at: later(), place: 'x'.repeat(501) }, { scheduled_at: later(), status: 'confirmed' }, { scheduled_at: later(), version: 3 },
    { scheduled_at: later(), place: 7 }, { scheduled_at: later(), location: { latitude: 91, longitude: 0 } }, { scheduled_at: later(), proposed_by: ben.id }, { scheduled_at: later(-1) }];
  for (const draft of bad) {
    const error = await ada.post(`/conversations/${direct.id}/messages`, { kind: 'meeting', meeting: draft }).catch(failure => failure);
    assert.ok(error.code === 'invalid_argument' && error.field, `${JSON.stringify(draft)}: ${error.code} ${error.field}`);
  }
  await ada.send(direct, { kind: 'meeting', text: 'shall we?', meeting: { scheduled_at: later(), place: 'ü'.repeat(500), location: { latitude: 1, longitude: 2 } } });
});

scenario('steps need a known action, the version seen, and what belongs to them', async world => {
  const { ada, ben, message, step, direct } = await proposal(world);
  const path = `/messages/${message.id}/meeting`;
  await refused(ben.post(path, { action: 'dance', expected_version: 1 }), 'invalid_argument', 'action');
  await refused(ben.post(path, { expected_version: 1 }), 'invalid_argument', 'action');
  await refused(ben.post(path, { action: 'confirm' }), 'invalid_argument', 'expected_version');
  await refused(ben.post(path, { action: 'confirm', expected_version: '1' }), 'invalid_argument', 'expected_version');
  await refused(ben.post(path, { action: 'reschedule', expected_version: 1 }), 'invalid_argument', 'scheduled_at');
  await refused(step(ben, 'reschedule', 1, { scheduled_at: 'soon' }), 'invalid_argument', 'scheduled_at');
  await refused(step(ben, 'reschedule', 1, { place: 'x'.repeat(501) }), 'invalid_argument', 'place');
  await refused(ben.post(path, { action: 'confirm', expected_version: 1, who: 'me' }), 'invalid_argument', 'who');
  const stale = await ben.raw('POST', path, { body: JSON.stringify({ action: 'confirm', expected_version: 9 }), headers: { 'content-type': 'application/json' } });
  assert.deepEqual([stale.status, stale.json.code, stale.json.details.version], [409, 'version_conflict', 1]);
  const moved = await step(ben, 'reschedule', 1, { place: 'Bar' });
  assert.deepEqual([moved.meeting.place, moved.meeting.note], ['Bar', 'cake']);
  const text = await ada.send(direct, 'x');
  await refused(ben.post(`/messages/${text.id}/meeting`, { action: 'confirm', expected_version: 1 }), 'invalid_operation');
  await refused(ben.post(path.replace(message.id, '01935d5f-0000-7000-8000-000000000000'), { action: 'confirm', expected_version: 1 }), 'message_not_found');
  const [eve] = await world.users('Eve');
  await refused(eve.post(path, { action: 'confirm', expected_version: 2 }), 'message_not_found');
  await ada.delete(`/messages/${message.id}?for=everyone`);
  await refused(ada.post(path, { action: 'confirm', expected_version: 2 }), 'invalid_operation');
});

scenario('of two who answer at once one is first', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ada.send(group, { kind: 'meeting', meeting: { scheduled_at: later() } });
  const answers = await Promise.all([[ben, 'confirm'], [cem, 'reject']].map(([user, action]) => user.post(`/messages/${message.id}/meeting`, { action, expected_version: 1 }).catch(error => error.code)));
  assert.equal(answers.filter(answer => answer === 'version_conflict').length, 1, JSON.stringify(answers));
});

scenario('what nobody ended the clock ends', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const draft = { kind: 'meeting', meeting: { scheduled_at: new Date(Date.now() + 1_500).toISOString() } };
  const [open, agreed] = [await ada.send(direct, draft), await ada.send(direct, draft)];
  await ben.post(`/messages/${agreed.id}/meeting`, { action: 'confirm', expected_version: 1 });
  await world.eventually(async () => assert.equal((await ben.get(`/messages/${open.id}`)).meeting.status, 'expired'));
  assert.equal((await ada.get(`/messages/${agreed.id}`)).meeting.status, 'completed');
  await refused(ben.post(`/messages/${open.id}/meeting`, { action: 'confirm', expected_version: 1 }), 'invalid_transition');
  await refused(ben.post(`/messages/${agreed.id}/meeting`, { action: 'cancel', expected_version: 2 }), 'invalid_transition');
  assert.equal((await ben.get(`/conversations/${direct.id}/messages`)).items.find(item => item.id === open.id).meeting.status, 'expired');
});

scenario('blocked or frozen, a meeting does not move', async world => {
  const { ada, ben, step } = await proposal(world);
  await ada.put(`/blocks/${ben.id}`);
  await refused(step(ben, 'confirm', 1), 'not_permitted');
  await refused(step(ada, 'cancel', 1), 'you_blocked');
});
