from project_o.agent import param

share = param("share", 0.5, domain="0.1..0.9")
