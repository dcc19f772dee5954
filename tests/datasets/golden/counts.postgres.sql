SELECT
  "t0"."sex" AS "key_0",
  "t0"."member" AS "key_1",
  "t0"."label" AS "key_2",
  CASE
    WHEN (
      CAST("t0"."score" AS DOUBLE PRECISION) IS NULL
    )
    OR (
      CAST("t0"."score" AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
    )
    THEN CAST(NULL AS BIGINT)
    ELSE CASE WHEN CAST("t0"."score" AS DOUBLE PRECISION) >= 0.5 THEN 1 ELSE 0 END
  END AS "reached",
  COUNT(*) AS "rows",
  MIN(CAST("t0"."score" AS DOUBLE PRECISION)) AS "lowest",
  MAX(CAST("t0"."score" AS DOUBLE PRECISION)) AS "highest",
  SUM(CAST("t0"."weight" AS DOUBLE PRECISION)) AS "weight",
  SUM(
    CAST("t0"."weight" AS DOUBLE PRECISION) * CAST("t0"."weight" AS DOUBLE PRECISION)
  ) AS "square",
  MIN(CAST("t0"."weight" AS DOUBLE PRECISION)) AS "least",
  MAX(CAST("t0"."weight" AS DOUBLE PRECISION)) AS "most",
  SUM(
    CASE
      WHEN (
        CAST("t0"."weight" AS DOUBLE PRECISION) IS NULL
      )
      OR (
        CAST("t0"."weight" AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      )
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
