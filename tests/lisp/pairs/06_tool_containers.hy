(deftool total-of [#^ list rows #^ str [key "n"]]
  "The sum of one column."
  (sum (lfor row rows :if (in key row) (get row key))))
