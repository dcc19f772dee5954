SELECT
  "t1"."key_0",
  "t1"."key_1",
  "t1"."key_2",
  IFF(
    (
      "t1"."score" IS NULL
    ) OR (
      "t1"."score" = CAST('NaN' AS DOUBLE)
    ),
    CAST(NULL AS BIGINT),
    IFF("t1"."score" >= 0.5, 1, 0)
  ) AS "reached",
  COUNT(*) AS "rows",
  MIN("t1"."score") AS "lowest",
  MAX("t1"."score") AS "highest",
  SUM("t1"."mass") AS "weight",
  SUM("t1"."mass" * "t1"."mass") AS "square",
  MIN("t1"."mass") AS "least",
  MAX("t1"."mass") AS "most",
  SUM(
    IFF((
      "t1"."mass" IS NULL
    ) OR (
      "t1"."mass" = CAST('NaN' AS DOUBLE)
    ), 1, 0)
  ) AS "unweighted"
FROM (
  SELECT
    "t0"."sex" AS "key_0",
    "t0"."member" AS "key_1",
    "t0"."label" AS "key_2",
    CAST("t0"."score" AS DOUBLE) AS "score",
    CAST("t0"."weight" AS DOUBLE) AS "mass"
  FROM "people" AS "t0"
) AS "t1"
GROUP BY
  1,
  2,
  3,
  4
