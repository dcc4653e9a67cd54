(deftool wait-for [#^ float seconds]
  "Wait."
  :timeout 1.5
  (import time)
  (time.sleep seconds)
  seconds)
