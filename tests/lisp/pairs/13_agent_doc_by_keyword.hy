(defagent writer :version "2" :doc "You write." :model "ollama:tiny")
