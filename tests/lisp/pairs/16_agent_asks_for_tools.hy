(deftool look-up [#^ str word] "Look a word up." (.upper word))
(defagent helper "You help." :tools [look-up]
  (if (has-tool? "look-up")
      (use "look-up" :word message)
      (llm-respond message)))
