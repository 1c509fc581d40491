-- From here on texts are kept in one spelling (NFC) and folded for search by it: full-width letters, ligatures, dotted and
-- dotless i. The program itself rewrites what was there before it applies this.
SELECT 1;
