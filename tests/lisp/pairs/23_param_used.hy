(defparam mark "!" :domain ["!" "?" "."])
(defagent marker "You mark." (+ message mark))
