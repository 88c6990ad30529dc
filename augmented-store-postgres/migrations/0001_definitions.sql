-- Definitions: their tables, and what the database demands of every row.
-- Generated from the JSON Schemas: cargo run -p augmented-store-postgres --example render_sql

-- One identifier of a SemVer pre-release or build as text that sorts under "C" as SemVer orders it.
CREATE FUNCTION aug_semver_identifiers(part text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(string_agg(
        CASE WHEN item ~ '^[0-9]+$'
            THEN '0' || lpad(length(ltrim(item, '0'))::text, 3, '0') || ltrim(item, '0') || lpad(length(item)::text, 3, '0')
            ELSE '1' || item END || '!', '' ORDER BY place), '')
    FROM string_to_table(part, '.') WITH ORDINALITY AS items(item, place)
$$;

CREATE FUNCTION aug_semver_key(version text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT (SELECT string_agg(lpad(number, 18, '0'), '' ORDER BY place)
            FROM string_to_table(split_part(split_part(version, '+', 1), '-', 1), '.') WITH ORDINALITY AS numbers(number, place))
        || CASE WHEN position('-' IN split_part(version, '+', 1)) = 0 THEN '~'
            ELSE aug_semver_identifiers(substr(split_part(version, '+', 1), position('-' IN split_part(version, '+', 1)) + 1)) || ' ' END
$$;
COMMENT ON FUNCTION aug_semver_key(text) IS 'Orders versions by SemVer precedence, compared under "C"; build metadata has no part in it';

CREATE FUNCTION aug_semver_order(version text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT aug_semver_key(version) || CASE WHEN position('+' IN version) = 0 THEN ''
        ELSE aug_semver_identifiers(substr(version, position('+' IN version) + 1)) END
$$;
COMMENT ON FUNCTION aug_semver_order(text) IS 'As aug_semver_key, with build metadata as the last word, so that every version has one place';

CREATE FUNCTION aug_family_key(tenant_id uuid, kind text, business_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT hashtextextended(concat_ws('/', 'augmented', tenant_id, kind, business_id), 0)
$$;
COMMENT ON FUNCTION aug_family_key(uuid, text, text) IS 'The advisory lock under which versions of one business id are written';

-- The steps of a workflow, nested ones included. Walks structural containers only: user data may have a key `steps`.
CREATE FUNCTION aug_steps(steps jsonb) RETURNS SETOF jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    step jsonb;
    branch jsonb;
BEGIN
    IF jsonb_typeof(steps) IS DISTINCT FROM 'array' THEN
        RETURN;
    END IF;
    FOR step IN SELECT value FROM jsonb_array_elements(steps) LOOP
        RETURN NEXT step;
        IF jsonb_typeof(step) = 'object' THEN
            RETURN QUERY SELECT aug_steps(step -> 'steps');
            IF jsonb_typeof(step -> 'branches') = 'array' THEN
                FOR branch IN SELECT value FROM jsonb_array_elements(step -> 'branches') LOOP
                    IF jsonb_typeof(branch) = 'object' THEN
                        RETURN QUERY SELECT aug_steps(branch -> 'steps');
                    END IF;
                END LOOP;
            END IF;
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION aug_step_ids_are_unique(steps jsonb, compensation jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT count(id) = count(DISTINCT id) FROM (
        SELECT step ->> 'stepId' AS id FROM aug_steps(steps) AS step
        UNION ALL
        SELECT step ->> 'stepId' FROM jsonb_array_elements(
            CASE WHEN jsonb_typeof(compensation) = 'array' THEN compensation ELSE '[]' END) AS step
    ) AS ids
$$;

-- Whether every step is a closed object of its type; `shapes` maps a type to {"required": […], "known": […]}.
CREATE FUNCTION aug_steps_have_shape(steps jsonb, shapes jsonb, id_pattern text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(bool_and((
        jsonb_typeof(step) = 'object'
        AND jsonb_typeof(step -> 'type') = 'string'
        AND shapes ? (step ->> 'type')
        AND jsonb_typeof(step -> 'stepId') = 'string'
        AND (step ->> 'stepId') COLLATE "C" ~ id_pattern
        AND step ?& ARRAY(SELECT jsonb_array_elements_text(shapes -> (step ->> 'type') -> 'required'))
        AND step - ARRAY(SELECT jsonb_array_elements_text(shapes -> (step ->> 'type') -> 'known')) = '{}'
    ) IS TRUE), true) FROM aug_steps(steps) AS step
$$;

CREATE FUNCTION aug_items_are(items jsonb, item_type text, required text[], known text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT jsonb_typeof(items) = 'array' AND (SELECT coalesce(bool_and((
            jsonb_typeof(item) = item_type
            AND (item_type <> 'object' OR (item ?& required AND (known IS NULL OR item - known = '{}')))
        ) IS TRUE), true)
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(items) = 'array' THEN items ELSE '[]' END) AS item)
$$;
COMMENT ON FUNCTION aug_items_are(jsonb, text, text[], text[]) IS 'Whether a value is an array whose items have a type and, as objects, their members';

-- Refuses what cannot be split into columns: a cast would turn the number 5 into the text '5'.
CREATE FUNCTION aug_check_members(table_name text, kind text, document jsonb, strict boolean, types jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    member text;
    value jsonb;
    expected text;
    fault text;
BEGIN
    IF jsonb_typeof(document) <> 'object' THEN
        fault := 'the document: must be an object';
    ELSIF document -> 'kind' IS DISTINCT FROM to_jsonb(kind) THEN
        fault := format('/kind: must be "%s"', kind);
    ELSIF strict THEN
        FOR member, value IN SELECT e.key, e.value FROM jsonb_each(document) AS e WHERE e.key <> 'kind' LOOP
            expected := CASE member WHEN '$' || 'schema' THEN 'string' ELSE types ->> member END;
            IF expected IS NULL THEN
                fault := format('the document: member `%s` is not known here', left(member, 64));
            ELSIF expected = 'integer' THEN
                IF jsonb_typeof(value) <> 'number' OR (value #>> '{}')::numeric % 1 <> 0 THEN
                    fault := format('/%s: must be an integer', member);
                END IF;
            ELSIF expected <> 'any' AND jsonb_typeof(value) <> expected THEN
                fault := format('/%s: must be of type %s, not %s', member, expected, jsonb_typeof(value));
            END IF;
            EXIT WHEN fault IS NOT NULL;
        END LOOP;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_' || table_name || '_document', TABLE = table_name,
            MESSAGE = format('not a %s: %s', kind, fault);
    END IF;
END
$$;

-- The functions of the evaluator call each other for every value. They pin no search_path of their own, which would
-- cost more than they do: aug_document_fault, through which they are entered, pins it for all of them.
CREATE FUNCTION aug_json_type(instance jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(instance)
        WHEN 'number' THEN CASE WHEN instance::text::numeric = trunc(instance::text::numeric) THEN 'integer' ELSE 'number' END
        ELSE jsonb_typeof(instance) END
$$;

CREATE FUNCTION aug_pointer(place text, token text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT place || '/' || replace(replace(token, '~', '~0'), '/', '~1')
$$;

CREATE FUNCTION aug_schema_ref(root jsonb, reference text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    target jsonb;
BEGIN
    IF reference = '#' THEN
        RETURN root;
    END IF;
    target := root #> ARRAY(
        SELECT replace(replace(token, '~1', '/'), '~0', '~')
        FROM string_to_table(substr(reference, 3), '/') WITH ORDINALITY AS tokens(token, place) ORDER BY place);
    IF target IS NULL OR left(reference, 2) <> '#/' THEN
        RAISE EXCEPTION 'the schema refers to `%`, which it does not hold', reference;
    END IF;
    RETURN target;
END
$$;

-- The first fault of an instance, as 'POINTER: what the schema demands'; NULL if it conforms.
CREATE FUNCTION aug_schema_fault(root jsonb, schema jsonb, instance jsonb, place text DEFAULT '') RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    kind text := jsonb_typeof(instance);
    keyword text;
    rule jsonb;
    name text;
    item jsonb;
    sub jsonb;
    fault text;
    matched boolean;
    hits integer;
    number numeric;
    place_shown text := CASE place WHEN '' THEN 'the document' ELSE place END;
BEGIN
    IF jsonb_typeof(schema) = 'boolean' THEN
        RETURN CASE WHEN schema = 'true' THEN NULL ELSE place_shown || ': nothing is allowed here' END;
    END IF;
    FOR keyword, rule IN SELECT key, value FROM jsonb_each(schema)
        WHERE key NOT IN ('title', 'description', 'examples', 'default', 'x-discriminator')
    LOOP
        fault := NULL;
        CASE keyword
        WHEN 'type' THEN
            name := aug_json_type(instance);
            IF NOT (CASE jsonb_typeof(rule) WHEN 'array' THEN rule ELSE jsonb_build_array(rule) END
                    ?| CASE name WHEN 'integer' THEN ARRAY['integer', 'number'] ELSE ARRAY[name] END) THEN
                RETURN place_shown || ': must be of type ' || (rule #>> '{}') || ', not ' || name;
            END IF;
        WHEN '$' || 'ref' THEN
            fault := aug_schema_fault(root, aug_schema_ref(root, rule #>> '{}'), instance, place);
        WHEN 'enum' THEN
            IF NOT EXISTS (SELECT FROM jsonb_array_elements(rule) AS allowed WHERE allowed = instance) THEN
                RETURN place_shown || ': must be one of ' || rule::text;
            END IF;
        WHEN 'const' THEN
            IF instance <> rule THEN
                RETURN place_shown || ': must be ' || rule::text;
            END IF;
        WHEN 'pattern' THEN
            IF kind = 'string' AND NOT (instance #>> '{}') COLLATE "C" ~ (rule #>> '{}') THEN
                RETURN place_shown || ': must match ' || (rule #>> '{}');
            END IF;
        WHEN 'minLength' THEN
            IF kind = 'string' AND length(instance #>> '{}') < (rule #>> '{}')::numeric THEN
                RETURN place_shown || ': must have at least ' || (rule #>> '{}') || ' characters';
            END IF;
        WHEN 'maxLength' THEN
            IF kind = 'string' AND length(instance #>> '{}') > (rule #>> '{}')::numeric THEN
                RETURN place_shown || ': must have at most ' || (rule #>> '{}') || ' characters';
            END IF;
        WHEN 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum' THEN
            IF kind = 'number' THEN
                number := (instance #>> '{}')::numeric;
                matched := CASE keyword
                    WHEN 'minimum' THEN number >= (rule #>> '{}')::numeric
                    WHEN 'maximum' THEN number <= (rule #>> '{}')::numeric
                    WHEN 'exclusiveMinimum' THEN number > (rule #>> '{}')::numeric
                    ELSE number < (rule #>> '{}')::numeric END;
                IF NOT matched THEN
                    RETURN place_shown || ': breaks ' || keyword || ' ' || (rule #>> '{}');
                END IF;
            END IF;
        WHEN 'multipleOf' THEN
            IF kind = 'number' AND mod((instance #>> '{}')::numeric, (rule #>> '{}')::numeric) <> 0 THEN
                RETURN place_shown || ': must be a multiple of ' || (rule #>> '{}');
            END IF;
        WHEN 'minItems' THEN
            IF kind = 'array' AND jsonb_array_length(instance) < (rule #>> '{}')::numeric THEN
                RETURN place_shown || ': must have at least ' || (rule #>> '{}') || ' items';
            END IF;
        WHEN 'maxItems' THEN
            IF kind = 'array' AND jsonb_array_length(instance) > (rule #>> '{}')::numeric THEN
                RETURN place_shown || ': must have at most ' || (rule #>> '{}') || ' items';
            END IF;
        WHEN 'uniqueItems' THEN
            IF kind = 'array' AND rule = 'true'
                AND (SELECT count(*) <> count(DISTINCT value) FROM jsonb_array_elements(instance)) THEN
                RETURN place_shown || ': must not hold an item twice';
            END IF;
        WHEN 'minProperties' THEN
            IF kind = 'object' AND (SELECT count(*) FROM jsonb_object_keys(instance)) < (rule #>> '{}')::numeric THEN
                RETURN place_shown || ': must have at least ' || (rule #>> '{}') || ' members';
            END IF;
        WHEN 'maxProperties' THEN
            IF kind = 'object' AND (SELECT count(*) FROM jsonb_object_keys(instance)) > (rule #>> '{}')::numeric THEN
                RETURN place_shown || ': must have at most ' || (rule #>> '{}') || ' members';
            END IF;
        WHEN 'required' THEN
            IF kind = 'object' THEN
                FOR name IN SELECT jsonb_array_elements_text(rule) LOOP
                    IF NOT instance ? name THEN
                        RETURN place_shown || ': member `' || name || '` is missing';
                    END IF;
                END LOOP;
            END IF;
        WHEN 'dependentRequired' THEN
            IF kind = 'object' THEN
                FOR name, sub IN SELECT key, value FROM jsonb_each(rule) LOOP
                    IF instance ? name AND NOT instance ?& ARRAY(SELECT jsonb_array_elements_text(sub)) THEN
                        RETURN place_shown || ': member `' || name || '` needs ' || sub::text;
                    END IF;
                END LOOP;
            END IF;
        WHEN 'properties' THEN
            IF kind = 'object' THEN
                FOR name, item IN SELECT key, value FROM jsonb_each(instance) LOOP
                    sub := rule -> name;
                    IF sub IS NOT NULL THEN
                        fault := aug_schema_fault(root, sub, item, aug_pointer(place, name));
                        EXIT WHEN fault IS NOT NULL;
                    END IF;
                END LOOP;
            END IF;
        WHEN 'patternProperties' THEN
            IF kind = 'object' THEN
                FOR name, item, sub IN
                    SELECT member.key, member.value, pattern.value
                    FROM jsonb_each(instance) AS member JOIN jsonb_each(rule) AS pattern ON member.key COLLATE "C" ~ pattern.key
                LOOP
                    fault := aug_schema_fault(root, sub, item, aug_pointer(place, name));
                    EXIT WHEN fault IS NOT NULL;
                END LOOP;
            END IF;
        WHEN 'additionalProperties' THEN
            IF kind = 'object' AND rule <> 'true' THEN
                FOR name, item IN
                    SELECT key, value FROM jsonb_each(instance) AS member
                    WHERE NOT coalesce(schema -> 'properties', '{}') ? member.key
                        AND NOT EXISTS (SELECT FROM jsonb_object_keys(coalesce(schema -> 'patternProperties', '{}')) AS pattern
                            WHERE member.key COLLATE "C" ~ pattern)
                LOOP
                    IF rule = 'false' THEN
                        RETURN place_shown || ': member `' || left(name, 64) || '` is not known here';
                    END IF;
                    fault := aug_schema_fault(root, rule, item, aug_pointer(place, name));
                    EXIT WHEN fault IS NOT NULL;
                END LOOP;
            END IF;
        WHEN 'prefixItems' THEN
            IF kind = 'array' THEN
                FOR hits IN 0 .. least(jsonb_array_length(instance), jsonb_array_length(rule)) - 1 LOOP
                    fault := aug_schema_fault(root, rule -> hits, instance -> hits, place || '/' || hits);
                    EXIT WHEN fault IS NOT NULL;
                END LOOP;
            END IF;
        WHEN 'items' THEN
            IF kind = 'array' AND rule <> 'true' THEN
                hits := 0;
                FOR item IN SELECT value FROM jsonb_array_elements(instance) LOOP
                    IF hits >= coalesce(jsonb_array_length(schema -> 'prefixItems'), 0) THEN
                        fault := aug_schema_fault(root, rule, item, place || '/' || hits);
                        EXIT WHEN fault IS NOT NULL;
                    END IF;
                    hits := hits + 1;
                END LOOP;
            END IF;
        WHEN 'allOf' THEN
            FOR sub IN SELECT value FROM jsonb_array_elements(rule) LOOP
                fault := aug_schema_fault(root, sub, instance, place);
                EXIT WHEN fault IS NOT NULL;
            END LOOP;
        WHEN 'anyOf', 'oneOf' THEN
            hits := 0;
            name := NULL;
            FOR sub IN SELECT value FROM jsonb_array_elements(rule) LOOP
                IF jsonb_typeof(sub -> ('$' || 'ref')) = 'string' AND schema ? 'x-discriminator' AND kind = 'object' THEN
                    -- A branch whose tag differs cannot fit, so its other members need no look.
                    item := aug_schema_ref(root, sub ->> ('$' || 'ref')) #> ARRAY['properties', schema ->> 'x-discriminator', 'const'];
                    CONTINUE WHEN item <> instance -> (schema ->> 'x-discriminator');
                END IF;
                fault := aug_schema_fault(root, sub, instance, place);
                IF fault IS NULL THEN
                    hits := hits + 1;
                    EXIT WHEN keyword = 'anyOf';
                ELSE
                    name := fault;
                END IF;
            END LOOP;
            IF hits <> 1 THEN
                RETURN CASE WHEN hits > 1 THEN place_shown || ': fits more than one of the forms allowed here'
                    ELSE coalesce(name, place_shown || ': fits none of the forms allowed here') END;
            END IF;
            fault := NULL;
        WHEN 'not' THEN
            IF aug_schema_fault(root, rule, instance, place) IS NULL THEN
                RETURN place_shown || ': has a form that is not allowed here';
            END IF;
        WHEN 'if' THEN
            IF aug_schema_fault(root, rule, instance, place) IS NULL THEN
                sub := schema -> 'then';
            ELSE
                sub := schema -> 'else';
            END IF;
            IF sub IS NOT NULL THEN
                fault := aug_schema_fault(root, sub, instance, place);
            END IF;
        ELSE
            NULL;
        END CASE;
        IF fault IS NOT NULL THEN
            RETURN fault;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION aug_schema_fault(jsonb, jsonb, jsonb, text) IS 'The first fault of a document under a JSON Schema of the keywords the shipped schemas use; NULL if it conforms';

-- Where pg_jsonschema is installed it gives the verdict, and the function above only the words.
DO $do$
DECLARE
    place text := (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'pg_jsonschema');
BEGIN
    EXECUTE format($fn$
        CREATE FUNCTION aug_document_fault(schema jsonb, document jsonb) RETURNS text
        LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $body$ %s $body$
    $fn$, CASE WHEN place IS NULL THEN 'SELECT aug_schema_fault(schema, schema, document)'
        ELSE format('SELECT CASE WHEN %s.jsonb_matches_schema(schema::json, document) THEN NULL
            ELSE coalesce(aug_schema_fault(schema, schema, document), ''the document: does not conform'') END', place) END);
END
$do$;

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

CREATE TABLE workflow_definitions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0.0',
    content_hash bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    deprecation_note text,
    deprecation_replacement text,
    draft jsonb,
    cancellation_triggers jsonb,
    compensate_on_failure boolean,
    compensation_steps jsonb,
    concurrency jsonb,
    default_retry_policy jsonb,
    description text,
    execution_log jsonb,
    execution_timeout text,
    input_schema jsonb,
    layout jsonb,
    metadata jsonb,
    name text,
    on_error jsonb,
    output jsonb,
    output_schema jsonb,
    run_as text,
    signals jsonb,
    start_step_id text,
    steps jsonb,
    ui_components jsonb,
    variables jsonb,
    version text NOT NULL,
    workflow_id text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_workflow_definitions_version UNIQUE (tenant_id, workflow_id, version),
    CONSTRAINT fk_workflow_definitions_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_workflow_definitions_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')),
    CONSTRAINT ck_workflow_definitions_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_workflow_definitions_draft CHECK (status = 'DRAFT' OR draft IS NULL),
    CONSTRAINT ck_workflow_definitions_published_at CHECK ((status = 'DRAFT') = (published_at IS NULL)),
    CONSTRAINT ck_workflow_definitions_cancellation_triggers CHECK (status = 'DRAFT' OR (cancellation_triggers IS NULL OR (jsonb_typeof(cancellation_triggers) = ANY (ARRAY['array']::text[]) AND aug_items_are(cancellation_triggers, 'object', ARRAY['eventPattern', 'reason', 'shouldCompensate']::text[], ARRAY['correlationKey', 'correlationValue', 'eventCondition', 'eventPattern', 'reason', 'shouldCompensate']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_compensation_steps CHECK (status = 'DRAFT' OR (compensation_steps IS NULL OR (jsonb_typeof(compensation_steps) = ANY (ARRAY['array']::text[]) AND aug_items_are(compensation_steps, 'object', ARRAY['stepId', 'compensationFor', 'taskId']::text[], ARRAY['compensateOnTimeout', 'compensationFor', 'condition', 'input', 'retryPolicy', 'stepId', 'taskId', 'timeout', 'type']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_concurrency CHECK (status = 'DRAFT' OR (concurrency IS NULL OR (jsonb_typeof(concurrency) = ANY (ARRAY['object']::text[]) AND concurrency ?& ARRAY['max']::text[] AND CASE jsonb_typeof(concurrency) WHEN 'object' THEN concurrency - ARRAY['key', 'max']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_workflow_definitions_default_retry_policy CHECK (status = 'DRAFT' OR (default_retry_policy IS NULL OR (jsonb_typeof(default_retry_policy) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(default_retry_policy) WHEN 'object' THEN default_retry_policy - ARRAY['backoffMultiplier', 'initialInterval', 'jitter', 'maxAttempts', 'maxInterval', 'nonRetryableErrors', 'retryableErrors']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_workflow_definitions_execution_log CHECK (status = 'DRAFT' OR (execution_log IS NULL OR (jsonb_typeof(execution_log) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(execution_log) WHEN 'object' THEN execution_log - ARRAY['level', 'metadata', 'retention', 'trackDecisions']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_workflow_definitions_execution_timeout CHECK (status = 'DRAFT' OR (execution_timeout IS NULL OR (execution_timeout COLLATE "C" ~ '^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$')) IS TRUE),
    CONSTRAINT ck_workflow_definitions_input_schema CHECK (status = 'DRAFT' OR (input_schema IS NULL OR (jsonb_typeof(input_schema) = ANY (ARRAY['object', 'boolean']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_layout CHECK (status = 'DRAFT' OR (layout IS NULL OR (jsonb_typeof(layout) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_metadata CHECK (status = 'DRAFT' OR (metadata IS NULL OR (jsonb_typeof(metadata) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_name CHECK (status = 'DRAFT' OR (length(name) >= 1 AND length(name) <= 255) IS TRUE),
    CONSTRAINT ck_workflow_definitions_on_error CHECK (status = 'DRAFT' OR (on_error IS NULL OR (jsonb_typeof(on_error) = ANY (ARRAY['object']::text[]) AND on_error ?& ARRAY['handlerStepId']::text[] AND CASE jsonb_typeof(on_error) WHEN 'object' THEN on_error - ARRAY['handlerStepId', 'inputMapping']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_workflow_definitions_output_schema CHECK (status = 'DRAFT' OR (output_schema IS NULL OR (jsonb_typeof(output_schema) = ANY (ARRAY['object', 'boolean']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_run_as CHECK (status = 'DRAFT' OR (run_as IS NULL OR (run_as COLLATE "C" ~ '^(?:initiator|serviceAccount:[A-Za-z0-9][A-Za-z0-9_.-]{0,254})$')) IS TRUE),
    CONSTRAINT ck_workflow_definitions_signals CHECK (status = 'DRAFT' OR (signals IS NULL OR (jsonb_typeof(signals) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_start_step_id CHECK (status = 'DRAFT' OR (start_step_id IS NULL OR (start_step_id COLLATE "C" ~ '^[A-Za-z_][A-Za-z0-9_-]{0,63}$')) IS TRUE),
    CONSTRAINT ck_workflow_definitions_steps CHECK (status = 'DRAFT' OR (jsonb_typeof(steps) = ANY (ARRAY['array']::text[]) AND CASE jsonb_typeof(steps) WHEN 'array' THEN jsonb_array_length(steps) >= 1 END AND aug_items_are(steps, 'object', ARRAY[]::text[], NULL)) IS TRUE),
    CONSTRAINT ck_workflow_definitions_ui_components CHECK (status = 'DRAFT' OR (ui_components IS NULL OR (jsonb_typeof(ui_components) = ANY (ARRAY['array']::text[]) AND aug_items_are(ui_components, 'object', ARRAY['componentId']::text[], ARRAY['componentId', 'condition', 'context', 'data', 'priority', 'slot']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_variables CHECK (status = 'DRAFT' OR (variables IS NULL OR (jsonb_typeof(variables) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_definitions_version CHECK ((version COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(version) <= 50) IS TRUE),
    CONSTRAINT ck_workflow_definitions_workflow_id CHECK ((workflow_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_workflow_definitions_step_shapes CHECK (status = 'DRAFT' OR aug_steps_have_shape(steps, '{"DECISION":{"known":["assign","description","input","maxVisits","metadata","name","next","onFailure","outputMapping","stepId","type"],"required":["type","stepId","next"]},"DELAY":{"known":["assign","calendarId","description","duration","input","maxVisits","metadata","name","next","onFailure","outputMapping","stepId","timezone","type","until"],"required":["type","stepId"]},"END":{"known":["description","errorCode","errorMessage","metadata","name","outcome","output","result","stepId","type"],"required":["type","stepId"]},"EVENT_WAIT":{"known":["assign","correlationKey","correlationValue","description","eventCondition","eventPattern","eventPatterns","eventTimeout","input","maxVisits","metadata","name","next","onFailure","outputMapping","signalType","since","stepId","type"],"required":["type","stepId"]},"FOR_EACH":{"known":["assign","description","input","itemName","items","maxConcurrency","maxItems","maxVisits","metadata","name","next","onFailure","onItemFailure","outputMapping","stepId","steps","type"],"required":["type","stepId","items","steps"]},"HUMAN_TASK":{"known":["assign","description","input","instructions","manual","maxVisits","metadata","name","next","onFailure","outputMapping","priority","stepId","taskId","taskVersion","timeout","type","uiComponentId"],"required":["type","stepId"]},"PARALLEL":{"known":["assign","branches","cancelRemaining","description","input","join","maxVisits","metadata","name","next","onBranchFailure","onFailure","outputMapping","stepId","type"],"required":["type","stepId","branches"]},"PASS":{"known":["assign","description","input","maxVisits","metadata","name","next","onFailure","outputMapping","stepId","type"],"required":["type","stepId"]},"POLL":{"known":["assign","backoffMultiplier","description","heartbeatTimeout","input","interval","maxAttempts","maxVisits","metadata","name","next","onFailure","outputMapping","retryPolicy","stepId","taskId","taskVersion","timeout","type","until"],"required":["type","stepId","taskId","until","interval"]},"START":{"known":["assign","description","input","maxVisits","metadata","name","next","onFailure","outputMapping","stepId","type"],"required":["type","stepId"]},"SUB_WORKFLOW":{"known":["assign","correlationId","description","input","maxVisits","metadata","name","next","onFailure","onParentCancel","outputMapping","retryPolicy","stepId","timeout","type","waitForCompletion","workflowId","workflowVersion"],"required":["type","stepId","workflowId"]},"TASK":{"known":["assign","description","heartbeatTimeout","input","integrationInstanceId","maxVisits","metadata","name","next","onFailure","outputMapping","retryPolicy","stepId","taskId","taskVersion","timeout","type"],"required":["type","stepId","taskId"]}}', '^[A-Za-z_][A-Za-z0-9_-]{0,63}$') IS TRUE),
    CONSTRAINT ck_workflow_definitions_step_ids CHECK (status = 'DRAFT' OR aug_step_ids_are_unique(steps, compensation_steps) IS TRUE)
);
COMMENT ON TABLE workflow_definitions IS 'A durable process: a graph of steps that starts at one step and ends where a path ends.';
COMMENT ON COLUMN workflow_definitions.id IS 'Row id; running work pins it.';
COMMENT ON COLUMN workflow_definitions.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN workflow_definitions.status IS 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.';
COMMENT ON COLUMN workflow_definitions.schema_version IS 'The version of the built-in schema that the row conforms to.';
COMMENT ON COLUMN workflow_definitions.content_hash IS 'SHA-256 of the canonical document, computed by the library; NULL where the row came without.';
COMMENT ON COLUMN workflow_definitions.created_at IS 'When it was first stored.';
COMMENT ON COLUMN workflow_definitions.updated_at IS 'When it was last changed.';
COMMENT ON COLUMN workflow_definitions.published_at IS 'When it was first published.';
COMMENT ON COLUMN workflow_definitions.deprecation_note IS 'What was said when it was deprecated; never part of the document.';
COMMENT ON COLUMN workflow_definitions.deprecation_replacement IS 'The version to use instead, said when it was deprecated.';
COMMENT ON COLUMN workflow_definitions.draft IS 'The document of a draft, which may still hold faults; split into the columns when it is published.';
COMMENT ON COLUMN workflow_definitions.cancellation_triggers IS 'Events that cancel a running instance.';
COMMENT ON COLUMN workflow_definitions.compensate_on_failure IS 'Whether a failure runs the compensation steps. Default: true if there are any.';
COMMENT ON COLUMN workflow_definitions.compensation_steps IS 'What undoes completed steps, in reverse order of their completion, when the workflow fails or is cancelled.';
COMMENT ON COLUMN workflow_definitions.concurrency IS 'Limits how many instances live at once. Default: no limit.';
COMMENT ON COLUMN workflow_definitions.default_retry_policy IS 'Retry policy of tasks for which neither the step nor the task definition states one.';
COMMENT ON COLUMN workflow_definitions.description IS 'What the workflow is for, in a sentence or two.';
COMMENT ON COLUMN workflow_definitions.execution_log IS 'How much of a run is logged and how long details are kept.';
COMMENT ON COLUMN workflow_definitions.execution_timeout IS 'The longest an instance may take from start to end. Default: no limit.';
COMMENT ON COLUMN workflow_definitions.input_schema IS 'JSON Schema of the input. A start whose input does not fit is refused. Default: any object.';
COMMENT ON COLUMN workflow_definitions.layout IS 'Positions for a graphical designer. The engine does not read it, and it is no part of the content hash.';
COMMENT ON COLUMN workflow_definitions.metadata IS 'Free data of your own. The engine does not read it.';
COMMENT ON COLUMN workflow_definitions.name IS 'Name shown to people.';
COMMENT ON COLUMN workflow_definitions.on_error IS 'Handler of errors that no step handled; it runs once.';
COMMENT ON COLUMN workflow_definitions.output IS 'Mapping that builds the output of the workflow. Default: the output of the step its path ended with. The `output` of an END step wins over it.';
COMMENT ON COLUMN workflow_definitions.output_schema IS 'JSON Schema of the output, checked when the workflow completes.';
COMMENT ON COLUMN workflow_definitions.run_as IS 'Whose permissions task and integration calls use: `initiator`, or `serviceAccount:` and its name. Default: `initiator`.';
COMMENT ON COLUMN workflow_definitions.signals IS 'The signals this workflow accepts, each with the JSON Schema of its payload. Default: any signal with any payload.';
COMMENT ON COLUMN workflow_definitions.start_step_id IS 'The step to begin with. Default: the START step, else the first one.';
COMMENT ON COLUMN workflow_definitions.steps IS 'The steps. Nested steps stand inside PARALLEL branches and FOR_EACH bodies; a definition holds at most 500, nested at most 8 deep.';
COMMENT ON COLUMN workflow_definitions.ui_components IS 'UI components of the run view.';
COMMENT ON COLUMN workflow_definitions.variables IS 'Variables and their first values, a mapping that may read `input` only. Steps change them with `assign`.';
COMMENT ON COLUMN workflow_definitions.version IS 'Semantic version of this definition. Published content never changes, so every change needs a new version.';
COMMENT ON COLUMN workflow_definitions.workflow_id IS 'Business id of the workflow. It stays the same over all versions; triggers, schedules and other workflows refer to it.';

CREATE TABLE task_definitions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0.0',
    content_hash bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    deprecation_note text,
    deprecation_replacement text,
    draft jsonb,
    description text,
    execution_config jsonb,
    heartbeat_timeout text,
    implementation jsonb,
    input_schema jsonb,
    manual jsonb,
    metadata jsonb,
    name text,
    on_exhausted text,
    output_schema jsonb,
    queue_timeout text,
    retry_policy jsonb,
    task_id text NOT NULL,
    timeout text,
    total_timeout text,
    type text,
    ui_components jsonb,
    version text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_task_definitions_version UNIQUE (tenant_id, task_id, version),
    CONSTRAINT fk_task_definitions_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_task_definitions_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')),
    CONSTRAINT ck_task_definitions_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_task_definitions_draft CHECK (status = 'DRAFT' OR draft IS NULL),
    CONSTRAINT ck_task_definitions_published_at CHECK ((status = 'DRAFT') = (published_at IS NULL)),
    CONSTRAINT ck_task_definitions_execution_config CHECK (status = 'DRAFT' OR (execution_config IS NULL OR (jsonb_typeof(execution_config) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(execution_config) WHEN 'object' THEN execution_config - ARRAY['concurrency', 'deliveryMode', 'environmentVariables', 'executor', 'resourceRequirements', 'securityContext']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_task_definitions_heartbeat_timeout CHECK (status = 'DRAFT' OR (heartbeat_timeout IS NULL OR (heartbeat_timeout COLLATE "C" ~ '^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$')) IS TRUE),
    CONSTRAINT ck_task_definitions_implementation CHECK (status = 'DRAFT' OR (jsonb_typeof(implementation) = ANY (ARRAY['object']::text[])) IS TRUE),
    CONSTRAINT ck_task_definitions_input_schema CHECK (status = 'DRAFT' OR (jsonb_typeof(input_schema) = ANY (ARRAY['object']::text[]) AND input_schema ?& ARRAY['type']::text[]) IS TRUE),
    CONSTRAINT ck_task_definitions_manual CHECK (status = 'DRAFT' OR (manual IS NULL OR (jsonb_typeof(manual) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(manual) WHEN 'object' THEN manual - ARRAY['allow', 'assignment', 'due', 'escalation', 'instructions', 'interaction', 'maxDelegationDepth', 'notifications', 'outcomeField', 'outcomes', 'reference', 'reminders', 'shareDrafts', 'title']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_task_definitions_metadata CHECK (status = 'DRAFT' OR (metadata IS NULL OR (jsonb_typeof(metadata) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_task_definitions_name CHECK (status = 'DRAFT' OR (name COLLATE "C" ~ '[^ ]' AND length(name) >= 1 AND length(name) <= 255) IS TRUE),
    CONSTRAINT ck_task_definitions_on_exhausted CHECK (status = 'DRAFT' OR (on_exhausted IS NULL OR (on_exhausted = ANY (ARRAY['FAIL', 'RAISE_EXCEPTION']::text[]))) IS TRUE),
    CONSTRAINT ck_task_definitions_output_schema CHECK (status = 'DRAFT' OR (jsonb_typeof(output_schema) = ANY (ARRAY['object']::text[]) AND output_schema ?& ARRAY['type']::text[]) IS TRUE),
    CONSTRAINT ck_task_definitions_queue_timeout CHECK (status = 'DRAFT' OR (queue_timeout IS NULL OR (queue_timeout COLLATE "C" ~ '^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$')) IS TRUE),
    CONSTRAINT ck_task_definitions_retry_policy CHECK (status = 'DRAFT' OR (retry_policy IS NULL OR (jsonb_typeof(retry_policy) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(retry_policy) WHEN 'object' THEN retry_policy - ARRAY['backoffMultiplier', 'initialInterval', 'jitter', 'maxAttempts', 'maxInterval', 'nonRetryableErrors', 'retryableErrors']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_task_definitions_task_id CHECK ((task_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_task_definitions_timeout CHECK (status = 'DRAFT' OR (timeout IS NULL OR (timeout COLLATE "C" ~ '^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$')) IS TRUE),
    CONSTRAINT ck_task_definitions_total_timeout CHECK (status = 'DRAFT' OR (total_timeout IS NULL OR (total_timeout COLLATE "C" ~ '^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$')) IS TRUE),
    CONSTRAINT ck_task_definitions_type CHECK (status = 'DRAFT' OR (type = ANY (ARRAY['AUTOMATED', 'MANUAL', 'INTEGRATION']::text[])) IS TRUE),
    CONSTRAINT ck_task_definitions_ui_components CHECK (status = 'DRAFT' OR (ui_components IS NULL OR (jsonb_typeof(ui_components) = ANY (ARRAY['array']::text[]) AND aug_items_are(ui_components, 'object', ARRAY['componentId']::text[], ARRAY['componentId', 'condition', 'context', 'data', 'priority', 'slot']::text[]))) IS TRUE),
    CONSTRAINT ck_task_definitions_version CHECK ((version COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(version) <= 50) IS TRUE)
);
COMMENT ON TABLE task_definitions IS 'A reusable unit of work, done by code, by a remote system or by people.';
COMMENT ON COLUMN task_definitions.id IS 'Row id; running work pins it.';
COMMENT ON COLUMN task_definitions.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN task_definitions.status IS 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.';
COMMENT ON COLUMN task_definitions.schema_version IS 'The version of the built-in schema that the row conforms to.';
COMMENT ON COLUMN task_definitions.content_hash IS 'SHA-256 of the canonical document, computed by the library; NULL where the row came without.';
COMMENT ON COLUMN task_definitions.created_at IS 'When it was first stored.';
COMMENT ON COLUMN task_definitions.updated_at IS 'When it was last changed.';
COMMENT ON COLUMN task_definitions.published_at IS 'When it was first published.';
COMMENT ON COLUMN task_definitions.deprecation_note IS 'What was said when it was deprecated; never part of the document.';
COMMENT ON COLUMN task_definitions.deprecation_replacement IS 'The version to use instead, said when it was deprecated.';
COMMENT ON COLUMN task_definitions.draft IS 'The document of a draft, which may still hold faults; split into the columns when it is published.';
COMMENT ON COLUMN task_definitions.description IS 'What the task does, and what people who work on it need to know.';
COMMENT ON COLUMN task_definitions.execution_config IS 'Where and with which rights and resources the task runs.';
COMMENT ON COLUMN task_definitions.heartbeat_timeout IS 'Longest silence of the handler before the attempt counts as failed. Not for MANUAL tasks. Default: no limit.';
COMMENT ON COLUMN task_definitions.implementation IS 'How the work is done.';
COMMENT ON COLUMN task_definitions.input_schema IS 'JSON Schema of the input; its `type` is `object`.';
COMMENT ON COLUMN task_definitions.manual IS 'Settings of human work; exactly the tasks of type MANUAL have them.';
COMMENT ON COLUMN task_definitions.metadata IS 'Free data of your own. The engine does not read it.';
COMMENT ON COLUMN task_definitions.name IS 'Name shown to people; the inbox shows it where no title is given.';
COMMENT ON COLUMN task_definitions.on_exhausted IS 'What happens after the last failed attempt: FAIL, or RAISE_EXCEPTION to hand the case to people as an exception task. Default: FAIL.';
COMMENT ON COLUMN task_definitions.output_schema IS 'JSON Schema of the output; its `type` is `object`.';
COMMENT ON COLUMN task_definitions.queue_timeout IS 'The longest wait for the first start. Not for MANUAL tasks. Default: no limit.';
COMMENT ON COLUMN task_definitions.retry_policy IS 'How failed attempts are repeated; a step may state its own policy instead. Default: 3 attempts, for MANUAL tasks 1.';
COMMENT ON COLUMN task_definitions.task_id IS 'Business id of the task. It stays the same over all versions; workflow steps refer to it.';
COMMENT ON COLUMN task_definitions.timeout IS 'Limit of one attempt. Default: PT5M; for MANUAL tasks the hard expiry since creation, by default none.';
COMMENT ON COLUMN task_definitions.total_timeout IS 'Limit over all attempts and the delays between them. Not for MANUAL tasks. Default: no limit.';
COMMENT ON COLUMN task_definitions.type IS 'Who does the work: AUTOMATED a program, MANUAL people, INTEGRATION a remote system through an integration.';
COMMENT ON COLUMN task_definitions.ui_components IS 'UI components that show the task. Default: a form generated from the output schema.';
COMMENT ON COLUMN task_definitions.version IS 'Semantic version of this definition. Published content never changes, so every change needs a new version.';

CREATE TABLE event_definitions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0.0',
    content_hash bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    deprecation_note text,
    deprecation_replacement text,
    draft jsonb,
    description text,
    event_id text NOT NULL,
    examples jsonb,
    metadata jsonb,
    name text,
    pattern text,
    payload_schema jsonb,
    privacy jsonb,
    retention text,
    source_types jsonb,
    stream_key text,
    ui_metadata jsonb,
    version text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_event_definitions_version UNIQUE (tenant_id, event_id, version),
    CONSTRAINT fk_event_definitions_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_event_definitions_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')),
    CONSTRAINT ck_event_definitions_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_event_definitions_draft CHECK (status = 'DRAFT' OR draft IS NULL),
    CONSTRAINT ck_event_definitions_published_at CHECK ((status = 'DRAFT') = (published_at IS NULL)),
    CONSTRAINT ck_event_definitions_event_id CHECK ((event_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_event_definitions_examples CHECK (status = 'DRAFT' OR (examples IS NULL OR (jsonb_typeof(examples) = ANY (ARRAY['array']::text[]))) IS TRUE),
    CONSTRAINT ck_event_definitions_metadata CHECK (status = 'DRAFT' OR (metadata IS NULL OR (jsonb_typeof(metadata) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_event_definitions_name CHECK (status = 'DRAFT' OR (length(name) >= 1 AND length(name) <= 255) IS TRUE),
    CONSTRAINT ck_event_definitions_pattern CHECK (status = 'DRAFT' OR (pattern COLLATE "C" ~ '^[A-Za-z0-9_-]{1,64}(?:[.][A-Za-z0-9_-]{1,64}){1,5}$' AND length(pattern) <= 255) IS TRUE),
    CONSTRAINT ck_event_definitions_payload_schema CHECK (status = 'DRAFT' OR (jsonb_typeof(payload_schema) = ANY (ARRAY['object']::text[]) AND payload_schema ?& ARRAY['type']::text[]) IS TRUE),
    CONSTRAINT ck_event_definitions_privacy CHECK (status = 'DRAFT' OR (privacy IS NULL OR (jsonb_typeof(privacy) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(privacy) WHEN 'object' THEN privacy - ARRAY['fields', 'subjectPath']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_event_definitions_retention CHECK (status = 'DRAFT' OR (retention IS NULL OR (retention COLLATE "C" ~ '^(?:FOREVER|P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S)))$')) IS TRUE),
    CONSTRAINT ck_event_definitions_source_types CHECK (status = 'DRAFT' OR (source_types IS NULL OR (jsonb_typeof(source_types) = ANY (ARRAY['array']::text[]) AND CASE jsonb_typeof(source_types) WHEN 'array' THEN jsonb_array_length(source_types) >= 1 END AND aug_items_are(source_types, 'string', ARRAY[]::text[], NULL))) IS TRUE),
    CONSTRAINT ck_event_definitions_ui_metadata CHECK (status = 'DRAFT' OR (ui_metadata IS NULL OR (jsonb_typeof(ui_metadata) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(ui_metadata) WHEN 'object' THEN ui_metadata - ARRAY['category', 'color', 'icon', 'priority']::text[] = '{}' END)) IS TRUE),
    CONSTRAINT ck_event_definitions_version CHECK ((version COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(version) <= 50) IS TRUE)
);
COMMENT ON TABLE event_definitions IS 'Declares an event: its name, who may emit it and what its payload looks like.';
COMMENT ON COLUMN event_definitions.id IS 'Row id; running work pins it.';
COMMENT ON COLUMN event_definitions.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN event_definitions.status IS 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.';
COMMENT ON COLUMN event_definitions.schema_version IS 'The version of the built-in schema that the row conforms to.';
COMMENT ON COLUMN event_definitions.content_hash IS 'SHA-256 of the canonical document, computed by the library; NULL where the row came without.';
COMMENT ON COLUMN event_definitions.created_at IS 'When it was first stored.';
COMMENT ON COLUMN event_definitions.updated_at IS 'When it was last changed.';
COMMENT ON COLUMN event_definitions.published_at IS 'When it was first published.';
COMMENT ON COLUMN event_definitions.deprecation_note IS 'What was said when it was deprecated; never part of the document.';
COMMENT ON COLUMN event_definitions.deprecation_replacement IS 'The version to use instead, said when it was deprecated.';
COMMENT ON COLUMN event_definitions.draft IS 'The document of a draft, which may still hold faults; split into the columns when it is published.';
COMMENT ON COLUMN event_definitions.description IS 'When the event happens and what it means.';
COMMENT ON COLUMN event_definitions.event_id IS 'Business id of the event. It stays the same over all versions.';
COMMENT ON COLUMN event_definitions.examples IS 'Example payloads; each must fit the schema.';
COMMENT ON COLUMN event_definitions.metadata IS 'Free data of your own. The engine does not read it.';
COMMENT ON COLUMN event_definitions.name IS 'Name shown to people.';
COMMENT ON COLUMN event_definitions.pattern IS 'The exact name events are published under, the same for all versions: 2 to 6 segments joined by dots, no wildcards.';
COMMENT ON COLUMN event_definitions.payload_schema IS 'JSON Schema of the payload; its `type` is `object`.';
COMMENT ON COLUMN event_definitions.privacy IS 'Which members of the payload are personal data.';
COMMENT ON COLUMN event_definitions.retention IS 'How long such events are kept: a duration, or FOREVER. Default: that of the host, P30D.';
COMMENT ON COLUMN event_definitions.source_types IS 'Who may emit it. Default: all but EXTERNAL.';
COMMENT ON COLUMN event_definitions.stream_key IS 'Expression over `event` that gives the ordering key: events with the same key are handled in the order they came. Default: no order.';
COMMENT ON COLUMN event_definitions.ui_metadata IS 'How designers show the event.';
COMMENT ON COLUMN event_definitions.version IS 'Semantic version of this definition. Published content never changes, so every change needs a new version.';

CREATE TABLE workflow_event_triggers (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0.0',
    content_hash bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    deprecation_note text,
    deprecation_replacement text,
    draft jsonb,
    correlation_key text,
    description text,
    duplicate_policy text,
    event_condition text,
    event_pattern text,
    input_mapping jsonb,
    metadata jsonb,
    priority bigint,
    reason text,
    should_compensate boolean,
    signal_type text,
    trigger_id text NOT NULL,
    trigger_type text,
    version text NOT NULL,
    version_range text,
    workflow_id text,
    workflow_version text,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_workflow_event_triggers_version UNIQUE (tenant_id, trigger_id, version),
    CONSTRAINT fk_workflow_event_triggers_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_workflow_event_triggers_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')),
    CONSTRAINT ck_workflow_event_triggers_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_workflow_event_triggers_draft CHECK (status = 'DRAFT' OR draft IS NULL),
    CONSTRAINT ck_workflow_event_triggers_published_at CHECK ((status = 'DRAFT') = (published_at IS NULL)),
    CONSTRAINT ck_workflow_event_triggers_duplicate_policy CHECK (status = 'DRAFT' OR (duplicate_policy IS NULL OR (duplicate_policy = ANY (ARRAY['ALLOW', 'SKIP_IF_RUNNING', 'CANCEL_RUNNING']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_event_pattern CHECK (status = 'DRAFT' OR (event_pattern COLLATE "C" ~ '^(?:[*][*]|(?:[*]|[A-Za-z0-9_-]{1,64})(?:(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,5}|(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,4}[.][*][*]))$') IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_metadata CHECK (status = 'DRAFT' OR (metadata IS NULL OR (jsonb_typeof(metadata) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_priority CHECK (status = 'DRAFT' OR (priority IS NULL OR (priority >= -2147483648 AND priority <= 2147483647)) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_reason CHECK (status = 'DRAFT' OR (reason IS NULL OR (length(reason) >= 1)) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_signal_type CHECK (status = 'DRAFT' OR (signal_type IS NULL OR (length(signal_type) >= 1 AND length(signal_type) <= 255)) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_trigger_id CHECK ((trigger_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_trigger_type CHECK (status = 'DRAFT' OR (trigger_type = ANY (ARRAY['START', 'CANCEL', 'SIGNAL']::text[])) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_version CHECK ((version COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(version) <= 50) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_version_range CHECK (status = 'DRAFT' OR (version_range IS NULL OR (length(version_range) >= 1 AND length(version_range) <= 255)) IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_workflow_id CHECK (status = 'DRAFT' OR (workflow_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_workflow_event_triggers_workflow_version CHECK (status = 'DRAFT' OR (workflow_version IS NULL OR (length(workflow_version) >= 1 AND length(workflow_version) <= 255)) IS TRUE)
);
COMMENT ON TABLE workflow_event_triggers IS 'Lets an event start, cancel or signal instances of a workflow.';
COMMENT ON COLUMN workflow_event_triggers.id IS 'Row id; running work pins it.';
COMMENT ON COLUMN workflow_event_triggers.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN workflow_event_triggers.status IS 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.';
COMMENT ON COLUMN workflow_event_triggers.schema_version IS 'The version of the built-in schema that the row conforms to.';
COMMENT ON COLUMN workflow_event_triggers.content_hash IS 'SHA-256 of the canonical document, computed by the library; NULL where the row came without.';
COMMENT ON COLUMN workflow_event_triggers.created_at IS 'When it was first stored.';
COMMENT ON COLUMN workflow_event_triggers.updated_at IS 'When it was last changed.';
COMMENT ON COLUMN workflow_event_triggers.published_at IS 'When it was first published.';
COMMENT ON COLUMN workflow_event_triggers.deprecation_note IS 'What was said when it was deprecated; never part of the document.';
COMMENT ON COLUMN workflow_event_triggers.deprecation_replacement IS 'The version to use instead, said when it was deprecated.';
COMMENT ON COLUMN workflow_event_triggers.draft IS 'The document of a draft, which may still hold faults; split into the columns when it is published.';
COMMENT ON COLUMN workflow_event_triggers.correlation_key IS 'Expression over `event` that gives the key, a text. It becomes the instance''s correlation id (START) or selects instances by it (CANCEL, SIGNAL, where it is required). Default for START: the event''s own correlation id.';
COMMENT ON COLUMN workflow_event_triggers.description IS 'What the trigger is for.';
COMMENT ON COLUMN workflow_event_triggers.duplicate_policy IS 'What happens when an instance of the same workflow and key is running: ALLOW starts another one, SKIP_IF_RUNNING does not, CANCEL_RUNNING cancels the running one first. Default: ALLOW.';
COMMENT ON COLUMN workflow_event_triggers.event_condition IS 'Expression over `event` that must be true; one that cannot be evaluated counts as false. Default: every event counts.';
COMMENT ON COLUMN workflow_event_triggers.event_pattern IS 'Pattern of the event names to listen to, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.';
COMMENT ON COLUMN workflow_event_triggers.input_mapping IS 'Mapping over `event` that builds the workflow''s input, or the payload of the signal. Default: the payload of the event.';
COMMENT ON COLUMN workflow_event_triggers.metadata IS 'Free data of your own. The engine does not read it.';
COMMENT ON COLUMN workflow_event_triggers.priority IS 'Order among the triggers that fit an event, higher first. Default: 0.';
COMMENT ON COLUMN workflow_event_triggers.reason IS 'Reason recorded with a cancellation. Default: a text that names the pattern.';
COMMENT ON COLUMN workflow_event_triggers.should_compensate IS 'Whether a cancellation compensates completed steps. Default: true.';
COMMENT ON COLUMN workflow_event_triggers.signal_type IS 'Name of the signal to send, with SIGNAL.';
COMMENT ON COLUMN workflow_event_triggers.trigger_id IS 'Business id of the trigger. It stays the same over all versions; exactly one version is live, the published one.';
COMMENT ON COLUMN workflow_event_triggers.trigger_type IS 'What an event does: START an instance, CANCEL or SIGNAL those with its key.';
COMMENT ON COLUMN workflow_event_triggers.version IS 'Semantic version of this definition. Published content never changes, so every change needs a new version.';
COMMENT ON COLUMN workflow_event_triggers.version_range IS 'SemVer range of event definition versions to listen to. Default: any.';
COMMENT ON COLUMN workflow_event_triggers.workflow_id IS 'Business id of the workflow.';
COMMENT ON COLUMN workflow_event_triggers.workflow_version IS 'Version of the workflow to start. Default: the highest published one at that time.';

CREATE TABLE schedules (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0.0',
    content_hash bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    deprecation_note text,
    deprecation_replacement text,
    draft jsonb,
    catchup_window text,
    description text,
    input jsonb,
    max_catchup bigint,
    metadata jsonb,
    misfire_policy text,
    name text,
    overlap_policy text,
    schedule_id text NOT NULL,
    target jsonb,
    timing jsonb,
    type text,
    version text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_schedules_version UNIQUE (tenant_id, schedule_id, version),
    CONSTRAINT fk_schedules_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_schedules_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')),
    CONSTRAINT ck_schedules_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_schedules_draft CHECK (status = 'DRAFT' OR draft IS NULL),
    CONSTRAINT ck_schedules_published_at CHECK ((status = 'DRAFT') = (published_at IS NULL)),
    CONSTRAINT ck_schedules_catchup_window CHECK (status = 'DRAFT' OR (catchup_window IS NULL OR (catchup_window COLLATE "C" ~ '^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$')) IS TRUE),
    CONSTRAINT ck_schedules_max_catchup CHECK (status = 'DRAFT' OR (max_catchup IS NULL OR (max_catchup >= 0 AND max_catchup <= 10000)) IS TRUE),
    CONSTRAINT ck_schedules_metadata CHECK (status = 'DRAFT' OR (metadata IS NULL OR (jsonb_typeof(metadata) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_schedules_misfire_policy CHECK (status = 'DRAFT' OR (misfire_policy IS NULL OR (misfire_policy = ANY (ARRAY['RUN_ONCE', 'SKIP', 'RUN_ALL']::text[]))) IS TRUE),
    CONSTRAINT ck_schedules_name CHECK (status = 'DRAFT' OR (name IS NULL OR (length(name) >= 1 AND length(name) <= 255)) IS TRUE),
    CONSTRAINT ck_schedules_overlap_policy CHECK (status = 'DRAFT' OR (overlap_policy IS NULL OR (overlap_policy = ANY (ARRAY['SKIP', 'ALLOW', 'BUFFER_ONE', 'CANCEL_PREVIOUS']::text[]))) IS TRUE),
    CONSTRAINT ck_schedules_schedule_id CHECK ((schedule_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_schedules_target CHECK (status = 'DRAFT' OR (jsonb_typeof(target) = ANY (ARRAY['object']::text[]) AND target ?& ARRAY['type', 'id']::text[] AND CASE jsonb_typeof(target) WHEN 'object' THEN target - ARRAY['id', 'type', 'version']::text[] = '{}' END) IS TRUE),
    CONSTRAINT ck_schedules_timing CHECK (status = 'DRAFT' OR (jsonb_typeof(timing) = ANY (ARRAY['object']::text[]) AND CASE jsonb_typeof(timing) WHEN 'object' THEN timing - ARRAY['calendarId', 'cronExpression', 'endDate', 'executeAt', 'startDate', 'timezone']::text[] = '{}' END) IS TRUE),
    CONSTRAINT ck_schedules_type CHECK (status = 'DRAFT' OR (type = ANY (ARRAY['ONE_TIME', 'RECURRING']::text[])) IS TRUE),
    CONSTRAINT ck_schedules_version CHECK ((version COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(version) <= 50) IS TRUE)
);
COMMENT ON TABLE schedules IS 'Starts a workflow or a task once or again and again, at certain times.';
COMMENT ON COLUMN schedules.id IS 'Row id; running work pins it.';
COMMENT ON COLUMN schedules.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN schedules.status IS 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.';
COMMENT ON COLUMN schedules.schema_version IS 'The version of the built-in schema that the row conforms to.';
COMMENT ON COLUMN schedules.content_hash IS 'SHA-256 of the canonical document, computed by the library; NULL where the row came without.';
COMMENT ON COLUMN schedules.created_at IS 'When it was first stored.';
COMMENT ON COLUMN schedules.updated_at IS 'When it was last changed.';
COMMENT ON COLUMN schedules.published_at IS 'When it was first published.';
COMMENT ON COLUMN schedules.deprecation_note IS 'What was said when it was deprecated; never part of the document.';
COMMENT ON COLUMN schedules.deprecation_replacement IS 'The version to use instead, said when it was deprecated.';
COMMENT ON COLUMN schedules.draft IS 'The document of a draft, which may still hold faults; split into the columns when it is published.';
COMMENT ON COLUMN schedules.catchup_window IS 'How far back missed times count. Default: PT1H.';
COMMENT ON COLUMN schedules.description IS 'What the schedule is for.';
COMMENT ON COLUMN schedules.input IS 'Mapping that builds the input; it reads `schedule` with `scheduleId`, `fireTime` and `previousFireTime`. Default: an empty object.';
COMMENT ON COLUMN schedules.max_catchup IS 'How many missed times are made up for at most. Default: 100.';
COMMENT ON COLUMN schedules.metadata IS 'Free data of your own. The engine does not read it.';
COMMENT ON COLUMN schedules.misfire_policy IS 'What happens with times that passed while nothing was running: RUN_ONCE for all of them, SKIP them, RUN_ALL. Default: RUN_ONCE.';
COMMENT ON COLUMN schedules.name IS 'Name shown to people.';
COMMENT ON COLUMN schedules.overlap_policy IS 'What happens when the run before has not ended: SKIP this one, ALLOW both, BUFFER_ONE for later, CANCEL_PREVIOUS. Default: SKIP.';
COMMENT ON COLUMN schedules.schedule_id IS 'Business id of the schedule. It stays the same over all versions; exactly one version is live, the published one.';
COMMENT ON COLUMN schedules.target IS 'What is started.';
COMMENT ON COLUMN schedules.timing IS 'When: `executeAt` for ONE_TIME, `cronExpression` and the rest for RECURRING.';
COMMENT ON COLUMN schedules.type IS 'ONE_TIME fires once, RECURRING again and again.';
COMMENT ON COLUMN schedules.version IS 'Semantic version of this definition. Published content never changes, so every change needs a new version.';

CREATE TABLE schema_versions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0.0',
    content_hash bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    deprecation_note text,
    deprecation_replacement text,
    draft jsonb,
    compatibility text,
    deprecation_reason text,
    description text,
    metadata jsonb,
    name text,
    namespace text,
    owner text,
    replaced_by text,
    schema jsonb,
    schema_id text NOT NULL,
    tags jsonb,
    version text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_schema_versions_version UNIQUE (tenant_id, schema_id, version),
    CONSTRAINT fk_schema_versions_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_schema_versions_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')),
    CONSTRAINT ck_schema_versions_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_schema_versions_draft CHECK (status = 'DRAFT' OR draft IS NULL),
    CONSTRAINT ck_schema_versions_published_at CHECK ((status = 'DRAFT') = (published_at IS NULL)),
    CONSTRAINT ck_schema_versions_compatibility CHECK (status = 'DRAFT' OR (compatibility IS NULL OR (compatibility = ANY (ARRAY['BACKWARD', 'FORWARD', 'FULL', 'NONE', 'BACKWARD_TRANSITIVE', 'FORWARD_TRANSITIVE', 'FULL_TRANSITIVE']::text[]))) IS TRUE),
    CONSTRAINT ck_schema_versions_metadata CHECK (status = 'DRAFT' OR (metadata IS NULL OR (jsonb_typeof(metadata) = ANY (ARRAY['object']::text[]))) IS TRUE),
    CONSTRAINT ck_schema_versions_name CHECK (status = 'DRAFT' OR (length(name) >= 1 AND length(name) <= 255) IS TRUE),
    CONSTRAINT ck_schema_versions_namespace CHECK (status = 'DRAFT' OR (namespace IS NULL OR (length(namespace) >= 1 AND length(namespace) <= 255)) IS TRUE),
    CONSTRAINT ck_schema_versions_owner CHECK (status = 'DRAFT' OR (owner IS NULL OR (length(owner) >= 1 AND length(owner) <= 255)) IS TRUE),
    CONSTRAINT ck_schema_versions_replaced_by CHECK (status = 'DRAFT' OR (replaced_by IS NULL OR (replaced_by COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(replaced_by) <= 50)) IS TRUE),
    CONSTRAINT ck_schema_versions_schema CHECK (status = 'DRAFT' OR (jsonb_typeof(schema) = ANY (ARRAY['object', 'boolean']::text[])) IS TRUE),
    CONSTRAINT ck_schema_versions_schema_id CHECK ((schema_id COLLATE "C" ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$') IS TRUE),
    CONSTRAINT ck_schema_versions_tags CHECK (status = 'DRAFT' OR (tags IS NULL OR (jsonb_typeof(tags) = ANY (ARRAY['array']::text[]) AND CASE jsonb_typeof(tags) WHEN 'array' THEN jsonb_array_length(tags) <= 20 END AND aug_items_are(tags, 'string', ARRAY[]::text[], NULL))) IS TRUE),
    CONSTRAINT ck_schema_versions_version CHECK ((version COLLATE "C" ~ '^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$' AND length(version) <= 50) IS TRUE)
);
COMMENT ON TABLE schema_versions IS 'A JSON Schema under a name, for other definitions to refer to as `aug://schema/<schemaId>/<version>`.';
COMMENT ON COLUMN schema_versions.id IS 'Row id; running work pins it.';
COMMENT ON COLUMN schema_versions.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN schema_versions.status IS 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.';
COMMENT ON COLUMN schema_versions.schema_version IS 'The version of the built-in schema that the row conforms to.';
COMMENT ON COLUMN schema_versions.content_hash IS 'SHA-256 of the canonical document, computed by the library; NULL where the row came without.';
COMMENT ON COLUMN schema_versions.created_at IS 'When it was first stored.';
COMMENT ON COLUMN schema_versions.updated_at IS 'When it was last changed.';
COMMENT ON COLUMN schema_versions.published_at IS 'When it was first published.';
COMMENT ON COLUMN schema_versions.deprecation_note IS 'What was said when it was deprecated; never part of the document.';
COMMENT ON COLUMN schema_versions.deprecation_replacement IS 'The version to use instead, said when it was deprecated.';
COMMENT ON COLUMN schema_versions.draft IS 'The document of a draft, which may still hold faults; split into the columns when it is published.';
COMMENT ON COLUMN schema_versions.compatibility IS 'What a new version may change: BACKWARD accepts all data the old one accepted, FORWARD the other way round, FULL both, NONE anything; with _TRANSITIVE compared with all earlier versions. Default: BACKWARD.';
COMMENT ON COLUMN schema_versions.deprecation_reason IS 'Why this version should no longer be used.';
COMMENT ON COLUMN schema_versions.description IS 'What the schema describes.';
COMMENT ON COLUMN schema_versions.metadata IS 'Free data of your own. The engine does not read it.';
COMMENT ON COLUMN schema_versions.name IS 'Name shown to people.';
COMMENT ON COLUMN schema_versions.namespace IS 'Heading under which it is listed; no part of its identity. Default: `default`.';
COMMENT ON COLUMN schema_versions.owner IS 'Who is responsible for it.';
COMMENT ON COLUMN schema_versions.replaced_by IS 'The version to use instead.';
COMMENT ON COLUMN schema_versions.schema IS 'The JSON Schema itself, an object or a boolean.';
COMMENT ON COLUMN schema_versions.schema_id IS 'Business id of the schema. It stays the same over all versions. Ids that begin with `core.` are reserved.';
COMMENT ON COLUMN schema_versions.tags IS 'Words to find it by, at most 20.';
COMMENT ON COLUMN schema_versions.version IS 'Semantic version of this definition. Published content never changes, so every change needs a new version.';

INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', 'fefd7942-278f-83a9-94f0-548148dd6e77', 'schema', 'core.workflow', '1.0.0', 'Workflow definition', 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', 'fefd7942-278f-83a9-94f0-548148dd6e77', 'PUBLISHED', '\x4f5f0a581e2904506e9139adbd76286fc906690fc162f8680d33a03116a3b511', clock_timestamp(), 'core.workflow', '1.0.0', 'Workflow definition',
    '{"$defs":{"AllowedActions":{"additionalProperties":false,"description":"What the person who works on a task may do.","properties":{"bulkComplete":{"default":false,"description":"Complete many at once. Default: false.","examples":[true],"title":"Bulk complete","type":"boolean"},"claim":{"default":true,"description":"Take an offered task. Default: true.","examples":[false],"title":"Claim","type":"boolean"},"delegate":{"default":true,"description":"Hand it to somebody else for the work. Default: true.","examples":[false],"title":"Delegate","type":"boolean"},"reassign":{"default":true,"description":"Hand it to somebody else for good. Default: true.","examples":[false],"title":"Reassign","type":"boolean"},"release":{"default":true,"description":"Give it back. Default: true.","examples":[false],"title":"Release","type":"boolean"},"requestInfo":{"default":true,"description":"Ask somebody a question about it. Default: true.","examples":[false],"title":"Request info","type":"boolean"},"saveDraft":{"default":true,"description":"Save unfinished work. Default: true.","examples":[false],"title":"Save draft","type":"boolean"}},"type":"object"},"Assignment":{"additionalProperties":false,"description":"Who works on a task.","properties":{"candidates":{"$ref":"#/$defs/Candidates","description":"Who may work on it: the union of users, roles, teams and departments, less those who lack one of the skills or attributes.","examples":[{"roles":["approver"],"skills":["german"]}],"title":"Candidates"},"excludeUsers":{"default":[],"description":"Users who may not, for example whoever did the work before (four-eyes rule); templates over `input` and `workflow`.","examples":[["${workflow.initiatorId}"]],"items":{"minLength":1,"type":"string"},"title":"Exclude users","type":"array"},"maxOpenPerUser":{"default":10,"description":"AUTO passes over users who have this many open tasks. Default: 10.","examples":[5],"maximum":1000000,"minimum":1,"title":"Max open per user","type":"integer"},"mode":{"$ref":"#/$defs/AssignmentMode","default":"OFFER","description":"DIRECT gives it to one user, OFFER shows it to all candidates, AUTO picks one of them. Default: OFFER.","examples":["AUTO"],"title":"Mode"},"onNoCandidates":{"$ref":"#/$defs/OnNoCandidates","default":"FALLBACK","description":"What happens when nobody qualifies: WAIT, FALLBACK to the fallback role, or FAIL. Default: FALLBACK.","examples":["FAIL"],"title":"On no candidates"},"strategy":{"$ref":"#/$defs/AssignmentStrategy","default":"LOAD_BALANCED","description":"How AUTO picks. Default: LOAD_BALANCED.","examples":["ROUND_ROBIN"],"title":"Strategy"}},"type":"object"},"AssignmentMode":{"description":"How a task reaches its people. OFFER: all candidates see it, one claims it. DIRECT: one user gets it. AUTO: one of the candidates is picked.","enum":["OFFER","DIRECT","AUTO"],"type":"string"},"AssignmentStrategy":{"description":"How AUTO picks among candidates. LOAD_BALANCED: the one with the fewest open tasks. SKILL_BASED: the one whose skills fit best. ROUND_ROBIN: one after the other.","enum":["LOAD_BALANCED","SKILL_BASED","ROUND_ROBIN"],"type":"string"},"Branch":{"additionalProperties":false,"description":"One branch of a PARALLEL step.","properties":{"branchId":{"description":"Id of the branch, unique in its step; the output names the branch by it.","examples":["credit"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Branch id","type":"string"},"name":{"description":"Name shown to people.","examples":["Credit check"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"required":{"default":true,"description":"Whether the join and the failure rule count this branch. Default: true.","examples":[false],"title":"Required","type":"boolean"},"steps":{"description":"The steps of the branch, which begins at its first one.","examples":[[{"stepId":"check-credit","taskId":"check-credit","type":"TASK"}]],"items":{"$ref":"#/$defs/Step"},"minItems":1,"title":"Steps","type":"array"},"timeout":{"$ref":"#/$defs/Duration","description":"Limit of the branch; beyond it the branch fails with a TIMEOUT error. Default: none.","examples":["PT30S","PT5M"],"title":"Timeout"}},"required":["branchId","steps"],"type":"object"},"BranchFailure":{"description":"What a failing required branch does to the others. FAIL_FAST: the others are cancelled at once. WAIT_ALL: the others finish first.","enum":["FAIL_FAST","WAIT_ALL"],"type":"string"},"CancellationTrigger":{"additionalProperties":false,"dependentRequired":{"correlationKey":["correlationValue"],"correlationValue":["correlationKey"]},"description":"An event that cancels a running instance.","properties":{"correlationKey":{"description":"Expression over `event` that gives the key of an event. Needs `correlationValue`.","examples":["event.payload.orderId"],"title":"Correlation key","type":"string"},"correlationValue":{"description":"Expression over the instance that gives the key it listens for, evaluated at its start.","examples":["input.orderId"],"title":"Correlation value","type":"string"},"eventCondition":{"description":"Expression that must be true for the event to count. It may read `event`, `input`, `vars` and `steps`.","examples":["event.payload.amount > 1000"],"title":"Event condition","type":"string"},"eventPattern":{"description":"Pattern of the event names to listen to, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.","examples":["order.cancelled","order.*","order.**"],"pattern":"^(?:[*][*]|(?:[*]|[A-Za-z0-9_-]{1,64})(?:(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,5}|(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,4}[.][*][*]))$","title":"Event pattern","type":"string"},"reason":{"description":"Reason recorded with the cancellation.","examples":["the customer cancelled the order"],"minLength":1,"title":"Reason","type":"string"},"shouldCompensate":{"description":"Whether completed steps are compensated.","examples":[true],"title":"Should compensate","type":"boolean"}},"required":["eventPattern","reason","shouldCompensate"],"type":"object"},"Candidates":{"additionalProperties":false,"description":"Who may work on a task; every entry is literal or a template over `input` and `workflow`.","properties":{"attributes":{"description":"Attributes of the user and their values; all of them must fit.","examples":[{"region":"${input.region}"}],"title":"Attributes","type":"object"},"departments":{"description":"Departments.","examples":[["finance"]],"items":{"minLength":1,"type":"string"},"title":"Departments","type":"array"},"roles":{"description":"Role ids.","examples":[["approver"]],"items":{"minLength":1,"type":"string"},"title":"Roles","type":"array"},"skills":{"description":"Skills; all of them are needed.","examples":[["german"]],"items":{"minLength":1,"type":"string"},"title":"Skills","type":"array"},"teams":{"description":"Team ids.","examples":[["claims"]],"items":{"minLength":1,"type":"string"},"title":"Teams","type":"array"},"users":{"description":"User ids.","examples":[["anna","${input.ownerId}"]],"items":{"minLength":1,"type":"string"},"title":"Users","type":"array"}},"type":"object"},"Channel":{"description":"A way to tell people. EMAIL: e-mail. IN_APP: inside the application. PUSH: push message. CALENDAR: calendar entry. CHAT: chat message. SMS: text message. WEBHOOK: hTTP call.","enum":["EMAIL","IN_APP","PUSH","CALENDAR","CHAT","SMS","WEBHOOK"],"type":"string"},"CompensationStep":{"additionalProperties":false,"description":"A task that undoes a completed step.","properties":{"compensateOnTimeout":{"default":false,"description":"Whether to run also when the step itself failed without anybody knowing whether its work was done (a timeout, a lost worker). Default: false.","examples":[true],"title":"Compensate on timeout","type":"boolean"},"compensationFor":{"description":"The step it undoes: a TASK, HUMAN_TASK, POLL or SUB_WORKFLOW. A step has at most one compensation.","examples":["charge"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Compensation for","type":"string"},"condition":{"description":"Expression that must be true for the compensation to run. Default: it always runs.","examples":["steps.charge.output.amount > 0"],"title":"Condition","type":"string"},"input":{"description":"Mapping that builds the task''s input. Default: `originalInput`, `originalOutput`, `workflowInput`, `variables`, `cancellation` and `error`.","examples":[{"paymentId":"${steps.charge.output.paymentId}"}],"title":"Input"},"retryPolicy":{"$ref":"#/$defs/RetryPolicy","description":"Retry policy of this task. Default: 5 attempts, the rest as usual.","examples":[{"initialInterval":"PT2S","maxAttempts":5}],"title":"Retry policy"},"stepId":{"description":"Id of this compensation step, unique in the definition.","examples":["refund"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"taskId":{"description":"Business id of the task that does the undoing.","examples":["charge-card"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Task id","type":"string"},"timeout":{"$ref":"#/$defs/Duration","description":"Limit of one attempt. Default: that of the task definition, else PT5M.","examples":["PT30S","PT5M"],"title":"Timeout"},"type":{"description":"Always TASK.","enum":["TASK"],"examples":["TASK"],"title":"Type"}},"required":["stepId","compensationFor","taskId"],"type":"object"},"Concurrency":{"additionalProperties":false,"description":"How often at most a workflow runs at the same time.","properties":{"key":{"description":"Expression over `input` whose value the instances are counted by. Default: all instances count together.","examples":["input.customerId"],"title":"Key","type":"string"},"max":{"description":"How many instances may live at once, for each key if there is one. Further starts wait as CREATED.","examples":[1],"maximum":1000000,"minimum":1,"title":"Max","type":"integer"}},"required":["max"],"type":"object"},"DecisionStep":{"additionalProperties":false,"description":"Chooses a path. It does no work; its output is what the path brought.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping whose result is the step''s output. Default: the output of the step before it, at the beginning the workflow''s input.","examples":[{"amount":"${input.amount}"}],"title":"Input"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"The decision: rules in order, the first that holds is taken. At least one has a condition.","examples":[[{"condition":"input.amount > 1000","nextStepId":"review"},{"nextStepId":"ship"}]],"items":{"$ref":"#/$defs/Transition"},"minItems":1,"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"type":{"const":"DECISION","description":"Says that this is a DECISION step.","examples":["DECISION"],"title":"Type"}},"required":["type","stepId","next"],"type":"object"},"DelayStep":{"additionalProperties":false,"description":"Waits for a length of time or until an instant. Exactly one of `duration` and `until` says how long.","oneOf":[{"required":["duration"]},{"required":["until"]}],"properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"calendarId":{"description":"Business calendar of the host; the delay ends at its next working instant.","examples":["german-holidays"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Calendar id","type":"string"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"duration":{"$ref":"#/$defs/Duration","description":"How long to wait.","examples":["PT10M"],"title":"Duration"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"timezone":{"default":"UTC","description":"IANA time zone for an instant without offset and for the calendar. Default: UTC.","examples":["Europe/Berlin"],"maxLength":64,"minLength":1,"title":"Timezone","type":"string"},"type":{"const":"DELAY","description":"Says that this is a DELAY step.","examples":["DELAY"],"title":"Type"},"until":{"description":"Expression that gives the instant to wait for, a timestamp or an RFC 3339 text.","examples":["timestamp(input.dueAt)","now + duration(''24h'')"],"title":"Until","type":"string"}},"required":["type","stepId"],"type":"object"},"Due":{"additionalProperties":false,"description":"When a task should be done.","properties":{"byPriority":{"additionalProperties":false,"description":"How long after its creation, for each priority.","examples":[{"CRITICAL":"PT1H","HIGH":"PT8H"}],"properties":{"CRITICAL":{"$ref":"#/$defs/Duration","description":"How long a task of priority CRITICAL may take.","examples":["PT1H"],"title":"CRITICAL"},"HIGH":{"$ref":"#/$defs/Duration","description":"How long a task of priority HIGH may take.","examples":["PT8H"],"title":"HIGH"},"LOW":{"$ref":"#/$defs/Duration","description":"How long a task of priority LOW may take.","examples":["P5D"],"title":"LOW"},"MEDIUM":{"$ref":"#/$defs/Duration","description":"How long a task of priority MEDIUM may take.","examples":["P2D"],"title":"MEDIUM"}},"title":"By priority","type":"object"},"calendarId":{"description":"Business calendar of the host.","examples":["german-holidays"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Calendar id","type":"string"},"duration":{"$ref":"#/$defs/Duration","default":"PT24H","description":"How long after its creation. Default: PT24H.","examples":["P2D"],"title":"Duration"},"expression":{"description":"Expression over `input`, `workflow` and `now` that gives the instant.","examples":["timestamp(input.dueAt)"],"title":"Expression","type":"string"},"useBusinessHours":{"default":false,"description":"Whether only working time counts. Default: false.","examples":[true],"title":"Use business hours","type":"boolean"}},"type":"object"},"Duration":{"description":"A length of time in the form of ISO 8601: weeks, or days, hours, minutes and seconds. No months, no years.","pattern":"^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$","type":"string"},"EndResult":{"description":"How an END step ends the instance. COMPLETED: the instance is COMPLETED. FAILED: the instance fails with the error of the step.","enum":["COMPLETED","FAILED"],"type":"string"},"EndStep":{"additionalProperties":false,"allOf":[{"if":{"properties":{"result":{"const":"FAILED"}},"required":["result"]},"then":{"properties":{"outcome":false}}},{"if":{"properties":{"result":{"const":"COMPLETED"}}},"then":{"properties":{"errorCode":false,"errorMessage":false}}}],"description":"Ends the whole instance, also from inside a branch or an iteration.","properties":{"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"errorCode":{"default":"WORKFLOW_FAILED","description":"Code of the error of a failed workflow. Default: WORKFLOW_FAILED.","examples":["ORDER_REJECTED"],"maxLength":255,"minLength":1,"title":"Error code","type":"string"},"errorMessage":{"description":"Message of the error of a failed workflow, a template.","examples":["order ${input.orderId} was rejected"],"title":"Error message","type":"string"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"outcome":{"description":"Outcome code of a completed workflow, for the `next` rules of the SUB_WORKFLOW step that started it. Default: SUCCESS.","examples":["Rejected"],"maxLength":255,"minLength":1,"title":"Outcome","type":"string"},"output":{"description":"Mapping that builds the output of the workflow; it wins over the `output` of the workflow.","examples":[{"status":"rejected"}],"title":"Output"},"result":{"$ref":"#/$defs/EndResult","default":"COMPLETED","description":"How the instance ends: COMPLETED, or FAILED with an error. Default: COMPLETED.","examples":["FAILED"],"title":"Result"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"type":{"const":"END","description":"Says that this is a END step.","examples":["END"],"title":"Type"}},"required":["type","stepId"],"type":"object"},"ErrorCategory":{"description":"Why something failed, as far as retries and handlers care. TRANSIENT: likely to succeed when repeated, for example a lost connection. PERMANENT: will fail again in the same way. BUSINESS: a rule of the business said no. SYSTEM: a fault of the machinery, or an unclassified error. TIMEOUT: a limit of time ran out. VALIDATION: data did not fit its contract. SECURITY: identity or permission was refused.","enum":["TRANSIENT","PERMANENT","BUSINESS","SYSTEM","TIMEOUT","VALIDATION","SECURITY"],"type":"string"},"Escalation":{"additionalProperties":false,"description":"What happens when a task is late.","properties":{"levels":{"description":"The levels, each done once when its time has come. Default: NOTIFY when it is due.","examples":[[{"action":"NOTIFY","atFraction":1},{"action":"REASSIGN","after":"P1D","targets":["supervisor"]}]],"items":{"$ref":"#/$defs/EscalationLevel"},"title":"Levels","type":"array"}},"type":"object"},"EscalationAction":{"description":"What is done about a late task. NOTIFY: people are told. NOTIFY_MANAGER: the assignee''s manager is told. REASSIGN: others get the task. RAISE_PRIORITY: its priority rises by one. AUTO_COMPLETE: it is completed with a fixed output. FAIL: it fails.","enum":["NOTIFY","NOTIFY_MANAGER","REASSIGN","RAISE_PRIORITY","AUTO_COMPLETE","FAIL"],"type":"string"},"EscalationLevel":{"additionalProperties":false,"description":"One measure against lateness. Exactly one of `atFraction` and `after` says when.","oneOf":[{"required":["atFraction"]},{"required":["after"]}],"properties":{"action":{"$ref":"#/$defs/EscalationAction","description":"What is done.","examples":["NOTIFY_MANAGER"],"title":"Action"},"after":{"$ref":"#/$defs/Duration","description":"When, as a duration after it was due.","examples":["P1D"],"title":"After"},"atFraction":{"description":"When, as a fraction of the time from creation to due; 1 is when it is due.","examples":[1,1.5],"maximum":1000,"minimum":1,"title":"At fraction","type":"number"},"output":{"description":"The output with which AUTO_COMPLETE completes the task; literal.","examples":[{"decision":"rejected"}],"title":"Output","type":"object"},"targets":{"description":"Who is told or gets the task: user, role or team ids, or templates over `input` and `workflow`.","examples":[["supervisor","${workflow.initiatorId}"]],"items":{"minLength":1,"type":"string"},"title":"Targets","type":"array"}},"required":["action"],"type":"object"},"EventTimeout":{"additionalProperties":false,"description":"How long an EVENT_WAIT waits. Exactly one of `duration` and `until` says it.","oneOf":[{"required":["duration"]},{"required":["until"]}],"properties":{"duration":{"$ref":"#/$defs/Duration","description":"How long to wait, counted from the entry.","examples":["P3D"],"title":"Duration"},"timeoutHandlerStepId":{"description":"The step to go on at when nothing came. Default: the step fails with EVENT_WAIT_TIMEOUT.","examples":["remind"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Timeout handler step id","type":"string"},"until":{"description":"Expression that gives the instant until which to wait.","examples":["timestamp(input.dueAt)"],"title":"Until","type":"string"}},"type":"object"},"EventWaitStep":{"additionalProperties":false,"dependentRequired":{"correlationKey":["correlationValue"],"correlationValue":["correlationKey"]},"description":"Waits for an event or a signal. Exactly one of `eventPattern`, `eventPatterns` and `signalType` says for which.","oneOf":[{"required":["eventPattern"]},{"required":["eventPatterns"]},{"required":["signalType"]}],"properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"correlationKey":{"description":"Expression over `event` that gives the key of an event. Needs `correlationValue`.","examples":["event.payload.orderId"],"title":"Correlation key","type":"string"},"correlationValue":{"description":"Expression over the instance that gives the key to wait for, evaluated when the step is entered. Needs `correlationKey`.","examples":["input.orderId"],"title":"Correlation value","type":"string"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"eventCondition":{"description":"Expression that must be true for an event to be taken. Values of the instance are those at entry; one that cannot be evaluated counts as false.","examples":["event.payload.amount > 1000"],"title":"Event condition","type":"string"},"eventPattern":{"description":"Pattern of the event names to wait for, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.","examples":["payment.received"],"pattern":"^(?:[*][*]|(?:[*]|[A-Za-z0-9_-]{1,64})(?:(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,5}|(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,4}[.][*][*]))$","title":"Event pattern","type":"string"},"eventPatterns":{"description":"Several patterns, 2 to 8; the first event that fits any of them is taken.","examples":[["payment.received","payment.refused"]],"items":{"pattern":"^(?:[*][*]|(?:[*]|[A-Za-z0-9_-]{1,64})(?:(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,5}|(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,4}[.][*][*]))$","type":"string"},"maxItems":8,"minItems":2,"title":"Event patterns","type":"array","uniqueItems":true},"eventTimeout":{"$ref":"#/$defs/EventTimeout","description":"How long to wait. Default: for ever.","examples":[{"duration":"P3D","timeoutHandlerStepId":"remind"}],"title":"Event timeout"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"signalType":{"description":"Name of the signal to wait for.","examples":["approve"],"maxLength":255,"minLength":1,"title":"Signal type","type":"string"},"since":{"default":"INSTANCE","description":"How old an event may be: INSTANCE accepts events since the instance began, STEP since the step was entered, a duration (at most P7D) reaches back that far before the entry. Default: INSTANCE.","examples":["STEP","PT1H"],"pattern":"^(?:INSTANCE|STEP|P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S)))$","title":"Since","type":"string"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"type":{"const":"EVENT_WAIT","description":"Says that this is a EVENT_WAIT step.","examples":["EVENT_WAIT"],"title":"Type"}},"required":["type","stepId"],"type":"object"},"ExecutionLog":{"additionalProperties":false,"description":"How much of a run is logged and how long details are kept.","properties":{"level":{"$ref":"#/$defs/LogLevel","default":"INFO","description":"Level of log lines and of the detail kept in the history: ERROR failures only, INFO types and decisions, DEBUG evaluated values as well. Default: INFO.","examples":["INFO"],"title":"Level"},"metadata":{"description":"Names of members of the instance''s metadata that are copied to each log line. Default: none.","examples":[["tenant","channel"]],"items":{"minLength":1,"type":"string"},"title":"Metadata","type":"array"},"retention":{"$ref":"#/$defs/Duration","default":"P30D","description":"How long inputs, outputs and trails of a finished instance are kept. Default: P30D.","examples":["P30D"],"title":"Retention"},"trackDecisions":{"default":true,"description":"Whether the history shows which rule of a step was taken. Default: true.","examples":[false],"title":"Track decisions","type":"boolean"}},"type":"object"},"FailureAction":{"description":"What to do with an error that no handler took. STOP: the error goes on to the enclosing container, then to the workflow. CONTINUE: the path goes on.","enum":["STOP","CONTINUE"],"type":"string"},"FailureHandler":{"additionalProperties":false,"description":"The step to go to for certain errors.","properties":{"condition":{"description":"Expression over `error` and the usual roots that must be true. Default: always.","examples":["error.attempt > 1"],"title":"Condition","type":"string"},"errorCategory":{"$ref":"#/$defs/ErrorCategory","description":"Category of the errors it takes. Default: any.","examples":["BUSINESS"],"title":"Error category"},"errorCode":{"description":"Code of the errors it takes. Default: any.","examples":["CARD_DECLINED"],"maxLength":255,"minLength":1,"title":"Error code","type":"string"},"inputMapping":{"description":"Mapping whose members replace those of the handler step''s own `input`.","examples":[{"code":"${error.code}"}],"title":"Input mapping"},"nextStepId":{"description":"The step to go to. It reads the error as `error`.","examples":["ask-for-other-card"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Next step id","type":"string"}},"required":["nextStepId"],"type":"object"},"ForEachStep":{"additionalProperties":false,"description":"Runs a body of steps once for every element of a list.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"itemName":{"default":"item","description":"Name by which expressions in the body read the element. Default: `item`. Its position is `index`, from 0.","examples":["line"],"pattern":"^[A-Za-z_][A-Za-z0-9_]{0,63}$","title":"Item name","type":"string"},"items":{"description":"Expression that gives the list; it is evaluated once.","examples":["input.items"],"title":"Items","type":"string"},"maxConcurrency":{"default":5,"description":"How many elements are worked on at once; 1 means one after the other. Default: 5.","examples":[10,1],"maximum":10000,"minimum":1,"title":"Max concurrency","type":"integer"},"maxItems":{"default":1000,"description":"The longest list allowed. Default: 1000.","examples":[500],"maximum":10000,"minimum":1,"title":"Max items","type":"integer"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"onItemFailure":{"$ref":"#/$defs/ItemFailure","default":"FAIL_FAST","description":"What a failing iteration does: FAIL_FAST fails the step at once, COLLECT goes on and reports the failures in the output. Default: FAIL_FAST.","examples":["COLLECT"],"title":"On item failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"steps":{"description":"The body, which begins at its first step.","examples":[[{"input":{"sku":"${item.sku}"},"stepId":"reserve","taskId":"reserve-item","type":"TASK"}]],"items":{"$ref":"#/$defs/Step"},"minItems":1,"title":"Steps","type":"array"},"type":{"const":"FOR_EACH","description":"Says that this is a FOR_EACH step.","examples":["FOR_EACH"],"title":"Type"}},"required":["type","stepId","items","steps"],"type":"object"},"HumanTaskStep":{"additionalProperties":false,"description":"Puts a task into the inbox of people and waits for one of them to finish it.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"instructions":{"description":"What to do, shown with the task; a template. It wins over the instructions in `manual`.","examples":["Check order ${input.orderId} and decide."],"title":"Instructions","type":"string"},"manual":{"$ref":"#/$defs/Manual","description":"Settings of the human work. They are merged over those of the task definition member by member, lists as a whole.","examples":[{"assignment":{"candidates":{"roles":["approver"]}},"due":{"duration":"P2D"}}],"title":"Manual"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"priority":{"$ref":"#/$defs/Priority","default":"MEDIUM","description":"How urgent the task is. Default: MEDIUM.","examples":["HIGH"],"title":"Priority"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"taskId":{"default":"system.human-task","description":"Business id of a task of type MANUAL. Default: `system.human-task`, which takes any input and gives `decision` and `comment`.","examples":["approve-order"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Task id","type":"string"},"taskVersion":{"description":"Version of the task, exact or a SemVer range. Default: the highest published one when the instance starts.","examples":["1.2.0","^1.2"],"maxLength":255,"minLength":1,"title":"Task version","type":"string"},"timeout":{"$ref":"#/$defs/Duration","description":"Hard expiry, counted from the creation of the task. Default: none.","examples":["P14D"],"title":"Timeout"},"type":{"const":"HUMAN_TASK","description":"Says that this is a HUMAN_TASK step.","examples":["HUMAN_TASK"],"title":"Type"},"uiComponentId":{"description":"UI component that shows the task; it wins over those of the task definition.","examples":["order-approval"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}(?:@(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?)?$","title":"UI component id","type":"string"}},"required":["type","stepId"],"type":"object"},"Interaction":{"description":"What sort of human work it is. GENERIC: no special sort. APPROVAL: say yes or no. DATA_ENTRY: fill in data. DECISION: choose among outcomes. INVESTIGATION: find something out. REVIEW: check something. INFO_REQUEST: answer a question about another task. EXCEPTION: decide about a failed task.","enum":["GENERIC","APPROVAL","DATA_ENTRY","DECISION","INVESTIGATION","REVIEW","INFO_REQUEST","EXCEPTION"],"type":"string"},"ItemFailure":{"description":"What a failing iteration does. FAIL_FAST: the step fails at once. COLLECT: the failure is reported in the output.","enum":["FAIL_FAST","COLLECT"],"type":"string"},"Join":{"additionalProperties":false,"description":"When the branches of a PARALLEL step are joined.","properties":{"count":{"description":"How many branches N_OF_M waits for.","examples":[2],"maximum":64,"minimum":1,"title":"Count","type":"integer"},"type":{"$ref":"#/$defs/JoinType","default":"ALL","description":"ALL waits for every required branch, N_OF_M for `count` branches, FIRST for one. Default: ALL.","examples":["N_OF_M"],"title":"Type"}},"type":"object"},"JoinType":{"description":"When branches are joined. ALL: when every required branch has completed. N_OF_M: when `count` branches have completed. FIRST: when one branch has completed.","enum":["ALL","N_OF_M","FIRST"],"type":"string"},"LogLevel":{"description":"How much is logged. ERROR: failures only. INFO: what happened and which rules were taken. DEBUG: evaluated values as well.","enum":["ERROR","INFO","DEBUG"],"type":"string"},"Manual":{"additionalProperties":false,"description":"Settings of human work. A HUMAN_TASK step may state some of them; they replace those of the task definition member by member.","properties":{"allow":{"$ref":"#/$defs/AllowedActions","description":"What the person who works on it may do.","examples":[{"delegate":false}],"title":"Allow"},"assignment":{"$ref":"#/$defs/Assignment","description":"Who works on it.","examples":[{"candidates":{"roles":["approver"]},"mode":"OFFER"}],"title":"Assignment"},"due":{"$ref":"#/$defs/Due","description":"When it should be done. Default: PT24H after its creation.","examples":[{"duration":"P2D"}],"title":"Due"},"escalation":{"$ref":"#/$defs/Escalation","description":"What happens when it is late. Default: a notification when it is due.","examples":[{"levels":[{"action":"NOTIFY_MANAGER","after":"P1D"}]}],"title":"Escalation"},"instructions":{"description":"What to do; a template over `input` and `workflow`.","examples":["Check amount and address."],"title":"Instructions","type":"string"},"interaction":{"$ref":"#/$defs/Interaction","default":"GENERIC","description":"What sort of work it is: an inbox filter, and which screen is shown by default. Default: GENERIC.","examples":["APPROVAL"],"title":"Interaction"},"maxDelegationDepth":{"default":3,"description":"How often it may be delegated on. Default: 3.","examples":[1],"maximum":100,"minimum":0,"title":"Max delegation depth","type":"integer"},"notifications":{"$ref":"#/$defs/Notifications","description":"Channels of the notifications. Default: IN_APP.","examples":[{"assignment":["EMAIL","IN_APP"]}],"title":"Notifications"},"outcomeField":{"default":"decision","description":"The member of the output that holds the chosen outcome. Default: `decision`.","examples":["decision"],"maxLength":255,"minLength":1,"title":"Outcome field","type":"string"},"outcomes":{"description":"The possible results, shown as buttons.","examples":[[{"id":"approved","label":"Approve"},{"id":"rejected","label":"Reject","requiresComment":true}]],"items":{"$ref":"#/$defs/ManualOutcome"},"title":"Outcomes","type":"array"},"reference":{"description":"A reference of your business for the inbox, for example an order number; a template over `input` and `workflow`.","examples":["${input.orderId}"],"title":"Reference","type":"string"},"reminders":{"default":[0.5,0.75,0.9],"description":"When people are reminded, as fractions of the time from creation to due, ascending. Default: 0.5, 0.75 and 0.9.","examples":[[0.5,0.9]],"items":{"exclusiveMaximum":1,"exclusiveMinimum":0,"type":"number"},"title":"Reminders","type":"array"},"shareDrafts":{"default":true,"description":"Whether a successor sees the predecessor''s draft. Default: true.","examples":[false],"title":"Share drafts","type":"boolean"},"title":{"description":"Title in the inbox, a template over `input` and `workflow`. Default: the name of the task or step.","examples":["Approve order ${input.orderId}"],"title":"Title","type":"string"}},"type":"object"},"ManualOutcome":{"additionalProperties":false,"description":"One possible result of human work.","properties":{"id":{"description":"Outcome code, for the `next` rules of the step and for the output.","examples":["approved"],"maxLength":255,"minLength":1,"title":"Id","type":"string"},"label":{"description":"Text of the button. Default: the id.","examples":["Approve"],"maxLength":255,"minLength":1,"title":"Label","type":"string"},"requiresComment":{"default":false,"description":"Whether a comment must be given. Default: false.","examples":[true],"title":"Requires comment","type":"boolean"}},"required":["id"],"type":"object"},"Notifications":{"additionalProperties":false,"description":"Channels of the notifications, for each occasion. Default: IN_APP.","properties":{"assignment":{"default":["IN_APP"],"description":"When it is assigned or offered.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Assignment","type":"array"},"completion":{"default":["IN_APP"],"description":"When it is completed.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Completion","type":"array"},"escalation":{"default":["IN_APP"],"description":"When it is escalated.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Escalation","type":"array"},"reassignment":{"default":["IN_APP"],"description":"When somebody else gets it.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Reassignment","type":"array"},"reminder":{"default":["IN_APP"],"description":"When a reminder is due.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Reminder","type":"array"}},"type":"object"},"OnError":{"additionalProperties":false,"description":"The handler of errors that no step handled.","properties":{"handlerStepId":{"description":"The step to go on at. It reads the error as `error`.","examples":["report-failure"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Handler step id","type":"string"},"inputMapping":{"description":"Mapping whose members replace those of the handler step''s own `input`.","examples":[{"code":"${error.code}"}],"title":"Input mapping"}},"required":["handlerStepId"],"type":"object"},"OnFailure":{"additionalProperties":false,"description":"What happens when a step fails for good.","properties":{"action":{"$ref":"#/$defs/FailureAction","default":"STOP","description":"What to do when no handler fits: STOP passes the error on to the enclosing container and then to the workflow, CONTINUE goes on as if the step had succeeded. Default: STOP.","examples":["CONTINUE"],"title":"Action"},"handlers":{"description":"Handlers, tried in order; the first that fits wins over `action`.","examples":[[{"errorCode":"CARD_DECLINED","nextStepId":"ask-for-other-card"}]],"items":{"$ref":"#/$defs/FailureHandler"},"title":"Handlers","type":"array"},"nextStepId":{"description":"The step to go on at with CONTINUE. Default: the last rule of `next` if it has no condition, else the path ends.","examples":["report"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Next step id","type":"string"}},"type":"object"},"OnNoCandidates":{"description":"What happens when nobody qualifies. FALLBACK: the fallback role gets it. WAIT: it waits until somebody qualifies. FAIL: it fails.","enum":["FALLBACK","WAIT","FAIL"],"type":"string"},"ParallelStep":{"additionalProperties":false,"description":"Runs several branches at once and joins them.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"branches":{"description":"The branches, 1 to 64.","examples":[[{"branchId":"credit","steps":[{"stepId":"check-credit","taskId":"check-credit","type":"TASK"}]},{"branchId":"stock","steps":[{"stepId":"check-stock","taskId":"check-stock","type":"TASK"}]}]],"items":{"$ref":"#/$defs/Branch"},"maxItems":64,"minItems":1,"title":"Branches","type":"array"},"cancelRemaining":{"default":true,"description":"Whether branches still running at the join are cancelled; otherwise they are waited for and their failures ignored. Default: true.","examples":[false],"title":"Cancel remaining","type":"boolean"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"join":{"$ref":"#/$defs/Join","description":"When the branches are joined. Default: when all required ones have completed.","examples":[{"count":2,"type":"N_OF_M"}],"title":"Join"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onBranchFailure":{"$ref":"#/$defs/BranchFailure","default":"FAIL_FAST","description":"What a failing required branch does: FAIL_FAST cancels the others at once, WAIT_ALL lets them finish first. Default: FAIL_FAST.","examples":["WAIT_ALL"],"title":"On branch failure"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"type":{"const":"PARALLEL","description":"Says that this is a PARALLEL step.","examples":["PARALLEL"],"title":"Type"}},"required":["type","stepId","branches"],"type":"object"},"ParentCancel":{"description":"What the cancellation of a parent does to its child. CANCEL: the child is cancelled, too. ABANDON: the child goes on alone.","enum":["CANCEL","ABANDON"],"type":"string"},"PassStep":{"additionalProperties":false,"description":"A step that does no work: a place to map data, to assign variables or to join paths.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping whose result is the step''s output. Default: the output of the step before it, at the beginning the workflow''s input.","examples":[{"amount":"${input.amount}"}],"title":"Input"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"type":{"const":"PASS","description":"Says that this is a PASS step.","examples":["PASS"],"title":"Type"}},"required":["type","stepId"],"type":"object"},"PollStep":{"additionalProperties":false,"description":"Repeats a task in intervals until its output is as wanted.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"backoffMultiplier":{"default":1,"description":"What the pause is multiplied by after each round. Default: 1.","examples":[1.5],"maximum":10,"minimum":1,"title":"Backoff multiplier","type":"number"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"heartbeatTimeout":{"$ref":"#/$defs/Duration","description":"Longest silence of the task''s handler before the attempt counts as failed. Default: no limit.","examples":["PT30S"],"title":"Heartbeat timeout"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"interval":{"$ref":"#/$defs/Duration","description":"Pause between two rounds.","examples":["PT30S"],"title":"Interval"},"maxAttempts":{"default":12,"description":"How many rounds at most; then the step fails with POLL_EXHAUSTED. Default: 12.","examples":[20],"maximum":10000,"minimum":1,"title":"Max attempts","type":"integer"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"retryPolicy":{"$ref":"#/$defs/RetryPolicy","description":"How failed attempts of a round are repeated. Default: the policy of the task definition, else that of the workflow.","examples":[{"initialInterval":"PT2S","maxAttempts":5}],"title":"Retry policy"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"taskId":{"description":"Business id of the task that is run in each round.","examples":["charge-card"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Task id","type":"string"},"taskVersion":{"description":"Version of the task, exact or a SemVer range. Default: the highest published one when the instance starts.","examples":["1.2.0","^1.2"],"maxLength":255,"minLength":1,"title":"Task version","type":"string"},"timeout":{"$ref":"#/$defs/Duration","description":"Limit over all rounds; then the step fails with POLL_EXHAUSTED. Default: none.","examples":["PT1H"],"title":"Timeout"},"type":{"const":"POLL","description":"Says that this is a POLL step.","examples":["POLL"],"title":"Type"},"until":{"description":"Expression over `output` that is true when the polling is done.","examples":["output.status == ''shipped''"],"title":"Until","type":"string"}},"required":["type","stepId","taskId","until","interval"],"type":"object"},"Priority":{"description":"How urgent a task is. LOW: can wait. MEDIUM: as usual. HIGH: before others. CRITICAL: at once.","enum":["LOW","MEDIUM","HIGH","CRITICAL"],"type":"string"},"RetryPolicy":{"additionalProperties":false,"description":"How often and how soon failed attempts are repeated; members left out have the shared defaults.","properties":{"backoffMultiplier":{"default":2,"description":"What the delay is multiplied by after each further failure. Default: 2.","examples":[2,1.5],"maximum":10,"minimum":1,"title":"Backoff multiplier","type":"number"},"initialInterval":{"$ref":"#/$defs/Duration","default":"PT1S","description":"Delay before the second attempt. Default: PT1S.","examples":["PT1S"],"title":"Initial interval"},"jitter":{"default":0.2,"description":"How far a delay is moved up or down at random, as a fraction of it. Default: 0.2.","examples":[0.2,0],"maximum":1,"minimum":0,"title":"Jitter","type":"number"},"maxAttempts":{"default":3,"description":"Attempts in total, the first one included. Default: 3.","examples":[5,1],"maximum":100,"minimum":1,"title":"Max attempts","type":"integer"},"maxInterval":{"$ref":"#/$defs/Duration","default":"PT30S","description":"The longest delay. Default: PT30S.","examples":["PT1M"],"title":"Max interval"},"nonRetryableErrors":{"default":[],"description":"Error codes or categories never to retry; wins over everything else.","examples":[["CARD_DECLINED"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"title":"Non retryable errors","type":"array"},"retryableErrors":{"description":"Error codes or categories to retry; if given, no others are. Default: what the error itself says.","examples":[["TRANSIENT","TIMEOUT"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"title":"Retryable errors","type":"array"}},"type":"object"},"StartStep":{"additionalProperties":false,"description":"Where a workflow begins; it does no work.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping whose result is the step''s output. Default: the output of the step before it, at the beginning the workflow''s input.","examples":[{"amount":"${input.amount}"}],"title":"Input"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"type":{"const":"START","description":"Says that this is a START step.","examples":["START"],"title":"Type"}},"required":["type","stepId"],"type":"object"},"Step":{"description":"One step of a workflow. Its `type` says what it does and which members it has.","oneOf":[{"$ref":"#/$defs/StartStep"},{"$ref":"#/$defs/EndStep"},{"$ref":"#/$defs/PassStep"},{"$ref":"#/$defs/TaskStep"},{"$ref":"#/$defs/HumanTaskStep"},{"$ref":"#/$defs/DecisionStep"},{"$ref":"#/$defs/ParallelStep"},{"$ref":"#/$defs/ForEachStep"},{"$ref":"#/$defs/EventWaitStep"},{"$ref":"#/$defs/DelayStep"},{"$ref":"#/$defs/PollStep"},{"$ref":"#/$defs/SubWorkflowStep"}],"type":"object","x-discriminator":"type"},"SubWorkflowStep":{"additionalProperties":false,"description":"Starts another workflow and, as a rule, waits for its end.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"correlationId":{"description":"Correlation id of the child, a template.","examples":["${input.orderId}"],"title":"Correlation id","type":"string"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping evaluated when the step is entered; its result is the input of the child. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"onParentCancel":{"$ref":"#/$defs/ParentCancel","default":"CANCEL","description":"What happens to the child when this instance is cancelled: CANCEL or ABANDON. Default: CANCEL.","examples":["ABANDON"],"title":"On parent cancel"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"retryPolicy":{"$ref":"#/$defs/RetryPolicy","description":"How a failed child is repeated, each time as a new instance. Default: that of the workflow.","examples":[{"initialInterval":"PT2S","maxAttempts":5}],"title":"Retry policy"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"timeout":{"$ref":"#/$defs/Duration","description":"Limit of the child, which is then cancelled. Default: none.","examples":["P1D"],"title":"Timeout"},"type":{"const":"SUB_WORKFLOW","description":"Says that this is a SUB_WORKFLOW step.","examples":["SUB_WORKFLOW"],"title":"Type"},"waitForCompletion":{"default":true,"description":"Whether to wait for its end. Otherwise the output is `{instanceId}` at once. Default: true.","examples":[false],"title":"Wait for completion","type":"boolean"},"workflowId":{"description":"Business id of the workflow to start.","examples":["ship-order"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Workflow id","type":"string"},"workflowVersion":{"description":"Version of the workflow, exact or a SemVer range. Default: the highest published one at the time of the call.","examples":["1.2.0","^1.2"],"maxLength":255,"minLength":1,"title":"Workflow version","type":"string"}},"required":["type","stepId","workflowId"],"type":"object"},"TaskStep":{"additionalProperties":false,"description":"Runs a task: code, a remote call, a worker, whatever the task definition says.","properties":{"assign":{"description":"Workflow variables to write after success, each with a mapping. All of them see the old values.","examples":[{"approvedBy":"${output.userId}","rounds":"${vars.rounds + 1}"}],"title":"Assign","type":"object"},"description":{"description":"What the step is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"heartbeatTimeout":{"$ref":"#/$defs/Duration","description":"Longest silence of the task''s handler before the attempt counts as failed. Default: no limit.","examples":["PT30S"],"title":"Heartbeat timeout"},"input":{"description":"Mapping evaluated when the step is entered; its result is the step''s input. Default: an empty object.","examples":[{"orderId":"${input.orderId}","total":"${sum(input.items.map(i, i.price))}"}],"title":"Input"},"integrationInstanceId":{"description":"The integration instance to use, for tasks of type INTEGRATION. Default: what the task definition selects.","examples":["stripe-production"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Integration instance id","type":"string"},"maxVisits":{"default":100,"description":"How often the step may be entered in one scope, a guard against endless loops. Default: 100.","examples":[10],"maximum":100000,"minimum":1,"title":"Max visits","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"next":{"description":"Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.","examples":[[{"nextStepId":"ship","on":"Approved"},{"nextStepId":"reject"}]],"items":{"$ref":"#/$defs/Transition"},"title":"Next","type":"array"},"onFailure":{"$ref":"#/$defs/OnFailure","description":"What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.","examples":[{"action":"CONTINUE","nextStepId":"report"},{"handlers":[{"errorCategory":"BUSINESS","nextStepId":"reject"}]}],"title":"On failure"},"outputMapping":{"description":"Mapping that turns the raw result, read as `output`, into the step''s output. Default: the raw result.","examples":[{"approved":"${output.decision == ''approved''}"}],"title":"Output mapping"},"retryPolicy":{"$ref":"#/$defs/RetryPolicy","description":"How failed attempts are repeated. Default: the policy of the task definition, else that of the workflow.","examples":[{"initialInterval":"PT2S","maxAttempts":5}],"title":"Retry policy"},"stepId":{"description":"Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.","examples":["approve-order","ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Step id","type":"string"},"taskId":{"description":"Business id of the task to run.","examples":["charge-card"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Task id","type":"string"},"taskVersion":{"description":"Version of the task, exact or a SemVer range. Default: the highest published one when the instance starts.","examples":["1.2.0","^1.2"],"maxLength":255,"minLength":1,"title":"Task version","type":"string"},"timeout":{"$ref":"#/$defs/Duration","description":"Limit of one attempt, from its start to its result. Default: that of the task definition, else PT5M.","examples":["PT30S","PT5M"],"title":"Timeout"},"type":{"const":"TASK","description":"Says that this is a TASK step.","examples":["TASK"],"title":"Type"}},"required":["type","stepId","taskId"],"type":"object"},"Transition":{"additionalProperties":false,"description":"One rule of `next`: the step to go to, and when.","properties":{"condition":{"description":"Expression that must be true for the rule to hold. With `on`, both must hold; with neither the rule is the default and stands last.","examples":["output.amount > 1000"],"title":"Condition","type":"string"},"nextStepId":{"description":"The step to go to, in the same scope or in an enclosing one.","examples":["ship"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Next step id","type":"string"},"on":{"description":"Outcome code, or list of codes, for which the rule holds.","examples":["Approved",["Approved","Accepted"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"maxLength":255,"minItems":1,"minLength":1,"title":"On","type":["string","array"],"uniqueItems":true}},"required":["nextStepId"],"type":"object"},"UiBinding":{"additionalProperties":false,"description":"A UI component bound to a task or a workflow.","properties":{"componentId":{"description":"Business id of the component, or the id, `@` and a version.","examples":["order-form","order-form@1.2.0"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}(?:@(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?)?$","title":"Component id","type":"string"},"condition":{"description":"Expression that must be true for the component to be shown; one that cannot be evaluated counts as false. Default: always shown.","examples":["task.priority == ''HIGH''"],"title":"Condition","type":"string"},"context":{"$ref":"#/$defs/UiContext","description":"How the component is introduced.","examples":[{"layout":"CARD","title":"Order ${input.orderId}"}],"title":"Context"},"data":{"description":"Mapping that builds the component''s `data`. Default: the input of the task, or the run.","examples":[{"order":"${input.order}"}],"title":"Data"},"priority":{"default":0,"description":"Among the entries that fit, the one with the highest number is shown. Default: 0.","examples":[10],"maximum":2147483647,"minimum":-2147483648,"title":"Priority","type":"integer"},"slot":{"$ref":"#/$defs/UiSlot","default":"MAIN","description":"Where it stands: MAIN shows one component, ASIDE all that fit. Default: MAIN.","examples":["ASIDE"],"title":"Slot"}},"required":["componentId"],"type":"object"},"UiContext":{"additionalProperties":false,"description":"How a component is introduced.","properties":{"description":{"description":"Text below the heading, a template.","examples":["Check the address first."],"title":"Description","type":"string"},"layout":{"description":"A hint how to lay it out, for example TIMELINE, CARD, ALERT or PANEL.","examples":["TIMELINE","CARD"],"title":"Layout","type":"string"},"title":{"description":"Heading above the component, a template.","examples":["Order ${input.orderId}"],"title":"Title","type":"string"}},"type":"object"},"UiSlot":{"description":"Where a component stands. MAIN: the one main place. ASIDE: beside it.","enum":["MAIN","ASIDE"],"type":"string"}},"$id":"aug://schema/core.workflow/1.0.0","\u0024schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"description":"A durable process: a graph of steps that starts at one step and ends where a path ends.","properties":{"\u0024schema":{"description":"Address of a JSON Schema for your editor. Accepted anywhere, never stored.","examples":["aug://schema/core.workflow/1.0.0"],"title":"Schema","type":"string"},"cancellationTriggers":{"description":"Events that cancel a running instance.","examples":[[{"correlationKey":"event.payload.orderId","correlationValue":"input.orderId","eventPattern":"order.cancelled","reason":"the customer cancelled","shouldCompensate":true}]],"items":{"$ref":"#/$defs/CancellationTrigger"},"title":"Cancellation triggers","type":"array"},"compensateOnFailure":{"description":"Whether a failure runs the compensation steps. Default: true if there are any.","examples":[false],"title":"Compensate on failure","type":"boolean"},"compensationSteps":{"description":"What undoes completed steps, in reverse order of their completion, when the workflow fails or is cancelled.","examples":[[{"compensationFor":"charge","stepId":"refund","taskId":"refund-payment"}]],"items":{"$ref":"#/$defs/CompensationStep"},"title":"Compensation steps","type":"array"},"concurrency":{"$ref":"#/$defs/Concurrency","description":"Limits how many instances live at once. Default: no limit.","examples":[{"key":"input.customerId","max":1}],"title":"Concurrency"},"defaultRetryPolicy":{"$ref":"#/$defs/RetryPolicy","description":"Retry policy of tasks for which neither the step nor the task definition states one.","examples":[{"maxAttempts":5}],"title":"Default retry policy"},"description":{"description":"What the workflow is for, in a sentence or two.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"executionLog":{"$ref":"#/$defs/ExecutionLog","description":"How much of a run is logged and how long details are kept.","examples":[{"level":"DEBUG","retention":"P90D"}],"title":"Execution log"},"executionTimeout":{"$ref":"#/$defs/Duration","description":"The longest an instance may take from start to end. Default: no limit.","examples":["P30D"],"title":"Execution timeout"},"inputSchema":{"default":{"type":"object"},"description":"JSON Schema of the input. A start whose input does not fit is refused. Default: any object.","examples":[{"properties":{"orderId":{"type":"string"}},"required":["orderId"],"type":"object"}],"title":"Input schema","type":["object","boolean"]},"kind":{"const":"workflow","description":"Says that this document defines a workflow.","examples":["workflow"],"title":"Kind"},"layout":{"description":"Positions for a graphical designer. The engine does not read it, and it is no part of the content hash.","examples":[{"approve-order":{"x":120,"y":80}}],"title":"Layout","type":"object"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Approve order"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"onError":{"$ref":"#/$defs/OnError","description":"Handler of errors that no step handled; it runs once.","examples":[{"handlerStepId":"report-failure"}],"title":"On error"},"output":{"description":"Mapping that builds the output of the workflow. Default: the output of the step its path ended with. The `output` of an END step wins over it.","examples":[{"status":"done","total":"${vars.total}"}],"title":"Output"},"outputSchema":{"description":"JSON Schema of the output, checked when the workflow completes.","examples":[{"required":["status"],"type":"object"}],"title":"Output schema","type":["object","boolean"]},"runAs":{"default":"initiator","description":"Whose permissions task and integration calls use: `initiator`, or `serviceAccount:` and its name. Default: `initiator`.","examples":["initiator","serviceAccount:billing"],"pattern":"^(?:initiator|serviceAccount:[A-Za-z0-9][A-Za-z0-9_.-]{0,254})$","title":"Run as","type":"string"},"signals":{"additionalProperties":{"type":["object","boolean"]},"description":"The signals this workflow accepts, each with the JSON Schema of its payload. Default: any signal with any payload.","examples":[{"approve":{"properties":{"comment":{"type":"string"}},"type":"object"}}],"title":"Signals","type":"object"},"startStepId":{"description":"The step to begin with. Default: the START step, else the first one.","examples":["receive"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Start step id","type":"string"},"steps":{"description":"The steps. Nested steps stand inside PARALLEL branches and FOR_EACH bodies; a definition holds at most 500, nested at most 8 deep.","examples":[[{"stepId":"ship","taskId":"ship-order","type":"TASK"}]],"items":{"$ref":"#/$defs/Step"},"minItems":1,"title":"Steps","type":"array"},"uiComponents":{"description":"UI components of the run view.","examples":[[{"componentId":"order-overview"}]],"items":{"$ref":"#/$defs/UiBinding"},"title":"UI components","type":"array"},"variables":{"description":"Variables and their first values, a mapping that may read `input` only. Steps change them with `assign`.","examples":[{"customer":"${input.customer}","total":0}],"title":"Variables","type":"object"},"version":{"description":"Semantic version of this definition. Published content never changes, so every change needs a new version.","examples":["1.0.0","2.3.1"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Version","type":"string"},"workflowId":{"description":"Business id of the workflow. It stays the same over all versions; triggers, schedules and other workflows refer to it.","examples":["order-processing"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Workflow id","type":"string"}},"required":["kind","workflowId","version","name","steps"],"title":"Workflow definition","type":"object"}');
INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', '1ec5edb0-9fe6-89ce-bd89-ea23bae46a8c', 'schema', 'core.task', '1.0.0', 'Task definition', 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', '1ec5edb0-9fe6-89ce-bd89-ea23bae46a8c', 'PUBLISHED', '\x1e06a40378aa01bc4514538c798bf47823578c52230ba53e785339a568053d89', clock_timestamp(), 'core.task', '1.0.0', 'Task definition',
    '{"$defs":{"AiAgentImplementation":{"additionalProperties":false,"description":"A language model that is given a prompt and, maybe, tools.","properties":{"endpoint":{"description":"Name under which the host registered the model.","examples":["small-model"],"maxLength":255,"minLength":1,"title":"Endpoint","type":"string"},"kind":{"const":"AI_AGENT","description":"Says that the work is done by means of AI_AGENT.","examples":["AI_AGENT"],"title":"Kind"},"parameters":{"$ref":"#/$defs/AiAgentParameters","description":"Prompts, tools and limits.","examples":[{"systemPrompt":"You classify letters.","userPrompt":"${input.text}"}],"title":"Parameters"}},"required":["kind","endpoint"],"type":"object"},"AiAgentParameters":{"additionalProperties":false,"description":"Prompts, tools and limits of a language model.","properties":{"examples":{"description":"Examples of good answers.","examples":[[{"input":{"text":"Where is my order?"},"output":{"topic":"delivery"}}]],"items":{"$ref":"#/$defs/AiExample"},"title":"Examples","type":"array"},"maxTokens":{"description":"The longest answer, in tokens.","examples":[2000],"maximum":10000000,"minimum":1,"title":"Max tokens","type":"integer"},"maxToolRounds":{"default":10,"description":"How many rounds of tool calls at most. Default: 10.","examples":[5],"maximum":50,"minimum":1,"title":"Max tool rounds","type":"integer"},"repairRounds":{"default":1,"description":"How often an answer that does not fit the output schema is sent back with its findings. Default: 1.","examples":[2],"maximum":5,"minimum":0,"title":"Repair rounds","type":"integer"},"systemPrompt":{"description":"Who the model is and what it must keep to, a template over `input` and `task`.","examples":["You classify letters of customers."],"title":"System prompt","type":"string"},"temperature":{"default":0.7,"description":"How freely it answers, from 0 to 2. Default: 0.7.","examples":[0.2],"maximum":2,"minimum":0,"title":"Temperature","type":"number"},"tools":{"description":"Business ids of the tasks (NATIVE or HTTP) the model may call.","examples":[["find-order"]],"items":{"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","type":"string"},"title":"Tools","type":"array","uniqueItems":true},"userPrompt":{"description":"What it is asked, a template over `input` and `task`.","examples":["Letter: ${input.text}"],"title":"User prompt","type":"string"}},"type":"object"},"AiExample":{"additionalProperties":false,"description":"An example for a language model.","properties":{"input":{"description":"The input of the example.","examples":[{"text":"Where is my order?"}],"title":"Input"},"output":{"description":"The output that would be right.","examples":[{"topic":"delivery"}],"title":"Output"}},"required":["input","output"],"type":"object"},"AllowedActions":{"additionalProperties":false,"description":"What the person who works on a task may do.","properties":{"bulkComplete":{"default":false,"description":"Complete many at once. Default: false.","examples":[true],"title":"Bulk complete","type":"boolean"},"claim":{"default":true,"description":"Take an offered task. Default: true.","examples":[false],"title":"Claim","type":"boolean"},"delegate":{"default":true,"description":"Hand it to somebody else for the work. Default: true.","examples":[false],"title":"Delegate","type":"boolean"},"reassign":{"default":true,"description":"Hand it to somebody else for good. Default: true.","examples":[false],"title":"Reassign","type":"boolean"},"release":{"default":true,"description":"Give it back. Default: true.","examples":[false],"title":"Release","type":"boolean"},"requestInfo":{"default":true,"description":"Ask somebody a question about it. Default: true.","examples":[false],"title":"Request info","type":"boolean"},"saveDraft":{"default":true,"description":"Save unfinished work. Default: true.","examples":[false],"title":"Save draft","type":"boolean"}},"type":"object"},"Assignment":{"additionalProperties":false,"description":"Who works on a task.","properties":{"candidates":{"$ref":"#/$defs/Candidates","description":"Who may work on it: the union of users, roles, teams and departments, less those who lack one of the skills or attributes.","examples":[{"roles":["approver"],"skills":["german"]}],"title":"Candidates"},"excludeUsers":{"default":[],"description":"Users who may not, for example whoever did the work before (four-eyes rule); templates over `input` and `workflow`.","examples":[["${workflow.initiatorId}"]],"items":{"minLength":1,"type":"string"},"title":"Exclude users","type":"array"},"maxOpenPerUser":{"default":10,"description":"AUTO passes over users who have this many open tasks. Default: 10.","examples":[5],"maximum":1000000,"minimum":1,"title":"Max open per user","type":"integer"},"mode":{"$ref":"#/$defs/AssignmentMode","default":"OFFER","description":"DIRECT gives it to one user, OFFER shows it to all candidates, AUTO picks one of them. Default: OFFER.","examples":["AUTO"],"title":"Mode"},"onNoCandidates":{"$ref":"#/$defs/OnNoCandidates","default":"FALLBACK","description":"What happens when nobody qualifies: WAIT, FALLBACK to the fallback role, or FAIL. Default: FALLBACK.","examples":["FAIL"],"title":"On no candidates"},"strategy":{"$ref":"#/$defs/AssignmentStrategy","default":"LOAD_BALANCED","description":"How AUTO picks. Default: LOAD_BALANCED.","examples":["ROUND_ROBIN"],"title":"Strategy"}},"type":"object"},"AssignmentMode":{"description":"How a task reaches its people. OFFER: all candidates see it, one claims it. DIRECT: one user gets it. AUTO: one of the candidates is picked.","enum":["OFFER","DIRECT","AUTO"],"type":"string"},"AssignmentStrategy":{"description":"How AUTO picks among candidates. LOAD_BALANCED: the one with the fewest open tasks. SKILL_BASED: the one whose skills fit best. ROUND_ROBIN: one after the other.","enum":["LOAD_BALANCED","SKILL_BASED","ROUND_ROBIN"],"type":"string"},"AwsLambdaImplementation":{"additionalProperties":false,"description":"A function of AWS Lambda, called through a hook of the host.","properties":{"endpoint":{"description":"ARN or name of the function.","examples":["arn:aws:lambda:eu-central-1:123456789012:function:resize"],"maxLength":255,"minLength":1,"title":"Endpoint","type":"string"},"kind":{"const":"AWS_LAMBDA","description":"Says that the work is done by means of AWS_LAMBDA.","examples":["AWS_LAMBDA"],"title":"Kind"}},"required":["kind","endpoint"],"type":"object"},"Candidates":{"additionalProperties":false,"description":"Who may work on a task; every entry is literal or a template over `input` and `workflow`.","properties":{"attributes":{"description":"Attributes of the user and their values; all of them must fit.","examples":[{"region":"${input.region}"}],"title":"Attributes","type":"object"},"departments":{"description":"Departments.","examples":[["finance"]],"items":{"minLength":1,"type":"string"},"title":"Departments","type":"array"},"roles":{"description":"Role ids.","examples":[["approver"]],"items":{"minLength":1,"type":"string"},"title":"Roles","type":"array"},"skills":{"description":"Skills; all of them are needed.","examples":[["german"]],"items":{"minLength":1,"type":"string"},"title":"Skills","type":"array"},"teams":{"description":"Team ids.","examples":[["claims"]],"items":{"minLength":1,"type":"string"},"title":"Teams","type":"array"},"users":{"description":"User ids.","examples":[["anna","${input.ownerId}"]],"items":{"minLength":1,"type":"string"},"title":"Users","type":"array"}},"type":"object"},"Channel":{"description":"A way to tell people. EMAIL: e-mail. IN_APP: inside the application. PUSH: push message. CALENDAR: calendar entry. CHAT: chat message. SMS: text message. WEBHOOK: hTTP call.","enum":["EMAIL","IN_APP","PUSH","CALENDAR","CHAT","SMS","WEBHOOK"],"type":"string"},"DataClassification":{"description":"How sensitive data are. PUBLIC: for everybody. INTERNAL: for people of the organisation. CONFIDENTIAL: for those who need them. RESTRICTED: for named people only.","enum":["PUBLIC","INTERNAL","CONFIDENTIAL","RESTRICTED"],"type":"string"},"DataMapping":{"additionalProperties":false,"description":"Mappings between a task and the method of an integration.","properties":{"inputMapping":{"description":"Mapping over `input` that builds the method''s input.","examples":[{"amount":"${input.amount}"}],"title":"Input mapping"},"outputMapping":{"description":"Mapping over `output` that builds the task''s output.","examples":[{"paymentId":"${output.id}"}],"title":"Output mapping"}},"type":"object"},"DeliveryMode":{"description":"What happens when a worker is lost. AT_LEAST_ONCE: the task is run again. AT_MOST_ONCE: the task fails, since nobody knows whether its work was done.","enum":["AT_LEAST_ONCE","AT_MOST_ONCE"],"type":"string"},"Due":{"additionalProperties":false,"description":"When a task should be done.","properties":{"byPriority":{"additionalProperties":false,"description":"How long after its creation, for each priority.","examples":[{"CRITICAL":"PT1H","HIGH":"PT8H"}],"properties":{"CRITICAL":{"$ref":"#/$defs/Duration","description":"How long a task of priority CRITICAL may take.","examples":["PT1H"],"title":"CRITICAL"},"HIGH":{"$ref":"#/$defs/Duration","description":"How long a task of priority HIGH may take.","examples":["PT8H"],"title":"HIGH"},"LOW":{"$ref":"#/$defs/Duration","description":"How long a task of priority LOW may take.","examples":["P5D"],"title":"LOW"},"MEDIUM":{"$ref":"#/$defs/Duration","description":"How long a task of priority MEDIUM may take.","examples":["P2D"],"title":"MEDIUM"}},"title":"By priority","type":"object"},"calendarId":{"description":"Business calendar of the host.","examples":["german-holidays"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Calendar id","type":"string"},"duration":{"$ref":"#/$defs/Duration","default":"PT24H","description":"How long after its creation. Default: PT24H.","examples":["P2D"],"title":"Duration"},"expression":{"description":"Expression over `input`, `workflow` and `now` that gives the instant.","examples":["timestamp(input.dueAt)"],"title":"Expression","type":"string"},"useBusinessHours":{"default":false,"description":"Whether only working time counts. Default: false.","examples":[true],"title":"Use business hours","type":"boolean"}},"type":"object"},"Duration":{"description":"A length of time in the form of ISO 8601: weeks, or days, hours, minutes and seconds. No months, no years.","pattern":"^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$","type":"string"},"Escalation":{"additionalProperties":false,"description":"What happens when a task is late.","properties":{"levels":{"description":"The levels, each done once when its time has come. Default: NOTIFY when it is due.","examples":[[{"action":"NOTIFY","atFraction":1},{"action":"REASSIGN","after":"P1D","targets":["supervisor"]}]],"items":{"$ref":"#/$defs/EscalationLevel"},"title":"Levels","type":"array"}},"type":"object"},"EscalationAction":{"description":"What is done about a late task. NOTIFY: people are told. NOTIFY_MANAGER: the assignee''s manager is told. REASSIGN: others get the task. RAISE_PRIORITY: its priority rises by one. AUTO_COMPLETE: it is completed with a fixed output. FAIL: it fails.","enum":["NOTIFY","NOTIFY_MANAGER","REASSIGN","RAISE_PRIORITY","AUTO_COMPLETE","FAIL"],"type":"string"},"EscalationLevel":{"additionalProperties":false,"description":"One measure against lateness. Exactly one of `atFraction` and `after` says when.","oneOf":[{"required":["atFraction"]},{"required":["after"]}],"properties":{"action":{"$ref":"#/$defs/EscalationAction","description":"What is done.","examples":["NOTIFY_MANAGER"],"title":"Action"},"after":{"$ref":"#/$defs/Duration","description":"When, as a duration after it was due.","examples":["P1D"],"title":"After"},"atFraction":{"description":"When, as a fraction of the time from creation to due; 1 is when it is due.","examples":[1,1.5],"maximum":1000,"minimum":1,"title":"At fraction","type":"number"},"output":{"description":"The output with which AUTO_COMPLETE completes the task; literal.","examples":[{"decision":"rejected"}],"title":"Output","type":"object"},"targets":{"description":"Who is told or gets the task: user, role or team ids, or templates over `input` and `workflow`.","examples":[["supervisor","${workflow.initiatorId}"]],"items":{"minLength":1,"type":"string"},"title":"Targets","type":"array"}},"required":["action"],"type":"object"},"ExecutionConfig":{"additionalProperties":false,"description":"Where and with which rights and resources a task runs.","properties":{"concurrency":{"$ref":"#/$defs/TaskConcurrency","description":"Limits how many of these tasks run at once; stating it always queues the task. Default: no limit.","examples":[{"key":"${input.accountId}","max":1}],"title":"Concurrency"},"deliveryMode":{"$ref":"#/$defs/DeliveryMode","default":"AT_LEAST_ONCE","description":"What happens when a worker is lost: AT_LEAST_ONCE runs the task again, AT_MOST_ONCE fails it. Default: AT_LEAST_ONCE.","examples":["AT_MOST_ONCE"],"title":"Delivery mode"},"environmentVariables":{"additionalProperties":{"type":"string"},"description":"Environment variables of a sandbox; a value may be `secret:` and a name. `TASK_ID` and `WORKFLOW_ID` are reserved.","examples":[{"API_TOKEN":"secret:shop-token","REGION":"eu"}],"properties":{"TASK_ID":false,"WORKFLOW_ID":false},"title":"Environment variables","type":"object"},"executor":{"description":"The executor pool, which is the queue of that name: `standard`, `isolated`, `high-resource`, `integration` or one of the host. Default: derived; stating it always queues the task.","examples":["isolated"],"pattern":"^[A-Za-z_][A-Za-z0-9_-]{0,63}$","title":"Executor","type":"string"},"resourceRequirements":{"$ref":"#/$defs/ResourceRequirements","description":"Limits of a sandbox.","examples":[{"cpu":"500m","memory":"256Mi"}],"title":"Resource requirements"},"securityContext":{"$ref":"#/$defs/SecurityContext","description":"Rights and protection.","examples":[{"dataClassification":"CONFIDENTIAL","securityLevel":"HIGH"}],"title":"Security context"}},"type":"object"},"HttpAuth":{"additionalProperties":false,"description":"Credentials of an HTTP call.","if":{"properties":{"scheme":{"const":"HEADER"}},"required":["scheme"]},"properties":{"name":{"description":"Name of the header with HEADER, of the user with BASIC.","examples":["X-Api-Key"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"scheme":{"$ref":"#/$defs/HttpAuthScheme","description":"How the credentials are sent: BEARER token, BASIC user and password, or a HEADER of its own.","examples":["BEARER"],"title":"Scheme"},"secret":{"description":"Where the secret is found: `secret:` and its name. The secret itself never stands in a definition.","examples":["secret:shop-token"],"pattern":"^secret:[A-Za-z0-9][A-Za-z0-9_./-]{0,254}$","title":"Secret","type":"string"}},"required":["scheme","secret"],"then":{"required":["name"]},"type":"object"},"HttpAuthScheme":{"description":"How credentials are sent. BEARER: `Authorization: Bearer`. BASIC: `Authorization: Basic`. HEADER: a header of its own.","enum":["BEARER","BASIC","HEADER"],"type":"string"},"HttpImplementation":{"additionalProperties":false,"description":"A call of an HTTP address.","properties":{"endpoint":{"description":"Address to call, an absolute https URL; a template over `input` and `task`.","examples":["https://api.example.com/orders/${input.orderId}"],"maxLength":4096,"minLength":1,"title":"Endpoint","type":"string"},"kind":{"const":"HTTP","description":"Says that the work is done by means of HTTP.","examples":["HTTP"],"title":"Kind"},"parameters":{"$ref":"#/$defs/HttpParameters","description":"How the call is made.","examples":[{"body":{"orderId":"${input.orderId}"},"method":"POST"}],"title":"Parameters"}},"required":["kind","endpoint"],"type":"object"},"HttpMethod":{"description":"The method of an HTTP call. GET: gET. HEAD: hEAD. POST: pOST. PUT: pUT. PATCH: pATCH. DELETE: dELETE.","enum":["GET","HEAD","POST","PUT","PATCH","DELETE"],"type":"string"},"HttpParameters":{"additionalProperties":false,"description":"How an HTTP call is made.","properties":{"auth":{"$ref":"#/$defs/HttpAuth","description":"Credentials to send.","examples":[{"scheme":"BEARER","secret":"secret:shop-token"}],"title":"Auth"},"body":{"description":"Body to send, a mapping over `input` and `task`; sent as JSON unless it is text.","examples":[{"orderId":"${input.orderId}"}],"title":"Body"},"headers":{"additionalProperties":{"type":"string"},"description":"Headers by name; values are templates over `input` and `task`.","examples":[{"Accept-Language":"en","X-Order":"${input.orderId}"}],"title":"Headers","type":"object"},"maxResponseBytes":{"default":10485760,"description":"The largest answer that is read, in bytes. Default: 10485760 (10 MiB).","examples":[1048576],"maximum":1073741824,"minimum":1,"title":"Max response bytes","type":"integer"},"method":{"$ref":"#/$defs/HttpMethod","description":"HTTP method. Default: POST with a body, else GET.","examples":["POST"],"title":"Method"},"output":{"description":"Mapping over `status`, `headers` and `body` that builds the output. Default: an object of all three.","examples":[{"total":"${body.total}"}],"title":"Output"},"timeout":{"$ref":"#/$defs/Duration","default":"PT30S","description":"Limit of the call. Default: PT30S.","examples":["PT10S"],"title":"Timeout"},"validateStatus":{"description":"Status codes that count as success. Default: 200 to 299.","examples":[[200,201,404]],"items":{"maximum":599,"minimum":100,"type":"integer"},"minItems":1,"title":"Validate status","type":"array"}},"type":"object"},"HumanImplementation":{"additionalProperties":false,"description":"People; all settings stand in `manual`, the screens in `uiComponents`.","properties":{"kind":{"const":"HUMAN","description":"Says that the work is done by means of HUMAN.","examples":["HUMAN"],"title":"Kind"}},"required":["kind"],"type":"object"},"Implementation":{"description":"How the work of a task is done. Its `kind` says by what means, and which members it has.","oneOf":[{"$ref":"#/$defs/NativeImplementation"},{"$ref":"#/$defs/WorkerImplementation"},{"$ref":"#/$defs/HttpImplementation"},{"$ref":"#/$defs/ScriptImplementation"},{"$ref":"#/$defs/AiAgentImplementation"},{"$ref":"#/$defs/AwsLambdaImplementation"},{"$ref":"#/$defs/HumanImplementation"},{"$ref":"#/$defs/IntegrationImplementation"}],"type":"object","x-discriminator":"kind"},"InstanceSelector":{"additionalProperties":false,"description":"How an integration instance is chosen.","properties":{"parameters":{"description":"Parameters of the rule.","examples":[{"region":"eu"}],"title":"Parameters","type":"object"},"type":{"$ref":"#/$defs/InstanceSelectorType","default":"CONTEXT","description":"EXPLICIT names the instance in `value`, RULE names a rule there, CONTEXT takes the one that fits tenant and environment. Default: CONTEXT.","examples":["EXPLICIT"],"title":"Type"},"value":{"description":"The instance or the rule.","examples":["stripe-production"],"maxLength":255,"minLength":1,"title":"Value","type":"string"}},"type":"object"},"InstanceSelectorType":{"description":"How an integration instance is chosen. CONTEXT: the one that fits tenant and environment. EXPLICIT: the one that is named. RULE: the one a rule of the host gives.","enum":["CONTEXT","EXPLICIT","RULE"],"type":"string"},"IntegrationCall":{"additionalProperties":false,"description":"Which method of which integration is called, and how.","properties":{"allowFallback":{"default":false,"description":"Whether another instance may be used when the chosen one is unavailable. Default: false.","examples":[true],"title":"Allow fallback","type":"boolean"},"dataMapping":{"$ref":"#/$defs/DataMapping","description":"Mappings between the task and the method. Default: data passes through.","examples":[{"inputMapping":{"amount":"${input.amount}"}}],"title":"Data mapping"},"instanceSelector":{"$ref":"#/$defs/InstanceSelector","description":"How the integration instance, that is the connection, is chosen. Default: by context.","examples":[{"type":"EXPLICIT","value":"stripe-production"}],"title":"Instance selector"},"method":{"description":"Id of the method.","examples":["createCharge"],"maxLength":255,"minLength":1,"title":"Method","type":"string"},"onAuthError":{"$ref":"#/$defs/OnAuthError","default":"FAIL","description":"What happens when the credentials are refused: FAIL, or PARK the task until they are renewed. Default: FAIL.","examples":["PARK"],"title":"On auth error"},"type":{"description":"Business id of the integration.","examples":["stripe"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Type","type":"string"}},"required":["type","method"],"type":"object"},"IntegrationImplementation":{"additionalProperties":false,"description":"A method of an integration.","properties":{"integration":{"$ref":"#/$defs/IntegrationCall","description":"Which method of which integration is called, and how.","examples":[{"method":"createCharge","type":"stripe"}],"title":"Integration"},"kind":{"const":"INTEGRATION","description":"Says that the work is done by means of INTEGRATION.","examples":["INTEGRATION"],"title":"Kind"},"parameters":{"$ref":"#/$defs/IntegrationParameters","description":"Settings of this call.","examples":[{"monitoring":{"enabled":true}}],"title":"Parameters"}},"required":["kind","integration"],"type":"object"},"IntegrationParameters":{"additionalProperties":false,"description":"Settings of an integration call.","properties":{"features":{"description":"Feature switches for the integration.","examples":[{"sandbox":true}],"title":"Features","type":"object"},"monitoring":{"description":"Monitoring settings for the integration.","examples":[{"enabled":true}],"title":"Monitoring","type":"object"},"rateLimit":{"description":"Rate limit settings for the integration.","examples":[{"requestsPerMinute":60}],"title":"Rate limit","type":"object"}},"type":"object"},"Interaction":{"description":"What sort of human work it is. GENERIC: no special sort. APPROVAL: say yes or no. DATA_ENTRY: fill in data. DECISION: choose among outcomes. INVESTIGATION: find something out. REVIEW: check something. INFO_REQUEST: answer a question about another task. EXCEPTION: decide about a failed task.","enum":["GENERIC","APPROVAL","DATA_ENTRY","DECISION","INVESTIGATION","REVIEW","INFO_REQUEST","EXCEPTION"],"type":"string"},"Manual":{"additionalProperties":false,"description":"Settings of human work. A HUMAN_TASK step may state some of them; they replace those of the task definition member by member.","properties":{"allow":{"$ref":"#/$defs/AllowedActions","description":"What the person who works on it may do.","examples":[{"delegate":false}],"title":"Allow"},"assignment":{"$ref":"#/$defs/Assignment","description":"Who works on it.","examples":[{"candidates":{"roles":["approver"]},"mode":"OFFER"}],"title":"Assignment"},"due":{"$ref":"#/$defs/Due","description":"When it should be done. Default: PT24H after its creation.","examples":[{"duration":"P2D"}],"title":"Due"},"escalation":{"$ref":"#/$defs/Escalation","description":"What happens when it is late. Default: a notification when it is due.","examples":[{"levels":[{"action":"NOTIFY_MANAGER","after":"P1D"}]}],"title":"Escalation"},"instructions":{"description":"What to do; a template over `input` and `workflow`.","examples":["Check amount and address."],"title":"Instructions","type":"string"},"interaction":{"$ref":"#/$defs/Interaction","default":"GENERIC","description":"What sort of work it is: an inbox filter, and which screen is shown by default. Default: GENERIC.","examples":["APPROVAL"],"title":"Interaction"},"maxDelegationDepth":{"default":3,"description":"How often it may be delegated on. Default: 3.","examples":[1],"maximum":100,"minimum":0,"title":"Max delegation depth","type":"integer"},"notifications":{"$ref":"#/$defs/Notifications","description":"Channels of the notifications. Default: IN_APP.","examples":[{"assignment":["EMAIL","IN_APP"]}],"title":"Notifications"},"outcomeField":{"default":"decision","description":"The member of the output that holds the chosen outcome. Default: `decision`.","examples":["decision"],"maxLength":255,"minLength":1,"title":"Outcome field","type":"string"},"outcomes":{"description":"The possible results, shown as buttons.","examples":[[{"id":"approved","label":"Approve"},{"id":"rejected","label":"Reject","requiresComment":true}]],"items":{"$ref":"#/$defs/ManualOutcome"},"title":"Outcomes","type":"array"},"reference":{"description":"A reference of your business for the inbox, for example an order number; a template over `input` and `workflow`.","examples":["${input.orderId}"],"title":"Reference","type":"string"},"reminders":{"default":[0.5,0.75,0.9],"description":"When people are reminded, as fractions of the time from creation to due, ascending. Default: 0.5, 0.75 and 0.9.","examples":[[0.5,0.9]],"items":{"exclusiveMaximum":1,"exclusiveMinimum":0,"type":"number"},"title":"Reminders","type":"array"},"shareDrafts":{"default":true,"description":"Whether a successor sees the predecessor''s draft. Default: true.","examples":[false],"title":"Share drafts","type":"boolean"},"title":{"description":"Title in the inbox, a template over `input` and `workflow`. Default: the name of the task or step.","examples":["Approve order ${input.orderId}"],"title":"Title","type":"string"}},"type":"object"},"ManualOutcome":{"additionalProperties":false,"description":"One possible result of human work.","properties":{"id":{"description":"Outcome code, for the `next` rules of the step and for the output.","examples":["approved"],"maxLength":255,"minLength":1,"title":"Id","type":"string"},"label":{"description":"Text of the button. Default: the id.","examples":["Approve"],"maxLength":255,"minLength":1,"title":"Label","type":"string"},"requiresComment":{"default":false,"description":"Whether a comment must be given. Default: false.","examples":[true],"title":"Requires comment","type":"boolean"}},"required":["id"],"type":"object"},"NativeImplementation":{"additionalProperties":false,"description":"A handler written in Rust and registered by the host.","properties":{"endpoint":{"description":"Name under which the host registered the handler.","examples":["payments.charge"],"maxLength":255,"minLength":1,"title":"Endpoint","type":"string"},"kind":{"const":"NATIVE","description":"Says that the work is done by means of NATIVE.","examples":["NATIVE"],"title":"Kind"},"parameters":{"description":"Settings for the handler; it may declare a schema for them.","examples":[{"currency":"EUR"}],"title":"Parameters","type":"object"}},"required":["kind","endpoint"],"type":"object"},"Notifications":{"additionalProperties":false,"description":"Channels of the notifications, for each occasion. Default: IN_APP.","properties":{"assignment":{"default":["IN_APP"],"description":"When it is assigned or offered.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Assignment","type":"array"},"completion":{"default":["IN_APP"],"description":"When it is completed.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Completion","type":"array"},"escalation":{"default":["IN_APP"],"description":"When it is escalated.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Escalation","type":"array"},"reassignment":{"default":["IN_APP"],"description":"When somebody else gets it.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Reassignment","type":"array"},"reminder":{"default":["IN_APP"],"description":"When a reminder is due.","examples":[["EMAIL","IN_APP"]],"items":{"$ref":"#/$defs/Channel"},"title":"Reminder","type":"array"}},"type":"object"},"OnAuthError":{"description":"What happens when credentials are refused. FAIL: the attempt fails. PARK: the task waits until they are renewed.","enum":["FAIL","PARK"],"type":"string"},"OnExhausted":{"description":"What happens after the last failed attempt. FAIL: the task fails. RAISE_EXCEPTION: an exception task asks people what to do.","enum":["FAIL","RAISE_EXCEPTION"],"type":"string"},"OnNoCandidates":{"description":"What happens when nobody qualifies. FALLBACK: the fallback role gets it. WAIT: it waits until somebody qualifies. FAIL: it fails.","enum":["FALLBACK","WAIT","FAIL"],"type":"string"},"ResourceRequirements":{"additionalProperties":false,"description":"Limits of a sandbox.","properties":{"cpu":{"default":"0.1","description":"Processor cores: a number, or thousandths with `m`. Default: 0.1.","examples":["0.5","500m"],"maxLength":64,"minLength":1,"title":"Cpu","type":"string"},"disk":{"default":"500Mi","description":"Disk space, with one of the units K, M, G, Ki, Mi, Gi. Default: 500Mi.","examples":["1Gi"],"maxLength":64,"minLength":1,"title":"Disk","type":"string"},"memory":{"default":"128Mi","description":"Memory, with one of the units K, M, G, Ki, Mi, Gi. Default: 128Mi.","examples":["256Mi"],"maxLength":64,"minLength":1,"title":"Memory","type":"string"}},"type":"object"},"RetryPolicy":{"additionalProperties":false,"description":"How often and how soon failed attempts are repeated; members left out have the shared defaults.","properties":{"backoffMultiplier":{"default":2,"description":"What the delay is multiplied by after each further failure. Default: 2.","examples":[2,1.5],"maximum":10,"minimum":1,"title":"Backoff multiplier","type":"number"},"initialInterval":{"$ref":"#/$defs/Duration","default":"PT1S","description":"Delay before the second attempt. Default: PT1S.","examples":["PT1S"],"title":"Initial interval"},"jitter":{"default":0.2,"description":"How far a delay is moved up or down at random, as a fraction of it. Default: 0.2.","examples":[0.2,0],"maximum":1,"minimum":0,"title":"Jitter","type":"number"},"maxAttempts":{"default":3,"description":"Attempts in total, the first one included. Default: 3.","examples":[5,1],"maximum":100,"minimum":1,"title":"Max attempts","type":"integer"},"maxInterval":{"$ref":"#/$defs/Duration","default":"PT30S","description":"The longest delay. Default: PT30S.","examples":["PT1M"],"title":"Max interval"},"nonRetryableErrors":{"default":[],"description":"Error codes or categories never to retry; wins over everything else.","examples":[["CARD_DECLINED"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"title":"Non retryable errors","type":"array"},"retryableErrors":{"description":"Error codes or categories to retry; if given, no others are. Default: what the error itself says.","examples":[["TRANSIENT","TIMEOUT"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"title":"Retryable errors","type":"array"}},"type":"object"},"ScriptImplementation":{"additionalProperties":false,"description":"A sandboxed program: a module the host registered, or code in `parameters`.","properties":{"endpoint":{"description":"Name of the module, unless `parameters.code` holds the program.","examples":["rules.wasm"],"maxLength":255,"minLength":1,"title":"Endpoint","type":"string"},"kind":{"const":"SCRIPT","description":"Says that the work is done by means of SCRIPT.","examples":["SCRIPT"],"title":"Kind"},"parameters":{"$ref":"#/$defs/ScriptParameters","description":"The program and its limits.","examples":[{"fuel":1000000,"runtime":"wasm"}],"title":"Parameters"}},"required":["kind"],"type":"object"},"ScriptParameters":{"additionalProperties":false,"description":"A sandboxed program and its limits.","properties":{"code":{"description":"The program itself: WebAssembly as base64 or as WAT text. Either this or `endpoint`.","examples":["(module (func (export \"run\")))"],"minLength":1,"title":"Code","type":"string"},"fuel":{"description":"How many instructions it may use.","examples":[1000000],"maximum":9007199254740991,"minimum":1,"title":"Fuel","type":"integer"},"runtime":{"description":"What runs it: `wasm`, or another runtime of the host.","examples":["wasm"],"maxLength":64,"minLength":1,"title":"Runtime","type":"string"}},"type":"object"},"SecurityContext":{"additionalProperties":false,"description":"Rights and protection of a task.","properties":{"allowedEndpoints":{"default":[],"description":"Hosts it may connect to, each with an optional port; `*` as the first label stands for any name. Default: none.","examples":[["api.example.com","*.example.org:8443"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"title":"Allowed endpoints","type":"array"},"dataClassification":{"$ref":"#/$defs/DataClassification","default":"INTERNAL","description":"How sensitive its data are; decides what is masked. Default: INTERNAL.","examples":["CONFIDENTIAL"],"title":"Data classification"},"permissions":{"default":[],"description":"Permissions, as `resource:action`, that the acting principal must hold. Default: none.","examples":[["payments:charge"]],"items":{"maxLength":255,"minLength":1,"type":"string"},"title":"Permissions","type":"array"},"runAs":{"description":"Service account it runs as. Default: that of the workflow, else who submitted it.","examples":["billing"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Run as","type":"string"},"securityLevel":{"$ref":"#/$defs/SecurityLevel","default":"LOW","description":"How strongly it is isolated. Default: LOW.","examples":["HIGH"],"title":"Security level"}},"type":"object"},"SecurityLevel":{"description":"How strongly a task is isolated. LOW: in process. MEDIUM: separated from others. HIGH: sandboxed.","enum":["LOW","MEDIUM","HIGH"],"type":"string"},"TaskConcurrency":{"additionalProperties":false,"description":"How many tasks run at once.","properties":{"key":{"description":"Template over `input`; tasks with the same text count together.","examples":["${input.accountId}"],"minLength":1,"title":"Key","type":"string"},"max":{"description":"How many of them may run at once.","examples":[1],"maximum":1000000,"minimum":1,"title":"Max","type":"integer"}},"required":["key","max"],"type":"object"},"TaskType":{"description":"Who does the work of a task. AUTOMATED: a program. MANUAL: people. INTEGRATION: a remote system through an integration.","enum":["AUTOMATED","MANUAL","INTEGRATION"],"type":"string"},"UiBinding":{"additionalProperties":false,"description":"A UI component bound to a task or a workflow.","properties":{"componentId":{"description":"Business id of the component, or the id, `@` and a version.","examples":["order-form","order-form@1.2.0"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}(?:@(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?)?$","title":"Component id","type":"string"},"condition":{"description":"Expression that must be true for the component to be shown; one that cannot be evaluated counts as false. Default: always shown.","examples":["task.priority == ''HIGH''"],"title":"Condition","type":"string"},"context":{"$ref":"#/$defs/UiContext","description":"How the component is introduced.","examples":[{"layout":"CARD","title":"Order ${input.orderId}"}],"title":"Context"},"data":{"description":"Mapping that builds the component''s `data`. Default: the input of the task, or the run.","examples":[{"order":"${input.order}"}],"title":"Data"},"priority":{"default":0,"description":"Among the entries that fit, the one with the highest number is shown. Default: 0.","examples":[10],"maximum":2147483647,"minimum":-2147483648,"title":"Priority","type":"integer"},"slot":{"$ref":"#/$defs/UiSlot","default":"MAIN","description":"Where it stands: MAIN shows one component, ASIDE all that fit. Default: MAIN.","examples":["ASIDE"],"title":"Slot"}},"required":["componentId"],"type":"object"},"UiContext":{"additionalProperties":false,"description":"How a component is introduced.","properties":{"description":{"description":"Text below the heading, a template.","examples":["Check the address first."],"title":"Description","type":"string"},"layout":{"description":"A hint how to lay it out, for example TIMELINE, CARD, ALERT or PANEL.","examples":["TIMELINE","CARD"],"title":"Layout","type":"string"},"title":{"description":"Heading above the component, a template.","examples":["Order ${input.orderId}"],"title":"Title","type":"string"}},"type":"object"},"UiSlot":{"description":"Where a component stands. MAIN: the one main place. ASIDE: beside it.","enum":["MAIN","ASIDE"],"type":"string"},"WorkerImplementation":{"additionalProperties":false,"description":"A worker process of any language that polls for the handler''s name; such a task always goes through a queue.","properties":{"endpoint":{"description":"Name of the handler, for which workers poll.","examples":["thumbnails.render"],"maxLength":255,"minLength":1,"title":"Endpoint","type":"string"},"kind":{"const":"WORKER","description":"Says that the work is done by means of WORKER.","examples":["WORKER"],"title":"Kind"},"parameters":{"description":"Settings, sent along with every task.","examples":[{"size":128}],"title":"Parameters","type":"object"}},"required":["kind","endpoint"],"type":"object"}},"$id":"aug://schema/core.task/1.0.0","\u0024schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"allOf":[{"if":{"properties":{"type":{"const":"MANUAL"}},"required":["type"]},"then":{"properties":{"heartbeatTimeout":false,"queueTimeout":false,"totalTimeout":false},"required":["manual"]}},{"if":{"properties":{"type":{"enum":["AUTOMATED","INTEGRATION"]}},"required":["type"]},"then":{"properties":{"manual":false}}}],"description":"A reusable unit of work, done by code, by a remote system or by people.","properties":{"\u0024schema":{"description":"Address of a JSON Schema for your editor. Accepted anywhere, never stored.","examples":["aug://schema/core.task/1.0.0"],"title":"Schema","type":"string"},"description":{"description":"What the task does, and what people who work on it need to know.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"executionConfig":{"$ref":"#/$defs/ExecutionConfig","description":"Where and with which rights and resources the task runs.","examples":[{"deliveryMode":"AT_MOST_ONCE"}],"title":"Execution config"},"heartbeatTimeout":{"$ref":"#/$defs/Duration","description":"Longest silence of the handler before the attempt counts as failed. Not for MANUAL tasks. Default: no limit.","examples":["PT30S"],"title":"Heartbeat timeout"},"implementation":{"$ref":"#/$defs/Implementation","description":"How the work is done.","examples":[{"endpoint":"payments.charge","kind":"NATIVE"}],"title":"Implementation"},"inputSchema":{"description":"JSON Schema of the input; its `type` is `object`.","examples":[{"properties":{"amount":{"type":"integer"}},"required":["amount"],"type":"object"}],"properties":{"type":{"const":"object"}},"required":["type"],"title":"Input schema","type":"object"},"kind":{"const":"task","description":"Says that this document defines a task.","examples":["task"],"title":"Kind"},"manual":{"$ref":"#/$defs/Manual","description":"Settings of human work; exactly the tasks of type MANUAL have them.","examples":[{"interaction":"APPROVAL","outcomes":[{"id":"approved"},{"id":"rejected"}]}],"title":"Manual"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people; the inbox shows it where no title is given.","examples":["Charge card"],"maxLength":255,"minLength":1,"pattern":"[^ ]","title":"Name","type":"string"},"onExhausted":{"$ref":"#/$defs/OnExhausted","default":"FAIL","description":"What happens after the last failed attempt: FAIL, or RAISE_EXCEPTION to hand the case to people as an exception task. Default: FAIL.","examples":["RAISE_EXCEPTION"],"title":"On exhausted"},"outputSchema":{"description":"JSON Schema of the output; its `type` is `object`.","examples":[{"required":["paymentId"],"type":"object"}],"properties":{"type":{"const":"object"}},"required":["type"],"title":"Output schema","type":"object"},"queueTimeout":{"$ref":"#/$defs/Duration","description":"The longest wait for the first start. Not for MANUAL tasks. Default: no limit.","examples":["PT1H"],"title":"Queue timeout"},"retryPolicy":{"$ref":"#/$defs/RetryPolicy","description":"How failed attempts are repeated; a step may state its own policy instead. Default: 3 attempts, for MANUAL tasks 1.","examples":[{"initialInterval":"PT2S","maxAttempts":5}],"title":"Retry policy"},"taskId":{"description":"Business id of the task. It stays the same over all versions; workflow steps refer to it.","examples":["charge-card"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Task id","type":"string"},"timeout":{"$ref":"#/$defs/Duration","description":"Limit of one attempt. Default: PT5M; for MANUAL tasks the hard expiry since creation, by default none.","examples":["PT30S"],"title":"Timeout"},"totalTimeout":{"$ref":"#/$defs/Duration","description":"Limit over all attempts and the delays between them. Not for MANUAL tasks. Default: no limit.","examples":["P1D"],"title":"Total timeout"},"type":{"$ref":"#/$defs/TaskType","description":"Who does the work: AUTOMATED a program, MANUAL people, INTEGRATION a remote system through an integration.","examples":["AUTOMATED"],"title":"Type"},"uiComponents":{"description":"UI components that show the task. Default: a form generated from the output schema.","examples":[[{"componentId":"order-form"}]],"items":{"$ref":"#/$defs/UiBinding"},"title":"UI components","type":"array"},"version":{"description":"Semantic version of this definition. Published content never changes, so every change needs a new version.","examples":["1.0.0","2.3.1"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Version","type":"string"}},"required":["kind","taskId","version","name","type","implementation","inputSchema","outputSchema"],"title":"Task definition","type":"object"}');
INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', '67adefb5-d9e3-8326-8735-8fffe39825e4', 'schema', 'core.event', '1.0.0', 'Event definition', 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', '67adefb5-d9e3-8326-8735-8fffe39825e4', 'PUBLISHED', '\x4332a0a9e8dfda26fa6a177878d92b6684096a866011faa11f43230c85c499c2', clock_timestamp(), 'core.event', '1.0.0', 'Event definition',
    '{"$defs":{"EventPrivacy":{"additionalProperties":false,"description":"Which members of a payload are personal data.","properties":{"fields":{"additionalProperties":{"$ref":"#/$defs/FieldPrivacy"},"description":"The members, each by its JSON Pointer into the payload.","examples":[{"/email":{"classification":"PII","encrypt":true}}],"title":"Fields","type":"object"},"subjectPath":{"description":"JSON Pointer to the member of the payload that names the person.","examples":["/customerId"],"pattern":"^(?:/(?:[^/~]|~[01])*)*$","title":"Subject path","type":"string"}},"type":"object"},"EventUiMetadata":{"additionalProperties":false,"description":"How designers show an event.","properties":{"category":{"description":"Heading under which it is listed.","examples":["Orders"],"maxLength":255,"minLength":1,"title":"Category","type":"string"},"color":{"description":"A colour, `#RRGGBB` or a name.","examples":["#2266AA","teal"],"pattern":"^(?:#[0-9A-Fa-f]{6}|[A-Za-z][A-Za-z0-9-]{0,63})$","title":"Color","type":"string"},"icon":{"description":"Name of an icon.","examples":["cart"],"maxLength":255,"minLength":1,"title":"Icon","type":"string"},"priority":{"$ref":"#/$defs/EventUiPriority","description":"How much it stands out.","examples":["HIGH"],"title":"Priority"}},"type":"object"},"EventUiPriority":{"description":"How much an event stands out. HIGH: much. MEDIUM: as usual. LOW: little.","enum":["HIGH","MEDIUM","LOW"],"type":"string"},"FieldPrivacy":{"additionalProperties":false,"description":"How one member of a payload is protected.","properties":{"classification":{"$ref":"#/$defs/PrivacyClass","default":"NONE","description":"What sort of data it is.","examples":["PII"],"title":"Classification"},"encrypt":{"default":false,"description":"Whether it is stored encrypted. Default: false.","examples":[true],"title":"Encrypt","type":"boolean"},"mask":{"$ref":"#/$defs/Mask","default":"FULL","description":"How it is shown to those who may not see it in full: FULL hides all, LAST4 all but four characters, HASH shows a hash.","examples":["LAST4"],"title":"Mask"}},"type":"object"},"Mask":{"description":"How a member is shown to those who may not see it in full. FULL: not at all. LAST4: its last four characters. HASH: a hash of it.","enum":["FULL","LAST4","HASH"],"type":"string"},"PrivacyClass":{"description":"What sort of data a member holds. NONE: nothing special. PII: personal data. PCI: card data. SECRET: a secret.","enum":["NONE","PII","PCI","SECRET"],"type":"string"},"SourceType":{"description":"Who emits an event. WORKFLOW: a workflow instance. TASK: a task. INTEGRATION: an integration. EXTERNAL: somebody outside, over the API. SYSTEM: the engine itself. SERVICE: a service of the host.","enum":["WORKFLOW","TASK","INTEGRATION","EXTERNAL","SYSTEM","SERVICE"],"type":"string"}},"$id":"aug://schema/core.event/1.0.0","\u0024schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"description":"Declares an event: its name, who may emit it and what its payload looks like.","properties":{"\u0024schema":{"description":"Address of a JSON Schema for your editor. Accepted anywhere, never stored.","examples":["aug://schema/core.event/1.0.0"],"title":"Schema","type":"string"},"description":{"description":"When the event happens and what it means.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"eventId":{"description":"Business id of the event. It stays the same over all versions.","examples":["Orders.placed"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Event id","type":"string"},"examples":{"default":[],"description":"Example payloads; each must fit the schema.","examples":[[{"id":"o-1"}]],"items":true,"title":"Examples","type":"array"},"kind":{"const":"event","description":"Says that this document defines an event.","examples":["event"],"title":"Kind"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["Order placed"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"pattern":{"description":"The exact name events are published under, the same for all versions: 2 to 6 segments joined by dots, no wildcards.","examples":["order.placed"],"maxLength":255,"pattern":"^[A-Za-z0-9_-]{1,64}(?:[.][A-Za-z0-9_-]{1,64}){1,5}$","title":"Pattern","type":"string"},"payloadSchema":{"description":"JSON Schema of the payload; its `type` is `object`.","examples":[{"properties":{"id":{"type":"string"}},"required":["id"],"type":"object"}],"properties":{"type":{"const":"object"}},"required":["type"],"title":"Payload schema","type":"object"},"privacy":{"$ref":"#/$defs/EventPrivacy","description":"Which members of the payload are personal data.","examples":[{"fields":{"/email":{"classification":"PII","mask":"HASH"}},"subjectPath":"/customerId"}],"title":"Privacy"},"retention":{"description":"How long such events are kept: a duration, or FOREVER. Default: that of the host, P30D.","examples":["P90D","FOREVER"],"pattern":"^(?:FOREVER|P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S)))$","title":"Retention","type":"string"},"sourceTypes":{"default":["WORKFLOW","TASK","INTEGRATION","SYSTEM","SERVICE"],"description":"Who may emit it. Default: all but EXTERNAL.","examples":[["SERVICE","EXTERNAL"]],"items":{"$ref":"#/$defs/SourceType"},"minItems":1,"title":"Source types","type":"array","uniqueItems":true},"streamKey":{"description":"Expression over `event` that gives the ordering key: events with the same key are handled in the order they came. Default: no order.","examples":["event.payload.orderId"],"title":"Stream key","type":"string"},"uiMetadata":{"$ref":"#/$defs/EventUiMetadata","description":"How designers show the event.","examples":[{"category":"Orders","color":"#2266AA","icon":"cart","priority":"HIGH"}],"title":"UI metadata"},"version":{"description":"Semantic version of this definition. Published content never changes, so every change needs a new version.","examples":["1.0.0","2.3.1"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Version","type":"string"}},"required":["kind","eventId","version","name","pattern","payloadSchema"],"title":"Event definition","type":"object"}');
INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', 'e0e3e862-0438-86be-9fa4-4f71f8b533e4', 'schema', 'core.trigger', '1.0.0', 'Trigger definition', 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', 'e0e3e862-0438-86be-9fa4-4f71f8b533e4', 'PUBLISHED', '\x717387988590891324a0b07c392a47e96705f06f20de538b3acda6efa45fe594', clock_timestamp(), 'core.trigger', '1.0.0', 'Trigger definition',
    '{"$defs":{"DuplicatePolicy":{"description":"What happens when an instance of the same workflow and key is running. ALLOW: another one is started. SKIP_IF_RUNNING: none is started. CANCEL_RUNNING: the running one is cancelled first.","enum":["ALLOW","SKIP_IF_RUNNING","CANCEL_RUNNING"],"type":"string"},"TriggerType":{"description":"What an event does. START: starts an instance. CANCEL: cancels the instances with its key. SIGNAL: sends them a signal.","enum":["START","CANCEL","SIGNAL"],"type":"string"}},"$id":"aug://schema/core.trigger/1.0.0","\u0024schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"description":"Lets an event start, cancel or signal instances of a workflow.","if":{"properties":{"triggerType":{"const":"SIGNAL"}},"required":["triggerType"]},"properties":{"\u0024schema":{"description":"Address of a JSON Schema for your editor. Accepted anywhere, never stored.","examples":["aug://schema/core.trigger/1.0.0"],"title":"Schema","type":"string"},"correlationKey":{"description":"Expression over `event` that gives the key, a text. It becomes the instance''s correlation id (START) or selects instances by it (CANCEL, SIGNAL, where it is required). Default for START: the event''s own correlation id.","examples":["event.payload.orderId"],"title":"Correlation key","type":"string"},"description":{"description":"What the trigger is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"duplicatePolicy":{"$ref":"#/$defs/DuplicatePolicy","default":"ALLOW","description":"What happens when an instance of the same workflow and key is running: ALLOW starts another one, SKIP_IF_RUNNING does not, CANCEL_RUNNING cancels the running one first. Default: ALLOW.","examples":["SKIP_IF_RUNNING"],"title":"Duplicate policy"},"eventCondition":{"description":"Expression over `event` that must be true; one that cannot be evaluated counts as false. Default: every event counts.","examples":["event.payload.amount > 1000"],"title":"Event condition","type":"string"},"eventPattern":{"description":"Pattern of the event names to listen to, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.","examples":["order.placed"],"pattern":"^(?:[*][*]|(?:[*]|[A-Za-z0-9_-]{1,64})(?:(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,5}|(?:[.](?:[*]|[A-Za-z0-9_-]{1,64})){0,4}[.][*][*]))$","title":"Event pattern","type":"string"},"inputMapping":{"description":"Mapping over `event` that builds the workflow''s input, or the payload of the signal. Default: the payload of the event.","examples":[{"orderId":"${event.payload.id}"}],"title":"Input mapping"},"kind":{"const":"trigger","description":"Says that this document defines a trigger.","examples":["trigger"],"title":"Kind"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"priority":{"default":0,"description":"Order among the triggers that fit an event, higher first. Default: 0.","examples":[10],"maximum":2147483647,"minimum":-2147483648,"title":"Priority","type":"integer"},"reason":{"description":"Reason recorded with a cancellation. Default: a text that names the pattern.","examples":["the customer cancelled the order"],"minLength":1,"title":"Reason","type":"string"},"shouldCompensate":{"default":true,"description":"Whether a cancellation compensates completed steps. Default: true.","examples":[false],"title":"Should compensate","type":"boolean"},"signalType":{"description":"Name of the signal to send, with SIGNAL.","examples":["approve"],"maxLength":255,"minLength":1,"title":"Signal type","type":"string"},"triggerId":{"description":"Business id of the trigger. It stays the same over all versions; exactly one version is live, the published one.","examples":["start-order"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Trigger id","type":"string"},"triggerType":{"$ref":"#/$defs/TriggerType","description":"What an event does: START an instance, CANCEL or SIGNAL those with its key.","examples":["START"],"title":"Trigger type"},"version":{"description":"Semantic version of this definition. Published content never changes, so every change needs a new version.","examples":["1.0.0","2.3.1"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Version","type":"string"},"versionRange":{"description":"SemVer range of event definition versions to listen to. Default: any.","examples":["^1"],"maxLength":255,"minLength":1,"title":"Version range","type":"string"},"workflowId":{"description":"Business id of the workflow.","examples":["order-processing"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Workflow id","type":"string"},"workflowVersion":{"description":"Version of the workflow to start. Default: the highest published one at that time.","examples":["1.2.0","^1.2"],"maxLength":255,"minLength":1,"title":"Workflow version","type":"string"}},"required":["kind","triggerId","version","workflowId","eventPattern","triggerType"],"then":{"required":["signalType"]},"title":"Trigger definition","type":"object"}');
INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', 'be2d657a-5748-864a-820a-b9e78438bbde', 'schema', 'core.schedule', '1.0.0', 'Schedule definition', 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', 'be2d657a-5748-864a-820a-b9e78438bbde', 'PUBLISHED', '\x7ca784aec1a40094927fc2c650426e21d8580a4ff85e770ee1d0531655f3bb64', clock_timestamp(), 'core.schedule', '1.0.0', 'Schedule definition',
    '{"$defs":{"Duration":{"description":"A length of time in the form of ISO 8601: weeks, or days, hours, minutes and seconds. No months, no years.","pattern":"^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$","type":"string"},"MisfirePolicy":{"description":"What happens with times that passed while nothing was running. RUN_ONCE: one run stands for all of them. SKIP: they are left out. RUN_ALL: each is made up for.","enum":["RUN_ONCE","SKIP","RUN_ALL"],"type":"string"},"OverlapPolicy":{"description":"What happens when the run before has not ended. SKIP: this one is left out. ALLOW: both run. BUFFER_ONE: one waits until the run before has ended. CANCEL_PREVIOUS: the run before is cancelled.","enum":["SKIP","ALLOW","BUFFER_ONE","CANCEL_PREVIOUS"],"type":"string"},"ScheduleTarget":{"additionalProperties":false,"description":"What a schedule starts.","properties":{"id":{"description":"Business id of the workflow or task.","examples":["build-report"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Id","type":"string"},"type":{"$ref":"#/$defs/TargetType","description":"WORKFLOW or TASK.","examples":["WORKFLOW"],"title":"Type"},"version":{"description":"Its version, exact or a SemVer range. Default: the highest published one at that time.","examples":["1.2.0","^1.2"],"maxLength":255,"minLength":1,"title":"Version","type":"string"}},"required":["type","id"],"type":"object"},"ScheduleType":{"description":"How often a schedule fires. ONE_TIME: once. RECURRING: again and again.","enum":["ONE_TIME","RECURRING"],"type":"string"},"TargetType":{"description":"What sort of thing a schedule starts. WORKFLOW: a workflow. TASK: a task.","enum":["WORKFLOW","TASK"],"type":"string"},"Timing":{"additionalProperties":false,"description":"When a schedule fires.","properties":{"calendarId":{"description":"Business calendar of the host; a time that is no working time moves to the next that is.","examples":["german-holidays"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Calendar id","type":"string"},"cronExpression":{"description":"Cron expression of a RECURRING schedule: minute, hour, day of month, month, day of week, with optional seconds in front.","examples":["0 2 * * *","*/30 * * * * *"],"maxLength":255,"minLength":1,"title":"Cron expression","type":"string"},"endDate":{"description":"It does not fire after: an RFC 3339 instant, or a date in the time zone.","examples":["2026-12-31","2026-12-31T23:59:59Z"],"pattern":"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?$","title":"End date","type":"string"},"executeAt":{"description":"The instant of a ONE_TIME schedule, RFC 3339.","examples":["2026-01-31T08:00:00Z"],"pattern":"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$","title":"Execute at","type":"string"},"startDate":{"description":"It does not fire before: an RFC 3339 instant, or a date in the time zone.","examples":["2026-02-01","2026-02-01T00:00:00Z"],"pattern":"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?$","title":"Start date","type":"string"},"timezone":{"description":"IANA time zone of the cron expression. Default: that of the host, UTC if it says nothing.","examples":["Europe/Berlin"],"maxLength":64,"minLength":1,"title":"Timezone","type":"string"}},"type":"object"}},"$id":"aug://schema/core.schedule/1.0.0","\u0024schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"allOf":[{"if":{"properties":{"type":{"const":"ONE_TIME"}},"required":["type"]},"then":{"properties":{"timing":{"properties":{"calendarId":false,"cronExpression":false,"endDate":false,"startDate":false,"timezone":false},"required":["executeAt"]}}}},{"if":{"properties":{"type":{"const":"RECURRING"}},"required":["type"]},"then":{"properties":{"timing":{"properties":{"executeAt":false},"required":["cronExpression"]}}}}],"description":"Starts a workflow or a task once or again and again, at certain times.","properties":{"\u0024schema":{"description":"Address of a JSON Schema for your editor. Accepted anywhere, never stored.","examples":["aug://schema/core.schedule/1.0.0"],"title":"Schema","type":"string"},"catchupWindow":{"$ref":"#/$defs/Duration","default":"PT1H","description":"How far back missed times count. Default: PT1H.","examples":["PT6H"],"title":"Catchup window"},"description":{"description":"What the schedule is for.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"input":{"description":"Mapping that builds the input; it reads `schedule` with `scheduleId`, `fireTime` and `previousFireTime`. Default: an empty object.","examples":[{"day":"${schedule.fireTime}"}],"title":"Input"},"kind":{"const":"schedule","description":"Says that this document defines a schedule.","examples":["schedule"],"title":"Kind"},"maxCatchup":{"default":100,"description":"How many missed times are made up for at most. Default: 100.","examples":[10],"maximum":10000,"minimum":0,"title":"Max catchup","type":"integer"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"misfirePolicy":{"$ref":"#/$defs/MisfirePolicy","default":"RUN_ONCE","description":"What happens with times that passed while nothing was running: RUN_ONCE for all of them, SKIP them, RUN_ALL. Default: RUN_ONCE.","examples":["RUN_ALL"],"title":"Misfire policy"},"name":{"description":"Name shown to people.","examples":["Nightly report"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"overlapPolicy":{"$ref":"#/$defs/OverlapPolicy","default":"SKIP","description":"What happens when the run before has not ended: SKIP this one, ALLOW both, BUFFER_ONE for later, CANCEL_PREVIOUS. Default: SKIP.","examples":["BUFFER_ONE"],"title":"Overlap policy"},"scheduleId":{"description":"Business id of the schedule. It stays the same over all versions; exactly one version is live, the published one.","examples":["nightly-report"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Schedule id","type":"string"},"target":{"$ref":"#/$defs/ScheduleTarget","description":"What is started.","examples":[{"id":"build-report","type":"WORKFLOW"}],"title":"Target"},"timing":{"$ref":"#/$defs/Timing","description":"When: `executeAt` for ONE_TIME, `cronExpression` and the rest for RECURRING.","examples":[{"cronExpression":"0 2 * * *","timezone":"Europe/Berlin"},{"executeAt":"2026-01-31T08:00:00Z"}],"title":"Timing"},"type":{"$ref":"#/$defs/ScheduleType","description":"ONE_TIME fires once, RECURRING again and again.","examples":["RECURRING"],"title":"Type"},"version":{"description":"Semantic version of this definition. Published content never changes, so every change needs a new version.","examples":["1.0.0","2.3.1"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Version","type":"string"}},"required":["kind","scheduleId","version","type","target","timing"],"title":"Schedule definition","type":"object"}');
INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', 'd6df5e42-d67c-8eb3-8679-392cc290cad1', 'schema', 'core.schema', '1.0.0', 'Schema definition', 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', 'd6df5e42-d67c-8eb3-8679-392cc290cad1', 'PUBLISHED', '\x606a4dc0d33f44fff0e673a1c50c07cbdc3bf48d84f9efed29ed12101a494441', clock_timestamp(), 'core.schema', '1.0.0', 'Schema definition',
    '{"$defs":{"Compatibility":{"description":"What a new version of a schema may change. BACKWARD: it accepts all data the latest one accepted. FORWARD: the latest one accepts all data it accepts. FULL: both. NONE: anything. BACKWARD_TRANSITIVE: it accepts all data any earlier one accepted. FORWARD_TRANSITIVE: every earlier one accepts all data it accepts. FULL_TRANSITIVE: both of these.","enum":["BACKWARD","FORWARD","FULL","NONE","BACKWARD_TRANSITIVE","FORWARD_TRANSITIVE","FULL_TRANSITIVE"],"type":"string"}},"$id":"aug://schema/core.schema/1.0.0","\u0024schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"description":"A JSON Schema under a name, for other definitions to refer to as `aug://schema/<schemaId>/<version>`.","properties":{"\u0024schema":{"description":"Address of a JSON Schema for your editor. Accepted anywhere, never stored.","examples":["aug://schema/core.schema/1.0.0"],"title":"Schema","type":"string"},"compatibility":{"$ref":"#/$defs/Compatibility","default":"BACKWARD","description":"What a new version may change: BACKWARD accepts all data the old one accepted, FORWARD the other way round, FULL both, NONE anything; with _TRANSITIVE compared with all earlier versions. Default: BACKWARD.","examples":["FULL"],"title":"Compatibility"},"deprecationReason":{"description":"Why this version should no longer be used.","examples":["use 2.0.0, which knows several addresses"],"title":"Deprecation reason","type":"string"},"description":{"description":"What the schema describes.","examples":["Checks the order and ships it."],"title":"Description","type":"string"},"kind":{"const":"schema","description":"Says that this document defines a schema.","examples":["schema"],"title":"Kind"},"metadata":{"description":"Free data of your own. The engine does not read it.","examples":[{"owner":"sales","reviewedAt":"2026-01-31"}],"title":"Metadata","type":"object"},"name":{"description":"Name shown to people.","examples":["User profile"],"maxLength":255,"minLength":1,"title":"Name","type":"string"},"namespace":{"default":"default","description":"Heading under which it is listed; no part of its identity. Default: `default`.","examples":["crm"],"maxLength":255,"minLength":1,"title":"Namespace","type":"string"},"owner":{"description":"Who is responsible for it.","examples":["crm-team"],"maxLength":255,"minLength":1,"title":"Owner","type":"string"},"replacedBy":{"description":"The version to use instead.","examples":["2.0.0"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Replaced by","type":"string"},"schema":{"description":"The JSON Schema itself, an object or a boolean.","examples":[{"properties":{"email":{"format":"email","type":"string"}},"required":["email"],"type":"object"}],"title":"Schema","type":["object","boolean"]},"schemaId":{"description":"Business id of the schema. It stays the same over all versions. Ids that begin with `core.` are reserved.","examples":["user-profile"],"pattern":"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$","title":"Schema id","type":"string"},"tags":{"description":"Words to find it by, at most 20.","examples":[["customer","public"]],"items":{"maxLength":50,"minLength":1,"type":"string"},"maxItems":20,"title":"Tags","type":"array"},"version":{"description":"Semantic version of this definition. Published content never changes, so every change needs a new version.","examples":["1.0.0","2.3.1"],"maxLength":50,"pattern":"^(?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})[.](?:0|[1-9][0-9]{0,17})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?$","title":"Version","type":"string"}},"required":["kind","schemaId","version","name","schema"],"title":"Schema definition","type":"object"}');

CREATE FUNCTION aug_workflow_document(d workflow_definitions) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('workflow'::text)),
                ('cancellationTriggers', d.cancellation_triggers),
                ('compensateOnFailure', to_jsonb(d.compensate_on_failure)),
                ('compensationSteps', d.compensation_steps),
                ('concurrency', d.concurrency),
                ('defaultRetryPolicy', d.default_retry_policy),
                ('description', to_jsonb(d.description)),
                ('executionLog', d.execution_log),
                ('executionTimeout', to_jsonb(d.execution_timeout)),
                ('inputSchema', d.input_schema),
                ('layout', d.layout),
                ('metadata', d.metadata),
                ('name', to_jsonb(d.name)),
                ('onError', d.on_error),
                ('output', d.output),
                ('outputSchema', d.output_schema),
                ('runAs', to_jsonb(d.run_as)),
                ('signals', d.signals),
                ('startStepId', to_jsonb(d.start_step_id)),
                ('steps', d.steps),
                ('uiComponents', d.ui_components),
                ('variables', d.variables),
                ('version', to_jsonb(d.version)),
                ('workflowId', to_jsonb(d.workflow_id))
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_workflow_document(workflow_definitions) IS 'The document of a row, without the members it does not have';
CREATE FUNCTION aug_unfold_workflow() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('workflow_definitions', 'workflow', NEW.draft, NEW.status <> 'DRAFT', '{"cancellationTriggers":"any","compensateOnFailure":"boolean","compensationSteps":"any","concurrency":"any","defaultRetryPolicy":"any","description":"string","executionLog":"any","executionTimeout":"string","inputSchema":"any","layout":"any","metadata":"any","name":"string","onError":"any","output":"any","outputSchema":"any","runAs":"string","signals":"any","startStepId":"string","steps":"any","uiComponents":"any","variables":"any","version":"string","workflowId":"string"}');
    NEW.draft := NEW.draft - ('$' || 'schema');
    NEW.name := CASE jsonb_typeof(NEW.draft -> 'name') WHEN 'string' THEN NEW.draft ->> 'name' END;
    NEW.version := CASE jsonb_typeof(NEW.draft -> 'version') WHEN 'string' THEN NEW.draft ->> 'version' END;
    NEW.workflow_id := CASE jsonb_typeof(NEW.draft -> 'workflowId') WHEN 'string' THEN NEW.draft ->> 'workflowId' END;
    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    NEW.cancellation_triggers := NEW.draft -> 'cancellationTriggers';
    NEW.compensate_on_failure := (NEW.draft ->> 'compensateOnFailure')::boolean;
    NEW.compensation_steps := NEW.draft -> 'compensationSteps';
    NEW.concurrency := NEW.draft -> 'concurrency';
    NEW.default_retry_policy := NEW.draft -> 'defaultRetryPolicy';
    NEW.description := NEW.draft ->> 'description';
    NEW.execution_log := NEW.draft -> 'executionLog';
    NEW.execution_timeout := NEW.draft ->> 'executionTimeout';
    NEW.input_schema := NEW.draft -> 'inputSchema';
    NEW.layout := NEW.draft -> 'layout';
    NEW.metadata := NEW.draft -> 'metadata';
    NEW.name := NEW.draft ->> 'name';
    NEW.on_error := NEW.draft -> 'onError';
    NEW.output := NEW.draft -> 'output';
    NEW.output_schema := NEW.draft -> 'outputSchema';
    NEW.run_as := NEW.draft ->> 'runAs';
    NEW.signals := NEW.draft -> 'signals';
    NEW.start_step_id := NEW.draft ->> 'startStepId';
    NEW.steps := NEW.draft -> 'steps';
    NEW.ui_components := NEW.draft -> 'uiComponents';
    NEW.variables := NEW.draft -> 'variables';
    NEW.version := NEW.draft ->> 'version';
    NEW.workflow_id := NEW.draft ->> 'workflowId';
    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_workflow() IS 'Splits the document of a row into its columns when the row is published';
CREATE FUNCTION aug_put_workflow(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO workflow_definitions (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING workflow_definitions.id
$$;
COMMENT ON FUNCTION aug_put_workflow(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';
CREATE FUNCTION aug_check_workflow() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('workflow', NEW.schema_version, 'workflow_definitions', aug_workflow_document(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON workflow_definitions FOR EACH ROW EXECUTE FUNCTION aug_unfold_workflow();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON workflow_definitions FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('workflow', 'workflow_id');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON workflow_definitions FOR EACH ROW EXECUTE FUNCTION aug_index_definition('workflow', 'workflow_id');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON workflow_definitions FOR EACH ROW EXECUTE FUNCTION aug_check_workflow();

CREATE FUNCTION aug_task_document(d task_definitions) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('task'::text)),
                ('description', to_jsonb(d.description)),
                ('executionConfig', d.execution_config),
                ('heartbeatTimeout', to_jsonb(d.heartbeat_timeout)),
                ('implementation', d.implementation),
                ('inputSchema', d.input_schema),
                ('manual', d.manual),
                ('metadata', d.metadata),
                ('name', to_jsonb(d.name)),
                ('onExhausted', to_jsonb(d.on_exhausted)),
                ('outputSchema', d.output_schema),
                ('queueTimeout', to_jsonb(d.queue_timeout)),
                ('retryPolicy', d.retry_policy),
                ('taskId', to_jsonb(d.task_id)),
                ('timeout', to_jsonb(d.timeout)),
                ('totalTimeout', to_jsonb(d.total_timeout)),
                ('type', to_jsonb(d.type)),
                ('uiComponents', d.ui_components),
                ('version', to_jsonb(d.version))
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_task_document(task_definitions) IS 'The document of a row, without the members it does not have';
CREATE FUNCTION aug_unfold_task() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('task_definitions', 'task', NEW.draft, NEW.status <> 'DRAFT', '{"description":"string","executionConfig":"any","heartbeatTimeout":"string","implementation":"any","inputSchema":"any","manual":"any","metadata":"any","name":"string","onExhausted":"string","outputSchema":"any","queueTimeout":"string","retryPolicy":"any","taskId":"string","timeout":"string","totalTimeout":"string","type":"string","uiComponents":"any","version":"string"}');
    NEW.draft := NEW.draft - ('$' || 'schema');
    NEW.name := CASE jsonb_typeof(NEW.draft -> 'name') WHEN 'string' THEN NEW.draft ->> 'name' END;
    NEW.task_id := CASE jsonb_typeof(NEW.draft -> 'taskId') WHEN 'string' THEN NEW.draft ->> 'taskId' END;
    NEW.version := CASE jsonb_typeof(NEW.draft -> 'version') WHEN 'string' THEN NEW.draft ->> 'version' END;
    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    NEW.description := NEW.draft ->> 'description';
    NEW.execution_config := NEW.draft -> 'executionConfig';
    NEW.heartbeat_timeout := NEW.draft ->> 'heartbeatTimeout';
    NEW.implementation := NEW.draft -> 'implementation';
    NEW.input_schema := NEW.draft -> 'inputSchema';
    NEW.manual := NEW.draft -> 'manual';
    NEW.metadata := NEW.draft -> 'metadata';
    NEW.name := NEW.draft ->> 'name';
    NEW.on_exhausted := NEW.draft ->> 'onExhausted';
    NEW.output_schema := NEW.draft -> 'outputSchema';
    NEW.queue_timeout := NEW.draft ->> 'queueTimeout';
    NEW.retry_policy := NEW.draft -> 'retryPolicy';
    NEW.task_id := NEW.draft ->> 'taskId';
    NEW.timeout := NEW.draft ->> 'timeout';
    NEW.total_timeout := NEW.draft ->> 'totalTimeout';
    NEW.type := NEW.draft ->> 'type';
    NEW.ui_components := NEW.draft -> 'uiComponents';
    NEW.version := NEW.draft ->> 'version';
    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_task() IS 'Splits the document of a row into its columns when the row is published';
CREATE FUNCTION aug_put_task(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO task_definitions (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING task_definitions.id
$$;
COMMENT ON FUNCTION aug_put_task(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';
CREATE FUNCTION aug_check_task() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('task', NEW.schema_version, 'task_definitions', aug_task_document(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON task_definitions FOR EACH ROW EXECUTE FUNCTION aug_unfold_task();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON task_definitions FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('task', 'task_id');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON task_definitions FOR EACH ROW EXECUTE FUNCTION aug_index_definition('task', 'task_id');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON task_definitions FOR EACH ROW EXECUTE FUNCTION aug_check_task();

CREATE FUNCTION aug_event_document(d event_definitions) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('event'::text)),
                ('description', to_jsonb(d.description)),
                ('eventId', to_jsonb(d.event_id)),
                ('examples', d.examples),
                ('metadata', d.metadata),
                ('name', to_jsonb(d.name)),
                ('pattern', to_jsonb(d.pattern)),
                ('payloadSchema', d.payload_schema),
                ('privacy', d.privacy),
                ('retention', to_jsonb(d.retention)),
                ('sourceTypes', d.source_types),
                ('streamKey', to_jsonb(d.stream_key)),
                ('uiMetadata', d.ui_metadata),
                ('version', to_jsonb(d.version))
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_event_document(event_definitions) IS 'The document of a row, without the members it does not have';
CREATE FUNCTION aug_unfold_event() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('event_definitions', 'event', NEW.draft, NEW.status <> 'DRAFT', '{"description":"string","eventId":"string","examples":"any","metadata":"any","name":"string","pattern":"string","payloadSchema":"any","privacy":"any","retention":"string","sourceTypes":"any","streamKey":"string","uiMetadata":"any","version":"string"}');
    NEW.draft := NEW.draft - ('$' || 'schema');
    NEW.event_id := CASE jsonb_typeof(NEW.draft -> 'eventId') WHEN 'string' THEN NEW.draft ->> 'eventId' END;
    NEW.name := CASE jsonb_typeof(NEW.draft -> 'name') WHEN 'string' THEN NEW.draft ->> 'name' END;
    NEW.version := CASE jsonb_typeof(NEW.draft -> 'version') WHEN 'string' THEN NEW.draft ->> 'version' END;
    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    NEW.description := NEW.draft ->> 'description';
    NEW.event_id := NEW.draft ->> 'eventId';
    NEW.examples := NEW.draft -> 'examples';
    NEW.metadata := NEW.draft -> 'metadata';
    NEW.name := NEW.draft ->> 'name';
    NEW.pattern := NEW.draft ->> 'pattern';
    NEW.payload_schema := NEW.draft -> 'payloadSchema';
    NEW.privacy := NEW.draft -> 'privacy';
    NEW.retention := NEW.draft ->> 'retention';
    NEW.source_types := NEW.draft -> 'sourceTypes';
    NEW.stream_key := NEW.draft ->> 'streamKey';
    NEW.ui_metadata := NEW.draft -> 'uiMetadata';
    NEW.version := NEW.draft ->> 'version';
    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_event() IS 'Splits the document of a row into its columns when the row is published';
CREATE FUNCTION aug_put_event(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO event_definitions (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING event_definitions.id
$$;
COMMENT ON FUNCTION aug_put_event(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';
CREATE FUNCTION aug_check_event() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('event', NEW.schema_version, 'event_definitions', aug_event_document(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON event_definitions FOR EACH ROW EXECUTE FUNCTION aug_unfold_event();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON event_definitions FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('event', 'event_id');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON event_definitions FOR EACH ROW EXECUTE FUNCTION aug_index_definition('event', 'event_id');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON event_definitions FOR EACH ROW EXECUTE FUNCTION aug_check_event();

CREATE FUNCTION aug_trigger_document(d workflow_event_triggers) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('trigger'::text)),
                ('correlationKey', to_jsonb(d.correlation_key)),
                ('description', to_jsonb(d.description)),
                ('duplicatePolicy', to_jsonb(d.duplicate_policy)),
                ('eventCondition', to_jsonb(d.event_condition)),
                ('eventPattern', to_jsonb(d.event_pattern)),
                ('inputMapping', d.input_mapping),
                ('metadata', d.metadata),
                ('priority', to_jsonb(d.priority)),
                ('reason', to_jsonb(d.reason)),
                ('shouldCompensate', to_jsonb(d.should_compensate)),
                ('signalType', to_jsonb(d.signal_type)),
                ('triggerId', to_jsonb(d.trigger_id)),
                ('triggerType', to_jsonb(d.trigger_type)),
                ('version', to_jsonb(d.version)),
                ('versionRange', to_jsonb(d.version_range)),
                ('workflowId', to_jsonb(d.workflow_id)),
                ('workflowVersion', to_jsonb(d.workflow_version))
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_trigger_document(workflow_event_triggers) IS 'The document of a row, without the members it does not have';
CREATE FUNCTION aug_unfold_trigger() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('workflow_event_triggers', 'trigger', NEW.draft, NEW.status <> 'DRAFT', '{"correlationKey":"string","description":"string","duplicatePolicy":"string","eventCondition":"string","eventPattern":"string","inputMapping":"any","metadata":"any","priority":"integer","reason":"string","shouldCompensate":"boolean","signalType":"string","triggerId":"string","triggerType":"string","version":"string","versionRange":"string","workflowId":"string","workflowVersion":"string"}');
    NEW.draft := NEW.draft - ('$' || 'schema');
    NEW.trigger_id := CASE jsonb_typeof(NEW.draft -> 'triggerId') WHEN 'string' THEN NEW.draft ->> 'triggerId' END;
    NEW.version := CASE jsonb_typeof(NEW.draft -> 'version') WHEN 'string' THEN NEW.draft ->> 'version' END;
    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    NEW.correlation_key := NEW.draft ->> 'correlationKey';
    NEW.description := NEW.draft ->> 'description';
    NEW.duplicate_policy := NEW.draft ->> 'duplicatePolicy';
    NEW.event_condition := NEW.draft ->> 'eventCondition';
    NEW.event_pattern := NEW.draft ->> 'eventPattern';
    NEW.input_mapping := NEW.draft -> 'inputMapping';
    NEW.metadata := NEW.draft -> 'metadata';
    NEW.priority := (NEW.draft ->> 'priority')::numeric::bigint;
    NEW.reason := NEW.draft ->> 'reason';
    NEW.should_compensate := (NEW.draft ->> 'shouldCompensate')::boolean;
    NEW.signal_type := NEW.draft ->> 'signalType';
    NEW.trigger_id := NEW.draft ->> 'triggerId';
    NEW.trigger_type := NEW.draft ->> 'triggerType';
    NEW.version := NEW.draft ->> 'version';
    NEW.version_range := NEW.draft ->> 'versionRange';
    NEW.workflow_id := NEW.draft ->> 'workflowId';
    NEW.workflow_version := NEW.draft ->> 'workflowVersion';
    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_trigger() IS 'Splits the document of a row into its columns when the row is published';
CREATE FUNCTION aug_put_trigger(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO workflow_event_triggers (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING workflow_event_triggers.id
$$;
COMMENT ON FUNCTION aug_put_trigger(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';
CREATE FUNCTION aug_check_trigger() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('trigger', NEW.schema_version, 'workflow_event_triggers', aug_trigger_document(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON workflow_event_triggers FOR EACH ROW EXECUTE FUNCTION aug_unfold_trigger();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON workflow_event_triggers FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('trigger', 'trigger_id');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON workflow_event_triggers FOR EACH ROW EXECUTE FUNCTION aug_index_definition('trigger', 'trigger_id');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON workflow_event_triggers FOR EACH ROW EXECUTE FUNCTION aug_check_trigger();

CREATE FUNCTION aug_schedule_document(d schedules) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('schedule'::text)),
                ('catchupWindow', to_jsonb(d.catchup_window)),
                ('description', to_jsonb(d.description)),
                ('input', d.input),
                ('maxCatchup', to_jsonb(d.max_catchup)),
                ('metadata', d.metadata),
                ('misfirePolicy', to_jsonb(d.misfire_policy)),
                ('name', to_jsonb(d.name)),
                ('overlapPolicy', to_jsonb(d.overlap_policy)),
                ('scheduleId', to_jsonb(d.schedule_id)),
                ('target', d.target),
                ('timing', d.timing),
                ('type', to_jsonb(d.type)),
                ('version', to_jsonb(d.version))
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_schedule_document(schedules) IS 'The document of a row, without the members it does not have';
CREATE FUNCTION aug_unfold_schedule() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('schedules', 'schedule', NEW.draft, NEW.status <> 'DRAFT', '{"catchupWindow":"string","description":"string","input":"any","maxCatchup":"integer","metadata":"any","misfirePolicy":"string","name":"string","overlapPolicy":"string","scheduleId":"string","target":"any","timing":"any","type":"string","version":"string"}');
    NEW.draft := NEW.draft - ('$' || 'schema');
    NEW.name := CASE jsonb_typeof(NEW.draft -> 'name') WHEN 'string' THEN NEW.draft ->> 'name' END;
    NEW.schedule_id := CASE jsonb_typeof(NEW.draft -> 'scheduleId') WHEN 'string' THEN NEW.draft ->> 'scheduleId' END;
    NEW.version := CASE jsonb_typeof(NEW.draft -> 'version') WHEN 'string' THEN NEW.draft ->> 'version' END;
    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    NEW.catchup_window := NEW.draft ->> 'catchupWindow';
    NEW.description := NEW.draft ->> 'description';
    NEW.input := NEW.draft -> 'input';
    NEW.max_catchup := (NEW.draft ->> 'maxCatchup')::numeric::bigint;
    NEW.metadata := NEW.draft -> 'metadata';
    NEW.misfire_policy := NEW.draft ->> 'misfirePolicy';
    NEW.name := NEW.draft ->> 'name';
    NEW.overlap_policy := NEW.draft ->> 'overlapPolicy';
    NEW.schedule_id := NEW.draft ->> 'scheduleId';
    NEW.target := NEW.draft -> 'target';
    NEW.timing := NEW.draft -> 'timing';
    NEW.type := NEW.draft ->> 'type';
    NEW.version := NEW.draft ->> 'version';
    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_schedule() IS 'Splits the document of a row into its columns when the row is published';
CREATE FUNCTION aug_put_schedule(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO schedules (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING schedules.id
$$;
COMMENT ON FUNCTION aug_put_schedule(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';
CREATE FUNCTION aug_check_schedule() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('schedule', NEW.schema_version, 'schedules', aug_schedule_document(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON schedules FOR EACH ROW EXECUTE FUNCTION aug_unfold_schedule();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON schedules FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('schedule', 'schedule_id');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON schedules FOR EACH ROW EXECUTE FUNCTION aug_index_definition('schedule', 'schedule_id');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON schedules FOR EACH ROW EXECUTE FUNCTION aug_check_schedule();

CREATE FUNCTION aug_schema_document(d schema_versions) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('schema'::text)),
                ('compatibility', to_jsonb(d.compatibility)),
                ('deprecationReason', to_jsonb(d.deprecation_reason)),
                ('description', to_jsonb(d.description)),
                ('metadata', d.metadata),
                ('name', to_jsonb(d.name)),
                ('namespace', to_jsonb(d.namespace)),
                ('owner', to_jsonb(d.owner)),
                ('replacedBy', to_jsonb(d.replaced_by)),
                ('schema', d.schema),
                ('schemaId', to_jsonb(d.schema_id)),
                ('tags', d.tags),
                ('version', to_jsonb(d.version))
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_schema_document(schema_versions) IS 'The document of a row, without the members it does not have';
CREATE FUNCTION aug_unfold_schema() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('schema_versions', 'schema', NEW.draft, NEW.status <> 'DRAFT', '{"compatibility":"string","deprecationReason":"string","description":"string","metadata":"any","name":"string","namespace":"string","owner":"string","replacedBy":"string","schema":"any","schemaId":"string","tags":"any","version":"string"}');
    NEW.draft := NEW.draft - ('$' || 'schema');
    NEW.name := CASE jsonb_typeof(NEW.draft -> 'name') WHEN 'string' THEN NEW.draft ->> 'name' END;
    NEW.schema_id := CASE jsonb_typeof(NEW.draft -> 'schemaId') WHEN 'string' THEN NEW.draft ->> 'schemaId' END;
    NEW.version := CASE jsonb_typeof(NEW.draft -> 'version') WHEN 'string' THEN NEW.draft ->> 'version' END;
    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    NEW.compatibility := NEW.draft ->> 'compatibility';
    NEW.deprecation_reason := NEW.draft ->> 'deprecationReason';
    NEW.description := NEW.draft ->> 'description';
    NEW.metadata := NEW.draft -> 'metadata';
    NEW.name := NEW.draft ->> 'name';
    NEW.namespace := NEW.draft ->> 'namespace';
    NEW.owner := NEW.draft ->> 'owner';
    NEW.replaced_by := NEW.draft ->> 'replacedBy';
    NEW.schema := NEW.draft -> 'schema';
    NEW.schema_id := NEW.draft ->> 'schemaId';
    NEW.tags := NEW.draft -> 'tags';
    NEW.version := NEW.draft ->> 'version';
    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_schema() IS 'Splits the document of a row into its columns when the row is published';
CREATE FUNCTION aug_put_schema(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO schema_versions (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING schema_versions.id
$$;
COMMENT ON FUNCTION aug_put_schema(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';
CREATE FUNCTION aug_check_schema() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('schema', NEW.schema_version, 'schema_versions', aug_schema_document(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON schema_versions FOR EACH ROW EXECUTE FUNCTION aug_unfold_schema();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON schema_versions FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('schema', 'schema_id');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON schema_versions FOR EACH ROW EXECUTE FUNCTION aug_index_definition('schema', 'schema_id');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON schema_versions FOR EACH ROW EXECUTE FUNCTION aug_check_schema();

CREATE VIEW definitions WITH (security_invoker = true) AS
    SELECT 'workflow'::text AS kind, d.tenant_id, d.id, d.workflow_id AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_workflow_document(d) AS document
    FROM workflow_definitions AS d
    UNION ALL
    SELECT 'task'::text AS kind, d.tenant_id, d.id, d.task_id AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_task_document(d) AS document
    FROM task_definitions AS d
    UNION ALL
    SELECT 'event'::text AS kind, d.tenant_id, d.id, d.event_id AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_event_document(d) AS document
    FROM event_definitions AS d
    UNION ALL
    SELECT 'trigger'::text AS kind, d.tenant_id, d.id, d.trigger_id AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_trigger_document(d) AS document
    FROM workflow_event_triggers AS d
    UNION ALL
    SELECT 'schedule'::text AS kind, d.tenant_id, d.id, d.schedule_id AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_schedule_document(d) AS document
    FROM schedules AS d
    UNION ALL
    SELECT 'schema'::text AS kind, d.tenant_id, d.id, d.schema_id AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_schema_document(d) AS document
    FROM schema_versions AS d;
COMMENT ON VIEW definitions IS 'Every version of every definition with its document';

-- Roles belong to the whole cluster: they are made once, by whoever may.
DO $do$
DECLARE
    role text;
    place text := current_schema();
BEGIN
    FOREACH role IN ARRAY ARRAY['aug_owner', 'aug_app', 'aug_read'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION
                WHEN insufficient_privilege THEN
                    RAISE NOTICE 'role % is absent and this user may not create it: its rights are left out', role;
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_app') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO aug_app', place);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO aug_app', place);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.schema_migrations FROM aug_app', place);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_read') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO aug_read', place);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO aug_read', place);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_owner') THEN
        EXECUTE format('GRANT ALL ON SCHEMA %I TO aug_owner', place);
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO aug_owner', place);
    END IF;
END
$do$;
