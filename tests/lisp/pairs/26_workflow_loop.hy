(defworkflow gather [#^ list words] "Each word by itself."
  (setv found [])
  (for [word words]
    (.append found (step "upper" (.upper word))))
  found)
