SELECT
  `t0`.`sex` AS `key_0`,
  `t0`.`member` AS `key_1`,
  `t0`.`label` AS `key_2`,
  IF(
    (
      CAST(`t0`.`score` AS FLOAT64) IS NULL
    )
    OR IS_NAN(CAST(`t0`.`score` AS FLOAT64)),
    CAST(NULL AS INT64),
    IF(CAST(`t0`.`score` AS FLOAT64) >= 0.5, 1, 0)
  ) AS `reached`,
  COUNT(*) AS `rows`,
  MIN(CAST(`t0`.`score` AS FLOAT64)) AS `lowest`,
  MAX(CAST(`t0`.`score` AS FLOAT64)) AS `highest`,
  SUM(CAST(`t0`.`weight` AS FLOAT64)) AS `weight`,
  SUM(CAST(`t0`.`weight` AS FLOAT64) * CAST(`t0`.`weight` AS FLOAT64)) AS `square`,
  MIN(CAST(`t0`.`weight` AS FLOAT64)) AS `least`,
  MAX(CAST(`t0`.`weight` AS FLOAT64)) AS `most`,
  SUM(
    IF(
      (
        CAST(`t0`.`weight` AS FLOAT64) IS NULL
      )
      OR IS_NAN(CAST(`t0`.`weight` AS FLOAT64)),
      1,
      0
    )
  ) AS `unweighted`
FROM `people` AS `t0`
GROUP BY
  1,
  2,
  3,
  4
