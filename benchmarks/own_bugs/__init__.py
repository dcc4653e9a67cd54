"""Its own bugs: faults drawn by a seed into functions of Project O itself, found by property tests, and repaired.

carry.py       a function of ours with all that it uses, as a text of its own
faults.py      every single fault of a text, and one drawn by a seed
properties.py  what each function promises, as strategies that know the answer by how they made the question
texts.py, numbers.py, structures.py   the strategies
answers.py     what texts answer, in a process of its own
measure.py     one fault: found, repaired, right on unseen inputs; and the control
"""
