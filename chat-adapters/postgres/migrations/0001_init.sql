-- Ids that the engine makes are uuids, user ids are text compared byte by byte, times are milliseconds since 1970 in
-- UTC. JSON columns hold nested values that no query looks into; NULL stands for the empty value.
--
-- change_no numbers changes: the id of the transaction, moved by chat_state.shift, times 4096, plus the change's place
-- in its transaction. Within one conversation it rises together with rev. It is what sync positions are made of.

-- The epoch tells positions of this data from those of any other. The cluster is the one whose transaction ids the
-- numbers come from; in another one (after a dump was restored) the shift keeps them rising.
CREATE TABLE chat_state (
  id int2 PRIMARY KEY CHECK (id = 1),
  epoch int8 NOT NULL,
  shift int8 NOT NULL,
  cluster text NOT NULL
);
INSERT INTO chat_state (id, epoch, shift, cluster)
  VALUES (1, ('x' || right(gen_random_uuid()::text, 12))::bit(48)::int8, 0, '');

-- Not logged, so a crash empties it and nothing else does. The last transaction ids before a crash may be given again
-- after it; the first writer who finds this empty moves the numbers past them.
CREATE UNLOGGED TABLE chat_running (id int2 PRIMARY KEY CHECK (id = 1));
INSERT INTO chat_running (id) VALUES (1);

CREATE TABLE chat_users (
  id text COLLATE "C" PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  folded_name text COLLATE "C" NOT NULL,
  avatar_url text,
  avatar uuid,
  kind text COLLATE "C" NOT NULL,
  email text COLLATE "C",
  phone text COLLATE "C",
  custom jsonb,
  settings jsonb NOT NULL,
  presence jsonb,
  suspended bool NOT NULL,
  suspended_until int8,
  muted_until int8,
  created_at int8 NOT NULL,
  last_seen_at int8,
  user_rev int8 NOT NULL,
  erased_at int8,
  erased_messages text COLLATE "C",
  erasure_done bool
) WITH (fillfactor = 85);
CREATE INDEX chat_users_erasing ON chat_users (id) WHERE NOT erasure_done;
CREATE INDEX chat_users_email ON chat_users (email) WHERE email IS NOT NULL;
CREATE INDEX chat_users_phone ON chat_users (phone) WHERE phone IS NOT NULL;

-- Room on each page: a send replaces the row, and as no index holds what it changes, in its place.
CREATE TABLE chat_conversations (
  id uuid PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  pair_low text COLLATE "C",
  pair_high text COLLATE "C",
  name text COLLATE "C",
  folded_name text COLLATE "C",
  description text COLLATE "C",
  avatar uuid,
  created_by text COLLATE "C" NOT NULL,
  created_at int8 NOT NULL,
  last_activity_at int8 NOT NULL,
  changed_at int8 NOT NULL,
  rev int8 NOT NULL,
  last_seq int8 NOT NULL,
  last_countable_seq int8 NOT NULL,
  last_countable_sender text COLLATE "C",
  last_countable_other_seq int8 NOT NULL,
  last_countable_other_at int8 NOT NULL,
  members_rev int8 NOT NULL,
  member_count int8 NOT NULL,
  permissions jsonb NOT NULL,
  frozen bool NOT NULL,
  message_ttl_ms int8,
  slow_mode_ms int8,
  sends_until int8 NOT NULL,
  custom jsonb,
  dissolved_at int8,
  first_seq int8 NOT NULL,
  min_rev int8 NOT NULL,
  oldest_at int8,
  -- Milliseconds; -1 is for good, NULL by policy.
  retention int8,
  change_no int8 NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX chat_conversations_pair ON chat_conversations (pair_low, pair_high) WHERE pair_low IS NOT NULL;
CREATE INDEX chat_conversations_pair_high ON chat_conversations (pair_high, pair_low) WHERE pair_low IS NOT NULL;
-- Whose oldest message is past its retention. A time beyond the year 9999 is as good as none.
CREATE INDEX chat_conversations_oldest ON chat_conversations (kind, oldest_at, id)
  WHERE retention IS NULL AND oldest_at IS NOT NULL;
CREATE INDEX chat_conversations_due ON chat_conversations ((oldest_at + least(retention, 253402300799999)), id)
  WHERE retention >= 0 AND oldest_at IS NOT NULL;

-- Derived: covers (the intervals), unread_after (Member::unread_after()), sees_from (the lowest seq the member may
-- see at all).
CREATE TABLE chat_members (
  conversation_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  joined_at int8 NOT NULL,
  intervals jsonb NOT NULL,
  delivered_seq int8 NOT NULL,
  read_seq int8 NOT NULL,
  contacts_read_seq int8 NOT NULL,
  public_read_seq int8 NOT NULL,
  unread_floor int8 NOT NULL,
  visible_from int8 NOT NULL,
  unread_from int8,
  pinned_at int8,
  muted_until int8,
  archived_seq int8,
  hidden_seq int8,
  notification_level text COLLATE "C" NOT NULL,
  silenced_until int8,
  last_sent_at int8,
  rev int8 NOT NULL,
  user_rev int8 NOT NULL,
  reset_user_rev int8 NOT NULL,
  covers int8multirange NOT NULL,
  unread_after int8 NOT NULL,
  sees_from int8 NOT NULL,
  change_no int8 NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX chat_members_user ON chat_members (user_id, conversation_id);

-- folded is derived, and NULL when the text is its own folded form; previewable is access::is_previewable(). The key
-- begins with the conversation, so that the table can be partitioned by it.
CREATE TABLE chat_messages (
  conversation_id uuid NOT NULL,
  seq int8 NOT NULL,
  id uuid NOT NULL,
  rev int8 NOT NULL,
  change_no int8 NOT NULL,
  sender_id text COLLATE "C" NOT NULL,
  client_id text COLLATE "C",
  payload_hash text COLLATE "C",
  kind text COLLATE "C" NOT NULL,
  format text COLLATE "C" NOT NULL,
  reply_to_id uuid,
  reply_to_seq int8,
  mentions_all bool NOT NULL,
  silent bool NOT NULL,
  countable bool NOT NULL,
  previewable bool NOT NULL,
  client_time int8,
  created_at int8 NOT NULL,
  edited_at int8,
  version int8 NOT NULL,
  deleted_at int8,
  deleted_by text COLLATE "C",
  expires_at int8,
  kept_at int8,
  kept_by text COLLATE "C",
  kept_expires_at int8,
  pinned_at int8,
  pinned_by text COLLATE "C",
  mentions jsonb,
  content jsonb,
  text text COLLATE "C" NOT NULL,
  folded text COLLATE "C",
  PRIMARY KEY (conversation_id, seq)
);
CREATE UNIQUE INDEX chat_messages_id ON chat_messages (id);
CREATE UNIQUE INDEX chat_messages_client_id ON chat_messages (conversation_id, sender_id, client_id)
  WHERE client_id IS NOT NULL;
CREATE INDEX chat_messages_rev ON chat_messages (conversation_id, rev) INCLUDE (change_no);
-- Counting unread messages touches this index alone, as far as vacuum has seen their pages.
CREATE INDEX chat_messages_unread ON chat_messages (conversation_id, seq)
  INCLUDE (sender_id, expires_at, mentions_all) WHERE countable AND deleted_at IS NULL;
-- Messages that mention everybody.
CREATE INDEX chat_messages_all ON chat_messages (conversation_id, seq) WHERE mentions_all;
-- Galleries: pages of one kind. Text has no entries here, its pages are read by seq.
CREATE INDEX chat_messages_kind ON chat_messages (conversation_id, kind, seq) WHERE kind <> 'text';
CREATE INDEX chat_messages_expiry ON chat_messages (expires_at, id)
  WHERE expires_at IS NOT NULL AND (text <> '' OR content IS NOT NULL);

CREATE INDEX chat_messages_pins ON chat_messages (conversation_id, pinned_at, seq) WHERE pinned_at IS NOT NULL;

-- Derived from chat_messages.content: which messages show a file.
CREATE TABLE chat_message_files (
  attachment_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  message_id uuid NOT NULL,
  PRIMARY KEY (attachment_id, message_id)
);
CREATE INDEX chat_message_files_message ON chat_message_files (message_id);

CREATE TABLE chat_mentions (
  conversation_id uuid NOT NULL,
  seq int8 NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  created_at int8 NOT NULL,
  message_id uuid NOT NULL,
  PRIMARY KEY (conversation_id, seq, user_id)
);
-- All mentions of a user, newest first. created_at is the message's, which never changes.
CREATE INDEX chat_mentions_time ON chat_mentions (user_id, created_at, message_id);

CREATE TABLE chat_hides (
  user_id text COLLATE "C" NOT NULL,
  conversation_id uuid NOT NULL,
  seq int8 NOT NULL,
  message_id uuid NOT NULL,
  rev int8 NOT NULL,
  change_no int8 NOT NULL,
  PRIMARY KEY (user_id, conversation_id, seq)
);
CREATE UNIQUE INDEX chat_hides_message ON chat_hides (user_id, message_id);
-- Who has hidden a message, for events that go to many.
CREATE INDEX chat_hides_of ON chat_hides (message_id);
CREATE INDEX chat_hides_rev ON chat_hides (user_id, conversation_id, rev);

-- The log of marks. step: 0 delivered, 1 read for nobody, 2 read for contacts, 3 read for everyone. Positions are given
-- under the conversation's lock, so within a conversation they rise in the order of its changes. timeless: its time is
-- not told any more.
CREATE TABLE chat_advances (
  position int8 GENERATED ALWAYS AS IDENTITY,
  conversation_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  step int8 NOT NULL,
  from_seq int8 NOT NULL,
  to_seq int8 NOT NULL,
  at int8 NOT NULL,
  timeless bool NOT NULL DEFAULT false,
  PRIMARY KEY (conversation_id, user_id, step, to_seq, position)
);
CREATE INDEX chat_advances_at ON chat_advances (at) WHERE NOT timeless;

CREATE TABLE chat_reactions (
  position int8 GENERATED ALWAYS AS IDENTITY,
  conversation_id uuid NOT NULL,
  message_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  emoji text COLLATE "C" NOT NULL,
  at int8 NOT NULL,
  PRIMARY KEY (message_id, user_id, emoji)
);
CREATE INDEX chat_reactions_user ON chat_reactions (user_id, message_id, emoji);

-- Lifted blocks stay with active = false: they are the change log that sync reads.
CREATE TABLE chat_blocks (
  blocker text COLLATE "C" NOT NULL,
  blocked text COLLATE "C" NOT NULL,
  active bool NOT NULL,
  user_rev int8 NOT NULL,
  at int8 NOT NULL,
  PRIMARY KEY (blocker, blocked)
);
CREATE INDEX chat_blocks_blocked ON chat_blocks (blocked, blocker) WHERE active;

-- Who wants no pushes of whom. Lifted mutes stay with until = NULL: they are the change log that sync reads.
CREATE TABLE chat_mutes (
  user_id text COLLATE "C" NOT NULL,
  muted text COLLATE "C" NOT NULL,
  until int8,
  user_rev int8 NOT NULL,
  PRIMARY KEY (user_id, muted)
);

CREATE TABLE chat_former_texts (
  message_id uuid NOT NULL,
  version int8 NOT NULL,
  conversation_id uuid NOT NULL,
  edited_at int8 NOT NULL,
  text text COLLATE "C" NOT NULL,
  PRIMARY KEY (message_id, version)
);

-- Stars taken off stay with active = false: they are the change log that sync reads.
CREATE TABLE chat_stars (
  user_id text COLLATE "C" NOT NULL,
  message_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  seq int8 NOT NULL,
  active bool NOT NULL,
  user_rev int8 NOT NULL,
  PRIMARY KEY (user_id, message_id)
);
CREATE INDEX chat_stars_rev ON chat_stars (user_id, user_rev);
CREATE INDEX chat_stars_active ON chat_stars (user_id, user_rev) WHERE active;
-- Who has starred a message, for events that go to many.
CREATE INDEX chat_stars_of ON chat_stars (message_id);

-- Closed reports have resolved_at, resolved_by and action. message is the reported message as it was then.
CREATE TABLE chat_reports (
  id uuid PRIMARY KEY,
  reporter text COLLATE "C" NOT NULL,
  target_kind text COLLATE "C" NOT NULL,
  target_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  conversation_id uuid,
  reason text COLLATE "C" NOT NULL,
  note text COLLATE "C",
  created_at int8 NOT NULL,
  message jsonb,
  resolved_at int8,
  resolved_by text COLLATE "C",
  action text COLLATE "C",
  resolution_note text COLLATE "C"
);
CREATE UNIQUE INDEX chat_reports_target ON chat_reports (reporter, target_kind, target_id) WHERE resolved_at IS NULL;
CREATE INDEX chat_reports_reporter ON chat_reports (reporter, id);
CREATE INDEX chat_reports_newest ON chat_reports (created_at, id);
CREATE INDEX chat_reports_open ON chat_reports (created_at, id) WHERE resolved_at IS NULL;
CREATE INDEX chat_reports_closed ON chat_reports (created_at, id) WHERE resolved_at IS NOT NULL;

-- Files that open reports are about; they are not swept.
CREATE TABLE chat_report_files (
  attachment_id uuid NOT NULL,
  report_id uuid NOT NULL,
  PRIMARY KEY (attachment_id, report_id)
);
CREATE INDEX chat_report_files_report ON chat_report_files (report_id);

-- Rows are added and never changed. actor is NULL for the host itself.
CREATE TABLE chat_audit (
  id uuid PRIMARY KEY,
  at int8 NOT NULL,
  actor text COLLATE "C",
  action text COLLATE "C" NOT NULL,
  target_kind text COLLATE "C" NOT NULL,
  target_id text COLLATE "C" NOT NULL,
  conversation_id uuid,
  details jsonb
);
CREATE INDEX chat_audit_at ON chat_audit (at, id);
CREATE INDEX chat_audit_actor ON chat_audit (actor, at, id) WHERE actor IS NOT NULL;
CREATE INDEX chat_audit_target ON chat_audit (target_id, at, id);
CREATE INDEX chat_audit_action ON chat_audit (action, at, id);

-- message is what will be sent; emptied once it was sent or cancelled.
CREATE TABLE chat_scheduled (
  id uuid PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  client_id text COLLATE "C",
  payload_hash text COLLATE "C",
  conversation_id uuid,
  recipient_id text COLLATE "C",
  message jsonb NOT NULL,
  send_at int8 NOT NULL,
  state text COLLATE "C" NOT NULL,
  message_id uuid,
  error_code text COLLATE "C",
  version int8 NOT NULL,
  user_rev int8 NOT NULL,
  claims int8 NOT NULL,
  claimed_until int8,
  created_at int8 NOT NULL,
  changed_at int8 NOT NULL
);
CREATE INDEX chat_scheduled_due ON chat_scheduled (send_at, id) WHERE state = 'pending';
CREATE INDEX chat_scheduled_list ON chat_scheduled (user_id, send_at, id) WHERE state IN ('pending', 'failed');
CREATE INDEX chat_scheduled_changed ON chat_scheduled (user_id, user_rev);
CREATE INDEX chat_scheduled_over ON chat_scheduled (changed_at) WHERE state <> 'pending';

CREATE TABLE chat_devices (
  token text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  platform text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  refreshed_at int8 NOT NULL,
  login text COLLATE "C"
);
CREATE INDEX chat_devices_user ON chat_devices (user_id, refreshed_at);

CREATE TABLE chat_attachments (
  id uuid PRIMARY KEY,
  uploader text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  filename text COLLATE "C" NOT NULL,
  mime_type text COLLATE "C" NOT NULL,
  size int8 NOT NULL,
  width int8,
  height int8,
  duration_ms int8,
  state text COLLATE "C" NOT NULL,
  created_at int8 NOT NULL
);
CREATE INDEX chat_attachments_uploader ON chat_attachments (uploader, id);
CREATE INDEX chat_attachments_stale ON chat_attachments (state, id) WHERE state IN ('pending', 'deleted');

-- Entries on their way out. The oldest of each topic and key is its head, the only one that can be claimed.
CREATE TABLE chat_outbox (
  no int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE,
  topic text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  payload text COLLATE "C" NOT NULL,
  created_at int8 NOT NULL,
  due_at int8 NOT NULL,
  attempts int8 NOT NULL,
  head bool NOT NULL,
  lease uuid,
  leased_until int8
);
CREATE INDEX chat_outbox_key ON chat_outbox (topic, key, no);
CREATE INDEX chat_outbox_due ON chat_outbox (topic, due_at, no) WHERE head;
CREATE INDEX chat_outbox_lease ON chat_outbox (lease) WHERE lease IS NOT NULL;
CREATE INDEX chat_outbox_age ON chat_outbox (topic, created_at);

CREATE TABLE chat_accounts (
  user_id text COLLATE "C" PRIMARY KEY,
  email text COLLATE "C" NOT NULL UNIQUE,
  phone text COLLATE "C" UNIQUE,
  password_hash text COLLATE "C" NOT NULL,
  created_at int8 NOT NULL
);

CREATE TABLE chat_account_sessions (
  id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  expires_at int8 NOT NULL
);
CREATE INDEX chat_account_sessions_user ON chat_account_sessions (user_id);
