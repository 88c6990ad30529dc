-- The index of all versions of all kinds, kept by triggers of the tables of the kinds.
CREATE TABLE definition_index (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    business_id text NOT NULL,
    version text NOT NULL,
    version_order text COLLATE "C" NOT NULL GENERATED ALWAYS AS (aug_semver_order(version)) STORED,
    name text,
    status text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX definition_index_family ON definition_index
    (tenant_id, kind, business_id COLLATE "C", version_order);
COMMENT ON TABLE definition_index IS 'Every version of every definition, for references and lists';
COMMENT ON COLUMN definition_index.version_order IS 'Sorts versions by SemVer';

CREATE TABLE definition_refs (
    tenant_id uuid NOT NULL,
    from_id uuid NOT NULL,
    pointer text NOT NULL,
    to_kind text NOT NULL,
    to_business_id text NOT NULL,
    version_req text,
    to_id uuid,
    to_system boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, from_id, pointer),
    CONSTRAINT fk_definition_refs_from FOREIGN KEY (tenant_id, from_id) REFERENCES definition_index ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_definition_refs_to FOREIGN KEY (tenant_id, to_id) REFERENCES definition_index (tenant_id, id)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_definition_refs_target CHECK (NOT (to_system AND to_id IS NOT NULL))
);
CREATE INDEX definition_refs_to ON definition_refs (tenant_id, to_id) WHERE to_id IS NOT NULL;
COMMENT ON TABLE definition_refs IS 'What definitions refer to';
COMMENT ON COLUMN definition_refs.version_req IS 'The version asked for, exact or a range; NULL for the highest published one';
COMMENT ON COLUMN definition_refs.to_system IS 'Whether the target is shipped with the product or registered by a host, and so never archived';

CREATE FUNCTION aug_guard_definition() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    kind text := TG_ARGV[0];
    new_row jsonb;
    old_row jsonb;
    family text;
    highest text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status <> 'DRAFT' THEN
            RAISE EXCEPTION USING ERRCODE = 'AU001', MESSAGE = format('a %s that is %s cannot be deleted: only drafts can', kind, OLD.status);
        END IF;
        DELETE FROM definition_index WHERE tenant_id = OLD.tenant_id AND id = OLD.id;
        RETURN OLD;
    END IF;
    new_row := to_jsonb(NEW);
    family := new_row ->> TG_ARGV[1];
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('DRAFT', 'PUBLISHED') THEN
            RAISE EXCEPTION USING ERRCODE = 'AU001',
                MESSAGE = format('a %s is born DRAFT or PUBLISHED, not %s', kind, left(NEW.status, 32));
        END IF;
    ELSE
        old_row := to_jsonb(OLD);
        IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
            ('DRAFT', 'PUBLISHED'), ('PUBLISHED', 'DEPRECATED'), ('DEPRECATED', 'PUBLISHED'), ('DEPRECATED', 'ARCHIVED')) THEN
            RAISE EXCEPTION USING ERRCODE = 'AU001',
                MESSAGE = format('a %s cannot move from %s to %s', kind, OLD.status, left(NEW.status, 32));
        END IF;
        IF OLD.tenant_id <> NEW.tenant_id OR OLD.id <> NEW.id OR OLD.version IS DISTINCT FROM NEW.version
            OR old_row ->> TG_ARGV[1] IS DISTINCT FROM family THEN
            RAISE EXCEPTION USING ERRCODE = 'AU001', MESSAGE = format('a %s keeps its ids and its version: insert another row', kind);
        END IF;
        IF OLD.status <> 'DRAFT' AND old_row - ARRAY['status', 'updated_at', 'deprecation_note', 'deprecation_replacement']
            <> new_row - ARRAY['status', 'updated_at', 'deprecation_note', 'deprecation_replacement'] THEN
            RAISE EXCEPTION USING ERRCODE = 'AU001',
                MESSAGE = format('the content of a %s that is %s is frozen: publish a new version', kind, OLD.status);
        END IF;
        IF OLD.status <> 'DRAFT' OR NEW.status = 'DRAFT' THEN
            RETURN NEW;
        END IF;
    END IF;
    IF NEW.status = 'DRAFT' OR family IS NULL OR NEW.version IS NULL THEN
        RETURN NEW;
    END IF;
    -- Publishers of one business id come one after the other, and each sees what those before it committed.
    PERFORM pg_advisory_xact_lock(aug_family_key(NEW.tenant_id, kind, family));
    SELECT i.version INTO highest FROM definition_index AS i
        WHERE i.tenant_id = NEW.tenant_id AND i.kind = TG_ARGV[0] AND i.business_id COLLATE "C" = family
            AND i.status <> 'DRAFT' ORDER BY i.version_order DESC LIMIT 1;
    IF aug_semver_key(NEW.version) COLLATE "C" <= aug_semver_key(highest) THEN
        RAISE EXCEPTION USING ERRCODE = 'AU001',
            MESSAGE = format('version %s of a %s is not above %s, which was published before', left(NEW.version, 64), kind, highest);
    END IF;
    IF NOT EXISTS (SELECT FROM schema_versions AS s
        WHERE s.tenant_id = '00000000-0000-0000-0000-000000000000' AND s.schema_id = 'core.' || kind
            AND s.version = NEW.schema_version AND s.status IN ('PUBLISHED', 'DEPRECATED')) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_' || TG_TABLE_NAME || '_schema_version', TABLE = TG_TABLE_NAME,
            MESSAGE = format('schema_version %s is no usable version of core.%s', left(NEW.schema_version, 64), kind);
    END IF;
    NEW.published_at := coalesce(NEW.published_at, clock_timestamp());
    RETURN NEW;
END
$$;

CREATE FUNCTION aug_index_definition() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    new_row jsonb := to_jsonb(NEW);
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
            VALUES (NEW.tenant_id, NEW.id, TG_ARGV[0], new_row ->> TG_ARGV[1], NEW.version, new_row ->> 'name', NEW.status);
    ELSE
        UPDATE definition_index SET name = new_row ->> 'name', status = NEW.status
            WHERE tenant_id = NEW.tenant_id AND id = NEW.id
                AND (name, status) IS DISTINCT FROM (new_row ->> 'name', NEW.status);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION aug_check_definition(kind text, schema_version text, table_name text, document jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    fault text;
BEGIN
    -- The empty object takes the schema out of its compressed form once, not at every look into it.
    SELECT aug_document_fault(s.schema || '{}', document) INTO STRICT fault FROM schema_versions AS s
        WHERE s.tenant_id = '00000000-0000-0000-0000-000000000000' AND s.schema_id = 'core.' || kind
            AND s.version = aug_check_definition.schema_version;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_' || table_name || '_conforms', TABLE = table_name,
            MESSAGE = format('not a %s of schema core.%s %s: %s', kind, kind, schema_version, fault);
    END IF;
END
$$;

CREATE FUNCTION aug_check_references(tenant uuid, definition uuid) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    reference record;
    target text;
BEGIN
    PERFORM FROM definition_index WHERE tenant_id = tenant AND id = definition AND status IN ('PUBLISHED', 'DEPRECATED');
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR reference IN SELECT * FROM definition_refs WHERE tenant_id = tenant AND from_id = definition AND NOT to_system ORDER BY to_id LOOP
        target := NULL;
        -- An archive under way is waited for; one that comes later waits for this transaction and then sees the reference.
        SELECT status INTO target FROM definition_index WHERE tenant_id = tenant AND id = reference.to_id FOR SHARE;
        IF target IS NULL OR target NOT IN ('PUBLISHED', 'DEPRECATED') THEN
            RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'ck_definition_refs_resolved', TABLE = 'definition_refs',
                MESSAGE = format('%s: the %s `%s` (%s) is %s', reference.pointer, reference.to_kind, reference.to_business_id,
                    coalesce(reference.version_req, 'highest published version'), coalesce(target, 'not published'));
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION aug_check_referrer() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM aug_check_references(NEW.tenant_id, NEW.from_id);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_referrer AFTER INSERT OR UPDATE ON definition_refs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION aug_check_referrer();

CREATE FUNCTION aug_check_status() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    referrer record;
BEGIN
    IF NEW.status = 'PUBLISHED' THEN
        PERFORM aug_check_references(NEW.tenant_id, NEW.id);
    ELSIF NEW.status = 'ARCHIVED' THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION USING ERRCODE = 'AU001',
                MESSAGE = 'a definition is archived in READ COMMITTED only: an older snapshot would miss new referrers';
        END IF;
        SELECT i.kind, i.business_id, i.version, r.pointer INTO referrer
            FROM definition_refs AS r JOIN definition_index AS i ON i.tenant_id = r.tenant_id AND i.id = r.from_id
            WHERE r.tenant_id = NEW.tenant_id AND r.to_id = NEW.id AND i.status IN ('PUBLISHED', 'DEPRECATED') AND i.id <> NEW.id LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'ck_definition_refs_archived', TABLE = 'definition_refs',
                MESSAGE = format('the %s `%s` %s is referred to by the %s `%s` %s at %s', NEW.kind, NEW.business_id, NEW.version,
                    referrer.kind, referrer.business_id, referrer.version, referrer.pointer);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_status AFTER INSERT OR UPDATE ON definition_index
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION aug_check_status();
