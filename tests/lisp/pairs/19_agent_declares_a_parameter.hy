(defagent louder "You are loud."
  (setv signs 3) ; o: 1 2 3
  (+ message (* "!" signs)))
