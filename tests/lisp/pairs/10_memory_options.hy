(defmemory notes "What was said." :capacity 1000 :embedding "hash" :top 3)
