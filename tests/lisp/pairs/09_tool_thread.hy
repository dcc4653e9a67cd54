(deftool initials [#^ str name]
  "The initials."
  (when-> name (.strip) (.title) (get 0) (+ ".")))
