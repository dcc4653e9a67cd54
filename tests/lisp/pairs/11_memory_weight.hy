(defmemory mixed :weight 0.25)
