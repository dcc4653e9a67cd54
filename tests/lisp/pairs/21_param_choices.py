from project_o.agent import param

depth = param("depth", 2, "How deep to look.", domain=[1, 2, 4, 8])
