; a memory, a parameter, a tool, a workflow and an agent that uses them all
(defmemory findings :capacity 100 :top 2)
(defparam width 20 "Characters of a summary." :domain "10..40")
(deftool shorten [#^ str text #^ int [characters 20]]
  "Shorten a text."
  :timeout 3 :effects [notebook]
  (cut text characters))
(defworkflow summarise [#^ str text] "A summary in steps."
  (step clean (when-> text (.strip)))
  (step short (shorten clean width) :retries 1)
  short)
(defagent researcher "You sum up." :version "3.0" :tools [shorten] :memory findings
  (setv short (summarise message))
  (remember short)
  f"{short} ({(len (recall short))})")
