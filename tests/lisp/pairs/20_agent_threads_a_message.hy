(defagent cleaner "You clean."
  (when-> message (.strip) (.lower) (.replace "  " " ")))
