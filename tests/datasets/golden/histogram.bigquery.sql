SELECT
  `t1`.`key_0`,
  `t1`.`key_1`,
  `t1`.`key_2`,
  IF(
    (
      `t1`.`score` IS NULL
    ) OR IS_NAN(`t1`.`score`),
    CAST(NULL AS INT64),
    IF(`t1`.`score` >= 0.5, 1, 0)
  ) AS `reached`,
  IF(
    (
      `t1`.`score` IS NULL
    ) OR IS_NAN(`t1`.`score`),
    CAST(NULL AS INT64),
    CASE
      WHEN `t1`.`score` < 0
      THEN 19329
      WHEN `t1`.`score` < 0.5
      THEN 19330
      WHEN `t1`.`score` <= 1
      THEN 24196
      ELSE 21251
    END + (
      IF(
        (
          `t1`.`score` < 0
        )
        OR (
          (
            `t1`.`score` >= 0.5
          ) AND (
            `t1`.`score` <= 1
          )
        ),
        -1,
        1
      ) * CASE
        WHEN `t1`.`magnitude` >= 4294967296.0
        THEN 19329
        WHEN `t1`.`magnitude` >= 2147483648.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 2.384185791015625e-07) AS INT64) + 18305
        WHEN `t1`.`magnitude` >= 1073741824.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 4.76837158203125e-07) AS INT64) + 17793
        WHEN `t1`.`magnitude` >= 536870912.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 9.5367431640625e-07) AS INT64) + 17281
        WHEN `t1`.`magnitude` >= 268435456.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 1.9073486328125e-06) AS INT64) + 16769
        WHEN `t1`.`magnitude` >= 134217728.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 3.814697265625e-06) AS INT64) + 16257
        WHEN `t1`.`magnitude` >= 67108864.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 7.62939453125e-06) AS INT64) + 15745
        WHEN `t1`.`magnitude` >= 33554432.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 1.52587890625e-05) AS INT64) + 15233
        WHEN `t1`.`magnitude` >= 16777216.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 3.0517578125e-05) AS INT64) + 14721
        WHEN `t1`.`magnitude` >= 8388608.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 6.103515625e-05) AS INT64) + 14209
        WHEN `t1`.`magnitude` >= 4194304.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.0001220703125) AS INT64) + 13697
        WHEN `t1`.`magnitude` >= 2097152.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.000244140625) AS INT64) + 13185
        WHEN `t1`.`magnitude` >= 1048576.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.00048828125) AS INT64) + 12673
        WHEN `t1`.`magnitude` >= 524288.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.0009765625) AS INT64) + 12161
        WHEN `t1`.`magnitude` >= 262144.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.001953125) AS INT64) + 11649
        WHEN `t1`.`magnitude` >= 131072.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.00390625) AS INT64) + 11137
        WHEN `t1`.`magnitude` >= 65536.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.0078125) AS INT64) + 10625
        WHEN `t1`.`magnitude` >= 32768.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.015625) AS INT64) + 10113
        WHEN `t1`.`magnitude` >= 16384.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.03125) AS INT64) + 9601
        WHEN `t1`.`magnitude` >= 8192.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.0625) AS INT64) + 9089
        WHEN `t1`.`magnitude` >= 4096.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.125) AS INT64) + 8577
        WHEN `t1`.`magnitude` >= 2048.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.25) AS INT64) + 8065
        WHEN `t1`.`magnitude` >= 1024.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 0.5) AS INT64) + 7553
        WHEN `t1`.`magnitude` >= 512.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 1.0) AS INT64) + 7041
        WHEN `t1`.`magnitude` >= 256.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 2.0) AS INT64) + 6529
        WHEN `t1`.`magnitude` >= 128.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 4.0) AS INT64) + 6017
        WHEN `t1`.`magnitude` >= 64.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 8.0) AS INT64) + 5505
        WHEN `t1`.`magnitude` >= 32.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 16.0) AS INT64) + 4993
        WHEN `t1`.`magnitude` >= 16.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 32.0) AS INT64) + 4481
        WHEN `t1`.`magnitude` >= 8.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 64.0) AS INT64) + 3969
        WHEN `t1`.`magnitude` >= 4.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 128.0) AS INT64) + 3457
        WHEN `t1`.`magnitude` >= 2.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 256.0) AS INT64) + 2945
        WHEN `t1`.`magnitude` >= 1.0
        THEN CAST(FLOOR(`t1`.`magnitude` * 512.0) AS INT64) + 2433
        WHEN `t1`.`magnitude` >= 0.5
        THEN CAST(FLOOR(`t1`.`magnitude` * 1024.0) AS INT64) + 1921
        WHEN `t1`.`magnitude` >= 0.25
        THEN CAST(FLOOR(`t1`.`magnitude` * 2048.0) AS INT64) + 1409
        WHEN `t1`.`magnitude` >= 0.125
        THEN CAST(FLOOR(`t1`.`magnitude` * 2048.0) AS INT64) + 1409
        WHEN `t1`.`magnitude` >= 0.0625
        THEN CAST(FLOOR(`t1`.`magnitude` * 2048.0) AS INT64) + 1409
        WHEN `t1`.`magnitude` >= 0.03125
        THEN CAST(FLOOR(`t1`.`magnitude` * 4096.0) AS INT64) + 1281
        WHEN `t1`.`magnitude` >= 0.015625
        THEN CAST(FLOOR(`t1`.`magnitude` * 8192.0) AS INT64) + 1153
        WHEN `t1`.`magnitude` >= 0.0078125
        THEN CAST(FLOOR(`t1`.`magnitude` * 16384.0) AS INT64) + 1025
        WHEN `t1`.`magnitude` >= 0.00390625
        THEN CAST(FLOOR(`t1`.`magnitude` * 32768.0) AS INT64) + 897
        WHEN `t1`.`magnitude` >= 0.001953125
        THEN CAST(FLOOR(`t1`.`magnitude` * 65536.0) AS INT64) + 769
        WHEN `t1`.`magnitude` >= 0.0009765625
        THEN CAST(FLOOR(`t1`.`magnitude` * 131072.0) AS INT64) + 641
        WHEN `t1`.`magnitude` >= 0.00048828125
        THEN CAST(FLOOR(`t1`.`magnitude` * 262144.0) AS INT64) + 513
        WHEN `t1`.`magnitude` >= 0.000244140625
        THEN CAST(FLOOR(`t1`.`magnitude` * 524288.0) AS INT64) + 385
        WHEN `t1`.`magnitude` >= 0.0001220703125
        THEN CAST(FLOOR(`t1`.`magnitude` * 1048576.0) AS INT64) + 257
        WHEN `t1`.`magnitude` >= 6.103515625e-05
        THEN CAST(FLOOR(`t1`.`magnitude` * 2097152.0) AS INT64) + 129
        WHEN `t1`.`magnitude` >= 3.0517578125e-05
        THEN CAST(FLOOR(`t1`.`magnitude` * 4194304.0) AS INT64) + 1
        WHEN `t1`.`magnitude` >= 1.52587890625e-05
        THEN CAST(FLOOR(`t1`.`magnitude` * 8388608.0) AS INT64) + -127
        ELSE 0
      END
    )
  ) AS `bin`,
  COUNT(*) AS `rows`,
  MIN(`t1`.`score`) AS `lowest`,
  MAX(`t1`.`score`) AS `highest`,
  SUM(`t1`.`mass`) AS `weight`,
  SUM(`t1`.`mass` * `t1`.`mass`) AS `square`,
  MIN(`t1`.`mass`) AS `least`,
  MAX(`t1`.`mass`) AS `most`,
  SUM(IF((
    `t1`.`mass` IS NULL
  ) OR IS_NAN(`t1`.`mass`), 1, 0)) AS `unweighted`
FROM (
  SELECT
    `t0`.`sex` AS `key_0`,
    `t0`.`member` AS `key_1`,
    `t0`.`label` AS `key_2`,
    CAST(`t0`.`score` AS FLOAT64) AS `score`,
    CAST(`t0`.`weight` AS FLOAT64) AS `mass`,
    IF(
      (
        CAST(`t0`.`score` AS FLOAT64) >= 0.5
      )
      AND (
        CAST(`t0`.`score` AS FLOAT64) <= 1
      ),
      1 - CAST(`t0`.`score` AS FLOAT64),
      ABS(CAST(`t0`.`score` AS FLOAT64))
    ) AS `magnitude`
  FROM `people` AS `t0`
) AS `t1`
GROUP BY
  1,
  2,
  3,
  4,
  5
