(defworkflow halve [#^ int n] "Half until it is one."
  (while (> n 1)
    (step n (// n 2)))
  n)
