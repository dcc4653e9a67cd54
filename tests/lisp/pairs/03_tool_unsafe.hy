(deftool remove [#^ str path] "Remove a file."
  :unsafe True :effects [files]
  (import os)
  (os.remove path)
  "removed")
