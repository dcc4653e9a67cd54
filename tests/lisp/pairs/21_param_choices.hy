(defparam depth 2 "How deep to look." :domain [1 2 4 8])
