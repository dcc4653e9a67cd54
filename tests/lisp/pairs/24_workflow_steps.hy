(defworkflow tidy [#^ str text] "Tidy a text."
  (step trimmed (.strip text))
  (step title (.title trimmed))
  title)
