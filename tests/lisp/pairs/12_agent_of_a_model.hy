(defagent talker "You talk." :model "local:small" :version "1.2")
