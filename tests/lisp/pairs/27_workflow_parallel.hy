(defworkflow both-ways [#^ str text] "Two branches at once."
  (setv [up down] (parallel (step "up" (.upper text)) (step "down" (.lower text))))
  (step joined (+ up down)))
