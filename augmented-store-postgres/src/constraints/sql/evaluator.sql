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
