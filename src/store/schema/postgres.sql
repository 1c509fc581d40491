WITH tables AS (
    SELECT c.* FROM pg_class c
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND relkind IN ('r', 'p')
)
SELECT 'table ' || relname,
       concat_ws(' ', relkind::text, relpersistence::text, CASE WHEN relrowsecurity THEN 'row security' END,
                 CASE WHEN relforcerowsecurity THEN 'forced' END)
FROM tables
UNION ALL
SELECT 'column ' || attname || ' on ' || relname,
       concat_ws(' ', format_type(atttypid, atttypmod),
                 (SELECT 'collate ' || collname FROM pg_collation WHERE oid = attcollation),
                 CASE WHEN attnotnull THEN 'not null' END,
                 CASE WHEN attidentity <> '' THEN 'identity ' || attidentity::text END,
                 CASE WHEN attgenerated <> '' THEN 'generated ' || attgenerated::text END,
                 (SELECT 'default ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum))
FROM tables t JOIN pg_attribute ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint ' || conname || ' on ' || relname,
       pg_get_constraintdef(co.oid, true) || CASE WHEN convalidated THEN '' ELSE ' not validated' END
FROM tables t JOIN pg_constraint co ON conrelid = t.oid AND contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'index ' || i.relname || ' on ' || t.relname,
       pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' not valid' END
FROM tables t JOIN pg_index ON indrelid = t.oid JOIN pg_class i ON i.oid = indexrelid
UNION ALL
SELECT 'trigger ' || tgname || ' on ' || relname, pg_get_triggerdef(g.oid)
FROM tables t JOIN pg_trigger g ON tgrelid = t.oid AND NOT tgisinternal
UNION ALL
SELECT 'firing of ' || CASE WHEN tgisinternal THEN 'references' ELSE tgname END || ' on ' || relname,
       string_agg(DISTINCT CASE tgenabled WHEN 'O' THEN 'on' WHEN 'D' THEN 'switched off' WHEN 'A' THEN 'always'
                           ELSE 'in replicas only' END, ', ')
FROM tables t JOIN pg_trigger ON tgrelid = t.oid GROUP BY 1, relname
UNION ALL
SELECT 'rule ' || rulename || ' on ' || relname, pg_get_ruledef(r.oid)
FROM tables t JOIN pg_rewrite r ON ev_class = t.oid
UNION ALL
SELECT 'policy ' || polname || ' on ' || relname,
       concat_ws(' ', polcmd::text, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
FROM tables t JOIN pg_policy ON polrelid = t.oid
UNION ALL
SELECT 'function ' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       concat_ws(' ', lanname, provolatile::text, CASE WHEN proisstrict THEN 'strict' END,
                 CASE WHEN prosecdef THEN 'security definer' END, array_to_string(proconfig, '; '), prosrc)
FROM pg_proc p JOIN pg_language l ON l.oid = prolang
WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND prokind <> 'a'
UNION ALL
SELECT 'right ' || privilege_type || coalesce(' (' || attname || ')', '') || ' of ' || role || ' on ' || relname, 'granted'
FROM (
    SELECT relname, relowner, NULL::name AS attname, r.* FROM tables, aclexplode(relacl) r
    UNION ALL
    SELECT relname, relowner, attname, r.* FROM tables t JOIN pg_attribute ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped,
        aclexplode(attacl) r
) AS rights, LATERAL (
    SELECT CASE WHEN grantee = 0 THEN 'everybody' ELSE (SELECT rolname FROM pg_roles WHERE oid = grantee) END AS role
) AS named
WHERE grantee <> relowner AND (role = 'everybody' OR role LIKE 'keyrack\_%')
