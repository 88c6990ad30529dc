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
