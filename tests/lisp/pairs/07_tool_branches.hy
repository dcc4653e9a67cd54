(deftool grade [#^ int points]
  "A word for points."
  (cond (< points 10) "low"
        (< points 20) "middle"
        True "high"))
