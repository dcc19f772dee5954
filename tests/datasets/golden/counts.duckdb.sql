SELECT
  "t0"."sex" AS "key_0",
  "t0"."member" AS "key_1",
  "t0"."label" AS "key_2",
  CASE
    WHEN (
      CAST("t0"."score" AS DOUBLE) IS NULL
    ) OR ISNAN(CAST("t0"."score" AS DOUBLE))
    THEN CAST(NULL AS BIGINT)
    ELSE CASE WHEN CAST("t0"."score" AS DOUBLE) >= 0.5 THEN 1 ELSE 0 END
  END AS "reached",
  COUNT(*) AS "rows",
  MIN(CAST("t0"."score" AS DOUBLE)) AS "lowest",
  MAX(CAST("t0"."score" AS DOUBLE)) AS "highest",
  SUM(CAST("t0"."weight" AS DOUBLE)) AS "weight",
  SUM(CAST("t0"."weight" AS DOUBLE) * CAST("t0"."weight" AS DOUBLE)) AS "square",
  MIN(CAST("t0"."weight" AS DOUBLE)) AS "least",
  MAX(CAST("t0"."weight" AS DOUBLE)) AS "most",
  SUM(
    CASE
      WHEN (
        CAST("t0"."weight" AS DOUBLE) IS NULL
      )
      OR ISNAN(CAST("t0"."weight" AS DOUBLE))
      THEN 1
      ELSE 0
    END
  ) AS "unweighted"
FROM "people" AS "t0"
GROUP BY
  1,
  2,
  3,
  4
