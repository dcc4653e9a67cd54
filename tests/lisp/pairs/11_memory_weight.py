from project_o.agent import MemorySpec

mixed = MemorySpec("mixed", weight=0.25)
