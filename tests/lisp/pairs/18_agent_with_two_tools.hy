(deftool double [#^ int n] "Twice." (* 2 n))
(deftool half [#^ int n] "Half." :timeout 2 (// n 2))
(defagent number "You count." :tools [double half] :version "0.1"
  (setv n (int message))
  (if (% n 2) (str (double n)) (str (half n))))
