(deftool add [#^ int a #^ int b] "Add." (+ a b))
(defagent calculator "You add." :tools [add]
  (str (use "add" :a (get-arg "a" 0) :b (get-arg "b" 0))))
