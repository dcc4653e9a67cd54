(defagent greeter "You greet."
  (+ "Hello, " message))
