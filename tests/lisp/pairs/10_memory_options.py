from project_o.agent import MemorySpec

notes = MemorySpec("notes", doc="What was said.", capacity=1000, embedding="hash", top=3)
