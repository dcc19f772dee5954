SELECT
  "t0"."sex" AS "key_0",
  "t0"."member" AS "key_1",
  "t0"."label" AS "key_2",
  IFF(
    (
      CAST("t0"."score" AS DOUBLE) IS NULL
    )
    OR (
      CAST("t0"."score" AS DOUBLE) = CAST('NaN' AS DOUBLE)
    ),
    CAST(NULL AS BIGINT),
    IFF(CAST("t0"."score" AS DOUBLE) >= 0.5, 1, 0)
  ) AS "reached",
  COUNT(*) AS "rows",
  MIN(CAST("t0"."score" AS DOUBLE)) AS "lowest",
  MAX(CAST("t0"."score" AS DOUBLE)) AS "highest",
  SUM(CAST("t0"."weight" AS DOUBLE)) AS "weight",
  SUM(CAST("t0"."weight" AS DOUBLE) * CAST("t0"."weight" AS DOUBLE)) AS "square",
  MIN(CAST("t0"."weight" AS DOUBLE)) AS "least",
  MAX(CAST("t0"."weight" AS DOUBLE)) AS "most",
  SUM(
    IFF(
      (
        CAST("t0"."weight" AS DOUBLE) IS NULL
      )
      OR (
        CAST("t0"."weight" AS DOUBLE) = CAST('NaN' AS DOUBLE)
      ),
      1,
      0
    )
  ) AS "unweighted"
FROM "people" AS "t0"
GROUP BY
  1,
  2,
  3,
  4
