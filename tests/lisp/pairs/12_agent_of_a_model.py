from project_o.agent import Agent

talker = Agent("talker", "You talk.", model="local:small", version="1.2")
