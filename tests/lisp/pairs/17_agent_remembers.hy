(defmemory diary :capacity 50 :embedding "hash")
(defagent secretary "You keep things." :memory diary
  (setv found (recall message :top 2))
  (remember message)
  (.join "; " (or found ["nothing yet"])))
