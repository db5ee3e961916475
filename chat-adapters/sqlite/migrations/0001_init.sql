-- Ids that the engine makes are 16-byte blobs, user ids are text, times are milliseconds since 1970 in UTC.
-- JSON columns hold nested values that no query looks into; NULL stands for the empty value.

-- The number of the newest change; it is the sync position. The epoch tells positions of this file from those of any
-- other.
CREATE TABLE chat_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  commit_no INTEGER NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;
INSERT INTO chat_state (id, commit_no, epoch) VALUES (1, 0, random() & 9223372036854775807);

CREATE TABLE chat_users (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  avatar_url TEXT,
  avatar BLOB,
  kind TEXT NOT NULL,
  email TEXT,
  phone TEXT,
  custom TEXT,
  settings TEXT NOT NULL,
  presence TEXT,
  suspended INTEGER NOT NULL,
  suspended_until INTEGER,
  muted_until INTEGER,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER,
  user_rev INTEGER NOT NULL,
  erased_at INTEGER,
  erased_messages TEXT,
  erasure_done INTEGER
) STRICT;
CREATE INDEX chat_users_erasing ON chat_users (id) WHERE erasure_done = 0;
CREATE INDEX chat_users_email ON chat_users (email) WHERE email IS NOT NULL;
CREATE INDEX chat_users_phone ON chat_users (phone) WHERE phone IS NOT NULL;

-- Trigrams of folded names. The names themselves are in chat_users, and every hit is verified there.
CREATE VIRTUAL TABLE chat_user_search USING fts5 (
  folded, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1'
);

CREATE TABLE chat_conversations (
  id BLOB NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  pair_low TEXT,
  pair_high TEXT,
  name TEXT,
  folded_name TEXT,
  description TEXT,
  avatar BLOB,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_activity_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_countable_seq INTEGER NOT NULL,
  last_countable_sender TEXT,
  last_countable_other_seq INTEGER NOT NULL,
  last_countable_other_at INTEGER NOT NULL,
  members_rev INTEGER NOT NULL,
  member_count INTEGER NOT NULL,
  permissions TEXT NOT NULL,
  frozen INTEGER NOT NULL,
  message_ttl_ms INTEGER,
  slow_mode_ms INTEGER,
  sends_until INTEGER NOT NULL,
  custom TEXT,
  dissolved_at INTEGER,
  first_seq INTEGER NOT NULL DEFAULT 1,
  min_rev INTEGER NOT NULL DEFAULT 0,
  oldest_at INTEGER,
  -- Milliseconds; -1 is for good, NULL by policy.
  retention INTEGER,
  commit_no INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chat_conversations_pair ON chat_conversations (pair_low, pair_high) WHERE pair_low IS NOT NULL;
-- Whose oldest message is past its retention.
CREATE INDEX chat_conversations_oldest ON chat_conversations (kind, oldest_at, id)
  WHERE retention IS NULL AND oldest_at IS NOT NULL;
CREATE INDEX chat_conversations_due ON chat_conversations (oldest_at + retention, id)
  WHERE retention >= 0 AND oldest_at IS NOT NULL;
CREATE INDEX chat_conversations_pair_high ON chat_conversations (pair_high, pair_low) WHERE pair_low IS NOT NULL;

-- unread_after and sees_from are derived: Member::unread_after(), and the lowest seq the member may see at all.
CREATE TABLE chat_members (
  conversation_id BLOB NOT NULL REFERENCES chat_conversations (id),
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  joined_at INTEGER NOT NULL,
  intervals TEXT NOT NULL,
  delivered_seq INTEGER NOT NULL,
  read_seq INTEGER NOT NULL,
  contacts_read_seq INTEGER NOT NULL,
  public_read_seq INTEGER NOT NULL,
  unread_floor INTEGER NOT NULL,
  visible_from INTEGER NOT NULL,
  unread_from INTEGER,
  pinned_at INTEGER,
  muted_until INTEGER,
  archived_seq INTEGER,
  hidden_seq INTEGER,
  notification_level TEXT NOT NULL,
  silenced_until INTEGER,
  last_sent_at INTEGER,
  rev INTEGER NOT NULL,
  user_rev INTEGER NOT NULL,
  reset_user_rev INTEGER NOT NULL,
  unread_after INTEGER NOT NULL,
  sees_from INTEGER NOT NULL,
  commit_no INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_members_user ON chat_members (user_id, conversation_id);

-- Derived from chat_members.intervals, for the visibility predicate. An open end is the largest integer.
CREATE TABLE chat_member_intervals (
  conversation_id BLOB NOT NULL,
  user_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, user_id, position),
  FOREIGN KEY (conversation_id, user_id) REFERENCES chat_members (conversation_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- folded is derived, and NULL when the text is its own folded form; previewable is access::is_previewable().
CREATE TABLE chat_messages (
  row_id INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  conversation_id BLOB NOT NULL REFERENCES chat_conversations (id),
  seq INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  commit_no INTEGER NOT NULL,
  sender_id TEXT NOT NULL,
  client_id TEXT,
  payload_hash TEXT,
  kind TEXT NOT NULL,
  format TEXT NOT NULL,
  reply_to_id BLOB,
  reply_to_seq INTEGER,
  mentions_all INTEGER NOT NULL,
  silent INTEGER NOT NULL,
  countable INTEGER NOT NULL,
  previewable INTEGER NOT NULL,
  client_time INTEGER,
  created_at INTEGER NOT NULL,
  edited_at INTEGER,
  version INTEGER NOT NULL,
  deleted_at INTEGER,
  deleted_by TEXT,
  expires_at INTEGER,
  kept_at INTEGER,
  kept_by TEXT,
  kept_expires_at INTEGER,
  pinned_at INTEGER,
  pinned_by TEXT,
  mentions TEXT,
  content TEXT,
  text TEXT NOT NULL,
  folded TEXT
) STRICT;
CREATE UNIQUE INDEX chat_messages_id ON chat_messages (id);
CREATE UNIQUE INDEX chat_messages_seq ON chat_messages (conversation_id, seq);
CREATE UNIQUE INDEX chat_messages_client_id ON chat_messages (conversation_id, sender_id, client_id)
  WHERE client_id IS NOT NULL;
CREATE INDEX chat_messages_rev ON chat_messages (conversation_id, rev, commit_no);
-- Counting unread messages touches this index alone; for that it also has the columns of its own condition.
CREATE INDEX chat_messages_unread
  ON chat_messages (conversation_id, seq, sender_id, expires_at, mentions_all, countable, deleted_at)
  WHERE countable = 1 AND deleted_at IS NULL;
-- Messages that mention everybody.
CREATE INDEX chat_messages_all ON chat_messages (conversation_id, seq) WHERE mentions_all = 1;
-- Galleries: pages of one kind. Text has no entries here, its pages are read by seq.
CREATE INDEX chat_messages_kind ON chat_messages (conversation_id, kind, seq) WHERE kind <> 'text';
CREATE INDEX chat_messages_expiry ON chat_messages (expires_at, id)
  WHERE expires_at IS NOT NULL AND (text <> '' OR content IS NOT NULL);

CREATE INDEX chat_messages_pins ON chat_messages (conversation_id, pinned_at, seq) WHERE pinned_at IS NOT NULL;

-- Derived from chat_messages.content: which messages show a file.
CREATE TABLE chat_message_files (
  attachment_id BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  PRIMARY KEY (attachment_id, conversation_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_message_files_message ON chat_message_files (message_id);

-- Trigrams of folded texts. The texts themselves are in chat_messages, and every hit is verified there.
CREATE VIRTUAL TABLE chat_search USING fts5 (
  folded, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1'
);

CREATE TABLE chat_mentions (
  user_id TEXT NOT NULL,
  conversation_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  PRIMARY KEY (user_id, conversation_id, seq)
) STRICT, WITHOUT ROWID;
-- All mentions of a user, newest first. created_at is the message's, which never changes.
CREATE INDEX chat_mentions_time ON chat_mentions (user_id, created_at, message_id);

CREATE TABLE chat_hides (
  user_id TEXT NOT NULL,
  conversation_id BLOB NOT NULL REFERENCES chat_conversations (id),
  seq INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  rev INTEGER NOT NULL,
  commit_no INTEGER NOT NULL,
  PRIMARY KEY (user_id, conversation_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chat_hides_message ON chat_hides (user_id, message_id);
-- Who has hidden a message, for events that go to many.
CREATE INDEX chat_hides_of ON chat_hides (message_id);
CREATE INDEX chat_hides_rev ON chat_hides (user_id, conversation_id, rev);

-- The log of marks. step: 0 delivered, 1 read for nobody, 2 read for contacts, 3 read for everyone. timeless: its
-- time is not told any more.
CREATE TABLE chat_advances (
  position INTEGER PRIMARY KEY,
  conversation_id BLOB NOT NULL REFERENCES chat_conversations (id),
  user_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  timeless INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX chat_advances_to ON chat_advances (conversation_id, user_id, step, to_seq);
CREATE INDEX chat_advances_at ON chat_advances (at) WHERE timeless = 0;

CREATE TABLE chat_reactions (
  position INTEGER PRIMARY KEY,
  conversation_id BLOB NOT NULL REFERENCES chat_conversations (id),
  message_id BLOB NOT NULL,
  user_id TEXT NOT NULL,
  emoji TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_reactions_key ON chat_reactions (message_id, user_id, emoji);
CREATE INDEX chat_reactions_user ON chat_reactions (user_id, message_id, emoji);

-- Lifted blocks stay with active = 0: they are the change log that sync reads.
CREATE TABLE chat_blocks (
  blocker TEXT NOT NULL,
  blocked TEXT NOT NULL,
  active INTEGER NOT NULL,
  user_rev INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (blocker, blocked)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_blocks_blocked ON chat_blocks (blocked, blocker) WHERE active = 1;

-- Who wants no pushes of whom. Lifted mutes stay with until = NULL: they are the change log that sync reads.
CREATE TABLE chat_mutes (
  user_id TEXT NOT NULL,
  muted TEXT NOT NULL,
  until INTEGER,
  user_rev INTEGER NOT NULL,
  PRIMARY KEY (user_id, muted)
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_former_texts (
  message_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  conversation_id BLOB NOT NULL,
  edited_at INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (message_id, version)
) STRICT, WITHOUT ROWID;

-- Stars taken off stay with active = 0: they are the change log that sync reads.
CREATE TABLE chat_stars (
  user_id TEXT NOT NULL,
  message_id BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  active INTEGER NOT NULL,
  user_rev INTEGER NOT NULL,
  PRIMARY KEY (user_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_stars_rev ON chat_stars (user_id, user_rev);
CREATE INDEX chat_stars_active ON chat_stars (user_id, user_rev) WHERE active = 1;
-- Who has starred a message, for events that go to many.
CREATE INDEX chat_stars_of ON chat_stars (message_id);

-- Closed reports have resolved_at, resolved_by and action. message is the reported message as it was then.
CREATE TABLE chat_reports (
  id BLOB NOT NULL PRIMARY KEY,
  reporter TEXT NOT NULL,
  target_kind TEXT NOT NULL,
  target_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  conversation_id BLOB,
  reason TEXT NOT NULL,
  note TEXT,
  created_at INTEGER NOT NULL,
  message TEXT,
  resolved_at INTEGER,
  resolved_by TEXT,
  action TEXT,
  resolution_note TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chat_reports_target ON chat_reports (reporter, target_kind, target_id) WHERE resolved_at IS NULL;
CREATE INDEX chat_reports_reporter ON chat_reports (reporter, id);
CREATE INDEX chat_reports_newest ON chat_reports (created_at, id);
CREATE INDEX chat_reports_open ON chat_reports (created_at, id) WHERE resolved_at IS NULL;
CREATE INDEX chat_reports_closed ON chat_reports (created_at, id) WHERE resolved_at IS NOT NULL;

-- Files that open reports are about; they are not swept.
CREATE TABLE chat_report_files (
  attachment_id BLOB NOT NULL,
  report_id BLOB NOT NULL,
  PRIMARY KEY (attachment_id, report_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_report_files_report ON chat_report_files (report_id);

-- Rows are added and never changed. actor is NULL for the host itself.
CREATE TABLE chat_audit (
  id BLOB NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT,
  action TEXT NOT NULL,
  target_kind TEXT NOT NULL,
  target_id TEXT NOT NULL,
  conversation_id BLOB,
  details TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_audit_at ON chat_audit (at, id);
CREATE INDEX chat_audit_actor ON chat_audit (actor, at, id) WHERE actor IS NOT NULL;
CREATE INDEX chat_audit_target ON chat_audit (target_id, at, id);
CREATE INDEX chat_audit_action ON chat_audit (action, at, id);

CREATE TABLE chat_devices (
  token TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  provider TEXT NOT NULL,
  refreshed_at INTEGER NOT NULL,
  login TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_devices_user ON chat_devices (user_id, refreshed_at);

CREATE TABLE chat_attachments (
  id BLOB NOT NULL PRIMARY KEY,
  uploader TEXT NOT NULL,
  kind TEXT NOT NULL,
  filename TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  width INTEGER,
  height INTEGER,
  duration_ms INTEGER,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_attachments_uploader ON chat_attachments (uploader, id);
CREATE INDEX chat_attachments_stale ON chat_attachments (state, created_at) WHERE state IN ('pending', 'deleted');

-- Entries on their way out. The oldest of each topic and key is its head, the only one that can be claimed.
CREATE TABLE chat_outbox (
  no INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  topic TEXT NOT NULL,
  key TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  head INTEGER NOT NULL,
  lease BLOB,
  leased_until INTEGER
) STRICT;
CREATE INDEX chat_outbox_key ON chat_outbox (topic, key, no);
CREATE INDEX chat_outbox_due ON chat_outbox (topic, due_at, no) WHERE head = 1;
CREATE INDEX chat_outbox_lease ON chat_outbox (lease) WHERE lease IS NOT NULL;
CREATE INDEX chat_outbox_age ON chat_outbox (topic, created_at);

-- message is what will be sent, as JSON; emptied once it was sent or cancelled.
CREATE TABLE chat_scheduled (
  id BLOB NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  client_id TEXT,
  payload_hash TEXT,
  conversation_id BLOB,
  recipient_id TEXT,
  message TEXT NOT NULL,
  send_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  message_id BLOB,
  error_code TEXT,
  version INTEGER NOT NULL,
  user_rev INTEGER NOT NULL,
  claims INTEGER NOT NULL,
  claimed_until INTEGER,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_scheduled_due ON chat_scheduled (send_at, id) WHERE state = 'pending';
CREATE INDEX chat_scheduled_list ON chat_scheduled (user_id, send_at, id) WHERE state IN ('pending', 'failed');
CREATE INDEX chat_scheduled_changed ON chat_scheduled (user_id, user_rev);
CREATE INDEX chat_scheduled_over ON chat_scheduled (changed_at) WHERE state <> 'pending';

CREATE TABLE chat_accounts (
  user_id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  phone TEXT UNIQUE,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_account_sessions (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_account_sessions_user ON chat_account_sessions (user_id);
