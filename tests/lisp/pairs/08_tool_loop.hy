(deftool fibonacci [#^ int n]
  "The n-th number."
  (setv a 0)
  (setv b 1)
  (for [_ (range n)]
    (setv [a b] [b (+ a b)]))
  a)
