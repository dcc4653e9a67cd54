(deftool shaky [#^ int n] "Fails at times." (if (% n 2) (/ 1 0) n))
(defworkflow stubborn [#^ int n] "Tries again."
  (step value (shaky n) :retries 3 :pause 0.01)
  (+ value 1))
