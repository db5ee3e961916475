-- The indexes of searches, where the extension pg_trgm is installed. They only propose: a literal comparison decides.
DO $search$
DECLARE
  home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm');
BEGIN
  IF home IS NOT NULL THEN
    EXECUTE format('CREATE INDEX IF NOT EXISTS chat_messages_search ON chat_messages '
      'USING gin ((coalesce(folded, text)) %I.gin_trgm_ops) WHERE deleted_at IS NULL', home);
    EXECUTE format('CREATE INDEX IF NOT EXISTS chat_users_search ON chat_users '
      'USING gin (folded_name %I.gin_trgm_ops)', home);
  END IF;
END
$search$;
