"""Where blocks of text are kept and found again.

block.py      what is kept: a block, and what had to leave
splitting.py  long texts become blocks that overlap
seam.py       what a store of blocks does: SQLite here, a server another time
sqlite.py     one file (or none) for blocks, vectors and words; opening.py opens it, schema.py knows its versions
matrix.py     exact search among the vectors
"""
