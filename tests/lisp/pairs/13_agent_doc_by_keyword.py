from project_o.agent import Agent

writer = Agent("writer", version="2", doc="You write.", model="ollama:tiny")
