(defworkflow careful [#^ int n [limit 10]] "Only what is small."
  (if (< n limit)
      (step small (* n n))
      (step large (// n 2))))
