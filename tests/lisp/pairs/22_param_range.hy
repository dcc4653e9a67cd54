(defparam share 0.5 :domain "0.1..0.9")
