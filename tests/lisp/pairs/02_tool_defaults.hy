(deftool repeat-it [#^ str text #^ int [times 2] [mark "-"]]
  "Repeat a text."  ; the mark stands between
  (.join mark (* [text] times)))
